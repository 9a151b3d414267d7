//! What operators do with money by hand: corrections and budgets, on both databases.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::joined::{Joined, start};
use crate::support::places;
use crate::support::product::Product;

async fn adjust(product: &Product, tenant: &str, key: &str, body: Value) -> (StatusCode, Value) {
    let answer = product
        .http
        .post(product.url(&format!("/admin/api/tenants/{tenant}/adjust")))
        .bearer_auth(product.admin_token())
        .header("Idempotency-Key", key)
        .json(&body)
        .send()
        .await
        .expect("an answer");
    let status = answer.status();
    (status, answer.json().await.expect("JSON"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_is_made_once_and_says_who_and_why() {
    for place in places().await {
        let product = start(&place, Joined::InProcess).await;
        let customer = product.customer("10").await;
        let take = json!({"direction": "take", "amount": 4, "reason": "given twice"});
        for _ in 0..2 {
            let (status, made) = adjust(&product, &customer.id, "a", take.clone()).await;
            assert_eq!(status, StatusCode::OK, "{made}");
            assert_eq!(made["operator"], "admin");
            assert_eq!(made["reason"], "given twice");
            assert_eq!(made["balance"]["available"], json!(6), "{}", place.name);
        }
        let other = json!({"direction": "take", "amount": 5, "reason": "given twice"});
        let (status, _) = adjust(&product, &customer.id, "a", other.clone()).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        let more = json!({"direction": "take", "amount": 7, "reason": "chargeback"});
        let (status, refused) = adjust(&product, &customer.id, "b", more).await;
        assert_eq!(status, StatusCode::CONFLICT, "{refused}");
        let debt =
            json!({"direction": "take", "amount": 7, "reason": "chargeback", "into_debt": true});
        let (status, made) = adjust(&product, &customer.id, "c", debt).await;
        assert_eq!(status, StatusCode::OK, "{made}");
        assert_eq!(made["balance"]["debt"], json!(1));
        let give = json!({"direction": "give", "amount": 3, "reason": "sorry"});
        let (_, made) = adjust(&product, &customer.id, "d", give).await;
        assert_eq!(
            made["balance"]["available"],
            json!(2),
            "the debt is paid first"
        );
        let bad = json!({"direction": "give", "amount": 3, "reason": " "});
        let (status, _) = adjust(&product, &customer.id, "e", bad).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        let (status, _) = adjust(&product, "ten_nobody", "f", other).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        let ledger = format!("/tenants/{}/ledger", customer.id);
        let (_, lines) = product.admin(Method::GET, &ledger, None).await;
        let kinds: Vec<&str> = lines["data"]
            .as_array()
            .expect("lines")
            .iter()
            .filter_map(|line| line["kind"].as_str())
            .collect();
        assert_eq!(kinds, ["adjust", "adjust", "adjust", "grant"]);
        let (_, audit) = product.admin(Method::GET, "/audit?limit=100", None).await;
        let adjusts = audit["data"].as_array().expect("entries").iter();
        assert_eq!(
            adjusts.filter(|e| e["action"] == "tenant.adjust").count(),
            3
        );
        product.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keys_budget_refuses_what_the_balance_would_allow() {
    for place in places().await {
        let product = start(&place, Joined::InProcess).await;
        let price = json!({"input_per_million": 0, "output_per_million": 0, "per_request": 2});
        product.model("budgeted", "chat", price).await;
        let customer = product.customer("100").await;
        let keys = format!("/tenants/{}/keys", customer.id);
        let (_, listed) = product.admin(Method::GET, &keys, None).await;
        let key = listed["data"][0]["id"].as_str().expect("an id").to_owned();
        let budget = format!("{keys}/{key}/budgets/day");
        let (status, set) = product
            .admin(Method::PUT, &budget, Some(json!({"limit": 5})))
            .await;
        assert_eq!(
            (status, &set["limit"]),
            (StatusCode::OK, &json!(5)),
            "{set}"
        );
        for _ in 0..2 {
            let (status, answer) = product.chat(&customer, "budgeted", "hello").await;
            assert_eq!(status, StatusCode::OK, "{answer}");
        }
        let (status, refused) = product.chat(&customer, "budgeted", "hello").await;
        assert_eq!(status, StatusCode::PAYMENT_REQUIRED, "{}", place.name);
        assert_eq!(refused["error"]["code"], "budget_exceeded", "{refused}");
        let list = format!("/tenants/{}/budgets", customer.id);
        let (_, budgets) = product.admin(Method::GET, &list, None).await;
        assert_eq!(budgets[0]["spent"], json!(4), "{budgets}");
        assert_eq!(budgets[0]["key_id"], json!(key));
        let (_, gone) = product.admin(Method::PUT, &budget, Some(json!({}))).await;
        assert_eq!(gone, Value::Null);
        let (status, answer) = product.chat(&customer, "budgeted", "hello").await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        let other = product.customer("1").await;
        let foreign = format!("/tenants/{}/keys/{key}/budgets/day", other.id);
        let body = Some(json!({"limit": 5}));
        let (status, _) = product.admin(Method::PUT, &foreign, body).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "another tenant's key");
        product.stop().await;
    }
}
