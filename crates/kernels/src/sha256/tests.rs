//! Every kernel against the `sha2` crate as others use it: whole messages, without a state that is kept.

use sha2::{Digest, Sha256};

use super::*;

fn random(length: usize) -> Vec<u8> {
    (0..length).map(|_| fastrand::u8(..)).collect()
}

fn reference(parts: &[&[u8]]) -> [u8; 32] {
    Sha256::digest(parts.concat()).into()
}

/// RFC 2104, as it stands there.
fn reference_hmac(key: &[u8], message: &[&[u8]]) -> [u8; 32] {
    let mut padded = if key.len() > 64 {
        reference(&[key]).to_vec()
    } else {
        key.to_vec()
    };
    padded.resize(64, 0);
    let [inner, outer] = [0x36, 0x5c].map(|pad| -> Vec<u8> {
        let padded = padded.iter();
        padded.map(|octet| octet ^ pad).collect()
    });
    let digest = reference(&[&inner, &message.concat()]);
    reference(&[&outer, &digest])
}

/// What a chain should end with: the last result, and the exclusive or of all.
fn reference_chain(
    first: [u8; 32],
    iterations: u32,
    next: impl Fn(&[u8]) -> [u8; 32],
) -> [[u8; 32]; 2] {
    let (mut last, mut sum) = (first, first);
    for _ in 1..iterations {
        last = next(&last);
        for (sum, octet) in sum.iter_mut().zip(last) {
            *sum ^= octet;
        }
    }
    [last, sum]
}

/// A message of up to 200 octets, in up to four parts.
fn random_message() -> Vec<Vec<u8>> {
    (0..fastrand::usize(0..=4))
        .map(|_| random(fastrand::usize(0..=50)))
        .collect()
}

fn parts(message: &[Vec<u8>]) -> Vec<&[u8]> {
    message.iter().map(Vec::as_slice).collect()
}

#[test]
fn this_machine_has_the_kernels_that_it_says() {
    let available: Vec<_> = Kernel::available().collect();
    assert_eq!(available.last(), Some(&Kernel::Portable));
    assert_eq!(available.first(), Some(&Kernel::detect()));
    #[cfg(target_arch = "x86_64")]
    assert_eq!(
        available.len(),
        1 + usize::from(is_x86_feature_detected!("sha"))
    );
}

#[test]
fn messages_of_every_length_have_their_digest() {
    for kernel in Kernel::available() {
        for length in 0..=300 {
            let message = random(length);
            assert_eq!(
                *digest(kernel, &[&message]).to_bytes(),
                reference(&[&message]),
                "{kernel:?}, {length}"
            );
        }
    }
}

#[test]
fn it_does_not_matter_where_a_message_is_cut() {
    for kernel in Kernel::available() {
        for _ in 0..2000 {
            let message = random_message();
            let message = parts(&message);
            assert_eq!(*digest(kernel, &message).to_bytes(), reference(&message));
        }
    }
}

#[test]
fn keys_of_every_length_have_their_hmac() {
    for kernel in Kernel::available() {
        for length in 0..=200 {
            let key = random(length);
            let hmac = Hmac::new(kernel, &key);
            for _ in 0..3 {
                let message = random_message();
                let message = parts(&message);
                assert_eq!(
                    *hmac.mac(&message).to_bytes(),
                    reference_hmac(&key, &message),
                    "{kernel:?}, {length}"
                );
            }
        }
    }
}

/// Chains of both kinds, short ones and some that are worth a thread, in every company.
#[test]
fn chains_end_where_single_digests_lead() {
    for kernel in Kernel::available() {
        for round in 0..100 {
            let mut chains = Vec::new();
            let mut expected = Vec::new();
            for _ in 0..fastrand::usize(0..=5) {
                let iterations = match fastrand::u8(0..10) {
                    0 => fastrand::u32(1000..20_000),
                    _ => fastrand::u32(1..20),
                };
                let message = random_message();
                let message = parts(&message);
                if fastrand::bool() {
                    let key = random(fastrand::usize(0..=100));
                    let hmac = Hmac::new(kernel, &key);
                    chains.push(Chain::of_hmac(&hmac, &message, iterations));
                    let first = reference_hmac(&key, &message);
                    let next = |last: &[u8]| reference_hmac(&key, &[last]);
                    expected.push(reference_chain(first, iterations, next).map(Some));
                } else {
                    chains.push(Chain::of_digest(kernel, &message, iterations));
                    let first = reference(&message);
                    let next = |last: &[u8]| reference(&[last]);
                    let [last, _] = reference_chain(first, iterations, next);
                    // It has the sum of every other digest, which nobody asks for.
                    expected.push([Some(last), None]);
                }
            }
            run(kernel, &mut chains);
            for (chain, [last, sum]) in chains.iter().zip(expected) {
                assert_eq!(Some(*chain.last().to_bytes()), last, "{kernel:?}, {round}");
                if sum.is_some() {
                    assert_eq!(Some(*chain.sum().to_bytes()), sum, "{kernel:?}, {round}");
                }
            }
        }
    }
}

#[test]
fn a_chain_has_an_iteration_at_least() {
    let hmac = Hmac::new(Kernel::Portable, b"key");
    let empty = || Chain::of_hmac(&hmac, &[], 0);
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(empty)).is_err());
    let empty = || Chain::of_digest(Kernel::Portable, &[], 0);
    assert!(std::panic::catch_unwind(empty).is_err());
}
