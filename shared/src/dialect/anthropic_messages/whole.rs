//! A whole answer: whether it is one, what it comes to, and the same as a stream.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::events::{STOP, event};
use super::scan::{MessagesKind, MessagesScan};
use crate::dialect::text_count::of_whole;
use crate::dialect::{Judged, Metered, told};
use crate::fault::{Fault, FaultKind};
use crate::units::Usage;

fn unmarked(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// What a whole answer consumed; `Err` where it is no JSON object. One that says nothing and does not say
/// why costs nothing, whatever is told; one that only warms a cache says why.
pub(super) fn usage(of: Metered, answer: &[u8]) -> Result<Usage, Fault> {
    let mut scan = MessagesScan::default();
    if !scan.read(unmarked(answer)) {
        let why = "not the JSON object that was expected";
        return Err(Fault::new(FaultKind::InvalidAnswer, why));
    }
    if !scan.has_content || (scan.parts == 0 && !scan.has_ended) {
        return Ok(Usage::default());
    }
    let mut usage = of_whole(&of, scan.counts, &scan.tally);
    scan.beside().put(&mut usage);
    Ok(usage)
}

/// What a whole answer is. Nothing may be said in it: the model may end at once.
pub(super) fn judge(answer: &[u8]) -> Judged {
    if let Some(told) = told::error_in(answer) {
        return Judged::Error(Box::new(told));
    }
    let mut scan = MessagesScan::default();
    let json = unmarked(answer.trim_ascii());
    let is_json = scan.read(json) && serde_json::from_slice::<serde::de::IgnoredAny>(json).is_ok();
    if !is_json {
        return Judged::Nonsense("not the JSON that was expected".to_owned());
    }
    if scan.kind == MessagesKind::Error {
        return Judged::Error(Box::default());
    }
    if scan.has_content && (scan.parts > 0 || scan.has_ended) {
        Judged::Answer
    } else {
        Judged::Nonsense("the JSON holds no answer".to_owned())
    }
}

/// Arguments of calls as they are written: the order of their fields is the model's.
#[derive(Deserialize)]
struct Inputs<'a> {
    #[serde(borrow)]
    content: Vec<Input<'a>>,
}

#[derive(Deserialize)]
struct Input<'a> {
    #[serde(borrow)]
    input: Option<&'a RawValue>,
}

/// A whole answer as the stream that says the same; `None` where it is none.
pub(super) fn as_stream(answer: &[u8]) -> Option<Bytes> {
    let answer = unmarked(answer);
    let inputs: Inputs<'_> = serde_json::from_slice(answer).ok()?;
    let mut message: Value = serde_json::from_slice(answer).ok()?;
    let content = message.get_mut("content")?.take();
    let content = content.as_array()?;
    let taken = |message: &mut Value, name: &str| {
        let value = message.get_mut(name).map(Value::take);
        value.unwrap_or_default()
    };
    let mut delta = json!({
        "stop_reason": taken(&mut message, "stop_reason"),
        "stop_sequence": taken(&mut message, "stop_sequence"),
    });
    let details = taken(&mut message, "stop_details");
    if !details.is_null() {
        delta["stop_details"] = details;
    }
    let usage = message.get("usage").cloned().unwrap_or_default();
    message["content"] = json!([]);
    if let Some(output) = message.pointer_mut("/usage/output_tokens") {
        *output = 0.into();
    }
    let mut bytes = Vec::new();
    write(&mut bytes, "message_start", &json!({"message": message}));
    for (index, (part, input)) in content.iter().zip(inputs.content).enumerate() {
        let (start, deltas) = pieces(part, input.input);
        let block = json!({"index": index, "content_block": start});
        write(&mut bytes, "content_block_start", &block);
        for delta in deltas {
            let block = json!({"index": index, "delta": delta});
            write(&mut bytes, "content_block_delta", &block);
        }
        write(&mut bytes, "content_block_stop", &json!({"index": index}));
    }
    let usage = if usage.is_object() {
        usage
    } else {
        json!({"output_tokens": 0})
    };
    let last = json!({"delta": delta, "usage": usage});
    write(&mut bytes, "message_delta", &last);
    bytes.extend_from_slice(STOP);
    Some(bytes.into())
}

/// An event, whose `type` is its name.
fn write(to: &mut Vec<u8>, name: &str, data: &Value) {
    let mut typed = json!({"type": name});
    if let (Some(typed), Some(data)) = (typed.as_object_mut(), data.as_object()) {
        typed.extend(data.clone());
    }
    event(to, name, typed.to_string().as_bytes());
}

/// How a part begins, and what follows.
fn pieces(part: &Value, input: Option<&RawValue>) -> (Value, Vec<Value>) {
    let mut start = part.clone();
    let mut deltas = Vec::new();
    let mut moved = |name: &str, nothing: Value, delta: &dyn Fn(Value) -> Value| {
        let found = start.get_mut(name).filter(|value| !value.is_null());
        if let Some(value) = found {
            deltas.push(delta(std::mem::replace(value, nothing)));
        }
    };
    match part.get("type").and_then(Value::as_str) {
        Some("text") => {
            moved(
                "text",
                "".into(),
                &|text| json!({"type": "text_delta", "text": text}),
            );
            let citations = part.get("citations").and_then(Value::as_array);
            for citation in citations.into_iter().flatten() {
                deltas.push(json!({"type": "citations_delta", "citation": citation}));
            }
            if let Some(start) = start.as_object_mut() {
                start.remove("citations");
            }
        }
        Some("thinking") => {
            moved(
                "thinking",
                "".into(),
                &|text| json!({"type": "thinking_delta", "thinking": text}),
            );
            moved(
                "signature",
                "".into(),
                &|text| json!({"type": "signature_delta", "signature": text}),
            );
        }
        Some("tool_use" | "server_tool_use") => {
            let text = input.map_or("{}", RawValue::get);
            moved(
                "input",
                json!({}),
                &|_| json!({"type": "input_json_delta", "partial_json": text}),
            );
        }
        _ => {}
    }
    (start, deltas)
}

#[cfg(test)]
mod tests;
