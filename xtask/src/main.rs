//! The workspace's own chores: `cargo xtask fixtures | tidy | package | linear | interop | constant-time | mutants | soak | login-bench | ci`.
#![forbid(unsafe_code)]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "these commands are run by people, and talk to them"
)]

mod workspace;
mod workers;
mod package;
mod soak;
mod mutants;
mod interop;
mod tidy;
mod linear;
mod constant_time;

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context, Result, bail};
use clap::{Parser, Subcommand};
use fixtures::Hierarchy;

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    about = "Fixtures and checks of the Countersign workspace"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make the keys, certificates and bundles that fixtures/hierarchy.toml declares
    Fixtures {
        /// Where to make them; a former set in the same place is replaced
        #[arg(long, default_value = "fixtures/out")]
        out: PathBuf,
    },
    /// Check the rules about layers, dependencies and sources
    Tidy,
    /// See that the packages are complete, pack them, and compile each from what was packed
    Package,
    /// Count the instructions that hostile inputs of growing size take, and refuse more than linear growth
    Linear(linear::Arguments),
    /// Let openssl, keytool, curl, GnuTLS, NSS and Python judge the built program, and judge what they make
    Interop(interop::Arguments),
    /// Change what decides about trust, and see that a test notices, for each change
    Mutants(mutants::Arguments),
    /// The long runs that CI takes samples of
    Soak(soak::Arguments),
    /// Let Valgrind look for branches on secrets in the code for private keys, and check the assembly it can't run
    ConstantTime(constant_time::Arguments),
    /// Race `countersign auth login` and the library against curl, and the Python BDK of COUNTERSIGN_BDK_PYTHON
    LoginBench,
    /// Everything that CI checks, without installing anything: .ci/run --installed
    Ci,
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Fixtures { out } => make_fixtures(out),
        Command::Tidy => tidy::run(),
        Command::Package => package::run(),
        Command::Linear(arguments) => linear::run(&arguments),
        Command::Interop(arguments) => interop::run(&arguments),
        Command::Mutants(arguments) => mutants::run(&arguments),
        Command::Soak(arguments) => soak::run(&arguments),
        Command::ConstantTime(arguments) => constant_time::run(&arguments),
        Command::LoginBench => login_bench(),
        Command::Ci => ci(),
    }
}

fn make_fixtures(out: PathBuf) -> Result<()> {
    let root = workspace::root()?;
    let declaration = root.join("fixtures/hierarchy.toml");
    let text = std::fs::read_to_string(&declaration)
        .with_context(|| format!("reading {}", declaration.display()))?;
    // A relative path means the same wherever in the workspace the command is run.
    let fixtures = Hierarchy::from_toml(&text)?.generate(root.join(out))?;
    for entry in fixtures.entries() {
        println!("{}", entry.name());
    }
    println!("in {}", fixtures.dir().display());
    Ok(())
}

fn login_bench() -> Result<()> {
    let program = ["build", "--release", "-p", "countersign-cli"];
    let race = [
        "run",
        "--release",
        "-p",
        "integration-tests",
        "--example",
        "login_bench",
    ];
    for arguments in [&program[..], &race[..]] {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let status = std::process::Command::new(cargo)
            .args(arguments)
            .current_dir(workspace::root()?)
            .status()
            .context("running cargo")?;
        if !status.success() {
            bail!("the benchmark failed");
        }
    }
    Ok(())
}

fn ci() -> Result<()> {
    let script = workspace::root()?.join(".ci/run");
    let status = std::process::Command::new("bash")
        .arg(&script)
        .arg("--installed")
        .status()?;
    if !status.success() {
        bail!("{} found something to mend", script.display());
    }
    Ok(())
}
