//! A TLS server of a few lines, for what the pod can't or won't do: it keeps each request as it arrived, with headers, body and
//! the certificates of its connection; answers with any headers; accepts every certificate, asks for none or closes on a refused one
//! at once, which resets the connection; shares TLS tickets with another; and speaks something else than HTTP. All else that goes
//! wrong is a fault of the pod's.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, Uri, Version};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme,
    client::danger::HandshakeSignatureValid,
    pki_types::{CertificateDer, UnixTime},
    server::{
        StoresServerSessions,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
    sign::{CertifiedKey, SingleCertAndKey},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

use crate::lab::{Pair, Tls, lab};

/// What the server does.
pub(crate) struct Setup {
    answer: Box<dyn Fn() -> Answer + Send + Sync>,
    tls: Vec<Tls>,
    alpn: Vec<&'static str>,
    says: Option<&'static str>,
    certificate: Arc<Pair>,
    verdict: Option<CertificateError>,
    asks_for_certificate: bool,
    lingers: bool,
    sessions: Option<Arc<dyn StoresServerSessions>>,
}

impl Setup {
    /// Answers every request like this, over any TLS and HTTP, and accepts any client certificate.
    pub(crate) fn new(answer: impl Fn() -> Answer + Send + Sync + 'static) -> Self {
        Self {
            answer: Box::new(answer),
            tls: rustls::ALL_VERSIONS.to_vec(),
            alpn: vec!["h2", "http/1.1"],
            says: None,
            certificate: Arc::clone(&lab().server),
            verdict: None,
            asks_for_certificate: true,
            lingers: true,
            sessions: None,
        }
    }

    /// Keeps its TLS sessions here, where other servers may have theirs.
    pub(crate) fn sessions(mut self, sessions: Arc<dyn StoresServerSessions>) -> Self {
        self.sessions = Some(sessions);
        self
    }

    pub(crate) fn over(mut self, tls: Tls, http: &'static str) -> Self {
        self.tls = vec![tls];
        self.alpn = vec![http];
        self
    }

    /// Answers the first that it hears over TLS with this, instead of speaking HTTP.
    pub(crate) fn says(mut self, text: &'static str) -> Self {
        self.says = Some(text);
        self
    }

    pub(crate) fn certificate(mut self, certificate: Arc<Pair>) -> Self {
        self.certificate = certificate;
        self
    }

    pub(crate) fn refuses_clients(mut self, why: CertificateError) -> Self {
        self.verdict = Some(why);
        self
    }

    /// Closes at once after an alert, so that what the client still sends is answered with a reset.
    pub(crate) fn closes_at_once(mut self) -> Self {
        self.lingers = false;
        self
    }

    pub(crate) fn without_client_authentication(mut self) -> Self {
        self.asks_for_certificate = false;
        self
    }
}

pub(crate) struct Answer(http::response::Builder, Bytes);

impl Answer {
    pub(crate) fn json(status: u16, body: &'static str) -> Self {
        Self::with("application/json", status, body)
    }

    pub(crate) fn with(content_type: &'static str, status: u16, body: impl Into<Bytes>) -> Self {
        let head = Response::builder()
            .status(status)
            .header("content-type", content_type);
        Self(head, body.into())
    }

    pub(crate) fn header(self, name: &'static str, value: &'static str) -> Self {
        Self(self.0.header(name, value), self.1)
    }
}

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) version: Version,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// The client certificates of its connection.
    pub(crate) certificates: Vec<CertificateDer<'static>>,
}

pub(crate) struct Server {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    connections: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start(setup: Setup) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let connections = Arc::new(AtomicUsize::new(0));
        let acceptor = TlsAcceptor::from(Arc::new(server_config(&setup)));
        let setup = Arc::new(setup);
        let task = {
            let (seen, connections) = (Arc::clone(&seen), Arc::clone(&connections));
            tokio::spawn(async move {
                loop {
                    let (tcp, _) = listener.accept().await.unwrap();
                    connections.fetch_add(1, Ordering::SeqCst);
                    tokio::spawn(serve(
                        tcp,
                        acceptor.clone(),
                        Arc::clone(&setup),
                        Arc::clone(&seen),
                    ));
                }
            })
        };
        Self {
            address,
            seen,
            connections,
            task,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    pub(crate) fn authority(&self) -> String {
        self.address.to_string()
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    tcp: TcpStream,
    acceptor: TlsAcceptor,
    setup: Arc<Setup>,
    seen: Arc<Mutex<Vec<Seen>>>,
) {
    let mut tls = match acceptor.accept(tcp).into_fallible().await {
        Ok(tls) => tls,
        Err((_, tcp)) if setup.lingers => return linger(tcp).await,
        Err(_) => return,
    };
    if let Some(text) = setup.says {
        assert!(tls.read(&mut [0; 4096]).await.unwrap() > 0);
        tls.write_all(text.as_bytes()).await.unwrap();
        tls.flush().await.unwrap();
        return linger(tls).await;
    }
    let certificates: Vec<_> = tls
        .get_ref()
        .1
        .peer_certificates()
        .unwrap_or_default()
        .iter()
        .map(|certificate| certificate.clone().into_owned())
        .collect();

    let service = service_fn(|request: Request<Incoming>| {
        let (setup, seen) = (Arc::clone(&setup), Arc::clone(&seen));
        let certificates = certificates.clone();
        async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            seen.lock().unwrap().push(Seen {
                method: parts.method,
                uri: parts.uri,
                version: parts.version,
                headers: parts.headers,
                body,
                certificates,
            });
            let Answer(head, body) = (setup.answer)();
            Ok::<_, Infallible>(head.body(Full::new(body)).unwrap())
        }
    });
    let server = auto::Builder::new(TokioExecutor::new());
    let _ = server.serve_connection(TokioIo::new(tls), service).await;
}

/// Lingers, so that the alert reaches the client: what it still sends is read, or the kernel would answer it with a reset.
async fn linger(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let _ = stream.shutdown().await;
    let mut sink = [0; 1024];
    let drain = async { while matches!(stream.read(&mut sink).await, Ok(1..)) {} };
    let _ = tokio::time::timeout(Duration::from_secs(5), drain).await;
}

fn server_config(setup: &Setup) -> ServerConfig {
    let provider = auth::provider::graviola().unwrap();
    let key = provider
        .key_provider
        .load_private_key(setup.certificate.pkcs8());
    // Unlike `with_single_cert`, this doesn't look at the version of the certificate.
    let certified = CertifiedKey::new(vec![setup.certificate.certificate_der()], key.unwrap());
    let builder = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&setup.tls)
        .unwrap();
    let builder = if setup.asks_for_certificate {
        builder.with_client_cert_verifier(Arc::new(Verdict(setup.verdict.clone())))
    } else {
        builder.with_no_client_auth()
    };
    let mut config = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
    if let Some(sessions) = &setup.sessions {
        config.session_storage = Arc::clone(sessions);
    }
    config.alpn_protocols = setup
        .alpn
        .iter()
        .map(|name| name.as_bytes().to_vec())
        .collect();
    config
}

/// Accepts every client certificate, of whatever version, or none.
#[derive(Debug)]
struct Verdict(Option<CertificateError>);

impl ClientCertVerifier for Verdict {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        match &self.0 {
            None => Ok(ClientCertVerified::assertion()),
            Some(why) => Err(why.clone().into()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ECDSA_NISTP256_SHA256]
    }
}

/// Checks the handshake's signature with the certificate's key; rustls' own check can't read version 1.
fn verify(
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
) -> Result<HandshakeSignatureValid, rustls::Error> {
    let certificate = pki::Certificate::from_der(certificate).unwrap();
    let spki = certificate.spki_der();
    let point = &spki[spki.len() - 65..]; // P-256, uncompressed
    let provider = auth::provider::graviola().unwrap();
    let (_, algorithms) = provider
        .signature_verification_algorithms
        .mapping
        .iter()
        .find(|(scheme, _)| *scheme == signed.scheme)
        .unwrap();
    let verified = algorithms.iter().any(|algorithm| {
        algorithm
            .verify_signature(point, message, signed.signature())
            .is_ok()
    });
    if verified {
        Ok(HandshakeSignatureValid::assertion())
    } else {
        Err(CertificateError::BadSignature.into())
    }
}
