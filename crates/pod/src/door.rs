use std::{
    io,
    net::SocketAddr,
    sync::Mutex,
    task::{Context, Poll, Waker, ready},
};

use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    runtime::Handle,
};

use crate::sync::lock;

/// Where connections come in, unless it is shut.
#[derive(Debug)]
pub(crate) struct Door {
    address: SocketAddr,
    /// Opening needs the runtime, and may be asked for from outside.
    runtime: Handle,
    leaf: Mutex<Leaf>,
}

#[derive(Debug)]
struct Leaf {
    state: State,
    /// Whom to wake when the door opens again.
    waiting: Option<Waker>,
}

#[derive(Debug)]
enum State {
    Open(TcpListener),
    /// Connections are refused. The socket, if there is one, keeps others off the port.
    Shut(Option<TcpSocket>),
}

impl Door {
    /// Listens.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub(crate) async fn bind(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        Ok(Self {
            address: listener.local_addr()?,
            runtime: Handle::current(),
            leaf: Mutex::new(Leaf {
                state: State::Open(listener),
                waiting: None,
            }),
        })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next connection. While the door is shut, none comes.
    pub(crate) async fn accept(&self) -> io::Result<TcpStream> {
        std::future::poll_fn(|cx| self.poll_accept(cx)).await
    }

    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<TcpStream>> {
        let mut leaf = lock(&self.leaf);
        leaf.waiting = Some(cx.waker().clone());
        match &leaf.state {
            State::Open(listener) => {
                let (socket, _) = ready!(listener.poll_accept(cx))?;
                Poll::Ready(Ok(socket))
            }
            State::Shut(_) => Poll::Pending,
        }
    }

    /// Opens or shuts the door. When this returns, it is done.
    pub(crate) fn set_open(&self, open: bool) {
        let mut leaf = lock(&self.leaf);
        match (&mut leaf.state, open) {
            (State::Open(_), false) => {
                // The port is free for a moment: two sockets can't have it while one of them listens.
                leaf.state = State::Shut(None);
                leaf.state = State::Shut(self.reserve().ok());
            }
            (State::Shut(reserved), true) => match self.listen(reserved.take()) {
                Ok(listener) => {
                    leaf.state = State::Open(listener);
                    if let Some(waiting) = leaf.waiting.take() {
                        waiting.wake();
                    }
                }
                Err(error) => {
                    tracing::error!(%error, address = %self.address, "can not listen again");
                }
            },
            (State::Open(_), true) | (State::Shut(_), false) => {}
        }
    }

    fn listen(&self, reserved: Option<TcpSocket>) -> io::Result<TcpListener> {
        let socket = match reserved {
            Some(socket) => socket,
            None => self.reserve()?,
        };
        let _context = self.runtime.enter();
        socket.listen(BACKLOG)
    }

    /// A socket that has the port and doesn't listen.
    fn reserve(&self) -> io::Result<TcpSocket> {
        let socket = if self.address.is_ipv4() {
            TcpSocket::new_v4()
        } else {
            TcpSocket::new_v6()
        }?;
        // Connections that are open, or were lately, have the port too.
        socket.set_reuseaddr(true)?;
        socket.bind(self.address)?;
        Ok(socket)
    }
}

/// As tokio's own.
const BACKLOG: u32 = 1024;
