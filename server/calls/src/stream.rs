//! A call's stream on its way to the tenant: bytes pass, the end is settled and told. Starts no calls
//! and decides no prices.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use shared::dialect::{Dialect, ErrorText};
use shared::fault::FaultKind;
use shared::id::GenerationId;
use shared::link::{Outcome, Piece, PieceStream};
use tokio::time::Sleep;
use tracing::warn;

use super::open_call::{Answering, OpenCall};
use super::sentences;

/// A stream on its way to the tenant; dropping it cancels the generation and settles it.
pub struct TenantStream {
    pieces: Option<PieceStream>,
    open: Option<OpenCall<Answering>>,
    dialect: &'static dyn Dialect,
    settle_first: bool,
    /// What is told only after the settlement.
    last: BytesMut,
    settling: Option<Pin<Box<dyn Future<Output = ()> + Send + Sync>>>,
    /// Runs while the end of the stream is held back.
    held: Option<Pin<Box<Sleep>>>,
}

/// The end of a stream waits so long for its settlement at most: a database that is slow must not keep
/// an answer open that is complete.
const HELD_MAX: Duration = Duration::from_secs(2);

impl std::fmt::Debug for TenantStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TenantStream")
    }
}

/// What a gateway that broke off would have answered.
const BAD_GATEWAY: u16 = 502;
/// The request or what it asks for.
const BAD_REQUEST: u16 = 400;
/// The person.
const FORBIDDEN: u16 = 403;
/// Classes of errors, in OpenAI's words.
const INVALID: &str = "invalid_request_error";
const SERVER_ERROR: &str = "server_error";

/// Why a stream ended that did not end well, as clients raise it: what waiting does not cure is told as a
/// refusal is, so that nobody sends it again.
fn error_event(
    dialect: &dyn Dialect,
    outcome: &Outcome,
    generation: &GenerationId,
) -> Option<Bytes> {
    let fault = outcome.fault.as_ref()?;
    let (status, kind, code, message) = match fault.kind {
        FaultKind::ContentPolicy => (
            BAD_REQUEST,
            INVALID,
            "content_policy_violation",
            sentences::content_refused(generation),
        ),
        FaultKind::EndUserBlocked => (
            FORBIDDEN,
            "permission_error",
            "end_user_suspended",
            sentences::person_refused(generation),
        ),
        FaultKind::BadRequest => (
            BAD_REQUEST,
            INVALID,
            "invalid_request",
            sentences::request_refused(generation),
        ),
        FaultKind::Timeout => (
            BAD_GATEWAY,
            SERVER_ERROR,
            fault.word(),
            sentences::timed_out(generation),
        ),
        FaultKind::InvalidKey
        | FaultKind::QuotaExhausted
        | FaultKind::RateLimited
        | FaultKind::Overloaded
        | FaultKind::Unreachable
        | FaultKind::Interrupted
        | FaultKind::InvalidAnswer
        | FaultKind::NotFound
        | FaultKind::NoCapacity
        | FaultKind::Canceled
        | FaultKind::Internal => (
            BAD_GATEWAY,
            SERVER_ERROR,
            fault.word(),
            sentences::broke_off(generation),
        ),
    };
    Some(dialect.error_event(ErrorText {
        status,
        kind,
        code: Some(code),
        param: None,
        message: &message,
    }))
}

/// The end of a stream whose link was lost for good.
fn link_broke(dialect: &dyn Dialect, generation: &GenerationId) -> Bytes {
    let message = sentences::link_lost(generation);
    dialect.error_event(ErrorText {
        status: BAD_GATEWAY,
        kind: SERVER_ERROR,
        code: Some("link_broken"),
        param: None,
        message: &message,
    })
}

impl Stream for TenantStream {
    type Item = Bytes;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        loop {
            if let Some(settling) = &mut self.settling {
                if settling.as_mut().poll(cx).is_pending() {
                    return self.poll_held(cx);
                }
                self.settling = None;
                let last = self.last.split().freeze();
                return Poll::Ready((!last.is_empty()).then_some(last));
            }
            let Some(pieces) = &mut self.pieces else {
                return Poll::Ready(None);
            };
            let Poll::Ready(piece) = pieces.as_mut().poll_next(cx) else {
                return self.poll_held(cx);
            };
            match piece {
                Some(Ok(Piece::Bytes(bytes))) if self.settle_first && self.dialect.ends(&bytes) => {
                    self.last.extend_from_slice(&bytes);
                    self.held = Some(Box::pin(tokio::time::sleep(HELD_MAX)));
                }
                Some(Ok(Piece::Bytes(bytes))) => return Poll::Ready(Some(bytes)),
                Some(Ok(Piece::Waiting)) => {
                    if let Some(sign) = self.dialect.keep_alive() {
                        return Poll::Ready(Some(sign));
                    }
                }
                Some(Ok(Piece::Outcome(outcome))) => self.ended(*outcome),
                Some(Err(error)) => {
                    warn!(%error, "a stream was cut: {error}");
                    return self.cut();
                }
                None => return self.cut(),
            }
        }
    }
}

impl TenantStream {
    /// Passes `pieces` on, and with `settle_first` tells of the end when the call is settled.
    pub(super) fn new(
        pieces: PieceStream,
        open: OpenCall<Answering>,
        dialect: &'static dyn Dialect,
        settle_first: bool,
    ) -> Self {
        Self {
            pieces: Some(pieces),
            open: Some(open),
            dialect,
            settle_first,
            last: BytesMut::new(),
            settling: None,
            held: None,
        }
    }

    /// What was held back, when that lasts too long.
    fn poll_held(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let Some(held) = &mut self.held else {
            return Poll::Pending;
        };
        std::task::ready!(held.as_mut().poll(cx));
        self.held = None;
        let last = self.last.split().freeze();
        if last.is_empty() {
            return Poll::Pending;
        }
        Poll::Ready(Some(last))
    }

    /// Settles, and keeps what is to be told after it.
    fn ended(&mut self, outcome: Outcome) {
        self.pieces = None;
        let Some(open) = self.open.take() else { return };
        if let Some(event) = error_event(self.dialect, &outcome, &open.facts().generation) {
            self.last.extend_from_slice(&event);
        }
        let settled = Some(open.ended(outcome)).filter(|_| self.settle_first);
        self.settling = Some(Box::pin(async move {
            if let Some(settled) = settled {
                settled.wait().await;
            }
        }));
    }

    fn cut(&mut self) -> Poll<Option<Bytes>> {
        self.pieces = None;
        // Dropping the call asks the gateway what became of the generation.
        let open = self.open.take();
        Poll::Ready(open.map(|open| link_broke(self.dialect, &open.facts().generation)))
    }
}

impl Drop for TenantStream {
    fn drop(&mut self) {
        // The provider's call is dropped before the gateway is asked how it ended.
        self.pieces = None;
        self.open = None;
    }
}
