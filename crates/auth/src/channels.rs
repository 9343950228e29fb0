//! The connections to all endpoints, under one identity.

use std::sync::Arc;

use rustls::{ClientConfig, SupportedProtocolVersion, crypto::CryptoProvider};

use crate::{
    Endpoint, Endpoints, Error, Identity, TrustAnchors,
    endpoint::Base,
    identity::Key,
    tls,
    transport::{Ahead, Channel, Link},
    verifier::Verifier,
};

/// What connections are made from, but for the identity.
pub(crate) struct Connections {
    pub(crate) endpoints: Endpoints,
    pub(crate) links: Links,
    pub(crate) trust: TrustAnchors,
    pub(crate) provider: Arc<CryptoProvider>,
    pub(crate) tls_versions: Vec<&'static SupportedProtocolVersion>,
    pub(crate) http1_only: bool,
}

impl Connections {
    /// New ones, under this identity. TLS resumes sessions under the identity that they were begun with, so they are
    /// replaced as a whole.
    pub(crate) fn under(&self, identity: &Identity) -> Result<Channels, Error> {
        let verifier = Verifier::new(self.trust.clone(), Arc::clone(&self.provider))?;
        let tls = tls::client_config(
            identity,
            Arc::new(verifier),
            Arc::clone(&self.provider),
            &self.tls_versions,
            self.http1_only,
        )?;
        let channel = |base: &Base, link: &Link| {
            // rustls finds tickets by host name, whatever the port: one from a port that asked for no certificate,
            // offered at one that does, would resume a session without.
            let tls = Arc::new(tls::with_its_own_tickets(&tls));
            Channel::new(base.clone(), tls, link)
        };
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
            signs_unasked: !matches!(identity.key(), Key::Elsewhere(_)),
            tls,
        })
    }
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
    pub(crate) agent: Option<Channel>,
    /// Whether handshakes need nobody's PIN or finger.
    signs_unasked: bool,
    tls: ClientConfig,
}

impl Channels {
    pub(crate) fn session_auth(&self) -> &Channel {
        self.session_auth.as_ref().unwrap_or(&self.pod)
    }

    pub(crate) fn of(&self, endpoint: Endpoint) -> Result<&Channel, Error> {
        match endpoint {
            Endpoint::Pod => Ok(&self.pod),
            Endpoint::SessionAuth => Ok(self.session_auth()),
            Endpoint::KeyManager => Ok(&self.key_manager),
            Endpoint::Agent => self
                .agent
                .as_ref()
                .ok_or(Error::EndpointNotConfigured { endpoint }),
        }
    }

    /// Connects to the Key Manager while the Pod is asked for its token, if this is the first connection: see [`Channel::connect_ahead`].
    pub(crate) fn connect_to_key_manager_ahead(&self) -> Option<Ahead> {
        let key_manager = Some(&self.key_manager).filter(|_| self.signs_unasked)?;
        key_manager.connect_ahead()
    }

    /// What all of these connections are secured with.
    pub(crate) fn tls(&self) -> ClientConfig {
        tls::with_its_own_tickets(&self.tls)
    }
}
