use crate::sandbox::Sandbox;

const EXPORT: &str = "p12 export --cert bot.crt.pem --key bot.key.pem --passin env:PW --chain ca.crt.pem \
                      --name demo-bot1 --iterations 10000 --passout env:PW --out bot.p12";

#[test]
fn a_bundle_holds_the_key_and_its_chain() {
    let sandbox = Sandbox::with_bot();
    let made = sandbox.run(EXPORT).succeeds();
    assert_eq!(made.stdout, "");
    assert_eq!(made.stderr, "bot.p12: PKCS#12 bundle of CN=demo-bot1\n");
    #[cfg(unix)]
    assert_eq!(sandbox.mode("bot.p12"), 0o600);

    let info = sandbox
        .run("p12 info bot.p12 --passin env:PW --json")
        .succeeds()
        .json();
    let info = &info["items"][0];
    assert_eq!(info["alias"], "demo-bot1");
    assert_eq!(info["integrity"], "HMAC with SHA-256, 10000 iterations");
    assert_eq!(info["privateKeys"][0]["algorithm"], "ECDSA P-256");
    assert_eq!(info["certificates"].as_array().unwrap().len(), 2);

    let text = sandbox
        .run("p12 info bot.p12 --passin env:PW")
        .succeeds()
        .stdout;
    for shown in [
        "demo-bot1",
        "SHA-256",
        "AES-256",
        "ECDSA P-256",
        "CN=Demo CA",
    ] {
        assert!(text.contains(shown), "{shown} in {text}");
    }
}

#[test]
fn a_bundle_needs_the_key_of_its_certificate() {
    let sandbox = Sandbox::with_bot();
    sandbox
        .run("p12 export --cert bot.crt.pem --key ca.key.pem --passout env:PW --out bot.p12")
        .fails(
            "error: ca.key.pem with bot.crt.pem: the private key does not match the certificate of CN=demo-bot1\n\
             hint: give the key that the certificate was issued for\n",
        );
    assert!(!sandbox.files().contains(&"bot.p12".to_owned()));
}

#[test]
fn a_bundle_takes_only_the_issuers_of_its_certificate() {
    let sandbox = Sandbox::with_bot();
    sandbox.script(
        "ca create --type ec-p256 --subject /CN=Stranger --out-cert other.crt.pem --out-key other.key.pem",
    );
    sandbox
        .run(&EXPORT.replace("ca.crt.pem", "other.crt.pem"))
        .fails(
            "error: bot.p12: the certificate of CN=Stranger is not part of the chain of CN=demo-bot1\n\
             hint: leave out the certificates that are not its issuers\n",
        );
}

#[test]
fn a_bundle_needs_a_passphrase() {
    let sandbox = Sandbox::with_bot();
    sandbox
        .run("p12 export --cert bot.crt.pem --key bot.key.pem --passin env:PW --out bot.p12")
        .fails(
            "error: the bundle needs a passphrase\n\
             hint: name its source with --passout: env:NAME, file:PATH, fd:N or stdin\n",
        );
    sandbox.script(EXPORT);
    sandbox.run("p12 info bot.p12").fails(
        "error: bot.p12 is encrypted and needs a passphrase\n\
         hint: name its source with --passin: env:NAME, file:PATH, fd:N or stdin\n",
    );
    sandbox.run("p12 info bot.p12 --passin env:WRONG").fails(
        "error: bot.p12: the passphrase does not open the PKCS#12 file\n\
         hint: check the passphrase that --passin gives\n",
    );
}

#[test]
fn a_passphrase_that_java_refuses_earns_a_warning() {
    let sandbox = Sandbox::with_bot();
    sandbox.write("pw", "Zoë\n");
    let made = sandbox
        .run(&EXPORT.replace("--passout env:PW", "--passout file:pw"))
        .succeeds();
    assert_eq!(
        made.stderr,
        "warning: the passphrase of the bundle is not ASCII: Java will refuse it\n\
         bot.p12: PKCS#12 bundle of CN=demo-bot1\n"
    );
}

#[test]
fn a_file_that_is_no_bundle_is_named() {
    let sandbox = Sandbox::with_bot();
    sandbox.run("p12 info bot.crt.pem --passin env:PW").fails(
        "error: bot.crt.pem: not a PKCS#12 bundle\n\
         hint: countersign inspect shows what other files hold\n",
    );
}

#[test]
fn a_damaged_bundle_is_named() {
    let sandbox = Sandbox::with_bot();
    sandbox.script(EXPORT);
    let mut bundle = sandbox.read("bot.p12");
    let last = bundle.len() - 20;
    bundle[last] ^= 1;
    sandbox.write("altered.p12", &bundle);
    sandbox.run("p12 info altered.p12 --passin env:PW").fails(
        "error: altered.p12: the MAC of the PKCS#12 file does not match its contents: \
         the file is damaged or was altered\n\
         hint: the file was damaged on its way here: get a fresh copy\n",
    );

    bundle.truncate(bundle.len() - 10);
    sandbox.write("short.p12", bundle);
    let outcome = sandbox.run("p12 info short.p12 --passin env:PW");
    assert_eq!(outcome.status, 1);
    assert!(
        outcome.stderr.starts_with("error: short.p12: malformed "),
        "{}",
        outcome.stderr
    );
}

#[test]
fn a_profile_chooses_the_algorithms() {
    let sandbox = Sandbox::with_bot();
    for (profile, integrity, encryption) in [
        ("modern", "HMAC with SHA-256, 10000 iterations", "AES-256"),
        (
            "pbmac1",
            "HMAC with SHA-256 (PBMAC1), 10000 iterations",
            "AES-256",
        ),
        ("legacy", "HMAC with SHA-1, 10000 iterations", "3DES"),
    ] {
        sandbox
            .run(&format!("{EXPORT} --profile {profile} --force"))
            .succeeds();
        let info = sandbox
            .run("p12 info bot.p12 --passin env:PW --json")
            .succeeds()
            .json();
        let info = &info["items"][0];
        assert_eq!(info["integrity"], integrity);
        let scheme = info["encryption"][0].as_str().unwrap();
        assert!(scheme.contains(encryption), "{scheme}");
        assert_eq!(info["certificates"][0]["alias"], "demo-bot1");
    }
}
