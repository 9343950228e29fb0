//! RFC 4514: `CN=a,O=b`, the most specific RDN first.

use std::iter::Peekable;

use super::{Attribute, attribute_type::AttributeType, encode, malformed};
use crate::{Error, der::Reader};

/// Parses the string representation (section 3); blanks around `,`, `+` and `=` are tolerated.
///
/// So is what RFC 2253, section 4, has readers accept of its predecessor, and what Active Directory still writes: `;` in
/// place of `,`, and values in quotation marks.
pub(super) fn parse(text: &str) -> Result<Vec<u8>, Error> {
    let mut parser = Parser {
        chars: text.chars().enumerate().peekable(),
    };
    let mut rdns = Vec::new();
    parser.skip_blanks();
    if parser.chars.peek().is_some() {
        let mut rdn = Vec::new();
        loop {
            rdn.push(parser.attribute()?);
            match parser.chars.next() {
                Some((_, '+')) => {}
                // The value ended at a ',' or ';'.
                Some((at, _)) => {
                    rdns.push(std::mem::take(&mut rdn));
                    parser.skip_blanks();
                    if parser.chars.peek().is_none() {
                        return Err(malformed(at, "nothing follows this separator"));
                    }
                }
                None => break,
            }
        }
        rdns.push(rdn);
    }
    rdns.reverse();
    Ok(encode::name(rdns))
}

/// Prints RDNs that are given in DER order (section 2). Known attributes go by their short names.
pub(super) fn print(rdns: &[Vec<Attribute>], f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
    for (i, rdn) in rdns.iter().rev().enumerate() {
        if i > 0 {
            f.write_str(",")?;
        }
        for (j, attribute) in rdn.iter().enumerate() {
            if j > 0 {
                f.write_str("+")?;
            }
            match attribute.short_name {
                Some(name) if !attribute.is_hex => {
                    write!(f, "{name}={}", escape(&attribute.value))?
                }
                Some(name) => write!(f, "{name}={}", attribute.value)?,
                None => write!(f, "{}={}", attribute.oid, hex_value(&attribute.value_der))?,
            }
        }
    }
    Ok(())
}

/// `#` and the hexadecimal digits of a value's DER (section 2.4).
pub(super) fn hex_value(der: &[u8]) -> String {
    format!("#{}", base16ct::lower::encode_string(der))
}

/// Section 2.4's escapes. Control characters are escaped too, so that a name can't break a line of a log.
fn escape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let last = value.chars().count().saturating_sub(1);
    for (i, c) in value.chars().enumerate() {
        match c {
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' => out.extend(['\\', c]),
            ' ' | '#' if i == 0 => out.extend(['\\', c]),
            ' ' if i == last => out.push_str("\\ "),
            c if c.is_control() => {
                for octet in c.encode_utf8(&mut [0; 4]).bytes() {
                    out.push_str(&format!("\\{octet:02X}"));
                }
            }
            c => out.push(c),
        }
    }
    out
}

struct Parser<I: Iterator<Item = (usize, char)>> {
    chars: Peekable<I>,
}

impl<I: Iterator<Item = (usize, char)>> Parser<I> {
    /// One `type=value`, up to but not including the `,`, `;` or `+` that ends it.
    fn attribute(&mut self) -> Result<encode::EncodedAttribute, Error> {
        self.skip_blanks();
        let start = self.chars.peek().map(|&(at, _)| at);
        let mut type_name = String::new();
        loop {
            match self.chars.next() {
                Some((_, '=')) => break,
                Some((at, ',' | ';' | '+')) => {
                    return Err(malformed(at, "expected \"type=value\""));
                }
                Some((_, c)) => type_name.push(c),
                None => return Err(malformed(start.unwrap_or(0), "expected \"type=value\"")),
            }
        }
        let type_name = type_name.trim_end_matches(' ');
        self.skip_blanks();
        if matches!(self.chars.peek(), Some((_, '#'))) {
            let known = AttributeType::by_descriptor(type_name);
            let oid = known.map_or(type_name, |known| known.oid);
            return encode::raw_attribute(oid, &self.hex_value()?);
        }
        let attribute_type =
            AttributeType::by_descriptor(type_name).ok_or_else(|| Error::UnknownAttribute {
                name: type_name.to_owned(),
            })?;
        let value = match self.chars.peek() {
            Some((_, '"')) => self.quoted(attribute_type)?,
            _ => self.string(attribute_type)?,
        };
        encode::attribute(attribute_type, &value)
    }

    /// A value in quotation marks, in which only `\` and `"` are special (RFC 1779, section 2.3).
    fn quoted(&mut self, attribute_type: &AttributeType) -> Result<String, Error> {
        let (start, _) = self.chars.next().unwrap_or_default();
        let mut octets = Vec::new();
        loop {
            match self.chars.next() {
                None => return Err(malformed(start, "this quotation mark is not closed")),
                Some((_, '"')) => break,
                Some((at, '\\')) => octets.extend(self.escaped(at)?),
                Some((_, c)) if c.is_control() => {
                    return Err(encode::control_character(attribute_type, c));
                }
                Some((_, c)) => octets.extend(c.encode_utf8(&mut [0; 4]).bytes()),
            }
        }
        self.skip_blanks();
        match self.chars.peek() {
            None | Some((_, ',' | ';' | '+')) => String::from_utf8(octets)
                .map_err(|_| malformed(start, "escaped octets are not UTF-8")),
            Some(&(at, _)) => Err(malformed(at, "expected \",\" or \"+\"")),
        }
    }

    /// A string value with its escapes resolved. Blanks at the end count only when escaped, and a control character only
    /// as hexadecimal digits, which nobody types by mistake.
    fn string(&mut self, attribute_type: &AttributeType) -> Result<String, Error> {
        let mut octets = Vec::new();
        let mut kept = 0;
        let start = self.chars.peek().map_or(0, |&(at, _)| at);
        while let Some(&(at, c)) = self.chars.peek() {
            match c {
                ',' | ';' | '+' => break,
                '"' | '<' | '>' => {
                    return Err(malformed(at, "this character must be escaped with \"\\\""));
                }
                '\\' => {
                    self.chars.next();
                    octets.extend(self.escaped(at)?);
                    kept = octets.len();
                }
                c if c.is_control() => return Err(encode::control_character(attribute_type, c)),
                c => {
                    self.chars.next();
                    octets.extend(c.encode_utf8(&mut [0; 4]).bytes());
                    if c != ' ' {
                        kept = octets.len();
                    }
                }
            }
        }
        octets.truncate(kept);
        String::from_utf8(octets).map_err(|_| malformed(start, "escaped octets are not UTF-8"))
    }

    fn escaped(&mut self, at: usize) -> Result<Vec<u8>, Error> {
        match self.chars.next() {
            Some((_, c)) if c.is_ascii_hexdigit() => {
                let low = self
                    .chars
                    .next()
                    .map(|(_, c)| c)
                    .ok_or(malformed(at, "incomplete escape"))?;
                base16ct::mixed::decode_vec(String::from_iter([c, low]))
                    .map_err(|_| malformed(at, "incomplete escape"))
            }
            Some((_, c)) if " \"#+,;<=>\\".contains(c) => Ok(vec![u8::try_from(c).unwrap_or(b' ')]),
            Some(_) => Err(malformed(at, "unknown escape")),
            None => Err(malformed(at, "escape character at the end")),
        }
    }

    /// `#` and hexadecimal digits: the DER of the value.
    fn hex_value(&mut self) -> Result<Vec<u8>, Error> {
        let (at, _) = self.chars.next().unwrap_or_default();
        let mut digits = String::new();
        while let Some((_, digit)) = self
            .chars
            .next_if(|&(_, c)| !matches!(c, ',' | ';' | '+' | ' '))
        {
            digits.push(digit);
        }
        let der = base16ct::mixed::decode_vec(digits).map_err(|error| match error {
            base16ct::Error::InvalidLength => malformed(at, "odd number of hexadecimal digits"),
            base16ct::Error::InvalidEncoding => malformed(at, "not hexadecimal"),
        })?;
        self.skip_blanks();
        if let Some(&(at, c)) = self.chars.peek()
            && !matches!(c, ',' | ';' | '+')
        {
            return Err(malformed(at, "expected \",\" or \"+\""));
        }
        let mut value = Reader::new(&der, "attribute value");
        if value.read().is_err() || !value.is_empty() {
            return Err(malformed(
                at,
                "the hexadecimal digits are not one DER value",
            ));
        }
        Ok(der)
    }

    fn skip_blanks(&mut self) {
        while self.chars.next_if(|&(_, c)| c == ' ').is_some() {}
    }
}
