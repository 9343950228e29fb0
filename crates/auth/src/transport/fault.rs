//! What went wrong on a connection, found again under the layers that hide it.

use std::{
    error::Error as StdError,
    fmt, io,
    sync::{Arc, OnceLock},
    time::Duration,
};

use http::{Extensions, StatusCode};
use hyper_util::client::legacy::{self, connect::CaptureConnection};
use rustls::{AlertDescription, InvalidMessage};
use tokio::sync::watch;

use super::reply::printable;
use crate::{Error, OsError, Peer, Phase, error::PROXY_UNKNOWN, proxy::Proxy};

/// A failure of a connection, before it is known whose it is.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    Dns(String),
    ConnectTimeout(Duration),
    Refused,
    Reset,
    Closed,
    Network(io::ErrorKind, Option<OsError>),
    Tls(rustls::Error),
    /// The proxy before the peer.
    Proxy(Proxy, ProxyFault),
    /// The reply isn't HTTP, or not in this measure.
    NotHttp(&'static str),
    Http(String),
}

/// What went wrong with a proxy, before anything was sent to the peer behind it.
#[derive(Debug, Clone)]
pub(crate) enum ProxyFault {
    Unreachable(String),
    AuthenticationRequired,
    Refused(StatusCode),
    Failed(&'static str),
}

impl ProxyFault {
    fn at(self, proxy: Proxy, peer: Peer) -> Error {
        let credentials_sent = proxy.authorization().is_some();
        let proxy = proxy.authority().to_owned();
        match self {
            Self::Unreachable(reason) => Error::ProxyUnreachable {
                peer,
                proxy,
                reason,
            },
            Self::AuthenticationRequired => Error::ProxyAuthenticationRequired {
                peer,
                proxy,
                credentials_sent,
            },
            Self::Refused(status) => Error::ProxyRefused {
                peer,
                proxy,
                status,
            },
            Self::Failed(reason) => Error::ProxyFailed {
                peer,
                proxy,
                reason,
            },
        }
    }
}

impl Fault {
    /// The same failure, met on the way to a proxy. Time limits stay what they are.
    pub(super) fn on_the_way_to(self, proxy: &Proxy) -> Self {
        let reason = match self {
            Self::ConnectTimeout(_) | Self::Network(io::ErrorKind::TimedOut, _) => return self,
            Self::Dns(_) => {
                let fault = ProxyFault::Failed(PROXY_UNKNOWN);
                return Self::Proxy(proxy.clone(), fault);
            }
            Self::Refused => "it refused the connection".to_owned(),
            Self::Reset => "it reset the connection".to_owned(),
            Self::Closed => "it closed the connection".to_owned(),
            Self::Network(kind, None) => kind.to_string(),
            Self::Network(_, Some(error)) => error.to_string(),
            Self::Tls(_) | Self::Proxy(..) | Self::NotHttp(_) | Self::Http(_) => self.to_string(),
        };
        Self::Proxy(proxy.clone(), ProxyFault::Unreachable(reason))
    }

    /// The cause of a failed call. `own` is the fault on the connection that was made for it, if one was: an HTTP/2
    /// connection that dies before its first request leaves no other trace.
    pub(crate) fn of_call(error: &legacy::Error, own: Option<&FaultSlot>) -> Self {
        let recorded = match error.connect_info() {
            Some(connected) => {
                let mut extensions = Extensions::new();
                connected.get_extras(&mut extensions);
                FaultSlot::recorded_in(&extensions)
            }
            None if error.is_connect() => None,
            None => own.and_then(FaultSlot::get),
        };
        Self::choose(recorded, error)
    }

    /// The cause of a body that broke off; `extensions` are those of its response.
    pub(crate) fn of_body(error: &hyper::Error, extensions: &Extensions) -> Self {
        Self::choose(FaultSlot::recorded_in(extensions), error)
    }

    fn choose(recorded: Option<Self>, error: &(dyn StdError + 'static)) -> Self {
        recorded
            .or_else(|| Self::in_chain(error))
            .unwrap_or_else(|| Self::Http(innermost(error)))
    }

    /// Looks for something telling in an error and its sources.
    pub(crate) fn in_chain(error: &(dyn StdError + 'static)) -> Option<Self> {
        let mut vague = None;
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(fault) = error.downcast_ref::<Self>() {
                return Some(fault.clone());
            }
            if let Some(error) = error.downcast_ref::<io::Error>() {
                return Some(Self::of_io(error));
            }
            if let Some(error) = error.downcast_ref::<rustls::Error>() {
                return Some(Self::Tls(error.clone()));
            }
            if let Some(error) = error.downcast_ref::<hyper::Error>() {
                // hyper has a method for this with its server only.
                if error.is_parse() && error.to_string().contains("too large") {
                    return Some(Self::NotHttp("its head is too large"));
                }
                if error.is_parse() {
                    return Some(Self::NotHttp("not HTTP"));
                }
                if error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
                    vague = Some(Self::Closed);
                }
            }
            next = error.source();
        }
        vague
    }

    /// `io::Error::source` skips its own payload, and the payload may be another `io::Error`.
    pub(crate) fn of_io(error: &io::Error) -> Self {
        if let Some(fault) = error.get_ref().and_then(|inner| Self::in_chain(inner)) {
            return fault;
        }
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Self::Refused,
            io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => Self::Reset,
            // h2 says "broken pipe" when the peer closes in good order with a call outstanding.
            io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe => Self::Closed,
            kind => Self::Network(kind, error.raw_os_error().map(OsError)),
        }
    }

    pub(crate) fn at(self, peer: Peer) -> Error {
        match self {
            Self::Dns(reason) => Error::DnsFailed { peer, reason },
            Self::ConnectTimeout(after) => Error::Timeout {
                peer,
                phase: Phase::Connect,
                after,
            },
            Self::Refused => Error::ConnectionRefused { peer },
            Self::Reset => Error::ConnectionReset { peer },
            Self::Closed => Error::ConnectionClosed { peer },
            Self::Network(kind, source) => Error::Network { peer, kind, source },
            Self::Tls(rustls::Error::InvalidCertificate(reason)) => {
                Error::ServerNotTrusted { peer, reason }
            }
            Self::Tls(rustls::Error::AlertReceived(alert)) if is_about_our_certificate(alert) => {
                Error::ClientCertificateRefused { peer, alert }
            }
            Self::Tls(rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType)) => {
                Error::NotTls { peer }
            }
            Self::Tls(reason) => Error::TlsFailed { peer, reason },
            Self::Proxy(proxy, fault) => fault.at(proxy, peer),
            Self::NotHttp(reason) => Error::MalformedReply { peer, reason },
            Self::Http(reason) => Error::Http { peer, reason },
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl StdError for Fault {}

/// Whether a call failed before anything of its request was sent: no connection came about, or the one that was chosen
/// had ended by then.
pub(super) fn before_sending(error: &legacy::Error) -> bool {
    let canceled = || {
        let source = error
            .source()
            .and_then(|source| source.downcast_ref::<hyper::Error>());
        source.is_some_and(hyper::Error::is_canceled)
    };
    error.is_connect() || canceled()
}

/// The alerts that a server sends about a client's certificate, its chain or the signature made with its key
/// (RFC 8446, section 6.2). `handshake_failure` isn't among them: it mostly means that no cipher suite is shared.
fn is_about_our_certificate(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::NoCertificate
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
            | AlertDescription::DecryptError
            | AlertDescription::CertificateRequired
    )
}

fn innermost(error: &(dyn StdError + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    // It may quote the peer.
    printable(&error.to_string())
}

/// The first fault of a connection, and whether there still is one: shared between its stream and the calls made over it.
#[derive(Debug, Clone, Default)]
pub(crate) struct FaultSlot(Arc<Record>);

#[derive(Debug, Default)]
struct Record {
    fault: OnceLock<Fault>,
    ended: watch::Sender<bool>,
}

impl FaultSlot {
    pub(crate) fn record(&self, error: &io::Error) {
        // The first one is the cause, the rest are consequences.
        let _ = self.0.fault.set(Fault::of_io(error));
    }

    pub(crate) fn get(&self) -> Option<Fault> {
        self.0.fault.get().cloned()
    }

    /// The connection exists no more.
    pub(crate) fn end(&self) {
        self.0.ended.send_replace(true);
    }

    /// Returns when the connection exists no more.
    pub(crate) async fn ended(&self) {
        let _ = self.0.ended.subscribe().wait_for(|ended| *ended).await;
    }

    /// That of the connection which a request went to.
    pub(crate) fn of(connection: &CaptureConnection) -> Option<Self> {
        let mut extensions = Extensions::new();
        let connected = connection.connection_metadata();
        connected.as_ref()?.get_extras(&mut extensions);
        extensions.remove()
    }

    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    fn recorded_in(extensions: &Extensions) -> Option<Fault> {
        extensions.get::<Self>().and_then(Self::get)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tls_error_is_found_under_nested_io_errors() {
        let alert = rustls::Error::AlertReceived(AlertDescription::UnknownCA);
        let nested = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, alert.clone()));
        assert!(matches!(Fault::of_io(&nested), Fault::Tls(found) if found == alert));
    }

    #[test]
    fn the_code_of_the_operating_system_is_kept() {
        let peer = Peer::new(crate::Endpoint::Pod, "pod.test:8444");
        let unreachable = io::Error::from_raw_os_error(113);
        let error = Fault::of_io(&unreachable).at(peer);
        let source = error.source().unwrap();
        assert_eq!(source.downcast_ref(), Some(&OsError(113)));
        assert_eq!(source.to_string(), unreachable.to_string());
    }

    #[test]
    fn alerts_are_sorted_by_what_they_are_about() {
        let peer = Peer::new(crate::Endpoint::Pod, "pod.test:8444");
        let error = |alert| Fault::Tls(rustls::Error::AlertReceived(alert)).at(peer.clone());
        assert!(matches!(
            error(AlertDescription::CertificateUnknown),
            Error::ClientCertificateRefused {
                alert: AlertDescription::CertificateUnknown,
                ..
            }
        ));
        assert!(matches!(
            error(AlertDescription::ProtocolVersion),
            Error::TlsFailed { .. }
        ));
    }
}
