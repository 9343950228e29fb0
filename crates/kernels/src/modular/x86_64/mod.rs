//! The kernels for x86_64: assembly, which runs only where the processor was asked for its instructions.
//!
//! Assembly (and not intrinsics) because a consumer's unoptimised build runs it at full speed.

mod vector;
mod limbs52;
#[cfg(any(test, constant_time))]
mod emulation;
mod select;
mod ifma;
mod pair;
mod mulx;
mod sieve;

use zeroize::Zeroizing;

use super::window;
use super::{Power, Stop};
use crate::nat::Nat;
use crate::processor::has_ifma;
use ifma::Eight;
use pair::Pair;

pub(super) use mulx::Mulx;

/// Whether Rust stands in for the assembly of the IFMA kernel.
#[cfg(any(test, constant_time))]
fn is_emulated() -> bool {
    crate::gate::forced().is_some()
}

/// See [`base_two`](super::base_two).
pub(super) fn ifma_base_two(candidates: &[&[u64]], bits: usize, stop: &Stop<'_>) -> Option<u8> {
    assert!(has_ifma(), "the kernel was chosen on a machine that has it");
    ifma::base_two(candidates, bits, stop)
}

/// See [`power`](super::power).
pub(super) fn ifma_power(jobs: &[Power<'_>], bits: usize, stop: &Stop<'_>) -> Option<Vec<Nat>> {
    assert!(has_ifma(), "the kernel was chosen on a machine that has it");
    let moduli: Vec<&[u64]> = jobs.iter().map(|job| job.modulus).collect();
    match Pair::new(&moduli, bits) {
        Some(mut pair) => window::power(&mut pair, jobs, bits, stop),
        None => window::power(&mut Eight::new(&moduli, bits), jobs, bits, stop),
    }
}

/// Whether a prime below 2^16 divides the number.
pub(super) fn ifma_has_small_factor(n: &[u64]) -> bool {
    assert!(has_ifma(), "the kernel was chosen on a machine that has it");
    let mut limbs = Zeroizing::new([0; MAX_SIEVE_LIMBS]);
    let length = (64 * n.len()).div_ceil(52);
    assert!(length <= limbs.len());
    for (i, limb) in limbs.iter_mut().enumerate() {
        *limb = limbs52::limb(n, i);
    }
    sieve::ifma_has_small_factor(&limbs[..length])
}

/// Enough for 4096 bits.
const MAX_SIEVE_LIMBS: usize = 80;

/// Whether a prime below 2^16 divides the number.
pub(super) fn mulx_has_small_factor(n: &[u64]) -> bool {
    sieve::mulx_has_small_factor(n)
}
