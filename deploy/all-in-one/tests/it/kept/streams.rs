//! Responses in the background as streams: told as they come, left and followed again, here and from another
//! replica, to an end that is kept and charged once. `crash` kills their process.

use std::time::Duration;

use futures_util::StreamExt;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use super::{ask, get, id, keeper};
use crate::support::joined::{Joined, start};
use crate::support::places;
use crate::support::product::{Customer, Product};

async fn begin(product: &Product, customer: &Customer, input: &str) -> Response {
    let body = json!({"model": "keeper", "input": input, "background": true, "stream": true});
    let sent = product
        .http
        .post(product.url("/api/v1/responses"))
        .bearer_auth(&customer.key)
        .json(&body)
        .send();
    let answer = sent.await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK);
    let kind = answer.headers()["content-type"].to_str().expect("text");
    assert!(kind.starts_with("text/event-stream"), "{kind}");
    answer
}

/// The events in a text, which comments may stand between.
fn events(text: &str) -> Vec<Value> {
    let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    data.map(|data| serde_json::from_str(data).expect("JSON"))
        .collect()
}

/// Reads until as many events are there; the rest is left.
async fn first(answer: Response, wanted: usize) -> Vec<Value> {
    let (mut bytes, mut text) = (answer.bytes_stream(), String::new());
    while let Some(part) = bytes.next().await {
        text.push_str(&String::from_utf8_lossy(&part.expect("a part")));
        let whole = text.rfind("\n\n").map_or("", |end| &text[..end]);
        if events(whole).len() >= wanted {
            return events(whole);
        }
    }
    panic!("it ended: {text}");
}

async fn all(answer: Response) -> Vec<Value> {
    events(&answer.text().await.expect("a whole stream"))
}

async fn follow(
    product: &Product,
    customer: &Customer,
    (id, after): (&str, Option<u64>),
) -> (StatusCode, Vec<Value>) {
    let after = after.map_or_else(String::new, |after| format!("&starting_after={after}"));
    let path = format!("/responses/{id}?stream=true{after}");
    let (status, told) = get(product, customer, &path).await;
    match told.as_str() {
        Some(text) => (status, events(text)),
        None => (status, vec![told]),
    }
}

fn numbers(events: &[Value]) -> Vec<u64> {
    let numbers = events.iter().map(|event| event["sequence_number"].as_u64());
    numbers.map(|number| number.expect("a number")).collect()
}

fn kind(event: &Value) -> &str {
    event["type"].as_str().expect("a type")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_in_the_background_is_told_kept_and_told_again() {
    for place in places().await {
        for joined in [Joined::InProcess, Joined::OverHttp] {
            let product = start(&place, joined).await;
            let customer = keeper(&product).await;
            let told = all(begin(&product, &customer, "hello [tokens:12]").await).await;
            let last = told.last().expect("events");
            let count = u64::try_from(told.len()).expect("few");
            assert_eq!(numbers(&told), (0..count).collect::<Vec<_>>(), "{told:?}");
            assert_eq!(kind(&told[0]), "response.created");
            assert_eq!(kind(last), "response.completed", "{last}");
            let created = told.iter().filter(|one| kind(one) == "response.created");
            assert_eq!(created.count(), 1, "one beginning");
            let (begun, answer) = (&told[0]["response"], &last["response"]);
            assert_eq!(
                (id(begun), &begun["background"]),
                (id(answer), &json!(true))
            );
            let (_, kept) = get(&product, &customer, &format!("/responses/{}", id(answer))).await;
            assert_eq!(&kept, answer, "as it was told");
            let used = answer["usage"]["total_tokens"].clone();
            assert_eq!(product.settled(&customer).await["used"], used, "{joined:?}");

            // Again, whole and behind each of its events.
            assert_eq!(
                follow(&product, &customer, (id(answer), None)).await,
                (StatusCode::OK, told.clone())
            );
            for after in [0, 3, count - 2] {
                let rest = told[usize::try_from(after + 1).expect("few")..].to_vec();
                let again = follow(&product, &customer, (id(answer), Some(after))).await;
                assert_eq!(again, (StatusCode::OK, rest), "behind {after}");
            }
            let over = follow(&product, &customer, (id(answer), Some(count - 1))).await;
            assert_eq!(over, (StatusCode::OK, vec![]), "it was seen whole");
            assert_eq!(product.settled(&customer).await["used"], used, "once");
            product.stop().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_a_stream_comes_back_to_it_also_at_another_replica() {
    for place in places().await {
        let (one, other) = (
            start(&place, Joined::InProcess).await,
            start(&place, Joined::InProcess).await,
        );
        let customer = keeper(&one).await;
        let begun = begin(&one, &customer, "hello [tokens:30] [pace:120]").await;
        let seen = first(begun, 6).await;
        let (name, after) = (id(&seen[0]["response"]), numbers(&seen)[5]);
        let (_, told) = get(&one, &customer, &format!("/responses/{name}")).await;
        assert_eq!(
            told["status"], "in_progress",
            "who leaves stops nothing: {told}"
        );
        let (here, there) = tokio::join!(
            follow(&one, &customer, (name, Some(after))),
            follow(&other, &customer, (name, Some(after)))
        );
        assert_eq!(here.0, StatusCode::OK);
        assert_eq!(here, there, "{}: what both tell is the same", place.name);
        let rest = here.1;
        let wanted = after + 1..=numbers(&rest).last().copied().expect("events");
        assert_eq!(numbers(&rest), wanted.collect::<Vec<_>>());
        let last = rest.last().expect("events");
        assert_eq!(kind(last), "response.completed", "{last}");
        let text: String = seen[..6]
            .iter()
            .chain(&rest)
            .filter(|event| kind(event) == "response.output_text.delta")
            .filter_map(|event| event["delta"].as_str())
            .collect();
        let parts = &last["response"]["output"][0]["content"];
        assert_eq!(
            parts[0]["text"],
            text.as_str(),
            "no word is lost or told twice"
        );
        let used = last["response"]["usage"]["total_tokens"].clone();
        assert_eq!(one.settled(&customer).await["used"], used);
        let (_, strange) = follow(&one, &one.customer("1").await, (name, None)).await;
        assert_eq!(
            strange[0]["error"]["type"], "invalid_request_error",
            "a wall"
        );
        one.stop().await;
        other.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_in_the_background_that_fails_or_is_cancelled_says_so() {
    let [place, _] = places().await;
    let product = start(&place, Joined::InProcess).await;
    let customer = keeper(&product).await;
    for (input, last) in [
        ("x [fail:400]", "response.failed"),
        ("x [tokens:30] [cut:5]", "response.failed"),
    ] {
        let told = all(begin(&product, &customer, input).await).await;
        let end = told.last().expect("events");
        assert_eq!(kind(end), last, "{input}: {end}");
        assert!(end["response"]["error"]["message"].is_string(), "{end}");
        let name = id(&end["response"]);
        let (status, again) = follow(&product, &customer, (name, None)).await;
        assert_eq!((status, &again), (StatusCode::OK, &told), "{input}");
        let (_, kept) = get(&product, &customer, &format!("/responses/{name}")).await;
        assert_eq!(
            (&kept, &kept["status"]),
            (&end["response"], &json!("failed"))
        );
        assert_eq!(product.settled(&customer).await["used"], 0, "{input}");
    }
    let begun = begin(&product, &customer, "x [tokens:500] [pace:100]").await;
    let seen = first(begun, 4).await;
    let name = id(&seen[0]["response"]).to_owned();
    let cancel = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let path = format!("/responses/{name}/cancel");
        ask(&product, &customer, (Method::POST, &path), None).await
    };
    let ((_, rest), (status, told)) =
        tokio::join!(follow(&product, &customer, (&name, Some(3))), cancel);
    assert_eq!(
        (status, &told["status"]),
        (StatusCode::OK, &json!("cancelled"))
    );
    let last = rest.last().expect("events");
    assert_eq!(kind(last), "response.incomplete", "{last}");
    assert_eq!(last["response"]["status"], "cancelled");
    // What can't be followed is said.
    let body = json!({"model": "keeper", "input": "x [delay:3000]", "background": true});
    let asked = (Method::POST, "/responses");
    let (_, whole) = ask(&product, &customer, asked, Some(body)).await;
    let (status, told) = follow(&product, &customer, (id(&whole), None)).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{told:?}");
    assert_eq!(told[0]["error"]["param"], "stream");
    product.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_in_the_background_that_can_not_be_begun_is_refused_as_a_whole() {
    let [place, _] = places().await;
    let product = start(&place, Joined::InProcess).await;
    let customer = keeper(&product).await;
    for (fields, status) in [
        (json!({"store": false}), StatusCode::BAD_REQUEST),
        (json!({"model": "no such model"}), StatusCode::NOT_FOUND),
        (json!({"max_output_tokens": 0}), StatusCode::BAD_REQUEST),
    ] {
        let mut body = json!({"model": "keeper", "input": "x", "background": true, "stream": true});
        for (name, value) in fields.as_object().expect("fields") {
            body[name] = value.clone();
        }
        let asked = (Method::POST, "/responses");
        let (found, told) = ask(&product, &customer, asked, Some(body)).await;
        assert_eq!(found, status, "{told}");
        assert!(told["error"]["message"].is_string(), "{told}");
    }
    product.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_of_items_is_shown_where_it_is_asked_for_and_no_unknown_word_is_taken() {
    let [place, _] = places().await;
    let product = start(&place, Joined::InProcess).await;
    let customer = keeper(&product).await;
    let thought = json!({"type": "reasoning", "summary": [], "encrypted_content": "sealed"});
    let body = json!({"items": [thought, {"role": "user", "content": "hi"}]});
    let asked = (Method::POST, "/conversations");
    let (status, made) = ask(&product, &customer, asked, Some(body)).await;
    assert_eq!(status, StatusCode::OK, "{made}");
    let items = format!("/conversations/{}/items", id(&made));
    let (_, plain) = get(&product, &customer, &format!("{items}?order=asc")).await;
    let first = plain["data"][0].clone();
    assert_eq!(first["type"], "reasoning");
    assert_eq!(first.get("encrypted_content"), None, "{first}");
    let item = format!("{items}/{}", id(&first));
    let word = "reasoning.encrypted_content";
    for name in ["include", "include[]", "include%5B%5D"] {
        let (_, told) = get(
            &product,
            &customer,
            &format!("{items}?order=asc&{name}={word}"),
        )
        .await;
        assert_eq!(
            told["data"][0]["encrypted_content"], "sealed",
            "{name}: {told}"
        );
        let more = format!("{item}?{name}=message.output_text.logprobs&{name}={word}");
        let (_, told) = get(&product, &customer, &more).await;
        assert_eq!(told["encrypted_content"], "sealed", "{name}: {told}");
        for path in [
            &items,
            &item,
            "/responses/resp_x",
            "/responses/resp_x/input_items",
        ] {
            let (status, told) = get(&product, &customer, &format!("{path}?{name}=thoughts")).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{path}: {told}");
            assert_eq!(told["error"]["type"], "invalid_request_error", "{told}");
        }
    }
    // A call that reads the conversation gets it whole, whoever looks at it.
    let body = json!({"model": "keeper", "input": "go on", "conversation": id(&made)});
    let asked = (Method::POST, "/responses");
    let (status, told) = ask(&product, &customer, asked, Some(body)).await;
    assert_eq!(status, StatusCode::OK, "{told}");
    product.stop().await;
}
