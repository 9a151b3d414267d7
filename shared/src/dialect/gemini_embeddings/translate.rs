//! Translates Google's embeddings to and from the neutral form. Parts of one content become one vector, and
//! so one text, a line each.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::fields::{CONFIG, CONTENT, REQUESTS};
use super::request::named;
use crate::dialect::gemini::events::usage as usage_metadata;
use crate::dialect::gemini::fields::is_named;
use crate::dialect::neutral::{
    AnswerShown, EmbeddedText, EmbeddingsRequest, EmbeddingsTranslator, Vector, WriteTo, Written,
    unsaid,
};
use crate::dialect::openai_embeddings::{numbers, write_numbers};
use crate::dialect::{BadBody, Head};
use crate::fault::{Fault, FaultKind};
use crate::json;
use crate::units::Usage;

const DIMENSIONS: &str = "outputDimensionality";

/// Of `batchEmbedContents`.
pub(super) static BATCH: GeminiEmbeddingsTranslator = GeminiEmbeddingsTranslator { is_batch: true };
/// Of `embedContent`.
pub(super) static SINGLE: GeminiEmbeddingsTranslator =
    GeminiEmbeddingsTranslator { is_batch: false };

/// Translates one of the two forms. Providers are asked in batches whatever a surface takes.
#[derive(Debug)]
pub(super) struct GeminiEmbeddingsTranslator {
    is_batch: bool,
}

impl EmbeddingsTranslator for GeminiEmbeddingsTranslator {
    fn read_request(&self, _: &Head, body: &[u8]) -> Result<EmbeddingsRequest, BadBody> {
        let mut request = EmbeddingsRequest::default();
        if !self.is_batch {
            let (text, dimensions) = one(body, &mut request.unsaid)?;
            request.texts.push(text);
            request.dimensions = dimensions;
            return Ok(request);
        }
        let [all] = json::fields(body, [REQUESTS]).map_err(|e| BadBody::whole(e.to_string()))?;
        let all: Vec<&RawValue> = all
            .and_then(|all| serde_json::from_str(all.get()).ok())
            .ok_or_else(|| BadBody::of(REQUESTS, "`requests` must be an array."))?;
        for (at, raw) in all.into_iter().enumerate() {
            let (text, dimensions) = one(raw.get().as_bytes(), &mut request.unsaid)?;
            if at > 0 && dimensions != request.dimensions {
                let message = "All requests of a batch must have the same `outputDimensionality`: \
                               this model's provider takes one.";
                return Err(BadBody::of(DIMENSIONS, message));
            }
            request.dimensions = dimensions;
            request.texts.push(text);
        }
        Ok(request)
    }

    fn write_request(
        &self,
        request: &EmbeddingsRequest,
        to: WriteTo<'_>,
    ) -> Result<Written, BadBody> {
        let model = named(to.model);
        let each = |one: &EmbeddedText| -> Result<Value, BadBody> {
            let content = json!({"parts": parts(one)?});
            let mut out = Map::new();
            out.insert("model".to_owned(), model.clone().into());
            out.insert(CONTENT.to_owned(), content);
            for (name, value) in [("taskType", &one.task), ("title", &one.title)] {
                if let Some(value) = value {
                    out.insert(name.to_owned(), value.clone().into());
                }
            }
            if let Some(number) = request.dimensions {
                out.insert(DIMENSIONS.to_owned(), number.into());
            }
            Ok(Value::Object(out))
        };
        let all: Result<Vec<Value>, BadBody> = request.texts.iter().map(each).collect();
        Ok(Written {
            body: json!({"requests": all?}).to_string().into(),
            dropped: request.unsaid.clone(),
        })
    }

    fn read_answer(&self, answer: &[u8]) -> Result<Vec<Vector>, Fault> {
        let answer: Answer = serde_json::from_slice(answer).map_err(|error| {
            let why = format!("no vectors came: {error}");
            Fault::new(FaultKind::InvalidAnswer, why)
        })?;
        let all = answer.embedding.into_iter().chain(answer.embeddings);
        all.map(|one| numbers(one.values.get())).collect()
    }

    fn write_answer(&self, vectors: &[Vector], usage: &Usage, _: &AnswerShown) -> Bytes {
        let mut out: Vec<u8> = Vec::new();
        if self.is_batch {
            out.extend_from_slice(b"{\"embeddings\":[");
            for (at, vector) in vectors.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                write_vector(vector, &mut out);
            }
            out.push(b']');
        } else {
            out.extend_from_slice(b"{\"embedding\":");
            write_vector(vectors.first().map_or(&[], Vec::as_slice), &mut out);
        }
        let mut told = usage_metadata(usage, None);
        // Vectors are no tokens.
        if let Some(told) = told.as_object_mut() {
            told.remove("candidatesTokenCount");
        }
        out.extend_from_slice(format!(",\"usageMetadata\":{told}}}").as_bytes());
        out.into()
    }
}

/// A text and its pictures as Google's parts; it fetches none.
fn parts(one: &EmbeddedText) -> Result<Vec<Value>, BadBody> {
    let mut parts = Vec::with_capacity(1 + one.images.len());
    if !one.text.is_empty() || one.images.is_empty() {
        parts.push(json!({"text": one.text}));
    }
    for address in &one.images {
        let data = address.strip_prefix("data:");
        let (mime, data) = data
            .and_then(|data| data.split_once(";base64,"))
            .ok_or_else(|| {
                let message = "A picture of `input` must be a data URL in base64: this model's provider fetches \
                               none.";
                BadBody::of("input", message)
            })?;
        parts.push(json!({"inlineData": {"mimeType": mime, "data": data}}));
    }
    Ok(parts)
}

fn write_vector(vector: &[f32], out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"values\":");
    write_numbers(vector, out);
    out.push(b'}');
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow, default)]
    embedding: Option<Values<'a>>,
    #[serde(borrow, default)]
    embeddings: Vec<Values<'a>>,
}

#[derive(Deserialize)]
struct Values<'a> {
    #[serde(borrow)]
    values: &'a RawValue,
}

/// A request for one vector, and its size. What has no words here is noted in `unsaid`, each once.
fn one(body: &[u8], unsaid: &mut Vec<String>) -> Result<(EmbeddedText, Option<u64>), BadBody> {
    let (mut found, mut dimensions) = (EmbeddedText::default(), None);
    let mut bad = None;
    fields(body, &mut |name, raw| {
        let done = if is_named(name, CONTENT) {
            text(raw).map(|text| found.text = text)
        } else if is_named(name, "taskType") {
            string("taskType", raw).map(|task| found.task = Some(task))
        } else if is_named(name, "title") {
            string("title", raw).map(|title| found.title = Some(title))
        } else if is_named(name, DIMENSIONS) {
            let number = raw.parse().map(|number| dimensions = Some(number));
            number.map_err(|_| {
                let message = "`outputDimensionality` must be a whole number.";
                BadBody::of(DIMENSIONS, message)
            })
        } else {
            if !is_named(name, "model") {
                unsaid::note(unsaid, name);
            }
            Ok(())
        };
        if let Err(error) = done {
            bad.get_or_insert(error);
        }
    })?;
    bad.map_or(Ok((found, dimensions)), Err)
}

/// Each field that says something; those of the config stand in it or beside it.
fn fields(body: &[u8], each: &mut dyn FnMut(&str, &str)) -> Result<(), BadBody> {
    let mut config = None;
    let read = json::each_field(body, |name, value| {
        match value.get() {
            "null" => {}
            _ if is_named(name, CONFIG) => config = Some(value),
            raw => each(name, raw),
        }
        Ok(())
    });
    read.map_err(|error| BadBody::whole(error.to_string()))?;
    let Some(config) = config else {
        return Ok(());
    };
    let read = json::each_field(config.get().as_bytes(), |name, value| {
        // A content that stands there was not counted.
        if value.get() != "null" && !is_named(name, CONTENT) {
            each(name, value.get());
        }
        Ok(())
    });
    read.map_err(|error| BadBody::of(CONFIG, error.to_string()))
}

fn string(name: &'static str, raw: &str) -> Result<String, BadBody> {
    let wrong = |_| BadBody::of(name, format!("`{name}` must be a text."));
    serde_json::from_str(raw).map_err(wrong)
}

/// The text of a content.
fn text(raw: &str) -> Result<String, BadBody> {
    #[derive(Deserialize)]
    struct Content<'a> {
        #[serde(borrow, default)]
        parts: Vec<&'a RawValue>,
    }
    #[derive(Deserialize)]
    struct Part {
        text: String,
    }
    let wrong = || {
        let message =
            "`content` must hold parts with texts: this model's provider takes nothing else.";
        BadBody::of(CONTENT, message)
    };
    let content: Content = serde_json::from_str(raw).map_err(|_| wrong())?;
    let parts = content.parts.iter().map(|part| {
        let part: Part = serde_json::from_str(part.get()).map_err(|_| wrong())?;
        Ok(part.text)
    });
    let parts: Result<Vec<String>, BadBody> = parts.collect();
    let text = parts?.join("\n");
    if text.is_empty() {
        return Err(wrong());
    }
    Ok(text)
}
