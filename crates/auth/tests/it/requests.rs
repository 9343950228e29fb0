//! Calls after authentication.

use std::sync::Arc;

use auth::{Client, Endpoint, Endpoints, Error, Session};
use bytes::Bytes;
use http::{Method, Request};
use pod::{End, Fault, Port, Rule};

use crate::{
    lab::{PROTOCOLS, identity, key_manager_answer, pod_answer, trust},
    server::{Answer, Server, Setup},
};

const ECHO: &str = r#"{"message":"hello"}"#;

struct Stage {
    pod: Server,
    key_manager: Server,
    agent: Server,
    client: Client,
    session: Arc<Session>,
}

impl Stage {
    async fn new(agent: Setup) -> Self {
        Self::with_context(agent, "").await
    }

    async fn with_context(agent: Setup, context: &str) -> Self {
        let pod = Server::start(Setup::new(pod_answer)).await;
        let key_manager = Server::start(Setup::new(key_manager_answer)).await;
        let agent = Server::start(agent).await;
        let endpoints = Endpoints::new(
            format!("{}{context}", pod.url()),
            format!("{}{context}", key_manager.url()),
        )
        .unwrap()
        .agent(format!("{}{context}", agent.url()))
        .unwrap();
        let client = Client::builder(endpoints, identity())
            .trust(trust())
            .build()
            .unwrap();
        let session = client.session().await.unwrap();
        Self {
            pod,
            key_manager,
            agent,
            client,
            session,
        }
    }

    async fn send(
        &self,
        endpoint: Endpoint,
        request: Request<Bytes>,
    ) -> Result<http::Response<Bytes>, Error> {
        self.client.send(&self.session, endpoint, request).await
    }
}

fn echo() -> Request<Bytes> {
    Request::post("/agent/v1/util/echo")
        .header("content-type", "application/json")
        .body(ECHO.into())
        .unwrap()
}

fn get(target: &str) -> Request<Bytes> {
    Request::get(target).body(Bytes::new()).unwrap()
}

#[tokio::test]
async fn the_agent_gets_both_tokens_and_the_body() {
    for (tls, http) in PROTOCOLS {
        let stage = Stage::new(Setup::new(|| Answer::json(200, ECHO)).over(tls, http)).await;

        let reply = stage.send(Endpoint::Agent, echo()).await.unwrap();

        assert_eq!(reply.body(), ECHO);
        let seen = &stage.agent.seen()[0];
        assert_eq!(seen.method, Method::POST);
        assert_eq!(seen.uri.path(), "/agent/v1/util/echo");
        assert_eq!(seen.body, ECHO);
        assert_eq!(seen.headers["content-type"], "application/json");
        assert_eq!(seen.headers["sessiontoken"], "s3ss10n");
        assert_eq!(seen.headers["keymanagertoken"], "k3ym4n");
    }
}

#[tokio::test]
async fn pod_and_key_manager_get_their_own_token_only() {
    let stage = Stage::new(Setup::new(|| Answer::json(200, ECHO))).await;
    stage
        .send(Endpoint::Pod, get("/pod/v2/sessioninfo"))
        .await
        .unwrap();
    stage
        .send(Endpoint::KeyManager, get("/relay/keys"))
        .await
        .unwrap();

    let pod = &stage.pod.seen()[1];
    assert_eq!(pod.uri.path(), "/pod/v2/sessioninfo");
    assert_eq!(pod.headers["sessiontoken"], "s3ss10n");
    assert!(!pod.headers.contains_key("keymanagertoken"));
    let key_manager = &stage.key_manager.seen()[1];
    assert_eq!(key_manager.headers["keymanagertoken"], "k3ym4n");
    assert!(!key_manager.headers.contains_key("sessiontoken"));
}

#[tokio::test]
async fn the_context_of_the_url_is_kept_and_so_is_the_query() {
    let stage = Stage::with_context(Setup::new(|| Answer::json(200, ECHO)), "/a/context/").await;
    stage
        .send(Endpoint::Pod, get("/pod/v2/user?email=a%40b&local=true"))
        .await
        .unwrap();

    let seen = stage.pod.seen();
    assert_eq!(seen[0].uri.path(), "/a/context/sessionauth/v1/authenticate");
    assert_eq!(
        seen[1].uri.path_and_query().unwrap(),
        "/a/context/pod/v2/user?email=a%40b&local=true"
    );
}

#[tokio::test]
async fn all_calls_to_an_endpoint_share_one_connection() {
    for (tls, http) in PROTOCOLS {
        let stage = Stage::new(Setup::new(|| Answer::json(200, ECHO)).over(tls, http)).await;
        for _ in 0..5 {
            stage.send(Endpoint::Agent, echo()).await.unwrap();
        }
        assert_eq!(stage.agent.connections(), 1, "{tls:?} {http}");
        assert_eq!(stage.agent.seen().len(), 5);
    }
}

#[tokio::test]
async fn tokens_do_not_go_to_another_host() {
    let stage = Stage::new(Setup::new(|| Answer::json(200, ECHO))).await;
    for target in [
        stage.pod.url(),
        format!("http://{}", stage.agent.authority()),
        format!("https://localhost:{}", stage.agent.port()),
        "https://evil.test/".to_owned(),
    ] {
        let error = stage.send(Endpoint::Agent, get(&target)).await.unwrap_err();
        assert!(
            matches!(&error, Error::ForeignUrl { .. }),
            "{target}: {error:?}"
        );
    }
    assert!(stage.agent.seen().is_empty());
    assert_eq!(stage.pod.seen().len(), 1);
}

#[tokio::test]
async fn a_host_header_can_not_send_tokens_elsewhere() {
    let setup = Setup::new(|| Answer::json(200, ECHO)).over(&rustls::version::TLS13, "http/1.1");
    let stage = Stage::new(setup).await;
    let mut request = echo();
    request
        .headers_mut()
        .insert("host", "evil.test".parse().unwrap());
    stage.send(Endpoint::Agent, request).await.unwrap();
    assert_eq!(
        stage.agent.seen()[0].headers["host"],
        stage.agent.authority()
    );
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Server::start(Setup::new(|| Answer::json(200, ECHO))).await;
    let location: &'static str = format!("{}/", elsewhere.url()).leak();
    let setup = Setup::new(move || Answer::json(307, "").header("location", location));
    let stage = Stage::new(setup).await;
    let error = stage.send(Endpoint::Agent, echo()).await.unwrap_err();
    assert!(matches!(error, Error::Status { status, .. } if status == 307));
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn a_session_that_ended_is_unauthorized() {
    let stage = Stage::new(Setup::new(|| {
        Answer::json(401, r#"{"code":401,"message":"Invalid session"}"#)
    }))
    .await;
    let error = stage.send(Endpoint::Agent, echo()).await.unwrap_err();
    assert!(matches!(
        &error,
        Error::Unauthorized { peer, code: Some(401), .. } if peer.endpoint() == Endpoint::Agent
    ));
}

#[tokio::test]
async fn an_agent_without_url_can_not_be_called() {
    let pod = Server::start(Setup::new(pod_answer)).await;
    let key_manager = Server::start(Setup::new(key_manager_answer)).await;
    let client = crate::lab::client(&pod, &key_manager).build().unwrap();
    let session = client.session().await.unwrap();
    let error = client
        .send(&session, Endpoint::Agent, echo())
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            Error::EndpointNotConfigured {
                endpoint: Endpoint::Agent,
                ..
            }
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn the_reply_limit_can_be_chosen() {
    let pod = Server::start(Setup::new(pod_answer)).await;
    let key_manager = Server::start(Setup::new(key_manager_answer)).await;
    let agent = Server::start(Setup::new(|| {
        Answer::with("application/json", 200, vec![b'x'; 100_000])
    }))
    .await;
    for (limit, fits) in [(99_999, false), (100_000, true)] {
        let endpoints = Endpoints::new(pod.url(), key_manager.url())
            .unwrap()
            .agent(agent.url())
            .unwrap();
        let client = Client::builder(endpoints, identity())
            .trust(trust())
            .reply_limit(limit)
            .build()
            .unwrap();
        let session = client.session().await.unwrap();
        match client.send(&session, Endpoint::Agent, echo()).await {
            Ok(reply) => assert!(fits && reply.body().len() == 100_000),
            Err(Error::ReplyTooLarge { limit: found, .. }) => assert!(!fits && found == limit),
            Err(other) => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn logout_gives_each_endpoint_its_own_token() {
    let stage = Stage::new(Setup::new(|| Answer::json(200, ECHO))).await;
    let Stage {
        pod,
        key_manager,
        client,
        ..
    } = stage;
    client.logout().await.unwrap();

    for (server, path, token) in [
        (&pod, "/sessionauth/v1/logout", "sessiontoken"),
        (&key_manager, "/keyauth/v1/logout", "keymanagertoken"),
    ] {
        let seen = &server.seen()[1];
        assert_eq!((&seen.method, seen.uri.path()), (&Method::POST, path));
        assert!(seen.headers.contains_key(token));
        assert_eq!(seen.headers["content-length"], "0");
    }
}

#[tokio::test]
async fn a_reset_during_a_call_is_told_apart_from_a_close() {
    for (end, reset) in [(End::Reset, true), (End::Close, false)] {
        let pod = crate::workflow::admitting().await;
        let client = crate::life::builder(&pod).build().unwrap();
        let session = client.session().await.unwrap();
        let fault = Fault::CutAnswer { end, after: 0 };
        pod.inject(Rule::new(fault).port(Port::Api)).unwrap();
        let error = client.send(&session, Endpoint::Agent, echo()).await;
        let error = error.unwrap_err();
        assert_eq!(
            matches!(error, Error::ConnectionReset { .. }),
            reset,
            "{error:?}"
        );
        assert_eq!(
            matches!(error, Error::ConnectionClosed { .. }),
            !reset,
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn clones_share_their_connections() {
    let stage = Stage::new(Setup::new(|| Answer::json(200, ECHO))).await;
    stage.send(Endpoint::Agent, echo()).await.unwrap();
    let clone = stage.client.clone();
    clone
        .send(&stage.session, Endpoint::Agent, echo())
        .await
        .unwrap();
    assert_eq!(stage.agent.connections(), 1);
}
