//! Whether a schema is one that OpenAI takes as strict. Others' rules are wider: what comes from their
//! requests is said without `strict` where OpenAI would refuse the whole request for it. Facts: OpenAI,
//! "Structured model outputs", supported schemas, 2026-11.

use serde_json::{Map, Value};

use crate::dialect::neutral::{ChatRequest, Format, Json};

/// Levels of nesting at most.
const DEPTH_MAX: u32 = 10;

/// Keywords of which each value is fine.
const PLAIN: [&str; 15] = [
    "$ref",
    "const",
    "description",
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "maxItems",
    "maximum",
    "minItems",
    "minimum",
    "multipleOf",
    "pattern",
    "title",
    "type",
];

/// Whether strict output is asked for by a schema that OpenAI does not take so.
pub(crate) fn is_weakened(request: &ChatRequest) -> bool {
    let tools = request.tools.iter();
    let of_tool = tools.filter(|tool| tool.strict == Some(true));
    let mut of_tool = of_tool.filter_map(|tool| tool.parameters.as_ref());
    let of_format = match &request.format {
        Some(Format::JsonSchema { schema, strict, .. }) if *strict == Some(true) => !takes(schema),
        Some(Format::JsonSchema { .. } | Format::JsonObject | Format::Text) | None => false,
    };
    of_format || of_tool.any(|schema| !takes(schema))
}

/// What is said of `strict` where that is wanted of answers by `schema`.
pub(crate) fn said(strict: Option<bool>, schema: Option<&Json>) -> Option<bool> {
    let is_good = strict != Some(true) || schema.is_none_or(takes);
    strict.filter(|_| is_good)
}

/// Whether OpenAI takes a schema as strict.
fn takes(schema: &Json) -> bool {
    let root = schema.value();
    let is_object = root.get("type").and_then(Value::as_str) == Some("object");
    is_object && takes_value(&root, 0)
}

fn takes_value(value: &Value, depth: u32) -> bool {
    value
        .as_object()
        .is_some_and(|inside| takes_object(inside, depth))
}

fn takes_object(schema: &Map<String, Value>, depth: u32) -> bool {
    if depth > DEPTH_MAX {
        return false;
    }
    let each = |value: &Value| takes_value(value, depth + 1);
    let all_of = |value: &Value| value.as_object().is_some_and(|all| all.values().all(each));
    let is_known = |(name, value): (&String, &Value)| match name.as_str() {
        "properties" | "$defs" | "definitions" => all_of(value),
        "items" => each(value),
        "anyOf" => value.as_array().is_some_and(|all| all.iter().all(each)),
        "additionalProperties" => *value == Value::Bool(false),
        // Compared below with the properties.
        "required" => true,
        name => PLAIN.contains(&name),
    };
    schema.iter().all(is_known) && (!is_of_objects(schema) || requires_all(schema))
}

fn is_of_objects(schema: &Map<String, Value>) -> bool {
    let names_it = match schema.get("type") {
        Some(Value::String(word)) => word == "object",
        Some(Value::Array(words)) => words.iter().any(|word| word == "object"),
        _ => false,
    };
    names_it || schema.contains_key("properties")
}

/// Whether nothing may be left out or added.
fn requires_all(schema: &Map<String, Value>) -> bool {
    let is_closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
    let required = schema.get("required").and_then(Value::as_array);
    let is_required = |name: &String| {
        required.is_some_and(|all| all.iter().any(|one| one.as_str() == Some(name)))
    };
    let properties = schema.get("properties").and_then(Value::as_object);
    is_closed && properties.is_none_or(|all| all.keys().all(is_required))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// An object that has these properties and no others.
    fn closed(properties: Value, required: Value) -> Value {
        json!({"type": "object", "properties": properties, "required": required,
            "additionalProperties": false})
    }

    #[test]
    fn a_schema_is_strict_where_nothing_may_be_left_out_or_added() {
        let text = json!({"type": "string", "description": "d"});
        for (schema, expected) in [
            (closed(json!({"a": text}), json!(["a"])), true),
            (
                json!({"type": "object", "additionalProperties": false}),
                true,
            ),
            (closed(json!({"a": text, "b": text}), json!(["a"])), false),
            (
                json!({"type": "object", "properties": {"a": text}, "required": ["a"]}),
                false,
            ),
            (json!({"type": "object"}), false),
            (json!({"type": "array", "items": text}), false),
            (json!({"anyOf": [closed(json!({}), json!([]))]}), false),
            (
                closed(
                    json!({"a": {"type": ["string", "null"], "enum": ["x", null]}}),
                    json!(["a"]),
                ),
                true,
            ),
            (
                closed(
                    json!({"a": {"type": "array", "items": closed(json!({"b": text}), json!([]))}}),
                    json!(["a"]),
                ),
                false,
            ),
            (
                closed(
                    json!({"a": {"anyOf": [text, {"type": "null"}]}}),
                    json!(["a"]),
                ),
                true,
            ),
            (closed(json!({"a": {"oneOf": [text]}}), json!(["a"])), false),
            (closed(json!({"a": {"allOf": [text]}}), json!(["a"])), false),
            (
                closed(
                    json!({"a": {"type": "string", "default": "x"}}),
                    json!(["a"]),
                ),
                false,
            ),
            (
                closed(
                    json!({"a": {"type": "string", "minLength": 1}}),
                    json!(["a"]),
                ),
                false,
            ),
            (closed(json!({"type": text}), json!(["type"])), true),
            (
                json!({"type": "object", "properties": {"a": {"$ref": "#/$defs/b"}}, "required": ["a"],
                    "additionalProperties": false, "$defs": {"b": {"type": "object"}}}),
                false,
            ),
            (closed(json!({"a": true}), json!(["a"])), false),
            (json!(true), false),
        ] {
            let text = schema.to_string();
            let schema = Json::of(text.clone()).expect("JSON");
            assert_eq!(takes(&schema), expected, "{text}");
            let told = expected.then_some(true);
            assert_eq!(said(Some(true), Some(&schema)), told, "{text}");
            assert_eq!(said(Some(false), Some(&schema)), Some(false), "{text}");
        }
    }

    #[test]
    fn a_schema_of_too_many_levels_is_not_strict() {
        let text = json!({"type": "string", "description": "d"});
        let mut deep = closed(json!({"a": text}), json!(["a"]));
        for _ in 0..12 {
            deep = closed(json!({"a": deep}), json!(["a"]));
        }
        assert!(!takes(&Json::of_value(&deep).expect("JSON")));
    }
}
