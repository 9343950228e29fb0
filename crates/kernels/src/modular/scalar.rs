//! One number at a time over 64-bit limbs: what the `mulx` and the portable kernel share.
//!
//! Values in Montgomery form stay below `R = 2^(64 len)` and not below the modulus ("almost Montgomery": `n` is subtracted only on overflow), which is all
//! that the next multiplication needs.

use zeroize::Zeroize;

use super::window::{self, Lanes, WINDOW_ENTRIES, leave};
use super::{Power, Stop};
use crate::Mask;
use crate::kernel::LANES;
use crate::nat::{self, Nat, negative_inverse};

/// The arithmetic of one kernel, for operands of `n.len()` limbs (a multiple of [`BLOCK`]) and `k = -n^-1 mod 2^64`. Results are below `2^(64 n.len())`.
pub(super) trait Arithmetic {
    /// `x = x·y / R mod n`. `t` is working storage of twice the length.
    fn multiply(&self, x: &mut [u64], y: &[u64], n: &[u64], k: u64, t: &mut [u64]);

    /// `x = x^2 / R mod n`, `count` times.
    fn square(&self, x: &mut [u64], n: &[u64], k: u64, t: &mut [u64], count: usize);

    /// Copies the entry at `index` of a table of [`WINDOW_ENTRIES`], reading all of them.
    fn select(&self, table: &[u64], index: u64, out: &mut [u64]);
}

/// Lengths are multiples of so many limbs.
pub(super) const BLOCK: usize = 8;
/// Bits of a digit of the exponent of two: the greatest ones shift a limb by 63 bits.
const DIGIT_BITS: usize = 6;

/// A modulus and the working storage of an exponentiation. Wiped on drop.
pub(super) struct Scalar<A> {
    arithmetic: A,
    n: Nat,
    k: u64,
    x: Nat,
    y: Nat,
    t: Nat,
    /// Made with the first power that is kept.
    table: Option<Nat>,
}

impl<A: Arithmetic> Scalar<A> {
    pub(super) fn new(arithmetic: A, modulus: &[u64]) -> Self {
        let length = modulus.len().next_multiple_of(BLOCK);
        Self {
            arithmetic,
            n: nat::extended(modulus, length),
            k: negative_inverse(modulus[0]),
            x: nat::zero(length),
            y: nat::zero(length),
            t: nat::zero(2 * length),
            table: None,
        }
    }
}

impl<A: Arithmetic> Lanes for Scalar<A> {
    fn radix_bits(&self) -> usize {
        64 * self.n.len()
    }

    fn set_x(&mut self, _: usize, value: &[u64]) {
        set(&mut self.x, value);
    }

    fn set_y(&mut self, _: usize, value: &[u64]) {
        set(&mut self.y, value);
    }

    fn set_y_to_x(&mut self) {
        self.y.copy_from_slice(&self.x);
    }

    fn set_x_to_y(&mut self) {
        self.x.copy_from_slice(&self.y);
    }

    fn value(&self, _: usize, out: &mut [u64]) {
        out.copy_from_slice(&self.x[..out.len()]);
    }

    fn square(&mut self, count: usize) {
        self.arithmetic
            .square(&mut self.x, &self.n, self.k, &mut self.t, count);
    }

    fn multiply(&mut self) {
        self.arithmetic
            .multiply(&mut self.x, &self.y, &self.n, self.k, &mut self.t);
    }

    fn keep(&mut self, entry: usize) {
        let length = self.x.len();
        let table = self
            .table
            .get_or_insert_with(|| nat::zero(WINDOW_ENTRIES * length));
        table[entry * length..][..length].copy_from_slice(&self.x);
    }

    fn select(&mut self, indices: &[u64; LANES]) {
        if let Some(table) = &self.table {
            self.arithmetic.select(table, indices[0], &mut self.y);
        }
    }
}

impl<A> Drop for Scalar<A> {
    fn drop(&mut self) {
        self.k.zeroize();
    }
}

/// Writes a number that may be shorter.
fn set(to: &mut [u64], value: &[u64]) {
    let (low, high) = to.split_at_mut(value.len());
    low.copy_from_slice(value);
    high.fill(0);
}

/// See [`super::base_two`].
pub(super) fn base_two<A: Arithmetic>(
    arithmetic: impl Fn() -> A,
    candidates: &[&[u64]],
    bits: usize,
    stop: &Stop<'_>,
) -> Option<u8> {
    let mut result = 0;
    for (i, n) in candidates.iter().enumerate() {
        result |= u8::from(is_base_two(arithmetic(), n, bits, stop)?) << i;
    }
    Some(result)
}

/// See [`super::power`].
pub(super) fn power<A: Arithmetic>(
    arithmetic: impl Fn() -> A,
    jobs: &[Power<'_>],
    bits: usize,
    stop: &Stop<'_>,
) -> Option<Vec<Nat>> {
    let mut powers = Vec::with_capacity(jobs.len());
    for job in jobs {
        let mut scalar = Scalar::new(arithmetic(), job.modulus);
        powers.extend(window::power(&mut scalar, &[*job], bits, stop)?);
    }
    Some(powers)
}

/// Computes `2^-E` for `E = (n-1)/2`, which is ±1 exactly when `2^E` is. The start, `2^-s` for the highest bits `s` of `E`, is in Montgomery form the power of two
/// `2^(64 len - s)`, and needs no reduction. Then a step is six squarings, and a division by two to the next six bits.
fn is_base_two<A: Arithmetic>(
    arithmetic: A,
    n: &[u64],
    bits: usize,
    stop: &Stop<'_>,
) -> Option<bool> {
    let mut scalar = Scalar::new(arithmetic, n);
    let radix_bits = scalar.radix_bits();
    let exponent = nat::halve(n);
    // So that `s` is at most 64 len, and not zero, as its highest bit is that of E.
    let steps = (bits - 1 - radix_bits.ilog2() as usize).div_ceil(DIGIT_BITS);
    let start = nat::window(&exponent, steps * DIGIT_BITS, 16);
    set_power_of_two(&mut scalar.x, radix_bits as u64 - start);
    for step in (0..steps).rev() {
        if stop.is_set() {
            return None;
        }
        scalar.square(DIGIT_BITS);
        let digit = nat::window(&exponent, step * DIGIT_BITS, DIGIT_BITS);
        divide_by_power_of_two(&mut scalar.x, digit, &scalar.n, scalar.k);
    }
    leave(&mut scalar, 1);
    Some(super::is_one_or_minus_one(&scalar.x, &scalar.n))
}

/// `x = x / 2^exponent mod n` for a secret exponent below 64: the multiple of `n` is added that makes the lowest bits zero.
fn divide_by_power_of_two(x: &mut [u64], exponent: u64, n: &[u64], k: u64) {
    let multiple = x[0].wrapping_mul(k) & (1u64 << exponent).wrapping_sub(1);
    let (mut carry, mut below): (u64, u64) = (0, 0);
    let last = n.len() - 1;
    let mut i = 0;
    while i <= last {
        let sum = u128::from(n[i])
            .wrapping_mul(u128::from(multiple))
            .wrapping_add(u128::from(x[i]))
            .wrapping_add(u128::from(carry));
        let limb = sum as u64;
        carry = (sum >> 64) as u64;
        if i > 0 {
            x[i - 1] = below | limb << 1 << (63 - exponent);
        }
        below = limb >> exponent;
        i += 1;
    }
    x[last] = below | carry << 1 << (63 - exponent);
    // Below R / 2^exponent + n.
    nat::sub_masked(x, n, Mask::from_bit(carry >> exponent));
}

/// `2^exponent`. The exponent is secret, so every limb is written.
fn set_power_of_two(x: &mut [u64], exponent: u64) {
    let mut from = 0;
    for limb in x {
        let bit = exponent.wrapping_sub(from);
        *limb = Mask::less(bit, 64).of(1 << (bit & 63));
        from += 64;
    }
}

#[cfg(test)]
mod tests {
    use num_bigint::BigUint;

    use super::super::portable::Portable;
    use super::*;
    use crate::test_support::{below, integer, limbs};

    /// Calls a generic function with each kernel's arithmetic.
    macro_rules! for_each_kernel {
        ($function:ident($($argument:expr),*)) => {
            $function(&Portable, $($argument),*);
            #[cfg(target_arch = "x86_64")]
            if crate::processor::has_mulx() {
                $function(&super::super::x86_64::Mulx::new(), $($argument),*);
            }
        };
    }

    /// Every length of a supported size, and those between: moduli that fill it and such that don't.
    fn moduli(random: &mut fastrand::Rng, length: usize) -> Vec<BigUint> {
        let one = BigUint::from(1u8);
        let radix = &one << (64 * length);
        let mut moduli = vec![
            &radix - 1u8,
            (&radix >> 1) + 1u8,
            (&radix >> 64) + 1u8,
            &radix - (&one << 64) + 1u8,
            &radix - (&radix >> 1 >> (32 * length)) - 1u8,
            BigUint::from(3u8),
        ];
        moduli.push(below(random, &radix) | &one);
        moduli.push(below(random, &radix) | &one | (&radix >> 1));
        moduli
    }

    /// Values in Montgomery form may exceed the modulus.
    fn values(random: &mut fastrand::Rng, n: &BigUint, length: usize) -> Vec<BigUint> {
        let radix = BigUint::from(1u8) << (64 * length);
        vec![
            BigUint::default(),
            BigUint::from(1u8),
            n - 1u8,
            n.clone(),
            &radix - 1u8,
            &radix - n,
            below(random, &radix),
        ]
    }

    /// Montgomery's reduction of a product, minus `n` on overflow.
    struct Reduction<'a> {
        n: &'a BigUint,
        radix: BigUint,
        /// `-n^-1 mod R`
        k: BigUint,
    }

    impl<'a> Reduction<'a> {
        fn new(n: &'a BigUint, length: usize) -> Self {
            let radix = BigUint::from(1u8) << (64 * length);
            let k = &radix - n.modinv(&radix).unwrap();
            Self { n, radix, k }
        }

        fn of(&self, product: &BigUint) -> BigUint {
            let sum = (product + product * &self.k % &self.radix * self.n) / &self.radix;
            if sum < self.radix { sum } else { sum - self.n }
        }
    }

    fn products<A: Arithmetic>(arithmetic: &A, reduced: &Reduction<'_>, values: &[BigUint]) {
        let length = reduced.radix.bits() as usize / 64;
        let n = limbs(reduced.n, length);
        let k = negative_inverse(n[0]);
        // What is in `t` doesn't matter.
        let mut t = vec![u64::MAX; 2 * length];
        for a in values {
            for b in values {
                let mut x = limbs(a, length);
                arithmetic.multiply(&mut x, &limbs(b, length), &n, k, &mut t);
                assert_eq!(integer(&x), reduced.of(&(a * b)), "{length} limbs");
            }
            for count in [1, 2, 5] {
                let mut x = limbs(a, length);
                arithmetic.square(&mut x, &n, k, &mut t, count);
                let expected = (0..count).fold(a.clone(), |x, _| reduced.of(&(&x * &x)));
                assert_eq!(integer(&x), expected, "{length} limbs");
            }
        }
    }

    #[test]
    fn every_kernel_multiplies_and_squares_as_a_big_integer_crate_does() {
        let mut random = fastrand::Rng::with_seed(11);
        for length in (8..=128).step_by(8) {
            for n in moduli(&mut random, length) {
                let values = values(&mut random, &n, length);
                let reduced = Reduction::new(&n, length);
                for_each_kernel!(products(&reduced, &values));
            }
        }
    }

    fn selections<A: Arithmetic>(arithmetic: &A, table: &[u64], length: usize) {
        for (index, entry) in table.chunks(length).enumerate() {
            let mut out = vec![u64::MAX; length];
            arithmetic.select(table, index as u64, &mut out);
            assert_eq!(out, entry, "{length} limbs, {index}");
        }
    }

    #[test]
    fn every_kernel_selects_each_entry() {
        let mut random = fastrand::Rng::with_seed(12);
        for length in (8..=128).step_by(8) {
            let table: Vec<_> = (0..WINDOW_ENTRIES * length)
                .map(|_| random.u64(..))
                .collect();
            for_each_kernel!(selections(&table, length));
        }
    }

    #[test]
    fn divisions_by_powers_of_two_agree_with_a_big_integer_crate() {
        let mut random = fastrand::Rng::with_seed(13);
        for length in [2, 16, 24] {
            for n in moduli(&mut random, length) {
                for value in values(&mut random, &n, length) {
                    for exponent in [0, 1, 2, 31, 62, 63] {
                        let (mut x, modulus) = (limbs(&value, length), limbs(&n, length));
                        let k = negative_inverse(modulus[0]);
                        divide_by_power_of_two(&mut x, exponent, &modulus, k);
                        assert_eq!((integer(&x) << exponent) % &n, &value % &n);
                    }
                }
            }
        }
    }
}
