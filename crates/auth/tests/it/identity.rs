use auth::{Error, Identity, doctor::Kind};
use pki::{KeyEncryption, Passphrase, Pkcs12};

use crate::{
    lab::{Pair, as_version_1, key, lab},
    log::warnings_of,
};

fn bundle(passphrase: &Passphrase) -> Vec<u8> {
    let Pair { key, certificate } = &lab().bot;
    Pkcs12::builder(key, certificate)
        .unwrap()
        .chain(lab().signing.chain())
        .iterations(1000)
        .to_der(passphrase)
        .unwrap()
}

#[test]
fn a_bundle_becomes_an_identity_without_its_root() {
    let passphrase = Passphrase::new("changeit");
    let identity = Identity::from_pkcs12(&bundle(&passphrase), &passphrase).unwrap();
    assert_eq!(identity.leaf(), &lab().bot.certificate);
    let chain: Vec<_> = identity.chain().collect();
    assert_eq!(chain, [&lab().bot.certificate, lab().signing.certificate()]);
}

#[test]
fn version_1_is_warned_of_and_version_3_is_not() {
    let Pair { key, certificate } = &lab().bot;
    let version_1 = as_version_1(certificate, &lab().signing);
    for (leaf, warnings) in [(certificate, 0), (&version_1, 1)] {
        let (identity, warned) = warnings_of(|| Identity::new(key, [leaf.clone()]).unwrap());
        assert_eq!(identity.leaf(), leaf);
        assert_eq!(warned, vec!["auth::identity"; warnings]);
    }
}

#[test]
fn a_wrong_passphrase_is_told_as_such() {
    let bundle = bundle(&Passphrase::new("changeit"));
    let error = Identity::from_pkcs12(&bundle, &Passphrase::new("changed")).unwrap_err();
    assert!(
        matches!(error, Error::Identity(pki::Error::WrongPassphrase { .. })),
        "{error:?}"
    );
    assert_eq!(
        Kind::of(&error).map(Kind::id),
        Some("identity-wrong-passphrase")
    );
    assert!(!error.to_string().contains("changed"));
}

#[test]
fn pem_with_an_encrypted_key_becomes_an_identity() {
    let Pair { key, certificate } = &lab().bot;
    let passphrase = Passphrase::new("changeit");
    let encrypted = key
        .to_encrypted_pem(&passphrase, KeyEncryption::iterations(1000))
        .unwrap();
    let identity = Identity::from_pem(certificate.to_pem(), &encrypted, &passphrase).unwrap();
    assert_eq!(identity.leaf(), certificate);

    let error = Identity::from_pem(certificate.to_pem(), &encrypted, None).unwrap_err();
    assert!(
        matches!(
            error,
            Error::Identity(pki::Error::PassphraseRequired { .. })
        ),
        "{error:?}"
    );
}

#[test]
fn a_key_of_another_certificate_is_refused() {
    let other = key();
    let error = Identity::from_pem(
        lab().bot.certificate.to_pem(),
        other.to_pem().unwrap().as_bytes(),
        None,
    )
    .unwrap_err();
    assert!(
        matches!(&error, Error::Identity(pki::Error::KeyMismatch { subject, .. }) if subject.contains("demo-bot1")),
        "{error:?}"
    );
}

#[test]
fn a_chain_that_does_not_start_with_the_leaf_is_refused() {
    let chain = format!(
        "{}{}",
        lab().signing.certificate().to_pem(),
        lab().bot.certificate.to_pem()
    );
    let error = Identity::from_pem(chain, lab().bot.key_pem(), None).unwrap_err();
    assert!(
        matches!(error, Error::Identity(pki::Error::KeyMismatch { .. })),
        "{error:?}"
    );
}

#[test]
fn pem_without_certificate_is_refused() {
    let error = Identity::from_pem(lab().bot.key_pem(), lab().bot.key_pem(), None).unwrap_err();
    assert!(
        matches!(error, Error::Identity(pki::Error::PemNotFound { .. })),
        "{error:?}"
    );
}

#[test]
fn pem_where_a_bundle_was_expected_is_refused_with_a_next_step() {
    let pem = lab().bot.certificate.to_pem();
    let error = Identity::from_pkcs12(pem.as_bytes(), &Passphrase::new("x")).unwrap_err();
    assert!(
        matches!(error, Error::Identity(pki::Error::Malformed { .. })),
        "{error:?}"
    );
    let finding = Kind::of(&error).unwrap();
    assert_eq!(finding.id(), "identity-unreadable");
    assert!(finding.next_step().unwrap().contains("PEM"));
}

#[test]
fn what_is_no_identity_at_all_needs_no_passphrase_to_be_told_so() {
    for input in ["", "pod:\n  host: pod.test\n"] {
        let error = Identity::read(input.as_bytes(), None).unwrap_err();
        let finding = Kind::of(&error).map(Kind::id);
        assert_eq!(finding, Some("identity-not-pkcs12"), "{error:?}");
    }
}

#[test]
fn debug_shows_who_it_is_and_not_the_key() {
    let text = format!("{:?}", crate::lab::identity());
    assert!(text.contains("demo-bot1"), "{text}");
    assert!(text.contains("[secret key elided]"), "{text}");
    assert!(text.len() < 300, "{text}");
}
