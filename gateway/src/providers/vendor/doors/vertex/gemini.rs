//! A request in Gemini's format as Vertex takes it: calls of functions and their results have no ids there
//! (they are matched by name and order), and the service tier is no field of a body. A request with either is
//! refused for it, as was found by many as of 2026-07.

use bytes::Bytes;
use memchr::memmem;
use serde_json::value::RawValue;
use shared::dialect::BadBody;
use shared::json::{self, Edit, JsonError};

use super::super::{Fitted, Worded};

/// Where a part has what has an id; Google reads both spellings.
const WITH_IDS: [&str; 4] = [
    "functionCall",
    "function_call",
    "functionResponse",
    "function_response",
];

/// The body as it is taken there.
pub(super) fn fitted(worded: Worded<'_>) -> Result<Fitted, BadBody> {
    let mut body = worded.body.clone();
    let mut dropped = Vec::new();
    for name in ["serviceTier", "service_tier"] {
        if let Some((_, without)) = json::take(&body, name).map_err(broken)? {
            body = without;
            dropped.push("service_tier".to_owned());
        }
    }
    // Most conversations have no calls, and are not looked into.
    if memmem::find(&body, b"\"id\"").is_some() && memmem::find(&body, b"\"function").is_some() {
        body = without_ids(&body)?;
    }
    Ok(Fitted { body, dropped })
}

/// The same of a request for vectors, in which the path alone names the model.
pub(super) fn fitted_embeddings(worded: Worded<'_>) -> Result<Fitted, BadBody> {
    let body = worded.body;
    let [requests] = json::fields(body, ["requests"]).map_err(broken)?;
    let mut edits = Vec::new();
    for one in each(requests) {
        let [model] = json::fields(one.get().as_bytes(), ["model"]).map_err(broken)?;
        edits.extend(model.map(|model| Edit::remove(body, &json::span(body, model))));
    }
    Ok(Fitted {
        body: json::apply(body, edits),
        dropped: Vec::new(),
    })
}

fn broken(error: JsonError) -> BadBody {
    BadBody::whole(error.to_string())
}

fn without_ids(body: &Bytes) -> Result<Bytes, BadBody> {
    let [contents] = json::fields(body, ["contents"]).map_err(broken)?;
    let mut edits = Vec::new();
    for content in each(contents) {
        let [parts] = json::fields(content.get().as_bytes(), ["parts"]).map_err(broken)?;
        for part in each(parts) {
            let found = json::fields(part.get().as_bytes(), WITH_IDS).map_err(broken)?;
            for one in found.into_iter().flatten().filter(is_object) {
                let [id] = json::fields(one.get().as_bytes(), ["id"]).map_err(broken)?;
                edits.extend(id.map(|id| Edit::remove(body, &json::span(body, id))));
            }
        }
    }
    Ok(json::apply(body, edits))
}

/// The objects of a list, or the one that stands in its place.
fn each(value: Option<&RawValue>) -> Vec<&RawValue> {
    let mut all: Vec<&RawValue> = match value {
        Some(value) if is_object(&value) => vec![value],
        Some(value) => serde_json::from_str(value.get()).unwrap_or_default(),
        None => Vec::new(),
    };
    all.retain(is_object);
    all
}

fn is_object(value: &&RawValue) -> bool {
    value.get().starts_with('{')
}

#[cfg(test)]
mod tests {
    use shared::dialect::gemini::GEMINI;

    use super::*;

    fn fit(body: &'static str) -> Result<Fitted, BadBody> {
        fitted(Worded {
            dialect: &GEMINI,
            model: "gemini-3.8-flash",
            headers: &[],
            body: &Bytes::from_static(body.as_bytes()),
        })
    }

    #[test]
    fn ids_of_calls_and_results_go_and_nothing_else() {
        for (body, sent, dropped) in [
            (
                r#"{"contents":[{"role":"user","parts":[{"text":"\"id\""}]}]}"#,
                r#"{"contents":[{"role":"user","parts":[{"text":"\"id\""}]}]}"#,
                &[][..],
            ),
            (
                r#"{"contents":[{"role":"model","parts":[{"functionCall":{"id":"a","name":"f","args":{"id":1}},"thoughtSignature":"s"},{"function_call": { "name": "g", "id": "b" }}]},{"role":"user","parts":[{"functionResponse":{"name":"f","id":"a","response":{"id":2}}},{"function_response":{"id":"b"}}]}],"tools":[{"functionDeclarations":[{"name":"f","parameters":{"properties":{"id":{}}}}]}]}"#,
                r#"{"contents":[{"role":"model","parts":[{"functionCall":{"name":"f","args":{"id":1}},"thoughtSignature":"s"},{"function_call": { "name": "g" }}]},{"role":"user","parts":[{"functionResponse":{"name":"f","response":{"id":2}}},{"function_response":{}}]}],"tools":[{"functionDeclarations":[{"name":"f","parameters":{"properties":{"id":{}}}}]}]}"#,
                &[],
            ),
            (
                r#"{"contents":{"parts":{"functionCall":{"id":"a"}}},"serviceTier":"flex","x":1}"#,
                r#"{"contents":{"parts":{"functionCall":{}}},"x":1}"#,
                &["service_tier"],
            ),
            (
                r#"{"contents":["\"id\"",{"parts":[null,{"functionCall":null}]}],"a":{"id":1}}"#,
                r#"{"contents":["\"id\"",{"parts":[null,{"functionCall":null}]}],"a":{"id":1}}"#,
                &[],
            ),
        ] {
            let fitted = fit(body).expect("it fits");
            assert_eq!(fitted.body, sent);
            assert_eq!(fitted.dropped, dropped);
        }
        let twice = r#"{"contents":[{"parts":[{"functionCall":{"id":"a","id":"b"}}]}]}"#;
        assert!(fit(twice).is_err());
    }
}
