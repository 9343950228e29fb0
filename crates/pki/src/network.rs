//! Networks of IP addresses, in the notation of RFC 4632.

use std::{fmt, net::IpAddr};

/// The addresses that share a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Network {
    address: IpAddr,
    prefix: usize,
}

impl Network {
    /// `10.0.0.0/8`, `2001:db8::/32`, or one address. Bits beyond the prefix are a mistake in either.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = text
            .split_once('/')
            .map_or((text, None), |(a, p)| (a, Some(p)));
        let address: IpAddr = address.parse().ok()?;
        let len = octets(address).len().checked_mul(8)?;
        let prefix = match prefix {
            // `parse` would take a sign.
            Some(digits) if digits.bytes().all(|octet| octet.is_ascii_digit()) => {
                digits.parse().ok()?
            }
            Some(_) => return None,
            None => len,
        };
        let network = Self { address, prefix };
        let mask = network.mask();
        let has_bits_beyond = octets(address)
            .iter()
            .zip(&mask)
            .any(|(octet, mask)| octet & !mask != 0);
        (prefix <= len && !has_bits_beyond).then_some(network)
    }

    /// Whether it has this address.
    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        let (base, octets) = (octets(self.address), octets(address));
        base.len() == octets.len()
            && base
                .iter()
                .zip(&octets)
                .zip(self.mask())
                .all(|((base, octet), mask)| (base ^ octet) & mask == 0)
    }

    /// The address and the mask, as an iPAddress in a name constraint has them (RFC 5280, section 4.2.1.10).
    pub(crate) fn to_octets(&self) -> Vec<u8> {
        [octets(self.address), self.mask()].concat()
    }

    fn mask(&self) -> Vec<u8> {
        let bit = |number: usize| u8::from(number < self.prefix);
        (0..octets(self.address).len())
            .map(|octet| (0..8_usize).fold(0, |mask, at| (mask << 1) | bit((octet << 3) | at)))
            .collect()
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_the_addresses_that_share_its_prefix() {
        for (network, within, without) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.0"),
            ("192.0.2.128/25", "192.0.2.255", "192.0.2.127"),
            ("192.0.2.1", "192.0.2.1", "192.0.2.0"),
            ("0.0.0.0/0", "255.255.255.255", "::"),
            ("2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::"),
            ("::1/128", "::1", "::"),
        ] {
            let network = Network::parse(network).unwrap();
            assert!(network.contains(within.parse().unwrap()), "{network}");
            assert!(!network.contains(without.parse().unwrap()), "{network}");
        }
        assert_eq!(
            Network::parse("10.32.0.0/11").unwrap().to_octets(),
            [10, 32, 0, 0, 255, 224, 0, 0]
        );
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in [
            "",
            "/",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.0/+8",
            "10.0.0.0/-1",
            "10.0.0.1/8",
            "10.0.0/8",
            "::/129",
            "2001:db8::1/32",
            "example.com/8",
            "10.0.0.0/8/8",
            "10.0.0.0/99999999999999999999",
        ] {
            assert_eq!(Network::parse(text), None, "{text:?}");
        }
    }
}
