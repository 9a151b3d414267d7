//! What clients write otherwise than our own would, and what they expect to be told: addresses,
//! methods, browsers of other places, encodings of bodies, names.

mod addresses;
mod bodies;

use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::joined::{Joined, start};
use crate::support::places;
use crate::support::product::Product;

/// One request with these headers; its status, headers and body.
async fn ask(
    product: &Product,
    (method, path): (Method, &str),
    headers: &[(&str, &str)],
    body: Option<Vec<u8>>,
) -> (StatusCode, HeaderMap, Vec<u8>) {
    let mut request = product.http.request(method, product.url(path));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if let Some(body) = body {
        request = request.body(body);
    }
    let answer = request.send().await.expect("an answer");
    let (status, headers) = (answer.status(), answer.headers().clone());
    (
        status,
        headers,
        answer.bytes().await.expect("a body").to_vec(),
    )
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    headers
        .get(name)
        .map_or("", |value| value.to_str().expect("text"))
}

fn chat(model: &str) -> Value {
    json!({"model": model, "messages": [{"role": "user", "content": "hi"}]})
}

async fn priced(product: &Product, id: &str, operation: &str) {
    product
        .model(id, operation, json!({"per_request": "0.1"}))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_name_the_public_model_where_the_operator_wants_it() {
    for (place, joined) in places()
        .await
        .into_iter()
        .zip([Joined::InProcess, Joined::OverHttp])
    {
        let product = start(&place, joined).await;
        let customer = product.customer("10").await;
        for (id, operation, at_provider) in [
            ("acme/Chat-1", "chat", "sandbox-chat"),
            ("acme-embedding", "embedding", "sandbox-embedding"),
        ] {
            let target =
                json!({"provider": "sandbox", "model": at_provider, "weight": 1, "priority": 0});
            let body = json!({"id": id, "operation": operation, "targets": [target], "price": {"per_request": "0.1"}});
            let (status, made) = product.admin(Method::POST, "/models", Some(body)).await;
            assert_eq!(
                (status, &made["answers_public_name"]),
                (StatusCode::CREATED, &json!(false))
            );
        }
        let asked = async |streams: bool| -> Vec<Value> {
            let mut body = chat("acme/Chat-1");
            body["stream"] = json!(streams);
            let bearer = format!("Bearer {}", customer.key);
            let to = (Method::POST, "/v1/chat/completions");
            let (status, _, answer) = ask(
                &product,
                to,
                &[("authorization", &bearer)],
                Some(body.to_string().into_bytes()),
            )
            .await;
            assert_eq!(status, StatusCode::OK);
            let answer = String::from_utf8(answer).expect("text");
            let events = answer
                .lines()
                .filter_map(|line| line.strip_prefix("data: "))
                .filter(|data| *data != "[DONE]");
            let texts: Vec<&str> = if streams {
                events.collect()
            } else {
                vec![answer.as_str()]
            };
            texts
                .iter()
                .map(|text| serde_json::from_str::<Value>(text).expect("JSON")["model"].clone())
                .collect()
        };
        for streams in [false, true] {
            let names = asked(streams).await;
            assert!(
                !names.is_empty() && names.iter().all(|name| name == "sandbox-chat"),
                "{names:?}"
            );
        }
        let patch = Some(json!({"answers_public_name": true}));
        for id in ["acme%2FChat-1", "acme-embedding"] {
            let (status, model) = product
                .admin(Method::PATCH, &format!("/models/{id}"), patch.clone())
                .await;
            assert_eq!(
                (status, &model["answers_public_name"]),
                (StatusCode::OK, &json!(true))
            );
        }
        for streams in [false, true] {
            let names = asked(streams).await;
            assert!(
                !names.is_empty() && names.iter().all(|name| name == "acme/Chat-1"),
                "{names:?}"
            );
        }
        let body = json!({"model": "ACME-embedding", "input": "hi"});
        let (status, answer) = product
            .send(
                Method::POST,
                "/v1/embeddings",
                Some(&customer.key),
                Some(body),
            )
            .await;
        assert_eq!(
            (status, &answer["model"]),
            (StatusCode::OK, &json!("acme-embedding")),
            "{answer}"
        );
        product.stop().await;
    }
}
