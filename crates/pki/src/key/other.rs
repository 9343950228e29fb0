use std::fmt;

use const_oid::db::rfc5912::ID_DSA;

use crate::Error;

/// A key of a kind that this crate doesn't use: named, and not looked into.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OtherKey {
    /// Its algorithm or curve, for example `DSA`, `X25519` or `secp256k1`; of an RSA key of a size that isn't handled, the size.
    pub name: String,
    /// The object identifier of that algorithm or curve in dotted form; none where it is one that this crate uses, and the size, for
    /// example, isn't handled.
    pub oid: Option<String>,
    /// Whether it is a private key.
    pub is_private: bool,
    /// How it is encrypted in the file, where it is.
    pub encryption: Option<String>,
    /// Its friendlyName or alias, where it has one.
    pub alias: Option<String>,
}

impl OtherKey {
    /// What the error speaks of; `None` if that is no key of another kind.
    pub(crate) fn of(error: &Error, is_private: bool) -> Option<Self> {
        match error {
            Error::UnsupportedKey { found, oid } => Some(Self {
                name: found.clone(),
                oid: oid.clone(),
                is_private,
                encryption: None,
                alias: None,
            }),
            _ => None,
        }
    }

    /// A private key for DSA.
    pub(crate) fn dsa() -> Self {
        Self {
            name: "DSA".to_owned(),
            oid: Some(ID_DSA.to_string()),
            is_private: true,
            encryption: None,
            alias: None,
        }
    }

    /// Why it can't be used.
    pub(crate) fn unsupported(&self) -> Error {
        Error::UnsupportedKey {
            found: self.name.clone(),
            oid: self.oid.clone(),
        }
    }
}

/// For example `DSA (1.2.840.10040.4.1)`.
impl fmt::Display for OtherKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.oid {
            Some(oid) => write!(f, "{} ({oid})", self.name),
            None => f.write_str(&self.name),
        }
    }
}
