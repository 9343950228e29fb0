//! The session that a client keeps: got when needed, renewed once for everybody, given up when told.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use auth::{Client, ClientBuilder, Endpoint, Endpoints, Error, Peer, RetryPolicy, TrustAnchors};
use bytes::Bytes;
use http::{Request, StatusCode};
use pod::{Answer as PodAnswer, Fault, Pod, Port, Rule};
use tokio::task::JoinSet;

use crate::{
    lab::{client as scripted_client, identity, key_manager_answer, pod_answer},
    server::{Answer, Server, Setup},
    workflow::{admitting, echo, session_info},
};

const POD_LOGIN: &str = "/sessionauth/v1/authenticate";
const KEY_MANAGER_LOGIN: &str = "/keyauth/v1/authenticate";
const POD_LOGOUT: &str = "/sessionauth/v1/logout";
const KEY_MANAGER_LOGOUT: &str = "/keyauth/v1/logout";
const ECHO: &str = "/agent/v1/util/echo";

pub(crate) fn builder(pod: &Pod) -> ClientBuilder {
    let endpoints = Endpoints::new(pod.api_url(), pod.key_manager_url())
        .unwrap()
        .agent(pod.agent_url())
        .unwrap();
    Client::builder(endpoints, identity())
        .trust(TrustAnchors::pem(pod.trust_anchor_pem()).unwrap())
        .retry(quick())
}

/// The default policy with pauses that a test can afford.
pub(crate) fn quick() -> RetryPolicy {
    RetryPolicy::default()
        .first_pause(Duration::from_millis(1))
        .longest_pause(Duration::from_millis(4))
        .deadline(Duration::from_secs(30))
}

fn logins(pod: &Pod) -> (u64, u64) {
    (
        pod.requests_to(POD_LOGIN),
        pod.requests_to(KEY_MANAGER_LOGIN),
    )
}

#[tokio::test]
async fn the_first_call_authenticates_and_the_rest_share_its_tokens() {
    let pod = admitting().await;
    let client = builder(&pod).build().unwrap();
    assert_eq!(logins(&pod), (0, 0));
    for _ in 0..3 {
        let reply = client.call(Endpoint::Agent, echo()).await.unwrap();
        assert_eq!(reply.body(), r#"{"message":"hello"}"#);
    }
    client
        .clone()
        .call(Endpoint::Pod, session_info())
        .await
        .unwrap();
    assert_eq!(logins(&pod), (1, 1));
    assert_eq!(pod.handshakes(Port::KeyManager).completed, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_callers_whose_token_ends_share_one_renewal() {
    let pod = admitting().await;
    let client = builder(&pod).build().unwrap();
    client.call(Endpoint::Agent, echo()).await.unwrap();
    // The renewal takes a while, so that everybody comes to wait for it.
    let slow = Rule::new(Fault::Delay(Duration::from_millis(300))).path(POD_LOGIN);
    pod.inject(slow).unwrap();
    pod.expire_tokens();

    let mut callers = JoinSet::new();
    for index in 0..200 {
        let client = client.clone();
        callers.spawn(async move {
            let (endpoint, request) = match index % 2 {
                0 => (Endpoint::Agent, echo()),
                _ => (Endpoint::Pod, session_info()),
            };
            client.call(endpoint, request).await
        });
    }
    for result in callers.join_all().await {
        assert_eq!(result.unwrap().status(), StatusCode::OK);
    }
    assert_eq!(logins(&pod), (2, 2), "one at first, one renewal");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_that_is_dropped_leaves_the_renewal_to_the_others() {
    let pod = admitting().await;
    let client = builder(&pod).build().unwrap();
    let slow = Rule::new(Fault::Delay(Duration::from_millis(500))).path(POD_LOGIN);
    let slow = pod.inject(slow).unwrap();

    let call = || {
        let client = client.clone();
        tokio::spawn(async move { client.call(Endpoint::Agent, echo()).await })
    };
    let (first, second) = (call(), call());
    // Both wait for the Pod once a login is under way.
    until(|| slow.applied() > 0).await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    second.await.unwrap().unwrap();
    assert_eq!(logins(&pod), (1, 1));
}

#[tokio::test]
async fn all_who_wait_are_told_why_there_are_no_tokens() {
    let pod = admitting().await;
    pod.set_certificates_allowed("demo-bot1", false).unwrap();
    let slow = Rule::new(Fault::Delay(Duration::from_millis(200))).path(POD_LOGIN);
    pod.inject(slow).unwrap();
    let client = builder(&pod).build().unwrap();

    let calls = (0..20).map(|_| {
        let client = client.clone();
        async move { client.call(Endpoint::Agent, echo()).await }
    });
    for result in calls.collect::<JoinSet<_>>().join_all().await {
        let error = result.unwrap_err();
        assert!(
            matches!(&error, Error::Forbidden { peer, .. }
                if [Endpoint::Pod, Endpoint::KeyManager].contains(&peer.endpoint())),
            "{error:?}"
        );
    }
    assert_eq!(pod.requests_to(ECHO), 0);
    assert!(pod.requests_to(POD_LOGIN) <= 1, "nobody asked again");
}

#[tokio::test]
async fn a_401_that_stays_costs_one_renewal_and_then_none_for_a_while() {
    let pod = admitting().await;
    let patient = RetryPolicy::default()
        .first_pause(Duration::from_secs(3600))
        .longest_pause(Duration::from_secs(3600));
    let client = builder(&pod).retry(patient).build().unwrap();
    let refuse = Rule::new(Fault::status(StatusCode::UNAUTHORIZED)).path(ECHO);
    let rule = pod.inject(refuse).unwrap();

    for (calls, (echoes, authentications)) in [(2, 2), (3, 2), (4, 2)].into_iter().enumerate() {
        let error = client.call(Endpoint::Agent, echo()).await.unwrap_err();
        assert!(matches!(error, Error::Unauthorized { .. }), "{error:?}");
        assert_eq!(pod.requests_to(ECHO), echoes, "after {calls} calls more");
        assert_eq!(logins(&pod), (authentications, authentications));
    }

    // Other endpoints are not held back, and neither is this one after it accepted a token.
    let once = Rule::new(Fault::status(StatusCode::UNAUTHORIZED)).path("/pod/v2/sessioninfo");
    pod.inject(once.times(1)).unwrap();
    client.call(Endpoint::Pod, session_info()).await.unwrap();
    assert_eq!(logins(&pod), (3, 2));
    rule.remove();
    client.call(Endpoint::Agent, echo()).await.unwrap();
    pod.expire_tokens();
    client.call(Endpoint::Agent, echo()).await.unwrap();
    assert_eq!(logins(&pod), (4, 3));
}

#[tokio::test]
async fn a_401_that_stays_is_not_forgotten_over_another_call_that_is_answered() {
    let pod = admitting().await;
    let patient = RetryPolicy::default()
        .first_pause(Duration::from_secs(3600))
        .longest_pause(Duration::from_secs(3600));
    let client = builder(&pod).retry(patient).build().unwrap();
    let info = "/pod/v2/sessioninfo";
    let refuse = Rule::new(Fault::status(StatusCode::UNAUTHORIZED)).path(info);
    pod.inject(refuse).unwrap();
    let other = "/pod/v2/other";
    pod.inject(Rule::new(Fault::status(StatusCode::OK)).path(other))
        .unwrap();
    for _ in 0..3 {
        let error = client
            .call(Endpoint::Pod, session_info())
            .await
            .unwrap_err();
        assert!(matches!(error, Error::Unauthorized { .. }), "{error:?}");
        let answered = Request::get(other).body(Bytes::new()).unwrap();
        client.call(Endpoint::Pod, answered).await.unwrap();
    }
    assert_eq!(logins(&pod), (2, 1), "the first, and one renewal");
}

#[tokio::test]
async fn logout_ends_the_kept_session_and_the_next_call_begins_another() {
    let pod = admitting().await;
    let client = builder(&pod).build().unwrap();
    client.logout().await.unwrap();
    assert!(pod.requests().is_empty(), "there was nothing to end");

    let session = client.session().await.unwrap();
    client.logout().await.unwrap();
    let error = client
        .send(&session, Endpoint::Pod, session_info())
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Unauthorized { .. }), "{error:?}");
    client.call(Endpoint::Pod, session_info()).await.unwrap();
    assert_eq!(logins(&pod), (2, 2));
}

#[tokio::test]
async fn a_session_that_ended_by_itself_needs_no_logout() {
    let pod = admitting().await;
    let client = builder(&pod).build().unwrap();
    client.session().await.unwrap();
    pod.expire_tokens();
    client.logout().await.unwrap();
}

#[tokio::test]
async fn a_logout_fails_if_either_endpoint_does_and_not_because_the_session_has_expired() {
    use Endpoint::{KeyManager, Pod};
    for (at_pod, at_key_manager, failed) in [
        (200, 200, None),
        (401, 401, None),
        (401, 200, None),
        (200, 401, None),
        (200, 500, Some(KeyManager)),
        (401, 500, Some(KeyManager)),
        (500, 200, Some(Pod)),
        (500, 401, Some(Pod)),
        (500, 403, Some(Pod)),
    ] {
        let pod = admitting().await;
        let client = builder(&pod).build().unwrap();
        client.session().await.unwrap();
        for (status, path) in [(at_pod, POD_LOGOUT), (at_key_manager, KEY_MANAGER_LOGOUT)] {
            let answer = Fault::status(StatusCode::from_u16(status).unwrap());
            pod.inject(Rule::new(answer).path(path)).unwrap();
        }
        let result = client.logout().await;
        let peer = result.as_ref().err().map(|error| error.peer().unwrap());
        assert_eq!(
            peer.map(Peer::endpoint),
            failed,
            "{at_pod} {at_key_manager}: {result:?}"
        );
        for path in [POD_LOGOUT, KEY_MANAGER_LOGOUT] {
            assert_eq!(
                pod.requests_to(path),
                1,
                "both are asked, whatever the other says"
            );
        }
    }
}

#[tokio::test]
async fn a_session_is_renewed_before_its_end_while_calls_go_on() {
    let pod = admitting().await;
    let age = Duration::from_millis(200);
    let client = builder(&pod).renew_after(age).build().unwrap();
    client.call(Endpoint::Pod, session_info()).await.unwrap();
    assert_eq!(logins(&pod), (1, 1));

    // Nobody waits for it, and it doesn't need the one who began it.
    let slow = Rule::new(Fault::Delay(Duration::from_millis(1500))).path(KEY_MANAGER_LOGIN);
    let slow = pod.inject(slow).unwrap();
    tokio::time::sleep(age).await;
    let first = client.session().await.unwrap();
    let caller = client.clone();
    let caller = tokio::spawn(async move { caller.call(Endpoint::Pod, session_info()).await });
    caller.await.unwrap().unwrap();
    let second = client.session().await.unwrap();
    assert!(Arc::ptr_eq(&first, &second), "the old one is used on");
    until(|| logins(&pod) == (2, 2)).await;
    // The replaced session is ended when nothing needs it any more.
    until(|| pod.sessions("demo-bot1") == 1).await;
    assert_eq!(pod.requests_to(POD_LOGOUT), 1);
    slow.remove();
}

#[tokio::test(start_paused = true)]
async fn what_can_not_be_renewed_is_used_on_and_not_tried_again_at_once() {
    let (_hold, held) = std::sync::mpsc::channel::<()>();
    tokio::task::spawn_blocking(move || held.recv());
    let pod = admitting().await;
    let age = Duration::from_secs(60);
    let client = builder(&pod).renew_after(age).build().unwrap();
    let call = async || {
        client
            .call(Endpoint::Pod, session_info())
            .await
            .map(drop)
            .unwrap();
    };
    call().await;
    let down = Rule::new(Fault::status(StatusCode::INTERNAL_SERVER_ERROR)).path(POD_LOGIN);
    pod.inject(down).unwrap();
    for failed in 1..=3 {
        // Until the latest failure is known, the next one isn't due.
        while pod.requests_to(POD_LOGIN) == failed {
            tokio::time::advance(age).await;
            call().await;
        }
        for _ in 0..5 {
            call().await;
        }
        assert_eq!(pod.requests_to(POD_LOGIN), failed + 1);
    }
}

/// Waits for what happens in the background.
pub(crate) async fn until(happened: impl Fn() -> bool) {
    let poll = async {
        while !happened() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let limit = Duration::from_secs(20);
    tokio::time::timeout(limit, poll)
        .await
        .expect("it should have happened");
}

#[tokio::test]
async fn an_endpoint_that_gave_its_token_is_not_asked_for_another() {
    let pod = admitting().await;
    let down = Rule::new(Fault::status(StatusCode::SERVICE_UNAVAILABLE)).path(KEY_MANAGER_LOGIN);
    pod.inject(down.times(4)).unwrap();
    builder(&pod).build().unwrap().session().await.unwrap();
    assert_eq!(logins(&pod), (1, 5));
}

#[tokio::test]
async fn retry_after_is_waited_for_also_on_the_400_that_hides_a_429() {
    for answer in [
        PodAnswer::new(StatusCode::TOO_MANY_REQUESTS).retry_after(Duration::from_secs(1)),
        PodAnswer::new(StatusCode::BAD_REQUEST).retry_after(Duration::from_secs(1)),
        // Two, of which the part of a second that has passed is cut off.
        PodAnswer::new(StatusCode::SERVICE_UNAVAILABLE).retry_after_date(Duration::from_secs(2)),
    ] {
        let pod = admitting().await;
        let client = builder(&pod).build().unwrap();
        client.session().await.unwrap();
        pod.inject(Rule::new(Fault::Answer(answer)).path(ECHO).times(1))
            .unwrap();
        let started = std::time::Instant::now();
        // Not marked as idempotent: nothing was done the first time.
        client.call(Endpoint::Agent, echo()).await.unwrap();
        assert!(
            started.elapsed() >= Duration::from_millis(900),
            "{:?}",
            started.elapsed()
        );
        assert_eq!(pod.requests_to(ECHO), 2);
    }
}

#[tokio::test]
async fn a_server_that_asks_for_more_time_than_there_is_ends_the_call_at_once() {
    let pod = admitting().await;
    let client = builder(&pod).build().unwrap();
    let later =
        PodAnswer::new(StatusCode::TOO_MANY_REQUESTS).retry_after(Duration::from_secs(3600));
    pod.inject(Rule::new(Fault::Answer(later)).path(ECHO))
        .unwrap();
    let started = std::time::Instant::now();
    let error = client.call(Endpoint::Agent, echo()).await.unwrap_err();
    assert!(
        matches!(
            error,
            Error::Status {
                status: StatusCode::TOO_MANY_REQUESTS,
                retry_after: Some(wait),
                ..
            } if wait == Duration::from_secs(3600)
        ),
        "{error:?}"
    );
    assert!(started.elapsed() < Duration::from_secs(20));
    assert_eq!(pod.requests_to(ECHO), 1);
}

#[tokio::test]
async fn what_can_not_be_sent_is_told_before_anything_is() {
    let pod = admitting().await;
    let client = builder(&pod).build().unwrap();
    let foreign = Request::get("https://evil.test/x")
        .body(Bytes::new())
        .unwrap();
    let error = client.call(Endpoint::Agent, foreign).await.unwrap_err();
    assert!(matches!(error, Error::ForeignUrl { .. }), "{error:?}");
    assert!(pod.requests().is_empty());
}

/// A new connection each time, which the server closes before it has read anything.
#[tokio::test]
async fn a_connection_that_the_server_closed_while_it_idled_costs_no_call() {
    let answers = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&answers);
    let pod = Server::start(
        Setup::new(move || {
            count.fetch_add(1, Ordering::SeqCst);
            pod_answer().header("connection", "close")
        })
        .over(&rustls::version::TLS13, "http/1.1"),
    )
    .await;
    let key_manager = Server::start(Setup::new(key_manager_answer)).await;
    let client = scripted_client(&pod, &key_manager)
        .retry(quick())
        .build()
        .unwrap();
    for _ in 0..5 {
        let request = Request::get("/pod/v2/sessioninfo")
            .body(Bytes::new())
            .unwrap();
        client.call(Endpoint::Pod, request).await.unwrap();
    }
    assert_eq!(answers.load(Ordering::SeqCst), 6);
}

#[tokio::test]
async fn a_hostile_retry_after_is_not_a_way_to_hang_a_caller() {
    for (value, asked) in [
        ("86400", Duration::from_secs(86_400)),
        ("99999999999999999999999", Duration::from_secs(u64::MAX)),
    ] {
        let answer = move || Answer::json(429, "{}").header("retry-after", value);
        let pod = Server::start(Setup::new(answer)).await;
        let key_manager = Server::start(Setup::new(key_manager_answer)).await;
        let endless = RetryPolicy::default().deadline(None);
        let client = scripted_client(&pod, &key_manager)
            .retry(endless)
            .build()
            .unwrap();
        let call = tokio::time::timeout(Duration::from_secs(10), client.session()).await;
        assert!(
            matches!(call, Ok(Err(Error::Status { retry_after: Some(found), .. })) if found == asked),
            "{call:?}"
        );
    }
}
