//! JKS, the keystore format that Java had before PKCS#12. Trusted certificates are in the clear, and a keyed SHA-1 digest
//! ends the file.
//!
//! Nobody specified it but the source of OpenJDK (`sun.security.provider.JavaKeyStore`).

use sha1::{Digest, Sha1};
use subtle::ConstantTimeEq;

use super::TrustStore;
use crate::{Certificate, Error, Integrity, Passphrase, der::malformed};

/// Whether the input starts like JKS, or like JCEKS, which is told apart when it is read.
pub(crate) fn is_jks(input: &[u8]) -> bool {
    input.starts_with(&JKS) || input.starts_with(&JCEKS)
}

/// Reads the trusted certificates; the digest is checked when a passphrase is given.
pub(super) fn read(input: &[u8], passphrase: Option<&Passphrase>) -> Result<TrustStore, Error> {
    if input.starts_with(&JCEKS) {
        return Err(Error::UnsupportedScheme {
            what: "trust store format",
            oid: "no object identifier".to_owned(),
            name: "JCEKS".to_owned(),
        });
    }
    let (body, digest) = input
        .split_last_chunk::<DIGEST_LEN>()
        .ok_or_else(ends_early)?;
    let mut store = TrustStore {
        integrity: check(body, digest, passphrase)?,
        ..TrustStore::default()
    };

    let mut fields = Fields(body);
    fields.take(JKS.len())?;
    let version = fields.u32()?;
    if !matches!(version, 1 | 2) {
        return Err(malformed(WHAT, format!("version {version}, not 1 or 2")));
    }
    let count = fields.u32()?;
    for _ in 0..count {
        let kind = fields.u32()?;
        let alias = Some(fields.text()?);
        fields.take(size_of::<u64>())?; // when it was made
        match kind {
            PRIVATE_KEY => {
                fields.octets()?;
                for _ in 0..fields.u32()? {
                    fields.certificate(version)?;
                }
                store.private_keys = store.private_keys.saturating_add(1);
            }
            TRUSTED_CERTIFICATE => {
                let certificate = fields.certificate(version)?;
                store.push_read(alias, certificate.parse());
            }
            other => return Err(malformed(WHAT, format!("unknown kind of entry {other}"))),
        }
    }
    match fields.0 {
        [] => Ok(store),
        rest => Err(Error::TrailingData {
            what: WHAT,
            count: rest.len(),
        }),
    }
}

const WHAT: &str = "JKS file";
const JKS: [u8; 4] = [0xfe, 0xed, 0xfe, 0xed];
const JCEKS: [u8; 4] = [0xce, 0xce, 0xce, 0xce];
const DIGEST_LEN: usize = 20;
/// What is digested between the passphrase and the file.
const WHITENER: &[u8] = b"Mighty Aphrodite";

const PRIVATE_KEY: u32 = 1;
const TRUSTED_CERTIFICATE: u32 = 2;
const X509: &str = "X.509";

/// A wrong passphrase and an altered file are the same to the digest.
fn check(
    body: &[u8],
    digest: &[u8; DIGEST_LEN],
    passphrase: Option<&Passphrase>,
) -> Result<Integrity, Error> {
    let Some(passphrase) = passphrase else {
        return Ok(Integrity::Unchecked);
    };
    let mut hasher = Sha1::new();
    for unit in passphrase.as_str().encode_utf16() {
        hasher.update(unit.to_be_bytes());
    }
    let found: [u8; DIGEST_LEN] = hasher
        .chain_update(WHITENER)
        .chain_update(body)
        .finalize()
        .into();
    if bool::from(found.ct_eq(digest)) {
        Ok(Integrity::KeyedDigest)
    } else {
        Err(Error::WrongPassphrase { what: WHAT })
    }
}

/// A certificate before it is parsed.
struct Encoded<'a> {
    kind: String,
    octets: &'a [u8],
}

impl Encoded<'_> {
    fn parse(&self) -> Result<Certificate, Error> {
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

/// What is left of the file: numbers are big-endian.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], Error> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or_else(ends_early)?;
        self.0 = rest;
        Ok(taken)
    }

    fn u32(&mut self) -> Result<u32, Error> {
        let (octets, rest) = self.0.split_first_chunk().ok_or_else(ends_early)?;
        self.0 = rest;
        Ok(u32::from_be_bytes(*octets))
    }

    /// Octets after their length.
    fn octets(&mut self) -> Result<&'a [u8], Error> {
        let len = usize::try_from(self.u32()?).map_err(|_| ends_early())?;
        self.take(len)
    }

    /// A certificate and its type, which is told since version 2.
    fn certificate(&mut self, version: u32) -> Result<Encoded<'a>, Error> {
        let kind = match version {
            1 => X509.to_owned(),
            _ => self.text()?,
        };
        let octets = self.octets()?;
        Ok(Encoded { kind, octets })
    }

    /// Java's modified UTF-8 after its length: NUL in two octets, surrogates one by one.
    fn text(&mut self) -> Result<String, Error> {
        let (len, rest) = self.0.split_first_chunk().ok_or_else(ends_early)?;
        self.0 = rest;
        let octets = self.take(u16::from_be_bytes(*len).into())?;
        modified_utf8(octets).ok_or_else(|| malformed(WHAT, "text that is not UTF-8"))
    }
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

fn ends_early() -> Error {
    malformed(WHAT, "it ends early")
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
