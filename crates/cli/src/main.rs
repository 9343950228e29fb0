//! The `countersign` program: the only place in the workspace that prints, prompts, reads arguments and exits.
//!
//! `command` has one file per command. What they share is beside it: `ui` (everything that is printed), `error`
//! (how a command fails), `input`, `output`, `file_id` and `passphrase` (files and secrets), `terminal` and `signals`
//! (what must be left in order), `new_key` (making a key), `subject` and `alt_name` (names on the command line), `chain` (what is
//! odd about certificates).
#![forbid(unsafe_code)]

mod alt_name;
mod chain;
mod command;
mod error;
mod file_id;
mod input;
mod new_key;
mod output;
mod passphrase;
mod signals;
mod subject;
mod terminal;
mod ui;

use std::process::ExitCode;

use clap::Parser;

use crate::{command::Cli, error::Context};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() => {
            ui::misuse(error.render());
            return ExitCode::from(2);
        }
        Err(help) => help.exit(),
    };
    // Before there is another thread, which a signal could choose.
    let watching = signals::watch().about("waiting for signals");
    match watching.and_then(|()| cli.run()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => error.report(),
    }
}
