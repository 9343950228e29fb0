//! Algorithm identifiers whose parameters are a NULL: with contents it isn't one.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // tests

use pki::{CertificateRequest, Error, KeyKind, PrivateKey, PublicKey};

const RSA: &[u8] = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
const RSA_WITH_CONTENTS: &[u8] =
    b"\x30\x0e\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x01\x00";
const SHA256_RSA: &[u8] = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00";
const SHA256_RSA_WITH_CONTENTS: &[u8] =
    b"\x30\x0e\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x01\x00";

/// What follows the first header, whose length has two octets.
fn contents(der: &[u8]) -> &[u8] {
    assert_eq!(der[1], 0x82);
    &der[4..]
}

/// A SEQUENCE around contents of more than 255 octets, with one identifier in the place of another.
fn exchanged(der: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let der = contents(der);
    let at = der.windows(from.len()).position(|window| window == from);
    let at = at.unwrap();
    let contents = [&der[..at], to, &der[at + from.len()..]].concat();
    let len = u16::try_from(contents.len()).unwrap();
    [&[0x30, 0x82][..], &len.to_be_bytes(), &contents].concat()
}

#[test]
fn a_null_with_contents_is_not_the_parameter_of_a_key() {
    let key = PrivateKey::generate(KeyKind::Rsa2048).unwrap();
    let spki = key.public_key().spki_der();
    assert_eq!(exchanged(spki, RSA, RSA), spki);
    let refused = PublicKey::from_spki_der(&exchanged(spki, RSA, RSA_WITH_CONTENTS));
    assert!(
        matches!(&refused, Err(Error::Malformed { what: "public key", reason, .. }) if reason == "a NULL has contents"),
        "{refused:?}"
    );
}

#[test]
fn a_null_with_contents_is_not_the_parameter_of_a_signature() {
    let key = PrivateKey::generate(KeyKind::Rsa2048).unwrap();
    let request = CertificateRequest::builder("/CN=a".parse().unwrap())
        .sign(&key)
        .unwrap();
    let der = exchanged(request.as_der(), SHA256_RSA, SHA256_RSA_WITH_CONTENTS);
    let refused = CertificateRequest::from_der(&der)
        .unwrap()
        .verify()
        .map(drop);
    assert!(
        matches!(&refused, Err(Error::Malformed { reason, .. }) if reason == "a NULL has contents"),
        "{refused:?}"
    );
}
