//! Rankings of the sandbox: a document answers a query as far as it has the query's words. The same request
//! has the same answer, scores lie between 0 and 1, and a document that shares nothing comes last.

use std::collections::HashSet;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::marks::Marks;
use super::{id_of, read, tokens_of};
use crate::providers::{Answer, Refusal};

#[derive(Deserialize)]
struct Question {
    query: Value,
    documents: Vec<Value>,
    #[serde(default)]
    top_n: Option<usize>,
}

/// The text of a query or a document; of a picture its address, which is all that is read of it.
fn text(value: &Value) -> &str {
    let inside = || value.get("text").or_else(|| value.get("image"));
    let found = value.as_str().or_else(|| inside()?.as_str());
    found.unwrap_or_default()
}

/// Words in small letters; of scripts that write no spaces, each letter.
fn words(text: &str) -> HashSet<String> {
    let is_ideograph =
        |letter: char| matches!(letter, '\u{2e80}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}');
    let mut words = HashSet::new();
    for part in text
        .to_lowercase()
        .split(|letter: char| !letter.is_alphanumeric())
    {
        for letter in part.chars().filter(|letter| is_ideograph(*letter)) {
            words.insert(letter.to_string());
        }
        if !part.is_empty() && !part.chars().all(is_ideograph) {
            words.insert(part.to_owned());
        }
    }
    words
}

/// How much of the query a document has, in whole thousandths, with a little for saying nothing else.
fn score(query: &HashSet<String>, document: &HashSet<String>) -> u32 {
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX / 1_000);
    let shared = count(query.intersection(document).count());
    let part = |of: usize| shared.saturating_mul(1_000) / count(of).max(1);
    (part(query.len()) * 9 + part(document.len())) / 10
}

/// Answers a request in Jina's form.
pub(super) async fn rank(body: &Bytes, model: &str) -> Result<Answer, Refusal> {
    let question: Question = read(body)?;
    let query = text(&question.query);
    let documents = question.documents.iter().map(text);
    let all: String = std::iter::once(query).chain(documents).collect();
    Marks::read(&all).obey().await?;
    let wanted = words(query);
    let mut scores = Vec::with_capacity(question.documents.len());
    let mut tokens = 0_u64;
    for (index, document) in question.documents.iter().enumerate() {
        let document = text(document);
        scores.push((score(&wanted, &words(document)), index));
        // The query is read again with each document.
        tokens += tokens_of(query.len()) + tokens_of(document.len());
        tokio::task::yield_now().await;
    }
    scores.sort_by_key(|(score, index)| (std::cmp::Reverse(*score), *index));
    scores.truncate(question.top_n.unwrap_or(usize::MAX));
    let result = |(score, index): &(u32, usize)| json!({"index": index, "relevance_score": f64::from(*score) / 1_000.0});
    let results: Vec<Value> = scores.iter().map(result).collect();
    let usage = json!({"prompt_tokens": tokens.max(1), "total_tokens": tokens.max(1)});
    let answer =
        json!({"id": id_of("rank", body), "model": model, "results": results, "usage": usage});
    Ok(Answer::json(Bytes::from(answer.to_string())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_with_the_words_of_the_query_is_better_than_one_without() {
        for (query, best, worse) in [
            (
                "What is the capital of France?",
                "Paris is the capital of France.",
                "Bread is made of flour.",
            ),
            ("月亮和潮汐", "潮汐随月亮涨落。", "面包是用面粉做的。"),
            ("tides", "Tides, tides!", ""),
        ] {
            let of = |document: &str| score(&words(query), &words(document));
            assert!(of(best) > of(worse), "{query}");
            assert!(of(best) <= 1_000 && of(query) == 1_000, "{query}");
        }
        assert_eq!(score(&words("a"), &words("")), 0);
        assert_eq!(score(&words("?"), &words("a")), 0);
    }
}
