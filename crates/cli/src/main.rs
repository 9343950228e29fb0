//! The `countersign` program: the only place in the workspace that prints, prompts, reads arguments and exits.
//!
//! `command` has one file per command. What they share is beside it: `ui` (everything that is printed), `error`
//! (how a command fails), `help` and `foreign` (what is answered to those who look for a command), `input`, `output`, `file_id`,
//! `passphrase` and `elided` (files and secrets), `issued` (a certificate that was made), `terminal`, `helper` and `signals` (what must be left in order), `new_key` (making a key),
//! `subject` and `alt_name` (names on the command line), `profile_choice` (what is granted), `signature_choice` (how it is signed), `signing`
//! and `signer_command` (by whom), `chain` (what is odd about certificates), `report` (what a file holds, in words).
#![forbid(unsafe_code)]

mod error;
mod file_name;
mod foreign;
mod help;
mod elided;
mod stdin;
mod terminal;
mod helper;
mod signals;
mod ui;
mod alt_name;
mod chain;
mod log;
mod signature_choice;
mod new_key;
mod passphrase;
mod file_id;
mod directory_lock;
mod input;
mod auth_target;
mod output;
mod report;
mod signer_command;
mod signing;
mod profile_choice;
mod issued;
mod subject;
mod command;

use std::{env, ffi::OsString, process::ExitCode};

use clap::Parser;

use crate::{command::Cli, error::Context};

fn main() -> ExitCode {
    let words: Vec<OsString> = env::args_os().collect();
    if let Err(error) = foreign::refuse(words.iter().skip(1).map(|it| it.to_str().unwrap_or(""))) {
        return ui::failure(&error);
    }
    let cli = match Cli::try_parse_from(&words) {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() => {
            ui::misuse(help::shown(&error.render().to_string()));
            return ExitCode::from(2);
        }
        Err(help) => {
            let text = help::shown(&help.render().to_string());
            return match ui::result_bytes(text.as_bytes()) {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => ui::failure(&error),
            };
        }
    };
    // Before there is another thread, which a signal could choose.
    let watching = signals::watch().about("waiting for signals");
    match watching.and_then(|()| cli.run()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => ui::failure(&error),
    }
}
