//! RSA key generation, fast.
//!
//! ```
//! let key = rsa_keygen::generate(2048)?;
//! assert_eq!(key.p().len(), 128);
//! # Ok::<(), rsa_keygen::Error>(())
//! ```
#![deny(unsafe_code)]

mod error;
mod generator;
mod kernel;
mod key;
mod nat;
mod random;
mod search;
mod sieve;
#[cfg(test)]
mod test_support;
mod trials;

pub use error::Error;
pub use generator::{Generator, MAXIMUM_BITS, MINIMUM_BITS, MINIMUM_SEED_LENGTH, Progress};
pub use kernel::{KERNEL_VARIABLE, Kernel};
pub use key::RsaKey;

/// A new key of so many bits from the operating system's randomness, with the defaults of [`Generator`].
///
/// # Errors
///
/// As [`Generator::generate`].
pub fn generate(bits: usize) -> Result<RsaKey, Error> {
    Generator::new(bits).generate()
}

/// The key of so many bits that belongs to a seed: see [`Generator::generate_from_seed`].
///
/// # Errors
///
/// As [`Generator::generate_from_seed`].
pub fn generate_from_seed(bits: usize, seed: &[u8]) -> Result<RsaKey, Error> {
    Generator::new(bits).generate_from_seed(seed)
}

/// Entry points for this project's benchmarks. Not part of the interface.
#[doc(hidden)]
pub mod measure {
    use core::sync::atomic::AtomicBool;

    use crate::kernel::{Kernel, Stop};

    /// Tests candidates (big-endian, of exactly `bits` bits, at most as many as the kernel has lanes) to base 2.
    #[must_use]
    pub fn base_two(kernel: Kernel, candidates: &[Vec<u8>], bits: usize) -> u8 {
        let numbers: Vec<_> = candidates
            .iter()
            .map(|bytes| crate::nat::from_bytes(bytes, bits.div_ceil(64)))
            .collect();
        let slices: Vec<&[u64]> = numbers.iter().map(|number| number.as_slice()).collect();
        let never = AtomicBool::new(false);
        kernel
            .base_two(
                &slices,
                bits,
                &Stop {
                    done: &never,
                    cancelled: None,
                },
            )
            .unwrap_or(0)
    }

    /// Whether a prime of the table divides a candidate.
    #[must_use]
    pub fn has_small_factor(kernel: Kernel, candidate: &[u8], bits: usize) -> bool {
        kernel.has_small_factor(&crate::nat::from_bytes(candidate, bits.div_ceil(64)))
    }

    /// How many 52-bit limbs the IFMA kernel uses for a modulus of so many bits.
    #[must_use]
    pub fn ifma_limbs(bits: usize) -> usize {
        crate::kernel::ifma_limbs(bits)
    }

    /// How many candidates a kernel takes at once.
    #[must_use]
    pub fn lanes(kernel: Kernel) -> usize {
        kernel.lanes()
    }
}
