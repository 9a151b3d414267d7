//! A whole answer with images as the stream that was asked for: an event for each image, as OpenAI ends
//! each. Pure.

use bytes::Bytes;

use super::walk::Walk;

/// What describes all images, under the name it has in an event.
const OF_ALL: [(&[u8], &str); 6] = [
    (b"created", "created_at"),
    (b"size", "size"),
    (b"quality", "quality"),
    (b"background", "background"),
    (b"output_format", "output_format"),
    (b"model", "model"),
];

/// The events of `answer`; `None` where it holds no image.
pub fn as_stream(answer: &[u8]) -> Option<Bytes> {
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
        out.extend_from_slice(
            b"event: image_generation.completed\ndata: {\"type\":\"image_generation.completed\"",
        );
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_image_is_an_event_and_the_last_one_counts() {
        let answer =
            br#"{"created":7,"size":"1024x1024","data":[{"b64_json":"AA","revised_prompt":"x"},
            {"error":{"code":"y"}},{"url":"https://x"}],"usage":{"input_tokens":1,
            "output_tokens":2}}"#;
        let events = as_stream(answer).expect("two images");
        let events = std::str::from_utf8(&events).expect("text");
        let data: Vec<serde_json::Value> = events
            .lines()
            .filter_map(|line| line.strip_prefix("data: "))
            .map(|data| serde_json::from_str(data).expect("JSON"))
            .collect();
        assert_eq!(data.len(), 2);
        assert_eq!(data[0]["type"], "image_generation.completed");
        assert_eq!(
            (&data[0]["b64_json"], &data[0]["created_at"]),
            (&"AA".into(), &7.into())
        );
        assert!(data[0]["usage"].is_null());
        assert_eq!(
            (&data[1]["url"], &data[1]["usage"]["output_tokens"]),
            (&"https://x".into(), &2.into())
        );
        assert_eq!(
            events
                .matches("event: image_generation.completed\n")
                .count(),
            2
        );
        for none in [
            "{}",
            r#"{"data":[]}"#,
            r#"{"data":[{"error":{}}]}"#,
            "[]",
            "x",
        ] {
            assert_eq!(as_stream(none.as_bytes()), None, "{none}");
        }
    }
}
