//! Pictures over HTTP: edits and variations as forms and as JSON, on the sandbox and at providers of two
//! formats, charged for what was made and for nothing else.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use shared::dialect::body::FormWriter;
use shared::dialect::pictures::sides;

use super::{json_of, model, name, post};
use crate::faults::fake::{Fake, answer, provider};
use crate::support::joined::{Joined, start};
use crate::support::places;
use crate::support::product::{Customer, Product};

/// The beginning of a PNG of that size, which is all that anybody looks at here.
fn png(width: u32, height: u32, more: usize) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
    bytes.extend_from_slice(&width.to_be_bytes());
    bytes.extend_from_slice(&height.to_be_bytes());
    bytes.resize(bytes.len() + more, 7);
    bytes
}

/// Sends a form.
async fn send(
    (product, customer): (&Product, &Customer),
    path: &str,
    fields: &[(&str, &str)],
    files: &[(&str, Vec<u8>)],
) -> (StatusCode, String) {
    let mut form = FormWriter::default();
    for (name, text) in fields {
        form.text(name, text);
    }
    for (name, bytes) in files {
        form.file(name, ("a.png", "image/png"), bytes.clone().into());
    }
    let (content_type, body) = form.finish();
    let request = product.http.post(product.url(path));
    let request = request
        .bearer_auth(&customer.key)
        .header("content-type", content_type);
    let answer = request.body(body).send().await.expect("an answer");
    (answer.status(), answer.text().await.expect("text"))
}

fn picture(entry: &Value) -> Vec<u8> {
    let text = entry["b64_json"].as_str().expect("base64");
    STANDARD.decode(text).expect("base64")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sandbox_edits_and_varies_pictures_that_are_sent_to_it() {
    for place in places().await {
        for joined in [Joined::InProcess, Joined::OverHttp] {
            let product = start(&place, joined).await;
            let paint = name("paint", joined);
            model(
                &product,
                &paint,
                "image",
                ("sandbox", json!({"per_image": [{"credits": 3}]})),
            )
            .await;
            let customer = product.customer("1000").await;
            let at = (&product, &customer);
            let given = png(320, 240, 100_000);
            let fields = [("model", paint.as_str()), ("prompt", "make it blue")];
            let (status, text) = send(
                at,
                "/api/v1/images/edits",
                &fields,
                &[("image", given.clone())],
            )
            .await;
            assert_eq!(status, StatusCode::OK, "{text}");
            let told = json_of(&text);
            let blue = picture(&told["data"][0]);
            assert_eq!(sides(&blue), Some((320, 240)), "as large as what was sent");
            assert_eq!(told["usage"]["input_tokens_details"]["image_tokens"], 256);
            let red = [
                ("model", paint.as_str()),
                ("prompt", "make it red"),
                ("size", "64x64"),
            ];
            let (_, text) = send(at, "/v1/images/edits", &red, &[("image[]", given.clone())]).await;
            let red = picture(&json_of(&text)["data"][0]);
            assert_eq!(sides(&red), Some((64, 64)));
            let mut streamed = fields.to_vec();
            streamed.extend([("stream", "true"), ("partial_images", "1")]);
            let (status, text) = send(
                at,
                "/api/v1/images/edits",
                &streamed,
                &[("image", given.clone())],
            )
            .await;
            assert_eq!(status, StatusCode::OK, "{text}");
            let names: Vec<&str> = text
                .lines()
                .filter_map(|line| line.strip_prefix("event: "))
                .collect();
            assert_eq!(names, ["image_edit.partial_image", "image_edit.completed"]);
            let url = format!("data:image/png;base64,{}", STANDARD.encode(&given));
            let body = json!({"model": paint, "image": url, "n": 2});
            let (status, text) =
                post(&product, &customer, "/api/v1/images/variations", &body).await;
            assert_eq!(status, StatusCode::OK, "{text}");
            let told = json_of(&text);
            let [one, two] = [0, 1].map(|at| picture(&told["data"][at]));
            assert_eq!((sides(&one), one == two), (Some((320, 240)), false));
            assert_eq!(
                product.settled(&customer).await["used"],
                3 * 5,
                "{joined:?}"
            );
            let files = [("image", given.clone())];
            for (fields, files, param) in [
                (&fields[..1], &files[..], "prompt"),
                (&fields[..], &[], "image"),
                (
                    &fields[..],
                    &[("image", b"no picture".to_vec())][..],
                    "image",
                ),
            ] {
                let (status, text) = send(at, "/api/v1/images/edits", fields, files).await;
                assert_eq!(status, StatusCode::BAD_REQUEST, "{text}");
                assert_eq!(json_of(&text)["error"]["param"], param, "{text}");
            }
            assert_eq!(product.settled(&customer).await["used"], 3 * 5);
            product.stop().await;
        }
    }
}

/// Hundreds of kilobytes are one picture, in a form and in base64, and hold what one picture costs.
#[tokio::test(flavor = "multi_thread")]
async fn a_large_upload_holds_what_its_pixels_cost() {
    for place in places().await {
        let product = start(&place, Joined::OverHttp).await;
        let rates = json!({"rates": [{"unit": "input_token", "credits": 1, "per": 1000},
            {"unit": "output_token", "credits": 0}, {"unit": "image", "credits": 1}]});
        model(&product, "paint", "image", ("sandbox", rates)).await;
        let customer = product.customer("12").await;
        let fields = [("model", "paint"), ("prompt", "x"), ("size", "64x64")];
        let files = [("image", png(1_024, 1_024, 600_000))];
        let (status, text) = send(
            (&product, &customer),
            "/api/v1/images/edits",
            &fields,
            &files,
        )
        .await;
        assert_eq!(status, StatusCode::OK, "{text}");
        let url = format!("data:image/png;base64,{}", STANDARD.encode(&files[0].1));
        let body = json!({"model": "paint", "prompt": "x", "image": url, "size": "64x64"});
        let (status, text) = post(&product, &customer, "/api/v1/images/edits", &body).await;
        assert_eq!(status, StatusCode::OK, "{text}");
        product.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_made_is_charged_and_nothing_else() {
    const PARTLY: &str =
        r#"{"created":1,"data":[{"b64_json":"aGk="},{"error":{"code":"x","message":"withheld"}}]}"#;
    for place in places().await {
        let product = start(&place, Joined::OverHttp).await;
        let (fake, address) = Fake::start(|seen| {
            if seen.says("none at all") {
                answer("200 OK", "", r#"{"created":1,"data":[]}"#)
            } else {
                answer("200 OK", "", PARTLY)
            }
        })
        .await;
        provider(&product, "vendor", &format!("http://{address}/v1"), 1).await;
        model(
            &product,
            "paint",
            "image",
            ("vendor", json!({"per_image": [{"credits": 4}]})),
        )
        .await;
        let customer = product.customer("1000").await;
        let fields = [("model", "paint"), ("prompt", "a cat"), ("n", "3")];
        let files = [("image", png(9, 9, 0)), ("mask", png(9, 9, 0))];
        let (status, text) = send(
            (&product, &customer),
            "/api/v1/images/edits",
            &fields,
            &files,
        )
        .await;
        assert_eq!((status, text.as_str()), (StatusCode::OK, PARTLY));
        assert_eq!(
            product.settled(&customer).await["used"],
            4,
            "three asked, one made"
        );
        let seen = &fake.calls()[0];
        assert!(
            seen.head.starts_with("post /v1/images/edits "),
            "{}",
            seen.head
        );
        assert!(seen.says("name=\"model\"\r\n\r\ntheirs\r\n") && !seen.says("paint"));
        let nothing = [("model", "paint"), ("prompt", "none at all")];
        let (status, text) = send(
            (&product, &customer),
            "/api/v1/images/edits",
            &nothing,
            &files,
        )
        .await;
        assert!(status.is_server_error(), "{text}");
        assert_eq!(product.settled(&customer).await["used"], 4, "nothing made");
        product.stop().await;
    }
}

/// One model of chats that draws: its pictures stand in its answers, and it takes calls for pictures where its
/// price says what one costs.
#[tokio::test(flavor = "multi_thread")]
async fn a_chat_model_that_draws_is_called_on_both_surfaces() {
    const DRAWN: &str = r#"{"candidates":[{"content":{"role":"model","parts":[{"text":"Here."},{"inlineData":{"mimeType":"image/png","data":"aGk="}}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":4,"candidatesTokenCount":6,"totalTokenCount":10}}"#;
    for place in places().await {
        let product = start(&place, Joined::OverHttp).await;
        let (fake, address) = Fake::start(|_| answer("200 OK", "", DRAWN)).await;
        let body = json!({"name": "google", "kind": "gemini", "base_url": format!("http://{address}/v1beta")});
        let (status, made) = product.admin(Method::POST, "/providers", Some(body)).await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        let key = json!({"secret": "key-of-google"});
        product
            .admin(Method::POST, "/providers/google/keys", Some(key))
            .await;
        let rates = |image: bool| {
            let mut rates = vec![
                json!({"unit": "input_token", "credits": 0}),
                json!({"unit": "output_token", "credits": 1}),
            ];
            rates.extend(image.then(|| json!({"unit": "image", "credits": 2})));
            json!({"rates": rates})
        };
        for (id, draws, image) in [
            ("nano", true, true),
            ("talks", false, true),
            ("unpriced", true, false),
        ] {
            let targets = json!([{"provider": "google", "model": "theirs"}]);
            let body = json!({"id": id, "operation": "chat", "max_output_tokens": 100, "price": rates(image), "targets": targets});
            let (status, made) = product.admin(Method::POST, "/models", Some(body)).await;
            assert_eq!(status, StatusCode::CREATED, "{made}");
            if draws {
                let facts = json!({"facts": {"capabilities": ["image_output"]}});
                let path = format!("/models/{id}");
                let (status, told) = product.admin(Method::PATCH, &path, Some(facts)).await;
                assert_eq!(status, StatusCode::OK, "{told}");
            }
        }
        let customer = product.customer("1000").await;
        let body = json!({"model": "nano", "prompt": "a cat", "size": "1024x1024"});
        let (status, text) = post(&product, &customer, "/api/v1/images/generations", &body).await;
        assert_eq!(status, StatusCode::OK, "{text}");
        assert_eq!(json_of(&text)["data"], json!([{"b64_json": "aGk="}]));
        assert_eq!(
            product.settled(&customer).await["used"],
            8,
            "six tokens and a picture"
        );
        assert!(fake.calls()[0].says(r#""imageConfig":{"aspectRatio":"1:1"}"#));
        let body =
            json!({"model": "nano", "messages": [{"role": "user", "content": "Draw a cat."}]});
        let (status, text) = post(&product, &customer, "/api/v1/chat/completions", &body).await;
        assert_eq!(status, StatusCode::OK, "{text}");
        let drawn = &json_of(&text)["choices"][0]["message"]["images"][0];
        assert_eq!(
            drawn["image_url"]["url"], "data:image/png;base64,aGk=",
            "{text}"
        );
        for other in ["talks", "unpriced"] {
            let body = json!({"model": other, "prompt": "a cat"});
            let (status, text) =
                post(&product, &customer, "/api/v1/images/generations", &body).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{text}");
            assert_eq!(json_of(&text)["error"]["param"], "model", "{text}");
        }
        product.stop().await;
    }
}
