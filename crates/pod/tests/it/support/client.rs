use std::{
    fmt, io,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, Version};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use pod::{Pod, Port};
use rustls::{
    AlertDescription, ClientConfig, RootCertStore, SignatureAlgorithm, SignatureScheme,
    SupportedProtocolVersion,
    client::ResolvesClientCert,
    sign::{CertifiedKey, Signer, SigningKey},
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::Identity;

/// Makes connections to a pod. Each setting returns a changed client.
#[derive(Clone)]
pub(crate) struct Client {
    addresses: [(Port, SocketAddr); 3],
    anchor: CertificateDer<'static>,
    identity: Option<Identity>,
    versions: Vec<&'static SupportedProtocolVersion>,
    http2: bool,
    alpn: bool,
    hints: Arc<Mutex<Option<Vec<Vec<u8>>>>>,
    signer: Option<Insistent>,
}

/// One TLS connection that speaks HTTP.
pub(crate) enum Connection {
    Http1(hyper::client::conn::http1::SendRequest<Full<Bytes>>),
    Http2(hyper::client::conn::http2::SendRequest<Full<Bytes>>),
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) version: Version,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Client {
    pub(crate) fn new(pod: &Pod) -> Self {
        Self {
            addresses: [Port::Web, Port::Api, Port::KeyManager]
                .map(|port| (port, pod.address(port))),
            anchor: CertificateDer::from(pod.trust_anchor().as_der().to_vec()),
            identity: None,
            versions: vec![&rustls::version::TLS12, &rustls::version::TLS13],
            http2: false,
            alpn: true,
            hints: Arc::default(),
            signer: None,
        }
    }

    pub(crate) fn showing(mut self, identity: &Identity) -> Self {
        self.identity = Some(identity.clone());
        self
    }

    /// Signs the handshake under this scheme, whatever the server asks for and the version of TLS allows.
    pub(crate) fn insisting_on(
        mut self,
        scheme: SignatureScheme,
        sign: impl Fn(&[u8]) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        let sign = Arc::new(sign);
        self.signer = Some(Insistent { scheme, sign });
        self
    }

    pub(crate) fn tls(mut self, version: &'static SupportedProtocolVersion) -> Self {
        self.versions = vec![version];
        self
    }

    pub(crate) fn http2(mut self, http2: bool) -> Self {
        self.http2 = http2;
        self
    }

    pub(crate) fn without_alpn(mut self) -> Self {
        self.alpn = false;
        self
    }

    /// The names of CAs in the last CertificateRequest. `None` when there was none.
    pub(crate) fn hints(&self) -> Option<Vec<Vec<u8>>> {
        self.hints.lock().unwrap().clone()
    }

    pub(crate) fn address(&self, port: Port) -> SocketAddr {
        self.addresses
            .into_iter()
            .find_map(|(known, address)| (known == port).then_some(address))
            .unwrap()
    }

    /// The handshake alone.
    pub(crate) async fn handshake(&self, port: Port) -> io::Result<TlsStream<TcpStream>> {
        let socket = TcpStream::connect(self.address(port)).await?;
        self.handshake_over(socket).await
    }

    pub(crate) async fn handshake_over(
        &self,
        socket: TcpStream,
    ) -> io::Result<TlsStream<TcpStream>> {
        let provider = rustls_graviola::default_provider();
        let certified = self.identity.as_ref().map(|identity| {
            let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(identity.key_pkcs8.clone()));
            let chain = identity
                .chain
                .iter()
                .map(|certificate| certificate.as_der().to_vec())
                .chain(identity.besides.iter().cloned())
                .map(CertificateDer::from)
                .collect();
            let key = match &self.signer {
                Some(signer) => Arc::new(signer.clone()),
                None => provider.key_provider.load_private_key(key).unwrap(),
            };
            Arc::new(CertifiedKey::new(chain, key))
        });
        let mut roots = RootCertStore::empty();
        roots.add(self.anchor.clone()).unwrap();
        let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&self.versions)
            .unwrap()
            .with_root_certificates(roots)
            .with_client_cert_resolver(Arc::new(Resolver {
                certified,
                hints: Arc::clone(&self.hints),
            }));
        if self.alpn {
            config.alpn_protocols =
                vec![if self.http2 { b"h2" } else { &b"http/1.1"[..] }.to_vec()];
        }

        let server = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config))
            .connect(server, socket)
            .await
    }

    pub(crate) async fn connect(&self, port: Port) -> Connection {
        let stream = TokioIo::new(self.handshake(port).await.unwrap());
        if self.http2 {
            let (sender, connection) =
                hyper::client::conn::http2::handshake(TokioExecutor::new(), stream)
                    .await
                    .unwrap();
            tokio::spawn(connection);
            Connection::Http2(sender)
        } else {
            let (sender, connection) = hyper::client::conn::http1::handshake(stream).await.unwrap();
            tokio::spawn(connection);
            Connection::Http1(sender)
        }
    }

    /// One request on a connection of its own.
    pub(crate) async fn send(&self, port: Port, request: Request<Full<Bytes>>) -> Answer {
        self.connect(port).await.send(request).await
    }

    /// A POST without anything, as `authenticate` wants it.
    pub(crate) async fn post(&self, port: Port, path: &str) -> Answer {
        self.send(port, self.request(port, Method::POST, path, &[], b""))
            .await
    }

    pub(crate) fn request(
        &self,
        port: Port,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Request<Full<Bytes>> {
        let authority = format!("localhost:{}", self.address(port).port());
        // HTTP/2 wants the authority in the URI, HTTP/1.1 in a header.
        let mut request = if self.http2 {
            Request::builder().uri(format!("https://{authority}{path}"))
        } else {
            Request::builder().uri(path).header("host", authority)
        }
        .method(method);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request
            .body(Full::new(Bytes::copy_from_slice(body)))
            .unwrap()
    }
}

impl Connection {
    pub(crate) async fn send(&mut self, request: Request<Full<Bytes>>) -> Answer {
        self.try_send(request).await.unwrap()
    }

    pub(crate) async fn try_send(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> hyper::Result<Answer> {
        let (head, body) = self.head(request).await?.into_parts();
        Ok(Answer {
            status: head.status,
            version: head.version,
            headers: head.headers,
            body: body.collect().await?.to_bytes(),
        })
    }

    /// The response, its body still to come.
    pub(crate) async fn head(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> hyper::Result<Response<Incoming>> {
        match self {
            Self::Http1(sender) => {
                sender.ready().await?;
                sender.send_request(request).await
            }
            Self::Http2(sender) => {
                sender.ready().await?;
                sender.send_request(request).await
            }
        }
    }

    pub(crate) async fn until_closed(&mut self) {
        // Neither becomes ready again once its connection is gone.
        loop {
            let ready = match self {
                Self::Http1(sender) => sender.ready().await,
                Self::Http2(sender) => sender.ready().await,
            };
            if ready.is_err() {
                return;
            }
            tokio::task::yield_now().await;
        }
    }
}

impl Answer {
    pub(crate) fn json(&self) -> serde_json::Value {
        assert_eq!(self.headers["content-type"], "application/json");
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn token(&self) -> String {
        assert_eq!(self.status, StatusCode::OK, "{self:?}");
        self.json()["token"].as_str().unwrap().to_owned()
    }

    /// The status, once it is known that the body repeats it.
    pub(crate) fn error(&self) -> (u16, String) {
        let json = self.json();
        assert_eq!(json["code"], self.status.as_u16());
        (
            self.status.as_u16(),
            json["message"].as_str().unwrap().to_owned(),
        )
    }
}

/// The alert with which the server refuses the client.
///
/// Writes before it looks for the alert, and goes on writing after the refusal: under TLS 1.3 the client believes the
/// handshake done by then. A server that simply closed would answer with a reset, and these writes would fail.
pub(crate) async fn alert_of(client: &Client, port: Port) -> AlertDescription {
    let error = match client.handshake(port).await {
        Err(error) => error,
        Ok(mut stream) => {
            let request = async {
                for _ in 0..5 {
                    stream.write_all(&[0; 1024]).await?;
                    stream.flush().await?;
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                let mut answer = Vec::new();
                stream.read_to_end(&mut answer).await
            };
            request.await.expect_err("the server should refuse")
        }
    };
    match error.get_ref().and_then(|error| error.downcast_ref()) {
        Some(rustls::Error::AlertReceived(alert)) => *alert,
        _ => panic!("expected an alert, found {error:?}"),
    }
}

#[derive(Debug)]
struct Resolver {
    certified: Option<Arc<CertifiedKey>>,
    hints: Arc<Mutex<Option<Vec<Vec<u8>>>>>,
}

impl ResolvesClientCert for Resolver {
    fn resolve(&self, hints: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let hints = hints.iter().map(|hint| hint.to_vec()).collect();
        *self.hints.lock().unwrap() = Some(hints);
        self.certified.clone()
    }

    // Also without a certificate: `resolve` is to see the hints.
    fn has_certs(&self) -> bool {
        true
    }
}

#[derive(Clone)]
struct Insistent {
    scheme: SignatureScheme,
    sign: Arc<Sign>,
}

/// From a message to its signature.
type Sign = dyn Fn(&[u8]) -> Vec<u8> + Send + Sync;

impl SigningKey for Insistent {
    fn choose_scheme(&self, _: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        Some(Box::new(self.clone()))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::from(self.scheme.to_array()[1])
    }
}

impl Signer for Insistent {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        Ok((self.sign)(message))
    }

    fn scheme(&self) -> SignatureScheme {
        self.scheme
    }
}

impl fmt::Debug for Insistent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Insistent").field(&self.scheme).finish()
    }
}
