//! Damaged and hostile files cost an error at most, and no more work than the budget allows.
//!
//! Mutants of small files are made from the structure as well as from the octets, the same ones in every run.
//! `COUNTERSIGN_MUTANTS` says how many there are in all (default: 12,000); a million takes a release build some minutes:
//!
//! ```text
//! COUNTERSIGN_MUTANTS=1000000 cargo test --release -p countersign-pki --test mutants -- --nocapture
//! ```
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)] // tests

mod mutator;

use std::{
    env, fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use mutator::Mutator;
use pki::{Budget, Error, OpenOptions, Passphrase, Pkcs12, PrivateKey, TrustStore};

macro_rules! data {
    ($name:literal) => {
        include_bytes!(concat!("../data/", $name)).as_slice()
    };
}

/// Enough for the originals; a mutant that asks for more is refused.
fn budget() -> Budget {
    let mut budget = Budget::default();
    budget.max_iterations = 3_000;
    budget.max_blocks = 10_000;
    budget.max_scrypt_memory = 17 << 20;
    budget.max_scrypt_work = 1 << 17;
    budget
}

fn correct() -> Passphrase {
    Passphrase::from("correct")
}

/// How many mutants each of this many originals gets, when `share` of six sixths go to one test.
fn count(share: usize, originals: usize) -> usize {
    let all = env::var("COUNTERSIGN_MUTANTS").map_or(12_000, |count| count.parse().unwrap());
    all * share / 6 / originals
}

/// What became of the mutants.
#[derive(Debug, Default)]
struct Tally {
    opened: usize,
    refused: usize,
    beyond_budget: usize,
    slowest: Duration,
}

impl Tally {
    fn add<T>(&mut self, read: impl FnOnce() -> Result<T, Error>) -> Option<T> {
        let start = Instant::now();
        let result = read();
        self.slowest = self.slowest.max(start.elapsed());
        match result {
            Ok(read) => {
                self.opened += 1;
                Some(read)
            }
            Err(error) => {
                assert!(!error.to_string().is_empty());
                match error {
                    Error::BudgetExceeded { .. } => self.beyond_budget += 1,
                    _ => self.refused += 1,
                }
                None
            }
        }
    }

    /// All three outcomes are reached, so that the mutants are neither harmless nor hopeless.
    fn check(&self, what: &str) {
        println!("{what}: {self:?}");
        let all = self.opened + self.refused + self.beyond_budget;
        assert!(self.opened > all / 100, "{self:?}");
        assert!(self.refused > all / 4, "{self:?}");
        assert!(self.beyond_budget > 0, "{self:?}");
    }
}

#[test]
fn mutants_of_bundles_give_a_result_or_an_error() {
    let originals = [
        data!("pkcs12/openssl-plain-nomac.p12"),
        data!("pkcs12/openssl-nomac-iter1.p12"),
        data!("pkcs12/openssl-macsha512-iter1.p12"),
        data!("pkcs12/openssl-legacy.p12"),
        data!("pkcs12/nss.p12"),
    ];
    let mut tally = Tally::default();
    for (seed, original) in originals.into_iter().enumerate() {
        let mut mutator = Mutator::new(seed as u64, original);
        for _ in 0..count(2, originals.len()) {
            let mutant = mutator.mutant();
            let bundle = tally.add(|| Pkcs12::open_within(&mutant, &correct(), budget()));
            if let Some(bundle) = bundle {
                let _ = (bundle.chain(), format!("{bundle:?}"));
            }
        }
    }
    tally.check("bundles");
}

#[test]
fn mutants_of_keys_give_a_result_or_an_error() {
    let originals = [
        data!("keys/rsa2048-pkcs1.pem"),
        data!("keys/ec-params-sec1.pem"),
        data!("keys/p384.pem"),
        data!("keys/ed25519.pem"),
        data!("keys/p256-pbes2-scrypt.pem"),
        data!("keys/p256-pbes2-3des.pem"),
        data!("keys/p256-pbes1-md5-des.pem"),
        data!("keys/p256-traditional-aes-128-cbc.pem"),
    ];
    let mut tally = Tally::default();
    for (seed, original) in originals.into_iter().enumerate() {
        let read = PrivateKey::from_pem(original, &correct()).unwrap();
        let mut mutators = [
            Mutator::new(seed as u64, original),
            Mutator::new(seed as u64, &read.to_pkcs8_der().unwrap()),
            // What is in the PEM block, encrypted or not.
            Mutator::new(seed as u64, &mutator::pem_body(original)),
        ];
        for number in 0..count(1, originals.len()) {
            let mutant = mutators[number % 3].mutant();
            let read = || PrivateKey::from_pem_or_der_within(&mutant, &correct(), budget());
            if let Some(key) = tally.add(read) {
                // Whatever was taken for a key can be written.
                key.to_pkcs8_der().unwrap();
            }
        }
    }
    tally.check("keys");
}

#[test]
fn mutants_of_trust_stores_give_a_result_or_an_error() {
    let originals = [
        data!("trust/keytool-trust.jks"),
        data!("trust/keytool-key.jks"),
        data!("trust/keytool-plain.p12"),
    ];
    let mut tally = Tally::default();
    for (seed, original) in originals.into_iter().enumerate() {
        let mut mutator = Mutator::new(seed as u64, original);
        for number in 0..count(1, originals.len()) {
            let mutant = mutator.mutant();
            let correct = correct();
            // Without a passphrase, the digest doesn't keep a mutant from the parser.
            let passphrase = (number % 4 == 0).then_some(&correct);
            tally.add(|| TrustStore::read_within(&mutant, passphrase, budget()));
        }
    }
    tally.check("trust stores");
}

/// Every file in `data`, whatever it is.
#[test]
fn mutants_of_files_give_contents_or_an_error() {
    let mut originals = Vec::new();
    files(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data"),
        &mut originals,
    );
    originals.sort();
    assert!(originals.len() > 100, "{originals:?}");
    let correct = correct();
    let mut tally = Tally::default();
    for (seed, path) in originals.iter().enumerate() {
        let original = fs::read(path).unwrap();
        let mut mutators = vec![Mutator::new(seed as u64, &original)];
        if original.starts_with(b"-----BEGIN ") {
            let body = mutator::pem_body(&original);
            mutators.push(Mutator::new(seed as u64, &body));
        }
        for number in 0..count(2, originals.len()) {
            let at = number % mutators.len();
            let mutant = mutators[at].mutant();
            let options = OpenOptions::new().budget(budget());
            // Without the passphrase of the file, its integrity doesn't keep a mutant from the parser.
            let options = match number % 8 {
                0 | 1 => options.passphrase(&correct),
                2 | 3 => options.key_passphrase(&correct),
                _ => options,
            };
            if let Some(contents) = tally.add(|| options.open(&mutant)) {
                let _ = (format!("{contents:?}"), contents.into_identity());
            }
        }
    }
    tally.check("files");
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_none_or(|extension| extension != "md") {
            found.push(path);
        }
    }
}
