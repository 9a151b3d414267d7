//! Reads the few top-level fields of a JSON body that routing needs, and changes them in place.
//! The rest of the bytes is neither parsed into values nor written anew.

use std::borrow::Cow;
use std::fmt;

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
    let found = Fields { names: &names }
        .deserialize(&mut reader)
        .and_then(|found| reader.end().map(|()| found))
        .map_err(|e| JsonError(e.to_string()))?;
    let mut found = found.into_iter();
    Ok(std::array::from_fn(|_| found.next().flatten()))
}

struct Fields<'n> {
    names: &'n [&'n str],
}

impl<'de> DeserializeSeed<'de> for Fields<'_> {
    type Value = Vec<Option<&'de RawValue>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Fields<'_> {
    type Value = Vec<Option<&'de RawValue>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = vec![None; self.names.len()];
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

/// One change to a body: a field found by [`fields`] gets a new value, or is added in front.
#[derive(Debug)]
pub enum Change<'a> {
    /// Puts `json` where `old` stands in the body.
    Replace {
        /// The present value; must be a part of the body given to [`apply`].
        old: &'a RawValue,
        /// The new value as JSON.
        json: String,
    },
    /// Takes the field with this value out. At most one of a body.
    Remove {
        /// The present value; must be a part of the body given to [`apply`].
        old: &'a RawValue,
    },
    /// Adds the field as the object's first.
    Insert {
        /// Its name, which must need no escaping.
        name: &'static str,
        /// Its value as JSON.
        json: String,
    },
}

/// The body with `changes` made; every other byte stays as it was.
pub fn apply(body: &Bytes, changes: &[Change<'_>]) -> Bytes {
    if changes.is_empty() {
        return body.clone();
    }
    let added: usize = changes.iter().map(|c| c.json().len() + 40).sum();
    let mut out = Vec::with_capacity(body.len() + added);
    let open = memchr::memchr(b'{', body).map_or(0, |at| at + 1);
    out.extend_from_slice(&body[..open]);
    let rest_is_empty = body[open..].iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'}');
    let inserts = changes.iter().filter_map(|change| match change {
        Change::Insert { name, json } => Some((name, json)),
        Change::Replace { .. } | Change::Remove { .. } => None,
    });
    for (index, (name, json)) in inserts.enumerate() {
        let comma_before = if index > 0 && rest_is_empty { "," } else { "" };
        let comma_after = if rest_is_empty { "" } else { "," };
        out.extend_from_slice(format!("{comma_before}\"{name}\":{json}{comma_after}").as_bytes());
    }
    let mut replaced: Vec<(usize, usize, &str)> = changes
        .iter()
        .filter_map(|change| match change {
            Change::Replace { old, json } => {
                let start = (old.get().as_ptr() as usize).checked_sub(body.as_ptr() as usize)?;
                Some((start, start + old.get().len(), json.as_str()))
            }
            Change::Remove { old } => {
                let start = (old.get().as_ptr() as usize).checked_sub(body.as_ptr() as usize)?;
                let (start, end) = field_around(body, start, start + old.get().len())?;
                Some((start, end, ""))
            }
            Change::Insert { .. } => None,
        })
        .collect();
    replaced.sort_unstable();
    let mut at = open;
    for (start, end, json) in replaced {
        assert!(
            at <= start && end <= body.len(),
            "a replaced value must be a part of the body"
        );
        out.extend_from_slice(&body[at..start]);
        out.extend_from_slice(json.as_bytes());
        at = end;
    }
    out.extend_from_slice(&body[at..]);
    Bytes::from(out)
}

/// Where the field stands whose value is at `from..to`, with the comma that goes with it.
fn field_around(body: &[u8], from: usize, to: usize) -> Option<(usize, usize)> {
    let before = body.get(..from)?.trim_ascii_end().strip_suffix(b":")?;
    let name = before.trim_ascii_end().strip_suffix(b"\"")?;
    let name_at = memchr::memrchr(b'"', name)?;
    let before = body.get(..name_at)?.trim_ascii_end();
    if before.ends_with(b",") {
        return Some((before.len() - 1, to));
    }
    // The first of its object: the comma behind it goes, where there is one.
    let behind = body.get(to..)?;
    let next = behind.iter().position(|byte| !byte.is_ascii_whitespace())?;
    let comma = if behind[next] == b',' { next + 1 } else { 0 };
    Some((name_at, to + comma))
}

impl Change<'_> {
    fn json(&self) -> &str {
        match self {
            Self::Replace { json, .. } | Self::Insert { json, .. } => json,
            Self::Remove { .. } => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wanted_fields_are_found_and_the_rest_is_left_alone() {
        let body = br#" {"a":[{"model":"no"}], "model" : "m1","\u0078":1} "#;
        let [model, x, none] = fields(body, ["model", "x", "none"]).expect("valid");
        assert_eq!(model.map(RawValue::get), Some("\"m1\""));
        assert_eq!(
            x.map(RawValue::get),
            Some("1"),
            "an escaped key is the same key"
        );
        assert!(none.is_none());
    }

    #[test]
    fn broken_bodies_are_refused() {
        for body in [
            &b""[..],
            b"[]",
            b"{",
            b"{}x",
            b"{\"model\":1,\"model\":2}",
            b"{\"a\":\"\xff\"}",
            b"null",
            b"{\"a\" 1}",
        ] {
            assert!(
                fields(body, ["model"]).is_err(),
                "{:?}",
                String::from_utf8_lossy(body)
            );
        }
    }

    #[test]
    fn changes_touch_only_their_own_bytes() {
        let body = Bytes::from_static(br#"{ "model":"a" ,"x":{"model":"a"}, "max_tokens": 9}"#);
        let [model, max] = fields(&body, ["model", "max_tokens"]).expect("valid");
        let changed = apply(
            &body,
            &[
                Change::Replace {
                    old: max.expect("there"),
                    json: "5".into(),
                },
                Change::Replace {
                    old: model.expect("there"),
                    json: "\"bb\"".into(),
                },
                Change::Insert {
                    name: "stream_options",
                    json: "{}".into(),
                },
            ],
        );
        assert_eq!(
            changed,
            Bytes::from_static(
                br#"{"stream_options":{}, "model":"bb" ,"x":{"model":"a"}, "max_tokens": 5}"#
            )
        );
    }

    #[test]
    fn a_field_is_taken_out_with_its_comma() {
        for (body, left) in [
            (r#"{"a":1,"b":2,"c":3}"#, r#"{"a":1,"c":3}"#),
            (r#"{"b":2,"c":3}"#, r#"{"c":3}"#),
            (r#"{"a":1,"b":2}"#, r#"{"a":1}"#),
            (r#"{ "b" : {"x":[1,2]} }"#, "{  }"),
            (
                r#"{"a":"b" , "\u0062" : "x" , "c":3}"#,
                r#"{"a":"b"  , "c":3}"#,
            ),
        ] {
            let body = Bytes::from_static(body.as_bytes());
            let [old] = fields(&body, ["b"]).expect("valid");
            let old = old.expect("there");
            let changed = apply(&body, &[Change::Remove { old }]);
            assert_eq!(changed, Bytes::from_static(left.as_bytes()));
            fields(&changed, ["b"]).expect("still JSON");
        }
    }

    #[test]
    fn fields_can_be_added_to_an_empty_object() {
        let two = [
            Change::Insert {
                name: "a",
                json: "1".into(),
            },
            Change::Insert {
                name: "b",
                json: "2".into(),
            },
        ];
        assert_eq!(
            apply(&Bytes::from_static(b"{ }"), &two),
            Bytes::from_static(b"{\"a\":1,\"b\":2 }")
        );
    }
}
