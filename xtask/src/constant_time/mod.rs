//! Constant time is checked: Valgrind follows secrets through the code for private keys, and what it can't run is compared with a list
//! and interpreted.
mod assembly;
mod interpreter;
mod secrets;

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::workspace;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Rewrite the lists of jumps and addresses in assembly from the release build, for review
    #[arg(long)]
    bless: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    if cfg!(not(all(target_arch = "x86_64", target_os = "linux"))) {
        bail!("this check needs Linux on x86_64, where Valgrind and the kernels in assembly are");
    }
    let root = workspace::root()?;
    let objdump = version("objdump", "binutils")?;
    if arguments.bless {
        let disassembly = assembly::disassembly(&root)?;
        for of in [&assembly::IFMA, &assembly::SHA256] {
            assembly::bless(&root, of, &assembly::functions(of, &disassembly)?)?;
        }
        return Ok(());
    }
    let python = version("python3", "python3")?;
    println!("{}\n{objdump}\n{python}", version("valgrind", "valgrind")?);
    secrets::check(&root)?;
    let disassembly = assembly::disassembly(&root)?;
    let sha256 = assembly::functions(&assembly::SHA256, &disassembly)?;
    assembly::check(&root, &assembly::SHA256, &sha256)?;
    let ifma = assembly::functions(&assembly::IFMA, &disassembly)?;
    assembly::check(&root, &assembly::IFMA, &ifma)?;
    interpreter::check(&ifma)
}

/// The first line that a tool says about itself.
fn version(tool: &str, package: &str) -> Result<String> {
    let output = Command::new(tool)
        .arg("--version")
        .output()
        .with_context(|| format!("{tool} is missing: apt-get install {package}"))?;
    let text = String::from_utf8(output.stdout)?;
    text.lines()
        .next()
        .map(str::to_owned)
        .with_context(|| format!("{tool} doesn't tell its version"))
}

/// What a tool prints.
fn output(command: &mut Command) -> Result<String> {
    let output = command
        .output()
        .with_context(|| format!("running {command:?}"))?;
    if !output.status.success() {
        bail!(
            "{command:?}: {}",
            String::from_utf8_lossy(&output.stderr).trim_end()
        );
    }
    Ok(String::from_utf8(output.stdout)?)
}
