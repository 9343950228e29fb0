//! Scripts: the shortest and most familiar way to write down what one types to use these programs.
use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

/// Functions and options that every script starts with.
const PRELUDE: &str = r#"
set -euo pipefail
judge() { "$PYTHON" "$JUDGES/judge.py" "$@"; }
pkix() { java "$JUDGES/Pkix.java" "$@"; }
fails() { if "$@"; then echo "should have failed: $*" >&2; return 1; fi; }
refuses() { local status=0; "$@" || status=$?; [ $status -ge 1 ] && [ $status -le 3 ] || { echo "exit status $status instead of 1 to 3: $*" >&2; return 1; }; }
has() { local text; text=$(cat); grep -qi -- "$1" <<<"$text" || { printf 'no "%s" in:\n%s\n' "$1" "$text" >&2; return 1; }; }
same() { if [ -z "$1" ] || [ "$1" != "$2" ]; then printf 'these differ:\n%s\n%s\n' "$1" "$2" >&2; return 1; fi; }
"#;

/// Seconds until a script that hangs is ended.
const LIMIT: &str = "120";

/// Runs scripts in one directory with one environment.
#[derive(Clone)]
pub(super) struct Shell {
    dir: PathBuf,
    environment: Vec<(OsString, OsString)>,
}

impl Shell {
    /// A shell that finds `program` first. Everything is written under `dir`.
    pub(super) fn new(dir: &Path, program: &Path) -> Result<Self> {
        let folder = program.parent().context("the program is in no folder")?;
        let mut path = folder.as_os_str().to_owned();
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        Ok(Self {
            dir: dir.to_owned(),
            environment: vec![
                ("PATH".into(), path),
                // The judges' own settings files are nobody's business here.
                ("HOME".into(), dir.into()),
                ("LC_ALL".into(), "C.UTF-8".into()),
            ],
        })
    }

    /// The same with one more variable.
    pub(super) fn with(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// The same in a new directory below this one's.
    pub(super) fn in_folder(&self, name: &str) -> Result<Self> {
        let dir = self.dir.join(name);
        fs::create_dir_all(&dir).with_context(|| dir.display().to_string())?;
        Ok(Self {
            dir,
            ..self.clone()
        })
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// What a script that succeeded prints. One that fails gives everything that it said.
    pub(super) fn run(&self, script: &str) -> Result<String> {
        let output = self.command(script).output().context("bash")?;
        let stdout = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            let stderr = String::from_utf8_lossy(&output.stderr);
            bail!("{}\n{}{}", output.status, stderr, stdout);
        }
        Ok(stdout.into_owned())
    }

    fn command(&self, script: &str) -> Command {
        let mut command = Command::new("timeout");
        command
            .args([LIMIT, "bash", "-c"])
            .arg(format!("{PRELUDE}{script}"))
            .current_dir(&self.dir)
            .stdin(Stdio::null())
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }
}
