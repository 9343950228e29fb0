use std::collections::{HashMap, VecDeque};

use http::{HeaderMap, HeaderValue, Method, StatusCode, Version, header, request::Parts};

use crate::{Fault, Port, port::PerPort, tokens::TokenKind};

/// A request that the pod saw, and how it answered. One that a [`Fault`] kept from being answered is here as well.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RecordedRequest {
    /// The port that it came in on.
    pub port: Port,
    /// Which connection it came in on: equal for requests that shared one.
    pub connection: u64,
    /// HTTP/1.1 or HTTP/2.
    pub version: Version,
    /// The method.
    pub method: Method,
    /// The path, without a query.
    pub path: String,
    /// The headers as they were sent. The values of tokens and credentials are replaced by `[elided]`.
    pub headers: HeaderMap,
    /// The length of the body in octets, as far as it was read.
    pub body_len: usize,
    /// The user who was found behind the certificate or the token.
    pub username: Option<String>,
    /// The status of the answer.
    pub status: StatusCode,
    /// What went wrong on purpose. Faults in the handshake belong to no request.
    pub faults: Vec<Fault>,
}

/// How many TLS handshakes a port saw.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HandshakeCounts {
    /// Handshakes that the server completed.
    pub completed: u64,
    /// Handshakes that failed: a client certificate was refused, the client went away or took too long, or it doesn't
    /// trust the server. A TLS 1.3 client can learn of its refusal after it believed the handshake done.
    pub failed: u64,
}

/// A client certificate that was not accepted: in a handshake, or on a connection that was open when it ceased to be.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RefusedCertificate {
    /// The port that it was shown on.
    pub port: Port,
    /// Why, with the names of the certificates that it hung on. An alert says much less.
    pub reason: String,
}

/// What happened, for tests to look at.
#[derive(Debug, Default)]
pub(crate) struct Records {
    requests: VecDeque<RecordedRequest>,
    by_path: HashMap<String, u64>,
    handshakes: PerPort<HandshakeCounts>,
    refused: VecDeque<RefusedCertificate>,
    connections: u64,
}

impl Records {
    /// A number for a new connection.
    pub(crate) fn next_connection(&mut self) -> u64 {
        self.connections = self.connections.wrapping_add(1);
        self.connections
    }

    pub(crate) fn handshake(&mut self, port: Port, completed: bool) {
        let counts = self.handshakes.of_mut(port);
        if completed {
            counts.completed = counts.completed.saturating_add(1);
        } else {
            counts.failed = counts.failed.saturating_add(1);
        }
    }

    pub(crate) fn handshakes(&self, port: Port) -> HandshakeCounts {
        *self.handshakes.of(port)
    }

    pub(crate) fn refused(&mut self, port: Port, reason: String) {
        if self.refused.len() >= MAX_REFUSED {
            self.refused.pop_front();
        }
        self.refused.push_back(RefusedCertificate { port, reason });
    }

    pub(crate) fn refused_certificates(&self) -> Vec<RefusedCertificate> {
        self.refused.iter().cloned().collect()
    }

    pub(crate) fn request(&mut self, request: RecordedRequest) {
        if let Some(count) = self.by_path.get_mut(&request.path) {
            *count = count.saturating_add(1);
        } else if self.by_path.len() < MAX_PATHS {
            self.by_path.insert(request.path.clone(), 1);
        }
        if self.requests.len() >= MAX_REQUESTS {
            self.requests.pop_front();
        }
        self.requests.push_back(request);
    }

    pub(crate) fn requests_to(&self, path: &str) -> u64 {
        self.by_path.get(path).copied().unwrap_or_default()
    }

    pub(crate) fn requests(&self) -> Vec<RecordedRequest> {
        self.requests.iter().cloned().collect()
    }
}

impl RecordedRequest {
    /// The request, before anything is known but what its head says.
    pub(crate) fn new(port: Port, connection: u64, head: &Parts) -> Self {
        Self {
            port,
            connection,
            version: head.version,
            method: head.method.clone(),
            path: head.uri.path().to_owned(),
            headers: elided(head.headers.clone()),
            body_len: 0,
            username: None,
            status: StatusCode::INTERNAL_SERVER_ERROR,
            faults: Vec::new(),
        }
    }
}

fn elided(mut headers: HeaderMap) -> HeaderMap {
    let secret = [
        TokenKind::Session.header(),
        TokenKind::KeyManager.header(),
        header::AUTHORIZATION.as_str(),
        header::PROXY_AUTHORIZATION.as_str(),
        header::COOKIE.as_str(),
    ];
    for (name, value) in &mut headers {
        if secret.contains(&name.as_str()) {
            *value = HeaderValue::from_static("[elided]");
        }
    }
    headers
}

/// Beyond this the oldest are forgotten.
const MAX_REQUESTS: usize = 10_000;
const MAX_REFUSED: usize = 1_000;

/// Beyond this, requests to further paths are not counted.
const MAX_PATHS: usize = 1_000;
