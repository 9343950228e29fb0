//! Trial division by the odd primes below 2^16, which leaves one candidate in ten for an exponentiation.
//!
//! The primes are multiplied together in groups of up to four, below 2^52; a candidate is reduced modulo eight products per vector. The reduction is
//! an exact division from the low end (Jebelean; GMP's `modexact`): it costs two multiplications per limb and no division. Its remainder is off
//! by a power of two, which the question "is it divisible by p" doesn't mind. That question is one more multiplication: `c` below
//! 2^52 is a multiple of `p` exactly if `c·p^-1 mod 2^52` is at most `2^52 / p`.
//!
//! A candidate with a small factor is not secret and ends the loop early; one without goes through all of it.

#![allow(clippy::indexing_slicing, long_running_const_eval)] // fixed sizes; the tables are made at compile time, a second once

use crate::{declassify, nat::negative_inverse};

/// Products per vector.
pub(super) const WIDTH: usize = 8;
/// Vectors per block: they are reduced interleaved, and looked at together.
pub(super) const DEPTH: usize = 8;
/// Primes per product, at most.
pub(super) const SLOTS: usize = 4;
/// Why it may be known that a candidate has a small factor.
pub(super) const HAS_SMALL_FACTOR: &str =
    "a candidate with a small factor is no part of a key, and a prime has none";
/// Trial division goes up to here.
const LIMIT: usize = 1 << 16;
pub(super) const MASK52: u64 = (1 << 52) - 1;

/// Sixty-four products of primes. A slot without a prime repeats the first prime of its product.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Block {
    pub(super) product: [[u64; WIDTH]; DEPTH],
    /// `product^-1 mod 2^64`.
    pub(super) inverse: [[u64; WIDTH]; DEPTH],
    pub(super) slots: [[Slot; SLOTS]; DEPTH],
}

/// Eight primes of one vector.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Slot {
    /// `p^-1 mod 2^64`.
    pub(super) inverse: [u64; WIDTH],
    /// The largest quotient: `floor((2^52 - 1) / p)`.
    pub(super) limit: [u64; WIDTH],
}

pub(super) static BLOCKS: [Block; BLOCK_COUNT] = blocks();

const BLOCK_COUNT: usize = GROUPS.1.div_ceil(WIDTH * DEPTH);

/// The first prime's index of each group, and the number of groups.
const GROUPS: ([u16; 2200], usize) = groups();

const PRIME_COUNT: usize = 6541;

/// The odd primes below [`LIMIT`].
static PRIMES: [u16; PRIME_COUNT] = primes();

const fn primes() -> [u16; PRIME_COUNT] {
    let mut composite = [false; LIMIT / 2]; // of 2 i + 1
    let mut primes = [0; PRIME_COUNT];
    let mut count = 0;
    let mut i = 1;
    while i < LIMIT / 2 {
        if !composite[i] {
            let p = 2 * i + 1;
            primes[count] = p as u16;
            count += 1;
            let mut multiple = p * p / 2;
            while multiple < LIMIT / 2 {
                composite[multiple] = true;
                multiple += p;
            }
        }
        i += 1;
    }
    assert!(count == PRIME_COUNT);
    primes
}

const fn groups() -> ([u16; 2200], usize) {
    let mut starts = [0; 2200];
    let mut count = 0;
    let mut i = 0;
    while i < PRIME_COUNT {
        starts[count] = i as u16;
        count += 1;
        let mut product = 1;
        let mut slots = 0;
        while i < PRIME_COUNT && slots < SLOTS && product * (PRIMES[i] as u64) <= MASK52 {
            product *= PRIMES[i] as u64;
            slots += 1;
            i += 1;
        }
    }
    starts[count] = PRIME_COUNT as u16;
    (starts, count)
}

const fn blocks() -> [Block; BLOCK_COUNT] {
    const NO_SLOT: Slot = Slot {
        inverse: [0; WIDTH],
        limit: [0; WIDTH],
    };
    const EMPTY: Block = Block {
        product: [[0; WIDTH]; DEPTH],
        inverse: [[0; WIDTH]; DEPTH],
        slots: [[NO_SLOT; SLOTS]; DEPTH],
    };
    let mut blocks = [EMPTY; BLOCK_COUNT];
    let mut g = 0;
    while g < BLOCK_COUNT * DEPTH * WIDTH {
        let block = &mut blocks[g / (DEPTH * WIDTH)];
        let (depth, lane) = (g / WIDTH % DEPTH, g % WIDTH);
        // The last block repeats the last group.
        let group = if g < GROUPS.1 { g } else { GROUPS.1 - 1 };
        let (from, to) = (GROUPS.0[group] as usize, GROUPS.0[group + 1] as usize);
        let mut product = 1;
        let mut slot = 0;
        while slot < SLOTS {
            let used = from + slot < to;
            let p = PRIMES[if used { from + slot } else { from }] as u64;
            if used {
                product *= p;
            }
            block.slots[depth][slot].inverse[lane] = inverse(p);
            block.slots[depth][slot].limit[lane] = MASK52 / p;
            slot += 1;
        }
        block.product[depth][lane] = product;
        block.inverse[depth][lane] = inverse(product);
        g += 1;
    }
    blocks
}

const fn inverse(n: u64) -> u64 {
    negative_inverse(n).wrapping_neg()
}

/// Whether a prime below 2^16 divides the number. (Such a prime itself counts as divisible.)
pub(super) fn has_small_factor(n: &[u64]) -> bool {
    BLOCKS.iter().any(|block| divides(block, n))
}

/// Whether a prime of the block divides the number.
fn divides(block: &Block, n: &[u64]) -> bool {
    const STRIDE: usize = 4;
    let mut group = 0;
    while group < DEPTH * WIDTH {
        let (depth, lane) = (group / WIDTH, group % WIDTH);
        let product = &block.product[depth];
        let inverse = &block.inverse[depth];
        // Four at a time: each is one long chain of multiplications.
        let mut c = [0u64; STRIDE];
        let mut i = 0;
        while i < n.len() {
            let limb = n[i];
            let mut j = 0;
            while j < STRIDE {
                let (difference, borrow) = limb.overflowing_sub(c[j]);
                let q = difference.wrapping_mul(inverse[lane + j]);
                let high = (u128::from(q).wrapping_mul(u128::from(product[lane + j])) >> 64) as u64;
                c[j] = high.wrapping_add(borrow as u64);
                j += 1;
            }
            i += 1;
        }
        let mut divisible = false;
        let mut slot = 0;
        while slot < SLOTS {
            let primes = &block.slots[depth][slot];
            let mut j = 0;
            while j < STRIDE {
                divisible |=
                    c[j].wrapping_mul(primes.inverse[lane + j]) & MASK52 <= primes.limit[lane + j];
                j += 1;
            }
            slot += 1;
        }
        if declassify(divisible, HAS_SMALL_FACTOR) {
            return true;
        }
        group += STRIDE;
    }
    false
}
