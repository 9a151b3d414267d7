//! What the derived OpenAPI document does not say by itself: that absent fields come as `null`, and the
//! inference routes. Pure.

use serde_json::{Map, Value, json};

use super::infer;

/// The whole document: what poem-openapi derives, and the inference routes below `prefix`.
pub(super) fn whole(mut derived: Value, prefix: &str) -> Value {
    if let Some(schemas) = derived
        .pointer_mut("/components/schemas")
        .and_then(Value::as_object_mut)
    {
        for schema in schemas.values_mut() {
            tell_absent(schema);
        }
    }
    infer::openapi::add(&mut derived, prefix);
    derived
}

/// A field that may be absent is written as `null`, and may be sent so.
fn tell_absent(schema: &mut Value) {
    let names = |schema: &Value| -> Vec<String> {
        let names = schema["required"].as_array().into_iter().flatten();
        names.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let required = names(schema);
    if let Some(fields) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        for (name, field) in fields {
            tell_absent(field);
            if !required.contains(name) {
                make_nullable(field);
            }
        }
    }
    for word in ["allOf", "anyOf", "oneOf"] {
        let parts = schema.get_mut(word).and_then(Value::as_array_mut);
        parts.into_iter().flatten().for_each(tell_absent);
    }
    if let Some(items) = schema.get_mut("items") {
        tell_absent(items);
    }
}

fn make_nullable(field: &mut Value) {
    // What has a default is filled in and never `null`.
    let Some(fields) = field
        .as_object_mut()
        .filter(|fields| !fields.contains_key("default"))
    else {
        return;
    };
    if let Some(reference) = fields.remove("$ref") {
        // Beside a reference nothing counts (OpenAPI 3.0, "Reference Object").
        let part = Map::from_iter([("$ref".to_owned(), reference)]);
        fields.insert("allOf".to_owned(), json!([part]));
    }
    if let Some(Value::Array(words)) = fields.get_mut("enum") {
        words.push(Value::Null);
    }
    fields.insert("nullable".to_owned(), Value::Bool(true));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_absent_may_be_null() {
        let derived = json!({"paths": {}, "components": {"schemas": {"View": {
            "type": "object",
            "required": ["id"],
            "properties": {
                "id": {"type": "string"},
                "at": {"type": "string"},
                "kind": {"type": "string", "enum": ["a"]},
                "limits": {"$ref": "#/components/schemas/Limits"},
                "enabled": {"type": "boolean", "default": true},
                "rows": {"type": "array", "items": {"type": "object", "properties": {"x": {"type": "integer"}}}},
            },
        }}}});
        let whole = whole(derived, "/api/v1");
        let fields = &whole["components"]["schemas"]["View"]["properties"];
        assert_eq!(fields["id"], json!({"type": "string"}));
        assert_eq!(fields["at"], json!({"type": "string", "nullable": true}));
        assert_eq!(fields["kind"]["enum"], json!(["a", null]));
        let limits = json!({"allOf": [{"$ref": "#/components/schemas/Limits"}], "nullable": true});
        assert_eq!(fields["limits"], limits);
        assert_eq!(
            fields["enabled"],
            json!({"type": "boolean", "default": true})
        );
        assert_eq!(
            fields["rows"]["items"]["properties"]["x"]["nullable"],
            json!(true)
        );
        assert!(whole["paths"]["/api/v1/chat/completions"]["post"].is_object());
    }
}
