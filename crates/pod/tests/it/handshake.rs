//! Versions, protocols, hints, alerts: the handshake around the client's certificate.

use http::Method;
use pod::{CertificateType, HttpVersion, Pod, Port, Status, TlsVersion};
use rustls::{AlertDescription, version};
use tokio::{io::AsyncReadExt, net::TcpStream};

use crate::support::{AUTHENTICATE, BOT, BOTH_TLS, Client, World, alert_of, authority, bot};

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
