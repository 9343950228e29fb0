//! RSA private-key operations, fast, and in a debug build too: a 4096-bit key in some tens of milliseconds, and signatures.
//!
//! ```
//! # fn main() -> Result<(), rsa_private::Error> {
//! let key = rsa_private::generate(2048)?;
//!
//! // The numbers of RFC 8017 (PKCS #1), big-endian, of fixed length, wiped on drop.
//! assert_eq!(key.n().len(), 256);
//! assert_eq!(key.p().len(), 128);
//!
//! use rsa_private::{Hash, Numbers, Scheme, SigningKey};
//! let signer = SigningKey::new(&Numbers::from(&key))?;
//! let signature = signer.sign(Scheme::Pss(Hash::Sha256), b"message")?;
//! assert_eq!(signature.len(), 256);
//! # Ok(())
//! # }
//! ```
//!
//! This crate knows integers and octets: no key formats, and no certificates. [`Generator`] has the options (kernel, threads, progress,
//! cancellation), a seedable path, and one for the caller's own generator. [`SigningKey`] signs with a key of any origin, whose [`Numbers`] it is given, under one
//! [`Scheme`] of several.
//!
//! # Sources
//!
//! - [FIPS 186-5](https://doi.org/10.6028/NIST.FIPS.186-5), appendix A.1.3: probable primes from fresh random candidates, with the conditions of
//!   A.1.1 (`e` = 65537, `|p - q| > 2^(bits/2 - 100)`, `d = e^-1 mod lcm(p-1, q-1)`, `d > 2^(bits/2)`) and the Miller-Rabin rounds of table B.1.
//! - [RFC 8017](https://www.rfc-editor.org/rfc/rfc8017): the private operation with the Chinese remainder theorem (5.2.1), RSASSA-PKCS1-v1_5 and
//!   RSASSA-PSS (8).
//! - [C2SP det-keygen](https://c2sp.org/det-keygen): how candidates are made from bits, and [the key that belongs to a
//!   seed](Generator::generate_from_seed).
//!
//! A candidate is divided by the primes below 2^16, then tested to base 2; two that pass get 3 to 5 rounds with random bases each. Before a key leaves the
//! crate it signs a random number, through its CRT parameters, and verifies that (a pairwise consistency test); `d` must agree with them.
//!
//! # Speed
//!
//! The tests are independent of each other. The [IFMA kernel](Kernel::Ifma) does eight at a time, one per vector lane, and threads do several
//! batches at once. The inner loops of the x86_64 kernels are assembly, which the optimisation level of a consumer's build
//! doesn't reach. The kernel is chosen at run time; [`Generator::kernel`] and [`SigningKey::kernel`] force one, for tests and measurements. No kernel changes the keys.
//!
//! # What is constant-time, and what is not
//!
//! *Constant-time with respect to the accepted primes*: trial division, the exponentiations and their tables, the derivation of the
//! exponents (including the greatest common divisor, by division steps), the consistency test, and signatures with the key. No branch and no address depends
//! on a prime or on what is computed from it; choices are masks and selects, behind a barrier that the optimiser can't see through. The project's CI runs
//! the optimised code under Valgrind, which reports a branch or an address that depends on a secret, and compares the jumps and addresses of the assembly that Valgrind can't
//! run with an explained list. The assembly uses no instruction whose time depends on its operands on
//! the processors that have it.
//!
//! *Not constant-time*: how many candidates were rejected, and where trial division rejected them. They are independent of the accepted ones. How
//! many random bases had to be drawn again because they exceeded a prime, which tells less than a bit about its size. And on targets
//! other than x86_64, whatever the compiler and the processor make of a 64-bit multiplication.
//!
//! Buffers that held primes, candidates, exponents or powers are wiped when they are dropped, and the registers of the kernels in assembly when they return.
//! What a compiler keeps in registers or has spilled to the stack is not.

#![forbid(unsafe_code)]

mod error;
mod key;
mod random;
mod search;
mod trials;
mod generator;
mod sign;
#[cfg(all(test, constant_time))]
mod constant_time;
#[cfg(test)]
mod published;

pub use error::Error;
pub use generator::{Generator, MINIMUM_SEED_LENGTH, SIZES};
pub use kernels::Kernel;
pub use key::RsaKey;
pub use search::Progress;
pub use sign::{Hash, Numbers, Scheme, SigningKey};

/// A new key of `bits` bits from the operating system's randomness, with the defaults of [`Generator`].
///
/// # Errors
///
/// As [`Generator::generate`].
pub fn generate(bits: usize) -> Result<RsaKey, Error> {
    Generator::new(bits).generate()
}

/// The key of `bits` bits that belongs to a seed: see [`Generator::generate_from_seed`].
///
/// # Errors
///
/// As [`Generator::generate_from_seed`].
pub fn generate_from_seed(bits: usize, seed: &[u8]) -> Result<RsaKey, Error> {
    Generator::new(bits).generate_from_seed(seed)
}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
