//! Eight Montgomery exponentiations side by side with AVX-512 IFMA, one modulus per 64-bit lane.
//!
//! A number is a column of `L` vectors of 52-bit limbs, `L` a multiple of four (structure of arrays). One assembly function holds the whole loop over
//! the bits of an exponent, so that an unoptimised build runs the same instructions as an optimised one. Inside:
//!
//! 1. *Square.* Four rows at a time. The products off the diagonal are accumulated once; each column is doubled and gets its diagonal product
//!    in the row block that completes it.
//! 2. *Reduce.* Four rows at a time. The four quotient digits `m` of the next block are computed as soon as its four lowest columns are complete,
//!    so that their latency hides behind the rest of this block. Adding `m·n` makes the lowest limb zero, so its product is not
//!    computed: the carry out of it is `(t + 2^52 - 1) >> 52`. `m` needs no mask: the multiplier reads 52 bits.
//! 3. *Normalise.* One pass of carries, with a doubling for the lanes whose exponent bit is set, and no conditional subtraction: `R = 2^(52 L)`
//!    leaves at least four bits of room, and a value below `4n` squares to one below `2n`.
//!
//! Columns stay below 2^63: at most `4 L` products of 52 bits each, doubled once, with `L <= 160`.
//!
//! Every instruction sequence and every address depends on `L` and on the number of exponent bits alone: `cargo xtask constant-time` compares the
//! jumps and addresses of the built program with `constant-time/ifma.txt`. Valgrind knows no AVX-512, so it sees the Rust around the assembly with
//! [`super::emulation`] in its place.

use zeroize::{Zeroize, Zeroizing};

use super::limbs52;
use super::select::Table;
use super::vector::{Vector, ZERO, wipe_registers};
use crate::kernel::LANES;
use crate::modular::Stop;
use crate::modular::sieve::MASK52;
use crate::modular::window::{Lanes, leave};
use crate::{Mask, nat};

/// Exponent bits handled by one call: some 20 to 500 µs between two looks at the stop flag.
const STEPS: usize = 90;
/// A limb is multiplied by eight moduli at most this long, see the module's documentation.
const MAX_LIMBS: usize = 160;

/// Eight moduli and the working storage of an exponentiation. Wiped on drop.
pub(super) struct Eight {
    limbs: usize,
    /// Made with the first power that is kept.
    table: Option<Table>,
    // `n`: the moduli, `x`: the running values, `y`: a second factor, `t`: `2 L` columns, `k`: `-n^-1 mod 2^52`.
    n: Vec<Vector>,
    x: Vec<Vector>,
    y: Vec<Vector>,
    t: Vec<Vector>,
    k: Vector,
}

/// Four columns of four rows each: column `o` gets `lo(s[o-r]·x[r]) + hi(s[o-1-r]·x[r])`. The window of the last four `s` is in zmm0-3, the rows are in
/// zmm4-7, the sums end up in zmm8-11; zmm12-15 hold the high halves.
#[rustfmt::skip]
macro_rules! group {
    ($s:literal, $t:literal) => {
        concat!(
            one_column!("0", "3", "2", "1", "8", "12", $s, $t, "0"),
            one_column!("1", "0", "3", "2", "9", "13", $s, $t, "64"),
            one_column!("2", "1", "0", "3", "10", "14", $s, $t, "128"),
            one_column!("3", "2", "1", "0", "11", "15", $s, $t, "192"),
        )
    };
}

#[rustfmt::skip]
macro_rules! one_column {
    ($w0:literal, $w1:literal, $w2:literal, $w3:literal, $lo:literal, $hi:literal, $s:literal, $t:literal, $off:literal) => {
        concat!(
            "vmovdqa64 zmm", $lo, ", [", $t, "+", $off, "]\n",
            "vpxorq zmm", $hi, ", zmm", $hi, ", zmm", $hi, "\n",
            "vpmadd52huq zmm", $hi, ", zmm", $w0, ", zmm7\n",
            "vmovdqa64 zmm", $w0, ", [", $s, "+", $off, "]\n",
            "vpmadd52luq zmm", $lo, ", zmm", $w3, ", zmm7\n",
            "vpmadd52huq zmm", $hi, ", zmm", $w3, ", zmm6\n",
            "vpmadd52luq zmm", $lo, ", zmm", $w2, ", zmm6\n",
            "vpmadd52huq zmm", $hi, ", zmm", $w2, ", zmm5\n",
            "vpmadd52luq zmm", $lo, ", zmm", $w1, ", zmm5\n",
            "vpmadd52huq zmm", $hi, ", zmm", $w1, ", zmm4\n",
            "vpmadd52luq zmm", $lo, ", zmm", $w0, ", zmm4\n",
            "vpaddq zmm", $lo, ", zmm", $lo, ", zmm", $hi, "\n",
        )
    };
}

/// The four columns beyond the last limb: the lower right triangle. They start from what zmm8-11 hold.
#[rustfmt::skip]
macro_rules! tail {
    () => {
        concat!(
            "vpmadd52luq zmm8, zmm3, zmm5\n",
            "vpmadd52luq zmm9, zmm3, zmm6\n",
            "vpmadd52luq zmm10, zmm3, zmm7\n",
            "vpxorq zmm12, zmm12, zmm12\n",
            "vpxorq zmm13, zmm13, zmm13\n",
            "vpxorq zmm14, zmm14, zmm14\n",
            "vpmadd52huq zmm12, zmm3, zmm4\n",
            "vpmadd52huq zmm13, zmm3, zmm5\n",
            "vpmadd52huq zmm14, zmm3, zmm6\n",
            "vpmadd52huq zmm11, zmm3, zmm7\n",
            "vpmadd52luq zmm8, zmm2, zmm6\n",
            "vpmadd52luq zmm9, zmm2, zmm7\n",
            "vpmadd52huq zmm12, zmm2, zmm5\n",
            "vpmadd52huq zmm13, zmm2, zmm6\n",
            "vpmadd52huq zmm14, zmm2, zmm7\n",
            "vpmadd52luq zmm8, zmm1, zmm7\n",
            "vpmadd52huq zmm12, zmm1, zmm6\n",
            "vpmadd52huq zmm13, zmm1, zmm7\n",
            "vpmadd52huq zmm12, zmm0, zmm7\n",
            "vpaddq zmm8, zmm8, zmm12\n",
            "vpaddq zmm9, zmm9, zmm13\n",
            "vpaddq zmm10, zmm10, zmm14\n",
        )
    };
}

#[rustfmt::skip]
macro_rules! zero {
    () => {
        concat!(
            "vpxorq zmm8, zmm8, zmm8\n",
            "vpxorq zmm9, zmm9, zmm9\n",
            "vpxorq zmm10, zmm10, zmm10\n",
            "vpxorq zmm11, zmm11, zmm11\n",
        )
    };
}

#[rustfmt::skip]
macro_rules! load {
    ($r0:literal, $r1:literal, $r2:literal, $r3:literal, $p:literal) => {
        concat!(
            "vmovdqa64 zmm", $r0, ", [", $p, "]\n",
            "vmovdqa64 zmm", $r1, ", [", $p, "+64]\n",
            "vmovdqa64 zmm", $r2, ", [", $p, "+128]\n",
            "vmovdqa64 zmm", $r3, ", [", $p, "+192]\n",
        )
    };
}

#[rustfmt::skip]
macro_rules! store {
    ($p:literal) => {
        concat!(
            "vmovdqa64 [", $p, "], zmm8\n",
            "vmovdqa64 [", $p, "+64], zmm9\n",
            "vmovdqa64 [", $p, "+128], zmm10\n",
            "vmovdqa64 [", $p, "+192], zmm11\n",
        )
    };
}

/// From four complete columns in zmm8-11: the next four quotient digits in zmm16-19, and in zmm20 the carry into the fifth column.
#[rustfmt::skip]
macro_rules! digits {
    () => {
        concat!(
            "vpxorq zmm16, zmm16, zmm16\n",
            "vpxorq zmm17, zmm17, zmm17\n",
            "vpxorq zmm18, zmm18, zmm18\n",
            "vpxorq zmm19, zmm19, zmm19\n",
            "vpxorq zmm28, zmm28, zmm28\n",
            "vpxorq zmm29, zmm29, zmm29\n",
            "vpxorq zmm30, zmm30, zmm30\n",
            "vpmadd52luq zmm16, zmm8, zmm22\n",
            "vpaddq zmm20, zmm8, zmm23\n",
            "vpsrlq zmm20, zmm20, 52\n",
            "vpaddq zmm9, zmm9, zmm20\n",
            "vpmadd52luq zmm9, zmm16, [rsi+64]\n",
            "vpmadd52huq zmm28, zmm16, [rsi]\n",
            "vpmadd52luq zmm10, zmm16, [rsi+128]\n",
            "vpmadd52huq zmm29, zmm16, [rsi+64]\n",
            "vpmadd52luq zmm11, zmm16, [rsi+192]\n",
            "vpmadd52huq zmm30, zmm16, [rsi+128]\n",
            "vpaddq zmm9, zmm9, zmm28\n",
            "vpmadd52luq zmm17, zmm9, zmm22\n",
            "vpaddq zmm20, zmm9, zmm23\n",
            "vpsrlq zmm20, zmm20, 52\n",
            "vpaddq zmm10, zmm10, zmm20\n",
            "vpmadd52luq zmm10, zmm17, [rsi+64]\n",
            "vpmadd52huq zmm29, zmm17, [rsi]\n",
            "vpmadd52luq zmm11, zmm17, [rsi+128]\n",
            "vpmadd52huq zmm30, zmm17, [rsi+64]\n",
            "vpaddq zmm10, zmm10, zmm29\n",
            "vpmadd52luq zmm18, zmm10, zmm22\n",
            "vpaddq zmm20, zmm10, zmm23\n",
            "vpsrlq zmm20, zmm20, 52\n",
            "vpaddq zmm11, zmm11, zmm20\n",
            "vpmadd52luq zmm11, zmm18, [rsi+64]\n",
            "vpmadd52huq zmm30, zmm18, [rsi]\n",
            "vpaddq zmm11, zmm11, zmm30\n",
            "vpmadd52luq zmm19, zmm11, zmm22\n",
            "vpaddq zmm20, zmm11, zmm23\n",
            "vpsrlq zmm20, zmm20, 52\n",
        )
    };
}

/// Steps 2 and 3. Expects the first four digits in zmm16-20 and `2 L` columns at `t`; leaves the result in `x`, and zeros in the lowest `L` columns.
/// `k1` selects the lanes to double.
#[rustfmt::skip]
macro_rules! reduce {
    () => {
        concat!(
            "mov r11, rdx\n",
            "mov ebp, ecx\n",
            "20:\n",
            "vmovdqa64 zmm4, zmm16\n",
            "vmovdqa64 zmm5, zmm17\n",
            "vmovdqa64 zmm6, zmm18\n",
            "vmovdqa64 zmm7, zmm19\n",
            "vmovdqa64 zmm21, zmm20\n",
            load!("0", "1", "2", "3", "rsi"),
            "lea rax, [rsi+256]\n",
            "add r11, 256\n",
            group!("rax", "r11"),
            "vpaddq zmm8, zmm8, zmm21\n",
            store!("r11"),
            "mov rbx, r11\n",
            "cmp ebp, 1\n",
            "je 21f\n",
            digits!(),
            "21:\n",
            "mov r12d, ecx\n",
            "sub r12d, 2\n",
            "22:\n",
            "add rax, 256\n",
            "add rbx, 256\n",
            group!("rax", "rbx"),
            store!("rbx"),
            "dec r12d\n",
            "jnz 22b\n",
            "add rbx, 256\n",
            load!("8", "9", "10", "11", "rbx"),
            tail!(),
            store!("rbx"),
            "dec ebp\n",
            "jnz 20b\n",
            // r11 is at column L now, where the result starts.
            "mov rax, rdi\n",
            "mov rbx, rdx\n",
            "vpxorq zmm24, zmm24, zmm24\n",
            "vpxorq zmm25, zmm25, zmm25\n",
            "mov r12d, ecx\n",
            "23:\n",
            load!("8", "9", "10", "11", "r11"),
            "vpaddq zmm8{{k1}}, zmm8, zmm8\n",
            "vpaddq zmm9{{k1}}, zmm9, zmm9\n",
            "vpaddq zmm10{{k1}}, zmm10, zmm10\n",
            "vpaddq zmm11{{k1}}, zmm11, zmm11\n",
            "vmovdqa64 [rbx], zmm24\n",
            "vmovdqa64 [rbx+64], zmm24\n",
            "vmovdqa64 [rbx+128], zmm24\n",
            "vmovdqa64 [rbx+192], zmm24\n",
            "vpaddq zmm8, zmm8, zmm25\n",
            "vpsrlq zmm25, zmm8, 52\n",
            "vpandq zmm8, zmm8, zmm23\n",
            "vpaddq zmm9, zmm9, zmm25\n",
            "vpsrlq zmm25, zmm9, 52\n",
            "vpandq zmm9, zmm9, zmm23\n",
            "vpaddq zmm10, zmm10, zmm25\n",
            "vpsrlq zmm25, zmm10, 52\n",
            "vpandq zmm10, zmm10, zmm23\n",
            "vpaddq zmm11, zmm11, zmm25\n",
            "vpsrlq zmm25, zmm11, 52\n",
            "vpandq zmm11, zmm11, zmm23\n",
            store!("rax"),
            "add r11, 256\n",
            "add rbx, 256\n",
            "add rax, 256\n",
            "dec r12d\n",
            "jnz 23b\n",
        )
    };
}

impl Eight {
    /// Prepares for at most eight odd moduli of at most `bits` bits, given as little-endian 64-bit limbs. A lane left over repeats the first modulus.
    pub(super) fn new(moduli: &[&[u64]], bits: usize) -> Self {
        let limbs = super::super::ifma_limbs(bits);
        assert!(limbs <= MAX_LIMBS && moduli.len() <= LANES && !moduli.is_empty());
        let mut eight = Self {
            limbs,
            table: None,
            n: vec![ZERO; limbs],
            x: vec![ZERO; limbs],
            y: vec![ZERO; limbs],
            t: vec![ZERO; 2 * limbs],
            k: ZERO,
        };
        let mut lane = 0;
        while lane < LANES {
            let modulus = if lane < moduli.len() {
                moduli[lane]
            } else {
                moduli[0]
            };
            spread(&mut eight.n, lane, modulus);
            eight.k.0[lane] = nat::negative_inverse(modulus[0]) & MASK52;
            lane += 1;
        }
        eight
    }

    /// Sets the running value of one lane to `2^exponent`. The exponent is secret, so every limb is written.
    fn set_power_of_two(&mut self, lane: usize, exponent: u64) {
        let mut from = 0;
        for limb in self.x.iter_mut() {
            let bit = exponent.wrapping_sub(from);
            limb.0[lane] = Mask::less(bit, 52).of(1 << (bit & 63));
            from += 52;
        }
    }

    /// Squares (in Montgomery form) once per byte of `masks`, and then doubles the lanes whose bit is set. `None` if stopped.
    fn square_and_double(&mut self, masks: &[u8], stop: &Stop<'_>) -> Option<()> {
        for part in masks.chunks(STEPS) {
            if stop.is_set() {
                return None;
            }
            self.square_steps(part);
        }
        Some(())
    }

    fn square_steps(&mut self, masks: &[u8]) {
        self.check_lengths();
        assert!(!masks.is_empty());
        #[cfg(any(test, constant_time))]
        if super::is_emulated() {
            return super::emulation::square(&mut self.x, &self.n, &self.k, masks);
        }
        // SAFETY: the callers of this module have checked for AVX-512F and IFMA. All addresses lie in `x` and `n` (L vectors), `t` (2 L vectors), `k`
        // and `masks` (one byte per step), as asserted above; `Vector` is aligned to 64 bytes.
        unsafe {
            square(
                self.x.as_mut_ptr(),
                self.n.as_ptr(),
                self.t.as_mut_ptr(),
                self.limbs / 4,
                masks.as_ptr(),
                masks.len(),
                &raw const self.k,
            );
        }
    }

    /// These bound every address in the assembly.
    fn check_lengths(&self) {
        assert!(
            self.limbs >= 12
                && self.limbs <= MAX_LIMBS
                && self.limbs.is_multiple_of(4)
                && self.n.len() == self.limbs
                && self.x.len() == self.limbs
                && self.y.len() == self.limbs
                && self.t.len() == 2 * self.limbs
        );
    }
}

impl Lanes for Eight {
    fn radix_bits(&self) -> usize {
        self.limbs * 52
    }

    fn set_x(&mut self, lane: usize, value: &[u64]) {
        spread(&mut self.x, lane, value);
    }

    fn set_y(&mut self, lane: usize, value: &[u64]) {
        spread(&mut self.y, lane, value);
    }

    fn set_y_to_x(&mut self) {
        self.y.copy_from_slice(&self.x);
    }

    fn set_x_to_y(&mut self) {
        self.x.copy_from_slice(&self.y);
    }

    fn value(&self, lane: usize, out: &mut [u64]) {
        limbs52::join(out, self.limbs, |i| self.x[i].0[lane]);
    }

    fn square(&mut self, count: usize) {
        self.square_steps(&[0; STEPS][..count]);
    }

    fn multiply(&mut self) {
        self.check_lengths();
        #[cfg(any(test, constant_time))]
        if super::is_emulated() {
            return super::emulation::multiply(&mut self.x, &self.y, &self.n, &self.k);
        }
        // SAFETY: as in `square_steps`; `y` has L vectors too.
        unsafe {
            multiply(
                self.x.as_mut_ptr(),
                self.n.as_ptr(),
                self.t.as_mut_ptr(),
                self.limbs / 4,
                self.y.as_ptr(),
                &raw const self.k,
            );
        }
    }

    fn keep(&mut self, entry: usize) {
        let table = self.table.get_or_insert_with(|| Table::new(self.limbs));
        table.keep(entry, &self.x);
    }

    fn select(&mut self, indices: &[u64; LANES]) {
        if let Some(table) = &mut self.table {
            table.select_each(&mut self.y, indices);
        }
    }
}

/// Squares (in Montgomery form) `steps` times, each time doubling the lanes whose bit is set in its byte of `masks`. See the module's documentation.
///
/// A naked function, because the compiler adds nothing to it: its jumps and addresses are those that stand here. They depend on `blocks` and `steps`
/// alone, and `cargo xtask constant-time` compares them with the list in `constant-time/ifma.txt`.
///
/// The registers are, in the order of the arguments: rdi, rsi, rdx, rcx, r8, r9, and the stack. Then r10 is where the rows' factors are, r11 the columns that
/// rows begin with, rax and rbx the columns' factors and the columns, rbp the blocks still to do, r12 the groups of columns.
///
/// # Safety
///
/// The CPU has AVX-512F and IFMA. `x` and `n` point to `4·blocks` vectors, `t` to twice as many, `masks` to `steps` bytes; there are at least
/// three blocks and one step.
#[unsafe(naked)]
unsafe extern "sysv64" fn square(
    x: *mut Vector,
    n: *const Vector,
    t: *mut Vector,
    blocks: usize,
    masks: *const u8,
    steps: usize,
    k: *const Vector,
) {
    core::arch::naked_asm!(
        "mov rax, [rsp+8]",
        "push rbx",
        "push rbp",
        "push r12",
        "vmovdqa64 zmm22, [rax]",
        "mov r12, 0xfffffffffffff",
        "vpbroadcastq zmm23, r12",
        // The lowest L columns start at zero; afterwards the normalisation clears them.
        "vpxorq zmm24, zmm24, zmm24",
        "mov rbx, rdx",
        "mov r12d, ecx",
        "2:",
        "vmovdqa64 [rbx], zmm24",
        "vmovdqa64 [rbx+64], zmm24",
        "vmovdqa64 [rbx+128], zmm24",
        "vmovdqa64 [rbx+192], zmm24",
        "add rbx, 256",
        "dec r12d",
        "jnz 2b",
        "3:", // one exponent bit
        "mov r11, rdx",
        "mov r10, rdi",
        "mov ebp, ecx",
        "4:", // one block of four rows of the square
        load!("4", "5", "6", "7", "r10"),
        load!("8", "9", "10", "11", "r11"),
        "vpmadd52luq zmm9, zmm4, zmm5",
        "vpmadd52huq zmm10, zmm4, zmm5",
        "vpmadd52luq zmm11, zmm4, zmm7",
        "vpmadd52luq zmm10, zmm4, zmm6",
        "vpmadd52huq zmm11, zmm4, zmm6",
        "vpmadd52luq zmm11, zmm5, zmm6",
        "vpaddq zmm8, zmm8, zmm8",
        "vpaddq zmm9, zmm9, zmm9",
        "vpaddq zmm10, zmm10, zmm10",
        "vpaddq zmm11, zmm11, zmm11",
        "vpmadd52luq zmm8, zmm4, zmm4",
        "vpmadd52huq zmm9, zmm4, zmm4",
        "vpmadd52luq zmm10, zmm5, zmm5",
        "vpmadd52huq zmm11, zmm5, zmm5",
        store!("r11"),
        "cmp r10, rdi",
        "jne 5f",
        digits!(),
        "5:",
        "cmp ebp, 1",
        "je 8f",
        load!("8", "9", "10", "11", "r11+256"),
        load!("0", "1", "2", "3", "r10+256"),
        "vpmadd52huq zmm8, zmm4, zmm7",
        "vpmadd52huq zmm9, zmm5, zmm7",
        "vpmadd52huq zmm10, zmm6, zmm7",
        "vpxorq zmm12, zmm12, zmm12",
        "vpxorq zmm13, zmm13, zmm13",
        "vpxorq zmm14, zmm14, zmm14",
        "vpxorq zmm15, zmm15, zmm15",
        "vpmadd52luq zmm12, zmm0, zmm4",
        "vpmadd52luq zmm13, zmm0, zmm5",
        "vpmadd52luq zmm14, zmm0, zmm6",
        "vpmadd52luq zmm15, zmm0, zmm7",
        "vpmadd52huq zmm8, zmm5, zmm6",
        "vpmadd52luq zmm9, zmm6, zmm7",
        "vpmadd52huq zmm10, zmm0, zmm5",
        "vpmadd52huq zmm11, zmm0, zmm6",
        "vpmadd52luq zmm12, zmm5, zmm7",
        "vpmadd52huq zmm13, zmm0, zmm4",
        "vpmadd52luq zmm14, zmm1, zmm5",
        "vpmadd52luq zmm15, zmm1, zmm6",
        "vpmadd52luq zmm9, zmm1, zmm4",
        "vpmadd52huq zmm10, zmm1, zmm4",
        "vpmadd52huq zmm11, zmm1, zmm5",
        "vpmadd52luq zmm14, zmm2, zmm4",
        "vpmadd52luq zmm15, zmm2, zmm5",
        "vpmadd52huq zmm11, zmm2, zmm4",
        "vpmadd52luq zmm15, zmm3, zmm4",
        "vpaddq zmm8, zmm8, zmm12",
        "vpaddq zmm9, zmm9, zmm13",
        "vpaddq zmm10, zmm10, zmm14",
        "vpaddq zmm11, zmm11, zmm15",
        "vpaddq zmm8, zmm8, zmm8",
        "vpaddq zmm9, zmm9, zmm9",
        "vpaddq zmm10, zmm10, zmm10",
        "vpaddq zmm11, zmm11, zmm11",
        "vpmadd52luq zmm8, zmm6, zmm6",
        "vpmadd52huq zmm9, zmm6, zmm6",
        "vpmadd52luq zmm10, zmm7, zmm7",
        "vpmadd52huq zmm11, zmm7, zmm7",
        store!("r11+256"),
        "lea rax, [r10+256]",
        "lea rbx, [r11+256]",
        "mov r12d, ebp",
        "sub r12d, 2",
        "jz 7f",
        "6:",
        "add rax, 256",
        "add rbx, 256",
        group!("rax", "rbx"),
        store!("rbx"),
        "dec r12d",
        "jnz 6b",
        "7:",
        "add rbx, 256",
        zero!(),
        tail!(),
        store!("rbx"),
        "add r11, 512",
        "add r10, 256",
        "dec ebp",
        "jmp 4b",
        "8:", // the last block has nothing to its right
        zero!(),
        "vpmadd52huq zmm8, zmm4, zmm7",
        "vpmadd52huq zmm9, zmm5, zmm7",
        "vpmadd52huq zmm10, zmm6, zmm7",
        "vpmadd52huq zmm8, zmm5, zmm6",
        "vpmadd52luq zmm9, zmm6, zmm7",
        "vpmadd52luq zmm8, zmm5, zmm7",
        "vpaddq zmm8, zmm8, zmm8",
        "vpaddq zmm9, zmm9, zmm9",
        "vpaddq zmm10, zmm10, zmm10",
        "vpmadd52luq zmm8, zmm6, zmm6",
        "vpmadd52huq zmm9, zmm6, zmm6",
        "vpmadd52luq zmm10, zmm7, zmm7",
        "vpmadd52huq zmm11, zmm7, zmm7",
        store!("r11+256"),
        "movzx r12d, byte ptr [r8]",
        "kmovw k1, r12d",
        reduce!(),
        "inc r8",
        "dec r9",
        "jnz 3b",
        "pop r12",
        "pop rbp",
        "pop rbx",
        wipe_registers!(),
        "ret",
    )
}

/// Multiplies (in Montgomery form). The registers are those of [`square`], with `y` in r8 and `k` in r9.
///
/// # Safety
///
/// The CPU has AVX-512F and IFMA. `x`, `n` and `y` point to `4·blocks` vectors, `t` to twice as many; there are at least three blocks.
#[unsafe(naked)]
unsafe extern "sysv64" fn multiply(
    x: *mut Vector,
    n: *const Vector,
    t: *mut Vector,
    blocks: usize,
    y: *const Vector,
    k: *const Vector,
) {
    core::arch::naked_asm!(
        "push rbx",
        "push rbp",
        "push r12",
        "vmovdqa64 zmm22, [r9]",
        "mov r12, 0xfffffffffffff",
        "vpbroadcastq zmm23, r12",
        "vpxorq zmm24, zmm24, zmm24",
        "mov rbx, rdx",
        "mov r12d, ecx",
        "2:",
        "vmovdqa64 [rbx], zmm24",
        "vmovdqa64 [rbx+64], zmm24",
        "vmovdqa64 [rbx+128], zmm24",
        "vmovdqa64 [rbx+192], zmm24",
        "add rbx, 256",
        "dec r12d",
        "jnz 2b",
        "mov r11, rdx",
        "mov ebp, ecx",
        "4:", // one block of four rows of the product
        load!("4", "5", "6", "7", "r8"),
        load!("0", "1", "2", "3", "rdi"),
        load!("8", "9", "10", "11", "r11"),
        "vpmadd52luq zmm8, zmm0, zmm4",
        "vpmadd52luq zmm9, zmm1, zmm4",
        "vpmadd52luq zmm10, zmm2, zmm4",
        "vpmadd52luq zmm11, zmm3, zmm4",
        "vpmadd52huq zmm9, zmm0, zmm4",
        "vpmadd52huq zmm10, zmm1, zmm4",
        "vpmadd52huq zmm11, zmm2, zmm4",
        "vpmadd52luq zmm9, zmm0, zmm5",
        "vpmadd52luq zmm10, zmm1, zmm5",
        "vpmadd52luq zmm11, zmm2, zmm5",
        "vpmadd52huq zmm10, zmm0, zmm5",
        "vpmadd52huq zmm11, zmm1, zmm5",
        "vpmadd52luq zmm10, zmm0, zmm6",
        "vpmadd52luq zmm11, zmm1, zmm6",
        "vpmadd52huq zmm11, zmm0, zmm6",
        "vpmadd52luq zmm11, zmm0, zmm7",
        store!("r11"),
        "cmp ebp, ecx",
        "jne 5f",
        digits!(),
        "5:",
        "mov rax, rdi",
        "mov rbx, r11",
        "mov r12d, ecx",
        "dec r12d",
        "6:",
        "add rax, 256",
        "add rbx, 256",
        group!("rax", "rbx"),
        store!("rbx"),
        "dec r12d",
        "jnz 6b",
        "add rbx, 256",
        zero!(),
        tail!(),
        store!("rbx"),
        "add r11, 256",
        "add r8, 256",
        "dec ebp",
        "jnz 4b",
        "kxorw k1, k1, k1",
        reduce!(),
        "pop r12",
        "pop rbp",
        "pop rbx",
        wipe_registers!(),
        "ret",
    )
}

impl Drop for Eight {
    fn drop(&mut self) {
        for buffer in [&mut self.n, &mut self.x, &mut self.y, &mut self.t] {
            buffer.zeroize();
        }
        self.k.zeroize();
    }
}

/// One bit per candidate: set if `2^((n-1)/2) = ±1 mod n`. `None` if stopped. All candidates are odd and have exactly `bits` bits.
pub(super) fn base_two(candidates: &[&[u64]], bits: usize, stop: &Stop<'_>) -> Option<u8> {
    let mut eight = Eight::new(candidates, bits);
    // The inverse power, 2^-E, is ±1 exactly when 2^E is. It starts from 2^-s with s = ceil(E / 2^tail), which in Montgomery form is the small power
    // of two 2^(52 L - s) and needs neither reduction nor squaring; the bits to double by are those of s·2^tail - E.
    let head = eight.radix_bits().ilog2() as usize;
    let tail = bits - 1 - head;
    let mut negated: [Zeroizing<Vec<u64>>; LANES] = Default::default();
    let mut lane = 0;
    while lane < LANES {
        let n = if lane < candidates.len() {
            candidates[lane]
        } else {
            candidates[0]
        };
        // E = (n-1)/2 = n >> 1, which has bits - 1 bits.
        let mut exponent = nat::zero(n.len());
        nat::sub(&mut exponent, &nat::halve(n));
        // Now -E modulo 2^(64 len): s = -floor(-E / 2^tail), and s <= 2^head.
        let window = exponent[tail / 64] >> (tail % 64)
            | exponent
                .get(tail / 64 + 1)
                .map_or(0, |above| above << 1 << (63 - tail % 64));
        let start = window.wrapping_neg() & ((2 << head) - 1);
        eight.set_power_of_two(lane, eight.radix_bits() as u64 - start);
        negated[lane] = exponent;
        lane += 1;
    }
    eight.square_and_double(&masks(&negated, tail), stop)?;
    leave(&mut eight, candidates.len());
    let mut result = 0;
    let mut value = Zeroizing::new(vec![0; candidates[0].len()]);
    for (i, n) in candidates.iter().enumerate() {
        eight.value(i, &mut value);
        result |= u8::from(super::super::is_one_or_minus_one(&value, n)) << i;
    }
    Some(result)
}

/// Transposes: one byte per bit from `bits - 1` down to 0, one bit of it per lane.
fn masks(exponents: &[Zeroizing<Vec<u64>>; LANES], bits: usize) -> Zeroizing<Vec<u8>> {
    let bytes = bits.div_ceil(8);
    let mut masks = Zeroizing::new(Vec::with_capacity(8 * bytes));
    let mut byte = bytes;
    while byte > 0 {
        byte -= 1;
        let mut square = 0;
        let mut lane = 0;
        while lane < LANES {
            let limbs: &[u64] = &exponents[lane];
            square |= (limbs[byte / 8] >> (byte % 8 * 8) & 0xff) << (lane * 8);
            lane += 1;
        }
        // An 8x8 bit matrix is transposed in three exchanges (Hacker's Delight, 7-3).
        let mut swap = (square ^ square >> 7) & 0x00aa_00aa_00aa_00aa;
        square ^= swap ^ swap << 7;
        swap = (square ^ square >> 14) & 0x0000_cccc_0000_cccc;
        square ^= swap ^ swap << 14;
        swap = (square ^ square >> 28) & 0x0000_0000_f0f0_f0f0;
        square ^= swap ^ swap << 28;
        masks.extend_from_slice(&square.to_be_bytes());
    }
    let surplus = 8 * bytes - bits;
    masks.drain(..surplus);
    masks
}

/// Writes 64-bit limbs into one lane as 52-bit limbs.
fn spread(vectors: &mut [Vector], lane: usize, number: &[u64]) {
    for (i, vector) in vectors.iter_mut().enumerate() {
        vector.0[lane] = limbs52::limb(number, i);
    }
}

#[cfg(test)]
mod tests {
    use core::sync::atomic::AtomicBool;

    use super::*;

    /// The assembly would read and write beyond them.
    #[test]
    fn buffers_of_a_wrong_length_never_reach_the_assembly() {
        let modulus = [u64::MAX; 16];
        let never = AtomicBool::new(false);
        let stop = Stop {
            done: &never,
            cancelled: None,
        };
        let damages: [fn(&mut Eight); 5] = [
            |eight| eight.n.truncate(19),
            |eight| eight.x.truncate(19),
            |eight| eight.y.truncate(19),
            |eight| eight.t.truncate(39),
            |eight| eight.limbs = 8,
        ];
        for damage in damages {
            let uses: [fn(&mut Eight, &Stop<'_>); 2] = [
                |eight, stop| {
                    eight.square_and_double(&[0], stop);
                },
                |eight, _| eight.multiply(),
            ];
            for run in uses {
                let mut eight = Eight::new(&[&modulus], 1024);
                damage(&mut eight);
                let run = std::panic::AssertUnwindSafe(|| run(&mut eight, &stop));
                assert!(std::panic::catch_unwind(run).is_err());
            }
        }
    }
}
