//! Versions, protocols, hints, alerts: the handshake around the client's certificate.

use http::Method;
use p384::{
    ecdsa::{Signature, SigningKey, signature::hazmat::PrehashSigner},
    pkcs8::DecodePrivateKey,
};
use pki::{DistinguishedName, KeyKind, PrivateKey, Profile};
use pod::{CertificateType, HttpVersion, Pod, Port, Status, TlsVersion};
use rustls::{AlertDescription, SignatureScheme, version};
use rustls_pki_types::PrivatePkcs8KeyDer;
use sha2::{Digest as _, Sha256};
use tokio::{io::AsyncReadExt, net::TcpStream};

use crate::support::{
    AUTHENTICATE, BOT, BOTH_TLS, Client, World, alert_of, authority, bot, bot_with, key, name,
    v1_certificate,
};

#[tokio::test]
async fn the_alert_arrives_every_time() {
    let world = World::new().await;
    let stranger = bot(&authority("Unknown Root"), BOT);

    for _ in 0..50 {
        for tls in BOTH_TLS {
            let client = Client::new(&world.pod).showing(&stranger).tls(tls);
            let alert = alert_of(&client, Port::Api).await;
            assert_eq!(alert, AlertDescription::UnknownCA, "{tls:?}");
        }
    }
    assert_eq!(world.pod.handshakes(Port::Api).failed, 100);
    assert_eq!(world.pod.handshakes(Port::Api).completed, 0);
}

#[tokio::test]
async fn a_certificate_without_its_key_proves_nothing() {
    let world = World::new().await;
    let mut thief = bot(&world.ca, "thief");
    thief.chain = world.bot.chain.clone();

    for tls in BOTH_TLS {
        let client = Client::new(&world.pod).showing(&thief).tls(tls);
        let alert = alert_of(&client, Port::Api).await;
        assert_eq!(alert, AlertDescription::DecryptError, "{tls:?}");
    }
}

/// RFC 8446, section 4.2.3: a scheme of TLS 1.3 names the curve. In TLS 1.2 it does not (RFC 5246, section 7.4.1.4.1).
#[tokio::test]
async fn the_curve_is_the_scheme_s_in_tls_1_3() {
    let world = World::new().await;
    let key = PrivateKey::generate(KeyKind::EcP384).unwrap();
    let identity = bot_with(&world.ca, BOT, &key, &Profile::client());
    let signer = SigningKey::from_pkcs8_der(&identity.key_pkcs8).unwrap();
    let client = Client::new(&world.pod).showing(&identity).insisting_on(
        SignatureScheme::ECDSA_NISTP256_SHA256,
        move |message| {
            let signature: Signature = signer.sign_prehash(&Sha256::digest(message)).unwrap();
            signature.to_der().as_bytes().to_vec()
        },
    );

    client
        .clone()
        .tls(&version::TLS12)
        .post(Port::Api, AUTHENTICATE)
        .await
        .token();
    let alert = alert_of(&client.tls(&version::TLS13), Port::Api).await;
    assert_eq!(alert, AlertDescription::DecryptError);
}

/// RFC 8446, section 4.2.3: it is left to certificates.
#[tokio::test]
async fn pkcs_1_v1_5_signs_no_handshake_of_tls_1_3() {
    let world = World::with(Pod::builder().minimum_rsa_bits(2048)).await;
    let key = PrivateKey::generate(KeyKind::Rsa2048).unwrap();
    let identity = bot_with(&world.ca, BOT, &key, &Profile::client());
    let scheme = SignatureScheme::RSA_PKCS1_SHA256;
    let pkcs8 = PrivatePkcs8KeyDer::from(identity.key_pkcs8.clone()).into();
    let signer = rustls_graviola::default_provider()
        .key_provider
        .load_private_key(pkcs8)
        .unwrap()
        .choose_scheme(&[scheme])
        .unwrap();
    let client = Client::new(&world.pod)
        .showing(&identity)
        .insisting_on(scheme, move |message| signer.sign(message).unwrap());

    client
        .clone()
        .tls(&version::TLS12)
        .post(Port::Api, AUTHENTICATE)
        .await
        .token();
    let alert = alert_of(&client.tls(&version::TLS13), Port::Api).await;
    assert_eq!(alert, AlertDescription::DecryptError);
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
    for one in ["other-bot", "another-bot"] {
        world.import(bot(&issuer, one).leaf(), CertificateType::User);
    }
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

/// The message has room for 65,535 octets, and some of the names would be worse than none: a client might find that it
/// has no certificate of theirs.
#[tokio::test]
async fn too_many_names_of_authorities_are_all_left_out() {
    let world = World::new().await;
    let long = (0..600)
        .fold(DistinguishedName::builder(), |name, _| {
            name.organizational_unit("u".repeat(64))
        })
        .build()
        .unwrap();
    assert!(long.as_der().len() > 32_768);
    let key = key();
    let issued = v1_certificate(&long, &key, &name("other-bot"), &key);
    world.import(&issued, CertificateType::User);

    for tls in BOTH_TLS {
        let client = world.client().tls(tls);
        client.post(Port::Api, AUTHENTICATE).await.token();
        assert_eq!(client.hints().unwrap(), Vec::<Vec<u8>>::new());
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
        let refused = world.pod.refused_certificates();
        assert_eq!(refused.len(), 1);
        assert_eq!(
            refused[0].reason,
            "the certificate of O=Excelsior Bank,CN=Test Root is revoked"
        );
    }
}
