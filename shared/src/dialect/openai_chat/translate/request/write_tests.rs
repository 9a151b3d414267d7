//! What goes to whom: the fields and the forms in which a model's maker takes them.

use serde_json::json;

use super::tests::{
    assistant, messages_for, of_messages, picture, read_value, signed, to, user, written,
};
use super::*;
use crate::dialect::neutral::{
    CacheMark, Media, MediaKind, Part, Role, SignatureFormat, Source, Thought, ToolChoice,
    ToolResult, Turn, WriteTo,
};
use crate::dialect::{Maximum, Quirks};

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
        ..Quirks::default()
    };
    let (value, _) = written(&request, with(quirks));
    assert_eq!(
        (&value["max_completion_tokens"], value.get("max_tokens")),
        (&json!(7), None)
    );
    assert_eq!(value.get("stream_options"), None);
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
        assert_eq!(read.signature, Some(signed(SignatureFormat::Google, "sig")));
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
    let proof = signed(SignatureFormat::Anthropic, "sig");
    let signed = request(of(Some(proof)), Vec::new());
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

/// How long reading and writing a conversation of so many pairs takes.
fn time_of(pairs: usize) -> std::time::Duration {
    let mut body = String::from(r#"{"messages":[{"role":"assistant","content":"x"}"#);
    for _ in 0..pairs {
        body.push_str(r#",{"role":"user","content":"x"},{"role":"tool","content":"y"}"#);
    }
    body.push_str("]}");
    let started = std::time::Instant::now();
    let request = read(&Head::default(), body.as_bytes()).expect("good");
    assert_eq!(request.turns.len(), 2 * pairs + 1);
    write(&request, to("m")).expect("it can be said");
    started.elapsed()
}

#[test]
fn many_messages_take_time_that_grows_with_them_alone() {
    // Eight times as many take eight times as long, or sixty-four times where each looks at the others;
    // a ratio, since machines differ.
    let (few, many) = (time_of(5_000), time_of(40_000));
    assert!(many < few * 28, "{few:?} {many:?}");
}

#[test]
fn a_file_at_an_address_goes_to_those_who_fetch_it_and_texts_without_words_to_nobody() {
    let file = Part::Media(Media {
        kind: MediaKind::Document,
        media_type: None,
        source: Source::Url("https://example.com/r.pdf".to_owned()),
        name: None,
        detail: None,
        cache: None,
    });
    let request = |parts| ChatRequest {
        turns: vec![Turn {
            role: Role::User,
            parts,
        }],
        ..ChatRequest::default()
    };
    let asked = request(vec![file]);
    assert!(write(&asked, to("gpt-5.6")).is_err());
    assert!(write(&asked, to("openai/gpt-5.6")).is_ok());
    let asked = request(vec![Part::text(""), Part::text("Hi")]);
    let (body, _) = written(&asked, to("gpt-5.6"));
    assert_eq!(body["messages"][0]["content"], "Hi");
    let mut forced = asked;
    forced.tool_choice = Some(ToolChoice::Required);
    assert!(write(&forced, to("gpt-5.6")).is_err());
}
