//! What requests mean and how they are written: tables of both, and what is refused.

use serde_json::{Value, json};

use super::*;
use crate::dialect::Quirks;
use crate::dialect::neutral::unsaid::{UNSAID_CHARS_MAX, UNSAID_MAX};
use crate::dialect::neutral::{
    Effort, Format, Media, MediaKind, Part, Reasoning, Role, Signature, SignatureFormat, Source,
    Thought, ToolChoice, Turn, WriteTo, Written,
};

pub(super) fn read_value(body: &Value) -> ChatRequest {
    read(&Head::default(), body.to_string().as_bytes()).expect("a good request")
}

/// A request of these messages.
pub(super) fn of_messages(messages: &Value) -> ChatRequest {
    read_value(&json!({"model": "m", "messages": messages}))
}

/// A request of one message and this field.
fn of_field(name: &str, value: &Value) -> ChatRequest {
    read_value(&json!({"messages": [{"role": "user", "content": "hi"}], name: value}))
}

fn refused(body: &Value) -> BadBody {
    let read = read(&Head::default(), body.to_string().as_bytes());
    read.expect_err(&body.to_string())
}

pub(super) fn to(model: &str) -> WriteTo<'_> {
    WriteTo {
        model,
        quirks: Quirks::default(),
        output_max: None,
    }
}

pub(super) fn written(request: &ChatRequest, to: WriteTo<'_>) -> (Value, Vec<String>) {
    let Written { body, dropped } = write(request, to).expect("it can be said");
    let value = serde_json::from_slice(&body).expect("JSON");
    (value, dropped)
}

pub(super) fn messages_for(request: &ChatRequest, model: &str) -> Value {
    written(request, to(model)).0["messages"].clone()
}

pub(super) fn user(parts: Vec<Part>) -> Turn {
    Turn {
        role: Role::User,
        parts,
    }
}

pub(super) fn assistant(parts: Vec<Part>) -> Turn {
    Turn {
        role: Role::Assistant,
        parts,
    }
}

pub(super) fn picture(data: &str) -> Media {
    Media {
        kind: MediaKind::Image,
        media_type: Some("image/png".to_owned()),
        source: Source::Base64(data.to_owned()),
        name: None,
        detail: None,
        cache: None,
    }
}

#[test]
fn a_whole_request_comes_out_as_it_went_in_but_for_the_names_of_its_model_and_fields() {
    let schema = json!({"type": "object", "properties": {"z": {"type": "string"}, "a": {}},
        "required": ["z", "a"], "additionalProperties": false});
    let request = json!({
        "model": "tenant/model",
        "messages": [
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "content": "Weather in Paris and Rome?"},
            {"role": "assistant", "content": null, "tool_calls": [
                {"id": "call_a", "type": "function", "function": {"name": "weather", "arguments": "{\"city\":\"Paris\"}"}},
                {"id": "call_b", "type": "function", "function": {"name": "weather", "arguments": "{\"city\":\"Rome\"}"}},
            ]},
            {"role": "tool", "tool_call_id": "call_a", "content": "9 C"},
            {"role": "tool", "tool_call_id": "call_b", "content": [{"type": "text", "text": "14 C"}]},
            {"role": "user", "content": [
                {"type": "text", "text": "And here?"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBO", "detail": "low"}},
                {"type": "image_url", "image_url": {"url": "https://example.com/a.jpg"}},
                {"type": "input_audio", "input_audio": {"data": "UklG", "format": "wav"}},
                {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBE"}},
                {"type": "file", "file": {"file_id": "file-1"}},
                {"type": "video_url", "video_url": {"url": "https://example.com/a.mp4"}},
            ]},
        ],
        "tools": [{"type": "function", "function": {"name": "weather", "description": "Of a city.", "parameters": schema, "strict": true}}],
        "tool_choice": {"type": "function", "function": {"name": "weather"}},
        "parallel_tool_calls": false,
        "response_format": {"type": "json_schema", "json_schema": {"name": "out", "schema": schema, "strict": true}},
        "reasoning_effort": "high", "max_completion_tokens": 900, "n": 2, "stop": "END",
        "temperature": 0.5, "top_p": 0.9, "top_k": 20, "seed": -7, "frequency_penalty": 0.1,
        "presence_penalty": -0.2, "user": "u1", "service_tier": "flex",
        "stream": true, "stream_options": {"include_usage": false},
        "logprobs": true, "logit_bias": {}, "metadata": null, "store": false, "verbosity": "low",
    });
    let (value, dropped) = written(&read_value(&request), to("deepseek-v4-pro"));
    let mut expected = request.clone();
    let fields = expected.as_object_mut().expect("an object");
    for gone in [
        "max_completion_tokens",
        "logprobs",
        "logit_bias",
        "metadata",
        "store",
        "verbosity",
    ] {
        fields.remove(gone);
    }
    expected["model"] = "deepseek-v4-pro".into();
    expected["max_tokens"] = 900.into();
    expected["stop"] = json!(["END"]);
    expected["stream_options"]["include_usage"] = true.into();
    expected["messages"][0]["role"] = "system".into();
    expected["messages"][4]["content"] = "14 C".into();
    assert_eq!(value, expected);
    assert_eq!(dropped, ["logprobs", "verbosity"]);
}

#[test]
fn instructions_come_first_and_later_ones_keep_their_place_as_marked_texts() {
    let request = of_messages(&json!([
        {"role": "system", "content": "One."},
        {"role": "user", "content": "hi"},
        {"role": "developer", "content": [{"type": "text", "text": "Two."}]},
        {"role": "assistant", "content": "Hello."},
        {"role": "user", "content": "go on"},
        {"role": "system", "content": "In French."},
    ]));
    assert_eq!(
        request.instructions,
        [Part::text("One."), Part::text("Two.")]
    );
    let said = [
        user(vec![Part::text("hi")]),
        assistant(vec![Part::text("Hello.")]),
        user(vec![Part::text("go on")]),
        user(vec![Part::text("<system>\nIn French.\n</system>")]),
    ];
    assert_eq!(request.turns, said);
    let messages = messages_for(&request, "m");
    assert_eq!(
        messages[0],
        json!({"role": "system", "content": "One.\n\nTwo."})
    );
}

#[test]
fn results_stand_behind_their_calls_wherever_they_were_put() {
    let request = of_messages(&json!([
        {"role": "user", "content": "hi"},
        {"role": "assistant", "tool_calls": [
            {"id": "a", "type": "function", "function": {"name": "f", "arguments": {"x": 1}}},
            {"id": "b", "type": "function", "function": {"name": "g", "arguments": ""}},
        ]},
        {"role": "system", "content": "Hurry."},
        {"role": "tool", "content": "of a"},
        {"role": "user", "content": "And?"},
        {"role": "tool", "tool_call_id": "b", "content": null},
    ]));
    let names: Vec<Option<&str>> = request.turns[2..4]
        .iter()
        .map(|turn| {
            let Part::ToolResult(result) = &turn.parts[0] else {
                panic!("a result: {turn:?}");
            };
            result.name.as_deref()
        })
        .collect();
    assert_eq!(names, [Some("f"), Some("g")]);
    let messages = messages_for(&request, "m");
    assert_eq!(
        messages.as_array().expect("a list")[1..],
        [
            json!({"role": "assistant", "content": null, "tool_calls": [
                {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{\"x\":1}"}},
                {"id": "b", "type": "function", "function": {"name": "g", "arguments": "{}"}},
            ]}),
            json!({"role": "tool", "tool_call_id": "a", "content": "of a"}),
            json!({"role": "tool", "tool_call_id": "b", "content": ""}),
            json!({"role": "user", "content": "<system>\nHurry.\n</system>"}),
            json!({"role": "user", "content": "And?"}),
        ]
    );
}

#[test]
fn the_older_form_of_functions_is_read() {
    let request = read_value(&json!({
        "messages": [
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": null, "function_call": {"name": "f", "arguments": "{}"}},
            {"role": "function", "name": "f", "content": "done"},
        ],
        "functions": [{"name": "f", "parameters": {"type": "object"}}],
        "function_call": {"name": "f"},
    }));
    assert_eq!(request.tools[0].name, "f");
    assert_eq!(
        request.tool_choice,
        Some(ToolChoice::Function("f".to_owned()))
    );
    let (value, _) = written(&request, to("m"));
    assert_eq!(value["messages"][1]["tool_calls"][0]["id"], "call_1");
    assert_eq!(value["messages"][2]["tool_call_id"], "call_1");
}

#[test]
fn every_form_of_a_choice_of_tools_is_read() {
    let tool = |name: &str| json!({"type": "function", "function": {"name": name}});
    for (choice, expected, names) in [
        (json!("auto"), ToolChoice::Auto, "f g"),
        (json!("none"), ToolChoice::None, "f g"),
        (json!("required"), ToolChoice::Required, "f g"),
        (json!("any"), ToolChoice::Required, "f g"),
        (json!({"type": "any"}), ToolChoice::Required, "f g"),
        (tool("g"), ToolChoice::Function("g".to_owned()), "f g"),
        (
            json!({"type": "tool", "name": "g"}),
            ToolChoice::Function("g".to_owned()),
            "f g",
        ),
        (
            json!({"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [tool("g")]}}),
            ToolChoice::Required,
            "g",
        ),
        (
            json!({"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [tool("f")]}}),
            ToolChoice::Auto,
            "f",
        ),
    ] {
        let request = read_value(&json!({
            "messages": [{"role": "user", "content": "hi"}],
            "tools": [tool("f"), tool("g")], "tool_choice": choice,
        }));
        let tools: Vec<&str> = request
            .tools
            .iter()
            .map(|tool| tool.name.as_str())
            .collect();
        assert_eq!(
            (request.tool_choice, tools.join(" ").as_str()),
            (Some(expected), names)
        );
    }
}

#[test]
fn how_much_is_thought_is_read_from_every_name_for_it() {
    let of = |effort, budget, shows| {
        Some(Reasoning {
            effort,
            budget,
            shows,
        })
    };
    for (name, value, expected) in [
        (
            "reasoning_effort",
            json!("low"),
            of(Some(Effort::Low), None, None),
        ),
        (
            "reasoning_effort",
            json!("max"),
            of(Some(Effort::Max), None, None),
        ),
        (
            "reasoning_effort",
            json!("none"),
            of(Some(Effort::None), None, None),
        ),
        ("reasoning_effort", json!("default"), None),
        ("reasoning_effort", json!(null), None),
        (
            "reasoning",
            json!({"max_tokens": 2000, "exclude": true}),
            of(None, Some(2_000), Some(false)),
        ),
        (
            "reasoning",
            json!({"effort": "high"}),
            of(Some(Effort::High), None, None),
        ),
        (
            "reasoning",
            json!({"enabled": true}),
            of(Some(Effort::Medium), None, None),
        ),
        (
            "reasoning",
            json!({"enabled": false}),
            of(Some(Effort::None), None, None),
        ),
        (
            "thinking",
            json!({"type": "enabled", "budget_tokens": 4096}),
            of(None, Some(4_096), None),
        ),
        (
            "thinking",
            json!({"type": "disabled"}),
            of(Some(Effort::None), None, None),
        ),
        ("thinking", json!({"type": "auto"}), None),
        (
            "enable_thinking",
            json!(false),
            of(Some(Effort::None), None, None),
        ),
        ("thinking_budget", json!(512), of(None, Some(512), None)),
        ("include_reasoning", json!(true), of(None, None, Some(true))),
    ] {
        assert_eq!(
            of_field(name, &value).reasoning,
            expected,
            "{name}: {value}"
        );
    }
}

#[test]
fn other_fields_are_read_in_the_forms_that_are_in_use() {
    let format = |value| of_field("response_format", &value).format;
    assert_eq!(
        format(json!({"type": "json_object"})),
        Some(Format::JsonObject)
    );
    assert_eq!(format(json!({"type": "text"})), Some(Format::Text));
    let named = format(json!({"type": "json_object", "schema": {"type": "object"}}));
    assert!(matches!(named, Some(Format::JsonSchema { name, .. }) if name == "response"));
    assert_eq!(of_field("stop", &json!(["a", "", "b"])).stop, ["a", "b"]);
    assert_eq!(of_field("stop", &json!("a")).stop, ["a"]);
    assert_eq!(of_field("top_k", &json!(-1)).sampling.top_k, None);
    assert_eq!(
        of_field("prompt_cache_key", &json!("k"))
            .cache_key
            .as_deref(),
        Some("k")
    );
    let request = read_value(&json!({
        "messages": [{"role": "user", "content": "x"}], "user": "u", "safety_identifier": "s",
    }));
    assert_eq!(request.end_user.as_deref(), Some("s"));
    let head = Head {
        stream: Some(true),
        ..Head::default()
    };
    let body = br#"{"messages":[{"role":"user","content":"x"}]}"#;
    assert!(read(&head, body).expect("good").stream);
}

#[test]
fn what_has_no_place_is_named_and_only_so_many() {
    let mut body = json!({
        "messages": [{"role": "user", "content": "x", "name": "ann"}],
        "modalities": ["text"], "logprobs": false, "top_logprobs": 0, "best_of": 1, "audio": null,
        "min_p": 0.1,
    });
    assert_eq!(read_value(&body).unsaid, ["min_p", "messages.name"]);
    body["modalities"] = json!(["text", "image"]);
    for number in 0..100 {
        body[format!("x{number}{}", "x".repeat(90))] = true.into();
    }
    let unsaid = read_value(&body).unsaid;
    assert!(unsaid.contains(&"modalities".to_owned()));
    assert_eq!(unsaid.len(), UNSAID_MAX + 1);
    assert!(unsaid.iter().all(|name| name.len() <= UNSAID_CHARS_MAX));
}

pub(super) fn signed(format: SignatureFormat, data: &str) -> Signature {
    Signature {
        format,
        data: data.to_owned(),
    }
}

#[test]
fn thoughts_are_read_under_every_name_and_with_their_proofs() {
    use SignatureFormat as F;
    let thought = |text: &str, signature: Option<Signature>| {
        Part::Thought(Thought {
            text: text.to_owned(),
            signature,
        })
    };
    for (fields, expected) in [
        (
            json!({"reasoning_content": "hm"}),
            vec![thought("hm", None)],
        ),
        (
            json!({"reasoning": "hm", "reasoning_content": ""}),
            vec![thought("hm", None)],
        ),
        (
            json!({"reasoning": "hm", "reasoning_details": [
                {"type": "reasoning.text", "text": "hm", "signature": "sig", "format": "anthropic-claude-v1", "index": 0},
                {"type": "reasoning.encrypted", "data": "red", "format": "anthropic-claude-v1", "index": 1},
            ]}),
            vec![
                thought("hm", Some(signed(F::Anthropic, "sig"))),
                thought("", Some(signed(F::AnthropicRedacted, "red"))),
            ],
        ),
        (
            json!({"reasoning_details": [
                {"type": "reasoning.summary", "summary": "s", "format": "openai-responses-v1"},
                {"type": "reasoning.encrypted", "data": "enc", "format": "openai-responses-v1"},
            ]}),
            vec![thought("s", Some(signed(F::OpenAi, "enc")))],
        ),
        (
            json!({"reasoning_content": "t", "reasoning_details": [
                {"type": "reasoning.text", "signature": "sig", "format": "anthropic-claude-v1"},
            ]}),
            vec![thought("t", Some(signed(F::Anthropic, "sig")))],
        ),
        (
            json!({"reasoning_details": [{"type": "reasoning.text", "text": "t", "signature": "nobody's"}]}),
            vec![thought("t", None)],
        ),
        (
            json!({"reasoning_details": [{"type": "reasoning.text", "text": "t", "signature": "wsg1.abc"}]}),
            vec![thought("t", Some(signed(F::Google, "abc")))],
        ),
        (
            json!({"thinking_blocks": [{"type": "thinking", "thinking": "t", "signature": "sig"}]}),
            vec![thought("t", Some(signed(F::Anthropic, "sig")))],
        ),
    ] {
        let mut message = fields.clone();
        message["role"] = "assistant".into();
        message["content"] = "ok".into();
        let request = of_messages(&json!([{"role": "user", "content": "q"}, message]));
        let mut expected = expected;
        expected.push(Part::text("ok"));
        assert_eq!(request.turns[1].parts, expected, "{fields}");
    }
}

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "a table of what is sent and what it means"
)]
fn what_would_lose_its_meaning_is_refused_and_says_where() {
    let message = |message: Value| json!({"messages": [message]});
    let part = |part: Value| message(json!({"role": "user", "content": [part]}));
    let with = |name: &str, value: Value| json!({"messages": [], name: value});
    for (body, param, word) in [
        (json!({}), "messages", "missing"),
        (json!({"messages": "hi"}), "messages", "array"),
        (
            message(json!({"role": "robot", "content": "x"})),
            "messages",
            "role",
        ),
        (message(json!("hi")), "messages", "role"),
        (message(json!({"role": "user"})), "messages", "content"),
        (
            message(json!({"role": "user", "content": 7})),
            "messages",
            "content",
        ),
        (part(json!({"type": "hologram"})), "messages", "hologram"),
        (part(json!({"type": "image_url"})), "messages", "url"),
        (
            part(json!({"type": "image_url", "image_url": {"url": "ftp://a"}})),
            "messages",
            "https",
        ),
        (
            part(json!({"type": "image_url", "image_url": {"url": "data:image/svg+xml,<svg/>"}})),
            "messages",
            "base64",
        ),
        (
            part(json!({"type": "file", "file": {}})),
            "messages",
            "file_data",
        ),
        (
            message(json!({"role": "assistant", "audio": {"id": "audio_1"}})),
            "messages",
            "spoken",
        ),
        (
            message(
                json!({"role": "assistant", "tool_calls": [{"id": "c", "type": "custom", "custom": {}}]}),
            ),
            "messages",
            "custom",
        ),
        (
            with(
                "tools",
                json!([{"type": "custom", "custom": {"name": "x"}}]),
            ),
            "tools",
            "custom",
        ),
        (
            with("tools", json!([{"type": "function", "function": {}}])),
            "tools",
            "name",
        ),
        (
            with(
                "tools",
                json!([{"type": "function", "function": {"name": "f", "parameters": 7}}]),
            ),
            "tools",
            "schema",
        ),
        (
            with("tool_choice", json!("perhaps")),
            "tool_choice",
            "required",
        ),
        (
            with("tool_choice", json!({"type": "function"})),
            "tool_choice",
            "names no",
        ),
        (
            with("response_format", json!({"type": "grammar"})),
            "response_format",
            "grammar",
        ),
        (
            with("response_format", json!({"type": "json_schema"})),
            "response_format",
            "schema",
        ),
        (
            with("reasoning_effort", json!("enormous")),
            "reasoning_effort",
            "xhigh",
        ),
        (with("temperature", json!("warm")), "temperature", "number"),
        (with("stop", json!([7])), "stop", "texts"),
        (
            with("parallel_tool_calls", json!("no")),
            "parallel_tool_calls",
            "true",
        ),
    ] {
        let wrong = refused(&body);
        assert_eq!(wrong.param, Some(param), "{body}");
        assert!(wrong.message.contains(word), "{body}: {}", wrong.message);
    }
    for body in [&b""[..], b"[]", b"{", b"{\"messages\":[\xff]}"] {
        let wrong = read(&Head::default(), body).expect_err("no JSON");
        assert_eq!(wrong.param, None);
    }
}

#[test]
fn half_characters_and_strange_content_do_no_harm() {
    let body = br#"{"messages":[{"role":"user","content":[{"type":"text","text":"a\ud83d\n"},"b",{"type":"text","text":""}]},
        {"role":"assistant","content":"","refusal":"No.","images":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AA"}}]},
        {"role":"assistant","content":""}]}"#;
    let request = read(&Head::default(), body).expect("good");
    assert_eq!(request.turns.len(), 2, "what says nothing is no turn");
    assert_eq!(
        request.turns[0].parts,
        [Part::text("a\u{fffd}\n"), Part::text("b")]
    );
    let expected = [Part::Refusal("No.".to_owned()), Part::Media(picture("AA"))];
    assert_eq!(request.turns[1].parts, expected);
    assert_eq!(
        messages_for(&request, "m")[1],
        json!({"role": "assistant", "content": "No."})
    );
}
