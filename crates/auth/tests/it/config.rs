//! A client as a configuration of the official clients wants it.

use auth::{Endpoint, config::BdkConfig};
use bytes::Bytes;
use http::Request;

use crate::{
    lab::{identity, key_manager_answer, pod_answer, trust},
    server::{Server, Setup},
};

#[tokio::test]
async fn each_service_is_called_where_and_how_the_configuration_says() {
    let session_auth = Server::start(Setup::new(pod_answer)).await;
    let pod = Server::start(Setup::new(pod_answer)).await;
    let key_manager = Server::start(Setup::new(key_manager_answer)).await;
    let proxy = pod::Proxy::builder()
        .basic_auth("me", "p:w")
        .start()
        .await
        .unwrap();
    let text = format!(
        "host: 127.0.0.1
defaultHeaders: {{ X-Trace: one, Accept: text/plain }}
pod: {{ port: {}, context: ctx, defaultHeaders: {{ X-Trace: two }} }}
sessionAuth: {{ port: {} }}
keyManager:
  port: {}
  proxy: {{ host: 127.0.0.1, port: {}, username: me, password: 'p:w' }}
",
        pod.port(),
        session_auth.port(),
        key_manager.port(),
        proxy.address().port(),
    );
    let config = BdkConfig::parse(&text, |_| None).unwrap();
    assert!(config.notices().is_empty());
    let client = config
        .client(identity())
        .unwrap()
        .trust(trust())
        .build()
        .unwrap();

    let session = client.session().await.unwrap();
    let request = Request::get("/pod/v2/sessioninfo")
        .body(Bytes::new())
        .unwrap();
    client.send(&session, Endpoint::Pod, request).await.unwrap();
    client.logout().await.unwrap();

    let seen = |server: &Server| -> Vec<(String, String)> {
        server
            .seen()
            .iter()
            .map(|seen| {
                let trace = seen.headers["x-trace"].to_str().unwrap();
                (seen.uri.path().to_owned(), trace.to_owned())
            })
            .collect()
    };
    let one = |path: &str| (path.to_owned(), "one".to_owned());
    assert_eq!(
        seen(&session_auth),
        [
            one("/sessionauth/v1/authenticate"),
            one("/sessionauth/v1/logout")
        ]
    );
    assert_eq!(
        seen(&pod),
        [("/ctx/pod/v2/sessioninfo".to_owned(), "two".to_owned())]
    );
    assert_eq!(
        seen(&key_manager),
        [one("/keyauth/v1/authenticate"), one("/keyauth/v1/logout")]
    );
    assert_eq!(key_manager.seen()[0].headers["accept"], "text/plain");
    let connects = proxy.connects();
    assert_eq!(connects.len(), 1);
    assert_eq!(connects[0].authority, key_manager.authority());
}
