//! The arithmetic under RSA private keys, for each processor: powers modulo secret odd numbers, and trial division. And SHA-256, as keys are derived with it.
//!
//! ```
//! use core::sync::atomic::AtomicBool;
//! use kernels::{Kernel, modular::{self, Power, Stop}};
//!
//! // 3^5 mod (2^128 - 159), in little-endian limbs.
//! let modulus = [u64::MAX - 158, u64::MAX];
//! let job = Power { base: &[3, 0], exponent: &[5, 0], modulus: &modulus };
//! let never = AtomicBool::new(false);
//! let stop = Stop { done: &never, cancelled: None };
//! for kernel in Kernel::available() {
//!     let powers = modular::power(kernel, &[job], 128, &stop).ok_or("stopped")?;
//!     assert_eq!(**powers.first().ok_or("no power")?, vec![243, 0]);
//! }
//! # Ok::<(), &str>(())
//! ```
//!
//! All `unsafe` of the project is here, all of its assembly, and all detection of what a processor can do. Above it, `countersign-rsa-private` makes keys and
//! signatures in safe code, and `countersign-pki` derives keys; who wants those, wants these crates. This one knows limbs and octets, asserts the lengths that its callers promise,
//! and its interface changes as they need it.
//!
//! - [`Kernel`]: which implementation computes, chosen at run time.
//! - [`modular`]: exponentiation, the test of primality to base 2, products, residues.
//! - [`sha256`]: HMAC-SHA-256 and its long iterations, two side by side.
//! - [`nat`]: numbers of a fixed length, and what is done with them once per key.
//! - [`Mask`] and [`declassify`]: choices by a secret, and the one way from a secret to a branch.
//!
//! No branch and no address depends on a value, but where a function says so: lengths and answers that are declassified are public.
//! The inner loops on x86_64 are assembly, which the optimisation level of a consumer's build doesn't reach.

#![deny(unsafe_code)]

#[allow(unsafe_code)] // a barrier in inline assembly
mod mask;
mod declassify;
pub mod nat;
mod processor;
mod kernel;
pub mod modular;
pub mod sha256;
#[cfg(any(test, constant_time))]
#[allow(clippy::indexing_slicing)] // by a kernel's place in the list of all
pub mod gate;
#[cfg(test)]
mod test_support;

pub use declassify::declassify;
pub use kernel::{Error, Kernel};
pub use mask::Mask;
