//! Moderations of the sandbox: a text that holds the word `[flag]` is flagged as harassment, all others and
//! all pictures are clean.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::link::Call;

use super::marks::Marks;
use super::{id_of, read, refusal, text_of};
use crate::providers::{Answer, Refusal};

/// Inputs of one request.
const INPUTS_MAX: usize = 2_048;
/// The mark of a text that is to be flagged.
const FLAG: &str = "[flag]";
const FLAGGED: &str = "harassment";
const CATEGORIES: [&str; 13] = [
    FLAGGED,
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/instructions",
    "self-harm/intent",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
];

#[derive(Deserialize)]
struct Moderate {
    input: Value,
}

/// Answers a call.
pub(super) async fn moderate(call: &Call, model: &str) -> Result<Answer, Refusal> {
    let moderate: Moderate = read(&call.body)?;
    let texts = texts(&moderate.input)?;
    Marks::read(&texts.concat()).obey().await?;
    let results: Vec<Value> = texts.iter().map(|text| verdict(text)).collect();
    let id = id_of("modr", &call.body);
    let answer = json!({"id": id, "model": model, "results": results});
    Ok(Answer::json(Bytes::from(answer.to_string())))
}

/// One text for each verdict: parts are one input together.
fn texts(input: &Value) -> Result<Vec<String>, Refusal> {
    let wrong = || {
        let message = "`input` must be a text, or an array of texts or of parts.";
        refusal(message, Some("input"))
    };
    let list = match input {
        Value::String(text) => return Ok(vec![text.clone()]),
        Value::Array(list) if !list.is_empty() && list.len() <= INPUTS_MAX => list,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            return Err(wrong());
        }
    };
    if list.iter().all(Value::is_object) {
        return Ok(vec![text_of(input)]);
    }
    let texts = list.iter().map(|one| one.as_str().map(str::to_owned));
    texts.collect::<Option<Vec<String>>>().ok_or_else(wrong)
}

fn verdict(text: &str) -> Value {
    let is_flagged = text.contains(FLAG);
    let of = |category: &str| is_flagged && category == FLAGGED;
    let each = |value: &dyn Fn(&str) -> Value| -> Value {
        let named = CATEGORIES
            .iter()
            .map(|name| ((*name).to_owned(), value(name)));
        Value::Object(named.collect())
    };
    json!({
        "flagged": is_flagged,
        "categories": each(&|name| of(name).into()),
        "category_scores": each(&|name| if of(name) { json!(0.98) } else { json!(0.0001) }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_has_its_verdict_and_parts_have_one() {
        for (input, flags) in [
            (json!("hi"), vec![false]),
            (json!(["hi", "you [flag]"]), vec![false, true]),
            (
                json!([{"type": "text", "text": "[flag]"}, {"type": "image_url", "image_url": {"url": "x"}}]),
                vec![true],
            ),
        ] {
            let texts = texts(&input).expect("an input");
            let verdicts: Vec<Value> = texts.iter().map(|text| verdict(text)).collect();
            let told: Vec<_> = verdicts.iter().map(|one| one["flagged"] == true).collect();
            assert_eq!(told, flags, "{input}");
            assert!(
                verdicts
                    .iter()
                    .all(|one| one["categories"][FLAGGED] == one["flagged"])
            );
        }
        for wrong in [json!([]), json!(7), json!(["a", 1])] {
            assert!(texts(&wrong).is_err(), "{wrong}");
        }
    }
}
