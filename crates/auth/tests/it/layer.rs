//! The layer around another client, and the client as a service.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use auth::{AuthError, Client, Endpoints, Error, Idempotent, TrustAnchors};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_rustls::HttpsConnector;
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::TokioExecutor,
};
use pod::{Fault, Rule};
use tower_layer::Layer;
use tower_service::Service;

use crate::{
    lab::{client as scripted_client, identity, key_manager_answer, pod_answer, trust},
    life::{builder, quick},
    server::{Server, Setup},
    workflow::admitting,
};

/// An HTTP client that sends nothing: it notes what it was given, and answers from a list, the last entry forever.
#[derive(Clone)]
struct Notes {
    seen: Arc<Mutex<Vec<(HeaderMap, &'static str)>>>,
    answers: Arc<Mutex<Vec<Response<&'static str>>>>,
    ready: bool,
}

impl Notes {
    fn answering(statuses: &[u16]) -> Self {
        let answer = |status: &u16| Response::builder().status(*status).body("").unwrap();
        Self {
            seen: Arc::default(),
            answers: Arc::new(Mutex::new(statuses.iter().rev().map(answer).collect())),
            ready: false,
        }
    }

    fn tokens(&self) -> Vec<(Option<String>, Option<String>)> {
        let text = |headers: &HeaderMap, name| {
            headers
                .get(name)
                .map(|value| value.to_str().unwrap().to_owned())
        };
        let seen = self.seen.lock().unwrap();
        seen.iter()
            .map(|(headers, _)| {
                (
                    text(headers, "sessionToken"),
                    text(headers, "keyManagerToken"),
                )
            })
            .collect()
    }
}

impl Service<Request<&'static str>> for Notes {
    type Response = Response<&'static str>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<&'static str>) -> Self::Future {
        assert!(
            std::mem::take(&mut self.ready),
            "called before it was ready"
        );
        let (parts, body) = request.into_parts();
        self.seen.lock().unwrap().push((parts.headers, body));
        let mut answers = self.answers.lock().unwrap();
        let status = answers.last().unwrap().status();
        if answers.len() > 1 {
            answers.pop();
        }
        std::future::ready(Ok(Response::builder().status(status).body("").unwrap()))
    }
}

/// The two servers that give tokens, and a client whose Agent is at another host.
async fn client() -> (Server, Server, Client) {
    let pod = Server::start(Setup::new(pod_answer)).await;
    let key_manager = Server::start(Setup::new(key_manager_answer)).await;
    let endpoints = Endpoints::new(pod.url(), key_manager.url())
        .unwrap()
        .agent("https://agent.test/ctx")
        .unwrap();
    let client = Client::builder(endpoints, identity())
        .trust(trust())
        .retry(quick())
        .build()
        .unwrap();
    (pod, key_manager, client)
}

async fn send<S, B>(service: &mut S, request: Request<B>) -> Result<S::Response, S::Error>
where
    S: Service<Request<B>>,
{
    std::future::poll_fn(|cx| service.poll_ready(cx)).await?;
    service.call(request).await
}

fn request(method: Method, url: impl AsRef<str>) -> Request<&'static str> {
    Request::builder()
        .method(method)
        .uri(url.as_ref())
        .body("body")
        .unwrap()
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[tokio::test]
async fn each_url_gets_the_tokens_that_belong_to_it() {
    let (pod, key_manager, client) = client().await;
    let notes = Notes::answering(&[200]);
    let mut service = client.layer().layer(notes.clone());
    for url in [
        format!("{}/pod/v2/sessioninfo", pod.url()),
        format!("{}/relay/keys", key_manager.url()),
        "https://agent.test/ctx/agent/v1/util/echo".to_owned(),
    ] {
        send(&mut service, request(Method::GET, url)).await.unwrap();
    }
    let expected = [
        (some("s3ss10n"), None),
        (None, some("k3ym4n")),
        (some("s3ss10n"), some("k3ym4n")),
    ];
    assert_eq!(notes.tokens(), expected);
    assert_eq!((pod.seen().len(), key_manager.seen().len()), (1, 1));
}

#[tokio::test]
async fn tokens_do_not_go_to_other_hosts_also_when_a_redirect_copied_them() {
    let (pod, _key_manager, client) = client().await;
    client.session().await.unwrap();
    let notes = Notes::answering(&[200]);
    let mut service = client.layer().layer(notes.clone());
    for url in [
        "https://evil.test/agent/v1/util/echo".to_owned(),
        "http://agent.test/ctx/agent".to_owned(),
        "https://agent.test:8443/ctx/agent".to_owned(),
        "https://agent.test/agent".to_owned(),
        "https://agent.test.evil.test/ctx/agent".to_owned(),
        "/ctx/agent/v1/util/echo".to_owned(),
    ] {
        let mut request = request(Method::GET, &url);
        request
            .headers_mut()
            .insert("sessionToken", "s3ss10n".parse().unwrap());
        request
            .headers_mut()
            .insert("keyManagerToken", "k3ym4n".parse().unwrap());
        request
            .headers_mut()
            .insert("x-other", "kept".parse().unwrap());
        send(&mut service, request).await.unwrap();
        let seen = notes.seen.lock().unwrap().pop().unwrap();
        assert_eq!(seen.0.len(), 1, "{url}: {:?}", seen.0);
        assert_eq!(seen.0["x-other"], "kept");
    }
    // They don't go to another virtual host either.
    let mut misled = request(Method::GET, "https://agent.test/ctx/agent");
    misled
        .headers_mut()
        .insert("host", "evil.test".parse().unwrap());
    send(&mut service, misled).await.unwrap();
    let seen = notes.seen.lock().unwrap().pop().unwrap();
    assert_eq!(seen.0.get("host"), None, "the client below takes the URL's");
    // And the Pod doesn't see the Key Manager's.
    let mut request = request(Method::GET, format!("{}/pod/x", pod.url()));
    request
        .headers_mut()
        .insert("keyManagerToken", "k3ym4n".parse().unwrap());
    send(&mut service, request).await.unwrap();
    assert_eq!(notes.tokens(), [(some("s3ss10n"), None)]);
}

#[tokio::test]
async fn a_401_renews_the_session_and_repeats_the_request_with_its_body() {
    let (pod, key_manager, client) = client().await;
    let notes = Notes::answering(&[401, 200]);
    let mut service = client.layer().layer(notes.clone());
    let echo = "https://agent.test/ctx/agent/v1/util/echo";
    let reply = send(&mut service, request(Method::POST, echo))
        .await
        .unwrap();
    assert_eq!(reply.status(), StatusCode::OK);
    let bodies: Vec<_> = notes
        .seen
        .lock()
        .unwrap()
        .iter()
        .map(|seen| seen.1)
        .collect();
    assert_eq!(bodies, ["body", "body"]);
    assert_eq!((pod.seen().len(), key_manager.seen().len()), (2, 2));
}

#[tokio::test]
async fn a_401_that_stays_reaches_the_caller_after_one_repeat() {
    let (pod, _key_manager, client) = client().await;
    let notes = Notes::answering(&[401]);
    let mut service = client.layer().layer(notes.clone());
    let echo = "https://agent.test/ctx/agent/v1/util/echo";
    let reply = send(&mut service, request(Method::GET, echo))
        .await
        .unwrap();
    assert_eq!(reply.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(notes.tokens().len(), 2);
    assert_eq!(pod.seen().len(), 2);
}

#[tokio::test]
async fn statuses_that_may_pass_are_tried_again_when_the_request_may_be() {
    for (method, marked, status, attempts) in [
        (Method::GET, false, 500, 3),
        (Method::PUT, false, 502, 3),
        (Method::POST, false, 500, 1),
        (Method::POST, true, 500, 3),
        (Method::POST, false, 429, 3),
        (Method::GET, false, 404, 1),
        (Method::GET, false, 403, 1),
        (Method::GET, false, 400, 1),
        (Method::GET, false, 302, 1),
    ] {
        let (_pod, _key_manager, client) = client().await;
        let notes = Notes::answering(&[status, status, 200]);
        let mut service = client.layer().layer(notes.clone());
        let mut request = request(method.clone(), "https://agent.test/ctx/agent");
        if marked {
            request.extensions_mut().insert(Idempotent);
        }
        let reply = send(&mut service, request).await.unwrap();
        assert_eq!(notes.tokens().len(), attempts, "{method} {status}");
        let expected = if attempts == 3 { 200 } else { status };
        assert_eq!(reply.status(), expected);
    }
}

#[tokio::test]
async fn no_tokens_no_request() {
    let refuses = Server::start(Setup::new(|| crate::server::Answer::json(403, ""))).await;
    let key_manager = Server::start(Setup::new(key_manager_answer)).await;
    let client = scripted_client(&refuses, &key_manager).build().unwrap();
    let notes = Notes::answering(&[200]);
    let mut service = client.layer().layer(notes.clone());
    let url = format!("{}/pod/x", refuses.url());
    let error = send(&mut service, request(Method::GET, url))
        .await
        .unwrap_err();
    assert!(
        matches!(error, AuthError::Auth(Error::Forbidden { .. })),
        "{error:?}"
    );
    assert!(notes.tokens().is_empty());
}

#[tokio::test]
async fn the_client_is_a_service_over_its_own_connections() {
    let pod = admitting().await;
    let mut client = builder(&pod).build().unwrap();
    let echo = || {
        let mut request = Request::post(format!("{}/agent/v1/util/echo", pod.agent_url()))
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from_static(br#"{"message":"hello"}"#)))
            .unwrap();
        request.extensions_mut().insert(Idempotent);
        request
    };
    pod.inject(
        Rule::new(Fault::reset_after(0))
            .path("/agent/v1/util/echo")
            .times(2),
    )
    .unwrap();
    let reply = send(&mut client, echo()).await.unwrap();
    let body = reply.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, r#"{"message":"hello"}"#);

    pod.expire_tokens();
    assert_eq!(
        send(&mut client, echo()).await.unwrap().status(),
        StatusCode::OK
    );

    let missing = Request::get(format!("{}/pod/nothing", pod.api_url()))
        .body(Full::<Bytes>::default())
        .unwrap();
    assert_eq!(
        send(&mut client, missing).await.unwrap().status(),
        StatusCode::NOT_FOUND
    );

    let foreign = Request::get("https://me:secret@evil.test/x")
        .body(Full::<Bytes>::default())
        .unwrap();
    let error = send(&mut client, foreign).await.unwrap_err();
    assert!(
        matches!(&error, Error::UnknownTarget { found, .. } if found == "https://evil.test"),
        "{error:?}"
    );
}

/// At the web port, where no certificate is asked for.
#[tokio::test]
async fn somebody_elses_hyper_client_calls_with_our_tokens() {
    let pod = admitting().await;
    let endpoints = Endpoints::new(pod.api_url(), pod.key_manager_url())
        .unwrap()
        .agent(pod.web_url())
        .unwrap();
    let client = Client::builder(endpoints, identity())
        .trust(TrustAnchors::pem(pod.trust_anchor_pem()).unwrap())
        .build()
        .unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(pod.trust_anchor().as_der().to_vec().into())
        .unwrap();
    let tls = rustls::ClientConfig::builder_with_provider(auth::provider::graviola().unwrap())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    let hyper = legacy::Client::builder(TokioExecutor::new())
        .build::<_, Full<Bytes>>(HttpsConnector::from((tcp, tls)));

    let mut service = client.layer().layer(hyper);
    let info = || {
        Request::get(format!("{}/pod/v2/sessioninfo", pod.web_url()))
            .body(Full::default())
            .unwrap()
    };
    assert_eq!(
        send(&mut service, info()).await.unwrap().status(),
        StatusCode::OK
    );
    pod.expire_tokens();
    assert_eq!(
        send(&mut service, info()).await.unwrap().status(),
        StatusCode::OK
    );
    assert_eq!(pod.requests_to("/pod/v2/sessioninfo"), 3);
}
