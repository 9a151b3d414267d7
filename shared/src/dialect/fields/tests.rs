//! What is refused, what passes, and what nobody knows.

use super::*;
use crate::dialect::openai::OpenAi;
use crate::dialect::openai_chat::OPENAI_CHAT;
use crate::dialect::openai_completions::OPENAI_COMPLETIONS;
use crate::dialect::openai_embeddings::OPENAI_EMBEDDINGS;
use crate::dialect::openai_images::OPENAI_IMAGES;
use crate::dialect::openai_moderations::OPENAI_MODERATIONS;

const HEAD: &Head = &Head {
    model: None,
    stream: None,
    headers: Vec::new(),
};

/// The field that is refused, whatever else the format finds wrong.
fn refused(format: &OpenAi, body: &str) -> Option<&'static str> {
    let fields = Fields::read(HEAD, format.fields, body.as_bytes()).expect("JSON");
    fields.allowed().err().map(|refused| {
        let field = refused.param.expect("a field");
        assert!(refused.message.contains(field), "{}", refused.message);
        field
    })
}

#[test]
fn the_lists_are_in_order_and_name_a_field_once() {
    let formats = [
        &OPENAI_CHAT,
        &OPENAI_COMPLETIONS,
        &OPENAI_EMBEDDINGS,
        &OPENAI_IMAGES,
        &OPENAI_MODERATIONS,
    ];
    for format in formats {
        assert!(format.fields.is_sorted_by(|a, b| a.0 < b.0), "{format:?}");
        for (field, _) in COMMON {
            let found = rule(format.fields, field.as_bytes());
            assert_eq!(found.map(|found| found.0), Some(*field));
        }
    }
    assert!(COMMON.is_sorted_by(|a, b| a.0 < b.0));
}

#[test]
fn what_changes_the_bill_is_refused_by_its_name() {
    for (field, values) in [
        (
            "service_tier",
            &[
                "\"priority\"",
                "\"scale\"",
                "7",
                "\"Priority\"",
                "[\"auto\"]",
            ][..],
        ),
        ("models", &["[\"a\"]"]),
        ("route", &["\"fallback\""]),
        ("provider", &["{\"order\":[\"x\"]}"]),
        ("plugins", &["[{\"id\":\"web\"}]"]),
        ("best_of", &["2", "\"2\"", "1.5"]),
        ("candidate_count", &["3"]),
        (
            "web_search_options",
            &["{\"search_context_size\":\"high\"}"],
        ),
        ("enable_search", &["true"]),
        ("prediction", &["{\"type\":\"content\",\"content\":\"x\"}"]),
        (
            "search_parameters",
            &[
                "{\"mode\":\"on\"}",
                "{\"x\":1}",
                "{\"mode\":\"off\",\"Mode\":\"on\"}",
            ],
        ),
        ("api_base", &["\"http://x\""]),
        ("extra_body", &["{\"service_tier\":\"priority\"}"]),
        ("modalities", &["[\"text\",\"audio\"]", "\"audio\""]),
        ("background", &["true"]),
        ("previous_response_id", &["\"resp_1\""]),
        (
            "tools",
            &[
                "[{\"type\":\"web_search\"}]",
                "[{\"type\":\"function\",\"function\":{}},{\"type\":\"web_search_preview\"}]",
                "[{\"type\":\"builtin_function\",\"function\":{\"name\":\"$web_search\"}}]",
                "[{\"google_search\":{}}]",
                "[{\"type\":\"function\",\"Type\":\"web_search\"}]",
            ],
        ),
    ] {
        for value in values {
            let body = format!("{{\"model\":\"m\",\"{field}\":{value},\"messages\":[]}}");
            assert_eq!(refused(&OPENAI_CHAT, &body), Some(field), "{body}");
        }
    }
    for (field, value) in [
        ("num_images", "4"),
        ("sequential_image_generation", "\"auto\""),
        ("max_images", "15"),
        ("frame_count", "16"),
        ("service_tier", "\"priority\""),
    ] {
        let body = format!("{{\"model\":\"m\",\"prompt\":\"x\",\"{field}\":{value}}}");
        assert_eq!(refused(&OPENAI_IMAGES, &body), Some(field), "{body}");
    }
    let twice = r#"{"service_tier":"default","service_tier":"priority"}"#;
    assert_eq!(refused(&OPENAI_CHAT, twice), Some("service_tier"));
}

#[test]
fn what_changes_nothing_passes_and_so_does_what_nobody_knows() {
    for body in [
        r#"{"service_tier":"auto"}"#,
        r#"{"service_tier":null,"models":[],"route":null,"provider":{ },"plugins":[],"web_search_options":null}"#,
        r#"{"best_of":1,"best_of":null}"#,
        r#"{"enable_search":false,"background":false,"search_parameters":{"mode":"off"}}"#,
        r#"{"modalities":["text","image"],"tools":[],"tool_choice":"none"}"#,
        r#"{"tools":[{"type":"function","function":{"name":"f"}},{"function":{"name":"g"}},{"type":"custom","custom":{}}]}"#,
        r#"{"a_field_of_next_year":{"n":9},"logit_bias":{"Model":1},"metadata":{"service_tier":"priority"}}"#,
        r#"{"reasoning_effort":"high","reasoning":{"max_tokens":9},"thinking":{"type":"enabled"},"store":true}"#,
    ] {
        assert_eq!(refused(&OPENAI_CHAT, body), None, "{body}");
    }
}

#[test]
fn twins_that_differ_in_case_are_refused() {
    for (name, field) in [
        ("Model", "model"),
        ("N", "n"),
        ("Max_Tokens", "max_tokens"),
        ("MAX_COMPLETION_TOKENS", "max_completion_tokens"),
        ("me\u{17f}\u{17f}ages", "messages"),
        ("max_to\u{212a}ens", "max_tokens"),
        (r"max_to\u212aens", "max_tokens"),
        ("Service_tier", "service_tier"),
        ("Stream", "stream"),
    ] {
        let body = format!("{{\"model\":\"m\",\"{name}\":1}}");
        assert_eq!(refused(&OPENAI_CHAT, &body), Some(field), "{name}");
    }
    assert_eq!(refused(&OPENAI_CHAT, r#"{"mod\u0065l":"m"}"#), None);
    assert_eq!(
        refused(&OPENAI_EMBEDDINGS, r#"{"Input":"m"}"#),
        Some("input")
    );
    assert_eq!(refused(&OPENAI_IMAGES, r#"{"Size":"m"}"#), Some("size"));
}

#[test]
fn tools_are_input() {
    let text = "abcd".repeat(100);
    let body = format!(
        r#"{{"tools":[{{"type":"function","function":{{"name":"f","description":"{text}"}}}}]}}"#
    );
    let fields = Fields::read(HEAD, OPENAI_CHAT.fields, body.as_bytes()).expect("fine");
    let estimate = fields.input_estimate();
    assert!((100..140).contains(&estimate), "{estimate}");
}
