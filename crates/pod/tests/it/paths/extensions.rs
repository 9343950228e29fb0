//! What extensions say, and those that nobody evaluates.

use pki::{Profile, SubjectAltName};
use pod::CertificateType;
use rustls::AlertDescription;

use super::{
    ANY_PURPOSE, CERTIFICATE_POLICIES, CLIENT_AUTH, EXTENDED_KEY_USAGE, INHIBIT_ANY_POLICY,
    KEY_USAGE, POLICY_CONSTRAINTS, POLICY_MAPPINGS, SERVER_AUTH, SUBJECT_ALT_NAME, UNHEARD_OF,
    below, leaf, purposes,
};
use crate::support::{BOT, Forgery, Identity, World, bot_with, key, name, tlv, v1_certificate};

#[tokio::test]
async fn a_server_certificate_is_not_for_clients() {
    let world = World::new().await;
    let profile =
        Profile::server().subject_alt_names([SubjectAltName::dns("example.com").unwrap()]);
    let server = bot_with(&world.ca, BOT, &key(), &profile);

    world.assert_refused(&server, AlertDescription::UnsupportedCertificate, "the certificate of O=Excelsior Bank,CN=demo-bot1 is not meant for clients: its extendedKeyUsage lacks clientAuth").await;
}

#[tokio::test]
async fn a_ca_for_other_purposes_admits_no_client() {
    let world = World::new().await;
    for critical in [true, false] {
        let servers = below(&world, |signing| {
            signing
                .ca()
                .extension(EXTENDED_KEY_USAGE, critical, &purposes(&[SERVER_AUTH]))
        });
        world
            .assert_refused(
                &servers,
                AlertDescription::UnsupportedCertificate,
                "the certificate of O=Excelsior Bank,CN=Signing is not meant for clients: its extendedKeyUsage lacks clientAuth",
            )
            .await;
    }

    for usable in [&purposes(&[SERVER_AUTH, CLIENT_AUTH])[..], ANY_PURPOSE] {
        let both = below(&world, |signing| {
            signing.ca().extension(EXTENDED_KEY_USAGE, true, usable)
        });
        world.assert_authenticates(&both).await;
    }
}

#[tokio::test]
async fn an_imported_ca_for_other_purposes_admits_no_client() {
    let world = World::new().await;
    let (root, root_key) = (name("Server Root"), key());
    let certificate = Forgery::new(&root, &root_key, &root, &root_key)
        .ca()
        .extension(EXTENDED_KEY_USAGE, true, &purposes(&[SERVER_AUTH]))
        .sign();
    world.trust(&certificate);
    let key = key();
    let leaf = v1_certificate(&root, &root_key, &name(BOT), &key);

    world
        .assert_refused(
            &Identity::new([leaf], &key),
            AlertDescription::UnsupportedCertificate,
            "the certificate of O=Excelsior Bank,CN=Server Root is not meant for clients: its extendedKeyUsage lacks clientAuth",
        )
        .await;
}

#[tokio::test]
async fn a_client_certificate_may_name_its_purposes() {
    let world = World::new().await;
    for unusable in [purposes(&[]), purposes(&[SERVER_AUTH])] {
        let bot = leaf(&world, |bot| {
            bot.extension(EXTENDED_KEY_USAGE, false, &unusable)
        });
        world
            .assert_refused(
                &bot,
                AlertDescription::UnsupportedCertificate,
                "the certificate of O=Excelsior Bank,CN=demo-bot1 is not meant for clients: its extendedKeyUsage lacks clientAuth",
            )
            .await;
    }

    for usable in [&purposes(&[CLIENT_AUTH])[..], ANY_PURPOSE] {
        let bot = leaf(&world, |bot| {
            bot.extension(EXTENDED_KEY_USAGE, true, usable)
        });
        world.assert_authenticates(&bot).await;
    }
}

#[tokio::test]
async fn key_usages_are_kept() {
    let world = World::new().await;
    // Bits 0 (digitalSignature) and 5 (keyCertSign), each the only one.
    let (signs_messages, signs_certificates) = ([3, 2, 7, 0x80], [3, 2, 2, 0x04]);

    let bot = leaf(&world, |bot| {
        bot.extension(KEY_USAGE, true, &signs_certificates)
    });
    world
        .assert_refused(
            &bot,
            AlertDescription::UnsupportedCertificate,
            "the certificate of O=Excelsior Bank,CN=demo-bot1 is not meant for clients: its keyUsage lacks digitalSignature",
        )
        .await;
    let bot = leaf(&world, |bot| {
        bot.extension(KEY_USAGE, true, &signs_messages)
    });
    world.assert_authenticates(&bot).await;

    let bot = below(&world, |signing| {
        signing.ca().extension(KEY_USAGE, true, &signs_messages)
    });
    world
        .assert_refused(
            &bot,
            AlertDescription::CertificateUnknown,
            "the certificate of O=Excelsior Bank,CN=Signing may not sign certificates: its keyUsage lacks keyCertSign",
        )
        .await;
    let bot = below(&world, |signing| {
        signing.ca().extension(KEY_USAGE, true, &signs_certificates)
    });
    world.assert_authenticates(&bot).await;
}

#[tokio::test]
async fn only_v3_has_extensions() {
    let world = World::new().await;

    let bot = below(&world, |signing| signing.ca().v1());
    world
        .assert_refused(
            &bot,
            AlertDescription::BadCertificate,
            "the certificate of O=Excelsior Bank,CN=Signing has extensions, which v1 doesn't know",
        )
        .await;

    let bot = leaf(&world, |bot| {
        bot.extension(EXTENDED_KEY_USAGE, false, ANY_PURPOSE).v1()
    });
    world
        .assert_refused(
            &bot,
            AlertDescription::BadCertificate,
            "the certificate of O=Excelsior Bank,CN=demo-bot1 has extensions, which v1 doesn't know",
        )
        .await;
}

#[tokio::test]
async fn a_critical_extension_that_is_not_evaluated_is_refused_wherever_it_stands() {
    let world = World::new().await;
    let refused = "has a critical extension that is not evaluated: 1.3.6.1.4.1.32473.1";

    let bot = leaf(&world, |bot| bot.extension(UNHEARD_OF, true, &[5, 0]));
    world
        .assert_refused(
            &bot,
            AlertDescription::BadCertificate,
            &format!("the certificate of O=Excelsior Bank,CN=demo-bot1 {refused}"),
        )
        .await;
    // Who imports a client certificate vouches for whom it belongs to, and not for what it demands.
    world.import(bot.leaf(), CertificateType::User);
    world
        .assert_refused(
            &bot,
            AlertDescription::BadCertificate,
            &format!("the certificate of O=Excelsior Bank,CN=demo-bot1 {refused}"),
        )
        .await;

    let mut bot = below(&world, |signing| {
        signing.ca().extension(UNHEARD_OF, true, &[5, 0])
    });
    let refused = format!("the certificate of O=Excelsior Bank,CN=Signing {refused}");
    world
        .assert_refused(&bot, AlertDescription::BadCertificate, &refused)
        .await;
    // Imported, and not sent.
    world.trust(&bot.chain.pop().unwrap());
    world
        .assert_refused(&bot, AlertDescription::BadCertificate, &refused)
        .await;
}

#[tokio::test]
async fn an_extension_that_is_not_critical_or_is_evaluated_hinders_nobody() {
    let world = World::new().await;
    // Bit 0; an address; one policy, 1.3.6.1.4.1.32473.1; no certificate further up may match it by anyPolicy.
    let evaluated: [(&[u8], Vec<u8>); 4] = [
        (KEY_USAGE, vec![3, 2, 7, 0x80]),
        (SUBJECT_ALT_NAME, tlv(0x30, &[&[0x87, 4, 10, 0, 0, 1]])),
        (
            CERTIFICATE_POLICIES,
            tlv(0x30, &[&tlv(0x30, &[&tlv(6, &[UNHEARD_OF])])]),
        ),
        (INHIBIT_ANY_POLICY, vec![2, 1, 0]),
    ];
    let bot = leaf(&world, |mut bot| {
        for (oid, value) in &evaluated {
            bot = bot.extension(oid, true, value);
        }
        bot.extension(UNHEARD_OF, false, &[5, 0])
    });
    world.assert_authenticates(&bot).await;

    let bot = below(&world, |mut signing| {
        for (oid, value) in &evaluated[1..] {
            signing = signing.extension(oid, true, value);
        }
        signing.ca().extension(UNHEARD_OF, false, &[5, 0])
    });
    world.assert_authenticates(&bot).await;
}

#[tokio::test]
async fn what_demands_a_policy_is_refused_by_name() {
    let world = World::new().await;
    // requireExplicitPolicy: 0; one policy that is equivalent to itself.
    let policy = tlv(6, &[UNHEARD_OF]);
    let mapping = tlv(0x30, &[&tlv(0x30, &[&policy, &policy])]);
    for (oid, dotted, value) in [
        (POLICY_CONSTRAINTS, "2.5.29.36", &[0x30, 3, 0x80, 1, 0][..]),
        (POLICY_MAPPINGS, "2.5.29.33", &mapping),
    ] {
        let bot = below(&world, |signing| signing.ca().extension(oid, true, value));
        world
            .assert_refused(
                &bot,
                AlertDescription::BadCertificate,
                &format!("the certificate of O=Excelsior Bank,CN=Signing has a critical extension that is not evaluated: {dotted}"),
            )
            .await;
    }
}
