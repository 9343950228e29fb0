//! What goes wrong when it is asked to.

mod answers;
mod delivery;
mod handshake;
mod rules;

use std::time::Duration;

use http::Method;
use pod::{Fault, Injected, Pod, Port, Rule};
use rustls::{SupportedProtocolVersion, version};

use crate::support::{Answer, Client};

const AUTHENTICATE: &str = "/sessionauth/v1/authenticate";
const BOTH_TLS: [&SupportedProtocolVersion; 2] = [&version::TLS12, &version::TLS13];

/// Long enough for anything that is going to happen.
const PATIENCE: Duration = Duration::from_secs(10);

fn inject(pod: &Pod, fault: Fault) -> Injected {
    pod.inject(Rule::new(fault)).unwrap()
}

fn authenticate(client: &Client) -> http::Request<http_body_util::Full<bytes::Bytes>> {
    client.request(Port::Api, Method::POST, AUTHENTICATE, &[], b"")
}

/// A POST to `authenticate` of the API port, on a connection of its own.
async fn post(client: &Client) -> Answer {
    client.post(Port::Api, AUTHENTICATE).await
}

/// The same, whatever comes of it.
async fn try_post(client: &Client) -> hyper::Result<Answer> {
    let mut connection = client.connect(Port::Api).await;
    connection.try_send(authenticate(client)).await
}

/// Fails when a connection is left open.
async fn assert_all_closed(pod: &Pod) {
    tokio::time::timeout(PATIENCE, pod.all_closed())
        .await
        .expect("a connection is left open");
}
