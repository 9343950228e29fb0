//! Modular exponentiation, three ways. Each kernel answers the same two questions: is a candidate a probable prime to base 2, and what is
//! a power of a secret base to a secret exponent.

#![allow(clippy::indexing_slicing)] // fixed-length columns, indexed by loop counters that their lengths bound

mod window;
mod scalar;
mod portable;
mod sieve;
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)] // the kernels in assembly
mod x86_64;
mod modulus;
#[cfg(test)]
mod tests;

use core::sync::atomic::{AtomicBool, Ordering};

use crate::nat::Nat;
use crate::{Kernel, declassify};

pub use modulus::Modulus;

/// Whether a prime below 2^16 divides the number.
pub fn has_small_factor(kernel: Kernel, n: &[u64]) -> bool {
    match kernel {
        #[cfg(target_arch = "x86_64")]
        Kernel::Ifma => x86_64::ifma_has_small_factor(n),
        #[cfg(target_arch = "x86_64")]
        Kernel::Mulx => x86_64::mulx_has_small_factor(n),
        _ => sieve::has_small_factor(n),
    }
}

/// One bit per candidate (at most [`Kernel::lanes`] of them): set if `2^((n-1)/2) = ±1 mod n`. `None` if stopped.
///
/// The candidates are odd and have exactly `bits` bits.
pub fn base_two(kernel: Kernel, candidates: &[&[u64]], bits: usize, stop: &Stop<'_>) -> Option<u8> {
    debug_assert!(!candidates.is_empty() && candidates.len() <= kernel.lanes());
    match kernel {
        #[cfg(target_arch = "x86_64")]
        Kernel::Ifma => x86_64::ifma_base_two(candidates, bits, stop),
        #[cfg(target_arch = "x86_64")]
        Kernel::Mulx => scalar::base_two(x86_64::Mulx::new, candidates, bits, stop),
        _ => scalar::base_two(|| portable::Portable, candidates, bits, stop),
    }
}

/// `base^exponent mod modulus` for each job (at most [`Kernel::lanes`] of them), residues in `0..modulus`. `None` if stopped.
///
/// The moduli are odd and have exactly `bits` bits; bases and exponents have at most that many, so a base may exceed its modulus.
pub fn power(kernel: Kernel, jobs: &[Power<'_>], bits: usize, stop: &Stop<'_>) -> Option<Vec<Nat>> {
    debug_assert!(!jobs.is_empty() && jobs.len() <= kernel.lanes());
    match kernel {
        #[cfg(target_arch = "x86_64")]
        Kernel::Ifma => x86_64::ifma_power(jobs, bits, stop),
        #[cfg(target_arch = "x86_64")]
        Kernel::Mulx => scalar::power(x86_64::Mulx::new, jobs, bits, stop),
        _ => scalar::power(|| portable::Portable, jobs, bits, stop),
    }
}

/// How many 52-bit limbs the IFMA kernel uses: four bits of room, whole blocks of four limbs, and three blocks at least, because its loops are
/// entered unconditionally.
pub fn ifma_limbs(bits: usize) -> usize {
    (bits + 4).div_ceil(52).next_multiple_of(4).max(12)
}

/// One exponentiation; the three numbers have equally many little-endian limbs.
#[derive(Clone, Copy)]
pub struct Power<'a> {
    /// May exceed the modulus.
    pub base: &'a [u64],
    /// May be zero.
    pub exponent: &'a [u64],
    /// Odd.
    pub modulus: &'a [u64],
}

/// What ends a computation early: the search is over, or the caller has cancelled.
#[derive(Clone, Copy)]
pub struct Stop<'a> {
    /// Set when nobody needs the result any more.
    pub done: &'a AtomicBool,
    /// Set by the caller who wants no result at all.
    pub cancelled: Option<&'a AtomicBool>,
}

impl Stop<'_> {
    /// Whether the result is not needed or not wanted any more.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.done.load(Ordering::Relaxed) || self.is_cancelled()
    }

    /// Whether the caller wants no result at all.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.cancelled
            .is_some_and(|flag| flag.load(Ordering::Relaxed))
    }
}

/// Whether a residue in `0..=n` of an odd `n` is 1 or `n - 1`: the answer of a test of primality.
pub fn is_one_or_minus_one(value: &[u64], n: &[u64]) -> bool {
    let (mut one, mut minus_one) = (0, 0);
    let mut i = 0;
    while i < n.len() {
        let first = u64::from(i == 0);
        one |= value[i] ^ first;
        minus_one |= value[i] ^ n[i] ^ first;
        i += 1;
    }
    declassify(
        (one == 0) | (minus_one == 0),
        "a composite is no part of a key, and a prime has passed all of its tests",
    )
}
