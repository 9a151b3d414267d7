//! Vectors of vendors whose requests are not OpenAI's: how each is asked, as a table. Tenants speak OpenAI's
//! or Google's form, so requests are translated ones. Facts: Cohere's Python SDK 7.3.1, Voyage's 0.5.0,
//! DashScope's 2.0.2 and Jina's reference as of 2026-11.

mod answer;
mod request;

use bytes::Bytes;
use serde_json::json;

use self::answer::VendorVectors;
use super::body::Body;
use super::neutral::{
    AnswerShown, EmbeddingsRequest, EmbeddingsTranslator, Vector, WriteTo, Written,
};
use super::{Asked, BadBody, Dialect, ErrorText, Forward, Head, Judged, Metered, told};
use crate::fault::{Fault, FaultKind};
use crate::json::{self, Edit};
use crate::units::Usage;

/// A vendor's form.
#[derive(Debug)]
pub struct VendorEmbeddings {
    /// Stable word.
    name: &'static str,
    /// How its inputs are written.
    inputs: Inputs,
    /// Of a request.
    inputs_max: usize,
    /// What the length of a vector is called.
    dimensions: &'static str,
    /// What the purpose of a text is called, and its words for Google's.
    task: Option<(&'static str, &'static [(&'static str, &'static str)])>,
    /// The purpose where a tenant tells none and the vendor wants one.
    task_usual: Option<&'static str>,
    /// Fields of tenants that it takes as they are.
    says: &'static [&'static str],
}

/// How inputs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inputs {
    /// `texts`, or `inputs` of parts where one has a picture.
    Cohere,
    /// `input` of texts, or of objects with a text or a picture each.
    Jina,
    /// `input` of texts; models that see have a path of their own, with `inputs` of parts.
    Voyage,
    /// `input` of texts; models that see are asked in the vendor's own interface.
    DashScope,
}

/// Cohere's `POST /v2/embed`. It must be told what the vectors are for.
pub static COHERE_EMBEDDINGS: VendorEmbeddings = VendorEmbeddings {
    name: "cohere_embeddings",
    inputs: Inputs::Cohere,
    inputs_max: 96,
    dimensions: "output_dimension",
    task: Some((
        "input_type",
        &[
            ("RETRIEVAL_QUERY", "search_query"),
            ("RETRIEVAL_DOCUMENT", "search_document"),
            ("QUESTION_ANSWERING", "search_query"),
            ("FACT_VERIFICATION", "search_query"),
            ("CODE_RETRIEVAL_QUERY", "search_query"),
            ("CLASSIFICATION", "classification"),
            ("CLUSTERING", "clustering"),
        ],
    )),
    task_usual: Some("search_document"),
    says: &["max_tokens", "priority", "truncate"],
};

/// Jina's.
pub static JINA_EMBEDDINGS: VendorEmbeddings = VendorEmbeddings {
    name: "jina_embeddings",
    inputs: Inputs::Jina,
    inputs_max: 2_048,
    dimensions: "dimensions",
    task: Some((
        "task",
        &[
            ("RETRIEVAL_QUERY", "retrieval.query"),
            ("RETRIEVAL_DOCUMENT", "retrieval.passage"),
            ("QUESTION_ANSWERING", "retrieval.query"),
            ("FACT_VERIFICATION", "retrieval.query"),
            ("CODE_RETRIEVAL_QUERY", "code.query"),
            ("SEMANTIC_SIMILARITY", "text-matching"),
            ("CLASSIFICATION", "classification"),
            ("CLUSTERING", "separation"),
        ],
    )),
    task_usual: None,
    says: &["late_chunking", "normalized", "truncate"],
};

/// Voyage's.
pub static VOYAGE_EMBEDDINGS: VendorEmbeddings = VendorEmbeddings {
    name: "voyage_embeddings",
    inputs: Inputs::Voyage,
    inputs_max: 1_000,
    dimensions: "output_dimension",
    task: Some((
        "input_type",
        &[
            ("RETRIEVAL_QUERY", "query"),
            ("RETRIEVAL_DOCUMENT", "document"),
            ("QUESTION_ANSWERING", "query"),
            ("FACT_VERIFICATION", "query"),
            ("CODE_RETRIEVAL_QUERY", "query"),
        ],
    )),
    task_usual: None,
    says: &["truncation"],
};

/// DashScope's, which is OpenAI's for texts but for vectors in base64.
pub static DASHSCOPE_EMBEDDINGS: VendorEmbeddings = VendorEmbeddings {
    name: "dashscope_embeddings",
    inputs: Inputs::DashScope,
    // Older models took 25 (Alibaba Cloud, text embedding reference).
    inputs_max: 25,
    dimensions: "dimensions",
    task: None,
    task_usual: None,
    says: &[],
};

impl VendorEmbeddings {
    /// Where `model` is asked, below the vendor's address with its version.
    pub fn path(&self, model: &str) -> &'static str {
        match self.inputs {
            Inputs::Cohere => "/embed",
            Inputs::Voyage if self.sees(model) => "/multimodalembeddings",
            Inputs::DashScope if self.sees(model) => {
                "/services/embeddings/multimodal-embedding/multimodal-embedding"
            }
            Inputs::Jina | Inputs::Voyage | Inputs::DashScope => "/embeddings",
        }
    }

    /// Whether `model` is one of those that see, where they are asked otherwise than the rest: by the names
    /// that the vendors give them.
    pub fn sees(&self, model: &str) -> bool {
        let marks: &[&str] = match self.inputs {
            Inputs::Cohere | Inputs::Jina => &[],
            Inputs::Voyage => &["multimodal"],
            Inputs::DashScope => &["vl-embedding", "embedding-vision", "multimodal-embedding"],
        };
        marks.iter().any(|mark| model.contains(mark))
    }
}

fn to_providers_alone() -> BadBody {
    BadBody::whole("This format is spoken to providers alone; no API of this service takes it.")
}

impl EmbeddingsTranslator for VendorEmbeddings {
    fn read_request(&self, _: &Head, _: &[u8]) -> Result<EmbeddingsRequest, BadBody> {
        Err(to_providers_alone())
    }

    fn write_request(
        &self,
        request: &EmbeddingsRequest,
        to: WriteTo<'_>,
    ) -> Result<Written, BadBody> {
        request::write(self, request, to)
    }

    fn read_answer(&self, answer: &[u8]) -> Result<Vec<Vector>, Fault> {
        answer::vectors(answer)
    }

    /// As OpenAI's: nobody asks for vectors in this form.
    fn write_answer(&self, vectors: &[Vector], usage: &Usage, shown: &AnswerShown) -> Bytes {
        super::openai_embeddings::TRANSLATOR.write_answer(vectors, usage, shown)
    }
}

impl Dialect for VendorEmbeddings {
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

    fn embeddings(&self) -> Option<&'static dyn EmbeddingsTranslator> {
        let all = [
            &COHERE_EMBEDDINGS,
            &JINA_EMBEDDINGS,
            &VOYAGE_EMBEDDINGS,
            &DASHSCOPE_EMBEDDINGS,
        ];
        let own = all.into_iter().find(|one| one.name == self.name);
        own.map(|one| -> &'static dyn EmbeddingsTranslator { one })
    }

    fn forwarded(&self, body: &Bytes, to: Forward<'_>) -> Result<Bytes, BadBody> {
        let [old] = json::fields(body, ["model"]).map_err(|e| BadBody::whole(e.to_string()))?;
        let name = serde_json::Value::from(to.model).to_string();
        let edit = match old {
            Some(old) => Edit::replace(json::span(body, old), name),
            None => Edit::insert(body, "model", &name),
        };
        Ok(json::apply(body, vec![edit]))
    }

    fn usage(&self, of: Metered, answer: &[u8]) -> Result<Usage, Fault> {
        let scan = VendorVectors::of(answer).ok_or_else(|| {
            let why = "not the JSON object that was expected";
            Fault::new(FaultKind::InvalidAnswer, why)
        })?;
        if scan.vectors == 0 {
            return Ok(Usage::default());
        }
        Ok(scan.counts.consumed(&of))
    }

    fn judge(&self, answer: &[u8]) -> Judged {
        if let Some(told) = told::error_in(answer) {
            return Judged::Error(Box::new(told));
        }
        match VendorVectors::of(answer) {
            Some(scan) if scan.vectors > 0 => Judged::Answer,
            Some(_) => Judged::Nonsense("the JSON holds no vectors".to_owned()),
            None => Judged::Nonsense("not the JSON that was expected".to_owned()),
        }
    }

    fn error(&self, told: ErrorText<'_>) -> Bytes {
        json!({"message": told.message}).to_string().into()
    }
}

#[cfg(test)]
mod tests;
