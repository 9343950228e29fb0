//! The `countersign` program: the only place in the workspace that prints, prompts, reads arguments and exits.
//!
//! `command` has one file per command. What they share is beside it: `ui` (everything that is printed), `error`
//! (how a command fails), `input`, `output` and `passphrase` (files and secrets), `new_key` (making a key), `subject` and
//! `alt_name` (names on the command line).
#![forbid(unsafe_code)]

mod alt_name;
mod command;
mod error;
mod input;
mod new_key;
mod output;
mod passphrase;
mod subject;
mod ui;

use std::process::ExitCode;

use clap::Parser;

use crate::command::Cli;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() => {
            ui::misuse(error.render());
            return ExitCode::from(2);
        }
        Err(help) => help.exit(),
    };
    match cli.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => error.report(),
    }
}
