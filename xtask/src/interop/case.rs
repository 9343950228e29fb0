//! What is to be found out, and what came out.
use std::sync::mpsc;

use anyhow::Result;

use super::{shell::Shell, tool::Tool};
use crate::workers;

/// One thing to find out: what succeeds if it is so.
pub(super) struct Case {
    tool: Tool,
    direction: Direction,
    artefact: String,
    check: Check,
}

enum Check {
    Script(String),
    /// For judges that are libraries, and for what our own library reads.
    Function(Function),
}

type Function = Box<dyn Fn(&Shell) -> Result<()> + Send + Sync>;

/// Who judges whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    /// The tool reads what we made.
    ReadsOurs,
    /// We read what the tool made.
    ReadByUs,
    /// Both make the same, or both refuse.
    Agrees,
}

pub(super) fn reads_ours(
    tool: Tool,
    artefact: impl Into<String>,
    script: impl Into<String>,
) -> Case {
    Case::new(tool, Direction::ReadsOurs, artefact.into(), script.into())
}

pub(super) fn read_by_us(
    tool: Tool,
    artefact: impl Into<String>,
    script: impl Into<String>,
) -> Case {
    Case::new(tool, Direction::ReadByUs, artefact.into(), script.into())
}

pub(super) fn agrees(tool: Tool, artefact: impl Into<String>, script: impl Into<String>) -> Case {
    Case::new(tool, Direction::Agrees, artefact.into(), script.into())
}

impl Case {
    fn new(tool: Tool, direction: Direction, artefact: String, script: String) -> Self {
        Self {
            tool,
            direction,
            artefact,
            check: Check::Script(script),
        }
    }

    /// The same, found out by a function in the place of the script.
    pub(super) fn by(
        self,
        function: impl Fn(&Shell) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        Self {
            check: Check::Function(Box::new(function)),
            ..self
        }
    }

    /// Whether it needs the published vectors.
    pub(super) fn reads_vectors(&self) -> bool {
        self.script().contains("$VECTORS/")
    }

    fn script(&self) -> &str {
        match &self.check {
            Check::Script(script) => script,
            Check::Function(_) => "",
        }
    }

    /// Runs it in a directory of its own.
    fn run(&self, shell: &Shell, number: usize) -> Result<()> {
        let shell = shell.in_folder(&format!("case-{number}"))?;
        match &self.check {
            Check::Script(script) => shell.run(script).map(drop),
            Check::Function(function) => function(&shell),
        }
    }

    /// The tool and its version, who judges whom, and what.
    pub(super) fn row(&self, versions: &[(Tool, String)]) -> String {
        let version = versions
            .iter()
            .find(|(tool, _)| *tool == self.tool)
            .map_or("", |(_, version)| version);
        let tool = format!("{} {version}", self.tool.name());
        let direction = self.direction.words();
        format!("{tool:<26}  {direction:<10}  {}", self.artefact)
    }
}

impl Direction {
    fn words(self) -> &'static str {
        match self {
            Self::ReadsOurs => "reads ours",
            Self::ReadByUs => "read by us",
            Self::Agrees => "agrees",
        }
    }
}

/// Runs the cases and prints a table as it grows. Returns what failed, in full.
pub(super) fn run_all(cases: &[Case], shell: &Shell, versions: &[(Tool, String)]) -> Vec<String> {
    let (sender, failures) = mpsc::channel();
    workers::for_each(cases, |number, case| {
        let result = case.run(shell, number);
        let row = case.row(versions);
        println!("{:<6}  {row}", if result.is_ok() { "ok" } else { "FAILED" });
        if let Err(error) = result {
            let script: Vec<_> = case.script().trim().lines().map(str::trim).collect();
            let script = script.join("\n  | ");
            // Nobody has stopped listening.
            let _ = sender.send(format!("--- {row}\n  | {script}\n{error:#}"));
        }
    });
    drop(sender);
    failures.iter().collect()
}
