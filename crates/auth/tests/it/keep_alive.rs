//! Connections that are there and lead nowhere, and healthy ones whose calls are given up.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use auth::{Client, Endpoint, Endpoints, Error};
use pod::{Fault, Rule};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};

use crate::{
    lab::identity,
    life::{quick, until},
    workflow::{admitting, echo, session_info},
};

/// Passes on what comes, until it falls silent: connections stay open, and nothing arrives any more.
struct Relay {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    silent: Arc<AtomicBool>,
}

impl Relay {
    async fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let relay = Self {
            address: listener.local_addr().unwrap(),
            connections: Arc::default(),
            silent: Arc::default(),
        };
        let (connections, silent) = (Arc::clone(&relay.connections), Arc::clone(&relay.silent));
        tokio::spawn(async move {
            loop {
                let (mut near, _) = listener.accept().await.unwrap();
                connections.fetch_add(1, Ordering::SeqCst);
                let silent = Arc::clone(&silent);
                let mut far = TcpStream::connect(target).await.unwrap();
                tokio::spawn(async move {
                    tokio::select! {
                        _ = copy_bidirectional(&mut near, &mut far) => {}
                        () = until(|| silent.load(Ordering::SeqCst)) => {
                            // What is open now stays so, and those that come later are served.
                            std::future::pending::<()>().await;
                        }
                    }
                });
            }
        });
        relay
    }
}

#[tokio::test]
async fn a_peer_that_vanished_is_found_out_by_pings_and_its_connection_given_up() {
    let pod = admitting().await;
    let relay = Relay::to(pod.address(pod::Port::Api)).await;
    let endpoints =
        Endpoints::new(format!("https://{}", relay.address), pod.key_manager_url()).unwrap();
    let client = Client::builder(endpoints, identity())
        .trust(auth::TrustAnchors::pem(pod.trust_anchor_pem()).unwrap())
        .retry(quick().attempts(1))
        .http2_keep_alive(Duration::from_millis(200), Duration::from_millis(800))
        .build()
        .unwrap();
    client.call(Endpoint::Pod, session_info()).await.unwrap();
    assert_eq!(relay.connections.load(Ordering::SeqCst), 1);

    relay.silent.store(true, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(50)).await;
    let lost = tokio::time::timeout(
        Duration::from_secs(20),
        client.call(Endpoint::Pod, session_info()),
    );
    let error = lost.await.expect("no ping").unwrap_err();
    assert!(
        matches!(
            error,
            Error::Http { .. } | Error::ConnectionClosed { .. } | Error::Network { .. }
        ),
        "{error:?}"
    );
    relay.silent.store(false, Ordering::SeqCst);
    client.call(Endpoint::Pod, session_info()).await.unwrap();
    assert_eq!(relay.connections.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_call_that_is_given_up_leaves_its_healthy_connection_to_the_others() {
    let pod = admitting().await;
    let client = crate::life::builder(&pod).build().unwrap();
    client.call(Endpoint::Agent, echo()).await.unwrap();
    let before = pod.handshakes(pod::Port::Api).completed;
    let long_poll = Rule::new(Fault::Delay(Duration::from_secs(60))).path("/agent/v1/util/echo");
    let long_poll = pod.inject(long_poll).unwrap();
    for _ in 0..2 {
        let call = client.call(Endpoint::Agent, echo());
        let given_up = tokio::time::timeout(Duration::from_millis(1200), call).await;
        given_up.unwrap_err();
    }
    long_poll.remove();
    client.call(Endpoint::Agent, echo()).await.unwrap();
    assert_eq!(pod.handshakes(pod::Port::Api).completed, before);
}
