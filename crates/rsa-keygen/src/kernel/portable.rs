//! Plain Rust: `u64 x u64 -> u128`, for every target.
//!
//! `while` and wrapping arithmetic, and slices cut to one length up front: an unoptimised build runs this as it stands.

use super::scalar::Arithmetic;
use crate::nat;

pub(super) struct Portable;

impl Arithmetic for Portable {
    const BLOCK: usize = 1;

    fn multiply(&self, x: &mut [u64], y: &[u64], n: &[u64], k: u64, t: &mut [u64]) {
        t.fill(0);
        let length = n.len();
        let mut i = 0;
        while i < length {
            t[i + length] = nat::add_product(&mut t[i..], x, y[i]);
            i += 1;
        }
        reduce(x, n, k, t);
    }

    fn square(&self, x: &mut [u64], n: &[u64], k: u64, t: &mut [u64], count: usize) {
        let length = n.len();
        for _ in 0..count {
            t.fill(0);
            // Off the diagonal once, then doubled, then the diagonal.
            let mut i = 0;
            while i < length {
                let from = i + 1;
                t[i + length] = nat::add_product(&mut t[i + from..], &x[from..], x[i]);
                i += 1;
            }
            let (mut above, mut carry): (u64, u64) = (0, 0);
            i = 0;
            while i < length {
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
            reduce(x, n, k, t);
        }
    }

    fn scale(&self, x: &mut [u64], w: u64, n: &[u64], k: u64, t: &mut [u64]) {
        let length = n.len();
        t[..=length].fill(0);
        t[length] = nat::add_product(t, x, w);
        let m = t[0].wrapping_mul(k);
        let carry = nat::add_product(t, n, m);
        let (top, over) = t[length].overflowing_add(carry);
        x[..length - 1].copy_from_slice(&t[1..length]);
        x[length - 1] = top;
        nat::sub_masked(x, n, u64::from(over).wrapping_neg());
    }
}

/// `x = t / R mod n`, below R.
fn reduce(x: &mut [u64], n: &[u64], k: u64, t: &mut [u64]) {
    let length = n.len();
    let mut carry = 0;
    let mut i = 0;
    while i < length {
        let m = t[i].wrapping_mul(k);
        let high = nat::add_product(&mut t[i..], n, m);
        let sum = u128::from(t[i + length])
            .wrapping_add(u128::from(high))
            .wrapping_add(u128::from(carry));
        t[i + length] = sum as u64;
        carry = (sum >> 64) as u64;
        i += 1;
    }
    x.copy_from_slice(&t[length..]);
    nat::sub_masked(x, n, carry.wrapping_neg());
}
