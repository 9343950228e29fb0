//! What the gate for constant time needs of the kernels, in tests alone: it forces one, counts what really ran, and lets Valgrind know which
//! octets are secret. `cargo xtask constant-time` builds with `--cfg constant_time`, so that the tests of crates above can use it too.

use core::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use crate::Kernel;

thread_local! {
    static FORCED: Cell<Option<Kernel>> = const { Cell::new(None) };
    static RAN: Cell<[u64; 3]> = const { Cell::new([0; 3]) };
    static REASONS: RefCell<BTreeSet<&'static str>> = const { RefCell::new(BTreeSet::new()) };
}

/// What a kernel did on this thread.
#[derive(Debug)]
pub struct Report {
    /// How often each kernel's arithmetic ran, in the order of [`Kernel::ALL`].
    pub ran: [u64; 3],
    /// Why secrets were declassified.
    pub reasons: BTreeSet<&'static str>,
}

/// Runs `work` with one kernel, on this thread, whatever the processor is said to have: Valgrind's runs `adcx` and `adox` and doesn't say so. The
/// blocks of [`Kernel::Ifma`] are replaced by Rust (`modular/x86_64/emulation.rs`).
pub fn with_forced<T>(kernel: Kernel, work: impl FnOnce() -> T) -> (T, Report) {
    FORCED.set(Some(kernel));
    RAN.set([0; 3]);
    REASONS.take();
    let result = work();
    FORCED.set(None);
    let report = Report {
        ran: RAN.get(),
        reasons: REASONS.take(),
    };
    (result, report)
}

pub(crate) fn forced() -> Option<Kernel> {
    FORCED.get()
}

/// Notes that a kernel's arithmetic runs.
pub(crate) fn ran(kernel: Kernel) {
    let mut ran = RAN.get();
    ran[kernel as usize] += 1;
    RAN.set(ran);
}

/// Makes an answer public.
pub(crate) fn declassified(mut answer: u64, reason: &'static str) -> u64 {
    REASONS.with_borrow_mut(|reasons| reasons.insert(reason));
    valgrind::make_defined(&mut answer);
    answer
}

/// Valgrind's client requests (valgrind.h and memcheck.h, which are under a licence that allows this): to a processor they are nothing.
pub mod valgrind {
    const RUNNING_ON_VALGRIND: u64 = 0x1001;
    const COUNT_ERRORS: u64 = 0x1201;
    const MAKE_MEM_UNDEFINED: u64 = 0x4d43_0001;
    const MAKE_MEM_DEFINED: u64 = 0x4d43_0002;

    /// Whether Valgrind runs this.
    pub fn is_running() -> bool {
        request(RUNNING_ON_VALGRIND, 0, 0) > 0
    }

    /// How many errors it has seen so far.
    pub fn errors() -> u64 {
        request(COUNT_ERRORS, 0, 0)
    }

    /// From here on, a branch on these octets and on whatever is computed from them, or an address, is an error.
    pub fn make_undefined<T: ?Sized>(secret: &mut T) {
        mark(MAKE_MEM_UNDEFINED, secret);
    }

    /// No longer.
    pub fn make_defined<T: ?Sized>(public: &mut T) {
        mark(MAKE_MEM_DEFINED, public);
    }

    fn mark<T: ?Sized>(what: u64, octets: &mut T) {
        let length = size_of_val(octets) as u64;
        let address = (&raw mut *octets).cast::<u8>().expose_provenance() as u64;
        core::hint::black_box(octets);
        request(what, address, length);
    }

    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    #[allow(unsafe_code)]
    fn request(what: u64, address: u64, length: u64) -> u64 {
        let arguments = [what, address, length, 0, 0, 0];
        let mut result = 0;
        // SAFETY: rdi is rotated by 128 bits altogether, and rbx is exchanged with itself. Valgrind, which knows this sequence, reads the six
        // arguments and writes rdx; a processor writes nothing but the flags.
        unsafe {
            core::arch::asm!(
                "rol rdi, 3",
                "rol rdi, 13",
                "rol rdi, 61",
                "rol rdi, 51",
                "xchg rbx, rbx",
                in("rax") arguments.as_ptr(),
                inout("rdx") result,
                options(nostack),
            );
        }
        result
    }

    #[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
    fn request(_: u64, _: u64, _: u64) -> u64 {
        0
    }
}
