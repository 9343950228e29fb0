//! What is written: PBES2 with PBKDF2-HMAC-SHA-256 and AES-256-CBC, and for old readers PKCS#12's 3DES.

use std::ops::RangeInclusive;

use const_oid::db::rfc5911::{ID_AES_256_CBC, ID_PBKDF_2};
use rand_core::TryCryptoRng;

use super::{HMAC_SHA256, ID_PBES_2, PBE_SHA_3DES_3KEY, Password, cipher, pkcs12_sha1};
use crate::{
    Error, Passphrase,
    der::{self as tlv, malformed},
    kdf::{Derivation, Function, Hash, Key, Purpose},
};

/// How something is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encryption {
    /// PBES2 (RFC 8018, section 6.2), PBKDF2-HMAC-SHA-256, AES-256-CBC
    Aes256,
    /// pbeWithSHAAnd3-KeyTripleDES-CBC (RFC 7292, appendix C)
    Pkcs12TripleDes,
}

impl Encryption {
    /// Encrypts with a fresh salt and initialization vector; gives the AlgorithmIdentifier in DER and the ciphertext.
    ///
    /// # Errors
    /// `Randomness`; those of [`Seal::encrypt`].
    pub(crate) fn encrypt(
        self,
        plaintext: &[u8],
        passphrase: &Passphrase,
        iterations: u32,
        rng: &mut (impl TryCryptoRng + ?Sized),
    ) -> Result<(Vec<u8>, Vec<u8>), Error> {
        let seal = Seal::new(self, iterations, rng)?;
        let password = Password::new(passphrase);
        let key = seal.derivation(&password).derive();
        seal.encrypt(&password, &key, plaintext)
    }
}

/// The parameters of one encryption: its key can be derived beside others.
pub(crate) struct Seal {
    encryption: Encryption,
    salt: [u8; SALT_LEN],
    /// Not of 3DES, whose initialization vector is derived.
    iv: [u8; 16],
    iterations: u32,
}

impl Seal {
    /// With a fresh salt and initialization vector.
    ///
    /// # Errors
    /// `Randomness`.
    pub(crate) fn new(
        encryption: Encryption,
        iterations: u32,
        rng: &mut (impl TryCryptoRng + ?Sized),
    ) -> Result<Self, Error> {
        Ok(Self {
            encryption,
            salt: random(rng)?,
            iv: match encryption {
                Encryption::Aes256 => random(rng)?,
                Encryption::Pkcs12TripleDes => [0; 16],
            },
            iterations,
        })
    }

    /// How its key is derived.
    pub(crate) fn derivation<'a>(&'a self, password: &'a Password<'_>) -> Derivation<'a> {
        match self.encryption {
            Encryption::Aes256 => Derivation {
                function: Function::Pbkdf2,
                hash: Hash::Sha256,
                password: password.utf8(),
                salt: &self.salt,
                iterations: self.iterations,
                key_len: 32,
            },
            Encryption::Pkcs12TripleDes => {
                pkcs12_sha1(password, &self.salt, self.iterations, Purpose::Key, 24)
            }
        }
    }

    /// The AlgorithmIdentifier in DER and the ciphertext.
    ///
    /// # Errors
    /// `Malformed` for a key of another length than that of [`derivation`](Self::derivation).
    pub(crate) fn encrypt(
        &self,
        password: &Password<'_>,
        key: &Key,
        plaintext: &[u8],
    ) -> Result<(Vec<u8>, Vec<u8>), Error> {
        let (identifier, ciphertext) = match self.encryption {
            Encryption::Aes256 => {
                let ciphertext = cipher::encrypt_aes256(key, &self.iv, plaintext);
                let encryption = tlv::sequence(&[
                    &tlv::oid(&ID_AES_256_CBC),
                    &tlv::tlv(tlv::OCTET_STRING, &[&self.iv]),
                ]);
                let parameters = tlv::sequence(&[
                    &pbkdf2_sha256(&self.salt, self.iterations, None),
                    &encryption,
                ]);
                let identifier = tlv::sequence(&[&tlv::oid(&ID_PBES_2), &parameters]);
                (identifier, ciphertext)
            }
            Encryption::Pkcs12TripleDes => {
                let iv = pkcs12_sha1(password, &self.salt, self.iterations, Purpose::Iv, 8);
                let ciphertext = cipher::encrypt_3des(key, &iv.derive(), plaintext);
                let parameters = tlv::sequence(&[
                    &tlv::tlv(tlv::OCTET_STRING, &[&self.salt]),
                    &tlv::uint(self.iterations.into()),
                ]);
                let identifier = tlv::sequence(&[&tlv::oid(&PBE_SHA_3DES_3KEY), &parameters]);
                (identifier, ciphertext)
            }
        };
        match ciphertext {
            Some(ciphertext) => Ok((identifier, ciphertext)),
            None => Err(malformed(
                "encryption",
                "key of a length that it doesn't take",
            )),
        }
    }
}

/// The AlgorithmIdentifier of PBKDF2-HMAC-SHA-256 (RFC 8018, appendix A.2).
pub(crate) fn pbkdf2_sha256(salt: &[u8], iterations: u32, key_len: Option<u64>) -> Vec<u8> {
    let key_len = key_len.map(tlv::uint).unwrap_or_default();
    let parameters = tlv::sequence(&[
        &tlv::tlv(tlv::OCTET_STRING, &[salt]),
        &tlv::uint(iterations.into()),
        &key_len,
        &hmac_sha256(),
    ]);
    tlv::sequence(&[&tlv::oid(&ID_PBKDF_2), &parameters])
}

/// The AlgorithmIdentifier of HMAC-SHA-256.
pub(crate) fn hmac_sha256() -> Vec<u8> {
    tlv::sequence(&[&tlv::oid(&HMAC_SHA256), tlv::ENCODED_NULL])
}

/// Checks an iteration count for writing.
///
/// # Errors
/// `ParameterOutOfRange`.
pub(crate) fn check_iterations(iterations: u32) -> Result<(), Error> {
    if ITERATIONS.contains(&iterations) {
        Ok(())
    } else {
        Err(Error::ParameterOutOfRange {
            parameter: "key derivation iteration count",
            found: iterations.into(),
            min: (*ITERATIONS.start()).into(),
            max: (*ITERATIONS.end()).into(),
        })
    }
}

/// Fresh octets, for a salt.
///
/// # Errors
/// `Randomness`.
pub(crate) fn random<const N: usize>(
    rng: &mut (impl TryCryptoRng + ?Sized),
) -> Result<[u8; N], Error> {
    let mut octets = [0; N];
    rng.try_fill_bytes(&mut octets)
        .map_err(|_| Error::Randomness)?;
    Ok(octets)
}

/// Iterations of the key derivation when the caller doesn't choose.
pub(crate) const DEFAULT_ITERATIONS: u32 = 100_000;
/// NIST SP 800-132, section 5.1 asks for 16 octets at least.
pub(crate) const SALT_LEN: usize = 16;
/// NIST SP 800-132, section 5.2 asks for 1,000 at least; some readers refuse more than a million.
const ITERATIONS: RangeInclusive<u32> = 1_000..=1_000_000;
