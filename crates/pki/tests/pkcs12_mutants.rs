//! Damaged files cost an error at most: thousands of mutants of small files, the same ones in every run.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // tests

use pki::{KdfBudget, Passphrase, Pkcs12, PrivateKey};

macro_rules! data {
    ($name:literal) => {
        include_bytes!(concat!("data/", $name)).as_slice()
    };
}

/// xorshift64*: no more is needed for variety.
struct Mutator(u64);

impl Mutator {
    fn next(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(number).unwrap() % bound.max(1)
    }

    fn mutant(&mut self, original: &[u8]) -> Vec<u8> {
        let mut mutant = original.to_vec();
        for _ in 0..=self.next(3) {
            let at = self.next(mutant.len());
            match self.next(8) {
                0 | 1 => mutant[at] ^= 1 << self.next(8),
                2 => mutant[at] = [0x00, 0x01, 0x30, 0x7f, 0x80, 0x81, 0x84, 0xff][self.next(8)],
                3 => mutant[at] = mutant[at].wrapping_add(1),
                4 => mutant[at] = mutant[at].wrapping_sub(1),
                5 => {
                    let end = (at + self.next(40)).min(mutant.len());
                    mutant.drain(at..end);
                }
                6 => {
                    let end = (at + self.next(40)).min(mutant.len());
                    let copy = mutant[at..end].to_vec();
                    let to = self.next(mutant.len());
                    mutant.splice(to..to, copy);
                }
                _ => mutant.truncate(at.max(1)),
            }
            if mutant.is_empty() {
                mutant.push(0x30);
            }
        }
        mutant
    }
}

/// Enough for the originals; a mutant that asks for more is refused.
fn budget() -> KdfBudget {
    let mut budget = KdfBudget::default();
    budget.max_iterations = 3_000;
    budget.max_blocks = 10_000;
    budget.max_scrypt_memory = 2 << 20;
    budget.max_scrypt_work = 1 << 14;
    budget
}

#[test]
fn mutants_of_bundles_give_a_result_or_an_error() {
    let mut opened = 0;
    let mut refused = 0;
    for (seed, original) in [
        data!("pkcs12/openssl-plain-nomac.p12"),
        data!("pkcs12/openssl-nomac-iter1.p12"),
        data!("pkcs12/openssl-macsha512-iter1.p12"),
        data!("pkcs12/nss.p12"),
    ]
    .into_iter()
    .enumerate()
    {
        let mut mutator = Mutator(0x9e37_79b9 + seed as u64);
        for _ in 0..1_000 {
            let mutant = mutator.mutant(original);
            match Pkcs12::open_within(&mutant, &Passphrase::from("correct"), budget()) {
                Ok(bundle) => {
                    opened += 1;
                    let _ = (bundle.chain(), format!("{bundle:?}"));
                }
                Err(error) => {
                    refused += 1;
                    assert!(!error.to_string().is_empty());
                }
            }
        }
    }
    // Both ends of the readers are reached.
    assert!(opened > 50, "{opened}");
    assert!(refused > 2_000, "{refused}");
}

#[test]
fn mutants_of_keys_give_a_result_or_an_error() {
    let mut opened = 0;
    let mut refused = 0;
    for (seed, original) in [
        data!("keys/rsa2048-pkcs1.pem"),
        data!("keys/ec-params-sec1.pem"),
        data!("keys/p384.pem"),
        data!("keys/ed25519.pem"),
        data!("keys/p256-pbes2-scrypt.pem"),
        data!("keys/p256-pbes2-3des.pem"),
        data!("keys/p256-traditional-aes-128-cbc.pem"),
    ]
    .into_iter()
    .enumerate()
    {
        let passphrase = Passphrase::from("correct");
        let mut mutator = Mutator(0x7f4a_7c15 + seed as u64);
        let read = PrivateKey::from_pem(original, &passphrase).unwrap();
        let der = read.to_pkcs8_der().unwrap();
        for number in 0..800 {
            let mutant = mutator.mutant(if number % 2 == 0 { original } else { &der });
            match PrivateKey::from_pem_or_der_within(&mutant, &passphrase, budget()) {
                Ok(key) => {
                    opened += 1;
                    // Whatever was taken for a key can be written.
                    key.to_pkcs8_der().unwrap();
                }
                Err(_) => refused += 1,
            }
        }
    }
    assert!(opened > 50, "{opened}");
    assert!(refused > 2_000, "{refused}");
}
