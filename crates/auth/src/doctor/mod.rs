//! Finds out why authentication doesn't work, or that it does.
//!
//! ```no_run
//! use auth::{Endpoints, TrustAnchors, doctor::Doctor};
//!
//! # async fn examine(passphrase: pki::Passphrase) -> Result<(), Box<dyn std::error::Error>> {
//! let endpoints = Endpoints::new("https://acme-api.symphony.com:8444", "https://acme-api.symphony.com:8444")?;
//! let report = Doctor::new(endpoints, std::fs::read("demo-bot1.p12")?, passphrase)
//!     .username("demo-bot1")
//!     .trust(TrustAnchors::platform()?)
//!     .examine()
//!     .await;
//! println!("{report}");
//! assert!(report.is_healthy());
//! # Ok(())
//! # }
//! ```
//!
//! First the identity is looked at, then each endpoint is called as a [`Client`](crate::Client) would call it, over
//! connections whose handshakes are watched. Every [`Finding`] has a stable identifier; the [`CATALOGUE`] lists them all
//! with what they mean and what to do. Tokens that are got on the way are given back.

mod catalogue;
mod diagnosis;
mod report;
mod bundle;
mod watch;
mod call;

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use http::Request;
use pki::{Certificate, KeyAlgorithm, Passphrase};
use rustls::crypto::CryptoProvider;
use zeroize::Zeroizing;

use self::{call::Watched, catalogue as found, watch::Watch};
pub use self::{
    catalogue::{CATALOGUE, Kind, Severity},
    report::{Finding, Report},
};
use crate::{
    Endpoint, Endpoints, Error, Identity, Proxy, Token, TrustAnchors, TrustSource,
    channels::Links,
    config::BdkConfig,
    endpoint::Base,
    login::delivers_keys_simply,
    provider,
    proxy::ProxyChoice,
    transport::{Channel, Link},
};

/// Looks at the certificates of a client, the leaf first, and at the kind of its key, and calls nobody: what
/// [`Doctor::examine`] would find in a file that holds them, at the time `now`.
pub fn examine_chain(key: KeyAlgorithm, certificates: &[Certificate], now: SystemTime) -> Report {
    let mut report = Report::default();
    bundle::look_at(&mut report, key, certificates, None, now);
    report
}

/// Examines an identity, and the endpoints that it is for.
#[derive(Debug)]
#[must_use = "a doctor finds nothing before the examination"]
pub struct Doctor {
    endpoints: Endpoints,
    links: Links,
    identity: Zeroizing<Vec<u8>>,
    passphrase: Option<Passphrase>,
    username: Option<String>,
    only: Option<Endpoint>,
    trust: Option<TrustAnchors>,
    provider: Option<Arc<CryptoProvider>>,
    now: SystemTime,
    report: Report,
}

impl Doctor {
    /// For the content of a PKCS#12 file, or of PEM with key and certificate, and the passphrase that opens it.
    pub fn new(
        endpoints: Endpoints,
        identity: impl Into<Vec<u8>>,
        passphrase: impl Into<Option<Passphrase>>,
    ) -> Self {
        Self {
            endpoints,
            links: Links::default(),
            identity: Zeroizing::new(identity.into()),
            passphrase: passphrase.into(),
            username: None,
            only: None,
            trust: None,
            provider: None,
            now: SystemTime::now(),
            report: Report::default(),
        }
    }

    /// For all that a configuration of the official clients says but the identity, which is given apart because its
    /// passphrase may have to be asked for. What the configuration says in vain becomes a finding.
    ///
    /// # Errors
    ///
    /// Those of [`BdkConfig::trust_anchors`].
    pub fn of_config(
        config: &BdkConfig,
        identity: impl Into<Vec<u8>>,
        passphrase: impl Into<Option<Passphrase>>,
    ) -> Result<Self, Error> {
        let mut doctor = Self::new(config.endpoints().clone(), identity, passphrase);
        doctor.links = config.links().clone();
        doctor.username = config.username().map(str::to_owned);
        doctor.trust = Some(config.trust_anchors()?);
        for notice in config.notices() {
            doctor
                .report
                .add("configuration", &found::CONFIGURATION_IGNORED, notice);
        }
        Ok(doctor)
    }

    /// The service user that the Common Name should equal. Default: nothing to compare with.
    pub fn username(mut self, name: impl Into<String>) -> Self {
        self.username = Some(name.into());
        self
    }

    /// Whom to trust as a server. Default: [`TrustAnchors::platform`].
    pub fn trust(mut self, anchors: TrustAnchors) -> Self {
        self.trust = Some(anchors);
        self
    }

    /// As [`ClientBuilder::proxy`](crate::ClientBuilder::proxy).
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.links
            .each(|link| link.proxy = ProxyChoice::Via(proxy.clone()));
        self
    }

    /// As [`ClientBuilder::no_proxy`](crate::ClientBuilder::no_proxy).
    pub fn no_proxy(mut self) -> Self {
        self.links.each(|link| link.proxy = ProxyChoice::Direct);
        self
    }

    /// As [`ClientBuilder::connect_timeout`](crate::ClientBuilder::connect_timeout).
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.links.each(|link| link.timeouts.connect = limit);
        self
    }

    /// As [`ClientBuilder::read_timeout`](crate::ClientBuilder::read_timeout).
    pub fn read_timeout(mut self, limit: Duration) -> Self {
        self.links.each(|link| link.timeouts.read = limit);
        self
    }

    /// As [`ClientBuilder::total_timeout`](crate::ClientBuilder::total_timeout).
    pub fn total_timeout(mut self, limit: Duration) -> Self {
        self.links.each(|link| link.timeouts.total = limit);
        self
    }

    /// As [`ClientBuilder::provider`](crate::ClientBuilder::provider).
    pub fn provider(mut self, provider: Arc<CryptoProvider>) -> Self {
        self.provider = Some(provider);
        self
    }

    /// The time at which the client certificate must be valid. Default: now.
    pub fn at(mut self, now: SystemTime) -> Self {
        self.now = now;
        self
    }

    /// Call this endpoint alone, after those whose tokens it takes: the Pod none but the one that authenticates, the Agent both.
    /// Default: all of them.
    ///
    /// # Errors
    ///
    /// [`Error::EndpointNotConfigured`] for an Agent whose URL wasn't given.
    pub fn only(mut self, endpoint: Endpoint) -> Result<Self, Error> {
        if endpoint == Endpoint::Agent && self.endpoints.agent.is_none() {
            return Err(Error::EndpointNotConfigured { endpoint });
        }
        self.only = Some(endpoint);
        Ok(self)
    }

    /// Looks at everything, or at [one endpoint](Doctor::only). It needs a tokio runtime with time and I/O enabled.
    pub async fn examine(mut self) -> Report {
        let mut report = std::mem::take(&mut self.report);
        let identity = bundle::examine(
            &mut report,
            &self.identity,
            self.passphrase.as_ref(),
            self.username.as_deref(),
            self.now,
        );
        if let Some(identity) = identity
            && let Err(error) = self.call_all(&mut report, &identity).await
        {
            let kind = Kind::of(&error).unwrap_or(&found::CLIENT_UNUSABLE);
            report.add("client", kind, error);
        }
        report
    }

    /// Whether one of these is to be called.
    fn calls<const N: usize>(&self, endpoints: [Endpoint; N]) -> bool {
        self.only.is_none_or(|only| endpoints.contains(&only))
    }

    async fn call_all(&self, report: &mut Report, identity: &Identity) -> Result<(), Error> {
        let provider = match &self.provider {
            Some(provider) => Arc::clone(provider),
            None => provider::graviola()?,
        };
        let trust = match &self.trust {
            Some(trust) => trust.clone(),
            None => TrustAnchors::platform()?,
        };
        report.add("client", &found::TRUST_ANCHORS, listed(&trust));
        let watched = |base: &Base, link: &Link| -> Result<Watched<'_>, Error> {
            let watch = Watch::default();
            let tls = watch::config(identity, &trust, Arc::clone(&provider), &watch)?;
            Ok(Watched {
                channel: Channel::new(base.clone(), Arc::new(tls), link)?,
                origin: base.origin(),
                proxy: link.proxy.resolve(&base.origin())?,
                resolve_within: link.timeouts.connect,
                watch,
                identity,
            })
        };
        let (at, by) = (&self.endpoints, &self.links);
        let pod = watched(&at.pod, &by.pod)?;
        let own_session_auth = match &at.session_auth {
            Some(base) => Some(watched(base, &by.session_auth)?),
            None => None,
        };
        let key_manager = watched(&at.key_manager, &by.key_manager)?;
        let agent = match &at.agent {
            Some(base) => Some(watched(base, &by.agent)?),
            None => None,
        };

        // Nothing returns early from here on: tokens are given back at the end.
        let session_auth = own_session_auth.as_ref().unwrap_or(&pod);
        let session_token = if self.calls([Endpoint::SessionAuth, Endpoint::Pod, Endpoint::Agent]) {
            session_auth.way_there(report).await;
            session_auth
                .authenticate(report, "/sessionauth/v1/authenticate")
                .await
        } else {
            None
        };

        let agent_channel = agent.as_ref().map(|agent| &agent.channel);
        let dispensable = match &session_token {
            Some(token) if self.calls([Endpoint::Agent]) => {
                delivers_keys_simply(token, agent_channel).await
            }
            _ => false,
        };
        let key_manager_token = if !self.calls([Endpoint::KeyManager, Endpoint::Agent]) {
            None
        } else if dispensable {
            report.add(key_manager.peer(), &found::KEY_MANAGER_DISPENSABLE, "");
            None
        } else {
            key_manager.way_there(report).await;
            key_manager
                .authenticate(report, "/keyauth/v1/authenticate")
                .await
        };

        if let Some(token) = &session_token
            && self.calls([Endpoint::Pod])
        {
            if own_session_auth.is_some() {
                pod.way_there(report).await;
            }
            let request = with(Request::get("/pod/v2/sessioninfo"), [token]);
            pod.uses(report, request, "").await;
        }
        if let (Some(agent), Some(session)) = (&agent, &session_token)
            && (dispensable || key_manager_token.is_some())
            && self.calls([Endpoint::Agent])
        {
            agent.way_there(report).await;
            let tokens = std::iter::once(session).chain(&key_manager_token);
            let request = with(Request::post("/agent/v1/util/echo"), tokens)
                .header("content-type", "application/json");
            agent.uses(report, request, r#"{"message":"hello"}"#).await;
        }

        // Not a matter of the examination, so it may fail.
        if let Some(token) = &session_token {
            let request = with(Request::post("/sessionauth/v1/logout"), [token]);
            let _ = session_auth.call(request).await;
        }
        if let Some(token) = &key_manager_token {
            let request = with(Request::post("/keyauth/v1/logout"), [token]);
            let _ = key_manager.call(request).await;
        }
        Ok(())
    }
}

/// The roots that were given, one by one, and the number of the platform's.
fn listed(trust: &TrustAnchors) -> String {
    const MOST: usize = 10;
    let (platform, given): (Vec<_>, Vec<_>) = trust
        .certificates()
        .iter()
        .partition(|anchor| *anchor.source() == TrustSource::Platform);
    let mut parts: Vec<String> = given.iter().take(MOST).map(ToString::to_string).collect();
    match given.len().saturating_sub(MOST) {
        0 => {}
        more => parts.push(format!("{more} more that were given")),
    }
    match platform.len() {
        0 => parts.push("none of the platform's".to_owned()),
        count => parts.push(format!("{count} of the platform's")),
    }
    parts.join("; ")
}

fn with<'t>(
    request: http::request::Builder,
    tokens: impl IntoIterator<Item = &'t Token>,
) -> http::request::Builder {
    tokens.into_iter().fold(request, |request, token| {
        request.header(token.header_name().clone(), token.header_value().clone())
    })
}
