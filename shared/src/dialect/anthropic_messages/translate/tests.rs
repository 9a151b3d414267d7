//! Tenants' requests, each with what it becomes.

use serde_json::{Value, json};

use super::*;
use crate::dialect::Quirks;
use crate::dialect::neutral::{
    CacheMark, Media, MediaKind, Part, Reasoning, Role, Source, ToolCall, ToolChoice, ToolResult,
    Turn,
};

pub(super) const OLD: &str = "claude-haiku-4-5";
pub(super) const BOTH: &str = "claude-sonnet-4-6";
pub(super) const NEW: &str = "claude-opus-5-5";

pub(super) fn head(version: &str) -> Head {
    Head {
        headers: vec![("anthropic-version".to_owned(), version.to_owned())],
        ..Head::default()
    }
}

pub(super) fn read(body: &Value) -> ChatRequest {
    let read = TRANSLATOR.read_request(&Head::default(), body.to_string().as_bytes());
    read.unwrap_or_else(|wrong| panic!("{wrong}: {body}"))
}

pub(super) fn refused(version: &str, body: &Value) -> BadBody {
    let read = TRANSLATOR.read_request(&head(version), body.to_string().as_bytes());
    read.expect_err("it is refused")
}

pub(super) fn to(model: &str) -> WriteTo<'_> {
    WriteTo {
        model,
        quirks: Quirks::default(),
        output_max: None,
    }
}

pub(super) fn written(request: &ChatRequest, model: &str) -> (Value, Vec<String>) {
    let written = TRANSLATOR
        .write_request(request, to(model))
        .expect("it can be written");
    let body = serde_json::from_slice(&written.body).expect("JSON");
    (body, written.dropped)
}

pub(super) fn turn(role: Role, parts: Vec<Part>) -> Turn {
    Turn { role, parts }
}

/// A request of these turns.
pub(super) fn chat(turns: Vec<Turn>) -> ChatRequest {
    ChatRequest {
        turns,
        ..ChatRequest::default()
    }
}

pub(super) fn hello() -> ChatRequest {
    chat(vec![turn(Role::User, vec![Part::text("hi")])])
}

pub(super) fn call(id: &str, arguments: &str) -> Part {
    Part::ToolCall(ToolCall {
        id: id.to_owned(),
        name: "f".to_owned(),
        arguments: arguments.to_owned(),
        signature: None,
        cache: None,
    })
}

pub(super) fn result(id: &str, text: &str) -> Part {
    Part::ToolResult(ToolResult {
        id: id.to_owned(),
        name: None,
        parts: vec![Part::text(text)],
        is_error: false,
        cache: None,
    })
}

pub(super) fn picture(source: Source, media_type: Option<&str>) -> Media {
    Media {
        kind: MediaKind::Image,
        media_type: media_type.map(str::to_owned),
        source,
        name: None,
        detail: None,
        cache: None,
    }
}

/// Everything that both forms can say.
fn everything() -> Value {
    json!({
        "model": BOTH, "max_tokens": 9000, "stream": true,
        "system": [
            {"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
            {"type": "text", "text": "Be kind."},
        ],
        "messages": [
            {"role": "user", "content": [
                {"type": "text", "text": "See \u{6c49}.", "cache_control": {"type": "ephemeral"}},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgoAAA"}},
                {"type": "image", "source": {"type": "url", "url": "https://x.test/a.png"}},
                {"type": "image", "source": {"type": "file", "file_id": "file_01"}},
                {"type": "document", "title": "T", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0x"}},
                {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "plain"}},
                {"type": "document", "source": {"type": "url", "url": "https://x.test/a.pdf"}, "cache_control": {"type": "ephemeral"}},
            ]},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "Hm.", "signature": "EqQB"},
                {"type": "redacted_thinking", "data": "EmwK"},
                {"type": "text", "text": "I look."},
                {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"z": 1, "a": [2]}, "cache_control": {"type": "ephemeral"}},
                {"type": "tool_use", "id": "toolu_2", "name": "f", "input": {}},
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "toolu_1", "content": [
                    {"type": "text", "text": "17"},
                    {"type": "image", "source": {"type": "url", "url": "https://x.test/b.png"}},
                ]},
                {"type": "tool_result", "tool_use_id": "toolu_2", "content": [], "is_error": true, "cache_control": {"type": "ephemeral"}},
                {"type": "text", "text": "And?"},
            ]},
        ],
        "tools": [
            {"name": "f", "description": "F.", "input_schema": {"type": "object", "properties": {"z": {}}}, "strict": true, "cache_control": {"type": "ephemeral"}},
        ],
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": true},
        "thinking": {"type": "enabled", "budget_tokens": 2000, "display": "summarized"},
        "output_config": {"effort": "high", "format": {"type": "json_schema", "schema": {"type": "object", "additionalProperties": false}}},
        "stop_sequences": ["END"], "metadata": {"user_id": "u-1"}, "service_tier": "auto",
    })
}

#[test]
fn a_request_comes_back_as_it_was() {
    let body = everything();
    let request = read(&body);
    assert_eq!(request.unsaid, Vec::<String>::new());
    assert_eq!(written(&request, BOTH), (body, Vec::new()));
    let Part::ToolResult(result) = &request.turns[2].parts[0] else {
        panic!("a result");
    };
    assert_eq!(result.name.as_deref(), Some("f"));
    let Part::ToolCall(call) = &request.turns[1].parts[3] else {
        panic!("a call");
    };
    assert_eq!(call.arguments, r#"{"a":[2],"z":1}"#, "as it is written");
}

#[test]
fn short_forms_and_what_has_no_words_elsewhere_are_read() {
    let request = read(&json!({
        "model": "m", "max_tokens": 5, "system": "Be brief.", "temperature": 0.5, "top_k": 3, "top_p": 1,
        "cache_control": {"type": "ephemeral", "ttl": "1h"},
        "context_management": {"edits": []}, "container": null,
        "tools": [{"type": "custom", "name": "g"}, {"type": "tool_search_tool_bm25_20251119", "name": "s"}],
        "tool_choice": {"type": "tool", "name": "g"},
        "thinking": {"type": "adaptive"},
        "messages": [
            {"role": "user", "content": "hi"},
            {"role": "system", "content": "Now be loud."},
            {"role": "assistant", "content": [{"type": "text", "text": "", "citations": null}, {"type": "text", "text": "so",
                "citations": [
                    {"type": "web_search_result_location", "cited_text": "q", "url": "https://x.test", "title": "T", "encrypted_index": "e"},
                    {"type": "char_location", "cited_text": "c", "document_index": 0, "document_title": "D"},
                ]}]},
            {"role": "user", "content": [
                {"type": "document", "title": "N", "context": "c", "citations": {"enabled": true},
                    "source": {"type": "content", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}},
                {"type": "search_result", "source": "https://y.test", "title": "Y", "content": [{"type": "text", "text": "found"}]},
            ]},
        ],
    }));
    assert_eq!(
        request.instructions,
        [Part::text("Be brief."), Part::text("Now be loud.")]
    );
    assert_eq!(request.sampling.temperature, Some(0.5));
    assert_eq!(
        (request.sampling.top_k, request.sampling.top_p),
        (Some(3), Some(1.0))
    );
    assert_eq!(
        request.unsaid,
        ["context_management", "tool_search", "citations", "context"]
    );
    assert_eq!(request.tools.len(), 1);
    assert_eq!(
        request.tool_choice,
        Some(ToolChoice::Function("g".to_owned()))
    );
    assert_eq!(request.reasoning, Some(Reasoning::default()));
    let Part::Text { citations, .. } = &request.turns[1].parts[0] else {
        panic!("a text, and no empty one before it");
    };
    assert_eq!(citations[0].url, "https://x.test");
    assert_eq!(
        (citations[1].title.as_deref(), citations[1].quote.as_deref()),
        (Some("D"), Some("c"))
    );
    let Part::Media(document) = &request.turns[2].parts[0] else {
        panic!("a document");
    };
    assert_eq!(document.source, Source::Text("a\nb".to_owned()));
    let Part::Text { text, cache, .. } = &request.turns[2].parts[1] else {
        panic!("a text");
    };
    assert_eq!(text, "Y\nhttps://y.test\nfound");
    assert_eq!(*cache, Some(CacheMark::Long), "the last part is marked");
}

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "a table of what is sent and what it means"
)]
fn what_would_change_its_meaning_is_refused_by_its_field() {
    let asks = |role: &str, block: Value| json!({"model": "m", "max_tokens": 5, "messages": [{"role": role, "content": [block]}]});
    let with = |name: &str, value: Value| {
        let mut body = asks("user", json!({"type": "text", "text": "hi"}));
        body[name] = value;
        body
    };
    let old = "2023-06-01";
    for (body, param) in [
        (
            asks("user", json!({"type": "container_upload", "file_id": "f"})),
            "messages",
        ),
        (
            asks(
                "assistant",
                json!({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}),
            ),
            "messages",
        ),
        (
            asks(
                "user",
                json!({"type": "tool_use", "id": "s", "name": "f", "input": {}}),
            ),
            "messages",
        ),
        (asks("user", json!({"type": "image"})), "messages"),
        (
            asks(
                "user",
                json!({"type": "image", "source": {"type": "base64"}}),
            ),
            "messages",
        ),
        (
            asks(
                "user",
                json!({"type": "image", "source": {"type": "content", "content": []}}),
            ),
            "messages",
        ),
        (asks("user", json!({"type": "text"})), "messages"),
        (asks("user", json!({"text": "x"})), "messages"),
        (
            asks("tool", json!({"type": "text", "text": "x"})),
            "messages",
        ),
        (with("messages", json!(7)), "messages"),
        (
            with(
                "system",
                json!([{"type": "image", "source": {"type": "url", "url": "x"}}]),
            ),
            "system",
        ),
        (
            with("tools", json!([{"type": "bash_20250124", "name": "bash"}])),
            "tools",
        ),
        (with("tools", json!([{"input_schema": {}}])), "tools"),
        (with("tool_choice", json!({"type": "tool"})), "tool_choice"),
        (with("tool_choice", json!({"type": "some"})), "tool_choice"),
        (
            with("output_config", json!({"format": {"type": "regex"}})),
            "output_config",
        ),
        (
            with("output_config", json!({"effort": "huge"})),
            "output_config",
        ),
        (with("max_tokens", json!("5")), "max_tokens"),
        (with("thinking", json!(true)), "thinking"),
    ] {
        let wrong = refused(old, &body);
        assert_eq!(wrong.param, Some(param), "{body}");
        assert!(!wrong.message.is_empty());
    }
    let newer = "2026-10-21";
    let document = json!({"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "x"}});
    let cited = json!({"type": "text", "text": "x", "citations": [{"type": "char_location", "cited_text": "x"}]});
    for (body, param) in [
        (with("temperature", json!(1)), "temperature"),
        (with("top_p", json!(1)), "top_p"),
        (with("top_k", json!(1)), "top_k"),
        (asks("assistant", document), "messages"),
        (asks("user", cited), "messages"),
    ] {
        assert_eq!(refused(newer, &body).param, Some(param), "{body}");
        let read = TRANSLATOR.read_request(&head(old), body.to_string().as_bytes());
        assert!(read.is_ok(), "{body}");
    }
    assert_eq!(
        refused("1999", &hello_body()).param,
        Some("anthropic-version")
    );
}

fn hello_body() -> Value {
    json!({"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]})
}

#[test]
fn fields_that_nobody_knows_are_named_and_not_without_end() {
    let mut body = hello_body();
    for at in 0..100_000 {
        body[format!("field_{at}")] = 1.into();
    }
    body["x".repeat(1_000)] = 1.into();
    let begun = std::time::Instant::now();
    assert_eq!(read(&body).unsaid.len(), 32);
    assert!(begun.elapsed().as_secs() < 10, "each is compared with few");
}
