//! Where calls go: what requests, keys, tenants and models say of it, other models that serve in place of the
//! one that is asked for, and what providers do with data.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::console::Console;
use crate::faults::fake::{Fake, GOOD, Got, answer, ask, model, provider};
use crate::support::joined::{Joined, start};
use crate::support::places;
use crate::support::product::{Customer, Product};

const DOWN: &str = r#"{"error":{"message":"overloaded","type":"server_error"}}"#;

/// Providers that are down while somebody says so.
struct Scene {
    product: Product,
    customer: Customer,
    fakes: Vec<(&'static str, Fake)>,
}

impl Scene {
    /// Providers of these names; those that begin with `down` always are. The slow one takes its time.
    async fn start(joined: Joined, names: &[&'static str]) -> Self {
        let [place, _] = places().await;
        let product = start(&place, joined).await;
        let mut fakes = Vec::new();
        for &name in names {
            let (fake, address) = Fake::start(move |_| {
                if name.starts_with("slow") {
                    std::thread::sleep(std::time::Duration::from_millis(150));
                }
                if name.starts_with("down") {
                    answer("503 Service Unavailable", "", DOWN)
                } else {
                    let named = GOOD.replacen('{', r#"{"model":"theirs","#, 1);
                    answer("200 OK", "", &named)
                }
            })
            .await;
            provider(&product, name, &format!("http://{address}/v1"), 1).await;
            fakes.push((name, fake));
        }
        let customer = product.customer("100").await;
        Self {
            product,
            customer,
            fakes,
        }
    }

    async fn put(&self, path: &str, body: Value) {
        let put = self.product.admin(Method::PUT, path, Some(body)).await;
        assert_eq!(put.0, StatusCode::OK, "{path}: {}", put.1);
    }

    async fn ask(&self, model: &str, more: Value) -> Got {
        ask(&self.product, &self.customer, model, ("hi", more)).await
    }

    fn calls(&self, name: &str) -> usize {
        let found = self.fakes.iter().find(|(known, _)| *known == name);
        found.expect("a provider").1.calls().len()
    }

    /// Which one was called by the newest call.
    async fn served(&self, model: &str, more: Value) -> Result<String, (u16, Value)> {
        let got = self.ask(model, more).await;
        if got.status != StatusCode::OK {
            return Err((got.status.as_u16(), got.json()["error"]["code"].clone()));
        }
        self.product.settled(&self.customer).await;
        let path = format!("/tenants/{}/usage?limit=1", self.customer.id);
        let (status, page) = self.product.admin(Method::GET, &path, None).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        let newest = page["records"]["data"][0]["provider"].as_str();
        Ok(newest.expect("a provider").to_owned())
    }

    async fn used(&self) -> Value {
        self.product.settled(&self.customer).await["used"].clone()
    }
}

/// A model with these targets, each with a cost, at that many credits a call.
async fn priced(product: &Product, id: &str, credits: u32, targets: &[(&str, u32)]) {
    let target = |(priority, (provider, cost)): (usize, &(&str, u32))| json!({"provider": provider, "model": id, "priority": priority, "cost": cost});
    let targets: Vec<Value> = targets.iter().enumerate().map(target).collect();
    let body = json!({"id": id, "operation": "chat", "targets": targets, "max_output_tokens": 1000,
        "answers_public_name": true, "price": {"per_request": credits}});
    let (status, made) = product.admin(Method::POST, "/models", Some(body)).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_say_which_providers_serve_them_in_which_order() {
    let scene = Scene::start(Joined::InProcess, &["slow", "b", "down"]).await;
    priced(
        &scene.product,
        "m",
        1,
        &[("slow", 30), ("b", 20), ("down", 10)],
    )
    .await;
    let none = Err((404, json!("no_allowed_provider")));
    for (provider, expected) in [
        (json!({}), Ok("slow")),
        (json!({"order": ["B"]}), Ok("b")),
        (json!({"only": ["b", "nobody"]}), Ok("b")),
        (json!({"ignore": ["slow"]}), Ok("b")),
        // The cheapest is down, and the next cheapest serves.
        (json!({"sort": "price"}), Ok("b")),
        (json!({"order": ["down"], "ignore": ["slow"]}), Ok("b")),
        (json!({"only": ["nobody"]}), none.clone()),
        (json!({"ignore": ["slow", "b", "down"]}), none),
        (
            json!({"order": ["down"], "allow_fallbacks": false}),
            Err((503, json!("no_capacity"))),
        ),
    ] {
        let got = scene.served("m", json!({"provider": provider})).await;
        assert_eq!(got, expected.map(str::to_owned), "{provider}");
    }
    // Both are measured by now; before, the model's own order was the word.
    assert_eq!(
        scene
            .served(
                "m",
                json!({"provider": {"sort": "latency", "ignore": ["down"]}})
            )
            .await,
        Ok("b".to_owned())
    );
    // Nothing of it reached a provider.
    let (_, fake) = &scene.fakes[1];
    assert!(fake.calls().iter().all(|seen| !seen.says("provider")));
    // A header says it for clients that can't send fields.
    let body = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]});
    for (header, status) in [
        (r#"{"only":["nobody"]}"#, 404),
        ("only=b", 400),
        (r#"{"only":["b"]}"#, 200),
    ] {
        let request = scene
            .product
            .http
            .post(scene.product.url("/v1/chat/completions"));
        let request = request
            .bearer_auth(&scene.customer.key)
            .header("x-waule-route", header);
        let got = request.json(&body).send().await.expect("an answer");
        assert_eq!(got.status().as_u16(), status, "{header}");
    }
    let before = scene.used().await;
    for wrong in [
        json!({"provider": {"only": vec!["x"; 1_000]}}),
        json!({"provider": {"only": [[["b"]]]}}),
        json!({"provider": "b"}),
        json!({"provider": {"quantizations": ["fp8"]}}),
        json!({"models": "m"}),
        json!({"models": vec!["m"; 100]}),
    ] {
        let got = scene.ask("m", wrong.clone()).await;
        assert_eq!(got.status, StatusCode::BAD_REQUEST, "{wrong}: {}", got.text);
    }
    let double = r#"{"model":"m","messages":[],"provider":{},"provider":{"only":["b"]}}"#;
    let request = scene
        .product
        .http
        .post(scene.product.url("/v1/chat/completions"));
    let request = request.bearer_auth(&scene.customer.key).body(double);
    let got = request.send().await.expect("an answer");
    assert_eq!(got.status(), StatusCode::BAD_REQUEST);
    assert_eq!(scene.used().await, before);
    // A model's own default, and one that a request prefers.
    scene
        .put(
            "/models/m/route",
            json!({"sort": "price", "ignore": ["down"]}),
        )
        .await;
    assert_eq!(scene.served("m", json!({})).await, Ok("b".to_owned()));
    let first = json!({"provider": {"order": ["slow"]}});
    assert_eq!(scene.served("m", first).await, Ok("slow".to_owned()));
    scene.product.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_model_serves_and_its_own_price_is_charged() {
    for joined in [Joined::InProcess, Joined::OverHttp] {
        let scene = Scene::start(joined, &["down", "b"]).await;
        let product = &scene.product;
        priced(product, "first", 7, &[("down", 1)]).await;
        priced(product, "second", 2, &[("b", 1)]).await;
        priced(product, "dear", 90, &[("b", 1)]).await;
        let free = json!({"id": "unpriced", "operation": "chat", "targets": [{"provider": "b", "model": "x"}]});
        let (status, _) = product.admin(Method::POST, "/models", Some(free)).await;
        assert_eq!(status, StatusCode::CREATED);
        model(product, "hidden", &["b"]).await;
        let hide = json!({"enabled": false});
        let (status, _) = product
            .admin(Method::PATCH, "/models/hidden", Some(hide))
            .await;
        assert_eq!(status, StatusCode::OK);
        let mut used = 0;
        for (name, models, serves, credits) in [
            ("first", json!(["second"]), "second", 2),
            ("second", json!(["first"]), "second", 2),
            ("unpriced", json!(["second"]), "second", 2),
            ("hidden", json!(["nobody", "second"]), "second", 2),
            ("first", json!(["first", "FIRST", "second"]), "second", 2),
        ] {
            let got = scene.ask(name, json!({"models": models})).await;
            assert_eq!(got.status, StatusCode::OK, "{name} {models}: {}", got.text);
            assert_eq!(got.json()["model"], serves, "{joined:?} {name} {models}");
            used += credits;
            assert_eq!(scene.used().await, used, "{name} {models}");
            assert_eq!(product.newest(&scene.customer).await["model"], serves);
        }
        // None of them can.
        for (name, models, status) in [
            ("hidden", json!(["nobody"]), 404),
            ("unpriced", json!(["hidden"]), 503),
            ("first", json!([]), 503),
        ] {
            let got = scene.ask(name, json!({"models": models})).await;
            assert_eq!(got.status.as_u16(), status, "{name} {models}: {}", got.text);
        }
        assert_eq!(scene.used().await, used);
        // The dearest is held, which the balance does not cover, whoever would serve.
        let got = scene
            .ask("second", json!({"models": ["dear"], "max_cost": 50}))
            .await;
        assert_eq!(got.status, StatusCode::PAYMENT_REQUIRED, "{}", got.text);
        product.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_policy_is_kept_by_who_is_never_called() {
    let scene = Scene::start(Joined::InProcess, &["may", "good", "unsaid"]).await;
    let product = &scene.product;
    model(product, "both", &["may", "unsaid", "good"]).await;
    model(product, "bad", &["may", "unsaid"]).await;
    scene
        .put(
            "/providers/may/data-terms",
            json!({"training": "may", "retention_days": 30, "region": "us"}),
        )
        .await;
    scene
        .put(
            "/providers/good/data-terms",
            json!({"training": "never", "retention_days": 0, "region": "eu"}),
        )
        .await;
    assert_eq!(scene.served("both", json!({})).await, Ok("may".to_owned()));
    let refused = Err((404, json!("data_policy_not_met")));
    // By the request alone.
    for (provider, expected) in [
        (json!({"data_collection": "deny"}), Ok("good".to_owned())),
        (json!({"zdr": true}), Ok("good".to_owned())),
        (json!({"regions": ["us"]}), Ok("may".to_owned())),
        (json!({"regions": ["us"], "zdr": true}), refused.clone()),
    ] {
        let got = scene.served("both", json!({"provider": provider})).await;
        assert_eq!(got, expected, "{provider}");
    }
    // By the tenant, whatever the request says.
    let tenant = format!("/tenants/{}/route", scene.customer.id);
    scene.put(&tenant, json!({"data_collection": "deny"})).await;
    let (before, calls) = (
        scene.used().await,
        (scene.calls("may"), scene.calls("unsaid")),
    );
    for more in [
        json!({}),
        json!({"provider": {"data_collection": "allow"}}),
        json!({"provider": {"order": ["may"], "only": ["may", "unsaid"]}}),
        json!({"stream": true}),
    ] {
        assert_eq!(scene.served("bad", more.clone()).await, refused, "{more}");
    }
    assert_eq!(scene.used().await, before, "nothing was charged");
    assert_eq!(
        (scene.calls("may"), scene.calls("unsaid")),
        calls,
        "nobody was called"
    );
    assert_eq!(scene.served("both", json!({})).await, Ok("good".to_owned()));
    let newest = product.newest(&scene.customer).await;
    assert_eq!(
        (&newest["data_policy"], &newest["region"]),
        (&json!("no_training"), &json!("eu"))
    );
    // Another model that satisfies it serves in its place.
    assert_eq!(
        scene.served("bad", json!({"models": ["both"]})).await,
        Ok("good".to_owned())
    );
    // The tenant's own word adds to the operator's, and takes nothing back.
    let own = json!({"regions": ["us"], "data_collection": "allow"});
    let key = json!({"name": "manager", "scopes": ["inference", "keys", "usage"]});
    let path = format!("/tenants/{}/keys", scene.customer.id);
    let (status, made) = product.admin(Method::POST, &path, Some(key)).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    let secret = made["secret"]
        .as_str()
        .or(made["key"].as_str())
        .expect("a secret")
        .to_owned();
    let (status, told) = product
        .send(Method::PUT, "/api/v1/route", Some(&secret), Some(own))
        .await;
    assert_eq!(status, StatusCode::OK, "{told}");
    assert_eq!(told["platform"]["data_collection"], "deny", "{told}");
    assert_eq!(scene.served("both", json!({})).await, refused);
    // A key adds to it and takes nothing back.
    let (_, told) = product
        .send(Method::PUT, "/api/v1/route", Some(&secret), Some(json!({})))
        .await;
    assert_eq!(told["own"]["regions"], json!(["us"]), "{told}");
    product.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_binds_a_key_no_request_widens() {
    let scene = Scene::start(Joined::InProcess, &["a", "b"]).await;
    let product = &scene.product;
    model(product, "m", &["a", "b"]).await;
    let manager = json!({"name": "manager", "scopes": ["inference", "keys", "usage"]});
    let path = format!("/tenants/{}/keys", scene.customer.id);
    let (_, made) = product.admin(Method::POST, &path, Some(manager)).await;
    let secret = made["secret"]
        .as_str()
        .or(made["key"].as_str())
        .expect("a secret")
        .to_owned();
    let (_, list) = product
        .send(Method::GET, "/api/v1/keys", Some(&secret), None)
        .await;
    let keys = list["data"].as_array().expect("keys");
    let plain = keys
        .iter()
        .find(|key| key["name"] != "manager")
        .expect("a key");
    let id = plain["id"].as_str().expect("an id");
    let path = format!("/api/v1/keys/{id}/route");
    let only = Some(json!({"only": ["b"]}));
    let (status, told) = product.send(Method::PUT, &path, Some(&secret), only).await;
    assert_eq!(status, StatusCode::OK, "{told}");
    for (provider, expected) in [
        (json!({}), Ok("b")),
        (json!({"only": ["a", "b"], "order": ["a"]}), Ok("b")),
        (
            json!({"only": ["a"]}),
            Err((404, json!("no_allowed_provider"))),
        ),
    ] {
        let got = scene.served("m", json!({"provider": provider})).await;
        assert_eq!(got, expected.map(str::to_owned), "{provider}");
    }
    assert_eq!(scene.calls("a"), 0);
    // It can't take it back itself: it manages no keys.
    let (status, _) = product
        .send(
            Method::PUT,
            &path,
            Some(&scene.customer.key),
            Some(json!({})),
        )
        .await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let (status, told) = product
        .send(Method::PUT, &path, Some(&secret), Some(json!({})))
        .await;
    assert_eq!(status, StatusCode::OK, "{told}");
    assert_eq!(scene.served("m", json!({})).await, Ok("a".to_owned()));
    product.stop().await;
}

/// The least of what any of the models writes is held for: it is also what the one that serves is told.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_names_no_maximum_is_told_that_of_the_model_that_writes_the_least() {
    let scene = Scene::start(Joined::InProcess, &["a", "b"]).await;
    for (id, provider, most) in [("big", "a", 64_000), ("tiny", "b", 1_024)] {
        let target = json!({"provider": provider, "model": id, "weight": 1, "priority": 0});
        let body = json!({"id": id, "operation": "chat", "targets": [target], "max_output_tokens": most,
            "price": {"output_per_million": 1}});
        let (status, made) = (scene.product)
            .admin(Method::POST, "/models", Some(body))
            .await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
    }
    let told = async |more: Value| {
        assert_eq!(scene.ask("big", more).await.status, StatusCode::OK);
        let (_, fake) = &scene.fakes[0];
        let body = fake.calls().pop().expect("a call").body;
        serde_json::from_str::<Value>(&body).expect("JSON")["max_tokens"].clone()
    };
    assert_eq!(told(json!({})).await, Value::Null);
    assert_eq!(told(json!({"models": ["tiny"]})).await, 1_024);
    let asks_more = json!({"models": ["tiny"], "max_tokens": 5_000});
    assert_eq!(told(asks_more).await, 1_024);
    let asks_less = json!({"models": ["tiny"], "max_tokens": 50});
    assert_eq!(told(asks_less).await, 50);
    scene.product.stop().await;
}

/// What is said of a key holds for keys that it makes.
#[tokio::test(flavor = "multi_thread")]
async fn a_route_of_a_key_holds_for_all_that_come_of_it() {
    let scene = Scene::start(Joined::InProcess, &["a", "b"]).await;
    priced(&scene.product, "m", 1, &[("a", 1), ("b", 1)]).await;
    let product = &scene.product;
    let path = format!("/tenants/{}/keys", scene.customer.id);
    let manages = json!({"name": "top", "scopes": ["inference", "keys"]});
    let people = format!("/tenants/{}/users", scene.customer.id);
    let ann = json!({"username": "ann", "password": "correct horse", "role": "owner"});
    let (status, made) = product.admin(Method::POST, &people, Some(ann)).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    let login =
        json!({"apiKey": scene.customer.key, "username": "ann", "password": "correct horse"});
    let (status, ann) = product
        .send(Method::POST, "/api/v1/auth/login", None, Some(login))
        .await;
    assert_eq!(status, StatusCode::OK, "{ann}");
    let (status, top) = product.admin(Method::POST, &path, Some(manages)).await;
    assert_eq!(status, StatusCode::CREATED, "{top}");
    let secret = |made: &Value| made["secret"].as_str().expect("a secret").to_owned();
    let route = format!(
        "/api/v1/keys/{}/route",
        top["key"]["id"].as_str().expect("an id")
    );
    let only = Some(json!({"only": ["b"]}));
    let put = product.send(Method::PUT, &route, ann["token"].as_str(), only);
    let (status, told) = put.await;
    assert_eq!(status, StatusCode::OK, "{told}");
    let own = secret(&top);
    let child = Some(json!({"name": "child"}));
    let made = product.send(Method::POST, "/api/v1/keys", Some(&own), child);
    let (status, made) = made.await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    for key in [own, secret(&made)] {
        let customer = Customer {
            id: scene.customer.id.clone(),
            key,
        };
        let got = ask(product, &customer, "m", ("hi", json!({}))).await;
        assert_eq!(got.status, StatusCode::OK);
    }
    assert_eq!((scene.calls("a"), scene.calls("b")), (0, 2));
    scene.product.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_goes_by_the_rules_that_a_call_would_go_by() {
    let scene = Scene::start(Joined::InProcess, &["may", "good", "ignored"]).await;
    let product = &scene.product;
    model(product, "m", &["may", "ignored", "good"]).await;
    let terms = json!({"training": "never", "retention_days": 0, "region": "eu"});
    scene.put("/providers/good/data-terms", terms.clone()).await;
    scene.put("/providers/ignored/data-terms", terms).await;
    scene
        .put("/models/m/route", json!({"ignore": ["ignored"]}))
        .await;
    let rule = json!({"data_collection": "deny"});
    let tenant = format!("/tenants/{}/route", scene.customer.id);
    scene.put(&tenant, rule).await;
    let check = async |asked: Value| {
        let checked = product.admin(Method::POST, "/models/m/route", Some(asked));
        let (status, told) = checked.await;
        assert_eq!(status, StatusCode::OK, "{told}");
        let targets = told["targets"].as_array().cloned().unwrap_or_default();
        let row = |one: &Value| json!([one["provider"], one["left_out"]]);
        let rows: Vec<Value> = targets.iter().map(row).collect();
        (Value::from(rows), told["too_dear"].clone())
    };
    // Nobody's call: the model's own rule alone.
    let nobody = json!([["may", null], ["good", null], ["ignored", "rule"]]);
    assert_eq!(check(json!({})).await, (nobody, json!(false)));
    // The tenant's, with any of its keys; and so its calls go.
    let its = json!([["good", null], ["may", "data_policy"], ["ignored", "rule"]]);
    let asked = json!({"tenant": scene.customer.id});
    assert_eq!(check(asked.clone()).await, (its, json!(false)));
    assert_eq!(scene.served("m", json!({})).await, Ok("good".to_owned()));
    // A price beyond what the tenant says is refused as the call is.
    let dear = json!({"data_collection": "deny", "max_price": {"request": 0.5}});
    scene.put(&tenant, dear).await;
    assert_eq!(check(asked).await.1, json!(true));
    let refused = scene
        .served("m", json!({}))
        .await
        .map_err(|(status, _)| status);
    assert_eq!(refused, Err(404));
    let mut console = Console::open(product).await;
    let page = console
        .get(&format!(
            "/admin/models/m/route?tenant={}",
            scene.customer.id
        ))
        .await;
    assert!(page.contains("data policy not met"), "{page}");
    assert!(page.contains("is above the limit"), "{page}");
    scene.product.stop().await;
}
