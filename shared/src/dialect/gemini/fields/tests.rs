//! What is asked for, and what is refused.

use super::*;
use crate::dialect::Dialect;
use crate::dialect::body::Body;
use crate::dialect::gemini::GEMINI;

const CONTENTS_JSON: &str = r#""contents":[{"role":"user","parts":[{"text":"hi"}]}]"#;

fn head() -> Head {
    Head {
        model: Some("gemini-3.8-flash".to_owned()),
        stream: Some(true),
        ..Head::default()
    }
}

fn asked(json: &str) -> Result<Asked, BadBody> {
    GEMINI.read(&head(), &Body::of_json(json))
}

fn with(fields: &str) -> Result<Asked, BadBody> {
    asked(&format!("{{{CONTENTS_JSON},{fields}}}"))
}

#[test]
fn what_is_asked_for_is_read_in_both_ways_to_write_it() {
    for fields in [
        r#""generationConfig":{"maxOutputTokens":70,"candidateCount":2},"serviceTier":"flex""#,
        r#""generation_config":{"max_output_tokens":70.0,"candidate_count":2},"service_tier":"FLEX""#,
        r#""model":"models/other","generationConfig":{"maxOutputTokens":70,"candidate_count":2,"thinking_config":{"thinking_level":"LOW"}},"serviceTier":"flex""#,
    ] {
        let asked = with(fields).expect(fields);
        assert_eq!(asked.model, "gemini-3.8-flash");
        assert!(asked.stream && asked.show_usage);
        assert_eq!((asked.answers, asked.output), (2, Output::UpTo(Some(70))));
        assert_eq!(asked.bounds.facts.get(Fact::Tier), Some("flex"));
        assert_eq!(asked.open, OPEN);
        assert!(asked.maxima.kept_and_others().is_some());
        assert!(asked.bounds.count(Unit::InputToken) >= asked.input_estimate);
    }
    let plain = with(
        r#""generationConfig":null,"tools":null,"cachedContent":"","safetySettings":[{"x":1}]"#,
    );
    let plain = plain.expect("plain");
    assert_eq!((plain.answers, plain.output), (1, Output::UpTo(None)));
    // Google takes one object for a list of one, and a body may name its model where the path does not.
    let one = r#"{"model":"models/m","system_instruction":{"parts":{"text":"cat"}},"contents":{"parts":{"text":"hi"}}}"#;
    let one = GEMINI
        .read(&Head::default(), &Body::of_json(one))
        .expect("one");
    assert_eq!((one.model.as_str(), one.stream), ("m", false));
}

#[test]
fn a_picture_is_weighed_as_a_picture() {
    let data = "A".repeat(4_000_000);
    let json = format!(
        r#"{{"contents":[{{"parts":[{{"inlineData":{{"mimeType":"image/png","data":"{data}"}}}}]}}]}}"#
    );
    let asked = asked(&json).expect("read");
    assert!((8_192..8_400).contains(&asked.bounds.count(Unit::InputToken)));
    assert!((8_192..8_300).contains(&asked.input_estimate));
}

#[test]
fn what_would_change_the_bill_is_refused_with_its_name() {
    for (fields, param) in [
        (r#""tools":[{"googleSearch":{}}]"#, "tools"),
        (
            r#""tools":[{"functionDeclarations":[]},{"code_execution":{}}]"#,
            "tools",
        ),
        (
            r#""tools":[{"functionDeclarations":[{"name":"f"}],"urlContext":{}}]"#,
            "tools",
        ),
        (r#""tools":{"googleMaps":{}}"#, "tools"),
        (r#""tools":["google_search"]"#, "tools"),
        (r#""cachedContent":"cachedContents/x""#, "cachedContent"),
        (r#""cached_content":"cachedContents/x""#, "cachedContent"),
        (r#""CachedContent":"cachedContents/x""#, "cachedContent"),
        (r#""continuationToken":"x""#, "continuationToken"),
        (r#""routingConfig":{"x":1}"#, "routingConfig"),
        (
            r#""generationConfig":{"modelSelectionConfig":{"x":1}}"#,
            "modelSelectionConfig",
        ),
        (
            r#""generationConfig":{"MaxOutputTokens":1}"#,
            "maxOutputTokens",
        ),
        (r#""generationConfig":{"maxOutputTokens":0}"#, MAXIMUM_AT),
        (r#""generationConfig":{"maxOutputTokens":1.5}"#, MAXIMUM_AT),
        (r#""generationConfig":{"maxOutputTokens":"9"}"#, MAXIMUM_AT),
        (r#""generationConfig":{"candidateCount":9}"#, CANDIDATES),
        (
            r#""generationConfig":{"responseModalities":["TEXT","AUDIO"]}"#,
            MODALITIES,
        ),
        (
            r#""generationConfig":{"responseModalities":"VIDEO"}"#,
            MODALITIES,
        ),
        (r#""serviceTier":"priority""#, TIER),
        (r#""serviceTier":7"#, TIER),
        (r#""api_key":"x""#, "api_key"),
        (r#""fallbacks":["x"]"#, "fallbacks"),
    ] {
        let refused = with(fields).expect_err(fields);
        assert_eq!(refused.param, Some(param), "{fields}: {refused}");
    }
    for fine in [
        r#""tools":[{"functionDeclarations":[{"name":"f"}],"googleSearch":null}]"#,
        r#""tools":[{"function_declarations":[]}]"#,
        r#""generationConfig":{"responseModalities":["TEXT","IMAGE"]}"#,
        r#""generationConfig":{"responseModalities":[],"routingConfig":null}"#,
        r#""serviceTier":"unspecified","labels":{"a":"b"},"store":false,"fallbacks":[]"#,
    ] {
        with(fine).expect(fine);
    }
}

#[test]
fn what_is_no_request_is_refused() {
    for json in [
        "",
        "[]",
        "{",
        "{}",
        r#"{"contents":[]}"#,
        r#"{"contents":null}"#,
        r#"{"contents":"hi"}"#,
        r#"{"contents":[{}],"contents":[{}]}"#,
        r#"{"contents":[{}],"generationConfig":[]}"#,
        r#"{"contents":[{}],"generationConfig":{},"generation_config":{}}"#,
        r#"{"contents":[{}],"generationConfig":{"topK":1,"maxOutputTokens":1,"max_output_tokens":2}}"#,
    ] {
        assert!(asked(json).is_err(), "{json}");
    }
    let none = GEMINI.read(&Head::default(), &Body::of_json(r#"{"contents":[{}]}"#));
    assert_eq!(none.expect_err("no model").param, Some("model"));
    let long = Head {
        model: Some("x".repeat(101)),
        ..Head::default()
    };
    assert!(
        GEMINI
            .read(&long, &Body::of_json(r#"{"contents":[{}]}"#))
            .is_err()
    );
    assert!(GEMINI.read(&head(), &Body::Empty).is_err());
}
