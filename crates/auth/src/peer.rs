use std::{fmt, sync::Arc};

/// One of the services that a bot talks to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Endpoint {
    /// The Pod: `sessionauth`, `pod` and `login` calls. Gives the session token.
    Pod,
    /// The Key Manager: `keyauth` and `relay` calls. Gives the key manager token.
    KeyManager,
    /// The Agent: `agent` calls. Takes both tokens and gives none.
    Agent,
    /// The Pod where it authenticates, if that isn't where it answers other calls: see
    /// [`Endpoints::session_auth`](crate::Endpoints::session_auth). Otherwise the same as [`Endpoint::Pod`].
    SessionAuth,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pod => "Pod",
            Self::SessionAuth => "Pod's sessionAuth",
            Self::KeyManager => "Key Manager",
            Self::Agent => "Agent",
        })
    }
}

/// Who a failed call was made to: which service, and where it was looked for.
///
/// Displays as `Pod at acme.symphony.com:8444`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Peer {
    endpoint: Endpoint,
    authority: Arc<str>,
}

impl Peer {
    pub(crate) fn new(endpoint: Endpoint, authority: impl Into<Arc<str>>) -> Self {
        Self {
            endpoint,
            authority: authority.into(),
        }
    }

    /// Which service it is.
    pub fn endpoint(&self) -> Endpoint {
        self.endpoint
    }

    /// Host and port, for example `acme.symphony.com:8444`.
    pub fn authority(&self) -> &str {
        &self.authority
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.endpoint, self.authority)
    }
}
