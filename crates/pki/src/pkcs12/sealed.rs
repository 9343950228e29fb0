use zeroize::Zeroizing;

use crate::{
    Encrypted, Error,
    budget::Spending,
    der::{self as tlv},
    kdf::{Derivation, Key},
    pbe::{self, Password, Scheme},
};

/// What is encrypted in a bundle.
pub(super) struct Sealed {
    /// Or the error that names one which isn't implemented. It is reported once the integrity was checked, so that a wrong passphrase
    /// is told from it.
    scheme: Result<Scheme, Error>,
    ciphertext: Zeroizing<Vec<u8>>,
    /// If it was derived ahead.
    pub(super) key: Option<Key>,
}

impl Sealed {
    /// The identifier is the contents of an AlgorithmIdentifier.
    pub(super) fn new(identifier: &[u8], ciphertext: Zeroizing<Vec<u8>>) -> Result<Self, Error> {
        let scheme = match Scheme::read(identifier, super::ENCRYPTION) {
            Err(error) if !matches!(error, Error::UnsupportedScheme { .. }) => return Err(error),
            scheme => scheme,
        };
        Ok(Self {
            scheme,
            ciphertext,
            key: None,
        })
    }

    /// How it is encrypted, in words.
    pub(super) fn encryption(&self) -> String {
        pbe::described(&self.scheme).unwrap_or_default()
    }

    /// Charges what opening it costs once.
    pub(super) fn charge(&self, spending: &mut Spending) -> Result<(), Error> {
        match &self.scheme {
            Ok(scheme) => scheme.charge(spending),
            Err(_) => Ok(()),
        }
    }

    /// How its key is derived, if that may be done ahead.
    pub(super) fn derivation<'a>(&'a self, password: &Password<'a>) -> Option<Derivation<'a>> {
        self.scheme.as_ref().ok()?.derivation(password)
    }

    /// Whether the passphrase is taken as a BMPString.
    pub(super) fn takes_bmp(&self) -> bool {
        self.scheme.as_ref().is_ok_and(Scheme::takes_bmp)
    }

    /// The plaintext, if it is at least a SEQUENCE: noise has proper padding once in 256 times. Charge for it first.
    ///
    /// # Errors
    /// `UnsupportedScheme`, and what the scheme reports.
    pub(super) fn opened(
        &self,
        password: &Password<'_>,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        let scheme = self.scheme.as_ref().map_err(Clone::clone)?;
        let plaintext = scheme.decrypt(password, self.key.as_ref(), &self.ciphertext)?;
        Ok(plaintext.filter(|plaintext| tlv::is_ber_sequence(plaintext)))
    }

    /// What is said of it where it stays closed.
    pub(super) fn closed(
        &self,
        what: &'static str,
        alias: Option<&str>,
        error: Error,
    ) -> Encrypted {
        Encrypted {
            what,
            encryption: self.encryption(),
            alias: alias.map(str::to_owned),
            error,
        }
    }
}
