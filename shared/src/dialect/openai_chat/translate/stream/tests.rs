//! Streams as providers send them, and as official clients put them together.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::*;
use crate::dialect::neutral::{
    ChatEvent, Citation, Media, MediaKind, Signature, SignatureFormat, Source, Stop, StreamReader,
};

fn read(events: &[&str]) -> Vec<ChatEvent<'static>> {
    let mut reader = ChunkReader::default();
    let mut found = Vec::new();
    for event in events {
        reader.read(event.as_bytes(), &mut |event| found.push(owned(event)));
    }
    found
}

/// The events of one choice's deltas; the last may be the whole choice.
fn deltas(deltas: &[Value]) -> Vec<ChatEvent<'static>> {
    let chunks = deltas.iter().map(|delta| {
        let choice = if delta.get("delta").is_some() || delta.get("finish_reason").is_some() {
            delta.clone()
        } else {
            json!({"index": 0, "delta": delta, "finish_reason": null})
        };
        format!("data: {}\n\n", json!({"id": "gen-1", "choices": [choice]}))
    });
    let chunks: Vec<String> = chunks.collect();
    let chunks: Vec<&str> = chunks.iter().map(String::as_str).collect();
    let mut events = read(&chunks);
    assert_eq!(events.remove(0), begin("gen-1"));
    events
}

pub(super) fn cow(text: &str) -> Cow<'static, str> {
    Cow::Owned(text.to_owned())
}

pub(in super::super) fn owned(event: ChatEvent<'_>) -> ChatEvent<'static> {
    match event {
        ChatEvent::Begin { id } => begin(&id),
        ChatEvent::Text { answer, text } => ChatEvent::Text {
            answer,
            text: cow(&text),
        },
        ChatEvent::Refusal { answer, text } => ChatEvent::Refusal {
            answer,
            text: cow(&text),
        },
        ChatEvent::Thought { answer, text } => ChatEvent::Thought {
            answer,
            text: cow(&text),
        },
        ChatEvent::Signature { answer, signature } => ChatEvent::Signature { answer, signature },
        ChatEvent::ToolCall {
            answer,
            call,
            id,
            name,
            signature,
        } => ChatEvent::ToolCall {
            answer,
            call,
            id: cow(&id),
            name: cow(&name),
            signature,
        },
        ChatEvent::Arguments { answer, call, json } => ChatEvent::Arguments {
            answer,
            call,
            json: cow(&json),
        },
        ChatEvent::Media { answer, media } => ChatEvent::Media { answer, media },
        ChatEvent::Citation { answer, citation } => ChatEvent::Citation { answer, citation },
        ChatEvent::Stop { answer, stop } => ChatEvent::Stop { answer, stop },
    }
}

pub(super) fn begin(id: &str) -> ChatEvent<'static> {
    ChatEvent::Begin { id: cow(id) }
}

pub(super) fn text(answer: u32, text: &str) -> ChatEvent<'static> {
    ChatEvent::Text {
        answer,
        text: cow(text),
    }
}

pub(super) fn thought(text: &str) -> ChatEvent<'static> {
    ChatEvent::Thought {
        answer: 0,
        text: cow(text),
    }
}

pub(super) fn call(call: u32, id: &str, name: &str) -> ChatEvent<'static> {
    ChatEvent::ToolCall {
        answer: 0,
        call,
        id: cow(id),
        name: cow(name),
        signature: None,
    }
}

pub(super) fn arguments(call: u32, json: &str) -> ChatEvent<'static> {
    ChatEvent::Arguments {
        answer: 0,
        call,
        json: cow(json),
    }
}

pub(super) fn stop(answer: u32, stop: Stop) -> ChatEvent<'static> {
    ChatEvent::Stop { answer, stop }
}

pub(super) fn proof(format: SignatureFormat, data: &str) -> ChatEvent<'static> {
    ChatEvent::Signature {
        answer: 0,
        signature: signature(format, data),
    }
}

pub(super) fn signature(format: SignatureFormat, data: &str) -> Signature {
    Signature {
        format,
        data: data.to_owned(),
    }
}

#[test]
fn a_stream_of_openai_is_read() {
    let chunk = |rest: &str| {
        format!("data: {{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",{rest}}}\n\n")
    };
    let events = [
        chunk(
            r#""choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"finish_reason":null}],"usage":null"#,
        ),
        chunk(
            r#""choices":[{"index":0,"delta":{"content":"He"},"logprobs":null,"finish_reason":null}],"obfuscation":"xx""#,
        ),
        chunk(
            r#""choices":[{"index":1,"delta":{"content":"Hi \ud83d\ude00"},"finish_reason":null}]"#,
        ),
        chunk(r#""choices":[{"index":0,"delta":{"content":"llo"},"finish_reason":null}]"#),
        chunk(r#""choices":[{"index":0,"delta":{},"finish_reason":"stop"}]"#),
        chunk(r#""choices":[{"index":1,"delta":{},"finish_reason":"length"}]"#),
        chunk(r#""choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}"#),
        "data: [DONE]\n\n".to_owned(),
    ];
    let events: Vec<&str> = events.iter().map(String::as_str).collect();
    assert_eq!(
        read(&events),
        [
            begin("chatcmpl-1"),
            text(0, "He"),
            text(1, "Hi 😀"),
            text(0, "llo"),
            stop(0, Stop::End),
            stop(1, Stop::MaxTokens),
        ]
    );
}

#[test]
fn parallel_calls_come_in_pieces_by_their_indexes() {
    let piece = |index: u32, more: Value| {
        let mut entry = json!({"index": index});
        for (name, value) in more.as_object().expect("an object") {
            entry[name] = value.clone();
        }
        json!({"tool_calls": [entry]})
    };
    let events = deltas(&[
        piece(
            0,
            json!({"id": "a", "type": "function", "function": {"name": "f", "arguments": ""}}),
        ),
        piece(0, json!({"function": {"arguments": "{\"x\""}})),
        piece(
            1,
            json!({"id": "b", "type": "function", "function": {"name": "g", "arguments": ""}}),
        ),
        piece(0, json!({"function": {"arguments": ":1}"}})),
        piece(1, json!({"function": {"arguments": "{}"}})),
        json!({"index": 0, "delta": {}, "finish_reason": "tool_calls"}),
    ]);
    assert_eq!(
        events,
        [
            call(0, "a", "f"),
            arguments(0, "{\"x\""),
            call(1, "b", "g"),
            arguments(0, ":1}"),
            arguments(1, "{}"),
            stop(0, Stop::ToolCalls),
        ]
    );
}

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "a table of what is sent and what it means"
)]
fn calls_are_told_apart_however_a_vendor_writes_them() {
    let calls = |entries: Value| json!({"tool_calls": entries});
    let whole = |index: Option<u32>, id: Option<&str>, name: &str| {
        let mut entry = json!({"type": "function", "function": {"name": name, "arguments": "{}"}});
        if let Some(index) = index {
            entry["index"] = index.into();
        }
        if let Some(id) = id {
            entry["id"] = id.into();
        }
        entry
    };
    let two = [
        call(0, "a", "f"),
        arguments(0, "{}"),
        call(1, "b", "f"),
        arguments(1, "{}"),
    ];
    // Both at once, with indexes, all of them zero, or without.
    for (one, other) in [(Some(0), Some(1)), (Some(0), Some(0)), (None, None)] {
        let entries = json!([whole(one, Some("a"), "f"), whole(other, Some("b"), "f")]);
        assert_eq!(deltas(&[calls(entries)]), two, "{one:?} {other:?}");
    }
    // Without ids they get some.
    let made = deltas(&[calls(json!([
        whole(None, None, "f"),
        whole(None, None, "f")
    ]))]);
    assert_eq!(made[0], call(0, "call_gen10_0", "f"));
    assert_eq!(made[2], call(1, "call_gen10_1", "f"));
    // The id and the name are told again with every piece.
    let piece = |json: &str| {
        let function = json!({"name": "f", "arguments": json});
        calls(json!([{"index": 0, "id": "a", "type": "function", "function": function}]))
    };
    let pieces = deltas(&[piece("{"), piece("}")]);
    assert_eq!(
        pieces,
        [call(0, "a", "f"), arguments(0, "{"), arguments(0, "}")]
    );
    // Another id with every piece, or an empty one, is no other call.
    let piece = |id: &str, name: Value, json: &str| {
        calls(json!([{"index": 0, "id": id, "function": {"name": name, "arguments": json}}]))
    };
    let pieces = deltas(&[
        piece("a", json!("f"), ""),
        piece("", json!(null), "{"),
        piece("z", json!(""), "}"),
    ]);
    assert_eq!(
        pieces,
        [call(0, "a", "f"), arguments(0, "{"), arguments(0, "}")]
    );
    // The name behind the arguments, an object as arguments, the older form.
    let late = deltas(&[
        calls(json!([{"index": 0, "id": "a", "function": {"arguments": "{"}}])),
        calls(json!([{"index": 0, "function": {"name": "f", "arguments": "}"}}])),
    ]);
    assert_eq!(
        late,
        [call(0, "a", "f"), arguments(0, "{"), arguments(0, "}")]
    );
    let object = deltas(&[calls(
        json!([{"id": "a", "function": {"name": "f", "arguments": {"x": [1]}}}]),
    )]);
    assert_eq!(object, [call(0, "a", "f"), arguments(0, "{\"x\":[1]}")]);
    let old = deltas(&[
        json!({"function_call": {"name": "f", "arguments": ""}}),
        json!({"function_call": {"arguments": "{}"}}),
        json!({"index": 0, "delta": {}, "finish_reason": "function_call"}),
    ]);
    assert_eq!(
        old,
        [
            call(0, "call_gen10_0", "f"),
            arguments(0, "{}"),
            stop(0, Stop::ToolCalls)
        ]
    );
}

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "a table of what is sent and what it means"
)]
fn thoughts_and_their_proofs_are_read_from_every_vendor() {
    use SignatureFormat as F;
    assert_eq!(
        deltas(&[
            json!({"reasoning_content": "a"}),
            json!({"reasoning": "b", "content": ""})
        ]),
        [thought("a"), thought("b")]
    );
    // OpenRouter tells each piece twice.
    let entry = |rest: Value| {
        let mut entry =
            json!({"type": "reasoning.text", "format": "anthropic-claude-v1", "index": 0});
        for (name, value) in rest.as_object().expect("an object") {
            entry[name] = value.clone();
        }
        json!([entry])
    };
    assert_eq!(
        deltas(&[
            json!({"reasoning": "a", "reasoning_details": entry(json!({"text": "a"}))}),
            json!({"reasoning_details": entry(json!({"text": "b"}))}),
            json!({"reasoning": null, "reasoning_details": entry(json!({"signature": "sig"}))}),
            json!({"content": "c"}),
        ]),
        [
            thought("a"),
            thought("b"),
            proof(F::Anthropic, "sig"),
            text(0, "c")
        ]
    );
    // All of it once more, with what proves it.
    assert_eq!(
        deltas(&[
            json!({"reasoning_content": "a"}),
            json!({"reasoning_content": "b"}),
            json!({"reasoning_details": entry(json!({"text": "ab", "signature": "sig"}))}),
        ]),
        [thought("a"), thought("b"), proof(F::Anthropic, "sig")]
    );
    let encrypted = |format: &str| json!({"reasoning_details": [{"type": "reasoning.encrypted", "data": "d", "format": format, "id": "c"}]});
    assert_eq!(
        deltas(&[
            encrypted("anthropic-claude-v1"),
            encrypted("openai-responses-v1"),
            encrypted("xai-responses-v1")
        ]),
        [proof(F::AnthropicRedacted, "d"), proof(F::OpenAi, "d")]
    );
    // Mistral's stand in the content.
    assert_eq!(
        deltas(&[
            json!({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "a"}]}]}),
            json!({"content": [{"type": "text", "text": "b"}]}),
        ]),
        [thought("a"), text(0, "b")]
    );
    // Of Google's calls, at the call or before or behind it.
    let signed = ChatEvent::ToolCall {
        answer: 0,
        call: 0,
        id: cow("c"),
        name: cow("f"),
        signature: Some(signature(F::Google, "d")),
    };
    let call_c = json!({"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f"}}]});
    let mut at_call = call_c.clone();
    at_call["tool_calls"][0]["extra_content"] = json!({"google": {"thought_signature": "d"}});
    assert_eq!(deltas(&[at_call]), std::slice::from_ref(&signed));
    assert_eq!(
        deltas(&[encrypted("google-gemini-v1"), call_c.clone()]),
        [signed]
    );
    assert_eq!(
        deltas(&[call_c, encrypted("google-gemini-v1")]),
        [call(0, "c", "f"), proof(F::Google, "d")]
    );
    assert_eq!(
        deltas(&[
            encrypted("google-gemini-v1"),
            json!({"index": 0, "delta": {}, "finish_reason": "stop"}),
        ]),
        [proof(F::Google, "d"), stop(0, Stop::End)]
    );
}

#[test]
fn what_else_vendors_stream_is_read() {
    let picture = Media {
        kind: MediaKind::Image,
        media_type: Some("image/png".to_owned()),
        source: Source::Base64("iVBO".to_owned()),
        name: None,
        detail: None,
        cache: None,
    };
    let events = deltas(&[
        json!({"refusal": "No."}),
        json!({"annotations": [{"type": "url_citation", "url_citation": {"url": "https://e"}}]}),
        json!({"images": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBO"}}]}),
        json!({"audio": {"transcript": "Hi."}}),
        json!({"index": 0, "delta": {"content": "last"}, "finish_reason": "stop", "stop_reason": "END"}),
        json!({"content": "behind the end"}),
        json!({"index": 0, "delta": {}, "finish_reason": "stop"}),
    ]);
    let citation = Citation {
        url: "https://e".to_owned(),
        ..Citation::default()
    };
    assert_eq!(
        events,
        [
            ChatEvent::Refusal {
                answer: 0,
                text: cow("No."),
            },
            ChatEvent::Citation {
                answer: 0,
                citation: Box::new(citation),
            },
            ChatEvent::Media {
                answer: 0,
                media: Box::new(picture),
            },
            text(0, "Hi."),
            text(0, "last"),
            stop(0, Stop::StopText(Some("END".to_owned()))),
        ]
    );
    // A message where the delta should be, no index, carriage returns, no blank, null fields.
    assert_eq!(
        read(&[
            "data:{\"id\":null,\"choices\":[{\"message\":{\"content\":\"x\",\"tool_calls\":null},\"finish_reason\":\"\"}]}\r\n\r\n"
        ]),
        [text(0, "x")]
    );
    assert_eq!(
        read(&[
            ": OPENROUTER PROCESSING\n\n",
            "data: {\"id\":\"\",\"choices\":[],\"prompt_filter_results\":[]}\n\n",
            "data: {\"id\":\"late\",\"choices\":[{\"index\":400,\"delta\":{\"content\":\"far\"}}]}\n\n",
            "data: {\"id\":\"late\",\"choices\":7}\n\n",
            "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"cut off",
        ]),
        [begin("late")]
    );
}
