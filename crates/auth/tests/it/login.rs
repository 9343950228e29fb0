//! Logins that fail, by half or whole, or are overtaken: what is left at the pod, and what callers are told.

use std::time::Duration;

use auth::{Client, Endpoint, Endpoints, Error, RetryPolicy};
use http::StatusCode;
use pod::{Answer, Fault, Injected, Pod, Port, Rule};

use crate::{
    lab::{KEY_MANAGER_REPLY, POD_REPLY, Pair, identity_of, issue, lab},
    life::{builder, quick, until},
    workflow::{admitting, echo, session_info},
};

const POD_LOGIN: &str = "/sessionauth/v1/authenticate";
const KEY_MANAGER_LOGIN: &str = "/keyauth/v1/authenticate";
const POD_LOGOUT: &str = "/sessionauth/v1/logout";
const INFO: &str = "/pod/v2/sessioninfo";
const ECHO: &str = "/agent/v1/util/echo";
const BOT: &str = "demo-bot1";

fn logins(pod: &Pod) -> (u64, u64) {
    (
        pod.requests_to(POD_LOGIN),
        pod.requests_to(KEY_MANAGER_LOGIN),
    )
}

fn answering(pod: &Pod, path: &str, status: StatusCode) -> Injected {
    pod.inject(Rule::new(Fault::status(status)).path(path))
        .unwrap()
}

fn slow(pod: &Pod, path: &str, delay: Duration) -> Injected {
    pod.inject(Rule::new(Fault::Delay(delay)).path(path).times(1))
        .unwrap()
}

fn call(client: &Client) -> tokio::task::JoinHandle<Result<http::Response<bytes::Bytes>, Error>> {
    let client = client.clone();
    tokio::spawn(async move { client.call(Endpoint::Pod, session_info()).await })
}

#[tokio::test]
async fn a_login_that_the_key_manager_refuses_leaves_no_session_at_the_pod() {
    let pod = admitting().await;
    answering(&pod, KEY_MANAGER_LOGIN, StatusCode::FORBIDDEN);
    let client = builder(&pod).build().unwrap();
    let error = client.session().await.unwrap_err();
    assert!(matches!(error, Error::Forbidden { .. }), "{error:?}");
    assert_eq!(error.peer().unwrap().endpoint(), Endpoint::KeyManager);
    assert_eq!(pod.sessions(BOT), 0);
    assert_eq!(pod.requests_to(POD_LOGOUT), 1);
}

#[tokio::test]
async fn a_login_that_nobody_waits_for_any_more_leaves_no_session_at_the_pod() {
    let pod = admitting().await;
    let hangs = slow(&pod, KEY_MANAGER_LOGIN, Duration::from_secs(60));
    let client = builder(&pod).build().unwrap();
    let login = tokio::spawn(async move { client.replace_identity(&crate::lab::identity()).await });
    until(|| hangs.applied() > 0).await;
    assert_eq!(pod.sessions(BOT), 1);
    login.abort();
    until(|| pod.sessions(BOT) == 0).await;
}

#[tokio::test]
async fn the_key_manager_is_connected_to_while_the_pod_is_asked() {
    let pod = admitting().await;
    let hangs = slow(&pod, POD_LOGIN, Duration::from_secs(60));
    let client = builder(&pod).build().unwrap();
    let login = tokio::spawn(async move { client.replace_identity(&crate::lab::identity()).await });
    until(|| hangs.applied() > 0).await;
    until(|| pod.handshakes(Port::KeyManager).completed == 1).await;
    assert_eq!(pod.requests_to(KEY_MANAGER_LOGIN), 0);
    // Nobody waits any more: the connection isn't left behind.
    login.abort();
    until(|| pod.open_connections(Port::KeyManager) == 0).await;

    hangs.remove();
    let client = builder(&pod).build().unwrap();
    client.session().await.unwrap();
    pod.expire_tokens();
    client.call(Endpoint::Agent, echo()).await.unwrap();
    // The call took what was begun, and a renewal begins nothing.
    assert_eq!(pod.handshakes(Port::KeyManager).completed, 2);
    assert_eq!(pod.requests_to(KEY_MANAGER_LOGIN), 2);
}

/// A bot with a call every ten seconds, whose Key Manager refuses it. Time goes by when the test says so.
#[tokio::test(start_paused = true)]
async fn a_bot_whose_login_is_half_refused_for_an_hour_holds_at_most_one_session() {
    let (_hold, held) = std::sync::mpsc::channel::<()>();
    // The clock doesn't advance by itself while a thread is blocked.
    tokio::task::spawn_blocking(move || held.recv());
    let pod = admitting().await;
    answering(&pod, KEY_MANAGER_LOGIN, StatusCode::FORBIDDEN);
    let retry = RetryPolicy::default();
    let client = builder(&pod).retry(retry).build().unwrap();
    for _ in 0..360 {
        let error = client.call(Endpoint::Agent, echo()).await.unwrap_err();
        assert!(matches!(error, Error::Forbidden { .. }), "{error:?}");
        assert!(pod.sessions(BOT) <= 1);
        tokio::time::advance(Duration::from_secs(10)).await;
    }
    assert_eq!(pod.sessions(BOT), 0);
    let (at_pod, at_key_manager) = logins(&pod);
    assert_eq!(at_pod, at_key_manager);
    assert!((10..40).contains(&at_pod), "held back: {at_pod}");
    assert_eq!(pod.requests_to(POD_LOGOUT), at_pod);
}

#[tokio::test(start_paused = true)]
async fn after_a_failed_login_calls_get_its_error_for_a_while() {
    let (_hold, held) = std::sync::mpsc::channel::<()>();
    tokio::task::spawn_blocking(move || held.recv());
    let pod = admitting().await;
    let refused = answering(&pod, POD_LOGIN, StatusCode::FORBIDDEN);
    // Also where attempts follow each other at once.
    let hasty = quick().first_pause(Duration::ZERO);
    let client = builder(&pod).retry(hasty).build().unwrap();
    let first = client.session().await.unwrap_err();
    refused.remove();
    for _ in 0..5 {
        assert_eq!(client.session().await.unwrap_err(), first);
        let again = client.call(Endpoint::Agent, echo()).await.unwrap_err();
        assert_eq!(again, first);
    }
    assert_eq!(logins(&pod), (1, 0));
    tokio::time::advance(Duration::from_millis(501)).await;
    client.call(Endpoint::Agent, echo()).await.unwrap();
    assert_eq!(logins(&pod), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_login_is_not_tried_before_the_time_that_the_server_said() {
    let (_hold, held) = std::sync::mpsc::channel::<()>();
    tokio::task::spawn_blocking(move || held.recv());
    let pod = admitting().await;
    let half_an_hour = Duration::from_secs(1800);
    let later = Answer::new(StatusCode::TOO_MANY_REQUESTS).retry_after(half_an_hour);
    let throttled = pod.inject(Rule::new(Fault::Answer(later)).path(POD_LOGIN));
    let client = builder(&pod).build().unwrap();
    let first = client.session().await.unwrap_err();
    assert!(
        matches!(&first, Error::Status { retry_after: Some(asked), .. } if *asked == half_an_hour),
        "{first:?}"
    );
    throttled.unwrap().remove();
    tokio::time::advance(half_an_hour - Duration::from_secs(5)).await;
    assert_eq!(client.session().await.unwrap_err(), first);
    assert_eq!(logins(&pod), (1, 0));
    tokio::time::advance(Duration::from_secs(6)).await;
    client.session().await.unwrap();
}

#[tokio::test]
async fn a_token_that_is_given_again_is_not_ended_with_the_session_before() {
    let pod = admitting().await;
    for (path, token) in [
        (POD_LOGIN, POD_REPLY),
        (KEY_MANAGER_LOGIN, KEY_MANAGER_REPLY),
    ] {
        let same = Answer::new(StatusCode::OK).body(token);
        pod.inject(Rule::new(Fault::Answer(same)).path(path))
            .unwrap();
    }
    let client = builder(&pod).build().unwrap();
    let first = client.session().await.unwrap();
    let second = client.renewed(&first).await.unwrap();
    assert_eq!(logins(&pod), (2, 2));
    drop((first, second));
    // What is ended after use is ended by now.
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(pod.requests_to(POD_LOGOUT), 0);
}

#[tokio::test]
async fn a_401_renews_the_token_that_was_sent_and_not_the_other_one() {
    let pod = admitting().await;
    let client = builder(&pod).build().unwrap();
    let before = client.session().await.unwrap();
    let once = Rule::new(Fault::status(StatusCode::UNAUTHORIZED)).path(INFO);
    pod.inject(once.times(1)).unwrap();
    client.call(Endpoint::Pod, session_info()).await.unwrap();
    assert_eq!(logins(&pod), (2, 1));
    let after = client.session().await.unwrap();
    let key_manager = |session: &auth::Session| {
        let token = session.key_manager_token().unwrap();
        token.expose().to_owned()
    };
    assert_eq!(key_manager(&before), key_manager(&after));
    // The Agent gets both.
    client.call(Endpoint::Agent, echo()).await.unwrap();
    let once = Rule::new(Fault::status(StatusCode::UNAUTHORIZED)).path(ECHO);
    pod.inject(once.times(1)).unwrap();
    client.call(Endpoint::Agent, echo()).await.unwrap();
    assert_eq!(logins(&pod), (3, 2));
    // What was replaced is ended: the refusals were wrong.
    until(|| pod.sessions(BOT) == 1).await;
}

#[tokio::test]
async fn a_call_that_both_tokens_failed_is_repeated_although_one_of_them_was_renewed_in_the_meantime()
 {
    let pod = admitting().await;
    let client = builder(&pod).build().unwrap();
    client.session().await.unwrap();
    pod.expire_tokens();
    let hangs = slow(&pod, ECHO, Duration::from_secs(1));
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { client.call(Endpoint::Agent, echo()).await }
    });
    until(|| hangs.applied() > 0).await;
    // Of the two tokens that the Agent was sent, this call has only one.
    client.call(Endpoint::Pod, session_info()).await.unwrap();
    assert_eq!(logins(&pod), (2, 1));
    assert!(!waiting.is_finished());
    waiting.await.unwrap().unwrap();
    assert_eq!(logins(&pod), (2, 2));
}

#[tokio::test]
async fn others_go_on_with_the_token_that_has_not_expired() {
    let pod = admitting().await;
    let client = builder(&pod).build().unwrap();
    client.session().await.unwrap();
    // The Key Manager's token is refused, and another one is slow to come.
    let refuse = Rule::new(Fault::status(StatusCode::UNAUTHORIZED)).path("/relay/keys");
    pod.inject(refuse.times(1)).unwrap();
    let hangs = slow(&pod, KEY_MANAGER_LOGIN, Duration::from_secs(60));
    let waiting = tokio::spawn({
        let client = client.clone();
        let request = http::Request::get("/relay/keys").body(Default::default());
        async move { client.call(Endpoint::KeyManager, request.unwrap()).await }
    });
    until(|| hangs.applied() > 0).await;
    client.call(Endpoint::Pod, session_info()).await.unwrap();
    assert_eq!(logins(&pod).0, 1);
    waiting.abort();
}

#[tokio::test]
async fn a_failed_renewal_leaves_the_old_session_to_the_logout() {
    let pod = admitting().await;
    let client = builder(&pod).build().unwrap();
    client.session().await.unwrap();
    answering(&pod, ECHO, StatusCode::UNAUTHORIZED);
    answering(&pod, POD_LOGIN, StatusCode::FORBIDDEN);
    let error = client.call(Endpoint::Agent, echo()).await.unwrap_err();
    assert!(matches!(error, Error::Forbidden { .. }), "{error:?}");
    assert_eq!(pod.sessions(BOT), 1);
    client.logout().await.unwrap();
    assert_eq!(pod.sessions(BOT), 0);
}

#[tokio::test]
async fn a_logout_does_not_wait_for_a_login_and_ends_what_comes_of_it() {
    let pod = admitting().await;
    let client = builder(&pod).build().unwrap();
    let hangs = slow(&pod, KEY_MANAGER_LOGIN, Duration::from_millis(700));
    let waiting = call(&client);
    until(|| hangs.applied() > 0).await;
    waiting.abort();
    client.logout().await.unwrap();
    assert_eq!(pod.sessions(BOT), 1, "the login is still under way");
    until(|| pod.requests_to(POD_LOGOUT) == 1).await;
    assert_eq!(pod.sessions(BOT), 0);
}

fn another_pair(subject: &str) -> Pair {
    issue(&lab().signing, subject, &[], &pki::Profile::client())
}

#[tokio::test]
async fn calls_that_wait_for_a_login_get_that_of_the_new_identity() {
    let pod = admitting().await;
    pod.create_service_user("demo-bot2").unwrap();
    let client = builder(&pod).build().unwrap();
    let hangs = slow(&pod, POD_LOGIN, Duration::from_secs(60));
    let waiting = call(&client);
    until(|| hangs.applied() > 0).await;
    let identity = identity_of(&another_pair("/CN=demo-bot2"), lab().signing.chain());
    client.replace_identity(&identity).await.unwrap();
    let reply = tokio::time::timeout(Duration::from_secs(20), waiting).await;
    let reply = reply.expect("it waits for the old one").unwrap().unwrap();
    let user: serde_json::Value = serde_json::from_slice(reply.body()).unwrap();
    assert_eq!(user["username"], "demo-bot2");
}

#[tokio::test]
async fn two_new_identities_at_once_do_not_mix() {
    let pod = admitting().await;
    for name in ["demo-bot2", "demo-bot3"] {
        pod.create_service_user(name).unwrap();
    }
    let client = builder(&pod).build().unwrap();
    client.session().await.unwrap();
    let identity = |subject| identity_of(&another_pair(subject), lab().signing.chain());
    let (second, third) = (identity("/CN=demo-bot2"), identity("/CN=demo-bot3"));
    let (one, other) = tokio::join!(
        client.replace_identity(&second),
        client.replace_identity(&third)
    );
    one.and(other).unwrap();
    let name = async || {
        let reply = client.call(Endpoint::Pod, session_info()).await.unwrap();
        let user: serde_json::Value = serde_json::from_slice(reply.body()).unwrap();
        user["username"].as_str().unwrap().to_owned()
    };
    // The session, and the connections that the next one is got over.
    let before = name().await;
    pod.expire_tokens();
    assert_eq!(name().await, before);
    // Nobody else's session is left.
    let sessions = || ["demo-bot1", "demo-bot2", "demo-bot3"].map(|name| pod.sessions(name));
    until(|| sessions().iter().sum::<usize>() == 1).await;
}

/// Its tokens and its connections belong together, whatever has become of the client's.
#[tokio::test]
async fn a_retry_goes_where_its_tokens_belong() {
    let pod = admitting().await;
    pod.create_service_user("demo-bot2").unwrap();
    let client = builder(&pod)
        .retry(quick().first_pause(Duration::from_millis(600)))
        .build()
        .unwrap();
    client.session().await.unwrap();
    let busy = Rule::new(Fault::status(StatusCode::TOO_MANY_REQUESTS)).path(INFO);
    let busy = pod.inject(busy.times(3)).unwrap();
    let under_way = call(&client);
    until(|| busy.applied() > 0).await;
    let identity = identity_of(&another_pair("/CN=demo-bot2"), lab().signing.chain());
    client.replace_identity(&identity).await.unwrap();
    let reply = under_way.await.unwrap().unwrap();
    let user: serde_json::Value = serde_json::from_slice(reply.body()).unwrap();
    assert_eq!(user["username"], BOT, "its session lives as long as it");
    let connections: Vec<_> = pod
        .requests()
        .into_iter()
        .filter(|request| request.path == INFO)
        .map(|request| request.connection)
        .collect();
    assert!(connections.len() > 1);
    assert!(connections.iter().all(|it| *it == connections[0]));
    until(|| pod.sessions(BOT) == 0).await;
}

#[tokio::test]
async fn a_deadline_names_the_endpoint_that_hung_and_the_latest_failure_there() {
    let pod = admitting().await;
    let busy = Rule::new(Fault::status(StatusCode::SERVICE_UNAVAILABLE)).path(KEY_MANAGER_LOGIN);
    pod.inject(busy.times(1)).unwrap();
    let hangs = Rule::new(Fault::Delay(Duration::from_secs(60))).path(KEY_MANAGER_LOGIN);
    pod.inject(hangs.skip(1)).unwrap();
    let limit = Duration::from_secs(1);
    let client = builder(&pod)
        .retry(quick().deadline(limit))
        .build()
        .unwrap();
    let error = client.call(Endpoint::Agent, echo()).await.unwrap_err();
    let Error::DeadlineExceeded {
        peer,
        after,
        latest: Some(latest),
        ..
    } = &error
    else {
        panic!("{error:?}");
    };
    assert_eq!((peer.endpoint(), *after), (Endpoint::KeyManager, limit));
    assert!(
        matches!(**latest, Error::Status { status, .. } if status == 503),
        "{latest:?}"
    );
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("503"), "{source}");
    // The session that came about by half is ended.
    until(|| pod.sessions(BOT) == 0).await;
}

#[tokio::test]
async fn a_deadline_of_a_call_names_the_endpoint_that_was_called() {
    let pod = admitting().await;
    let busy = Rule::new(Fault::status(StatusCode::TOO_MANY_REQUESTS)).path(ECHO);
    pod.inject(busy.times(1)).unwrap();
    pod.inject(
        Rule::new(Fault::Delay(Duration::from_secs(60)))
            .path(ECHO)
            .skip(1),
    )
    .unwrap();
    let limit = Duration::from_secs(2);
    let client = builder(&pod)
        .retry(quick().deadline(limit))
        .build()
        .unwrap();
    client.session().await.unwrap();
    let error = client.call(Endpoint::Agent, echo()).await.unwrap_err();
    assert!(
        matches!(&error, Error::DeadlineExceeded { peer, latest: Some(latest), .. }
            if peer.endpoint() == Endpoint::Agent
                && matches!(**latest, Error::Status { status, .. } if status == 429)),
        "{error:?}"
    );
}

/// A client is used in one runtime after the other, and the first one ends in the middle of a login.
#[test]
fn a_login_that_ended_with_its_runtime_is_begun_anew_in_the_next_one() {
    let runtime = || {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap()
    };
    let servers = runtime();
    let pod = servers.block_on(admitting());
    let client = builder(&pod).build().unwrap();
    let hangs = slow(&pod, POD_LOGIN, Duration::from_secs(60));
    let first = runtime();
    first.block_on(async {
        let _waiting = call(&client);
        until(|| hangs.applied() > 0).await;
    });
    drop(first);
    let session = runtime().block_on(async {
        let limit = Duration::from_secs(20);
        tokio::time::timeout(limit, client.session()).await
    });
    session.expect("it waits for the lost one").unwrap();
    servers.block_on(pod.shutdown());
}

/// Its session would be nobody's.
#[tokio::test]
async fn a_login_whose_client_is_gone_is_ended() {
    let pod = admitting().await;
    let client = builder(&pod).build().unwrap();
    let hangs = slow(&pod, KEY_MANAGER_LOGIN, Duration::from_millis(300));
    let waiting = call(&client);
    until(|| hangs.applied() > 0).await;
    waiting.abort();
    drop(client);
    until(|| pod.requests_to(POD_LOGOUT) == 1).await;
    assert_eq!(pod.sessions(BOT), 0);
}

#[tokio::test]
async fn the_base_that_authenticates_can_be_called() {
    let pod = admitting().await;
    let endpoints = Endpoints::new(pod.web_url(), pod.key_manager_url())
        .unwrap()
        .session_auth(pod.api_url())
        .unwrap();
    let client = Client::builder(endpoints, crate::lab::identity())
        .trust(auth::TrustAnchors::pem(pod.trust_anchor_pem()).unwrap())
        .build()
        .unwrap();
    for (endpoint, port) in [
        (Endpoint::SessionAuth, pod::Port::Api),
        (Endpoint::Pod, pod::Port::Web),
    ] {
        client.call(endpoint, session_info()).await.unwrap();
        assert_eq!(pod.requests().last().unwrap().port, port);
    }
}

#[tokio::test]
async fn a_session_that_was_kept_elsewhere_is_taken_up_again() {
    let pod = admitting().await;
    let client = builder(&pod).build().unwrap();
    let session = client.session().await.unwrap();
    let tokens = [
        session.session_token(),
        session.key_manager_token().unwrap(),
    ];
    let [session_token, key_manager_token] =
        tokens.map(|token| auth::Token::new(token.header_name().as_str(), token.expose()).unwrap());
    let kept = auth::Session::new(session_token, key_manager_token).unwrap();
    drop(client);
    let client = builder(&pod).session(kept).build().unwrap();
    client.call(Endpoint::Agent, echo()).await.unwrap();
    assert_eq!(logins(&pod), (1, 1));
    pod.expire_tokens();
    client.call(Endpoint::Agent, echo()).await.unwrap();
    assert_eq!(logins(&pod), (2, 2), "it is renewed like any other");
    client.logout().await.unwrap();
    assert_eq!(pod.sessions(BOT), 0);
}
