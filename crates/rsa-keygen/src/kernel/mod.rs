//! Modular exponentiation, three ways. Each kernel answers the same two questions: is a candidate a probable prime to base 2, and what is
//! a power of a secret base to a secret exponent.

#![allow(clippy::indexing_slicing)] // fixed-length columns, indexed by loop counters that their lengths bound

#[allow(unsafe_code)] // a barrier in inline assembly
mod mask;
mod declassify;
pub(crate) mod nat;
mod scalar;
mod portable;
mod sieve;
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)] // the kernels in assembly
mod x86_64;
#[cfg(test)]
pub(crate) mod gate;

use core::fmt;
use core::sync::atomic::{AtomicBool, Ordering};

use zeroize::Zeroizing;

pub(crate) use declassify::declassify;
pub(crate) use mask::Mask;

/// How many numbers a kernel works on side by side, at most.
pub(crate) const LANES: usize = 8;

/// An implementation of modular exponentiation.
///
/// They compute the same numbers at different speeds. Use [`Kernel::detect`] (the default of [`Generator`](crate::Generator)) unless you
/// test or measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kernel {
    /// AVX-512 IFMA: eight candidates side by side.
    Ifma,
    /// x86_64 with BMI2 and ADX: `mulx`, `adcx`, `adox`.
    Mulx,
    /// Plain Rust, for every target.
    Portable,
}

impl Kernel {
    /// All kernels, the fastest first.
    pub const ALL: [Self; 3] = [Self::Ifma, Self::Mulx, Self::Portable];

    /// The kernels that this machine can run, the fastest first. Never empty: [`Kernel::Portable`] runs everywhere.
    pub fn available() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|kernel| kernel.is_available())
    }

    /// Whether this machine can run this kernel.
    #[must_use]
    pub fn is_available(self) -> bool {
        match self {
            Self::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Self::Ifma => x86_64::has_ifma(),
            #[cfg(target_arch = "x86_64")]
            Self::Mulx => x86_64::has_mulx(),
            #[cfg(not(target_arch = "x86_64"))]
            Self::Ifma | Self::Mulx => false,
        }
    }

    /// How many exponentiations this kernel does at once.
    pub(crate) fn lanes(self) -> usize {
        match self {
            Self::Ifma => LANES,
            Self::Mulx | Self::Portable => 1,
        }
    }

    /// Whether a prime below 2^16 divides the number.
    pub(crate) fn has_small_factor(self, n: &[u64]) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Ifma => x86_64::ifma_has_small_factor(n),
            #[cfg(target_arch = "x86_64")]
            Self::Mulx => x86_64::mulx_has_small_factor(n),
            _ => sieve::has_small_factor(n),
        }
    }

    /// One bit per candidate (at most [`Kernel::lanes`] of them): set if `2^((n-1)/2) = ±1 mod n`. `None` if stopped.
    ///
    /// The candidates are odd and have exactly `bits` bits.
    pub(crate) fn base_two(
        self,
        candidates: &[&[u64]],
        bits: usize,
        stop: &Stop<'_>,
    ) -> Option<u8> {
        debug_assert!(!candidates.is_empty() && candidates.len() <= self.lanes());
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Ifma => x86_64::ifma_base_two(candidates, bits, stop),
            #[cfg(target_arch = "x86_64")]
            Self::Mulx => scalar::base_two(&x86_64::Mulx::new(), candidates, bits, stop),
            _ => scalar::base_two(&portable::Portable, candidates, bits, stop),
        }
    }

    /// `base^exponent mod modulus` for each job (at most [`Kernel::lanes`] of them), residues in `0..modulus`. `None` if stopped.
    ///
    /// The moduli are odd and have exactly `bits` bits; bases and exponents have at most that many, so a base may exceed its modulus.
    pub(crate) fn power(
        self,
        jobs: &[Power<'_>],
        bits: usize,
        stop: &Stop<'_>,
    ) -> Option<Vec<Zeroizing<Vec<u64>>>> {
        debug_assert!(!jobs.is_empty() && jobs.len() <= self.lanes());
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Ifma => x86_64::ifma_power(jobs, bits, stop),
            #[cfg(target_arch = "x86_64")]
            Self::Mulx => scalar::power(&x86_64::Mulx::new(), jobs, bits, stop),
            _ => scalar::power(&portable::Portable, jobs, bits, stop),
        }
    }
}

impl fmt::Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ifma => "ifma",
            Self::Mulx => "mulx",
            Self::Portable => "portable",
        })
    }
}

/// A function of `scalar` with the fastest kernel for a single number: these are done once per key or signature.
macro_rules! fastest_scalar {
    ($function:ident($($argument:ident),*)) => {{
        #[cfg(target_arch = "x86_64")]
        if x86_64::has_mulx() {
            return scalar::$function(&x86_64::Mulx::new(), $($argument),*);
        }
        scalar::$function(&portable::Portable, $($argument),*)
    }};
}

/// `a·b mod n`, for `a` and `b` of the length of an odd `n` of exactly `bits` bits.
pub(crate) fn multiply_mod(a: &[u64], b: &[u64], n: &[u64], bits: usize) -> Zeroizing<Vec<u64>> {
    fastest_scalar!(multiply_mod(a, b, n, bits))
}

/// `a^exponent mod n`, for an odd `n` of exactly `bits` bits and an exponent that is no secret and not zero.
pub(crate) fn power_public(
    a: &[u64],
    exponent: u64,
    n: &[u64],
    bits: usize,
) -> Zeroizing<Vec<u64>> {
    fastest_scalar!(power_public(a, exponent, n, bits))
}

/// `a mod n`, for an odd `n` that fills its limbs and an `a` of twice as many.
pub(crate) fn residue(a: &[u64], n: &[u64]) -> Zeroizing<Vec<u64>> {
    fastest_scalar!(residue(a, n))
}

/// How many 52-bit limbs the IFMA kernel uses: four bits of room, whole blocks of four limbs, and three blocks at least, because its loops are
/// entered unconditionally.
pub(crate) fn ifma_limbs(bits: usize) -> usize {
    (bits + 4).div_ceil(52).next_multiple_of(4).max(12)
}

/// One exponentiation; the three numbers have equally many little-endian limbs.
#[derive(Clone, Copy)]
pub(crate) struct Power<'a> {
    pub(crate) base: &'a [u64],
    pub(crate) exponent: &'a [u64],
    pub(crate) modulus: &'a [u64],
}

/// What ends a computation early: the search is over, or the caller has cancelled.
#[derive(Clone, Copy)]
pub(crate) struct Stop<'a> {
    pub(crate) done: &'a AtomicBool,
    pub(crate) cancelled: Option<&'a AtomicBool>,
}

impl Stop<'_> {
    pub(crate) fn is_set(&self) -> bool {
        self.done.load(Ordering::Relaxed) || self.is_cancelled()
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled
            .is_some_and(|flag| flag.load(Ordering::Relaxed))
    }
}

/// Whether a residue in `0..=n` of an odd `n` is 1 or `n - 1`: the answer of a test of primality.
pub(crate) fn is_one_or_minus_one(value: &[u64], n: &[u64]) -> bool {
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

#[cfg(test)]
mod tests;
