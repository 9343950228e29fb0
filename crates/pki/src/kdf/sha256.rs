//! Derivations with SHA-256: as chains of hashes, which run side by side.

use kernels::sha256::{Chain, Hmac, Kernel, run};
use zeroize::Zeroizing;

use super::{Derivation, Function, Key, Pkcs12Input};

/// The chains that don't depend on each other.
pub(super) fn start(kernel: Kernel, derivation: &Derivation<'_>) -> Vec<Chain> {
    match derivation.function {
        Function::Pbkdf2 => {
            // RFC 8018, section 5.2, step 3: each block has a chain of its own.
            let hmac = Hmac::new(kernel, derivation.password);
            let blocks = derivation.key_len.div_ceil(DIGEST_LEN);
            let chain = |number: u32| {
                let message = [derivation.salt, &number.to_be_bytes()];
                Chain::of_hmac(&hmac, &message, derivation.iterations)
            };
            (1..).take(blocks).map(chain).collect()
        }
        Function::Pkcs12(purpose) => {
            let input = Pkcs12Input::new(derivation, purpose);
            vec![input.chain(kernel, derivation.iterations)]
        }
    }
}

/// The key, once these chains have run.
pub(super) fn finish(kernel: Kernel, derivation: &Derivation<'_>, chains: &[Chain]) -> Key {
    let key_len = derivation.key_len;
    let mut key = Zeroizing::new(Vec::with_capacity(key_len.next_multiple_of(DIGEST_LEN)));
    match derivation.function {
        Function::Pbkdf2 => {
            for chain in chains {
                key.extend_from_slice(chain.sum().to_bytes().as_slice());
            }
        }
        Function::Pkcs12(purpose) => {
            for chain in chains {
                key.extend_from_slice(chain.last().to_bytes().as_slice());
            }
            // Each further block depends on the one before.
            let mut input = Pkcs12Input::new(derivation, purpose);
            while key.len() < key_len {
                if let Some(block) = key.last_chunk::<DIGEST_LEN>() {
                    input.advance(block);
                }
                let mut chain = input.chain(kernel, derivation.iterations);
                run(kernel, [&mut chain]);
                key.extend_from_slice(chain.last().to_bytes().as_slice());
            }
        }
    }
    key.truncate(key_len);
    key
}

impl Pkcs12Input {
    fn chain(&self, kernel: Kernel, iterations: u32) -> Chain {
        Chain::of_digest(kernel, &[&self.diversifier, &self.i], iterations)
    }
}

const DIGEST_LEN: usize = 32;
