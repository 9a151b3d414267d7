//! What a tenant's calls do to keys: nothing that another tenant feels.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::json;

use super::fake::{Fake, GOOD, answer, ask, count, keys, model, models, provider};
use crate::support::joined::{Joined, start};
use crate::support::{places, until};

const PATIENCE: Duration = Duration::from_secs(15);

/// Status line, headers and body of a refusal, and what the tenant gets.
const DRAWN: [(&str, &str, &str, u16); 15] = [
    ("401 Unauthorized", "", "", 503),
    (
        "401 Unauthorized",
        "",
        r#"{"error":{"message":"Incorrect API key provided","code":"invalid_api_key"}}"#,
        503,
    ),
    (
        "400 Bad Request",
        "",
        r#"[{"error":{"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT"}}]"#,
        503,
    ),
    (
        "403 Forbidden",
        "",
        r#"{"error":{"message":"Your input was flagged"}}"#,
        400,
    ),
    (
        "403 Forbidden",
        "",
        r#"{"error":{"message":"Not for you"}}"#,
        403,
    ),
    ("403 Forbidden", "", "<html>Attention</html>", 503),
    (
        "403 Forbidden",
        "",
        r#"{"error":{"message":"Project does not have access to model","code":"model_not_found"}}"#,
        404,
    ),
    (
        "402 Payment Required",
        "",
        r#"{"error":{"message":"You requested up to 65536 tokens, but can only afford 3919."}}"#,
        503,
    ),
    (
        "402 Payment Required",
        "retry-after: 3600\r\n",
        r#"{"error":{"message":"Insufficient Balance"}}"#,
        503,
    ),
    ("429 Too Many Requests", "retry-after: 3600\r\n", "{}", 429),
    (
        "429 Too Many Requests",
        "",
        r#"{"error":{"type":"insufficient_quota","code":"insufficient_quota"}}"#,
        503,
    ),
    (
        "200 OK",
        "retry-after: 3600\r\n",
        r#"{"error":{"message":"Rate limit exceeded","code":429}}"#,
        429,
    ),
    ("503 Service Unavailable", "retry-after: 3600\r\n", "", 503),
    (
        "529 Overloaded",
        "retry-after: 3600\r\n",
        r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
        503,
    ),
    ("500 Internal Server Error", "", "", 503),
];

#[tokio::test(flavor = "multi_thread")]
async fn whatever_one_tenant_draws_the_keys_serve_the_next_good_call_of_anybody() {
    let [place, _] = places().await;
    let product = start(&place, Joined::OverHttp).await;
    let (_, address) = Fake::start(|seen| {
        if seen.asks_models() {
            return models();
        }
        let drawn = (0..DRAWN.len())
            .rev()
            .find(|row| seen.says(&format!("[draw:{row}]")));
        match drawn.map(|row| DRAWN[row]) {
            Some((status, headers, body, _)) => answer(status, headers, body),
            None => answer("200 OK", "", GOOD),
        }
    })
    .await;
    let (hostile, other) = (
        product.customer("1000").await,
        product.customer("1000").await,
    );
    for (row, (status, headers, body, expected)) in DRAWN.iter().enumerate() {
        for pool in [1, 2, 4] {
            let name = format!("p{row}-{pool}");
            provider(&product, &name, &format!("http://{address}/v1"), pool).await;
            model(&product, &name, &[&name]).await;
            let mark = format!("[draw:{row}]");
            for _ in 0..3 {
                let got = ask(&product, &hostile, &name, (&mark, json!({}))).await;
                assert_eq!(
                    got.status.as_u16(),
                    *expected,
                    "{status} {body} of {pool}: {}",
                    got.text
                );
            }
            let idle = pool - count(&product, &name, "active").await;
            assert!(
                idle <= 1,
                "{status} {body} of {pool}: {:?}",
                keys(&product, &name).await
            );
            assert_eq!(
                count(&product, &name, "disabled").await,
                0,
                "{status} {body}"
            );
            for _ in 0..4 {
                let got = ask(&product, &other, &name, ("good", json!({}))).await;
                assert_eq!(
                    got.status,
                    StatusCode::OK,
                    "another tenant after {status} {body} of {pool}: {}",
                    got.text
                );
            }
            // Whoever was told to wait by every key waits, however many there are, and whatever
            // the others are told.
            let is_told = headers.starts_with("retry-after") && !status.starts_with("402");
            let got = ask(&product, &hostile, &name, ("good", json!({}))).await;
            let own = if is_told { *expected } else { 200 };
            assert_eq!(
                got.status.as_u16(),
                own,
                "the same tenant after {status} {body} of {pool}: {}",
                got.text
            );
        }
    }
    product.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_sandbox_is_asked_to_do_costs_it_nothing() {
    for place in places().await {
        let product = start(&place, Joined::InProcess).await;
        product
            .model("sand", "chat", json!({"per_request": 1}))
            .await;
        let (hostile, other) = (
            product.customer("1000").await,
            product.customer("1000").await,
        );
        for mark in [
            "[fail:401]",
            "[fail:403]",
            "[fail:402]",
            "[fail:404]",
            "[fail:429]",
            "[fail:503]",
        ] {
            for _ in 0..7 {
                let got = ask(&product, &hostile, "sand", (mark, json!({}))).await;
                assert!(got.status.is_client_error() || got.status.is_server_error());
            }
            assert_eq!(count(&product, "sandbox", "active").await, 1, "{mark}");
            for customer in [&hostile, &other] {
                let got = ask(&product, customer, "sand", ("hi", json!({}))).await;
                assert_eq!(got.status, StatusCode::OK, "{mark}: {}", got.text);
            }
        }
        product.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_disabled_when_its_provider_says_so_itself_and_is_asked_again() {
    for place in places().await {
        let product = start(&place, Joined::OverHttp).await;
        let (fake, address) = Fake::start(|seen| {
            let google = r#"[{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT"}}]"#;
            match (seen.key.as_str(), seen.asks_models()) {
                ("key-of-p-0", _) => answer("400 Bad Request", "", google),
                (_, true) => models(),
                (_, false) => answer("200 OK", "", GOOD),
            }
        })
        .await;
        provider(&product, "p", &format!("http://{address}/v1"), 2).await;
        model(&product, "m", &["p"]).await;
        let customer = product.customer("1000").await;
        for _ in 0..12 {
            let got = ask(&product, &customer, "m", ("hi", json!({}))).await;
            assert_eq!(got.status, StatusCode::OK, "{}", got.text);
        }
        until("the bad key is disabled", PATIENCE, async || {
            count(&product, "p", "disabled").await == 1
        })
        .await;
        let bad = keys(&product, "p")
            .await
            .into_iter()
            .find(|key| key["status"] == "disabled");
        let bad = bad.expect("one");
        assert_eq!(bad["reason"], "invalid_key", "{bad}");
        assert!(bad["probe_at"].is_string(), "it is asked again: {bad}");
        let to_bad = fake
            .calls()
            .iter()
            .filter(|seen| seen.key == "key-of-p-0")
            .count();
        assert_eq!(to_bad, 1, "{}", place.name);
        product.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_test_without_models_can_t_tell_and_a_small_call_can() {
    let [place, _] = places().await;
    let product = start(&place, Joined::OverHttp).await;
    let (fake, address) = Fake::start(|seen| match (seen.asks_models(), seen.key.as_str()) {
        (true, _) => answer("404 Not Found", "", "404 page not found"),
        (false, "key-of-p-1") => answer(
            "401 Unauthorized",
            "",
            r#"{"error":{"code":"invalid_api_key"}}"#,
        ),
        (false, _) if seen.says("max_tokens") && seen.says("thinker") => answer(
            "400 Bad Request",
            "",
            r#"{"error":{"message":"Use 'max_completion_tokens' instead.","param":"max_tokens"}}"#,
        ),
        (false, _) => answer("200 OK", "", GOOD),
    })
    .await;
    // Pasted as people do.
    provider(
        &product,
        "p",
        &format!("http://{address}/v1/chat/completions/"),
        2,
    )
    .await;
    model(&product, "m", &["p"]).await;
    let ids: Vec<String> = keys(&product, "p")
        .await
        .iter()
        .map(|key| key["id"].as_str().unwrap_or_default().to_owned())
        .collect();
    let mut verdicts = Vec::new();
    for id in &ids {
        for query in ["", "?model=theirs", "?model=thinker"] {
            let path = format!("/providers/p/keys/{id}/test{query}");
            let (status, test) = product.admin(Method::POST, &path, None).await;
            assert_eq!(status, StatusCode::OK, "{test}");
            verdicts.push(test["verdict"].as_str().unwrap_or_default().to_owned());
            if query.is_empty() {
                assert!(
                    test["detail"]
                        .as_str()
                        .is_some_and(|detail| detail.contains("can't be told here")),
                    "{test}"
                );
            }
        }
    }
    let good = ["unknown", "accepted", "accepted"];
    let bad = ["unknown", "refused", "refused"];
    let told: (Vec<&str>, Vec<&str>) = ([good, bad].concat(), [bad, good].concat());
    assert!(verdicts == told.0 || verdicts == told.1, "{verdicts:?}");
    let small = fake
        .calls()
        .into_iter()
        .find(|seen| seen.says("theirs"))
        .expect("a small call");
    assert!(
        small.says("\"max_tokens\":1") && small.head.starts_with("post /v1/chat/completions "),
        "{small:?}"
    );
    let path = format!(
        "/providers/p/keys/{}/test?model={}",
        ids[0],
        "m".repeat(300)
    );
    assert_eq!(
        product.admin(Method::POST, &path, None).await.0,
        StatusCode::BAD_REQUEST
    );
    // A key that can't be asked about rests for a while, and is never disabled.
    let customer = product.customer("1000").await;
    for _ in 0..12 {
        let got = ask(&product, &customer, "m", ("hi", json!({}))).await;
        assert_eq!(got.status, StatusCode::OK, "{}", got.text);
    }
    assert_eq!(count(&product, "p", "disabled").await, 0);
    assert_eq!(count(&product, "p", "cooling").await, 1);
    product.stop().await;
}
