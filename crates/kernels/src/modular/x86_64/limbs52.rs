//! Limbs of 52 bits instead of 64.

use super::super::sieve::MASK52;

/// Limb `i` of a number in 64-bit limbs; zeros beyond its end.
pub(super) fn limb(number: &[u64], i: usize) -> u64 {
    let (at, shift) = (i * 52 / 64, i * 52 % 64);
    let low = if at < number.len() {
        number[at] >> shift
    } else {
        0
    };
    let high = if shift > 12 && at + 1 < number.len() {
        number[at + 1] << (64 - shift)
    } else {
        0
    };
    (low | high) & MASK52
}

/// Fills `out` with the 64-bit limbs of a number of `count` limbs.
pub(super) fn join(out: &mut [u64], count: usize, limb: impl Fn(usize) -> u64) {
    let mut i = 0;
    while i < out.len() {
        let (at, shift) = (i * 64 / 52, i * 64 % 52);
        let mut value = if at < count { limb(at) >> shift } else { 0 };
        let mut have = 52 - shift;
        let mut next = at + 1;
        while have < 64 {
            if next < count {
                value |= limb(next) << have;
            }
            have += 52;
            next += 1;
        }
        out[i] = value;
        i += 1;
    }
}
