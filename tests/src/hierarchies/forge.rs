//! Certificates that say whatever they are told to.

use std::time::SystemTime;

use ed25519_dalek::pkcs8::DecodePrivateKey;
use pki::{
    Certificate, DistinguishedName, KeyAlgorithm, PrivateKey, PublicKey, SubjectAltName, Validity,
};
use rsa::pkcs1v15;
use sha2::Sha256;
use signature::{SignatureEncoding, Signer};
use time::OffsetDateTime;

use super::{Constraint, Leaf};

/// A form of GeneralName that constraints are made of: the identifier octet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Form {
    /// rfc822Name
    Email = 0x81,
    /// dNSName
    Dns = 0x82,
    /// directoryName
    Directory = 0xa4,
    /// uniformResourceIdentifier
    Uri = 0x86,
    /// iPAddress
    Ip = 0x87,
}

/// What the certificate of a CA says besides its names, its key and its dates.
#[derive(Debug, Clone, Default)]
pub struct CaExtensions<'a> {
    /// The path length constraint.
    pub path_len: Option<u32>,
    /// The name constraints.
    pub constraints: &'a [Constraint],
}

/// The issuing side: a name and its key.
#[derive(Clone, Copy)]
pub struct Issuer<'a> {
    /// The name.
    pub name: &'a DistinguishedName,
    /// The key.
    pub key: &'a PrivateKey,
}

/// A CA's certificate.
pub fn ca(
    issuer: Issuer<'_>,
    subject: Issuer<'_>,
    validity: Validity,
    extensions: &CaExtensions<'_>,
) -> Certificate {
    let path_len = extensions
        .path_len
        .map(|n| tlv(0x02, &[&[u8::try_from(n).unwrap()]]));
    let basic = sequence(&[&[0x01, 1, 0xff], &path_len.unwrap_or_default()]);
    let mut all = vec![
        extension(&[0x55, 0x1d, 0x13], true, &basic),
        extension(&[0x55, 0x1d, 0x0f], true, &[0x03, 2, 1, 0x06]), // keyCertSign, cRLSign
    ];
    if !extensions.constraints.is_empty() {
        all.push(extension(
            &[0x55, 0x1d, 0x1e],
            true,
            &constraints(extensions.constraints),
        ));
    }
    sign(
        issuer,
        subject.name,
        subject.key.public_key(),
        validity,
        all,
    )
}

/// A leaf for both sides of TLS.
pub fn leaf(issuer: Issuer<'_>, key: &PublicKey, leaf: &Leaf) -> Certificate {
    let purposes = sequence(&[
        b"\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01",
        b"\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x02",
    ]);
    let mut all = vec![
        extension(&[0x55, 0x1d, 0x0f], true, &[0x03, 2, 7, 0x80]), // digitalSignature
        extension(&[0x55, 0x1d, 0x25], false, &purposes),
    ];
    if !leaf.names.is_empty() {
        let names: Vec<Vec<u8>> = leaf.names.iter().map(general_name).collect();
        all.push(extension(
            &[0x55, 0x1d, 0x11],
            leaf.subject.is_empty(),
            &sequence(&[&names.concat()]),
        ));
    }
    sign(issuer, &leaf.subject, key, leaf.validity, all)
}

/// A certificate with these extensions, each as [`extension`] makes it, and both key identifiers.
pub fn sign(
    issuer: Issuer<'_>,
    subject: &DistinguishedName,
    key: &PublicKey,
    validity: Validity,
    mut extensions: Vec<Vec<u8>>,
) -> Certificate {
    let own = tlv(0x04, &[&key.key_identifier()]);
    let above = sequence(&[&tlv(0x80, &[&issuer.key.public_key().key_identifier()])]);
    extensions.push(extension(&[0x55, 0x1d, 0x0e], false, &own));
    extensions.push(extension(&[0x55, 0x1d, 0x23], false, &above));
    let mut serial = [0; 16];
    fastrand::fill(&mut serial);
    serial[0] = 0x40;
    let algorithm = algorithm(issuer.key);
    let tbs = sequence(&[
        &[0xa0, 3, 2, 1, 2], // v3
        &tlv(0x02, &[&serial]),
        &algorithm,
        issuer.name.as_der(),
        &sequence(&[&time(validity.not_before), &time(validity.not_after)]),
        subject.as_der(),
        key.spki_der(),
        &tlv(0xa3, &[&sequence(&[&extensions.concat()])]),
    ]);
    let signature = tlv(0x03, &[&[0], &signature(issuer.key, &tbs)]);
    Certificate::from_der(&sequence(&[&tbs, &algorithm, &signature])).unwrap()
}

/// An extension, from the contents octets of its object identifier and its value.
pub fn extension(oid: &[u8], critical: bool, value: &[u8]) -> Vec<u8> {
    let critical: &[u8] = if critical { &[0x01, 1, 0xff] } else { &[] };
    sequence(&[&tlv(0x06, &[oid]), critical, &tlv(0x04, &[value])])
}

/// A Name of single-valued RDNs, whose values have this string type. Types are the last octets of those in X.520.
pub fn name(attributes: &[(u8, &str)], string_type: u8) -> DistinguishedName {
    let rdns: Vec<Vec<u8>> = attributes
        .iter()
        .map(|(attribute, value)| {
            let oid = [0x06, 3, 0x55, 4, *attribute];
            let value = tlv(string_type, &[value.as_bytes()]);
            tlv(0x31, &[&sequence(&[&oid, &value])])
        })
        .collect();
    DistinguishedName::from_der(&sequence(&[&rdns.concat()])).unwrap()
}

fn constraints(constraints: &[Constraint]) -> Vec<u8> {
    let list = |tag: u8, permitted: bool| {
        let subtrees: Vec<Vec<u8>> = constraints
            .iter()
            .filter(|constraint| constraint.permitted == permitted)
            .map(|constraint| sequence(&[&tlv(constraint.form as u8, &[&constraint.base])]))
            .collect();
        if subtrees.is_empty() {
            Vec::new()
        } else {
            tlv(tag, &[&subtrees.concat()])
        }
    };
    sequence(&[&list(0xa0, true), &list(0xa1, false)])
}

fn general_name(name: &SubjectAltName) -> Vec<u8> {
    let text = |form: Form, text: &str| tlv(form as u8, &[text.as_bytes()]);
    match name {
        SubjectAltName::Dns(name) => text(Form::Dns, name.as_str()),
        SubjectAltName::Email(address) => text(Form::Email, address.as_str()),
        SubjectAltName::Uri(uri) => text(Form::Uri, uri.as_str()),
        SubjectAltName::Ip(std::net::IpAddr::V4(ip)) => tlv(Form::Ip as u8, &[&ip.octets()]),
        SubjectAltName::Ip(std::net::IpAddr::V6(ip)) => tlv(Form::Ip as u8, &[&ip.octets()]),
        other => panic!("{other}"),
    }
}

fn algorithm(key: &PrivateKey) -> Vec<u8> {
    sequence(&[match key.algorithm() {
        KeyAlgorithm::Rsa { .. } => b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00",
        KeyAlgorithm::EcP256 => b"\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02",
        KeyAlgorithm::EcP384 => b"\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03",
        KeyAlgorithm::Ed25519 => b"\x06\x03\x2b\x65\x70",
        other => panic!("{other}"),
    }])
}

fn signature(key: &PrivateKey, message: &[u8]) -> Vec<u8> {
    let der = key.to_pkcs8_der().unwrap();
    match key.algorithm() {
        KeyAlgorithm::Rsa { .. } => {
            let key = rsa::PrivateKey::from_pkcs8_der(&der).unwrap();
            pkcs1v15::SigningKey::<Sha256>::new(key)
                .sign(message)
                .to_vec()
        }
        KeyAlgorithm::EcP256 => {
            let signature: p256::ecdsa::DerSignature =
                p256::ecdsa::SigningKey::from_pkcs8_der(&der)
                    .unwrap()
                    .sign(message);
            signature.to_vec()
        }
        KeyAlgorithm::EcP384 => {
            let signature: p384::ecdsa::DerSignature =
                p384::ecdsa::SigningKey::from_pkcs8_der(&der)
                    .unwrap()
                    .sign(message);
            signature.to_vec()
        }
        KeyAlgorithm::Ed25519 => {
            let key = ed25519_dalek::SigningKey::from_pkcs8_der(&der).unwrap();
            key.sign(message).to_vec()
        }
        other => panic!("{other}"),
    }
}

/// UTCTime until 2049, GeneralizedTime from 2050 (RFC 5280, section 4.1.2.5).
fn time(time: SystemTime) -> Vec<u8> {
    let t = OffsetDateTime::from(time);
    let rest = format!(
        "{:02}{:02}{:02}{:02}{:02}Z",
        u8::from(t.month()),
        t.day(),
        t.hour(),
        t.minute(),
        t.second()
    );
    if t.year() < 2050 {
        tlv(0x17, &[format!("{:02}{rest}", t.year() % 100).as_bytes()])
    } else {
        tlv(0x18, &[format!("{:04}{rest}", t.year()).as_bytes()])
    }
}

/// A DER SEQUENCE.
pub fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    tlv(0x30, parts)
}

/// A DER element of less than 64 KiB.
pub fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let contents = parts.concat();
    let [high, low] = u16::try_from(contents.len()).unwrap().to_be_bytes();
    let header = match contents.len() {
        0..=127 => vec![tag, low],
        128..=255 => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    [header, contents].concat()
}
