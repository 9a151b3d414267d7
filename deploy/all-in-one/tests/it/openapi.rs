//! The document that clients are made from: every route is in it, and no change of it goes unseen.

use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::support::joined::{Joined, start};
use crate::support::places;

#[tokio::test(flavor = "multi_thread")]
async fn the_document_is_what_it_was_and_the_page_shows_it() {
    let [place, _] = places().await;
    let product = start(&place, Joined::InProcess).await;
    let (status, document) = product
        .send(Method::GET, "/api/openapi.json", None, None)
        .await;
    assert_eq!(status, StatusCode::OK);
    let settings = insta::Settings::clone_current();
    settings.bind(|| insta::assert_snapshot!("openapi", surface(&document)));
    let (status, page) = product.send(Method::GET, "/api/docs", None, None).await;
    assert_eq!(status, StatusCode::OK);
    let page = page.as_str().expect("a page, not JSON");
    for path in document["paths"].as_object().expect("paths").keys() {
        assert!(
            page.contains(&format!("\"{path}\"")),
            "{path} is missing in the page"
        );
    }
    assert!(
        !page.contains("src=\"http"),
        "the page loads nothing from elsewhere"
    );
    product.stop().await;
}

/// What a client can see, a line for each route and each field.
fn surface(document: &Value) -> String {
    let mut lines = Vec::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, route) in methods.as_object().expect("methods") {
            lines.push(self::route(method, path, route));
        }
    }
    for (name, schema) in document["components"]["schemas"]
        .as_object()
        .expect("schemas")
    {
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        lines.push(format!("{name}{}", words(schema)));
        for (field, inner) in schema["properties"].as_object().into_iter().flatten() {
            let mark = if required.contains(&Value::from(field.as_str())) {
                ""
            } else {
                "?"
            };
            lines.push(format!("  {field}{mark}: {}", type_of(inner)));
        }
    }
    lines.join("\n")
}

fn route(method: &str, path: &str, route: &Value) -> String {
    let named = |parameter: &Value| {
        format!(
            " {}:{}",
            parameter["in"].as_str().unwrap_or("?"),
            parameter["name"].as_str().unwrap_or("?")
        )
    };
    let parameters: String = route["parameters"]
        .as_array()
        .into_iter()
        .flatten()
        .map(named)
        .collect();
    let statuses: Vec<String> = route["responses"]
        .as_object()
        .into_iter()
        .flatten()
        // Errors are of one type on every route.
        .filter(|(status, _)| status.starts_with('2'))
        .map(|(status, answer)| format!("{status} {}", body_of(answer)))
        .collect();
    let body = body_of(&route["requestBody"]);
    let method = method.to_uppercase();
    format!(
        "{method} {path}{parameters} {body} -> {}",
        statuses.join(" ")
    )
}

/// The types of a body's first form of content.
fn body_of(holder: &Value) -> String {
    let first = holder["content"].as_object().and_then(|c| c.iter().next());
    first.map_or("-".to_owned(), |(_, content)| type_of(&content["schema"]))
}

fn type_of(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str() {
        return name.rsplit('/').next().unwrap_or(name).to_owned();
    }
    if let Some(items) = schema.get("items") {
        return format!("[{}]", type_of(items));
    }
    let any: Vec<String> = ["allOf", "anyOf", "oneOf"]
        .iter()
        .filter_map(|word| schema[word].as_array())
        .flatten()
        .map(type_of)
        .filter(|name| !name.is_empty())
        .collect();
    if any.is_empty() {
        schema["type"].as_str().unwrap_or_default().to_owned() + &words(schema)
    } else {
        any.join("|")
    }
}

/// The allowed words of an enumeration.
fn words(schema: &Value) -> String {
    let words: Vec<&str> = schema["enum"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if words.is_empty() {
        String::new()
    } else {
        format!(" ({})", words.join(" "))
    }
}
