//! Media that lie at addresses, for those who take bytes alone: which of a request they are, and what was
//! fetched in their place. Fetches nothing.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{ChatRequest, Media, MediaKind, Part, Source};
use crate::dialect::pictures::PictureFormat;

/// A text that is fetched is no more than what was held for a file at an address, whatever it is written in.
const TEXT_BYTES_MAX: usize = 512 * 1024;

impl ChatRequest {
    /// Hands every medium to `each`, those in answers of functions too.
    pub fn each_medium(&mut self, mut each: impl FnMut(&mut Media)) {
        let turns = self.turns.iter_mut().flat_map(|turn| &mut turn.parts);
        for part in self.instructions.iter_mut().chain(turns) {
            match part {
                Part::Media(media) => each(media),
                Part::ToolResult(result) => {
                    for part in &mut result.parts {
                        if let Part::Media(media) = part {
                            each(media);
                        }
                    }
                }
                Part::Text { .. } | Part::Refusal(_) | Part::Thought(_) | Part::ToolCall(_) => {}
            }
        }
    }
}

impl Media {
    /// Where on the web it lies, if it does.
    pub fn address(&self) -> Option<&str> {
        let Source::Url(url) = &self.source else {
            return None;
        };
        is_address(url).then_some(url)
    }

    /// Puts what was fetched in the place of its address; the server that sent it says that it is of the type
    /// `told`, which is believed of texts alone. `Err` says what it is not.
    pub fn put(&mut self, told: Option<&str>, bytes: &[u8]) -> Result<(), &'static str> {
        let found = match self.kind {
            MediaKind::Image => PictureFormat::of(bytes).map(PictureFormat::media_type),
            MediaKind::Audio => sound(bytes),
            MediaKind::Video => film(bytes),
            MediaKind::Document if bytes.starts_with(b"%PDF-") => Some("application/pdf"),
            MediaKind::Document => {
                let text = told
                    .filter(|told| is_text(told))
                    .and_then(|_| str::from_utf8(bytes).ok());
                let text = text.ok_or("neither a PDF nor a text")?;
                if text.len() > TEXT_BYTES_MAX {
                    return Err("a text of more than 512 KiB");
                }
                self.media_type = told.map(str::to_owned);
                self.source = Source::Text(text.to_owned());
                return Ok(());
            }
        };
        let found = found.ok_or(match self.kind {
            MediaKind::Image => "no PNG, JPEG, WebP or GIF",
            MediaKind::Audio => "no WAV, MP3, FLAC, Ogg or MP4",
            MediaKind::Video => "no MP4 or WebM",
            MediaKind::Document => "no PDF",
        })?;
        self.media_type = Some(found.to_owned());
        self.source = Source::Base64(STANDARD.encode(bytes));
        Ok(())
    }
}

/// Whether it is an address on the web, and not one of a storage or the thing itself.
pub(crate) fn is_address(url: &str) -> bool {
    let begins = |scheme: &str| {
        url.get(..scheme.len())
            .is_some_and(|begin| begin.eq_ignore_ascii_case(scheme))
    };
    begins("http://") || begins("https://")
}

fn is_text(media_type: &str) -> bool {
    media_type.starts_with("text/") || ["application/json", "application/xml"].contains(&media_type)
}

/// The type of a sound by what it begins with.
fn sound(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'A',
            b'V',
            b'E',
            ..,
        ] => Some("audio/wav"),
        // With a tag, or the first frame of MPEG audio (layer III).
        [b'I', b'D', b'3', ..] | [0xff, 0xe2 | 0xe3 | 0xf2 | 0xf3 | 0xfa | 0xfb, ..] => {
            Some("audio/mpeg")
        }
        [b'f', b'L', b'a', b'C', ..] => Some("audio/flac"),
        [b'O', b'g', b'g', b'S', ..] => Some("audio/ogg"),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => Some("audio/mp4"),
        _ => None,
    }
}

/// That of a film.
fn film(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => Some("video/mp4"),
        [0x1a, 0x45, 0xdf, 0xa3, ..] => Some("video/webm"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::neutral::{Role, ToolResult, Turn};

    fn at(kind: MediaKind, url: &str) -> Media {
        Media {
            kind,
            media_type: None,
            source: Source::Url(url.to_owned()),
            name: None,
            detail: None,
            cache: None,
        }
    }

    #[test]
    fn addresses_of_the_web_are_told_from_others() {
        for (url, is_one) in [
            ("https://files.example/a", true),
            ("HTTP://files.example/a", true),
            ("s3://bucket/a", false),
            ("gs://bucket/a", false),
            ("data:image/png;base64,aGk=", false),
            ("file-abc", false),
            ("http", false),
            ("\u{e9}\u{e9}\u{e9}\u{e9}://", false),
            ("", false),
        ] {
            let media = at(MediaKind::Image, url);
            assert_eq!(media.address().is_some(), is_one, "{url}");
        }
    }

    #[test]
    fn what_was_fetched_is_known_by_its_bytes() {
        use MediaKind as K;
        let mp4 = b"\0\0\0\x20ftypisom";
        for (kind, told, bytes, found) in [
            (
                K::Image,
                "text/html",
                &b"\x89PNG\r\n"[..],
                Some("image/png"),
            ),
            (K::Image, "image/png", b"<html>", None),
            (K::Image, "image/svg+xml", b"<svg/>", None),
            (K::Image, "image/png", b"", None),
            (K::Audio, "", b"RIFF\x24\0\0\0WAVEfmt ", Some("audio/wav")),
            (K::Audio, "", b"\xff\xfb\x90", Some("audio/mpeg")),
            (K::Audio, "", b"ID3\x04", Some("audio/mpeg")),
            (K::Audio, "audio/wav", b"RIFF\x24\0\0\0WEBP", None),
            (K::Audio, "", mp4, Some("audio/mp4")),
            (K::Video, "", mp4, Some("video/mp4")),
            (K::Video, "video/mp4", b"RIFF", None),
            (
                K::Document,
                "text/plain",
                b"%PDF-1.7",
                Some("application/pdf"),
            ),
            (K::Document, "application/pdf", b"PK\x03\x04", None),
            (K::Document, "text/plain", b"\xff\xfe", None),
        ] {
            let mut media = at(kind, "https://files.example/a");
            let told = Some(told).filter(|told| !told.is_empty());
            let put = media.put(told, bytes);
            assert_eq!(put.is_ok(), found.is_some(), "{kind:?} {bytes:?}");
            if let Some(found) = found {
                assert_eq!(media.media_type.as_deref(), Some(found));
                assert_eq!(media.source, Source::Base64(STANDARD.encode(bytes)));
            } else {
                assert!(media.address().is_some(), "it is as it was");
            }
        }
        let mut text = at(K::Document, "https://files.example/a.md");
        assert_eq!(text.put(Some("text/markdown"), "# é".as_bytes()), Ok(()));
        assert_eq!(text.source, Source::Text("# é".to_owned()));
        let mut long = at(K::Document, "https://files.example/a.txt");
        let bytes = vec![b'a'; TEXT_BYTES_MAX + 1];
        assert!(long.put(Some("text/plain"), &bytes).is_err());
        assert_eq!(long.put(Some("text/plain"), &bytes[1..]), Ok(()));
    }

    #[test]
    fn media_are_found_wherever_they_stand() {
        let media = |url: &str| Part::Media(at(MediaKind::Image, url));
        let result = ToolResult {
            id: "1".to_owned(),
            name: None,
            parts: vec![Part::text("seen"), media("c")],
            is_error: false,
            cache: None,
        };
        let mut request = ChatRequest {
            instructions: vec![media("a")],
            turns: vec![Turn {
                role: Role::User,
                parts: vec![media("b"), Part::text("x"), Part::ToolResult(result)],
            }],
            ..ChatRequest::default()
        };
        let mut found = String::new();
        request.each_medium(|media| {
            if let Source::Url(url) = &media.source {
                found.push_str(url);
            }
        });
        assert_eq!(found, "abc");
    }
}
