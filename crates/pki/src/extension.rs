//! The certificate extensions that this crate knows by meaning (RFC 5280, section 4.2.1).

use std::{collections::HashSet, fmt, net::IpAddr};

use x509_parser::{
    asn1_rs::Oid,
    extensions::{GeneralName, ParsedExtension, X509Extension},
    oid_registry as known,
};

use crate::{
    Error,
    der::{self, Reader},
};

/// BasicConstraints (RFC 5280, section 4.2.1.9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BasicConstraints {
    /// Whether the subject may act as a certification authority.
    pub ca: bool,
    /// How many further authorities may stand between this one and a leaf, when that is limited.
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

/// A subject alternative name (RFC 5280, section 4.2.1.6).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SubjectAltName {
    /// A host name in ASCII form, perhaps with a wildcard as its first label.
    Dns(String),
    /// An IP address.
    Ip(IpAddr),
    /// An e-mail address in ASCII form.
    Email(String),
    /// A URI in ASCII form.
    Uri(String),
    /// A form that this crate doesn't take apart. It is shown, and never granted.
    Other {
        /// The context tag of the GeneralName.
        tag: u32,
    },
}

impl SubjectAltName {
    /// A host name. Names beyond ASCII must be in their `xn--` form.
    ///
    /// # Errors
    /// [`Error::InvalidSubjectAltName`] when it is not a host name: labels of letters, digits, `-` and `_`, at most 63
    /// characters each and 253 in all, with `*` only as the whole first label.
    pub fn dns(name: impl Into<String>) -> Result<Self, Error> {
        let name = name.into();
        let reason = if !name.is_ascii() {
            "host names beyond ASCII must be in their \"xn--\" form"
        } else if name.parse::<IpAddr>().is_ok() {
            "this is an IP address, not a host name"
        } else if name.is_empty() || name.len() > 253 {
            "a host name has 1 to 253 characters"
        } else if !name
            .strip_prefix("*.")
            .unwrap_or(&name)
            .split('.')
            .all(is_label)
        {
            "labels have 1 to 63 letters, digits, \"-\" and \"_\""
        } else {
            return Ok(Self::Dns(name));
        };
        Err(Error::InvalidSubjectAltName { name, reason })
    }

    /// An e-mail address.
    ///
    /// # Errors
    /// [`Error::InvalidSubjectAltName`] when it is not ASCII or not of the form `local@domain`.
    pub fn email(address: impl Into<String>) -> Result<Self, Error> {
        let address = address.into();
        let well_formed = address.bytes().all(|octet| octet.is_ascii_graphic())
            && address
                .split_once('@')
                .is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty());
        if well_formed {
            return Ok(Self::Email(address));
        }
        Err(Error::InvalidSubjectAltName {
            name: address,
            reason: "expected an ASCII address such as \"a@example.com\"",
        })
    }

    /// A URI.
    ///
    /// # Errors
    /// [`Error::InvalidSubjectAltName`] when it is not ASCII or has no scheme.
    pub fn uri(uri: impl Into<String>) -> Result<Self, Error> {
        let uri = uri.into();
        let well_formed = uri.bytes().all(|octet| octet.is_ascii_graphic())
            && uri
                .split_once(':')
                .is_some_and(|(scheme, rest)| !scheme.is_empty() && !rest.is_empty());
        if well_formed {
            return Ok(Self::Uri(uri));
        }
        Err(Error::InvalidSubjectAltName {
            name: uri,
            reason: "expected an ASCII URI with a scheme",
        })
    }
}

impl From<IpAddr> for SubjectAltName {
    fn from(address: IpAddr) -> Self {
        Self::Ip(address)
    }
}

impl fmt::Display for SubjectAltName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => write!(f, "DNS:{}", name.escape_default()),
            Self::Ip(address) => write!(f, "IP:{address}"),
            Self::Email(address) => write!(f, "email:{}", address.escape_default()),
            Self::Uri(uri) => write!(f, "URI:{}", uri.escape_default()),
            Self::Other { tag } => write!(f, "[{tag}]"),
        }
    }
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label
            .bytes()
            .all(|octet| octet.is_ascii_alphanumeric() || octet == b'-' || octet == b'_')
}

/// The extensions of a certificate or of a request, taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Extensions {
    pub(crate) basic_constraints: Option<BasicConstraints>,
    pub(crate) key_usage: Option<KeyUsage>,
    /// An empty list is not the same as none: the first allows nothing, the second everything.
    pub(crate) extended_key_usage: Option<Vec<ExtendedKeyUsage>>,
    pub(crate) subject_alt_names: Vec<SubjectAltName>,
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
                return Err(malformed(format!("extension {oid} occurs twice")));
            }
            if DECISIVE.contains(&extension.oid) && !is_decoded(extension) {
                return Err(malformed(format!("extension {oid} can't be decoded")));
            }
            match extension.parsed_extension() {
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
                ParsedExtension::SubjectAlternativeName(names) => {
                    parsed.subject_alt_names = names.general_names.iter().map(alt_name).collect();
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

/// The extensions that decide what a certificate is good for: misread, they would grant something.
const DECISIVE: [Oid<'static>; 5] = [
    known::OID_X509_EXT_BASIC_CONSTRAINTS,
    known::OID_X509_EXT_KEY_USAGE,
    known::OID_X509_EXT_EXTENDED_KEY_USAGE,
    known::OID_X509_EXT_SUBJECT_ALT_NAME,
    known::OID_X509_EXT_NAME_CONSTRAINTS,
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
            "an object identifier has more than 256 octets".to_owned(),
        ));
    }
    Ok(oid.to_id_string())
}

/// In octets. Those in use stay below forty.
const MAX_OID: usize = 256;

const WHAT: &str = "extensions";

fn alt_name(name: &GeneralName<'_>) -> SubjectAltName {
    match name {
        GeneralName::DNSName(name) => SubjectAltName::Dns((*name).to_owned()),
        GeneralName::RFC822Name(address) => SubjectAltName::Email((*address).to_owned()),
        GeneralName::URI(uri) => SubjectAltName::Uri((*uri).to_owned()),
        GeneralName::IPAddress(octets) => {
            let v4 = <[u8; 4]>::try_from(*octets).map(IpAddr::from);
            let v6 = <[u8; 16]>::try_from(*octets).map(IpAddr::from);
            v4.or(v6)
                .map_or(SubjectAltName::Other { tag: 7 }, SubjectAltName::Ip)
        }
        GeneralName::OtherName(..) => SubjectAltName::Other { tag: 0 },
        GeneralName::X400Address(_) => SubjectAltName::Other { tag: 3 },
        GeneralName::DirectoryName(_) => SubjectAltName::Other { tag: 4 },
        GeneralName::EDIPartyName(_) => SubjectAltName::Other { tag: 5 },
        GeneralName::RegisteredID(_) => SubjectAltName::Other { tag: 8 },
        GeneralName::Invalid(tag, _) => SubjectAltName::Other { tag: tag.0 },
    }
}

fn malformed(reason: String) -> Error {
    Error::Malformed { what: WHAT, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_names_are_checked() {
        for name in [
            "localhost",
            "*.example.com",
            "xn--bcher-kva.example",
            "my_host.example",
        ] {
            assert_eq!(
                SubjectAltName::dns(name),
                Ok(SubjectAltName::Dns(name.to_owned()))
            );
        }
        for name in [
            "",
            ".",
            "a..b",
            "b\u{fc}cher.example",
            "a b",
            "127.0.0.1",
            "::1",
            "a.*.b",
            "*",
        ] {
            assert!(
                matches!(
                    SubjectAltName::dns(name),
                    Err(Error::InvalidSubjectAltName { .. })
                ),
                "{name:?}"
            );
        }
        assert!(SubjectAltName::dns("a".repeat(64)).is_err());
    }

    #[test]
    fn addresses_and_uris_are_checked() {
        assert!(SubjectAltName::email("a@example.com").is_ok());
        assert!(SubjectAltName::email("a").is_err());
        assert!(SubjectAltName::uri("spiffe://example.com/bot").is_ok());
        assert!(SubjectAltName::uri("no scheme").is_err());
    }

    #[test]
    fn key_usage_names_follow_the_bits() {
        let usage = KeyUsage((1 << 5) | (1 << 6));
        assert_eq!(usage.names(), ["keyCertSign", "cRLSign"]);
        assert!(usage.key_cert_sign() && !usage.digital_signature());
    }
}
