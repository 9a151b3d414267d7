//! What the formats of OpenAI's API have in common, and of the many who are compatible with it: rules for
//! fields, shapes of usage and of errors, server-sent events that end with `[DONE]`. One of them is a row
//! of what it has of its own ([`OpenAi`]). Facts: OpenAI API reference as of 2026-08.

pub(crate) mod events;
mod meter;
pub(crate) mod request;
mod scan;
pub(crate) mod strict;
pub(crate) mod texts;
mod whole;

use std::fmt;

use bytes::Bytes;

use self::meter::EventMeter;
use super::body::Body;
use super::fields::{Field, Fields};
use super::input::Input;
use super::look;
use super::neutral::{EmbeddingsTranslator, Translator};
use super::pictures::{CHAT_PICTURES, PictureMaker, PictureTask};
use super::text_count::input_estimate;
use super::{
    Asked, BadBody, Dialect, ErrorText, Forward, Head, Judged, Look, Metered, Sent, StreamMeter,
};
use super::{openai_embeddings, openai_images};
use crate::fault::Fault;
use crate::json;
use crate::link::Call;
use crate::units::{Fact, Usage};

use self::events::event;
pub use self::events::{DONE, KEEP_ALIVE};

/// What an answer may tell otherwise than the request: a provider serves at the tier that it has.
pub(crate) const OPEN: &[Fact] = &[Fact::Tier];
/// No model writes more in one answer; a larger number is a mistake or an attack.
pub(crate) const OUTPUT_TOKENS_MAX: u64 = 10_000_000;

/// The tier at which another vendor served, in the words that this API's clients know; `None` where it has
/// none for it (OpenAI API reference, `service_tier`, 2026-11).
pub(crate) fn tier_shown(word: &str) -> Option<&str> {
    match word {
        "standard" | "standard_only" => Some("default"),
        "auto" | "default" | "flex" | "scale" | "priority" | "fast" => Some(word),
        _ => None,
    }
}

/// Where an answer stands and what is counted of it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    /// Texts in `choices`, in tokens; in streams too.
    Choices(Chunk),
    /// Vectors in `data`, by their input.
    Vectors,
    /// Pictures in `data`, or an event for each, of this task.
    Pictures(PictureTask),
    /// Verdicts in `results`, by their input.
    Verdicts,
}

/// A chunk of a stream of texts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chunk {
    /// What it is called in `object`.
    pub(crate) object: &'static str,
    /// The field of a choice that says nothing, as JSON.
    pub(crate) nothing: &'static str,
}

/// One of OpenAI's formats.
pub struct OpenAi {
    /// Stable word.
    pub(crate) name: &'static str,
    /// The JSON schema of a request.
    pub(crate) schema: &'static str,
    /// Its fields in order, with what becomes of each.
    pub(crate) fields: &'static [Field],
    /// Makes of them what is asked.
    pub(crate) read: fn(&Fields<'_>) -> Result<Asked, BadBody>,
    /// What it answers.
    pub(crate) shape: Shape,
    /// The flag that lets the answer begin with the input.
    pub(crate) echo: Option<&'static str>,
    /// A whole answer as a stream.
    pub(crate) as_stream: fn(&[u8]) -> Option<Bytes>,
    /// Translates, where others can be translated to it.
    pub(crate) translator: Option<&'static dyn Translator>,
}

impl fmt::Debug for OpenAi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl Shape {
    /// Whether OpenAI's own requests of it have `safety_identifier` beside `user` (API reference, 2026-11).
    fn knows_safety_identifier(self) -> bool {
        match self {
            Self::Choices(chunk) => chunk.object != "text_completion",
            Self::Pictures(_) => true,
            Self::Vectors | Self::Verdicts => false,
        }
    }

    /// The list of an answer.
    fn list(self) -> &'static str {
        match self {
            Self::Choices(_) => "choices",
            Self::Vectors | Self::Pictures(_) => "data",
            Self::Verdicts => "results",
        }
    }
}

impl Dialect for OpenAi {
    fn name(&self) -> &'static str {
        self.name
    }

    fn request_schema(&self) -> &'static str {
        self.schema
    }

    fn read(&self, head: &Head, body: &Body) -> Result<Asked, BadBody> {
        let form = match (body, self.picture_task()) {
            (Body::Form(form), Some(_)) => Some((form, openai_images::uploaded(form)?)),
            _ => None,
        };
        let json: &[u8] = match (&form, body) {
            (Some((_, uploaded)), _) => uploaded.json.as_bytes(),
            (None, Body::Json(json)) => json,
            (None, Body::Form(_) | Body::Empty) => {
                let message = "The body must be a JSON object; send application/json.";
                return Err(BadBody::whole(message));
            }
        };
        let mut fields = Fields::read(head, self.fields, json)?;
        if let Some((form, uploaded)) = &form {
            let beside = [&uploaded.mask, &uploaded.markup].into_iter().flatten();
            let files = uploaded.images.iter().chain(beside);
            let pictures = files.map(|(part, _)| Input::of_picture(&form.content(part)));
            let pictures = pictures.fold(Input::default(), Input::and);
            fields = fields.with_files(uploaded.images.len(), pictures);
        }
        let mut asked = (self.read)(&fields)?;
        asked.end_user = fields.end_user();
        asked.may_have_edge_fields = fields.for_edge;
        fields.allowed()?;
        Ok(asked)
    }

    fn with_maximum(&self, body: &Bytes, asked: &Asked, tokens: u64) -> Bytes {
        request::with_maximum(body, &asked.maxima, tokens)
    }

    fn forwarded(&self, body: &Bytes, to: Forward<'_>) -> Result<Bytes, BadBody> {
        request::forwarded(body, self.shape, to)
    }

    fn sent(&self, body: &Body, to: Forward<'_>) -> Result<Sent, BadBody> {
        match (self.shape, body) {
            (Shape::Pictures(PictureTask::Edit | PictureTask::Variation), _) => {
                openai_images::sent(self, body, to)
            }
            (_, body) => self.forwarded(&body.bytes(), to).map(Sent::json),
        }
    }

    fn headers(&self) -> &'static [&'static str] {
        match self.shape {
            Shape::Pictures(PictureTask::Edit | PictureTask::Variation) => &["content-type"],
            Shape::Choices(_)
            | Shape::Vectors
            | Shape::Pictures(PictureTask::Generation)
            | Shape::Verdicts => &[],
        }
    }

    fn picture_task(&self) -> Option<PictureTask> {
        match self.shape {
            Shape::Pictures(task) => Some(task),
            Shape::Choices(_) | Shape::Vectors | Shape::Verdicts => None,
        }
    }

    /// Chats alone are asked for pictures as a makeshift.
    fn pictures(&self) -> Option<&'static dyn PictureMaker> {
        (self.name == "openai_chat").then_some(&CHAT_PICTURES as &dyn PictureMaker)
    }

    fn has_openai_maxima(&self) -> bool {
        matches!(self.shape, Shape::Choices(_))
    }

    fn translator(&self) -> Option<&'static dyn Translator> {
        self.translator
    }

    fn embeddings(&self) -> Option<&'static dyn EmbeddingsTranslator> {
        match self.shape {
            Shape::Vectors => Some(&openai_embeddings::TRANSLATOR),
            Shape::Choices(_) | Shape::Pictures(_) | Shape::Verdicts => None,
        }
    }

    fn repeated(&self, body: &Bytes) -> Bytes {
        match self.shape {
            Shape::Vectors => openai_embeddings::packing(body),
            Shape::Choices(_) | Shape::Pictures(_) | Shape::Verdicts => Bytes::new(),
        }
    }

    fn metered(&self, call: &Call) -> Metered {
        let of = Metered::of(call);
        let Some(echo) = self.echo else {
            return of;
        };
        if memchr::memmem::find(&call.body, echo.as_bytes()).is_none() {
            return of;
        }
        let repeated = match json::fields(&call.body, [echo, "n"]) {
            Ok([Some(flag), n]) if flag.get() == "true" => {
                n.and_then(|n| n.get().parse().ok()).unwrap_or(1)
            }
            _ => 0,
        };
        Metered {
            echoed: input_estimate(&of).saturating_mul(repeated),
            ..of
        }
    }

    fn meter(&self, of: Metered) -> Box<dyn StreamMeter> {
        Box::new(EventMeter::new(of, self.shape))
    }

    fn usage(&self, of: Metered, answer: &[u8]) -> Result<Usage, Fault> {
        whole::usage(of, self.shape, answer)
    }

    fn judge(&self, answer: &[u8]) -> Judged {
        look::judge(answer, self.shape.list())
    }

    fn look(&self, seen: &[u8]) -> Look {
        look::look(seen)
    }

    fn as_stream(&self, answer: &[u8]) -> Option<Bytes> {
        (self.as_stream)(answer)
    }

    fn error(&self, told: ErrorText<'_>) -> Bytes {
        events::error(told).into()
    }

    fn error_event(&self, told: ErrorText<'_>) -> Bytes {
        event(&events::error(told))
    }

    fn keep_alive(&self) -> Option<Bytes> {
        Some(Bytes::from_static(KEEP_ALIVE))
    }

    fn end(&self) -> &'static [u8] {
        match self.shape {
            Shape::Choices(_) => DONE,
            Shape::Vectors | Shape::Pictures(_) | Shape::Verdicts => b"",
        }
    }
}

/// For formats whose answers are never streams.
pub(crate) fn no_stream(_: &[u8]) -> Option<Bytes> {
    None
}
