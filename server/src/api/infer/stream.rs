//! A tenant's stream as an HTTP body: bytes as they come, nothing gathered. When the client goes
//! away hyper drops the body, and with it the call.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::Stream;
use http_body::Frame;
use http_body_util::BodyExt;
use http_body_util::combinators::BoxBody;
use sync_wrapper::SyncWrapper;

use crate::calls::TenantStream;

struct StreamBody(SyncWrapper<Box<TenantStream>>);

impl http_body::Body for StreamBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let bytes = std::task::ready!(Pin::new(self.0.get_mut()).poll_next(cx));
        Poll::Ready(bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}

pub(super) fn body(stream: Box<TenantStream>) -> poem::Body {
    let body = StreamBody(SyncWrapper::new(stream)).map_err(|never| match never {});
    poem::Body::from(BoxBody::new(body))
}
