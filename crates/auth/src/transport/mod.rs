//! Calls to one peer: bounded in time and size, with an error that says what happened.

pub(crate) mod reply;
mod fault;
mod stream;
mod tunnel;
mod connect;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, Uri, Version, header};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper_util::{
    client::legacy::{
        self,
        connect::{CaptureConnection, capture_connection},
    },
    rt::{TokioExecutor, TokioTimer},
};
use rustls::ClientConfig;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

pub(crate) use self::connect::Ahead;
use self::{
    connect::{Connector, OwnConnection},
    fault::{Fault, FaultSlot},
};
use crate::{Error, Peer, Phase, endpoint::Base, proxy::ProxyChoice};

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timeouts {
    pub(crate) connect: Duration,
    pub(crate) read: Duration,
    pub(crate) total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(15),
            read: Duration::from_secs(60),
            total: Duration::from_secs(120),
        }
    }
}

/// How it is found out that a peer has vanished: pings (RFC 9113, section 6.7), which only HTTP/2 has. HTTP/1.1 gives a
/// connection to one call at a time, which has time limits of its own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeepAlive {
    pub(crate) interval: Duration,
    pub(crate) timeout: Duration,
}

impl Default for KeepAlive {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(20),
            timeout: Duration::from_secs(10),
        }
    }
}

/// How a peer is reached, but for its URL.
#[derive(Debug, Clone, Default)]
pub(crate) struct Link {
    pub(crate) proxy: ProxyChoice,
    pub(crate) timeouts: Timeouts,
    pub(crate) keep_alive: KeepAlive,
    /// Added to every request that has none of the same name.
    pub(crate) headers: HeaderMap,
}

/// One peer and the pool of connections to it.
pub(crate) struct Channel {
    base: Base,
    http: legacy::Client<Connector, Full<Bytes>>,
    connector: Connector,
    /// For calls that have no connection yet; with HTTP/1.1 also until they have got one that is idle, which can't be
    /// told from one that is being made.
    connecting: Semaphore,
    timeouts: Timeouts,
    headers: HeaderMap,
}

impl Channel {
    pub(crate) fn new(base: Base, tls: Arc<ClientConfig>, link: &Link) -> Result<Self, Error> {
        let proxy = link.proxy.resolve(&base.origin())?;
        let connector = Connector::new(tls, proxy, link.timeouts.connect);
        let http = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(POOL_IDLE)
            .pool_max_idle_per_host(POOL_SIZE)
            .timer(TokioTimer::new())
            .http2_keep_alive_interval(link.keep_alive.interval)
            .http2_keep_alive_timeout(link.keep_alive.timeout)
            .http2_keep_alive_while_idle(true)
            .build(connector.clone());
        Ok(Self {
            base,
            http,
            connector,
            connecting: Semaphore::new(CONNECTING),
            timeouts: link.timeouts,
            headers: link.headers.clone(),
        })
    }

    pub(crate) fn peer(&self) -> &Peer {
        self.base.peer()
    }

    /// Makes a connection for the next call, if there was none so far: one may be in the pool otherwise, which doesn't tell. It is closed when the answer is
    /// dropped and no call has taken it.
    pub(crate) fn connect_ahead(&self) -> Option<Ahead> {
        self.connector.connect_ahead(self.base.origin())
    }

    /// Tells whether a request may be sent here at all.
    pub(crate) fn check(&self, target: &Uri) -> Result<(), Error> {
        self.base.resolve(target).map(drop)
    }

    /// Sends a request and reads the whole reply, whatever its status.
    ///
    /// The request's URI is resolved against the peer's URL. A reply of more than `limit` octets is an error if it
    /// means success; the body of any other is dropped when it can't be had, because the status says enough.
    pub(crate) async fn call(
        &self,
        request: Request<Bytes>,
        limit: usize,
    ) -> Result<Response<Bytes>, Failure> {
        let mut request = self.prepare(request).map_err(Failure::unsent)?;
        let method = request.method().clone();
        let path = request.uri().path().to_owned();
        let connection = capture_connection(&mut request);
        let exchange = self.exchange(request, connection.clone(), limit);
        let result = match tokio::time::timeout(self.timeouts.total, exchange).await {
            Ok(result) => result,
            Err(_) => Err(Failure {
                error: self.timed_out(Phase::Total, self.timeouts.total),
                sent: connection.connection_metadata().is_some(),
            }),
        };
        if let Err(Failure {
            error: Error::Timeout { .. },
            ..
        }) = result
        {
            retire(&connection);
        }
        match &result {
            Ok(response) => {
                tracing::debug!(peer = %self.peer(), %method, path, status = response.status().as_u16(), "call answered");
            }
            Err(Failure { error, .. }) => {
                tracing::debug!(peer = %self.peer(), %method, path, %error, "call failed")
            }
        }
        result
    }

    fn prepare(&self, request: Request<Bytes>) -> Result<Request<Full<Bytes>>, Error> {
        let (mut parts, body) = request.into_parts();
        parts.uri = self.base.resolve(&parts.uri)?;
        parts.version = Version::HTTP_11; // the connection decides, by ALPN
        // A caller's Host would send the tokens to another virtual host.
        parts.headers.remove(header::HOST);
        for (name, value) in &self.headers {
            // `authenticate` must carry no Content-Type.
            if !(body.is_empty() && name == header::CONTENT_TYPE) {
                parts.headers.entry(name).or_insert_with(|| value.clone());
            }
        }
        parts
            .headers
            .entry(header::ACCEPT)
            .or_insert(HeaderValue::from_static("application/json"));
        parts
            .headers
            .entry(header::USER_AGENT)
            .or_insert(HeaderValue::from_static(USER_AGENT));
        // Over HTTP/1.1 hyper sends no length with an empty body, and some servers then ask for one (411).
        if body.is_empty() && [Method::POST, Method::PUT, Method::PATCH].contains(&parts.method) {
            parts
                .headers
                .insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        Ok(Request::from_parts(parts, Full::new(body)))
    }

    async fn exchange(
        &self,
        request: Request<Full<Bytes>>,
        mut connection: CaptureConnection,
        limit: usize,
    ) -> Result<Response<Bytes>, Failure> {
        // First the connection, then the head of the reply, each with its own limit. Until one has come about, HTTP/2
        // would make a connection for every call that is waiting.
        let own_connection = OwnConnection::default();
        let mut pending = std::pin::pin!(own_connection.of(self.http.request(request)));
        let connected = async {
            let _turn = self.connecting.acquire().await;
            tokio::select! {
                biased;
                result = &mut pending => Some(result),
                _ = connection.wait_for_connection_metadata() => None,
            }
        };
        let limit_to_connect = self.timeouts.connect;
        let Ok(connected) = tokio::time::timeout(limit_to_connect, connected).await else {
            return Err(Failure::unsent(
                self.timed_out(Phase::Connect, limit_to_connect),
            ));
        };
        let result = match connected {
            Some(result) => result,
            None => tokio::select! {
                biased;
                result = self.within_read(pending) => result.map_err(Failure::sent)?,
                fault = lost(&connection) => {
                    return Err(Failure::sent(fault.at(self.peer().clone())));
                }
            },
        };
        let response = result.map_err(|error| Failure {
            sent: !fault::before_sending(&error),
            error: Fault::of_call(&error, own_connection.slot().as_ref()).at(self.peer().clone()),
        })?;

        let (parts, body) = response.into_parts();
        let body = match self.collect(body, &parts.extensions, limit).await {
            Err(error) if parts.status.is_success() => return Err(Failure::sent(error)),
            result => result.unwrap_or_default(),
        };
        Ok(Response::from_parts(parts, body))
    }

    async fn collect(
        &self,
        mut body: Incoming,
        extensions: &http::Extensions,
        limit: usize,
    ) -> Result<Bytes, Error> {
        let too_large = || Error::ReplyTooLarge {
            peer: self.peer().clone(),
            limit,
        };
        let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
        if announced > limit {
            return Err(too_large());
        }
        // Replies may hold tokens: wiped after use. The room avoids copies left behind by growing.
        let room = announced.clamp(INITIAL_ROOM.min(limit), LONGEST_ROOM);
        let mut collected = Zeroizing::new(Vec::with_capacity(room));
        while let Some(frame) = self.within_read(body.frame()).await? {
            let frame = frame
                .map_err(|error| Fault::of_body(&error, extensions).at(self.peer().clone()))?;
            if let Some(data) = frame.data_ref() {
                if data.len() > limit.saturating_sub(collected.len()) {
                    return Err(too_large());
                }
                collected.extend_from_slice(data);
            }
        }
        Ok(Bytes::from_owner(collected))
    }

    async fn within_read<F: Future>(&self, future: F) -> Result<F::Output, Error> {
        tokio::time::timeout(self.timeouts.read, future)
            .await
            .map_err(|_| self.timed_out(Phase::Read, self.timeouts.read))
    }

    fn timed_out(&self, phase: Phase, after: Duration) -> Error {
        Error::Timeout {
            peer: self.peer().clone(),
            phase,
            after,
        }
    }
}

/// Lets nobody else use the connection of a request that had no answer in time: HTTP/2 would give the same one to the next
/// call too.
fn retire(connection: &CaptureConnection) {
    if let Some(connection) = connection.connection_metadata().as_ref() {
        connection.poison();
    }
}

/// Returns if the connection that a request went to is gone, and nobody has told the request.
///
/// Over HTTP/2 that happens now and then when a server says GOAWAY just then: the request would wait for its whole time
/// (<https://github.com/seanmonstar/reqwest/issues/1323>).
async fn lost(connection: &CaptureConnection) -> Fault {
    loop {
        let Some(slot) = FaultSlot::of(connection) else {
            return std::future::pending().await;
        };
        slot.ended().await;
        // The news may be on its way, and a request that wasn't sent goes to another connection by itself.
        tokio::time::sleep(NEWS).await;
        if FaultSlot::of(connection).is_some_and(|now| now.is(&slot)) {
            return slot.get().unwrap_or(Fault::Closed);
        }
    }
}

/// A call that failed, and whether the request was on its way by then.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) error: Error,
    /// In whole or in part: the server may have acted on it.
    pub(crate) sent: bool,
}

impl Failure {
    pub(crate) fn unsent(error: Error) -> Self {
        Self { error, sent: false }
    }

    fn sent(error: Error) -> Self {
        Self { error, sent: true }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        failure.error
    }
}

const USER_AGENT: &str = concat!("countersign/", env!("CARGO_PKG_VERSION"));

/// How long it may take until a request hears that its connection is gone. It is a matter of microseconds.
const NEWS: Duration = Duration::from_secs(1);

/// How long an unused connection is kept. Load balancers commonly drop theirs after a minute.
const POOL_IDLE: Duration = Duration::from_secs(50);

/// How many unused connections are kept for a peer. HTTP/1.1 needs one for each call at a time, HTTP/2 one for all.
const POOL_SIZE: usize = 16;

/// How many calls may set up connections to a peer at once.
const CONNECTING: usize = 16;

/// Room for a well-formed token reply, in octets.
const INITIAL_ROOM: usize = 4096;

/// A server may announce more than it has. In octets; no reply with tokens is longer.
const LONGEST_ROOM: usize = 1 << 20;
