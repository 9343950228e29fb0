//! Connections that are kept, and tickets of those that were.

use std::{sync::Arc, time::Duration};

use auth::{Client, Endpoint, Endpoints};
use pod::{Fault, HttpVersion, Pod, Port, Rule};
use rustls::{server::ServerSessionMemoryCache, version::TLS13};
use tokio::task::JoinSet;

use crate::{
    lab::{identity, key_manager_answer, pod_answer, trust},
    life::until,
    server::{Server, Setup},
    workflow::{admit, echo},
};

#[tokio::test]
async fn after_many_calls_at_once_few_connections_are_kept() {
    let pod = Pod::builder()
        .http_versions([HttpVersion::Http1])
        .start()
        .await
        .unwrap();
    admit(&pod);
    let client = crate::life::builder(&pod).build().unwrap();
    client.session().await.unwrap();
    let slow = Rule::new(Fault::Delay(Duration::from_millis(1500))).path("/agent/v1/util/echo");
    pod.inject(slow).unwrap();
    let mut calls = JoinSet::new();
    for _ in 0..40 {
        let client = client.clone();
        calls.spawn(async move { client.call(Endpoint::Agent, echo()).await });
    }
    until(|| pod.open_connections(Port::Api) >= 40).await;
    for result in calls.join_all().await {
        result.unwrap();
    }
    // One in each of the two channels that lead to this port, and 16 for the calls.
    until(|| pod.open_connections(Port::Api) <= 17).await;
    assert!(pod.open_connections(Port::Api) > 1);
}

/// As it would be where one program serves both ports.
#[tokio::test]
async fn a_ticket_of_a_port_without_certificates_is_not_offered_to_another_port() {
    let sessions = ServerSessionMemoryCache::new(32);
    let web = Setup::new(pod_answer).over(&TLS13, "http/1.1");
    let web = web.without_client_authentication();
    let web = Server::start(web.sessions(Arc::clone(&sessions) as _)).await;
    let api = Setup::new(pod_answer).over(&TLS13, "http/1.1");
    let api = Server::start(api.sessions(sessions)).await;
    let key_manager = Server::start(Setup::new(key_manager_answer)).await;
    let endpoints = Endpoints::new(web.url(), key_manager.url())
        .unwrap()
        .session_auth(api.url())
        .unwrap();
    let client = Client::builder(endpoints, identity())
        .trust(trust())
        .build()
        .unwrap();
    let get = http::Request::get("/x").body(bytes::Bytes::new()).unwrap();
    let token = auth::Token::new("sessionToken", "s").unwrap();
    let session = auth::Session::new(token, None).unwrap();
    client.send(&session, Endpoint::Pod, get).await.unwrap();
    client.session().await.unwrap();
    assert_eq!(api.seen()[0].certificates.len(), 2);
}
