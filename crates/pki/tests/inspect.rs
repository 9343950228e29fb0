//! What is said about a file.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // tests

use std::time::{Duration, SystemTime};

use pki::{
    CertificateAuthority, CertificateRequest, KeyKind, Passphrase, PrivateKey, Profile,
    inspect::{inspect, inspect_at},
};
use serde_json::{Value, json};

fn key() -> PrivateKey {
    PrivateKey::generate(KeyKind::EcP256).unwrap()
}

fn first(report: &pki::inspect::Report) -> Value {
    serde_json::to_value(report).unwrap()["items"][0].clone()
}

#[test]
fn a_certificate_is_said_to_be_expired_once_it_is() {
    let ca =
        CertificateAuthority::create_root("/CN=Root".parse().unwrap(), key(), &Profile::root())
            .unwrap();
    let pem = ca.certificate().to_pem();
    let end = ca.certificate().validity().not_after;
    let second = Duration::from_secs(1);
    for (now, expired) in [(end - second, false), (end, false), (end + second, true)] {
        let report = inspect_at(pem.as_bytes(), None, now).unwrap();
        assert_eq!(first(&report)["expired"], json!(expired));
        assert!(report.to_string().contains(&format!("expired: {expired}")));
    }
    let report = inspect(pem.as_bytes(), None).unwrap();
    assert_eq!(
        report,
        inspect_at(pem.as_bytes(), None, SystemTime::now()).unwrap()
    );
}

#[test]
fn a_key_is_said_to_be_encrypted_where_it_is() {
    let key = key();
    let passphrase = Passphrase::from("correct");
    let plain = key.to_pem().unwrap();
    let encrypted = key
        .to_encrypted_pem(&passphrase, pki::KeyEncryption::iterations(1000))
        .unwrap();
    let traditional = include_bytes!("data/keys/p256-traditional-aes-256-cbc.pem");
    for (input, is_encrypted) in [
        (plain.as_bytes(), false),
        (&key.to_pkcs8_der().unwrap(), false),
        (encrypted.as_bytes(), true),
        (traditional, true),
    ] {
        let report = inspect(input, &passphrase).unwrap();
        assert_eq!(first(&report)["encrypted"], json!(is_encrypted), "{report}");
    }
}

#[test]
fn a_request_is_shown_although_its_signature_can_not_be_verified() {
    let request = CertificateRequest::builder("/CN=bot".parse().unwrap())
        .sign(&key())
        .unwrap();
    let item = first(&inspect(request.as_der(), None).unwrap());
    assert_eq!(item["signatureAlgorithm"], json!("ecdsa-with-SHA256"));
    assert_eq!(item["signatureVerifies"], json!(true));
    // The last one is a bit of the signature.
    let mut altered = request.as_der().to_vec();
    *altered.last_mut().unwrap() ^= 1;
    let item = first(&inspect(&altered, None).unwrap());
    assert_eq!(item["signatureVerifies"], json!(false));
    // ecdsa-with-SHA224 in the place of ecdsa-with-SHA256.
    let mut other = request.as_der().to_vec();
    let oid = b"\x2a\x86\x48\xce\x3d\x04\x03\x02";
    let at = other.windows(8).position(|octets| octets == oid).unwrap();
    other[at + 7] = 1;
    let item = first(&inspect(&other, None).unwrap());
    assert_eq!(item["subject"], json!("CN=bot"));
    assert_eq!(item["signatureAlgorithm"], json!("ecdsa-with-SHA224"));
    assert_eq!(item["signatureVerifies"], Value::Null);
}
