//! Odd bodies and queries: each gets a 400 that says what is wrong.

use serde_json::{Value, json};

use super::super::super::PASSWORD;
use super::super::{apis, text};

#[tokio::test]
async fn odd_bodies_and_queries_get_a_400_that_says_what_is_wrong() {
    for api in apis().await {
        let (tenant, _) = api.acme().await;
        let users = format!("/admin/api/tenants/{tenant}/users");
        let keys = format!("/admin/api/tenants/{tenant}/keys");
        let user = |field: &str, value: Value| {
            let mut body = json!({"username": "eve", "password": PASSWORD, "role": "member"});
            body[field] = value;
            body
        };
        let key = |field: &str, value: Value| {
            let mut body = json!({"name": "main", "kind": "live"});
            body[field] = value;
            body
        };
        let cases = [
            (&users, user("id", json!("usr_1")), "id"),
            (&users, user("password_hash", json!("x")), "password_hash"),
            (&users, user("role", json!("superadmin")), "role"),
            (&users, user("username", json!("a b")), "username"),
            (&users, user("password", json!("short")), "password"),
            (&users, user("password", json!("x".repeat(600))), "password"),
            (&keys, key("secret", json!("wk_live_x")), "secret"),
            (&keys, key("name", json!("a\nb")), "name"),
            (&keys, key("kind", json!("master")), "kind"),
            (&keys, key("expires_at", json!("2020-01-01")), "expires_at"),
            (&keys, key("expires_at", json!("soon")), "expires_at"),
            (&keys, key("allowed_models", json!([])), "allowed_models"),
            (
                &keys,
                key("allowed_addresses", json!(["everywhere"])),
                "allowed_addresses",
            ),
            (&keys, key("limits", json!({"concurrency": 0})), "limits"),
            (
                &keys,
                key("limits", json!({"concurrency": -1})),
                "LimitsBody",
            ),
            (&keys, key("limits", json!({"per_day": 1})), "per_day"),
        ];
        for (path, body, field) in cases {
            let answer = api.post(path, &body).await;
            assert_eq!(answer.status, 400, "{body} {}", answer.body);
            let error = &answer.body["error"];
            let told = error["param"] == field || text(&error["message"]).contains(field);
            assert!(
                told && error["type"] == "invalid_request_error",
                "{field}: {error}"
            );
        }
        for body in [
            "",
            "{",
            "[]",
            "null",
            "\"x\"",
            r#"{"name":[7]}"#,
            "{\"name\":\"\u{0}\"}",
        ] {
            let answer = api
                .send("POST", "/admin/api/tenants", Some(&api.admin), body)
                .await;
            assert_eq!(
                (answer.status, &answer.body["error"]["type"]),
                (400, &json!("invalid_request_error")),
                "{body}"
            );
        }
        for query in [
            "limit=0",
            "limit=101",
            "limit=x",
            "after=x",
            "after=usr_1",
            "search=%00",
        ] {
            let answer = api.get(&format!("/admin/api/tenants?{query}")).await;
            assert_eq!(
                (answer.status, &answer.body["error"]["type"]),
                (400, &json!("invalid_request_error")),
                "{query}"
            );
        }
        assert_eq!(
            api.get("/admin/api/tenants").await.body["data"]
                .as_array()
                .map(Vec::len),
            Some(1)
        );
    }
}
