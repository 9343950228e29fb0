//! Making a private key: the flags that describe it, progress, and its file.

use std::{path::Path, sync::Arc};

use clap::ValueEnum;
use pki::{KeyAlgorithm, KeyEncryption, KeyGenerator, KeyKind, Passphrase, PrivateKey};
use zeroize::Zeroizing;

use crate::{
    error::{Context, Error},
    file_name::OutputName,
    ui,
};

/// The flags that describe a new key.
#[derive(Debug, clap::Args)]
pub(crate) struct KeyArgs {
    /// Kind of key
    #[arg(long = "type", value_name = "TYPE", default_value = "rsa")]
    kind: Kind,

    /// Length of an RSA key in bits [default: 4096, what Symphony asks for]
    #[arg(long, value_name = "N")]
    bits: Option<Bits>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    Rsa,
    EcP256,
    EcP384,
    EcP521,
    Ed25519,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Bits {
    #[value(name = "2048")]
    B2048,
    #[value(name = "3072")]
    B3072,
    #[value(name = "4096")]
    B4096,
    #[value(name = "8192")]
    B8192,
}

impl KeyArgs {
    pub(crate) fn is_rsa(&self) -> bool {
        self.kind == Kind::Rsa
    }

    /// # Errors
    ///
    /// [`Error`] when `--bits` goes with a key that isn't RSA.
    pub(crate) fn kind(&self) -> Result<KeyKind, Error> {
        if self.bits.is_some() && self.kind != Kind::Rsa {
            return Err(Error::misused("--bits goes with --type rsa only"));
        }
        Ok(match (self.kind, self.bits) {
            (Kind::EcP256, _) => KeyKind::EcP256,
            (Kind::EcP384, _) => KeyKind::EcP384,
            (Kind::EcP521, _) => KeyKind::EcP521,
            (Kind::Ed25519, _) => KeyKind::Ed25519,
            (Kind::Rsa, Some(Bits::B2048)) => KeyKind::Rsa2048,
            (Kind::Rsa, Some(Bits::B3072)) => KeyKind::Rsa3072,
            (Kind::Rsa, None | Some(Bits::B4096)) => KeyKind::Rsa4096,
            (Kind::Rsa, Some(Bits::B8192)) => KeyKind::Rsa8192,
        })
    }
}

/// Makes a key, with progress on a terminal: from the system's randomness, or from a seed.
///
/// # Errors
///
/// [`Error`] when the system gives no randomness, or when the seed makes no key of this kind.
pub(crate) fn generate(kind: KeyKind, seed: Option<&[u8]>) -> Result<PrivateKey, Error> {
    let progress = Arc::new(ui::progress("generating the private key"));
    let line = Arc::clone(&progress);
    let generator = KeyGenerator::new(kind).progress(move |progress| {
        line.update(format!(
            "generating the private key: {} candidates tried, {} to be expected; {} of 2 primes",
            progress.candidates, progress.expected, progress.primes
        ));
    });
    match seed {
        Some(seed) => generator.generate_from_seed(seed),
        None => generator.generate(),
    }
    .about("generating the private key")
}

/// The key's file: PKCS#8 in PEM, encrypted when there is a passphrase.
///
/// # Errors
///
/// [`Error`] when the system gives no randomness.
pub(crate) fn to_pem(
    key: &PrivateKey,
    passphrase: Option<&Passphrase>,
) -> Result<Zeroizing<String>, Error> {
    match passphrase {
        Some(passphrase) => key
            .to_encrypted_pem(passphrase, KeyEncryption::default())
            .map(Zeroizing::new),
        None => key.to_pem(),
    }
    .about("encoding the private key")
}

/// Tells the owner of a client key that a Pod won't take it.
pub(crate) fn warn_if_too_short_for_a_pod(key: impl Into<KeyAlgorithm>) {
    if let Some(..4096) = key.into().rsa_bits() {
        ui::warn("a Pod rejects RSA keys of less than 4096 bits");
    }
}

/// Tells where a new key is and how it is protected.
pub(crate) fn note_written(key: &PrivateKey, encrypted: bool, path: &Path) {
    let path = OutputName(path);
    let algorithm = key.algorithm();
    if encrypted {
        ui::note(format!("{path}: {algorithm} private key, encrypted"));
    } else {
        ui::note(format!(
            "{path}: {algorithm} private key, not encrypted (--passout encrypts it)"
        ));
    }
}
