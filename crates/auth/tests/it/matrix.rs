//! Every fault, over every protocol: what it becomes, how often it is tried again, and that nothing stays behind.

use std::time::Duration;

use auth::{Client, Endpoint, Error, Idempotent, Phase, RetryPolicy};
use http::StatusCode;
use pod::{Answer, BadCertificate, End, Fault, HttpVersion, Pod, Port, Rule, TlsVersion};
use rustls::AlertDescription;
use tokio::time::Instant;

use crate::{
    life::builder,
    workflow::{admit, echo},
};

const ECHO: &str = "/agent/v1/util/echo";
const ATTEMPTS: u32 = 3;
const READ: Duration = Duration::from_millis(300);
const TOTAL: Duration = Duration::from_millis(600);
const DEADLINE: Duration = Duration::from_secs(8);

/// What is tried, and how it ends.
struct Case {
    name: &'static str,
    fault: Fault,
    /// How many of these requests the server sees: of one that may be repeated, and of one that may not.
    requests: (u64, u64),
    /// How many handshakes a call begins, where they are what fails.
    connects: Option<u64>,
    error: fn(&Error) -> bool,
}

/// The server never sees a request.
const NEVER: (u64, u64) = (0, 0);
/// Final: it sees one.
const ONCE: (u64, u64) = (1, 1);
/// It may have acted on the request.
const IF_IDEMPOTENT: (u64, u64) = (ATTEMPTS as u64, 1);
/// It surely hasn't.
const ALWAYS: (u64, u64) = (ATTEMPTS as u64, ATTEMPTS as u64);

fn status(error: &Error, expected: u16) -> bool {
    matches!(error, Error::Status { status, .. } if status.as_u16() == expected)
}

fn broken(error: &Error) -> bool {
    // HTTP/2 may have only the stream's own words for it.
    matches!(
        error,
        Error::ConnectionReset { .. } | Error::ConnectionClosed { .. } | Error::Http { .. }
    )
}

fn too_slow(error: &Error) -> bool {
    matches!(
        error,
        Error::Timeout {
            phase: Phase::Read | Phase::Total,
            ..
        }
    )
}

fn answer(code: u16) -> Answer {
    Answer::new(StatusCode::from_u16(code).unwrap())
}

fn cases() -> Vec<Case> {
    let case = |name, fault, requests, error| Case {
        name,
        fault,
        requests,
        connects: None,
        error,
    };
    let connects = |case: Case, attempts| Case {
        connects: Some(attempts),
        ..case
    };
    let now = Duration::ZERO;
    let mut cases = vec![
        case("refuse", Fault::Refuse, NEVER, |e| {
            matches!(e, Error::ConnectionRefused { .. })
        }),
        connects(
            case("plain text", Fault::PlainText, NEVER, |e| {
                matches!(e, Error::NotTls { .. })
            }),
            1,
        ),
        connects(
            case(
                "hello alert",
                Fault::HelloAlert(AlertDescription::HandshakeFailure),
                NEVER,
                |e| matches!(e, Error::TlsFailed { .. }),
            ),
            1,
        ),
        connects(
            case("silence", Fault::silence(), NEVER, |e| {
                matches!(
                    e,
                    Error::Timeout {
                        phase: Phase::Connect,
                        ..
                    }
                )
            }),
            u64::from(ATTEMPTS),
        ),
        connects(
            case(
                "handshake reset",
                Fault::CutHandshake {
                    end: End::Reset,
                    after: 0,
                },
                NEVER,
                |e| matches!(e, Error::ConnectionReset { .. }),
            ),
            u64::from(ATTEMPTS),
        ),
        connects(
            case(
                "handshake close",
                Fault::CutHandshake {
                    end: End::Close,
                    after: 40,
                },
                NEVER,
                |e| matches!(e, Error::ConnectionClosed { .. }),
            ),
            u64::from(ATTEMPTS),
        ),
        case("400", Fault::Answer(answer(400)), ONCE, |e| status(e, 400)),
        case("401", Fault::Answer(answer(401)), (2, 2), |e| {
            matches!(e, Error::Unauthorized { .. })
        }),
        case("403", Fault::Answer(answer(403)), ONCE, |e| {
            matches!(e, Error::Forbidden { .. })
        }),
        case("404", Fault::Answer(answer(404)), ONCE, |e| status(e, 404)),
        case(
            "400 that hides a 429",
            Fault::Answer(answer(400).retry_after(now)),
            ALWAYS,
            |e| status(e, 400),
        ),
        case("429", Fault::Answer(answer(429)), ALWAYS, |e| {
            status(e, 429)
        }),
        case("500", Fault::Answer(answer(500)), IF_IDEMPOTENT, |e| {
            status(e, 500)
        }),
        case(
            "502 in HTML",
            Fault::Answer(answer(502).html()),
            IF_IDEMPOTENT,
            |e| status(e, 502),
        ),
        case("503", Fault::Answer(answer(503)), IF_IDEMPOTENT, |e| {
            status(e, 503)
        }),
        case(
            "503 with Retry-After",
            Fault::Answer(answer(503).retry_after(now)),
            ALWAYS,
            |e| status(e, 503),
        ),
        case(
            "delay",
            Fault::Delay(Duration::from_secs(30)),
            IF_IDEMPOTENT,
            too_slow,
        ),
        case("no answer", Fault::NoAnswer, IF_IDEMPOTENT, broken),
        case("reset", Fault::reset_after(0), IF_IDEMPOTENT, broken),
        case(
            "reset in the answer",
            Fault::reset_after(30),
            IF_IDEMPOTENT,
            broken,
        ),
        case(
            "close in the answer",
            Fault::CutAnswer {
                end: End::Close,
                after: 30,
            },
            IF_IDEMPOTENT,
            broken,
        ),
        case(
            "silence in the answer",
            Fault::CutAnswer {
                end: End::Silence,
                after: 30,
            },
            IF_IDEMPOTENT,
            too_slow,
        ),
        case(
            "truncated",
            Fault::Truncate { after: 3 },
            IF_IDEMPOTENT,
            broken,
        ),
        case(
            "slow body",
            Fault::Trickle {
                pause: Duration::from_millis(100),
            },
            IF_IDEMPOTENT,
            too_slow,
        ),
        case(
            "oversized",
            Fault::Oversize { octets: 1 << 20 },
            ONCE,
            |e| matches!(e, Error::ReplyTooLarge { limit: 65_536, .. }),
        ),
        case("endless", Fault::Endless, ONCE, |e| {
            matches!(e, Error::ReplyTooLarge { limit: 65_536, .. })
        }),
    ];
    for (name, kind) in [
        ("wrong certificate", BadCertificate::WrongHost),
        ("expired certificate", BadCertificate::Expired),
        ("certificate not yet valid", BadCertificate::NotYetValid),
        ("unknown root", BadCertificate::UnknownRoot),
    ] {
        let case = case(name, Fault::ServerCertificate(kind), NEVER, |e| {
            matches!(e, Error::ServerNotTrusted { .. })
        });
        cases.push(connects(case, 1));
    }
    for (name, alert) in [
        (
            "client refused, bad_certificate",
            AlertDescription::BadCertificate,
        ),
        ("client refused, unknown_ca", AlertDescription::UnknownCA),
        (
            "client refused, certificate_revoked",
            AlertDescription::CertificateRevoked,
        ),
    ] {
        let case = case(name, Fault::RefuseClient(alert), NEVER, |e| {
            matches!(e, Error::ClientCertificateRefused { .. })
        });
        cases.push(connects(case, 1));
    }
    cases
}

/// A client that has tokens and no connection to the API port.
async fn client(pod: &Pod) -> Client {
    let client = builder(pod)
        .retry(
            RetryPolicy::default()
                .attempts(ATTEMPTS)
                .first_pause(Duration::from_millis(1))
                .deadline(DEADLINE),
        )
        .connect_timeout(READ)
        .read_timeout(READ)
        .total_timeout(TOTAL)
        .reply_limit(65_536)
        .build()
        .unwrap();
    let close = pod
        .inject(Rule::new(Fault::HangUp).port(Port::Api))
        .unwrap();
    client.session().await.unwrap();
    close.remove();
    client
}

async fn over(tls: TlsVersion, http: HttpVersion) {
    let tasks = || {
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks()
    };
    let mut failures = Vec::new();
    for case in cases() {
        let pod = Pod::builder()
            .tls_versions([tls])
            .http_versions([http])
            .start()
            .await
            .unwrap();
        admit(&pod);
        let listening = tasks();
        let client = client(&pod).await;
        // The end of the login's connection reaches the client before the call begins.
        while pod.open_connections(Port::Api) > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let rule = Rule::new(case.fault.clone()).port(Port::Api);
        let rule = match case.fault {
            Fault::Answer(_) => rule.path(ECHO), // a 401 leads to a login, which succeeds
            _ => rule,
        };
        let rule = pod.inject(rule).unwrap();

        let mut before = 0;
        for (idempotent, expected) in [(true, case.requests.0), (false, case.requests.1)] {
            let mut request = echo();
            if idempotent {
                request.extensions_mut().insert(Idempotent);
            }
            let started = Instant::now();
            let result = client.call(Endpoint::Agent, request).await;
            let (elapsed, seen) = (started.elapsed(), pod.requests_to(ECHO) - before);
            before += seen;
            let fits = match &result {
                Err(error) => (case.error)(error),
                Ok(_) => false,
            };
            // After the first call renewals are held back, for a moment.
            let expected = if case.name == "401" && !idempotent {
                1..=2
            } else {
                expected..=expected
            };
            if !fits || !expected.contains(&seen) || elapsed > DEADLINE + Duration::from_secs(1) {
                failures.push(format!(
                    "{}, {}idempotent: {result:?} after {elapsed:?}, {seen} requests of {expected:?}",
                    case.name,
                    if idempotent { "" } else { "not " },
                ));
            }
        }
        if let Some(attempts) = case.connects
            && rule.applied() != 2 * attempts
        {
            let connects = rule.applied();
            failures.push(format!("{}: {connects} handshakes in two calls", case.name));
        }

        drop(client);
        pod.clear_faults();
        let left = tokio::time::timeout(Duration::from_secs(10), async {
            pod.all_closed().await;
            while tasks() > listening {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        });
        if left.await.is_err() {
            failures.push(format!("{}: something stayed behind", case.name));
        }
        pod.shutdown().await;
    }
    assert!(
        failures.is_empty(),
        "{tls:?} {http:?}:\n{}",
        failures.join("\n")
    );
}

#[tokio::test]
async fn every_fault_over_tls_1_2_and_http_1() {
    over(TlsVersion::Tls12, HttpVersion::Http1).await;
}

#[tokio::test]
async fn every_fault_over_tls_1_2_and_http_2() {
    over(TlsVersion::Tls12, HttpVersion::Http2).await;
}

#[tokio::test]
async fn every_fault_over_tls_1_3_and_http_1() {
    over(TlsVersion::Tls13, HttpVersion::Http1).await;
}

#[tokio::test]
async fn every_fault_over_tls_1_3_and_http_2() {
    over(TlsVersion::Tls13, HttpVersion::Http2).await;
}
