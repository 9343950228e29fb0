//! The built program against programs that nobody here wrote, both ways: your own reader never judges your own writer.
//!
//! Every case is a shell script that succeeds if things are as they should be. `ours.sh` and
//! `theirs.sh` make what the cases share; each case runs in a directory of its own.
mod environment;
mod shell;
mod tool;
mod case;
mod pod;
mod keys;
mod names;
mod requests;
mod certificates;
mod crls;
mod signers;
mod workflow;
mod bundles;
mod formats;
mod hierarchies;
mod verdicts;
mod random_profiles;

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use self::{case::run_all, pod::Pod, shell::Shell};
pub(crate) use self::{formats::table as formats, verdicts::table as verdicts};
use crate::workspace;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The countersign program to drive [default: the release build, made now]
    #[arg(long)]
    program: Option<PathBuf>,

    /// Only the cases whose table row contains this text
    #[arg(long)]
    only: Option<String>,

    /// Leave the files where they can be looked at
    #[arg(long)]
    keep: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let program = match &arguments.program {
        Some(program) => program
            .canonicalize()
            .with_context(|| program.display().to_string())?,
        None => workspace::release()?,
    };
    let mut dir = tempfile::Builder::new()
        .prefix("countersign-interop-")
        .tempdir()?;
    if arguments.keep {
        dir.disable_cleanup(true);
        println!("files: {}", dir.path().display());
    }
    let vectors = vectors()?;
    let mut shell = set_up(dir.path(), &program)?;
    if let Some(vectors) = &vectors {
        shell = shell.with("VECTORS", vectors);
    }
    let tools = tool::find(&shell)?;
    println!("program: {}", program.display());

    shell
        .in_folder("ours")?
        .run(include_str!("ours.sh"))
        .context("making our files")?;
    shell
        .in_folder("theirs")?
        .run(include_str!("theirs.sh"))
        .context("making openssl's files")?;
    let pod = Pod::start(&program, &shell)?;
    let shell = pod.tell(shell);

    let mut cases = keys::cases();
    cases.extend(names::cases());
    cases.extend(requests::cases());
    cases.extend(certificates::cases());
    cases.extend(crls::cases());
    cases.extend(signers::cases());
    cases.extend(bundles::cases());
    cases.extend(formats::cases());
    cases.extend(workflow::cases());
    cases.extend(hierarchies::cases()?);
    cases.extend(verdicts::cases(dir.path())?);
    cases.extend(random_profiles::cases(dir.path())?);
    if let Some(only) = &arguments.only {
        cases.retain(|case| case.row(&tools).contains(only));
    }
    let chosen = cases.len();
    if vectors.is_none() {
        cases.retain(|case| !case.reads_vectors());
    }

    let failures = run_all(&cases, &shell, &tools);
    for failure in &failures {
        println!("\n{failure}");
    }
    println!(
        "\n{} passed, {} failed",
        cases.len() - failures.len(),
        failures.len()
    );
    if chosen > cases.len() {
        println!(
            "LEFT OUT: {} cases, which read published vectors (docs/vectors.md says where they come from)",
            chosen - cases.len()
        );
    }
    match failures.len() {
        0 if cases.is_empty() => bail!("no case was run"),
        0 => Ok(()),
        _ => bail!("not everything fits together"),
    }
}

fn set_up(dir: &Path, program: &Path) -> Result<Shell> {
    let judges = dir.join("judges");
    fs::create_dir(&judges)?;
    fs::write(judges.join("judge.py"), include_str!("judges/judge.py"))?;
    fs::write(
        judges.join("verdicts.py"),
        include_str!("judges/verdicts.py"),
    )?;
    fs::write(judges.join("chains.py"), include_str!("judges/chains.py"))?;
    fs::write(
        judges.join("profiles.py"),
        include_str!("judges/profiles.py"),
    )?;
    fs::write(judges.join("Pkix.java"), include_str!("judges/Pkix.java"))?;
    Ok(Shell::new(dir, program)?
        .with("JUDGES", judges)
        .with("PYTHON", python()?)
        .with("LOCK", workspace::root()?.join("Cargo.lock"))
        .with("OURS", dir.join("ours"))
        .with("THEIRS", dir.join("theirs"))
        .with("PASS", "correct-horse"))
}

/// A Python that may have the cryptography package: from the environment that .ci/run makes, or the system's.
fn python() -> Result<PathBuf> {
    let judges = match env::var_os("COUNTERSIGN_JUDGES") {
        Some(judges) => PathBuf::from(judges),
        None => workspace::root()?.join("target/judges"),
    };
    let python = judges.join("bin/python");
    Ok(if python.is_file() {
        python
    } else {
        "python3".into()
    })
}

/// The published test vectors, which are no part of the repository: nothing where nobody has put any.
fn vectors() -> Result<Option<PathBuf>> {
    let (vectors, asked_for) = match env::var_os("COUNTERSIGN_VECTORS") {
        Some(vectors) => (PathBuf::from(vectors), true),
        None => (workspace::root()?.join("../shared/vectors"), false),
    };
    if !asked_for && !vectors.exists() {
        return Ok(None);
    }
    let found = vectors
        .canonicalize()
        .with_context(|| format!("COUNTERSIGN_VECTORS: {}", vectors.display()))?;
    Ok(Some(found))
}
