//! A TLS server that behaves as its script says, on a port of its own.

use std::{
    collections::VecDeque,
    convert::Infallible,
    future, io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, Uri, Version};
use http_body_util::BodyExt;
use hyper::{
    body::{Body, Frame, Incoming, SizeHint},
    service::service_fn,
};
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
    sync::Notify,
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

use crate::lab::{Pair, Tls, lab};

/// What the server does.
pub(crate) struct Setup {
    answer: Box<dyn Fn() -> Answer + Send + Sync>,
    first: First,
    tls: Vec<Tls>,
    alpn: Vec<&'static str>,
    says: Option<&'static str>,
    certificate: Arc<Pair>,
    verdict: Option<CertificateError>,
    asks_for_certificate: bool,
    lingers: bool,
    sessions: Option<Arc<dyn StoresServerSessions>>,
}

/// What happens before any TLS.
#[derive(Clone, Copy)]
pub(crate) enum First {
    Tls,
    /// Something that isn't TLS is sent.
    Say(&'static str),
    Silence,
    End(End),
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum End {
    /// A TCP reset.
    Reset,
    /// TCP is closed in good order, without TLS' own goodbye.
    Close,
}

impl Setup {
    /// Answers every request like this, over any TLS and HTTP, and accepts any client certificate.
    pub(crate) fn new(answer: impl Fn() -> Answer + Send + Sync + 'static) -> Self {
        Self {
            answer: Box::new(answer),
            first: First::Tls,
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

    pub(crate) fn first(mut self, first: First) -> Self {
        self.first = first;
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

/// One reply, or what comes instead.
pub(crate) struct Answer {
    head: Option<http::response::Builder>,
    body: Vec<Step>,
}

#[derive(Clone)]
pub(crate) enum Step {
    Data(Bytes),
    /// The same data again and again.
    Endless(Bytes),
    /// A bit of data, and a pause, again and again.
    Trickle(Bytes, Duration),
    Silence,
    /// The body fails, as when an application server crashes.
    Fail,
    End(End),
}

impl Answer {
    pub(crate) fn json(status: u16, body: &'static str) -> Self {
        Self::with("application/json", status, body)
    }

    pub(crate) fn with(content_type: &'static str, status: u16, body: &'static str) -> Self {
        let head = Response::builder()
            .status(status)
            .header("content-type", content_type)
            .header("content-length", body.len());
        Self {
            head: Some(head),
            body: vec![Step::Data(Bytes::from_static(body.as_bytes()))],
        }
    }

    /// A 200 whose body follows a script.
    pub(crate) fn script(body: impl IntoIterator<Item = Step>) -> Self {
        Self::status(200).with_body(body)
    }

    /// No more than a status, to begin with.
    pub(crate) fn status(status: u16) -> Self {
        Self {
            head: Some(Response::builder().status(status)),
            body: Vec::new(),
        }
    }

    /// No reply at all; this instead.
    pub(crate) fn none(step: Step) -> Self {
        Self {
            head: None,
            body: vec![step],
        }
    }

    pub(crate) fn with_body(mut self, body: impl IntoIterator<Item = Step>) -> Self {
        self.body = body.into_iter().collect();
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.head = self.head.map(|head| head.header(name, value));
        self
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
    // A second handle on the socket, to decide how it ends after HTTP has taken the first one.
    let tcp = tcp.into_std().unwrap();
    let handle = TcpStream::from_std(tcp.try_clone().unwrap()).unwrap();
    let mut tcp = TcpStream::from_std(tcp).unwrap();
    match setup.first {
        First::Tls => {}
        First::Say(text) => {
            tcp.write_all(text.as_bytes()).await.unwrap();
            return linger(tcp).await;
        }
        First::Silence => return future::pending().await,
        First::End(end) => return finish(end, tcp, &handle),
    }

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

    let ending = Arc::new((Notify::new(), Mutex::new(None)));
    let service = service_fn(|request: Request<Incoming>| {
        let (setup, seen, ending) = (Arc::clone(&setup), Arc::clone(&seen), Arc::clone(&ending));
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
            let answer = (setup.answer)();
            let mut body = Script {
                steps: answer.body.into(),
                ending,
                pause: None,
            };
            match answer.head {
                Some(head) => Ok::<_, Infallible>(head.body(body).unwrap()),
                None => {
                    let _ = body.frame().await;
                    future::pending().await
                }
            }
        }
    });
    let server = auto::Builder::new(TokioExecutor::new());
    let connection = server.serve_connection(TokioIo::new(tls), service);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        biased; // what was written before the end is sent before the end
        _ = &mut connection => return,
        () = ending.0.notified() => {}
    }
    let end = ending.1.lock().unwrap().unwrap();
    match end {
        End::Reset => handle.set_zero_linger().unwrap(),
        End::Close => linger(handle).await,
    }
    // Both handles go out of scope here, and with them the socket.
}

fn finish(end: End, tcp: TcpStream, handle: &TcpStream) {
    if end == End::Reset {
        handle.set_zero_linger().unwrap();
    }
    drop(tcp);
}

/// Lingers, so that the alert reaches the client: what it still sends is read, or the kernel would answer it with a reset.
async fn linger(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let _ = stream.shutdown().await;
    let mut sink = [0; 1024];
    let drain = async { while matches!(stream.read(&mut sink).await, Ok(1..)) {} };
    let _ = tokio::time::timeout(Duration::from_secs(5), drain).await;
}

struct Script {
    steps: VecDeque<Step>,
    ending: Arc<(Notify, Mutex<Option<End>>)>,
    pause: Option<Pin<Box<tokio::time::Sleep>>>,
}

impl Body for Script {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match self.steps.front().cloned() {
            None => Poll::Ready(None),
            Some(Step::Data(data)) => {
                self.steps.pop_front();
                Poll::Ready(Some(Ok(Frame::data(data))))
            }
            Some(Step::Endless(data)) => Poll::Ready(Some(Ok(Frame::data(data)))),
            Some(Step::Trickle(data, pause)) => {
                if let Some(pause) = &mut self.pause
                    && pause.as_mut().poll(cx).is_pending()
                {
                    return Poll::Pending;
                }
                self.pause = Some(Box::pin(tokio::time::sleep(pause)));
                Poll::Ready(Some(Ok(Frame::data(data))))
            }
            Some(Step::Silence) => Poll::Pending,
            Some(Step::Fail) => Poll::Ready(Some(Err(io::Error::other("scripted")))),
            Some(Step::End(end)) => {
                *self.ending.1.lock().unwrap() = Some(end);
                self.ending.0.notify_one();
                Poll::Pending
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
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
