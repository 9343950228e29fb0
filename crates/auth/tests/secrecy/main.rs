//! No secret in any event, of this crate or of those below it.
//!
//! On its own, because the subscriber is that of the whole process.
#![allow(missing_docs)] // a test binary
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)] // a failed expectation is a failed test

#[allow(dead_code)] // shared with the other test binary
#[path = "../it/lab.rs"]
mod lab;
#[allow(dead_code)] // shared with the other test binary
#[path = "../it/server.rs"]
mod server;

use std::{
    fmt::{Debug, Write},
    sync::{Arc, Mutex},
};

use auth::Endpoint;
use bytes::Bytes;
use http::Request;
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

use crate::{
    lab::{client, key_manager_answer, pod_answer},
    server::{Answer, Server, Setup},
};

#[test]
fn tokens_appear_in_no_event() {
    let log = Log::default();
    // For every thread: handshakes run on others than their caller.
    tracing::subscriber::set_global_default(log.clone()).unwrap();
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(async {
            let pod = Server::start(Setup::new(pod_answer)).await;
            let key_manager = Server::start(Setup::new(key_manager_answer)).await;
            let client = client(&pod, &key_manager).build().unwrap();
            let session = client.session().await.unwrap();
            tracing::info!(?session, ?client, "a careless caller");
            let request = Request::get("/pod/v2/sessioninfo")
                .body(Bytes::new())
                .unwrap();
            client.send(&session, Endpoint::Pod, request).await.unwrap();
            client.logout().await.unwrap();

            let refuses = Server::start(Setup::new(|| {
                Answer::json(200, r#"{"name":"sessionToken","token":["s3ss10n"]}"#)
            }))
            .await;
            let client = crate::lab::client(&refuses, &key_manager).build().unwrap();
            let error = client.session().await.unwrap_err();
            tracing::info!(?error, %error, "a careless caller");
        });
    let text = log.0.lock().unwrap();
    assert!(text.contains("authenticated"), "{text}");
    assert!(text.contains("call answered"), "{text}");
    assert!(text.contains("hyper"), "the crates below are watched too");
    for secret in ["s3ss10n", "k3ym4n"] {
        assert!(!text.contains(secret), "{text}");
    }
}

/// Everything that is said at any level, as text.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = write!(self.0, " {field}={value:?}");
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, attributes: &span::Attributes<'_>) -> span::Id {
        attributes.record(&mut Fields(&mut self.0.lock().unwrap()));
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, values: &span::Record<'_>) {
        values.record(&mut Fields(&mut self.0.lock().unwrap()));
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = self.0.lock().unwrap();
        let _ = write!(text, "\n{}", event.metadata().target());
        event.record(&mut Fields(&mut text));
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}
