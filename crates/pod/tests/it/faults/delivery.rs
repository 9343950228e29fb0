//! On the way of an answer.

use std::{
    io,
    time::{Duration, Instant},
};

use http_body_util::BodyExt;
use pod::{End, Fault, Port, Rule};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};

use super::{AUTHENTICATE, BOTH_TLS, assert_all_closed, authenticate, inject, post, try_post};
use crate::support::{Client, World};

/// The length of a session token's answer, for the name that the bot has.
const BODY: usize = 255;

/// Sends a request over HTTP/1.1 and returns all octets of the answer, and how it ended.
async fn octets(client: &Client) -> (Vec<u8>, io::Result<()>) {
    let mut stream = client.handshake(Port::Api).await.unwrap();
    let request = format!("POST {AUTHENTICATE} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.flush().await.unwrap();
    let mut answer = Vec::new();
    let ended = stream.read_to_end(&mut answer).await;
    (answer, ended.map(|_| ()))
}

#[tokio::test]
async fn an_answer_is_reset_or_closed_after_so_many_octets() {
    let world = World::new().await;
    for tls in BOTH_TLS {
        for after in [0, 1, 20, 150] {
            for (end, expected) in [
                (End::Reset, io::ErrorKind::ConnectionReset),
                (End::Close, io::ErrorKind::UnexpectedEof),
            ] {
                let rule = inject(&world.pod, Fault::CutAnswer { end, after });
                let (answer, ended) = octets(&world.client().tls(tls)).await;
                let ended = ended.unwrap_err().kind();
                assert_eq!((answer.len() as u64, ended), (after, expected), "{end:?}");
                rule.remove();
            }
        }
    }
    assert_eq!(world.pod.requests().len(), 16);
    assert_all_closed(&world.pod).await;
}

#[tokio::test]
async fn a_cut_ends_http_2_as_well() {
    let world = World::new().await;
    for end in [End::Reset, End::Close] {
        for after in [0, 10, 100] {
            let rule = inject(&world.pod, Fault::CutAnswer { end, after });
            try_post(&world.client().http2(true)).await.unwrap_err();
            rule.remove();
        }
    }
    assert_all_closed(&world.pod).await;
}

#[tokio::test]
async fn a_cut_beyond_the_answer_strikes_the_next() {
    let world = World::new().await;
    let rule = Rule::new(Fault::reset_after(400)).times(1);
    world.pod.inject(rule).unwrap();
    let client = world.client();
    let mut connection = client.connect(Port::Api).await;

    connection.send(authenticate(&client)).await.token();
    connection
        .try_send(authenticate(&client))
        .await
        .unwrap_err();
}

#[tokio::test]
async fn silence_comes_after_so_many_octets_and_lasts() {
    let world = World::new().await;
    inject(
        &world.pod,
        Fault::CutAnswer {
            end: End::Silence,
            after: 30,
        },
    );
    for http2 in [false, true] {
        let client = world.client().http2(http2);
        let answer = timeout(Duration::from_millis(100), try_post(&client)).await;
        assert!(answer.is_err(), "it should take for ever");
    }
    assert_all_closed(&world.pod).await;
}

#[tokio::test]
async fn without_an_answer_http_1_closes_and_http_2_resets_the_stream() {
    let world = World::new().await;
    let rule = inject(&world.pod, Fault::NoAnswer);

    let (answer, ended) = octets(&world.client()).await;
    assert!(answer.is_empty());
    ended.unwrap();

    let client = world.client().http2(true);
    let mut connection = client.connect(Port::Api).await;
    connection
        .try_send(authenticate(&client))
        .await
        .unwrap_err();
    rule.remove();
    // Only the stream.
    connection.send(authenticate(&client)).await.token();
    assert_eq!(world.pod.requests().len(), 3);
}

#[tokio::test]
async fn a_delay_is_waited_for_after_the_request_was_dealt_with() {
    let world = World::new().await;
    let time = Duration::from_millis(80);
    inject(&world.pod, Fault::Delay(time));
    let client = world.client();
    let mut connection = client.connect(Port::Api).await;

    let start = Instant::now();
    connection.send(authenticate(&client)).await.token();
    assert!(start.elapsed() >= time);
    assert_eq!(world.pod.requests()[0].faults, [Fault::Delay(time)]);
}

#[tokio::test]
async fn a_client_that_does_not_wait_leaves_nothing_behind() {
    let world = World::new().await;
    inject(&world.pod, Fault::Delay(Duration::from_secs(3600)));
    for http2 in [false, true] {
        let client = world.client().http2(http2);
        let answer = timeout(Duration::from_millis(100), try_post(&client)).await;
        assert!(answer.is_err());
    }
    // Recorded all the same.
    assert_eq!(world.pod.requests().len(), 2);
    assert_all_closed(&world.pod).await;
}

#[tokio::test]
async fn a_token_is_missing() {
    let world = World::new().await;
    inject(&world.pod, Fault::WithoutToken);

    let answer = post(&world.client()).await;

    assert_eq!(answer.json(), serde_json::json!({"name": "sessionToken"}));
}

#[tokio::test]
async fn a_truncated_body_is_shorter_than_announced() {
    let world = World::new().await;
    for (after, expected) in [(0, 0), (10, 10), (1_000_000, BODY - 1)] {
        let rule = inject(&world.pod, Fault::Truncate { after });

        let (answer, ended) = octets(&world.client()).await;
        // In good order, as far as TLS is concerned.
        ended.unwrap();
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(
            head.contains(&format!("content-length: {BODY}\r\n")),
            "{head}"
        );
        assert_eq!(body.len(), expected);

        for http2 in [false, true] {
            try_post(&world.client().http2(http2)).await.unwrap_err();
        }
        rule.remove();
    }
}

#[tokio::test]
async fn a_trickling_body_comes_octet_by_octet() {
    let world = World::new().await;
    let pause = Duration::from_millis(1);
    inject(&world.pod, Fault::Trickle { pause });
    for http2 in [false, true] {
        let client = world.client().http2(http2);
        let mut connection = client.connect(Port::Api).await;
        let start = Instant::now();
        let response = connection.head(authenticate(&client)).await.unwrap();
        let body = response.into_body().collect().await.unwrap().to_bytes();

        assert_eq!(body.len(), BODY);
        assert!(start.elapsed() >= BODY as u32 * pause);
        serde_json::from_slice::<serde_json::Value>(&body).unwrap();
    }
}

#[tokio::test]
async fn an_oversized_body_is_announced_and_sent() {
    let world = World::new().await;
    inject(&world.pod, Fault::Oversize { octets: 1_000_000 });
    for http2 in [false, true] {
        let answer = post(&world.client().http2(http2)).await;
        assert_eq!(answer.headers["content-length"], "1000000");
        assert_eq!(answer.body.len(), 1_000_000);
        // Whoever reads all of it finds nothing wrong.
        assert_eq!(answer.token().split('.').count(), 3);
    }
}

#[tokio::test]
async fn an_endless_body_announces_no_end() {
    let world = World::new().await;
    inject(&world.pod, Fault::Endless);
    for http2 in [false, true] {
        let client = world.client().http2(http2);
        let mut connection = client.connect(Port::Api).await;
        let response = connection.head(authenticate(&client)).await.unwrap();
        assert!(!response.headers().contains_key("content-length"));
        if !http2 {
            assert_eq!(response.headers()["transfer-encoding"], "chunked");
        }
        let mut body = response.into_body();
        let mut octets = 0;
        while octets < 2_000_000 {
            octets += body
                .frame()
                .await
                .unwrap()
                .unwrap()
                .into_data()
                .unwrap()
                .len();
        }
    }
    assert_all_closed(&world.pod).await;
}

#[tokio::test]
async fn a_hang_up_comes_after_the_answer_and_unannounced_in_http_1() {
    let world = World::new().await;
    for tls in BOTH_TLS {
        for http2 in [false, true] {
            let rule = Rule::new(Fault::HangUp).times(1);
            world.pod.inject(rule).unwrap();
            let client = world.client().tls(tls).http2(http2);
            let mut connection = client.connect(Port::Api).await;

            let answer = connection.send(authenticate(&client)).await;

            answer.token();
            assert!(!answer.headers.contains_key("connection"));
            timeout(super::PATIENCE, connection.until_closed())
                .await
                .unwrap();
        }
    }
    assert_all_closed(&world.pod).await;
}
