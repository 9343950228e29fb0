//! Handshakes, and what they must not take from others.

use std::time::Duration;

use auth::{Endpoint, Error, Phase};
use bytes::Bytes;
use http::Request;
use pod::{Fault, Port, Rule};
use rustls::version::TLS13;
use tokio::{net::lookup_host, task::JoinSet};

use crate::{
    lab::{client, key_manager_answer, pod_answer, session},
    server::{Server, Setup},
    workflow::{admitting, session_info},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_cold_calls_to_a_server_that_hangs_take_no_threads_from_others() {
    let silent = admitting().await;
    silent.inject(Rule::new(Fault::silence())).unwrap();
    let limit = Duration::from_secs(3);
    let client = crate::life::builder(&silent)
        .connect_timeout(limit)
        .build()
        .unwrap();
    let mut calls = JoinSet::new();
    for _ in 0..1000 {
        let client = client.clone();
        calls.spawn(async move { client.send(&session(), Endpoint::Pod, session_info()).await });
    }
    crate::life::until(|| silent.open_connections(Port::Api) > 0).await;

    let soon = Duration::from_secs(2);
    let started = std::time::Instant::now();
    let blocking = tokio::time::timeout(soon, tokio::task::spawn_blocking(|| 7)).await;
    assert_eq!(blocking.expect("no thread is left").unwrap(), 7);
    // The system's resolver runs on such threads too.
    let resolved = tokio::time::timeout(soon, lookup_host(("localhost", 1))).await;
    assert!(resolved.expect("no thread is left").unwrap().count() > 0);
    assert!(started.elapsed() < limit, "while the calls were under way");
    let open = silent.open_connections(Port::Api);
    assert!(open <= 16, "{open}");

    for result in calls.join_all().await {
        let error = result.unwrap_err();
        assert!(
            matches!(error, Error::Timeout { phase: Phase::Connect, after, .. } if after == limit),
            "{error:?}"
        );
    }
}

/// HTTP/2 has room for all of them on the first connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cold_calls_wait_for_the_connection_that_is_being_made() {
    let pod = Server::start(Setup::new(pod_answer).over(&TLS13, "h2")).await;
    let key_manager = Server::start(Setup::new(key_manager_answer)).await;
    let client = client(&pod, &key_manager).build().unwrap();
    let mut calls = JoinSet::new();
    for _ in 0..200 {
        let client = client.clone();
        let request = Request::get("/x").body(Bytes::new()).unwrap();
        calls.spawn(async move { client.send(&session(), Endpoint::Pod, request).await });
    }
    for result in calls.join_all().await {
        result.unwrap();
    }
    assert!(pod.connections() <= 16, "{}", pod.connections());
}
