//! The part of the OpenAPI document that poem-openapi can't derive: inference routes take and give
//! bytes. Hand-kept; a test compares the whole document with its snapshot.

use serde_json::{Value, json};
use shared::link::Operation;

fn description(operation: Operation) -> (&'static str, &'static str, Value) {
    match operation {
        Operation::Chat => (
            "Chat",
            "OpenAI's chat completions. Every field of OpenAI's reference is passed on; `stream: true` answers \
             server-sent events. Credits for the worst case are held first; when the balance covers only a part, \
             the maximum of output tokens is lowered and the header `x-waule-max-tokens` says to what.",
            json!({
                "type": "object",
                "required": ["model", "messages"],
                "properties": {
                    "model": {"type": "string", "minLength": 1, "maxLength": 100},
                    "messages": {"type": "array", "items": {"type": "object"}, "minItems": 1},
                    "stream": {"nullable": true, "type": "boolean", "default": false},
                    "stream_options": {"nullable": true, "type": "object", "properties": {"include_usage": {"type": "boolean", "nullable": true}}},
                    "max_tokens": {"nullable": true, "type": "integer", "minimum": 1, "maximum": 10_000_000},
                    "max_completion_tokens": {"nullable": true, "type": "integer", "minimum": 1, "maximum": 10_000_000},
                    "n": {"nullable": true, "type": "integer", "minimum": 1, "maximum": 128}
                }
            }),
        ),
        Operation::Embedding => (
            "Embeddings",
            "OpenAI's embeddings; `input` is a text, an array of texts or of tokens.",
            json!({
                "type": "object",
                "required": ["model", "input"],
                "properties": {
                    "model": {"type": "string", "minLength": 1, "maxLength": 100},
                    "input": {"anyOf": [
                        {"type": "string", "minLength": 1},
                        {"type": "array", "items": {}, "minItems": 1}
                    ]},
                    "encoding_format": {"nullable": true, "type": "string", "enum": ["float", "base64", null]},
                    "dimensions": {"nullable": true, "type": "integer", "minimum": 1}
                }
            }),
        ),
        Operation::Image => (
            "Images",
            "OpenAI's image generations. A call that names no model goes to the platform's default: the one \
             that an operator marked, else the oldest that your key may use.",
            json!({
                "type": "object",
                "required": ["prompt"],
                "properties": {
                    "model": {"type": "string", "nullable": true, "description": "The platform's default when absent"},
                    "prompt": {"type": "string", "minLength": 1, "maxLength": 32000, "pattern": "[^\\s]"},
                    "n": {"nullable": true, "type": "integer", "minimum": 1, "maximum": 10},
                    "size": {"nullable": true, "type": "string"},
                    "quality": {"nullable": true, "type": "string"},
                    "response_format": {"nullable": true, "type": "string", "enum": ["url", "b64_json", null]}
                }
            }),
        ),
    }
}

fn path_item(operation: Operation) -> Value {
    let (tag, text, schema) = description(operation);
    let error = |what: &str| {
        json!({
            "description": what,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorBody"}}}
        })
    };
    json!({
        "post": {
            "tags": [tag],
            "summary": tag,
            "description": text,
            "operationId": format!("create_{}", operation.word()),
            "requestBody": {"required": true, "content": {"application/json": {"schema": schema}}},
            "responses": {
                "200": {
                    "description": "OpenAI's answer, as the provider gave it",
                    "content": {"application/json": {"schema": {"type": "object"}}, "text/event-stream": {"schema": {"type": "string"}}}
                },
                "400": error("The body is wrong; the message says what"),
                "401": error("The key or token is missing or wrong"),
                "402": error("The credits do not cover the call"),
                "403": error("The key does not allow it"),
                "404": error("There is no such model"),
                "405": error("The path knows other methods only; `Allow` names them"),
                "408": error("The body did not arrive in time"),
                "409": error("It contradicts what is there, as the provider says"),
                "413": error("The body is too large"),
                "415": error("The content type or encoding is not understood"),
                "422": error("The provider can't process the request"),
                "429": error("A limit is reached; `Retry-After` says when to come back"),
                "500": error("A failure of ours"),
                "502": error("The provider failed"),
                "503": error("Busy; `Retry-After` says when to come back"),
                "504": error("The provider did not answer in time")
            },
            "security": [{"Bearer": []}, {"ApiKey": []}]
        }
    })
}

/// Adds the inference routes below `prefix` to a document.
pub fn add(document: &mut Value, prefix: &str) {
    let Some(paths) = document.get_mut("paths").and_then(Value::as_object_mut) else {
        return;
    };
    for operation in Operation::ALL {
        paths.insert(
            format!("{prefix}{}", operation.path()),
            path_item(operation),
        );
    }
}
