//! The whole flows are in `it/`. This compiles the example of the README.
#![forbid(unsafe_code)]
#![doc = include_str!("../../README.md")]
