//! OpenAI's embeddings: texts or tokens in, vectors out, counted by their input.

mod translate;

use bytes::Bytes;
use serde_json::value::RawValue;

use super::fields::{Field, Fields, Rule};
use super::openai::{OPEN, OpenAi, Shape, no_stream};
use super::{Asked, BadBody, Output};
use crate::json;

pub(crate) use self::translate::{OpenAiEmbeddingsTranslator, numbers, write_numbers};

/// Translates it.
pub(super) static TRANSLATOR: OpenAiEmbeddingsTranslator = OpenAiEmbeddingsTranslator;

/// The format.
pub static OPENAI_EMBEDDINGS: OpenAi = OpenAi {
    name: "openai_embeddings",
    schema: SCHEMA,
    fields: FIELDS,
    read,
    shape: Shape::Vectors,
    echo: None,
    as_stream: no_stream,
    translator: None,
};

const SCHEMA: &str = r#"{
    "type": "object",
    "required": ["model", "input"],
    "properties": {
        "model": {"type": "string", "minLength": 1, "maxLength": 100},
        "input": {"anyOf": [{"type": "string", "minLength": 1}, {"type": "array", "items": {}, "minItems": 1}]},
        "encoding_format": {"nullable": true, "type": "string", "enum": ["float", "base64", null]},
        "dimensions": {"nullable": true, "type": "integer", "minimum": 1}
    }
}"#;

const FIELDS: &[Field] = &[("input", Rule::Input)];

fn read(fields: &Fields<'_>) -> Result<Asked, BadBody> {
    let input = fields.get("input").map(RawValue::get).unwrap_or_default();
    let empty = input.starts_with('[') && input[1..].trim_start().starts_with(']');
    if !input.starts_with(['"', '[']) || input == "\"\"" || empty {
        let message = "`input` must be a text or an array that is not empty.";
        return Err(BadBody::of("input", message));
    }
    Ok(Asked {
        input_estimate: fields.input_estimate(),
        bounds: fields.bounds(),
        open: OPEN,
        ..Asked::of(fields.model()?, Output::None)
    })
}

/// How the vectors of an answer are to be written; empty where that is as numbers.
pub(super) fn packing(body: &[u8]) -> Bytes {
    let format = json::fields(body, ["encoding_format"]);
    match format {
        Ok([Some(word)]) if word.get() == "\"base64\"" => Bytes::from_static(translate::BASE64),
        Ok(_) | Err(_) => Bytes::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::body::Body;
    use super::super::{Dialect, Head};
    use super::*;
    use crate::units::Unit;

    #[test]
    fn an_embedding_needs_something_to_work_on() {
        for body in [
            r#"{"model":"m"}"#,
            r#"{"model":"m","input":[]}"#,
            r#"{"model":"m","input":""}"#,
            r#"{"model":"m","input":{}}"#,
            r#"{"input":"x"}"#,
            r#"{"model":"m","Input":"x"}"#,
        ] {
            let read = OPENAI_EMBEDDINGS.read(&Head::default(), &Body::of_json(body));
            assert!(read.is_err(), "{body}");
        }
        let body = Body::of_json(r#"{"model":"m","input":[1,2,3]}"#);
        let asked = OPENAI_EMBEDDINGS
            .read(&Head::default(), &body)
            .expect("valid");
        assert_eq!((asked.output, asked.stream), (Output::None, false));
        assert_eq!(asked.input_estimate, 3);
        assert!(asked.bounds.count(Unit::InputToken) >= 3);
    }
}
