//! What a keystore is made of: big-endian numbers, octets after their length, and Java's text.

use std::time::{Duration, SystemTime};

use crate::{Certificate, Error, der::malformed};

/// What is left of the file.
pub(super) struct Fields<'a> {
    pub(super) rest: &'a [u8],
    pub(super) what: &'static str,
}

impl<'a> Fields<'a> {
    pub(super) fn take(&mut self, len: usize) -> Result<&'a [u8], Error> {
        let (taken, rest) = self
            .rest
            .split_at_checked(len)
            .ok_or_else(|| ends_early(self.what))?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let (octets, rest) = self
            .rest
            .split_first_chunk()
            .ok_or_else(|| ends_early(self.what))?;
        self.rest = rest;
        Ok(*octets)
    }

    pub(super) fn u32(&mut self) -> Result<u32, Error> {
        self.array().map(u32::from_be_bytes)
    }

    /// Milliseconds since the beginning of 1970; `None` for what a clock doesn't show.
    pub(super) fn time(&mut self) -> Result<Option<SystemTime>, Error> {
        let since = Duration::from_millis(self.array().map(u64::from_be_bytes)?);
        Ok(SystemTime::UNIX_EPOCH.checked_add(since))
    }

    /// Octets after their length.
    pub(super) fn octets(&mut self) -> Result<&'a [u8], Error> {
        let len = usize::try_from(self.u32()?).map_err(|_| ends_early(self.what))?;
        self.take(len)
    }

    /// A certificate and its type, which is told since version 2.
    pub(super) fn certificate(&mut self, version: u32) -> Result<Encoded<'a>, Error> {
        let kind = match version {
            1 => X509.to_owned(),
            _ => self.text()?,
        };
        let octets = self.octets()?;
        Ok(Encoded { kind, octets })
    }

    /// Java's modified UTF-8 after its length: NUL in two octets, surrogates one by one.
    pub(super) fn text(&mut self) -> Result<String, Error> {
        let len = self.array().map(u16::from_be_bytes)?;
        let octets = self.take(len.into())?;
        modified_utf8(octets).ok_or_else(|| malformed(self.what, "text that is not UTF-8"))
    }
}

/// A certificate before it is parsed.
pub(super) struct Encoded<'a> {
    kind: String,
    octets: &'a [u8],
}

impl Encoded<'_> {
    pub(super) fn parse(&self) -> Result<Certificate, Error> {
        if self.kind == X509 {
            Certificate::from_der(self.octets)
        } else {
            Err(malformed(
                "certificate",
                format!("its type is {:?}, not X.509", self.kind),
            ))
        }
    }
}

const X509: &str = "X.509";

pub(super) fn ends_early(what: &'static str) -> Error {
    malformed(what, "it ends early")
}

fn modified_utf8(octets: &[u8]) -> Option<String> {
    let continuation = |octet: &u8| (octet & 0xc0 == 0x80).then_some(u16::from(octet & 0x3f));
    let mut units = Vec::with_capacity(octets.len());
    let mut rest = octets;
    loop {
        let (unit, after) = match rest {
            [] => return String::from_utf16(&units).ok(),
            [ascii @ 0..0x80, after @ ..] => (u16::from(*ascii), after),
            [first @ 0xc0..0xe0, second, after @ ..] => {
                (u16::from(first & 0x1f) << 6 | continuation(second)?, after)
            }
            [first @ 0xe0..0xf0, second, third, after @ ..] => (
                u16::from(first & 0x0f) << 12 | continuation(second)? << 6 | continuation(third)?,
                after,
            ),
            _ => return None,
        };
        units.push(unit);
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_java_is_read() {
        assert_eq!(modified_utf8(b"a\xc3\xa4\xc0\x80").unwrap(), "a\u{e4}\0");
        // U+1F511 as two surrogates of three octets each.
        assert_eq!(
            modified_utf8(b"\xed\xa0\xbd\xed\xb4\x91").unwrap(),
            "\u{1f511}"
        );
        for broken in [&b"\x80"[..], b"\xc3", b"\xc3a", b"\xed\xa0\xbd", b"\xf0"] {
            assert_eq!(modified_utf8(broken), None);
        }
    }
}
