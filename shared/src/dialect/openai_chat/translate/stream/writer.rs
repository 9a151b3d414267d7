//! Writes a stream as OpenAI does: a chunk with the role, chunks with what is said, one with why it ends, one
//! with the usage where that was asked for, and the end. Lists in deltas have indexes, by which official
//! clients put their pieces together, and a text that stands in two pieces of one entry becomes one; so each
//! word that is no piece of a text is told once.

use super::super::answer::{
    ANSWERS_MAX, stop_word, told_why, write_citation, write_image, write_usage,
};
use super::super::out::JsonOut;
use super::super::thought;
use crate::dialect::neutral::{
    AnswerShown, ChatEvent, Media, MediaKind, Signature, SignatureFormat, Source, Stop,
    StreamWriter,
};
use crate::dialect::openai::{DONE, tier_shown};
use crate::units::{Fact, Usage};

/// A stream, while it is written.
#[derive(Debug)]
pub(in super::super) struct ChunkWriter {
    shows_usage: bool,
    /// What every chunk begins with, up to its choices.
    head: Vec<u8>,
    answers: Vec<Answer>,
    /// The id of a sound.
    id: String,
}

/// One answer of it.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is found by itself, and nothing follows from two of them"
)]
#[derive(Debug, Default)]
struct Answer {
    has_begun: bool,
    has_stopped: bool,
    has_calls: bool,
    has_refusal: bool,
    /// Characters of its text, and where that begins which is cited next.
    characters: usize,
    cited_from: usize,
    is_cited: bool,
    /// Entries of lists that were told.
    details: usize,
    citations: usize,
    images: usize,
    /// Whether the last entry of the details is open for more of its text.
    is_thinking: bool,
}

impl ChunkWriter {
    pub(in super::super) fn new(shown: &AnswerShown) -> Self {
        let mut head = b"data: ".to_vec();
        head.push(b'{');
        head.key("id").joined(&["chatcmpl-", &shown.id]);
        head.key("object").text("chat.completion.chunk");
        head.key("created").plain(shown.created);
        head.key("model").text(&shown.model);
        head.key("choices").push(b'[');
        Self {
            shows_usage: shown.shows_usage,
            head,
            answers: Vec::new(),
            id: shown.id.clone(),
        }
    }

    /// A chunk whose delta `write` writes, and why the answer ends.
    fn chunk(
        &self,
        to: &mut Vec<u8>,
        answer: u32,
        reason: Option<&str>,
        write: impl FnOnce(&mut Vec<u8>),
    ) {
        to.extend_from_slice(&self.head);
        to.open(b'{').key("index").plain(answer);
        to.key("delta").open(b'{');
        write(to);
        to.extend_from_slice(b"},\"logprobs\":null,\"finish_reason\":");
        match reason {
            Some(reason) => {
                to.text(reason);
            }
            None => to.extend_from_slice(b"null"),
        }
        to.extend_from_slice(b"}]");
        if self.shows_usage {
            to.extend_from_slice(b",\"usage\":null");
        }
        to.extend_from_slice(b"}\n\n");
    }

    fn state(&mut self, answer: u32) -> Option<&mut Answer> {
        if answer >= ANSWERS_MAX {
            return None;
        }
        let place = usize::try_from(answer).ok()?;
        if self.answers.len() <= place {
            self.answers.resize_with(place + 1, Answer::default);
        }
        self.answers.get_mut(place)
    }

    /// The state of an answer that is not at its end; begins it where it is new.
    fn open(&mut self, answer: u32, to: &mut Vec<u8>) -> Option<&mut Answer> {
        let state = self.state(answer)?;
        if !state.has_begun {
            state.has_begun = true;
            self.chunk(to, answer, None, |to| {
                to.key("role").text("assistant").key("content").text("");
            });
        }
        self.state(answer).filter(|state| !state.has_stopped)
    }

    fn say(&mut self, event: ChatEvent<'_>, to: &mut Vec<u8>, state: &mut Answer) {
        let is_thought = matches!(
            event,
            ChatEvent::Thought { .. } | ChatEvent::Signature { .. }
        );
        if !is_thought && state.is_thinking {
            state.is_thinking = false;
            state.details += 1;
        }
        match event {
            ChatEvent::Begin { .. } => {}
            ChatEvent::Text { answer, text } => {
                if std::mem::take(&mut state.is_cited) {
                    state.cited_from = state.characters;
                }
                state.characters = state.characters.saturating_add(text.chars().count());
                self.chunk(to, answer, None, |to| {
                    to.key("content").text(&text);
                });
            }
            ChatEvent::Refusal { answer, text } => {
                state.has_refusal = true;
                self.chunk(to, answer, None, |to| {
                    to.key("refusal").text(&text);
                });
            }
            ChatEvent::Thought { answer, text } => {
                state.is_thinking = true;
                self.chunk(to, answer, None, |to| {
                    to.key("reasoning_content").text(&text);
                    to.key("reasoning_details").open(b'[');
                    thought::write_text(to, &text, state.details);
                    to.close(b']');
                });
            }
            ChatEvent::Signature { answer, signature } => {
                self.chunk(to, answer, None, |to| write_proof(to, &signature, state));
            }
            ChatEvent::ToolCall {
                answer,
                call,
                id,
                name,
                signature,
            } => {
                state.has_calls = true;
                self.chunk(to, answer, None, |to| {
                    write_call(to, call, (&id, &name), signature.as_ref());
                });
            }
            ChatEvent::Arguments { answer, call, json } => {
                self.chunk(to, answer, None, |to| {
                    to.key("tool_calls").open(b'[').open(b'{');
                    to.key("index").plain(call).key("function").open(b'{');
                    to.key("arguments").text(&json).close(b'}');
                    to.close(b'}').close(b']');
                });
            }
            ChatEvent::Media { answer, media } => self.media(answer, &media, to, state),
            ChatEvent::Citation { answer, citation } => {
                state.is_cited = true;
                let place = (state.cited_from, state.characters);
                self.chunk(to, answer, None, |to| {
                    to.key("annotations").open(b'[');
                    write_citation(to, &citation, place, state.citations);
                    to.close(b']');
                });
                state.citations += 1;
            }
            ChatEvent::Stop { answer, stop } => self.stop(answer, &stop, to, state),
        }
    }

    /// Films and files have no words here.
    fn media(&self, answer: u32, media: &Media, to: &mut Vec<u8>, state: &mut Answer) {
        match (media.kind, &media.source) {
            (MediaKind::Image, Source::Base64(_) | Source::Url(_)) => {
                self.chunk(to, answer, None, |to| {
                    to.key("images").open(b'[');
                    write_image(to, media, state.images);
                    to.close(b']');
                });
                state.images += 1;
            }
            (MediaKind::Audio, Source::Base64(data)) => {
                self.chunk(to, answer, None, |to| {
                    to.key("audio").open(b'{').key("id");
                    to.joined(&["audio_", &self.id]).key("data").joined(&[data]);
                    to.close(b'}');
                });
            }
            _ => {}
        }
    }

    fn stop(&self, answer: u32, stop: &Stop, to: &mut Vec<u8>, state: &mut Answer) {
        if let (Some(why), false) = (told_why(stop), state.has_refusal) {
            self.chunk(to, answer, None, |to| {
                to.key("refusal").text(why);
            });
        }
        state.has_stopped = true;
        let word = stop_word(stop, state.has_calls);
        self.chunk(to, answer, Some(word), |_| ());
    }
}

/// The first piece of a call, with its id and its function's name.
fn write_call(
    to: &mut Vec<u8>,
    call: u32,
    (id, name): (&str, &str),
    signature: Option<&Signature>,
) {
    to.key("tool_calls").open(b'[').open(b'{');
    to.key("index").plain(call).key("id").text(id);
    to.key("type").text("function");
    to.key("function").open(b'{').key("name").text(name);
    to.key("arguments").text("").close(b'}');
    if let Some(signature) = signature {
        thought::write_at_call(to, signature);
    }
    to.close(b'}').close(b']');
}

/// What proves a thought: of Anthropic's a part of its entry, of others an entry behind it.
fn write_proof(to: &mut Vec<u8>, signature: &Signature, state: &mut Answer) {
    to.key("reasoning_details").open(b'[');
    let was_thinking = std::mem::take(&mut state.is_thinking);
    match signature.format {
        SignatureFormat::Anthropic => {
            to.open(b'{').key("type").text("reasoning.text");
            to.key("signature").text(&signature.data);
            to.key("format").text(thought::word(signature.format));
            to.key("index").plain(state.details).close(b'}');
        }
        SignatureFormat::AnthropicRedacted => {
            state.details += usize::from(was_thinking);
            thought::write_encrypted(to, signature, None, state.details);
        }
        SignatureFormat::Google | SignatureFormat::OpenAi => {
            if was_thinking {
                to.open(b'{').key("type").text("reasoning.text");
                to.key("format").text(thought::word(signature.format));
                to.key("index").plain(state.details).close(b'}');
                state.details += 1;
            }
            thought::write_encrypted(to, signature, None, state.details);
        }
    }
    state.details += 1;
    to.close(b']');
}

/// Which answer an event is of.
fn answer_of(event: &ChatEvent<'_>) -> u32 {
    match event {
        ChatEvent::Begin { .. } => 0,
        ChatEvent::Text { answer, .. }
        | ChatEvent::Refusal { answer, .. }
        | ChatEvent::Thought { answer, .. }
        | ChatEvent::Signature { answer, .. }
        | ChatEvent::ToolCall { answer, .. }
        | ChatEvent::Arguments { answer, .. }
        | ChatEvent::Media { answer, .. }
        | ChatEvent::Citation { answer, .. }
        | ChatEvent::Stop { answer, .. } => *answer,
    }
}

impl StreamWriter for ChunkWriter {
    fn write(&mut self, event: ChatEvent<'_>, to: &mut Vec<u8>) {
        let answer = answer_of(&event);
        let Some(state) = self.open(answer, to) else {
            return;
        };
        let mut state = std::mem::take(state);
        self.say(event, to, &mut state);
        if let Some(place) = self.state(answer) {
            *place = state;
        }
    }

    fn end(&mut self, usage: &Usage, to: &mut Vec<u8>) {
        if self.answers.is_empty() {
            self.open(0, to);
        }
        for answer in 0..ANSWERS_MAX {
            let place = usize::try_from(answer).unwrap_or(usize::MAX);
            let state = self.answers.get(place);
            if state.is_some_and(|state| state.has_begun && !state.has_stopped) {
                let stop = Stop::End;
                self.write(ChatEvent::Stop { answer, stop }, to);
            }
        }
        if self.shows_usage {
            to.extend_from_slice(&self.head);
            to.extend_from_slice(b"]");
            if let Some(tier) = usage.facts.get(Fact::Tier).and_then(tier_shown) {
                to.key("service_tier").text(tier);
            }
            to.key("usage");
            write_usage(to, usage);
            to.extend_from_slice(b"}\n\n");
        }
        to.extend_from_slice(DONE);
    }
}
