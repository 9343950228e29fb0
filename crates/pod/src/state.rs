use std::{
    fmt,
    sync::{Arc, Mutex, RwLock},
    time::{Duration, SystemTime},
};

use rustls::crypto::WebPkiSupportedAlgorithms;

use crate::{
    certificates::CertificateStore, fault::Faults, open_connections::OpenConnections,
    record::Records, tokens::Tokens, users::Users,
};

/// What the ports share.
#[derive(Debug)]
pub(crate) struct State {
    /// Copied on write: a handshake keeps the certificates that it began with.
    pub(crate) certificates: RwLock<Arc<CertificateStore>>,
    pub(crate) users: RwLock<Users>,
    pub(crate) tokens: Mutex<Tokens>,
    pub(crate) records: Mutex<Records>,
    pub(crate) open: OpenConnections,
    pub(crate) faults: Arc<Faults>,
    pub(crate) policy: Policy,
}

/// What doesn't change while the pod runs.
#[derive(Debug, Clone)]
pub(crate) struct Policy {
    pub(crate) clock: Clock,
    pub(crate) token_lifetime: Duration,
    pub(crate) minimum_rsa_bits: usize,
    pub(crate) simplified_key_delivery: bool,
    pub(crate) agent_version: String,
    pub(crate) algorithms: WebPkiSupportedAlgorithms,
}

/// Tells the time.
#[derive(Clone)]
pub(crate) struct Clock(Arc<dyn Fn() -> SystemTime + Send + Sync>);

impl Clock {
    pub(crate) fn new(now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    pub(crate) fn now(&self) -> SystemTime {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}
