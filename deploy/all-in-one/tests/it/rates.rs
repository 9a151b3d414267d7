//! Prices as rates over HTTP: what is asked, refused, charged and told is one list.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::joined::{Joined, start};
use crate::support::places;
use crate::support::product::{Customer, Product};

async fn create(product: &Product, id: &str, operation: &str, price: Value) -> (StatusCode, Value) {
    let target = json!({"provider": "sandbox", "model": id, "weight": 1, "priority": 0});
    let body = json!({"id": id, "operation": operation, "targets": [target], "price": price});
    product.admin(Method::POST, "/models", Some(body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_rates_say_is_held_charged_and_told() {
    for place in places().await {
        let product = start(&place, Joined::InProcess).await;
        let rates = json!({"rates": [
            {"unit": "input_token", "per": 1_000_000, "credits": 1, "when": {"context_over": 1_000}},
            {"unit": "input_token", "per": 1_000_000, "credits": 0},
            {"unit": "output_token", "per": 1_000, "credits": 1, "cost": 0.8},
        ], "minimum": 0.005});
        let (status, made) = create(&product, "by-rates", "chat", rates).await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        let price = &made["price"];
        assert_eq!(price["rates"][0]["when"], json!({"context_over": 1_000}));
        assert_eq!(price["rates"][2]["cost"], 0.8);
        assert!(
            price["input_per_million"].is_null(),
            "it is no plain price: {price}"
        );
        let customer = product.customer("10").await;
        let (status, told) = product.chat(&customer, "by-rates", "hi [tokens:20]").await;
        assert_eq!(status, StatusCode::OK, "{told}");
        let record = product.newest(&customer).await;
        assert_eq!(record["credits"], 0.02, "{}: {record}", place.name);
        assert_eq!(record["units"]["output_token"], 20);
        let (status, told) = product.chat(&customer, "by-rates", "hi [tokens:2]").await;
        assert_eq!(status, StatusCode::OK, "{told}");
        let record = product.newest(&customer).await;
        assert_eq!(record["credits"], 0.005, "the least of a call: {record}");
        product.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_that_leaves_a_unit_open_is_refused_and_says_which() {
    let [place, _] = places().await;
    let product = start(&place, Joined::InProcess).await;
    let input = json!({"unit": "input_token", "per": 1_000_000, "credits": 1});
    let image = json!({"unit": "image", "credits": 1, "when": {"size": ["1024x1024"]}});
    let output = json!({"unit": "output_token", "per": 1_000_000, "credits": 1});
    for (operation, price, told) in [
        (
            "chat",
            json!({"rates": [input]}),
            "`output_token` needs a rate",
        ),
        (
            "image",
            json!({"rates": [input, output, image]}),
            "`image` needs a rate",
        ),
        ("chat", json!({"rates": [], "per_request": 1}), "not both"),
        (
            "chat",
            json!({"rates": [{"unit": "parsec", "credits": 1}]}),
            "no unit `parsec`",
        ),
        (
            "chat",
            json!({"rates": [{"unit": "input_token", "credits": 1, "when": {"hours": {"zone": "Mars", "from": "00:00", "to": "01:00"}}}]}),
            "IANA name",
        ),
        (
            "chat",
            json!({"rates": [{"unit": "input_token", "credits": -1}, output]}),
            "amount",
        ),
    ] {
        let (status, refused) = create(&product, "open", operation, price.clone()).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{price}: {refused}");
        let said = refused["error"]["message"].as_str().unwrap_or_default();
        assert!(said.contains(told), "{price}: {said}");
    }
    product.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_free_by_an_explicit_zero_works_without_any_credit() {
    for place in places().await {
        let product = start(&place, Joined::InProcess).await;
        let free = json!({"rates": [
            {"unit": "input_token", "credits": 0}, {"unit": "output_token", "credits": 0},
        ]});
        let (status, made) = create(&product, "free", "chat", free).await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        let name = json!({"name": format!("poor {}", place.name)});
        let (status, made) = product.admin(Method::POST, "/tenants", Some(name)).await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        let poor = Customer {
            id: made["tenant"]["id"].as_str().expect("an id").to_owned(),
            key: made["key"].as_str().expect("a key").to_owned(),
        };
        let (status, told) = product.chat(&poor, "free", "hi [tokens:5]").await;
        assert_eq!(status, StatusCode::OK, "{}: {told}", place.name);
        assert_eq!(product.newest(&poor).await["credits"], 0);
        let target = json!({"provider": "sandbox", "model": "x", "weight": 1, "priority": 0});
        let body = json!({"id": "unpriced", "operation": "chat", "targets": [target]});
        let (status, made) = product.admin(Method::POST, "/models", Some(body)).await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        let (status, told) = product.chat(&poor, "unpriced", "hi").await;
        assert!(!status.is_success(), "no price, no call: {told}");
        product.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn prices_leave_as_a_file_and_come_back_from_it_whole_or_not_at_all() {
    for place in places().await {
        let product = start(&place, Joined::InProcess).await;
        let night =
            json!({"zone": "Asia/Shanghai", "days": ["sat"], "from": "22:00", "to": "03:00"});
        let rates = json!({"rates": [
            {"unit": "input_token", "per": 1_000_000, "credits": 1, "when": {"context_over": 1_000, "tier": ["flex"]}},
            {"unit": "input_token", "per": 1_000_000, "credits": 2, "when": {"hours": night}},
            {"unit": "input_token", "per": 1_000_000, "credits": 3, "cost": 0.25},
            {"unit": "output_token", "per": 1_000, "credits": 1},
        ], "minimum": 0.005, "currency": {"code": "USD", "credits": 7.1, "as_of": "2026-11-27"}});
        for id in ["filed", "plain"] {
            let price = if id == "filed" {
                rates.clone()
            } else {
                json!({"input_per_million": 1, "output_per_million": 2})
            };
            let (status, made) = create(&product, id, "chat", price).await;
            assert_eq!(status, StatusCode::CREATED, "{made}");
        }
        let url = product.url("/admin/api/prices/export?model_id=filed");
        let file = product.http.get(url).bearer_auth(product.admin_token());
        let file = file.send().await.expect("an answer").text().await;
        let file = file.expect("text");
        assert!(
            file.starts_with("model,unit,per,credits,cost,when,step\r\n"),
            "{file}"
        );
        assert_eq!(file.lines().count(), 7, "{file}");
        let import = async |csv: String| {
            let body = json!({"csv": csv});
            let path = "/prices/import";
            product.admin(Method::POST, path, Some(body)).await
        };
        let price_of = async |id: &str| {
            let (_, model) = product
                .admin(Method::GET, &format!("/models/{id}"), None)
                .await;
            model["price"].clone()
        };
        let before = price_of("filed").await;
        let (status, made) = import(file.replace("0.005", "0.007")).await;
        assert_eq!(status, StatusCode::OK, "{made}");
        let after = price_of("filed").await;
        assert_ne!(before["id"], after["id"], "it is a new price");
        assert_eq!(
            (&after["rates"], &after["currency"]),
            (&before["rates"], &before["currency"])
        );
        assert_eq!(after["minimum"], 0.007, "{}", place.name);
        // One bad line, and nothing is changed for any model.
        let plain = price_of("plain").await;
        for (bad, told) in [
            (
                "plain,input_token,1,1\r\nplain,parsec,1,1",
                "line 9: there is no unit `parsec`",
            ),
            ("plain,input_token,1,1", "`output_token` needs a rate"),
            ("nobody,input_token,1,1", "model"),
            (
                "plain,output_token,1,1\r\nplain,input_token,1,1\r\nfiled,output_token,1,1",
                "stand together",
            ),
        ] {
            let (status, refused) = import(format!("{file}{bad}\r\n")).await;
            assert!(status.is_client_error(), "{bad}: {refused}");
            let said = refused["error"]["message"].as_str().unwrap_or_default();
            assert!(said.contains(told), "{bad}: {said}");
        }
        assert_eq!(price_of("filed").await["id"], after["id"], "{}", place.name);
        assert_eq!(price_of("plain").await["id"], plain["id"], "{}", place.name);
        product.stop().await;
    }
}
