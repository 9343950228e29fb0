//! What a certificate and a request say, as OpenSSL prints it.
#![allow(clippy::unwrap_used)] // tests

#[macro_use]
mod support;

use std::{
    collections::HashSet,
    time::{Duration, SystemTime},
};

use base16ct::lower::encode_string as hex;
use pki::{
    Certificate, CertificateRequest, Error, KeyAlgorithm, KeyKind, PrivateKey, SubjectAltName,
    Version,
};

const LEAF: &str = include_str!("data/pkcs12/leaf.crt");
const ROOT: &str = include_str!("data/pkcs12/root.crt");

#[test]
fn a_certificate_says_what_openssl_says() {
    let leaf = Certificate::from_pem(LEAF).unwrap();
    assert_eq!(leaf.version(), Version::V3);
    assert_eq!(
        ["v1", "v2", "v3"],
        [Version::V1, Version::V2, Version::V3].map(|version| version.to_string())
    );
    assert_eq!(
        hex(leaf.serial_number().as_bytes()),
        "52820da654c62eb146cf5e60a539e73984c2957a"
    );
    assert_eq!(leaf.subject().to_string(), "O=Example,CN=leaf");
    assert_eq!(leaf.issuer().to_string(), "CN=Test Intermediate");
    assert_eq!(leaf.signature_algorithm(), "ecdsa-with-SHA256");
    assert_eq!(leaf.public_key().unwrap().algorithm(), KeyAlgorithm::EcP256);
    assert_eq!(
        hex(leaf.spki_der()),
        "3059301306072a8648ce3d020106082a8648ce3d03010703420004ec5ee3ccc0f990649eba7b869f4d61464e46b1abbe84bf8f953fb1a697f06e43d766351617eeb37775bbbe06a4c2390de6fefeaa5c8e50f4e12cf57cb2ef900d"
    );
    assert_eq!(
        hex(&leaf.fingerprint_sha256()),
        "1d8dfe88e9fe5f9d981a488e3d54b92fa02e9c619e0826927c187f30d06c4979"
    );
    assert!(!leaf.basic_constraints().unwrap().ca);
    assert_eq!(
        hex(leaf.subject_key_identifier().unwrap()),
        "c8d32bdc47264905a4671bdec73e59abccb85e4d"
    );
    assert_eq!(leaf.key_usage(), None);
    assert_eq!(leaf.extended_key_usage(), None);
    assert_eq!(leaf.name_constraints(), None);
    assert_eq!(leaf.subject_alt_names(), []);
    assert_eq!(
        leaf.extensions().collect::<Vec<_>>(),
        [
            ("2.5.29.19", false),
            ("2.5.29.14", false),
            ("2.5.29.35", false)
        ]
    );
    let shown = format!("{leaf:?}");
    assert!(
        shown.contains("CN=leaf") && shown.contains("CN=Test Intermediate"),
        "{shown}"
    );

    // 2026-11-24T03:59:50Z
    let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_492_790);
    let second = Duration::from_secs(1);
    assert_eq!(leaf.validity().not_before, start);
    assert!(leaf.is_valid_at(start) && !leaf.is_valid_at(start - second));
}

#[test]
fn certificates_are_equal_when_their_octets_are() {
    let [leaf, root] = [LEAF, ROOT].map(|pem| Certificate::from_pem(pem).unwrap());
    let again = Certificate::from_pem_or_der(leaf.as_der()).unwrap();
    assert_eq!(leaf, again);
    assert_ne!(leaf, root);
    let set: HashSet<&Certificate> = [&leaf, &again, &root].into_iter().collect();
    assert_eq!(set.len(), 2);
    assert_eq!(leaf.as_ref(), &leaf);
}

#[test]
fn every_certificate_of_a_file_is_read_or_the_one_in_der() {
    let [leaf, root] = [LEAF, ROOT].map(|pem| Certificate::from_pem(pem).unwrap());
    let both = [LEAF, ROOT].concat();
    let expected = [leaf.clone(), root];
    assert_eq!(Certificate::all_from_pem(&both).unwrap(), expected);
    assert_eq!(
        Certificate::all_from_pem_or_der(both.as_bytes()).unwrap(),
        expected
    );
    assert_eq!(
        Certificate::all_from_pem_or_der(leaf.as_der()).unwrap(),
        std::slice::from_ref(&leaf)
    );
    assert_eq!(Certificate::from_pem_or_der(both.as_bytes()).unwrap(), leaf);
}

#[test]
fn a_request_says_what_was_asked_for() {
    let key = PrivateKey::generate(KeyKind::EcP256).unwrap();
    let name = SubjectAltName::dns("a.example").unwrap();
    let request = CertificateRequest::builder("/CN=bot".parse().unwrap())
        .subject_alt_name(name.clone())
        .sign(&key)
        .unwrap();
    assert_eq!(request.subject().to_string(), "CN=bot");
    assert_eq!(request.public_key(), key.public_key());
    assert_eq!(request.subject_alt_names(), [name]);
    assert_eq!(request.signature_algorithm(), "ecdsa-with-SHA256");
    assert_eq!(
        request.requested_extensions().collect::<Vec<_>>(),
        ["2.5.29.17"]
    );
    assert!(format!("{request:?}").contains("CN=bot"));
    let same = CertificateRequest::from_pem_or_der(request.to_pem().as_bytes()).unwrap();
    assert_eq!(same, request);
    assert_eq!(
        CertificateRequest::from_pem_or_der(request.as_der()).unwrap(),
        request
    );
    let other = CertificateRequest::builder("/CN=bot".parse().unwrap())
        .sign(&key)
        .unwrap();
    assert_ne!(other, request);
}

#[test]
fn a_megabyte_is_the_most_that_is_read() {
    const LIMIT: usize = 1 << 20;
    let mut input = vec![0; LIMIT + 1];
    for (error, what) in [
        (Certificate::from_der(&input).unwrap_err(), "certificate"),
        (
            CertificateRequest::from_der(&input).unwrap_err(),
            "certificate request",
        ),
    ] {
        assert_error!(
            error,
            Error::TooLarge {
                what: what,
                found: LIMIT + 1,
                limit: LIMIT
            }
        );
    }
    input.pop();
    assert!(matches!(
        Certificate::from_der(&input),
        Err(Error::Malformed { .. })
    ));
    assert!(matches!(
        CertificateRequest::from_der(&input),
        Err(Error::Malformed { .. })
    ));
}
