//! Requests as Converse is sent them, what it can't be told, and what is refused.

use serde_json::{Value, json};

use super::*;
use crate::dialect::neutral::{
    CacheMark, Effort, Format, Json, Media, MediaKind, Reasoning, Role, Signature, SignatureFormat,
    Source, Thought, Tool, ToolCall, ToolChoice, ToolResult, Turn,
};

const CLAUDE: &str = "anthropic.claude-haiku-4-5-20251001-v1:0";

fn turn(role: Role, parts: Vec<Part>) -> Turn {
    Turn { role, parts }
}

fn call(id: &str, arguments: &str) -> Part {
    Part::ToolCall(ToolCall {
        id: id.to_owned(),
        name: "look".to_owned(),
        arguments: arguments.to_owned(),
        signature: None,
        cache: None,
    })
}

fn result(id: &str, parts: Vec<Part>, is_error: bool) -> Part {
    Part::ToolResult(ToolResult {
        id: id.to_owned(),
        name: None,
        parts,
        is_error,
        cache: None,
    })
}

fn image(source: Source) -> Media {
    Media {
        kind: MediaKind::Image,
        media_type: None,
        source,
        name: None,
        detail: None,
        cache: None,
    }
}

fn tool() -> Tool {
    Tool {
        name: "look".to_owned(),
        description: Some(String::new()),
        parameters: None,
        strict: None,
        cache: None,
    }
}

fn asked() -> ChatRequest {
    ChatRequest {
        turns: vec![turn(Role::User, vec![Part::text("Hi")])],
        ..ChatRequest::default()
    }
}

fn written(request: &ChatRequest, model: &str) -> (Value, Vec<String>) {
    let written = BEDROCK_CONVERSE
        .write_request(request, to(model))
        .expect("written");
    let body = serde_json::from_slice(&written.body).expect("JSON");
    (body, written.dropped)
}

fn conversation() -> ChatRequest {
    let thought = |format, data: &str| {
        Part::Thought(Thought {
            text: "Hm.".to_owned(),
            signature: Some(Signature {
                format,
                data: data.to_owned(),
            }),
        })
    };
    ChatRequest {
        instructions: vec![Part::Text {
            text: "Be brief.".to_owned(),
            citations: Vec::new(),
            cache: Some(CacheMark::Long),
        }],
        turns: vec![
            turn(
                Role::User,
                vec![
                    Part::text("What is it?"),
                    Part::Media(image(Source::Base64("iVBORw0KGgoAAA".to_owned()))),
                ],
            ),
            turn(
                Role::Assistant,
                vec![
                    thought(SignatureFormat::Anthropic, "EqQB"),
                    thought(SignatureFormat::OpenAi, "gAAA"),
                    Part::text("  "),
                    call("call|1", "{\"b\":1,\"a\":2}"),
                ],
            ),
            turn(Role::Assistant, vec![call("call_0", "")]),
            turn(
                Role::User,
                vec![result("call|1", vec![Part::text("rain")], true)],
            ),
            turn(
                Role::User,
                vec![result("call_0", Vec::new(), false), Part::text("So?")],
            ),
        ],
        tools: vec![tool()],
        tool_choice: Some(ToolChoice::Auto),
        output_max: Some(100),
        stop: vec!["END".to_owned()],
        end_user: Some("u-1".to_owned()),
        tier: Some("flex".to_owned()),
        stream: true,
        unsaid: vec!["store".to_owned()],
        ..ChatRequest::default()
    }
}

#[test]
fn a_conversation_is_written_in_blocks() {
    let (body, dropped) = written(&conversation(), CLAUDE);
    assert_eq!(
        body,
        json!({
            "system": [{"text": "Be brief."}, {"cachePoint": {"type": "default", "ttl": "1h"}}],
            "messages": [
                {"role": "user", "content": [
                    {"text": "What is it?"},
                    {"image": {"format": "png", "source": {"bytes": "iVBORw0KGgoAAA"}}},
                ]},
                {"role": "assistant", "content": [
                    {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "EqQB"}}},
                    {"toolUse": {"toolUseId": "call_1", "name": "look", "input": {"b": 1, "a": 2}}},
                    {"toolUse": {"toolUseId": "call_0", "name": "look", "input": {}}},
                ]},
                {"role": "user", "content": [
                    {"toolResult": {"toolUseId": "call_1", "content": [{"text": "rain"}], "status": "error"}},
                    {"toolResult": {"toolUseId": "call_0", "content": []}},
                    {"text": "So?"},
                ]},
            ],
            "toolConfig": {
                "tools": [{"toolSpec": {"name": "look", "inputSchema": {"json": {"type": "object", "properties": {}}}}}],
                "toolChoice": {"auto": {}},
            },
            "inferenceConfig": {"maxTokens": 100, "stopSequences": ["END"]},
            "serviceTier": {"type": "flex"},
            "requestMetadata": {"end_user": "u-1"},
        })
    );
    assert_eq!(dropped, ["store"]);
}

#[test]
fn another_makers_model_gets_no_proofs_and_no_marks() {
    let (body, dropped) = written(&conversation(), "qwen.qwen3-32b-v1:0");
    assert_eq!(body["system"], json!([{"text": "Be brief."}]));
    let said = &body["messages"][1]["content"];
    assert_eq!(said.as_array().map(Vec::len), Some(2), "{said}");
    assert_eq!(dropped, ["cache_control", "store"]);
    let failed = body["messages"]
        .to_string()
        .matches(r#"{"text":"Error:"}"#)
        .count();
    assert_eq!(failed, 1, "{body}");
}

#[test]
fn a_schema_and_sampling_find_their_places() {
    let mut request = asked();
    request.format = Some(Format::JsonSchema {
        name: "city".to_owned(),
        description: None,
        schema: Json::of("{\"type\":\"object\"}").expect("JSON"),
        strict: Some(true),
    });
    request.sampling.temperature = Some(0.5);
    request.sampling.top_k = Some(40);
    request.sampling.seed = Some(1);
    request.parallel_tool_calls = Some(false);
    request.cache_key = Some("k".to_owned());
    request.tier = Some("turbo".to_owned());
    request.end_user = Some("<u>".to_owned());
    let (body, dropped) = written(&request, CLAUDE);
    assert_eq!(
        body["outputConfig"],
        json!({"textFormat": {"type": "json_schema", "structure": {"jsonSchema": {
            "schema": "{\"type\":\"object\"}", "name": "city"}}}})
    );
    assert_eq!(body["inferenceConfig"], json!({"temperature": 0.5}));
    assert_eq!(body["additionalModelRequestFields"], json!({"top_k": 40}));
    let expected = [
        "parallel_tool_calls",
        "prompt_cache_key",
        "seed",
        "service_tier",
        "user",
    ];
    assert_eq!(dropped, expected);
}

#[test]
fn a_thinking_model_is_told_so() {
    let mut request = asked();
    request.reasoning = Some(Reasoning {
        effort: Some(Effort::Max),
        budget: None,
        shows: Some(true),
    });
    let (body, _) = written(&request, "us.anthropic.claude-opus-4-6-v1");
    assert_eq!(body["outputConfig"], json!({"effort": "max"}));
    assert_eq!(
        body["additionalModelRequestFields"],
        json!({"thinking": {"type": "adaptive", "display": "summarized"}})
    );
}

#[test]
fn tools_that_may_not_be_called_are_left_out_unless_they_were_called() {
    let mut request = asked();
    request.tools = vec![tool()];
    request.tool_choice = Some(ToolChoice::None);
    let (body, _) = written(&request, CLAUDE);
    assert!(body.get("toolConfig").is_none());
    for (choice, expected) in [
        (ToolChoice::Required, json!({"any": {}})),
        (
            ToolChoice::Function("look".to_owned()),
            json!({"tool": {"name": "look"}}),
        ),
    ] {
        request.tool_choice = Some(choice);
        let (body, _) = written(&request, CLAUDE);
        assert_eq!(body["toolConfig"]["toolChoice"], expected);
    }
}

#[test]
fn documents_have_names_that_are_taken_once() {
    let document = |name: &str| {
        Part::Media(Media {
            kind: MediaKind::Document,
            media_type: Some("application/pdf; x=1".to_owned()),
            source: Source::Base64("JVBERi0".to_owned()),
            name: Some(name.to_owned()),
            detail: None,
            cache: None,
        })
    };
    let mut request = asked();
    request.turns[0].parts.extend([
        document("my  file_1.pdf"),
        document("my  file_1.pdf"),
        document(""),
    ]);
    let (body, _) = written(&request, CLAUDE);
    let content = &body["messages"][0]["content"];
    assert_eq!(content[1]["document"]["name"], "my file-1-pdf");
    assert_eq!(content[2]["document"]["name"], "my file-1-pdf (2)");
    assert_eq!(content[3]["document"]["name"], "document");
    assert_eq!(content[1]["document"]["format"], "pdf");
}

#[test]
fn what_would_change_the_meaning_is_refused_with_its_reason() {
    let part = |part: Part| {
        let mut request = asked();
        request.turns[0].parts.push(part);
        request
    };
    let with = |change: fn(&mut ChatRequest)| {
        let mut request = asked();
        change(&mut request);
        request
    };
    let media = |source| part(Part::Media(image(source)));
    let mut drawn = asked();
    let picture = image(Source::Base64("iVBORw0KGgo".to_owned()));
    drawn
        .turns
        .push(turn(Role::Assistant, vec![Part::Media(picture)]));
    let mut not_called = conversation();
    not_called.tool_choice = Some(ToolChoice::None);
    for (request, field, word) in [
        (
            media(Source::Url("https://a.example/b.png".to_owned())),
            "messages",
            "base64",
        ),
        (media(Source::Id("file-1".to_owned())), "messages", "base64"),
        (
            media(Source::Base64("Qk0=".to_owned())),
            "messages",
            "png, jpeg",
        ),
        (drawn, "messages", "the model made"),
        (part(call("a", "not JSON")), "messages", "no JSON object"),
        (part(call("a", "[1]")), "messages", "no JSON object"),
        (with(|r| r.answers = 2), "n", "one answer"),
        (
            with(|r| r.format = Some(Format::JsonObject)),
            "response_format",
            "schema",
        ),
        (not_called, "tool_choice", "called before"),
        (with(|r| r.turns.clear()), "messages", "nothing"),
        (
            with(|r| r.turns[0].parts = vec![Part::text(" ")]),
            "messages",
            "nothing",
        ),
        (
            with(|r| r.instructions = vec![Part::Media(image(Source::Id(String::new())))]),
            "messages",
            "texts in instructions",
        ),
    ] {
        let refused = BEDROCK_CONVERSE.write_request(&request, to(CLAUDE));
        let refused = refused.expect_err(word);
        assert_eq!(refused.param, Some(field), "{refused}");
        assert!(refused.message.contains(word), "{refused}");
    }
}

#[test]
fn a_request_that_is_read_names_what_it_can_not_say() {
    let body = r#"{"messages":[{"role":"user","content":[{"text":"Hi"},{"cachePoint":{"type":"default"}}]}],
        "guardrailConfig":{},"performanceConfig":{"latency":"standard"},"system":null}"#;
    let head = Head {
        stream: Some(true),
        ..Head::default()
    };
    let request = BEDROCK_CONVERSE
        .read_request(&head, body.as_bytes())
        .expect("read");
    assert!(request.stream);
    assert_eq!(request.unsaid, ["guardrailConfig", "performanceConfig"]);
    let marked = Part::Text {
        text: "Hi".to_owned(),
        citations: Vec::new(),
        cache: Some(CacheMark::Short),
    };
    assert_eq!(request.turns[0].parts, [marked]);
    for wrong in [
        "{}x",
        "[]",
        r#"{"messages":7}"#,
        r#"{"messages":[{"role":"tool","content":[]}]}"#,
    ] {
        let read = BEDROCK_CONVERSE.read_request(&head, wrong.as_bytes());
        assert!(read.is_err(), "{wrong}");
    }
}

#[test]
fn what_converse_insists_on_is_put_beside_what_was_said() {
    let file = Part::Media(Media {
        kind: MediaKind::Document,
        media_type: Some("application/pdf".to_owned()),
        ..image(Source::Base64("JVBERi0x".to_owned()))
    });
    let request = ChatRequest {
        turns: vec![
            turn(
                Role::Assistant,
                vec![Part::text("Welcome!"), call("a", "{}")],
            ),
            turn(Role::User, vec![result("a", vec![Part::text("7")], false)]),
            turn(Role::Assistant, vec![Part::text("Seven.")]),
            turn(Role::User, vec![file]),
        ],
        ..ChatRequest::default()
    };
    let (body, _) = written(&request, CLAUDE);
    let first = json!({"role": "user", "content": [{"text": "."}]});
    assert_eq!(body["messages"][0], first, "the user begins");
    let last = &body["messages"][4]["content"];
    assert_eq!(
        last[1],
        json!({"text": "."}),
        "a text beside a file: {last}"
    );
    let tools = json!([{"toolSpec": {
        "name": "look", "description": "Can't be called any more.",
        "inputSchema": {"json": {"type": "object", "properties": {}}},
    }}]);
    assert_eq!(
        body["toolConfig"],
        json!({"tools": tools}),
        "what was called is known"
    );
}

#[test]
fn a_tool_that_must_be_called_must_be_there() {
    let mut request = asked();
    request.tools.clear();
    request.tool_choice = Some(ToolChoice::Required);
    let refused = BEDROCK_CONVERSE.write_request(&request, to(CLAUDE));
    assert_eq!(refused.expect_err("refused").param, Some("tool_choice"));
}

#[test]
fn thinking_as_it_likes_is_told_and_what_is_so_anyhow_is_not_missed() {
    let mut request = asked();
    request.reasoning = Some(Reasoning::default());
    request.sampling.temperature = Some(1.0);
    request.sampling.top_p = Some(1.0);
    request.sampling.frequency_penalty = Some(0.0);
    let (body, dropped) = written(&request, "anthropic.claude-opus-4-6-v1");
    let extra = &body["additionalModelRequestFields"];
    assert_eq!(extra["thinking"], json!({"type": "adaptive"}));
    assert_eq!(body["outputConfig"], Value::Null);
    assert_eq!(dropped, Vec::<String>::new());
}

#[test]
fn names_without_words_are_told_and_not_without_end() {
    let fields: Vec<String> = (0..1_000).map(|at| format!(r#""f{at}":1,"#)).collect();
    let fields = fields.concat();
    let body = format!(r#"{{{fields}"messages":[{{"role":"user","content":[{{"text":"Hi"}}]}}]}}"#);
    let request = BEDROCK_CONVERSE.read_request(&Head::default(), body.as_bytes());
    assert_eq!(request.expect("read").unsaid.len(), 32);
}
