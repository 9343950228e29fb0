//! Through an HTTP proxy, and under names that only a proxy knows.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use auth::{Client, ClientBuilder, Endpoints, Error, Phase, Proxy};
use http::StatusCode;
use pki::{Profile, SubjectAltName};
use pod::ProxyFault;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
};

use crate::{
    lab::{PROTOCOLS, client, identity, issue, key_manager_answer, lab, pod_answer, trust},
    server::{Server, Setup},
};

async fn servers() -> (Server, Server) {
    (
        Server::start(Setup::new(pod_answer)).await,
        Server::start(Setup::new(key_manager_answer)).await,
    )
}

async fn failure(client: ClientBuilder) -> Error {
    client.build().unwrap().session().await.unwrap_err()
}

#[tokio::test]
async fn both_endpoints_are_reached_through_the_proxy() {
    for (tls, http) in PROTOCOLS {
        let pod = Server::start(Setup::new(pod_answer).over(tls, http)).await;
        let key_manager = Server::start(Setup::new(key_manager_answer).over(tls, http)).await;
        let proxy = pod::Proxy::builder()
            .basic_auth("me", "p w%")
            .start()
            .await
            .unwrap();
        let through = Proxy::new(proxy.url().replace("//", "//me:p%20w%25@")).unwrap();
        let client = client(&pod, &key_manager).proxy(through).build().unwrap();
        let session = client.session().await.unwrap();
        client.renewed(&session).await.unwrap();

        let mut connects: Vec<_> = proxy
            .connects()
            .into_iter()
            .map(|it| it.authority)
            .collect();
        connects.sort();
        let mut expected = [pod.authority(), key_manager.authority()];
        expected.sort();
        assert_eq!(connects, expected, "one tunnel each, which is kept");
        assert_eq!(pod.seen()[0].certificates.len(), 2);
    }
}

#[tokio::test]
async fn a_proxy_that_wants_credentials_is_told_from_one_that_has_others() {
    let (pod, key_manager) = servers().await;
    let proxy = pod::Proxy::builder()
        .basic_auth("me", "s3cret")
        .start()
        .await
        .unwrap();
    for (url, sent) in [
        (proxy.url(), false),
        (proxy.url().replace("//", "//me:wr0ng@"), true),
    ] {
        let error = failure(client(&pod, &key_manager).proxy(Proxy::new(url).unwrap())).await;
        let Error::ProxyAuthenticationRequired {
            proxy: at,
            credentials_sent,
            ..
        } = &error
        else {
            panic!("{error:?}");
        };
        assert_eq!(
            (at, *credentials_sent),
            (&proxy.address().to_string(), sent)
        );
        assert!(!format!("{error:?} {error}").contains("wr0ng"));
    }
    assert_eq!(pod.connections(), 0, "nothing went past the proxy");
}

#[tokio::test]
async fn each_way_of_a_proxy_to_fail_has_its_error() {
    let (pod, key_manager) = servers().await;
    let proxy = pod::Proxy::builder().start().await.unwrap();
    let through = || Proxy::new(proxy.url()).unwrap();

    proxy.set_fault(ProxyFault::Status(StatusCode::FORBIDDEN));
    let error = failure(client(&pod, &key_manager).proxy(through())).await;
    assert!(
        matches!(
            error,
            Error::ProxyRefused {
                status: StatusCode::FORBIDDEN,
                ..
            }
        ),
        "{error:?}"
    );

    proxy.set_fault(ProxyFault::Close);
    let error = failure(client(&pod, &key_manager).proxy(through())).await;
    assert!(matches!(error, Error::ProxyUnreachable { .. }), "{error:?}");

    proxy.set_fault(ProxyFault::Silence);
    let limit = Duration::from_millis(300);
    let error = failure(
        client(&pod, &key_manager)
            .proxy(through())
            .connect_timeout(limit),
    )
    .await;
    assert!(
        matches!(error, Error::Timeout { phase: Phase::Connect, after, .. } if after == limit),
        "{error:?}"
    );

    let closed = Proxy::new("http://127.0.0.1:1").unwrap();
    let error = failure(client(&pod, &key_manager).proxy(closed)).await;
    assert!(
        matches!(&error, Error::ProxyUnreachable { reason, .. } if reason == "it refused the connection"),
        "{error:?}"
    );

    let unknown = Proxy::new("http://proxy.invalid:8080").unwrap();
    let error = failure(client(&pod, &key_manager).proxy(unknown)).await;
    assert!(
        matches!(
            &error,
            Error::ProxyFailed {
                reason: "its host name does not resolve",
                ..
            }
        ),
        "{error:?}"
    );

    let no_proxy = Proxy::new(format!("http://{}", key_manager.authority())).unwrap();
    let error = failure(client(&pod, &key_manager).proxy(no_proxy)).await;
    assert!(matches!(&error, Error::ProxyFailed { .. }), "{error:?}");
    assert_eq!(pod.connections(), 0, "nothing went past the proxy");
}

/// A proxy by whose book every name is this one address.
async fn leads_to(target: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(client.read_u8().await.unwrap());
                }
                client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
                let mut server = TcpStream::connect(target).await.unwrap();
                let _ = copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    address
}

#[tokio::test]
async fn names_with_underscores_and_trailing_dots_are_called_by_their_name() {
    let names = ["bot_pod.test", "pod.test"].map(|name| SubjectAltName::dns(name).unwrap());
    let server = Arc::new(issue(&lab().root, "/CN=pod", &names, &Profile::server()));
    for (tls, http) in PROTOCOLS {
        for host in ["bot_pod.test", "pod.test", "pod.test."] {
            let setup = Setup::new(pod_answer)
                .over(tls, http)
                .certificate(Arc::clone(&server));
            let pod = Server::start(setup).await;
            let proxy = leads_to(pod.authority().parse().unwrap()).await;
            let url = format!("https://{host}:8444");
            let client = Client::builder(Endpoints::new(&url, &url).unwrap(), identity())
                .trust(trust())
                .proxy(Proxy::new(proxy.to_string()).unwrap())
                .build()
                .unwrap();
            // Both answers hold a session token here, which is told once both came.
            let error = client.session().await.unwrap_err();
            assert!(
                matches!(error, Error::MalformedReply { .. }),
                "{host} {error:?}"
            );
            assert!(!pod.seen().is_empty());
        }
    }
}

#[tokio::test]
async fn an_ipv6_address_is_called_directly() {
    let pod = pod::Pod::builder()
        .api_address("[::1]:0".parse().unwrap())
        .key_manager_address("[::1]:0".parse().unwrap())
        .start()
        .await
        .unwrap();
    for authority in [&lab().root, &lab().signing] {
        let pem = authority.certificate().to_pem();
        pod.import_certificate(pem, pod::CertificateType::UserSigning)
            .unwrap();
    }
    pod.create_service_user("demo-bot1").unwrap();
    assert!(pod.api_url().starts_with("https://[::1]:"));
    let endpoints = Endpoints::new(pod.api_url(), pod.key_manager_url()).unwrap();
    Client::builder(endpoints, identity())
        .trust(auth::TrustAnchors::pem(pod.trust_anchor_pem()).unwrap())
        .build()
        .unwrap()
        .session()
        .await
        .unwrap();
}
