//! What is heard of a connection: every byte is noted when it comes, and a connection can be cut
//! from outside.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_util::task::AtomicWaker;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::super::silence::LATE_TELLS;
use super::heard::Heard;
use super::millis;

/// When something was last read from a connection.
#[derive(Debug, Clone)]
pub(super) struct Signs {
    pub(super) begun: Instant,
    pub(super) last_ms: Arc<AtomicU64>,
    /// When the runtime that reads was last found to have had no time; zero for never.
    pub(super) late_ms: Arc<AtomicU64>,
    all: Arc<Heard>,
}

impl Signs {
    pub(super) fn now(all: Arc<Heard>) -> Self {
        Self {
            begun: Instant::now(),
            last_ms: Arc::default(),
            late_ms: Arc::default(),
            all,
        }
    }

    pub(super) fn age_ms(&self) -> u64 {
        millis(self.begun.elapsed())
    }

    pub(super) fn heard(&self) {
        let now = Instant::now();
        let age_ms = millis(now.saturating_duration_since(self.begun));
        self.last_ms.store(age_ms, Ordering::Relaxed);
        self.all.heard(now);
    }

    pub(super) fn silence(&self) -> Duration {
        self.since(&self.last_ms)
    }

    pub(super) fn is_late(&self) -> bool {
        self.late_ms.load(Ordering::Relaxed) > 0 && self.since(&self.late_ms) < LATE_TELLS
    }

    fn since(&self, moment: &AtomicU64) -> Duration {
        let moment = moment.load(Ordering::Relaxed);
        Duration::from_millis(self.age_ms().saturating_sub(moment))
    }
}

/// Ends a socket from outside the task that reads it.
#[derive(Debug, Default)]
pub(super) struct Severed {
    is_severed: AtomicBool,
    reader: AtomicWaker,
}

impl Severed {
    pub(super) fn sever(&self) {
        self.is_severed.store(true, Ordering::Release);
        self.reader.wake();
    }

    /// Whether it was; else the reader is woken when it is.
    fn is_severed(&self, cx: &mut Context<'_>) -> bool {
        self.reader.register(cx.waker());
        self.is_severed.load(Ordering::Acquire)
    }
}

/// A socket that notes every sign of life.
pub(super) struct Watched<S> {
    pub(super) inner: S,
    pub(super) signs: Signs,
    pub(super) severed: Arc<Severed>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.severed.is_severed(cx) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        let before = buf.filled().len();
        let read = Pin::new(&mut self.inner).poll_read(cx, buf);
        // An end or an error may come from whoever stands between.
        if buf.filled().len() > before {
            self.signs.heard();
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}
