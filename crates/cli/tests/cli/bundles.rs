use std::time::{Duration, SystemTime};

use pki::{
    CertificateAuthority, CertificateRequest, KeyKind, PrivateKey, Profile, SubjectAltName,
    Validity,
};

use crate::{
    foreign::{V1_BOT, V1_BOT_KEY, V1_ROOT},
    sandbox::{PASSPHRASE, Sandbox},
};

const EXPORT: &str = "p12 export --cert bot.crt.pem --key bot.key.pem --passin env:PW --chain ca.crt.pem \
                      --name demo-bot1 --iterations 10000 --passout env:PW --out bot.p12";

#[test]
fn an_entry_is_named_as_asked_for_or_after_the_common_name() {
    let sandbox = Sandbox::with_bot();
    for (name, alias) in [("--name another", "another"), ("", "demo-bot1")] {
        let export = EXPORT.replace("--name demo-bot1", name);
        sandbox.run(&format!("{export} --force")).succeeds();
        let info = sandbox
            .run("p12 info bot.p12 --passin env:PW --json")
            .succeeds()
            .json();
        assert_eq!(info["items"][0]["alias"], alias);
    }
}

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
        .refuses(
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
        .run(&EXPORT.replace("ca.crt.pem", "ca.crt.pem --chain other.crt.pem"))
        .refuses(
            "error: bot.p12: the certificate of CN=Stranger is not part of the chain of CN=demo-bot1\n\
             hint: leave out the certificates that are not its issuers\n",
        );
}

/// Below the CA, the intermediate `bots`, and the bot's `below.crt.pem` below that.
fn with_intermediate() -> Sandbox {
    let sandbox = Sandbox::with_bot();
    sandbox.script(
        "ca create --type ec-p256 --subject /CN=Bots --parent-cert ca.crt.pem --parent-key ca.key.pem \
         --out-cert bots.crt.pem --out-key bots.key.pem
         ca sign --ca-cert bots.crt.pem --ca-key bots.key.pem --csr bot.csr.pem --out below.crt.pem",
    );
    sandbox
}

#[test]
fn a_root_alone_is_refused_for_the_intermediate_that_is_missing() {
    with_intermediate()
        .run(&EXPORT.replace("bot.crt.pem", "below.crt.pem"))
        .refuses(
            "error: bot.p12: the certificate of C=GB,O=Excelsior Bank,CN=Demo CA is not part of the chain of \
             CN=demo-bot1, which breaks off where that of CN=Bots is missing\n\
             hint: add the certificate of CN=Bots, with --chain or to the file, if it leads on to that one; otherwise leave that one \
             out\n",
        );
}

#[test]
fn a_chain_that_ends_before_a_root_earns_a_warning() {
    let sandbox = with_intermediate();
    let export = EXPORT.replace("bot.crt.pem", "below.crt.pem") + " --force";
    for (chain, end) in [
        ("", "that of CN=demo-bot1 was issued by CN=Bots"),
        (
            "--chain bots.crt.pem",
            "that of CN=Bots was issued by C=GB,O=Excelsior Bank,CN=Demo CA",
        ),
    ] {
        let made = sandbox
            .run(&export.replace("--chain ca.crt.pem", chain))
            .succeeds();
        assert_eq!(
            made.stderr,
            format!(
                "warning: the chain ends before a root: a Pod must know the missing issuer itself, and not only one \
                 further up: {end}\n\
                 bot.p12: PKCS#12 bundle of CN=demo-bot1\n"
            )
        );
    }
    let whole = "--chain ca.crt.pem --chain bots.crt.pem";
    let made = sandbox
        .run(&export.replace("--chain ca.crt.pem", whole))
        .succeeds();
    assert_eq!(made.stderr, "bot.p12: PKCS#12 bundle of CN=demo-bot1\n");
}

#[test]
fn a_certificate_that_no_pod_will_take_earns_a_warning() {
    let sandbox = Sandbox::with_authority();
    let day = Duration::from_secs(24 * 60 * 60);
    let now = SystemTime::now();
    let between = |from, to| Validity {
        not_before: from,
        not_after: to,
    };
    let root = CertificateAuthority::create_root(
        "/CN=Old Root".parse().unwrap(),
        PrivateKey::generate(KeyKind::EcP256).unwrap(),
        &Profile::root().validity(between(now - 9 * day, now + 90 * day)),
    )
    .unwrap();
    sandbox.write("root.pem", root.certificate().to_pem());
    let names = [SubjectAltName::dns("localhost").unwrap()];
    let expired = Profile::client().validity(between(now - 9 * day, now - day));
    let to_come = Profile::client().validity(between(now + day, now + 80 * day));
    for (kind, profile, warning) in [
        (
            KeyKind::EcP256,
            expired,
            "the client certificate has expired: on ",
        ),
        (
            KeyKind::EcP256,
            to_come,
            "the client certificate is not valid yet: until ",
        ),
        (
            KeyKind::EcP256,
            Profile::server().valid_for_days(60),
            "the certificate is not for TLS clients (no clientAuth in its extended key usage): only serverAuth\n",
        ),
        (
            KeyKind::EcP256,
            Profile::intermediate().valid_for_days(60),
            "the client certificate is that of a CA, which many servers refuse from a client\n",
        ),
        (
            KeyKind::Rsa2048,
            Profile::client().valid_for_days(60),
            "the RSA key is shorter than the 4096 bits that a Pod asks for: RSA 2048\n",
        ),
    ] {
        let key = PrivateKey::generate(kind).unwrap();
        let request = CertificateRequest::builder("/CN=bot".parse().unwrap());
        let request = names
            .iter()
            .fold(request, |request, name| {
                request.subject_alt_name(name.clone())
            })
            .sign(&key)
            .unwrap();
        let certificate = root.issue(&request.verify().unwrap(), &profile).unwrap();
        sandbox.write("key.pem", key.to_pem().unwrap());
        sandbox.write("crt.pem", certificate.to_pem());
        let made = sandbox
            .run(
                "p12 export --cert crt.pem --key key.pem --chain root.pem --iterations 1000 --passout env:PW \
                 --out bot.p12 --force",
            )
            .succeeds();
        let (told, note) = made.stderr.trim_end().rsplit_once('\n').unwrap();
        assert_eq!(note, "bot.p12: PKCS#12 bundle of CN=bot");
        assert!(
            format!("{told}\n").starts_with(&format!("warning: {warning}")),
            "{told}"
        );
        assert_eq!(told.lines().count(), 1, "{told}");
    }
}

#[test]
fn a_certificate_of_version_1_earns_a_warning() {
    let sandbox = Sandbox::new();
    sandbox.write("root.crt", V1_ROOT);
    sandbox.write("bot.crt", V1_BOT);
    sandbox.write("bot.key", V1_BOT_KEY);
    let made = sandbox
        .run(
            "p12 export --cert bot.crt --key bot.key --chain root.crt --iterations 1000 --passout env:PW --out bot.p12",
        )
        .succeeds();
    assert_eq!(
        made.stderr,
        "warning: the client certificate is X.509 version 1, which many servers and clients refuse \
         (UnsupportedCertVersion)\n\
         bot.p12: PKCS#12 bundle of CN=v1-bot\n"
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
    assert_eq!(outcome.status, 3);
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

#[test]
fn trusted_certificates_make_a_trust_store() {
    let sandbox = Sandbox::with_bot();
    let made = sandbox
        .run("p12 export --trusted ca.crt.pem --iterations 10000 --passout env:PW --out trust.p12")
        .succeeds();
    assert_eq!(
        made.stderr,
        "trust.p12: PKCS#12 bundle of trusted certificates\n"
    );
    let info = sandbox
        .run("p12 info trust.p12 --passin env:PW --json")
        .succeeds()
        .json();
    let info = &info["items"][0];
    assert_eq!(info["privateKeys"].as_array().unwrap().len(), 0);
    assert_eq!(info["certificates"][0]["alias"], "Demo CA");
    assert_eq!(info["certificates"][0]["trusted"], true);
}

#[test]
fn trust_stores_with_a_passphrase_are_opened() {
    let sandbox = Sandbox::with_bot();
    sandbox.script(
        "p12 export --trusted ca.crt.pem --iterations 1000 --passout env:PW --out trust.p12
         ca create --type ec-p256 --subject /CN=Other --out-cert other.crt.pem --out-key other.key.pem",
    );
    let again = "p12 export --trusted trust.p12 --iterations 1000 --passout env:PW --out again.p12";
    sandbox.run(again).fails(
        "error: trust.p12 is encrypted and needs a passphrase\n\
         hint: name its source with --trusted-passin: env:NAME, file:PATH, fd:N or stdin\n",
    );
    sandbox
        .run(&format!("{again} --trusted-passin env:WRONG"))
        .fails(
            "error: trust.p12: the passphrase does not open the PKCS#12 file\n\
             hint: check the passphrase that --trusted-passin gives\n",
        );
    // One line of standard input for all of them, and it does no harm to those that need none.
    sandbox
        .run_with_input(
            &format!("{again} --trusted other.crt.pem --trusted-passin stdin"),
            format!("{PASSPHRASE}\n").as_bytes(),
        )
        .succeeds();
    let info = sandbox
        .run("p12 info again.p12 --passin env:PW --json")
        .succeeds()
        .json();
    let certificates = info["items"][0]["certificates"].as_array().unwrap();
    let aliases: Vec<_> = certificates.iter().map(|it| &it["alias"]).collect();
    assert_eq!(aliases, ["Demo CA", "Other"]);
    assert!(certificates.iter().all(|it| it["trusted"] == true));
}

#[test]
fn a_bundle_does_not_replace_the_passphrase_of_a_trust_store() {
    let sandbox = Sandbox::with_bot();
    sandbox.write("pw", format!("{PASSPHRASE}\n"));
    sandbox
        .run(
            "p12 export --trusted ca.crt.pem --trusted-passin file:pw --iterations 1000 --passout env:PW --out ./pw \
             --force",
        )
        .misuses("--trusted-passin");
    assert_eq!(sandbox.text("pw"), format!("{PASSPHRASE}\n"));
}

#[test]
fn a_certificate_may_stand_behind_those_of_its_issuers() {
    let sandbox = Sandbox::with_bot();
    let text = sandbox.text("ca.crt.pem") + &sandbox.text("bot.crt.pem");
    sandbox.write("both.pem", text);
    sandbox.script(
        "p12 export --cert both.pem --key bot.key.pem --passin env:PW --passout env:PW --out bot.p12",
    );
    let info = sandbox
        .run("p12 info bot.p12 --passin env:PW --json")
        .succeeds()
        .json();
    let subjects = info.to_string().matches("\"subject\":").count();
    assert_eq!(subjects, 2, "{info}");
}
