//! Requests as Cohere is sent them, what it can't be told, and what is refused.

use serde_json::json;

use super::*;
use crate::dialect::neutral::{
    CacheMark, Effort, Format, Json, Media, MediaKind, Reasoning, Role, Signature, SignatureFormat,
    Source, Tool, ToolCall, ToolChoice, ToolResult, Turn,
};

fn turn(role: Role, parts: Vec<Part>) -> Turn {
    Turn { role, parts }
}

fn call(id: &str) -> Part {
    Part::ToolCall(ToolCall {
        id: id.to_owned(),
        name: "look".to_owned(),
        arguments: "{\"b\":1,\"a\":2}".to_owned(),
        signature: None,
        cache: None,
    })
}

fn result(id: &str, parts: Vec<Part>) -> Part {
    Part::ToolResult(ToolResult {
        id: id.to_owned(),
        name: None,
        parts,
        is_error: true,
        cache: None,
    })
}

fn media(kind: MediaKind, source: Source) -> Part {
    Part::Media(Media {
        kind,
        media_type: Some("image/jpeg".to_owned()),
        source,
        name: None,
        detail: Some("low".to_owned()),
        cache: Some(CacheMark::Short),
    })
}

fn tool(name: &str, strict: Option<bool>) -> Tool {
    Tool {
        name: name.to_owned(),
        description: None,
        parameters: None,
        strict,
        cache: None,
    }
}

fn asked() -> ChatRequest {
    ChatRequest {
        turns: vec![turn(Role::User, vec![Part::text("Hi")])],
        ..ChatRequest::default()
    }
}

fn written(request: &ChatRequest) -> (Value, Vec<String>) {
    let written = COHERE_CHAT.write_request(request, TO).expect("written");
    let body = serde_json::from_slice(&written.body).expect("JSON");
    (body, written.dropped)
}

fn conversation() -> ChatRequest {
    let thought = |text: &str, signature| {
        Part::Thought(Thought {
            text: text.to_owned(),
            signature,
        })
    };
    let signature = Signature {
        format: SignatureFormat::Google,
        data: "x".to_owned(),
    };
    ChatRequest {
        instructions: vec![Part::text("Be brief."), Part::text("Be kind.")],
        turns: vec![
            turn(
                Role::User,
                vec![
                    Part::text("What is it?"),
                    media(MediaKind::Image, Source::Base64("AAAA".to_owned())),
                    media(
                        MediaKind::Image,
                        Source::Url("https://a.example/b".to_owned()),
                    ),
                ],
            ),
            turn(
                Role::Assistant,
                vec![
                    thought("Hm.", Some(signature)),
                    thought("I will look.", None),
                    Part::text("Wait."),
                    call("c|1"),
                    call("c2"),
                ],
            ),
            turn(Role::User, vec![result("c|1", vec![Part::text("rain")])]),
            turn(
                Role::User,
                vec![result("c2", Vec::new()), Part::text("So?")],
            ),
            turn(
                Role::Assistant,
                vec![thought("Hm.", None), Part::text("It ")],
            ),
            turn(Role::Assistant, vec![Part::text("rains.")]),
        ],
        tools: vec![tool("look", Some(true))],
        tool_choice: Some(ToolChoice::Auto),
        output_max: Some(100),
        stop: vec!["END".to_owned()],
        end_user: Some("u".to_owned()),
        tier: Some("auto".to_owned()),
        stream: true,
        unsaid: vec!["store".to_owned()],
        ..ChatRequest::default()
    }
}

#[test]
fn a_conversation_is_written_in_messages() {
    let (body, dropped) = written(&conversation());
    let called = |id: &str| json!({"id": id, "type": "function", "function": {"name": "look", "arguments": "{\"b\":1,\"a\":2}"}});
    assert_eq!(
        body,
        json!({
            "model": "command-a-reasoning-08-2025",
            "messages": [
                {"role": "system", "content": [{"type": "text", "text": "Be brief."}, {"type": "text", "text": "Be kind."}]},
                {"role": "user", "content": [
                    {"type": "text", "text": "What is it?"},
                    {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,AAAA", "detail": "low"}},
                    {"type": "image_url", "image_url": {"url": "https://a.example/b", "detail": "low"}},
                ]},
                {"role": "assistant", "tool_plan": "I will look.", "content": [{"type": "text", "text": "Wait."}],
                    "tool_calls": [called("c|1"), called("c2")]},
                {"role": "tool", "tool_call_id": "c|1", "content": [{"type": "text", "text": "Error:"}, {"type": "text", "text": "rain"}]},
                {"role": "tool", "tool_call_id": "c2", "content": [{"type": "text", "text": "Error:"}]},
                {"role": "user", "content": [{"type": "text", "text": "So?"}]},
                {"role": "assistant", "content": [{"type": "text", "text": "It "}, {"type": "text", "text": "rains."}]},
            ],
            "tools": [{"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}],
            "strict_tools": true,
            "max_tokens": 100,
            "stop_sequences": ["END"],
            "stream": true,
        })
    );
    assert_eq!(dropped, ["cache_control", "store", "user"]);
}

#[test]
fn a_forced_tool_is_the_only_one_that_is_given() {
    let mut request = asked();
    request.tools = vec![tool("look", None), tool("now", Some(true))];
    for (choice, word, count) in [
        (ToolChoice::Required, json!("REQUIRED"), 2),
        (ToolChoice::None, json!("NONE"), 2),
        (ToolChoice::Auto, Value::Null, 2),
        (ToolChoice::Function("now".to_owned()), json!("REQUIRED"), 1),
    ] {
        request.tool_choice = Some(choice);
        let (body, dropped) = written(&request);
        assert_eq!(body["tool_choice"], word);
        assert_eq!(body["tools"].as_array().map(Vec::len), Some(count));
        assert_eq!(dropped.contains(&"strict".to_owned()), count == 2);
    }
}

#[test]
fn formats_thoughts_and_sampling_find_their_places() {
    let mut request = asked();
    request.format = Some(Format::JsonObject);
    request.sampling.temperature = Some(1.5);
    request.sampling.top_p = Some(1.0);
    request.sampling.top_k = Some(900);
    request.sampling.seed = Some(-1);
    request.sampling.frequency_penalty = Some(-0.5);
    request.sampling.presence_penalty = Some(0.5);
    request.reasoning = Some(Reasoning {
        effort: Some(Effort::Low),
        budget: None,
        shows: None,
    });
    request.parallel_tool_calls = Some(false);
    request.cache_key = Some("k".to_owned());
    request.tier = Some("priority".to_owned());
    let (body, dropped) = written(&request);
    assert_eq!(body["response_format"], json!({"type": "json_object"}));
    assert_eq!(
        body["thinking"],
        json!({"type": "enabled", "token_budget": 2_048})
    );
    let sampled = [
        "temperature",
        "p",
        "k",
        "seed",
        "frequency_penalty",
        "presence_penalty",
    ];
    let sampled = sampled.map(|name| body[name].clone());
    let expected = [
        json!(1.5),
        json!(0.99),
        json!(500),
        Value::Null,
        json!(0.0),
        json!(0.5),
    ];
    assert_eq!(sampled, expected);
    let expected = [
        "frequency_penalty",
        "parallel_tool_calls",
        "prompt_cache_key",
        "seed",
        "service_tier",
    ];
    assert_eq!(dropped, expected);
    request.format = Some(Format::JsonSchema {
        name: "s".to_owned(),
        description: None,
        schema: Json::of("{\"type\":\"object\"}").expect("JSON"),
        strict: Some(true),
    });
    request.reasoning = Some(Reasoning {
        effort: Some(Effort::None),
        budget: None,
        shows: None,
    });
    let (body, _) = written(&request);
    let schema = json!({"type": "json_object", "json_schema": {"type": "object"}});
    assert_eq!(body["response_format"], schema);
    assert_eq!(body["thinking"], json!({"type": "disabled"}));
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
    let image = || media(MediaKind::Image, Source::Base64("AAAA".to_owned()));
    let mut drawn = asked();
    drawn.turns.push(turn(Role::Assistant, vec![image()]));
    for (request, field, word) in [
        (
            part(media(MediaKind::Audio, Source::Base64(String::new()))),
            "messages",
            "pictures alone",
        ),
        (
            part(media(MediaKind::Document, Source::Id(String::new()))),
            "messages",
            "pictures alone",
        ),
        (
            part(media(MediaKind::Image, Source::Id(String::new()))),
            "messages",
            "pictures alone",
        ),
        (part(result("a", vec![image()])), "messages", "from tools"),
        (drawn, "messages", "the model made"),
        (with(|r| r.answers = 3), "n", "one answer"),
        (
            with(|r| r.stop = vec!["x".to_owned(); 6]),
            "stop",
            "5 texts",
        ),
        (
            with(|r| r.tool_choice = Some(ToolChoice::Required)),
            "tool_choice",
            "not among",
        ),
        (with(|r| r.turns.clear()), "messages", "nothing"),
    ] {
        let refused = COHERE_CHAT.write_request(&request, TO).expect_err(word);
        assert_eq!(refused.param, Some(field), "{refused}");
        assert!(refused.message.contains(word), "{refused}");
    }
    let text = part(media(
        MediaKind::Document,
        Source::Text("a file".to_owned()),
    ));
    let (body, _) = written(&text);
    assert_eq!(body["messages"][0]["content"][1]["text"], "a file");
}

#[test]
fn a_request_that_is_read_names_what_it_can_not_say() {
    let body = r#"{"model":"m","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Hi"},
        {"role":"tool","tool_call_id":"a","content":[{"type":"document","document":{"data":{"rain":"yes"}}}]}],
        "documents":["x"],"safety_mode":"OFF","tools":null,"stream":true}"#;
    let request = COHERE_CHAT
        .read_request(&Head::default(), body.as_bytes())
        .expect("read");
    assert!(request.stream);
    assert_eq!(request.unsaid, ["documents", "safety_mode"]);
    assert_eq!(request.instructions, [Part::text("Be brief.")]);
    let Part::ToolResult(result) = &request.turns[0].parts[1] else {
        panic!("a result");
    };
    assert_eq!(result.parts, [Part::text("{\"rain\":\"yes\"}")]);
    for wrong in [
        "{}x",
        "[]",
        r#"{"messages":7}"#,
        r#"{"messages":[{"role":"x"}]}"#,
    ] {
        let read = COHERE_CHAT.read_request(&Head::default(), wrong.as_bytes());
        assert!(read.is_err(), "{wrong}");
    }
}

#[test]
fn nothing_is_said_with_no_words() {
    let mut bare = call("a");
    if let Part::ToolCall(call) = &mut bare {
        call.arguments.clear();
    }
    let request = ChatRequest {
        turns: vec![
            turn(Role::User, vec![Part::text(""), Part::text("Hi")]),
            turn(Role::Assistant, vec![bare]),
        ],
        output_max: Some(5_000),
        reasoning: Some(Reasoning {
            effort: Some(Effort::High),
            ..Reasoning::default()
        }),
        ..ChatRequest::default()
    };
    let (body, _) = written(&request);
    let messages = &body["messages"];
    assert_eq!(
        messages[0]["content"],
        json!([{"type": "text", "text": "Hi"}])
    );
    let arguments = &messages[1]["tool_calls"][0]["function"]["arguments"];
    assert_eq!(arguments, "{}", "they are read as JSON");
    let budget = &body["thinking"]["token_budget"];
    assert_eq!(*budget, 4_000, "a part of the maximum");
}

#[test]
fn names_without_words_are_told_and_not_without_end() {
    let fields: Vec<String> = (0..1_000).map(|at| format!(r#""f{at}":1,"#)).collect();
    let fields = fields.concat();
    let body = format!(r#"{{{fields}"messages":[{{"role":"user","content":"Hi"}}]}}"#);
    let request = COHERE_CHAT.read_request(&Head::default(), body.as_bytes());
    assert_eq!(request.expect("read").unsaid.len(), 32);
}
