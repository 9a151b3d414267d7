//! `multipart/form-data` (RFC 7578, RFC 2046 5.1) by position: the heads of its parts are read, their
//! contents are places in the body.

use std::ops::Range;

use bytes::Bytes;
use memchr::memmem;

use crate::dialect::BadBody;

/// RFC 2046, 5.1.1.
const BOUNDARY_BYTES_MAX: usize = 70;
/// Forms of this API have a dozen fields, and at most 16 pictures.
const PARTS_MAX: usize = 64;
/// Names and types of one part.
const HEAD_BYTES_MAX: usize = 8 * 1024;

/// A form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    bytes: Bytes,
    boundary: String,
    parts: Vec<FormPart>,
}

/// One field or file of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormPart {
    /// The field's name.
    pub name: String,
    /// The file's name at the client; `None` for plain fields.
    pub file_name: Option<String>,
    /// What the client says that it is.
    pub content_type: Option<String>,
    /// Where its content stands in the body.
    pub at: Range<usize>,
    /// Where its head does, without the blank line behind it.
    head: Range<usize>,
}

/// What becomes of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartEdit<'a> {
    /// It stays as it came.
    Keep,
    /// It says this.
    Say(&'a str),
    /// It has this name.
    Name(&'a str),
    /// It goes.
    Remove,
}

/// The boundary of a content type that is a form.
pub(super) fn boundary(content_type: &str) -> Option<String> {
    let (kind, parameters) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    parameter(parameters, "boundary")
}

/// A parameter of a header's value, without its quotes.
fn parameter(text: &str, wanted: &str) -> Option<String> {
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([';', ' ', '\t']);
        let (name, behind) = rest.split_once('=')?;
        let (value, next) = if let Some(quoted) = behind.strip_prefix('"') {
            unquoted(quoted)?
        } else {
            let end = behind.find(';').unwrap_or(behind.len());
            (behind[..end].trim().to_owned(), &behind[end..])
        };
        if name.trim().eq_ignore_ascii_case(wanted) {
            return Some(value);
        }
        rest = next;
    }
}

/// A quoted text up to its end, and what follows it. Browsers write a quote in a name as `%22`, others as
/// `\"`.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(characters.next()?.1),
            other => value.push(other),
        }
    }
    None
}

impl Form {
    pub(super) fn read(boundary: &str, bytes: Bytes) -> Result<Self, BadBody> {
        let wrong = |what: &str| BadBody::whole(format!("The form can't be read: {what}."));
        if boundary.is_empty() || boundary.len() > BOUNDARY_BYTES_MAX {
            return Err(wrong("its boundary is empty or too long"));
        }
        let delimiter = format!("\r\n--{boundary}");
        let finder = memmem::Finder::new(delimiter.as_bytes());
        // The first one may stand at the very beginning.
        let first = &delimiter.as_bytes()[2..];
        let mut at = if bytes.starts_with(first) {
            first.len()
        } else {
            let found = finder.find(&bytes);
            found.ok_or_else(|| wrong("it has no part"))? + delimiter.len()
        };
        let mut parts = Vec::new();
        loop {
            let rest = &bytes[at..];
            if rest.starts_with(b"--") {
                let boundary = boundary.to_owned();
                return Ok(Self {
                    bytes,
                    boundary,
                    parts,
                });
            }
            let blanks = rest
                .iter()
                .take_while(|b| matches!(b, b' ' | b'\t'))
                .count();
            if !rest[blanks..].starts_with(b"\r\n") {
                return Err(wrong("a boundary is followed by something else"));
            }
            if parts.len() >= PARTS_MAX {
                return Err(wrong("it has too many parts"));
            }
            let head_at = at + blanks + 2;
            let (head, content_at) = head(&bytes, head_at)
                .ok_or_else(|| wrong("a part has no head, or one that is too long"))?;
            let head_at = head_at..head_at + head.len();
            let length = finder.find(&bytes[content_at..]);
            // A part without content ends with its head's last line.
            let length = length.ok_or_else(|| wrong("it ends in the middle of a part"))?;
            parts.push(
                part(head, (head_at, content_at..content_at + length))
                    .ok_or_else(|| wrong("a part has no name"))?,
            );
            at = content_at + length + delimiter.len();
        }
    }

    /// All bytes, as they came.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The parts, in their order.
    pub fn parts(&self) -> &[FormPart] {
        &self.parts
    }

    /// The first part of a name.
    pub fn part(&self, name: &str) -> Option<&FormPart> {
        self.parts.iter().find(|part| part.name == name)
    }

    /// The content of a part of this form: a slice, no copy.
    pub fn content(&self, part: &FormPart) -> Bytes {
        self.bytes.slice(part.at.clone())
    }

    /// What it is, for a header.
    pub fn content_type(&self) -> String {
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.+".contains(&b);
        if self.boundary.bytes().all(is_plain) {
            return format!("multipart/form-data; boundary={}", self.boundary);
        }
        let quoted = self.boundary.replace('\\', "\\\\").replace('"', "\\\"");
        format!("multipart/form-data; boundary=\"{quoted}\"")
    }

    /// The same form with its parts as `edit` says, and with these fields behind them. Contents that stay are
    /// copied once, as they stand there.
    pub fn edited<'a>(
        &self,
        edit: impl Fn(&FormPart) -> PartEdit<'a>,
        more: &[(&str, &str)],
    ) -> Bytes {
        let mut out = Vec::with_capacity(self.bytes.len() + 256);
        for part in &self.parts {
            let head = &self.bytes[part.head.clone()];
            let content = &self.bytes[part.at.clone()];
            match edit(part) {
                PartEdit::Remove => {}
                PartEdit::Keep => self.put(&mut out, head, content),
                PartEdit::Say(text) => self.put(&mut out, head, one_line(text).as_bytes()),
                PartEdit::Name(name) => {
                    let (file, kind) = (part.file_name.as_deref(), part.content_type.as_deref());
                    self.put(&mut out, part_head(name, file, kind).as_bytes(), content);
                }
            }
        }
        for (name, text) in more {
            let head = part_head(name, None, None);
            self.put(&mut out, head.as_bytes(), one_line(text).as_bytes());
        }
        out.extend_from_slice(format!("--{}--\r\n", self.boundary).as_bytes());
        out.into()
    }

    fn put(&self, out: &mut Vec<u8>, head: &[u8], content: &[u8]) {
        out.extend_from_slice(b"--");
        out.extend_from_slice(self.boundary.as_bytes());
        for piece in [&b"\r\n"[..], head, b"\r\n\r\n", content, b"\r\n"] {
            out.extend_from_slice(piece);
        }
    }

    /// The first field of a name as a text; `None` where it is absent or no UTF-8.
    pub fn text(&self, name: &str) -> Option<&str> {
        let part = self.part(name)?;
        std::str::from_utf8(self.bytes.get(part.at.clone())?).ok()
    }
}

/// A part's head; names are written as browsers do (WHATWG HTML, "Multipart form data").
fn part_head(name: &str, file_name: Option<&str>, content_type: Option<&str>) -> String {
    let escaped = |text: &str| {
        let text = text.replace('"', "%22");
        text.replace('\r', "%0D").replace('\n', "%0A")
    };
    let mut head = format!("Content-Disposition: form-data; name=\"{}\"", escaped(name));
    if let Some(file_name) = file_name {
        head.push_str("; filename=\"");
        head.push_str(&escaped(file_name));
        head.push('"');
    }
    if let Some(kind) = content_type {
        head.push_str("\r\nContent-Type: ");
        head.push_str(&one_line(kind));
    }
    head
}

/// Without ends of lines, which alone could begin another part.
fn one_line(text: &str) -> String {
    text.replace(['\r', '\n'], " ")
}

/// Writes a form from nothing.
#[derive(Debug, Default)]
pub struct FormWriter {
    parts: Vec<(String, Bytes)>,
}

impl FormWriter {
    /// A plain field.
    pub fn text(&mut self, name: &str, text: &str) {
        let content = Bytes::copy_from_slice(text.as_bytes());
        self.parts.push((part_head(name, None, None), content));
    }

    /// A file.
    pub fn file(&mut self, name: &str, (file_name, content_type): (&str, &str), content: Bytes) {
        let head = part_head(name, Some(file_name), Some(content_type));
        self.parts.push((head, content));
    }

    /// The content type and the bytes. The boundary follows from the contents, and stands in none of them.
    pub fn finish(self) -> (String, Bytes) {
        let length: usize = self.parts.iter().map(|(_, content)| content.len()).sum();
        let mut number = length;
        let boundary = loop {
            let boundary = format!("waule-form-{number:016x}");
            let finder = memmem::Finder::new(boundary.as_bytes());
            let is_in = |(_, content): &(String, Bytes)| finder.find(content).is_some();
            if !self.parts.iter().any(is_in) {
                break boundary;
            }
            number = number.wrapping_mul(31).wrapping_add(1);
        };
        let form = Form {
            bytes: Bytes::new(),
            boundary,
            parts: Vec::new(),
        };
        let mut out = Vec::with_capacity(length + self.parts.len() * 256 + 64);
        for (head, content) in &self.parts {
            form.put(&mut out, head.as_bytes(), content);
        }
        out.extend_from_slice(format!("--{}--\r\n", form.boundary).as_bytes());
        (form.content_type(), out.into())
    }
}

/// The head that begins at `at`, and where what it describes begins.
fn head(bytes: &[u8], at: usize) -> Option<(&str, usize)> {
    let most = bytes.len().min(at + HEAD_BYTES_MAX);
    let window = &bytes[at..most];
    if window.starts_with(b"\r\n") {
        return Some(("", at + 2));
    }
    let end = memmem::find(window, b"\r\n\r\n")?;
    Some((std::str::from_utf8(&window[..end]).ok()?, at + end + 4))
}

fn part(head: &str, (head_at, at): (Range<usize>, Range<usize>)) -> Option<FormPart> {
    let (mut name, mut file_name, mut content_type) = (None, None, None);
    for line in head.split("\r\n") {
        let Some((field, value)) = line.split_once(':') else {
            continue;
        };
        if field.trim().eq_ignore_ascii_case("content-disposition") {
            let parameters = value.split_once(';').map_or("", |(_, rest)| rest);
            name = parameter(parameters, "name");
            file_name = parameter(parameters, "filename");
        } else if field.trim().eq_ignore_ascii_case("content-type") {
            content_type = Some(value.trim().to_owned());
        }
    }
    Some(FormPart {
        name: name?,
        file_name,
        content_type,
        at,
        head: head_at,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FORM: &str = "--x\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper\r\n\
        --x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a \\\"b\\\".wav\"\r\nContent-Type: audio/wav\r\n\r\n\
        RIFF\r\n--y\r\n\r\n--x \r\nContent-Disposition: form-data; name=none\r\n\r\n\r\n--x--\r\n";

    #[test]
    fn parts_are_places_in_the_body() {
        let bytes = Bytes::from_static(FORM.as_bytes());
        let form = Form::read("x", bytes.clone()).expect("a form");
        assert_eq!(form.parts().len(), 3);
        assert_eq!(
            (form.text("model"), form.text("none")),
            (Some("whisper"), Some(""))
        );
        let file = form.part("file").expect("there");
        assert_eq!(file.file_name.as_deref(), Some("a \"b\".wav"));
        assert_eq!(file.content_type.as_deref(), Some("audio/wav"));
        let content = form.content(file);
        assert_eq!(content, "RIFF\r\n--y\r\n");
        assert_eq!(
            content.as_ptr(),
            bytes[file.at.start..].as_ptr(),
            "not copied"
        );
        assert_eq!(form.part("other"), None);
    }

    #[test]
    fn content_types_say_what_is_a_form() {
        let boundary_of = |text: &str| boundary(text);
        assert_eq!(
            boundary_of("multipart/form-data; boundary=x").as_deref(),
            Some("x")
        );
        assert_eq!(
            boundary_of("Multipart/Form-Data; charset=utf-8; Boundary=\"a b\"").as_deref(),
            Some("a b")
        );
        for other in [
            "application/json",
            "multipart/form-data",
            "multipart/mixed; boundary=x",
            "",
        ] {
            assert_eq!(boundary_of(other), None, "{other}");
        }
    }

    #[test]
    fn what_is_no_form_is_refused() {
        let many =
            "--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n".repeat(65) + "--x--";
        let long = format!(
            "--x\r\nContent-Disposition: form-data; name=\"{}\"\r\n\r\n1\r\n--x--",
            "n".repeat(9_000)
        );
        for body in [
            "",
            "nothing",
            "--x",
            "--xy\r\n",
            "--x\r\n\r\n1\r\n--x--",
            &many,
            &long,
            "--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1",
            "--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--",
        ] {
            let read = Form::read("x", Bytes::copy_from_slice(body.as_bytes()));
            assert!(read.is_err(), "{body:.80}");
        }
        assert!(Form::read("", Bytes::new()).is_err());
        assert!(Form::read(&"x".repeat(71), Bytes::new()).is_err());
    }

    #[test]
    fn an_edited_form_says_what_it_is_told_and_keeps_the_rest() {
        let form = Form::read("x", Bytes::from_static(FORM.as_bytes())).expect("a form");
        let edit = |part: &FormPart| match part.name.as_str() {
            "model" => PartEdit::Say("theirs\r\n--x--"),
            "file" => PartEdit::Name("audio \"b\""),
            _ => PartEdit::Remove,
        };
        let bytes = form.edited(edit, &[("user", "u_1")]);
        let again = Form::read("x", bytes).expect("a form again");
        assert_eq!(again.parts().len(), 3);
        assert_eq!(again.text("model"), Some("theirs  --x--"));
        assert_eq!(again.text("user"), Some("u_1"));
        let file = &again.parts()[1];
        assert_eq!(file.name, "audio %22b%22");
        assert_eq!(file.content_type.as_deref(), Some("audio/wav"));
        assert_eq!(again.content(file), "RIFF\r\n--y\r\n");
        let same = form.edited(|_| PartEdit::Keep, &[]);
        let same = Form::read("x", same).expect("the same");
        let names = |form: &Form| -> Vec<String> {
            form.parts().iter().map(|part| part.name.clone()).collect()
        };
        assert_eq!(names(&same), names(&form));
    }

    #[test]
    fn a_written_form_is_read_again_whatever_its_files_hold() {
        let hostile = "\r\n--waule-form-0000000000000000--\r\n".repeat(3);
        let mut writer = FormWriter::default();
        writer.text("prompt", "a\r\ncat");
        let content = Bytes::from(hostile.clone());
        writer.file("image[]", ("a\"\r\nb.png", "image/png"), content);
        let (content_type, bytes) = writer.finish();
        let boundary = boundary(&content_type).expect("a form's");
        let form = Form::read(&boundary, bytes).expect("a form");
        assert_eq!(form.text("prompt"), Some("a\r\ncat"));
        let file = form.part("image[]").expect("there");
        assert_eq!(form.content(file), hostile);
        assert_eq!(file.file_name.as_deref(), Some("a%22%0D%0Ab.png"));
    }

    proptest! {
        #[test]
        fn any_cut_of_a_form_is_read_or_refused(cut in 0..FORM.len(), noise in proptest::collection::vec(any::<u8>(), 0..40)) {
            let mut bytes = FORM.as_bytes()[..cut].to_vec();
            bytes.extend_from_slice(&noise);
            if let Ok(form) = Form::read("x", bytes.into()) {
                for part in form.parts() {
                    form.content(part);
                }
            }
        }
    }
}
