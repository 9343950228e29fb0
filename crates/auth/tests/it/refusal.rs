//! Certificates that are not accepted: the server's by us, ours by the server.

use auth::{Client, Endpoint, Endpoints, Error, TrustAnchors, doctor::Kind};
use pki::{CertificateAuthority, Profile, SubjectAltName, Validity};
use rustls::{
    AlertDescription, CertificateError, OtherError,
    version::{TLS12, TLS13},
};
use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use crate::{
    lab::{
        PROTOCOLS, Pair, as_version_1, authenticate_at, client, failure_at, identity, identity_of,
        issue, key, key_manager_answer, lab, name, pod_answer, trust,
    },
    server::{Server, Setup},
};

#[tokio::test]
async fn a_refused_client_certificate_is_told_by_its_alert() {
    for (why, alert) in [
        (CertificateError::UnknownIssuer, AlertDescription::UnknownCA),
        (
            CertificateError::Expired,
            AlertDescription::CertificateExpired,
        ),
        (
            CertificateError::Revoked,
            AlertDescription::CertificateRevoked,
        ),
        (
            CertificateError::ApplicationVerificationFailure,
            AlertDescription::AccessDenied,
        ),
        (
            CertificateError::BadSignature,
            AlertDescription::DecryptError,
        ),
        (
            CertificateError::Other(OtherError(Arc::new(std::fmt::Error))),
            AlertDescription::CertificateUnknown,
        ),
    ] {
        for (tls, http) in PROTOCOLS {
            let setup = Setup::new(pod_answer)
                .over(tls, http)
                .refuses_clients(why.clone());
            let (error, authority) = failure_at(setup).await;
            let Error::ClientCertificateRefused {
                peer, alert: found, ..
            } = &error
            else {
                panic!("{tls:?} {http}: {error:?}");
            };
            assert_eq!(*found, alert, "{tls:?} {http}");
            assert_eq!(
                (peer.endpoint(), peer.authority()),
                (Endpoint::Pod, authority.as_str())
            );
        }
    }
}

/// The server's kernel answers what the client still sends with a reset, while the alert lies in its receive buffer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_alert_is_found_even_if_the_server_closes_at_once() {
    for (tls, http) in PROTOCOLS {
        let setup = Setup::new(pod_answer)
            .over(tls, http)
            .refuses_clients(CertificateError::UnknownIssuer)
            .closes_at_once();
        let pod = Server::start(setup).await;
        let key_manager = Server::start(Setup::new(key_manager_answer)).await;
        for attempt in 0..25 {
            let client = client(&pod, &key_manager).build().unwrap();
            let error = client.session().await.unwrap_err();
            assert!(
                matches!(
                    error,
                    Error::ClientCertificateRefused {
                        alert: AlertDescription::UnknownCA,
                        ..
                    }
                ),
                "{tls:?} {http}, attempt {attempt}: {error:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_refused_certificate_gets_the_next_step() {
    let setup = Setup::new(pod_answer).refuses_clients(CertificateError::UnknownIssuer);
    let (error, authority) = failure_at(setup).await;
    assert_eq!(
        error.to_string(),
        format!("Pod at {authority} refused the client certificate: alert unknown_ca")
    );
    assert_eq!(
        Kind::of(&error).map(Kind::id),
        Some("client-issuer-unknown")
    );
}

#[tokio::test]
async fn a_server_without_a_known_root_is_not_trusted() {
    let stranger =
        CertificateAuthority::create_root(name("/CN=Stranger"), key(), &Profile::root()).unwrap();
    for (tls, http) in PROTOCOLS {
        let pod = Server::start(Setup::new(pod_answer).over(tls, http)).await;
        let error = Client::builder(Endpoints::new(pod.url(), pod.url()).unwrap(), identity())
            .trust(TrustAnchors::pem(stranger.certificate().to_pem()).unwrap())
            .build()
            .unwrap()
            .session()
            .await
            .unwrap_err();
        assert!(
            matches!(
                error,
                Error::ServerNotTrusted {
                    reason: CertificateError::UnknownIssuer,
                    ..
                }
            ),
            "{tls:?} {http}: {error:?}"
        );
        assert!(pod.seen().is_empty(), "nothing may be sent to it");
    }
}

/// A certificate is public: whoever shows it must have its key.
#[tokio::test]
async fn a_server_that_shows_the_certificate_of_another_one_is_not_trusted() {
    for (tls, http) in PROTOCOLS {
        let stolen = Pair {
            key: key(),
            certificate: lab().server.certificate.clone(),
        };
        let setup = Setup::new(pod_answer)
            .over(tls, http)
            .certificate(Arc::new(stolen));
        let (error, _) = failure_at(setup).await;
        assert!(
            matches!(
                error,
                Error::ServerNotTrusted {
                    reason: CertificateError::BadSignature,
                    ..
                }
            ),
            "{tls:?} {http}: {error:?}"
        );
    }
}

#[tokio::test]
async fn a_certificate_for_another_host_is_not_trusted() {
    let (error, _) =
        failure_at(Setup::new(pod_answer).certificate(Arc::clone(&lab().other_server))).await;
    assert!(
        matches!(
            &error,
            Error::ServerNotTrusted { reason: CertificateError::NotValidForNameContext { presented, .. }, .. }
                if presented.iter().any(|name| name.contains("other.test"))
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn an_expired_server_certificate_is_not_trusted() {
    let day = Duration::from_secs(24 * 60 * 60);
    let start = SystemTime::now() - 3 * day;
    let during = |days| Validity {
        not_before: start,
        not_after: start + days * day,
    };
    let profile = Profile::root().validity(during(300));
    let root = CertificateAuthority::create_root(name("/CN=Old Root"), key(), &profile).unwrap();
    let address = [SubjectAltName::Ip("127.0.0.1".parse().unwrap())];
    let profile = Profile::server().validity(during(1));
    let expired = issue(&root, "/CN=old", &address, &profile);

    let pod = Server::start(Setup::new(pod_answer).certificate(Arc::new(expired))).await;
    let key_manager = Server::start(Setup::new(key_manager_answer)).await;
    let error = client(&pod, &key_manager)
        .trust(trust().and_pem(root.certificate().to_pem()).unwrap())
        .build()
        .unwrap()
        .session()
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            Error::ServerNotTrusted {
                reason: CertificateError::ExpiredContext { .. },
                ..
            }
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_version_1_certificate_is_presented_and_its_key_proved() {
    let leaf = as_version_1(&lab().bot.certificate, &lab().signing);
    assert_eq!(leaf.version(), pki::Version::V1);
    leaf.verify_issued_by(lab().signing.certificate()).unwrap();

    for (tls, http) in PROTOCOLS {
        let pod = Server::start(Setup::new(pod_answer).over(tls, http)).await;
        let key_manager = Server::start(Setup::new(key_manager_answer)).await;
        let identity = auth::Identity::from_pem(leaf.to_pem(), lab().bot.key_pem(), None).unwrap();
        let endpoints = Endpoints::new(pod.url(), key_manager.url()).unwrap();
        let client = Client::builder(endpoints, identity)
            .trust(trust())
            .build()
            .unwrap();

        client.session().await.unwrap();

        let presented = &pod.seen()[0].certificates;
        assert_eq!(presented.len(), 1);
        assert_eq!(*presented[0], *leaf.as_der());
    }
}

#[tokio::test]
async fn a_self_signed_leaf_is_presented() {
    let root = &lab().root;
    let pair = Pair {
        key: pki::PrivateKey::from_pem(root.private_key().to_pem().unwrap().as_bytes(), None)
            .unwrap(),
        certificate: root.certificate().clone(),
    };
    let pod = Server::start(Setup::new(pod_answer)).await;
    let key_manager = Server::start(Setup::new(key_manager_answer)).await;
    let endpoints = Endpoints::new(pod.url(), key_manager.url()).unwrap();
    let client = Client::builder(endpoints, identity_of(&pair, &[]))
        .trust(trust())
        .build()
        .unwrap();

    client.session().await.unwrap();

    let presented = &pod.seen()[0].certificates;
    assert_eq!(presented.len(), 1);
    assert_eq!(*presented[0], *root.certificate().as_der());
}

#[tokio::test]
async fn a_server_that_asks_for_no_certificate_is_called_without() {
    let (result, pod) =
        authenticate_at(Setup::new(pod_answer).without_client_authentication()).await;
    result.unwrap();
    assert!(pod.seen()[0].certificates.is_empty());
}

#[tokio::test]
async fn no_common_tls_version_is_a_failure_of_tls() {
    for (server, offered) in [(&TLS12, &TLS13), (&TLS13, &TLS12)] {
        let pod = Server::start(Setup::new(pod_answer).over(server, "h2")).await;
        let key_manager = Server::start(Setup::new(key_manager_answer)).await;
        let error = client(&pod, &key_manager)
            .tls_versions(&[offered])
            .build()
            .unwrap()
            .session()
            .await
            .unwrap_err();
        assert!(
            matches!(
                error,
                Error::TlsFailed {
                    reason: rustls::Error::AlertReceived(AlertDescription::ProtocolVersion),
                    ..
                }
            ),
            "{error:?}"
        );
    }
}
