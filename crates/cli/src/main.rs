//! The `countersign` program: the only place in the workspace that prints, prompts, reads arguments and exits.
//!
//! `command` has one file per command. What they share is beside it: `ui` (everything that is printed), `error`
//! (how a command fails), `input`, `output` and `passphrase` (files and secrets), `new_key` (making a key).
#![forbid(unsafe_code)]

mod command;
mod error;
mod input;
mod new_key;
mod output;
mod passphrase;
mod ui;

use std::process::ExitCode;

use clap::Parser;

use crate::command::Cli;

fn main() -> ExitCode {
    match Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => error.report(),
    }
}
