use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use tempfile::TempDir;

/// What the environment variable `PW` holds. No message may ever repeat it.
pub(crate) const PASSPHRASE: &str = "correct horse";

/// What the environment variable `WRONG` holds.
pub(crate) const WRONG_PASSPHRASE: &str = "battery staple";

/// A directory of its own to run the program in.
pub(crate) struct Sandbox {
    directory: TempDir,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
        }
    }

    /// With the CA `ca.crt.pem` and its unencrypted key `ca.key.pem`.
    pub(crate) fn with_authority() -> Self {
        let sandbox = Self::new();
        sandbox
            .run(
                "ca create --type ec-p256 --subject '/CN=Demo CA/O=Excelsior Bank/C=GB' \
                 --out-cert ca.crt.pem --out-key ca.key.pem",
            )
            .succeeds();
        sandbox
    }

    /// With the CA, and the bot's `bot.key.pem` (encrypted), `bot.csr.pem` and `bot.crt.pem`.
    pub(crate) fn with_bot() -> Self {
        let sandbox = Self::with_authority();
        sandbox.script(
            "key generate --type ec-p256 --passout env:PW --out bot.key.pem
             csr create --key bot.key.pem --passin env:PW --subject /CN=demo-bot1 --out bot.csr.pem
             ca sign --ca-cert ca.crt.pem --ca-key ca.key.pem --csr bot.csr.pem --out bot.crt.pem",
        );
        sandbox
    }

    /// Runs the program; the words of the line are separated by spaces, and quoted by `'`.
    pub(crate) fn run(&self, line: &str) -> Outcome {
        self.run_with_input(line, b"")
    }

    /// Runs the program with this standard input.
    pub(crate) fn run_with_input(&self, line: &str, input: &[u8]) -> Outcome {
        let mut child = self
            .command(line)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // The program may end without reading all of it.
        let _ = stdin.write_all(input);
        drop(stdin);
        Outcome::of(line, child.wait_with_output().unwrap())
    }

    /// Runs the program once for each line; each must succeed.
    pub(crate) fn script(&self, lines: &str) {
        for line in lines.lines() {
            self.run(line.trim()).succeeds();
        }
    }

    /// The program, ready to run here.
    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
        command
            .args(words(line))
            .current_dir(self.directory.path())
            .env("PW", PASSPHRASE)
            .env("WRONG", WRONG_PASSPHRASE);
        command
    }

    /// A script of a shell, ready to run here.
    #[cfg(target_os = "linux")]
    pub(crate) fn shell(&self, script: &str) -> Command {
        // Tests that run in the background of a script inherit an ignored SIGINT, which a shell can't undo.
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let ignored = status
            .lines()
            .find_map(|line| line.strip_prefix("SigIgn:"))
            .unwrap();
        let mut command = if u64::from_str_radix(ignored.trim(), 16).unwrap() & 0b11 == 0 {
            Command::new("sh")
        } else {
            let mut command = Command::new("env");
            command.args(["--default-signal", "sh"]);
            command
        };
        command
            .args(["-c", script])
            .current_dir(self.directory.path())
            .env("PW", PASSPHRASE)
            .env("WRONG", WRONG_PASSPHRASE);
        command
    }

    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    pub(crate) fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn write(&self, name: &str, contents: impl AsRef<[u8]>) {
        fs::write(self.path(name), contents).unwrap();
    }

    /// The names of all files, hidden and temporary ones too.
    pub(crate) fn files(&self) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(self.directory.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// All files, in directories too, with what is in them.
    pub(crate) fn contents(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut contents = BTreeMap::new();
        let mut directories = vec![self.path("")];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    directories.push(path);
                } else {
                    let octets = fs::read(&path).unwrap();
                    contents.insert(path, octets);
                }
            }
        }
        contents
    }

    /// The permission bits of a file.
    #[cfg(unix)]
    pub(crate) fn mode(&self, name: &str) -> u32 {
        use std::os::unix::fs::PermissionsExt;
        fs::metadata(self.path(name)).unwrap().permissions().mode() & 0o777
    }

    #[cfg(unix)]
    pub(crate) fn set_mode(&self, name: &str, mode: u32) {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    line: String,
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Outcome {
    pub(crate) fn of(line: &str, output: Output) -> Self {
        let outcome = Self {
            line: line.to_owned(),
            status: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        };
        for secret in [PASSPHRASE, WRONG_PASSPHRASE] {
            assert!(
                !outcome.stdout.contains(secret) && !outcome.stderr.contains(secret),
                "a passphrase was printed: {outcome:?}"
            );
        }
        assert!(!outcome.stderr.contains("panicked"), "{outcome:?}");
        outcome
    }

    #[track_caller]
    pub(crate) fn succeeds(self) -> Self {
        assert_eq!(self.status, 0, "{self:?}");
        self
    }

    /// The job could not be done, with exactly this on standard error and nothing on standard output.
    #[track_caller]
    pub(crate) fn fails(self, stderr: &str) {
        self.ends(3, stderr);
    }

    /// The answer is no, with exactly this on standard error and nothing on standard output.
    #[track_caller]
    pub(crate) fn refuses(self, stderr: &str) {
        self.ends(1, stderr);
    }

    #[track_caller]
    fn ends(self, status: i32, stderr: &str) {
        assert_eq!(
            (self.status, self.stderr.as_str(), self.stdout.as_str()),
            (status, stderr, ""),
            "{}",
            self.line
        );
    }

    /// The command line made no sense, and standard error says why.
    #[track_caller]
    pub(crate) fn misuses(self, reason: &str) {
        assert_eq!(
            (self.status, self.stdout.as_str()),
            (2, ""),
            "{}: {}",
            self.line,
            self.stderr
        );
        assert!(self.stderr.contains(reason), "{}", self.stderr);
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap()
    }
}

fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = None::<String>;
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '\'' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            c if c.is_whitespace() && !quoted => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}
