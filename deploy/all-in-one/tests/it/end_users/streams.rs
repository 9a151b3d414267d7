//! Refusals in the middle of a stream: the tenant reads what it is in its own dialect, pays for what it got,
//! and of a person whom the provider refuses the next call is refused.

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{ADA, BLOCKED, CHAT, FLAGGED, post, refused, suspended};
use crate::faults::fake::{Fake, answer, count, model, models, provider, stream_of};
use crate::support::joined::{Joined, start};
use crate::support::places;

const WELL: &str = "data: {\"id\":\"x\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"well\"}}]}\n\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_in_mid_stream_is_told_as_one_and_stops_the_person() {
    for place in places().await {
        let product = start(&place, Joined::OverHttp).await;
        let (fake, address) = Fake::start(|seen| {
            let ends = |error: &str| stream_of(&format!("{WELL}data: {error}\n\n"));
            match seen {
                seen if seen.asks_models() => models(),
                seen if seen.says("abuse") => ends(BLOCKED),
                seen if seen.says("filth") => ends(FLAGGED),
                seen if seen.says("luck") => ends(r#"{"error":{"message":"Oops","code":500}}"#),
                _ => answer("200 OK", "", crate::faults::fake::GOOD),
            }
        })
        .await;
        provider(&product, "vendor", &format!("http://{address}/v1"), 2).await;
        model(&product, "m", &["vendor"]).await;

        let chat = |text: &str| json!({"model": "m", "stream": true, "user": ADA, "messages": [{"role": "user", "content": text}]});
        let message = |text: &str| json!({"model": "m", "stream": true, "max_tokens": 9, "metadata": {"user_id": ADA}, "messages": [{"role": "user", "content": text}]});
        let respond =
            |text: &str| json!({"model": "m", "stream": true, "input": text, "user": ADA});
        let say = |text: &str| json!({"contents": [{"role": "user", "parts": [{"text": text}]}]});
        let paths = [
            (CHAT, None),
            ("/v1/messages", None),
            ("/v1/responses", None),
            ("/v1beta/models/m:streamGenerateContent?alt=sse", Some(ADA)),
        ];
        // What is asked, a word of the error by surface, and whether that ends in a suspension.
        for (text, words, suspends) in [
            (
                "abuse",
                [
                    "end_user_suspended",
                    "permission_error",
                    "end_user_suspended",
                    "PERMISSION_DENIED",
                ],
                true,
            ),
            (
                "filth",
                [
                    "content_policy_violation",
                    "invalid_request_error",
                    "content_policy_violation",
                    "INVALID_ARGUMENT",
                ],
                false,
            ),
            (
                "luck",
                ["overloaded", "api_error", "overloaded", "UNAVAILABLE"],
                false,
            ),
        ] {
            for ((path, header), word) in paths.into_iter().zip(words) {
                // A person for each: whom one call suspends, the next would not reach anybody.
                let customer = product.customer("50").await;
                let body = match path {
                    CHAT => chat(text),
                    "/v1/messages" => message(text),
                    "/v1/responses" => respond(text),
                    _ => say(text),
                };
                let (status, told) = post(&product, (path, &customer), header, &body).await;
                let told = told.as_str().unwrap_or_default();
                assert_eq!(status, StatusCode::OK, "{path} {text}: {told}");
                assert!(told.contains("well"), "{path} {text}: {told}");
                assert!(told.contains(word), "{path} {text}: {told}");
                let balance = product.settled(&customer).await;
                assert_eq!(
                    balance["used"],
                    json!(1),
                    "what came is charged: {path} {text}: {balance}"
                );
                if suspends {
                    refused(&product, &fake, &customer, ADA).await;
                }
                let list = suspended(&product, &customer).await;
                let suspended = list.as_array().map_or(0, Vec::len);
                assert_eq!(suspended, usize::from(suspends), "{path} {text}: {list}");
                if suspends {
                    let reason: &Value = &list[0]["why"];
                    assert_eq!(reason, "provider", "{list}");
                }
            }
        }
        assert_eq!(
            count(&product, "vendor", "active").await,
            2,
            "no key's fault"
        );
        product.stop().await;
    }
}
