//! A proxy between a client and a pod.

use std::{io, time::Duration};

use http::StatusCode;
use pod::{Port, Proxy, ProxyFault};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::support::World;

/// base64 of `user:secret`.
const CREDENTIALS: &str = "Proxy-Authorization: Basic dXNlcjpzZWNyZXQ=\r\n";

/// Asks for a tunnel. Returns the head of the answer, and what then is the tunnel.
async fn connect(proxy: &Proxy, authority: &str, headers: &str) -> io::Result<(String, TcpStream)> {
    let mut stream = TcpStream::connect(proxy.address()).await?;
    let request = format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    Ok((String::from_utf8(head).unwrap(), stream))
}

/// The status, the credentials and the status on record, of one CONNECT.
async fn status(proxy: &Proxy, authority: &str, headers: &str) -> u16 {
    let (head, _) = connect(proxy, authority, headers).await.unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let record = proxy.connects().pop().unwrap();
    assert_eq!(record.authority, authority);
    assert_eq!(record.credentials, !headers.is_empty());
    assert_eq!(record.status.unwrap().as_u16(), status);
    status
}

fn authority(world: &World) -> String {
    format!("localhost:{}", world.pod.address(Port::Web).port())
}

#[tokio::test]
async fn a_tunnel_leads_to_the_pod() {
    let world = World::new().await;
    let proxy = Proxy::builder().start().await.unwrap();

    let (head, tunnel) = connect(&proxy, &authority(&world), "").await.unwrap();

    assert_eq!(head, "HTTP/1.1 200 Connection established\r\n\r\n");
    let mut stream = world.client().handshake_over(tunnel).await.unwrap();
    let request = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
    drop(stream);
    // The tunnel ends with its client.
    world.pod.all_closed().await;
}

#[tokio::test]
async fn credentials_are_asked_for_and_compared() {
    let world = World::new().await;
    let proxy = Proxy::builder()
        .basic_auth("user", "secret")
        .start()
        .await
        .unwrap();
    let authority = authority(&world);

    let (head, _) = connect(&proxy, &authority, "").await.unwrap();
    assert!(head.contains("\r\nProxy-Authenticate: Basic realm=\"pod\"\r\n"));
    assert_eq!(status(&proxy, &authority, "").await, 407);
    let wrong = "Proxy-Authorization: Basic dXNlcjp3cm9uZw==\r\n";
    assert_eq!(status(&proxy, &authority, wrong).await, 407);
    assert_eq!(status(&proxy, &authority, CREDENTIALS).await, 200);
    let lower = CREDENTIALS.replace("Proxy-Authorization", "proxy-authorization");
    assert_eq!(status(&proxy, &authority, &lower).await, 200);
}

#[tokio::test]
async fn what_is_not_on_this_machine_is_forbidden_and_what_is_not_there_a_bad_gateway() {
    let proxy = Proxy::builder().start().await.unwrap();
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = gone.local_addr().unwrap().to_string();
    drop(gone);

    assert_eq!(status(&proxy, "192.0.2.1:443", "").await, 403);
    assert_eq!(status(&proxy, &nobody, "").await, 502);
    assert_eq!(status(&proxy, "no port", "").await, 502);
}

#[tokio::test]
async fn only_connect_is_served() {
    let proxy = Proxy::builder().start().await.unwrap();
    let mut stream = TcpStream::connect(proxy.address()).await.unwrap();

    stream
        .write_all(b"GET http://localhost/ HTTP/1.1\r\n\r\n")
        .await
        .unwrap();

    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 405 "), "{answer}");
    assert!(proxy.connects().is_empty());
}

#[tokio::test]
async fn a_proxy_fails_as_it_is_told() {
    let world = World::new().await;
    let proxy = Proxy::builder().start().await.unwrap();
    let authority = authority(&world);

    proxy.set_fault(ProxyFault::Status(StatusCode::BAD_GATEWAY));
    assert_eq!(status(&proxy, &authority, "").await, 502);

    proxy.set_fault(ProxyFault::Close);
    let error = connect(&proxy, &authority, "").await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    assert_eq!(proxy.connects().pop().unwrap().status, None);

    proxy.set_fault(ProxyFault::Silence);
    let silence = connect(&proxy, &authority, "");
    assert!(timeout(Duration::from_millis(100), silence).await.is_err());
    assert_eq!(proxy.connects().pop().unwrap().status, None);

    proxy.set_fault(None);
    assert_eq!(status(&proxy, &authority, "").await, 200);
    assert_eq!(proxy.connects().len(), 4);
}

#[tokio::test]
async fn debug_shows_no_password() {
    let builder = Proxy::builder().basic_auth("user", "secret");
    let shown = format!("{builder:?}");
    let proxy = builder.start().await.unwrap();

    for shown in [shown, format!("{proxy:?}")] {
        assert!(!shown.contains("dXNlcjpzZWNyZXQ"), "{shown}");
        assert!(!shown.contains("secret\""), "{shown}");
    }
}
