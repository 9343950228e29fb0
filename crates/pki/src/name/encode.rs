//! From attribute values to the DER of a name: string types, limits, SET OF order.

use super::attribute_type::{AttributeType, StringType};
use crate::{Error, der};

/// One encoded `AttributeTypeAndValue` (X.501).
pub(super) type EncodedAttribute = Vec<u8>;

/// Lays out the RDNs in order. The attributes of one RDN are a SET OF, which DER sorts.
pub(super) fn name(rdns: Vec<Vec<EncodedAttribute>>) -> Vec<u8> {
    let sets: Vec<Vec<u8>> = rdns
        .into_iter()
        .map(|mut rdn| {
            rdn.sort();
            der::tlv(der::SET, &[&rdn.concat()])
        })
        .collect();
    der::sequence(&[&sets.concat()])
}

/// An attribute whose value stands as it was typed or read from somewhere: a control character in it was not meant.
pub(super) fn typed_attribute(
    attribute_type: &AttributeType,
    value: &str,
) -> Result<EncodedAttribute, Error> {
    match value.chars().find(|c| c.is_control()) {
        Some(found) => Err(control_character(attribute_type, found)),
        None => attribute(attribute_type, value),
    }
}

pub(super) fn control_character(attribute_type: &AttributeType, found: char) -> Error {
    Error::ControlCharacter {
        attribute: attribute_type.descriptor().to_owned(),
        found,
    }
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
    let (tag, string_type, allowed): (u8, _, fn(char) -> bool) = match attribute_type.string_type {
        StringType::Utf8 => (der::UTF8_STRING, "UTF8String", |c| c != '\0'),
        StringType::Printable => (der::PRINTABLE_STRING, "PrintableString", is_printable),
        StringType::Ia5 => (der::IA5_STRING, "IA5String", |c| c.is_ascii() && c != '\0'),
        StringType::Numeric => (der::NUMERIC_STRING, "NumericString", |c| {
            c.is_ascii_digit() || c == ' '
        }),
    };
    if let Some(found) = value.chars().find(|&c| !allowed(c)) {
        return Err(Error::AttributeCharacter {
            attribute: attribute_type.descriptor().to_owned(),
            found,
            string_type,
        });
    }
    raw_attribute(attribute_type.oid, &der::tlv(tag, &[value.as_bytes()]))
}

/// An attribute with this dotted object identifier, whose value is DER already.
pub(super) fn raw_attribute(oid: &str, value_der: &[u8]) -> Result<EncodedAttribute, Error> {
    let attribute_type = der::dotted_oid(oid).ok_or_else(|| Error::UnknownAttribute {
        name: oid.to_owned(),
    })?;
    Ok(der::sequence(&[&attribute_type, value_der]))
}

fn check_length(attribute_type: &AttributeType, value: &str) -> Result<(), Error> {
    let attribute = || attribute_type.descriptor().to_owned();
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
