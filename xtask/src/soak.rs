//! The long runs: minutes of fuzzing and of a bot's life, thousands of random hierarchies and keys, hundreds of random profiles and of interrupted
//! commands, the largest hostile inputs. CI takes samples of them.
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::workspace;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Only these runs
    #[arg(value_parser = clap::builder::PossibleValuesParser::new(RUNS.iter().map(|run| run.name)))]
    runs: Vec<String>,
}

/// A command, and what makes it long.
struct Run {
    name: &'static str,
    command: &'static [&'static str],
    environment: Option<(&'static str, &'static str)>,
}

const RUNS: &[Run] = &[
    Run {
        name: "client",
        command: &[
            "cargo",
            "test",
            "--release",
            "--package",
            "countersign-auth",
            "--test",
            "soak",
            "--",
            "--ignored",
            "--nocapture",
        ],
        environment: Some(("COUNTERSIGN_SOAK_SECONDS", "600")),
    },
    Run {
        name: "hierarchies",
        command: &[
            "cargo",
            "test",
            "--package",
            "countersign-fixtures",
            "--test",
            "hierarchies",
            "--",
            "--nocapture",
        ],
        environment: Some(("COUNTERSIGN_SOAK_HIERARCHIES", "5000")),
    },
    Run {
        name: "judged-hierarchies",
        command: &["cargo", "xtask", "interop", "--only", "random hierarchies"],
        environment: Some(("COUNTERSIGN_SOAK_HIERARCHIES", "3000")),
    },
    Run {
        name: "judged-profiles",
        command: &["cargo", "xtask", "interop", "--only", "random profiles"],
        environment: Some(("COUNTERSIGN_SOAK_PROFILES", "500")),
    },
    Run {
        name: "files",
        command: &[
            "cargo",
            "test",
            "--package",
            "countersign-cli",
            "--test",
            "cli",
            "--",
            "interrupted::",
            "--nocapture",
        ],
        environment: Some(("COUNTERSIGN_SOAK_RUNS", "600")),
    },
    Run {
        name: "signatures",
        command: &[
            "cargo",
            "test",
            "--package",
            "countersign-rsa-private",
            "--lib",
            "--",
            "random_keys",
            "--include-ignored",
        ],
        environment: Some(("COUNTERSIGN_SOAK_KEYS", "2000")),
    },
    Run {
        name: "fuzz",
        command: &["bash", "fuzz/run", "300"],
        environment: None,
    },
    Run {
        name: "linear",
        command: &["cargo", "xtask", "linear"],
        environment: None,
    },
];

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let chosen = |run: &&Run| {
        arguments.runs.is_empty() || arguments.runs.iter().any(|name| name == run.name)
    };
    let mut failed = Vec::new();
    for run in RUNS.iter().filter(chosen) {
        let (program, rest) = run
            .command
            .split_first()
            .context("a run without a command")?;
        let setting = run
            .environment
            .map_or_else(String::new, |(variable, value)| {
                format!("{variable}={value} ")
            });
        println!("\n=== {}: {setting}{}", run.name, run.command.join(" "));
        let status = Command::new(program)
            .args(rest)
            .envs(run.environment)
            .current_dir(workspace::root()?)
            .status()?;
        if !status.success() {
            failed.push(run.name);
        }
    }
    ensure!(failed.is_empty(), "failed: {}", failed.join(", "));
    Ok(())
}
