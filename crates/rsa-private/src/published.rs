//! Published vectors: the keys of C2SP det-keygen, byte for byte, from every kernel and several numbers of threads; and the primes and
//! pseudoprimes of Wycheproof.

use core::sync::atomic::AtomicBool;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::random::Seeded;
use crate::search::candidate;
use crate::trials::Rounds;
use crate::{Generator, Kernel, RsaKey, SIZES};
use kernels::modular::{self, Stop};
use kernels::nat::{self, Nat};

#[test]
#[ignore = "needs the published vectors"]
fn every_kernel_and_any_number_of_threads_derives_the_published_keys() {
    let vectors = det_keygen();
    assert!(vectors.len() >= 11);
    for (bits, seed, expected) in vectors {
        for kernel in Kernel::available() {
            for threads in [1, 2, 5] {
                let generator = Generator::new(bits).kernel(kernel).threads(threads);
                let key = if SIZES.contains(&bits) {
                    generator.generate_from_seed(&seed).unwrap()
                } else {
                    // 2064 bits: a size that is not for users.
                    let mut source = Seeded::new(&seed, bits as u16);
                    generator.generate_unchecked(&mut source).unwrap()
                };
                assert!(
                    pkcs8(&key) == expected,
                    "{bits} bits, {kernel}, {threads} threads"
                );
            }
        }
    }
}

/// What the generator accepts must be prime, whoever made the number.
///
/// Eight cases are the negative of a prime, and "acceptable" to Wycheproof: whoever takes the absolute value may call them primes. Here they are refused like composites: numbers have no
/// sign, so none of them is a candidate.
#[test]
#[ignore = "needs the published vectors"]
fn wycheproofs_primes_are_accepted_and_its_pseudoprimes_refused() {
    let json = read("wycheproof/primality_test.json");
    let (mut tested, mut primes, mut no_candidates) = (0, 0, 0);
    for case in json["testGroups"][0]["tests"].as_array().unwrap() {
        let (id, result) = (&case["tcId"], case["result"].as_str().unwrap());
        let Some(n) = Number::read(case["value"].as_str().unwrap()) else {
            assert_ne!(result, "valid", "{id}");
            no_candidates += 1;
            continue;
        };
        if n.is_below_2_16() {
            // Trial division would find the prime in itself. Primes of keys have at least 1024 bits.
            no_candidates += 1;
        } else if n.value[0] & 3 == 3 {
            for kernel in Kernel::available() {
                assert_eq!(n.is_accepted(kernel), result == "valid", "{id}, {kernel}");
            }
            tested += 1;
            primes += u32::from(result == "valid");
        } else {
            // A round is a whole Miller-Rabin test only for numbers that are 3 modulo 4, and no other becomes a candidate.
            let bytes = nat::to_bytes(&n.value, n.bits.div_ceil(8));
            assert_ne!(*candidate(&bytes, n.bits), *n.value, "{id}");
            no_candidates += 1;
        }
    }
    assert_eq!((tested, primes, no_candidates), (129, 30, 188));
}

struct Number {
    value: Nat,
    bits: usize,
}

impl Number {
    /// From two's complement in hexadecimal digits. `None` if it is negative.
    fn read(hex: &str) -> Option<Self> {
        let bytes: Vec<u8> = (0..hex.len())
            .step_by(2)
            .map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap())
            .collect();
        if bytes[0] >= 0x80 {
            return None;
        }
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        let bytes = &bytes[zeros..];
        let bits = bytes
            .first()
            .map_or(0, |first| 8 * bytes.len() - first.leading_zeros() as usize);
        let value = nat::from_bytes(bytes, bits.div_ceil(64).max(1));
        Some(Self { value, bits })
    }

    fn is_below_2_16(&self) -> bool {
        self.bits <= 16
    }

    /// What the search and the trials do with a candidate.
    fn is_accepted(&self, kernel: Kernel) -> bool {
        static NEVER: AtomicBool = AtomicBool::new(false);
        let stop = Stop {
            done: &NEVER,
            cancelled: None,
        };
        if modular::has_small_factor(kernel, &self.value)
            || modular::base_two(kernel, &[&self.value], self.bits, &stop) != Some(1)
        {
            return false;
        }
        let mut random = fastrand::Rng::with_seed(self.bits as u64);
        let rounds = Rounds::new(&self.value, self.bits, &mut |bytes: &mut [u8]| {
            random.fill(bytes);
            Ok(())
        });
        let rounds = rounds.unwrap();
        let jobs: Vec<_> = rounds.jobs(&self.value).collect();
        let powers: Vec<_> = jobs
            .chunks(kernel.lanes())
            .flat_map(|jobs| modular::power(kernel, jobs, self.bits, &stop).unwrap())
            .collect();
        Rounds::passed(&powers, &self.value)
    }
}

pub(crate) fn read(path: &str) -> serde_json::Value {
    let root = std::env::var_os("COUNTERSIGN_VECTORS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors"),
        PathBuf::from,
    );
    let text = std::fs::read_to_string(root.join(path)).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn det_keygen() -> Vec<(usize, Vec<u8>, Vec<u8>)> {
    let json = read("det-keygen/rsa.json");
    let decode = |value: &serde_json::Value| STANDARD.decode(value.as_str().unwrap()).unwrap();
    json.as_array()
        .unwrap()
        .iter()
        .map(|vector| {
            (
                vector["bits"].as_u64().unwrap() as usize,
                decode(&vector["seed"]),
                decode(&vector["private_key_pkcs8"]),
            )
        })
        .collect()
}

/// PKCS#8 around PKCS#1 (RFC 5958, RFC 8017, A.1.2).
fn pkcs8(key: &RsaKey) -> Vec<u8> {
    let mut body = integer(&[0]);
    for number in [
        key.n(),
        key.e(),
        key.d(),
        key.p(),
        key.q(),
        key.dp(),
        key.dq(),
        key.qinv(),
    ] {
        body.extend(integer(number));
    }
    let rsa_encryption = [
        0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
    ];
    let mut info = integer(&[0]);
    info.extend(rsa_encryption);
    info.extend(tlv(0x04, &tlv(0x30, &body)));
    tlv(0x30, &info)
}

fn integer(number: &[u8]) -> Vec<u8> {
    let first = number
        .iter()
        .position(|byte| *byte != 0)
        .unwrap_or(number.len() - 1);
    let mut content = number[first..].to_vec();
    if content[0] >= 0x80 {
        content.insert(0, 0);
    }
    tlv(0x02, &content)
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut encoded = vec![tag];
    match content.len() {
        length @ 0..=0x7f => encoded.push(length as u8),
        length @ 0x80..=0xff => encoded.extend([0x81, length as u8]),
        length => encoded.extend([0x82, (length >> 8) as u8, length as u8]),
    }
    encoded.extend(content);
    encoded
}
