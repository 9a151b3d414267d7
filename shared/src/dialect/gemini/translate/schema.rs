//! Google's own schemas (a part of OpenAPI 3.0, with types in capitals) as JSON schemas.

use crate::dialect::neutral::Json;
use crate::dialect::walk::Walk;

/// Deeper schemas stay below as they are written.
const DEPTH_MAX: u32 = 28;

/// What stands at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Schema,
    /// Schemas by names, which are no keywords.
    Named,
    List,
    Other,
}

/// Keywords that Google takes in small letters with underscores too.
const SNAKE: [(&str, &str); 9] = [
    ("any_of", "anyOf"),
    ("max_items", "maxItems"),
    ("max_length", "maxLength"),
    ("max_properties", "maxProperties"),
    ("min_items", "minItems"),
    ("min_length", "minLength"),
    ("min_properties", "minProperties"),
    ("prefix_items", "prefixItems"),
    ("property_ordering", "propertyOrdering"),
];

/// The schema as a JSON schema, in the same order; `None` where it is no JSON.
pub(super) fn json_schema(raw: &str) -> Option<Json> {
    let mut out = Vec::with_capacity(raw.len() + 16);
    write(&mut Walk::new(raw.as_bytes()), Place::Schema, 0, &mut out)?;
    Json::of(String::from_utf8(out).ok()?)
}

fn write(walk: &mut Walk<'_>, place: Place, depth: u32, out: &mut Vec<u8>) -> Option<()> {
    let is_deep = depth >= DEPTH_MAX;
    match (walk.peek()?, place) {
        (b'{', Place::Schema) if !is_deep => schema(walk, depth, out),
        (b'{', Place::Named) if !is_deep => {
            let mut first = true;
            out.push(b'{');
            walk.object(|walk, name| {
                key(name, &mut first, out);
                write(walk, Place::Schema, depth + 1, out)
            })?;
            out.push(b'}');
            Some(())
        }
        (b'[', Place::List) if !is_deep => {
            let mut first = true;
            out.push(b'[');
            walk.array(|walk| {
                if !std::mem::take(&mut first) {
                    out.push(b',');
                }
                write(walk, Place::Schema, depth + 1, out)
            })?;
            out.push(b']');
            Some(())
        }
        _ => {
            out.extend_from_slice(walk.value()?);
            Some(())
        }
    }
}

fn key(name: &[u8], first: &mut bool, out: &mut Vec<u8>) {
    if !std::mem::take(first) {
        out.push(b',');
    }
    out.push(b'"');
    out.extend_from_slice(name);
    out.extend_from_slice(b"\":");
}

fn schema(walk: &mut Walk<'_>, depth: u32, out: &mut Vec<u8>) -> Option<()> {
    let mut is_nullable = false;
    let mut ahead = *walk;
    ahead.object(|walk, name| {
        is_nullable |= walk.value()? == b"true" && name == b"nullable";
        Some(())
    })?;
    let mut first = true;
    out.push(b'{');
    walk.object(|walk, written| {
        let snake = SNAKE.iter().find(|(snake, _)| snake.as_bytes() == written);
        let name = snake.map_or(written, |(_, camel)| camel.as_bytes());
        let place = match name {
            b"nullable" | b"propertyOrdering" => return walk.value().map(drop),
            b"type" if walk.peek()? == b'"' => {
                let word = walk.text()?.to_ascii_lowercase();
                if word == b"type_unspecified" {
                    return Some(());
                }
                key(name, &mut first, out);
                let (open, close): (&[u8], &[u8]) = if is_nullable {
                    (b"[\"", b"\",\"null\"]")
                } else {
                    (b"\"", b"\"")
                };
                out.extend_from_slice(&[open, &word, close].concat());
                return Some(());
            }
            b"enum" if is_nullable && walk.peek()? == b'[' => {
                let list = walk.value()?;
                let inside = list.strip_suffix(b"]")?;
                key(name, &mut first, out);
                out.extend_from_slice(inside);
                let is_empty = inside.trim_ascii().len() == 1;
                out.extend_from_slice(if is_empty { b"null]" } else { b",null]" });
                return Some(());
            }
            b"items" | b"additionalProperties" | b"not" => Place::Schema,
            b"anyOf" | b"oneOf" | b"allOf" | b"prefixItems" => Place::List,
            b"properties" | b"$defs" | b"defs" | b"definitions" => Place::Named,
            _ => Place::Other,
        };
        key(name, &mut first, out);
        if walk.peek()? == b'"' && (name.starts_with(b"min") || name.starts_with(b"max")) {
            // Protocol buffers write large numbers as texts.
            let text = walk.text()?;
            let is_number = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
            let quote: &[u8] = if is_number { b"" } else { b"\"" };
            out.extend_from_slice(&[quote, text, quote].concat());
            return Some(());
        }
        write(walk, place, depth + 1, out)
    })?;
    out.push(b'}');
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn googles_schemas_become_json_schemas_in_their_order() {
        for (from, to) in [
            (
                r#"{"type":"OBJECT","properties":{"type":{"type":"STRING","nullable":true,"enum":["a"]},
                    "b":{"type":"ARRAY","items":{"type":"INTEGER","format":"int32"},"min_items":"2"}},
                    "required":["type"],"propertyOrdering":["type","b"]}"#,
                r#"{"type":"object","properties":{"type":{"type":["string","null"],"enum":["a",null]},"b":{"type":"array","items":{"type":"integer","format":"int32"},"minItems":2}},"required":["type"]}"#,
            ),
            (
                r#"{"any_of":[{"type":"NUMBER"},{"type":"TYPE_UNSPECIFIED","description":"NUMBER"}],"nullable":false}"#,
                r#"{"anyOf":[{"type":"number"},{"description":"NUMBER"}]}"#,
            ),
            (r#"{"enum":[],"nullable":true}"#, r#"{"enum":[null]}"#),
            (
                r#"{"type":["string","null"],"items":true,"maxLength":"x"}"#,
                r#"{"type":["string","null"],"items":true,"maxLength":"x"}"#,
            ),
        ] {
            let found = json_schema(from).expect("JSON");
            assert_eq!(found.get(), to);
        }
        assert_eq!(json_schema("{"), None);
        assert_eq!(json_schema("{\"type\":"), None);
        let deep = format!("{}1{}", "{\"items\":".repeat(100), "}".repeat(100));
        assert!(json_schema(&deep).is_some());
        let deep = format!("{}{}{}", "{\"anyOf\":[".repeat(100), "{}", "]}".repeat(100));
        assert!(json_schema(&deep).is_some());
    }
}
