//! The gate for constant time: Valgrind follows secrets through the code that handles private keys, and reports each branch and each address that
//! depends on one.
//!
//! Memcheck knows which octets of memory are undefined and what is computed from them, and reports where a program's course depends on such
//! a thing. So secrets are declared undefined. `cargo xtask constant-time` builds this test program as a release and runs what is ignored here; it
//! also compares the assembly that Valgrind can't run with a list.

#![allow(clippy::print_stdout, reason = "`cargo xtask constant-time` reads it")]

use num_bigint::BigUint;
use sha2::{Digest, Sha256};

use crate::random::{Seeded, Source};
use crate::{Error, Generator, Hash, Kernel, Numbers, RsaKey, Scheme, SigningKey};
use kernels::gate::{Report, valgrind, with_forced};

/// Valgrind takes minutes for the largest keys with all kernels; their code is the same.
const CHECKED: [(Kernel, usize); 8] = [
    (Kernel::Ifma, 2048),
    (Kernel::Ifma, 3072),
    (Kernel::Mulx, 2048),
    (Kernel::Mulx, 3072),
    (Kernel::Mulx, 4096),
    (Kernel::Portable, 2048),
    (Kernel::Portable, 3072),
    (Kernel::Portable, 4096),
];

#[test]
#[ignore = "needs Valgrind: run by `cargo xtask constant-time`"]
fn no_branch_and_no_address_depends_on_a_secret_in_an_environment_of_its_own() {
    assert!(valgrind::is_running());
    for (kernel, bits) in CHECKED {
        let report = key_from_secret_primes(kernel, bits);
        assert_ran(kernel, &report);
        println!("constant time: {kernel}, {bits} bits");
        for reason in report.reasons {
            println!("declassified: {reason}");
        }
    }
    candidates_from_a_secret_seed();
    println!("constant time: seed");
    assert_eq!(valgrind::errors(), 0);
}

#[test]
#[ignore = "needs Valgrind: run by `cargo xtask constant-time`"]
fn a_leak_is_reported_in_an_environment_of_its_own() {
    assert!(valgrind::is_running());
    let mut secret = core::hint::black_box(5u64);
    valgrind::make_undefined(&mut secret);
    for (what, leak) in [
        ("a branch", branch as fn(u64) -> u64),
        ("an address", address),
    ] {
        let before = valgrind::errors();
        let mut result = leak(secret);
        valgrind::make_defined(&mut result);
        assert!(valgrind::errors() > before, "{what}");
        println!("a leak was reported: {what}, {result}");
    }
}

/// As Valgrind sees it, but without it: the emulation and the forced kernels make the right keys, or the gate would look at something else.
#[test]
fn forced_kernels_make_the_key_that_belongs_to_the_primes() {
    for kernel in Kernel::ALL {
        if kernel != Kernel::Portable && !Kernel::Mulx.is_available() {
            continue; // nothing stands in for `mulx`, which verifies the signature of the emulated kernel too
        }
        assert_ran(kernel, &key_from_secret_primes(kernel, 2048));
    }
    candidates_from_a_secret_seed();
}

/// All that happens to two primes until they are a key, and to that key when it signs, and who did it.
fn key_from_secret_primes(kernel: Kernel, bits: usize) -> Report {
    let primes = primes(bits);
    let mut source = Secret {
        candidates: primes.iter().map(BigUint::to_bytes_be).collect(),
        next: 0,
        random: fastrand::Rng::with_seed(1),
    };
    let generator = Generator::new(bits).kernel(kernel).threads(1);
    let (key, report) = with_forced(kernel, || generator.generate_unchecked(&mut source));
    let key = key.unwrap();
    assert_key(&key, &primes);
    assert_ran(kernel, &report);

    let n = public(key.n()).to_bytes_be();
    let numbers = Numbers {
        n: &n,
        ..Numbers::from(&key)
    };
    let scheme = Scheme::Pkcs1v15(Hash::Sha256);
    let (signature, report) = with_forced(kernel, || {
        let signer = SigningKey::new(&numbers).unwrap().kernel(kernel).unwrap();
        let signer = signer.threads(1);
        signer.sign(scheme, b"message").unwrap()
    });
    let opened = public(&signature).modpow(&BigUint::from(65537u32), &public(&n));
    let mut expected = [0; 32];
    expected.copy_from_slice(&Sha256::digest(b"message"));
    assert!(opened.to_bytes_be().ends_with(&expected));
    report
}

fn public(secret: &[u8]) -> BigUint {
    let mut copy = secret.to_vec();
    valgrind::make_defined(&mut copy[..]);
    BigUint::from_bytes_be(&copy)
}

fn candidates_from_a_secret_seed() {
    let mut seed = *b"a seed of at least sixteen bytes";
    let mut public = vec![0; 4 * 128];
    Seeded::new(&seed, 2048)
        .candidates(&mut public, 128)
        .unwrap();
    valgrind::make_undefined(&mut seed);
    let mut candidates = vec![0; 4 * 128];
    Seeded::new(&seed, 2048)
        .candidates(&mut candidates, 128)
        .unwrap();
    valgrind::make_defined(&mut candidates[..]);
    assert_eq!(candidates, public);
}

/// The kernel that was asked for did the work. What is done once per key or signature, verifying it for one, is up to the fastest one for a single
/// number.
fn assert_ran(kernel: Kernel, report: &Report) {
    let [ifma, mulx, portable] = report.ran;
    let expected = match kernel {
        Kernel::Ifma => ifma > 500 && (1..200).contains(&mulx) && portable == 0,
        Kernel::Mulx => ifma == 0 && mulx > 500 && portable == 0,
        Kernel::Portable => ifma == 0 && mulx == 0 && portable > 500,
        _ => false,
    };
    assert!(expected, "{kernel}: {report:?}");
}

fn assert_key(key: &RsaKey, [p, q]: &[BigUint; 2]) {
    let one = BigUint::from(1u8);
    assert_eq!([&public(key.p()), &public(key.q())], [p, q]);
    assert_eq!(public(key.n()), p * q);
    let (d, dp, dq) = (public(key.d()), public(key.dp()), public(key.dq()));
    for (prime, exponent) in [(p, dp), (q, dq)] {
        assert_eq!(&exponent * 65537u32 % (prime - 1u8), one);
        assert_eq!(&d % (prime - 1u8), exponent);
    }
    assert_eq!(public(key.qinv()) * q % p, one);
}

/// Two primes of half as many bits: those of det-keygen's key for the seed in the file's first line.
fn primes(bits: usize) -> [BigUint; 2] {
    let mut primes = include_str!("constant_time/primes.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| BigUint::parse_bytes(line.as_bytes(), 16).unwrap())
        .filter(|prime| prime.bits() as usize == bits / 2);
    [primes.next().unwrap(), primes.next().unwrap()]
}

/// Two primes in turn, and random numbers, all of them secret.
struct Secret {
    candidates: Vec<Vec<u8>>,
    next: usize,
    random: fastrand::Rng,
}

impl Source for Secret {
    fn candidates(&mut self, bytes: &mut [u8], size: usize) -> Result<(), Error> {
        for chunk in bytes.chunks_mut(size) {
            chunk.copy_from_slice(&self.candidates[self.next % self.candidates.len()]);
            self.next += 1;
        }
        valgrind::make_undefined(bytes);
        Ok(())
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        self.random.fill(bytes);
        valgrind::make_undefined(bytes);
        Ok(())
    }
}

/// What the gate is there to find.
#[inline(never)]
fn branch(secret: u64) -> u64 {
    if secret & 4 == 0 {
        return core::hint::black_box(1);
    }
    core::hint::black_box(2);
    secret
}

/// What the gate is there to find.
#[inline(never)]
fn address(secret: u64) -> u64 {
    let table = core::hint::black_box([3u64; 8]);
    table[(secret & 7) as usize]
}
