//! PKCS#12 files in and out, through the public interface. What other programs wrote is in `data/pkcs12`.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // tests

#[macro_use]
mod support;

use std::{env, fs, path::PathBuf};

use pki::{
    Budget, Certificate, Error, Integrity, KeyKind, Passphrase, Pkcs12, Pkcs12Builder, PrivateKey,
};

macro_rules! data {
    ($name:literal) => {
        include_bytes!(concat!("data/pkcs12/", $name)).as_slice()
    };
}

const WRONG: Error = Error::WrongPassphrase {
    what: "PKCS#12 file",
};

fn correct() -> Passphrase {
    Passphrase::from("correct")
}

fn open(der: &[u8]) -> Pkcs12 {
    Pkcs12::open(der, &correct()).unwrap()
}

fn subjects(bundle: &Pkcs12) -> Vec<String> {
    let chain = bundle.chain().unwrap();
    chain.iter().map(|c| c.subject().to_string()).collect()
}

/// The leaf's key, and leaf, intermediate and root.
fn material() -> (PrivateKey, Certificate, Certificate, Certificate) {
    let certificate = |pem| Certificate::from_pem(pem).unwrap();
    (
        PrivateKey::from_pem(data!("leaf.key"), None).unwrap(),
        certificate(data!("leaf.crt")),
        certificate(data!("inter.crt")),
        certificate(data!("root.crt")),
    )
}

fn quick(builder: Pkcs12Builder<'_>) -> Vec<u8> {
    builder.iterations(1_000).to_der(&correct()).unwrap()
}

// --- What others wrote ---

#[test]
fn openssl_files_open_whatever_their_options() {
    let (key, ..) = material();
    for (der, integrity, encryption) in [
        (
            data!("openssl-default.p12"),
            "SHA-256, 2048 iterations",
            "PBES2 (AES-256-CBC, PBKDF2-HMAC-SHA-256, 2048 iterations)",
        ),
        (
            data!("openssl-legacy.p12"),
            "SHA-1, 2048 iterations",
            "PKCS#12 PBE (RC2-40-CBC, SHA-1, 2048 iterations); PKCS#12 PBE (3DES-CBC, SHA-1, 2048 iterations)",
        ),
        (
            data!("openssl-macsha512-iter1.p12"),
            "SHA-512, 1 iterations",
            "PBES2 (AES-256-CBC, PBKDF2-HMAC-SHA-256, 1 iterations)",
        ),
        (
            data!("openssl-3des.p12"),
            "SHA-256, 2048 iterations",
            "PKCS#12 PBE (3DES-CBC, SHA-1, 2048 iterations)",
        ),
        (
            data!("openssl-aes128-192.p12"),
            "SHA-256, 2048 iterations",
            "PBES2 (AES-128-CBC, PBKDF2-HMAC-SHA-256, 2048 iterations); PBES2 (AES-192-CBC, PBKDF2-HMAC-SHA-256, 2048 iterations)",
        ),
        (
            data!("openssl-pbes2-3des.p12"),
            "SHA-256, 2048 iterations",
            "PBES2 (3DES-CBC, PBKDF2-HMAC-SHA-256, 2048 iterations)",
        ),
        (
            data!("openssl-rc2-128.p12"),
            "SHA-1, 2048 iterations",
            "PKCS#12 PBE (RC2-128-CBC, SHA-1, 2048 iterations); PKCS#12 PBE (two-key 3DES-CBC, SHA-1, 2048 iterations)",
        ),
        (
            data!("openssl-unencrypted.p12"),
            "SHA-256, 2048 iterations",
            "",
        ),
        (
            data!("openssl-pbes2-rc2.p12"),
            "SHA-1, 2048 iterations",
            "PBES2 (RC2-128-CBC, PBKDF2-HMAC-SHA-256, 2048 iterations); PBES2 (RC2-40-CBC, PBKDF2-HMAC-SHA-256, 2048 iterations)",
        ),
        (
            data!("openssl-pbes2-rc2-64.p12"),
            "SHA-1, 2048 iterations",
            "PBES2 (RC2-64-CBC, PBKDF2-HMAC-SHA-256, 2048 iterations)",
        ),
        (
            data!("openssl-mac-md5.p12"),
            "MD5, 2048 iterations",
            "PBES2 (AES-128-CBC, PBKDF2-HMAC-SHA-256, 2048 iterations)",
        ),
        (data!("openssl-plain-nomac.p12"), "none", ""),
        (
            data!("openssl-nomac.p12"),
            "none",
            "PBES2 (AES-256-CBC, PBKDF2-HMAC-SHA-256, 2048 iterations)",
        ),
    ] {
        let bundle = open(der);
        assert_eq!(bundle.integrity().to_string(), integrity);
        assert_eq!(bundle.encryption().join("; "), encryption);
        assert_eq!(bundle.alias(), Some("alias-x"));
        assert_eq!(bundle.private_key().unwrap().public_key(), key.public_key());
        // The file has the root before the intermediate.
        assert_eq!(
            subjects(&bundle),
            ["O=Example,CN=leaf", "CN=Test Intermediate", "CN=Test Root"]
        );
    }
}

#[test]
fn a_file_of_nss_opens_though_it_is_ber() {
    assert_eq!(
        subjects(&open(data!("nss.p12"))),
        ["O=Example,CN=leaf", "CN=Test Intermediate", "CN=Test Root"]
    );
}

#[test]
fn files_of_java_open() {
    for der in [data!("keytool-default.p12"), data!("keytool-legacy.p12")] {
        let bundle = open(der);
        assert_eq!(bundle.alias(), Some("java"));
        assert_eq!(subjects(&bundle), ["CN=java"]);
    }
}

#[test]
fn a_file_of_python_opens_with_its_alias_beyond_the_basic_plane() {
    let bundle = open(data!("python.p12"));
    assert_eq!(bundle.alias(), Some("näme\u{1f511}"));
}

#[test]
fn an_empty_passphrase_opens_files_made_with_it_or_without_any() {
    for der in [
        data!("openssl-empty.p12"),
        data!("openssl-empty-legacy.p12"),
        data!("python-plain.p12"),
    ] {
        let bundle = Pkcs12::open(der, &Passphrase::from("")).unwrap();
        assert_eq!(bundle.certificate().unwrap(), &material().1);
        assert_eq!(Pkcs12::open(der, &correct()).unwrap_err(), WRONG);
    }
}

#[test]
fn a_passphrase_that_is_not_ascii_opens_pbes1() {
    let passphrase = Passphrase::from("pässwörd\u{1f511}");
    let bundle = Pkcs12::open(data!("openssl-nonascii.p12"), &passphrase).unwrap();
    assert_eq!(bundle.alias(), Some("Ünï"));
}

#[cfg(feature = "legacy")]
#[test]
fn files_with_rc4_camellia_and_sha_3_open() {
    let (key, ..) = material();
    let aes = "PBES2 (AES-128-CBC, PBKDF2-HMAC-SHA-256, 2048 iterations)";
    for (der, integrity, encryption) in [
        (
            data!("openssl-rc4.p12"),
            "SHA-1",
            "PKCS#12 PBE (RC4-128, SHA-1, 2048 iterations); PKCS#12 PBE (RC4-40, SHA-1, 2048 iterations)",
        ),
        (
            data!("openssl-camellia.p12"),
            "SHA-1",
            "PBES2 (Camellia-128-CBC, PBKDF2-HMAC-SHA-256, 2048 iterations); PBES2 (Camellia-256-CBC, PBKDF2-HMAC-SHA-256, 2048 iterations)",
        ),
        (
            data!("openssl-camellia-192.p12"),
            "SHA-1",
            "PBES2 (Camellia-192-CBC, PBKDF2-HMAC-SHA-256, 2048 iterations)",
        ),
        (data!("openssl-mac-sha3-224.p12"), "SHA3-224", aes),
        (data!("openssl-mac-sha3-256.p12"), "SHA3-256", aes),
        (data!("openssl-mac-sha3-384.p12"), "SHA3-384", aes),
        (data!("openssl-mac-sha3-512.p12"), "SHA3-512", aes),
    ] {
        let bundle = open(der);
        let expected = format!("{integrity}, 2048 iterations");
        assert_eq!(bundle.integrity().to_string(), expected);
        assert_eq!(bundle.encryption().join("; "), encryption);
        assert_eq!(bundle.private_key().unwrap().public_key(), key.public_key());
        assert_eq!(subjects(&bundle).len(), 3);
        let wrong = Passphrase::from("wrong");
        assert_eq!(Pkcs12::open(der, &wrong).unwrap_err(), WRONG);
    }
}

#[test]
fn a_key_for_rsassa_pss_alone_opens() {
    let bundle = open(data!("openssl-pss.p12"));
    assert_eq!(
        bundle.private_key().unwrap().algorithm().to_string(),
        "RSASSA-PSS 2048 with SHA-384"
    );
    bundle.certificate().unwrap();
}

/// The MAC tells a wrong passphrase before anybody asks for the scheme.
#[test]
fn schemes_that_are_not_read_are_named_once_the_passphrase_is_right() {
    for (der, name) in [
        (data!("openssl-aria.p12"), "ARIA-128-CBC"),
        (data!("openssl-seed-key.p12"), "SEED-CBC"),
        #[cfg(not(feature = "legacy"))]
        (data!("openssl-rc4.p12"), "pbeWithSHAAnd128BitRC4"),
        #[cfg(not(feature = "legacy"))]
        (data!("openssl-camellia.p12"), "Camellia-128-CBC"),
    ] {
        assert!(matches!(
            Pkcs12::open(der, &correct()),
            Err(Error::UnsupportedScheme { what: "PKCS#12 encryption", name: found, .. }) if found == name
        ));
        let wrong = Passphrase::from("wrong");
        assert_eq!(Pkcs12::open(der, &wrong).unwrap_err(), WRONG);
    }
}

/// Where the MAC can't be checked, not even its passphrase is known to be right.
#[test]
fn a_mac_that_is_not_implemented_is_named() {
    for passphrase in ["correct", "wrong"] {
        assert!(matches!(
            Pkcs12::open(data!("openssl-mac-ripemd160.p12"), &Passphrase::from(passphrase)),
            Err(Error::UnsupportedScheme { what: "PKCS#12 MAC", name, .. }) if name == "RIPEMD-160"
        ));
    }
}

#[test]
#[ignore = "needs the published vectors in COUNTERSIGN_VECTORS or ../shared/vectors"]
fn published_vectors_behave_as_published() {
    let vectors = env::var_os("COUNTERSIGN_VECTORS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors"),
        PathBuf::from,
    );
    let read = |name: &str| fs::read(vectors.join(name)).unwrap();

    let bundle = Pkcs12::open(
        &read("symphony/identity.p12"),
        &Passphrase::from("password"),
    )
    .unwrap();
    assert_eq!(
        bundle.certificate().unwrap().subject().common_name(),
        Some("bot")
    );

    let open = |name| Pkcs12::open(&read(name), &Passphrase::from("1234"));
    for (name, digest) in [
        ("rfc9579/a1.p12", "SHA-256 (PBMAC1)"),
        ("rfc9579/a2.p12", "SHA-256 (PBMAC1)"),
        ("rfc9579/a3.p12", "SHA-512 (PBMAC1)"),
    ] {
        let expected = Integrity::Mac {
            digest: digest.to_owned(),
            iterations: 2048,
        };
        assert_eq!(open(name).unwrap().integrity(), &expected, "{name}");
    }
    assert_eq!(open("rfc9579/a4.p12").unwrap_err(), Error::MacMismatch);
    assert_eq!(open("rfc9579/a5.p12").unwrap_err(), Error::MacMismatch);
    assert!(matches!(
        open("rfc9579/a6.p12"),
        Err(Error::Malformed {
            what: "PKCS#12 MAC",
            ..
        })
    ));
}

#[test]
fn a_mac_with_a_short_key_vouches_for_nothing() {
    let (key, leaf, ..) = material();
    let builder = Pkcs12::builder(&key, &leaf).unwrap();
    let der = quick(builder.profile(pki::Pkcs12Profile::Pbmac1));
    // The last INTEGER of 32 is the length of the MAC's key (RFC 8018, appendix A.2).
    let mut lengths = der.windows(3);
    let at = lengths.rposition(|window| window == [2, 1, 32]).unwrap() + 2;
    let with_length = |length| {
        let mut der = der.clone();
        der[at] = length;
        Pkcs12::open(&der, &correct()).unwrap_err()
    };
    for refused in [1, 19] {
        let error = with_length(refused);
        assert!(
            matches!(
                error,
                Error::Malformed {
                    what: "PKCS#12 MAC",
                    ..
                }
            ),
            "{refused}: {error:?}"
        );
    }
    assert_eq!(with_length(20), Error::MacMismatch);
}

// --- What a file may lack ---

#[test]
fn a_file_without_a_key_says_so() {
    for der in [data!("openssl-nokeys.p12"), data!("keytool-trust.p12")] {
        let bundle = open(der);
        assert!(!bundle.certificates().is_empty());
        let lacks = Error::Pkcs12Lacks {
            what: "private key",
        };
        assert_eq!(bundle.private_key().unwrap_err(), lacks);
        assert_eq!(bundle.into_identity().unwrap_err(), lacks);
    }
}

#[test]
fn a_file_without_a_certificate_says_so() {
    let bundle = open(data!("openssl-nocerts.p12"));
    bundle.private_key().unwrap();
    assert_eq!(
        bundle.chain().unwrap_err(),
        Error::Pkcs12Lacks {
            what: "certificate for the private key"
        }
    );
}

#[test]
fn a_file_with_two_keys_says_so() {
    let bundle = open(data!("keytool-two.p12"));
    assert_eq!(bundle.private_keys().len(), 2);
    assert_error!(
        bundle.certificate().unwrap_err(),
        Error::Pkcs12SeveralKeys { count: 2 }
    );
}

// --- Wrong passphrases, damage, hostility ---

#[test]
fn a_wrong_passphrase_is_told() {
    for der in [
        data!("openssl-default.p12"),
        data!("openssl-legacy.p12"),
        data!("openssl-nomac.p12"),
        data!("openssl-unencrypted.p12"),
        data!("keytool-default.p12"),
    ] {
        for wrong in ["", "Correct", "\u{1f511}"] {
            assert_eq!(
                Pkcs12::open(der, &Passphrase::from(wrong)).unwrap_err(),
                WRONG
            );
        }
    }
}

#[test]
fn a_damaged_mac_is_told_apart_from_a_wrong_passphrase() {
    for original in [data!("openssl-default.p12"), data!("openssl-legacy.p12")] {
        // The digest, the salt and the iterations are the last of the file.
        let mut der = original.to_vec();
        let digest = der.len() - 20;
        der[digest] ^= 1;
        assert_eq!(
            Pkcs12::open(&der, &correct()).unwrap_err(),
            Error::MacMismatch
        );
        assert_eq!(
            Pkcs12::open(&der, &Passphrase::from("wrong")).unwrap_err(),
            WRONG
        );
    }
}

#[test]
fn altered_contents_are_told() {
    let mut der = data!("openssl-default.p12").to_vec();
    // Within the ciphertext of the certificates.
    der[600] ^= 1;
    assert_eq!(
        Pkcs12::open(&der, &correct()).unwrap_err(),
        Error::MacMismatch
    );
}

#[test]
fn a_truncated_or_extended_file_is_refused() {
    let der = data!("openssl-default.p12");
    for len in [0, 1, 100, der.len() - 1] {
        assert!(matches!(
            Pkcs12::open(&der[..len], &correct()),
            Err(Error::Malformed { .. })
        ));
    }
    let mut longer = der.to_vec();
    longer.push(0);
    assert_error!(
        Pkcs12::open(&longer, &correct()).unwrap_err(),
        Error::TrailingData {
            what: "PKCS#12 file",
            count: 1
        }
    );
}

#[test]
fn a_file_beyond_the_size_limit_is_refused() {
    assert!(matches!(
        Pkcs12::open(&vec![0x30; (4 << 20) + 1], &correct()),
        Err(Error::TooLarge { .. })
    ));
}

#[test]
fn the_work_of_the_whole_file_is_limited_before_any_is_done() {
    // A MAC of one block, and two encryptions of one block.
    let mut budget = Budget::default();
    budget.max_blocks = 3 * 2048;
    Pkcs12::open_within(data!("openssl-default.p12"), &correct(), budget).unwrap();
    budget.max_blocks -= 1;
    assert_error!(
        Pkcs12::open_within(data!("openssl-default.p12"), &correct(), budget).unwrap_err(),
        Error::BudgetExceeded {
            parameter: "key derivation work in hash blocks",
            found: 3 * 2048,
            limit: 3 * 2048 - 1,
        }
    );
    budget.max_iterations = 2047;
    assert_error!(
        Pkcs12::open_within(data!("openssl-default.p12"), &correct(), budget).unwrap_err(),
        Error::BudgetExceeded {
            parameter: "key derivation iteration count",
            found: 2048,
            limit: 2047,
        }
    );
}

#[test]
fn size_and_nesting_are_the_callers_to_limit() {
    let der = data!("openssl-default.p12");
    let mut budget = Budget::default();
    budget.max_size = der.len();
    Pkcs12::open_within(der, &correct(), budget).unwrap();
    budget.max_size -= 1;
    assert_error!(
        Pkcs12::open_within(der, &correct(), budget).unwrap_err(),
        Error::TooLarge {
            what: "PKCS#12 file",
            found: der.len(),
            limit: der.len() - 1
        }
    );
    let mut budget = Budget::default();
    budget.max_nesting = 3;
    assert_error!(
        Pkcs12::open_within(der, &correct(), budget).unwrap_err(),
        Error::NestedTooDeeply {
            what: "PKCS#12 file",
            limit: 3
        }
    );
}

// --- Writing ---

#[test]
fn what_is_written_is_read_back() {
    let (key, leaf, inter, root) = material();
    for passphrase in ["correct", "", "pässwörd\u{1f511}"] {
        let passphrase = Passphrase::from(passphrase);
        let der = Pkcs12::builder(&key, &leaf)
            .unwrap()
            .chain([&root, &inter])
            .alias("Ünï\u{1f511}")
            .iterations(1_000)
            .to_der(&passphrase)
            .unwrap();
        let bundle = Pkcs12::open(&der, &passphrase).unwrap();
        assert_eq!(bundle.alias(), Some("Ünï\u{1f511}"));
        assert_eq!(
            bundle.certificates(),
            [leaf.clone(), inter.clone(), root.clone()]
        );
        assert_eq!(
            bundle.integrity(),
            &Integrity::Mac {
                digest: "SHA-256".to_owned(),
                iterations: 1_000
            }
        );
        let (read, chain) = bundle.into_identity().unwrap();
        assert_eq!(read.to_pkcs8_der().unwrap(), key.to_pkcs8_der().unwrap());
        assert_eq!(chain, [leaf.clone(), inter.clone(), root.clone()]);
    }
}

#[test]
fn p12_keystore_reads_what_is_written() {
    let (key, leaf, inter, root) = material();
    let der = quick(
        Pkcs12::builder(&key, &leaf)
            .unwrap()
            .chain([&inter, &root])
            .alias("alias-x"),
    );
    let archive = p12_keystore::Pkcs12Archive::from_pkcs12(&der, "correct").unwrap();
    assert_eq!(archive.keys.len(), 1);
    assert_eq!(
        archive.keys[0].key.as_der(),
        key.to_pkcs8_der().unwrap().as_slice()
    );
    assert_eq!(archive.keys[0].friendly_name.as_deref(), Some("alias-x"));
    let certificates: Vec<_> = archive.certs.iter().map(|bag| bag.cert.as_der()).collect();
    assert_eq!(certificates, [leaf.as_der(), inter.as_der(), root.as_der()]);
    // The alias and the localKeyId are on the leaf, and on no other certificate.
    assert_eq!(archive.certs[0].friendly_name.as_deref(), Some("alias-x"));
    assert_eq!(
        archive.certs[0].local_key_id.as_deref(),
        archive.keys[0].local_key_id.as_ref().map(AsRef::as_ref)
    );
    assert_eq!(archive.certs[1].friendly_name, None);
    assert_eq!(archive.certs[1].local_key_id, None);
}

#[test]
fn a_key_that_is_not_the_certificates_is_refused() {
    let (_, leaf, ..) = material();
    let other = PrivateKey::generate(KeyKind::EcP256).unwrap();
    assert_error!(
        Pkcs12::builder(&other, &leaf).unwrap_err(),
        Error::KeyMismatch {
            subject: "O=Example,CN=leaf".to_owned()
        }
    );
}

#[test]
fn a_certificate_from_elsewhere_is_refused() {
    let (key, leaf, inter, root) = material();
    let java = open(data!("keytool-default.p12"));
    let error = Pkcs12::builder(&key, &leaf)
        .unwrap()
        .chain([java.certificate().unwrap(), &inter, &root])
        .iterations(1_000)
        .to_der(&correct())
        .unwrap_err();
    assert_error!(
        error,
        Error::NotInChain {
            subject: "CN=java".to_owned(),
            leaf: "O=Example,CN=leaf".to_owned(),
            missing: None,
        }
    );
}

#[test]
fn a_root_without_what_is_between_is_refused_for_what_is_missing() {
    let (key, leaf, inter, root) = material();
    let result = Pkcs12::builder(&key, &leaf)
        .unwrap()
        .chain([&root])
        .iterations(1_000)
        .to_der(&correct());
    assert_error!(
        result.unwrap_err(),
        Error::NotInChain {
            subject: root.subject().to_string(),
            leaf: leaf.subject().to_string(),
            missing: Some(inter.subject().to_string()),
        }
    );
}

#[test]
fn repeats_and_the_leaf_itself_are_written_once() {
    let (key, leaf, inter, _) = material();
    let der = quick(
        Pkcs12::builder(&key, &leaf)
            .unwrap()
            .chain([&inter, &leaf, &inter]),
    );
    assert_eq!(open(&der).certificates(), [leaf, inter]);
}

#[test]
fn iterations_outside_the_range_are_refused() {
    let (key, leaf, ..) = material();
    for iterations in [0, 999, 1_000_001] {
        let result = Pkcs12::builder(&key, &leaf)
            .unwrap()
            .iterations(iterations)
            .to_der(&correct());
        assert!(matches!(result, Err(Error::ParameterOutOfRange { .. })));
    }
}

#[test]
fn no_alias_and_an_empty_one_are_the_same() {
    let (key, leaf, ..) = material();
    for builder in [
        Pkcs12::builder(&key, &leaf).unwrap(),
        Pkcs12::builder(&key, &leaf).unwrap().alias(""),
    ] {
        assert_eq!(open(&quick(builder)).alias(), None);
    }
}

#[test]
fn debug_elides_the_key() {
    let text = format!("{:?}", open(data!("openssl-default.p12")));
    assert!(text.contains("[secret key elided]"), "{text}");
}
