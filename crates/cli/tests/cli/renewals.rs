//! `cert self-sign` and `cert renew`.

use std::time::Duration;

use pki::Certificate;

use crate::sandbox::Sandbox;

fn certificate(sandbox: &Sandbox, name: &str) -> Certificate {
    Certificate::from_pem(sandbox.read(name)).unwrap()
}

/// With `key.pem` and `other.pem`.
fn with_keys() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.script(
        "key generate --type ec-p256 --out key.pem
         key generate --type ec-p256 --out other.pem",
    );
    sandbox
}

const SELF_SIGN: &str = "cert self-sign --key key.pem --subject /CN=localhost --out a.crt";

#[test]
fn a_self_signed_certificate_is_for_a_server_unless_told_otherwise() {
    let sandbox = with_keys();
    let made = sandbox
        .run(&format!(
            "{SELF_SIGN} --dns localhost --ip ::1 --days 30 --serial 0x7 --json"
        ))
        .succeeds();
    assert_eq!(
        made.stderr,
        "a.crt: certificate of CN=localhost, serial number 0x7\n"
    );
    let item = &made.json()["report"]["items"][0];
    assert_eq!(item["issuer"], "CN=localhost");
    assert_eq!(item["selfSigned"], true);
    assert_eq!(item["ca"], false);
    assert_eq!(item["extendedKeyUsage"], serde_json::json!(["serverAuth"]));
    assert_eq!(
        item["subjectAltNames"],
        serde_json::json!(["DNS:localhost", "IP:::1"])
    );
    let made = certificate(&sandbox, "a.crt");
    made.verify_issued_by(&made).unwrap();

    sandbox
        .run(&format!("{SELF_SIGN} --profile client --force"))
        .succeeds();
    let shown = sandbox.run("inspect a.crt").succeeds().stdout;
    assert!(shown.contains("extendedKeyUsage: clientAuth\n"), "{shown}");
}

#[test]
fn a_self_signed_certificate_has_the_names_that_were_typed_or_there_is_none() {
    let sandbox = with_keys();
    sandbox
        .run(&format!("{SELF_SIGN} --profile client --dns localhost"))
        .refuses(
            "error: the profile client does not grant DNS:localhost\n\
             hint: --profile server grants names, and so does --profile peer\n",
        );
    sandbox.run(SELF_SIGN).refuses(
        "error: the certificate of CN=localhost: the profile can not be applied: it requires at least one subject \
         alternative name\n\
         hint: name it with --dns, --ip or --email, where its request is made\n",
    );
    assert_eq!(sandbox.files(), ["key.pem", "other.pem"]);
}

#[test]
fn a_self_signed_certificate_follows_a_profile_of_ones_own() {
    let sandbox = with_keys();
    sandbox.write(
        "p.toml",
        "extended-key-usage = ['serverAuth']\n\
         subject.fixed = '/CN=fixed'\n\
         validity = { for = '12h' }\n\
         [names]\n\
         matching = ['DNS:*.example.com']\n",
    );
    let made = sandbox
        .run(&format!(
            "{SELF_SIGN} --profile-file p.toml --dns a.example.com --json"
        ))
        .succeeds();
    assert_eq!(
        made.stderr,
        format!(
            "warning: the profile p.toml does not grant what the request asks for: the subject CN=localhost\n\
             a.crt: certificate of CN=fixed, serial number {}\n",
            certificate(&sandbox, "a.crt").serial_number()
        )
    );
    assert_eq!(
        made.json()["ungranted"],
        serde_json::json!(["the subject CN=localhost"])
    );
    let outcome = sandbox.run(&format!(
        "{SELF_SIGN} --force --profile-file p.toml --dns a.example.org"
    ));
    assert_eq!(outcome.status, 1);
    assert!(
        outcome
            .stderr
            .contains("DNS:a.example.org is not among the names that the profile grants"),
        "{}",
        outcome.stderr
    );
    sandbox.write("p.toml", "names = 'none'\n");
    sandbox
        .run(&format!(
            "{SELF_SIGN} --force --profile-file p.toml --days 3"
        ))
        .misuses("cannot be used with");
}

#[test]
fn a_root_is_not_made_by_self_signing() {
    with_keys()
        .run(&format!("{SELF_SIGN} --profile intermediate"))
        .misuses(
            "error: a CA that its own key signs is a root\n\
             hint: countersign ca create makes one, with its key\n",
        );
}

const RENEW: &str = "cert renew --ca-cert ca.crt.pem --ca-key ca.key.pem";

/// How long a certificate is valid.
fn length(certificate: &Certificate) -> Duration {
    let pki::Validity {
        not_before,
        not_after,
        ..
    } = certificate.validity();
    not_after.duration_since(not_before).unwrap()
}

/// With a CA and a server.
fn with_server() -> Sandbox {
    let sandbox = Sandbox::with_authority();
    sandbox.script(
        "key generate --type ec-p256 --out key.pem
         csr create --key key.pem --subject /CN=a.example --dns a.example --dns b.example --out a.csr
         ca sign --ca-cert ca.crt.pem --ca-key ca.key.pem --csr a.csr --profile server --days 10 --out a.crt
         key generate --type ec-p256 --out new.pem
         csr create --key new.pem --subject /CN=a.example --dns a.example --out new.csr",
    );
    sandbox
}

#[test]
fn a_renewed_certificate_is_as_before_for_longer() {
    let sandbox = with_server();
    let made = sandbox
        .run(&format!("{RENEW} --cert a.crt --out b.crt --json"))
        .succeeds();
    assert_eq!(made.json()["ungranted"], serde_json::json!([]));
    let (old, new) = (
        certificate(&sandbox, "a.crt"),
        certificate(&sandbox, "b.crt"),
    );
    assert_eq!(
        made.stderr,
        format!(
            "b.crt: certificate of CN=a.example, serial number {}\n",
            new.serial_number()
        )
    );
    assert_ne!(old.serial_number(), new.serial_number());
    assert_eq!(length(&new), length(&old));
    assert!(new.validity().not_after >= old.validity().not_after);
    assert_eq!(old.public_key(), new.public_key());
    assert_eq!(old.subject_alt_names(), new.subject_alt_names());
    assert!(old.extensions().eq(new.extensions()));
    new.verify_issued_by(&certificate(&sandbox, "ca.crt.pem"))
        .unwrap();

    sandbox
        .run(&format!(
            "{RENEW} --cert a.crt --out c.crt --days 3 --serial 9"
        ))
        .succeeds();
    let short = certificate(&sandbox, "c.crt");
    assert!(short.validity().not_after < old.validity().not_after);
    assert_eq!(short.serial_number().to_string(), "0x9");
}

#[test]
fn of_a_request_a_renewal_takes_the_key_alone() {
    let sandbox = with_server();
    sandbox
        .script("csr create --key new.pem --subject /CN=a.example --dns c.example --out more.csr");
    let made = sandbox
        .run(&format!("{RENEW} --cert a.crt --csr more.csr --out b.crt"))
        .succeeds();
    let (old, new) = (
        certificate(&sandbox, "a.crt"),
        certificate(&sandbox, "b.crt"),
    );
    assert_eq!(
        made.stderr,
        format!(
            "warning: the certificate keeps the names that it has, and gets none of more.csr: DNS:c.example\n\
             b.crt: certificate of CN=a.example, serial number {}\n",
            new.serial_number()
        )
    );
    assert_eq!(old.subject_alt_names(), new.subject_alt_names());
    assert_ne!(old.public_key(), new.public_key());
    let request = pki::CertificateRequest::from_pem(sandbox.read("more.csr")).unwrap();
    assert_eq!(new.public_key().as_ref(), Ok(request.public_key()));
    // With names that the certificate has, there is nothing to tell.
    let made = sandbox
        .run(&format!("{RENEW} --cert a.crt --csr new.csr --out c.crt"))
        .succeeds();
    assert!(!made.stderr.contains("warning"), "{}", made.stderr);
}

#[test]
fn a_request_of_somebody_else_renews_nothing() {
    let sandbox = with_server();
    sandbox.script("csr create --key new.pem --subject /CN=other --out other.csr");
    sandbox
        .run(&format!("{RENEW} --cert a.crt --csr other.csr --out b.crt"))
        .refuses(
            "error: other.csr: a request of CN=other, while the certificate is about CN=a.example\n\
             hint: countersign ca sign makes a certificate with another subject\n",
        );
    let mut altered = pki::CertificateRequest::from_pem(sandbox.read("new.csr"))
        .unwrap()
        .as_der()
        .to_vec();
    *altered.last_mut().unwrap() ^= 1;
    sandbox.write("altered.csr", altered);
    sandbox
        .run(&format!("{RENEW} --cert a.crt --csr altered.csr --out b.crt"))
        .refuses(
            "error: altered.csr: the signature of the certificate request does not match its public key\n\
             hint: the request was altered after it was signed: have it made again\n",
        );
    assert!(!sandbox.files().contains(&"b.crt".to_owned()));
}

#[test]
fn what_the_profile_would_not_grant_any_more_is_kept_and_told() {
    let sandbox = with_server();
    sandbox.write(
        "p.toml",
        "extended-key-usage = ['serverAuth']\n\
         key-usage = ['digitalSignature']\n\
         [names]\n\
         matching = ['DNS:a.example']\n",
    );
    let made = sandbox
        .run(&format!(
            "{RENEW} --cert a.crt --profile-file p.toml --out b.crt --json"
        ))
        .succeeds();
    let told = "DNS:b.example is not among the names that the profile grants: DNS:a.example";
    assert_eq!(made.json()["ungranted"], serde_json::json!([told]));
    assert!(
        made.stderr.starts_with(&format!(
            "warning: kept as it was, although the profile p.toml would not grant it to a new certificate: {told}\n"
        )),
        "{}",
        made.stderr
    );
    let new = certificate(&sandbox, "b.crt");
    assert_eq!(
        new.subject_alt_names(),
        certificate(&sandbox, "a.crt").subject_alt_names()
    );
}

#[test]
fn where_no_profile_is_named_it_is_that_of_the_certificate() {
    let sandbox = with_server();
    let sign = "ca sign --ca-cert ca.crt.pem --ca-key ca.key.pem --csr a.csr --out x.crt --force --profile";
    for profile in ["client", "server", "peer", "intermediate"] {
        sandbox.run(&format!("{sign} {profile}")).succeeds();
        let renew = format!("{RENEW} --cert x.crt --out y.crt --force");
        let made = sandbox.run(&renew).succeeds();
        assert!(
            !made.stderr.contains("warning"),
            "{profile}: {}",
            made.stderr
        );
        let [old, new] = ["x.crt", "y.crt"].map(|name| certificate(&sandbox, name));
        assert!(old.extensions().eq(new.extensions()), "{profile}");
    }
    sandbox.run(&format!("{sign} peer")).succeeds();
    let made = sandbox
        .run(&format!(
            "{RENEW} --cert x.crt --profile server --out z.crt"
        ))
        .succeeds();
    assert!(
        made.stderr.starts_with(
            "warning: kept as it was, although the profile server would not grant it "
        ),
        "{}",
        made.stderr
    );
}

#[test]
fn a_self_signed_certificate_is_renewed_by_its_key_or_by_a_new_one() {
    let sandbox = with_keys();
    sandbox.script(&format!("{SELF_SIGN} --dns localhost --days 3"));
    let old = certificate(&sandbox, "a.crt");
    for (key, is_same) in [("key.pem", true), ("other.pem", false)] {
        sandbox
            .run(&format!(
                "cert renew --cert a.crt --key {key} --out b.crt --force"
            ))
            .succeeds();
        let new = certificate(&sandbox, "b.crt");
        new.verify_issued_by(&new).unwrap();
        assert_eq!(new.public_key() == old.public_key(), is_same);
        assert_eq!(new.subject_alt_names(), old.subject_alt_names());
        assert_eq!(new.issuer(), old.subject());
        assert_eq!(length(&new), length(&old));
        assert!(new.validity().not_after >= old.validity().not_after);
    }
}

#[test]
fn only_who_issued_a_certificate_renews_it() {
    let sandbox = with_server();
    sandbox.script(
        "ca create --type ec-p256 --subject /CN=Other --out-cert other.crt --out-key other.key",
    );
    sandbox
        .run("cert renew --ca-cert other.crt --ca-key other.key --cert a.crt --out b.crt")
        .refuses(
            "error: renewing a.crt: the certificate of CN=a.example was issued by C=GB,O=Excelsior Bank,CN=Demo CA, not by \
             CN=Other\n\
             hint: give the certificate of the CA that issued it\n",
        );
    sandbox
        .run("cert renew --key key.pem --cert a.crt --out b.crt")
        .refuses(
            "error: renewing a.crt: the certificate of CN=a.example was issued by C=GB,O=Excelsior Bank,CN=Demo CA, not by \
             CN=a.example\n\
             hint: give the certificate of the CA that issued it\n",
        );
    sandbox
        .run("cert renew --cert a.crt --out b.crt")
        .misuses("--ca-key <FILE>|--signer-command <CMD>|--print-tbs|--key <FILE>");
    sandbox
        .run("cert renew --cert a.crt --out b.crt --print-tbs")
        .misuses(
            "error: a.crt: its own key did not sign it\n\
             hint: name its CA with --ca-cert: C=GB,O=Excelsior Bank,CN=Demo CA\n",
        );
    sandbox
        .run(&format!("{RENEW} --key key.pem --cert a.crt --out b.crt"))
        .misuses("cannot be used with");
    assert!(!sandbox.files().contains(&"b.crt".to_owned()));
}

#[test]
fn a_renewal_beyond_the_end_of_the_ca_is_refused_with_the_way_out() {
    let sandbox = with_server();
    let outcome = sandbox.run(&format!("{RENEW} --cert a.crt --days 9999 --out b.crt"));
    assert_eq!(outcome.status, 1);
    assert!(
        outcome
            .stderr
            .contains("\nhint: ask for fewer --days, or leave them out: "),
        "{}",
        outcome.stderr
    );
}
