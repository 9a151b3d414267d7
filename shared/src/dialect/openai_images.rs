//! OpenAI's image generations: a prompt in, pictures out, counted by the piece and in tokens; a stream has an
//! event for each.

use bytes::Bytes;

use super::fields::{Field, Fields, Rule, Why};
use super::openai::{OPEN, OpenAi, Shape};
use super::walk::Walk;
use super::{Asked, BadBody, Output};
use crate::units::{Fact, Unit};

/// The format.
pub static OPENAI_IMAGES: OpenAi = OpenAi {
    name: "openai_images",
    schema: SCHEMA,
    fields: FIELDS,
    read,
    shape: Shape::Pictures,
    echo: None,
    as_stream,
    translator: None,
};

const SCHEMA: &str = r#"{
    "type": "object",
    "required": ["prompt"],
    "properties": {
        "model": {"type": "string", "nullable": true, "description": "The platform's default when absent"},
        "prompt": {"type": "string", "minLength": 1, "maxLength": 32000, "pattern": "[^\\s]"},
        "n": {"nullable": true, "type": "integer", "minimum": 1, "maximum": 10},
        "size": {"nullable": true, "type": "string"},
        "quality": {"nullable": true, "type": "string"},
        "response_format": {"nullable": true, "type": "string", "enum": ["url", "b64_json", null]}
    }
}"#;

/// OpenAI's bound of `n`.
const IMAGES_MAX: u64 = 10;
/// `size` and `quality` are short words.
const WORD_CHARS_MAX: usize = 40;
/// OpenAI's bound of a prompt.
const PROMPT_CHARS_MAX: usize = 32_000;

const FIELDS: &[Field] = &[
    ("batch_size", Rule::One),
    ("frame_count", Rule::One),
    ("image", Rule::Input),
    ("images", Rule::Input),
    ("max_images", Rule::One),
    ("n", Rule::Read),
    ("num_images", Rule::One),
    ("num_outputs", Rule::One),
    ("number_of_images", Rule::One),
    ("prompt", Rule::Input),
    ("quality", Rule::Read),
    ("sequential_image_generation", Rule::Words(&["disabled"])),
    ("size", Rule::Read),
    ("stream", Rule::Read),
    ("tools", Rule::Tools),
    ("web_search", Rule::Refused(Why::Service)),
];

fn read(fields: &Fields<'_>) -> Result<Asked, BadBody> {
    let prompt = fields.text("prompt", PROMPT_CHARS_MAX)?;
    if prompt.is_none_or(|prompt| prompt.trim().is_empty()) {
        let message = "`prompt` must be a text that is not empty.";
        return Err(BadBody::of("prompt", message));
    }
    let images = fields.whole("n", 1, IMAGES_MAX)?.unwrap_or(1);
    let size = fields.text("size", WORD_CHARS_MAX)?;
    let quality = fields.text("quality", WORD_CHARS_MAX)?;
    // OpenAI's clients may leave it out; the platform's default takes such calls.
    let mut asked = Asked::of(fields.model_or_default()?, Output::OfModel);
    asked.stream = fields.streams()?;
    asked.answers = images;
    asked.input_estimate = fields.input_estimate();
    asked.bounds = fields.bounds();
    asked.bounds.set(Unit::Image, images);
    for (fact, word) in [
        (Fact::Size, size.as_deref().map(size_word)),
        (
            Fact::Quality,
            quality.map(|quality| quality.trim().to_lowercase()),
        ),
    ] {
        if let Some(word) = word {
            asked.bounds.facts.note(fact, &word);
        }
    }
    asked.open = OPEN;
    Ok(asked)
}

/// A size as prices name it: `2048X2048`, `2048*2048` and `2048×2048` are `2048x2048`.
fn size_word(size: &str) -> String {
    let small = size.trim().to_lowercase();
    small.replace(['*', '×'], "x").replace(' ', "")
}

/// What describes all images, under the name it has in an event.
const OF_ALL: [(&[u8], &str); 6] = [
    (b"created", "created_at"),
    (b"size", "size"),
    (b"quality", "quality"),
    (b"background", "background"),
    (b"output_format", "output_format"),
    (b"model", "model"),
];

/// The events of `answer`; `None` where it holds no image.
fn as_stream(answer: &[u8]) -> Option<Bytes> {
    let mut images: Vec<Vec<u8>> = Vec::new();
    let mut of_all = Vec::new();
    let mut usage = None;
    Walk::new(answer).object(|walk, name| {
        match name {
            b"data" if walk.peek()? == b'[' => walk.array(|walk| image(walk, &mut images))?,
            b"usage" => usage = Some(walk.value()?),
            _ => {
                let value = walk.value()?;
                if let Some((_, known)) = OF_ALL.iter().find(|(own, _)| *own == name) {
                    field(&mut of_all, known, value);
                }
            }
        }
        Some(())
    })?;
    let last = images.len().checked_sub(1)?;
    let mut out = Vec::with_capacity(answer.len() + images.len() * 200);
    for (at, image) in images.iter().enumerate() {
        out.extend_from_slice(
            b"event: image_generation.completed\ndata: {\"type\":\"image_generation.completed\"",
        );
        out.extend_from_slice(image);
        out.extend_from_slice(&of_all);
        if let (Some(usage), true) = (usage, at == last) {
            field(&mut out, "usage", usage);
        }
        out.extend_from_slice(b"}\n\n");
    }
    Some(out.into())
}

/// Adds the fields of an entry that is an image.
fn image(walk: &mut Walk<'_>, images: &mut Vec<Vec<u8>>) -> Option<()> {
    if walk.peek()? != b'{' {
        return walk.value().map(drop);
    }
    let (mut fields, mut is_image) = (Vec::new(), false);
    walk.object(|walk, name| {
        let value = walk.value()?;
        is_image |= matches!(name, b"b64_json" | b"url") && value.first() == Some(&b'"');
        if let Ok(name) = std::str::from_utf8(name) {
            field(&mut fields, name, value);
        }
        Some(())
    })?;
    images.extend(is_image.then_some(fields));
    Some(())
}

fn field(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
    // Between the tokens of JSON a line's end is a blank.
    out.extend(value.iter().map(|byte| match byte {
        b'\n' | b'\r' => b' ',
        other => *other,
    }));
}

#[cfg(test)]
mod tests {
    use super::super::body::Body;
    use super::super::{Dialect, Head};
    use super::*;

    #[test]
    fn every_image_is_an_event_and_the_last_one_counts() {
        let answer =
            br#"{"created":7,"size":"1024x1024","data":[{"b64_json":"AA","revised_prompt":"x"},
            {"error":{"code":"y"}},{"url":"https://x"}],"usage":{"input_tokens":1,
            "output_tokens":2}}"#;
        let events = as_stream(answer).expect("two images");
        let events = std::str::from_utf8(&events).expect("text");
        let data: Vec<serde_json::Value> = events
            .lines()
            .filter_map(|line| line.strip_prefix("data: "))
            .map(|data| serde_json::from_str(data).expect("JSON"))
            .collect();
        assert_eq!(data.len(), 2);
        assert_eq!(data[0]["type"], "image_generation.completed");
        assert_eq!(
            (&data[0]["b64_json"], &data[0]["created_at"]),
            (&"AA".into(), &7.into())
        );
        assert!(data[0]["usage"].is_null());
        assert_eq!(
            (&data[1]["url"], &data[1]["usage"]["output_tokens"]),
            (&"https://x".into(), &2.into())
        );
        assert_eq!(
            events
                .matches("event: image_generation.completed\n")
                .count(),
            2
        );
        for none in [
            "{}",
            r#"{"data":[]}"#,
            r#"{"data":[{"error":{}}]}"#,
            "[]",
            "x",
        ] {
            assert_eq!(as_stream(none.as_bytes()), None, "{none}");
        }
    }

    #[test]
    fn images_need_a_prompt_and_may_name_no_model() {
        for body in [
            r#"{"model":"m"}"#,
            r#"{"model":"m","prompt":" "}"#,
            r#"{"model":"m","prompt":"x","n":11}"#,
            r#"{"model":7,"prompt":"x"}"#,
            r#"{"model":"m","prompt":"x","num_images":4}"#,
        ] {
            assert!(
                OPENAI_IMAGES
                    .read(&Head::default(), &Body::of_json(body))
                    .is_err(),
                "{body}"
            );
        }
        let unnamed = OPENAI_IMAGES.read(
            &Head::default(),
            &Body::of_json(r#"{"prompt":"x","model":null}"#),
        );
        assert_eq!(unnamed.expect("valid").model, "");
    }

    #[test]
    fn images_may_be_streamed_and_their_sizes_are_written_as_prices_write_them() {
        for size in ["2048X2048", "2048*2048", " 2048x2048", "2048 × 2048"] {
            let body = format!(
                r#"{{"model":"m","prompt":"x","n":3,"size":"{size}","quality":"HD","stream":true,"partial_images":2}}"#
            );
            let asked = OPENAI_IMAGES
                .read(&Head::default(), &Body::of_json(&body))
                .expect("valid");
            let facts = &asked.bounds.facts;
            assert_eq!(
                (facts.get(Fact::Size), facts.get(Fact::Quality)),
                (Some("2048x2048"), Some("hd"))
            );
            assert_eq!((asked.bounds.count(Unit::Image), asked.answers), (3, 3));
            assert!(asked.stream && !asked.show_usage);
        }
    }
}
