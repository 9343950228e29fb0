//! Object identifiers in dotted form, with arcs of any size (X.660): a UUID below 2.25, for one.

/// In octets. Those in use stay below forty. Writing a number out takes the square of its length.
const MAX: usize = 256;

/// The dotted form of the contents of an OBJECT IDENTIFIER (X.690, section 8.19). Those that have none are empty, end within a
/// number, start one with zeros, or are longer than any in use.
pub(crate) fn dotted(contents: &[u8]) -> Option<String> {
    if contents.is_empty() || contents.len() > MAX {
        return None;
    }
    let mut text = String::new();
    for number in contents.split_inclusive(|octet| octet & CONTINUED == 0) {
        if number.first() == Some(&CONTINUED) || number.last()? & CONTINUED != 0 {
            return None;
        }
        let mut digits: Vec<i64> = number
            .iter()
            .map(|octet| i64::from(octet & !CONTINUED))
            .collect();
        // The first one stands for two arcs.
        if text.is_empty() {
            let first = match digits.as_slice() {
                [small] => small.div_euclid(40).min(2),
                _ => 2,
            };
            text.push_str(&first.to_string());
            add(&mut digits, first.wrapping_mul(-40));
        }
        text.push('.');
        text.push_str(&decimal(&digits));
    }
    Some(text)
}

/// The contents of the OBJECT IDENTIFIER with this dotted form.
pub(crate) fn contents(dotted: &str) -> Option<Vec<u8>> {
    // An octet is at most three digits and a dot.
    if dotted.len() > MAX.checked_mul(4)? {
        return None;
    }
    let (first, rest) = dotted.split_once('.')?;
    let first = ["0", "1", "2"].iter().position(|it| *it == first)?;
    let mut contents = Vec::new();
    for (index, arc) in rest.split('.').enumerate() {
        let mut digits = digits_of(arc)?;
        if index == 0 {
            if first < 2 && arc.parse::<u8>().ok()? >= 40 {
                return None;
            }
            add(&mut digits, i64::try_from(first).ok()?.wrapping_mul(40));
        }
        let octets = convert(&digits, BILLION, 128);
        let (last, others) = octets.split_last()?;
        for octet in others {
            contents.push(u8::try_from(*octet).ok()? | CONTINUED);
        }
        contents.push(u8::try_from(*last).ok()?);
    }
    (contents.len() <= MAX).then_some(contents)
}

/// In all octets of a number but the last.
const CONTINUED: u8 = 0x80;

/// So many are nine decimal digits.
const BILLION: i64 = 1_000_000_000;

/// Adds to the lowest digit. [`convert`] does the rest.
fn add(digits: &mut [i64], number: i64) {
    if let Some(last) = digits.last_mut() {
        *last = last.wrapping_add(number);
    }
}

/// A number with these digits to the base of 128.
fn decimal(digits: &[i64]) -> String {
    let digits = convert(digits, 128, BILLION);
    let text: String = digits.iter().map(|digit| format!("{digit:09}")).collect();
    match text.trim_start_matches('0') {
        "" => "0".to_owned(),
        number => number.to_owned(),
    }
}

/// A decimal number, without a sign or zeros before it, to the base of a billion.
fn digits_of(decimal: &str) -> Option<Vec<i64>> {
    let is_number = decimal.bytes().all(|octet| octet.is_ascii_digit());
    if !is_number || decimal.is_empty() || decimal.starts_with('0') && decimal != "0" {
        return None;
    }
    let groups = decimal.as_bytes().rchunks(9).rev();
    groups
        .map(|group| str::from_utf8(group).ok()?.parse().ok())
        .collect()
}

/// The digits of a number to another base, the highest first, at least one. The last of those that are given may be any number
/// that isn't large, as long as the whole is no less than zero.
fn convert(digits: &[i64], from: i64, to: i64) -> Vec<i64> {
    let mut converted = vec![0_i64]; // the lowest first
    for digit in digits {
        let mut carry = *digit;
        for place in &mut converted {
            carry = place.wrapping_mul(from).wrapping_add(carry);
            *place = carry.rem_euclid(to);
            carry = carry.div_euclid(to);
        }
        while carry > 0 {
            converted.push(carry.rem_euclid(to));
            carry = carry.div_euclid(to);
        }
    }
    converted.reverse();
    converted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dotted_form_and_octets_belong_together() {
        let longest = format!("1.2{}", ".1".repeat(255));
        for (text, octets) in [
            ("0.0", &[0][..]),
            ("0.39", &[39]),
            ("1.0", &[40]),
            ("1.39.0", &[79, 0]),
            ("2.0", &[80]),
            ("2.39", &[119]),
            ("2.40", &[120]),
            ("2.47", &[127]),
            ("2.48", &[0x81, 0]),
            ("2.999.1", &[0x88, 0x37, 1]),
            ("1.2.840.113549", &[42, 0x86, 0x48, 0x86, 0xf7, 0x0d]),
            ("1.2.127.128", &[42, 0x7f, 0x81, 0]),
            ("1.3.4294967296", &[43, 0x90, 0x80, 0x80, 0x80, 0]),
            ("1.3.1000000000", &[0x2b, 0x83, 0xdc, 0xeb, 0x94, 0x0]),
            (
                "2.999999999999999999920",
                &[0xec, 0xb5, 0xe4, 0xeb, 0xb8, 0xdd, 0xf5, 0x80, 0x80, 0x0],
            ),
            (
                "2.25.329800735698586629295641978511506172918",
                &[
                    0x69, 0x83, 0xf0, 0x9d, 0xa7, 0xeb, 0xcf, 0xde, 0xe0, 0xc7, 0xa1, 0xa7, 0xb2,
                    0xc0, 0x94, 0x8c, 0xc8, 0xf9, 0xd7, 0x76,
                ],
            ),
            (&longest, &[&[42][..], &[1; 255]].concat()),
        ] {
            assert_eq!(contents(text).as_deref(), Some(octets), "{text}");
            assert_eq!(dotted(octets).as_deref(), Some(text));
        }
    }

    #[test]
    fn what_is_no_object_identifier_has_no_octets() {
        for text in [
            "",
            ".",
            "1",
            "1.",
            ".1",
            "1..2",
            "3.1",
            "00.1",
            "1.40",
            "0.40",
            "1.256",
            "1.02",
            "1.00",
            "1.-2",
            "1.+2",
            "1. 2",
            "1.2.x",
            "a",
            &format!("1.2{}", ".1".repeat(256)),
            &format!("1.2.{}", "9".repeat(2000)),
            &format!("1.2.{}", "9".repeat(600)),
        ] {
            assert_eq!(contents(text), None, "{text}");
        }
    }

    #[test]
    fn octets_that_are_no_object_identifier_have_no_dotted_form() {
        for octets in [
            &[][..],
            &[0x80],
            &[0x80, 1],
            &[42, 0x80, 1],
            &[42, 0x81],
            &[0x81],
            &[1; 257],
        ] {
            assert_eq!(dotted(octets), None, "{octets:?}");
        }
    }
}
