//! Simplified key delivery: bots that need no Key Manager.

use auth::{Client, ClientBuilder, Endpoint, Endpoints, Error, TrustAnchors};
use http::StatusCode;
use pod::{Fault, Pod, Port, Rule};

use crate::{
    lab::identity,
    life::{quick, until},
    workflow::{admit, echo, session_info},
};

const KEY_MANAGER_LOGIN: &str = "/keyauth/v1/authenticate";
const INFO: &str = "/agent/v1/info";

/// Nothing listens there.
const NOWHERE: &str = "https://127.0.0.1:1";

async fn pod(agent_version: &str) -> Pod {
    let pod = Pod::builder()
        .simplified_key_delivery(true)
        .agent_version(agent_version)
        .start()
        .await
        .unwrap();
    admit(&pod);
    pod
}

fn builder(pod: &Pod, endpoints: Endpoints) -> ClientBuilder {
    Client::builder(endpoints, identity())
        .trust(TrustAnchors::pem(pod.trust_anchor_pem()).unwrap())
        .retry(quick())
}

#[tokio::test]
async fn without_an_agent_the_word_of_the_pod_is_enough() {
    let pod = pod("Agent-2.0.0").await;
    let endpoints = Endpoints::new(pod.api_url(), NOWHERE).unwrap();
    let client = builder(&pod, endpoints).build().unwrap();

    let session = client.session().await.unwrap();
    assert!(session.key_manager_token().is_none());
    client.call(Endpoint::Pod, session_info()).await.unwrap();
    client.logout().await.unwrap();
    assert_eq!(pod.sessions("demo-bot1"), 0);
    assert_eq!(pod.requests_to(INFO), 0);
}

/// The first login of a client connects to it while the Pod is asked.
#[tokio::test]
async fn a_key_manager_that_is_not_needed_is_connected_to_once_and_left() {
    let pod = pod("Agent-2.0.0").await;
    let endpoints = Endpoints::new(pod.api_url(), pod.key_manager_url()).unwrap();
    let client = builder(&pod, endpoints).build().unwrap();
    let handshakes = || {
        let seen = pod.handshakes(Port::KeyManager);
        seen.completed + seen.failed
    };
    for _ in 0..3 {
        client.call(Endpoint::Pod, session_info()).await.unwrap();
        until(|| pod.open_connections(Port::KeyManager) == 0).await;
        pod.expire_tokens();
    }
    assert!(handshakes() <= 1, "{}", handshakes());
    assert_eq!(pod.requests_to(KEY_MANAGER_LOGIN), 0);
}

#[tokio::test]
async fn an_agent_that_knows_of_it_takes_the_session_token_alone() {
    for version in ["Agent-24.12.0", "Agent-25.1.4-SNAPSHOT"] {
        let pod = pod(version).await;
        let endpoints = Endpoints::new(pod.api_url(), NOWHERE)
            .unwrap()
            .agent(pod.agent_url())
            .unwrap();
        let client = builder(&pod, endpoints).build().unwrap();
        client.call(Endpoint::Agent, echo()).await.unwrap();
        pod.expire_tokens();
        client.call(Endpoint::Agent, echo()).await.unwrap();
        client.logout().await.unwrap();
        assert_eq!(pod.requests_to(INFO), 2, "asked once for each login");
        assert_eq!(pod.sessions("demo-bot1"), 0);
    }
}

#[tokio::test]
async fn the_key_manager_is_asked_where_the_agent_does_not_know_or_tell() {
    for (version, fault) in [
        ("Agent-24.11.9", None),
        ("25.1.4", None),
        ("", None),
        (
            "Agent-25.1.4",
            Some(Fault::status(StatusCode::UNAUTHORIZED)),
        ),
        ("Agent-25.1.4", Some(Fault::status(StatusCode::NOT_FOUND))),
        ("Agent-25.1.4", Some(Fault::reset_after(0))),
    ] {
        let pod = pod(version).await;
        if let Some(fault) = fault {
            pod.inject(Rule::new(fault).path(INFO)).unwrap();
        }
        let endpoints = Endpoints::new(pod.api_url(), pod.key_manager_url())
            .unwrap()
            .agent(pod.agent_url())
            .unwrap();
        let client = builder(&pod, endpoints).build().unwrap();
        let session = client.session().await.unwrap();
        assert!(session.key_manager_token().is_some(), "{version}");
        assert_eq!(pod.requests_to(KEY_MANAGER_LOGIN), 1);
    }
}

#[tokio::test]
async fn the_key_manager_is_asked_where_no_agent_answers() {
    let pod = pod("Agent-25.1.4").await;
    let endpoints = Endpoints::new(pod.api_url(), pod.key_manager_url())
        .unwrap()
        .agent(NOWHERE)
        .unwrap();
    let client = builder(&pod, endpoints).build().unwrap();
    let session = client.session().await.unwrap();
    assert!(session.key_manager_token().is_some());
}

#[tokio::test]
async fn without_the_offer_of_the_pod_nobody_asks_the_agent() {
    let pod = Pod::builder().start().await.unwrap();
    admit(&pod);
    let endpoints = Endpoints::new(pod.api_url(), pod.key_manager_url())
        .unwrap()
        .agent(pod.agent_url())
        .unwrap();
    let client = builder(&pod, endpoints).build().unwrap();
    let session = client.session().await.unwrap();
    assert!(session.key_manager_token().is_some());
    assert_eq!(pod.requests_to(INFO), 0);
}

/// There is no token that could be renewed for it.
#[tokio::test]
async fn a_401_of_a_key_manager_that_got_no_token_renews_nothing() {
    let pod = pod("Agent-25.1.4").await;
    let endpoints = Endpoints::new(pod.api_url(), pod.key_manager_url()).unwrap();
    let client = builder(&pod, endpoints).build().unwrap();
    let refuse = Rule::new(Fault::status(StatusCode::UNAUTHORIZED)).port(Port::KeyManager);
    pod.inject(refuse).unwrap();
    let error = client.call(Endpoint::KeyManager, session_info()).await;
    let error = error.unwrap_err();
    assert!(matches!(error, Error::Unauthorized { .. }), "{error:?}");
    assert_eq!(pod.requests_to("/sessionauth/v1/authenticate"), 1);
}
