//! The pod as its users see it, by a client that shares nothing with `auth`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests are not functions of tests"
)]

mod administration;
mod endpoints;
mod faults;
mod handshake;
mod paths;
mod proxy;
mod revocation;
mod support;
