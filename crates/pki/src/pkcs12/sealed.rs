use zeroize::Zeroizing;

use crate::{
    Error,
    der::{self as tlv},
    kdf::Key,
    pbe::{Password, Scheme},
};

/// What is encrypted in a bundle.
pub(super) struct Sealed {
    pub(super) scheme: Scheme,
    ciphertext: Zeroizing<Vec<u8>>,
    /// If it was derived ahead.
    pub(super) key: Option<Key>,
}

impl Sealed {
    pub(super) fn new(scheme: Scheme, ciphertext: Zeroizing<Vec<u8>>) -> Self {
        Self {
            scheme,
            ciphertext,
            key: None,
        }
    }

    /// The plaintext, if it is at least a SEQUENCE: noise has proper padding once in 256 times. Charge for it first.
    pub(super) fn opened(
        &self,
        password: &Password<'_>,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        let plaintext = self
            .scheme
            .decrypt(password, self.key.as_ref(), &self.ciphertext)?;
        Ok(plaintext.filter(|plaintext| tlv::is_ber_sequence(plaintext)))
    }
}
