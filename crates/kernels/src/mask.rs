//! Masks that the optimiser can't see through.
//!
//! `x & mask` is a selection without a branch only as long as the compiler doesn't know that the mask is all ones or all zeros: LLVM has
//! turned a masked subtraction into a branch around it. So a mask passes through a barrier when it is made.

/// All ones or all zeros, nobody knows which.
#[derive(Clone, Copy)]
pub struct Mask(u64);

impl Mask {
    /// All ones, as everybody knows.
    pub const ALL: Self = Self(u64::MAX);

    /// All ones for 1, all zeros for 0.
    #[inline(always)]
    pub fn from_bit(bit: u64) -> Self {
        Self(opaque(bit.wrapping_neg()))
    }

    /// All ones if the numbers are equal.
    #[inline(always)]
    pub fn equal(a: u64, b: u64) -> Self {
        let difference = a ^ b;
        Self::from_bit((difference.wrapping_sub(1) & !difference) >> 63)
    }

    /// All ones if `a < b`.
    #[inline(always)]
    pub fn less(a: u64, b: u64) -> Self {
        // The borrow out of the top bit of `a - b` (Hacker's Delight, 2-13).
        Self::from_bit(((!a & b) | ((!a | b) & a.wrapping_sub(b))) >> 63)
    }

    /// `x`, or 0.
    #[inline(always)]
    pub fn of(self, x: u64) -> u64 {
        x & self.0
    }

    /// `a` for all ones, or `b`.
    #[inline(always)]
    pub fn select(self, a: u64, b: u64) -> u64 {
        b ^ self.of(a ^ b)
    }
}

/// The same number; the optimiser can't tell which one that is.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
#[inline(always)]
pub(crate) fn opaque(number: u64) -> u64 {
    let mut number = number;
    // SAFETY: no instruction at all.
    unsafe {
        core::arch::asm!(
            "/* {0} */",
            inout(reg) number,
            options(pure, nomem, nostack, preserves_flags)
        );
    }
    number
}

/// The same number; the optimiser is asked not to look.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
#[inline(always)]
pub(crate) fn opaque(number: u64) -> u64 {
    core::hint::black_box(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_keeps_or_clears() {
        for (bit, kept) in [(0, 0), (1, u64::MAX)] {
            let mask = Mask::from_bit(bit);
            assert_eq!(mask.of(u64::MAX), kept);
            assert_eq!(mask.select(3, 5), if bit == 1 { 3 } else { 5 });
        }
        assert_eq!(Mask::ALL.of(7), 7);
    }

    #[test]
    fn numbers_are_compared_over_their_whole_range() {
        let edges = [
            0,
            1,
            2,
            51,
            52,
            63,
            1 << 52,
            (1 << 63) - 1,
            1 << 63,
            u64::MAX - 1,
            u64::MAX,
        ];
        for a in edges {
            for b in edges {
                assert_eq!(Mask::equal(a, b).of(1), u64::from(a == b), "{a} {b}");
                assert_eq!(Mask::less(a, b).of(1), u64::from(a < b), "{a} {b}");
            }
        }
    }
}
