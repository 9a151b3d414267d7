//! Requests.

use serde_json::json;

use super::*;
use crate::dialect::neutral::{
    CacheMark, Effort, Format, Json, Media, MediaKind, Part, Reasoning, Role, Sampling, Signature,
    SignatureFormat, Source, Thought, Tool, ToolCall, ToolChoice, ToolResult, Turn,
};

pub(super) fn written(request: &ChatRequest, model: &str) -> (Value, Vec<String>) {
    let written = translator()
        .write_request(request, to(model))
        .expect("written");
    (value(&written.body), written.dropped)
}

fn user(parts: Vec<Part>) -> Turn {
    Turn {
        role: Role::User,
        parts,
    }
}

fn model(parts: Vec<Part>) -> Turn {
    Turn {
        role: Role::Assistant,
        parts,
    }
}

fn call(id: &str, name: &str, arguments: &str) -> ToolCall {
    ToolCall {
        id: id.to_owned(),
        name: name.to_owned(),
        arguments: arguments.to_owned(),
        signature: None,
        cache: None,
    }
}

fn result(id: &str, text: &str) -> ToolResult {
    ToolResult {
        id: id.to_owned(),
        name: None,
        parts: vec![Part::text(text)],
        is_error: false,
        cache: None,
    }
}

fn google(data: &str) -> Signature {
    Signature {
        format: SignatureFormat::Google,
        data: data.to_owned(),
    }
}

pub(super) fn hi() -> ChatRequest {
    ChatRequest {
        turns: vec![user(vec![Part::text("hi")])],
        ..ChatRequest::default()
    }
}

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "a table of what is sent and what it means"
)]
fn a_request_of_everything_is_written_with_googles_words() {
    let request = ChatRequest {
        instructions: vec![Part::text("Be brief.")],
        tools: vec![Tool {
            name: "weather".to_owned(),
            description: Some("Tells it.".to_owned()),
            parameters: Json::of(
                r#"{"type":"object","properties":{"z":{"type":"string"},"a":{}}}"#,
            ),
            strict: Some(true),
            cache: Some(CacheMark::Short),
        }],
        tool_choice: Some(ToolChoice::Function("weather".to_owned())),
        parallel_tool_calls: Some(false),
        output_max: Some(300),
        sampling: Sampling {
            temperature: Some(0.5),
            top_p: Some(0.9),
            top_k: Some(40),
            seed: Some(7),
            frequency_penalty: Some(0.25),
            presence_penalty: Some(-0.5),
        },
        stop: vec!["END".to_owned()],
        answers: 2,
        format: Some(Format::JsonSchema {
            name: "x".to_owned(),
            description: None,
            schema: Json::of(r#"{"type":"object"}"#).expect("JSON"),
            strict: Some(true),
        }),
        reasoning: Some(Reasoning {
            effort: Some(Effort::High),
            budget: None,
            shows: Some(true),
        }),
        end_user: Some("u".to_owned()),
        tier: Some("default".to_owned()),
        cache_key: Some("k".to_owned()),
        unsaid: vec!["logit_bias".to_owned()],
        ..hi()
    };
    let (body, dropped) = written(&request, NEW);
    assert_eq!(
        body,
        json!({
            "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
            "systemInstruction": {"parts": [{"text": "Be brief."}]},
            "tools": [{"functionDeclarations": [{
                "name": "weather", "description": "Tells it.",
                "parametersJsonSchema": {"type": "object", "properties": {"z": {"type": "string"}, "a": {}}}
            }]}],
            "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["weather"]}},
            "generationConfig": {
                "temperature": 0.5, "topP": 0.9, "topK": 40, "candidateCount": 2, "maxOutputTokens": 300,
                "stopSequences": ["END"], "seed": 7, "presencePenalty": -0.5, "frequencyPenalty": 0.25,
                "responseMimeType": "application/json", "responseJsonSchema": {"type": "object"},
                "thinkingConfig": {"thinkingLevel": "HIGH", "includeThoughts": true}
            },
            "serviceTier": "standard"
        })
    );
    assert_eq!(
        dropped,
        [
            "logit_bias",
            "strict",
            "user",
            "prompt_cache_key",
            "parallel_tool_calls",
            "cache_control"
        ]
    );
    assert_eq!(
        written(&hi(), NEW),
        (
            json!({"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}),
            vec![]
        )
    );
}

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "a table of what is sent and what it means"
)]
fn a_conversation_with_calls_is_written_in_turns() {
    let media = Media {
        kind: MediaKind::Image,
        media_type: None,
        source: Source::Base64("iVBORw0KGgoAAA".to_owned()),
        name: None,
        detail: Some("high".to_owned()),
        cache: None,
    };
    let away = Media {
        source: Source::Url("https://x.example/a.pdf?x=1".to_owned()),
        kind: MediaKind::Document,
        ..media.clone()
    };
    let failed = ToolResult {
        is_error: true,
        ..result("c2", "no such place")
    };
    let pictured = ToolResult {
        parts: vec![Part::text("{\"output\":\"x\"}"), Part::Media(media.clone())],
        name: Some("draw".to_owned()),
        ..result("c3", "")
    };
    let foreign = Signature {
        format: SignatureFormat::Anthropic,
        data: "s".to_owned(),
    };
    let request = ChatRequest {
        turns: vec![
            user(vec![
                Part::text("look"),
                Part::Media(media),
                Part::Media(away),
            ]),
            user(vec![Part::text("and tell")]),
            model(vec![
                Part::Thought(Thought {
                    text: "foreign".to_owned(),
                    signature: Some(foreign.clone()),
                }),
                Part::Thought(Thought {
                    text: "unsigned".to_owned(),
                    signature: None,
                }),
                Part::Refusal("I would rather not.".to_owned()),
                Part::ToolCall(ToolCall {
                    signature: Some(foreign),
                    ..call("c1", "weather", "{\"b\": 1, \"a\":\n2}")
                }),
                Part::ToolCall(call("c2", "weather", "not JSON")),
                Part::ToolCall(call("c3", "draw", "")),
            ]),
            user(vec![
                Part::ToolResult(result("c1", "{\"sun\": true}")),
                Part::ToolResult(failed),
                Part::ToolResult(pictured),
            ]),
        ],
        ..ChatRequest::default()
    };
    let (body, _) = written(&request, NEW);
    assert_eq!(
        body,
        json!({"contents": [
            {"role": "user", "parts": [
                {"text": "look"},
                {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgoAAA"}},
                {"fileData": {"fileUri": "https://x.example/a.pdf?x=1", "mimeType": "application/pdf"}},
                {"text": "and tell"}
            ]},
            {"role": "model", "parts": [
                {"text": "I would rather not."},
                {"functionCall": {"id": "c1", "name": "weather", "args": {"b": 1, "a": 2}},
                    "thoughtSignature": "skip_thought_signature_validator"},
                {"functionCall": {"id": "c2", "name": "weather", "args": {"arguments": "not JSON"}}},
                {"functionCall": {"id": "c3", "name": "draw", "args": {}}}
            ]},
            {"role": "user", "parts": [
                {"functionResponse": {"id": "c1", "name": "weather", "response": {"sun": true}}},
                {"functionResponse": {"id": "c2", "name": "weather", "response": {"error": "no such place"}}},
                {"functionResponse": {"id": "c3", "name": "draw", "response": {"output": "{\"output\":\"x\"}"},
                    "parts": [{"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgoAAA"}}]}}
            ]}
        ]})
    );
    // Models before the third series ask for no signature.
    let (old, _) = written(&request, "gemini-2.5-pro");
    assert_eq!(old["contents"][1]["parts"][1].get("thoughtSignature"), None);
}

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "a table of what is sent and what it means"
)]
fn signatures_go_back_to_where_they_stood() {
    let json = json!({"contents": [
        {"role": "user", "parts": [{"text": "q"}]},
        {"role": "model", "parts": [
            {"text": "I think", "thought": true},
            {"text": "so.", "thoughtSignature": "AAA="},
            {"inlineData": {"mimeType": "image/png", "data": "BBBB"}, "thoughtSignature": "BBB="},
            {"functionCall": {"name": "f", "args": {}}, "thoughtSignature": "CCC="},
            {"functionCall": {"name": "f", "args": {"x": 1}}},
            {"text": "", "thoughtSignature": "DDD="}
        ]},
        {"role": "user", "parts": [
            {"functionResponse": {"name": "f", "response": {"output": "one"}}},
            {"functionResponse": {"name": "f", "response": {"output": "two"}}}
        ]}
    ]});
    let request = read(&json.to_string()).expect("read");
    assert_eq!(
        request.turns[1].parts,
        [
            Part::Thought(Thought {
                text: "I think".to_owned(),
                signature: Some(google("AAA="))
            }),
            Part::text("so."),
            Part::Thought(Thought {
                text: String::new(),
                signature: Some(google("BBB="))
            }),
            Part::Media(Media {
                kind: MediaKind::Image,
                media_type: Some("image/png".to_owned()),
                source: Source::Base64("BBBB".to_owned()),
                name: None,
                detail: None,
                cache: None,
            }),
            Part::ToolCall(ToolCall {
                signature: Some(google("CCC=")),
                ..call("call_0", "f", "{}")
            }),
            Part::ToolCall(call("call_1", "f", "{\"x\":1}")),
            Part::Thought(Thought {
                text: String::new(),
                signature: Some(google("DDD="))
            }),
        ]
    );
    let ids = request.turns[2].parts.iter().map(|part| {
        let Part::ToolResult(result) = part else {
            panic!("{part:?}");
        };
        result.id.as_str()
    });
    let ids: Vec<&str> = ids.collect();
    assert_eq!(ids, ["call_0", "call_1"]);
    let mut expected = json;
    for (turn, part, id) in [(1, 3, "call_0"), (1, 4, "call_1")] {
        expected["contents"][turn]["parts"][part]["functionCall"]["id"] = id.into();
    }
    for (part, id) in [(0, "call_0"), (1, "call_1")] {
        expected["contents"][2]["parts"][part]["functionResponse"]["id"] = id.into();
    }
    assert_eq!(written(&request, NEW).0, expected);
    // From dialects that have no place on a call, its signature comes as an empty thought before it.
    let mut moved = request;
    moved.turns[1].parts = vec![
        Part::Thought(Thought {
            text: String::new(),
            signature: Some(google("CCC=")),
        }),
        Part::ToolCall(call("call_0", "f", "{}")),
    ];
    assert_eq!(
        written(&moved, NEW).0["contents"][1]["parts"],
        json!([{"functionCall": {"id": "call_0", "name": "f", "args": {}}, "thoughtSignature": "CCC="}])
    );
}

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "a table of what is sent and what it means"
)]
fn a_request_in_googles_words_is_read_in_either_way_to_write_them() {
    let request = read(
        r#"{
            "system_instruction": {"role": "user", "parts": {"text": "Be a cat."}},
            "contents": [{"parts": [{"text": "hi"}, {"inline_data": {"mime_type": "audio/mp3", "data": "AAAA"}},
                {"fileData": {"fileUri": "https://x.example/a.mp4"}}]}],
            "tools": [{"function_declarations": [
                {"name": "f", "parameters": {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}}},
                {"name": "g", "description": "d", "parametersJsonSchema": {"type": "object"}},
                {"name": "h"}
            ]}],
            "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f", "g"]}},
            "generation_config": {
                "max_output_tokens": 9, "topK": 40.0, "candidateCount": 3, "stop_sequences": ["x"], "seed": -1,
                "response_mime_type": "application/json",
                "responseSchema": {"type": "ARRAY", "items": {"type": "STRING"}},
                "thinkingConfig": {"include_thoughts": true, "thinking_level": "low"},
                "responseLogprobs": true, "logprobs": 5, "mediaResolution": "MEDIA_RESOLUTION_LOW",
                "responseModalities": ["TEXT", "IMAGE"], "speechConfig": null
            },
            "safetySettings": [{"category": "x"}], "labels": {}, "serviceTier": "flex"
        }"#,
    )
    .expect("read");
    assert_eq!(request.instructions, [Part::text("Be a cat.")]);
    let mut kinds = Vec::new();
    for part in &request.turns[0].parts {
        if let Part::Media(media) = part {
            kinds.push(media.kind);
        }
    }
    assert_eq!(kinds, [MediaKind::Audio, MediaKind::Video]);
    let tools: Vec<(&str, Option<&str>)> = request
        .tools
        .iter()
        .map(|tool| (tool.name.as_str(), tool.parameters.as_ref().map(Json::get)))
        .collect();
    assert_eq!(
        tools,
        [
            (
                "f",
                Some(r#"{"type":"object","properties":{"a":{"type":"string"}}}"#)
            ),
            ("g", Some(r#"{"type": "object"}"#)),
        ],
        "only those are left that may be called"
    );
    assert_eq!(request.tool_choice, Some(ToolChoice::Required));
    assert_eq!(
        (request.output_max, request.answers, request.sampling.top_k),
        (Some(9), 3, Some(40))
    );
    assert_eq!(
        (request.stop, request.sampling.seed),
        (vec!["x".to_owned()], Some(-1))
    );
    assert!(
        matches!(request.format, Some(Format::JsonSchema { schema, .. })
        if schema.get() == r#"{"type":"array","items":{"type":"string"}}"#)
    );
    let reasoning = Reasoning {
        effort: Some(Effort::Low),
        budget: None,
        shows: Some(true),
    };
    assert_eq!(request.reasoning, Some(reasoning));
    assert_eq!(request.tier.as_deref(), Some("flex"));
    assert_eq!(
        request.unsaid,
        [
            "logprobs",
            "mediaResolution",
            "modalities",
            "safetySettings"
        ]
    );
}

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "a table of what is sent and what it means"
)]
fn what_would_change_the_meaning_is_refused() {
    for (request, what) in [
        (
            ChatRequest {
                tool_choice: Some(ToolChoice::Required),
                ..hi()
            },
            "tools",
        ),
        (
            ChatRequest {
                turns: vec![user(vec![Part::ToolResult(result("c", "x"))])],
                ..ChatRequest::default()
            },
            "answers no call",
        ),
        (
            ChatRequest {
                turns: vec![user(vec![Part::Media(Media {
                    kind: MediaKind::Document,
                    media_type: None,
                    source: Source::Id("file-1".to_owned()),
                    name: None,
                    detail: None,
                    cache: None,
                })])],
                ..ChatRequest::default()
            },
            "file",
        ),
        (ChatRequest::default(), "at least one"),
    ] {
        let refused = translator()
            .write_request(&request, to(NEW))
            .expect_err(what);
        assert!(refused.message.contains(what), "{}", refused.message);
    }
    for (json, what) in [
        (r#"{"contents":[]}"#, "at least one"),
        (
            r#"{"contents":[{"role":"system","parts":[{"text":"x"}]}]}"#,
            "role",
        ),
        (
            r#"{"contents":[{"parts":[{"videoMetadata":{}}]}]}"#,
            "holds nothing",
        ),
        (
            r#"{"contents":[{"parts":[{"text":"x"}]}],"tools":[{"googleSearch":{}}]}"#,
            "functions",
        ),
        (
            r#"{"contents":[{"parts":[{"text":"x"}]}],"generationConfig":{"responseMimeType":"text/x.enum"}}"#,
            "text/x.enum",
        ),
        (
            r#"{"contents":[{"parts":[{"text":"x"}]}],"generationConfig":{"responseModalities":["IMAGE"]}}"#,
            "pictures",
        ),
        (
            r#"{"contents":[{"parts":[{"text":"x"}]}],"generationConfig":{"temperature":"hot"}}"#,
            "temperature",
        ),
        (
            r#"{"contents":[{"parts":[{"text":"x"}]}],"toolConfig":{"functionCallingConfig":{"mode":"SOME"}}}"#,
            "mode",
        ),
        ("[]", "JSON"),
    ] {
        let refused = read(json).expect_err(what);
        assert!(
            refused.message.contains(what),
            "{json}: {}",
            refused.message
        );
    }
}

#[test]
fn many_calls_of_one_name_are_matched_in_a_moment() {
    let calls = vec![r#"{"functionCall":{"name":"f"}}"#; 50_000].join(",");
    let results = vec![r#"{"functionResponse":{"name":"f"}}"#; 50_000].join(",");
    let json =
        format!(r#"{{"contents":[{{"role":"model","parts":[{calls}]}},{{"parts":[{results}]}}]}}"#);
    let request = read(&json).expect("read");
    let last = request.turns[1].parts.last();
    let Some(Part::ToolResult(result)) = last else {
        panic!("{last:?}");
    };
    assert_eq!(result.id, "call_49999");
}
