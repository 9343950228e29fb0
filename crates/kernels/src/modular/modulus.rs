//! What is done once or twice with a modulus, by the fastest kernel for one number.

use super::portable::Portable;
use super::scalar::{BLOCK, Scalar};
use super::window::{Lanes, leave, make_radix, set_to_one};
#[cfg(target_arch = "x86_64")]
use super::x86_64::Mulx;
use crate::nat::{self, Nat};

/// An odd modulus with all that is computed once for it. Wiped on drop.
pub struct Modulus {
    n: Nat,
    /// `R^2 mod n`.
    radix: Nat,
}

/// Calls a function of this module with the lanes of the fastest kernel for one number.
macro_rules! with_lanes {
    ($n:expr, $function:ident($($argument:expr),*)) => {{
        #[cfg(target_arch = "x86_64")]
        if crate::processor::has_mulx() {
            return $function(&mut Scalar::new(Mulx::new(), $n), $($argument),*);
        }
        $function(&mut Scalar::new(Portable, $n), $($argument),*)
    }};
}

impl Modulus {
    /// Prepares an odd `n` of exactly `bits` bits.
    #[must_use]
    pub fn new(n: &[u64], bits: usize) -> Self {
        let radix = (|| with_lanes!(n, radix(n, bits)))();
        let n = nat::extended(n, n.len());
        Self { n, radix }
    }

    /// The modulus itself.
    #[must_use]
    pub fn value(&self) -> &Nat {
        &self.n
    }

    /// `a·b mod n`, for `a` and `b` below the modulus and of its length.
    #[must_use]
    pub fn multiply(&self, a: &[u64], b: &[u64]) -> Nat {
        with_lanes!(&self.n, multiply(self, a, b))
    }

    /// `a^exponent mod n`, for an exponent that is no secret and not zero.
    #[must_use]
    pub fn power_public(&self, a: &[u64], exponent: u64) -> Nat {
        with_lanes!(&self.n, power_public(self, a, exponent))
    }

    /// `a mod n`, for an `a` of twice the modulus' length, which fills its limbs, a multiple of eight.
    #[must_use]
    pub fn residue(&self, a: &[u64]) -> Nat {
        assert!(a.len() == 2 * self.n.len() && self.n.len().is_multiple_of(BLOCK));
        with_lanes!(&self.n, residue(self, a))
    }

    /// What the running value is, below the modulus.
    fn result(&self, lanes: &impl Lanes) -> Nat {
        let mut value = nat::zero(self.n.len());
        lanes.value(0, &mut value);
        nat::reduce_once(&mut value, 0, &self.n);
        value
    }
}

fn radix(lanes: &mut impl Lanes, n: &[u64], bits: usize) -> Nat {
    set_to_one(lanes, [n].into_iter(), bits);
    make_radix(lanes);
    let mut radix = nat::zero(n.len().next_multiple_of(BLOCK));
    lanes.value(0, &mut radix);
    radix
}

fn multiply(lanes: &mut impl Lanes, modulus: &Modulus, a: &[u64], b: &[u64]) -> Nat {
    lanes.set_x(0, &modulus.radix);
    for factor in [a, b] {
        lanes.set_y(0, factor);
        lanes.multiply();
    }
    modulus.result(lanes)
}

fn power_public(lanes: &mut impl Lanes, modulus: &Modulus, a: &[u64], exponent: u64) -> Nat {
    lanes.set_x(0, &modulus.radix);
    lanes.set_y(0, a);
    lanes.multiply();
    lanes.set_y_to_x();
    for i in (0..exponent.ilog2()).rev() {
        lanes.square(1);
        if exponent >> i & 1 == 1 {
            lanes.multiply();
        }
    }
    leave(lanes, 1);
    modulus.result(lanes)
}

fn residue(lanes: &mut impl Lanes, modulus: &Modulus, a: &[u64]) -> Nat {
    let n = &modulus.n;
    let (low, high) = a.split_at(n.len());
    // The high half is to be multiplied by R, and its Montgomery form is just that.
    lanes.set_x(0, &modulus.radix);
    lanes.set_y(0, high);
    lanes.multiply();
    // Both are below R, which is below 2 n.
    let mut x = modulus.result(lanes);
    let mut low = nat::extended(low, n.len());
    nat::reduce_once(&mut low, 0, n);
    let carry = nat::add(&mut x, &low);
    nat::reduce_once(&mut x, carry, n);
    x
}
