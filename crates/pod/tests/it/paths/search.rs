//! Several ways up, and how long they are looked for.

use pki::{CertificateAuthority, PrivateKey, Profile};
use pod::Port;
use rustls::AlertDescription;

use super::{EXTENDED_KEY_USAGE, SERVER_AUTH, assert_unknown, below, purposes};
use crate::support::{
    BOT, Client, Forgery, Identity, World, alert_of, authority, bot, key, name, v1_certificate,
};

#[tokio::test]
async fn a_long_chain_costs_no_search() {
    let world = World::new().await;
    let mut identity = world.bot.clone();
    for number in 0..10 {
        let stranger = authority(&format!("Root {number}"));
        identity.chain.push(stranger.certificate().clone());
    }

    world
        .assert_refused(
            &identity,
            AlertDescription::CertificateUnknown,
            "11 certificates were sent, more than the limit of 10",
        )
        .await;
}

#[tokio::test]
async fn a_tangle_of_certificates_costs_a_bounded_search() {
    let world = World::new().await;
    // Each of them could have signed each other.
    let tangled = || {
        let key = PrivateKey::from_der(&world.bot.key_pkcs8, None).unwrap();
        CertificateAuthority::create_root(name("Tangle"), key, &Profile::root()).unwrap()
    };
    let mut identity = bot(&tangled(), BOT);
    for _ in 0..9 {
        identity.chain.push(tangled().certificate().clone());
    }

    world
        .assert_refused(
            &identity,
            AlertDescription::CertificateUnknown,
            "finding a path takes more than 32 signature checks",
        )
        .await;
}

#[tokio::test]
async fn what_is_sent_besides_may_be_malformed() {
    let world = World::new().await;
    let mut bot = below(&world, |signing| signing.ca());
    bot.besides = vec![b"nonsense".to_vec()];
    world.assert_authenticates(&bot).await;

    // Perhaps it was the issuer.
    bot.chain.pop();
    let client = Client::new(&world.pod).showing(&bot);
    assert_eq!(
        alert_of(&client, Port::Api).await,
        AlertDescription::BadCertificate
    );
    bot.besides.clear();
    assert_unknown(&world, &bot, "Signing").await;

    // The refusal is about what was found instead.
    let mut bot = below(&world, |signing| signing);
    bot.besides = vec![b"nonsense".to_vec()];
    world
        .assert_refused(
            &bot,
            AlertDescription::CertificateUnknown,
            "the certificate of O=Excelsior Bank,CN=Signing may not sign certificates: it has no basicConstraints",
        )
        .await;
}

#[tokio::test]
async fn of_two_ways_up_the_refusal_is_about_the_one_that_leads_further() {
    let world = World::new().await;
    let (signing, signing_key) = (name("Signing"), key());
    let signed_by = |issuer: &CertificateAuthority| {
        let certificate = issuer.certificate();
        let middle = Forgery::new(
            certificate.subject(),
            issuer.private_key(),
            &signing,
            &signing_key,
        )
        .ca();
        if certificate == world.ca.certificate() {
            middle.extension(EXTENDED_KEY_USAGE, true, &purposes(&[SERVER_AUTH]))
        } else {
            middle
        }
        .sign()
    };
    let (nowhere, too_narrow) = (signed_by(&authority("Unknown Root")), signed_by(&world.ca));
    let bot_key = key();
    let leaf = v1_certificate(&signing, &signing_key, &name(BOT), &bot_key);

    for ways in [[&nowhere, &too_narrow], [&too_narrow, &nowhere]] {
        let chain = std::iter::once(&leaf).chain(ways).cloned();
        world
            .assert_refused(
                &Identity::new(chain, &bot_key),
                AlertDescription::UnsupportedCertificate,
                "the certificate of O=Excelsior Bank,CN=Signing is not meant for clients: its extendedKeyUsage lacks clientAuth",
            )
            .await;
    }
}
