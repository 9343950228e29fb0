use std::fs;

use crate::sandbox::{Outcome, Sandbox};

const STEPS: [&str; 10] = [
    "CA",
    "private key",
    "request",
    "certificate",
    "bundle",
    "pod",
    "import",
    "service user",
    "authenticate",
    "echo",
];

#[test]
fn it_goes_the_whole_way_and_can_be_repeated() {
    let sandbox = Sandbox::new();
    let temporary = |line: &str| {
        let output = sandbox
            .command(line)
            .env("TMPDIR", sandbox.path(""))
            .output()
            .unwrap();
        Outcome::of(line, output).succeeds()
    };

    let shown = temporary("quickstart");
    assert_eq!(shown.stderr, "");
    for (number, step) in (1..).zip(STEPS) {
        assert!(
            shown.stdout.contains(&format!("{number:2}  {step}")),
            "{step} in {}",
            shown.stdout
        );
    }
    let report = temporary("quickstart --json").json();

    let directory = report["directory"].as_str().unwrap();
    let mut names: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "ca.crt.pem",
            "ca.key.pem",
            "demo-bot1.crt.pem",
            "demo-bot1.csr.pem",
            "demo-bot1.key.pem",
            "demo-bot1.p12",
            "passphrase.txt"
        ]
    );
    let passphrase = fs::read_to_string(format!("{directory}/passphrase.txt")).unwrap();
    assert_eq!(passphrase.trim_end().len(), 32);
    assert!(!report.to_string().contains(passphrase.trim_end()));
    #[cfg(unix)]
    for secret in [
        "ca.key.pem",
        "demo-bot1.key.pem",
        "demo-bot1.p12",
        "passphrase.txt",
    ] {
        assert_eq!(sandbox.mode(&format!("{directory}/{secret}")), 0o600);
    }

    let steps: Vec<_> = report["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["step"].as_str().unwrap())
        .collect();
    assert_eq!(steps, STEPS);
    assert!(report["steps"].as_array().unwrap().iter().all(|step| {
        step["seconds"]
            .as_f64()
            .is_some_and(|seconds| seconds > 0.0)
            && step["made"].as_str().is_some_and(|made| !made.is_empty())
    }));

    let bundle = sandbox
        .run(&format!(
            "p12 info '{directory}/demo-bot1.p12' --passin 'file:{directory}/passphrase.txt' --json"
        ))
        .succeeds()
        .json();
    assert_eq!(
        bundle["items"][0]["privateKeys"][0]["algorithm"],
        "RSA 4096"
    );
}

#[test]
fn it_replaces_nothing_unasked() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path("demo")).unwrap();
    sandbox.write("demo/demo-bot1.p12", "precious");
    sandbox.run("quickstart --dir demo").fails(
        "error: demo/demo-bot1.p12: already exists\n\
         hint: choose another name, or replace it with --force\n",
    );
    assert_eq!(fs::read_dir(sandbox.path("demo")).unwrap().count(), 1);
}
