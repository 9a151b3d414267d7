//! A whole answer as the stream that was asked for.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::output::{END, begin, put};

/// Events in the making.
struct Events {
    to: Vec<u8>,
    sequence: u64,
}

impl Events {
    fn event(&mut self, kind: &str, fields: &Value) {
        begin(kind, &mut self.sequence, &mut self.to);
        if let Ok(json) = serde_json::to_string(fields)
            && let Some(inside) = json.strip_prefix('{').and_then(|f| f.strip_suffix('}'))
        {
            put(&mut self.to, &[",", inside]);
        }
        put(&mut self.to, &[END]);
    }

    fn item(&mut self, index: usize, item: &Value) {
        let kind = item["type"].as_str().unwrap_or_default();
        let (list, part_index) = match kind {
            "message" => ("content", "content_index"),
            "reasoning" => ("summary", "summary_index"),
            _ => ("", ""),
        };
        let mut begun = item.clone();
        for (field, nothing) in [(list, json!([])), ("arguments", json!(""))] {
            if let Some(value) = begun.get_mut(field) {
                *value = nothing;
            }
        }
        if let Some(status) = begun.get_mut("status") {
            *status = json!("in_progress");
        }
        let added = json!({"output_index": index, "item": begun});
        self.event("response.output_item.added", &added);
        let parts = item[list].as_array().map(Vec::as_slice).unwrap_or_default();
        for (at, part) in parts.iter().enumerate() {
            let place = json!({"item_id": item["id"], "output_index": index, part_index: at});
            self.part(part, &place);
        }
        if kind == "function_call" {
            let name = "response.function_call_arguments";
            let place = json!({"item_id": item["id"], "output_index": index});
            let said = with(&place, &[("delta", &item["arguments"])]);
            self.event(&format!("{name}.delta"), &said);
            let said = with(&place, &[("arguments", &item["arguments"])]);
            self.event(&format!("{name}.done"), &said);
        }
        let done = json!({"output_index": index, "item": item});
        self.event("response.output_item.done", &done);
    }

    fn part(&mut self, part: &Value, place: &Value) {
        let (name, field, around) = match part["type"].as_str().unwrap_or_default() {
            "output_text" => ("response.output_text", "text", "response.content_part"),
            "refusal" => ("response.refusal", "refusal", "response.content_part"),
            "summary_text" => (
                "response.reasoning_summary_text",
                "text",
                "response.reasoning_summary_part",
            ),
            _ => return,
        };
        let mut begun = part.clone();
        for (field, nothing) in [(field, json!("")), ("annotations", json!([]))] {
            if let Some(value) = begun.get_mut(field) {
                *value = nothing;
            }
        }
        let added = with(place, &[("part", &begun)]);
        self.event(&format!("{around}.added"), &added);
        let mut extra = Vec::new();
        let told = part.get("logprobs").filter(|told| !told.is_null());
        let logprobs = told.cloned().unwrap_or_else(|| json!([]));
        if name == "response.output_text" {
            extra.push(("logprobs", &logprobs));
        }
        let said = |what| with(place, &[&extra[..], &[(what, &part[field])]].concat());
        let (delta, done) = (said("delta"), said(field));
        self.event(&format!("{name}.delta"), &delta);
        let annotations = part["annotations"].as_array();
        for (at, annotation) in annotations.into_iter().flatten().enumerate() {
            let at = json!(at);
            let fields = [("annotation_index", &at), ("annotation", annotation)];
            let added = with(place, &fields);
            self.event("response.output_text.annotation.added", &added);
        }
        self.event(&format!("{name}.done"), &done);
        let whole = with(place, &[("part", part)]);
        self.event(&format!("{around}.done"), &whole);
    }
}

/// An object with more fields.
fn with(object: &Value, fields: &[(&str, &Value)]) -> Value {
    let mut all: Map<String, Value> = object.as_object().cloned().unwrap_or_default();
    for (name, value) in fields {
        all.insert((*name).to_owned(), (*value).clone());
    }
    all.into()
}

/// The events that would have brought this answer; `None` where it is none.
pub(super) fn as_stream(answer: &[u8]) -> Option<Bytes> {
    let response: Value = serde_json::from_slice(answer).ok()?;
    let items = response["output"].as_array()?;
    let begun = [
        ("status", json!("in_progress")),
        ("output", json!([])),
        ("usage", Value::Null),
        ("incomplete_details", Value::Null),
    ];
    let begun: Vec<(&str, &Value)> = begun.iter().map(|(name, value)| (*name, value)).collect();
    let begun = json!({"response": with(&response, &begun)});
    let mut events = Events {
        to: Vec::new(),
        sequence: 0,
    };
    events.event("response.created", &begun);
    events.event("response.in_progress", &begun);
    for (index, item) in items.iter().enumerate() {
        events.item(index, item);
    }
    let kind = match response["status"].as_str() {
        Some("incomplete" | "cancelled") => "response.incomplete",
        Some("failed") => "response.failed",
        _ => "response.completed",
    };
    events.event(kind, &json!({"response": response}));
    Some(events.to.into())
}
