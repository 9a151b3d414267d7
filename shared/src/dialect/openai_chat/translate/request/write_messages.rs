//! Writes the conversation of a request as messages. What the user's side said behind an answer begins with
//! what tools answered; texts that stand side by side are one, since not every server takes lists of them.
//! Pictures and files in answers of tools or of the model have no place there and follow in a message of the
//! user, which says whose they are.

use super::super::out::JsonOut;
use super::super::target::ModelTarget;
use super::super::{media, thought};
use crate::dialect::BadBody;
use crate::dialect::neutral::{
    CacheMark, ChatRequest, Media, MediaKind, Part, Role, SignatureFormat, Source, Thought,
    ToolCall, ToolResult, Turn,
};

/// Between texts that were parts of one message.
const BETWEEN: &str = "\n\n";
const NO_TEXT: &str = "(What it answered follows in a message of the user.)";

/// Writes `messages`; says whether any part is marked for a cache.
pub(super) fn write(
    out: &mut Vec<u8>,
    request: &ChatRequest,
    target: ModelTarget,
) -> Result<bool, BadBody> {
    let mut messages = Messages {
        target,
        last_question: last_question(&request.turns),
        pending: Vec::new(),
        calls: 0,
        results: 0,
        has_marks: request.tools.iter().any(|tool| tool.cache.is_some()),
        out,
    };
    messages.out.key("messages").open(b'[');
    messages.instructions(&request.instructions)?;
    let mut at = 0;
    for run in request.turns.chunk_by(|one, next| one.role == next.role) {
        match run.first().map(|turn| turn.role) {
            Some(Role::Assistant) => messages.assistant(run, at)?,
            Some(Role::User) => messages.user(run)?,
            None => {}
        }
        at += run.len();
    }
    messages.flush()?;
    messages.out.close(b']');
    Ok(messages.has_marks)
}

/// Where the user last said something that is not beside what a tool answered.
fn last_question(turns: &[Turn]) -> Option<usize> {
    let (mut at, mut last) = (0, None);
    for run in turns.chunk_by(|one, next| one.role == next.role) {
        let mut parts = run.iter().flat_map(|turn| &turn.parts);
        let is_user = run.first().is_some_and(|turn| turn.role == Role::User);
        if is_user && !parts.any(|part| matches!(part, Part::ToolResult(_))) {
            last = Some(at);
        }
        at += run.len();
    }
    last
}

/// The messages, while they are written.
struct Messages<'a> {
    out: &'a mut Vec<u8>,
    target: ModelTarget,
    /// The turn of the user's last question: what was thought before it is done with.
    last_question: Option<usize>,
    /// Media that wait for a message of the user, with what is said of them.
    pending: Vec<(String, &'a Media)>,
    calls: usize,
    results: usize,
    has_marks: bool,
}

/// A part of a message's content.
#[derive(Clone, Copy)]
enum TextPiece<'a> {
    Text(&'a str, Option<CacheMark>),
    Media(&'a Media),
}

fn cannot(what: &str) -> BadBody {
    let message = format!(
        "`messages`: {what}, which the model's provider can't be sent; send it as data instead."
    );
    BadBody::of("messages", message)
}

impl<'a> Messages<'a> {
    fn instructions(&mut self, parts: &'a [Part]) -> Result<(), BadBody> {
        let pieces = self.pieces(parts);
        if pieces.is_empty() {
            return Ok(());
        }
        self.out.open(b'{').key("role").text("system");
        self.content(&pieces, BETWEEN)?;
        self.out.close(b'}');
        Ok(())
    }

    /// Texts and media among these parts.
    fn pieces(&mut self, parts: &'a [Part]) -> Vec<TextPiece<'a>> {
        let mut pieces = Vec::with_capacity(parts.len());
        for part in parts {
            match part {
                Part::Text { text, cache, .. } => pieces.push(TextPiece::Text(text, *cache)),
                Part::Refusal(text) => pieces.push(TextPiece::Text(text, None)),
                Part::Media(media) => pieces.push(TextPiece::Media(media)),
                Part::Thought(_) | Part::ToolCall(_) | Part::ToolResult(_) => {}
            }
        }
        // A text without words says nothing beside others.
        let is_said = |piece: &TextPiece<'_>| !matches!(piece, TextPiece::Text("", _));
        if pieces.iter().any(is_said) {
            pieces.retain(is_said);
        }
        self.has_marks |= pieces.iter().any(|piece| match piece {
            TextPiece::Text(_, cache) => cache.is_some(),
            TextPiece::Media(media) => media.cache.is_some(),
        });
        pieces
    }

    fn mark(&self, cache: Option<CacheMark>) -> Option<CacheMark> {
        cache.filter(|_| self.target.takes_cache_marks())
    }

    /// Writes `content`: one text where there are texts alone, and no marks that would be lost.
    fn content(&mut self, pieces: &[TextPiece<'_>], between: &str) -> Result<(), BadBody> {
        self.out.key("content");
        let mut texts = Vec::with_capacity(pieces.len() * 2);
        for piece in pieces {
            match piece {
                TextPiece::Text(text, cache) if self.mark(*cache).is_none() => {
                    if !texts.is_empty() {
                        texts.push(between);
                    }
                    texts.push(*text);
                }
                TextPiece::Text(..) | TextPiece::Media(_) => return self.parts(pieces),
            }
        }
        self.out.joined(&texts);
        Ok(())
    }

    fn parts(&mut self, pieces: &[TextPiece<'_>]) -> Result<(), BadBody> {
        self.out.open(b'[');
        for piece in pieces {
            match piece {
                TextPiece::Text(text, cache) => {
                    let mark = self.mark(*cache);
                    self.out.open(b'{').key("type").text("text");
                    self.out.key("text").text(text).cache(mark).close(b'}');
                }
                TextPiece::Media(media) => {
                    let is_file = media.kind == MediaKind::Document;
                    if is_file
                        && !self.target.fetches_files()
                        && matches!(media.source, Source::Url(_))
                    {
                        return Err(cannot("a file is given by its address"));
                    }
                    let mark = self.mark(media.cache);
                    media::write(self.out, media, mark).map_err(|what| cannot(&what))?;
                }
            }
        }
        self.out.close(b']');
        Ok(())
    }

    fn user(&mut self, run: &'a [Turn]) -> Result<(), BadBody> {
        for turn in run {
            for part in &turn.parts {
                if let Part::ToolResult(result) = part {
                    self.result(result)?;
                }
            }
        }
        for turn in run {
            let pieces = self.pieces(&turn.parts);
            if !pieces.is_empty() {
                self.flush()?;
                self.out.open(b'{').key("role").text("user");
                self.content(&pieces, BETWEEN)?;
                self.out.close(b'}');
            }
        }
        Ok(())
    }

    fn result(&mut self, result: &'a ToolResult) -> Result<(), BadBody> {
        let id = self.target.call_id(&result.id, self.results);
        self.results += 1;
        let mut pieces = self.pieces(&result.parts);
        self.has_marks |= result.cache.is_some();
        let of = result.name.as_deref().unwrap_or(&id);
        let media: Vec<&Media> = pieces.iter().filter_map(media_of).collect();
        for media in &media {
            let label = format!("What the call of `{of}` answered:");
            self.pending.push((label, media));
        }
        pieces.retain(|piece| matches!(piece, TextPiece::Text(..)));
        if pieces.is_empty() && !media.is_empty() {
            pieces.push(TextPiece::Text(NO_TEXT, None));
        }
        // The dialect has no flag for it.
        if result.is_error {
            pieces.insert(0, TextPiece::Text(ToolResult::FAILED, None));
        }
        if let (Some(TextPiece::Text(_, cache)), Some(mark)) = (pieces.last_mut(), result.cache) {
            *cache = Some(mark);
        }
        self.out.open(b'{').key("role").text("tool");
        self.out.key("tool_call_id").text(&id);
        self.content(&pieces, "\n")?;
        self.out.close(b'}');
        Ok(())
    }

    /// Writes the media that wait, as a message of the user.
    fn flush(&mut self) -> Result<(), BadBody> {
        let pending = std::mem::take(&mut self.pending);
        if pending.is_empty() {
            return Ok(());
        }
        let mut pieces = Vec::with_capacity(pending.len() * 2);
        let mut last = "";
        for (label, media) in &pending {
            if label != last {
                pieces.push(TextPiece::Text(label, None));
            }
            last = label;
            pieces.push(TextPiece::Media(media));
        }
        self.out.open(b'{').key("role").text("user").key("content");
        self.parts(&pieces)?;
        self.out.close(b'}');
        Ok(())
    }

    /// Turns of the model side by side are one message: calls of one answer stand in one.
    fn assistant(&mut self, run: &'a [Turn], at: usize) -> Result<(), BadBody> {
        let is_open = self.last_question.is_none_or(|question| at > question);
        let parts = || run.iter().flat_map(|turn| &turn.parts);
        let calls: Vec<&ToolCall> = parts().filter_map(call_of).collect();
        let thoughts: Vec<&Thought> = parts().filter_map(thought_of).collect();
        let mut pieces = Vec::new();
        for turn in run {
            let of_turn = self.pieces(&turn.parts);
            pieces.extend(of_turn);
        }
        let media: Vec<&Media> = pieces.iter().filter_map(media_of).collect();
        pieces.retain(|piece| matches!(piece, TextPiece::Text(..)));
        let is_empty = pieces.is_empty() && calls.is_empty();
        if !is_empty {
            self.flush()?;
            self.out.open(b'{').key("role").text("assistant");
            if pieces.is_empty() {
                self.out.key("content").raw("null");
            } else {
                self.content(&pieces, BETWEEN)?;
            }
            self.thoughts(&thoughts, &calls, is_open);
            self.calls(&calls);
            self.out.close(b'}');
        }
        let label = "What the assistant made in its last answer:";
        let labelled = media.into_iter().map(|media| (label.to_owned(), media));
        self.pending.extend(labelled);
        Ok(())
    }

    /// Thoughts that prove themselves go to who made them. Those that don't go with the answer that they
    /// are behind until the next question: most servers pass over older ones, and strict servers that never
    /// wrote any refuse them, which a conversation may have come to in between.
    fn thoughts(&mut self, thoughts: &[&Thought], calls: &[&ToolCall], is_open: bool) {
        let proves = |thought: &Thought| {
            let signature = thought.signature.as_ref();
            signature.is_some_and(|signature| self.target.proves(signature.format))
        };
        let is_plain = |thought: &&&Thought| thought.signature.is_none();
        let at_calls = calls.iter().filter_map(|call| {
            let signature = call.signature.as_ref()?;
            let is_google = signature.format == SignatureFormat::Google;
            let goes = is_google && self.target.proves(signature.format);
            goes.then(|| (self.target.call_id(&call.id, 0), signature))
        });
        let at_calls: Vec<_> = at_calls.collect();
        if !at_calls.is_empty() || thoughts.iter().any(|thought| proves(thought)) {
            self.out.key("reasoning_details").open(b'[');
            let mut index = 0;
            for thought in thoughts {
                if proves(thought) || (is_open && thought.signature.is_none()) {
                    index = thought::write(self.out, thought, index);
                }
            }
            for (id, signature) in at_calls {
                thought::write_encrypted(self.out, signature, Some(&id), index);
                index += 1;
            }
            self.out.close(b']');
        } else if is_open && thoughts.iter().any(|thought| is_plain(&thought)) {
            let plain = thoughts.iter().filter(is_plain);
            let plain: Vec<&str> = plain.map(|thought| thought.text.as_str()).collect();
            self.out.key("reasoning_content").joined(&plain);
        }
    }

    fn calls(&mut self, calls: &[&ToolCall]) {
        if calls.is_empty() {
            return;
        }
        self.out.key("tool_calls").open(b'[');
        for call in calls {
            let id = self.target.call_id(&call.id, self.calls);
            self.calls += 1;
            self.out.open(b'{').key("id").text(&id);
            self.out.key("type").text("function");
            self.out
                .key("function")
                .open(b'{')
                .key("name")
                .text(&call.name);
            let arguments = if call.arguments.trim().is_empty() {
                "{}"
            } else {
                &call.arguments
            };
            self.out.key("arguments").text(arguments).close(b'}');
            if let Some(signature) = &call.signature
                && self.target.proves_calls()
            {
                thought::write_at_call(self.out, signature);
            }
            self.out.close(b'}');
        }
        self.out.close(b']');
    }
}

fn call_of(part: &Part) -> Option<&ToolCall> {
    if let Part::ToolCall(call) = part {
        Some(call)
    } else {
        None
    }
}

fn thought_of(part: &Part) -> Option<&Thought> {
    if let Part::Thought(thought) = part {
        Some(thought)
    } else {
        None
    }
}

fn media_of<'a>(piece: &TextPiece<'a>) -> Option<&'a Media> {
    if let TextPiece::Media(media) = piece {
        Some(media)
    } else {
        None
    }
}
