//! The registers of AVX-512, and what is done with all of them.

use zeroize::DefaultIsZeroes;

use crate::kernel::LANES;

/// What a vector register holds: limbs of 52 bits.
#[derive(Clone, Copy, Default)]
#[repr(C, align(64))]
pub(super) struct Vector(pub(super) [u64; LANES]);

pub(super) const ZERO: Vector = Vector([0; LANES]);

/// It is wiped as a whole, which an unoptimised build does faster than number by number.
impl DefaultIsZeroes for Vector {}

/// Leaves no secret in a register (general ones that held a secret are wiped where they did), and no upper halves that would slow SSE code down.
#[rustfmt::skip]
macro_rules! wipe_registers {
    () => {
        concat!(
            "vpxorq zmm16, zmm16, zmm16\n",
            "vpxorq zmm17, zmm17, zmm17\n",
            "vpxorq zmm18, zmm18, zmm18\n",
            "vpxorq zmm19, zmm19, zmm19\n",
            "vpxorq zmm20, zmm20, zmm20\n",
            "vpxorq zmm21, zmm21, zmm21\n",
            "vpxorq zmm22, zmm22, zmm22\n",
            "vpxorq zmm23, zmm23, zmm23\n",
            "vpxorq zmm24, zmm24, zmm24\n",
            "vpxorq zmm25, zmm25, zmm25\n",
            "vpxorq zmm26, zmm26, zmm26\n",
            "vpxorq zmm27, zmm27, zmm27\n",
            "vpxorq zmm28, zmm28, zmm28\n",
            "vpxorq zmm29, zmm29, zmm29\n",
            "vpxorq zmm30, zmm30, zmm30\n",
            "vpxorq zmm31, zmm31, zmm31\n",
            "kxorw k1, k1, k1\n",
            "kxorw k2, k2, k2\n",
            "kxorw k3, k3, k3\n",
            "vzeroall\n",
        )
    };
}
pub(super) use wipe_registers;
