//! Rankings of documents. Tenants speak one form, which is what Cohere's and Jina's clients have in common
//! and read; each vendor's is a row of how it differs (`vendors`). Facts: Cohere's Python SDK 7.3.1, Jina's,
//! Voyage's, Alibaba Cloud's (DashScope SDK 2.0.2) and SiliconFlow's references as of 2026-11.

mod answer;
mod request;
mod vendors;

use bytes::Bytes;
use serde_json::json;

use self::answer::Ranking;
pub use self::vendors::{
    COHERE_RERANK, DASHSCOPE_RERANK, JINA_RERANK, RerankVendor, VOYAGE_RERANK,
};
use super::body::Body;
use super::neutral::{AnswerShown, Rank, RerankRequest, RerankTranslator, WriteTo, Written};
use super::{Asked, BadBody, Dialect, ErrorText, Forward, Head, Judged, Metered, Searches};
use crate::fault::Fault;
use crate::json::{self, Edit};
use crate::link::Call;
use crate::units::Usage;

/// What tenants speak.
pub static RERANK: Rerank = Rerank;

/// The tenants' form.
#[derive(Debug)]
pub struct Rerank;

const SCHEMA: &str = r#"{
    "type": "object",
    "required": ["model", "query", "documents"],
    "properties": {
        "model": {"type": "string", "minLength": 1, "maxLength": 100},
        "query": {"anyOf": [{"type": "string", "minLength": 1}, {"type": "object"}]},
        "documents": {
            "type": "array", "minItems": 1, "maxItems": 2048,
            "items": {"anyOf": [{"type": "string"}, {"type": "object"}]}
        },
        "top_n": {"nullable": true, "type": "integer", "minimum": 1},
        "return_documents": {"nullable": true, "type": "boolean"},
        "rank_fields": {"nullable": true, "type": "array", "items": {"type": "string"}},
        "max_tokens_per_doc": {"nullable": true, "type": "integer", "minimum": 1},
        "instruction": {"nullable": true, "type": "string"}
    }
}"#;

impl Dialect for Rerank {
    fn name(&self) -> &'static str {
        "rerank"
    }

    fn request_schema(&self) -> &'static str {
        SCHEMA
    }

    fn read(&self, head: &Head, body: &Body) -> Result<Asked, BadBody> {
        let json = body.json().ok_or_else(|| {
            BadBody::whole("The body must be a JSON object; send application/json.")
        })?;
        request::asked(head, json)
    }

    fn names_end_users(&self) -> bool {
        false
    }

    fn rankings(&self) -> Option<&'static dyn RerankTranslator> {
        Some(&RERANK)
    }

    fn repeated(&self, body: &Bytes) -> Bytes {
        request::repeated(body)
    }

    fn forwarded(&self, body: &Bytes, to: Forward<'_>) -> Result<Bytes, BadBody> {
        named(body, to.model)
    }

    fn metered(&self, call: &Call) -> Metered {
        Metered {
            searches: request::searches(&call.body),
            ..Metered::of(call)
        }
    }

    fn usage(&self, of: Metered, answer: &[u8]) -> Result<Usage, Fault> {
        answer::usage(&of, answer)
    }

    fn judge(&self, answer: &[u8]) -> Judged {
        answer::judge(answer)
    }

    /// Cohere's clients read `message`, Jina's `detail`, and those of OpenAI's kind `error`.
    fn error(&self, told: ErrorText<'_>) -> Bytes {
        json!({
            "message": told.message,
            "detail": told.message,
            "error": {
                "message": told.message, "type": told.kind, "param": told.param, "code": told.code,
            },
        })
        .to_string()
        .into()
    }
}

/// A body with this name for its model.
fn named(body: &Bytes, model: &str) -> Result<Bytes, BadBody> {
    let [old] = json::fields(body, ["model"]).map_err(|e| BadBody::whole(e.to_string()))?;
    let name = serde_json::Value::from(model).to_string();
    let edit = match old {
        Some(old) => Edit::replace(json::span(body, old), name),
        None => Edit::insert(body, "model", &name),
    };
    Ok(json::apply(body, vec![edit]))
}

impl RerankTranslator for Rerank {
    fn read_request(&self, _: &Head, body: &[u8]) -> Result<RerankRequest, BadBody> {
        request::neutral(body)
    }

    fn write_request(&self, request: &RerankRequest, to: WriteTo<'_>) -> Result<Written, BadBody> {
        JINA_RERANK.write_request(request, to)
    }

    fn read_answer(&self, answer: &[u8]) -> Result<Vec<Rank>, Fault> {
        Ranking::read(answer).and_then(Ranking::ranks)
    }

    fn write_answer(
        &self,
        ranks: Vec<Rank>,
        usage: &Usage,
        shown: &AnswerShown,
    ) -> Result<Bytes, Fault> {
        answer::write(ranks, usage, shown)
    }
}

#[cfg(test)]
mod tests;
