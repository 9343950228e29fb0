//! Name resolution, TCP and TLS, each with an error that says what it was.

use std::{
    future::{Future, Ready, ready},
    io,
    panic::resume_unwind,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, Wake, Waker},
    time::{Duration, Instant},
};

use http::Uri;
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::{
    client::legacy::connect::{
        HttpConnector,
        dns::{GaiAddrs, GaiResolver, Name},
    },
    rt::TokioIo,
};
use rustls::ClientConfig;
use tokio::{
    net::TcpStream,
    sync::{Notify, Semaphore},
    task::{JoinSet, spawn_blocking},
};
use tower_service::Service;

use super::{
    fault::{Fault, FaultSlot},
    stream::{AlertFirst, Recorded},
    tunnel,
};
use crate::proxy::Proxy;

type BoxFuture<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;
type Tcp = AlertFirst<TokioIo<TcpStream>>;
type Secured = MaybeHttpsStream<Tcp>;
type Stream = Recorded<Secured>;

/// Makes connections to one peer, within a time limit over all of its steps.
#[derive(Clone)]
pub(super) struct Connector {
    tcp: TcpConnector,
    tls: Arc<ClientConfig>,
    timeout: Duration,
    /// Threads that handshakes may compute on at once.
    computing: Arc<Semaphore>,
    first: Arc<Mutex<First>>,
}

/// The first connection, which may be begun before a call wants it.
#[derive(Default)]
enum First {
    #[default]
    ToBeMade,
    Begun(Instant, JoinSet<Result<Secured, Fault>>),
    Made,
}

/// Closes a connection that was begun ahead, when it is dropped, unless a call has taken it.
pub(crate) struct Ahead(Arc<Mutex<First>>);

impl Drop for Ahead {
    fn drop(&mut self) {
        made(&self.0);
    }
}

/// What was begun, for who makes or drops the connection now.
fn made(first: &Mutex<First>) -> First {
    let mut first = first.lock().unwrap_or_else(PoisonError::into_inner);
    std::mem::replace(&mut *first, First::Made)
}

impl Connector {
    pub(super) fn new(tls: Arc<ClientConfig>, proxy: Option<Proxy>, timeout: Duration) -> Self {
        Self {
            tcp: TcpConnector::new(proxy, timeout),
            tls,
            timeout,
            computing: Arc::new(Semaphore::new(COMPUTING)),
            first: Arc::default(),
        }
    }

    /// Begins the first connection. `None` if it was begun before.
    pub(super) fn connect_ahead(&self, target: Uri) -> Option<Ahead> {
        let mut first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
        if !matches!(*first, First::ToBeMade) {
            return None;
        }
        let mut task = JoinSet::new(); // which ends when it is dropped
        task.spawn(self.secured(target));
        *first = First::Begun(Instant::now(), task);
        Some(Ahead(Arc::clone(&self.first)))
    }

    /// Name resolution, TCP, the proxy and TLS, within the time limit.
    fn secured(&self, target: Uri) -> impl Future<Output = Result<Secured, Fault>> + use<> {
        let connecting = self.tcp.clone().call(target.clone());
        let tls = Arc::clone(&self.tls);
        let (limit, computing) = (self.timeout, Arc::clone(&self.computing));
        async move {
            let secured = async {
                let mut https = HttpsConnector::from((Connected(Some(connecting.await?)), tls));
                https.enforce_https();
                off_the_workers(https.call(target), computing).await
            };
            match tokio::time::timeout(limit, secured).await {
                Ok(Ok(stream)) => Ok(stream),
                Ok(Err(error)) => Err(match Fault::in_chain(error.as_ref()) {
                    // The connector splits the limit among several addresses.
                    Some(Fault::Network(io::ErrorKind::TimedOut, _)) => {
                        Fault::ConnectTimeout(limit)
                    }
                    Some(fault) => fault,
                    None => Fault::Http(error.to_string()),
                }),
                Err(_) => Err(Fault::ConnectTimeout(limit)),
            }
        }
    }
}

/// How old a connection that was begun ahead may be when it is taken. Servers close one on which nobody says anything after some ten seconds.
const FRESH: Duration = Duration::from_secs(5);

/// The signature of a handshake takes milliseconds: a few threads do hundreds in a second, and leave the others to the
/// rest of the program.
const COMPUTING: usize = 4;

/// What goes wrong on the connection that a call makes for itself.
#[derive(Clone, Default)]
pub(super) struct OwnConnection(Arc<Mutex<Option<FaultSlot>>>);

tokio::task_local! {
    static OWN_CONNECTION: OwnConnection;
}

impl OwnConnection {
    /// Sends a request. If that makes a connection, it is this one.
    pub(super) async fn of<F: Future>(&self, call: F) -> F::Output {
        OWN_CONNECTION.scope(self.clone(), call).await
    }

    pub(super) fn slot(&self) -> Option<FaultSlot> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn set(&self, slot: FaultSlot) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(slot);
    }
}

impl Service<Uri> for Connector {
    type Response = Stream;
    type Error = Fault;
    type Future = BoxFuture<Stream, Fault>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        Poll::Ready(Ok(())) // as all of the connectors below are, always
    }

    fn call(&mut self, target: Uri) -> Self::Future {
        let begun = made(&self.first);
        let anew = self.secured(target);
        // The pool connects within the call that wants it, and elsewhere when nobody does any more.
        let own_connection = OWN_CONNECTION.try_with(Clone::clone).ok();
        Box::pin(async move {
            let stream = match begun {
                First::Begun(since, mut task) if since.elapsed() < FRESH => {
                    match task.join_next().await {
                        Some(Ok(secured)) => secured,
                        Some(Err(error)) if error.is_panic() => resume_unwind(error.into_panic()),
                        _ => Err(Fault::Closed), // the runtime is shutting down
                    }
                }
                _ => anew.await,
            }?;
            let slot = FaultSlot::default();
            if let Some(own_connection) = own_connection {
                own_connection.set(slot.clone());
            }
            Ok(Recorded::new(stream, slot))
        })
    }
}

/// A connection that is there already, for TLS to be put on.
struct Connected(Option<Tcp>);

impl Service<Uri> for Connected {
    type Response = Tcp;
    type Error = Fault;
    type Future = Ready<Result<Tcp, Fault>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        ready(self.0.take().ok_or(Fault::Closed))
    }
}

/// Polls a future on threads for blocking work, and leaves them while it waits.
///
/// The signature of a handshake takes milliseconds with a large RSA key. On a worker it would hold up every other task
/// that is there, another handshake among them; and a thread that waited for the network would be lost to everybody else's
/// blocking work, the resolver's included.
async fn off_the_workers<F>(future: F, threads: Arc<Semaphore>) -> F::Output
where
    F: Future<Output: Send> + Send + 'static,
{
    let mut future = Box::pin(future);
    let wake_up = Arc::new(WakeUp(Notify::new()));
    loop {
        let Ok(permit) = Arc::clone(&threads).acquire_owned().await else {
            return std::future::pending().await; // it is never closed
        };
        let waker = Waker::from(Arc::clone(&wake_up));
        let thread = spawn_blocking(move || {
            let _permit = permit;
            let polled = future.as_mut().poll(&mut Context::from_waker(&waker));
            (polled, future)
        });
        match thread.await {
            Ok((Poll::Ready(output), _)) => return output,
            Ok((Poll::Pending, pending)) => future = pending,
            Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
            Err(_) => return std::future::pending().await, // the runtime is shutting down
        }
        wake_up.0.notified().await;
    }
}

/// Remembers that it was woken, also while nobody listens.
struct WakeUp(Notify);

impl Wake for WakeUp {
    fn wake(self: Arc<Self>) {
        self.0.notify_one();
    }
}

/// TCP to whichever address of the host answers first (RFC 8305), or through a proxy.
#[derive(Clone)]
struct TcpConnector {
    http: HttpConnector<Resolver>,
    proxy: Option<Proxy>,
}

impl TcpConnector {
    fn new(proxy: Option<Proxy>, timeout: Duration) -> Self {
        let mut http = HttpConnector::new_with_resolver(Resolver(GaiResolver::new()));
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_connect_timeout(Some(timeout));
        // Notices a peer that vanished while a connection idles in the pool.
        http.set_keepalive(Some(Duration::from_secs(60)));
        Self { http, proxy }
    }

    fn tcp(&mut self, target: Uri) -> impl Future<Output = Result<TcpStream, Fault>> + use<> {
        let connecting = self.http.call(target);
        async move {
            match connecting.await {
                Ok(stream) => Ok(stream.into_inner()),
                Err(error) => {
                    Err(Fault::in_chain(&error).unwrap_or_else(|| Fault::Http(error.to_string())))
                }
            }
        }
    }
}

impl Service<Uri> for TcpConnector {
    type Response = Tcp;
    type Error = Fault;
    type Future = BoxFuture<Tcp, Fault>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, target: Uri) -> Self::Future {
        let stream: BoxFuture<TcpStream, Fault> = match self.proxy.clone() {
            None => Box::pin(self.tcp(target)),
            Some(proxy) => {
                let connecting = self.tcp(proxy.uri());
                Box::pin(async move {
                    let stream = connecting
                        .await
                        .map_err(|fault| fault.on_the_way_to(&proxy))?;
                    tunnel::open(stream, &proxy, &target).await
                })
            }
        };
        Box::pin(async move { Ok(AlertFirst::new(TokioIo::new(stream.await?))) })
    }
}

/// The system's resolver, with an error that can be told from those of TCP.
#[derive(Clone, Debug)]
struct Resolver(GaiResolver);

impl Service<Name> for Resolver {
    type Response = GaiAddrs;
    type Error = Fault;
    type Future = BoxFuture<GaiAddrs, Fault>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let resolving = self.0.call(name);
        Box::pin(async move {
            resolving
                .await
                .map_err(|error| Fault::Dns(error.to_string()))
        })
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    fn threads(count: usize) -> Arc<Semaphore> {
        Arc::new(Semaphore::new(count))
    }

    #[tokio::test]
    async fn a_future_that_blocks_its_thread_does_not_hold_up_others() {
        let (sender, receiver) = std::sync::mpsc::channel();
        let blocks = async move { receiver.recv_timeout(Duration::from_secs(30)) };
        let (received, ()) = tokio::join!(off_the_workers(blocks, threads(1)), async {
            tokio::task::yield_now().await;
            sender.send(()).unwrap();
        });
        assert_eq!(received, Ok(()));
    }

    #[tokio::test]
    async fn a_connection_that_was_begun_too_long_ago_is_not_taken() {
        let provider = crate::provider::graviola().unwrap();
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
        // Nothing listens there.
        let nowhere: Uri = "https://127.0.0.1:1/".parse().unwrap();
        let limit = Duration::from_secs(30);
        let mut connector = Connector::new(Arc::new(tls), None, limit);
        for age in [Duration::ZERO, FRESH] {
            let mut task = JoinSet::new();
            task.spawn(async { Err(Fault::Dns("begun".to_owned())) });
            let since = Instant::now().checked_sub(age).unwrap();
            *connector.first.lock().unwrap() = First::Begun(since, task);
            let fault = connector.call(nowhere.clone()).await.err().unwrap();
            match fault {
                Fault::Dns(_) => assert_eq!(age, Duration::ZERO),
                Fault::Refused => assert_eq!(age, FRESH),
                other => panic!("{other:?}"),
            }
            assert!(connector.connect_ahead(nowhere.clone()).is_none());
        }
    }

    #[tokio::test]
    async fn a_future_that_waits_needs_no_thread() {
        let threads = threads(1);
        let (go, wait) = oneshot::channel::<()>();
        let waits = off_the_workers(wait, Arc::clone(&threads));
        let computes = async {
            // Were the thread taken, this would never be polled.
            off_the_workers(async { 7 }, threads).await
        };
        let (waited, computed) = tokio::join!(waits, async {
            let computed = computes.await;
            go.send(()).unwrap();
            computed
        });
        assert_eq!((waited, computed), (Ok(()), 7));
    }

    #[tokio::test]
    async fn a_future_that_nobody_waits_for_is_dropped() {
        let (alive, mut ended) = oneshot::channel::<()>();
        let forever = async move {
            let _alive = alive;
            std::future::pending::<()>().await;
        };
        let forever = off_the_workers(forever, threads(1));
        let waiting = tokio::time::timeout(Duration::from_millis(1), forever);
        waiting.await.unwrap_err();
        let dropped = tokio::time::timeout(Duration::from_secs(30), &mut ended).await;
        dropped.expect("it runs on").unwrap_err();
    }
}
