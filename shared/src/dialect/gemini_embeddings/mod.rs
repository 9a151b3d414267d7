//! Google's `embedContent`, a content in and its vector out, and `batchEmbedContents`, several of both. The
//! model stands in the path. Both are one format that a provider speaks or not; which of the two a surface
//! takes is its own. Facts: Gemini API reference (`models.embedContent`), Vertex AI's of the same name, and
//! google-genai 3.6.1, as of 2026-11.
//!
//! The Gemini API tells usage of its newer models alone: where it tells none the input is estimated.

mod fields;
mod request;
mod scan;
mod translate;

use bytes::Bytes;

use super::body::Body;
use super::gemini::events;
use super::neutral::EmbeddingsTranslator;
use super::text_count::by_input;
use super::{
    ApiFamily, Asked, BadBody, Dialect, ErrorText, Forward, Head, Judged, Metered, counts, told,
};
use crate::fault::{Fault, FaultKind};
use crate::units::Usage;

/// `batchEmbedContents`.
pub static GEMINI_EMBEDDINGS: GeminiEmbeddings = GeminiEmbeddings { is_batch: true };

/// `embedContent`.
pub static GEMINI_EMBEDDING: GeminiEmbeddings = GeminiEmbeddings { is_batch: false };

/// One of the two forms.
#[derive(Debug)]
pub struct GeminiEmbeddings {
    is_batch: bool,
}

const SCHEMA: &str = r#"{
    "type": "object",
    "required": ["content"],
    "properties": {
        "content": {
            "type": "object",
            "properties": {"parts": {"type": "array", "items": {"type": "object"}}}
        },
        "taskType": {"nullable": true, "type": "string"},
        "title": {"nullable": true, "type": "string"},
        "outputDimensionality": {"nullable": true, "type": "integer", "minimum": 1}
    }
}"#;

const BATCH_SCHEMA: &str = r#"{
    "type": "object",
    "required": ["requests"],
    "properties": {
        "requests": {
            "type": "array", "minItems": 1, "maxItems": 2048,
            "items": {
                "type": "object",
                "required": ["content"],
                "properties": {"content": {"type": "object"}}
            }
        }
    }
}"#;

impl Dialect for GeminiEmbeddings {
    fn name(&self) -> &'static str {
        "gemini_embeddings"
    }

    fn request_schema(&self) -> &'static str {
        if self.is_batch { BATCH_SCHEMA } else { SCHEMA }
    }

    fn read(&self, head: &Head, body: &Body) -> Result<Asked, BadBody> {
        let json = body.json().ok_or_else(|| {
            BadBody::whole("The body must be a JSON object; send application/json.")
        })?;
        fields::read(head, json, self.is_batch)
    }

    fn family(&self) -> ApiFamily {
        ApiFamily::Gemini
    }

    fn embeddings(&self) -> Option<&'static dyn EmbeddingsTranslator> {
        Some(if self.is_batch {
            &translate::BATCH
        } else {
            &translate::SINGLE
        })
    }

    fn forwarded(&self, body: &Bytes, to: Forward<'_>) -> Result<Bytes, BadBody> {
        request::forwarded(body, to.model)
    }

    fn usage(&self, of: Metered, answer: &[u8]) -> Result<Usage, Fault> {
        let scan = scan::VectorScan::of(answer).ok_or_else(|| {
            let why = "not the JSON object that was expected";
            Fault::new(FaultKind::InvalidAnswer, why)
        })?;
        if scan.vectors == 0 {
            return Ok(Usage::default());
        }
        let mut usage = by_input(&of, scan.counts);
        if let Some(bounds) = &of.bounds {
            counts::believe(&mut usage, bounds, 0);
        }
        Ok(usage)
    }

    fn judge(&self, answer: &[u8]) -> Judged {
        if let Some(told) = told::error_in(answer) {
            return Judged::Error(Box::new(told));
        }
        match scan::VectorScan::of(answer) {
            Some(scan) if scan.vectors > 0 => Judged::Answer,
            Some(_) => Judged::Nonsense("the JSON holds no vectors".to_owned()),
            None => Judged::Nonsense("not the JSON that was expected".to_owned()),
        }
    }

    fn error(&self, told: ErrorText<'_>) -> Bytes {
        events::error(told).into()
    }
}

#[cfg(test)]
mod tests;
