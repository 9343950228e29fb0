//! Trial division in assembly, see [`crate::modular::sieve`]: sixty-four products of primes at once with AVX-512 IFMA, eight with `mulx`.

use core::arch::asm;

use super::vector::wipe_registers;
use crate::declassify;
use crate::modular::sieve::{BLOCKS, Block, DEPTH, HAS_SMALL_FACTOR, MASK52, SLOTS, Slot, WIDTH};

/// Eight vectors: `c = hi(((x - c)·inverse mod 2^52)·product) + borrow`.
#[rustfmt::skip]
macro_rules! step {
    ($($c:literal $product:literal $inverse:literal),*) => {
        concat!(
            $(
                "vpsubq zmm25, zmm24, zmm", $c, "\n",
                "vpxorq zmm26, zmm26, zmm26\n",
                "vpsrlq zmm", $c, ", zmm25, 63\n",
                "vpmadd52luq zmm26, zmm25, zmm", $inverse, "\n",
                "vpmadd52huq zmm", $c, ", zmm26, zmm", $product, "\n",
            )*
        )
    };
}

#[rustfmt::skip]
macro_rules! load {
    ($($r:literal $offset:literal),*) => {
        concat!($("vmovdqa64 zmm", $r, ", [rdi+", $offset, "]\n",)*)
    };
}

/// `k1 |= c·inverse mod 2^52 <= limit`, for the four slots of each vector.
#[rustfmt::skip]
macro_rules! test {
    ($($c:literal),*) => {
        concat!($(slot!($c, "0"), slot!($c, "128"), slot!($c, "256"), slot!($c, "384"), "add r9, 512\n",)*)
    };
}

#[rustfmt::skip]
macro_rules! slot {
    ($c:literal, $offset:literal) => {
        concat!(
            "vpxorq zmm24, zmm24, zmm24\n",
            "vpmadd52luq zmm24, zmm", $c, ", [r9+", $offset, "]\n",
            "vpcmpuq k2, zmm24, [r9+", $offset, "+64], 2\n",
            "korw k1, k1, k2\n",
        )
    };
}

/// Whether a prime of the table divides the number, given as 52-bit limbs.
pub(super) fn ifma_has_small_factor(limbs: &[u64]) -> bool {
    assert!(!limbs.is_empty());
    #[cfg(any(test, constant_time))]
    if super::is_emulated() {
        return super::emulation::has_small_factor(limbs);
    }
    // SAFETY: the caller has checked for AVX-512F and IFMA; there are limbs and blocks, of the lengths given.
    let found = unsafe { has_factor(BLOCKS.as_ptr(), BLOCKS.len(), limbs.as_ptr(), limbs.len()) };
    declassify(found != 0, HAS_SMALL_FACTOR)
}

/// Not 0 if a prime of a block divides the number: the blocks after that one are not looked at. Writes no memory.
///
/// A naked function, see [`super::ifma`]. rdi is the block, rsi blocks are left, rdx are the limbs and rcx is their number; r8 is the limb at hand and rax counts
/// them; r9 are the slots.
///
/// # Safety
///
/// The CPU has AVX-512F and IFMA. There are as many blocks and limbs as it says, at least one of each.
#[unsafe(naked)]
unsafe extern "sysv64" fn has_factor(
    blocks: *const Block,
    count: usize,
    limbs: *const u64,
    length: usize,
) -> u64 {
    core::arch::naked_asm!(
        "2:",
        load!("8" "0", "9" "64", "10" "128", "11" "192", "12" "256", "13" "320", "14" "384", "15" "448"),
        load!("16" "512", "17" "576", "18" "640", "19" "704", "20" "768", "21" "832", "22" "896", "23" "960"),
        "vpxorq zmm0, zmm0, zmm0",
        "vpxorq zmm1, zmm1, zmm1",
        "vpxorq zmm2, zmm2, zmm2",
        "vpxorq zmm3, zmm3, zmm3",
        "vpxorq zmm4, zmm4, zmm4",
        "vpxorq zmm5, zmm5, zmm5",
        "vpxorq zmm6, zmm6, zmm6",
        "vpxorq zmm7, zmm7, zmm7",
        "mov r8, rdx",
        "mov rax, rcx",
        "3:",
        "vpbroadcastq zmm24, [r8]",
        step!("0" "8" "16", "1" "9" "17", "2" "10" "18", "3" "11" "19", "4" "12" "20", "5" "13" "21", "6" "14" "22", "7" "15" "23"),
        "add r8, 8",
        "dec rax",
        "jnz 3b",
        "kxorw k1, k1, k1",
        "lea r9, [rdi+1024]",
        test!("0", "1", "2", "3", "4", "5", "6", "7"),
        "kmovw eax, k1",
        "mov rdi, r9",
        "test eax, eax",
        "jnz 4f",
        "dec rsi",
        "jnz 2b",
        "4:",
        wipe_registers!(),
        "ret",
    )
}

/// `c = hi(((x - c)·inverse mod 2^64)·product) + borrow`.
#[rustfmt::skip]
macro_rules! scalar_step {
    ($c:literal, $offset:literal) => {
        concat!(
            "mov rdx, [{limb}]\n",
            "sub rdx, {", $c, "}\n",
            "sbb {borrow}, {borrow}\n",
            "imul rdx, [{block}+512+", $offset, "]\n",
            "mulx {", $c, "}, rdx, [{block}+", $offset, "]\n",
            "sub {", $c, "}, {borrow}\n",
        )
    };
}

/// `found |= (c·inverse mod 2^52) - limit - 1`, whose top bit is set if the product is at most the limit.
#[rustfmt::skip]
macro_rules! scalar_test {
    ($($c:literal),*) => {
        concat!($(
            "mov {value}, [{c}+", $c, "]\n",
            "imul {value}, [{slot}+", $c, "]\n",
            "and {value}, {mask}\n",
            "sub {value}, [{slot}+64+", $c, "]\n",
            "dec {value}\n",
            "or {found}, {value}\n",
        )*)
    };
}

/// Whether a prime of the table divides the number, given as 64-bit limbs.
pub(super) fn mulx_has_small_factor(limbs: &[u64]) -> bool {
    assert!(!limbs.is_empty() && crate::processor::has_mulx());
    let mut i = 0;
    while i < BLOCKS.len() * DEPTH {
        let (block, depth) = (&BLOCKS[i / DEPTH], i % DEPTH);
        let found = divides(&remainders(limbs, block, depth), &block.slots[depth]);
        if declassify(found, HAS_SMALL_FACTOR) {
            return true;
        }
        i += 1;
    }
    false
}

fn remainders(limbs: &[u64], block: &Block, depth: usize) -> [u64; WIDTH] {
    let (c0, c1, c2, c3): (u64, u64, u64, u64);
    let (c4, c5, c6, c7): (u64, u64, u64, u64);
    let row = &raw const block.product[depth];
    // SAFETY: the caller has checked for BMI2. Reads `limbs` up to its end, eight products of the block and the eight inverses that stand 512 bytes
    // after them. Writes no memory.
    unsafe {
        asm!(
            "2:",
            scalar_step!("c0", "0"),
            scalar_step!("c1", "8"),
            scalar_step!("c2", "16"),
            scalar_step!("c3", "24"),
            scalar_step!("c4", "32"),
            scalar_step!("c5", "40"),
            scalar_step!("c6", "48"),
            scalar_step!("c7", "56"),
            "add {limb}, 8",
            "cmp {limb}, {end}",
            "jne 2b",
            block = in(reg) row,
            limb = inout(reg) limbs.as_ptr_range().start => _,
            end = in(reg) limbs.as_ptr_range().end,
            borrow = out(reg) _,
            out("rdx") _,
            c0 = inout(reg) 0u64 => c0,
            c1 = inout(reg) 0u64 => c1,
            c2 = inout(reg) 0u64 => c2,
            c3 = inout(reg) 0u64 => c3,
            c4 = inout(reg) 0u64 => c4,
            c5 = inout(reg) 0u64 => c5,
            c6 = inout(reg) 0u64 => c6,
            c7 = inout(reg) 0u64 => c7,
            options(nostack, readonly),
        );
    }
    [c0, c1, c2, c3, c4, c5, c6, c7]
}

fn divides(c: &[u64; WIDTH], slots: &[Slot; SLOTS]) -> bool {
    let found: u64;
    // SAFETY: reads the eight remainders and the four slots, of 64 bytes of inverses and 64 bytes of limits each. Writes no memory.
    unsafe {
        asm!(
            "2:",
            scalar_test!("0", "8", "16", "24", "32", "40", "48", "56"),
            "add {slot}, 128",
            "cmp {slot}, {end}",
            "jne 2b",
            c = in(reg) c.as_ptr(),
            slot = inout(reg) slots.as_ptr_range().start => _,
            end = in(reg) slots.as_ptr_range().end,
            mask = in(reg) MASK52,
            value = out(reg) _,
            found = inout(reg) 0u64 => found,
            options(nostack, readonly),
        );
    }
    found >> 63 == 1
}

// The offsets that stand in the assembly.
const _: () = assert!(size_of::<Block>() == 1024 + 8 * 512 && size_of::<Slot>() == 128);
const _: () = assert!(
    core::mem::offset_of!(Block, inverse) == 512 && core::mem::offset_of!(Block, slots) == 1024
);
