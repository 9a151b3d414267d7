//! How each vendor is asked for a ranking, as a table: what its fields are called, what it has no words for,
//! and how much it takes. Answers are read alike, whoever gives them.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::answer::{self, Ranking};
use super::named;
use crate::dialect::body::Body;
use crate::dialect::neutral::{
    AnswerShown, Rank, Ranked, RerankRequest, RerankTranslator, WriteTo, Written, unsaid,
};
use crate::dialect::{Asked, BadBody, Dialect, ErrorText, Forward, Head, Judged, Metered};
use crate::fault::{Fault, FaultKind};
use crate::units::Usage;

/// A vendor's form.
#[derive(Debug)]
pub struct RerankVendor {
    /// Stable word.
    name: &'static str,
    /// What the number of results is called.
    top: &'static str,
    /// Fields of tenants that it takes, and what it calls them.
    says: &'static [(&'static str, &'static str)],
    /// Whether it must be told not to repeat the documents.
    repeats: bool,
    /// Whether it wants the texts in an `input` and the rest in `parameters`.
    is_wrapped: bool,
    /// Whether some of its models rank pictures.
    has_pictures: bool,
    /// Documents of a request.
    documents_max: usize,
}

/// Cohere, version 2, which takes texts alone.
pub static COHERE_RERANK: RerankVendor = RerankVendor {
    name: "cohere_rerank",
    top: "top_n",
    says: &[
        ("max_tokens_per_doc", "max_tokens_per_doc"),
        ("priority", "priority"),
    ],
    repeats: false,
    is_wrapped: false,
    has_pictures: false,
    // All chunks of all documents together are to be fewer than 10,000.
    documents_max: super::request::DOCUMENTS_MAX,
};

/// Jina, and whoever has its form: SiliconFlow, vLLM, Infinity, OpenRouter, Together.
pub static JINA_RERANK: RerankVendor = RerankVendor {
    name: "jina_rerank",
    top: "top_n",
    says: &[
        ("instruct", "instruction"),
        ("instruction", "instruction"),
        ("max_chunks_per_doc", "max_chunks_per_doc"),
        ("max_doc_length", "max_doc_length"),
        ("max_query_length", "max_query_length"),
        ("max_tokens_per_doc", "max_tokens_per_doc"),
        ("overlap_tokens", "overlap_tokens"),
        ("truncate_prompt_tokens", "truncate_prompt_tokens"),
        ("truncation", "truncation"),
    ],
    repeats: true,
    is_wrapped: false,
    has_pictures: true,
    documents_max: super::request::DOCUMENTS_MAX,
};

/// Voyage.
pub static VOYAGE_RERANK: RerankVendor = RerankVendor {
    name: "voyage_rerank",
    top: "top_k",
    says: &[("truncation", "truncation")],
    repeats: false,
    is_wrapped: false,
    has_pictures: false,
    documents_max: 1_000,
};

/// Alibaba Cloud's own interface, which all its ranking models have.
pub static DASHSCOPE_RERANK: RerankVendor = RerankVendor {
    name: "dashscope_rerank",
    top: "top_n",
    says: &[("instruct", "instruct"), ("instruction", "instruct")],
    repeats: true,
    is_wrapped: true,
    has_pictures: true,
    documents_max: 500,
};

impl RerankVendor {
    /// Whether `request` has nothing that this vendor can't rank.
    fn takes(&self, request: &RerankRequest) -> Result<(), BadBody> {
        let count = request.documents.len();
        if count > self.documents_max {
            let most = self.documents_max;
            let message = format!(
                "`documents` has {count} documents; this model's provider ranks {most} at most."
            );
            return Err(BadBody::of("documents", message));
        }
        let is_picture = |one: &Ranked| matches!(one, Ranked::Image(_));
        if !self.has_pictures && is_picture(&request.query) {
            let message = "`query` must be a text: this model's provider takes no pictures.";
            return Err(BadBody::of("query", message));
        }
        if !self.has_pictures && request.documents.iter().any(is_picture) {
            let message = "`documents` must be texts: this model's provider takes no pictures.";
            return Err(BadBody::of("documents", message));
        }
        Ok(())
    }
}

/// As a vendor reads it: an object where one of several must be.
fn written(one: &Ranked, as_object: bool) -> Value {
    match one {
        Ranked::Text(text) if as_object => json!({"text": text}),
        Ranked::Text(text) => json!(text),
        Ranked::Image(address) => json!({"image": address}),
    }
}

impl RerankTranslator for RerankVendor {
    fn read_request(&self, _: &Head, _: &[u8]) -> Result<RerankRequest, BadBody> {
        Err(to_providers_alone())
    }

    fn write_request(&self, request: &RerankRequest, to: WriteTo<'_>) -> Result<Written, BadBody> {
        self.takes(request)?;
        let has_picture = request
            .documents
            .iter()
            .any(|one| matches!(one, Ranked::Image(_)));
        let documents = request.documents.iter();
        let documents: Vec<Value> = documents.map(|one| written(one, has_picture)).collect();
        let query = written(&request.query, false);
        let mut options = Map::new();
        if let Some(top) = request.top {
            options.insert(self.top.to_owned(), top.into());
        }
        if self.repeats {
            options.insert("return_documents".to_owned(), false.into());
        }
        let mut dropped = Vec::new();
        for (name, value) in &request.others {
            match self.says.iter().find(|(ours, _)| ours == name) {
                Some((_, theirs)) => drop(options.insert((*theirs).to_owned(), value.value())),
                None => unsaid::note(&mut dropped, name),
            }
        }
        let body = if self.is_wrapped {
            json!({"model": to.model, "input": {"query": query, "documents": documents}, "parameters": options})
        } else {
            options.insert("model".to_owned(), to.model.into());
            options.insert("query".to_owned(), query);
            options.insert("documents".to_owned(), documents.into());
            Value::Object(options)
        };
        Ok(Written {
            body: body.to_string().into(),
            dropped,
        })
    }

    fn read_answer(&self, answer: &[u8]) -> Result<Vec<Rank>, Fault> {
        Ranking::read(answer).and_then(Ranking::ranks)
    }

    fn write_answer(&self, _: Vec<Rank>, _: &Usage, _: &AnswerShown) -> Result<Bytes, Fault> {
        let why = "this format is read from providers alone";
        Err(Fault::new(FaultKind::Internal, why))
    }
}

fn to_providers_alone() -> BadBody {
    BadBody::whole("This format is spoken to providers alone; no API of this service takes it.")
}

impl Dialect for RerankVendor {
    fn name(&self) -> &'static str {
        self.name
    }

    fn names_end_users(&self) -> bool {
        false
    }

    fn request_schema(&self) -> &'static str {
        r#"{"type": "object"}"#
    }

    fn read(&self, _: &Head, _: &Body) -> Result<Asked, BadBody> {
        Err(to_providers_alone())
    }

    fn rankings(&self) -> Option<&'static dyn RerankTranslator> {
        let all = [
            &COHERE_RERANK,
            &JINA_RERANK,
            &VOYAGE_RERANK,
            &DASHSCOPE_RERANK,
        ];
        let own = all.into_iter().find(|one| one.name == self.name);
        own.map(|one| -> &'static dyn RerankTranslator { one })
    }

    fn forwarded(&self, body: &Bytes, to: Forward<'_>) -> Result<Bytes, BadBody> {
        named(body, to.model)
    }

    fn usage(&self, of: Metered, answer: &[u8]) -> Result<Usage, Fault> {
        answer::usage(&of, answer)
    }

    fn judge(&self, answer: &[u8]) -> Judged {
        answer::judge(answer)
    }

    fn error(&self, told: ErrorText<'_>) -> Bytes {
        json!({"message": told.message}).to_string().into()
    }
}
