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
fn a_subject_with_a_control_character_is_misuse() {
    let sandbox = with_key();
    for (subject, reason) in [
        (
            "/CN=bot\r",
            "attribute CN holds the control character U+000D, a carriage return, with which lines end in files from \
             Windows: remove it, for example with tr -d '\\r'",
        ),
        (
            "CN=bot,O=Bank\t",
            "attribute O holds the control character U+0009",
        ),
        // Spelled out, so that it is read as it stands.
        (
            r"CN=bot\0D",
            "the subject CN=bot\\0D: attribute CN holds the control character U+000D",
        ),
    ] {
        for command in [
            "csr create --key key.pem --out a",
            "ca create --type ec-p256 --out-cert a --out-key b",
            "issue --ca-cert key.pem --ca-key key.pem --passout env:PW --dir a",
        ] {
            let outcome = sandbox.run(&format!("{command} --subject '{subject}'"));
            assert!(
                !outcome.stderr.contains(['\r', '\t']),
                "it drives the terminal"
            );
            outcome.misuses(reason);
        }
    }
    assert_eq!(sandbox.files(), ["key.pem"]);
}

#[test]
fn a_blank_at_an_end_of_a_value_earns_a_warning() {
    let sandbox = with_key();
    for (subject, warning) in [
        (
            "/CN=bot /O=Bank",
            "CN starts or ends with a blank, which is a part of the name: \"bot \"",
        ),
        (
            r"CN=\ bot",
            "CN starts or ends with a blank, which is a part of the name: \" bot\"",
        ),
        (
            "/CN=\u{feff}bot",
            "CN starts or ends with a blank, which is a part of the name: \"\\u{feff}bot\"",
        ),
        (
            "/CN=bot/O=Bank\u{a0}",
            "O starts or ends with a blank, which is a part of the name: \"Bank\\u{a0}\"",
        ),
    ] {
        let made = sandbox
            .run(&format!(
                "csr create --key key.pem --out a --force --subject '{subject}'"
            ))
            .succeeds();
        let warning = format!("warning: in the subject, {warning}\n");
        assert!(made.stderr.starts_with(&warning), "{}", made.stderr);
    }
    let made = sandbox
        .run("csr create --key key.pem --out a --force --subject '/CN=a bot/O=The Bank'")
        .succeeds();
    assert_eq!(
        made.stderr,
        "a: certificate request of O=The Bank,CN=a bot\n"
    );
}

#[test]
fn a_name_that_openssl_printed_is_misuse_and_a_suspicious_order_a_warning() {
    let sandbox = with_key();
    let create = "csr create --key key.pem --out a.csr --subject";
    sandbox
        .run(&format!("{create} 'C = GB, O = Excelsior, CN = bot'"))
        .misuses(
            "this looks like a name that openssl printed, which is in the opposite order of RFC 4514: \
             write '/C=GB/O=Excelsior/CN=bot' for openssl's order, or '/CN=bot/O=Excelsior/C=GB' for that of RFC 4514\n",
        );
    // Since OpenSSL 3.2, which other programs print the other way round.
    for (subject, openssl, rfc_4514) in [
        (
            "C=GB, O=Excelsior, CN=bot",
            "/C=GB/O=Excelsior/CN=bot",
            "/CN=bot/O=Excelsior/C=GB",
        ),
        (
            "CN=bot, O=Excelsior, C=GB",
            "/CN=bot/O=Excelsior/C=GB",
            "/C=GB/O=Excelsior/CN=bot",
        ),
    ] {
        for command in [
            "csr create --key key.pem --out a",
            "ca create --type ec-p256 --out-cert a --out-key b",
            "issue --ca-cert key.pem --ca-key key.pem --passout env:PW --dir a",
        ] {
            sandbox
                .run(&format!("{command} --subject '{subject}'"))
                .misuses(&format!(
                    "with blanks after its commas, this may be a name that openssl printed, which is in the opposite \
                     order of RFC 4514: write '{openssl}' for openssl's order, or '{rfc_4514}' for that of RFC 4514\n"
                ));
        }
    }
    let made = sandbox
        .run(&format!("{create} 'C=GB,O=Excelsior,CN=bot'"))
        .succeeds();
    assert_eq!(
        made.stderr,
        "warning: the subject C=GB,O=Excelsior,CN=bot is RFC 4514, which starts at the most specific end: its first \
         attribute is the last one in the certificate; write '/C=GB/O=Excelsior/CN=bot' if it should be the first\n\
         a.csr: certificate request of C=GB,O=Excelsior,CN=bot\n"
    );
    for quiet in [
        "CN=bot,O=Excelsior,C=GB",
        "/CN=bot/O=Excelsior/C=GB",
        "/C=GB/CN=bot",
    ] {
        let made = sandbox.run(&format!("{create} {quiet} --force")).succeeds();
        assert!(!made.stderr.contains("warning"), "{}", made.stderr);
    }
}

#[test]
fn an_alternative_name_of_the_wrong_kind_is_misuse() {
    let sandbox = with_key();
    for (flag, reason) in [
        ("--dns ''", "the name is empty"),
        ("--dns 'a b'", "invalid value 'a b' for '--dns <NAME>': "),
        (
            "--dns http://x",
            "this is a URL: give its host name alone, x",
        ),
        ("--dns x:443", "a host name has no port: give x"),
        (
            "--dns 1.2.3.4",
            "this is an IP address: give it as --ip 1.2.3.4",
        ),
        (
            "--dns a,b",
            "these are several names: repeat --dns for each",
        ),
        (
            "--dns '*.com'",
            "invalid value '*.com' for '--dns <NAME>': a wildcard stands before at least two labels, as in \"*.example.com\"",
        ),
        (
            "--dns zoë.example",
            "invalid value 'zoë.example' for '--dns <NAME>': ",
        ),
        (
            "--ip localhost",
            "this is a host name: give it as --dns localhost",
        ),
        (
            "--email notmail",
            "invalid value 'notmail' for '--email <ADDRESS>': ",
        ),
    ] {
        sandbox
            .run(&format!(
                "csr create --key key.pem --subject /CN=a {flag} --out a.csr.pem"
            ))
            .misuses(reason);
    }
    assert_eq!(sandbox.files(), ["key.pem"]);
}

#[test]
fn a_key_too_short_for_a_pod_earns_a_warning_where_the_request_may_be_a_bots() {
    let sandbox = Sandbox::new();
    sandbox.script("key generate --bits 2048 --out key.pem");
    let create = "csr create --key key.pem --subject /CN=a --out a --force";
    let warning = "warning: a Pod rejects RSA keys of less than 4096 bits\n";
    let made = sandbox.run(create).succeeds();
    assert!(made.stderr.starts_with(warning), "{}", made.stderr);
    let made = sandbox.run(&format!("{create} --dns localhost")).succeeds();
    assert!(!made.stderr.contains("warning"), "{}", made.stderr);
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
    assert_eq!(outcome.status, 3);
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

#[test]
fn what_was_taken_for_the_key_is_named() {
    let sandbox = Sandbox::with_bot();
    sandbox.script(
        "p12 export --cert bot.crt.pem --key bot.key.pem --passin env:PW --passout env:PW --out bot.p12",
    );
    let certificate = pki::Certificate::from_pem(sandbox.text("bot.crt.pem")).unwrap();
    sandbox.write("bot.crt", certificate.as_der());
    sandbox.write("bot.pub", certificate.public_key().unwrap().spki_der());
    for (file, found) in [
        ("bot.crt", "a certificate"),
        ("bot.pub", "a public key"),
        ("bot.p12", "a PKCS#12 file"),
    ] {
        sandbox
            .run(&format!(
                "csr create --key {file} --subject /CN=a --out a.csr.pem"
            ))
            .fails(&format!(
                "error: {file}: malformed private key: it is {found}\n"
            ));
    }
}

#[test]
fn standard_input_is_one_file() {
    let sandbox = Sandbox::with_bot();
    let input = sandbox.read("bot.crt.pem");
    sandbox
        .run_with_input(
            "p12 export --cert bot.crt.pem --key - --passin env:PW --chain - --passout env:PW --out a.p12",
            &sandbox.read("bot.key.pem"),
        )
        .misuses(
            "error: standard input: standard input was read to its end already, as another file\n\
             hint: only one file can be -, and passphrases must come before it\n",
        );
    sandbox
        .run_with_input(
            "p12 export --cert - --key bot.key.pem --passin env:PW --passout stdin --out a.p12",
            &input,
        )
        .misuses("error: --passout: standard input was read to its end already, as another file\n");
}

#[test]
fn a_subject_as_active_directory_writes_it_is_read_or_explained() {
    let sandbox = Sandbox::with_bot();
    let create = |subject: &str| {
        sandbox.run(&format!(
            "csr create --key bot.key.pem --passin env:PW --force --out a.csr.pem --subject {subject}"
        ))
    };
    let made = create("'CN=\"Bot, the 1st\";E=bot@example.com;O=Bank'").succeeds();
    assert_eq!(
        made.stderr,
        "a.csr.pem: certificate request of CN=Bot\\, the 1st,emailAddress=bot@example.com,O=Bank\n"
    );
    create("CN=bot,")
        .misuses("malformed distinguished name at character 7: nothing follows this separator");
}

#[test]
fn an_rsa_key_signs_as_it_is_told() {
    let sandbox = Sandbox::new();
    sandbox.script("key generate --bits 2048 --out key.pem");
    for (name, algorithm) in [
        ("rsa-sha256", "sha256WithRSAEncryption"),
        ("rsa-sha384", "sha384WithRSAEncryption"),
        ("rsa-sha512", "sha512WithRSAEncryption"),
        ("rsa-pss-sha256", "RSASSA-PSS with SHA-256"),
        ("rsa-pss-sha384", "RSASSA-PSS with SHA-384"),
        ("rsa-pss-sha512", "RSASSA-PSS with SHA-512"),
    ] {
        let report = sandbox
            .run(&format!(
                "csr create --key key.pem --subject /CN=a --dns a --signature-algorithm {name} --out a.csr --force --json"
            ))
            .succeeds()
            .json();
        let item = &report["report"]["items"][0];
        assert_eq!(item["signatureAlgorithm"], algorithm);
        assert_eq!(item["signatureVerifies"], true);
    }
}
