use std::io;

use crate::sandbox::{Outcome, Sandbox};

#[test]
fn alone_it_prints_its_help() {
    let outcome = Sandbox::new().run("");
    assert_eq!(outcome.status, 2);
    assert!(outcome.stderr.contains("Usage: countersign <COMMAND>"));
    assert!(outcome.stderr.contains("inspect"));
}

#[test]
fn it_tells_its_version() {
    let outcome = Sandbox::new().run("--version").succeeds();
    assert_eq!(
        outcome.stdout,
        concat!("countersign ", env!("CARGO_PKG_VERSION"), "\n")
    );
}

#[test]
fn every_command_has_examples_in_its_help() {
    let sandbox = Sandbox::new();
    for command in [
        "key generate",
        "csr create",
        "ca create",
        "ca sign",
        "p12 export",
        "p12 info",
        "issue",
        "inspect",
        "auth login",
        "pod serve",
        "quickstart",
        "completions",
    ] {
        let help = sandbox.run(&format!("{command} --help")).succeeds().stdout;
        assert!(
            help.contains(&format!("\n  countersign {command} ")),
            "{help}"
        );
        if help.contains("<SRC>") {
            assert!(help.contains("Passphrase sources (SRC):"), "{help}");
        }
    }
}

#[test]
fn what_is_no_command_is_misuse() {
    let sandbox = Sandbox::new();
    sandbox.run("frobnicate").misuses("frobnicate");
    sandbox.run("key generate").misuses("--out <FILE>");
    sandbox.run("inspect").misuses("<FILE>");
}

#[test]
fn completions_are_printed_for_every_shell() {
    let sandbox = Sandbox::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = sandbox
            .run(&format!("completions {shell}"))
            .succeeds()
            .stdout;
        assert!(script.contains("countersign") && script.contains("inspect"));
    }
}

#[test]
fn help_and_completions_may_go_to_a_closed_pipe() {
    let sandbox = Sandbox::new();
    for line in ["completions bash", "--help", "key generate --help"] {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let output = sandbox.command(line).stdout(writer).output().unwrap();
        assert_eq!(Outcome::of(line, output).succeeds().stderr, "");
    }
}
