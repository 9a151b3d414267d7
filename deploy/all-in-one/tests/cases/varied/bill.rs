//! What changes the bill is priced or refused, one maximum goes on, and a provider that ignores it
//! costs the tenant no more than was held.

use std::time::Duration;

use serde_json::{Value, json};

use super::each;
use crate::case::{Case, case, long_question};
use crate::errors::says;
use crate::fake::bodies::{DONE, finish, good_whole, sse, text, usage, whole};
use crate::fake::script::Script;
use crate::fake::{Seen, always, on};
use crate::reading::{Whole, read_whole};
use crate::world::everywhere;

const NONE: Value = Value::Null;

/// Fields by which a request would cost something else than what its model's price says.
const REFUSED: &[(&str, &str)] = &[
    ("service_tier", r#""service_tier":"priority""#),
    ("best_of", r#""best_of":8"#),
    (
        "prediction",
        r#""prediction":{"type":"content","content":"x"}"#,
    ),
    (
        "web_search_options",
        r#""web_search_options":{"search_context_size":"high"}"#,
    ),
    ("api_base", r#""api_base":"http://evil.example/v1""#),
    ("plugins", r#""plugins":[{"id":"web"}]"#),
    ("tools", r#""tools":[{"type":"web_search"}]"#),
    (
        "modalities",
        r#""modalities":["text","audio"],"audio":{"voice":"alloy","format":"wav"}"#,
    ),
];

/// What a chat is told that has `field` in its body, byte for byte.
async fn asked_with(case: &Case, question: &str, field: &str) -> Whole {
    let model = &case.model;
    let message = format!(r#"{{"role":"user","content":"{question}"}}"#);
    let body = format!(r#"{{"model":"{model}","messages":[{message}],{field}}}"#);
    let request = case.request("/api/v1/chat/completions");
    let request = request.header("content-type", "application/json");
    read_whole(request.body(body)).await
}

#[test]
fn fields_that_change_the_bill_are_refused_by_name() {
    each(REFUSED, async |shape, field: &str| {
        let case = case(shape, vec![always(good_whole())]).start().await;
        let told = asked_with(&case, "hi", field).await;
        told.is(400);
        let name = told.body["error"]["param"].as_str().unwrap_or_default();
        assert!(!name.is_empty() && field.contains(name), "{}", told.text);
        assert!(case.calls().is_empty());
        case.is_free().await;
    });
}

/// The same fields in a form that costs nothing more.
const HARMLESS: &[(&str, &str)] = &[
    ("service_tier", r#""service_tier":"auto""#),
    ("service_tier, null", r#""service_tier":null"#),
    (
        "tools",
        r#""tools":[{"type":"function","function":{"name":"f","parameters":{}}}]"#,
    ),
    ("modalities", r#""modalities":["text"]"#),
    ("store", r#""metadata":{"a":"b"}"#),
    ("tomorrow", r#""a_field_of_tomorrow":true"#),
];

#[test]
fn the_same_fields_pass_where_they_change_nothing() {
    each(HARMLESS, async |shape, field: &str| {
        let case = case(shape, vec![always(good_whole())]).start().await;
        let told = asked_with(&case, &long_question(), field).await;
        told.is(200);
        case.bill().await.is(2.0);
    });
}

/// Fields that we read, written so that some providers take them for the same and we would not.
const TWINS: &[(&str, &str)] = &[
    ("model", r#""Model":"dear""#),
    ("n", r#""N":100"#),
    ("max_tokens", r#""Max_Tokens":100000"#),
    ("max_completion_tokens", r#""MAX_COMPLETION_TOKENS":100000"#),
    ("stream", r#""Stream":true"#),
    ("messages", r#""Messages":[]"#),
    ("service_tier", r#""Service_Tier":"priority""#),
    ("an escape", r#""\u004eax_tokens":1,"\u004e":100"#),
    ("a field twice", r#""n":1,"n":100"#),
    (
        "an escape of the same",
        r#""max_tokens":1,"max\u005ftokens":100000"#,
    ),
];

#[test]
fn twins_of_fields_that_matter_are_refused() {
    each(TWINS, async |shape, field: &str| {
        let case = case(shape, vec![always(good_whole())]).start().await;
        let told = asked_with(&case, "hi", field).await;
        told.is(400);
        assert!(case.calls().is_empty());
        case.is_free().await;
    });
}

#[test]
fn one_maximum_goes_on_and_the_larger_is_held_for() {
    everywhere(async |shape| {
        let case = case(shape, vec![always(good_whole())]).start().await;
        let both = json!({"max_tokens": 7, "max_completion_tokens": 300});
        case.chat(&both).await.is(200);
        let sent = case.calls();
        let sent = &sent[0];
        let count = ["max_tokens", "max_completion_tokens"]
            .iter()
            .filter(|name| sent.has(name));
        assert_eq!(count.count(), 1, "{}", sent.json);
        // 3 credits for 300 tokens are not there: the smaller of the two is no way around it.
        let poor = crate::case::case(shape, vec![always(good_whole())])
            .balance("0.5")
            .start()
            .await;
        let mut asked = says("hi");
        asked["max_tokens"] = json!(7);
        asked["max_completion_tokens"] = json!(300);
        let told = poor.chat(&asked).await;
        if told.status == 200 {
            let sent = poor.calls();
            let sent = &sent[0].json;
            let max = sent["max_tokens"]
                .as_u64()
                .or(sent["max_completion_tokens"].as_u64());
            assert!(max.is_some_and(|max| max <= 50), "{sent}");
        } else {
            told.is(402);
        }
    });
}

/// A stream of many words, whatever was asked for.
fn endless(words: usize) -> Script {
    let mut script = sse("");
    for _ in 0..words / 10 {
        script = script
            .body(text("word ").repeat(10))
            .pause(Duration::from_millis(2));
    }
    let counted = json!({"prompt_tokens": 1000, "completion_tokens": words});
    script.body([&finish("stop"), &usage(&counted), DONE].concat())
}

#[test]
fn a_provider_that_ignores_the_maximum_costs_the_tenant_what_was_held() {
    const FIELDS: &[(&str, &str)] = &[
        ("max_tokens", "max_tokens"),
        ("max_completion_tokens", "max_completion_tokens"),
    ];
    each(FIELDS, async |shape, field: &str| {
        let counted = json!({"prompt_tokens": 1000, "completion_tokens": 5000});
        let long = whole(&"word ".repeat(5_000), &counted);
        let rows = vec![
            on(|seen: &Seen| seen.json["stream"] == true, endless(5_000)),
            always(long),
        ];
        let case = case(shape, rows).balance("12").start().await;
        let mut asked = json!({});
        asked[field] = json!(50);
        let told = case.chat(&asked).await;
        told.is(200);
        let bill = case.bill().await;
        // 9,600 bytes of question and 50 tokens of answer were held.
        assert!(bill.credits <= 10.2, "{bill:?}");
        let balance = case.settled().await;
        assert!(
            balance["available"]
                .as_f64()
                .is_some_and(|left| left >= 0.0),
            "{balance}"
        );
        let streamed = crate::case::case(shape, vec![always(endless(5_000))])
            .balance("12")
            .start()
            .await;
        let read = streamed.stream(&asked).await;
        assert_eq!(read.status, 200);
        assert!(read.broken.is_empty(), "{}", read.text);
        let words = read.content().split_whitespace().count();
        assert!(words < 2_500, "the stream is stopped: {words} words came");
        let bill = streamed.bill().await;
        assert!(bill.credits <= 10.2, "{bill:?}");
        let balance = streamed.settled().await;
        assert!(
            balance["available"]
                .as_f64()
                .is_some_and(|left| left >= 0.0),
            "{balance}"
        );
    });
}

#[test]
fn a_tenant_with_a_thousandth_spends_no_more_than_that() {
    everywhere(async |shape| {
        let counted = json!({"prompt_tokens": 1, "completion_tokens": 41});
        let rows = vec![always(whole(&"word ".repeat(41), &counted))];
        let price = json!({"output_per_million": 1_000});
        let case = case(shape, rows)
            .price(price)
            .balance("0.001")
            .start()
            .await;
        let mut asked = says("hi");
        asked["max_completion_tokens"] = json!(1);
        case.chat(&asked).await.is(200);
        let balance = case.settled().await;
        assert_eq!(balance, json!({"available": 0, "held": 0, "used": 0.001}));
        assert_eq!(case.chat(&asked).await.status, 402);
        assert_eq!(case.chat(&NONE).await.status, 402);
    });
}

#[test]
fn what_is_not_used_of_a_hold_comes_back_to_the_micro_credit() {
    everywhere(async |shape| {
        let rows = vec![always(whole(
            "x",
            &json!({"prompt_tokens": 999, "completion_tokens": 7}),
        ))];
        let case = case(shape, rows).start().await;
        for _ in 0..7 {
            case.chat(&NONE).await.is(200);
        }
        for bill in case.bills(7).await {
            bill.is(1.069);
        }
        assert_eq!(case.settled().await["available"].to_string(), "992.517");
    });
}
