//! Whom a revocation keeps out, and whom it doesn't.

use pki::{Profile, Version};
use pod::{CertificateType, Error, Status};
use rustls::AlertDescription;

use crate::support::{
    BOT, Identity, World, authority, bot, bot_with, key, malleated, name, v1_certificate,
};

const BOT_IS_REVOKED: &str = "the certificate of O=Excelsior Bank,CN=demo-bot1 is revoked";

#[tokio::test]
async fn the_status_of_the_authority_decides() {
    let world = World::new().await;
    let expected = [
        (
            Status::Revoked,
            AlertDescription::CertificateRevoked,
            "the certificate of O=Excelsior Bank,CN=Test Root is revoked",
        ),
        (
            Status::Disabled,
            AlertDescription::AccessDenied,
            "the certificate of O=Excelsior Bank,CN=Test Root is disabled",
        ),
        (
            Status::Known,
            AlertDescription::UnknownCA,
            "no trusted signing certificate of O=Excelsior Bank,CN=Test Root was imported",
        ),
    ];
    for (status, alert, reason) in expected {
        world
            .pod
            .set_status(world.signing.fingerprint, status)
            .unwrap();
        world.assert_refused(&world.bot, alert, reason).await;
    }

    world
        .pod
        .set_status(world.signing.fingerprint, Status::Trusted)
        .unwrap();
    world.assert_authenticates(&world.bot).await;
}

#[tokio::test]
async fn a_client_certificate_can_be_revoked_under_a_trusted_authority() {
    let world = World::new().await;
    let imported = world.import(world.bot.leaf(), CertificateType::User);

    world
        .pod
        .set_status(imported.fingerprint, Status::Revoked)
        .unwrap();
    world
        .assert_refused(
            &world.bot,
            AlertDescription::CertificateRevoked,
            BOT_IS_REVOKED,
        )
        .await;

    // Known says nothing either way: the CA admits.
    world
        .pod
        .set_status(imported.fingerprint, Status::Known)
        .unwrap();
    world.assert_authenticates(&world.bot).await;
}

#[tokio::test]
async fn a_signing_certificate_that_is_only_known_is_as_if_it_had_not_been_imported() {
    let world = World::new().await;
    let root = authority("Unknown Root");
    let client = Identity::new([root.certificate().clone()], root.private_key());
    let imported = world.import(client.leaf(), CertificateType::UserSigning);
    for (status, alert, reason) in [
        (
            Status::Trusted,
            AlertDescription::UnsupportedCertificate,
            "the certificate of O=Excelsior Bank,CN=Unknown Root is not meant for clients: it was imported as a signing certificate",
        ),
        (
            Status::Known,
            AlertDescription::UnknownCA,
            "no trusted signing certificate of O=Excelsior Bank,CN=Unknown Root was imported",
        ),
    ] {
        world.pod.set_status(imported.fingerprint, status).unwrap();
        world.assert_refused(&client, alert, reason).await;
    }
}

#[tokio::test]
async fn a_copy_with_another_signature_that_holds_is_revoked_too() {
    let world = World::new().await;
    let mut copy = world.bot.clone();
    copy.chain = vec![malleated(world.bot.leaf())];
    // The signature does hold.
    world.assert_authenticates(&copy).await;

    let imported = world.import(world.bot.leaf(), CertificateType::User);
    for (status, alert, reason) in [
        (
            Status::Revoked,
            AlertDescription::CertificateRevoked,
            BOT_IS_REVOKED,
        ),
        (
            Status::Disabled,
            AlertDescription::AccessDenied,
            "the certificate of O=Excelsior Bank,CN=demo-bot1 is disabled",
        ),
    ] {
        world.pod.set_status(imported.fingerprint, status).unwrap();
        world.assert_refused(&copy, alert, reason).await;
    }
}

#[tokio::test]
async fn a_copy_of_a_revoked_intermediate_leads_nowhere() {
    let world = World::new().await;
    let middle = world
        .ca
        .create_intermediate(name("Signing"), key(), &Profile::intermediate())
        .unwrap();
    let mut identity = bot(&middle, BOT);
    identity.chain.push(malleated(middle.certificate()));
    world.assert_authenticates(&identity).await;

    let imported = world.trust(middle.certificate());
    world
        .pod
        .set_status(imported.fingerprint, Status::Revoked)
        .unwrap();

    world
        .assert_refused(
            &identity,
            AlertDescription::CertificateRevoked,
            "the certificate of O=Excelsior Bank,CN=Signing is revoked",
        )
        .await;
}

#[tokio::test]
async fn a_copy_is_not_imported_beside_the_certificate() {
    let world = World::new().await;
    let copy = malleated(world.ca.certificate());

    let error = world
        .pod
        .import_certificate(copy.as_der(), CertificateType::UserSigning)
        .unwrap_err();

    assert!(
        matches!(error, Error::CertificateExists { fingerprint, .. } if fingerprint == world.signing.fingerprint),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_copy_of_an_imported_client_certificate_is_not_let_in_by_itself() {
    let world = World::new().await;
    let stranger = bot(&authority("Unknown Root"), BOT);
    world.import(stranger.leaf(), CertificateType::User);
    world.assert_authenticates(&stranger).await;

    let mut copy = stranger.clone();
    copy.chain = vec![malleated(stranger.leaf())];

    world
        .assert_refused(
            &copy,
            AlertDescription::UnknownCA,
            "no trusted signing certificate of O=Excelsior Bank,CN=Unknown Root was imported",
        )
        .await;
}

/// Two certificates with one issuer and one serial number, as `openssl x509 -req -set_serial 1` makes them.
#[tokio::test]
async fn a_certificate_with_the_serial_number_of_a_revoked_one_is_not_revoked() {
    let world = World::new().await;
    let ca = (world.ca.certificate().subject(), world.ca.private_key());
    let keys = [key(), key()];
    let [lost, new] = keys.each_ref().map(|key| {
        let leaf = v1_certificate(ca.0, ca.1, &name(BOT), key);
        assert_eq!(leaf.version(), Version::V1);
        Identity::new([leaf], key)
    });
    assert_eq!(lost.leaf().serial_number(), new.leaf().serial_number());
    let imported = world.import(lost.leaf(), CertificateType::User);

    world
        .pod
        .set_status(imported.fingerprint, Status::Revoked)
        .unwrap();

    world
        .assert_refused(&lost, AlertDescription::CertificateRevoked, BOT_IS_REVOKED)
        .await;
    world.assert_authenticates(&new).await;
}

#[tokio::test]
async fn another_certificate_of_the_same_name_and_key_is_not_revoked() {
    let world = World::new().await;
    let key = key();
    let old = bot_with(&world.ca, BOT, &key, &Profile::client());
    let new = bot_with(&world.ca, BOT, &key, &Profile::client());
    let imported = world.import(old.leaf(), CertificateType::User);

    world
        .pod
        .set_status(imported.fingerprint, Status::Revoked)
        .unwrap();

    world
        .assert_refused(&old, AlertDescription::CertificateRevoked, BOT_IS_REVOKED)
        .await;
    world.assert_authenticates(&new).await;
}

#[tokio::test]
async fn a_client_certificate_that_is_only_known_needs_an_authority() {
    let world = World::new().await;
    let stranger = bot(&authority("Unknown Root"), BOT);
    let imported = world.import(stranger.leaf(), CertificateType::User);

    world
        .pod
        .set_status(imported.fingerprint, Status::Known)
        .unwrap();

    world
        .assert_refused(
            &stranger,
            AlertDescription::UnknownCA,
            "no trusted signing certificate of O=Excelsior Bank,CN=Unknown Root was imported",
        )
        .await;
}
