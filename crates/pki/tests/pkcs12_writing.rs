//! What the profiles and trust stores come out as. Other programs judge the same files in `cargo xtask interop`.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // tests

#[macro_use]
mod support;

use pki::{
    Certificate, Error, Integrity, Passphrase, Pkcs12, Pkcs12Profile, Pkcs12Warning, PrivateKey,
    TrustStore,
};

macro_rules! data {
    ($name:literal) => {
        include_bytes!(concat!("data/pkcs12/", $name)).as_slice()
    };
}

fn correct() -> Passphrase {
    Passphrase::from("correct")
}

fn certificate(pem: &[u8]) -> Certificate {
    Certificate::from_pem(pem).unwrap()
}

fn key() -> PrivateKey {
    PrivateKey::from_pem(data!("leaf.key"), None).unwrap()
}

fn mac(digest: &str, iterations: u64) -> Integrity {
    Integrity::Mac {
        digest: digest.to_owned(),
        iterations,
    }
}

#[test]
fn a_profile_decides_the_algorithms() {
    let (key, leaf, inter) = (
        key(),
        certificate(data!("leaf.crt")),
        certificate(data!("inter.crt")),
    );
    let aes = "PBES2 (AES-256-CBC, PBKDF2-HMAC-SHA-256, 1000 iterations)";
    let triple_des = "PKCS#12 PBE (3DES-CBC, SHA-1, 1000 iterations)";
    for (profile, digest, encryption) in [
        (Pkcs12Profile::Modern, "SHA-256", aes),
        (Pkcs12Profile::Pbmac1, "SHA-256 (PBMAC1)", aes),
        (Pkcs12Profile::Legacy, "SHA-1", triple_des),
    ] {
        let der = Pkcs12::builder(&key, &leaf)
            .unwrap()
            .chain([&inter])
            .alias("bot")
            .profile(profile)
            .iterations(1_000)
            .mac_iterations(2_000)
            .to_der(&correct())
            .unwrap();
        let bundle = Pkcs12::open(&der, &correct()).unwrap();
        assert_eq!(bundle.integrity(), &mac(digest, 2_000), "{profile}");
        assert_eq!(bundle.encryption(), [encryption]);
        assert_eq!(bundle.aliases(), [Some("bot".to_owned())]);
        let entries: Vec<_> = bundle.entries().map(|e| (e.alias, e.trusted)).collect();
        assert_eq!(entries, [(Some("bot"), false), (None, false)]);
        let (read, chain) = bundle.into_identity().unwrap();
        assert_eq!(read.public_key(), key.public_key());
        assert_eq!(chain, [leaf.clone(), inter.clone()]);
        assert_eq!(
            Pkcs12::open(&der, &Passphrase::from("wrong")).unwrap_err(),
            Error::WrongPassphrase {
                what: "PKCS#12 file"
            }
        );
    }
}

#[test]
fn iterations_of_the_mac_are_in_range_too() {
    let (key, leaf) = (key(), certificate(data!("leaf.crt")));
    let result = Pkcs12::builder(&key, &leaf)
        .unwrap()
        .mac_iterations(1)
        .to_der(&correct());
    assert!(matches!(result, Err(Error::ParameterOutOfRange { .. })));
}

#[test]
fn trusted_certificates_stand_alone_or_beside_a_key() {
    let (key, leaf) = (key(), certificate(data!("leaf.crt")));
    let (inter, root) = (
        certificate(data!("inter.crt")),
        certificate(data!("root.crt")),
    );
    let alone = Pkcs12::trust_builder();
    let beside = Pkcs12::builder(&key, &leaf)
        .unwrap()
        .chain([&inter, &root])
        .alias("bot");
    for (builder, keys) in [(alone, 0), (beside, 1)] {
        let der = builder
            .trusted(&root)
            .trusted_as("Mitte", &inter)
            .iterations(1_000)
            .to_der(&correct())
            .unwrap();
        let store = TrustStore::read(&der, &correct()).unwrap();
        let entries: Vec<_> = store.entries().collect();
        assert_eq!(
            entries,
            [(Some("Test Root"), &root), (Some("Mitte"), &inter)]
        );
        assert_eq!(store.private_keys(), keys);
    }
}

#[test]
fn aliases_differ_in_more_than_case() {
    let (inter, root) = (
        certificate(data!("inter.crt")),
        certificate(data!("root.crt")),
    );
    let write = |builder: pki::Pkcs12Builder<'_>| builder.iterations(1_000).to_der(&correct());
    assert_error!(
        write(
            Pkcs12::trust_builder()
                .trusted_as("A", &root)
                .trusted_as("a", &inter)
        )
        .unwrap_err(),
        Error::DuplicateAlias {
            alias: "a".to_owned()
        }
    );
    let der = write(
        Pkcs12::trust_builder()
            .trusted(&root)
            .trusted_as("test root", &inter)
            .trusted(&root),
    )
    .unwrap();
    let store = TrustStore::read(&der, &correct()).unwrap();
    let aliases: Vec<_> = store.entries().map(|(alias, _)| alias.unwrap()).collect();
    assert_eq!(aliases, ["Test Root (2)", "test root", "Test Root (3)"]);
}

#[test]
fn nothing_to_write_is_an_error() {
    assert!(matches!(
        Pkcs12::trust_builder().to_der(&correct()),
        Err(Error::NoTrustedCertificate { .. })
    ));
    assert_eq!(
        Pkcs12::trust_builder()
            .chain([certificate(data!("root.crt"))])
            .to_der(&correct()),
        Err(Error::Pkcs12Lacks {
            what: "private key"
        })
    );
}

#[test]
fn passphrases_that_some_readers_take_otherwise_are_told() {
    let builder = Pkcs12::trust_builder();
    let warnings = |text: &str| builder.warnings(&Passphrase::from(text));
    assert_eq!(warnings("correct horse"), []);
    assert_eq!(warnings(""), [Pkcs12Warning::PassphraseEmpty]);
    assert_eq!(warnings("pässwörd"), [Pkcs12Warning::PassphraseNotAscii]);
}
