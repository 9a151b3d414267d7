//! Whole answers in both directions.

use serde_json::{Value, json};

use super::tests::{picture, read};
use super::*;
use crate::dialect::neutral::{
    Candidate, Citation, Part, Signature, SignatureFormat, Source, Thought, ToolCall,
};
use crate::units::Fact;

fn shown() -> AnswerShown {
    AnswerShown {
        model: "tenant/model".to_owned(),
        id: "gen_1".to_owned(),
        created: 7,
        shows_usage: true,
        input_estimate: 12,
        repeated: bytes::Bytes::new(),
    }
}

fn answer(parts: Vec<Part>, stop: Stop) -> ChatAnswer {
    ChatAnswer {
        id: "chatcmpl-1".to_owned(),
        candidates: vec![Candidate { parts, stop }],
        tier: None,
    }
}

fn shown_answer(answer: &ChatAnswer, usage: &Usage) -> Value {
    let bytes = TRANSLATOR.write_answer(answer, usage, &shown());
    serde_json::from_slice(&bytes).expect("JSON")
}

#[test]
fn an_answer_is_shown_with_its_usage() {
    let parts = vec![
        Part::Thought(Thought {
            text: "Hm.".to_owned(),
            signature: Some(Signature {
                format: SignatureFormat::OpenAi,
                data: "gAAA".to_owned(),
            }),
        }),
        Part::Text {
            text: "It is.".to_owned(),
            citations: vec![Citation {
                url: "https://x.test".to_owned(),
                title: None,
                quote: Some("q".to_owned()),
            }],
            cache: None,
        },
        Part::ToolCall(ToolCall {
            id: "functions.f:0".to_owned(),
            name: "f".to_owned(),
            arguments: "{\"b\":1,\"a\":2}".to_owned(),
            signature: Some(Signature {
                format: SignatureFormat::Google,
                data: "CpwB".to_owned(),
            }),
            cache: None,
        }),
    ];
    let mut usage = Usage::of([
        (Unit::InputToken, 10),
        (Unit::InputImageToken, 5),
        (Unit::CachedInputToken, 600),
        (Unit::CacheWriteToken, 40),
        (Unit::CacheWriteLongToken, 50),
        (Unit::OutputToken, 7),
        (Unit::ReasoningToken, 20),
        (Unit::Search, 2),
    ]);
    usage.facts.note(Fact::Tier, "flex");
    let expected = json!({
        "id": "msg_gen_1", "type": "message", "role": "assistant", "model": "tenant/model",
        "content": [
            {"type": "thinking", "thinking": "Hm.", "signature": "wso1.gAAA"},
            {"type": "text", "text": "It is.", "citations": [
                {"type": "web_search_result_location", "cited_text": "q", "url": "https://x.test", "title": null, "encrypted_index": ""},
            ]},
            {"type": "thinking", "thinking": "", "signature": "wsg1.CpwB"},
            {"type": "tool_use", "id": "functions_f_0", "name": "f", "input": {"b": 1, "a": 2}},
        ],
        "stop_reason": "tool_use", "stop_sequence": null,
        "usage": {
            "input_tokens": 15, "cache_creation_input_tokens": 90, "cache_read_input_tokens": 600,
            "cache_creation": {"ephemeral_5m_input_tokens": 40, "ephemeral_1h_input_tokens": 50},
            "output_tokens": 27, "output_tokens_details": {"thinking_tokens": 20},
            "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 0},
            "service_tier": "standard",
        },
    });
    // The provider said that all was said, and clients run tools only where they are told to.
    assert_eq!(shown_answer(&answer(parts, Stop::End), &usage), expected);
}

#[test]
fn a_signature_at_a_call_comes_back_to_it() {
    let message = shown_answer(
        &answer(
            vec![Part::ToolCall(ToolCall {
                id: "c".to_owned(),
                name: "f".to_owned(),
                arguments: "{}".to_owned(),
                signature: Some(Signature {
                    format: SignatureFormat::Google,
                    data: "CpwB".to_owned(),
                }),
                cache: None,
            })],
            Stop::ToolCalls,
        ),
        &Usage::default(),
    );
    let request = read(&json!({
        "model": "m", "max_tokens": 5, "messages": [{"role": "assistant", "content": message["content"]}],
    }));
    let [Part::ToolCall(call)] = request.turns[0].parts.as_slice() else {
        panic!("a call and nothing else");
    };
    let data = call
        .signature
        .as_ref()
        .map(|signature| signature.data.as_str());
    assert_eq!(data, Some("CpwB"));
}

#[test]
fn every_end_has_its_word_in_both_directions() {
    for (stop, reason) in [
        (Stop::End, "end_turn"),
        (Stop::MaxTokens, "max_tokens"),
        (Stop::ContextFull, "model_context_window_exceeded"),
        (Stop::StopText(Some("END".to_owned())), "stop_sequence"),
        (Stop::StopText(None), "stop_sequence"),
        (Stop::ToolCalls, "tool_use"),
        (Stop::Refused(Some("why".to_owned())), "refusal"),
        (Stop::Refused(None), "refusal"),
        (Stop::Paused, "pause_turn"),
    ] {
        let message = shown_answer(&answer(Vec::new(), stop.clone()), &Usage::default());
        assert_eq!(message["stop_reason"], reason);
        let back = TRANSLATOR
            .read_answer(message.to_string().as_bytes())
            .expect("an answer");
        assert_eq!(back.candidates[0].stop, stop);
    }
    let refused = answer(vec![Part::Refusal("No.".to_owned())], Stop::End);
    let message = shown_answer(&refused, &Usage::default());
    assert_eq!(message["stop_reason"], "refusal");
    assert_eq!(message["stop_details"]["explanation"], "No.");
    assert_eq!(message["content"][0]["text"], "No.");
    let odd = br#"{"content":[{"type":"server_tool_use","id":"s"},{"type":"new"},{"type":"text","text":"x"}],"stop_reason":"unheard_of"}"#;
    let read = TRANSLATOR.read_answer(odd).expect("an answer");
    assert_eq!(
        read.candidates[0],
        Candidate {
            parts: vec![Part::text("x")],
            stop: Stop::End
        }
    );
    let picture = answer(
        vec![Part::Media(picture(
            Source::Base64("AAAA".to_owned()),
            Some("image/webp"),
        ))],
        Stop::End,
    );
    let message = shown_answer(&picture, &Usage::default());
    assert_eq!(
        message["content"][0]["text"],
        "![image](data:image/webp;base64,AAAA)"
    );
    assert!(TRANSLATOR.read_answer(b"{}").is_err());
}
