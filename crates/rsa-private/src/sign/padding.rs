//! How a message becomes the number that is signed.

use sha2::{Sha256, Sha384, Sha512};

use crate::Error;

/// A hash function of SHA-2 (FIPS 180-4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Hash {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// A signature scheme of RFC 8017, section 8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scheme {
    /// RSASSA-PKCS1-v1_5.
    Pkcs1v15(Hash),
    /// RSASSA-PSS, with MGF1 over the same hash function, and a salt as long as its digest: what TLS 1.3 (RFC 8446, section 4.2.3) asks for.
    Pss(Hash),
}

impl Hash {
    /// The digest of the parts.
    fn of(self, parts: &[&[u8]]) -> Vec<u8> {
        fn digest<D: sha2::Digest>(parts: &[&[u8]]) -> Vec<u8> {
            let mut digest = D::new();
            for part in parts {
                digest.update(part);
            }
            digest.finalize().to_vec()
        }
        match self {
            Self::Sha256 => digest::<Sha256>(parts),
            Self::Sha384 => digest::<Sha384>(parts),
            Self::Sha512 => digest::<Sha512>(parts),
        }
    }

    /// In octets.
    fn length(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// What stands before the digest in a DigestInfo in DER (RFC 8017, section 9.2, note 1).
    fn digest_info(self) -> &'static [u8] {
        match self {
            Self::Sha256 => {
                b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"
            }
            Self::Sha384 => {
                b"\x30\x41\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x30"
            }
            Self::Sha512 => {
                b"\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40"
            }
        }
    }
}

impl Scheme {
    /// The encoded message, in as many octets as the modulus has, a multiple of eight bits. `random` makes the salt.
    pub(super) fn encode(
        self,
        message: &[u8],
        length: usize,
        random: impl FnOnce(&mut [u8]) -> Result<(), Error>,
    ) -> Result<Vec<u8>, Error> {
        match self {
            Self::Pkcs1v15(hash) => Ok(emsa_pkcs1_v1_5(hash, message, length)),
            Self::Pss(hash) => {
                let mut salt = vec![0; hash.length()];
                random(&mut salt)?;
                Ok(emsa_pss(hash, message, &salt, length))
            }
        }
    }
}

/// RFC 8017, section 9.2.
fn emsa_pkcs1_v1_5(hash: Hash, message: &[u8], length: usize) -> Vec<u8> {
    let digest = hash.of(&[message]);
    let info = hash.digest_info();
    let padding = vec![0xff; length - 3 - info.len() - digest.len()];
    [&[0, 1], &*padding, &[0], info, &digest].concat()
}

/// RFC 8017, section 9.1.1, for a modulus whose length is a multiple of eight bits.
pub(super) fn emsa_pss(hash: Hash, message: &[u8], salt: &[u8], length: usize) -> Vec<u8> {
    let digest = hash.of(&[&[0; 8], &hash.of(&[message]), salt]);
    let mut block = vec![0; length - hash.length() - 1 - 1 - salt.len()];
    block.push(1);
    block.extend_from_slice(salt);
    mask(hash, &digest, &mut block);
    if let Some(first) = block.first_mut() {
        *first &= 0x7f;
    }
    [&*block, &digest, &[0xbc]].concat()
}

/// The exclusive or with MGF1 (RFC 8017, appendix B.2.1) of a seed.
fn mask(hash: Hash, seed: &[u8], block: &mut [u8]) {
    for (counter, chunk) in (0_u32..).zip(block.chunks_mut(hash.length())) {
        let mask = hash.of(&[seed, &counter.to_be_bytes()]);
        for (octet, mask) in chunk.iter_mut().zip(mask) {
            *octet ^= mask;
        }
    }
}
