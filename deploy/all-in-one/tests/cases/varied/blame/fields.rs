//! Fields that a provider refuses, and base URLs as people paste them.

use serde_json::json;

use super::super::each;
use super::NONE;
use crate::case::case;
use crate::fake::bodies::{error, good_stream, good_whole};
use crate::fake::{always, with_field};
use crate::world::everywhere;

#[test]
fn a_field_that_was_added_is_left_out_when_the_provider_names_it() {
    const FORMS: &[(&str, (u16, &str))] = &[
        (
            "OpenAI, an unknown argument",
            (
                400,
                r#"{"error":{"message":"Unrecognized request argument supplied: stream_options","type":"invalid_request_error","param":null,"code":null}}"#,
            ),
        ),
        (
            "OpenAI, a parameter",
            (
                400,
                r#"{"error":{"message":"Unknown parameter: 'stream_options'.","type":"invalid_request_error","param":"stream_options","code":"unknown_parameter"}}"#,
            ),
        ),
        (
            "Mistral",
            (
                422,
                r#"{"object":"error","message":{"detail":[{"type":"extra_forbidden","loc":["body","stream_options"],"msg":"Extra inputs are not permitted","input":{"include_usage":true}}]},"type":"invalid_request_error","param":null,"code":null}"#,
            ),
        ),
        (
            "a text",
            (400, r#"{"error":"json: unknown field \"stream_options\""}"#),
        ),
    ];
    each(FORMS, async |shape, (status, body): (u16, &str)| {
        let rows = vec![
            with_field("stream_options", error(status, body)),
            always(good_stream()),
        ];
        let case = case(shape, rows).start().await;
        let read = case.stream(&NONE).await;
        read.is_whole();
        case.bill().await.is(2.0);
        assert_eq!(case.key_states().await, ["active"]);
    });
}

#[test]
fn a_field_that_the_tenant_sent_is_never_left_out() {
    everywhere(async |shape| {
        let body = r#"{"error":{"message":"Unknown parameter: 'logit_bias'.","type":"invalid_request_error","param":"logit_bias","code":"unknown_parameter"}}"#;
        let rows = vec![
            with_field("logit_bias", error(400, body)),
            always(good_whole()),
        ];
        let case = case(shape, rows).start().await;
        let refused = case.chat(&json!({"logit_bias": {"50256": -100}})).await;
        refused.is(400);
        assert_eq!(refused.body["error"]["param"], "logit_bias");
        assert_eq!(case.calls().len(), 1);
    });
}

#[test]
fn base_urls_as_people_paste_them_lead_to_the_right_path() {
    const ENDS: &[(&str, &str)] = &[
        ("a slash", "/v1/"),
        ("slashes", "/v1//"),
        ("the chat path", "/v1/chat/completions"),
        ("the chat path and a slash", "/v1/chat/completions/"),
        ("the list of models", "/v1/models"),
        ("blanks around it", "/v1 "),
    ];
    each(ENDS, async |shape, end: &str| {
        let fake = crate::world::fake();
        let mount = format!("pasted-{}", shared::id::random_text(8));
        fake.lay(&mount, vec![always(good_whole())]);
        let url = format!("http://{}/{mount}{end}", fake.address);
        let case = case(shape, Vec::new()).base_url(url).start().await;
        case.chat(&NONE).await.is(200);
        let calls = fake.calls(&mount);
        assert_eq!(
            calls.last().map(|call| call.path.as_str()),
            Some("/v1/chat/completions")
        );
    });
}
