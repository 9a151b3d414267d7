//! Reads a tenant's request: what it brings, what its answer repeats, and the neutral form of it.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use smallvec::SmallVec;

use super::Searches;
use crate::dialect::fields::{Field, Fields, Rule, SAFETY_IDENTIFIER, USER};
use crate::dialect::input::Input;
use crate::dialect::neutral::{Json, Ranked, RerankRequest};
use crate::dialect::{Asked, BadBody, Head, Output};
use crate::json;
use crate::units::{Unit, Usage};

/// Documents of one request; the largest that a vendor takes (Jina; Voyage takes 1,000, DashScope 500).
pub(super) const DOCUMENTS_MAX: usize = 2_048;
/// Fields of a document that are read; nobody's has more columns that matter.
const RANK_FIELDS_MAX: usize = 32;
/// A search is a query with so many documents (cohere.com/pricing, 2026-11).
const DOCUMENTS_PER_SEARCH: u64 = 100;
/// A document that is longer than this together with the query counts as several (likewise).
const CHUNK_TOKENS: u64 = 500;
/// What is read of a document where nothing is said (Cohere's reference, `max_tokens_per_doc`).
const DOCUMENT_TOKENS: u64 = 4_096;

const DOCUMENTS: &str = "documents";
const QUERY: &str = "query";
const RANK_FIELDS: &str = "rank_fields";
const RETURN_DOCUMENTS: &str = "return_documents";
const TOP_N: &str = "top_n";
const TOKENS_PER_DOCUMENT: &str = "max_tokens_per_doc";
/// What a model is told beside the query, in the words of SiliconFlow and of DashScope.
const INSTRUCTIONS: [&str; 2] = ["instruction", "instruct"];

/// In order.
const FIELDS: &[Field] = &[
    (DOCUMENTS, Rule::Read),
    (INSTRUCTIONS[1], Rule::ReadText),
    (INSTRUCTIONS[0], Rule::ReadText),
    (TOKENS_PER_DOCUMENT, Rule::Read),
    (QUERY, Rule::Read),
    (RANK_FIELDS, Rule::Read),
    (RETURN_DOCUMENTS, Rule::Read),
    (TOP_N, Rule::Read),
];

/// Fields that have a place in the neutral form, are told by the answer, or are nobody's there.
const KNOWN: [&str; 8] = [
    DOCUMENTS,
    QUERY,
    RANK_FIELDS,
    RETURN_DOCUMENTS,
    TOP_N,
    "model",
    SAFETY_IDENTIFIER,
    USER,
];

/// The parts of a body that are there and of the right kind.
struct Parts<'a> {
    query: &'a RawValue,
    /// What the model is told with it.
    instructions: SmallVec<[&'a RawValue; 2]>,
    documents: Vec<&'a RawValue>,
    top: Option<usize>,
    returns: bool,
    rank_fields: Vec<String>,
    tokens_per_document: Option<u64>,
}

fn parts<'a>(fields: &Fields<'a>) -> Result<Parts<'a>, BadBody> {
    let query = fields.get(QUERY).filter(|raw| raw.get() != "null");
    let query = query.ok_or_else(|| BadBody::of(QUERY, "`query` is missing."))?;
    let wrong = || {
        let message = format!(
            "`documents` must be an array of 1 to {DOCUMENTS_MAX} texts or objects with a `text` or an `image`."
        );
        BadBody::of(DOCUMENTS, message)
    };
    let documents = fields.get(DOCUMENTS).ok_or_else(wrong)?;
    let documents: Vec<&RawValue> = serde_json::from_str(documents.get()).map_err(|_| wrong())?;
    if !(1..=DOCUMENTS_MAX).contains(&documents.len()) {
        return Err(wrong());
    }
    let top = fields.whole(TOP_N, 1, u64::MAX)?;
    let top = top.map(|top| usize::try_from(top).unwrap_or(usize::MAX));
    let instructions = INSTRUCTIONS.iter().filter_map(|name| fields.get(name));
    Ok(Parts {
        query,
        instructions: instructions.collect(),
        top: top.map(|top| top.min(documents.len())),
        documents,
        returns: fields.flag(RETURN_DOCUMENTS)?,
        rank_fields: rank_fields(fields.get(RANK_FIELDS))?,
        tokens_per_document: fields.whole(TOKENS_PER_DOCUMENT, 1, 1 << 20)?,
    })
}

fn rank_fields(raw: Option<&RawValue>) -> Result<Vec<String>, BadBody> {
    let Some(raw) = raw.filter(|raw| raw.get() != "null") else {
        return Ok(Vec::new());
    };
    let names: Option<Vec<String>> = serde_json::from_str(raw.get()).ok();
    names
        .filter(|names| names.len() <= RANK_FIELDS_MAX)
        .ok_or_else(|| {
            let message =
                format!("`rank_fields` must be an array of {RANK_FIELDS_MAX} names at most.");
            BadBody::of(RANK_FIELDS, message)
        })
}

impl Parts<'_> {
    /// The query and the documents, each read.
    fn ranked(&self) -> Result<(Ranked, Vec<Ranked>), BadBody> {
        let query = ranked(self.query, &[]).filter(|one| *one != Ranked::Text(String::new()));
        let query = query.ok_or_else(|| {
            let message = "`query` must be a text that is not empty, or an object with a `text` or an `image`.";
            BadBody::of(QUERY, message)
        })?;
        let documents = self.documents.iter().enumerate().map(|(at, raw)| {
            ranked(raw, &self.rank_fields).ok_or_else(|| {
                let wanted = if self.rank_fields.is_empty() {
                    "a text, or an object with a `text` or an `image`"
                } else {
                    "a text, or an object with one of `rank_fields`"
                };
                BadBody::of(DOCUMENTS, format!("`documents[{at}]` must be {wanted}."))
            })
        });
        let documents: Result<Vec<Ranked>, BadBody> = documents.collect();
        Ok((query, documents?))
    }

    /// Input tokens, about and at most: a model reads the query again with each document, and vendors bill it
    /// so (Voyage, DashScope: query tokens x documents + document tokens).
    fn tokens(&self) -> (u64, u64) {
        let each = self.documents.iter().map(|raw| weight(raw));
        let sum = |(about, most): (u64, u64), one: (u64, u64)| {
            (about.saturating_add(one.0), most.saturating_add(one.1))
        };
        let (about, most) = each.fold((0, 0), sum);
        let again = std::iter::once(&self.query).chain(&self.instructions);
        let (query_about, query_most) = again.map(|raw| weight(raw)).fold((0, 0), sum);
        let times = u64::try_from(self.documents.len()).unwrap_or(u64::MAX);
        sum(
            (about, most),
            (
                query_about.saturating_mul(times),
                query_most.saturating_mul(times),
            ),
        )
    }

    fn searches(&self) -> Searches {
        let count = u64::try_from(self.documents.len()).unwrap_or(u64::MAX);
        let read = self.tokens_per_document.unwrap_or(DOCUMENT_TOKENS);
        let (_, query) = weight(self.query);
        let chunk = CHUNK_TOKENS.saturating_sub(query.min(CHUNK_TOKENS / 2));
        let chunks = self.documents.iter().fold(0_u64, |sum, raw| {
            let tokens = weight(raw).1.min(read);
            sum.saturating_add(tokens.div_ceil(chunk).max(1))
        });
        Searches {
            least: count.div_ceil(DOCUMENTS_PER_SEARCH),
            most: chunks.div_ceil(DOCUMENTS_PER_SEARCH),
        }
    }
}

/// Tokens of a text or an object, about and at most.
fn weight(raw: &RawValue) -> (u64, u64) {
    let json = raw.get().as_bytes();
    let input = Input::of_value(json);
    let most = input.most(u64::try_from(json.len()).unwrap_or(u64::MAX));
    (input.estimate().min(most), most)
}

/// What a request asks for.
pub(super) fn asked(head: &Head, body: &[u8]) -> Result<Asked, BadBody> {
    let fields = Fields::read(head, FIELDS, body)?;
    let parts = parts(&fields)?;
    parts.ranked()?;
    let mut asked = Asked::of(fields.model()?, Output::None);
    let (about, most) = parts.tokens();
    asked.input_estimate = about.min(most).max(1);
    asked.bounds = Usage::of([
        (Unit::InputToken, most),
        (Unit::Search, parts.searches().most),
    ]);
    asked.end_user = fields.end_user();
    asked.may_have_edge_fields = fields.for_edge;
    fields.allowed()?;
    Ok(asked)
}

/// The searches of a request that was read before.
pub(super) fn searches(body: &[u8]) -> Searches {
    let head = Head::default();
    let fields = Fields::read(&head, FIELDS, body);
    fields
        .and_then(|fields| Ok(parts(&fields)?.searches()))
        .unwrap_or_default()
}

/// The neutral form.
pub(super) fn neutral(body: &[u8]) -> Result<RerankRequest, BadBody> {
    let head = Head::default();
    let fields = Fields::read(&head, FIELDS, body)?;
    let parts = parts(&fields)?;
    let (query, documents) = parts.ranked()?;
    let mut others = Vec::new();
    let read = json::each_field(body, |name, value| {
        if value.get() != "null" && !KNOWN.contains(&name) {
            others.extend(Json::of(value.get()).map(|value| (name.to_owned(), value)));
        }
        Ok(())
    });
    read.map_err(|error| BadBody::whole(error.to_string()))?;
    Ok(RerankRequest {
        query,
        documents,
        top: parts.top,
        others,
    })
}

/// What an answer needs of its request.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Repeated<'a> {
    /// Documents there are.
    pub(super) count: usize,
    /// Of which so many are wanted.
    pub(super) wanted: usize,
    /// They themselves, where they are to be told.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub(super) documents: Option<Vec<&'a RawValue>>,
}

/// Out of a request that was read before.
pub(super) fn repeated(body: &[u8]) -> Bytes {
    let head = Head::default();
    let Ok(fields) = Fields::read(&head, FIELDS, body) else {
        return Bytes::new();
    };
    let Ok(parts) = parts(&fields) else {
        return Bytes::new();
    };
    let count = parts.documents.len();
    let repeated = Repeated {
        count,
        wanted: parts.top.unwrap_or(count),
        documents: Some(parts.documents).filter(|_| parts.returns),
    };
    serde_json::to_vec(&repeated).unwrap_or_default().into()
}

/// What a document or a query is; of an object its fields of these names, a line each, as Cohere wants its
/// structured documents written.
fn ranked(raw: &RawValue, names: &[String]) -> Option<Ranked> {
    let raw = raw.get();
    if raw.starts_with('"') {
        return serde_json::from_str(raw).ok().map(Ranked::Text);
    }
    if !raw.starts_with('{') {
        return None;
    }
    let mut found: SmallVec<[(String, &RawValue); 4]> = SmallVec::new();
    json::each_field(raw.as_bytes(), |name, value| {
        found.push((name.to_owned(), value));
        Ok(())
    })
    .ok()?;
    let of = |name: &str| {
        let field = found.iter().find(|(known, _)| known == name)?;
        Some(field.1.get()).filter(|value| *value != "null")
    };
    let text = |name: &str| serde_json::from_str::<String>(of(name)?).ok();
    if names.is_empty() {
        let picture = || text("image").filter(|address| !address.is_empty());
        return text("text")
            .map(Ranked::Text)
            .or_else(|| picture().map(Ranked::Image));
    }
    let line = |name: &String| {
        let value = of(name)?;
        let value = serde_json::from_str::<String>(value).unwrap_or_else(|_| value.to_owned());
        Some(format!("{name}: {value}"))
    };
    let lines: Vec<String> = names.iter().filter_map(line).collect();
    (!lines.is_empty()).then(|| Ranked::Text(lines.join("\n")))
}
