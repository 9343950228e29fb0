//! Private keys in and out, through the public interface. What other programs wrote is in `data/keys`.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // tests

#[macro_use]
mod support;

use std::sync::Arc;

use pki::{
    Budget, CertificateRequest, Digest, Error, KeyAlgorithm, KeyEncryption, KeyGenerator, KeyKind,
    Passphrase, PrivateKey, SignatureAlgorithm, Signer,
};

macro_rules! data {
    ($name:literal) => {
        include_bytes!(concat!("data/keys/", $name)).as_slice()
    };
}

const ENCRYPTED: [&[u8]; 9] = [
    data!("p256-traditional-aes-128-cbc.pem"),
    data!("p256-traditional-aes-192-cbc.pem"),
    data!("p256-traditional-aes-256-cbc.pem"),
    data!("p256-traditional-des-ede3-cbc.pem"),
    data!("p256-pbes2-aes256.pem"),
    data!("p256-pbes2-3des.pem"),
    data!("p256-pbes2-aes128-sha1.pem"),
    data!("p256-pbes2-aes192-sha512.pem"),
    data!("p256-pbes2-scrypt.pem"),
];

fn correct() -> Passphrase {
    Passphrase::from("correct")
}

fn read(pem: &[u8]) -> PrivateKey {
    PrivateKey::from_pem(pem, None).unwrap()
}

fn text(pem: &[u8]) -> &str {
    str::from_utf8(pem).unwrap()
}

fn der(pem: &[u8]) -> Vec<u8> {
    read(pem).to_pkcs8_der().unwrap().to_vec()
}

// --- What others wrote ---

#[test]
fn plain_keys_of_every_form_are_read() {
    for (pem, algorithm) in [
        (data!("rsa2048.pem"), KeyAlgorithm::Rsa { bits: 2048 }),
        (data!("rsa2048-pkcs1.pem"), KeyAlgorithm::Rsa { bits: 2048 }),
        (data!("p256.pem"), KeyAlgorithm::EcP256),
        (data!("ec-params-sec1.pem"), KeyAlgorithm::EcP256),
        (data!("p384.pem"), KeyAlgorithm::EcP384),
        (data!("p521.pem"), KeyAlgorithm::EcP521),
        (data!("p521-sec1.pem"), KeyAlgorithm::EcP521),
        (
            data!("rsa-pss.pem"),
            KeyAlgorithm::RsaPss {
                bits: 2048,
                digest: None,
            },
        ),
        (
            data!("rsa-pss-sha384.pem"),
            KeyAlgorithm::RsaPss {
                bits: 2048,
                digest: Some(Digest::Sha384),
            },
        ),
        (data!("ed25519.pem"), KeyAlgorithm::Ed25519),
    ] {
        assert_eq!(read(pem).algorithm(), algorithm);
    }
}

#[test]
fn pkcs1_and_sec1_hold_the_same_key_as_pkcs8() {
    assert_eq!(
        read(data!("rsa2048-pkcs1.pem")).public_key(),
        read(data!("rsa2048.pem")).public_key()
    );
    assert_eq!(
        read(data!("ec-params-sec1.pem")).public_key(),
        read(data!("p256.pem")).public_key()
    );
    assert_eq!(
        read(data!("p521-sec1.pem")).public_key(),
        read(data!("p521.pem")).public_key()
    );
}

#[test]
fn encrypted_keys_open_with_their_passphrase() {
    let expected = read(data!("p256.pem"));
    for pem in ENCRYPTED.into_iter().chain([
        data!("p256-pbes1-sha1-3des.pem"),
        data!("p256-pbes1-sha1-rc2-40.pem"),
        data!("p256-pbes1-md5-des.pem"),
        data!("p256-pbes1-md5-rc2-64.pem"),
        data!("p256-pbes1-sha1-des.pem"),
        data!("p256-pbes1-sha1-rc2-64.pem"),
        data!("p256-pbes2-des.pem"),
        data!("p256-pbes2-aes256-gcm.pem"),
        data!("p256-pbes2-aes128-md5.pem"),
        data!("p256-pbes2-rc2.pem"),
        data!("p256-traditional-des-cbc.pem"),
        data!("p256-traditional-rc2-cbc.pem"),
    ]) {
        let key = PrivateKey::from_pem(pem, &correct())
            .unwrap_or_else(|error| panic!("{error}\n{}", text(pem)));
        assert_eq!(key.public_key(), expected.public_key());
    }
    let rsa = data!("rsa2048-traditional-aes-256-cbc.pem");
    assert_eq!(
        PrivateKey::from_pem(rsa, &correct()).unwrap().public_key(),
        read(data!("rsa2048.pem")).public_key()
    );
}

/// RC4 has no padding: what a wrong passphrase gives is noise.
#[cfg(feature = "legacy")]
#[test]
fn keys_under_rc4_and_camellia_open_with_their_passphrase() {
    let expected = read(data!("p256.pem"));
    for pem in [
        data!("p256-pbes1-sha1-rc4-128.pem"),
        data!("p256-pbes2-camellia.pem"),
        data!("p256-traditional-camellia-192-cbc.pem"),
    ] {
        let key = PrivateKey::from_pem(pem, &correct()).unwrap();
        assert_eq!(key.public_key(), expected.public_key());
        for wrong in ["", "Correct"] {
            assert_eq!(
                PrivateKey::from_pem(pem, &Passphrase::from(wrong)).unwrap_err(),
                Error::WrongPassphrase {
                    what: "private key"
                }
            );
        }
    }
}

#[test]
fn encrypted_keys_need_a_passphrase() {
    for pem in ENCRYPTED {
        assert_eq!(
            PrivateKey::from_pem(pem, None).unwrap_err(),
            Error::PassphraseRequired {
                what: "private key"
            }
        );
    }
}

#[test]
fn encrypted_keys_do_not_open_with_another_passphrase() {
    for pem in ENCRYPTED {
        for wrong in ["", "Correct", "correct ", "\u{1f511}"] {
            assert_eq!(
                PrivateKey::from_pem(pem, &Passphrase::from(wrong)).unwrap_err(),
                Error::WrongPassphrase {
                    what: "private key"
                }
            );
        }
    }
}

#[test]
fn a_wrong_passphrase_that_unpads_by_chance_is_still_wrong() {
    // One in 256 leaves proper padding behind: among these some do.
    let pem = data!("p256-traditional-aes-128-cbc.pem");
    for number in 0..2000 {
        let wrong = Passphrase::from(format!("wrong {number}"));
        assert_eq!(
            PrivateKey::from_pem(pem, &wrong).unwrap_err(),
            Error::WrongPassphrase {
                what: "private key"
            }
        );
    }
}

#[test]
fn a_passphrase_that_is_not_needed_is_ignored() {
    let key = PrivateKey::from_pem(data!("p256.pem"), &correct()).unwrap();
    assert_eq!(key.algorithm(), KeyAlgorithm::EcP256);
}

#[test]
fn keys_that_are_not_handled_are_named() {
    for (pem, found) in [
        (data!("rsa-pss-sha1.pem"), "RSASSA-PSS with SHA-1"),
        (data!("secp256k1.pem"), "secp256k1"),
        (
            data!("rsa512.pem"),
            "RSA 512 (sizes from 1024 to 8192 bits are handled)",
        ),
        (
            b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n",
            "OPENSSH PRIVATE KEY",
        ),
    ] {
        assert_error!(
            PrivateKey::from_pem(pem, None).unwrap_err(),
            Error::UnsupportedKey {
                found: found.to_owned()
            }
        );
    }
}

#[test]
fn encryption_that_is_not_handled_is_named() {
    assert_error!(
        PrivateKey::from_pem(data!("p256-pbes2-aria.pem"), &correct()).unwrap_err(),
        Error::UnsupportedScheme {
            what: "private key encryption",
            oid: "1.2.410.200046.1.1.12".to_owned(),
            name: "ARIA-256-CBC".to_owned(),
        }
    );
    #[cfg(not(feature = "legacy"))]
    for (pem, expected) in [
        (data!("p256-pbes2-camellia.pem"), "Camellia-256-CBC"),
        (
            data!("p256-pbes1-sha1-rc4-128.pem"),
            "pbeWithSHAAnd128BitRC4",
        ),
    ] {
        assert!(matches!(
            PrivateKey::from_pem(pem, &correct()),
            Err(Error::UnsupportedScheme { name, .. }) if name == expected
        ));
    }
    let idea = text(data!("p256-traditional-aes-128-cbc.pem")).replace("AES-128-CBC", "IDEA-CBC");
    assert!(matches!(
        PrivateKey::from_pem(idea, &correct()),
        Err(Error::UnsupportedScheme { name, .. }) if name == "IDEA-CBC"
    ));
}

// --- Form ---

#[test]
fn the_key_is_found_behind_a_certificate_and_text() {
    let key = text(data!("p256.pem"));
    let file = format!(
        "subject=/CN=x\n-----BEGIN CERTIFICATE-----\nMAMCAQU=\n-----END CERTIFICATE-----\r\n{key}{}",
        text(data!("rsa2048.pem"))
    );
    assert_eq!(
        read(file.as_bytes()).public_key(),
        read(key.as_bytes()).public_key()
    );
}

#[test]
fn a_file_without_a_key_says_what_it_holds() {
    let file = "-----BEGIN CERTIFICATE-----\nMAMCAQU=\n-----END CERTIFICATE-----\n";
    assert_error!(
        PrivateKey::from_pem(file, None).unwrap_err(),
        Error::PemNotFound {
            expected: "private key",
            found: vec!["CERTIFICATE".to_owned()]
        }
    );
}

#[test]
fn a_truncated_file_is_malformed_pem() {
    let pem = text(data!("rsa2048.pem"));
    for len in [40, 100, pem.len() / 2, pem.len() - 20] {
        assert!(matches!(
            PrivateKey::from_pem(&pem[..len], None),
            Err(Error::MalformedPem { .. })
        ));
    }
}

#[test]
fn a_body_with_lost_lines_is_malformed() {
    let pem = text(data!("rsa2048.pem"));
    let lossy: Vec<_> = pem
        .lines()
        .enumerate()
        .filter_map(|(number, line)| (number != 5).then_some(line))
        .collect();
    assert!(matches!(
        PrivateKey::from_pem(lossy.join("\n"), None),
        Err(Error::Malformed { .. })
    ));
}

#[test]
fn trailing_octets_are_refused() {
    let mut der = der(data!("p256.pem"));
    der.push(0);
    assert_error!(
        PrivateKey::from_der(&der, None).unwrap_err(),
        Error::TrailingData {
            what: "private key",
            count: 1
        }
    );
}

#[test]
fn too_large_an_input_is_refused() {
    let mut pem = data!("p256.pem").to_vec();
    pem.resize((4 << 20) + 1, b'\n');
    for result in [
        PrivateKey::from_pem(&pem, None),
        PrivateKey::from_pem_or_der(&pem, None),
        PrivateKey::from_der(&pem, None),
    ] {
        assert!(matches!(result, Err(Error::TooLarge { .. })));
    }
}

#[test]
fn pem_and_der_are_told_apart() {
    let pem = data!("p256.pem");
    for input in [pem, &der(pem)] {
        assert_eq!(
            PrivateKey::from_pem_or_der(input, None)
                .unwrap()
                .public_key(),
            read(pem).public_key()
        );
    }
}

// --- Meaning ---

#[test]
fn rsa_numbers_that_do_not_belong_together_are_refused() {
    let original = der(data!("rsa2048.pem"));
    // An octet within the modulus, the private exponent and the first prime.
    for at in [100, 400, 600] {
        let mut damaged = original.clone();
        damaged[at] ^= 1;
        assert!(matches!(
            PrivateKey::from_der(&damaged, None),
            Err(Error::InvalidKey { .. })
        ));
    }
}

#[test]
fn a_curve_key_with_another_ones_public_key_is_refused() {
    let mut damaged = der(data!("p256.pem"));
    let other = PrivateKey::generate(KeyKind::EcP256).unwrap();
    let other = other.to_pkcs8_der().unwrap();
    let point = damaged.len() - 64;
    damaged[point..].copy_from_slice(&other[point..]);
    assert!(matches!(
        PrivateKey::from_der(&damaged, None),
        Err(Error::InvalidKey { .. })
    ));
}

#[test]
fn an_edwards_key_with_its_public_key_is_read_and_checked() {
    // RFC 8410, section 10.3
    let v2 = "-----BEGIN PRIVATE KEY-----
MHICAQEwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
oB8wHQYKKoZIhvcNAQkJFDEPDA1DdXJkbGUgQ2hhaXJzgSEAGb9ECWmEzf6FQbrB
Z9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PRIVATE KEY-----
";
    let key = read(v2.as_bytes());
    assert_eq!(key.algorithm(), KeyAlgorithm::Ed25519);
    // ... and written as version 1, the form that everything reads.
    assert!(
        key.to_pkcs8_der()
            .unwrap()
            .starts_with(&[0x30, 0x2e, 0x02, 0x01, 0x00])
    );

    let damaged = v2.replace("ZuE=", "ZuI=");
    assert!(matches!(
        PrivateKey::from_pem(damaged, None),
        Err(Error::InvalidKey { .. })
    ));
}

// --- Budget ---

/// A key file with the octets of one parameter replaced; nothing in it would open.
fn with_replaced(pem: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let body: String = text(pem).lines().filter(|l| !l.starts_with('-')).collect();
    let mut der = decode(&body);
    let at = der.windows(from.len()).position(|w| w == from).unwrap();
    der[at..at + to.len()].copy_from_slice(to);
    der
}

fn decode(base64: &str) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bits = 0_u32;
    let mut count = 0;
    let mut out = Vec::new();
    for octet in base64.bytes().filter(|octet| *octet != b'=') {
        let value = ALPHABET.iter().position(|a| *a == octet).unwrap();
        bits = (bits << 6) | u32::try_from(value).unwrap();
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count).to_be_bytes()[3]);
        }
    }
    out
}

#[test]
fn too_many_iterations_are_refused_before_they_are_done() {
    // 2048 iterations become 32767 and more.
    let der = with_replaced(
        data!("p256-pbes2-aes256.pem"),
        b"\x02\x02\x08\x00",
        b"\x02\x02\x7f\xff",
    );
    let mut budget = Budget::default();
    budget.max_iterations = 10_000;
    assert_error!(
        PrivateKey::from_pem_or_der_within(&der, &correct(), budget).unwrap_err(),
        Error::BudgetExceeded {
            parameter: "key derivation iteration count",
            found: 32_767,
            limit: 10_000
        }
    );
}

#[test]
fn an_iteration_count_of_zero_is_malformed() {
    let der = with_replaced(
        data!("p256-pbes2-aes256.pem"),
        b"\x02\x02\x08\x00",
        b"\x02\x02\x00\x00",
    );
    assert!(matches!(
        PrivateKey::from_der(&der, &correct()),
        Err(Error::Malformed { .. })
    ));
}

#[test]
fn scrypt_parameters_that_hurt_are_refused() {
    let scrypt = data!("p256-pbes2-scrypt.pem");
    // N = 1024, r = 8, p = 1
    let parameters = b"\x02\x02\x04\x00\x02\x01\x08\x02\x01\x01";
    for (hostile, exceeded) in [
        (b"\x02\x02\x04\x00\x02\x01\x7f\x02\x01\x7f", true), // r = p = 127
        (b"\x02\x02\x00\x00\x02\x01\x08\x02\x01\x01", false), // N = 0
        (b"\x02\x02\x03\xff\x02\x01\x08\x02\x01\x01", false), // N is no power of two
        (b"\x02\x02\x04\x00\x02\x01\x00\x02\x01\x01", false), // r = 0
        (b"\x02\x02\x04\x00\x02\x01\x08\x02\x01\x00", false), // p = 0
    ] {
        let der = with_replaced(scrypt, parameters, hostile);
        match PrivateKey::from_der(&der, &correct()).unwrap_err() {
            Error::BudgetExceeded { .. } => assert!(exceeded),
            Error::Malformed { .. } => assert!(!exceeded),
            other => panic!("{other}"),
        }
    }
}

#[test]
fn an_initialization_vector_of_another_length_is_malformed() {
    // AES-256-CBC becomes AES-256-GCM, whose vector has twelve octets and not sixteen.
    let der = with_replaced(
        data!("p256-pbes2-aes256.pem"),
        b"\x60\x86\x48\x01\x65\x03\x04\x01\x2a",
        b"\x60\x86\x48\x01\x65\x03\x04\x01\x2e",
    );
    assert_eq!(
        PrivateKey::from_der(&der, &correct()).unwrap_err(),
        Error::malformed(
            "private key encryption",
            "initialization vector of another length"
        )
    );
    // In the DEK-Info header of traditional encryption: eight octets for AES.
    let pem = text(data!("p256-traditional-aes-256-cbc.pem"));
    let short = pem.replace("CA366FBF535487F391B791C3EBB1FD38", "CA366FBF535487F3");
    assert_ne!(pem, short);
    assert_eq!(
        PrivateKey::from_pem(short, &correct()).unwrap_err(),
        Error::malformed(
            "private key",
            "initialization vector that is not the cipher's"
        )
    );
}

#[test]
fn octets_after_the_curve_or_the_public_key_of_a_sec1_key_are_refused() {
    let pem = text(data!("ec-params-sec1.pem"));
    let (_, sec1) = pem.split_once("-----BEGIN EC PRIVATE KEY-----").unwrap();
    let sec1: String = sec1.lines().filter(|l| !l.starts_with('-')).collect();
    let good = decode(&sec1);
    PrivateKey::from_der(&good, None).unwrap();
    // SEQUENCE { 1, OCTET STRING, [0] { OID of 8 octets }, [1] { BIT STRING of 66 } }, and a NULL at the end of one.
    for (header, len) in [(b"\xa0\x0a\x06\x08", 0x0a), (b"\xa1\x44\x03\x42", 0x44)] {
        let at = good.windows(4).position(|w| w == header).unwrap();
        let mut der = good.clone();
        der[1] += 2;
        der[at + 1] += 2;
        der.splice(at + 2 + len..at + 2 + len, [0x05, 0x00]);
        assert_error!(
            PrivateKey::from_der(&der, None).unwrap_err(),
            Error::TrailingData {
                what: "private key",
                count: 2
            }
        );
    }
}

// --- Writing ---

#[test]
fn every_kind_of_key_is_read_back_as_it_was_written() {
    for kind in [
        KeyKind::Rsa2048,
        KeyKind::EcP256,
        KeyKind::EcP384,
        KeyKind::EcP521,
        KeyKind::Ed25519,
    ] {
        let key = PrivateKey::generate(kind).unwrap();
        let plain = key.to_pem().unwrap();
        assert!(plain.starts_with("-----BEGIN PRIVATE KEY-----\n"));
        assert_eq!(
            read(plain.as_bytes()).to_pkcs8_der().unwrap(),
            key.to_pkcs8_der().unwrap()
        );

        let passphrase = Passphrase::from("pässwörd \u{1f511}");
        let encrypted = key
            .to_encrypted_pem(&passphrase, KeyEncryption::iterations(1_000))
            .unwrap();
        assert!(encrypted.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"));
        let read = PrivateKey::from_pem(&encrypted, &passphrase).unwrap();
        assert_eq!(read.to_pkcs8_der().unwrap(), key.to_pkcs8_der().unwrap());
    }
}

#[test]
fn what_openssl_wrote_is_written_the_same_way() {
    for pem in [
        data!("rsa2048.pem"),
        data!("rsa2048-primes-1025-1023.pem"),
        data!("p256.pem"),
        data!("p384.pem"),
        data!("p521.pem"),
        data!("ed25519.pem"),
        data!("rsa-pss.pem"),
        data!("rsa-pss-sha384.pem"),
    ] {
        assert_eq!(read(pem).to_pem().unwrap().as_str(), text(pem));
    }
}

#[test]
fn two_encryptions_of_a_key_differ() {
    let key = read(data!("p256.pem"));
    let encrypt = || {
        key.to_encrypted_pem(&correct(), KeyEncryption::iterations(1_000))
            .unwrap()
    };
    assert_ne!(encrypt(), encrypt());
}

#[test]
fn iterations_outside_the_range_are_refused() {
    let key = read(data!("p256.pem"));
    for iterations in [0, 999, 1_000_001, u32::MAX] {
        assert_error!(
            key.to_encrypted_pem(&correct(), KeyEncryption::iterations(iterations))
                .unwrap_err(),
            Error::ParameterOutOfRange {
                parameter: "key derivation iteration count",
                found: iterations.into(),
                min: 1_000,
                max: 1_000_000,
            }
        );
    }
}

#[test]
fn debug_elides_the_key() {
    let key = read(data!("p256.pem"));
    assert_eq!(
        format!("{key:?}"),
        "PrivateKey(ECDSA P-256, [secret key elided])"
    );
}

/// graviola signs wrongly now and then where the smaller prime comes first, and OpenSSL never writes a key so.
#[test]
fn a_generated_or_read_rsa_key_has_its_larger_prime_first() {
    let is_ordered = |key: &PrivateKey| {
        let der = key.to_pkcs8_der().unwrap();
        let numbers = rsa_numbers(&der);
        numbers[3] > numbers[4] // n, e, d, p, q
    };
    for _ in 0..8 {
        assert!(is_ordered(&PrivateKey::generate(KeyKind::Rsa2048).unwrap()));
    }
    // `det-keygen` keeps the order in which it finds the primes.
    let seeded = (0..64_u8)
        .map(|n| {
            KeyGenerator::new(KeyKind::Rsa2048)
                .generate_from_seed(&[n; 16])
                .unwrap()
        })
        .find(|key| !is_ordered(key))
        .unwrap();
    let read = PrivateKey::from_pem(&*seeded.to_pem().unwrap(), None).unwrap();
    assert!(is_ordered(&read));
    assert_eq!(read.public_key(), seeded.public_key());
}

/// The `rsa` crate takes them only where it is told that a prime is longer than half of the modulus.
#[test]
fn an_rsa_key_with_primes_of_different_lengths_signs_as_openssl_does() {
    for (pem, signature) in [
        (
            data!("rsa2048-primes-1025-1023.pem"),
            data!("rsa2048-primes-1025-1023.sig"),
        ),
        (
            data!("rsa2048-primes-948-1100.pem"),
            data!("rsa2048-primes-948-1100.sig"),
        ),
    ] {
        let key = read(pem);
        assert_eq!(key.algorithm(), KeyAlgorithm::Rsa { bits: 2048 });
        assert!(key.rsa_signing_key().is_none());
        let pkcs1 = SignatureAlgorithm::RsaPkcs1(Digest::Sha256);
        assert_eq!(Signer::sign(&key, pkcs1, b"message").unwrap(), signature);
        // `rsa` verifies what it made; OpenSSL judges the scheme above.
        let request = CertificateRequest::builder("/CN=a".parse().unwrap())
            .signature_algorithm(SignatureAlgorithm::RsaPss(Digest::Sha384))
            .sign(&key)
            .unwrap();
        request.verify().unwrap();

        let again = read(key.to_pem().unwrap().as_bytes());
        assert_eq!(again.public_key(), key.public_key());
        assert_eq!(Signer::sign(&again, pkcs1, b"message").unwrap(), signature);
        // One that is damaged is refused as any other.
        let mut damaged = key.to_pkcs8_der().unwrap().to_vec();
        for at in [100, 400, 600] {
            damaged[at] ^= 1;
            assert!(matches!(
                PrivateKey::from_der(&damaged, None),
                Err(Error::InvalidKey { .. })
            ));
            damaged[at] ^= 1;
        }
    }
}

/// The numbers that depend on the key alone are worked out once, and not for each signature.
#[test]
fn what_signs_with_an_rsa_key_is_made_once_and_goes_with_the_last_who_has_it() {
    let key = read(data!("rsa2048.pem"));
    let signer = key.rsa_signing_key().unwrap();
    assert!(Arc::ptr_eq(&signer, &key.rsa_signing_key().unwrap()));
    let weak = Arc::downgrade(&signer);
    let pkcs1 = SignatureAlgorithm::RsaPkcs1(Digest::Sha256);
    Signer::sign(&key, pkcs1, b"message").unwrap();
    assert_eq!(weak.strong_count(), 2); // the key's and ours
    drop(key);
    assert_eq!(weak.strong_count(), 1);
    drop(signer);
    assert!(weak.upgrade().is_none());

    let curve = read(data!("p256.pem"));
    assert!(curve.rsa_signing_key().is_none());
    // PSS alone: it signs, and isn't given out for schemes of the caller's choice.
    let pss = read(data!("rsa-pss.pem"));
    assert!(pss.rsa_signing_key().is_none());
}

/// The numbers of the `RSAPrivateKey` in a PKCS#8 key, padded to one length: n, e, d, p, q and so on.
fn rsa_numbers(pkcs8: &[u8]) -> Vec<Vec<u8>> {
    let (_, outer) = x509_parser::der_parser::parse_der(pkcs8).unwrap();
    let octets = outer.as_sequence().unwrap()[2].as_slice().unwrap();
    let (_, inner) = x509_parser::der_parser::parse_der(octets).unwrap();
    let pad = |number: &[u8]| [vec![0; 1100 - number.len()], number.to_vec()].concat();
    inner
        .as_sequence()
        .unwrap()
        .iter()
        .skip(1)
        .map(|number| pad(number.as_slice().unwrap()))
        .collect()
}

#[test]
fn an_rsa_key_with_a_wrong_exponent_or_coefficient_is_refused() {
    let key = read(data!("rsa2048.pem"));
    let der = key.to_pkcs8_der().unwrap();
    // The coefficient is the last number, behind two exponents of 128 octets each and their headers.
    for from_the_end in [1, 150, 280] {
        let mut wrong = der.to_vec();
        let at = wrong.len() - from_the_end;
        wrong[at] ^= 4;
        assert_error!(
            PrivateKey::from_der(&wrong, None).unwrap_err(),
            Error::InvalidKey {
                reason: "its RSA exponents or coefficient are not those of its primes".to_owned()
            }
        );
    }
}

#[test]
fn what_somebody_took_for_the_file_of_the_key_is_named() {
    let key = PrivateKey::generate(KeyKind::EcP256).unwrap();
    let authority = pki::CertificateAuthority::create_root(
        "/CN=Test CA".parse().unwrap(),
        PrivateKey::generate(KeyKind::EcP256).unwrap(),
        &pki::Profile::root(),
    )
    .unwrap();
    let request = pki::CertificateRequest::builder("/CN=bot".parse().unwrap())
        .sign(&key)
        .unwrap();
    let certificate = authority
        .issue(&request.verify().unwrap(), &pki::Profile::client())
        .unwrap();
    let passphrase = Passphrase::from("secret");
    let bundle = pki::Pkcs12::builder(&key, &certificate)
        .unwrap()
        .iterations(1000)
        .to_der(&passphrase)
        .unwrap();
    // A version 1 certificate has no version in front, and a serial number where a request has its version.
    let v1 = [
        &[0x30, 16][..],
        &[0x30, 9, 2, 1, 9, 0x30, 0, 0x30, 0, 0x30, 0],
        &[0x30, 0, 3, 1, 0],
    ]
    .concat();
    let crl = [
        &[0x30, 16][..],
        &[0x30, 9, 2, 1, 1, 0x30, 0, 0x30, 0, 0x17, 0],
        &[0x30, 0, 3, 1, 0],
    ]
    .concat();
    for (file, found) in [
        (certificate.as_der(), "a certificate"),
        (&v1, "a certificate"),
        (request.as_der(), "a certificate request"),
        (key.public_key().spki_der(), "a public key"),
        (&bundle, "a PKCS#12 file"),
        (&crl, "a certificate revocation list"),
    ] {
        // Whether there is a passphrase for it or not.
        for passphrase in [None, Some(&passphrase)] {
            assert_eq!(
                PrivateKey::from_pem_or_der(file, passphrase).unwrap_err(),
                Error::malformed("private key", format!("it is {found}"))
            );
        }
    }
}
