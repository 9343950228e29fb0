//! The commands: one file each, with its arguments, its help and what it does.

mod auth_doctor;
mod auth_login;
mod auth_logout;
mod ca_assemble;
mod ca_create;
mod ca_crl;
mod ca_sign;
mod cert_check;
mod cert_renew;
mod cert_self_sign;
mod completions;
mod csr_create;
mod inspect;
mod issue;
mod key_generate;
mod p12_export;
mod p12_info;
mod pod_serve;
mod quickstart;

use std::{cell::Cell, pin::pin, time::Duration};

use clap::{Parser, Subcommand};
use tokio::runtime::{self, Runtime};

use crate::{
    error::{Context, Error},
    help, passphrase,
    signals::{asked_to_end, end_by},
    ui,
};

/// Certificates for Symphony bots: from the key to the session token, without OpenSSL
#[derive(Debug, Parser)]
#[command(
    name = "countersign",
    version,
    subcommand_required = true,
    arg_required_else_help = true,
    max_term_width = 100,
    after_long_help = help::verbatim(AFTER_LONG_HELP)
)]
pub(crate) struct Cli {
    /// Leave out notes and progress; warnings and errors are printed
    #[arg(long, short, global = true, help_heading = "General options")]
    quiet: bool,

    /// Never ask on the terminal: a passphrase that no flag gives is an error
    #[arg(long, global = true, help_heading = "General options")]
    no_input: bool,

    #[command(subcommand)]
    command: Command,
}

const AFTER_LONG_HELP: &str = "\
Results go to standard output, everything else to standard error.

Exit status:
  0  done
  1  the answer is no: refused, not accepted, or a problem found
  2  the command line makes no sense
  3  it could not be done, or not be judged

Start here:
  countersign quickstart            the whole way once, against an embedded pod
  countersign issue --help          a bot's key, request, certificate and .p12
  countersign ca create --help      a CA of your own
  countersign inspect FILE          what is in a file
  countersign cert check FILE       whether it expires soon";

#[derive(Debug, Subcommand)]
enum Command {
    Quickstart(quickstart::Args),
    /// Make private keys
    #[command(subcommand, arg_required_else_help = true)]
    Key(Key),
    /// Make certificate requests
    #[command(subcommand, arg_required_else_help = true)]
    Csr(Csr),
    /// Make CAs, sign with them, and revoke what they signed
    #[command(subcommand, arg_required_else_help = true)]
    Ca(Ca),
    /// Make certificates that sign themselves, renew certificates, and tell which expire soon
    #[command(subcommand, arg_required_else_help = true)]
    Cert(Cert),
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
    Assemble(ca_assemble::Args),
    Crl(ca_crl::Args),
}

#[derive(Debug, Subcommand)]
enum Cert {
    SelfSign(cert_self_sign::Args),
    Renew(cert_renew::Args),
    Check(cert_check::Args),
}

#[derive(Debug, Subcommand)]
enum P12 {
    Export(p12_export::Args),
    Info(p12_info::Args),
}

#[derive(Debug, Subcommand)]
enum Auth {
    Login(auth_login::Args),
    Logout(auth_logout::Args),
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
        if self.quiet {
            ui::be_quiet();
        }
        if self.no_input {
            passphrase::never_ask();
        }
        match self.command {
            Command::Quickstart(args) => quickstart::run(&args),
            Command::Key(Key::Generate(args)) => key_generate::run(&args),
            Command::Csr(Csr::Create(args)) => csr_create::run(&args),
            Command::Ca(Ca::Create(args)) => ca_create::run(&args),
            Command::Ca(Ca::Sign(args)) => ca_sign::run(&args),
            Command::Ca(Ca::Assemble(args)) => ca_assemble::run(&args),
            Command::Ca(Ca::Crl(args)) => ca_crl::run(&args),
            Command::Cert(Cert::SelfSign(args)) => cert_self_sign::run(&args),
            Command::Cert(Cert::Renew(args)) => cert_renew::run(&args),
            Command::Cert(Cert::Check(args)) => cert_check::run(&args),
            Command::P12(P12::Export(args)) => p12_export::run(&args),
            Command::P12(P12::Info(args)) => p12_info::run(&args),
            Command::Issue(args) => issue::run(&args),
            Command::Inspect(args) => inspect::run(&args),
            Command::Auth(Auth::Login(args)) => auth_login::run(&args),
            Command::Auth(Auth::Logout(args)) => auth_logout::run(&args),
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

/// Waits for what leaves something open at a server when it is cut off: whoever asks the program to end (Ctrl-C, `kill`) has it
/// finish first, and ends it on the spot by asking again. It is told whether somebody asked.
///
/// # Errors
///
/// That of the future.
async fn to_the_end<T>(
    work: impl AsyncFnOnce(&dyn Fn() -> bool) -> Result<T, Error>,
) -> Result<T, Error> {
    let asked = Cell::new(None);
    let interrupted = || asked.get().is_some();
    let work = work(&interrupted);
    let mut work = pin!(work);
    let result = tokio::select! {
        result = &mut work => return result,
        end = asked_to_end() => {
            asked.set(Some(end));
            ui::note("ending what was begun; asked again, it ends at once");
            tokio::time::timeout(PATIENCE, work).await
        }
    };
    if let Some(end) = asked.get() {
        end_by(end);
    }
    // On some systems there is no way to end by a signal.
    result.unwrap_or_else(|_| Err(Error::failed("interrupted")))
}

/// How long one waits for that.
const PATIENCE: Duration = Duration::from_secs(10);

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

    /// The commands that do something.
    fn leaves(command: &clap::Command) -> Vec<clap::Command> {
        if !command.has_subcommands() {
            return vec![command.clone()];
        }
        command.get_subcommands().flat_map(leaves).collect()
    }

    #[test]
    fn every_example_is_understood() {
        for command in leaves(&Cli::command()) {
            let text = command.get_after_long_help().unwrap().to_string();
            let text = help::shown(&text).replace("\\\n", " ");
            let (_, examples) = text.split_once("Example").unwrap();
            let mut understood = 0;
            for line in examples.lines().skip(1).take_while(|line| !line.is_empty()) {
                // Of a pipe the part that runs this program.
                let ours = line.split('|').map(str::trim_start);
                let ours = ours.filter(|part| part.starts_with("countersign "));
                for part in ours {
                    let words = words(part.split(" > ").next().unwrap());
                    if let Err(error) = Cli::try_parse_from(words) {
                        panic!("{line}: {error}");
                    }
                    understood += 1;
                }
            }
            assert!(understood > 0, "{}: {text}", command.get_name());
        }
    }

    /// As a shell splits them; the examples have quotation marks of the single kind.
    fn words(line: &str) -> Vec<String> {
        line.split('\'')
            .enumerate()
            .flat_map(|(index, part)| match index % 2 {
                0 => part.split_whitespace().map(str::to_owned).collect(),
                _ => vec![part.to_owned()],
            })
            .collect()
    }

    #[test]
    fn mandatory_options_come_first() {
        for command in leaves(&Cli::command()) {
            let is_optional = |arg: &&clap::Arg| !arg.is_required_set() && !arg.is_positional();
            let (optional, mandatory) = (
                command.get_arguments().position(|arg| is_optional(&arg)),
                command
                    .get_arguments()
                    .collect::<Vec<_>>()
                    .iter()
                    .rposition(|arg| arg.is_required_set()),
            );
            if let (Some(optional), Some(mandatory)) = (optional, mandatory) {
                assert!(mandatory < optional, "{}", command.get_name());
            }
        }
    }

    #[test]
    fn options_with_one_name_mean_the_same_everywhere() {
        let command = Cli::command();
        for leaf in leaves(&command) {
            let long = |name| {
                leaf.get_arguments()
                    .find(|arg| arg.get_long() == Some(name))
            };
            let makes = ["out", "out-cert", "dir"]
                .iter()
                .any(|name| long(name).is_some());
            // What it writes is replaced at each start: a root of an earlier one is of no use.
            let serves = leaf.get_name() == "serve";
            assert_eq!(
                long("force").is_some(),
                makes && !serves,
                "{}",
                leaf.get_name()
            );
            let reports = leaf.get_name() != "completions";
            assert_eq!(long("json").is_some(), reports, "{}", leaf.get_name());
        }
    }
}
