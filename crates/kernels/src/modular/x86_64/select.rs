//! The table of powers: vector by vector, with all entries of a vector side by side.

use zeroize::Zeroize;

use super::vector::{Vector, ZERO};
use crate::Mask;
use crate::kernel::LANES;
use crate::modular::window::WINDOW_ENTRIES;

/// How many bits the number of an entry has.
pub(super) const INDEX_BITS: usize = WINDOW_ENTRIES.ilog2() as usize;

/// The powers of a base, as many vectors each as a number has. Wiped on drop.
pub(super) struct Table {
    entries: Vec<Vector>,
    /// Masks for the bits of the entries' numbers, the lowest first.
    bits: [Vector; INDEX_BITS],
}

impl Table {
    /// Room for numbers of so many vectors.
    pub(super) fn new(vectors: usize) -> Self {
        Self {
            entries: vec![ZERO; vectors * WINDOW_ENTRIES],
            bits: [ZERO; INDEX_BITS],
        }
    }

    pub(super) fn keep(&mut self, entry: usize, number: &[Vector]) {
        let entries = self.entries.chunks_mut(WINDOW_ENTRIES);
        for (vector, entries) in number.iter().zip(entries) {
            entries[entry] = *vector;
        }
    }

    /// Writes to `y` the vectors from `from` on of an entry, of the same one in all lanes.
    pub(super) fn select_one(&mut self, y: &mut [Vector], from: usize, index: u64) {
        let mut i = 0;
        while i < INDEX_BITS {
            self.bits[i].0 = [Mask::from_bit(index >> i & 1).of(u64::MAX); LANES];
            i += 1;
        }
        self.select(y, from);
    }

    /// Writes to `y` the vectors of an entry of its own for each lane.
    pub(super) fn select_each(&mut self, y: &mut [Vector], indices: &[u64; LANES]) {
        for (i, bit) in self.bits.iter_mut().enumerate() {
            for (mask, index) in bit.0.iter_mut().zip(indices) {
                *mask = Mask::from_bit(index >> i & 1).of(u64::MAX);
            }
        }
        self.select(y, 0);
    }

    /// Reads all entries of these vectors.
    fn select(&self, y: &mut [Vector], from: usize) {
        let table = &self.entries[from * WINDOW_ENTRIES..][..y.len() * WINDOW_ENTRIES];
        assert!(!y.is_empty());
        #[cfg(any(test, constant_time))]
        if super::is_emulated() {
            return super::emulation::select(y, table, &self.bits);
        }
        // SAFETY: the callers of this module have checked for AVX-512F. There is a vector at least, and `table` has all entries of each; `Vector` is
        // aligned to 64 bytes.
        unsafe {
            select(
                y.as_mut_ptr(),
                table.as_ptr(),
                &raw const self.bits,
                y.len(),
            );
        }
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        self.entries.zeroize();
        self.bits.zeroize();
    }
}

/// One of two entries: bit `$bit` of the index, whose mask is zmm`$bit`, takes `$other` instead of `$to`.
#[rustfmt::skip]
macro_rules! choose {
    ($to:literal, $bit:literal, $other:expr) => {
        concat!("vpternlogq zmm", $to, ", zmm", $bit, ", ", $other, ", 0xb8\n")
    };
}

/// One of eight entries from `$from` on, in zmm`$a`; zmm`$b` and zmm`$c` are used, too.
#[rustfmt::skip]
macro_rules! choose_of_eight {
    ($a:literal $b:literal $c:literal, $e0:literal $e1:literal $e2:literal $e3:literal $e4:literal $e5:literal $e6:literal $e7:literal) => {
        concat!(
            "vmovdqa64 zmm", $a, ", [rsi+", $e0, "]\n",
            choose!($a, 0, concat!("[rsi+", $e1, "]")),
            "vmovdqa64 zmm", $b, ", [rsi+", $e2, "]\n",
            choose!($b, 0, concat!("[rsi+", $e3, "]")),
            choose!($a, 1, concat!("zmm", $b)),
            "vmovdqa64 zmm", $b, ", [rsi+", $e4, "]\n",
            choose!($b, 0, concat!("[rsi+", $e5, "]")),
            "vmovdqa64 zmm", $c, ", [rsi+", $e6, "]\n",
            choose!($c, 0, concat!("[rsi+", $e7, "]")),
            choose!($b, 1, concat!("zmm", $c)),
            choose!($a, 2, concat!("zmm", $b)),
        )
    };
}

/// Writes to each vector of `y`, for each lane, one of its 32 entries in `table`, all of which are read and put together in a register.
///
/// # Safety
///
/// The CPU has AVX-512F. `y` points to `vectors` vectors, `table` to 32 times as many; there is one at least.
#[unsafe(naked)]
unsafe extern "sysv64" fn select(
    y: *mut Vector,
    table: *const Vector,
    bits: *const [Vector; INDEX_BITS],
    vectors: usize,
) {
    core::arch::naked_asm!(
        "vmovdqa64 zmm0, [rdx]",
        "vmovdqa64 zmm1, [rdx+64]",
        "vmovdqa64 zmm2, [rdx+128]",
        "vmovdqa64 zmm3, [rdx+192]",
        "vmovdqa64 zmm4, [rdx+256]",
        "2:",
        choose_of_eight!(5 6 7, 0 64 128 192 256 320 384 448),
        choose_of_eight!(8 9 10, 512 576 640 704 768 832 896 960),
        choose!(5, 3, "zmm8"),
        choose_of_eight!(8 9 10, 1024 1088 1152 1216 1280 1344 1408 1472),
        choose_of_eight!(11 12 13, 1536 1600 1664 1728 1792 1856 1920 1984),
        choose!(8, 3, "zmm11"),
        choose!(5, 4, "zmm8"),
        "vmovdqa64 [rdi], zmm5",
        "add rsi, 2048",
        "add rdi, 64",
        "dec rcx",
        "jnz 2b",
        "vzeroall",
        "ret",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kernel;
    use crate::gate::with_forced;

    #[test]
    fn each_lane_gets_the_entry_of_its_own() {
        let mut random = fastrand::Rng::with_seed(1);
        let mut table = Table::new(5);
        let entries: Vec<Vec<Vector>> = (0..WINDOW_ENTRIES)
            .map(|_| {
                (0..5)
                    .map(|_| Vector([0; LANES].map(|_: u64| random.u64(..))))
                    .collect()
            })
            .collect();
        for (i, entry) in entries.iter().enumerate() {
            table.keep(i, entry);
        }
        for start in 0..WINDOW_ENTRIES {
            let mut indices = [0; LANES];
            for (lane, index) in indices.iter_mut().enumerate() {
                *index = ((start + 5 * lane) % WINDOW_ENTRIES) as u64;
            }
            let mut check = || {
                let mut y = vec![ZERO; 5];
                table.select_each(&mut y, &indices);
                for (i, vector) in y.iter().enumerate() {
                    for (lane, index) in indices.iter().enumerate() {
                        assert_eq!(vector.0[lane], entries[*index as usize][i].0[lane]);
                    }
                }
                // Some of the vectors.
                for (from, count) in [(0, 5), (2, 3), (4, 1)] {
                    let mut y = vec![ZERO; count];
                    table.select_one(&mut y, from, start as u64);
                    for (vector, entry) in y.iter().zip(&entries[start][from..]) {
                        assert_eq!(vector.0, entry.0);
                    }
                }
            };
            if Kernel::Ifma.is_available() {
                check();
            }
            with_forced(Kernel::Ifma, check);
        }
    }

    /// The assembly would read beyond the table, or not end.
    #[test]
    fn vectors_that_are_not_there_never_reach_the_assembly() {
        for (from, count) in [(1, 5), (0, 6), (0, 0)] {
            let select = || Table::new(5).select_one(&mut vec![ZERO; count], from, 0);
            assert!(std::panic::catch_unwind(select).is_err());
        }
    }
}
