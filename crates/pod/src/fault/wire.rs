use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::Notify,
};

use super::End;
use crate::sync::lock;

/// One connection, as far as faults meddle with it.
#[derive(Debug, Default)]
pub(crate) struct Line {
    cut: Mutex<Option<Cut>>,
    was_cut: Notify,
    hang_up: Notify,
}

#[derive(Debug, Clone, Copy)]
struct Cut {
    layer: Layer,
    end: End,
    left: u64,
}

/// Whose octets are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layer {
    /// Those of TLS records.
    Tls,
    /// Those of HTTP.
    Http,
}

impl Line {
    /// Cuts the line after so many octets.
    pub(super) fn cut_after(&self, layer: Layer, end: End, octets: u64) {
        *lock(&self.cut) = Some(Cut {
            layer,
            end,
            left: octets,
        });
    }

    /// Returns when the line was cut, and how it ends.
    pub(crate) async fn was_cut(&self) -> End {
        self.was_cut.notified().await;
        lock(&self.cut).map_or(End::Reset, |cut| cut.end)
    }

    /// Asks for the end of the connection after what is being answered.
    pub(super) fn hang_up(&self) {
        self.hang_up.notify_one();
    }

    /// Returns when the connection is to end.
    pub(crate) async fn hung_up(&self) {
        self.hang_up.notified().await;
    }

    /// How many octets may still be sent. `None`: no end is in sight.
    fn left(&self, layer: Layer) -> Option<u64> {
        lock(&self.cut)
            .filter(|cut| cut.layer == layer)
            .map(|cut| cut.left)
    }

    fn sent(&self, layer: Layer, octets: usize) {
        if let Some(cut) = lock(&self.cut).as_mut()
            && cut.layer == layer
        {
            cut.left = cut.left.saturating_sub(octets as u64);
        }
    }
}

/// A stream that stops sending where its line is cut. Whoever holds the line then ends the connection.
#[derive(Debug)]
pub(crate) struct Wire<S> {
    inner: S,
    line: Arc<Line>,
    layer: Layer,
}

impl<S> Wire<S> {
    pub(crate) fn new(inner: S, line: &Arc<Line>, layer: Layer) -> Self {
        Self {
            inner,
            line: Arc::clone(line),
            layer,
        }
    }

    pub(crate) fn line(&self) -> &Line {
        &self.line
    }
}

impl<S: AsyncWrite + Unpin> Wire<S> {
    /// Ends the line once all that was sent is on its way. Nothing ever comes after.
    fn poll_cut<T>(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        ready!(Pin::new(&mut self.inner).poll_flush(cx))?;
        self.line.was_cut.notify_one();
        Poll::Pending
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        let Some(left) = self.line.left(self.layer) else {
            return Pin::new(&mut self.inner).poll_write(cx, octets);
        };
        if left == 0 {
            return self.poll_cut(cx);
        }
        let count = usize::try_from(left).map_or(octets.len(), |left| left.min(octets.len()));
        let allowed = octets.get(..count).unwrap_or(octets);
        let written = ready!(Pin::new(&mut self.inner).poll_write(cx, allowed))?;
        self.line.sent(self.layer, written);
        Poll::Ready(Ok(written))
    }

    // rustls sends its alert in one last write, behind whatever else waits: one buffer alone would lose it.
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.line.left(self.layer).is_none() {
            return Pin::new(&mut self.inner).poll_write_vectored(cx, buffers);
        }
        let first = buffers.iter().find(|buffer| !buffer.is_empty());
        self.poll_write(cx, first.map_or(&[], |buffer| buffer))
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.line.left(self.layer) == Some(0) {
            return self.poll_cut(cx);
        }
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
