//! An HTTP proxy that a client has to go through.
use std::{
    fmt, io,
    net::{Ipv4Addr, SocketAddr},
    panic::resume_unwind,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use http::StatusCode;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream, lookup_host},
    time::{sleep, timeout},
};

use crate::{Error, sync::lock, tasks::Tasks};

/// An HTTP proxy on the loopback interface, for clients that tunnel through one with CONNECT (RFC 9110, section
/// 9.3.6). It connects to loopback addresses only.
///
/// It ends when it is dropped, and raises a panic of its own again.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), pod::Error> {
/// use pod::Proxy;
///
/// let proxy = Proxy::builder().basic_auth("user", "secret").start().await?;
/// assert!(proxy.url().starts_with("http://127.0.0.1:"));
/// assert!(proxy.connects().is_empty());
/// # Ok(())
/// # }
/// ```
pub struct Proxy {
    address: SocketAddr,
    state: Arc<State>,
    tasks: Tasks,
}

/// How a [`Proxy`] is to be. Made by [`Proxy::builder`].
#[derive(Default)]
#[must_use = "a builder does nothing until it is started"]
pub struct ProxyBuilder {
    /// What `Proxy-Authorization` has to say.
    credentials: Option<String>,
}

/// What a proxy does instead of opening tunnels. 407 needs none of these: it comes when
/// [`basic_auth`](ProxyBuilder::basic_auth) is asked for and not given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProxyFault {
    /// Every CONNECT is answered with this status. At 407, a challenge goes with it.
    Status(StatusCode),
    /// No CONNECT is answered, and the connection stays open until the client closes it.
    Silence,
    /// The connection is closed without an answer.
    Close,
}

/// A CONNECT that a proxy saw, and how it answered.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordedConnect {
    /// The `host:port` that was asked for.
    pub authority: String,
    /// Whether there was a `Proxy-Authorization`, right or wrong.
    pub credentials: bool,
    /// The status of the answer. `None`: there was none.
    pub status: Option<StatusCode>,
}

#[derive(Default)]
struct State {
    credentials: Option<String>,
    fault: Mutex<Option<ProxyFault>>,
    connects: Mutex<Vec<RecordedConnect>>,
}

impl Proxy {
    /// A proxy that asks for no credentials, unless it is told otherwise.
    pub fn builder() -> ProxyBuilder {
        ProxyBuilder::default()
    }

    /// The address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its URL, without credentials: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From the next CONNECT on, does this instead of its work. `None`: does its work again.
    pub fn set_fault(&self, fault: impl Into<Option<ProxyFault>>) {
        *lock(&self.state.fault) = fault.into();
    }

    /// The CONNECTs so far, in the order of their answers. Beyond 10,000 the oldest are forgotten.
    pub fn connects(&self) -> Vec<RecordedConnect> {
        lock(&self.state.connects).clone()
    }
}

impl ProxyBuilder {
    /// Lets in only who gives this name and password (RFC 7617), and answers 407 to others.
    pub fn basic_auth(mut self, username: &str, password: &str) -> Self {
        let credentials = STANDARD.encode(format!("{username}:{password}"));
        self.credentials = Some(format!("Basic {credentials}"));
        self
    }

    /// Starts the proxy on the current tokio runtime, on a port that the system chooses.
    ///
    /// # Errors
    ///
    /// [`Error::BindProxy`].
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub async fn start(self) -> Result<Proxy, Error> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .map_err(Error::BindProxy)?;
        let address = listener.local_addr().map_err(Error::BindProxy)?;
        let state = Arc::new(State {
            credentials: self.credentials,
            ..State::default()
        });
        let tasks = Tasks::default();
        tasks.spawn(listen(listener, Arc::clone(&state), tasks.clone()));
        Ok(Proxy {
            address,
            state,
            tasks,
        })
    }
}

async fn listen(listener: TcpListener, state: Arc<State>, tasks: Tasks) {
    loop {
        match listener.accept().await {
            Ok((client, _)) => {
                let state = Arc::clone(&state);
                tasks.spawn(async move {
                    if let Err(error) = state.serve(client).await {
                        tracing::debug!(%error, "proxied connection ended early");
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "the proxy can not accept a connection");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

impl State {
    /// One connection: one CONNECT, and, if it is granted, its tunnel.
    async fn serve(&self, mut client: TcpStream) -> io::Result<()> {
        let _ = client.set_nodelay(true);
        let Some(Head { request, rest }) = read_head(&mut client).await? else {
            return reply(&mut client, StatusCode::BAD_REQUEST).await;
        };
        let Some(connect) = Connect::parse(&request) else {
            return reply(&mut client, StatusCode::METHOD_NOT_ALLOWED).await;
        };
        let tunnel = self.tunnel(&connect).await;
        self.record(
            &connect,
            match &tunnel {
                Ok(_) => Some(StatusCode::OK),
                Err(ProxyFault::Status(status)) => Some(*status),
                Err(ProxyFault::Silence | ProxyFault::Close) => None,
            },
        );
        match tunnel {
            Ok(mut server) => {
                client.write_all(ESTABLISHED).await?;
                server.write_all(&rest).await?;
                copy_bidirectional(&mut client, &mut server).await?;
                Ok(())
            }
            Err(ProxyFault::Status(status)) => reply(&mut client, status).await,
            Err(ProxyFault::Silence) => until_closed(&mut client).await,
            Err(ProxyFault::Close) => Ok(()),
        }
    }

    /// The server at the other end, or what the client gets instead.
    async fn tunnel(&self, connect: &Connect<'_>) -> Result<TcpStream, ProxyFault> {
        if let Some(fault) = *lock(&self.fault) {
            return Err(fault);
        }
        if self.credentials.is_some() && connect.credentials != self.credentials.as_deref() {
            let status = StatusCode::PROXY_AUTHENTICATION_REQUIRED;
            return Err(ProxyFault::Status(status));
        }
        reach(connect.authority).await.map_err(ProxyFault::Status)
    }

    fn record(&self, connect: &Connect<'_>, status: Option<StatusCode>) {
        tracing::info!(authority = connect.authority, ?status, "connect");
        let mut connects = lock(&self.connects);
        if connects.len() >= MAX_CONNECTS {
            connects.remove(0);
        }
        connects.push(RecordedConnect {
            authority: connect.authority.to_owned(),
            credentials: connect.credentials.is_some(),
            status,
        });
    }
}

/// A connection to a loopback address, or the status that tells why there is none.
async fn reach(authority: &str) -> Result<TcpStream, StatusCode> {
    let mut addresses = lookup_host(authority)
        .await
        .map_err(|_| StatusCode::BAD_GATEWAY)?
        .filter(|address| address.ip().is_loopback())
        .peekable();
    // Test equipment is no way out into the world.
    addresses.peek().ok_or(StatusCode::FORBIDDEN)?;
    for address in addresses {
        if let Ok(server) = TcpStream::connect(address).await {
            let _ = server.set_nodelay(true);
            return Ok(server);
        }
    }
    Err(StatusCode::BAD_GATEWAY)
}

/// The head of a request, and what came after it already.
struct Head {
    request: String,
    rest: Vec<u8>,
}

/// `None` when it is too long, not in ASCII, or cut short.
async fn read_head(client: &mut TcpStream) -> io::Result<Option<Head>> {
    let mut octets = Vec::new();
    let end = loop {
        if let Some(end) = octets.windows(4).position(|window| window == b"\r\n\r\n") {
            break end.saturating_add(4);
        }
        if octets.len() >= MAX_HEAD || client.read_buf(&mut octets).await? == 0 {
            return Ok(None);
        }
    };
    let rest = octets.split_off(end);
    Ok(String::from_utf8(octets)
        .ok()
        .map(|request| Head { request, rest }))
}

/// What a CONNECT says.
struct Connect<'a> {
    authority: &'a str,
    credentials: Option<&'a str>,
}

impl<'a> Connect<'a> {
    fn parse(head: &'a str) -> Option<Self> {
        let mut lines = head.split("\r\n");
        let authority = lines
            .next()?
            .strip_prefix("CONNECT ")?
            .strip_suffix(" HTTP/1.1")?;
        let credentials = lines.find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("proxy-authorization")
                .then_some(value.trim())
        });
        Some(Self {
            authority,
            credentials,
        })
    }
}

async fn reply(client: &mut TcpStream, status: StatusCode) -> io::Result<()> {
    let challenge = if status == StatusCode::PROXY_AUTHENTICATION_REQUIRED {
        "Proxy-Authenticate: Basic realm=\"pod\"\r\n"
    } else {
        ""
    };
    let head =
        format!("HTTP/1.1 {status}\r\n{challenge}Content-Length: 0\r\nConnection: close\r\n\r\n");
    client.write_all(head.as_bytes()).await?;
    client.shutdown().await?;
    // Whoever closes with something unread resets, and the answer with it.
    timeout(LINGER_TIME, until_closed(client)).await?
}

async fn until_closed(client: &mut TcpStream) -> io::Result<()> {
    let mut buffer = [0; 1024];
    while client.read(&mut buffer).await? > 0 {}
    Ok(())
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.tasks.abort();
        if let Some(panic) = self.tasks.take_panic()
            && !thread::panicking()
        {
            resume_unwind(panic);
        }
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ProxyBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let credentials = self.credentials.as_ref().map(|_| "[secret elided]");
        f.debug_struct("ProxyBuilder")
            .field("credentials", &credentials)
            .finish()
    }
}

const ESTABLISHED: &[u8] = b"HTTP/1.1 200 Connection established\r\n\r\n";
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
const LINGER_TIME: Duration = Duration::from_secs(2);
const MAX_HEAD: usize = 16_384;
const MAX_CONNECTS: usize = 10_000;
