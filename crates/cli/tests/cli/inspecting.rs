use std::io;

use crate::sandbox::{Outcome, Sandbox};

#[test]
fn it_finds_out_by_itself_what_a_file_is() {
    let sandbox = Sandbox::with_bot();
    sandbox.script(
        "p12 export --cert bot.crt.pem --key bot.key.pem --passin env:PW --passout env:PW --out bot.p12",
    );
    for (line, shown) in [
        ("inspect bot.crt.pem", "CN=demo-bot1"),
        ("inspect bot.csr.pem", "CN=demo-bot1"),
        ("inspect bot.key.pem --passin env:PW", "ECDSA P-256"),
        ("inspect ca.key.pem", "ECDSA P-256"),
        ("inspect bot.p12 --passin env:PW", "CN=demo-bot1"),
    ] {
        let outcome = sandbox.run(line).succeeds();
        assert!(outcome.stdout.contains(shown), "{outcome:?}");
        assert_eq!(outcome.stderr, "");
        let json = sandbox.run(&format!("{line} --json")).succeeds();
        assert!(json.json().is_object(), "{json:?}");
    }
}

#[test]
fn it_reads_standard_input() {
    let sandbox = Sandbox::with_bot();
    let certificate = sandbox.read("bot.crt.pem");
    let piped = sandbox.run_with_input("inspect -", &certificate).succeeds();
    assert_eq!(
        piped.stdout,
        sandbox.run("inspect bot.crt.pem").succeeds().stdout
    );
}

#[test]
fn a_truncated_file_is_named() {
    let sandbox = Sandbox::with_bot();
    let mut pem = sandbox.text("bot.crt.pem");
    pem.truncate(200);
    sandbox.write("short.pem", pem);
    let outcome = sandbox.run("inspect short.pem");
    assert_eq!(outcome.status, 3);
    assert!(
        outcome
            .stderr
            .starts_with("error: short.pem: malformed PEM block"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn what_is_nothing_of_the_sort_is_an_error() {
    let sandbox = Sandbox::new();
    for garbage in [&b"hello\n"[..], b"\x30\x82\xff\xff", &[0; 100]] {
        let outcome = sandbox.run_with_input("inspect -", garbage);
        assert_eq!(outcome.status, 3);
        assert!(
            outcome.stderr.starts_with("error: standard input: "),
            "{}",
            outcome.stderr
        );
    }
}

#[cfg(unix)]
#[test]
fn an_endless_file_is_cut_off() {
    let sandbox = Sandbox::new();
    sandbox
        .run("inspect /dev/zero")
        .fails("error: /dev/zero: larger than the limit of 16 MiB\n");
}

#[test]
fn a_directory_is_an_error() {
    let sandbox = Sandbox::new();
    let outcome = sandbox.run("inspect .");
    assert_eq!(outcome.status, 3);
    assert!(outcome.stderr.starts_with("error: .: "), "{outcome:?}");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let sandbox = Sandbox::with_authority();
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let output = sandbox
        .command("inspect ca.crt.pem")
        .stdout(writer)
        .output()
        .unwrap();
    let outcome = Outcome::of("inspect", output).succeeds();
    assert_eq!(outcome.stderr, "");
}
