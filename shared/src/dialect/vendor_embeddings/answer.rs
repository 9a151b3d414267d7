//! Reads vectors in any vendor's form: a list beside OpenAI's words, Cohere's lists by type, DashScope's
//! `output`.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::dialect::neutral::Vector;
use crate::dialect::openai_embeddings::numbers;
use crate::dialect::vendor_counts::VendorCounts;
use crate::dialect::walk::Walk;
use crate::fault::{Fault, FaultKind};

/// What one pass over an answer found; keeps nothing of it.
#[derive(Debug, Default)]
pub(super) struct VendorVectors {
    /// Those that hold something.
    pub(super) vectors: u64,
    pub(super) counts: VendorCounts,
}

impl VendorVectors {
    /// Of a whole answer; `None` where it is no JSON object.
    pub(super) fn of(answer: &[u8]) -> Option<Self> {
        let json = answer.strip_prefix(b"\xef\xbb\xbf").unwrap_or(answer);
        let mut scan = Self::default();
        let mut walk = Walk::new(json);
        if walk.peek()? != b'{' {
            return None;
        }
        walk.object(|walk, name| scan.top(walk, name))?;
        walk.peek().is_none().then_some(scan)
    }

    fn top(&mut self, walk: &mut Walk<'_>, name: &[u8]) -> Option<()> {
        if self.counts.take(walk, name)? {
            return Some(());
        }
        match name {
            b"embeddings" if walk.peek()? == b'{' => walk.object(|walk, name| match name {
                b"float" => self.list(walk),
                _ => walk.value().map(drop),
            }),
            b"data" | b"embeddings" => self.list(walk),
            b"output" if walk.peek()? == b'{' => walk.object(|walk, name| match name {
                b"embeddings" => self.list(walk),
                _ => walk.value().map(drop),
            }),
            _ => walk.value().map(drop),
        }
    }

    fn list(&mut self, walk: &mut Walk<'_>) -> Option<()> {
        if walk.peek()? != b'[' {
            return walk.value().map(drop);
        }
        walk.array(|walk| {
            if walk.peek()? != b'{' {
                let value = walk.value()?;
                self.vectors += u64::from(holds(value));
                return Some(());
            }
            walk.object(|walk, name| {
                let value = walk.value()?;
                self.vectors += u64::from(name == b"embedding" && holds(value));
                Some(())
            })
        })
    }
}

/// Whether a value is a list with something in it.
fn holds(value: &[u8]) -> bool {
    let inside = value.strip_prefix(b"[").unwrap_or_default();
    !inside.is_empty() && !inside.trim_ascii_start().starts_with(b"]")
}

#[derive(Deserialize)]
struct Told<'a> {
    #[serde(borrow, default)]
    data: Option<Vec<Entry<'a>>>,
    #[serde(borrow, default)]
    embeddings: Option<&'a RawValue>,
    #[serde(borrow, default)]
    output: Option<Output<'a>>,
}

#[derive(Deserialize)]
struct Output<'a> {
    #[serde(borrow)]
    embeddings: Vec<Entry<'a>>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(default)]
    index: Option<u64>,
    #[serde(borrow)]
    embedding: &'a RawValue,
}

#[derive(Deserialize)]
struct ByType<'a> {
    #[serde(borrow)]
    float: Vec<&'a RawValue>,
}

fn invalid(why: impl std::fmt::Display) -> Fault {
    Fault::new(FaultKind::InvalidAnswer, format!("no vectors came: {why}"))
}

/// The vectors, in the order of the inputs.
pub(super) fn vectors(answer: &[u8]) -> Result<Vec<Vector>, Fault> {
    let told: Told<'_> = serde_json::from_slice(answer).map_err(invalid)?;
    if let Some(raw) = told.embeddings {
        let lists: Vec<&RawValue> = match serde_json::from_str::<ByType<'_>>(raw.get()) {
            Ok(types) => types.float,
            Err(_) => serde_json::from_str(raw.get()).map_err(invalid)?,
        };
        return lists.into_iter().map(|one| numbers(one.get())).collect();
    }
    let entries = told.data.or(told.output.map(|output| output.embeddings));
    let mut entries = entries.ok_or_else(|| invalid("nothing is there"))?;
    // Some tell no indexes; those stay in their order.
    if entries.iter().any(|one| one.index.is_some()) {
        entries.sort_by_key(|one| one.index);
        let told = entries.iter().map(|one| one.index);
        if !told.eq((0_u64..).map(Some).take(entries.len())) {
            return Err(invalid("the indexes leave some out or repeat some"));
        }
    }
    let entries = entries.into_iter();
    entries.map(|one| numbers(one.embedding.get())).collect()
}
