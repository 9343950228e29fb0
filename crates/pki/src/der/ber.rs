//! BER, as NSS and older programs write PKCS#12 files: turned into DER, for everything else reads nothing but that.

use zeroize::Zeroizing;

use super::{
    EXPLICIT_0, Header, IMPLICIT_0, MAX_HEADER, OCTET_STRING, Reader, Tlv, malformed, push_header,
};
use crate::Error;

/// Turns the one BER element that fills `input` into DER, as far as its form goes: definite, shortest lengths, and
/// OCTET STRINGs in one part. Values are left alone (no sorting of SETs), and so is what is encoded inside strings.
pub(crate) fn from_ber(input: &[u8], what: &'static str) -> Result<Zeroizing<Vec<u8>>, Error> {
    // The definite form is longer than the indefinite one only from 64 KiB on, by an octet or two for each level:
    // this capacity is enough, so that growing doesn't leave copies of secrets behind.
    let slack = (input.len() >> 10).saturating_add(64);
    let mut out = Zeroizing::new(Vec::with_capacity(input.len().saturating_add(slack)));
    let rest = transcode(input, &mut out, MAX_DEPTH, what)?;
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

/// Honest PKCS#12 files nest about ten levels deep.
const MAX_DEPTH: usize = 32;
const CONSTRUCTED: u8 = 0x20;
const CONSTRUCTED_OCTET_STRING: u8 = OCTET_STRING | CONSTRUCTED;
const END_OF_CONTENTS: [u8; 2] = [0, 0];

/// Appends the first BER element of `input` to `out` as DER; returns what follows it.
fn transcode<'a>(
    input: &'a [u8],
    out: &mut Vec<u8>,
    depth: usize,
    what: &'static str,
) -> Result<&'a [u8], Error> {
    let element = split_ber(input, depth, what)?;
    if element.tag & CONSTRUCTED == 0 {
        push_header(out, element.tag, element.value.len());
        out.extend_from_slice(element.value);
        return Ok(element.rest);
    }
    let depth = depth.checked_sub(1).ok_or(Error::NestedTooDeeply {
        what,
        limit: MAX_DEPTH,
    })?;
    let start = out.len();
    let mut tag = element.tag;
    if tag == CONSTRUCTED_OCTET_STRING {
        tag = OCTET_STRING;
        join_parts(element.value, out, depth, what)?;
    } else {
        let mut rest = element.value;
        while !rest.is_empty() {
            rest = transcode(rest, out, depth, what)?;
        }
    }
    let mut header = Vec::with_capacity(MAX_HEADER);
    push_header(&mut header, tag, out.len().saturating_sub(start));
    out.splice(start..start, header);
    Ok(element.rest)
}

/// Appends the octets of the parts of a constructed OCTET STRING.
fn join_parts(
    parts: &[u8],
    out: &mut Vec<u8>,
    depth: usize,
    what: &'static str,
) -> Result<(), Error> {
    let mut rest = parts;
    while !rest.is_empty() {
        let part = split_ber(rest, depth, what)?;
        match part.tag {
            OCTET_STRING => out.extend_from_slice(part.value),
            CONSTRUCTED_OCTET_STRING => {
                let depth = depth.checked_sub(1).ok_or(Error::NestedTooDeeply {
                    what,
                    limit: MAX_DEPTH,
                })?;
                join_parts(part.value, out, depth, what)?;
            }
            _ => return Err(malformed(what, "string with a part that is not a string")),
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
fn split_ber<'a>(
    input: &'a [u8],
    depth: usize,
    what: &'static str,
) -> Result<BerElement<'a>, Error> {
    let header = Header::read(input).map_err(|reason| malformed(what, reason))?;
    let body = input.get(header.size..).unwrap_or_default();
    if let Some(len) = header.len {
        let (value, rest) = body
            .split_at_checked(len)
            .ok_or_else(|| malformed(what, "it ends before its length"))?;
        return Ok(BerElement {
            tag: header.tag,
            value,
            rest,
        });
    }
    if header.tag & CONSTRUCTED == 0 {
        return Err(malformed(what, "indefinite length of a primitive element"));
    }
    let depth = depth.checked_sub(1).ok_or(Error::NestedTooDeeply {
        what,
        limit: MAX_DEPTH,
    })?;
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
        rest = split_ber(rest, depth, what)?.rest;
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
            *from_ber(&ber, "test").unwrap(),
            [0x30, 0x07, 0x04, 0x02, b'a', b'b', 0x02, 0x01, 0x07]
        );
    }

    #[test]
    fn ber_nested_too_deeply_is_refused_and_not_recursed_into() {
        for level in [[0x30, 0x80], [0x24, 0x80]] {
            let bomb = level.repeat(100_000);
            assert!(matches!(
                from_ber(&bomb, "test"),
                Err(Error::NestedTooDeeply { .. })
            ));
        }
    }
}
