//! Every route and page with an id of a tenant's, asked with the id of another: 404, and nothing is
//! changed. The same with an own id is taken, so that the 404 is the wall's.

mod console;
mod ids;
mod portal;

use poem::http::{Method, StatusCode};
use serde_json::{Value, json};
use server::api::infer::openapi::operation_ids;
use shared::surface::SURFACES;

use self::ids::{Thing, ids, quoted, record, state};
use super::super::{PASSWORD, Start, places};
use super::{add_key, routes, two_tenants};

/// What the ids of the tenants' own API are of, with a body that an own id takes.
fn of_api(operation: &str) -> Option<(Thing, Value)> {
    Some(match operation {
        "get_key" | "revoke_key" | "get_key_route" | "put_key_route" => (Thing::Key, json!({})),
        "update_key" => (Thing::Key, json!({"name": "x"})),
        "rotate_key" => (Thing::Key, json!({"grace_seconds": 0})),
        _ => return None,
    })
}

/// Routes of the API with a name in the path that is no tenant's, or a person's own login, which
/// `doors::logins` asks for as others.
/// What is kept of answers is asked for as others by the whole product's `kept::walls`, where there are any.
const SHARED: [&str; 19] = [
    "get_model",
    "get_owned_model",
    "get_gemini_model",
    "end_session",
    "get_response",
    "delete_response",
    "cancel_response",
    "list_response_input",
    "get_conversation",
    "update_conversation",
    "delete_conversation",
    "list_conversation_items",
    "create_conversation_items",
    "get_conversation_item",
    "delete_conversation_item",
    "get_completion",
    "update_completion",
    "delete_completion",
    "list_completion_messages",
];

/// Whether it calls models, which some surfaces name in their paths.
fn is_call(operation: &str) -> bool {
    let ids = SURFACES.into_iter().flat_map(operation_ids);
    ids.into_iter().any(|id| id == operation)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_knows_no_ids_of_other_tenants() {
    for (place, db) in places(Start::default()).await {
        let token = place.token("admin", PASSWORD).await;
        let (acme, other) = two_tenants(&place, &token).await;
        let (foreign, _) = ids(&place, &db, &token, &other).await;
        let manager = json!({"name": "m", "scopes": ["inference", "keys", "usage"]});
        let (_, secret) = add_key(&place, &token, &acme.id, &manager).await;
        let people = [
            acme.token(&place, "ada").await,
            acme.token(&place, "max").await,
            secret,
        ];
        let before = state(&place, &token, &other).await;
        let mut asked = 0;
        for (operation, method, path) in routes(&place, "/api/v1").await {
            let is_shared = SHARED.contains(&operation.as_str()) || is_call(&operation);
            if !path.contains('{') || is_shared {
                continue;
            }
            let (thing, body) = of_api(&operation)
                .unwrap_or_else(|| panic!("{operation} is not in the table of ids"));
            for who in &people {
                let at = path.replace("{id}", foreign.of(thing));
                let answer = place.api(method.clone(), &at, who, &body).await;
                let at = format!("{} {method} {path}: {}", place.name, answer.body);
                assert_eq!(answer.status, StatusCode::NOT_FOUND, "{at}");
                let (own, _) = ids(&place, &db, &token, &acme).await;
                let own = path.replace("{id}", own.of(thing));
                let answer = place.api(method.clone(), &own, who, &body).await;
                assert!(answer.status.is_success(), "{at}: {}", answer.body);
                asked += 1;
            }
        }
        assert!(asked >= 12, "{asked}");
        assert_eq!(state(&place, &token, &other).await, before);

        // Filters by a foreign id find nothing, and members find their own.
        let mine = format!("gen_{}", "0".repeat(20));
        record(&db, &acme, &mine, &quoted(&acme.owner), "NULL").await;
        for who in &people {
            for path in [
                format!("/api/v1/usage?limit=100&after={}", foreign.call),
                format!("/api/v1/usage/export?user={}", foreign.user),
                format!("/api/v1/usage/export?key={}", foreign.key),
                "/api/v1/usage/export".to_owned(),
            ] {
                let answer = place.api(Method::GET, &path, who, &json!({})).await;
                assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
                assert!(!answer.body.contains(&foreign.call), "{path}");
                let narrow = path.contains("user=") || path.contains("key=");
                assert!(!narrow || !answer.body.contains("gen_"), "{path}");
            }
        }
        let mia = acme.token(&place, "mia").await;
        for path in ["/api/v1/usage?limit=100", "/api/v1/usage/export"] {
            let all = place.api(Method::GET, path, &people[0], &json!({})).await;
            let own = place.api(Method::GET, path, &mia, &json!({})).await;
            assert!(
                all.body.contains(&mine) && !own.body.contains(&mine),
                "{path}"
            );
            assert!(own.body.contains("gen_"), "{path}: {}", own.body);
        }
        let path = format!("/api/v1/usage/export?user={}", acme.owner);
        let refused = place.api(Method::GET, &path, &mia, &json!({})).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.body);
        place.end().await;
    }
}
