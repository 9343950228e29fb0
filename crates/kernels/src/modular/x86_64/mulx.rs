//! 64-bit limbs with `mulx`, `adcx` and `adox`: blocks of eight by eight limbs, whose sums stay in registers.
//!
//! A length is a multiple of eight limbs. Eight limbs of one factor (the *multipliers*) times the other factor are a *strip* of blocks. A block
//! is eight rows of products, added up in eight registers with two carry chains side by side, `adcx` for the low halves and `adox` for the high ones.
//! After each row one column is complete: it goes to memory, and its register becomes the new top. After eight rows the registers hold the
//! columns that the next block of the strip begins with.
//!
//! 1. *Square.* The products off the diagonal, each once: a triangle in each block on the diagonal, and strips of what is to its right. Then one
//!    pass doubles them and adds the squares of the limbs.
//! 2. *Reduce.* Eight rows at a time. The block of the lowest limbs of `n` makes one quotient digit per row, and the column zero; the eight digits
//!    are the multipliers of a strip with the rest of `n`.
//! 3. *Subtract* `n`, times the carry: a result is below `2^(64 len)`, and not always below `n`.
//!
//! As in the IFMA kernel, a whole sequence of squarings is one call, an unoptimised build runs the same instructions as an optimised one, and nothing
//! but the length decides which instructions run on which addresses.

use core::arch::naked_asm;
use core::mem::offset_of;

use zeroize::Zeroize;

use super::super::scalar::{Arithmetic, WINDOW_ENTRIES};
use crate::nat::negative_inverse;

/// Limbs of a block.
const BLOCK: usize = 8;

/// Proof that the CPU has the instructions.
pub(in crate::modular) struct Mulx(());

impl Mulx {
    pub(in crate::modular) fn new() -> Self {
        assert!(
            crate::processor::has_mulx(),
            "the kernel was chosen on a machine that has it"
        );
        Self(())
    }
}

/// What the assembly doesn't keep in registers. It has the offsets as numbers, asserted below; `rbp` points here all the time.
#[repr(C)]
struct Frame {
    /// 0: the running value.
    x: *mut u64,
    /// 8: the other factor.
    y: *const u64,
    /// 16: the modulus.
    n: *const u64,
    /// 24: twice as many columns.
    t: *mut u64,
    /// 32: octets of a number.
    length: usize,
    /// 40: squarings still to do.
    count: usize,
    /// 48: `-n^-1 mod 2^64`.
    k: u64,
    /// 56: for carries into a register.
    zero: u64,
    /// 64: the carry out of the last strip, 0 or all ones.
    carry: u64,
    /// 72: where the factor of a strip ends.
    end: *const u64,
    /// 80: the multipliers of the next strip.
    multipliers: *const u64,
    /// 88: the columns that the next strip begins with.
    columns: *mut u64,
}

const _: () = {
    assert!(offset_of!(Frame, x) == 0 && offset_of!(Frame, y) == 8);
    assert!(offset_of!(Frame, n) == 16 && offset_of!(Frame, t) == 24);
    assert!(offset_of!(Frame, length) == 32 && offset_of!(Frame, count) == 40);
    assert!(offset_of!(Frame, k) == 48 && offset_of!(Frame, zero) == 56);
    assert!(offset_of!(Frame, carry) == 64 && offset_of!(Frame, end) == 72);
    assert!(offset_of!(Frame, multipliers) == 80 && offset_of!(Frame, columns) == 88);
};

impl Frame {
    /// The lengths that are asserted here bound every address in the assembly.
    fn new(x: &mut [u64], y: &[u64], n: &[u64], k: u64, t: &mut [u64]) -> Self {
        #[cfg(any(test, constant_time))]
        crate::gate::ran(crate::Kernel::Mulx);
        assert!(
            !n.is_empty()
                && n.len().is_multiple_of(BLOCK)
                && x.len() == n.len()
                && y.len() == n.len()
                && t.len() == 2 * n.len()
        );
        debug_assert_eq!(k, negative_inverse(n[0]));
        Self {
            x: x.as_mut_ptr(),
            y: y.as_ptr(),
            n: n.as_ptr(),
            t: t.as_mut_ptr(),
            length: size_of_val(n),
            count: 0,
            k,
            zero: 0,
            carry: 0,
            end: core::ptr::null(),
            multipliers: core::ptr::null(),
            columns: core::ptr::null_mut(),
        }
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        // It tells a prime's lowest limb.
        self.k.zeroize();
        self.carry.zeroize();
    }
}

impl Arithmetic for Mulx {
    const BLOCK: usize = BLOCK;

    fn multiply(&self, x: &mut [u64], y: &[u64], n: &[u64], k: u64, t: &mut [u64]) {
        let mut frame = Frame::new(x, y, n, k, t);
        // SAFETY: `self` proves that the CPU has BMI2 and ADX, and the frame is as `multiply` wants it.
        unsafe { multiply(&raw mut frame) };
    }

    fn square(&self, x: &mut [u64], n: &[u64], k: u64, t: &mut [u64], count: usize) {
        assert!(count > 0);
        let mut frame = Frame::new(x, n, n, k, t);
        frame.count = count;
        // SAFETY: as above; `square` doesn't read `y`.
        unsafe { square(&raw mut frame) };
    }

    fn select(&self, table: &[u64], index: u64, out: &mut [u64]) {
        assert!(
            !out.is_empty()
                && out.len().is_multiple_of(BLOCK)
                && table.len() == WINDOW_ENTRIES * out.len()
        );
        // SAFETY: SSE2 belongs to x86_64. The assertion bounds the reads from `table` and the writes to `out`.
        unsafe {
            select(
                out.as_mut_ptr(),
                table.as_ptr(),
                index,
                size_of_val(out),
                WINDOW_ENTRIES,
            );
        }
    }
}

/// One product of a row: the multiplier in rdx times a limb of the factor at rsi, to two columns.
#[rustfmt::skip]
macro_rules! product {
    ($limb:literal, $low:literal, $high:literal) => {
        concat!(
            "mulx rbx, rax, [rsi+8*", $limb, "]\n",
            "adcx ", $low, ", rax\n",
            "adox ", $high, ", rbx\n",
        )
    };
}

/// The last product of a row: its high half and both carries make the top. They fit: a row's sum is below 2^576.
#[rustfmt::skip]
macro_rules! last_product {
    ($limb:literal, $low:literal, $top:literal) => {
        concat!(
            "mulx ", $top, ", rax, [rsi+8*", $limb, "]\n",
            "adcx ", $low, ", rax\n",
            "adcx ", $top, ", [rbp+56]\n",
            "adox ", $top, ", [rbp+56]\n",
        )
    };
}

/// A row of a block: what stands in its lowest column is added, and the column is complete. Its register becomes the top.
#[rustfmt::skip]
macro_rules! row {
    ($row:literal: $z0:literal $z1:literal $z2:literal $z3:literal $z4:literal $z5:literal $z6:literal $z7:literal) => {
        concat!(
            "mov rdx, [rcx+8*", $row, "]\n",
            "xor eax, eax\n", // clears both carries
            "adox ", $z0, ", [rdi+8*", $row, "]\n",
            product!("0", $z0, $z1),
            "mov [rdi+8*", $row, "], ", $z0, "\n",
            product!("1", $z1, $z2),
            product!("2", $z2, $z3),
            product!("3", $z3, $z4),
            product!("4", $z4, $z5),
            product!("5", $z5, $z6),
            product!("6", $z6, $z7),
            last_product!("7", $z7, $z0),
        )
    };
}

/// A row of the block that makes quotient digits: the digit makes the lowest column zero, and is stored in its place.
#[rustfmt::skip]
macro_rules! digit_row {
    ($row:literal: $z0:literal $z1:literal $z2:literal $z3:literal $z4:literal $z5:literal $z6:literal $z7:literal) => {
        concat!(
            "mov rdx, [rbp+48]\n",
            "imul rdx, ", $z0, "\n",
            "mov [rdi+8*", $row, "], rdx\n",
            "xor eax, eax\n",
            product!("0", $z0, $z1),
            product!("1", $z1, $z2),
            product!("2", $z2, $z3),
            product!("3", $z3, $z4),
            product!("4", $z4, $z5),
            product!("5", $z5, $z6),
            product!("6", $z6, $z7),
            last_product!("7", $z7, $z0),
        )
    };
}

/// Two limbs of the pass over a square: double two columns (one carry chain) and add a limb's square (the other).
#[rustfmt::skip]
macro_rules! square_limb {
    ($limb:literal, $low:literal, $high:literal) => {
        concat!(
            "mov rdx, [rsi+8*", $limb, "]\n",
            "mulx rbx, rax, rdx\n",
            "mov r8, [rdi+8*", $low, "]\n",
            "mov r9, [rdi+8*", $high, "]\n",
            "adcx r8, r8\n",
            "adox r8, rax\n",
            "mov [rdi+8*", $low, "], r8\n",
            "adcx r9, r9\n",
            "adox r9, rbx\n",
            "mov [rdi+8*", $high, "], r9\n",
        )
    };
}

/// The end of a strip: one of its upper eight columns is added to what stands there.
#[rustfmt::skip]
macro_rules! add_column {
    ($column:literal, $z:literal) => {
        concat!(
            "adc ", $z, ", [rdi+8*", $column, "]\n",
            "mov [rdi+8*", $column, "], ", $z, "\n",
        )
    };
}

/// The end of a strip: its upper eight columns and the carry of the last strip are added to what stands there.
macro_rules! add_columns {
    () => {
        concat!(
            "mov rax, [rbp+64]\n",
            "add rax, rax\n", // the carry flag
            add_column!("0", "r8"),
            add_column!("1", "r9"),
            add_column!("2", "r10"),
            add_column!("3", "r11"),
            add_column!("4", "r12"),
            add_column!("5", "r13"),
            add_column!("6", "r14"),
            add_column!("7", "r15"),
            "sbb rax, rax\n",
            "mov [rbp+64], rax\n",
        )
    };
}

/// One limb of `x`: the same of the upper half, minus that of the modulus times 0 or 1.
#[rustfmt::skip]
macro_rules! subtract {
    ($limb:literal) => {
        concat!(
            "mulx rbx, rax, [rsi+8*", $limb, "]\n",
            "mov r9, [rdi+8*", $limb, "]\n",
            "sbb r9, rax\n",
            "mov [r8+8*", $limb, "], r9\n",
        )
    };
}

/// Two limbs of an entry, under the mask.
#[rustfmt::skip]
macro_rules! select_two {
    ($offset:literal, $out:literal) => {
        concat!(
            "movdqu xmm8, [rax+", $offset, "]\n",
            "pand xmm8, xmm7\n",
            "por ", $out, ", xmm8\n",
        )
    };
}

/// Nothing to add yet.
macro_rules! clear_sums {
    () => {
        concat!(
            "xor r8d, r8d\n",
            "xor r9d, r9d\n",
            "xor r10d, r10d\n",
            "xor r11d, r11d\n",
            "xor r12d, r12d\n",
            "xor r13d, r13d\n",
            "xor r14d, r14d\n",
            "xor r15d, r15d\n",
        )
    };
}

/// What the caller wants back is saved, and the frame is at rbp.
macro_rules! enter {
    () => {
        concat!(
            "push rbx\n",
            "push rbp\n",
            "push r12\n",
            "push r13\n",
            "push r14\n",
            "push r15\n",
            "mov rbp, rdi\n",
        )
    };
}

/// Leaves no secret in a register.
macro_rules! leave {
    () => {
        concat!(
            "pop r15\n",
            "pop r14\n",
            "pop r13\n",
            "pop r12\n",
            "pop rbp\n",
            "pop rbx\n",
            "xor eax, eax\n",
            "xor edx, edx\n",
            "xor r8d, r8d\n",
            "xor r9d, r9d\n",
            "xor r10d, r10d\n",
            "xor r11d, r11d\n",
            "ret\n",
        )
    };
}

/// `x = x^2 / R mod n`, as often as the frame says.
///
/// In this function and those below, rbp is the frame, r8 to r15 are eight columns, rdx is a multiplier, and rbx and rax are a product; rsi points to
/// the factor, rdi to the columns, rcx to the multipliers.
///
/// # Safety
///
/// The CPU has BMI2 and ADX. The frame's `x` and `n` point to `length` octets, at least 64 and a multiple of that, and `t` to twice as many;
/// `count` is not zero.
#[unsafe(naked)]
unsafe extern "sysv64" fn square(frame: *mut Frame) {
    naked_asm!(
        enter!(),
        "2:", // one squaring
        "mov rsi, [rbp]",
        "mov rdi, [rbp+24]",
        "mov rax, rsi",
        "add rax, [rbp+32]",
        "mov [rbp+72], rax", // strips end where `x` does
        "3:", // one block on the diagonal
        "call {triangle}",
        "add rsi, 64",
        "add rdi, 128",
        "cmp rsi, [rbp+72]",
        "jne 3b",
        "mov rcx, [rbp]",
        "mov rdi, [rbp+24]",
        "mov qword ptr [rbp+64], 0",
        "4:", // one strip to the right of the diagonal: none beside the last block, but there may be a carry
        "mov [rbp+80], rcx",
        "add rdi, 64",
        "mov [rbp+88], rdi",
        "lea rsi, [rcx+64]",
        clear_sums!(),
        "call {strip}",
        add_columns!(),
        "mov rcx, [rbp+80]",
        "mov rdi, [rbp+88]",
        "add rcx, 64",
        "add rdi, 64",
        "cmp rcx, [rbp+72]",
        "jne 4b",
        "mov rsi, [rbp]",
        "mov rdi, [rbp+24]",
        "mov rcx, [rbp+32]",
        "shr rcx, 6",
        "xor eax, eax", // clears both carries, and the loop leaves them alone
        "5:", // eight squares
        square_limb!("0", "0", "1"),
        square_limb!("1", "2", "3"),
        square_limb!("2", "4", "5"),
        square_limb!("3", "6", "7"),
        square_limb!("4", "8", "9"),
        square_limb!("5", "10", "11"),
        square_limb!("6", "12", "13"),
        square_limb!("7", "14", "15"),
        "lea rsi, [rsi+64]",
        "lea rdi, [rdi+128]",
        "lea rcx, [rcx-1]",
        "jrcxz 6f",
        "jmp 5b",
        "6:",
        "call {reduce}",
        "dec qword ptr [rbp+40]",
        "jnz 2b",
        leave!(),
        triangle = sym triangle,
        strip = sym strip,
        reduce = sym reduce,
    )
}

/// `x = x·y / R mod n`.
///
/// # Safety
///
/// As [`square`], and `y` is as long as `x`.
#[unsafe(naked)]
unsafe extern "sysv64" fn multiply(frame: *mut Frame) {
    naked_asm!(
        enter!(),
        "mov rdi, [rbp+24]",
        "mov rcx, [rbp+32]",
        "shr rcx, 6",
        "pxor xmm0, xmm0",
        "2:", // sixteen columns
        "movdqu [rdi], xmm0",
        "movdqu [rdi+16], xmm0",
        "movdqu [rdi+32], xmm0",
        "movdqu [rdi+48], xmm0",
        "movdqu [rdi+64], xmm0",
        "movdqu [rdi+80], xmm0",
        "movdqu [rdi+96], xmm0",
        "movdqu [rdi+112], xmm0",
        "add rdi, 128",
        "dec rcx",
        "jnz 2b",
        "mov rcx, [rbp+8]",
        "mov rdi, [rbp+24]",
        "mov rax, [rbp]",
        "add rax, [rbp+32]",
        "mov [rbp+72], rax", // strips end where `x` does
        "mov qword ptr [rbp+64], 0",
        "3:", // one strip
        "mov [rbp+80], rcx",
        "mov [rbp+88], rdi",
        "mov rsi, [rbp]",
        clear_sums!(),
        "call {strip}",
        add_columns!(),
        "mov rcx, [rbp+80]",
        "mov rdi, [rbp+88]",
        "add rcx, 64",
        "add rdi, 64",
        "mov rax, rcx",
        "sub rax, [rbp+8]",
        "cmp rax, [rbp+32]",
        "jne 3b",
        "call {reduce}",
        leave!(),
        strip = sym strip,
        reduce = sym reduce,
    )
}

/// A strip of blocks: the eight limbs at rcx times the factor from rsi to the frame's `end`, and the sums in r8 to r15, are added to the columns
/// from rdi on. rsi and rdi move along; the sums are for the eight columns where they end.
#[unsafe(naked)]
unsafe extern "sysv64" fn strip() {
    naked_asm!(
        "cmp rsi, [rbp+72]",
        "je 3f",
        ".p2align 5",
        "2:",
        row!("0": "r8" "r9" "r10" "r11" "r12" "r13" "r14" "r15"),
        row!("1": "r9" "r10" "r11" "r12" "r13" "r14" "r15" "r8"),
        row!("2": "r10" "r11" "r12" "r13" "r14" "r15" "r8" "r9"),
        row!("3": "r11" "r12" "r13" "r14" "r15" "r8" "r9" "r10"),
        row!("4": "r12" "r13" "r14" "r15" "r8" "r9" "r10" "r11"),
        row!("5": "r13" "r14" "r15" "r8" "r9" "r10" "r11" "r12"),
        row!("6": "r14" "r15" "r8" "r9" "r10" "r11" "r12" "r13"),
        row!("7": "r15" "r8" "r9" "r10" "r11" "r12" "r13" "r14"),
        "add rsi, 64",
        "add rdi, 64",
        "cmp rsi, [rbp+72]",
        "jne 2b",
        "3:",
        "ret",
    )
}

/// The products of different limbs among the eight at rsi, each once, to the sixteen columns at rdi. Row `i` begins at column `2 i + 1`; two columns are
/// complete after each.
#[unsafe(naked)]
unsafe extern "sysv64" fn triangle() {
    naked_asm!(
        clear_sums!(),
        "mov [rdi], r8",
        "mov rdx, [rsi]", // columns 1 to 8 are r9 to r15 and r8
        "xor eax, eax",
        product!("1", "r9", "r10"),
        product!("2", "r10", "r11"),
        product!("3", "r11", "r12"),
        product!("4", "r12", "r13"),
        product!("5", "r13", "r14"),
        product!("6", "r14", "r15"),
        last_product!("7", "r15", "r8"),
        "mov [rdi+8], r9",
        "mov [rdi+16], r10",
        "mov rdx, [rsi+8]", // columns 3 to 9
        "xor eax, eax",
        product!("2", "r11", "r12"),
        product!("3", "r12", "r13"),
        product!("4", "r13", "r14"),
        product!("5", "r14", "r15"),
        product!("6", "r15", "r8"),
        last_product!("7", "r8", "r9"),
        "mov [rdi+24], r11",
        "mov [rdi+32], r12",
        "mov rdx, [rsi+16]", // columns 5 to 10
        "xor eax, eax",
        product!("3", "r13", "r14"),
        product!("4", "r14", "r15"),
        product!("5", "r15", "r8"),
        product!("6", "r8", "r9"),
        last_product!("7", "r9", "r10"),
        "mov [rdi+40], r13",
        "mov [rdi+48], r14",
        "mov rdx, [rsi+24]", // columns 7 to 11
        "xor eax, eax",
        product!("4", "r15", "r8"),
        product!("5", "r8", "r9"),
        product!("6", "r9", "r10"),
        last_product!("7", "r10", "r11"),
        "mov [rdi+56], r15",
        "mov [rdi+64], r8",
        "mov rdx, [rsi+32]", // columns 9 to 12
        "xor eax, eax",
        product!("5", "r9", "r10"),
        product!("6", "r10", "r11"),
        last_product!("7", "r11", "r12"),
        "mov [rdi+72], r9",
        "mov [rdi+80], r10",
        "mov rdx, [rsi+40]", // columns 11 to 13
        "xor eax, eax",
        product!("6", "r11", "r12"),
        last_product!("7", "r12", "r13"),
        "mov [rdi+88], r11",
        "mov [rdi+96], r12",
        "mov rdx, [rsi+48]", // columns 13 and 14
        "xor eax, eax",
        last_product!("7", "r13", "r14"),
        "mov [rdi+104], r13",
        "mov [rdi+112], r14",
        "mov qword ptr [rdi+120], 0",
        "ret",
    )
}

/// Steps 2 and 3: `x = t / R mod n`, below R.
#[unsafe(naked)]
unsafe extern "sysv64" fn reduce() {
    naked_asm!(
        "mov rdi, [rbp+24]",
        "mov rax, [rbp+16]",
        "add rax, [rbp+32]",
        "mov [rbp+72], rax", // strips end where `n` does
        "mov qword ptr [rbp+64], 0",
        "2:", // eight rows
        "mov [rbp+88], rdi",
        "mov rsi, [rbp+16]",
        "mov r8, [rdi]",
        "mov r9, [rdi+8]",
        "mov r10, [rdi+16]",
        "mov r11, [rdi+24]",
        "mov r12, [rdi+32]",
        "mov r13, [rdi+40]",
        "mov r14, [rdi+48]",
        "mov r15, [rdi+56]",
        digit_row!("0": "r8" "r9" "r10" "r11" "r12" "r13" "r14" "r15"),
        digit_row!("1": "r9" "r10" "r11" "r12" "r13" "r14" "r15" "r8"),
        digit_row!("2": "r10" "r11" "r12" "r13" "r14" "r15" "r8" "r9"),
        digit_row!("3": "r11" "r12" "r13" "r14" "r15" "r8" "r9" "r10"),
        digit_row!("4": "r12" "r13" "r14" "r15" "r8" "r9" "r10" "r11"),
        digit_row!("5": "r13" "r14" "r15" "r8" "r9" "r10" "r11" "r12"),
        digit_row!("6": "r14" "r15" "r8" "r9" "r10" "r11" "r12" "r13"),
        digit_row!("7": "r15" "r8" "r9" "r10" "r11" "r12" "r13" "r14"),
        "mov rcx, rdi",
        "add rsi, 64",
        "add rdi, 64",
        "call {strip}",
        add_columns!(),
        "mov rdi, [rbp+88]",
        "add rdi, 64",
        "mov rax, rdi",
        "sub rax, [rbp+24]",
        "cmp rax, [rbp+32]",
        "jne 2b",
        // rdi is at the upper half now.
        "mov r8, [rbp]",
        "mov rsi, [rbp+16]",
        "mov rcx, [rbp+32]",
        "shr rcx, 6",
        "xor edx, edx",
        "sub rdx, [rbp+64]", // 0 or 1
        "clc",
        "3:", // eight limbs: the carry flag stays
        subtract!("0"),
        subtract!("1"),
        subtract!("2"),
        subtract!("3"),
        subtract!("4"),
        subtract!("5"),
        subtract!("6"),
        subtract!("7"),
        "lea rsi, [rsi+64]",
        "lea rdi, [rdi+64]",
        "lea r8, [r8+64]",
        "lea rcx, [rcx-1]",
        "jrcxz 4f",
        "jmp 3b",
        "4:",
        "ret",
        strip = sym strip,
    )
}

/// Writes the entry at `index` to `out`. Eight limbs at a time are put together in registers, from all entries under a mask, and stored once.
///
/// rdi is `out`, rsi the table, rdx the index, rcx the length of an entry, r8 their number; rax is at an entry, r9 counts them. xmm0 to xmm3 are eight limbs, xmm4 is the
/// index, xmm5 counts entries, xmm6 is the step, xmm7 the mask.
///
/// # Safety
///
/// `out` points to `length` octets, at least 64 and a multiple of that, and `table` to `entries` times as many; there is at least one.
#[unsafe(naked)]
unsafe extern "sysv64" fn select(
    out: *mut u64,
    table: *const u64,
    index: u64,
    length: usize,
    entries: usize,
) {
    naked_asm!(
        "movd xmm4, edx",
        "pshufd xmm4, xmm4, 0",
        "mov eax, 1",
        "movd xmm6, eax",
        "pshufd xmm6, xmm6, 0",
        "mov r10, rcx",
        "2:", // eight limbs
        "mov rax, rsi",
        "mov r9, r8",
        "pxor xmm0, xmm0",
        "pxor xmm1, xmm1",
        "pxor xmm2, xmm2",
        "pxor xmm3, xmm3",
        "pxor xmm5, xmm5",
        "3:", // of one entry
        "movdqa xmm7, xmm5",
        "pcmpeqd xmm7, xmm4",
        "paddd xmm5, xmm6",
        select_two!("0", "xmm0"),
        select_two!("16", "xmm1"),
        select_two!("32", "xmm2"),
        select_two!("48", "xmm3"),
        "add rax, rcx",
        "dec r9",
        "jnz 3b",
        "movdqu [rdi], xmm0",
        "movdqu [rdi+16], xmm1",
        "movdqu [rdi+32], xmm2",
        "movdqu [rdi+48], xmm3",
        "add rsi, 64",
        "add rdi, 64",
        "sub r10, 64",
        "jnz 2b",
        "pxor xmm0, xmm0",
        "pxor xmm1, xmm1",
        "pxor xmm2, xmm2",
        "pxor xmm3, xmm3",
        "pxor xmm4, xmm4",
        "pxor xmm7, xmm7",
        "pxor xmm8, xmm8",
        "xor edx, edx",
        "ret",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `x` and `t`, `y` and `n`, `k`.
    type Run = fn(&Mulx, [&mut [u64]; 2], [&[u64]; 2], u64);

    /// The assembly would read and write beyond them. A processor without the instructions has no `Mulx` to call.
    #[test]
    fn buffers_of_a_wrong_length_never_reach_the_assembly() {
        if !crate::processor::has_mulx() {
            return;
        }
        let n = [u64::MAX; 16];
        let k = negative_inverse(n[0]);
        for [n_len, x_len, y_len, t_len] in [
            [0, 0, 0, 0],
            [12, 12, 12, 24],
            [16, 15, 16, 32],
            [16, 16, 15, 32],
            [16, 16, 16, 31],
            [8, 16, 16, 32],
        ] {
            let fails = |run: Run| {
                let (mut x, mut t, y) = ([1; 16], [0; 32], [1; 16]);
                let run = core::panic::AssertUnwindSafe(|| {
                    let changed = [&mut x[..x_len], &mut t[..t_len]];
                    run(&Mulx::new(), changed, [&y[..y_len], &n[..n_len]], k);
                });
                std::panic::catch_unwind(run).is_err()
            };
            assert!(fails(|mulx, [x, t], [y, n], k| mulx.multiply(x, y, n, k, t)));
            // What has no second factor is right with the one of another length.
            if y_len == n_len || n_len == 8 {
                assert!(fails(|mulx, [x, t], [_, n], k| mulx.square(x, n, k, t, 1)));
            }
        }
        let none = core::panic::AssertUnwindSafe(|| {
            Mulx::new().square(&mut [1; 16], &n, k, &mut [0; 32], 0);
        });
        assert!(std::panic::catch_unwind(none).is_err());
        for [table_len, out_len] in [
            [0, 0],
            [WINDOW_ENTRIES * 16 - 1, 16],
            [WINDOW_ENTRIES * 16, 8],
            [WINDOW_ENTRIES * 12, 12],
        ] {
            let select = core::panic::AssertUnwindSafe(|| {
                Mulx::new().select(&vec![0; table_len], 0, &mut vec![0; out_len]);
            });
            assert!(std::panic::catch_unwind(select).is_err());
        }
    }
}
