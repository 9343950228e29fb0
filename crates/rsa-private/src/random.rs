//! Where random bits come from: the operating system, the caller, or a seed.

use hmac::{Hmac, KeyInit, Mac};
use rand_core::CryptoRng;
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

use crate::Error;

/// A source of prime candidates, and of random numbers for the checks.
pub(crate) trait Source: Send {
    /// Fills `bytes` with the next candidates, each `size` bytes long. The low and high bits are not set yet.
    fn candidates(&mut self, bytes: &mut [u8], size: usize) -> Result<(), Error>;

    /// Fills `bytes` for Miller-Rabin bases and the consistency test: random, without influence on the key.
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), Error>;
}

/// The operating system's generator, used directly: in an unoptimised build it is much faster than one in Rust.
pub(crate) struct System;

impl Source for System {
    fn candidates(&mut self, bytes: &mut [u8], _: usize) -> Result<(), Error> {
        self.fill(bytes)
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        getrandom::fill(bytes).map_err(|error| Error::RandomnessUnavailable {
            reason: error.to_string(),
        })
    }
}

/// The caller's generator.
pub(crate) struct Rng<'a, R>(pub(crate) &'a mut R);

impl<R: CryptoRng + Send> Source for Rng<'_, R> {
    fn candidates(&mut self, bytes: &mut [u8], _: usize) -> Result<(), Error> {
        self.fill(bytes)
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        self.0.fill_bytes(bytes);
        Ok(())
    }
}

/// HMAC_DRBG with SHA-256 (NIST SP 800-90A Rev. 1, 10.1.2), instantiated as C2SP det-keygen says.
pub(crate) struct Seeded {
    key: [u8; 32],
    value: [u8; 32],
    first: bool,
}

impl Seeded {
    pub(crate) fn new(seed: &[u8], bits: u16) -> Self {
        let mut drbg = Self {
            key: [0; 32],
            value: [1; 32],
            first: true,
        };
        for round in [0, 1] {
            drbg.key = drbg.hmac(&[
                &drbg.value,
                &[round],
                seed,
                b"det RSA key gen",
                &bits.to_be_bytes(),
            ]);
            drbg.value = drbg.hmac(&[&drbg.value]);
        }
        drbg
    }

    fn hmac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = self.keyed();
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    fn keyed(&self) -> Hmac<Sha256> {
        // A key shorter than a block is padded with zeros.
        let mut block = Zeroizing::new([0; 64]);
        for (padded, byte) in block.iter_mut().zip(self.key) {
            *padded = byte;
        }
        Hmac::new((&*block).into())
    }
}

impl Source for Seeded {
    fn candidates(&mut self, bytes: &mut [u8], size: usize) -> Result<(), Error> {
        for candidate in bytes.chunks_mut(size) {
            if !self.first {
                self.key = self.hmac(&[&self.value, &[0]]);
                self.value = self.hmac(&[&self.value]);
            }
            self.first = false;
            let keyed = self.keyed();
            for chunk in candidate.chunks_mut(self.value.len()) {
                let mut mac = keyed.clone();
                mac.update(&self.value);
                self.value = mac.finalize().into_bytes().into();
                chunk.copy_from_slice(self.value.get(..chunk.len()).unwrap_or_default());
            }
        }
        Ok(())
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        System.fill(bytes)
    }
}

impl Drop for Seeded {
    fn drop(&mut self) {
        self.key.zeroize();
        self.value.zeroize();
    }
}
