//! Whole flows, through the public interfaces, against the embedded pod.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod chains;
mod identities;
mod refusals;
mod support;
mod vectors;
mod workflow;
