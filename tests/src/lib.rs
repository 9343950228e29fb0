//! Nothing: the whole flows are in `it/`, and cargo wants every package to have a library or a program.
#![forbid(unsafe_code)]
