//! The examples of the API's documentation are true: those of the main routes are taken from the page as a
//! reader copies them, and run by a shell with curl against the running product.

use std::process::{Command, Stdio};

use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::console::Console;
use crate::support::joined::{Joined, start};
use crate::support::places;

/// Routes whose examples are run, and what stands in their answers.
const RUN: [(&str, &str); 17] = [
    ("list_models", "/data/0/id"),
    ("create_chat", "/choices/0/message/content"),
    ("create_completion", "/choices/0/text"),
    ("create_embedding", "/data/0/embedding/0"),
    ("create_image", "/data/0"),
    ("create_images_edits", "/data/0"),
    ("create_images_variations", "/data/0"),
    ("create_moderation", "/results/0"),
    ("create_rerank", "/results/0/relevance_score"),
    ("create_responses", "/output/0"),
    ("create_messages", "/content/0/text"),
    ("count_messages", "/input_tokens"),
    (
        "create_generate_content",
        "/candidates/0/content/parts/0/text",
    ),
    ("create_embed_content", "/embedding/values/0"),
    ("estimate_call", "/highest"),
    ("get_balance", "/available"),
    ("list_usage", "/data"),
];

/// As a reader sees it.
fn unescaped(markup: &str) -> String {
    let mut text = markup.to_owned();
    for (name, letter) in [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&#x27;", "'"),
        ("&amp;", "&"),
    ] {
        text = text.replace(name, letter);
    }
    text
}

/// The first example of a route.
fn example(page: &str, operation: &str) -> String {
    let anchor = format!("<h2 id=\"{operation}\"");
    let (_, route) = page
        .split_once(&anchor)
        .unwrap_or_else(|| panic!("{operation} is not on the page"));
    let (route, _) = route.split_once("</article>").expect("an end");
    let (_, code) = route.split_once("<pre").expect("an example");
    let (_, code) = code.split_once("<code>").expect("code");
    let (code, _) = code.split_once("</code>").expect("its end");
    unescaped(code)
}

#[tokio::test(flavor = "multi_thread")]
async fn examples_run_as_they_are_pasted() {
    let [place, _] = places().await;
    let product = start(&place, Joined::InProcess).await;
    let customer = product.customer("100").await;
    let answer = product.http.get(product.url("/portal/docs")).send().await;
    let answer = answer.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK);
    let page = answer.text().await.expect("a page");
    for (operation, pointer) in RUN {
        let code = example(&page, operation);
        assert!(code.starts_with("curl '"), "{code}");
        assert!(code.contains(&product.url("")), "{code}");
        let key = customer.key.clone();
        let run = tokio::task::spawn_blocking(move || {
            let mut shell = Command::new("sh");
            shell.args(["-c", &code]).env("WAULE_KEY", key);
            let output = shell.stdin(Stdio::null()).output().expect("sh and curl");
            (code, output)
        });
        let (code, output) = run.await.expect("it ran");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{code}\n{said}");
        let json: Value = serde_json::from_str(&said)
            .unwrap_or_else(|error| panic!("{operation}: {error}\n{code}\n{said}"));
        // Responses have the field, which is `null` where all is well.
        assert!(json["error"].is_null(), "{operation}: {said}\n{code}");
        assert!(json.pointer(pointer).is_some(), "{operation}: {said}");
    }
    // Behind the calls the sums are; then the list of what a platform needs has its first charged call.
    let path = "/api/v1/usage";
    product
        .send(Method::GET, path, Some(&customer.key), None)
        .await;
    let mut console = Console::open(&product).await;
    let page = console.get("/admin").await;
    let count = |label: &str| page.matches(&format!(">{label}</span>")).count();
    assert_eq!(count("Done"), 1, "the tenant: {page}");
    assert_eq!(count("Demo only"), 4, "all else is the sandbox's");
    assert_eq!(count("To do"), 0);
    product.stop().await;
}
