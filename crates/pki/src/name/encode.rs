//! From attribute values to the DER of a name: string types, limits, SET OF order.

use const_oid::ObjectIdentifier;
use der::{AnyRef, Encode, Tag};

use super::attribute_type::{AttributeType, StringType};
use crate::Error;

/// One encoded `AttributeTypeAndValue` (X.501).
pub(super) type EncodedAttribute = Vec<u8>;

/// Lays out the RDNs in order. The attributes of one RDN are a SET OF, which DER sorts.
pub(super) fn name(rdns: Vec<Vec<EncodedAttribute>>) -> Result<Vec<u8>, Error> {
    let mut content = Vec::new();
    for mut rdn in rdns {
        rdn.sort();
        content.extend(tlv(Tag::Set, &rdn.concat())?);
    }
    tlv(Tag::Sequence, &content)
}

/// An attribute whose value is checked against its type's limits and written in its type's string type.
pub(super) fn attribute(
    attribute_type: &AttributeType,
    value: &str,
) -> Result<EncodedAttribute, Error> {
    check_length(attribute_type, value)?;
    if attribute_type.is_country() && !value.bytes().all(|octet| octet.is_ascii_alphabetic()) {
        return Err(Error::InvalidCountry {
            found: value.to_owned(),
        });
    }
    let (tag, string_type, allowed): (Tag, _, fn(char) -> bool) = match attribute_type.string_type {
        StringType::Utf8 => (Tag::Utf8String, "UTF8String", |c| c != '\0'),
        StringType::Printable => (Tag::PrintableString, "PrintableString", is_printable),
        StringType::Ia5 => (Tag::Ia5String, "IA5String", |c| c.is_ascii() && c != '\0'),
        StringType::Numeric => (Tag::NumericString, "NumericString", |c| {
            c.is_ascii_digit() || c == ' '
        }),
    };
    if let Some(found) = value.chars().find(|&c| !allowed(c)) {
        return Err(Error::AttributeCharacter {
            attribute: attribute_type.short_name.to_owned(),
            found,
            string_type,
        });
    }
    raw_attribute(attribute_type.oid, &tlv(tag, value.as_bytes())?)
}

/// An attribute whose value is DER already.
pub(super) fn raw_attribute(
    oid: ObjectIdentifier,
    value_der: &[u8],
) -> Result<EncodedAttribute, Error> {
    let mut content = oid.to_der().map_err(malformed)?;
    content.extend_from_slice(value_der);
    tlv(Tag::Sequence, &content)
}

fn check_length(attribute_type: &AttributeType, value: &str) -> Result<(), Error> {
    let attribute = || attribute_type.short_name.to_owned();
    let found = value.chars().count();
    if found == 0 {
        return Err(Error::EmptyAttribute {
            attribute: attribute(),
        });
    }
    if attribute_type.is_country() && found != 2 {
        return Err(Error::InvalidCountry {
            found: value.to_owned(),
        });
    }
    if found < attribute_type.min() {
        return Err(Error::AttributeTooShort {
            attribute: attribute(),
            found,
            limit: attribute_type.min(),
        });
    }
    match attribute_type.max {
        Some(limit) if found > limit => Err(Error::AttributeTooLong {
            attribute: attribute(),
            found,
            limit,
        }),
        _ => Ok(()),
    }
}

/// PrintableString's alphabet (X.680, section 41.4).
fn is_printable(c: char) -> bool {
    c.is_ascii_alphanumeric() || " '()+,-./:=?".contains(c)
}

fn tlv(tag: Tag, content: &[u8]) -> Result<Vec<u8>, Error> {
    AnyRef::new(tag, content)
        .and_then(|any| any.to_der())
        .map_err(malformed)
}

fn malformed(error: der::Error) -> Error {
    Error::Malformed {
        what: "distinguished name",
        reason: error.to_string(),
    }
}
