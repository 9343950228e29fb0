//! Who may sign a certificate, and for whom.

use pki::{CertificateAuthority, PrivateKey, Profile};
use pod::Status;
use rustls::AlertDescription;

use super::{BASIC_CONSTRAINTS, assert_unknown, below, otherwise_encoded, under};
use crate::support::{
    BOT, Forgery, Identity, World, authority, bot, bot_with, key, name, v1_certificate,
};

#[tokio::test]
async fn an_intermediate_that_the_client_sends_leads_to_the_authority() {
    let world = World::new().await;
    let middle = world
        .ca
        .create_intermediate(name("Signing"), key(), &Profile::intermediate())
        .unwrap();
    let leaf_key = key();
    let mut identity = bot_with(&middle, BOT, &leaf_key, &Profile::client());
    assert_unknown(&world, &identity, "Signing").await;

    // Order and strangers between don't matter.
    identity
        .chain
        .push(authority("Some Other Root").certificate().clone());
    identity.chain.push(middle.certificate().clone());
    identity.chain.push(world.ca.certificate().clone());
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
async fn a_path_length_constraint_is_kept() {
    let world = World::new().await;
    let limited = CertificateAuthority::create_root(
        name("Limited Root"),
        key(),
        &Profile::root().path_len(0),
    )
    .unwrap();
    world.trust(limited.certificate());
    // `pki` wouldn't make it: the same key and name without the constraint, which is not imported, does.
    let unlimited = CertificateAuthority::create_root(
        name("Limited Root"),
        PrivateKey::from_der(&limited.private_key().to_pkcs8_der().unwrap(), None).unwrap(),
        &Profile::root(),
    )
    .unwrap();
    let middle = unlimited
        .create_intermediate(name("Signing"), key(), &Profile::intermediate())
        .unwrap();
    let mut identity = bot(&middle, BOT);
    identity.chain.push(middle.certificate().clone());

    world
        .assert_refused(
            &identity,
            AlertDescription::CertificateUnknown,
            "the path length constraint of O=Excelsior Bank,CN=Limited Root is exceeded",
        )
        .await;
    world.assert_authenticates(&bot(&limited, BOT)).await;
}

#[tokio::test]
async fn a_self_issued_certificate_does_not_count_towards_the_length_of_a_path() {
    let world = World::new().await;
    let (root, root_key, new_key) = (name("Limited Root"), key(), key());
    let certificate = Forgery::new(&root, &root_key, &root, &root_key)
        .extension(
            BASIC_CONSTRAINTS,
            true,
            // CA, no further one below it
            &[0x30, 6, 1, 1, 0xFF, 2, 1, 0],
        )
        .sign();
    world.trust(&certificate);
    let same = otherwise_encoded(b"limited root", b"Excelsior Bank");
    for issuer in [&root, &same] {
        let renewed = Forgery::new(issuer, &root_key, &root, &new_key).ca().sign();
        let bot_key = key();
        let bot = v1_certificate(&root, &new_key, &name(BOT), &bot_key);

        world
            .assert_authenticates(&Identity::new([bot, renewed], &bot_key))
            .await;
    }
}

#[tokio::test]
async fn a_client_certificate_signs_no_other() {
    let world = World::new().await;
    let key = key();
    let bot_key = PrivateKey::from_der(&world.bot.key_pkcs8, None).unwrap();
    let forged = v1_certificate(world.bot.leaf().subject(), &bot_key, &name(BOT), &key);
    let identity = Identity::new([forged, world.bot.leaf().clone()], &key);

    world.assert_refused(&identity, AlertDescription::CertificateUnknown, "the certificate of O=Excelsior Bank,CN=demo-bot1 may not sign certificates: its basicConstraints say that it is no CA").await;
}

#[tokio::test]
async fn a_v1_certificate_that_was_not_imported_signs_no_other() {
    let world = World::new().await;
    let middle_key = key();
    let middle = under(&world.ca, &name("V1 Signing"), &middle_key).sign();
    let key = key();
    let leaf = v1_certificate(middle.subject(), &middle_key, &name(BOT), &key);
    let identity = Identity::new([leaf, middle], &key);

    world.assert_refused(&identity, AlertDescription::CertificateUnknown, "the certificate of O=Excelsior Bank,CN=V1 Signing may not sign certificates: it has no basicConstraints").await;
}

#[tokio::test]
async fn a_v1_certificate_with_the_name_of_its_root_signs_no_other() {
    let world = World::new().await;
    let (root, new_key, bot_key) = (world.ca.certificate().subject(), key(), key());
    let renewed = v1_certificate(root, world.ca.private_key(), root, &new_key);
    let leaf = v1_certificate(root, &new_key, &name(BOT), &bot_key);
    // `leaf` has no key identifier, so that the imported root is tried as well: in vain.
    let identity = Identity::new([leaf, renewed], &bot_key);

    world
        .assert_refused(
            &identity,
            AlertDescription::BadCertificate,
            "the certificate of O=Excelsior Bank,CN=demo-bot1: the signature does not match",
        )
        .await;
}

#[tokio::test]
async fn basic_constraints_that_deny_it_are_believed() {
    let world = World::new().await;
    let bot = below(&world, |signing| {
        signing.extension(BASIC_CONSTRAINTS, true, &[0x30, 0])
    });

    world
        .assert_refused(
            &bot,
            AlertDescription::CertificateUnknown,
            "the certificate of O=Excelsior Bank,CN=Signing may not sign certificates: its basicConstraints say that it is no CA",
        )
        .await;
}

#[tokio::test]
async fn a_ca_has_a_name() {
    let world = World::new().await;
    let (nobody, nobodys_key) = ("/".parse().unwrap(), key());
    let ca = world.ca.certificate().subject();
    let middle = Forgery::new(ca, world.ca.private_key(), &nobody, &nobodys_key)
        .ca()
        .sign();
    let key = key();
    let leaf = v1_certificate(&nobody, &nobodys_key, &name(BOT), &key);

    world
        .assert_refused(
            &Identity::new([leaf, middle], &key),
            AlertDescription::CertificateUnknown,
            "the certificate of (no name) may not sign certificates: its subject is empty",
        )
        .await;
}

#[tokio::test]
async fn names_are_compared_by_what_they_say() {
    let world = World::new().await;
    let ca = otherwise_encoded(b"Test Root", b"EXCELSIOR  bank");
    assert_ne!(&ca, world.ca.certificate().subject());

    // Under an imported CA, and under one that is sent.
    let bot_key = key();
    let bot = v1_certificate(&ca, world.ca.private_key(), &name(BOT), &bot_key);
    world
        .assert_authenticates(&Identity::new([bot], &bot_key))
        .await;

    let (signing, signing_key) = (name("Signing"), key());
    let middle = Forgery::new(&ca, world.ca.private_key(), &signing, &signing_key)
        .ca()
        .sign();
    let signing = otherwise_encoded(b"signing", b"Excelsior Bank");
    let bot = v1_certificate(&signing, &signing_key, &name(BOT), &bot_key);
    world
        .assert_authenticates(&Identity::new([bot, middle], &bot_key))
        .await;

    let other = otherwise_encoded(b"TestRoot", b"Excelsior Bank");
    let bot = v1_certificate(&other, world.ca.private_key(), &name(BOT), &bot_key);
    assert_unknown(&world, &Identity::new([bot], &bot_key), "TestRoot").await;
}

#[tokio::test]
async fn an_issuer_has_the_name_that_the_certificate_gives() {
    let world = World::new().await;
    let mut bot = below(&world, |signing| signing.ca());
    let (signing_key, bot_key) = (key(), key());
    let middle = under(&world.ca, &name("Signing"), &signing_key).ca().sign();
    let leaf = v1_certificate(&name("Somebody"), &signing_key, &name(BOT), &bot_key);
    world.assert_authenticates(&bot).await;

    bot = Identity::new([leaf, middle], &bot_key);
    assert_unknown(&world, &bot, "Somebody").await;
}
