//! Whole answers: what they consumed, and whether they are any; and what the beginning of a stream is.

use super::scan::{Response, ResponsesKind, ResponsesScan};
use crate::dialect::event::said;
use crate::dialect::look;
use crate::dialect::tally::Tally;
use crate::dialect::text_count::of_whole;
use crate::dialect::{Judged, Look, Metered, told};
use crate::fault::{Fault, FaultKind};
use crate::units::Usage;

/// What a whole answer consumed. One that holds nothing, and of which nothing is told, costs nothing.
pub(super) fn usage(of: Metered, answer: &[u8]) -> Result<Usage, Fault> {
    let json = answer.strip_prefix(b"\xef\xbb\xbf").unwrap_or(answer);
    let Some(response) = Response::of(json) else {
        let why = "not the JSON object that was expected";
        return Err(Fault::new(FaultKind::InvalidAnswer, why));
    };
    let mut said = Tally::default();
    let mut has_items = false;
    response.each_item(|_, item| {
        has_items = true;
        item.weigh(&mut said);
    });
    // Nothing to be shown may have cost much thought.
    if !has_items && response.counts.output == 0 {
        return Ok(Usage::default());
    }
    let mut usage = of_whole(&of, response.counts, &said);
    response.note_tier(&mut usage.facts);
    Ok(usage)
}

/// Whether JSON is the answer that was asked for: a response that is over and holds something, or says
/// why it does not.
pub(super) fn judge(answer: &[u8]) -> Judged {
    if let Some(told) = told::error_in(answer) {
        return Judged::Error(Box::new(told));
    }
    if let Err(error) = crate::json::fields(answer, ["output"]) {
        return Judged::Nonsense(format!("not the JSON that was expected: {error}"));
    }
    let Some(response) = Response::of(answer) else {
        return Judged::Nonsense("not the JSON that was expected".to_owned());
    };
    match response.status {
        b"failed" | b"cancelled" => Judged::Error(Box::default()),
        b"queued" | b"in_progress" => Judged::Nonsense("the response is not over".to_owned()),
        status => {
            let mut holds = status == b"incomplete" || response.counts.output > 0;
            response.each_item(|_, _| holds = true);
            if holds && response.output.is_some_and(|list| list.starts_with(b"[")) {
                Judged::Answer
            } else {
                Judged::Nonsense("the JSON holds no answer".to_owned())
            }
        }
    }
}

/// What the beginning of a stream is. Events that only say that a response was begun say nothing of how it
/// goes: failures of a moment later (no room, a prompt that is refused) come behind them.
pub(super) fn look(seen: &[u8]) -> Look {
    let mut rest = seen;
    loop {
        let found = look::look(rest);
        if found != Look::Event {
            return found;
        }
        let Some(end) = event_end(rest) else {
            // Whole data on a line that is not ended yet.
            return verdict(rest).unwrap_or(Look::More);
        };
        match verdict(&rest[..end]) {
            Some(verdict) => return verdict,
            None => rest = &rest[end..],
        }
    }
}

/// What one event says of the stream; `None` where that is nothing.
fn verdict(event: &[u8]) -> Option<Look> {
    let said = said(event);
    let scan = ResponsesScan::of(&said.data).unwrap_or_default();
    if scan.kind == ResponsesKind::Failed {
        let told = scan.response.and_then(told::error_in);
        return Some(Look::Error(Box::new(told.unwrap_or_default())));
    }
    // A comment alone is no event.
    let says_nothing = scan.kind == ResponsesKind::Begun || said.data.is_empty();
    (!says_nothing).then_some(Look::Event)
}

/// Where the first event ends, blank line and all.
fn event_end(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some(found) = memchr::memchr2(b'\n', b'\r', bytes.get(at..)?) {
        let mut end = at + found;
        let step = |at: usize| match bytes.get(at..)? {
            [b'\r', b'\n', ..] => Some(2),
            [b'\n' | b'\r', ..] => Some(1),
            _ => None,
        };
        end += step(end)?;
        if let Some(blank) = step(end) {
            return Some(end + blank);
        }
        at = end;
    }
    None
}

/// Whether these bytes, which are whole events, end with the last of a whole stream.
pub(super) fn ends(bytes: &[u8]) -> bool {
    let text = bytes.trim_ascii_end();
    let from = memchr::memmem::rfind(text, b"\n\n").max(memchr::memmem::rfind(text, b"\r\n\r\n"));
    let last = said(&text[from.unwrap_or(0)..]);
    // Its type is the first field as a rule; what else has the words is read to its end.
    let Some(scan) = ResponsesScan::of(&last.data) else {
        return false;
    };
    scan.kind.is_last() || scan.kind == ResponsesKind::Failed
}
