//! That time is linear in the input: the instructions that each public reader takes for hostile inputs, counted by
//! Valgrind, grow with the size and not with its square.
//!
//! The inputs are those of `tests/src/bin/linear`, and the list of readers comes from the sources: one without an input is
//! a failure, too.

mod readers;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
};

use anyhow::{Context, Result, bail};

use crate::{
    workers,
    workspace::{self, Metadata},
};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Only the readers and inputs whose names hold this
    only: Option<String>,

    /// No inputs larger than this, in octets [default: up to what each reader takes]
    #[arg(long, value_name = "OCTETS")]
    largest: Option<usize>,
}

/// Counts for every reader and input, and tells what grows too fast.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let program = build()?;
    let mut cases = cases(&program)?;
    check_list(&cases)?;
    if let Some(only) = &arguments.only {
        cases.retain(|case| case.name.contains(only));
    }
    for case in &mut cases {
        case.largest = arguments.largest.unwrap_or(case.largest).min(case.largest);
    }

    let failures = AtomicUsize::new(0);
    workers::for_each(&cases, |_, case| match case.judge(&program) {
        Ok(growth) => println!("{growth:.2}  {}", case.name),
        Err(error) => {
            eprintln!("{}: {error:#}", case.name);
            failures.fetch_add(1, Ordering::Relaxed);
        }
    });
    let failures = failures.into_inner();
    match failures {
        0 => {
            println!("the work of {} inputs is linear in their size", cases.len());
            Ok(())
        }
        n => bail!("{n} of {} inputs take more than linear work", cases.len()),
    }
}

/// Twice the input may take this much of the work: twice, and a little for sorting and for growing tables.
const GROWTH: f64 = 2.2;

/// A reader with inputs of several sizes, each twice the one before.
struct Case {
    name: String,
    reader: String,
    /// The largest size in octets.
    largest: usize,
}

impl Case {
    /// The largest growth from one size to the next.
    fn judge(&self, program: &Path) -> Result<f64> {
        let counts = self.counts(program)?;
        let growths = counts.iter().zip(counts.iter().skip(1));
        let largest = growths
            .map(|(smaller, larger)| *larger as f64 / *smaller as f64)
            .fold(0.0, f64::max);
        if largest > GROWTH {
            bail!("{largest:.2} times the work for twice the size: {counts:?} instructions");
        }
        Ok(largest)
    }

    /// The instructions within each of the functions `measured_0`, `measured_1` ... of the program.
    fn counts(&self, program: &Path) -> Result<Vec<u64>> {
        let profile = tempfile::NamedTempFile::new()?;
        let output = Command::new("valgrind")
            .arg("--tool=callgrind")
            .arg(format!("--callgrind-out-file={}", profile.path().display()))
            .args([
                "--collect-atstart=no",
                "--toggle-collect=linear::measured_*",
            ])
            .args(["--compress-strings=no", "--compress-pos=no"])
            .arg(program)
            .args([&self.name, &self.largest.to_string()])
            .output()
            .context("valgrind, which counts, is not there (apt-get install valgrind)")?;
        if !output.status.success() {
            bail!("{}", String::from_utf8_lossy(&output.stderr).trim_end());
        }
        let profile = fs::read_to_string(profile.path())?;
        let sizes = std::iter::successors(Some(SMALLEST), |size| size.checked_mul(2));
        (0..sizes.take_while(|size| *size <= self.largest).count())
            .map(|size| inclusive(&profile, &format!("linear::measured_{size}")))
            .collect()
    }
}

/// What a call of this function cost, with all that it called: the last number of the line after `calls=`.
fn inclusive(profile: &str, function: &str) -> Result<u64> {
    let mut lines = profile.lines();
    let is_call = |line: &str| {
        let called = line.strip_prefix("cfn=").unwrap_or_default();
        let hash = called.strip_prefix(function);
        hash.is_some_and(|hash| hash.is_empty() || hash.starts_with("::"))
    };
    lines
        .find(|line| is_call(line))
        .and_then(|_| lines.nth(1)?.rsplit(' ').next()?.parse().ok())
        // No reader looks at less than that.
        .filter(|count| *count >= FEWEST)
        .with_context(|| format!("the profile doesn't count the instructions of {function}"))
}

const FEWEST: u64 = 1_000;
const SMALLEST: usize = 64 << 10;

/// The program with the inputs, built as `countersign` is released: unoptimised code takes Valgrind ten times as long. Both are
/// built at once, since cargo would build what they share again for the one of them that needs fewer of its features.
fn build() -> Result<PathBuf> {
    let arguments = ["build", "--release", "--locked", "--bins"];
    let packages = ["-p", "countersign-cli", "-p", "integration-tests"];
    workspace::cargo(arguments.into_iter().chain(packages))?;
    Ok(workspace::target()?.join("release/linear"))
}

fn cases(program: &Path) -> Result<Vec<Case>> {
    let output = Command::new(program).output()?;
    let text = String::from_utf8(output.stdout)?;
    text.lines()
        .map(|line| {
            let mut fields = line.split('\t').map(str::to_owned);
            let mut field = || fields.next().with_context(|| line.to_owned());
            let (name, reader) = (field()?, field()?);
            Ok(Case {
                name,
                reader,
                largest: field()?.parse()?,
            })
        })
        .collect()
}

/// The readers of the list are those of the sources.
fn check_list(cases: &[Case]) -> Result<()> {
    let listed: BTreeSet<&str> = cases.iter().map(|case| case.reader.as_str()).collect();
    let found = readers::all(&Metadata::read()?)?;
    let found: BTreeSet<&str> = found.iter().map(String::as_str).collect();
    let missing: Vec<_> = found.difference(&listed).collect();
    let unknown: Vec<_> = listed.difference(&found).collect();
    if missing.is_empty() && unknown.is_empty() {
        return Ok(());
    }
    bail!(
        "tests/src/bin/linear has no input for {missing:?}, and inputs for {unknown:?}, which no source has"
    )
}
