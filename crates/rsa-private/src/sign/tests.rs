//! What is signed verifies with the `rsa` crate, with every kernel; what a fault made wrong doesn't get out.

use num_bigint::BigUint;
use rsa::pkcs8::{EncodePrivateKey, LineEnding};
use rsa::pss::Pss;
use rsa::{BoxedUint, Pkcs1v15Sign, PublicKey};
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::padding::emsa_pss;
use super::*;

const HASHES: [Hash; 3] = [Hash::Sha256, Hash::Sha384, Hash::Sha512];

fn generated(bits: usize) -> RsaKey {
    crate::generate_from_seed(bits, b"a key for tests of signatures").unwrap()
}

fn signer(bits: usize) -> SigningKey {
    SigningKey::new(&Numbers::from(&generated(bits))).unwrap()
}

fn verifies(key: &RsaKey, scheme: Scheme, message: &[u8], signature: &[u8]) -> bool {
    let integer = |octets: &[u8]| BoxedUint::from_be_slice_vartime(octets);
    let public = PublicKey::new(integer(key.n()), integer(key.e())).unwrap();
    let [sha256, sha384, sha512] = [
        Sha256::digest(message).to_vec(),
        Sha384::digest(message).to_vec(),
        Sha512::digest(message).to_vec(),
    ];
    match scheme {
        Scheme::Pkcs1v15(Hash::Sha256) => {
            public.verify(Pkcs1v15Sign::new::<Sha256>(), &sha256, signature)
        }
        Scheme::Pkcs1v15(Hash::Sha384) => {
            public.verify(Pkcs1v15Sign::new::<Sha384>(), &sha384, signature)
        }
        Scheme::Pkcs1v15(Hash::Sha512) => {
            public.verify(Pkcs1v15Sign::new::<Sha512>(), &sha512, signature)
        }
        Scheme::Pss(Hash::Sha256) => public.verify(Pss::<Sha256>::new(), &sha256, signature),
        Scheme::Pss(Hash::Sha384) => public.verify(Pss::<Sha384>::new(), &sha384, signature),
        Scheme::Pss(Hash::Sha512) => public.verify(Pss::<Sha512>::new(), &sha512, signature),
    }
    .is_ok()
}

#[test]
fn the_rsa_crate_verifies_the_signatures_of_every_kernel() {
    for bits in [2048, 3072, 4096] {
        let key = generated(bits);
        for kernel in Kernel::available() {
            for threads in [1, 2] {
                let signer = signer(bits).kernel(kernel).unwrap().threads(threads);
                for hash in HASHES {
                    for scheme in [Scheme::Pkcs1v15(hash), Scheme::Pss(hash)] {
                        let signature = signer.sign(scheme, b"message").unwrap();
                        let what = format!("{scheme:?}, {bits} bits, {kernel}, {threads} threads");
                        assert_eq!(signature.len(), bits / 8, "{what}");
                        assert!(verifies(&key, scheme, b"message", &signature), "{what}");
                        assert!(!verifies(&key, scheme, b"messages", &signature), "{what}");
                    }
                }
            }
        }
    }
}

/// A few keys, or as many as `COUNTERSIGN_SOAK_KEYS` says.
#[test]
fn random_keys_sign_random_messages_as_the_rsa_crate_does() {
    let keys = soak_keys(4);
    for _ in 0..keys {
        let (key, message) = (random_key(), random_message());
        let reference = reference(&key);
        for hash in HASHES {
            let expected = match hash {
                Hash::Sha256 => {
                    reference.sign(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(&message))
                }
                Hash::Sha384 => {
                    reference.sign(Pkcs1v15Sign::new::<Sha384>(), &Sha384::digest(&message))
                }
                Hash::Sha512 => {
                    reference.sign(Pkcs1v15Sign::new::<Sha512>(), &Sha512::digest(&message))
                }
            };
            let (expected, pss) = (expected.unwrap(), Scheme::Pss(hash));
            for kernel in Kernel::available() {
                let signer = SigningKey::new(&Numbers::from(&key)).unwrap();
                let signer = signer.kernel(kernel).unwrap();
                let signature = signer.sign(Scheme::Pkcs1v15(hash), &message).unwrap();
                assert_eq!(signature, expected, "{hash:?}, {kernel}, {:?}", key.n());
                let signature = signer.sign(pss, &message).unwrap();
                let what = format!("{pss:?}, {kernel}, {:?}", key.n());
                assert!(verifies(&key, pss, &message, &signature), "{what}");
            }
        }
    }
}

/// A few keys, or as many as `COUNTERSIGN_SOAK_KEYS` says.
#[test]
#[ignore = "needs openssl"]
fn random_keys_sign_random_messages_as_openssl_does() {
    let keys = soak_keys(4);
    let folder = std::env::temp_dir().join(format!("countersign-signs-{}", std::process::id()));
    std::fs::create_dir(&folder).unwrap();
    let (key_path, message_path) = (folder.join("key.pem"), folder.join("message"));
    for _ in 0..keys {
        let (key, message) = (random_key(), random_message());
        let pem = reference(&key).to_pkcs8_pem(LineEnding::LF).unwrap();
        std::fs::write(&key_path, pem).unwrap();
        std::fs::write(&message_path, &message).unwrap();
        let output = std::process::Command::new("openssl")
            .args(["dgst", "-sha256", "-sign"])
            .args([&key_path, &message_path])
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        for kernel in Kernel::available() {
            let signer = SigningKey::new(&Numbers::from(&key)).unwrap();
            let signer = signer.kernel(kernel).unwrap();
            let signature = signer.sign(Scheme::Pkcs1v15(Hash::Sha256), &message);
            assert_eq!(signature.unwrap(), output.stdout, "{kernel}, {:?}", key.n());
        }
    }
    std::fs::remove_dir_all(folder).unwrap();
}

fn soak_keys(sample: usize) -> usize {
    std::env::var("COUNTERSIGN_SOAK_KEYS").map_or(sample, |keys| keys.parse().unwrap())
}

fn random_key() -> RsaKey {
    crate::generate(2048).unwrap()
}

fn random_message() -> Vec<u8> {
    (0..fastrand::usize(..300))
        .map(|_| fastrand::u8(..))
        .collect()
}

fn reference(key: &RsaKey) -> rsa::PrivateKey {
    let [n, e, d, p, q] =
        [key.n(), key.e(), key.d(), key.p(), key.q()].map(BoxedUint::from_be_slice_vartime);
    rsa::PrivateKey::from_components(n, e, d, vec![p, q]).unwrap()
}

/// The primes are those of two groups for Diffie and Hellman (RFC 3526, section 5; RFC 7919, A.3), as nobody waits for new ones of this length.
#[test]
fn the_largest_keys_sign_with_every_kernel() {
    let mut primes = include_str!("primes-4096.txt")
        .lines()
        .map(|line| BigUint::parse_bytes(line.as_bytes(), 16).unwrap());
    let (p, q) = (primes.next().unwrap(), primes.next().unwrap());
    let (one, e) = (BigUint::from(1u8), BigUint::from(65537u32));
    let (p_minus_one, q_minus_one) = (&p - &one, &q - &one);
    let inverse = |modulus: &BigUint| e.modinv(modulus).unwrap().to_bytes_be();
    let (dp, dq) = (inverse(&p_minus_one), inverse(&q_minus_one));
    let n = &p * &q;
    let numbers = Numbers {
        n: &n.to_bytes_be(),
        e: &e.to_bytes_be(),
        p: &p.to_bytes_be(),
        q: &q.to_bytes_be(),
        dp: &dp,
        dq: &dq,
        qinv: &q.modinv(&p).unwrap().to_bytes_be(),
    };
    let signer = SigningKey::new(&numbers).unwrap();
    assert_eq!(signer.bits(), 8192);
    let scheme = Scheme::Pkcs1v15(Hash::Sha512);
    let signature = signer.sign(scheme, b"message").unwrap();
    let opened = BigUint::from_bytes_be(&signature).modpow(&e, &n);
    assert!(opened.to_bytes_be().ends_with(&Sha512::digest(b"message")));
    for kernel in Kernel::available() {
        let signer = SigningKey::new(&numbers).unwrap().kernel(kernel).unwrap();
        assert_eq!(
            signer.sign(scheme, b"message").unwrap(),
            signature,
            "{kernel}"
        );
    }
}

#[test]
fn a_salt_is_drawn_for_each_signature() {
    let signer = signer(2048);
    let scheme = Scheme::Pss(Hash::Sha256);
    let sign = || signer.sign(scheme, b"message").unwrap();
    assert_ne!(sign(), sign());
    let scheme = Scheme::Pkcs1v15(Hash::Sha256);
    let sign = || signer.sign(scheme, b"message").unwrap();
    assert_eq!(sign(), sign());
}

#[test]
fn the_primes_may_stand_in_either_order() {
    let key = generated(2048);
    let forwards = Numbers::from(&key);
    // p^-1 mod q, by Fermat.
    let [p, q] = [key.p(), key.q()].map(BigUint::from_bytes_be);
    let inverse = p.modpow(&(&q - 2u8), &q).to_bytes_be();
    let backwards = Numbers {
        p: forwards.q,
        q: forwards.p,
        dp: forwards.dq,
        dq: forwards.dp,
        qinv: &inverse,
        ..forwards
    };
    let scheme = Scheme::Pkcs1v15(Hash::Sha512);
    let mut random = fastrand::Rng::with_seed(4);
    let [forwards, backwards] = [forwards, backwards].map(|it| SigningKey::new(&it).unwrap());
    for _ in 0..50 {
        let mut message = [0; 40];
        random.fill(&mut message);
        assert_eq!(
            forwards.sign(scheme, &message).unwrap(),
            backwards.sign(scheme, &message).unwrap()
        );
    }
}

#[test]
fn any_representative_is_signed_as_a_big_integer_crate_would() {
    let key = generated(2048);
    let [n, d, p] = [key.n(), key.d(), key.p()].map(BigUint::from_bytes_be);
    let signer = signer(2048);
    let one = BigUint::from(1u8);
    let largest = (&one << 2047u32) - &one;
    for representative in [
        &one - &one,
        one.clone(),
        p.clone(),
        &p - &one,
        &p * &p % (&one << 2047u32),
        (&one << 1024u32) - &one,
        &one << 1024u32,
        &largest - ((&one << 1024u32) - &one),
        largest,
    ] {
        let bytes = nat::to_bytes(&nat::from_bytes(&representative.to_bytes_be(), 32), 256);
        let signature = signer.signed(&bytes).unwrap();
        assert_eq!(
            BigUint::from_bytes_be(&signature),
            representative.modpow(&d, &n)
        );
    }
}

#[test]
fn a_fault_gives_an_error_and_no_signature() {
    type Fault = fn(&mut SigningKey);
    fn flip(modulus: &mut Modulus, limb: usize, bit: u64) {
        let mut value = modulus.value().clone();
        value[limb] ^= bit;
        *modulus = Modulus::new(&value, 64 * value.len());
    }
    let faults: [Fault; 8] = [
        |key| flip(&mut key.p, 3, 1 << 40),
        |key| flip(&mut key.q, 15, 1),
        |key| key.dp[0] ^= 1,
        |key| key.dp[15] ^= 1 << 50,
        |key| key.dq[7] ^= 2,
        |key| key.qinv[1] ^= 1 << 63,
        |key| flip(&mut key.n, 31, 1),
        |key| key.e = 17,
    ];
    for (i, fault) in faults.into_iter().enumerate() {
        for scheme in [Scheme::Pkcs1v15(Hash::Sha256), Scheme::Pss(Hash::Sha256)] {
            let mut key = signer(2048);
            fault(&mut key);
            let result = key.sign(scheme, b"message");
            assert_eq!(result, Err(Error::FaultySignature), "fault {i}");
        }
    }
}

/// Not in the key, as above, but in what was computed with it: the whole key is right when the signature is verified.
#[test]
fn a_fault_while_it_signs_gives_an_error_and_no_signature() {
    let signer = signer(2048);
    let scheme = Scheme::Pkcs1v15(Hash::Sha256);
    let octets = scheme.encode(b"message", 256, |_| Ok(())).unwrap();
    let message = nat::from_bytes(&octets, 32);
    let powers = || signer.powers(&message).unwrap();
    let expected = signer.sign(scheme, b"message").unwrap();
    assert_eq!(signer.finished(&powers(), &message), Ok(expected.clone()));

    for half in 0..2 {
        for (limb, bit) in [(0, 1), (7, 1 << 33), (15, 1 << 40)] {
            let mut powers = powers();
            powers[half][limb] ^= bit;
            let result = signer.finished(&powers, &message);
            assert_eq!(result, Err(Error::FaultySignature), "{half}, {limb}");
        }
    }
    let [s_p, s_q] = powers();
    assert_eq!(
        signer.finished(&[s_q, s_p], &message),
        Err(Error::FaultySignature)
    );
    for limb in [0, 16, 31] {
        let mut signature = nat::from_bytes(&expected, 32);
        signature[limb] ^= 4;
        let result = signer.verified(&signature, &message);
        assert_eq!(result, Err(Error::FaultySignature), "{limb}");
    }
    // The right one modulo n, but not below it.
    let mut one = nat::zero(32);
    one[0] = 1;
    let mut beyond = signer.n.value().clone();
    nat::add(&mut beyond, &one);
    assert!(signer.verified(&one, &one).is_ok());
    assert_eq!(signer.verified(&beyond, &one), Err(Error::FaultySignature));
}

#[test]
fn numbers_that_make_no_key_are_refused() {
    let key = generated(2048);
    let numbers = Numbers::from(&key);
    let reason = |numbers: Numbers<'_>| match SigningKey::new(&numbers) {
        Err(Error::InvalidKey { reason }) => reason,
        other => panic!("{other:?}"),
    };
    let no_product = "its modulus is not the product of two odd primes of equal length";
    let mut other = key.p().to_vec();
    other[127] ^= 4;
    assert_eq!(
        reason(Numbers {
            p: &other,
            ..numbers
        }),
        no_product
    );
    for qinv in [key.p(), &[0xff; 128]] {
        assert_eq!(
            reason(Numbers { qinv, ..numbers }),
            "its coefficient is not below its first prime"
        );
    }
    // Even.
    let [mut p, q] = [key.p(), key.q()].map(BigUint::from_bytes_be);
    p ^= BigUint::from(1u8);
    let (n, p) = ((&p * q).to_bytes_be(), p.to_bytes_be());
    assert_eq!(
        reason(Numbers {
            n: &n,
            p: &p,
            ..numbers
        }),
        no_product
    );
    let mut long = vec![0; 130];
    (long[0], long[1]) = (3, 3);
    assert_eq!(
        reason(Numbers {
            dq: &long,
            ..numbers
        }),
        "one of its numbers has more than half as many bits as its modulus"
    );
    for e in [&[][..], &[0], &[1], &[2], &[1, 0, 0]] {
        assert_eq!(
            reason(Numbers { e, ..numbers }),
            "its public exponent is even or below 3"
        );
    }
    assert_eq!(
        reason(Numbers {
            e: &[1; 9],
            ..numbers
        }),
        "its public exponent exceeds 64 bits"
    );
    let mut shorter = key.n().to_vec();
    shorter[0] = 0x7f;
    assert_eq!(
        SigningKey::new(&Numbers {
            n: &shorter,
            ..numbers
        })
        .unwrap_err(),
        Error::UnsupportedSize { bits: 2047 }
    );
    let shorter = key.n().split_at(128).0;
    assert_eq!(
        SigningKey::new(&Numbers {
            n: shorter,
            ..numbers
        })
        .unwrap_err(),
        Error::UnsupportedSize { bits: 1024 }
    );
    assert_eq!(
        SigningKey::new(&Numbers { n: &[], ..numbers }).unwrap_err(),
        Error::UnsupportedSize { bits: 0 }
    );
}

#[test]
fn zeros_may_lead_and_debug_elides() {
    let key = generated(2048);
    let zeros = |octets: &[u8]| [&[0, 0], octets].concat();
    let [n, p, dp] = [key.n(), key.p(), key.dp()].map(zeros);
    let numbers = Numbers {
        n: &n,
        p: &p,
        dp: &dp,
        ..Numbers::from(&key)
    };
    let signer = SigningKey::new(&numbers).unwrap();
    assert!(signer.sign(Scheme::Pkcs1v15(Hash::Sha256), b"").is_ok());
    assert_eq!(format!("{numbers:?}"), "Numbers([elided])");
    let text = format!("{signer:?}");
    assert!(
        text.starts_with("SigningKey { bits: 2048, kernel: "),
        "{text}"
    );
    assert!(text.ends_with("secret: \"[elided]\", .. }"), "{text}");
}

#[test]
fn the_callers_randomness_makes_the_salt() {
    let mut random = Sevens;
    let signer = signer(2048);
    let scheme = Scheme::Pss(Hash::Sha384);
    let signature = signer
        .sign_with_rng(scheme, b"message", &mut random)
        .unwrap();
    let expected = emsa_pss(Hash::Sha384, b"message", &[7; 48], 256);
    assert_eq!(signature, signer.signed(&expected).unwrap());
}

/// A generator of one octet.
struct Sevens;

impl rand_core::TryRng for Sevens {
    type Error = core::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(0x0707_0707)
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(0x0707_0707_0707_0707)
    }

    fn try_fill_bytes(&mut self, octets: &mut [u8]) -> Result<(), Self::Error> {
        octets.fill(7);
        Ok(())
    }
}

impl rand_core::TryCryptoRng for Sevens {}

#[test]
fn a_public_exponent_is_any_odd_number_from_3_to_2_to_the_64() {
    let key = generated(2048);
    let numbers = Numbers::from(&key);
    for e in [&[3][..], &[0, 0, 0, 0, 0, 0, 0, 0, 5], &[0xff; 8]] {
        let signer = SigningKey::new(&Numbers { e, ..numbers }).unwrap();
        assert_eq!(
            signer.sign(Scheme::Pkcs1v15(Hash::Sha256), b"not with this exponent"),
            Err(Error::FaultySignature)
        );
    }
}

#[test]
fn without_randomness_there_is_no_salt_and_no_signature() {
    let unavailable = || Error::RandomnessUnavailable {
        reason: "there is none".to_owned(),
    };
    let result = signer(2048).sign_from(Scheme::Pss(Hash::Sha256), b"", |_| Err(unavailable()));
    assert_eq!(result, Err(unavailable()));
}

#[test]
fn a_kernel_that_is_not_there_is_refused_and_the_fastest_one_is_chosen() {
    for kernel in Kernel::ALL {
        let expected = kernel.checked().err().map(Error::Kernel);
        assert_eq!(signer(2048).kernel(kernel).err(), expected);
    }
    assert_eq!(Some(signer(2048).kernel), Kernel::available().next());
}
