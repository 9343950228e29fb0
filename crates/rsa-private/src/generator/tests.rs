//! Whole keys: the conditions of FIPS 186-5, hostile candidates, and the distribution of the primes.

use std::sync::atomic::AtomicU64;

use kernels::nat;
use num_bigint::BigUint;

use super::*;

/// Candidates from a list, then from a generator that gives the same numbers every time.
struct Listed {
    candidates: Vec<Vec<u8>>,
    random: fastrand::Rng,
}

impl Listed {
    fn new(candidates: &[&[u8]], seed: u64) -> Self {
        Self {
            candidates: candidates
                .iter()
                .rev()
                .map(|candidate| candidate.to_vec())
                .collect(),
            random: fastrand::Rng::with_seed(seed),
        }
    }
}

impl Source for Listed {
    fn candidates(&mut self, bytes: &mut [u8], size: usize) -> Result<(), Error> {
        for chunk in bytes.chunks_mut(size) {
            match self.candidates.pop() {
                Some(candidate) => chunk.copy_from_slice(&candidate),
                None => self.random.fill(chunk),
            }
        }
        Ok(())
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        self.random.fill(bytes);
        Ok(())
    }
}

/// The same byte over and over.
struct Stuck(u8);

impl Source for Stuck {
    fn candidates(&mut self, bytes: &mut [u8], _: usize) -> Result<(), Error> {
        self.fill(bytes)
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        bytes.fill(self.0);
        Ok(())
    }
}

fn number(bytes: &[u8]) -> BigUint {
    BigUint::from_bytes_be(bytes)
}

fn gcd(a: &BigUint, b: &BigUint) -> BigUint {
    if *b == BigUint::default() {
        a.clone()
    } else {
        gcd(b, &(a % b))
    }
}

fn assert_consistent(key: &RsaKey) {
    let one = BigUint::from(1u8);
    let [n, e, d, p, q] = [key.n(), key.e(), key.d(), key.p(), key.q()].map(number);
    assert_eq!(n, &p * &q);
    assert_eq!(n.bits() as usize, key.bits());
    assert_eq!(key.n().len(), key.bits() / 8);
    assert_eq!(e, BigUint::from(65537u32));
    let (p1, q1) = (&p - 1u8, &q - 1u8);
    let lambda = &p1 * &q1 / gcd(&p1, &q1);
    assert!(d < lambda && d.bits() as usize > key.bits() / 2);
    assert_eq!(&e * &d % &lambda, one);
    assert_eq!(number(key.dp()), &d % &p1);
    assert_eq!(number(key.dq()), &d % &q1);
    assert_eq!(number(key.qinv()) * &q % &p, one);
    for prime in [&p, &q] {
        assert_eq!(prime.bits() as usize, key.bits() / 2);
        for base in [2u8, 3, 5, 7, 11] {
            assert_eq!(BigUint::from(base).modpow(&(prime - 1u8), prime), one);
        }
    }
}

#[test]
fn keys_satisfy_fips_186_5() {
    for kernel in Kernel::available() {
        assert_consistent(&Generator::new(2048).kernel(kernel).generate().unwrap());
    }
    // A size in which primes don't fill their limbs, and the arithmetic has to pad.
    let mut source = System;
    assert_consistent(
        &Generator::new(2064)
            .generate_unchecked(&mut source)
            .unwrap(),
    );
}

#[test]
fn larger_keys_satisfy_fips_186_5() {
    // The slow kernels do these in the ignored tests.
    if Kernel::available().next() == Some(Kernel::Ifma) {
        assert_consistent(&Generator::new(3072).generate().unwrap());
        assert_consistent(&Generator::new(4096).generate().unwrap());
    }
}

#[test]
fn a_seed_gives_the_same_key_with_every_kernel_and_any_number_of_threads() {
    let seed = b"a seed of at least sixteen bytes";
    let expected = Generator::new(2048)
        .threads(1)
        .generate_from_seed(seed)
        .unwrap();
    for kernel in Kernel::available() {
        for threads in [2, 3] {
            let key = Generator::new(2048)
                .kernel(kernel)
                .threads(threads)
                .generate_from_seed(seed)
                .unwrap();
            assert!(
                key.n() == expected.n() && key.p() == expected.p(),
                "{kernel}, {threads} threads"
            );
        }
    }
}

#[test]
fn strong_pseudoprimes_are_refused() {
    // Carmichael numbers with three prime factors (Arnault's construction) that are 7 modulo 8 and free of small factors. They pass the Miller-Rabin test to base 2,
    // and to a quarter of all bases, which is as many as a composite can.
    let pseudoprimes: [(usize, &str); 2] = [
        (2048, include_str!("pseudoprime-1024.txt")),
        (3072, include_str!("pseudoprime-1536.txt")),
    ];
    let never = AtomicBool::new(false);
    let stop = Stop {
        done: &never,
        cancelled: None,
    };
    for (bits, hex) in pseudoprimes {
        let pseudoprime = BigUint::parse_bytes(hex.trim().as_bytes(), 16)
            .unwrap()
            .to_bytes_be();
        let key = Generator::new(bits)
            .generate_from_seed(b"two primes for this test")
            .unwrap();
        for kernel in Kernel::available() {
            // It does pass the first test, so it is the rounds with random bases that refuse it.
            let number = nat::from_bytes(&pseudoprime, bits / 128);
            let passed = modular::base_two(kernel, &[&number], bits / 2, &stop);
            assert_eq!(passed, Some(1));
            assert!(!modular::has_small_factor(kernel, &number));
            for list in [
                [&pseudoprime, key.p(), key.q()],
                [key.p(), &pseudoprime, key.q()],
            ] {
                let mut source = Listed::new(&list, 5);
                let made = Generator::new(bits)
                    .kernel(kernel)
                    .threads(1)
                    .generate_unchecked(&mut source)
                    .unwrap();
                assert!(made.p() == key.p() && made.q() == key.q(), "{kernel}");
            }
            if bits == 2048 {
                let both = [&pseudoprime[..], &pseudoprime, key.p(), key.q()];
                // Twice the same number is an error before it is a question of primality.
                let error = Generator::new(bits)
                    .kernel(kernel)
                    .generate_unchecked(&mut Listed::new(&both, 5))
                    .unwrap_err();
                assert_eq!(
                    error,
                    Error::Inconsistent {
                        check: "|p - q| is greater than 2^(bits/2 - 100)"
                    }
                );
            }
        }
    }
}

#[test]
fn primes_that_are_close_are_refused() {
    let key = Generator::new(2048)
        .generate_from_seed(b"two primes for this test")
        .unwrap();
    let mut source = Listed::new(&[key.p(), key.p()], 6);
    let error = Generator::new(2048)
        .generate_unchecked(&mut source)
        .unwrap_err();
    assert_eq!(
        error,
        Error::Inconsistent {
            check: "|p - q| is greater than 2^(bits/2 - 100)"
        }
    );
}

#[test]
fn a_stuck_source_is_noticed() {
    // 2^1024 - 1 is a multiple of three.
    let error = Generator::new(2048)
        .generate_unchecked(&mut Stuck(0xff))
        .unwrap_err();
    assert!(
        matches!(error, Error::NoPrimeFound { candidates } if candidates >= 20 * 2048),
        "{error}"
    );
}

#[test]
fn unsupported_sizes_are_refused() {
    for bits in [
        0,
        512,
        1024,
        2032,
        2040,
        2049,
        2064,
        2560,
        3584,
        6144,
        7680,
        8176,
        8208,
        16384,
        usize::MAX,
    ] {
        assert_eq!(
            Generator::new(bits).generate().unwrap_err(),
            Error::UnsupportedSize { bits }
        );
        assert_eq!(
            Generator::new(bits)
                .generate_from_seed(&[0; 16])
                .unwrap_err(),
            Error::UnsupportedSize { bits }
        );
    }
}

#[test]
fn a_short_seed_is_refused() {
    let error = crate::generate_from_seed(2048, &[0; 15]).unwrap_err();
    assert_eq!(
        error,
        Error::SeedTooShort {
            length: 15,
            minimum: 16
        }
    );
}

#[test]
fn a_caller_can_watch_and_cancel() {
    let flag = Arc::new(AtomicBool::new(true));
    let error = Generator::new(8192)
        .cancellation(flag)
        .generate()
        .unwrap_err();
    assert_eq!(error, Error::Cancelled);

    // Cancelled from the progress report, after the first batch.
    let flag = Arc::new(AtomicBool::new(false));
    let reports = Arc::new(AtomicU64::new(0));
    let (setter, counter) = (flag.clone(), reports.clone());
    let error = Generator::new(8192)
        .progress(move |progress| {
            assert!(progress.candidates > 0 && progress.expected == 2838);
            counter.fetch_add(1, Ordering::Relaxed);
            setter.store(true, Ordering::Relaxed);
        })
        .cancellation(flag)
        .threads(1)
        .generate()
        .unwrap_err();
    assert_eq!(error, Error::Cancelled);
    assert_eq!(reports.load(Ordering::Relaxed), 1);
}

#[test]
fn debug_shows_no_secret() {
    let key = Generator::new(2048).generate().unwrap();
    assert_eq!(
        format!("{key:?}"),
        "RsaKey { bits: 2048, secret: \"[elided]\" }"
    );
    let generator = Generator::new(2048).kernel(Kernel::Portable).threads(2);
    assert_eq!(
        format!("{generator:?}"),
        "Generator { bits: 2048, kernel: Some(Portable), threads: Some(2), .. }"
    );
}

#[test]
fn trials_that_are_cancelled_have_no_results() {
    let (modulus, mut number) = ([u64::MAX; 16], [0; 16]);
    number[0] = 3;
    let job = Power {
        base: &number,
        exponent: &number,
        modulus: &modulus,
    };
    let cancelled = AtomicBool::new(true);
    let options = |cancelled| Options {
        kernel: Kernel::Portable,
        threads: 2,
        cancelled,
        progress: None,
    };
    let error = run(&[job], 1024, &options(Some(&cancelled))).unwrap_err();
    assert_eq!(error, Error::Cancelled);
    assert_eq!(run(&[job], 1024, &options(None)).unwrap().len(), 1);
}

/// A few thousand keys with primes of 128 bits. Bounds are six standard deviations, which a fair generator exceeds once in 10^8 runs.
#[test]
fn primes_are_spread_evenly() {
    const KEYS: usize = 1500;
    let mut primes = Vec::with_capacity(2 * KEYS);
    let mut source = Listed::new(&[], 7);
    for _ in 0..KEYS {
        let key = Generator::new(256)
            .threads(1)
            .generate_unchecked(&mut source)
            .unwrap();
        primes.extend([key.p(), key.q()].map(number));
    }
    let count = |condition: &dyn Fn(&BigUint) -> bool| {
        primes.iter().filter(|prime| condition(prime)).count() as f64
    };
    let n = primes.len() as f64;
    let assert_share = |share: f64, counted: f64, what: &str| {
        let deviation = (counted - n * share) / (n * share * (1.0 - share)).sqrt();
        assert!(
            deviation.abs() < 6.0,
            "{what}: {counted} of {n}, {deviation:.1} standard deviations from {share}"
        );
    };
    for bit in [0, 1, 2, 126, 127] {
        assert_eq!(count(&|prime| prime.bit(bit)), n, "bit {bit} is set");
    }
    for bit in [
        3, 4, 5, 10, 31, 52, 63, 64, 65, 100, 104, 120, 123, 124, 125,
    ] {
        assert_share(0.5, count(&|prime| prime.bit(bit)), &format!("bit {bit}"));
    }
    for modulus in [3u32, 5, 7, 11, 13, 17] {
        for residue in 1..modulus {
            assert_share(
                1.0 / f64::from(modulus - 1),
                count(&|prime| prime % modulus == BigUint::from(residue)),
                &format!("{residue} modulo {modulus}"),
            );
        }
    }
    // No prime comes twice, and neither position is favoured.
    let distinct: std::collections::BTreeSet<_> = primes.iter().collect();
    assert_eq!(distinct.len(), primes.len());
    let first_is_greater = primes.chunks(2).filter(|pair| pair[0] > pair[1]).count() as f64;
    assert!((first_is_greater - n / 4.0).abs() < 6.0 * (n / 8.0).sqrt());
}
