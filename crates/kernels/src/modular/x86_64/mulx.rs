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

use crate::modular::scalar::{Arithmetic, BLOCK};
use crate::modular::window::WINDOW_ENTRIES;
use crate::nat::negative_inverse;

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

/// These bound every address in the assembly.
fn check_lengths(x: &[u64], y: &[u64], n: &[u64], k: u64, t: &[u64]) {
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
}

impl Arithmetic for Mulx {
    fn multiply(&self, x: &mut [u64], y: &[u64], n: &[u64], k: u64, t: &mut [u64]) {
        check_lengths(x, y, n, k, t);
        // SAFETY: `self` proves that the CPU has BMI2 and ADX, and the lengths are as `multiply` wants them.
        unsafe {
            multiply(
                x.as_mut_ptr(),
                y.as_ptr(),
                n.as_ptr(),
                t.as_mut_ptr(),
                size_of_val(n),
                k,
            );
        }
    }

    fn square(&self, x: &mut [u64], n: &[u64], k: u64, t: &mut [u64], count: usize) {
        check_lengths(x, n, n, k, t);
        assert!(count > 0);
        // SAFETY: as above.
        unsafe {
            square(
                x.as_mut_ptr(),
                n.as_ptr(),
                t.as_mut_ptr(),
                size_of_val(n),
                k,
                count,
            );
        }
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

// In `square`, `multiply` and what they call, r8 to r15 are eight columns, rdx is a multiplier, and rax, rbx, rcx and rbp are halves of products; rsi points
// to the factor, rdi to the columns. What doesn't fit is in a frame of 160 octets at rsp, eight higher in the functions that they call:
//
//   0 zero, for carries into a register        56 `n`
//   8 where the factor of a strip ends         64 `t`
//  16 the carry of the last strip: 0 or -1     72 octets of a number
//  24 the columns that a strip begins with     80 squarings still to do
//  32 where its multipliers come from          88 `k`
//  40 `x`                                      96 the eight multipliers
//  48 `y`

/// What the caller wants back is saved.
macro_rules! enter {
    () => {
        concat!(
            "push rbx\n",
            "push rbp\n",
            "push r12\n",
            "push r13\n",
            "push r14\n",
            "push r15\n",
            "sub rsp, 160\n",
            "mov qword ptr [rsp], 0\n",
        )
    };
}

/// Leaves no secret in a register or on the stack.
macro_rules! leave {
    () => {
        concat!(
            "pxor xmm0, xmm0\n",
            "movdqu [rsp+8], xmm0\n",
            "movdqu [rsp+80], xmm0\n",
            "movdqu [rsp+96], xmm0\n",
            "movdqu [rsp+112], xmm0\n",
            "movdqu [rsp+128], xmm0\n",
            "movdqu [rsp+144], xmm0\n",
            "add rsp, 160\n",
            "pop r15\n",
            "pop r14\n",
            "pop r13\n",
            "pop r12\n",
            "pop rbp\n",
            "pop rbx\n",
            "xor eax, eax\n",
            "xor ecx, ecx\n",
            "xor edx, edx\n",
            "xor r8d, r8d\n",
            "xor r9d, r9d\n",
            "xor r10d, r10d\n",
            "xor r11d, r11d\n",
            "ret\n",
        )
    };
}

/// The multipliers of a strip, from rcx.
macro_rules! load_multipliers {
    () => {
        concat!(
            load_columns!("rcx"),
            "mov [rsp+96], r8\n",
            "mov [rsp+104], r9\n",
            "mov [rsp+112], r10\n",
            "mov [rsp+120], r11\n",
            "mov [rsp+128], r12\n",
            "mov [rsp+136], r13\n",
            "mov [rsp+144], r14\n",
            "mov [rsp+152], r15\n",
        )
    };
}

#[rustfmt::skip]
macro_rules! load_columns {
    ($from:literal) => {
        concat!(
            "mov r8, [", $from, "]\n",
            "mov r9, [", $from, "+8]\n",
            "mov r10, [", $from, "+16]\n",
            "mov r11, [", $from, "+24]\n",
            "mov r12, [", $from, "+32]\n",
            "mov r13, [", $from, "+40]\n",
            "mov r14, [", $from, "+48]\n",
            "mov r15, [", $from, "+56]\n",
        )
    };
}

/// Nothing to add yet.
macro_rules! clear_columns {
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

/// A row of a block: what stands in its lowest column is added, and the column is complete.
#[rustfmt::skip]
macro_rules! row {
    ($row:literal: $z0:literal $z1:literal $z2:literal $z3:literal $z4:literal $z5:literal $z6:literal $z7:literal) => {
        concat!(
            "mov rdx, [rsp+104+8*", $row, "]\n",
            "xor eax, eax\n", // clears both carries
            "adox ", $z0, ", [rdi+8*", $row, "]\n",
            products!($z0, $z1, $z2, $z3, $z4, $z5, $z6, $z7, concat!("mov [rdi+8*", $row, "], ", $z0, "\n")),
        )
    };
}

/// A row of the block that makes quotient digits: the digit is a multiplier of the strip, and makes the lowest column zero.
#[rustfmt::skip]
macro_rules! digit_row {
    ($row:literal: $z0:literal $z1:literal $z2:literal $z3:literal $z4:literal $z5:literal $z6:literal $z7:literal) => {
        concat!(
            "mov rdx, [rsp+96]\n",
            "imul rdx, ", $z0, "\n",
            "mov [rsp+104+8*", $row, "], rdx\n",
            "xor eax, eax\n", // clears both carries
            products!($z0, $z1, $z2, $z3, $z4, $z5, $z6, $z7, ""),
        )
    };
}

/// Eight products, and what to do with the lowest column as soon as it is complete. Its register becomes the top, which has room: the row's sum is
/// below 2^576.
///
/// The order is the best of some five hundred that were measured on Golden Cove. A block takes 77 cycles there, and 95 with both additions after each product.
#[rustfmt::skip]
macro_rules! products {
    ($z0:literal, $z1:literal, $z2:literal, $z3:literal, $z4:literal, $z5:literal, $z6:literal, $z7:literal, $complete:expr) => {
        concat!(
            "mulx rbx, rax, [rsi]\n",
            "adox ", $z1, ", rbx\n",
            "mulx rcx, rbx, [rsi+8]\n",
            "adcx ", $z0, ", rax\n",
            $complete,
            "adox ", $z2, ", rcx\n",
            "adcx ", $z1, ", rbx\n",
            "mulx rcx, rbx, [rsi+16]\n",
            "mulx rbp, rax, [rsi+24]\n",
            "adcx ", $z2, ", rbx\n",
            "adox ", $z3, ", rcx\n",
            "adox ", $z4, ", rbp\n",
            "adcx ", $z3, ", rax\n",
            "mulx rbp, rax, [rsi+32]\n",
            "adox ", $z5, ", rbp\n",
            "mulx rcx, rbp, [rsi+40]\n",
            "adcx ", $z4, ", rax\n",
            "mulx rbx, rax, [rsi+48]\n",
            "adcx ", $z5, ", rbp\n",
            "adox ", $z6, ", rcx\n",
            "mulx ", $z0, ", rcx, [rsi+56]\n",
            "adcx ", $z6, ", rax\n",
            "adox ", $z7, ", rbx\n",
            "adcx ", $z7, ", rcx\n",
            "adcx ", $z0, ", [rsp+8]\n",
            "adox ", $z0, ", [rsp+8]\n",
        )
    };
}

/// One product: the multiplier times a limb of the factor, to two columns.
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

/// The last product of a row: its high half and both carries make the top.
#[rustfmt::skip]
macro_rules! last_product {
    ($limb:literal, $low:literal, $top:literal) => {
        concat!(
            "mulx ", $top, ", rax, [rsi+8*", $limb, "]\n",
            "adcx ", $low, ", rax\n",
            "adcx ", $top, ", [rsp+8]\n",
            "adox ", $top, ", [rsp+8]\n",
        )
    };
}

/// The end of a strip: its upper eight columns and the carry of the last strip are added to what stands there.
macro_rules! add_columns {
    () => {
        concat!(
            "mov rax, [rsp+16]\n",
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
            "mov [rsp+16], rax\n",
        )
    };
}

#[rustfmt::skip]
macro_rules! add_column {
    ($column:literal, $z:literal) => {
        concat!(
            "adc ", $z, ", [rdi+8*", $column, "]\n",
            "mov [rdi+8*", $column, "], ", $z, "\n",
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
            "adcx r9, r9\n",
            "adox r9, rbx\n",
            "mov [rdi+8*", $low, "], r8\n",
            "mov [rdi+8*", $high, "], r9\n",
        )
    };
}

/// Steps 2 and 3: `x = t / R mod n`, below R.
macro_rules! reduce {
    () => {
        concat!(
            "mov rdi, [rsp+64]\n",
            "mov rax, [rsp+56]\n",
            "add rax, [rsp+72]\n",
            "mov [rsp+8], rax\n", // strips end where `n` does
            "mov qword ptr [rsp+16], 0\n",
            "7:\n", // eight rows
            "mov [rsp+24], rdi\n",
            "mov rsi, [rsp+56]\n",
            "call {digits}\n",
            "call {strip}\n",
            add_columns!(),
            "mov rdi, [rsp+24]\n",
            "add rdi, 64\n",
            "mov rax, rdi\n",
            "sub rax, [rsp+64]\n",
            "cmp rax, [rsp+72]\n",
            "jne 7b\n",
            // rdi is at the upper half now.
            "mov r8, [rsp+40]\n",
            "mov rsi, [rsp+56]\n",
            "mov rcx, [rsp+72]\n",
            "shr rcx, 6\n",
            "xor edx, edx\n",
            "sub rdx, [rsp+16]\n", // 0 or 1
            "clc\n",
            "8:\n", // eight limbs: the carry flag stays
            subtract!("0"),
            subtract!("1"),
            subtract!("2"),
            subtract!("3"),
            subtract!("4"),
            subtract!("5"),
            subtract!("6"),
            subtract!("7"),
            "lea rsi, [rsi+64]\n",
            "lea rdi, [rdi+64]\n",
            "lea r8, [r8+64]\n",
            "lea rcx, [rcx-1]\n",
            "jrcxz 9f\n",
            "jmp 8b\n",
            "9:\n",
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

/// `x = x^2 / R mod n`, `count` times.
///
/// A naked function, because the compiler adds nothing to it.
///
/// # Safety
///
/// The CPU has BMI2 and ADX. `x` and `n` point to `length` octets, at least 64 and a multiple of that, and `t` to twice as many; `count` is not zero.
#[unsafe(naked)]
unsafe extern "sysv64" fn square(
    x: *mut u64,
    n: *const u64,
    t: *mut u64,
    length: usize,
    k: u64,
    count: usize,
) {
    naked_asm!(
        enter!(),
        "mov [rsp+40], rdi",
        "mov [rsp+56], rsi",
        "mov [rsp+64], rdx",
        "mov [rsp+72], rcx",
        "mov [rsp+88], r8",
        "mov [rsp+80], r9",
        "2:", // one squaring
        "mov rsi, [rsp+40]",
        "mov rdi, [rsp+64]",
        "mov rax, rsi",
        "add rax, [rsp+72]",
        "mov [rsp+8], rax", // strips end where `x` does
        "3:", // one block on the diagonal
        "call {triangle}",
        "add rsi, 64",
        "add rdi, 128",
        "cmp rsi, [rsp+8]",
        "jne 3b",
        "mov rcx, [rsp+40]",
        "mov rdi, [rsp+64]",
        "mov qword ptr [rsp+16], 0",
        "4:", // one strip to the right of the diagonal: none beside the last block, but there may be a carry
        load_multipliers!(),
        "lea rsi, [rcx+64]",
        "add rdi, 64",
        "mov [rsp+32], rsi",
        "mov [rsp+24], rdi",
        clear_columns!(),
        "call {strip}",
        add_columns!(),
        "mov rcx, [rsp+32]",
        "mov rdi, [rsp+24]",
        "add rdi, 64",
        "cmp rcx, [rsp+8]",
        "jne 4b",
        "mov rsi, [rsp+40]",
        "mov rdi, [rsp+64]",
        "mov rcx, [rsp+72]",
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
        reduce!(),
        "dec qword ptr [rsp+80]",
        "jnz 2b",
        leave!(),
        triangle = sym triangle,
        digits = sym digits,
        strip = sym strip,
    )
}

/// `x = x·y / R mod n`.
///
/// # Safety
///
/// As [`square`], and `y` is as long as `x`.
#[unsafe(naked)]
unsafe extern "sysv64" fn multiply(
    x: *mut u64,
    y: *const u64,
    n: *const u64,
    t: *mut u64,
    length: usize,
    k: u64,
) {
    naked_asm!(
        enter!(),
        "mov [rsp+40], rdi",
        "mov [rsp+48], rsi",
        "mov [rsp+56], rdx",
        "mov [rsp+64], rcx",
        "mov [rsp+72], r8",
        "mov [rsp+88], r9",
        "mov rdi, rcx",
        "mov rcx, r8",
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
        "mov rcx, rsi",
        "mov rdi, [rsp+64]",
        "mov rax, [rsp+40]",
        "add rax, [rsp+72]",
        "mov [rsp+8], rax", // strips end where `x` does
        "mov qword ptr [rsp+16], 0",
        "3:", // one strip
        load_multipliers!(),
        "mov [rsp+32], rcx",
        "mov [rsp+24], rdi",
        "mov rsi, [rsp+40]",
        clear_columns!(),
        "call {strip}",
        add_columns!(),
        "mov rcx, [rsp+32]",
        "mov rdi, [rsp+24]",
        "add rcx, 64",
        "add rdi, 64",
        "mov rax, rcx",
        "sub rax, [rsp+48]",
        "cmp rax, [rsp+72]",
        "jne 3b",
        reduce!(),
        leave!(),
        digits = sym digits,
        strip = sym strip,
    )
}

/// A strip of blocks: the multipliers times the factor from rsi to its end, and the sums in r8 to r15, are added to the columns from rdi on. rsi and rdi
/// move along; the sums are for the eight columns where they end.
#[unsafe(naked)]
unsafe extern "sysv64" fn strip() {
    naked_asm!(
        "cmp rsi, [rsp+16]",
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
        "cmp rsi, [rsp+16]",
        "jne 2b",
        "3:",
        "ret",
    )
}

/// The block of the lowest limbs of `n`, at rsi, with the columns at rdi: the quotient digits become the multipliers of the rest. rsi and rdi move along.
#[unsafe(naked)]
unsafe extern "sysv64" fn digits() {
    naked_asm!(
        load_columns!("rdi"),
        digit_row!("0": "r8" "r9" "r10" "r11" "r12" "r13" "r14" "r15"),
        digit_row!("1": "r9" "r10" "r11" "r12" "r13" "r14" "r15" "r8"),
        digit_row!("2": "r10" "r11" "r12" "r13" "r14" "r15" "r8" "r9"),
        digit_row!("3": "r11" "r12" "r13" "r14" "r15" "r8" "r9" "r10"),
        digit_row!("4": "r12" "r13" "r14" "r15" "r8" "r9" "r10" "r11"),
        digit_row!("5": "r13" "r14" "r15" "r8" "r9" "r10" "r11" "r12"),
        digit_row!("6": "r14" "r15" "r8" "r9" "r10" "r11" "r12" "r13"),
        digit_row!("7": "r15" "r8" "r9" "r10" "r11" "r12" "r13" "r14"),
        "add rsi, 64",
        "add rdi, 64",
        "ret",
    )
}

/// The products of different limbs among the eight at rsi, each once, to the sixteen columns at rdi. Row `i` begins at column `2 i + 1`; two columns are
/// complete after each.
#[unsafe(naked)]
unsafe extern "sysv64" fn triangle() {
    naked_asm!(
        clear_columns!(),
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
