//! Writes a whole answer as OpenAI does, with what others have beside it where there is some: thoughts,
//! their proofs, pictures.

use bytes::Bytes;

use super::super::out::Json;
use super::super::{media, thought};
use super::{stop_word, tier_word, told_why, write_usage};
use crate::dialect::neutral::{
    AnswerShown, Candidate, ChatAnswer, Citation, Media, MediaKind, Part, Source, Thought, ToolCall,
};
use crate::units::{Fact, Usage};

/// How long OpenAI keeps a spoken answer, which clients read (API reference: `audio.expires_at`).
const SOUND_SECONDS: u64 = 3_600;

/// Writes a whole answer.
pub(in super::super) fn write(answer: &ChatAnswer, usage: &Usage, shown: &AnswerShown) -> Bytes {
    let mut out = Vec::with_capacity(1_024);
    out.open(b'{').key("id").joined(&["chatcmpl-", &shown.id]);
    out.key("object").text("chat.completion");
    out.key("created").plain(shown.created);
    out.key("model").text(&shown.model);
    out.key("choices").open(b'[');
    for (index, candidate) in answer.candidates.iter().enumerate() {
        out.open(b'{').key("index").plain(index);
        out.key("message");
        message(&mut out, candidate, shown);
        out.key("logprobs").raw("null");
        let has_calls = candidate
            .parts
            .iter()
            .any(|part| matches!(part, Part::ToolCall(_)));
        out.key("finish_reason")
            .text(stop_word(&candidate.stop, has_calls));
        out.close(b'}');
    }
    out.close(b']').key("usage");
    write_usage(&mut out, usage);
    let tier = usage.facts.get(Fact::Tier).or(answer.tier.as_deref());
    if let Some(tier) = tier {
        out.key("service_tier").text(tier_word(tier));
    }
    out.close(b'}');
    out.into()
}

/// What one answer says, kind by kind.
#[derive(Default)]
struct Said<'a> {
    text: String,
    /// With where the text stands that each is of, in characters.
    citations: Vec<(usize, usize, &'a Citation)>,
    refusal: String,
    thoughts: Vec<&'a Thought>,
    media: Vec<&'a Media>,
    calls: Vec<&'a ToolCall>,
}

impl<'a> Said<'a> {
    fn of(candidate: &'a Candidate) -> Self {
        let mut said = Self::default();
        let mut characters = 0;
        for part in &candidate.parts {
            match part {
                Part::Text {
                    text, citations, ..
                } => {
                    let from = characters;
                    characters += text.chars().count();
                    said.text.push_str(text);
                    let placed = citations
                        .iter()
                        .map(|citation| (from, characters, citation));
                    said.citations.extend(placed);
                }
                Part::Refusal(text) => said.refusal.push_str(text),
                Part::Thought(thought) => said.thoughts.push(thought),
                Part::Media(media) => said.media.push(media),
                Part::ToolCall(call) => said.calls.push(call),
                Part::ToolResult(_) => {}
            }
        }
        if let (Some(why), true) = (told_why(&candidate.stop), said.refusal.is_empty()) {
            why.clone_into(&mut said.refusal);
        }
        said
    }
}

fn message(out: &mut Vec<u8>, candidate: &Candidate, shown: &AnswerShown) {
    let said = Said::of(candidate);
    out.open(b'{').key("role").text("assistant").key("content");
    let says_else = !said.calls.is_empty() || !said.refusal.is_empty();
    if said.text.is_empty() && says_else {
        out.raw("null");
    } else {
        out.text(&said.text);
    }
    out.key("refusal");
    if said.refusal.is_empty() {
        out.raw("null");
    } else {
        out.text(&said.refusal);
    }
    thoughts(out, &said.thoughts);
    if !said.citations.is_empty() {
        out.key("annotations").open(b'[');
        for (index, (from, to, citation)) in said.citations.iter().enumerate() {
            write_citation(out, citation, (*from, *to), index);
        }
        out.close(b']');
    }
    made(out, &said.media, shown);
    if !said.calls.is_empty() {
        out.key("tool_calls").open(b'[');
        for call in &said.calls {
            out.open(b'{').key("id").text(&call.id);
            out.key("type").text("function");
            out.key("function").open(b'{').key("name").text(&call.name);
            out.key("arguments").text(&call.arguments).close(b'}');
            if let Some(signature) = &call.signature {
                thought::write_at_call(out, signature);
            }
            out.close(b'}');
        }
        out.close(b']');
    }
    out.close(b'}');
}

/// What was thought as one text, and its proofs where there are some.
fn thoughts(out: &mut Vec<u8>, thoughts: &[&Thought]) {
    let texts: Vec<&str> = thoughts
        .iter()
        .map(|thought| thought.text.as_str())
        .collect();
    if texts.iter().any(|text| !text.is_empty()) {
        out.key("reasoning_content").joined(&texts);
    }
    if thoughts.iter().any(|thought| thought.signature.is_some()) {
        out.key("reasoning_details").open(b'[');
        let mut index = 0;
        for thought in thoughts {
            index = thought::write(out, thought, index);
        }
        out.close(b']');
    }
}

/// Pictures as OpenRouter writes them, and a sound.
fn made(out: &mut Vec<u8>, made: &[&Media], shown: &AnswerShown) {
    let images = || made.iter().filter(|media| is_image(media));
    if images().next().is_some() {
        out.key("images").open(b'[');
        for (index, image) in images().enumerate() {
            write_image(out, image, index);
        }
        out.close(b']');
    }
    let sounds = made.iter().filter(|media| media.kind == MediaKind::Audio);
    let sound = sounds.filter_map(|media| match &media.source {
        Source::Base64(data) => Some(data),
        Source::Url(_) | Source::Text(_) | Source::Id(_) => None,
    });
    if let Some(data) = sound.into_iter().next() {
        out.key("audio").open(b'{').key("id");
        out.joined(&["audio_", &shown.id])
            .key("data")
            .joined(&[data]);
        let expires = shown.created.saturating_add(SOUND_SECONDS);
        out.key("expires_at").plain(expires);
        out.key("transcript").text("").close(b'}');
    }
}

/// Whether it can be written as a picture.
fn is_image(media: &Media) -> bool {
    media.kind == MediaKind::Image && matches!(media.source, Source::Base64(_) | Source::Url(_))
}

/// Writes a picture, where it is one; `index` is for clients that put pieces of streams together.
pub(in super::super) fn write_image(out: &mut Vec<u8>, image: &Media, index: usize) {
    if is_image(image) {
        out.open(b'{').key("type").text("image_url");
        out.key("image_url").open(b'{').key("url");
        // That it has an address is known.
        let _ = media::write_url(out, image);
        out.close(b'}').key("index").plain(index).close(b'}');
    }
}

/// Writes a citation of the text between these characters.
pub(in super::super) fn write_citation(
    out: &mut Vec<u8>,
    citation: &Citation,
    (from, to): (usize, usize),
    index: usize,
) {
    out.open(b'{').key("type").text("url_citation");
    out.key("url_citation").open(b'{');
    out.key("start_index").plain(from);
    out.key("end_index").plain(to);
    out.key("url").text(&citation.url);
    out.key("title")
        .text(citation.title.as_deref().unwrap_or_default());
    if let Some(quote) = &citation.quote {
        out.key("content").text(quote);
    }
    out.close(b'}').key("index").plain(index).close(b'}');
}
