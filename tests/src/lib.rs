//! What tests of several crates have in common.
#![forbid(unsafe_code)]

pub mod hierarchies;
