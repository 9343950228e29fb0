//! Where outputs may go, and where not.

use std::{fs, process::Stdio};

use crate::sandbox::{Outcome, PASSPHRASE, Sandbox};

/// With a bot, a seed and a file that holds the passphrase.
fn with_everything() -> Sandbox {
    let sandbox = Sandbox::with_bot();
    sandbox.write("seed", "0123456789abcdef");
    sandbox.write("pw", PASSPHRASE);
    sandbox
}

#[test]
fn no_output_of_any_command_replaces_what_the_command_reads() {
    let sandbox = with_everything();
    sandbox.script("issue --ca-cert ca.crt.pem --ca-key ca.key.pem --type ec-p256 --subject /CN=x --passout env:PW --dir d");
    fs::copy(sandbox.path("ca.key.pem"), sandbox.path("d/ca.key.pem")).unwrap();
    fs::copy(sandbox.path("ca.crt.pem"), sandbox.path("d/ca.crt.pem")).unwrap();
    fs::copy(sandbox.path("ca.crt.pem"), sandbox.path("pod-root.pem")).unwrap();
    sandbox.write("d/ca.p12", PASSPHRASE);

    let sign =
        "ca sign --ca-cert ca.crt.pem --ca-key ca.key.pem --csr bot.csr.pem --ca-passin file:pw";
    let export = "p12 export --cert bot.crt.pem --key bot.key.pem --passin env:PW --chain ca.crt.pem \
                  --trusted ca.crt.pem --passout file:pw";
    let sub = "ca create --type ec-p256 --subject /CN=sub --parent-cert ca.crt.pem --parent-key ca.key.pem \
               --parent-passin file:pw --passout file:seed";
    let issue = "issue --ca-cert d/ca.crt.pem --ca-key d/ca.key.pem --type ec-p256 --subject /CN=ca --dir d";
    let lines = [
        ("key generate --seed-file seed --out seed".to_owned(), "--out", "seed", "--seed-file"),
        ("key generate --type ec-p256 --passout file:pw --out pw".to_owned(), "--out", "pw", "--passout"),
        ("csr create --key bot.key.pem --passin env:PW --subject /CN=a --out bot.key.pem".to_owned(), "--out", "bot.key.pem", "--key"),
        ("csr create --key bot.key.pem --passin file:pw --subject /CN=a --out pw".to_owned(), "--out", "pw", "--passin"),
        (format!("{sign} --out ca.crt.pem"), "--out", "ca.crt.pem", "--ca-cert"),
        (format!("{sign} --out ca.key.pem"), "--out", "ca.key.pem", "--ca-key"),
        (format!("{sign} --out bot.csr.pem"), "--out", "bot.csr.pem", "--csr"),
        (format!("{sign} --out pw"), "--out", "pw", "--ca-passin"),
        (format!("{export} --out bot.crt.pem"), "--out", "bot.crt.pem", "--cert"),
        (format!("{export} --out bot.key.pem"), "--out", "bot.key.pem", "--key"),
        (format!("{export} --out ca.crt.pem"), "--out", "ca.crt.pem", "--chain"),
        (format!("{export} --out pw"), "--out", "pw", "--passout"),
        ("p12 export --trusted ca.crt.pem --passout env:PW --out ca.crt.pem".to_owned(), "--out", "ca.crt.pem", "--trusted"),
        (format!("{sub} --out-cert ca.crt.pem --out-key k"), "--out-cert", "ca.crt.pem", "--parent-cert"),
        (format!("{sub} --out-cert c --out-key ca.key.pem"), "--out-key", "ca.key.pem", "--parent-key"),
        (format!("{sub} --out-cert pw --out-key k"), "--out-cert", "pw", "--parent-passin"),
        (format!("{sub} --out-cert c --out-key seed"), "--out-key", "seed", "--passout"),
        (format!("{issue} --passout env:PW"), "--dir", "d/ca.key.pem", "--ca-key"),
        ("issue --ca-cert d/ca.crt.pem --ca-key ca.key.pem --type ec-p256 --subject /CN=ca --dir d --passout env:PW".to_owned(), "--dir", "d/ca.crt.pem", "--ca-cert"),
        ("issue --ca-cert ca.crt.pem --ca-key ca.key.pem --type ec-p256 --subject /CN=ca --dir d --passout file:d/ca.p12".to_owned(), "--dir", "d/ca.p12", "--passout"),
    ];
    for (line, flag, path, input) in lines {
        for line in [format!("{line} --force"), line] {
            let before = sandbox.contents();
            sandbox.run(&line).misuses(&format!(
                "error: {flag} would replace {path}, which {input} reads\nhint: name another file\n"
            ));
            assert!(sandbox.contents() == before, "{line}");
        }
    }
    let before = sandbox.contents();
    sandbox
        .run("pod serve --web-port 0 --api-port 0 --key-manager-port 0 --import pod-root.pem")
        .misuses("error: --dir would replace ./pod-root.pem, which --import reads\n");
    assert!(sandbox.contents() == before);
}

#[cfg(unix)]
#[test]
fn an_input_is_known_under_every_name() {
    let sandbox = with_everything();
    std::os::unix::fs::symlink("bot.key.pem", sandbox.path("symbolic")).unwrap();
    fs::hard_link(sandbox.path("bot.key.pem"), sandbox.path("hard")).unwrap();
    fs::create_dir(sandbox.path("d")).unwrap();
    std::os::unix::fs::symlink("..", sandbox.path("d/up")).unwrap();
    let key = sandbox.read("bot.key.pem");
    let refusal =
        |name: &str, flag: &str| format!("error: --out would replace {name}, which {flag} reads\n");
    let line = "csr create --passin env:PW --subject /CN=a --force";
    for name in ["symbolic", "hard", "d/../bot.key.pem", "d/up/bot.key.pem"] {
        for (input, output) in [("bot.key.pem", name), (name, "bot.key.pem")] {
            sandbox
                .run(&format!("{line} --key {input} --out {output}"))
                .misuses(&refusal(output, "--key"));
        }
    }

    // Standard input and other descriptors may be files as well.
    let redirected = |line: &str| {
        let output = sandbox
            .command(line)
            .stdin(fs::File::open(sandbox.path("bot.key.pem")).unwrap())
            .output()
            .unwrap();
        Outcome::of(line, output)
    };
    redirected(&format!("{line} --key - --out hard")).misuses(&refusal("hard", "--key"));
    let line = "csr create --key bot.key.pem --subject /CN=a --force --out hard";
    redirected(&format!("{line} --passin stdin")).misuses(&refusal("hard", "--key"));
    redirected("key generate --type ec-p256 --force --passout fd:0 --out hard")
        .misuses(&refusal("hard", "--passout"));

    // And so may standard output, which is not emptied then.
    let appended = fs::OpenOptions::new()
        .append(true)
        .open(sandbox.path("bot.key.pem"))
        .unwrap();
    let line = "csr create --key bot.key.pem --passin env:PW --subject /CN=a --out -";
    let output = sandbox
        .command(line)
        .stdout(appended)
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    Outcome::of(line, output).misuses(&refusal("standard output", "--key"));
    assert_eq!(sandbox.read("bot.key.pem"), key);
}

#[cfg(unix)]
#[test]
fn two_outputs_are_not_one_file() {
    let sandbox = Sandbox::new();
    let line = "ca create --type ec-p256 --subject /CN=CA --force";
    sandbox.write("a", "old");
    fs::hard_link(sandbox.path("a"), sandbox.path("b")).unwrap();
    for (cert, key) in [("a", "b"), ("x", "./x"), ("-", "/dev/stdout")] {
        let shown = if cert == "-" { "standard output" } else { key };
        sandbox
            .run(&format!("{line} --out-cert {cert} --out-key {key}"))
            .misuses(&format!(
                "error: --out-cert and --out-key can not both go to {shown}\n"
            ));
    }
    // A shell has opened the file, as standard output, before the program replaces it.
    let output = sandbox
        .command(&format!("{line} --out-cert - --out-key a"))
        .stdout(fs::File::create(sandbox.path("a")).unwrap())
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    Outcome::of(line, output).misuses("error: --out-cert and --out-key can not both go to a\n");
    assert_eq!(sandbox.files(), ["a", "b"]);
}

#[cfg(unix)]
#[test]
fn standard_output_is_written_to_under_its_name_in_the_file_system() {
    let sandbox = Sandbox::new();
    let made = sandbox
        .run("key generate --type ec-p256 --out /dev/stdout")
        .succeeds();
    assert!(made.stdout.starts_with("-----BEGIN PRIVATE KEY-----"));
    assert!(
        made.stderr.starts_with("standard output: "),
        "{}",
        made.stderr
    );
    assert!(sandbox.files().is_empty());
}

#[test]
fn a_set_of_which_a_part_can_not_be_printed_is_not_written() {
    let sandbox = Sandbox::new();
    let line = "ca create --type ec-p256 --subject /CN=CA --out-cert - --out-key ca.key.pem";
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = sandbox
        .command(line)
        .stdout(writer)
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    Outcome::of(line, output).fails("error: standard output is closed\n");
    assert!(sandbox.files().is_empty());
}
