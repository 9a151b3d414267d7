//! Price lists of others over HTTP: uploaded, looked through, set, and charged at.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::joined::{Joined, start};
use crate::support::places;
use crate::support::product::Product;

async fn upload(product: &Product, file: &str) -> (StatusCode, Value) {
    let currency = json!({"code": "USD", "credits": 7, "as_of": "2026-11-28"});
    let body =
        json!({"file": file, "file_name": "list.json", "factor": 1.25, "currency": currency});
    product
        .admin(Method::POST, "/price-reviews", Some(body))
        .await
}

/// What differs from one run to the next, in words.
fn plain(mut review: Value) -> String {
    for field in ["id", "created_at", "expires_at"] {
        let text = review[field].as_str().expect("a text").to_owned();
        let is_right = text.starts_with("prv_") || text.ends_with('Z');
        assert!(is_right, "{field}: {text}");
        review[field] = json!("…");
    }
    // Models that every product has at its start.
    let rows = review["rows"].as_array_mut().expect("rows");
    rows.retain(|row| row["model_id"] == "by-list");
    review["without"] = json!([]);
    serde_json::to_string_pretty(&review).expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_becomes_prices_row_by_row() {
    for place in places().await {
        let product = start(&place, Joined::InProcess).await;
        let price = json!({"input_per_million": 10, "output_per_million": 70, "per_request": 0.5});
        product.model("by-list", "chat", price).await;
        // The price is set in another millisecond than the model's first.
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        let list = r#"{"by-list": {"litellm_provider": "sandbox", "mode": "chat", "input_cost_per_token": 1.2e-06,
            "input_cost_per_token_above_200k_tokens": 2.4000000001e-06, "output_cost_per_token": 8e-06,
            "cache_read_input_token_cost": 1.2e-07, "code_interpreter_cost_per_session": 0.03},
            "nobody": {"input_cost_per_token": 1}, "bad": {"input_cost_per_token": "1"}}"#;
        let (status, review) = upload(&product, list).await;
        assert_eq!(status, StatusCode::CREATED, "{review}");
        let id = review["id"].as_str().expect("an id").to_owned();
        insta::assert_snapshot!("price_review", plain(review));

        let apply = async |rows: Value| {
            let path = format!("/price-reviews/{id}/apply");
            let body = json!({"rows": rows});
            product.admin(Method::POST, &path, Some(body)).await
        };
        let (status, refused) = apply(json!([{"model_id": "by-list"}])).await;
        assert_eq!(status, StatusCode::CONFLICT, "{refused}");
        assert_eq!(refused["error"]["code"], "rows_refused");
        let said = refused["error"]["message"].as_str().unwrap_or_default();
        assert!(
            said.contains("`by-list`: a price or a cost becomes 0"),
            "{said}"
        );
        let path = format!("/price-reviews/{id}/effect?model_id=by-list");
        let (status, effect) = product.admin(Method::GET, &path, None).await;
        assert_eq!(
            (status, &effect["calls"]),
            (StatusCode::OK, &json!(0)),
            "{effect}"
        );

        let pin = async |pinned: bool| {
            let body = json!({"pinned": pinned});
            let path = "/models/by-list/price-pin";
            let (status, told) = product.admin(Method::PUT, path, Some(body.clone())).await;
            assert_eq!((status, &told), (StatusCode::OK, &body));
            product.admin(Method::GET, path, None).await.1
        };
        assert_eq!(pin(true).await["pinned"], true);
        let chosen = json!([{"model_id": "by-list", "confirm": true}]);
        let (status, refused) = apply(chosen.clone()).await;
        assert_eq!(status, StatusCode::CONFLICT, "{refused}");
        assert_eq!(pin(false).await["pinned"], false);

        let (status, done) = apply(chosen.clone()).await;
        assert_eq!(status, StatusCode::OK, "{done}");
        let (_, again) = apply(chosen).await;
        assert_eq!(
            (&again["prices"], &again["already"]),
            (&done["prices"], &json!(true))
        );
        let customer = product.customer("100").await;
        let (status, told) = product.chat(&customer, "by-list", "hi [tokens:20]").await;
        assert_eq!(status, StatusCode::OK, "{told}");
        // 8 dollars a million, at 7 credits and a quarter more, and the call's half credit that stayed.
        let record = product.newest(&customer).await;
        let credits = record["credits"].as_f64().expect("a number");
        assert!((0.501_4..0.502).contains(&credits), "{record}");
        let (_, reviews) = product.admin(Method::GET, "/price-reviews", None).await;
        assert_eq!(reviews["data"][0]["id"], id.as_str(), "{}", place.name);
        product.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_list_is_refused_and_a_large_one_is_read() {
    let [place, _] = places().await;
    let product = start(&place, Joined::InProcess).await;
    for file in ["", "[", "hello", "{}", "{\"a\": NaN"] {
        let (status, refused) = upload(&product, file).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{file}: {refused}");
        assert_eq!(refused["error"]["param"], "file", "{file}");
    }
    // The public list's size and more: management bodies are small elsewhere.
    let entry = |at: usize| {
        format!(
            "\"model-{at}\": {{\"mode\": \"chat\", \"input_cost_per_token\": 1.5e-07, \"source\": \"{}\"}}",
            "x".repeat(400)
        )
    };
    let entries: Vec<String> = (0..5_000).map(entry).collect();
    let (status, review) = upload(&product, &format!("{{{}}}", entries.join(","))).await;
    assert_eq!(status, StatusCode::CREATED, "{review}");
    assert_eq!(review["unmatched_count"], 5_000);
    assert_eq!(review["unmatched"].as_array().map(Vec::len), Some(500));
    let (status, _) = upload(&product, &"x".repeat(8 * 1024 * 1024 + 1)).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let (status, _) = upload(&product, &"x".repeat(17 * 1024 * 1024)).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    product.stop().await;
}
