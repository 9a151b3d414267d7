//! What a whole answer comes to, from what was told and from what was said.

use super::Shape;
use super::scan::Scan;
use crate::dialect::Metered;
use crate::dialect::counts::believe;
use crate::dialect::text_count::{by_input, of_whole};
use crate::fault::{Fault, FaultKind};
use crate::units::{Unit, Usage};

/// What a whole answer consumed; `Err` where it is no JSON object. An answer that holds nothing costs
/// nothing, whatever is told.
pub(super) fn usage(of: Metered, shape: Shape, bytes: &[u8]) -> Result<Usage, Fault> {
    let mut scan = Scan::default();
    let json = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if !scan.read(json) {
        let why = "not the JSON object that was expected";
        return Err(Fault::new(FaultKind::InvalidAnswer, why));
    }
    let is_empty = match shape {
        Shape::Choices(_) => scan.choices == 0 && scan.tally.is_nothing(),
        Shape::Vectors | Shape::Pictures(_) | Shape::Verdicts => scan.entries == 0,
    };
    if is_empty {
        return Ok(Usage::default());
    }
    let mut usage = match shape {
        Shape::Choices(_) => of_whole(&of, scan.counts, &scan.tally),
        Shape::Vectors | Shape::Verdicts => by_input(&of, scan.counts),
        Shape::Pictures(_) => {
            let mut usage = scan.counts.usage();
            usage.set(Unit::Image, scan.entries);
            usage
        }
    };
    scan.note_tier(json, &mut usage.facts);
    if let (false, Some(bounds)) = (matches!(shape, Shape::Choices(_)), &of.bounds) {
        believe(&mut usage, bounds, scan.tally.most());
    }
    Ok(usage)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Dialect;
    use crate::dialect::openai_chat::OPENAI_CHAT;
    use crate::dialect::openai_embeddings::OPENAI_EMBEDDINGS;
    use crate::dialect::openai_images::OPENAI_IMAGES;
    use crate::link::Bounds;
    use crate::units::Fact;

    fn of() -> Metered {
        Metered {
            show_usage: false,
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

    fn whole_chat(json: &str) -> Usage {
        OPENAI_CHAT.usage(of(), json.as_bytes()).expect("JSON")
    }

    /// Tokens in and out, and whether they are estimated.
    fn counts(usage: &Usage) -> (u64, u64, bool) {
        let (input, output) = (Unit::InputToken, Unit::OutputToken);
        (usage.count(input), usage.count(output), usage.estimated)
    }

    #[test]
    fn whole_answers_are_counted_by_what_they_say() {
        let said = |text: &str, usage: &str| {
            whole_chat(&format!(
                r#"{{"id":"c","choices":[{{"index":0,"message":{{"role":"assistant","content":"{text}"}},"finish_reason":"stop"}}]{usage}}}"#
            ))
        };
        let counted = said("Hello.", "");
        assert_eq!(counts(&counted), (100, 2, true));
        let counted = said(
            "Hello.",
            r#","usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}"#,
        );
        assert_eq!(counts(&counted), (100, 2, true));
        let counted = said(
            "Hello.",
            r#","usage":{"prompt_tokens":1000.0,"completion_tokens":3}"#,
        );
        assert_eq!(counts(&counted), (1_000, 3, false));
        let counted = said(
            "",
            r#","usage":{"prompt_tokens":1000,"completion_tokens":0}"#,
        );
        assert_eq!(counts(&counted), (1_000, 0, false));
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
                OPENAI_CHAT.usage(of(), nonsense.as_bytes()).is_err(),
                "{nonsense}"
            );
        }
    }

    #[test]
    fn whole_images_and_embeddings_are_counted_by_their_entries_and_input() {
        let images = |json: &str| OPENAI_IMAGES.usage(of(), json.as_bytes()).expect("JSON");
        let made = images(
            r#"{"data":[{"b64_json":"a"},{"error":{"code":"x"}},{"url":"b"}],"usage":{"output_tokens":14.5}}"#,
        );
        assert_eq!(
            (made.count(Unit::Image), made.count(Unit::OutputToken)),
            (2, 15)
        );
        assert!(images(r#"{"data":[],"usage":{"output_tokens":14}}"#).is_nothing());
        let vectors = |json: &str| {
            OPENAI_EMBEDDINGS
                .usage(of(), json.as_bytes())
                .expect("JSON")
        };
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

    #[test]
    fn the_tier_that_is_told_is_noted_where_it_is_a_word() {
        let tier = |word: &str| {
            let json = format!(
                r#"{{"choices":[{{"index":0,"message":{{"content":"x"}}}}],"service_tier":{word}}}"#
            );
            let facts = whole_chat(&json).facts;
            facts.get(Fact::Tier).map(str::to_owned)
        };
        assert_eq!(tier("\"Flex\"").as_deref(), Some("flex"));
        for none in ["null", "7", "\"\"", "\"a b\"", "\"<b>\""] {
            assert_eq!(tier(none), None, "{none}");
        }
    }
}
