//! Translates OpenAI's embeddings to and from the neutral form. A base64 of vectors is float32 in little
//! endian (OpenAI API reference, `encoding_format`, 2026-11).

mod inputs;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use crate::dialect::neutral::embeddings::dropped_of;
use crate::dialect::neutral::{
    AnswerShown, EmbeddingsRequest, EmbeddingsTranslator, Json, Vector, WriteTo, Written, unsaid,
};
use crate::dialect::{BadBody, Head};
use crate::fault::{Fault, FaultKind};
use crate::json;
use crate::units::Usage;

/// Fields that shape the request or the answer and are no part of what is asked of a model.
const KNOWN: [&str; 4] = ["model", "input", "dimensions", "encoding_format"];
/// How an answer is marked whose vectors are packed.
pub(super) const BASE64: &[u8] = b"base64";

/// Translates the format.
#[derive(Debug)]
pub(crate) struct OpenAiEmbeddingsTranslator;

impl EmbeddingsTranslator for OpenAiEmbeddingsTranslator {
    fn read_request(&self, _: &Head, body: &[u8]) -> Result<EmbeddingsRequest, BadBody> {
        let mut request = EmbeddingsRequest::default();
        let (mut bad, mut task) = (None, None);
        let read = json::each_field(body, |name, value| {
            let raw = value.get();
            match name {
                "input" => match inputs::read(raw) {
                    Ok(texts) => request.texts = texts,
                    Err(error) => bad = Some(error),
                },
                "dimensions" if raw != "null" => {
                    if let Ok(number) = raw.parse() {
                        request.dimensions = Some(number);
                    } else {
                        let message = "`dimensions` must be a whole number.";
                        bad = Some(BadBody::of("dimensions", message));
                    }
                }
                "input_type" | "task" | "task_type" if raw.starts_with('"') => task = Some(raw),
                name if raw != "null" && !KNOWN.contains(&name) => {
                    unsaid::note(&mut request.unsaid, name);
                    let is_room = request.others.len() < unsaid::UNSAID_MAX;
                    let value = Json::of(raw).filter(|_| is_room);
                    request
                        .others
                        .extend(value.map(|value| (name.to_owned(), value)));
                }
                _ => {}
            }
            Ok(())
        });
        read.map_err(|error| BadBody::whole(error.to_string()))?;
        if let Some(word) = task.and_then(|raw| serde_json::from_str::<String>(raw).ok()) {
            let word = inputs::task(&word);
            for one in &mut request.texts {
                one.task = Some(word.clone());
            }
        }
        bad.map_or(Ok(request), Err)
    }

    fn write_request(
        &self,
        request: &EmbeddingsRequest,
        to: WriteTo<'_>,
    ) -> Result<Written, BadBody> {
        request.is_of_texts()?;
        let texts: Vec<&str> = request.texts.iter().map(|one| one.text.as_str()).collect();
        let mut body = json!({"model": to.model, "input": texts});
        if let Some(dimensions) = request.dimensions {
            body["dimensions"] = dimensions.into();
        }
        Ok(Written {
            body: body.to_string().into(),
            dropped: dropped_of(request),
        })
    }

    fn read_answer(&self, answer: &[u8]) -> Result<Vec<Vector>, Fault> {
        let answer: Answer = serde_json::from_slice(answer).map_err(invalid)?;
        let mut data = answer.data;
        // Some tell no indexes; those stay in their order.
        if data.iter().any(|one| one.index.is_some()) {
            data.sort_by_key(|one| one.index);
            let told = data.iter().map(|one| one.index);
            if !told.eq((0_u64..).map(Some).take(data.len())) {
                return Err(invalid(
                    "the vectors' indexes leave some out or repeat some",
                ));
            }
        }
        data.into_iter()
            .map(|one| vector(one.embedding.get()))
            .collect()
    }

    fn write_answer(&self, vectors: &[Vector], usage: &Usage, shown: &AnswerShown) -> Bytes {
        let mut out = br#"{"object":"list","data":["#.to_vec();
        for (index, vector) in vectors.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            let head = format!(r#"{{"object":"embedding","index":{index},"embedding":"#);
            out.extend_from_slice(head.as_bytes());
            if shown.repeated == BASE64 {
                let bytes: Vec<u8> = vector.iter().flat_map(|one| one.to_le_bytes()).collect();
                out.push(b'"');
                out.extend_from_slice(STANDARD.encode(bytes).as_bytes());
                out.push(b'"');
            } else {
                write_numbers(vector, &mut out);
            }
            out.push(b'}');
        }
        let tokens = usage.input_total();
        let model = serde_json::to_string(&shown.model).unwrap_or_default();
        let usage = format!(r#"{{"prompt_tokens":{tokens},"total_tokens":{tokens}}}"#);
        let end = format!(r#"],"model":{model},"usage":{usage}}}"#);
        out.extend_from_slice(end.as_bytes());
        out.into()
    }
}

/// A vector as a list of JSON.
pub(crate) fn write_numbers(vector: &[f32], out: &mut Vec<u8>) {
    // Numbers that are some can be written, and into a vector of bytes nothing fails.
    let _ = serde_json::to_writer(out, vector);
}

fn invalid(error: impl std::fmt::Display) -> Fault {
    Fault::new(
        FaultKind::InvalidAnswer,
        format!("no vectors came: {error}"),
    )
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    data: Vec<Entry<'a>>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(default)]
    index: Option<u64>,
    #[serde(borrow)]
    embedding: &'a RawValue,
}

/// A vector as it is written: numbers, or their bytes in base64.
fn vector(raw: &str) -> Result<Vector, Fault> {
    if !raw.starts_with('"') {
        return numbers(raw);
    }
    let text: String = serde_json::from_str(raw).map_err(invalid)?;
    let bytes = STANDARD.decode(text).map_err(invalid)?;
    let (all, rest) = bytes.as_chunks::<4>();
    if all.is_empty() || !rest.is_empty() {
        return Err(invalid("the base64 is no list of numbers"));
    }
    checked(all.iter().map(|one| f32::from_le_bytes(*one)).collect())
}

/// A vector as a list of numbers.
pub(crate) fn numbers(raw: &str) -> Result<Vector, Fault> {
    checked(serde_json::from_str(raw).map_err(invalid)?)
}

/// JSON has no words for what is no number.
fn checked(vector: Vector) -> Result<Vector, Fault> {
    if vector.is_empty() || !vector.iter().all(|one| one.is_finite()) {
        return Err(invalid("a vector is empty or holds what is no number"));
    }
    Ok(vector)
}

#[cfg(test)]
mod tests;
