//! A whole answer as the stream that was asked for: an event for each picture. Parses no picture.

use bytes::Bytes;

use crate::dialect::walk::Walk;

/// What describes all images, under the name it has in an event.
const OF_ALL: [(&[u8], &str); 6] = [
    (b"created", "created_at"),
    (b"size", "size"),
    (b"quality", "quality"),
    (b"background", "background"),
    (b"output_format", "output_format"),
    (b"model", "model"),
];

/// The events of a generation's answer; `None` where it holds no image.
pub(super) fn generation(answer: &[u8]) -> Option<Bytes> {
    events(answer, "image_generation.completed")
}

/// The same of an edit's.
pub(super) fn edit(answer: &[u8]) -> Option<Bytes> {
    events(answer, "image_edit.completed")
}

fn events(answer: &[u8], kind: &str) -> Option<Bytes> {
    let mut images: Vec<Vec<u8>> = Vec::new();
    let mut of_all = Vec::new();
    let mut usage = None;
    Walk::new(answer).object(|walk, name| {
        match name {
            b"data" if walk.peek()? == b'[' => walk.array(|walk| image(walk, &mut images))?,
            b"usage" => usage = Some(walk.value()?),
            _ => {
                let value = walk.value()?;
                if let Some((_, known)) = OF_ALL.iter().find(|(own, _)| *own == name) {
                    field(&mut of_all, known, value);
                }
            }
        }
        Some(())
    })?;
    let last = images.len().checked_sub(1)?;
    let mut out = Vec::with_capacity(answer.len() + images.len() * 200);
    for (at, image) in images.iter().enumerate() {
        let head = format!("event: {kind}\ndata: {{\"type\":\"{kind}\"");
        out.extend_from_slice(head.as_bytes());
        out.extend_from_slice(image);
        out.extend_from_slice(&of_all);
        if let (Some(usage), true) = (usage, at == last) {
            field(&mut out, "usage", usage);
        }
        out.extend_from_slice(b"}\n\n");
    }
    Some(out.into())
}

/// Adds the fields of an entry that is an image.
fn image(walk: &mut Walk<'_>, images: &mut Vec<Vec<u8>>) -> Option<()> {
    if walk.peek()? != b'{' {
        return walk.value().map(drop);
    }
    let (mut fields, mut is_image) = (Vec::new(), false);
    walk.object(|walk, name| {
        let value = walk.value()?;
        is_image |= matches!(name, b"b64_json" | b"url") && value.first() == Some(&b'"');
        if let Ok(name) = std::str::from_utf8(name) {
            field(&mut fields, name, value);
        }
        Some(())
    })?;
    images.extend(is_image.then_some(fields));
    Some(())
}

fn field(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
    // Between the tokens of JSON a line's end is a blank.
    out.extend(value.iter().map(|byte| match byte {
        b'\n' | b'\r' => b' ',
        other => *other,
    }));
}
