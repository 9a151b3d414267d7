//! What requests mean and how they are written: tables of both, and what is refused.

use serde_json::{Value, json};

use super::*;
use crate::dialect::neutral::{
    CacheMark, Effort, Format, Media, MediaKind, Part, Reasoning, Role, Signature, SignatureFormat,
    Source, Thought, ToolChoice, ToolResult, Turn, WriteTo, Written,
};
use crate::dialect::{Maximum, Quirks};

fn read_value(body: &Value) -> ChatRequest {
    read(&Head::default(), body.to_string().as_bytes()).expect("a good request")
}

/// A request of these messages.
fn of_messages(messages: &Value) -> ChatRequest {
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

fn to(model: &str) -> WriteTo<'_> {
    WriteTo {
        model,
        quirks: Quirks::default(),
        output_max: None,
    }
}

fn written(request: &ChatRequest, to: WriteTo<'_>) -> (Value, Vec<String>) {
    let Written { body, dropped } = write(request, to).expect("it can be said");
    let value = serde_json::from_slice(&body).expect("JSON");
    (value, dropped)
}

fn messages_for(request: &ChatRequest, model: &str) -> Value {
    written(request, to(model)).0["messages"].clone()
}

fn user(parts: Vec<Part>) -> Turn {
    Turn {
        role: Role::User,
        parts,
    }
}

fn assistant(parts: Vec<Part>) -> Turn {
    Turn {
        role: Role::Assistant,
        parts,
    }
}

fn picture(data: &str) -> Media {
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
    let schema = json!({"type": "object", "properties": {"z": {"type": "string"}, "a": {}}});
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
fn a_schema_keeps_the_order_of_its_fields() {
    let body = br#"{"messages":[{"role":"user","content":"x"}],
        "tools":[{"type":"function","function":{"name":"f","parameters":{"z":1, "a":2}}}]}"#;
    let request = read(&Head::default(), body).expect("good");
    let written = write(&request, to("m")).expect("it can be said");
    let text = String::from_utf8(written.body.to_vec()).expect("text");
    assert!(text.contains(r#""parameters":{"z":1, "a":2}"#), "{text}");
}

#[test]
fn the_maximum_and_the_option_of_usage_go_where_the_model_obeys() {
    let request = read_value(&json!({
        "messages": [{"role": "user", "content": "x"}], "stream": true,
        "max_tokens": 5, "max_completion_tokens": 7,
    }));
    let with = |quirks| WriteTo {
        quirks,
        ..to("gpt-5.6")
    };
    let (value, _) = written(&request, with(Quirks::default()));
    assert_eq!(
        (&value["max_tokens"], value.get("max_completion_tokens")),
        (&json!(7), None)
    );
    assert_eq!(value["stream_options"], json!({"include_usage": true}));
    let quirks = Quirks {
        no_usage_option: true,
        maximum: Maximum::MaxCompletionTokens,
    };
    let (value, _) = written(&request, with(quirks));
    assert_eq!(
        (&value["max_completion_tokens"], value.get("max_tokens")),
        (&json!(7), None)
    );
    assert_eq!(value.get("stream_options"), None);
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
        .map(|turn| match &turn.parts[0] {
            Part::ToolResult(result) => result.name.as_deref(),
            other => panic!("{other:?}"),
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
        body[format!("x{number:090}")] = true.into();
    }
    let unsaid = read_value(&body).unsaid;
    assert!(unsaid.contains(&"modalities".to_owned()));
    assert_eq!(unsaid.len(), UNSAID_MAX + 1);
    assert!(unsaid.iter().all(|name| name.len() <= UNSAID_CHARS_MAX));
}

#[test]
fn marks_for_caches_go_to_models_that_take_them() {
    let request = read_value(&json!({
        "messages": [
            {"role": "system", "content": [
                {"type": "text", "text": "long", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
            ]},
            {"role": "user", "content": "hi", "cache_control": {"type": "ephemeral"}},
            {"role": "assistant", "content": [{"type": "text", "text": "a", "prompt_cache_breakpoint": {"mode": "explicit"}}]},
            {"role": "tool", "tool_call_id": "t", "content": [
                {"type": "text", "text": "r", "cache_control": {"type": "ephemeral"}},
            ]},
        ],
        "tools": [{"type": "function", "function": {"name": "f"}, "cache_control": {"type": "ephemeral"}}],
    }));
    let Part::Text { cache, .. } = &request.instructions[0] else {
        panic!("a text");
    };
    assert_eq!(*cache, Some(CacheMark::Long));
    assert_eq!(request.tools[0].cache, Some(CacheMark::Short));
    let marked = |text: &str| json!([{"type": "text", "text": text, "cache_control": {"type": "ephemeral"}}]);
    let (value, dropped) = written(&request, to("anthropic/claude-opus-4.6"));
    assert_eq!(
        value["messages"][0]["content"][0]["cache_control"]["ttl"],
        "1h"
    );
    assert_eq!(value["messages"][1]["content"], marked("hi"));
    assert_eq!(value["messages"][3]["content"], marked("r"));
    assert_eq!(
        value["tools"][0]["cache_control"],
        json!({"type": "ephemeral"})
    );
    assert!(dropped.is_empty());
    let (value, dropped) = written(&request, to("deepseek-v4-pro"));
    assert!(!value.to_string().contains("cache_control"));
    assert_eq!(value["messages"][0]["content"], "long");
    assert_eq!(dropped, ["cache_control"]);
}

fn signed(format: SignatureFormat, data: &str) -> Option<Signature> {
    Some(Signature {
        format,
        data: data.to_owned(),
    })
}

#[test]
fn thoughts_are_read_under_every_name_and_with_their_proofs() {
    let thought = |text: &str, signature| {
        Part::Thought(Thought {
            text: text.to_owned(),
            signature,
        })
    };
    use SignatureFormat as F;
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
                thought("hm", signed(F::Anthropic, "sig")),
                thought("", signed(F::AnthropicRedacted, "red")),
            ],
        ),
        (
            json!({"reasoning_details": [
                {"type": "reasoning.summary", "summary": "s", "format": "openai-responses-v1"},
                {"type": "reasoning.encrypted", "data": "enc", "format": "openai-responses-v1"},
            ]}),
            vec![thought("s", signed(F::OpenAi, "enc"))],
        ),
        (
            json!({"reasoning_content": "t", "reasoning_details": [
                {"type": "reasoning.text", "signature": "sig", "format": "anthropic-claude-v1"},
            ]}),
            vec![thought("t", signed(F::Anthropic, "sig"))],
        ),
        (
            json!({"reasoning_details": [{"type": "reasoning.text", "text": "t", "signature": "nobody's"}]}),
            vec![thought("t", None)],
        ),
        (
            json!({"reasoning_details": [{"type": "reasoning.text", "text": "t", "signature": "wsg1.abc"}]}),
            vec![thought("t", signed(F::Google, "abc"))],
        ),
        (
            json!({"thinking_blocks": [{"type": "thinking", "thinking": "t", "signature": "sig"}]}),
            vec![thought("t", signed(F::Anthropic, "sig"))],
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
fn proofs_of_googles_calls_are_read_at_the_call_and_from_openrouter() {
    let call = json!({"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}});
    let mut at_call = call.clone();
    at_call["extra_content"] = json!({"google": {"thought_signature": "sig"}});
    let beside = json!({"role": "assistant", "content": null, "tool_calls": [call],
        "reasoning_details": [{"type": "reasoning.encrypted", "data": "sig", "id": "c", "format": "google-gemini-v1", "index": 0}]});
    for message in [
        json!({"role": "assistant", "content": null, "tool_calls": [at_call]}),
        beside.clone(),
    ] {
        let request = of_messages(&json!([{"role": "user", "content": "q"}, message]));
        let [Part::ToolCall(read)] = request.turns[1].parts.as_slice() else {
            panic!("one call: {:?}", request.turns[1]);
        };
        assert_eq!(read.signature, signed(SignatureFormat::Google, "sig"));
        let own = messages_for(&request, "gemini-3.8-flash");
        assert_eq!(own[1]["tool_calls"][0], at_call);
        assert_eq!(own[1].get("reasoning_details"), None);
        let routed = messages_for(&request, "google/gemini-3.8-flash");
        assert_eq!(routed[1]["reasoning_details"], beside["reasoning_details"]);
        let other = messages_for(&request, "gpt-5.6");
        assert_eq!(other[1]["tool_calls"][0], call);
    }
}

#[test]
fn thoughts_go_to_their_maker_or_stay_until_the_next_question() {
    let thought = |text: &str, signature| {
        Part::Thought(Thought {
            text: text.to_owned(),
            signature,
        })
    };
    let request = |parts: Vec<Part>, behind: Vec<Turn>| ChatRequest {
        turns: [vec![user(vec![Part::text("q")]), assistant(parts)], behind].concat(),
        ..ChatRequest::default()
    };
    let call = || {
        let request = of_messages(&json!([{"role": "assistant", "tool_calls": [
            {"id": "c", "function": {"name": "f", "arguments": "{}"}},
        ]}]));
        request.turns[0].parts[0].clone()
    };
    let result = |text: Vec<Part>| {
        let result = ToolResult {
            id: "c".to_owned(),
            name: None,
            parts: vec![Part::text("r")],
            is_error: false,
            cache: None,
        };
        user([vec![Part::ToolResult(result)], text].concat())
    };
    let of = |signature| vec![thought("hm", signature), call()];
    // Within the loop of a tool, also where a text stands beside its result.
    let loops = request(of(None), vec![result(vec![Part::text("note")])]);
    assert_eq!(
        messages_for(&loops, "deepseek-v4-pro")[1]["reasoning_content"],
        "hm"
    );
    // Behind the next question it is done with.
    let done = request(
        of(None),
        vec![result(Vec::new()), user(vec![Part::text("next")])],
    );
    assert_eq!(done.turns.len(), 4);
    let mut done = done;
    done.turns.insert(3, assistant(vec![Part::text("a")]));
    assert_eq!(
        messages_for(&done, "deepseek-v4-pro")[1].get("reasoning_content"),
        None
    );
    // Another's proof, and what it proves, are not for this one.
    let signed = request(of(signed(SignatureFormat::Anthropic, "sig")), Vec::new());
    let strict = messages_for(&signed, "deepseek-v4-pro");
    assert_eq!(strict[1].get("reasoning_content"), None);
    assert_eq!(strict[1].get("reasoning_details"), None);
    let maker = messages_for(&signed, "anthropic/claude-opus-4.6");
    assert_eq!(
        maker[1]["reasoning_details"],
        json!([{"type": "reasoning.text", "text": "hm", "signature": "sig", "format": "anthropic-claude-v1", "index": 0}])
    );
    // Nothing but a thought is no message.
    let only = request(vec![thought("hm", None)], Vec::new());
    assert_eq!(messages_for(&only, "m").as_array().map(Vec::len), Some(1));
}

#[test]
fn pictures_of_tools_and_of_the_model_follow_in_a_message_of_the_user() {
    let result = ToolResult {
        id: "c".to_owned(),
        name: Some("look".to_owned()),
        parts: vec![Part::Media(picture("AAAA"))],
        is_error: true,
        cache: None,
    };
    let request = ChatRequest {
        turns: vec![
            assistant(vec![Part::text("Here."), Part::Media(picture("BBBB"))]),
            user(vec![Part::text("Bluer."), Part::ToolResult(result)]),
        ],
        ..ChatRequest::default()
    };
    let image = |data: &str| json!({"type": "image_url", "image_url": {"url": format!("data:image/png;base64,{data}")}});
    let text = |text: &str| json!({"type": "text", "text": text});
    assert_eq!(
        messages_for(&request, "m"),
        json!([
            {"role": "assistant", "content": "Here."},
            {"role": "tool", "tool_call_id": "c", "content": "Error:\n(What it answered follows in a message of the user.)"},
            {"role": "user", "content": [
                text("What the assistant made in its last answer:"), image("BBBB"),
                text("What the call of `look` answered:"), image("AAAA"),
            ]},
            {"role": "user", "content": "Bluer."},
        ])
    );
}

#[test]
fn turns_of_the_model_side_by_side_are_one_message() {
    let request = of_messages(&json!([
        {"role": "user", "content": "q"},
        {"role": "assistant", "content": "One."},
        {"role": "assistant", "tool_calls": [{"id": "a", "function": {"name": "f", "arguments": "{}"}}]},
        {"role": "assistant", "tool_calls": [{"id": "b", "function": {"name": "f", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "a", "content": "1"},
        {"role": "tool", "tool_call_id": "b", "content": "2"},
    ]));
    let messages = messages_for(&request, "m");
    assert_eq!(messages.as_array().map(Vec::len), Some(4));
    assert_eq!(messages[1]["content"], "One.");
    assert_eq!(messages[1]["tool_calls"].as_array().map(Vec::len), Some(2));
}

#[test]
fn ids_that_a_provider_refuses_are_made_anew_and_still_match() {
    let long = "toolu_".repeat(20);
    let request = of_messages(&json!([
        {"role": "user", "content": "q"},
        {"role": "assistant", "tool_calls": [{"id": long, "function": {"name": "f", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": long, "content": "1"},
    ]));
    for model in ["gpt-5.6", "mistral-large-latest"] {
        let messages = messages_for(&request, model);
        let id = messages[1]["tool_calls"][0]["id"].as_str().expect("an id");
        assert!(id.len() <= 40);
        assert_eq!(messages[2]["tool_call_id"], id);
    }
}

#[test]
fn what_is_not_in_openais_api_or_too_long_for_it_is_not_sent_there() {
    let request = read_value(&json!({
        "messages": [{"role": "user", "content": "x"}], "top_k": 5, "prompt_cache_key": "k",
        "user": "u".repeat(100), "service_tier": "standard_only", "tool_choice": "auto",
        "reasoning": {"max_tokens": 8000, "exclude": true},
    }));
    let (value, dropped) = written(&request, to("gpt-5.6"));
    assert_eq!(value.get("top_k"), None);
    assert_eq!(value["prompt_cache_key"], "k");
    assert_eq!(value["user"].as_str().map(str::len), Some(64));
    assert_eq!(value["reasoning_effort"], "medium");
    assert_eq!(
        (value.get("service_tier"), value.get("tool_choice")),
        (None, None)
    );
    assert_eq!(dropped, ["top_k", "reasoning.exclude"]);
    let (value, dropped) = written(&request, to("qwen3.8-27b"));
    assert_eq!(value["top_k"], 5);
    assert_eq!(dropped, ["reasoning.exclude", "prompt_cache_key"]);
}

#[test]
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
fn media_that_have_no_words_are_refused() {
    let of = |media: Media| ChatRequest {
        turns: vec![user(vec![Part::Media(media)])],
        ..ChatRequest::default()
    };
    for (kind, source) in [
        (MediaKind::Audio, Source::Url("https://a".to_owned())),
        (MediaKind::Image, Source::Id("file-1".to_owned())),
        (MediaKind::Video, Source::Text("x".to_owned())),
    ] {
        let media = Media {
            kind,
            source,
            ..picture("")
        };
        let refused = write(&of(media), to("m")).expect_err("refused");
        assert_eq!(refused.param, Some("messages"));
    }
    let document = Media {
        kind: MediaKind::Document,
        source: Source::Text("a \"b\"".to_owned()),
        name: Some("n.txt".to_owned()),
        ..picture("")
    };
    assert_eq!(
        messages_for(&of(document), "m")[0]["content"],
        json!([{"type": "text", "text": "<document name=\"n.txt\">\na \"b\"\n</document>"}])
    );
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

#[test]
fn many_messages_take_time_that_grows_with_them_alone() {
    let mut body = String::from(r#"{"messages":[{"role":"assistant","content":"x"}"#);
    for _ in 0..100_000 {
        body.push_str(r#",{"role":"user","content":"x"},{"role":"tool","content":"y"}"#);
    }
    body.push_str("]}");
    let started = std::time::Instant::now();
    let request = read(&Head::default(), body.as_bytes()).expect("good");
    assert_eq!(request.turns.len(), 200_001);
    write(&request, to("m")).expect("it can be said");
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}
