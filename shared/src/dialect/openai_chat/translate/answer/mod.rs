//! Whole answers, both ways: what they say, why they end and what they consumed.

mod stop;
mod usage;
mod write;

pub(super) use self::stop::{read_stop, stop_word, told_why};
pub(super) use self::usage::write_usage;
pub(super) use self::write::{write, write_citation, write_image};

use std::borrow::Cow;

use super::raw::Raw;
use super::request::{arguments_of, spoken_thought};
use super::{media, thought};
use crate::dialect::neutral::{
    Candidate, ChatAnswer, Citation, Media, MediaKind, Part, Source, Stop, ToolCall,
};
use crate::fault::{Fault, FaultKind};
use crate::json;

/// Answers that are told apart (OpenAI's bound of `n`).
pub(super) const ANSWERS_MAX: u32 = 128;

/// Reads a whole answer.
pub(super) fn read(answer: &[u8]) -> Result<ChatAnswer, Fault> {
    let answer = answer.strip_prefix(b"\xef\xbb\xbf").unwrap_or(answer);
    let wrong = |error: json::JsonError| Fault::new(FaultKind::InvalidAnswer, error.to_string());
    let fields = json::fields(answer, ["id", "choices", "service_tier"]).map_err(wrong)?;
    let [id, choices, tier] = fields.map(|field| field.map(|raw| Raw::new(raw.get().as_bytes())));
    let words = |raw: Option<Raw<'_>>| raw.and_then(Raw::words).map(Cow::into_owned);
    let id = words(id).unwrap_or_default();
    let choices = choices.filter(|choices| choices.is_list());
    let missing = || Fault::new(FaultKind::InvalidAnswer, "the answer has no `choices`");
    let mut candidates = Vec::new();
    choices.ok_or_else(missing)?.each(|choice| {
        let index: Option<u32> = choice.get("index").and_then(Raw::number);
        let index = index.unwrap_or(0);
        candidates.push((index, candidate(&id, index, choice)));
    });
    candidates.sort_by_key(|(index, _)| *index);
    Ok(ChatAnswer {
        id,
        candidates: candidates.into_iter().map(|(_, one)| one).collect(),
        tier: words(tier),
    })
}

fn candidate(id: &str, index: u32, choice: Raw<'_>) -> Candidate {
    let names = ["message", "finish_reason", "stop_reason"];
    let [message, reason, stop_text] = choice.pick(names);
    let mut parts = Vec::new();
    let mut refusal = None;
    if let Some(message) = message {
        let mut calls = calls(id, index, message);
        let thoughts = thought::read(message, &mut calls);
        parts.extend(thoughts.into_iter().map(Part::Thought));
        said(message, &mut parts);
        refusal = message.get("refusal").and_then(Raw::words);
        made(message, &mut parts);
        parts.extend(calls.into_iter().map(Part::ToolCall));
    }
    let has_calls = matches!(parts.last(), Some(Part::ToolCall(_)));
    let mut stop = read_stop(reason, stop_text, has_calls);
    match (refusal, &mut stop) {
        // The provider's words for why it does not let the answer be, not the model's.
        (Some(why), Stop::Refused(reason)) => *reason = Some(why.into_owned()),
        (Some(words), _) => {
            let at = parts
                .iter()
                .position(|part| matches!(part, Part::Media(_) | Part::ToolCall(_)));
            parts.insert(at.unwrap_or(parts.len()), Part::Refusal(words.into_owned()));
        }
        (None, _) => {}
    }
    Candidate { parts, stop }
}

/// The calls of a message; those without an id get one that no other answer has.
fn calls(id: &str, answer: u32, message: Raw<'_>) -> Vec<ToolCall> {
    let [list, old] = message.pick(["tool_calls", "function_call"]);
    let mut calls: Vec<ToolCall> = Vec::new();
    let mut take = |entry: Raw<'_>, held: Raw<'_>| {
        let [name, arguments] = held.pick(["name", "arguments"]);
        let Some(name) = name.and_then(Raw::words) else {
            return;
        };
        let told = entry.get("id").and_then(Raw::words).map(Cow::into_owned);
        calls.push(ToolCall {
            id: told.unwrap_or_else(|| made_id(id, answer, calls.len())),
            name: name.into_owned(),
            arguments: arguments_of(arguments),
            signature: thought::read_at_call(entry),
            cache: None,
        });
    };
    if let Some(list) = list {
        list.each(|entry| take(entry, entry.get("function").unwrap_or(entry)));
    }
    if let Some(old) = old {
        take(old, old);
    }
    calls
}

/// The id of a call whose provider gave it none: of the answer's id what is letters and digits, so that two
/// answers of a conversation have no call in common.
pub(super) fn made_id(answer_id: &str, answer: u32, call: usize) -> String {
    let kept: Vec<char> = answer_id
        .chars()
        .rev()
        .filter(char::is_ascii_alphanumeric)
        .take(16)
        .collect();
    let kept: String = kept.into_iter().rev().collect();
    format!("call_{kept}{answer}_{call}")
}

/// The text of a message, with where it comes from.
fn said(message: Raw<'_>, parts: &mut Vec<Part>) {
    let [content, annotations, audio] = message.pick(["content", "annotations", "audio"]);
    let mut text = String::new();
    let mut media = Vec::new();
    if let Some(content) = content {
        of_content(content, &mut |piece| match piece {
            TextPiece::Text(more) => text.push_str(&more),
            TextPiece::Thought(thought) => parts.push(Part::Thought(thought)),
            TextPiece::Media(one) => media.push(Part::Media(*one)),
        });
    }
    // What is spoken says the same in words.
    let transcript = audio.and_then(|audio| audio.get("transcript"));
    if let (true, Some(words)) = (text.is_empty(), transcript.and_then(Raw::words)) {
        text = words.into_owned();
    }
    let mut citations = Vec::new();
    if let Some(annotations) = annotations {
        annotations.each(|entry| citations.extend(citation(entry)));
    }
    if !text.is_empty() || !citations.is_empty() {
        parts.push(Part::Text {
            text,
            citations,
            cache: None,
        });
    }
    parts.append(&mut media);
}

/// A piece of what stands in `content`.
pub(super) enum TextPiece<'a> {
    Text(Cow<'a, str>),
    Thought(crate::dialect::neutral::Thought),
    Media(Box<Media>),
}

/// What stands in `content`: a text, or a list of parts as Mistral writes them.
pub(super) fn of_content<'a>(content: Raw<'a>, each: &mut dyn FnMut(TextPiece<'a>)) {
    if let Some(text) = content.words() {
        each(TextPiece::Text(text));
        return;
    }
    content.each(|part| {
        if let Some(text) = part.words() {
            each(TextPiece::Text(text));
            return;
        }
        let [kind, text] = part.pick(["type", "text"]);
        let kind = kind.and_then(Raw::words).unwrap_or_default();
        if kind == "thinking" {
            each(TextPiece::Thought(spoken_thought(part)));
        } else if let Some(Ok(read)) = media::read(&kind, part) {
            each(TextPiece::Media(Box::new(read)));
        } else if let Some(text) = text.and_then(Raw::words) {
            each(TextPiece::Text(text));
        }
    });
}

/// The pictures and the sound of a message.
fn made(message: Raw<'_>, parts: &mut Vec<Part>) {
    let [images, audio] = message.pick(["images", "audio"]);
    if let Some(images) = images {
        images.each(|entry| parts.extend(image(entry).map(Part::Media)));
    }
    if let Some(sound) = audio.and_then(sound) {
        parts.push(Part::Media(sound));
    }
}

/// A picture that was made, as OpenRouter writes it.
pub(super) fn image(entry: Raw<'_>) -> Option<Media> {
    media::addressed(MediaKind::Image, "image_url", entry).ok()
}

/// A sound that was made; its format is that which was asked for.
pub(super) fn sound(audio: Raw<'_>) -> Option<Media> {
    let data = audio.get("data")?.words()?;
    Some(Media {
        kind: MediaKind::Audio,
        media_type: None,
        source: Source::Base64(data.into_owned()),
        name: None,
        detail: None,
        cache: None,
    })
}

/// A place that a text was taken from; `content` is OpenRouter's name for what stands there.
pub(super) fn citation(entry: Raw<'_>) -> Option<Citation> {
    let held = entry.get("url_citation").unwrap_or(entry);
    let [url, title, quote] = held.pick(["url", "title", "content"]);
    let words = |raw: Option<Raw<'_>>| raw.and_then(Raw::words).map(Cow::into_owned);
    Some(Citation {
        url: words(url)?,
        title: words(title),
        quote: words(quote),
    })
}

#[cfg(test)]
mod tests;
