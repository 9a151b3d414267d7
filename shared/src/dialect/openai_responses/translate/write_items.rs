//! The items of a request's input.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::Serialize;

use crate::dialect::BadBody;
use crate::dialect::neutral::{
    Media, MediaKind, Part, Role, SignatureFormat, Source, Thought, ToolCall, ToolResult, Turn,
};

/// OpenAI's bound of a call's id ("string too long. Expected a string with maximum length 64").
const CALL_ID_CHARS_MAX: usize = 64;

/// One item.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Item<'a> {
    Message {
        role: &'static str,
        content: Vec<ItemPiece<'a>>,
    },
    Reasoning {
        summary: Vec<ItemPiece<'a>>,
        encrypted_content: &'a str,
    },
    FunctionCall {
        call_id: Cow<'a, str>,
        name: &'a str,
        arguments: &'a str,
    },
    FunctionCallOutput {
        call_id: Cow<'a, str>,
        output: ToolOutput<'a>,
    },
}

/// What a function answered.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum ToolOutput<'a> {
    Text(Cow<'a, str>),
    Parts(Vec<ItemPiece<'a>>),
}

/// A part of a message.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ItemPiece<'a> {
    InputText {
        text: Cow<'a, str>,
    },
    OutputText {
        text: &'a str,
    },
    SummaryText {
        text: &'a str,
    },
    Refusal {
        refusal: &'a str,
    },
    InputImage {
        #[serde(skip_serializing_if = "Option::is_none")]
        image_url: Option<Cow<'a, str>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        file_id: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        detail: Option<&'a str>,
    },
    InputFile {
        #[serde(skip_serializing_if = "Option::is_none")]
        filename: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        file_data: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        file_url: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        file_id: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        detail: Option<&'a str>,
    },
    InputAudio {
        input_audio: Sound<'a>,
    },
}

/// Sound as base64.
#[derive(Debug, Serialize)]
pub(super) struct Sound<'a> {
    data: &'a str,
    format: &'static str,
}

/// The items in the making.
#[derive(Debug, Default)]
pub(super) struct Items<'a> {
    all: Vec<Item<'a>>,
    /// The message that is being written.
    message: Vec<ItemPiece<'a>>,
    /// Ids of calls that are written otherwise: as they are, and their number.
    renamed: HashMap<&'a str, usize>,
}

impl<'a> Items<'a> {
    /// What the model is told before.
    pub(super) fn instruct(&mut self, parts: &'a [Part]) -> Result<(), BadBody> {
        for part in parts {
            self.message.extend(piece(part)?);
        }
        self.end_message("developer");
        Ok(())
    }

    fn end_message(&mut self, role: &'static str) {
        if !self.message.is_empty() {
            let content = std::mem::take(&mut self.message);
            self.all.push(Item::Message { role, content });
        }
    }

    /// What one side says.
    pub(super) fn turn(&mut self, turn: &'a Turn) -> Result<(), BadBody> {
        let role = match turn.role {
            Role::User => "user",
            Role::Assistant => "assistant",
        };
        for part in &turn.parts {
            match (part, turn.role) {
                (Part::ToolCall(call), _) => {
                    self.end_message(role);
                    self.call(call);
                }
                (Part::ToolResult(result), _) => {
                    self.end_message(role);
                    self.result(result)?;
                }
                (Part::Thought(thought), _) => {
                    if let Some(item) = reasoning(thought) {
                        self.end_message(role);
                        self.all.push(item);
                    }
                }
                (Part::Text { text, .. }, Role::Assistant) => {
                    self.message.push(ItemPiece::OutputText { text });
                }
                (Part::Refusal(refusal), Role::Assistant) => {
                    self.message.push(ItemPiece::Refusal { refusal });
                }
                (Part::Media(_), Role::Assistant) => {
                    let message = "A picture, sound or file in what the model said before can't be given \
                                   to this model: its provider takes texts there.";
                    return Err(BadBody::whole(message));
                }
                (part, Role::User) => self.message.extend(piece(part)?),
            }
        }
        self.end_message(role);
        Ok(())
    }

    fn call(&mut self, call: &'a ToolCall) {
        let call_id = self.id(&call.id);
        self.all.push(Item::FunctionCall {
            call_id,
            name: &call.name,
            arguments: match call.arguments.trim() {
                "" => "{}",
                _ => &call.arguments,
            },
        });
    }

    fn result(&mut self, result: &'a ToolResult) -> Result<(), BadBody> {
        let call_id = self.id(&result.id);
        // The dialect has no flag for it.
        let failed = result.is_error.then_some(ToolResult::FAILED);
        let output = match (&result.parts[..], failed) {
            ([], failed) => ToolOutput::Text(failed.unwrap_or_default().into()),
            ([Part::Text { text, .. }], None) => ToolOutput::Text(text.into()),
            ([Part::Text { text, .. }], Some(failed)) => {
                ToolOutput::Text(format!("{failed}\n{text}").into())
            }
            (parts, failed) => {
                let mut all = Vec::with_capacity(parts.len() + 1);
                all.extend(failed.map(|text| ItemPiece::InputText { text: text.into() }));
                for part in parts {
                    all.extend(piece(part)?);
                }
                ToolOutput::Parts(all)
            }
        };
        self.all.push(Item::FunctionCallOutput { call_id, output });
        Ok(())
    }

    /// A call's id, or one that stands for it where it is none that is taken.
    fn id(&mut self, id: &'a str) -> Cow<'a, str> {
        if !id.is_empty() && id.chars().count() <= CALL_ID_CHARS_MAX {
            return Cow::Borrowed(id);
        }
        let next = self.renamed.len();
        let number = self.renamed.entry(id).or_insert(next);
        Cow::Owned(format!("call_{number}"))
    }

    pub(super) fn finish(self) -> Vec<Item<'a>> {
        self.all
    }
}

/// A thought of OpenAI's own models goes back; nobody else's can be read there, and thoughts without
/// proof are none to it.
fn reasoning(thought: &Thought) -> Option<Item<'_>> {
    let signature = thought.signature.as_ref()?;
    if signature.format != SignatureFormat::OpenAi {
        return None;
    }
    let text = thought.text.as_str();
    let summary = if text.is_empty() {
        Vec::new()
    } else {
        vec![ItemPiece::SummaryText { text }]
    };
    Some(Item::Reasoning {
        summary,
        encrypted_content: &signature.data,
    })
}

/// A part as the tenant's side says it; `None` where it says nothing there.
fn piece(part: &Part) -> Result<Option<ItemPiece<'_>>, BadBody> {
    match part {
        Part::Text { text, .. } | Part::Refusal(text) => {
            Ok(Some(ItemPiece::InputText { text: text.into() }))
        }
        Part::Media(media) => self::media(media).map(Some),
        Part::Thought(_) | Part::ToolCall(_) | Part::ToolResult(_) => Ok(None),
    }
}

fn data_url(media_type: &str, data: &str) -> String {
    format!("data:{media_type};base64,{data}")
}

fn media(media: &Media) -> Result<ItemPiece<'_>, BadBody> {
    let detail = media.detail.as_deref();
    let kind = media.media_type.as_deref();
    if let Some(text) = media.as_text() {
        return Ok(ItemPiece::InputText { text });
    }
    match (media.kind, &media.source) {
        (MediaKind::Image, source) => {
            let (image_url, file_id) = match source {
                Source::Base64(data) => {
                    let url = data_url(kind.unwrap_or("image/png"), data);
                    (Some(Cow::Owned(url)), None)
                }
                Source::Url(url) | Source::Text(url) => (Some(Cow::Borrowed(url.as_str())), None),
                Source::Id(id) => (None, Some(id.as_str())),
            };
            Ok(ItemPiece::InputImage {
                image_url,
                file_id,
                detail,
            })
        }
        (MediaKind::Document, source) => Ok(file(media, source)),
        (MediaKind::Audio, Source::Base64(data)) => {
            let format = match kind {
                Some("audio/wav" | "audio/x-wav" | "audio/wave") => "wav",
                Some("audio/mp3" | "audio/mpeg") => "mp3",
                _ => return Err(no_media("Sound that is neither wav nor mp3")),
            };
            let input_audio = Sound { data, format };
            Ok(ItemPiece::InputAudio { input_audio })
        }
        (MediaKind::Audio, Source::Url(_) | Source::Id(_) | Source::Text(_)) => {
            Err(no_media("Sound at an address, and not in the request,"))
        }
        (MediaKind::Video, _) => Err(no_media("A film")),
    }
}

fn file<'a>(media: &'a Media, source: &'a Source) -> ItemPiece<'a> {
    let kind = media.media_type.as_deref().unwrap_or("application/pdf");
    let mut filename = media.name.as_deref();
    let (mut file_data, mut file_url, mut file_id) = (None, None, None);
    match source {
        Source::Base64(data) => {
            // Data without a name are refused.
            filename = filename.or(Some("file"));
            file_data = Some(data_url(kind, data));
        }
        Source::Url(url) | Source::Text(url) => file_url = Some(url.as_str()),
        Source::Id(id) => file_id = Some(id.as_str()),
    }
    ItemPiece::InputFile {
        filename,
        file_data,
        file_url,
        file_id,
        detail: media.detail.as_deref(),
    }
}

fn no_media(what: &str) -> BadBody {
    BadBody::whole(format!(
        "{what} can't be given to this model: its provider does not take it."
    ))
}
