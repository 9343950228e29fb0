//! What a reply says.

use std::time::SystemTime;

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::{Error, Peer, Token, retry::retry_after};

/// Passes replies that mean success, and turns every other into an error.
pub(crate) fn accept(peer: &Peer, response: Response<Bytes>) -> Result<Response<Bytes>, Error> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    Err(refusal(peer, status, response.headers(), response.body()))
}

/// What a status that doesn't mean success says.
pub(crate) fn refusal(peer: &Peer, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error {
    let peer = peer.clone();
    let Problem { code, message } = Problem::read(body);
    match status {
        StatusCode::UNAUTHORIZED => Error::Unauthorized {
            peer,
            code,
            message,
        },
        StatusCode::FORBIDDEN => Error::Forbidden {
            peer,
            code,
            message,
        },
        _ => Error::Status {
            peer,
            status,
            retry_after: retry_after(headers, SystemTime::now()),
            code,
            message,
        },
    }
}

/// What an endpoint that authenticates replies.
#[derive(Debug)]
pub(crate) struct TokenReply {
    pub(crate) token: Token,
    /// As the value of the header `Authorization`.
    pub(crate) authorization: Option<Token>,
}

/// Reads `{"name": ..., "token": ..., "authorizationToken": ...}`. Further members are ignored.
pub(crate) fn token(peer: &Peer, body: &[u8]) -> Result<TokenReply, Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Reply {
        name: Option<String>,
        token: Option<String>,
        authorization_token: Option<serde_json::Value>,
    }

    let malformed = |reason| Error::MalformedReply {
        peer: peer.clone(),
        reason,
    };
    // The parser's own messages quote the input, which may be the token.
    let reply: Reply = serde_json::from_slice(body).map_err(|error| {
        malformed(if looks_like_html(body) {
            "HTML where JSON was expected"
        } else if error.is_eof() {
            "JSON that ends early"
        } else if error.is_data() {
            "JSON that is not an object with the texts `name` and `token`"
        } else {
            "not JSON"
        })
    })?;
    let token = reply.token.ok_or_else(|| malformed("`token` is missing"))?;
    let name = reply.name.ok_or_else(|| malformed("`name` is missing"))?;
    Ok(TokenReply {
        token: Token::parse(&name, token).map_err(malformed)?,
        // Nobody here needs it: what can't be a header is left out.
        authorization: match reply.authorization_token {
            Some(serde_json::Value::String(value)) => authorization(value),
            _ => None,
        },
    })
}

fn authorization(token: String) -> Option<Token> {
    const SCHEME: &str = "Bearer ";

    let token = Zeroizing::new(token);
    let bare = token.strip_prefix(SCHEME).unwrap_or(&token);
    if bare.is_empty() {
        return None;
    }
    Token::parse("authorization", [SCHEME, bare].concat()).ok()
}

fn looks_like_html(body: &[u8]) -> bool {
    body.trim_ascii_start().first() == Some(&b'<')
}

/// The body of an error, `{"code": 401, "message": "..."}`, as far as there is one.
#[derive(Default)]
struct Problem {
    code: Option<i64>,
    message: Option<String>,
}

impl Problem {
    fn read(body: &[u8]) -> Self {
        if body.len() > PROBLEM_LIMIT {
            return Self::default();
        }
        let Ok(serde_json::Value::Object(members)) = serde_json::from_slice(body) else {
            return Self::default();
        };
        Self {
            code: members.get("code").and_then(serde_json::Value::as_i64),
            message: members
                .get("message")
                .and_then(serde_json::Value::as_str)
                .map(printable)
                .filter(|message| !message.is_empty()),
        }
    }
}

/// Text of a server, which may end on a terminal: cut, and without control characters.
pub(super) fn printable(message: &str) -> String {
    message
        .chars()
        .take(MESSAGE_LIMIT)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect::<String>()
        .trim()
        .to_owned()
}

/// In octets. A tree of JSON takes many times the memory of its text.
const PROBLEM_LIMIT: usize = 64 << 10;

/// In characters. The published messages stay below 100.
const MESSAGE_LIMIT: usize = 400;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::Endpoint;

    fn peer() -> Peer {
        Peer::new(Endpoint::Pod, "pod.test:8444")
    }

    fn malformed(body: &str) -> &'static str {
        match token(&peer(), body.as_bytes()) {
            Err(Error::MalformedReply { reason, .. }) => reason,
            other => panic!("{other:?}"),
        }
    }

    fn refused(status: u16, body: &'static str) -> Error {
        let response = Response::builder()
            .status(status)
            .body(Bytes::from_static(body.as_bytes()))
            .unwrap();
        accept(&peer(), response).unwrap_err()
    }

    #[test]
    fn a_token_reply_may_hold_more_than_the_token() {
        let body = br#"{"authorizationToken":"jwt","token":"t0k3n","name":"sessionToken"}"#;
        let reply = token(&peer(), body).unwrap();
        assert_eq!(reply.token.header_name(), "sessiontoken");
        assert_eq!(reply.token.expose(), "t0k3n");
        let authorization = reply.authorization.unwrap();
        assert_eq!(authorization.header_name(), "authorization");
        assert_eq!(authorization.expose(), "Bearer jwt");
    }

    #[test]
    fn an_authorization_token_that_is_none_does_no_harm() {
        for (found, kept) in [
            (r#""Bearer jwt""#, Some("Bearer jwt")),
            (r#""""#, None),
            (r#""a\nb""#, None),
            ("7", None),
            ("null", None),
        ] {
            let body = format!(
                r#"{{"authorizationToken":{found},"token":"t0k3n","name":"sessionToken"}}"#
            );
            let reply = token(&peer(), body.as_bytes()).unwrap();
            let token = reply.authorization;
            assert_eq!(token.as_ref().map(Token::expose), kept, "{found}");
        }
    }

    #[test]
    fn each_malformed_reply_has_its_reason() {
        for (body, reason) in [
            ("", "JSON that ends early"),
            (r#"{"name":"sessionToken","tok"#, "JSON that ends early"),
            ("token", "not JSON"),
            (
                "<!DOCTYPE html><title>Sign in</title>",
                "HTML where JSON was expected",
            ),
            ("\n <html></html>", "HTML where JSON was expected"),
            (r#"{"name":"sessionToken"}"#, "`token` is missing"),
            (
                r#"{"name":"sessionToken","token":null}"#,
                "`token` is missing",
            ),
            (r#"{"token":"t"}"#, "`name` is missing"),
            (r#"{"name":"sessionToken","token":"t"} x"#, "not JSON"),
            (
                r#"{"name":"sessionToken","token":7}"#,
                "JSON that is not an object with the texts `name` and `token`",
            ),
            (
                r#"{"token":"a","token":"b","name":"n"}"#,
                "JSON that is not an object with the texts `name` and `token`",
            ),
            (
                r#""secret""#,
                "JSON that is not an object with the texts `name` and `token`",
            ),
            (
                r#"{"name":"a b","token":"t"}"#,
                "`name` is not the name of a header",
            ),
            (r#"{"name":"sessionToken","token":""}"#, "`token` is empty"),
        ] {
            assert_eq!(malformed(body), reason, "{body}");
        }
    }

    #[test]
    fn code_and_message_of_an_error_are_kept() {
        assert_eq!(
            refused(401, r#"{"code":401,"message":"Unauthorized user"}"#),
            Error::Unauthorized {
                peer: peer(),
                code: Some(401),
                message: Some("Unauthorized user".to_owned())
            }
        );
        assert_eq!(
            refused(403, r#"{"code":403,"message":"Certificate authentication is not allowed for the requested user."}"#)
                .to_string(),
            "Pod at pod.test:8444 answered 403 Forbidden (code 403): \
             Certificate authentication is not allowed for the requested user."
        );
    }

    #[test]
    fn an_error_without_json_is_still_that_error() {
        for body in ["", "<html>", "[1]", r#"{"code":"x","message":7}"#] {
            assert_eq!(
                refused(500, body),
                Error::Status {
                    peer: peer(),
                    status: StatusCode::INTERNAL_SERVER_ERROR,
                    retry_after: None,
                    code: None,
                    message: None
                },
                "{body}"
            );
        }
    }

    #[test]
    fn how_long_the_server_asks_to_wait_is_kept_and_told() {
        for (status, value, wait, text) in [
            (
                429,
                "120",
                Some(120),
                "429 Too Many Requests and asks to wait 120s (code 8): slow down",
            ),
            (
                400,
                "86400",
                Some(86_400),
                "400 Bad Request and asks to wait 86400s (code 8): slow down",
            ),
            (
                503,
                "Fri, 31 Dec 1999 23:59:59 GMT",
                Some(59),
                "503 Service Unavailable and asks to wait 59s (code 8): slow down",
            ),
            (
                503,
                "Fri, 31 Dec 1999 23:00:00 GMT",
                Some(0),
                "503 Service Unavailable (code 8): slow down",
            ),
            (
                429,
                "soon",
                None,
                "429 Too Many Requests (code 8): slow down",
            ),
        ] {
            let response = Response::builder()
                .status(status)
                .header("date", "Fri, 31 Dec 1999 23:59:00 GMT")
                .header("retry-after", value)
                .body(Bytes::from_static(br#"{"code":8,"message":"slow down"}"#))
                .unwrap();
            let error = accept(&peer(), response).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("Pod at pod.test:8444 answered {text}")
            );
            let Error::Status { retry_after, .. } = error else {
                panic!("{error:?}");
            };
            assert_eq!(retry_after, wait.map(Duration::from_secs), "{value}");
        }
    }

    #[test]
    fn a_large_body_of_an_error_is_not_parsed() {
        let with = |filler: usize| {
            let filler = "x".repeat(filler);
            let body = format!(r#"{{"code":8,"filler":"{filler}"}}"#);
            match refused(500, body.leak()) {
                Error::Status { code, .. } => code,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(with(60 << 10), Some(8));
        assert_eq!(with(64 << 10), None);
    }

    #[test]
    fn a_message_can_not_take_over_a_terminal() {
        let Error::Status { message, .. } = refused(500, r#"{"message":"a\u001b[2Jb\r\nc"}"#)
        else {
            panic!();
        };
        assert_eq!(message.unwrap(), "a [2Jb  c");
    }

    #[test]
    fn a_redirect_is_an_error() {
        assert!(matches!(
            refused(302, ""),
            Error::Status {
                status: StatusCode::FOUND,
                ..
            }
        ));
    }
}
