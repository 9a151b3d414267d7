//! Reads the few top-level fields of a JSON body that routing needs, and changes them in place.
//! The rest of the bytes is neither parsed into values nor written anew.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use bytes::Bytes;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The body is not a JSON object, or names a wanted field twice.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the body is not valid JSON: {0}")]
pub struct JsonError(pub String);

/// The raw values of `names` at the top level of `body`, in that order; `None` where absent.
/// Checks that the whole body is one well-formed JSON object in UTF-8.
pub fn fields<'a, const N: usize>(
    body: &'a [u8],
    names: [&str; N],
) -> Result<[Option<&'a RawValue>; N], JsonError> {
    let text = std::str::from_utf8(body).map_err(|_| JsonError("it is not UTF-8".to_owned()))?;
    let mut reader = serde_json::Deserializer::from_str(text);
    Fields { names }
        .deserialize(&mut reader)
        .and_then(|found| reader.end().map(|()| found))
        .map_err(|e| JsonError(e.to_string()))
}

struct Fields<'n, const N: usize> {
    names: [&'n str; N],
}

impl<'de, const N: usize> DeserializeSeed<'de> for Fields<'_, N> {
    type Value = [Option<&'de RawValue>; N];

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, const N: usize> Visitor<'de> for Fields<'_, N> {
    type Value = [Option<&'de RawValue>; N];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = [None; N];
        while let Some(Key(key)) = map.next_key()? {
            match self.names.iter().position(|name| *name == key) {
                Some(index) if found[index].is_some() => {
                    return Err(serde::de::Error::custom(format_args!(
                        "`{key}` is given twice"
                    )));
                }
                Some(index) => found[index] = Some(map.next_value::<&RawValue>()?),
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(found)
    }
}

/// Whether a small letter or an underscore may stand in the bytes as an escape, which no encoder does: a
/// search for a word then does not tell that it is absent.
pub fn may_hide(body: &[u8]) -> bool {
    let mut escapes = memchr::memmem::find_iter(body, b"\\u00");
    escapes.any(|at| matches!(body.get(at + 4), Some(b'5'..=b'7')))
}

/// A top-level field's value as it is written, and the body without that field; `None` where it is absent,
/// which one search of the bytes tells for nearly all. A body that does not name it is not looked into.
pub fn take(body: &Bytes, name: &str) -> Result<Option<(String, Bytes)>, JsonError> {
    if memchr::memmem::find(body, name.as_bytes()).is_none() && !may_hide(body) {
        return Ok(None);
    }
    let [found] = fields(body, [name])?;
    Ok(found.map(|value| {
        let edit = Edit::remove(body, &span(body, value));
        (value.get().to_owned(), apply(body, vec![edit]))
    }))
}

/// A key borrowed where it can be.
pub(crate) struct Key<'a>(pub(crate) Cow<'a, str>);

impl<'de> serde::Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Key<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }
            fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(key)))
            }
            fn visit_str<E>(self, key: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(key.to_owned())))
            }
        }
        deserializer.deserialize_str(KeyVisitor)
    }
}

/// Gives each top-level field of `body` to `each`, in order and in one pass; checks that the whole body is
/// one well-formed JSON object in UTF-8. What `each` finds wrong with the form of the body is told as such.
pub fn each_field<'a>(
    body: &'a [u8],
    each: impl FnMut(&str, &'a RawValue) -> Result<(), String>,
) -> Result<(), JsonError> {
    let text = std::str::from_utf8(body).map_err(|_| JsonError("it is not UTF-8".to_owned()))?;
    let mut reader = serde_json::Deserializer::from_str(text);
    EachField(each)
        .deserialize(&mut reader)
        .and_then(|()| reader.end())
        .map_err(|e| JsonError(e.to_string()))
}

struct EachField<F>(F);

impl<'de, F: FnMut(&str, &'de RawValue) -> Result<(), String>> DeserializeSeed<'de>
    for EachField<F>
{
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, F: FnMut(&str, &'de RawValue) -> Result<(), String>> Visitor<'de> for EachField<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(Key(key)) = map.next_key()? {
            (self.0)(&key, map.next_value()?).map_err(serde::de::Error::custom)?;
        }
        Ok(())
    }
}

/// Where `part`, which was found in `body`, stands in it.
pub fn span(body: &[u8], part: &RawValue) -> Range<usize> {
    let start = (part.get().as_ptr() as usize).saturating_sub(body.as_ptr() as usize);
    let end = start + part.get().len();
    assert!(
        end <= body.len(),
        "what is changed must be a part of the body"
    );
    start..end
}

/// One change to a body, at a place that was found in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    at: Range<usize>,
    text: String,
    is_new_field: bool,
}

impl Edit {
    /// Puts `json` in the place of the value that stands `at`.
    pub fn replace(at: Range<usize>, json: String) -> Self {
        Self {
            at,
            text: json,
            is_new_field: false,
        }
    }

    /// Takes the field out whose value stands `at`, with the one comma that goes with it.
    pub fn remove(body: &[u8], at: &Range<usize>) -> Self {
        let (mut start, mut end) = (name_of(body, at).start, at.end);
        let after = end + blanks(&body[end..]);
        let before = body[..start].trim_ascii_end();
        if before.last() == Some(&b',') {
            start = before.len() - 1;
        } else if body.get(after) == Some(&b',') {
            end = after + 1;
        }
        Self::replace(start..end, String::new())
    }

    /// Gives the field whose value stands `at` another name, which must need no escaping.
    pub fn rename(body: &[u8], at: &Range<usize>, name: &str) -> Self {
        Self::replace(name_of(body, at), format!("\"{name}\""))
    }

    /// Adds a field as the object's first; its name must need no escaping.
    pub fn insert(body: &[u8], name: &str, json: &str) -> Self {
        let open = memchr::memchr(b'{', body).map_or(0, |at| at + 1);
        Self {
            at: open..open,
            text: format!("\"{name}\":{json}"),
            is_new_field: true,
        }
    }
}

fn blanks(text: &[u8]) -> usize {
    text.iter().take_while(|b| b.is_ascii_whitespace()).count()
}

/// Where the name of the field stands whose value is `at`, with its quotes.
fn name_of(body: &[u8], at: &Range<usize>) -> Range<usize> {
    let before = &body[..at.start];
    let end = memchr::memrchr(b'"', before).map_or(0, |at| at + 1);
    // A name that is known holds no quotes.
    let start = memchr::memrchr(b'"', &before[..end.saturating_sub(1)]).unwrap_or(0);
    start..end
}

/// The body with the edits made; every other byte stays. No two may touch the same bytes, but for fields that
/// stand side by side and are both taken out.
pub fn apply(body: &Bytes, mut edits: Vec<Edit>) -> Bytes {
    if edits.is_empty() {
        return body.clone();
    }
    edits.sort_by_key(|edit| (edit.at.start, edit.at.end));
    let added: usize = edits.iter().map(|edit| edit.text.len() + 1).sum();
    let mut out = Vec::with_capacity(body.len() + added);
    let mut at = 0;
    let mut new_fields = edits.iter().filter(|edit| edit.is_new_field).count();
    for edit in &edits {
        let (mut start, mut end) = (edit.at.start, edit.at.end);
        if start < at && edit.text.is_empty() && !edit.is_new_field {
            // The field before was the object's first and took this comma along: now this one is the first,
            // and the comma behind goes with it.
            start = at;
            let after = end + blanks(&body[end.min(body.len())..]);
            if body.get(after) == Some(&b',') {
                end = after + 1;
            }
        }
        assert!(
            at <= start && end <= body.len(),
            "a replaced value must be a part of the body"
        );
        out.extend_from_slice(&body[at..start]);
        out.extend_from_slice(edit.text.as_bytes());
        at = end;
        if edit.is_new_field {
            new_fields -= 1;
            let is_last = body[at..].trim_ascii_start().first() == Some(&b'}');
            if new_fields > 0 || !is_last {
                out.push(b',');
            }
        }
    }
    out.extend_from_slice(&body[at..]);
    Bytes::from(out)
}

#[cfg(test)]
mod tests;
