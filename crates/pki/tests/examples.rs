//! That the examples do what they say.
#![allow(clippy::unwrap_used, reason = "a test that can't be set up has failed")]

use std::time::{Duration, SystemTime};

use pki::{
    Certificate, CertificateAuthority, CertificateRequest, Error, ExtendedKeyUsage, Fault, KeyKind,
    PrivateKey, Profile, SubjectAltName,
};

#[path = "../examples/issuing_service.rs"]
#[allow(dead_code, reason = "its main is for those who run it")]
mod issuing_service;

fn key(kind: KeyKind) -> PrivateKey {
    PrivateKey::generate(kind).unwrap()
}

/// A CA below a root, which ends after so many days.
fn ca(days: u32) -> CertificateAuthority {
    let root = CertificateAuthority::create_root(
        "/CN=Root".parse().unwrap(),
        key(KeyKind::EcP256),
        &Profile::root(),
    );
    let profile = Profile::intermediate().valid_for_days(days);
    root.unwrap()
        .create_intermediate("/CN=Bots".parse().unwrap(), key(KeyKind::EcP256), &profile)
        .unwrap()
}

fn request(kind: KeyKind, subject: &str) -> CertificateRequest {
    let name = SubjectAltName::dns("bot.example.com").unwrap();
    CertificateRequest::builder(subject.parse().unwrap())
        .subject_alt_name(name)
        .sign(&key(kind))
        .unwrap()
}

#[test]
fn the_issuing_service_grants_its_policy_and_records_the_rest() {
    for (days, expected_days) in [(365, 30), (7, 7)] {
        let ca = ca(days);
        let now = SystemTime::now();
        let request = request(KeyKind::EcP256, "/CN=bot/O=Excelsior Bank");
        let (chain, record) = issuing_service::issue(&ca, &request).unwrap();

        let chain = Certificate::all_from_pem(&chain).unwrap();
        let [certificate, issuer] = chain.as_slice() else {
            panic!("the root belongs to whoever trusts it: {chain:?}");
        };
        assert_eq!(issuer, ca.certificate());
        certificate.verify_issued_by(issuer).unwrap();
        assert_eq!(
            certificate.extended_key_usage(),
            Some(&[ExtendedKeyUsage::ClientAuth][..])
        );
        assert!(certificate.subject_alt_names().is_empty());
        let points = certificate.crl_distribution_points().unwrap();
        assert_eq!(points.len(), 1);
        let end = now + Duration::from_secs(expected_days * 24 * 60 * 60);
        let not_after = certificate.validity().not_after;
        let difference = match not_after.duration_since(end) {
            Ok(later) => later,
            Err(earlier) => earlier.duration(),
        };
        assert!(difference < Duration::from_secs(60), "{difference:?}");
        for expected in [
            &certificate.serial_number().to_string(),
            "CN=bot",
            "bot.example.com",
        ] {
            assert!(record.contains(expected), "{record}");
        }
    }
}

#[test]
fn the_issuing_service_refuses_what_is_against_its_policy() {
    let ca = ca(30);
    let refused = |kind, subject: &str| {
        let request = request(kind, subject);
        let error = issuing_service::issue(&ca, &request).unwrap_err();
        assert_eq!(error.fault(), Fault::Request, "{error}");
        error
    };
    assert!(matches!(
        refused(KeyKind::EcP256, "/O=Excelsior Bank"),
        Error::AttributeMissing { .. }
    ));
    assert!(matches!(
        refused(KeyKind::EcP256, "/CN=bot/O=Another Bank"),
        Error::AttributeNotAllowed { .. }
    ));
    assert!(matches!(
        refused(KeyKind::Ed25519, "/CN=bot/O=Excelsior Bank"),
        Error::KeyNotAllowed { .. }
    ));
}
