//! The assembly of the IFMA kernel in Rust, lane by lane, for tests alone: Valgrind can run it. The values are those of the assembly, unreduced ones too.

use super::ifma::Vector;
use crate::kernel::LANES;
use crate::modular::sieve::{BLOCKS, DEPTH, HAS_SMALL_FACTOR, MASK52, WIDTH};
use crate::{Kernel, Mask, declassify, gate};

pub(super) fn square(x: &mut [Vector], n: &[Vector], k: &Vector, masks: &[u8]) {
    for mask in masks {
        for lane in 0..LANES {
            let factor: Vec<u64> = x.iter().map(|limb| limb.0[lane]).collect();
            let double = u64::from(*mask) >> lane & 1;
            multiply_lane(x, &factor, n, k, lane, double);
        }
    }
}

pub(super) fn multiply(x: &mut [Vector], y: &[Vector], n: &[Vector], k: &Vector) {
    for lane in 0..LANES {
        let factor: Vec<u64> = y.iter().map(|limb| limb.0[lane]).collect();
        multiply_lane(x, &factor, n, k, lane, 0);
    }
}

/// `x = x·y / 2^(52 L) mod n`, times two if `double` is 1, in one lane: without a subtraction of `n` at the end.
fn multiply_lane(x: &mut [Vector], y: &[u64], n: &[Vector], k: &Vector, lane: usize, double: u64) {
    gate::ran(Kernel::Ifma);
    let limbs = x.len();
    let mut columns = vec![0u128; 2 * limbs];
    for i in 0..limbs {
        for j in 0..limbs {
            columns[i + j] += u128::from(x[i].0[lane]) * u128::from(y[j]);
        }
    }
    for i in 0..limbs {
        let digit = (columns[i] as u64).wrapping_mul(k.0[lane]) & MASK52;
        for j in 0..limbs {
            columns[i + j] += u128::from(digit) * u128::from(n[j].0[lane]);
        }
        columns[i + 1] += columns[i] >> 52;
    }
    let mut carry = 0;
    for (limb, column) in x.iter_mut().zip(&columns[limbs..]) {
        let sum = (column << double) + carry;
        limb.0[lane] = sum as u64 & MASK52;
        carry = sum >> 52;
    }
}

pub(super) fn select(y: &mut [Vector], table: &[Vector], index: &Vector) {
    gate::ran(Kernel::Ifma);
    let limbs = y.len();
    for lane in 0..LANES {
        for limb in 0..limbs {
            y[limb].0[lane] = (0..table.len() / limbs).fold(0, |sum, entry| {
                sum | Mask::equal(entry as u64, index.0[lane])
                    .of(table[entry * limbs + limb].0[lane])
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
