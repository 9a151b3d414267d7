//! What providers write: chunks, whole answers and errors in OpenAI's layout, as a base for cases.

use serde_json::{Value, json};

use super::script::{Framing, Script};

/// The end of a stream.
pub(crate) const DONE: &str = "data: [DONE]\n\n";

/// A JSON value as one event.
pub(crate) fn event(value: &Value) -> String {
    format!("data: {value}\n\n")
}

/// A chunk with one choice.
pub(crate) fn chunk(delta: &Value, finish: Option<&str>) -> Value {
    json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_764_000_000,
        "model": "their-name", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})
}

/// A piece of text.
pub(crate) fn text(words: &str) -> String {
    event(&chunk(&json!({"content": words}), None))
}

/// The end of the only choice.
pub(crate) fn finish(reason: &str) -> String {
    event(&chunk(&json!({}), Some(reason)))
}

/// A chunk without choices that counts.
pub(crate) fn usage(usage: &Value) -> String {
    event(
        &json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_764_000_000,
        "model": "their-name", "choices": [], "usage": usage}),
    )
}

/// What most cases count: 2 credits.
pub(crate) fn two_credits() -> Value {
    json!({"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100})
}

/// The usual first half: a role, two words, the end of the choice.
pub(crate) fn well() -> String {
    [
        event(&chunk(&json!({"role": "assistant", "content": ""}), None)),
        text("all "),
        text("well"),
        finish("stop"),
    ]
    .concat()
}

/// A stream of events.
pub(crate) fn sse(body: impl Into<Vec<u8>>) -> Script {
    Script::new(200, "text/event-stream").body(body)
}

/// A stream as it should be, for 2 credits.
pub(crate) fn good_stream() -> Script {
    sse([&well(), &usage(&two_credits()), DONE].concat())
}

/// A whole answer with that usage; `Null` for none.
pub(crate) fn whole(content: &str, usage: &Value) -> Script {
    let mut body = json!({"id": "chatcmpl-1", "object": "chat.completion", "created": 1_764_000_000,
        "model": "their-name", "choices": [{"index": 0, "message": {"role": "assistant",
        "content": content}, "finish_reason": "stop"}]});
    if !usage.is_null() {
        body["usage"] = usage.clone();
    }
    answer(200, &body)
}

/// A whole answer as it should be, for 2 credits.
pub(crate) fn good_whole() -> Script {
    whole("all well", &two_credits())
}

/// JSON with a status.
pub(crate) fn answer(status: u16, body: &Value) -> Script {
    error(status, &body.to_string())
}

/// An answer with a status and a body as it stands.
pub(crate) fn error(status: u16, body: &str) -> Script {
    Script::new(status, "application/json")
        .framed(Framing::Length)
        .body(body)
}

/// Pages of proxies in front of providers.
pub(crate) fn page(status: u16) -> Script {
    let page = "<html><head><title>Oops</title></head><body><h1>Bad gateway</h1></body></html>";
    Script::new(status, "text/html; charset=UTF-8")
        .framed(Framing::Length)
        .body(page)
}

/// The list of models, which tells that a key is good.
pub(crate) fn models() -> Script {
    answer(
        200,
        &json!({"object": "list", "data": [{"id": "their-name", "object": "model"}]}),
    )
}

/// `bytes` as gzip without compression: headers, one stored block for each 32 KiB, check sums.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let blocks: Vec<&[u8]> = bytes.chunks(32 * 1024).collect();
    for (n, block) in blocks.iter().enumerate() {
        out.push(u8::from(n + 1 == blocks.len()));
        let length = u16::try_from(block.len()).expect("small");
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&(!length).to_le_bytes());
        out.extend_from_slice(block);
    }
    out.extend_from_slice(&crc32(bytes).to_le_bytes());
    let length = u32::try_from(bytes.len()).expect("small");
    out.extend_from_slice(&length.to_le_bytes());
    out
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    !crc
}
