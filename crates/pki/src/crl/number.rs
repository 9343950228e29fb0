use std::{cmp::Ordering, fmt, str::FromStr};

use super::WHAT;
use crate::{Error, SerialNumber, der::malformed};

/// The number of a CRL (RFC 5280, section 5.2.3): each is greater than that of the CRL before it. At most 20 octets.
///
/// Parses `"4096"` and `"0x1000"`, displays hexadecimal; ordered by value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CrlNumber(Vec<u8>);

impl CrlNumber {
    /// From the contents of an INTEGER.
    pub(super) fn read(value: &[u8]) -> Result<Self, Error> {
        match value {
            [] => Err(malformed(WHAT, "a number is empty")),
            [first, ..] if first & 0x80 != 0 => Err(malformed(WHAT, "a number is negative")),
            _ => Ok(Self::trimmed(value)),
        }
    }

    /// The big-endian octets without leading zeros.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The one after it.
    ///
    /// # Errors
    /// [`Error::InvalidCrl`] when that needs more than 20 octets.
    pub fn next(&self) -> Result<Self, Error> {
        let mut octets = [&[0], self.0.as_slice()].concat();
        for octet in octets.iter_mut().rev() {
            *octet = octet.wrapping_add(1);
            if *octet != 0 {
                break;
            }
        }
        Self::trimmed(&octets).checked()
    }

    /// The encoded INTEGER.
    pub(super) fn encode(&self) -> Vec<u8> {
        SerialNumber::as_found(&self.0).encode()
    }

    /// One that may be written.
    pub(super) fn checked(self) -> Result<Self, Error> {
        let most = match self.0.first() {
            Some(0x80..) => 19, // and its sign
            _ => 20,
        };
        if self.0.len() > most {
            return Err(Error::InvalidCrl {
                about: None,
                reason: "its number needs more than 20 octets",
            });
        }
        Ok(self)
    }

    fn trimmed(octets: &[u8]) -> Self {
        let zeros = octets.iter().take_while(|octet| **octet == 0).count();
        Self(octets.iter().copied().skip(zeros).collect())
    }
}

impl From<u64> for CrlNumber {
    fn from(number: u64) -> Self {
        Self::trimmed(&number.to_be_bytes())
    }
}

impl Ord for CrlNumber {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_length = self.0.len().cmp(&other.0.len());
        by_length.then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for CrlNumber {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl FromStr for CrlNumber {
    type Err = Error;

    /// In the form of a [`SerialNumber`]; zero, which is no serial number, may be a CRL's.
    fn from_str(text: &str) -> Result<Self, Error> {
        let digits = text.strip_prefix("0x").unwrap_or(text);
        if !digits.is_empty() && digits.bytes().all(|digit| digit == b'0') {
            return Ok(Self::from(0));
        }
        let number: SerialNumber = text.parse().map_err(|_| Error::InvalidCrl {
            about: None,
            reason: "its number is not one such as 4096 or 0x1000, of 20 octets at most",
        })?;
        Ok(Self::trimmed(number.as_bytes()))
    }
}

impl fmt::Display for CrlNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        SerialNumber::as_found(&self.0).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> CrlNumber {
        text.parse().unwrap()
    }

    #[test]
    fn the_next_number_is_greater_by_one() {
        for (before, after) in [
            ("0", "1"),
            ("0x7f", "0x80"),
            ("0xff", "0x100"),
            ("0xffff", "0x10000"),
            ("0x1ff", "0x200"),
        ] {
            let (before, after) = (number(before), number(after));
            assert_eq!(before.next().unwrap(), after);
            assert!(before < after);
        }
        let largest = format!("0x7f{}", "ff".repeat(19));
        assert!(matches!(
            number(&largest).next(),
            Err(Error::InvalidCrl { .. })
        ));
    }

    #[test]
    fn a_number_is_written_as_a_positive_integer_and_read_back() {
        for (value, octets) in [
            (0, &[2, 1, 0][..]),
            (1, &[2, 1, 1]),
            (0x7f, &[2, 1, 0x7f]),
            (0x80, &[2, 2, 0, 0x80]),
            (0x100, &[2, 2, 1, 0]),
        ] {
            let number = CrlNumber::from(value);
            assert_eq!(number.encode(), octets);
            let significant = octets[2..].iter().skip_while(|octet| **octet == 0);
            assert!(number.as_bytes().iter().eq(significant));
            assert_eq!(CrlNumber::read(&octets[2..]), Ok(number));
        }
        for wrong in [&[][..], &[0x80], &[0xff, 1]] {
            assert!(matches!(
                CrlNumber::read(wrong),
                Err(Error::Malformed { .. })
            ));
        }
    }

    #[test]
    fn only_numbers_are_numbers() {
        for text in ["", "0x", "a", "-1", "00x1"] {
            assert!(
                matches!(text.parse::<CrlNumber>(), Err(Error::InvalidCrl { .. })),
                "{text}"
            );
        }
        assert_eq!(number("000"), CrlNumber::from(0));
        assert_eq!(number("0x0").to_string(), "0x0");
    }
}
