//! Whether octets that somebody hands over to be signed are DER: not its lengths alone, but each value of a universal type.

use super::{
    BIT_STRING, BMP_STRING, BOOLEAN, ENUMERATED, GENERALIZED_TIME, IA5_STRING, INTEGER, NULL,
    NUMERIC_STRING, OID, PRINTABLE_STRING, SEQUENCE, SET, Tlv, UNIVERSAL_STRING, UTC_TIME,
    UTF8_STRING, VISIBLE_STRING, is_one_value, read_time, split_der,
};

/// Whether the input is one DER value (X.690, sections 8, 10 and 11) without a tag number above 30, at most 32 levels deep. What
/// stands under a context tag is checked as far as its lengths go, and the values in it, where it is constructed.
pub(crate) fn is_well_formed(input: &[u8]) -> bool {
    is_one_value(input) && all_are(input)
}

/// The depth was checked.
fn all_are(mut rest: &[u8]) -> bool {
    while let Ok((found, after)) = split_der(rest) {
        let is_constructed = found.tag & CONSTRUCTED != 0;
        let is_form = match found.tag & CLASS {
            0 => is_universal(&found),
            _ => true,
        };
        if !is_form || is_constructed && !all_are(found.value) {
            return false;
        }
        rest = after;
    }
    true
}

/// Whether a value of a universal type is as DER has it. A SEQUENCE and a SET are constructed, and so are EXTERNAL and EMBEDDED PDV;
/// everything else is primitive.
fn is_universal(found: &Tlv<'_>) -> bool {
    let contents = found.value;
    let all = |allowed: fn(&u8) -> bool| contents.iter().all(allowed);
    match found.tag {
        SET => is_sorted(contents),
        SEQUENCE | EXTERNAL | EMBEDDED_PDV => true,
        BOOLEAN => matches!(contents, [0 | 0xff]),
        INTEGER | ENUMERATED => match contents {
            [] | [0, 0..=0x7f, ..] | [0xff, 0x80..=0xff, ..] => false,
            [_, ..] => true,
        },
        BIT_STRING => match contents {
            [0] => true,
            [unused @ 0..8, .., last] => last.trailing_zeros() >= u32::from(*unused),
            _ => false,
        },
        NULL => contents.is_empty(),
        OID | RELATIVE_OID => is_oid(contents),
        UTF8_STRING => str::from_utf8(contents).is_ok(),
        NUMERIC_STRING => all(|octet| matches!(octet, b'0'..=b'9' | b' ')),
        PRINTABLE_STRING => all(is_printable),
        IA5_STRING => all(u8::is_ascii),
        VISIBLE_STRING => all(|octet| matches!(octet, b' '..=b'~')),
        BMP_STRING => contents.len().is_multiple_of(2),
        UNIVERSAL_STRING => contents.len().is_multiple_of(4),
        UTC_TIME => read_time(found, "time").is_ok(),
        GENERALIZED_TIME => is_generalized_time(found),
        // What ends contents of an indefinite length, and types that are never primitive.
        0 | 0x08 | 0x0b | 0x10 | 0x11 => false,
        // OCTET STRING, REAL, and string types that nobody writes any more.
        tag => tag & CONSTRUCTED == 0,
    }
}

/// Base 128, each number in its shortest form.
fn is_oid(contents: &[u8]) -> bool {
    let mut starts = true;
    for octet in contents {
        if starts && *octet == 0x80 {
            return false;
        }
        starts = octet & 0x80 == 0;
    }
    starts && !contents.is_empty()
}

/// X.680, section 41.4.
fn is_printable(octet: &u8) -> bool {
    octet.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(octet)
}

/// To the second, or with a fraction that doesn't end in a zero (X.690, section 11.7); RFC 5280 has no fractions.
fn is_generalized_time(found: &Tlv<'_>) -> bool {
    let Some((whole, b'.')) = found
        .value
        .split_at_checked(14)
        .and_then(|(whole, rest)| Some((whole, *rest.first()?)))
    else {
        return read_time(found, "time").is_ok();
    };
    let fraction = found.value.get(15..).unwrap_or_default();
    let [digits @ .., b'Z'] = fraction else {
        return false;
    };
    let whole = [whole, b"Z"].concat();
    let whole = Tlv {
        tag: found.tag,
        value: &whole,
        raw: &whole,
    };
    digits.iter().all(u8::is_ascii_digit)
        && digits.last().is_some_and(|last| *last != b'0')
        && read_time(&whole, "time").is_ok()
}

/// A SET is in the order of its tags (X.690, section 10.3), a SET OF in that of its encodings (section 11.6): which of the two
/// it is, the octets don't tell.
fn is_sorted(mut rest: &[u8]) -> bool {
    let mut elements = Vec::new();
    while let Ok((found, after)) = split_der(rest) {
        elements.push(found);
        rest = after;
    }
    let number = |element: &Tlv<'_>| element.tag & !CONSTRUCTED;
    elements.is_sorted_by(|a, b| a.raw <= b.raw)
        || elements.is_sorted_by(|a, b| number(a) < number(b))
}

const CLASS: u8 = 0xc0;
const CONSTRUCTED: u8 = 0x20;
const EXTERNAL: u8 = 0x28;
const EMBEDDED_PDV: u8 = 0x2b;
const RELATIVE_OID: u8 = 0x0d;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_every_type_are_told_from_what_only_has_their_tag() {
        for (good, bad) in [
            (&b"\x01\x01\xff"[..], &b"\x01\x01\x01"[..]),
            (b"\x01\x01\x00", b"\x01\x00"),
            (b"\x02\x01\x00", b"\x02\x00"),
            (b"\x02\x02\x00\x80", b"\x02\x02\x00\x7f"),
            (b"\x02\x02\xff\x7f", b"\x02\x02\xff\x80"),
            (b"\x0a\x01\x05", b"\x0a\x02\x00\x05"),
            (b"\x03\x01\x00", b"\x03\x00"),
            (b"\x03\x02\x07\x80", b"\x03\x01\x01"),
            (b"\x03\x02\x07\x80", b"\x03\x02\x07\xc0"),
            (b"\x03\x02\x00\x01", b"\x03\x02\x08\x00"),
            (b"\x04\x01\x05", b"\x24\x02\x04\x00"),
            (b"\x05\x00", b"\x05\x01\x00"),
            (b"\x06\x02\x2a\x03", b"\x06\x00"),
            (b"\x06\x03\x2a\x81\x00", b"\x06\x03\x2a\x80\x01"),
            (b"\x06\x01\x2a", b"\x06\x02\x2a\x83"),
            (b"\x0c\x02\xc3\xa4", b"\x0c\x01\xc3"),
            (b"\x12\x02\x30\x20", b"\x12\x01a"),
            (b"\x13\x02a?", b"\x13\x01@"),
            (b"\x16\x01@", b"\x16\x01\x80"),
            (b"\x1a\x01~", b"\x1a\x01\n"),
            (b"\x1e\x02\0a", b"\x1e\x01a"),
            (b"\x1c\x04\0\0\0a", b"\x1c\x02\0a"),
            (b"\x17\x0d260101000000Z", b"\x17\x0d261301000000Z"),
            (b"\x17\x0d260101000000Z", b"\x17\x0b2601010000Z"),
            (b"\x18\x0f20260101000000Z", b"\x18\x0f20260132000000Z"),
            (b"\x18\x1120260101000000.5Z", b"\x18\x1220260101000000.50Z"),
            (b"\x18\x1120260101000000.5Z", b"\x18\x1020260101000000.Z"),
            (b"\x18\x1120260101000000.5Z", b"\x18\x1120261301000000.5Z"),
            (b"\x30\x02\x05\x00", b"\x10\x02\x05\x00"),
            (
                b"\x31\x06\x02\x01\x01\x02\x01\x02",
                b"\x31\x06\x02\x01\x02\x02\x01\x01",
            ),
            (
                b"\x31\x06\x02\x01\x02\x0c\x01a",
                b"\x31\x06\x0c\x01a\x02\x01\x02",
            ),
            (b"\x31\x04\xa0\x00\x81\x00", b"\x11\x00"),
            // Under a context tag the type is not to be seen, and what is in it is.
            (b"\x80\x01\x05", b"\x00\x00"),
            (b"\xa0\x02\x05\x00", b"\xa0\x03\x05\x01\x00"),
            (b"\x30\x02\x80\x00", b"\x30\x03\x01\x01\x01"),
        ] {
            assert!(is_well_formed(good), "{good:02x?}");
            assert!(!is_well_formed(bad), "{bad:02x?}");
        }
        assert!(!is_well_formed(b""));
        assert!(!is_well_formed(b"\x05\x00\x05\x00"));
    }
}
