//! How a key signs: the flag for keys that can do it in several ways.

use clap::ValueEnum;
use pki::{Digest, SignatureAlgorithm};

/// The flag that chooses a signature algorithm.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct SignatureArgs {
    /// How an RSA key signs: with RSASSA-PKCS1-v1_5 or with RSASSA-PSS. Other keys sign in one way [default: rsa-sha256]
    #[arg(long, value_name = "ALGORITHM")]
    signature_algorithm: Option<Name>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Name {
    RsaSha256,
    RsaSha384,
    RsaSha512,
    RsaPssSha256,
    RsaPssSha384,
    RsaPssSha512,
}

impl SignatureArgs {
    /// The flag with its value, where it was given, for a command line to copy.
    pub(crate) fn as_flag(&self) -> Option<String> {
        let value = self.signature_algorithm?.to_possible_value()?;
        Some(format!("--signature-algorithm {}", value.get_name()))
    }

    /// The algorithm, where one was chosen.
    pub(crate) fn chosen(&self) -> Option<SignatureAlgorithm> {
        Some(match self.signature_algorithm? {
            Name::RsaSha256 => SignatureAlgorithm::RsaPkcs1(Digest::Sha256),
            Name::RsaSha384 => SignatureAlgorithm::RsaPkcs1(Digest::Sha384),
            Name::RsaSha512 => SignatureAlgorithm::RsaPkcs1(Digest::Sha512),
            Name::RsaPssSha256 => SignatureAlgorithm::RsaPss(Digest::Sha256),
            Name::RsaPssSha384 => SignatureAlgorithm::RsaPss(Digest::Sha384),
            Name::RsaPssSha512 => SignatureAlgorithm::RsaPss(Digest::Sha512),
        })
    }
}
