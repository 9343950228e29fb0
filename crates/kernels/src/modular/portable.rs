//! Plain Rust: `u64 x u64 -> u128`, for every target.
//!
//! Four rows of products at a time, column by column: each row has its own carry, so that four chains of additions run side by side, and a column is read
//! and written once for all of them. `while` and wrapping arithmetic, because an unoptimised build runs this as it stands.

use super::scalar::Arithmetic;
use super::window::WINDOW_ENTRIES;
use crate::{Mask, nat};

pub(super) struct Portable;

/// `v + a·w + c`, in two limbs: the low one stays in `v`, the high one becomes the row's carry.
macro_rules! accumulate {
    ($v:ident, $a:expr, $w:expr, $c:expr) => {
        let sum = ($a as u128)
            .wrapping_mul($w as u128)
            .wrapping_add($v as u128)
            .wrapping_add($c as u128);
        $v = sum as u64;
        $c = (sum >> 64) as u64;
    };
}

impl Arithmetic for Portable {
    fn multiply(&self, x: &mut [u64], y: &[u64], n: &[u64], k: u64, t: &mut [u64]) {
        #[cfg(any(test, constant_time))]
        crate::gate::ran(crate::Kernel::Portable);
        t.fill(0);
        let length = n.len();
        let mut i = 0;
        while i < length {
            // Four columns in which not every row has a product yet, then those with four.
            let w = [y[i], y[i + 1], y[i + 2], y[i + 3]];
            let mut c = [0; 4];
            let t = &mut t[i..i + length + 4];
            let mut j = 0;
            while j < 4 {
                let mut v = t[j];
                let mut r = 0;
                while r <= j {
                    accumulate!(v, x[j - r], w[r], c[r]);
                    r += 1;
                }
                t[j] = v;
                j += 1;
            }
            four_rows(t, x, w, &mut c, 4);
            last_columns(t, x, w, c, 0);
            i += 4;
        }
        reduce(x, n, k, t);
    }

    fn square(&self, x: &mut [u64], n: &[u64], k: u64, t: &mut [u64], count: usize) {
        #[cfg(any(test, constant_time))]
        crate::gate::ran(crate::Kernel::Portable);
        for _ in 0..count {
            t.fill(0);
            off_diagonal(x, t);
            double_and_add_squares(x, t);
            reduce(x, n, k, t);
        }
    }

    fn select(&self, table: &[u64], index: u64, out: &mut [u64]) {
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
}

/// The columns `from..a.len()` of four rows: all of their products.
#[inline(always)]
fn four_rows(t: &mut [u64], a: &[u64], w: [u64; 4], c: &mut [u64; 4], from: usize) {
    let length = a.len();
    let t = &mut t[..length];
    let [w0, w1, w2, w3] = w;
    let [mut c0, mut c1, mut c2, mut c3] = *c;
    let mut j = from;
    while j < length {
        let mut v = t[j];
        accumulate!(v, a[j], w0, c0);
        accumulate!(v, a[j - 1], w1, c1);
        accumulate!(v, a[j - 2], w2, c2);
        accumulate!(v, a[j - 3], w3, c3);
        t[j] = v;
        j += 1;
    }
    *c = [c0, c1, c2, c3];
}

/// The four columns after the last limb of `a`: one row after the other ends, and leaves its carry. `extra` is a carry into the first of them; returns
/// the carry out of the last.
#[inline(always)]
fn last_columns(t: &mut [u64], a: &[u64], w: [u64; 4], mut c: [u64; 4], extra: u64) -> u64 {
    let length = a.len();
    let mut extra = extra;
    let mut s = 0;
    while s < 4 {
        let sum = u128::from(t[length + s])
            .wrapping_add(u128::from(c[s]))
            .wrapping_add(u128::from(extra));
        let mut v = sum as u64;
        extra = (sum >> 64) as u64;
        let mut r = s + 1;
        while r < 4 {
            accumulate!(v, a[length + s - r], w[r], c[r]);
            r += 1;
        }
        t[length + s] = v;
        s += 1;
    }
    extra
}

/// The products of different limbs of `x`, each once.
fn off_diagonal(x: &[u64], t: &mut [u64]) {
    let mut i = 0;
    while i < x.len() {
        let a = &x[i..];
        let length = a.len();
        let w = [a[0], a[1], a[2], a[3]];
        let mut c = [0; 4];
        let t = &mut t[2 * i..2 * i + length + 4];
        // Row r begins at column 2 r + 1, so that all four have a product from column 7 on.
        let head = if length < 7 { length } else { 7 };
        let mut j = 1;
        while j < head {
            let mut v = t[j];
            let mut r = 0;
            while r < 4 && 2 * r < j {
                accumulate!(v, a[j - r], w[r], c[r]);
                r += 1;
            }
            t[j] = v;
            j += 1;
        }
        if length > 7 {
            four_rows(t, a, w, &mut c, 7);
            last_columns(t, a, w, c, 0);
        } else {
            // The last block: rows 1 and 2 go on beyond the last limb.
            let mut v = c[0];
            accumulate!(v, w[3], w[1], c[1]);
            t[4] = v;
            v = c[1];
            accumulate!(v, w[3], w[2], c[2]);
            t[5] = v;
            t[6] = c[2];
        }
        i += 4;
    }
}

fn double_and_add_squares(x: &[u64], t: &mut [u64]) {
    let (mut above, mut carry): (u64, u64) = (0, 0);
    let mut i = 0;
    while i < x.len() {
        let square = u128::from(x[i]).wrapping_mul(u128::from(x[i]));
        let (low, high) = (t[2 * i], t[2 * i + 1]);
        let first = u128::from(low << 1 | above)
            .wrapping_add(u128::from(square as u64))
            .wrapping_add(u128::from(carry));
        let second = u128::from(high << 1 | low >> 63)
            .wrapping_add(square >> 64)
            .wrapping_add(first >> 64);
        above = high >> 63;
        t[2 * i] = first as u64;
        t[2 * i + 1] = second as u64;
        carry = (second >> 64) as u64;
        i += 1;
    }
}

/// `x = t / R mod n`, below R.
fn reduce(x: &mut [u64], n: &[u64], k: u64, t: &mut [u64]) {
    let length = n.len();
    let mut extra = 0;
    let mut i = 0;
    while i < length {
        let t = &mut t[i..i + length + 4];
        let (mut m, mut c) = ([0; 4], [0; 4]);
        let mut j = 0;
        while j < 4 {
            let mut v = t[j];
            let mut r = 0;
            while r < j {
                accumulate!(v, n[j - r], m[r], c[r]);
                r += 1;
            }
            // This makes the column zero.
            m[j] = v.wrapping_mul(k);
            accumulate!(v, n[0], m[j], c[j]);
            t[j] = v;
            j += 1;
        }
        four_rows(t, n, m, &mut c, 4);
        extra = last_columns(t, n, m, c, extra);
        i += 4;
    }
    x.copy_from_slice(&t[length..]);
    nat::sub_masked(x, n, Mask::from_bit(extra));
}
