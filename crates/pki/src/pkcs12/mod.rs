//! PKCS#12 bundles (RFC 7292).
use rand_core::CryptoRng;

use crate::{Certificate, Error, KdfBudget, Passphrase, PrivateKey};

/// How the integrity of an opened file was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Integrity {
    /// A MAC over the contents that matched.
    Mac {
        /// The digest under the HMAC, for example "SHA-256".
        digest: String,
        /// Iterations of the key derivation.
        iterations: u64,
    },
    /// The file has no MAC: nothing vouches for its contents.
    Absent,
}

/// A PKCS#12 file that was opened.
#[derive(Debug)]
pub struct Pkcs12 {
    _todo: (),
}

impl Pkcs12 {
    /// open
    pub fn open(der: &[u8], passphrase: &Passphrase) -> Result<Self, Error> {
        let _ = (der, passphrase);
        todo!()
    }
    /// open with a budget
    pub fn open_within(
        der: &[u8],
        passphrase: &Passphrase,
        budget: KdfBudget,
    ) -> Result<Self, Error> {
        let _ = (der, passphrase, budget);
        todo!()
    }
    /// builder: key and certificate must match
    pub fn builder<'a>(
        key: &'a PrivateKey,
        certificate: &'a Certificate,
    ) -> Result<Pkcs12Builder<'a>, Error> {
        let _ = (key, certificate);
        todo!()
    }
    /// The private key, when exactly... `Pkcs12Lacks { what: "private key" }` / `Pkcs12SeveralKeys`
    pub fn private_key(&self) -> Result<&PrivateKey, Error> {
        todo!()
    }
    /// The certificate of the private key. `Pkcs12Lacks { what: "certificate for the private key" }`
    pub fn certificate(&self) -> Result<&Certificate, Error> {
        todo!()
    }
    /// Leaf first, then its issuers as far as the file has them.
    pub fn chain(&self) -> Result<Vec<&Certificate>, Error> {
        todo!()
    }
    /// Every certificate in the file, in file order.
    pub fn certificates(&self) -> &[Certificate] {
        todo!()
    }
    /// all keys
    pub fn private_keys(&self) -> &[PrivateKey] {
        todo!()
    }
    /// friendlyName of the private key
    pub fn alias(&self) -> Option<&str> {
        todo!()
    }
    /// Integrity
    pub fn integrity(&self) -> &Integrity {
        todo!()
    }
    /// Names of the encryption schemes of the file's bags, in file order, without repeats; for example "PBES2 (AES-256-CBC, PBKDF2-HMAC-SHA-256, 2048 iterations)"
    pub fn encryption(&self) -> &[String] {
        todo!()
    }
    /// Consume: key and chain (leaf first), for an identity
    pub fn into_identity(self) -> Result<(PrivateKey, Vec<Certificate>), Error> {
        todo!()
    }
}

/// builds
#[derive(Debug)]
pub struct Pkcs12Builder<'a> {
    _key: &'a PrivateKey,
    _certificate: &'a Certificate,
}

impl Pkcs12Builder<'_> {
    /// Further certificates, in any order; written leaf first. Those that do not belong to the chain are `NotInChain`.
    pub fn chain<C: AsRef<Certificate>>(self, certificates: impl IntoIterator<Item = C>) -> Self {
        let _ = certificates.into_iter().count();
        todo!()
    }
    /// friendlyName
    pub fn alias(self, alias: impl Into<String>) -> Self {
        let _ = alias.into();
        todo!()
    }
    /// KDF iterations for both the MAC and the encryption; default 100_000... documented
    pub fn iterations(self, iterations: u32) -> Self {
        let _ = iterations;
        todo!()
    }
    /// DER
    pub fn to_der(&self, passphrase: &Passphrase) -> Result<Vec<u8>, Error> {
        let _ = passphrase;
        todo!()
    }
    /// twin
    pub fn to_der_with_rng(
        &self,
        passphrase: &Passphrase,
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<u8>, Error> {
        let _ = (passphrase, rng);
        todo!()
    }
}
