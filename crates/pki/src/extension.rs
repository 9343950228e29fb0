//! The certificate extensions that this crate knows by meaning (RFC 5280, section 4.2.1).

use std::{collections::HashSet, fmt, str::FromStr};

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
    /// Signatures other than those on certificates and CRLs: what TLS needs.
    pub const DIGITAL_SIGNATURE: Self = Self(1);
    /// Signatures that the signer can't deny later (contentCommitment).
    pub const NON_REPUDIATION: Self = Self(1 << 1);
    /// The encryption of keys, with RSA.
    pub const KEY_ENCIPHERMENT: Self = Self(1 << 2);
    /// The encryption of data, with RSA.
    pub const DATA_ENCIPHERMENT: Self = Self(1 << 3);
    /// Key agreement, with an elliptic curve.
    pub const KEY_AGREEMENT: Self = Self(1 << 4);
    /// Signatures on certificates.
    pub const KEY_CERT_SIGN: Self = Self(1 << 5);
    /// Signatures on CRLs.
    pub const CRL_SIGN: Self = Self(1 << 6);
    /// With keyAgreement: for encryption alone.
    pub const ENCIPHER_ONLY: Self = Self(1 << 7);
    /// With keyAgreement: for decryption alone.
    pub const DECIPHER_ONLY: Self = Self(1 << 8);

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

    /// The bits with these names, as RFC 5280 spells them, or `contentCommitment` for nonRepudiation.
    ///
    /// # Errors
    /// [`Error::InvalidExtension`] for another name.
    pub fn from_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, Error> {
        names.into_iter().try_fold(Self(0), |usage, name| {
            let name = if name == "contentCommitment" {
                "nonRepudiation"
            } else {
                name
            };
            let mut known = Self::NAMES.iter().zip(0_u32..);
            let bit = known
                .find(|(known, _)| **known == name)
                .and_then(|(_, bit)| 1_u16.checked_shl(bit));
            match bit {
                Some(bit) => Ok(Self(usage.0 | bit)),
                None => Err(Error::InvalidExtension {
                    extension: "key usage",
                    reason: "it has no bit with this name",
                }),
            }
        })
    }

    /// Whether all bits of `other` are set.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether it has a bit that restricts keyAgreement (encipherOnly, decipherOnly).
    pub(crate) fn agrees_only(self) -> bool {
        self.contains(Self::ENCIPHER_ONLY) || self.contains(Self::DECIPHER_ONLY)
    }

    /// The bits that are set, but for those of `other`.
    pub(crate) fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Bit `n` is the one with this number.
    pub(crate) fn bits(self) -> u16 {
        self.0
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

/// All bits of both.
impl std::ops::BitOr for KeyUsage {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
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

impl ExtendedKeyUsage {
    fn from_oid(oid: &str) -> Self {
        match oid {
            "2.5.29.37.0" => Self::Any,
            "1.3.6.1.5.5.7.3.1" => Self::ServerAuth,
            "1.3.6.1.5.5.7.3.2" => Self::ClientAuth,
            other => Self::Other(other.to_owned()),
        }
    }

    /// The purpose as a dotted object identifier.
    pub fn oid(&self) -> &str {
        match self {
            Self::Any => "2.5.29.37.0",
            Self::ServerAuth => "1.3.6.1.5.5.7.3.1",
            Self::ClientAuth => "1.3.6.1.5.5.7.3.2",
            Self::Other(oid) => oid,
        }
    }
}

/// The names of RFC 5280, section 4.2.1.12: `serverAuth`, `clientAuth`, `codeSigning`, `emailProtection`, `timeStamping`,
/// `OCSPSigning` and `anyExtendedKeyUsage`; or a dotted object identifier.
impl FromStr for ExtendedKeyUsage {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let known = PURPOSES.iter().find(|(name, _)| *name == text);
        let oid = known.map_or(text, |(_, oid)| oid);
        der::is_dotted_oid(oid)
            .then(|| Self::from_oid(oid))
            .ok_or(Error::InvalidExtension {
                extension: "extended key usage",
                reason: "a purpose is neither a known name nor a dotted object identifier",
            })
    }
}

/// The name of RFC 5280, or the dotted object identifier.
impl fmt::Display for ExtendedKeyUsage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = PURPOSES.iter().find(|(_, oid)| *oid == self.oid());
        f.write_str(known.map_or(self.oid(), |(name, _)| name))
    }
}

const PURPOSES: [(&str, &str); 7] = [
    ("anyExtendedKeyUsage", "2.5.29.37.0"),
    ("serverAuth", "1.3.6.1.5.5.7.3.1"),
    ("clientAuth", "1.3.6.1.5.5.7.3.2"),
    ("codeSigning", "1.3.6.1.5.5.7.3.3"),
    ("emailProtection", "1.3.6.1.5.5.7.3.4"),
    ("timeStamping", "1.3.6.1.5.5.7.3.8"),
    ("OCSPSigning", "1.3.6.1.5.5.7.3.9"),
];

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
    /// Every extension that is there.
    pub(crate) present: Vec<Present>,
}

/// An extension as it is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Present {
    /// Its object identifier, dotted.
    pub(crate) oid: String,
    pub(crate) critical: bool,
    /// What should be DER.
    pub(crate) value: Vec<u8>,
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
            let oid = der::dotted(extension.oid.as_bytes())
                .ok_or_else(|| malformed(WHAT, "invalid object identifier"))?;
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
            parsed.present.push(Present {
                oid,
                critical: extension.critical,
                value: extension.value.to_vec(),
            });
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
        purposes.push(ExtendedKeyUsage::from_oid(&oids.dotted_oid()?));
    }
    Ok(purposes)
}

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
        assert_eq!(KeyUsage::from_names(["cRLSign", "keyCertSign"]), Ok(usage));
        assert_eq!(
            KeyUsage::from_names(["contentCommitment"]),
            Ok(KeyUsage::NON_REPUDIATION)
        );
        assert!(KeyUsage::from_names(["keycertsign"]).is_err());
        // Once is as good as twice.
        assert_eq!(
            KeyUsage::from_names(["cRLSign", "cRLSign"]),
            Ok(KeyUsage::CRL_SIGN)
        );
        assert_eq!(usage | KeyUsage::CRL_SIGN, usage);
        assert!(KeyUsage::DIGITAL_SIGNATURE.digital_signature());
    }

    #[test]
    fn the_bits_have_the_numbers_of_rfc_5280() {
        let all = [
            KeyUsage::DIGITAL_SIGNATURE,
            KeyUsage::NON_REPUDIATION,
            KeyUsage::KEY_ENCIPHERMENT,
            KeyUsage::DATA_ENCIPHERMENT,
            KeyUsage::KEY_AGREEMENT,
            KeyUsage::KEY_CERT_SIGN,
            KeyUsage::CRL_SIGN,
            KeyUsage::ENCIPHER_ONLY,
            KeyUsage::DECIPHER_ONLY,
        ];
        for (usage, name) in all.into_iter().zip(KeyUsage::NAMES) {
            assert_eq!(usage.names(), [name]);
        }
        let both = KeyUsage::KEY_CERT_SIGN | KeyUsage::CRL_SIGN;
        assert!(both.contains(KeyUsage::CRL_SIGN) && !KeyUsage::CRL_SIGN.contains(both));
        assert_eq!(both.without(KeyUsage::CRL_SIGN), KeyUsage::KEY_CERT_SIGN);
    }

    #[test]
    fn purposes_are_known_by_name_and_by_number() {
        for (text, oid) in [
            ("serverAuth", "1.3.6.1.5.5.7.3.1"),
            ("clientAuth", "1.3.6.1.5.5.7.3.2"),
            ("codeSigning", "1.3.6.1.5.5.7.3.3"),
            ("emailProtection", "1.3.6.1.5.5.7.3.4"),
            ("timeStamping", "1.3.6.1.5.5.7.3.8"),
            ("OCSPSigning", "1.3.6.1.5.5.7.3.9"),
            ("anyExtendedKeyUsage", "2.5.29.37.0"),
            ("1.2.3", "1.2.3"),
        ] {
            let purpose: ExtendedKeyUsage = text.parse().unwrap();
            assert_eq!(purpose.oid(), oid);
            assert_eq!(purpose.to_string(), text);
        }
        assert_eq!("clientAuth".parse(), Ok(ExtendedKeyUsage::ClientAuth));
        assert!("clientauth".parse::<ExtendedKeyUsage>().is_err());
    }
}
