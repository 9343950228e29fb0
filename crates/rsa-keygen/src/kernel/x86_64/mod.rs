//! The kernels for x86_64: assembly, and the detection that makes it sound to run.
//!
//! Assembly (and not intrinsics) because a consumer's unoptimised build runs it at full speed.

#[cfg(test)]
mod emulation;
mod ifma;
mod mulx;
mod sieve;

use zeroize::Zeroizing;

use super::{Power, Stop};

pub(super) use mulx::Mulx;

/// Whether the CPU and the operating system support AVX-512F and IFMA.
pub(super) fn has_ifma() -> bool {
    #[cfg(test)]
    if let Some(forced) = super::gate::forced() {
        return forced == super::Kernel::Ifma;
    }
    is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512ifma")
}

/// Whether the CPU supports `mulx`, `adcx` and `adox`.
pub(super) fn has_mulx() -> bool {
    #[cfg(test)]
    if let Some(forced) = super::gate::forced() {
        // Every processor with IFMA has them.
        return forced != super::Kernel::Portable;
    }
    is_x86_feature_detected!("bmi2") && is_x86_feature_detected!("adx")
}

/// Whether Rust stands in for the assembly of the IFMA kernel.
#[cfg(test)]
fn is_emulated() -> bool {
    super::gate::forced().is_some()
}

/// See [`Kernel::base_two`](super::Kernel::base_two).
pub(super) fn ifma_base_two(candidates: &[&[u64]], bits: usize, stop: &Stop<'_>) -> Option<u8> {
    assert!(has_ifma(), "the kernel was chosen on a machine that has it");
    ifma::base_two(candidates, bits, stop)
}

/// See [`Kernel::power`](super::Kernel::power).
pub(super) fn ifma_power(
    jobs: &[Power<'_>],
    bits: usize,
    stop: &Stop<'_>,
) -> Option<Vec<Zeroizing<Vec<u64>>>> {
    assert!(has_ifma(), "the kernel was chosen on a machine that has it");
    ifma::power(jobs, bits, stop)
}

/// Whether a prime below 2^16 divides the number.
pub(super) fn ifma_has_small_factor(n: &[u64]) -> bool {
    assert!(has_ifma(), "the kernel was chosen on a machine that has it");
    let mut limbs = Zeroizing::new([0; MAX_SIEVE_LIMBS]);
    let length = (64 * n.len()).div_ceil(52);
    assert!(length <= limbs.len());
    let mut i = 0;
    while i < length {
        let (limb, shift) = (i * 52 / 64, i * 52 % 64);
        let low = n[limb] >> shift;
        let high = if shift > 12 && limb + 1 < n.len() {
            n[limb + 1] << (64 - shift)
        } else {
            0
        };
        limbs[i] = (low | high) & crate::kernel::sieve::MASK52;
        i += 1;
    }
    sieve::ifma_has_small_factor(&limbs[..length])
}

/// Enough for 4096 bits.
const MAX_SIEVE_LIMBS: usize = 80;

/// Whether a prime below 2^16 divides the number.
pub(super) fn mulx_has_small_factor(n: &[u64]) -> bool {
    sieve::mulx_has_small_factor(n)
}
