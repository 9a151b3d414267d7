//! What providers send, as reported from the field, and what it is counted as.

use proptest::prelude::*;

use super::*;
use crate::link::Bounds;

pub(super) const CHAT: Shape = Shape::Choices(Chunk {
    object: "chat.completion.chunk",
    nothing: "\"delta\":{}",
});

pub(super) fn of(show_usage: bool) -> Metered {
    Metered {
        show_usage,
        echoed: 0,
        searches: crate::dialect::Searches::default(),
        input_bytes: 400,
        bounds: Some(Bounds {
            input_estimate: 100,
            input_max: 1_000,
            output_max: 5_000,
        }),
    }
}

fn chat() -> EventMeter {
    EventMeter::new(of(false), CHAT)
}

fn within(output_max: u64) -> EventMeter {
    let mut of = of(false);
    of.bounds = of.bounds.map(|bounds| Bounds {
        output_max,
        ..bounds
    });
    EventMeter::new(of, CHAT)
}

pub(super) fn event(json: &str) -> Vec<u8> {
    format!("data: {json}\n\n").into_bytes()
}

/// A chunk of this text.
fn word(text: &str) -> Vec<u8> {
    let text = serde_json::to_string(text).expect("JSON");
    event(&format!(
        r#"{{"id":"c-1","object":"chat.completion.chunk","created":7,"model":"m","choices":[{{"index":0,"delta":{{"content":{text}}},"finish_reason":null}}],"usage":null}}"#
    ))
}

fn usage(prompt: u64, completion: u64) -> Vec<u8> {
    event(&format!(
        r#"{{"choices":[],"usage":{{"prompt_tokens":{prompt},"completion_tokens":{completion}}}}}"#
    ))
}

const FINISH: &str = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;

/// Input, output with reasoning, whether that is an estimate.
fn counted(meter: &EventMeter) -> (u64, u64, bool) {
    let usage = meter.usage();
    (usage.input_total(), usage.output_total(), usage.estimated)
}

pub(super) fn all(mut meter: EventMeter, events: &[Vec<u8>]) -> (EventMeter, Vec<Verdict>) {
    let verdicts = events.iter().map(|event| meter.event(event)).collect();
    (meter, verdicts)
}

/// What the tenant reads of an event.
fn shown(event: &[u8], verdict: &Verdict) -> String {
    let bytes = match verdict {
        Verdict::Pass => event.to_vec(),
        Verdict::Without(cut) => [&event[..cut.start], &event[cut.end..]].concat(),
        Verdict::Hide | Verdict::Broken(_) => Vec::new(),
        Verdict::Enough(other) => other.to_vec(),
    };
    String::from_utf8(bytes).expect("text")
}

#[test]
fn the_providers_own_count_wins_and_its_chunk_is_hidden_unless_asked_for() {
    let (meter, verdicts) = all(chat(), &[word("hi"), usage(9, 4), event("[DONE]")]);
    assert_eq!(verdicts[1..], [Verdict::Hide, Verdict::Pass]);
    assert!(meter.is_done() && meter.is_told());
    assert_eq!(counted(&meter), (9, 4, false));
    let mut asked = EventMeter::new(of(true), CHAT);
    assert_eq!(asked.event(&usage(9, 4)), Verdict::Pass);
    assert_eq!(asked.event(&word("hi")), Verdict::Pass, "byte for byte");
}

#[test]
fn a_usage_of_null_that_was_not_asked_for_is_cut_out() {
    for (json, left) in [
        (
            r#"{"choices":[{"delta":{}}],"usage":null}"#,
            r#"{"choices":[{"delta":{}}]}"#,
        ),
        (
            r#"{"usage":null,"choices":[{"delta":{}}]}"#,
            r#"{"choices":[{"delta":{}}]}"#,
        ),
        (
            r#"{"usage" : null , "choices":[{}]}"#,
            r#"{ "choices":[{}]}"#,
        ),
        (
            r#"{"a":1 , "usage": null , "choices":[{}]}"#,
            r#"{"a":1  , "choices":[{}]}"#,
        ),
        (
            r#"{"choices":[{"delta":{"content":"\"usage\":null"}}]}"#,
            r#"{"choices":[{"delta":{"content":"\"usage\":null"}}]}"#,
        ),
    ] {
        let event = event(json);
        let verdict = chat().event(&event);
        let text = shown(&event, &verdict);
        assert_eq!(text, format!("data: {left}\n\n"));
        let json = text.trim().trim_start_matches("data: ");
        serde_json::from_str::<serde_json::Value>(json).expect("still JSON");
    }
    let lines = b"data: {\"choices\":[{}],\ndata: \"usage\":null}\n\n";
    assert_eq!(chat().event(lines), Verdict::Pass, "on two lines it stays");
}

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "a table of what is sent and what it means"
)]
fn reports_are_merged_wherever_they_stand() {
    for (name, events, expected) in [
        (
            "zeros at the end",
            vec![word("hi"), usage(1_000, 100), usage(0, 0)],
            (1_000, 100, false),
        ),
        (
            "with the last chunk",
            vec![
                word("hi"),
                event(
                    r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":8,"completion_tokens":3}}"#,
                ),
            ],
            (8, 3, false),
        ),
        (
            "Groq's",
            vec![
                word("hi"),
                event(
                    r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"x_groq":{"id":"r","usage":{"prompt_tokens":8,"completion_tokens":3}}}"#,
                ),
            ],
            (8, 3, false),
        ),
        (
            "Moonshot's",
            vec![
                word("hi"),
                event(
                    r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop","usage":{"prompt_tokens":8,"completion_tokens":3}}]}"#,
                ),
            ],
            (8, 3, false),
        ),
        (
            "behind the end",
            vec![word("hi"), event("[DONE]"), usage(8, 3)],
            (8, 3, false),
        ),
        (
            "at the message",
            vec![event(
                r#"{"message":{"content":"hi","usage":{"input_tokens":8,"output_tokens":3}}}"#,
            )],
            (8, 3, false),
        ),
        (
            "counting up",
            vec![word("a"), usage(8, 1), word("b"), usage(8, 2)],
            (8, 2, false),
        ),
        (
            "a count that is not of all",
            vec![usage(8, 1), word(&"x".repeat(400))],
            (8, 101, true),
        ),
        (
            "zeros for a text",
            vec![word(&"x".repeat(400)), usage(0, 0)],
            (100, 100, true),
        ),
        (
            "output without input",
            vec![word("hi"), usage(0, 4)],
            (100, 4, true),
        ),
        (
            "empty reports",
            vec![event(
                r#"{"choices":[{"index":0,"delta":{"content":"0123"}}],"usage":{}}"#,
            )],
            (100, 1, true),
        ),
        (
            "floats and texts",
            vec![
                word("hi"),
                event(r#"{"choices":[],"usage":{"prompt_tokens":12.0,"completion_tokens":"3.2"}}"#),
            ],
            (12, 4, false),
        ),
        (
            "nothing said, but it ended",
            vec![event(FINISH), usage(12, 0), event("[DONE]")],
            (12, 0, false),
        ),
    ] {
        let (meter, _) = all(chat(), &events);
        assert_eq!(counted(&meter), expected, "{name}");
    }
}

#[test]
fn what_brings_nothing_costs_nothing() {
    for (name, events, is_whole) in [
        ("only the end", vec![event("[DONE]")], false),
        ("an empty list", vec![event("[]"), event("[DONE]")], false),
        ("usage alone", vec![usage(500, 0), event("[DONE]")], false),
        ("nothing at all", vec![], false),
        (
            "an empty answer that ended",
            vec![event(FINISH), event("[DONE]")],
            true,
        ),
        (
            "comments",
            vec![b": OPENROUTER PROCESSING\n\n".to_vec()],
            false,
        ),
    ] {
        let (meter, _) = all(chat(), &events);
        assert!(meter.usage().is_nothing(), "{name}: {:?}", meter.usage());
        assert_eq!(meter.missing().is_none(), is_whole, "{name}");
    }
}

#[test]
fn a_stream_is_whole_when_it_says_so_or_every_choice_ended() {
    let two = r#"{"choices":[{"index":1,"delta":{"content":"b"}}]}"#;
    for (name, events, is_whole) in [
        ("[DONE]", vec![word("a"), event("[DONE]")], true),
        ("finish_reason", vec![word("a"), event(FINISH)], true),
        (
            "one of two",
            vec![word("a"), event(two), event(FINISH)],
            false,
        ),
        ("neither", vec![word("a")], false),
        ("usage and no end", vec![word("a"), usage(3, 4)], false),
    ] {
        let (meter, _) = all(chat(), &events);
        assert_eq!(meter.missing().is_none(), is_whole, "{name}");
    }
}

#[test]
fn an_error_in_any_form_breaks_the_stream_and_none_does_not() {
    for json in [
        r#"{"error":{"message":"x"}}"#,
        r#"{"error":"x"}"#,
        r#"{ "error" : { "message" : "x" } }"#,
        r#"{"id":"c","error":{"code":502,"message":"x"}}"#,
        r#"{"id":"c","choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}],"error":{"code":502,"message":"x"}}"#,
        r#"{"choices":[{"index":0,"delta":{},"finish_reason":"error"}]}"#,
        r#"{"type":"error","error":{"type":"overloaded_error","message":"x"}}"#,
        r#"{"object":"error","message":"x","code":40303}"#,
        r#"{"detail":"x"}"#,
        r#"{"x_groq":{"error":"over capacity"},"error":{"message":"x"}}"#,
        r#"[{"error":{"code":429,"message":"x"}}]"#,
    ] {
        let verdict = chat().event(&event(json));
        assert!(matches!(verdict, Verdict::Broken(_)), "{json}: {verdict:?}");
    }
    assert!(matches!(
        chat().event(b"data: {not json}\n\n"),
        Verdict::Broken(_)
    ));
    let named = b"event: error\ndata: anything\n\n";
    assert!(matches!(chat().event(named), Verdict::Broken(_)));
    for json in [
        r#"{"error":null,"choices":[{"index":0,"delta":{"content":"a"}}]}"#,
        r#"{"choices":[{"index":0,"delta":{"content":"{\"error\":{\"message\":\"x\"}}"}}]}"#,
        r#"{"choices":[],"prompt_filter_results":[{"prompt_index":0}]}"#,
        r#"{"error":{},"choices":[{"index":0,"delta":{"content":"a"}}]}"#,
        r#"{"type":"ping"}"#,
    ] {
        let verdict = chat().event(&event(json));
        assert_eq!(verdict, Verdict::Pass, "{json}");
    }
}

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "a table of what is sent and what it means"
)]
fn estimates_count_all_that_was_said_by_what_it_is() {
    let text = "abcd".repeat(1_000);
    let choice = |delta: &str| {
        event(&format!(
            r#"{{"choices":[{{"index":0,"delta":{{{delta}}}}}]}}"#
        ))
    };
    for (name, event, output, reasoning) in [
        (
            "content",
            choice(&format!(r#""content":"{text}""#)),
            1_000,
            0,
        ),
        (
            "a tool's arguments",
            choice(&format!(
                r#""tool_calls":[{{"index":0,"id":"call_1","type":"function","function":{{"arguments":"{text}"}}}}]"#
            )),
            1_000,
            0,
        ),
        (
            "a function's arguments",
            choice(&format!(
                r#""function_call":{{"name":"abcd","arguments":"{text}"}}"#
            )),
            1_001,
            0,
        ),
        (
            "reasoning",
            choice(&format!(r#""reasoning_content":"{text}""#)),
            0,
            1_000,
        ),
        (
            "reasoning in both forms",
            choice(&format!(
                r#""reasoning":"{text}","reasoning_details":[{{"type":"reasoning.text","text":"{text}"}}]"#
            )),
            0,
            1_000,
        ),
        (
            "a refusal",
            choice(&format!(r#""content":null,"refusal":"{text}""#)),
            1_000,
            0,
        ),
        (
            "a transcript",
            choice(&format!(r#""audio":{{"id":"a","transcript":"{text}"}}"#)),
            1_000,
            0,
        ),
        (
            "sound of a second",
            choice(&format!(r#""audio":{{"data":"{}"}}"#, "A".repeat(64_000))),
            20,
            0,
        ),
        (
            "a picture of a megabyte",
            choice(&format!(
                r#""images":[{{"type":"image_url","image_url":{{"url":"data:image/png;base64,{}"}}}}]"#,
                "A".repeat(1_000_000)
            )),
            1_290,
            0,
        ),
        (
            "parts",
            choice(&format!(r#""content":[{{"type":"text","text":"{text}"}}]"#)),
            1_000,
            0,
        ),
        (
            "thinking parts",
            choice(&format!(
                r#""content":[{{"type":"thinking","thinking":[{{"type":"text","text":"{text}"}}]}}]"#
            )),
            0,
            1_000,
        ),
        (
            "escaped ideographs",
            choice(&format!(r#""content":"{}""#, r"\u4f60".repeat(1_000))),
            1_000,
            0,
        ),
        (
            "half a pair",
            choice(&format!(r#""content":"{}\ud83d""#, "abcd".repeat(999))),
            1_000,
            0,
        ),
        (
            "an old completion",
            event(&format!(r#"{{"choices":[{{"index":0,"text":"{text}"}}]}}"#)),
            1_000,
            0,
        ),
        (
            "two choices",
            event(&format!(
                r#"{{"choices":[{{"index":0,"delta":{{"content":"{text}"}}}},{{"index":1,"delta":{{"content":"{text}"}}}}]}}"#
            )),
            2_000,
            0,
        ),
    ] {
        let (meter, _) = all(chat(), &[event]);
        let usage = meter.usage();
        assert_eq!(
            (
                usage.count(Unit::OutputToken),
                usage.count(Unit::ReasoningToken)
            ),
            (output, reasoning),
            "{name}"
        );
        assert!(
            usage.estimated && usage.count(Unit::InputToken) == 100,
            "{name}"
        );
    }
    let words: Vec<Vec<u8>> = (0..7).map(|_| word("a")).collect();
    assert_eq!(counted(&all(chat(), &words).0), (100, 7, true));
}

#[test]
fn absurd_counts_are_cut_to_what_the_call_can_bring_and_flagged() {
    let (meter, _) = all(
        chat(),
        &[word("hi"), usage(999_999_999, 999_999_999), event("[DONE]")],
    );
    let usage_ = meter.usage();
    assert_eq!(
        (usage_.input_total(), usage_.output_total()),
        (1_000, 5_000)
    );
    assert!(usage_.capped && usage_.overrun);
    let (meter, _) = all(chat(), &[word("hi"), usage(900, 4_000)]);
    assert!(!meter.usage().capped);
}

#[test]
fn a_provider_that_ignores_the_maximum_is_stopped_and_the_stream_ends_well() {
    let mut meter = within(10);
    let mut passed = 0_u64;
    let end = loop {
        let event = word("word ");
        match meter.event(&event) {
            Verdict::Enough(end) => break end,
            Verdict::Without(_) => passed += 1,
            other @ (Verdict::Pass | Verdict::Hide | Verdict::Broken(_)) => panic!("{other:?}"),
        }
        assert!(passed < 100, "it is never stopped");
    };
    assert!(passed >= 10, "an obedient provider's words pass: {passed}");
    let end = String::from_utf8(end.to_vec()).expect("text");
    assert_eq!(
        end,
        "data: {\"id\":\"c-1\",\"created\":7,\"model\":\"m\",\"object\":\"chat.completion.chunk\",\
         \"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"length\"}]}\n\ndata: [DONE]\n\n"
    );
    let usage = meter.usage();
    assert!(usage.overrun && usage.output_total() > 10, "{usage:?}");
    assert!(meter.missing().is_none());
}

#[test]
fn counts_that_are_told_on_the_way_stop_exactly() {
    let mut of = of(true);
    of.bounds = of.bounds.map(|bounds| Bounds {
        output_max: 3,
        ..bounds
    });
    let mut meter = EventMeter::new(of, CHAT);
    let with = |n: u64| {
        event(&format!(
            r#"{{"choices":[{{"index":0,"delta":{{"content":"a"}}}}],"usage":{{"prompt_tokens":5,"completion_tokens":{n}}}}}"#
        ))
    };
    for n in 1..=3 {
        assert_eq!(meter.event(&with(n)), Verdict::Pass);
    }
    let Verdict::Enough(end) = meter.event(&with(4)) else {
        panic!("it goes on");
    };
    let end = String::from_utf8(end.to_vec()).expect("text");
    assert!(
        end.contains(r#""usage":{"prompt_tokens":5,"completion_tokens":3,"total_tokens":8}"#),
        "{end}"
    );
    assert!(meter.usage().overrun);
}

#[test]
fn an_estimate_alone_calls_nobody_disobedient() {
    // Long words of one token each, in few parts, by a provider that never counts.
    let (mut meter, _) = all(within(100), &[word(&"abcdefgh ".repeat(60)), event(FINISH)]);
    meter.event(b"data: [DONE]\n\n");
    let usage = meter.usage();
    assert_eq!((usage.output_total(), usage.overrun), (100, false));
    // One part of megabytes, which counts as it counts.
    let large = word(&"QUJD".repeat(100_000));
    let (meter, verdicts) = all(
        within(1_000),
        &[
            large,
            event(FINISH),
            super::tests::usage(9, 100),
            event("[DONE]"),
        ],
    );
    assert!(
        verdicts
            .iter()
            .all(|verdict| !matches!(verdict, Verdict::Enough(_)))
    );
    assert_eq!(
        (counted(&meter), meter.usage().overrun),
        ((9, 100, false), false)
    );
    // What ended by itself is passed on whole, and its count is told afterwards.
    let (meter, verdicts) = all(
        within(10),
        &[word("a"), event(FINISH), super::tests::usage(5, 40)],
    );
    assert_eq!(verdicts[2], Verdict::Hide);
    assert!(meter.usage().overrun);
}

fn any_event() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => "\\PC{0,20}".prop_map(|text| word(&text)),
        2 => (0_u64..3_000, 0_u64..9_000).prop_map(|(p, c)| usage(p, c)),
        1 => Just(event(FINISH)),
        1 => Just(event("[DONE]")),
        1 => prop::collection::vec(any::<u8>(), 0..60),
    ]
}

proptest! {
    #[test]
    fn a_count_is_never_below_what_was_told_nor_beyond_its_bounds(events in prop::collection::vec(any_event(), 0..30)) {
        let mut meter = chat();
        let mut before = meter.usage();
        for event in &events {
            meter.event(event);
            let now = meter.usage();
            prop_assert!(now.output_total() >= meter.count.told().output_total().min(5_000));
            prop_assert!(now.output_total() <= 5_000.max(meter.count.most_said()));
            prop_assert!(now.input_total() <= 1_000);
            // Only a report takes the place of an estimate.
            prop_assert!(now.output_total() >= before.output_total() || meter.count.has_told());
            before = now;
        }
    }
}
