//! The API's main answers, whole, as snapshots: what a client reads is what it was, on either database.
//! What differs from run to run is replaced, and only where it is what it should be.

mod steady;

use std::fmt::Write as _;

use reqwest::Method;
use serde_json::{Value, json};

use self::steady::{steadied, steady};
use crate::support::joined::{Joined, start};
use crate::support::product::{Customer, Product};
use crate::support::{Place, places};

const CHAT: &str = "/api/v1/chat/completions";

/// One answer as a snapshot shows it.
async fn told(
    product: &Product,
    (method, path): (Method, &str),
    bearer: Option<&str>,
    body: Option<&Value>,
) -> String {
    let request = product.http.request(method.clone(), product.url(path));
    let request = match bearer {
        Some(bearer) => request.bearer_auth(bearer),
        None => request,
    };
    let request = match body {
        Some(body) => request.json(body),
        None => request,
    };
    let answer = request.send().await.expect("an answer");
    let status = answer.status();
    let mut text = format!("{method} {}\n", steady(path));
    if let Some(body) = body {
        let _ = writeln!(text, "{}", steadied(body.clone()));
    }
    let _ = writeln!(text, "-> {status}");
    let mut names: Vec<_> = answer
        .headers()
        .keys()
        .map(|name| name.as_str().to_owned())
        .filter(|name| {
            name.starts_with("x-") || name == "retry-after" || name == "www-authenticate"
        })
        .collect();
    names.sort();
    let kind = answer.headers()["content-type"].to_str().expect("text");
    let _ = writeln!(text, "content-type: {kind}");
    let _ = writeln!(text, "also: {}", names.join(", "));
    let body = answer.text().await.expect("text");
    if let Ok(json) = serde_json::from_str::<Value>(&body) {
        let pretty = serde_json::to_string_pretty(&steadied(json)).expect("JSON");
        let _ = writeln!(text, "{pretty}");
        return text;
    }
    for line in body.lines() {
        let data = line.strip_prefix("data: ");
        match data.and_then(|data| serde_json::from_str::<Value>(data).ok()) {
            Some(json) => {
                let _ = writeln!(text, "data: {}", steadied(json));
            }
            None => {
                let _ = writeln!(text, "{line}");
            }
        }
    }
    text
}

/// A place, a bearer and a body.
type Asked<'a> = ((Method, &'static str), Option<&'a str>, Option<Value>);

/// What clients ask first, and what they are told when they ask wrongly.
async fn all(product: &Product, customer: &Customer) -> String {
    let key = Some(customer.key.as_str());
    let post = |path| (Method::POST, path);
    let get = |path| (Method::GET, path);
    let say = |model: &str, more: Value| {
        let mut body =
            json!({"model": model, "messages": [{"role": "user", "content": "hello [tokens:3]"}]});
        let fields = body.as_object_mut().expect("an object");
        fields.extend(more.as_object().cloned().unwrap_or_default());
        body
    };
    let streamed = json!({"stream": true, "stream_options": {"include_usage": true}});
    let asked: Vec<Asked<'_>> = vec![
        (post(CHAT), key, Some(say("sandbox-chat", json!({})))),
        (post(CHAT), key, Some(say("sandbox-chat", streamed))),
        (
            post("/api/v1/completions"),
            key,
            Some(json!({"model": "sandbox-completion", "prompt": "Once", "max_tokens": 3})),
        ),
        (
            post("/api/v1/embeddings"),
            key,
            Some(json!({"model": "sandbox-embedding", "input": "a", "dimensions": 3})),
        ),
        (
            post("/api/v1/images/generations"),
            key,
            Some(
                json!({"model": "sandbox-image", "prompt": "a lamp", "response_format": "b64_json"}),
            ),
        ),
        (
            post("/api/v1/moderations"),
            key,
            Some(json!({"model": "sandbox-moderation", "input": "a lamp"})),
        ),
        (get("/api/v1/models"), key, None),
        (get("/api/v1/models/sandbox-chat"), key, None),
        (get("/api/v1/credits/balance"), key, None),
        (get("/api/v1/credits/history?limit=1"), key, None),
        (get("/api/v1/usage?limit=2"), key, None),
        (post(CHAT), None, Some(say("sandbox-chat", json!({})))),
        (post(CHAT), key, Some(say("no-such-model", json!({})))),
        (post(CHAT), key, Some(json!({"model": "sandbox-chat"}))),
        (
            post(CHAT),
            key,
            Some(say(
                "sandbox-chat",
                json!({"messages": [{"role": "user", "content": "[fail:500]"}]}),
            )),
        ),
        (post(CHAT), key, Some(say("dear", json!({})))),
        (get(CHAT), key, None),
        (get("/api/v1/nothing"), key, None),
        (get("/api/v1/usage?limit=0"), key, None),
        (get("/api/v1/keys"), key, None),
    ];
    let mut text = String::new();
    for (place, bearer, body) in asked {
        if place.1.starts_with("/api/v1/usage") || place.1.starts_with("/api/v1/credits") {
            product.settled(customer).await;
        }
        let one = told(product, place, bearer, body.as_ref()).await;
        let _ = writeln!(text, "{one}");
    }
    text
}

async fn are_what_they_were(place: Place) {
    let product = start(&place, Joined::InProcess).await;
    product
        .model("dear", "chat", json!({"per_request": 1_000}))
        .await;
    let customer = product.customer("10").await;
    let text = all(&product, &customer).await;
    assert!(
        !text.contains(&customer.key),
        "no answer shows a key's secret"
    );
    insta::assert_snapshot!("answers", text);
    product.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_what_they_were_on_sqlite() {
    let [place, _] = places().await;
    are_what_they_were(place).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_what_they_were_on_postgres() {
    let [_, place] = places().await;
    are_what_they_were(place).await;
}
