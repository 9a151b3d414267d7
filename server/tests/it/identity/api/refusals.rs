//! What is refused over HTTP, and that a refusal tells no stranger more than another one.

mod odd;

use serde_json::json;

use super::super::PASSWORD;
use super::{apis, assert_error, text};

#[tokio::test]
async fn whatever_is_wrong_with_a_credential_the_401_is_the_same() {
    for api in apis().await {
        let (_, key) = api.acme().await;
        let unknown = format!("wk_live_{}", "a".repeat(32));
        let login = async |key: &str, username: &str, password: &str| {
            let body =
                json!({"apiKey": key, "username": username, "password": password}).to_string();
            api.send("POST", "/api/v1/auth/login", None, &body).await
        };
        let first = login(&unknown, "ada", PASSWORD).await;
        assert_error(&first, 401, "invalid_api_key");
        for (key, username, password) in [
            (key.as_str(), "eve", PASSWORD),
            (&key, "ada", "wrong horse"),
            (&key, "a\0b", PASSWORD),
            ("", "", ""),
        ] {
            let other = login(key, username, password).await;
            assert_eq!((other.status, &other.body), (401, &first.body));
        }
        let paths = ["/api/v1/me", "/admin/api/tenants", "/admin/api/audit"];
        for path in paths {
            for token in [None, Some(""), Some("x"), Some(unknown.as_str())] {
                let other = api.send("GET", path, token, "").await;
                assert_eq!(
                    (other.status, &other.body),
                    (401, &first.body),
                    "{path} {token:?}"
                );
            }
        }
    }
}

#[tokio::test]
async fn tenants_are_no_superadmins_and_superadmins_no_tenants() {
    for api in apis().await {
        let (tenant, key) = api.acme().await;
        let body = json!({"apiKey": key, "username": "ada", "password": PASSWORD}).to_string();
        let login = api.send("POST", "/api/v1/auth/login", None, &body).await;
        assert_error(&api.get("/api/v1/me").await, 401, "invalid_api_key");
        for token in [&key, &text(&login.body["token"])] {
            for (method, path) in [
                ("GET", "/admin/api/tenants".to_owned()),
                ("POST", "/admin/api/tenants".to_owned()),
                ("PATCH", format!("/admin/api/tenants/{tenant}")),
                ("POST", format!("/admin/api/tenants/{tenant}/users")),
                ("POST", format!("/admin/api/tenants/{tenant}/keys")),
                ("GET", "/admin/api/audit".to_owned()),
            ] {
                // Refused before the body is looked at.
                let answer = api.send(method, &path, Some(token), "{").await;
                assert_error(&answer, 401, "invalid_api_key");
            }
        }
    }
}

#[tokio::test]
async fn what_is_not_there_is_a_404_whoever_it_belongs_to() {
    for api in apis().await {
        let (acme, _) = api.acme().await;
        let other = api
            .post("/admin/api/tenants", &json!({"name": "Other"}))
            .await;
        let other = text(&other.body["tenant"]["id"]);
        let body = json!({"username": "eve", "password": PASSWORD, "role": "member"});
        let user = api
            .post(&format!("/admin/api/tenants/{acme}/users"), &body)
            .await;
        let user = text(&user.body["id"]);
        let key = api
            .post(
                &format!("/admin/api/tenants/{acme}/keys"),
                &json!({"name": "k"}),
            )
            .await;
        let key = text(&key.body["key"]["id"]);
        let missing = [
            ("GET", "/admin/api/tenants/ten_0".to_owned()),
            ("GET", "/admin/api/tenants/x%00".to_owned()),
            ("GET", "/admin/api/tenants/ten_0/users".to_owned()),
            ("GET", "/admin/api/tenants/ten_0/keys".to_owned()),
            ("PATCH", "/admin/api/tenants/ten_0".to_owned()),
            ("PATCH", format!("/admin/api/tenants/{other}/users/{user}")),
            ("DELETE", format!("/admin/api/tenants/{other}/users/{user}")),
            ("DELETE", format!("/admin/api/tenants/{acme}/users/{key}")),
            ("DELETE", format!("/admin/api/tenants/{other}/keys/{key}")),
            ("DELETE", format!("/admin/api/tenants/{acme}/keys/key_0")),
        ];
        for (method, path) in missing {
            assert_error(
                &api.send(method, &path, Some(&api.admin), "{}").await,
                404,
                "not_found",
            );
        }
        let users = api.get(&format!("/admin/api/tenants/{acme}/users")).await;
        assert_eq!(
            users.body["data"].as_array().map(Vec::len),
            Some(2),
            "nothing of it happened"
        );
    }
}

#[tokio::test]
async fn too_many_attempts_get_a_429_that_says_when_to_come_back() {
    for api in apis().await {
        let body = json!({"username": "admin", "password": "wrong horse"}).to_string();
        let mut answer = api.send("POST", "/admin/api/login", None, &body).await;
        for _ in 0..5 {
            if answer.status == 401 {
                answer = api.send("POST", "/admin/api/login", None, &body).await;
            }
        }
        assert_error(&answer, 429, "too_many_attempts");
        assert_eq!(answer.retry_after.as_deref(), Some("1"));
        assert!(api.process.clock.now().unix_ms() > 0);
    }
}
