//! Two Montgomery exponentiations at once with AVX-512 IFMA: the two halves of an RSA signature.
//!
//! Each number is spread over the lanes of `V` vectors, and its limbs of 52 bits lie across them: limb `i` is in lane `i / V` of vector `i mod V`.
//! So the columns of a product move on by one limb when the vectors exchange their names, which costs nothing, and only the one that was the
//! lowest has to move its lanes. A row multiplies all of `x` by one limb of `y`, and adds the multiple of `n` that makes the lowest column zero:
//!
//! 1. The lowest column is complete. With what was carried out of the one before, it gives the quotient digit `m`, in general registers. Adding
//!    `m·n` makes it zero, and the carry out of it is `(column + 2^52 - 1) >> 52`, as in [`super::ifma`].
//! 2. Low halves of `m·n` for this lowest vector, whose lanes then move down by one: what leaves it is done with.
//! 3. High halves of `x` times this limb of `y`, and low halves of `x` times the next one, which belong to the same columns.
//! 4. The other halves of `m·n`.
//!
//! Every instruction is there for both halves in turn, so that one computes while the other waits. After the last row, carries go up through the vectors
//! and once from lane to lane. A carry into a lane whose limbs are all full would go on into the next one: which lanes are full, and which
//! overflow, makes two numbers of eight bits, and one addition of these finds all that get a carry. Nothing is subtracted: `R = 2^(52 limbs)`
//! is more than `4 n`, so that factors below `2 n` give a product below `2 n`.
//!
//! Columns stay below 2^62: at most `4 limbs` products of 52 bits each, with at most 80 limbs.

use zeroize::Zeroize;

use super::limbs52;
use super::select::Table;
use super::vector::{Vector, ZERO, wipe_registers};
use crate::kernel::LANES;
use crate::modular::window::Lanes;
use crate::nat;

/// The arithmetic for numbers of a length.
struct Shape {
    /// How many vectors hold a number.
    vectors: usize,
    /// How many limbs a number has; lanes beyond are zero.
    limbs: usize,
    multiply: Multiply,
}

/// `x = x·y / R mod n`, and so on, `count` times, for both halves. `x`, `y` and `n` are the vectors of the first number, and then those of the
/// second one; `k` is `-n^-1 mod 2^64` of each.
///
/// `y` may be `x`, which makes squares; else `count` is 1.
type Multiply = unsafe extern "sysv64" fn(
    x: *mut Vector,
    y: *const Vector,
    n: *const Vector,
    k: *const [u64; 2],
    count: usize,
);

/// Moduli of 1024, 1536, 2048 and 4096 bits, and shorter ones.
static SHAPES: [Shape; 4] = [
    Shape {
        vectors: 3,
        limbs: 20,
        multiply: multiply_3,
    },
    Shape {
        vectors: 4,
        limbs: 30,
        multiply: multiply_4,
    },
    Shape {
        vectors: 5,
        limbs: 40,
        multiply: multiply_5,
    },
    Shape {
        vectors: 10,
        limbs: 80,
        multiply: multiply_10,
    },
];

/// Two moduli and the working storage of an exponentiation. Wiped on drop.
pub(super) struct Pair {
    shape: &'static Shape,
    // `n`: the moduli, `x`: the running values, `y`: a second factor, each the vectors of the first number and then those of the second.
    n: Vec<Vector>,
    x: Vec<Vector>,
    y: Vec<Vector>,
    table: Table,
    k: [u64; 2],
}

impl Pair {
    /// Prepares for one or two odd moduli of at most `bits` bits, given as little-endian 64-bit limbs. A half left over repeats the first modulus.
    /// `None` if there are more, or if they are too long.
    pub(super) fn new(moduli: &[&[u64]], bits: usize) -> Option<Self> {
        let shape = shape(bits).filter(|_| (1..=2).contains(&moduli.len()))?;
        let vectors = 2 * shape.vectors;
        let mut pair = Self {
            shape,
            n: vec![ZERO; vectors],
            x: vec![ZERO; vectors],
            y: vec![ZERO; vectors],
            table: Table::new(vectors),
            k: [0; 2],
        };
        for half in 0..2 {
            let modulus = if half < moduli.len() {
                moduli[half]
            } else {
                moduli[0]
            };
            spread(&mut pair.n, shape, half, modulus);
            pair.k[half] = nat::negative_inverse(modulus[0]);
        }
        Some(pair)
    }

    /// Multiplies by `y` or by itself, `count` times.
    fn run(&mut self, squares: bool, count: usize) {
        let vectors = 2 * self.shape.vectors;
        // These bound every address in the assembly.
        assert!(
            self.n.len() == vectors
                && self.x.len() == vectors
                && self.y.len() == vectors
                && count > 0
                && (squares || count == 1)
        );
        #[cfg(any(test, constant_time))]
        if super::is_emulated() {
            let (vectors, limbs) = (self.shape.vectors, self.shape.limbs);
            for _ in 0..count {
                let y = if squares { &self.x.clone() } else { &self.y };
                super::emulation::multiply_pair(&mut self.x, y, &self.n, self.k, vectors, limbs);
            }
            return;
        }
        let x = self.x.as_mut_ptr();
        let y = if squares {
            x.cast_const()
        } else {
            self.y.as_ptr()
        };
        // SAFETY: the callers of this module have checked for AVX-512F and IFMA. `x`, `y` and `n` have twice the vectors of the shape, as asserted above, and a
        // function of the shape stays inside of them; `Vector` is aligned to 64 bytes.
        unsafe {
            (self.shape.multiply)(x, y, self.n.as_ptr(), &raw const self.k, count);
        }
    }
}

impl Lanes for Pair {
    fn radix_bits(&self) -> usize {
        52 * self.shape.limbs
    }

    fn set_x(&mut self, lane: usize, value: &[u64]) {
        spread(&mut self.x, self.shape, lane, value);
    }

    fn set_y(&mut self, lane: usize, value: &[u64]) {
        spread(&mut self.y, self.shape, lane, value);
    }

    fn value(&self, lane: usize, out: &mut [u64]) {
        let vectors = self.shape.vectors;
        let half = &self.x[lane * vectors..][..vectors];
        limbs52::join(out, self.shape.limbs, |i| half[i % vectors].0[i / vectors]);
    }

    fn square(&mut self, count: usize) {
        self.run(true, count);
    }

    fn multiply(&mut self) {
        self.run(false, 1);
    }

    fn set_y_to_x(&mut self) {
        self.y.copy_from_slice(&self.x);
    }

    fn set_x_to_y(&mut self) {
        self.x.copy_from_slice(&self.y);
    }

    fn keep(&mut self, entry: usize) {
        self.table.keep(entry, &self.x);
    }

    fn select(&mut self, indices: &[u64; LANES]) {
        for (half, y) in self.y.chunks_mut(self.shape.vectors).enumerate() {
            self.table
                .select_one(y, half * self.shape.vectors, indices[half]);
        }
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        for buffer in [&mut self.n, &mut self.x, &mut self.y] {
            buffer.zeroize();
        }
        self.k.zeroize();
    }
}

/// The smallest shape with a radix of more than four times a modulus.
fn shape(bits: usize) -> Option<&'static Shape> {
    SHAPES.iter().find(|shape| bits + 2 <= 52 * shape.limbs)
}

/// Writes 64-bit limbs into one half.
fn spread(vectors: &mut [Vector], shape: &Shape, half: usize, limbs: &[u64]) {
    let count = shape.vectors;
    let mut i = 0;
    while i < shape.limbs {
        vectors[half * count + i % count].0[i / count] = limbs52::limb(limbs, i);
        i += 1;
    }
    debug_assert_eq!(limbs52::limb(limbs, shape.limbs), 0);
}

/// Adds the halves of the products of a vector of `x`, in both numbers, and the limb of `y` in zmm20 and zmm21. `$columns` are the vectors of columns, `$factors` those
/// of `x` and offsets from `n`.
#[rustfmt::skip]
macro_rules! add_x {
    ($half:literal ($p:tt $q:tt) ($x_p:tt $x_q:tt $n_p:tt $n_q:tt)) => {
        concat!(
            "vpmadd52", $half, "uq zmm", $p, ", zmm20, ", $x_p, "\n",
            "vpmadd52", $half, "uq zmm", $q, ", zmm21, ", $x_q, "\n",
        )
    };
}

/// Likewise for a vector of `n` and the quotient digits in zmm22 and zmm23.
#[rustfmt::skip]
macro_rules! add_n {
    ($half:literal ($p:tt $q:tt) ($x_p:tt $x_q:tt $n_p:tt $n_q:tt)) => {
        concat!(
            "vpmadd52", $half, "uq zmm", $p, ", zmm22, [rdx+", $n_p, "]\n",
            "vpmadd52", $half, "uq zmm", $q, ", zmm23, [rdx+", $n_q, "]\n",
        )
    };
}

/// From the lowest column, and the carry into it in r10 and r11: the quotient digits in zmm22 and zmm23, and the carry out of it.
#[rustfmt::skip]
macro_rules! digits {
    (($p:tt $q:tt)) => {
        concat!(
            "vmovq rbx, xmm", $p, "\n",
            "vmovq rbp, xmm", $q, "\n",
            "add r10, rbx\n",
            "add r11, rbp\n",
            "mov rbx, r10\n",
            "mov rbp, r11\n",
            "imul rbx, r12\n",
            "imul rbp, r13\n",
            "vpbroadcastq zmm22, rbx\n",
            "vpbroadcastq zmm23, rbp\n",
            "add r10, r9\n",
            "add r11, r9\n",
            "shr r10, 52\n",
            "shr r11, 52\n",
        )
    };
}

/// Moves the lanes of a vector down by one.
#[rustfmt::skip]
macro_rules! shift {
    (($p:tt $q:tt)) => {
        concat!(
            "valignq zmm", $p, ", zmm31, zmm", $p, ", 1\n",
            "valignq zmm", $q, ", zmm31, zmm", $q, ", 1\n",
        )
    };
}

/// The next limb of `y` in all lanes. `$z` may make it zero.
#[rustfmt::skip]
macro_rules! next_limb {
    (($y_p:tt $y_q:tt $z:tt)) => {
        concat!(
            "vpbroadcastq zmm20", $z, ", [rsi+", $y_p, "]\n",
            "vpbroadcastq zmm21", $z, ", [rsi+", $y_q, "]\n",
        )
    };
}

/// Rows, for the places of the next limbs of `y`: the columns exchange their names from each to the next.
#[rustfmt::skip]
macro_rules! rows {
    ([] $columns:tt $factors:tt) => {
        ""
    };
    ([$y:tt $($next:tt)*] [$lowest:tt $($column:tt)*] [$first:tt $($factor:tt)*]) => {
        concat!(
            digits!($lowest),
            add_n!("l" $lowest $first),
            shift!($lowest),
            add_to_all!(add_x "h" [$($column)* $lowest] [$first $($factor)*]),
            next_limb!($y),
            add_to_all!(add_x "l" [$($column)* $lowest] [$first $($factor)*]),
            add_to_all!(add_n "l" [$($column)*] [$($factor)*]),
            add_to_all!(add_n "h" [$($column)* $lowest] [$first $($factor)*]),
            rows!([$($next)*] [$($column)* $lowest] [$first $($factor)*]),
        )
    };
}

#[rustfmt::skip]
macro_rules! add_to_all {
    ($add:ident $half:literal [$($column:tt)*] [$($factor:tt)*]) => {
        concat!($($add!($half $column $factor),)*)
    };
}

/// One pass of carries through the vectors of columns; the one out of the highest is in zmm24.
#[rustfmt::skip]
macro_rules! carry {
    ($lowest:tt $($column:tt)*) => {
        concat!(
            "vpsrlq zmm24, zmm", $lowest, ", 52\n",
            "vpandq zmm", $lowest, ", zmm", $lowest, ", zmm30\n",
            $(
                "vpaddq zmm", $column, ", zmm", $column, ", zmm24\n",
                "vpsrlq zmm24, zmm", $column, ", 52\n",
                "vpandq zmm", $column, ", zmm", $column, ", zmm30\n",
            )*
        )
    };
}

/// Makes limbs of 52 bits of one half's columns and of the carry `$carry` into the lowest.
#[rustfmt::skip]
macro_rules! normalise {
    ($carry:literal, $lowest:tt $second:tt $($column:tt)*) => {
        concat!(
            "vmovq xmm24, ", $carry, "\n",
            "vpaddq zmm", $lowest, ", zmm", $lowest, ", zmm24\n",
            carry!($lowest $second $($column)*),
            "valignq zmm24, zmm24, zmm31, 7\n",
            "vpaddq zmm", $lowest, ", zmm", $lowest, ", zmm24\n",
            // k2: the lanes that pass a carry on, k3: those that overflow
            "vmovdqa64 zmm24, zmm", $second, "\n",
            $("vpandq zmm24, zmm24, zmm", $column, "\n",)*
            "vpcmpeqq k2, zmm24, zmm30\n",
            "vpcmpnleuq k3{{k2}}, zmm", $lowest, ", zmm30\n",
            "vpcmpeqq k2{{k2}}, zmm", $lowest, ", zmm30\n",
            "kmovw eax, k3\n",
            "kmovw ebx, k2\n",
            "lea eax, [rbx+2*rax]\n",
            "xor eax, ebx\n",
            "kmovw k2, eax\n",
            "vpsubq zmm", $lowest, "{{k2}}, zmm", $lowest, ", zmm29\n",
            carry!($lowest $second $($column)*),
        )
    };
}

/// A function for a shape. `columns` are pairs of vector registers, for the first and the second number. `factors` are the vectors of `x` in both, registers or memory, and where `n`
/// has its own. `registers` are those which hold `x`, the columns that become it, and its place in memory.
///
/// The rows before the loop, as many as the limbs have more than the loop does, find the columns' names exchanged so often that those of the
/// loop are in order.
#[rustfmt::skip]
macro_rules! multiply {
    (
        $name:ident,
        turns: $turns:literal,
        first_rows: [$($first_row:tt)*],
        first_columns: [$($first_column:tt)*],
        rows: [$($row:tt)*],
        columns: [$(($p:tt $q:tt))*],
        factors: [$($factor:tt)*],
        registers: [$(($x:tt $column:tt $place:tt))*],
        places: [$(($from:tt $to:tt))*],
        second: $second:literal $(,)?
    ) => {
        /// See [`Multiply`].
        ///
        /// A naked function, because the compiler adds nothing to it: its jumps and addresses are those that stand here. They depend on `count` alone, and
        /// `cargo xtask constant-time` compares them with the list in `constant-time/ifma.txt`.
        ///
        /// The registers are rdi: `x`, rsi: `y`, a limb further with each turn, rdx: `n`, rcx: turns still to do, r8: `count`, r9: 52 ones, r10 and r11: what is carried out of
        /// the lowest column, r12 and r13: `k`; zmm20 and zmm21: a limb of `y`, zmm22 and zmm23: a quotient digit, zmm24: carries, zmm29: 64 ones, zmm30: 52 ones,
        /// zmm31: 0; k1: empty in the last turn, where no limb of `y` is left.
        ///
        /// # Safety
        ///
        /// The CPU has AVX-512F and IFMA. `x`, `y` and `n` point to twice the shape's vectors, `k` to two numbers. `count` isn't zero, and is 1 unless `y` is `x`.
        #[unsafe(naked)]
        unsafe extern "sysv64" fn $name(
            x: *mut Vector,
            y: *const Vector,
            n: *const Vector,
            k: *const [u64; 2],
            count: usize,
        ) {
            core::arch::naked_asm!(
                "push rbx",
                "push rbp",
                "push r12",
                "push r13",
                "mov r12, [rcx]",
                "mov r13, [rcx+8]",
                "mov r9, 0xfffffffffffff",
                "vpbroadcastq zmm30, r9",
                "vpxorq zmm31, zmm31, zmm31",
                "mov rax, -1",
                "vpbroadcastq zmm29, rax",
                $(concat!("vmovdqa64 zmm", $x, ", [rdi+", $place, "]"),)*
                "vpbroadcastq zmm20, [rsi]",
                concat!("vpbroadcastq zmm21, [rsi+", $second, "]"),
                "2:", // one product
                $(
                    concat!("vpxorq zmm", $p, ", zmm", $p, ", zmm", $p),
                    concat!("vpxorq zmm", $q, ", zmm", $q, ", zmm", $q),
                )*
                "xor r10d, r10d",
                "xor r11d, r11d",
                "mov eax, 255",
                "kmovw k1, eax",
                add_to_all!(add_x "l" [$($first_column)*] [$($factor)*]),
                rows!([$($first_row)*] [$($first_column)*] [$($factor)*]),
                concat!("mov ecx, ", $turns),
                "3:", // as many rows as there are vectors
                "cmp ecx, 1",
                "jne 4f",
                "kxorw k1, k1, k1",
                "4:",
                rows!([$($row)*] [$(($p $q))*] [$($factor)*]),
                "add rsi, 8",
                "dec ecx",
                "jnz 3b",
                concat!("sub rsi, 8*", $turns),
                normalise!("r10", $($p)*),
                normalise!("r11", $($q)*),
                $(concat!("vmovdqa64 zmm", $x, ", zmm", $column),)*
                $(concat!("vmovdqa64 [rdi+", $to, "], zmm", $from),)*
                // If there is more to do, these are squares: `y` is `x`.
                "vpbroadcastq zmm20, xmm0",
                concat!("vpbroadcastq zmm21, xmm", second_column!($(($p $q))*)),
                "dec r8",
                "jnz 2b",
                "pop r13",
                "pop r12",
                "pop rbp",
                "pop rbx",
                "xor eax, eax",
                "xor r10d, r10d",
                "xor r11d, r11d",
                wipe_registers!(),
                "ret",
            )
        }
    };
}

/// The lowest column of the second number.
macro_rules! second_column {
    (($p:tt $q:tt) $($other:tt)*) => {
        $q
    };
}

multiply! {
    multiply_3,
    turns: 6,
    first_rows: [(64 256 "") (128 320 "")],
    first_columns: [(1 4) (2 5) (0 3)],
    rows: [(8 200 "") (72 264 "") (136 328 "{{k1}}{{z}}")],
    columns: [(0 3) (1 4) (2 5)],
    factors: [("zmm10" "zmm13" 0 192) ("zmm11" "zmm14" 64 256) ("zmm12" "zmm15" 128 320)],
    registers: [(10 0 0) (11 1 64) (12 2 128) (13 3 192) (14 4 256) (15 5 320)],
    places: [(0 0) (1 64) (2 128) (3 192) (4 256) (5 320)],
    second: 192,
}

multiply! {
    multiply_4,
    turns: 7,
    first_rows: [(64 320 "") (128 384 "")],
    first_columns: [(2 6) (3 7) (0 4) (1 5)],
    rows: [(192 448 "") (8 264 "") (72 328 "") (136 392 "{{k1}}{{z}}")],
    columns: [(0 4) (1 5) (2 6) (3 7)],
    factors: [
        ("zmm10" "zmm14" 0 256) ("zmm11" "zmm15" 64 320) ("zmm12" "zmm16" 128 384) ("zmm13" "zmm17" 192 448)
    ],
    registers: [
        (10 0 0) (11 1 64) (12 2 128) (13 3 192)
        (14 4 256) (15 5 320) (16 6 384) (17 7 448)
    ],
    places: [(0 0) (1 64) (2 128) (3 192) (4 256) (5 320) (6 384) (7 448)],
    second: 256,
}

multiply! {
    multiply_5,
    turns: 8,
    first_rows: [],
    first_columns: [(0 5) (1 6) (2 7) (3 8) (4 9)],
    rows: [(64 384 "") (128 448 "") (192 512 "") (256 576 "") (8 328 "{{k1}}{{z}}")],
    columns: [(0 5) (1 6) (2 7) (3 8) (4 9)],
    factors: [
        ("zmm10" "zmm15" 0 320) ("zmm11" "zmm16" 64 384) ("zmm12" "zmm17" 128 448)
        ("zmm13" "zmm18" 192 512) ("zmm14" "zmm19" 256 576)
    ],
    registers: [
        (10 0 0) (11 1 64) (12 2 128) (13 3 192) (14 4 256)
        (15 5 320) (16 6 384) (17 7 448) (18 8 512) (19 9 576)
    ],
    places: [
        (0 0) (1 64) (2 128) (3 192) (4 256)
        (5 320) (6 384) (7 448) (8 512) (9 576)
    ],
    second: 320,
}

multiply! {
    multiply_10,
    turns: 8,
    first_rows: [],
    first_columns: [(0 10) (1 11) (2 12) (3 13) (4 14) (5 15) (6 16) (7 17) (8 18) (9 19)],
    rows: [
        (64 704 "") (128 768 "") (192 832 "") (256 896 "") (320 960 "")
        (384 1024 "") (448 1088 "") (512 1152 "") (576 1216 "") (8 648 "{{k1}}{{z}}")
    ],
    columns: [(0 10) (1 11) (2 12) (3 13) (4 14) (5 15) (6 16) (7 17) (8 18) (9 19)],
    factors: [
        ("[rdi]" "[rdi+640]" 0 640) ("[rdi+64]" "[rdi+704]" 64 704) ("[rdi+128]" "[rdi+768]" 128 768)
        ("[rdi+192]" "[rdi+832]" 192 832) ("[rdi+256]" "[rdi+896]" 256 896) ("[rdi+320]" "[rdi+960]" 320 960)
        ("[rdi+384]" "[rdi+1024]" 384 1024) ("[rdi+448]" "[rdi+1088]" 448 1088)
        ("[rdi+512]" "[rdi+1152]" 512 1152) ("[rdi+576]" "[rdi+1216]" 576 1216)
    ],
    registers: [],
    places: [
        (0 0) (1 64) (2 128) (3 192) (4 256) (5 320) (6 384) (7 448) (8 512) (9 576)
        (10 640) (11 704) (12 768) (13 832) (14 896) (15 960) (16 1024) (17 1088) (18 1152) (19 1216)
    ],
    second: 640,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kernel;
    use crate::gate::with_forced;

    /// The assembly would read and write beyond them.
    #[test]
    fn buffers_of_a_wrong_length_never_reach_the_assembly() {
        let modulus = [u64::MAX; 16];
        let damages: [fn(&mut Pair); 4] = [
            |pair| pair.n.truncate(5),
            |pair| pair.x.truncate(5),
            |pair| pair.y.truncate(5),
            |pair| pair.shape = &SHAPES[1],
        ];
        for damage in damages {
            for run in [
                |pair: &mut Pair| pair.square(1),
                |pair: &mut Pair| pair.multiply(),
            ] {
                let mut pair = Pair::new(&[&modulus], 1024).unwrap();
                damage(&mut pair);
                let run = std::panic::AssertUnwindSafe(|| run(&mut pair));
                assert!(std::panic::catch_unwind(run).is_err());
            }
        }
        let none = || Pair::new(&[&modulus], 1024).unwrap().square(0);
        assert!(std::panic::catch_unwind(none).is_err());
        assert!(
            Pair::new(&[&modulus], 4159).is_none() && Pair::new(&[&modulus[..]; 3], 1024).is_none()
        );
    }

    /// Limb by limb: full ones, which pass carries on, next to random ones, and products that reach the bounds.
    #[test]
    fn the_assembly_computes_what_its_emulation_does() {
        if !Kernel::Ifma.is_available() {
            return;
        }
        let mut random = fastrand::Rng::with_seed(1);
        for shape in &SHAPES {
            let bits = 52 * shape.limbs - 2;
            for round in 0..300 {
                // Runs of ones and of zeros as long as several limbs are frequent in three of four rounds.
                let mut number = || {
                    let mut limbs: Vec<u64> = (0..bits.div_ceil(64))
                        .map(|_| match random.u8(..4) * u8::from(round % 4 != 0) {
                            0 => random.u64(..),
                            1 => 0,
                            _ => u64::MAX,
                        })
                        .collect();
                    limbs[(bits - 1) / 64] &= u64::MAX >> (63 - (bits - 1) % 64);
                    limbs
                };
                let moduli = [number(), number()].map(|mut n| {
                    n[0] |= 1;
                    n[(bits - 1) / 64] |= 1 << ((bits - 1) % 64);
                    n
                });
                let mut pair = Pair::new(&[&moduli[0], &moduli[1]], bits).unwrap();
                let numbers = [number(), number(), number(), number()];
                let mut results = [false, true].map(|emulated| {
                    let mut run = || {
                        for half in 0..2 {
                            pair.set_x(half, &numbers[half]);
                            pair.set_y(half, &numbers[2 + half]);
                        }
                        pair.multiply();
                        pair.square(3);
                        pair.x.iter().map(|vector| vector.0).collect::<Vec<_>>()
                    };
                    if emulated {
                        with_forced(Kernel::Ifma, run).0
                    } else {
                        run()
                    }
                });
                let [assembly, emulation] = &mut results;
                assert_eq!(assembly, emulation, "{} vectors", shape.vectors);
            }
        }
    }
}
