//! Vendors' shapes of usage, each with what it means, and what holds of any shape.

use proptest::prelude::*;

use super::*;

fn read(json: &str) -> Usage {
    Counts::read(&mut Walk::new(json.as_bytes()))
        .expect("an object")
        .usage()
}

/// Input, cached, written, output, reasoning.
fn classes(usage: &Usage) -> [u64; 5] {
    [
        usage.count(Unit::InputToken),
        usage.count(Unit::CachedInputToken),
        usage.count(Unit::CacheWriteToken),
        usage.count(Unit::OutputToken),
        usage.count(Unit::ReasoningToken),
    ]
}

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "a table of what is sent and what it means"
)]
fn every_vendors_shape_is_read_for_what_it_means() {
    for (name, json, expected) in [
        (
            "OpenAI, details within the totals",
            r#"{"prompt_tokens":100,"completion_tokens":50,"total_tokens":150,
                "prompt_tokens_details":{"cached_tokens":60,"cache_write_tokens":10,"audio_tokens":5},
                "completion_tokens_details":{"reasoning_tokens":20,"accepted_prediction_tokens":3}}"#,
            [25, 60, 10, 30, 20],
        ),
        (
            "OpenAI's responses and images",
            r#"{"input_tokens":40,"input_tokens_details":{"text_tokens":10,"image_tokens":30,"cached_tokens":8},
                "output_tokens":70,"total_tokens":110}"#,
            [2, 8, 0, 70, 0],
        ),
        (
            "DeepSeek",
            r#"{"prompt_tokens":1000,"completion_tokens":100,"total_tokens":1100,
                "prompt_cache_hit_tokens":600,"prompt_cache_miss_tokens":400}"#,
            [400, 600, 0, 100, 0],
        ),
        (
            "DeepSeek's hit and miss alone",
            r#"{"prompt_cache_hit_tokens":600,"prompt_cache_miss_tokens":400,"completion_tokens":1}"#,
            [400, 600, 0, 1, 0],
        ),
        (
            "Moonshot, cached at the top",
            r#"{"prompt_tokens":1000,"completion_tokens":100,"cached_tokens":600}"#,
            [400, 600, 0, 100, 0],
        ),
        (
            "xAI, reasoning on top",
            r#"{"prompt_tokens":12,"completion_tokens":2,"total_tokens":331,
                "completion_tokens_details":{"reasoning_tokens":317}}"#,
            [12, 0, 0, 2, 317],
        ),
        (
            "reasoning larger than the output it should be in, no sum",
            r#"{"prompt_tokens":12,"completion_tokens":2,"reasoning_tokens":317}"#,
            [12, 0, 0, 2, 317],
        ),
        (
            "Gemini's own names",
            r#"{"promptTokenCount":50,"cachedContentTokenCount":20,"candidatesTokenCount":7,
                "thoughtsTokenCount":30,"toolUsePromptTokenCount":5,"totalTokenCount":92}"#,
            [35, 20, 0, 7, 30],
        ),
        (
            "Anthropic, the cache beside the input",
            r#"{"input_tokens":10,"cache_read_input_tokens":600,"cache_creation_input_tokens":90,"output_tokens":5}"#,
            [10, 600, 90, 5, 0],
        ),
        (
            "Anthropic, cache writes by their life",
            r#"{"input_tokens":10,"cache_creation":{"ephemeral_5m_input_tokens":40,"ephemeral_1h_input_tokens":50},"output_tokens":5}"#,
            [10, 0, 40, 5, 0],
        ),
        (
            "a proxy's prompt that holds what is read from the cache",
            r#"{"prompt_tokens":700,"cache_read_input_tokens":600,"completion_tokens":5,"total_tokens":705}"#,
            [100, 600, 0, 5, 0],
        ),
        (
            "Bedrock, by its sum",
            r#"{"inputTokens":10,"outputTokens":5,"totalTokens":615,"cacheReadInputTokens":600}"#,
            [10, 600, 0, 5, 0],
        ),
        (
            "only the sum and the input",
            r#"{"prompt_tokens":10,"total_tokens":15}"#,
            [10, 0, 0, 5, 0],
        ),
        (
            "floats, texts, nulls and what nobody knows",
            r#"{"prompt_tokens":"1000","completion_tokens":99.2,"prompt_tokens_details":null,"cost":0.1,"server_tool_use":{"prompt_tokens":7}}"#,
            [1000, 0, 0, 100, 0],
        ),
        (
            "details that contradict their totals",
            r#"{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"prompt_tokens_details":{"cached_tokens":99},
                "completion_tokens_details":{"reasoning_tokens":99}}"#,
            [0, 10, 0, 0, 5],
        ),
        (
            "negative",
            r#"{"prompt_tokens":-5,"completion_tokens":-1}"#,
            [0; 5],
        ),
        ("nothing", "{}", [0; 5]),
        ("null", "null", [0; 5]),
        ("a list", "[1,2]", [0; 5]),
    ] {
        assert_eq!(classes(&read(json)), expected, "{name}");
    }
    let huge = read(r#"{"prompt_tokens":-5,"completion_tokens":9223372036854775807}"#);
    assert_eq!((huge.input_total(), huge.output_total()), (0, MEASURE_MAX));
}

fn some_counts() -> impl Strategy<Value = String> {
    let names = prop::sample::subsequence(
        vec![
            "prompt_tokens",
            "input_tokens",
            "completion_tokens",
            "total_tokens",
            "cached_tokens",
            "prompt_cache_hit_tokens",
            "prompt_cache_miss_tokens",
            "cache_read_input_tokens",
            "cache_creation_input_tokens",
            "cache_write_tokens",
            "cache_creation",
            "reasoning_tokens",
            "thoughtsTokenCount",
            "toolUsePromptTokenCount",
        ],
        0..9,
    );
    let number = prop_oneof![
        4 => (0_i64..1_000).prop_map(|n| n.to_string()),
        1 => any::<i64>().prop_map(|n| n.to_string()),
        1 => any::<f64>().prop_map(|n| format!("{n:e}")),
        1 => (0_u32..500).prop_map(|n| format!("\"{n}.5\"")),
        1 => Just("null".to_owned()),
        1 => (0_u32..500, 0_u32..500).prop_map(|(short, long)| {
            format!("{{\"ephemeral_5m_input_tokens\":{short},\"ephemeral_1h_input_tokens\":{long}}}")
        }),
    ];
    (names, prop::collection::vec(number, 9)).prop_map(|(names, numbers)| {
        let fields: Vec<String> = names
            .iter()
            .zip(numbers)
            .map(|(name, number)| format!("\"{name}\":{number}"))
            .collect();
        format!("{{{}}}", fields.join(","))
    })
}

proptest! {
    #[test]
    fn classes_are_disjoint_and_merging_never_lowers_a_total(reports in prop::collection::vec(some_counts(), 1..5)) {
        let mut merged = Counts::default();
        let mut before = merged.usage();
        for report in &reports {
            let told = Counts::read(&mut Walk::new(report.as_bytes())).expect("an object");
            merged.merge(told);
            let now = merged.usage();
            prop_assert_eq!(now.input_total(), merged.input);
            prop_assert_eq!(now.output_total(), merged.output);
            prop_assert!(now.input_total() >= before.input_total().max(told.input));
            prop_assert!(now.output_total() >= before.output_total().max(told.output));
            prop_assert!(now.input_total() <= MEASURE_MAX && now.output_total() <= MEASURE_MAX);
            before = now;
            let mut again = merged;
            again.merge(told);
            prop_assert_eq!(again, merged, "the same report twice is one");
        }
    }

    #[test]
    fn what_is_believed_is_within_the_bounds(
        report in some_counts(), input_max in 0_u64..2_000, output_max in 0_u64..2_000, shown in 0_u64..2_000,
    ) {
        let told = read(&report);
        let mut usage = told.clone();
        let bounds = Bounds { input_estimate: 1, input_max, output_max };
        believe(&mut usage, &bounds, shown);
        prop_assert_eq!(usage.input_total(), told.input_total().min(input_max));
        prop_assert_eq!(usage.output_total(), told.output_total().min(output_max.max(shown)));
        let cut = usage.input_total() < told.input_total() || usage.output_total() < told.output_total();
        prop_assert_eq!(usage.capped, cut);
        prop_assert_eq!(usage.overrun, told.output_total() > output_max);
        let once = usage.clone();
        believe(&mut usage, &bounds, shown);
        prop_assert_eq!(usage, once);
    }
}

#[test]
fn cache_writes_that_live_long_are_a_class_of_their_own() {
    let written = |json: &str| {
        let usage = read(json);
        let (short, long) = (Unit::CacheWriteToken, Unit::CacheWriteLongToken);
        [usage.count(short), usage.count(long), usage.input_total()]
    };
    for (json, expected) in [
        (
            r#"{"input_tokens":10,"cache_creation_input_tokens":90,
                "cache_creation":{"ephemeral_5m_input_tokens":40,"ephemeral_1h_input_tokens":50}}"#,
            [40, 50, 100],
        ),
        (
            r#"{"input_tokens":10,"cache_creation":{"ephemeral_1h_input_tokens":50}}"#,
            [0, 50, 60],
        ),
        // The sum is smaller than its parts: the parts count.
        (
            r#"{"input_tokens":10,"cache_creation_input_tokens":5,
                "cache_creation":{"ephemeral_5m_input_tokens":40,"ephemeral_1h_input_tokens":50}}"#,
            [40, 50, 100],
        ),
        (
            r#"{"input_tokens":10,"cache_creation_input_tokens":90,"cache_creation":null}"#,
            [90, 0, 100],
        ),
        (
            r#"{"input_tokens":10,"cache_creation":{"ephemeral_1h_input_tokens":-5}}"#,
            [0, 0, 10],
        ),
    ] {
        assert_eq!(written(json), expected, "{json}");
    }
    let mut usage = read(
        r#"{"input_tokens":10,"cache_creation":{"ephemeral_5m_input_tokens":40,"ephemeral_1h_input_tokens":50}}"#,
    );
    let bounds = Bounds {
        input_estimate: 1,
        input_max: 20,
        output_max: 1,
    };
    believe(&mut usage, &bounds, 0);
    assert_eq!(usage.input_total(), 20, "what is cut is cut from these too");
}

#[test]
fn sound_and_pictures_are_classes_of_their_own() {
    let all = |json: &str| read(json).measures().collect::<Vec<_>>();
    assert_eq!(
        all(r#"{"prompt_tokens":100,"completion_tokens":50,
                "prompt_tokens_details":{"cached_tokens":30,"audio_tokens":40,"image_tokens":20},
                "completion_tokens_details":{"reasoning_tokens":5,"audio_tokens":15}}"#),
        [
            (Unit::InputToken, 10),
            (Unit::CachedInputToken, 30),
            (Unit::InputAudioToken, 40),
            (Unit::InputImageToken, 20),
            (Unit::OutputToken, 30),
            (Unit::ReasoningToken, 5),
            (Unit::OutputAudioToken, 15),
        ]
    );
    // OpenAI's realtime and images tell of what the cached tokens are.
    assert_eq!(
        all(r#"{"input_tokens":100,"output_tokens":60,
                "input_token_details":{"text_tokens":50,"audio_tokens":50,"cached_tokens":40,
                    "cached_tokens_details":{"text_tokens":10,"audio_tokens":30}},
                "output_tokens_details":{"image_tokens":60}}"#),
        [
            (Unit::InputToken, 40),
            (Unit::CachedInputToken, 10),
            (Unit::InputAudioToken, 20),
            (Unit::CachedInputAudioToken, 30),
            (Unit::OutputImageToken, 60),
        ]
    );
    // More parts than there is of the whole: the whole counts.
    let odd = read(
        r#"{"prompt_tokens":10,"completion_tokens":2,
            "prompt_tokens_details":{"cached_tokens":99,"audio_tokens":99,"image_tokens":99},
            "completion_tokens_details":{"audio_tokens":99}}"#,
    );
    assert_eq!((odd.input_total(), odd.output_total()), (10, 2));
}

#[test]
fn googles_modalities_are_classes_of_their_own() {
    let all = |json: &str| read(json).measures().collect::<Vec<_>>();
    let expected = [
        (Unit::InputToken, 10),
        (Unit::CachedInputToken, 20),
        (Unit::InputAudioToken, 30),
        (Unit::InputImageToken, 158),
        (Unit::CachedInputImageToken, 100),
        (Unit::InputVideoToken, 70),
        (Unit::OutputToken, 10),
        (Unit::ReasoningToken, 30),
        (Unit::OutputAudioToken, 5),
        (Unit::OutputImageToken, 1_290),
    ];
    let camel = r#"{"promptTokenCount":388,"cachedContentTokenCount":120,"candidatesTokenCount":1305,
        "thoughtsTokenCount":30,"totalTokenCount":1723,"trafficType":"ON_DEMAND",
        "promptTokensDetails":[{"modality":"TEXT","tokenCount":30},{"modality":"IMAGE","tokenCount":258},
            {"modality":"AUDIO","tokenCount":30},{"modality":"VIDEO","tokenCount":70}],
        "cacheTokensDetails":[{"modality":"IMAGE","tokenCount":100},{"modality":"TEXT","tokenCount":20}],
        "candidatesTokensDetails":[{"modality":"IMAGE","tokenCount":1290},{"modality":"AUDIO","tokenCount":5}]}"#;
    assert_eq!(all(camel), expected);
    let snake = r#"{"prompt_token_count":388,"cached_content_token_count":120,"candidates_token_count":1305,
        "thoughts_token_count":30,"total_token_count":1723,
        "prompt_tokens_details":[{"modality":"IMAGE","token_count":258},{"modality":"AUDIO","token_count":30},
            {"modality":"VIDEO","token_count":70}],
        "cache_tokens_details":[{"modality":"IMAGE","token_count":100}],
        "candidates_tokens_details":[{"modality":"IMAGE","token_count":1290},{"modality":"AUDIO","token_count":5}]}"#;
    assert_eq!(all(snake), expected);
    // Films that were cached, more parts than there is of the whole, and forms that are none.
    assert_eq!(
        all(
            r#"{"promptTokenCount":100,"cachedContentTokenCount":60,"candidatesTokenCount":2,
                "promptTokensDetails":[{"modality":"VIDEO","tokenCount":100}],
                "cacheTokensDetails":[{"modality":"VIDEO","tokenCount":60}],
                "candidatesTokensDetails":[{"modality":"VIDEO","tokenCount":2}]}"#
        ),
        [
            (Unit::CachedInputToken, 60),
            (Unit::InputVideoToken, 40),
            (Unit::OutputToken, 2)
        ]
    );
    let odd = read(
        r#"{"promptTokenCount":10,"candidatesTokenCount":3,"totalTokenCount":13,
            "promptTokensDetails":[{"modality":"IMAGE","tokenCount":9e99},{"modality":"VIDEO","tokenCount":"7"},null,[1],{}],
            "candidatesTokensDetails":null,"cacheTokensDetails":{"modality":"IMAGE"}}"#,
    );
    assert_eq!((odd.input_total(), odd.output_total()), (10, 3));
}
