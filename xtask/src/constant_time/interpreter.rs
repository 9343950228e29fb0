//! The assembly of the IFMA kernel on an interpreter, because a machine without AVX-512 can't run it.
use std::{
    fs,
    io::Write,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

use super::assembly::Function;

/// Fails if an interpreted function computes something wrong, leaves a register as it shouldn't, or jumps by a secret; or if such
/// a fault that is put there goes unnoticed. See `interpreter/check.py`.
pub(super) fn check(functions: &[Function<'_>]) -> Result<()> {
    let folder = tempfile::tempdir()?;
    for (name, text) in [
        ("check.py", include_str!("interpreter/check.py")),
        ("processor.py", include_str!("interpreter/processor.py")),
    ] {
        fs::write(folder.path().join(name), text)?;
    }
    println!(
        "interpreted, with right results, and the same jumps and addresses for different secrets:"
    );
    // Whatever the environment tells Python is of no concern here (-E).
    let mut python = Command::new("python3")
        .arg("-E")
        .arg(folder.path().join("check.py"))
        .stdin(Stdio::piped())
        .spawn()
        .context("running python3")?;
    let mut input = python.stdin.take().context("python3 has an input")?;
    let written = functions
        .iter()
        .try_for_each(|Function { name, body }| write!(input, "[{name}]\n{body}\n"));
    drop(input);
    // If Python didn't read it all, what it says about that matters more.
    let status = python.wait()?;
    if !status.success() {
        bail!("the assembly of the IFMA kernel isn't right, see above ({status})");
    }
    written.context("python3 reads the functions")
}
