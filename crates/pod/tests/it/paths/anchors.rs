//! What an import makes of a certificate.

use pki::{PrivateKey, Profile};
use pod::CertificateType;
use rustls::AlertDescription;

use super::{assert_unknown, otherwise_encoded, self_signed, under};
use crate::support::{BOT, Identity, World, authority, bot, bot_with, key, name, v1_certificate};

#[tokio::test]
async fn a_certificate_of_an_imported_authority_authenticates() {
    let world = World::new().await;

    world.assert_authenticates(&world.bot).await;
}

#[tokio::test]
async fn a_v1_certificate_of_an_imported_authority_authenticates() {
    let world = World::new().await;
    let key = key();
    let leaf = under(&world.ca, &name(BOT), &key).sign();
    assert_eq!(leaf.version(), pki::Version::V1);

    world
        .assert_authenticates(&Identity::new([leaf], &key))
        .await;
}

#[tokio::test]
async fn a_v1_root_is_an_authority_once_it_is_imported() {
    let world = World::new().await;
    let root = self_signed("V1 Root");
    world
        .pod
        .import_certificate(root.leaf().to_pem(), CertificateType::UserSigning)
        .unwrap();
    let root_key = PrivateKey::from_der(&root.key_pkcs8, None).unwrap();
    let key = key();
    let leaf = v1_certificate(&name("V1 Root"), &root_key, &name(BOT), &key);

    world
        .assert_authenticates(&Identity::new([leaf], &key))
        .await;
}

#[tokio::test]
async fn an_imported_client_certificate_is_let_in_self_signed_or_not() {
    let world = World::new().await;
    let self_signed = self_signed(BOT);
    let issued = bot(&authority("Unknown Root"), BOT);
    for (identity, issuer) in [(&self_signed, BOT), (&issued, "Unknown Root")] {
        let unknown =
            format!("no trusted signing certificate of O=Excelsior Bank,CN={issuer} was imported");
        world
            .assert_refused(identity, AlertDescription::UnknownCA, &unknown)
            .await;

        world.import(identity.leaf(), CertificateType::User);

        world.assert_authenticates(identity).await;
    }
}

#[tokio::test]
async fn an_imported_client_certificate_lets_in_no_other_of_the_same_name_and_key() {
    let world = World::new().await;
    let ca = authority("Unknown Root");
    let key = key();
    let first = bot_with(&ca, BOT, &key, &Profile::client());
    let second = bot_with(&ca, BOT, &key, &Profile::client());
    assert_ne!(first.leaf(), second.leaf());
    world.import(first.leaf(), CertificateType::User);

    assert_unknown(&world, &second, "Unknown Root").await;
}

#[tokio::test]
async fn an_authority_of_the_same_name_is_unknown() {
    let world = World::new().await;

    let mut impostor = bot(&authority("Test Root"), BOT);
    // Neither the one that was imported nor one that is sent is taken for the issuer.
    let another = authority("Test Root").certificate().clone();
    for besides in [None, Some(another)] {
        impostor.chain.extend(besides);
        assert_unknown(&world, &impostor, "Test Root").await;
    }

    // Without key identifiers only the signature tells.
    let key = key();
    let leaf = v1_certificate(
        world.ca.certificate().subject(),
        &crate::support::key(),
        &name(BOT),
        &key,
    );
    let forged = Identity::new([leaf], &key);
    world
        .assert_refused(
            &forged,
            AlertDescription::BadCertificate,
            "the certificate of O=Excelsior Bank,CN=demo-bot1: the signature does not match",
        )
        .await;
}

#[tokio::test]
async fn a_signing_certificate_admits_without_its_root() {
    let world = World::new().await;
    let root = authority("Unknown Root");
    let signing = root
        .create_intermediate(name("Signing"), key(), &Profile::intermediate())
        .unwrap();
    world.trust(signing.certificate());

    world.assert_authenticates(&bot(&signing, BOT)).await;
    assert_unknown(&world, &bot(&root, BOT), "Unknown Root").await;
}

#[tokio::test]
async fn a_signing_certificate_is_not_for_clients() {
    let world = World::new().await;
    let identity = Identity::new([world.ca.certificate().clone()], world.ca.private_key());

    world.assert_refused(&identity, AlertDescription::UnsupportedCertificate, "the certificate of O=Excelsior Bank,CN=Test Root is not meant for clients: it was imported as a signing certificate").await;
}

#[tokio::test]
async fn an_unknown_root_is_unknown_when_it_is_sent_too() {
    let world = World::new().await;
    let root = authority("Unknown Root");
    let mut identity = bot(&root, BOT);
    identity.chain.push(root.certificate().clone());

    assert_unknown(&world, &identity, "Unknown Root").await;
}

#[tokio::test]
async fn a_ca_that_was_imported_as_a_client_admits_nobody() {
    let world = World::new().await;
    let ca = authority("Unknown Root");
    world.import(ca.certificate(), CertificateType::User);

    assert_unknown(&world, &bot(&ca, BOT), "Unknown Root").await;
}

#[tokio::test]
async fn a_v1_root_may_write_its_name_in_two_ways() {
    let world = World::new().await;
    let (root, root_key, bot_key) = (name("V1 Root"), key(), key());
    let issuer = otherwise_encoded(b"V1 Root", b"Excelsior Bank");
    world.trust(&v1_certificate(&issuer, &root_key, &root, &root_key));

    let bot = v1_certificate(&issuer, &root_key, &name(BOT), &bot_key);
    world
        .assert_authenticates(&Identity::new([bot], &bot_key))
        .await;
}
