//! The body of an answer, which keeps its place on its connection until it ends or is dropped.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;

use super::Connection;

/// One stream's slot in the count.
pub(super) struct Stream(Arc<Connection>);

impl Stream {
    pub(super) fn on(connection: Arc<Connection>) -> Self {
        connection.streams.fetch_add(1, Ordering::Relaxed);
        Self(connection)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.0.streams.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Tells connections of a pool apart, while they are open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ConnectionId(pub(super) usize);

/// The body of an answer; its stream counts as live until this is dropped.
pub(crate) struct Body {
    pub(super) inner: Incoming,
    pub(super) stream: Stream,
}

impl Body {
    /// What it comes over.
    pub(crate) fn connection(&self) -> ConnectionId {
        self.stream.0.id()
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        Pin::new(&mut self.inner).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
