//! The search for primes: candidates in order from one source, sieved and tested on several threads, primes handed out in the order of the source.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use zeroize::Zeroizing;

use crate::Error;
use crate::random::Source;
use kernels::Kernel;
use kernels::modular::{self, Stop};
use kernels::nat::{self, Nat};

/// Candidates drawn and sieved at once: few enough that little is thrown away at the end.
const CHUNK: usize = 32;

/// How far a search for primes has come. It is random when it ends: `candidates` reaches `expected` on average, and three times that once in a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Random candidates looked at.
    pub candidates: u64,
    /// How many it takes on average.
    pub expected: u64,
    /// Primes found, of two.
    pub primes: usize,
}

impl Progress {
    /// `bits` is the length of a prime.
    fn new(candidates: u64, primes: usize, bits: usize) -> Self {
        // A random odd number of so many bits is prime with probability 2 / (bits · ln 2), and there are two to find. (Candidates end in 111, which
        // changes nothing: primes are spread evenly over the odd residues modulo 8.)
        let expected = bits as u64 * 693 / 1000;
        Self {
            candidates,
            expected,
            primes: primes.min(2),
        }
    }
}

/// What one search uses.
pub(crate) struct Options<'a> {
    pub(crate) kernel: Kernel,
    pub(crate) threads: usize,
    pub(crate) cancelled: Option<&'a AtomicBool>,
    pub(crate) progress: Option<&'a (dyn Fn(Progress) + Send + Sync)>,
}

/// A search that can be resumed after each pair of primes.
pub(crate) struct Search<'a> {
    options: &'a Options<'a>,
    /// The length of the primes.
    bits: usize,
    state: Mutex<State<'a>>,
    done: AtomicBool,
}

/// A probable prime to base 2.
pub(crate) struct Prime {
    /// Its place among the candidates.
    index: u64,
    pub(crate) value: Nat,
}

struct State<'a> {
    source: &'a mut dyn Source,
    /// The number of candidates drawn: the index of the next one.
    drawn: u64,
    /// The value of `drawn` at which the search gives up.
    limit: u64,
    /// The lowest index of each part that a thread is sieving or testing.
    in_flight: BTreeSet<u64>,
    /// Candidates without a small factor.
    sieved: BTreeMap<u64, Nat>,
    /// Probable primes to base 2.
    primes: BTreeMap<u64, Nat>,
    failure: Option<Error>,
}

enum Work {
    Sieve {
        first: u64,
        bytes: Zeroizing<Vec<u8>>,
    },
    Test {
        first: u64,
        candidates: Vec<(u64, Nat)>,
    },
    Nothing,
}

impl<'a> Search<'a> {
    pub(crate) fn new(options: &'a Options<'a>, bits: usize, source: &'a mut dyn Source) -> Self {
        let state = State {
            source,
            drawn: 0,
            limit: 0,
            in_flight: BTreeSet::new(),
            sieved: BTreeMap::new(),
            primes: BTreeMap::new(),
            failure: None,
        };
        Self {
            options,
            bits,
            state: Mutex::new(state),
            done: AtomicBool::new(false),
        }
    }

    /// The next two probable primes in the order of the source.
    pub(crate) fn next_pair(&mut self) -> Result<(Prime, Prime), Error> {
        self.done.store(false, Ordering::Relaxed);
        let mut state = self.lock();
        // FIPS 186-5, A.1.3, step 5.8: ten times the modulus' length for each prime. (Reached with probability 2^-83 at 2048 bits.)
        state.limit = state.drawn + 40 * self.bits as u64;
        drop(state);
        let helpers = self.helpers();
        thread::scope(|scope| {
            for _ in 0..helpers {
                // A machine that gives no more threads has to do with fewer.
                let _ = thread::Builder::new().spawn_scoped(scope, || self.work());
            }
            self.work();
        });
        let mut state = self.lock();
        if self.stop().is_cancelled() {
            return Err(Error::Cancelled);
        }
        if let Some(failure) = state.failure.take() {
            return Err(failure);
        }
        match (state.primes.pop_first(), state.primes.pop_first()) {
            (Some((p, first)), Some((q, second))) => Ok((
                Prime {
                    index: p,
                    value: first,
                },
                Prime {
                    index: q,
                    value: second,
                },
            )),
            _ => Err(Error::NoPrimeFound {
                candidates: state.drawn,
            }),
        }
    }

    /// Takes a prime back that turned out to be good, when the other one was not.
    pub(crate) fn put_back(&mut self, prime: Prime, good: bool) {
        if good {
            self.lock().primes.insert(prime.index, prime.value);
        }
    }

    /// Random numbers for the checks, from the same source.
    pub(crate) fn fill(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        self.lock().source.fill(bytes)
    }

    fn stop(&self) -> Stop<'_> {
        Stop {
            done: &self.done,
            cancelled: self.options.cancelled,
        }
    }

    /// Threads beside this one. A batch is the least worth starting a thread for, and a pair of primes takes about `0.035 bits` exponentiations.
    fn helpers(&self) -> usize {
        let batches = self.bits * 7 / 100 / self.options.kernel.lanes();
        self.options.threads.min(batches / 2).saturating_sub(1)
    }

    fn work(&self) {
        loop {
            let work = self.next();
            match work {
                Work::Sieve { first, bytes } => self.sieve(first, &bytes),
                Work::Test { first, candidates } => self.test(first, candidates),
                Work::Nothing => return,
            }
        }
    }

    /// Decides what to do next, or that the search is over.
    fn next(&self) -> Work {
        let mut guard = self.lock();
        let state = &mut *guard;
        if self.stop().is_set() || state.failure.is_some() {
            self.done.store(true, Ordering::Relaxed);
            return Work::Nothing;
        }
        let second = state.primes.keys().nth(1).copied();
        if let Some(second) = second {
            let first_open = state
                .in_flight
                .first()
                .into_iter()
                .chain(state.sieved.keys().next())
                .min();
            if first_open.is_none_or(|open| *open > second) {
                self.done.store(true, Ordering::Relaxed);
                return Work::Nothing;
            }
        }
        let lanes = self.options.kernel.lanes();
        // Once two primes are known, only what came before them matters.
        let waiting = state
            .sieved
            .keys()
            .take_while(|index| second.is_none_or(|second| **index < second))
            .take(lanes)
            .count();
        if waiting == lanes || (waiting > 0 && second.is_some()) {
            let candidates: Vec<_> = (0..waiting)
                .filter_map(|_| state.sieved.pop_first())
                .collect();
            let first = candidates.first().map_or(0, |(index, _)| *index);
            state.in_flight.insert(first);
            return Work::Test { first, candidates };
        }
        if second.is_some() {
            return Work::Nothing;
        }
        if state.drawn >= state.limit {
            state.failure = Some(Error::NoPrimeFound {
                candidates: state.drawn,
            });
            return Work::Nothing;
        }
        let size = self.bits / 8;
        let mut bytes = Zeroizing::new(vec![0; CHUNK * size]);
        if let Err(error) = state.source.candidates(&mut bytes, size) {
            state.failure = Some(error);
            return Work::Nothing;
        }
        let first = state.drawn;
        state.drawn += CHUNK as u64;
        state.in_flight.insert(first);
        Work::Sieve { first, bytes }
    }

    fn sieve(&self, first: u64, bytes: &[u8]) {
        let mut survivors = Vec::with_capacity(CHUNK / 4);
        for (index, bytes) in (first..).zip(bytes.chunks(self.bits / 8)) {
            // An unoptimised build takes milliseconds for all of them.
            if self.stop().is_cancelled() {
                break;
            }
            let candidate = candidate(bytes, self.bits);
            if !modular::has_small_factor(self.options.kernel, &candidate) {
                survivors.push((index, candidate));
            }
        }
        let mut state = self.lock();
        state.sieved.extend(survivors);
        state.in_flight.remove(&first);
    }

    fn test(&self, first: u64, candidates: Vec<(u64, Nat)>) {
        let numbers: Vec<&[u64]> = candidates
            .iter()
            .map(|(_, number)| number.as_slice())
            .collect();
        let kernel = self.options.kernel;
        let result = modular::base_two(kernel, &numbers, self.bits, &self.stop());
        let mut state = self.lock();
        state.in_flight.remove(&first);
        match result {
            Some(mask) => {
                let primes = candidates
                    .into_iter()
                    .enumerate()
                    .filter(|(lane, _)| mask >> lane & 1 == 1);
                state.primes.extend(primes.map(|(_, candidate)| candidate));
            }
            // Stopped: they are still open, should the search be resumed.
            None => state.sieved.extend(candidates),
        }
        let progress = Progress::new(state.drawn, state.primes.len(), self.bits);
        drop(state);
        if let Some(report) = self.options.progress {
            report(progress);
        }
    }

    /// No code that runs under the lock panics midway through a change, so a poisoned lock is still good.
    fn lock(&self) -> MutexGuard<'_, State<'a>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The candidate that random bytes make: the top two bits and the low three are set.
///
/// The top bits make the product of two primes exactly twice as long (and keep both above the square root of 2, FIPS 186-5, A.1.3, steps 4.4 and 5.4); the low
/// three are steps 4.2 and 5.2 with `a = b = 7`, as det-keygen has it: with `(p-1)/2` odd, one exponentiation is a whole Miller-Rabin round.
pub(crate) fn candidate(bytes: &[u8], bits: usize) -> Nat {
    let mut number = nat::from_bytes(bytes, bits.div_ceil(64));
    if let Some(low) = number.first_mut() {
        *low |= 7;
    }
    for bit in [bits - 1, bits - 2] {
        if let Some(limb) = number.get_mut(bit / 64) {
            *limb |= 1 << (bit % 64);
        }
    }
    number
}
