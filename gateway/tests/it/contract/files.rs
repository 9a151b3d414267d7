//! Files at addresses that tenants give, for providers that take bytes alone: what is fetched and how it is sent,
//! hosts that lie, stall and redirect, and hosts that are nobody's on the internet.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};
use shared::fault::FaultKind;
use shared::link::{Call, Failure};
use shared::surface::Surface;

use super::vendor::{self, Seen, Vendor};
use super::{Came, call, came, provider, provider_of, recorded};
use crate::support::Node;

/// A picture of one point.
const DOT: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const PRIVATE: &[&str] = &["--outbound-private=true"];

fn dot() -> Vec<u8> {
    STANDARD.decode(DOT).expect("base64")
}

fn file(more: &str, bytes: &[u8]) -> Vec<u8> {
    let length = bytes.len();
    let mut answer =
        format!("HTTP/1.1 200 OK\r\n{more}content-length: {length}\r\nconnection: close\r\n\r\n");
    let mut answer = std::mem::take(&mut answer).into_bytes();
    answer.extend_from_slice(bytes);
    answer
}

/// A host of files that does as the path says.
async fn host() -> Vendor {
    Vendor::start(|seen: &Seen| match seen.path.as_str() {
        "/a.png" | "/b.png" => file("content-type: image/png\r\n", &dot()),
        // Its type is a lie.
        "/a.html" => file("content-type: text/html\r\n", &dot()),
        "/a.pdf" => file("content-type: application/octet-stream\r\n", b"%PDF-1.7 x"),
        "/a.txt" => file("content-type: text/plain; charset=utf-8\r\n", b"tides"),
        "/a.wav" => file("", b"RIFF\x24\0\0\0WAVEfmt "),
        "/page.png" => file("content-type: image/png\r\n", b"<html>sign in</html>"),
        "/empty.png" => file("content-type: image/png\r\n", b""),
        "/packed.png" => file("content-encoding: gzip\r\n", &dot()),
        "/moved.png" => b"HTTP/1.1 302 Found\r\nlocation: a.png\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_vec(),
        "/loop.png" => b"HTTP/1.1 302 Found\r\nlocation: loop.png\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_vec(),
        "/etc.png" => b"HTTP/1.1 302 Found\r\nlocation: file:///etc/passwd\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_vec(),
        "/huge.png" => b"HTTP/1.1 200 OK\r\ncontent-length: 999999999\r\nconnection: close\r\n\r\nx".to_vec(),
        "/cut.png" => b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\nconnection: close\r\n\r\nx".to_vec(),
        _ => vendor::answer("404 Not Found", "{}"),
    })
    .await
}

fn at(host: &Vendor, path: &str) -> String {
    format!("{}{path}", host.base_url())
}

fn asking(path: &str, provider: &str, body: &Value) -> Call {
    let surface = Surface::at(path).expect("a surface");
    Call {
        body: Bytes::from(body.to_string()),
        ..call(surface, provider, false)
    }
}

fn edit(image: &Value) -> Value {
    json!({"model": "ours", "prompt": "a blue cat", "image": image})
}

fn picture_chat(url: &str) -> Value {
    json!({"model": "ours", "messages": [{"role": "user", "content": [
        {"type": "text", "text": "what is it?"},
        {"type": "image_url", "image_url": {"url": url}},
    ]}]})
}

async fn at_bedrock(node: &Node, vendor: &Vendor) {
    let body = json!({"name": "amazon", "kind": "bedrock", "base_url": vendor.base_url(),
        "options": {"region": "eu-west-1"}});
    provider_of(node, &body, "AKIDEXAMPLE:wJalrXUtnFEMI/K7MDENG").await;
}

fn refused(came: Result<Came, Failure>, what: &str) -> Failure {
    came.err().unwrap_or_else(|| panic!("{what} is refused"))
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_at_addresses_reach_makers_that_take_bytes_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = Node::start(folder.path(), PRIVATE).await;
    let link = node.gateway.local();
    for (kind, dialect, good, is_form) in [
        (
            "gemini",
            "",
            r#"{"candidates":[{"content":{"parts":[{"inlineData":{"mimeType":"image/png","data":"aGk="}}]},"finishReason":"STOP"}]}"#,
            false,
        ),
        (
            "ideogram",
            "",
            r#"{"data":[{"url":"https://x.example/a.png","is_image_safe":true}]}"#,
            true,
        ),
        (
            "stability",
            "",
            r#"{"image":"aGk=","finish_reason":"SUCCESS"}"#,
            true,
        ),
        (
            "openai",
            "recraft_images",
            r#"{"data":[{"b64_json":"aGk="}]}"#,
            true,
        ),
    ] {
        let files = host().await;
        let vendor = Vendor::start(move |_| vendor::answer("200 OK", good)).await;
        if dialect.is_empty() {
            provider(&node, kind, kind, &vendor).await;
        } else {
            let body = json!({"name": kind, "kind": kind, "base_url": vendor.base_url(),
                "options": {"dialects": [dialect]}});
            provider_of(&node, &body, "key-0123456789").await;
        }
        for path in ["/a.png", "/a.html", "/moved.png"] {
            let asked = asking("/images/edits", kind, &edit(&json!(at(&files, path))));
            let came = came(link.as_ref(), asked).await;
            assert!(came.is_ok(), "{kind} {path}: {:?}", came.err());
        }
        for seen in vendor.calls() {
            let is_there = if is_form {
                seen.body.contains("IHDR") && seen.body.contains("image/png")
            } else {
                seen.body.contains(DOT) && seen.body.contains("image/png")
            };
            assert!(is_there, "{kind}: {}", seen.body);
            assert!(!seen.body.contains("127.0.0.1"), "{kind}: {}", seen.body);
        }
        assert_eq!(files.questions().len(), 4, "each once, and one moved");
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn chats_bring_what_lies_at_addresses_to_whom_takes_bytes_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = Node::start(folder.path(), PRIVATE).await;
    let link = node.gateway.local();
    let (files, vendor) = (host().await, Vendor::start(recorded::good).await);
    at_bedrock(&node, &vendor).await;
    provider(&node, "openai", "openai", &vendor).await;
    let chat = "/chat/completions";
    let picture = picture_chat(&at(&files, "/a.png"));
    assert!(
        came(link.as_ref(), asking(chat, "amazon", &picture))
            .await
            .is_ok()
    );
    let document = |path: &str| {
        json!({"model": "ours", "max_tokens": 9, "messages": [{"role": "user", "content": [
            {"type": "document", "source": {"type": "url", "url": at(&files, path)}},
            {"type": "text", "text": "what is it?"},
        ]}]})
    };
    for path in ["/a.pdf", "/a.txt"] {
        for provider in ["amazon", "openai"] {
            let came = came(
                link.as_ref(),
                asking("/messages", provider, &document(path)),
            )
            .await;
            assert!(came.is_ok(), "{provider} {path}: {:?}", came.err());
        }
    }
    let bodies: Vec<String> = vendor.calls().into_iter().map(|seen| seen.body).collect();
    let pdf = STANDARD.encode("%PDF-1.7 x");
    for (at, wanted) in [
        (0, DOT),
        (1, pdf.as_str()),
        (2, &format!("data:application/pdf;base64,{pdf}")),
        (3, "tides"),
        (4, "tides"),
    ] {
        assert!(bodies[at].contains(wanted), "{wanted}: {}", bodies[at]);
        assert!(!bodies[at].contains("127.0.0.1"), "{}", bodies[at]);
    }
    // What the provider fetches itself, or has in a storage of its own, is not fetched here.
    let asked_before = files.questions().len();
    let own = asking(chat, "openai", &picture);
    assert!(came(link.as_ref(), own).await.is_ok());
    assert!(vendor.calls().last().expect("one").body.contains("/a.png"));
    let stored = picture_chat("s3://bucket/a.png");
    drop(came(link.as_ref(), asking(chat, "amazon", &stored)).await);
    assert_eq!(files.questions().len(), asked_before);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_can_t_be_had_is_the_request_s_fault_and_costs_nobody() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = Node::start(folder.path(), PRIVATE).await;
    let link = node.gateway.local();
    let (files, vendor) = (host().await, Vendor::start(recorded::good).await);
    at_bedrock(&node, &vendor).await;
    let chat = "/chat/completions";
    for (path, words) in [
        ("/missing.png", "answers 404"),
        ("/page.png", "no PNG"),
        ("/empty.png", "no PNG"),
        ("/packed.png", "compressed"),
        ("/loop.png", "redirected"),
        ("/etc.png", "URL can't be used"),
        ("/huge.png", "larger than"),
        ("/cut.png", "connection broke"),
    ] {
        let body = picture_chat(&at(&files, path));
        let failure = refused(
            came(link.as_ref(), asking(chat, "amazon", &body)).await,
            path,
        );
        assert_eq!(failure.fault.kind, FaultKind::BadRequest, "{path}");
        let told = failure.caller.expect("the tenant is told").message;
        assert!(told.contains(words), "{path}: {told}");
        assert!(!told.contains(path), "{path}: {told}");
    }
    let many: Vec<Value> = (0..17)
        .map(|number| {
            let url = at(&files, &format!("/a.png?{number}"));
            json!({"type": "image_url", "image_url": {"url": url}})
        })
        .collect();
    let asked_before = files.questions().len();
    let body = json!({"model": "ours", "messages": [{"role": "user", "content": many}]});
    let failure = refused(
        came(link.as_ref(), asking(chat, "amazon", &body)).await,
        "many",
    );
    assert_eq!(failure.fault.kind, FaultKind::BadRequest);
    assert_eq!(
        files.questions().len(),
        asked_before,
        "nothing is fetched of them"
    );
    assert!(vendor.calls().is_empty(), "the provider was not asked");
    // Nothing of it is the key's.
    let body = picture_chat(&at(&files, "/a.png"));
    assert!(
        came(link.as_ref(), asking(chat, "amazon", &body))
            .await
            .is_ok()
    );
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_that_are_nobodys_on_the_internet_are_not_asked() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = Node::start(folder.path(), &[]).await;
    let link = node.gateway.local();
    let (files, vendor) = (host().await, Vendor::start(recorded::good).await);
    at_bedrock(&node, &vendor).await;
    let near = at(&files, "/a.png");
    let port = near.rsplit(':').next().expect("a port").to_owned();
    for url in [
        near.clone(),
        format!("http://localhost:{port}"),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "http://[::ffff:127.0.0.1]/a.png".to_owned(),
        "http://2130706433/a.png".to_owned(),
        "https://10.0.0.1/a.png".to_owned(),
    ] {
        let body = picture_chat(&url);
        let asked = asking("/chat/completions", "amazon", &body);
        let failure = refused(came(link.as_ref(), asked).await, &url);
        assert_eq!(failure.fault.kind, FaultKind::BadRequest, "{url}");
        let told = failure.caller.expect("the tenant is told").message;
        let is_told = told.contains("not on the internet") || told.contains("port must be");
        assert!(is_told, "{url}: {told}");
    }
    assert!(files.questions().is_empty() && vendor.calls().is_empty());
    node.stop().await;
}
