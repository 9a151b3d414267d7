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
mod tests {
    use serde_json::Value;

    use super::*;

    const SHAPE: Shape = Shape {
        chunks: 50,
        body_bytes: 400,
    };

    fn data(event: &Bytes) -> &str {
        let text = std::str::from_utf8(event).unwrap();
        text.strip_prefix("data: ")
            .unwrap()
            .strip_suffix("\n\n")
            .unwrap()
    }

    #[test]
    fn a_stream_is_fifty_chunks_a_finish_and_done() {
        let stream = Wire::new(SHAPE).stream;
        assert_eq!(stream.len(), 52);
        assert_eq!(data(&stream[51]), "[DONE]");
        let finish: Value = serde_json::from_str(data(&stream[50])).unwrap();
        assert_eq!(finish["choices"][0]["finish_reason"], "stop");
        for event in &stream[..50] {
            let chunk: Value = serde_json::from_str(data(event)).unwrap();
            assert!(chunk["choices"][0]["delta"]["content"].is_string());
            assert!((250..=310).contains(&event.len()), "{} bytes", event.len());
        }
    }

    #[test]
    fn usage_is_a_chunk_of_its_own_before_done_when_asked() {
        let stream = Wire::new(SHAPE).stream_with_usage;
        assert_eq!(stream.len(), 53);
        let usage: Value = serde_json::from_str(data(&stream[51])).unwrap();
        assert_eq!(usage["choices"].as_array().map(Vec::len), Some(0));
        assert_eq!(usage["usage"]["total_tokens"], 62);
    }

    #[test]
    fn fixed_answers_are_json_and_the_chat_answer_has_the_asked_length() {
        let wire = Wire::new(SHAPE);
        assert_eq!(wire.chat.len(), 400);
        for body in [&wire.chat, &wire.embeddings, &wire.images, &wire.models] {
            serde_json::from_slice::<Value>(body).unwrap();
        }
    }

    #[test]
    fn stream_and_usage_are_recognised_with_and_without_spaces() {
        let both = MockRequest {
            stream: true,
            usage: true,
        };
        let spaced = br#"{"stream_options": {"include_usage" : true}, "stream": true}"#;
        assert_eq!(MockRequest::read(spaced), both);
        let tight = br#"{"stream":true,"stream_options":{"include_usage":true}}"#;
        assert_eq!(MockRequest::read(tight), both);
        let neither = MockRequest {
            stream: false,
            usage: false,
        };
        assert_eq!(
            MockRequest::read(br#"{"stream":false,"model":"x"}"#),
            neither
        );
        assert_eq!(MockRequest::read(br#"{"stream_options":true}"#), neither);
    }
}
