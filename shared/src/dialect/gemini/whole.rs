//! What a whole answer is and comes to, and whether bytes of a stream are its last.

use std::borrow::Cow;

use bytes::Bytes;

use super::scan::GeminiScan;
use crate::dialect::event::said;
use crate::dialect::text_count::of_whole;
use crate::dialect::{Judged, Metered, Told, told};
use crate::fault::{Fault, FaultKind};
use crate::units::Usage;

fn unmarked(answer: &[u8]) -> &[u8] {
    answer.strip_prefix(b"\xef\xbb\xbf").unwrap_or(answer)
}

/// What a whole answer consumed; `Err` where it is no JSON object. An answer that holds nothing costs
/// nothing, whatever is told.
pub(super) fn usage(of: &Metered, answer: &[u8]) -> Result<Usage, Fault> {
    let mut scan = GeminiScan::default();
    if !scan.read(unmarked(answer)) {
        let why = "not the JSON object that was expected";
        return Err(Fault::new(FaultKind::InvalidAnswer, why));
    }
    if scan.candidates == 0 {
        return Ok(Usage::default());
    }
    let mut usage = of_whole(of, scan.counts, &scan.tally);
    scan.note_tier(&mut usage.facts);
    Ok(usage)
}

/// What an answer that came as a success is.
pub(super) fn judge(answer: &[u8]) -> Judged {
    if let Some(told) = told::error_in(answer) {
        return Judged::Error(Box::new(told));
    }
    let mut scan = GeminiScan::default();
    if !scan.read(unmarked(answer)) {
        return Judged::Nonsense("not the JSON that was expected".to_owned());
    }
    if let Some(told) = refusal(&scan) {
        return Judged::Error(Box::new(told));
    }
    if scan.candidates == 0 {
        return Judged::Nonsense("the JSON holds no candidates".to_owned());
    }
    Judged::Answer
}

/// The refusal of a prompt, which Google tells as a success without candidates.
pub(super) fn blocked(json: &[u8]) -> Option<Told> {
    memchr::memmem::find(json, b"lock")?;
    let mut scan = GeminiScan::default();
    scan.read(json);
    refusal(&scan)
}

/// The same of what was scanned.
pub(super) fn refusal(scan: &GeminiScan<'_>) -> Option<Told> {
    let reason = scan.blocked.filter(|_| scan.candidates == 0)?;
    let reason: String = String::from_utf8_lossy(reason).chars().take(60).collect();
    Some(Told {
        message: format!("The provider blocked the prompt: {reason}."),
        kind: Some("content_filter".to_owned()),
        code: Some("content_filter".to_owned()),
        ..Told::default()
    })
}

/// A whole answer as a stream, which is one event of the same form.
pub(super) fn as_stream(answer: &[u8]) -> Option<Bytes> {
    let json = unmarked(answer).trim_ascii();
    let mut scan = GeminiScan::default();
    if !scan.read(json) || scan.candidates == 0 {
        return None;
    }
    let mut event = b"data: ".to_vec();
    // Google's whole answers stand on many lines; an event is one, and between JSON's values a break is
    // a blank.
    event.extend(json.iter().map(|byte| match byte {
        b'\n' | b'\r' => b' ',
        other => *other,
    }));
    event.extend_from_slice(b"\n\n");
    Some(event.into())
}

/// Whether these whole events are the last of a stream: whether the last one that has candidates ends one.
pub(super) fn ends(bytes: &[u8]) -> bool {
    let may = memchr::memmem::find(bytes, b"finish").is_some();
    may && events(bytes).fold(false, |ended, event| {
        let data = said(event).data;
        let data: &[u8] = match &data {
            Cow::Borrowed(data) => data,
            Cow::Owned(data) => data,
        };
        let mut scan = GeminiScan::default();
        scan.read(data);
        if scan.candidates == 0 {
            ended
        } else {
            scan.seen == scan.finished
        }
    })
}

/// Bytes as events, each with the line ends behind it.
fn events(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let ends = [&b"\n\n"[..], b"\r\n\r\n", b"\r\r"];
        let found = ends.into_iter().filter_map(|end| {
            let at = memchr::memmem::find(rest, end)?;
            Some(at + end.len())
        });
        let (event, behind) = rest.split_at(found.min().unwrap_or(rest.len()));
        rest = behind;
        Some(event)
    })
}
