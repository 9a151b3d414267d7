//! A key that manages keys makes, changes and rotates keys within itself only.

use poem::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::super::{PASSWORD, Place, Start, places};
use super::{add_key, code, tenant_fixture};

const KEYS: &str = "/api/v1/keys";

/// What the parent has.
fn parent() -> Value {
    json!({
        "name": "parent",
        "scopes": ["inference", "keys"],
        "allowed_models": ["small", "large"],
        "allowed_addresses": ["192.0.2.0/24", "0.0.0.0"],
        "expires_at": "2027-01-01T00:00:00Z",
        "limits": {"requests_per_minute": 60, "tokens_per_minute": 1000, "concurrency": 4},
    })
}

/// Each row: a child's field, and whether it is within the parent.
fn matrix() -> Vec<(&'static str, Value, bool)> {
    let limits = |requests: Option<u32>, tokens: Option<u64>, calls: Option<u32>| json!({"requests_per_minute": requests, "tokens_per_minute": tokens, "concurrency": calls});
    vec![
        ("allowed_models", json!(["small"]), true),
        ("allowed_models", json!(["large", "small"]), true),
        ("allowed_models", json!(["small", "other"]), false),
        ("allowed_addresses", json!(["192.0.2.7"]), true),
        ("allowed_addresses", json!(["192.0.2.128/25"]), true),
        ("allowed_addresses", json!(["192.0.2.0/23"]), false),
        (
            "allowed_addresses",
            json!(["192.0.2.7", "198.51.100.1"]),
            false,
        ),
        ("allowed_addresses", json!(["::/0"]), false),
        ("expires_at", json!("2026-12-31T00:00:00Z"), true),
        ("expires_at", json!("2027-01-01T00:00:00Z"), true),
        ("expires_at", json!("2027-01-01T00:00:01Z"), false),
        ("scopes", json!(["inference"]), true),
        ("scopes", json!(["usage"]), false),
        ("scopes", json!(["inference", "usage"]), false),
        ("scopes", json!(["inference", "keys"]), false),
        ("limits", limits(Some(60), Some(1000), Some(4)), true),
        ("limits", limits(Some(1), Some(1), Some(1)), true),
        ("limits", limits(Some(61), Some(1000), Some(4)), false),
        ("limits", limits(Some(60), Some(1001), Some(4)), false),
        ("limits", limits(Some(60), Some(1000), Some(5)), false),
    ]
}

async fn ask(
    place: &Place,
    method: Method,
    path: &str,
    key: &str,
    body: &Value,
) -> (StatusCode, String, Value) {
    let answer = place.api(method, path, key, body).await;
    let told = serde_json::from_str(&answer.body).unwrap_or_default();
    (answer.status, code(&answer), told)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_makes_and_changes_keys_within_itself_only() {
    const REFUSALS: [&str; 2] = ["beyond_your_key", "scope_not_allowed"];
    for (place, _db) in places(Start::default()).await {
        let owner = place.token("admin", PASSWORD).await;
        let acme = tenant_fixture(&place, &owner, "Acme").await;
        let (id, key) = add_key(&place, &owner, &acme.id, &parent()).await;
        let (status, _, plain) =
            ask(&place, Method::POST, KEYS, &key, &json!({"name": "plain"})).await;
        assert_eq!(status, StatusCode::CREATED, "{plain}");
        let child = &plain["key"];
        assert_eq!(child["parent_id"], json!(id));
        assert_eq!(
            child["scopes"],
            json!(["inference"]),
            "what nothing is said about"
        );
        for field in ["allowed_models", "allowed_addresses", "limits"] {
            assert_eq!(child[field], parent()[field], "{}", place.name);
        }
        assert!(
            child["expires_at"]
                .as_str()
                .is_some_and(|at| at.starts_with("2027-01-01T00:00:00"))
        );
        let one = format!("{KEYS}/{}", child["id"].as_str().expect("an id"));
        for (field, value, within) in matrix() {
            let at = format!("{} {field} {value}", place.name);
            let new = json!({"name": "child", field: value});
            let (status, code, _) = ask(&place, Method::POST, KEYS, &key, &new).await;
            assert_eq!(status == StatusCode::CREATED, within, "make: {at}");
            assert!(within || REFUSALS.contains(&code.as_str()), "{at}: {code}");
            let (status, code, _) =
                ask(&place, Method::PATCH, &one, &key, &json!({field: value})).await;
            assert_eq!(status == StatusCode::OK, within, "change: {at} {code}");
            assert!(within || REFUSALS.contains(&code.as_str()), "{at}: {code}");
        }
        for field in ["allowed_models", "allowed_addresses", "expires_at"] {
            ask(&place, Method::PATCH, &one, &key, &json!({field: null})).await;
            let (_, _, shown) = ask(&place, Method::GET, &one, &key, &json!({})).await;
            assert!(!shown[field].is_null(), "{field} is taken away: {shown}");
        }
        let (status, ..) = ask(&place, Method::PATCH, &one, &key, &json!({"limits": {}})).await;
        assert_eq!(status, StatusCode::FORBIDDEN);
        // A test key reaches no provider, so it is within; the other way round is not possible.
        let test = json!({"name": "test", "kind": "test"});
        assert_eq!(
            ask(&place, Method::POST, KEYS, &key, &test).await.0,
            StatusCode::CREATED
        );
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_does_not_get_the_secret_of_one_that_has_more() {
    for (place, _db) in places(Start::default()).await {
        let owner = place.token("admin", PASSWORD).await;
        let acme = tenant_fixture(&place, &owner, "Acme").await;
        let (_, key) = add_key(&place, &owner, &acme.id, &parent()).await;
        for (field, value, within) in matrix() {
            let mut other = parent();
            other["scopes"] = json!(["inference"]);
            other[field] = value.clone();
            let (id, _) = add_key(&place, &owner, &acme.id, &other).await;
            let path = format!("{KEYS}/{id}");
            let at = format!("{} {field} {value}", place.name);
            let rotate = format!("{path}/rotate");
            let (status, code, _) = ask(&place, Method::POST, &rotate, &key, &json!({})).await;
            assert_eq!(status == StatusCode::OK, within, "{at}: {code}");
            let name = json!({"name": "renamed"});
            let (status, ..) = ask(&place, Method::PATCH, &path, &key, &name).await;
            assert_eq!(status == StatusCode::OK, within, "{at}");
        }
        // People of the tenant are bound by their role alone.
        let ada = acme.token(&place, "ada").await;
        let wide = json!({"name": "wide"});
        assert_eq!(
            ask(&place, Method::POST, KEYS, &ada, &wide).await.0,
            StatusCode::CREATED
        );
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_in_its_grace_makes_no_key_that_outlives_it() {
    for (place, _db) in places(Start::default()).await {
        let owner = place.token("admin", PASSWORD).await;
        let acme = tenant_fixture(&place, &owner, "Acme").await;
        let all = json!({"name": "all", "scopes": ["inference", "usage", "keys"]});
        let (id, old) = add_key(&place, &owner, &acme.id, &all).await;
        let rotate = format!("/admin/api/tenants/{}/keys/{id}/rotate", acme.id);
        let rotated = place
            .api(
                Method::POST,
                &rotate,
                &owner,
                &json!({"grace_seconds": 3600}),
            )
            .await;
        assert!(rotated.status.is_success(), "{}", rotated.body);
        let (status, _, made) =
            ask(&place, Method::POST, KEYS, &old, &json!({"name": "late"})).await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        assert!(
            made["key"]["expires_at"].is_string(),
            "{}: {made}",
            place.name
        );
        let later = json!({"name": "later", "expires_at": "2030-01-01T00:00:00Z"});
        let (_, code, _) = ask(&place, Method::POST, KEYS, &old, &later).await;
        assert_eq!(code, "beyond_your_key");
        place.end().await;
    }
}
