//! Distinguished names (X.501, RFC 4514) that own their DER.

mod attribute_type;
mod compare;
mod encode;
mod builder;
mod openssl;
mod rfc4514;

use std::{fmt, str::FromStr};

use self::attribute_type::AttributeType;
pub use self::builder::DistinguishedNameBuilder;
pub(crate) use self::compare::CanonicalName;
use crate::{
    Error,
    der::{self, Reader, Tlv},
};

/// An X.501 name that owns its DER: order, string types, repeated attributes and multi-valued RDNs survive untouched.
///
/// Parse one from OpenSSL's `-subj` form or from RFC 4514 (`str::parse` takes either), build one with typed setters, or
/// take one over from a certificate. `Display` prints RFC 4514. Two names are equal when their DER is.
///
/// ```
/// use pki::DistinguishedName;
///
/// let name: DistinguishedName = "/C=GB/O=Excelsior Bank/OU=Bots/OU=Collaboration/CN=demo-bot1".parse()?;
/// assert_eq!(name.to_string(), "CN=demo-bot1,OU=Collaboration,OU=Bots,O=Excelsior Bank,C=GB");
/// assert_eq!(name.common_name(), Some("demo-bot1"));
/// # Ok::<(), pki::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct DistinguishedName {
    der: Vec<u8>,
    rdns: Vec<Vec<Attribute>>,
}

impl DistinguishedName {
    /// Parses the form of `openssl req -subj`: `/CN=a/O=b`, with `\` as the escape character and `+` between the members
    /// of a multi-valued RDN. The result is byte for byte what `openssl req -utf8 -subj` encodes (under its default
    /// `string_mask = utf8only`): RDNs in the order given, C as PrintableString, DC and emailAddress as IA5String, the
    /// rest as UTF8String.
    ///
    /// # Errors
    /// What OpenSSL would skip or warn about: [`Error::MalformedName`], [`Error::UnknownAttribute`] and
    /// [`Error::EmptyAttribute`]; and what X.520 doesn't allow: [`Error::AttributeTooLong`],
    /// [`Error::AttributeTooShort`], [`Error::AttributeCharacter`] and [`Error::InvalidCountry`]. And
    /// [`Error::ControlCharacter`], although OpenSSL encodes these: a carriage return that a script left at the end of a
    /// line would become part of the name.
    pub fn from_openssl(text: &str) -> Result<Self, Error> {
        Self::from_der(&openssl::parse(text)?)
    }

    /// Parses RFC 4514: `CN=a,O=b`, the most specific RDN first. Attribute names are case-insensitive, and are those of
    /// the registry of descriptors (RFC 4519, section 4): `uid` is userId, which only OpenSSL's form writes as `UID`.
    ///
    /// # Errors
    /// As [`DistinguishedName::from_openssl`]. A control character is accepted where it is spelled out in hexadecimal
    /// digits (`\0D`), as [`Display`](fmt::Display) prints it.
    pub fn from_rfc4514(text: &str) -> Result<Self, Error> {
        Self::from_der(&rfc4514::parse(text)?)
    }

    /// A builder with a setter for each field of a request's subject.
    pub fn builder() -> DistinguishedNameBuilder {
        DistinguishedNameBuilder::default()
    }

    /// Takes over the DER of a `Name` (RFC 5280, section 4.1.2.4) as it is.
    ///
    /// # Errors
    /// [`Error::Malformed`] when it is not a sequence of non-empty sets of attributes, and [`Error::TrailingData`].
    pub fn from_der(der: &[u8]) -> Result<Self, Error> {
        Ok(Self {
            der: der.to_vec(),
            rdns: decode(der)?,
        })
    }

    /// The DER of the `Name`.
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// Whether there is no RDN in it.
    pub fn is_empty(&self) -> bool {
        self.rdns.is_empty()
    }

    /// The RDNs in DER order (the least specific first), each with its attributes.
    pub fn rdns(&self) -> &[Vec<Attribute>] {
        &self.rdns
    }

    /// The value of the last, most specific CN.
    pub fn common_name(&self) -> Option<&str> {
        self.rdns
            .iter()
            .rev()
            .flatten()
            .find(|attribute| attribute.oid == attribute_type::COMMON_NAME)
            .map(Attribute::value)
    }

    /// The values of every CN.
    pub(crate) fn common_names(&self) -> impl Iterator<Item = &str> {
        self.attributes_of(attribute_type::COMMON_NAME)
            .map(Attribute::value)
    }

    /// Every emailAddress (RFC 2985, section 5.2.1).
    pub(crate) fn email_addresses(&self) -> impl Iterator<Item = &Attribute> {
        self.attributes_of(attribute_type::EMAIL_ADDRESS)
    }

    fn attributes_of(&self, oid: &'static str) -> impl Iterator<Item = &Attribute> {
        self.rdns
            .iter()
            .flatten()
            .filter(move |attribute| attribute.oid == oid)
    }
}

impl FromStr for DistinguishedName {
    type Err = Error;

    /// Either form: a name that starts with `/` is in OpenSSL's, anything else is RFC 4514. An empty text is mostly a
    /// variable that wasn't set, and an error here; `/` is the name without attributes.
    fn from_str(text: &str) -> Result<Self, Error> {
        if text.is_empty() {
            let reason = "the text is empty (\"/\" is the name without attributes)";
            return Err(Error::MalformedName {
                position: 1,
                reason,
            });
        }
        if text.starts_with('/') {
            Self::from_openssl(text)
        } else {
            Self::from_rfc4514(text)
        }
    }
}

impl fmt::Display for DistinguishedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        rfc4514::print(&self.rdns, f)
    }
}

impl fmt::Debug for DistinguishedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DistinguishedName({self})")
    }
}

/// One attribute of a name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Attribute {
    oid: String,
    short_name: Option<&'static str>,
    value: String,
    value_der: Vec<u8>,
    is_hex: bool,
}

impl Attribute {
    /// The type as a dotted object identifier, for example `2.5.4.3`.
    pub fn oid(&self) -> &str {
        &self.oid
    }

    /// The type's name in RFC 4514 text, for example `CN`, `UID` or `givenName`, when it has one.
    pub fn short_name(&self) -> Option<&'static str> {
        self.short_name
    }

    /// Whether it is of this string type.
    pub(crate) fn has_tag(&self, tag: u8) -> bool {
        self.value_der.first() == Some(&tag)
    }

    /// Whether it is a UTF8String, and isn't UTF-8 (RFC 3629).
    pub(crate) fn is_malformed_utf8(&self) -> bool {
        self.is_hex && self.has_tag(der::UTF8_STRING)
    }

    /// The value as text. A value that is not a string is `#` and the hexadecimal digits of its DER.
    pub fn value(&self) -> &str {
        &self.value
    }
}

fn decode(der: &[u8]) -> Result<Vec<Vec<Attribute>>, Error> {
    let mut sequence = Reader::enter(der, der::SEQUENCE, WHAT)?;
    let mut rdns = Vec::new();
    while !sequence.is_empty() {
        let mut set = sequence.nested(der::SET)?;
        let mut attributes = Vec::new();
        while !set.is_empty() {
            let mut pair = set.nested(der::SEQUENCE)?;
            let (oid, value) = (pair.dotted_oid()?, pair.read()?);
            pair.finish()?;
            attributes.push(attribute(oid, value));
        }
        if attributes.is_empty() {
            return Err(der::malformed(WHAT, "an RDN has no attribute"));
        }
        rdns.push(attributes);
    }
    Ok(rdns)
}

const WHAT: &str = "distinguished name";

fn attribute(oid: String, value: Tlv<'_>) -> Attribute {
    let text = text(value);
    Attribute {
        short_name: AttributeType::by_oid(&oid).map(AttributeType::descriptor),
        is_hex: text.is_none(),
        value: text.unwrap_or_else(|| rfc4514::hex_value(value.raw)),
        value_der: value.raw.to_vec(),
        oid,
    }
}

/// The type of attribute with this name in RFC 4514 text, or with this object identifier.
pub(crate) fn attribute_oid(name: &str) -> Option<&str> {
    match AttributeType::by_descriptor(name) {
        Some(known) => Some(known.oid),
        None => der::is_dotted_oid(name).then_some(name),
    }
}

/// The error for text that is no name, with the index of the character where that shows.
fn malformed(index: usize, reason: &'static str) -> Error {
    Error::MalformedName {
        position: index.saturating_add(1),
        reason,
    }
}

/// The text of a value of any of the string types that names are made of.
fn text(value: Tlv<'_>) -> Option<String> {
    let octets = value.value;
    match value.tag {
        der::UTF8_STRING => String::from_utf8(octets.to_vec()).ok(),
        der::PRINTABLE_STRING | der::IA5_STRING | der::NUMERIC_STRING | der::VISIBLE_STRING
            if octets.is_ascii() =>
        {
            String::from_utf8(octets.to_vec()).ok()
        }
        // TeletexString is Latin-1 in practice, whatever T.61 says.
        der::TELETEX_STRING => Some(octets.iter().copied().map(char::from).collect()),
        der::BMP_STRING => {
            let (units, []) = octets.as_chunks::<2>() else {
                return None;
            };
            String::from_utf16(
                &units
                    .iter()
                    .copied()
                    .map(u16::from_be_bytes)
                    .collect::<Vec<_>>(),
            )
            .ok()
        }
        der::UNIVERSAL_STRING => {
            let (characters, []) = octets.as_chunks::<4>() else {
                return None;
            };
            characters
                .iter()
                .map(|character| char::from_u32(u32::from_be_bytes(*character)))
                .collect()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
