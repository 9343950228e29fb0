//! The builder, and the steps from two primes to a key.

use core::fmt;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use rand_core::CryptoRng;

use crate::Error;
use crate::key::{Draft, RsaKey};
use crate::random::{Rng, Seeded, Source, System};
use crate::search::{Options, Progress, Search};
use crate::trials::Trials;
use kernels::Kernel;
use kernels::modular::{self, Power, Stop};
use kernels::nat::Nat;

/// The least length of a seed, in bytes (C2SP det-keygen; it recommends 192 bits of entropy or more).
pub const MINIMUM_SEED_LENGTH: usize = 16;

/// The sizes of keys, in bits. With all of them, a prime fills its 64-bit limbs and nearly fills the 52-bit ones: the speed and the
/// secrecy of the arithmetic are measured and checked for these, and no protocol asks for another.
pub const SIZES: [usize; 4] = [2048, 3072, 4096, 8192];

/// Makes RSA keys of one size.
///
/// ```
/// # fn main() -> Result<(), rsa_private::Error> {
/// let key = rsa_private::Generator::new(2048).threads(1).generate()?;
/// assert_eq!(key.n().len(), 256);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Generator {
    bits: usize,
    kernel: Option<Kernel>,
    threads: Option<usize>,
    progress: Option<Arc<dyn Fn(Progress) + Send + Sync>>,
    cancellation: Option<Arc<AtomicBool>>,
}

impl Generator {
    /// For keys whose modulus has `bits` bits, which is one of [`SIZES`].
    #[must_use]
    pub fn new(bits: usize) -> Self {
        Self {
            bits,
            kernel: None,
            threads: None,
            progress: None,
            cancellation: None,
        }
    }

    /// Uses this kernel; by default, the fastest, [`Kernel::detect`].
    #[must_use]
    pub fn kernel(mut self, kernel: Kernel) -> Self {
        self.kernel = Some(kernel);
        self
    }

    /// Uses at most `threads` threads, this one included; by default, as many as [`std::thread::available_parallelism`] says. Fewer are started where the key is
    /// too small to be worth them. The key doesn't depend on it.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads);
        self
    }

    /// Calls `report` after each batch of candidates, from whichever thread has tested it.
    #[must_use]
    pub fn progress(mut self, report: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.progress = Some(Arc::new(report));
        self
    }

    /// Gives up with [`Error::Cancelled`] soon after `flag` becomes true. It is looked at before each candidate's trial division and every few
    /// squarings of an exponentiation, which takes less than a millisecond for the largest keys, and some milliseconds in an unoptimised build of the
    /// portable kernel.
    #[must_use]
    pub fn cancellation(mut self, flag: Arc<AtomicBool>) -> Self {
        self.cancellation = Some(flag);
        self
    }

    /// A new key from the operating system's randomness.
    ///
    /// # Errors
    ///
    /// [`Error::UnsupportedSize`], [`Error::Kernel`] for what was asked for; [`Error::Cancelled`];
    /// [`Error::RandomnessUnavailable`]; and [`Error::NoPrimeFound`] and [`Error::Inconsistent`] if the machine or its randomness is broken.
    pub fn generate(&self) -> Result<RsaKey, Error> {
        self.generate_from(&mut System)
    }

    /// A new key from the caller's generator, which must be fit for secrets.
    ///
    /// # Errors
    ///
    /// As [`Generator::generate`].
    pub fn generate_with_rng<R: CryptoRng + Send>(&self, rng: &mut R) -> Result<RsaKey, Error> {
        self.generate_from(&mut Rng(rng))
    }

    /// The key that belongs to a seed, exactly as [C2SP det-keygen](https://c2sp.org/det-keygen) derives it: the same on every machine, with every kernel and
    /// any number of threads.
    ///
    /// **Whoever has the seed has the key.** This is for reproducible test material. A seed for real use needs 192 bits of entropy or more.
    ///
    /// # Errors
    ///
    /// [`Error::SeedTooShort`] below 16 bytes, and as [`Generator::generate`] (the Miller-Rabin bases come from the operating system).
    pub fn generate_from_seed(&self, seed: &[u8]) -> Result<RsaKey, Error> {
        if seed.len() < MINIMUM_SEED_LENGTH {
            return Err(Error::SeedTooShort {
                length: seed.len(),
                minimum: MINIMUM_SEED_LENGTH,
            });
        }
        let bits =
            u16::try_from(self.bits).map_err(|_| Error::UnsupportedSize { bits: self.bits })?;
        self.generate_from(&mut Seeded::new(seed, bits))
    }

    fn generate_from(&self, source: &mut dyn Source) -> Result<RsaKey, Error> {
        if !SIZES.contains(&self.bits) {
            return Err(Error::UnsupportedSize { bits: self.bits });
        }
        self.generate_unchecked(source)
    }

    /// Of any multiple of 16 bits that the arithmetic can handle: tests use small keys, and det-keygen publishes one of 2064 bits.
    pub(crate) fn generate_unchecked(&self, source: &mut dyn Source) -> Result<RsaKey, Error> {
        let kernel = self.kernel.unwrap_or_else(Kernel::detect).checked()?;
        let threads = self
            .threads
            .unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from));
        let options = Options {
            kernel,
            threads: threads.max(1),
            cancelled: self.cancellation.as_deref(),
            progress: self.progress.as_deref(),
        };
        let prime_bits = self.bits / 2;
        let mut search = Search::new(&options, prime_bits, source);
        loop {
            let (p, q) = search.next_pair()?;
            // Steps 19 to 23 of det-keygen: both primes are rejected if e has no inverse (2^-15) or their totients have a large common divisor (2^-32).
            let Some(draft) = Draft::new(&p.value, &q.value, self.bits)? else {
                continue;
            };
            let trials = Trials::new(&draft, |bytes| search.fill(bytes))?;
            let powers = run(&trials.jobs(&draft), prime_bits, &options)?;
            match trials.judge(&powers, &draft) {
                (true, true) => return draft.finish(trials.message(), trials.consistency(&powers)),
                // A composite that passes the test to base 2 is not to be expected in a lifetime. The search goes on as if it had failed.
                (p_passed, q_passed) => {
                    search.put_back(p, p_passed);
                    search.put_back(q, q_passed);
                }
            }
        }
    }
}

impl fmt::Debug for Generator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Generator")
            .field("bits", &self.bits)
            .field("kernel", &self.kernel)
            .field("threads", &self.threads)
            .finish_non_exhaustive()
    }
}

/// Does all exponentiations in as few batches as the kernel's lanes allow, on several threads.
fn run(jobs: &[Power<'_>], bits: usize, options: &Options<'_>) -> Result<Vec<Nat>, Error> {
    let never = AtomicBool::new(false);
    let stop = Stop {
        done: &never,
        cancelled: options.cancelled,
    };
    let batches = jobs.len().div_ceil(options.kernel.lanes());
    let batches: Vec<_> = jobs.chunks(jobs.len().div_ceil(batches)).collect();
    let next = AtomicUsize::new(0);
    let results = Mutex::new(BTreeMap::new());
    let work = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(batch) = batches.get(index) else {
                return;
            };
            let Some(powers) = modular::power(options.kernel, batch, bits, &stop) else {
                return;
            };
            results
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(index, powers);
        }
    };
    thread::scope(|scope| {
        for _ in 1..options.threads.min(batches.len()) {
            // A machine that gives no more threads has to do with fewer.
            let _ = thread::Builder::new().spawn_scoped(scope, work);
        }
        work();
    });
    let results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    if results.len() < batches.len() {
        return Err(Error::Cancelled);
    }
    Ok(results.into_values().flatten().collect())
}

#[cfg(test)]
mod tests;
