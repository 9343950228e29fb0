//! What `inspect` says of a file, in words: what every command that makes something reports with `--json`.

mod extensions;

use std::{
    fmt,
    time::{SystemTime, UNIX_EPOCH},
};

use pki::{
    Certificate, CertificateRequest, Contents, Crl, DistinguishedName, Encoding, Encrypted,
    Integrity, JavaKeystore, KeystoreEntry, KeystoreValue, OtherKey, Passphrase, Pkcs7, Pkcs12,
    PublicKey, RevocationReason, RevokedCertificate, UnreadableCertificate,
};
use serde::ser::{Serialize, SerializeMap, Serializer};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// What a file holds, item by item. It displays as text and serializes with the same words. No secret is in it.
#[derive(Debug)]
pub(crate) struct Report {
    encoding: &'static str,
    items: Vec<Item>,
}

impl Report {
    /// Finds out what the input is, and describes it.
    ///
    /// # Errors
    ///
    /// Those of [`pki::open`], and what keeps something from being opened.
    pub(crate) fn read(input: &[u8], passphrase: Option<&Passphrase>) -> Result<Self, pki::Error> {
        let contents = pki::open(input, passphrase)?;
        // A key in a keystore of Java may have a passphrase of its own: the rest is shown all the same.
        let mut closed = contents.encrypted().map(|closed| &closed.error);
        match closed.find(|error| !matches!(error, pki::Error::WrongPassphrase { .. })) {
            Some(error) => Err(error.clone()),
            None => Self::of(&contents),
        }
    }

    /// Describes what was read.
    ///
    /// # Errors
    ///
    /// [`pki::Error`] when a request can't be verified, for another reason than its algorithm.
    pub(crate) fn of(contents: &Contents) -> Result<Self, pki::Error> {
        Self::at(contents, SystemTime::now())
    }

    /// Without what nothing has that is still to be signed: a fingerprint, and a signature that verifies or not, by its own key or another.
    pub(crate) fn unsigned(mut self) -> Self {
        for item in &mut self.items {
            let of_signed = [FINGERPRINT, VERIFIES, SELF_SIGNED];
            item.fields.retain(|(name, _)| !of_signed.contains(name));
        }
        self
    }

    fn at(contents: &Contents, now: SystemTime) -> Result<Self, pki::Error> {
        Ok(Self {
            encoding: match contents.encoding() {
                Encoding::Pem => "PEM",
                Encoding::Base64 => "base64",
                Encoding::Ber => "BER",
                // Of JKS and JCEKS the type says it.
                _ => "DER",
            },
            items: contents
                .items()
                .iter()
                .map(|item| described(item, now))
                .collect::<Result<_, _>>()?,
        })
    }
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

const FINGERPRINT: &str = "sha256Fingerprint";
const VERIFIES: &str = "signatureVerifies";
const SELF_SIGNED: &str = "selfSigned";

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

fn described(item: &pki::Item, now: SystemTime) -> Result<Item, pki::Error> {
    Ok(match item {
        pki::Item::Certificate(found) => certificate(found, now),
        pki::Item::CertificateRequest(found) => request(found)?,
        pki::Item::Crl(found) => crl(found, now),
        pki::Item::PublicKey(found) => public_key("publicKey", found),
        pki::Item::PrivateKey {
            key, encryption, ..
        } => public_key("privateKey", key.public_key())
            .with("encrypted", Value::Flag(encryption.is_some()))
            .optional_text("encryption", encryption.as_ref()),
        pki::Item::OtherKey(found) => other_key(found),
        pki::Item::OtherRequest(found) => Item::new("certificateRequest").text("publicKey", found),
        pki::Item::Encrypted(found) => encrypted(found),
        pki::Item::Pkcs12(found) => pkcs12(found, now),
        pki::Item::Pkcs7(found) => pkcs7(found, now),
        pki::Item::JavaKeystore(found) => java_keystore(found, now),
        pki::Item::OtherPem { label, .. } => {
            Item::new("other").text("label", label.escape_default())
        }
        _ => Item::new("other"),
    })
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
        .text("notBefore", rfc3339(certificate.validity().not_before))
        .text("notAfter", rfc3339(certificate.validity().not_after))
        .with(
            "expired",
            Value::Flag(certificate.validity().not_after < now),
        )
        .text("publicKey", key)
        .text("signatureAlgorithm", certificate.signature_algorithm())
        .with(SELF_SIGNED, Value::Flag(certificate.is_self_signed()))
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
            certificate
                .extended_key_usage()
                .unwrap_or_default()
                .iter()
                .map(|purpose| extension_name(purpose.oid())),
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
    let item = extensions::add_to(item, certificate);
    item.text(FINGERPRINT, hex(&certificate.fingerprint_sha256()))
}

/// Whether the signature verifies is left out where it can't be told.
fn request(request: &CertificateRequest) -> Result<Item, pki::Error> {
    let item = Item::new("certificateRequest")
        .text("subject", name(request.subject()))
        .text("publicKey", request.public_key().algorithm())
        .text("signatureAlgorithm", request.signature_algorithm());
    let item = match request.verify() {
        Ok(_) => item.with(VERIFIES, Value::Flag(true)),
        Err(pki::Error::RequestSignatureInvalid) => item.with(VERIFIES, Value::Flag(false)),
        Err(pki::Error::UnsupportedScheme { .. }) => item,
        Err(error) => return Err(error),
    };
    Ok(item
        .list("subjectAltNames", request.subject_alt_names())
        .list(
            "requestedExtensions",
            request.requested_extensions().map(extension_name),
        )
        .list(
            "otherAttributes",
            request.other_attributes().map(extension_name),
        ))
}

/// Whether the signature verifies can't be told without the issuer's certificate.
fn crl(crl: &Crl, now: SystemTime) -> Item {
    let critical = crl
        .extensions()
        .filter(|(_, critical)| *critical)
        .map(|(oid, _)| extension_name(oid));
    let mut item = Item::new("crl")
        .text("issuer", name(crl.issuer()))
        .optional_text("number", crl.number())
        .optional_text("baseNumber", crl.base_number())
        .text("thisUpdate", rfc3339(crl.this_update()))
        .optional_text("nextUpdate", crl.next_update().map(rfc3339))
        .with(
            "outdated",
            Value::Flag(crl.next_update().is_some_and(|next| next < now)),
        )
        .text("signatureAlgorithm", crl.signature_algorithm())
        .optional_text(
            "authorityKeyIdentifier",
            crl.authority_key_identifier().map(hex),
        );
    if let Some(point) = crl.issuing_distribution_point() {
        let about = [
            (point.only_contains_user_certificates(), "userCertificates"),
            (point.only_contains_ca_certificates(), "caCertificates"),
            (
                point.only_contains_attribute_certificates(),
                "attributeCertificates",
            ),
            (point.only_some_reasons(), "someReasons"),
        ];
        let about = about.iter().filter(|(is, _)| *is).map(|(_, what)| what);
        item = item
            .list("distributionPoint", point.names())
            .list("only", about)
            .with("indirect", Value::Flag(point.is_indirect()));
    }
    let item = item.list("criticalExtensions", critical);
    extensions::add_to_crl(item, crl).with(
        "revokedCertificates",
        Value::Items(crl.entries().map(revoked).collect()),
    )
}

fn revoked(entry: RevokedCertificate<'_>) -> Item {
    let item = Item::new("revokedCertificate")
        .text("serialNumber", entry.serial_number())
        .text("revocationDate", rfc3339(entry.revocation_date()));
    let item = match entry.reason() {
        RevocationReason::Unspecified => item,
        reason => item.text("reason", reason),
    };
    let item = item.optional_text("invalidityDate", entry.invalidity_date().map(rfc3339));
    if entry.is_of_crl_issuer() {
        item
    } else {
        item.with("ofAnotherIssuer", Value::Flag(true))
    }
}

fn public_key(kind: &'static str, key: &PublicKey) -> Item {
    Item::new(kind)
        .text("algorithm", key.algorithm())
        .text("keyIdentifier", hex(&key.key_identifier()))
}

fn pkcs12(opened: &Pkcs12, now: SystemTime) -> Item {
    let keys = opened
        .private_keys()
        .iter()
        .zip(opened.aliases())
        .map(|(key, alias)| {
            public_key("privateKey", key.public_key()).optional_text("alias", alias.as_ref())
        })
        .chain(opened.other_keys().iter().map(other_key))
        .chain(opened.encrypted().iter().map(encrypted))
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
    Item::new("pkcs12")
        .text("integrity", integrity(opened.integrity()))
        .list("encryption", opened.encryption())
        .optional_text("alias", opened.alias())
        .with("privateKeys", Value::Items(keys))
        .with("certificates", Value::Items(certificates))
        .list("otherBags", opened.other_bags())
        .list("otherAttributes", opened.other_attributes())
}

fn other_key(key: &OtherKey) -> Item {
    let kind = match key.is_private {
        true => "otherPrivateKey",
        false => "otherPublicKey",
    };
    let item = Item::new(kind)
        .text("algorithm", &key.name)
        .optional_text("algorithmId", key.oid.as_ref());
    let item = match key.is_private {
        true => item.with("encrypted", Value::Flag(key.encryption.is_some())),
        false => item,
    };
    item.optional_text("encryption", key.encryption.as_ref())
        .optional_text("alias", key.alias.as_ref())
}

fn encrypted(closed: &Encrypted) -> Item {
    Item::new("encrypted")
        .text("what", closed.what)
        .text("encryption", &closed.encryption)
        .text("reason", &closed.error)
        .optional_text("alias", closed.alias.as_ref())
}

/// Of its signatures, where there are any, nothing is said but their number.
fn pkcs7(opened: &Pkcs7, now: SystemTime) -> Item {
    let certificates = opened.certificates().iter();
    let certificates = certificates
        .map(|found| certificate(found, now))
        .chain(opened.unreadable().iter().map(unreadable))
        .collect();
    let crls = opened.crls().iter().map(|found| crl(found, now)).collect();
    Item::new("pkcs7")
        .text("signatures", opened.signers())
        .with("certificates", Value::Items(certificates))
        .with("crls", Value::Items(crls))
}

fn java_keystore(store: &JavaKeystore, now: SystemTime) -> Item {
    let (certificates, keys): (Vec<_>, Vec<_>) = store
        .entries()
        .iter()
        .map(|entry| keystore_entry(entry, now))
        .chain(store.unreadable().iter().map(unreadable))
        .partition(|item| matches!(item.kind, "certificate" | "unreadableCertificate"));
    let kind = match store.format() {
        "JKS" => "jks",
        _ => "jceks",
    };
    Item::new(kind)
        .text("integrity", integrity(store.integrity()))
        .with("privateKeys", Value::Items(keys))
        .with("certificates", Value::Items(certificates))
}

fn keystore_entry(entry: &KeystoreEntry, now: SystemTime) -> Item {
    let item = match &entry.value {
        KeystoreValue::PrivateKey {
            key, encryption, ..
        } => public_key("privateKey", key.public_key())
            .with("encrypted", Value::Flag(true))
            .text("encryption", encryption)
            .text("alias", &entry.alias),
        KeystoreValue::OtherKey(key) => other_key(key),
        KeystoreValue::Encrypted(closed) => encrypted(closed),
        KeystoreValue::TrustedCertificate(trusted) => certificate(trusted, now)
            .text("alias", &entry.alias)
            .with("trusted", Value::Flag(true)),
        KeystoreValue::SecretKey => Item::new("secretKey").text("alias", &entry.alias),
        _ => Item::new("other").text("alias", &entry.alias),
    };
    let chain: Vec<_> = entry.chain.iter().map(|of| certificate(of, now)).collect();
    let item = item.optional_text("created", entry.created.map(rfc3339));
    match chain.is_empty() {
        true => item,
        false => item.with("chain", Value::Items(chain)),
    }
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
        other => other.to_string(),
    }
}

/// The name that RFC 5280 gives an extension, for example `keyUsage`, or else its object identifier.
pub(crate) fn extension_name(oid: &str) -> String {
    pki::oid_name(oid).unwrap_or(oid).to_owned()
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

/// In UTC, to the second. No certificate says a time that the calendar doesn't have.
pub(crate) fn rfc3339(time: SystemTime) -> String {
    let since_epoch = match time.duration_since(UNIX_EPOCH) {
        Ok(after) => time::Duration::try_from(after),
        Err(before) => time::Duration::try_from(before.duration()).map(|before| -before),
    };
    since_epoch
        .ok()
        .and_then(|duration| OffsetDateTime::UNIX_EPOCH.checked_add(duration))
        .and_then(|time| time.format(&Rfc3339).ok())
        .unwrap_or_else(|| "a time beyond the year 9999".to_owned())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use pki::{CertificateAuthority, KeyEncryption, KeyKind, PrivateKey, Profile};
    use serde_json::json;

    use super::*;

    fn key() -> PrivateKey {
        PrivateKey::generate(KeyKind::EcP256).unwrap()
    }

    fn first(report: &Report) -> serde_json::Value {
        serde_json::to_value(report).unwrap()["items"][0].clone()
    }

    #[test]
    fn a_certificate_is_said_to_be_expired_once_it_is() {
        let ca =
            CertificateAuthority::create_root("/CN=Root".parse().unwrap(), key(), &Profile::root())
                .unwrap();
        let contents = pki::open(ca.certificate().as_der(), None).unwrap();
        let end = ca.certificate().validity().not_after;
        let second = Duration::from_secs(1);
        for (now, expired) in [(end - second, false), (end, false), (end + second, true)] {
            let report = Report::at(&contents, now).unwrap();
            assert_eq!(first(&report)["expired"], json!(expired));
            assert!(report.to_string().contains(&format!("expired: {expired}")));
        }
    }

    /// What decides must not be left out because there is nothing in it, or nothing that has a property.
    #[test]
    fn an_extension_without_values_is_shown_by_its_octets() {
        let ca =
            CertificateAuthority::create_root("/CN=Root".parse().unwrap(), key(), &Profile::root())
                .unwrap();
        let whole = ca.certificate().as_der();
        for (found, instead, name, value) in [
            // keyCertSign and cRLSign; and neither.
            (
                &[3, 2, 1, 6][..],
                &[3, 2, 1, 0][..],
                "keyUsage",
                "03:02:01:00",
            ),
            // keyIdentifier; and authorityCertSerialNumber.
            (
                &[0x30, 22, 0x80, 20],
                &[0x30, 22, 0x82, 20],
                "authorityKeyIdentifier",
                "30:16:82:14:",
            ),
        ] {
            let mut der = whole.to_vec();
            let at = der.windows(4).position(|octets| octets == found).unwrap();
            der[at..at + 4].copy_from_slice(instead);
            let item = first(&Report::read(&der, None).unwrap());
            assert_eq!(item.get(name), None, "{item}");
            let other = &item["otherExtensions"][0];
            assert_eq!(other["name"], name, "{item}");
            assert_eq!(other["critical"], json!(name == "keyUsage"), "{item}");
            assert!(
                other["value"].as_str().unwrap().starts_with(value),
                "{item}"
            );
        }
        let item = first(&Report::read(whole, None).unwrap());
        assert_eq!(item.get("otherExtensions"), None, "{item}");
    }

    #[test]
    fn a_key_is_said_to_be_encrypted_where_it_is() {
        let passphrase = Passphrase::from("correct");
        let plain = key().to_pem().unwrap();
        let encrypted = key()
            .to_encrypted_pem(&passphrase, KeyEncryption::iterations(1000))
            .unwrap();
        for (input, is_encrypted) in [(plain.as_str(), false), (encrypted.as_str(), true)] {
            let report = Report::read(input.as_bytes(), Some(&passphrase)).unwrap();
            assert_eq!(first(&report)["encrypted"], json!(is_encrypted), "{report}");
        }
    }

    #[test]
    fn a_request_is_shown_although_its_signature_can_not_be_verified() {
        let request = CertificateRequest::builder("/CN=bot".parse().unwrap())
            .sign(&key())
            .unwrap();
        let item = first(&Report::read(request.as_der(), None).unwrap());
        assert_eq!(item["signatureAlgorithm"], json!("ecdsa-with-SHA256"));
        assert_eq!(item["signatureVerifies"], json!(true));
        // The last one is a bit of the signature.
        let mut altered = request.as_der().to_vec();
        *altered.last_mut().unwrap() ^= 1;
        let item = first(&Report::read(&altered, None).unwrap());
        assert_eq!(item["signatureVerifies"], json!(false));
        // ecdsa-with-SHA224 in the place of ecdsa-with-SHA256.
        let mut other = request.as_der().to_vec();
        let oid = b"\x2a\x86\x48\xce\x3d\x04\x03\x02";
        let at = other.windows(8).position(|octets| octets == oid).unwrap();
        other[at + 7] = 1;
        let item = first(&Report::read(&other, None).unwrap());
        assert_eq!(item["subject"], json!("CN=bot"));
        assert_eq!(item["signatureAlgorithm"], json!("ecdsa-with-SHA224"));
        assert_eq!(item["signatureVerifies"], serde_json::Value::Null);
    }

    #[test]
    fn times_are_printed_in_utc_to_the_second() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (1_767_225_599, "2025-12-31T23:59:59Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
            (1 << 40, "a time beyond the year 9999"),
        ] {
            let time = UNIX_EPOCH + Duration::from_secs(seconds);
            assert_eq!(rfc3339(time), text);
        }
        let before = UNIX_EPOCH - Duration::from_secs(1);
        assert_eq!(rfc3339(before), "1969-12-31T23:59:59Z");
    }
}
