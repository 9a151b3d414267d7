//! Pictures, sound, films and files as Converse names and holds them: a format instead of a media type, and
//! bytes or an address in the account's own store.

use std::borrow::Cow;

use super::wire::{ConverseMedium, ConverseS3, ConverseSource};
use crate::dialect::BadBody;
use crate::dialect::neutral::{Media, MediaKind, Source};

/// A kind's formats with the media type of each, the usual one first.
type Formats = &'static [(&'static str, &'static str)];

const IMAGES: Formats = &[
    ("png", "image/png"),
    ("jpeg", "image/jpeg"),
    ("jpeg", "image/jpg"),
    ("gif", "image/gif"),
    ("webp", "image/webp"),
];
const AUDIO: Formats = &[
    ("mp3", "audio/mpeg"),
    ("mp3", "audio/mp3"),
    ("wav", "audio/wav"),
    ("wav", "audio/x-wav"),
    ("opus", "audio/opus"),
    ("aac", "audio/aac"),
    ("flac", "audio/flac"),
    ("mp4", "audio/mp4"),
    ("m4a", "audio/x-m4a"),
    ("ogg", "audio/ogg"),
    ("webm", "audio/webm"),
    ("pcm", "audio/pcm"),
];
const VIDEOS: Formats = &[
    ("mp4", "video/mp4"),
    ("mov", "video/quicktime"),
    ("mkv", "video/x-matroska"),
    ("webm", "video/webm"),
    ("flv", "video/x-flv"),
    ("mpeg", "video/mpeg"),
    ("wmv", "video/x-ms-wmv"),
    ("three_gp", "video/3gpp"),
];
const DOCUMENTS: Formats = &[
    ("pdf", "application/pdf"),
    ("txt", "text/plain"),
    ("md", "text/markdown"),
    ("csv", "text/csv"),
    ("html", "text/html"),
    ("doc", "application/msword"),
    (
        "docx",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ),
    ("xls", "application/vnd.ms-excel"),
    (
        "xlsx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ),
];

/// What base64 of a picture begins with.
const BEGINNINGS: [(&str, &str); 4] = [
    ("iVBORw0KGgo", "png"),
    ("/9j/", "jpeg"),
    ("R0lGOD", "gif"),
    ("UklGR", "webp"),
];

const NAME_CHARS_MAX: usize = 190;

fn formats(kind: MediaKind) -> Formats {
    match kind {
        MediaKind::Image => IMAGES,
        MediaKind::Audio => AUDIO,
        MediaKind::Video => VIDEOS,
        MediaKind::Document => DOCUMENTS,
    }
}

/// Converse's word for the format; `None` where it has none.
pub(super) fn format(media: &Media) -> Option<&'static str> {
    if let Some(told) = &media.media_type {
        let told = told.split(';').next().unwrap_or_default().trim();
        let found = formats(media.kind)
            .iter()
            .find(|(_, known)| known.eq_ignore_ascii_case(told));
        return found.map(|(format, _)| *format);
    }
    match (&media.source, media.kind) {
        (Source::Base64(bytes), MediaKind::Image) => {
            let found = BEGINNINGS
                .iter()
                .find(|(begin, _)| bytes.starts_with(begin));
            found.map(|(_, format)| *format)
        }
        (Source::Base64(bytes), MediaKind::Document) if bytes.starts_with("JVBERi") => Some("pdf"),
        (Source::Text(_), MediaKind::Document) => Some("txt"),
        (Source::Base64(_) | Source::Url(_) | Source::Text(_) | Source::Id(_), _) => None,
    }
}

/// The media type of a format.
pub(super) fn media_type(kind: MediaKind, format: &str) -> Option<String> {
    let found = formats(kind).iter().find(|(known, _)| *known == format);
    found.map(|(_, media_type)| (*media_type).to_owned())
}

/// A document's name, of which Converse takes letters, digits, single blanks, hyphens and brackets, and
/// each but once in a request.
fn name(media: &Media, names: &mut Vec<String>) -> String {
    let given = media.name.as_deref().unwrap_or("document");
    let mut name = String::new();
    for char in given.chars().take(NAME_CHARS_MAX) {
        let char = match char {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '(' | ')' | '[' | ']' => char,
            char if char.is_whitespace() => ' ',
            _ => '-',
        };
        if !(char == ' ' && name.ends_with(' ')) {
            name.push(char);
        }
    }
    if name.trim().is_empty() {
        "document".clone_into(&mut name);
    }
    if names.contains(&name) {
        name = format!("{name} ({})", names.len() + 1);
    }
    names.push(name.clone());
    name
}

/// As Converse holds it; `names` are those of the documents before.
pub(super) fn write<'a>(
    media: &'a Media,
    names: &mut Vec<String>,
) -> Result<ConverseMedium<'a>, BadBody> {
    let what = match media.kind {
        MediaKind::Image => "pictures",
        MediaKind::Audio => "sound",
        MediaKind::Video => "films",
        MediaKind::Document => "files",
    };
    let wrong = |why: &str| BadBody::of("messages", format!("The model's provider takes {why}"));
    let mut source = ConverseSource::default();
    match &media.source {
        Source::Base64(bytes) => source.bytes = Some(bytes.as_str().into()),
        Source::Text(text) if media.kind == MediaKind::Document => {
            source.text = Some(text.as_str().into());
        }
        Source::Url(url) if url.starts_with("s3://") => {
            let uri = Cow::from(url.as_str());
            source.s3 = Some(ConverseS3 { uri });
        }
        Source::Url(_) | Source::Id(_) | Source::Text(_) => {
            let why = format!("{what} only with the request; send the bytes in base64.");
            return Err(wrong(&why));
        }
    }
    let Some(format) = format(media) else {
        let known: Vec<&str> = formats(media.kind).iter().map(|(word, _)| *word).collect();
        let known = known.join(", ");
        return Err(wrong(&format!("{what} of these formats alone: {known}.")));
    };
    let is_document = media.kind == MediaKind::Document;
    Ok(ConverseMedium {
        format: Some(format.into()),
        name: is_document.then(|| name(media, names).into()),
        source,
    })
}

/// Out of Converse; `None` where it holds nothing.
pub(super) fn read(kind: MediaKind, medium: ConverseMedium<'_>) -> Option<Media> {
    let source = medium.source;
    let source = match (source.bytes, source.text, source.s3) {
        (Some(bytes), _, _) => Source::Base64(bytes.into_owned()),
        (None, Some(text), _) => Source::Text(text.into_owned()),
        (None, None, Some(s3)) => Source::Url(s3.uri.into_owned()),
        (None, None, None) => return None,
    };
    Some(Media {
        kind,
        media_type: medium.format.and_then(|format| media_type(kind, &format)),
        source,
        name: medium.name.map(Cow::into_owned),
        detail: None,
        cache: None,
    })
}
