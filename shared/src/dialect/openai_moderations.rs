//! OpenAI's moderations: texts and pictures in, a verdict on each out. OpenAI counts nothing, so what is
//! counted is the input, for those who price it.

use serde_json::value::RawValue;

use super::fields::{Field, Fields, Rule};
use super::openai::{OPEN, OpenAi, Shape, no_stream};
use super::{Asked, BadBody, Output};

/// The format.
pub static OPENAI_MODERATIONS: OpenAi = OpenAi {
    name: "openai_moderations",
    schema: SCHEMA,
    fields: FIELDS,
    read,
    shape: Shape::Verdicts,
    echo: None,
    as_stream: no_stream,
    translator: None,
};

const SCHEMA: &str = r#"{
    "type": "object",
    "required": ["input"],
    "properties": {
        "model": {"type": "string", "nullable": true, "description": "The platform's default when absent"},
        "input": {"anyOf": [{"type": "string"}, {"type": "array", "items": {}, "minItems": 1}]}
    }
}"#;

const FIELDS: &[Field] = &[("input", Rule::Input)];

fn read(fields: &Fields<'_>) -> Result<Asked, BadBody> {
    let input = fields.get("input").map(RawValue::get).unwrap_or_default();
    let empty = input.starts_with('[') && input[1..].trim_start().starts_with(']');
    if !input.starts_with(['"', '[']) || empty {
        let message = "`input` must be a text, or an array of texts or of parts that is not empty.";
        return Err(BadBody::of("input", message));
    }
    Ok(Asked {
        input_estimate: fields.input_estimate(),
        bounds: fields.bounds(),
        open: OPEN,
        // OpenAI's clients may leave it out; the platform's default takes such calls.
        ..Asked::of(fields.model_or_default()?, Output::None)
    })
}

#[cfg(test)]
mod tests {
    use super::super::body::Body;
    use super::super::{Dialect, Head, Judged, Metered};
    use super::*;
    use crate::link::Bounds;
    use crate::units::Unit;

    #[test]
    fn texts_lists_and_parts_are_taken_and_nothing_is_not() {
        for body in [
            r#"{"input":"x"}"#,
            r#"{"model":"m","input":["a","b"]}"#,
            r#"{"model":"m","input":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"https://x/y.png"}}]}"#,
        ] {
            assert!(
                OPENAI_MODERATIONS
                    .read(&Head::default(), &Body::of_json(body))
                    .is_ok(),
                "{body}"
            );
        }
        for body in [r#"{"model":"m"}"#, r#"{"input":[]}"#, r#"{"input":7}"#] {
            let wrong = OPENAI_MODERATIONS
                .read(&Head::default(), &Body::of_json(body))
                .expect_err(body);
            assert_eq!(wrong.param, Some("input"), "{body}");
        }
    }

    #[test]
    fn a_picture_is_counted_as_a_picture_and_not_by_its_bytes() {
        let data = "A".repeat(8_000_000);
        let body = format!(
            r#"{{"model":"m","input":[{{"type":"text","text":"a"}},{{"type":"image_url","image_url":{{"url":"data:image/png;base64,{data}"}}}}]}}"#
        );
        let asked = OPENAI_MODERATIONS
            .read(&Head::default(), &Body::of_json(&body))
            .expect("valid");
        let most = asked.bounds.count(Unit::InputToken);
        assert!((8_192..8_500).contains(&most), "{most}");
        assert!(asked.input_estimate <= most);
    }

    #[test]
    fn a_verdict_is_counted_by_its_input() {
        let bounds = Bounds {
            input_estimate: 7,
            input_max: 50,
            output_max: 0,
        };
        let of = Metered {
            bounds: Some(bounds),
            ..Metered::default()
        };
        let answer =
            br#"{"id":"modr-1","model":"m","results":[{"flagged":false,"categories":{}}]}"#;
        let usage = OPENAI_MODERATIONS.usage(of, answer).expect("an answer");
        assert_eq!((usage.count(Unit::InputToken), usage.estimated), (7, true));
        assert_eq!(OPENAI_MODERATIONS.judge(answer), Judged::Answer);
        // Mistral tells what it counts.
        let told =
            br#"{"results":[{"categories":{}}],"usage":{"prompt_tokens":9,"total_tokens":9}}"#;
        let usage = OPENAI_MODERATIONS.usage(of, told).expect("an answer");
        assert_eq!((usage.count(Unit::InputToken), usage.estimated), (9, false));
        let none = br#"{"results":[]}"#;
        assert!(
            OPENAI_MODERATIONS
                .usage(of, none)
                .expect("JSON")
                .is_nothing()
        );
        assert!(matches!(
            OPENAI_MODERATIONS.judge(none),
            Judged::Nonsense(_)
        ));
    }
}
