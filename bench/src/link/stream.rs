//! Follows one answer token by token and proves that none is missing, repeated or out of order.
//! Leaves sending to `client` and sums to `figures`.

use std::time::{Duration, Instant};

use http_body_util::BodyExt;
use hyper::Response;
use hyper::body::Incoming;

/// A stream that takes longer has failed, whatever comes after; people gave up long before.
pub(super) const STREAM_MAX: Duration = Duration::from_secs(60);

/// What became of one stream.
#[derive(Debug)]
pub(super) struct Log {
    pub(super) began: Instant,
    pub(super) ended: Instant,
    pub(super) arrivals: Vec<Arrival>,
    pub(super) failure: Option<String>,
}

/// One token.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrival {
    pub(super) at: Instant,
    /// From the provider's sending to our reading.
    pub(super) delay: Duration,
}

impl Log {
    /// A stream that never began.
    pub(super) fn failed(began: Instant, failure: String) -> Self {
        Self {
            began,
            ended: Instant::now(),
            arrivals: Vec::new(),
            failure: Some(failure),
        }
    }
}

/// Reads the answer to its end.
pub(super) async fn follow(
    response: Response<Incoming>,
    began: Instant,
    epoch: Instant,
    tokens: u32,
) -> Log {
    let mut reader = Reader::new(epoch);
    let reading = read(response, &mut reader, tokens);
    let done = tokio::time::timeout_at((began + STREAM_MAX).into(), reading).await;
    let failure = done.unwrap_or_else(|_| Err(format!("not whole within {STREAM_MAX:?}")));
    Log {
        began,
        ended: Instant::now(),
        arrivals: reader.arrivals,
        failure: failure.err(),
    }
}

async fn read(
    response: Response<Incoming>,
    reader: &mut Reader,
    tokens: u32,
) -> Result<(), String> {
    let status = response.status();
    let mut body = response.into_body();
    if status != 200 {
        let said = body.collect().await.map_err(|error| error.to_string())?;
        let said = crate::http::excerpt(&said.to_bytes());
        return Err(format!("{status}: {said}"));
    }
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| innermost(&error))?;
        if let Ok(part) = frame.into_data() {
            reader.push(&part, Instant::now())?;
        }
    }
    reader.end(tokens)
}

/// The innermost reason is the useful one.
pub(super) fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

/// Grows with every part of one body, however it is cut.
#[derive(Debug)]
pub(super) struct Reader {
    epoch: Instant,
    /// An event that is not whole yet.
    rest: Vec<u8>,
    pub(super) arrivals: Vec<Arrival>,
    done: bool,
}

impl Reader {
    pub(super) fn new(epoch: Instant) -> Self {
        Self {
            epoch,
            rest: Vec::new(),
            arrivals: Vec::new(),
            done: false,
        }
    }

    pub(super) fn push(&mut self, part: &[u8], now: Instant) -> Result<(), String> {
        self.rest.extend_from_slice(part);
        let mut begin = 0;
        while let Some(length) = memchr::memmem::find(&self.rest[begin..], b"\n\n") {
            let event = begin..begin + length;
            begin += length + 2;
            self.event(event, now)?;
        }
        self.rest.drain(..begin);
        Ok(())
    }

    fn event(&mut self, event: std::ops::Range<usize>, now: Instant) -> Result<(), String> {
        let text = String::from_utf8_lossy(&self.rest[event]);
        if self.done {
            return Err(format!("after the end came: {text}"));
        }
        if text.contains("\"error\"") {
            return Err(format!("an error in the stream: {text}"));
        }
        if text == "data: [DONE]" {
            self.done = true;
        }
        let Some(token) = token(&text) else {
            return Ok(());
        };
        if token.index != self.arrivals.len() as u64 {
            let expected = self.arrivals.len();
            return Err(format!("token {} came instead of {expected}", token.index));
        }
        let sent = self.epoch + Duration::from_micros(token.stamp);
        self.arrivals.push(Arrival {
            at: now,
            delay: now.saturating_duration_since(sent),
        });
        Ok(())
    }

    /// Whole, or what is missing.
    pub(super) fn end(&self, tokens: u32) -> Result<(), String> {
        let got = self.arrivals.len();
        if self.done && got == tokens as usize {
            return Ok(());
        }
        let done = if self.done { "with" } else { "without" };
        Err(format!(
            "ended {done} [DONE] after {got} of {tokens} tokens"
        ))
    }
}

struct Token {
    index: u64,
    stamp: u64,
}

/// The provider's content is ` w7@123456`: the seventh token after the first, and its stamp.
fn token(event: &str) -> Option<Token> {
    let (before, after) = event.split_once('@')?;
    let (_, index) = before.rsplit_once('w')?;
    let digits = after.find(|c: char| !c.is_ascii_digit())?;
    Some(Token {
        index: index.parse().ok()?,
        stamp: after[..digits].parse().ok()?,
    })
}

#[cfg(test)]
mod tests;
