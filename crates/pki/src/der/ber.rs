//! BER, as NSS and older programs write PKCS#12 files: turned into DER, for everything else reads nothing but that.

use zeroize::Zeroizing;

use super::{
    EXPLICIT_0, Header, IMPLICIT_0, MAX_HEADER, OCTET_STRING, Reader, Tlv, malformed, push_header,
};
use crate::Error;

/// Turns the one BER element that fills `input` into DER, as far as its form goes: definite, shortest lengths, and
/// OCTET STRINGs in one part. Values are left alone (no sorting of SETs), and so is what is encoded inside strings.
///
/// # Errors
/// `NestedTooDeeply` beyond `max_nesting` levels, `Malformed` and `TrailingData`.
pub(crate) fn from_ber(
    input: &[u8],
    max_nesting: usize,
    what: &'static str,
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let nesting = Nesting::new(max_nesting, what);
    // The definite form is longer than the indefinite one only from 64 KiB on, by an octet or two for each level:
    // this capacity is enough, so that growing doesn't leave copies of secrets behind.
    let slack = (input.len() >> 10).saturating_add(64);
    let mut out = Zeroizing::new(Vec::with_capacity(input.len().saturating_add(slack)));
    let rest = transcode(input, &mut out, nesting)?;
    if rest.is_empty() {
        Ok(out)
    } else {
        Err(Error::TrailingData {
            what,
            count: rest.len(),
        })
    }
}

/// The octets of an OCTET STRING that is IMPLICITly tagged `[0]`: primitive, or (BER) in parts.
pub(crate) fn implicit_octets(
    tlv: Tlv<'_>,
    what: &'static str,
) -> Result<Zeroizing<Vec<u8>>, Error> {
    match tlv.tag {
        IMPLICIT_0 => Ok(Zeroizing::new(tlv.value.to_vec())),
        EXPLICIT_0 => {
            let mut parts = Reader::new(tlv.value, what);
            let mut octets = Zeroizing::new(Vec::with_capacity(tlv.value.len()));
            while !parts.is_empty() {
                octets.extend_from_slice(parts.value(OCTET_STRING)?);
            }
            Ok(octets)
        }
        found => Err(malformed(
            what,
            format!("expected a string tagged [0], found {found:#04x}"),
        )),
    }
}

/// What the stack bears whatever the caller allows.
const MAX_NESTING: usize = 256;
const CONSTRUCTED: u8 = 0x20;
const CONSTRUCTED_OCTET_STRING: u8 = OCTET_STRING | CONSTRUCTED;
const END_OF_CONTENTS: [u8; 2] = [0, 0];

/// How many more levels may be entered.
#[derive(Debug, Clone, Copy)]
struct Nesting {
    left: usize,
    limit: usize,
    what: &'static str,
}

impl Nesting {
    fn new(limit: usize, what: &'static str) -> Self {
        let limit = limit.min(MAX_NESTING);
        Self {
            left: limit,
            limit,
            what,
        }
    }

    fn enter(self) -> Result<Self, Error> {
        match self.left.checked_sub(1) {
            Some(left) => Ok(Self { left, ..self }),
            None => Err(Error::NestedTooDeeply {
                what: self.what,
                limit: self.limit,
            }),
        }
    }

    fn malformed(self, reason: &'static str) -> Error {
        malformed(self.what, reason)
    }
}

/// Appends the first BER element of `input` to `out` as DER; returns what follows it.
fn transcode<'a>(input: &'a [u8], out: &mut Vec<u8>, nesting: Nesting) -> Result<&'a [u8], Error> {
    let element = split_ber(input, nesting)?;
    if element.tag & CONSTRUCTED == 0 {
        push_header(out, element.tag, element.value.len());
        out.extend_from_slice(element.value);
        return Ok(element.rest);
    }
    let nesting = nesting.enter()?;
    let start = out.len();
    let mut tag = element.tag;
    if tag == CONSTRUCTED_OCTET_STRING {
        tag = OCTET_STRING;
        join_parts(element.value, out, nesting)?;
    } else {
        let mut rest = element.value;
        while !rest.is_empty() {
            rest = transcode(rest, out, nesting)?;
        }
    }
    let mut header = Vec::with_capacity(MAX_HEADER);
    push_header(&mut header, tag, out.len().saturating_sub(start));
    out.splice(start..start, header);
    Ok(element.rest)
}

/// Appends the octets of the parts of a constructed OCTET STRING.
fn join_parts(parts: &[u8], out: &mut Vec<u8>, nesting: Nesting) -> Result<(), Error> {
    let mut rest = parts;
    while !rest.is_empty() {
        let part = split_ber(rest, nesting)?;
        match part.tag {
            OCTET_STRING => out.extend_from_slice(part.value),
            CONSTRUCTED_OCTET_STRING => {
                let nesting = nesting.enter()?;
                join_parts(part.value, out, nesting)?;
            }
            _ => return Err(nesting.malformed("string with a part that is not a string")),
        }
        rest = part.rest;
    }
    Ok(())
}

struct BerElement<'a> {
    tag: u8,
    /// Without the end-of-contents octets.
    value: &'a [u8],
    rest: &'a [u8],
}

/// Splits the first BER element off.
fn split_ber<'a>(input: &'a [u8], nesting: Nesting) -> Result<BerElement<'a>, Error> {
    let header = Header::read(input).map_err(|reason| nesting.malformed(reason))?;
    let body = input.get(header.size..).unwrap_or_default();
    if let Some(len) = header.len {
        let (value, rest) = body
            .split_at_checked(len)
            .ok_or_else(|| nesting.malformed("it ends before its length"))?;
        return Ok(BerElement {
            tag: header.tag,
            value,
            rest,
        });
    }
    if header.tag & CONSTRUCTED == 0 {
        return Err(nesting.malformed("indefinite length of a primitive element"));
    }
    let nesting = nesting.enter()?;
    let mut rest = body;
    loop {
        if let Some(after) = rest.strip_prefix(&END_OF_CONTENTS) {
            let len = body.len().saturating_sub(rest.len());
            return Ok(BerElement {
                tag: header.tag,
                value: body.get(..len).unwrap_or_default(),
                rest: after,
            });
        }
        rest = split_ber(rest, nesting)?.rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ber_becomes_der() {
        // SEQUENCE (indefinite) { OCTET STRING (indefinite) { "a", (constructed) { "b" } }, INTEGER with a long length }
        let ber = [
            0x30, 0x80, 0x24, 0x80, 0x04, 0x01, b'a', 0x24, 0x03, 0x04, 0x01, b'b', 0, 0, 0x02,
            0x81, 0x01, 0x07, 0, 0,
        ];
        assert_eq!(
            *from_ber(&ber, 32, "test").unwrap(),
            [0x30, 0x07, 0x04, 0x02, b'a', b'b', 0x02, 0x01, 0x07]
        );
    }

    #[test]
    fn ber_nested_too_deeply_is_refused_and_not_recursed_into() {
        for level in [[0x30, 0x80], [0x24, 0x80]] {
            let bomb = level.repeat(100_000);
            assert!(matches!(
                from_ber(&bomb, usize::MAX, "test"),
                Err(Error::NestedTooDeeply { .. })
            ));
        }
    }
}
