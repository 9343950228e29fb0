//! Wycheproof's vectors of signature generation (RSASSA-PKCS1-v1_5): what every kernel signs is what they say.

use num_bigint::BigUint;

use super::*;
use crate::published::read;

#[test]
#[ignore = "needs the published vectors"]
fn every_kernel_makes_wycheproofs_signatures() {
    let (mut tested, mut refused) = (0, 0);
    for bits in [2048, 3072, 4096] {
        let json = read(&format!("wycheproof/rsa_pkcs1_{bits}_sig_gen_test.json"));
        for group in json["testGroups"].as_array().unwrap() {
            let hash = match group["sha"].as_str().unwrap() {
                "SHA-256" => Hash::Sha256,
                "SHA-384" => Hash::Sha384,
                "SHA-512" => Hash::Sha512,
                // Signatures with these are never made.
                "SHA-1" | "SHA-224" | "SHA-512/224" | "SHA-512/256" => continue,
                "SHA3-224" | "SHA3-256" | "SHA3-384" | "SHA3-512" => continue,
                other => panic!("{other}"),
            };
            let key = group["privateKeyPkcs8"].as_str().unwrap();
            let numbers = numbers(&octets(key));
            let [n, e, _, p, q, dp, dq, qinv] = numbers.each_ref().map(Vec::as_slice);
            let numbers = Numbers {
                n,
                e,
                p,
                q,
                dp,
                dq,
                qinv,
            };
            // Five keys have primes of different lengths.
            if p.len() != q.len() {
                let error = SigningKey::new(&numbers).unwrap_err();
                assert!(matches!(error, Error::InvalidKey { .. }), "{error:?}");
                refused += 1;
                continue;
            }
            for case in group["tests"].as_array().unwrap() {
                let message = octets(case["msg"].as_str().unwrap());
                let expected = octets(case["sig"].as_str().unwrap());
                for kernel in Kernel::available() {
                    let signer = SigningKey::new(&numbers).unwrap().kernel(kernel).unwrap();
                    let signature = signer.sign(Scheme::Pkcs1v15(hash), &message).unwrap();
                    assert_eq!(signature, expected, "{}, {kernel}", case["tcId"]);
                }
                tested += 1;
            }
        }
    }
    assert_eq!((tested, refused), (72, 5));
}

fn octets(hexadecimal: &str) -> Vec<u8> {
    hexadecimal
        .as_bytes()
        .chunks(2)
        .map(|digits| u8::from_str_radix(str::from_utf8(digits).unwrap(), 16).unwrap())
        .collect()
}

/// The eight integers of the RSAPrivateKey (RFC 8017, appendix A.1.2) at the end of a PKCS #8 structure.
fn numbers(pkcs8: &[u8]) -> [Vec<u8>; 8] {
    // Its outermost SEQUENCE is the second one with a length in two octets, and begins with version 0.
    let start = (1..pkcs8.len() - 7)
        .find(|at| {
            pkcs8[*at..].starts_with(&[0x30, 0x82]) && pkcs8[at + 4..].starts_with(&[2, 1, 0, 2])
        })
        .unwrap();
    let mut rest = &pkcs8[start + 7..];
    core::array::from_fn(|_| {
        let (length, header) = match rest[1] {
            0x81 => (usize::from(rest[2]), 3),
            0x82 => (usize::from(rest[2]) << 8 | usize::from(rest[3]), 4),
            short => (usize::from(short), 2),
        };
        assert_eq!(rest[0], 2);
        let (integer, after) = rest[header..].split_at(length);
        rest = after;
        BigUint::from_bytes_be(integer).to_bytes_be()
    })
}
