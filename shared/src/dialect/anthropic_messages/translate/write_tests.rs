//! Requests of other dialects as they are written here.

use serde_json::{Value, json};

use super::tests::{BOTH, NEW, OLD, call, chat, hello, picture, result, to, turn, written};
use super::*;
use crate::dialect::neutral::{
    Effort, Format, Json, Media, MediaKind, Part, Reasoning, Role, Sampling, Signature,
    SignatureFormat, Source, Thought, Tool, ToolChoice,
};

#[test]
fn a_maximum_is_always_said() {
    let mut request = hello();
    assert_eq!(written(&request, OLD).0["max_tokens"], 4_096);
    let to = WriteTo {
        output_max: Some(64_000),
        ..to(OLD)
    };
    let body = TRANSLATOR
        .write_request(&request, to)
        .expect("written")
        .body;
    let body: Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(body["max_tokens"], 64_000);
    request.output_max = Some(7);
    assert_eq!(written(&request, OLD).0["max_tokens"], 7);
}

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "a table of what is sent and what it means"
)]
fn each_model_is_told_to_think_in_its_own_way() {
    let reasoning = |effort, budget| {
        Some(Reasoning {
            effort,
            budget,
            shows: None,
        })
    };
    let enabled = |budget: u64| json!({"type": "enabled", "budget_tokens": budget});
    let adaptive = json!({"type": "adaptive"});
    for (model, asked, thinking, effort) in [
        (
            OLD,
            reasoning(Some(Effort::Low), None),
            enabled(2_048),
            Value::Null,
        ),
        (
            OLD,
            reasoning(Some(Effort::Max), None),
            enabled(8_000),
            Value::Null,
        ),
        (
            OLD,
            reasoning(None, Some(99_000)),
            enabled(9_999),
            Value::Null,
        ),
        (
            OLD,
            reasoning(Some(Effort::None), None),
            json!({"type": "disabled"}),
            Value::Null,
        ),
        (
            BOTH,
            reasoning(Some(Effort::Medium), None),
            adaptive.clone(),
            json!("medium"),
        ),
        (
            BOTH,
            reasoning(None, Some(2_000)),
            enabled(2_000),
            Value::Null,
        ),
        (
            NEW,
            reasoning(None, Some(2_000)),
            adaptive.clone(),
            json!("low"),
        ),
        (
            NEW,
            reasoning(Some(Effort::Minimal), None),
            adaptive.clone(),
            json!("low"),
        ),
        (
            NEW,
            reasoning(Some(Effort::Max), None),
            adaptive.clone(),
            json!("max"),
        ),
        (NEW, reasoning(None, None), adaptive, Value::Null),
        (
            "glm-5.2",
            reasoning(None, None),
            enabled(8_000),
            Value::Null,
        ),
    ] {
        let mut request = hello();
        request.output_max = Some(10_000);
        request.reasoning = asked.clone();
        let (body, dropped) = written(&request, model);
        assert_eq!(body["thinking"], thinking, "{model} {asked:?}");
        assert_eq!(body["output_config"]["effort"], effort, "{model} {asked:?}");
        assert!(dropped.is_empty(), "{model} {asked:?}");
    }
}

#[test]
fn thinking_that_would_be_refused_is_dropped() {
    let mut request = hello();
    request.reasoning = Some(Reasoning {
        effort: Some(Effort::High),
        ..Reasoning::default()
    });
    let drops = |request: &ChatRequest, model: &str| {
        let (body, dropped) = written(request, model);
        assert_eq!(body.get("thinking").is_none(), dropped == ["reasoning"]);
        dropped == ["reasoning"]
    };
    request.output_max = Some(1_000);
    assert!(drops(&request, OLD), "no budget is so small");
    request.output_max = Some(10_000);
    assert!(!drops(&request, OLD));
    let mut forced = request.clone();
    forced.tools = vec![Tool {
        name: "f".to_owned(),
        description: None,
        parameters: None,
        strict: None,
        cache: None,
    }];
    forced.tool_choice = Some(ToolChoice::Required);
    assert!(drops(&forced, OLD), "a call that must be made");
    assert!(!drops(&forced, NEW));
    let thought = |format| {
        Part::Thought(Thought {
            text: "Hm.".to_owned(),
            signature: Some(Signature {
                format,
                data: "x".to_owned(),
            }),
        })
    };
    for (format, is_dropped) in [
        (SignatureFormat::OpenAi, true),
        (SignatureFormat::Anthropic, false),
    ] {
        let mut going_on = request.clone();
        going_on.turns.extend([
            turn(Role::Assistant, vec![thought(format), call("c", "{}")]),
            turn(Role::User, vec![result("c", "17")]),
        ]);
        assert_eq!(drops(&going_on, OLD), is_dropped, "{format:?}");
        assert!(!drops(&going_on, NEW));
    }
    let mut off = request;
    off.reasoning = Some(Reasoning {
        effort: Some(Effort::None),
        ..Reasoning::default()
    });
    assert!(drops(&off, NEW), "it always thinks");
}

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "a table of what is sent and what it means"
)]
fn what_chooses_words_is_sent_where_it_is_taken() {
    let sampled = |temperature, top_p, top_k| Sampling {
        temperature,
        top_p,
        top_k,
        ..Sampling::default()
    };
    let high = Some(Reasoning {
        effort: Some(Effort::High),
        ..Reasoning::default()
    });
    for (model, sampling, reasoning, expected, dropped) in [
        (
            OLD,
            sampled(Some(0.5), None, Some(3)),
            None,
            json!([0.5, null, 3]),
            &[][..],
        ),
        (
            OLD,
            sampled(Some(1.5), None, None),
            None,
            json!([1.0, null, null]),
            &["temperature"],
        ),
        (
            OLD,
            sampled(Some(0.5), Some(0.9), None),
            None,
            json!([0.5, null, null]),
            &["top_p"],
        ),
        (
            "glm-5.2",
            sampled(Some(0.5), Some(0.9), None),
            None,
            json!([0.5, 0.9, null]),
            &[],
        ),
        (
            OLD,
            sampled(None, Some(0.9), None),
            None,
            json!([null, 0.9, null]),
            &[],
        ),
        (
            OLD,
            sampled(Some(0.5), None, Some(3)),
            high.clone(),
            json!([null, null, null]),
            &["temperature", "top_k"],
        ),
        (
            OLD,
            sampled(Some(1.0), Some(0.97), None),
            high.clone(),
            json!([null, 0.97, null]),
            &[],
        ),
        (
            OLD,
            sampled(None, Some(0.5), None),
            high,
            json!([null, null, null]),
            &["top_p"],
        ),
        (
            NEW,
            sampled(Some(0.5), Some(0.9), Some(3)),
            None,
            json!([null, null, null]),
            &["temperature", "top_p", "top_k"],
        ),
        (
            NEW,
            sampled(Some(1.0), Some(1.0), None),
            None,
            json!([null, null, null]),
            &[],
        ),
    ] {
        let mut request = hello();
        request.output_max = Some(10_000);
        request.sampling = sampling;
        request.reasoning = reasoning;
        let (body, told) = written(&request, model);
        let sent = json!([body["temperature"], body["top_p"], body["top_k"]]);
        assert_eq!(
            (sent, told),
            (expected, dropped.iter().map(|d| (*d).to_owned()).collect()),
            "{model} {:?}",
            request.sampling
        );
    }
}

#[test]
fn what_has_no_words_here_is_named_and_what_is_meant_is_refused() {
    let mut request = hello();
    request.unsaid = vec!["logprobs".to_owned(), "seed".to_owned()];
    request.sampling.seed = Some(1);
    request.sampling.frequency_penalty = Some(0.5);
    request.sampling.presence_penalty = Some(0.0);
    request.cache_key = Some("k".to_owned());
    request.tier = Some("flex".to_owned());
    request.stop = vec!["\n".to_owned(), "END".to_owned()];
    request.answers = 1;
    let (body, dropped) = written(&request, OLD);
    assert_eq!(
        dropped,
        [
            "logprobs",
            "seed",
            "stop",
            "service_tier",
            "frequency_penalty",
            "prompt_cache_key"
        ]
    );
    assert_eq!(body["stop_sequences"], json!(["END"]));
    let refuses = |change: &dyn Fn(&mut ChatRequest)| {
        let mut request = hello();
        change(&mut request);
        let wrong = TRANSLATOR
            .write_request(&request, to(OLD))
            .expect_err("it is refused");
        wrong.param.unwrap_or_default()
    };
    assert_eq!(refuses(&|request| request.answers = 2), "n");
    assert_eq!(
        refuses(&|request| request.format = Some(Format::JsonObject)),
        "response_format"
    );
    assert_eq!(
        refuses(&|request| request.tool_choice = Some(ToolChoice::Required)),
        "tool_choice"
    );
    let media = |media: Media| {
        move |request: &mut ChatRequest| request.turns[0].parts.push(Part::Media(media.clone()))
    };
    let data = || Source::Base64("AAAA".to_owned());
    let of = |kind, media_type: &str| Media {
        kind,
        ..picture(data(), Some(media_type))
    };
    for media_ in [
        of(MediaKind::Audio, "audio/wav"),
        of(MediaKind::Video, "video/mp4"),
        of(MediaKind::Image, "image/bmp"),
        of(MediaKind::Document, "application/msword"),
        picture(Source::Id("file-openai".to_owned()), None),
        picture(Source::Text("x".to_owned()), None),
    ] {
        assert_eq!(refuses(&media(media_.clone())), "messages", "{media_:?}");
        let instructs = |request: &mut ChatRequest| {
            request.instructions.push(Part::Media(media_.clone()));
        };
        assert_eq!(refuses(&instructs), "messages");
    }
}

#[test]
fn a_conversation_of_another_dialect_becomes_one_that_is_taken() {
    let request = chat(vec![
        turn(Role::Assistant, vec![Part::text("Welcome.")]),
        turn(Role::User, vec![Part::text("  "), Part::text("a")]),
        turn(Role::User, vec![Part::text("b")]),
        turn(
            Role::Assistant,
            vec![
                Part::Thought(Thought {
                    text: "secret".to_owned(),
                    signature: None,
                }),
                Part::Refusal("No.".to_owned()),
                Part::Media(picture(
                    Source::Base64("/9j/AAAA".to_owned()),
                    Some("image/png"),
                )),
                call("functions.f:0", "{\"a\": 1}"),
                call("functions.f:1", "not JSON"),
                call("good-id", ""),
            ],
        ),
        turn(Role::User, vec![Part::text("first")]),
        turn(Role::User, vec![result("functions.f:1", "one")]),
        turn(Role::User, vec![result("functions.f:0", "")]),
        turn(Role::User, vec![result("good-id", "x")]),
        turn(Role::Assistant, vec![Part::text("And so  \n")]),
    ]);
    let (body, dropped) = written(&request, OLD);
    assert!(dropped.is_empty());
    let expected = json!([
        {"role": "user", "content": [{"type": "text", "text": "."}]},
        {"role": "assistant", "content": [{"type": "text", "text": "Welcome."}]},
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
        {"role": "assistant", "content": [
            {"type": "text", "text": "No."},
            {"type": "tool_use", "id": "call_0", "name": "f", "input": {"a": 1}},
            {"type": "tool_use", "id": "call_1", "name": "f", "input": {"arguments": "not JSON"}},
            {"type": "tool_use", "id": "good-id", "name": "f", "input": {}},
        ]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "call_1", "content": [{"type": "text", "text": "one"}]},
            {"type": "tool_result", "tool_use_id": "call_0", "content": []},
            {"type": "tool_result", "tool_use_id": "good-id", "content": [{"type": "text", "text": "x"}]},
            {"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": "/9j/AAAA"}},
            {"type": "text", "text": "first"},
        ]},
        {"role": "assistant", "content": [{"type": "text", "text": "And so"}]},
    ]);
    assert_eq!(body["messages"], expected);
    // Calls that were made need tools that are known, of which none may be called.
    assert_eq!(
        body["tools"],
        json!([{"name": "f", "input_schema": {"type": "object", "properties": {}}}])
    );
    assert_eq!(body["tool_choice"], json!({"type": "none"}));
    let nothing = written(&ChatRequest::default(), OLD).0;
    assert_eq!(
        nothing["messages"],
        json!([{"role": "user", "content": [{"type": "text", "text": "."}]}])
    );
    let vanishing = chat(vec![turn(
        Role::Assistant,
        vec![Part::Media(picture(
            Source::Url("https://x.test".to_owned()),
            None,
        ))],
    )]);
    assert!(TRANSLATOR.write_request(&vanishing, to(OLD)).is_err());
}

#[test]
fn documents_and_schemas_are_written_as_they_are_taken() {
    let document = |media_type: &str, data: &str| {
        let media = Media {
            kind: MediaKind::Document,
            ..picture(Source::Base64(data.to_owned()), Some(media_type))
        };
        let request = chat(vec![turn(Role::User, vec![Part::Media(media)])]);
        written(&request, OLD).0["messages"][0]["content"][0]["source"].clone()
    };
    let plain = json!({"type": "text", "media_type": "text/plain", "data": "hello"});
    assert_eq!(document("text/markdown", "aGVsbG8="), plain);
    assert_eq!(
        document("application/octet-stream", "JVBERi0x")["media_type"],
        "application/pdf"
    );
    for (parameters, expected) in [
        (None, json!({"type": "object", "properties": {}})),
        (Some("{}"), json!({"type": "object"})),
        (
            Some("{ \"properties\": {} }"),
            json!({"type": "object", "properties": {}}),
        ),
        (Some("{\"type\": \"object\"}"), json!({"type": "object"})),
        (Some("7"), json!(7)),
    ] {
        let mut request = hello();
        request.tools = vec![Tool {
            name: "f".to_owned(),
            description: None,
            parameters: parameters.and_then(Json::of),
            strict: None,
            cache: None,
        }];
        let body = written(&request, OLD).0;
        assert_eq!(body["tools"][0]["input_schema"], expected, "{parameters:?}");
    }
}
