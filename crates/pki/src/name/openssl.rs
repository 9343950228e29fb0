//! The form that `openssl req -subj` takes: `/type0=value0+type1=value1/type2=...`, with `\` as the escape character.

use super::{attribute_type::AttributeType, encode, malformed};
use crate::Error;

/// Encodes what OpenSSL would encode for the same text, and refuses what it would skip or warn about.
pub(super) fn parse(text: &str) -> Result<Vec<u8>, Error> {
    let mut chars = text.chars().enumerate().peekable();
    if !matches!(chars.next(), Some((_, '/'))) {
        return Err(malformed(0, "a name in OpenSSL form starts with \"/\""));
    }
    let mut rdns: Vec<Vec<encode::EncodedAttribute>> = Vec::new();
    let mut joins_previous = false;
    while let Some(&(start, _)) = chars.peek() {
        let mut type_name = String::new();
        loop {
            match chars.next() {
                Some((_, '=')) => break,
                Some((_, c)) => type_name.push(c),
                None => return Err(malformed(start, "expected \"type=value\"")),
            }
        }
        let mut value = String::new();
        let mut next_joins = false;
        loop {
            match chars.next() {
                None | Some((_, '/')) => break,
                Some((_, '+')) => {
                    next_joins = true;
                    break;
                }
                Some((at, '\\')) => match chars.next() {
                    Some((_, escaped)) => value.push(escaped),
                    None => return Err(malformed(at, "escape character at the end")),
                },
                Some((_, c)) => value.push(c),
            }
        }
        let attribute_type = AttributeType::by_openssl_name(&type_name)
            .ok_or(Error::UnknownAttribute { name: type_name })?;
        let attribute = encode::typed_attribute(attribute_type, &value)?;
        match rdns.last_mut() {
            Some(rdn) if joins_previous => rdn.push(attribute),
            _ => rdns.push(vec![attribute]),
        }
        joins_previous = next_joins;
    }
    Ok(encode::name(rdns))
}
