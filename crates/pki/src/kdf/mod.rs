//! PBKDF2, scrypt, the key derivation of PKCS#12, and the hashes under them. None of these counts its work: see
//! [`Spending`](crate::budget::Spending).

mod sha256;

use std::iter::once;

#[cfg(feature = "legacy")]
use hmac::SimpleHmac;
use hmac::{Hmac, KeyInit, Mac};
use kernels::sha256::{Chain, Kernel, run};
use md5::Md5;
use pbkdf2::pbkdf2;
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512, Sha512_224, Sha512_256};
#[cfg(feature = "legacy")]
use sha3::{Sha3_224, Sha3_256, Sha3_384, Sha3_512};
use zeroize::{Zeroize, Zeroizing};

use crate::{Error, der::malformed};

/// A hash function, as a MAC or a key derivation uses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hash {
    Md5,
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
    Sha512_224,
    Sha512_256,
    #[cfg(feature = "legacy")]
    Sha3_224,
    #[cfg(feature = "legacy")]
    Sha3_256,
    #[cfg(feature = "legacy")]
    Sha3_384,
    #[cfg(feature = "legacy")]
    Sha3_512,
}

/// Calls a generic function with the type that implements a hash.
macro_rules! with_hash {
    ($hash:expr, $function:ident($($argument:expr),*)) => {
        match $hash {
            Hash::Md5 => $function::<Md5>($($argument),*),
            Hash::Sha1 => $function::<Sha1>($($argument),*),
            Hash::Sha224 => $function::<Sha224>($($argument),*),
            Hash::Sha256 => $function::<Sha256>($($argument),*),
            Hash::Sha384 => $function::<Sha384>($($argument),*),
            Hash::Sha512 => $function::<Sha512>($($argument),*),
            Hash::Sha512_224 => $function::<Sha512_224>($($argument),*),
            Hash::Sha512_256 => $function::<Sha512_256>($($argument),*),
            #[cfg(feature = "legacy")]
            Hash::Sha3_224 => $function::<Sha3_224>($($argument),*),
            #[cfg(feature = "legacy")]
            Hash::Sha3_256 => $function::<Sha3_256>($($argument),*),
            #[cfg(feature = "legacy")]
            Hash::Sha3_384 => $function::<Sha3_384>($($argument),*),
            #[cfg(feature = "legacy")]
            Hash::Sha3_512 => $function::<Sha3_512>($($argument),*),
        }
    };
}

/// The methods that need HMAC, spelled out for each hash because the bounds of a generic function would be long.
macro_rules! hmac_functions {
    ($($(#[$cfg:meta])? $hash:ident => $mac:ty),*) => {
        /// HMAC (RFC 2104).
        ///
        /// # Errors
        /// `Malformed` for a key that it doesn't take. There is none, and a MAC of nothing would be one that anybody
        /// can make.
        pub(crate) fn hmac(self, key: &[u8], message: &[u8]) -> Result<Vec<u8>, Error> {
            match self {
                $($(#[$cfg])? Self::$hash => <$mac>::new_from_slice(key)
                    .map(|mac| mac.chain_update(message).finalize().into_bytes().to_vec())
                    .map_err(|_| malformed("HMAC", "key of a length that it doesn't take")),)*
            }
        }

        /// Fills `out` with PBKDF2 (RFC 8018, section 5.2).
        fn pbkdf2(self, password: &[u8], salt: &[u8], iterations: u32, out: &mut [u8]) {
            match self {
                $($(#[$cfg])? Self::$hash => {
                    // HMAC takes keys of any length (RFC 2104, section 3).
                    let taken = pbkdf2::<$mac>(password, salt, iterations, out);
                    debug_assert!(taken.is_ok());
                })*
            }
        }
    };
}

impl Hash {
    hmac_functions!(
        Md5 => Hmac<Md5>,
        Sha1 => Hmac<Sha1>,
        Sha224 => Hmac<Sha224>,
        Sha256 => Hmac<Sha256>,
        Sha384 => Hmac<Sha384>,
        Sha512 => Hmac<Sha512>,
        Sha512_224 => Hmac<Sha512_224>,
        Sha512_256 => Hmac<Sha512_256>,
        #[cfg(feature = "legacy")]
        Sha3_224 => SimpleHmac<Sha3_224>,
        #[cfg(feature = "legacy")]
        Sha3_256 => SimpleHmac<Sha3_256>,
        #[cfg(feature = "legacy")]
        Sha3_384 => SimpleHmac<Sha3_384>,
        #[cfg(feature = "legacy")]
        Sha3_512 => SimpleHmac<Sha3_512>
    );

    /// Octets of output.
    pub(crate) fn output_len(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha224 | Self::Sha512_224 => 28,
            Self::Sha256 | Self::Sha512_256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
            #[cfg(feature = "legacy")]
            Self::Sha3_224 => 28,
            #[cfg(feature = "legacy")]
            Self::Sha3_256 => 32,
            #[cfg(feature = "legacy")]
            Self::Sha3_384 => 48,
            #[cfg(feature = "legacy")]
            Self::Sha3_512 => 64,
        }
    }

    /// How many outputs make up `len` octets.
    pub(crate) fn blocks(self, len: usize) -> u64 {
        len.div_ceil(self.output_len()) as u64
    }

    /// The name as FIPS 180-4 and FIPS 202 spell it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha1 => "SHA-1",
            Self::Sha224 => "SHA-224",
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
            Self::Sha512_224 => "SHA-512/224",
            Self::Sha512_256 => "SHA-512/256",
            #[cfg(feature = "legacy")]
            Self::Sha3_224 => "SHA3-224",
            #[cfg(feature = "legacy")]
            Self::Sha3_256 => "SHA3-256",
            #[cfg(feature = "legacy")]
            Self::Sha3_384 => "SHA3-384",
            #[cfg(feature = "legacy")]
            Self::Sha3_512 => "SHA3-512",
        }
    }

    fn block_len(self) -> usize {
        match self {
            Self::Md5 | Self::Sha1 | Self::Sha224 | Self::Sha256 => 64,
            Self::Sha384 | Self::Sha512 | Self::Sha512_224 | Self::Sha512_256 => 128,
            // FIPS 202, table 3: the rate.
            #[cfg(feature = "legacy")]
            Self::Sha3_224 => 144,
            #[cfg(feature = "legacy")]
            Self::Sha3_256 => 136,
            #[cfg(feature = "legacy")]
            Self::Sha3_384 => 104,
            #[cfg(feature = "legacy")]
            Self::Sha3_512 => 72,
        }
    }
}

/// A key to be derived from a password.
#[derive(Clone, Copy)]
pub(crate) struct Derivation<'a> {
    pub(crate) function: Function,
    pub(crate) hash: Hash,
    pub(crate) password: &'a [u8],
    pub(crate) salt: &'a [u8],
    /// At least one.
    pub(crate) iterations: u32,
    pub(crate) key_len: usize,
}

/// How a key is derived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Function {
    /// RFC 8018, section 5.2
    Pbkdf2,
    /// RFC 7292, appendix B.2. The password is a BMPString with its terminator, or nothing.
    Pkcs12(Purpose),
}

pub(crate) type Key = Zeroizing<Vec<u8>>;

impl Derivation<'_> {
    pub(crate) fn derive(self) -> Key {
        derive(self, []).0
    }
}

/// Derives keys, in the order of their derivations. Those with SHA-256 take less time together than one after another.
pub(crate) fn derive<'a>(
    first: Derivation<'a>,
    others: impl IntoIterator<Item = Derivation<'a>>,
) -> (Key, Vec<Key>) {
    derive_with(Kernel::detect(), first, others)
}

/// With this implementation of SHA-256.
pub(crate) fn derive_with<'a>(
    kernel: Kernel,
    first: Derivation<'a>,
    others: impl IntoIterator<Item = Derivation<'a>>,
) -> (Key, Vec<Key>) {
    let start = |derivation| Started::new(kernel, derivation);
    let (mut first, mut others) = (
        start(first),
        others.into_iter().map(start).collect::<Vec<_>>(),
    );
    let all = once(&mut first).chain(&mut others);
    run(kernel, all.flat_map(|started| &mut started.chains));
    let others = others.into_iter().map(|other| other.finish(kernel));
    (first.finish(kernel), others.collect())
}

/// A derivation with what can be done of it beside others.
struct Started<'a> {
    derivation: Derivation<'a>,
    /// Those of [`sha256`], and none with other hashes.
    chains: Vec<Chain>,
}

impl<'a> Started<'a> {
    fn new(kernel: Kernel, derivation: Derivation<'a>) -> Self {
        let chains = match derivation.hash {
            Hash::Sha256 => sha256::start(kernel, &derivation),
            _ => Vec::new(),
        };
        Self { derivation, chains }
    }

    fn finish(self, kernel: Kernel) -> Key {
        let Derivation {
            function,
            hash,
            password,
            salt,
            iterations,
            key_len,
        } = self.derivation;
        if hash == Hash::Sha256 {
            return sha256::finish(kernel, &self.derivation, &self.chains);
        }
        let mut key = Zeroizing::new(vec![0; key_len]);
        match function {
            Function::Pbkdf2 => hash.pbkdf2(password, salt, iterations, &mut key),
            Function::Pkcs12(purpose) => {
                with_hash!(hash, pkcs12(&self.derivation, purpose, &mut key));
            }
        }
        key
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

fn pkcs12<D: Digest>(derivation: &Derivation<'_>, purpose: Purpose, out: &mut [u8]) {
    let mut input = Pkcs12Input::new(derivation, purpose);
    for chunk in out.chunks_mut(<D as Digest>::output_size()) {
        // Step 6.A
        let mut a = D::new()
            .chain_update(&input.diversifier)
            .chain_update(&input.i)
            .finalize();
        for _ in 1..derivation.iterations {
            a = D::digest(&a);
        }
        for (to, from) in chunk.iter_mut().zip(&a) {
            *to = *from;
        }
        input.advance(&a);
        a.zeroize();
    }
}

/// What the first digest of each block is made of, with the letters and the numbers of the steps in RFC 7292, appendix B.2.
struct Pkcs12Input {
    diversifier: Vec<u8>,
    i: Zeroizing<Vec<u8>>,
    block_len: usize,
}

impl Pkcs12Input {
    fn new(derivation: &Derivation<'_>, purpose: Purpose) -> Self {
        let block_len = derivation.hash.block_len();
        let (salt, password) = (derivation.salt, derivation.password);
        let salt_len = salt.len().next_multiple_of(block_len);
        let password_len = password.len().next_multiple_of(block_len);
        let mut i = Zeroizing::new(Vec::with_capacity(salt_len.saturating_add(password_len)));
        i.extend(salt.iter().cycle().take(salt_len));
        i.extend(password.iter().cycle().take(password_len));
        Self {
            diversifier: vec![purpose as u8; block_len],
            i,
            block_len,
        }
    }

    /// Steps 6.B and 6.C: I_j = (I_j + B + 1) mod 2^v
    fn advance(&mut self, a: &[u8]) {
        let b = a.iter().copied().cycle().take(self.block_len);
        let b = Zeroizing::new(b.collect::<Vec<_>>());
        for block in self.i.chunks_mut(self.block_len) {
            let mut carry = 1_u16;
            for (digit, addend) in block.iter_mut().zip(b.iter()).rev() {
                let sum = u16::from(*digit)
                    .saturating_add(u16::from(*addend))
                    .saturating_add(carry);
                *digit = sum.to_be_bytes()[1];
                carry = sum >> 8;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use base16ct::lower::encode_string as hex;

    use super::*;

    // RFC 6070
    #[test]
    fn pbkdf2_gives_the_published_values() {
        let derivation = Derivation {
            function: Function::Pbkdf2,
            hash: Hash::Sha1,
            password: b"password",
            salt: b"salt",
            iterations: 2,
            key_len: 20,
        };
        assert_eq!(
            hex(&derivation.derive()),
            "ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957"
        );
    }

    // Of Python's hashlib.pbkdf2_hmac.
    #[test]
    fn pbkdf2_with_md5_and_sha_3_gives_what_python_gives() {
        for (hash, expected) in [
            (
                Hash::Md5,
                "f6acd4bda3e4d3d831a5f61da9ca9d5c3877566e979f4928778d81be4f2e9433a31043bbf3945c35",
            ),
            #[cfg(feature = "legacy")]
            (
                Hash::Sha3_224,
                "78f53c723000c6648b2685ceb66277b3bbc3830063b32ac0983a42f1c289f0975bc974581baea9fe",
            ),
            #[cfg(feature = "legacy")]
            (
                Hash::Sha3_256,
                "6677065466c97fdef1c15ae8d95020ca948334f53eceeafc6115ddf405f6d6a4f75ba13a75082d8d",
            ),
            #[cfg(feature = "legacy")]
            (
                Hash::Sha3_384,
                "3c7efe23b2a10f89837270324712c2e0bd8559d6c8ed070268239a2c2abb777b9adc611d71d2b533",
            ),
            #[cfg(feature = "legacy")]
            (
                Hash::Sha3_512,
                "cf022071b51477a7783157cbf39fe43377494e295da4d9bb8905117d0a4e998c6c930d02e1291e83",
            ),
        ] {
            let derivation = Derivation {
                function: Function::Pbkdf2,
                hash,
                password: b"password",
                salt: b"salt",
                iterations: 3,
                key_len: 40,
            };
            assert_eq!(hex(&derivation.derive()), expected, "{}", hash.name());
        }
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
        for (purpose, salt, key) in [
            (
                Purpose::Key,
                b"\x0a\x58\xcf\x64\x53\x0d\x82\x3f",
                "8aaae6297b6cb04642ab5b077851284eb7128f1a2a7fbca3",
            ),
            (
                Purpose::Iv,
                b"\x0a\x58\xcf\x64\x53\x0d\x82\x3f",
                "79993dfe048d3b76",
            ),
            (
                Purpose::Mac,
                b"\x3d\x83\xc0\xe4\x54\x6a\xc1\x40",
                "8d967d88f6caa9d714800ab3d48051d63f73a312",
            ),
        ] {
            let derivation = Derivation {
                function: Function::Pkcs12(purpose),
                hash: Hash::Sha1,
                password: b"\0s\0m\0e\0g\0\0",
                salt,
                iterations: 1,
                key_len: key.len() / 2,
            };
            assert_eq!(hex(&derivation.derive()), key);
        }
    }

    #[test]
    fn pkcs12_gives_what_openssl_gives() {
        let octets = |hex: &str| match hex {
            "-" => Vec::new(),
            hex => base16ct::lower::decode_vec(hex).unwrap(),
        };
        let mut seen = 0;
        let lines = include_str!("pkcs12.txt").lines();
        for line in lines.filter(|line| !line.starts_with('#')) {
            let fields: Vec<_> = line.split(' ').collect();
            let [digest, id, iterations, password, salt, key] = fields[..] else {
                panic!("{line}");
            };
            let (password, salt, key) = (octets(password), octets(salt), octets(key));
            let derivation = Derivation {
                function: Function::Pkcs12(match id {
                    "1" => Purpose::Key,
                    "2" => Purpose::Iv,
                    "3" => Purpose::Mac,
                    other => panic!("{other}"),
                }),
                hash: match digest {
                    "SHA1" => Hash::Sha1,
                    "SHA224" => Hash::Sha224,
                    "SHA256" => Hash::Sha256,
                    "SHA384" => Hash::Sha384,
                    "SHA512" => Hash::Sha512,
                    other => panic!("{other}"),
                },
                password: &password,
                salt: &salt,
                iterations: iterations.parse().unwrap(),
                key_len: key.len(),
            };
            for kernel in Kernel::available() {
                assert_eq!(*derive_with(kernel, derivation, []).0, key, "{line}");
            }
            seen += 1;
        }
        assert_eq!(seen, 90);
    }

    #[test]
    fn keys_come_in_the_order_of_their_derivations() {
        let derivations = [Hash::Sha256, Hash::Sha1, Hash::Sha512, Hash::Sha256];
        let mut derivations =
            derivations
                .into_iter()
                .zip(1..)
                .map(|(hash, iterations)| Derivation {
                    function: Function::Pbkdf2,
                    hash,
                    password: b"password",
                    salt: b"salt",
                    iterations,
                    key_len: 40,
                });
        let first = derivations.next().unwrap();
        let (key, keys) = derive(first, derivations.clone());
        assert_eq!(key, first.derive());
        let alone: Vec<_> = derivations.map(Derivation::derive).collect();
        assert_eq!(keys, alone);
        assert_eq!(keys.len(), 3);
    }
}
