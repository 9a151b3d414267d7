//! Who may read what is kept, and how much there may be.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{ask, get, id, keep, keeper, respond};
use crate::support::joined::{Joined, start, start_set};
use crate::support::places;

#[tokio::test(flavor = "multi_thread")]
async fn another_tenant_finds_nothing_by_any_path() {
    for place in places().await {
        let product = start(&place, Joined::InProcess).await;
        let customer = keeper(&product).await;
        let other = keeper(&product).await;
        let body = json!({"items": [{"role": "user", "content": "secret heron"}]});
        let (_, conversation) = ask(
            &product,
            &customer,
            (Method::POST, "/conversations"),
            Some(body),
        )
        .await;
        let conversation = id(&conversation).to_owned();
        let items = format!("/conversations/{conversation}/items");
        let (_, page) = get(&product, &customer, &items).await;
        let item = format!("{items}/{}", id(&page["data"][0]));
        let response = respond(&product, &customer, json!({"input": "x"})).await;
        let body = json!({"model": "keeper", "store": true, "messages": [{"role": "user", "content": "x"}]});
        let (_, completion) = ask(
            &product,
            &customer,
            (Method::POST, "/chat/completions"),
            Some(body),
        )
        .await;
        let (response, completion) = (id(&response), id(&completion));
        for (method, path, body) in [
            (Method::GET, format!("/responses/{response}"), None),
            (Method::DELETE, format!("/responses/{response}"), None),
            (Method::POST, format!("/responses/{response}/cancel"), None),
            (
                Method::GET,
                format!("/responses/{response}/input_items"),
                None,
            ),
            (Method::GET, format!("/conversations/{conversation}"), None),
            (
                Method::POST,
                format!("/conversations/{conversation}"),
                Some(json!({"metadata": {}})),
            ),
            (Method::GET, items.clone(), None),
            (
                Method::POST,
                items.clone(),
                Some(json!({"items": [{"role": "user", "content": "x"}]})),
            ),
            (Method::GET, item.clone(), None),
            (Method::DELETE, item.clone(), None),
            (
                Method::DELETE,
                format!("/conversations/{conversation}"),
                None,
            ),
            (Method::GET, format!("/chat/completions/{completion}"), None),
            (
                Method::POST,
                format!("/chat/completions/{completion}"),
                Some(json!({"metadata": {}})),
            ),
            (
                Method::GET,
                format!("/chat/completions/{completion}/messages"),
                None,
            ),
            (
                Method::DELETE,
                format!("/chat/completions/{completion}"),
                None,
            ),
        ] {
            let asked = (method.clone(), path.as_str());
            let (status, told) = ask(&product, &other, asked, body).await;
            assert_eq!(status, StatusCode::NOT_FOUND, "{method} {path}: {told}");
        }
        for (fields, status) in [
            (
                json!({"previous_response_id": response}),
                StatusCode::BAD_REQUEST,
            ),
            (json!({"conversation": conversation}), StatusCode::NOT_FOUND),
        ] {
            let mut body = fields;
            body["model"] = json!("keeper");
            body["input"] = json!("x");
            let asked = (Method::POST, "/responses");
            let (found, told) = ask(&product, &other, asked, Some(body)).await;
            assert_eq!(found, status, "{told}");
        }
        let (_, list) = get(&product, &other, "/chat/completions").await;
        assert_eq!(list["data"], json!([]));
        for path in [
            format!("/responses/{response}"),
            item,
            format!("/chat/completions/{completion}"),
        ] {
            let (status, told) = get(&product, &customer, &path).await;
            assert_eq!(status, StatusCode::OK, "it is there still: {told}");
        }
        product.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_keeps_nothing_is_answered_as_before() {
    let [place, _] = places().await;
    let product = start(&place, Joined::InProcess).await;
    let customer = keeper(&product).await;
    let kept = respond(&product, &customer, json!({"input": "x"})).await;
    keep(&product, &customer, None).await;
    for store in [json!(null), json!(true), json!(false)] {
        let answer = respond(&product, &customer, json!({"input": "x", "store": store})).await;
        assert_eq!(answer["store"], false, "{answer}");
        let (status, _) = get(&product, &customer, &format!("/responses/{}", id(&answer))).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
    }
    let chat =
        json!({"model": "keeper", "store": true, "messages": [{"role": "user", "content": "x"}]});
    let asked = (Method::POST, "/chat/completions");
    let (status, _) = ask(&product, &customer, asked, Some(chat)).await;
    assert_eq!(status, StatusCode::OK);
    let (_, list) = get(&product, &customer, "/chat/completions").await;
    assert_eq!(list["data"], json!([]));
    for (name, value) in [
        ("previous_response_id", json!(id(&kept))),
        ("conversation", json!("conv_1")),
        ("background", json!(true)),
    ] {
        let mut body = json!({"model": "keeper", "input": "x"});
        body[name] = value;
        let asked = (Method::POST, "/responses");
        let (status, told) = ask(&product, &customer, asked, Some(body)).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{told}");
        assert_eq!(told["error"]["param"], name);
        let message = told["error"]["message"].as_str().expect("a message");
        assert!(
            message.contains("nothing is kept for your tenant"),
            "{message}"
        );
    }
    let asked = (Method::POST, "/conversations");
    let (status, told) = ask(&product, &customer, asked, Some(json!({}))).await;
    assert_eq!(
        (status, &told["error"]["code"]),
        (StatusCode::FORBIDDEN, &json!("nothing_is_kept"))
    );
    // What was kept before stays its time, and can be deleted.
    let path = format!("/responses/{}", id(&kept));
    assert_eq!(get(&product, &customer, &path).await.0, StatusCode::OK);
    let (status, _) = ask(&product, &customer, (Method::DELETE, &path), None).await;
    assert_eq!(status, StatusCode::OK);
    product.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_or_too_much_is_answered_and_not_kept() {
    let [place, _] = places().await;
    let bounds = [
        "--kept-bytes-max",
        "4096",
        "--kept-tenant-bytes-max",
        "16000",
    ];
    let product = start_set(&place, Joined::InProcess, &bounds).await;
    let customer = keeper(&product).await;
    let long = "x".repeat(5_000);
    let send = async |path: &str, body: Value| {
        let url = product.url(&format!("/api/v1{path}"));
        let request = product
            .http
            .post(url)
            .bearer_auth(&customer.key)
            .json(&body);
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK);
        let why = answer.headers().get("x-waule-not-kept").cloned();
        let why = why.map(|why| why.to_str().expect("a word").to_owned());
        (why, answer.text().await.expect("text"))
    };
    let body = json!({"model": "keeper", "input": long});
    let (why, text) = send("/responses", body.clone()).await;
    assert_eq!(why.as_deref(), Some("too_large"));
    assert!(text.contains("\"store\":false"), "{text}");
    let mut streamed = body;
    streamed["stream"] = json!(true);
    let (_, text) = send("/responses", streamed).await;
    let answer = super::last_response(&text);
    assert_eq!(answer["store"], false, "{text}");
    assert_eq!(
        get(&product, &customer, &format!("/responses/{}", id(&answer)))
            .await
            .0,
        StatusCode::NOT_FOUND
    );
    let chat =
        json!({"model": "keeper", "store": true, "messages": [{"role": "user", "content": long}]});
    assert_eq!(
        send("/chat/completions", chat).await.0.as_deref(),
        Some("too_large")
    );
    for (name, value) in [
        ("background", json!(true)),
        ("previous_response_id", json!("resp_1")),
        ("conversation", json!("conv_1")),
    ] {
        let mut body = json!({"model": "keeper", "input": long});
        body[name] = value;
        let asked = (Method::POST, "/responses");
        let (status, told) = ask(&product, &customer, asked, Some(body)).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{name}: {told}");
        assert_eq!(told["error"]["param"], "input", "{name}: {told}");
    }
    let mut kept = 0;
    loop {
        let (why, _) = send("/responses", json!({"model": "keeper", "input": "small"})).await;
        if let Some(why) = why {
            assert_eq!(why, "full");
            break;
        }
        kept += 1;
        assert!(kept < 20, "16,000 bytes are full at last");
    }
    assert!(kept >= 2, "{kept}");
    product.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_callers_make_up_harm_nothing() {
    for place in places().await {
        let product = start(&place, Joined::InProcess).await;
        let customer = keeper(&product).await;
        let asked = (Method::POST, "/conversations");
        let (_, made) = ask(&product, &customer, asked, Some(json!({}))).await;
        let items = format!("/conversations/{}/items", id(&made));
        let long = "x".repeat(3_000);
        let input: Vec<Value> = ["a\0", &long, "msg_same", "msg_same"]
            .into_iter()
            .map(|id| json!({"type": "message", "role": "user", "id": id, "content": "x"}))
            .collect();
        let fields = json!({"input": input, "conversation": id(&made)});
        let answer = respond(&product, &customer, fields).await;
        assert_eq!(answer["store"], true, "{}: {answer}", place.name);
        let used = product.settled(&customer).await["used"].clone();
        assert_eq!(used, answer["usage"]["total_tokens"], "it is paid");
        let (_, page) = get(&product, &customer, &items).await;
        let kept = page["data"].as_array().map(Vec::len);
        assert_eq!(kept, Some(5), "{page}");
        for (path, status) in [
            (format!("{items}/%00"), StatusCode::BAD_REQUEST),
            (format!("{items}/a%00"), StatusCode::BAD_REQUEST),
            (format!("{items}/msg_nobody"), StatusCode::NOT_FOUND),
            (format!("{items}?after=%00"), StatusCode::BAD_REQUEST),
        ] {
            let (found, told) = get(&product, &customer, &path).await;
            assert_eq!(found, status, "{}: {path}: {told}", place.name);
        }
        let odd = json!({"model": "\0", "input": "x", "background": true});
        let asked = (Method::POST, "/responses");
        let (status, told) = ask(&product, &customer, asked, Some(odd)).await;
        assert!(status.is_client_error(), "{}: {told}", place.name);
        product.stop().await;
    }
}
