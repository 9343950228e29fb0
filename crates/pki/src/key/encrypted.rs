//! Encrypted PKCS#8 (RFC 5958, section 3).
use rand_core::TryCryptoRng;
use zeroize::Zeroizing;

use crate::{Error, Passphrase, kdf::Spending};

/// How a private key is encrypted when it is written (PBES2, PBKDF2-HMAC-SHA256, AES-256-CBC).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyEncryption {
    iterations: u32,
}

impl KeyEncryption {
    /// PBKDF2 iterations.
    pub fn iterations(iterations: u32) -> Self {
        Self { iterations }
    }
}
impl Default for KeyEncryption {
    fn default() -> Self {
        Self {
            iterations: 100_000,
        }
    }
}

pub(super) fn encrypt(
    pkcs8: &[u8],
    passphrase: &Passphrase,
    encryption: KeyEncryption,
    rng: &mut impl TryCryptoRng,
) -> Result<Vec<u8>, Error> {
    todo!()
}

pub(super) fn decrypt(
    der: &[u8],
    passphrase: &Passphrase,
    spending: &mut Spending,
) -> Result<Zeroizing<Vec<u8>>, Error> {
    todo!()
}
