//! Two wrappers around a connection, one below TLS and one above it, so that the reason of a failure isn't lost.

use std::{
    future::Future,
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use hyper::rt::{Read, ReadBuf, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use tokio::time::Sleep;

use super::fault::FaultSlot;

/// Below TLS: a write that fails because the peer has gone waits for what the peer had to say.
///
/// A server that refuses a client certificate sends an alert and closes. While the client still writes, the operating
/// system reports a broken pipe before anybody has read the alert, which lies in the receive buffer. So a failed write
/// is held back until the reading side has come to its end, for at most [`GRACE`].
pub(super) struct AlertFirst<T> {
    io: T,
    read_ended: bool,
    failed_write: Option<(io::ErrorKind, Pin<Box<Sleep>>)>,
}

/// How long a failed write is held back. The alert is there already, or on its way.
const GRACE: Duration = Duration::from_secs(2);

impl<T> AlertFirst<T> {
    pub(super) fn new(io: T) -> Self {
        Self {
            io,
            read_ended: false,
            failed_write: None,
        }
    }
}

impl<T: Write + Unpin> AlertFirst<T> {
    fn write_with(
        &mut self,
        cx: &mut Context<'_>,
        write: impl FnOnce(Pin<&mut T>, &mut Context<'_>) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        let (kind, grace) = match &mut self.failed_write {
            Some(failed) => failed,
            None => match write(Pin::new(&mut self.io), cx) {
                Poll::Ready(Err(error)) if is_gone(&error) => self
                    .failed_write
                    .insert((error.kind(), Box::pin(tokio::time::sleep(GRACE)))),
                other => return other,
            },
        };
        // The reader has its own waker on the socket, the grace period has one here.
        if self.read_ended || grace.as_mut().poll(cx).is_ready() {
            Poll::Ready(Err((*kind).into()))
        } else {
            Poll::Pending
        }
    }
}

fn is_reset(kind: io::ErrorKind) -> bool {
    matches!(
        kind,
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted
    )
}

fn is_gone(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::BrokenPipe
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::NotConnected
    )
}

impl<T: Read + Unpin> Read for AlertFirst<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let result = match &self.failed_write {
            Some((kind, _)) if is_reset(*kind) && buf.remaining() > 0 => {
                let kind = *kind;
                self.read_after_reset(kind, cx, buf)
            }
            _ => Pin::new(&mut self.io).poll_read(cx, buf),
        };
        if let Poll::Ready(Err(_)) = result {
            self.read_ended = true;
        }
        result
    }
}

impl<T: Read + Unpin> AlertFirst<T> {
    /// The operating system tells of a reset once. A write has heard of it; to the reader the connection looks closed in
    /// good order.
    fn read_after_reset(
        &mut self,
        kind: io::ErrorKind,
        cx: &mut Context<'_>,
        mut buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let mut octets = [0; 1024];
        let room = buf.remaining().min(octets.len());
        let mut own = ReadBuf::new(octets.get_mut(..room).unwrap_or_default());
        let result = Pin::new(&mut self.io).poll_read(cx, own.unfilled());
        match result {
            Poll::Ready(Ok(())) if own.filled().is_empty() => Poll::Ready(Err(kind.into())),
            other => {
                buf.put_slice(own.filled());
                other
            }
        }
    }
}

impl<T: Write + Unpin> Write for AlertFirst<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.write_with(cx, |io, cx| io.poll_write(cx, buf))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.write_with(cx, |io, cx| io.poll_write_vectored(cx, bufs))
    }
}

impl<T: Connection> Connection for AlertFirst<T> {
    fn connected(&self) -> Connected {
        self.io.connected()
    }
}

/// Above TLS: remembers the first error, and hands it to whoever used the connection; and tells them when it is gone.
///
/// HTTP/1.1 passes an I/O error on, HTTP/2 keeps only its text; and in TLS 1.3 the alert about a client certificate
/// comes after the handshake, when HTTP has taken over.
pub(crate) struct Recorded<T> {
    io: T,
    slot: FaultSlot,
}

impl<T> Recorded<T> {
    pub(super) fn new(io: T, slot: FaultSlot) -> Self {
        Self { io, slot }
    }

    fn note<R>(&self, result: Poll<io::Result<R>>) -> Poll<io::Result<R>> {
        if let Poll::Ready(Err(error)) = &result {
            self.slot.record(error);
        }
        result
    }
}

impl<T> Drop for Recorded<T> {
    fn drop(&mut self) {
        self.slot.end();
    }
}

impl<T: Read + Unpin> Read for Recorded<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.io).poll_read(cx, buf);
        self.note(result)
    }
}

impl<T: Write + Unpin> Write for Recorded<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.io).poll_write(cx, buf);
        self.note(result)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.io).poll_flush(cx);
        self.note(result)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.io).poll_shutdown(cx);
        self.note(result)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.io).poll_write_vectored(cx, bufs);
        self.note(result)
    }
}

impl<T: Connection> Connection for Recorded<T> {
    fn connected(&self) -> Connected {
        self.io.connected().extra(self.slot.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, mem};

    use tokio::time::Instant;

    use super::*;

    /// A peer that has gone: writes fail, and reads do as they are told.
    struct Gone {
        write: io::ErrorKind,
        read: fn() -> Poll<io::Result<()>>,
        /// What was sent before, and not read yet.
        left: Vec<u8>,
    }

    impl Default for Gone {
        fn default() -> Self {
            Self {
                write: io::ErrorKind::BrokenPipe,
                read: || Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
                left: Vec::new(),
            }
        }
    }

    impl Read for Gone {
        fn poll_read(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            mut buf: ReadBufCursor<'_>,
        ) -> Poll<io::Result<()>> {
            buf.put_slice(&mem::take(&mut self.left));
            (self.read)()
        }
    }

    impl Write for Gone {
        fn poll_write(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            _: &[u8],
        ) -> Poll<io::Result<usize>> {
            Poll::Ready(Err(self.write.into()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    async fn write(stream: &mut AlertFirst<Gone>) -> io::ErrorKind {
        poll_fn(|cx| Pin::new(&mut *stream).poll_write(cx, b"x"))
            .await
            .unwrap_err()
            .kind()
    }

    async fn read(stream: &mut AlertFirst<Gone>) -> io::Result<Vec<u8>> {
        let mut room = [0; 8];
        let mut room = ReadBuf::new(&mut room);
        poll_fn(|cx| Pin::new(&mut *stream).poll_read(cx, room.unfilled())).await?;
        Ok(room.filled().to_vec())
    }

    #[tokio::test(start_paused = true)]
    async fn a_reset_that_a_write_has_heard_of_is_no_end_in_good_order() {
        for (written, told) in [
            (
                io::ErrorKind::ConnectionReset,
                Some(io::ErrorKind::ConnectionReset),
            ),
            (
                io::ErrorKind::ConnectionAborted,
                Some(io::ErrorKind::ConnectionAborted),
            ),
            (io::ErrorKind::BrokenPipe, None),
        ] {
            let mut stream = AlertFirst::new(Gone {
                write: written,
                read: || Poll::Ready(Ok(())),
                ..Gone::default()
            });
            assert_eq!(read(&mut stream).await.unwrap(), b"");
            write(&mut stream).await;
            stream.io.left = b"alert".to_vec();
            assert_eq!(read(&mut stream).await.unwrap(), b"alert");
            assert_eq!(
                read(&mut stream).await.err().map(|error| error.kind()),
                told
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_write_is_held_back_for_the_grace_period_and_no_longer() {
        let mut stream = AlertFirst::new(Gone {
            read: || Poll::Pending,
            ..Gone::default()
        });
        let started = Instant::now();
        assert_eq!(write(&mut stream).await, io::ErrorKind::BrokenPipe);
        assert!((GRACE..GRACE * 2).contains(&started.elapsed()));
        assert_eq!(write(&mut stream).await, io::ErrorKind::BrokenPipe);
    }

    #[tokio::test(start_paused = true)]
    async fn who_uses_a_connection_hears_of_its_end() {
        let slot = FaultSlot::default();
        let stream = Recorded::new(Gone::default(), slot.clone());
        let open = tokio::time::timeout(Duration::from_secs(1), slot.ended()).await;
        open.unwrap_err();
        drop(stream);
        slot.ended().await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_write_is_told_as_soon_as_reading_has_ended() {
        let mut stream = AlertFirst::new(Gone::default());
        let started = Instant::now();
        read(&mut stream).await.unwrap_err();
        assert_eq!(write(&mut stream).await, io::ErrorKind::BrokenPipe);
        assert_eq!(started.elapsed(), Duration::ZERO);
    }
}
