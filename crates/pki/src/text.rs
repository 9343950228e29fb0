//! Text files as editors and shells leave them: UTF-8 with or without a byte order mark, or UTF-16.

use std::ops::Deref;

use zeroize::Zeroizing;

/// The octets of a text in UTF-8, for a reader that looks at nothing but its ASCII characters.
pub(crate) enum Text<'a> {
    AsItStands(&'a [u8]),
    /// It was UTF-16.
    Decoded(Zeroizing<String>),
}

impl<'a> Text<'a> {
    /// Takes the byte order mark off, and turns UTF-16 into UTF-8. Without a mark, UTF-16 is what starts with two ASCII characters
    /// of two octets each; neither DER nor a text in UTF-8 does. What isn't a character becomes U+FFFD.
    pub(crate) fn new(input: &'a [u8]) -> Self {
        match input {
            [0xef, 0xbb, 0xbf, rest @ ..] => Self::AsItStands(rest),
            [0xff, 0xfe, rest @ ..] => Self::decoded(rest, u16::from_le_bytes),
            [0xfe, 0xff, rest @ ..] => Self::decoded(rest, u16::from_be_bytes),
            [a, 0, b, 0, ..] if is_text(*a) && is_text(*b) => {
                Self::decoded(input, u16::from_le_bytes)
            }
            [0, a, 0, b, ..] if is_text(*a) && is_text(*b) => {
                Self::decoded(input, u16::from_be_bytes)
            }
            _ => Self::AsItStands(input),
        }
    }

    fn decoded(input: &[u8], unit: fn([u8; 2]) -> u16) -> Self {
        let (pairs, _) = input.as_chunks();
        // It may hold a key: a unit becomes three octets at most, so that nothing is left behind by growing.
        let mut text = Zeroizing::new(String::with_capacity(pairs.len().saturating_mul(3)));
        text.extend(
            char::decode_utf16(pairs.iter().map(|pair| unit(*pair)))
                .map(|character| character.unwrap_or(char::REPLACEMENT_CHARACTER)),
        );
        Self::Decoded(text)
    }
}

impl Deref for Text<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::AsItStands(octets) => octets,
            Self::Decoded(text) => text.as_bytes(),
        }
    }
}

fn is_text(octet: u8) -> bool {
    matches!(octet, b' '..=b'~' | b'\t' | b'\n' | b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str, octets: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(octets).collect()
    }

    #[test]
    fn utf_16_is_read_in_either_order_with_or_without_a_mark() {
        let text = "a key of Zo\u{eb} \u{1f511}\n";
        for octets in [u16::to_le_bytes as fn(u16) -> [u8; 2], u16::to_be_bytes] {
            assert_eq!(*Text::new(&utf16(text, octets)), *text.as_bytes());
            let marked = utf16(&format!("\u{feff}{text}"), octets);
            assert_eq!(*Text::new(&marked), *text.as_bytes());
        }
    }

    #[test]
    fn what_is_no_utf_16_stays_as_it_stands() {
        for input in [
            &b"text"[..],
            b"",
            b"a\0",
            b"\0a\0",
            b"0\x80\0\0",
            b"\x30\x00\x00\x00",
            b"\xfe\xed\xfe\xed",
        ] {
            assert_eq!(*Text::new(input), *input, "{input:?}");
        }
        assert_eq!(*Text::new(b"\xef\xbb\xbftext"), *b"text");
    }

    #[test]
    fn half_a_character_is_replaced_or_left_out() {
        assert_eq!(
            *Text::new(b"\xff\xfea\0\x00\xd8b\0c"),
            *"a\u{fffd}b".as_bytes()
        );
    }
}
