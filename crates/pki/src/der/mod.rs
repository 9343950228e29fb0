//! TLVs: bounded reading of DER (and of BER, turned into DER), and the few encoders that nothing else offers.
//!
//! Only low tag numbers exist in the structures of this crate, so a tag is one octet.

mod asn1_time;
mod ber;
mod oid;
mod well_formed;

use const_oid::ObjectIdentifier;

pub(crate) use self::{
    asn1_time::{generalized_time, read_time, time},
    ber::{from_ber, implicit_octets},
    oid::dotted,
    well_formed::is_well_formed,
};
use crate::Error;

/// One element of DER: its identifier octet, its contents, and both with the length as they stand in the input.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tlv<'a> {
    pub(crate) tag: u8,
    pub(crate) value: &'a [u8],
    pub(crate) raw: &'a [u8],
}

/// Reads the elements of a DER value one after the other.
#[derive(Debug, Clone)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    what: &'static str,
}

impl<'a> Reader<'a> {
    /// Reads from `input`; errors speak of `what`.
    pub(crate) fn new(input: &'a [u8], what: &'static str) -> Self {
        Self { rest: input, what }
    }

    /// The contents of the one element with this tag that fills `input`.
    pub(crate) fn enter(input: &'a [u8], tag: u8, what: &'static str) -> Result<Self, Error> {
        let mut outer = Self::new(input, what);
        let inner = outer.nested(tag)?;
        outer.finish()?;
        Ok(inner)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// How many octets are left.
    pub(crate) fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// The tag of the next element, if there is one.
    pub(crate) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// The next element, whatever it is.
    pub(crate) fn read(&mut self) -> Result<Tlv<'a>, Error> {
        let (tlv, rest) = split_der(self.rest).map_err(|reason| malformed(self.what, reason))?;
        self.rest = rest;
        Ok(tlv)
    }

    /// The next element, which must have this tag.
    pub(crate) fn read_tagged(&mut self, tag: u8) -> Result<Tlv<'a>, Error> {
        match self.peek() {
            Some(found) if found == tag => self.read(),
            Some(found) => Err(malformed(
                self.what,
                format!("expected tag {tag:#04x}, found {found:#04x}"),
            )),
            None => Err(malformed(
                self.what,
                format!("expected tag {tag:#04x}, found the end"),
            )),
        }
    }

    /// The contents of the next element, which must have this tag.
    pub(crate) fn value(&mut self, tag: u8) -> Result<&'a [u8], Error> {
        self.read_tagged(tag).map(|tlv| tlv.value)
    }

    /// The contents of the next element if it has this tag.
    pub(crate) fn optional(&mut self, tag: u8) -> Result<Option<&'a [u8]>, Error> {
        if self.peek() == Some(tag) {
            self.value(tag).map(Some)
        } else {
            Ok(None)
        }
    }

    /// Passes over a NULL, where there is one: the parameters of an algorithm that has none.
    pub(crate) fn optional_null(&mut self) -> Result<(), Error> {
        match self.optional(NULL)? {
            None | Some([]) => Ok(()),
            Some(_) => Err(malformed(self.what, "a NULL has contents")),
        }
    }

    /// A reader over the contents of the next element, which must have this tag.
    pub(crate) fn nested(&mut self, tag: u8) -> Result<Self, Error> {
        Ok(Self::new(self.value(tag)?, self.what))
    }

    /// The next element as an object identifier.
    pub(crate) fn oid(&mut self) -> Result<ObjectIdentifier, Error> {
        let value = self.value(OID)?;
        ObjectIdentifier::from_bytes(value)
            .map_err(|_| malformed(self.what, "invalid object identifier"))
    }

    /// The next element as an object identifier in dotted form, whatever its size.
    pub(crate) fn dotted_oid(&mut self) -> Result<String, Error> {
        dotted(self.value(OID)?).ok_or_else(|| malformed(self.what, "invalid object identifier"))
    }

    /// The next element as an INTEGER from 0 to 2^64 - 1.
    pub(crate) fn uint(&mut self) -> Result<u64, Error> {
        let value = self.value(INTEGER)?;
        let digits = match value {
            [] => return Err(malformed(self.what, "empty integer")),
            [first, ..] if first & 0x80 != 0 => {
                return Err(malformed(self.what, "negative integer"));
            }
            [0, rest @ ..] => rest,
            all => all,
        };
        if digits.len() > size_of::<u64>() {
            return Err(malformed(self.what, "integer of more than 64 bits"));
        }
        Ok(digits
            .iter()
            .fold(0, |number, digit| (number << 8) | u64::from(*digit)))
    }

    /// The octets of the next element, a BIT STRING of whole octets.
    pub(crate) fn bit_string(&mut self) -> Result<&'a [u8], Error> {
        whole_octets(self.value(BIT_STRING)?, self.what)
    }

    /// Checks that nothing is left.
    pub(crate) fn finish(&self) -> Result<(), Error> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(Error::TrailingData {
                what: self.what,
                count: self.rest.len(),
            })
        }
    }
}

/// The octets in the contents of a BIT STRING, none of whose bits may be unused.
pub(crate) fn whole_octets<'a>(value: &'a [u8], what: &'static str) -> Result<&'a [u8], Error> {
    match value {
        [0, octets @ ..] => Ok(octets),
        _ => Err(malformed(what, "bit string with unused bits")),
    }
}

/// Whether the input is one DER SEQUENCE from the first octet to the last.
pub(crate) fn is_sequence(input: &[u8]) -> bool {
    matches!(split_der(input), Ok((tlv, [])) if tlv.tag == SEQUENCE)
}

/// Whether the input is one DER value: every length in it, at every level of constructed values, is as it should be, and
/// nothing follows.
pub(crate) fn is_one_value(input: &[u8]) -> bool {
    const MAX_DEPTH: usize = 32;
    // Each level's values are looked at once: the work is the input's size times its depth at most.
    fn all_within(mut rest: &[u8], depth: usize) -> bool {
        while !rest.is_empty() {
            let Ok((tlv, after)) = split_der(rest) else {
                return false;
            };
            let is_constructed = tlv.tag & 0x20 != 0;
            if is_constructed && (depth == 0 || !all_within(tlv.value, depth.saturating_sub(1))) {
                return false;
            }
            rest = after;
        }
        true
    }
    matches!(split_der(input), Ok((_, []))) && all_within(input, MAX_DEPTH)
}

/// Whether the first element is a SEQUENCE whose length, where it is definite, is that of the input: enough to tell what
/// was decrypted from noise.
pub(crate) fn is_ber_sequence(input: &[u8]) -> bool {
    matches!(
        Header::read(input),
        Ok(Header { tag: SEQUENCE, size, len, .. })
            if len.is_none_or(|len| size.checked_add(len) == Some(input.len()))
    )
}

/// What follows the first header: contents, and perhaps more.
pub(crate) fn after_header(input: &[u8]) -> Option<&[u8]> {
    let header = Header::read(input).ok()?;
    input.get(header.size..)
}

/// An element with this tag and these contents.
pub(crate) fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let len = parts
        .iter()
        .fold(0_usize, |sum, part| sum.saturating_add(part.len()));
    let mut out = Vec::with_capacity(len.saturating_add(MAX_HEADER));
    push_header(&mut out, tag, len);
    for part in parts {
        out.extend_from_slice(part);
    }
    out
}

/// A SEQUENCE of encoded elements.
pub(crate) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    tlv(SEQUENCE, parts)
}

/// An encoded object identifier.
pub(crate) fn oid(oid: &ObjectIdentifier) -> Vec<u8> {
    tlv(OID, &[oid.as_bytes()])
}

/// An object identifier, encoded from its dotted form; `None` for what is none.
pub(crate) fn dotted_oid(text: &str) -> Option<Vec<u8>> {
    Some(tlv(OID, &[&oid::contents(text)?]))
}

/// Whether this is an object identifier in dotted form.
pub(crate) fn is_dotted_oid(text: &str) -> bool {
    oid::contents(text).is_some()
}

/// An encoded INTEGER.
pub(crate) fn uint(number: u64) -> Vec<u8> {
    let octets = number.to_be_bytes();
    let first = octets.iter().position(|octet| *octet != 0).unwrap_or(7);
    let digits = octets.get(first..).unwrap_or_default();
    let sign: &[u8] = match digits {
        [first, ..] if first & 0x80 != 0 => &[0],
        _ => &[],
    };
    tlv(INTEGER, &[sign, digits])
}

/// The element `encoded` under an IMPLICIT tag.
pub(crate) fn retagged(tag: u8, encoded: &[u8]) -> Result<Vec<u8>, Error> {
    Ok(tlv(tag, &[Reader::new(encoded, "value").read()?.value]))
}

/// An encoded BOOLEAN that is TRUE; DER leaves out what is FALSE by default.
pub(crate) const ENCODED_TRUE: &[u8] = &[BOOLEAN, 1, 0xff];

/// An encoded BIT STRING of named bits (X.690, section 11.2.2: no zero bits at the end). Bit `n` of `bits` is the bit with
/// the number `n`.
pub(crate) fn named_bits(bits: u16) -> Vec<u8> {
    tlv(BIT_STRING, &[&named_bits_value(bits)])
}

/// The contents of a BIT STRING of named bits.
pub(crate) fn named_bits_value(bits: u16) -> Vec<u8> {
    let octets = bits.reverse_bits().to_be_bytes();
    // The number of the last bit that is set tells how many octets there are, and how many bits of the last are unused.
    match (bits, octets) {
        (0, _) => vec![0],
        (..=0xff, [first, _]) => vec![unused(first), first],
        (_, [first, second]) => vec![unused(second), first, second],
    }
}

fn unused(octet: u8) -> u8 {
    u8::try_from(octet.trailing_zeros()).unwrap_or(0)
}

/// The error for a structure that can't be decoded.
pub(crate) fn malformed(what: &'static str, reason: impl Into<String>) -> Error {
    Error::malformed(what, reason)
}

pub(crate) const BOOLEAN: u8 = 0x01;
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const NULL: u8 = 0x05;
pub(crate) const OID: u8 = 0x06;
pub(crate) const ENUMERATED: u8 = 0x0a;
pub(crate) const UTF8_STRING: u8 = 0x0c;
pub(crate) const NUMERIC_STRING: u8 = 0x12;
pub(crate) const PRINTABLE_STRING: u8 = 0x13;
pub(crate) const TELETEX_STRING: u8 = 0x14;
pub(crate) const IA5_STRING: u8 = 0x16;
pub(crate) const UTC_TIME: u8 = 0x17;
pub(crate) const GENERALIZED_TIME: u8 = 0x18;
pub(crate) const VISIBLE_STRING: u8 = 0x1a;
pub(crate) const UNIVERSAL_STRING: u8 = 0x1c;
pub(crate) const BMP_STRING: u8 = 0x1e;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;
/// `[0]` around an element, or (in a SEQUENCE of IMPLICIT tags) in the place of a constructed one.
pub(crate) const EXPLICIT_0: u8 = 0xa0;
/// `[1]`, likewise.
pub(crate) const EXPLICIT_1: u8 = 0xa1;
/// `[2]`, likewise.
pub(crate) const EXPLICIT_2: u8 = 0xa2;
/// `[3]`, likewise.
pub(crate) const EXPLICIT_3: u8 = 0xa3;
/// `[0]` in the place of a primitive element's tag.
pub(crate) const IMPLICIT_0: u8 = 0x80;
/// `[1]`, likewise.
pub(crate) const IMPLICIT_1: u8 = 0x81;
/// An encoded NULL.
pub(crate) const ENCODED_NULL: &[u8] = &[NULL, 0];

/// Identifier, length of the length, and eight octets of length.
const MAX_HEADER: usize = 10;
/// Splits the first DER element off.
fn split_der(input: &[u8]) -> Result<(Tlv<'_>, &[u8]), &'static str> {
    let header = Header::read(input)?;
    let len = header.len.ok_or("indefinite length")?;
    if !header.minimal {
        return Err("length is not in its shortest form");
    }
    let total = header.size.checked_add(len).ok_or("length overflows")?;
    let (raw, rest) = input
        .split_at_checked(total)
        .ok_or("it ends before its length")?;
    let value = raw.get(header.size..).unwrap_or_default();
    Ok((
        Tlv {
            tag: header.tag,
            value,
            raw,
        },
        rest,
    ))
}

struct Header {
    tag: u8,
    /// Octets of the identifier and the length.
    size: usize,
    /// `None` for the indefinite form.
    len: Option<usize>,
    minimal: bool,
}

impl Header {
    fn read(input: &[u8]) -> Result<Self, &'static str> {
        let [tag, first, rest @ ..] = input else {
            return Err("it ends within a header");
        };
        if tag & 0x1f == 0x1f {
            return Err("high tag number");
        }
        let header = |extra: usize, len, minimal| Self {
            tag: *tag,
            size: extra.saturating_add(2),
            len,
            minimal,
        };
        match first {
            0..0x80 => Ok(header(0, Some(usize::from(*first)), true)),
            0x80 => Ok(header(0, None, true)),
            _ => {
                let count = usize::from(first & 0x7f);
                let octets = rest.get(..count).ok_or("it ends within a header")?;
                let digits = octets
                    .iter()
                    .position(|octet| *octet != 0)
                    .and_then(|zeros| octets.get(zeros..))
                    .unwrap_or_default();
                if digits.len() > 4 {
                    return Err("length overflows");
                }
                let len = digits
                    .iter()
                    .fold(0_usize, |len, octet| (len << 8) | usize::from(*octet));
                let minimal = len >= 0x80 && digits.len() == count;
                Ok(header(count, Some(len), minimal))
            }
        }
    }
}

fn push_header(out: &mut Vec<u8>, tag: u8, len: usize) {
    out.push(tag);
    let octets = len.to_be_bytes();
    let zeros = octets.iter().take_while(|octet| **octet == 0).count();
    let digits = octets.get(zeros..).unwrap_or_default();
    match digits {
        [] => out.push(0),
        [short] if *short < 0x80 => out.push(*short),
        _ => {
            // At most eight: a usize.
            #[allow(clippy::cast_possible_truncation)]
            out.push(0x80 | digits.len() as u8);
            out.extend_from_slice(digits);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn der_elements_are_read_in_order() {
        let mut reader = Reader::enter(
            &[0x30, 0x06, 0x02, 0x01, 0x05, 0x04, 0x01, 0xff],
            SEQUENCE,
            "test",
        )
        .unwrap();
        assert_eq!(reader.uint().unwrap(), 5);
        assert_eq!(reader.value(OCTET_STRING).unwrap(), [0xff]);
        reader.finish().unwrap();
    }

    #[test]
    fn der_with_a_longer_length_than_needed_is_refused() {
        let error = Reader::enter(&[0x30, 0x81, 0x01, 0x00], SEQUENCE, "test").unwrap_err();
        assert_eq!(
            error,
            malformed("test", "length is not in its shortest form")
        );
    }

    #[test]
    fn der_that_ends_early_is_refused() {
        for input in [
            &[0x30][..],
            &[0x30, 0x02, 0x00],
            &[0x30, 0x82, 0x01],
            &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff],
        ] {
            assert!(matches!(
                Reader::enter(input, SEQUENCE, "test"),
                Err(Error::Malformed { .. })
            ));
        }
    }

    #[test]
    fn integers_round_trip_through_their_encoding() {
        for number in [0, 1, 127, 128, 255, 256, 65_537, u64::MAX] {
            let encoded = uint(number);
            assert_eq!(Reader::new(&encoded, "test").uint().unwrap(), number);
        }
        assert_eq!(uint(128), [0x02, 0x02, 0x00, 0x80]);
    }

    #[test]
    fn one_value_is_whole_at_every_level() {
        let nested = |depth| (0..depth).fold(vec![5, 0], |inner, _| sequence(&[&inner]));
        for whole in [&[5, 0][..], &[0x30, 0], &[0x30, 2, 5, 0], &nested(32)] {
            assert!(is_one_value(whole), "{whole:?}");
        }
        for broken in [
            &[][..],
            &[5],
            &[5, 0, 5, 0],
            &[0x30, 2, 5, 1],
            &[0x30, 4, 0x30, 2, 5, 1],
            &[0x30, 0x80, 0, 0],
            &[0x30, 0x81, 0],
            &nested(33),
        ] {
            assert!(!is_one_value(broken), "{broken:?}");
        }
    }

    #[test]
    fn named_bits_have_no_zeros_at_their_end() {
        for (bits, expected) in [
            (0, &[3, 1, 0][..]),
            (0b1, &[3, 2, 7, 0x80]),
            (0b1000_0000, &[3, 2, 0, 0x01]),
            (0b110_0000, &[3, 2, 1, 0x06]),
            (0b1_0000_0000, &[3, 3, 7, 0, 0x80]),
            (0b1_0000_0001, &[3, 3, 7, 0x80, 0x80]),
        ] {
            assert_eq!(named_bits(bits), expected, "{bits:b}");
        }
    }

    #[test]
    fn long_contents_have_long_lengths() {
        let encoded = tlv(OCTET_STRING, &[&[7; 300]]);
        assert_eq!(encoded[..4], [0x04, 0x82, 0x01, 0x2c]);
        assert_eq!(
            Reader::new(&encoded, "test")
                .value(OCTET_STRING)
                .unwrap()
                .len(),
            300
        );
    }
}
