//! Every kernel against an independent big-integer crate.

use core::sync::atomic::AtomicBool;

use num_bigint::BigUint;

use super::{Modulus, Power, Stop};
use crate::gate::with_forced;
use crate::test_support::{below, integer, limbs};
use crate::{Error, Kernel, nat};

static NEVER: AtomicBool = AtomicBool::new(false);

fn never() -> Stop<'static> {
    Stop {
        done: &NEVER,
        cancelled: None,
    }
}

/// Odd moduli of exactly `bits` bits: random ones, and shapes that carries trip over.
fn moduli(bits: usize, random: &mut fastrand::Rng) -> Vec<BigUint> {
    let one = BigUint::from(1u8);
    let top = &one << (bits - 1);
    let all = (&one << bits) - 1u8;
    let runs = |period: usize| {
        (0..bits)
            .filter(|i| (i / period).is_multiple_of(2))
            .fold(BigUint::default(), |sum, i| sum | &one << i)
            | &top
    };
    let mut moduli = vec![
        all.clone(),
        &all - 2u8,
        &top + 1u8,
        &top | (&top >> 1) | BigUint::from(7u8),
        // A top limb that is full, and a lowest limb that is its own negated inverse.
        (&all ^ (&one << (bits / 2))) | &one,
        &all - (&one << 63),
        runs(52),
        runs(64),
        runs(13),
    ];
    for _ in 0..7 {
        moduli.push(below(random, &all) | &top | &one);
    }
    moduli
}

#[test]
fn powers_agree_with_a_big_integer_crate() {
    let mut random = fastrand::Rng::with_seed(1);
    for bits in [128usize, 192, 1024, 1032, 1536, 2048, 4096] {
        let one = BigUint::from(1u8);
        let full = (&one << bits) - 1u8;
        let moduli = moduli(bits, &mut random);
        let cases: Vec<_> = moduli
            .iter()
            .enumerate()
            // The big-integer crate takes its time.
            .filter(|(i, _)| bits <= 2048 || i % 4 == 0)
            .map(|(i, n)| {
                let bases = [
                    BigUint::default(),
                    one.clone(),
                    n - 1u8,
                    full.clone(),
                    n - 2u8,
                    below(&mut random, &full),
                    below(&mut random, n),
                ];
                let exponents = [
                    n - 2u8,
                    full.clone(),
                    below(&mut random, &full),
                    BigUint::default(),
                    one.clone(),
                    n >> 1,
                ];
                (
                    bases[i % bases.len()].clone(),
                    exponents[i % exponents.len()].clone(),
                    n.clone(),
                )
            })
            .collect();
        let expected: Vec<_> = cases
            .iter()
            .map(|(base, exponent, n)| base.modpow(exponent, n))
            .collect();
        let length = bits.div_ceil(64);
        let cases: Vec<_> = cases
            .iter()
            .map(|(b, e, n)| (limbs(b, length), limbs(e, length), limbs(n, length)))
            .collect();
        let jobs: Vec<_> = cases
            .iter()
            .map(|(base, exponent, modulus)| Power {
                base,
                exponent,
                modulus,
            })
            .collect();
        for kernel in Kernel::available() {
            // Full batches, pairs, one job alone, and a batch that leaves lanes over.
            let sizes = [kernel.lanes(), 2, 1, 5].into_iter();
            for size in sizes.take(if kernel.lanes() == 1 { 1 } else { 4 }) {
                for (batch, expected) in jobs.chunks(size).zip(expected.chunks(size)) {
                    let powers = super::power(kernel, batch, bits, &never()).unwrap();
                    let powers: Vec<_> = powers.iter().map(|power| integer(power)).collect();
                    assert_eq!(powers, expected, "{kernel}, {bits} bits, {size}");
                }
            }
        }
    }
}

#[test]
fn products_and_public_powers_agree_with_a_big_integer_crate() {
    let mut random = fastrand::Rng::with_seed(2);
    for bits in [128usize, 1032, 2048, 2064] {
        let length = bits.div_ceil(64);
        for n in moduli(bits, &mut random) {
            for (a, b) in [
                (&n - 1u8, &n - 1u8),
                (below(&mut random, &n), below(&mut random, &n)),
                (BigUint::default(), &n - 1u8),
            ] {
                let (x, y, m) = (limbs(&a, length), limbs(&b, length), limbs(&n, length));
                let power = a.modpow(&BigUint::from(65537u32), &n);
                let check = || {
                    let modulus = Modulus::new(&m, bits);
                    assert_eq!(integer(&modulus.multiply(&x, &y)), &a * &b % &n);
                    assert_eq!(integer(&modulus.power_public(&x, 65537)), power);
                };
                check();
                with_forced(Kernel::Portable, check);
            }
        }
    }
}

#[test]
fn the_test_to_base_two_agrees_with_a_big_integer_crate() {
    let mut random = fastrand::Rng::with_seed(3);
    for bits in [128usize, 192, 256, 1024] {
        let one = BigUint::from(1u8);
        let two = BigUint::from(2u8);
        let mut candidates = moduli(bits, &mut random);
        // Numbers just below a power of two, among them the greatest primes of this length.
        candidates.extend(
            (0u32..if bits > 256 { 60 } else { 120 }).map(|i| (&one << bits) - (2 * i + 1u32)),
        );
        let expected: Vec<bool> = candidates
            .iter()
            .map(|n| {
                let power = two.modpow(&(n >> 1), n);
                power == one || power == n - 1u8
            })
            .collect();
        assert!(expected.contains(&true) && expected.contains(&false));
        let length = bits.div_ceil(64);
        let numbers: Vec<_> = candidates.iter().map(|n| limbs(n, length)).collect();
        let slices: Vec<&[u64]> = numbers.iter().map(Vec::as_slice).collect();
        for kernel in Kernel::available() {
            for (batch, expected) in slices
                .chunks(kernel.lanes())
                .zip(expected.chunks(kernel.lanes()))
            {
                let mask = super::base_two(kernel, batch, bits, &never()).unwrap();
                for (lane, expected) in expected.iter().enumerate() {
                    assert_eq!(
                        mask >> lane & 1 == 1,
                        *expected,
                        "{kernel}, {bits} bits, {:?}",
                        batch[lane]
                    );
                }
                assert_eq!(mask >> (expected.len() - 1) >> 1, 0);
            }
        }
    }
}

#[test]
fn a_set_flag_stops_every_kernel() {
    let set = AtomicBool::new(true);
    let modulus = limbs(&((BigUint::from(1u8) << 1024) - 105u8), 16);
    for kernel in Kernel::available() {
        for stop in [
            Stop {
                done: &set,
                cancelled: None,
            },
            Stop {
                done: &NEVER,
                cancelled: Some(&set),
            },
        ] {
            assert_eq!(super::base_two(kernel, &[&modulus], 1024, &stop), None);
            let job = Power {
                base: &modulus,
                exponent: &modulus,
                modulus: &modulus,
            };
            assert_eq!(super::power(kernel, &[job], 1024, &stop), None);
        }
    }
}

#[test]
fn trial_division_finds_every_prime_below_2_16_and_no_other() {
    let mut random = fastrand::Rng::with_seed(4);
    let primes: Vec<u32> = (3..1 << 16)
        .step_by(2)
        .filter(|n| {
            (3..)
                .step_by(2)
                .take_while(|d| d * d <= *n)
                .all(|d| n % d != 0)
        })
        .collect();
    assert_eq!(primes.len(), 6541);
    // A number without small factors, so that a product with a small prime has that one.
    let full = BigUint::from(1u8) << 1000;
    let rough = loop {
        let candidate =
            below(&mut random, &full) | BigUint::from(1u8) | (BigUint::from(1u8) << 999);
        if primes.iter().all(|p| &candidate % p != BigUint::default()) {
            break candidate;
        }
    };
    for kernel in Kernel::available() {
        assert!(
            !super::has_small_factor(kernel, &limbs(&rough, 16)),
            "{kernel}"
        );
        for p in &primes {
            assert!(
                super::has_small_factor(kernel, &limbs(&(&rough * p), 16)),
                "{kernel}, {p}"
            );
        }
        // 65537 is the first prime beyond.
        assert!(
            !super::has_small_factor(kernel, &limbs(&(&rough * 65537u32), 16)),
            "{kernel}"
        );
    }
    for bits in [1024u32, 1032, 1536, 2048, 4096] {
        for _ in 0..60 {
            let n = below(&mut random, &(BigUint::from(1u8) << bits)) | BigUint::from(1u8);
            let expected = primes.iter().any(|p| &n % p == BigUint::default());
            for kernel in Kernel::available() {
                let length = (bits as usize).div_ceil(64);
                assert_eq!(
                    super::has_small_factor(kernel, &limbs(&n, length)),
                    expected,
                    "{kernel}, {n}"
                );
            }
        }
    }
}

#[test]
fn one_and_minus_one_are_told_from_their_neighbours() {
    let n = limbs(&((BigUint::from(1u8) << 128) - 159u8), 2);
    let n_minus = |k: u8| limbs(&((BigUint::from(1u8) << 128) - 159u8 - k), 2);
    assert!(super::is_one_or_minus_one(&[1, 0], &n));
    assert!(super::is_one_or_minus_one(&n_minus(1), &n));
    for other in [vec![0, 0], vec![2, 0], vec![1, 1], n_minus(2), n.clone()] {
        assert!(!super::is_one_or_minus_one(&other, &n), "{other:?}");
    }
    assert_eq!([nat::is_zero(&[0, 0]), nat::is_zero(&[0, 1])], [1, 0]);
    assert_eq!(
        [nat::equal(&[1, 2], &[1, 2]), nat::equal(&[1, 2], &[1, 3])],
        [1, 0]
    );
}

#[test]
fn kernels_have_names() {
    for kernel in Kernel::ALL {
        assert_eq!(kernel.to_string().parse(), Ok(kernel));
    }
    assert_eq!(
        "avx2".parse::<Kernel>(),
        Err(Error::Unknown {
            name: "avx2".to_owned()
        })
    );
}

#[test]
fn residues_and_powers_to_any_public_exponent_agree_with_a_big_integer_crate() {
    let mut random = fastrand::Rng::with_seed(7);
    for bits in [1024usize, 1536, 4096] {
        let length = bits / 64;
        for n in moduli(bits, &mut random) {
            let m = limbs(&n, length);
            let all = (BigUint::from(1u8) << (2 * bits)) - 1u8;
            let high = &all ^ ((BigUint::from(1u8) << bits) - 1u8);
            for a in [
                BigUint::default(),
                n.clone(),
                &n * &n,
                high,
                below(&mut random, &all),
                all,
            ] {
                let wide = limbs(&a, 2 * length);
                let check = || assert_eq!(integer(&Modulus::new(&m, bits).residue(&wide)), &a % &n);
                check();
                with_forced(Kernel::Portable, check);
            }
            let a = below(&mut random, &n);
            for exponent in [1, 3, 17, (1 << 63) + 1, u64::MAX] {
                assert_eq!(
                    integer(&Modulus::new(&m, bits).power_public(&limbs(&a, length), exponent)),
                    a.modpow(&BigUint::from(exponent), &n)
                );
            }
        }
    }
}

#[test]
fn a_kernel_that_the_machine_lacks_is_an_error_and_the_fastest_one_is_chosen() {
    assert_eq!(Some(Kernel::detect()), Kernel::available().next());
    for kernel in Kernel::ALL {
        let expected = if kernel.is_available() {
            Ok(kernel)
        } else {
            Err(Error::Unavailable { kernel })
        };
        assert_eq!(kernel.checked(), expected);
    }
}
