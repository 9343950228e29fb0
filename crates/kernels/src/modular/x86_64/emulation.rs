//! The assembly of the IFMA kernel in Rust, lane by lane, for tests alone: Valgrind can run it. The values are those of the assembly, unreduced ones too.

use super::vector::Vector;
use crate::kernel::LANES;
use crate::modular::sieve::{BLOCKS, DEPTH, HAS_SMALL_FACTOR, MASK52, WIDTH};
use crate::modular::window::WINDOW_ENTRIES;
use crate::{Kernel, declassify, gate};

pub(super) fn square(x: &mut [Vector], n: &[Vector], k: &Vector, masks: &[u8]) {
    for mask in masks {
        for lane in 0..LANES {
            let factor = column(x, lane);
            let double = u64::from(*mask) >> lane & 1;
            multiply_lane(x, &factor, n, k, lane, double);
        }
    }
}

pub(super) fn multiply(x: &mut [Vector], y: &[Vector], n: &[Vector], k: &Vector) {
    for lane in 0..LANES {
        multiply_lane(x, &column(y, lane), n, k, lane, 0);
    }
}

fn multiply_lane(x: &mut [Vector], y: &[u64], n: &[Vector], k: &Vector, lane: usize, double: u64) {
    let product = product(&column(x, lane), y, &column(n, lane), k.0[lane], double);
    for (limb, value) in x.iter_mut().zip(product) {
        limb.0[lane] = value;
    }
}

fn column(vectors: &[Vector], lane: usize) -> Vec<u64> {
    vectors.iter().map(|limb| limb.0[lane]).collect()
}

/// `limbs` of the numbers' limbs lie across each half's `vectors`.
pub(super) fn multiply_pair(
    x: &mut [Vector],
    y: &[Vector],
    n: &[Vector],
    k: [u64; 2],
    vectors: usize,
    limbs: usize,
) {
    let across = |half: &[Vector]| -> Vec<u64> {
        let limb = |i: usize| half[i % vectors].0[i / vectors];
        (0..limbs).map(limb).collect()
    };
    let halves = y.chunks(vectors).zip(n.chunks(vectors)).zip(k);
    for (x, ((y, n), k)) in x.chunks_mut(vectors).zip(halves) {
        let product = product(&across(x), &across(y), &across(n), k, 0);
        for (i, limb) in product.into_iter().enumerate() {
            x[i % vectors].0[i / vectors] = limb;
        }
    }
}

/// `x·y / 2^(52 L) mod n`, times two if `double` is 1: without a subtraction of `n` at the end.
fn product(x: &[u64], y: &[u64], n: &[u64], k: u64, double: u64) -> Vec<u64> {
    gate::ran(Kernel::Ifma);
    let limbs = x.len();
    let mut columns = vec![0u128; 2 * limbs];
    for i in 0..limbs {
        for j in 0..limbs {
            columns[i + j] += u128::from(x[i]) * u128::from(y[j]);
        }
    }
    for i in 0..limbs {
        let digit = (columns[i] as u64).wrapping_mul(k) & MASK52;
        for j in 0..limbs {
            columns[i + j] += u128::from(digit) * u128::from(n[j]);
        }
        columns[i + 1] += columns[i] >> 52;
    }
    let mut carry = 0;
    let normalised = columns[limbs..].iter().map(|column| {
        let sum = (column << double) + carry;
        carry = sum >> 52;
        sum as u64 & MASK52
    });
    normalised.collect()
}

pub(super) fn select(y: &mut [Vector], table: &[Vector], bits: &[Vector]) {
    gate::ran(Kernel::Ifma);
    for (y, entries) in y.iter_mut().zip(table.chunks(WINDOW_ENTRIES)) {
        for lane in 0..LANES {
            y.0[lane] = (0..WINDOW_ENTRIES).fold(0, |sum, entry| {
                let its_bit = |i: usize| 0u64.wrapping_sub(entry as u64 >> i & 1);
                let bits = bits.iter().enumerate();
                let mask = bits.fold(u64::MAX, |all, (i, bit)| all & !(bit.0[lane] ^ its_bit(i)));
                sum | mask & entries[entry].0[lane]
            });
        }
    }
}

pub(super) fn has_small_factor(limbs: &[u64]) -> bool {
    gate::ran(Kernel::Ifma);
    BLOCKS.iter().any(|block| {
        let mut found = false;
        for depth in 0..DEPTH {
            for lane in 0..WIDTH {
                let (product, inverse) = (block.product[depth][lane], block.inverse[depth][lane]);
                let remainder = limbs.iter().fold(0, |c: u64, limb| {
                    let difference = limb.wrapping_sub(c);
                    let digit = difference.wrapping_mul(inverse) & MASK52;
                    ((u128::from(digit) * u128::from(product)) >> 52) as u64 + (difference >> 63)
                });
                for slot in &block.slots[depth] {
                    let quotient = remainder.wrapping_mul(slot.inverse[lane]) & MASK52;
                    found |= quotient <= slot.limit[lane];
                }
            }
        }
        declassify(found, HAS_SMALL_FACTOR)
    })
}
