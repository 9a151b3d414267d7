//! Holds bodies to the document where the parser is laxer: it takes a number or `true` for a text, and
//! would store `"false"` as somebody's name.

use http::Method;
use serde_json::{Map, Value};

use crate::error::ApiError;
use crate::manners::methods::Template;

/// How deep bodies of the document lie in each other at most.
const DEPTH_MAX: usize = 8;

/// The bodies that routes take.
#[derive(Debug, Default)]
pub(crate) struct Bodies {
    routes: Vec<(Template, Method, Value)>,
    schemas: Map<String, Value>,
}

impl Bodies {
    /// Of a document.
    pub(super) fn of(document: &Value) -> Self {
        let schemas = document["components"]["schemas"].as_object().cloned();
        let mut routes = Vec::new();
        for (path, methods) in document["paths"].as_object().into_iter().flatten() {
            for (method, route) in methods.as_object().into_iter().flatten() {
                let content = route["requestBody"]["content"].as_object();
                let body = content.and_then(|content| content.values().next());
                let method = method.to_ascii_uppercase().parse();
                if let (Some(body), Ok(method)) = (body, method) {
                    routes.push((Template::read(path), method, body["schema"].clone()));
                }
            }
        }
        Self {
            routes,
            schemas: schemas.unwrap_or_default(),
        }
    }

    /// Refuses a body that has something else where the document has a text.
    pub(crate) fn check(&self, method: &Method, path: &str, body: &[u8]) -> Result<(), ApiError> {
        if body.is_empty() {
            return Ok(());
        }
        let mut routes = self.routes.iter();
        let Some((.., schema)) = routes.find(|(route, of, _)| of == method && route.fits(path))
        else {
            return Ok(());
        };
        // What is no JSON is told by the parser.
        let Ok(body) = serde_json::from_slice::<Value>(body) else {
            return Ok(());
        };
        match self.odd("", schema, &body, 0) {
            Some(name) => Err(ApiError::bad_field(
                &name,
                format!("`{name}` must be a text."),
            )),
            None => Ok(()),
        }
    }

    /// The name of a text that is none.
    fn odd(&self, name: &str, schema: &Value, value: &Value, depth: usize) -> Option<String> {
        if depth > DEPTH_MAX {
            return None;
        }
        if let Some(reference) = schema["$ref"].as_str() {
            let schema = self.schemas.get(reference.rsplit('/').next()?)?;
            return self.odd(name, schema, value, depth + 1);
        }
        if let Some(parts) = schema["allOf"].as_array() {
            return parts
                .iter()
                .find_map(|part| self.odd(name, part, value, depth + 1));
        }
        match value {
            Value::Bool(_) | Value::Number(_) if schema["type"] == "string" => {
                Some(name.to_owned())
            }
            Value::Array(items) => items
                .iter()
                .find_map(|item| self.odd(name, &schema["items"], item, depth + 1)),
            Value::Object(fields) => fields.iter().find_map(|(name, value)| {
                self.odd(name, &schema["properties"][name], value, depth + 1)
            }),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_text_is_a_text_wherever_it_stands() {
        let bodies = Bodies::of(&json!({
            "paths": {"/a/{id}": {"post": {"requestBody": {"content": {"application/json": {
                "schema": {"$ref": "#/components/schemas/Outer"}}}}}}},
            "components": {"schemas": {
                "Outer": {"type": "object", "properties": {
                    "name": {"type": "string"},
                    "count": {"type": "integer"},
                    "words": {"type": "array", "items": {"type": "string"}},
                    "inner": {"allOf": [{"$ref": "#/components/schemas/Inner"}, {"description": "x"}]},
                }},
                "Inner": {"type": "object", "properties": {"label": {"type": "string"}}},
            }},
        }));
        let odd = |path: &str, body: Value| {
            let checked = bodies.check(&Method::POST, path, body.to_string().as_bytes());
            checked.is_err()
        };
        for (body, is_odd) in [
            (
                json!({"name": "x", "count": 1, "words": ["a"], "inner": {"label": null}}),
                false,
            ),
            (json!({"name": false}), true),
            (json!({"name": 7}), true),
            (json!({"words": ["a", 1]}), true),
            (json!({"inner": {"label": true}}), true),
            (json!({"unknown": 7}), false),
            (json!([1]), false),
        ] {
            assert_eq!(odd("/a/1", body.clone()), is_odd, "{body}");
            assert!(!odd("/b", body), "another route");
        }
        assert!(bodies.check(&Method::POST, "/a/1", b"{").is_ok());
        assert!(bodies.check(&Method::POST, "/a/1", b"").is_ok());
    }
}
