//! Encrypted PKCS#8 (`EncryptedPrivateKeyInfo`, RFC 5958, section 3).

use rand_core::TryCryptoRng;
use zeroize::Zeroizing;

use super::{ENCRYPTION, WHAT};
use crate::{
    Error, Passphrase,
    budget::Spending,
    der::{self as tlv, Reader},
    pbe::{self, Encryption, Password, Scheme},
};

/// How a private key is encrypted when it is written: PBES2 with PBKDF2-HMAC-SHA-256 and AES-256-CBC.
///
/// The default is 100,000 iterations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct KeyEncryption {
    iterations: u32,
}

impl KeyEncryption {
    /// With this many iterations of PBKDF2, from 1,000 (NIST SP 800-132, section 5.2) to 1,000,000, above which common
    /// readers refuse. What is outside is an error when a key is written.
    pub fn iterations(iterations: u32) -> Self {
        Self { iterations }
    }
}

impl Default for KeyEncryption {
    fn default() -> Self {
        Self {
            iterations: pbe::DEFAULT_ITERATIONS,
        }
    }
}

/// Encrypts a PKCS#8 key.
pub(super) fn encrypt(
    pkcs8: &[u8],
    passphrase: &Passphrase,
    encryption: KeyEncryption,
    rng: &mut (impl TryCryptoRng + ?Sized),
) -> Result<Vec<u8>, Error> {
    pbe::check_iterations(encryption.iterations)?;
    let (algorithm, ciphertext) =
        Encryption::Aes256.encrypt(pkcs8, passphrase, encryption.iterations, rng)?;
    Ok(tlv::sequence(&[
        &algorithm,
        &tlv::tlv(tlv::OCTET_STRING, &[&ciphertext]),
    ]))
}

/// How a PKCS#8 key is encrypted, in words; `None` for what isn't, or can't be read.
pub(super) fn encryption(der: &[u8]) -> Option<String> {
    let mut fields = Reader::enter(der, tlv::SEQUENCE, WHAT).ok()?;
    pbe::described(&Scheme::read(fields.value(tlv::SEQUENCE).ok()?, ENCRYPTION))
}

/// Opens an encrypted PKCS#8 key. What comes out may still be noise that happens to have padding.
pub(super) fn decrypt(
    der: &[u8],
    passphrase: &Passphrase,
    spending: &mut Spending,
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let mut fields = Reader::enter(der, tlv::SEQUENCE, WHAT)?;
    let scheme = Scheme::read(fields.value(tlv::SEQUENCE)?, ENCRYPTION)?;
    let ciphertext = fields.value(tlv::OCTET_STRING)?;
    fields.finish()?;

    let passwords = [
        Some(Password::new(passphrase)),
        Password::null(passphrase).filter(|_| scheme.takes_bmp()),
    ];
    for password in passwords.iter().flatten() {
        scheme.charge(spending)?;
        let plaintext = scheme.decrypt(password, None, ciphertext)?;
        // Noise has proper padding once in 256 times, and always under RC4.
        if let Some(plaintext) = plaintext.filter(|plaintext| tlv::is_ber_sequence(plaintext)) {
            return Ok(plaintext);
        }
    }
    Err(Error::WrongPassphrase { what: WHAT })
}
