//! What clients write otherwise than our own would, and what they expect to be told: addresses,
//! methods, browsers of other places, encodings of bodies, names.

use std::io::Write;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Customer, Joined, Product, places, start};

/// The origin that the tests' products let in.
const ORIGIN: &str = "https://app.example";

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
async fn one_route_answers_by_all_its_addresses() {
    for place in places().await {
        let product = start(&place, Joined::InProcess).await;
        let customer = product.customer("10").await;
        priced(&product, "sandbox-chat", "chat").await;
        for path in [
            "/api/v1/chat/completions",
            "/v1/chat/completions",
            "/chat/completions",
            "/openai/v1/chat/completions",
            "/api/v1//chat/completions/",
            "//v1/chat/completions",
            "/v1/v1/chat/completions?api-version=2024-10-21",
            "/api/v1/chat/completions/chat/completions",
        ] {
            let body = Some(chat("sandbox-chat"));
            let (status, answer) = product
                .send(Method::POST, path, Some(&customer.key), body)
                .await;
            assert_eq!(status, StatusCode::OK, "{} {path}: {answer}", place.name);
        }
        for path in ["/v1/models", "/models/", "/api/v1/models"] {
            let (status, _) = product
                .send(Method::GET, path, Some(&customer.key), None)
                .await;
            assert_eq!(status, StatusCode::OK, "{path}");
        }
        for path in ["//admin/api/tenants", "//admin", "//portal/login"] {
            let (status, _) = product
                .send(Method::GET, path, Some(product.admin_token()), None)
                .await;
            assert_eq!(
                status,
                StatusCode::NOT_FOUND,
                "{path}: a proxy may guard what begins so"
            );
        }
        product.stop().await;
    }
}

/// C08, and A01 beside it.
#[tokio::test(flavor = "multi_thread")]
async fn names_of_models_may_have_slashes_in_every_address() {
    for place in places().await {
        let product = start(&place, Joined::InProcess).await;
        let customer = product.customer("10").await;
        for id in [
            "hf.co/unsloth/qwen3:q4",
            "a/b/c/d",
            "org/model:free",
            "plain",
        ] {
            priced(&product, id, "chat").await;
            for base in ["/api/v1", "/v1", ""] {
                for written in [
                    id.to_owned(),
                    id.replace('/', "%2F"),
                    id.replace('/', "%2f"),
                ] {
                    let path = format!("{base}/models/{written}");
                    let (status, model) = product
                        .send(Method::GET, &path, Some(&customer.key), None)
                        .await;
                    assert_eq!(
                        (status, &model["id"]),
                        (StatusCode::OK, &json!(id)),
                        "{path}"
                    );
                }
            }
            let (status, answer) = product.chat(&customer, id, "hi").await;
            assert_eq!(status, StatusCode::OK, "{id}: {answer}");
            let path = format!("/models/{}", id.replace('/', "%2F"));
            let (status, model) = product.admin(Method::GET, &path, None).await;
            assert_eq!((status, &model["id"]), (StatusCode::OK, &json!(id)));
        }
        product.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_tells_its_methods_and_answers_head() {
    let [place, _] = places().await;
    let product = start(&place, Joined::InProcess).await;
    let customer = product.customer("1").await;
    let bearer = format!("Bearer {}", customer.key);
    for (path, allowed) in [
        ("/api/v1/chat/completions", "POST, OPTIONS"),
        ("/v1/models", "GET, HEAD, OPTIONS"),
        ("/api/v1/models/a/b/c", "GET, HEAD, OPTIONS"),
        (
            "/admin/api/models/a%2Fb",
            "GET, HEAD, PATCH, DELETE, OPTIONS",
        ),
        ("/admin/api/tenants", "GET, HEAD, POST, OPTIONS"),
        ("/healthz", "GET, HEAD, OPTIONS"),
        ("/api/openapi.json", "GET, HEAD, OPTIONS"),
        ("/portal/login", "GET, HEAD, POST, OPTIONS"),
    ] {
        let (status, headers, _) = ask(&product, (Method::OPTIONS, path), &[], None).await;
        assert_eq!(
            (status, text(&headers, "allow")),
            (StatusCode::NO_CONTENT, allowed),
            "{path}"
        );
        assert!(
            headers.contains_key("x-request-id") || path.starts_with("/portal"),
            "{path}"
        );
        let wrong = if allowed.contains("PATCH") {
            Method::PUT
        } else {
            Method::PATCH
        };
        if path.starts_with("/portal") {
            continue;
        }
        let (status, headers, body) =
            ask(&product, (wrong, path), &[("authorization", &bearer)], None).await;
        let told = (status, text(&headers, "allow"));
        assert_eq!(told, (StatusCode::METHOD_NOT_ALLOWED, allowed), "{path}");
        let body: Value = serde_json::from_slice(&body).expect("the error object");
        assert_eq!(body["error"]["code"], "method_not_allowed");
    }
    let (status, ..) = ask(&product, (Method::OPTIONS, "/api/v1/nothing"), &[], None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    for (path, status) in [
        ("/api/v1/models", StatusCode::OK),
        ("/v1/models/none", StatusCode::NOT_FOUND),
        ("/healthz", StatusCode::OK),
        ("/readyz", StatusCode::OK),
        ("/portal/login", StatusCode::OK),
        ("/api/v1/chat/completions", StatusCode::METHOD_NOT_ALLOWED),
    ] {
        let key = [("authorization", bearer.as_str())];
        let (found, headers, body) = ask(&product, (Method::HEAD, path), &key, None).await;
        assert_eq!((found, body.len()), (status, 0), "{path}");
        let (_, _, whole) = ask(&product, (Method::GET, path), &key, None).await;
        let length = text(&headers, "content-length").parse::<usize>();
        // Pages hold a token that is new each time, of the same length.
        assert_eq!(length, Ok(whole.len()), "{path}");
    }
    let (status, ..) = ask(&product, (Method::HEAD, "/api/v1/models"), &[], None).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    product.stop().await;
}

/// C05.
#[tokio::test(flavor = "multi_thread")]
async fn browsers_of_known_places_may_call_with_a_key() {
    let [place, _] = places().await;
    let product = start(&place, Joined::InProcess).await;
    let customer = product.customer("1").await;
    let preflight = [
        ("origin", ORIGIN),
        ("access-control-request-method", "POST"),
        (
            "access-control-request-headers",
            "authorization,content-type,x-stainless-lang,openai-organization,anthropic-version,x-api-key,api-key,cookie",
        ),
    ];
    for path in [
        "/api/v1/chat/completions",
        "/v1/chat/completions",
        "/v1/models",
        "/api/v1/auth/login",
    ] {
        let (status, headers, body) =
            ask(&product, (Method::OPTIONS, path), &preflight, None).await;
        if status == StatusCode::NOT_FOUND {
            continue;
        }
        assert_eq!((status, body.len()), (StatusCode::NO_CONTENT, 0), "{path}");
        assert_eq!(
            text(&headers, "access-control-allow-origin"),
            ORIGIN,
            "{path}"
        );
        let allowed = text(&headers, "access-control-allow-headers");
        assert_eq!(
            allowed,
            "authorization, content-type, x-stainless-lang, openai-organization, anthropic-version, \
             x-api-key, api-key"
        );
        assert!(
            text(&headers, "access-control-max-age")
                .parse::<u32>()
                .is_ok_and(|age| age > 0)
        );
        assert!(!headers.contains_key("access-control-allow-credentials"));
        assert!(headers.get_all("vary").iter().any(|name| name == "origin"));
    }
    let bearer = format!("Bearer {}", customer.key);
    for (path, headers, expected) in [
        (
            "/api/v1/models",
            vec![("authorization", bearer.as_str())],
            StatusCode::OK,
        ),
        ("/v1/models", vec![], StatusCode::UNAUTHORIZED),
        ("/api/v1/nothing", vec![], StatusCode::NOT_FOUND),
    ] {
        let asked: Vec<_> = headers.into_iter().chain([("origin", ORIGIN)]).collect();
        let (status, headers, _) = ask(&product, (Method::GET, path), &asked, None).await;
        assert_eq!(status, expected);
        assert_eq!(
            text(&headers, "access-control-allow-origin"),
            ORIGIN,
            "{path}"
        );
        assert!(text(&headers, "access-control-expose-headers").contains("x-request-id"));
    }
    for (path, origin) in [
        ("/api/v1/models", "https://evil.example"),
        ("/api/v1/models", "null"),
        ("/admin/api/tenants", ORIGIN),
        ("/portal/login", ORIGIN),
        ("/healthz", ORIGIN),
    ] {
        let asked = [("origin", origin), ("access-control-request-method", "GET")];
        for method in [Method::OPTIONS, Method::GET] {
            let (_, headers, _) = ask(&product, (method, path), &asked, None).await;
            assert_eq!(
                text(&headers, "access-control-allow-origin"),
                "",
                "{path} {origin}"
            );
        }
    }
    product.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_found_in_every_header_clients_use() {
    let [place, _] = places().await;
    let product = start(&place, Joined::InProcess).await;
    let Customer { key, .. } = product.customer("1").await;
    let bearer = format!("Bearer {key}");
    for headers in [
        vec![("authorization", bearer.as_str())],
        vec![("authorization", key.as_str())],
        vec![("x-api-key", key.as_str())],
        vec![("api-key", key.as_str())],
        vec![("API-KEY", key.as_str())],
        vec![("authorization", "Bearer "), ("api-key", key.as_str())],
        vec![("authorization", "Basic dTpw"), ("x-api-key", key.as_str())],
    ] {
        let path = "/v1/models?api-version=2024-10-21";
        let (status, ..) = ask(&product, (Method::GET, path), &headers, None).await;
        assert_eq!(status, StatusCode::OK, "{headers:?}");
    }
    for headers in [
        vec![],
        vec![("authorization", "Bearer ")],
        vec![
            (
                "authorization",
                "Bearer wk_live_00000000000000000000000000000000",
            ),
            ("api-key", key.as_str()),
        ],
        vec![("api-key", "")],
    ] {
        let (status, ..) = ask(&product, (Method::GET, "/v1/models"), &headers, None).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{headers:?}");
    }
    product.stop().await;
}

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
