//! Many calls while everything goes wrong now and then: all succeed, memory stays flat, no token is logged.
#![allow(missing_docs)] // a test binary
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)] // a failed expectation is a failed test, and the figures are worth reading

#[allow(dead_code)] // shared with the other test binary
#[path = "../it/lab.rs"]
mod lab;
#[allow(dead_code)] // shared with the other test binary
#[path = "../it/server.rs"]
mod server;

use std::{
    collections::HashSet,
    fmt::{Debug, Write},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use auth::{Client, Endpoint, Endpoints, Error, Idempotent, RetryPolicy, TrustAnchors};
use http::{Request, StatusCode};
use pki::Profile;
use pod::{Answer, CertificateType, End, Fault, Pod, Port, Rule};
use tokio::{task::JoinSet, time::sleep};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

use crate::lab::{identity, identity_of, issue, lab};

const WORKERS: usize = 32;

#[test]
#[ignore = "takes a minute, or COUNTERSIGN_SOAK_SECONDS; COUNTERSIGN_SOAK_SEED chooses the faults"]
fn a_bot_lives_through_everything_that_passes() {
    let number =
        |name, default| std::env::var(name).map_or(default, |text| text.parse().expect("a number"));
    let time = Duration::from_secs(number("COUNTERSIGN_SOAK_SECONDS", 60));
    let seed = number("COUNTERSIGN_SOAK_SEED", 1);
    let log = Log::default();
    tracing::subscriber::set_global_default(log.clone()).unwrap();
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
        .block_on(soak(time, seed, &log));
}

async fn soak(time: Duration, seed: u64, log: &Log) {
    let pod = Pod::builder().start().await.unwrap();
    for authority in [&lab().root, &lab().signing] {
        let pem = authority.certificate().to_pem();
        pod.import_certificate(pem, CertificateType::UserSigning)
            .unwrap();
    }
    pod.create_service_user("demo-bot1").unwrap();
    let tasks = || {
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks()
    };
    let tasks_before = tasks();

    let endpoints = Endpoints::new(pod.api_url(), pod.key_manager_url())
        .unwrap()
        .agent(pod.agent_url())
        .unwrap();
    let policy = RetryPolicy::default()
        .first_pause(Duration::from_millis(2))
        .longest_pause(Duration::from_millis(50))
        .deadline(Duration::from_secs(20));
    let client = Client::builder(endpoints, identity())
        .trust(TrustAnchors::pem(pod.trust_anchor_pem()).unwrap())
        .retry(policy)
        .renew_after(Duration::from_secs(7))
        .build()
        .unwrap();
    let rules = inject(&pod, seed);

    let started = Instant::now();
    let [calls, expiries, unlucky] = [(); 3].map(|()| Arc::new(AtomicU64::new(0)));
    let mut workers = JoinSet::new();
    for worker in 0..WORKERS {
        let (client, calls) = (client.clone(), Arc::clone(&calls));
        let (expiries, unlucky) = (Arc::clone(&expiries), Arc::clone(&unlucky));
        workers.spawn(async move {
            while started.elapsed() < time {
                let number = calls.fetch_add(1, Ordering::Relaxed);
                let (endpoint, request) = if worker % 4 == 0 {
                    (
                        Endpoint::Pod,
                        Request::get("/pod/v2/sessioninfo").body(bytes::Bytes::new()),
                    )
                } else {
                    let body = format!(r#"{{"message":"{number}"}}"#);
                    (
                        Endpoint::Agent,
                        Request::post("/agent/v1/util/echo").body(body.into()),
                    )
                };
                let mut request = request.unwrap();
                request.extensions_mut().insert(Idempotent);
                let before = expiries.load(Ordering::SeqCst);
                let reply = match client.call(endpoint, request).await {
                    // Fresh tokens ended too, before they were used. A call is repeated once.
                    Err(Error::Unauthorized { .. }) if expiries.load(Ordering::SeqCst) > before => {
                        unlucky.fetch_add(1, Ordering::Relaxed);
                        continue;
                    }
                    reply => reply.unwrap_or_else(|error| panic!("call {number}: {error:?}")),
                };
                if endpoint == Endpoint::Agent {
                    assert_eq!(
                        reply.body(),
                        format!(r#"{{"message":"{number}"}}"#).as_bytes()
                    );
                }
            }
        });
    }

    // What happens meanwhile: tokens end, the identity changes, the log is searched, memory is measured.
    let (mut tokens, mut rotations, mut measured) = (HashSet::new(), 0, Vec::new());
    let mut ticks = 0_u64;
    while started.elapsed() < time {
        sleep(Duration::from_millis(250)).await;
        ticks += 1;
        let session = client.session().await.unwrap();
        for token in [Some(session.session_token()), session.key_manager_token()]
            .into_iter()
            .flatten()
        {
            tokens.insert(token.expose().to_owned());
        }
        log.search(&tokens);
        if ticks.is_multiple_of(4) {
            expiries.fetch_add(1, Ordering::SeqCst);
            pod.expire_tokens();
        }
        if ticks.is_multiple_of(5) {
            let pair = issue(&lab().signing, "/CN=demo-bot1", &[], &Profile::client());
            let identity = identity_of(&pair, lab().signing.chain());
            // One attempt, which a fault may hit: then all stays as it was.
            rotations += u32::from(client.replace_identity(&identity).await.is_ok());
        }
        // The pod keeps its last 10,000 requests: until then it grows.
        if started.elapsed() > time / 3 && ticks.is_multiple_of(4) {
            measured.extend(resident_kib());
        }
    }
    while let Some(worker) = workers.join_next().await {
        worker.unwrap();
    }
    log.search(&tokens);

    let struck: u64 = rules.iter().map(pod::Injected::applied).sum();
    let [calls, expiries, unlucky] = [calls, expiries, unlucky].map(|it| it.load(Ordering::SeqCst));
    println!(
        "{calls} calls in {:?}, {struck} faults, {expiries} ends of all tokens ({unlucky} calls met two), {} tokens seen, {rotations} identities, \
         {} MiB of log, KiB resident: {measured:?}",
        started.elapsed(),
        tokens.len(),
        log.octets() >> 20,
    );
    assert!(struck > calls / 100, "the faults were there");
    assert!(rotations > 0 && tokens.len() > 2);
    assert!(unlucky <= 1 + expiries / 50, "{unlucky} calls got 401");
    // The highest of the first half and of the second: what is under way comes and goes.
    let (early, late) = measured.split_at(measured.len() / 2);
    if let (Some(early), Some(late)) = (early.iter().max(), late.iter().max()) {
        assert!(
            *late < early + early / 5,
            "memory grew from {early} to {late} KiB"
        );
    }

    drop((client, rules));
    pod.clear_faults();
    let left = tokio::time::timeout(Duration::from_secs(20), async {
        pod.all_closed().await;
        while tasks() > tasks_before {
            sleep(Duration::from_millis(10)).await;
        }
    });
    left.await.expect("a connection or a task stayed behind");
    pod.shutdown().await;
}

/// Each strikes now and then, by its own dice.
fn inject(pod: &Pod, seed: u64) -> Vec<pod::Injected> {
    let answer = |code: u16| Answer::new(StatusCode::from_u16(code).unwrap());
    let faults = [
        (0.01, Fault::Answer(answer(500))),
        (0.005, Fault::Answer(answer(502).html())),
        (
            0.005,
            Fault::Answer(answer(503).retry_after(Duration::ZERO)),
        ),
        (0.01, Fault::Answer(answer(429).retry_after(Duration::ZERO))),
        (
            0.005,
            Fault::Answer(answer(400).retry_after(Duration::ZERO)),
        ),
        (0.01, Fault::Delay(Duration::from_millis(20))),
        (0.003, Fault::NoAnswer),
        (0.002, Fault::reset_after(0)),
        (0.002, Fault::reset_after(40)),
        (
            0.002,
            Fault::CutAnswer {
                end: End::Close,
                after: 20,
            },
        ),
        (0.002, Fault::Truncate { after: 2 }),
        (0.005, Fault::HangUp),
        (
            0.05,
            Fault::CutHandshake {
                end: End::Reset,
                after: 0,
            },
        ),
        (
            0.05,
            Fault::CutHandshake {
                end: End::Close,
                after: 50,
            },
        ),
    ];
    let mut rules = Vec::new();
    for (index, (probability, fault)) in (0..).zip(faults) {
        for port in [Port::Api, Port::KeyManager] {
            let rule = Rule::new(fault.clone())
                .port(port)
                .probability(probability, seed ^ index);
            rules.push(pod.inject(rule).unwrap());
        }
    }
    rules
}

/// Linux only; elsewhere memory isn't measured.
fn resident_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Everything that is said at any level, searched and then forgotten.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Pages>>);

#[derive(Default)]
struct Pages {
    /// Searched once; a token that wasn't known then is found the second time.
    old: String,
    new: String,
    octets: usize,
}

impl Log {
    fn search(&self, tokens: &HashSet<String>) {
        let mut pages = self.0.lock().unwrap();
        let Pages { old, new, octets } = &mut *pages;
        *octets += new.len();
        for token in tokens {
            assert!(!old.contains(token), "a token was logged");
        }
        // Their room is used again, so that memory shows what grows besides.
        std::mem::swap(old, new);
        new.clear();
    }

    fn octets(&self) -> usize {
        self.0.lock().unwrap().octets
    }
}

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
        attributes.record(&mut Fields(&mut self.0.lock().unwrap().new));
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, values: &span::Record<'_>) {
        values.record(&mut Fields(&mut self.0.lock().unwrap().new));
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let text = &mut self.0.lock().unwrap().new;
        let _ = write!(text, "\n{}", event.metadata().target());
        event.record(&mut Fields(text));
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}
