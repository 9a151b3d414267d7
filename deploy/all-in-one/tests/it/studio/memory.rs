//! What the studio keeps, over a running product: a conversation is found again after a reload and goes on, by the
//! script and without it; what was stopped keeps its words and its cost; a second window is refused and costs
//! nothing; images are files of their person.

use std::time::Duration;

use futures_util::StreamExt;
use reqwest::StatusCode;
use serde_json::{Value, json};
use shared::credits::Credits;

use super::{Browser, credits, member};
use crate::support::joined::{Joined, start};
use crate::support::product::{Customer, Product};
use crate::support::{places, until};

/// What an event of this name told.
fn told(events: &str, name: &str) -> Value {
    let begin = format!("event: {name}\ndata: ");
    let (_, rest) = events
        .split_once(&begin)
        .unwrap_or_else(|| panic!("no {name}: {events}"));
    let line = rest.lines().next().unwrap_or_default();
    serde_json::from_str(line).expect("JSON")
}

fn talk(words: &str, kept: &Value) -> Value {
    let said = json!([{"role": "user", "content": words}]);
    json!({"model": "words", "messages": said, "kept": kept})
}

async fn used(product: &Product, customer: &Customer) -> Credits {
    credits(&product.settled(customer).await["used"])
}

/// Whether a list of models has this one chosen.
fn is_chosen(page: &str, model: &str) -> bool {
    let option = page.split_once(&format!("<option value=\"{model}\""));
    let rest = option.and_then(|(_, rest)| rest.split_once('>'));
    rest.is_some_and(|(attributes, _)| attributes.ends_with(" selected"))
}

/// The value of a hidden field.
fn hidden<'a>(page: &'a str, name: &str) -> &'a str {
    // What is kept is not posted again, so its field has no name.
    let begins = ["name", "id"].map(|by| format!("{by}=\"{name}\" value=\""));
    let mut found = begins.iter().filter_map(|begin| page.split_once(begin));
    let (_, rest) = found.next().unwrap_or_else(|| panic!("no {name}"));
    rest.split('"').next().unwrap_or_default()
}

async fn goes_on_by_script(
    mia: &mut Browser<'_>,
    product: &Product,
    customer: &Customer,
) -> String {
    let first = talk("heron one [tokens:3]", &json!({"seen": 0, "nonce": "w.1"}));
    let (status, events) = mia.script("/portal/studio/chat", &first).await;
    assert_eq!(status, StatusCode::OK, "{events}");
    let kept = told(&events, "kept");
    assert!(
        events.starts_with("event: kept"),
        "before anything can be stopped"
    );
    let id = kept["conversation"].as_str().expect("an id").to_owned();
    assert_eq!((&kept["turn"], &kept["answer"]), (&json!(0), &json!(0)));
    let second = json!({"conversation": id, "seen": 1, "nonce": "w.2"});
    let (status, events) = mia
        .script(
            "/portal/studio/chat",
            &talk("heron two [tokens:4]", &second),
        )
        .await;
    assert_eq!(status, StatusCode::OK, "{events}");
    let call = told(&events, "charged")["call"]
        .as_str()
        .expect("a call")
        .to_owned();
    let page = mia.get(&format!("/portal/studio/chat?chat={id}")).await;
    for words in ["heron one", "heron two", &call, "data-keeps"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert_eq!(page.matches("said-assistant").count(), 2, "{page}");
    assert_eq!(
        (hidden(&page, "conversation"), hidden(&page, "seen")),
        (id.as_str(), "2")
    );

    // Another window that has not seen the second message; and one that sends it once more.
    let before = used(product, customer).await;
    for (seen, nonce) in [(1, "x.1"), (1, "w.2")] {
        let late = json!({"conversation": id, "seen": seen, "nonce": nonce});
        let (status, refused) = mia
            .script("/portal/studio/chat", &talk("late", &late))
            .await;
        assert_eq!(status, StatusCode::CONFLICT, "{refused}");
        assert!(refused.contains("\"message\""), "{refused}");
    }
    assert_eq!(used(product, customer).await, before, "nothing was charged");
    id
}

async fn goes_on_without_script(mia: &mut Browser<'_>, id: &str) {
    let page = mia.get(&format!("/portal/studio/chat?chat={id}")).await;
    let fields = [
        ("model", "words"),
        ("message", "heron three [tokens:2]"),
        ("history", "[]"),
        ("conversation", id),
        ("seen", hidden(&page, "seen")),
        ("window", hidden(&page, "window")),
    ];
    let fields = fields.map(|(name, value)| (name, value.to_owned()));
    let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let (status, body) = mia.form("/portal/studio/chat", &fields).await;
    assert_eq!(
        status,
        StatusCode::SEE_OTHER,
        "loading it again sends nothing: {body}"
    );
    // The form a second time, as a browser's way back sends it.
    let (status, body) = mia.form("/portal/studio/chat", &fields).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
    let page = mia.get(&format!("/portal/studio/chat?chat={id}")).await;
    assert_eq!(
        page.matches("heron three").count() % 2,
        0,
        "in the talk and for the script"
    );
    assert_eq!(page.matches("said-assistant").count(), 3, "{page}");
    let list = mia.get("/portal/studio?q=HERON+ONE").await;
    assert!(list.contains(id), "{list}");
    let list = mia.get("/portal/studio?q=egret").await;
    assert!(!list.contains(id), "{list}");
}

/// Reads some of an answer and goes away.
async fn stops(mia: &mut Browser<'_>, product: &Product, customer: &Customer) {
    let before = used(product, customer).await;
    let kept = json!({"seen": 0, "nonce": "stop.1"});
    let slow = talk("stopped heron [tokens:90] [pace:40]", &kept);
    let pairs = mia.cookies.iter().map(|(k, v)| format!("{k}={v}"));
    let cookies = pairs.collect::<Vec<_>>().join("; ");
    let request = mia
        .http
        .post(product.url("/portal/studio/chat"))
        .json(&slow);
    let request = request
        .header("x-csrf-token", &mia.token)
        .header("cookie", cookies);
    let answer = request.send().await.expect("an answer");
    let (mut stream, mut events) = (answer.bytes_stream(), String::new());
    while events.matches("chat.completion.chunk").count() < 8 {
        let bytes = stream.next().await.expect("more").expect("bytes");
        events.push_str(&String::from_utf8_lossy(&bytes));
    }
    let id = told(&events, "kept")["conversation"]
        .as_str()
        .expect("an id")
        .to_owned();
    drop(stream);
    let path = format!("/portal/studio/chat?chat={id}");
    let mut page = String::new();
    for _ in 0..200 {
        page = mia.get(&path).await;
        if page.contains("said-cost") && !page.contains("still being written") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let paid = used(product, customer).await;
    assert!(paid > before, "what was produced is charged");
    assert!(page.contains("stopped heron"), "{page}");
    let words = hidden(&page, "history");
    let content = words
        .split("&#34;content&#34;:&#34;")
        .nth(2)
        .or_else(|| words.split("&quot;content&quot;:&quot;").nth(2));
    let content = content.unwrap_or_else(|| panic!("{words}"));
    assert!(!content.starts_with('&'), "what was said is there: {words}");
    assert!(
        page.contains("/portal/usage/gen_"),
        "and what it cost: {page}"
    );
}

async fn draws(mia: &mut Browser<'_>, product: &Product) {
    let draw =
        json!({"model": "sandbox-image", "prompt": "a heron at dusk", "n": 2, "size": "1024x1024"});
    let (status, drawn) = mia.script("/portal/studio/images", &draw).await;
    assert_eq!(status, StatusCode::OK, "{drawn}");
    let drawn: Value = serde_json::from_str(&drawn).expect("JSON");
    let kept: Vec<&str> = drawn["kept"]
        .as_array()
        .expect("kept")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(kept.len(), 2, "{drawn}");
    let page = mia.get("/portal/studio/images").await;
    for id in &kept {
        assert!(
            page.contains(&format!("/portal/studio/images/{id}/file")),
            "{page}"
        );
    }
    let path = format!("/portal/studio/images/{}/file", kept[0]);
    let pairs = mia.cookies.iter().map(|(k, v)| format!("{k}={v}"));
    let (cookies, http) = (pairs.collect::<Vec<_>>().join("; "), mia.http.clone());
    let file = async |query: &str, tag: &str| {
        let request = http.get(product.url(&format!("{path}{query}")));
        let request = request
            .header("cookie", &cookies)
            .header("if-none-match", tag);
        request.send().await.expect("an answer")
    };
    let shown = file("", "").await;
    let header = |name: &str| shown.headers()[name].to_str().expect("text").to_owned();
    assert_eq!(header("content-type"), "image/png");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(header("cache-control"), "private, no-cache");
    assert!(header("content-disposition").starts_with("inline; filename=\"img_"));
    let tag = header("etag");
    assert!(shown.bytes().await.expect("bytes").starts_with(b"\x89PNG"));
    assert_eq!(file("", &tag).await.status(), StatusCode::NOT_MODIFIED);
    let saved = file("?download=1", "").await;
    let place = saved.headers()["content-disposition"]
        .to_str()
        .expect("text");
    assert!(place.starts_with("attachment;"), "{place}");
    let nobody = mia
        .http
        .get(product.url(&path))
        .send()
        .await
        .expect("an answer");
    assert_eq!(nobody.status(), StatusCode::SEE_OTHER, "to the login");

    let again = mia
        .get(&format!("/portal/studio/images?again={}", kept[0]))
        .await;
    assert!(again.contains(">\na heron at dusk</textarea>"), "{again}");
    let delete = format!("/portal/studio/images/{}/delete", kept[0]);
    let (status, body) = mia.form(&delete, &[]).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{body}");
    assert_eq!(
        file("", &tag).await.status(),
        StatusCode::NOT_FOUND,
        "also where it is known"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_and_made_is_found_again_and_goes_on() {
    for place in places().await {
        let product = start(&place, Joined::InProcess).await;
        let price = json!({"output_per_million": 1_000_000});
        product.model("words", "chat", price).await;
        let customer = product.customer("50000").await;
        let mut mia = member(&product, &customer).await;
        let id = goes_on_by_script(&mut mia, &product, &customer).await;
        goes_on_without_script(&mut mia, &id).await;
        stops(&mut mia, &product, &customer).await;
        draws(&mut mia, &product).await;

        // A refused call leaves nothing; the model is remembered.
        let list = mia.get("/portal/studio").await;
        let before = list.matches("/portal/studio/chat?chat=").count();
        let dear =
            json!({"model": "nobody", "messages": [{"role": "user", "content": "x"}], "kept": {}});
        let (status, refused) = mia.script("/portal/studio/chat", &dear).await;
        assert!(status.is_client_error(), "{refused}");
        let list = mia.get("/portal/studio").await;
        assert_eq!(
            list.matches("/portal/studio/chat?chat=").count(),
            before,
            "{list}"
        );
        until(
            "the model is remembered",
            Duration::from_secs(10),
            async || {
                let request = mia.http.get(product.url("/portal/studio/chat"));
                let pairs = mia.cookies.iter().map(|(k, v)| format!("{k}={v}"));
                let cookies = pairs.collect::<Vec<_>>().join("; ");
                let page = request
                    .header("cookie", cookies)
                    .send()
                    .await
                    .expect("an answer");
                let page = page.text().await.expect("a page");
                is_chosen(&page, "words")
            },
        )
        .await;

        let (status, _) = mia
            .form(&format!("/portal/studio/chats/{id}/delete"), &[])
            .await;
        assert_eq!(status, StatusCode::SEE_OTHER);
        let (status, _) = mia.form("/portal/studio/forget", &[]).await;
        assert_eq!(status, StatusCode::SEE_OTHER);
        let list = mia.get("/portal/studio").await;
        assert!(!list.contains("/portal/studio/chat?chat="), "{list}");
        let differences = product.server().verify().await.expect("checked");
        assert_eq!(differences, Vec::<String>::new(), "{}", place.name);
        product.stop().await;
    }
}
