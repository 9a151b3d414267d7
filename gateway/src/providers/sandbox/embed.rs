//! Embeddings of the sandbox: numbers drawn from the text's hash, so that the same text has the same
//! vector.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use shared::link::Call;

use super::marks::Marks;
use super::{read, refusal, tokens_of};
use crate::providers::{Answer, Refusal};

/// Embeddings have this many numbers by default, as OpenAI's small model.
const DIMENSIONS_DEFAULT: usize = 1_536;
const DIMENSIONS_MAX: usize = 4_096;
const INPUTS_MAX: usize = 2_048;
/// Numbers of one answer: about 20 MB as decimals.
const NUMBERS_MAX: usize = 2_000_000;

#[derive(Deserialize)]
struct Embed {
    input: Value,
    #[serde(default)]
    dimensions: Option<usize>,
    #[serde(default)]
    encoding_format: Option<String>,
}

/// Answers a call.
pub(super) async fn embed(call: &Call, model: &str) -> Result<Answer, Refusal> {
    let embed: Embed = read(&call.body)?;
    let inputs = inputs(&embed.input)?;
    let whole: String = inputs.iter().map(|(text, _)| text.as_str()).collect();
    Marks::read(&whole).obey().await?;
    let dimensions = embed.dimensions.unwrap_or(DIMENSIONS_DEFAULT);
    if !(1..=DIMENSIONS_MAX).contains(&dimensions) {
        return Err(refusal(
            format!("`dimensions` must be from 1 to {DIMENSIONS_MAX}."),
            Some("dimensions"),
        ));
    }
    if inputs.len().saturating_mul(dimensions) > NUMBERS_MAX {
        return Err(refusal(
            format!("All embeddings together may have {NUMBERS_MAX} numbers at most."),
            Some("input"),
        ));
    }
    let base64 = match embed.encoding_format.as_deref() {
        None | Some("float") => false,
        Some("base64") => true,
        Some(_) => {
            return Err(refusal(
                "`encoding_format` must be float or base64.",
                Some("encoding_format"),
            ));
        }
    };
    let mut data = Vec::with_capacity(inputs.len());
    for (index, (input, _)) in inputs.iter().enumerate() {
        let vector = unit_vector(input, dimensions);
        let embedding: Value = if base64 {
            let bytes: Vec<u8> = vector.iter().flat_map(|x| x.to_le_bytes()).collect();
            STANDARD.encode(bytes).into()
        } else {
            vector.into()
        };
        data.push(json!({"object": "embedding", "index": index, "embedding": embedding}));
        tokio::task::yield_now().await;
    }
    let tokens: u64 = inputs.iter().map(|(_, tokens)| tokens).sum();
    let answer = json!({"object": "list", "model": model, "data": data, "usage": {"prompt_tokens": tokens, "total_tokens": tokens}});
    Ok(Answer::json(Bytes::from(answer.to_string())))
}

/// A text, texts, tokens or lists of tokens, each as the text it is hashed by and its tokens.
fn inputs(input: &Value) -> Result<Vec<(String, u64)>, Refusal> {
    let wrong = || {
        refusal(
            "`input` must be a text, an array of texts, or of tokens.",
            Some("input"),
        )
    };
    let text = |text: &str| (text.to_owned(), tokens_of(text.len()).max(1));
    let tokens = |tokens: &[Value]| {
        let count = u64::try_from(tokens.len()).unwrap_or(u64::MAX);
        (Value::from(tokens).to_string(), count.max(1))
    };
    let items = match input {
        Value::String(one) => return Ok(vec![text(one)]),
        Value::Array(items) if items.iter().all(Value::is_u64) => return Ok(vec![tokens(items)]),
        Value::Array(items) if items.len() <= INPUTS_MAX => items,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) | Value::Array(_) => {
            return Err(wrong());
        }
    };
    let item = |item: &Value| match item {
        Value::String(one) => Ok(text(one)),
        Value::Array(all) if all.iter().all(Value::is_u64) => Ok(tokens(all)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) | Value::Array(_) => {
            Err(wrong())
        }
    };
    items.iter().map(item).collect()
}

/// Numbers drawn from hashes of the text, scaled to length one.
fn unit_vector(text: &str, dimensions: usize) -> Vec<f32> {
    let mut numbers = Vec::with_capacity(dimensions + 16);
    let seed = Sha256::digest(text.as_bytes());
    let mut block = 0_u64;
    while numbers.len() < dimensions {
        let mut hasher = Sha256::new_with_prefix(seed);
        hasher.update(block.to_le_bytes());
        let hash = hasher.finalize();
        numbers.extend(
            hash.chunks_exact(2)
                .map(|pair| f32::from(i16::from_le_bytes([pair[0], pair[1]])) + 0.5),
        );
        block += 1;
    }
    numbers.truncate(dimensions);
    let length = numbers.iter().map(|x| x * x).sum::<f32>().sqrt();
    numbers.iter().map(|x| x / length).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn embeddings_have_length_one_and_repeat() {
        let vector = unit_vector("hello", 7);
        assert!((vector.iter().map(|x| x * x).sum::<f32>() - 1.0).abs() < 1e-5);
        assert_eq!(vector, unit_vector("hello", 7));
        assert_ne!(vector, unit_vector("hallo", 7));
    }

    #[test]
    fn tokens_count_as_themselves() {
        let counted = |input: Value| -> Vec<u64> {
            let inputs = inputs(&input).expect("valid");
            inputs.into_iter().map(|(_, tokens)| tokens).collect()
        };
        assert_eq!(counted(json!("12345678")), [2]);
        assert_eq!(counted(json!([9, 8, 7])), [3]);
        assert_eq!(counted(json!(["a", [1, 2]])), [1, 2]);
        for wrong in [json!(null), json!({}), json!([null]), json!([[1.5]])] {
            assert!(inputs(&wrong).is_err(), "{wrong}");
        }
    }
}
