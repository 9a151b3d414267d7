//! OpenAI's images: words and pictures in, pictures out, counted by the piece and in tokens; a stream has an
//! event for each. Generations, edits and variations are one format, of which the last two may come as forms.

mod answer;
mod ask;
mod form;
mod sent;
mod streamed;

pub use self::answer::written;
pub use self::ask::asked;
pub(in crate::dialect) use self::form::uploaded;
pub(in crate::dialect) use self::sent::sent;

use super::fields::{Field, Fields, Rule, Why};
use super::openai::{OPEN, OpenAi, Shape, no_stream};
use super::pictures::PictureTask;
use super::{Asked, BadBody, Output};
use crate::units::{Fact, Unit};

/// Pictures from words.
pub static OPENAI_IMAGES: OpenAi = OpenAi {
    name: "openai_images",
    schema: SCHEMA,
    fields: FIELDS,
    read,
    shape: Shape::Pictures(PictureTask::Generation),
    echo: None,
    as_stream: streamed::generation,
    translator: None,
};

/// Pictures that are changed as words say. A provider that speaks the format is asked on the same path.
pub static OPENAI_IMAGE_EDITS: OpenAi = OpenAi {
    name: "openai_images",
    schema: EDIT_SCHEMA,
    fields: FIELDS,
    read: read_edit,
    shape: Shape::Pictures(PictureTask::Edit),
    echo: None,
    as_stream: streamed::edit,
    translator: None,
};

/// Pictures like another one.
pub static OPENAI_IMAGE_VARIATIONS: OpenAi = OpenAi {
    name: "openai_images",
    schema: VARIATION_SCHEMA,
    fields: FIELDS,
    read: read_variation,
    shape: Shape::Pictures(PictureTask::Variation),
    echo: None,
    as_stream: no_stream,
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

const EDIT_SCHEMA: &str = r#"{
    "type": "object",
    "required": ["prompt", "image"],
    "properties": {
        "model": {"type": "string", "nullable": true, "description": "The platform's default when absent"},
        "prompt": {"type": "string", "minLength": 1, "maxLength": 32000, "pattern": "[^\\s]"},
        "image": {"description": "In a form one file, or up to 16 as `image[]`: PNG, JPEG, WebP or GIF of at most 50 MB each. In JSON a URL or a data URL, or several; `images` with objects of `image_url` is the same", "type": "string", "format": "binary"},
        "mask": {"description": "Where this is clear, the first picture may change", "type": "string", "format": "binary"},
        "n": {"nullable": true, "type": "integer", "minimum": 1, "maximum": 10},
        "size": {"nullable": true, "type": "string"},
        "quality": {"nullable": true, "type": "string"},
        "response_format": {"nullable": true, "type": "string", "enum": ["url", "b64_json", null]}
    }
}"#;

const VARIATION_SCHEMA: &str = r#"{
    "type": "object",
    "required": ["image"],
    "properties": {
        "model": {"type": "string", "nullable": true, "description": "The platform's default when absent"},
        "image": {"description": "In a form a file: PNG, JPEG, WebP or GIF of at most 50 MB. In JSON a URL or a data URL", "type": "string", "format": "binary"},
        "n": {"nullable": true, "type": "integer", "minimum": 1, "maximum": 10},
        "size": {"nullable": true, "type": "string"},
        "response_format": {"nullable": true, "type": "string", "enum": ["url", "b64_json", null]}
    }
}"#;

/// OpenAI's bound of `n`.
const IMAGES_MAX: u64 = 10;
/// `size` and `quality` are short words.
const WORD_CHARS_MAX: usize = 40;
/// OpenAI's bound of a prompt.
const PROMPT_CHARS_MAX: usize = 32_000;
/// OpenAI's bound of pictures before the last one.
const PARTIAL_MAX: u64 = 3;
/// OpenAI's bounds of what is worked from.
const GIVEN_MAX: usize = 16;
const GIVEN_BYTES_MAX: usize = 50 * 1024 * 1024;

/// Pictures that may be given.
const PICTURES: [&str; 3] = ["image", "images", "reference_images"];
const MASK: &str = "mask";
/// A clear picture drawn over the first one, in the place of a mask.
const MARKUP: &str = "markup";

const FIELDS: &[Field] = &[
    ("batch_size", Rule::One),
    ("frame_count", Rule::One),
    ("image", Rule::Pictures),
    ("images", Rule::Pictures),
    ("markup", Rule::Pictures),
    ("mask", Rule::Pictures),
    ("max_images", Rule::One),
    ("n", Rule::Read),
    ("negative_prompt", Rule::Input),
    ("num_images", Rule::One),
    ("num_outputs", Rule::One),
    ("number_of_images", Rule::One),
    ("partial_images", Rule::Read),
    ("prompt", Rule::Input),
    ("quality", Rule::Read),
    ("reference_images", Rule::Pictures),
    ("sequential_image_generation", Rule::Words(&["disabled"])),
    ("size", Rule::Read),
    ("stream", Rule::Read),
    ("tools", Rule::Tools),
    ("web_search", Rule::Refused(Why::Service)),
];

fn read(fields: &Fields<'_>) -> Result<Asked, BadBody> {
    has_prompt(fields)?;
    given(fields)?;
    read_common(fields, true)
}

fn read_edit(fields: &Fields<'_>) -> Result<Asked, BadBody> {
    has_prompt(fields)?;
    let count = given(fields)?;
    if !(1..=GIVEN_MAX).contains(&count) {
        let message = format!("`image` must be there: 1 to {GIVEN_MAX} pictures.");
        return Err(BadBody::of("image", message));
    }
    read_common(fields, true)
}

fn read_variation(fields: &Fields<'_>) -> Result<Asked, BadBody> {
    if given(fields)? != 1 {
        return Err(BadBody::of("image", "`image` must be there: one picture."));
    }
    read_common(fields, false)
}

fn has_prompt(fields: &Fields<'_>) -> Result<(), BadBody> {
    let prompt = fields.text("prompt", PROMPT_CHARS_MAX)?;
    if prompt.is_none_or(|prompt| prompt.trim().is_empty()) {
        let message = "`prompt` must be a text that is not empty.";
        return Err(BadBody::of("prompt", message));
    }
    Ok(())
}

/// How many pictures are given to work from; each must be one, and its bytes bounded.
fn given(fields: &Fields<'_>) -> Result<usize, BadBody> {
    let mut count = fields.uploads;
    for name in PICTURES.into_iter().chain([MASK, MARKUP]) {
        let Some(raw) = fields.get(name) else {
            continue;
        };
        ask::each_picture(name, raw.get().as_bytes(), &mut |_| {
            count += usize::from(name != MASK && name != MARKUP);
            Ok(())
        })?;
    }
    if count > GIVEN_MAX {
        let message = format!("`image` holds more than {GIVEN_MAX} pictures.");
        return Err(BadBody::of("image", message));
    }
    Ok(count)
}

fn read_common(fields: &Fields<'_>, may_stream: bool) -> Result<Asked, BadBody> {
    let images = fields.whole("n", 1, IMAGES_MAX)?.unwrap_or(1);
    let size = fields.text("size", WORD_CHARS_MAX)?;
    let quality = fields.text("quality", WORD_CHARS_MAX)?;
    fields.whole("partial_images", 0, PARTIAL_MAX)?;
    // OpenAI's clients may leave it out; the platform's default takes such calls.
    let mut asked = Asked::of(fields.model_or_default()?, Output::OfModel);
    asked.stream = may_stream && fields.streams()?;
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

#[cfg(test)]
mod edit_tests;
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
        let events = streamed::generation(answer).expect("two images");
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
            assert_eq!(streamed::generation(none.as_bytes()), None, "{none}");
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
