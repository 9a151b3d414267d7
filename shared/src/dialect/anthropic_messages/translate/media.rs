//! Pictures and documents: which this format takes, and in what form.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::blocks::{Block, BlockSource as Written, CacheControl};
use crate::dialect::BadBody;
use crate::dialect::neutral::{CacheMark, Media, MediaKind, Part, Source};

const MESSAGES: &str = "messages";
const PDF: &str = "application/pdf";
const PLAIN: &str = "text/plain";
/// Ids of files that Anthropic gave begin so; those of others mean nothing to it.
const FILE: &str = "file_";

/// Pictures that are taken (API reference, "image"), with what each begins with in base64.
const PICTURES: [(&str, &str); 4] = [
    ("image/jpeg", "/9j/"),
    ("image/png", "iVBORw0KGgo"),
    ("image/gif", "R0lGOD"),
    ("image/webp", "UklGR"),
];

fn refused(what: &str) -> BadBody {
    BadBody::of(
        MESSAGES,
        format!("This model's provider does not take {what}."),
    )
}

/// A picture or document as a part of a request.
pub(super) fn written(media: &Media) -> Result<Block<'_>, BadBody> {
    let cache_control = media.cache.map(CacheControl::of);
    match media.kind {
        MediaKind::Image => Ok(Block::Image {
            source: picture(media)?,
            cache_control,
        }),
        MediaKind::Document => Ok(Block::Document {
            source: document(media)?,
            title: media.name.as_deref(),
            cache_control,
        }),
        MediaKind::Audio => Err(refused("sound")),
        MediaKind::Video => Err(refused("films")),
    }
}

fn away<'a>(media: &'a Media, what: &str) -> Result<Written<'a>, BadBody> {
    match &media.source {
        Source::Url(url) => Ok(Written::Url { url }),
        Source::Id(file_id) if file_id.starts_with(FILE) => Ok(Written::File { file_id }),
        Source::Id(_) => Err(refused(&format!(
            "{what} by the id of a file at another provider; send it in base64"
        ))),
        Source::Base64(_) | Source::Text(_) => Err(refused(what)),
    }
}

fn picture(media: &Media) -> Result<Written<'_>, BadBody> {
    let Source::Base64(data) = &media.source else {
        return away(media, "pictures");
    };
    let told = media.media_type.as_deref().map(str::to_ascii_lowercase);
    let told = match told.as_deref() {
        Some("image/jpg") => Some("image/jpeg"),
        told => told,
    };
    // Many name a type that the bytes are not, and this provider looks.
    let found = PICTURES
        .iter()
        .find(|(_, begin)| data.starts_with(begin))
        .or_else(|| PICTURES.iter().find(|(known, _)| told == Some(known)));
    match found {
        Some((media_type, _)) => Ok(Written::Base64 { media_type, data }),
        None => Err(refused("pictures that are no JPEG, PNG, GIF or WebP")),
    }
}

fn document(media: &Media) -> Result<Written<'_>, BadBody> {
    match &media.source {
        Source::Text(text) => Ok(plain(Cow::Borrowed(text))),
        Source::Base64(data) => {
            let told = media.media_type.as_deref().unwrap_or_default();
            if data.starts_with("JVBER") || told.eq_ignore_ascii_case(PDF) {
                let media_type = PDF;
                return Ok(Written::Base64 { media_type, data });
            }
            let text = || String::from_utf8(decoded(data)?).ok();
            let is_text = told.starts_with("text/") || told == "application/json";
            match is_text.then(text).flatten() {
                Some(text) => Ok(plain(Cow::Owned(text))),
                None => Err(refused("documents that are no PDF and no text")),
            }
        }
        Source::Url(_) | Source::Id(_) => away(media, "documents"),
    }
}

fn plain(data: Cow<'_, str>) -> Written<'_> {
    Written::Text {
        media_type: PLAIN,
        data,
    }
}

/// The bytes of base64 (RFC 4648, section 4), with or without what fills it up.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 3);
    let (mut bits, mut length) = (0_u32, 0_u32);
    for byte in text.trim_end_matches('=').bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'\n' | b'\r' => continue,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(value)) & 0x00ff_ffff;
        length += 6;
        if length >= 8 {
            length -= 8;
            bytes.push(u8::try_from(bits >> length & 0xff).ok()?);
        }
    }
    Some(bytes)
}

/// Where media are, as tenants write it.
#[derive(Debug, Deserialize)]
struct SourceRead<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    media_type: Option<String>,
    data: Option<String>,
    url: Option<String>,
    file_id: Option<String>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
}

/// What a part that holds media says beside its source.
#[derive(Debug)]
pub(super) struct Around {
    pub(super) kind: MediaKind,
    pub(super) name: Option<String>,
    pub(super) cache: Option<CacheMark>,
}

/// A picture or document of a tenant. One that is made of parts becomes its text, and its pictures behind
/// it; `contents` reads those.
pub(super) fn read(
    source: Option<&RawValue>,
    around: Around,
    contents: impl FnOnce(&RawValue) -> Result<Vec<Part>, BadBody>,
) -> Result<Vec<Part>, BadBody> {
    let what = "a picture's or document's `source`";
    let source = source.ok_or_else(|| BadBody::of(MESSAGES, format!("{what} is missing.")))?;
    let source: SourceRead<'_> = serde_json::from_str(source.get())
        .map_err(|error| BadBody::of(MESSAGES, format!("{what} can't be read: {error}")))?;
    let missing = |name: &str| BadBody::of(MESSAGES, format!("{what} has no `{name}`."));
    let mut media_type = source.media_type;
    let mut pictures = Vec::new();
    let place = match source.kind.as_ref() {
        "base64" => Source::Base64(source.data.ok_or_else(|| missing("data"))?),
        "text" => Source::Text(source.data.ok_or_else(|| missing("data"))?),
        "url" => Source::Url(source.url.ok_or_else(|| missing("url"))?),
        "file" => Source::Id(source.file_id.ok_or_else(|| missing("file_id"))?),
        "content" => {
            media_type = Some(PLAIN.to_owned());
            let parts = contents(source.content.ok_or_else(|| missing("content"))?)?;
            let mut texts: Vec<String> = Vec::new();
            for part in parts {
                if let Part::Text { text, .. } = part {
                    texts.push(text);
                } else {
                    pictures.push(part);
                }
            }
            Source::Text(texts.join("\n"))
        }
        other => {
            let message = format!("{what} is of the type `{other}`, which is not known.");
            return Err(BadBody::of(MESSAGES, message));
        }
    };
    let Around { kind, name, cache } = around;
    let mut parts = vec![Part::Media(Media {
        kind,
        media_type,
        source: place,
        name,
        detail: None,
        cache,
    })];
    parts.append(&mut pictures);
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_decoded_in_every_form() {
        for (text, bytes) in [
            ("", Some(&b""[..])),
            ("aGk=", Some(b"hi")),
            ("aGk", Some(b"hi")),
            ("aGVs\nbG8=", Some(b"hello")),
            ("5rGJ", Some("\u{6c49}".as_bytes())),
            ("_-8", Some(b"\xff\xef")),
            ("!", None),
        ] {
            assert_eq!(decoded(text).as_deref(), bytes, "{text}");
        }
    }
}
