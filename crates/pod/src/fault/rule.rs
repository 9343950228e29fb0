use std::num::NonZeroU64;

use http::Method;

use crate::{Error, Fault, Port};

/// Where a [`Fault`] strikes, and how often. [Injected](crate::Pod::inject) into a pod.
///
/// By default it strikes everywhere, always, until it is removed.
///
/// ```
/// use http::{Method, StatusCode};
/// use pod::{Fault, Port, Rule};
///
/// let rule = Rule::new(Fault::status(StatusCode::SERVICE_UNAVAILABLE))
///     .port(Port::Api)
///     .method(Method::POST)
///     .path("/sessionauth/v1/authenticate")
///     .times(2);
/// assert_eq!(rule, "api POST /sessionauth/v1/authenticate=status:503,times:2".parse()?);
/// # Ok::<(), pod::Error>(())
/// ```
///
/// # Text
///
/// A rule is also parsed from text, as the command line has it:
///
/// ```text
/// RULE    = PLACE "=" FAULT *("," OPTION)
/// PLACE   = "any" / (PORT, METHOD and PATH: one or more, in this order, with a space between)
/// PORT    = "web" / "api" / "key-manager"
/// METHOD  = GET / HEAD / POST / PUT / PATCH / DELETE / OPTIONS
/// PATH    = beginning with "/", and without "="; a "*" at its end stands for any rest
/// ```
///
/// | `FAULT` | |
/// |---|---|
/// | `refuse` | [`Fault::Refuse`] |
/// | `plain-text` | [`Fault::PlainText`] |
/// | `hello-alert:ALERT` | [`Fault::HelloAlert`], by its name in RFC 8446, section 6, as in `handshake_failure`, or its number |
/// | `server-certificate:wrong-host`, `:expired`, `:not-yet-valid`, `:unknown-root` | [`Fault::ServerCertificate`] |
/// | `refuse-client:ALERT` | [`Fault::RefuseClient`] |
/// | `silence` | [`Fault::silence`] |
/// | `handshake-reset:N`, `handshake-close:N`, `handshake-silence:N` | [`Fault::CutHandshake`] after N octets |
/// | `status:CODE` | [`Fault::Answer`], with the options below |
/// | `throttle:N` | [`Fault::Throttle`], N requests a second |
/// | `expire-tokens` | [`Fault::ExpireTokens`] |
/// | `delay:TIME` | [`Fault::Delay`] |
/// | `without-token` | [`Fault::WithoutToken`] |
/// | `no-answer` | [`Fault::NoAnswer`] |
/// | `reset:N`, `close:N`, `silence:N` | [`Fault::CutAnswer`] after N octets |
/// | `truncate:N` | [`Fault::Truncate`] after N octets of the body |
/// | `trickle:TIME` | [`Fault::Trickle`], `TIME` for each octet |
/// | `oversize:N` | [`Fault::Oversize`], N octets |
/// | `endless` | [`Fault::Endless`] |
/// | `hang-up` | [`Fault::HangUp`] |
///
/// `TIME` is a whole number with its unit: `ms`, `s` or `m`.
///
/// | `OPTION` | |
/// |---|---|
/// | `times:N` | [`times`](Self::times) |
/// | `skip:N` | [`skip`](Self::skip) |
/// | `probability:P`, then perhaps `seed:N` (else 0) | [`probability`](Self::probability), P from 0 to 1 |
/// | `retry-after:TIME`, `retry-after-date:TIME` | with `status`: [`Answer::retry_after`](crate::Answer::retry_after), [`retry_after_date`](crate::Answer::retry_after_date) |
/// | `html`, `empty` | with `status`: [`Answer::html`](crate::Answer::html), [`empty`](crate::Answer::empty) |
/// | `content-type:TYPE`, `content-type:none` | with `status`: [`Answer::content_type`](crate::Answer::content_type), [`without_content_type`](crate::Answer::without_content_type) |
/// | `body:TEXT` | with `status`: [`Answer::body`](crate::Answer::body). The last option: all that follows is the body, commas included |
///
/// Options of an answer are applied in their order.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "a rule does nothing until it is injected"]
pub struct Rule {
    pub(super) fault: Fault,
    pub(super) port: Option<Port>,
    pub(super) method: Option<Method>,
    pub(super) path: Option<String>,
    pub(super) times: Option<NonZeroU64>,
    pub(super) skip: u64,
    pub(super) chance: Option<Chance>,
}

/// How likely a rule strikes, and what its draws begin with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Chance {
    pub(super) probability: f64,
    pub(super) seed: u64,
}

impl Rule {
    /// This fault, everywhere, always.
    pub fn new(fault: Fault) -> Self {
        Self {
            fault,
            port: None,
            method: None,
            path: None,
            times: None,
            skip: 0,
            chance: None,
        }
    }

    /// On this port only.
    pub fn port(mut self, port: Port) -> Self {
        self.port = Some(port);
        self
    }

    /// For requests with this method only.
    pub fn method(mut self, method: Method) -> Self {
        self.method = Some(method);
        self
    }

    /// For requests with this path only. A `*` at its end stands for any rest.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// So many times, and then no more. 0 is taken for 1. Default: until the rule is removed.
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(NonZeroU64::new(times).unwrap_or(NonZeroU64::MIN));
        self
    }

    /// Spares the first so many that it would strike. Default: 0.
    pub fn skip(mut self, skip: u64) -> Self {
        self.skip = skip;
        self
    }

    /// With this probability, from 0 to 1, in each case that is not [skipped](Self::skip). Equal seeds give equal draws,
    /// whatever other rules do. Default: always.
    pub fn probability(mut self, probability: f64, seed: u64) -> Self {
        self.chance = Some(Chance { probability, seed });
        self
    }

    /// Whether the rule can ever strike.
    pub(super) fn check(&self) -> Result<(), Error> {
        let moment = self.fault.moment();
        let contradiction = |reason| Err(Error::FaultContradiction { reason });
        if !moment.knows_request() && (self.method.is_some() || self.path.is_some()) {
            return contradiction("before there is a request, there is no method and no path");
        }
        let counted = self.times.is_some() || self.skip > 0 || self.chance.is_some();
        if self.fault == Fault::Refuse && counted {
            return contradiction("refused connections are not seen, and so can't be counted");
        }
        if let Some(Chance { probability, .. }) = self.chance
            && !(0.0..=1.0).contains(&probability)
        {
            return contradiction("a probability is a number from 0 to 1");
        }
        if let Fault::Answer(answer) = &self.fault
            && answer.is_interim()
        {
            return contradiction("after a status below 200 the answer is still to come");
        }
        if let Fault::RefuseClient(alert) = self.fault {
            if super::handshake::refusal(alert).is_none() {
                return contradiction("a client certificate can't be refused with this alert");
            }
            if self.port.is_some_and(|port| !port.demands_certificate()) {
                return contradiction("the web port asks for no client certificate");
            }
        }
        Ok(())
    }

    /// Whether the fault belongs here.
    pub(super) fn fits(&self, place: &Place<'_>) -> bool {
        let asks = place.port.demands_certificate();
        self.port.is_none_or(|port| port == place.port)
            && (asks || !matches!(self.fault, Fault::RefuseClient(_)))
            && self
                .method
                .as_ref()
                .is_none_or(|method| place.request.is_some_and(|(found, _)| found == method))
            && self.path.as_ref().is_none_or(|path| {
                place
                    .request
                    .is_some_and(|(_, found)| match path.strip_suffix('*') {
                        Some(start) => found.starts_with(start),
                        None => found == path,
                    })
            })
    }
}

/// Where something is happening: on a port, and, once there is one, to a request with a method and a path.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) port: Port,
    pub(super) request: Option<(&'a Method, &'a str)>,
}
