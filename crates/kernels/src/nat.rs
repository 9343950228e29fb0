//! Natural numbers of a public, fixed length: little-endian 64-bit limbs. Values are secret, lengths are not: no branch and no address depends on a value.
//! What a function tells about a value, it tells as 0 or 1 and not as a `bool`, for the caller to declassify or to make a [`Mask`] of.
//!
//! Loops are `while` and arithmetic is wrapping, because that is what an unoptimised build runs fastest.

#![allow(clippy::indexing_slicing)] // lengths are equal where two slices meet, and asserted in debug builds

use zeroize::Zeroizing;

use crate::Mask;

/// A number that is wiped on drop.
pub type Nat = Zeroizing<Vec<u64>>;

/// Zero, in so many limbs.
pub fn zero(limbs: usize) -> Nat {
    Zeroizing::new(vec![0; limbs])
}

/// From big-endian bytes; `limbs` limbs must suffice.
pub fn from_bytes(bytes: &[u8], limbs: usize) -> Nat {
    debug_assert!(bytes.len() <= 8 * limbs);
    let mut value = zero(limbs);
    for (limb, chunk) in value.iter_mut().zip(bytes.rchunks(8)) {
        *limb = match chunk.try_into() {
            Ok(eight) => u64::from_be_bytes(eight),
            Err(_) => chunk
                .iter()
                .fold(0, |limb, byte| limb << 8 | u64::from(*byte)),
        };
    }
    value
}

/// To `length` big-endian bytes, which must suffice.
pub fn to_bytes(value: &[u64], length: usize) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(vec![0; length]);
    for (chunk, limb) in bytes.rchunks_mut(8).zip(value) {
        let from = limb.to_be_bytes();
        let skip = 8 - chunk.len();
        chunk.copy_from_slice(&from[skip..]);
    }
    bytes
}

/// `a + b`, with the carry.
pub fn add(a: &mut [u64], b: &[u64]) -> u64 {
    debug_assert_eq!(a.len(), b.len());
    let mut carry = 0;
    let mut i = 0;
    while i < a.len() {
        let sum = u128::from(a[i])
            .wrapping_add(u128::from(b[i]))
            .wrapping_add(u128::from(carry));
        a[i] = sum as u64;
        carry = (sum >> 64) as u64;
        i += 1;
    }
    carry
}

/// `a + (b & mask)`, without the carry.
pub fn add_masked(a: &mut [u64], b: &[u64], mask: Mask) {
    let masked: Nat = Zeroizing::new(b.iter().map(|limb| mask.of(*limb)).collect());
    add(a, &masked);
}

/// `a - b`, with the borrow.
pub fn sub(a: &mut [u64], b: &[u64]) -> u64 {
    sub_masked(a, b, Mask::ALL)
}

/// `a - (b & mask)`, with the borrow.
pub(crate) fn sub_masked(a: &mut [u64], b: &[u64], mask: Mask) -> u64 {
    debug_assert_eq!(a.len(), b.len());
    let mut borrow = 0;
    let mut i = 0;
    while i < a.len() {
        let difference = u128::from(a[i])
            .wrapping_sub(u128::from(mask.of(b[i])))
            .wrapping_sub(u128::from(borrow));
        a[i] = difference as u64;
        borrow = (difference >> 64) as u64 & 1;
        i += 1;
    }
    borrow
}

/// 1 if `a < b`, else 0.
pub fn less(a: &[u64], b: &[u64]) -> u64 {
    assert_eq!(a.len(), b.len());
    let mut borrow = 0;
    let mut i = 0;
    while i < a.len() {
        let difference = u128::from(a[i])
            .wrapping_sub(u128::from(b[i]))
            .wrapping_sub(u128::from(borrow));
        borrow = (difference >> 64) as u64 & 1;
        i += 1;
    }
    borrow
}

/// 1 if every limb is zero, else 0.
pub fn is_zero(a: &[u64]) -> u64 {
    Mask::equal(a.iter().fold(0, |all, limb| all | limb), 0).of(1)
}

/// 1 if two numbers of equal length are equal, else 0.
pub fn equal(a: &[u64], b: &[u64]) -> u64 {
    assert_eq!(a.len(), b.len());
    Mask::equal(a.iter().zip(b).fold(0, |all, (a, b)| all | (a ^ b)), 0).of(1)
}

/// The same number in `limbs` limbs, at least as many as now.
pub fn extended(a: &[u64], limbs: usize) -> Nat {
    let mut wide = zero(limbs);
    wide[..a.len()].copy_from_slice(a);
    wide
}

/// Subtracts `n` from `carry·2^(64 len) + value` if that is at least `n`.
pub fn reduce_once(value: &mut [u64], carry: u64, n: &[u64]) {
    let keep = less(value, n) & (carry ^ 1);
    sub_masked(value, n, Mask::from_bit(keep ^ 1));
}

/// `2 x mod n` for `x < n`.
pub(crate) fn double_mod(x: &[u64], n: &[u64]) -> Nat {
    let mut twice = zero(x.len());
    let mut carry = 0;
    let mut i = 0;
    while i < x.len() {
        twice[i] = x[i] << 1 | carry;
        carry = x[i] >> 63;
        i += 1;
    }
    reduce_once(&mut twice, carry, n);
    twice
}

/// `2^exponent mod n` for an `n` of exactly `bits` bits, in time proportional to `exponent - bits`.
pub(crate) fn power_of_two_mod(n: &[u64], bits: usize, exponent: usize) -> Nat {
    debug_assert!(exponent >= bits && n[(bits - 1) / 64] >> ((bits - 1) % 64) == 1);
    let mut value = zero(n.len());
    if bits < 64 * n.len() {
        value[bits / 64] = 1 << (bits % 64);
    }
    sub(&mut value, n);
    let mut i = bits;
    while i < exponent {
        value = double_mod(&value, n);
        i += 1;
    }
    value
}

/// `t += a·w` over the limbs of `a`, with the carry.
pub(crate) fn add_product(t: &mut [u64], a: &[u64], w: u64) -> u64 {
    let mut carry: u64 = 0;
    let length = if t.len() < a.len() { t.len() } else { a.len() };
    let mut i = 0;
    while i < length {
        let sum = u128::from(a[i])
            .wrapping_mul(u128::from(w))
            .wrapping_add(u128::from(t[i]))
            .wrapping_add(u128::from(carry));
        t[i] = sum as u64;
        carry = (sum >> 64) as u64;
        i += 1;
    }
    carry
}

/// `a·b`, in as many limbs as both together.
pub fn mul(a: &[u64], b: &[u64]) -> Nat {
    let mut product = zero(a.len() + b.len());
    for (i, limb) in b.iter().enumerate() {
        product[i + a.len()] = add_product(&mut product[i..], a, *limb);
    }
    product
}

/// `value·w + addend`, in one limb more.
pub fn mul_small(value: &[u64], w: u64, addend: u64) -> Nat {
    let mut product = zero(value.len() + 1);
    product[0] = addend;
    let last = value.len();
    product[last] = add_product(&mut product, value, w);
    product
}

/// `a / divisor` for an odd divisor that divides `a`: multiplication by its inverse modulo 2^64, limb by limb (Jebelean's exact division).
pub fn divide_exactly(a: &mut [u64], divisor: u64) {
    let inverse = negative_inverse(divisor).wrapping_neg();
    let mut borrow: u64 = 0;
    for limb in a.iter_mut() {
        let difference = u128::from(*limb).wrapping_sub(u128::from(borrow));
        *limb = (difference as u64).wrapping_mul(inverse);
        borrow = ((u128::from(*limb).wrapping_mul(u128::from(divisor)) >> 64) as u64)
            .wrapping_add((difference >> 64) as u64 & 1);
    }
}

/// 1 if an odd `m` divides `a`, else 0: the same with a long divisor, for a quotient no longer than `m`.
pub fn is_multiple(a: &[u64], m: &[u64]) -> u64 {
    assert!(m[0] & 1 == 1 && a.len() >= m.len() && a.len() <= 2 * m.len());
    let length = m.len();
    let k = negative_inverse(m[0]);
    // Montgomery's reduction: multiples of m are added until the low limbs are zero, and what is left of a multiple is 0 or m.
    let mut t = extended(a, 2 * length);
    let mut carry = 0;
    let mut i = 0;
    while i < length {
        let digit = t[i].wrapping_mul(k);
        let over = add_product(&mut t[i..i + length], m, digit);
        let sum = u128::from(t[i + length])
            .wrapping_add(u128::from(over))
            .wrapping_add(u128::from(carry));
        t[i + length] = sum as u64;
        carry = (sum >> 64) as u64;
        i += 1;
    }
    let left = &t[length..];
    (is_zero(left) | equal(left, m)) & (carry ^ 1)
}

/// `count` bits from position `from` on, fewer than 64; zeros beyond the end.
pub(crate) fn window(limbs: &[u64], from: usize, count: usize) -> u64 {
    let (limb, shift) = (from / 64, from % 64);
    let low = limbs.get(limb).map_or(0, |limb| limb >> shift);
    let high = limbs
        .get(limb + 1)
        .map_or(0, |limb| limb << 1 << (63 - shift));
    (low | high) & ((1 << count) - 1)
}

/// `a >> 1`.
pub fn halve(a: &[u64]) -> Nat {
    let mut half = zero(a.len());
    let mut above = 0;
    for i in (0..a.len()).rev() {
        half[i] = a[i] >> 1 | above;
        above = a[i] << 63;
    }
    half
}

/// `a mod 65537`: 2^16 is -1, so the 16-bit digits are added with alternating signs.
pub fn mod_65537(a: &[u64]) -> u64 {
    let (mut even, mut odd): (u64, u64) = (0, 0);
    for limb in a {
        even = even
            .wrapping_add(limb & 0xffff)
            .wrapping_add(limb >> 32 & 0xffff);
        odd = odd
            .wrapping_add(limb >> 16 & 0xffff)
            .wrapping_add(limb >> 48);
    }
    // A multiple of 65537 above any sum of up to 2^15 limbs keeps the difference positive.
    fold_65537(even.wrapping_add(65537 << 32).wrapping_sub(odd))
}

/// `value mod 65537` for any value below 2^62.
fn fold_65537(value: u64) -> u64 {
    const N: u64 = 65537;
    // high·2^16 + low = low - high, kept positive by a multiple of N that covers high: 62 bits become 47, then 32, then less than 3 N.
    let mut v = value;
    v = (v & 0xffff).wrapping_add(N << 30).wrapping_sub(v >> 16);
    v = (v & 0xffff).wrapping_add(N << 15).wrapping_sub(v >> 16);
    v = (v & 0xffff).wrapping_add(N).wrapping_sub(v >> 16);
    subtract_unless_negative(subtract_unless_negative(v, 2 * N), N)
}

/// `value - n` unless that is negative.
fn subtract_unless_negative(value: u64, n: u64) -> u64 {
    let difference = value.wrapping_sub(n);
    difference.wrapping_add(Mask::from_bit(difference >> 63).of(n))
}

/// `a^-1 mod 65537` (0 for 0): `a^65535`, by Fermat.
pub fn invert_65537(a: u64) -> u64 {
    let mut result = 1;
    let mut i = 0;
    while i < 16 {
        result = fold_65537(result * result);
        result = fold_65537(result * a);
        i += 1;
    }
    result
}

/// The greatest common divisor of two numbers of equal length, the first one odd: Bernstein and Yang's division steps
/// (<https://eprint.iacr.org/2019/266>, theorem 11.2 bounds their number), 62 at a time.
pub fn gcd_odd(f: &[u64], g: &[u64]) -> Nat {
    debug_assert!(f[0] & 1 == 1 && f.len() == g.len());
    // Two's complement, one limb more.
    let length = f.len() + 1;
    let (mut f, mut g) = (extended(f, length), extended(g, length));
    let mut delta: i64 = 1;
    let steps = (49 * 64 * (length - 1) + 57) / 17;
    let mut done = 0;
    while done < steps {
        let (next, [u, v, q, r]) = division_steps(delta, f[0], g[0]);
        delta = next;
        let (mut carry_f, mut carry_g): (i128, i128) = (0, 0);
        let (mut last_f, mut last_g) = (0, 0);
        let mut i = 0;
        while i < length {
            // Limbs are unsigned except the top one.
            let top = i == length - 1;
            let a = if top {
                i128::from(f[i] as i64)
            } else {
                i128::from(f[i])
            };
            let b = if top {
                i128::from(g[i] as i64)
            } else {
                i128::from(g[i])
            };
            carry_f = carry_f
                .wrapping_add(i128::from(u).wrapping_mul(a))
                .wrapping_add(i128::from(v).wrapping_mul(b));
            carry_g = carry_g
                .wrapping_add(i128::from(q).wrapping_mul(a))
                .wrapping_add(i128::from(r).wrapping_mul(b));
            let (low_f, low_g) = (carry_f as u64, carry_g as u64);
            carry_f >>= 64;
            carry_g >>= 64;
            if i > 0 {
                f[i - 1] = last_f >> 62 | low_f << 2;
                g[i - 1] = last_g >> 62 | low_g << 2;
            }
            (last_f, last_g) = (low_f, low_g);
            i += 1;
        }
        f[length - 1] = last_f >> 62 | (carry_f as u64) << 2;
        g[length - 1] = last_g >> 62 | (carry_g as u64) << 2;
        done += 62;
    }
    debug_assert_eq!(is_zero(&g), 1);
    // f is plus or minus the divisor.
    let negative = Mask::from_bit(f[length - 1] >> 63);
    let mut carry = negative.of(1);
    let mut result = zero(length - 1);
    let mut i = 0;
    while i < length - 1 {
        let sum = u128::from(f[i] ^ negative.of(u64::MAX)).wrapping_add(u128::from(carry));
        result[i] = sum as u64;
        carry = (sum >> 64) as u64;
        i += 1;
    }
    result
}

/// 62 division steps on the low limbs: the new `delta`, and the matrix `[u v; q r]` that takes `(f, g)` to 2^62 times the next.
fn division_steps(mut delta: i64, mut f: u64, mut g: u64) -> (i64, [i64; 4]) {
    let (mut u, mut v, mut q, mut r): (u64, u64, u64, u64) = (1, 0, 0, 1);
    let mut i = 0;
    while i < 62 {
        let odd = Mask::from_bit(g & 1);
        // If delta > 0 and g is odd, (f, g) becomes (g, g - f), else (f, g + f) or (f, g).
        let swap = Mask::from_bit(odd.of(delta.wrapping_neg() as u64 >> 63));
        let (f0, u0, v0) = (f, u, v);
        f = swap.select(g, f);
        u = swap.select(q, u);
        v = swap.select(r, v);
        let (flip, sign) = (swap.of(u64::MAX), swap.of(1));
        g = g.wrapping_add(odd.of((f0 ^ flip).wrapping_add(sign)));
        q = q.wrapping_add(odd.of((u0 ^ flip).wrapping_add(sign)));
        r = r.wrapping_add(odd.of((v0 ^ flip).wrapping_add(sign)));
        delta = ((delta as u64 ^ flip).wrapping_add(sign) as i64).wrapping_add(1);
        g >>= 1;
        u = u.wrapping_shl(1);
        v = v.wrapping_shl(1);
        i += 1;
    }
    (delta, [u as i64, v as i64, q as i64, r as i64])
}

/// `-n^-1 mod 2^64` for an odd `n`, by Newton's iteration: each step doubles the number of correct bits, and `n` is its own inverse modulo 8.
pub(crate) const fn negative_inverse(n: u64) -> u64 {
    let mut inverse = n;
    let mut i = 0;
    while i < 5 {
        inverse = inverse.wrapping_mul(2u64.wrapping_sub(n.wrapping_mul(inverse)));
        i += 1;
    }
    inverse.wrapping_neg()
}

#[cfg(test)]
mod tests {
    use num_bigint::BigUint;

    use super::*;
    use crate::test_support::{below, integer, limbs};

    fn euclid(a: &BigUint, b: &BigUint) -> BigUint {
        if *b == BigUint::default() {
            a.clone()
        } else {
            euclid(b, &(a % b))
        }
    }

    /// The signature that leaves is one that two numbers agree on, and not a beginning of them.
    #[test]
    fn numbers_of_different_lengths_are_not_compared() {
        for compare in [equal, less] {
            assert!(std::panic::catch_unwind(|| compare(&[1, 2], &[1])).is_err());
        }
    }

    #[test]
    fn bytes_go_in_and_out() {
        let bytes: Vec<u8> = (1..=17).collect();
        let number = from_bytes(&bytes, 3);
        assert_eq!(*number, [0x0a0b_0c0d_0e0f_1011, 0x0203_0405_0607_0809, 1]);
        assert_eq!(*to_bytes(&number, 17), bytes);
        assert_eq!(to_bytes(&number, 20)[..4], [0, 0, 0, 1]);
    }

    #[test]
    fn divisors_agree_with_euclid() {
        let mut random = fastrand::Rng::with_seed(1);
        for length in [1usize, 2, 16, 17, 33] {
            let bound = BigUint::from(1u8) << (64 * length - 4);
            for common in [1u32, 3, 65537, 0x7fff_ffff] {
                let part = &bound / common;
                for _ in 0..3 {
                    let f = (below(&mut random, &part) | BigUint::from(1u8)) * common;
                    for g in [
                        below(&mut random, &part) * common,
                        f.clone(),
                        BigUint::from(common),
                        BigUint::default(),
                    ] {
                        assert_eq!(
                            integer(&gcd_odd(&limbs(&f, length), &limbs(&g, length))),
                            euclid(&f, &g),
                            "{f} {g}"
                        );
                    }
                }
            }
        }
        // Full top limbs.
        let f = limbs(&((BigUint::from(1u8) << 128) - 1u8), 2);
        let g = limbs(&((BigUint::from(1u8) << 128) - 4u8), 2);
        assert_eq!(*gcd_odd(&f, &g), [3, 0]);
    }

    #[test]
    fn exact_divisions_are_exact() {
        let mut random = fastrand::Rng::with_seed(2);
        for divisor in [1u64, 3, 65537, 0x7fff_ffff, u64::MAX] {
            let quotient = below(&mut random, &(BigUint::from(1u8) << 1000));
            let mut product = limbs(&(&quotient * divisor), 17);
            divide_exactly(&mut product, divisor);
            assert_eq!(integer(&product), quotient);
        }
    }

    #[test]
    fn multiples_are_told_from_their_neighbours() {
        let mut random = fastrand::Rng::with_seed(4);
        for length in [1usize, 2, 16, 17] {
            let bound = BigUint::from(1u8) << (64 * length);
            let least = limbs(&BigUint::from(1u8), length);
            let full = limbs(&(&bound - 1u8), length);
            let odd = limbs(&(below(&mut random, &bound) | BigUint::from(1u8)), length);
            for m in [full, odd] {
                for quotient in [
                    BigUint::default(),
                    BigUint::from(1u8),
                    below(&mut random, &bound),
                    &bound - 1u8,
                ] {
                    let product = integer(&m) * quotient;
                    let is_multiple = |a: &BigUint| is_multiple(&limbs(a, 2 * length), &m);
                    assert_eq!(is_multiple(&product), 1, "{product}");
                    assert_eq!(is_multiple(&(&product + 1u8)), 0, "{product}");
                    if product > BigUint::default() {
                        assert_eq!(is_multiple(&(&product - 1u8)), 0, "{product}");
                    }
                }
            }
            assert_eq!(is_multiple(&least, &least), 1);
        }
    }

    #[test]
    fn residues_modulo_65537_are_right() {
        let mut random = fastrand::Rng::with_seed(3);
        let n = BigUint::from(65537u32);
        for length in [1usize, 2, 32, 128] {
            let all: BigUint = (BigUint::from(1u8) << (64 * length)) - 1u8;
            for a in [
                BigUint::default(),
                all.clone(),
                n.clone(),
                BigUint::from(65536u32),
                below(&mut random, &all),
                &all / &n * &n,
            ] {
                assert_eq!(BigUint::from(mod_65537(&limbs(&a, length))), a % &n);
            }
        }
        for a in [1, 2, 3, 255, 256, 65535, 65536] {
            assert_eq!(a * invert_65537(a) % 65537, 1);
        }
        assert_eq!(invert_65537(0), 0);
    }

    #[test]
    fn powers_of_two_are_reduced() {
        let n = (BigUint::from(3u8) << 126) + 7u8;
        for exponent in [128, 129, 200] {
            assert_eq!(
                integer(&power_of_two_mod(&limbs(&n, 2), 128, exponent)),
                (BigUint::from(1u8) << exponent) % &n
            );
        }
    }
}
