//! Finding out what a file is, and reading all of it. What other programs wrote is in `data`.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // tests

#[macro_use]
mod support;

use pki::{
    Budget, Certificate, CertificateAuthority, CertificateRequest, Contents, CrlBuilder, Encoding,
    Encrypted, Error, Integrity, Item, KeyEncryption, KeyKind, OpenOptions, OtherKey, Passphrase,
    Pkcs12, PrivateKey, Profile, TrustStore, open,
};

macro_rules! data {
    ($name:literal) => {
        include_bytes!(concat!("data/", $name)).as_slice()
    };
}

fn key() -> PrivateKey {
    PrivateKey::generate(KeyKind::EcP256).unwrap()
}

fn correct() -> Passphrase {
    Passphrase::from("correct")
}

fn certificate(pem: &[u8]) -> Certificate {
    Certificate::from_pem(pem).unwrap()
}

fn only(input: &[u8], passphrase: Option<&Passphrase>) -> Item {
    let [item] = <[Item; 1]>::try_from(open(input, passphrase).unwrap().into_items()).unwrap();
    item
}

fn subjects(contents: &Contents) -> Vec<String> {
    contents
        .certificates()
        .map(|certificate| certificate.subject().to_string())
        .collect()
}

// --- What a file is ---

#[test]
fn each_kind_of_file_is_told_from_the_others_in_pem_and_in_der() {
    let key = key();
    let request = CertificateRequest::builder("/CN=bot".parse().unwrap())
        .sign(&key)
        .unwrap();
    let public = key.public_key().clone();
    let private_der = key.to_pkcs8_der().unwrap();
    let private_pem = key.to_pem().unwrap();
    let ca = CertificateAuthority::create_root("/CN=Root".parse().unwrap(), key, &Profile::root())
        .unwrap();
    let certificate = ca.certificate();

    for input in [certificate.as_der(), certificate.to_pem().as_bytes()] {
        assert!(matches!(only(input, None), Item::Certificate(found) if found == *certificate));
    }
    for input in [request.as_der(), request.to_pem().as_bytes()] {
        assert!(matches!(only(input, None), Item::CertificateRequest(found) if found == request));
    }
    let crl = CrlBuilder::new().sign(&ca).unwrap();
    for input in [crl.as_der(), crl.to_pem().as_bytes()] {
        assert!(matches!(only(input, None), Item::Crl(found) if found == crl));
    }
    for input in [public.spki_der(), public.to_pem().as_bytes()] {
        assert!(matches!(only(input, None), Item::PublicKey(found) if found == public));
    }
    for input in [&private_der[..], private_pem.as_bytes()] {
        assert!(matches!(
            only(input, None),
            Item::PrivateKey { key, encryption: None, .. } if *key.public_key() == public
        ));
    }
}

#[test]
fn files_of_java_are_told_apart() {
    let p12 = data!("pkcs12/keytool-default.p12");
    assert!(matches!(
        only(p12, Some(&correct())),
        Item::Pkcs12(bundle) if bundle.private_keys().len() == 1
    ));
    for (input, format) in [
        (data!("java/keytool.jks"), "JKS"),
        (data!("java/keytool.jceks"), "JCEKS"),
    ] {
        assert!(matches!(
            only(input, Some(&correct())),
            Item::JavaKeystore(store) if store.format() == format
        ));
    }
}

#[test]
fn encodings_are_told_apart() {
    let leaf = data!("pkcs12/leaf.crt");
    let body: String = std::str::from_utf8(leaf)
        .unwrap()
        .lines()
        .filter(|line| !line.starts_with('-'))
        .map(|line| format!("{line}\r\n"))
        .collect();
    for (input, encoding) in [
        (leaf, Encoding::Pem),
        (body.as_bytes(), Encoding::Base64),
        (certificate(leaf).as_der(), Encoding::Der),
        (data!("open/openssl-signed.ber.p7m"), Encoding::Ber),
        (data!("pkcs12/nss.p12"), Encoding::Ber),
        (data!("pkcs12/openssl-default.p12"), Encoding::Der),
        (data!("java/keytool.jks"), Encoding::Java),
    ] {
        let contents = open(input, &correct()).unwrap();
        assert_eq!(contents.encoding(), encoding);
        assert_eq!(contents.items().len(), 1);
    }
    assert!(
        matches!(only(body.as_bytes(), None), Item::Certificate(found) if found == certificate(leaf))
    );
}

#[test]
fn pem_is_listed_block_by_block_whatever_stands_between() {
    let other = b"text\n-----BEGIN DH PARAMETERS-----\nMAA=\n-----END DH PARAMETERS-----\n";
    let file = [
        data!("pkcs12/leaf.crt"),
        other,
        data!("open/openssl-chain.p7b"),
        data!("pkcs12/leaf.key"),
        data!("crls/openssl.crl.pem"),
    ]
    .concat();
    let contents = open(&file, None).unwrap();
    assert!(matches!(
        contents.items(),
        [
            Item::Certificate(_),
            Item::OtherPem { label, .. },
            Item::Pkcs7(_),
            Item::PrivateKey { encryption: None, .. },
            Item::Crl(_),
        ] if label == "DH PARAMETERS"
    ));
}

#[test]
fn der_values_that_follow_each_other_are_listed() {
    let [leaf, root] = [data!("pkcs12/leaf.crt"), data!("pkcs12/root.crt")].map(certificate);
    let key = PrivateKey::from_pem(data!("pkcs12/leaf.key"), None).unwrap();
    let file = [leaf.as_der(), &key.to_pkcs8_der().unwrap(), root.as_der()].concat();
    let contents = open(&file, None).unwrap();
    assert!(matches!(
        contents.items(),
        [
            Item::Certificate(_),
            Item::PrivateKey { .. },
            Item::Certificate(_)
        ]
    ));
    assert_eq!(contents.encoding(), Encoding::Der);
    // What follows and is no value of its own belongs to the first, and is too much.
    let trailing = [leaf.as_der(), b"\0"].concat();
    assert!(open(&trailing, None).is_err());
}

#[test]
fn texts_in_utf_16_and_with_a_mark_are_read_by_every_reader() {
    let text = [
        std::str::from_utf8(data!("pkcs12/leaf.crt")).unwrap(),
        std::str::from_utf8(data!("pkcs12/leaf.key")).unwrap(),
    ]
    .concat();
    let key = PrivateKey::from_pem(&text, None).unwrap();
    let leaf = certificate(text.as_bytes());
    let utf16 = |text: &str, octets: fn(u16) -> [u8; 2]| {
        text.encode_utf16().flat_map(octets).collect::<Vec<_>>()
    };
    let marked = format!("\u{feff}{text}");
    for file in [
        marked.as_bytes().to_vec(),
        utf16(&text, u16::to_le_bytes),
        utf16(&text, u16::to_be_bytes),
        utf16(&marked, u16::to_le_bytes),
        utf16(&marked, u16::to_be_bytes),
    ] {
        let contents = open(&file, None).unwrap();
        assert_eq!(contents.encoding(), Encoding::Pem);
        assert_eq!(
            contents.private_key().unwrap().public_key(),
            key.public_key()
        );
        let found = PrivateKey::from_pem_or_der(&file, None).unwrap();
        assert_eq!(found.public_key(), key.public_key());
        assert_eq!(certificate(&file), leaf);
        let store = TrustStore::read(&file, None).unwrap();
        assert_eq!(store.certificates(), std::slice::from_ref(&leaf));
    }
}

#[test]
fn what_is_nothing_of_the_sort_is_an_error() {
    for garbage in [
        &b"hello\n"[..],
        b"\x30\x82\xff\xff",
        &[0; 100],
        b"",
        b"\x30\x00",
        b"hello hello hell",     // base64 of something else
        b"\xff\xfeh\0e\0l\0l\0", // UTF-16
        b"MAA=",                 // base64 of an empty SEQUENCE
    ] {
        assert!(
            matches!(
                open(garbage, None),
                Err(Error::Malformed { what: "input", .. })
            ),
            "{garbage:?}"
        );
    }
}

#[test]
fn a_public_key_in_pkcs_1_is_one() {
    let pem = data!("open/rsa-public-pkcs1.pem");
    let key = PrivateKey::from_pem(data!("keys/rsa2048.pem"), None).unwrap();
    assert!(matches!(only(pem, None), Item::PublicKey(found) if found == *key.public_key()));
}

// --- What is encrypted ---

#[test]
fn a_key_that_needed_the_passphrase_is_marked_with_the_scheme() {
    let encrypted = key()
        .to_encrypted_pem(&correct(), KeyEncryption::iterations(1000))
        .unwrap();
    for (input, expected) in [
        (key().to_pem().unwrap().as_bytes(), None),
        (&key().to_pkcs8_der().unwrap(), None),
        (
            encrypted.as_bytes(),
            Some("PBES2 (AES-256-CBC, PBKDF2-HMAC-SHA-256, 1000 iterations)"),
        ),
        (
            data!("keys/p256-traditional-aes-256-cbc.pem"),
            Some("AES-256-CBC with a key by MD5"),
        ),
    ] {
        assert!(matches!(
            only(input, Some(&correct())),
            Item::PrivateKey { encryption, .. } if encryption.as_deref() == expected
        ));
    }
}

#[test]
fn what_is_encrypted_is_shown_without_a_passphrase() {
    let file = [
        data!("pkcs12/leaf.crt"),
        data!("keys/p256-pbes2-scrypt.pem"),
        data!("keys/p256-traditional-des-cbc.pem"),
    ]
    .concat();
    let contents = open(&file, None).unwrap();
    assert_eq!(subjects(&contents), ["O=Example,CN=leaf"]);
    let closed: Vec<_> = contents.encrypted().collect();
    let [first, second] = closed[..] else {
        panic!("{closed:?}");
    };
    assert!(first.encryption.starts_with("PBES2 (AES-256-CBC, scrypt"));
    assert_eq!(second.encryption, "DES-CBC with a key by MD5");
    let required = Error::PassphraseRequired {
        what: "private key",
    };
    assert!([first, second].iter().all(|one| one.error == required));
    assert_eq!(contents.private_key().unwrap_err(), required);
    assert_eq!(contents.decrypted().unwrap_err(), required);
}

#[test]
fn pkcs12_without_a_passphrase_shows_what_is_in_the_clear() {
    let required = Error::PassphraseRequired {
        what: "PKCS#12 file",
    };
    let contents = open(data!("pkcs12/openssl-default.p12"), None).unwrap();
    let [Item::Pkcs12(bundle)] = contents.items() else {
        panic!("{contents:?}");
    };
    assert!(bundle.certificates().is_empty());
    assert_eq!(bundle.integrity(), &Integrity::Unchecked);
    let whats: Vec<_> = bundle
        .encrypted()
        .iter()
        .map(|closed| closed.what)
        .collect();
    assert_eq!(whats, ["part of the PKCS#12 file", "private key"]);
    assert_eq!(bundle.encrypted()[1].alias.as_deref(), Some("alias-x"));
    assert_eq!(bundle.private_key().unwrap_err(), required);
    assert_eq!(contents.into_identity().unwrap_err(), required);

    let contents = open(data!("pkcs12/openssl-unencrypted.p12"), None).unwrap();
    assert_eq!(subjects(&contents).len(), 3);
    let contents = contents.decrypted().unwrap();
    assert!(matches!(
        contents.items(),
        [Item::Pkcs12(bundle)] if bundle.integrity() == &Integrity::Unchecked
    ));
}

#[test]
fn a_wrong_passphrase_is_an_error() {
    for (input, what) in [
        (data!("keys/p256-pbes2-aes256.pem"), "private key"),
        (data!("pkcs12/keytool-default.p12"), "PKCS#12 file"),
        (data!("java/keytool.jks"), "JKS file"),
        (data!("java/keytool.jceks"), "JCEKS file"),
    ] {
        assert!(matches!(
            open(input, &Passphrase::from("wrong")),
            Err(Error::WrongPassphrase { what: found, .. }) if found == what
        ));
    }
}

#[test]
fn encryption_that_is_not_implemented_closes_what_it_is_on_and_nothing_else() {
    let file = [
        data!("pkcs12/leaf.crt"),
        data!("keys/p256-pbes2-aria.pem"),
        data!("keys/p256-pbes2-aes256.pem"),
    ]
    .concat();
    let contents = open(&file, &correct()).unwrap();
    assert!(matches!(
        contents.items(),
        [
            Item::Certificate(_),
            Item::Encrypted(Encrypted { encryption, error: Error::UnsupportedScheme { .. }, .. }),
            Item::PrivateKey { .. }
        ] if encryption == "ARIA-256-CBC (1.2.410.200046.1.1.12)"
    ));
    contents.private_key().unwrap();
}

#[test]
fn a_part_of_a_bundle_that_is_not_implemented_does_not_hide_the_others() {
    let contents = open(data!("pkcs12/openssl-seed-key.p12"), &correct()).unwrap();
    let [Item::Pkcs12(bundle)] = contents.items() else {
        panic!("{contents:?}");
    };
    assert_eq!(bundle.certificates().len(), 3);
    let [key] = bundle.encrypted() else {
        panic!("{bundle:?}");
    };
    assert_eq!(key.encryption, "SEED-CBC (1.2.410.200004.1.4)");
    assert!(matches!(key.error, Error::UnsupportedScheme { .. }));
    assert!(matches!(
        contents.private_key(),
        Err(Error::UnsupportedScheme { .. })
    ));
    // Without a passphrase, nobody asks for the MAC either.
    let mac = open(data!("pkcs12/openssl-mac-ripemd160.p12"), None).unwrap();
    assert_eq!(mac.encrypted().count(), 2);
}

#[test]
fn the_budget_is_that_of_the_file_as_a_whole() {
    let key = key()
        .to_encrypted_pem(&correct(), KeyEncryption::iterations(4_000))
        .unwrap();
    let mut budget = Budget::default();
    budget.max_blocks = 10_000;
    let (passphrase, options) = (correct(), OpenOptions::new().budget(budget));
    let options = options.passphrase(&passphrase);
    assert_eq!(
        options
            .open(key.repeat(2).as_bytes())
            .unwrap()
            .items()
            .len(),
        2
    );
    assert!(matches!(
        options.open(key.repeat(3).as_bytes()),
        Err(Error::BudgetExceeded { found: 12_000, .. })
    ));
    budget.max_private_keys = 2;
    assert!(matches!(
        OpenOptions::new()
            .budget(budget)
            .open(data!("open/other-keys.pem")),
        Err(Error::BudgetExceeded {
            found: 3,
            limit: 2,
            ..
        })
    ));
}

// --- Keys of other kinds ---

#[test]
fn keys_of_other_kinds_are_shown_with_the_rest_of_the_file() {
    let contents = open(data!("open/other-keys.pem"), &correct()).unwrap();
    let found: Vec<_> = contents
        .items()
        .iter()
        .map(|item| match item {
            Item::OtherKey(key) => {
                let oid = key.oid.clone().unwrap_or_default();
                (
                    key.name.as_str(),
                    oid,
                    key.is_private,
                    key.encryption.is_some(),
                )
            }
            Item::Certificate(_) => ("certificate", String::new(), false, false),
            other => panic!("{other:?}"),
        })
        .collect();
    let expected = [
        ("DSA", "1.2.840.10040.4.1", true, false),
        ("DSA", "1.2.840.10040.4.1", true, true),
        ("X25519", "1.3.101.110", true, false),
        ("X25519", "1.3.101.110", true, true),
        ("X448", "1.3.101.111", true, false),
        ("Ed448", "1.3.101.113", true, false),
        ("brainpoolP256r1", "1.3.36.3.3.2.8.1.1.7", true, false),
        ("brainpoolP256r1", "1.3.36.3.3.2.8.1.1.7", true, false),
        ("SM2", "1.2.156.10197.1.301", true, false),
        ("DH", "1.2.840.113549.1.3.1", true, false),
        ("ML-DSA-44", "2.16.840.1.101.3.4.3.17", true, false),
        ("DSA", "1.2.840.10040.4.1", false, false),
        ("certificate", "", false, false),
    ];
    let expected = expected
        .map(|(name, oid, is_private, encrypted)| (name, oid.to_owned(), is_private, encrypted));
    assert_eq!(found, expected);
    assert!(matches!(
        contents.private_key(),
        Err(Error::UnsupportedKey { found, .. }) if found == "DSA"
    ));
}

#[test]
fn other_keys_are_named_where_they_are_used_and_where_their_size_is_not_handled() {
    let sec1 = only(data!("keys/secp256k1.pem"), None);
    assert!(matches!(
        sec1,
        Item::OtherKey(OtherKey { name, oid: Some(oid), .. }) if name == "secp256k1" && oid == "1.3.132.0.10"
    ));
    let rsa = only(data!("keys/rsa512.pem"), None);
    assert!(matches!(
        rsa,
        Item::OtherKey(OtherKey { name, oid: None, .. }) if name.starts_with("RSA 512")
    ));
    let dsa = only(data!("open/dsa.der"), None);
    assert!(matches!(dsa, Item::OtherKey(OtherKey { name, .. }) if name == "DSA"));
    let request = only(data!("open/dsa.csr.pem"), None);
    assert!(matches!(
        request,
        Item::OtherRequest(OtherKey { name, is_private: false, .. }) if name == "DSA"
    ));
}

#[test]
fn a_bundle_with_a_key_of_another_kind_opens() {
    let bundle = Pkcs12::open(data!("open/openssl-dsa.p12"), &correct()).unwrap();
    assert_eq!(bundle.certificates().len(), 1);
    let [other] = bundle.other_keys() else {
        panic!("{bundle:?}");
    };
    assert_eq!(other.to_string(), "DSA (1.2.840.10040.4.1)");
    assert!(other.is_private && other.encryption.is_some());
    assert_error!(
        bundle.private_key().unwrap_err(),
        Error::UnsupportedKey {
            found: "DSA".to_owned(),
            oid: Some("1.2.840.10040.4.1".to_owned())
        }
    );
}

// --- PKCS#7 ---

#[test]
fn a_chain_in_pkcs7_gives_its_certificates_and_crls() {
    let contents = open(data!("open/openssl-chain.p7b"), None).unwrap();
    assert_eq!(subjects(&contents), ["O=Example,CN=leaf", "CN=Test Root"]);
    let Item::Pkcs7(pkcs7) = only(data!("open/openssl-crl.der.p7b"), None) else {
        panic!("it is PKCS#7");
    };
    assert_eq!(pkcs7.certificates(), [certificate(data!("crls/ca.crt"))]);
    let crl = pki::Crl::from_pem(data!("crls/openssl.crl.pem")).unwrap();
    assert_eq!(pkcs7.crls(), [crl]);
    assert_eq!((pkcs7.signers(), pkcs7.others()), (0, 0));
}

#[test]
fn signed_content_in_ber_gives_its_certificates_and_says_that_it_is_signed() {
    let Item::Pkcs7(pkcs7) = only(data!("open/openssl-signed.ber.p7m"), None) else {
        panic!("it is PKCS#7");
    };
    assert_eq!(
        pkcs7.certificates(),
        [certificate(data!("pkcs12/leaf.crt"))]
    );
    assert_eq!(pkcs7.signers(), 1);
}

#[test]
fn pkcs7_of_another_kind_is_named() {
    assert!(matches!(
        open(data!("open/openssl-enveloped.p7m"), None),
        Err(Error::UnsupportedScheme { what: "PKCS#7 content", name, .. }) if name == "id-envelopedData"
    ));
}

#[test]
fn every_truncated_pkcs7_file_is_refused() {
    for whole in [
        data!("open/openssl-crl.der.p7b"),
        data!("open/openssl-signed.ber.p7m"),
    ] {
        for len in 1..whole.len() {
            assert!(open(&whole[..len], None).is_err(), "{len}");
        }
    }
}

#[test]
fn trust_stores_are_read_from_pkcs7() {
    for file in [
        data!("open/openssl-chain.p7b"),
        data!("open/openssl-signed.ber.p7m"),
    ] {
        let store = TrustStore::read(file, None).unwrap();
        let leaf = certificate(data!("pkcs12/leaf.crt"));
        assert!(store.certificates().contains(&leaf));
    }
}

// --- What one looks for ---

#[test]
fn a_key_finds_its_certificate_and_chain_in_any_file() {
    let pem = [
        data!("pkcs12/root.crt"),
        data!("pkcs12/leaf.key"),
        data!("pkcs12/inter.crt"),
        data!("pkcs12/leaf.crt"),
    ]
    .concat();
    for file in [&pem, data!("pkcs12/openssl-default.p12")] {
        let (key, chain) = open(file, &correct()).unwrap().into_identity().unwrap();
        let chain: Vec<_> = chain.iter().map(|one| one.subject().to_string()).collect();
        assert_eq!(
            chain,
            ["O=Example,CN=leaf", "CN=Test Intermediate", "CN=Test Root"]
        );
        let leaf = certificate(data!("pkcs12/leaf.crt"));
        assert_eq!(leaf.public_key().unwrap(), *key.public_key());
    }
}

#[test]
fn what_a_file_lacks_is_said_with_what_it_holds() {
    let leaf = open(data!("pkcs12/leaf.crt"), None).unwrap();
    let error = leaf.private_key().unwrap_err();
    assert_eq!(
        error.to_string(),
        "the file holds no private key, only certificate"
    );
    let key = open(data!("pkcs12/leaf.key"), None).unwrap();
    assert!(matches!(
        key.into_identity(),
        Err(Error::NotInFile {
            expected: "certificate for the private key",
            ..
        })
    ));
    let two = [data!("pkcs12/leaf.key"), data!("keys/p256.pem")].concat();
    assert!(matches!(
        open(&two, None).unwrap().private_key(),
        Err(Error::SeveralPrivateKeys { count: 2, .. })
    ));
}
