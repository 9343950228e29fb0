use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Method, Request, Response};
use rustls::{SupportedProtocolVersion, crypto::CryptoProvider};

use crate::{
    Endpoint, Endpoints, Error, Identity, Session, Token, TrustAnchors,
    http::{Channel, Timeouts, reply},
    provider, tls,
};

/// Authenticates with a client certificate, and makes the calls that follow.
///
/// It is cheap to clone, and all clones share their connections. It needs a tokio runtime with time and I/O enabled.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    pod: Channel,
    key_manager: Channel,
    agent: Option<Channel>,
    reply_limit: usize,
}

impl Client {
    /// Starts to configure a client; everything but these two has a default.
    pub fn builder(endpoints: Endpoints, identity: Identity) -> ClientBuilder {
        ClientBuilder {
            endpoints,
            identity,
            trust: None,
            provider: None,
            tls_versions: rustls::DEFAULT_VERSIONS.to_vec(),
            http1_only: false,
            timeouts: Timeouts {
                connect: Duration::from_secs(15),
                read: Duration::from_secs(60),
                total: Duration::from_secs(120),
            },
            reply_limit: 16 << 20,
        }
    }

    /// Gets a session token from the Pod and a key manager token from the Key Manager, concurrently.
    ///
    /// Each is one `POST` without body and without Content-Type, to `/sessionauth/v1/authenticate` and
    /// `/keyauth/v1/authenticate`. The first failure ends both.
    ///
    /// # Errors
    ///
    /// Whatever can go wrong with a peer, and says which: [`Error::DnsFailed`], [`Error::ConnectionRefused`],
    /// [`Error::ConnectionReset`], [`Error::ConnectionClosed`], [`Error::Network`] and [`Error::Timeout`] on the way;
    /// [`Error::NotTls`], [`Error::ServerNotTrusted`], [`Error::ClientCertificateRefused`] and [`Error::TlsFailed`] in
    /// the handshake or right after it; [`Error::Unauthorized`] for an unknown user, [`Error::Forbidden`] for one that
    /// may not use certificates, [`Error::Status`] for any other answer; [`Error::MalformedReply`],
    /// [`Error::ReplyTooLarge`] (more than 64 KiB) and [`Error::Http`] for a reply that can't be used.
    pub async fn authenticate(&self) -> Result<Session, Error> {
        let Inner {
            pod, key_manager, ..
        } = &*self.inner;
        let (session, key) = tokio::try_join!(
            request_token(pod, "/sessionauth/v1/authenticate"),
            request_token(key_manager, "/keyauth/v1/authenticate"),
        )?;
        if session.header_name() == key.header_name() {
            return Err(Error::MalformedReply {
                peer: key_manager.peer().clone(),
                reason: "`name` is the header of the session token",
            });
        }
        tracing::info!(pod = %pod.peer(), key_manager = %key_manager.peer(), "authenticated");
        Ok(Session::new(session, key))
    }

    /// Sends a request with the tokens that belong to `endpoint`, and returns a reply that means success.
    ///
    /// The request's URI is a path, with a query or not: `/agent/v1/util/echo`. It is appended to the endpoint's URL.
    /// Headers are sent as they are, except `Host`; `Accept: application/json` and `User-Agent` are added when
    /// missing. Redirects are not followed.
    ///
    /// # Errors
    ///
    /// Those of [`Client::authenticate`], where [`Error::Unauthorized`] mostly means that the session is over;
    /// [`Error::EndpointNotConfigured`] for an Agent whose URL wasn't given; [`Error::ForeignUrl`] if the request
    /// names another host, in which case nothing was sent; [`Error::ReplyTooLarge`] beyond
    /// [`ClientBuilder::reply_limit`].
    pub async fn send(
        &self,
        session: &Session,
        endpoint: Endpoint,
        mut request: Request<Bytes>,
    ) -> Result<Response<Bytes>, Error> {
        let channel = self.channel(endpoint)?;
        session.authorize(endpoint, request.headers_mut());
        let response = channel.call(request, self.inner.reply_limit).await?;
        reply::accept(channel.peer(), response)
    }

    /// Ends the session at both endpoints, concurrently; its tokens are wiped here in any case.
    ///
    /// # Errors
    ///
    /// As for [`Client::send`]. Both endpoints are asked even if one fails; if both fail, the Pod's error is returned.
    pub async fn logout(&self, session: Session) -> Result<(), Error> {
        let (pod, key_manager) = tokio::join!(
            self.send(&session, Endpoint::Pod, post("/sessionauth/v1/logout")),
            self.send(&session, Endpoint::KeyManager, post("/keyauth/v1/logout")),
        );
        pod.and(key_manager).map(drop)
    }

    fn channel(&self, endpoint: Endpoint) -> Result<&Channel, Error> {
        match endpoint {
            Endpoint::Pod => Ok(&self.inner.pod),
            Endpoint::KeyManager => Ok(&self.inner.key_manager),
            Endpoint::Agent => self
                .inner
                .agent
                .as_ref()
                .ok_or(Error::EndpointNotConfigured { endpoint }),
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("pod", self.inner.pod.peer())
            .field("key_manager", self.inner.key_manager.peer())
            .field("agent", &self.inner.agent.as_ref().map(Channel::peer))
            .finish_non_exhaustive()
    }
}

async fn request_token(channel: &Channel, path: &'static str) -> Result<Token, Error> {
    let response = channel.call(post(path), TOKEN_REPLY_LIMIT).await?;
    let response = reply::accept(channel.peer(), response)?;
    reply::token(channel.peer(), response.body())
}

fn post(path: &'static str) -> Request<Bytes> {
    let mut request = Request::new(Bytes::new());
    *request.method_mut() = Method::POST;
    *request.uri_mut() = http::Uri::from_static(path);
    request
}

/// In octets. Honest replies take one or two thousand.
const TOKEN_REPLY_LIMIT: usize = 64 << 10;

/// Configures a [`Client`].
#[derive(Debug)]
#[must_use = "a builder does nothing until the client is built"]
pub struct ClientBuilder {
    endpoints: Endpoints,
    identity: Identity,
    trust: Option<TrustAnchors>,
    provider: Option<Arc<CryptoProvider>>,
    tls_versions: Vec<&'static SupportedProtocolVersion>,
    http1_only: bool,
    timeouts: Timeouts,
    reply_limit: usize,
}

impl ClientBuilder {
    /// Whom to trust as a server. Default: [`TrustAnchors::platform`].
    pub fn trust(self, anchors: TrustAnchors) -> Self {
        Self {
            trust: Some(anchors),
            ..self
        }
    }

    /// Where TLS takes its cryptography from. Default: [`provider::graviola`].
    pub fn provider(self, provider: Arc<CryptoProvider>) -> Self {
        Self {
            provider: Some(provider),
            ..self
        }
    }

    /// Which versions of TLS to offer. Default: 1.2 and 1.3.
    pub fn tls_versions(self, versions: &[&'static SupportedProtocolVersion]) -> Self {
        Self {
            tls_versions: versions.to_vec(),
            ..self
        }
    }

    /// Don't offer HTTP/2. Default: HTTP/2 where the server chooses it, HTTP/1.1 otherwise.
    pub fn http1_only(self) -> Self {
        Self {
            http1_only: true,
            ..self
        }
    }

    /// How long it may take to reach a server: name resolution, TCP and TLS together. Default: 15 seconds.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.timeouts.connect = limit;
        self
    }

    /// How long a server may be silent: from the request until the head of its reply, and between pieces of the body.
    /// Default: 60 seconds.
    pub fn read_timeout(mut self, limit: Duration) -> Self {
        self.timeouts.read = limit;
        self
    }

    /// How long one call may take altogether. Default: 120 seconds.
    pub fn total_timeout(mut self, limit: Duration) -> Self {
        self.timeouts.total = limit;
        self
    }

    /// How large the reply to [`Client::send`] may be, in octets. Default: 16 MiB. A reply is held in memory.
    pub fn reply_limit(self, octets: usize) -> Self {
        Self {
            reply_limit: octets,
            ..self
        }
    }

    /// The client. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// [`Error::NoPlatformRoots`] if no trust anchors were given and the platform has none;
    /// [`Error::UnsupportedCpu`] if no provider was given and the default one can't run here;
    /// [`Error::UnsupportedKey`] if the provider can't use the identity's key; [`Error::TlsConfiguration`] if it
    /// implements none of the TLS versions.
    pub fn build(self) -> Result<Client, Error> {
        let provider = match self.provider {
            Some(provider) => provider,
            None => provider::graviola()?,
        };
        let trust = match self.trust {
            Some(trust) => trust,
            None => TrustAnchors::platform()?,
        };
        let tls = Arc::new(tls::client_config(
            &self.identity,
            trust,
            provider,
            &self.tls_versions,
            self.http1_only,
        )?);
        let channel = |base| Channel::new(base, Arc::clone(&tls), self.timeouts);
        let (pod, key_manager, agent) = self.endpoints.into_bases();
        Ok(Client {
            inner: Arc::new(Inner {
                pod: channel(pod),
                key_manager: channel(key_manager),
                agent: agent.map(channel),
                reply_limit: self.reply_limit,
            }),
        })
    }
}
