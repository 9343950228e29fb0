//! The bags of a bundle (RFC 7292, section 4.2).
//!
//! Key bags are taken apart here, because `p12-keystore` leaves copies of what it decrypts, and loses names outside the
//! Basic Multilingual Plane. Certificate bags are `p12-keystore`'s.

use const_oid::ObjectIdentifier;
use p12_keystore::Pkcs12Archive;
use zeroize::Zeroizing;

use super::{WHAT, sealed::Sealed};
use crate::{
    Certificate, Error,
    budget::Budget,
    der::{self as tlv, Reader, malformed},
    oid,
};

/// What a `SafeContents` holds, as far as it matters here: of CRLs, secrets and unknown bags there are but the names.
#[derive(Default)]
pub(super) struct Bags {
    pub(super) keys: Vec<KeyBag>,
    pub(super) certificates: Vec<CertificateBag>,
    pub(super) others: Vec<String>,
}

/// A certificate before it is parsed.
pub(super) struct CertificateBag {
    /// The `CertBag` in DER.
    value: Vec<u8>,
    pub(super) attributes: Attributes,
}

/// A private key before it is opened.
pub(super) struct KeyBag {
    pub(super) key: Pkcs8,
    pub(super) attributes: Attributes,
}

/// PKCS#8, encrypted or not.
pub(super) enum Pkcs8 {
    Plain(Zeroizing<Vec<u8>>),
    Shrouded(Sealed),
}

/// The attributes of a bag that are used.
#[derive(Debug, Clone, Default)]
pub(super) struct Attributes {
    /// friendlyName
    pub(super) alias: Option<String>,
    /// localKeyId
    pub(super) local_key_id: Option<Vec<u8>>,
    /// Java's trustedKeyUsage, for any purpose
    pub(super) trusted: bool,
    /// The names of the others.
    pub(super) others: Vec<String>,
}

impl Bags {
    /// Adds the bags of a `SafeContents`, which may be BER.
    pub(super) fn read(&mut self, safe_contents: &[u8], budget: &Budget) -> Result<(), Error> {
        self.read_nested(&tlv::from_ber(safe_contents, budget.max_nesting, WHAT)?)
    }

    /// The form has been checked, so that nesting is bounded.
    fn read_nested(&mut self, safe_contents: &[u8]) -> Result<(), Error> {
        let mut bags = Reader::enter(safe_contents, tlv::SEQUENCE, WHAT)?;
        while !bags.is_empty() {
            let bag = bags.read_tagged(tlv::SEQUENCE)?;
            let mut fields = Reader::new(bag.value, WHAT);
            let kind = fields.oid()?;
            let value = fields.value(tlv::EXPLICIT_0)?;
            let attributes = match fields.optional(tlv::SET)? {
                Some(attributes) => Attributes::read(attributes)?,
                None => Attributes::default(),
            };
            fields.finish()?;
            match kind {
                KEY_BAG => self.keys.push(KeyBag {
                    key: Pkcs8::Plain(Zeroizing::new(value.to_vec())),
                    attributes,
                }),
                SHROUDED_KEY_BAG => self.keys.push(KeyBag {
                    key: Pkcs8::Shrouded(read_shrouded(value)?),
                    attributes,
                }),
                CERTIFICATE_BAG => self.certificates.push(CertificateBag {
                    value: value.to_vec(),
                    attributes,
                }),
                SAFE_CONTENTS_BAG => self.read_nested(value)?,
                other => self.others.push(named(&other)),
            }
        }
        Ok(())
    }
}

impl Attributes {
    fn read(attributes: &[u8]) -> Result<Self, Error> {
        let mut found = Self::default();
        let mut attributes = Reader::new(attributes, WHAT);
        while !attributes.is_empty() {
            let mut attribute = attributes.nested(tlv::SEQUENCE)?;
            let kind = attribute.oid()?;
            let mut values = attribute.nested(tlv::SET)?;
            match (kind, values.peek()) {
                (FRIENDLY_NAME, Some(tlv::BMP_STRING)) => {
                    found.alias = Some(bmp_text(values.value(tlv::BMP_STRING)?));
                }
                (LOCAL_KEY_ID, Some(tlv::OCTET_STRING)) => {
                    found.local_key_id = Some(values.value(tlv::OCTET_STRING)?.to_vec());
                }
                (TRUSTED_KEY_USAGE, Some(tlv::OID)) => {
                    while values.peek() == Some(tlv::OID) {
                        found.trusted |= values.oid()? == ANY_EXTENDED_KEY_USAGE;
                    }
                }
                _ => found.others.push(named(&kind)),
            }
        }
        Ok(found)
    }
}

impl CertificateBag {
    /// The certificate in the bag. `p12-keystore` gets it in a file of its own, so that one that it can't read doesn't
    /// stand in the way of the others: no MAC, which was checked by then, no encryption and no attributes.
    pub(super) fn certificate(&self) -> Result<Certificate, Error> {
        let bag = bag(&CERTIFICATE_BAG, &self.value, &Attributes::default());
        let safe = data(&tlv::sequence(&[&bag]));
        let archive = Pkcs12Archive::from_pkcs12(&pfx(&tlv::sequence(&[&safe]), &[]), "")
            .map_err(|error| malformed(WHAT, format!("certificate bag: {error}")))?;
        match archive.certs.as_slice() {
            [bag] => Certificate::from_der(bag.cert.as_der()),
            _ => Err(malformed(WHAT, "certificate bag without a certificate")),
        }
    }
}

/// A `PFX` around an encoded `AuthenticatedSafe` and an encoded `MacData`, or none.
pub(super) fn pfx(authenticated_safe: &[u8], mac_data: &[u8]) -> Vec<u8> {
    tlv::sequence(&[&tlv::uint(VERSION), &data(authenticated_safe), mac_data])
}

/// A `ContentInfo` of type data.
pub(super) fn data(octets: &[u8]) -> Vec<u8> {
    let octets = Zeroizing::new(tlv::tlv(tlv::OCTET_STRING, &[octets]));
    tlv::sequence(&[&tlv::oid(&DATA), &tlv::tlv(tlv::EXPLICIT_0, &[&octets])])
}

/// A `SafeBag`.
pub(super) fn bag(kind: &ObjectIdentifier, value: &[u8], attributes: &Attributes) -> Vec<u8> {
    let attribute = |kind: &ObjectIdentifier, tag: u8, value: &[u8]| {
        let values = tlv::tlv(tlv::SET, &[&tlv::tlv(tag, &[value])]);
        tlv::sequence(&[&tlv::oid(kind), &values])
    };
    let mut encoded: Vec<Vec<u8>> = Vec::new();
    if let Some(alias) = &attributes.alias {
        let octets: Vec<u8> = alias.encode_utf16().flat_map(u16::to_be_bytes).collect();
        encoded.push(attribute(&FRIENDLY_NAME, tlv::BMP_STRING, &octets));
    }
    if let Some(id) = &attributes.local_key_id {
        encoded.push(attribute(&LOCAL_KEY_ID, tlv::OCTET_STRING, id));
    }
    if attributes.trusted {
        let any = ANY_EXTENDED_KEY_USAGE;
        encoded.push(attribute(&TRUSTED_KEY_USAGE, tlv::OID, any.as_bytes()));
    }
    // DER wants the elements of a SET OF in the order of their octets (X.690, section 11.6).
    encoded.sort();
    let encoded: Vec<&[u8]> = encoded.iter().map(Vec::as_slice).collect();
    let attributes = if encoded.is_empty() {
        Vec::new()
    } else {
        tlv::tlv(tlv::SET, &encoded)
    };
    tlv::sequence(&[
        &tlv::oid(kind),
        &tlv::tlv(tlv::EXPLICIT_0, &[value]),
        &attributes,
    ])
}

/// The `CertBag` of an X.509 certificate, in DER.
pub(super) fn x509(der: &[u8]) -> Vec<u8> {
    let octets = tlv::tlv(tlv::OCTET_STRING, &[der]);
    tlv::sequence(&[
        &tlv::oid(&X509_CERTIFICATE),
        &tlv::tlv(tlv::EXPLICIT_0, &[&octets]),
    ])
}

/// RFC 7292, section 4: "version" is v3.
pub(super) const VERSION: u64 = 3;
pub(super) const DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
pub(super) const ENCRYPTED_DATA: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.6");
const KEY_BAG: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.10.1.1");
pub(super) const SHROUDED_KEY_BAG: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.10.1.2");
pub(super) const CERTIFICATE_BAG: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.10.1.3");
const SAFE_CONTENTS_BAG: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.10.1.6");
const X509_CERTIFICATE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.22.1");
const FRIENDLY_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.20");
const LOCAL_KEY_ID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.21");
/// Oracle's, without which Java takes no certificate for a trusted one.
const TRUSTED_KEY_USAGE: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("2.16.840.1.113894.746875.1.1");
/// RFC 5280, section 4.2.1.12
const ANY_EXTENDED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37.0");

fn read_shrouded(value: &[u8]) -> Result<Sealed, Error> {
    let mut fields = Reader::enter(value, tlv::SEQUENCE, WHAT)?;
    let identifier = fields.value(tlv::SEQUENCE)?;
    let ciphertext = Zeroizing::new(fields.value(tlv::OCTET_STRING)?.to_vec());
    fields.finish()?;
    Sealed::new(identifier, ciphertext)
}

/// The name of a kind of bag or attribute, or else its object identifier.
fn named(oid: &ObjectIdentifier) -> String {
    oid::name(oid).map_or_else(|| oid.to_string(), str::to_owned)
}

/// The text of a BMPString; surrogate pairs, which writers put there for what it can't hold, are understood.
fn bmp_text(octets: &[u8]) -> String {
    let units: Vec<u16> = octets
        .chunks_exact(2)
        .filter_map(|pair| pair.try_into().ok())
        .map(u16::from_be_bytes)
        .collect();
    String::from_utf16_lossy(&units)
}
