//! The bytes the mock answers with, made once at start. Leaves sockets and timing to `mock`.

use std::fmt::Write;

use bytes::Bytes;

/// How long the fixed answers are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) chunks: usize,
    pub(crate) body_bytes: usize,
}

/// Every answer of the mock.
#[derive(Debug)]
pub(crate) struct Wire {
    pub(crate) chat: Bytes,
    pub(crate) embeddings: Bytes,
    pub(crate) images: Bytes,
    pub(crate) models: Bytes,
    /// One entry per server-sent event.
    pub(crate) stream: Vec<Bytes>,
    pub(crate) stream_with_usage: Vec<Bytes>,
}

impl Wire {
    pub(crate) fn new(shape: Shape) -> Self {
        Self {
            chat: chat(shape),
            embeddings: Bytes::from_static(EMBEDDINGS.as_bytes()),
            images: Bytes::from_static(IMAGES.as_bytes()),
            models: Bytes::from_static(MODELS.as_bytes()),
            stream: events(shape.chunks, false),
            stream_with_usage: events(shape.chunks, true),
        }
    }
}

/// What a request body asks of the stream. A full parse would cost more than the answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct MockRequest {
    pub(crate) stream: bool,
    pub(crate) usage: bool,
}

impl MockRequest {
    pub(crate) fn read(body: &[u8]) -> Self {
        Self {
            stream: is_true(body, b"\"stream\""),
            usage: is_true(body, b"\"include_usage\""),
        }
    }
}

fn is_true(body: &[u8], name: &[u8]) -> bool {
    memchr::memmem::find_iter(body, name).any(|at| {
        let rest = body[at + name.len()..].trim_ascii_start();
        rest.strip_prefix(b":")
            .is_some_and(|rest| rest.trim_ascii_start().starts_with(b"true"))
    })
}

const EMBEDDINGS: &str = r#"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.0125,-0.25,0.5,0.75,-0.125,0.0625,0.375,-0.875]}],"model":"mock-embedding","usage":{"prompt_tokens":8,"total_tokens":8}}"#;
const IMAGES: &str = r#"{"created":1760000000,"data":[{"b64_json":"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="}],"usage":{"input_tokens":8,"output_tokens":16,"total_tokens":24}}"#;
const MODELS: &str = r#"{"object":"list","data":[{"id":"mock-chat","object":"model","created":1760000000,"owned_by":"bench"}]}"#;

fn chat(shape: Shape) -> Bytes {
    let fixed = chat_text("").len();
    let padding = "Rivers carry what the rain has left. ".chars().cycle();
    let content: String = padding
        .take(shape.body_bytes.saturating_sub(fixed))
        .collect();
    Bytes::from(chat_text(&content))
}

fn chat_text(content: &str) -> String {
    format!(
        r#"{{"id":"chatcmpl-mock","object":"chat.completion","created":1760000000,"model":"mock-chat","choices":[{{"index":0,"message":{{"role":"assistant","content":"{content}"}},"finish_reason":"stop"}}],"usage":{{"prompt_tokens":12,"completion_tokens":50,"total_tokens":62}}}}"#
    )
}

fn events(chunks: usize, usage: bool) -> Vec<Bytes> {
    // Providers send `"usage":null` in the earlier chunks when the last one carries the sums.
    let pending = if usage { r#","usage":null"# } else { "" };
    let mut all = Vec::with_capacity(chunks + 3);
    for index in 0..chunks {
        let role = if index == 0 {
            r#""role":"assistant","#
        } else {
            ""
        };
        let delta = format!(r#"{{{role}"content":" word{index}"}}"#);
        all.push(chunk(&delta, "null", pending));
    }
    all.push(chunk("{}", r#""stop""#, pending));
    if usage {
        all.push(event(&format!(
            r#"{HEAD},"choices":[],"usage":{{"prompt_tokens":12,"completion_tokens":{chunks},"total_tokens":{}}}}}"#,
            chunks + 12
        )));
    }
    all.push(event("[DONE]"));
    all
}

const HEAD: &str = r#"{"id":"chatcmpl-mock0123456789abcdefghijklmn","object":"chat.completion.chunk","created":1760000000,"model":"mock-chat","service_tier":"default","system_fingerprint":"fp_0123456789""#;

fn chunk(delta: &str, finish: &str, pending: &str) -> Bytes {
    event(&format!(
        r#"{HEAD},"choices":[{{"index":0,"delta":{delta},"logprobs":null,"finish_reason":{finish}}}]{pending}}}"#
    ))
}

fn event(data: &str) -> Bytes {
    let mut text = String::with_capacity(data.len() + 8);
    // Writing to a String cannot fail.
    let _ = write!(text, "data: {data}\n\n");
    Bytes::from(text)
}

#[cfg(test)]
mod tests;
