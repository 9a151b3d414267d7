//! What tenants send: fields that must reach the provider as they are, large pictures, maxima, and
//! transfers in odd forms.

mod pictures;
mod sockets;

use serde_json::{Value, json};

use self::sockets::raw;
use crate::case::{case, long_question};
use crate::errors::says;
use crate::fake::bodies::{answer, good_whole, whole};
use crate::fake::{always, with_field};
use crate::reading::read_whole;
use crate::world::everywhere;

const NONE: Value = Value::Null;
const CHAT: &str = "/api/v1/chat/completions";

#[test]
fn c01_fields_reach_the_provider_byte_for_byte() {
    everywhere(async |shape| {
        let counted = json!({"prompt_tokens": 100, "completion_tokens": 50});
        let case = case(shape, vec![always(whole("all well", &counted))])
            .start()
            .await;
        let fields = [
            r#""logprobs" : true"#,
            r#""top_logprobs":5"#,
            r#""n":1"#,
            r#""response_format": {"type":"json_schema", "json_schema":{"name":"x","strict":true,"schema":{"type":"object","properties":{"b":{"type":"string"},"a":{"type":"number"}}}}}"#,
            r#""messages":[ {"role":"developer","content":"be  brief"}, {"role":"user","content":"h\u00e9 \ud83d\ude00 / \/"} ]"#,
            r#""max_completion_tokens":77"#,
            r#""seed":12345678901234567890"#,
            r#""temperature":1.0"#,
            r#""a_field_of_tomorrow":{"z":1,"a":[null, 1e3]}"#,
        ];
        let body = format!(r#"{{"model":"{}", {}}}"#, case.model, fields.join(",\n "));
        raw(&case, body).await.is(200);
        let sent = String::from_utf8(case.calls()[0].body.clone()).expect("text");
        for field in fields {
            assert!(sent.contains(field), "{field}: {sent}");
        }
        assert_eq!(case.calls()[0].json["model"], "their-name");
        case.bill().await.is(0.6);
    });
}

#[test]
fn c02_null_is_a_field_that_is_not_set() {
    everywhere(async |shape| {
        let case = case(shape, vec![always(good_whole())]).start().await;
        let nulls = json!({"max_tokens": null, "max_completion_tokens": null, "n": null,
            "stop": null, "stream": null, "stream_options": null, "tools": null});
        case.chat(&nulls).await.is(200);
        case.bill().await.is(2.0);
    });
}

#[test]
fn c03_a_stream_that_is_text_is_refused_by_its_name() {
    everywhere(async |shape| {
        let case = case(shape, vec![always(good_whole())]).start().await;
        for stream in [json!("true"), json!(1), json!([])] {
            let refused = case.chat(&json!({"stream": stream})).await;
            refused.is(400);
            assert_eq!(refused.body["error"]["param"], "stream", "{}", refused.text);
        }
        assert!(case.calls().is_empty());
        case.is_free().await;
    });
}

#[test]
fn c04_the_bearer_may_be_written_in_any_case_with_more_blanks() {
    everywhere(async |shape| {
        let case = case(shape, vec![always(good_whole())]).start().await;
        for scheme in ["Bearer ", "bearer ", "BEARER ", "Bearer  ", "bearer   "] {
            let url = case.product.url(CHAT);
            let request = case.product.http.post(url).json(&case.chat_body(&NONE));
            let shown = format!("{scheme}{}", case.customer.key);
            read_whole(request.header("authorization", shown))
                .await
                .is(200);
        }
    });
}

#[test]
fn c14_a_maximum_that_is_put_in_is_one_that_the_model_takes() {
    everywhere(async |shape| {
        let refusal = json!({"error": {"message": "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
            "type": "invalid_request_error", "param": "max_tokens", "code": "unsupported_parameter"}});
        let rows = vec![
            with_field("max_tokens", answer(400, &refusal)),
            always(good_whole()),
        ];
        let case = case(shape, rows).balance("5").start().await;
        let told = case.chat(&says("short")).await;
        told.is(200);
        let sent = case.calls();
        let sent = &sent.last().expect("a call").json;
        let max = sent["max_completion_tokens"].as_u64().expect("a maximum");
        assert!((1..=500).contains(&max), "{sent}");
    });
}

#[test]
fn c25_odd_text_passes_as_it_is() {
    everywhere(async |shape| {
        let odd = r#"{"choices":[{"index":0,"message":{"role":"assistant","content":"a \ud83d b \u0000 c"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1000,"completion_tokens":100}}"#;
        let case = case(shape, vec![always(crate::fake::bodies::error(200, odd))])
            .start()
            .await;
        let asked = r#"[{"role":"user","content":"x \ud83d y \u0000 z"}]"#;
        let body = format!(
            r#"{{"model":"{}","messages":{asked},"user":"{}"}}"#,
            case.model,
            long_question()
        );
        let told = raw(&case, body).await;
        told.is(200);
        assert_eq!(told.text, odd);
        assert!(case.calls()[0].says(asked), "it reaches the provider");
        case.bill().await.is(2.0);
    });
}
