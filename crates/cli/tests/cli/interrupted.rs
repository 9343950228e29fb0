//! What a run leaves behind that was ended by a signal at some moment or other.

use std::{
    fs,
    os::unix::process::ExitStatusExt,
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use pki::{Certificate, CertificateRequest, Passphrase, Pkcs12, PrivateKey};

use crate::sandbox::{Outcome, PASSPHRASE, Sandbox};

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
        Err(_) => 36,
    }
}

#[test]
fn interrupted_runs_leave_one_set_as_a_whole_or_a_word() {
    let sandbox = Sandbox::with_authority();
    let started = Instant::now();
    sandbox.run(ISSUE).succeeds();
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

/// Starts some runs and sends each of them a signal; returns how many it ended.
fn round(sandbox: &Sandbox, usual: Duration) -> usize {
    let children: Vec<Child> = (0..PARALLEL)
        .map(|_| {
            sandbox
                .command(ISSUE)
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    // At any moment, or in the very moment in which one of them has begun to write.
    let any_moment = usual.mul_f64(fastrand::f64() * 4.0);
    let while_writing = fastrand::bool();
    let started = Instant::now();
    while started.elapsed() < any_moment.max(usual * u32::from(while_writing) * 4)
        && !(while_writing && names(sandbox).iter().any(|name| name.starts_with('.')))
    {
        if !while_writing {
            thread::sleep(Duration::from_millis(1));
        }
    }
    thread::sleep(Duration::from_micros(fastrand::u64(0..3000)));

    let mut ended = 0;
    for child in children {
        let signal = SIGNALS[fastrand::usize(..SIGNALS.len())];
        let process = Pid::from_raw(child.id().try_into().unwrap());
        // It may be over: then it is a zombie, which nothing happens to.
        kill(process, signal).unwrap();
        let output = child.wait_with_output().unwrap();
        match output.status.signal() {
            Some(by) => {
                assert_eq!(by, signal as i32);
                ended += 1;
            }
            None => {
                Outcome::of(ISSUE, output).succeeds();
            }
        }
    }
    ended
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
            assert_eq!(mode, 0o700, "{name}");
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
