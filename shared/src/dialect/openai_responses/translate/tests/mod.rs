//! What requests, answers and streams become on their way to the neutral form and from it.

mod answers;
mod requests;
mod there_and_back;

use super::*;
use crate::dialect::Quirks;

pub(super) fn to() -> WriteTo<'static> {
    WriteTo {
        model: "gpt-6-astra",
        quirks: Quirks::default(),
        output_max: None,
    }
}

pub(super) fn shown() -> AnswerShown {
    AnswerShown {
        model: "public".to_owned(),
        id: "g1".to_owned(),
        created: 1_795_000_000,
        shows_usage: true,
        input_estimate: 10,
        repeated: bytes::Bytes::new(),
    }
}

pub(super) fn read(json: &serde_json::Value) -> Result<ChatRequest, BadBody> {
    TRANSLATOR.read_request(&Head::default(), json.to_string().as_bytes())
}
