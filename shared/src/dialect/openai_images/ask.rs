//! A request of this format in the terms that all formats of pictures have in common.

use bytes::Bytes;
use serde_json::value::RawValue;

use super::{GIVEN_BYTES_MAX, MARKUP, MASK, PICTURES, uploaded};
use crate::dialect::BadBody;
use crate::dialect::body::{Body, Form, FormPart};
use crate::dialect::fields::{SAFETY_IDENTIFIER, USER, is_nothing};
use crate::dialect::pictures::{
    Delivery, GivenPicture, PictureFormat, PictureRequest, PictureTask,
};
use crate::dialect::walk::{Walk, text_of};
use crate::json;

/// What without a scheme is long is data, else a name.
const DATA_MIN: usize = 256;
/// Fields that are no part of what is drawn.
const BESIDE: [&str; 4] = ["model", "stream", "service_tier", "tools"];

/// What `body` asks for.
pub fn asked(task: PictureTask, body: &Body) -> Result<PictureRequest, BadBody> {
    let mut request = PictureRequest {
        task,
        n: 1,
        ..PictureRequest::default()
    };
    match body {
        Body::Json(bytes) => read_fields(bytes, &mut request)?,
        Body::Form(form) => {
            let uploaded = uploaded(form)?;
            if uploaded.markup.is_some() {
                return Err(no_markup());
            }
            read_fields(uploaded.json.as_bytes(), &mut request)?;
            let files = uploaded.images.into_iter();
            request.images.extend(files.map(|one| file(form, one)));
            request.mask = uploaded.mask.map(|one| file(form, one));
        }
        Body::Empty => return Err(BadBody::whole("The body is empty.")),
    }
    Ok(request)
}

fn file(form: &Form, (part, format): (&FormPart, PictureFormat)) -> GivenPicture {
    let name = part.file_name.clone().filter(|name| !name.is_empty());
    let name = name.unwrap_or_else(|| format!("image.{}", format.ending()));
    GivenPicture::File {
        name,
        format,
        bytes: form.content(part),
    }
}

fn no_markup() -> BadBody {
    let message = "`markup` can't be said to this model; choose another one.";
    BadBody::of(MARKUP, message)
}

fn read_fields(bytes: &[u8], request: &mut PictureRequest) -> Result<(), BadBody> {
    let mut bad = None;
    let read = json::each_field(bytes, |name, value| {
        if let Err(error) = field(name, value, request) {
            bad.get_or_insert(error);
        }
        Ok(())
    });
    read.map_err(|error| BadBody::whole(error.to_string()))?;
    bad.map_or(Ok(()), Err)
}

fn field(name: &str, value: &RawValue, request: &mut PictureRequest) -> Result<(), BadBody> {
    let raw = value.get();
    let text = || serde_json::from_str::<String>(raw).ok();
    if is_nothing(raw.as_bytes()) && name != "watermark" && name != "seed" {
        return Ok(());
    }
    match name {
        "prompt" => request.prompt = text().unwrap_or_default(),
        "negative_prompt" => request.negative_prompt = text(),
        "n" => request.n = raw.parse().unwrap_or(1),
        "partial_images" => request.partial = raw.parse().unwrap_or(0),
        "size" => request.size = text().filter(|size| size != "auto"),
        "quality" => request.quality = text().filter(|quality| quality != "auto"),
        "background" => request.background = text().filter(|word| word != "auto"),
        "output_format" => request.output_format = text(),
        "output_compression" => request.output_compression = raw.parse().ok(),
        "response_format" => {
            request.delivery = match text().as_deref() {
                Some("url") => Some(Delivery::Url),
                Some("b64_json") => Some(Delivery::Base64),
                _ => {
                    let message = "`response_format` must be url or b64_json.";
                    return Err(BadBody::of("response_format", message));
                }
            }
        }
        "seed" => request.seed = raw.parse().ok(),
        "watermark" => request.watermark = raw.parse().ok(),
        USER | SAFETY_IDENTIFIER => request.end_user = text(),
        MASK => {
            let mut found = None;
            each_picture(MASK, raw.as_bytes(), &mut |text| {
                found = Some(given(&text_of(text)));
                Ok(())
            })?;
            request.mask = found;
        }
        MARKUP => return Err(no_markup()),
        _ => match PICTURES.iter().find(|known| **known == name) {
            Some(name) => each_picture(name, raw.as_bytes(), &mut |text| {
                request.images.push(given(&text_of(text)));
                Ok(())
            })?,
            None if BESIDE.contains(&name) => {}
            None => request.unsaid.push(name.to_owned()),
        },
    }
    Ok(())
}

/// A picture as a text gives it.
fn given(text: &str) -> GivenPicture {
    let held = text
        .get(..5)
        .is_some_and(|head| head.eq_ignore_ascii_case("data:"));
    if held && let Some((head, data)) = text[5..].split_once(',') {
        let media_type = head.split(';').next().unwrap_or_default();
        return GivenPicture::Base64 {
            media_type: media_type.to_ascii_lowercase(),
            data: data.to_owned(),
        };
    }
    if is_address(text.as_bytes()) {
        return GivenPicture::Url(text.to_owned());
    }
    GivenPicture::Base64 {
        media_type: "image/png".to_owned(),
        data: text.to_owned(),
    }
}

fn is_address(text: &[u8]) -> bool {
    let begins = |with: &[u8]| {
        let head = text.get(..with.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(with))
    };
    begins(b"http://") || begins(b"https://")
}

/// Meets every picture that a value holds, as it is written there: texts, objects with `image_url` or `url`,
/// lists of these.
pub(super) fn each_picture(
    name: &'static str,
    json: &[u8],
    meet: &mut dyn FnMut(&[u8]) -> Result<(), BadBody>,
) -> Result<(), BadBody> {
    let mut bad = None;
    let mut walk = Walk::new(json);
    let walked = value(&mut walk, &mut |text: &[u8]| {
        let met = picture(name, text).and_then(|()| meet(text));
        if let Err(error) = met {
            bad.get_or_insert(error);
        }
    });
    match bad {
        Some(error) => Err(error),
        None if walked == Some(true) => Ok(()),
        None => Err(wrong(name)),
    }
}

fn wrong(name: &'static str) -> BadBody {
    let message = format!(
        "`{name}` must be a URL or a data URL of a picture, an object with `image_url`, or a list of these; \
         in a form, files. What is named by a `file_id` can't be counted; put it into the request itself."
    );
    BadBody::of(name, message)
}

/// Whether all that stands there is a picture.
fn value(walk: &mut Walk<'_>, meet: &mut dyn FnMut(&[u8])) -> Option<bool> {
    match walk.peek()? {
        b'"' => {
            meet(walk.text()?);
            Some(true)
        }
        b'[' => {
            let mut all = true;
            walk.array(|walk| {
                all &= value(walk, meet)?;
                Some(())
            })?;
            Some(all)
        }
        b'{' => {
            let (mut found, mut other) = (false, false);
            walk.object(|walk, name| {
                match name {
                    b"image_url" | b"url" => found |= value(walk, meet)?,
                    b"file_id" => other |= walk.value()? != b"null",
                    _ => drop(walk.value()?),
                }
                Some(())
            })?;
            Some(found && !other)
        }
        _ => Some(walk.value()? == b"null"),
    }
}

/// Whether a text is a picture: an address, or bytes that are not too many.
fn picture(name: &'static str, text: &[u8]) -> Result<(), BadBody> {
    if text.len() / 4 * 3 > GIVEN_BYTES_MAX {
        let most = GIVEN_BYTES_MAX / (1024 * 1024);
        let message = format!("A picture in `{name}` is larger than {most} MB.");
        return Err(BadBody::of(name, message));
    }
    let head = text_of(&text[..text.len().min(DATA_MIN)]).to_ascii_lowercase();
    let is_picture = head.starts_with("data:image/")
        || is_address(head.as_bytes())
        || (text.len() >= DATA_MIN && !head.starts_with("data:"));
    if is_picture { Ok(()) } else { Err(wrong(name)) }
}

/// The bytes of a picture that a text holds; `None` where it is an address.
pub(super) fn file_of(text: &[u8]) -> Option<GivenPicture> {
    match given(&text_of(text)) {
        GivenPicture::Url(_) => None,
        held @ (GivenPicture::Base64 { .. } | GivenPicture::File { .. }) => Some(held),
    }
}

/// A picture's content as a file: its type's own ending, and its bytes.
pub(super) fn as_file(
    picture: &GivenPicture,
    field: &'static str,
) -> Result<(String, String, Bytes), BadBody> {
    let (name, kind, bytes) = picture.file(field)?;
    Ok((name, kind.to_owned(), bytes))
}
