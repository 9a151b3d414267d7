//! OpenAI's Responses: items in, items out, in tokens. Nothing is kept between two calls here: what refers
//! to an earlier one is refused. Whoever keeps answers takes that out before (`kept`). Facts: API reference and official SDKs as of 2026-11.

mod answer;
mod echo;
mod meter;
mod output;
mod request;
mod scan;
mod streamed;
mod told;
mod tools;
mod translate;
mod whole;

use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;

use self::meter::ResponseMeter;
use super::body::Body;
use super::fields::{Field, Fields, Rule, Why};
use super::neutral::Translator;
use super::openai::{KEEP_ALIVE, events, texts};
use super::{
    Asked, BadBody, Dialect, ErrorText, Forward, Head, Judged, Look, Metered, StreamMeter,
};
use crate::fault::Fault;
use crate::units::Usage;

/// The format.
pub static OPENAI_RESPONSES: OpenAiResponses = OpenAiResponses;

/// OpenAI's Responses.
#[derive(Debug)]
pub struct OpenAiResponses;

const MAX_OUTPUT_TOKENS: &str = "max_output_tokens";

const SCHEMA: &str = r#"{
    "type": "object",
    "required": ["model", "input"],
    "properties": {
        "model": {"type": "string", "minLength": 1, "maxLength": 100},
        "input": {
            "oneOf": [
                {"type": "string"},
                {"type": "array", "items": {"type": "object"}, "minItems": 1}
            ]
        },
        "instructions": {"nullable": true, "type": "string"},
        "stream": {"nullable": true, "type": "boolean", "default": false},
        "store": {"nullable": true, "type": "boolean"},
        "previous_response_id": {"nullable": true, "type": "string"},
        "conversation": {"nullable": true, "oneOf": [{"type": "string"}, {"type": "object"}]},
        "background": {"nullable": true, "type": "boolean"},
        "metadata": {"nullable": true, "type": "object"},
        "max_output_tokens": {"nullable": true, "type": "integer", "minimum": 1, "maximum": 10000000},
        "tools": {"nullable": true, "type": "array", "items": {"type": "object"}}
    }
}"#;

const FIELDS: &[Field] = &[
    ("background", Rule::Refused(Why::NotKept)),
    ("background_options", Rule::Refused(Why::Later)),
    ("best_of", Rule::One),
    ("candidate_count", Rule::One),
    ("container", Rule::Refused(Why::Service)),
    ("conversation", Rule::Refused(Why::NotKept)),
    ("data_sources", Rule::Refused(Why::Service)),
    ("deferred", Rule::Refused(Why::Later)),
    ("enable_code_interpreter", Rule::Refused(Why::Service)),
    ("enable_search", Rule::Refused(Why::Service)),
    ("enable_web_search", Rule::Refused(Why::Service)),
    ("input", Rule::Messages),
    ("instructions", Rule::Text),
    (MAX_OUTPUT_TOKENS, Rule::Read),
    ("mcp_servers", Rule::Refused(Why::Service)),
    ("modalities", Rule::Modalities),
    ("n", Rule::One),
    ("num_return_sequences", Rule::One),
    ("plugins", Rule::Refused(Why::Service)),
    ("prediction", Rule::Refused(Why::Guess)),
    ("previous_response_id", Rule::Refused(Why::NotKept)),
    ("prompt", Rule::Refused(Why::Unseen)),
    ("search_options", Rule::Refused(Why::Service)),
    ("search_parameters", Rule::ModeOff),
    ("speed", Rule::Words(&["standard"])),
    ("store", Rule::Read),
    ("stream", Rule::Read),
    ("stream_options", Rule::Read),
    ("text", Rule::Text),
    ("tools", Rule::ReadText),
    ("web_search", Rule::Refused(Why::Service)),
    ("web_search_options", Rule::Refused(Why::Service)),
];

impl Dialect for OpenAiResponses {
    fn name(&self) -> &'static str {
        "openai_responses"
    }

    fn request_schema(&self) -> &'static str {
        SCHEMA
    }

    fn read(&self, head: &Head, body: &Body) -> Result<Asked, BadBody> {
        let json = body.json().ok_or_else(|| {
            BadBody::whole("The body must be a JSON object; send application/json.")
        })?;
        let fields = Fields::read(head, FIELDS, json)?;
        let mut asked = asked(&fields)?;
        asked.end_user = fields.end_user();
        asked.may_have_edge_fields = fields.for_edge;
        fields.allowed()?;
        Ok(asked)
    }

    fn translator(&self) -> Option<&'static dyn Translator> {
        Some(&translate::TRANSLATOR)
    }

    fn repeated(&self, body: &Bytes) -> Bytes {
        echo::of(body)
    }

    fn with_maximum(&self, body: &Bytes, asked: &Asked, tokens: u64) -> Bytes {
        request::with_maximum(body, &asked.maxima, tokens)
    }

    fn forwarded(&self, body: &Bytes, to: Forward<'_>) -> Result<Bytes, BadBody> {
        request::forwarded(body, to)
    }

    fn meter(&self, of: Metered) -> Box<dyn StreamMeter> {
        Box::new(ResponseMeter::new(of))
    }

    fn usage(&self, of: Metered, answer: &[u8]) -> Result<Usage, Fault> {
        whole::usage(of, answer)
    }

    fn judge(&self, answer: &[u8]) -> Judged {
        whole::judge(answer)
    }

    fn look(&self, seen: &[u8]) -> Look {
        whole::look(seen)
    }

    fn as_stream(&self, answer: &[u8]) -> Option<Bytes> {
        streamed::as_stream(answer)
    }

    fn error(&self, told: ErrorText<'_>) -> Bytes {
        events::error(told).into()
    }

    fn error_event(&self, told: ErrorText<'_>) -> Bytes {
        error_event(told)
    }

    fn keep_alive(&self) -> Option<Bytes> {
        Some(Bytes::from_static(KEEP_ALIVE))
    }

    fn ends(&self, bytes: &[u8]) -> bool {
        whole::ends(bytes)
    }
}

fn asked(fields: &Fields<'_>) -> Result<Asked, BadBody> {
    let input = fields.get("input").map(RawValue::get).unwrap_or_default();
    let holds = match input.as_bytes() {
        [b'[', rest @ ..] => !rest.trim_ascii_start().starts_with(b"]"),
        [b'"', ..] => true,
        _ => false,
    };
    if !holds {
        let message = "`input` must be a text or an array with at least one item.";
        return Err(BadBody::of("input", message));
    }
    let mut asked = texts::asked(fields, &[MAX_OUTPUT_TOKENS])?;
    fields.flag("store")?;
    // The last event always tells it.
    asked.show_usage = asked.stream;
    if let Some(tools) = fields.get("tools") {
        tools::allowed(tools.get().as_bytes())?;
    }
    tools::input_allowed(input.as_bytes())?;
    Ok(asked)
}

/// The reference has the fields of an error event at its top, and the API sends them within `error`
/// (openai/openai-dotnet#881), which alone official SDKs raise; clients read either.
fn error_event(told: ErrorText<'_>) -> Bytes {
    #[derive(Serialize)]
    struct ErrorEvent<'a> {
        #[serde(rename = "type")]
        kind: &'a str,
        code: Option<&'a str>,
        message: &'a str,
        param: Option<&'a str>,
        sequence_number: u64,
        error: Error<'a>,
    }
    #[derive(Serialize)]
    struct Error<'a> {
        #[serde(rename = "type")]
        kind: &'a str,
        code: Option<&'a str>,
        message: &'a str,
        param: Option<&'a str>,
    }
    let event = ErrorEvent {
        kind: "error",
        code: told.code,
        message: told.message,
        param: told.param,
        // How many came before is not known here, and nothing follows.
        sequence_number: 0,
        error: Error {
            kind: told.kind,
            code: told.code,
            message: told.message,
            param: told.param,
        },
    };
    // Texts and numbers alone always can be written.
    let json = serde_json::to_string(&event).unwrap_or_default();
    format!("event: error\ndata: {json}\n\n").into()
}

#[cfg(test)]
mod tests;
