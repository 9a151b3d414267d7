//! What a response repeats of its request, as OpenAI's do, where its answer comes from another vendor.

use bytes::Bytes;

use super::output::put;
use crate::json;

/// Each field, and what stands there where the request does not say it. Official clients want them to be
/// there (OpenAI's SDK for Python 3.57: `Response`). Nothing is kept, whatever a request says.
const FIELDS: [(&str, &str); 17] = [
    ("instructions", "null"),
    ("max_output_tokens", "null"),
    ("max_tool_calls", "null"),
    ("metadata", "{}"),
    ("parallel_tool_calls", "true"),
    ("previous_response_id", "null"),
    ("prompt_cache_key", "null"),
    ("reasoning", "{\"effort\":null,\"summary\":null}"),
    ("safety_identifier", "null"),
    ("temperature", "null"),
    ("text", "{\"format\":{\"type\":\"text\"}}"),
    ("tool_choice", "\"auto\""),
    ("tools", "[]"),
    ("top_logprobs", "0"),
    ("top_p", "null"),
    ("truncation", "\"disabled\""),
    ("user", "null"),
];
/// Three events of a stream repeat it all: longer fields are not repeated.
const FIELD_BYTES_MAX: usize = 128 * 1024;

/// The fields with commas between them, as `body` says them. `body` is one that was read already: of what is
/// no JSON nothing is repeated.
pub(super) fn of(body: &[u8]) -> Bytes {
    let Ok(found) = json::fields(body, FIELDS.map(|(name, _)| name)) else {
        return written(|_| None);
    };
    written(|at| {
        let raw = found[at]?.get();
        (raw != "null" && raw.len() <= FIELD_BYTES_MAX).then_some(raw)
    })
}

/// The same of a request that is not known any more.
pub(super) fn usual() -> Bytes {
    written(|_| None)
}

/// What is repeated in an answer that is shown with `repeated`.
pub(super) fn shown(repeated: Bytes) -> Bytes {
    if repeated.is_empty() {
        usual()
    } else {
        repeated
    }
}

fn written<'a>(said: impl Fn(usize) -> Option<&'a str>) -> Bytes {
    let mut out = b"\"store\":false".to_vec();
    for (at, (name, usual)) in FIELDS.iter().enumerate() {
        put(&mut out, &[",\"", name, "\":"]);
        let raw = said(at).unwrap_or(usual);
        // An event is one line, and between JSON's values a break is a blank.
        out.extend(raw.bytes().map(|byte| match byte {
            b'\n' | b'\r' => b' ',
            other => other,
        }));
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn value(echo: &[u8]) -> Value {
        let text = String::from_utf8(echo.to_vec()).expect("UTF-8");
        serde_json::from_str(&format!("{{{text}}}")).expect("fields")
    }

    #[test]
    fn what_a_request_says_is_repeated_and_else_what_is_usual() {
        let body = json!({"model": "m", "input": "hi", "instructions": "Be brief.", "store": true,
            "metadata": {"a": "b"}, "temperature": 0.5, "top_p": null,
            "tools": [{"type": "function", "name": "f", "parameters": {}}], "tool_choice": "required",
            "reasoning": {"effort": "low"}, "max_output_tokens": 9});
        let told = value(&of(body.to_string().as_bytes()));
        for name in [
            "instructions",
            "metadata",
            "temperature",
            "tools",
            "tool_choice",
            "reasoning",
            "max_output_tokens",
        ] {
            assert_eq!(told[name], body[name], "{name}");
        }
        assert_eq!(
            (&told["store"], &told["top_p"]),
            (&json!(false), &Value::Null)
        );
        assert_eq!(told["truncation"], "disabled");
        assert!(told.get("input").is_none());
        let nothing = value(&usual());
        assert_eq!(nothing, value(&of(b"{}")));
        assert_eq!(nothing, value(&of(b"<")));
        let keys = |value: &Value| value.as_object().map(serde_json::Map::len);
        assert_eq!(keys(&nothing), keys(&told));
    }

    #[test]
    fn it_stands_on_one_line_and_is_not_endless() {
        let echo = of(b"{\"metadata\":{\r\n\"a\":\n\"b\\n\"}}");
        assert!(!echo.contains(&b'\n') && !echo.contains(&b'\r'));
        assert_eq!(value(&echo)["metadata"], json!({"a": "b\n"}));
        let long = json!({"instructions": "x".repeat(FIELD_BYTES_MAX), "user": "u"});
        let told = value(&of(long.to_string().as_bytes()));
        assert_eq!(
            (&told["instructions"], &told["user"]),
            (&Value::Null, &json!("u"))
        );
    }
}
