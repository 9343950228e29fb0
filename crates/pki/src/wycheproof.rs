//! Wycheproof's vectors: signatures, PBKDF2 and PBES2.
//!
//! Each case must come out as published, but for those that are listed as exceptions, each with its reason. An exception
//! that comes out as published fails, too: then its reason is gone.

use std::{env, fs, path::PathBuf};

use kernels::sha256::Kernel;
use serde_json::Value;

use crate::{
    Budget, Digest, Passphrase, PublicKey, SignatureAlgorithm,
    budget::Spending,
    der::{self as tlv, Reader},
    kdf::{Derivation, Function, Hash, derive_with},
    key::signature::{Identified, verify},
    pbe::{Password, Scheme},
};

/// "MissingNull" of PKCS#1 v1.5: a DigestInfo whose algorithm has no NULL. Wycheproof calls it acceptable; it is refused
/// here. RFC 8017, section 8.2.2 compares the whole encoded message with the one that a signer would make, so that
/// nothing in it is parsed (Bleichenbacher 2006).
const ACCEPTABLE: [(&str, u64); 2] = [
    ("rsa_signature_2048_sha256_test.json", 8),
    ("rsa_signature_4096_sha512_test.json", 8),
];

#[test]
#[ignore = "needs the published vectors in COUNTERSIGN_VECTORS or ../shared/vectors"]
fn signatures_verify_where_the_vectors_say_so() {
    for (file, algorithm, count) in [
        (
            "rsa_signature_2048_sha256_test.json",
            SignatureAlgorithm::RsaPkcs1(Digest::Sha256),
            259,
        ),
        (
            "rsa_signature_4096_sha512_test.json",
            SignatureAlgorithm::RsaPkcs1(Digest::Sha512),
            259,
        ),
        (
            "ecdsa_secp256r1_sha256_test.json",
            SignatureAlgorithm::Ecdsa(Digest::Sha256),
            484,
        ),
        (
            "ecdsa_secp384r1_sha384_test.json",
            SignatureAlgorithm::Ecdsa(Digest::Sha384),
            504,
        ),
        (
            "ecdsa_secp521r1_sha512_test.json",
            SignatureAlgorithm::Ecdsa(Digest::Sha512),
            542,
        ),
        (
            "rsa_pss_2048_sha256_mgf1_32_params_test.json",
            SignatureAlgorithm::RsaPss(Digest::Sha256),
            108,
        ),
        ("ed25519_test.json", SignatureAlgorithm::Ed25519, 151),
    ] {
        let mut seen = 0;
        for group in groups(file) {
            let key = PublicKey::from_spki_der(&hex(&group["publicKeyDer"])).unwrap();
            for case in cases(&group) {
                let id = case["tcId"].as_u64().unwrap();
                let expected = match case["result"].as_str().unwrap() {
                    "valid" => true,
                    "acceptable" => {
                        assert!(ACCEPTABLE.contains(&(file, id)), "{file} {id}: decide it");
                        false
                    }
                    _ => false,
                };
                let verified = verify(&key, algorithm, &hex(&case["msg"]), &hex(&case["sig"]));
                assert_eq!(verified, expected, "{file} {id}: {}", case["comment"]);
                seen += 1;
            }
        }
        assert_eq!(seen, count, "{file}");
    }
}

/// The file has each pair of hash functions with each of six salts, in the AlgorithmIdentifier of the key, which is that of
/// the signature too: with one hash function of the three and any salt it verifies, and everything else is named.
#[test]
#[ignore = "needs the published vectors in COUNTERSIGN_VECTORS or ../shared/vectors"]
fn pss_verifies_with_the_parameters_that_are_supported_and_names_the_others() {
    let (mut verified, mut named) = (0, 0);
    for group in groups("rsa_pss_misc_params_test.json") {
        let spki = hex(&group["publicKeyDer"]);
        let mut fields = Reader::enter(&spki, tlv::SEQUENCE, "test").unwrap();
        let identifier = fields.read().unwrap().raw;
        let key = fields.read().unwrap().raw;
        let names = ["sha", "mgfSha"].map(|name| group[name].as_str().unwrap());
        let supported = names[0] == names[1] && !["SHA-1", "SHA-224"].contains(&names[0]);
        let identified = Identified::read(identifier);
        let limited = PublicKey::from_spki_der(&spki);
        if !supported {
            let description = format!("RSASSA-PSS with {}", names[0]);
            for error in [identified.unwrap_err(), limited.unwrap_err()] {
                assert!(error.to_string().contains(&description), "{error}");
            }
            named += 1;
            continue;
        }
        let salt_len = group["sLen"].as_u64().unwrap();
        let digest_len = names[0]
            .strip_prefix("SHA-")
            .unwrap()
            .parse::<u64>()
            .unwrap()
            / 8;
        assert_eq!(
            limited.is_ok(),
            salt_len <= digest_len,
            "{names:?} {salt_len}"
        );
        let rsa = tlv::sequence(&[
            &tlv::oid(&const_oid::db::rfc5912::RSA_ENCRYPTION),
            tlv::ENCODED_NULL,
        ]);
        let unlimited = PublicKey::from_spki_der(&tlv::sequence(&[&rsa, key])).unwrap();
        for case in cases(&group) {
            let [message, signature] = ["msg", "sig"].map(|name| hex(&case[name]));
            let identified = identified.clone().unwrap();
            assert_eq!(case["result"], "valid");
            for key in [Some(&unlimited), limited.as_ref().ok()]
                .into_iter()
                .flatten()
            {
                assert!(
                    verify(key, identified, &message, &signature),
                    "{} {names:?} {salt_len}",
                    case["tcId"]
                );
            }
            verified += 1;
        }
    }
    assert_eq!((verified, named), (18, 132));
}

#[test]
#[ignore = "needs the published vectors in COUNTERSIGN_VECTORS or ../shared/vectors"]
fn pbkdf2_derives_what_the_vectors_say() {
    for (file, hash, count) in [
        ("pbkdf2_hmacsha1_test.json", Hash::Sha1, 64),
        ("pbkdf2_hmacsha224_test.json", Hash::Sha224, 58),
        ("pbkdf2_hmacsha256_test.json", Hash::Sha256, 60),
        ("pbkdf2_hmacsha384_test.json", Hash::Sha384, 58),
        ("pbkdf2_hmacsha512_test.json", Hash::Sha512, 58),
    ] {
        let mut seen = 0;
        for case in groups(file).iter().flat_map(cases) {
            seen += 1;
            let iterations = u32::try_from(case["iterationCount"].as_u64().unwrap()).unwrap();
            let expected = hex(&case["dk"]);
            let charged = Spending::new(Budget::default()).charge(iterations, 1);
            // No file may ask for the sixteen million iterations of RFC 6070.
            let is_large = flags(&case).contains(&"LargeIterationCount");
            assert_eq!(charged.is_err(), is_large, "{file} {}", case["tcId"]);
            if !is_large {
                let [password, salt] = ["password", "salt"].map(|name| hex(&case[name]));
                let derivation = Derivation {
                    function: Function::Pbkdf2,
                    hash,
                    password: &password,
                    salt: &salt,
                    iterations,
                    key_len: expected.len(),
                };
                // Alone, and side by side with another one.
                for kernel in Kernel::available() {
                    for company in 0..=1 {
                        let company = vec![derivation; company];
                        let (key, keys) = derive_with(kernel, derivation, company);
                        for key in keys.iter().chain([&key]) {
                            assert_eq!(**key, expected, "{file} {}, {kernel:?}", case["tcId"]);
                        }
                    }
                }
            }
        }
        assert_eq!(seen, count, "{file}");
    }
}

#[test]
#[ignore = "needs the published vectors in COUNTERSIGN_VECTORS or ../shared/vectors"]
fn pbes2_opens_what_the_vectors_encrypted() {
    // The object identifiers of the HMAC and the cipher.
    for (file, hmac, cipher) in [
        (
            "pbes2_hmacsha1_aes_128_test.json",
            "1.2.840.113549.2.7",
            "2.16.840.1.101.3.4.1.2",
        ),
        (
            "pbes2_hmacsha256_aes_256_test.json",
            "1.2.840.113549.2.9",
            "2.16.840.1.101.3.4.1.42",
        ),
    ] {
        let (mut opened, mut not_text) = (0, 0);
        for case in groups(file).iter().flat_map(cases) {
            // A passphrase is a text here, and a key file takes its UTF-8 octets.
            let Ok(password) = String::from_utf8(hex(&case["password"])) else {
                not_text += 1;
                continue;
            };
            let iterations = case["iterationCount"].as_u64().unwrap();
            let identifier = pbes2(
                hmac,
                cipher,
                &hex(&case["salt"]),
                iterations,
                &hex(&case["iv"]),
            );
            let identifier = Reader::new(&identifier, "test")
                .value(tlv::SEQUENCE)
                .unwrap();
            let scheme = Scheme::read(identifier, "test").unwrap();
            let passphrase = Passphrase::new(password);
            let plaintext = scheme
                .decrypt(&Password::new(&passphrase), None, &hex(&case["ct"]))
                .unwrap();
            assert_eq!(
                *plaintext.unwrap(),
                hex(&case["msg"]),
                "{file} {}",
                case["tcId"]
            );
            opened += 1;
        }
        assert_eq!((opened, not_text), (63, 21), "{file}");
    }
}

/// The AlgorithmIdentifier of PBES2 (RFC 8018, appendix A.4).
fn pbes2(hmac: &str, cipher: &str, salt: &[u8], iterations: u64, iv: &[u8]) -> Vec<u8> {
    let oid = |dotted: &str| tlv::oid(&const_oid::ObjectIdentifier::new_unwrap(dotted));
    let pbkdf2 = tlv::sequence(&[
        &tlv::tlv(tlv::OCTET_STRING, &[salt]),
        &tlv::uint(iterations),
        &tlv::sequence(&[&oid(hmac), tlv::ENCODED_NULL]),
    ]);
    tlv::sequence(&[
        &oid("1.2.840.113549.1.5.13"),
        &tlv::sequence(&[
            &tlv::sequence(&[&oid("1.2.840.113549.1.5.12"), &pbkdf2]),
            &tlv::sequence(&[&oid(cipher), &tlv::tlv(tlv::OCTET_STRING, &[iv])]),
        ]),
    ])
}

fn groups(file: &str) -> Vec<Value> {
    let vectors = env::var_os("COUNTERSIGN_VECTORS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors"),
        PathBuf::from,
    );
    let path = vectors.join("wycheproof").join(file);
    let text = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let json: Value = serde_json::from_slice(&text).unwrap();
    json["testGroups"].as_array().unwrap().clone()
}

fn cases(group: &Value) -> Vec<Value> {
    group["tests"].as_array().unwrap().clone()
}

fn flags(case: &Value) -> Vec<&str> {
    let flags = case["flags"].as_array().unwrap();
    flags.iter().filter_map(Value::as_str).collect()
}

fn hex(value: &Value) -> Vec<u8> {
    base16ct::lower::decode_vec(value.as_str().unwrap()).unwrap()
}
