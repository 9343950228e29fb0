//! The workflow as a bot lives it, against the embedded pod, which shares nothing with this client.

use auth::{Client, Endpoint, Endpoints, Error, Identity, TrustAnchors};
use bytes::Bytes;
use http::Request;
use pki::Profile;
use pod::{CertificateType, HttpVersion, Pod, Port, Status, TlsVersion};
use rustls::AlertDescription;

use crate::lab::{Pair, as_version_1, identity, identity_of, issue, lab};

/// A pod that admits whom the lab's root and signing certificate signed, with the bot as a user.
pub(crate) async fn admitting() -> Pod {
    let pod = Pod::builder().start().await.unwrap();
    admit(&pod);
    pod
}

pub(crate) fn admit(pod: &Pod) {
    for authority in [&lab().root, &lab().signing] {
        pod.import_certificate(
            authority.certificate().to_pem(),
            CertificateType::UserSigning,
        )
        .unwrap();
    }
    pod.create_service_user("demo-bot1").unwrap();
}

fn client(pod: &Pod, identity: Identity) -> Client {
    let endpoints = Endpoints::new(pod.api_url(), pod.key_manager_url())
        .unwrap()
        .agent(pod.agent_url())
        .unwrap();
    Client::builder(endpoints, identity)
        .trust(TrustAnchors::pem(pod.trust_anchor_pem()).unwrap())
        .build()
        .unwrap()
}

pub(crate) fn session_info() -> Request<Bytes> {
    Request::get("/pod/v2/sessioninfo")
        .body(Bytes::new())
        .unwrap()
}

pub(crate) fn echo() -> Request<Bytes> {
    Request::post("/agent/v1/util/echo")
        .header("content-type", "application/json")
        .body(r#"{"message":"hello"}"#.into())
        .unwrap()
}

#[tokio::test]
async fn from_certificate_to_echo_to_logout_over_every_protocol() {
    for tls in [TlsVersion::Tls12, TlsVersion::Tls13] {
        for http in [HttpVersion::Http1, HttpVersion::Http2] {
            let pod = Pod::builder()
                .tls_versions([tls])
                .http_versions([http])
                .start()
                .await
                .unwrap();
            admit(&pod);
            let client = client(&pod, identity());

            let session = client.session().await.unwrap();
            let user = client
                .send(&session, Endpoint::Pod, session_info())
                .await
                .unwrap();
            let user: serde_json::Value = serde_json::from_slice(user.body()).unwrap();
            assert_eq!(user["username"], "demo-bot1");
            let reply = client
                .send(&session, Endpoint::Agent, echo())
                .await
                .unwrap();
            assert_eq!(reply.body(), r#"{"message":"hello"}"#);
            client.logout().await.unwrap();

            assert_eq!(pod.handshakes(Port::KeyManager).completed, 1);
            pod.shutdown().await;
        }
    }
}

#[tokio::test]
async fn a_version_1_certificate_is_admitted() {
    let pod = admitting().await;
    let pair = Pair {
        key: pki::PrivateKey::from_pem(lab().bot.key_pem(), None).unwrap(),
        certificate: as_version_1(&lab().bot.certificate, &lab().signing),
    };
    let client = client(&pod, identity_of(&pair, lab().signing.chain()));
    client.session().await.unwrap();
}

#[tokio::test]
async fn a_certificate_whose_issuer_was_not_imported_is_refused() {
    let pod = Pod::builder().start().await.unwrap();
    let error = client(&pod, identity()).session().await.unwrap_err();
    assert!(
        matches!(
            error,
            Error::ClientCertificateRefused {
                alert: AlertDescription::UnknownCA,
                ..
            }
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_revoked_or_disabled_issuer_refuses_the_certificate() {
    for (status, expected) in [
        (Status::Revoked, AlertDescription::CertificateRevoked),
        (Status::Disabled, AlertDescription::AccessDenied),
    ] {
        let pod = admitting().await;
        let signing = pod
            .certificates()
            .into_iter()
            .find(|imported| imported.subject == "CN=Test Signing")
            .unwrap();
        pod.set_status(signing.fingerprint, status).unwrap();
        let error = client(&pod, identity()).session().await.unwrap_err();
        assert!(
            matches!(&error, Error::ClientCertificateRefused { alert, .. } if *alert == expected),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn a_common_name_in_another_case_is_unauthorized() {
    let pod = admitting().await;
    let pair = issue(&lab().signing, "/CN=Demo-Bot1", &[], &Profile::client());
    let client = client(&pod, identity_of(&pair, lab().signing.chain()));
    let error = client.session().await.unwrap_err();
    assert!(
        matches!(
            &error,
            Error::Unauthorized {
                code: Some(401),
                ..
            }
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_user_without_certificate_authentication_is_forbidden() {
    let pod = admitting().await;
    pod.set_certificates_allowed("demo-bot1", false).unwrap();
    let error = client(&pod, identity()).session().await.unwrap_err();
    assert!(
        matches!(
            &error,
            Error::Forbidden { code: Some(403), message: Some(message), .. }
                if message.contains("not allowed for the requested user")
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn the_web_port_does_not_know_who_we_are() {
    let pod = admitting().await;
    let endpoints = Endpoints::new(pod.web_url(), pod.key_manager_url()).unwrap();
    let error = Client::builder(endpoints, identity())
        .trust(TrustAnchors::pem(pod.trust_anchor_pem()).unwrap())
        .build()
        .unwrap()
        .session()
        .await
        .unwrap_err();
    assert!(matches!(&error, Error::Unauthorized { .. }), "{error:?}");
}

#[tokio::test]
async fn a_session_ends_when_the_pod_says_so() {
    let pod = admitting().await;
    let client = client(&pod, identity());
    let session = client.session().await.unwrap();
    pod.expire_tokens();
    let error = client
        .send(&session, Endpoint::Agent, echo())
        .await
        .unwrap_err();
    assert!(
        matches!(&error, Error::Unauthorized { peer, .. } if peer.endpoint() == Endpoint::Agent),
        "{error:?}"
    );

    let session = client.renewed(&session).await.unwrap();
    client
        .send(&session, Endpoint::Agent, echo())
        .await
        .unwrap();
}
