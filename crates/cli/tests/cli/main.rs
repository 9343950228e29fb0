//! The built program, seen from the outside: what it prints, what it leaves on disk, and its exit status.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod bundles;
mod certificates;
mod inspecting;
mod issuing;
mod keys;
mod passphrases;
mod program;
mod quickstart;
mod requests;
mod sandbox;
mod sessions;
