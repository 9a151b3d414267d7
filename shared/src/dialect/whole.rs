//! What a whole answer of OpenAI's dialect consumed. Pure.

use super::counts::believe;
use super::meter::Metered;
use super::scan::{Scan, Tally};
use crate::fault::{Fault, FaultKind};
use crate::link::Operation;
use crate::units::{Unit, Usage};

/// What a whole answer consumed; `Err` where it is no JSON object. An answer that holds nothing costs
/// nothing, whatever is told.
pub fn usage(of: Metered, bytes: &[u8]) -> Result<Usage, Fault> {
    let mut scan = Scan::default();
    let json = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if !scan.read(json) {
        let why = "not the JSON object that was expected";
        return Err(Fault::new(FaultKind::InvalidAnswer, why));
    }
    let mut usage = match of.operation {
        Operation::Chat if scan.choices == 0 && scan.tally.is_nothing() => {
            return Ok(Usage::default());
        }
        Operation::Embedding | Operation::Image if scan.entries == 0 => {
            return Ok(Usage::default());
        }
        Operation::Chat => {
            let is_covered = scan.counts.output > 0;
            let uncovered = if is_covered {
                Tally::default()
            } else {
                scan.tally
            };
            of.usage(scan.counts, &uncovered, &scan.tally, false)
        }
        Operation::Embedding => {
            let mut told = scan.counts;
            if told.input == 0 {
                (told.input, told.output) = (told.sum.max(told.output), 0);
            }
            let mut usage = told.usage();
            if told.input == 0 {
                usage.set(Unit::InputToken, of.input_estimate());
                usage.estimated = true;
            }
            usage
        }
        Operation::Image => {
            let mut usage = scan.counts.usage();
            usage.set(Unit::Image, scan.entries);
            usage
        }
    };
    if let Some(bounds) = &of.bounds {
        if usage.estimated && scan.counts.output == 0 {
            let surplus = usage.output_total().saturating_sub(bounds.output_max);
            usage.cut_from([Unit::ReasoningToken, Unit::OutputToken], surplus);
        }
        believe(&mut usage, bounds, scan.tally.most());
    }
    Ok(usage)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::Bounds;

    fn of(operation: Operation) -> Metered {
        Metered {
            operation,
            show_usage: false,
            input_bytes: 400,
            bounds: Some(Bounds {
                input_estimate: 100,
                input_max: 1_000,
                output_max: 5_000,
            }),
        }
    }

    fn whole_chat(json: &str) -> Usage {
        usage(of(Operation::Chat), json.as_bytes()).expect("JSON")
    }

    #[test]
    fn whole_answers_are_counted_by_what_they_say() {
        let said = |text: &str, usage: &str| {
            whole_chat(&format!(
                r#"{{"id":"c","choices":[{{"index":0,"message":{{"role":"assistant","content":"{text}"}},"finish_reason":"stop"}}]{usage}}}"#
            ))
        };
        let counted = said("Hello.", "");
        assert_eq!(
            (
                counted.count(Unit::InputToken),
                counted.count(Unit::OutputToken),
                counted.estimated
            ),
            (100, 2, true)
        );
        let counted = said(
            "Hello.",
            r#","usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}"#,
        );
        assert_eq!(
            (
                counted.count(Unit::InputToken),
                counted.count(Unit::OutputToken),
                counted.estimated
            ),
            (100, 2, true)
        );
        let counted = said(
            "Hello.",
            r#","usage":{"prompt_tokens":1000.0,"completion_tokens":3}"#,
        );
        assert_eq!(
            (
                counted.count(Unit::InputToken),
                counted.count(Unit::OutputToken),
                counted.estimated
            ),
            (1_000, 3, false)
        );
        let counted = said(
            "",
            r#","usage":{"prompt_tokens":1000,"completion_tokens":0}"#,
        );
        assert_eq!(
            (
                counted.count(Unit::InputToken),
                counted.count(Unit::OutputToken),
                counted.estimated
            ),
            (1_000, 0, false)
        );
        let counted = said(
            "Hello.",
            r#","usage":{"prompt_tokens":12,"completion_tokens":2,"total_tokens":331,"completion_tokens_details":{"reasoning_tokens":317}}"#,
        );
        assert_eq!(counted.output_total(), 319);
        for empty in [
            "{}",
            r#"{"choices":[]}"#,
            r#"{"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":7}}"#,
        ] {
            assert!(whole_chat(empty).is_nothing(), "{empty}");
        }
        for nonsense in ["<html>", "", "[]", "null", "{\"choices\":", "{} x"] {
            assert!(
                usage(of(Operation::Chat), nonsense.as_bytes()).is_err(),
                "{nonsense}"
            );
        }
    }

    #[test]
    fn whole_images_and_embeddings_are_counted_by_their_entries_and_input() {
        let images = |json: &str| usage(of(Operation::Image), json.as_bytes()).expect("JSON");
        let made = images(
            r#"{"data":[{"b64_json":"a"},{"error":{"code":"x"}},{"url":"b"}],"usage":{"output_tokens":14.5}}"#,
        );
        assert_eq!(
            (made.count(Unit::Image), made.count(Unit::OutputToken)),
            (2, 15)
        );
        assert!(images(r#"{"data":[],"usage":{"output_tokens":14}}"#).is_nothing());
        let vectors = |json: &str| usage(of(Operation::Embedding), json.as_bytes()).expect("JSON");
        let counted = vectors(
            r#"{"data":[{"embedding":[0.1]}],"usage":{"prompt_tokens":8,"total_tokens":8}}"#,
        );
        assert_eq!(
            (
                counted.count(Unit::InputToken),
                counted.count(Unit::OutputToken)
            ),
            (8, 0)
        );
        assert_eq!(
            vectors(r#"{"data":[{"embedding":[0.1]}],"usage":{"total_tokens":8}}"#)
                .count(Unit::InputToken),
            8
        );
        let counted = vectors(r#"{"data":[{"embedding":[0.1]}]}"#);
        assert_eq!(
            (counted.count(Unit::InputToken), counted.estimated),
            (100, true)
        );
        assert!(vectors(r#"{"data":[],"usage":{"prompt_tokens":8}}"#).is_nothing());
    }
}
