//! Identity over HTTP: what clients and superadmins send and read.

use poem::endpoint::BoxEndpoint;
use poem::middleware::AddData;
use poem::{Body, Endpoint, EndpointExt, Request, Response};
use poem_openapi::OpenApiService;
use serde_json::{Value, json};
use server::api::admin::audit::AuditApi;
use server::api::admin::keys::KeysApi;
use server::api::admin::login::AdminLoginApi;
use server::api::admin::tenants::TenantsApi;
use server::api::admin::users::UsersApi;
use server::api::error;
use server::api::manage::me::MeApi;
use server::api::manage::sessions::SessionsApi;
use server::store::accounts::ApiKeyKind;

use super::{PASSWORD, Process, first_superadmin, processes};
use crate::support::TestDb;

/// The routes of identity alone, with the hook that the whole server has.
struct Api {
    process: Process,
    routes: BoxEndpoint<'static, Response>,
    /// A superadmin's token.
    admin: String,
    #[expect(dead_code, reason = "the database goes with the last that uses it")]
    db: TestDb,
}

struct Answer {
    status: u16,
    retry_after: Option<String>,
    body: Value,
}

fn apis() -> impl Future<Output = Vec<Api>> {
    // Boxed: all routes of a service are large on a test's stack.
    Box::pin(async {
        let mut apis = Vec::new();
        for (process, db) in processes().await {
            let (accounts, sessions) = (process.accounts.clone(), process.sessions.clone());
            let service = (
                SessionsApi {
                    sessions: sessions.clone(),
                    auth: process.auth.clone(),
                },
                MeApi,
                AdminLoginApi { sessions },
                TenantsApi {
                    accounts: accounts.clone(),
                },
                UsersApi {
                    accounts: accounts.clone(),
                    factors: process.factors.clone(),
                },
                KeysApi {
                    accounts: accounts.clone(),
                },
                AuditApi { accounts },
            );
            let service = OpenApiService::new(service, "identity", "0")
                .with(AddData::new(process.auth.clone()));
            let routes = service
                .catch_all_error(error::envelope)
                .map_to_response()
                .boxed();
            first_superadmin(&process.accounts).await;
            let mut api = Api {
                process,
                routes,
                admin: String::new(),
                db,
            };
            let login = json!({"username": "admin", "password": PASSWORD});
            let login = api
                .send("POST", "/admin/api/login", None, &login.to_string())
                .await;
            assert_eq!(
                (login.status, &login.body["expires_in"]),
                (200, &json!(28_800))
            );
            api.admin = text(&login.body["token"]);
            apis.push(api);
        }
        apis
    })
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

impl Api {
    async fn send(&self, method: &str, path: &str, token: Option<&str>, body: &str) -> Answer {
        let mut request = Request::builder()
            .method(method.parse().expect("a method"))
            .uri(path.parse().expect("a path"))
            .content_type("application/json");
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let mut response = self
            .routes
            .get_response(request.body(Body::from(body.to_owned())))
            .await;
        let retry_after = response
            .headers()
            .get("retry-after")
            .map(|value| value.to_str().expect("text").to_owned());
        let bytes = response.take_body().into_bytes().await.expect("a body");
        let body = if bytes.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&bytes).expect("JSON")
        };
        Answer {
            status: response.status().as_u16(),
            retry_after,
            body,
        }
    }

    async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, Some(&self.admin), &body.to_string())
            .await
    }

    async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, Some(&self.admin), "").await
    }

    /// Makes a tenant with an owner; answers its id and key.
    async fn acme(&self) -> (String, String) {
        let body = json!({"name": "Acme", "username": "ada", "password": PASSWORD});
        let made = self.post("/admin/api/tenants", &body).await;
        assert_eq!(made.status, 201, "{}", made.body);
        (text(&made.body["tenant"]["id"]), text(&made.body["key"]))
    }
}

#[track_caller]
fn assert_error(answer: &Answer, status: u16, code: &str) {
    let error = &answer.body["error"];
    assert_eq!(
        (answer.status, error["code"].as_str()),
        (status, Some(code)),
        "{}",
        answer.body
    );
    for field in ["message", "type"] {
        assert!(error[field].is_string(), "{}", answer.body);
    }
}

#[tokio::test]
async fn a_tenant_is_made_and_its_owner_logs_in_refreshes_and_logs_out() {
    for api in apis().await {
        let (tenant, key) = api.acme().await;
        let body = json!({"apiKey": key, "username": "ada", "password": PASSWORD}).to_string();
        let login = api.send("POST", "/api/v1/auth/login", None, &body).await;
        assert_eq!(
            (login.status, &login.body["expires_in"]),
            (200, &json!(900))
        );
        assert_eq!(login.body["user"]["role"], "owner");
        assert_eq!(
            (
                &login.body["user"]["tenant_id"],
                &login.body["tenant"]["id"]
            ),
            (&json!(tenant), &json!(tenant))
        );

        let me = api
            .send("GET", "/api/v1/me", Some(&text(&login.body["token"])), "")
            .await;
        assert_eq!(
            (me.status, &me.body["username"], &me.body["tenant_name"]),
            (200, &json!("ada"), &json!("Acme"))
        );
        let me = api.send("GET", "/api/v1/me", Some(&key), "").await;
        assert_eq!(
            (me.status, &me.body["user_id"], &me.body["test"]),
            (200, &Value::Null, &json!(false))
        );

        let body = json!({"refresh_token": login.body["refresh_token"]}).to_string();
        let next = api.send("POST", "/api/v1/auth/refresh", None, &body).await;
        assert_eq!(
            (next.status, &next.body["user"]),
            (200, &login.body["user"])
        );
        let body = json!({"refresh_token": next.body["refresh_token"]}).to_string();
        assert_eq!(
            api.send("POST", "/api/v1/auth/logout", None, &body)
                .await
                .status,
            204
        );
        let me = api
            .send("GET", "/api/v1/me", Some(&text(&next.body["token"])), "")
            .await;
        assert_error(&me, 401, "invalid_api_key");
        assert_error(
            &api.send("POST", "/api/v1/auth/refresh", None, &body).await,
            401,
            "invalid_api_key",
        );
    }
}

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
async fn keys_and_users_are_made_listed_and_ended_and_no_list_shows_a_secret() {
    for api in apis().await {
        let (tenant, _) = api.acme().await;
        let keys = format!("/admin/api/tenants/{tenant}/keys");
        let made = api
            .post(
                &keys,
                &json!({"name": "test", "kind": "test", "expires_at": "2030-01-01"}),
            )
            .await;
        assert_eq!(made.status, 201, "{}", made.body);
        let plain = text(&made.body["secret"]);
        assert_eq!(
            server::auth::api_key::kind_of(&plain),
            Some(ApiKeyKind::Test)
        );
        assert_eq!(
            (
                &made.body["key"]["prefix"],
                text(&made.body["key"]["last4"])
            ),
            (&json!("wk_test_"), plain[36..].to_owned())
        );
        let path = format!("{keys}/{}", text(&made.body["key"]["id"]));
        assert_eq!(
            api.send("DELETE", &path, Some(&api.admin), "").await.status,
            204
        );
        assert_error(
            &api.send("DELETE", &path, Some(&api.admin), "").await,
            404,
            "not_found",
        );
        assert_error(
            &api.send("GET", "/api/v1/me", Some(&plain), "").await,
            401,
            "invalid_api_key",
        );

        let page = api.get(&format!("{keys}?limit=1")).await.body;
        assert_eq!(
            (
                &page["object"],
                &page["has_more"],
                &page["data"][0]["status"]
            ),
            (&json!("list"), &json!(true), &json!("revoked"))
        );
        let rest = api
            .get(&format!("{keys}?limit=1&after={}", text(&page["next"])))
            .await
            .body;
        assert_eq!(
            (&rest["has_more"], &rest["next"]),
            (&json!(false), &Value::Null)
        );
        assert_eq!(rest["data"][0]["name"], "first key");

        let patch = json!({"status": "suspended", "limits": {"concurrency": 2}}).to_string();
        let patched = api
            .send(
                "PATCH",
                &format!("/admin/api/tenants/{tenant}"),
                Some(&api.admin),
                &patch,
            )
            .await;
        assert_eq!(
            (
                &patched.body["status"],
                &patched.body["limits"]["concurrency"]
            ),
            (&json!("suspended"), &json!(2))
        );
        let audit = api.get("/admin/api/audit?limit=100").await.body;
        assert_eq!(
            (
                &audit["data"][0]["action"],
                &audit["data"][0]["before"]["status"]
            ),
            (&json!("tenant.update"), &json!("active"))
        );
        assert_eq!(audit["data"][0]["actor_name"], "admin");
        for shown in [
            page,
            rest,
            audit,
            api.get(&format!("/admin/api/tenants/{tenant}/users"))
                .await
                .body,
        ] {
            let shown = shown.to_string();
            assert!(
                !shown.contains(&plain) && !shown.contains("hash") && !shown.contains("argon2"),
                "{shown}"
            );
        }
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
