//! JKS and JCEKS, as keytool of OpenJDK 17 wrote them.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // tests

use pki::{
    Certificate, Error, Integrity, Item, JavaKeystore, KeystoreValue, OpenOptions, Passphrase,
    PrivateKey, TrustStore, open,
};

macro_rules! data {
    ($name:literal) => {
        include_bytes!(concat!("data/", $name)).as_slice()
    };
}

const BOTH: [&[u8]; 2] = [data!("java/keytool.jks"), data!("java/keytool.jceks")];

fn correct() -> Passphrase {
    Passphrase::from("correct")
}

fn opened(options: OpenOptions<'_>, file: &[u8]) -> JavaKeystore {
    match <[Item; 1]>::try_from(options.open(file).unwrap().into_items()) {
        Ok([Item::JavaKeystore(store)]) => store,
        other => panic!("{other:?}"),
    }
}

fn value<'a>(store: &'a JavaKeystore, alias: &str) -> &'a KeystoreValue {
    let mut entries = store.entries().iter();
    &entries.find(|entry| entry.alias == alias).unwrap().value
}

#[test]
fn private_keys_come_with_their_chains() {
    let passphrase = correct();
    let key = PrivateKey::from_pem(data!("pkcs12/leaf.key"), None).unwrap();
    for (file, scheme) in BOTH
        .into_iter()
        .zip(["JKS (SHA-1)", "PBEWithMD5AndTripleDES"])
    {
        let store = opened(OpenOptions::new().passphrase(&passphrase), file);
        assert_eq!(store.integrity(), &Integrity::KeyedDigest);
        let mut entries = store.entries().iter();
        let leaf = entries.find(|entry| entry.alias == "leaf").unwrap();
        assert!(matches!(
            &leaf.value,
            KeystoreValue::PrivateKey { key: found, encryption, .. }
                if found.public_key() == key.public_key() && encryption.starts_with(scheme)
        ));
        let chain: Vec<_> = leaf
            .chain
            .iter()
            .map(|it| it.subject().to_string())
            .collect();
        assert_eq!(
            chain,
            ["O=Example,CN=leaf", "CN=Test Intermediate", "CN=Test Root"]
        );
        assert!(leaf.created.is_some());
    }
}

#[test]
fn trusted_certificates_have_their_aliases() {
    let root = Certificate::from_pem(data!("pkcs12/root.crt")).unwrap();
    for file in BOTH {
        let store = opened(OpenOptions::new(), file);
        assert!(matches!(
            value(&store, "root"),
            KeystoreValue::TrustedCertificate(found) if *found == root
        ));
        let store = TrustStore::read(file, &correct()).unwrap();
        assert!(store.entries().any(|entry| entry == (Some("root"), &root)));
        assert_eq!(store.private_keys(), 3);
    }
}

#[test]
fn a_key_of_another_kind_is_named() {
    let passphrase = correct();
    for file in BOTH {
        let store = opened(OpenOptions::new().passphrase(&passphrase), file);
        assert!(matches!(
            value(&store, "dsa"),
            KeystoreValue::OtherKey(key)
                if key.name == "DSA" && key.encryption.is_some() && key.alias.as_deref() == Some("dsa")
        ));
    }
}

#[test]
fn a_key_with_a_passphrase_of_its_own_stays_closed_without_it() {
    let (keystore, own) = (correct(), Passphrase::from("another"));
    for file in BOTH {
        let store = opened(OpenOptions::new().passphrase(&keystore), file);
        assert!(matches!(
            value(&store, "other"),
            KeystoreValue::Encrypted(closed)
                if closed.error == Error::WrongPassphrase { what: "private key" }
                    && closed.alias.as_deref() == Some("other")
        ));
        // Both passphrases are tried.
        let both = OpenOptions::new()
            .passphrase(&keystore)
            .key_passphrase(&own);
        let store = opened(both, file);
        for alias in ["other", "leaf"] {
            assert!(matches!(
                value(&store, alias),
                KeystoreValue::PrivateKey { .. }
            ));
        }
        // And that of the key is enough for the key.
        let store = opened(OpenOptions::new().key_passphrase(&own), file);
        assert_eq!(store.integrity(), &Integrity::Unchecked);
        assert!(matches!(
            value(&store, "other"),
            KeystoreValue::PrivateKey { .. }
        ));
    }
}

#[test]
fn without_a_passphrase_private_keys_are_shown_as_encrypted() {
    for file in BOTH {
        let contents = open(file, None).unwrap();
        assert_eq!(contents.encrypted().count(), 3);
        let required = Error::PassphraseRequired {
            what: "private key",
        };
        assert_eq!(contents.private_key().unwrap_err(), required);
        assert!(contents.certificates().count() >= 6);
    }
}

#[test]
fn secret_keys_are_passed_over() {
    let passphrase = correct();
    let store = opened(
        OpenOptions::new().passphrase(&passphrase),
        data!("java/keytool.jceks"),
    );
    for alias in ["secret", "hmac"] {
        assert!(matches!(value(&store, alias), KeystoreValue::SecretKey));
    }
    assert!(matches!(
        value(&store, "after"),
        KeystoreValue::TrustedCertificate(_)
    ));
    assert_eq!(store.entries().len(), 7);
}

#[test]
fn an_altered_keystore_is_refused() {
    for file in BOTH {
        for at in (0..file.len()).step_by(97) {
            let mut altered = file.to_vec();
            altered[at] ^= 1;
            assert!(open(&altered, &correct()).is_err(), "{at}");
        }
    }
}

#[test]
fn every_truncated_keystore_is_refused() {
    for file in BOTH {
        for len in 4..file.len() {
            assert!(
                matches!(open(&file[..len], None), Err(Error::Malformed { .. })),
                "{len}"
            );
        }
    }
}
