//! Whole answers and streams.

use serde_json::{Value, json};

use super::{TRANSLATOR, shown};
use crate::dialect::neutral::{
    AnswerShown, Candidate, ChatAnswer, ChatEvent, Citation, Part, Signature, SignatureFormat,
    Stop, Thought, ToolCall, Translator,
};
use crate::dialect::openai_responses::OPENAI_RESPONSES;
use crate::dialect::{Dialect, Metered};
use crate::units::{Fact, Unit, Usage};

fn usage() -> Usage {
    let mut usage = Usage::of([
        (Unit::InputToken, 30),
        (Unit::CachedInputToken, 40),
        (Unit::CacheWriteToken, 10),
        (Unit::CacheWriteLongToken, 20),
        (Unit::OutputToken, 6),
        (Unit::ReasoningToken, 44),
    ]);
    usage.facts.note(Fact::Tier, "flex");
    usage
}

const USAGE: &str = r#"{"input_tokens":100,"input_tokens_details":{"cached_tokens":40,"cache_write_tokens":30,
    "cache_write_tokens_details":{"ttl_30m_tokens":10,"ttl_12h_tokens":20}},"output_tokens":50,
    "output_tokens_details":{"reasoning_tokens":44},"total_tokens":150}"#;

fn call(id: &str, arguments: &str) -> Part {
    Part::ToolCall(ToolCall {
        id: id.to_owned(),
        name: "f".to_owned(),
        arguments: arguments.to_owned(),
        signature: None,
        cache: None,
    })
}

fn answer(parts: Vec<Part>, stop: Stop) -> ChatAnswer {
    ChatAnswer {
        id: "x".to_owned(),
        candidates: vec![Candidate { parts, stop }],
        tier: None,
    }
}

fn written(answer: &ChatAnswer) -> Value {
    let body = TRANSLATOR.write_answer(answer, &usage(), &shown());
    serde_json::from_slice(&body).expect("JSON")
}

#[test]
fn an_answer_is_the_response_that_official_clients_want() {
    let thought = Part::Thought(Thought {
        text: "Hm.".to_owned(),
        signature: Some(Signature {
            format: SignatureFormat::Anthropic,
            data: "EqQB".to_owned(),
        }),
    });
    let cited = Part::Text {
        text: "Hi \"你\"".to_owned(),
        citations: vec![Citation {
            url: "https://a.example".to_owned(),
            title: Some("A".to_owned()),
            quote: Some("q".to_owned()),
        }],
        cache: None,
    };
    let parts = vec![
        thought,
        cited,
        Part::Refusal("No.".to_owned()),
        call("", "{}"),
    ];
    let response = written(&answer(parts, Stop::ToolCalls));
    let expected = json!({
        "id": "resp_g1", "object": "response", "created_at": 1_795_000_000, "status": "completed",
        "background": false, "error": null, "incomplete_details": null, "instructions": null,
        "max_output_tokens": null, "max_tool_calls": null, "metadata": {}, "model": "public",
        "output": [
            {"type": "reasoning", "id": "rs_g1_0", "summary": [{"type": "summary_text", "text": "Hm."}], "encrypted_content": "wsa1.EqQB"},
            {"type": "message", "id": "msg_g1_1", "role": "assistant", "status": "completed", "content": [
                {"type": "output_text", "text": "Hi \"你\"", "logprobs": [], "annotations": [
                    {"type": "url_citation", "url": "https://a.example", "title": "A", "start_index": 0, "end_index": 6}]},
                {"type": "refusal", "refusal": "No."}]},
            {"type": "function_call", "id": "fc_g1_2", "call_id": "call_g1_2", "name": "f", "arguments": "{}", "status": "completed"},
        ],
        "parallel_tool_calls": true, "previous_response_id": null,
        "reasoning": {"effort": null, "summary": null}, "store": false, "temperature": null,
        "text": {"format": {"type": "text"}}, "tool_choice": "auto", "tools": [], "top_logprobs": 0,
        "top_p": null, "truncation": "disabled", "user": null, "prompt_cache_key": null, "safety_identifier": null, "service_tier": "flex",
        "usage": serde_json::from_str::<Value>(USAGE).expect("JSON"),
    });
    assert_eq!(response, expected);
    let counted = OPENAI_RESPONSES.usage(Metered::default(), response.to_string().as_bytes());
    assert_eq!(counted.expect("a response"), usage());
}

#[test]
fn a_response_repeats_what_its_request_said() {
    let request = json!({"model": "public", "input": "hi", "instructions": "Be brief.",
        "temperature": 0.5, "metadata": {"a": "b"},
        "tools": [{"type": "function", "name": "f", "parameters": null, "strict": false}]});
    let shown = AnswerShown {
        repeated: OPENAI_RESPONSES.repeated(&request.to_string().into()),
        ..shown()
    };
    let whole = answer(vec![Part::text("Hi")], Stop::End);
    let whole = TRANSLATOR.write_answer(&whole, &usage(), &shown);
    let mut events = Vec::new();
    TRANSLATOR.stream_writer(shown).end(&usage(), &mut events);
    let events = String::from_utf8(events).expect("text");
    let data = events
        .lines()
        .filter_map(|line| line.strip_prefix("data: "));
    let streamed = data.filter_map(|data| {
        let mut event: Value = serde_json::from_str(data).expect("JSON");
        event.get_mut("response").map(Value::take)
    });
    let whole: Value = serde_json::from_slice(&whole).expect("JSON");
    let all: Vec<Value> = std::iter::once(whole).chain(streamed).collect();
    assert!(all.len() >= 3, "{events}");
    for response in all {
        for name in ["instructions", "temperature", "metadata", "tools"] {
            assert_eq!(response[name], request[name], "{name}");
        }
        assert_eq!(response["tool_choice"], "auto");
    }
}

#[test]
fn a_tier_of_another_vendor_is_told_in_openais_words() {
    for (tier, shown) in [("standard", "default"), ("flex", "flex"), ("batch", "")] {
        let mut answer = answer(vec![Part::text("x")], Stop::End);
        answer.tier = Some(tier.to_owned());
        let told = written(&answer);
        assert_eq!(told["service_tier"].as_str().unwrap_or_default(), shown);
    }
}

#[test]
fn why_an_answer_ends_is_said_by_its_status() {
    for (stop, status, reason) in [
        (Stop::End, "completed", Value::Null),
        (Stop::StopText(None), "completed", Value::Null),
        (Stop::MaxTokens, "incomplete", json!("max_output_tokens")),
        (Stop::ContextFull, "incomplete", json!("max_output_tokens")),
        (Stop::Refused(None), "incomplete", json!("content_filter")),
    ] {
        let response = written(&answer(vec![Part::text("Hi")], stop));
        assert_eq!(response["status"], status);
        assert_eq!(response["incomplete_details"]["reason"], reason);
        assert_eq!(response["output"][0]["status"], status);
    }
    let empty = written(&ChatAnswer::default());
    assert_eq!(empty["output"], json!([]));
}

#[test]
fn answers_of_providers_are_read_for_what_they_say() {
    let read = TRANSLATOR.read_answer(
        br#"{"id":"resp_9","status":"completed","service_tier":"priority","output":[
            {"type":"reasoning","id":"rs","summary":[],"content":[{"type":"reasoning_text","text":"raw"}]},
            {"type":"reasoning","id":"rs","summary":[],"encrypted_content":null},
            {"type":"web_search_call","id":"ws"}, 7, null,
            {"type":"message","content":[{"type":"output_text","text":"a\ud83d","annotations":[{"type":"file_citation","file_id":"f"}]}, {"type":"output_text","text":""}]},
            {"type":"custom_tool_call","call_id":"c","name":"g","input":"x\ny"}]}"#,
    );
    let read = read.expect("an answer");
    assert_eq!(
        (read.id.as_str(), read.tier.as_deref()),
        ("resp_9", Some("priority"))
    );
    let candidate = &read.candidates[0];
    assert_eq!(candidate.stop, Stop::ToolCalls);
    assert_eq!(candidate.parts.len(), 3);
    assert_eq!(
        candidate.parts[0],
        Part::Thought(Thought {
            text: "raw".to_owned(),
            signature: None
        })
    );
    let Part::ToolCall(call) = &candidate.parts[2] else {
        panic!("a call")
    };
    assert_eq!(call.arguments, r#"{"input":"x\ny"}"#);
    let cut = TRANSLATOR.read_answer(
        br#"{"status":"incomplete","incomplete_details":{"reason":"content_filter"},"output":[]}"#,
    );
    let stop = &cut.expect("an answer").candidates[0].stop;
    assert_eq!(*stop, Stop::Refused(Some("content_filter".to_owned())));
    for nonsense in [
        "",
        "<html>",
        "[]",
        "{}",
        r#"{"output":null}"#,
        r#"{"output":[]"#,
    ] {
        assert!(
            TRANSLATOR.read_answer(nonsense.as_bytes()).is_err(),
            "{nonsense}"
        );
    }
}

/// The events of a stream as it is written, with their names in front.
fn stream(events: Vec<ChatEvent<'_>>, shown: AnswerShown) -> Vec<Value> {
    let mut writer = TRANSLATOR.stream_writer(shown);
    let mut to = Vec::new();
    for event in events {
        writer.write(event, &mut to);
    }
    writer.end(&usage(), &mut to);
    let text = String::from_utf8(to).expect("text");
    let events = text.split_terminator("\n\n").map(|event| {
        let (name, data) = event.split_once('\n').expect("two lines");
        let data = data.strip_prefix("data: ").expect("data");
        let data: Value = serde_json::from_str(data).expect("JSON");
        assert_eq!(name.strip_prefix("event: "), data["type"].as_str());
        data
    });
    let events: Vec<Value> = events.collect();
    for (at, event) in events.iter().enumerate() {
        assert_eq!(event["sequence_number"], at);
    }
    events
}

fn kinds(events: &[Value]) -> Vec<&str> {
    let kinds = events.iter().filter_map(|event| event["type"].as_str());
    kinds
        .map(|kind| kind.strip_prefix("response.").unwrap_or(kind))
        .collect()
}

fn text(text: &str) -> ChatEvent<'_> {
    ChatEvent::Text {
        answer: 0,
        text: text.into(),
    }
}

fn begun(call: u32) -> ChatEvent<'static> {
    ChatEvent::ToolCall {
        answer: 0,
        call,
        id: format!("call_{call}").into(),
        name: "f".into(),
        signature: None,
    }
}

fn argue(call: u32, json: &str) -> ChatEvent<'_> {
    ChatEvent::Arguments {
        answer: 0,
        call,
        json: json.into(),
    }
}

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "the events of a stream in their order"
)]
fn a_stream_has_every_event_that_clients_build_an_answer_of() {
    let thought = |text: &'static str| ChatEvent::Thought {
        answer: 0,
        text: text.into(),
    };
    let proof = Signature {
        format: SignatureFormat::OpenAi,
        data: "gA".to_owned(),
    };
    let place = Citation {
        url: "https://a.example".to_owned(),
        title: None,
        quote: None,
    };
    let events = stream(
        vec![
            ChatEvent::Begin { id: "x".into() },
            thought("H"),
            thought("m."),
            ChatEvent::Signature {
                answer: 0,
                signature: proof,
            },
            text("Hel"),
            text(""),
            text("lo \"你\"."),
            ChatEvent::Citation {
                answer: 0,
                citation: Box::new(place),
            },
            ChatEvent::Text {
                answer: 1,
                text: "another".into(),
            },
            begun(0),
            argue(0, "{\"a\""),
            begun(1),
            argue(0, ":1}"),
            argue(1, "{}"),
            ChatEvent::Stop {
                answer: 0,
                stop: Stop::ToolCalls,
            },
        ],
        shown(),
    );
    assert_eq!(
        kinds(&events),
        [
            "created",
            "in_progress",
            "output_item.added",
            "reasoning_summary_part.added",
            "reasoning_summary_text.delta",
            "reasoning_summary_text.delta",
            "reasoning_summary_text.done",
            "reasoning_summary_part.done",
            "output_item.done",
            "output_item.added",
            "content_part.added",
            "output_text.delta",
            "output_text.delta",
            "output_text.annotation.added",
            "output_text.done",
            "content_part.done",
            "output_item.done",
            "output_item.added",
            "function_call_arguments.delta",
            "output_item.added",
            "function_call_arguments.delta",
            "function_call_arguments.delta",
            "function_call_arguments.done",
            "output_item.done",
            "function_call_arguments.done",
            "output_item.done",
            "completed",
        ]
    );
    assert_eq!(events[0]["response"]["status"], "in_progress");
    assert_eq!(events[0]["response"]["usage"], Value::Null);
    let response = &events[26]["response"];
    let done = [8, 16, 23, 25].map(|at: usize| events[at]["item"].clone());
    assert_eq!(response["output"], json!(done));
    assert_eq!(done[0]["encrypted_content"], "gA");
    assert_eq!(done[1]["content"][0]["text"], "Hello \"你\".");
    assert_eq!(
        done[1]["content"][0]["annotations"][0],
        events[13]["annotation"]
    );
    assert_eq!(done[2]["arguments"], "{\"a\":1}");
    assert_eq!(done[3]["call_id"], "call_1");
    assert_eq!(
        response["usage"],
        serde_json::from_str::<Value>(USAGE).expect("JSON")
    );
    assert_eq!(response["service_tier"], "flex");
    assert_eq!(events[11]["item_id"], events[9]["item"]["id"]);
    assert_eq!(
        (&events[11]["output_index"], &events[11]["content_index"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(events[11]["logprobs"], json!([]));
}

#[test]
fn a_stream_that_is_cut_off_says_so() {
    let stop = ChatEvent::Stop {
        answer: 0,
        stop: Stop::MaxTokens,
    };
    let events = stream(vec![text("Hel"), stop], shown());
    let last = events.last().expect("events");
    assert_eq!(last["type"], "response.incomplete");
    assert_eq!(
        last["response"]["incomplete_details"]["reason"],
        "max_output_tokens"
    );
    assert_eq!(last["response"]["output"][0]["status"], "incomplete");
    let nothing = stream(vec![], shown());
    assert_eq!(kinds(&nothing), ["created", "in_progress", "completed"]);
    // What is a part of an id is written as JSON.
    let odd = AnswerShown {
        id: "a\"b".to_owned(),
        ..shown()
    };
    let events = stream(vec![text("Hi"), begun(0)], odd);
    assert_eq!(events[0]["response"]["id"], "resp_a\"b");
}

#[test]
fn proofs_of_calls_and_many_calls_have_their_items() {
    let call = |number: u32, signature| ChatEvent::ToolCall {
        answer: 0,
        call: number,
        id: "".into(),
        name: "f".into(),
        signature,
    };
    let proof = Signature {
        format: SignatureFormat::Google,
        data: "Cg==".to_owned(),
    };
    let events = stream(vec![call(0, Some(proof)), argue(0, "{}")], shown());
    let output = &events.last().expect("events")["response"]["output"];
    assert_eq!(output[0]["encrypted_content"], "wsg1.Cg==");
    assert_eq!(output[1]["call_id"], "call_g1_1");
    let mut many: Vec<ChatEvent<'_>> = (0..100).map(|number| call(number, None)).collect();
    many.push(argue(99, "{}"));
    many.push(argue(0, "late"));
    let events = stream(many, shown());
    let output = events.last().expect("events")["response"]["output"].clone();
    let output = output.as_array().expect("items");
    assert_eq!(output.len(), 100);
    assert_eq!(output[99]["arguments"], "{}");
    assert!(
        output
            .iter()
            .enumerate()
            .all(|(at, item)| item["id"] == format!("fc_g1_{at}"))
    );
}

fn read_stream(events: &[String]) -> Vec<String> {
    let mut reader = TRANSLATOR.stream_reader();
    let mut said = Vec::new();
    for event in events {
        reader.read(event.as_bytes(), &mut |event| {
            said.push(format!("{event:?}"));
        });
    }
    said
}

#[test]
fn what_a_provider_says_only_at_the_end_is_said_all_the_same() {
    let message = r#"{"type":"message","id":"m","content":[{"type":"output_text","text":"Hi","annotations":[{"type":"url_citation","url":"u","title":""}]}]}"#;
    let call = r#"{"type":"function_call","id":"f","call_id":"c","name":"g","arguments":"{}"}"#;
    let done = |index: u32, item: &str| {
        format!(
            "data: {{\"type\":\"response.output_item.done\",\"output_index\":{index},\"item\":{item}}}\r\n\r\n"
        )
    };
    let end = format!(
        "data: {{\"response\":{{\"id\":\"r\",\"status\":\"completed\",\"output\":[{message},{call}]}},\"type\":\"response.completed\"}}\n\n"
    );
    let expected = [
        "Begin { id: \"r\" }",
        "Text { answer: 0, text: \"Hi\" }",
        "Citation { answer: 0, citation: Citation { url: \"u\", title: None, quote: None } }",
        "ToolCall { answer: 0, call: 0, id: \"c\", name: \"g\", signature: None }",
        "Arguments { answer: 0, call: 0, json: \"{}\" }",
        "Stop { answer: 0, stop: ToolCalls }",
    ];
    assert_eq!(read_stream(&[end.clone(), end.clone()]), expected);
    let begun = "data: {\"type\":\"response.created\",\"response\":{\"id\":\"r\"}}\n\n".to_owned();
    assert_eq!(
        read_stream(&[begun.clone(), done(0, message), done(1, call), end.clone()]),
        expected
    );
    let delta =
        "data: {\"type\":\"response.output_text.delta\",\"output_index\":0,\"delta\":\"Hi\"}\n\n"
            .to_owned();
    assert_eq!(
        read_stream(&[begun, delta, done(0, message), end]),
        expected
    );
}

#[test]
fn a_thought_is_read_in_one_form_and_its_parts_apart() {
    let event = |kind: &str, part: u32, text: &str| {
        format!(
            "data: {{\"type\":\"response.{kind}\",\"output_index\":0,\"summary_index\":{part},\"delta\":\"{text}\"}}\n\n"
        )
    };
    let said = read_stream(&[
        event("reasoning_summary_part.added", 0, ""),
        event("reasoning_summary_text.delta", 0, "A"),
        event("reasoning_text.delta", 0, "raw"),
        event("reasoning_summary_part.added", 1, ""),
        event("reasoning_summary_text.delta", 1, "B"),
    ]);
    let thought = |text: &str| format!("Thought {{ answer: 0, text: {text:?} }}");
    assert_eq!(said, [thought("A"), thought("\n\n"), thought("B")]);
}
