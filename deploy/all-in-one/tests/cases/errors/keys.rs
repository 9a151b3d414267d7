//! What refusals do to keys: which of them take one out, and which leave it to the others.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::json;

use super::{NONE, TWO, reads, says};
use crate::case::case;
use crate::fake::bodies::{error, good_whole};
use crate::fake::{always, on, saying, with_key};
use crate::world::everywhere;

#[test]
fn e04_a_flagged_prompt_disables_no_key() {
    everywhere(async |shape| {
        let body = r#"{"error":{"code":403,"message":"Your input was flagged by moderation","metadata":{"reasons":["violence"],"flagged_input":"..."}}}"#;
        let rows = vec![
            saying("evil things", error(403, body)),
            always(good_whole()),
        ];
        let case = case(shape, rows).keys(&TWO).start().await;
        for _ in 0..2 {
            let flagged = case.chat(&says("evil things")).await;
            flagged.is_one_of(&[400, 403]);
            assert!(
                flagged.message().contains("Your input was flagged"),
                "{}",
                flagged.text
            );
        }
        assert_eq!(case.key_states().await, ["active", "active"]);
        case.chat(&NONE).await.is(200);
    });
}

#[test]
fn e06_a_model_that_the_project_lacks_leaves_the_keys_to_the_others() {
    everywhere(async |shape| {
        let body = r#"{"error":{"message":"Project `proj_abc` does not have access to model `secret-1`","type":"invalid_request_error","param":null,"code":"model_not_found"}}"#;
        let lacks = |seen: &crate::fake::Seen| seen.json["model"] == "secret-1";
        let rows = vec![on(lacks, error(403, body)), always(good_whole())];
        let case = case(shape, rows).keys(&TWO).start().await;
        let target =
            json!({"provider": case.first, "model": "secret-1", "weight": 1, "priority": 0});
        let name = format!("{}-secret", case.model);
        let body = json!({"id": name, "operation": "chat", "targets": [target], "price": {}});
        let (status, made) = case
            .product
            .admin(Method::POST, "/models", Some(body))
            .await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        for _ in 0..3 {
            let refused = case.chat(&json!({"model": name})).await;
            refused.is_one_of(&[403, 404, 503]);
            assert!(!refused.text.contains("proj_abc"), "{}", refused.text);
        }
        assert_eq!(case.key_states().await, ["active", "active"]);
        case.chat(&NONE).await.is(200);
    });
}

#[test]
fn e07_a_402_that_depends_on_the_request_leaves_small_calls_alone() {
    everywhere(async |shape| {
        let body = r#"{"error":{"message":"This request requires more credits, or fewer max_tokens. You requested up to 65536 tokens, but can only afford 3919.","code":402}}"#;
        let large = |seen: &crate::fake::Seen| {
            let max = &seen.json["max_tokens"];
            max.as_u64()
                .or(seen.json["max_completion_tokens"].as_u64())
                .is_some_and(|max| max > 500)
        };
        let rows = vec![on(large, error(402, body)), always(good_whole())];
        let case = case(shape, rows).start().await;
        let refused = case.chat(&json!({"max_tokens": 900})).await;
        assert!(refused.status >= 400, "{}", refused.text);
        case.chat(&json!({"max_tokens": 100})).await.is(200);
        assert_eq!(case.key_states().await, ["active"]);
    });
}

#[test]
fn e09_a_400_that_names_the_key_takes_the_key_out() {
    everywhere(async |shape| {
        let body = r#"[{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID","domain":"googleapis.com"}]}}]"#;
        let rows = vec![with_key(TWO[0], error(400, body)), always(good_whole())];
        let case = case(shape, rows).keys(&TWO).start().await;
        // Questions that begin alike would stay with one key.
        for user in 0..12 {
            let user = json!({"user": format!("user {user}")});
            case.chat(&user).await.is(200);
        }
        let disabled = async {
            while case.key_states().await != ["disabled", "active"] {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let disabled = tokio::time::timeout(Duration::from_secs(10), disabled).await;
        assert!(disabled.is_ok(), "{:?}", case.key_states().await);
    });
}

#[test]
fn e13_refusals_of_a_request_leave_the_keys_active() {
    everywhere(async |shape| {
        let body = r#"{"error":{"message":"not like this","type":"invalid_request_error"}}"#;
        for status in [400, 413, 422] {
            let refused = reads(shape, error(status, body)).await;
            refused.is(status);
            assert!(
                refused.message().contains("not like this"),
                "{}",
                refused.text
            );
        }
    });
}

#[test]
fn e14_a_key_without_quota_leaves_the_call_to_the_other() {
    everywhere(async |shape| {
        let body = r#"{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}"#;
        let rows = vec![with_key(TWO[0], error(429, body)), always(good_whole())];
        let case = case(shape, rows).keys(&TWO).start().await;
        for _ in 0..6 {
            case.chat(&NONE).await.is(200);
        }
        let spent = case
            .calls()
            .iter()
            .filter(|call| call.key() == TWO[0])
            .count();
        assert!(spent <= 1, "{spent}");
    });
}

#[test]
fn e20_a_key_is_not_called_bad_where_its_test_can_not_tell() {
    everywhere(async |shape| {
        let nowhere = error(404, r#"{"detail":"Not Found"}"#);
        let rows = vec![
            on(|seen| seen.method == "GET", nowhere),
            always(good_whole()),
        ];
        let case = case(shape, rows).start().await;
        let id = case.keys().await[0]["id"]
            .as_str()
            .expect("an id")
            .to_owned();
        let path = format!("/providers/{}/keys/{id}/test", case.first);
        let (status, told) = case.product.admin(Method::POST, &path, None).await;
        assert_eq!(status, StatusCode::OK, "{told}");
        let detail = told["detail"].as_str().unwrap_or_default();
        assert!(
            told["ok"] == true || detail.contains("can't be told"),
            "{told}"
        );
        case.chat(&NONE).await.is(200);
    });
}

#[test]
fn e22_a_pasted_key_is_trimmed_or_refused() {
    everywhere(async |shape| {
        let case = case(shape, vec![always(good_whole())])
            .keys(&[])
            .start()
            .await;
        let path = format!("/providers/{}/keys", case.first);
        for pasted in [
            " sk-pasted-0123456789\n",
            "\tsk-pasted-0123456789 ",
            "sk-pasted\r\n-0123456789",
        ] {
            let body = json!({"secret": pasted});
            let (status, made) = case.product.admin(Method::POST, &path, Some(body)).await;
            if status != StatusCode::BAD_REQUEST {
                assert_eq!(status, StatusCode::CREATED, "{made}");
                case.chat(&NONE).await.is(200);
                let calls = case.calls();
                assert_eq!(
                    calls.last().map(crate::fake::Seen::key),
                    Some("sk-pasted-0123456789")
                );
            }
        }
    });
}
