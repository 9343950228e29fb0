//! Reading is lenient about form and strict about meaning: certificates and requests that no tool would write.
#![allow(clippy::unwrap_used)] // tests

use pki::{
    Certificate, CertificateRequest, Error, ExtendedKeyUsage, KeyKind, PrivateKey, PublicKey,
    SubjectAltName,
};

const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x25];
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];
const NAME_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x1e];
const CRL_DISTRIBUTION_POINTS: &[u8] = &[0x55, 0x1d, 0x1f];

const SUBJECT_KEY_IDENTIFIER: &[u8] = &[0x55, 0x1d, 0x0e];
const AUTHORITY_KEY_IDENTIFIER: &[u8] = &[0x55, 0x1d, 0x23];

const ECDSA_SHA256: &[u8] = b"\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02";
const ECDSA_SHA256_NULL: &[u8] = b"\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02\x05\x00";
const SHA1_WITH_RSA: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05\x05\x00";
const RSASSA_PSS: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a";
/// Its parameters are empty: SHA-1.
const RSASSA_PSS_SHA1: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x30\x00";

#[test]
fn an_extension_that_decides_nothing_may_be_malformed() {
    // A distribution point that isn't one.
    let broken = sequence(&[&tlv(0x02, &[5])]);
    let certificate = read(&[(CRL_DISTRIBUTION_POINTS, &broken)]).unwrap();
    assert_eq!(
        certificate.extensions().collect::<Vec<_>>(),
        [("2.5.29.31", false)]
    );
}

#[test]
fn an_extension_that_decides_something_must_be_decoded_to_its_last_octet() {
    let ca = sequence(&[&tlv(0x01, &[0xff])]);
    let usage = tlv(0x03, &[7, 0x80]);
    let purposes = sequence(&[&tlv(0x06, b"\x2b\x06\x01\x05\x05\x07\x03\x02")]);
    let names = sequence(&[&tlv(0x82, b"a.example")]);
    let constraints = sequence(&[&tlv(0xa0, &sequence(&[&tlv(0x82, b"example")]))]);
    for (oid, value, dotted) in [
        (BASIC_CONSTRAINTS, &ca, "2.5.29.19"),
        (KEY_USAGE, &usage, "2.5.29.15"),
        (EXTENDED_KEY_USAGE, &purposes, "2.5.29.37"),
        (SUBJECT_ALT_NAME, &names, "2.5.29.17"),
        (NAME_CONSTRAINTS, &constraints, "2.5.29.30"),
    ] {
        read(&[(oid, value)]).unwrap();
        let trailing = [value.as_slice(), &[0x05, 0x00]].concat();
        let damaged = [&[0x0a], &value[1..]].concat();
        for wrong in [trailing, damaged, Vec::new()] {
            assert_eq!(
                read(&[(oid, &wrong)]).unwrap_err(),
                Error::malformed("extensions", format!("extension {dotted} can't be decoded")),
                "{wrong:02x?}"
            );
        }
    }
}

#[test]
fn an_extended_key_usage_without_purposes_is_told_from_none() {
    let read = |extensions: &[(&[u8], &[u8])]| read(extensions).unwrap();
    assert_eq!(read(&[]).extended_key_usage(), None);
    let empty = read(&[(EXTENDED_KEY_USAGE, &sequence(&[]))]);
    assert_eq!(empty.extended_key_usage(), Some([].as_slice()));
    let some = sequence(&[
        &tlv(0x06, b"\x2b\x06\x01\x05\x05\x07\x03\x04"),
        &tlv(0x06, b"\x2b\x06\x01\x05\x05\x07\x03\x02"),
        &tlv(0x06, b"\x55\x1d\x25\x00"),
    ]);
    assert_eq!(
        read(&[(EXTENDED_KEY_USAGE, &some)]).extended_key_usage(),
        Some(
            [
                ExtendedKeyUsage::Other("1.3.6.1.5.5.7.3.4".to_owned()),
                ExtendedKeyUsage::ClientAuth,
                ExtendedKeyUsage::Any,
            ]
            .as_slice()
        )
    );
}

#[test]
fn an_extension_that_occurs_twice_is_refused() {
    let value = sequence(&[]);
    let other = (CRL_DISTRIBUTION_POINTS, value.as_slice());
    let twice = [
        (BASIC_CONSTRAINTS, value.as_slice()),
        other,
        (BASIC_CONSTRAINTS, value.as_slice()),
    ];
    for (extensions, dotted) in [(&twice[..], "2.5.29.19"), (&[other, other], "2.5.29.31")] {
        assert_eq!(
            read(extensions).unwrap_err(),
            Error::malformed("extensions", format!("extension {dotted} occurs twice"))
        );
    }
}

#[test]
fn what_is_no_certificate_is_refused_in_words() {
    // ContentInfo (RFC 5652, section 3) of a PKCS#7 file; a certificate that ends within its header.
    let pkcs7 = sequence(&[&tlv(0x06, b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02")]);
    for (der, reason) in [
        (pkcs7.as_slice(), "expected tag 16, found 6"),
        (b"\x30", "it ends early"),
    ] {
        assert_eq!(
            Certificate::from_der(der).unwrap_err(),
            Error::malformed("certificate", reason)
        );
    }
}

#[test]
fn a_signature_algorithm_is_named_whether_it_is_verified_or_not() {
    for (algorithm, name) in [
        (ECDSA_SHA256, "ecdsa-with-SHA256"),
        // RSA's parameter, where RFC 5758 wants none.
        (ECDSA_SHA256_NULL, "ecdsa-with-SHA256"),
        (SHA1_WITH_RSA, "sha1WithRSAEncryption"),
        (RSASSA_PSS, "id-RSASSA-PSS"),
        (RSASSA_PSS_SHA1, "RSASSA-PSS with SHA-1"),
        (
            b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x02",
            "md2WithRSAEncryption",
        ),
        (
            b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04",
            "md5WithRSAEncryption",
        ),
        (b"\x06\x07\x2a\x86\x48\xce\x38\x04\x03", "dsa-with-sha1"),
        (b"\x06\x07\x2a\x86\x48\xce\x3d\x04\x01", "ecdsa-with-SHA1"),
        (b"\x06\x03\x2a\x03\x04", "1.2.3.4"),
    ] {
        let certificate = Certificate::from_der(&certificate(algorithm, &[])).unwrap();
        assert_eq!(certificate.signature_algorithm(), name);
    }
}

#[test]
fn a_root_whose_signature_can_not_be_checked_is_known_by_its_key_identifiers() {
    let subject = tlv(0x04, b"own");
    let issuer = |id: &[u8]| sequence(&[&tlv(0x80, id)]);
    for algorithm in [SHA1_WITH_RSA, RSASSA_PSS_SHA1] {
        let is_self_signed = |extensions: &[(&[u8], &[u8])]| {
            Certificate::from_der(&certificate(algorithm, extensions))
                .unwrap()
                .is_self_signed()
        };
        assert!(is_self_signed(&[]));
        assert!(is_self_signed(&[(SUBJECT_KEY_IDENTIFIER, &subject)]));
        assert!(is_self_signed(&[
            (SUBJECT_KEY_IDENTIFIER, &subject),
            (AUTHORITY_KEY_IDENTIFIER, &issuer(b"own")),
        ]));
        // A CA that changed its key and kept its name.
        assert!(!is_self_signed(&[
            (SUBJECT_KEY_IDENTIFIER, &subject),
            (AUTHORITY_KEY_IDENTIFIER, &issuer(b"former")),
        ]));
    }
    // One that can be checked is judged by its signature alone.
    let forged = Certificate::from_der(&certificate(ECDSA_SHA256, &[])).unwrap();
    assert!(!forged.is_self_signed());
    assert!(matches!(
        forged.verify_issued_by(&forged),
        Err(Error::CertificateSignatureInvalid { .. })
    ));
}

#[test]
fn a_request_is_version_1_and_has_one_value_of_each_attribute() {
    let names = |name: &[u8]| {
        let value = sequence(&[&tlv(0x82, name)]);
        sequence(&[&sequence(&[
            &tlv(0x06, SUBJECT_ALT_NAME),
            &tlv(0x04, &value),
        ])])
    };
    let asked = |values: &[u8]| {
        sequence(&[
            &tlv(0x06, b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e"),
            &tlv(0x31, values),
        ])
    };
    let a = names(b"a.example");
    let b = names(b"b.example");
    let read = |version, attributes: &[u8]| {
        CertificateRequest::from_der(&request(version, &tlv(0xa0, attributes)))
    };
    let refused = |reason: &str| Err(Error::malformed("certificate request", reason));

    let good = read(0, &asked(&a)).unwrap();
    assert_eq!(
        good.subject_alt_names(),
        [SubjectAltName::dns("a.example").unwrap()]
    );
    assert_eq!(read(7, &asked(&a)), refused("version 7, not 0"));
    assert_eq!(
        read(0, &asked(&[a.clone(), b.clone()].concat())),
        refused("its extension request has two values")
    );
    assert_eq!(
        read(0, &[asked(&a), asked(&b)].concat()),
        refused("it has two extension request attributes")
    );
    // A challenge password in a string type that has no place there doesn't matter, nor do attributes that are left out.
    let password = sequence(&[
        &tlv(0x06, b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x07"),
        &tlv(0x31, &tlv(0x04, b"secret")),
    ]);
    assert_eq!(
        read(0, &[password, asked(&b)].concat())
            .unwrap()
            .subject_alt_names(),
        [SubjectAltName::dns("b.example").unwrap()]
    );
    assert!(CertificateRequest::from_der(&request(0, &[])).is_ok());
}

#[test]
fn a_point_is_compressed_or_not_and_never_compact() {
    let public = public_key();
    let (start, point) = public.spki_der().split_last_chunk::<65>().unwrap();
    let short = |form: u8| {
        // SEQUENCE { AlgorithmIdentifier, BIT STRING of 65 + 1 octets }
        let (identifier, _) = start.split_at(start.len() - 3);
        let octets = [&[0, form], &point[1..33]].concat();
        sequence(&[&identifier[2..], &tlv(0x03, &octets)])
    };
    let parity = 2 | (point[64] & 1);
    PublicKey::from_spki_der(&short(parity)).unwrap();
    assert_eq!(
        PublicKey::from_spki_der(&short(5)).unwrap_err(),
        Error::malformed(
            "public key",
            "its point is neither compressed nor uncompressed"
        )
    );
}

fn request(version: u8, attributes: &[u8]) -> Vec<u8> {
    let info = sequence(&[
        &tlv(0x02, &[version]),
        &name("Test"),
        public_key().spki_der(),
        attributes,
    ]);
    sequence(&[&info, &sequence(&[ECDSA_SHA256]), &tlv(0x03, &[0, 1, 2, 3])])
}

/// A certificate with these extensions, read.
fn read(extensions: &[(&[u8], &[u8])]) -> Result<Certificate, Error> {
    Certificate::from_der(&certificate(ECDSA_SHA256, extensions))
}

/// A self-issued certificate whose signature nobody has made.
fn certificate(algorithm: &[u8], extensions: &[(&[u8], &[u8])]) -> Vec<u8> {
    let algorithm = sequence(&[algorithm]);
    let name = name("Test");
    let time = tlv(0x17, b"260101000000Z");
    let encoded: Vec<Vec<u8>> = extensions
        .iter()
        .map(|(oid, value)| sequence(&[&tlv(0x06, oid), &tlv(0x04, value)]))
        .collect();
    let extensions = match encoded.as_slice() {
        [] => Vec::new(),
        some => tlv(
            0xa3,
            &sequence(&some.iter().map(Vec::as_slice).collect::<Vec<_>>()),
        ),
    };
    let tbs = sequence(&[
        &tlv(0xa0, &tlv(0x02, &[2])),
        &tlv(0x02, &[1]),
        &algorithm,
        &name,
        &sequence(&[&time, &time]),
        &name,
        public_key().spki_der(),
        &extensions,
    ]);
    sequence(&[&tbs, &algorithm, &tlv(0x03, &[0, 1, 2, 3])])
}

fn name(common_name: &str) -> Vec<u8> {
    let attribute = sequence(&[
        &tlv(0x06, &[0x55, 0x04, 0x03]),
        &tlv(0x0c, common_name.as_bytes()),
    ]);
    sequence(&[&tlv(0x31, &attribute)])
}

fn public_key() -> PublicKey {
    PrivateKey::generate(KeyKind::EcP256)
        .unwrap()
        .public_key()
        .clone()
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

/// An element of DER, of less than 64 KiB.
fn tlv(tag: u8, contents: &[u8]) -> Vec<u8> {
    let len = u16::try_from(contents.len()).unwrap();
    let [high, low] = len.to_be_bytes();
    let header = match len {
        0..0x80 => vec![tag, low],
        0x80..0x100 => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    [header.as_slice(), contents].concat()
}
