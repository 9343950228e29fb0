//! Private and public keys.
use std::fmt;

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::{Digest, Error, KdfBudget, Passphrase};

/// The kinds of key that can be generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum KeyKind {
    /// RSA with a 2048-bit modulus. A Pod refuses it.
    Rsa2048,
    /// RSA with a 3072-bit modulus. A Pod refuses it.
    Rsa3072,
    /// RSA with a 4096-bit modulus: what Symphony asks for, and the default.
    #[default]
    Rsa4096,
    /// RSA with an 8192-bit modulus.
    Rsa8192,
    /// ECDSA on P-256.
    EcP256,
    /// ECDSA on P-384.
    EcP384,
    /// Ed25519.
    Ed25519,
}

/// What a key that exists is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyAlgorithm {
    /// RSA; `bits` is the length of the modulus.
    Rsa {
        /// Length of the modulus in bits.
        bits: usize,
    },
    /// ECDSA on P-256.
    EcP256,
    /// ECDSA on P-384.
    EcP384,
    /// Ed25519.
    Ed25519,
}

impl fmt::Display for KeyAlgorithm {
    // "RSA 4096", "ECDSA P-256", "Ed25519"
    fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        todo!()
    }
}

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

/// A private key.
pub struct PrivateKey {
    _todo: (),
}

impl PrivateKey {
    /// generate
    pub fn generate(kind: KeyKind) -> Result<Self, Error> {
        let _ = kind;
        todo!()
    }
    /// twin with the caller's randomness
    pub fn generate_with_rng(kind: KeyKind, rng: &mut impl CryptoRng) -> Result<Self, Error> {
        let _ = (kind, rng);
        todo!()
    }
    /// PEM in: PKCS#8, encrypted PKCS#8, PKCS#1, SEC1, traditional encryption
    pub fn from_pem<'p>(
        pem: impl AsRef<[u8]>,
        passphrase: impl Into<Option<&'p Passphrase>>,
    ) -> Result<Self, Error> {
        let _ = (pem.as_ref(), passphrase.into());
        todo!()
    }
    /// DER in
    pub fn from_der<'p>(
        der: &[u8],
        passphrase: impl Into<Option<&'p Passphrase>>,
    ) -> Result<Self, Error> {
        let _ = (der, passphrase.into());
        todo!()
    }
    /// Either
    pub fn from_pem_or_der<'p>(
        input: &[u8],
        passphrase: impl Into<Option<&'p Passphrase>>,
    ) -> Result<Self, Error> {
        let _ = (input, passphrase.into());
        todo!()
    }
    /// Either, under a budget
    pub fn from_pem_or_der_within<'p>(
        input: &[u8],
        passphrase: impl Into<Option<&'p Passphrase>>,
        budget: KdfBudget,
    ) -> Result<Self, Error> {
        let _ = (input, passphrase.into(), budget);
        todo!()
    }
    /// PKCS#8 DER
    pub fn to_pkcs8_der(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        todo!()
    }
    /// PKCS#8 PEM
    pub fn to_pem(&self) -> Result<Zeroizing<String>, Error> {
        todo!()
    }
    /// Encrypted PKCS#8 PEM
    pub fn to_encrypted_pem(
        &self,
        passphrase: &Passphrase,
        encryption: KeyEncryption,
    ) -> Result<String, Error> {
        let _ = (passphrase, encryption);
        todo!()
    }
    /// twin with the caller's randomness
    pub fn to_encrypted_pem_with_rng(
        &self,
        passphrase: &Passphrase,
        encryption: KeyEncryption,
        rng: &mut impl CryptoRng,
    ) -> Result<String, Error> {
        let _ = (passphrase, encryption, rng);
        todo!()
    }
    /// public half
    pub fn public_key(&self) -> &PublicKey {
        todo!()
    }
    /// algorithm
    pub fn algorithm(&self) -> KeyAlgorithm {
        todo!()
    }
    /// Signature over message: RSA PKCS#1 v1.5 (blinded), ECDSA (DER), Ed25519. P-256 uses SHA-256 only, P-384 SHA-384 only: `digest` is ignored by Ed25519; for EC another digest than the natural one is UnsupportedDigest... see signature.rs
    pub(crate) fn sign(
        &self,
        digest: Digest,
        message: &[u8],
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<u8>, Error> {
        let _ = (digest, message, rng);
        todo!()
    }
}
impl fmt::Debug for PrivateKey {
    // "PrivateKey(RSA 4096, [secret key elided])"
    fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        todo!()
    }
}

/// A public key: its SubjectPublicKeyInfo (RFC 5280, section 4.1.2.7), octet for octet.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PublicKey {
    spki: Vec<u8>,
    algorithm: KeyAlgorithm,
}

impl PublicKey {
    /// From SPKI DER. Unknown algorithms are `UnsupportedKey`
    pub fn from_spki_der(spki: &[u8]) -> Result<Self, Error> {
        let _ = spki;
        todo!()
    }
    /// SPKI DER
    pub fn spki_der(&self) -> &[u8] {
        &self.spki
    }
    /// The BIT STRING's content: PKCS#1 RSAPublicKey, EC point, Ed25519 key
    pub(crate) fn key_octets(&self) -> &[u8] {
        todo!()
    }
    /// algorithm
    pub fn algorithm(&self) -> KeyAlgorithm {
        self.algorithm
    }
    /// SHA-1 of the subjectPublicKey BIT STRING content (RFC 5280, section 4.2.1.2, method 1).
    pub fn key_identifier(&self) -> [u8; 20] {
        todo!()
    }
    /// PEM `PUBLIC KEY`
    pub fn to_pem(&self) -> String {
        todo!()
    }
}
