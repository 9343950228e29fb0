//! HTTP clients that others bring, under our certificate and with our tokens.

use std::{convert::Infallible, sync::Arc, time::Duration};

use auth::{AuthError, BoxError, Client, Endpoint, Endpoints, Error, Identity, TrustAnchors};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use pki::{PrivateKey, SubjectAltName};
use pod::{Fault, Pod, Port, Rule};
use rustls::{
    SignatureAlgorithm, SignatureScheme,
    pki_types::SubjectPublicKeyInfoDer,
    sign::{Signer, SigningKey},
};
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};

use crate::{
    lab::{Pair, issue, lab},
    life::builder,
    workflow::{admit, admitting, echo, session_info},
};

#[tokio::test]
async fn reqwest_presents_the_certificate_and_gets_the_tokens() {
    let pod = admitting().await;
    let client = builder(&pod).build().unwrap();
    let reqwest = reqwest::Client::builder()
        .tls_backend_preconfigured(client.tls_config())
        .no_proxy()
        .build()
        .unwrap();
    // The API port lets nobody in without a certificate.
    let login = format!("{}/sessionauth/v1/authenticate", pod.api_url());
    let reply = reqwest.post(login).send().await.unwrap();
    assert_eq!(reply.status(), StatusCode::OK);

    let service = service_fn(move |request: Request<Bytes>| {
        let reqwest = reqwest.clone();
        async move {
            let reply = reqwest.execute(request.try_into()?).await;
            reply.map(Response::from)
        }
    });
    let mut service = client.layer().layer(service);
    let info = || {
        let url = format!("{}/pod/v2/sessioninfo", pod.api_url());
        Request::get(url).body(Bytes::new()).unwrap()
    };
    for _ in 0..2 {
        let reply = service.ready().await.unwrap().call(info()).await.unwrap();
        assert_eq!(reply.status(), StatusCode::OK);
        pod.expire_tokens();
    }
}

fn stack<S>(
    client: &Client,
    service: S,
) -> impl Service<Request<&'static str>, Response = Response<&'static str>, Error = BoxError>
where
    S: Service<Request<&'static str>, Response = Response<&'static str>> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
{
    let limit = Duration::from_secs(30);
    ServiceBuilder::new()
        .timeout(limit)
        .layer(client.layer())
        .timeout(Duration::from_millis(50))
        .service(service)
}

#[tokio::test]
async fn the_layer_fits_between_services_with_boxed_errors() {
    let pod = admitting().await;
    let client = builder(&pod).build().unwrap();
    let request = || {
        Request::get(format!("{}/x", pod.api_url()))
            .body("")
            .unwrap()
    };
    let answers =
        service_fn(async |_: Request<&'static str>| Ok::<_, Infallible>(Response::new("hello")));
    let reply = stack(&client, answers).oneshot(request()).await.unwrap();
    assert_eq!(*reply.body(), "hello");

    let hangs = service_fn(async |_: Request<&'static str>| {
        std::future::pending::<Result<_, Infallible>>().await
    });
    let error = stack(&client, hangs).oneshot(request()).await.unwrap_err();
    let error = error.downcast::<AuthError>().unwrap();
    let AuthError::Service(cause) = *error else {
        panic!("{error:?}");
    };
    assert!(cause.is::<tower::timeout::error::Elapsed>(), "{cause:?}");
}

/// A key that signs elsewhere, and tells its public key or not.
#[derive(Debug)]
struct Elsewhere {
    key: Arc<dyn SigningKey>,
    public_key: Option<Vec<u8>>,
}

impl Elsewhere {
    fn holding(key: &PrivateKey, tells: bool) -> Arc<Self> {
        let der = key.to_pkcs8_der().unwrap().to_vec();
        let provider = auth::provider::graviola().unwrap();
        let der = rustls::pki_types::PrivatePkcs8KeyDer::from(der).into();
        Arc::new(Self {
            key: provider.key_provider.load_private_key(der).unwrap(),
            public_key: tells.then(|| key.public_key().spki_der().to_vec()),
        })
    }
}

impl SigningKey for Elsewhere {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        self.key.choose_scheme(offered)
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        self.public_key
            .as_deref()
            .map(SubjectPublicKeyInfoDer::from)
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.key.algorithm()
    }
}

fn chain(pair: &Pair) -> Vec<pki::Certificate> {
    let issuers = lab().signing.chain().iter().cloned();
    std::iter::once(pair.certificate.clone())
        .chain(issuers)
        .collect()
}

#[tokio::test]
async fn a_key_that_can_only_sign_logs_in() {
    let pod = admitting().await;
    for tells in [false, true] {
        let key = Elsewhere::holding(&lab().bot.key, tells);
        let identity = Identity::with_signer(key, chain(&lab().bot)).unwrap();
        assert_eq!(identity.key_algorithm(), lab().bot.key.algorithm());
        let client = builder(&pod).build().unwrap();
        client.replace_identity(&identity).await.unwrap();
        client.call(Endpoint::Agent, echo()).await.unwrap();
    }
}

/// It may ask for a PIN or a finger, and would for nothing where the Key Manager isn't needed.
#[tokio::test]
async fn a_key_that_lies_elsewhere_signs_for_no_connection_ahead() {
    let pod = Pod::builder()
        .simplified_key_delivery(true)
        .start()
        .await
        .unwrap();
    admit(&pod);
    // Longer than a handshake takes.
    let slow = Rule::new(Fault::Delay(Duration::from_millis(300)));
    pod.inject(slow.path("/sessionauth/v1/authenticate"))
        .unwrap();
    let key = Elsewhere::holding(&lab().bot.key, true);
    let identity = Identity::with_signer(key, chain(&lab().bot)).unwrap();
    let endpoints = Endpoints::new(pod.api_url(), pod.key_manager_url()).unwrap();
    let client = Client::builder(endpoints, identity)
        .trust(TrustAnchors::pem(pod.trust_anchor_pem()).unwrap())
        .build()
        .unwrap();
    client.session().await.unwrap();
    let seen = pod.handshakes(Port::KeyManager);
    assert_eq!(seen.completed + seen.failed, 0);
}

#[test]
fn a_key_and_a_chain_make_an_identity_if_they_belong_together() {
    let names: &[SubjectAltName] = &[];
    let other = issue(&lab().signing, "/CN=other", names, &pki::Profile::client());
    Identity::new(&lab().bot.key, chain(&lab().bot)).unwrap();
    for result in [
        Identity::new(&lab().bot.key, chain(&other)),
        Identity::with_signer(Elsewhere::holding(&lab().bot.key, true), chain(&other)),
    ] {
        let error = result.unwrap_err();
        assert!(
            matches!(&error, Error::Identity(pki::Error::KeyMismatch { subject, .. }) if subject.contains("other")),
            "{error:?}"
        );
    }
    for result in [
        Identity::new(&lab().bot.key, []),
        Identity::with_signer(Elsewhere::holding(&lab().bot.key, true), []),
    ] {
        let error = result.unwrap_err();
        let lacks = matches!(error, Error::Identity(pki::Error::Pkcs12Lacks { .. }));
        assert!(lacks, "{error:?}");
    }
}

/// A directory of its own, gone with the test.
struct Folder(std::path::PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn configured(pod: &Pod) -> (Folder, std::path::PathBuf) {
    let name = format!("configured-{}", std::process::id());
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).unwrap();
    let identity: String = chain(&lab().bot).iter().map(|it| it.to_pem()).collect();
    std::fs::write(folder.join("bot.pem"), identity + &lab().bot.key_pem()).unwrap();
    std::fs::write(folder.join("root.pem"), pod.trust_anchor_pem()).unwrap();
    let port = |port| pod.address(port).port();
    let text = format!(
        "host: localhost
port: {}
keyManager: {{ port: {} }}
bot: {{ username: demo-bot1, certificate: {{ path: '{}' }} }}
ssl: {{ trustStore: {{ path: '{}' }} }}
",
        port(Port::Api),
        port(Port::KeyManager),
        folder.join("bot.pem").display(),
        folder.join("root.pem").display()
    );
    let file = folder.join("config.yaml");
    std::fs::write(&file, text).unwrap();
    (Folder(folder), file)
}

#[tokio::test]
async fn a_configuration_alone_makes_a_client_that_trusts_as_it_says() {
    let pod = admitting().await;
    let (_folder, file) = configured(&pod);
    let client = Client::from_config(file).unwrap();
    client.call(Endpoint::Agent, echo()).await.unwrap();
    client.call(Endpoint::Pod, session_info()).await.unwrap();
    client.logout().await.unwrap();
}
