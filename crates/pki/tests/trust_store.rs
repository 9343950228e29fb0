//! Trust stores in every format that is read. What Java wrote is in `data/trust`.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // tests

#[macro_use]
mod support;

use pki::{Certificate, Error, Integrity, Passphrase, TrustStore};

macro_rules! data {
    ($name:literal) => {
        include_bytes!(concat!("data/", $name)).as_slice()
    };
}

fn correct() -> Passphrase {
    Passphrase::from("correct")
}

fn root() -> Certificate {
    Certificate::from_pem(data!("pkcs12/root.crt")).unwrap()
}

fn inter() -> Certificate {
    Certificate::from_pem(data!("pkcs12/inter.crt")).unwrap()
}

fn aliases(store: &TrustStore) -> Vec<Option<&str>> {
    store.entries().map(|(alias, _)| alias).collect()
}

#[test]
fn pem_is_read_block_by_block() {
    let pem = [data!("pkcs12/root.crt"), data!("pkcs12/inter.crt")].concat();
    let store = TrustStore::read(&pem, None).unwrap();
    assert_eq!(store.certificates(), [root(), inter()]);
    assert_eq!(aliases(&store), [None, None]);
    assert_eq!(store.integrity(), &Integrity::Absent);
}

#[test]
fn one_bad_certificate_does_not_spoil_the_rest() {
    let bad = "-----BEGIN CERTIFICATE-----\nMAMCAQU=\n-----END CERTIFICATE-----\n";
    let pem = [bad.as_bytes(), data!("pkcs12/root.crt")].concat();
    let store = TrustStore::read(&pem, None).unwrap();
    assert_eq!(store.certificates(), [root()]);
    assert_eq!(store.unreadable().len(), 1);
    assert_error!(
        TrustStore::read(bad.as_bytes(), None).unwrap_err(),
        Error::NoTrustedCertificate {
            private_keys: 0,
            unreadable: 1
        }
    );
}

#[test]
fn der_is_one_certificate() {
    let store = TrustStore::read(root().as_der(), None).unwrap();
    assert_eq!(store.certificates(), [root()]);
}

#[test]
fn jks_is_read_with_its_aliases_and_its_digest_is_checked() {
    let store = TrustStore::read(data!("trust/keytool-trust.jks"), &correct()).unwrap();
    let mut entries: Vec<_> = store.entries().collect();
    entries.sort_by_key(|(alias, _)| *alias);
    // Java turns aliases into lower case.
    assert_eq!(
        entries,
        [(Some("root"), &root()), (Some("ünï\u{1f511}"), &inter())]
    );
    assert_eq!(store.integrity(), &Integrity::KeyedDigest);

    let unchecked = TrustStore::read(data!("trust/keytool-trust.jks"), None).unwrap();
    assert_eq!(unchecked.integrity(), &Integrity::Unchecked);
    assert_eq!(unchecked.certificates(), store.certificates());
}

#[test]
fn a_jks_file_under_another_passphrase_or_altered_is_refused() {
    let wrong = Error::WrongPassphrase { what: "JKS file" };
    let original = data!("trust/keytool-trust.jks");
    assert_eq!(
        TrustStore::read(original, &Passphrase::from("wrong")).unwrap_err(),
        wrong
    );
    for at in [30, 300, original.len() - 1] {
        let mut altered = original.to_vec();
        altered[at] ^= 1;
        assert_eq!(TrustStore::read(&altered, &correct()).unwrap_err(), wrong);
    }
}

#[test]
fn every_truncated_jks_file_is_refused() {
    let original = data!("trust/keytool-trust.jks");
    for len in 4..original.len() {
        assert!(
            matches!(
                TrustStore::read(&original[..len], None),
                Err(Error::Malformed { .. })
            ),
            "{len}"
        );
    }
}

#[test]
fn private_keys_in_jks_are_skipped_with_their_chains() {
    let store = TrustStore::read(data!("trust/keytool-key.jks"), &correct()).unwrap();
    assert_eq!(store.private_keys(), 1);
    assert_eq!(store.certificates().len(), 2);
    assert!(!aliases(&store).contains(&Some("java")));
}

#[test]
fn jceks_is_read_like_jks() {
    let store = TrustStore::read(data!("trust/keytool-trust.jceks"), &correct()).unwrap();
    assert_eq!(store.certificates(), [root()]);
    assert_eq!(store.integrity(), &Integrity::KeyedDigest);
}

#[test]
fn pkcs12_of_java_is_read_with_its_alias() {
    let store = TrustStore::read(data!("pkcs12/keytool-trust.p12"), &correct()).unwrap();
    assert_eq!(store.certificates().len(), 1);
    assert!(aliases(&store)[0].is_some());
    assert!(matches!(store.integrity(), Integrity::Mac { .. }));
}

#[test]
fn pkcs12_beside_a_private_key_gives_what_is_marked_as_trusted() {
    let store = TrustStore::read(data!("trust/keytool-key-and-trust.p12"), &correct()).unwrap();
    assert_eq!(store.certificates(), [root()]);
    assert_eq!(aliases(&store), [Some("root")]);
    assert_eq!(store.private_keys(), 1);
}

#[test]
fn the_chain_of_a_private_key_is_not_trusted() {
    assert_error!(
        TrustStore::read(data!("pkcs12/openssl-default.p12"), &correct()).unwrap_err(),
        Error::NoTrustedCertificate {
            private_keys: 1,
            unreadable: 0
        }
    );
}

#[test]
fn pkcs12_without_keys_and_marks_is_trusted_as_a_whole() {
    let store = TrustStore::read(data!("pkcs12/openssl-nokeys.p12"), &correct()).unwrap();
    assert!(store.certificates().contains(&root()));
}

#[test]
fn pkcs12_in_the_clear_opens_without_a_passphrase() {
    let store = TrustStore::read(data!("trust/keytool-plain.p12"), None).unwrap();
    assert_eq!(store.certificates(), [root()]);
    assert_eq!(store.integrity(), &Integrity::Unchecked);
    let checked = TrustStore::read(data!("trust/keytool-plain.p12"), &correct()).unwrap();
    assert!(matches!(checked.integrity(), Integrity::Mac { .. }));
    assert_eq!(
        TrustStore::read(data!("pkcs12/keytool-trust.p12"), None).unwrap_err(),
        Error::PassphraseRequired {
            what: "PKCS#12 file"
        }
    );
}

#[test]
fn a_file_without_certificates_is_refused() {
    assert!(matches!(
        TrustStore::read(data!("pkcs12/leaf.key"), None),
        Err(Error::PemNotFound { .. })
    ));
    assert!(TrustStore::read(b"", None).is_err());
}
