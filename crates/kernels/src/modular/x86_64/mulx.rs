//! 64-bit limbs with `mulx`, `adcx` and `adox`: rows of products, whose two carry chains run side by side.
//!
//! A length is a multiple of eight limbs. As in the IFMA kernel, whole sequences of squarings are one `asm!` block, and nothing but the length
//! decides which instructions run on which addresses. Only `mulx` leaves the flags alone, so it also does the masking of the last subtraction:
//! the modulus times 0 or 1.

use core::arch::asm;

use zeroize::Zeroize;

use super::super::scalar::Arithmetic;
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

/// What doesn't fit in registers. The offsets stand in the assembly.
#[repr(C)]
struct Frame {
    /// 0: `-n^-1 mod 2^64`.
    k: u64,
    /// 8: blocks of eight limbs.
    blocks: usize,
    /// 16: squarings still to do.
    count: usize,
    /// 24: blocks to the right of the current one.
    right: usize,
    /// 32: where the reduction ends, in `t`.
    end: *const u64,
    /// 40: the second factor.
    y: *const u64,
}

/// `t += a·rdx` for one limb; the high half goes to the next one.
macro_rules! limb {
    ($offset:literal, $from:literal, $to:literal) => {
        concat!(
            "mulx {",
            $to,
            "}, {lo}, [{ap}+",
            $offset,
            "]\n",
            "adcx {lo}, {",
            $from,
            "}\n",
            "adox {lo}, [{tp}+",
            $offset,
            "]\n",
            "mov [{tp}+",
            $offset,
            "], {lo}\n",
        )
    };
}

/// `rcx` blocks of a row, from `{ap}` and `{tp}` on, and the carry in `{h0}`. Loops without touching the flags.
macro_rules! blocks {
    () => {
        concat!(
            "jmp 26f\n",
            "2:\n",
            limb!("0", "h0", "h1"),
            limb!("8", "h1", "h0"),
            limb!("16", "h0", "h1"),
            limb!("24", "h1", "h0"),
            limb!("32", "h0", "h1"),
            limb!("40", "h1", "h0"),
            limb!("48", "h0", "h1"),
            limb!("56", "h1", "h0"),
            "lea {ap}, [{ap}+64]\n",
            "lea {tp}, [{tp}+64]\n",
            "26:\n",
            "jrcxz 3f\n",
            "lea rcx, [rcx-1]\n",
            "jmp 2b\n",
            "3:\n",
            "mov {lo:e}, 0\n",
            "adcx {h0}, {lo}\n",
            "adox {h0}, {lo}\n",
        )
    };
}

/// One row of the triangle: limb `r` of the block at `{i}` times everything to its right.
macro_rules! triangle_row {
    ($r:literal, $start:literal, $($limb:expr),*) => {
        concat!(
            "mov rdx, [{i}+8*", $r, "]\n",
            "mov {ap}, {i}\n",
            "lea {tp}, [{c}+8*", $r, "]\n",
            "mov rcx, [{frame}+24]\n",
            "xor {", $start, ":e}, {", $start, ":e}\n",
            $($limb,)*
            "lea {ap}, [{ap}+64]\n",
            "lea {tp}, [{tp}+64]\n",
            blocks!(),
            "mov [{tp}], {h0}\n",
        )
    };
}

/// Clears the lowest `8·blocks` limbs of `t`.
macro_rules! clear {
    () => {
        concat!(
            "mov {tp}, {t}\n",
            "mov rcx, [{frame}+8]\n",
            "xor {lo:e}, {lo:e}\n",
            "4:\n",
            "mov [{tp}], {lo}\n",
            "mov [{tp}+8], {lo}\n",
            "mov [{tp}+16], {lo}\n",
            "mov [{tp}+24], {lo}\n",
            "mov [{tp}+32], {lo}\n",
            "mov [{tp}+40], {lo}\n",
            "mov [{tp}+48], {lo}\n",
            "mov [{tp}+56], {lo}\n",
            "add {tp}, 64\n",
            "dec rcx\n",
            "jnz 4b\n",
        )
    };
}

/// Montgomery reduction, a row per limb from `t` to the frame's end; then `x` is what stands there, minus `n` if there is a carry.
macro_rules! reduce {
    () => {
        concat!(
            "xor {c:e}, {c:e}\n",
            "mov {i}, {t}\n",
            "5:\n",
            "mov rdx, [{i}]\n",
            "imul rdx, [{frame}]\n",
            "mov {ap}, {n}\n",
            "mov {tp}, {i}\n",
            "mov rcx, [{frame}+8]\n",
            "xor {h0:e}, {h0:e}\n",
            blocks!(),
            "xor {lo:e}, {lo:e}\n",
            "add {h0}, {c}\n",
            "adc {lo}, 0\n",
            "add [{tp}], {h0}\n",
            "adc {lo}, 0\n",
            "mov {c}, {lo}\n",
            "add {i}, 8\n",
            "cmp {i}, [{frame}+32]\n",
            "jne 5b\n",
            "mov rdx, {c}\n",
            "mov {ap}, {n}\n",
            "mov {tp}, {x}\n",
            "mov rcx, [{frame}+8]\n",
            "clc\n",
            "6:\n",
            subtract!("0"),
            subtract!("8"),
            subtract!("16"),
            subtract!("24"),
            subtract!("32"),
            subtract!("40"),
            subtract!("48"),
            subtract!("56"),
            "lea {ap}, [{ap}+64]\n",
            "lea {tp}, [{tp}+64]\n",
            "lea {i}, [{i}+64]\n",
            "lea rcx, [rcx-1]\n",
            "jrcxz 7f\n",
            "jmp 6b\n",
            "7:\n",
        )
    };
}

macro_rules! subtract {
    ($offset:literal) => {
        concat!(
            "mulx {h1}, {h0}, [{ap}+",
            $offset,
            "]\n",
            "mov {lo}, [{i}+",
            $offset,
            "]\n",
            "sbb {lo}, {h0}\n",
            "mov [{tp}+",
            $offset,
            "], {lo}\n",
        )
    };
}

/// Doubles two limbs of `t` (one carry chain) and adds a square (the other).
macro_rules! diagonal {
    ($offset:literal, $low:literal, $high:literal) => {
        concat!(
            "mov rdx, [{ap}+",
            $offset,
            "]\n",
            "mulx {h1}, {h0}, rdx\n",
            "mov {lo}, [{tp}+",
            $low,
            "]\n",
            "adcx {lo}, {lo}\n",
            "adox {lo}, {h0}\n",
            "mov [{tp}+",
            $low,
            "], {lo}\n",
            "mov {lo}, [{tp}+",
            $high,
            "]\n",
            "adcx {lo}, {lo}\n",
            "adox {lo}, {h1}\n",
            "mov [{tp}+",
            $high,
            "], {lo}\n",
        )
    };
}

impl Mulx {
    fn frame(n: &[u64], k: u64, t: &[u64], rows: usize) -> Frame {
        #[cfg(any(test, constant_time))]
        crate::gate::ran(crate::Kernel::Mulx);
        // These bound every address below.
        assert!(
            !n.is_empty()
                && n.len().is_multiple_of(8)
                && t.len() == 2 * n.len()
                && rows > 0
                && rows <= n.len()
        );
        debug_assert_eq!(k, negative_inverse(n[0]));
        Frame {
            k,
            blocks: n.len() / 8,
            count: 0,
            right: 0,
            end: &raw const t[rows],
            y: core::ptr::null(),
        }
    }

    /// `x = x·y / 2^(64 rows) mod n`, for a `y` of so many limbs.
    fn multiply_rows(&self, x: &mut [u64], y: &[u64], n: &[u64], k: u64, t: &mut [u64]) {
        let mut frame = Self::frame(n, k, t, y.len());
        frame.y = y.as_ptr();
        assert!(x.len() == n.len());
        // SAFETY: `self` proves that the CPU has BMI2 and ADX. Rows read `8·blocks` limbs of `x` or `n` and as many of `t`, from the row's index on, which is
        // below `rows`, and write one limb more: `rows + 8·blocks <= t.len()`. The frame's other pointers are inside `t` and `y`.
        unsafe {
            asm!(
                clear!(),
                "mov {i}, {t}",
                "8:",
                "mov {lo}, [{frame}+40]",
                "mov rdx, [{lo}]",
                "add {lo}, 8",
                "mov [{frame}+40], {lo}",
                "mov {ap}, {x}",
                "mov {tp}, {i}",
                "mov rcx, [{frame}+8]",
                "xor {h0:e}, {h0:e}",
                blocks!(),
                "mov [{tp}], {h0}",
                "add {i}, 8",
                "cmp {i}, [{frame}+32]",
                "jne 8b",
                reduce!(),
                frame = in(reg) &raw mut frame,
                x = in(reg) x.as_mut_ptr(),
                n = in(reg) n.as_ptr(),
                t = in(reg) t.as_mut_ptr(),
                ap = out(reg) _,
                tp = out(reg) _,
                lo = out(reg) _,
                h0 = out(reg) _,
                h1 = out(reg) _,
                i = out(reg) _,
                c = out(reg) _,
                out("rcx") _,
                out("rdx") _,
                options(nostack),
            );
        }
        // It tells a prime's lowest limb.
        frame.k.zeroize();
    }
}

impl Arithmetic for Mulx {
    const BLOCK: usize = 8;

    fn multiply(&self, x: &mut [u64], y: &[u64], n: &[u64], k: u64, t: &mut [u64]) {
        assert!(y.len() == n.len());
        self.multiply_rows(x, y, n, k, t);
    }

    fn square(&self, x: &mut [u64], n: &[u64], k: u64, t: &mut [u64], count: usize) {
        let mut frame = Self::frame(n, k, t, n.len());
        frame.count = count;
        assert!(x.len() == n.len() && count > 0);
        // SAFETY: as in `multiply_rows`. The triangle's row of limb `i` reads `x` from `i` to its end and writes `t` from `2 i + 1` to `i + 8·blocks`.
        unsafe {
            asm!(
                "9:",
                clear!(),
                "mov {i}, {x}",
                "mov {c}, {t}",
                "mov {lo}, [{frame}+8]",
                "dec {lo}",
                "mov [{frame}+24], {lo}",
                "12:",
                triangle_row!("0", "h1", limb!("8", "h1", "h0"), limb!("16", "h0", "h1"), limb!("24", "h1", "h0"), limb!("32", "h0", "h1"), limb!("40", "h1", "h0"), limb!("48", "h0", "h1"), limb!("56", "h1", "h0")),
                triangle_row!("1", "h0", limb!("16", "h0", "h1"), limb!("24", "h1", "h0"), limb!("32", "h0", "h1"), limb!("40", "h1", "h0"), limb!("48", "h0", "h1"), limb!("56", "h1", "h0")),
                triangle_row!("2", "h1", limb!("24", "h1", "h0"), limb!("32", "h0", "h1"), limb!("40", "h1", "h0"), limb!("48", "h0", "h1"), limb!("56", "h1", "h0")),
                triangle_row!("3", "h0", limb!("32", "h0", "h1"), limb!("40", "h1", "h0"), limb!("48", "h0", "h1"), limb!("56", "h1", "h0")),
                triangle_row!("4", "h1", limb!("40", "h1", "h0"), limb!("48", "h0", "h1"), limb!("56", "h1", "h0")),
                triangle_row!("5", "h0", limb!("48", "h0", "h1"), limb!("56", "h1", "h0")),
                triangle_row!("6", "h1", limb!("56", "h1", "h0")),
                triangle_row!("7", "h0",),
                "add {i}, 64",
                "add {c}, 128",
                "dec qword ptr [{frame}+24]",
                "jns 12b",
                "mov {ap}, {x}",
                "mov {tp}, {t}",
                "mov rcx, [{frame}+8]",
                "xor {lo:e}, {lo:e}", // clears both carries
                "13:",
                diagonal!("0", "0", "8"),
                diagonal!("8", "16", "24"),
                diagonal!("16", "32", "40"),
                diagonal!("24", "48", "56"),
                diagonal!("32", "64", "72"),
                diagonal!("40", "80", "88"),
                diagonal!("48", "96", "104"),
                diagonal!("56", "112", "120"),
                "lea {ap}, [{ap}+64]",
                "lea {tp}, [{tp}+128]",
                "lea rcx, [rcx-1]",
                "jrcxz 14f",
                "jmp 13b",
                "14:",
                reduce!(),
                "dec qword ptr [{frame}+16]",
                "jnz 9b",
                frame = in(reg) &raw mut frame,
                x = in(reg) x.as_mut_ptr(),
                n = in(reg) n.as_ptr(),
                t = in(reg) t.as_mut_ptr(),
                ap = out(reg) _,
                tp = out(reg) _,
                lo = out(reg) _,
                h0 = out(reg) _,
                h1 = out(reg) _,
                i = out(reg) _,
                c = out(reg) _,
                out("rcx") _,
                out("rdx") _,
                options(nostack),
            );
        }
        // It tells a prime's lowest limb.
        frame.k.zeroize();
    }

    fn scale(&self, x: &mut [u64], w: u64, n: &[u64], k: u64, t: &mut [u64]) {
        self.multiply_rows(x, &[w], n, k, t);
    }
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
        for rows in [0, 17] {
            let run = core::panic::AssertUnwindSafe(|| {
                Mulx::new().multiply_rows(&mut [1; 16], &[1; 17][..rows], &n, k, &mut [0; 32]);
            });
            assert!(std::panic::catch_unwind(run).is_err());
        }
        let none = core::panic::AssertUnwindSafe(|| {
            Mulx::new().square(&mut [1; 16], &n, k, &mut [0; 32], 0);
        });
        assert!(std::panic::catch_unwind(none).is_err());
    }
}
