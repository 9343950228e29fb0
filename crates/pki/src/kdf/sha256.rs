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

#[cfg(test)]
mod tests {
    use std::{
        io::Write,
        process::{Command, Stdio},
    };

    use pbkdf2::pbkdf2_hmac;
    use sha2::Sha256;

    use super::*;
    use crate::kdf::{Hash, Purpose, derive_with, pkcs12};

    /// What a derivation is made of, at random.
    struct Case {
        function: Function,
        password: Vec<u8>,
        salt: Vec<u8>,
        iterations: u32,
        key_len: usize,
    }

    impl Case {
        fn random() -> Self {
            let octets = |limit| -> Vec<u8> {
                let len = fastrand::usize(0..=limit);
                (0..len).map(|_| fastrand::u8(..)).collect()
            };
            let pkcs12 = [Purpose::Key, Purpose::Iv, Purpose::Mac].map(Function::Pkcs12);
            Self {
                function: fastrand::choice(pkcs12)
                    .filter(|_| fastrand::bool())
                    .unwrap_or(Function::Pbkdf2),
                password: octets(200),
                salt: octets(200),
                iterations: match fastrand::u8(0..20) {
                    0 => fastrand::u32(1000..3000),
                    _ => fastrand::u32(1..50),
                },
                key_len: fastrand::usize(1..=100),
            }
        }

        fn derivation(&self) -> Derivation<'_> {
            Derivation {
                function: self.function,
                hash: Hash::Sha256,
                password: &self.password,
                salt: &self.salt,
                iterations: self.iterations,
                key_len: self.key_len,
            }
        }

        /// With the hash and the derivation of other crates; where there is none, with the loop that other hashes go through.
        fn expected(&self) -> Vec<u8> {
            let mut key = vec![0; self.key_len];
            match self.function {
                Function::Pbkdf2 => {
                    pbkdf2_hmac::<Sha256>(&self.password, &self.salt, self.iterations, &mut key)
                }
                Function::Pkcs12(purpose) => {
                    pkcs12::<Sha256>(&self.derivation(), purpose, &mut key);
                }
            }
            key
        }
    }

    #[test]
    fn keys_are_the_same_alone_and_in_any_company() {
        for kernel in Kernel::available() {
            for _ in 0..1000 {
                let cases: Vec<_> = (0..fastrand::usize(1..=4))
                    .map(|_| Case::random())
                    .collect();
                let mut derivations = cases.iter().map(Case::derivation);
                let (key, keys) = derive_with(kernel, derivations.next().unwrap(), derivations);
                let keys: Vec<_> = [key].into_iter().chain(keys).collect();
                assert_eq!(keys.len(), cases.len());
                for (key, case) in keys.iter().zip(&cases) {
                    assert_eq!(**key, case.expected(), "{kernel:?}");
                }
            }
        }
    }
    /// Some thousands of random passwords, salts, counts and lengths.
    #[test]
    #[ignore = "asks OpenSSL, through python3"]
    fn openssl_derives_the_same_keys() {
        const PYTHON: &str = "\
import hashlib, sys
for line in sys.stdin:
    password, salt, iterations, key_len = line.rstrip('\\n').split(' ')
    octets = bytes.fromhex
    print(hashlib.pbkdf2_hmac('sha256', octets(password), octets(salt), int(iterations), int(key_len)).hex())";
        let cases: Vec<_> = std::iter::repeat_with(Case::random)
            .filter(|case| matches!(case.function, Function::Pbkdf2))
            .take(4000)
            .collect();
        let hex = base16ct::lower::encode_string;
        let lines = cases.iter().map(|case| {
            let Case {
                password,
                salt,
                iterations,
                key_len,
                ..
            } = case;
            format!("{} {} {iterations} {key_len}\n", hex(password), hex(salt))
        });
        let mut python = Command::new("python3")
            .args(["-c", PYTHON])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (mut stdin, lines) = (python.stdin.take().unwrap(), lines.collect::<String>());
        let output = std::thread::scope(|scope| {
            scope.spawn(move || stdin.write_all(lines.as_bytes()).unwrap());
            python.wait_with_output().unwrap()
        });
        let output = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.lines().count(), cases.len());
        for kernel in Kernel::available() {
            for (case, expected) in cases.iter().zip(output.lines()) {
                let (key, _) = derive_with(kernel, case.derivation(), []);
                assert_eq!(hex(&key), expected, "{kernel:?}");
            }
        }
    }
}
