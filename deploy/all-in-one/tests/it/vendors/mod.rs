//! Clients of Anthropic's and Google's APIs at the edge: their addresses, their keys, their shapes of refusals
//! and lists. The formats themselves are toys over OpenAI's; what is around them is not.

mod scene;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use self::scene::Scene;
use crate::faults::fake::GOOD;

fn message(model: &str) -> Value {
    json!({"model": model, "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]})
}

#[tokio::test(flavor = "multi_thread")]
async fn anthropics_clients_call_at_their_addresses_with_their_key_and_are_refused_in_their_shape()
{
    let scene = Scene::start().await;
    let key = scene.customer.key.as_str();
    let own = [("x-api-key", key), ("anthropic-version", "2023-06-01")];
    for path in ["/v1/messages", "/api/v1/messages", "/messages?beta=true"] {
        let got = scene
            .send((Method::POST, path), &own, Some(&message("m")))
            .await;
        assert_eq!(got.status, StatusCode::OK, "{path}: {}", got.text);
        assert_eq!(got.text, GOOD);
        assert_eq!(got.header("request-id"), got.header("x-request-id"));
        assert!(got.header("request-id").starts_with("req_"));
    }
    assert_eq!(scene.used().await, 3);
    // The key of Anthropic's header goes before another.
    let both = [("x-api-key", key), ("authorization", "Bearer eyJ.a.b")];
    let got = scene
        .send((Method::POST, "/v1/messages"), &both, Some(&message("m")))
        .await;
    assert_eq!(got.status, StatusCode::OK, "{}", got.text);

    let long = json!({"model": "m", "max_tokens": 9, "messages": "x".repeat(4_000)});
    let no_maximum = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]});
    let path = "/v1/messages";
    for (method, headers, body, status, why) in [
        (Method::POST, &[][..], message("m"), 401, "invalid_api_key"),
        (Method::POST, &own, message("none"), 404, "model_not_found"),
        (Method::POST, &own, long, 413, "request_too_large"),
        (Method::POST, &own, no_maximum, 400, "invalid_value"),
        (Method::GET, &own, message("m"), 405, "method_not_allowed"),
    ] {
        let got = scene.send((method, path), headers, Some(&body)).await;
        let told = got.json();
        assert_eq!(got.status.as_u16(), status, "{told}");
        assert_eq!(
            (&told["of"], &told["why"]),
            (&json!("Anthropic"), &json!(why))
        );
        assert!(!got.header("request-id").is_empty());
    }
    let limits = json!({"limits": {"requests_per_minute": 1}});
    let tenant = format!("/tenants/{}", scene.customer.id);
    let (status, _) = scene
        .product
        .admin(Method::PATCH, &tenant, Some(limits))
        .await;
    assert_eq!(status, StatusCode::OK);
    let mut last = StatusCode::OK;
    for path in [
        "/v1/messages",
        "/v1/messages/count_tokens",
        "/v1/messages/count_tokens",
    ] {
        let got = scene
            .send((Method::POST, path), &own, Some(&message("m")))
            .await;
        last = got.status;
        if last == StatusCode::TOO_MANY_REQUESTS {
            assert_eq!(got.json()["of"], "Anthropic");
            assert!(!got.header("retry-after").is_empty());
        }
    }
    assert_eq!(
        last,
        StatusCode::TOO_MANY_REQUESTS,
        "counting is a request too"
    );
    scene.product.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn googles_clients_name_the_model_in_the_path_and_the_key_in_the_query() {
    let scene = Scene::start().await;
    let key = scene.customer.key.as_str();
    let (say, stream) = (
        json!({"messages": [{"role": "user", "content": "hi"}]}),
        json!({"messages": [{"role": "user", "content": "hi in pieces"}]}),
    );
    let in_query = |path: &str| format!("{path}?key={key}");
    for path in [
        "/v1beta/models/m:sayContent",
        "/api/v1beta/models/m:sayContent",
        "/v1/models/m:sayContent",
        "/api/v1/models/M:sayContent/",
        "/v1beta/models/org/m:free:sayContent",
        "/v1beta/models/org%2Fm%3Afree:sayContent",
    ] {
        let google = [("x-goog-api-key", key)];
        let got = scene.send((Method::POST, path), &google, Some(&say)).await;
        assert_eq!(
            (got.status, got.text.as_str()),
            (StatusCode::OK, GOOD),
            "{path}"
        );
        assert!(got.headers.get("request-id").is_none());
        let got = scene
            .send((Method::POST, &in_query(path)), &[], Some(&say))
            .await;
        assert_eq!(got.status, StatusCode::OK, "{path}: {}", got.text);
    }
    assert_eq!(scene.used().await, 12);
    let sent = scene.fake.calls();
    assert!(
        sent.iter().all(|seen| seen.says("\"theirs\"")),
        "the model goes into the body"
    );
    assert!(
        sent.iter().all(|seen| !seen.head.contains(key)),
        "the key goes nowhere"
    );

    let path = in_query("/v1beta/models/m:streamSayContent") + "&alt=sse";
    let got = scene.send((Method::POST, &path), &[], Some(&stream)).await;
    assert!(got.header("content-type").starts_with("text/event-stream"));
    assert!(
        got.text.contains("well") && got.text.ends_with("data: [DONE]\n\n"),
        "{}",
        got.text
    );

    let stranger = "/v1beta/models/m:sayContent?key=wk_live_00000000000000000000000000000000";
    let unknown = in_query("/v1beta/models/none:sayContent");
    let listed = in_query("/v1beta/models/none");
    let called = in_query("/v1beta/models/m:sayContent");
    for (method, path, status, why) in [
        (Method::POST, stranger, 401, "invalid_api_key"),
        (
            Method::POST,
            "/v1beta/models/m:countTokens",
            401,
            "invalid_api_key",
        ),
        (Method::POST, &unknown, 404, "model_not_found"),
        (Method::GET, &called, 405, "method_not_allowed"),
        (Method::GET, &listed, 404, "model_not_found"),
        (Method::GET, "/v1beta/models", 401, "invalid_api_key"),
        (
            Method::POST,
            &in_query("/v1beta/models/m:nothing"),
            405,
            "method_not_allowed",
        ),
        (
            Method::POST,
            &in_query("/api/v1/say-content"),
            404,
            "not_found",
        ),
    ] {
        let got = scene.send((method, path), &[], Some(&say)).await;
        let told = got.json();
        assert_eq!(got.status.as_u16(), status, "{path}: {told}");
        assert_eq!(
            (&told["of"], &told["why"]),
            (&json!("Gemini"), &json!(why)),
            "{path}"
        );
    }
    // Browsers of known places, and whoever asks which methods there are.
    let asked = [
        ("origin", "https://app.example"),
        ("access-control-request-method", "POST"),
    ];
    for path in [
        "/v1beta/models/m:sayContent",
        "/v1beta/models/m:countTokens",
        "/v1/messages",
    ] {
        let got = scene.send((Method::OPTIONS, path), &asked, None).await;
        assert_eq!(got.header("allow"), "POST, OPTIONS", "{path}");
        assert_eq!(
            got.header("access-control-allow-origin"),
            "https://app.example"
        );
    }
    scene.product.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn azures_clients_name_the_model_as_a_deployment() {
    let scene = Scene::start().await;
    let own = [("api-key", scene.customer.key.as_str())];
    let without = json!({"messages": [{"role": "user", "content": "hi"}]});
    for (path, body) in [
        ("/openai/deployments/m/chat/completions", &without),
        ("/api/openai/deployments/m/chat/completions", &without),
        (
            "/openai/deployments/org%2Fm:free/chat/completions",
            &message("none"),
        ),
        ("/openai/v1/chat/completions", &message("m")),
        ("/api/openai/v1/chat/completions", &message("m")),
    ] {
        let path = format!("{path}?api-version=2024-10-21");
        let got = scene.send((Method::POST, &path), &own, Some(body)).await;
        assert_eq!(
            (got.status, got.text.as_str()),
            (StatusCode::OK, GOOD),
            "{path}"
        );
    }
    assert!(
        scene
            .fake
            .calls()
            .iter()
            .all(|seen| seen.says("\"theirs\""))
    );
    let path = "/openai/deployments/none/chat/completions?api-version=2024-10-21";
    let got = scene
        .send((Method::POST, path), &own, Some(&message("m")))
        .await;
    assert_eq!(
        got.status,
        StatusCode::NOT_FOUND,
        "the path's model is the one that is meant"
    );
    assert_eq!(got.json()["error"]["code"], "model_not_found");
    scene.product.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn counting_costs_nothing_calls_nobody_and_needs_no_maximum() {
    let scene = Scene::start().await;
    let own = [("x-api-key", scene.customer.key.as_str())];
    let text = "word ".repeat(100);
    let body = json!({"model": "m", "messages": [{"role": "user", "content": text}]});
    for (path, field) in [
        ("/v1/messages/count_tokens", "input_tokens"),
        ("/api/v1/messages/count_tokens", "input_tokens"),
        ("/v1beta/models/m:countTokens", "totalTokens"),
        ("/v1/models/m:countTokens", "totalTokens"),
    ] {
        let got = scene.send((Method::POST, path), &own, Some(&body)).await;
        assert_eq!(got.status, StatusCode::OK, "{path}: {}", got.text);
        let told = got.json();
        let tokens = told[field].as_u64().expect("a number");
        assert!((100..150).contains(&tokens), "{path}: {told}");
        assert_eq!(told.as_object().map(serde_json::Map::len), Some(1));
    }
    for (path, body, status) in [
        ("/v1/messages/count_tokens", json!({"model": "m"}), 400),
        ("/v1/messages/count_tokens", message("none"), 404),
        ("/v1beta/models/none:countTokens", body.clone(), 404),
    ] {
        let got = scene.send((Method::POST, path), &own, Some(&body)).await;
        assert_eq!(got.status.as_u16(), status, "{path}: {}", got.text);
        assert!(got.json()["of"].is_string());
    }
    let balance = scene.product.balance(&scene.customer).await;
    assert_eq!(balance, json!({"available": 100, "held": 0, "used": 0}));
    assert!(scene.fake.calls().is_empty());
    scene.product.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn models_are_listed_in_the_shape_of_each_family() {
    let scene = Scene::start().await;
    let key = scene.customer.key.as_str();
    let bearer = format!("Bearer {key}");
    let tenant = format!("/tenants/{}", scene.customer.id);
    let dear = json!({"price_multiplier_ppm": 1_500_000});
    let (status, _) = scene
        .product
        .admin(Method::PATCH, &tenant, Some(dear))
        .await;
    assert_eq!(status, StatusCode::OK);

    let open_ai = [("authorization", bearer.as_str())];
    let got = scene
        .send((Method::GET, "/v1/models/m"), &open_ai, None)
        .await
        .json();
    assert_eq!(
        (&got["object"], &got["operation"]),
        (&json!("model"), &json!("chat"))
    );
    assert_eq!(got["max_output_tokens"], 1_000);
    assert_eq!(got["endpoints"][0], "/api/v1/chat/completions");
    let rate = &got["price"]["rates"][0];
    assert_eq!(
        (&rate["unit"], &rate["credits"]),
        (&json!("request"), &json!(1.5))
    );
    assert!(!got.to_string().contains("cost"), "{got}");

    for headers in [
        vec![("x-api-key", key)],
        vec![
            ("authorization", bearer.as_str()),
            ("anthropic-version", "2023-06-01"),
        ],
    ] {
        let got = scene
            .send((Method::GET, "/v1/models?limit=1000"), &headers, None)
            .await;
        assert_eq!(got.header("request-id"), got.header("x-request-id"));
        let list = got.json();
        let models = list["data"].as_array().expect("models");
        assert_eq!(list["has_more"], false);
        assert_eq!(list["first_id"], models[0]["id"]);
        assert_eq!(list["last_id"], models[models.len() - 1]["id"]);
        let one = scene
            .send((Method::GET, "/v1/models/org/m:free"), &headers, None)
            .await
            .json();
        assert!(models.contains(&one), "{one}");
        assert_eq!(
            (&one["type"], &one["display_name"]),
            (&json!("model"), &json!("org/m:free"))
        );
        assert!(
            one["created_at"]
                .as_str()
                .is_some_and(|at| at.ends_with('Z'))
        );
        assert!(
            models
                .iter()
                .all(|model| model["id"] != "sandbox-embedding")
        );
        let none = scene
            .send((Method::GET, "/v1/models/none"), &headers, None)
            .await;
        assert_eq!(
            (none.status, &none.json()["of"]),
            (StatusCode::NOT_FOUND, &json!("Anthropic"))
        );
    }
    for path in [
        "/v1beta/models",
        "/api/v1beta/models?pageSize=50",
        "/v1/models",
    ] {
        let google = [("x-goog-api-key", key)];
        let list = scene.send((Method::GET, path), &google, None).await.json();
        let models = list["models"].as_array().expect("models");
        let m = models.iter().find(|model| model["name"] == "models/m");
        let m = m.unwrap_or_else(|| panic!("{path}: {list}"));
        assert_eq!(
            (&m["displayName"], &m["outputTokenLimit"]),
            (&json!("m"), &json!(1_000))
        );
        assert!(m["supportedGenerationMethods"].is_array());
        let one = format!("{}/m", path.split('?').next().expect("a path"));
        assert_eq!(
            &scene.send((Method::GET, &one), &google, None).await.json(),
            m
        );
    }
    scene.product.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn estimates_know_models_of_paths_and_the_document_shows_paths_as_clients_write_them() {
    let scene = Scene::start().await;
    let own = [("x-goog-api-key", scene.customer.key.as_str())];
    let body = json!({"messages": [{"role": "user", "content": "hi"}]});
    for (path, body) in [
        ("/v1/estimate?surface=/say-content&model=m", &body),
        ("/v1/estimate?surface=/messages", &message("m")),
        ("/v1/estimate?model=m", &body),
    ] {
        let got = scene.send((Method::POST, path), &own, Some(body)).await;
        let told = got.json();
        assert_eq!(
            (got.status, &told["highest"]),
            (StatusCode::OK, &json!(1)),
            "{told}"
        );
    }
    let path = "/v1/estimate?surface=/say-content";
    let got = scene.send((Method::POST, path), &own, Some(&body)).await;
    assert_eq!(got.status, StatusCode::BAD_REQUEST);
    assert_eq!(got.json()["error"]["param"], "model", "in OpenAI's shape");
    assert!(scene.fake.calls().is_empty());

    let document = scene
        .send((Method::GET, "/api/openapi.json"), &[], None)
        .await
        .json();
    let paths = document["paths"].as_object().expect("paths");
    let mut ids = Vec::new();
    for path in [
        "/api/v1/chat/completions",
        "/api/v1/messages",
        "/api/v1/messages/count_tokens",
        "/api/v1beta/models/{model}:sayContent",
        "/api/v1beta/models/{model}:streamSayContent",
        "/api/v1beta/models/{model}:countTokens",
        "/api/v1/estimate",
    ] {
        let route = &paths[path]["post"];
        ids.push(route["operationId"].as_str().expect(path).to_owned());
    }
    assert_eq!(
        ids,
        [
            "create_chat",
            "create_messages",
            "count_messages",
            "create_say_content",
            "create_stream_say_content",
            "count_say_content",
            "estimate_call"
        ]
    );
    assert!(!paths.contains_key("/api/v1/say-content"));
    scene.product.stop().await;
}
