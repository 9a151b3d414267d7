//! What is sent otherwise after a refusal.

use shared::dialect::told;
use shared::link::{Call, Operation};
use shared::secret::Secret;

use super::*;
use crate::fixture;
use crate::providers::files::Fetched;
use crate::providers::learned::Learned;
use crate::providers::vendor::classify::classify;

/// How `call`, which was refused, is sent again to a vendor that speaks its dialect.
fn again(call: &Call, fault: &Fault, told: &Told, quirks: Quirks) -> Option<Quirks> {
    let (key, learned) = (Secret::new("sk-0".to_owned()), Learned::default());
    let options = ProviderOptions::default();
    let route = Route {
        base_url: "https://api.example.com/v1",
        options: &options,
        key: &key,
        model: "m",
        learned: &learned,
        headers: &[],
        heard: None,
        files: None,
    };
    let dialect = call.surface.dialect;
    let way = Way {
        call,
        dialect,
        route,
        quirks,
        fetched: &Fetched::default(),
    };
    otherwise(&way, fault, told)
}

fn call(body: &str, stream: bool) -> Call {
    Call {
        stream,
        ..fixture::call(Operation::Chat, body.to_owned())
    }
}

fn maximum(maximum: Maximum) -> Quirks {
    Quirks {
        maximum,
        ..Quirks::default()
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a row a refusal")]
fn a_refusal_that_names_a_field_says_how_to_send_it_again() {
    let options = Some(Quirks {
        no_usage_option: true,
        ..Quirks::default()
    });
    let completion = Some(maximum(Maximum::MaxCompletionTokens));
    let older = Some(maximum(Maximum::MaxTokens));
    for (status, refusal, expected) in [
        (
            422,
            r#"{"detail":[{"type":"extra_forbidden","loc":["body","stream_options"],"msg":"Extra inputs are not permitted"}]}"#,
            options,
        ),
        (
            400,
            r#"{"error":{"message":"Unrecognized request argument supplied: stream_options"}}"#,
            options,
        ),
        (
            400,
            r#"{"error":"json: unknown field \"stream_options\""}"#,
            options,
        ),
        (
            400,
            r#"{"error":{"message":"Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.","type":"invalid_request_error","param":"max_tokens","code":"unsupported_parameter"}}"#,
            completion,
        ),
        (
            400,
            r#"{"error":{"message":"'max_tokens' is not supported here. Use 'max_completion_tokens' instead."}}"#,
            completion,
        ),
        (
            422,
            r#"{"detail":[{"type":"extra_forbidden","loc":["body","max_completion_tokens"],"msg":"Extra inputs are not permitted"}]}"#,
            older,
        ),
        (
            400,
            r#"{"error":{"message":"Unknown parameter: 'max_completion_tokens'."}}"#,
            older,
        ),
        (
            400,
            r#"{"error":{"message":"max_tokens is too large: 100000. This model supports at most 4096 completion tokens.","param":"max_tokens"}}"#,
            None,
        ),
        (
            400,
            r#"{"error":{"message":"Unsupported value: 'temperature'","param":"temperature"}}"#,
            None,
        ),
        (
            401,
            r#"{"error":{"message":"unknown stream_options"}}"#,
            None,
        ),
        (
            503,
            r#"{"error":{"message":"unknown stream_options"}}"#,
            None,
        ),
    ] {
        let told = told::refusal(refusal.as_bytes());
        let fault = classify(status, &told);
        let found = again(&call("{}", true), &fault, &told, Quirks::default());
        assert_eq!(found, expected, "{refusal}");
        let twice = found.and_then(|quirks| again(&call("{}", true), &fault, &told, quirks));
        assert_eq!(twice, None, "not for the same reason twice: {refusal}");
    }
    let told = told::refusal(br#"{"error":{"message":"unknown field stream_options"}}"#);
    let fault = classify(400, &told);
    let theirs = Call {
        show_usage: true,
        headers: Vec::new(),
        ..call("{}", true)
    };
    assert_eq!(
        again(&theirs, &fault, &told, Quirks::default()),
        None,
        "the tenant's own field"
    );
}

#[test]
fn a_refusal_of_the_end_users_field_leaves_it_out_from_then_on() {
    let nowhere = Some(Quirks {
        end_user: EndUserField::Nowhere,
        ..Quirks::default()
    });
    let named = Call {
        end_user: Some("wu_1_2".to_owned()),
        ..call("{}", false)
    };
    for (status, refusal, expected) in [
        (
            422,
            r#"{"detail":[{"type":"extra_forbidden","loc":["body","user"],"msg":"Extra inputs are not permitted"}]}"#,
            nowhere,
        ),
        (
            400,
            r#"{"error":{"message":"Unknown parameter: 'safety_identifier'.","param":"safety_identifier","code":"unknown_parameter"}}"#,
            nowhere,
        ),
        (
            400,
            r#"{"error":{"message":"Unrecognized request argument supplied: user"}}"#,
            nowhere,
        ),
        (
            400,
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"metadata: Extra inputs are not permitted"}}"#,
            nowhere,
        ),
        (
            400,
            r#"{"error":{"message":"The role of a user message is not supported here."}}"#,
            None,
        ),
        (
            400,
            r#"{"error":{"message":"Unknown parameter: 'seed'.","param":"seed"}}"#,
            None,
        ),
        (
            400,
            r#"{"error":{"message":"Invalid value for 'user'.","param":"user"}}"#,
            None,
        ),
    ] {
        let told = told::refusal(refusal.as_bytes());
        let fault = classify(status, &told);
        let found = again(&named, &fault, &told, Quirks::default());
        assert_eq!(found, expected, "{refusal}");
        let twice = found.and_then(|quirks| again(&named, &fault, &told, quirks));
        assert_eq!(twice, None, "not for the same reason twice: {refusal}");
        let unnamed = again(&call("{}", false), &fault, &told, Quirks::default());
        assert_eq!(unnamed, None, "the tenant's own field: {refusal}");
    }
}
