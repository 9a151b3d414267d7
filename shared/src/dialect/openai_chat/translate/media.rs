//! Pictures, sounds, films and files as parts of a message, both ways. Facts: OpenAI API reference, chat
//! completions, as of 2026-11; `video_url`, `audio_url` and addresses in `file_data` are OpenRouter's,
//! vLLM's and Alibaba's.

use std::borrow::Cow;

use super::out::JsonOut;
use super::raw::Raw;
use crate::dialect::neutral::{CacheMark, Media, MediaKind, Source};

/// The kind that a media type names.
pub(super) fn kind_of(media_type: &str) -> Option<MediaKind> {
    let (class, _) = media_type.split_once('/')?;
    Some(match class {
        "image" => MediaKind::Image,
        "audio" => MediaKind::Audio,
        "video" => MediaKind::Video,
        "text" | "application" => MediaKind::Document,
        _ => return None,
    })
}

/// A picture, sound, film or file from its part, by the part's type; `None` where it is of none of these
/// types, `Err` with what is wrong.
pub(super) fn read(kind: &str, part: Raw<'_>) -> Option<Result<Media, String>> {
    Some(match kind {
        "image_url" | "input_image" => addressed(MediaKind::Image, "image_url", part),
        "video_url" | "input_video" => addressed(MediaKind::Video, "video_url", part),
        "audio_url" => addressed(MediaKind::Audio, "audio_url", part),
        "input_audio" => sound(part),
        "file" | "input_file" => file(part),
        _ => return None,
    })
}

/// Of a part whose field `name` is an address or an object with one.
pub(super) fn addressed(kind: MediaKind, name: &str, part: Raw<'_>) -> Result<Media, String> {
    let missing = || format!("`{name}` has no `url`");
    let held = part.get(name).ok_or_else(missing)?;
    let [url, detail] = if held.is_text() {
        [Some(held), None]
    } else {
        held.pick(["url", "detail"])
    };
    let url = url.and_then(Raw::words).ok_or_else(missing)?;
    let (media_type, source) = source(url)?;
    Ok(Media {
        kind: kind_of(media_type.as_deref().unwrap_or_default()).unwrap_or(kind),
        media_type,
        source,
        name: None,
        detail: detail.and_then(Raw::words).map(Cow::into_owned),
        cache: None,
    })
}

fn sound(part: Raw<'_>) -> Result<Media, String> {
    let missing = || "`input_audio` has no `data`".to_owned();
    let held = part.get("input_audio").ok_or_else(missing)?;
    let [data, format] = held.pick(["data", "format"]);
    let data = data.and_then(Raw::words).ok_or_else(missing)?;
    let format = format.and_then(Raw::words);
    let (media_type, source) = if data.contains(':') {
        source(data)?
    } else {
        (None, Source::Base64(data.into_owned()))
    };
    Ok(Media {
        kind: MediaKind::Audio,
        media_type: media_type.or_else(|| format.as_deref().map(type_of_sound)),
        source,
        name: None,
        detail: None,
        cache: None,
    })
}

fn file(part: Raw<'_>) -> Result<Media, String> {
    let held = part.get("file").unwrap_or(part);
    let [data, id, name] = held.pick(["file_data", "file_id", "filename"]);
    let name = name.and_then(Raw::words).map(Cow::into_owned);
    let (media_type, source) = match (data.and_then(Raw::words), id.and_then(Raw::words)) {
        (Some(data), _) if data.contains(':') => source(data)?,
        (Some(data), _) => (None, Source::Base64(data.into_owned())),
        (None, Some(id)) => (None, Source::Id(id.into_owned())),
        (None, None) => return Err("`file` has neither `file_data` nor `file_id`".to_owned()),
    };
    let by_name = || name.as_deref().and_then(type_by_name).map(str::to_owned);
    let media_type = media_type.or_else(by_name);
    Ok(Media {
        kind: kind_of(media_type.as_deref().unwrap_or_default()).unwrap_or(MediaKind::Document),
        media_type,
        source,
        name,
        detail: None,
        cache: None,
    })
}

/// The media type and the source that an address stands for.
fn source(url: Cow<'_, str>) -> Result<(Option<String>, Source), String> {
    let begins = |scheme: &str| {
        let head = url.get(..scheme.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(scheme))
    };
    if begins("data:") {
        let parts = url["data:".len()..].split_once(',');
        let (head, data) = parts.ok_or("a data URL has no comma")?;
        let media_type = head.split(';').next().unwrap_or_default().trim();
        let is_base64 = head.rsplit(';').next().map(str::trim);
        if !is_base64.is_some_and(|word| word.eq_ignore_ascii_case("base64")) {
            return Err("a data URL must be in base64".to_owned());
        }
        let media_type = media_type.contains('/').then(|| media_type.to_owned());
        return Ok((media_type, Source::Base64(data.to_owned())));
    }
    if ["https://", "http://", "gs://"].into_iter().any(begins) {
        return Ok((None, Source::Url(url.into_owned())));
    }
    Err("an address must begin with https:// or data:".to_owned())
}

/// What OpenAI calls `mp3` and the like.
fn type_of_sound(format: &str) -> String {
    match format {
        "mp3" => "audio/mpeg".to_owned(),
        "m4a" => "audio/mp4".to_owned(),
        other => format!("audio/{other}"),
    }
}

fn sound_of_type(media_type: &str) -> &str {
    match media_type {
        "audio/mpeg" | "audio/mp3" => "mp3",
        "audio/wav" | "audio/x-wav" | "audio/wave" | "audio/vnd.wave" => "wav",
        "audio/mp4" | "audio/x-m4a" => "m4a",
        other => other.split_once('/').map_or("wav", |(_, format)| format),
    }
}

fn type_by_name(name: &str) -> Option<&'static str> {
    let (_, ending) = name.rsplit_once('.')?;
    Some(match ending.to_ascii_lowercase().as_str() {
        "pdf" => "application/pdf",
        "txt" => "text/plain",
        "md" => "text/markdown",
        "csv" => "text/csv",
        "html" => "text/html",
        "json" => "application/json",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        _ => return None,
    })
}

/// The media type of bytes where none is told: what is usual for their kind.
fn usual_type(kind: MediaKind) -> &'static str {
    match kind {
        MediaKind::Image => "image/png",
        MediaKind::Audio => "audio/wav",
        MediaKind::Video => "video/mp4",
        MediaKind::Document => "application/pdf",
    }
}

/// Writes the address of a picture or film: `Err` where it has none.
pub(super) fn write_url(out: &mut Vec<u8>, media: &Media) -> Result<(), String> {
    match &media.source {
        Source::Base64(data) => {
            let media_type = media.media_type.as_deref();
            let media_type = media_type.unwrap_or(usual_type(media.kind));
            out.joined(&["data:", media_type, ";base64,", data]);
        }
        Source::Url(url) => {
            out.text(url);
        }
        Source::Id(_) => return Err(held_elsewhere()),
        Source::Text(_) => return Err("a picture or film is given as text".to_owned()),
    }
    Ok(())
}

fn held_elsewhere() -> String {
    "a picture, sound or film is given by the id of a file at another provider".to_owned()
}

/// Writes the part of a message; `Err` with what can't be said, and then what stands in `out` is no JSON.
pub(super) fn write(
    out: &mut Vec<u8>,
    media: &Media,
    cache: Option<CacheMark>,
) -> Result<(), String> {
    out.open(b'{').key("type");
    match media.kind {
        MediaKind::Image | MediaKind::Video => {
            let name = if media.kind == MediaKind::Image {
                "image_url"
            } else {
                "video_url"
            };
            out.text(name).key(name).open(b'{').key("url");
            write_url(out, media)?;
            if let Some(detail) = &media.detail {
                out.key("detail").text(detail);
            }
        }
        MediaKind::Audio => {
            let data = match &media.source {
                Source::Base64(data) => data,
                Source::Url(_) => return Err("a sound is given by its address".to_owned()),
                Source::Id(_) | Source::Text(_) => return Err(held_elsewhere()),
            };
            let media_type = media.media_type.as_deref();
            let format = sound_of_type(media_type.unwrap_or(usual_type(media.kind)));
            out.text("input_audio").key("input_audio").open(b'{');
            out.key("data").joined(&[data]).key("format").text(format);
        }
        MediaKind::Document => return write_file(out, media, cache),
    }
    out.close(b'}').cache(cache).close(b'}');
    Ok(())
}

fn write_file(out: &mut Vec<u8>, media: &Media, cache: Option<CacheMark>) -> Result<(), String> {
    let name = media.name.as_deref();
    if let Source::Text(text) = &media.source {
        let name = name.unwrap_or("document");
        out.text("text").key("text");
        out.joined(&["<document name=\"", name, "\">\n", text, "\n</document>"]);
        out.cache(cache).close(b'}');
        return Ok(());
    }
    out.text("file").key("file").open(b'{');
    match &media.source {
        Source::Id(id) => {
            out.key("file_id").text(id);
            if let Some(name) = name {
                out.key("filename").text(name);
            }
        }
        Source::Base64(_) | Source::Url(_) | Source::Text(_) => {
            out.key("filename").text(name.unwrap_or("document.pdf"));
            out.key("file_data");
            write_url(out, media)?;
        }
    }
    out.close(b'}').cache(cache).close(b'}');
    Ok(())
}
