use std::io;

use crate::sandbox::{Outcome, Sandbox};

#[test]
fn it_finds_out_by_itself_what_a_file_is() {
    let sandbox = Sandbox::with_bot();
    sandbox.script(
        "p12 export --cert bot.crt.pem --key bot.key.pem --passin env:PW --passout env:PW --out bot.p12",
    );
    for (line, shown) in [
        ("inspect bot.crt.pem", "CN=demo-bot1"),
        ("inspect bot.csr.pem", "CN=demo-bot1"),
        ("inspect bot.key.pem --passin env:PW", "ECDSA P-256"),
        ("inspect ca.key.pem", "ECDSA P-256"),
        ("inspect bot.p12 --passin env:PW", "CN=demo-bot1"),
    ] {
        let outcome = sandbox.run(line).succeeds();
        assert!(outcome.stdout.contains(shown), "{outcome:?}");
        assert_eq!(outcome.stderr, "");
        let json = sandbox.run(&format!("{line} --json")).succeeds();
        assert!(json.json().is_object(), "{json:?}");
    }
}

const REQUEST: &[u8] = include_bytes!("../../../pki/tests/data/greedy.csr.pem");
const TRUSTED: &[u8] = include_bytes!("../../../pki/tests/data/pkcs12/keytool-trust.p12");

#[test]
fn the_text_has_a_property_on_each_line() {
    let sandbox = Sandbox::new();
    sandbox.write("greedy.csr.pem", REQUEST);
    let outcome = sandbox.run("inspect greedy.csr.pem").succeeds();
    assert_eq!(
        outcome.stdout,
        "certificateRequest (PEM)
  subject: CN=greedy
  publicKey: ECDSA P-256
  signatureAlgorithm: ecdsa-with-SHA256
  signatureVerifies: true
  requestedExtensions: basicConstraints, keyUsage
"
    );
    sandbox.write("trusted.p12", TRUSTED);
    sandbox.write("pass", "correct");
    let outcome = sandbox
        .run("inspect trusted.p12 --passin file:pass")
        .succeeds();
    assert_eq!(
        outcome.stdout,
        "pkcs12 (DER)
  integrity: HMAC with SHA-256, 10000 iterations
  encryption: PBES2 (AES-256-CBC, PBKDF2-HMAC-SHA-256, 10000 iterations)
  certificate:
    version: v3
    subject: CN=Test Root
    issuer: CN=Test Root
    serialNumber: 0x3f2b15067d194682925f1c5749200820fb05cb8b
    notBefore: 2026-11-24T03:59:50Z
    notAfter: 2126-10-31T03:59:50Z
    expired: false
    publicKey: ECDSA P-256
    signatureAlgorithm: ecdsa-with-SHA256
    selfSigned: true
    ca: true
    subjectKeyIdentifier: 6a:8b:4c:3f:5f:ac:4f:a7:44:f2:e0:e9:7c:6b:c1:e7:ca:57:75:c7
    authorityKeyIdentifier: 6a:8b:4c:3f:5f:ac:4f:a7:44:f2:e0:e9:7c:6b:c1:e7:ca:57:75:c7
    criticalExtensions: basicConstraints
    sha256Fingerprint: 12:17:95:83:e6:23:af:63:82:2d:be:78:02:6e:d9:d3:3c:09:4d:20:ec:1e:87:d8:91:4d:13:c0:4c:46:16:12
    alias: root
    trusted: true
"
    );
}

/// As OpenSSL wrote it.
const FULL: &[u8] = include_bytes!("../../../pki/tests/data/extensions/full.pem");

#[test]
fn every_extension_is_shown_with_its_values() {
    let sandbox = Sandbox::new();
    sandbox.write("full.pem", FULL);
    let shown = sandbox.run("inspect full.pem").succeeds().stdout;
    let after = "  criticalExtensions: basicConstraints\n";
    let (_, shown) = shown.split_once(after).unwrap();
    assert_eq!(
        shown.split_once("  sha256Fingerprint").unwrap().0,
        "  crlDistributionPoint:
    names: URI:http://a.example/1.crl, URI:http://b.example/1.crl
    reasons: keyCompromise, aACompromise
    crlIssuer: dirName:CN=CRL Issuer,C=GB
  crlDistributionPoint:
    relativeName: CN=part
  freshestCrl:
    names: URI:http://a.example/delta.crl
  authorityInfoAccess:
    method: ocsp
    location: URI:http://ocsp.example/
  authorityInfoAccess:
    method: caIssuers
    location: URI:http://a.example/ca.cer
  subjectInfoAccess:
    method: caRepository
    location: URI:http://repository.example/
  certificatePolicy:
    policy: 1.2.4
  certificatePolicy:
    policy: 1.3.5.8
    cps: http://cps.example/
    notices: Explicit Text Here
    noticeReferences: Organisation Name: 1, 2, 300
  policyMappings: 1.2.4 = 1.2.5
  requireExplicitPolicy: 3
  inhibitPolicyMapping: 0
  inhibitAnyPolicy: 2
  tlsFeatures: status_request, status_request_v2
"
    );
    let json = sandbox.run("inspect full.pem --json").succeeds().json();
    let certificate = &json["items"][0];
    assert_eq!(
        certificate["certificatePolicies"][1]["notices"][0],
        "Explicit Text Here"
    );
    assert_eq!(certificate["authorityInfoAccess"][0]["method"], "ocsp");
}

#[test]
fn what_has_no_words_of_its_own_is_shown_as_it_is() {
    let sandbox = Sandbox::with_authority();
    sandbox.write(
        "profile.toml",
        "extended-key-usage = ['codeSigning', '1.3.6.1.4.1.311.20.2.2', '1.2.3']\n\
         certificate-policies = [{ policy = 'anyPolicy' }]\n\
         custom-extensions = [\n\
         { oid = '1.2.3.4', der = '0500', critical = true }, { oid = '2.16.840.1.113730.1.1', der = '03020780' },\n\
         ]\n",
    );
    sandbox.script(
        "key generate --type ec-p256 --out bot.key
         csr create --key bot.key --subject /CN=bot --out bot.csr
         ca sign --ca-cert ca.crt.pem --ca-key ca.key.pem --csr bot.csr --profile-file profile.toml --out bot.crt",
    );
    let shown = sandbox.run("inspect bot.crt").succeeds().stdout;
    for part in [
        "extendedKeyUsage: codeSigning, smartcardLogon, 1.2.3\n",
        "criticalExtensions: basicConstraints, 1.2.3.4\n",
        "policy: 2.5.29.32.0\n    name: anyPolicy\n",
        "  extension:\n    id: 1.2.3.4\n    critical: true\n    value: 05:00\n",
        "    id: 2.16.840.1.113730.1.1\n    name: netscapeCertType\n    critical: false\n",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

#[test]
fn the_json_has_the_same_words() {
    let sandbox = Sandbox::new();
    sandbox.write("greedy.csr.pem", REQUEST);
    let outcome = sandbox.run("inspect greedy.csr.pem --json").succeeds();
    assert_eq!(
        outcome.stdout,
        r#"{
  "encoding": "PEM",
  "items": [
    {
      "type": "certificateRequest",
      "subject": "CN=greedy",
      "publicKey": "ECDSA P-256",
      "signatureAlgorithm": "ecdsa-with-SHA256",
      "signatureVerifies": true,
      "requestedExtensions": [
        "basicConstraints",
        "keyUsage"
      ]
    }
  ]
}
"#
    );
}

#[test]
fn what_is_not_supported_comes_with_a_way_around_it() {
    let sandbox = Sandbox::new();
    sandbox.write("pass", "correct");
    for (file, error, hint) in [
        (
            &include_bytes!("../../../pki/tests/data/keys/p256-pbes2-aria.pem")[..],
            "unsupported private key encryption: ARIA-256-CBC",
            "have it encrypted with AES-256 by the program that made it, or by OpenSSL: openssl pkcs8 ",
        ),
        (
            include_bytes!("../../../pki/tests/data/pkcs12/openssl-aria.p12"),
            "unsupported PKCS#12 encryption: ARIA-128-CBC",
            "have it written with AES-256 and SHA-256 by the program that made it, or by OpenSSL: openssl pkcs12 ",
        ),
    ] {
        sandbox.write("file", file);
        let outcome = sandbox.run("inspect file --passin file:pass");
        assert_eq!(outcome.status, 3);
        assert!(
            outcome.stderr.starts_with(&format!("error: file: {error}"))
                && outcome.stderr.contains(&format!("\nhint: {hint}")),
            "{}",
            outcome.stderr
        );
    }
}

#[test]
fn files_of_every_kind_are_shown() {
    let sandbox = Sandbox::new();
    sandbox.write("pass", "correct");
    for (file, parts) in [
        (
            &include_bytes!("../../../pki/tests/data/java/keytool.jceks")[..],
            &[
                "jceks (DER)\n  integrity: SHA-1 of passphrase and contents\n",
                "  privateKey:\n    algorithm: ECDSA P-256\n",
                "    alias: leaf\n",
                "  otherPrivateKey:\n    algorithm: DSA\n    algorithmId: 1.2.840.10040.4.1\n    encrypted: true\n",
                "    reason: the passphrase does not open the private key\n    alias: other\n",
                "  secretKey:\n    alias: hmac\n",
                "    trusted: true\n",
            ][..],
        ),
        (
            include_bytes!("../../../pki/tests/data/java/keytool.jks"),
            &["jks (DER)\n", "    encryption: JKS (SHA-1)\n"],
        ),
        (
            include_bytes!("../../../pki/tests/data/open/openssl-crl.der.p7b"),
            &["pkcs7 (DER)\n  signatures: 0\n  certificate:\n", "  crl:\n"],
        ),
        (
            include_bytes!("../../../pki/tests/data/open/openssl-signed.ber.p7m"),
            &["pkcs7 (BER)\n  signatures: 1\n"],
        ),
        (
            include_bytes!("../../../pki/tests/data/open/other-keys.pem"),
            &[
                "otherPrivateKey (PEM)\n  algorithm: ML-DSA-44\n",
                "otherPublicKey (PEM)\n  algorithm: DSA\n",
                "certificate (PEM)\n",
            ],
        ),
        (
            include_bytes!("../../../pki/tests/data/open/dsa.csr.pem"),
            &["certificateRequest (PEM)\n  publicKey: DSA (1.2.840.10040.4.1)\n"],
        ),
        (
            include_bytes!("../../../pki/tests/data/open/openssl-dsa.p12"),
            &["  otherPrivateKey:\n    algorithm: DSA\n"],
        ),
    ] {
        sandbox.write("file", file);
        let shown = sandbox.run("inspect file --passin file:pass").succeeds();
        for part in parts {
            assert!(shown.stdout.contains(part), "{part}: {}", shown.stdout);
        }
    }
}

#[test]
fn it_reads_standard_input() {
    let sandbox = Sandbox::with_bot();
    let certificate = sandbox.read("bot.crt.pem");
    let piped = sandbox.run_with_input("inspect -", &certificate).succeeds();
    assert_eq!(
        piped.stdout,
        sandbox.run("inspect bot.crt.pem").succeeds().stdout
    );
}

#[test]
fn a_truncated_file_is_named() {
    let sandbox = Sandbox::with_bot();
    let mut pem = sandbox.text("bot.crt.pem");
    pem.truncate(200);
    sandbox.write("short.pem", pem);
    let outcome = sandbox.run("inspect short.pem");
    assert_eq!(outcome.status, 3);
    assert!(
        outcome
            .stderr
            .starts_with("error: short.pem: malformed PEM block"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn what_is_nothing_of_the_sort_is_an_error() {
    let sandbox = Sandbox::new();
    for garbage in [&b"hello\n"[..], b"\x30\x82\xff\xff", &[0; 100]] {
        let outcome = sandbox.run_with_input("inspect -", garbage);
        assert_eq!(outcome.status, 3);
        assert!(
            outcome.stderr.starts_with("error: standard input: "),
            "{}",
            outcome.stderr
        );
    }
}

#[cfg(unix)]
#[test]
fn an_endless_file_is_cut_off() {
    let sandbox = Sandbox::new();
    sandbox
        .run("inspect /dev/zero")
        .fails("error: /dev/zero: larger than the limit of 64 MiB\n");
}

#[test]
fn a_directory_is_an_error() {
    let sandbox = Sandbox::new();
    let outcome = sandbox.run("inspect .");
    assert_eq!(outcome.status, 3);
    assert!(outcome.stderr.starts_with("error: .: "), "{outcome:?}");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let sandbox = Sandbox::with_authority();
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let output = sandbox
        .command("inspect ca.crt.pem")
        .stdout(writer)
        .output()
        .unwrap();
    let outcome = Outcome::of("inspect", output).succeeds();
    assert_eq!(outcome.stderr, "");
}

#[test]
fn what_keeps_a_crl_from_telling_a_status_is_shown() {
    const CRITICAL: &[u8] = include_bytes!("../../../pki/tests/data/crls/critical.crl.pem");
    const IN_ENTRY: &[u8] = include_bytes!("../../../pki/tests/data/crls/critical-entry.crl.pem");
    const NONE: &[u8] = include_bytes!("../../../pki/tests/data/crls/openssl.crl.pem");
    let sandbox = Sandbox::new();
    for (crl, is_unsupported, others) in
        [(CRITICAL, true, 1), (IN_ENTRY, true, 0), (NONE, false, 0)]
    {
        sandbox.write("a.crl", crl);
        let item = &sandbox.run("inspect a.crl --json").succeeds().json()["items"][0];
        let found = item.get("unsupportedCriticalExtension");
        assert_eq!(found.is_some(), is_unsupported, "{item}");
        let listed = item.get("otherExtensions").and_then(|it| it.as_array());
        assert_eq!(listed.map_or(0, Vec::len), others, "{item}");
    }
}
