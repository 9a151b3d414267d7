//! What the input of a call is, each part counted by what it is: text by its weight, pictures, sound,
//! films and files by theirs, token arrays as themselves. Base64 is no text. An estimate for limits and
//! for providers that never tell, and the most that it can be, for holds.

use crate::dialect::fold::Folded;
use crate::dialect::pictures::header;
use crate::dialect::walk::{Walk, unescaped};
use crate::dialect::weight;

/// A picture is given as a URL or as bytes; either way it costs no more tokens than this with the
/// vision models of 2026 (high detail, largest size), and at low detail no more than the second.
const PICTURE_MAX: u64 = 8_192;
const PICTURE_LOW: u64 = 256;
/// The least that OpenAI takes for one, and about what a picture takes that is not seen here.
const PICTURE_MIN: u64 = 85;
const PICTURE_AWAY: u64 = 2_048;
/// A token stands for about 750 pixels (Anthropic, "Vision"), and a pixel for about a twelfth of a byte
/// of JPEG at the least.
const BYTES_PER_PICTURE_TOKEN: u64 = 64;
/// Nothing takes more than the largest context window.
const CONTEXT_MAX: u64 = 1_048_576;
/// Films and files that providers fetch: about 15 minutes at 290 tokens a second, 130 pages at 2,000.
const AWAY_MAX: u64 = 262_144;
const FILM_AWAY: u64 = 16_384;
const FILE_AWAY: u64 = 8_192;
/// Sound that providers fetch: about half an hour at 32 tokens a second (Google).
const SOUND_AWAY_MAX: u64 = 65_536;
const SOUND_AWAY: u64 = 4_096;
/// A chat template puts a few tokens around each message (OpenAI, "How to count tokens").
const TOKENS_PER_MESSAGE: u64 = 4;
/// What is given without a scheme is data when it is as long as this, else a name or an id.
const DATA_MIN: usize = 256;

/// The input of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Input {
    quarters: u64,
    messages: u64,
    /// Bytes of the body that are no text.
    other_bytes: u64,
    others: u64,
    others_max: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Media {
    Picture,
    Sound,
    File,
    Film,
}

/// Media of one part whose kind may be told behind them.
#[derive(Debug, Default)]
struct Found {
    /// By the part's `type` or the names of its fields; the dearest counts.
    kind: Option<Media>,
    is_low: bool,
    /// What it is where nothing says more.
    otherwise: Option<Media>,
    /// Whether it is one of a list, as a film's pictures are.
    is_listed: bool,
    /// Base64 whose kind is not told with it.
    inline: Vec<Inline<'static>>,
    /// Addresses of which the same holds.
    away: u64,
    /// The same as text, should there be no kind.
    quarters: u64,
    /// Whether any was counted already.
    has_counted: bool,
}

/// Bytes of media in a body.
#[derive(Debug, Clone, Copy)]
struct Inline<'a> {
    /// Of their base64.
    length: u64,
    /// What they are, as far as that is told.
    mime: &'a [u8],
    /// Width and height of a picture, as its own header tells them.
    sides: Option<(u32, u32)>,
}

impl Input {
    /// Of an array of messages, as it is written, or of the text that stands for one.
    pub(crate) fn of_messages(json: &[u8]) -> Self {
        let mut input = Self::default();
        let mut walk = Walk::new(json);
        match walk.peek() {
            // Stops at what is no JSON; bodies are checked before.
            Some(b'[') => drop(walk.array(|walk| {
                input.messages += 1;
                input.value(walk)
            })),
            Some(b'"') => {
                input.messages += 1;
                input.value(&mut walk);
            }
            _ => {}
        }
        input
    }

    /// Of any value: texts, parts, token arrays or lists of them.
    pub(crate) fn of_value(json: &[u8]) -> Self {
        let mut input = Self::default();
        input.value(&mut Walk::new(json));
        input
    }

    /// Of texts that are read whole, names and all, as the descriptions of tools are.
    pub(crate) fn of_text(json: &[u8]) -> Self {
        Self {
            quarters: weight::quarters(json),
            ..Self::default()
        }
    }

    /// Of pictures, however they are written: addresses or base64, alone, in objects or in a list.
    pub(crate) fn of_pictures(json: &[u8]) -> Self {
        let mut input = Self::default();
        if matches!(json, b"null" | b"\"\"" | b"[]") {
            return input;
        }
        let mut found = Found {
            kind: Some(Media::Picture),
            ..Found::default()
        };
        input.media(&mut Walk::new(json), &mut found);
        input.settle(found);
        input
    }

    /// Of a picture that is no part of the JSON, by its first bytes.
    pub(crate) fn of_picture(bytes: &[u8]) -> Self {
        let mut input = Self::default();
        let (about, most) = picture(length(bytes), header::sides(bytes));
        input.count(about, most);
        input
    }

    /// Both together.
    #[must_use]
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            quarters: self.quarters.saturating_add(other.quarters),
            messages: self.messages.saturating_add(other.messages),
            other_bytes: self.other_bytes.saturating_add(other.other_bytes),
            others: self.others.saturating_add(other.others),
            others_max: self.others_max.saturating_add(other.others_max),
        }
    }

    /// About how many tokens it is.
    pub(crate) fn estimate(&self) -> u64 {
        weight::tokens(self.quarters)
            .saturating_add(self.messages.saturating_mul(TOKENS_PER_MESSAGE))
            .saturating_add(self.others)
            .max(1)
    }

    /// How many tokens it is at most, in a body of `body_bytes`: of text a token stands for at least one
    /// byte, and the JSON around each message outweighs what a chat template adds.
    pub(crate) fn most(&self, body_bytes: u64) -> u64 {
        body_bytes
            .saturating_sub(self.other_bytes)
            .saturating_add(self.others_max)
    }

    fn value(&mut self, walk: &mut Walk<'_>) -> Option<()> {
        match walk.peek()? {
            b'"' => self.quarters += weight::quarters(walk.text()?),
            b'[' => walk.array(|walk| self.value(walk))?,
            b'{' => self.part(walk)?,
            b'0'..=b'9' => {
                // A token of an array of tokens, with the comma behind it.
                self.other_bytes += length(walk.value()?) + 1;
                self.count(1, 1);
            }
            _ => drop(walk.value()?),
        }
        Some(())
    }

    fn count(&mut self, about: u64, most: u64) {
        self.others = self.others.saturating_add(about);
        self.others_max = self.others_max.saturating_add(most.max(about));
    }

    /// A message or a part of one.
    fn part(&mut self, walk: &mut Walk<'_>) -> Option<()> {
        let mut found = Found::default();
        walk.object(|walk, name| {
            let name = Folded::of(name);
            if name.get() == b"type" && walk.peek()? == b'"' {
                let kind = Folded::of(walk.text()?);
                found.kind = found.kind.max(media(kind.get()));
                return Some(());
            }
            let kind = media(name.get());
            // Google's parts, which tell their kind by a media type beside the data.
            let is_part_data = match name.get() {
                b"inline_data" | b"inlinedata" => true,
                b"filedata" => {
                    found.otherwise = Some(Media::File);
                    true
                }
                b"file_data" if walk.peek()? == b'{' => {
                    found.otherwise = Some(Media::File);
                    true
                }
                _ => false,
            };
            if is_part_data {
                return self.media(walk, &mut found);
            }
            // What a function is called with and answers is text to a model, whatever its fields are called.
            if matches!(name.get(), b"args" | b"response") && walk.peek()? == b'{' {
                self.quarters += weight::quarters(walk.value()?);
                return Some(());
            }
            if kind.is_some() || name.get() == b"source" {
                found.kind = found.kind.max(kind);
                return self.media(walk, &mut found);
            }
            self.value(walk)
        })?;
        self.settle(found);
        Some(())
    }

    /// Counts what a part held, once its kind is known.
    fn settle(&mut self, mut found: Found) {
        let kind = found.kind.or(found.otherwise);
        let Some(kind) = kind else {
            self.quarters += found.quarters;
            return;
        };
        if found.inline.is_empty() && found.away == 0 && !found.has_counted {
            // Told by an id, or not at all.
            found.away = 1;
        }
        for inline in found.inline {
            self.inline(kind, inline, found.is_low);
        }
        for _ in 0..found.away.min(1_000_000) {
            self.away(kind, found.is_low);
        }
    }

    /// What stands in a field for media.
    fn media(&mut self, walk: &mut Walk<'_>, found: &mut Found) -> Option<()> {
        match walk.peek()? {
            b'[' => {
                found.is_listed = true;
                walk.array(|walk| self.media(walk, found))?;
                found.is_listed = false;
            }
            b'{' => walk.object(|walk, name| match Folded::of(name).get() {
                b"detail" => {
                    found.is_low |= walk.value()? == b"\"low\"";
                    Some(())
                }
                b"mimetype" | b"mime_type" | b"media_type" if walk.peek()? == b'"' => {
                    let mime = unescaped(walk.text()?).to_ascii_lowercase();
                    found.kind = found.kind.max(of_mime(&mime));
                    Some(())
                }
                _ => self.media(walk, found),
            })?,
            b'"' => {
                let text = walk.text()?;
                self.medium(text, found);
            }
            _ => drop(walk.value()?),
        }
        Some(())
    }

    fn medium(&mut self, text: &[u8], found: &mut Found) {
        let head = unescaped(&text[..text.len().min(DATA_MIN)]).to_ascii_lowercase();
        if let Some(rest) = head.strip_prefix(b"data:") {
            let end = rest.iter().position(|byte| matches!(byte, b';' | b','));
            let mime = &rest[..end.unwrap_or(rest.len())];
            match of_mime(mime) {
                Some(kind) => {
                    found.has_counted = true;
                    found.kind = found.kind.or(Some(kind));
                    let is_low = found.is_low && kind == Media::Picture;
                    let data = memchr::memchr(b',', text).map(|comma| &text[comma + 1..]);
                    let data = data.filter(|_| kind == Media::Picture);
                    let inline = Inline {
                        length: length(text),
                        mime,
                        sides: data.and_then(header::sides_of_base64),
                    };
                    self.inline(kind, inline, is_low);
                }
                None => found.inline(text),
            }
        } else if head.starts_with(b"http:")
            || head.starts_with(b"https:")
            || head.starts_with(b"gs:")
        {
            match of_ending(&unescaped(text).to_ascii_lowercase()) {
                Some(kind)
                    if Some(kind) > found.kind || (kind == Media::Picture && found.is_listed) =>
                {
                    found.has_counted = true;
                    self.away(kind, false);
                }
                Some(_) | None => found.away += 1,
            }
            self.quarters +=
                weight::quarters(text).min(weight::quarters(&text[..text.len().min(DATA_MIN)]));
        } else if text.len() >= DATA_MIN {
            found.inline(text);
        } else {
            self.quarters += weight::quarters(text);
        }
    }

    /// Bytes of media in the body.
    fn inline(&mut self, kind: Media, inline: Inline<'_>, is_low: bool) {
        let Inline {
            length,
            mime,
            sides,
        } = inline;
        self.other_bytes = self.other_bytes.saturating_add(length);
        let bytes = length / 4 * 3;
        let (about, most) = match kind {
            Media::Picture if is_low => (PICTURE_LOW, PICTURE_LOW),
            Media::Picture => picture(bytes, sides),
            // Telephone quality of 8,000 bytes a second, of which usual sound has four times more; 32
            // tokens a second (Google).
            Media::Sound if mime.ends_with(b"wav") => (bytes / 1_000 + 16, bytes / 200 + 64),
            // Speech at 16 kilobits a second at the least, music at 128.
            Media::Sound => (bytes / 500 + 16, bytes / 48 + 64),
            // 300 tokens a second, at 40 kilobits a second at the least.
            Media::Film => (bytes / 256 + 256, bytes / 16 + 4_096),
            // Pages as text and as pictures, packed.
            Media::File if mime.ends_with(b"pdf") => {
                return self.count(
                    (bytes / 32 + 256).min(AWAY_MAX),
                    bytes.saturating_add(4_096).min(AWAY_MAX),
                );
            }
            Media::File => (bytes / 4, bytes),
        };
        self.count(about.min(CONTEXT_MAX), most.min(CONTEXT_MAX));
    }

    /// Media that a provider fetches.
    fn away(&mut self, kind: Media, is_low: bool) {
        match kind {
            Media::Picture if is_low => self.count(PICTURE_LOW, PICTURE_LOW),
            Media::Picture => self.count(PICTURE_AWAY, PICTURE_MAX),
            Media::Sound => self.count(SOUND_AWAY, SOUND_AWAY_MAX),
            Media::Film => self.count(FILM_AWAY, AWAY_MAX),
            Media::File => self.count(FILE_AWAY, AWAY_MAX),
        }
    }
}

impl Found {
    fn inline(&mut self, text: &[u8]) {
        self.quarters += weight::quarters(text);
        // What these formats begin with, in base64.
        let format: &'static [u8] = match text {
            [b'U', b'k', b'l', b'G', b'R', ..] => b"wav",
            [b'J', b'V', b'B', b'E', b'R', ..] => b"pdf",
            _ => b"",
        };
        self.inline.push(Inline {
            length: length(text),
            mime: format,
            sides: header::sides_of_base64(text),
        });
    }
}

/// Tokens of a picture, about and at most: by its pixels, and where they are not known by its bytes.
fn picture(bytes: u64, sides: Option<(u32, u32)>) -> (u64, u64) {
    let about = sides.map_or(bytes / BYTES_PER_PICTURE_TOKEN, header::tokens);
    (about.clamp(PICTURE_MIN, PICTURE_MAX), PICTURE_MAX)
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// What a part's `type`, or a field of that name, holds.
fn media(name: &[u8]) -> Option<Media> {
    match name {
        b"image_url" | b"input_image" | b"image" | b"images" => Some(Media::Picture),
        b"input_audio" | b"audio_url" | b"audio" => Some(Media::Sound),
        b"file" | b"input_file" | b"file_url" | b"file_data" | b"document" | b"document_url" => {
            Some(Media::File)
        }
        b"video_url" | b"input_video" | b"video" => Some(Media::Film),
        _ => None,
    }
}

fn of_mime(mime: &[u8]) -> Option<Media> {
    match mime.split(|byte| *byte == b'/').next() {
        Some(b"image") => Some(Media::Picture),
        Some(b"audio") => Some(Media::Sound),
        Some(b"video") => Some(Media::Film),
        Some(b"text") => Some(Media::File),
        _ if mime.ends_with(b"pdf") => Some(Media::File),
        _ => None,
    }
}

fn of_ending(address: &[u8]) -> Option<Media> {
    let path = address.split(|byte| matches!(byte, b'?' | b'#')).next()?;
    let ending = path.rsplit(|byte| *byte == b'.').next()?;
    match ending {
        b"mp4" | b"mov" | b"webm" | b"mkv" | b"avi" | b"mpeg" => Some(Media::Film),
        b"pdf" | b"doc" | b"docx" | b"txt" => Some(Media::File),
        b"mp3" | b"wav" | b"ogg" | b"flac" | b"m4a" => Some(Media::Sound),
        b"jpg" | b"jpeg" | b"png" | b"webp" => Some(Media::Picture),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
