//! The calls that the Pod, the Key Manager and the Agent answer.
use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version, header, request::Parts,
};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use pki::Certificate;
use rustls_pki_types::CertificateDer;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use crate::{
    Fault, Port, RecordedRequest, User,
    fault::{Line, ResponseBody, Unanswered},
    path_validation,
    reply::Reply,
    state::State,
    sync::{lock, read},
    tokens::TokenKind,
};

/// Who is at the other end of a connection.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) port: Port,
    pub(crate) connection: u64,
    pub(crate) line: Arc<Line>,
    /// What was presented in the handshake, the client's own certificate first; empty where none was asked for.
    pub(crate) certificates: Vec<CertificateDer<'static>>,
}

impl Peer {
    /// The subject of the certificate that was presented, if one was.
    pub(crate) fn subject(&self) -> Option<String> {
        let certificate = Certificate::from_der(self.certificates.first()?).ok()?;
        Some(certificate.subject().to_string())
    }
}

/// Answers one request, and records it.
pub(crate) async fn serve(
    state: &State,
    peer: &Peer,
    request: Request<Incoming>,
) -> Result<Response<ResponseBody>, Unanswered> {
    let (head, body) = request.into_parts();
    let mut record = RecordedRequest::new(peer.port, peer.connection, &head);
    let script = state.faults.script(peer.port, &head);
    let body = read_body(body).await;
    let unread = body.is_err();
    let reply = body
        .and_then(|body| {
            record.body_len = body.len();
            if script.expires_tokens() {
                lock(&state.tokens).clear();
            }
            if let Some(answer) = script.answer(state.policy.clock.now()) {
                return Ok(answer);
            }
            let call = Call {
                state,
                peer,
                head: &head,
                body: &body,
            };
            call.answer(&mut record.username)
        })
        .unwrap_or_else(|refusal| refusal);

    record.status = reply.status;
    record.faults = script.faults();
    tracing::info!(
        port = peer.port.word(),
        connection = peer.connection,
        method = %record.method,
        path = record.path,
        status = record.status.as_u16(),
        user = record.username,
        reason = reply.reason,
        faults = (!record.faults.is_empty()).then(|| written(&record.faults)),
        "request"
    );
    lock(&state.records).request(record);
    let mut response = script.deliver(reply, &peer.line).await?;
    // What is left of the body would be taken for the next request.
    if unread && head.version <= Version::HTTP_11 {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
    }
    Ok(response)
}

/// For the log.
fn written(faults: &[Fault]) -> String {
    let words: Vec<_> = faults.iter().map(ToString::to_string).collect();
    words.join(" and ")
}

/// The endpoints, by path and method, on the ports where they are. The crate's front page lists them.
const ROUTES: [Route; 7] = [
    Route {
        path: "/sessionauth/v1/authenticate",
        method: Method::POST,
        ports: &[Port::Web, Port::Api],
        endpoint: Endpoint::Authenticate(TokenKind::Session),
    },
    Route {
        path: "/sessionauth/v1/logout",
        method: Method::POST,
        ports: &[Port::Web, Port::Api],
        endpoint: Endpoint::Logout(TokenKind::Session),
    },
    Route {
        path: "/keyauth/v1/authenticate",
        method: Method::POST,
        ports: &[Port::KeyManager],
        endpoint: Endpoint::Authenticate(TokenKind::KeyManager),
    },
    Route {
        path: "/keyauth/v1/logout",
        method: Method::POST,
        ports: &[Port::KeyManager],
        endpoint: Endpoint::Logout(TokenKind::KeyManager),
    },
    Route {
        path: "/pod/v2/sessioninfo",
        method: Method::GET,
        ports: &[Port::Web, Port::Api],
        endpoint: Endpoint::SessionInfo,
    },
    Route {
        path: "/agent/v1/util/echo",
        method: Method::POST,
        ports: &[Port::Api],
        endpoint: Endpoint::Echo,
    },
    Route {
        path: "/agent/v1/info",
        method: Method::GET,
        ports: &[Port::Api],
        endpoint: Endpoint::Info,
    },
];

struct Route {
    path: &'static str,
    method: Method,
    ports: &'static [Port],
    endpoint: Endpoint,
}

#[derive(Debug, Clone, Copy)]
enum Endpoint {
    Authenticate(TokenKind),
    Logout(TokenKind),
    SessionInfo,
    Echo,
    Info,
}

/// One call, with all that its answer depends on.
struct Call<'a> {
    state: &'a State,
    peer: &'a Peer,
    head: &'a Parts,
    body: &'a [u8],
}

impl Call<'_> {
    fn answer(&self, username: &mut Option<String>) -> Result<Reply, Reply> {
        let route = ROUTES
            .iter()
            .find(|route| {
                route.path == self.head.uri.path() && route.ports.contains(&self.peer.port)
            })
            .ok_or_else(|| Reply::error(StatusCode::NOT_FOUND, "There is nothing here."))?;
        if route.method != self.head.method {
            let refusal = Reply::error(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed.");
            return Err(match HeaderValue::from_str(route.method.as_str()) {
                Ok(allow) => refusal.header(header::ALLOW, allow),
                Err(_) => refusal,
            });
        }
        match route.endpoint {
            Endpoint::Authenticate(kind) => self.authenticate(kind, username),
            Endpoint::Logout(kind) => self.logout(kind, username),
            Endpoint::SessionInfo => self.session_info(username),
            Endpoint::Echo => self.echo(username),
            Endpoint::Info => Ok(self.info()),
        }
    }

    /// Since March 2025 the request's Content-Type must be empty, and its body null. Field reports tell the two
    /// refusals apart.
    fn authenticate(&self, kind: TokenKind, found: &mut Option<String>) -> Result<Reply, Reply> {
        let has_type = self
            .head
            .headers
            .get(header::CONTENT_TYPE)
            .is_some_and(|value| !value.is_empty());
        if has_type {
            return Err(Reply::unauthorized(
                "The request must have no Content-Type and no body.",
            ));
        }
        if !self.body.is_empty() {
            return Err(Reply::error(
                StatusCode::INTERNAL_SERVER_ERROR,
                "Unexpected request body.",
            ));
        }

        let user = self.user_of_certificate()?;
        *found = Some(user.username.clone());
        if !user.certificates_allowed {
            return Err(Reply::error(
                StatusCode::FORBIDDEN,
                "Certificate authentication is not allowed for the requested user.",
            ));
        }
        let policy = &self.state.policy;
        let now = policy.clock.now();
        let token = lock(&self.state.tokens)
            .issue(kind, &user.username, now, policy.token_lifetime)
            .map_err(|error| {
                tracing::error!(%error, "no randomness for a token");
                Reply::error(StatusCode::INTERNAL_SERVER_ERROR, "No token can be made.")
            })?;
        Ok(Reply::json(
            StatusCode::OK,
            &TokenBody { name: kind, token },
        ))
    }

    /// The enabled user whose name is the Common Name of the certificate that was presented.
    ///
    /// The certificate is judged again: its connection may have been open since before it was revoked.
    fn user_of_certificate(&self) -> Result<User, Reply> {
        if self.peer.certificates.is_empty() {
            return Err(Reply::unauthorized("No client certificate was presented."));
        }
        let store = Arc::clone(&read(&self.state.certificates));
        let certificate =
            path_validation::verify(&self.peer.certificates, &store, &self.state.policy).map_err(
                |refusal| {
                    let reason = refusal.to_string();
                    lock(&self.state.records).refused(self.peer.port, reason.clone());
                    Reply::unauthorized("The client certificate is not accepted.").because(reason)
                },
            )?;
        certificate
            .subject()
            .common_name()
            .and_then(|name| read(&self.state.users).find(name).cloned())
            .filter(|user| user.enabled)
            .ok_or_else(|| Reply::unauthorized("No user for this certificate."))
    }

    fn logout(&self, kind: TokenKind, found: &mut Option<String>) -> Result<Reply, Reply> {
        let token = token(&self.head.headers, kind)
            // The Key Manager's specification names the one header, its reference page the other.
            .or_else(|| token(&self.head.headers, TokenKind::Session))
            .ok_or_else(|| Reply::error(StatusCode::BAD_REQUEST, "No token was presented."))?;
        let user = self.holder(kind, token)?;
        *found = Some(user.username);
        lock(&self.state.tokens).revoke(kind, token);
        Ok(Reply::json(
            StatusCode::OK,
            &MessageBody {
                message: "Logged out.".to_owned(),
            },
        ))
    }

    fn session_info(&self, found: &mut Option<String>) -> Result<Reply, Reply> {
        let user = self.holder_of(TokenKind::Session)?;
        *found = Some(user.username.clone());
        Ok(Reply::json(
            StatusCode::OK,
            &SessionInfoBody {
                id: user.id,
                username: &user.username,
                display_name: &user.username,
                account_type: "SYSTEM",
            },
        ))
    }

    fn echo(&self, found: &mut Option<String>) -> Result<Reply, Reply> {
        let user = self.holder_of(TokenKind::Session)?;
        *found = Some(user.username.clone());
        let simplified = self.state.policy.simplified_key_delivery;
        let presented = token(&self.head.headers, TokenKind::KeyManager).is_some();
        if (presented || !simplified) && self.holder_of(TokenKind::KeyManager)? != user {
            return Err(Reply::unauthorized("The tokens belong to different users."));
        }
        let message: MessageBody = serde_json::from_slice(self.body).map_err(|_| {
            Reply::error(
                StatusCode::BAD_REQUEST,
                "The body must be {\"message\": \"...\"}.",
            )
        })?;
        Ok(Reply::json(StatusCode::OK, &message))
    }

    /// About the Agent, for anybody.
    fn info(&self) -> Reply {
        let version = &self.state.policy.agent_version;
        Reply::json(StatusCode::OK, &AgentInfoBody { version })
    }

    fn holder_of(&self, kind: TokenKind) -> Result<User, Reply> {
        let token = token(&self.head.headers, kind)
            .ok_or_else(|| Reply::unauthorized("A token is missing."))?;
        self.holder(kind, token)
    }

    /// The enabled user who holds the token.
    fn holder(&self, kind: TokenKind, token: &str) -> Result<User, Reply> {
        let now = self.state.policy.clock.now();
        lock(&self.state.tokens)
            .holder(kind, token, now)
            .and_then(|username| read(&self.state.users).find(username).cloned())
            .filter(|user| user.enabled)
            .ok_or_else(|| Reply::unauthorized("Invalid session."))
    }
}

fn token(headers: &HeaderMap, kind: TokenKind) -> Option<&str> {
    headers.get(kind.header())?.to_str().ok()
}

async fn read_body(body: Incoming) -> Result<Bytes, Reply> {
    match timeout(BODY_TIME, Limited::new(body, MAX_BODY).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => Err(Reply::error(
            StatusCode::PAYLOAD_TOO_LARGE,
            "The request body is too large.",
        )),
        Ok(Err(_)) => Err(Reply::error(
            StatusCode::BAD_REQUEST,
            "The request body is broken.",
        )),
        Err(_) => Err(Reply::error(
            StatusCode::REQUEST_TIMEOUT,
            "The request body did not arrive in time.",
        )),
    }
}

#[derive(Serialize)]
struct TokenBody {
    name: TokenKind,
    token: String,
}

#[derive(Serialize, Deserialize)]
struct MessageBody {
    message: String,
}

#[derive(Serialize)]
struct AgentInfoBody<'a> {
    version: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SessionInfoBody<'a> {
    id: u64,
    username: &'a str,
    display_name: &'a str,
    account_type: &'a str,
}

const MAX_BODY: usize = 65_536;
const BODY_TIME: Duration = Duration::from_secs(30);
