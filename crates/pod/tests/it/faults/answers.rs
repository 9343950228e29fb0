//! In place of an answer.

use std::{
    num::NonZeroU32,
    time::{Duration, SystemTime},
};

use http::{HeaderValue, Method, StatusCode};
use pod::{Answer, Fault, Pod, Port, Rule};

use super::{AUTHENTICATE, inject, post};
use crate::support::World;

#[tokio::test]
async fn a_status_comes_with_the_error_body_of_the_pod() {
    let world = World::new().await;
    let rule = Rule::new(Fault::status(StatusCode::SERVICE_UNAVAILABLE))
        .path(AUTHENTICATE)
        .times(2);
    let fault = Fault::status(StatusCode::SERVICE_UNAVAILABLE);
    let injected = world.pod.inject(rule).unwrap();

    for http2 in [false, true] {
        let answer = post(&world.client().http2(http2)).await;
        assert_eq!(answer.error(), (503, "Service Unavailable".to_owned()));
    }
    post(&world.client()).await.token();

    assert_eq!(injected.applied(), 2);
    let seen: Vec<_> = world
        .pod
        .requests()
        .into_iter()
        .map(|request| (request.status.as_u16(), request.faults))
        .collect();
    assert_eq!(
        seen,
        [
            (503, vec![fault.clone()]),
            (503, vec![fault]),
            (200, vec![])
        ]
    );
    assert_eq!(world.pod.requests_to(AUTHENTICATE), 3);
    assert_eq!(world.pod.requests_to("/"), 0);
}

#[tokio::test]
async fn retry_after_comes_in_seconds_and_as_a_date_also_on_the_400_that_hides_a_429() {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_774);
    let world = World::with(Pod::builder().clock(move || now)).await;
    let wait = Duration::from_secs(3);
    for status in [StatusCode::TOO_MANY_REQUESTS, StatusCode::BAD_REQUEST] {
        for (answer, expected) in [
            (Answer::new(status).retry_after(wait), "3"),
            // The example of RFC 9110, section 5.6.7.
            (
                Answer::new(status).retry_after_date(wait),
                "Sun, 06 Nov 1994 08:49:37 GMT",
            ),
        ] {
            world
                .pod
                .inject(Rule::new(Fault::Answer(answer)).times(1))
                .unwrap();
            let answer = world.client().post(Port::Web, AUTHENTICATE).await;
            assert_eq!(answer.status, status);
            assert_eq!(answer.headers["retry-after"], expected);
        }
    }
}

#[tokio::test]
async fn bodies_come_as_ordered() {
    let world = World::new().await;
    let unauthorized = Answer::new(StatusCode::UNAUTHORIZED);
    let json = Some(HeaderValue::from_static("application/json"));
    for (answer, content_type, body) in [
        (
            unauthorized.clone().without_content_type(),
            None,
            &br#"{"code":401,"message":"Unauthorized"}"#[..],
        ),
        (
            unauthorized.clone().body("no JSON"),
            json.clone(),
            b"no JSON",
        ),
        (unauthorized.clone().empty(), None, b""),
        (
            Answer::new(StatusCode::OK).body(r#"{"name":"sessionToken"}"#),
            json,
            br#"{"name":"sessionToken"}"#,
        ),
    ] {
        for http2 in [false, true] {
            world
                .pod
                .inject(Rule::new(Fault::Answer(answer.clone())).times(1))
                .unwrap();
            let answer = post(&world.client().http2(http2)).await;
            assert_eq!(answer.headers.get("content-type"), content_type.as_ref());
            assert_eq!(&answer.body[..], body);
        }
    }
}

#[tokio::test]
async fn an_html_page_is_one() {
    let world = World::new().await;
    inject(
        &world.pod,
        Fault::Answer(Answer::new(StatusCode::BAD_GATEWAY).html()),
    );

    let answer = post(&world.client()).await;

    assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
    assert_eq!(answer.headers["content-type"], "text/html; charset=utf-8");
    assert!(answer.body.starts_with(b"<!DOCTYPE html>"));
}

#[tokio::test]
async fn a_replaced_answer_gives_no_token() {
    let world = World::new().await;
    inject(&world.pod, Fault::status(StatusCode::OK));

    post(&world.client()).await;

    assert_eq!(world.pod.requests()[0].username, None);
}

#[tokio::test]
async fn tokens_expire_on_the_way() {
    let world = World::new().await;
    let (session, _) = world.tokens().await;
    let client = world.client();
    let ask = async |token: &str| {
        let headers = [("sessionToken", token)];
        let request = client.request(Port::Api, Method::GET, "/pod/v2/sessioninfo", &headers, b"");
        client.send(Port::Api, request).await.status.as_u16()
    };
    let rule = Rule::new(Fault::ExpireTokens)
        .path("/pod/*")
        .skip(1)
        .times(1);
    world.pod.inject(rule).unwrap();

    assert_eq!(ask(&session).await, 200);
    assert_eq!(ask(&session).await, 401);
    let (session, _) = world.tokens().await;
    assert_eq!(ask(&session).await, 200);
}

#[tokio::test]
async fn beyond_its_rate_a_client_is_throttled() {
    let world = World::new().await;
    // So few that none is added in the time that this takes; the rate itself is tested with a clock.
    let per_second = NonZeroU32::new(2).unwrap();
    let throttle = world
        .pod
        .inject(Rule::new(Fault::Throttle { per_second }).path("/throttled"))
        .unwrap();
    let client = world.client();
    let mut connection = client.connect(Port::Web).await;

    let mut answers = Vec::new();
    for _ in 0..20 {
        let request = client.request(Port::Web, Method::GET, "/throttled", &[], b"");
        answers.push(connection.send(request).await);
    }

    assert_eq!(answers[0].status, StatusCode::NOT_FOUND);
    assert_eq!(answers[1].status, StatusCode::NOT_FOUND);
    let throttled: Vec<_> = answers
        .iter()
        .filter(|answer| answer.status == StatusCode::TOO_MANY_REQUESTS)
        .collect();
    assert!(!throttled.is_empty());
    assert_eq!(throttle.applied(), throttled.len() as u64);
    assert!(
        throttled
            .iter()
            .all(|answer| answer.headers["retry-after"] == "1")
    );
    // Elsewhere nobody is.
    post(&client).await.token();
}
