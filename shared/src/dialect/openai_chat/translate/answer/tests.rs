//! Whole answers as providers give them, and as tenants get them.

use serde_json::{Value, json};

use super::*;
use crate::dialect::neutral::{AnswerShown, Signature, SignatureFormat, Thought};
use crate::dialect::openai_chat::OPENAI_CHAT;
use crate::dialect::{Dialect, Judged, Metered};
use crate::units::{Fact, Unit, Usage};

fn shown() -> AnswerShown {
    AnswerShown {
        model: "m".to_owned(),
        id: "abc".to_owned(),
        created: 1_796_000_000,
        shows_usage: true,
        input_estimate: 0,
        repeated: bytes::Bytes::new(),
    }
}

fn written(answer: &ChatAnswer, usage: &Usage) -> Value {
    let bytes = write(answer, usage, &shown());
    assert_eq!(OPENAI_CHAT.judge(&bytes), Judged::Answer);
    serde_json::from_slice(&bytes).expect("JSON")
}

fn of(parts: Vec<Part>, stop: Stop) -> ChatAnswer {
    ChatAnswer {
        id: "x".to_owned(),
        candidates: vec![Candidate { parts, stop }],
        tier: None,
    }
}

fn read_choice(choice: &Value) -> Candidate {
    let answer = json!({"id": "gen-17", "choices": [choice]});
    let mut read = read(answer.to_string().as_bytes()).expect("an answer");
    read.candidates.remove(0)
}

#[test]
fn an_answer_is_written_as_openai_does() {
    let citation = Citation {
        url: "https://example.com".to_owned(),
        title: Some("Example".to_owned()),
        quote: Some("what stands there".to_owned()),
    };
    let cited = Part::Text {
        text: "Ünder the sea.".to_owned(),
        citations: vec![citation],
        cache: None,
    };
    let call = ToolCall {
        id: "toolu_1".to_owned(),
        name: "f".to_owned(),
        arguments: "{\"a\":1}".to_owned(),
        signature: Some(Signature {
            format: SignatureFormat::Google,
            data: "sig".to_owned(),
        }),
        cache: None,
    };
    let thought = Thought {
        text: "hm".to_owned(),
        signature: Some(Signature {
            format: SignatureFormat::Anthropic,
            data: "proof".to_owned(),
        }),
    };
    let parts = vec![
        Part::Thought(thought),
        Part::text("Well. "),
        cited,
        Part::ToolCall(call),
    ];
    let mut usage = Usage::of([(Unit::InputToken, 7), (Unit::OutputToken, 5)]);
    usage.facts.note(Fact::Tier, "flex");
    let expected = json!({
        "id": "chatcmpl-abc", "object": "chat.completion", "created": 1_796_000_000_u64, "model": "m",
        "choices": [{
            "index": 0, "logprobs": null, "finish_reason": "tool_calls",
            "message": {
                "role": "assistant", "content": "Well. Ünder the sea.", "refusal": null,
                "reasoning_content": "hm",
                "reasoning_details": [{"type": "reasoning.text", "text": "hm", "signature": "proof", "format": "anthropic-claude-v1", "index": 0}],
                "annotations": [{"type": "url_citation", "index": 0, "url_citation": {
                    "start_index": 6, "end_index": 20, "url": "https://example.com", "title": "Example", "content": "what stands there",
                }}],
                "tool_calls": [{"id": "toolu_1", "type": "function", "function": {"name": "f", "arguments": "{\"a\":1}"},
                    "extra_content": {"google": {"thought_signature": "sig"}}}],
            },
        }],
        "usage": {
            "prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
        },
        "service_tier": "flex",
    });
    assert_eq!(written(&of(parts, Stop::End), &usage), expected);
}

#[test]
fn tiers_of_others_are_told_in_openais_words_or_not_at_all() {
    for (tier, shown) in [
        ("standard", json!("default")),
        ("priority", json!("priority")),
        ("batch", Value::Null),
        ("on_demand_2", Value::Null),
    ] {
        let mut answer = of(vec![Part::text("x")], Stop::End);
        answer.tier = Some(tier.to_owned());
        let usage = Usage::default();
        assert_eq!(written(&answer, &usage)["service_tier"], shown, "{tier}");
    }
}

#[test]
fn usage_is_told_as_totals_with_their_parts_and_counts_again_to_the_same() {
    let usage = Usage::of([
        (Unit::InputToken, 10),
        (Unit::CachedInputToken, 20),
        (Unit::CacheWriteToken, 3),
        (Unit::CacheWriteLongToken, 4),
        (Unit::InputAudioToken, 5),
        (Unit::InputImageToken, 6),
        (Unit::OutputToken, 100),
        (Unit::ReasoningToken, 50),
    ]);
    let answer = of(vec![Part::text("x")], Stop::End);
    assert_eq!(
        written(&answer, &usage)["usage"],
        json!({
            "prompt_tokens": 48, "completion_tokens": 150, "total_tokens": 198,
            "prompt_tokens_details": {"cached_tokens": 20, "audio_tokens": 5, "cache_write_tokens": 7, "image_tokens": 6},
            "completion_tokens_details": {"reasoning_tokens": 50, "audio_tokens": 0},
        })
    );
    let bytes = write(&answer, &usage, &shown());
    let counted = OPENAI_CHAT
        .usage(Metered::default(), &bytes)
        .expect("counted");
    assert_eq!((counted.input_total(), counted.output_total()), (48, 150));
    assert_eq!(counted.count(Unit::CachedInputToken), 20);
    assert_eq!(counted.count(Unit::CacheWriteToken), 7);
    assert_eq!(counted.count(Unit::ReasoningToken), 50);
}

#[test]
fn why_an_answer_ends_is_told_in_openais_words() {
    let call = || {
        Part::ToolCall(ToolCall {
            id: "c".to_owned(),
            name: "f".to_owned(),
            arguments: "{}".to_owned(),
            signature: None,
            cache: None,
        })
    };
    for (parts, stop, word) in [
        (vec![], Stop::End, "stop"),
        (vec![call()], Stop::End, "tool_calls"),
        (vec![call()], Stop::ToolCalls, "tool_calls"),
        (vec![call()], Stop::MaxTokens, "length"),
        (vec![], Stop::StopText(Some("END".to_owned())), "stop"),
        (vec![], Stop::ContextFull, "length"),
        (vec![], Stop::Paused, "length"),
        (vec![], Stop::Refused(None), "content_filter"),
    ] {
        let answer = written(&of(parts, stop.clone()), &Usage::default());
        assert_eq!(answer["choices"][0]["finish_reason"], word, "{stop:?}");
    }
}

#[test]
fn a_refusal_says_why_in_its_field() {
    let why = Some("It is about weapons.".to_owned());
    let answer = written(
        &of(Vec::new(), Stop::Refused(why.clone())),
        &Usage::default(),
    );
    let choice = &answer["choices"][0];
    assert_eq!(choice["message"]["content"], Value::Null);
    assert_eq!(choice["message"]["refusal"], "It is about weapons.");
    assert_eq!(choice["finish_reason"], "content_filter");
    assert_eq!(read_choice(choice).stop, Stop::Refused(why));
    let own = json!({"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": null, "refusal": "I won't."}});
    let read = read_choice(&own);
    assert_eq!(read.parts, [Part::Refusal("I won't.".to_owned())]);
    assert_eq!(read.stop, Stop::End);
    let empty = written(&of(Vec::new(), Stop::End), &Usage::default());
    assert_eq!(empty["choices"][0]["message"]["content"], "");
}

#[test]
fn why_it_ends_is_read_in_the_words_of_many() {
    for (choice, expected) in [
        (json!({"finish_reason": "stop"}), Stop::End),
        (json!({"finish_reason": "eos"}), Stop::End),
        (json!({"finish_reason": null}), Stop::End),
        (json!({}), Stop::End),
        (json!({"finish_reason": "length"}), Stop::MaxTokens),
        (json!({"finish_reason": "MAX_TOKENS"}), Stop::MaxTokens),
        (json!({"finish_reason": "model_length"}), Stop::ContextFull),
        (json!({"finish_reason": "sensitive"}), Stop::Refused(None)),
        (json!({"finish_reason": "function_call"}), Stop::ToolCalls),
        (
            json!({"finish_reason": "stop", "stop_reason": "END"}),
            Stop::StopText(Some("END".to_owned())),
        ),
        (
            json!({"finish_reason": "stop", "stop_reason": 151_645}),
            Stop::End,
        ),
    ] {
        assert_eq!(read_choice(&choice).stop, expected, "{choice}");
    }
}

#[test]
fn answers_of_many_vendors_are_read() {
    let message = json!({
        "role": "assistant", "content": [
            {"type": "thinking", "thinking": [{"type": "text", "text": "first"}]},
            {"type": "text", "text": "a"}, {"type": "text", "text": "b"},
        ],
        "annotations": [{"type": "url_citation", "url_citation": {"url": "https://e", "title": "E"}}, {"type": "file_citation"}],
        "images": [{"type": "image_url", "image_url": {"url": "data:image/webp;base64,UklG"}}],
        "tool_calls": [
            {"type": "function", "function": {"name": "f", "arguments": {"a": 1}}},
            {"id": "given", "function": {"name": "g", "arguments": "{}"}},
            {"id": "nameless", "function": {}},
        ],
    });
    let read = read_choice(&json!({"message": message, "finish_reason": "stop"}));
    assert_eq!(read.stop, Stop::ToolCalls, "some say that it simply ends");
    let [
        Part::Thought(thought),
        Part::Text {
            text, citations, ..
        },
        Part::Media(media),
        Part::ToolCall(one),
        Part::ToolCall(two),
    ] = read.parts.as_slice()
    else {
        panic!("{:?}", read.parts);
    };
    assert_eq!(thought.text, "first");
    assert_eq!((text.as_str(), citations.len()), ("ab", 1));
    assert_eq!(media.media_type.as_deref(), Some("image/webp"));
    assert_eq!(
        (one.id.as_str(), one.arguments.as_str()),
        ("call_gen170_0", "{\"a\":1}")
    );
    assert_eq!(two.id, "given");
}

#[test]
fn spoken_answers_and_pictures_are_told() {
    let media = |kind, source| {
        Part::Media(Media {
            kind,
            media_type: None,
            source,
            name: None,
            detail: None,
            cache: None,
        })
    };
    let parts = vec![
        media(MediaKind::Image, Source::Base64("AAAA".to_owned())),
        media(MediaKind::Image, Source::Url("https://e/a.png".to_owned())),
        media(MediaKind::Audio, Source::Base64("UklG".to_owned())),
        media(MediaKind::Document, Source::Id("f".to_owned())),
    ];
    let answer = written(&of(parts, Stop::End), &Usage::default());
    let message = &answer["choices"][0]["message"];
    let image = |index: u32, url: &str| json!({"type": "image_url", "image_url": {"url": url}, "index": index});
    assert_eq!(
        message["images"],
        json!([
            image(0, "data:image/png;base64,AAAA"),
            image(1, "https://e/a.png")
        ])
    );
    assert_eq!(message["audio"]["data"], "UklG");
    let spoken = json!({"message": {"content": null, "audio": {"id": "a", "data": "UklG", "transcript": "Hi."}}});
    let read = read_choice(&spoken);
    assert_eq!(read.parts.len(), 2);
    assert_eq!(read.parts[0], Part::text("Hi."));
}

#[test]
fn several_answers_come_in_the_order_of_their_indexes() {
    let choice = |index: u32, text: &str| json!({"index": index, "message": {"content": text}, "finish_reason": "stop"});
    let answer =
        json!({"id": "x", "service_tier": "flex", "choices": [choice(1, "b"), choice(0, "a")]});
    let read = read(answer.to_string().as_bytes()).expect("an answer");
    let texts: Vec<&Part> = read.candidates.iter().map(|one| &one.parts[0]).collect();
    assert_eq!(texts, [&Part::text("a"), &Part::text("b")]);
    assert_eq!(read.tier.as_deref(), Some("flex"));
    let back = written(&read, &Usage::default());
    assert_eq!(back["choices"][1]["index"], 1);
    assert_eq!(back["service_tier"], "flex");
}

#[test]
fn what_is_no_answer_is_a_fault() {
    for nonsense in [
        "",
        "[]",
        "{}",
        "{\"choices\":7}",
        "<html>",
        "{\"choices\":[}",
    ] {
        let fault = read(nonsense.as_bytes()).expect_err(nonsense);
        assert_eq!(fault.kind, FaultKind::InvalidAnswer);
    }
    let marked = "\u{feff}{\"choices\":[null,7,{\"message\":null}]}";
    assert_eq!(read(marked.as_bytes()).expect("read").candidates.len(), 3);
}
