//! Identity over HTTP: what clients and superadmins send and read.

mod refusals;

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

use super::process::{Process, processes};
use super::{PASSWORD, first_superadmin};
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
