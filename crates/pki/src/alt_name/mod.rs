//! Subject alternative names (RFC 5280, section 4.2.1.6), each form checked by its type.

mod dns;
mod email;
mod uri;

use std::{fmt, net::IpAddr};

use const_oid::ObjectIdentifier;

pub(crate) use self::dns::{is_label, is_label_of_any_length};
pub use self::{dns::DnsName, email::EmailAddress, uri::Uri};
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
    /// A distinguished name. It is shown, and never granted.
    Directory(DistinguishedName),
    /// A name of a form that this crate doesn't take apart, or one that is not well-formed. It is shown, and never
    /// granted.
    Other {
        /// The number of the GeneralName's context tag, for example 0 for an otherName, 2 for a dNSName.
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

    /// The contents of a SubjectAltName extension: `GeneralNames`.
    pub(crate) fn read_all(der: &[u8]) -> Result<Vec<Self>, Error> {
        let mut names = Reader::enter(der, der::SEQUENCE, "subject alternative names")?;
        let mut read = Vec::new();
        while !names.is_empty() {
            read.push(Self::read(names.read()?));
        }
        Ok(read)
    }

    fn read(name: Tlv<'_>) -> Self {
        let text = str::from_utf8(name.value).ok();
        let read = match name.tag {
            EMAIL => text.and_then(|text| Self::email(text).ok()),
            DNS => text.and_then(|text| Self::dns(text).ok()),
            URI => text.and_then(|text| Self::uri(text).ok()),
            IP => ip_address(name.value).map(Self::Ip),
            DIRECTORY => DistinguishedName::from_der(name.value)
                .ok()
                .map(Self::Directory),
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
            Self::Other { tag, .. } => *tag,
        }
    }
}

impl From<IpAddr> for SubjectAltName {
    fn from(address: IpAddr) -> Self {
        Self::Ip(address)
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
            Self::Other { tag, value } => {
                let principal = user_principal_name(value).filter(|_| *tag == 0);
                return match (form_name(*tag), principal) {
                    (Some(form), _) => {
                        write!(f, "{form}:{} (not well-formed)", value.escape_ascii())
                    }
                    (None, Some(name)) => write!(f, "UPN:{name}"),
                    (None, None) => write!(f, "[{tag}]"),
                };
            }
        };
        write!(f, "{}:{value}", form.unwrap_or_default())
    }
}

/// The text of an otherName (contents octets) that is a user principal name, as Active Directory issues them.
fn user_principal_name(value: &[u8]) -> Option<&str> {
    const UPN: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.311.20.2.3");
    let mut fields = Reader::new(value, "otherName");
    if fields.oid().ok()? != UPN {
        return None;
    }
    let mut explicit = fields.nested(der::EXPLICIT_0).ok()?;
    let text = str::from_utf8(explicit.value(der::UTF8_STRING).ok()?).ok()?;
    (fields.is_empty() && explicit.is_empty() && !text.chars().any(char::is_control))
        .then_some(text)
}

/// What OpenSSL calls a form of GeneralName, for those that are taken apart.
pub(crate) fn form_name(tag: u8) -> Option<&'static str> {
    match tag {
        1 => Some("email"),
        2 => Some("DNS"),
        4 => Some("dirName"),
        6 => Some("URI"),
        7 => Some("IP"),
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
        assert_eq!(other(&[6, 1, 0x2a], der::UTF8_STRING, b"a"), "[0]");
        assert_eq!(other(&upn, der::OCTET_STRING, b"a"), "[0]");
        assert_eq!(other(&upn, der::UTF8_STRING, b"a\nb"), "[0]");
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
            (0x88, &[0x2a], "[8]"),
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
