//! Items that a request names by their ids, as Vercel's AI SDK and OpenAI's Agents SDK do where they may
//! believe them kept.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{ask, get, id, keep, keeper, last_response, respond, tokens};
use crate::support::joined::{Joined, start};
use crate::support::places;
use crate::support::product::{Customer, Product};

const RESPONSES: (Method, &str) = (Method::POST, "/responses");

fn tools() -> Value {
    let parameters = json!({"type": "object", "properties": {"harbour": {"type": "string"}},
        "required": ["harbour"], "additionalProperties": false});
    json!([{"type": "function", "name": "tide", "parameters": parameters}])
}

fn user(text: &str) -> Value {
    json!({"role": "user", "content": [{"type": "input_text", "text": text}]})
}

fn reference(id: &str) -> Value {
    json!({"type": "item_reference", "id": id})
}

/// What an answer brought, of a kind.
fn item<'a>(answer: &'a Value, kind: &str) -> &'a Value {
    let items = answer["output"].as_array().expect("items");
    let item = items.iter().find(|item| item["type"] == kind);
    item.unwrap_or_else(|| panic!("no {kind}: {answer}"))
}

/// The input that is kept with an answer.
async fn input(product: &Product, customer: &Customer, answer: &Value) -> Vec<Value> {
    let path = format!("/responses/{}/input_items?order=asc", id(answer));
    let (status, page) = get(product, customer, &path).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    page["data"].as_array().expect("items").clone()
}

async fn refused(
    product: &Product,
    customer: &Customer,
    input: Value,
    status: StatusCode,
) -> Value {
    let body = json!({"model": "keeper", "input": input});
    let (got, told) = ask(product, customer, RESPONSES, Some(body)).await;
    assert_eq!(got, status, "{told}");
    assert_eq!(
        (&told["error"]["param"], &told["error"]["type"]),
        (&json!("input"), &json!("invalid_request_error")),
        "{told}"
    );
    told["error"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_loop_of_tools_goes_on_by_references() {
    for place in places().await {
        let product = start(&place, Joined::InProcess).await;
        let customer = keeper(&product).await;
        for stream in [false, true] {
            // What the AI SDK sends: its question, then the call by its id, and what the tool said.
            let question = user("When is high water?");
            let asked = json!({"input": [question], "tools": tools(), "tool_choice": "required",
                "stream": stream, "include": ["reasoning.encrypted_content"]});
            let mut first = respond(&product, &customer, asked).await;
            if let Some(events) = first.as_str() {
                first = last_response(events);
            }
            let call = item(&first, "function_call");
            let output = json!({"type": "function_call_output", "call_id": call["call_id"],
                "output": "at six"});
            let next = json!([question, reference(id(call)), output]);
            let asked = json!({"input": next, "tools": tools()});
            let second = respond(&product, &customer, asked).await;
            let kept = input(&product, &customer, &second).await;
            assert_eq!(
                (kept.len(), &kept[1]),
                (3, call),
                "the call itself: {kept:?}"
            );
            let whole = json!([question, call, output]);
            let asked = json!({"input": whole, "tools": tools(), "store": false});
            let by_whole = respond(&product, &customer, asked).await;
            assert_eq!(tokens(&second), tokens(&by_whole), "as if it were sent");

            // A third step refers to both, one of them without a type, and keeps nothing itself.
            let message = item(&second, "message");
            let third = json!([question, reference(id(call)), output, {"id": id(message)},
                user("And low water?")]);
            let asked = json!({"input": third, "tools": tools(), "store": false});
            let third = respond(&product, &customer, asked).await;
            assert_eq!(third["store"], false);
            assert!(tokens(&second) < tokens(&third), "{second} {third}");

            // It is counted, too.
            let body = json!({"model": "keeper", "input": [question, reference(id(call)), output]});
            let count = (Method::POST, "/responses/input_tokens");
            let (status, told) = ask(&product, &customer, count, Some(body)).await;
            assert_eq!(status, StatusCode::OK, "{told}");
        }
        product.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn items_of_others_and_of_nobody_are_not_found() {
    for place in places().await {
        let product = start(&place, Joined::InProcess).await;
        let (customer, other) = (keeper(&product).await, product.customer("1000").await);
        keep(&product, &other, Some(30)).await;
        let first = respond(&product, &customer, json!({"input": "x"})).await;
        let message = id(item(&first, "message"));
        let before = product.settled(&other).await["used"].clone();
        for unknown in [message, "msg_nobody", "", &"x".repeat(1_000)] {
            let asked = json!([user("x"), reference(unknown)]);
            let told = refused(&product, &other, asked, StatusCode::NOT_FOUND).await;
            assert_eq!(told["code"], Value::Null);
            let words = told["message"].as_str().expect("a message");
            assert!(words.starts_with("Item with id '"), "{words}");
        }
        assert_eq!(product.settled(&other).await["used"], before);
        respond(
            &product,
            &customer,
            json!({"input": [reference(message), user("x")]}),
        )
        .await;

        // As many as may be, and one more.
        let many = |n: usize| Value::Array(vec![reference(message); n]);
        respond(&product, &customer, json!({"input": many(200)})).await;
        let told = refused(&product, &customer, many(201), StatusCode::BAD_REQUEST).await;
        let words = told["message"].as_str().expect("a message");
        assert!(words.contains("200"), "{words}");

        // Items of a conversation, which another tenant does not find.
        let body = json!({"items": [{"role": "user", "content": "The word is heron."}]});
        let made = (Method::POST, "/conversations");
        let (_, conversation) = ask(&product, &customer, made, Some(body)).await;
        let items = format!("/conversations/{}/items", id(&conversation));
        let (_, page) = get(&product, &customer, &items).await;
        let said = json!([reference(id(&page["data"][0])), user("Which?")]);
        let answer = respond(&product, &customer, json!({"input": said})).await;
        let kept = input(&product, &customer, &answer).await;
        assert_eq!(kept[0], page["data"][0]);
        refused(&product, &other, said, StatusCode::NOT_FOUND).await;

        // They go with their response.
        let path = format!("/responses/{}", id(&first));
        let (status, _) = ask(&product, &customer, (Method::DELETE, &path), None).await;
        assert_eq!(status, StatusCode::OK);
        refused(&product, &customer, many(1), StatusCode::NOT_FOUND).await;
        product.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_keeps_nothing_is_told_what_to_do() {
    let [place, _] = places().await;
    let product = start(&place, Joined::InProcess).await;
    let customer = keeper(&product).await;
    let first = respond(&product, &customer, json!({"input": "x"})).await;
    keep(&product, &customer, None).await;
    for reference in [
        reference(id(item(&first, "message"))),
        json!({"id": "msg_1"}),
    ] {
        let asked = json!([user("x"), reference]);
        let told = refused(&product, &customer, asked, StatusCode::BAD_REQUEST).await;
        let words = told["message"].as_str().expect("a message");
        assert!(
            words.contains("set `store` to false in the client") && words.contains("settings"),
            "{words}"
        );
    }
    product.stop().await;
}
