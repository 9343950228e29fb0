use std::fmt;

/// One of the ports that a [`Pod`](crate::Pod) listens on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Port {
    /// The Pod without client authentication, as browsers and mobiles reach it.
    Web,
    /// The Pod and the Agent, with client authentication.
    Api,
    /// The Key Manager, with client authentication.
    KeyManager,
}

impl Port {
    pub(crate) const ALL: [Self; 3] = [Self::Web, Self::Api, Self::KeyManager];

    /// As one word, in the text of a [`Rule`](crate::Rule) and in what is logged.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Api => "api",
            Self::KeyManager => "key-manager",
        }
    }

    /// Whether the handshake demands a client certificate.
    pub(crate) fn demands_certificate(self) -> bool {
        match self {
            Self::Web => false,
            Self::Api | Self::KeyManager => true,
        }
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Web => "web",
            Self::Api => "API",
            Self::KeyManager => "key manager",
        })
    }
}

/// One value for each port.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct PerPort<T> {
    pub(crate) web: T,
    pub(crate) api: T,
    pub(crate) key_manager: T,
}

impl<T> PerPort<T> {
    pub(crate) fn of(&self, port: Port) -> &T {
        match port {
            Port::Web => &self.web,
            Port::Api => &self.api,
            Port::KeyManager => &self.key_manager,
        }
    }

    pub(crate) fn of_mut(&mut self, port: Port) -> &mut T {
        match port {
            Port::Web => &mut self.web,
            Port::Api => &mut self.api,
            Port::KeyManager => &mut self.key_manager,
        }
    }

    pub(crate) fn as_ref(&self) -> PerPort<&T> {
        PerPort {
            web: &self.web,
            api: &self.api,
            key_manager: &self.key_manager,
        }
    }

    pub(crate) fn map<U>(self, change: impl Fn(T) -> U) -> PerPort<U> {
        PerPort {
            web: change(self.web),
            api: change(self.api),
            key_manager: change(self.key_manager),
        }
    }
}
