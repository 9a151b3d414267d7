//! What formats that write texts have in common: how a request bounds and streams them, and a whole answer
//! as chunks.

use bytes::Bytes;
use serde_json::{Value, json};

use super::{OPEN, OUTPUT_TOKENS_MAX, events};
use crate::dialect::fields::Fields;
use crate::dialect::{Asked, BadBody, Output};

/// What is asked for, with the maximum in these fields; of several the largest is held for.
pub(crate) fn asked(
    fields: &Fields<'_>,
    maxima: &'static [&'static str],
) -> Result<Asked, BadBody> {
    let mut asked = Asked::of(fields.model()?, Output::UpTo(None));
    let mut largest = None;
    for name in maxima {
        let number = fields.whole(name, 1, OUTPUT_TOKENS_MAX)?;
        largest = largest.max(number);
        if let Some(at) = fields.at(name) {
            asked.maxima.note(at, number.is_some());
        }
    }
    asked.output = Output::UpTo(largest);
    asked.stream = fields.streams()?;
    asked.show_usage = asked.stream && fields.shows_usage()?;
    asked.input_estimate = fields.input_estimate();
    asked.bounds = fields.bounds();
    asked.open = OPEN;
    Ok(asked)
}

/// A chunk of what `answer` says whole.
pub(crate) fn chunk(answer: &Value, object: &str, choices: Value) -> Value {
    let mut chunk = json!({
        "id": answer["id"], "object": object, "created": answer["created"],
        "model": answer["model"], "choices": choices,
    });
    if let Some(tier) = answer.get("service_tier") {
        chunk["service_tier"] = tier.clone();
    }
    chunk
}

/// Chunks, the usage that `answer` tells, and the end.
pub(crate) fn streamed(mut chunks: Vec<Value>, answer: &Value, object: &str) -> Bytes {
    if !answer["usage"].is_null() {
        let mut last = chunk(answer, object, json!([]));
        last["usage"] = answer["usage"].clone();
        chunks.push(last);
    }
    events::chunks(&chunks)
}
