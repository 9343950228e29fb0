use std::{
    fmt, io,
    path::PathBuf,
    time::{Duration, SystemTime},
};

use http::StatusCode;
use rustls::{AlertDescription, CertificateError, pki_types::UnixTime};

use crate::{Endpoint, Peer, date::Date};

/// Everything that can go wrong in this crate.
///
/// A variant with a `peer` says which service failed and where it was looked for; [`doctor::Kind::of`](crate::doctor::Kind::of)
/// gives the next step.
/// No variant holds a secret: no token, no passphrase, no key material. Text that a server sent (`message`) is cut to
/// 400 characters and freed of control characters.
///
/// ```no_run
/// use auth::{Client, Error};
///
/// # async fn bot(client: Client) -> Result<(), Error> {
/// match client.session().await {
///     Err(Error::Unauthorized { peer, .. }) => eprintln!("{peer} does not know this bot"),
///     Err(error) => return Err(error),
///     Ok(_) => {}
/// }
/// # Ok(())
/// # }
/// ```
///
/// It is `Clone`, so that several tasks that waited for one call can all be told how it ended.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    // --- Before anything is sent --------------------------------------------------------------------------------
    /// The client identity can't be read, or its key doesn't belong to its certificate.
    #[error("client identity: {0}")]
    Identity(pki::Error),
    /// The TLS provider can't sign with this kind of key.
    #[error("the TLS provider does not support the client identity's {algorithm} key")]
    #[non_exhaustive]
    UnsupportedKey {
        /// The kind of key, for example "Ed25519".
        algorithm: String,
    },
    /// A URL that can't be an endpoint.
    #[error("URL of the {endpoint}: {reason}")]
    #[non_exhaustive]
    InvalidUrl {
        /// Which URL.
        endpoint: Endpoint,
        /// What is wrong with it. The URL itself is left out: it may hold a password.
        reason: &'static str,
    },
    /// No URL was given for this service.
    #[error("no URL of the {endpoint} was given")]
    #[non_exhaustive]
    EndpointNotConfigured {
        /// The service that was called.
        endpoint: Endpoint,
    },
    /// A request is for a URL that belongs to no endpoint of the client. Nothing was sent.
    #[error("no endpoint is at {found}")]
    #[non_exhaustive]
    UnknownTarget {
        /// Scheme, host and port that the request names.
        found: String,
    },
    /// The body of a request, which its maker gives piece by piece, ended in an error. Nothing was sent.
    #[error("body of the request: {reason}")]
    #[non_exhaustive]
    RequestBody {
        /// What its maker said.
        reason: String,
    },
    /// A configuration file that can't be understood.
    #[error("configuration{}: {}{reason}", at_line(*.line), key_prefix(.key))]
    #[non_exhaustive]
    Configuration {
        /// The line, counted from one; 0 where none is to blame, as for a key that is missing.
        line: usize,
        /// The key, for example `pod.port`; empty when the text isn't YAML at all.
        key: String,
        /// What is wrong. Values are left out: they may be passwords.
        reason: String,
    },
    /// A file can't be read: that of an identity, a configuration, or one that it names.
    #[error("{}: {}", .path.display(), file_problem(*.kind))]
    #[non_exhaustive]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system reported.
        kind: io::ErrorKind,
    },
    /// A request names a host that isn't the endpoint it is sent to. Nothing was sent, and no token went there.
    #[error("request for {found}, which is not the {peer}")]
    #[non_exhaustive]
    ForeignUrl {
        /// The endpoint that the request was given to.
        peer: Peer,
        /// Scheme, host and port that the request names.
        found: String,
    },
    /// A request's path has dot segments, plain or encoded, which would lead out of the endpoint's context. Nothing was
    /// sent.
    #[error("request for the {peer}: {reason}")]
    #[non_exhaustive]
    InvalidPath {
        /// The endpoint that the request was given to.
        peer: Peer,
        /// What is wrong with the path.
        reason: &'static str,
    },
    /// A token that can't be presented.
    #[error("token: {reason}")]
    #[non_exhaustive]
    InvalidToken {
        /// What is wrong with it. The token itself is left out.
        reason: &'static str,
    },
    /// The trust anchors can't be read.
    #[error("trust anchors: {0}")]
    TrustAnchors(pki::Error),
    /// A certificate that TLS can't use as a trust anchor.
    #[error("trust anchor {index} is unusable: {reason}")]
    #[non_exhaustive]
    InvalidTrustAnchor {
        /// Its place in the input, counted from one.
        index: usize,
        /// What is wrong with it.
        reason: CertificateError,
    },
    /// The platform's certificate store gave no usable root.
    #[error("the platform's certificate store holds no usable root{}", joined(.reasons))]
    #[non_exhaustive]
    NoPlatformRoots {
        /// What went wrong while reading the store; empty when it was simply empty.
        reasons: Vec<String>,
    },
    /// The processor lacks instructions that the default TLS provider needs.
    #[error("the default TLS provider needs processor features that are missing here: {}", .missing.join(", "))]
    #[non_exhaustive]
    UnsupportedCpu {
        /// The missing features, by the names that Rust gives them.
        missing: Vec<&'static str>,
    },
    /// A proxy that can't be used. Nothing was sent, neither through it nor past it.
    #[error("proxy{}: {reason}", .origin.map_or_else(String::new, |name| format!(" in {name}")))]
    #[non_exhaustive]
    InvalidProxy {
        /// The environment variable that names it; `None` when it was given otherwise.
        origin: Option<&'static str>,
        /// What is wrong with it. The URL itself is left out: it may hold a password.
        reason: &'static str,
    },
    /// The TLS provider doesn't fit the chosen protocol versions.
    #[error("TLS configuration: {0}")]
    TlsConfiguration(rustls::Error),

    // --- Reaching the peer --------------------------------------------------------------------------------------
    /// The host name doesn't resolve.
    #[error("the host name of the {peer} does not resolve: {reason}")]
    #[non_exhaustive]
    DnsFailed {
        /// Who was called.
        peer: Peer,
        /// What the resolver said.
        reason: String,
    },
    /// Nothing listens there.
    #[error("{peer} refused the connection")]
    #[non_exhaustive]
    ConnectionRefused {
        /// Who was called.
        peer: Peer,
    },
    /// The connection was reset, in the handshake or later.
    #[error("{peer} reset the connection")]
    #[non_exhaustive]
    ConnectionReset {
        /// Who was called.
        peer: Peer,
    },
    /// The connection was closed before the reply was complete.
    #[error("{peer} closed the connection before its reply was complete")]
    #[non_exhaustive]
    ConnectionClosed {
        /// Who was called.
        peer: Peer,
    },
    /// Any other failure of the network, such as an unreachable host.
    #[error("connection to the {peer}: {kind}")]
    #[non_exhaustive]
    Network {
        /// Who was called.
        peer: Peer,
        /// What the operating system reported.
        kind: io::ErrorKind,
        /// The same in its own words, if it came from there.
        #[source]
        source: Option<OsError>,
    },
    /// Something took longer than it may.
    #[error("{peer}: {phase} took more than {after:?}")]
    #[non_exhaustive]
    Timeout {
        /// Who was called.
        peer: Peer,
        /// What took too long.
        phase: Phase,
        /// The limit that was exceeded.
        after: Duration,
    },

    /// There was no success within the [deadline](crate::RetryPolicy::deadline), whatever was tried.
    #[error("{peer}: no success within {after:?}")]
    #[non_exhaustive]
    DeadlineExceeded {
        /// Who was asked when the time was up. That may be an endpoint that authenticates, and not the one that was called.
        peer: Peer,
        /// The length of the deadline.
        after: Duration,
        /// How the latest attempt there failed before; `None` if the first one had no end.
        #[source]
        latest: Option<Box<Error>>,
    },

    // --- Through a proxy ----------------------------------------------------------------------------------------
    /// No connection to the proxy before the peer.
    #[error("proxy {proxy} before the {peer} is unreachable: {reason}")]
    #[non_exhaustive]
    ProxyUnreachable {
        /// Who was called.
        peer: Peer,
        /// Host and port of the proxy.
        proxy: String,
        /// What happened.
        reason: String,
    },
    /// 407: the proxy wants a user name and a password, or others.
    #[error("proxy {proxy} before the {peer} {}", if *.credentials_sent { "does not accept the user name and password" } else { "wants a user name and a password" })]
    #[non_exhaustive]
    ProxyAuthenticationRequired {
        /// Who was called.
        peer: Peer,
        /// Host and port of the proxy.
        proxy: String,
        /// Whether a user name and a password were sent.
        credentials_sent: bool,
    },
    /// The proxy won't, or can't, connect to the peer.
    #[error("proxy {proxy} refused to connect to the {peer}: {status}")]
    #[non_exhaustive]
    ProxyRefused {
        /// Who was called.
        peer: Peer,
        /// Host and port of the proxy.
        proxy: String,
        /// The status that it answered.
        status: StatusCode,
    },
    /// What was taken for a proxy doesn't behave like one.
    #[error("proxy {proxy} before the {peer}: {reason}")]
    #[non_exhaustive]
    ProxyFailed {
        /// Who was called.
        peer: Peer,
        /// Host and port of the proxy.
        proxy: String,
        /// What it did.
        reason: &'static str,
    },

    // --- TLS ----------------------------------------------------------------------------------------------------
    /// Whatever answers there doesn't speak TLS.
    #[error("{peer} does not speak TLS")]
    #[non_exhaustive]
    NotTls {
        /// Who was called.
        peer: Peer,
    },
    /// The server's certificate isn't trusted, is out of date, or is for another host.
    #[error("the certificate of the {peer} is not trusted: {}", Distrust(.reason))]
    #[non_exhaustive]
    ServerNotTrusted {
        /// Who was called.
        peer: Peer,
        /// Why.
        reason: CertificateError,
    },
    /// The server refused the client certificate, or wanted one and got none that it could use.
    #[error("{peer} refused the client certificate: alert {}", AlertName(*.alert))]
    #[non_exhaustive]
    ClientCertificateRefused {
        /// Who was called.
        peer: Peer,
        /// The alert that it sent (RFC 8446, section 6.2).
        alert: AlertDescription,
    },
    /// The TLS connection failed for any other reason: no common version or cipher suite, another alert, a violation
    /// of the protocol.
    #[error("TLS with the {peer}: {reason}")]
    #[non_exhaustive]
    TlsFailed {
        /// Who was called.
        peer: Peer,
        /// Why.
        reason: rustls::Error,
    },

    // --- The reply ----------------------------------------------------------------------------------------------
    /// 401: the credentials, or the token of the session, are not accepted.
    #[error("{peer} answered 401 Unauthorized{}", detail(.code, .message))]
    #[non_exhaustive]
    Unauthorized {
        /// Who was called.
        peer: Peer,
        /// The error code in the reply, when there is one.
        code: Option<i64>,
        /// The message in the reply, when there is one.
        message: Option<String>,
    },
    /// 403: the user may not do this; at authentication, it may not authenticate with a certificate.
    #[error("{peer} answered 403 Forbidden{}", detail(.code, .message))]
    #[non_exhaustive]
    Forbidden {
        /// Who was called.
        peer: Peer,
        /// The error code in the reply, when there is one.
        code: Option<i64>,
        /// The message in the reply, when there is one.
        message: Option<String>,
    },
    /// Any other status that doesn't mean success. Redirects are not followed: tokens stay with their host.
    #[error("{peer} answered {status}{}{}", wait(.retry_after), detail(.code, .message))]
    #[non_exhaustive]
    Status {
        /// Who was called.
        peer: Peer,
        /// The status.
        status: StatusCode,
        /// How long the server asks to be left alone, from its answer on: `Retry-After` in seconds or as a date (RFC
        /// 9110, section 10.2.3). `None` if it doesn't ask, or in neither form; zero for a date that has passed.
        retry_after: Option<Duration>,
        /// The error code in the reply, when there is one.
        code: Option<i64>,
        /// The message in the reply, when there is one.
        message: Option<String>,
    },
    /// A reply that isn't what the protocol says.
    #[error("malformed reply of the {peer}: {reason}")]
    #[non_exhaustive]
    MalformedReply {
        /// Who was called.
        peer: Peer,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A reply larger than the limit. The rest of it was not read.
    #[error("reply of the {peer} is larger than {limit} octets")]
    #[non_exhaustive]
    ReplyTooLarge {
        /// Who was called.
        peer: Peer,
        /// The limit in octets.
        limit: usize,
    },
    /// The peer broke off an HTTP exchange, for example by resetting an HTTP/2 stream.
    #[error("HTTP exchange with the {peer}: {reason}")]
    #[non_exhaustive]
    Http {
        /// Who was called.
        peer: Peer,
        /// What happened.
        reason: String,
    },
}

/// The reason of the [`Error::ProxyFailed`] after which another attempt may succeed.
pub(crate) const PROXY_UNKNOWN: &str = "its host name does not resolve";

impl Error {
    /// Which service failed and where it was looked for; `None` when nothing was sent yet.
    pub fn peer(&self) -> Option<&Peer> {
        match self {
            Self::Identity(_)
            | Self::UnsupportedKey { .. }
            | Self::InvalidUrl { .. }
            | Self::EndpointNotConfigured { .. }
            | Self::UnknownTarget { .. }
            | Self::RequestBody { .. }
            | Self::Configuration { .. }
            | Self::File { .. }
            | Self::InvalidToken { .. }
            | Self::TrustAnchors(_)
            | Self::InvalidTrustAnchor { .. }
            | Self::NoPlatformRoots { .. }
            | Self::UnsupportedCpu { .. }
            | Self::InvalidProxy { .. }
            | Self::TlsConfiguration(_) => None,
            Self::ForeignUrl { peer, .. }
            | Self::InvalidPath { peer, .. }
            | Self::DnsFailed { peer, .. }
            | Self::ConnectionRefused { peer }
            | Self::ConnectionReset { peer }
            | Self::ConnectionClosed { peer }
            | Self::Network { peer, .. }
            | Self::Timeout { peer, .. }
            | Self::DeadlineExceeded { peer, .. }
            | Self::ProxyUnreachable { peer, .. }
            | Self::ProxyAuthenticationRequired { peer, .. }
            | Self::ProxyRefused { peer, .. }
            | Self::ProxyFailed { peer, .. }
            | Self::NotTls { peer }
            | Self::ServerNotTrusted { peer, .. }
            | Self::ClientCertificateRefused { peer, .. }
            | Self::TlsFailed { peer, .. }
            | Self::Unauthorized { peer, .. }
            | Self::Forbidden { peer, .. }
            | Self::Status { peer, .. }
            | Self::MalformedReply { peer, .. }
            | Self::ReplyTooLarge { peer, .. }
            | Self::Http { peer, .. } => Some(peer),
        }
    }
}

/// What exceeded its time limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// Reaching the server: name resolution, TCP, the proxy and the TLS handshake together.
    Connect,
    /// Waiting for the server to send something: the head of the reply, or the next piece of its body.
    Read,
    /// The whole call.
    Total,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "connecting",
            Self::Read => "waiting for the reply",
            Self::Total => "the whole call",
        })
    }
}

/// An error code of the operating system, `errno`. It displays in the system's words: `No route to host (os error 113)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OsError(pub(crate) i32);

impl OsError {
    /// The code.
    pub fn code(self) -> i32 {
        self.0
    }
}

impl fmt::Display for OsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        io::Error::from_raw_os_error(self.0).fmt(f)
    }
}

impl std::error::Error for OsError {}

/// An alert by the name that its RFC gives it, `bad_certificate`, which is what people search for.
struct AlertName(AlertDescription);

impl fmt::Display for AlertName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            AlertDescription::NoCertificate => "no_certificate",
            AlertDescription::BadCertificate => "bad_certificate",
            AlertDescription::UnsupportedCertificate => "unsupported_certificate",
            AlertDescription::CertificateRevoked => "certificate_revoked",
            AlertDescription::CertificateExpired => "certificate_expired",
            AlertDescription::CertificateUnknown => "certificate_unknown",
            AlertDescription::UnknownCA => "unknown_ca",
            AlertDescription::AccessDenied => "access_denied",
            AlertDescription::DecryptError => "decrypt_error",
            AlertDescription::CertificateRequired => "certificate_required",
            other => return write!(f, "{}", u8::from(other)),
        })
    }
}

/// Why a certificate isn't trusted, in words where rustls has only the name of a variant.
struct Distrust<'a>(&'a CertificateError);

impl fmt::Display for Distrust<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            CertificateError::UnknownIssuer => "its issuer is unknown",
            CertificateError::Expired => "it has expired",
            CertificateError::NotValidYet => "it is not valid yet",
            CertificateError::NotValidForName => "it is for another host",
            CertificateError::BadSignature => "its signature does not verify",
            CertificateError::BadEncoding => "it is malformed",
            CertificateError::Revoked => "it was revoked",
            CertificateError::InvalidPurpose => "it is not for servers",
            // webpki's error, which rustls passes on like this, has no other text.
            CertificateError::Other(reason) if reason.0.to_string() == "UnsupportedCertVersion" => {
                "it is X.509 version 1, which TLS does not take from a server"
            }
            CertificateError::Other(reason) => return reason.0.fmt(f),
            // rustls tells these in seconds since 1970.
            CertificateError::ExpiredContext { not_after, .. } => {
                return write!(f, "it expired on {}", day(*not_after));
            }
            CertificateError::NotValidYetContext { not_before, .. } => {
                return write!(f, "it is not valid before {}", day(*not_before));
            }
            other => return other.fmt(f),
        })
    }
}

fn day(time: UnixTime) -> Date {
    let since_1970 = Duration::from_secs(time.as_secs());
    Date(
        SystemTime::UNIX_EPOCH
            .checked_add(since_1970)
            .unwrap_or(SystemTime::UNIX_EPOCH),
    )
}

fn wait(retry_after: &Option<Duration>) -> String {
    match retry_after {
        Some(time) if !time.is_zero() => format!(" and asks to wait {time:.0?}"),
        _ => String::new(),
    }
}

fn detail(code: &Option<i64>, message: &Option<String>) -> String {
    match (code, message) {
        (Some(code), Some(message)) => format!(" (code {code}): {message}"),
        (Some(code), None) => format!(" (code {code})"),
        (None, Some(message)) => format!(": {message}"),
        (None, None) => String::new(),
    }
}

fn at_line(line: usize) -> String {
    match line {
        0 => String::new(),
        line => format!(", line {line}"),
    }
}

/// As people know it, where the standard library has words of its own.
fn file_problem(kind: io::ErrorKind) -> String {
    match kind {
        io::ErrorKind::NotFound => "no such file".to_owned(),
        other => other.to_string(),
    }
}

fn key_prefix(key: &str) -> String {
    if key.is_empty() {
        String::new()
    } else {
        format!("{key}: ")
    }
}

fn joined(reasons: &[String]) -> String {
    if reasons.is_empty() {
        String::new()
    } else {
        format!(": {}", reasons.join("; "))
    }
}
