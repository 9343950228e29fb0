//! What can go wrong.

use thiserror::Error;

/// Why there is no key, or no signature.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Error {
    /// The caller asked for a size that is not supported.
    #[error("RSA keys have 2048, 3072, 4096 or 8192 bits, not {bits}")]
    #[non_exhaustive]
    UnsupportedSize {
        /// The size asked for.
        bits: usize,
    },
    /// The seed of a deterministic key is too short.
    #[error("a seed has at least {minimum} bytes, not {length}")]
    #[non_exhaustive]
    SeedTooShort {
        /// The length of the seed.
        length: usize,
        /// The least length.
        minimum: usize,
    },
    /// The caller named a kernel that this machine can't run.
    #[error(transparent)]
    Kernel(#[from] kernels::Error),
    /// The operating system gave no random bytes.
    #[error("no randomness from the operating system: {reason}")]
    #[non_exhaustive]
    RandomnessUnavailable {
        /// What the operating system said.
        reason: String,
    },
    /// No prime among as many candidates as FIPS 186-5 (A.1.3, steps 4.7 and 5.8) allows: the random bits are not random.
    #[error("no prime among {candidates} candidates: the source of random bits is broken")]
    #[non_exhaustive]
    NoPrimeFound {
        /// How many candidates were looked at.
        candidates: u64,
    },
    /// The caller set the cancellation flag.
    #[error("cancelled")]
    Cancelled,
    /// The finished key failed a check of FIPS 186-5 or the pairwise consistency test: a broken source of random bits, or a fault in the machine.
    #[error("the new key failed its check: {check}")]
    #[non_exhaustive]
    Inconsistent {
        /// The check that failed.
        check: &'static str,
    },
    /// The numbers that a [`SigningKey`](crate::SigningKey) was to be made of are not those of a key that can sign here.
    #[error("invalid RSA private key: {reason}")]
    #[non_exhaustive]
    InvalidKey {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A signature didn't verify, and was not given out: the key's numbers are inconsistent, or there is a fault in the machine.
    #[error("the signature does not verify: the key is inconsistent or the machine has a fault")]
    FaultySignature,
}
