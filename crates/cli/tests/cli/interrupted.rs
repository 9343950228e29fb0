//! What a run leaves behind that was ended by a signal at some moment or other.

use std::{
    fs,
    io::Write,
    os::{
        fd::OwnedFd,
        unix::{net::UnixStream, process::ExitStatusExt},
    },
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use pki::{Certificate, CertificateRequest, Passphrase, Pkcs12, PrivateKey};

use crate::{
    sandbox::{Outcome, PASSPHRASE, Sandbox},
    terminal::LIMIT,
};

const ISSUE: &str = "issue --ca-cert ca.crt.pem --ca-key ca.key.pem --type ec-p256 --subject /CN=bot \
     --passout env:PW --dir bots --force";

const SET: [&str; 4] = ["bot.crt.pem", "bot.csr.pem", "bot.key.pem", "bot.p12"];

/// How many run at the same time, into the same directory.
const PARALLEL: usize = 6;

const SIGNALS: [Signal; 4] = [
    Signal::SIGINT,
    Signal::SIGTERM,
    Signal::SIGHUP,
    Signal::SIGKILL,
];

/// How many runs are interrupted: some tens, unless a soak test asks for more.
fn runs() -> usize {
    match std::env::var("COUNTERSIGN_SOAK_RUNS") {
        Ok(runs) => runs.parse().expect("COUNTERSIGN_SOAK_RUNS is a number"),
        Err(_) => 24,
    }
}

#[test]
fn interrupted_runs_leave_one_set_as_a_whole_or_a_word() {
    let sandbox = Sandbox::with_authority();
    let started = Instant::now();
    let children = start(&sandbox);
    for child in children {
        end(child, None);
    }
    let usual = started.elapsed();

    let seed = fastrand::u64(..);
    fastrand::seed(seed);
    println!("seed {seed}");
    let (mut ended, mut told) = (0, 0);
    for _ in 0..runs().div_ceil(PARALLEL) {
        ended += round(&sandbox, usual);
        assert_nothing_is_readable(&sandbox);

        let mixed = !is_whole(&sandbox);
        // Any run in this directory will do.
        let next = sandbox
            .run("key generate --type ed25519 --out bots/other.pem --force")
            .succeeds();
        let says_so = next.stderr.contains("an earlier run was killed");
        assert!(says_so || !mixed, "a mixed set, and not a word: {next:?}");
        told += usize::from(says_so);
        fs::remove_file(sandbox.path("bots/other.pem")).unwrap();
        assert!(is_whole(&sandbox), "{next:?}");
        assert_eq!(names(&sandbox), SET);
    }
    println!("{ended} runs were ended by a signal, {told} sets were completed by the next run");
    assert!(ended > 0, "no signal came in time");
}

#[test]
fn a_run_that_is_asked_to_end_leaves_nothing_behind() {
    let sandbox = Sandbox::new();
    let script = "exec \"$COUNTERSIGN\" ca create --type ec-p256 --subject /CN=CA --out-cert - --out-key new/ca.key.pem";
    fs::create_dir(sandbox.path("new")).unwrap();
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        // It stages the key, and then nobody reads what it prints.
        let (mut stdout, _reader) = UnixStream::pair().unwrap();
        stdout.set_nonblocking(true).unwrap();
        while stdout.write(&[0; 4096]).is_ok() {}
        stdout.set_nonblocking(false).unwrap();
        let mut child = sandbox
            .shell(script)
            .env("COUNTERSIGN", sandbox.command("").get_program())
            .stdin(Stdio::null())
            .stdout(Stdio::from(OwnedFd::from(stdout)))
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let entries = || fs::read_dir(sandbox.path("new")).unwrap().count();
        let started = Instant::now();
        while entries() == 0 {
            assert!(started.elapsed() < LIMIT, "nothing is staged");
            thread::yield_now();
        }
        kill(Pid::from_raw(child.id().try_into().unwrap()), signal).unwrap();
        let status = child.wait().unwrap();
        assert_eq!(status.signal(), Some(signal as i32));
        assert_eq!(entries(), 0, "after {signal}");
    }
}

/// Starts some runs and sends each of them a signal; returns how many that has ended.
fn round(sandbox: &Sandbox, usual: Duration) -> usize {
    let children = start(sandbox);
    let started = Instant::now();
    if fastrand::bool() {
        // When one of them is writing, which takes a few milliseconds of its time.
        while started.elapsed() < usual && names(sandbox) == SET {
            thread::yield_now();
        }
        wait_until(Instant::now() + Duration::from_micros(fastrand::u64(0..4000)));
    } else {
        wait_until(started + usual.mul_f64(fastrand::f64()));
    }
    let signals: Vec<Signal> = children
        .iter()
        .map(|child| {
            let signal = SIGNALS[fastrand::usize(..SIGNALS.len())];
            // It may have ended: then it is a zombie, which nothing happens to.
            kill(Pid::from_raw(child.id().try_into().unwrap()), signal).unwrap();
            signal
        })
        .collect();
    children
        .into_iter()
        .zip(signals)
        .map(|(child, signal)| end(child, Some(signal)))
        .sum()
}

fn start(sandbox: &Sandbox) -> Vec<Child> {
    let start = |_| {
        sandbox
            .command(ISSUE)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    (0..PARALLEL).map(start).collect()
}

/// 1 if the signal has ended it, and 0 if it has done its job before.
fn end(child: Child, signal: Option<Signal>) -> usize {
    let output = child.wait_with_output().unwrap();
    let by = output.status.signal();
    if by.is_some() {
        assert_eq!(by, signal.map(|signal| signal as i32));
        return 1;
    }
    Outcome::of(ISSUE, output).succeeds();
    0
}

fn wait_until(moment: Instant) {
    while Instant::now() < moment {
        thread::yield_now();
    }
}

fn names(sandbox: &Sandbox) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(sandbox.path("bots"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Nobody else can get at what isn't published.
fn assert_nothing_is_readable(sandbox: &Sandbox) {
    for name in names(sandbox) {
        let mode = sandbox.mode(&format!("bots/{name}"));
        if name.starts_with('.') {
            assert_eq!(mode & 0o077, 0, "{name}: {mode:o}");
        } else {
            let secret = !name.ends_with("crt.pem") && !name.ends_with("csr.pem");
            assert_eq!(secret, mode == 0o600, "{name}: {mode:o}");
        }
    }
}

/// Whether the four files are about the same key.
fn is_whole(sandbox: &Sandbox) -> bool {
    let [certificate, request, key, bundle] = SET.map(|name| sandbox.read(&format!("bots/{name}")));
    let passphrase = Passphrase::from(PASSPHRASE);
    let certificate = Certificate::from_pem_or_der(&certificate).unwrap();
    let request = CertificateRequest::from_pem_or_der(&request).unwrap();
    let key = PrivateKey::from_pem_or_der(&key, Some(&passphrase)).unwrap();
    let bundle = Pkcs12::open(&bundle, &passphrase).unwrap();
    let public = key.public_key();
    certificate.public_key().unwrap() == *public
        && request.public_key() == public
        && bundle.private_key().unwrap().public_key() == public
        && bundle.certificate().unwrap().as_der() == certificate.as_der()
}
