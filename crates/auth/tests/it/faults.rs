//! Servers that break off, stall, say too much or something else.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use auth::{Client, Endpoint, Endpoints, Error, Phase, RetryPolicy};
use rustls::version::{TLS12, TLS13};
use tokio::net::TcpListener;

use crate::{
    lab::{
        POD_REPLY, PROTOCOLS, client, failure_at, identity, key_manager_answer, pod_answer,
        session, trust,
    },
    server::{Answer, End, First, Server, Setup, Step},
    workflow::session_info,
};

/// Runs a Pod with this answer over every protocol and gives each failure to `check`.
async fn over_every_protocol(
    answer: impl Fn() -> Answer + Copy + Send + Sync + 'static,
    check: impl Fn(&Error) -> bool,
) {
    for (tls, http) in PROTOCOLS {
        let (error, authority) = failure_at(Setup::new(answer).over(tls, http)).await;
        assert!(check(&error), "{tls:?} {http}: {error:?}");
        let peer = error.peer().unwrap();
        assert_eq!(
            (peer.endpoint(), peer.authority()),
            (Endpoint::Pod, authority.as_str())
        );
    }
}

#[tokio::test]
async fn a_reset_in_mid_reply() {
    over_every_protocol(
        || Answer::script([Step::Data(r#"{"name":"sess"#.into()), Step::End(End::Reset)]),
        |error| matches!(error, Error::ConnectionReset { .. }),
    )
    .await;
}

#[tokio::test]
async fn a_close_in_mid_reply() {
    over_every_protocol(
        || Answer::script([Step::Data(r#"{"name":"sess"#.into()), Step::End(End::Close)]),
        |error| matches!(error, Error::ConnectionClosed { .. }),
    )
    .await;
}

#[tokio::test]
async fn a_reset_instead_of_a_reply() {
    over_every_protocol(
        || Answer::none(Step::End(End::Reset)),
        |error| matches!(error, Error::ConnectionReset { .. }),
    )
    .await;
}

#[tokio::test]
async fn a_close_instead_of_a_reply() {
    over_every_protocol(
        || Answer::none(Step::End(End::Close)),
        |error| matches!(error, Error::ConnectionClosed { .. }),
    )
    .await;
}

#[tokio::test]
async fn a_gigabyte_that_is_announced_is_not_read() {
    over_every_protocol(
        || {
            Answer::script([Step::Endless(vec![b' '; 16 << 10].into())])
                .header("content-length", "1073741824")
        },
        |error| matches!(error, Error::ReplyTooLarge { limit: 65536, .. }),
    )
    .await;
}

#[tokio::test]
async fn a_body_without_end_is_cut_at_the_limit() {
    over_every_protocol(
        || Answer::script([Step::Endless(vec![b' '; 16 << 10].into())]),
        |error| matches!(error, Error::ReplyTooLarge { limit: 65536, .. }),
    )
    .await;
}

#[tokio::test]
async fn html_instead_of_json() {
    over_every_protocol(
        || Answer::with("text/html", 200, "<!DOCTYPE html><title>Sign in</title>"),
        |error| {
            matches!(
                error,
                Error::MalformedReply {
                    reason: "HTML where JSON was expected",
                    ..
                }
            )
        },
    )
    .await;
}

#[tokio::test]
async fn a_reply_without_token() {
    over_every_protocol(
        || Answer::json(200, r#"{"name":"sessionToken"}"#),
        |error| {
            matches!(
                error,
                Error::MalformedReply {
                    reason: "`token` is missing",
                    ..
                }
            )
        },
    )
    .await;
}

#[tokio::test]
async fn an_empty_reply() {
    over_every_protocol(
        || Answer::json(200, ""),
        |error| {
            matches!(
                error,
                Error::MalformedReply {
                    reason: "JSON that ends early",
                    ..
                }
            )
        },
    )
    .await;
}

#[tokio::test]
async fn a_body_that_fails_on_the_server() {
    over_every_protocol(
        || Answer::script([Step::Data("{".into()), Step::Fail]),
        |error| {
            matches!(error, Error::ConnectionClosed { .. }) // HTTP/1.1 can only hang up
                || matches!(error, Error::Http { reason, .. } if reason.contains("stream error"))
        },
    )
    .await;
}

#[tokio::test]
async fn something_else_than_http() {
    for tls in [&TLS12, &TLS13] {
        let setup = Setup::new(pod_answer)
            .over(tls, "http/1.1")
            .says("220 mail.test ESMTP\r\n\r\n");
        let (error, _) = failure_at(setup).await;
        assert!(
            matches!(
                error,
                Error::MalformedReply {
                    reason: "not HTTP",
                    ..
                }
            ),
            "{error:?}"
        );

        let setup = Setup::new(pod_answer)
            .over(tls, "h2")
            .says("220 mail.test ESMTP\r\n\r\n");
        let (error, _) = failure_at(setup).await;
        assert!(matches!(error, Error::Http { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn a_head_without_end() {
    let answer = || {
        Answer::json(200, POD_REPLY)
            .header("x-filler", Box::leak("x".repeat(1 << 20).into_boxed_str()))
    };
    let setup = Setup::new(answer).over(&TLS13, "http/1.1");
    let (error, _) = failure_at(setup).await;
    assert!(
        matches!(
            error,
            Error::MalformedReply {
                reason: "its head is too large",
                ..
            }
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn nothing_listens() {
    let port = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let key_manager = Server::start(Setup::new(key_manager_answer)).await;
    let endpoints = Endpoints::new(format!("https://{port}"), key_manager.url()).unwrap();
    let error = Client::builder(endpoints, identity())
        .trust(trust())
        .retry(RetryPolicy::none())
        .build()
        .unwrap()
        .session()
        .await
        .unwrap_err();
    assert!(
        matches!(&error, Error::ConnectionRefused { peer, .. } if peer.authority() == port.to_string())
    );
}

#[tokio::test]
async fn a_name_that_does_not_resolve() {
    let key_manager = Server::start(Setup::new(key_manager_answer)).await;
    // RFC 6761, section 6.4: this name exists nowhere.
    let endpoints = Endpoints::new("https://pod.invalid:8444", key_manager.url()).unwrap();
    let error = Client::builder(endpoints, identity())
        .trust(trust())
        .build()
        .unwrap()
        .session()
        .await
        .unwrap_err();
    assert!(
        matches!(&error, Error::DnsFailed { peer, .. } if peer.authority() == "pod.invalid:8444"),
        "{error:?}"
    );
}

#[tokio::test]
async fn something_else_than_tls() {
    for text in [
        "HTTP/1.1 400 Bad Request\r\n\r\n",
        "SSH-2.0-OpenSSH_9.2\r\n",
    ] {
        let (error, _) = failure_at(Setup::new(pod_answer).first(First::Say(text))).await;
        assert!(matches!(error, Error::NotTls { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn a_connection_that_ends_before_tls() {
    let (error, _) = failure_at(Setup::new(pod_answer).first(First::End(End::Reset))).await;
    assert!(matches!(error, Error::ConnectionReset { .. }), "{error:?}");
}

#[tokio::test]
async fn silence_in_the_handshake_ends_at_the_connect_timeout() {
    let pod = Server::start(Setup::new(pod_answer).first(First::Silence)).await;
    let key_manager = Server::start(Setup::new(key_manager_answer)).await;
    let limit = Duration::from_millis(300);
    let error = client(&pod, &key_manager)
        .connect_timeout(limit)
        .build()
        .unwrap()
        .session()
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::Timeout { phase: Phase::Connect, after, .. } if after == limit),
        "{error:?}"
    );
}

#[tokio::test]
async fn silence_instead_of_a_reply_ends_at_the_read_timeout() {
    read_timeout(|| Answer::none(Step::Silence)).await;
}

#[tokio::test]
async fn silence_in_mid_reply_ends_at_the_read_timeout() {
    read_timeout(|| Answer::script([Step::Data(POD_REPLY.into()), Step::Silence])).await;
}

async fn read_timeout(answer: fn() -> Answer) {
    for (tls, http) in PROTOCOLS {
        let pod = Server::start(Setup::new(answer).over(tls, http)).await;
        let key_manager = Server::start(Setup::new(key_manager_answer)).await;
        let limit = Duration::from_millis(300);
        let error = client(&pod, &key_manager)
            .read_timeout(limit)
            .build()
            .unwrap()
            .session()
            .await
            .unwrap_err();
        assert!(
            matches!(error, Error::Timeout { phase: Phase::Read, after, .. } if after == limit),
            "{tls:?} {http}: {error:?}"
        );
    }
}

/// Its peer may have vanished: HTTP/2 would give every later call to the same dead connection.
#[tokio::test]
async fn a_connection_that_timed_out_is_not_used_again() {
    for http in ["http/1.1", "h2"] {
        let calls = AtomicUsize::new(0);
        let answer = move || match calls.fetch_add(1, Ordering::SeqCst) {
            0 => Answer::none(Step::Silence),
            _ => pod_answer(),
        };
        let pod = Server::start(Setup::new(answer).over(&TLS13, http)).await;
        let key_manager = Server::start(Setup::new(key_manager_answer)).await;
        let client = client(&pod, &key_manager)
            .read_timeout(Duration::from_secs(1))
            .build()
            .unwrap();
        let session = session();
        let call = || client.send(&session, Endpoint::Pod, session_info());
        let error = call().await.unwrap_err();
        assert!(
            matches!(
                error,
                Error::Timeout {
                    phase: Phase::Read,
                    ..
                }
            ),
            "{error:?}"
        );

        call().await.unwrap();
        assert_eq!(pod.connections(), 2, "{http}");
    }
}

#[tokio::test]
async fn a_reply_that_never_stops_trickling_ends_at_the_total_timeout() {
    for (tls, http) in PROTOCOLS {
        let answer = || Answer::script([Step::Trickle(" ".into(), Duration::from_millis(20))]);
        let pod = Server::start(Setup::new(answer).over(tls, http)).await;
        let key_manager = Server::start(Setup::new(key_manager_answer)).await;
        let limit = Duration::from_millis(500);
        let error = client(&pod, &key_manager)
            .total_timeout(limit)
            .build()
            .unwrap()
            .session()
            .await
            .unwrap_err();
        assert!(
            matches!(error, Error::Timeout { phase: Phase::Total, after, .. } if after == limit),
            "{tls:?} {http}: {error:?}"
        );
    }
}
