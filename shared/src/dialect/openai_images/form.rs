//! A form of this format as the fields that its JSON would have, and its files by their places. Judges each
//! file by its first bytes; knows no rule of a field.

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{GIVEN_BYTES_MAX, MARKUP, MASK};
use crate::dialect::BadBody;
use crate::dialect::asked::is_of_the_edge;
use crate::dialect::body::{Form, FormPart};
use crate::dialect::pictures::PictureFormat;

/// Fields that are no texts; a form writes everything as one.
const NUMBERS: [&str; 6] = [
    "n",
    "partial_images",
    "output_compression",
    "seed",
    "frame_count",
    "frame_duration_ms",
];
const FLAGS: [&str; 2] = ["stream", "watermark"];

/// What a form brought.
#[derive(Debug)]
pub(in crate::dialect) struct Uploaded<'a> {
    /// Its plain fields, as JSON.
    pub(in crate::dialect) json: String,
    /// Pictures to work from, in order.
    pub(in crate::dialect) images: Vec<(&'a FormPart, PictureFormat)>,
    /// The mask.
    pub(in crate::dialect) mask: Option<(&'a FormPart, PictureFormat)>,
    /// A clear picture drawn over the first.
    pub(in crate::dialect) markup: Option<(&'a FormPart, PictureFormat)>,
}

/// Reads a form.
pub(in crate::dialect) fn uploaded(form: &Form) -> Result<Uploaded<'_>, BadBody> {
    let mut uploaded = Uploaded {
        json: String::from("{"),
        images: Vec::new(),
        mask: None,
        markup: None,
    };
    for part in form.parts() {
        match field(&part.name) {
            "image" => uploaded.images.push((part, picture("image", form, part)?)),
            MASK => put(MASK, &mut uploaded.mask, form, part)?,
            MARKUP => put(MARKUP, &mut uploaded.markup, form, part)?,
            _ => {
                if uploaded.json.len() > 1 {
                    uploaded.json.push(',');
                }
                let pair = plain(form, part)?;
                uploaded.json.push_str(&pair);
            }
        }
    }
    uploaded.json.push('}');
    Ok(uploaded)
}

/// The field that a part's name stands for: lists are written `image[]`, `image[0]`.
fn field(name: &str) -> &str {
    let base = name.split('[').next().unwrap_or(name);
    match base {
        "image" | "images" | "reference_images" => "image",
        _ => name,
    }
}

fn put<'a>(
    name: &'static str,
    place: &mut Option<(&'a FormPart, PictureFormat)>,
    form: &Form,
    part: &'a FormPart,
) -> Result<(), BadBody> {
    if place.is_some() {
        return Err(BadBody::of(name, format!("`{name}` is given twice.")));
    }
    *place = Some((part, picture(name, form, part)?));
    Ok(())
}

/// What a file is, which must be a picture of a size that providers take.
fn picture(name: &'static str, form: &Form, part: &FormPart) -> Result<PictureFormat, BadBody> {
    if part.at.len() > GIVEN_BYTES_MAX {
        let message = format!(
            "A picture in `{name}` is larger than {} MB.",
            GIVEN_BYTES_MAX / (1024 * 1024)
        );
        return Err(BadBody::of(name, message));
    }
    PictureFormat::of(&form.content(part)).ok_or_else(|| {
        let message = format!("`{name}` must be a file that is a PNG, JPEG, WebP or GIF picture.");
        BadBody::of(name, message)
    })
}

/// A plain field as a pair of JSON.
fn plain(form: &Form, part: &FormPart) -> Result<String, BadBody> {
    let name = part.name.as_str();
    if is_of_the_edge(name) {
        let message = format!(
            "`{name}` can't stand in a form; send it in a header (`x-waule-max-cost`, `x-waule-route`), or send JSON."
        );
        return Err(BadBody::whole(message));
    }
    if part.file_name.is_some() {
        let message =
            format!("`{name}` is a file; pictures are taken in `image`, `image[]` and `mask`.");
        return Err(BadBody::whole(message));
    }
    let content = form.content(part);
    let text = std::str::from_utf8(&content)
        .map_err(|_| BadBody::whole(format!("The field `{name}` is no UTF-8 text.")))?;
    let is_number = || serde_json::from_str::<i64>(text.trim()).is_ok();
    let value = if NUMBERS.contains(&name) && is_number() {
        text.trim().to_owned()
    } else if FLAGS.contains(&name) && is_flag(text) {
        text.trim().to_ascii_lowercase()
    } else {
        json!(text).to_string()
    };
    Ok(format!("{}:{value}", Value::from(name)))
}

fn is_flag(text: &str) -> bool {
    let text = text.trim();
    text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false")
}

/// A field of JSON as a form writes it: texts bare, everything else as JSON.
pub(super) fn as_text(raw: &RawValue) -> String {
    match serde_json::from_str::<Value>(raw.get()) {
        Ok(Value::String(text)) => text,
        Ok(_) | Err(_) => raw.get().to_owned(),
    }
}
