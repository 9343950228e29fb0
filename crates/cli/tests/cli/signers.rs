//! Keys that are not in this program: commands that sign, and signatures that are carried here.

use pki::{
    Certificate, CertificateRequest, Crl, Digest, KeyKind, PrivateKey, PublicKey,
    SignatureAlgorithm, Signer,
};
use serde_json::json;

use crate::sandbox::{Outcome, Sandbox};

/// A CA whose private key is nowhere in the sandbox.
fn without_ca_key() -> (Sandbox, PrivateKey) {
    let sandbox = Sandbox::with_bot();
    let key = PrivateKey::from_pem(sandbox.read("ca.key.pem"), None).unwrap();
    std::fs::remove_file(sandbox.path("ca.key.pem")).unwrap();
    (sandbox, key)
}

fn signed(key: &PrivateKey, message: &[u8]) -> Vec<u8> {
    let algorithm = SignatureAlgorithm::usual_for(key.algorithm());
    Signer::sign(key, algorithm, message).unwrap()
}

fn certificate(sandbox: &Sandbox, name: &str) -> Certificate {
    Certificate::from_pem(sandbox.read(name)).unwrap()
}

/// The report on what was made, but for what isn't known before there is a signature.
fn unsigned(made: &Outcome) -> serde_json::Value {
    let mut item = made.json()["report"]["items"][0].clone();
    let fields = item.as_object_mut().unwrap();
    let of_signed = ["sha256Fingerprint", "selfSigned", "signatureVerifies"];
    assert!(
        of_signed
            .map(|name| fields.remove(name))
            .iter()
            .any(Option::is_some)
    );
    item
}

fn assert_issued(sandbox: &Sandbox, name: &str) {
    let ca = certificate(sandbox, "ca.crt.pem");
    certificate(sandbox, name).verify_issued_by(&ca).unwrap();
}

const SIGN: &str = "ca sign --ca-cert ca.crt.pem --csr bot.csr.pem";
const CRL: &str = "ca crl --ca-cert ca.crt.pem";
const RENEW: &str = "cert renew --ca-cert ca.crt.pem --cert bot.crt.pem";
const BELOW: &str = "ca create --parent-cert ca.crt.pem --type ec-p256 --subject /CN=Bots";
const ISSUE: &str = "issue --ca-cert ca.crt.pem --type ec-p256 --subject /CN=bot";
const ASSEMBLE: &str = "ca assemble --ca-cert ca.crt.pem";

#[test]
fn a_certificate_is_signed_on_another_machine() {
    let (sandbox, key) = without_ca_key();
    let prepared = sandbox
        .run(&format!("{SIGN} --print-tbs --serial 0x1234 --out bot.tbs"))
        .succeeds();
    assert_eq!(
        prepared.stderr,
        "bot.tbs: to be signed with ecdsa-with-SHA256 by the key of C=GB,O=Excelsior Bank,CN=Demo CA, for example so:\n  \
         openssl dgst -sha256 -sign KEY -out SIGNATURE TBS\n  \
         countersign ca assemble --ca-cert FILE --tbs TBS --signature SIGNATURE --out FILE\n"
    );
    sandbox.write("bot.sig", signed(&key, &sandbox.read("bot.tbs")));
    let made = sandbox
        .run(&format!(
            "{ASSEMBLE} --tbs bot.tbs --signature bot.sig --out new.crt.pem"
        ))
        .succeeds();
    assert_eq!(
        made.stderr,
        "new.crt.pem: certificate of CN=demo-bot1, serial number 0x1234\n"
    );
    assert_issued(&sandbox, "new.crt.pem");
}

#[test]
fn a_crl_is_signed_on_another_machine() {
    let (sandbox, key) = without_ca_key();
    let prepared = sandbox
        .run(&format!("{CRL} --revoke 7 --print-tbs --out ca.tbs --json"))
        .succeeds();
    assert_eq!(
        [&prepared.json()["tbs"], &prepared.json()["digest"]],
        ["ca.tbs", "sha256"]
    );
    assert_eq!(prepared.json()["signatureAlgorithm"], "ecdsa-with-SHA256");
    sandbox.write("ca.sig", signed(&key, &sandbox.read("ca.tbs")));
    let made = sandbox
        .run(&format!(
            "{ASSEMBLE} --tbs ca.tbs --signature ca.sig --out ca.crl.pem --json"
        ))
        .succeeds();
    assert_eq!(made.json()["crl"], "ca.crl.pem");
    assert_eq!(made.json()["report"]["items"][0]["type"], "crl");
    assert_eq!(
        prepared.json()["report"]["items"],
        made.json()["report"]["items"]
    );
    let crl = Crl::from_pem_or_der(&sandbox.read("ca.crl.pem")).unwrap();
    crl.verify_issued_by(&certificate(&sandbox, "ca.crt.pem"))
        .unwrap();
}

/// Renewals, CAs below the CA, and all that a bot needs.
#[test]
fn whatever_a_ca_signs_is_signed_on_another_machine() {
    let (sandbox, key) = without_ca_key();
    for (line, tbs) in [
        (format!("{RENEW} --out new.tbs"), "new.tbs"),
        (
            format!("{BELOW} --out-key new.key.pem --out-cert new.tbs"),
            "new.tbs",
        ),
        (
            format!("{ISSUE} --passout env:PW --dir bots"),
            "bots/bot.tbs",
        ),
    ] {
        let prepared = sandbox
            .run(&format!("{line} --print-tbs --json"))
            .succeeds();
        assert_eq!(prepared.json()["tbs"], tbs, "{line}");
        assert_eq!(prepared.json()["digest"], "sha256", "{line}");
        assert!(prepared.json().get("certificate").is_none(), "{line}");
        sandbox.write("new.sig", signed(&key, &sandbox.read(tbs)));
        let assembled = format!("{ASSEMBLE} --tbs {tbs} --signature new.sig --out new.crt.pem");
        let made = sandbox
            .run(&format!("{assembled} --force --json"))
            .succeeds();
        assert_issued(&sandbox, "new.crt.pem");
        let expected = unsigned(&made);
        assert_eq!(prepared.json()["report"]["items"][0], expected, "{line}");
        std::fs::remove_file(sandbox.path(tbs)).unwrap();
    }
    // The rest of what a bot needs is there, and no certificate nor bundle before it is signed.
    let mut files = sandbox.contents().into_keys().collect::<Vec<_>>();
    files.retain(|path| path.starts_with(sandbox.path("bots")));
    assert_eq!(
        files,
        ["bot.csr.pem", "bot.key.pem"].map(|name| sandbox.path("bots").join(name))
    );
    sandbox
        .run("p12 export --cert new.crt.pem --key bots/bot.key.pem --passin env:PW --passout env:PW --out bots/bot.p12")
        .succeeds();
}

#[test]
fn the_report_on_what_is_to_be_signed_is_that_of_the_certificate() {
    let (sandbox, key) = without_ca_key();
    let prepared = sandbox
        .run(&format!("{SIGN} --print-tbs --out bot.tbs --json"))
        .succeeds()
        .json();
    sandbox.write("bot.sig", signed(&key, &sandbox.read("bot.tbs")));
    let made = sandbox
        .run(&format!(
            "{ASSEMBLE} --tbs bot.tbs --signature bot.sig --out new.crt.pem --json"
        ))
        .succeeds();
    assert_eq!(prepared["tbs"], "bot.tbs");
    assert_eq!(prepared["signatureAlgorithm"], "ecdsa-with-SHA256");
    assert_eq!(prepared["digest"], "sha256");
    assert_eq!(prepared["ungranted"], json!([]));
    assert_eq!(made.json()["certificate"], "new.crt.pem");
    assert_eq!(prepared["report"]["items"][0], unsigned(&made));
}

/// There is no certificate of it yet that could say whose signature it is.
#[test]
fn a_root_and_a_request_are_signed_on_another_machine() {
    let (sandbox, key) = without_ca_key();
    sandbox.write("pub.pem", key.public_key().to_pem());
    for (line, kind, named) in [
        (
            "ca create --subject /CN=Far --path-len 1 --out-cert",
            "certificate",
            "new.pem: certificate of CN=Far, serial number ",
        ),
        (
            "csr create --subject /CN=Far --dns far.example --out",
            "request",
            "new.pem: certificate request of CN=Far\n",
        ),
    ] {
        let prepared = format!("{line} new.tbs --public-key pub.pem --print-tbs --json --force");
        let prepared = sandbox.run(&prepared).succeeds();
        assert_eq!(
            prepared.stderr,
            "new.tbs: to be signed with ecdsa-with-SHA256 by its own key, for example so:\n  \
             openssl dgst -sha256 -sign KEY -out SIGNATURE TBS\n  \
             countersign ca assemble --tbs TBS --signature SIGNATURE --out FILE\n"
        );
        sandbox.write("new.sig", signed(&key, &sandbox.read("new.tbs")));
        let made = sandbox
            .run("ca assemble --tbs new.tbs --signature new.sig --out new.pem --json --force")
            .succeeds();
        assert!(made.stderr.starts_with(named), "{}", made.stderr);
        assert_eq!(made.json()[kind], "new.pem");
        let expected = unsigned(&made);
        let prepared = prepared.json();
        assert_eq!(prepared["tbs"], "new.tbs");
        assert_eq!(prepared["digest"], "sha256");
        assert_eq!(prepared["report"]["items"][0], expected);
        match kind {
            "certificate" => assert!(certificate(&sandbox, "new.pem").is_self_signed()),
            _ => drop(
                CertificateRequest::from_pem(sandbox.read("new.pem"))
                    .unwrap()
                    .verify()
                    .unwrap(),
            ),
        }
        // Another key's.
        let other = PrivateKey::generate(KeyKind::EcP256).unwrap();
        sandbox.write("new.sig", signed(&other, &sandbox.read("new.tbs")));
        let outcome = sandbox.run("ca assemble --tbs new.tbs --signature new.sig --out other.pem");
        assert_eq!(outcome.status, 1, "{}", outcome.stderr);
    }
}

/// It is nowhere in what is signed.
#[test]
fn the_algorithm_of_a_request_is_named_once_more() {
    let sandbox = Sandbox::new();
    let key = PrivateKey::generate(KeyKind::Rsa2048).unwrap();
    sandbox.write("pub.pem", key.public_key().to_pem());
    let flag = "--signature-algorithm rsa-pss-sha384";
    let prepared = sandbox
        .run(&format!(
            "csr create --subject /CN=a --dns a.example --public-key pub.pem {flag} --print-tbs --out a.tbs"
        ))
        .succeeds();
    let advice = format!("countersign ca assemble {flag} --tbs TBS");
    assert!(prepared.stderr.contains(&advice), "{}", prepared.stderr);
    let algorithm = SignatureAlgorithm::RsaPss(Digest::Sha384);
    let signature = Signer::sign(&key, algorithm, &sandbox.read("a.tbs")).unwrap();
    sandbox.write("a.sig", signature);
    let assemble = "ca assemble --tbs a.tbs --signature a.sig --out a.csr.pem";
    sandbox.run(assemble).refuses(
        "error: a.sig: the signature that was made does not verify with its own public key\n\
         hint: it has to be made with the key of the certificate, over these very octets, with sha256WithRSAEncryption\n",
    );
    sandbox.run(&format!("{assemble} {flag}")).succeeds();
    let request = CertificateRequest::from_pem(sandbox.read("a.csr.pem")).unwrap();
    request.verify().unwrap();
}

#[test]
fn what_is_not_to_be_signed_is_told_by_its_kind() {
    let (sandbox, key) = without_ca_key();
    sandbox.write("pub.pem", key.public_key().to_pem());
    sandbox.script(&format!(
        "{SIGN} --print-tbs --out bot.tbs
         {CRL} --print-tbs --out crl.tbs
         csr create --subject /CN=a --public-key pub.pem --print-tbs --out csr.tbs"
    ));
    sandbox.write("a.sig", signed(&key, b"something else"));
    let der = certificate(&sandbox, "bot.crt.pem");
    sandbox.write("signed.der", der.as_der());
    for (tbs, what) in [
        ("bot.tbs", "certificate"),
        ("crl.tbs", "certificate revocation list"),
        ("csr.tbs", "certificate request"),
    ] {
        let whole = sandbox.read(tbs);
        sandbox.write("short", &whole[..whole.len() - 1]);
        sandbox.write("long", [whole.as_slice(), &[0]].concat());
        let ca_cert = match tbs {
            "csr.tbs" => "",
            _ => "--ca-cert ca.crt.pem",
        };
        for damaged in ["short", "long"] {
            let outcome = sandbox.run(&format!(
                "ca assemble {ca_cert} --tbs {damaged} --signature a.sig --out new"
            ));
            assert_eq!(outcome.status, 3, "{}", outcome.stderr);
            let first = outcome.stderr.lines().next().unwrap();
            assert!(first.contains(what), "{tbs}: {first}");
            assert!(
                what.len() > 11 || !first.contains("certificate re"),
                "{first}"
            );
        }
    }
    for other in ["bot.crt.pem", "signed.der", "a.sig", "bot.csr.pem"] {
        sandbox
            .run(&format!("{ASSEMBLE} --tbs {other} --signature a.sig --out new"))
            .fails(&format!(
                "error: {other}: neither a TBSCertificate, a TBSCertList nor a CertificationRequestInfo in DER\n\
                 hint: give what --print-tbs wrote, as it is and still without its signature\n"
            ));
    }
    for (line, reason) in [
        ("--tbs csr.tbs --ca-cert ca.crt.pem", "leave --ca-cert out"),
        ("--tbs crl.tbs", "name it with --ca-cert"),
        (
            "--tbs crl.tbs --ca-cert ca.crt.pem --signature-algorithm rsa-sha256",
            "--signature-algorithm is for a request",
        ),
    ] {
        let line = format!("ca assemble {line} --signature a.sig --out new");
        sandbox.run(&line).misuses(reason);
    }
    let outcome = sandbox.run("ca assemble --tbs bot.tbs --signature a.sig --out new");
    assert_eq!(outcome.status, 1);
    let hint = "hint: name the CA that issues it with --ca-cert\n";
    assert!(outcome.stderr.ends_with(hint), "{}", outcome.stderr);
}

#[test]
fn what_is_to_be_signed_has_passed_all_checks() {
    let (sandbox, _) = without_ca_key();
    for (flags, reason) in [
        ("--days 9999", "ends "),
        ("--profile server", "alternative name"),
    ] {
        let outcome = sandbox.run(&format!("{SIGN} {flags} --print-tbs --out bot.tbs"));
        assert_eq!(outcome.status, 1, "{}", outcome.stderr);
        let (start, rest) = outcome.stderr.split_at(28);
        assert_eq!(start, "error: signing bot.csr.pem: ");
        assert!(rest.contains(reason), "{rest}");
        assert!(!sandbox.path("bot.tbs").exists());
    }
}

#[test]
fn nothing_is_assembled_that_does_not_verify() {
    let (sandbox, key) = without_ca_key();
    sandbox.script(&format!(
        "{SIGN} --print-tbs --out a.tbs
         {SIGN} --print-tbs --out b.tbs
         {CRL} --print-tbs --out crl.tbs
         ca create --type ec-p256 --subject '/CN=Other CA' --out-cert other.crt.pem --out-key other.key.pem"
    ));
    let signature = signed(&key, &sandbox.read("a.tbs"));
    sandbox.write("a.sig", &signature);
    sandbox.write("short.sig", &signature[..signature.len() - 1]);
    sandbox.write("raw.sig", [0xff; 64]);
    sandbox.write("text.sig", "MEUCIQDx\n");
    let mut trailing = sandbox.read("a.tbs");
    trailing.push(0);
    sandbox.write("trailing.tbs", trailing);

    let assemble = |flags: &str| {
        let outcome = sandbox.run(&format!("ca assemble {flags} --out new"));
        assert!(!sandbox.path("new").exists(), "{flags}");
        outcome
    };
    let wrong = "error: a.sig: the signature that was made does not verify with its own public key\n\
         hint: it has to be made with the key of the certificate, over these very octets, with ecdsa-with-SHA256\n";
    for tbs in ["b.tbs", "crl.tbs"] {
        assemble(&format!(
            "--ca-cert ca.crt.pem --tbs {tbs} --signature a.sig"
        ))
        .refuses(wrong);
    }
    for (tbs, what) in [
        ("a.tbs", "the certificate of CN=demo-bot1"),
        ("crl.tbs", "the CRL"),
    ] {
        let outcome = assemble(&format!(
            "--ca-cert other.crt.pem --tbs {tbs} --signature a.sig"
        ));
        assert_eq!(outcome.status, 1, "{}", outcome.stderr);
        let expected =
            format!("error: {tbs}: {what} was issued by C=GB,O=Excelsior Bank,CN=Demo CA");
        assert!(outcome.stderr.starts_with(&expected), "{}", outcome.stderr);
    }
    for (signature, flaw) in [
        (
            "raw.sig",
            "64 octets of r and s alone, instead of their SEQUENCE in DER\n\
             hint: pkcs11-tool writes DER with --signature-format openssl\n",
        ),
        (
            "short.sig",
            "it is no SEQUENCE in DER\nhint: give what the signer makes, and nothing else\n",
        ),
        (
            "text.sig",
            "it is text\n\
             hint: give the octets themselves; base64 -d or xxd -r -p makes them of text\n",
        ),
    ] {
        assemble(&format!(
            "--ca-cert ca.crt.pem --tbs a.tbs --signature {signature}"
        ))
        .fails(&format!(
            "error: {signature}: not a signature with ecdsa-with-SHA256: {flaw}"
        ));
    }
    for tbs in ["trailing.tbs", "bot.csr.pem", "a.sig"] {
        let outcome = assemble(&format!(
            "--ca-cert ca.crt.pem --tbs {tbs} --signature a.sig"
        ));
        assert_eq!(outcome.status, 3, "{}", outcome.stderr);
        assert!(outcome.stderr.starts_with(&format!("error: {tbs}: ")));
    }
}

#[test]
fn a_command_that_can_not_be_read_is_not_repeated() {
    let sandbox = Sandbox::new();
    let command = "--signer-command 'sign --pin 1234 \"'";
    for (needs, line) in [
        ("ca create", "--subject /CN=a --out-cert new --public-key b"),
        ("csr create", "--subject /CN=a --out new --public-key b"),
        ("ca sign", "--csr a --ca-cert b --out new"),
        ("ca crl", "--ca-cert b --next-update 7d --out new"),
        ("cert renew", "--ca-cert b --cert a --out new"),
        ("issue", "--ca-cert b --subject /CN=a --dir new"),
    ] {
        sandbox.run(&format!("{needs} {line} {command}")).misuses(
            "error: invalid value for '--signer-command <CMD>': \
             a quotation mark or a backslash at its end is left open\n",
        );
    }
}

#[test]
fn the_key_that_a_command_reads_is_not_replaced() {
    let (sandbox, _) = without_ca_key();
    sandbox.write("ca.key.pem", b"the key");
    for command in [
        "sign ca.key.pem",
        "sign --key=./ca.key.pem",
        "sign file:ca.key.pem",
        "./ca.key.pem",
        r#"sh -c "sign <ca.key.pem | head""#,
    ] {
        let command = format!("--signer-command '{command}' --out ca.key.pem --force");
        for line in [
            format!("{SIGN} {command}"),
            format!("{CRL} {command}"),
            format!("csr create --subject /CN=a --public-key a {command}"),
            format!("ca create --subject /CN=a --public-key a {command}")
                .replace("--out ", "--out-cert "),
            format!("{BELOW} --out-key new {command}").replace("--out ", "--out-cert "),
            format!("{RENEW} {command}"),
        ] {
            sandbox.run(&line).misuses("which --signer-command reads\n");
        }
    }
    assert_eq!(sandbox.read("ca.key.pem"), b"the key");
}

#[test]
fn one_of_the_ways_to_sign_is_chosen() {
    let (sandbox, _) = without_ca_key();
    for command in [SIGN, CRL, ISSUE] {
        let out = match command {
            ISSUE => "--dir",
            _ => "--out",
        };
        for flags in [
            "",
            "--ca-key a --signer-command b",
            "--ca-key a --print-tbs",
            "--signer-command a --print-tbs",
            "--signer-command a --ca-passin env:PW",
            "--print-tbs --ca-passin env:PW",
        ] {
            sandbox
                .run(&format!("{command} {out} new {flags}"))
                .misuses("--");
        }
    }
    for flags in [
        "",
        "--out-key a --public-key b --signer-command c",
        "--out-key a --signer-command c",
        "--public-key b",
        "--signer-command c",
        "--public-key b --signer-command c --type rsa",
        "--public-key b --signer-command c --passout env:PW",
        "--public-key b --signer-command c --parent-cert a --parent-key b",
        "--public-key b --parent-cert a --signer-command c",
        "--public-key b --signer-command c --print-tbs",
        "--out-key a --print-tbs",
        "--out-key a --parent-cert b",
        "--out-key a --parent-key b",
        "--out-key a --parent-cert b --parent-key c --signer-command d",
        "--out-key a --parent-cert b --parent-key c --print-tbs",
        "--out-key a --parent-cert b --signer-command c --print-tbs",
        "--out-key a --parent-cert b --signer-command c --parent-passin env:PW",
    ] {
        sandbox
            .run(&format!("ca create --subject /CN=a --out-cert new {flags}"))
            .misuses("--");
    }
    for flags in [
        "",
        "--ca-cert a",
        "--ca-key a",
        "--ca-cert a --key b",
        "--key a --signer-command b",
        "--key a --print-tbs",
        "--ca-cert a --ca-key b --signer-command c",
        "--ca-cert a --signer-command b --print-tbs",
        "--ca-cert a --signer-command b --ca-passin env:PW",
        // The CA is not named.
        "--signer-command b",
        "--print-tbs",
    ] {
        sandbox
            .run(&format!("cert renew --cert bot.crt.pem --out new {flags}"))
            .misuses("--");
    }
    for flags in [
        "",
        "--key a --public-key b",
        "--key a --signer-command b",
        "--public-key a",
        "--signer-command a",
        "--public-key a --signer-command b --passin env:PW",
        "--public-key a --signer-command b --print-tbs",
        "--key a --print-tbs",
        "--print-tbs",
    ] {
        sandbox
            .run(&format!("csr create --subject /CN=a --out new {flags}"))
            .misuses("--");
    }
    sandbox
        .run(&format!("{SIGN} --out new --signer-command 'a \"b'"))
        .misuses("a quotation mark or a backslash at its end is left open");
}

#[cfg(target_os = "linux")]
mod commands {
    use std::{
        fs,
        os::unix::process::ExitStatusExt,
        path::Path,
        process::{self, Stdio},
        thread,
        time::{Duration, Instant},
    };

    use nix::{
        sys::signal::{Signal, kill},
        unistd::Pid,
    };

    use super::*;
    use crate::{sandbox::PASSPHRASE, terminal::LIMIT};

    /// Hands what is to be signed to [`serve`], and its signature back.
    const SIGNER: &str = "--signer-command 'sh -c \"cat > tbs; cat signature\"'";

    /// Has the key sign once, in this process, for [`SIGNER`].
    fn serve(sandbox: &Sandbox, key: PrivateKey) {
        let [tbs, signature] = ["tbs", "signature"].map(|name| {
            let pipe = sandbox.path(name);
            if !pipe.exists() {
                let made = process::Command::new("mkfifo").arg(&pipe).status();
                assert!(made.unwrap().success());
            }
            pipe
        });
        // Whoever would wait for it fails by what the program says.
        thread::spawn(move || {
            let message = fs::read(tbs).unwrap();
            fs::write(signature, signed(&key, &message)).unwrap();
        });
    }

    #[test]
    fn a_command_signs_with_a_key_of_its_own() {
        let (sandbox, key) = without_ca_key();
        serve(&sandbox, key);
        sandbox
            .run(&format!("{SIGN} {SIGNER} --out new.crt.pem"))
            .succeeds();
        assert_issued(&sandbox, "new.crt.pem");
    }

    #[test]
    fn a_command_signs_whatever_a_ca_signs() {
        let (sandbox, key) = without_ca_key();
        let pem = key.to_pem().unwrap();
        for (line, made) in [
            (format!("{RENEW} --out new.crt.pem"), "new.crt.pem"),
            (
                format!("{BELOW} --out-key bots.key.pem --out-cert bots.crt.pem"),
                "bots.crt.pem",
            ),
            (
                format!("{ISSUE} --passout env:PW --dir bots"),
                "bots/bot.crt.pem",
            ),
        ] {
            serve(
                &sandbox,
                PrivateKey::from_pem(pem.as_bytes(), None).unwrap(),
            );
            sandbox.run(&format!("{line} {SIGNER}")).succeeds();
            assert_issued(&sandbox, made);
        }
        sandbox
            .run("p12 info bots/bot.p12 --passin env:PW")
            .succeeds();

        // Its own signature is renewed by whoever keeps its own key.
        serve(&sandbox, key);
        let renewed = "cert renew --cert ca.crt.pem --days 30 --out root.crt.pem";
        sandbox.run(&format!("{renewed} {SIGNER}")).succeeds();
        let [old, new] = ["ca.crt.pem", "root.crt.pem"].map(|name| certificate(&sandbox, name));
        new.verify_issued_by(&old).unwrap();
        assert_eq!(new.public_key(), old.public_key());
    }

    #[test]
    fn a_command_signs_a_root() {
        let (sandbox, key) = without_ca_key();
        let public = key.public_key().clone();
        sandbox.write("ca.pub.pem", public.to_pem());
        serve(&sandbox, key);
        let made = sandbox
            .run(&format!(
                "ca create --public-key ca.pub.pem --subject /CN=Root --days 30 --path-len 1 {SIGNER} --out-cert root.crt.pem --json"
            ))
            .succeeds()
            .json();
        assert_eq!(made["certificate"], "root.crt.pem");
        assert_eq!(made["report"]["items"][0]["pathLength"], "1", "{made}");
        assert!(made.get("key").is_none());
        let root = certificate(&sandbox, "root.crt.pem");
        root.verify_issued_by(&root).unwrap();
        assert_eq!(root.public_key().unwrap(), public);
        pki::Issuer::new(root).unwrap();
    }

    /// Neither of them waits for the other where there is more than a pipe holds.
    #[test]
    fn a_command_signs_a_large_crl() {
        let (sandbox, key) = without_ca_key();
        let list: String = (1..20_000).map(|serial| format!("{serial}\n")).collect();
        sandbox.write("list", list);
        serve(&sandbox, key);
        sandbox
            .run(&format!("{CRL} --from list {SIGNER} --out ca.crl.pem"))
            .succeeds();
        let crl = Crl::from_pem_or_der(&sandbox.read("ca.crl.pem")).unwrap();
        assert_eq!(crl.entries().len(), 19_999);
        crl.verify_issued_by(&certificate(&sandbox, "ca.crt.pem"))
            .unwrap();

        for (command, reason) in [
            ("true", "wrote no signature"),
            ("head -c 1000000 /dev/zero", "wrote more than 16 KiB"),
            (
                "sh -c 'exec <&-; head -c 100 /dev/zero'",
                "not a signature with ecdsa-with-SHA256: it is no SEQUENCE in DER",
            ),
        ] {
            let outcome = Outcome::of(
                command,
                sandbox
                    .command(&format!("{CRL} --from list --out new"))
                    .args(["--signer-command", command])
                    .output()
                    .unwrap(),
            );
            assert_eq!(outcome.status, 3, "{}", outcome.stderr);
            assert!(outcome.stderr.contains(reason), "{}", outcome.stderr);
        }
    }

    #[test]
    fn a_command_signs_a_request() {
        let sandbox = Sandbox::with_bot();
        let key = sandbox.read("bot.key.pem");
        let key = PrivateKey::from_pem(key, &pki::Passphrase::from(PASSPHRASE)).unwrap();
        let public: PublicKey = key.public_key().clone();
        for (name, contents) in [
            ("pem", public.to_pem().into_bytes()),
            ("der", public.spki_der().to_vec()),
        ] {
            sandbox.write(name, contents);
            let key = PrivateKey::from_pem(key.to_pem().unwrap().as_bytes(), None).unwrap();
            serve(&sandbox, key);
            sandbox
                .run(&format!(
                    "csr create --public-key {name} --subject /CN=bot --dns bot.example.com {SIGNER} --out {name}.csr"
                ))
                .succeeds();
            let request =
                CertificateRequest::from_pem(sandbox.read(&format!("{name}.csr"))).unwrap();
            assert_eq!(request.verify().unwrap().request().public_key(), &public);
        }
        sandbox
            .run(&format!(
                "csr create --public-key bot.crt.pem --subject /CN=bot {SIGNER} --out new.csr"
            ))
            .fails(
                "error: bot.crt.pem: no public key in it\n\
                 hint: openssl pkey -in KEY -pubout -out FILE writes that of a private key\n",
            );
    }

    #[test]
    fn a_command_is_told_the_algorithm() {
        let sandbox = Sandbox::new();
        for (kind, expected) in [
            ("ec-p384", "ecdsa-with-SHA384/sha384/set\n"),
            ("rsa --bits 2048", "sha256WithRSAEncryption/sha256/set\n"),
            ("ed25519", "Ed25519//\n"),
        ] {
            sandbox.script(&format!(
                "ca create --type {kind} --subject /CN=CA --out-cert ca.crt.pem --out-key ca.key.pem --force"
            ));
            let name = "$COUNTERSIGN_SIGNATURE_ALGORITHM";
            let output = sandbox
                .command(&format!("{CRL} --out new"))
                .args([
                    "--signer-command",
                    &format!(
                        "sh -c 'echo {name}/$COUNTERSIGN_DIGEST/${{COUNTERSIGN_DIGEST+set}} > told'"
                    ),
                ])
                .env("COUNTERSIGN_DIGEST", "inherited")
                .output()
                .unwrap();
            let line = "the signer command sh wrote no signature";
            let outcome = Outcome::of(kind, output);
            assert!(outcome.stderr.contains(line), "{}", outcome.stderr);
            assert_eq!(sandbox.text("told"), expected);
        }
    }

    #[test]
    fn a_command_that_does_not_sign_is_told_apart() {
        let (sandbox, _) = without_ca_key();
        let wrong = "the signature that was made does not verify with its own public key";
        for (command, status, stderr) in [
            (
                "no-such-program 'correct horse'",
                3,
                "error: the signer command no-such-program: No such file or directory (os error 2)\n\
                 hint: its first word is the program, and there is no shell: sh -c '...' is one\n",
            ),
            (
                "sh -c 'echo No such token >&2; exit 7' 'correct horse'",
                3,
                "No such token\nerror: the signer command sh did not sign: exit status: 7\n\
                 hint: what it says about it stands above; there is no shell: sh -c '...' is one\n",
            ),
            (
                "sh -c 'kill -9 $$'",
                3,
                "error: the signer command sh did not sign: signal: 9 (SIGKILL)\n\
                 hint: what it says about it stands above; there is no shell: sh -c '...' is one\n",
            ),
            (
                "true",
                3,
                "error: the signer command true wrote no signature\n\
                 hint: it has to write it to its standard output\n",
            ),
            (
                "head -c 16385 /dev/zero",
                3,
                "error: the signer command head wrote more than 16 KiB, which is no signature\n",
            ),
            (
                "echo MEUCIQDx",
                3,
                "error: the signer command echo: not a signature with ecdsa-with-SHA256: it is text\n\
                 hint: give the octets themselves; base64 -d or xxd -r -p makes them of text\n",
            ),
            (
                r"printf '0\006\002\001\001\002\001\001'",
                1,
                &format!(
                    "error: the signer command printf: {wrong}\n\
                     hint: it has to be made with the key of the certificate, over these very octets, with ecdsa-with-SHA256\n"
                ),
            ),
        ] {
            let output = sandbox
                .command(&format!("{SIGN} --out new"))
                .args(["--signer-command", command])
                .output()
                .unwrap();
            let outcome = Outcome::of(command, output);
            assert_eq!((outcome.status, outcome.stderr.as_str()), (status, stderr));
            assert!(!sandbox.path("new").exists());
        }
    }

    #[test]
    fn a_command_ends_with_the_program() {
        let (sandbox, _) = without_ca_key();
        let line = format!(
            "{SIGN} --out new --signer-command 'sh -c \"grep SigBlk /proc/self/status > blocked; echo $$ > process; exec sleep 600\"'"
        );
        for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
            let mut child = sandbox
                .shell("exec \"$@\"")
                .arg("sh")
                .arg(sandbox.command("").get_program())
                .args(sandbox.command(&line).get_args())
                .stdin(Stdio::null())
                .spawn()
                .unwrap();
            let process = sandbox.path("process");
            wait_for(|| fs::read_to_string(&process).is_ok_and(|it| it.ends_with('\n')));
            let helper = sandbox.text("process").trim().to_owned();
            fs::remove_file(process).unwrap();
            // What the program blocks for itself would keep Ctrl-C away from it.
            assert_eq!(sandbox.text("blocked"), "SigBlk:\t0000000000000000\n");

            kill(Pid::from_raw(child.id().try_into().unwrap()), signal).unwrap();
            assert_eq!(child.wait().unwrap().signal(), Some(signal as i32));
            wait_for(|| has_ended(&helper));
            assert!(!sandbox.path("new").exists());
        }
    }

    /// Whether a process is gone, or only waits for its parent to notice.
    fn has_ended(process: &str) -> bool {
        match fs::read_to_string(Path::new("/proc").join(process).join("status")) {
            Ok(status) => status.contains("State:\tZ"),
            Err(_) => true,
        }
    }

    fn wait_for(condition: impl Fn() -> bool) {
        let started = Instant::now();
        while !condition() {
            assert!(started.elapsed() < LIMIT, "it takes too long");
            thread::sleep(Duration::from_millis(5));
        }
    }
}
