//! Names without case, days in the tenant's time zone, and files for Excel, over HTTP.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::joined::{Joined, start};
use crate::support::places;
use crate::support::product::Product;

const PASSWORD: &str = "correct horse battery";

async fn found(product: &Product, name: &str, username: &str) -> (StatusCode, Value) {
    let body = json!({"name": name, "username": username, "password": PASSWORD});
    product.admin(Method::POST, "/tenants", Some(body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn tenants_and_people_are_found_without_case_and_are_unique_so() {
    for place in places().await {
        let product = start(&place, Joined::InProcess).await;
        let (status, made) = found(&product, "Straße & Söhne", "Ada").await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        let id = made["tenant"]["id"].as_str().expect("an id");
        for same in ["straße & söhne", "STRASSE & SÖHNE", "Straße & So\u{308}hne"] {
            let (status, taken) = found(&product, same, "x").await;
            assert_eq!(status, StatusCode::CONFLICT, "{same}: {taken}");
        }
        let other = found(&product, "Strasse und Söhne", "Ada").await;
        assert_eq!(other.0, StatusCode::CREATED);
        let user = json!({"username": "aDA", "password": PASSWORD, "role": "member"});
        let (status, _) = product
            .admin(Method::POST, &format!("/tenants/{id}/users"), Some(user))
            .await;
        assert_eq!(status, StatusCode::CONFLICT, "the same person's name");
        let key = made["key"].as_str().expect("a key");
        for username in ["Ada", "ADA", "ada"] {
            let body = json!({"apiKey": key, "username": username, "password": PASSWORD});
            let (status, answer) = product
                .send(Method::POST, "/api/v1/auth/login", None, Some(body))
                .await;
            assert_eq!(status, StatusCode::OK, "{username}: {answer}");
        }
        let login = json!({"username": "ADMIN", "password": crate::support::ADMIN_PASSWORD});
        let (status, _) = product
            .send(Method::POST, "/admin/api/login", None, Some(login))
            .await;
        assert_eq!(status, StatusCode::OK);
        for search in ["STRASSE%20%26", "straße", "Stra%C3%9Fe%20%26%20S%C3%96"] {
            let (_, list) = product
                .admin(Method::GET, &format!("/tenants?search={search}"), None)
                .await;
            let names: Vec<&str> = list["data"]
                .as_array()
                .expect("a list")
                .iter()
                .filter_map(|tenant| tenant["name"].as_str())
                .collect();
            assert!(names.contains(&"Straße & Söhne"), "{search}: {names:?}");
        }
        // Its own name may be written otherwise.
        let renamed = Some(json!({"name": "STRASSE & SÖHNE"}));
        let (status, answer) = product
            .admin(Method::PATCH, &format!("/tenants/{id}"), renamed)
            .await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        product.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn models_are_meant_without_case_where_only_one_can_be() {
    for place in places().await {
        let product = start(&place, Joined::InProcess).await;
        let customer = product.customer("10").await;
        let price = json!({"per_request": "0.1"});
        product.model("gpt-4o", "chat", price.clone()).await;
        for name in ["gpt-4o", "GPT-4o", "Gpt-4O"] {
            let (status, answer) = product.chat(&customer, name, "hi").await;
            assert_eq!(status, StatusCode::OK, "{name}: {answer}");
            let path = format!("/v1/models/{name}");
            let (status, model) = product
                .send(Method::GET, &path, Some(&customer.key), None)
                .await;
            assert_eq!((status, &model["id"]), (StatusCode::OK, &json!("gpt-4o")));
        }
        product.settled(&customer).await;
        let (_, usage) = product
            .send(Method::GET, "/api/v1/usage", Some(&customer.key), None)
            .await;
        assert!(
            usage["data"]
                .as_array()
                .expect("records")
                .iter()
                .all(|record| record["model"] == "gpt-4o")
        );
        product.model("GPT-4o", "chat", price).await;
        for (name, status) in [
            ("gpt-4o", StatusCode::OK),
            ("GPT-4o", StatusCode::OK),
            ("Gpt-4O", StatusCode::NOT_FOUND),
        ] {
            assert_eq!(
                product.chat(&customer, name, "hi").await.0,
                status,
                "{name}"
            );
        }
        product.stop().await;
    }
}

/// A04.
#[tokio::test(flavor = "multi_thread")]
async fn a_days_budget_begins_in_the_tenants_time_zone() {
    for place in places().await {
        let product = start(&place, Joined::InProcess).await;
        let customer = product.customer("10").await;
        let tenant = format!("/tenants/{}", customer.id);
        let budget = async |customer: &crate::support::product::Customer| {
            let (_, keys) = product
                .admin(Method::GET, &format!("/tenants/{}/keys", customer.id), None)
                .await;
            let key = keys["data"][0]["id"].as_str().expect("a key").to_owned();
            let path = format!("/tenants/{}/keys/{key}/budgets/day", customer.id);
            let (status, set) = product
                .admin(Method::PUT, &path, Some(json!({"limit": "5"})))
                .await;
            assert!(status.is_success(), "{set}");
            let text = |name: &str| set[name].as_str().unwrap_or_default().to_owned();
            (text("period_start"), text("period_end"))
        };
        for wrong in ["Mars/Olympus", "UTC+8", "../etc/passwd"] {
            let (status, error) = product
                .admin(Method::PATCH, &tenant, Some(json!({"time_zone": wrong})))
                .await;
            let told = (status, &error["error"]["param"]);
            assert_eq!(
                told,
                (StatusCode::BAD_REQUEST, &json!("time_zone")),
                "{wrong}"
            );
        }
        let (status, changed) = product
            .admin(
                Method::PATCH,
                &tenant,
                Some(json!({"time_zone": "asia/shanghai"})),
            )
            .await;
        assert_eq!(
            (status, &changed["time_zone"]),
            (StatusCode::OK, &json!("Asia/Shanghai"))
        );
        let (start, end) = budget(&customer).await;
        assert!(
            start.ends_with("T16:00:00.000Z") && end.ends_with("T16:00:00.000Z"),
            "{start} {end}"
        );
        let call = product.chat(&customer, "sandbox-chat", "hi").await;
        assert_ne!(call.0, StatusCode::PAYMENT_REQUIRED, "{}", call.1);
        // The platform's zone is that of tenants without one.
        let path = "/settings/calendar";
        let (_, calendar) = product.admin(Method::GET, path, None).await;
        assert_eq!(calendar["time_zone"], "UTC");
        let wrong = product
            .admin(Method::PUT, path, Some(json!({"time_zone": "x"})))
            .await;
        assert_eq!(wrong.0, StatusCode::BAD_REQUEST);
        let kolkata = Some(json!({"time_zone": "Asia/Kolkata"}));
        assert_eq!(
            product.admin(Method::PUT, path, kolkata).await.0,
            StatusCode::OK
        );
        let second = product.customer("10").await;
        let (start, _) = budget(&second).await;
        assert!(start.ends_with("T18:30:00.000Z"), "{start}");
        let back = Some(json!({"time_zone": ""}));
        let (_, changed) = product.admin(Method::PATCH, &tenant, back).await;
        assert_eq!(changed["time_zone"], Value::Null);
        let (start, _) = budget(&customer).await;
        assert!(
            start.ends_with("T16:00:00.000Z"),
            "the period that runs goes on: {start}"
        );
        product.stop().await;
    }
}

/// A05.
#[tokio::test(flavor = "multi_thread")]
async fn exports_begin_with_the_mark_where_excel_is_asked_for() {
    let [place, _] = places().await;
    let product = start(&place, Joined::InProcess).await;
    let customer = product.customer("1").await;
    let get = async |url: String, bearer: &str| {
        let asked = product.http.get(url).bearer_auth(bearer);
        asked.send().await.expect("an answer")
    };
    let tenant = format!("/admin/api/tenants/{}", customer.id);
    let ledger = format!("{tenant}/ledger/export");
    let usage = format!("{tenant}/usage/export");
    for (path, bearer) in [
        ("/api/v1/usage/export", customer.key.as_str()),
        ("/api/v1/credits/export", customer.key.as_str()),
        (usage.as_str(), product.admin_token()),
        (ledger.as_str(), product.admin_token()),
    ] {
        for (query, marked) in [
            ("", false),
            ("?bom=1", true),
            ("?bom=true", true),
            ("?bom=0", false),
        ] {
            let url = product.url(&format!("{path}{query}"));
            let answer = get(url, bearer).await;
            assert!(
                answer.status() != StatusCode::NOT_FOUND,
                "{path} is no export"
            );
            assert_eq!(answer.status(), StatusCode::OK, "{path}{query}");
            let bytes = answer.bytes().await.expect("a file");
            assert_eq!(bytes.starts_with(b"\xef\xbb\xbf"), marked, "{path}{query}");
        }
        let url = product.url(&format!("{path}?bom=perhaps"));
        let odd = get(url, bearer).await;
        assert_eq!(odd.status(), StatusCode::BAD_REQUEST);
    }
    product.stop().await;
}
