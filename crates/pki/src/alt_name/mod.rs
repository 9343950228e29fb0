//! Subject alternative names (RFC 5280, section 4.2.1.6), each form checked by its type.

mod dns;
mod email;
mod other_name;
mod uri;

use std::{fmt, net::IpAddr, str::FromStr};

pub(crate) use self::dns::{is_label, looks_like_host, without_nuls, without_root};
pub use self::{dns::DnsName, email::EmailAddress, other_name::OtherName, uri::Uri};
use crate::{
    DistinguishedName, Error,
    der::{self, Reader, Tlv},
};

/// A subject alternative name (RFC 5280, section 4.2.1.6).
///
/// A host name, an e-mail address and a URI are well-formed by construction, wherever they come from. What stands in a
/// certificate or a request and isn't well-formed is an [`Other`](Self::Other): it is shown, and never granted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SubjectAltName {
    /// A host name, perhaps with a wildcard as its first label.
    Dns(DnsName),
    /// An IP address.
    Ip(IpAddr),
    /// An e-mail address.
    Email(EmailAddress),
    /// A URI.
    Uri(Uri),
    /// A distinguished name. It is granted where the CA itself names it, and never because a request asks for it.
    Directory(DistinguishedName),
    /// An object identifier, in dotted form; granted likewise.
    RegisteredId(String),
    /// A name of a form that has an object identifier, such as a user principal name; granted likewise.
    OtherName(OtherName),
    /// A name of a form that this crate doesn't take apart, or one that is not well-formed. It is shown, and never
    /// granted.
    Other {
        /// The number of the GeneralName's context tag, for example 2 for a dNSName, 3 for an x400Address.
        tag: u8,
        /// The contents octets.
        value: Vec<u8>,
    },
}

impl SubjectAltName {
    /// A host name: [`DnsName::new`].
    ///
    /// # Errors
    /// [`Error::InvalidSubjectAltName`].
    pub fn dns(name: impl Into<String>) -> Result<Self, Error> {
        DnsName::new(name).map(Self::Dns)
    }

    /// An e-mail address: [`EmailAddress::new`].
    ///
    /// # Errors
    /// [`Error::InvalidSubjectAltName`].
    pub fn email(address: impl Into<String>) -> Result<Self, Error> {
        EmailAddress::new(address).map(Self::Email)
    }

    /// A URI: [`Uri::new`].
    ///
    /// # Errors
    /// [`Error::InvalidSubjectAltName`].
    pub fn uri(uri: impl Into<String>) -> Result<Self, Error> {
        Uri::new(uri).map(Self::Uri)
    }

    /// An object identifier in dotted form: a registeredID.
    ///
    /// # Errors
    /// [`Error::InvalidSubjectAltName`].
    pub fn registered_id(oid: impl Into<String>) -> Result<Self, Error> {
        let oid = oid.into();
        match der::is_dotted_oid(&oid) {
            true => Ok(Self::RegisteredId(oid)),
            false => Err(invalid(oid, "expected a dotted object identifier")),
        }
    }

    /// A user principal name, by which Active Directory knows an account: [`OtherName::user_principal_name`].
    ///
    /// # Errors
    /// [`Error::InvalidSubjectAltName`].
    pub fn user_principal_name(name: impl Into<String>) -> Result<Self, Error> {
        OtherName::user_principal_name(name).map(Self::OtherName)
    }

    /// The contents of a SubjectAltName extension: `GeneralNames`.
    pub(crate) fn read_all(der: &[u8]) -> Result<Vec<Self>, Error> {
        let mut names = Reader::enter(der, der::SEQUENCE, "subject alternative names")?;
        let mut read = Vec::new();
        while !names.is_empty() {
            read.push(Self::read(names.read()?));
        }
        Ok(read)
    }

    /// One that is not well-formed is an [`Other`](Self::Other).
    pub(crate) fn read(name: Tlv<'_>) -> Self {
        let text = str::from_utf8(name.value).ok();
        let read = match name.tag {
            EMAIL => text.and_then(|text| Self::email(text).ok()),
            DNS => text.and_then(|text| Self::dns(text).ok()),
            URI => text.and_then(|text| Self::uri(text).ok()),
            IP => ip_address(name.value).map(Self::Ip),
            DIRECTORY => DistinguishedName::from_der(name.value)
                .ok()
                .map(Self::Directory),
            REGISTERED_ID => der::dotted(name.value).map(Self::RegisteredId),
            OTHER_NAME => OtherName::read(name.value).map(Self::OtherName),
            _ => None,
        };
        read.unwrap_or_else(|| Self::Other {
            tag: tag_number(name.tag),
            value: name.value.to_vec(),
        })
    }

    /// The number of the GeneralName's context tag.
    pub(crate) fn tag(&self) -> u8 {
        match self {
            Self::Email(_) => tag_number(EMAIL),
            Self::Dns(_) => tag_number(DNS),
            Self::Directory(_) => tag_number(DIRECTORY),
            Self::Uri(_) => tag_number(URI),
            Self::Ip(_) => tag_number(IP),
            Self::RegisteredId(_) => tag_number(REGISTERED_ID),
            Self::OtherName(_) => tag_number(OTHER_NAME),
            Self::Other { tag, .. } => *tag,
        }
    }

    /// The contents of an extension that is a list of names: `GeneralNames`.
    pub(crate) fn encode_all(names: &[Self]) -> Result<Vec<u8>, Error> {
        let names: Vec<Vec<u8>> = names.iter().map(Self::encode).collect::<Result<_, _>>()?;
        Ok(der::sequence(&[&names.concat()]))
    }

    /// The GeneralName.
    pub(crate) fn encode(&self) -> Result<Vec<u8>, Error> {
        Ok(match self {
            Self::Dns(name) => der::tlv(DNS, &[name.as_str().as_bytes()]),
            Self::Email(address) => der::tlv(EMAIL, &[address.as_str().as_bytes()]),
            Self::Uri(uri) => der::tlv(URI, &[uri.as_str().as_bytes()]),
            Self::Ip(IpAddr::V4(address)) => der::tlv(IP, &[&address.octets()]),
            Self::Ip(IpAddr::V6(address)) => der::tlv(IP, &[&address.octets()]),
            Self::Directory(name) => der::tlv(DIRECTORY, &[name.as_der()]),
            Self::RegisteredId(oid) => {
                let encoded = der::dotted_oid(oid)
                    .ok_or_else(|| invalid(oid.clone(), "expected a dotted object identifier"))?;
                der::retagged(REGISTERED_ID, &encoded)?
            }
            Self::OtherName(name) => der::tlv(OTHER_NAME, &[&name.encode()?]),
            Self::Other { .. } => {
                return Err(invalid(
                    self.to_string(),
                    "a name that is not well-formed, or of a form that isn't taken apart, is not written",
                ));
            }
        })
    }
}

impl From<IpAddr> for SubjectAltName {
    fn from(address: IpAddr) -> Self {
        Self::Ip(address)
    }
}

/// A name as it is displayed: `DNS:a.example`, `IP:192.0.2.1`, `email:a@b.example`, `URI:spiffe://a.example/b`, `dirName:CN=a,O=b`,
/// `registeredID:1.2.3`, `UPN:a@b.example`, or `otherName:1.2.3:0500` with the value's DER in hexadecimal digits.
impl FromStr for SubjectAltName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let unknown = || {
            invalid(
                text.to_owned(),
                "expected a form and a name, such as \"DNS:a.example\"",
            )
        };
        let (form, value) = text.split_once(':').ok_or_else(unknown)?;
        match form {
            "DNS" => Self::dns(value),
            "IP" => {
                let address = value.parse().map(Self::Ip);
                address.map_err(|_| invalid(text.to_owned(), "expected an IP address"))
            }
            "email" => Self::email(value),
            "URI" => Self::uri(value),
            "dirName" => value.parse().map(Self::Directory),
            "registeredID" => Self::registered_id(value),
            "UPN" => Self::user_principal_name(value),
            "otherName" => value.parse().map(Self::OtherName),
            _ => Err(unknown()),
        }
    }
}

impl fmt::Display for SubjectAltName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (form, value): (_, &dyn fmt::Display) = match self {
            Self::Dns(name) => (form_name(tag_number(DNS)), name),
            Self::Ip(address) => (form_name(tag_number(IP)), address),
            Self::Email(address) => (form_name(tag_number(EMAIL)), address),
            Self::Uri(uri) => (form_name(tag_number(URI)), uri),
            Self::Directory(name) => (form_name(tag_number(DIRECTORY)), name),
            Self::RegisteredId(oid) => (form_name(tag_number(REGISTERED_ID)), oid),
            Self::OtherName(name) => return name.fmt(f),
            Self::Other { tag, value } => {
                return match form_name(*tag) {
                    Some(form) => write!(f, "{form}:{} (not well-formed)", value.escape_ascii()),
                    None => write!(f, "[{tag}]"),
                };
            }
        };
        write!(f, "{}:{value}", form.unwrap_or_default())
    }
}

/// What OpenSSL calls a form of GeneralName, for those that are taken apart.
pub(crate) fn form_name(tag: u8) -> Option<&'static str> {
    match tag {
        1 => Some("email"),
        2 => Some("DNS"),
        4 => Some("dirName"),
        6 => Some("URI"),
        7 => Some("IP"),
        8 => Some("registeredID"),
        _ => None,
    }
}

/// The number of a context tag, out of its identifier octet.
pub(crate) fn tag_number(identifier: u8) -> u8 {
    identifier & 0x1f
}

fn ip_address(octets: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(octets).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(octets).map(IpAddr::from))
        .ok()
}

fn invalid(name: String, reason: &'static str) -> Error {
    Error::InvalidSubjectAltName { name, reason }
}

// The identifier octets of the GeneralNames that are taken apart (RFC 5280, section 4.2.1.6).
pub(crate) const EMAIL: u8 = 0x81;
pub(crate) const DNS: u8 = 0x82;
pub(crate) const DIRECTORY: u8 = 0xa4;
pub(crate) const URI: u8 = 0x86;
pub(crate) const IP: u8 = 0x87;
pub(crate) const REGISTERED_ID: u8 = 0x88;
pub(crate) const OTHER_NAME: u8 = 0xa0;

/// A name of somebody or something (RFC 5280, section 4.2.1.6): what a [`SubjectAltName`] is, where it stands for the place
/// of a CRL, for an issuer, or for anything else than a subject.
pub type GeneralName = SubjectAltName;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(identifier: u8, value: &[u8]) -> SubjectAltName {
        let names = der::sequence(&[&der::tlv(identifier, &[value])]);
        SubjectAltName::read_all(&names).unwrap().pop().unwrap()
    }

    #[test]
    fn well_formed_names_are_read_as_what_they_are() {
        assert_eq!(
            read(DNS, b"a.example"),
            SubjectAltName::dns("a.example").unwrap()
        );
        assert_eq!(
            read(EMAIL, b"a@b.example"),
            SubjectAltName::email("a@b.example").unwrap()
        );
        assert_eq!(
            read(URI, b"urn:a:b"),
            SubjectAltName::uri("urn:a:b").unwrap()
        );
        assert_eq!(
            read(IP, &[127, 0, 0, 1]),
            SubjectAltName::Ip([127, 0, 0, 1].into())
        );
        let name: DistinguishedName = "/CN=a".parse().unwrap();
        assert_eq!(
            read(DIRECTORY, name.as_der()),
            SubjectAltName::Directory(name)
        );
    }

    #[test]
    fn every_form_is_written_in_the_octets_of_rfc_5280() {
        let directory: DistinguishedName = "/CN=a".parse().unwrap();
        for (name, octets) in [
            (SubjectAltName::dns("a.b").unwrap(), &b"\x82\x03a.b"[..]),
            (SubjectAltName::email("a@b").unwrap(), b"\x81\x03a@b"),
            (SubjectAltName::uri("a:b").unwrap(), b"\x86\x03a:b"),
            (
                SubjectAltName::Ip([10, 0, 0, 1].into()),
                b"\x87\x04\x0a\0\0\x01",
            ),
            (
                SubjectAltName::Ip("::1".parse().unwrap()),
                b"\x87\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01",
            ),
            (
                SubjectAltName::Directory(directory),
                b"\xa4\x0e\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01a",
            ),
            (
                SubjectAltName::registered_id("1.2.3").unwrap(),
                b"\x88\x02\x2a\x03",
            ),
            (
                SubjectAltName::user_principal_name("a@b").unwrap(),
                b"\xa0\x13\x06\x0a\x2b\x06\x01\x04\x01\x82\x37\x14\x02\x03\xa0\x05\x0c\x03a@b",
            ),
        ] {
            let written = SubjectAltName::encode_all(std::slice::from_ref(&name)).unwrap();
            assert_eq!(written, der::sequence(&[octets]), "{name}");
            assert_eq!(SubjectAltName::read_all(&written), Ok(vec![name]));
        }
    }

    #[test]
    fn what_can_not_be_read_back_is_not_written() {
        let other = SubjectAltName::Other {
            tag: 2,
            value: b"*".to_vec(),
        };
        for name in [other, SubjectAltName::RegisteredId("a".to_owned())] {
            assert!(
                matches!(name.encode(), Err(Error::InvalidSubjectAltName { .. })),
                "{name}"
            );
        }
        assert!(SubjectAltName::registered_id("1").is_err());
    }

    #[test]
    fn a_user_principal_name_is_shown_as_text() {
        let upn = [6, 10, 0x2b, 6, 1, 4, 1, 0x82, 0x37, 20, 2, 3];
        let other = |oid: &[u8], tag: u8, text: &[u8]| {
            let value = [oid, &der::tlv(der::EXPLICIT_0, &[&der::tlv(tag, &[text])])].concat();
            read(0xa0, &value).to_string()
        };
        assert_eq!(
            other(&upn, der::UTF8_STRING, b"a@b.example"),
            "UPN:a@b.example"
        );
        // Another oid, another type, control characters.
        assert_eq!(
            other(&[6, 1, 0x2a], der::UTF8_STRING, b"a"),
            "otherName:1.2:0c0161"
        );
        let upn_of = |value| format!("otherName:1.3.6.1.4.1.311.20.2.3:{value}");
        assert_eq!(other(&upn, der::OCTET_STRING, b"a"), upn_of("040161"));
        assert_eq!(other(&upn, der::UTF8_STRING, b"a\nb"), upn_of("0c03610a62"));
    }

    #[test]
    fn what_is_not_well_formed_is_read_and_shown_as_such() {
        for (identifier, value, shown) in [
            (
                DNS,
                &b"good.example\0.evil.example"[..],
                "DNS:good.example\\x00.evil.example (not well-formed)",
            ),
            (DNS, b"", "DNS: (not well-formed)"),
            (DNS, b"\xff", "DNS:\\xff (not well-formed)"),
            (EMAIL, b"notmail", "email:notmail (not well-formed)"),
            (URI, b":", "URI:: (not well-formed)"),
            (IP, &[1, 2, 3], "IP:\\x01\\x02\\x03 (not well-formed)"),
            (0xa0, b"", "[0]"),
            (0x88, b"", "registeredID: (not well-formed)"),
            (0xa3, b"", "[3]"),
        ] {
            let name = read(identifier, value);
            assert_eq!(
                name,
                SubjectAltName::Other {
                    tag: identifier & 0x1f,
                    value: value.to_vec()
                }
            );
            assert_eq!(name.to_string(), shown);
        }
    }
}
