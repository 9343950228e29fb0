use crate::Error;
use rand_core::CryptoRng;
use std::{fmt, str::FromStr};
/// A positive serial number of at most 20 octets (RFC 5280, section 4.1.2.2).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SerialNumber(Vec<u8>);
impl SerialNumber {
    /// 128 random bits
    pub fn random() -> Result<Self, Error> {
        todo!()
    }
    /// twin
    pub fn random_with_rng(_rng: &mut impl CryptoRng) -> Self {
        todo!()
    }
    /// big-endian, unsigned, no leading zeros
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}
impl From<u64> for SerialNumber {
    fn from(_n: u64) -> Self {
        todo!()
    }
}
impl FromStr for SerialNumber {
    type Err = Error;
    fn from_str(_s: &str) -> Result<Self, Error> {
        todo!()
    }
}
impl fmt::Display for SerialNumber {
    fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        todo!()
    }
}
impl fmt::Debug for SerialNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
