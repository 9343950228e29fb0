use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use rustls::{ClientConfig, SupportedProtocolVersion, crypto::CryptoProvider};

use crate::{
    Endpoint, Endpoints, Error, Identity, RetryPolicy, Session, TrustAnchors,
    channels::{Connections, Links},
    keeper::Keeper,
    provider,
    proxy::{Proxy, ProxyChoice},
    transport::{Channel, KeepAlive, reply},
};

/// Authenticates with a client certificate, and makes the calls that follow.
///
/// It keeps one session: [`Client::call`] and [`Client::layer`] authenticate when they have to, refresh the tokens when they
/// have expired, and retry transient failures as the [policy](RetryPolicy) says. [`Client::session`] shows that session, and
/// [`Client::logout`] ends it. [`Client::send`] is for a session of another user.
///
/// ```no_run
/// # use auth::{Client, Endpoint, http::Request};
/// # async fn bot() -> Result<(), Box<dyn std::error::Error>> {
/// let client = Client::from_config("config.yaml")?;
/// let user = client.call(Endpoint::Pod, Request::get("/pod/v2/sessioninfo").body("".into())?).await?;
/// println!("{}", String::from_utf8_lossy(user.body()));
/// client.logout().await?;
/// # Ok(())
/// # }
/// ```
///
/// It is cheap to clone, and all clones share their connections and the session that is kept. It needs a tokio runtime
/// with time and I/O enabled; the computations of handshakes run on its threads for blocking work.
#[derive(Clone)]
pub struct Client {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) connections: Connections,
    pub(crate) reply_limit: usize,
    pub(crate) retry: RetryPolicy,
    pub(crate) keeper: Arc<Keeper>,
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
            links: Links::default(),
            reply_limit: 16 << 20,
            retry: RetryPolicy::default(),
            renew_after: None,
            session: None,
        }
    }

    /// Sends a request once, with the tokens of a session that the client doesn't keep, such as one on behalf of a user.
    /// Returns a reply that means success. With its own session, there is [`Client::call`].
    ///
    /// The request's URI is a path, with a query or not: `/agent/v1/util/echo`. It is appended to the endpoint's URL.
    /// Headers are sent as they are, except `Host`; `Accept: application/json` and `User-Agent` are added when
    /// missing. Redirects are not followed.
    ///
    /// # Errors
    ///
    /// Those of [`Client::session`], where [`Error::Unauthorized`] mostly means that this session has expired;
    /// [`Error::EndpointNotConfigured`] for an Agent whose URL wasn't given; [`Error::ForeignUrl`] if the request
    /// names another host and [`Error::InvalidPath`] for one with dot segments, in which cases nothing was sent;
    /// [`Error::ReplyTooLarge`] beyond
    /// [`ClientBuilder::reply_limit`].
    pub async fn send(
        &self,
        session: &Session,
        endpoint: Endpoint,
        mut request: Request<Bytes>,
    ) -> Result<Response<Bytes>, Error> {
        let channels = self.inner.keeper.channels();
        let channel = channels.of(endpoint)?;
        session.authorize(endpoint, request.headers_mut());
        let response = channel.call(request, self.inner.reply_limit).await?;
        reply::accept(channel.peer(), response)
    }

    /// What connections are secured with at the moment: the identity, the trust anchors and the provider of the
    /// cryptography, for those who bring an HTTP client of their own.
    ///
    /// ALPN offers HTTP/2 and HTTP/1.1, in this order, unless the client was built for [HTTP/1.1
    /// only](ClientBuilder::http1_only): a client that doesn't speak both, or sets this itself, clears
    /// `alpn_protocols`. After [`Client::replace_identity`], ask again.
    ///
    /// Handshakes with it sign where they run: milliseconds on a worker of the runtime, with a large RSA key.
    pub fn tls_config(&self) -> ClientConfig {
        self.inner.keeper.channels().tls()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let channels = self.inner.keeper.channels();
        f.debug_struct("Client")
            .field("pod", channels.pod.peer())
            .field("key_manager", channels.key_manager.peer())
            .field("agent", &channels.agent.as_ref().map(Channel::peer))
            .finish_non_exhaustive()
    }
}

/// Configures a [`Client`].
///
/// ```
/// use std::time::Duration;
/// use auth::{Client, Endpoints, Error, Identity, RetryPolicy, TrustAnchors};
///
/// fn client(identity: Identity, corporate_root: &[u8]) -> Result<Client, Error> {
///     let endpoints = Endpoints::new("https://acme-api.symphony.com:8444", "https://acme-api.symphony.com:8444")?;
///     Client::builder(endpoints, identity)
///         .trust(TrustAnchors::platform()?.and_pem(corporate_root)?)
///         .retry(RetryPolicy::default().attempts(3).deadline(Duration::from_secs(60)))
///         .connect_timeout(Duration::from_secs(5))
///         .build()
/// }
/// ```
#[derive(Debug)]
#[must_use = "a builder does nothing until the client is built"]
pub struct ClientBuilder {
    endpoints: Endpoints,
    identity: Identity,
    trust: Option<TrustAnchors>,
    provider: Option<Arc<CryptoProvider>>,
    tls_versions: Vec<&'static SupportedProtocolVersion>,
    http1_only: bool,
    links: Links,
    reply_limit: usize,
    retry: RetryPolicy,
    renew_after: Option<Duration>,
    session: Option<Session>,
}

impl ClientBuilder {
    /// Whom to trust as a server. Default: [`TrustAnchors::platform`].
    pub fn trust(self, anchors: TrustAnchors) -> Self {
        Self {
            trust: Some(anchors),
            ..self
        }
    }

    /// Go through this proxy to every endpoint, whatever the environment says.
    ///
    /// By default the environment decides, as with most HTTP clients: `HTTPS_PROXY`, or else `ALL_PROXY`, names a
    /// proxy, and `NO_PROXY` the hosts that are reached without (in capitals or not). `localhost` and the loopback
    /// addresses are always reached without then. The environment is read when connections are
    /// set up: when the client is built, and when its identity is replaced.
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.links
            .each(|link| link.proxy = ProxyChoice::Via(proxy.clone()));
        self
    }

    /// Use no proxy, whatever the environment says.
    pub fn no_proxy(mut self) -> Self {
        self.links.each(|link| link.proxy = ProxyChoice::Direct);
        self
    }

    /// Reach each endpoint in its own way.
    pub(crate) fn links(self, links: Links) -> Self {
        Self { links, ..self }
    }

    /// Where TLS takes its cryptography from, but for [RSA signatures](provider). Default: [`provider::graviola`].
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

    /// How long it may take to reach a server: name resolution, TCP, the proxy and TLS together. Default: 15 seconds.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.links.each(|link| link.timeouts.connect = limit);
        self
    }

    /// How long a server may be silent: from the request until the head of its reply, and between pieces of the body.
    /// Default: 60 seconds.
    pub fn read_timeout(mut self, limit: Duration) -> Self {
        self.links.each(|link| link.timeouts.read = limit);
        self
    }

    /// How long one call may take altogether. Default: 120 seconds.
    pub fn total_timeout(mut self, limit: Duration) -> Self {
        self.links.each(|link| link.timeouts.total = limit);
        self
    }

    /// How it is found out that the peer of an HTTP/2 connection has vanished: it is pinged this often, and the connection
    /// and the calls over it fail when that isn't answered within `timeout`. Default: every 20 seconds, and 10 seconds.
    pub fn http2_keep_alive(mut self, interval: Duration, timeout: Duration) -> Self {
        self.links
            .each(|link| link.keep_alive = KeepAlive { interval, timeout });
        self
    }

    /// How large the reply to [`Client::send`] may be, in octets. Default: 16 MiB. A reply is held in memory.
    pub fn reply_limit(self, octets: usize) -> Self {
        Self {
            reply_limit: octets,
            ..self
        }
    }

    /// How [`Client::call`] retries, and whatever else uses the session that the client keeps. Default:
    /// [`RetryPolicy::default`].
    pub fn retry(self, policy: RetryPolicy) -> Self {
        Self {
            retry: policy,
            ..self
        }
    }

    /// Renews the kept session once a call finds it this old. Default: never, a 401 will tell.
    ///
    /// Worth it where the lifetime is known and a call must not wait for a renewal at an unfortunate moment. It happens in
    /// the background, and no call waits for it. It is tried once; if it fails, the tokens are used on, and the next try
    /// comes after the same time. The session that was replaced is logged out once the calls with it have ended.
    pub fn renew_after(self, age: Duration) -> Self {
        Self {
            renew_after: Some(age),
            ..self
        }
    }

    /// Begin with a session that was got before, by a program that ended meanwhile, for example. Default: the first call
    /// authenticates.
    pub fn session(self, session: Session) -> Self {
        Self {
            session: Some(session),
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
    /// implements none of the TLS versions; [`Error::InvalidProxy`] for a proxy from the environment.
    pub fn build(self) -> Result<Client, Error> {
        let provider = match self.provider {
            Some(provider) => provider,
            None => provider::graviola()?,
        };
        let trust = match self.trust {
            Some(trust) => trust,
            None => TrustAnchors::platform()?,
        };
        let connections = Connections {
            endpoints: self.endpoints,
            links: self.links,
            trust,
            provider,
            tls_versions: self.tls_versions,
            http1_only: self.http1_only,
        };
        let channels = connections.under(&self.identity)?;
        let keeper = Keeper::new(channels, self.session, self.retry.clone(), self.renew_after);
        Ok(Client {
            inner: Arc::new(Inner {
                connections,
                reply_limit: self.reply_limit,
                retry: self.retry,
                keeper: Arc::new(keeper),
            }),
        })
    }
}
