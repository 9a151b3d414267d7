//! What is kept for tenants who want it: responses, conversations, chat completions, and responses in the
//! background; who may read it, how much there may be, and when it goes.

mod background;
mod references;
mod streams;
mod walls;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::joined::{Joined, start};
use crate::support::places;
use crate::support::product::{Customer, Product};

/// Turns keeping on.
async fn keep(product: &Product, customer: &Customer, days: Option<u32>) {
    let path = format!("/tenants/{}/keeping", customer.id);
    let body = Some(json!({"days": days}));
    let (status, told) = product.admin(Method::PUT, &path, body).await;
    assert_eq!(status, StatusCode::OK, "{told}");
    let (_, told) = product.admin(Method::GET, &path, None).await;
    assert_eq!(told["days"], json!(days));
    // A replica hears of it within a second.
    tokio::time::sleep(std::time::Duration::from_millis(1_200)).await;
}

/// A model at a price, and a customer whose answers are kept.
async fn keeper(product: &Product) -> Customer {
    let price = json!({"input_per_million": 1_000_000, "output_per_million": 1_000_000});
    product.model("keeper", "chat", price).await;
    let customer = product.customer("100000").await;
    keep(product, &customer, Some(30)).await;
    customer
}

async fn ask(
    product: &Product,
    customer: &Customer,
    (method, path): (Method, &str),
    body: Option<Value>,
) -> (StatusCode, Value) {
    let path = format!("/api/v1{path}");
    product.send(method, &path, Some(&customer.key), body).await
}

async fn get(product: &Product, customer: &Customer, path: &str) -> (StatusCode, Value) {
    ask(product, customer, (Method::GET, path), None).await
}

/// An answer that must come.
async fn respond(product: &Product, customer: &Customer, fields: Value) -> Value {
    let Value::Object(mut body) = fields else {
        panic!("no fields: {fields}");
    };
    body.insert("model".to_owned(), json!("keeper"));
    let body = Value::Object(body);
    let (status, told) = ask(product, customer, (Method::POST, "/responses"), Some(body)).await;
    assert_eq!(status, StatusCode::OK, "{told}");
    told
}

fn id(value: &Value) -> &str {
    value["id"].as_str().expect("an id")
}

fn tokens(answer: &Value) -> u64 {
    answer["usage"]["input_tokens"].as_u64().expect("tokens")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_is_kept_continued_listed_and_deleted() {
    for place in places().await {
        let product = start(&place, Joined::InProcess).await;
        let customer = keeper(&product).await;
        let fields = json!({"input": "first", "metadata": {"a": "b"}, "instructions": "be kind"});
        let first = respond(&product, &customer, fields).await;
        assert!(id(&first).starts_with("resp_"), "{first}");
        assert_eq!(
            (&first["store"], &first["metadata"]["a"]),
            (&json!(true), &json!("b"))
        );
        assert_eq!(first["instructions"], "be kind");
        let (status, kept) = get(&product, &customer, &format!("/responses/{}", id(&first))).await;
        assert_eq!((status, &kept), (StatusCode::OK, &first), "as it was told");

        // Three behind one another: each reads all before.
        let fields = json!({"input": "second", "previous_response_id": id(&first)});
        let second = respond(&product, &customer, fields).await;
        assert_eq!(second["previous_response_id"], id(&first));
        let input = json!([{"role": "user", "content": "third"}]);
        let fields = json!({"input": input, "previous_response_id": id(&second), "stream": true});
        let mut body = fields.clone();
        body["model"] = json!("keeper");
        let (status, text) = ask(
            &product,
            &customer,
            (Method::POST, "/responses"),
            Some(body),
        )
        .await;
        assert_eq!(status, StatusCode::OK, "{text}");
        let third = last_response(text.as_str().expect("events"));
        assert!(tokens(&first) < tokens(&second) && tokens(&second) < tokens(&third));
        let path = format!("/responses/{}", id(&third));
        let (status, kept) = get(&product, &customer, &path).await;
        assert_eq!(
            (status, &kept),
            (StatusCode::OK, &third),
            "the stream's own"
        );
        let events = text.as_str().expect("events");
        assert_eq!(
            events.matches(id(&third)).count(),
            3,
            "one id in all events: {events}"
        );

        // Again as a stream.
        let (status, again) = get(&product, &customer, &format!("{path}?stream=true")).await;
        assert_eq!(status, StatusCode::OK, "{again}");
        assert_eq!(last_response(again.as_str().expect("events")), third);

        // What it refers to is counted, too.
        let mut body = json!({"model": "keeper", "input": "x"});
        let mut counts = Vec::new();
        for previous in [None, Some(id(&third))] {
            body["previous_response_id"] = json!(previous);
            let asked = (Method::POST, "/responses/input_tokens");
            let (status, told) = ask(&product, &customer, asked, Some(body.clone())).await;
            assert_eq!(status, StatusCode::OK, "{told}");
            counts.push(told["input_tokens"].as_u64().expect("tokens"));
        }
        assert!(counts[0] < counts[1], "{counts:?}");

        // Its own input, in pages.
        let input = json!([{"role": "user", "content": "a"}, {"role": "user", "content": "b"},
            {"role": "user", "content": "c"}]);
        let many = respond(&product, &customer, json!({"input": input})).await;
        let path = format!("/responses/{}/input_items", id(&many));
        let (_, page) = get(&product, &customer, &format!("{path}?limit=2&order=asc")).await;
        assert_eq!(page["data"][0]["content"][0]["text"], "a", "{page}");
        assert_eq!(
            (page["data"].as_array().map(Vec::len), &page["has_more"]),
            (Some(2), &json!(true))
        );
        let after = page["last_id"].as_str().expect("an id");
        let (_, page) = get(
            &product,
            &customer,
            &format!("{path}?order=asc&after={after}"),
        )
        .await;
        assert_eq!(page["data"][0]["content"][0]["text"], "c", "{page}");
        let (_, page) = get(&product, &customer, &path).await;
        assert_eq!(
            page["data"][0]["content"][0]["text"], "c",
            "the newest first"
        );
        let (status, _) = get(&product, &customer, &format!("{path}?after=msg_x")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);

        // What is deleted is gone, and nothing goes on from it.
        let path = format!("/responses/{}", id(&first));
        let (status, gone) = ask(&product, &customer, (Method::DELETE, &path), None).await;
        assert_eq!((status, &gone["deleted"]), (StatusCode::OK, &json!(true)));
        let (status, told) = get(&product, &customer, &path).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert_eq!(told["error"]["type"], "invalid_request_error", "{told}");
        let body = json!({"model": "keeper", "input": "x", "previous_response_id": id(&second)});
        let before = product.settled(&customer).await["used"].clone();
        let (status, told) = ask(
            &product,
            &customer,
            (Method::POST, "/responses"),
            Some(body),
        )
        .await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert_eq!(
            told["error"]["code"], "previous_response_not_found",
            "{told}"
        );
        assert_eq!(
            product.settled(&customer).await["used"],
            before,
            "nothing is charged"
        );

        // Who says no is not kept.
        let unkept = respond(&product, &customer, json!({"input": "x", "store": false})).await;
        let (status, _) = get(&product, &customer, &format!("/responses/{}", id(&unkept))).await;
        assert_eq!(
            (status, &unkept["store"]),
            (StatusCode::NOT_FOUND, &json!(false))
        );
        product.stop().await;
    }
}

/// The response that the last event tells.
fn last_response(events: &str) -> Value {
    let data = events
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix("data: "));
    let event: Value = serde_json::from_str(data.expect("an event")).expect("JSON");
    assert_eq!(event["type"], "response.completed", "{events}");
    event["response"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_is_read_and_added_to() {
    for place in places().await {
        let product = start(&place, Joined::InProcess).await;
        let customer = keeper(&product).await;
        let items = json!([{"type": "message", "role": "user", "content": "The word is heron."}]);
        let body = json!({"metadata": {"topic": "birds"}, "items": items});
        let (status, made) = ask(
            &product,
            &customer,
            (Method::POST, "/conversations"),
            Some(body),
        )
        .await;
        assert_eq!(status, StatusCode::OK, "{made}");
        assert_eq!(
            (&made["object"], &made["metadata"]["topic"]),
            (&json!("conversation"), &json!("birds"))
        );
        let path = format!("/conversations/{}", id(&made));

        let alone = respond(&product, &customer, json!({"input": "Which?"})).await;
        let first = respond(
            &product,
            &customer,
            json!({"input": "Which?", "conversation": id(&made)}),
        )
        .await;
        assert!(tokens(&alone) < tokens(&first), "its items are read");
        assert_eq!(first["conversation"]["id"], id(&made));
        let named = json!({"input": "And now?", "conversation": {"id": id(&made)}, "stream": true, "model": "keeper"});
        let (_, events) = ask(
            &product,
            &customer,
            (Method::POST, "/responses"),
            Some(named),
        )
        .await;
        let second = last_response(events.as_str().expect("events"));
        assert!(tokens(&first) < tokens(&second), "and what was added");

        let (_, page) = get(&product, &customer, &format!("{path}/items?order=asc")).await;
        let data = page["data"].as_array().expect("items");
        let roles: Vec<&str> = data
            .iter()
            .filter_map(|item| item["role"].as_str())
            .collect();
        assert_eq!(
            roles,
            ["user", "user", "assistant", "user", "assistant"],
            "{page}"
        );
        let (_, newest) = get(&product, &customer, &format!("{path}/items?limit=1")).await;
        assert_eq!(newest["data"][0], data[4], "the newest first");
        assert_eq!(newest["has_more"], true);

        let more = json!({"items": [{"role": "user", "content": "one"}, {"role": "user", "content": "two"}]});
        let (status, added) = ask(
            &product,
            &customer,
            (Method::POST, &format!("{path}/items")),
            Some(more),
        )
        .await;
        assert_eq!(status, StatusCode::OK, "{added}");
        let item = format!("{path}/items/{}", id(&added["data"][0]));
        let (_, one) = get(&product, &customer, &item).await;
        assert_eq!(one["content"][0]["text"], "one");
        let (status, told) = ask(&product, &customer, (Method::DELETE, &item), None).await;
        assert_eq!(
            (status, &told["object"]),
            (StatusCode::OK, &json!("conversation"))
        );
        assert_eq!(
            get(&product, &customer, &item).await.0,
            StatusCode::NOT_FOUND
        );

        let words = json!({"metadata": {"topic": "herons"}});
        ask(&product, &customer, (Method::POST, &path), Some(words)).await;
        let (_, told) = get(&product, &customer, &path).await;
        assert_eq!(told["metadata"], json!({"topic": "herons"}));
        let (_, gone) = ask(&product, &customer, (Method::DELETE, &path), None).await;
        assert_eq!(gone["deleted"], true);
        assert_eq!(
            get(&product, &customer, &path).await.0,
            StatusCode::NOT_FOUND
        );
        let body = json!({"model": "keeper", "input": "x", "conversation": id(&made)});
        let (status, told) = ask(
            &product,
            &customer,
            (Method::POST, "/responses"),
            Some(body),
        )
        .await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{told}");
        product.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_completion_is_kept_listed_changed_and_deleted() {
    for place in places().await {
        let product = start(&place, Joined::InProcess).await;
        let customer = keeper(&product).await;
        let mut made = Vec::new();
        for (n, stream) in [(1, false), (2, true), (3, false)] {
            let words =
                json!({"number": n.to_string(), "kind": if stream { "stream" } else { "whole" }});
            let body = json!({"model": "keeper", "store": true, "metadata": words, "stream": stream,
                "messages": [{"role": "user", "content": format!("question {n}")}]});
            let (status, told) = ask(
                &product,
                &customer,
                (Method::POST, "/chat/completions"),
                Some(body),
            )
            .await;
            assert_eq!(status, StatusCode::OK, "{told}");
            made.push(match told {
                Value::String(events) => {
                    assert!(events.ends_with("data: [DONE]\n\n"), "{events}");
                    let (_, rest) = events.split_once("\"id\":\"").expect("an id");
                    rest.split('"').next().expect("an id").to_owned()
                }
                told @ (Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::Array(_)
                | Value::Object(_)) => id(&told).to_owned(),
            });
        }
        let (status, streamed) = get(
            &product,
            &customer,
            &format!("/chat/completions/{}", made[1]),
        )
        .await;
        assert_eq!(status, StatusCode::OK, "{streamed}");
        assert_eq!(streamed["object"], "chat.completion");
        let text = streamed["choices"][0]["message"]["content"]
            .as_str()
            .expect("a text");
        assert!(
            !text.is_empty() && streamed["choices"][0]["finish_reason"] == "stop",
            "{streamed}"
        );

        let list = async |query: &str| -> Vec<String> {
            let (status, page) =
                get(&product, &customer, &format!("/chat/completions{query}")).await;
            assert_eq!(status, StatusCode::OK, "{page}");
            let data = page["data"].as_array().expect("a list");
            data.iter().map(|one| id(one).to_owned()).collect()
        };
        assert_eq!(list("").await, made, "the oldest first");
        assert_eq!(list("?order=desc&limit=1").await, made[2..]);
        assert_eq!(list(&format!("?after={}", made[0])).await, made[1..]);
        assert_eq!(list("?metadata[kind]=stream").await, made[1..2]);
        assert_eq!(list("?model=other").await, [""; 0]);
        let (_, messages) = get(
            &product,
            &customer,
            &format!("/chat/completions/{}/messages", made[0]),
        )
        .await;
        assert_eq!(messages["data"][0]["content"], "question 1", "{messages}");

        let path = format!("/chat/completions/{}", made[0]);
        let words = json!({"metadata": {"kind": "changed"}});
        let (_, told) = ask(&product, &customer, (Method::POST, &path), Some(words)).await;
        assert_eq!(told["metadata"], json!({"kind": "changed"}));
        assert_eq!(list("?metadata[kind]=changed").await, made[..1]);
        let (_, gone) = ask(&product, &customer, (Method::DELETE, &path), None).await;
        assert_eq!(gone["object"], "chat.completion.deleted");
        assert_eq!(list("").await, made[1..]);
        product.stop().await;
    }
}
