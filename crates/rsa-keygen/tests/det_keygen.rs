//! The published vectors of C2SP det-keygen, byte for byte, from every kernel and several numbers of threads.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // a test

use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rsa_keygen::{Error, Generator, Kernel, RsaKey};

fn vectors() -> Vec<(usize, Vec<u8>, Vec<u8>)> {
    let root = std::env::var_os("COUNTERSIGN_VECTORS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors"),
        PathBuf::from,
    );
    let text = std::fs::read_to_string(root.join("det-keygen/rsa.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
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

#[test]
#[ignore = "needs the published vectors"]
fn every_kernel_and_any_number_of_threads_derives_the_published_keys() {
    let vectors = vectors();
    assert!(vectors.len() >= 11);
    for (bits, seed, expected) in vectors {
        for kernel in Kernel::available() {
            for threads in [1, 2, 5] {
                let key = Generator::new(bits)
                    .kernel(kernel)
                    .threads(threads)
                    .generate_from_seed(&seed)
                    .unwrap();
                assert!(
                    pkcs8(&key) == expected,
                    "{bits} bits, {kernel}, {threads} threads"
                );
            }
        }
    }
}

#[test]
fn a_short_seed_is_refused() {
    let error = rsa_keygen::generate_from_seed(2048, &[0; 15]).unwrap_err();
    assert_eq!(
        error,
        Error::SeedTooShort {
            length: 15,
            minimum: 16
        }
    );
}
