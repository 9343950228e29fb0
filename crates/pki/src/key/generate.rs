use std::{
    fmt,
    sync::{Arc, atomic::AtomicBool},
};

use getrandom::SysRng;
use p256::elliptic_curve::Generate;
use rand_core::{CryptoRng, TryCryptoRng};
use rsa::BoxedUint;
use rsa_private::{Generator, Progress, RsaKey};
use zeroize::Zeroizing;

use super::{
    KeyKind, PrivateKey,
    private::{Secret, invalid, rsa_key},
};
use crate::Error;

/// Generates private keys, for callers that want progress, cancellation or a reproducible key.
/// [`PrivateKey::generate`] is the short way.
///
/// RSA keys are made after FIPS 186-5, A.1.3, on all processors, and checked before they are returned. The other kinds
/// take microseconds: they report no progress.
///
/// ```
/// use pki::{KeyGenerator, KeyKind};
///
/// let key = KeyGenerator::new(KeyKind::Rsa2048)
///     .progress(|progress| eprintln!("{} of about {} candidates", progress.candidates, progress.expected))
///     .generate()?;
/// # Ok::<(), pki::Error>(())
/// ```
#[must_use]
#[derive(Clone)]
pub struct KeyGenerator {
    kind: KeyKind,
    progress: Option<Arc<dyn Fn(Progress) + Send + Sync>>,
    cancellation: Option<Arc<AtomicBool>>,
}

impl KeyGenerator {
    /// For keys of this kind.
    pub fn new(kind: KeyKind) -> Self {
        Self {
            kind,
            progress: None,
            cancellation: None,
        }
    }

    /// Calls `report` while the search for primes goes on, from whichever thread has tested a batch of candidates. How
    /// long a search takes is random.
    pub fn progress(mut self, report: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.progress = Some(Arc::new(report));
        self
    }

    /// Gives up with [`Error::Cancelled`] soon after `flag` becomes true.
    pub fn cancellation(mut self, flag: Arc<AtomicBool>) -> Self {
        self.cancellation = Some(flag);
        self
    }

    /// A new key from the operating system's randomness.
    ///
    /// # Errors
    /// [`Error::Randomness`], [`Error::Cancelled`], and [`Error::KeyGeneration`] if the machine or its randomness is
    /// broken.
    pub fn generate(&self) -> Result<PrivateKey, Error> {
        match self.rsa() {
            Some(generator) => larger_prime_first(&generator.generate().map_err(generation)?),
            None => curve_key(self.kind, &mut SysRng),
        }
    }

    /// Like [`generate`](Self::generate), with the caller's randomness, which must be fit for secrets.
    ///
    /// # Errors
    /// Those of [`generate`](Self::generate).
    pub fn generate_with_rng<R: CryptoRng + Send>(&self, rng: &mut R) -> Result<PrivateKey, Error> {
        match self.rsa() {
            Some(generator) => {
                larger_prime_first(&generator.generate_with_rng(rng).map_err(generation)?)
            }
            None => curve_key(self.kind, rng),
        }
    }

    /// The RSA key that belongs to a seed, as C2SP's `det-keygen` derives it: the same on every machine.
    ///
    /// **Whoever has the seed has the key.** This is for test material that must be the same each time. A seed for real
    /// use needs 192 bits of entropy or more.
    ///
    /// The primes stay in the order in which `det-keygen` finds them. Some implementations of RSA sign wrongly where the
    /// smaller one comes first: read the written key again, and it is in the order that all of them take.
    ///
    /// # Errors
    /// [`Error::SeedTooShort`] below 16 octets, [`Error::UnsupportedKey`] for a kind other than RSA, and those of
    /// [`generate`](Self::generate).
    pub fn generate_from_seed(&self, seed: &[u8]) -> Result<PrivateKey, Error> {
        match self.rsa() {
            Some(generator) => {
                let key = generator.generate_from_seed(seed).map_err(generation)?;
                from_generated(&key, [key.p(), key.q()])
            }
            None => Err(Error::UnsupportedKey {
                found: "a seed, which makes RSA keys only".to_owned(),
                oid: None,
            }),
        }
    }

    /// The generator behind this one; `None` for a kind that isn't RSA.
    fn rsa(&self) -> Option<Generator> {
        let mut generator = Generator::new(match self.kind {
            KeyKind::Rsa2048 => 2048,
            KeyKind::Rsa3072 => 3072,
            KeyKind::Rsa4096 => 4096,
            KeyKind::Rsa8192 => 8192,
            KeyKind::EcP256 | KeyKind::EcP384 | KeyKind::EcP521 | KeyKind::Ed25519 => return None,
        });
        if let Some(report) = &self.progress {
            let report = Arc::clone(report);
            generator = generator.progress(move |progress| report(progress));
        }
        if let Some(flag) = &self.cancellation {
            generator = generator.cancellation(Arc::clone(flag));
        }
        Some(generator)
    }
}

impl PrivateKey {
    /// A new key from the operating system's randomness.
    ///
    /// # Errors
    /// [`Error::Randomness`] when the system has none, and [`Error::KeyGeneration`] when the machine is broken.
    pub fn generate(kind: KeyKind) -> Result<Self, Error> {
        KeyGenerator::new(kind).generate()
    }

    /// Like [`generate`](Self::generate), with the caller's randomness.
    ///
    /// # Errors
    /// Those of [`generate`](Self::generate).
    pub fn generate_with_rng<R: CryptoRng + Send>(
        kind: KeyKind,
        rng: &mut R,
    ) -> Result<Self, Error> {
        KeyGenerator::new(kind).generate_with_rng(rng)
    }
}

impl fmt::Debug for KeyGenerator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyGenerator")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// The order that all implementations take: see `PrivateKey::with_larger_prime_first`.
fn larger_prime_first(key: &RsaKey) -> Result<PrivateKey, Error> {
    // Both have the same length.
    let [p, q] = [key.p(), key.q()];
    from_generated(key, if p > q { [p, q] } else { [q, p] })
}

/// The numbers as `rsa` has them. Its own checks repeat some of those that the generator made.
fn from_generated(key: &RsaKey, primes: [&[u8]; 2]) -> Result<PrivateKey, Error> {
    let number = BoxedUint::from_be_slice_vartime;
    rsa_key(
        number(key.n()),
        number(key.e()),
        number(key.d()),
        primes.map(number),
    )
    .map_err(|_| invalid("its generation did not give a key"))
    .and_then(|key| PrivateKey::new(Secret::Rsa(Box::new(key))))
}

fn generation(error: rsa_private::Error) -> Error {
    match error {
        rsa_private::Error::Cancelled => Error::Cancelled,
        rsa_private::Error::RandomnessUnavailable { .. } => Error::Randomness,
        rsa_private::Error::SeedTooShort {
            length, minimum, ..
        } => Error::SeedTooShort {
            found: length,
            limit: minimum,
        },
        other => Error::KeyGeneration {
            reason: other.to_string(),
        },
    }
}

fn curve_key(kind: KeyKind, rng: &mut impl TryCryptoRng) -> Result<PrivateKey, Error> {
    PrivateKey::new(match kind {
        KeyKind::EcP256 => Secret::EcP256(
            p256::ecdsa::SigningKey::try_generate_from_rng(rng).map_err(|_| Error::Randomness)?,
        ),
        KeyKind::EcP384 => Secret::EcP384(
            p384::ecdsa::SigningKey::try_generate_from_rng(rng).map_err(|_| Error::Randomness)?,
        ),
        KeyKind::EcP521 => Secret::EcP521(
            p521::ecdsa::SigningKey::try_generate_from_rng(rng).map_err(|_| Error::Randomness)?,
        ),
        _ => {
            let mut seed = Zeroizing::new([0; ed25519_dalek::SECRET_KEY_LENGTH]);
            rng.try_fill_bytes(seed.as_mut_slice())
                .map_err(|_| Error::Randomness)?;
            Secret::Ed25519(ed25519_dalek::SigningKey::from_bytes(&seed))
        }
    })
}
