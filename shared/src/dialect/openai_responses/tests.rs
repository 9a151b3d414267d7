//! What a tenant's request is read as, what of it is refused, and how it goes to a provider that speaks the
//! same dialect; whole answers and beginnings of streams.

use serde_json::{Value, json};

use super::*;
use crate::dialect::{Output, Quirks, Verdict};
use crate::link::Bounds;
use crate::units::{Fact, Unit};

fn read(json: &Value) -> Result<Asked, BadBody> {
    let body = Body::of_json(&json.to_string());
    OPENAI_RESPONSES.read(&Head::default(), &body)
}

fn of(mut fields: Value) -> Value {
    let base = json!({"model": "m", "input": "Hi"});
    for (name, value) in base.as_object().expect("an object") {
        if fields.get(name).is_none() {
            fields[name] = value.clone();
        }
    }
    fields
}

fn refused(fields: Value) -> (Option<&'static str>, String) {
    let wrong = read(&of(fields.clone()));
    let wrong = wrong.expect_err(&format!("{fields} is taken"));
    (wrong.param, wrong.message)
}

fn metered(output_max: u64) -> Metered {
    Metered {
        show_usage: true,
        echoed: 0,
        searches: crate::dialect::Searches::default(),
        input_bytes: 400,
        bounds: Some(Bounds {
            input_estimate: 100,
            input_max: 1_000,
            output_max,
        }),
    }
}

#[test]
fn a_request_says_its_model_its_maximum_and_how_it_is_answered() {
    let asked = read(&of(json!({
        "stream": true, "max_output_tokens": 64, "service_tier": "flex", "store": true,
        "instructions": "Be brief.", "include": ["reasoning.encrypted_content"],
        "stream_options": {"include_obfuscation": false}, "background": false, "prompt": null,
        "text": {"format": {"type": "text"}}, "reasoning": {"effort": "low"}, "metadata": {"a": "b"},
    })))
    .expect("a request");
    assert_eq!((asked.model.as_str(), asked.stream), ("m", true));
    assert!(asked.show_usage, "the last event tells it");
    assert_eq!(asked.output, Output::UpTo(Some(64)));
    assert_eq!(asked.bounds.facts.get(Fact::Tier), Some("flex"));
    assert!((5..30).contains(&asked.input_estimate));
    let asked = read(&of(json!({}))).expect("a request");
    assert_eq!(asked.output, Output::UpTo(None));
    let long = read(&of(json!({"input": "word ".repeat(400)}))).expect("a request");
    assert!((400..700).contains(&long.input_estimate), "{long:?}");
}

#[test]
fn what_can_not_be_answered_or_counted_is_refused() {
    for (fields, param) in [
        (json!({"background": true}), "background"),
        (
            json!({"previous_response_id": "resp_1"}),
            "previous_response_id",
        ),
        (json!({"conversation": {"id": "conv_1"}}), "conversation"),
        (json!({"prompt": {"id": "pmpt_1"}}), "prompt"),
        (json!({"service_tier": "priority"}), "service_tier"),
        (json!({"input": []}), "input"),
        (json!({"input": {"role": "user"}}), "input"),
        (
            json!({"input": [{"type": "item_reference", "id": "msg_1"}]}),
            "input",
        ),
        (json!({"input": [{"id": "msg_1"}]}), "input"),
        (json!({"input": [{"type": null, "id": "msg_1"}]}), "input"),
        (json!({"store": "yes"}), "store"),
        (json!({"max_output_tokens": 0}), "max_output_tokens"),
        (json!({"Tools": []}), "tools"),
        (
            json!({"input": [{"type": "additional_tools", "role": "developer", "tools": [{"type": "web_search"}]}]}),
            "tools",
        ),
    ] {
        assert_eq!(refused(fields.clone()).0, Some(param), "{fields}");
    }
    let none = read(&json!({"model": "m"})).expect_err("no input");
    assert_eq!(none.param, Some("input"));
}

#[test]
fn tools_pass_that_run_at_the_caller_and_no_others() {
    let function = json!({"type": "function", "name": "f", "parameters": {"type": "object"}});
    for tool in [
        function.clone(),
        json!({"type": "custom", "name": "c"}),
        json!({"type": "local_shell"}),
        json!({"type": "apply_patch"}),
        json!({"type": "shell", "environment": {"type": "local"}}),
        json!({"type": "namespace", "name": "n", "description": "d", "tools": [function]}),
        json!({"type": "tool_search", "execution": "client"}),
    ] {
        let asked = read(&of(json!({"tools": [tool]})));
        assert!(asked.is_ok(), "{tool}: {asked:?}");
    }
    for tool in [
        json!({"type": "web_search"}),
        json!({"type": "web_search_preview"}),
        json!({"type": "file_search", "vector_store_ids": ["vs_1"]}),
        json!({"type": "code_interpreter", "container": {"type": "auto"}}),
        json!({"type": "image_generation"}),
        json!({"type": "computer_use_preview"}),
        json!({"type": "mcp", "server_label": "s"}),
        json!({"type": "shell"}),
        json!({"type": "shell", "environment": {"type": "container_auto"}}),
        json!({"type": "shell", "environment": {"type": "local"}, "Environment": {"type": "container_auto"}}),
        json!({"type": "tool_search"}),
        json!({"type": "programmatic_tool_calling"}),
        json!({"type": "namespace", "name": "n", "tools": [{"type": "web_search"}]}),
        json!({"type": "function", "Type": "web_search"}),
        json!({"name": "f"}),
        json!("web_search"),
    ] {
        let (param, message) = refused(json!({"tools": [{"type": "function", "name": "f"}, tool]}));
        assert_eq!(param, Some("tools"), "{tool}");
        assert!(message.contains("billed on top"), "{message}");
    }
}

#[test]
fn a_maximum_is_set_in_its_one_field() {
    for (body, expected) in [
        (
            json!({"model": "m", "input": "Hi", "max_output_tokens": 9000}),
            json!({"model": "m", "input": "Hi", "max_output_tokens": 50}),
        ),
        (
            json!({"model": "m", "input": "Hi", "max_output_tokens": null}),
            json!({"model": "m", "input": "Hi", "max_output_tokens": 50}),
        ),
        (
            json!({"model": "m", "input": "Hi"}),
            json!({"max_output_tokens": 50, "model": "m", "input": "Hi"}),
        ),
    ] {
        let asked = read(&body).expect("a request");
        let changed = OPENAI_RESPONSES.with_maximum(&body.to_string().into(), &asked, 50);
        let changed: Value = serde_json::from_slice(&changed).expect("JSON");
        assert_eq!(changed, expected);
    }
}

fn forwarded(body: &Value) -> Value {
    let to = Forward {
        model: "gpt-6-astra",
        asks_usage: true,
        quirks: Quirks::default(),
        end_user: None,
    };
    let body = OPENAI_RESPONSES
        .forwarded(&body.to_string().into(), to)
        .expect("a request");
    serde_json::from_slice(&body).expect("JSON")
}

#[test]
fn nothing_is_kept_at_the_provider_whatever_the_tenant_asks() {
    let input = "Hi";
    let model = "gpt-6-astra";
    for (fields, expected) in [
        (json!({}), json!({"store": false})),
        (json!({"store": null}), json!({"store": false})),
        (json!({"store": false}), json!({"store": false})),
        (json!({"store": true}), json!({"store": false})),
        (
            json!({"reasoning": {"effort": "low"}}),
            json!({"reasoning": {"effort": "low"}, "store": false, "include": ["reasoning.encrypted_content"]}),
        ),
        (
            json!({"reasoning": {"effort": "low"}, "store": false, "include": []}),
            json!({"reasoning": {"effort": "low"}, "store": false, "include": []}),
        ),
        (
            json!({"reasoning": {"effort": "low"}, "include": ["message.output_text.logprobs"]}),
            json!({
                "reasoning": {"effort": "low"}, "store": false,
                "include": ["message.output_text.logprobs", "reasoning.encrypted_content"],
            }),
        ),
    ] {
        let mut expected = expected;
        expected["model"] = json!(model);
        expected["input"] = json!(input);
        assert_eq!(forwarded(&of(fields.clone())), expected, "{fields}");
    }
}

#[test]
fn thoughts_that_can_not_be_read_there_do_not_go_there() {
    let user = json!({"role": "user", "content": "Hi \"reasoning\""});
    let own =
        json!({"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAAA"});
    let other =
        json!({"type": "reasoning", "id": "rs_2", "summary": [], "encrypted_content": "wsa1.EqQB"});
    let bare = json!({"type": "reasoning", "id": "rs_3", "summary": [{"type": "summary_text", "text": "x"}]});
    let all = json!([user, own, other, bare]);
    let left = forwarded(&of(json!({"input": all})));
    assert_eq!(left["input"], json!([user, own]));
    let left = forwarded(&of(json!({"input": all, "store": true})));
    assert_eq!(left["input"], json!([user, own]), "nothing is kept there");
    let left = forwarded(&of(json!({"input": [other]})));
    assert_eq!(left["input"], json!([]));
}

fn response(fields: Value) -> String {
    let mut all = json!({
        "id": "resp_1", "object": "response", "created_at": 7, "status": "completed", "error": null,
        "incomplete_details": null, "model": "gpt-6-astra", "service_tier": "default",
        "output": [{"type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
            "content": [{"type": "output_text", "text": "Hello.", "annotations": []}]}],
    });
    for (name, value) in fields.as_object().expect("an object") {
        all[name] = value.clone();
    }
    all.to_string()
}

#[test]
fn a_whole_answer_is_counted_by_what_it_tells_or_says() {
    let usage = |fields: Value| {
        let answer = response(fields);
        let usage = OPENAI_RESPONSES.usage(metered(5_000), answer.as_bytes());
        usage.expect("a response")
    };
    let told = usage(json!({"usage": {
        "input_tokens": 100, "output_tokens": 50, "total_tokens": 150,
        "input_tokens_details": {"cached_tokens": 40, "cache_write_tokens": 30,
            "cache_write_tokens_details": {"ttl_30m_tokens": 10, "ttl_12h_tokens": 20}},
        "output_tokens_details": {"reasoning_tokens": 44}}}));
    let counts = [
        Unit::InputToken,
        Unit::CachedInputToken,
        Unit::CacheWriteToken,
        Unit::CacheWriteLongToken,
        Unit::OutputToken,
        Unit::ReasoningToken,
    ];
    assert_eq!(counts.map(|unit| told.count(unit)), [30, 40, 10, 20, 6, 44]);
    assert_eq!(told.facts.get(Fact::Tier), Some("default"));
    assert!(!told.estimated);
    let zeros = json!({"usage": {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}});
    for untold in [json!({}), json!({"usage": null}), zeros] {
        let usage = usage(untold);
        assert_eq!((usage.input_total(), usage.output_total()), (100, 2));
        assert!(usage.estimated);
    }
    let floats = usage(json!({"usage": {"input_tokens": 12.0, "output_tokens": 3.0}}));
    assert_eq!((floats.input_total(), floats.output_total()), (12, 3));
    assert!(usage(json!({"output": []})).is_nothing());
    let thought = usage(json!({"output": [], "status": "incomplete",
        "usage": {"input_tokens": 5, "output_tokens": 64}}));
    assert_eq!(thought.output_total(), 64);
    assert!(OPENAI_RESPONSES.usage(metered(1), b"<html>").is_err());
}

#[test]
fn an_answer_is_one_that_is_over_and_holds_something() {
    let judge = |fields: Value| OPENAI_RESPONSES.judge(response(fields).as_bytes());
    assert_eq!(judge(json!({})), Judged::Answer);
    assert_eq!(
        judge(
            json!({"output": [], "status": "incomplete", "incomplete_details": {"reason": "content_filter"}})
        ),
        Judged::Answer
    );
    assert_eq!(
        judge(json!({"output": [], "usage": {"input_tokens": 1, "output_tokens": 9}})),
        Judged::Answer
    );
    for nonsense in [
        json!({"output": []}),
        json!({"output": null}),
        json!({"status": "in_progress"}),
        json!({"status": "queued", "output": []}),
    ] {
        let judged = judge(nonsense.clone());
        assert!(
            matches!(judged, Judged::Nonsense(_)),
            "{nonsense}: {judged:?}"
        );
    }
    let error = json!({"status": "failed", "error": {"code": "server_error", "message": "No."}});
    for failed in [
        error,
        json!({"status": "failed"}),
        json!({"status": "cancelled"}),
    ] {
        let judged = judge(failed.clone());
        assert!(matches!(judged, Judged::Error(_)), "{failed}: {judged:?}");
    }
    let chat = OPENAI_RESPONSES.judge(br#"{"choices":[{"message":{"content":"x"}}]}"#);
    assert!(matches!(chat, Judged::Nonsense(_)));
    let page = OPENAI_RESPONSES.judge(b"<html>");
    assert!(matches!(page, Judged::Nonsense(_)));
}

#[test]
fn a_stream_is_known_by_what_comes_behind_its_beginning() {
    let begun = "event: response.created\r\ndata: {\"type\":\"response.created\",\"response\":{\"id\":\"r\",\"error\":null}}\r\n\r\n";
    let more = "event: response.output_item.added\ndata: {\"type\":\"response.output_item.added\",\"item\":{}}\n\n";
    let failed = "data: {\"type\":\"response.failed\",\"response\":{\"error\":{\"code\":\"rate_limit_exceeded\",\"message\":\"Slow.\"}}}\n\n";
    let error = "event: error\ndata: {\"type\":\"error\",\"code\":\"x\",\"message\":\"No.\",\"sequence_number\":1}\n\n";
    let look = |parts: &[&str]| OPENAI_RESPONSES.look(parts.concat().as_bytes());
    for seen in [&[begun][..], &[begun, begun], &[": hi\n\n", begun], &[""]] {
        assert_eq!(look(seen), Look::More, "{seen:?}");
    }
    assert_eq!(look(&[begun, more]), Look::Event);
    assert_eq!(look(&[more]), Look::Event);
    for (seen, code) in [
        (&[begun, failed][..], "rate_limit_exceeded"),
        (&[failed], "rate_limit_exceeded"),
        (&[begun, error], "x"),
        (&[error], "x"),
    ] {
        let Look::Error(told) = look(seen) else {
            panic!("{seen:?}")
        };
        assert_eq!(told.code.as_deref(), Some(code));
    }
    assert_eq!(look(&["{\"output\":[]}"]), Look::Whole);
    assert_eq!(look(&["<html>"]), Look::Page);
    // However it is cut, it is never told to be something else first.
    let all = [begun, failed].concat();
    for cut in 0..all.len() {
        let found = OPENAI_RESPONSES.look(&all.as_bytes()[..cut]);
        assert!(
            matches!(found, Look::More | Look::Error(_)),
            "{cut}: {found:?}"
        );
    }
}

#[test]
fn a_whole_answer_becomes_the_stream_that_was_asked_for() {
    let items = json!([
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Hm."}], "encrypted_content": "gA"},
        {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [
            {"type": "output_text", "text": "Hi 你", "annotations": [{"type": "url_citation", "url": "https://a.example", "title": "A", "start_index": 0, "end_index": 2}]},
            {"type": "refusal", "refusal": "No."}]},
        {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f", "arguments": "{\"a\":1}", "status": "completed"},
        {"type": "web_search_call", "id": "ws_1", "status": "completed"},
    ]);
    let usage = json!({"input_tokens": 5, "output_tokens": 6, "total_tokens": 11});
    let whole = response(json!({"output": items, "usage": usage}));
    let stream = OPENAI_RESPONSES
        .as_stream(whole.as_bytes())
        .expect("a stream");
    let text = std::str::from_utf8(&stream).expect("text");
    let mut meter = OPENAI_RESPONSES.meter(metered(5_000));
    let translator = OPENAI_RESPONSES.translator().expect("one");
    let mut reader = translator.stream_reader();
    let mut events = Vec::new();
    for event in text.split_inclusive("\n\n") {
        assert_eq!(meter.event(event.as_bytes()), Verdict::Pass, "{event}");
        reader.read(event.as_bytes(), &mut |said| {
            events.push(format!("{said:?}"));
        });
    }
    assert!(meter.is_whole() && meter.is_told() && OPENAI_RESPONSES.ends(&stream));
    let usage = meter.usage();
    assert_eq!((usage.input_total(), usage.output_total()), (5, 6));
    let said = events.join("\n");
    for part in [
        "Hm.",
        "Hi 你",
        "No.",
        "call_1",
        "{\\\"a\\\":1}",
        "https://a.example",
        "gA",
    ] {
        assert_eq!(said.matches(part).count(), 1, "{part}: {said}");
    }
    let last: Value =
        serde_json::from_str(text.rsplit("data: ").next().expect("an event")).expect("JSON");
    assert_eq!(
        last["response"].to_string(),
        serde_json::from_str::<Value>(&whole)
            .expect("JSON")
            .to_string()
    );
    assert!(OPENAI_RESPONSES.as_stream(b"{}").is_none());
}

#[test]
fn errors_are_written_as_clients_read_them() {
    let told = ErrorText {
        status: 402,
        kind: "insufficient_quota",
        code: Some("insufficient_credits"),
        param: None,
        message: "Too \"little\".",
    };
    let error = json!({
        "message": "Too \"little\".", "type": "insufficient_quota", "param": null, "code": "insufficient_credits",
    });
    let body: Value = serde_json::from_slice(&OPENAI_RESPONSES.error(told)).expect("JSON");
    assert_eq!(body, json!({"error": error}));
    let event = OPENAI_RESPONSES.error_event(told);
    let event = std::str::from_utf8(&event).expect("text");
    let data = event
        .strip_prefix("event: error\ndata: ")
        .expect("an event");
    let data: Value = serde_json::from_str(data).expect("JSON");
    assert_eq!(
        data,
        json!({
            "type": "error", "code": "insufficient_credits", "message": "Too \"little\".", "param": null,
            "sequence_number": 0, "error": error,
        })
    );
    let verdict = OPENAI_RESPONSES.meter(metered(1)).event(event.as_bytes());
    assert!(matches!(verdict, Verdict::Broken(_)));
}

#[test]
fn a_stream_ends_with_the_response_that_is_whole() {
    let event =
        |kind: &str| format!("event: {kind}\ndata: {{\"type\":\"{kind}\",\"response\":{{}}}}\n\n");
    for last in [
        "response.completed",
        "response.incomplete",
        "response.failed",
    ] {
        assert!(OPENAI_RESPONSES.ends(event(last).as_bytes()));
        let behind = [event("response.output_item.done"), event(last)].concat();
        assert!(OPENAI_RESPONSES.ends(behind.as_bytes()));
        assert!(OPENAI_RESPONSES.ends(behind.replace('\n', "\r\n").as_bytes()));
        let before = [event(last), event("response.created")].concat();
        assert!(!OPENAI_RESPONSES.ends(before.as_bytes()));
    }
    let said =
        "data: {\"type\":\"response.output_text.delta\",\"delta\":\"response.completed\"}\n\n";
    assert!(!OPENAI_RESPONSES.ends(said.as_bytes()));
    assert!(!OPENAI_RESPONSES.ends(b"") && OPENAI_RESPONSES.end().is_empty());
}
