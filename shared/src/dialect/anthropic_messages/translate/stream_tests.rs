//! Streams as providers send them and as tenants see them.

use serde_json::{Value, json};

use super::*;
use crate::dialect::anthropic_messages::events::STOP;
use crate::dialect::neutral::{
    ChatEvent, Citation, Media, MediaKind, Signature, SignatureFormat, Source,
};

/// What a provider's events say, a line each; pieces of one text are one line.
fn read(events: &[&str]) -> Vec<String> {
    let mut reader = TRANSLATOR.stream_reader();
    let mut lines = Vec::new();
    for event in events {
        let event = format!("event: x\ndata: {event}\n\n");
        reader.read(event.as_bytes(), &mut |event| lines.push(line(&event)));
    }
    lines
}

fn line(event: &ChatEvent<'_>) -> String {
    match event {
        ChatEvent::Begin { id } => format!("begin {id}"),
        ChatEvent::Text { text, .. } => format!("text {text}"),
        ChatEvent::Refusal { text, .. } => format!("refusal {text}"),
        ChatEvent::Thought { text, .. } => format!("thought {text}"),
        ChatEvent::Signature { signature, .. } => {
            format!("signature {:?} {}", signature.format, signature.data)
        }
        ChatEvent::ToolCall { call, id, name, .. } => format!("call {call} {id} {name}"),
        ChatEvent::Arguments { call, json, .. } => format!("arguments {call} {json}"),
        ChatEvent::Media { .. } => "media".to_owned(),
        ChatEvent::Citation { citation, .. } => format!("citation {}", citation.url),
        ChatEvent::Stop { stop, .. } => format!("stop {stop:?}"),
    }
}

#[test]
fn a_providers_stream_is_read_event_by_event() {
    let lines = read(&[
        r#"{"type":"message_start","message":{"id":"msg_01","content":[],"usage":{"input_tokens":25}}}"#,
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}"#,
        r#"{"type":"ping"}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Hm\n\u6c49."}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"EqQB"}}"#,
        r#"{"type":"content_block_stop","index":0}"#,
        r#"{"type":"content_block_start","index":1,"content_block":{"type":"redacted_thinking","data":"EmwK"}}"#,
        r#"{"type":"content_block_stop","index":1}"#,
        r#"{"index":2,"content_block":{"text":"","type":"text"},"type":"content_block_start"}"#,
        r#"{"delta":{"text":"Hello","type":"text_delta"},"index":2,"type":"content_block_delta"}"#,
        r#"{"type":"content_block_delta","index":2,"delta":{"type":"citations_delta","citation":{"type":"web_search_result_location","url":"https://x.test","title":null}}}"#,
        r#"{"type":"content_block_stop","index":2}"#,
        r#"{"type":"content_block_start","index":3,"content_block":{"type":"server_tool_use","id":"s","name":"web_search","input":{}}}"#,
        r#"{"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":"{\"query\":1}"}}"#,
        r#"{"type":"content_block_stop","index":3}"#,
        r#"{"type":"content_block_start","index":4,"content_block":{"type":"tool_use","id":"toolu_1","name":"f","input":{}}}"#,
        r#"{"type":"content_block_delta","index":4,"delta":{"type":"input_json_delta","partial_json":""}}"#,
        r#"{"type":"content_block_delta","index":4,"delta":{"type":"input_json_delta","partial_json":"{\"a\":"}}"#,
        r#"{"type":"content_block_delta","index":4,"delta":{"type":"input_json_delta","partial_json":"1}"}}"#,
        r#"{"type":"content_block_stop","index":4}"#,
        r#"{"type":"content_block_start","index":5,"content_block":{"type":"tool_use","id":"toolu_2","name":"g","input":{}}}"#,
        r#"{"type":"content_block_stop","index":5}"#,
        r#"{"type":"content_block_start","index":6,"content_block":{"type":"tool_use","id":"toolu_3","name":"h","input":{"z":1,"a":2}}}"#,
        r#"{"type":"content_block_stop","index":6}"#,
        r#"{"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":9}}"#,
        r#"{"type":"message_stop"}"#,
    ]);
    assert_eq!(
        lines,
        [
            "begin msg_01",
            "thought Hm\n\u{6c49}.",
            "signature Anthropic EqQB",
            "signature AnthropicRedacted EmwK",
            "text Hello",
            "citation https://x.test",
            "call 0 toolu_1 f",
            "arguments 0 {\"a\":",
            "arguments 0 1}",
            "call 1 toolu_2 g",
            "arguments 1 {}",
            "call 2 toolu_3 h",
            "arguments 2 {\"z\":1,\"a\":2}",
            "stop ToolCalls",
        ]
    );
}

#[test]
fn ends_and_oddities_are_read() {
    for (event, expected) in [
        (
            r#"{"type":"message_delta","delta":{"stop_reason":"stop_sequence","stop_sequence":"END"}}"#,
            &["stop StopText(Some(\"END\"))"][..],
        ),
        (
            r#"{"type":"message_delta","delta":{"stop_reason":"refusal","stop_details":{"type":"refusal","category":"bio","explanation":"why"}}}"#,
            &["stop Refused(Some(\"why\"))"],
        ),
        (
            r#"{"type":"message_delta","delta":{"stop_reason":null}}"#,
            &[],
        ),
        (r#"{"type":"message_delta","delta":null}"#, &[]),
        (
            r#"{"type":"content_block_delta","index":9,"delta":{"type":"input_json_delta","partial_json":"{}"}}"#,
            &[],
        ),
        (r#"{"type":"content_block_stop","index":9}"#, &[]),
        (
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":"at once"}}"#,
            &["text at once"],
        ),
        (
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":7}}"#,
            &[],
        ),
        (
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"\ud83d"}}"#,
            &["text \\ud83d"],
        ),
        (r#"{"type":"error","error":{}}"#, &[]),
        (r#"{"type":"future"}"#, &[]),
        ("[]", &[]),
        ("", &[]),
    ] {
        assert_eq!(read(&[event]), expected, "{event}");
    }
}

fn shown() -> AnswerShown {
    AnswerShown {
        model: "m".to_owned(),
        id: "gen_1".to_owned(),
        created: 7,
        shows_usage: true,
        input_estimate: 12,
        repeated: bytes::Bytes::new(),
    }
}

/// What a tenant is sent of these events.
fn written(events: Vec<ChatEvent<'static>>, usage: &Usage) -> Vec<Value> {
    let mut writer = TRANSLATOR.stream_writer(shown());
    let mut bytes = Vec::new();
    for event in events {
        writer.write(event, &mut bytes);
    }
    writer.end(usage, &mut bytes);
    assert!(bytes.ends_with(STOP));
    let text = String::from_utf8(bytes).expect("text");
    let events = text.split_terminator("\n\n").map(|event| {
        let (name, data) = event.split_once("\ndata: ").expect("two lines");
        let data: Value = serde_json::from_str(data).expect("JSON");
        assert_eq!(name.strip_prefix("event: "), data["type"].as_str());
        data
    });
    events.collect()
}

/// The message that an official client puts together of a stream; it refuses what is out of order.
fn gathered(events: &[Value]) -> Value {
    let mut message = Value::Null;
    let mut open = None;
    let mut arguments: Vec<String> = Vec::new();
    for event in events {
        let at = usize::try_from(event["index"].as_u64().unwrap_or(0)).expect("small");
        match event["type"].as_str().expect("a type") {
            "message_start" => message = event["message"].clone(),
            "content_block_start" => {
                assert_eq!(open.replace(at), None, "one part at a time");
                let content = message["content"].as_array_mut().expect("a list");
                assert_eq!(content.len(), at, "parts are numbered");
                content.push(event["content_block"].clone());
                arguments.push(String::new());
            }
            "content_block_delta" => {
                let block = &mut message["content"][at];
                let delta = &event["delta"];
                let (field, kind) = match delta["type"].as_str().expect("a type") {
                    "text_delta" => ("text", "text"),
                    "thinking_delta" => ("thinking", "thinking"),
                    "signature_delta" => ("signature", "thinking"),
                    "citations_delta" => {
                        block["citations"] = json!([delta["citation"]]);
                        continue;
                    }
                    _ => {
                        assert_eq!(block["type"], "tool_use");
                        arguments[at].push_str(delta["partial_json"].as_str().expect("a text"));
                        continue;
                    }
                };
                assert_eq!(block["type"], kind);
                let before = block[field].as_str().expect("a text").to_owned();
                block[field] = (before + delta[field].as_str().expect("a text")).into();
            }
            "content_block_stop" => assert_eq!(open.take(), Some(at), "it was open"),
            "message_delta" => {
                for (name, value) in event["delta"].as_object().expect("an object") {
                    message[name] = value.clone();
                }
                message["usage"] = event["usage"].clone();
            }
            "message_stop" => assert_eq!(open, None),
            other => panic!("{other}"),
        }
    }
    for (at, arguments) in arguments.iter().enumerate().filter(|(_, a)| !a.is_empty()) {
        message["content"][at]["input"] = serde_json::from_str(arguments).expect("JSON");
    }
    message
}

fn say(text: &'static str) -> ChatEvent<'static> {
    let text = text.into();
    ChatEvent::Text { answer: 0, text }
}

fn think(text: &'static str) -> ChatEvent<'static> {
    let text = text.into();
    ChatEvent::Thought { answer: 0, text }
}

fn prove(format: SignatureFormat, data: &str) -> Signature {
    let data = data.to_owned();
    Signature { format, data }
}

fn call(call: u32, id: &'static str, signature: Option<Signature>) -> ChatEvent<'static> {
    ChatEvent::ToolCall {
        answer: 0,
        call,
        id: id.into(),
        name: "f".into(),
        signature,
    }
}

fn argue(call: u32, json: &'static str) -> ChatEvent<'static> {
    ChatEvent::Arguments {
        answer: 0,
        call,
        json: json.into(),
    }
}

fn stop(stop: Stop) -> ChatEvent<'static> {
    ChatEvent::Stop { answer: 0, stop }
}

#[test]
fn a_tenant_sees_one_part_after_another() {
    use SignatureFormat as F;
    let usage = Usage::of([
        (Unit::InputToken, 10),
        (Unit::CachedInputToken, 5),
        (Unit::OutputToken, 7),
        (Unit::ReasoningToken, 2),
    ]);
    let events = written(
        vec![
            ChatEvent::Begin { id: "x".into() },
            think("Let me "),
            think("see."),
            ChatEvent::Signature {
                answer: 0,
                signature: prove(F::OpenAi, "gAAA"),
            },
            ChatEvent::Signature {
                answer: 0,
                signature: prove(F::AnthropicRedacted, "EmwK"),
            },
            say(""),
            say("Hel"),
            say("lo \"you\"\n"),
            ChatEvent::Citation {
                answer: 0,
                citation: Box::new(Citation {
                    url: "https://x.test".to_owned(),
                    ..Citation::default()
                }),
            },
            call(0, "functions.f:0", Some(prove(F::Google, "CpwB"))),
            argue(0, "{\"a\":"),
            argue(0, "1}"),
            call(1, "", None),
            argue(1, ""),
            // Of another answer, of which this format has none.
            ChatEvent::Text {
                answer: 1,
                text: "no".into(),
            },
            stop(Stop::End),
        ],
        &usage,
    );
    let message = gathered(&events);
    assert_eq!(events[0]["message"]["usage"]["input_tokens"], 12);
    let expected = json!({
        "id": "msg_gen_1", "type": "message", "role": "assistant", "model": "m",
        "content": [
            {"type": "thinking", "thinking": "Let me see.", "signature": "wso1.gAAA"},
            {"type": "redacted_thinking", "data": "EmwK"},
            {"type": "text", "text": "Hello \"you\"\n", "citations": [
                {"type": "web_search_result_location", "cited_text": "", "url": "https://x.test", "title": null, "encrypted_index": ""},
            ]},
            {"type": "thinking", "thinking": "", "signature": "wsg1.CpwB"},
            {"type": "tool_use", "id": "functions_f_0", "name": "f", "input": {"a": 1}},
            {"type": "tool_use", "id": "call_5", "name": "f", "input": {}},
        ],
        "stop_reason": "tool_use", "stop_sequence": null,
        "usage": {
            "input_tokens": 10, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 5,
            "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
            "output_tokens": 9, "output_tokens_details": {"thinking_tokens": 2},
        },
    });
    assert_eq!(message, expected);
}

#[test]
fn calls_whose_arguments_come_mixed_lose_none() {
    let events = written(
        vec![
            call(0, "a", None),
            call(1, "b", None),
            argue(0, "{\"x\":1}"),
            argue(1, "{\"y\":2}"),
            stop(Stop::ToolCalls),
        ],
        &Usage::default(),
    );
    let message = gathered(&events);
    assert_eq!(message["content"][0]["input"], json!({"x": 1}));
    assert_eq!(message["content"][1]["input"], json!({"y": 2}));
}

#[test]
fn a_stream_of_nothing_and_one_that_is_refused_end_well() {
    let events = written(Vec::new(), &Usage::default());
    assert_eq!(gathered(&events)["stop_reason"], "end_turn");
    let refusal = ChatEvent::Refusal {
        answer: 0,
        text: "No.".into(),
    };
    let events = written(vec![refusal, stop(Stop::End)], &Usage::default());
    let message = gathered(&events);
    assert_eq!(message["stop_reason"], "refusal");
    assert_eq!(
        message["stop_details"],
        json!({"type": "refusal", "category": null, "explanation": "No."})
    );
    assert_eq!(message["content"][0]["text"], "No.");
    let media = Media {
        kind: MediaKind::Image,
        media_type: None,
        source: Source::Url("https://x.test/a.png".to_owned()),
        name: None,
        detail: None,
        cache: None,
    };
    let media = ChatEvent::Media {
        answer: 0,
        media: Box::new(media),
    };
    let message = gathered(&written(vec![media], &Usage::default()));
    assert_eq!(
        message["content"][0]["text"],
        "![image](https://x.test/a.png)"
    );
}

#[test]
#[ignore = "measures"]
fn an_event_is_translated_in_so_much_time() {
    let event = br#"event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hello, this is more of a text.\n"}}

"#;
    let mut reader = TRANSLATOR.stream_reader();
    let mut writer = TRANSLATOR.stream_writer(shown());
    let mut bytes = Vec::with_capacity(64 * 1024 * 1024);
    let begun = std::time::Instant::now();
    let rounds: u32 = 100_000;
    for _ in 0..rounds {
        reader.read(event, &mut |event| writer.write(event, &mut bytes));
    }
    eprintln!("{:?} an event, read and written", begun.elapsed() / rounds);
}
