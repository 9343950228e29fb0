use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

/// The body of a response: all of it at once, unless a fault changed that.
#[derive(Debug)]
pub(crate) struct ResponseBody {
    /// What is still to be sent.
    content: Bytes,
    /// Octets that are still to be sent after it.
    padding: Padding,
    /// Octets that were announced and are not sent.
    missing: u64,
    pace: Option<Pace>,
    /// Whether the sender was left time to flush before the early end.
    flushed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Padding {
    Octets(u64),
    Endless,
}

#[derive(Debug)]
struct Pace {
    pause: Duration,
    sleep: Pin<Box<Sleep>>,
}

impl ResponseBody {
    pub(crate) fn new(content: Bytes) -> Self {
        Self {
            content,
            padding: Padding::Octets(0),
            missing: 0,
            pace: None,
            flushed: false,
        }
    }

    /// Ends after so many octets, though all are announced.
    pub(super) fn truncated(mut self, after: u64) -> Self {
        let whole = self.content.len();
        let kept = usize::try_from(after)
            .unwrap_or(usize::MAX)
            .min(whole.saturating_sub(1));
        self.content.truncate(kept);
        self.missing = whole.saturating_sub(kept) as u64;
        self
    }

    /// Sends one octet after each pause.
    pub(super) fn trickling(mut self, pause: Duration) -> Self {
        self.pace = Some(Pace {
            pause,
            sleep: Box::pin(sleep(pause)),
        });
        self
    }

    /// Is followed by spaces up to this length in all.
    pub(super) fn padded(mut self, octets: u64) -> Self {
        self.padding = Padding::Octets(octets.saturating_sub(self.content.len() as u64));
        self
    }

    /// Is followed by spaces without an end.
    pub(super) fn endless(mut self) -> Self {
        self.padding = Padding::Endless;
        self
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = &mut *self;
        if this.is_end_stream() {
            return Poll::Ready(None);
        }
        if this.content.is_empty() {
            let chunk = Bytes::from_static(&SPACES);
            this.content = match &mut this.padding {
                Padding::Endless => chunk,
                Padding::Octets(left) => {
                    let count = chunk
                        .len()
                        .min(usize::try_from(*left).unwrap_or(usize::MAX));
                    *left = left.saturating_sub(count as u64);
                    chunk.slice(..count)
                }
            };
        }
        if this.content.is_empty() {
            // Only what is missing is left. An HTTP/1.1 connection breaks off at once, without flushing: let it flush.
            if this.flushed {
                return Poll::Ready(None);
            }
            this.flushed = true;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let octets = match &mut this.pace {
            None => std::mem::take(&mut this.content),
            Some(pace) => {
                ready!(pace.sleep.as_mut().poll(cx));
                pace.sleep = Box::pin(sleep(pace.pause));
                this.content.split_to(1)
            }
        };
        Poll::Ready(Some(Ok(Frame::data(octets))))
    }

    fn is_end_stream(&self) -> bool {
        self.content.is_empty() && self.padding == Padding::Octets(0) && self.missing == 0
    }

    fn size_hint(&self) -> SizeHint {
        match self.padding {
            Padding::Endless => SizeHint::default(),
            Padding::Octets(padding) => SizeHint::with_exact(
                (self.content.len() as u64)
                    .saturating_add(padding)
                    .saturating_add(self.missing),
            ),
        }
    }
}

static SPACES: [u8; 16_384] = [b' '; 16_384];
