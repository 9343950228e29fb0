//! From an accepted socket to its last octet: handshake, HTTP, and a close that loses nothing.
use std::{
    io,
    sync::{Arc, OnceLock},
    time::Duration,
};

use http::Request;
use hyper::{
    body::Incoming,
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConnection;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::{Semaphore, watch},
    time::{sleep, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::{
    Port,
    door::Door,
    endpoints::{self, Peer},
    fault::{End, Layer, Line, Wire},
    state::State,
    sync::lock,
    tasks::Tasks,
    tls::Tls,
    verifier::ClientVerifier,
};

/// What the ports serve with. A clone serves the same.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) state: Arc<State>,
    pub(crate) tls: Arc<Tls>,
    /// Whether a client that names no protocol (ALPN, RFC 7301) is spoken to in HTTP/1.1.
    pub(crate) http1: bool,
    pub(crate) connections: Arc<Semaphore>,
    pub(crate) tasks: Tasks,
    /// Becomes true when the pod shuts down.
    pub(crate) stop: watch::Receiver<bool>,
}

impl Server {
    /// Accepts connections until the pod shuts down.
    pub(crate) async fn listen(self, door: Arc<Door>, port: Port) {
        loop {
            let mut stop = self.stop.clone();
            let next = async {
                let permit = Arc::clone(&self.connections).acquire_owned().await;
                (permit, door.accept().await)
            };
            let (permit, accepted) = tokio::select! {
                next = next => next,
                () = stopped(&mut stop) => return,
            };
            match accepted {
                Ok(socket) => {
                    let server = self.clone();
                    let open = self.state.open.enter(port);
                    self.tasks.spawn(async move {
                        server.serve(socket, port).await;
                        drop((open, permit));
                    });
                }
                // Out of file descriptors, for example: wait for some to be closed, rather than spin.
                Err(error) => {
                    tracing::warn!(%error, %port, "can not accept a connection");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    async fn serve(mut self, mut socket: TcpStream, port: Port) {
        let _ = socket.set_nodelay(true);
        let line = Arc::<Line>::default();
        let mut stop = self.stop.clone();
        // Everything above the socket only borrows it, so that it is still there when all else has ended in whatever
        // way.
        tokio::select! {
            () = self.converse(&mut socket, port, &line) => linger(socket).await,
            end = line.was_cut() => cut(socket, end, &mut stop).await,
        }
    }

    async fn converse(&mut self, socket: &mut TcpStream, port: Port, line: &Arc<Line>) {
        let socket = Wire::new(socket, line, Layer::Tls);
        let Some(mut stream) = self.handshake(socket, port).await else {
            return;
        };
        let (_, session) = stream.get_ref();
        let http2 = match session.alpn_protocol() {
            Some(protocol) => protocol == ALPN_HTTP2,
            None => !self.http1,
        };
        let peer = Arc::new(Peer {
            port,
            connection: lock(&self.state.records).next_connection(),
            line: Arc::clone(line),
            certificates: presented_certificates(session),
        });
        tracing::info!(
            port = port.word(),
            connection = peer.connection,
            certificate = peer.subject(),
            "handshake"
        );
        let state = Arc::clone(&self.state);
        let service = service_fn(move |request: Request<Incoming>| {
            let (state, peer) = (Arc::clone(&state), Arc::clone(&peer));
            async move { endpoints::serve(&state, &peer, request).await }
        });

        let io = TokioIo::new(Wire::new(&mut stream, line, Layer::Http));
        let ended = if http2 {
            let connection = self.http2().serve_connection(io, service);
            tokio::pin!(connection);
            tokio::select! {
                ended = connection.as_mut() => ended,
                () = self.enough(line) => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            }
        } else {
            let connection = http1().serve_connection(io, service);
            tokio::pin!(connection);
            tokio::select! {
                ended = connection.as_mut() => ended,
                () = self.enough(line) => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, %port, "connection ended early");
        }
        // Where HTTP ended early, TLS has not said goodbye: without a close_notify the client would have to think that
        // it was cut off (RFC 8446, section 6.1).
        let _ = timeout(LINGER_TIME, stream.shutdown()).await;
    }

    /// Returns when no more requests are to be taken on a connection.
    async fn enough(&mut self, line: &Line) {
        tokio::select! {
            () = stopped(&mut self.stop) => {}
            () = line.hung_up() => {}
        }
    }

    async fn handshake<'s>(
        &mut self,
        socket: Socket<'s>,
        port: Port,
    ) -> Option<TlsStream<Socket<'s>>> {
        let mut outcome = Outcome {
            state: Arc::clone(&self.state),
            port,
            completed: false,
        };
        let mut stop = self.stop.clone();
        let refusal = Arc::<OnceLock<String>>::default();
        let accepted = tokio::select! {
            accepted = timeout(HANDSHAKE_TIME, self.accept(socket, port, &refusal)) => accepted,
            () = stopped(&mut stop) => return None,
        };
        let reason = match accepted {
            Ok(Ok(stream)) => {
                outcome.completed = true;
                return Some(stream);
            }
            Ok(Err(error)) => match refusal.get() {
                Some(reason) => reason.clone(),
                None => error.to_string(),
            },
            Err(_) => format!("it took more than {HANDSHAKE_TIME:?}"),
        };
        tracing::info!(port = port.word(), reason, "handshake failed");
        None
    }

    async fn accept<'s>(
        &self,
        mut socket: Socket<'s>,
        port: Port,
        refusal: &Arc<OnceLock<String>>,
    ) -> io::Result<TlsStream<Socket<'s>>> {
        let verifier = port.demands_certificate().then(|| {
            Arc::new(ClientVerifier::new(
                Arc::clone(&self.state),
                port,
                Arc::clone(refusal),
            )) as Arc<_>
        });
        let mut handshake = self.tls.handshake(verifier);
        if let Some(fault) = self.state.faults.handshake(port) {
            fault.spoil(&mut handshake, &mut socket).await?;
        }
        let config = self.tls.config(handshake).map_err(io::Error::other)?;
        TlsAcceptor::from(config).accept(socket).await
    }

    fn http2(&self) -> http2::Builder<Tasks> {
        let mut builder = http2::Builder::new(self.tasks.clone());
        builder
            .timer(TokioTimer::new())
            .max_concurrent_streams(MAX_STREAMS)
            .max_header_list_size(MAX_HEAD)
            .keep_alive_interval(IDLE_TIME)
            .keep_alive_timeout(IDLE_TIME);
        builder
    }
}

fn http1() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE_TIME)
        .max_header_size(MAX_HEAD as usize)
        .max_headers(MAX_HEADERS);
    builder
}

/// A client's socket, for as long as it is lent.
type Socket<'s> = Wire<&'s mut TcpStream>;

/// Counts a handshake, however it ends.
struct Outcome {
    state: Arc<State>,
    port: Port,
    completed: bool,
}

impl Drop for Outcome {
    fn drop(&mut self) {
        lock(&self.state.records).handshake(self.port, self.completed);
    }
}

fn presented_certificates(
    session: &ServerConnection,
) -> Vec<rustls_pki_types::CertificateDer<'static>> {
    session.peer_certificates().unwrap_or_default().to_vec()
}

/// Ends a connection whose line was cut.
async fn cut(mut socket: TcpStream, end: End, stop: &mut watch::Receiver<bool>) {
    match end {
        End::Reset => {
            let _ = socket.set_zero_linger();
        }
        End::Close => linger(socket).await,
        End::Silence => tokio::select! {
            () = drain(&mut socket, u64::MAX) => {}
            () = stopped(stop) => {}
        },
    }
}

/// Closes so that the last octets arrive.
///
/// A socket that is closed while octets from the other side are unread is reset, and a reset overtakes and discards
/// what was sent before: an alert, or an early answer. So say that nothing more will come, and read on until the other
/// side has closed too, within bounds.
async fn linger(mut socket: TcpStream) {
    if socket.shutdown().await.is_err() {
        return;
    }
    let _ = timeout(LINGER_TIME, drain(&mut socket, LINGER_OCTETS)).await;
}

/// Reads until the other side has closed, or so many octets have come.
async fn drain(socket: &mut TcpStream, octets: u64) {
    let mut buffer = vec![0; LINGER_BUFFER];
    let mut left = octets;
    while left > 0 {
        match socket.read(&mut buffer).await {
            Ok(0) | Err(_) => break,
            Ok(count) => left = left.saturating_sub(count as u64),
        }
    }
}

/// Returns when the pod shuts down, or is gone.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

pub(crate) const ALPN_HTTP1: &[u8] = b"http/1.1";
pub(crate) const ALPN_HTTP2: &[u8] = b"h2";

/// Connections of one pod at the same time. Others wait to be accepted.
pub(crate) const MAX_CONNECTIONS: usize = 1024;

const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
const HANDSHAKE_TIME: Duration = Duration::from_secs(15);

/// For a request head to arrive, and for an idle HTTP/1.1 connection to ask again. An idle HTTP/2 connection may stay
/// as long as it answers a ping in this time.
const IDLE_TIME: Duration = Duration::from_secs(60);

/// Octets of a request's head, and its number of headers.
const MAX_HEAD: u32 = 32_768;
const MAX_HEADERS: usize = 100;

const MAX_STREAMS: u32 = 256;

const LINGER_TIME: Duration = Duration::from_secs(2);
const LINGER_OCTETS: u64 = 16 << 20;
const LINGER_BUFFER: usize = 65_536;
