//! Whom the API ports let in, and what the others are told.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use tokio::{io::AsyncReadExt, net::TcpStream};

use crate::support::{
    BOT, Client, Identity, World, alert_of, authority, bot, bot_with, key, name, v1_certificate,
};
use http::{Method, StatusCode};
use pki::{Certificate, CertificateAuthority, KeyKind, PrivateKey, Profile, SubjectAltName};
use pod::{CertificateType, HttpVersion, Pod, Port, Status, TlsVersion};
use rustls::{AlertDescription, SupportedProtocolVersion, version};

const BOTH_TLS: [&SupportedProtocolVersion; 2] = [&version::TLS12, &version::TLS13];
const AUTHENTICATE: &str = "/sessionauth/v1/authenticate";
const DAY: Duration = Duration::from_secs(86_400);

/// Refused with the same alert under both versions of TLS.
async fn assert_refused(world: &World, identity: &Identity, expected: AlertDescription) {
    for tls in BOTH_TLS {
        let client = Client::new(&world.pod).showing(identity).tls(tls);
        assert_eq!(alert_of(&client, Port::Api).await, expected, "{tls:?}");
    }
}

/// Let in under both versions of TLS, and known as the bot.
async fn assert_authenticates(world: &World, identity: &Identity) {
    for tls in BOTH_TLS {
        let client = Client::new(&world.pod).showing(identity).tls(tls);
        let answer = client.post(Port::Api, AUTHENTICATE).await;
        assert_eq!(answer.status, StatusCode::OK, "{tls:?}: {answer:?}");
    }
}

/// A self-signed v1 certificate.
fn self_signed(common_name: &str) -> Identity {
    let key = key();
    let name = name(common_name);
    Identity::new([v1_certificate(&name, &key, &name, &key)], &key)
}

#[tokio::test]
async fn a_certificate_of_an_imported_authority_authenticates() {
    let world = World::new().await;

    assert_authenticates(&world, &world.bot).await;
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

    assert_authenticates(&world, &Identity::new([leaf], &key)).await;
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

    assert_authenticates(&world, &Identity::new([leaf], &key)).await;
}

#[tokio::test]
async fn an_imported_client_certificate_is_let_in_self_signed_or_not() {
    let world = World::new().await;
    let self_signed = self_signed(BOT);
    let issued = bot(&authority("Unknown Root"), BOT);
    for identity in [&self_signed, &issued] {
        assert_refused(&world, identity, AlertDescription::UnknownCA).await;

        world
            .pod
            .import_certificate(identity.leaf().as_der(), CertificateType::User)
            .unwrap();

        assert_authenticates(&world, identity).await;
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
    world
        .pod
        .import_certificate(first.leaf().as_der(), CertificateType::User)
        .unwrap();

    assert_refused(&world, &second, AlertDescription::UnknownCA).await;
}

#[tokio::test]
async fn the_alert_arrives_every_time() {
    let world = World::new().await;
    let stranger = bot(&authority("Unknown Root"), BOT);

    for _ in 0..50 {
        assert_refused(&world, &stranger, AlertDescription::UnknownCA).await;
    }
    assert_eq!(world.pod.handshakes(Port::Api).failed, 100);
    assert_eq!(world.pod.handshakes(Port::Api).completed, 0);
}

#[tokio::test]
async fn an_authority_of_the_same_name_is_unknown() {
    let world = World::new().await;

    let impostor = bot(&authority("Test Root"), BOT);
    assert_refused(&world, &impostor, AlertDescription::UnknownCA).await;

    // Without key identifiers only the signature tells.
    let key = key();
    let leaf = v1_certificate(
        world.ca.certificate().subject(),
        &crate::support::key(),
        &name(BOT),
        &key,
    );
    let forged = Identity::new([leaf], &key);
    assert_refused(&world, &forged, AlertDescription::BadCertificate).await;
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

    assert_authenticates(&world, &leaf).await;
    assert_refused(&world, &early, AlertDescription::CertificateExpired).await;

    ahead.store(10 * DAY.as_secs() + 60, Ordering::Relaxed);
    assert_refused(&world, &leaf, AlertDescription::CertificateExpired).await;
    assert_authenticates(&world, &early).await;

    // The leaf's authority is over as well: told first is what is wrong with the leaf's own.
    ahead.store(20 * 365 * DAY.as_secs(), Ordering::Relaxed);
    assert_refused(&world, &early, AlertDescription::CertificateExpired).await;
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
    world
        .pod
        .import_certificate(short.certificate().as_der(), CertificateType::UserSigning)
        .unwrap();
    // Valid longer than its authority, which `pki` wouldn't sign.
    let key = key();
    let leaf = v1_certificate(
        short.certificate().subject(),
        short.private_key(),
        &name(BOT),
        &key,
    );
    let identity = Identity::new([leaf], &key);
    assert_authenticates(&world, &identity).await;

    ahead.store(2 * DAY.as_secs(), Ordering::Relaxed);
    assert_refused(&world, &identity, AlertDescription::CertificateExpired).await;
}

#[tokio::test]
async fn the_status_of_the_authority_decides() {
    let world = World::new().await;
    let expected = [
        (Status::Revoked, AlertDescription::CertificateRevoked),
        (Status::Disabled, AlertDescription::AccessDenied),
        (Status::Known, AlertDescription::UnknownCA),
    ];
    for (status, alert) in expected {
        world
            .pod
            .set_status(world.signing.fingerprint, status)
            .unwrap();
        assert_refused(&world, &world.bot, alert).await;
    }

    world
        .pod
        .set_status(world.signing.fingerprint, Status::Trusted)
        .unwrap();
    assert_authenticates(&world, &world.bot).await;
}

#[tokio::test]
async fn a_client_certificate_can_be_revoked_under_a_trusted_authority() {
    let world = World::new().await;
    let imported = world
        .pod
        .import_certificate(world.bot.leaf().as_der(), CertificateType::User)
        .unwrap();

    world
        .pod
        .set_status(imported.fingerprint, Status::Revoked)
        .unwrap();
    assert_refused(&world, &world.bot, AlertDescription::CertificateRevoked).await;

    // Known says nothing either way: the authority admits.
    world
        .pod
        .set_status(imported.fingerprint, Status::Known)
        .unwrap();
    assert_authenticates(&world, &world.bot).await;
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
    assert_refused(&world, &identity, AlertDescription::UnknownCA).await;

    // Order and strangers between don't matter.
    identity
        .chain
        .push(authority("Some Other Root").certificate().clone());
    identity.chain.push(middle.certificate().clone());
    identity.chain.push(world.ca.certificate().clone());
    assert_authenticates(&world, &identity).await;

    let imported = world
        .pod
        .import_certificate(middle.certificate().as_der(), CertificateType::UserSigning)
        .unwrap();
    world
        .pod
        .set_status(imported.fingerprint, Status::Revoked)
        .unwrap();
    assert_refused(&world, &identity, AlertDescription::CertificateRevoked).await;
}

#[tokio::test]
async fn a_signing_certificate_admits_without_its_root() {
    let world = World::new().await;
    let root = authority("Unknown Root");
    let signing = root
        .create_intermediate(name("Signing"), key(), &Profile::intermediate())
        .unwrap();
    world
        .pod
        .import_certificate(signing.certificate().as_der(), CertificateType::UserSigning)
        .unwrap();

    assert_authenticates(&world, &bot(&signing, BOT)).await;
    assert_refused(&world, &bot(&root, BOT), AlertDescription::UnknownCA).await;
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
    world
        .pod
        .import_certificate(limited.certificate().as_der(), CertificateType::UserSigning)
        .unwrap();
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

    assert_refused(&world, &identity, AlertDescription::CertificateUnknown).await;
    assert_authenticates(&world, &bot(&limited, BOT)).await;
}

#[tokio::test]
async fn a_client_certificate_signs_no_other() {
    let world = World::new().await;
    let key = key();
    let bot_key = PrivateKey::from_der(&world.bot.key_pkcs8, None).unwrap();
    let forged = v1_certificate(world.bot.leaf().subject(), &bot_key, &name(BOT), &key);
    let identity = Identity::new([forged, world.bot.leaf().clone()], &key);

    assert_refused(&world, &identity, AlertDescription::CertificateUnknown).await;
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

    assert_refused(&world, &identity, AlertDescription::CertificateUnknown).await;
}

#[tokio::test]
async fn an_altered_certificate_is_bad() {
    let world = World::new().await;
    let mut der = world.bot.leaf().as_der().to_vec();
    *der.last_mut().unwrap() ^= 1;
    let mut identity = world.bot.clone();
    identity.chain = vec![Certificate::from_der(&der).unwrap()];

    assert_refused(&world, &identity, AlertDescription::BadCertificate).await;
}

#[tokio::test]
async fn a_certificate_without_its_key_proves_nothing() {
    let world = World::new().await;
    let mut thief = bot(&world.ca, "thief");
    thief.chain = world.bot.chain.clone();

    assert_refused(&world, &thief, AlertDescription::DecryptError).await;
}

#[tokio::test]
async fn a_server_certificate_is_not_for_clients() {
    let world = World::new().await;
    let profile =
        Profile::server().subject_alt_names([SubjectAltName::Dns("example.com".to_owned())]);
    let server = bot_with(&world.ca, BOT, &key(), &profile);

    assert_refused(&world, &server, AlertDescription::UnsupportedCertificate).await;
}

#[tokio::test]
async fn a_signing_certificate_is_not_for_clients() {
    let world = World::new().await;
    let identity = Identity::new([world.ca.certificate().clone()], world.ca.private_key());

    assert_refused(&world, &identity, AlertDescription::UnsupportedCertificate).await;
}

#[tokio::test]
async fn a_long_chain_costs_no_search() {
    let world = World::new().await;
    let mut identity = world.bot.clone();
    for number in 0..10 {
        let stranger = authority(&format!("Root {number}"));
        identity.chain.push(stranger.certificate().clone());
    }

    assert_refused(&world, &identity, AlertDescription::CertificateUnknown).await;
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

    assert_refused(&world, &identity, AlertDescription::CertificateUnknown).await;
}

#[tokio::test]
async fn a_client_that_says_nothing_is_not_waited_for() {
    let world = World::new().await;
    let mut socket = TcpStream::connect(world.pod.address(Port::Api))
        .await
        .unwrap();
    tokio::time::pause();

    let mut octets = Vec::new();
    socket.read_to_end(&mut octets).await.unwrap();

    assert_eq!(octets, b"");
    assert_eq!(world.pod.handshakes(Port::Api).failed, 1);
}

#[tokio::test]
async fn short_rsa_keys_are_refused_unless_the_minimum_is_lowered() {
    let key = PrivateKey::generate(KeyKind::Rsa2048).unwrap();

    let strict = World::new().await;
    let identity = bot_with(&strict.ca, BOT, &key, &Profile::client());
    assert_refused(&strict, &identity, AlertDescription::CertificateUnknown).await;

    let lenient = World::with(Pod::builder().minimum_rsa_bits(2048)).await;
    let identity = bot_with(&lenient.ca, BOT, &key, &Profile::client());
    assert_authenticates(&lenient, &identity).await;
}

#[tokio::test]
async fn the_api_ports_demand_a_certificate_and_the_web_port_does_not_ask() {
    let world = World::new().await;
    for tls in BOTH_TLS {
        let bare = Client::new(&world.pod).tls(tls);
        for port in [Port::Api, Port::KeyManager] {
            let alert = alert_of(&bare, port).await;
            assert_eq!(alert, AlertDescription::CertificateRequired, "{port}");
        }

        let client = world.client().tls(tls);
        client.handshake(Port::Web).await.unwrap();
        assert_eq!(client.hints(), None, "no CertificateRequest");
    }
}

#[tokio::test]
async fn the_certificate_request_names_the_trusted_authorities() {
    let world = World::new().await;
    let issuer = authority("Issuer of one");
    let one = bot(&issuer, "other-bot");
    world
        .pod
        .import_certificate(one.leaf().as_der(), CertificateType::User)
        .unwrap();
    let revoked = world
        .pod
        .import_certificate(
            authority("Revoked").certificate().as_der(),
            CertificateType::UserSigning,
        )
        .unwrap();
    world
        .pod
        .set_status(revoked.fingerprint, Status::Revoked)
        .unwrap();

    for tls in BOTH_TLS {
        let client = world.client().tls(tls);
        client.handshake(Port::Api).await.unwrap();
        let expected = [
            world.ca.certificate().subject(),
            issuer.certificate().subject(),
        ]
        .map(|name| name.as_der().to_vec());
        assert_eq!(client.hints().unwrap(), expected);
    }
}

#[tokio::test]
async fn only_the_chosen_versions_are_spoken() {
    for (spoken, tls, other) in [
        (TlsVersion::Tls12, &version::TLS12, &version::TLS13),
        (TlsVersion::Tls13, &version::TLS13, &version::TLS12),
    ] {
        let world = World::with(Pod::builder().tls_versions([spoken])).await;
        world.client().tls(tls).handshake(Port::Api).await.unwrap();
        let alert = alert_of(&world.client().tls(other), Port::Api).await;
        assert_eq!(alert, AlertDescription::ProtocolVersion);
    }
    for (spoken, http2) in [(HttpVersion::Http1, false), (HttpVersion::Http2, true)] {
        let world = World::with(Pod::builder().http_versions([spoken])).await;
        world
            .client()
            .http2(http2)
            .post(Port::Api, AUTHENTICATE)
            .await
            .token();
        let alert = alert_of(&world.client().http2(!http2), Port::Api).await;
        assert_eq!(alert, AlertDescription::NoApplicationProtocol);
    }
}

#[tokio::test]
async fn without_alpn_http_1_is_spoken() {
    let world = World::new().await;
    let client = world.client().without_alpn();

    assert_eq!(
        client.post(Port::Api, AUTHENTICATE).await.version,
        http::Version::HTTP_11
    );
}

#[tokio::test]
async fn handshakes_are_counted_and_not_resumed() {
    let world = World::new().await;
    for _ in 0..3 {
        world.tokens().await;
    }

    for port in [Port::Api, Port::KeyManager] {
        let counts = world.pod.handshakes(port);
        assert_eq!((counts.completed, counts.failed), (3, 0), "{port}");
    }
}

#[tokio::test]
async fn a_revocation_reaches_connections_that_are_open() {
    for http2 in [false, true] {
        let world = World::new().await;
        let client = world.client().http2(http2);
        let mut connection = client.connect(Port::Api).await;
        let request = || client.request(Port::Api, Method::POST, AUTHENTICATE, &[], b"");
        connection.send(request()).await.token();

        world
            .pod
            .set_status(world.signing.fingerprint, Status::Revoked)
            .unwrap();

        assert_eq!(connection.send(request()).await.error().0, 401);
        assert_eq!(world.pod.handshakes(Port::Api).completed, 1);
    }
}
