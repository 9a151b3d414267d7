//! Requests by hand: bodies in chunks, behind a 100, and over HTTP 1.0.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{CHAT, NONE};
use crate::case::{Case, case};
use crate::errors::says;
use crate::fake::always;
use crate::fake::bodies::{good_stream, two_credits, whole};
use crate::reading::{Whole, read_whole};
use crate::world::everywhere;

/// Sends a body as it stands.
pub(super) async fn raw(case: &Case, body: impl Into<reqwest::Body>) -> Whole {
    let request = case
        .request(CHAT)
        .header("content-type", "application/json");
    read_whole(request.body(body)).await
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
