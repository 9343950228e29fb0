//! The test program of `rsa-private` under Valgrind, built as a release: the compiler is the suspect.
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::workspace;

/// What has to have run. The tests in `constant_time.rs` print it, after they have checked which kernel did the work.
const EXPECTED: &[&str] = &[
    "constant time: ifma, 2048 bits",
    "constant time: ifma, 3072 bits",
    "constant time: mulx, 2048 bits",
    "constant time: mulx, 3072 bits",
    "constant time: mulx, 4096 bits",
    "constant time: portable, 2048 bits",
    "constant time: portable, 3072 bits",
    "constant time: portable, 4096 bits",
    "constant time: seed",
];

/// The exit status when Valgrind has reported something, and when it hasn't.
const REPORTED: i32 = 99;
const SILENT: i32 = 0;

/// Fails if Valgrind reports anything about the code for private keys, or nothing about code that leaks.
pub(super) fn check(root: &Path) -> Result<()> {
    let program = build(root)?;
    // Assertions of debug builds are off in it: what `unsafe` relies on must not be one of them.
    let tests = Command::new(&program).output()?;
    if !tests.status.success() {
        bail!(
            "the tests fail without debug assertions:\n{}",
            String::from_utf8_lossy(&tests.stdout)
        );
    }

    let leak = Run::new(&program, "a_leak_is_reported")?;
    if leak.status != Some(REPORTED)
        || leak.said("a leak was reported: ") != ["a branch, 5", "an address, 3"]
    {
        bail!("a leak that was put there goes unnoticed, so this check is void:\n{leak}");
    }

    let run = Run::new(&program, "no_branch_and_no_address_depends_on_a_secret")?;
    if run.status != Some(SILENT) || !run.log.contains("ERROR SUMMARY: 0 errors from 0 contexts") {
        bail!("a branch or an address depends on a secret:\n{run}");
    }
    let ran: Vec<_> = run
        .stdout
        .lines()
        .filter_map(|line| Some(&line[line.find("constant time: ")?..]))
        .collect();
    if ran != EXPECTED {
        bail!("this ran: {ran:?}; expected {EXPECTED:?}");
    }
    println!("Valgrind reports a branch and an address that leak, and nothing else in:");
    for what in ran {
        println!("    {what}");
    }
    println!("declassified, each with its reason:");
    for reason in run.said("declassified: ").iter().collect::<BTreeSet<_>>() {
        println!("    {reason}");
    }
    Ok(())
}

/// The test program, optimised like the program that users get; line numbers are added for the reports.
fn build(root: &Path) -> Result<PathBuf> {
    let target = root.join("target/constant-time");
    let target = target.to_str().context("a path in UTF-8")?;
    workspace::executable([
        "test",
        "--release",
        "--locked",
        "--package",
        "countersign-rsa-private",
        "--lib",
        "--no-run",
        "--target-dir",
        target,
        // Not in the tests of every day, which would build the workspace twice.
        "--config",
        "build.rustflags=['--cfg', 'constant_time']",
        "--config",
        "profile.release.debug='line-tables-only'",
        "--config",
        "profile.release.strip='none'",
    ])
}

struct Run {
    status: Option<i32>,
    stdout: String,
    log: String,
}

impl Run {
    /// Runs one test under Valgrind.
    fn new(program: &Path, test: &str) -> Result<Self> {
        let log = tempfile::NamedTempFile::new()?;
        let output = Command::new("valgrind")
            .arg(format!("--error-exitcode={REPORTED}"))
            .arg(format!("--log-file={}", log.path().display()))
            .args(["--tool=memcheck", "--leak-check=no", "--error-limit=no"])
            .arg(program)
            .args(["--ignored", "--exact", "--nocapture", "--test-threads=1"])
            .arg(format!(
                "constant_time::{test}_in_an_environment_of_its_own"
            ))
            .env("RUST_BACKTRACE", "0")
            .output()
            .context("running valgrind")?;
        Ok(Self {
            status: output.status.code(),
            stdout: String::from_utf8(output.stdout)?,
            log: fs::read_to_string(log.path())?,
        })
    }

    /// What follows a text on the lines that have it.
    fn said(&self, text: &str) -> Vec<&str> {
        self.stdout
            .lines()
            .filter_map(|line| Some(line.split_once(text)?.1))
            .collect()
    }
}

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The first reports say it all; one leak in a loop makes thousands.
        let log: Vec<_> = self.log.lines().take(100).collect();
        let summary = self.log.lines().rfind(|line| line.contains("SUMMARY"));
        let summary = summary.unwrap_or("Valgrind gave no summary");
        write!(
            f,
            "{}\n{}\n{summary}\nexit status {:?}",
            self.stdout.trim(),
            log.join("\n"),
            self.status
        )
    }
}
