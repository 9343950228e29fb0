//! One exponentiation at a time over 64-bit limbs: what the `mulx` and the portable kernel share.
//!
//! Values in Montgomery form stay below `R = 2^(64 len)` and not below the modulus ("almost Montgomery": `n` is subtracted only on overflow), which is all
//! that the next multiplication needs.

use zeroize::Zeroizing;

use super::{Power, Stop};
use crate::Mask;
use crate::nat::{self, Nat, negative_inverse};

/// The arithmetic of one kernel, for operands of `n.len()` limbs (a multiple of [`Arithmetic::BLOCK`]) and `k = -n^-1 mod 2^64`. Results are below `2^(64 n.len())`.
pub(super) trait Arithmetic {
    /// Lengths are multiples of so many limbs.
    const BLOCK: usize;

    /// `x = x·y / R mod n`. `t` is working storage of twice the length.
    fn multiply(&self, x: &mut [u64], y: &[u64], n: &[u64], k: u64, t: &mut [u64]);

    /// `x = x^2 / R mod n`, `count` times.
    fn square(&self, x: &mut [u64], n: &[u64], k: u64, t: &mut [u64], count: usize);

    /// Copies the entry at `index` of a table of [`WINDOW_ENTRIES`], reading all of them.
    fn select(&self, table: &[u64], index: u64, out: &mut [u64]);
}

const WINDOW_BITS: usize = 5;
/// Entries of the table that an exponentiation chooses its factors from.
pub(super) const WINDOW_ENTRIES: usize = 1 << WINDOW_BITS;
/// Bits of a digit of the exponent of two: the greatest ones shift a limb by 63 bits.
const DIGIT_BITS: usize = 6;

/// See [`super::base_two`].
pub(super) fn base_two<A: Arithmetic>(
    arithmetic: &A,
    candidates: &[&[u64]],
    bits: usize,
    stop: &Stop<'_>,
) -> Option<u8> {
    let mut result = 0;
    for (i, n) in candidates.iter().enumerate() {
        result |= u8::from(is_base_two(arithmetic, n, bits, stop)?) << i;
    }
    Some(result)
}

/// Computes `2^-E` for `E = (n-1)/2`, which is ±1 exactly when `2^E` is.
///
/// The start, `2^-s` for the highest bits `s` of `E`, is in Montgomery form the power of two `2^(64 len - s)`, and needs no reduction. Then a step is six squarings,
/// and a division by two to the next six bits.
fn is_base_two<A: Arithmetic>(
    arithmetic: &A,
    n: &[u64],
    bits: usize,
    stop: &Stop<'_>,
) -> Option<bool> {
    let n = &*padded::<A>(n);
    let radix_bits = 64 * n.len();
    let k = negative_inverse(n[0]);
    let mut t = nat::zero(2 * n.len());
    let exponent = nat::halve(n);
    // So that `s` is at most 64 len, and not zero, as its highest bit is that of E.
    let steps = (bits - 1 - radix_bits.ilog2() as usize).div_ceil(DIGIT_BITS);
    let start = window(&exponent, steps * DIGIT_BITS, 16);
    let mut x = nat::zero(n.len());
    set_power_of_two(&mut x, radix_bits as u64 - start);
    for step in (0..steps).rev() {
        if stop.is_set() {
            return None;
        }
        arithmetic.square(&mut x, n, k, &mut t, DIGIT_BITS);
        let digit = window(&exponent, step * DIGIT_BITS, DIGIT_BITS);
        divide_by_power_of_two(&mut x, digit, n, k);
    }
    leave(arithmetic, &mut x, n, k, &mut t);
    Some(super::is_one_or_minus_one(&x, n))
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

/// See [`super::power`].
pub(super) fn power<A: Arithmetic>(
    arithmetic: &A,
    jobs: &[Power<'_>],
    bits: usize,
    stop: &Stop<'_>,
) -> Option<Vec<Nat>> {
    jobs.iter()
        .map(|job| power_of(arithmetic, job, bits, stop))
        .collect()
}

fn power_of<A: Arithmetic>(
    arithmetic: &A,
    job: &Power<'_>,
    bits: usize,
    stop: &Stop<'_>,
) -> Option<Nat> {
    let n = &*padded::<A>(job.modulus);
    let length = n.len();
    let k = negative_inverse(n[0]);
    let mut t = nat::zero(2 * length);
    let (one, mut x) = enter(arithmetic, &padded::<A>(job.base), n, bits, k, &mut t);

    let mut table: Zeroizing<Vec<u64>> = nat::zero(WINDOW_ENTRIES * length);
    table[..length].copy_from_slice(&one);
    table[length..2 * length].copy_from_slice(&x);
    let base = x.clone();
    for entry in 2..WINDOW_ENTRIES {
        arithmetic.multiply(&mut x, &base, n, k, &mut t);
        table[entry * length..(entry + 1) * length].copy_from_slice(&x);
    }
    let windows = bits.div_ceil(WINDOW_BITS);
    let mut factor = nat::zero(length);
    for i in (0..windows).rev() {
        if stop.is_set() {
            return None;
        }
        let index = window(job.exponent, i * WINDOW_BITS, WINDOW_BITS);
        arithmetic.select(&table, index, &mut factor);
        if i == windows - 1 {
            x.copy_from_slice(&factor);
        } else {
            arithmetic.square(&mut x, n, k, &mut t, WINDOW_BITS);
            arithmetic.multiply(&mut x, &factor, n, k, &mut t);
        }
    }
    leave(arithmetic, &mut x, n, k, &mut t);
    nat::reduce_once(&mut x, 0, n);
    x.truncate(job.modulus.len());
    Some(x)
}

/// See [`super::multiply_mod`].
pub(super) fn multiply_mod<A: Arithmetic>(
    arithmetic: &A,
    a: &[u64],
    b: &[u64],
    n: &[u64],
    bits: usize,
) -> Nat {
    let length = n.len();
    let (a, b, n) = (&*padded::<A>(a), &*padded::<A>(b), &*padded::<A>(n));
    let k = negative_inverse(n[0]);
    let mut t = nat::zero(2 * n.len());
    let (_, mut x) = enter(arithmetic, a, n, bits, k, &mut t);
    arithmetic.multiply(&mut x, b, n, k, &mut t);
    nat::reduce_once(&mut x, 0, n);
    x.truncate(length);
    x
}

/// See [`super::power_public`].
pub(super) fn power_public<A: Arithmetic>(
    arithmetic: &A,
    a: &[u64],
    exponent: u64,
    n: &[u64],
    bits: usize,
) -> Nat {
    let length = n.len();
    let (a, n) = (&*padded::<A>(a), &*padded::<A>(n));
    let k = negative_inverse(n[0]);
    let mut t = nat::zero(2 * n.len());
    let (_, base) = enter(arithmetic, a, n, bits, k, &mut t);
    let mut x = base.clone();
    for i in (0..exponent.ilog2()).rev() {
        arithmetic.square(&mut x, n, k, &mut t, 1);
        if exponent >> i & 1 == 1 {
            arithmetic.multiply(&mut x, &base, n, k, &mut t);
        }
    }
    leave(arithmetic, &mut x, n, k, &mut t);
    nat::reduce_once(&mut x, 0, n);
    x.truncate(length);
    x
}

/// See [`super::residue`].
pub(super) fn residue<A: Arithmetic>(arithmetic: &A, a: &[u64], n: &[u64]) -> Nat {
    let length = n.len();
    debug_assert!(
        a.len() == 2 * length && length.is_multiple_of(A::BLOCK) && n[length - 1] >> 63 == 1
    );
    let (low, high) = a.split_at(length);
    let k = negative_inverse(n[0]);
    let mut t = nat::zero(2 * length);
    // The high half is to be multiplied by R, and its Montgomery form is just that.
    let (_, mut x) = enter(arithmetic, high, n, 64 * length, k, &mut t);
    let mut low = nat::extended(low, length);
    // Both are below R, which is below 2 n.
    nat::reduce_once(&mut x, 0, n);
    nat::reduce_once(&mut low, 0, n);
    let carry = nat::add(&mut x, &low);
    nat::reduce_once(&mut x, carry, n);
    x
}

/// 1 and `x` in Montgomery form.
fn enter<A: Arithmetic>(
    arithmetic: &A,
    x: &[u64],
    n: &[u64],
    bits: usize,
    k: u64,
    t: &mut [u64],
) -> (Nat, Nat) {
    let radix_bits = 64 * n.len();
    let one = nat::power_of_two_mod(n, bits, radix_bits);
    let two = nat::double_mod(&one, n);
    // R^2 mod n: the exponent of two in Montgomery form goes from 1 to 64 len, doubling and adding.
    let mut square = two.clone();
    for i in (0..radix_bits.ilog2()).rev() {
        arithmetic.square(&mut square, n, k, t, 1);
        if radix_bits >> i & 1 == 1 {
            arithmetic.multiply(&mut square, &two, n, k, t);
        }
    }
    arithmetic.multiply(&mut square, x, n, k, t);
    (one, square)
}

/// Leaves Montgomery form, for a residue in `0..=n`.
fn leave<A: Arithmetic>(arithmetic: &A, x: &mut [u64], n: &[u64], k: u64, t: &mut [u64]) {
    let mut unit = nat::zero(n.len());
    unit[0] = 1;
    arithmetic.multiply(x, &unit, n, k, t);
}

/// The same number in a length that the kernel can work with.
fn padded<A: Arithmetic>(number: &[u64]) -> Nat {
    nat::extended(number, number.len().next_multiple_of(A::BLOCK))
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

/// `count` bits from position `from` on; zeros beyond the end.
fn window(limbs: &[u64], from: usize, count: usize) -> u64 {
    let (limb, shift) = (from / 64, from % 64);
    let low = limbs.get(limb).map_or(0, |limb| limb >> shift);
    let high = limbs
        .get(limb + 1)
        .map_or(0, |limb| limb << 1 << (63 - shift));
    (low | high) & ((1 << count) - 1)
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
