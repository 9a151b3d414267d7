//! Both ways: tables of what is written and what it becomes, and what comes back as it was.

mod answers;
mod laws;
mod requests;
mod streams;
mod thinking;

use serde_json::Value;

use super::*;
use crate::dialect::gemini::GEMINI;
use crate::dialect::{Dialect, Quirks};

const NEW: &str = "gemini-3.8-flash";

fn to(model: &str) -> WriteTo<'_> {
    WriteTo {
        model,
        quirks: Quirks::default(),
        output_max: Some(65_536),
    }
}

fn shown() -> AnswerShown {
    AnswerShown {
        model: "our/model".to_owned(),
        id: "r1".to_owned(),
        created: 1_795_000_000,
        shows_usage: true,
        input_estimate: 7,
        repeated: bytes::Bytes::new(),
    }
}

fn translator() -> &'static dyn Translator {
    GEMINI.translator().expect("there")
}

fn value(json: &[u8]) -> Value {
    serde_json::from_slice(json)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(json)))
}

fn read(json: &str) -> Result<ChatRequest, BadBody> {
    translator().read_request(&Head::default(), json.as_bytes())
}
