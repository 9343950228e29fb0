//! SHA-256 with the SHA extensions: one message, or the iterations of one or two chains, in assembly.
//!
//! Each round waits for the one before, so that one message leaves the unit half idle; two that don't depend on each other fill it. A chain's loop
//! is in here as a whole, so that an unoptimised build runs the same instructions as an optimised one.
//!
//! No address depends on what is hashed, and no jump on anything but the number of blocks or steps: `cargo xtask constant-time` compares the
//! jumps and addresses of the built program with `constant-time/sha256.txt`.

use zeroize::{Zeroize, ZeroizeOnDrop};

use super::{Chain, State};
use crate::processor::has_sha256;

/// Compresses blocks, one after another.
pub(super) fn compress(state: &mut State, blocks: &[[u8; 64]]) {
    assert!(has_sha256(), "it was chosen on a machine that has it");
    if blocks.is_empty() {
        return;
    }
    let mut halves = Halves::of(state);
    // SAFETY: the CPU has the instructions, and there are that many blocks, at least one.
    unsafe { compress_blocks(&mut halves, blocks.as_ptr(), blocks.len(), &CONSTANTS) };
    state.0 = halves.words();
}

/// Lets one chain go on by a number of steps, or two side by side.
pub(super) fn iterate(one: &mut Chain, other: Option<&mut Chain>, steps: u32) {
    assert!(has_sha256(), "it was chosen on a machine that has it");
    if steps == 0 {
        return;
    }
    let mut lane = Lane::of(one);
    if let Some(other) = other {
        let mut second = Lane::of(other);
        // SAFETY: the CPU has the instructions, and there is a step at least.
        unsafe { iterate_two(&mut lane, &mut second, steps.into(), &CONSTANTS) };
        second.leave(other);
    } else {
        // SAFETY: likewise.
        unsafe { iterate_one(&mut lane, steps.into(), &CONSTANTS) };
    }
    lane.leave(one);
}

/// The words of a state in the order of the instructions: F, E, B, A, H, G, D, C.
#[derive(Zeroize, ZeroizeOnDrop)]
#[repr(C, align(16))]
struct Halves([u32; 8]);

impl Halves {
    fn of(state: &State) -> Self {
        let [a, b, c, d, e, f, g, h] = state.0;
        Self([f, e, b, a, h, g, d, c])
    }

    fn words(&self) -> [u32; 8] {
        let [f, e, b, a, h, g, d, c] = self.0;
        [a, b, c, d, e, f, g, h]
    }
}

/// A chain as the assembly reads and writes it.
#[derive(Zeroize, ZeroizeOnDrop)]
#[repr(C, align(16))]
struct Lane {
    /// 0: where the two compressions of a step start.
    starts: [Halves; 2],
    /// 64
    value: [u32; 8],
    /// 96
    sum: [u32; 8],
    /// 128: the last four words of each block.
    length: [u32; 4],
}

impl Lane {
    fn of(chain: &Chain) -> Self {
        Self {
            starts: chain.starts.each_ref().map(Halves::of),
            value: chain.value.0,
            sum: chain.sum.0,
            length: [0, 0, 0, chain.bits],
        }
    }

    fn leave(&self, chain: &mut Chain) {
        chain.value.0 = self.value;
        chain.sum.0 = self.sum;
    }
}

#[repr(C, align(16))]
struct Constants {
    /// 0: see FIPS 180-4, section 4.2.2.
    rounds: [u32; 64],
    /// 256: the first four words of the padding behind eight words.
    padding: [u32; 4],
    /// 272: reverses the octets of each word.
    swap: [u8; 16],
}

/// The instructions of four rounds, for the state in `$abef` and `$cdgh` and the message's words in `$w`.
#[rustfmt::skip]
macro_rules! rounds {
    ($constants:literal, $abef:literal, $cdgh:literal, $w:literal) => {
        concat!(
            "movdqa xmm0, ", $w, "\n",
            "paddd xmm0, [", $constants, "]\n",
            "sha256rnds2 ", $cdgh, ", ", $abef, "\n",
            "pshufd xmm0, xmm0, 0x0e\n",
            "sha256rnds2 ", $abef, ", ", $cdgh, "\n",
        )
    };
}

/// From sixteen words of the message schedule in `$w0` to `$w3`, the next four, in `$w0`.
#[rustfmt::skip]
macro_rules! schedule {
    ($w0:literal, $w1:literal, $w2:literal, $w3:literal, $t:literal) => {
        concat!(
            "movdqa ", $t, ", ", $w3, "\n",
            "sha256msg1 ", $w0, ", ", $w1, "\n",
            "palignr ", $t, ", ", $w2, ", 4\n",
            "paddd ", $w0, ", ", $t, "\n",
            "sha256msg2 ", $w0, ", ", $w3, "\n",
        )
    };
}

/// Sixteen times four rounds: the first four on the words as they are, the others on those that are made of them.
#[rustfmt::skip]
macro_rules! block {
    ($four:ident) => {
        concat!(
            $four!("0", "rcx"),
            $four!("1", "rcx+16"),
            $four!("2", "rcx+32"),
            $four!("3", "rcx+48"),
            $four!("next 0", "rcx+64"),
            $four!("next 1", "rcx+80"),
            $four!("next 2", "rcx+96"),
            $four!("next 3", "rcx+112"),
            $four!("next 0", "rcx+128"),
            $four!("next 1", "rcx+144"),
            $four!("next 2", "rcx+160"),
            $four!("next 3", "rcx+176"),
            $four!("next 0", "rcx+192"),
            $four!("next 1", "rcx+208"),
            $four!("next 2", "rcx+224"),
            $four!("next 3", "rcx+240"),
        )
    };
}

/// Four rounds of the first lane: the state in xmm1 and xmm2, the message in xmm3 to xmm6.
macro_rules! one {
    ("0", $constants:literal) => {
        rounds!($constants, "xmm1", "xmm2", "xmm3")
    };
    ("1", $constants:literal) => {
        rounds!($constants, "xmm1", "xmm2", "xmm4")
    };
    ("2", $constants:literal) => {
        rounds!($constants, "xmm1", "xmm2", "xmm5")
    };
    ("3", $constants:literal) => {
        rounds!($constants, "xmm1", "xmm2", "xmm6")
    };
    ("next 0", $constants:literal) => {
        concat!(
            schedule!("xmm3", "xmm4", "xmm5", "xmm6", "xmm13"),
            one!("0", $constants),
        )
    };
    ("next 1", $constants:literal) => {
        concat!(
            schedule!("xmm4", "xmm5", "xmm6", "xmm3", "xmm13"),
            one!("1", $constants),
        )
    };
    ("next 2", $constants:literal) => {
        concat!(
            schedule!("xmm5", "xmm6", "xmm3", "xmm4", "xmm13"),
            one!("2", $constants),
        )
    };
    ("next 3", $constants:literal) => {
        concat!(
            schedule!("xmm6", "xmm3", "xmm4", "xmm5", "xmm13"),
            one!("3", $constants),
        )
    };
}

/// Four rounds of the second lane: the state in xmm7 and xmm8, the message in xmm9 to xmm12.
macro_rules! other {
    ("0", $constants:literal) => {
        rounds!($constants, "xmm7", "xmm8", "xmm9")
    };
    ("1", $constants:literal) => {
        rounds!($constants, "xmm7", "xmm8", "xmm10")
    };
    ("2", $constants:literal) => {
        rounds!($constants, "xmm7", "xmm8", "xmm11")
    };
    ("3", $constants:literal) => {
        rounds!($constants, "xmm7", "xmm8", "xmm12")
    };
    ("next 0", $constants:literal) => {
        concat!(
            schedule!("xmm9", "xmm10", "xmm11", "xmm12", "xmm14"),
            other!("0", $constants),
        )
    };
    ("next 1", $constants:literal) => {
        concat!(
            schedule!("xmm10", "xmm11", "xmm12", "xmm9", "xmm14"),
            other!("1", $constants),
        )
    };
    ("next 2", $constants:literal) => {
        concat!(
            schedule!("xmm11", "xmm12", "xmm9", "xmm10", "xmm14"),
            other!("2", $constants),
        )
    };
    ("next 3", $constants:literal) => {
        concat!(
            schedule!("xmm12", "xmm9", "xmm10", "xmm11", "xmm14"),
            other!("3", $constants),
        )
    };
}

/// Four rounds of both lanes.
macro_rules! both {
    ($words:tt, $constants:literal) => {
        concat!(one!($words, $constants), other!($words, $constants))
    };
}

/// The start of a compression: the state at `$state`, and the padding behind the eight words that are in place.
#[rustfmt::skip]
macro_rules! start {
    ($lane:literal, $state:literal, $abef:literal, $cdgh:literal, $w2:literal, $w3:literal) => {
        concat!(
            "movdqa ", $abef, ", [", $lane, "+", $state, "]\n",
            "movdqa ", $cdgh, ", [", $lane, "+", $state, "+16]\n",
            "movdqa ", $w2, ", [rcx+256]\n",
            "movdqa ", $w3, ", [", $lane, "+128]\n",
        )
    };
}

/// Its end: the sum with the state that it started from, as the first eight words of the next message.
#[rustfmt::skip]
macro_rules! end {
    ($lane:literal, $state:literal, $abef:literal, $cdgh:literal, $w0:literal, $w1:literal) => {
        concat!(
            "paddd ", $abef, ", [", $lane, "+", $state, "]\n",
            "paddd ", $cdgh, ", [", $lane, "+", $state, "+16]\n",
            "movdqa ", $w0, ", ", $abef, "\n",
            "movdqa ", $w1, ", ", $abef, "\n",
            "shufps ", $w0, ", ", $cdgh, ", 0xbb\n",
            "shufps ", $w1, ", ", $cdgh, ", 0x11\n",
        )
    };
}

/// The exclusive or of the eight words and the sum. `$t0` and `$t1` are free.
#[rustfmt::skip]
macro_rules! sum {
    ($lane:literal, $w0:literal, $w1:literal, $t0:literal, $t1:literal) => {
        concat!(
            "movdqa ", $t0, ", [", $lane, "+96]\n",
            "movdqa ", $t1, ", [", $lane, "+112]\n",
            "pxor ", $t0, ", ", $w0, "\n",
            "pxor ", $t1, ", ", $w1, "\n",
            "movdqa [", $lane, "+96], ", $t0, "\n",
            "movdqa [", $lane, "+112], ", $t1, "\n",
        )
    };
}

/// What depends on a secret doesn't stay behind.
#[rustfmt::skip]
macro_rules! wipe_registers {
    () => {
        concat!(
            "pxor xmm0, xmm0\n",
            "pxor xmm1, xmm1\n",
            "pxor xmm2, xmm2\n",
            "pxor xmm3, xmm3\n",
            "pxor xmm4, xmm4\n",
            "pxor xmm5, xmm5\n",
            "pxor xmm6, xmm6\n",
            "pxor xmm7, xmm7\n",
            "pxor xmm8, xmm8\n",
            "pxor xmm9, xmm9\n",
            "pxor xmm10, xmm10\n",
            "pxor xmm11, xmm11\n",
            "pxor xmm12, xmm12\n",
            "pxor xmm13, xmm13\n",
            "pxor xmm14, xmm14\n",
        )
    };
}

/// Compresses blocks into the state.
///
/// # Safety
///
/// The CPU has SSSE3 and the SHA extensions. `blocks` points to `count` blocks, and there is at least one.
#[unsafe(naked)]
unsafe extern "sysv64" fn compress_blocks(
    state: *mut Halves,
    blocks: *const [u8; 64],
    count: usize,
    constants: *const Constants,
) {
    core::arch::naked_asm!(
        "movdqa xmm1, [rdi]",
        "movdqa xmm2, [rdi+16]",
        "2:",
        "movdqa xmm7, xmm1",
        "movdqa xmm8, xmm2",
        "movdqu xmm3, [rsi]",
        "movdqu xmm4, [rsi+16]",
        "movdqu xmm5, [rsi+32]",
        "movdqu xmm6, [rsi+48]",
        "pshufb xmm3, [rcx+272]",
        "pshufb xmm4, [rcx+272]",
        "pshufb xmm5, [rcx+272]",
        "pshufb xmm6, [rcx+272]",
        block!(one),
        "paddd xmm1, xmm7",
        "paddd xmm2, xmm8",
        "add rsi, 64",
        "dec rdx",
        "jnz 2b",
        "movdqa [rdi], xmm1",
        "movdqa [rdi+16], xmm2",
        wipe_registers!(),
        "ret",
    )
}

/// Steps of one chain.
///
/// # Safety
///
/// The CPU has SSSE3 and the SHA extensions, and there is at least one step.
#[unsafe(naked)]
unsafe extern "sysv64" fn iterate_one(lane: *mut Lane, steps: u64, constants: *const Constants) {
    core::arch::naked_asm!(
        "mov rcx, rdx",
        "movdqa xmm3, [rdi+64]",
        "movdqa xmm4, [rdi+80]",
        "2:",
        start!("rdi", "0", "xmm1", "xmm2", "xmm5", "xmm6"),
        block!(one),
        end!("rdi", "0", "xmm1", "xmm2", "xmm3", "xmm4"),
        start!("rdi", "32", "xmm1", "xmm2", "xmm5", "xmm6"),
        block!(one),
        end!("rdi", "32", "xmm1", "xmm2", "xmm3", "xmm4"),
        sum!("rdi", "xmm3", "xmm4", "xmm5", "xmm6"),
        "dec rsi",
        "jnz 2b",
        "movdqa [rdi+64], xmm3",
        "movdqa [rdi+80], xmm4",
        wipe_registers!(),
        "ret",
    )
}

/// Steps of two chains, side by side.
///
/// # Safety
///
/// The CPU has SSSE3 and the SHA extensions, and there is at least one step. The lanes don't overlap.
#[unsafe(naked)]
unsafe extern "sysv64" fn iterate_two(
    lane: *mut Lane,
    other: *mut Lane,
    steps: u64,
    constants: *const Constants,
) {
    core::arch::naked_asm!(
        "movdqa xmm3, [rdi+64]",
        "movdqa xmm4, [rdi+80]",
        "movdqa xmm9, [rsi+64]",
        "movdqa xmm10, [rsi+80]",
        "2:",
        start!("rdi", "0", "xmm1", "xmm2", "xmm5", "xmm6"),
        start!("rsi", "0", "xmm7", "xmm8", "xmm11", "xmm12"),
        block!(both),
        end!("rdi", "0", "xmm1", "xmm2", "xmm3", "xmm4"),
        end!("rsi", "0", "xmm7", "xmm8", "xmm9", "xmm10"),
        start!("rdi", "32", "xmm1", "xmm2", "xmm5", "xmm6"),
        start!("rsi", "32", "xmm7", "xmm8", "xmm11", "xmm12"),
        block!(both),
        end!("rdi", "32", "xmm1", "xmm2", "xmm3", "xmm4"),
        end!("rsi", "32", "xmm7", "xmm8", "xmm9", "xmm10"),
        sum!("rdi", "xmm3", "xmm4", "xmm5", "xmm6"),
        sum!("rsi", "xmm9", "xmm10", "xmm11", "xmm12"),
        "dec rdx",
        "jnz 2b",
        "movdqa [rdi+64], xmm3",
        "movdqa [rdi+80], xmm4",
        "movdqa [rsi+64], xmm9",
        "movdqa [rsi+80], xmm10",
        wipe_registers!(),
        "ret",
    )
}

static CONSTANTS: Constants = Constants {
    #[rustfmt::skip]
    rounds: [
        0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
        0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
        0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
        0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
        0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
        0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
        0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
        0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
    ],
    padding: [0x8000_0000, 0, 0, 0],
    swap: [3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12],
};
