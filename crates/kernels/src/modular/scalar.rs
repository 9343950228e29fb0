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

    /// `x = x·w / 2^64 mod n`, for any `w`.
    fn scale(&self, x: &mut [u64], w: u64, n: &[u64], k: u64, t: &mut [u64]);
}

const WINDOW_BITS: usize = 4;
const WINDOW_ENTRIES: usize = 1 << WINDOW_BITS;
/// Bits of a digit of the exponent of two.
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
/// Six squarings, then a multiplication by `2^(digit - 64)`, which is a shift and one row of a reduction: a step takes the inverse power `s` to
/// `64 s + (64 - digit)`. So the digits of `E` are needed in base 64 with digits 1 to 64. With `F = E - (1 + 64 + 64^2 + ...)` they are the
/// ordinary digits of `F` plus one, and `digit` is 63 minus the ordinary one. The start, `2^-s` in Montgomery form, is the power of two `2^(64 len - s)`.
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
    let steps = (bits - 1 - radix_bits.ilog2() as usize).div_ceil(DIGIT_BITS);
    let mut ones = nat::zero(n.len());
    for step in 0..steps {
        ones[step * DIGIT_BITS / 64] |= 1 << (step * DIGIT_BITS % 64);
    }
    let mut exponent = nat::halve(n);
    nat::sub(&mut exponent, &ones);
    let start = window(&exponent, steps * DIGIT_BITS, 16) as usize;
    let mut x = nat::zero(n.len());
    set_power_of_two(&mut x, (radix_bits - start) as u64);
    for step in (0..steps).rev() {
        if stop.is_set() {
            return None;
        }
        arithmetic.square(&mut x, n, k, &mut t, DIGIT_BITS);
        let digit = 63 - window(&exponent, step * DIGIT_BITS, DIGIT_BITS);
        arithmetic.scale(&mut x, 1 << digit, n, k, &mut t);
    }
    leave(arithmetic, &mut x, n, k, &mut t);
    Some(super::is_one_or_minus_one(&x, n))
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
        select(
            &table,
            window(job.exponent, i * WINDOW_BITS, WINDOW_BITS),
            &mut factor,
        );
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

/// Copies the entry at `index`, reading all of them.
fn select(table: &[u64], index: u64, out: &mut [u64]) {
    out.fill(0);
    let mut entry = 0;
    while entry < WINDOW_ENTRIES {
        let mask = Mask::equal(entry as u64, index);
        let from = entry * out.len();
        let mut i = 0;
        while i < out.len() {
            out[i] |= mask.of(table[from + i]);
            i += 1;
        }
        entry += 1;
    }
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
