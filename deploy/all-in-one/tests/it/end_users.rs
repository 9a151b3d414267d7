//! One abuser costs nobody else anything: each call tells its provider whose it is and nothing of them, and a
//! provider that refuses a person stops that person alone.

mod streams;

use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::faults::fake::{Fake, GOOD, Seen, answer, count, model, models, provider};
use crate::support::joined::{Joined, start};
use crate::support::product::{Customer, Product};
use crate::support::{places, until};

const ADA: &str = "ada@example.com";
const CHAT: &str = "/v1/chat/completions";
/// A message in Anthropic's words.
const MESSAGE: &str = r#"{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"well"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":5,"output_tokens":2}}"#;
const BLOCKED: &str = r#"{"error":{"message":"This safety identifier has been blocked for repeated violations of our policies.","type":"invalid_request_error","param":null,"code":"identifier_blocked"}}"#;
const FLAGGED: &str = r#"{"error":{"message":"Your prompt was flagged as violating our usage policy.","type":"invalid_request_error","code":"content_policy_violation"}}"#;
const EXTRA: &str = r#"{"detail":[{"type":"extra_forbidden","loc":["body","user"],"msg":"Extra inputs are not permitted"}]}"#;

fn good() -> Vec<u8> {
    answer("200 OK", "", GOOD)
}

/// What the fake was sent, as JSON.
fn sent(fake: &Fake) -> Vec<Value> {
    let json = |seen: &Seen| serde_json::from_str(&seen.body).expect("JSON");
    fake.calls().iter().map(json).collect()
}

fn is_name(value: &Value) -> bool {
    let text = value.as_str().unwrap_or_default();
    let parts: Vec<&str> = text.split('_').collect();
    let is_hex = |part: &str, length| {
        part.len() == length
            && part
                .bytes()
                .all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase())
    };
    parts.len() == 3 && parts[0] == "wu" && is_hex(parts[1], 12) && is_hex(parts[2], 32)
}

async fn post(
    product: &Product,
    (path, customer): (&str, &Customer),
    header: Option<&str>,
    body: &Value,
) -> (StatusCode, Value) {
    let mut request = product.http.post(product.url(path));
    request = request.bearer_auth(&customer.key);
    if let Some(word) = header {
        request = request.header("x-waule-end-user", word);
    }
    let answer = request.json(body).send().await.expect("an answer");
    let status = answer.status();
    let text = answer.text().await.expect("text");
    let told = serde_json::from_str(&text).unwrap_or(Value::String(text));
    (status, told)
}

fn chat(text: &str, more: &Value) -> Value {
    let mut body = json!({"model": "m", "messages": [{"role": "user", "content": text}]});
    for (name, value) in more.as_object().into_iter().flatten() {
        body[name] = value.clone();
    }
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_hears_whose_each_call_is_and_never_the_tenants_word() {
    for joined in [Joined::InProcess, Joined::OverHttp] {
        let [place, _] = places().await;
        let product = start(&place, joined).await;
        let (fake, address) = Fake::start(|seen| match seen {
            seen if seen.asks_models() => models(),
            seen if seen.head.contains("/messages") => answer("200 OK", "", MESSAGE),
            _ => good(),
        })
        .await;
        let base = format!("http://{address}/v1");
        provider(&product, "vendor", &base, 1).await;
        model(&product, "m", &["vendor"]).await;
        let claude = json!({"name": "claude", "kind": "anthropic", "base_url": base});
        let (status, made) = product
            .admin(Method::POST, "/providers", Some(claude))
            .await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        let secret = json!({"secret": "key-of-claude"});
        let keys = "/providers/claude/keys";
        product.admin(Method::POST, keys, Some(secret)).await;
        let target = json!({"provider": "claude", "model": "theirs", "weight": 1, "priority": 0});
        let body = json!({"id": "c", "operation": "chat", "targets": [target], "max_output_tokens": 1000, "price": {"per_request": 1}});
        let (status, made) = product.admin(Method::POST, "/models", Some(body)).await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        let (one, other) = (product.customer("50").await, product.customer("50").await);

        // Who asks, how the tenant says it, and whether that is who asked first.
        let word = json!({"user": ADA});
        let newer = json!({"user": "somebody", "safety_identifier": ADA});
        let (nobody, odd) = (json!({}), json!({"user": 7, "safety_identifier": ""}));
        let mut names = Vec::new();
        for (customer, header, more) in [
            (&one, None, &word),
            (&one, None, &newer),
            (&one, Some(ADA), &json!({"user": "somebody"})),
            (&other, None, &word),
            (&one, None, &nobody),
            (&one, None, &odd),
        ] {
            let body = chat("hi", more);
            let (status, told) = post(&product, (CHAT, customer), header, &body).await;
            assert_eq!(status, StatusCode::OK, "{more}: {told}");
            let seen = sent(&fake).pop().expect("a call");
            assert!(is_name(&seen["user"]), "{seen}");
            assert!(seen.get("safety_identifier").is_none(), "{seen}");
            assert!(!seen.to_string().contains(ADA), "{seen}");
            assert!(!seen.to_string().contains("somebody"), "{seen}");
            names.push(seen["user"].to_string());
        }
        assert_eq!((&names[0], &names[0]), (&names[1], &names[2]), "one person");
        assert_ne!(names[0], names[3], "another tenant's person");
        assert_eq!(names[4], names[5], "whoever is not named is the key");
        assert_ne!(names[0], names[4]);
        assert_eq!(names[0][..16], names[4][..16], "of one tenant");
        assert_ne!(names[0][..16], names[3][..16]);

        // In its own format and translated, in the field that each has.
        let message = |model: &str| {
            json!({"model": model, "max_tokens": 9, "metadata": {"user_id": ADA},
                "messages": [{"role": "user", "content": "hi"}]})
        };
        let say = json!({"contents": [{"role": "user", "parts": [{"text": "hi"}]}]});
        let respond = json!({"model": "c", "input": "hi", "user": ADA});
        for (path, header, body, place) in [
            ("/v1/messages", None, message("m"), "/user"),
            ("/v1/messages", None, message("c"), "/metadata/user_id"),
            (
                CHAT,
                None,
                chat("hi", &json!({"model": "c", "user": ADA})),
                "/metadata/user_id",
            ),
            ("/v1/responses", None, respond, "/metadata/user_id"),
            ("/v1beta/models/m:generateContent", Some(ADA), say, "/user"),
        ] {
            let (status, told) = post(&product, (path, &one), header, &body).await;
            assert_eq!(status, StatusCode::OK, "{path}: {told}");
            let seen = sent(&fake).pop().expect("a call");
            let named = seen.pointer(place).map(ToString::to_string);
            assert_eq!(named.as_ref(), Some(&names[0]), "{path}: {seen}");
            assert!(!seen.to_string().contains(ADA), "{seen}");
        }

        // A long word of a body is somebody's all the same, and a long header nobody's.
        let long = "x".repeat(513);
        let (said, header) = (json!({"user": long}), Some(long.as_str()));
        for (header, more, expected) in [
            (None, said, StatusCode::OK),
            (header, nobody, StatusCode::BAD_REQUEST),
        ] {
            let body = chat("hi", &more);
            let (status, told) = post(&product, (CHAT, &one), header, &body).await;
            assert_eq!(status, expected, "{told}");
        }
        let seen = sent(&fake).pop().expect("a call").to_string();
        assert!(!seen.contains(&long), "{seen}");
        product.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_does_not_know_the_field_is_sent_none_from_then_on() {
    let [place, _] = places().await;
    let product = start(&place, Joined::InProcess).await;
    let (fake, address) = Fake::start(|seen| match seen {
        seen if seen.asks_models() => models(),
        seen if seen.says("\"user\":\"wu_") => answer("422 Unprocessable Entity", "", EXTRA),
        _ => good(),
    })
    .await;
    provider(&product, "strict", &format!("http://{address}/v1"), 1).await;
    model(&product, "m", &["strict"]).await;
    let customer = product.customer("50").await;
    for calls in [2, 3, 4] {
        let body = chat("hi", &json!({"user": ADA}));
        let (status, told) = post(&product, (CHAT, &customer), None, &body).await;
        assert_eq!(status, StatusCode::OK, "{told}");
        assert_eq!(fake.calls().len(), calls, "it is learned once");
        let seen = sent(&fake).pop().expect("a call");
        assert!(seen.get("user").is_none(), "{seen}");
    }
    assert_eq!(count(&product, "strict", "active").await, 1);
    product.stop().await;
}

/// Asks until the answer is a refusal of the server itself: no call reaches the provider.
async fn refused(product: &Product, fake: &Fake, customer: &Customer, word: &str) -> Value {
    let begun = Instant::now();
    loop {
        let before = fake.calls().len();
        let body = chat("fine", &json!({"user": word}));
        let (status, told) = post(product, (CHAT, customer), None, &body).await;
        if status == StatusCode::FORBIDDEN && fake.calls().len() == before {
            return told;
        }
        let late = begun.elapsed() > Duration::from_secs(5);
        assert!(!late, "{word} is still let in: {told}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn suspended(product: &Product, customer: &Customer) -> Value {
    let path = "/api/v1/end-users/suspended";
    let key = Some(customer.key.as_str());
    let (status, list) = product.send(Method::GET, path, key, None).await;
    assert_eq!(status, StatusCode::OK, "{list}");
    list["data"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_whom_a_provider_refuses_is_suspended_and_nobody_and_nothing_else() {
    for place in places().await {
        let product = start(&place, Joined::OverHttp).await;
        let (fake, address) = Fake::start(|seen| match seen {
            seen if seen.asks_models() => models(),
            seen if seen.says("abuse") => answer("403 Forbidden", "", BLOCKED),
            _ => good(),
        })
        .await;
        provider(&product, "vendor", &format!("http://{address}/v1"), 3).await;
        provider(&product, "second", &format!("http://{address}/v1"), 1).await;
        model(&product, "m", &["vendor", "second"]).await;
        let (one, other) = (product.customer("50").await, product.customer("50").await);
        let bad = chat("abuse", &json!({"user": ADA}));
        let (status, told) = post(&product, (CHAT, &one), None, &bad).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{told}");
        assert_eq!(told["error"]["code"], "end_user_suspended", "{told}");
        assert_eq!(fake.calls().len(), 1, "no other key is tried with them");
        let told = refused(&product, &fake, &one, ADA).await;
        assert_eq!(told["error"]["code"], "end_user_suspended", "{told}");
        assert_eq!(told["error"]["type"], "permission_error");
        assert_eq!(count(&product, "vendor", "active").await, 3);
        let calls = fake.calls().len();

        // In the shape of each surface, and with any model.
        let message = json!({"model": "m", "max_tokens": 9, "stream": true, "metadata": {"user_id": ADA},
            "messages": [{"role": "user", "content": "hi"}]});
        let say = json!({"contents": [{"role": "user", "parts": [{"text": "hi"}]}]});
        let respond = json!({"model": "m", "input": "hi", "safety_identifier": ADA});
        for (path, header, body, kind, expected) in [
            (
                "/v1/messages",
                None,
                message,
                "/error/type",
                json!("permission_error"),
            ),
            (
                "/v1/responses",
                None,
                respond,
                "/error/code",
                json!("end_user_suspended"),
            ),
            (
                "/v1beta/models/m:generateContent",
                Some(ADA),
                say,
                "/error/status",
                json!("PERMISSION_DENIED"),
            ),
        ] {
            let (status, told) = post(&product, (path, &one), header, &body).await;
            assert_eq!(status, StatusCode::FORBIDDEN, "{path}: {told}");
            assert_eq!(told.pointer(kind), Some(&expected), "{path}: {told}");
        }
        assert_eq!(fake.calls().len(), calls, "no provider is asked");

        // Everybody else goes on: the tenant's others, its key, and whoever another tenant calls by that word.
        for (customer, more) in [
            (&one, json!({"user": "bob"})),
            (&one, json!({})),
            (&other, json!({"user": ADA})),
        ] {
            let (status, told) = post(&product, (CHAT, customer), None, &chat("hi", &more)).await;
            assert_eq!(status, StatusCode::OK, "{more}: {told}");
        }
        let balance = product.settled(&one).await;
        let paid = f64::from(u32::try_from(fake.calls().len()).expect("few"));
        let used = balance["used"].as_f64().expect("credits");
        assert!(used <= paid, "nothing is charged for a refusal: {balance}");

        // Who sees it, and under which name.
        let own = suspended(&product, &one).await;
        assert_eq!(own.as_array().map(Vec::len), Some(1), "{own}");
        assert_eq!(
            (&own[0]["end_user"], &own[0]["why"]),
            (&json!(ADA), &json!("provider"))
        );
        assert!(
            is_name(&own[0]["identity"]) && own[0]["until"].is_null(),
            "{own}"
        );
        assert_eq!(suspended(&product, &other).await, json!([]));
        let list = "/end-users/suspended";
        let (_, all) = product.admin(Method::GET, list, None).await;
        let row = &all["data"][0];
        assert_eq!(row["tenant_id"], one.id.as_str(), "{all}");
        assert_eq!(
            (&row["end_user"], &row["provider"]),
            (&json!("ad…m"), &json!("vendor"))
        );
        let reason = row["reason"].as_str().expect("words");
        assert!(reason.contains("has been blocked for repeated"), "{reason}");
        let none = format!("{list}?tenant={}", other.id);
        let (_, none) = product.admin(Method::GET, &none, None).await;
        assert_eq!(none["data"], json!([]));

        // Lifted, by the right tenant alone.
        let identity = row["identity"].as_str().expect("a name");
        let lift = |tenant: &str| format!("/tenants/{tenant}{list}/{identity}");
        let (status, _) = product.admin(Method::DELETE, &lift(&other.id), None).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        let (status, _) = product.admin(Method::DELETE, &lift(&one.id), None).await;
        assert_eq!(status, StatusCode::NO_CONTENT);
        let (status, _) = product.admin(Method::DELETE, &lift(&one.id), None).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "it is lifted once");
        let body = chat("fine", &json!({"user": ADA}));
        let (status, told) = post(&product, (CHAT, &one), None, &body).await;
        assert_eq!(status, StatusCode::OK, "{told}");
        assert_eq!(suspended(&product, &one).await, json!([]));
        let (_, all) = product
            .admin(Method::GET, &format!("{list}?all=true"), None)
            .await;
        assert!(all["data"][0]["lifted_at"].is_string(), "{all}");
        let (_, audit) = product.admin(Method::GET, "/audit?limit=2", None).await;
        assert_eq!(
            (&audit["data"][0]["action"], &audit["data"][1]["action"]),
            (&json!("end_user.lift"), &json!("end_user.suspend")),
            "{audit}"
        );
        product.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_suspends_by_word_or_name_and_every_replica_obeys_within_a_second() {
    for place in places().await {
        let one = start(&place, Joined::InProcess).await;
        let far = start(&place, Joined::InProcess).await;
        one.model("m", "chat", json!({"output_per_million": 1}))
            .await;
        let (customer, other) = (one.customer("50").await, one.customer("50").await);
        let path = |tenant: &str| format!("/tenants/{tenant}/end-users/suspended");
        let body =
            |word: &str| json!({"end_user": word, "reason": "told by a provider", "hours": 2});
        let own = path(&customer.id);
        let (status, made) = one.admin(Method::POST, &own, Some(body("eve"))).await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        assert!(made["until"].is_string(), "{made}");
        let name = made["identity"].as_str().expect("a name").to_owned();
        for product in [&one, &far] {
            until("eve is refused", Duration::from_secs(1), async || {
                let body = chat("hi", &json!({"user": "eve"}));
                let (status, _) = post(product, (CHAT, &customer), None, &body).await;
                status == StatusCode::FORBIDDEN
            })
            .await;
        }
        let (status, _) = one.admin(Method::POST, &own, Some(body("eve"))).await;
        assert_eq!(status, StatusCode::CONFLICT);
        // A name belongs to one tenant.
        let foreign = path(&other.id);
        let (status, told) = one.admin(Method::POST, &foreign, Some(body(&name))).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{told}");
        let lift = format!("{own}/{name}");
        assert_eq!(
            far.admin(Method::DELETE, &lift, None).await.0,
            StatusCode::NO_CONTENT
        );
        until("eve is let in", Duration::from_secs(1), async || {
            let body = chat("hi", &json!({"user": "eve"}));
            let (status, _) = post(&one, (CHAT, &customer), None, &body).await;
            status == StatusCode::OK
        })
        .await;
        let (status, made) = far.admin(Method::POST, &own, Some(body(&name))).await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        assert_eq!(made["identity"], name.as_str());
        for (word, reason) in [("", "x"), ("x", ""), (&*"x".repeat(513), "x")] {
            let body = json!({"end_user": word, "reason": reason});
            let (status, told) = one.admin(Method::POST, &own, Some(body)).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{told}");
        }
        let nobody = path("ten_000000000000000000000000000");
        let (status, _) = one.admin(Method::POST, &nobody, Some(body("x"))).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        one.stop().await;
        far.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_refused_prompts_suspend_whom_the_tenant_named_and_a_few_nobody() {
    let [place, _] = places().await;
    let product = start(&place, Joined::InProcess).await;
    let (fake, address) = Fake::start(|seen| match seen {
        seen if seen.asks_models() => models(),
        seen if seen.says("abuse") => answer("400 Bad Request", "", FLAGGED),
        _ => good(),
    })
    .await;
    provider(&product, "vendor", &format!("http://{address}/v1"), 1).await;
    model(&product, "m", &["vendor"]).await;
    let customer = product.customer("50").await;
    for _ in 0..25 {
        // Nobody is named: a key may stand for many people.
        let (status, told) = post(
            &product,
            (CHAT, &customer),
            None,
            &chat("abuse", &json!({})),
        )
        .await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{told}");
    }
    let bad = chat("abuse", &json!({"user": ADA}));
    for turn in 0..20 {
        let (status, told) = post(&product, (CHAT, &customer), None, &bad).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{turn}: {told}");
        assert_eq!(told["error"]["code"], "content_policy_violation", "{turn}");
    }
    let told = refused(&product, &fake, &customer, ADA).await;
    assert_eq!(told["error"]["code"], "end_user_suspended", "{told}");
    let own = suspended(&product, &customer).await;
    assert_eq!(own.as_array().map(Vec::len), Some(1), "{own}");
    assert_eq!(own[0]["why"], "flagged");
    assert!(own[0]["until"].is_string(), "it ends by itself: {own}");
    let (status, _) = post(&product, (CHAT, &customer), None, &chat("hi", &json!({}))).await;
    assert_eq!(status, StatusCode::OK, "the key goes on");
    product.stop().await;
}
