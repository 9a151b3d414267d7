//! Reads schemas of an OpenAPI 3.0 document: the fields of an object with their types and bounds, those
//! inside of them by their whole names. Knows no route.

use admin_templates::docs::{DocField, DocLeaf};
use serde_json::{Map, Value};

/// So deep a field stands inside of others at most; schemas may contain themselves.
const DEPTH_MAX: usize = 5;
/// Fields inside of one that are told.
const LEAVES_MAX: usize = 80;
/// Words of a set that are told.
const WORDS_MAX: usize = 16;

/// The schemas of a document.
#[derive(Debug, Clone, Copy)]
pub(super) struct Schemas<'a>(pub(super) &'a Value);

/// A field of an object.
struct Property<'a> {
    name: &'a str,
    schema: &'a Value,
    needed: bool,
}

impl<'a> Schemas<'a> {
    /// What a reference leads to.
    fn resolved(self, mut schema: &'a Value) -> &'a Value {
        for _ in 0..DEPTH_MAX {
            let Some(name) = schema["$ref"].as_str() else {
                return schema;
            };
            let name = name.rsplit('/').next().unwrap_or_default();
            schema = &self.0["components"]["schemas"][name];
        }
        schema
    }

    /// The schema itself, or the parts and choices that it is made of.
    fn parts(self, schema: &'a Value, depth: usize) -> Vec<&'a Value> {
        let schema = self.resolved(schema);
        let mut parts = vec![schema];
        if depth < DEPTH_MAX {
            for word in ["allOf", "oneOf", "anyOf"] {
                for part in schema[word].as_array().into_iter().flatten() {
                    parts.extend(self.parts(part, depth + 1));
                }
            }
        }
        parts
    }

    fn properties(self, schema: &'a Value) -> Vec<Property<'a>> {
        let mut found: Vec<Property<'a>> = Vec::new();
        for part in self.parts(schema, 0) {
            let needed: Vec<&str> = part["required"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            let fields = part["properties"].as_object().into_iter().flatten();
            for (name, schema) in fields {
                if found.iter().all(|one| one.name != name) {
                    let needed = needed.contains(&name.as_str());
                    found.push(Property {
                        name,
                        schema,
                        needed,
                    });
                }
            }
        }
        found
    }

    /// What an array holds, where it is one.
    fn items(self, schema: &'a Value) -> Option<&'a Value> {
        let mut parts = self.parts(schema, 0).into_iter();
        parts.find_map(|part| part.get("items"))
    }

    /// The first sentence or so of what a schema says of itself.
    fn about(self, schema: &'a Value) -> String {
        let own = schema["description"].as_str();
        let mut parts = self.parts(schema, 0).into_iter();
        let text = own.or_else(|| parts.find_map(|part| part["description"].as_str()));
        text.unwrap_or_default().replace('\n', " ")
    }

    /// The type in words of the document, with its bounds.
    pub(super) fn kind(self, schema: &'a Value) -> String {
        let shown = self.resolved(schema);
        let words: Vec<String> = shown["enum"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|word| !word.is_null())
            .map(plain)
            .collect();
        let choices: Vec<&Value> = ["allOf", "oneOf", "anyOf"]
            .iter()
            .flat_map(|word| shown[*word].as_array().into_iter().flatten())
            .collect();
        let mut kind = if !words.is_empty() {
            let more = if words.len() > WORDS_MAX {
                " | …"
            } else {
                ""
            };
            format!(
                "{}{more}",
                words
                    .iter()
                    .take(WORDS_MAX)
                    .cloned()
                    .collect::<Vec<_>>()
                    .join(" | ")
            )
        } else if shown.get("type").is_none() && !choices.is_empty() {
            let mut kinds: Vec<String> = choices.into_iter().map(|one| self.kind(one)).collect();
            kinds.dedup();
            kinds.join(" or ")
        } else {
            self.typed(shown)
        };
        if shown["nullable"] == true || schema["nullable"] == true {
            kind.push_str(" or null");
        }
        if let Some(default) = shown.get("default").filter(|value| !value.is_null()) {
            kind.push_str(", default ");
            kind.push_str(&plain(default));
        }
        kind
    }

    fn typed(self, schema: &'a Value) -> String {
        let bounds = |least: &str, most: &str| range(&schema[least], &schema[most]);
        match schema["type"].as_str().unwrap_or("any") {
            "array" => {
                let of = schema
                    .get("items")
                    .map_or("any".to_owned(), |items| self.kind(items));
                format!("array of {of}{}", bounds("minItems", "maxItems"))
            }
            "object" => match schema.get("additionalProperties") {
                Some(values @ Value::Object(fields)) if !fields.is_empty() => {
                    format!("map of {}", self.kind(values))
                }
                _ => "object".to_owned(),
            },
            "string" => {
                let format = schema["format"].as_str();
                let format = format.filter(|format| *format != "string");
                let format = format.map_or_else(String::new, |format| format!(" ({format})"));
                let length = bounds("minLength", "maxLength");
                let unit = if length.is_empty() { "" } else { " characters" };
                format!("string{format}{length}{unit}")
            }
            other => format!("{other}{}", bounds("minimum", "maximum")),
        }
    }

    /// The fields of an object, of what an array holds, or of all that it may be.
    pub(super) fn fields(self, schema: &'a Value) -> Vec<DocField> {
        let (schema, prefix) = match self.items(schema) {
            Some(items) => (items, "[]."),
            None => (schema, ""),
        };
        let fields = self.properties(schema).into_iter();
        fields
            .map(|one| {
                let mut inner = Vec::new();
                self.leaves(one.schema, one.name, (1, &mut inner));
                DocField {
                    name: format!("{prefix}{}", one.name),
                    place: String::new(),
                    kind: self.kind(one.schema),
                    needed: one.needed,
                    about: self.about(one.schema),
                    inner,
                }
            })
            .collect()
    }

    /// A parameter of the address or the head.
    pub(super) fn parameter(self, parameter: &'a Value) -> DocField {
        let text = |name: &str| parameter[name].as_str().unwrap_or_default().to_owned();
        let schema = &parameter["schema"];
        let about = text("description").replace('\n', " ");
        DocField {
            name: text("name"),
            place: text("in"),
            kind: self.kind(schema),
            needed: parameter["required"] == true,
            about: if about.is_empty() {
                self.about(schema)
            } else {
                about
            },
            inner: Vec::new(),
        }
    }

    fn leaves(self, schema: &'a Value, above: &str, (depth, found): (usize, &mut Vec<DocLeaf>)) {
        let (schema, above) = match self.items(schema) {
            Some(items) => (items, format!("{above}[]")),
            None => (schema, above.to_owned()),
        };
        for one in self.properties(schema) {
            if found.len() >= LEAVES_MAX {
                return;
            }
            let name = format!("{above}.{}", one.name);
            found.push(DocLeaf {
                name: name.clone(),
                kind: self.kind(one.schema),
                needed: one.needed,
                about: self.about(one.schema),
            });
            if depth < DEPTH_MAX {
                self.leaves(one.schema, &name, (depth + 1, &mut *found));
            }
        }
    }

    /// The least that an object must have, with values that fit as far as the schema tells.
    pub(super) fn example(self, schema: &'a Value, depth: usize) -> Value {
        let shown = self.resolved(schema);
        for word in ["example", "default"] {
            if let Some(value) = shown.get(word).filter(|value| !value.is_null()) {
                return value.clone();
            }
        }
        if let Some(word) = shown["enum"].as_array().and_then(|words| words.first()) {
            return word.clone();
        }
        let properties = self.properties(schema);
        if !properties.is_empty() && depth < DEPTH_MAX {
            let needed = properties.into_iter().filter(|one| one.needed);
            let fields = needed.map(|one| {
                let value = self.example(one.schema, depth + 1);
                // The name of the field says more than any word.
                let is_empty = value.as_str().is_some_and(str::is_empty);
                let value = if is_empty {
                    Value::from(one.name)
                } else {
                    value
                };
                (one.name.to_owned(), value)
            });
            return Value::Object(fields.collect::<Map<_, _>>());
        }
        match shown["type"].as_str().unwrap_or_default() {
            "integer" => Value::from(shown["minimum"].as_i64().unwrap_or(1)),
            "number" => Value::from(1),
            "boolean" => Value::Bool(true),
            "array" => {
                let items = shown.get("items").filter(|_| depth < DEPTH_MAX);
                Value::from_iter(items.map(|items| self.example(items, depth + 1)))
            }
            "object" => Value::Object(Map::new()),
            _ if shown["format"] == "date-time" => Value::from("2030-01-01T00:00:00Z"),
            _ => Value::from(""),
        }
    }
}

/// A value as people write it.
fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// ` 1–100`, ` ≥ 1`, ` ≤ 100`, or nothing.
fn range(least: &Value, most: &Value) -> String {
    let number = |value: &Value| {
        let whole = value.as_i64().map(|whole| whole.to_string());
        let real = value.as_f64().map(|real| {
            let text = real.to_string();
            text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
        });
        whole.or(real)
    };
    match (number(least), number(most)) {
        (Some(least), Some(most)) => format!(" {least}–{most}"),
        (Some(least), None) => format!(" ≥ {least}"),
        (None, Some(most)) => format!(" ≤ {most}"),
        (None, None) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document() -> Value {
        json!({"components": {"schemas": {
            "Limits": {"type": "object", "required": ["rpm"], "properties": {
                "rpm": {"type": "integer", "minimum": 1, "maximum": 9},
                "again": {"$ref": "#/components/schemas/Limits"},
            }},
            "Word": {"type": "string", "enum": ["a", "b", null], "nullable": true},
        }}})
    }

    #[test]
    fn types_are_told_with_their_bounds() {
        let document = document();
        let schemas = Schemas(&document);
        for (schema, told) in [
            (
                json!({"type": "string", "minLength": 1, "maxLength": 9}),
                "string 1–9 characters",
            ),
            (
                json!({"type": "string", "format": "date-time"}),
                "string (date-time)",
            ),
            (json!({"type": "number", "minimum": 0.5}), "number ≥ 0.5"),
            (
                json!({"type": "integer", "maximum": 7.0, "default": 3}),
                "integer ≤ 7, default 3",
            ),
            (
                json!({"type": "array", "items": {"type": "boolean"}, "maxItems": 4}),
                "array of boolean ≤ 4",
            ),
            (
                json!({"$ref": "#/components/schemas/Word"}),
                "a | b or null",
            ),
            (
                json!({"type": "object", "additionalProperties": {"type": "integer"}}),
                "map of integer",
            ),
            (
                json!({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
                "string or array of string",
            ),
            (
                json!({"allOf": [{"$ref": "#/components/schemas/Limits"}], "nullable": true}),
                "object or null",
            ),
            (json!({}), "any"),
        ] {
            assert_eq!(schemas.kind(&schema), told, "{schema}");
        }
    }

    #[test]
    fn fields_inside_have_their_whole_names_and_a_schema_in_itself_ends() {
        let document = document();
        let schema = json!({"type": "object", "required": ["limits"], "properties": {
            "limits": {"allOf": [{"$ref": "#/components/schemas/Limits"}], "description": "How much."},
            "rows": {"type": "array", "items": {"type": "object", "properties": {"x": {"type": "integer"}}}},
        }});
        let fields = Schemas(&document).fields(&schema);
        assert_eq!(
            (fields[0].name.as_str(), fields[0].needed),
            ("limits", true)
        );
        assert_eq!(fields[0].about, "How much.");
        let names: Vec<&str> = fields[0]
            .inner
            .iter()
            .map(|leaf| leaf.name.as_str())
            .collect();
        assert_eq!(names[..2], ["limits.again", "limits.again.again"]);
        assert!(
            names.contains(&"limits.rpm") && names.len() < 20,
            "{names:?}"
        );
        assert_eq!(fields[1].inner[0].name, "rows[].x");
        let example = Schemas(&document).example(&schema, 0);
        assert_eq!(example, json!({"limits": {"rpm": 1}}));
    }
}
