//! Whatever is written is read back equal, for any alias, chain, profile and passphrase.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // tests

use std::{collections::HashSet, sync::LazyLock};

use pki::{
    Certificate, CertificateAuthority, CertificateRequest, Integrity, KeyEncryption, KeyKind,
    Passphrase, Pkcs12, Pkcs12Profile, PrivateKey, Profile, TrustStore,
};
use proptest::prelude::*;

/// A key of each kind with its certificate and, from the nearest upwards, the certificates of three CAs.
#[derive(Debug)]
struct Identity {
    key: PrivateKey,
    certificate: Certificate,
    issuers: Vec<Certificate>,
}

static IDENTITIES: LazyLock<Vec<Identity>> = LazyLock::new(|| {
    let name = |text: &str| text.parse().unwrap();
    let key = |kind| PrivateKey::generate(kind).unwrap();
    let mut authority =
        CertificateAuthority::create_root(name("/CN=Root"), key(KeyKind::EcP256), &Profile::root())
            .unwrap();
    let mut issuers = vec![authority.certificate().clone()];
    for (subject, kind) in [
        ("/CN=Upper", KeyKind::EcP384),
        ("/CN=Lower", KeyKind::Ed25519),
    ] {
        authority = authority
            .create_intermediate(name(subject), key(kind), &Profile::intermediate())
            .unwrap();
        issuers.insert(0, authority.certificate().clone());
    }
    [
        KeyKind::EcP256,
        KeyKind::EcP384,
        KeyKind::Ed25519,
        KeyKind::Rsa2048,
    ]
    .into_iter()
    .map(|kind| {
        let key = key(kind);
        let request = CertificateRequest::builder(name("/CN=leaf"))
            .sign(&key)
            .unwrap();
        let certificate = authority
            .issue(&request.verify().unwrap(), &Profile::client())
            .unwrap();
        Identity {
            key,
            certificate,
            issuers: issuers.clone(),
        }
    })
    .collect()
});

fn identity() -> impl Strategy<Value = &'static Identity> {
    (0..IDENTITIES.len()).prop_map(|at| &IDENTITIES[at])
}

fn profile() -> impl Strategy<Value = Pkcs12Profile> {
    prop_oneof![
        Just(Pkcs12Profile::Modern),
        Just(Pkcs12Profile::Pbmac1),
        Just(Pkcs12Profile::Legacy),
    ]
}

/// Any characters at all: controls, combining ones, those beyond the Basic Multilingual Plane.
fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(any::<char>(), 0..40).prop_map(String::from_iter)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_bundle_is_read_back_equal(
        identity in identity(),
        profile in profile(),
        alias in text(),
        passphrase in text(),
        iterations in 1_000_u32..1_100,
        mac_iterations in 1_000_u32..1_100,
        length in 0..=3_usize,
        order in Just([0, 1, 2]).prop_shuffle(),
    ) {
        let passphrase = Passphrase::from(passphrase);
        let issuers = &identity.issuers[..length];
        let der = Pkcs12::builder(&identity.key, &identity.certificate)
            .unwrap()
            .chain(order.into_iter().filter_map(|at| issuers.get(at)))
            .alias(&alias)
            .profile(profile)
            .iterations(iterations)
            .mac_iterations(mac_iterations)
            .to_der(&passphrase)
            .unwrap();

        let bundle = Pkcs12::open(&der, &passphrase).unwrap();
        prop_assert_eq!(bundle.alias(), Some(alias.as_str()).filter(|alias| !alias.is_empty()));
        let checked = matches!(
            bundle.integrity(),
            Integrity::Mac { iterations, .. } if *iterations == u64::from(mac_iterations)
        );
        prop_assert!(checked);
        let (key, chain) = bundle.into_identity().unwrap();
        prop_assert_eq!(key.to_pkcs8_der().unwrap(), identity.key.to_pkcs8_der().unwrap());
        prop_assert_eq!(&chain[0], &identity.certificate);
        prop_assert_eq!(&chain[1..], issuers);
    }

    #[test]
    fn a_trust_store_is_read_back_equal(
        aliases in prop::collection::vec(text(), 1..=3),
        profile in profile(),
        passphrase in text(),
    ) {
        // Aliases that are empty, or the same but for case, are not written as they stand.
        let distinct: HashSet<_> = aliases.iter().map(|alias| alias.to_lowercase()).collect();
        prop_assume!(distinct.len() == aliases.len() && !distinct.contains(""));

        let passphrase = Passphrase::from(passphrase);
        let certificates = IDENTITIES[0].issuers.iter().cloned();
        let store: TrustStore = aliases.into_iter().zip(certificates).collect();
        let der = store
            .pkcs12()
            .profile(profile)
            .iterations(1_000)
            .to_der(&passphrase)
            .unwrap();
        let read = TrustStore::read(&der, &passphrase).unwrap();
        prop_assert!(read.entries().eq(store.entries()));
    }

    #[test]
    fn an_encrypted_key_is_read_back_equal(identity in identity(), passphrase in text()) {
        let passphrase = Passphrase::from(passphrase);
        let pem = identity
            .key
            .to_encrypted_pem(&passphrase, KeyEncryption::iterations(1_000))
            .unwrap();
        let read = PrivateKey::from_pem(&pem, &passphrase).unwrap();
        prop_assert_eq!(read.to_pkcs8_der().unwrap(), identity.key.to_pkcs8_der().unwrap());
    }

    #[test]
    fn pem_is_read_back_in_whatever_form_it_comes(
        identity in identity(),
        preamble in "[^-]{0,200}",
        line in 1..200_usize,
        end_of_line in prop_oneof![Just("\n"), Just("\r\n"), Just("\r"), Just("  \n"), Just("\n\n")],
        byte_order_mark in any::<bool>(),
    ) {
        let pem = identity.key.to_pem().unwrap();
        let (begin, rest) = pem.split_once('\n').unwrap();
        let (body, end) = rest.split_once("-----").unwrap();
        let body: Vec<char> = body.chars().filter(|c| *c != '\n').collect();
        let body: Vec<String> = body.chunks(line).map(String::from_iter).collect();
        let mark = if byte_order_mark { "\u{feff}" } else { "" };
        let untidy = format!(
            "{mark}{preamble}{end_of_line}{begin}{end_of_line}{}{end_of_line}-----{end}",
            body.join(end_of_line)
        );
        let read = PrivateKey::from_pem(&untidy, None).unwrap();
        prop_assert_eq!(read.public_key(), identity.key.public_key());
    }
}
