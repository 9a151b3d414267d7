//! Bodies of the door over HTTP: pieces with the outcome as their trailer, and whole answers of which it
//! is noted that they were taken. Holds no rule of generations.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use http_body::{Frame, SizeHint};
use shared::id::GenerationId;
use shared::link::codec::Encoder;
use shared::link::wire;
use shared::link::{Outcome, Piece, PieceStream};
use sync_wrapper::SyncWrapper;

use crate::generations::{self, GenerationContext};

/// Of a whole answer so much is handed out at once: what lies in buffers was not taken by anybody.
const PART_BYTES: usize = 64 * 1024;

/// An outcome as a header or trailer.
pub(super) fn header(outcome: &Outcome) -> HeaderValue {
    let json = serde_json::to_string(outcome).unwrap_or_default();
    HeaderValue::try_from(wire::escape_non_ascii(&json)).unwrap_or(HeaderValue::from_static("{}"))
}

/// Pieces as body frames, the outcome as the trailer, with where the answer ends.
pub(super) struct PieceBody {
    pieces: SyncWrapper<(PieceStream, Option<Box<Encoder>>)>,
    position: u64,
}

impl PieceBody {
    /// Of an answer from `position` on.
    pub(super) fn new(pieces: PieceStream, encoder: Option<Box<Encoder>>, position: u64) -> Self {
        Self {
            pieces: SyncWrapper::new((pieces, encoder)),
            position,
        }
    }
}

impl http_body::Body for PieceBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let Self { pieces, position } = &mut *self;
        let (pieces, encoder) = pieces.get_mut();
        let piece = std::task::ready!(pieces.as_mut().poll_next(cx));
        if let Some(Ok(Piece::Bytes(bytes))) = &piece {
            *position += u64::try_from(bytes.len()).unwrap_or(0);
        }
        let length = *position;
        Poll::Ready(piece.map(|piece| {
            match piece {
                Ok(Piece::Bytes(bytes)) => match encoder {
                    None => Ok(Frame::data(bytes)),
                    Some(encoder) => encoder
                        .encode(&bytes)
                        .map(Frame::data)
                        .map_err(io::Error::other),
                },
                // A gateway waits for no link.
                Ok(Piece::Waiting) => Ok(Frame::data(Bytes::new())),
                Ok(Piece::Outcome(outcome)) => {
                    let mut trailers = HeaderMap::with_capacity(2);
                    trailers.insert(wire::OUTCOME, header(&outcome));
                    trailers.insert(wire::LENGTH, HeaderValue::from(length));
                    Ok(Frame::trailers(trailers))
                }
                Err(error) => Err(io::Error::other(error)),
            }
        }))
    }
}

/// A whole answer.
pub(super) struct WholeBody {
    generations: Arc<GenerationContext>,
    id: GenerationId,
    rest: Bytes,
    is_taken: bool,
}

impl WholeBody {
    pub(super) fn new(
        generations: &Arc<GenerationContext>,
        id: GenerationId,
        bytes: Bytes,
    ) -> Self {
        Self {
            generations: generations.clone(),
            id,
            rest: bytes,
            is_taken: false,
        }
    }
}

impl http_body::Body for WholeBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let length = self.rest.len().min(PART_BYTES);
        let part = self.rest.split_to(length);
        if self.rest.is_empty() && !self.is_taken {
            self.is_taken = true;
            generations::took_whole(&self.generations, &self.id);
        }
        Poll::Ready((!part.is_empty()).then_some(Ok(Frame::data(part))))
    }

    fn is_end_stream(&self) -> bool {
        self.is_taken && self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(u64::try_from(self.rest.len()).unwrap_or(u64::MAX))
    }
}
