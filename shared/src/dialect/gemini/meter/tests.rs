//! Streams as Google sends them and as it should not.

use super::*;
use crate::dialect::Dialect;
use crate::dialect::gemini::GEMINI;
use crate::dialect::gemini::tests::of;
use crate::link::Bounds;

fn event(text: &str, rest: &str) -> String {
    format!(
        "data: {{\"candidates\": [{{\"content\": {{\"parts\": [{{\"text\": \"{text}\"}}],\"role\": \"model\"}},\"index\": 0{rest}}}],\
         \"usageMetadata\": {{\"promptTokenCount\": 8,\"totalTokenCount\": 8}},\"modelVersion\": \"gemini-3.8-flash\",\"responseId\": \"r1\"}}\r\n\r\n"
    )
}

fn usage_event(text: &str, counts: &str, rest: &str) -> String {
    event(text, rest).replace("\"promptTokenCount\": 8,\"totalTokenCount\": 8", counts)
}

/// What becomes of each event, and the meter after them.
fn metered(of: Metered, events: &[&str]) -> (Vec<Verdict>, GeminiMeter) {
    let mut meter = GeminiMeter::new(of);
    let verdicts = events
        .iter()
        .map(|event| meter.event(event.as_bytes()))
        .collect();
    (verdicts, meter)
}

fn bounded(output_max: u64) -> Metered {
    let bounds = Bounds {
        input_estimate: 100,
        input_max: 2_000,
        output_max,
    };
    Metered {
        bounds: Some(bounds),
        ..of()
    }
}

#[test]
fn a_stream_is_counted_by_its_last_report() {
    let events = [
        usage_event(
            "He",
            "\"promptTokenCount\":8,\"thoughtsTokenCount\":30,\"totalTokenCount\":38",
            "",
        ),
        usage_event(
            "llo",
            "\"promptTokenCount\":8,\"candidatesTokenCount\":1,\"thoughtsTokenCount\":30,\"totalTokenCount\":39",
            "",
        ),
        usage_event(
            "",
            "\"promptTokenCount\":8,\"candidatesTokenCount\":2,\"thoughtsTokenCount\":30,\"totalTokenCount\":40,\
             \"serviceTier\":\"flex\",\"trafficType\":\"ON_DEMAND\"",
            ",\"finishReason\":\"STOP\"",
        ),
    ];
    let all: Vec<&str> = events.iter().map(String::as_str).collect();
    let (verdicts, meter) = metered(of(), &all);
    assert!(
        verdicts.iter().all(|verdict| *verdict == Verdict::Pass),
        "{verdicts:?}"
    );
    assert!(meter.is_whole() && !meter.is_done() && meter.is_told());
    assert_eq!(meter.missing(), None);
    let usage = meter.usage();
    let counts =
        [Unit::InputToken, Unit::OutputToken, Unit::ReasoningToken].map(|unit| usage.count(unit));
    assert_eq!((counts, usage.estimated), ([8, 2, 30], false));
    assert_eq!(usage.facts.get(Fact::Tier), Some("flex"));
    // Cut off before the end: what the last report does not cover is estimated.
    let (_, meter) = metered(of(), &all[..2]);
    assert!(!meter.is_whole());
    assert_eq!(
        meter.missing().map(|fault| fault.kind),
        Some(FaultKind::Interrupted)
    );
    assert_eq!(meter.usage().output_total(), 31);
}

#[test]
fn reports_of_zeros_and_none_at_all_are_estimated() {
    let long = "word ".repeat(100);
    for counts in [
        "",
        "\"promptTokenCount\":0,\"candidatesTokenCount\":0",
        "\"promptTokenCount\":null",
    ] {
        let (_, meter) = metered(
            of(),
            &[
                &usage_event(&long, counts, ""),
                &usage_event("", counts, ",\"finishReason\":\"STOP\""),
            ],
        );
        let usage = meter.usage();
        assert!(usage.estimated);
        assert_eq!(
            (
                usage.count(Unit::InputToken),
                usage.count(Unit::OutputToken)
            ),
            (100, 125),
            "{counts}"
        );
    }
    // A model that wrote a reason into every event is not cut off at the first.
    let stop = ",\"finishReason\":\"STOP\"";
    let (verdicts, meter) = metered(of(), &[&event("a", stop), &event("b", stop)]);
    assert_eq!(verdicts, [Verdict::Pass, Verdict::Pass]);
    assert!(meter.is_whole());
    // Thoughts, calls and pictures are said too, wherever their flags stand.
    let said = "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"abcdabcd\",\"thought\":true},\
                {\"functionCall\":{\"name\":\"f\",\"args\":{\"a\":\"bcdefgh\"}}},\
                {\"inlineData\":{\"mimeType\":\"image/png\",\"data\":\"AAAA\"}}]},\"finishReason\":\"STOP\"}]}\n\n";
    let (_, meter) = metered(of(), &[said]);
    assert_eq!(meter.usage().count(Unit::ReasoningToken), 2);
    assert!((1_290 + 8..1_290 + 12).contains(&meter.usage().count(Unit::OutputToken)));
}

#[test]
fn a_stream_over_its_bound_ends_as_at_the_maximum() {
    let counts = "\"promptTokenCount\":8,\"candidatesTokenCount\":50,\"thoughtsTokenCount\":5,\"totalTokenCount\":63";
    let (verdicts, mut meter) = metered(
        bounded(10),
        &[&event("a", ""), &usage_event("b", counts, "")],
    );
    assert_eq!(verdicts[0], Verdict::Pass);
    let Verdict::Enough(end) = &verdicts[1] else {
        panic!("{verdicts:?}");
    };
    let text = std::str::from_utf8(end).expect("UTF-8");
    let json: Value =
        serde_json::from_str(text.strip_prefix("data: ").expect("an event")).expect("JSON");
    assert_eq!(
        json,
        json!({
            "candidates": [{"content": {"parts": [{"text": ""}], "role": "model"}, "finishReason": "MAX_TOKENS", "index": 0}],
            "usageMetadata": {"promptTokenCount": 8, "candidatesTokenCount": 10, "totalTokenCount": 18},
            "modelVersion": "gemini-3.8-flash", "responseId": "r1"
        })
    );
    assert!(GEMINI.ends(end));
    assert!(meter.is_done() && meter.is_whole());
    assert_eq!(meter.event(event("c", "").as_bytes()), Verdict::Hide);
    assert!(meter.usage().overrun);
    // By estimate, a provider that counts nothing is stopped too, some way behind the bound.
    let mut meter = GeminiMeter::new(bounded(10));
    let stopped = (0..200).find(|_| {
        matches!(
            meter.event(usage_event("word word word word ", "", "").as_bytes()),
            Verdict::Enough(_)
        )
    });
    assert!(stopped.is_some_and(|at| at < 40), "{stopped:?}");
}

#[test]
fn errors_in_a_stream_break_it_however_they_stand_there() {
    let error = "{\n  \"error\": {\n    \"code\": 503,\n    \"message\": \"The model is overloaded.\",\n    \"status\": \"UNAVAILABLE\"\n  }\n}";
    let line = error.replace('\n', " ");
    for broken in [
        format!("data: {line}\r\n\r\n"),
        format!("{error}\n\n"),
        format!("[{error}]\r\n\r\n"),
        format!("event: error\ndata: {line}\n\n"),
        "event: error\ndata: overloaded\n\n".to_owned(),
        format!("data: [{line}]\n\n"),
        "data: {\"candidates\":[{}],\"error\":{\"message\":\"x\"}}\n\n".to_owned(),
    ] {
        let (verdicts, meter) = metered(of(), &[&event("a", ""), &broken]);
        let Verdict::Broken(StreamError { fault, .. }) = &verdicts[1] else {
            panic!("{broken}: {verdicts:?}");
        };
        assert_eq!(fault.kind, FaultKind::Overloaded, "{broken}");
        assert_eq!(meter.usage().count(Unit::OutputToken), 1);
    }
    let blocked = "data: {\"promptFeedback\":{\"blockReason\":\"SAFETY\"}}\n\n";
    let (verdicts, meter) = metered(of(), &[blocked]);
    assert!(
        matches!(&verdicts[0], Verdict::Broken(StreamError { fault, .. }) if fault.kind == FaultKind::ContentPolicy)
    );
    assert!(meter.usage().is_nothing());
    let (verdicts, _) = metered(of(), &["data: {\"candidates\"\n\n"]);
    assert!(
        matches!(&verdicts[0], Verdict::Broken(StreamError { fault, .. }) if fault.kind == FaultKind::InvalidAnswer)
    );
    // Good events that say that there is none.
    let fine = event("a", "").replacen("{\"candidates\"", "{\"error\": null, \"candidates\"", 1);
    assert_eq!(metered(of(), &[&fine]).0, [Verdict::Pass]);
}

#[test]
fn what_googles_clients_stumble_over_does_not_pass() {
    let usual = event("a", "");
    let marked = format!("\u{feff}{usual}");
    let named = format!("event: message\nid: 7\r\n{usual}");
    let (verdicts, _) = metered(
        of(),
        &[
            ": PROCESSING\n\n",
            "\r\n\r\n",
            "data: [DONE]\n\n",
            "data: \n\n",
            &usual,
            &named,
            &marked,
        ],
    );
    let before = named.find("data:").expect("data");
    assert_eq!(
        verdicts,
        [
            Verdict::Hide,
            Verdict::Pass,
            Verdict::Hide,
            Verdict::Hide,
            Verdict::Pass,
            Verdict::Without(0..before),
            Verdict::Without(0..3),
        ]
    );
}

#[test]
fn a_stream_is_whole_where_every_candidate_ended() {
    let stop = ",\"finishReason\":\"STOP\"";
    let second = |rest| event("b", rest).replace("\"index\": 0", "\"index\": 1");
    let (_, meter) = metered(of(), &[&event("a", stop), &second("")]);
    assert!(!meter.is_whole());
    let (_, meter) = metered(of(), &[&event("a", stop), &second(""), &second(stop)]);
    assert!(meter.is_whole());
    let (_, meter) = metered(of(), &[]);
    assert!(meter.missing().is_some() && meter.usage().is_nothing());
    // An answer of nothing but a reason is one.
    let blocked = "data: {\"candidates\":[{\"finishReason\":\"SAFETY\",\"index\":0}],\"usageMetadata\":{\"promptTokenCount\":9}}\n\n";
    let (_, meter) = metered(of(), &[blocked]);
    assert_eq!(
        (meter.missing(), meter.usage().count(Unit::InputToken)),
        (None, 9)
    );
    let meter = GeminiMeter::new(of());
    assert!(meter.is_complete(event("a", "").as_bytes()));
    assert!(meter.is_complete(b"{\"error\":{\"code\":503}}\n\n"));
    assert!(!meter.is_complete(b"data: {\"candidates\":[\n\n"));
    assert!(!meter.is_complete(b"{\"candidates\":[]}\n\n"));
    assert_eq!(
        (meter.ended_by(b"data: [DONE]\n"), meter.end()),
        (None, &b""[..])
    );
}
