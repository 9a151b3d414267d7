//! The studio: costs are told before, and a refused call says why.

use poem::http::{Method, StatusCode};
use poem::{Body, Endpoint, Request};
use serde_json::{Value, json};

use super::super::{Answer, Browser, PASSWORD, Start, places};
use super::{log_in, tenant};

/// What our script sends: JSON with the token in a header, or without it.
async fn script(browser: &Browser, path: &str, body: &Value, with_token: bool) -> Answer {
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(path.parse().expect("a path"))
        .header("host", "localhost:3000")
        .content_type("application/json");
    let pairs = browser.cookies.iter().map(|(k, v)| format!("{k}={v}"));
    request = request.header("cookie", pairs.collect::<Vec<_>>().join("; "));
    if with_token {
        request = request.header("x-csrf-token", &browser.token);
    }
    let request = request.body(Body::from(body.to_string()));
    Answer::of(browser.face.get_response(request).await).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_studio_tells_costs_before_and_why_a_call_was_refused() {
    for (place, _db) in places(Start::default()).await {
        let token = place.token("admin", PASSWORD).await;
        tenant(&place, &token, "Acme").await;
        let mut ada = log_in(&place, "Acme", "ada").await;
        let page = ada.get("/portal/studio/chat").await;
        assert!(page.body.contains("sandbox-chat"), "{}", page.body);
        let talk =
            json!({"model": "sandbox-chat", "messages": [{"role": "user", "content": "hi"}]});
        let draw = json!({"model": "sandbox-image", "prompt": "a cat", "n": 2});
        for wish in [&talk, &draw] {
            let answer = script(&ada, "/portal/studio/estimate", wish, true).await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
            let number = |name: &str| -> f64 {
                let text = answer.json()[name].as_str().expect("a text").to_owned();
                text.parse().expect("a decimal")
            };
            let (least, most) = (number("credits_min"), number("credits_max"));
            let about = number("credits_about");
            assert!(0.0 < least && least <= about, "{}", answer.body);
            assert!(about <= most, "{}", answer.body);
        }
        let unknown = json!({"model": "nobody", "prompt": "a cat"});
        let answer = script(&ada, "/portal/studio/estimate", &unknown, true).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(answer.json()["error"]["message"].is_string());

        // The tenant has no credits: the hold is refused, the same way as at the API.
        for (path, wish) in [
            ("/portal/studio/chat", &talk),
            ("/portal/studio/images", &draw),
        ] {
            let answer = script(&ada, path, wish, true).await;
            assert_eq!(answer.status, StatusCode::PAYMENT_REQUIRED, "{path}");
            assert!(answer.json()["error"]["message"].is_string());
            let answer = script(&ada, path, wish, false).await;
            assert_eq!(
                answer.status,
                StatusCode::FORBIDDEN,
                "{path} without a token"
            );
            let answer = script(&ada, path, &json!({"model": 1}), true).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}");
        }
        let form = [
            ("model", "sandbox-chat"),
            ("message", "<b>keep me</b>"),
            ("history", "[{\"role\":\"user\",\"content\":\"before\"}]"),
        ];
        let answer = ada.post("/portal/studio/chat", &form).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(answer.body.contains("keep me") && !answer.body.contains("<b>keep"));
        assert!(answer.body.contains("before"), "the conversation stays");
        let form = [("model", "sandbox-image"), ("prompt", "a cat"), ("n", "x")];
        let answer = ada.post("/portal/studio/images", &form).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(
            ada.get("/portal/usage/gen_0").await.status,
            StatusCode::NOT_FOUND
        );
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_set_for_answers_is_bounded_and_stays_in_its_form() {
    for (place, _db) in places(Start::default()).await {
        let token = place.token("admin", PASSWORD).await;
        tenant(&place, &token, "Acme").await;
        let mut ada = log_in(&place, "Acme", "ada").await;
        ada.get("/portal/studio/chat").await;
        let png = "data:image/png;base64,aGVsbG8=";
        let talk = |settings: Value, images: Value, content: &str| {
            json!({"model": "sandbox-chat", "settings": settings,
                "messages": [{"role": "user", "content": content, "images": images}]})
        };
        let refused = [
            (
                talk(json!({"temperature": 3}), json!([]), "hi"),
                "Temperature",
            ),
            (talk(json!({"top_p": "much"}), json!([]), "hi"), "Top P"),
            (
                talk(json!({"max_tokens": 0}), json!([]), "hi"),
                "Max output",
            ),
            (talk(json!({"seed": 1}), json!([]), "hi"), "Settings"),
            // The sandbox's model is not said to read pictures.
            (talk(json!({}), json!([png]), "hi"), "does not read images"),
        ];
        for (wish, told) in refused {
            for path in ["/portal/studio/chat", "/portal/studio/estimate"] {
                let answer = script(&ada, path, &wish, true).await;
                assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{wish}");
            }
            let answer = script(&ada, "/portal/studio/chat", &wish, true).await;
            assert!(answer.body.contains(told), "{told}: {}", answer.body);
        }
        // A long conversation is no form: it passes the door, and is refused for what it costs.
        let long = talk(
            json!({"temperature": "0,5"}),
            json!([]),
            &"x".repeat(400_000),
        );
        let answer = script(&ada, "/portal/studio/chat", &long, true).await;
        assert_eq!(
            answer.status,
            StatusCode::PAYMENT_REQUIRED,
            "{}",
            answer.body
        );
        let form = [
            ("model", "sandbox-chat"),
            ("message", "keep this"),
            ("history", "[]"),
            ("system", "Speak as a pirate."),
            ("temperature", "3"),
            ("length", "short"),
        ];
        let answer = ada.post("/portal/studio/chat", &form).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        for part in [
            "keep this",
            "Speak as a pirate.",
            "value=\"3\"",
            "f-temperature-error",
        ] {
            assert!(answer.body.contains(part), "{part}: {}", answer.body);
        }
        assert!(
            answer.body.contains("<option value=\"short\" selected"),
            "{}",
            answer.body
        );
        place.end().await;
    }
}
