//! Reads an accepted answer as far as its dialect must see it to judge it: a stream's first event is looked
//! at before anything is passed on, and a whole answer where a stream was asked for is made one. Every byte
//! that was looked at is passed on as it came.

use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use futures_util::stream;
use shared::dialect::{Dialect, Judged, Look, Told};
use shared::fault::{Fault, FaultKind};

use crate::providers::http::{self as outbound, Body};
use crate::providers::{Answer, ByteStream, ContentType};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// What comes before a stream's first event (comments, a large first event) is looked at up to here.
const AHEAD_BYTES_MAX: usize = 64 * 1024;

/// What was asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expected {
    pub(super) dialect: &'static dyn Dialect,
    pub(super) bytes_max: usize,
    pub(super) silence: Duration,
}

/// Why an answer that came as a success is none.
#[derive(Debug)]
pub(super) enum NoAnswer {
    /// The provider says so.
    Told(Box<Told>),
    /// It can't be told from the answer whether the work was done.
    Fault(Fault),
}

impl From<Fault> for NoAnswer {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

fn invalid(what: &str) -> NoAnswer {
    NoAnswer::Fault(Fault::new(FaultKind::InvalidAnswer, what.to_owned()))
}

/// The whole answer, of a type of its own where there is one, else JSON.
pub(super) async fn whole(
    body: Body,
    content_type: Option<ContentType>,
    expected: Expected,
) -> Result<Answer, NoAnswer> {
    let bytes = outbound::whole(Vec::new(), body, expected.bytes_max, expected.silence).await?;
    let bytes = unmarked(bytes);
    judge(&bytes, expected.dialect)?;
    let json = "application/json";
    let content_type = content_type.unwrap_or(ContentType::Borrowed(json));
    Ok(Answer::whole(content_type, bytes))
}

/// Without the byte order mark, which JSON must not have (RFC 8259, 8.1) and clients don't read.
fn unmarked(mut bytes: Bytes) -> Bytes {
    if bytes.starts_with(BYTE_ORDER_MARK) {
        bytes.advance(BYTE_ORDER_MARK.len());
    }
    bytes
}

/// The answer to a request for a stream, with its first event seen.
pub(super) async fn streamed(mut body: Body, expected: Expected) -> Result<Answer, NoAnswer> {
    let mut ahead: Vec<Bytes> = Vec::with_capacity(1);
    let mut joined = BytesMut::new();
    loop {
        // One piece nearly always holds the first event, and needs no copy.
        let seen = match ahead.as_slice() {
            [one] => one.as_ref(),
            _ => joined.as_ref(),
        };
        match expected.dialect.look(seen) {
            Look::More if seen.len() < AHEAD_BYTES_MAX => {}
            Look::More | Look::Event => {
                let bytes = outbound::pieces(ahead, body, expected.silence);
                return Ok(Answer::events(bytes));
            }
            Look::Error(told) => return Err(NoAnswer::Told(told)),
            Look::Page => return Err(invalid("a page came where a stream was asked for")),
            Look::Whole => {
                let bytes =
                    outbound::whole(ahead, body, expected.bytes_max, expected.silence).await?;
                let bytes = unmarked(bytes);
                judge(&bytes, expected.dialect)?;
                let events = expected.dialect.as_stream(&bytes);
                let events = events.ok_or_else(|| invalid("the JSON can't be streamed"))?;
                return Ok(Answer::events(at_once(events)));
            }
        }
        match body.piece(expected.silence).await {
            Some(piece) => {
                let piece = piece?;
                if let [one] = ahead.as_slice() {
                    joined.extend_from_slice(one);
                }
                if !ahead.is_empty() {
                    joined.extend_from_slice(&piece);
                }
                ahead.push(piece);
            }
            None => return ended(ahead, expected.dialect),
        }
    }
}

/// A stream that came to its end before its first event was whole.
fn ended(ahead: Vec<Bytes>, dialect: &dyn Dialect) -> Result<Answer, NoAnswer> {
    let mut all = ahead.concat();
    let length = all.len();
    all.extend_from_slice(b"\n\n");
    match dialect.look(&all) {
        Look::Error(told) => Err(NoAnswer::Told(told)),
        Look::Event => {
            all.truncate(length);
            let bytes = Ok(Bytes::from(all));
            Ok(Answer::events(Box::pin(stream::iter([bytes]))))
        }
        Look::More | Look::Page | Look::Whole => Err(NoAnswer::Fault(Fault::new(
            FaultKind::Interrupted,
            "the stream ended before its first event",
        ))),
    }
}

/// Whether the bytes are the answer that was asked for.
fn judge(bytes: &Bytes, dialect: &dyn Dialect) -> Result<(), NoAnswer> {
    match dialect.judge(bytes) {
        Judged::Answer => Ok(()),
        Judged::Error(told) => Err(NoAnswer::Told(told)),
        Judged::Nonsense(what) => Err(invalid(&what)),
    }
}

/// Events that are there already.
pub(super) fn at_once(events: Bytes) -> ByteStream {
    Box::pin(stream::iter([Ok(events)]))
}
