//! Counts in every layout that vendors have, and counts that can't be.

use serde_json::{Value, json};

use super::each;
use crate::case::bill::Bill;
use crate::case::case;
use crate::fake::always;
use crate::fake::bodies::{DONE, finish, sse, text, usage as usage_event, whole};
use crate::world::Shape;

const NONE: Value = Value::Null;

/// What the same usage comes to in a whole answer and at the end of a stream.
async fn both(shape: Shape, usage: &Value) -> [Bill; 2] {
    let once = case(shape, vec![always(whole("all well", usage))])
        .start()
        .await;
    once.chat(&NONE).await.is(200);
    let body = [
        &text("all well"),
        &finish("stop"),
        &usage_event(usage),
        DONE,
    ]
    .concat();
    let streamed = case(shape, vec![always(sse(body))]).start().await;
    streamed.stream(&NONE).await.is_whole();
    [once.bill().await, streamed.bill().await]
}

/// Input, cached input, output with reasoning; all at the prices of the cases.
type Counts = (u64, u64, u64);

const LAYOUTS: &[(&str, (&str, Counts))] = &[
    (
        "OpenAI",
        (
            r#"{"prompt_tokens":1000,"completion_tokens":100,"total_tokens":1100,"prompt_tokens_details":{"cached_tokens":600,"audio_tokens":0}}"#,
            (400, 600, 100),
        ),
    ),
    (
        "OpenAI's newer names",
        (
            r#"{"input_tokens":1000,"output_tokens":100,"input_tokens_details":{"cached_tokens":600},"output_tokens_details":{"reasoning_tokens":64}}"#,
            (400, 600, 100),
        ),
    ),
    (
        "DeepSeek",
        (
            r#"{"prompt_tokens":1000,"completion_tokens":100,"total_tokens":1100,"prompt_cache_hit_tokens":600,"prompt_cache_miss_tokens":400}"#,
            (400, 600, 100),
        ),
    ),
    (
        "DeepSeek with both names",
        (
            r#"{"prompt_tokens":1000,"completion_tokens":100,"prompt_tokens_details":{"cached_tokens":600},"prompt_cache_hit_tokens":600,"prompt_cache_miss_tokens":400}"#,
            (400, 600, 100),
        ),
    ),
    (
        "Moonshot",
        (
            r#"{"prompt_tokens":1000,"completion_tokens":100,"total_tokens":1100,"cached_tokens":600}"#,
            (400, 600, 100),
        ),
    ),
    (
        "Anthropic, which counts cached tokens apart",
        (
            r#"{"input_tokens":400,"cache_read_input_tokens":600,"cache_creation_input_tokens":0,"output_tokens":100}"#,
            (400, 600, 100),
        ),
    ),
    (
        "more cached than there is",
        (
            r#"{"prompt_tokens":1000,"completion_tokens":100,"prompt_tokens_details":{"cached_tokens":9000}}"#,
            (0, 1000, 100),
        ),
    ),
    (
        "xAI, reasoning on top",
        (
            r#"{"prompt_tokens":12,"completion_tokens":2,"total_tokens":331,"completion_tokens_details":{"reasoning_tokens":317}}"#,
            (12, 0, 319),
        ),
    ),
    (
        "reasoning inside",
        (
            r#"{"prompt_tokens":12,"completion_tokens":319,"total_tokens":331,"completion_tokens_details":{"reasoning_tokens":317}}"#,
            (12, 0, 319),
        ),
    ),
    (
        "reasoning that the completion can't hold",
        (
            r#"{"prompt_tokens":12,"completion_tokens":2,"completion_tokens_details":{"reasoning_tokens":317}}"#,
            (12, 0, 319),
        ),
    ),
    (
        "text for numbers",
        (
            r#"{"prompt_tokens":"1000","completion_tokens":"100"}"#,
            (1000, 0, 100),
        ),
    ),
    (
        "floats",
        (
            r#"{"prompt_tokens":1000.0,"completion_tokens":1e2,"total_tokens":1100.0}"#,
            (1000, 0, 100),
        ),
    ),
    (
        "fractions, which round up",
        (
            r#"{"prompt_tokens":999.2,"completion_tokens":99.01}"#,
            (1000, 0, 100),
        ),
    ),
    (
        "a null detail",
        (
            r#"{"prompt_tokens":1000,"completion_tokens":100,"prompt_tokens_details":{"cached_tokens":null},"completion_tokens_details":{"reasoning_tokens":null}}"#,
            (1000, 0, 100),
        ),
    ),
    (
        "details of another type",
        (
            r#"{"prompt_tokens":1000,"completion_tokens":100,"prompt_tokens_details":[],"completion_tokens_details":"none"}"#,
            (1000, 0, 100),
        ),
    ),
    (
        "a negative detail",
        (
            r#"{"prompt_tokens":1000,"completion_tokens":100,"prompt_tokens_details":{"cached_tokens":-5}}"#,
            (1000, 0, 100),
        ),
    ),
    (
        "unknown fields of every type",
        (
            r#"{"prompt_tokens":1000,"completion_tokens":100,"cost":0.01,"queue_time":1.5,"is_byok":false,"x":[1,{"prompt_tokens":9}],"cost_details":{"upstream":null}}"#,
            (1000, 0, 100),
        ),
    ),
];

#[test]
fn every_vendors_layout_comes_to_the_same_counts() {
    each(LAYOUTS, async |shape, (usage, counts): (&str, Counts)| {
        let usage: Value = serde_json::from_str(usage).expect("JSON");
        for bill in both(shape, &usage).await {
            let (input, cached, output) = counts;
            let told = (bill.input, bill.cached, bill.output + bill.reasoning);
            assert_eq!(told, counts, "{usage}: {bill:?}");
            let micros = input * 1_000 + cached * 100 + output * 10_000;
            #[expect(clippy::cast_precision_loss, reason = "small")]
            bill.is(micros as f64 / 1e6);
        }
    });
}

#[test]
fn tokens_written_to_the_cache_are_input_once() {
    const LAYOUTS: &[(&str, &str)] = &[
        (
            "inside",
            r#"{"prompt_tokens":1000,"completion_tokens":100,"prompt_tokens_details":{"cached_tokens":500,"cache_write_tokens":100}}"#,
        ),
        (
            "apart",
            r#"{"input_tokens":400,"cache_read_input_tokens":500,"cache_creation_input_tokens":100,"output_tokens":100}"#,
        ),
    ];
    each(LAYOUTS, async |shape, usage: &str| {
        let usage: Value = serde_json::from_str(usage).expect("JSON");
        for bill in both(shape, &usage).await {
            assert_eq!(
                (bill.input, bill.cached, bill.written),
                (400, 500, 100),
                "{bill:?}"
            );
            bill.is(0.5 + 0.05 + 1.0);
        }
    });
}

#[test]
fn a_usage_that_says_nothing_is_an_estimate() {
    const ODD: &[(&str, &str)] = &[
        ("null", "null"),
        ("empty", "{}"),
        (
            "zeros",
            r#"{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}"#,
        ),
        (
            "nulls",
            r#"{"prompt_tokens":null,"completion_tokens":null}"#,
        ),
        (
            "minus one",
            r#"{"prompt_tokens":-1,"completion_tokens":-1,"total_tokens":-1}"#,
        ),
        ("a list", "[]"),
        ("a list of numbers", "[1000,100]"),
        ("a text", r#""n/a""#),
        ("a number", "7"),
        ("a truth", "true"),
        (
            "words for numbers",
            r#"{"prompt_tokens":"many","completion_tokens":"few"}"#,
        ),
        (
            "objects for numbers",
            r#"{"prompt_tokens":{"total":1000},"completion_tokens":[100]}"#,
        ),
    ];
    each(ODD, async |shape, usage: &str| {
        let usage: Value = serde_json::from_str(usage).expect("JSON");
        for bill in both(shape, &usage).await {
            bill.is_estimate(1..=10);
            assert!((1_500..=3_000).contains(&bill.input), "{usage}: {bill:?}");
        }
    });
}

#[test]
fn counts_beyond_what_the_call_can_bring_are_capped_and_flagged() {
    const ABSURD: &[(&str, &str)] = &[
        (
            "output",
            r#"{"prompt_tokens":1000,"completion_tokens":1000000000000}"#,
        ),
        (
            "input",
            r#"{"prompt_tokens":1000000000000,"completion_tokens":100}"#,
        ),
        (
            "both",
            r#"{"prompt_tokens":9223372036854775807,"completion_tokens":9223372036854775807}"#,
        ),
        (
            "beyond any number",
            r#"{"prompt_tokens":1e300,"completion_tokens":1e300}"#,
        ),
        (
            "reasoning",
            r#"{"prompt_tokens":1000,"completion_tokens":100,"total_tokens":1000000001100,"completion_tokens_details":{"reasoning_tokens":1000000000000}}"#,
        ),
        (
            "details",
            r#"{"prompt_tokens":1000,"completion_tokens":100,"cache_creation_input_tokens":1000000000000}"#,
        ),
    ];
    each(ABSURD, async |shape, usage: &str| {
        let usage: Value = serde_json::from_str(usage).expect("JSON");
        for bill in both(shape, &usage).await {
            // 9,600 bytes of question and 1,000 tokens of answer are the most that is held.
            assert!(bill.credits <= 20.0, "{usage}: {bill:?}");
            assert!(bill.estimated, "flagged: {usage}: {bill:?}");
            assert!(bill.credits > 0.0, "{usage}: {bill:?}");
        }
    });
}

#[test]
fn reports_merge_and_lose_nothing() {
    const REPORTS: &[(&str, &[&str])] = &[
        (
            "details first",
            &[
                r#"{"prompt_tokens":1000,"completion_tokens":100,"prompt_tokens_details":{"cached_tokens":600}}"#,
                r#"{"prompt_tokens":1000,"completion_tokens":100}"#,
            ],
        ),
        (
            "details last",
            &[
                r#"{"prompt_tokens":1000,"completion_tokens":100}"#,
                r#"{"prompt_tokens":1000,"completion_tokens":100,"prompt_tokens_details":{"cached_tokens":600}}"#,
            ],
        ),
        (
            "halves",
            &[
                r#"{"prompt_tokens":1000,"prompt_tokens_details":{"cached_tokens":600}}"#,
                r#"{"completion_tokens":100}"#,
            ],
        ),
        (
            "zeros between",
            &[
                r#"{"prompt_tokens":1000,"completion_tokens":0,"prompt_tokens_details":{"cached_tokens":600}}"#,
                r#"{"prompt_tokens":0,"completion_tokens":0}"#,
                r#"{"prompt_tokens":0,"completion_tokens":100}"#,
                r#"{"prompt_tokens":0,"completion_tokens":0}"#,
            ],
        ),
        (
            "growing, as Anthropic's",
            &[
                r#"{"input_tokens":400,"cache_read_input_tokens":600,"output_tokens":1}"#,
                r#"{"input_tokens":400,"cache_read_input_tokens":600,"output_tokens":100}"#,
            ],
        ),
    ];
    each(REPORTS, async |shape, reports: &[&str]| {
        let reports: String = reports
            .iter()
            .map(|report| usage_event(&serde_json::from_str(report).expect("JSON")))
            .collect();
        let body = [&text("all well"), &finish("stop"), &reports, DONE].concat();
        let case = case(shape, vec![always(sse(body))]).start().await;
        case.stream(&NONE).await.is_whole();
        let bill = case.bill().await;
        assert_eq!(
            (bill.input, bill.cached, bill.output),
            (400, 600, 100),
            "{bill:?}"
        );
        bill.is(1.46);
    });
}

#[test]
fn a_total_alone_is_not_free() {
    each(&[("a total", ())], async |shape, (): ()| {
        for bill in both(shape, &json!({"total_tokens": 1100})).await {
            assert!(bill.credits > 0.1 && bill.credits <= 11.0, "{bill:?}");
        }
    });
}
