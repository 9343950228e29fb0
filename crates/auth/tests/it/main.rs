//! The client against servers that behave, and against servers that don't.
#![allow(missing_docs)] // a test binary
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)] // a failed expectation is a failed test

mod authenticate;
mod config;
mod doctor;
mod environment;
mod faults;
mod handshakes;
mod identity;
mod keep_alive;
mod lab;
mod layer;
mod life;
mod log;
mod login;
mod matrix;
mod own_client;
mod pool;
mod provider;
mod proxy;
mod refusal;
mod requests;
mod rotation;
mod server;
mod simplified;
mod trust;
mod workflow;
