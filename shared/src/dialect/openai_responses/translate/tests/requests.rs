//! Requests.

use serde_json::{Value, json};

use super::{TRANSLATOR, read, to};
use crate::dialect::neutral::{
    CacheMark, ChatRequest, Effort, Format, Media, MediaKind, Part, Reasoning, Role, Signature,
    SignatureFormat, Source, Thought, ToolCall, ToolChoice, ToolResult, Translator, Turn,
};

/// The request in this dialect once more, and what was dropped.
fn again(json: &Value) -> (Value, Vec<String>) {
    let request = read(json).expect("a request");
    let written = TRANSLATOR.write_request(&request, to()).expect("a request");
    let body = serde_json::from_slice(&written.body).expect("JSON");
    (body, written.dropped)
}

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "a table of what is asked and what becomes of it"
)]
fn requests_are_written_as_they_are_read() {
    let schema = json!({"type": "object", "properties": {"city": {"type": "string"}},
        "required": ["city"], "additionalProperties": false});
    for (asked, written) in [
        (
            json!({"input": "Hi"}),
            json!({"input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]}]}),
        ),
        (
            json!({
                "instructions": "Be brief.", "input": [{"role": "user", "content": "Hi"}], "stream": true,
                "stream_options": {"include_obfuscation": false}, "max_output_tokens": 8, "temperature": 0.5,
                "top_p": 0.9, "reasoning": {"effort": "low", "summary": "concise"}, "user": "u",
                "safety_identifier": "s", "prompt_cache_key": "k", "service_tier": "standard",
                "parallel_tool_calls": false, "truncation": "disabled", "metadata": {}, "store": false,
                "include": ["reasoning.encrypted_content"], "background": false, "tools": null,
            }),
            json!({
                "instructions": "Be brief.", "stream": true, "max_output_tokens": 16, "temperature": 0.5,
                "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]}],
                "top_p": 0.9, "reasoning": {"effort": "low", "summary": "auto"}, "safety_identifier": "s",
                "prompt_cache_key": "k", "service_tier": "default", "parallel_tool_calls": false,
                "include": ["reasoning.encrypted_content"],
            }),
        ),
        (
            json!({
                "input": [
                    {"role": "developer", "content": "One."},
                    {"type": "message", "role": "system", "content": [{"type": "input_text", "text": "Two."}]},
                    {"role": "user", "content": "Weather?"},
                    {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Hm."}], "encrypted_content": "gA"},
                    {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "weather", "arguments": "{\"city\":\"Bern\"}", "status": "completed"},
                    {"type": "function_call_output", "call_id": "call_1", "output": "sunny"},
                ],
                "tools": [{"type": "function", "name": "weather", "description": "d", "parameters": schema, "strict": true}],
                "tool_choice": {"type": "function", "name": "weather"},
                "text": {"format": {"type": "json_schema", "name": "n", "schema": schema, "strict": true}, "verbosity": "medium"},
            }),
            json!({
                "input": [
                    {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "One."}, {"type": "input_text", "text": "Two."}]},
                    {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Weather?"}]},
                    {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}], "encrypted_content": "gA"},
                    {"type": "function_call", "call_id": "call_1", "name": "weather", "arguments": "{\"city\":\"Bern\"}"},
                    {"type": "function_call_output", "call_id": "call_1", "output": "sunny"},
                ],
                "tools": [{"type": "function", "name": "weather", "description": "d", "parameters": schema, "strict": true}],
                "tool_choice": {"type": "function", "name": "weather"},
                "text": {"format": {"type": "json_schema", "name": "n", "schema": schema, "strict": true}},
                "include": ["reasoning.encrypted_content"],
            }),
        ),
        (
            json!({
                "input": [
                    {"role": "user", "content": [
                        {"type": "input_image", "image_url": "data:image/png;base64,iVBO", "detail": "low"},
                        {"type": "input_image", "image_url": "https://a.example/b.png"},
                        {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBE"},
                        {"type": "input_file", "file_url": "https://a.example/b.pdf"},
                        {"type": "input_audio", "input_audio": {"data": "UklG", "format": "wav"}},
                    ]},
                    {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [
                        {"type": "output_text", "text": "A cat.", "annotations": [], "logprobs": []},
                        {"type": "refusal", "refusal": "No."}]},
                    {"type": "function_call", "call_id": "c", "name": "look", "arguments": {}},
                    {"type": "function_call_output", "call_id": "c", "output": [
                        {"type": "input_text", "text": "x"}, {"type": "input_image", "image_url": "https://a.example/c.png"}]},
                    {"role": "user", "content": "So?"},
                ],
                "tool_choice": {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "b"}]},
                "tools": [{"type": "function", "name": "a"}, {"type": "function", "name": "b", "parameters": null}],
            }),
            json!({
                "input": [
                    {"type": "message", "role": "user", "content": [
                        {"type": "input_image", "image_url": "data:image/png;base64,iVBO", "detail": "low"},
                        {"type": "input_image", "image_url": "https://a.example/b.png"},
                        {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBE"},
                        {"type": "input_file", "file_url": "https://a.example/b.pdf"},
                        {"type": "input_audio", "input_audio": {"data": "UklG", "format": "wav"}},
                    ]},
                    {"type": "message", "role": "assistant", "content": [
                        {"type": "output_text", "text": "A cat."}, {"type": "refusal", "refusal": "No."}]},
                    {"type": "function_call", "call_id": "c", "name": "look", "arguments": "{}"},
                    {"type": "function_call_output", "call_id": "c", "output": [
                        {"type": "input_text", "text": "x"}, {"type": "input_image", "image_url": "https://a.example/c.png"}]},
                    {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "So?"}]},
                ],
                "tools": [{"type": "function", "name": "b", "parameters": null, "strict": false}],
                "tool_choice": "required",
            }),
        ),
    ] {
        let (body, dropped) = again(&asked);
        let mut expected = written;
        expected["model"] = json!("gpt-6-astra");
        expected["store"] = json!(false);
        assert_eq!(body, expected, "{asked}");
        assert!(dropped.is_empty(), "{dropped:?}");
    }
}

#[test]
fn what_has_no_words_is_named() {
    let (_, dropped) = again(&json!({
        "input": [{"role": "user", "content": [
            {"type": "input_text", "text": "Hi", "prompt_cache_breakpoint": {"mode": "explicit", "ttl": "12h"}}]}],
        "truncation": "auto", "metadata": {"a": "b"}, "store": true, "max_tool_calls": 3, "top_logprobs": 2,
        "include": ["message.output_text.logprobs"], "text": {"verbosity": "low"}, "unknown": 1,
        "reasoning": {"effort": "utmost", "mode": "pro"},
        "tools": [{"type": "custom", "name": "c"}, {"type": "local_shell"}, {"type": "local_shell"}],
    }));
    assert_eq!(
        dropped,
        [
            "include.message.output_text.logprobs",
            "max_tool_calls",
            "metadata",
            "reasoning.effort",
            "reasoning.mode",
            "store",
            "verbosity",
            "top_logprobs",
            "truncation",
            "unknown",
            "tools.custom",
            "tools.local_shell",
            "cache_control",
        ]
    );
    let request = ChatRequest {
        turns: vec![Turn {
            role: Role::User,
            parts: vec![Part::text("Hi")],
        }],
        stop: vec!["END".to_owned()],
        end_user: Some("u".repeat(129)),
        sampling: crate::dialect::neutral::Sampling {
            top_k: Some(4),
            seed: Some(7),
            frequency_penalty: Some(0.1),
            presence_penalty: Some(0.1),
            ..Default::default()
        },
        ..Default::default()
    };
    let written = TRANSLATOR.write_request(&request, to()).expect("a request");
    let names = [
        "stop",
        "top_k",
        "seed",
        "frequency_penalty",
        "presence_penalty",
        "user",
    ];
    assert_eq!(written.dropped, names);
}

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "a table of what is asked and what becomes of it"
)]
fn what_would_change_its_meaning_is_refused() {
    for (fields, param) in [
        (
            json!({"previous_response_id": "resp_1"}),
            "previous_response_id",
        ),
        (json!({"background": true}), "background"),
        (json!({"conversation": "conv_1"}), "conversation"),
        (json!({"prompt": {"id": "p"}}), "prompt"),
        (
            json!({"tool_choice": {"type": "custom", "name": "c"}}),
            "tool_choice",
        ),
        (
            json!({"tool_choice": {"type": "apply_patch"}}),
            "tool_choice",
        ),
        (
            json!({"tool_choice": "required", "tools": [{"type": "local_shell"}]}),
            "tool_choice",
        ),
        (json!({"tools": [{"type": "web_search"}]}), "tools"),
        (json!({"tools": [{"type": "function"}]}), "tools"),
        (
            json!({"tools": [{"type": "function", "name": "f", "parameters": 7}], "stream": "yes"}),
            "stream",
        ),
        (
            json!({"text": {"format": {"type": "json_schema", "name": "n"}}}),
            "text",
        ),
        (json!({"text": {"format": {"type": "grammar"}}}), "text"),
        (json!({"temperature": "hot"}), "temperature"),
        (json!({"max_output_tokens": 1.5}), "max_output_tokens"),
        (json!({"input": null}), "input"),
        (
            json!({"input": [{"type": "item_reference", "id": "m"}]}),
            "input",
        ),
        (json!({"input": [{"id": "m"}]}), "input"),
        (json!({"input": [7]}), "input"),
        (
            json!({"input": [{"role": "tool", "content": "x"}]}),
            "input",
        ),
        (
            json!({"input": [{"role": "user", "content": [{"type": "input_video"}]}]}),
            "input",
        ),
        (
            json!({"input": [{"role": "user", "content": [{"type": "input_image"}]}]}),
            "input",
        ),
        (
            json!({"input": [{"type": "function_call_output", "output": "x"}]}),
            "input",
        ),
        (
            json!({"input": [{"type": "local_shell_call_output", "id": "l", "output": "x"}]}),
            "input",
        ),
        (
            json!({"input": [{"type": "compaction", "encrypted_content": "x"}]}),
            "input",
        ),
        (json!({"input": [{"role": "user", "content": []}]}), "input"),
    ] {
        let mut body = json!({"model": "m", "input": "Hi"});
        for (name, value) in fields.as_object().expect("an object") {
            body[name] = value.clone();
        }
        let wrong = read(&body).expect_err(&body.to_string());
        assert_eq!(wrong.param, Some(param), "{body}: {wrong}");
    }
}

fn said(role: Role, parts: Vec<Part>) -> ChatRequest {
    ChatRequest {
        turns: vec![Turn { role, parts }],
        ..Default::default()
    }
}

fn media(kind: MediaKind, media_type: &str, source: Source) -> Part {
    Part::Media(Media {
        kind,
        media_type: Some(media_type.to_owned()),
        source,
        name: None,
        detail: None,
        cache: None,
    })
}

#[test]
fn media_that_are_not_taken_are_refused_and_texts_of_files_stay_texts() {
    let data = || Source::Base64("AAAA".to_owned());
    let url = || Source::Url("https://a.example/b".to_owned());
    for part in [
        media(MediaKind::Video, "video/mp4", data()),
        media(MediaKind::Audio, "audio/ogg", data()),
        media(MediaKind::Audio, "audio/wav", url()),
    ] {
        let request = said(Role::User, vec![part]);
        assert!(TRANSLATOR.write_request(&request, to()).is_err());
    }
    let picture = media(MediaKind::Image, "image/png", data());
    assert!(
        TRANSLATOR
            .write_request(&said(Role::Assistant, vec![picture]), to())
            .is_err()
    );
    let many = ChatRequest {
        answers: 2,
        ..said(Role::User, vec![Part::text("Hi")])
    };
    let wrong = TRANSLATOR
        .write_request(&many, to())
        .expect_err("one answer");
    assert_eq!(wrong.param, Some("n"));
    assert!(
        TRANSLATOR
            .write_request(&ChatRequest::default(), to())
            .is_err()
    );
    let text = media(
        MediaKind::Document,
        "text/plain",
        Source::Text("words".to_owned()),
    );
    let written = TRANSLATOR
        .write_request(&said(Role::User, vec![text]), to())
        .expect("a request");
    let body: Value = serde_json::from_slice(&written.body).expect("JSON");
    assert_eq!(
        body["input"][0]["content"][0],
        json!({"type": "input_text", "text": "words"})
    );
    let alone = ChatRequest {
        instructions: vec![Part::text("Go.")],
        ..Default::default()
    };
    let written = TRANSLATOR.write_request(&alone, to()).expect("a request");
    let body: Value = serde_json::from_slice(&written.body).expect("JSON");
    assert_eq!(body["input"][0]["role"], "developer");
}

#[test]
fn calls_keep_their_ids_where_these_are_taken() {
    let long = "x".repeat(65);
    let call = |id: &str| {
        Part::ToolCall(ToolCall {
            id: id.to_owned(),
            name: "f".to_owned(),
            arguments: "{}".to_owned(),
            signature: None,
            cache: None,
        })
    };
    let result = |id: &str| {
        Part::ToolResult(ToolResult {
            id: id.to_owned(),
            name: None,
            parts: vec![],
            is_error: true,
            cache: Some(CacheMark::Short),
        })
    };
    let turns = vec![
        Turn {
            role: Role::Assistant,
            parts: vec![call("toolu_1"), call(&long), call("")],
        },
        Turn {
            role: Role::User,
            parts: vec![result(&long), result("toolu_1"), result("")],
        },
    ];
    let request = ChatRequest {
        turns,
        ..Default::default()
    };
    let written = TRANSLATOR.write_request(&request, to()).expect("a request");
    let body: Value = serde_json::from_slice(&written.body).expect("JSON");
    let items = body["input"].as_array().expect("items");
    let ids: Vec<&str> = items
        .iter()
        .filter_map(|item| item["call_id"].as_str())
        .collect();
    assert_eq!(
        ids,
        ["toolu_1", "call_0", "call_1", "call_0", "toolu_1", "call_1"]
    );
    assert_eq!(written.dropped, ["cache_control"]);
    assert_eq!(items[3]["output"], "Error:");
}

#[test]
fn thoughts_go_back_to_their_maker_alone() {
    let thought = |format, data: &str| {
        Part::Thought(Thought {
            text: "Hm.".to_owned(),
            signature: Some(Signature {
                format,
                data: data.to_owned(),
            }),
        })
    };
    let bare = Part::Thought(Thought {
        text: "Hm.".to_owned(),
        signature: None,
    });
    let parts = vec![
        thought(SignatureFormat::Anthropic, "EqQB"),
        thought(SignatureFormat::OpenAi, "gA"),
        bare,
        Part::text("Hi"),
    ];
    let written = TRANSLATOR
        .write_request(&said(Role::Assistant, parts), to())
        .expect("a request");
    let body: Value = serde_json::from_slice(&written.body).expect("JSON");
    assert_eq!(body["input"].as_array().map(Vec::len), Some(2));
    assert_eq!(body["input"][0]["encrypted_content"], "gA");
    assert_eq!(body["include"], json!(["reasoning.encrypted_content"]));
}

#[test]
fn anothers_proof_comes_back_as_it_was_and_googles_to_the_call_it_belongs_to() {
    let request = read(&json!({"input": [
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "A"}, {"type": "summary_text", "text": "B"}], "encrypted_content": "wsa1.EqQB"},
        {"type": "reasoning", "summary": [], "encrypted_content": "wsg1.Cg=="},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "reasoning", "summary": []},
        {"type": "custom_tool_call", "call_id": "d", "name": "g", "input": "a \"b\""},
        {"type": "custom_tool_call_output", "call_id": "d", "output": "ok"},
    ]}))
    .expect("a request");
    let proof = |format, data: &str| {
        Some(Signature {
            format,
            data: data.to_owned(),
        })
    };
    let call = |id: &str, name: &str, arguments: &str, signature| {
        Part::ToolCall(ToolCall {
            id: id.to_owned(),
            name: name.to_owned(),
            arguments: arguments.to_owned(),
            signature,
            cache: None,
        })
    };
    assert_eq!(
        request.turns[0].parts,
        [
            Part::Thought(Thought {
                text: "A\n\nB".to_owned(),
                signature: proof(SignatureFormat::Anthropic, "EqQB"),
            }),
            call("c", "f", "{}", proof(SignatureFormat::Google, "Cg==")),
            call("d", "g", r#"{"input":"a \"b\""}"#, None),
        ]
    );
    let Part::ToolResult(result) = &request.turns[1].parts[0] else {
        panic!("a result")
    };
    assert_eq!(
        (result.name.as_deref(), &result.parts[..]),
        (Some("g"), &[Part::text("ok")][..])
    );
}

#[test]
fn how_much_is_thought_is_said_in_words() {
    for (reasoning, written, brings) in [
        (
            Reasoning {
                effort: Some(Effort::Max),
                budget: None,
                shows: Some(true),
            },
            json!({"effort": "xhigh", "summary": "auto"}),
            true,
        ),
        (
            Reasoning {
                effort: None,
                budget: Some(3_000),
                shows: None,
            },
            json!({"effort": "medium"}),
            true,
        ),
        (
            Reasoning {
                effort: Some(Effort::None),
                budget: None,
                shows: Some(false),
            },
            json!({"effort": "none"}),
            false,
        ),
    ] {
        let request = ChatRequest {
            reasoning: Some(reasoning),
            format: Some(Format::JsonObject),
            tool_choice: Some(ToolChoice::None),
            ..said(Role::User, vec![Part::text("Hi")])
        };
        let body = TRANSLATOR
            .write_request(&request, to())
            .expect("a request")
            .body;
        let body: Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(body["reasoning"], written);
        assert_eq!(body.get("include").is_some(), brings);
        assert_eq!(body["text"]["format"]["type"], "json_object");
        assert_eq!(body["tool_choice"], "none");
    }
}

#[test]
fn what_the_system_says_late_keeps_its_place() {
    let body = br#"{"model":"m","store":false,"input":[
        {"role":"developer","content":"Be kind."},{"role":"user","content":"Hi"},
        {"role":"assistant","content":"Hello."},{"role":"developer","content":"Be brief."},
        {"type":"function_call","call_id":"a","name":"f","arguments":""}]}"#;
    let read = TRANSLATOR.read_request(&crate::dialect::Head::default(), body);
    let request = read.expect("read");
    assert_eq!(request.instructions, [Part::text("Be kind.")]);
    let late = Part::text("<system>\nBe brief.\n</system>");
    assert_eq!(request.turns[2].parts, [late]);
    let written = TRANSLATOR.write_request(&request, to()).expect("a request");
    let body: Value = serde_json::from_slice(&written.body).expect("JSON");
    assert_eq!(
        body["input"][3]["arguments"], "{}",
        "clients read it as JSON"
    );
    let mut forced = request;
    forced.tool_choice = Some(ToolChoice::Required);
    assert!(TRANSLATOR.write_request(&forced, to()).is_err());
}

#[test]
fn what_openai_would_not_take_as_strict_is_said_without_it_and_named() {
    let optional = json!({"type": "object", "properties": {"city": {"type": "string"}},
        "additionalProperties": false});
    let request = read(&json!({"input": "hi",
        "tools": [{"type": "function", "name": "f", "parameters": optional, "strict": true}],
        "text": {"format": {"type": "json_schema", "name": "n", "schema": optional, "strict": true}}}));
    let super::Written { body, dropped } = TRANSLATOR
        .write_request(&request.expect("a request"), to())
        .expect("it can be said");
    let body: Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(body["tools"][0]["strict"], false);
    assert_eq!(body["text"]["format"].get("strict"), None);
    assert_eq!(body["text"]["format"]["schema"], optional);
    assert_eq!(dropped, ["strict"]);
}
