//! What the derived OpenAPI document does not say by itself: that absent fields come as `null`, the
//! bounds and words of fields (`rules.json`), and the inference routes. Pure.

pub(crate) mod strict;

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use shared::surface::Surface;

use super::infer;

/// The whole document: what poem-openapi derives, and the routes of `surfaces`.
pub(super) fn whole(mut derived: Value, surfaces: &[&Surface]) -> Value {
    let taken = taken(&derived);
    if let Some(schemas) = derived
        .pointer_mut("/components/schemas")
        .and_then(Value::as_object_mut)
    {
        for (name, schema) in schemas {
            tell_absent(schema);
            if taken.contains(name) {
                // Bodies refuse what they do not know: a typo must not change nothing silently.
                schema["additionalProperties"] = Value::Bool(false);
                let_default(schema);
            }
        }
    }
    tell_rules(&mut derived);
    tell_nothing(&mut derived);
    infer::openapi::add(&mut derived, surfaces);
    derived
}

/// What has a default may be absent.
fn let_default(schema: &mut Value) {
    let has_default = |name: &Value| {
        let field = name.as_str().map(|name| &schema["properties"][name]);
        field.is_some_and(|field| field.get("default").is_some())
    };
    let required = schema["required"].as_array().into_iter().flatten();
    let required: Vec<Value> = required
        .filter(|name| !has_default(name))
        .cloned()
        .collect();
    if let Some(fields) = schema.as_object_mut() {
        fields.remove("required");
        if !required.is_empty() {
            fields.insert("required".to_owned(), Value::Array(required));
        }
    }
}

/// Routes whose answer is `null` when there is nothing.
const NOTHING: [&str; 2] = ["admin_set_key_budget", "admin_set_user_budget"];

fn tell_nothing(document: &mut Value) {
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    let routes = paths
        .into_iter()
        .flatten()
        .filter_map(|(_, routes)| routes.as_object_mut());
    for (_, route) in routes.flatten() {
        let is_one = NOTHING.iter().any(|name| route["operationId"] == *name);
        let contents = route
            .pointer_mut("/responses/200/content")
            .filter(|_| is_one);
        let contents = contents
            .and_then(Value::as_object_mut)
            .into_iter()
            .flatten();
        for (_, content) in contents {
            if let Some(schema) = content.get_mut("schema") {
                make_nullable(schema);
            }
        }
    }
}

/// The objects that routes take, and those inside them.
fn taken(document: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for routes in document["paths"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(_, routes)| routes)
    {
        for route in routes
            .as_object()
            .into_iter()
            .flatten()
            .map(|(_, route)| route)
        {
            take(&route["requestBody"], document, &mut found);
        }
    }
    found.retain(|name| {
        let schema = &document["components"]["schemas"][name];
        schema["type"] == "object"
    });
    found
}

fn take(value: &Value, document: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields {
                let reference = inner.as_str().filter(|_| name == "$ref");
                let schema = reference.and_then(|text| text.rsplit('/').next());
                match schema {
                    Some(schema) if found.insert(schema.to_owned()) => {
                        take(&document["components"]["schemas"][schema], document, found);
                    }
                    Some(_) => {}
                    None => take(inner, document, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| take(item, document, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The bodies that the document's routes take.
pub(super) fn bodies(document: &Value) -> strict::Bodies {
    strict::Bodies::of(document)
}

/// Bounds and words of fields and parameters, as the rooms check them.
const RULES: &str = include_str!("rules.json");

fn tell_rules(document: &mut Value) {
    let Ok(rules) = serde_json::from_str::<Value>(RULES) else {
        return;
    };
    for (schema, fields) in rules["fields"].as_object().into_iter().flatten() {
        for (name, rule) in fields.as_object().into_iter().flatten() {
            let place = format!("/components/schemas/{schema}/properties/{name}");
            if let Some(field) = document.pointer_mut(&place) {
                add_rule(field, rule);
            }
        }
    }
    let parameters = rules["parameters"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    for (path, methods) in paths.into_iter().flatten() {
        let routes = methods.as_object_mut().into_iter().flatten();
        let told = routes.filter_map(|(_, route)| route.get_mut("parameters")?.as_array_mut());
        for parameter in told.flatten() {
            let Some(schema) = parameter.get("schema").cloned() else {
                continue;
            };
            let is_of = |rule: &&Value| {
                let here = rule.get("path").is_none_or(|of| of == path.as_str());
                here && rule["name"] == parameter["name"] && parameter["in"] == "query"
            };
            if let Some(rule) = parameters.iter().find(is_of) {
                let mut schema = schema;
                add_rule(&mut schema, &rule["rule"]);
                parameter["schema"] = schema;
            }
        }
    }
}

/// Adds what is not said yet; a word may be absent where the field may.
fn add_rule(field: &mut Value, rule: &Value) {
    let nullable = field["nullable"] == true;
    let Some(field) = field
        .as_object_mut()
        .filter(|field| !field.contains_key("$ref"))
    else {
        return;
    };
    for (name, value) in rule.as_object().into_iter().flatten() {
        if name != "items" && field.contains_key(name) {
            continue;
        }
        let mut value = value.clone();
        if nullable && let Value::Array(words) = &mut value {
            words.push(Value::Null);
        }
        field.insert(name.clone(), value);
    }
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
    let Some(fields) = field.as_object_mut() else {
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
    fn what_has_a_default_may_be_absent() {
        let fields = json!({"a": {"type": "string"}, "b": {"type": "array", "default": []}});
        let mut schema = json!({"required": ["a", "b"], "properties": fields});
        let_default(&mut schema);
        assert_eq!(schema["required"], json!(["a"]));
        let mut schema = json!({"required": ["b"], "properties": fields});
        let_default(&mut schema);
        assert_eq!(schema.get("required"), None);
    }

    #[test]
    fn every_rule_is_of_a_field_and_a_bound_that_stands_stays() {
        let mut document = json!({
            "paths": {"/admin/api/audit": {"get": {"parameters": [
                {"in": "query", "name": "limit", "schema": {"type": "integer", "maximum": 500}},
                {"in": "query", "name": "after", "schema": {"type": "string"}},
                {"in": "path", "name": "key", "schema": {"type": "string"}},
            ]}}},
            "components": {"schemas": {"UserPatchBody": {"properties": {
                "role": {"type": "string", "nullable": true},
            }}}},
        });
        tell_rules(&mut document);
        let parameters = &document["paths"]["/admin/api/audit"]["get"]["parameters"];
        assert_eq!(
            parameters[0]["schema"],
            json!({"type": "integer", "maximum": 500, "minimum": 1})
        );
        assert_eq!(parameters[1]["schema"]["pattern"], "^aud_[a-z0-9]{1,64}$");
        assert_eq!(parameters[2]["schema"], json!({"type": "string"}));
        let role = &document["components"]["schemas"]["UserPatchBody"]["properties"]["role"];
        assert_eq!(role["enum"], json!(["owner", "admin", "member", null]));
    }

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
        let whole = whole(derived, &shared::surface::SURFACES);
        let fields = &whole["components"]["schemas"]["View"]["properties"];
        assert_eq!(fields["id"], json!({"type": "string"}));
        assert_eq!(fields["at"], json!({"type": "string", "nullable": true}));
        assert_eq!(fields["kind"]["enum"], json!(["a", null]));
        let limits = json!({"allOf": [{"$ref": "#/components/schemas/Limits"}], "nullable": true});
        assert_eq!(fields["limits"], limits);
        assert_eq!(
            fields["enabled"],
            json!({"type": "boolean", "default": true, "nullable": true})
        );
        assert_eq!(
            fields["rows"]["items"]["properties"]["x"]["nullable"],
            json!(true)
        );
        assert!(whole["paths"]["/api/v1/chat/completions"]["post"].is_object());
    }
}
