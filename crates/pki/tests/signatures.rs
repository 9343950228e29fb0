//! Signatures that OpenSSL made, in algorithms of which not every program makes each.
#![allow(clippy::unwrap_used)] // tests

use pki::{Certificate, Error};

macro_rules! certificate {
    ($name:literal) => {
        Certificate::from_pem(include_bytes!(concat!("data/signatures/", $name, ".pem"))).unwrap()
    };
}

#[test]
fn what_is_supported_verifies_and_is_named() {
    for (certificate, name) in [
        (certificate!("p521-sha512"), "ecdsa-with-SHA512"),
        // A digest that is shorter than half of the curve's numbers.
        (certificate!("p521-sha256"), "ecdsa-with-SHA256"),
        (certificate!("pss-sha512"), "RSASSA-PSS with SHA-512"),
        // What OpenSSL 3.0 does when nobody tells it otherwise: the longest salt that fits.
        (
            certificate!("pss-sha256-salt222"),
            "RSASSA-PSS with SHA-256, salt of 222 octets",
        ),
        (
            certificate!("pss-unlimited"),
            "RSASSA-PSS with SHA-256, salt of 222 octets",
        ),
        // The key's parameters allow this salt, and no shorter one.
        (
            certificate!("pss-sha384-limited"),
            "RSASSA-PSS with SHA-384, salt of 32 octets",
        ),
    ] {
        assert_eq!(certificate.signature_algorithm(), name);
        certificate.verify_issued_by(&certificate).unwrap();
        let mut damaged = certificate.as_der().to_vec();
        *damaged.last_mut().unwrap() ^= 1;
        let damaged = Certificate::from_der(&damaged).unwrap();
        assert!(matches!(
            damaged.verify_issued_by(&certificate),
            Err(Error::CertificateSignatureInvalid { .. })
        ));
    }
}

#[test]
fn what_is_not_supported_is_kept_and_named() {
    let mixed = certificate!("pss-mgf1-sha1");
    let name = "RSASSA-PSS with SHA-256, MGF1 with SHA-1, salt of 222 octets";
    assert_eq!(mixed.signature_algorithm(), name);
    assert!(matches!(
        mixed.verify_issued_by(&mixed),
        Err(Error::UnsupportedScheme { name: found, .. }) if found == name
    ));
    // The key may be used with SHA-1 alone.
    let sha1 = certificate!("pss-sha1");
    assert_eq!(sha1.signature_algorithm(), "RSASSA-PSS with SHA-1");
    assert!(matches!(
        sha1.verify_issued_by(&sha1),
        Err(Error::UnsupportedKey { found, .. }) if found == "RSASSA-PSS with SHA-1"
    ));
}

/// RFC 5280, section 4.1.1.2: what is signed says the same as what stands beside the signature, octet for octet.
#[test]
fn the_two_signature_algorithms_of_a_certificate_agree_octet_for_octet() {
    let certificate = certificate!("pss-sha512");
    // The salt's length of the outer identifier: 64 octets.
    let salt = b"\xa2\x03\x02\x01\x40";
    let der = certificate.as_der();
    let at = der
        .windows(salt.len())
        .rposition(|window| window == salt)
        .unwrap();
    let mut other = der.to_vec();
    other[at + 4] = 63;
    let other = Certificate::from_der(&other).unwrap();
    assert!(matches!(
        other.verify_issued_by(&certificate),
        Err(Error::SignatureAlgorithmMismatch { .. })
    ));
}
