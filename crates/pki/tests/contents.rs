//! Finding out what a file is.
#![allow(clippy::unwrap_used, clippy::panic)] // tests

use pki::{
    CertificateAuthority, CertificateRequest, Contents, CrlBuilder, Error, Item, KeyEncryption,
    KeyKind, Passphrase, PrivateKey, Profile,
};

fn key() -> PrivateKey {
    PrivateKey::generate(KeyKind::EcP256).unwrap()
}

fn only(input: &[u8], passphrase: Option<&Passphrase>) -> Item {
    let [item] =
        <[Item; 1]>::try_from(Contents::read(input, passphrase).unwrap().into_items()).unwrap();
    item
}

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
            Item::PrivateKey { key, encrypted: false, .. } if *key.public_key() == public
        ));
    }
}

#[test]
fn files_of_java_are_told_apart() {
    let passphrase = Passphrase::from("correct");
    let p12 = include_bytes!("data/pkcs12/keytool-default.p12");
    assert!(matches!(
        only(p12, Some(&passphrase)),
        Item::Pkcs12(bundle) if bundle.private_keys().len() == 1
    ));
    let jks = include_bytes!("data/trust/keytool-trust.jks");
    assert!(matches!(
        only(jks, Some(&passphrase)),
        Item::Jks(store) if store.certificates().len() == 2
    ));
    // BER with an indefinite length.
    let nss = include_bytes!("data/pkcs12/nss.p12");
    assert!(matches!(only(nss, Some(&passphrase)), Item::Pkcs12(_)));
}

#[test]
fn a_key_that_needed_the_passphrase_is_marked() {
    let key = key();
    let passphrase = Passphrase::from("correct");
    let encrypted = key
        .to_encrypted_pem(&passphrase, KeyEncryption::iterations(1000))
        .unwrap();
    let traditional = include_bytes!("data/keys/p256-traditional-aes-256-cbc.pem");
    for (input, is_encrypted) in [
        (key.to_pem().unwrap().as_bytes(), false),
        (&key.to_pkcs8_der().unwrap(), false),
        (encrypted.as_bytes(), true),
        (traditional, true),
    ] {
        assert!(matches!(
            only(input, Some(&passphrase)),
            Item::PrivateKey { encrypted, .. } if encrypted == is_encrypted
        ));
    }
}

#[test]
fn what_is_encrypted_needs_the_right_passphrase() {
    let wrong = Passphrase::from("wrong");
    for (input, what) in [
        (
            &include_bytes!("data/keys/p256-pbes2-aes256.pem")[..],
            "private key",
        ),
        (
            include_bytes!("data/pkcs12/keytool-default.p12"),
            "PKCS#12 file",
        ),
    ] {
        assert!(matches!(
            Contents::read(input, None),
            Err(Error::PassphraseRequired { what: found, .. }) if found == what
        ));
        assert!(matches!(
            Contents::read(input, &wrong),
            Err(Error::WrongPassphrase { what: found, .. }) if found == what
        ));
    }
}

#[test]
fn pem_is_listed_block_by_block() {
    let leaf = include_str!("data/pkcs12/leaf.crt");
    let key = include_str!("data/pkcs12/leaf.key");
    let other = "-----BEGIN PKCS7-----\nMAA=\n-----END PKCS7-----\n";
    let contents = Contents::read([leaf, other, key].concat().as_bytes(), None).unwrap();
    assert!(contents.is_pem());
    assert!(matches!(
        contents.items(),
        [
            Item::Certificate(_),
            Item::OtherPem { label, .. },
            Item::PrivateKey { encrypted: false, .. },
        ] if label == "PKCS7"
    ));
}

#[test]
fn what_is_nothing_of_the_sort_is_an_error() {
    for garbage in [
        &b"hello\n"[..],
        b"\x30\x82\xff\xff",
        &[0; 100],
        b"",
        b"\x30\x00",
    ] {
        assert!(
            matches!(
                Contents::read(garbage, None),
                Err(Error::Malformed { what: "input", .. })
            ),
            "{garbage:?}"
        );
    }
}
