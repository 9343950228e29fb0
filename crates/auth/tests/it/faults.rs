//! Servers that break off, stall, say too much or something else.

use std::time::Duration;

use auth::{Client, ClientBuilder, Endpoint, Endpoints, Error, Phase, RetryPolicy};
use http::StatusCode;
use pod::{End, Fault, HttpVersion, Pod, Port, Rule, TlsVersion};
use rustls::version::{TLS12, TLS13};
use tokio::net::TcpListener;

use crate::{
    lab::{POD_REPLY, failure_at, identity, key_manager_answer, pod_answer, trust},
    server::{Answer, Server, Setup},
    workflow::admit,
};

pub(crate) async fn pod_with(fault: Fault, tls: TlsVersion, http: HttpVersion) -> Pod {
    let pod = Pod::builder()
        .tls_versions([tls])
        .http_versions([http])
        .start()
        .await
        .unwrap();
    admit(&pod);
    pod.inject(Rule::new(fault).port(Port::Api)).unwrap();
    pod
}

fn client(pod: &Pod) -> ClientBuilder {
    crate::life::builder(pod).retry(RetryPolicy::none())
}

/// Logs in at a Pod with this fault over every protocol, and gives each failure to `check`.
async fn over_every_protocol(fault: Fault, check: impl Fn(&Error) -> bool) {
    within(fault, |client| client, check).await;
}

async fn within(
    fault: Fault,
    limit: impl Fn(ClientBuilder) -> ClientBuilder,
    check: impl Fn(&Error) -> bool,
) {
    for tls in [TlsVersion::Tls12, TlsVersion::Tls13] {
        for http in [HttpVersion::Http1, HttpVersion::Http2] {
            let pod = pod_with(fault.clone(), tls, http).await;
            let client = limit(client(&pod)).build().unwrap();
            let error = client.session().await.unwrap_err();
            assert!(check(&error), "{tls:?} {http:?} {fault:?}: {error:?}");
            let peer = error.peer().unwrap();
            let authority = pod.api_url().replace("https://", "");
            assert_eq!(
                (peer.endpoint(), peer.authority()),
                (Endpoint::Pod, authority.as_str())
            );
        }
    }
}

/// In the head, and in the body.
const CUTS: [u64; 2] = [0, 150];

#[tokio::test]
async fn a_reset_instead_of_a_reply_or_in_the_middle_of_it() {
    for after in CUTS {
        over_every_protocol(Fault::reset_after(after), |error| {
            matches!(error, Error::ConnectionReset { .. })
        })
        .await;
    }
}

#[tokio::test]
async fn a_close_instead_of_a_reply_or_in_the_middle_of_it() {
    for after in CUTS {
        let end = End::Close;
        over_every_protocol(Fault::CutAnswer { end, after }, |error| {
            matches!(error, Error::ConnectionClosed { .. })
        })
        .await;
    }
}

#[tokio::test]
async fn a_gigabyte_that_is_announced_is_not_read() {
    let octets = 1 << 30;
    over_every_protocol(Fault::Oversize { octets }, |error| {
        matches!(error, Error::ReplyTooLarge { limit: 65536, .. })
    })
    .await;
}

#[tokio::test]
async fn a_body_without_end_is_cut_at_the_limit() {
    over_every_protocol(Fault::Endless, |error| {
        matches!(error, Error::ReplyTooLarge { limit: 65536, .. })
    })
    .await;
}

#[tokio::test]
async fn what_is_no_token_reply_is_malformed() {
    let answer = || pod::Answer::new(StatusCode::OK);
    for (fault, expected) in [
        (
            Fault::Answer(answer().html()),
            "HTML where JSON was expected",
        ),
        (Fault::WithoutToken, "`token` is missing"),
        (Fault::Answer(answer().empty()), "JSON that ends early"),
    ] {
        over_every_protocol(
            fault,
            |error| matches!(error, Error::MalformedReply { reason, .. } if *reason == expected),
        )
        .await;
    }
}

#[tokio::test]
async fn a_call_that_fails_on_the_server() {
    over_every_protocol(Fault::NoAnswer, |error| {
        matches!(error, Error::ConnectionClosed { .. }) // HTTP/1.1 can only hang up
            || matches!(error, Error::Http { reason, .. } if reason.contains("stream error"))
    })
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
    over_every_protocol(Fault::PlainText, |error| {
        matches!(error, Error::NotTls { .. })
    })
    .await;
}

#[tokio::test]
async fn a_connection_that_ends_before_tls() {
    let (end, after) = (End::Reset, 0);
    over_every_protocol(Fault::CutHandshake { end, after }, |error| {
        matches!(error, Error::ConnectionReset { .. })
    })
    .await;
}

const LIMIT: Duration = Duration::from_millis(300);

#[tokio::test]
async fn silence_in_the_handshake_ends_at_the_connect_timeout() {
    within(
        Fault::silence(),
        |client| client.connect_timeout(LIMIT),
        |error| matches!(error, Error::Timeout { phase: Phase::Connect, after, .. } if *after == LIMIT),
    )
    .await;
}

#[tokio::test]
async fn silence_instead_of_a_reply_or_in_the_middle_of_it_ends_at_the_read_timeout() {
    for after in CUTS {
        let end = End::Silence;
        within(
            Fault::CutAnswer { end, after },
            |client| client.read_timeout(LIMIT),
            |error| matches!(error, Error::Timeout { phase: Phase::Read, after, .. } if *after == LIMIT),
        )
        .await;
    }
}

#[tokio::test]
async fn a_connection_that_timed_out_is_not_used_again() {
    for http in [HttpVersion::Http1, HttpVersion::Http2] {
        let (end, after) = (End::Silence, 0);
        let pod = pod_with(Fault::CutAnswer { end, after }, TlsVersion::Tls13, http).await;
        let client = client(&pod).read_timeout(LIMIT).build().unwrap();
        let error = client.session().await.unwrap_err();
        let read = Phase::Read;
        assert!(
            matches!(error, Error::Timeout { phase, .. } if phase == read),
            "{error:?}"
        );

        pod.clear_faults();
        let elsewhere = crate::life::builder(&pod).build().unwrap();
        let session = elsewhere.session().await.unwrap();
        let before = pod.handshakes(Port::Api).completed;
        let call = client.send(&session, Endpoint::Pod, crate::workflow::session_info());
        call.await.unwrap();
        assert_eq!(pod.handshakes(Port::Api).completed, before + 1, "{http:?}");
    }
}

#[tokio::test]
async fn a_reply_that_never_stops_trickling_ends_at_the_total_timeout() {
    let pause = Duration::from_millis(20);
    within(
        Fault::Trickle { pause },
        |client| client.total_timeout(LIMIT),
        |error| matches!(error, Error::Timeout { phase: Phase::Total, after, .. } if *after == LIMIT),
    )
    .await;
}
