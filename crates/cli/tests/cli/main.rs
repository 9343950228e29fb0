//! The built program, seen from the outside: what it prints, what it leaves on disk, and its exit status.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod bundles;
mod certificates;
mod crls;
mod expiry;
mod foreign;
mod inspecting;
#[cfg(target_os = "linux")]
mod interrupted;
mod issuing;
mod keys;
mod outputs;
mod passphrases;
mod pod_process;
#[cfg(target_os = "linux")]
mod pods;
mod program;
#[cfg(target_os = "linux")]
mod prompts;
mod quickstart;
mod renewals;
mod requests;
mod sandbox;
mod sessions;
mod signers;
#[cfg(target_os = "linux")]
mod terminal;
