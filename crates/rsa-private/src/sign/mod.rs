//! Signatures with an RSA private key (RFC 8017): the private operation, and the two ways to pad for it.

mod padding;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod wycheproof;

use core::fmt;
use core::sync::atomic::AtomicBool;
use std::panic::resume_unwind;
use std::sync::OnceLock;
use std::thread;

use kernels::modular::{self, Modulus, Power, Stop};
use kernels::nat::{self, Nat};
use kernels::{Kernel, declassify};
use rand_core::CryptoRng;

use crate::key::recombined;
use crate::random::{Source, System};
use crate::{Error, RsaKey, SIZES};

pub use padding::{Hash, Scheme};

/// The numbers of an RSA private key with two primes (RFC 8017, section 3.2), big-endian; zeros may lead. The primes may stand in either order.
#[derive(Clone, Copy)]
pub struct Numbers<'a> {
    /// The modulus.
    pub n: &'a [u8],
    /// The public exponent.
    pub e: &'a [u8],
    /// The first prime.
    pub p: &'a [u8],
    /// The second prime.
    pub q: &'a [u8],
    /// The first CRT exponent, `d mod (p-1)`.
    pub dp: &'a [u8],
    /// The second CRT exponent, `d mod (q-1)`.
    pub dq: &'a [u8],
    /// The CRT coefficient, `q^-1 mod p`.
    pub qinv: &'a [u8],
}

impl fmt::Debug for Numbers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Numbers([elided])")
    }
}

impl<'a> From<&'a RsaKey> for Numbers<'a> {
    fn from(key: &'a RsaKey) -> Self {
        Self {
            n: key.n(),
            e: key.e(),
            p: key.p(),
            q: key.q(),
            dp: key.dp(),
            dq: key.dq(),
            qinv: key.qinv(),
        }
    }
}

const NO_KEY: &str = "a key that can't be used is no key";

/// An RSA private key that signs. Its numbers are wiped when it is dropped, and `Debug` elides them.
///
/// The private operation is constant-time with respect to the key: see [what is and what isn't](crate#what-is-constant-time-and-what-is-not). Each
/// signature is verified before it is given out: one that a fault made wrong would tell the primes.
///
/// ```
/// use rsa_private::{Hash, Numbers, Scheme, SigningKey};
///
/// let key = rsa_private::generate(2048)?;
/// let signer = SigningKey::new(&Numbers::from(&key))?;
/// let signature = signer.sign(Scheme::Pkcs1v15(Hash::Sha256), b"message")?;
/// assert_eq!(signature.len(), 256);
/// # Ok::<(), rsa_private::Error>(())
/// ```
pub struct SigningKey {
    bits: usize,
    n: Modulus,
    e: u64,
    p: Modulus,
    q: Modulus,
    dp: Nat,
    dq: Nat,
    qinv: Nat,
    kernel: Kernel,
    threads: Option<usize>,
}

impl SigningKey {
    /// A key of one of the [`SIZES`] whose primes have half as many bits, and whose public exponent is odd, greater than 1 and below 2^64.
    ///
    /// Whether the exponents fit the primes is seen when it signs.
    ///
    /// # Errors
    ///
    /// [`Error::UnsupportedSize`] and [`Error::InvalidKey`].
    pub fn new(numbers: &Numbers<'_>) -> Result<Self, Error> {
        let invalid = |reason| Error::InvalidKey { reason };
        let n = strip(numbers.n);
        let bits = 8 * n.len() - n.first().map_or(0, |first| first.leading_zeros() as usize);
        if !SIZES.contains(&bits) {
            return Err(Error::UnsupportedSize { bits });
        }
        let e = match strip(numbers.e) {
            long if long.len() > 8 => return Err(invalid("its public exponent exceeds 64 bits")),
            short => nat::from_bytes(short, 1).first().copied().unwrap_or(0),
        };
        if e < 3 || e & 1 == 0 {
            return Err(invalid("its public exponent is even or below 3"));
        }
        let limbs = bits / 128;
        let half = |octets: &[u8]| {
            let excess = octets.len().saturating_sub(8 * limbs);
            let (zeros, octets) = octets.split_at(excess);
            let beyond = zeros.iter().fold(0, |all, octet| all | octet);
            if declassify(beyond == 0, NO_KEY) {
                Ok(nat::from_bytes(octets, limbs))
            } else {
                Err(invalid(
                    "one of its numbers has more than half as many bits as its modulus",
                ))
            }
        };
        let n = nat::from_bytes(n, 2 * limbs);
        let [p, q, qinv] = [half(numbers.p)?, half(numbers.q)?, half(numbers.qinv)?];
        let [dp, dq] = [half(numbers.dp)?, half(numbers.dq)?];
        // Neither is longer than half of the modulus, so that both have just that length.
        let product = nat::mul(&p, &q);
        let odd = n.first().map_or(0, |low| low & 1);
        if !declassify(nat::equal(&product, &n) & odd == 1, NO_KEY) {
            return Err(invalid(
                "its modulus is not the product of two odd primes of equal length",
            ));
        }
        if !declassify(nat::less(&qinv, &p) == 1, NO_KEY) {
            return Err(invalid("its coefficient is not below its first prime"));
        }
        Ok(Self {
            bits,
            n: Modulus::new(&n, bits),
            e,
            p: Modulus::new(&p, bits / 2),
            q: Modulus::new(&q, bits / 2),
            dp,
            dq,
            qinv,
            kernel: Kernel::detect(),
            threads: None,
        })
    }

    /// Uses this kernel for the two exponentiations; by default, the fastest, [`Kernel::detect`]. What is done once for a signature, verifying it for one, takes `mulx` wherever the processor has it.
    ///
    /// # Errors
    ///
    /// [`Error::Kernel`].
    pub fn kernel(mut self, kernel: Kernel) -> Result<Self, Error> {
        self.kernel = kernel.checked()?;
        Ok(self)
    }

    /// Uses at most `threads` threads, this one included; by default, as many as [`std::thread::available_parallelism`] says. More than two are of no use, and none but
    /// one with [`Kernel::Ifma`].
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads);
        self
    }

    /// The length of the modulus in bits.
    #[must_use]
    pub fn bits(&self) -> usize {
        self.bits
    }

    /// A signature over `message`, as many octets as the modulus has. The salt of RSASSA-PSS comes from the operating system.
    ///
    /// # Errors
    ///
    /// [`Error::RandomnessUnavailable`] for RSASSA-PSS; [`Error::FaultySignature`] if the key's numbers are inconsistent, or the machine made a mistake.
    pub fn sign(&self, scheme: Scheme, message: &[u8]) -> Result<Vec<u8>, Error> {
        self.sign_from(scheme, message, |salt| System.fill(salt))
    }

    /// The variant of [`sign`](Self::sign) with the caller's randomness for the salt.
    ///
    /// # Errors
    ///
    /// As [`sign`](Self::sign).
    pub fn sign_with_rng<R: CryptoRng + ?Sized>(
        &self,
        scheme: Scheme,
        message: &[u8],
        rng: &mut R,
    ) -> Result<Vec<u8>, Error> {
        self.sign_from(scheme, message, |salt| {
            rng.fill_bytes(salt);
            Ok(())
        })
    }

    fn sign_from(
        &self,
        scheme: Scheme,
        message: &[u8],
        random: impl FnOnce(&mut [u8]) -> Result<(), Error>,
    ) -> Result<Vec<u8>, Error> {
        self.signed(&scheme.encode(message, self.bits / 8, random)?)
    }

    /// RSASP1 (RFC 8017, section 5.2.1) of a representative in as many octets as the modulus has, which begin with a zero bit.
    ///
    /// The base is not blinded, nor are the exponents: what blinding hides, a time and a course that depend on them, is not there. It would help
    /// against those who measure the machine's power or radiation.
    fn signed(&self, representative: &[u8]) -> Result<Vec<u8>, Error> {
        let message = nat::from_bytes(representative, self.n.value().len());
        self.finished(&self.powers(&message)?, &message)
    }

    /// Puts the signature together from its two halves. What leaves is what was verified.
    fn finished(&self, [s_p, s_q]: &[Nat; 2], message: &Nat) -> Result<Vec<u8>, Error> {
        self.verified(
            &recombined([s_p, s_q], &self.p, self.q.value(), &self.qinv),
            message,
        )
    }

    /// The octets of a signature, if it is one of this message.
    fn verified(&self, signature: &Nat, message: &Nat) -> Result<Vec<u8>, Error> {
        let opened = self.n.power_public(signature, self.e);
        let verifies = nat::equal(&opened, message) & nat::less(signature, self.n.value());
        if declassify(
            verifies == 1,
            "a signature that doesn't verify is no signature",
        ) {
            Ok(nat::to_bytes(signature, self.bits / 8).to_vec())
        } else {
            Err(Error::FaultySignature)
        }
    }

    /// `message^dp mod p` and `message^dq mod q`.
    fn powers(&self, message: &[u64]) -> Result<[Nat; 2], Error> {
        let bases = [&self.p, &self.q].map(|prime| prime.residue(message));
        let [base_p, base_q] = &bases;
        let jobs = [
            Power {
                base: base_p,
                exponent: &self.dp,
                modulus: self.p.value(),
            },
            Power {
                base: base_q,
                exponent: &self.dq,
                modulus: self.q.value(),
            },
        ];
        let never = AtomicBool::new(false);
        let stop = Stop {
            done: &never,
            cancelled: None,
        };
        let power = |jobs: &[Power<'_>]| {
            let powers = modular::power(self.kernel, jobs, self.bits / 2, &stop);
            powers.ok_or(Error::Cancelled)
        };
        let (first, second) = jobs.split_at(1);
        let powers = if self.kernel.lanes() > 1 {
            power(&jobs)?
        } else {
            let threads = self.threads.unwrap_or_else(processors);
            let (first, second) = thread::scope(|scope| {
                // A machine that gives no more threads has to do with one.
                let other = (threads > 1)
                    .then(|| {
                        thread::Builder::new()
                            .spawn_scoped(scope, || power(second))
                            .ok()
                    })
                    .flatten();
                let first = power(first);
                let second = match other {
                    Some(other) => other.join().unwrap_or_else(|panic| resume_unwind(panic)),
                    None => power(second),
                };
                (first, second)
            });
            let (mut powers, second) = (first?, second?);
            powers.extend(second);
            powers
        };
        <[Nat; 2]>::try_from(powers).map_err(|_| Error::FaultySignature)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("bits", &self.bits)
            .field("kernel", &self.kernel)
            .field("secret", &"[elided]")
            .finish_non_exhaustive()
    }
}

/// How many there are, asked once, and only where it matters: the answer comes out of files, and takes a good part of a signature's time.
fn processors() -> usize {
    static PROCESSORS: OnceLock<usize> = OnceLock::new();
    *PROCESSORS.get_or_init(|| thread::available_parallelism().map_or(1, usize::from))
}

/// Without leading zeros.
fn strip(octets: &[u8]) -> &[u8] {
    let zeros = octets.iter().take_while(|octet| **octet == 0).count();
    octets.split_at(zeros).1
}
