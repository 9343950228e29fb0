//! The embedded pod, served by the program, and knowing everybody whom the cases present.
use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result};
use serde::Deserialize;

use super::shell::Shell;

/// A running `countersign pod serve`. It ends when this is dropped.
pub(super) struct Pod {
    child: Child,
    urls: Urls,
}

/// What it says when its ports are open.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Urls {
    web: String,
    api: String,
    key_manager: String,
    agent: String,
    root: String,
}

/// Signing certificates, and the one client certificate that nobody here signed.
const IMPORTED: &[&str] = &[
    "ours/signing.crt.pem",
    "ours/intricate-root.crt.pem",
    "theirs/ca.pem",
    "theirs/symphony.pem",
];

const USERS: &[&str] = &["demo-bot1", "ec-p384", "bot"];

impl Pod {
    pub(super) fn start(program: &Path, shell: &Shell) -> Result<Self> {
        let dir = shell.dir();
        let log = dir.join("pod.log");
        let mut command = Command::new(program);
        command.args(["pod", "serve", "--json", "--dir", "pod"]);
        command.args([
            "--web-port",
            "0",
            "--api-port",
            "0",
            "--key-manager-port",
            "0",
        ]);
        // The last one is made of a published vector, which may be left out.
        let there = IMPORTED.iter().filter(|file| dir.join(file).exists());
        command.args(there.flat_map(|file| ["--import", file]));
        command.args(USERS.iter().flat_map(|name| ["--user", name]));
        command
            .current_dir(dir)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(&log)?);

        let mut child = command.spawn().with_context(|| format!("{command:?}"))?;
        match read_urls(&mut child) {
            Ok(urls) => Ok(Self { child, urls }),
            Err(error) => {
                end(&mut child);
                let said = fs::read_to_string(&log).unwrap_or_default();
                Err(error.context(format!("{command:?}: {}", said.trim_end())))
            }
        }
    }

    /// Adds what the cases need to find the pod.
    pub(super) fn tell(&self, shell: Shell) -> Shell {
        let root = shell.dir().join(&self.urls.root);
        shell
            .with("POD_WEB", &self.urls.web)
            .with("POD", &self.urls.api)
            .with("KEY_MANAGER", &self.urls.key_manager)
            .with("AGENT", &self.urls.agent)
            .with("POD_ROOT", root)
    }
}

impl Drop for Pod {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

fn read_urls(child: &mut Child) -> Result<Urls> {
    let stdout = child.stdout.take().context("its output is not piped")?;
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line)?;
    serde_json::from_str(&line).with_context(|| format!("no report of its URLs: {line:?}"))
}

fn end(child: &mut Child) {
    // Both fail only if it has ended by itself.
    let _ = child.kill();
    let _ = child.wait();
}
