//! What is written: PBES2 with PBKDF2-HMAC-SHA-256 and AES-256-CBC, and for old readers PKCS#12's 3DES.

use std::ops::RangeInclusive;

use const_oid::db::rfc5911::{ID_AES_256_CBC, ID_PBKDF_2};
use rand_core::TryCryptoRng;
use zeroize::Zeroizing;

use super::{HMAC_SHA256, ID_PBES_2, PBE_SHA_3DES_3KEY, Password, cipher};
use crate::{
    Error, Passphrase,
    der::{self as tlv},
    kdf::{Hash, Purpose},
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
    /// `Randomness`.
    pub(crate) fn encrypt(
        self,
        plaintext: &[u8],
        passphrase: &Passphrase,
        iterations: u32,
        rng: &mut (impl TryCryptoRng + ?Sized),
    ) -> Result<(Vec<u8>, Vec<u8>), Error> {
        let salt = random::<SALT_LEN>(rng)?;
        let password = Password::new(passphrase);
        match self {
            Self::Aes256 => {
                let iv = random(rng)?;
                let mut key = Zeroizing::new([0; 32]);
                Hash::Sha256.pbkdf2(password.utf8(), &salt, iterations, key.as_mut_slice());
                let ciphertext = cipher::encrypt_aes256(&key, &iv, plaintext);
                let encryption = tlv::sequence(&[
                    &tlv::oid(&ID_AES_256_CBC),
                    &tlv::tlv(tlv::OCTET_STRING, &[&iv]),
                ]);
                let parameters =
                    tlv::sequence(&[&pbkdf2_sha256(&salt, iterations, None), &encryption]);
                let identifier = tlv::sequence(&[&tlv::oid(&ID_PBES_2), &parameters]);
                Ok((identifier, ciphertext))
            }
            Self::Pkcs12TripleDes => {
                let password = password.bmp();
                let mut key = Zeroizing::new([0; 24]);
                let mut iv = [0; 8];
                let hash = Hash::Sha1;
                hash.pkcs12(
                    &password,
                    &salt,
                    Purpose::Key,
                    iterations,
                    key.as_mut_slice(),
                );
                hash.pkcs12(&password, &salt, Purpose::Iv, iterations, &mut iv);
                let ciphertext = cipher::encrypt_3des(&key, &iv, plaintext);
                let parameters = tlv::sequence(&[
                    &tlv::tlv(tlv::OCTET_STRING, &[&salt]),
                    &tlv::uint(iterations.into()),
                ]);
                let identifier = tlv::sequence(&[&tlv::oid(&PBE_SHA_3DES_3KEY), &parameters]);
                Ok((identifier, ciphertext))
            }
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
