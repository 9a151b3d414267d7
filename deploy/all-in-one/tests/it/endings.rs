//! Models that end, told, refused and redirected over HTTP in each surface's shape; what lists say of models;
//! and what a vendor says it has, also where it says what nobody should.

use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::gateways::vendor::{answer, at_once, with_vendor};
use crate::support::joined::{Joined, start};
use crate::support::places;
use crate::support::product::{Customer, Product};

const CHAT: &str = "/v1/chat/completions";

async fn patch(product: &Product, id: &str, facts: Value) -> (StatusCode, Value) {
    let path = format!("/models/{id}");
    product
        .admin(Method::PATCH, &path, Some(json!({"facts": facts})))
        .await
}

async fn told(product: &Product, id: &str, facts: Value) {
    let (status, model) = patch(product, id, facts).await;
    assert_eq!(status, StatusCode::OK, "{model}");
}

async fn post(
    product: &Product,
    (path, key): (&str, &str),
    body: &Value,
) -> (StatusCode, HeaderMap, Value) {
    let request = product.http.post(product.url(path)).bearer_auth(key);
    let answer = request.json(body).send().await.expect("an answer");
    let (status, headers) = (answer.status(), answer.headers().clone());
    (status, headers, answer.json().await.expect("JSON"))
}

fn ask(model: &str) -> Value {
    json!({"model": model, "max_tokens": 20, "messages": [{"role": "user", "content": "hi"}]})
}

async fn priced(product: &Product, id: &str, output: i64) {
    let price = json!({"output_per_million": output});
    product.model(id, "chat", price).await;
}

async fn key_for(product: &Product, customer: &Customer, models: Value) -> String {
    let body = json!({"name": "some", "allowed_models": models});
    let path = format!("/tenants/{}/keys", customer.id);
    let (status, made) = product.admin(Method::POST, &path, Some(body)).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    made["secret"].as_str().expect("a secret").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_ends_says_so_then_is_refused_or_goes_to_its_successor_at_its_price() {
    for place in places().await {
        let product = start(&place, Joined::InProcess).await;
        priced(&product, "old", 1_000).await;
        priced(&product, "new", 2_000).await;
        let customer = product.customer("10").await;
        let key = customer.key.as_str();

        // Ahead: the calls go on, and their headers tell.
        let end = json!({"at": "2199-12-31T00:00:00Z", "successor": "new"});
        told(&product, "old", json!({"retirement": end})).await;
        let (status, headers, body) = post(&product, (CHAT, key), &ask("old")).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        assert_eq!(headers["sunset"], "Tue, 31 Dec 2199 00:00:00 GMT");
        assert!(
            headers["deprecation"]
                .to_str()
                .is_ok_and(|at| at.starts_with('@'))
        );
        let link = "</api/v1/models/new>; rel=\"successor-version\"";
        assert_eq!(headers["link"], link);
        let (_, headers, _) = post(&product, (CHAT, key), &ask("new")).await;
        assert!(!headers.contains_key("sunset") && !headers.contains_key("deprecation"));
        // Who may not use the successor does not hear of it.
        let own = key_for(&product, &customer, json!(["old"])).await;
        let (status, headers, body) = post(&product, (CHAT, &own), &ask("old")).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        assert!(headers.contains_key("sunset") && !headers.contains_key("link"));

        // Over: each surface refuses in its own shape and names the successor.
        let over = |redirect: bool| json!({"retirement": {"at": "2020-01-01", "successor": "new", "redirect": redirect}});
        told(&product, "old", over(false)).await;
        let paid = product.settled(&customer).await["used"].clone();
        let (status, headers, body) = post(&product, (CHAT, key), &ask("old")).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{body}");
        assert_eq!(headers["x-should-retry"], "false");
        assert_eq!(body["error"]["code"], "model_not_found");
        let message = body["error"]["message"].as_str().unwrap_or_default();
        assert!(
            message.contains("retired") && message.contains("`new`"),
            "{body}"
        );
        let (status, _, body) = post(&product, ("/v1/messages", key), &ask("old")).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{body}");
        assert_eq!(
            (&body["type"], &body["error"]["type"]),
            (&json!("error"), &json!("not_found_error"))
        );
        assert!(
            body["error"]["message"]
                .as_str()
                .is_some_and(|text| text.contains("`new`"))
        );
        let gemini = json!({"contents": [{"parts": [{"text": "hi"}]}]});
        let path = "/v1beta/models/old:generateContent";
        let (status, _, body) = post(&product, (path, key), &gemini).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{body}");
        assert_eq!(body["error"]["status"], "NOT_FOUND");
        let (status, _, body) = post(&product, (CHAT, &own), &ask("old")).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{body}");
        assert!(!body.to_string().contains("`new`"), "{body}");
        assert_eq!(
            product.settled(&customer).await["used"],
            paid,
            "{}",
            place.name
        );

        // With a redirect the successor serves, and is what is paid, recorded and estimated.
        told(&product, "old", over(true)).await;
        let before = paid.as_f64();
        let (status, headers, body) = post(&product, (CHAT, key), &ask("old")).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        assert_eq!(headers["x-waule-model-redirected"], "old -> new");
        assert_eq!(body["model"], "new");
        let tokens = body["usage"]["completion_tokens"].as_f64().expect("tokens");
        let after = product.settled(&customer).await["used"].as_f64();
        let charged = after
            .zip(before)
            .map(|(after, before)| (after - before) * 1e6);
        assert_eq!(
            charged.map(f64::round),
            Some(tokens * 2_000.0),
            "{}",
            place.name
        );
        assert_eq!(product.newest(&customer).await["model"], "new");
        let estimate = async |model: &str| {
            let (_, _, told) = post(&product, ("/api/v1/estimate", key), &ask(model)).await;
            told
        };
        let (old, new) = (estimate("old").await, estimate("new").await);
        assert_eq!(
            (&old["highest"], &old["price"]),
            (&new["highest"], &new["price"])
        );
        // A key that may not use the successor is not sent there.
        let (status, _, body) = post(&product, (CHAT, &own), &ask("old")).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{body}");
        let other = key_for(&product, &customer, json!(["new"])).await;
        let (status, _, body) = post(&product, (CHAT, &other), &ask("old")).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{body}");
        product.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_tell_in_each_shape_what_a_model_can_costs_and_when_it_ends() {
    for place in places().await {
        let product = start(&place, Joined::InProcess).await;
        let price = json!({"input_per_million": 3, "output_per_million": 15, "cached_input_per_million": "0.3"});
        product.model("smart", "chat", price).await;
        priced(&product, "next", 1).await;
        let facts = json!({
            "context_tokens": 200_000, "capabilities": ["tools", "vision", "reasoning"],
            "description": "Thinks.", "owner": "acme",
            "retirement": {"at": "2199-12-31", "successor": "next"},
        });
        told(&product, "smart", facts.clone()).await;
        let (status, shown) = product.admin(Method::GET, "/models/smart", None).await;
        assert_eq!(status, StatusCode::OK);
        let mut again = shown["facts"].clone();
        assert_eq!(
            again["retirement"]["at"], "2200-01-01T00:00:00.000Z",
            "{shown}"
        );
        // What is shown is taken again.
        told(&product, "smart", again.take()).await;

        let customer = product.customer("1").await;
        let multiplier = json!({"price_multiplier_ppm": 500_000});
        let path = format!("/tenants/{}", customer.id);
        let (status, body) = product.admin(Method::PATCH, &path, Some(multiplier)).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        let get = async |path: &str, headers: &[(&'static str, &str)]| {
            let request = product.http.get(product.url(path));
            let request = headers
                .iter()
                .fold(request.bearer_auth(&customer.key), |request, header| {
                    request.header(header.0, header.1)
                });
            let answer = request.send().await.expect("an answer");
            assert_eq!(answer.status(), StatusCode::OK);
            answer.json::<Value>().await.expect("JSON")
        };
        let model = get("/v1/models/smart", &[]).await;
        assert_eq!(
            (
                &model["owned_by"],
                &model["context_length"],
                &model["object"]
            ),
            (&json!("acme"), &json!(200_000), &json!("model"))
        );
        assert_eq!(
            model["architecture"]["input_modalities"],
            json!(["text", "image"])
        );
        assert_eq!(
            model["capabilities"],
            json!(["tools", "vision", "reasoning"])
        );
        let parameters = model["supported_parameters"].as_array().expect("a list");
        assert!(parameters.contains(&json!("tools")) && parameters.contains(&json!("reasoning")));
        // Half of the list price, of one token.
        assert_eq!(
            (
                &model["pricing"]["prompt"],
                &model["pricing"]["completion"],
                &model["pricing"]["input_cache_read"]
            ),
            (
                &json!("0.0000015"),
                &json!("0.0000075"),
                &json!("0.00000015")
            )
        );
        assert_eq!(model["retirement"]["successor"], "next");
        let list = get("/v1/models", &[]).await;
        let listed = list["data"].as_array().expect("a list");
        assert!(listed.contains(&model), "{list}");

        let anthropic = get("/v1/models/smart", &[("anthropic-version", "2023-06-01")]).await;
        assert_eq!(
            (
                &anthropic["type"],
                &anthropic["max_input_tokens"],
                &anthropic["max_tokens"]
            ),
            (&json!("model"), &json!(200_000), &json!(1_000))
        );
        let can = &anthropic["capabilities"];
        assert_eq!(
            (
                &can["image_input"]["supported"],
                &can["thinking"]["supported"],
                &can["batch"]["supported"]
            ),
            (&json!(true), &json!(true), &json!(false))
        );
        assert_eq!(anthropic["price"], model["price"]);
        let gemini = get("/v1beta/models/smart", &[]).await;
        assert_eq!(
            (
                &gemini["name"],
                &gemini["inputTokenLimit"],
                &gemini["outputTokenLimit"],
                &gemini["thinking"]
            ),
            (
                &json!("models/smart"),
                &json!(200_000),
                &json!(1_000),
                &json!(true)
            )
        );
        assert_eq!(gemini["retirement"], model["retirement"]);
        // One without facts says nothing that is not known.
        let plain = get("/v1/models/next", &[("anthropic-version", "2023-06-01")]).await;
        assert_eq!(
            (&plain["capabilities"], &plain["max_input_tokens"]),
            (&Value::Null, &Value::Null)
        );

        // What is over and goes nowhere is listed no more.
        told(
            &product,
            "smart",
            json!({"retirement": {"at": "2020-01-01"}}),
        )
        .await;
        let list = get("/v1/models", &[]).await;
        assert!(!list.to_string().contains("smart"), "{list}");
        let notices = get("/api/v1/notices", &[]).await;
        assert_eq!(notices["data"], json!([]));

        for (facts, field) in [
            (json!({"capabilities": ["telepathy"]}), "facts.capabilities"),
            (json!({"context_tokens": 0}), "context_tokens"),
            (json!({"retirement": {"at": "soon"}}), "facts.retirement.at"),
            (
                json!({"retirement": {"at": "2199-02-30"}}),
                "facts.retirement.at",
            ),
            (
                json!({"retirement": {"at": "2199-01-01", "successor": "smart"}}),
                "successor",
            ),
            (
                json!({"retirement": {"at": "2199-01-01", "successor": "nobody"}}),
                "successor",
            ),
            (
                json!({"retirement": {"at": "2199-01-01", "redirect": true}}),
                "redirect",
            ),
        ] {
            let (status, refused) = patch(&product, "smart", facts.clone()).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{facts}: {refused}");
            assert_eq!(refused["error"]["param"], field, "{refused}");
        }
        product.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_vendor_has_is_compared_and_a_bad_list_says_nothing_is_gone() {
    for joined in [Joined::InProcess, Joined::OverHttp] {
        for place in places().await {
            let product = start(&place, joined).await;
            let key = "one-key-0123456789";
            let (vendor, _) = with_vendor(&product, &[key]).await;
            let (_, model) = product.admin(Method::GET, "/models/ours", None).await;
            let theirs = model["targets"][0]["model"]
                .as_str()
                .expect("a target")
                .to_owned();
            let list = |names: &[&str]| {
                let entries: Vec<Value> = names.iter().map(|name| json!({"id": name})).collect();
                json!({"object": "list", "data": entries}).to_string()
            };
            let asked = async |body: Vec<u8>| {
                vendor.script(key, at_once(body));
                let path = "/providers/vendor/models";
                let (status, told) = product.admin(Method::POST, path, None).await;
                assert_eq!(status, StatusCode::OK, "{told}");
                told
            };
            let first = asked(answer("200 OK", "", &list(&[&theirs, "b", "b", "<b>"]))).await;
            assert_eq!(
                (
                    &first["models"],
                    &first["failure"],
                    &first["targets"][0]["standing"]
                ),
                (&json!(3), &Value::Null, &json!("listed")),
                "{first}"
            );
            assert_eq!(
                (&first["unused"], &first["new"]),
                (&json!(["<b>", "b"]), &json!([]))
            );
            let million = format!("{{\"data\":[{}null]}}", "{\"id\":\"b\"},".repeat(300_000));
            for bad in [
                answer("200 OK", "", &list(&[])),
                answer("200 OK", "", "{}"),
                answer("200 OK", "", "<html>"),
                answer("200 OK", "", r#"{"data":[{"id":"a"}"#),
                answer("200 OK", "", r#"{"data":[null,7,{"id":""}]}"#),
                answer("200 OK", "", &"x".repeat(9 << 20)),
                answer(
                    "401 Unauthorized",
                    "",
                    &format!(r#"{{"error":{{"message":"no {key}"}}}}"#),
                ),
                answer("503 Service Unavailable", "", "{}"),
                Vec::new(),
            ] {
                let told = asked(bad).await;
                assert!(told["failure"].is_string(), "{told}");
                assert!(!told.to_string().contains(key), "{told}");
                assert_eq!(
                    (&told["models"], &told["gone"], &told["listed_at"]),
                    (&json!(3), &json!([]), &first["listed_at"]),
                    "{told}"
                );
            }
            let cut = asked(answer("200 OK", "", &million)).await;
            assert_eq!(
                (&cut["cut"], &cut["gone"]),
                (&json!(true), &json!([])),
                "{cut}"
            );
            asked(answer("200 OK", "", &list(&[&theirs, "b"]))).await;
            let gone = asked(answer("200 OK", "", &list(&["b", "c"]))).await;
            assert_eq!(
                (&gone["gone"], &gone["new"], &gone["targets"][0]["standing"]),
                (&json!([theirs]), &json!(["c"]), &json!("gone")),
                "{gone}"
            );
            let (status, known) = product.admin(Method::GET, "/model-lists", None).await;
            assert_eq!((status, &known["data"]), (StatusCode::OK, &json!([gone])));
            // A vendor that is away, and one that nobody has.
            let (status, told) = product
                .admin(Method::POST, "/providers/nobody/models", None)
                .await;
            assert_eq!(status, StatusCode::NOT_FOUND, "{told}");
            let (status, told) = product
                .admin(Method::POST, "/providers/sandbox/models", None)
                .await;
            assert_eq!(status, StatusCode::OK, "{told}");
            assert!(told["failure"].is_string(), "{told}");
            product.stop().await;
        }
    }
}
