//! Where faults strike, and how often.

use std::time::Duration;

use http::{Method, StatusCode};
use pod::{Error, Fault, Pod, Port, Rule};

use super::{AUTHENTICATE, inject, post};
use crate::support::{Client, World};

const SPOILT: StatusCode = StatusCode::IM_A_TEAPOT;

fn spoil() -> Rule {
    Rule::new(Fault::status(SPOILT))
}

async fn spoilt(pod: &Pod, port: Port, method: Method, path: &str) -> bool {
    let client = Client::new(pod);
    let request = client.request(port, method, path, &[], b"");
    client.send(port, request).await.status == SPOILT
}

/// Whether each of so many requests, one after the other, was spoilt.
async fn outcomes(pod: &Pod, count: usize) -> Vec<bool> {
    let client = Client::new(pod);
    let mut connection = client.connect(Port::Web).await;
    let mut outcomes = Vec::new();
    for _ in 0..count {
        let request = client.request(Port::Web, Method::GET, "/", &[], b"");
        outcomes.push(connection.send(request).await.status == SPOILT);
    }
    outcomes
}

#[tokio::test]
async fn a_rule_strikes_where_all_of_its_place_fits() {
    let world = World::new().await;
    let pod = &world.pod;
    let rule = "web POST /a*=status:418".parse().unwrap();
    pod.inject(rule).unwrap();

    assert!(spoilt(pod, Port::Web, Method::POST, "/a").await);
    assert!(spoilt(pod, Port::Web, Method::POST, "/a/b?c").await);
    assert!(!spoilt(pod, Port::Web, Method::POST, "/b/a").await);
    assert!(!spoilt(pod, Port::Web, Method::GET, "/a").await);
    let rule = pod.inject(spoil().port(Port::Api).path("/a")).unwrap();
    assert!(!spoilt(pod, Port::Web, Method::GET, "/a").await);
    let client = world.client();
    assert_eq!(client.post(Port::Api, "/a").await.status, SPOILT);
    assert_eq!(
        client.post(Port::Api, "/a/b").await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(rule.applied(), 1);
}

#[tokio::test]
async fn a_rule_spares_the_first_and_strikes_so_many_times() {
    let pod = Pod::builder().start().await.unwrap();
    let rule = pod.inject(spoil().skip(2).times(3)).unwrap();

    let expected = [false, false, true, true, true, false, false];
    assert_eq!(outcomes(&pod, 7).await, expected);
    assert_eq!(rule.applied(), 3);
}

#[tokio::test]
async fn a_removed_rule_strikes_no_more() {
    let pod = Pod::builder().start().await.unwrap();
    let first = pod.inject(spoil()).unwrap();
    assert_eq!(outcomes(&pod, 1).await, [true]);
    first.remove();
    assert_eq!(outcomes(&pod, 1).await, [false]);

    // The handle may go before its rule.
    drop(pod.inject(spoil()).unwrap());
    inject(&pod, Fault::Refuse);
    pod.clear_faults();
    assert_eq!(outcomes(&pod, 1).await, [false]);
}

#[tokio::test]
async fn chances_are_as_likely_as_said_and_the_same_for_the_same_seed() {
    let run = async |probability, seed| {
        let pod = Pod::builder().start().await.unwrap();
        pod.inject(spoil().probability(probability, seed)).unwrap();
        outcomes(&pod, 400).await
    };
    let first = run(0.25, 7).await;

    assert_eq!(first, run(0.25, 7).await);
    assert_ne!(first, run(0.25, 8).await);
    let count = first.iter().filter(|spoilt| **spoilt).count();
    assert!((70..130).contains(&count), "{count} of 400");
    assert!(run(1.0, 7).await.iter().all(|spoilt| *spoilt));
    assert!(!run(0.0, 7).await.contains(&true));
}

#[tokio::test]
async fn the_oldest_rule_that_fits_is_applied_at_each_moment() {
    let world = World::new().await;
    let pod = &world.pod;
    pod.inject(Rule::new(Fault::status(StatusCode::BAD_GATEWAY)).times(1))
        .unwrap();
    let teapot = pod.inject(spoil()).unwrap();
    let delay = inject(pod, Fault::Delay(Duration::from_millis(1)));
    let longer = inject(pod, Fault::Delay(Duration::from_secs(3600)));
    let padded = inject(pod, Fault::Oversize { octets: 1000 });

    let answer = post(&world.client()).await;
    assert_eq!(
        (answer.status, answer.body.len()),
        (StatusCode::BAD_GATEWAY, 1000)
    );
    let answer = post(&world.client()).await;
    assert_eq!((answer.status, answer.body.len()), (SPOILT, 1000));

    let applied = [&teapot, &delay, &longer, &padded].map(|rule| rule.applied());
    assert_eq!(applied, [1, 2, 0, 2]);
    assert_eq!(
        world.pod.requests()[1].faults,
        [
            Fault::status(SPOILT),
            Fault::Delay(Duration::from_millis(1)),
            Fault::Oversize { octets: 1000 }
        ]
    );
}

#[tokio::test]
async fn a_rule_that_could_never_strike_is_refused() {
    let pod = Pod::builder().start().await.unwrap();
    for rule in [
        Rule::new(Fault::Refuse).times(1),
        Rule::new(Fault::PlainText).path(AUTHENTICATE),
        Rule::new(Fault::Endless).probability(f64::NAN, 0),
        Rule::new(Fault::RefuseClient(rustls::AlertDescription::CloseNotify)),
        Rule::new(Fault::status(StatusCode::CONTINUE)),
    ] {
        assert!(matches!(
            pod.inject(rule),
            Err(Error::FaultContradiction { .. })
        ));
    }
}

#[tokio::test]
async fn connections_are_counted_while_they_are_open() {
    let world = World::new().await;
    let client = world.client();
    assert_eq!(world.pod.open_connections(Port::Api), 0);

    let first = client.handshake(Port::Api).await.unwrap();
    let second = client.handshake(Port::Api).await.unwrap();
    assert_eq!(world.pod.open_connections(Port::Api), 2);
    assert_eq!(world.pod.open_connections(Port::Web), 0);

    drop((first, second));
    super::assert_all_closed(&world.pod).await;
    assert_eq!(world.pod.open_connections(Port::Api), 0);
}
