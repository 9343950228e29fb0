//! `countersign pod serve` as a process, for tests that log in there.

#[cfg(target_os = "linux")]
use std::process::{ChildStderr, ExitStatus};
use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use crate::sandbox::Sandbox;

/// The pod, until the end of the test.
pub(crate) struct PodProcess {
    child: Child,
    pub(crate) urls: Value,
}

impl PodProcess {
    pub(crate) fn start(sandbox: &Sandbox, arguments: &str) -> Self {
        Self::spawn(&mut sandbox.command(&serve(arguments)))
    }

    /// From a command that serves.
    pub(crate) fn spawn(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut ready = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut ready)
            .unwrap();
        let urls = serde_json::from_str(&ready).unwrap();
        Self { child, urls }
    }

    /// The words that log in here.
    pub(crate) fn login(&self) -> String {
        format!(
            "auth login --p12 bots/demo-bot1.p12 --passin env:PW --pod {} --key-manager {}",
            self.urls["api"].as_str().unwrap(),
            self.urls["keyManager"].as_str().unwrap()
        )
    }
}

#[cfg(target_os = "linux")]
impl PodProcess {
    /// With `--log`, and what it writes.
    pub(crate) fn start_logging(sandbox: &Sandbox, arguments: &str) -> (Self, Lines) {
        Self::start_logging_with(sandbox, arguments, "--default-signal")
    }

    /// Likewise, with an option of `env` that says what becomes of signals: whoever runs the tests in the background of a
    /// script has SIGINT ignored.
    pub(crate) fn start_logging_with(
        sandbox: &Sandbox,
        arguments: &str,
        signals: &str,
    ) -> (Self, Lines) {
        let serve = sandbox.command(&serve(&format!("--log {arguments}")));
        let mut pod = Self::spawn(
            Command::new("env")
                .arg(signals)
                .arg(serve.get_program())
                .args(serve.get_args())
                .current_dir(sandbox.path(""))
                .stderr(Stdio::piped()),
        );
        let stderr = pod.child.stderr.take().unwrap();
        (pod, Lines(BufReader::new(stderr)))
    }

    pub(crate) fn process(&self) -> nix::unistd::Pid {
        nix::unistd::Pid::from_raw(self.child.id().try_into().unwrap())
    }

    pub(crate) fn ends(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for PodProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The words that start a pod on free ports.
pub(crate) fn serve(arguments: &str) -> String {
    format!("pod serve --web-port 0 --api-port 0 --key-manager-port 0 --json {arguments}")
}

/// What a pod writes to standard error.
#[cfg(target_os = "linux")]
pub(crate) struct Lines(BufReader<ChildStderr>);

#[cfg(target_os = "linux")]
impl Lines {
    /// Waits for so many lines that start like this.
    pub(crate) fn wait_for(&mut self, count: usize, start: &str) {
        let mut found = 0;
        while found < count {
            let mut line = String::new();
            assert!(
                self.0.read_line(&mut line).unwrap() > 0,
                "no more lines that start with {start:?}"
            );
            found += usize::from(line.starts_with(start));
        }
    }

    /// All the rest, once the pod has ended.
    pub(crate) fn rest(self) -> Vec<String> {
        self.0.lines().map(Result::unwrap).collect()
    }
}

/// With the bundle `bots/demo-bot1.p12` of the CA in `ca.crt.pem`.
pub(crate) fn with_bundle() -> Sandbox {
    let sandbox = Sandbox::with_authority();
    sandbox.script(
        "issue --ca-cert ca.crt.pem --ca-key ca.key.pem --type ec-p256 --subject /CN=demo-bot1 \
         --passout env:PW --dir bots",
    );
    sandbox
}
