//! One connection's part of an answer: the tenant's bytes from some offset on, decoded, and the
//! trailers. Knows nothing of other attachments.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::HeaderMap;
use http_body::Body as _;
use shared::link::LinkError;
use shared::link::codec::{Decoder, PIECE_BYTES_MAX};
use shared::link::wire;

use super::transport::{Body, ConnectionId, describe};

/// One frame of the wire makes at most this of the tenant's bytes.
const DECODED_MAX: usize = PIECE_BYTES_MAX * 2;

/// An answer's bytes over one connection.
pub(super) struct Attachment {
    body: Body,
    decoder: Option<Box<Decoder>>,
    /// Offset of the next byte.
    pub(super) at: u64,
}

/// What an attachment brings.
pub(super) enum Frame {
    /// The tenant's bytes.
    Bytes(Bytes),
    /// After the last of them.
    Trailers(HeaderMap),
}

impl Attachment {
    /// From an answer's head and body, which begins with the byte at `at`.
    pub(super) fn new(headers: &HeaderMap, body: Body, at: u64) -> Result<Self, LinkError> {
        let decoder = if headers.contains_key(wire::CODEC) {
            let decoder = Decoder::new(DECODED_MAX);
            Some(Box::new(
                decoder.map_err(|e| LinkError::Lost(e.to_string()))?,
            ))
        } else {
            None
        };
        Ok(Self { body, decoder, at })
    }

    /// What it came over.
    pub(super) fn connection(&self) -> ConnectionId {
        self.body.connection()
    }

    /// The next bytes or the trailers; nothing at the end, or why it was cut.
    pub(super) fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame, String>>> {
        let frame = match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
            None => return Poll::Ready(None),
            Some(Ok(frame)) => frame,
            Some(Err(error)) => return Poll::Ready(Some(Err(describe(&error)))),
        };
        Poll::Ready(Some(match (frame.into_data(), &mut self.decoder) {
            (Ok(data), None) => Ok(Frame::Bytes(data)),
            (Ok(data), Some(decoder)) => decoder
                .decode(&data)
                .map(Frame::Bytes)
                .map_err(|error| error.to_string()),
            (Err(frame), _) => Ok(Frame::Trailers(frame.into_trailers().unwrap_or_default())),
        }))
    }
}
