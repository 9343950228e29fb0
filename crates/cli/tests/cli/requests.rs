use crate::sandbox::Sandbox;

fn with_key() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.script("key generate --type ec-p256 --out key.pem");
    sandbox
}

#[test]
fn a_request_is_made_for_the_subject_of_the_workflow() {
    let sandbox = with_key();
    let made = sandbox
        .run(
            "csr create --key key.pem --out bot.csr.pem --subject \
             '/CN=demo-bot1/O=Excelsior Bank/OU=Collaboration Services/L=London/ST=London/C=GB'",
        )
        .succeeds();
    assert_eq!(made.stdout, "");
    assert_eq!(
        made.stderr,
        "bot.csr.pem: certificate request of \
         C=GB,ST=London,L=London,OU=Collaboration Services,O=Excelsior Bank,CN=demo-bot1\n"
    );
    assert!(
        sandbox
            .text("bot.csr.pem")
            .starts_with("-----BEGIN CERTIFICATE REQUEST-----\n")
    );
    #[cfg(unix)]
    assert_eq!(sandbox.mode("bot.csr.pem") & 0o600, 0o600);
}

#[test]
fn alternative_names_are_asked_for() {
    let sandbox = with_key();
    sandbox.script(
        "csr create --key key.pem --subject /CN=localhost --dns localhost --dns bot.example.com \
         --ip 127.0.0.1 --ip ::1 --email bot@example.com --out a.csr.pem",
    );
    let shown = sandbox.run("inspect a.csr.pem").succeeds().stdout;
    for name in [
        "localhost",
        "bot.example.com",
        "127.0.0.1",
        "::1",
        "bot@example.com",
    ] {
        assert!(shown.contains(name), "{name} in {shown}");
    }
}

#[test]
fn a_subject_that_can_not_be_encoded_is_misuse() {
    let sandbox = with_key();
    let long = format!("/CN={}", "x".repeat(65));
    for (subject, reason) in [
        (
            "/CN=a/C=GBR",
            "country \"GBR\" is not a two-letter ISO 3166 code such as \"GB\"",
        ),
        (
            "/CN=a/XY=b",
            "unknown attribute \"XY\" in a distinguished name",
        ),
        (
            long.as_str(),
            "attribute CN has 65 characters, more than the limit of 64",
        ),
        ("/CN=", "attribute CN has no value"),
    ] {
        sandbox
            .run(&format!(
                "csr create --key key.pem --subject '{subject}' --out a.csr.pem"
            ))
            .misuses(reason);
    }
    assert_eq!(sandbox.files(), ["key.pem"]);
}

#[test]
fn a_name_that_can_not_be_encoded_is_refused() {
    let sandbox = with_key();
    let outcome =
        sandbox.run("csr create --key key.pem --subject /CN=a --dns 'zoë.example' --out a.csr.pem");
    assert_eq!(outcome.status, 1);
    assert!(
        outcome
            .stderr
            .starts_with("error: the certificate request: invalid subject alternative name"),
        "{}",
        outcome.stderr
    );
    assert_eq!(sandbox.files(), ["key.pem"]);
}

#[test]
fn a_file_that_is_no_key_is_named() {
    let sandbox = Sandbox::new();
    let create = "csr create --key key.pem --subject /CN=a --out a.csr.pem";
    sandbox
        .run(create)
        .fails("error: key.pem: No such file or directory (os error 2)\n");

    sandbox.write("key.pem", "");
    sandbox.run(create).fails("error: key.pem: nothing in it\n");

    sandbox.write("key.pem", "not a key");
    let outcome = sandbox.run(create);
    assert_eq!(outcome.status, 1);
    assert!(
        outcome.stderr.starts_with("error: key.pem: "),
        "{}",
        outcome.stderr
    );
}

#[test]
fn a_key_can_come_from_standard_input_after_its_passphrase() {
    let sandbox = Sandbox::new();
    sandbox.script("key generate --type ec-p256 --passout env:PW --out key.pem");
    let mut input = format!("{}\n", crate::sandbox::PASSPHRASE).into_bytes();
    input.extend(sandbox.read("key.pem"));
    sandbox
        .run_with_input(
            "csr create --key - --passin stdin --subject /CN=a --out a.csr.pem",
            &input,
        )
        .succeeds();
}
