use std::{fmt, str::FromStr};

use rand_core::CryptoRng;

use crate::{Error, der};

/// A certificate's serial number: positive, at most 20 octets (RFC 5280, section 4.1.2.2).
///
/// Parses `"4096"` and `"0x1000"`, displays hexadecimal.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SerialNumber(Vec<u8>);

impl SerialNumber {
    /// A serial with 128 bits of the system's randomness.
    ///
    /// # Errors
    /// [`Error::Randomness`].
    pub fn random() -> Result<Self, Error> {
        let mut octets = [0; 16];
        getrandom::fill(&mut octets).map_err(|_| Error::Randomness)?;
        Ok(Self::from_random(octets))
    }

    /// The variant of [`SerialNumber::random`] with an explicit RNG.
    pub fn random_with_rng(rng: &mut impl CryptoRng) -> Self {
        let mut octets = [0; 16];
        rng.fill_bytes(&mut octets);
        Self::from_random(octets)
    }

    /// A positive number from its big-endian octets.
    ///
    /// # Errors
    /// [`Error::InvalidSerialNumber`] when it is zero or does not fit into 20 octets with its sign bit.
    pub fn from_be_bytes(octets: &[u8]) -> Result<Self, Error> {
        let serial = Self::as_found(octets);
        match serial.0.as_slice() {
            [] => Err(Error::InvalidSerialNumber {
                reason: "it must be positive",
            }),
            [first, rest @ ..] if rest.len() > 19 || (rest.len() == 19 && *first > 0x7f) => {
                Err(Error::InvalidSerialNumber {
                    reason: "it must not need more than 20 octets",
                })
            }
            _ => Ok(serial),
        }
    }

    /// A serial that stands in a certificate already, whatever rule it breaks.
    pub(crate) fn as_found(octets: &[u8]) -> Self {
        Self(
            octets
                .iter()
                .copied()
                .skip_while(|&octet| octet == 0)
                .collect(),
        )
    }

    /// The big-endian octets without leading zeros.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The encoded INTEGER.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let sign: &[u8] = match self.0.first() {
            None | Some(0x80..) => &[0],
            Some(_) => &[],
        };
        der::tlv(der::INTEGER, &[sign, &self.0])
    }

    /// An octet in front makes the number positive, whatever the random ones are, and takes no bit from them.
    fn from_random(octets: [u8; 16]) -> Self {
        Self([&[1], octets.as_slice()].concat())
    }
}

impl TryFrom<u64> for SerialNumber {
    type Error = Error;

    fn try_from(number: u64) -> Result<Self, Error> {
        Self::from_be_bytes(&number.to_be_bytes())
    }
}

impl FromStr for SerialNumber {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let invalid = Error::InvalidSerialNumber {
            reason: "expected a number such as 4096 or 0x1000",
        };
        if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
            if digits.is_empty() {
                return Err(invalid);
            }
            let leading = if digits.len().is_multiple_of(2) {
                ""
            } else {
                "0"
            };
            let octets = base16ct::mixed::decode_vec([leading, digits].concat());
            return Self::from_be_bytes(&octets.map_err(|_| invalid)?);
        }
        if text.is_empty() || text.len() > 50 || !text.bytes().all(|octet| octet.is_ascii_digit()) {
            return Err(invalid);
        }
        // Decimal to base 256, digit by digit: 20 octets are at most 49 digits.
        let mut octets: Vec<u8> = Vec::new(); // little-endian
        for digit in text.bytes() {
            let mut carry = u32::from(digit.saturating_sub(b'0'));
            for octet in &mut octets {
                let product = u32::from(*octet).saturating_mul(10).saturating_add(carry);
                *octet = product.to_le_bytes()[0];
                carry = product >> 8;
            }
            if carry > 0 {
                octets.push(carry.to_le_bytes()[0]);
            }
        }
        octets.reverse();
        Self::from_be_bytes(&octets)
    }
}

impl fmt::Display for SerialNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = base16ct::lower::encode_string(&self.0);
        // The first octet isn't zero.
        match digits.strip_prefix('0').unwrap_or(&digits) {
            "" => f.write_str("0x0"),
            digits => write!(f, "0x{digits}"),
        }
    }
}

impl fmt::Debug for SerialNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SerialNumber({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<SerialNumber, Error> {
        text.parse()
    }

    #[test]
    fn decimal_and_hexadecimal_mean_the_same_number() {
        for (decimal, hexadecimal) in [
            ("1", "0x1"),
            ("256", "0x100"),
            ("18446744073709551616", "0x10000000000000000"),
        ] {
            assert_eq!(parse(decimal).unwrap(), parse(hexadecimal).unwrap());
            assert_eq!(parse(decimal).unwrap().to_string(), hexadecimal);
        }
        assert_eq!(parse("0x0001").unwrap(), SerialNumber::try_from(1).unwrap());
        let fifty_digits = format!("{}1", "0".repeat(49));
        assert_eq!(
            parse(&fifty_digits).unwrap(),
            SerialNumber::try_from(1).unwrap()
        );
        assert_eq!(
            format!("{:?}", parse("256").unwrap()),
            "SerialNumber(0x100)"
        );
    }

    #[test]
    fn zero_and_more_than_20_octets_are_refused() {
        let widest = format!("0x7f{}", "ff".repeat(19));
        assert_eq!(parse(&widest).unwrap().as_bytes().len(), 20);
        for text in [
            "0",
            "0x0",
            "0x80ffffffffffffffffffffffffffffffffffffff",
            &"9".repeat(50),
            &format!("{}1", "0".repeat(50)),
            "-1",
            "",
            "0x",
            "0xg",
            "0x1é",
            "1g",
        ] {
            assert!(
                matches!(parse(text), Err(Error::InvalidSerialNumber { .. })),
                "{text:?}"
            );
        }
    }

    #[test]
    fn random_serials_are_positive_and_differ() {
        let (one, two) = (
            SerialNumber::random().unwrap(),
            SerialNumber::random().unwrap(),
        );
        assert_ne!(one, two);
    }

    #[test]
    fn every_random_bit_is_in_the_serial() {
        let serial = |octet| SerialNumber::from_random([octet; 16]);
        let none = SerialNumber::from_be_bytes(serial(0).as_bytes()).unwrap();
        assert_eq!(none.to_string(), format!("0x1{}", "00".repeat(16)));
        let all = SerialNumber::from_be_bytes(serial(0xff).as_bytes()).unwrap();
        assert_eq!(all.to_string(), format!("0x1{}", "ff".repeat(16)));
    }
}
