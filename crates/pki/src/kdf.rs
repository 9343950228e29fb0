//! PBKDF2, scrypt, the key derivation of PKCS#12, and the hashes under them. None of these counts its work: see
//! [`Spending`](crate::budget::Spending).

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use pbkdf2::pbkdf2_hmac;
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512, Sha512_224, Sha512_256};
use zeroize::{Zeroize, Zeroizing};

use crate::{Error, der::malformed};

/// A hash function, as a MAC or a key derivation uses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hash {
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
    Sha512_224,
    Sha512_256,
}

/// Calls a generic function with the type that implements a hash.
macro_rules! with_hash {
    ($hash:expr, $function:ident($($argument:expr),*)) => {
        match $hash {
            Hash::Sha1 => $function::<Sha1>($($argument),*),
            Hash::Sha224 => $function::<Sha224>($($argument),*),
            Hash::Sha256 => $function::<Sha256>($($argument),*),
            Hash::Sha384 => $function::<Sha384>($($argument),*),
            Hash::Sha512 => $function::<Sha512>($($argument),*),
            Hash::Sha512_224 => $function::<Sha512_224>($($argument),*),
            Hash::Sha512_256 => $function::<Sha512_256>($($argument),*),
        }
    };
}

/// The methods that need HMAC, spelled out for each hash because the bounds of a generic function would be long.
macro_rules! hmac_functions {
    ($($hash:ident => $type:ty),*) => {
        /// HMAC (RFC 2104).
        ///
        /// # Errors
        /// `Malformed` for a key that it doesn't take. There is none, and a MAC of nothing would be one that anybody
        /// can make.
        pub(crate) fn hmac(self, key: &[u8], message: &[u8]) -> Result<Vec<u8>, Error> {
            match self {
                $(Self::$hash => Hmac::<$type>::new_from_slice(key)
                    .map(|mac| mac.chain_update(message).finalize().into_bytes().to_vec())
                    .map_err(|_| malformed("HMAC", "key of a length that it doesn't take")),)*
            }
        }

        /// Fills `out` with PBKDF2 (RFC 8018, section 5.2).
        pub(crate) fn pbkdf2(self, password: &[u8], salt: &[u8], iterations: u32, out: &mut [u8]) {
            match self {
                $(Self::$hash => pbkdf2_hmac::<$type>(password, salt, iterations, out),)*
            }
        }
    };
}

impl Hash {
    hmac_functions!(
        Sha1 => Sha1,
        Sha224 => Sha224,
        Sha256 => Sha256,
        Sha384 => Sha384,
        Sha512 => Sha512,
        Sha512_224 => Sha512_224,
        Sha512_256 => Sha512_256
    );

    /// Fills `out` with the key derivation of PKCS#12 (RFC 7292, appendix B.2). The password is a BMPString with its
    /// terminator, or nothing.
    pub(crate) fn pkcs12(
        self,
        password: &[u8],
        salt: &[u8],
        purpose: Purpose,
        iterations: u32,
        out: &mut [u8],
    ) {
        let block_len = self.block_len();
        with_hash!(
            self,
            pkcs12(password, salt, purpose, iterations, block_len, out)
        );
    }

    /// Octets of output.
    pub(crate) fn output_len(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha224 | Self::Sha512_224 => 28,
            Self::Sha256 | Self::Sha512_256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// How many outputs make up `len` octets.
    pub(crate) fn blocks(self, len: usize) -> u64 {
        len.div_ceil(self.output_len()) as u64
    }

    /// The name as FIPS 180-4 spells it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "SHA-1",
            Self::Sha224 => "SHA-224",
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
            Self::Sha512_224 => "SHA-512/224",
            Self::Sha512_256 => "SHA-512/256",
        }
    }

    fn block_len(self) -> usize {
        match self {
            Self::Sha1 | Self::Sha224 | Self::Sha256 => 64,
            Self::Sha384 | Self::Sha512 | Self::Sha512_224 | Self::Sha512_256 => 128,
        }
    }
}

/// What the PKCS#12 derivation is for: the ID octet of RFC 7292, appendix B.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Key = 1,
    Iv = 2,
    Mac = 3,
}

/// The hashes of PBKDF1 in the schemes that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pbkdf1Hash {
    Md5,
    Sha1,
}

impl Pbkdf1Hash {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha1 => "SHA-1",
        }
    }
}

/// The first 16 octets of PBKDF1 (RFC 8018, section 5.1).
pub(crate) fn pbkdf1(
    hash: Pbkdf1Hash,
    password: &[u8],
    salt: &[u8],
    iterations: u32,
) -> Zeroizing<[u8; 16]> {
    fn derive<D: Digest>(password: &[u8], salt: &[u8], iterations: u32) -> Zeroizing<[u8; 16]> {
        let mut t = D::new()
            .chain_update(password)
            .chain_update(salt)
            .finalize();
        for _ in 1..iterations {
            t = D::digest(&t);
        }
        let mut out = Zeroizing::new([0; 16]);
        for (to, from) in out.iter_mut().zip(&t) {
            *to = *from;
        }
        t.zeroize();
        out
    }
    match hash {
        Pbkdf1Hash::Md5 => derive::<Md5>(password, salt, iterations),
        Pbkdf1Hash::Sha1 => derive::<Sha1>(password, salt, iterations),
    }
}

/// Fills `out` with scrypt (RFC 7914).
///
/// # Errors
/// `Malformed` for parameters that scrypt doesn't have.
pub(crate) fn scrypt(
    password: &[u8],
    salt: &[u8],
    n: u64,
    r: u32,
    p: u32,
    out: &mut [u8],
) -> Result<(), Error> {
    const WHAT: &str = "scrypt parameters";
    if n < 2 || !n.is_power_of_two() {
        return Err(malformed(WHAT, "N is not a power of two above one"));
    }
    if r.checked_mul(p).is_none_or(|product| product >= 1 << 30) {
        return Err(malformed(WHAT, "r times p is not below 2^30"));
    }
    let invalid = || malformed(WHAT, "they are outside the range of RFC 7914");
    let log_n = u8::try_from(n.ilog2()).map_err(|_| invalid())?;
    let params = scrypt::Params::new(log_n, r, p).map_err(|_| invalid())?;
    scrypt::scrypt(password, salt, &params, out).map_err(|_| invalid())
}

fn pkcs12<D: Digest>(
    password: &[u8],
    salt: &[u8],
    purpose: Purpose,
    iterations: u32,
    block_len: usize,
    out: &mut [u8],
) {
    // The letters and the numbers of the steps are the RFC's.
    let diversifier = vec![purpose as u8; block_len];
    let salt_len = salt.len().next_multiple_of(block_len);
    let password_len = password.len().next_multiple_of(block_len);
    let mut i = Zeroizing::new(Vec::with_capacity(salt_len.saturating_add(password_len)));
    i.extend(salt.iter().cycle().take(salt_len));
    i.extend(password.iter().cycle().take(password_len));

    for chunk in out.chunks_mut(<D as Digest>::output_size()) {
        // Step 6.A
        let mut a = D::new()
            .chain_update(&diversifier)
            .chain_update(i.as_slice())
            .finalize();
        for _ in 1..iterations {
            a = D::digest(&a);
        }
        for (to, from) in chunk.iter_mut().zip(&a) {
            *to = *from;
        }
        // Steps 6.B and 6.C: I_j = (I_j + B + 1) mod 2^v
        for block in i.chunks_mut(block_len) {
            let b = Zeroizing::new(
                a.iter()
                    .copied()
                    .cycle()
                    .take(block_len)
                    .collect::<Vec<_>>(),
            );
            let mut carry = 1_u16;
            for (digit, addend) in block.iter_mut().zip(b.iter()).rev() {
                let sum = u16::from(*digit)
                    .saturating_add(u16::from(*addend))
                    .saturating_add(carry);
                *digit = sum.to_be_bytes()[1];
                carry = sum >> 8;
            }
        }
        a.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use base16ct::lower::encode_string as hex;

    use super::*;

    // RFC 6070
    #[test]
    fn pbkdf2_gives_the_published_values() {
        let mut out = [0; 20];
        Hash::Sha1.pbkdf2(b"password", b"salt", 2, &mut out);
        assert_eq!(hex(&out), "ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957");
    }

    // RFC 7914, section 12
    #[test]
    fn scrypt_gives_the_published_values() {
        let mut out = [0; 8];
        scrypt(b"", b"", 16, 1, 1, &mut out).unwrap();
        assert_eq!(hex(&out), "77d6576238657b20");
    }

    #[test]
    fn scrypt_parameters_that_it_does_not_have_are_refused() {
        for (n, r, p) in [
            (0, 8, 1),
            (1, 8, 1),
            (3, 8, 1),
            (16, 0, 1),
            (16, 1, 0),
            (16, u32::MAX, u32::MAX),
            (1 << 63, 8, 1),
        ] {
            assert!(matches!(
                scrypt(b"", b"", n, r, p, &mut [0; 8]),
                Err(Error::Malformed { .. })
            ));
        }
    }

    // The password "smeg" of the test vectors that all implementations share.
    #[test]
    fn pkcs12_gives_the_known_values() {
        let smeg = b"\0s\0m\0e\0g\0\0";
        let mut key = [0; 24];
        Hash::Sha1.pkcs12(
            smeg,
            b"\x0a\x58\xcf\x64\x53\x0d\x82\x3f",
            Purpose::Key,
            1,
            &mut key,
        );
        assert_eq!(
            hex(&key),
            "8aaae6297b6cb04642ab5b077851284eb7128f1a2a7fbca3"
        );
        let mut iv = [0; 8];
        Hash::Sha1.pkcs12(
            smeg,
            b"\x0a\x58\xcf\x64\x53\x0d\x82\x3f",
            Purpose::Iv,
            1,
            &mut iv,
        );
        assert_eq!(hex(&iv), "79993dfe048d3b76");
        let mut mac = [0; 20];
        Hash::Sha1.pkcs12(
            smeg,
            b"\x3d\x83\xc0\xe4\x54\x6a\xc1\x40",
            Purpose::Mac,
            1,
            &mut mac,
        );
        assert_eq!(hex(&mac), "8d967d88f6caa9d714800ab3d48051d63f73a312");
    }
}
