//! Signature algorithms: identifiers, and verification with `rsa`, `p256`, `p384` and `ed25519-dalek`.
use crate::{Digest, Error, KeyAlgorithm, PublicKey};

/// A signature algorithm that this crate makes and verifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SignatureAlgorithm {
    RsaPkcs1(Digest),
    Ecdsa(Digest),
    Ed25519,
}

impl SignatureAlgorithm {
    /// The algorithm for signing with this key (UnsupportedDigest when it can't be).
    pub(crate) fn for_key(key: KeyAlgorithm, digest: Digest) -> Result<Self, Error> {
        let _ = (key, digest);
        todo!()
    }
    /// from the full AlgorithmIdentifier DER; unsupported ones are `UnsupportedScheme { what: "signature algorithm", .. }`
    pub(crate) fn from_algorithm_identifier(der: &[u8]) -> Result<Self, Error> {
        let _ = der;
        todo!()
    }
    /// AlgorithmIdentifier DER (RFC 4055, 5758, 8410): RSA has a NULL parameter, the others none
    pub(crate) fn algorithm_identifier(self) -> &'static [u8] {
        todo!()
    }
    /// e.g. "sha256WithRSAEncryption"
    pub(crate) fn name(self) -> &'static str {
        todo!()
    }
}

/// Whether `signature` over `message` verifies with `key`. ECDSA verifies any of the digests with either curve.
/// Error only for key/algorithm combos that don't exist.
pub(crate) fn verify(
    key: &PublicKey,
    algorithm: SignatureAlgorithm,
    message: &[u8],
    signature: &[u8],
) -> bool {
    let _ = (key, algorithm, message, signature);
    todo!()
}
