//! Private and public keys.

mod other;
mod encrypted;
mod pss;
mod public;
pub(crate) mod signature;
mod private;
mod generate;
mod traditional;
mod read;

use std::fmt;

use crate::Digest;

pub(crate) use self::read::{Found, is_label, unencrypted};
pub use self::{
    encrypted::KeyEncryption, generate::KeyGenerator, other::OtherKey, private::PrivateKey,
    public::PublicKey, signature::SignatureAlgorithm,
};

/// What errors call it.
const WHAT: &str = "private key";
/// What its encryption is called there.
const ENCRYPTION: &str = "private key encryption";

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
    /// ECDSA on P-521. TLS libraries that take it are rare.
    EcP521,
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
    /// RSA for RSASSA-PSS alone (RFC 4055, section 1.2): its object identifier is id-RSASSA-PSS and not rsaEncryption.
    RsaPss {
        /// Length of the modulus in bits.
        bits: usize,
        /// The only digest that it may be used with, when that is limited.
        digest: Option<Digest>,
    },
    /// ECDSA on P-256.
    EcP256,
    /// ECDSA on P-384.
    EcP384,
    /// ECDSA on P-521.
    EcP521,
    /// Ed25519.
    Ed25519,
}

impl KeyAlgorithm {
    /// The length of the modulus in bits, for RSA of either kind.
    pub fn rsa_bits(self) -> Option<usize> {
        match self {
            Self::Rsa { bits } | Self::RsaPss { bits, .. } => Some(bits),
            Self::EcP256 | Self::EcP384 | Self::EcP521 | Self::Ed25519 => None,
        }
    }
}

/// What a key of this kind will be.
impl From<KeyKind> for KeyAlgorithm {
    fn from(kind: KeyKind) -> Self {
        match kind {
            KeyKind::Rsa2048 => Self::Rsa { bits: 2048 },
            KeyKind::Rsa3072 => Self::Rsa { bits: 3072 },
            KeyKind::Rsa4096 => Self::Rsa { bits: 4096 },
            KeyKind::Rsa8192 => Self::Rsa { bits: 8192 },
            KeyKind::EcP256 => Self::EcP256,
            KeyKind::EcP384 => Self::EcP384,
            KeyKind::EcP521 => Self::EcP521,
            KeyKind::Ed25519 => Self::Ed25519,
        }
    }
}

/// For example `RSA 4096`, `RSASSA-PSS 4096 with SHA-256`, `ECDSA P-256` or `Ed25519`.
impl fmt::Display for KeyAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa { bits } => write!(f, "RSA {bits}"),
            Self::RsaPss { bits, digest: None } => write!(f, "RSASSA-PSS {bits}"),
            Self::RsaPss {
                bits,
                digest: Some(digest),
            } => write!(f, "RSASSA-PSS {bits} with {digest}"),
            Self::EcP256 => f.write_str("ECDSA P-256"),
            Self::EcP384 => f.write_str("ECDSA P-384"),
            Self::EcP521 => f.write_str("ECDSA P-521"),
            Self::Ed25519 => f.write_str("Ed25519"),
        }
    }
}
