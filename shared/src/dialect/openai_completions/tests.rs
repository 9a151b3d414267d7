//! What is read of a completion, and what its answers count.

use super::super::body::Body;
use super::super::{Dialect, Head, Metered, Output, Verdict};
use super::*;
use crate::link::Bounds;
use crate::units::{Fact, Unit};

fn read(body: &str) -> Result<Asked, BadBody> {
    OPENAI_COMPLETIONS.read(&Head::default(), &Body::of_json(body))
}

fn within(output_max: u64) -> Metered {
    Metered {
        bounds: Some(Bounds {
            input_estimate: 100,
            input_max: 1_000,
            output_max,
        }),
        ..Metered::default()
    }
}

#[test]
fn every_prompt_has_its_answers() {
    for (prompt, n, answers) in [
        (r#""once""#, "", 1),
        (r#""once""#, r#","n":3"#, 3),
        (r#"["a","b"]"#, r#","n":3"#, 6),
        ("[1,2,3]", "", 1),
        ("[[1,2],[3]]", r#","n":2"#, 4),
    ] {
        let body = format!(r#"{{"model":"m","prompt":{prompt}{n},"max_tokens":9,"echo":true}}"#);
        let asked = read(&body).expect(&body);
        assert_eq!(asked.answers, answers, "{body}");
        assert_eq!(asked.output, Output::UpTo(Some(9)));
    }
    let many = vec!["\"a\""; 65].join(",");
    for (body, param) in [
        (r#"{"model":"m"}"#.to_owned(), "prompt"),
        (r#"{"model":"m","prompt":[]}"#.to_owned(), "prompt"),
        (r#"{"model":"m","prompt":["a",1]}"#.to_owned(), "prompt"),
        (r#"{"model":"m","prompt":{}}"#.to_owned(), "prompt"),
        (r#"{"prompt":"x"}"#.to_owned(), "model"),
        (format!(r#"{{"model":"m","prompt":[{many}],"n":2}}"#), "n"),
        (
            r#"{"model":"m","prompt":"x","best_of":2}"#.to_owned(),
            "best_of",
        ),
        (r#"{"model":"m","prompt":"x","echo":1}"#.to_owned(), "echo"),
    ] {
        assert_eq!(read(&body).expect_err(&body).param, Some(param), "{body}");
    }
}

#[test]
fn a_stream_is_counted_and_stopped_in_its_own_words() {
    let chunk = |text: &str| {
        format!(
            "data: {{\"id\":\"c\",\"object\":\"text_completion\",\"choices\":[{{\"index\":0,\"text\":\"{text}\",\"finish_reason\":null}}],\"service_tier\":\"flex\",\"usage\":null}}\n\n"
        )
    };
    let mut meter = OPENAI_COMPLETIONS.meter(within(5));
    let passes = |verdict| matches!(verdict, Verdict::Pass | Verdict::Without(_));
    assert!(passes(meter.event(chunk("Once upon a").as_bytes())));
    assert_eq!(meter.usage().facts.get(Fact::Tier), Some("flex"));
    // That part may be all there is; what follows it does not pass.
    assert!(passes(meter.event(chunk(&"word ".repeat(200)).as_bytes())));
    let Verdict::Enough(end) = meter.event(chunk("more").as_bytes()) else {
        panic!("more came than is paid for");
    };
    let end = std::str::from_utf8(&end).expect("text");
    let told = end
        .strip_prefix("data: ")
        .and_then(|end| end.split("\n\n").next());
    let told: Value = serde_json::from_str(told.expect("an event")).expect("JSON");
    assert_eq!(told["object"], "text_completion");
    assert_eq!(told["choices"][0]["text"], "");
    assert_eq!(told["choices"][0]["finish_reason"], "length");
    assert!(end.ends_with("data: [DONE]\n\n"));
    assert!(meter.usage().overrun);
}

#[test]
fn input_that_is_repeated_is_no_output() {
    let of = Metered {
        echoed: 100,
        ..within(5)
    };
    let prompt = "word ".repeat(80);
    let event = format!(
        "data: {{\"choices\":[{{\"index\":0,\"text\":\"{prompt}\",\"finish_reason\":null}}]}}\n\n"
    );
    let mut meter = OPENAI_COMPLETIONS.meter(of);
    assert_eq!(meter.event(event.as_bytes()), Verdict::Pass);
    let more =
        b"data: {\"choices\":[{\"index\":0,\"text\":\" and\",\"finish_reason\":\"stop\"}]}\n\n";
    assert_eq!(
        meter.event(more),
        Verdict::Pass,
        "the echo is beyond no bound"
    );
    assert!(
        meter.usage().count(Unit::OutputToken) <= 5,
        "{:?}",
        meter.usage()
    );
    let whole = format!(r#"{{"choices":[{{"index":0,"text":"{prompt} and"}}]}}"#);
    let usage = OPENAI_COMPLETIONS
        .usage(of, whole.as_bytes())
        .expect("an answer");
    assert!(usage.count(Unit::OutputToken) <= 5, "{usage:?}");
}

#[test]
fn a_whole_answer_becomes_a_stream_that_says_the_same() {
    let answer = json!({
        "id": "x", "object": "text_completion", "created": 7, "model": "m",
        "choices": [{"index": 0, "text": "hi", "logprobs": null, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 5},
    });
    let stream = as_stream(answer.to_string().as_bytes()).expect("it can be streamed");
    let mut meter = OPENAI_COMPLETIONS.meter(within(50));
    let events = std::str::from_utf8(&stream)
        .expect("text")
        .split_inclusive("\n\n");
    for event in events {
        let verdict = meter.event(event.as_bytes());
        assert!(matches!(verdict, Verdict::Pass | Verdict::Hide), "{event}");
    }
    assert!(meter.is_done() && meter.is_whole() && meter.is_told());
    let usage = meter.usage();
    assert_eq!((usage.input_total(), usage.output_total()), (3, 5));
}
