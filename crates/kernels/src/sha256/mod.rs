//! SHA-256 (FIPS 180-4), HMAC with it (RFC 2104), and the long iterations of both that derive keys.
#![allow(clippy::indexing_slicing)] // within a block of 64 octets

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)] // assembly
mod x86_64;

use core::{cmp::Reverse, slice::from_ref};
use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    thread,
};

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::processor;

/// An implementation of SHA-256. They compute the same at different speeds: use what [`Kernel::detect`] gives, unless you test or measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kernel {
    /// The SHA extensions of x86_64, in assembly.
    ShaExtensions,
    /// The `sha2` crate, for every target. (Optimised, it uses the extensions of many.)
    Portable,
}

impl Kernel {
    /// Those that this machine can run, the fastest first. Never empty.
    pub fn available() -> impl Iterator<Item = Self> {
        [Self::ShaExtensions, Self::Portable]
            .into_iter()
            .filter(|kernel| *kernel != Self::ShaExtensions || processor::has_sha256())
    }

    /// The fastest that this machine can run.
    #[must_use]
    pub fn detect() -> Self {
        Self::available().next().unwrap_or(Self::Portable)
    }

    fn compress(self, state: &mut State, blocks: &[[u8; 64]]) {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::ShaExtensions => x86_64::compress(state, blocks),
            _ => sha2::block_api::compress256(&mut state.0, blocks),
        }
    }

    fn iterate(self, one: &mut Chain, other: Option<&mut Chain>, steps: u32) {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::ShaExtensions => x86_64::iterate(one, other, steps),
            _ => {
                one.iterate(steps);
                if let Some(other) = other {
                    other.iterate(steps);
                }
            }
        }
    }
}

/// What SHA-256 has computed after some blocks, as eight words; after the last one that is the digest. Wiped on drop.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct State([u32; 8]);

impl State {
    /// Before the first block (FIPS 180-4, section 5.3.3).
    pub const INITIAL: Self = Self([
        0x6a09_e667,
        0xbb67_ae85,
        0x3c6e_f372,
        0xa54f_f53a,
        0x510e_527f,
        0x9b05_688c,
        0x1f83_d9ab,
        0x5be0_cd19,
    ]);

    /// The octets of the digest.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        let mut octets = Zeroizing::new([0; 32]);
        for (octets, word) in octets.as_chunks_mut::<4>().0.iter_mut().zip(self.0) {
            *octets = word.to_be_bytes();
        }
        octets
    }

    /// The digest of a message that goes on with these parts, after the `compressed` octets, whole blocks, that led to this state.
    fn finish(mut self, kernel: Kernel, compressed: u64, parts: &[&[u8]]) -> Self {
        let mut length = compressed;
        let mut block = Zeroizing::new([0; 64]);
        let mut filled = 0;
        for part in parts {
            length += part.len() as u64;
            let (head, rest) = part.split_at(part.len().min((64 - filled) % 64));
            block[filled..filled + head.len()].copy_from_slice(head);
            filled += head.len();
            if filled == 64 {
                kernel.compress(&mut self, from_ref(&*block));
                filled = 0;
            }
            if !rest.is_empty() {
                let (blocks, tail) = rest.as_chunks();
                kernel.compress(&mut self, blocks);
                block[..tail.len()].copy_from_slice(tail);
                filled = tail.len();
            }
        }
        block[filled] = 0x80;
        block[filled + 1..].fill(0);
        if filled >= 56 {
            kernel.compress(&mut self, from_ref(&*block));
            block.fill(0);
        }
        block[56..].copy_from_slice(&(8 * length).to_be_bytes());
        kernel.compress(&mut self, from_ref(&*block));
        self
    }
}

/// The digest of a message in parts.
#[must_use]
pub fn digest(kernel: Kernel, parts: &[&[u8]]) -> State {
    State::INITIAL.finish(kernel, 0, parts)
}

/// HMAC under one key, whose blocks were compressed once and for all. Wiped on drop.
#[derive(Clone)]
pub struct Hmac {
    kernel: Kernel,
    inner: State,
    outer: State,
}

impl Hmac {
    /// Under a key of any length.
    #[must_use]
    pub fn new(kernel: Kernel, key: &[u8]) -> Self {
        let mut block = Zeroizing::new([0; 64]);
        if key.len() > block.len() {
            block[..32].copy_from_slice(digest(kernel, &[key]).to_bytes().as_slice());
        } else {
            block[..key.len()].copy_from_slice(key);
        }
        let keyed = |pad: u8| {
            let mut state = State::INITIAL;
            let mut block = block.clone();
            for octet in block.iter_mut() {
                *octet ^= pad;
            }
            kernel.compress(&mut state, from_ref(&*block));
            state
        };
        Self {
            kernel,
            inner: keyed(0x36),
            outer: keyed(0x5c),
        }
    }

    /// The MAC of a message in parts.
    #[must_use]
    pub fn mac(&self, parts: &[&[u8]]) -> State {
        let digest = self.inner.clone().finish(self.kernel, 64, parts).to_bytes();
        let outer = self.outer.clone();
        outer.finish(self.kernel, 64, &[digest.as_slice()])
    }
}

/// Something that is hashed over and over. Wiped on drop.
///
/// A step is two compressions, each of the result of the one before: the inner and the outer one of an HMAC, or just two digests.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Chain {
    /// Where the two compressions start.
    starts: [State; 2],
    /// The length of what is hashed, as the padding states it.
    bits: u32,
    /// The latest result.
    value: State,
    /// The exclusive or of all results.
    sum: State,
    /// How many are still to do.
    steps: u32,
}

impl Chain {
    /// HMAC of a message, and of that, and so on: as many as there are `iterations`, of which there is at least one.
    #[must_use]
    pub fn of_hmac(hmac: &Hmac, message: &[&[u8]], iterations: u32) -> Self {
        assert!(iterations > 0);
        let first = hmac.mac(message);
        Self {
            starts: [hmac.inner.clone(), hmac.outer.clone()],
            bits: 8 * (64 + 32),
            sum: first.clone(),
            value: first,
            steps: iterations - 1,
        }
    }

    /// The digest of a message, and of that, and so on: as many as there are `iterations`, of which there is at least one.
    #[must_use]
    pub fn of_digest(kernel: Kernel, message: &[&[u8]], iterations: u32) -> Self {
        assert!(iterations > 0);
        let mut first = digest(kernel, message);
        let more = iterations - 1;
        if more % 2 == 1 {
            first = digest(kernel, &[first.to_bytes().as_slice()]);
        }
        Self {
            starts: [State::INITIAL, State::INITIAL],
            bits: 8 * 32,
            sum: first.clone(),
            value: first,
            steps: more / 2,
        }
    }

    /// The last of the digests or MACs, once [`run`] was there.
    #[must_use]
    pub fn last(&self) -> &State {
        &self.value
    }

    /// The exclusive or of all MACs, once [`run`] was there.
    #[must_use]
    pub fn sum(&self) -> &State {
        &self.sum
    }

    /// As the assembly does it.
    fn iterate(&mut self, steps: u32) {
        let mut block = Zeroizing::new([0; 64]);
        block[32] = 0x80;
        block[60..].copy_from_slice(&self.bits.to_be_bytes());
        for _ in 0..steps {
            for start in &self.starts {
                block[..32].copy_from_slice(self.value.to_bytes().as_slice());
                self.value.0 = start.0;
                Kernel::Portable.compress(&mut self.value, from_ref(&*block));
            }
            for (sum, value) in self.sum.0.iter_mut().zip(self.value.0) {
                *sum ^= value;
            }
        }
    }
}

/// Runs chains to their ends: on two threads if there is enough to do, and on each, two side by side.
pub fn run<'a>(kernel: Kernel, chains: impl IntoIterator<Item = &'a mut Chain>) {
    let mut chains: Vec<&mut Chain> = chains.into_iter().collect();
    let steps: u64 = chains.iter().map(|chain| u64::from(chain.steps)).sum();
    let is_worth_it = chains.len() > 1 && steps >= WORTH_A_THREAD;
    if !is_worth_it || thread::available_parallelism().map_or(1, usize::from) < 2 {
        return run_in_turns(kernel, chains);
    }
    // The longest first, and each to those that have less to do so far.
    chains.sort_unstable_by_key(|chain| Reverse(chain.steps));
    let (mut groups, mut loads) = ([Vec::new(), Vec::new()], [0_u64; 2]);
    for chain in chains {
        let lighter = usize::from(loads[1] < loads[0]);
        loads[lighter] += u64::from(chain.steps);
        groups[lighter].push(chain);
    }
    let groups = Mutex::new(Vec::from(groups));
    let next = || groups.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let work = || {
        while let Some(group) = next() {
            run_in_turns(kernel, group);
        }
    };
    thread::scope(|scope| {
        // On a machine that gives no more threads, this one does it all.
        let _other = thread::Builder::new().spawn_scoped(scope, work);
        work();
    });
}

/// Two at a time, and all of them in turns, so that few steps are left for one alone.
fn run_in_turns(kernel: Kernel, chains: Vec<&mut Chain>) {
    let mut waiting = VecDeque::from(chains);
    while let Some(one) = waiting.pop_front() {
        let mut other = waiting.pop_front();
        let shorter = other.as_ref().map_or(TURN, |other| other.steps);
        let steps = TURN.min(one.steps).min(shorter);
        kernel.iterate(one, other.as_deref_mut(), steps);
        for chain in [Some(one), other].into_iter().flatten() {
            chain.steps -= steps;
            if chain.steps > 0 {
                waiting.push_back(chain);
            }
        }
    }
}

/// Steps between two looks at who is next: some 0.1 ms.
const TURN: u32 = 1024;

/// Steps for which a thread is started: a millisecond or so.
const WORTH_A_THREAD: u64 = 10_000;

#[cfg(test)]
mod tests;
