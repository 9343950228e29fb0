//! Another identity while the client runs.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use auth::{Endpoint, Error, IdentityFile};
use pki::{Passphrase, Pkcs12, Profile};
use pod::{Fault, Port, Rule};
use tracing::Level;

use crate::{
    lab::{Pair, identity_of, issue, lab},
    life::builder,
    log::listen,
    workflow::{admitting, echo, session_info},
};

const PASSPHRASE: &str = "changeit";

fn another_pair(subject: &str) -> Pair {
    issue(&lab().signing, subject, &[], &Profile::client())
}

fn bundle(pair: &Pair) -> Vec<u8> {
    Pkcs12::builder(&pair.key, &pair.certificate)
        .unwrap()
        .chain(lab().signing.chain())
        .iterations(1000)
        .to_der(&Passphrase::from(PASSPHRASE))
        .unwrap()
}

/// A file of its own, gone with the test.
struct File(PathBuf);

impl File {
    fn new(name: &str, content: &[u8]) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("{name}-{}.p12", std::process::id()));
        let file = Self(path);
        file.replace(content);
        file
    }

    /// By renaming, as is done with secrets.
    fn replace(&self, content: &[u8]) {
        let other = self.0.with_extension("new");
        std::fs::write(&other, content).unwrap();
        std::fs::rename(other, &self.0).unwrap();
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[tokio::test]
async fn another_identity_is_used_over_new_connections_from_then_on() {
    let pod = admitting().await;
    pod.create_service_user("demo-bot2").unwrap();
    let client = builder(&pod).build().unwrap();
    client.call(Endpoint::Agent, echo()).await.unwrap();

    let pair = another_pair("/CN=demo-bot2");
    let identity = identity_of(&pair, lab().signing.chain());
    client.replace_identity(&identity).await.unwrap();

    let reply = client.call(Endpoint::Pod, session_info()).await.unwrap();
    let user: serde_json::Value = serde_json::from_slice(reply.body()).unwrap();
    assert_eq!(user["username"], "demo-bot2");
    assert_eq!(pod.handshakes(Port::KeyManager).completed, 2);
}

#[tokio::test]
async fn a_request_in_flight_ends_as_it_began() {
    let pod = admitting().await;
    let client = builder(&pod).build().unwrap();
    client.session().await.unwrap();
    let path = "/agent/v1/util/echo";
    let slow = Rule::new(Fault::Delay(Duration::from_millis(400)))
        .path(path)
        .times(1);
    let slow = pod.inject(slow).unwrap();
    let under_way = tokio::spawn({
        let client = client.clone();
        async move { client.call(Endpoint::Agent, echo()).await }
    });
    while slow.applied() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let identity = identity_of(&another_pair("/CN=demo-bot1"), lab().signing.chain());
    client.replace_identity(&identity).await.unwrap();
    assert!(!under_way.is_finished());
    under_way.await.unwrap().unwrap();
    assert_eq!(pod.requests_to(path), 1);
    // The old connections are gone with it.
    tokio::time::timeout(Duration::from_secs(5), async {
        while pod.open_connections(Port::KeyManager) > 1 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn an_identity_that_can_not_authenticate_changes_nothing() {
    let pod = admitting().await;
    let client = builder(&pod).build().unwrap();
    client.call(Endpoint::Agent, echo()).await.unwrap();
    let identity = identity_of(&another_pair("/CN=nobody"), lab().signing.chain());
    let error = client.replace_identity(&identity).await.unwrap_err();
    assert!(matches!(error, Error::Unauthorized { .. }), "{error:?}");
    pod.expire_tokens();
    client.call(Endpoint::Agent, echo()).await.unwrap();
}

#[tokio::test]
async fn a_file_that_changes_is_followed_and_a_broken_one_reported_once() {
    let pod = admitting().await;
    pod.create_service_user("demo-bot2").unwrap();
    let file = File::new("followed", &bundle(&lab().bot));
    let mut identity_file = IdentityFile::new(&file.0, Passphrase::from(PASSPHRASE));
    identity_file.load().unwrap();
    let client = builder(&pod).build().unwrap();
    client.session().await.unwrap();

    // Each look at the file that is followed by no report.
    let (log, _guard) = listen(Level::TRACE);
    let looks = || {
        let of_file = |target: &&str| target.ends_with("::identity_file");
        log.targets().iter().filter(|it| of_file(it)).count()
    };
    // A look that was under way may have begun before.
    let looked_again = || async {
        let enough = looks() + 2;
        tokio::time::timeout(Duration::from_secs(20), async {
            while looks() < enough {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await
        .unwrap();
    };

    let reports = Arc::new(Mutex::new(Vec::new()));
    let follower = tokio::spawn({
        let (client, reports) = (client.clone(), Arc::clone(&reports));
        async move {
            let note = |outcome| reports.lock().unwrap().push(outcome);
            identity_file
                .follow(&client, Duration::from_millis(10), note)
                .await
        }
    });
    let reported = |count: usize| {
        let (reports, looked_again) = (Arc::clone(&reports), &looked_again);
        async move {
            tokio::time::timeout(Duration::from_secs(20), async {
                while reports.lock().unwrap().len() < count {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            })
            .await
            .unwrap();
            looked_again().await;
            let reports = reports.lock().unwrap();
            assert_eq!(reports.len(), count, "{reports:?}");
            reports.last().cloned().unwrap()
        }
    };
    let username = || async {
        let reply = client.call(Endpoint::Pod, session_info()).await.unwrap();
        let user: serde_json::Value = serde_json::from_slice(reply.body()).unwrap();
        user["username"].as_str().unwrap().to_owned()
    };

    // Half of a file, as a copy in progress leaves it.
    let next = bundle(&another_pair("/CN=demo-bot2"));
    file.replace(&next[..next.len() / 2]);
    let outcome = reported(1).await;
    assert!(matches!(outcome, Err(Error::Identity(_))), "{outcome:?}");
    assert_eq!(username().await, "demo-bot1");

    file.replace(&next);
    assert_eq!(reported(2).await, Ok(()));
    assert_eq!(username().await, "demo-bot2");

    std::fs::remove_file(&file.0).unwrap();
    let outcome = reported(3).await;
    assert!(
        matches!(&outcome, Err(Error::File { path, kind: std::io::ErrorKind::NotFound, .. }) if *path == file.0),
        "{outcome:?}"
    );
    assert_eq!(username().await, "demo-bot2");
    // The same content again is no change; one that the Pod doesn't know yet is tried until it does.
    file.replace(&next);
    looked_again().await;
    file.replace(&bundle(&another_pair("/CN=demo-bot3")));
    let outcome = reported(4).await;
    assert!(
        matches!(outcome, Err(Error::Unauthorized { .. })),
        "{outcome:?}"
    );
    pod.create_service_user("demo-bot3").unwrap();
    assert_eq!(reported(5).await, Ok(()));
    assert_eq!(username().await, "demo-bot3");
    follower.abort();
}

#[test]
fn a_file_of_pem_needs_no_passphrase() {
    let pair = another_pair("/CN=demo-bot1");
    let pem = pair.certificate.to_pem() + &pair.key_pem();
    let file = File::new("pem", pem.as_bytes());
    let identity = IdentityFile::new(&file.0, None).load().unwrap();
    assert_eq!(*identity.leaf(), pair.certificate);
}

#[test]
fn a_file_that_is_too_large_is_not_read() {
    let file = File::new("large", &vec![0; (1 << 20) + 1]);
    let error = IdentityFile::new(&file.0, Passphrase::from(PASSPHRASE))
        .load()
        .unwrap_err();
    assert!(
        matches!(
            error,
            Error::File {
                kind: std::io::ErrorKind::FileTooLarge,
                ..
            }
        ),
        "{error:?}"
    );
}
