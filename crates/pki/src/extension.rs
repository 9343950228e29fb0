//! The certificate extensions that this crate knows by meaning (RFC 5280, section 4.2.1).

use std::{collections::HashSet, fmt};

use x509_parser::{
    asn1_rs::{self, Oid},
    error::X509Error,
    extensions::{ParsedExtension, X509Extension},
    nom, oid_registry as known,
};

use crate::{
    Error, NameConstraints, SubjectAltName,
    der::{self, Reader, malformed},
};

/// BasicConstraints (RFC 5280, section 4.2.1.9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BasicConstraints {
    /// Whether the subject may act as a certification authority.
    pub ca: bool,
    /// How many further CAs may stand between this one and a leaf, when that is limited.
    pub path_len: Option<u32>,
}

/// KeyUsage (RFC 5280, section 4.2.1.3): a set of bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyUsage(u16);

impl KeyUsage {
    const NAMES: [&str; 9] = [
        "digitalSignature",
        "nonRepudiation",
        "keyEncipherment",
        "dataEncipherment",
        "keyAgreement",
        "keyCertSign",
        "cRLSign",
        "encipherOnly",
        "decipherOnly",
    ];

    /// Whether the key may verify signatures other than those on certificates and CRLs: what TLS needs.
    pub fn digital_signature(self) -> bool {
        self.0 & 1 != 0
    }

    /// Whether the key may verify signatures on certificates.
    pub fn key_cert_sign(self) -> bool {
        self.0 & (1 << 5) != 0
    }

    /// Whether the key may verify signatures on CRLs.
    pub fn crl_sign(self) -> bool {
        self.0 & (1 << 6) != 0
    }

    /// The names of the bits that are set, as RFC 5280 spells them and in its order.
    pub fn names(self) -> Vec<&'static str> {
        let is_set = |bit: usize| {
            self.0
                & 1_u16
                    .checked_shl(u32::try_from(bit).unwrap_or(16))
                    .unwrap_or(0)
                != 0
        };
        Self::NAMES
            .iter()
            .enumerate()
            .filter(|&(bit, _)| is_set(bit))
            .map(|(_, &name)| name)
            .collect()
    }
}

/// One purpose of the ExtendedKeyUsage (RFC 5280, section 4.2.1.12).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ExtendedKeyUsage {
    /// Any purpose at all.
    Any,
    /// TLS server authentication.
    ServerAuth,
    /// TLS client authentication.
    ClientAuth,
    /// Another purpose, as a dotted object identifier.
    Other(String),
}

impl fmt::Display for ExtendedKeyUsage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Any => "anyExtendedKeyUsage",
            Self::ServerAuth => "serverAuth",
            Self::ClientAuth => "clientAuth",
            Self::Other(oid) => oid,
        })
    }
}

/// The extensions of a certificate or of a request, taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Extensions {
    pub(crate) basic_constraints: Option<BasicConstraints>,
    pub(crate) key_usage: Option<KeyUsage>,
    /// An empty list is not the same as none: the first allows nothing, the second everything.
    pub(crate) extended_key_usage: Option<Vec<ExtendedKeyUsage>>,
    pub(crate) subject_alt_names: Vec<SubjectAltName>,
    pub(crate) name_constraints: Option<NameConstraints>,
    pub(crate) subject_key_identifier: Option<Vec<u8>>,
    pub(crate) authority_key_identifier: Option<Vec<u8>>,
    /// Every extension that is there: dotted object identifier, and whether it is critical.
    pub(crate) present: Vec<(String, bool)>,
}

impl Extensions {
    /// Refuses an extension that occurs twice (RFC 5280, section 4.2), and one that decides what the certificate is good
    /// for and can't be decoded to its last octet. Any other that can't be decoded is only listed: one malformed
    /// distribution point doesn't make a certificate unreadable.
    pub(crate) fn parse<'a>(
        extensions: impl IntoIterator<Item = &'a X509Extension<'a>>,
    ) -> Result<Self, Error> {
        let mut parsed = Self::default();
        let mut seen = HashSet::new();
        for extension in extensions {
            let oid = dotted(&extension.oid)?;
            if !seen.insert(extension.oid.as_bytes()) {
                return Err(malformed(WHAT, format!("extension {oid} occurs twice")));
            }
            let undecoded = || malformed(WHAT, format!("extension {oid} can't be decoded"));
            if DECISIVE.contains(&extension.oid) && !is_decoded(extension) {
                return Err(undecoded());
            }
            match extension.parsed_extension() {
                _ if extension.oid == known::OID_X509_EXT_SUBJECT_ALT_NAME => {
                    parsed.subject_alt_names =
                        SubjectAltName::read_all(extension.value).map_err(|_| undecoded())?;
                }
                _ if extension.oid == known::OID_X509_EXT_NAME_CONSTRAINTS => {
                    let constraints = NameConstraints::from_der(extension.value);
                    parsed.name_constraints = Some(constraints.map_err(|_| undecoded())?);
                }
                ParsedExtension::BasicConstraints(basic) => {
                    parsed.basic_constraints = Some(BasicConstraints {
                        ca: basic.ca,
                        path_len: basic.path_len_constraint,
                    });
                }
                ParsedExtension::KeyUsage(usage) => parsed.key_usage = Some(KeyUsage(usage.flags)),
                ParsedExtension::ExtendedKeyUsage(_) => {
                    parsed.extended_key_usage = Some(purposes(extension.value)?);
                }
                ParsedExtension::SubjectKeyIdentifier(id) => {
                    parsed.subject_key_identifier = Some(id.0.to_vec());
                }
                ParsedExtension::AuthorityKeyIdentifier(id) => {
                    parsed.authority_key_identifier =
                        id.key_identifier.as_ref().map(|id| id.0.to_vec());
                }
                _ => {}
            }
            parsed.present.push((oid, extension.critical));
        }
        Ok(parsed)
    }
}

/// The extensions that decide what a certificate is good for: misread, they would grant something. Alternative names and
/// name constraints are two more, which readers of their own take to the last octet.
const DECISIVE: [Oid<'static>; 3] = [
    known::OID_X509_EXT_BASIC_CONSTRAINTS,
    known::OID_X509_EXT_KEY_USAGE,
    known::OID_X509_EXT_EXTENDED_KEY_USAGE,
];

/// x509-parser stops at the end of the structure, whatever follows in the OCTET STRING around it.
fn is_decoded(extension: &X509Extension<'_>) -> bool {
    let mut value = Reader::new(extension.value, WHAT);
    extension.parsed_extension().error().is_none() && value.read().is_ok() && value.is_empty()
}

/// The purposes in file order, which x509-parser loses.
fn purposes(value: &[u8]) -> Result<Vec<ExtendedKeyUsage>, Error> {
    let mut oids = Reader::enter(value, der::SEQUENCE, WHAT)?;
    let mut purposes = Vec::new();
    while !oids.is_empty() {
        purposes.push(
            match dotted(&Oid::new(oids.value(der::OID)?.into()))?.as_str() {
                "2.5.29.37.0" => ExtendedKeyUsage::Any,
                "1.3.6.1.5.5.7.3.1" => ExtendedKeyUsage::ServerAuth,
                "1.3.6.1.5.5.7.3.2" => ExtendedKeyUsage::ClientAuth,
                other => ExtendedKeyUsage::Other(other.to_owned()),
            },
        );
    }
    Ok(purposes)
}

/// The numbers of an object identifier. Writing a number out takes the square of its length.
fn dotted(oid: &Oid<'_>) -> Result<String, Error> {
    if oid.as_bytes().len() > MAX_OID {
        return Err(malformed(
            WHAT,
            "an object identifier has more than 256 octets",
        ));
    }
    Ok(oid.to_id_string())
}

/// In octets. Those in use stay below forty.
const MAX_OID: usize = 256;

const WHAT: &str = "extensions";

/// What x509-parser found wrong, without the names that things have in its code.
pub(crate) fn decoding(error: nom::Err<X509Error>) -> String {
    match error {
        nom::Err::Error(X509Error::Der(asn1_rs::Error::UnexpectedTag {
            expected: Some(expected),
            actual,
        })) => format!("expected tag {}, found {}", expected.0, actual.0),
        nom::Err::Error(error) | nom::Err::Failure(error) => error.to_string(),
        nom::Err::Incomplete(_) => "it ends early".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_usage_names_follow_the_bits() {
        let usage = KeyUsage((1 << 5) | (1 << 6));
        assert_eq!(usage.names(), ["keyCertSign", "cRLSign"]);
        assert!(usage.key_cert_sign() && usage.crl_sign() && !usage.digital_signature());
        assert!(!KeyUsage(1 << 5).crl_sign());
    }
}
