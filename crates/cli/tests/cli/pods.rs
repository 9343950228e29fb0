//! The life of `countersign pod serve` as a process.

use std::{
    fs,
    os::unix::process::ExitStatusExt,
    process::{Command, Stdio},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use p256::{
    ecdsa::{Signature, SigningKey, signature::Signer},
    pkcs8::DecodePrivateKey,
};

use crate::{
    pod_process::{PodProcess, serve, with_bundle},
    sandbox::Sandbox,
};

const ADMITTED: &str = "--import ca.crt.pem --user demo-bot1";

#[test]
fn a_signal_ends_it_after_the_requests_under_way() {
    // By the signal, of which a shell makes 128 and its number; or by that status where the signal is ignored.
    for (signal, disposition, by_signal) in [
        (Signal::SIGINT, "--default-signal", true),
        (Signal::SIGTERM, "--default-signal", true),
        (Signal::SIGINT, "--ignore-signal=INT", false),
    ] {
        let sandbox = with_bundle();
        let arguments = format!("{ADMITTED} --fault any=delay:1s");
        let (mut pod, mut log) = PodProcess::start_logging_with(&sandbox, &arguments, disposition);
        let login = format!("{} --trust pod-root.pem --show-tokens", pod.login());
        let client = sandbox
            .command(&login)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // At either endpoint: the second one isn't answered yet.
        log.wait_for(2, "request ");

        kill(pod.process(), signal).unwrap();

        let client = client.wait_with_output().unwrap();
        assert!(client.status.success(), "{client:?}");
        let (ended, number) = (pod.ends(), signal as i32);
        let expected = match by_signal {
            true => (Some(number), None),
            false => (None, Some(128 + number)),
        };
        assert_eq!((ended.signal(), ended.code()), expected);
        assert!(!sandbox.path(".pod-serve.lock").exists());
    }
}

#[test]
fn process_1_of_a_container_ends_too() {
    let sandbox = Sandbox::new();
    let program = sandbox.command("");
    // Who may not make a PID namespace may in a user namespace of its own.
    let mut namespace = Command::new("unshare");
    namespace.args(["--user", "--map-root-user", "--pid", "--fork"]);
    namespace.arg("--kill-child");
    let allowed = Command::new(namespace.get_program())
        .args(namespace.get_args())
        .arg("true")
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !allowed {
        // `.ci/run` asks the same question, and says so at its end.
        eprintln!("LEFT OUT: unshare makes no PID namespace here");
        return;
    }
    let mut pod = PodProcess::spawn(
        namespace
            .arg(program.get_program())
            .args(serve("").split_whitespace())
            .current_dir(sandbox.path("")),
    );
    let unshare = pod.process();
    let children = fs::read_to_string(format!("/proc/{unshare}/task/{unshare}/children")).unwrap();
    let process = Pid::from_raw(children.trim().parse().unwrap());
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let numbers = status.lines().find(|line| line.starts_with("NSpid:"));
    assert!(numbers.unwrap().ends_with("\t1"), "{status}");

    kill(process, Signal::SIGTERM).unwrap();

    assert_eq!(pod.ends().code(), Some(128 + Signal::SIGTERM as i32));
    assert_eq!(sandbox.files(), ["pod-root.pem"]);
}

#[test]
fn a_directory_is_for_one_pod() {
    let sandbox = with_bundle();
    let pod = PodProcess::start(&sandbox, ADMITTED);
    let root = sandbox.text("pod-root.pem");

    // Without the lock it would not get far, instead of running for ever.
    let second = serve("--import missing.pem");
    sandbox.run(&second).fails(&format!(
        "error: .: in use by another pod serve, process {}\n\
         hint: name another directory with --dir, or end the other one\n",
        pod.process()
    ));

    assert_eq!(sandbox.text("pod-root.pem"), root);
    let login = format!("{} --trust pod-root.pem", pod.login());
    sandbox.run(&login).succeeds();
    let _second = PodProcess::start(&sandbox, "--dir elsewhere");

    // Killed, it leaves its file behind.
    drop(pod);
    assert!(sandbox.path(".pod-serve.lock").exists());
    PodProcess::start(&sandbox, "");
}

#[test]
fn the_log_has_a_line_for_each_handshake_and_request_and_no_token() {
    let sandbox = with_bundle();
    let fault = "--fault /sessionauth/v1/logout=delay:1ms,times:1";
    let (mut pod, log) = PodProcess::start_logging(&sandbox, &format!("{ADMITTED} {fault}"));
    let login = format!("{} --trust pod-root.pem", pod.login());
    sandbox.run(&login).succeeds();
    let shown = sandbox
        .run(&format!("{login} --show-tokens --json"))
        .succeeds()
        .json();
    assert_eq!(shown["sessionEnded"], false);
    sandbox.script(
        "ca create --type ec-p256 --subject /CN=Stranger --out-cert other.crt.pem --out-key other.key.pem
         issue --ca-cert other.crt.pem --ca-key other.key.pem --type ec-p256 --subject /CN=demo-bot1 --passout env:PW --dir strangers
         issue --ca-cert ca.crt.pem --ca-key ca.key.pem --type ec-p256 --subject /CN=nobody --passout env:PW --dir bots",
    );
    for bundle in ["strangers/demo-bot1.p12", "bots/nobody.p12"] {
        let refused = sandbox.run(&login.replace("bots/demo-bot1.p12", bundle));
        assert_eq!(refused.status, 1, "{refused:?}");
    }
    kill(pod.process(), Signal::SIGTERM).unwrap();
    pod.ends();

    let log = log.rest();
    let count = |wanted: &str| {
        let is_wanted = |line: &&String| {
            let words = line
                .split(' ')
                .filter(|word| !word.starts_with("connection="));
            words.eq(wanted.split(' '))
        };
        log.iter().filter(is_wanted).count()
    };
    for (wanted, times) in [
        ("handshake port=api certificate=CN=demo-bot1", 2),
        ("handshake port=key-manager certificate=CN=demo-bot1", 2),
        (
            "request port=api method=POST path=/sessionauth/v1/authenticate status=200 user=demo-bot1",
            2,
        ),
        // The session whose tokens nobody saw is ended, the other one is not.
        (
            "request port=api method=POST path=/sessionauth/v1/logout status=200 user=demo-bot1 faults=delay:1ms",
            1,
        ),
        (
            "fault injected rule=/sessionauth/v1/logout=delay:1ms,times:1",
            1,
        ),
        (
            "request port=key-manager method=POST path=/keyauth/v1/logout status=200 user=demo-bot1",
            1,
        ),
        (
            "handshake failed port=api reason=\"no trusted signing certificate of CN=Stranger was imported\"",
            1,
        ),
        (
            "request port=api method=POST path=/sessionauth/v1/authenticate status=401 reason=\"No user for this certificate.\"",
            1,
        ),
    ] {
        assert_eq!(count(wanted), times, "{wanted}: {log:#?}");
    }
    for name in ["sessionToken", "keyManagerToken"] {
        let token = shown[name].as_str().unwrap();
        assert!(!log.iter().any(|line| line.contains(token)));
    }
}

#[test]
fn a_root_of_version_1_admits_clients_once_it_is_imported_as_signing() {
    let sandbox = with_bundle();
    let root = pki::Certificate::from_pem(sandbox.text("ca.crt.pem")).unwrap();
    let key = pki::PrivateKey::from_pem(sandbox.text("ca.key.pem"), None).unwrap();
    let v1 = as_version_1(&root, &key);
    assert_eq!(v1.version(), pki::Version::V1);
    sandbox.write("v1.crt.pem", v1.to_pem());

    for (import, status) in [("--import", 1), ("--import-signing", 0)] {
        let pod = PodProcess::start(&sandbox, &format!("{import} v1.crt.pem --user demo-bot1"));
        let outcome = sandbox.run(&format!("{} --trust pod-root.pem", pod.login()));
        assert_eq!(outcome.status, status, "{import}: {outcome:?}");
    }
}

/// The same CA, as `openssl x509 -req -signkey` certifies it: without version and extensions.
fn as_version_1(certificate: &pki::Certificate, key: &pki::PrivateKey) -> pki::Certificate {
    let (_, whole) = element(certificate.as_der());
    let (_, mut signed) = element(whole);
    let mut kept = Vec::new();
    while !signed.is_empty() {
        let (length, _) = element(signed);
        // The two are tagged [0] and [3].
        if !matches!(signed[0], 0xa0 | 0xa3) {
            kept.extend_from_slice(&signed[..length]);
        }
        signed = &signed[length..];
    }
    let signed = tlv(0x30, &kept);
    let pkcs8 = key.to_pkcs8_der().unwrap();
    let signature: Signature = SigningKey::from_pkcs8_der(&pkcs8).unwrap().sign(&signed);
    let ecdsa_with_sha256 = [0x30, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
    let signature = tlv(3, &[&[0], signature.to_der().as_bytes()].concat());
    let der = tlv(
        0x30,
        &[&signed[..], &ecdsa_with_sha256, &signature].concat(),
    );
    pki::Certificate::from_der(&der).unwrap()
}

/// The length of the first element, and its contents.
fn element(der: &[u8]) -> (usize, &[u8]) {
    let (header, length) = match der[1] {
        0x81 => (3, usize::from(der[2])),
        0x82 => (4, usize::from(u16::from_be_bytes([der[2], der[3]]))),
        short => (2, usize::from(short)),
    };
    (header + length, &der[header..header + length])
}

fn tlv(tag: u8, contents: &[u8]) -> Vec<u8> {
    let [high, low] = u16::try_from(contents.len()).unwrap().to_be_bytes();
    let header: &[u8] = match contents.len() {
        ..128 => &[tag, low],
        128..256 => &[tag, 0x81, low],
        _ => &[tag, 0x82, high, low],
    };
    [header, contents].concat()
}

#[test]
fn a_session_that_was_left_open_is_ended_by_its_tokens() {
    let sandbox = with_bundle();
    let (mut pod, log) = PodProcess::start_logging(&sandbox, ADMITTED);
    let login = format!("{} --trust pod-root.pem", pod.login());
    let tokens = sandbox
        .run(&format!("{login} --show-tokens --json"))
        .succeeds()
        .json();
    let token = |name: &str| tokens[name].as_str().unwrap();
    sandbox.write("session.txt", token("sessionToken"));
    let line = login.replace("login", "logout") + " --session-token file:session.txt";
    let logout = format!("{line} --key-manager-token stdin");

    let outcome = sandbox.run_with_input(&logout, token("keyManagerToken").as_bytes());

    let outcome = outcome.succeeds();
    assert_eq!(
        (outcome.stdout.as_str(), outcome.stderr.as_str()),
        ("", "logged out\n")
    );
    // Nobody can tell a token whose session has ended from one that never was.
    let again = sandbox.run(&format!("{line} --json"));
    assert_eq!((again.status, again.stdout.as_str()), (1, ""));
    assert!(
        again.stderr.contains("answered 401 Unauthorized")
            && again.stderr.ends_with(
                "\nhint: the session of that token has ended already, or the token is wrong\n"
            ),
        "{again:?}"
    );
    kill(pod.process(), Signal::SIGTERM).unwrap();
    pod.ends();
    let log = log.rest();
    for (path, status) in [
        ("/sessionauth/v1/logout", 200),
        ("/keyauth/v1/logout", 200),
        ("/sessionauth/v1/logout", 401),
    ] {
        let wanted = format!(" path={path} status={status} ");
        let count = log.iter().filter(|line| line.contains(&wanted)).count();
        assert_eq!(count, 1, "{wanted}: {log:#?}");
    }
}
