//! What is read of a request, what is wrong with one, and where its maximum goes.

use proptest::prelude::*;

use super::*;
use crate::dialect::Output;
use crate::units::{Fact, Unit};

fn head(version: Option<&str>) -> Head {
    let headers = version.map(|word| (version::VERSION.to_owned(), word.to_owned()));
    Head {
        headers: headers.into_iter().collect(),
        ..Head::default()
    }
}

fn asked(version: Option<&str>, body: &str) -> Result<Asked, BadBody> {
    ANTHROPIC_MESSAGES.read(&head(version), &Body::of_json(body))
}

/// A request with these fields beside those that it must have.
fn with(fields: &str) -> String {
    format!(
        r#"{{{fields}"model":"claude-sonnet-4-6","max_tokens":900,"messages":[{{"role":"user","content":"hi"}}]}}"#
    )
}

fn refused(version: Option<&str>, body: &str) -> &'static str {
    let wrong = asked(version, body).expect_err(body);
    wrong.param.unwrap_or_default()
}

#[test]
fn the_list_of_fields_is_in_order() {
    assert!(read::FIELDS.is_sorted_by(|a, b| a.0 < b.0));
}

#[test]
fn a_request_is_read_without_its_messages() {
    let body = with(r#""stream":true,"service_tier":"standard_only","system":"short","#);
    let asked = asked(None, &body).expect("valid");
    assert_eq!(asked.model, "claude-sonnet-4-6");
    assert!(asked.stream && asked.show_usage);
    assert_eq!((asked.answers, asked.output), (1, Output::UpTo(Some(900))));
    assert!(asked.input_estimate <= asked.bounds.count(Unit::InputToken));
    assert_eq!(asked.bounds.facts.get(Fact::Tier), Some("standard_only"));
    assert_eq!(asked.open, [Fact::Tier]);
    let warm = body.replace("900", "0");
    let warm = ANTHROPIC_MESSAGES
        .read(&head(None), &Body::of_json(&warm))
        .expect("a cache may be warmed");
    assert_eq!(warm.output, Output::UpTo(Some(0)));
    let path = Head {
        model: Some("other".to_owned()),
        stream: Some(false),
        ..Head::default()
    };
    let asked = ANTHROPIC_MESSAGES
        .read(&path, &Body::of_json(&body))
        .expect("valid");
    assert_eq!((asked.model.as_str(), asked.stream), ("other", false));
}

#[test]
fn wrong_types_and_absurd_numbers_name_their_field() {
    for (body, param) in [
        (r#"{"messages":[1],"max_tokens":1}"#, "model"),
        (r#"{"model":"m","max_tokens":1}"#, "messages"),
        (r#"{"model":"m","max_tokens":1,"messages":[]}"#, "messages"),
        (
            r#"{"model":"m","max_tokens":1,"messages":"hi"}"#,
            "messages",
        ),
        (r#"{"model":"m","messages":[1]}"#, "max_tokens"),
        (
            r#"{"model":"m","messages":[1],"max_tokens":null}"#,
            "max_tokens",
        ),
        (
            r#"{"model":"m","messages":[1],"max_tokens":-1}"#,
            "max_tokens",
        ),
        (
            r#"{"model":"m","messages":[1],"max_tokens":1.5}"#,
            "max_tokens",
        ),
        (
            r#"{"model":"m","messages":[1],"max_tokens":18446744073686646784}"#,
            "max_tokens",
        ),
        (
            r#"{"model":"m","messages":[1],"max_tokens":1,"stream":"yes"}"#,
            "stream",
        ),
        (
            r#"{"model":"m","messages":[1],"max_tokens":1,"Max_Tokens":9}"#,
            "max_tokens",
        ),
        (
            r#"{"model":"m","messages":[1],"max_tokens":1,"max_tokens":9}"#,
            "",
        ),
        (r#"{"model":"m","messages":[1],"max_tokens":1"#, ""),
    ] {
        assert_eq!(refused(None, body), param, "{body}");
    }
    let form = ANTHROPIC_MESSAGES.read(&head(None), &Body::Empty);
    assert!(form.is_err());
}

#[test]
fn what_the_provider_bills_beside_tokens_is_refused_by_its_name() {
    for (fields, param) in [
        (r#""container":"c","#, "container"),
        (r#""mcp_servers":[{"url":"x"}],"#, "mcp_servers"),
        (r#""inference_geo":"us","#, "inference_geo"),
        (r#""service_tier":"priority","#, "service_tier"),
        (r#""service_tier":"flex","#, "service_tier"),
        (r#""speed":"fast","#, "speed"),
        (r#""fallbacks":[{}],"#, "fallbacks"),
        (
            r#""context_management":{"edits":[{"type":"compact_20260112"}]},"#,
            "context_management",
        ),
        (
            r#""tools":[{"type":"web_search_20260318","name":"web_search"}],"#,
            "tools",
        ),
        (
            r#""tools":[{"type":"web_fetch_20260318","name":"f"}],"#,
            "tools",
        ),
        (
            r#""tools":[{"type":"code_execution_20260521","name":"c"}],"#,
            "tools",
        ),
        (
            r#""tools":[{"type":"advisor_20260301","name":"a"}],"#,
            "tools",
        ),
        (
            r#""tools":[{"type":"mcp_toolset","mcp_server_name":"a"}],"#,
            "tools",
        ),
        (
            r#""tools":[{"type":"bash_code_execution","name":"c"}],"#,
            "tools",
        ),
        (r#""tools":[{"type":"\u0077eb_search_20260318"}],"#, "tools"),
        (
            r#""tools":[{"type":"custom","Type":"web_search_20260318"}],"#,
            "tools",
        ),
        (r#""tools":[{"type":7}],"#, "tools"),
        (
            r#""tools":[{"name":"f"},{"type":"web_search_20260318"}],"#,
            "tools",
        ),
    ] {
        assert_eq!(refused(None, &with(fields)), param, "{fields}");
    }
}

#[test]
fn what_the_tenant_runs_and_what_costs_nothing_passes() {
    for fields in [
        r#""tools":[{"name":"f","input_schema":{"type":"object"}}],"#,
        r#""tools":[{"type":"custom","name":"f","input_schema":{}},{"type":null,"name":"g"}],"#,
        r#""tools":[{"type":"bash_20250124","name":"bash"}],"#,
        r#""tools":[{"type":"text_editor_20250728","name":"e"},{"type":"memory_20250818"}],"#,
        r#""tools":[{"type":"computer_20251124"},{"type":"computer_toolset_20260801"}],"#,
        r#""tools":[{"type":"browser_toolset_20260801"}],"#,
        r#""tools":[{"type":"tool_search_tool_bm25_20251119","name":"s"}],"#,
        r#""tools":[],"mcp_servers":[],"container":null,"#,
        r#""service_tier":"auto","speed":"standard","inference_geo":null,"#,
        r#""thinking":{"type":"enabled","budget_tokens":800,"display":"omitted"},"#,
        r#""context_management":{"edits":[{"type":"clear_thinking_20251015"}]},"#,
        r#""metadata":{"user_id":"u"},"cache_control":{"type":"ephemeral"},"unknown":1,"#,
    ] {
        assert!(asked(None, &with(fields)).is_ok(), "{fields}");
    }
}

#[test]
fn the_newer_version_takes_no_sampling_and_an_unknown_one_is_refused() {
    for name in ["temperature", "top_p", "top_k"] {
        let body = with(&format!("\"{name}\":1,"));
        assert!(asked(None, &body).is_ok());
        assert!(asked(Some("2023-06-01"), &body).is_ok());
        assert_eq!(refused(Some("2026-10-21"), &body), name);
        let null = with(&format!("\"{name}\":null,"));
        assert_eq!(refused(Some("2026-10-21"), &null), name);
    }
    assert!(asked(Some("2026-10-21"), &with("")).is_ok());
    let unknown = asked(Some("2024-01-01"), &with("")).expect_err("unknown");
    assert_eq!(unknown.param, Some("anthropic-version"));
}

#[test]
fn a_lower_maximum_keeps_the_budget_of_thinking_below_it() {
    let lowered = |fields: &str, tokens: u64| {
        let body = with(fields).replace("900", "9000");
        let asked = asked(None, &body).expect("valid");
        let out = ANTHROPIC_MESSAGES.with_maximum(&Bytes::from(body), &asked, tokens);
        let out: serde_json::Value = serde_json::from_slice(&out).expect("JSON");
        (out["max_tokens"].to_string(), out["thinking"].to_string())
    };
    let enabled =
        |budget: u64| format!(r#""thinking":{{"type":"enabled","budget_tokens":{budget}}},"#);
    for (fields, tokens, thinking) in [
        (String::new(), 5, "null"),
        (
            enabled(2_000),
            5_000,
            r#"{"budget_tokens":2000,"type":"enabled"}"#,
        ),
        (
            enabled(6_000),
            5_000,
            r#"{"budget_tokens":4999,"type":"enabled"}"#,
        ),
        (enabled(6_000), 500, r#"{"type":"disabled"}"#),
        // For several thoughts between calls.
        (
            enabled(20_000),
            5_000,
            r#"{"budget_tokens":20000,"type":"enabled"}"#,
        ),
        (
            r#""thinking":{"type":"adaptive"},"#.to_owned(),
            500,
            r#"{"type":"adaptive"}"#,
        ),
    ] {
        let expected = (tokens.to_string(), thinking.to_owned());
        assert_eq!(lowered(&fields, tokens), expected, "{fields}");
    }
}

#[test]
fn a_request_goes_on_with_the_providers_name_for_the_model() {
    let to = Forward {
        model: "claude \"x\"",
        asks_usage: true,
        quirks: crate::dialect::Quirks::default(),
        end_user: None,
    };
    let body = Bytes::from(with(r#""x": [ 1 ],"#));
    let out = ANTHROPIC_MESSAGES.forwarded(&body, to).expect("JSON");
    let expected = with(r#""x": [ 1 ],"#).replace("claude-sonnet-4-6", r#"claude \"x\""#);
    assert_eq!(out, Bytes::from(expected));
    let out = ANTHROPIC_MESSAGES.forwarded(&Bytes::from_static(b"{}"), to);
    assert_eq!(out, Ok(Bytes::from_static(br#"{"model":"claude \"x\""}"#)));
    assert!(
        ANTHROPIC_MESSAGES
            .forwarded(&Bytes::from_static(b"["), to)
            .is_err()
    );
}

#[test]
fn the_format_knows_its_headers_and_its_end() {
    let dialect = &ANTHROPIC_MESSAGES;
    assert_eq!(dialect.headers(), ["anthropic-version", "anthropic-beta"]);
    assert!(dialect.ends(dialect.end()));
    let ping = dialect.keep_alive().expect("a ping");
    assert!(!dialect.ends(&ping));
    assert_eq!(dialect.look(&ping), Look::Event);
    let _: serde_json::Value = serde_json::from_str(dialect.request_schema()).expect("JSON");
    let error = br#"event: error
data: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}

"#;
    let Look::Error(told) = dialect.look(error) else {
        panic!("an error");
    };
    assert_eq!(told.kind.as_deref(), Some("overloaded_error"));
    let start =
        b"event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\"}}\n\n";
    assert_eq!(dialect.look(start), Look::Event);
}

proptest! {
    #[test]
    fn any_bytes_end_in_an_answer_or_an_error(noise in prop::collection::vec(any::<u8>(), 0..200), cut in any::<prop::sample::Index>()) {
        let body = with(r#""thinking":{"type":"enabled","budget_tokens":800},"tools":[{"type":"custom"}],"#);
        let mut bytes = body.into_bytes();
        bytes.truncate(cut.index(bytes.len()));
        bytes.extend_from_slice(&noise);
        for bytes in [bytes, noise] {
            let bytes = Bytes::from(bytes);
            let body = Body::Json(bytes.clone());
            if let Ok(asked) = ANTHROPIC_MESSAGES.read(&head(None), &body) {
                ANTHROPIC_MESSAGES.with_maximum(&bytes, &asked, 7);
            }
            let _ = ANTHROPIC_MESSAGES.usage(Metered::default(), &bytes);
            ANTHROPIC_MESSAGES.judge(&bytes);
            ANTHROPIC_MESSAGES.look(&bytes);
            ANTHROPIC_MESSAGES.as_stream(&bytes);
            ANTHROPIC_MESSAGES.ends(&bytes);
        }
    }
}

#[test]
fn the_tenants_word_for_an_end_user_is_read_and_gives_way_to_the_name() {
    use crate::dialect::{EndUserField, Quirks};
    let head = Head {
        headers: vec![("anthropic-version".to_owned(), "2023-06-01".to_owned())],
        ..Head::default()
    };
    let named = |field: EndUserField, more: &str| {
        let text = format!(
            r#"{{"model":"m","max_tokens":9,"messages":[{{"role":"user","content":"x"}}]{more}}}"#
        );
        let asked = ANTHROPIC_MESSAGES.read(&head, &Body::of_json(text.as_str()));
        let word = asked.expect(&text).end_user;
        let to = Forward {
            model: "c",
            asks_usage: false,
            quirks: Quirks {
                end_user: field,
                ..Quirks::default()
            },
            end_user: Some("wu_1_2"),
        };
        let bytes = Bytes::from(text.clone().into_bytes());
        let sent = ANTHROPIC_MESSAGES.forwarded(&bytes, to).expect(&text);
        let sent: serde_json::Value = serde_json::from_slice(&sent).expect("JSON");
        (word, sent.get("metadata").map(ToString::to_string))
    };
    let (usual, nowhere) = (EndUserField::OfDialect, EndUserField::Nowhere);
    let name = r#"{"user_id":"wu_1_2"}"#;
    for (field, more, word, metadata) in [
        (usual, "", None, Some(name)),
        (
            usual,
            r#","metadata":{"user_id":"ada"}"#,
            Some("ada"),
            Some(name),
        ),
        (usual, r#","metadata":{"user_id":null}"#, None, Some(name)),
        (usual, r#","metadata":null"#, None, Some(name)),
        (
            usual,
            r#","metadata":{"x":1,"user_id":"ada"}"#,
            Some("ada"),
            Some(r#"{"user_id":"wu_1_2","x":1}"#),
        ),
        (
            nowhere,
            r#","metadata":{"user_id":"ada"}"#,
            Some("ada"),
            None,
        ),
        (nowhere, r#","metadata":{"x":1}"#, None, Some(r#"{"x":1}"#)),
    ] {
        let (read, sent) = named(field, more);
        assert_eq!(read.as_deref(), word, "{more}");
        assert_eq!(sent.as_deref(), metadata, "{more}");
    }
    let long = format!(
        r#"{{"model":"m","max_tokens":9,"messages":[{{"role":"user","content":"x"}}],"metadata":{{"user_id":"{}"}}}}"#,
        "x".repeat(513)
    );
    let asked = ANTHROPIC_MESSAGES.read(&head, &Body::of_json(long.as_str()));
    let word = asked.expect("whoever it is").end_user.expect("a word");
    assert!(word.starts_with("sha256:") && word.len() == 71, "{word}");
}
