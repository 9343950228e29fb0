//! Before there is a request.

use std::{io, time::Duration};

use pki::{CertificateAuthority, KeyKind, PrivateKey, Profile};
use pod::{BadCertificate, End, Error, Fault, Pod, Port, Rule};
use rustls::{AlertDescription, CertificateError};
use tokio::{io::AsyncReadExt, time::timeout};

use super::{BOTH_TLS, PATIENCE, assert_all_closed, authenticate, inject, post};
use crate::support::{Client, World, alert_of, name};

/// The error of TLS that a handshake on the API port fails with.
async fn tls_error(client: &Client) -> rustls::Error {
    let error = client.handshake(Port::Api).await.unwrap_err();
    match error.get_ref().and_then(|error| error.downcast_ref()) {
        Some(error) => rustls::Error::clone(error),
        None => panic!("expected an error of TLS, found {error:?}"),
    }
}

#[tokio::test]
async fn a_refused_port_refuses_until_the_rule_is_removed() {
    let world = World::new().await;
    let client = world.client();
    let mut open = client.connect(Port::Api).await;

    for _ in 0..20 {
        let refuse = world.pod.inject(Rule::new(Fault::Refuse).port(Port::Api));
        let error = client.handshake(Port::Api).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        client.handshake(Port::KeyManager).await.unwrap();

        refuse.unwrap().remove();
        client.handshake(Port::Api).await.unwrap();
    }

    // One that was open from before is none the worse.
    open.send(authenticate(&client)).await.token();
}

#[tokio::test]
async fn two_refusals_have_to_be_removed_both() {
    let world = World::new().await;
    let first = inject(&world.pod, Fault::Refuse);
    let second = inject(&world.pod, Fault::Refuse);

    first.remove();
    let error = world.client().handshake(Port::Web).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    second.remove();
    world.client().handshake(Port::Web).await.unwrap();
}

#[tokio::test]
async fn the_ports_are_gone_with_the_pod_though_a_rule_is_held() {
    let world = World::new().await;
    let client = world.client();
    let rule = inject(&world.pod, Fault::NoAnswer);

    world.pod.shutdown().await;

    let error = client.handshake(Port::Api).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    rule.remove();
}

#[tokio::test]
async fn plain_text_is_no_tls() {
    let world = World::new().await;
    inject(&world.pod, Fault::PlainText);

    for tls in BOTH_TLS {
        let error = tls_error(&world.client().tls(tls)).await;
        assert!(
            matches!(error, rustls::Error::InvalidMessage(_)),
            "{error:?}"
        );
    }
    assert_eq!(world.pod.handshakes(Port::Api).failed, 2);
}

#[tokio::test]
async fn a_hello_is_answered_with_any_alert() {
    let world = World::new().await;
    for alert in [
        AlertDescription::HandshakeFailure,
        AlertDescription::ProtocolVersion,
        AlertDescription::UnrecognisedName,
    ] {
        let rule = inject(&world.pod, Fault::HelloAlert(alert));
        for tls in BOTH_TLS {
            let error = tls_error(&world.client().tls(tls)).await;
            assert_eq!(error, rustls::Error::AlertReceived(alert));
        }
        rule.remove();
    }
}

#[tokio::test]
async fn bad_server_certificates_are_bad_in_their_own_ways() {
    let world = World::new().await;
    for tls in BOTH_TLS {
        let client = world.client().tls(tls);
        for kind in [
            BadCertificate::WrongHost,
            BadCertificate::Expired,
            BadCertificate::NotYetValid,
            BadCertificate::UnknownRoot,
        ] {
            let rule = Rule::new(Fault::ServerCertificate(kind)).times(1);
            world.pod.inject(rule).unwrap();

            let rustls::Error::InvalidCertificate(error) = tls_error(&client).await else {
                panic!("{kind:?}");
            };
            let expected = match kind {
                BadCertificate::WrongHost => {
                    matches!(error, CertificateError::NotValidForNameContext { .. })
                }
                BadCertificate::Expired => matches!(error, CertificateError::ExpiredContext { .. }),
                BadCertificate::NotYetValid => {
                    matches!(error, CertificateError::NotValidYetContext { .. })
                }
                _ => error == CertificateError::UnknownIssuer,
            };
            assert!(expected, "{kind:?}: {error:?}");
            // Only once: each handshake has its own.
            client.handshake(Port::Api).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_pod_with_a_given_certificate_has_no_authority_to_make_others() {
    let key = PrivateKey::generate(KeyKind::EcP256).unwrap();
    let key_again = PrivateKey::from_der(key.to_pkcs8_der().unwrap().as_slice(), None).unwrap();
    let root = CertificateAuthority::create_root(name("given"), key, &Profile::root()).unwrap();
    let pod = Pod::builder()
        .server_certificate([root.certificate().clone()], key_again)
        .start()
        .await
        .unwrap();

    let rule = Rule::new(Fault::ServerCertificate(BadCertificate::Expired));

    assert!(matches!(pod.inject(rule), Err(Error::NoServerAuthority)));
}

#[tokio::test]
async fn a_client_is_refused_with_any_alert_and_late_under_tls_1_3() {
    let world = World::new().await;
    for alert in [
        AlertDescription::BadCertificate,
        AlertDescription::UnsupportedCertificate,
        AlertDescription::CertificateRevoked,
        AlertDescription::CertificateExpired,
        AlertDescription::CertificateUnknown,
        AlertDescription::UnknownCA,
        AlertDescription::AccessDenied,
        AlertDescription::DecryptError,
        AlertDescription::BadCertificateStatusResponse,
        AlertDescription::IllegalParameter,
        AlertDescription::HandshakeFailure,
    ] {
        let rule = inject(&world.pod, Fault::RefuseClient(alert));
        for tls in BOTH_TLS {
            assert_eq!(
                alert_of(&world.client().tls(tls), Port::Api).await,
                alert,
                "{tls:?}"
            );
        }
        let late = world.client().tls(&rustls::version::TLS13);
        let mut stream = late.handshake(Port::Api).await.unwrap();
        stream.read_u8().await.unwrap_err();
        rule.remove();
    }
}

#[tokio::test]
async fn where_no_certificate_is_asked_for_none_is_refused() {
    let world = World::new().await;
    let rule = inject(
        &world.pod,
        Fault::RefuseClient(AlertDescription::AccessDenied),
    );

    world.client().handshake(Port::Web).await.unwrap();

    assert_eq!(rule.applied(), 0);
}

#[tokio::test]
async fn a_handshake_is_reset_or_closed_after_so_many_octets() {
    let world = World::new().await;
    for tls in BOTH_TLS {
        for after in [0, 1, 100] {
            for (end, expected) in [
                (End::Reset, io::ErrorKind::ConnectionReset),
                (End::Close, io::ErrorKind::UnexpectedEof),
            ] {
                let rule = inject(&world.pod, Fault::CutHandshake { end, after });
                let error = world
                    .client()
                    .tls(tls)
                    .handshake(Port::Api)
                    .await
                    .unwrap_err();
                assert_eq!(error.kind(), expected, "{end:?} after {after}: {error:?}");
                rule.remove();
            }
        }
    }
    assert_eq!(world.pod.handshakes(Port::Api).failed, 12);
    assert_all_closed(&world.pod).await;
}

#[tokio::test]
async fn a_silent_server_holds_the_connection_until_the_client_leaves() {
    let world = World::new().await;
    let rule = inject(&world.pod, Fault::silence());

    let client = world.client();
    let mut handshake = tokio::spawn(async move { client.handshake(Port::Api).await });
    while world.pod.open_connections(Port::Api) == 0 {
        tokio::task::yield_now().await;
    }
    let ended = timeout(Duration::from_millis(100), &mut handshake).await;
    assert!(ended.is_err(), "it should take for ever");
    assert_eq!(world.pod.open_connections(Port::Api), 1);
    handshake.abort();

    assert_all_closed(&world.pod).await;
    rule.remove();
    post(&world.client()).await.token();
}

#[tokio::test]
async fn silence_does_not_delay_the_end_of_the_pod() {
    let world = World::new().await;
    inject(&world.pod, Fault::silence());
    let client = world.client();
    let handshake = tokio::spawn(async move { client.handshake(Port::Api).await });
    while world.pod.open_connections(Port::Api) == 0 {
        tokio::task::yield_now().await;
    }

    timeout(PATIENCE, world.pod.shutdown()).await.unwrap();

    handshake.await.unwrap().unwrap_err();
}
