//! Bodies in the encodings and forms that clients send, and what is read of them.

use std::io::Write;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{ask, chat, priced};
use crate::support::joined::{Joined, start};
use crate::support::places;

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).expect("written");
    encoder.finish().expect("finished")
}

fn zlib(body: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).expect("written");
    encoder.finish().expect("finished")
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_are_understood_as_clients_send_them() {
    for place in places().await {
        let product = start(&place, Joined::InProcess).await;
        let customer = product.customer("10").await;
        priced(&product, "sandbox-chat", "chat").await;
        let bearer = format!("Bearer {}", customer.key);
        let plain = chat("sandbox-chat").to_string().into_bytes();
        let marked = [b"\xef\xbb\xbf".as_slice(), &plain].concat();
        let send = async |headers: &[(&str, &str)], body: Vec<u8>| {
            let headers: Vec<_> = [("authorization", bearer.as_str())]
                .into_iter()
                .chain(headers.iter().copied())
                .collect();
            let to = (Method::POST, "/v1/chat/completions");
            ask(&product, to, &headers, Some(body)).await.0
        };
        for (headers, body) in [
            (vec![], plain.clone()),
            (
                vec![("content-type", "application/json; charset=utf-8")],
                marked.clone(),
            ),
            (vec![("content-encoding", "gzip")], gzip(&plain)),
            (vec![("content-encoding", "gzip")], gzip(&marked)),
            (vec![("content-encoding", "deflate")], zlib(&plain)),
            (vec![("content-encoding", "identity")], plain.clone()),
        ] {
            assert_eq!(send(&headers, body).await, StatusCode::OK, "{headers:?}");
        }
        let br = send(&[("content-encoding", "br")], plain.clone()).await;
        assert_eq!(br, StatusCode::UNSUPPORTED_MEDIA_TYPE);
        let broken = send(&[("content-encoding", "gzip")], plain.clone()).await;
        assert_eq!(broken, StatusCode::BAD_REQUEST);
        // The bound of these products is 1,000,000 bytes.
        let bomb = send(
            &[("content-encoding", "gzip")],
            gzip(&vec![b' '; 30_000_000]),
        )
        .await;
        assert_eq!(bomb, StatusCode::PAYLOAD_TOO_LARGE);
        // The admin's routes as well, also where nothing says that it is JSON.
        let admin = format!("Bearer {}", product.admin_token());
        let named = |name: &str| {
            json!({"name": format!("{name} {}", place.name)})
                .to_string()
                .into_bytes()
        };
        for (headers, body) in [
            (
                vec![
                    ("content-encoding", "gzip"),
                    ("content-type", "application/json"),
                ],
                gzip(&named("zipped")),
            ),
            (vec![], named("untyped")),
            (
                vec![("content-type", "text/json; charset=utf-8")],
                named("text"),
            ),
            (
                vec![("content-type", "application/json")],
                [b"\xef\xbb\xbf".as_slice(), &named("marked")].concat(),
            ),
        ] {
            let headers: Vec<_> = [("authorization", admin.as_str())]
                .into_iter()
                .chain(headers)
                .collect();
            let to = (Method::POST, "/admin/api/tenants");
            let (status, _, answer) = ask(&product, to, &headers, Some(body)).await;
            let answer = String::from_utf8_lossy(&answer).into_owned();
            assert_eq!(status, StatusCode::CREATED, "{headers:?}: {answer}");
        }
        product.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn images_that_name_no_model_go_to_the_default() {
    for place in places().await {
        let product = start(&place, Joined::InProcess).await;
        let customer = product.customer("10").await;
        let image = async |body: Value| {
            let path = "/v1/images/generations";
            product
                .send(Method::POST, path, Some(&customer.key), Some(body))
                .await
        };
        let charged = async || {
            product.settled(&customer).await;
            let (_, usage) = product
                .send(Method::GET, "/api/v1/usage", Some(&customer.key), None)
                .await;
            usage["data"][0]["model"].clone()
        };
        let (_, known) = product.admin(Method::GET, "/models?limit=100", None).await;
        for model in known["data"].as_array().expect("models") {
            if model["operation"] == "image" {
                let id = model["id"].as_str().expect("an id");
                product
                    .admin(Method::DELETE, &format!("/models/{id}"), None)
                    .await;
            }
        }
        let (status, none) = image(json!({"prompt": "a cat"})).await;
        assert_eq!(
            (status, &none["error"]["param"]),
            (StatusCode::BAD_REQUEST, &json!("model")),
            "{none}"
        );
        priced(&product, "oldest", "image").await;
        priced(&product, "newer", "image").await;
        for body in [
            json!({"prompt": "a cat"}),
            json!({"prompt": "a cat", "model": null}),
        ] {
            let (status, answer) = image(body).await;
            assert_eq!(status, StatusCode::OK, "{answer}");
            assert_eq!(charged().await, "oldest");
        }
        let mark = async |id: &str| {
            let body = Some(json!({"is_default": true}));
            product
                .admin(Method::PATCH, &format!("/models/{id}"), body)
                .await
        };
        assert_eq!(mark("newer").await.0, StatusCode::OK);
        assert_eq!(image(json!({"prompt": "a dog"})).await.0, StatusCode::OK);
        assert_eq!(charged().await, "newer");
        assert_eq!(mark("oldest").await.0, StatusCode::OK);
        let (_, newer) = product.admin(Method::GET, "/models/newer", None).await;
        assert_eq!(newer["is_default"], false, "one model at a time");
        priced(&product, "talks", "chat").await;
        assert_eq!(mark("talks").await.0, StatusCode::BAD_REQUEST);
        let unnamed = json!({"messages": [{"role": "user", "content": "hi"}]});
        let (status, _) = product
            .send(
                Method::POST,
                "/v1/chat/completions",
                Some(&customer.key),
                Some(unnamed),
            )
            .await;
        assert_eq!(
            status,
            StatusCode::BAD_REQUEST,
            "only images have a default"
        );
        product.stop().await;
    }
}
