//! Reads a stream of chunks, of OpenAI and of those who write almost the same: calls that come whole, that
//! repeat their id and name with every piece, that have no index or all the same, or no id; thoughts under
//! three names; messages where deltas should be.

use std::borrow::Cow;

use super::super::answer::{
    ANSWERS_MAX, TextPiece, citation, image, made_id, of_content, read_stop, sound,
};
use super::super::raw::{self, Raw};
use super::super::thought::{self, Detail};
use crate::dialect::event::said;
use crate::dialect::neutral::{ChatEvent, Signature, StreamReader};

/// Calls of one answer that are told apart; no model makes more.
const CALLS_MAX: usize = 256;
/// Bytes that one stream makes its reader keep, at most: ids and names of calls, proofs of calls to come,
/// arguments that wait for the name of their function.
const KEPT_MAX: usize = 1024 * 1024;

/// What is read of a choice.
const CHOICE: [&str; 5] = ["index", "delta", "message", "finish_reason", "stop_reason"];

type Each<'e> = &'e mut dyn FnMut(ChatEvent<'_>);

/// A stream, while it is read.
#[derive(Debug, Default)]
pub(in super::super) struct ChunkReader {
    id: String,
    has_begun: bool,
    answers: Vec<Answer>,
    /// Bytes of all that is kept.
    kept: usize,
}

/// One answer of it.
#[derive(Debug, Default)]
struct Answer {
    calls: Vec<Call>,
    /// Bytes of the thought that is not proven yet.
    thought: usize,
    /// What proves calls to come, by their ids.
    proofs: Vec<(String, Signature)>,
    has_stopped: bool,
}

/// A function call of an answer.
#[derive(Debug, Default)]
struct Call {
    /// As the provider numbers it.
    index: Option<u64>,
    /// As the provider told it; may be empty.
    id: String,
    /// Empty until it is told.
    name: String,
    /// Arguments that came before the name.
    waiting: String,
}

impl StreamReader for ChunkReader {
    fn read(&mut self, event: &[u8], each: &mut dyn FnMut(ChatEvent<'_>)) {
        let said = said(event);
        if said.data.first() != Some(&b'{') {
            return;
        }
        if !self.has_begun
            && let Some(id) = Raw::new(&said.data).get("id").and_then(Raw::words)
        {
            self.has_begun = true;
            (*id).clone_into(&mut self.id);
            each(ChatEvent::Begin { id });
        }
        raw::pick_each(&said.data, "choices", CHOICE, |choice| {
            self.choice(choice, each);
        });
    }
}

impl ChunkReader {
    fn choice(&mut self, choice: [Option<Raw<'_>>; CHOICE.len()], each: Each<'_>) {
        let [index, delta, message, reason, stop_text] = choice;
        let index: u32 = index.and_then(Raw::number).unwrap_or(0);
        if index >= ANSWERS_MAX {
            return;
        }
        let place = usize::try_from(index).unwrap_or(usize::MAX);
        if self.answers.len() <= place {
            self.answers.resize_with(place + 1, Answer::default);
        }
        let Some(answer) = self.answers.get_mut(place) else {
            return;
        };
        // What follows the end of an answer has no place in it.
        if answer.has_stopped {
            return;
        }
        // Nothing may come before the beginning, so it does not come behind anything.
        self.has_begun = true;
        let mut told = Told {
            answer,
            index,
            id: &self.id,
            kept: &mut self.kept,
            each,
        };
        if let Some(delta) = delta.or(message) {
            told.delta(delta);
        }
        if let Some(reason) = reason.filter(|reason| reason.words().is_some()) {
            told.stop(reason, stop_text);
        }
    }
}

/// An answer of which something is told.
struct Told<'t> {
    answer: &'t mut Answer,
    index: u32,
    /// The id of all answers.
    id: &'t str,
    kept: &'t mut usize,
    each: Each<'t>,
}

/// Whether so many bytes more may be kept, which then count as kept.
fn keeps(kept: &mut usize, bytes: usize) -> bool {
    let sum = kept.saturating_add(bytes);
    let is_allowed = sum <= KEPT_MAX;
    if is_allowed {
        *kept = sum;
    }
    is_allowed
}

impl Told<'_> {
    fn delta(&mut self, delta: Raw<'_>) {
        let names = [
            "content",
            "reasoning_content",
            "reasoning",
            "reasoning_details",
            "tool_calls",
            "refusal",
            "function_call",
            "annotations",
            "images",
            "audio",
        ];
        let [
            content,
            thought,
            reasoning,
            details,
            calls,
            refusal,
            old,
            others @ ..,
        ] = delta.pick(names);
        let answer = self.index;
        let plain = thought.and_then(Raw::words);
        let plain = plain.or_else(|| reasoning.and_then(Raw::words));
        let is_told = plain.is_some();
        if let Some(text) = plain {
            self.thought(text);
        }
        if let Some(details) = details {
            details.each(|entry| self.detail(Detail::read(entry, None), is_told));
        }
        if let Some(content) = content {
            of_content(content, &mut |piece| match piece {
                TextPiece::Text(text) => (self.each)(ChatEvent::Text { answer, text }),
                TextPiece::Thought(thought) => self.thought(Cow::Owned(thought.text)),
                TextPiece::Media(media) => (self.each)(ChatEvent::Media { answer, media }),
            });
        }
        if let Some(text) = refusal.and_then(Raw::words) {
            (self.each)(ChatEvent::Refusal { answer, text });
        }
        self.others(others);
        if let Some(calls) = calls {
            calls.each(|entry| self.call(entry, entry.get("function").unwrap_or(entry)));
        }
        if let Some(old) = old {
            self.call(old, old);
        }
    }

    /// What is seldom told.
    fn others(&mut self, [annotations, images, audio]: [Option<Raw<'_>>; 3]) {
        let answer = self.index;
        if let Some(annotations) = annotations {
            annotations.each(|entry| {
                if let Some(citation) = citation(entry).map(Box::new) {
                    (self.each)(ChatEvent::Citation { answer, citation });
                }
            });
        }
        if let Some(images) = images {
            images.each(|entry| {
                if let Some(media) = image(entry).map(Box::new) {
                    (self.each)(ChatEvent::Media { answer, media });
                }
            });
        }
        if let Some(audio) = audio {
            if let Some(text) = audio.get("transcript").and_then(Raw::words) {
                (self.each)(ChatEvent::Text { answer, text });
            }
            if let Some(media) = sound(audio).map(Box::new) {
                (self.each)(ChatEvent::Media { answer, media });
            }
        }
    }

    fn thought(&mut self, text: Cow<'_, str>) {
        if !text.is_empty() {
            self.answer.thought = self.answer.thought.saturating_add(text.len());
            let answer = self.index;
            (self.each)(ChatEvent::Thought { answer, text });
        }
    }

    /// An entry of `reasoning_details`; `is_told` where the same text stands beside it in the event.
    fn detail(&mut self, detail: Detail<'_>, is_told: bool) {
        let answer = self.index;
        if let Some(id) = detail.call() {
            let is_late = self.answer.calls.iter().any(|call| call.id == id);
            if let (false, Some(signature)) = (is_late, &detail.signature)
                && keeps(self.kept, id.len().saturating_add(signature.data.len()))
            {
                let proof = (id.to_owned(), signature.clone());
                self.answer.proofs.push(proof);
                return;
            }
        }
        // Some tell a thought once more with what proves it.
        let is_again = detail.signature.is_some() && detail.text.len() == self.answer.thought;
        if !is_told && !is_again {
            self.thought(detail.text);
        }
        if let Some(signature) = detail.signature {
            self.answer.thought = 0;
            (self.each)(ChatEvent::Signature { answer, signature });
        }
    }

    /// A piece of a call, whose function stands in `held`.
    fn call(&mut self, entry: Raw<'_>, held: Raw<'_>) {
        let [index, id] = entry.pick(["index", "id"]);
        let [name, arguments] = held.pick(["name", "arguments"]);
        let id = id.and_then(Raw::words);
        let name = name.and_then(Raw::words);
        let index: Option<u64> = index.and_then(Raw::number);
        let known = self.answer.place(index, id.as_deref(), name.as_deref());
        let Some(place) = known.or_else(|| self.new_call(index)) else {
            return;
        };
        let number = u32::try_from(place).unwrap_or(u32::MAX);
        let answer = self.index;
        let proof = thought::read_at_call(entry);
        let proof = proof.or_else(|| self.answer.proof(id.as_deref()));
        let Some(call) = self.answer.calls.get_mut(place) else {
            return;
        };
        // What is too long to be kept is as if it was not told.
        let mut kept = |text: &Cow<'_, str>| keeps(self.kept, text.len());
        let id = id.filter(|id| call.id == **id || !call.id.is_empty() || kept(id));
        let name = name.filter(|name| !call.name.is_empty() || kept(name));
        if let (true, Some(id)) = (call.id.is_empty(), &id) {
            call.id.push_str(id);
        }
        if let (true, Some(name)) = (call.name.is_empty(), name) {
            call.name.push_str(&name);
            let id = if call.id.is_empty() {
                Cow::Owned(made_id(self.id, answer, place))
            } else {
                Cow::Borrowed(call.id.as_str())
            };
            (self.each)(ChatEvent::ToolCall {
                answer,
                call: number,
                id,
                name,
                signature: proof,
            });
            let waiting = std::mem::take(&mut call.waiting);
            if !waiting.is_empty() {
                (self.each)(ChatEvent::Arguments {
                    answer,
                    call: number,
                    json: Cow::Owned(waiting),
                });
            }
        }
        let json = match arguments {
            Some(text) if text.is_text() => text.text().unwrap_or_default(),
            Some(json) => Cow::Borrowed(json.json()),
            None => return,
        };
        if json.is_empty() {
            return;
        }
        if call.name.is_empty() {
            if keeps(self.kept, json.len()) {
                call.waiting.push_str(&json);
            }
            return;
        }
        (self.each)(ChatEvent::Arguments {
            answer,
            call: number,
            json,
        });
    }

    /// A call that was not begun before; `None` where there are too many.
    fn new_call(&mut self, index: Option<u64>) -> Option<usize> {
        if self.answer.calls.len() >= CALLS_MAX {
            return None;
        }
        self.answer.calls.push(Call {
            index,
            ..Call::default()
        });
        Some(self.answer.calls.len() - 1)
    }

    fn stop(&mut self, reason: Raw<'_>, stop_text: Option<Raw<'_>>) {
        let answer = self.index;
        for (_, signature) in std::mem::take(&mut self.answer.proofs) {
            (self.each)(ChatEvent::Signature { answer, signature });
        }
        self.answer.has_stopped = true;
        let has_calls = !self.answer.calls.is_empty();
        let stop = read_stop(Some(reason), stop_text, has_calls);
        (self.each)(ChatEvent::Stop { answer, stop });
    }
}

impl Answer {
    /// Which call a piece is of, where it is of one that is known.
    fn place(&self, index: Option<u64>, id: Option<&str>, name: Option<&str>) -> Option<usize> {
        let known = match (index, id) {
            (Some(_), _) => self.calls.iter().rposition(|call| call.index == index),
            (None, Some(id)) => self.calls.iter().rposition(|call| call.id == id),
            (None, None) => self.calls.len().checked_sub(1),
        };
        // One that is begun begins again only as another: with another id, or, where there are none, with
        // another name, or any where nothing else tells calls apart.
        let is_other = |call: &Call| match (id, name) {
            _ if call.name.is_empty() => false,
            (_, None) => false,
            (Some(id), Some(_)) => id != call.id,
            (None, Some(name)) => index.is_none() || name != call.name,
        };
        known.filter(|at| !self.calls.get(*at).is_some_and(is_other))
    }

    /// What proves the call of this id, where that came before it.
    fn proof(&mut self, id: Option<&str>) -> Option<Signature> {
        if self.proofs.is_empty() {
            return None;
        }
        let at = self
            .proofs
            .iter()
            .position(|(of, _)| Some(of.as_str()) == id)?;
        Some(self.proofs.swap_remove(at).1)
    }
}
