//! Faults on purpose: what goes wrong, where, and how often.
use std::{num::NonZeroU32, time::Duration};

use rustls::AlertDescription;

mod answer;
mod body;
mod certificate;
mod throttle;
mod wire;
mod deliver;
mod handshake;
mod rule;
mod print;
mod registry;
mod text;

pub use answer::Answer;
pub(crate) use body::ResponseBody;
pub(crate) use certificate::Forger;
pub(crate) use deliver::{Script, Unanswered};
pub(crate) use handshake::HandshakeFault;
pub(crate) use registry::Faults;
pub use registry::Injected;
pub use rule::Rule;
pub(crate) use wire::{Layer, Line, Wire};

/// What goes wrong. A [`Rule`] says where and how often.
///
/// A fault has its moment, and a rule without a place strikes wherever its fault can:
///
/// 1. while connecting: [`Refuse`](Self::Refuse);
/// 2. in the handshake: [`PlainText`](Self::PlainText) to [`CutHandshake`](Self::CutHandshake);
/// 3. in place of the answer: [`Answer`](Self::Answer) to [`ExpireTokens`](Self::ExpireTokens);
/// 4. before the answer is sent: [`Delay`](Self::Delay);
/// 5. while it is sent: [`WithoutToken`](Self::WithoutToken) to [`HangUp`](Self::HangUp).
///
/// At each of these moments the oldest rule that fits is applied, and no other: one rule may replace an answer and
/// another delay it, while of two delays only the first counts.
///
/// ```
/// use std::time::Duration;
/// use http::StatusCode;
/// use pod::{Answer, Fault, Port, Rule};
///
/// let busy = Answer::new(StatusCode::TOO_MANY_REQUESTS).retry_after(Duration::from_secs(2));
/// let rule = Rule::new(Fault::Answer(busy)).port(Port::Api).times(3);
/// # drop(rule);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The port is closed: connections are refused by the system. Nobody sees these attempts, so that such a rule
    /// holds until it is removed, and has no [`times`](Rule::times), [`skip`](Rule::skip) or
    /// [`probability`](Rule::probability). Connections that are open stay open.
    Refuse,

    /// The client's hello is answered in HTTP, without TLS, as when a client comes to the wrong port.
    PlainText,
    /// The client's hello is answered with this alert, unencrypted. `handshake_failure` and `protocol_version` come
    /// this way.
    HelloAlert(AlertDescription),
    /// The handshake shows another server certificate.
    ServerCertificate(BadCertificate),
    /// The client's certificate is refused with this alert, whatever it is. Under TLS 1.3 the client believes the
    /// handshake done by then. Where no certificate is asked for, or none comes, this does nothing.
    ///
    /// These can be sent: `bad_certificate`, `unsupported_certificate`, `certificate_revoked`, `certificate_expired`,
    /// `certificate_unknown`, `unknown_ca`, `access_denied`, `decrypt_error`, `bad_certificate_status_response`,
    /// `illegal_parameter`, `handshake_failure`.
    RefuseClient(AlertDescription),
    /// The connection ends after so many octets of what the server sends from the handshake on. 0 is right after the
    /// client's hello; with [`End::Silence`] that is a server that accepts a connection and says nothing.
    CutHandshake {
        /// How it ends.
        end: End,
        /// The octets that are still sent, those of TLS records.
        after: u64,
    },

    /// The request is answered so, and otherwise ignored.
    Answer(Answer),
    /// Requests above this rate, with bursts of one second's worth, are answered 429 with `Retry-After`. Symphony's
    /// limit is 400. [`times`](Rule::times) counts requests that were turned away.
    Throttle {
        /// Requests a second.
        per_second: NonZeroU32,
    },
    /// Every token ends, then the request is answered as usual.
    ExpireTokens,

    /// The answer waits so long after the request was dealt with.
    Delay(Duration),

    /// The answer's JSON has no `token`.
    WithoutToken,
    /// Nothing is answered. HTTP/1.1: the connection is closed. HTTP/2: the stream is reset with `INTERNAL_ERROR`.
    NoAnswer,
    /// The connection ends after so many octets of HTTP, counted from the start of the answer: head, body, and
    /// whatever HTTP/2 sends beside it. If the answer is shorter, the cut falls into what is sent next.
    CutAnswer {
        /// How it ends.
        end: End,
        /// The octets that are still sent.
        after: u64,
    },
    /// The body ends in good order after so many octets, at the latest one before the `Content-Length` announced.
    Truncate {
        /// The octets of the body that are sent.
        after: u64,
    },
    /// The body comes octet by octet.
    Trickle {
        /// The time before each octet.
        pause: Duration,
    },
    /// The body is followed by spaces, which JSON allows, up to this announced length.
    Oversize {
        /// The octets of the body in all.
        octets: u64,
    },
    /// The body is followed by spaces without an end, chunked in HTTP/1.1.
    Endless,
    /// After the answer the connection is closed: in HTTP/1.1 without a word about it, so that a client may send its
    /// next request into the closing connection; in HTTP/2 with GOAWAY.
    HangUp,
}

/// How a connection is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum End {
    /// TCP reset.
    Reset,
    /// TCP is closed in good order, TLS is not: without `close_notify` (RFC 8446, section 6.1), as when a server
    /// crashes.
    Close,
    /// The connection stays open, and nothing more comes, until the client closes it or the pod ends.
    Silence,
}

/// A server certificate that a client should not accept. Only a pod that makes its own
/// [server certificate](crate::PodBuilder::server_certificate) can make these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BadCertificate {
    /// It is for `wrong-host.invalid` alone.
    WrongHost,
    /// It expired a day ago.
    Expired,
    /// It will be valid in a day.
    NotYetValid,
    /// Its root is not the pod's [trust anchor](crate::Pod::trust_anchor).
    UnknownRoot,
}

/// The answers that are asked for most.
impl Fault {
    /// An [answer](Answer) with this status and the error body that goes with it.
    ///
    /// ```
    /// # use pod::{Answer, Fault};
    /// # use http::StatusCode;
    /// let fault = Fault::status(StatusCode::BAD_GATEWAY);
    /// assert_eq!(fault, Fault::Answer(Answer::new(StatusCode::BAD_GATEWAY)));
    /// ```
    pub fn status(status: http::StatusCode) -> Self {
        Self::Answer(Answer::new(status))
    }

    /// A TCP reset after so many octets of HTTP. See [`Fault::CutAnswer`].
    pub fn reset_after(octets: u64) -> Self {
        Self::CutAnswer {
            end: End::Reset,
            after: octets,
        }
    }

    /// A server that accepts connections and says nothing. See [`Fault::CutHandshake`].
    pub fn silence() -> Self {
        Self::CutHandshake {
            end: End::Silence,
            after: 0,
        }
    }

    fn moment(&self) -> Moment {
        match self {
            Self::Refuse => Moment::Connect,
            Self::PlainText
            | Self::HelloAlert(_)
            | Self::ServerCertificate(_)
            | Self::RefuseClient(_)
            | Self::CutHandshake { .. } => Moment::Handshake,
            Self::Answer(_) | Self::Throttle { .. } | Self::ExpireTokens => Moment::Answer,
            Self::Delay(_) => Moment::Wait,
            Self::WithoutToken
            | Self::NoAnswer
            | Self::CutAnswer { .. }
            | Self::Truncate { .. }
            | Self::Trickle { .. }
            | Self::Oversize { .. }
            | Self::Endless
            | Self::HangUp => Moment::Delivery,
        }
    }
}

/// When a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    Connect,
    Handshake,
    Answer,
    Wait,
    Delivery,
}

impl Moment {
    /// Whether there is a request by then, with a method and a path.
    fn knows_request(self) -> bool {
        match self {
            Self::Connect | Self::Handshake => false,
            Self::Answer | Self::Wait | Self::Delivery => true,
        }
    }
}
