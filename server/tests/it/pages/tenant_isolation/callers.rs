//! Every route of the tenants' API as every kind of caller.

use poem::http::{Method, StatusCode};
use serde_json::{Value, json};
use server::api::infer::openapi::operation_ids;
use shared::surface::{SURFACES, Surface};

use super::super::{PASSWORD, Place, Start, places};
use super::{add_key, admin, routes, tenant_fixture};

/// What a route asks of its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Door {
    /// Nothing.
    Open,
    /// To be somebody of a tenant.
    SignedIn,
    /// A key needs this scope, a person nothing.
    Scope(&'static str),
    /// A key needs this scope, a person runs the tenant.
    Managed(&'static str),
}

/// The table; a route that is not in it fails.
fn door(operation: &str) -> Option<Door> {
    let is_call = |surface: &Surface| operation_ids(surface).iter().any(|id| id == operation);
    if SURFACES.into_iter().any(is_call) {
        return Some(Door::Scope("inference"));
    }
    Some(match operation {
        "log_in"
        | "refresh_session"
        | "log_out"
        | "draft_second_factor"
        | "confirm_second_factor" => Door::Open,
        "list_sessions" | "end_session" | "get_me" | "list_notices" | "list_models"
        | "get_model" | "get_owned_model" | "list_gemini_models" | "get_gemini_model" => {
            Door::SignedIn
        }
        "estimate_call"
        | "get_response"
        | "delete_response"
        | "cancel_response"
        | "list_response_input"
        | "create_conversation"
        | "get_conversation"
        | "update_conversation"
        | "delete_conversation"
        | "list_conversation_items"
        | "create_conversation_items"
        | "get_conversation_item"
        | "delete_conversation_item"
        | "list_completions"
        | "get_completion"
        | "update_completion"
        | "delete_completion"
        | "list_completion_messages" => Door::Scope("inference"),
        "get_balance" | "list_usage" | "export_usage" => Door::Scope("usage"),
        "list_credit_entries" | "export_credit_entries" | "list_suspended_end_users" => {
            Door::Managed("usage")
        }
        "create_key" | "list_keys" | "get_key" | "update_key" | "rotate_key" | "revoke_key"
        | "get_route" | "put_route" | "get_key_route" | "put_key_route" => Door::Managed("keys"),
        _ => return None,
    })
}

/// Who asks.
#[derive(Debug, Clone)]
enum Caller {
    /// Nobody, or somebody whose credential is worth nothing here.
    Stranger(&'static str, String),
    /// A key with these scopes.
    Key(&'static [&'static str], String),
    /// A person: whether they run the tenant.
    Person(bool, String),
}

/// What a route must answer; `Ok` is anything but a refusal of the caller.
fn expected(door: Door, caller: &Caller) -> Result<(), (StatusCode, &'static str)> {
    let unknown = Err((StatusCode::UNAUTHORIZED, "invalid_api_key"));
    match (door, caller) {
        (Door::SignedIn | Door::Scope(_) | Door::Managed(_), Caller::Stranger(..)) => unknown,
        (Door::Open | Door::SignedIn, _)
        | (Door::Scope(_), Caller::Person(..))
        | (Door::Managed(_), Caller::Person(true, _)) => Ok(()),
        (Door::Scope(scope) | Door::Managed(scope), Caller::Key(scopes, _)) => {
            if scopes.contains(&scope) {
                Ok(())
            } else {
                Err((StatusCode::FORBIDDEN, "scope_not_allowed"))
            }
        }
        (Door::Managed(_), Caller::Person(false, _)) => {
            Err((StatusCode::FORBIDDEN, "role_not_allowed"))
        }
    }
}

impl Caller {
    fn shown(&self) -> String {
        match self {
            Self::Stranger(who, _) => (*who).to_owned(),
            Self::Key(scopes, _) => format!("a key for {scopes:?}"),
            Self::Person(true, _) => "who runs the tenant".to_owned(),
            Self::Person(false, _) => "a member".to_owned(),
        }
    }

    fn credential(&self) -> &str {
        match self {
            Self::Stranger(_, text) | Self::Key(_, text) | Self::Person(_, text) => text,
        }
    }
}

const SCOPES: [&[&str]; 5] = [
    &["inference"],
    &["usage"],
    &["keys"],
    &["inference", "usage"],
    &["inference", "usage", "keys"],
];

/// Those whose credential is worth nothing.
async fn strangers(place: &Place, token: &str) -> Vec<Caller> {
    let gone = tenant_fixture(place, token, "Suspended").await;
    let (ada, suspended) = (gone.token(place, "ada").await, gone.secret.clone());
    let left = tenant_fixture(place, token, "Left").await;
    let mia = left.token(place, "mia").await;
    let user = format!("/tenants/{}/users/{}", left.id, left.member);
    admin(
        place,
        token,
        Method::PATCH,
        &user,
        &json!({"status": "disabled"}),
    )
    .await;
    let (id, revoked) = add_key(place, token, &left.id, &json!({"name": "revoked"})).await;
    let path = format!("/admin/api/tenants/{}/keys/{id}", left.id);
    let answer = place.api(Method::DELETE, &path, token, &json!({})).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.body);
    let (id, rotated) = add_key(place, token, &left.id, &json!({"name": "rotated"})).await;
    let path = format!("/tenants/{}/keys/{id}/rotate", left.id);
    admin(
        place,
        token,
        Method::POST,
        &path,
        &json!({"grace_seconds": 0}),
    )
    .await;
    let tenant = format!("/tenants/{}", gone.id);
    admin(
        place,
        token,
        Method::PATCH,
        &tenant,
        &json!({"status": "suspended"}),
    )
    .await;
    let unknown = format!("wk_live_{}", "a".repeat(32));
    vec![
        Caller::Stranger("nobody", String::new()),
        Caller::Stranger("an unknown key", unknown),
        Caller::Stranger("a superadmin", token.to_owned()),
        Caller::Stranger("a revoked key", revoked),
        Caller::Stranger("a rotated secret", rotated),
        Caller::Stranger("a disabled member", mia),
        Caller::Stranger("a suspended tenant's key", suspended),
        Caller::Stranger("a suspended tenant's owner", ada),
    ]
}

async fn callers(place: &Place, token: &str) -> Vec<Caller> {
    let acme = tenant_fixture(place, token, "Acme").await;
    // What is kept has routes of its own, which are refused where nothing is.
    let keeping = format!("/tenants/{}/keeping", acme.id);
    let kept = admin(place, token, Method::PUT, &keeping, &json!({"days": 1})).await;
    assert_eq!(kept["days"], 1, "{kept}");
    let mut callers = strangers(place, token).await;
    for scopes in SCOPES {
        let body = json!({"name": "k", "scopes": scopes});
        let (_, secret) = add_key(place, token, &acme.id, &body).await;
        callers.push(Caller::Key(scopes, secret));
    }
    for (username, manages) in [("ada", true), ("max", true), ("mia", false)] {
        let token = acme.token(place, username).await;
        callers.push(Caller::Person(manages, token));
    }
    callers
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_of_tenants_asks_what_the_table_says() {
    for (place, _db) in places(Start::default()).await {
        let token = place.token("admin", PASSWORD).await;
        let callers = callers(&place, &token).await;
        let mut asked = 0;
        for (operation, method, path) in routes(&place, "/api/v1").await {
            let door = door(&operation)
                .unwrap_or_else(|| panic!("{operation} is not in the table of doors"));
            // No such key or model; a body that is wrong: what is asked for first is the caller.
            let filled = path.replace(['{', '}'], "x");
            for caller in &callers {
                let credential = caller.credential();
                let answer = place
                    .api(method.clone(), &filled, credential, &json!({}))
                    .await;
                let at = format!("{} {} {method} {path}", place.name, caller.shown());
                match expected(door, caller) {
                    Err((status, wanted)) => {
                        assert_eq!(answer.status, status, "{at}: {}", answer.body);
                        assert!(answer.refuses_with(wanted), "{at}: {}", answer.body);
                    }
                    Ok(()) if door == Door::Open => {
                        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{at}");
                    }
                    Ok(()) => {
                        let refused = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN];
                        assert!(!refused.contains(&answer.status), "{at}: {}", answer.body);
                        assert!(!answer.status.is_server_error(), "{at}: {}", answer.body);
                    }
                }
                asked += 1;
            }
        }
        assert!(asked > 200, "{asked}: the document has too few routes");
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_manages_keys_gives_away_no_more_than_calling_and_reading() {
    for (place, _db) in places(Start::default()).await {
        let token = place.token("admin", PASSWORD).await;
        let acme = tenant_fixture(&place, &token, "Acme").await;
        let all = json!({"name": "k", "scopes": ["inference", "usage", "keys"]});
        let (strong, secret) = add_key(&place, &token, &acme.id, &all).await;
        let (weak, _) = add_key(&place, &token, &acme.id, &json!({"name": "weak"})).await;
        let ask = async |method, path: &str, who: &str, body: Value| {
            let path = format!("/api/v1/keys{path}");
            let answer = place.api(method, &path, who, &body).await;
            answer.status
        };
        let wide = json!({"scopes": ["keys"]});
        let at = |id: &str, rest: &str| format!("/{id}{rest}");
        for (method, path, body) in [
            (Method::POST, String::new(), all.clone()),
            (Method::PATCH, at(&weak, ""), wide.clone()),
            (Method::PATCH, at(&strong, ""), json!({"name": "x"})),
            (Method::POST, at(&strong, "/rotate"), json!({})),
            (Method::DELETE, at(&strong, ""), json!({})),
        ] {
            let refused = ask(method.clone(), &path, &secret, body).await;
            assert_eq!(refused, StatusCode::FORBIDDEN, "{method} {path}");
        }
        let plain = json!({"name": "p"});
        let made = ask(Method::POST, "", &secret, plain).await;
        assert_eq!(made, StatusCode::CREATED);
        let rotated = ask(Method::POST, &at(&weak, "/rotate"), &secret, json!({})).await;
        assert_eq!(rotated, StatusCode::OK);
        // People who run the tenant may.
        let max = acme.token(&place, "max").await;
        assert_eq!(ask(Method::POST, "", &max, all).await, StatusCode::CREATED);
        let changed = ask(Method::PATCH, &at(&weak, ""), &max, wide).await;
        assert_eq!(changed, StatusCode::OK);
        let test = json!({"name": "t", "kind": "test", "scopes": ["keys"]});
        let refused = ask(Method::POST, "", &max, test).await;
        assert_eq!(
            refused,
            StatusCode::BAD_REQUEST,
            "test keys make no live ones"
        );
        place.end().await;
    }
}
