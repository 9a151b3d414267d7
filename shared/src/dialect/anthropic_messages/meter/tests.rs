//! Streams as they come, good and bad ones: what passes, what is counted, how they end.

use proptest::prelude::*;

use super::*;
use crate::link::Bounds;
use crate::units::{Fact, Unit};

fn of(output_max: u64) -> Metered {
    Metered {
        input_bytes: 400,
        bounds: Some(Bounds {
            input_estimate: 100,
            input_max: 2_000,
            output_max,
        }),
        ..Metered::default()
    }
}

fn named(data: &str) -> String {
    let kind = data.split('"').nth(3).unwrap_or_default();
    format!("event: {kind}\ndata: {data}\n\n")
}

const START: &str = r#"{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-sonnet-5","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":25,"cache_creation_input_tokens":90,"cache_read_input_tokens":600,"cache_creation":{"ephemeral_5m_input_tokens":40,"ephemeral_1h_input_tokens":50},"output_tokens":1,"service_tier":"standard"}}}"#;
const TEXT: &str =
    r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#;
const PING: &str = r#"{"type": "ping"}"#;
const BLOCK_STOP: &str = r#"{"type":"content_block_stop","index":0}"#;
const STOP_EVENT: &str = r#"{"type":"message_stop"}"#;

fn text(text: &str) -> String {
    format!(
        r#"{{"type":"content_block_delta","index":0,"delta":{{"type":"text_delta","text":"{text}"}}}}"#
    )
}

fn last(usage: &str) -> String {
    format!(
        r#"{{"type":"message_delta","delta":{{"stop_reason":"end_turn","stop_sequence":null}},"usage":{usage}}}"#
    )
}

fn good() -> Vec<String> {
    let told = last(r#"{"output_tokens":15}"#);
    let hello = [text("Hel"), text("lo!")];
    [
        START, TEXT, PING, &hello[0], &hello[1], BLOCK_STOP, &told, STOP_EVENT,
    ]
    .map(named)
    .to_vec()
}

fn meter(events: &[String]) -> MessagesMeter {
    let mut meter = MessagesMeter::new(of(1_000));
    for event in events {
        assert_eq!(meter.event(event.as_bytes()), Verdict::Pass, "{event}");
    }
    meter
}

#[test]
fn a_stream_is_counted_by_what_its_provider_tells() {
    let meter = meter(&good());
    let usage = meter.usage();
    let measures: Vec<(Unit, u64)> = usage.measures().collect();
    assert_eq!(
        measures,
        [
            (Unit::InputToken, 25),
            (Unit::CachedInputToken, 600),
            (Unit::CacheWriteToken, 40),
            (Unit::CacheWriteLongToken, 50),
            (Unit::OutputToken, 15),
        ]
    );
    assert_eq!(usage.facts.get(Fact::Tier), Some("standard"));
    assert!(meter.is_done() && meter.is_whole() && meter.is_told() && !usage.estimated);
    assert_eq!(meter.missing(), None);
    assert!(meter.passed() > 0);
}

#[test]
fn every_form_of_lines_is_the_same_stream() {
    let expected = meter(&good()).usage();
    for change in [
        |event: &String| event.replace('\n', "\r\n"),
        |event: &String| event.replace("data: ", "data:"),
        |event: &String| format!(": comment\n{event}"),
        |event: &String| event.replace("}\n\n", "          }\n\n"),
    ] {
        let events: Vec<String> = good().iter().map(change).collect();
        assert_eq!(meter(&events).usage(), expected, "{}", events[0]);
    }
    let mut meter = MessagesMeter::new(of(1_000));
    let marked = format!("\u{feff}{}", named(START));
    assert_eq!(meter.event(marked.as_bytes()), Verdict::Without(0..3));
}

#[test]
fn a_stream_that_ends_early_is_whole_where_it_said_why() {
    let events = good();
    for (length, is_whole) in [(0, false), (1, false), (6, false), (7, true), (8, true)] {
        let meter = meter(&events[..length]);
        assert_eq!(meter.is_whole(), is_whole, "{length}");
        assert_eq!(meter.missing().is_none(), is_whole, "{length}");
    }
    assert_eq!(meter(&events[..7]).end(), STOP);
    // Nothing was said: nothing is charged, whatever the first event tells.
    assert!(meter(&events[..2]).usage().is_nothing());
    let broken = meter(&events[..5]).usage();
    assert!(broken.estimated && broken.output_total() > 0 && broken.input_total() == 715);
    let mut meter = MessagesMeter::new(of(1_000));
    assert_eq!(meter.event(named(STOP_EVENT).as_bytes()), Verdict::Pass);
    let missing = meter.missing().expect("nothing came");
    assert_eq!(missing.kind, FaultKind::InvalidAnswer);
    assert!(meter.usage().is_nothing());
}

#[test]
fn counts_that_are_missing_zero_or_odd_are_taken_for_what_they_are() {
    let counted = |start: &str, told: &str| {
        let words = "word ".repeat(40);
        let events = [start, TEXT, &text(&words), BLOCK_STOP, told, STOP_EVENT];
        let usage = meter(&events.map(named)).usage();
        (usage.input_total(), usage.output_total(), usage.estimated)
    };
    let bare = r#"{"type":"message_start","message":{"id":"m","content":[],"usage":null}}"#;
    let zeros =
        r#"{"type":"message_start","message":{"usage":{"input_tokens":0,"output_tokens":0}}}"#;
    for (start, told, expected) in [
        (bare, last("null"), (100, 50, true)),
        (zeros, last(r#"{"output_tokens":0}"#), (100, 50, true)),
        (
            zeros,
            last(r#"{"input_tokens":7,"output_tokens":9}"#),
            (7, 9, false),
        ),
        (
            START,
            last(r#"{"input_tokens":0,"output_tokens":9.0}"#),
            (715, 9, false),
        ),
        (START, last(r#"{"output_tokens":"12"}"#), (715, 12, false)),
        (
            bare,
            last(r#"{"input_tokens":-5,"output_tokens":-1}"#),
            (100, 50, true),
        ),
        // The same once more, as some do.
        (
            START,
            last(
                r#"{"input_tokens":25,"cache_creation_input_tokens":90,"cache_read_input_tokens":600,"output_tokens":9}"#,
            ),
            (715, 9, false),
        ),
    ] {
        assert_eq!(counted(start, &told), expected, "{told}");
    }
}

#[test]
fn thoughts_calls_and_searches_are_counted_by_what_they_are() {
    let events = [
        START,
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Let me think about it."}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"EqQBCgIYAhIM1gbcDa9GJwZA2b3h"}}"#,
        BLOCK_STOP,
        r#"{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"toolu_1","name":"get_weather","input":{}}}"#,
        r#"{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":""}}"#,
        r#"{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"location\": \"Oslo"}}"#,
        r#"{"type":"something_new","index":1,"delta":{"type":"future_delta"}}"#,
        r#"{"type":"notice","message":"a model is about to retire","code":7}"#,
        r#"{"type":"content_block_delta","index":1,"delta":{"type":"citations_delta","citation":{"cited_text":"long"}}}"#,
    ];
    let cut = meter(&events.map(named)).usage();
    assert!(cut.count(Unit::ReasoningToken) >= 5, "{cut:?}");
    assert!(cut.count(Unit::OutputToken) >= 5, "{cut:?}");
    let told = r#"{"output_tokens":40,"output_tokens_details":{"thinking_tokens":30},"server_tool_use":{"web_search_requests":3}}"#;
    let mut all = events.map(named).to_vec();
    all.push(named(&last(told)));
    let usage = meter(&all).usage();
    assert_eq!(usage.count(Unit::ReasoningToken), 30);
    assert_eq!(usage.count(Unit::OutputToken), 10);
    assert_eq!(usage.count(Unit::Search), 3);
}

#[test]
fn an_error_in_the_stream_does_not_pass() {
    for event in [
        named(r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#),
        r#"data: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}

"#
        .to_owned(),
        "event: error\ndata: {\"error\":{\"message\":\"Overloaded\"}}\n\n".to_owned(),
        "data: {\"error\":{\"message\":\"Overloaded\",\"code\":500}}\n\n".to_owned(),
        "data: {\"type\":\"error\"}\n\n".to_owned(),
        "event: error\ndata: Overloaded\n\n".to_owned(),
        "data: {\"type\":\"ping\"\n\n".to_owned(),
    ] {
        let mut meter = meter(&good()[..4]);
        let verdict = meter.event(event.as_bytes());
        assert!(matches!(verdict, Verdict::Broken(_)), "{event}");
    }
    let mut meter = meter(&good()[..4]);
    let null = named(&text("x")).replace(
        "{\"type\":\"content_block_delta\"",
        "{\"error\":null,\"type\":\"content_block_delta\"",
    );
    assert_eq!(meter.event(null.as_bytes()), Verdict::Pass);
    assert_eq!(meter.event(b"data: [DONE]\n\n"), Verdict::Hide);
    assert_eq!(meter.event(b"event: ping\n\n"), Verdict::Pass);
    assert_eq!(meter.event(b": keep-alive\n\n"), Verdict::Pass);
}

#[test]
fn what_goes_beyond_the_bound_is_ended_as_its_provider_would() {
    let mut meter = MessagesMeter::new(of(10));
    for event in [named(START), named(TEXT)] {
        assert_eq!(meter.event(event.as_bytes()), Verdict::Pass);
    }
    let word = named(&text(" more words than that"));
    let end = (0..200).find_map(|_| match meter.event(word.as_bytes()) {
        Verdict::Pass => None,
        Verdict::Enough(end) => Some(end),
        other @ (Verdict::Without(_) | Verdict::Hide | Verdict::Broken(_)) => panic!("{other:?}"),
    });
    let end = String::from_utf8(end.expect("it ends").to_vec()).expect("text");
    let expected = [
        named(BLOCK_STOP),
        named(
            r#"{"type":"message_delta","delta":{"stop_reason":"max_tokens","stop_sequence":null},"usage":{"output_tokens":10}}"#,
        ),
        named(STOP_EVENT),
    ];
    assert_eq!(end, expected.concat());
    assert!(meter.is_done() && meter.is_whole());
    assert!(meter.usage().overrun);
    assert_eq!(meter.event(word.as_bytes()), Verdict::Hide);
}

#[test]
fn the_end_is_known_without_its_blank_line() {
    let meter = meter(&good()[..7]);
    let unfinished = "event: message_stop\ndata: {\"type\":\"message_stop\"}\n";
    assert_eq!(meter.ended_by(unfinished.as_bytes()), Some(STOP));
    for other in [
        "event: message_stop\n",
        "event: message_stop\ndata: {\"type\":\"message_stop\"}",
        "data: {\"type\":\"ping\"}\n",
        "",
    ] {
        assert_eq!(meter.ended_by(other.as_bytes()), None, "{other:?}");
    }
    assert!(meter.is_complete(b"event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"));
    assert!(!meter.is_complete(b"event: message_stop\ndata: {\"type\":\"mess\n\n"));
}

#[test]
fn a_huge_event_passes() {
    let mut meter = MessagesMeter::new(of(10_000_000));
    let huge = named(&text(&"x".repeat(1_500_000)));
    assert_eq!(meter.event(named(START).as_bytes()), Verdict::Pass);
    assert_eq!(meter.event(huge.as_bytes()), Verdict::Pass);
}

proptest! {
    #[test]
    fn any_events_end_in_a_verdict(
        noise in prop::collection::vec(any::<u8>(), 0..120),
        order in prop::collection::vec(0_usize..8, 0..20),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut meter = MessagesMeter::new(of(20));
        meter.event(&noise);
        for at in order {
            let event = &good()[at];
            meter.event(event.as_bytes());
            let cut = cut.index(event.len());
            meter.event(&event.as_bytes()[..cut]);
            meter.ended_by(&event.as_bytes()[..cut]);
            meter.is_complete(&event.as_bytes()[..cut]);
        }
        let _ = (meter.usage(), meter.missing(), meter.passed(), meter.is_told());
    }
}
