use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    panic::resume_unwind,
    sync::Arc,
    thread,
    time::Duration,
};

use pki::Certificate;
use tokio::sync::watch;

use crate::{
    CertificateType, Error, Fingerprint, HandshakeCounts, ImportedCertificate, Injected, Port,
    RecordedRequest, RefusedCertificate, Rule, Status, User,
    port::PerPort,
    state::State,
    sync::{lock, read, write},
    tasks::Tasks,
    tokens::TokenKind,
};

/// A running Pod, Key Manager and Agent.
///
/// It ends with [`shutdown`](Self::shutdown), which lets requests in flight finish, or when it is dropped, which
/// doesn't. Either raises a panic of the server again, so that a test can't pass over it.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use pod::Pod;
///
/// let pod = Pod::builder().start().await?;
/// pod.create_service_user("demo-bot1")?;
/// pod.inject("any=delay:20ms".parse()?)?;
///
/// // ... a client that trusts `pod.trust_anchor_pem()` calls `pod.api_url()` and `pod.key_manager_url()` ...
///
/// assert_eq!(pod.sessions("demo-bot1"), 0, "it ended what it began");
/// assert!(pod.refused_certificates().is_empty());
/// pod.shutdown().await;
/// # Ok(())
/// # }
/// ```
pub struct Pod {
    state: Arc<State>,
    tasks: Tasks,
    stop: watch::Sender<bool>,
    addresses: PerPort<SocketAddr>,
    trust_anchor: Certificate,
}

/// Starting, addresses, and the end.
impl Pod {
    pub(crate) fn new(
        state: Arc<State>,
        tasks: Tasks,
        stop: watch::Sender<bool>,
        addresses: PerPort<SocketAddr>,
        trust_anchor: Certificate,
    ) -> Self {
        Self {
            state,
            tasks,
            stop,
            addresses,
            trust_anchor,
        }
    }

    /// The Pod without client authentication, for example `https://localhost:8443`. No slash at the end.
    pub fn web_url(&self) -> String {
        self.url(Port::Web)
    }

    /// The Pod with client authentication. No slash at the end.
    pub fn api_url(&self) -> String {
        self.url(Port::Api)
    }

    /// The Key Manager. No slash at the end.
    pub fn key_manager_url(&self) -> String {
        self.url(Port::KeyManager)
    }

    /// The Agent, whose calls start with `/agent`. It shares the API port. No slash at the end.
    pub fn agent_url(&self) -> String {
        self.api_url()
    }

    /// The address that a port listens on.
    pub fn address(&self, port: Port) -> SocketAddr {
        *self.addresses.of(port)
    }

    /// The certificate that a client has to trust.
    pub fn trust_anchor(&self) -> &Certificate {
        &self.trust_anchor
    }

    /// The certificate that a client has to trust, as PEM.
    pub fn trust_anchor_pem(&self) -> String {
        self.trust_anchor.to_pem()
    }

    /// Closes the ports, lets requests in flight finish within a few seconds, and returns when all is gone.
    ///
    /// # Panics
    ///
    /// With the panic of the server, if it had one.
    pub async fn shutdown(self) {
        self.stop.send_replace(true);
        self.tasks.finish(SHUTDOWN_TIME).await;
        // Dropping raises the panic.
    }

    fn url(&self, port: Port) -> String {
        let address = self.address(port);
        // A name where the certificate has one: it goes into SNI, as with a real Pod.
        match address.ip() {
            IpAddr::V4(Ipv4Addr::LOCALHOST | Ipv4Addr::UNSPECIFIED) => {
                format!("https://localhost:{}", address.port())
            }
            IpAddr::V6(ip) if ip.is_unspecified() => {
                format!("https://localhost:{}", address.port())
            }
            _ => format!("https://{address}"),
        }
    }
}

/// What an administrator does.
impl Pod {
    /// Imports one certificate, PEM or DER. It is [trusted](Status::Trusted) from the next handshake on.
    ///
    /// A signing certificate needs a subject, basicConstraints with the CA bit, and keyCertSign where there is a keyUsage. A
    /// self-signed X.509 v1 certificate is one too, because the administrator says so (RFC 5280, section 6.1.4 (k)).
    ///
    /// # Errors
    ///
    /// - [`Error::MalformedCertificate`] when it can't be read, [`Error::SeveralCertificates`] when there is more.
    /// - [`Error::CertificateExists`] when it was imported before, as whatever, or a copy that differs in its signature.
    /// - [`Error::CertificateExpired`] when it has expired.
    /// - [`Error::NotAnAuthority`] when a signing certificate may not sign.
    /// - [`Error::KeyTooSmall`] when a client certificate's RSA key is below the
    ///   [minimum](crate::PodBuilder::minimum_rsa_bits).
    pub fn import_certificate(
        &self,
        pem_or_der: impl AsRef<[u8]>,
        kind: CertificateType,
    ) -> Result<ImportedCertificate, Error> {
        let policy = &self.state.policy;
        let now = policy.clock.now();
        let mut store = write(&self.state.certificates);
        Arc::make_mut(&mut store).import(pem_or_der.as_ref(), kind, policy.minimum_rsa_bits, now)
    }

    /// Changes what the Pod thinks of a certificate, from the next handshake, and the next `authenticate`, on.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownCertificate`] when it was not imported.
    pub fn set_status(&self, fingerprint: Fingerprint, status: Status) -> Result<(), Error> {
        Arc::make_mut(&mut write(&self.state.certificates)).set_status(fingerprint, status)
    }

    /// The imported certificates, in the order of their import.
    pub fn certificates(&self) -> Vec<ImportedCertificate> {
        read(&self.state.certificates).list()
    }

    /// Creates a service user, enabled and allowed to use certificates.
    ///
    /// # Errors
    ///
    /// [`Error::UserExists`], and [`Error::InvalidUsername`] when the name is empty or longer than a Common Name.
    pub fn create_service_user(&self, username: impl Into<String>) -> Result<User, Error> {
        write(&self.state.users).create(username.into())
    }

    /// Enables or disables a user. Disabling ends the user's tokens.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownUser`].
    pub fn set_user_enabled(&self, username: &str, enabled: bool) -> Result<(), Error> {
        write(&self.state.users).find_mut(username)?.enabled = enabled;
        if !enabled {
            lock(&self.state.tokens).revoke_user(username);
        }
        Ok(())
    }

    /// Says whether a user may authenticate by certificate. Tokens that the user has stay valid.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownUser`].
    pub fn set_certificates_allowed(&self, username: &str, allowed: bool) -> Result<(), Error> {
        write(&self.state.users)
            .find_mut(username)?
            .certificates_allowed = allowed;
        Ok(())
    }

    /// Ends every token that was issued so far.
    pub fn expire_tokens(&self) {
        lock(&self.state.tokens).clear();
    }
}

/// What goes wrong.
impl Pod {
    /// Makes something go wrong, from the next connection, handshake or request on, until the rule has struck as often
    /// as it should or is removed.
    ///
    /// # Errors
    ///
    /// - [`Error::FaultContradiction`] when the rule could never strike.
    /// - [`Error::NoServerAuthority`] for a [server certificate](crate::Fault::ServerCertificate) when the pod was given
    ///   its own, [`Error::ServerCertificate`] when none can be made.
    pub fn inject(&self, rule: Rule) -> Result<Injected, Error> {
        self.state.faults.inject(rule)
    }

    /// Ends every rule.
    pub fn clear_faults(&self) {
        self.state.faults.clear();
    }
}

/// What a test looks at.
impl Pod {
    /// The requests that were answered, in the order of their answers. Only the last 10,000 are kept.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        lock(&self.state.records).requests()
    }

    /// How many requests for this path were recorded, on all ports, since the start. Counted for the first 1,000
    /// paths.
    pub fn requests_to(&self, path: &str) -> u64 {
        lock(&self.state.records).requests_to(path)
    }

    /// How many sessions a user has: tokens that the Pod gave, and that were neither logged out nor have expired.
    pub fn sessions(&self, username: &str) -> usize {
        let now = self.state.policy.clock.now();
        lock(&self.state.tokens).count(TokenKind::Session, username, now)
    }

    /// How many connections to a port are open: from the time that they were accepted until both sides have closed
    /// them. To a client that doesn't close a connection that the pod has ended, two seconds are given.
    pub fn open_connections(&self, port: Port) -> usize {
        self.state.open.count(port)
    }

    /// Returns when no connection is open. Under a time-out, this proves that a client leaks none.
    pub async fn all_closed(&self) {
        self.state.open.none().await;
    }

    /// How many handshakes a port saw.
    pub fn handshakes(&self, port: Port) -> HandshakeCounts {
        lock(&self.state.records).handshakes(port)
    }

    /// The client certificates that were not accepted, in order, and why. Only the last 1,000 are kept.
    pub fn refused_certificates(&self) -> Vec<RefusedCertificate> {
        lock(&self.state.records).refused_certificates()
    }
}

impl Drop for Pod {
    fn drop(&mut self) {
        self.tasks.abort();
        if let Some(panic) = self.tasks.take_panic()
            && !thread::panicking()
        {
            resume_unwind(panic);
        }
    }
}

impl fmt::Debug for Pod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pod")
            .field("web", &self.addresses.web)
            .field("api", &self.addresses.api)
            .field("key_manager", &self.addresses.key_manager)
            .finish_non_exhaustive()
    }
}

const SHUTDOWN_TIME: Duration = Duration::from_secs(5);
