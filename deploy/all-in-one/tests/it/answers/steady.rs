//! Answers without what differs from run to run: ids, moments and words of chance.

use serde_json::{Value, json};
use shared::clock::Clock;

/// What ids of ours begin with.
const IDS: [&str; 9] = [
    "gen_",
    "key_",
    "ten_",
    "usr_",
    "prc_",
    "aud_",
    "grt_",
    "chatcmpl-",
    "cmpl-",
];

/// A moment that is called now lies at most so far back, in seconds.
const NOW: i64 = 600;

/// With ids, moments, durations and pictures replaced by what they are.
pub(super) fn steadied(value: Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(
            fields
                .into_iter()
                .map(|(name, value)| {
                    let value = field(&name, &value).unwrap_or_else(|| steadied(value));
                    (name, value)
                })
                .collect(),
        ),
        Value::Array(items) => items.into_iter().map(steadied).collect(),
        Value::String(text) => Value::String(steady(&text)),
        plain @ (Value::Null | Value::Bool(_) | Value::Number(_)) => plain,
    }
}

/// What stands for a field whose value is as it should be; nothing for any other.
fn field(name: &str, value: &Value) -> Option<Value> {
    let now = Clock::system().now().unix_ms() / 1_000;
    let of = match name {
        "created" => (now - NOW..=now).contains(&value.as_i64()?),
        "duration_ms" | "first_byte_ms" => {
            value.as_i64().is_some_and(|ms| (0..60_000).contains(&ms))
        }
        "b64_json" => value.as_str().is_some_and(|text| text.len() > 50),
        _ => false,
    };
    of.then(|| json!(format!("[{name}]")))
}

/// A text whose words that are ids or moments are replaced.
pub(super) fn steady(text: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "_-:.".contains(c);
    let mut out = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(end);
        out.push_str(&word_of(word));
        let next = behind.chars().next().map_or(0, char::len_utf8);
        out.push_str(&behind[..next]);
        rest = &behind[next..];
    }
    out
}

fn word_of(word: &str) -> String {
    let id = IDS.iter().find(|prefix| {
        word.strip_prefix(**prefix).is_some_and(|rest| {
            rest.len() >= 20
                && rest
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        })
    });
    if let Some(prefix) = id {
        return format!("[{prefix}]");
    }
    let is_moment = word.len() == "2026-11-28T07:40:00.000Z".len()
        && word.ends_with('Z')
        && word.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            10 => byte == b'T',
            13 | 16 => byte == b':',
            19 => byte == b'.',
            23 => byte == b'Z',
            _ => byte.is_ascii_digit(),
        });
    if is_moment {
        return "[moment]".to_owned();
    }
    word.to_owned()
}

#[test]
fn only_what_is_an_id_or_a_moment_is_replaced() {
    let text = "gen_0mx032db54wpg653zst9vxihsgs at 2026-11-28T07:40:00.000Z, gen_short, 2026-11-28";
    assert_eq!(steady(text), "[gen_] at [moment], gen_short, 2026-11-28");
    assert_eq!(field("duration_ms", &json!(-1)), None);
    assert_eq!(field("created", &json!(5)), None, "that is not now");
}
