use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use serde::Serialize;

/// An answer before it is put into HTTP.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Bytes,
    /// Why it is not what was asked for, for the log. The client may be told less.
    pub(crate) reason: Option<String>,
}

impl Reply {
    pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Self {
        Self {
            status,
            headers: vec![(header::CONTENT_TYPE, JSON)],
            // Strings and numbers under fixed names can't fail to serialize.
            body: serde_json::to_vec(body).unwrap_or_default().into(),
            reason: None,
        }
    }

    pub(crate) fn error(status: StatusCode, message: &str) -> Self {
        let body = ErrorBody {
            code: status.as_u16(),
            message,
        };
        Self::json(status, &body).because(message)
    }

    pub(crate) fn unauthorized(message: &str) -> Self {
        Self::error(StatusCode::UNAUTHORIZED, message)
    }

    /// With the reason that is logged, in place of an earlier one.
    pub(crate) fn because(self, reason: impl Into<String>) -> Self {
        Self {
            reason: Some(reason.into()),
            ..self
        }
    }

    /// Adds a header.
    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Without the headers that it has so far.
    pub(crate) fn without_headers(mut self) -> Self {
        self.headers.clear();
        self
    }

    /// Everything but the body.
    pub(crate) fn into_response<B>(self, body: B) -> Response<B> {
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        response.headers_mut().extend(self.headers);
        response
    }
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    code: u16,
    message: &'a str,
}

pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");
