use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};

use crate::reply::{JSON, Reply};

/// A canned response. By default it has the status, `Content-Type: application/json`, and the body
/// `{"code": <status>, "message": "<reason phrase>"}`, as the Pod's own errors do.
///
/// ```
/// use std::time::Duration;
/// use http::StatusCode;
/// use pod::Answer;
///
/// // What one version of the Agent makes of a 429.
/// let hidden = Answer::new(StatusCode::BAD_REQUEST).retry_after(Duration::from_secs(2));
/// // What a proxy in the way says.
/// let page = Answer::new(StatusCode::BAD_GATEWAY).html();
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "an answer is given by a rule that is injected"]
pub struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Option<Bytes>,
    pub(super) content_type: Option<HeaderValue>,
    pub(super) retry_after: Option<RetryAfter>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RetryAfter {
    Seconds(u64),
    Date(Duration),
}

impl Answer {
    /// An answer with this status.
    pub fn new(status: StatusCode) -> Self {
        Self {
            status,
            body: None,
            content_type: Some(JSON),
            retry_after: None,
        }
    }

    /// Another body. The Content-Type stays.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// No body at all, and no Content-Type.
    pub fn empty(self) -> Self {
        self.body(Bytes::new()).without_content_type()
    }

    /// An HTML page, as a proxy or a load balancer sends it.
    pub fn html(self) -> Self {
        let status = self.status;
        self.body(format!(
            "<!DOCTYPE html>\n<html><head><title>{status}</title></head>\n<body><h1>{status}</h1></body></html>\n"
        ))
        .content_type(HeaderValue::from_static("text/html; charset=utf-8"))
    }

    /// Another Content-Type. The body stays.
    pub fn content_type(mut self, content_type: HeaderValue) -> Self {
        self.content_type = Some(content_type);
        self
    }

    /// No Content-Type. The body stays.
    pub fn without_content_type(mut self) -> Self {
        self.content_type = None;
        self
    }

    /// `Retry-After` in seconds (RFC 9110, section 10.2.3), rounded up.
    pub fn retry_after(mut self, wait: Duration) -> Self {
        let part = u64::from(wait.subsec_nanos() > 0);
        self.retry_after = Some(RetryAfter::Seconds(wait.as_secs().saturating_add(part)));
        self
    }

    /// `Retry-After` as the date, by the pod's clock, so long after the answer. Dates have whole seconds: what is
    /// beyond is cut off.
    pub fn retry_after_date(mut self, wait: Duration) -> Self {
        self.retry_after = Some(RetryAfter::Date(wait));
        self
    }

    pub(super) fn is_interim(&self) -> bool {
        self.status.is_informational()
    }

    pub(super) fn reply(&self, now: SystemTime) -> Reply {
        let reason = self.status.canonical_reason().unwrap_or("No reason.");
        let mut reply = Reply::error(self.status, reason).without_headers();
        if let Some(body) = &self.body {
            reply.body = body.clone();
        }
        if let Some(content_type) = &self.content_type {
            reply = reply.header(header::CONTENT_TYPE, content_type.clone());
        }
        if let Some(retry_after) = self.retry_after {
            reply = reply.header(header::RETRY_AFTER, retry_after.value(now));
        }
        reply
    }
}

impl RetryAfter {
    fn value(self, now: SystemTime) -> HeaderValue {
        match self {
            Self::Seconds(seconds) => seconds.into(),
            Self::Date(wait) => {
                // HTTP's dates have years of four digits.
                let end = SystemTime::UNIX_EPOCH + Duration::from_secs(LAST_DATE);
                let date = now.checked_add(wait).map_or(end, |date| date.min(end));
                HeaderValue::from_str(&httpdate::fmt_http_date(date.max(SystemTime::UNIX_EPOCH)))
                    .unwrap_or(HeaderValue::from_static("0"))
            }
        }
    }
}

/// 9999-12-31T23:59:59Z, in seconds since 1970.
const LAST_DATE: u64 = 253_402_300_799;

#[cfg(test)]
mod tests {
    use http::Response;

    use super::*;

    const NOW: SystemTime = SystemTime::UNIX_EPOCH;

    fn response(answer: &Answer) -> Response<Bytes> {
        let reply = answer.reply(NOW);
        let body = reply.body.clone();
        reply.into_response(body)
    }

    fn retry_after(answer: &Answer) -> HeaderValue {
        response(answer).headers()[header::RETRY_AFTER].clone()
    }

    #[test]
    fn retry_after_comes_in_whole_seconds_rounded_up() {
        let answer = Answer::new(StatusCode::TOO_MANY_REQUESTS);

        let second = answer.clone().retry_after(Duration::from_millis(1000));
        assert_eq!(retry_after(&second), "1");
        let more = answer.retry_after(Duration::from_millis(1001));
        assert_eq!(retry_after(&more), "2");
    }

    #[test]
    fn retry_after_comes_as_a_date_of_http() {
        let answer = Answer::new(StatusCode::SERVICE_UNAVAILABLE);

        let day = answer.clone().retry_after_date(Duration::from_secs(86_400));
        assert_eq!(retry_after(&day), "Fri, 02 Jan 1970 00:00:00 GMT");
        let never = answer.retry_after_date(Duration::MAX);
        assert_eq!(retry_after(&never), "Fri, 31 Dec 9999 23:59:59 GMT");
    }

    #[test]
    fn the_default_is_an_error_as_the_pod_has_it() {
        let response = response(&Answer::new(StatusCode::BAD_GATEWAY));

        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
        let body = br#"{"code":502,"message":"Bad Gateway"}"#;
        assert_eq!(&response.body()[..], body);
    }

    #[test]
    fn an_empty_answer_has_no_type_either() {
        let response = response(&Answer::new(StatusCode::UNAUTHORIZED).empty());

        assert!(response.body().is_empty());
        assert!(response.headers().is_empty());
    }
}
