//! The output of a response as its events build it: items that are open, items that are whole, and the
//! events that open, fill and close them. Texts are kept as JSON writes them, since the last events say all
//! of them again.

use std::io::Write;

/// Calls that are open at once; models make a few.
const OPEN_MAX: usize = 64;

/// How a part of an item is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PartKind {
    /// An answer.
    Text,
    /// The model's own words for why it does not answer.
    Refusal,
    /// A summary of what is thought.
    Summary,
    /// What is thought.
    Thought,
}

/// The words of a part in events.
struct Words {
    delta: &'static str,
    done: &'static str,
    field: &'static str,
    kind: &'static str,
    index: &'static str,
    added: &'static str,
    part_done: &'static str,
}

impl PartKind {
    fn words(self) -> Words {
        const ADDED: &str = "response.content_part.added";
        const DONE: &str = "response.content_part.done";
        match self {
            Self::Text => Words {
                delta: "response.output_text.delta",
                done: "response.output_text.done",
                field: "text",
                kind: "output_text",
                index: "content_index",
                added: ADDED,
                part_done: DONE,
            },
            Self::Refusal => Words {
                delta: "response.refusal.delta",
                done: "response.refusal.done",
                field: "refusal",
                kind: "refusal",
                index: "content_index",
                added: ADDED,
                part_done: DONE,
            },
            Self::Summary => Words {
                delta: "response.reasoning_summary_text.delta",
                done: "response.reasoning_summary_text.done",
                field: "text",
                kind: "summary_text",
                index: "summary_index",
                added: "response.reasoning_summary_part.added",
                part_done: "response.reasoning_summary_part.done",
            },
            Self::Thought => Words {
                delta: "response.reasoning_text.delta",
                done: "response.reasoning_text.done",
                field: "text",
                kind: "reasoning_text",
                index: "content_index",
                added: ADDED,
                part_done: DONE,
            },
        }
    }

    /// A part of this kind as JSON.
    pub(super) fn json(self, text: &[u8], annotations: &[u8], to: &mut Vec<u8>) {
        let words = self.words();
        put(to, &["{\"type\":\"", words.kind, "\",\"", words.field]);
        put(to, &["\":\""]);
        to.extend_from_slice(text);
        if self == Self::Text {
            put(to, &["\",\"annotations\":["]);
            to.extend_from_slice(annotations);
            put(to, &["],\"logprobs\":[]}"]);
        } else {
            put(to, &["\"}"]);
        }
    }
}

/// What an item is that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ItemKind {
    /// A message of the model.
    Message,
    /// What it thinks.
    Reasoning,
    /// It calls a function, or a tool that takes a text.
    Call {
        /// Whether the tool takes a text.
        is_custom: bool,
        /// Names the call in its result; between quotes.
        call_id: Vec<u8>,
        /// The function; between quotes.
        name: Vec<u8>,
    },
}

/// An item that is not whole yet.
#[derive(Debug)]
pub(super) struct Open {
    /// Its place in the output.
    pub(super) index: u64,
    /// Between quotes.
    pub(super) id: Vec<u8>,
    pub(super) kind: ItemKind,
    /// Parts that are whole, with commas between them.
    pub(super) parts: Vec<u8>,
    /// The place of the part that is open, or of the next.
    pub(super) part_index: u64,
    pub(super) part: Option<PartKind>,
    /// Whether the parts are of the thought itself and not of its summary.
    pub(super) is_thought: bool,
    /// What stands in the part that is open, or a call's arguments.
    pub(super) text: Vec<u8>,
    annotations: Vec<u8>,
    annotated: u64,
}

/// A place of a text, its texts between quotes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Annotation<'a> {
    pub(super) url: &'a [u8],
    pub(super) title: &'a [u8],
    /// Where what it says ends, in characters.
    pub(super) end: u64,
}

impl Annotation<'_> {
    /// As JSON.
    pub(super) fn json(self, to: &mut Vec<u8>) {
        put(to, &["{\"type\":\"url_citation\",\"start_index\":0"]);
        number(",\"end_index\":", self.end, to);
        put(to, &[",\"url\":\""]);
        to.extend_from_slice(self.url);
        put(to, &["\",\"title\":\""]);
        to.extend_from_slice(self.title);
        put(to, &["\"}"]);
    }
}

pub(super) fn put(to: &mut Vec<u8>, texts: &[&str]) {
    for text in texts {
        to.extend_from_slice(text.as_bytes());
    }
}

pub(super) fn number(before: &str, number: u64, to: &mut Vec<u8>) {
    // Writing to a Vec can't fail.
    let _ = write!(to, "{before}{number}");
}

/// `text` as JSON writes it between quotes.
pub(super) fn escaped(text: &str, to: &mut Vec<u8>) {
    let from = to.len();
    // Texts always can be written.
    if serde_json::to_writer(&mut *to, text).is_ok() && to.len() >= from + 2 {
        to.pop();
        to.remove(from);
    }
}

/// Begins an event; what is missing are its other fields and [`END`].
pub(super) fn begin(kind: &str, sequence: &mut u64, to: &mut Vec<u8>) {
    put(to, &["event: ", kind, "\ndata: {\"type\":\"", kind, "\""]);
    number(",\"sequence_number\":", *sequence, to);
    *sequence += 1;
}

/// Ends an event.
pub(super) const END: &str = "}\n\n";

impl Open {
    pub(super) fn new(index: u64, id: Vec<u8>, kind: ItemKind) -> Self {
        Self {
            index,
            id,
            kind,
            parts: Vec::new(),
            part_index: 0,
            part: None,
            is_thought: false,
            text: Vec::new(),
            annotations: Vec::new(),
            annotated: 0,
        }
    }

    /// Which item and which part an event is about.
    fn place(&self, index: Option<&str>, to: &mut Vec<u8>) {
        put(to, &[",\"item_id\":\""]);
        to.extend_from_slice(&self.id);
        number("\",\"output_index\":", self.index, to);
        if let Some(name) = index {
            put(to, &[",\"", name]);
            number("\":", self.part_index, to);
        }
    }

    /// The item as JSON; without what would be in it yet while it is in progress.
    fn json(&self, status: &str, encrypted: Option<&[u8]>, to: &mut Vec<u8>) {
        put(to, &["{\"id\":\""]);
        to.extend_from_slice(&self.id);
        match &self.kind {
            ItemKind::Message => {
                put(to, &["\",\"type\":\"message\",\"status\":\"", status]);
                put(to, &["\",\"role\":\"assistant\",\"content\":["]);
                to.extend_from_slice(&self.parts);
                put(to, &["]}"]);
            }
            ItemKind::Reasoning => {
                put(to, &["\",\"type\":\"reasoning\",\"summary\":["]);
                if self.is_thought {
                    put(to, &["],\"content\":["]);
                }
                to.extend_from_slice(&self.parts);
                put(to, &["]"]);
                if let Some(encrypted) = encrypted {
                    put(to, &[",\"encrypted_content\":\""]);
                    to.extend_from_slice(encrypted);
                    put(to, &["\""]);
                }
                put(to, &["}"]);
            }
            ItemKind::Call {
                is_custom,
                call_id,
                name,
            } => {
                let (kind, field) = call_words(*is_custom);
                put(to, &["\",\"type\":\"", kind, "\",\"status\":\"", status]);
                put(to, &["\",\"call_id\":\""]);
                to.extend_from_slice(call_id);
                put(to, &["\",\"name\":\""]);
                to.extend_from_slice(name);
                put(to, &["\",\"", field, "\":\""]);
                to.extend_from_slice(&self.text);
                put(to, &["\"}"]);
            }
        }
    }

    /// Writes the events that end the part that is open.
    fn close_part(&mut self, sequence: &mut u64, to: &mut Vec<u8>) {
        let Some(part) = self.part.take() else {
            return;
        };
        let words = part.words();
        begin(words.done, sequence, to);
        self.place(Some(words.index), to);
        put(to, &[",\"", words.field, "\":\""]);
        to.extend_from_slice(&self.text);
        put(to, &["\""]);
        if part == PartKind::Text {
            put(to, &[",\"logprobs\":[]"]);
        }
        put(to, &[END]);
        let mut whole = Vec::with_capacity(self.text.len() + self.annotations.len() + 64);
        part.json(&self.text, &self.annotations, &mut whole);
        begin(words.part_done, sequence, to);
        self.place(Some(words.index), to);
        put(to, &[",\"part\":"]);
        to.extend_from_slice(&whole);
        put(to, &[END]);
        self.take_part(&whole);
    }

    /// Takes a part that is whole in place of the one that was open.
    pub(super) fn take_part(&mut self, whole: &[u8]) {
        if !self.parts.is_empty() {
            self.parts.push(b',');
        }
        self.parts.extend_from_slice(whole);
        self.part = None;
        self.part_index += 1;
        self.annotated = 0;
        self.text.clear();
        self.annotations.clear();
    }
}

fn call_words(is_custom: bool) -> (&'static str, &'static str) {
    if is_custom {
        ("custom_tool_call", "input")
    } else {
        ("function_call", "arguments")
    }
}

/// The items of one response.
#[derive(Debug)]
pub(super) struct OutputItems {
    /// The number of the next event.
    pub(super) sequence: u64,
    /// Items that are whole, with commas between them.
    pub(super) whole: Vec<u8>,
    pub(super) open: Vec<Open>,
    next: u64,
    /// Bytes that are kept at most; what is beyond them is not said again at the end.
    kept_max: usize,
    kept: usize,
}

impl OutputItems {
    pub(super) fn new(kept_max: usize) -> Self {
        Self {
            sequence: 0,
            whole: Vec::new(),
            open: Vec::new(),
            next: 0,
            kept_max,
            kept: 0,
        }
    }

    /// Whether so much more may be kept, which is then counted.
    pub(super) fn has_room(&mut self, bytes: usize) -> bool {
        let kept = self.kept.saturating_add(bytes);
        let has_room = kept <= self.kept_max;
        if has_room {
            self.kept = kept;
        }
        has_room
    }

    /// Takes an item that is whole.
    pub(super) fn take(&mut self, item: &[u8]) {
        if !self.whole.is_empty() {
            self.whole.push(b',');
        }
        self.whole.extend_from_slice(item);
    }

    /// The place of the next item.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// Begins an item.
    pub(super) fn add(&mut self, id: Vec<u8>, kind: ItemKind, to: &mut Vec<u8>) {
        if self.open.len() >= OPEN_MAX {
            self.close_at(0, "completed", None, to);
        }
        let open = Open::new(self.next, id, kind);
        self.next += 1;
        begin("response.output_item.added", &mut self.sequence, to);
        number(",\"output_index\":", open.index, to);
        put(to, &[",\"item\":"]);
        open.json("in_progress", None, to);
        put(to, &[END]);
        self.open.push(open);
    }

    /// Writes an item that comes whole at once.
    pub(super) fn add_whole(&mut self, item: &[u8], to: &mut Vec<u8>) {
        for kind in ["response.output_item.added", "response.output_item.done"] {
            begin(kind, &mut self.sequence, to);
            number(",\"output_index\":", self.next, to);
            put(to, &[",\"item\":"]);
            to.extend_from_slice(item);
            put(to, &[END]);
        }
        self.next += 1;
        if self.has_room(item.len()) {
            self.take(item);
        }
    }

    /// Lets the last item have a part of this kind, and writes more of it.
    pub(super) fn more(&mut self, part: PartKind, text: &str, to: &mut Vec<u8>) {
        let Some(open) = self.open.last_mut() else {
            return;
        };
        let words = part.words();
        if open.part != Some(part) {
            open.close_part(&mut self.sequence, to);
            open.part = Some(part);
            begin(words.added, &mut self.sequence, to);
            open.place(Some(words.index), to);
            put(to, &[",\"part\":"]);
            part.json(b"", b"", to);
            put(to, &[END]);
        }
        if text.is_empty() {
            return;
        }
        begin(words.delta, &mut self.sequence, to);
        open.place(Some(words.index), to);
        let said = delta(text, to);
        let extra = if part == PartKind::Text {
            ",\"logprobs\":[]"
        } else {
            ""
        };
        put(to, &[extra, END]);
        self.keep(self.open.len() - 1, to, said);
    }

    /// More of the arguments of the item that is open at that place.
    pub(super) fn argue(&mut self, at: usize, json: &str, to: &mut Vec<u8>) {
        let Some(open) = self.open.get(at).filter(|_| !json.is_empty()) else {
            return;
        };
        let kind = "response.function_call_arguments.delta";
        begin(kind, &mut self.sequence, to);
        open.place(None, to);
        let said = delta(json, to);
        put(to, &[END]);
        self.keep(at, to, said);
    }

    /// Keeps what was written at that place of `to`.
    fn keep(&mut self, at: usize, to: &[u8], said: std::ops::Range<usize>) {
        if self.has_room(said.len())
            && let (Some(open), Some(said)) = (self.open.get_mut(at), to.get(said))
        {
            open.text.extend_from_slice(said);
        }
    }

    /// Where the text before comes from.
    pub(super) fn annotate(&mut self, annotation: Annotation<'_>, to: &mut Vec<u8>) {
        let open = self.open.last();
        let Some(open) = open.filter(|open| open.part == Some(PartKind::Text)) else {
            return;
        };
        let kind = "response.output_text.annotation.added";
        begin(kind, &mut self.sequence, to);
        open.place(Some("content_index"), to);
        number(",\"annotation_index\":", open.annotated, to);
        put(to, &[",\"annotation\":"]);
        let from = to.len();
        annotation.json(to);
        let said = from..to.len();
        put(to, &[END]);
        if self.has_room(said.len())
            && let (Some(open), Some(said)) = (self.open.last_mut(), to.get(said))
        {
            open.annotated += 1;
            if !open.annotations.is_empty() {
                open.annotations.push(b',');
            }
            open.annotations.extend_from_slice(said);
        }
    }

    /// Ends every item that is open; only the last may have been cut off.
    pub(super) fn close(&mut self, status: &str, encrypted: Option<&[u8]>, to: &mut Vec<u8>) {
        while self.open.len() > 1 {
            self.close_at(0, "completed", None, to);
        }
        if !self.open.is_empty() {
            self.close_at(0, status, encrypted, to);
        }
    }

    fn close_at(&mut self, at: usize, status: &str, encrypted: Option<&[u8]>, to: &mut Vec<u8>) {
        let mut open = self.open.remove(at);
        let sequence = &mut self.sequence;
        if let ItemKind::Call { is_custom, .. } = &open.kind {
            let (_, field) = call_words(*is_custom);
            let kind = if *is_custom {
                "response.custom_tool_call_input.done"
            } else {
                "response.function_call_arguments.done"
            };
            begin(kind, sequence, to);
            open.place(None, to);
            put(to, &[",\"", field, "\":\""]);
            to.extend_from_slice(&open.text);
            put(to, &["\"", END]);
        } else {
            open.close_part(sequence, to);
        }
        begin("response.output_item.done", sequence, to);
        number(",\"output_index\":", open.index, to);
        put(to, &[",\"item\":"]);
        let from = to.len();
        open.json(status, encrypted, to);
        if !self.whole.is_empty() {
            self.whole.push(b',');
        }
        self.whole.extend_from_slice(&to[from..]);
        put(to, &[END]);
    }
}

/// Writes the field of a delta; says where its text stands.
fn delta(text: &str, to: &mut Vec<u8>) -> std::ops::Range<usize> {
    put(to, &[",\"delta\":"]);
    let from = to.len() + 1;
    // Texts always can be written.
    let _ = serde_json::to_writer(&mut *to, text);
    from..to.len().saturating_sub(1).max(from)
}
