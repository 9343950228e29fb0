//! Which chains of certificates lead to one that was imported, and why the others don't.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use pki::{
    Certificate, CertificateAuthority, DistinguishedName, KeyKind, PrivateKey, Profile,
    SubjectAltName,
};
use pod::{CertificateType, Pod, Port, Status};
use rustls::AlertDescription;

use crate::support::{
    BOT, Client, Forgery, Identity, World, alert_of, authority, bot, bot_with, key, name, tlv,
    v1_certificate,
};

const DAY: Duration = Duration::from_secs(86_400);

/// A self-signed v1 certificate.
fn self_signed(common_name: &str) -> Identity {
    let key = key();
    let name = name(common_name);
    Identity::new([v1_certificate(&name, &key, &name, &key)], &key)
}

#[tokio::test]
async fn a_certificate_of_an_imported_authority_authenticates() {
    let world = World::new().await;

    world.assert_authenticates(&world.bot).await;
}

#[tokio::test]
async fn a_v1_certificate_of_an_imported_authority_authenticates() {
    let world = World::new().await;
    let key = key();
    let leaf = v1_certificate(
        world.ca.certificate().subject(),
        world.ca.private_key(),
        &name(BOT),
        &key,
    );
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

    world
        .assert_refused(
            &second,
            AlertDescription::UnknownCA,
            "no trusted signing certificate of O=Excelsior Bank,CN=Unknown Root was imported",
        )
        .await;
}

#[tokio::test]
async fn an_authority_of_the_same_name_is_unknown() {
    let world = World::new().await;

    let mut impostor = bot(&authority("Test Root"), BOT);
    // Neither the one that was imported nor one that is sent is taken for the issuer.
    let another = authority("Test Root").certificate().clone();
    for besides in [None, Some(another)] {
        impostor.chain.extend(besides);
        world
            .assert_refused(
                &impostor,
                AlertDescription::UnknownCA,
                "no trusted signing certificate of O=Excelsior Bank,CN=Test Root was imported",
            )
            .await;
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
async fn dates_are_checked_at_each_handshake() {
    let ahead = Arc::new(AtomicU64::new(0));
    let clock = {
        let ahead = Arc::clone(&ahead);
        move || SystemTime::now() + Duration::from_secs(ahead.load(Ordering::Relaxed))
    };
    let world = World::with(Pod::builder().clock(clock)).await;
    let leaf = bot_with(&world.ca, BOT, &key(), &Profile::client().valid_for_days(1));
    let later = SystemTime::now() + 10 * DAY;
    let future = Profile::client().validity(pki::Validity {
        not_before: later,
        not_after: later + DAY,
    });
    let early = bot_with(&world.ca, BOT, &key(), &future);

    world.assert_authenticates(&leaf).await;
    world
        .assert_refused(
            &early,
            AlertDescription::CertificateExpired,
            "the certificate of O=Excelsior Bank,CN=demo-bot1 is not valid yet",
        )
        .await;

    ahead.store(10 * DAY.as_secs() + 60, Ordering::Relaxed);
    world
        .assert_refused(
            &leaf,
            AlertDescription::CertificateExpired,
            "the certificate of O=Excelsior Bank,CN=demo-bot1 has expired",
        )
        .await;
    world.assert_authenticates(&early).await;

    // The leaf's authority is over as well: told first is what is wrong with the leaf's own.
    ahead.store(20 * 365 * DAY.as_secs(), Ordering::Relaxed);
    world
        .assert_refused(
            &early,
            AlertDescription::CertificateExpired,
            "the certificate of O=Excelsior Bank,CN=demo-bot1 has expired",
        )
        .await;
}

#[tokio::test]
async fn an_expired_authority_lets_nobody_in() {
    let ahead = Arc::new(AtomicU64::new(0));
    let clock = {
        let ahead = Arc::clone(&ahead);
        move || SystemTime::now() + Duration::from_secs(ahead.load(Ordering::Relaxed))
    };
    let world = World::with(Pod::builder().clock(clock)).await;
    let short = CertificateAuthority::create_root(
        name("Short Root"),
        key(),
        &Profile::root().valid_for_days(1),
    )
    .unwrap();
    world.trust(short.certificate());
    // Valid longer than its authority, which `pki` wouldn't sign.
    let key = key();
    let leaf = v1_certificate(
        short.certificate().subject(),
        short.private_key(),
        &name(BOT),
        &key,
    );
    let identity = Identity::new([leaf], &key);
    world.assert_authenticates(&identity).await;

    ahead.store(2 * DAY.as_secs(), Ordering::Relaxed);
    world
        .assert_refused(
            &identity,
            AlertDescription::CertificateExpired,
            "the certificate of O=Excelsior Bank,CN=Short Root has expired",
        )
        .await;
}

#[tokio::test]
async fn an_intermediate_that_the_client_sends_leads_to_the_authority() {
    let world = World::new().await;
    let middle = world
        .ca
        .create_intermediate(name("Signing"), key(), &Profile::intermediate())
        .unwrap();
    let leaf_key = key();
    let mut identity = bot_with(&middle, BOT, &leaf_key, &Profile::client());
    world
        .assert_refused(
            &identity,
            AlertDescription::UnknownCA,
            "no trusted signing certificate of O=Excelsior Bank,CN=Signing was imported",
        )
        .await;

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
async fn a_signing_certificate_admits_without_its_root() {
    let world = World::new().await;
    let root = authority("Unknown Root");
    let signing = root
        .create_intermediate(name("Signing"), key(), &Profile::intermediate())
        .unwrap();
    world.trust(signing.certificate());

    world.assert_authenticates(&bot(&signing, BOT)).await;
    world
        .assert_refused(
            &bot(&root, BOT),
            AlertDescription::UnknownCA,
            "no trusted signing certificate of O=Excelsior Bank,CN=Unknown Root was imported",
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
    let middle = v1_certificate(
        world.ca.certificate().subject(),
        world.ca.private_key(),
        &name("V1 Signing"),
        &middle_key,
    );
    let key = key();
    let leaf = v1_certificate(middle.subject(), &middle_key, &name(BOT), &key);
    let identity = Identity::new([leaf, middle], &key);

    world.assert_refused(&identity, AlertDescription::CertificateUnknown, "the certificate of O=Excelsior Bank,CN=V1 Signing may not sign certificates: it has no basicConstraints").await;
}

#[tokio::test]
async fn an_altered_certificate_is_bad() {
    let world = World::new().await;
    let mut der = world.bot.leaf().as_der().to_vec();
    *der.last_mut().unwrap() ^= 1;
    let mut identity = world.bot.clone();
    identity.chain = vec![Certificate::from_der(&der).unwrap()];

    world
        .assert_refused(
            &identity,
            AlertDescription::BadCertificate,
            "the certificate of O=Excelsior Bank,CN=demo-bot1: the signature does not match",
        )
        .await;
}

#[tokio::test]
async fn a_server_certificate_is_not_for_clients() {
    let world = World::new().await;
    let profile =
        Profile::server().subject_alt_names([SubjectAltName::dns("example.com").unwrap()]);
    let server = bot_with(&world.ca, BOT, &key(), &profile);

    world.assert_refused(&server, AlertDescription::UnsupportedCertificate, "the certificate of O=Excelsior Bank,CN=demo-bot1 is not meant for clients: its extendedKeyUsage lacks clientAuth").await;
}

#[tokio::test]
async fn a_signing_certificate_is_not_for_clients() {
    let world = World::new().await;
    let identity = Identity::new([world.ca.certificate().clone()], world.ca.private_key());

    world.assert_refused(&identity, AlertDescription::UnsupportedCertificate, "the certificate of O=Excelsior Bank,CN=Test Root is not meant for clients: it was imported as a signing certificate").await;
}

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
async fn short_rsa_keys_are_refused_unless_the_minimum_is_lowered() {
    let key = PrivateKey::generate(KeyKind::Rsa2048).unwrap();

    let strict = World::new().await;
    let identity = bot_with(&strict.ca, BOT, &key, &Profile::client());
    strict
        .assert_refused(
            &identity,
            AlertDescription::CertificateUnknown,
            "the RSA key has 2048 bits, fewer than the minimum of 4096",
        )
        .await;

    let lenient = World::with(Pod::builder().minimum_rsa_bits(2048)).await;
    let identity = bot_with(&lenient.ca, BOT, &key, &Profile::client());
    lenient.assert_authenticates(&identity).await;
}

/// A bot under a signing certificate of the world's CA, which is sent along.
fn below(world: &World, adorn: impl FnOnce(Forgery<'_>) -> Forgery<'_>) -> Identity {
    let ca = &world.ca;
    let (signing, signing_key) = (name("Signing"), key());
    let issuer = ca.certificate().subject();
    let middle = adorn(Forgery::new(
        issuer,
        ca.private_key(),
        &signing,
        &signing_key,
    ))
    .sign();
    let key = key();
    let leaf = v1_certificate(&signing, &signing_key, &name(BOT), &key);
    Identity::new([leaf, middle], &key)
}

/// A bot under the world's CA.
fn leaf(world: &World, adorn: impl FnOnce(Forgery<'_>) -> Forgery<'_>) -> Identity {
    let (bot, key) = (name(BOT), key());
    let issuer = world.ca.certificate().subject();
    let leaf = adorn(Forgery::new(issuer, world.ca.private_key(), &bot, &key)).sign();
    Identity::new([leaf], &key)
}

const KEY_USAGE: &[u8] = &[0x55, 0x1D, 15];
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1D, 17];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1D, 19];
const CERTIFICATE_POLICIES: &[u8] = &[0x55, 0x1D, 32];
const POLICY_MAPPINGS: &[u8] = &[0x55, 0x1D, 33];
const POLICY_CONSTRAINTS: &[u8] = &[0x55, 0x1D, 36];
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1D, 37];
const INHIBIT_ANY_POLICY: &[u8] = &[0x55, 0x1D, 54];
/// 1.3.6.1.4.1.32473.1, of the arc that is set aside for examples (RFC 5612).
const UNHEARD_OF: &[u8] = &[0x2B, 6, 1, 4, 1, 0x81, 0xFD, 0x59, 1];

/// An ExtendedKeyUsage of these purposes: the last arc of serverAuth and its kin (1.3.6.1.5.5.7.3).
fn purposes(last_arcs: &[u8]) -> Vec<u8> {
    let purposes: Vec<_> = last_arcs
        .iter()
        .map(|arc| tlv(6, &[&[0x2B, 6, 1, 5, 5, 7, 3, *arc]]))
        .collect();
    tlv(0x30, &[&purposes.concat()])
}
const SERVER_AUTH: u8 = 1;
const CLIENT_AUTH: u8 = 2;
/// anyExtendedKeyUsage (2.5.29.37.0)
const ANY_PURPOSE: &[u8] = &[0x30, 6, 6, 4, 0x55, 0x1D, 37, 0];

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
async fn both_signature_algorithms_are_the_same() {
    let world = World::new().await;
    // ecdsa-with-SHA384, and the right one with parameters that it doesn't have.
    let sha384 = [0x30, 10, 6, 8, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 3];
    let with_null = [0x30, 12, 6, 8, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 2, 5, 0];
    for other in [&sha384[..], &with_null] {
        for v3 in [false, true] {
            let bot = leaf(&world, |bot| {
                let bot = bot.inner_algorithm(other);
                if v3 {
                    bot.extension(EXTENDED_KEY_USAGE, false, ANY_PURPOSE)
                } else {
                    bot
                }
            });
            world
                .assert_refused(
                    &bot,
                    AlertDescription::BadCertificate,
                    "the certificate of O=Excelsior Bank,CN=demo-bot1: the signature algorithm within what was signed is another than the one beside it",
                )
                .await;
        }
    }
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
    world
        .assert_refused(
            &bot,
            AlertDescription::UnknownCA,
            "no trusted signing certificate of O=Excelsior Bank,CN=Signing was imported",
        )
        .await;

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

const NAME_CONSTRAINTS: &[u8] = &[0x55, 0x1D, 30];

/// NameConstraints with one host name in one list.
fn constraint(list: u8, host: &str) -> Vec<u8> {
    let subtree = tlv(0x30, &[&tlv(0x82, &[host.as_bytes()])]);
    tlv(0x30, &[&tlv(list, &[&subtree])])
}
const PERMITTED: u8 = 0xA0;
const EXCLUDED: u8 = 0xA1;

/// A subjectAltName with one host name.
fn host(name: &str) -> Vec<u8> {
    tlv(0x30, &[&tlv(0x82, &[name.as_bytes()])])
}

#[tokio::test]
async fn name_constraints_forbid_what_they_say_critical_or_not() {
    let world = World::new().await;
    let (signing, signing_key) = (name("Signing"), key());
    for critical in [false, true] {
        for (list, base, refused) in [
            (
                PERMITTED,
                "good.example",
                "DNS:bot.evil.example is not among the names that O=Excelsior Bank,CN=Signing may issue for: DNS:good.example",
            ),
            (
                EXCLUDED,
                "evil.example",
                "DNS:bot.evil.example is excluded from the names that O=Excelsior Bank,CN=Signing may issue for by DNS:evil.example",
            ),
        ] {
            let middle = Forgery::new(
                world.ca.certificate().subject(),
                world.ca.private_key(),
                &signing,
                &signing_key,
            )
            .ca()
            .extension(NAME_CONSTRAINTS, critical, &constraint(list, base))
            .sign();
            let bot_with = |host_name| {
                let (bot, key) = (name(BOT), key());
                let leaf = Forgery::new(&signing, &signing_key, &bot, &key)
                    .extension(SUBJECT_ALT_NAME, false, &host(host_name))
                    .sign();
                Identity::new([leaf, middle.clone()], &key)
            };

            world
                .assert_refused(
                    &bot_with("bot.evil.example"),
                    AlertDescription::CertificateUnknown,
                    &format!("the certificate of O=Excelsior Bank,CN=demo-bot1: {refused}"),
                )
                .await;
            world
                .assert_authenticates(&bot_with("bot.good.example"))
                .await;
        }
    }
}

#[tokio::test]
async fn name_constraints_hold_for_everything_below_but_what_is_self_issued() {
    let world = World::new().await;
    let (root, root_key) = (name("Constrained Root"), key());
    // Its own name is excluded, and another CA's.
    let unwanted = name("Unwanted");
    let subtrees = [&root, &unwanted]
        .map(|name| tlv(0x30, &[&tlv(0xA4, &[name.as_der()])]))
        .concat();
    let excluded = tlv(0x30, &[&tlv(EXCLUDED, &[&subtrees])]);
    let certificate = Forgery::new(&root, &root_key, &root, &root_key)
        .ca()
        .extension(NAME_CONSTRAINTS, false, &excluded)
        .sign();
    world.trust(&certificate);

    let refused = "the certificate of O=Excelsior Bank,CN=Constrained Root: subject O=Excelsior Bank,CN=Constrained Root is excluded from the names that O=Excelsior Bank,CN=Constrained Root may issue for by dirName:O=Excelsior Bank,CN=Constrained Root";

    // With a new key it has the old name still (RFC 5280, section 6.1.3 (b)), unless it is a client's.
    let new_key = key();
    let renewed = Forgery::new(&root, &root_key, &root, &new_key).ca().sign();
    let bot_key = key();
    let bot = v1_certificate(&root, &new_key, &name(BOT), &bot_key);
    world
        .assert_authenticates(&Identity::new([bot, renewed.clone()], &bot_key))
        .await;
    world
        .assert_refused(
            &Identity::new([renewed], &new_key),
            AlertDescription::CertificateUnknown,
            refused,
        )
        .await;

    // One that is below by two.
    let (signing, signing_key) = (name("Signing"), key());
    let middle = Forgery::new(&root, &root_key, &signing, &signing_key)
        .ca()
        .sign();
    let leaf = v1_certificate(&signing, &signing_key, &root, &bot_key);
    world
        .assert_refused(
            &Identity::new([leaf, middle], &bot_key),
            AlertDescription::CertificateUnknown,
            refused,
        )
        .await;

    // A CA in the middle that is not self-issued.
    let middle = Forgery::new(&root, &root_key, &unwanted, &signing_key)
        .ca()
        .sign();
    let leaf = v1_certificate(&unwanted, &signing_key, &name(BOT), &bot_key);
    world
        .assert_refused(
            &Identity::new([leaf, middle], &bot_key),
            AlertDescription::CertificateUnknown,
            "the certificate of O=Excelsior Bank,CN=Unwanted: subject O=Excelsior Bank,CN=Unwanted is excluded from the names that O=Excelsior Bank,CN=Constrained Root may issue for by dirName:O=Excelsior Bank,CN=Unwanted",
        )
        .await;
}

/// The name as another program would have written it: in other string types, another case, other space.
fn otherwise_encoded(cn: &[u8], organization: &[u8]) -> DistinguishedName {
    // CN and O, PrintableString
    let rdn = |arc: u8, value: &[u8]| {
        let attribute = tlv(0x30, &[&[6, 3, 0x55, 4, arc], &tlv(0x13, &[value])]);
        tlv(0x31, &[&attribute])
    };
    let der = tlv(0x30, &[&rdn(3, cn), &rdn(10, organization)]);
    DistinguishedName::from_der(&der).unwrap()
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
    world
        .assert_refused(
            &Identity::new([bot], &bot_key),
            AlertDescription::UnknownCA,
            "no trusted signing certificate of O=Excelsior Bank,CN=TestRoot was imported",
        )
        .await;
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

#[tokio::test]
async fn an_unknown_root_is_unknown_when_it_is_sent_too() {
    let world = World::new().await;
    let root = authority("Unknown Root");
    let mut identity = bot(&root, BOT);
    identity.chain.push(root.certificate().clone());

    world
        .assert_refused(
            &identity,
            AlertDescription::UnknownCA,
            "no trusted signing certificate of O=Excelsior Bank,CN=Unknown Root was imported",
        )
        .await;
}

#[tokio::test]
async fn an_issuer_has_the_name_that_the_certificate_gives() {
    let world = World::new().await;
    let mut bot = below(&world, |signing| signing.ca());
    let (signing_key, bot_key) = (key(), key());
    let middle = Forgery::new(
        world.ca.certificate().subject(),
        world.ca.private_key(),
        &name("Signing"),
        &signing_key,
    )
    .ca()
    .sign();
    let leaf = v1_certificate(&name("Somebody"), &signing_key, &name(BOT), &bot_key);
    world.assert_authenticates(&bot).await;

    bot = Identity::new([leaf, middle], &bot_key);
    world
        .assert_refused(
            &bot,
            AlertDescription::UnknownCA,
            "no trusted signing certificate of O=Excelsior Bank,CN=Somebody was imported",
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

#[tokio::test]
async fn a_ca_that_was_imported_as_a_client_admits_nobody() {
    let world = World::new().await;
    let ca = authority("Unknown Root");
    world.import(ca.certificate(), CertificateType::User);

    world
        .assert_refused(
            &bot(&ca, BOT),
            AlertDescription::UnknownCA,
            "no trusted signing certificate of O=Excelsior Bank,CN=Unknown Root was imported",
        )
        .await;
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
async fn a_signature_algorithm_goes_with_its_kind_of_key() {
    let world = World::new().await;
    let (signing, signing_key) = (name("Signing"), key());
    let ed25519 = PrivateKey::generate(KeyKind::Ed25519).unwrap();
    let ca = world.ca.certificate().subject();
    let middle = Forgery::new(ca, world.ca.private_key(), &signing, &ed25519)
        .ca()
        .sign();
    let bot_key = key();
    let leaf = v1_certificate(&signing, &signing_key, &name(BOT), &bot_key);

    world
        .assert_refused(
            &Identity::new([leaf, middle], &bot_key),
            AlertDescription::CertificateUnknown,
            "the certificate of O=Excelsior Bank,CN=demo-bot1: the signature algorithm is not supported, or not with this kind of key",
        )
        .await;
}
