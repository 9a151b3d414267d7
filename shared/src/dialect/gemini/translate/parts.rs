//! Parts of contents, in and out; those of requests and of answers are alike.

use std::borrow::Cow;

use super::{signature, text};
use crate::dialect::neutral::{Media, MediaKind, Part, Signature, Source, ToolCall};
use crate::dialect::walk::Walk;

/// The fields of a part as they stand there.
#[derive(Debug, Default)]
pub(super) struct SeenPart<'a> {
    /// Between its quotes.
    pub(super) text: Option<&'a [u8]>,
    pub(super) is_thought: bool,
    signature: Option<&'a [u8]>,
    pub(super) call: Option<&'a [u8]>,
    pub(super) result: Option<&'a [u8]>,
    data: Option<&'a [u8]>,
    file: Option<&'a [u8]>,
    code: Option<&'a [u8]>,
}

/// A function call.
#[derive(Debug, Default)]
pub(super) struct SeenCall<'a> {
    /// Empty where there is none.
    pub(super) id: Cow<'a, str>,
    pub(super) name: Cow<'a, str>,
    /// JSON.
    pub(super) arguments: Cow<'a, str>,
}

/// Steps over one value, or each one of a list of them: Google takes an object where a list of one is meant.
pub(super) fn each_of<'a>(
    walk: &mut Walk<'a>,
    mut each: impl FnMut(&mut Walk<'a>) -> Option<()>,
) -> Option<()> {
    if walk.peek()? == b'[' {
        walk.array(each)
    } else {
        each(walk)
    }
}

/// The fields of an object; nothing where the value is none.
pub(super) fn fields<'a>(value: &'a [u8], mut each: impl FnMut(&'a [u8], &'a [u8])) {
    let mut walk = Walk::new(value);
    if walk.peek() == Some(b'{') {
        // Ends at what is no JSON, with what was found before.
        walk.object(|walk, name| {
            let value = walk.value()?;
            each(name, value);
            Some(())
        });
    }
}

impl<'a> SeenPart<'a> {
    /// Reads one part.
    pub(super) fn read(walk: &mut Walk<'a>) -> Option<Self> {
        let mut seen = Self::default();
        if walk.peek()? != b'{' {
            walk.value()?;
            return Some(seen);
        }
        walk.object(|walk, name| {
            if name == b"text" && walk.peek()? == b'"' {
                seen.text = Some(walk.text()?);
                return Some(());
            }
            let value = walk.value()?;
            let field = match name {
                b"thought" => {
                    seen.is_thought = value == b"true";
                    return Some(());
                }
                b"thoughtSignature" | b"thought_signature" => &mut seen.signature,
                b"functionCall" | b"function_call" => &mut seen.call,
                b"functionResponse" | b"function_response" => &mut seen.result,
                b"inlineData" | b"inline_data" => &mut seen.data,
                b"fileData" | b"file_data" => &mut seen.file,
                b"executableCode"
                | b"executable_code"
                | b"codeExecutionResult"
                | b"code_execution_result" => &mut seen.code,
                _ => return Some(()),
            };
            *field = Some(value).filter(|value| *value != b"null");
            Some(())
        })?;
        Some(seen)
    }

    /// What proves the thought behind it.
    pub(super) fn signature(&self) -> Option<Signature> {
        signature::read(&text::of_value(self.signature?)?)
    }

    /// The function call, where it is one with a name.
    pub(super) fn call(&self) -> Option<SeenCall<'a>> {
        let mut call = SeenCall::default();
        fields(self.call?, |name, value| match name {
            b"id" => call.id = text::of_value(value).unwrap_or_default(),
            b"name" => call.name = text::of_value(value).unwrap_or_default(),
            b"args" if value.first() == Some(&b'{') => {
                call.arguments = String::from_utf8_lossy(value);
            }
            _ => {}
        });
        if call.arguments.is_empty() {
            call.arguments = Cow::Borrowed("{}");
        }
        (!call.name.is_empty()).then_some(call)
    }

    /// The picture, sound, film or file, where it is one.
    pub(super) fn media(&self) -> Option<Media> {
        let of = |value: Option<&[u8]>| media(value?);
        of(self.data).or_else(|| of(self.file))
    }

    /// Code that the provider ran, or what it answered: a text, since nobody else runs it again.
    pub(super) fn code(&self) -> Option<String> {
        let (mut language, mut code) = (String::new(), String::new());
        fields(self.code?, |name, value| match name {
            b"language" => language = text::of_value(value).unwrap_or_default().to_lowercase(),
            b"code" | b"output" => code = text::of_value(value).unwrap_or_default().into_owned(),
            _ => {}
        });
        (!code.is_empty()).then(|| format!("```{language}\n{code}\n```"))
    }
}

/// `inlineData` or `fileData`.
fn media(value: &[u8]) -> Option<Media> {
    let (mut mime, mut name, mut source) = (None, None, None);
    fields(value, |field, value| {
        let Some(text) = text::of_value(value) else {
            return;
        };
        match field {
            b"mimeType" | b"mime_type" => mime = Some(text.into_owned()),
            b"displayName" | b"display_name" => name = Some(text.into_owned()),
            b"data" => source = Some(Source::Base64(text.into_owned())),
            b"fileUri" | b"file_uri" => source = Some(Source::Url(text.into_owned())),
            _ => {}
        }
    });
    let source = source?;
    let kind = kind_of(mime.as_deref(), &source);
    Some(Media {
        kind,
        media_type: mime.filter(|mime| !mime.is_empty()),
        source,
        name,
        detail: None,
        cache: None,
    })
}

fn kind_of(mime: Option<&str>, source: &Source) -> MediaKind {
    let of_mime = |mime: &str| match mime.split('/').next() {
        Some("image") => MediaKind::Image,
        Some("audio") => MediaKind::Audio,
        Some("video") => MediaKind::Video,
        _ => MediaKind::Document,
    };
    match (mime.filter(|mime| !mime.is_empty()), source) {
        (Some(mime), _) => of_mime(mime),
        (None, Source::Url(url)) => mime_of_url(url).map_or(MediaKind::Document, of_mime),
        (None, _) => MediaKind::Document,
    }
}

/// A media type by how an address ends.
fn mime_of_url(url: &str) -> Option<&'static str> {
    let path = url.split(['?', '#']).next()?;
    let ending = path.rsplit('/').next()?.rsplit_once('.')?.1;
    Some(match ending.to_ascii_lowercase().as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "gif" => "image/gif",
        "heic" => "image/heic",
        "mp3" => "audio/mpeg",
        "wav" => "audio/wav",
        "ogg" => "audio/ogg",
        "flac" => "audio/flac",
        "m4a" => "audio/mp4",
        "mp4" => "video/mp4",
        "mov" => "video/quicktime",
        "webm" => "video/webm",
        "pdf" => "application/pdf",
        "txt" => "text/plain",
        _ => return None,
    })
}

/// A media type by what the data begin with, in base64, else the usual one of the kind.
fn mime_of_data(kind: MediaKind, data: &str) -> &'static str {
    let known = [
        ("iVBORw0KGgo", "image/png"),
        ("/9j/", "image/jpeg"),
        ("R0lGOD", "image/gif"),
        ("JVBERi", "application/pdf"),
        ("SUQz", "audio/mpeg"),
        ("T2dnUw", "audio/ogg"),
        ("ZkxhQw", "audio/flac"),
    ];
    let found = known.iter().find(|(head, _)| data.starts_with(head));
    found.map_or(
        match kind {
            MediaKind::Image if data.starts_with("UklGR") => "image/webp",
            MediaKind::Image => "image/jpeg",
            MediaKind::Audio => "audio/wav",
            MediaKind::Video => "video/mp4",
            MediaKind::Document => "application/pdf",
        },
        |(_, mime)| mime,
    )
}

/// Writes media; says whether it could: a name that another provider gave is none here.
pub(super) fn write_media(media: &Media, out: &mut Vec<u8>) -> bool {
    let mime = media.media_type.as_deref();
    match &media.source {
        Source::Base64(data) => inline(
            mime.unwrap_or_else(|| mime_of_data(media.kind, data)),
            data,
            out,
        ),
        Source::Url(url) => {
            if let Some((head, data)) = url
                .strip_prefix("data:")
                .and_then(|url| url.split_once(";base64,"))
            {
                inline(mime.unwrap_or(head), data, out);
                return true;
            }
            out.extend_from_slice(b"\"fileData\":{\"fileUri\":");
            text::write(out, url);
            if let Some(mime) = mime.or_else(|| mime_of_url(url)) {
                out.extend_from_slice(b",\"mimeType\":");
                text::write(out, mime);
            }
            out.push(b'}');
        }
        Source::Text(words) => write_text(&media.as_text().unwrap_or(words.into()), out),
        Source::Id(_) => return false,
    }
    true
}

fn inline(mime: &str, data: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\"inlineData\":{\"mimeType\":");
    text::write(out, mime);
    out.extend_from_slice(b",\"data\":");
    text::write(out, data);
    out.push(b'}');
}

/// Writes a text as the beginning of a part.
pub(super) fn write_text(words: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\"text\":");
    text::write(out, words);
}

/// Whether a text is a JSON object, which is what arguments and results are.
pub(super) fn is_object(json: &str) -> bool {
    json.starts_with('{') && serde_json::from_str::<serde::de::IgnoredAny>(json).is_ok()
}

/// Writes a call; arguments that are no object become one.
pub(super) fn write_call(id: &str, name: &str, arguments: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\"functionCall\":{");
    if !id.is_empty() {
        out.extend_from_slice(b"\"id\":");
        text::write(out, id);
        out.push(b',');
    }
    out.extend_from_slice(b"\"name\":");
    text::write(out, name);
    out.extend_from_slice(b",\"args\":");
    let arguments = arguments.trim();
    if is_object(arguments) {
        // Lines of an event end where JSON breaks.
        out.extend(arguments.bytes().map(|byte| {
            if matches!(byte, b'\n' | b'\r') {
                b' '
            } else {
                byte
            }
        }));
    } else if matches!(arguments, "" | "null") {
        out.extend_from_slice(b"{}");
    } else {
        out.extend_from_slice(b"{\"arguments\":");
        text::write(out, arguments);
        out.push(b'}');
    }
    out.push(b'}');
}

/// Writes a signature behind what stands in the part.
pub(super) fn write_signature(signature: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"thoughtSignature\":");
    text::write(out, signature);
}

/// Writes parts, each an object of a list, and puts signatures where they belong.
#[derive(Debug)]
pub(super) struct Parts<'a> {
    pub(super) out: &'a mut Vec<u8>,
    pub(super) has_any: bool,
    /// Waits for the part that it stands on.
    held: Option<String>,
}

impl<'a> Parts<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>) -> Self {
        Self {
            out,
            has_any: false,
            held: None,
        }
    }

    fn open(&mut self) {
        self.out
            .extend_from_slice(if self.has_any { b",{" } else { b"{" });
        self.has_any = true;
    }

    fn close(&mut self, signature: Option<&str>) {
        if let Some(signature) = signature {
            write_signature(signature, self.out);
        }
        self.out.push(b'}');
    }

    /// A part that a signature may stand on.
    pub(super) fn part(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let held = self.held.take();
        self.open();
        write(self.out);
        self.close(held.as_deref());
    }

    /// A part that none stands on.
    pub(super) fn bare(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        self.flush();
        self.open();
        write(self.out);
        self.close(None);
    }

    /// What was thought; its signature goes onto what follows.
    pub(super) fn thought(&mut self, words: &str, signature: Option<String>) {
        self.flush();
        if !words.is_empty() {
            self.bare(|out| {
                write_text(words, out);
                out.extend_from_slice(b",\"thought\":true");
            });
        }
        self.held = signature;
    }

    /// A call, with its own signature or the one of the thought before it.
    pub(super) fn call(&mut self, call: &ToolCall, signature: Option<String>) {
        if signature.is_some() {
            self.flush();
        }
        let signature = signature.or(self.held.take());
        self.open();
        write_call(&call.id, &call.name, &call.arguments, self.out);
        self.close(signature.as_deref());
    }

    /// Whether a signature waits.
    pub(super) fn is_holding(&self) -> bool {
        self.held.is_some()
    }

    /// Gives a signature that nothing follows a part of its own.
    pub(super) fn flush(&mut self) {
        if let Some(signature) = self.held.take() {
            self.open();
            write_text("", self.out);
            self.close(Some(&signature));
        }
    }
}

/// Adds a signature to the thought before it, or gives it an empty one.
pub(super) fn sign(parts: &mut Vec<Part>, signature: Signature) {
    match parts.last_mut() {
        Some(Part::Thought(thought)) if thought.signature.is_none() => {
            thought.signature = Some(signature);
        }
        _ => parts.push(Part::Thought(crate::dialect::neutral::Thought {
            text: String::new(),
            signature: Some(signature),
        })),
    }
}
