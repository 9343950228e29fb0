use std::io;

use crate::sandbox::{Outcome, Sandbox};

#[test]
fn alone_it_prints_its_help() {
    let outcome = Sandbox::new().run("");
    assert_eq!(outcome.status, 2);
    assert!(
        outcome
            .stderr
            .contains("Usage: countersign [OPTIONS] <COMMAND>")
    );
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

/// In the order of the help.
const COMMANDS: [&str; 19] = [
    "quickstart",
    "key generate",
    "csr create",
    "ca create",
    "ca sign",
    "ca assemble",
    "ca crl",
    "cert self-sign",
    "cert renew",
    "cert check",
    "p12 export",
    "p12 info",
    "issue",
    "inspect",
    "auth login",
    "auth logout",
    "auth doctor",
    "pod serve",
    "completions",
];

#[test]
fn every_command_has_examples_in_its_help() {
    let sandbox = Sandbox::new();
    for command in COMMANDS {
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
fn an_example_can_be_pasted_from_a_terminal_of_any_width() {
    let sandbox = Sandbox::new();
    for command in COMMANDS {
        for columns in ["40", "80", "100", "200"] {
            let line = format!("{command} --help");
            let output = sandbox.command(&line).env("COLUMNS", columns).output();
            let help = Outcome::of(&line, output.unwrap()).succeeds().stdout;
            let (_, examples) = help.split_once("\nExample").expect(&line);
            let mut examples = examples.lines().skip(1).take_while(|line| !line.is_empty());
            let mut commands = 0;
            while let Some(mut example) = examples.next() {
                let begins = ["  countersign ", "  openssl ", "  mkdir -p ", "  # "];
                assert!(
                    begins.iter().any(|it| example.starts_with(it)),
                    "{command} at {columns}: {example:?}"
                );
                commands += u32::from(example.starts_with("  countersign "));
                while example.ends_with('\\') {
                    example = examples.next().expect("the line goes on");
                    assert!(
                        example.starts_with("    "),
                        "{command} at {columns}: {example:?}"
                    );
                }
            }
            assert!(commands > 0, "{help}");
            if columns == "40" {
                // The rest is wrapped.
                let mut described = help.lines().take_while(|line| !line.starts_with("Usage"));
                assert!(described.all(|line| line.len() <= 40), "{help}");
            }
        }
    }
}

/// Of all commands, in the order of the help, in one directory: but for those that talk to a server.
#[cfg(target_os = "linux")]
#[test]
#[ignore = "some lines are openssl's; `.ci/run` runs it"]
fn all_examples_that_need_nothing_but_files_work_one_after_the_other() {
    const OF_SERVERS: [&str; 5] = [
        "quickstart",
        "auth login",
        "auth logout",
        "auth doctor",
        "pod serve",
    ];
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.path("path")).unwrap();
    let program = sandbox.command("").get_program().to_owned();
    std::os::unix::fs::symlink(program, sandbox.path("path/countersign")).unwrap();
    let mut run = Vec::new();
    for command in COMMANDS {
        if OF_SERVERS.contains(&command) {
            continue;
        }
        let help = sandbox.run(&format!("{command} --help")).succeeds().stdout;
        if let Some((_, profile)) = help.split_once("\nA profile's file, bot.toml") {
            let lines = profile.lines().skip(1).take_while(|line| !line.is_empty());
            sandbox.write("bot.toml", lines.collect::<Vec<_>>().join("\n"));
        }
        let help = help.replace("\\\n", "");
        let (_, examples) = help.split_once("\nExample").unwrap();
        for line in examples.lines().skip(1).take_while(|line| !line.is_empty()) {
            // Those of a server, of another shell, and comments.
            let others = [" s_client ", " completions zsh ", "  # "];
            if others.iter().any(|it| line.contains(it)) {
                continue;
            }
            let line = line.split(" | jq ").next().unwrap();
            let mut shell = sandbox.shell(&format!("PATH=$PWD/path:$PATH HOME=$PWD; {line}"));
            for name in ["KEY", "CA", "BOTS", "BOT", "P12", "STORE"] {
                shell.env(format!("{name}_PASS"), crate::sandbox::PASSPHRASE);
            }
            let outcome = Outcome::of(line, shell.output().unwrap());
            run.push(outcome.succeeds());
        }
    }
    assert!(run.len() > 40, "{}", run.len());
}

#[test]
fn the_help_names_the_exit_statuses() {
    let help = Sandbox::new().run("--help").succeeds().stdout;
    assert!(
        help.contains(
            "\nExit status:\n  0  done\n  1  the answer is no: refused, not accepted, or a problem found\n  \
             2  the command line makes no sense\n  3  it could not be done, or not be judged\n"
        ),
        "{help}"
    );
}

#[test]
fn commands_of_openssl_are_answered_with_the_one_to_use() {
    let sandbox = Sandbox::new();
    for (line, what, advice) in [
        (
            "genrsa -aes256 -out bot.key 4096",
            "genrsa is a command of openssl",
            "countersign key generate ",
        ),
        (
            "req -new -key bot.key",
            "req is a command of openssl",
            "countersign csr create ",
        ),
        (
            "x509 -req -in bot.csr",
            "x509 is a command of openssl",
            "countersign ca sign ",
        ),
        (
            "pkcs12 -export -aes256",
            "pkcs12 is a command of openssl",
            "countersign p12 export ",
        ),
        (
            "pkey -in bot.key -text",
            "pkey is a command of openssl",
            "countersign inspect ",
        ),
        (
            "ecparam -name prime256v1 -genkey",
            "ecparam is a command of openssl",
            "countersign key generate --type ec-p256 ",
        ),
        (
            "ec -in bot.key",
            "ec is a command of openssl",
            "countersign inspect ",
        ),
        (
            "asn1parse -in bot.crt",
            "asn1parse is a command of openssl",
            "countersign inspect ",
        ),
        (
            "s_server -accept 8444",
            "s_server is a command of openssl",
            "countersign pod serve ",
        ),
        (
            "rand -hex 20",
            "rand is a command of openssl",
            "countersign ca sign ",
        ),
        (
            "ocsp -issuer ca.crt",
            "ocsp is a command of openssl",
            "countersign ca crl ",
        ),
        (
            "ca -in bot.csr -out bot.crt",
            "ca with options is a command of openssl",
            "countersign ca sign ",
        ),
        (
            "--quiet ca -gencrl -out ca.crl",
            "ca with options is a command of openssl",
            "countersign ca sign ",
        ),
        (
            "keytool -list -keystore bot.p12",
            "keytool is a command of Java's",
            "countersign p12 export ",
        ),
        (
            "rsa -in bot.key",
            "rsa is a command of openssl",
            "countersign inspect ",
        ),
        (
            "crl -in ca.crl",
            "crl is a command of openssl",
            "countersign ca crl makes ",
        ),
        (
            "--quiet login --p12 bot.p12",
            "login is not a command",
            "countersign auth login ",
        ),
    ] {
        let outcome = sandbox.run(line);
        assert_eq!((outcome.status, outcome.stdout.as_str()), (2, ""), "{line}");
        let (error, hint) = outcome.stderr.split_once('\n').unwrap();
        assert_eq!(error, format!("error: {what}"), "{line}");
        assert!(
            hint.starts_with(&format!("hint: {advice}")) && hint.ends_with('\n'),
            "{line}: {hint}"
        );
    }
    for (line, advice) in [
        ("req -x509 -key bot.key", "; countersign cert self-sign "),
        (
            "x509 -in bot.crt -checkend 86400",
            "; countersign cert check ",
        ),
    ] {
        let hint = sandbox.run(line).stderr;
        assert!(hint.contains(advice), "{hint}");
    }
    // As a value it is nothing of the sort.
    sandbox
        .run("inspect rsa")
        .fails("error: rsa: No such file or directory (os error 2)\n");
}

#[test]
fn quiet_leaves_out_notes_and_not_warnings() {
    let sandbox = Sandbox::new();
    let make = "key generate --type ec-p256 --force --out a.pem";
    assert_ne!(sandbox.run(make).succeeds().stderr, "");
    for line in [format!("{make} --quiet"), format!("-q {make}")] {
        assert_eq!(sandbox.run(&line).succeeds().stderr, "", "{line}");
    }
    let warned = "key generate -q --bits 2048 --out b.pem";
    assert_eq!(
        sandbox.run(warned).succeeds().stderr,
        "warning: a Pod rejects RSA keys of less than 4096 bits\n"
    );
}

/// A heading with the command, and an example of what it prints.
pub(crate) fn documented(command: &str) -> serde_json::Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/json.md");
    let page = std::fs::read_to_string(path).unwrap();
    let heading = format!("\n## `countersign {command}`\n");
    let (_, section) = page.split_once(&heading).expect(command);
    let (_, block) = section.split_once("```json\n").unwrap();
    serde_json::from_str(block.split_once("```").unwrap().0).unwrap()
}

pub(crate) fn keys(value: &serde_json::Value) -> Vec<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

#[test]
fn what_is_made_is_reported_in_the_documented_shape() {
    let sandbox = Sandbox::new();
    for (command, arguments, kind) in [
        (
            "key generate",
            "--type ec-p256 --passout env:PW --out bot.key.pem",
            "privateKey",
        ),
        (
            "csr create",
            "--key bot.key.pem --passin env:PW --subject /CN=bot --out bot.csr.pem",
            "certificateRequest",
        ),
        (
            "ca create",
            "--type ec-p256 --subject /CN=CA --out-cert ca.crt.pem --out-key ca.key.pem",
            "certificate",
        ),
        (
            "ca sign",
            "--ca-cert ca.crt.pem --ca-key ca.key.pem --csr bot.csr.pem --out bot.crt.pem",
            "certificate",
        ),
        (
            "ca crl",
            "--ca-cert ca.crt.pem --ca-key ca.key.pem --revoke 0x1:superseded --out ca.crl.pem",
            "crl",
        ),
        (
            "cert self-sign",
            "--key bot.key.pem --passin env:PW --subject /CN=bot --dns localhost --out self.crt.pem",
            "certificate",
        ),
        (
            "cert renew",
            "--ca-cert ca.crt.pem --ca-key ca.key.pem --cert bot.crt.pem --out new.crt.pem",
            "certificate",
        ),
        (
            "p12 export",
            "--cert bot.crt.pem --key bot.key.pem --passin env:PW --passout env:PW --out bot.p12",
            "pkcs12",
        ),
        (
            "issue",
            "--ca-cert ca.crt.pem --ca-key ca.key.pem --type ec-p256 --subject /CN=a --passout env:PW --dir .",
            "certificate",
        ),
    ] {
        let report = sandbox
            .run(&format!("{command} {arguments} --json"))
            .succeeds()
            .json();
        assert_eq!(keys(&report), keys(&documented(command)), "{command}");
        assert_eq!(report["report"]["items"][0]["type"], kind, "{report}");
        for (name, path) in report.as_object().unwrap() {
            let is_file = !["report", "ungranted"].contains(&name.as_str());
            assert!(!is_file || sandbox.path(path.as_str().unwrap()).exists());
        }
    }
    for line in [
        "key generate --type ec-p256 --out - --json",
        "csr create --key bot.key.pem --passin env:PW --subject /CN=bot --out - --json",
        "ca create --type ec-p256 --subject /CN=CA --out-cert - --out-key x.key.pem --json",
        "p12 export --cert bot.crt.pem --key bot.key.pem --passin env:PW --passout env:PW --out - --json",
        "ca sign --ca-cert ca.crt.pem --ca-key ca.key.pem --csr bot.csr.pem --out - --json",
        "cert self-sign --key bot.key.pem --passin env:PW --subject /CN=bot --dns localhost --out - --json",
        "cert renew --ca-cert ca.crt.pem --ca-key ca.key.pem --cert bot.crt.pem --out - --json",
    ] {
        sandbox.run(line).misuses(
            "error: the file and the report can not both go to standard output\n\
             hint: name a file, or leave out --json\n",
        );
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
