//! placeholder: the same as portable for now.
use super::super::portable::Portable;
use super::super::scalar::Arithmetic;

pub(in super::super) struct Mulx(());

impl Mulx {
    pub(in super::super) fn new() -> Self {
        assert!(
            super::has_mulx(),
            "the kernel was chosen on a machine that has it"
        );
        Self(())
    }
}

impl Arithmetic for Mulx {
    fn multiply(&self, x: &mut [u64], y: &[u64], n: &[u64], k: u64, t: &mut [u64]) {
        Portable.multiply(x, y, n, k, t);
    }
    fn square(&self, x: &mut [u64], n: &[u64], k: u64, t: &mut [u64], count: usize) {
        Portable.square(x, n, k, t, count);
    }
    fn scale(&self, x: &mut [u64], w: u64, n: &[u64], k: u64, t: &mut [u64]) {
        Portable.scale(x, w, n, k, t);
    }
}
