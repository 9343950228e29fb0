//! Mutation testing of the files that decide what is trusted, granted or kept secret, with cargo-mutants: small changes
//! are made to the code, one at a time, and a test has to fail for each. What survives and can't be told from the
//! original by any test is listed in `mutants.toml` with its reason; a listed one that is caught is a failure too.
use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use crate::workspace;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Only these areas of mutants.toml
    areas: Vec<String>,

    /// Only mutants of this part, K/N, to divide the work between machines or runs
    #[arg(long, value_name = "K/N")]
    shard: Option<String>,

    /// Judge what a former run found, without another one
    #[arg(long)]
    judge: bool,
}

/// What `mutants.toml` says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Plan {
    area: BTreeMap<String, Area>,
    #[serde(default)]
    equivalent: Vec<Equivalent>,
}

/// Files of one package, and the tests that have to notice a change to them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Area {
    package: String,
    /// Below the root of the workspace; `*` and `**` as in a shell.
    files: Vec<String>,
    /// Arguments of `cargo test`: which test targets, and after `--` which tests.
    tests: Vec<String>,
}

/// A mutant that no test can tell from the original.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Equivalent {
    file: PathBuf,
    /// As cargo-mutants names it, without its line and column, which move.
    mutant: String,
    /// How many places in the file have this name.
    #[serde(default = "one")]
    places: usize,
    #[serde(rename = "reason")]
    _reason: String,
}

fn one() -> usize {
    1
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let root = workspace::root()?;
    let plan = fs::read_to_string(root.join("xtask/mutants.toml"))?;
    let plan: Plan = toml::from_str(&plan).context("xtask/mutants.toml")?;
    for area in &arguments.areas {
        ensure!(
            plan.area.contains_key(area),
            "no area {area} in mutants.toml"
        );
    }
    let mut complaints = Vec::new();
    println!(
        "{:<24} {:>8} {:>8} {:>9} {:>10} {:>11}",
        "area", "mutants", "caught", "unviable", "equivalent", "complaints"
    );
    for (name, area) in &plan.area {
        if !arguments.areas.is_empty() && !arguments.areas.contains(name) {
            continue;
        }
        let folder = root.join("target/mutants").join(name);
        if !arguments.judge {
            mutate(area, &folder, arguments.shard.as_deref())?;
        }
        let outcomes = Outcomes::read(&folder.join("mutants.out"))?;
        let whole = arguments.shard.is_none();
        let found = outcomes.judge(&plan.equivalent, whole);
        println!(
            "{name:<24} {:>8} {:>8} {:>9} {:>10} {:>11}",
            outcomes.total(),
            outcomes.caught.len(),
            outcomes.unviable,
            outcomes
                .missed
                .len()
                .saturating_sub(found.iter().filter(|complaint| complaint.survived).count()),
            found.len(),
        );
        complaints.extend(found);
    }
    for complaint in &complaints {
        println!("{}", complaint.text);
    }
    ensure!(
        complaints.is_empty(),
        "{} mutants are not what the tests or mutants.toml say",
        complaints.len()
    );
    Ok(())
}

fn mutate(area: &Area, folder: &Path, shard: Option<&str>) -> Result<()> {
    fs::create_dir_all(folder)?;
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .current_dir(workspace::root()?)
        .args([
            "mutants",
            "--package",
            &area.package,
            "--no-shuffle",
            "--colors",
            "never",
            "--jobs",
            "2",
        ])
        // A mutant that loops is stopped; the least that is waited for covers a busy machine.
        .args([
            "--timeout-multiplier",
            "4",
            "--minimum-test-timeout",
            "60",
            "--profile",
            "mutants",
        ])
        .args(["--baseline", "run", "--cap-lints", "true", "--output"])
        .arg(folder);
    for file in &area.files {
        command.args(["--file", file]);
    }
    if let Some(shard) = shard {
        command.args(["--shard", shard]);
    }
    command.arg("--").args(&area.tests);
    let status = command
        .status()
        .context("running cargo mutants (cargo install --locked cargo-mutants)")?;
    // 2: some mutants survived, 3: some took too long. Which ones may is judged from the lists.
    match status.code() {
        Some(0 | 2 | 3) => Ok(()),
        _ => bail!("{command:?} ended with {status}"),
    }
}

/// Mutants by name, from the lists that a run leaves.
struct Outcomes {
    caught: Vec<Mutant>,
    missed: Vec<Mutant>,
    unviable: usize,
}

/// A mutant without its line and column.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mutant {
    file: PathBuf,
    name: String,
    /// As it was listed, for messages.
    listed: String,
}

struct Complaint {
    text: String,
    survived: bool,
}

impl Outcomes {
    fn read(folder: &Path) -> Result<Self> {
        let list = |name: &str| -> Result<Vec<Mutant>> {
            let path = folder.join(name);
            let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            text.lines().map(Mutant::parse).collect()
        };
        let mut caught = list("caught.txt")?;
        // What runs without end is noticed.
        caught.extend(list("timeout.txt")?);
        Ok(Self {
            caught,
            missed: list("missed.txt")?,
            unviable: list("unviable.txt")?.len(),
        })
    }

    fn total(&self) -> usize {
        self.caught
            .len()
            .saturating_add(self.missed.len())
            .saturating_add(self.unviable)
    }

    /// What survived without being listed, and, after a `whole` run, what is listed and did not survive.
    fn judge(&self, equivalent: &[Equivalent], whole: bool) -> Vec<Complaint> {
        let is = |entry: &Equivalent, mutant: &Mutant| {
            entry.file == mutant.file && entry.mutant == mutant.name
        };
        let mut complaints = Vec::new();
        for mutant in &self.missed {
            if !equivalent.iter().any(|entry| is(entry, mutant)) {
                complaints.push(Complaint {
                    text: format!("survived: {}", mutant.listed),
                    survived: true,
                });
            }
        }
        for entry in equivalent {
            let survived = self
                .missed
                .iter()
                .filter(|mutant| is(entry, mutant))
                .count();
            let examined = survived.saturating_add(
                self.caught
                    .iter()
                    .filter(|mutant| is(entry, mutant))
                    .count(),
            );
            let file_examined = self
                .missed
                .iter()
                .chain(&self.caught)
                .any(|mutant| mutant.file == entry.file);
            if file_examined && survived != entry.places && (whole || survived > entry.places) {
                complaints.push(Complaint {
                    text: format!(
                        "listed as equivalent in {} places, and {survived} of {examined} survived: {}: {}",
                        entry.places,
                        entry.file.display(),
                        entry.mutant
                    ),
                    survived: false,
                });
            }
        }
        complaints
    }
}

impl Mutant {
    /// `path:line:column: name`
    fn parse(listed: &str) -> Result<Self> {
        let parts: Vec<&str> = listed.splitn(4, ':').collect();
        let [file, _line, _column, name] = parts[..] else {
            bail!("a mutant is listed in another way than before: {listed}");
        };
        Ok(Self {
            file: OsString::from(file).into(),
            name: name.trim().to_owned(),
            listed: listed.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcomes(caught: &[&str], missed: &[&str]) -> Outcomes {
        let list = |names: &[&str]| {
            names
                .iter()
                .map(|name| Mutant::parse(name).unwrap())
                .collect()
        };
        Outcomes {
            caught: list(caught),
            missed: list(missed),
            unviable: 0,
        }
    }

    fn listed(mutant: &str, places: usize) -> Equivalent {
        Equivalent {
            file: "a.rs".into(),
            mutant: mutant.to_owned(),
            places,
            _reason: String::new(),
        }
    }

    #[test]
    fn a_survivor_has_to_be_listed_and_what_is_listed_has_to_survive() {
        let one = outcomes(
            &["a.rs:1:1: replace f"],
            &["a.rs:2:5: replace < with <= in g"],
        );
        assert_eq!(one.judge(&[], true).len(), 1);
        assert!(
            one.judge(&[listed("replace < with <= in g", 1)], true)
                .is_empty()
        );
        assert_eq!(
            one.judge(&[listed("replace < with <= in g", 2)], true)
                .len(),
            1
        );
        assert_eq!(
            one.judge(
                &[listed("replace < with <= in g", 1), listed("replace f", 1)],
                true
            )
            .len(),
            1
        );
        // A part of the mutants says nothing about those that it leaves out.
        assert!(
            one.judge(&[listed("replace < with <= in g", 2)], false)
                .is_empty()
        );
    }
}
