//! Where outputs may go, and where not.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Write,
    process::Stdio,
};

use crate::sandbox::{Outcome, PASSPHRASE, Sandbox};

/// With a bot, a seed and a file that holds the passphrase.
fn with_everything() -> Sandbox {
    let sandbox = Sandbox::with_bot();
    sandbox.write("seed", "0123456789abcdef");
    sandbox.write("pw", PASSPHRASE);
    sandbox.write("bot.toml", "key-usage = ['digitalSignature']\n");
    sandbox
}

/// How each command is called that reads files and writes some, with all flags that name a file to read, in several calls where
/// they exclude each other; and what it writes into `--dir`.
const CALLS: [(&str, &str, &str); 14] = [
    (
        "key generate",
        "--seed-file seed --passout file:pw --out new",
        "",
    ),
    (
        "csr create",
        "--key bot.key.pem --passin file:pw --subject /CN=a --out new",
        "",
    ),
    (
        "csr create",
        "--public-key bot.pub.pem --signer-command true --subject /CN=a --out new",
        "",
    ),
    (
        "ca create",
        "--type ec-p256 --subject /CN=sub --parent-cert ca.crt.pem --parent-key ca.key.pem \
         --parent-passin file:pw --passout file:pw --out-cert new.crt --out-key new.key",
        "",
    ),
    (
        "ca create",
        "--subject /CN=sub --public-key bot.pub.pem --signer-command true --out-cert new.crt",
        "",
    ),
    (
        "ca sign",
        "--ca-cert ca.crt.pem --ca-key ca.key.pem --ca-passin file:pw --csr bot.csr.pem \
         --profile-file bot.toml --out new",
        "",
    ),
    (
        "ca assemble",
        "--ca-cert ca.crt.pem --tbs bot.tbs --signature bot.sig --out new",
        "",
    ),
    (
        "ca crl",
        "--ca-cert ca.crt.pem --ca-key ca.key.pem --ca-passin file:pw --previous ca.crl --from list --out new",
        "",
    ),
    (
        "cert self-sign",
        "--key bot.key.pem --passin file:pw --subject /CN=a --profile-file bot.toml --out new",
        "",
    ),
    (
        "cert renew",
        "--cert bot.crt.pem --ca-cert ca.crt.pem --ca-key ca.key.pem --ca-passin file:pw --csr bot.csr.pem \
         --profile-file bot.toml --out new",
        "",
    ),
    (
        "cert renew",
        "--cert ca.crt.pem --key ca.key.pem --passin file:pw --out new",
        "",
    ),
    (
        "p12 export",
        "--cert bot.crt.pem --key bot.key.pem --passin file:pw --chain ca.crt.pem --trusted ca.crt.pem \
         --trusted-passin file:pw --passout file:pw --out new",
        "",
    ),
    (
        "issue",
        "--ca-cert ca.crt.pem --ca-key ca.key.pem --ca-passin file:pw --type ec-p256 --subject /CN=x \
         --profile-file bot.toml --passout file:pw --dir d",
        "x.key.pem x.csr.pem x.crt.pem x.p12",
    ),
    (
        "pod serve",
        "--web-port 0 --api-port 0 --key-manager-port 0 --import ca.crt.pem --import-signing ca.crt.pem --dir d",
        "pod-root.pem",
    ),
];

#[test]
fn no_output_of_any_command_replaces_what_the_command_reads() {
    let sandbox = with_everything();
    fs::create_dir(sandbox.path("d")).unwrap();
    let mut tried = BTreeSet::new();
    for (command, flags) in commands(&sandbox) {
        let is_output = |flag: &str| flag.starts_with("--out") || flag == "--dir";
        let (outputs, inputs): (Vec<_>, Vec<_>) = flags
            .iter()
            .filter(|(_, value)| ["FILE", "SRC", "DIR"].contains(&value.as_str()))
            .partition(|(flag, _)| is_output(flag));
        if outputs.is_empty() || inputs.is_empty() {
            continue;
        }
        for (_, usual, in_dir) in CALLS.iter().filter(|(name, ..)| *name == command) {
            let usual: Vec<_> = usual.split_whitespace().collect();
            let usual: BTreeMap<_, _> = usual.chunks(2).map(|pair| (pair[0], pair[1])).collect();
            let is_given = |(flag, _): &&&(String, String)| {
                usual.contains_key(flag.as_str()) && flag != "--previous"
            };
            for (input, kind) in inputs.iter().filter(is_given) {
                for (output, _) in outputs.iter().filter(is_given) {
                    let places: Vec<_> = match output.as_str() {
                        "--dir" => in_dir.split(' ').map(|name| format!("d/{name}")).collect(),
                        _ => vec!["place".to_owned()],
                    };
                    for place in places {
                        let mut words = usual.clone();
                        let source = match kind.as_str() {
                            "SRC" => format!("file:{place}"),
                            _ => place.clone(),
                        };
                        words.insert(input, &source);
                        if *output != "--dir" {
                            words.insert(output, &place);
                        }
                        let words: Vec<_> = words
                            .iter()
                            .map(|(flag, it)| format!("{flag} {it}"))
                            .collect();
                        let line = format!("{command} {}", words.join(" "));
                        sandbox.write(&place, "precious");
                        let before = sandbox.contents();
                        let refusal = format!(
                            "error: {output} would replace {place}, which {input} reads\nhint: name another file\n"
                        );
                        if flags.iter().any(|(flag, _)| flag == "--force") {
                            sandbox.run(&format!("{line} --force")).misuses(&refusal);
                        }
                        sandbox.run(&line).misuses(&refusal);
                        assert!(sandbox.contents() == before, "{line}");
                        fs::remove_file(sandbox.path(&place)).unwrap();
                        tried.insert(format!("{command} {input}"));
                        tried.insert(format!("{command} {output}"));
                    }
                }
            }
        }
        for (flag, _) in inputs.iter().chain(&outputs) {
            // `ca crl` may put a CRL in the place of the one before.
            if *flag == "--previous" {
                continue;
            }
            let call = format!("{command} {flag}");
            assert!(tried.contains(&call), "how is {call} given?");
        }
    }
    for call in [
        "pod serve --import-signing",
        "issue --ca-passin",
        "p12 export --passin",
    ] {
        assert!(tried.contains(call), "{call} is not among {tried:?}");
    }
    for (command, ..) in CALLS {
        assert!(
            tried.iter().any(|call| call.starts_with(command)),
            "{command}"
        );
    }
}

/// All commands, and their flags with the names of their values, as the program itself tells them.
fn commands(sandbox: &Sandbox) -> BTreeMap<String, Vec<(String, String)>> {
    let mut found = BTreeMap::new();
    let mut left = vec![String::new()];
    while let Some(command) = left.pop() {
        let help = sandbox.run(&format!("{command} --help")).succeeds().stdout;
        let below = help.lines().skip_while(|line| *line != "Commands:").skip(1);
        let below: Vec<_> = below
            .take_while(|line| line.starts_with("  "))
            .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
            .filter(|name| !name.is_empty() && *name != "help")
            .map(|name| format!("{command} {name}").trim().to_owned())
            .collect();
        left.extend(below);
        let flags = help.lines().filter_map(|line| {
            let mut words = line.split_whitespace();
            let flag = words.next().filter(|word| word.starts_with("--"))?;
            let value = words.next().unwrap_or_default();
            Some((
                flag.to_owned(),
                value.trim_matches(['<', '>', '.']).to_owned(),
            ))
        });
        found.insert(command, flags.collect());
    }
    found
}

#[test]
fn a_file_that_is_not_there_is_an_input_all_the_same() {
    let sandbox = with_everything();
    let line = "csr create --passin env:PW --subject /CN=a --force --key";
    sandbox
        .run(&format!("{line} missing --out ./missing"))
        .misuses("error: --out would replace ./missing, which --key reads\n");

    // A run that was killed had published one of two files.
    let key = sandbox.read("bot.key.pem");
    fs::remove_file(sandbox.path("bot.key.pem")).unwrap();
    let set = fileset::FileSet::new()
        .file(sandbox.path("other"), fileset::Access::Owner, b"other")
        .file(sandbox.path("bot.key.pem"), fileset::Access::Owner, &key);
    let unfinished = fileset::Unfinished::new();
    let locked = fileset::lock(set.directories(), |_| {}).unwrap();
    std::mem::forget(locked.stage(&set, &unfinished).unwrap());
    drop(locked);
    let staging = sandbox
        .files()
        .into_iter()
        .find(|name| name.starts_with(".countersign-"));
    fs::rename(
        sandbox.path(staging.unwrap()).join("0.new"),
        sandbox.path("other"),
    )
    .unwrap();
    let outcome = sandbox.run(&format!("{line} bot.key.pem --out bot.key.pem"));
    assert!(
        outcome.stderr.starts_with(
            "warning: an earlier run was killed while it wrote its files; completed now: "
        ),
        "{}",
        outcome.stderr
    );
    outcome.misuses("error: --out would replace bot.key.pem, which --key reads\n");
    assert_eq!(sandbox.read("bot.key.pem"), key);
}

#[cfg(unix)]
#[test]
fn a_directory_that_another_run_made_and_removed_is_made_again() {
    let sandbox = Sandbox::with_authority();
    let fifo = sandbox.path("fifo");
    let made = std::process::Command::new("mkfifo")
        .arg(&fifo)
        .status()
        .unwrap();
    assert!(made.success());
    let line = "issue --ca-cert ca.crt.pem --ca-key ca.key.pem --type ec-p256 --subject /CN=x --passout file:fifo --dir new/d";
    let child = sandbox
        .command(line)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Once it reads its passphrase, it has found its directory.
    let mut passphrase = fs::OpenOptions::new().write(true).open(&fifo).unwrap();
    fs::remove_dir(sandbox.path("new/d")).unwrap();
    fs::remove_dir(sandbox.path("new")).unwrap();
    passphrase.write_all(b"correct horse\n").unwrap();
    drop(passphrase);
    Outcome::of(line, child.wait_with_output().unwrap()).succeeds();
    assert_eq!(fs::read_dir(sandbox.path("new/d")).unwrap().count(), 4);
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
