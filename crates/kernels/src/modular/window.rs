//! Exponentiation by windows of the exponent, for as many numbers at once as a kernel has lanes.

use zeroize::Zeroizing;

use super::{Power, Stop};
use crate::kernel::LANES;
use crate::nat::{self, Nat};

/// How many bits of the exponent are done with each multiplication.
const WINDOW_BITS: usize = 5;
/// How many powers of the base are kept.
pub(super) const WINDOW_ENTRIES: usize = 1 << WINDOW_BITS;

/// Numbers side by side in Montgomery form: in each lane a running value `x`, a second factor `y`, and a table of powers.
pub(super) trait Lanes {
    /// By how many bits a value is shifted in Montgomery form.
    fn radix_bits(&self) -> usize;

    /// Sets the running value of one lane.
    fn set_x(&mut self, lane: usize, value: &[u64]);

    /// Sets the second factor of one lane.
    fn set_y(&mut self, lane: usize, value: &[u64]);

    /// Makes the running values the second factors, too.
    fn set_y_to_x(&mut self);

    /// Makes the second factors the running values, too.
    fn set_x_to_y(&mut self);

    /// Writes the running value of one lane to `out`.
    fn value(&self, lane: usize, out: &mut [u64]);

    /// Squares the running values, `count` times.
    fn square(&mut self, count: usize);

    /// Multiplies the running values by the second factors.
    fn multiply(&mut self);

    /// Keeps the running values as an entry of the table.
    fn keep(&mut self, entry: usize);

    /// Makes an entry of each lane's own choice the second factor. All of the table is read, whatever `indices` are.
    fn select(&mut self, indices: &[u64; LANES]);
}

/// See [`super::power`].
pub(super) fn power(
    lanes: &mut impl Lanes,
    jobs: &[Power<'_>],
    bits: usize,
    stop: &Stop<'_>,
) -> Option<Vec<Nat>> {
    let moduli = jobs.iter().map(|job| job.modulus);
    set_to_one(lanes, moduli, bits);
    lanes.keep(0);
    make_radix(lanes);
    for (lane, job) in jobs.iter().enumerate() {
        lanes.set_y(lane, job.base);
    }
    lanes.multiply();
    lanes.keep(1);
    lanes.set_y_to_x();
    for entry in 2..WINDOW_ENTRIES {
        lanes.multiply();
        lanes.keep(entry);
    }
    let windows = bits.div_ceil(WINDOW_BITS);
    select(lanes, jobs, windows - 1);
    lanes.set_x_to_y();
    for window in (0..windows - 1).rev() {
        if stop.is_set() {
            return None;
        }
        lanes.square(WINDOW_BITS);
        select(lanes, jobs, window);
        lanes.multiply();
    }
    leave(lanes, jobs.len());
    let results = jobs.iter().enumerate().map(|(lane, job)| {
        let mut value = nat::zero(job.modulus.len());
        lanes.value(lane, &mut value);
        nat::reduce_once(&mut value, 0, job.modulus);
        value
    });
    Some(results.collect())
}

/// Makes the running values 1 in Montgomery form, which is `R mod n`, and the second factors 2.
pub(super) fn set_to_one<'a>(
    lanes: &mut impl Lanes,
    moduli: impl Iterator<Item = &'a [u64]>,
    bits: usize,
) {
    for (lane, n) in moduli.enumerate() {
        let one = nat::power_of_two_mod(n, bits, lanes.radix_bits());
        lanes.set_x(lane, &one);
        lanes.set_y(lane, &nat::double_mod(&one, n));
    }
}

/// From 1 and 2, makes the running values the radix `R` in Montgomery form, which is `R^2 mod n`: what a number is multiplied by to enter that form.
pub(super) fn make_radix(lanes: &mut impl Lanes) {
    // The exponent of two goes from 1 to the bits of the radix, doubling and adding.
    let radix_bits = lanes.radix_bits();
    lanes.multiply();
    for i in (0..radix_bits.ilog2()).rev() {
        lanes.square(1);
        if radix_bits >> i & 1 == 1 {
            lanes.multiply();
        }
    }
}

/// Makes the entry for a window of each exponent the second factor.
fn select(lanes: &mut impl Lanes, jobs: &[Power<'_>], window: usize) {
    let mut indices = Zeroizing::new([0; LANES]);
    for (index, job) in indices.iter_mut().zip(jobs) {
        *index = nat::window(job.exponent, window * WINDOW_BITS, WINDOW_BITS);
    }
    lanes.select(&indices);
}

/// Leaves Montgomery form: the running values become residues in `0..=n`.
pub(super) fn leave(lanes: &mut impl Lanes, count: usize) {
    for lane in 0..count {
        lanes.set_y(lane, &[1]);
    }
    lanes.multiply();
}
