use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex, RwLock},
    time::{Duration, SystemTime},
};

use pki::{Certificate, PrivateKey};
use rustls::SupportedProtocolVersion;
use tokio::sync::{Semaphore, watch};

use crate::{
    Error, Pod, Port,
    connection::{ALPN_HTTP1, ALPN_HTTP2, MAX_CONNECTIONS, Server},
    door::Door,
    fault::{Faults, Forger},
    issuer::{self, Issuer},
    open_connections::OpenConnections,
    port::PerPort,
    state::{Clock, Policy, State},
    tasks::Tasks,
    tls::{self, ServerIdentity, Tls},
    tokens::Tokens,
};

/// How a [`Pod`] is to be. Made by [`Pod::builder`]; every setting has a default.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), pod::Error> {
/// use std::time::Duration;
/// use pod::{HttpVersion, Pod, TlsVersion};
///
/// let pod = Pod::builder()
///     .tls_versions([TlsVersion::Tls12])
///     .http_versions([HttpVersion::Http1])
///     .token_lifetime(Duration::from_secs(60))
///     .start()
///     .await?;
/// # pod.shutdown().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a builder does nothing until it is started"]
pub struct PodBuilder {
    addresses: PerPort<SocketAddr>,
    server_certificate: Option<(Vec<Certificate>, PrivateKey)>,
    tls_versions: Vec<TlsVersion>,
    http_versions: Vec<HttpVersion>,
    token_lifetime: Duration,
    minimum_rsa_bits: usize,
    simplified_key_delivery: bool,
    agent_version: String,
    clock: Clock,
}

/// A version of TLS that a pod speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TlsVersion {
    /// TLS 1.2 (RFC 5246).
    Tls12,
    /// TLS 1.3 (RFC 8446).
    Tls13,
}

/// A version of HTTP that a pod speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HttpVersion {
    /// HTTP/1.1 (RFC 9112).
    Http1,
    /// HTTP/2 (RFC 9113).
    Http2,
}

impl Pod {
    /// A pod with every default, to be changed and [started](PodBuilder::start).
    pub fn builder() -> PodBuilder {
        PodBuilder::new()
    }
}

impl PodBuilder {
    pub(crate) fn new() -> Self {
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            addresses: PerPort {
                web: loopback,
                api: loopback,
                key_manager: loopback,
            },
            server_certificate: None,
            tls_versions: vec![TlsVersion::Tls12, TlsVersion::Tls13],
            http_versions: vec![HttpVersion::Http2, HttpVersion::Http1],
            token_lifetime: DEFAULT_TOKEN_LIFETIME,
            minimum_rsa_bits: DEFAULT_MINIMUM_RSA_BITS,
            simplified_key_delivery: false,
            agent_version: DEFAULT_AGENT_VERSION.to_owned(),
            clock: Clock::new(SystemTime::now),
        }
    }

    /// Where the web port listens. Default: 127.0.0.1, on a port that the system chooses.
    pub fn web_address(mut self, address: SocketAddr) -> Self {
        self.addresses.web = address;
        self
    }

    /// Where the API port listens. Default: 127.0.0.1, on a port that the system chooses.
    pub fn api_address(mut self, address: SocketAddr) -> Self {
        self.addresses.api = address;
        self
    }

    /// Where the Key Manager listens. Default: 127.0.0.1, on a port that the system chooses.
    pub fn key_manager_address(mut self, address: SocketAddr) -> Self {
        self.addresses.key_manager = address;
        self
    }

    /// A server certificate from elsewhere: its chain, leaf first, and its key. The last certificate of the chain is
    /// the one that [`Pod::trust_anchor`] hands to clients, and it is sent like the others.
    ///
    /// By default a certificate for `localhost`, the loopback addresses and the addresses listened on is made at the
    /// start, under a CA that exists for this pod alone.
    pub fn server_certificate(
        mut self,
        chain: impl IntoIterator<Item = Certificate>,
        key: PrivateKey,
    ) -> Self {
        self.server_certificate = Some((chain.into_iter().collect(), key));
        self
    }

    /// The TLS versions to speak. Default: 1.2 and 1.3.
    pub fn tls_versions(mut self, versions: impl IntoIterator<Item = TlsVersion>) -> Self {
        self.tls_versions = versions.into_iter().collect();
        self
    }

    /// The HTTP versions to speak, the preferred one first. Default: HTTP/2 and HTTP/1.1.
    pub fn http_versions(mut self, versions: impl IntoIterator<Item = HttpVersion>) -> Self {
        self.http_versions = versions.into_iter().collect();
        self
    }

    /// The lifetime of a token. Default: one hour, the least that a real Pod can be set to.
    pub fn token_lifetime(mut self, lifetime: Duration) -> Self {
        self.token_lifetime = lifetime;
        self
    }

    /// The least length, in bits, of the RSA key in a client's certificate. Default: 4096, below which Symphony
    /// documents that "the cert will be rejected". Keys of other kinds are not measured.
    pub fn minimum_rsa_bits(mut self, bits: usize) -> Self {
        self.minimum_rsa_bits = bits;
        self
    }

    /// Offer simplified key delivery: session tokens claim `canUseSimplifiedKeyDelivery`, and the Agent takes them without
    /// a key manager token. Default: no.
    pub fn simplified_key_delivery(mut self, offered: bool) -> Self {
        self.simplified_key_delivery = offered;
        self
    }

    /// What the Agent tells as its version at `/agent/v1/info`. Default: `Agent-25.6.0`.
    pub fn agent_version(mut self, version: impl Into<String>) -> Self {
        self.agent_version = version.into();
        self
    }

    /// The clock by which client certificates and tokens end. Default: the system's.
    pub fn clock(mut self, now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.clock = Clock::new(now);
        self
    }

    /// Starts the pod on the current tokio runtime. When this returns, the ports are open.
    ///
    /// # Errors
    ///
    /// - [`Error::UnsupportedCpu`] when the processor lacks what the TLS cryptography needs.
    /// - [`Error::NoVersion`] when no TLS version or no HTTP version is left.
    /// - [`Error::Bind`] when a port can't be listened on.
    /// - [`Error::ServerCertificate`] and [`Error::UnusableServerCertificate`] when there is no certificate to serve
    ///   with.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime, or inside one without its I/O and time drivers.
    pub async fn start(self) -> Result<Pod, Error> {
        let provider = Arc::new(tls::provider()?);
        let versions = self.supported_versions()?;
        let alpn = self.protocols()?;

        let doors = PerPort {
            web: bind(Port::Web, self.addresses.web).await?,
            api: bind(Port::Api, self.addresses.api).await?,
            key_manager: bind(Port::KeyManager, self.addresses.key_manager).await?,
        };
        let addresses = doors.as_ref().map(|door| door.address());

        let (identity, issuer) = match self.server_certificate {
            Some((chain, key)) => (ServerIdentity::new(chain, key)?, None),
            None => {
                let names = issuer::local_names(&certified_addresses(&addresses));
                let issuer = names
                    .and_then(|names| Issuer::create("Countersign pod root", names))
                    .map_err(Error::ServerCertificate)?;
                let identity = issuer
                    .issue(issuer.names(), None)
                    .map_err(Error::ServerCertificate)?;
                (identity, Some(issuer))
            }
        };
        let policy = Policy {
            clock: self.clock,
            token_lifetime: self.token_lifetime,
            minimum_rsa_bits: self.minimum_rsa_bits,
            simplified_key_delivery: self.simplified_key_delivery,
            agent_version: self.agent_version,
            algorithms: provider.signature_verification_algorithms,
        };
        let tls = Tls::new(Arc::clone(&provider), versions, alpn, &identity)?;
        // So that a combination that can't work comes to light here.
        tls.config(tls.handshake(None))
            .map_err(Error::UnusableServerCertificate)?;

        let (stop, stopped) = watch::channel(false);
        // The doors belong to those who wait at them, and are gone with them.
        let faults = Faults::new(
            Forger::new(provider, issuer),
            doors.as_ref().map(Arc::downgrade),
        );
        let server = Server {
            state: Arc::new(State {
                certificates: RwLock::default(),
                users: RwLock::default(),
                tokens: Mutex::new(Tokens::new(policy.simplified_key_delivery)),
                records: Mutex::default(),
                open: OpenConnections::default(),
                faults: Arc::new(faults),
                policy,
            }),
            tls: Arc::new(tls),
            http1: self.http_versions.contains(&HttpVersion::Http1),
            connections: Arc::new(Semaphore::new(MAX_CONNECTIONS)),
            tasks: Tasks::default(),
            stop: stopped,
        };
        for port in Port::ALL {
            tracing::info!(port = port.word(), address = %addresses.of(port), "listening");
            let door = Arc::clone(doors.of(port));
            server.tasks.spawn(server.clone().listen(door, port));
        }
        Ok(Pod::new(
            server.state,
            server.tasks,
            stop,
            addresses,
            identity.anchor().clone(),
        ))
    }

    fn supported_versions(&self) -> Result<Vec<&'static SupportedProtocolVersion>, Error> {
        let versions: Vec<_> = self
            .tls_versions
            .iter()
            .map(|version| match version {
                TlsVersion::Tls12 => &rustls::version::TLS12,
                TlsVersion::Tls13 => &rustls::version::TLS13,
            })
            .collect();
        if versions.is_empty() {
            return Err(Error::NoVersion { what: "TLS" });
        }
        Ok(versions)
    }

    fn protocols(&self) -> Result<Vec<Vec<u8>>, Error> {
        let protocols: Vec<_> = self
            .http_versions
            .iter()
            .map(|version| match version {
                HttpVersion::Http1 => ALPN_HTTP1.to_vec(),
                HttpVersion::Http2 => ALPN_HTTP2.to_vec(),
            })
            .collect();
        if protocols.is_empty() {
            return Err(Error::NoVersion { what: "HTTP" });
        }
        Ok(protocols)
    }
}

async fn bind(port: Port, address: SocketAddr) -> Result<Arc<Door>, Error> {
    match Door::bind(address).await {
        Ok(door) => Ok(Arc::new(door)),
        Err(source) => Err(Error::Bind {
            port,
            address,
            source,
        }),
    }
}

/// The addresses under which clients may know the pod.
fn certified_addresses(addresses: &PerPort<SocketAddr>) -> Vec<IpAddr> {
    let mut certified = vec![
        IpAddr::from(Ipv4Addr::LOCALHOST),
        IpAddr::from(Ipv6Addr::LOCALHOST),
    ];
    for port in Port::ALL {
        let address = addresses.of(port).ip();
        if !address.is_unspecified() && !certified.contains(&address) {
            certified.push(address);
        }
    }
    certified
}

const DEFAULT_TOKEN_LIFETIME: Duration = Duration::from_secs(60 * 60);
const DEFAULT_AGENT_VERSION: &str = "Agent-25.6.0";
const DEFAULT_MINIMUM_RSA_BITS: usize = 4096;
