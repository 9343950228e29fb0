//! What is tried again, when, and for how long.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use http::{HeaderMap, StatusCode, header};
use tokio::time::Instant;

use crate::{Error, Peer, error::PROXY_UNKNOWN};

/// How often a call is tried again, and how long it waits in between.
///
/// The default is what the official Java client does, 10 attempts with pauses of half a second, doubled up to five
/// minutes, with these differences:
///
/// - A pause is drawn at random between nothing and that length ("full jitter"), so that clients that failed together
///   don't come back together.
/// - A server that says [`Retry-After`] is not asked earlier, and a 400 that says so is retried like a 429.
/// - There is a [deadline](RetryPolicy::deadline), of ten minutes.
/// - A request that the server may have acted on is repeated only if it is idempotent; the Java client repeats them all.
/// - A connection that was reset or closed is retried too, also for a login, where the Java client retries refused
///   connections and timeouts only.
/// - After a failed login, calls fail with its error for a while, and don't begin another: see [`Client::call`]. If the
///   server said `Retry-After`, that is as long, and an hour at most.
///
/// An unknown host is retried for calls and not for logins, as in the Java client.
///
/// A server that asks for more time than there is ends the call at once, with [`Error::Status`], which says how much it
/// asked for: more than is left until the [deadline](RetryPolicy::deadline), or, without one, more than the
/// [longest pause](RetryPolicy::longest_pause). Otherwise one answer could put a caller to sleep for a day.
///
/// # What is retried
///
/// | outcome | retried |
/// |---|---|
/// | 429; 503 with `Retry-After`; 400 with `Retry-After`, which is how one version of the Agent passes a 429 on | yes |
/// | not reached: connection refused, reset or closed while connecting, too slow, network down | yes |
/// | 500 to 599 otherwise; a connection that broke, or an answer that didn't come in time, after the request was sent | if the request is idempotent |
/// | any other status, among them 400, 401, 403, 404 | no (401: see [`Client::call`]) |
/// | host unknown, the proxy's too | for calls; not for logins, where the name is more often mistyped than unreachable |
/// | TLS failed, on either side's account; an answer that isn't what the protocol says | no |
///
/// A request is idempotent by its method (RFC 9110, section 9.2.2), or because it says so: see [`Idempotent`]. Those
/// that authenticate are, although they are `POST`.
///
/// ```
/// use std::time::Duration;
///
/// let at_most_a_minute = auth::RetryPolicy::default()
///     .attempts(5)
///     .first_pause(Duration::from_secs(1))
///     .deadline(Duration::from_secs(60));
/// # let _ = at_most_a_minute;
/// ```
///
/// [`Client::call`]: crate::Client::call
/// [`Retry-After`]: https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
#[derive(Debug, Clone, PartialEq)]
#[must_use = "a policy does nothing until a client is built with it"]
pub struct RetryPolicy {
    attempts: u32,
    first_pause: Duration,
    multiplier: f64,
    longest_pause: Duration,
    deadline: Option<Duration>,
}

impl RetryPolicy {
    /// One attempt, and no deadline beside the time limits of that attempt.
    pub fn none() -> Self {
        Self {
            attempts: 1,
            deadline: None,
            ..Self::default()
        }
    }

    /// How often to try, the first time included; 0 is taken for 1. Default: 10.
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts.max(1);
        self
    }

    /// The longest pause after the first attempt; it is [multiplied](RetryPolicy::multiplier) with each that follows.
    /// Default: 500 milliseconds.
    pub fn first_pause(mut self, pause: Duration) -> Self {
        self.first_pause = pause;
        self
    }

    /// By how much the pause grows with each attempt. What is less than 1, or no number, is taken for 1: it stays as long
    /// as the first. Default: 2.
    pub fn multiplier(mut self, multiplier: f64) -> Self {
        self.multiplier = multiplier.max(1.0);
        self
    }

    /// No pause is longer than this, unless a server asks for it and the [deadline](RetryPolicy::deadline) allows it.
    /// Default: 300 seconds.
    pub fn longest_pause(mut self, pause: Duration) -> Self {
        self.longest_pause = pause;
        self
    }

    /// How long a call may take with all its attempts and pauses, a login included; `None` is without limit. Default:
    /// 10 minutes.
    ///
    /// A pause that would end after the deadline is not begun: the call ends with the latest failure at once. What is
    /// under way at the deadline ends with [`Error::DeadlineExceeded`].
    pub fn deadline(mut self, deadline: impl Into<Option<Duration>>) -> Self {
        self.deadline = deadline.into();
        self
    }

    /// The pause after so many attempts. `jitter` is from 0 to 1.
    pub(crate) fn pause_after(&self, attempts: u32, jitter: f64) -> Duration {
        let times = f64::from(attempts.saturating_sub(1));
        // Infinity times a first pause of nothing would be no number.
        let factor = self.multiplier.powf(times).min(f64::MAX);
        let pause = Duration::try_from_secs_f64(self.first_pause.as_secs_f64() * factor);
        let longest = pause.map_or(self.longest_pause, |pause| pause.min(self.longest_pause));
        Duration::try_from_secs_f64(longest.as_secs_f64() * jitter).unwrap_or(longest)
    }

    /// How long not to try what failed so many times in a row, each time with all its attempts: like the pauses, but
    /// from half a second on, also where attempts follow each other without a pause; and no shorter than a server asked
    /// for, within reason.
    pub(crate) fn hold_back(&self, failures: u32, asked: Option<Duration>) -> Duration {
        let first_pause = self.first_pause.max(LEAST_HOLD_BACK);
        let policy = self.clone().first_pause(first_pause);
        let least = asked.map_or(LEAST_HOLD_BACK, |asked| {
            asked.clamp(LEAST_HOLD_BACK, LONGEST_ASKED)
        });
        policy.pause_after(failures, 1.0).max(least)
    }
}

const LEAST_HOLD_BACK: Duration = Duration::from_millis(500);

/// One wrong answer shouldn't keep a bot out for a day.
const LONGEST_ASKED: Duration = Duration::from_secs(60 * 60);

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: 10,
            first_pause: Duration::from_millis(500),
            multiplier: 2.0,
            longest_pause: Duration::from_secs(300),
            deadline: Some(Duration::from_secs(600)),
        }
    }
}

/// Put into a request's [extensions](http::Request::extensions_mut), says that it may be sent twice, whatever its
/// method: a `POST` that only asks, or that carries a key by which the server knows it again.
///
/// ```
/// let mut echo = http::Request::post("/agent/v1/util/echo").body(r#"{"message":"hello"}"#)?;
/// echo.extensions_mut().insert(auth::Idempotent);
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Idempotent;

impl Idempotent {
    pub(crate) fn holds_for<B>(request: &http::Request<B>) -> bool {
        request.method().is_idempotent() || request.extensions().get::<Self>().is_some()
    }
}

/// A failure after which another attempt may succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Transient {
    /// The server has seen the request, and may have acted on it.
    pub(crate) acted: bool,
    /// How long the server asks to be left alone.
    pub(crate) retry_after: Option<Duration>,
}

impl Transient {
    /// What a status says. `None`: it is final.
    pub(crate) fn of_response(status: StatusCode, headers: &HeaderMap) -> Option<Self> {
        let retry_after = retry_after(headers, SystemTime::now());
        let acted = match status {
            StatusCode::TOO_MANY_REQUESTS => false,
            StatusCode::BAD_REQUEST if retry_after.is_some() => false,
            StatusCode::SERVICE_UNAVAILABLE => retry_after.is_none(),
            status if status.is_server_error() => true,
            _ => return None,
        };
        Some(Self { acted, retry_after })
    }

    /// What an error that isn't an answer says, for a call. `None`: it is final.
    pub(crate) fn of_error(error: &Error, sent: bool) -> Option<Self> {
        let transient = matches!(
            error,
            Error::DnsFailed { .. }
                | Error::ConnectionRefused { .. }
                | Error::ConnectionReset { .. }
                | Error::ConnectionClosed { .. }
                | Error::Network { .. }
                | Error::Timeout { .. }
                | Error::Http { .. }
                | Error::ProxyUnreachable { .. }
                | Error::ProxyFailed {
                    reason: PROXY_UNKNOWN,
                    ..
                }
        ) || matches!(error, Error::ProxyRefused { status, .. } if status.is_server_error());
        transient.then_some(Self {
            acted: sent,
            retry_after: None,
        })
    }

    /// The same for a login.
    pub(crate) fn of_login_error(error: &Error, sent: bool) -> Option<Self> {
        match error {
            Error::DnsFailed { .. } | Error::ProxyFailed { .. } => None,
            error => Self::of_error(error, sent),
        }
    }
}

/// When a call or a login must have succeeded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    end: Option<Instant>,
    length: Duration,
}

impl Deadline {
    /// Begins now.
    pub(crate) fn of(policy: &RetryPolicy) -> Self {
        let length = policy.deadline.unwrap_or(Duration::MAX);
        Self {
            end: Instant::now().checked_add(length),
            length,
        }
    }

    /// None at all.
    pub(crate) fn never() -> Self {
        Self {
            end: None,
            length: Duration::MAX,
        }
    }

    /// Waits for the future until then; `Err` is the length that was exceeded.
    pub(crate) async fn limit<F: Future>(self, future: F) -> Result<F::Output, Duration> {
        match self.end {
            Some(end) => tokio::time::timeout_at(end, future)
                .await
                .map_err(|_| self.length),
            None => Ok(future.await),
        }
    }
}

/// How far a call or a login has come: what there is to say when its deadline is exceeded.
pub(crate) struct Progress(Mutex<Stage>);

struct Stage {
    peer: Peer,
    /// How the latest attempt there failed.
    latest: Option<Box<Error>>,
}

impl Progress {
    pub(crate) fn new(peer: Peer) -> Self {
        Self(Mutex::new(Stage { peer, latest: None }))
    }

    /// Another endpoint is asked.
    pub(crate) fn is_at(&self, peer: &Peer) {
        *self.lock() = Stage {
            peer: peer.clone(),
            latest: None,
        };
    }

    pub(crate) fn failed(&self, error: Error) {
        self.lock().latest = Some(Box::new(error));
    }

    pub(crate) fn exceeded(&self, after: Duration) -> Error {
        let Stage { peer, latest } = &*self.lock();
        Error::DeadlineExceeded {
            peer: peer.clone(),
            after,
            latest: latest.clone(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Stage> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The attempts of one call.
pub(crate) struct Attempts<'a> {
    policy: &'a RetryPolicy,
    made: u32,
    end: Option<Instant>,
}

impl<'a> Attempts<'a> {
    pub(crate) fn new(policy: &'a RetryPolicy, deadline: Deadline) -> Self {
        Self {
            policy,
            made: 0,
            end: deadline.end,
        }
    }

    /// How long to wait before the next attempt, given how the latest one failed. `None`: there is none.
    pub(crate) fn pause(&mut self, failure: Transient, idempotent: bool) -> Option<Duration> {
        self.made = self.made.saturating_add(1);
        if self.made >= self.policy.attempts || (failure.acted && !idempotent) {
            return None;
        }
        let asked = failure.retry_after.unwrap_or_default();
        if self.end.is_none() && asked > self.policy.longest_pause {
            return None;
        }
        // Jitter on top: all whom the server told the same would come back together.
        let jitter = self.policy.pause_after(self.made, fastrand::f64());
        let pause = asked.saturating_add(jitter);
        // A clock has an end, too.
        let next = Instant::now().checked_add(pause)?;
        self.end.is_none_or(|end| next < end).then_some(pause)
    }

    /// How many attempts have failed.
    pub(crate) fn made(&self) -> u32 {
        self.made
    }
}

/// `Retry-After` in seconds or as a date (RFC 9110, section 10.2.3).
///
/// A date is compared with that of the answer itself, where it has one: clocks differ.
pub(crate) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if !value.is_empty() && value.bytes().all(|octet| octet.is_ascii_digit()) {
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    let sent = headers
        .get(header::DATE)
        .and_then(|date| httpdate::parse_http_date(date.to_str().ok()?).ok())
        .unwrap_or(now);
    Some(date.duration_since(sent).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Endpoint, Phase};

    fn begun(policy: &RetryPolicy) -> Attempts<'_> {
        Attempts::new(policy, Deadline::of(policy))
    }

    const SECOND: Duration = Duration::from_secs(1);

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect()
    }

    fn again(acted: bool) -> Transient {
        Transient {
            acted,
            retry_after: None,
        }
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        let policy = RetryPolicy::default();
        let pauses: Vec<_> = (1..12).map(|n| policy.pause_after(n, 1.0)).collect();
        let seconds = |millis| Duration::from_millis(millis);
        let expected = [
            500, 1000, 2000, 4000, 8000, 16_000, 32_000, 64_000, 128_000, 256_000, 300_000,
        ];
        assert_eq!(pauses, expected.map(seconds));
    }

    #[test]
    fn pauses_grow_by_the_multiplier() {
        let pauses = |multiplier| {
            let policy = RetryPolicy::default()
                .first_pause(SECOND)
                .longest_pause(SECOND * 9)
                .multiplier(multiplier);
            [1, 2, 3, u32::MAX].map(|attempts| policy.pause_after(attempts, 1.0).as_secs_f64())
        };
        assert_eq!(pauses(1.5), [1.0, 1.5, 2.25, 9.0]);
        assert_eq!(pauses(f64::INFINITY), [1.0, 9.0, 9.0, 9.0]);
        for as_long_as_the_first in [1.0, 0.5, 0.0, -2.0, f64::NAN] {
            assert_eq!(pauses(as_long_as_the_first), [1.0; 4]);
        }
    }

    #[test]
    fn a_pause_is_drawn_between_nothing_and_its_length() {
        let policy = RetryPolicy::default();
        assert_eq!(policy.pause_after(3, 0.0), Duration::ZERO);
        assert_eq!(policy.pause_after(3, 0.25), Duration::from_millis(500));
    }

    #[test]
    fn failures_are_held_back_also_without_pauses() {
        let default = RetryPolicy::default();
        assert_eq!(default.hold_back(1, None), Duration::from_millis(500));
        assert_eq!(default.hold_back(3, None), SECOND * 2);
        assert_eq!(default.hold_back(u32::MAX, None), SECOND * 300);
        let at_once = RetryPolicy::default().first_pause(Duration::ZERO);
        assert_eq!(at_once.hold_back(1, None), Duration::from_millis(500));
        assert_eq!(at_once.hold_back(2, None), SECOND);
        let short = at_once.longest_pause(Duration::ZERO);
        assert_eq!(short.hold_back(9, None), Duration::from_millis(500));
    }

    #[test]
    fn failures_are_held_back_as_long_as_a_server_asks_and_an_hour_at_most() {
        let held = |asked| RetryPolicy::default().hold_back(3, Some(asked));
        assert_eq!(held(Duration::ZERO), SECOND * 2);
        assert_eq!(held(SECOND), SECOND * 2);
        assert_eq!(held(SECOND * 1800), SECOND * 1800);
        assert_eq!(held(SECOND * 86_400), SECOND * 3600);
        assert_eq!(held(Duration::MAX), SECOND * 3600);
    }

    #[test]
    fn no_policy_overflows() {
        let policy = RetryPolicy::default()
            .first_pause(Duration::MAX)
            .longest_pause(Duration::MAX);
        assert_eq!(policy.pause_after(u32::MAX, 1.0), Duration::MAX);
        let at_once = RetryPolicy::default().first_pause(Duration::ZERO);
        assert_eq!(at_once.pause_after(u32::MAX, 1.0), Duration::ZERO);
        assert_eq!(
            RetryPolicy::default().pause_after(0, 1.0),
            Duration::from_millis(500)
        );
        let mut attempts = begun(&policy);
        let later = Transient {
            retry_after: Some(Duration::MAX),
            ..again(false)
        };
        assert_eq!(attempts.pause(later, true), None);
    }

    #[tokio::test(start_paused = true)]
    async fn attempts_are_counted_the_first_one_included() {
        let policy = RetryPolicy::default().attempts(3);
        let mut attempts = begun(&policy);
        assert!(attempts.pause(again(false), false).is_some());
        assert!(attempts.pause(again(false), false).is_some());
        assert_eq!(attempts.pause(again(false), false), None);
        assert_eq!(attempts.made(), 3);
        assert_eq!(begun(&RetryPolicy::none()).pause(again(false), true), None);
    }

    #[tokio::test(start_paused = true)]
    async fn what_may_have_been_acted_on_is_repeated_for_idempotent_requests_only() {
        let policy = RetryPolicy::default();
        assert_eq!(begun(&policy).pause(again(true), false), None);
        assert!(begun(&policy).pause(again(true), true).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_is_not_asked_before_the_time_it_said() {
        let policy = RetryPolicy::default();
        let failure = Transient {
            retry_after: Some(SECOND * 7),
            ..again(false)
        };
        let pause = begun(&policy).pause(failure, false).unwrap();
        assert!((SECOND * 7..SECOND * 8).contains(&pause), "{pause:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_beyond_the_deadline_is_not_begun() {
        let policy = RetryPolicy::default().deadline(SECOND * 10);
        let failure = Transient {
            retry_after: Some(SECOND * 6),
            ..again(false)
        };
        let mut attempts = begun(&policy);
        let pause = attempts.pause(failure, false).unwrap();
        tokio::time::sleep(pause).await;
        assert_eq!(attempts.pause(failure, false), None);
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_deadline_a_server_may_ask_for_the_longest_pause() {
        let policy = RetryPolicy::default()
            .longest_pause(SECOND * 10)
            .deadline(None);
        let later = |seconds| Transient {
            retry_after: Some(SECOND * seconds),
            ..again(false)
        };
        assert!(begun(&policy).pause(later(10), false).is_some());
        assert_eq!(begun(&policy).pause(later(11), false), None);
        // With one, it may ask for what is left of that.
        let policy = policy.deadline(SECOND * 60);
        assert!(begun(&policy).pause(later(50), false).is_some());
    }

    #[test]
    fn statuses_are_transient_or_final() {
        let bare = headers(&[]);
        let later = headers(&[("retry-after", "2")]);
        let of = |status, headers| {
            Transient::of_response(StatusCode::from_u16(status).unwrap(), headers)
        };
        for status in [200, 302, 400, 401, 403, 404, 408, 409] {
            assert_eq!(of(status, &bare), None, "{status}");
        }
        for status in [401, 403, 404] {
            assert_eq!(of(status, &later), None, "{status}");
        }
        for (status, headers, acted) in [
            (429, &bare, false),
            (429, &later, false),
            (400, &later, false),
            (503, &later, false),
            (503, &bare, true),
            (500, &later, true),
            (502, &bare, true),
            (599, &bare, true),
        ] {
            let transient = of(status, headers).unwrap();
            assert_eq!(transient.acted, acted, "{status}");
            assert_eq!(
                transient.retry_after,
                (headers == &later).then_some(SECOND * 2),
                "{status}"
            );
        }
    }

    #[test]
    fn errors_are_transient_or_final() {
        let peer = Peer::new(Endpoint::Agent, "agent.test:443");
        let of = |error: &Error| Transient::of_error(error, true);
        let timeout = |phase| Error::Timeout {
            peer: peer.clone(),
            phase,
            after: SECOND,
        };
        for error in [
            Error::ConnectionRefused { peer: peer.clone() },
            Error::ConnectionReset { peer: peer.clone() },
            Error::ConnectionClosed { peer: peer.clone() },
            timeout(Phase::Connect),
            timeout(Phase::Read),
            timeout(Phase::Total),
        ] {
            assert_eq!(of(&error), Some(again(true)), "{error}");
            assert_eq!(Transient::of_error(&error, false), Some(again(false)));
            assert_eq!(Transient::of_login_error(&error, true), Some(again(true)));
        }
        let proxy_failed = |reason| Error::ProxyFailed {
            peer: peer.clone(),
            proxy: "proxy.test:8080".to_owned(),
            reason,
        };
        for unknown_host in [
            Error::DnsFailed {
                peer: peer.clone(),
                reason: String::new(),
            },
            proxy_failed(PROXY_UNKNOWN),
        ] {
            let of_call = Transient::of_error(&unknown_host, false);
            assert_eq!(of_call, Some(again(false)));
            assert_eq!(Transient::of_login_error(&unknown_host, false), None);
        }
        for error in [
            proxy_failed("it doesn't speak HTTP"),
            Error::DeadlineExceeded {
                peer: peer.clone(),
                after: SECOND,
                latest: None,
            },
            Error::NotTls { peer: peer.clone() },
            Error::ServerNotTrusted {
                peer: peer.clone(),
                reason: rustls::CertificateError::Expired,
            },
            Error::ClientCertificateRefused {
                peer: peer.clone(),
                alert: rustls::AlertDescription::UnknownCA,
            },
            Error::TlsFailed {
                peer: peer.clone(),
                reason: rustls::Error::DecryptError,
            },
            Error::MalformedReply {
                peer: peer.clone(),
                reason: "",
            },
            Error::ReplyTooLarge { peer, limit: 1 },
        ] {
            assert_eq!(of(&error), None, "{error}");
        }
    }

    #[test]
    fn retry_after_comes_in_seconds_or_as_a_date() {
        let now = httpdate::parse_http_date("Fri, 31 Dec 1999 23:59:00 GMT").unwrap();
        let of = |pairs: &[(&'static str, &str)]| retry_after(&headers(pairs), now);
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[("retry-after", "120")]), Some(SECOND * 120));
        assert_eq!(of(&[("retry-after", " 0 ")]), Some(Duration::ZERO));
        assert_eq!(
            of(&[("retry-after", "99999999999999999999")]),
            Some(Duration::from_secs(u64::MAX))
        );
        for nonsense in ["", "-1", "1.5", "soon", "+3"] {
            assert_eq!(of(&[("retry-after", nonsense)]), None, "{nonsense}");
        }
        let date = ("retry-after", "Fri, 31 Dec 1999 23:59:59 GMT");
        assert_eq!(of(&[date]), Some(SECOND * 59));
        // The server's clock is 50 seconds ahead of ours.
        assert_eq!(
            of(&[date, ("date", "Fri, 31 Dec 1999 23:59:50 GMT")]),
            Some(SECOND * 9)
        );
        assert_eq!(
            of(&[("retry-after", "Fri, 31 Dec 1999 23:58:00 GMT")]),
            Some(Duration::ZERO)
        );
    }
}
