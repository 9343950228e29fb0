//! What is in a file: PEM or DER; certificates, requests, keys or PKCS#12.

use std::{fmt, time::SystemTime};

use const_oid::{ObjectIdentifier, db::DB};
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::{
    Certificate, CertificateRequest, DistinguishedName, Error, Integrity, Passphrase, Pkcs12,
    PrivateKey, PublicKey, TrustStore, UnreadableCertificate,
    der::{self, Reader},
    pem,
    time::Rfc3339,
    trust_store,
};

/// What an input holds, item by item. It displays as text and serializes (to JSON, for one) with the same words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    encoding: &'static str,
    items: Vec<Item>,
}

/// Finds out what the input is, and describes it. No secret is in the result.
///
/// `passphrase` opens what is encrypted. Certificates are told to be expired by the system's clock.
///
/// # Errors
/// [`Error::PassphraseRequired`] and [`Error::WrongPassphrase`]; [`Error::Malformed`] when the input is none of the things
/// that this crate reads; and the errors of their readers.
pub fn inspect<'p>(
    input: &[u8],
    passphrase: impl Into<Option<&'p Passphrase>>,
) -> Result<Report, Error> {
    inspect_at(input, passphrase, SystemTime::now())
}

/// The variant of [`inspect`] with an explicit clock.
///
/// # Errors
/// Those of [`inspect`].
pub fn inspect_at<'p>(
    input: &[u8],
    passphrase: impl Into<Option<&'p Passphrase>>,
    now: SystemTime,
) -> Result<Report, Error> {
    let passphrase = passphrase.into();
    if !pem::is_pem(input) {
        return Ok(Report {
            encoding: "DER",
            items: vec![der_item(input, passphrase, now)?],
        });
    }
    let items = pem::blocks(input)?
        .iter()
        .map(|block| pem_item(block, passphrase, now))
        .collect::<Result<_, _>>()?;
    Ok(Report {
        encoding: "PEM",
        items,
    })
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, item) in self.items.iter().enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            writeln!(f, "{} ({})", item.kind, self.encoding)?;
            item.fmt_fields(f, 1)?;
        }
        Ok(())
    }
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("encoding", self.encoding)?;
        map.serialize_entry("items", &self.items)?;
        map.end()
    }
}

/// One thing with its properties, in the order in which they are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Item {
    kind: &'static str,
    fields: Vec<(&'static str, Value)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Value {
    Text(String),
    Flag(bool),
    List(Vec<String>),
    Items(Vec<Item>),
}

impl Item {
    fn new(kind: &'static str) -> Self {
        Self {
            kind,
            fields: Vec::new(),
        }
    }

    fn text(self, name: &'static str, value: impl ToString) -> Self {
        self.with(name, Value::Text(value.to_string()))
    }

    fn optional_text(self, name: &'static str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.text(name, value),
            None => self,
        }
    }

    fn list(self, name: &'static str, values: impl IntoIterator<Item = impl ToString>) -> Self {
        let values: Vec<String> = values.into_iter().map(|value| value.to_string()).collect();
        if values.is_empty() {
            self
        } else {
            self.with(name, Value::List(values))
        }
    }

    fn with(mut self, name: &'static str, value: Value) -> Self {
        self.fields.push((name, value));
        self
    }

    fn fmt_fields(&self, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        let indent = depth.saturating_mul(2);
        for (name, value) in &self.fields {
            match value {
                Value::Text(text) => writeln!(f, "{:indent$}{name}: {text}", "")?,
                Value::Flag(flag) => writeln!(f, "{:indent$}{name}: {flag}", "")?,
                Value::List(values) => writeln!(f, "{:indent$}{name}: {}", "", values.join(", "))?,
                Value::Items(items) => {
                    for item in items {
                        writeln!(f, "{:indent$}{}:", "", item.kind)?;
                        item.fmt_fields(f, depth.saturating_add(1))?;
                    }
                }
            }
        }
        Ok(())
    }
}

impl Serialize for Item {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.fields.len().saturating_add(1)))?;
        map.serialize_entry("type", self.kind)?;
        for (name, value) in &self.fields {
            match value {
                Value::Text(text) => map.serialize_entry(name, text)?,
                Value::Flag(flag) => map.serialize_entry(name, flag)?,
                Value::List(values) => map.serialize_entry(name, values)?,
                Value::Items(items) => map.serialize_entry(name, items)?,
            }
        }
        map.end()
    }
}

fn pem_item(
    block: &pem::Block,
    passphrase: Option<&Passphrase>,
    now: SystemTime,
) -> Result<Item, Error> {
    match block.label.as_str() {
        "CERTIFICATE" | "X509 CERTIFICATE" => {
            Ok(certificate(&Certificate::from_der(&block.der)?, now))
        }
        "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => {
            request(&CertificateRequest::from_der(&block.der)?)
        }
        "PUBLIC KEY" => Ok(public_key(
            "publicKey",
            &PublicKey::from_spki_der(&block.der)?,
        )),
        label if label.ends_with("PRIVATE KEY") => {
            let key = PrivateKey::from_block(block, passphrase)?;
            let without = PrivateKey::from_block(block, None);
            Ok(private_key(&key).with("encrypted", is_encrypted(&without)))
        }
        label => Ok(Item::new("other").text("label", label.escape_default())),
    }
}

/// Tells DER structures apart by the tags of their first elements.
fn der_item(input: &[u8], passphrase: Option<&Passphrase>, now: SystemTime) -> Result<Item, Error> {
    if trust_store::is_jks(input) {
        return jks(input, passphrase, now);
    }
    let unknown = Error::Malformed {
        what: "input",
        reason: "it is neither PEM, nor the DER of a certificate, a request, a key or a PKCS#12 file, nor JKS"
            .into(),
    };
    let tags = |input| -> Result<Vec<u8>, Error> {
        let mut reader = Reader::enter(input, der::SEQUENCE, "input")?;
        let mut tags = Vec::new();
        while !reader.is_empty() && tags.len() < 8 {
            tags.push(reader.read()?.tag);
        }
        Ok(tags)
    };
    // BER with an indefinite length is what NSS writes PKCS#12 in.
    if input.starts_with(&[der::SEQUENCE, 0x80]) {
        return pkcs12(input, passphrase, now);
    }
    let Ok(shape) = tags(input) else {
        return Err(unknown);
    };
    match shape.as_slice() {
        [der::SEQUENCE, der::SEQUENCE, der::BIT_STRING] => {
            // TBSCertificate has six fields or more, CertificationRequestInfo four at most.
            let mut outer = Reader::enter(input, der::SEQUENCE, "input")?;
            if tags(outer.read()?.raw).is_ok_and(|fields| fields.len() <= 4) {
                request(&CertificateRequest::from_der(input)?)
            } else {
                Ok(certificate(&Certificate::from_der(input)?, now))
            }
        }
        [der::SEQUENCE, der::BIT_STRING] => {
            Ok(public_key("publicKey", &PublicKey::from_spki_der(input)?))
        }
        [der::INTEGER, der::SEQUENCE] | [der::INTEGER, der::SEQUENCE, der::SEQUENCE] => {
            pkcs12(input, passphrase, now)
        }
        [
            der::INTEGER,
            der::SEQUENCE | der::INTEGER | der::OCTET_STRING,
            ..,
        ]
        | [der::SEQUENCE, der::OCTET_STRING] => {
            let key = PrivateKey::from_der(input, passphrase)?;
            let without = PrivateKey::from_der(input, None);
            Ok(private_key(&key).with("encrypted", is_encrypted(&without)))
        }
        _ => Err(unknown),
    }
}

fn certificate(certificate: &Certificate, now: SystemTime) -> Item {
    let key = match certificate.public_key() {
        Ok(key) => key.algorithm().to_string(),
        Err(error) => error.to_string(),
    };
    let critical = certificate
        .extensions()
        .filter(|(_, critical)| *critical)
        .map(|(oid, _)| extension_name(oid));
    let item = Item::new("certificate")
        .text("version", certificate.version())
        .text("subject", name(certificate.subject()))
        .text("issuer", name(certificate.issuer()))
        .text("serialNumber", certificate.serial_number())
        .text("notBefore", Rfc3339(certificate.validity().not_before))
        .text("notAfter", Rfc3339(certificate.validity().not_after))
        .with(
            "expired",
            Value::Flag(certificate.validity().not_after < now),
        )
        .text("publicKey", key)
        .text("signatureAlgorithm", certificate.signature_algorithm())
        .with("selfSigned", Value::Flag(certificate.is_self_signed()))
        .with(
            "ca",
            Value::Flag(
                certificate
                    .basic_constraints()
                    .is_some_and(|constraints| constraints.ca),
            ),
        )
        .optional_text(
            "pathLength",
            certificate
                .basic_constraints()
                .and_then(|constraints| constraints.path_len),
        )
        .list(
            "keyUsage",
            certificate
                .key_usage()
                .map(|usage| usage.names())
                .unwrap_or_default(),
        )
        .list(
            "extendedKeyUsage",
            certificate.extended_key_usage().unwrap_or_default(),
        )
        .list("subjectAltNames", certificate.subject_alt_names())
        .optional_text(
            "subjectKeyIdentifier",
            certificate.subject_key_identifier().map(hex),
        )
        .optional_text(
            "authorityKeyIdentifier",
            certificate.authority_key_identifier().map(hex),
        )
        .list("criticalExtensions", critical);
    item.text("sha256Fingerprint", hex(&certificate.fingerprint_sha256()))
}

/// Whether the signature verifies is left out where it can't be told.
fn request(request: &CertificateRequest) -> Result<Item, Error> {
    let item = Item::new("certificateRequest")
        .text("subject", name(request.subject()))
        .text("publicKey", request.public_key().algorithm())
        .text("signatureAlgorithm", request.signature_algorithm());
    let item = match request.verify() {
        Ok(_) => item.with("signatureVerifies", Value::Flag(true)),
        Err(Error::RequestSignatureInvalid) => item.with("signatureVerifies", Value::Flag(false)),
        Err(Error::UnsupportedScheme { .. }) => item,
        Err(error) => return Err(error),
    };
    Ok(item
        .list("subjectAltNames", request.subject_alt_names())
        .list(
            "requestedExtensions",
            request.requested_extensions().map(extension_name),
        ))
}

/// Whether what can't be opened without a passphrase is a key that has one.
fn is_encrypted(without_passphrase: &Result<PrivateKey, Error>) -> Value {
    Value::Flag(matches!(
        without_passphrase,
        Err(Error::PassphraseRequired { .. })
    ))
}

fn private_key(key: &PrivateKey) -> Item {
    public_key("privateKey", key.public_key())
}

fn public_key(kind: &'static str, key: &PublicKey) -> Item {
    Item::new(kind)
        .text("algorithm", key.algorithm())
        .text("keyIdentifier", hex(&key.key_identifier()))
}

fn pkcs12(input: &[u8], passphrase: Option<&Passphrase>, now: SystemTime) -> Result<Item, Error> {
    let passphrase = passphrase.ok_or(Error::PassphraseRequired {
        what: "PKCS#12 file",
    })?;
    let opened = Pkcs12::open(input, passphrase)?;
    let keys = opened
        .private_keys()
        .iter()
        .zip(opened.aliases())
        .map(|(key, alias)| private_key(key).optional_text("alias", alias.as_ref()))
        .collect();
    let certificates = opened
        .entries()
        .map(|entry| {
            let item = certificate(entry.certificate, now).optional_text("alias", entry.alias);
            if entry.trusted {
                item.with("trusted", Value::Flag(true))
            } else {
                item
            }
        })
        .chain(opened.unreadable().iter().map(unreadable))
        .collect();
    Ok(Item::new("pkcs12")
        .text("integrity", integrity(opened.integrity()))
        .list("encryption", opened.encryption())
        .optional_text("alias", opened.alias())
        .with("privateKeys", Value::Items(keys))
        .with("certificates", Value::Items(certificates)))
}

/// A JKS file: its trusted certificates, and how many private keys are beside them. Its integrity is checked when there
/// is a passphrase.
fn jks(input: &[u8], passphrase: Option<&Passphrase>, now: SystemTime) -> Result<Item, Error> {
    let store = TrustStore::read(input, passphrase)?;
    let certificates = store
        .entries()
        .map(|(alias, trusted)| certificate(trusted, now).optional_text("alias", alias))
        .chain(store.unreadable().iter().map(unreadable))
        .collect();
    Ok(Item::new("jks")
        .text("integrity", integrity(store.integrity()))
        .text("skippedPrivateKeys", store.private_keys())
        .with("certificates", Value::Items(certificates)))
}

fn unreadable(found: &UnreadableCertificate) -> Item {
    Item::new("unreadableCertificate")
        .text("error", &found.error)
        .optional_text("alias", found.alias.as_ref())
}

fn integrity(integrity: &Integrity) -> String {
    match integrity {
        Integrity::Mac { digest, iterations } => {
            format!("HMAC with {digest}, {iterations} iterations")
        }
        Integrity::Unchecked => "not checked".to_owned(),
        Integrity::Absent => "none: nothing vouches for the contents".to_owned(),
    }
}

/// The name that RFC 5280 gives an extension, for example `keyUsage`, or else its object identifier.
fn extension_name(oid: &str) -> String {
    let known = ObjectIdentifier::new(oid)
        .ok()
        .and_then(|oid| DB.by_oid(&oid));
    match known {
        Some(name) => name
            .trim_start_matches("id-ce-")
            .trim_start_matches("id-pe-")
            .to_owned(),
        None => oid.to_owned(),
    }
}

fn name(name: &DistinguishedName) -> String {
    if name.is_empty() {
        "(empty)".to_owned()
    } else {
        name.to_string()
    }
}

fn hex(octets: &[u8]) -> String {
    let pairs: Vec<String> = octets.iter().map(|octet| format!("{octet:02x}")).collect();
    pairs.join(":")
}
