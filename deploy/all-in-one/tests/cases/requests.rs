//! What tenants send: fields that must reach the provider as they are, large pictures, maxima, and
//! transfers in odd forms.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::case::{Case, case, long_question};
use crate::errors::says;
use crate::fake::bodies::{answer, good_stream, good_whole, two_credits, whole};
use crate::fake::{always, with_field};
use crate::reading::{Whole, read_whole};
use crate::support::Customer;
use crate::world::everywhere;

const NONE: Value = Value::Null;
const CHAT: &str = "/api/v1/chat/completions";

/// Sends a body as it stands.
async fn raw(case: &Case, body: impl Into<reqwest::Body>) -> Whole {
    let request = case
        .request(CHAT)
        .header("content-type", "application/json");
    read_whole(request.body(body)).await
}

#[test]
fn c01_fields_reach_the_provider_byte_for_byte() {
    everywhere(async |shape| {
        let counted = json!({"prompt_tokens": 100, "completion_tokens": 50});
        let case = case(shape, vec![always(whole("all well", &counted))])
            .start()
            .await;
        let fields = [
            r#""logprobs" : true"#,
            r#""top_logprobs":5"#,
            r#""n":1"#,
            r#""response_format": {"type":"json_schema", "json_schema":{"name":"x","strict":true,"schema":{"type":"object","properties":{"b":{"type":"string"},"a":{"type":"number"}}}}}"#,
            r#""messages":[ {"role":"developer","content":"be  brief"}, {"role":"user","content":"h\u00e9 \ud83d\ude00 / \/"} ]"#,
            r#""max_completion_tokens":77"#,
            r#""seed":12345678901234567890"#,
            r#""temperature":1.0"#,
            r#""a_field_of_tomorrow":{"z":1,"a":[null, 1e3]}"#,
        ];
        let body = format!(r#"{{"model":"{}", {}}}"#, case.model, fields.join(",\n "));
        raw(&case, body).await.is(200);
        let sent = String::from_utf8(case.calls()[0].body.clone()).expect("text");
        for field in fields {
            assert!(sent.contains(field), "{field}: {sent}");
        }
        assert_eq!(case.calls()[0].json["model"], "their-name");
        case.bill().await.is(0.6);
    });
}

#[test]
fn c02_null_is_a_field_that_is_not_set() {
    everywhere(async |shape| {
        let case = case(shape, vec![always(good_whole())]).start().await;
        let nulls = json!({"max_tokens": null, "max_completion_tokens": null, "n": null,
            "stop": null, "stream": null, "stream_options": null, "tools": null});
        case.chat(&nulls).await.is(200);
        case.bill().await.is(2.0);
    });
}

#[test]
fn c03_a_stream_that_is_text_is_refused_by_its_name() {
    everywhere(async |shape| {
        let case = case(shape, vec![always(good_whole())]).start().await;
        for stream in [json!("true"), json!(1), json!([])] {
            let refused = case.chat(&json!({"stream": stream})).await;
            refused.is(400);
            assert_eq!(refused.body["error"]["param"], "stream", "{}", refused.text);
        }
        assert!(case.calls().is_empty());
        case.is_free().await;
    });
}

#[test]
fn c04_the_bearer_may_be_written_in_any_case_with_more_blanks() {
    everywhere(async |shape| {
        let case = case(shape, vec![always(good_whole())]).start().await;
        for scheme in ["Bearer ", "bearer ", "BEARER ", "Bearer  ", "bearer   "] {
            let url = case.product.url(CHAT);
            let request = case.product.http.post(url).json(&case.chat_body(&NONE));
            let shown = format!("{scheme}{}", case.customer.key);
            read_whole(request.header("authorization", shown))
                .await
                .is(200);
        }
    });
}

/// 6 MB as a picture: 8 MB of base64.
fn picture() -> Value {
    let url = format!(
        "data:image/jpeg;base64,{}",
        "/9j/4AAQSkZJRg==".repeat(500_000)
    );
    json!({"messages": [{"role": "user", "content": [
        {"type": "text", "text": "what is it?"},
        {"type": "image_url", "image_url": {"url": url}}]}]})
}

/// A key of the case's tenant that may use a million tokens a minute.
async fn limited(case: &mut Case) {
    let path = format!("/tenants/{}/keys", case.customer.id);
    let body = json!({"name": "limited", "limits": {"tokens_per_minute": 1_000_000}});
    let (status, made) = case.product.admin(Method::POST, &path, Some(body)).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    case.customer = Customer {
        id: case.customer.id.clone(),
        key: made["secret"].as_str().expect("a key").to_owned(),
    };
}

#[test]
fn c11_a_large_picture_is_held_for_as_a_picture() {
    everywhere(async |shape| {
        let case = case(shape, vec![always(good_whole())]).start().await;
        case.chat(&picture()).await.is(200);
        assert!(case.calls()[0].body.len() > 8_000_000, "the picture passes");
        case.bill().await.is(2.0);
    });
}

#[test]
fn c12_a_large_picture_is_counted_as_a_picture_by_the_limits() {
    everywhere(async |shape| {
        let mut case = case(shape, vec![always(good_whole())]).start().await;
        limited(&mut case).await;
        for n in 0..3 {
            assert_eq!(case.chat(&picture()).await.status, 200, "picture {n}");
        }
        case.chat(&says("a small one")).await.is(200);
    });
}

#[test]
fn a11_a_picture_that_runs_leaves_the_minute_to_a_small_call() {
    everywhere(async |shape| {
        let slow = good_whole().after(Duration::from_millis(1_500));
        let rows = vec![
            crate::fake::saying("a small one", good_whole()),
            always(slow),
        ];
        let mut case = case(shape, rows).start().await;
        limited(&mut case).await;
        let picture = picture();
        let small = async {
            tokio::time::sleep(Duration::from_millis(700)).await;
            case.chat(&says("a small one")).await
        };
        let (large, small) = tokio::join!(case.chat(&picture), small);
        large.is(200);
        small.is(200);
    });
}

#[test]
fn c14_a_maximum_that_is_put_in_is_one_that_the_model_takes() {
    everywhere(async |shape| {
        let refusal = json!({"error": {"message": "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
            "type": "invalid_request_error", "param": "max_tokens", "code": "unsupported_parameter"}});
        let rows = vec![
            with_field("max_tokens", answer(400, &refusal)),
            always(good_whole()),
        ];
        let case = case(shape, rows).balance("5").start().await;
        let told = case.chat(&says("short")).await;
        told.is(200);
        let sent = case.calls();
        let sent = &sent.last().expect("a call").json;
        let max = sent["max_completion_tokens"].as_u64().expect("a maximum");
        assert!((1..=500).contains(&max), "{sent}");
    });
}

#[test]
fn c25_odd_text_passes_as_it_is() {
    everywhere(async |shape| {
        let odd = r#"{"choices":[{"index":0,"message":{"role":"assistant","content":"a \ud83d b \u0000 c"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1000,"completion_tokens":100}}"#;
        let case = case(shape, vec![always(crate::fake::bodies::error(200, odd))])
            .start()
            .await;
        let asked = r#"[{"role":"user","content":"x \ud83d y \u0000 z"}]"#;
        let body = format!(
            r#"{{"model":"{}","messages":{asked},"user":"{}"}}"#,
            case.model,
            long_question()
        );
        let told = raw(&case, body).await;
        told.is(200);
        assert_eq!(told.text, odd);
        assert!(case.calls()[0].says(asked), "it reaches the provider");
        case.bill().await.is(2.0);
    });
}

/// Writes a request by hand; answers what comes back until the connection is silent or closed.
async fn by_hand(case: &Case, head: &str, parts: &[Vec<u8>]) -> String {
    let socket = TcpStream::connect(case.product.address).await;
    let mut socket = socket.expect("a connection");
    let head = format!(
        "POST {CHAT} HTTP/1.1\r\nhost: waule\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\nconnection: close\r\n{head}\r\n",
        case.customer.key
    );
    socket.write_all(head.as_bytes()).await.expect("written");
    for part in parts {
        socket.write_all(part).await.expect("written");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let mut told = Vec::new();
    let reading = socket.read_to_end(&mut told);
    let read = tokio::time::timeout(Duration::from_secs(20), reading).await;
    read.expect("in time").expect("an answer");
    String::from_utf8_lossy(&told).into_owned()
}

#[test]
fn c28_bodies_in_chunks_and_behind_a_100_continue_are_read() {
    everywhere(async |shape| {
        let case = case(shape, vec![always(whole("all well", &two_credits()))])
            .start()
            .await;
        let body = case.chat_body(&NONE).to_string();
        let mut parts: Vec<Vec<u8>> = body
            .as_bytes()
            .chunks(700)
            .map(|part| {
                let mut framed = format!("{:x}\r\n", part.len()).into_bytes();
                framed.extend_from_slice(part);
                framed.extend_from_slice(b"\r\n");
                framed
            })
            .collect();
        parts.push(b"0\r\n\r\n".to_vec());
        let told = by_hand(&case, "transfer-encoding: chunked\r\n", &parts).await;
        assert!(told.starts_with("HTTP/1.1 200"), "{told}");

        // 2 MB that wait for a word.
        let body = case.chat_body(&says(&"word ".repeat(400_000))).to_string();
        let head = format!("expect: 100-continue\r\ncontent-length: {}\r\n", body.len());
        let socket = TcpStream::connect(case.product.address).await;
        let mut socket = socket.expect("a connection");
        let head = format!(
            "POST {CHAT} HTTP/1.1\r\nhost: waule\r\nauthorization: Bearer {}\r\nconnection: close\r\n{head}\r\n",
            case.customer.key
        );
        socket.write_all(head.as_bytes()).await.expect("written");
        let mut word = [0; 25];
        socket.read_exact(&mut word).await.expect("a word");
        assert_eq!(&word, b"HTTP/1.1 100 Continue\r\n\r\n");
        socket.write_all(body.as_bytes()).await.expect("written");
        let mut told = Vec::new();
        socket.read_to_end(&mut told).await.expect("an answer");
        let told = String::from_utf8_lossy(&told);
        // 1,000 credits do not cover two million bytes as tokens; read it was.
        let read = told.starts_with("HTTP/1.1 200") || told.starts_with("HTTP/1.1 402");
        assert!(read, "{told}");
    });
}

#[test]
fn c28_a_stream_over_http_1_0_is_whole() {
    everywhere(async |shape| {
        let case = case(shape, vec![always(good_stream())]).start().await;
        let mut body = case.chat_body(&NONE);
        body["stream"] = true.into();
        let body = body.to_string();
        let socket = TcpStream::connect(case.product.address).await;
        let mut socket = socket.expect("a connection");
        let head = format!(
            "POST {CHAT} HTTP/1.0\r\nauthorization: Bearer {}\r\ncontent-length: {}\r\n\r\n",
            case.customer.key,
            body.len()
        );
        socket.write_all(head.as_bytes()).await.expect("written");
        socket.write_all(body.as_bytes()).await.expect("written");
        let mut told = Vec::new();
        socket.read_to_end(&mut told).await.expect("an answer");
        let told = String::from_utf8_lossy(&told);
        assert!(
            told.starts_with("HTTP/1.0 200") || told.starts_with("HTTP/1.1 200"),
            "{told}"
        );
        assert!(
            told.contains("all ") && told.contains("data: [DONE]"),
            "{told}"
        );
        case.bill().await.is(2.0);
    });
}
