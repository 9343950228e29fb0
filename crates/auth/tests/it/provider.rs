//! Any provider will do, and the features add some.

use std::sync::Arc;

use auth::{Client, Endpoints, Error, Identity, provider};
use pki::{CertificateRequest, KeyKind, PrivateKey, Profile};
use rustls::crypto::CryptoProvider;

use crate::{
    lab::{PROTOCOLS, client, key_manager_answer, lab, pod_answer},
    server::{Server, Setup},
};

async fn authenticates(provider: Arc<CryptoProvider>) {
    for (tls, http) in PROTOCOLS {
        let pod = Server::start(Setup::new(pod_answer).over(tls, http)).await;
        let key_manager = Server::start(Setup::new(key_manager_answer).over(tls, http)).await;
        client(&pod, &key_manager)
            .provider(Arc::clone(&provider))
            .build()
            .unwrap()
            .session()
            .await
            .unwrap();
        assert_eq!(pod.seen()[0].certificates.len(), 2);
    }
}

#[tokio::test]
async fn graviola_authenticates() {
    authenticates(provider::graviola().unwrap()).await;
}

#[cfg(feature = "ring")]
#[tokio::test]
async fn ring_authenticates() {
    authenticates(provider::ring()).await;
}

#[cfg(feature = "aws-lc-rs")]
#[tokio::test]
async fn aws_lc_rs_authenticates() {
    authenticates(provider::aws_lc_rs()).await;
}

#[tokio::test]
async fn a_provider_without_suites_for_the_chosen_versions_is_refused() {
    let pod = Server::start(Setup::new(pod_answer)).await;
    let mut provider = CryptoProvider::clone(&provider::graviola().unwrap());
    provider
        .cipher_suites
        .retain(|suite| suite.tls13().is_some());
    let error = client(&pod, &pod)
        .provider(Arc::new(provider))
        .tls_versions(&[&rustls::version::TLS12])
        .build()
        .unwrap_err();
    assert!(matches!(error, Error::TlsConfiguration(_)), "{error:?}");
}

#[tokio::test]
async fn a_provider_that_can_not_use_the_key_is_refused() {
    let pod = Server::start(Setup::new(pod_answer)).await;
    let error = client(&pod, &pod)
        .provider(without_keys())
        .build()
        .unwrap_err();
    assert!(
        matches!(&error, Error::UnsupportedKey { algorithm, .. } if algorithm == "ECDSA P-256"),
        "{error:?}"
    );
}

/// TLS has a scheme for P-521, and one for keys for RSASSA-PSS alone, and hardly any library takes them.
#[tokio::test]
async fn a_key_of_a_kind_that_the_provider_does_not_know_is_refused() {
    let pss = include_bytes!("../../../pki/tests/data/keys/rsa-pss.pem");
    for (key, name) in [
        (
            PrivateKey::generate(KeyKind::EcP521).unwrap(),
            "ECDSA P-521",
        ),
        (PrivateKey::from_pem(pss, None).unwrap(), "RSASSA-PSS 2048"),
    ] {
        let request = CertificateRequest::builder("/CN=bot".parse().unwrap())
            .sign(&key)
            .unwrap();
        let certificate = lab()
            .signing
            .issue(&request.verify().unwrap(), &Profile::client())
            .unwrap();
        let identity = Identity::new(&key, [certificate]).unwrap();
        let pod = Endpoints::new("https://localhost:1", "https://localhost:1").unwrap();
        let error = Client::builder(pod, identity)
            .provider(provider::graviola().unwrap())
            .build()
            .unwrap_err();
        assert!(
            matches!(&error, Error::UnsupportedKey { algorithm, .. } if algorithm == name),
            "{error:?}"
        );
    }
}

/// A provider that can load no private key.
pub(crate) fn without_keys() -> Arc<CryptoProvider> {
    #[derive(Debug)]
    struct NoKeys;
    impl rustls::crypto::KeyProvider for NoKeys {
        fn load_private_key(
            &self,
            _: rustls::pki_types::PrivateKeyDer<'static>,
        ) -> Result<Arc<dyn rustls::sign::SigningKey>, rustls::Error> {
            Err(rustls::Error::General("no keys here".to_owned()))
        }
    }

    let mut provider = CryptoProvider::clone(&provider::graviola().unwrap());
    provider.key_provider = &NoKeys;
    Arc::new(provider)
}
