//! A value that fits a JSON schema: what the sandbox gives as a tool's arguments and as structured
//! output. Reads the parts of the standard that OpenAI's structured outputs allow (2026); what it does
//! not know it passes over. Bounded in depth and size, since tenants write schemas.

use serde_json::{Map, Value, json};

/// OpenAI allows 10 levels; references may go round in circles.
const DEPTH_MAX: usize = 12;
/// Values of one example; OpenAI allows 5,000 properties.
const VALUES_MAX: usize = 2_000;
/// The longest text that a `minLength` gets.
const TEXT_MAX: usize = 256;
/// The longest value that is taken from the schema itself, in bytes of JSON.
const GIVEN_MAX: usize = 512;
/// The longest list that a `minItems` gets.
const ITEMS_MAX: usize = 16;

/// An example of `schema`.
pub(super) fn example(schema: &Value) -> Value {
    let mut maker = Maker {
        root: schema,
        left: VALUES_MAX,
    };
    maker.value(schema, 0)
}

struct Maker<'a> {
    root: &'a Value,
    left: usize,
}

impl Maker<'_> {
    fn value(&mut self, schema: &Value, depth: usize) -> Value {
        if depth > DEPTH_MAX || self.left == 0 {
            return Value::Null;
        }
        self.left -= 1;
        for name in ["const", "default"] {
            if let Some(value) = schema.get(name) {
                return given(value);
            }
        }
        for list in ["enum", "examples"] {
            if let Some(value) = schema.get(list).and_then(|list| list.get(0)) {
                return given(value);
            }
        }
        if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
            let root = self.root;
            let found = target.strip_prefix('#').and_then(|path| root.pointer(path));
            return found.map_or(Value::Null, |found| self.value(found, depth + 1));
        }
        for choice in ["anyOf", "oneOf", "allOf"] {
            if let Some(first) = schema.get(choice).and_then(|list| list.get(0)) {
                return self.value(first, depth + 1);
            }
        }
        self.of_type(schema, depth)
    }

    fn of_type(&mut self, schema: &Value, depth: usize) -> Value {
        let named = match schema.get("type") {
            // Of several types the first that is not null.
            Some(Value::Array(types)) => types.iter().find(|one| *one != "null"),
            other => other,
        };
        let implied = if schema.get("properties").is_some() {
            "object"
        } else {
            "string"
        };
        match named.and_then(Value::as_str).unwrap_or(implied) {
            "object" => self.object(schema, depth),
            "array" => {
                let items = schema.get("items").unwrap_or(&Value::Null);
                let least = schema.get("minItems").and_then(Value::as_u64).unwrap_or(1);
                let count = usize::try_from(least).unwrap_or(1).clamp(1, ITEMS_MAX);
                (0..count).map(|_| self.value(items, depth + 1)).collect()
            }
            "integer" => json!(integer(schema)),
            "number" => json!(number(schema)),
            "boolean" => json!(true),
            "null" => Value::Null,
            _ => json!(text(schema)),
        }
    }

    fn object(&mut self, schema: &Value, depth: usize) -> Value {
        let mut made = Map::new();
        let properties = schema.get("properties").and_then(Value::as_object);
        for (name, property) in properties.into_iter().flatten() {
            if self.left == 0 {
                break;
            }
            made.insert(name.clone(), self.value(property, depth + 1));
        }
        Value::Object(made)
    }
}

/// The least whole number that a schema allows, where it says one.
fn integer(schema: &Value) -> i64 {
    let given = |name: &str| schema.get(name).and_then(Value::as_i64);
    given("minimum")
        .or_else(|| given("exclusiveMinimum").map(|below| below.saturating_add(1)))
        .or_else(|| given("maximum").map(|most| most.min(1)))
        .unwrap_or(1)
}

fn number(schema: &Value) -> f64 {
    let given = |name: &str| schema.get(name).and_then(Value::as_f64);
    given("minimum")
        .or_else(|| given("exclusiveMinimum").map(|below| below + 1.0))
        .or_else(|| given("maximum").map(|most| most.min(1.5)))
        .unwrap_or(1.5)
}

/// A value of the schema's own, unless it is long: a reference may bring it a thousand times.
fn given(value: &Value) -> Value {
    let short = Vec::with_capacity(64);
    let mut room = Room(short);
    match serde_json::to_writer(&mut room, value) {
        Ok(()) => value.clone(),
        Err(_) => Value::Null,
    }
}

/// Takes as many bytes as a value may have.
struct Room(Vec<u8>);

impl std::io::Write for Room {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0.len() + bytes.len() > GIVEN_MAX {
            return Err(std::io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn text(schema: &Value) -> String {
    let least = schema.get("minLength").and_then(Value::as_u64).unwrap_or(0);
    let least = usize::try_from(least).unwrap_or(0).min(TEXT_MAX);
    let most = schema.get("maxLength").and_then(Value::as_u64);
    let most = most.and_then(|most| usize::try_from(most).ok());
    let word = match schema.get("format").and_then(Value::as_str) {
        Some("date-time") => "2026-01-01T00:00:00Z",
        Some("date") => "2026-01-01",
        Some("time") => "12:00:00Z",
        Some("email") => "sandbox@example.com",
        Some("uri") => "https://example.com/",
        Some("uuid") => "00000000-0000-4000-8000-000000000000",
        Some("ipv4") => "192.0.2.1",
        _ => "sandbox",
    };
    let mut text = word.repeat(least.div_ceil(word.len()).max(1));
    text.truncate(most.unwrap_or(usize::MAX).max(least));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_have_the_types_and_bounds_that_are_asked_for() {
        let schema = json!({
            "type": "object",
            "properties": {
                "city": {"type": "string"},
                "unit": {"enum": ["celsius", "fahrenheit"]},
                "days": {"type": "integer", "minimum": 3},
                "share": {"type": "number", "maximum": 0.5},
                "tags": {"type": "array", "items": {"type": "string", "minLength": 9}, "minItems": 2},
                "maybe": {"type": ["null", "boolean"]},
                "who": {"$ref": "#/$defs/person"},
                "when": {"type": "string", "format": "date"},
                "either": {"anyOf": [{"const": 7}, {"type": "string"}]},
                "short": {"type": "string", "maxLength": 3}
            },
            "$defs": {"person": {"properties": {"name": {"default": "Ada"}}}}
        });
        assert_eq!(
            example(&schema),
            json!({
                "city": "sandbox", "unit": "celsius", "days": 3, "share": 0.5,
                "tags": ["sandboxsandbox", "sandboxsandbox"], "maybe": true, "who": {"name": "Ada"},
                "when": "2026-01-01", "either": 7, "short": "san"
            })
        );
    }

    #[test]
    fn schemas_that_go_round_or_are_huge_end() {
        let round = json!({"properties": {"me": {"$ref": "#"}, "us": {"type": "array", "minItems": 99, "items": {"$ref": "#"}}}});
        let made = serde_json::to_string(&example(&round)).expect("JSON");
        assert!(made.len() < 64 * VALUES_MAX, "{}", made.len());
        let long = "x".repeat(GIVEN_MAX);
        assert_eq!(example(&json!({"default": long})), Value::Null);
        for odd in [
            json!(null),
            json!(7),
            json!([]),
            json!({"$ref": "x"}),
            json!({"type": 3}),
        ] {
            example(&odd);
        }
    }
}
