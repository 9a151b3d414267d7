//! Streams as they are written, put together as official clients do.

use serde_json::{Map, Value, json};

use super::tests::{arguments, begin, call, cow, proof, signature, stop, text, thought};
use super::*;
use crate::dialect::neutral::{
    AnswerShown, ChatEvent, Citation, Media, MediaKind, SignatureFormat, Source, Stop, StreamWriter,
};
use crate::units::{Fact, Unit, Usage};

/// What is written for these events and this usage: its chunks.
fn written(events: Vec<ChatEvent<'static>>, shows_usage: bool, usage: &Usage) -> Vec<Value> {
    let mut writer = ChunkWriter::new(&AnswerShown {
        model: "m \"x\"".to_owned(),
        id: "abc".to_owned(),
        created: 1_796_000_000,
        shows_usage,
        input_estimate: 0,
        repeated: bytes::Bytes::new(),
    });
    let mut bytes = Vec::new();
    for event in events {
        writer.write(event, &mut bytes);
    }
    writer.end(usage, &mut bytes);
    let stream = String::from_utf8(bytes).expect("text");
    let mut events: Vec<&str> = stream
        .split_terminator("\n\n")
        .map(|event| event.strip_prefix("data: ").expect("data"))
        .collect();
    assert_eq!(events.pop(), Some("[DONE]"));
    let chunks: Vec<Value> = events
        .into_iter()
        .map(|event| serde_json::from_str(event).expect("JSON"))
        .collect();
    for chunk in &chunks {
        assert_eq!(chunk["id"], "chatcmpl-abc");
        assert_eq!(chunk["object"], "chat.completion.chunk");
        assert_eq!(chunk["created"], 1_796_000_000_u64);
        assert_eq!(chunk["model"], "m \"x\"");
    }
    chunks
}

/// Puts deltas together as OpenAI's own Python client does: texts are joined, lists by their indexes.
fn joined(whole: &mut Value, delta: &Value) {
    let (Some(whole), Some(delta)) = (whole.as_object_mut(), delta.as_object()) else {
        panic!("objects: {whole} {delta}");
    };
    for (name, value) in delta {
        match whole.get_mut(name) {
            None | Some(Value::Null) => {
                whole.insert(name.clone(), value.clone());
            }
            Some(_) if name == "index" || name == "type" => {}
            Some(Value::String(text)) => text.push_str(value.as_str().expect("a text")),
            Some(Value::Array(list)) => {
                for entry in value.as_array().expect("a list") {
                    let index = entry["index"].as_u64().expect("an index");
                    let place = usize::try_from(index).expect("small");
                    match list.get_mut(place) {
                        Some(known) => joined(known, entry),
                        None => list.push(entry.clone()),
                    }
                }
            }
            Some(object) => joined(object, value),
        }
    }
}

fn message_of(chunks: &[Value], index: u64) -> Value {
    let mut message = Value::Object(Map::new());
    for chunk in chunks {
        for choice in chunk["choices"].as_array().expect("choices") {
            if choice["index"] == index {
                joined(&mut message, &choice["delta"]);
            }
        }
    }
    message
}

#[test]
fn a_stream_is_written_as_openai_does() {
    let events = vec![
        begin("msg_1"),
        text(0, "He"),
        text(0, "llo"),
        call(0, "toolu_1", "f"),
        arguments(0, "{}"),
        stop(0, Stop::ToolCalls),
    ];
    let mut usage = Usage::of([(Unit::InputToken, 3), (Unit::OutputToken, 2)]);
    usage.facts.note(Fact::Tier, "flex");
    let chunks = written(events.clone(), true, &usage);
    let deltas: Vec<&Value> = chunks.iter().map(|chunk| &chunk["choices"]).collect();
    let choice = |delta: Value| json!([{"index": 0, "delta": delta, "logprobs": null, "finish_reason": null}]);
    assert_eq!(
        deltas,
        [
            &choice(json!({"role": "assistant", "content": ""})),
            &choice(json!({"content": "He"})),
            &choice(json!({"content": "llo"})),
            &choice(
                json!({"tool_calls": [{"index": 0, "id": "toolu_1", "type": "function", "function": {"name": "f", "arguments": ""}}]})
            ),
            &choice(json!({"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]})),
            &json!([{"index": 0, "delta": {}, "logprobs": null, "finish_reason": "tool_calls"}]),
            &json!([]),
        ]
    );
    let (last, others) = chunks.split_last().expect("chunks");
    assert_eq!(last["usage"]["total_tokens"], 5);
    assert_eq!(last["service_tier"], "flex");
    assert!(
        others
            .iter()
            .all(|chunk| chunk.get("usage") == Some(&Value::Null))
    );
    let quiet = written(events, false, &usage);
    assert_eq!(quiet.len(), chunks.len() - 1);
    assert!(quiet.iter().all(|chunk| chunk.get("usage").is_none()));
}

#[test]
fn what_was_thought_is_put_together_to_what_can_be_sent_back() {
    use SignatureFormat as F;
    let events = vec![
        thought("one "),
        thought("two"),
        proof(F::Anthropic, "sig"),
        proof(F::AnthropicRedacted, "red"),
        text(0, "Now."),
        thought("three"),
        text(0, "!"),
        thought("four"),
        proof(F::OpenAi, "enc"),
        stop(0, Stop::End),
    ];
    let message = message_of(&written(events, false, &Usage::default()), 0);
    assert_eq!(message["content"], "Now.!");
    assert_eq!(message["reasoning_content"], "one twothreefour");
    assert_eq!(
        message["reasoning_details"],
        json!([
            {"type": "reasoning.text", "text": "one two", "signature": "sig", "format": "anthropic-claude-v1", "index": 0},
            {"type": "reasoning.encrypted", "data": "red", "format": "anthropic-claude-v1", "index": 1},
            {"type": "reasoning.text", "text": "three", "index": 2},
            {"type": "reasoning.text", "text": "four", "format": "openai-responses-v1", "index": 3},
            {"type": "reasoning.encrypted", "data": "enc", "format": "openai-responses-v1", "index": 4},
        ])
    );
}

#[test]
fn a_proof_of_a_call_stands_at_the_call() {
    let events = vec![
        ChatEvent::ToolCall {
            answer: 0,
            call: 0,
            id: cow("c"),
            name: cow("f"),
            signature: Some(signature(SignatureFormat::Google, "sig")),
        },
        arguments(0, "{}"),
    ];
    let message = message_of(&written(events, false, &Usage::default()), 0);
    assert_eq!(
        message["tool_calls"],
        json!([{"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"},
            "extra_content": {"google": {"thought_signature": "sig"}}}])
    );
}

#[test]
fn pictures_and_places_have_indexes_of_their_own() {
    let picture = |data: &str| ChatEvent::Media {
        answer: 0,
        media: Box::new(Media {
            kind: MediaKind::Image,
            media_type: None,
            source: Source::Base64(data.to_owned()),
            name: None,
            detail: None,
            cache: None,
        }),
    };
    let place = |url: &str| ChatEvent::Citation {
        answer: 0,
        citation: Box::new(Citation {
            url: url.to_owned(),
            title: None,
            quote: None,
        }),
    };
    let events = vec![
        text(0, "é1"),
        place("a"),
        place("b"),
        text(0, "345"),
        place("c"),
        picture("AAAA"),
        picture("BBBB"),
        stop(0, Stop::End),
        text(0, "behind the end"),
    ];
    let message = message_of(&written(events, false, &Usage::default()), 0);
    assert_eq!(message["content"], "é1345");
    let places: Vec<(u64, u64)> = message["annotations"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|entry| &entry["url_citation"])
        .map(|held| {
            (
                held["start_index"].as_u64().unwrap(),
                held["end_index"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(places, [(0, 2), (0, 2), (2, 5)]);
    assert_eq!(
        message["images"][1]["image_url"]["url"],
        "data:image/png;base64,BBBB"
    );
}

#[test]
fn every_answer_begins_and_ends_whatever_its_provider_left_out() {
    let chunks = written(
        vec![text(1, "b"), call(0, "c", "f")],
        false,
        &Usage::default(),
    );
    let ends: Vec<(&Value, &Value)> = chunks
        .iter()
        .map(|chunk| &chunk["choices"][0])
        .filter(|choice| !choice["finish_reason"].is_null())
        .map(|choice| (&choice["index"], &choice["finish_reason"]))
        .collect();
    assert_eq!(
        ends,
        [
            (&json!(0), &json!("tool_calls")),
            (&json!(1), &json!("stop"))
        ]
    );
    assert_eq!(
        message_of(&chunks, 1),
        json!({"role": "assistant", "content": "b"})
    );
    let nothing = written(Vec::new(), true, &Usage::default());
    assert_eq!(nothing.len(), 3);
    let far = written(vec![text(u32::MAX, "x")], false, &Usage::default());
    assert_eq!(message_of(&far, 0)["content"], "");
}

#[test]
fn a_refusal_says_why_once() {
    let why = || Stop::Refused(Some("It is harmful.".to_owned()));
    let chunks = written(vec![stop(0, why())], false, &Usage::default());
    assert_eq!(message_of(&chunks, 0)["refusal"], "It is harmful.");
    let word = Stop::Refused(Some("safety".to_owned()));
    let chunks = written(vec![stop(0, word)], false, &Usage::default());
    assert!(
        message_of(&chunks, 0)["refusal"].is_null(),
        "a word is for programs"
    );
    let told = ChatEvent::Refusal {
        answer: 0,
        text: cow("words"),
    };
    let chunks = written(vec![told, stop(0, why())], false, &Usage::default());
    assert_eq!(message_of(&chunks, 0)["refusal"], "words");
    let last = &chunks[chunks.len() - 1]["choices"][0];
    assert_eq!(last["finish_reason"], "content_filter");
}
