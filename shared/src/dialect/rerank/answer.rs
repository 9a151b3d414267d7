//! Reads a ranking in any vendor's form, and writes the tenant's. What a vendor says is believed as far as
//! it can be true of the documents that were sent.

use bytes::Bytes;
use serde_json::json;
use serde_json::value::RawValue;

use super::request::{DOCUMENTS_MAX, Repeated};
use crate::dialect::neutral::{AnswerShown, Rank};
use crate::dialect::vendor_counts::VendorCounts;
use crate::dialect::walk::Walk;
use crate::dialect::{Judged, Metered, told};
use crate::fault::{Fault, FaultKind};
use crate::units::{Unit, Usage};

/// What one pass over an answer found.
#[derive(Debug, Default)]
pub(super) struct Ranking {
    ranks: Vec<Rank>,
    counts: VendorCounts,
    /// Whether something in the list is no place of a document, or is one too many.
    is_odd: bool,
}

fn invalid(why: impl Into<String>) -> Fault {
    Fault::new(FaultKind::InvalidAnswer, why.into())
}

impl Ranking {
    /// Of a whole answer.
    pub(super) fn read(answer: &[u8]) -> Result<Self, Fault> {
        let json = answer.strip_prefix(b"\xef\xbb\xbf").unwrap_or(answer);
        let mut ranking = Self::default();
        ranking
            .all(json)
            .ok_or_else(|| invalid("not the JSON object that was expected"))?;
        Ok(ranking)
    }

    fn all(&mut self, json: &[u8]) -> Option<()> {
        let mut walk = Walk::new(json);
        if walk.peek()? != b'{' {
            return None;
        }
        walk.object(|walk, name| self.top(walk, name))?;
        walk.peek().is_none().then_some(())
    }

    fn top(&mut self, walk: &mut Walk<'_>, name: &[u8]) -> Option<()> {
        if self.counts.take(walk, name)? {
            return Some(());
        }
        match name {
            b"results" | b"data" if walk.peek()? == b'[' => walk.array(|walk| self.rank(walk)),
            // DashScope's.
            b"output" if walk.peek()? == b'{' => walk.object(|walk, name| match name {
                b"results" if walk.peek()? == b'[' => walk.array(|walk| self.rank(walk)),
                _ => walk.value().map(drop),
            }),
            _ => walk.value().map(drop),
        }
    }

    fn rank(&mut self, walk: &mut Walk<'_>) -> Option<()> {
        let (mut index, mut score) = (None, None);
        if walk.peek()? == b'{' {
            walk.object(|walk, name| {
                let value = std::str::from_utf8(walk.value()?).unwrap_or_default();
                match name {
                    b"index" => index = whole(value),
                    // Hugging Face's servers call it `score`.
                    b"relevance_score" | b"score" => score = value.parse::<f64>().ok(),
                    _ => {}
                }
                Some(())
            })?;
        } else {
            walk.value()?;
        }
        match (index, score.filter(|score| score.is_finite())) {
            (Some(index), Some(score)) if self.ranks.len() < DOCUMENTS_MAX => {
                self.ranks.push(Rank { index, score });
            }
            _ => self.is_odd = true,
        }
        Some(())
    }

    /// The places, all of which are some.
    pub(super) fn ranks(self) -> Result<Vec<Rank>, Fault> {
        if self.is_odd {
            return Err(invalid("a result has no index or no score"));
        }
        Ok(self.ranks)
    }
}

/// A whole number; some write it with a point.
fn whole(text: &str) -> Option<usize> {
    let text = text.strip_suffix(".0").unwrap_or(text);
    text.parse().ok()
}

/// What an answer is.
pub(super) fn judge(answer: &[u8]) -> Judged {
    if let Some(told) = told::error_in(answer) {
        return Judged::Error(Box::new(told));
    }
    match Ranking::read(answer) {
        Err(fault) => Judged::Nonsense(fault.detail),
        Ok(ranking) if ranking.is_odd => {
            Judged::Nonsense("a result has no index or no score".to_owned())
        }
        Ok(ranking) if ranking.ranks.is_empty() => {
            Judged::Nonsense("the JSON holds no ranking".to_owned())
        }
        Ok(_) => Judged::Answer,
    }
}

/// What an answer consumed: searches and tokens, each as it was told, else as the request has them. Who bills
/// by one of them often tells nothing of the other, and a price may be by either.
pub(super) fn usage(of: &Metered, answer: &[u8]) -> Result<Usage, Fault> {
    let ranking = Ranking::read(answer)?;
    if ranking.ranks.is_empty() {
        return Ok(Usage::default());
    }
    let mut usage = ranking.counts.consumed(of);
    let told = ranking.counts.searches;
    let most = of.searches.most;
    let is_believed = most == 0 || told <= most;
    usage.capped |= !is_believed;
    usage.estimated |= !is_believed;
    let searches = match told {
        0 => of.searches.least.max(1),
        told if is_believed => told,
        _ => most,
    };
    usage.set(Unit::Search, searches);
    Ok(usage)
}

/// The answer as tenants read it, the best first.
pub(super) fn write(
    mut ranks: Vec<Rank>,
    usage: &Usage,
    shown: &AnswerShown,
) -> Result<Bytes, Fault> {
    let repeated: Repeated<'_> = serde_json::from_slice(&shown.repeated).map_err(|_| {
        Fault::new(
            FaultKind::Internal,
            "the documents of a ranking are not known",
        )
    })?;
    check(&ranks, &repeated)?;
    ranks.sort_by(|one, other| other.score.total_cmp(&one.score));
    ranks.truncate(repeated.wanted);
    let mut out = format!(
        r#"{{"id":{},"object":"list","model":{},"results":["#,
        json!(shown.id),
        json!(shown.model)
    )
    .into_bytes();
    for (at, rank) in ranks.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        let place = format!(
            r#"{{"index":{},"relevance_score":{}"#,
            rank.index,
            json!(rank.score)
        );
        out.extend_from_slice(place.as_bytes());
        let documents = repeated.documents.as_ref();
        if let Some(document) = documents.and_then(|all| all.get(rank.index)) {
            write_document(document, &mut out);
        }
        out.push(b'}');
    }
    let (tokens, searches) = (usage.input_total(), usage.count(Unit::Search));
    let end = json!({
        "meta": {
            "api_version": {"version": "2"},
            "billed_units": {"input_tokens": tokens, "search_units": searches},
            "tokens": {"input_tokens": tokens},
        },
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens, "search_units": searches},
    });
    let end = end.to_string();
    out.extend_from_slice(b"],");
    out.extend_from_slice(&end.as_bytes()[1..]);
    Ok(out.into())
}

/// A text as an object, as both vendors give it back; an object as it came.
fn write_document(document: &RawValue, out: &mut Vec<u8>) {
    let json = document.get().as_bytes();
    if json.starts_with(b"{") {
        out.extend_from_slice(b",\"document\":");
        out.extend_from_slice(json);
    } else {
        out.extend_from_slice(b",\"document\":{\"text\":");
        out.extend_from_slice(json);
        out.push(b'}');
    }
}

/// Whether the places are of the documents, each once, and as many as were wanted.
fn check(ranks: &[Rank], repeated: &Repeated<'_>) -> Result<(), Fault> {
    let mut seen = vec![false; repeated.count];
    for rank in ranks {
        match seen.get_mut(rank.index) {
            None => return Err(invalid("a document was ranked that is not there")),
            Some(true) => return Err(invalid("a document was ranked twice")),
            Some(seen) => *seen = true,
        }
    }
    if ranks.len() < repeated.wanted {
        let why = format!(
            "{} of {} documents were ranked",
            ranks.len(),
            repeated.wanted
        );
        return Err(invalid(why));
    }
    Ok(())
}
