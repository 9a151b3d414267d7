//! The mock's answers have the asked length and form, and its reading of requests bears spaces.

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
