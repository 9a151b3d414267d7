//! Follows the output of a stream, so that it can be ended well where more comes than the call may bring.

use std::borrow::Cow;

use bytes::Bytes;

use crate::dialect::openai_responses::answer::{ResponseHead, Shown, Status};
use crate::dialect::openai_responses::echo;
use crate::dialect::openai_responses::output::{
    END, ItemKind, Open, OutputItems, PartKind, begin, put,
};
use crate::dialect::openai_responses::scan::{
    self, Response, ResponsesKind, ResponsesScan, ScannedItem, ScannedPart,
};
use crate::units::Usage;

/// Of an output that is longer the beginning of what is open is said again at its end, and no more.
const KEPT_BYTES_MAX: usize = 1024 * 1024;
/// Ids and names of models and functions; longer ones are not shown again.
const WORD_BYTES_MAX: usize = 1024;

/// The output as far as it came.
#[derive(Debug)]
pub(super) struct Follow {
    output: OutputItems,
    head: Option<ResponseHead<'static>>,
}

fn word(bytes: &[u8]) -> Vec<u8> {
    let bytes = bytes.get(..WORD_BYTES_MAX).map_or(bytes, |_| b"");
    bytes.to_vec()
}

impl Follow {
    pub(super) fn new() -> Self {
        Self {
            output: OutputItems::new(KEPT_BYTES_MAX),
            head: None,
        }
    }

    /// Takes what an event says.
    pub(super) fn take(&mut self, scan: &ResponsesScan<'_>) {
        self.output.sequence = scan.sequence.saturating_add(1);
        match scan.kind {
            ResponsesKind::Begun => self.begun(scan),
            ResponsesKind::ItemAdded => self.added(scan),
            ResponsesKind::ItemDone => self.done(scan),
            ResponsesKind::Text => self.more(scan, PartKind::Text),
            ResponsesKind::Refusal => self.more(scan, PartKind::Refusal),
            ResponsesKind::Summary => self.more(scan, PartKind::Summary),
            ResponsesKind::Thought => self.more(scan, PartKind::Thought),
            ResponsesKind::Arguments | ResponsesKind::Input => {
                let has_room = self.output.has_room(scan.delta.len());
                if let (Some(open), true) = (self.open(scan), has_room) {
                    open.text.extend_from_slice(scan.delta);
                }
            }
            ResponsesKind::PartAdded => {
                let part = scan.part.and_then(ScannedPart::of);
                if let (Some(open), Some(part)) = (self.open(scan), part)
                    && open.kind == ItemKind::Message
                {
                    open.part = Some(if part.is_refusal {
                        PartKind::Refusal
                    } else {
                        PartKind::Text
                    });
                }
            }
            ResponsesKind::SummaryAdded => {
                if let Some(open) = self.open(scan) {
                    open.part = Some(PartKind::Summary);
                }
            }
            ResponsesKind::PartDone | ResponsesKind::SummaryDone => {
                let part = scan.part.unwrap_or_default();
                let has_room = self.output.has_room(part.len());
                if let (Some(open), true) = (self.open(scan), has_room && !part.is_empty())
                    && open.part.is_some()
                {
                    open.take_part(part);
                }
            }
            ResponsesKind::None
            | ResponsesKind::Other
            | ResponsesKind::Annotation
            | ResponsesKind::Completed
            | ResponsesKind::Incomplete
            | ResponsesKind::Failed
            | ResponsesKind::Error => {}
        }
    }

    fn begun(&mut self, scan: &ResponsesScan<'_>) {
        if self.head.is_some() {
            return;
        }
        let Some(response) = scan.response.and_then(Response::of) else {
            return;
        };
        self.head = Some(head(
            response.id,
            &[response.model, b"\"\""],
            &[response.created, b"0"],
        ));
    }

    fn open(&mut self, scan: &ResponsesScan<'_>) -> Option<&mut Open> {
        let mut open = self.output.open.iter_mut().rev();
        match scan.index {
            Some(index) => open.find(|open| open.index == index),
            None => open.next(),
        }
    }

    fn added(&mut self, scan: &ResponsesScan<'_>) {
        let Some(item) = scan.item.and_then(ScannedItem::of) else {
            return;
        };
        let kind = match item.kind {
            scan::ScannedKind::Message => ItemKind::Message,
            scan::ScannedKind::Reasoning => ItemKind::Reasoning,
            scan::ScannedKind::Call | scan::ScannedKind::CustomCall => ItemKind::Call {
                is_custom: item.kind == scan::ScannedKind::CustomCall,
                call_id: word(item.call_id),
                name: word(item.name),
            },
            scan::ScannedKind::Image | scan::ScannedKind::Other => return,
        };
        // Whoever begins ever more items and ends none does not fill the memory.
        if self.output.has_room(size_of::<Open>()) {
            let open = Open::new(scan.index.unwrap_or(0), word(item.id), kind);
            self.output.open.push(open);
        }
    }

    fn done(&mut self, scan: &ResponsesScan<'_>) {
        let at = match scan.index {
            Some(index) => {
                let mut open = self.output.open.iter();
                open.position(|open| open.index == index)
            }
            None => self.output.open.len().checked_sub(1),
        };
        if let Some(at) = at {
            self.output.open.remove(at);
        }
        if let Some(item) = scan.item.filter(|item| self.output.has_room(item.len())) {
            self.output.take(item);
        }
    }

    fn more(&mut self, scan: &ResponsesScan<'_>, part: PartKind) {
        let has_room = self.output.has_room(scan.delta.len());
        let Some(open) = self.open(scan) else {
            return;
        };
        let is_call = matches!(open.kind, ItemKind::Call { .. });
        if is_call || !has_room {
            return;
        }
        open.part = Some(part);
        open.is_thought |= part == PartKind::Thought;
        open.text.extend_from_slice(scan.delta);
    }

    /// The events that end the stream as its provider would at the maximum.
    pub(super) fn ending(mut self, usage: &Usage) -> Bytes {
        let status = Status::Incomplete("max_output_tokens");
        let mut to = Vec::new();
        self.output.close(status.of_item(), None, &mut to);
        let head = self.head.take();
        let head = head.unwrap_or_else(|| head_of(b"", b"\"\"", b"0"));
        let echo = echo::usual();
        let shown = Shown {
            head: &head,
            status,
            output: &self.output.whole,
            tier: None,
            usage: Some(usage),
            echo: &echo,
        };
        begin("response.incomplete", &mut self.output.sequence, &mut to);
        put(&mut to, &[",\"response\":"]);
        shown.json(&mut to);
        put(&mut to, &[END]);
        to.into()
    }
}

fn head_of(id: &[u8], model: &[u8], created: &[u8]) -> ResponseHead<'static> {
    ResponseHead {
        id: Cow::Owned(id.to_vec()),
        model: Cow::Owned(model.to_vec()),
        created: Cow::Owned(created.to_vec()),
    }
}

/// A head of values as they were told, or of those that stand for nothing.
fn head(id: &[u8], model: &[&[u8]; 2], created: &[&[u8]; 2]) -> ResponseHead<'static> {
    let first = |values: &[&[u8]; 2]| {
        let [told, nothing] = *values;
        let is_short = (1..=WORD_BYTES_MAX).contains(&told.len());
        if is_short { told } else { nothing }.to_vec()
    };
    head_of(&word(id), &first(model), &first(created))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_long_is_not_kept() {
        let mut follow = Follow::new();
        let item = r#"{"type":"message","id":"m"}"#;
        let added = format!(r#"{{"type":"response.output_item.added","item":{item}}}"#);
        let long = "x".repeat(KEPT_BYTES_MAX);
        let delta = format!(r#"{{"type":"response.output_text.delta","delta":"{long}"}}"#);
        for _ in 0..3 {
            follow.take(&ResponsesScan::of(added.as_bytes()).expect("an event"));
            follow.take(&ResponsesScan::of(delta.as_bytes()).expect("an event"));
        }
        let kept: usize = follow.output.open.iter().map(|open| open.text.len()).sum();
        assert!(kept <= KEPT_BYTES_MAX);
    }
}
