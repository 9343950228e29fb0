use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use bytes::Bytes;
use http::{Method, Request, Response};
use rustls::{SupportedProtocolVersion, crypto::CryptoProvider};
use tokio::time::sleep;
use tracing::{Instrument, debug_span};

use crate::{
    Endpoint, Endpoints, Error, Identity, Phase, RetryPolicy, Session, Token, TrustAnchors,
    endpoint::Base,
    http::{Channel, Link, reply},
    keeper::Keeper,
    provider,
    proxy::{Proxy, ProxyChoice},
    retry::{Attempts, Transient},
    tls,
    verifier::Verifier,
};

/// Authenticates with a client certificate, and makes the calls that follow.
///
/// There are two ways to use it. [`Client::call`] is the one to run a bot on: it authenticates when it has to, keeps the
/// tokens, renews them when they are over, and tries again what may pass. [`Client::authenticate`] and [`Client::send`]
/// do each one thing once, and leave the session and every decision to the caller.
///
/// It is cheap to clone, and all clones share their connections and the session that is kept. It needs a tokio runtime
/// with time and I/O enabled; handshakes run on its threads for blocking work.
#[derive(Clone)]
pub struct Client {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    /// Replaced as a whole: TLS resumes sessions under the identity that they were begun with.
    channels: RwLock<Arc<Channels>>,
    pub(crate) setup: Setup,
    pub(crate) keeper: Arc<Keeper>,
}

/// What a client was built with, but for the identity.
pub(crate) struct Setup {
    pub(crate) endpoints: Endpoints,
    trust: TrustAnchors,
    provider: Arc<CryptoProvider>,
    tls_versions: Vec<&'static SupportedProtocolVersion>,
    http1_only: bool,
    links: Links,
    pub(crate) reply_limit: usize,
    pub(crate) retry: RetryPolicy,
    pub(crate) renew_after: Option<Duration>,
}

/// How each endpoint is reached.
#[derive(Debug, Clone, Default)]
pub(crate) struct Links {
    pub(crate) session_auth: Link,
    pub(crate) pod: Link,
    pub(crate) key_manager: Link,
    pub(crate) agent: Link,
}

impl Links {
    pub(crate) fn each(&mut self, change: impl Fn(&mut Link)) {
        let Self {
            session_auth,
            pod,
            key_manager,
            agent,
        } = self;
        [session_auth, pod, key_manager, agent]
            .into_iter()
            .for_each(change);
    }
}

/// The connections under one identity.
pub(crate) struct Channels {
    /// Where the Pod gives session tokens, if that isn't where it answers other calls.
    session_auth: Option<Channel>,
    pub(crate) pod: Channel,
    pub(crate) key_manager: Channel,
    agent: Option<Channel>,
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
        self.channels().authenticate(&RetryPolicy::none()).await
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
        let channels = self.channels();
        session.authorize(endpoint, request.headers_mut());
        self.send_over(channels.of(endpoint)?, request).await
    }

    async fn send_over(
        &self,
        channel: &Channel,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, Error> {
        let response = channel.call(request, self.inner.setup.reply_limit).await?;
        reply::accept(channel.peer(), response)
    }

    /// Ends this session at both endpoints, concurrently. For the one that the client keeps there is [`Client::logout`].
    ///
    /// An endpoint that answers 401 has ended it already, which is as good.
    ///
    /// # Errors
    ///
    /// As for [`Client::send`], but for [`Error::Unauthorized`]. Both endpoints are asked even if one fails; if both
    /// fail, the Pod's error is returned.
    pub async fn end(&self, session: &Session) -> Result<(), Error> {
        let channels = self.channels();
        let logout = async |channel, endpoint, path| {
            let mut request = post(path);
            session.authorize(endpoint, request.headers_mut());
            match self.send_over(channel, request).await {
                Ok(_) | Err(Error::Unauthorized { .. }) => Ok(()),
                Err(error) => Err(error),
            }
        };
        let (pod, key_manager) = tokio::join!(
            logout(
                channels.session_auth(),
                Endpoint::Pod,
                "/sessionauth/v1/logout"
            ),
            logout(
                &channels.key_manager,
                Endpoint::KeyManager,
                "/keyauth/v1/logout"
            ),
        );
        pod.and(key_manager)
    }

    /// The connections of the moment.
    pub(crate) fn channels(&self) -> Arc<Channels> {
        let channels = self.inner.channels.read();
        Arc::clone(&channels.unwrap_or_else(PoisonError::into_inner))
    }

    /// From now on, these. The former ones are gone when the last call over them ends.
    pub(crate) fn set_channels(&self, new: Arc<Channels>) {
        let channels = self.inner.channels.write();
        *channels.unwrap_or_else(PoisonError::into_inner) = new;
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let channels = self.channels();
        f.debug_struct("Client")
            .field("pod", channels.pod.peer())
            .field("key_manager", channels.key_manager.peer())
            .field("agent", &channels.agent.as_ref().map(Channel::peer))
            .finish_non_exhaustive()
    }
}

impl Setup {
    /// New connections, under this identity.
    pub(crate) fn channels(&self, identity: &Identity) -> Result<Channels, Error> {
        let verifier = Verifier::new(self.trust.clone(), Arc::clone(&self.provider))?;
        let tls = Arc::new(tls::client_config(
            identity,
            Arc::new(verifier),
            Arc::clone(&self.provider),
            &self.tls_versions,
            self.http1_only,
        )?);
        let channel = |base: &Base, link: &Link| Channel::new(base.clone(), Arc::clone(&tls), link);
        let (at, by) = (&self.endpoints, &self.links);
        let session_auth = at.session_auth.as_ref();
        let agent = at.agent.as_ref();
        Ok(Channels {
            session_auth: session_auth
                .map(|base| channel(base, &by.session_auth))
                .transpose()?,
            pod: channel(&at.pod, &by.pod)?,
            key_manager: channel(&at.key_manager, &by.key_manager)?,
            agent: agent.map(|base| channel(base, &by.agent)).transpose()?,
        })
    }
}

impl Channels {
    fn session_auth(&self) -> &Channel {
        self.session_auth.as_ref().unwrap_or(&self.pod)
    }

    pub(crate) fn of(&self, endpoint: Endpoint) -> Result<&Channel, Error> {
        match endpoint {
            Endpoint::Pod => Ok(&self.pod),
            Endpoint::KeyManager => Ok(&self.key_manager),
            Endpoint::Agent => self
                .agent
                .as_ref()
                .ok_or(Error::EndpointNotConfigured { endpoint }),
        }
    }

    /// Each endpoint is tried again by itself: one that gave its token is not asked for another.
    pub(crate) async fn authenticate(&self, retry: &RetryPolicy) -> Result<Session, Error> {
        let (pod, key_manager) = (self.session_auth(), &self.key_manager);
        let (session, key) = tokio::try_join!(
            request_token(pod, "/sessionauth/v1/authenticate", retry),
            request_token(key_manager, "/keyauth/v1/authenticate", retry),
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
}

async fn request_token(
    channel: &Channel,
    path: &'static str,
    retry: &RetryPolicy,
) -> Result<Token, Error> {
    let attempts = async {
        let mut attempts = Attempts::new(retry);
        loop {
            let result = channel.call(post(path), TOKEN_REPLY_LIMIT).await;
            let transient = match &result {
                Ok(response) => Transient::of_response(response.status(), response.headers()),
                Err(failure) => Transient::of_error(&failure.error, failure.sent),
            };
            // To authenticate twice is harmless.
            match transient.and_then(|transient| attempts.pause(transient, true)) {
                Some(pause) => {
                    let attempt = attempts.made();
                    tracing::debug!(attempt, ?pause, "authentication is tried again");
                    sleep(pause).await;
                }
                None => {
                    let response = reply::accept(channel.peer(), result?)?;
                    return reply::token(channel.peer(), response.body());
                }
            }
        }
    };
    let span = debug_span!("authenticate", peer = %channel.peer());
    match Attempts::within(retry, attempts.instrument(span)).await {
        Ok(result) => result,
        Err(after) => Err(Error::Timeout {
            peer: channel.peer().clone(),
            phase: Phase::Deadline,
            after,
        }),
    }
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
    links: Links,
    reply_limit: usize,
    retry: RetryPolicy,
    renew_after: Option<Duration>,
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

    /// How large the reply to [`Client::send`] may be, in octets. Default: 16 MiB. A reply is held in memory.
    pub fn reply_limit(self, octets: usize) -> Self {
        Self {
            reply_limit: octets,
            ..self
        }
    }

    /// How [`Client::call`] tries again, and whatever else uses the session that the client keeps. Default:
    /// [`RetryPolicy::default`].
    pub fn retry(self, policy: RetryPolicy) -> Self {
        Self {
            retry: policy,
            ..self
        }
    }

    /// Renews the kept session before a call once it is this old. Default: never, a 401 will tell.
    ///
    /// Worth it where the lifetime is known and a call must not wait for a renewal at an unfortunate moment. It is tried
    /// once; if it fails, the tokens are used on, and the next try comes after the same time.
    pub fn renew_after(self, age: Duration) -> Self {
        Self {
            renew_after: Some(age),
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
        let setup = Setup {
            endpoints: self.endpoints,
            trust,
            provider,
            tls_versions: self.tls_versions,
            http1_only: self.http1_only,
            links: self.links,
            reply_limit: self.reply_limit,
            retry: self.retry,
            renew_after: self.renew_after,
        };
        Ok(Client {
            inner: Arc::new(Inner {
                channels: RwLock::new(Arc::new(setup.channels(&self.identity)?)),
                setup,
                keeper: Arc::default(),
            }),
        })
    }
}
