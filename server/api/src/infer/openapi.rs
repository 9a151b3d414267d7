//! The part of the OpenAPI document that poem-openapi can't derive: inference routes take and give
//! bytes. Made of the table of surfaces; a test compares the whole document with its snapshot.

use serde_json::{Map, Value, json};
use shared::surface::{AnswerForm, BodyFormat, Surface};

/// A name for programs: the operation's word, and where that has several surfaces the path's words.
pub fn operation_id(surface: &Surface) -> String {
    if Surface::of(surface.operation) == surface {
        return format!("create_{}", surface.operation.word());
    }
    let words = surface
        .path
        .trim_start_matches('/')
        .replace(['/', '-'], "_");
    format!("create_{words}")
}

/// The types that an answer may be of.
fn answers(surface: &Surface) -> Value {
    let mut content = Map::new();
    let mut add =
        |kind: &str, schema: Value| content.insert(kind.to_owned(), json!({"schema": schema}));
    match surface.answer {
        AnswerForm::Json => drop(add("application/json", json!({"type": "object"}))),
        AnswerForm::Events => {
            add("application/json", json!({"type": "object"}));
            add("text/event-stream", json!({"type": "string"}));
        }
        AnswerForm::Binary => {
            drop(add(
                "application/octet-stream",
                json!({"type": "string", "format": "binary"}),
            ));
        }
    }
    Value::Object(content)
}

fn path_item(surface: &Surface) -> Value {
    let schema: Value = serde_json::from_str(surface.dialect.request_schema()).unwrap_or_default();
    let input = match surface.input {
        BodyFormat::Json => "application/json",
        BodyFormat::Form => "multipart/form-data",
    };
    let error = |what: &str| {
        json!({
            "description": what,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorBody"}}}
        })
    };
    json!({
        "post": {
            "tags": [surface.title],
            "summary": surface.title,
            "description": surface.about,
            "operationId": operation_id(surface),
            "requestBody": {"required": true, "content": {input: {"schema": schema}}},
            "responses": {
                "200": {
                    "description": "OpenAI's answer, as the provider gave it",
                    "content": answers(surface)
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

/// Adds the routes of surfaces below `prefix` to a document.
pub fn add(document: &mut Value, prefix: &str, surfaces: &[&Surface]) {
    let Some(paths) = document.get_mut("paths").and_then(Value::as_object_mut) else {
        return;
    };
    for surface in surfaces {
        paths.insert(format!("{prefix}{}", surface.path), path_item(surface));
    }
}
