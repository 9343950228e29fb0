//! The commands: one file each, with its arguments, its help and what it does.

mod auth_doctor;
mod auth_login;
mod auth_target;
mod ca_create;
mod ca_sign;
mod completions;
mod csr_create;
mod inspect;
mod issue;
mod key_generate;
mod p12_export;
mod p12_info;
mod pod_serve;
mod quickstart;

use clap::{Parser, Subcommand};

use tokio::runtime::{self, Runtime};

use crate::error::{Context, Error};

/// Certificates for Symphony bots: from the key to the session token, without OpenSSL
#[derive(Debug, Parser)]
#[command(
    name = "countersign",
    version,
    subcommand_required = true,
    arg_required_else_help = true,
    max_term_width = 100,
    after_long_help = AFTER_LONG_HELP
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

const AFTER_LONG_HELP: &str = "\
Results go to standard output, everything else to standard error. The exit status is 0 when the job
is done, 1 when it failed and 2 when the command line made no sense.

Start here:
  countersign quickstart            the whole way once, against an embedded pod
  countersign issue --help          a bot's key, request, certificate and .p12 in one call
  countersign inspect FILE          what is in a file";

#[derive(Debug, Subcommand)]
enum Command {
    Quickstart(quickstart::Args),
    /// Make private keys
    #[command(subcommand, arg_required_else_help = true)]
    Key(Key),
    /// Make certificate requests
    #[command(subcommand, arg_required_else_help = true)]
    Csr(Csr),
    /// Make authorities and sign with them
    #[command(subcommand, arg_required_else_help = true)]
    Ca(Ca),
    /// Make PKCS#12 bundles, and look into them
    #[command(subcommand, arg_required_else_help = true)]
    P12(P12),
    Issue(issue::Args),
    Inspect(inspect::Args),
    /// Authenticate at a Pod and a Key Manager
    #[command(subcommand, arg_required_else_help = true)]
    Auth(Auth),
    /// Run a Pod and a Key Manager to test against
    #[command(subcommand, arg_required_else_help = true)]
    Pod(Pod),
    Completions(completions::Args),
}

#[derive(Debug, Subcommand)]
enum Key {
    Generate(key_generate::Args),
}

#[derive(Debug, Subcommand)]
enum Csr {
    Create(csr_create::Args),
}

#[derive(Debug, Subcommand)]
enum Ca {
    Create(ca_create::Args),
    Sign(ca_sign::Args),
}

#[derive(Debug, Subcommand)]
enum P12 {
    Export(p12_export::Args),
    Info(p12_info::Args),
}

#[derive(Debug, Subcommand)]
enum Auth {
    Login(auth_login::Args),
    Doctor(auth_doctor::Args),
}

#[derive(Debug, Subcommand)]
enum Pod {
    Serve(pod_serve::Args),
}

impl Cli {
    /// Does what the command line asks for.
    ///
    /// # Errors
    ///
    /// [`Error`] when the command can't do its job.
    pub(crate) fn run(self) -> Result<(), Error> {
        match self.command {
            Command::Quickstart(args) => quickstart::run(&args),
            Command::Key(Key::Generate(args)) => key_generate::run(&args),
            Command::Csr(Csr::Create(args)) => csr_create::run(&args),
            Command::Ca(Ca::Create(args)) => ca_create::run(&args),
            Command::Ca(Ca::Sign(args)) => ca_sign::run(&args),
            Command::P12(P12::Export(args)) => p12_export::run(&args),
            Command::P12(P12::Info(args)) => p12_info::run(&args),
            Command::Issue(args) => issue::run(&args),
            Command::Inspect(args) => inspect::run(&args),
            Command::Auth(Auth::Login(args)) => auth_login::run(&args),
            Command::Auth(Auth::Doctor(args)) => auth_doctor::run(&args),
            Command::Pod(Pod::Serve(args)) => pod_serve::run(&args),
            Command::Completions(args) => completions::run(&args),
        }
    }
}

/// What the commands that talk to a network run on. One thread will do: `auth` signs on others.
fn runtime() -> Result<Runtime, Error> {
    runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .about("starting the network runtime")
}

fn block_on<T>(future: impl Future<Output = T>) -> Result<T, Error> {
    Ok(runtime()?.block_on(future))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_grammar_is_consistent() {
        Cli::command().debug_assert();
    }
}
