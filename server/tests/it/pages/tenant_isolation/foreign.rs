//! Every route and page with an id of a tenant's, asked with the id of another: 404, and nothing is
//! changed. The same with an own id is taken, so that the 404 is the wall's.

mod console;

use poem::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::super::{Browser, PASSWORD, Place, Start, places};
use super::{TenantFixture, add_key, admin, routes, tenant_fixture};
use crate::support::TestDb;

/// What an id in a path is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Thing {
    Key,
    User,
    Call,
    Session,
}

/// Ids that one tenant has.
#[derive(Debug, Clone)]
struct Ids {
    key: String,
    user: String,
    call: String,
    session: String,
}

impl Ids {
    fn of(&self, thing: Thing) -> &str {
        match thing {
            Thing::Key => &self.key,
            Thing::User => &self.user,
            Thing::Call => &self.call,
            Thing::Session => &self.session,
        }
    }
}

/// A call in the records of a tenant, as the ledger leaves it.
async fn record(db: &TestDb, tenant: &TenantFixture, id: &str, user: &str, key: &str) {
    let number = "(SELECT COALESCE(MAX(number), 0) + 1 FROM usage_records)";
    let statement = format!(
        "INSERT INTO usage_records (id, tenant_id, user_id, key_id, test, operation, model, provider, \
         provider_model, input_tokens, cached_input_tokens, cache_write_tokens, output_tokens, \
         reasoning_tokens, images, media_ms, characters, estimated, credits_micros, cost_micros, \
         status, attempts, first_byte_ms, duration_ms, created_at, number) VALUES ('{id}', '{}', \
         {user}, {key}, FALSE, 'chat', 'm', 'p', 'm', 1, 0, 0, 1, 0, 0, 0, 0, FALSE, 0, 0, \
         'succeeded', 1, 1, 1, 1794999999000, {number})",
        tenant.id
    );
    db.execute(&statement).await.expect("a record");
}

fn quoted(text: &str) -> String {
    format!("'{text}'")
}

/// Everything of a tenant that the tests could change.
async fn state(place: &Place, token: &str, tenant: &TenantFixture) -> Value {
    let get = async |path: &str| {
        let path = format!("/tenants/{}{path}", tenant.id);
        admin(place, token, Method::GET, &path, &json!({})).await
    };
    json!([
        get("").await,
        get("/keys").await,
        get("/users").await,
        get("/budgets").await,
        get("/balance").await,
        get("/usage").await,
    ])
}

async fn portal(place: &Place, tenant: &TenantFixture, username: &str) -> Browser {
    let mut browser = place.browser();
    let names = [("tenant", tenant.id.as_str()), ("username", username)];
    let answer = browser.log_in("/portal", &names, PASSWORD).await;
    assert_eq!(answer.location(), "/portal", "{}", answer.body);
    browser.get("/portal/security").await;
    browser
}

/// Fresh ids of a tenant: a key, the member, a call, and one of the member's two sessions, which is
/// the second browser's when there were none before.
async fn ids(
    place: &Place,
    db: &TestDb,
    token: &str,
    tenant: &TenantFixture,
) -> (Ids, [Browser; 2]) {
    let (key, _) = add_key(place, token, &tenant.id, &json!({"name": "k"})).await;
    let call = format!("gen_{}", key.trim_start_matches("key_"));
    record(db, tenant, &call, &quoted(&tenant.member), "NULL").await;
    let mut here = portal(place, tenant, "mia").await;
    let there = portal(place, tenant, "mia").await;
    let page = here.get("/portal/security").await;
    let (_, rest) = page
        .body
        .split_once("/portal/security/sessions/ses_")
        .expect("the other session");
    let session = rest.split('/').next().expect("an id");
    let ids = Ids {
        key,
        user: tenant.member.clone(),
        call,
        session: format!("ses_{session}"),
    };
    (ids, [here, there])
}

/// What the ids of the tenants' own API are of, with a body that an own id takes.
fn of_api(operation: &str) -> Option<(Thing, Value)> {
    Some(match operation {
        "get_key" | "revoke_key" => (Thing::Key, json!({})),
        "update_key" => (Thing::Key, json!({"name": "x"})),
        "rotate_key" => (Thing::Key, json!({"grace_seconds": 0})),
        _ => return None,
    })
}

/// Routes of the API with a name in the path that is no tenant's, or a person's own login, which
/// `doors::logins` asks for as others.
const SHARED: [&str; 3] = ["get_model", "get_owned_model", "end_session"];

#[tokio::test(flavor = "multi_thread")]
async fn the_api_knows_no_ids_of_other_tenants() {
    for (place, db) in places(Start::default()).await {
        let token = place.token("admin", PASSWORD).await;
        let (acme, other) = (
            tenant_fixture(&place, &token, "Acme").await,
            tenant_fixture(&place, &token, "Other").await,
        );
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
            if !path.contains('{') || SHARED.contains(&operation.as_str()) {
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

/// What the id of a portal's page is of, and whether it is a person's own thing.
fn of_page(rest: &str) -> Option<Thing> {
    Some(match rest.split('/').next()? {
        "keys" => Thing::Key,
        "members" => Thing::User,
        "usage" => Thing::Call,
        "security" => Thing::Session,
        _ => return None,
    })
}

/// Enough of each form to be taken.
const FIELDS: [(&str, &str); 5] = [
    ("name", "x"),
    ("scopes", "inference"),
    ("grace_hours", "1"),
    ("role", "member"),
    ("budget_period", "month"),
];

async fn open(browser: &mut Browser, method: &Method, path: &str) -> StatusCode {
    if *method == Method::GET {
        return browser.get(path).await.status;
    }
    browser.get("/portal/security").await;
    browser.post(path, &FIELDS).await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn the_portals_pages_know_no_ids_of_other_tenants() {
    for (place, db) in places(Start::default()).await {
        let token = place.token("admin", PASSWORD).await;
        let (acme, other) = (
            tenant_fixture(&place, &token, "Acme").await,
            tenant_fixture(&place, &token, "Other").await,
        );
        let (foreign, [_, mut there]) = ids(&place, &db, &token, &other).await;
        let before = state(&place, &token, &other).await;
        let mut asked = 0;
        for (method, path) in server::pages::listed() {
            let Some(rest) = path
                .strip_prefix("/portal/")
                .filter(|rest| rest.contains(':'))
            else {
                continue;
            };
            let thing =
                of_page(rest).unwrap_or_else(|| panic!("{path} is not in the table of ids"));
            let mut people = vec![portal(&place, &acme, "ada").await];
            people.push(portal(&place, &acme, "max").await);
            for ada in &mut people {
                let at = path.replace(":id", foreign.of(thing));
                let status = open(ada, &method, &at).await;
                let at = format!("{} {method} {path}", place.name);
                assert_eq!(status, StatusCode::NOT_FOUND, "{at}");
                asked += 1;
            }
            let (own, [mut mia, _]) = ids(&place, &db, &token, &acme).await;
            let own = path.replace(":id", own.of(thing));
            let browser = match thing {
                Thing::Session => &mut mia,
                Thing::Key | Thing::User | Thing::Call => &mut people[0],
            };
            let status = open(browser, &method, &own).await;
            let taken = [StatusCode::OK, StatusCode::SEE_OTHER];
            assert!(
                taken.contains(&status),
                "{} {method} {own}: {status}",
                place.name
            );
            // The member may have been locked out or got another password.
            let user = format!("/tenants/{}/users/{}", acme.id, acme.member);
            let whole = json!({"status": "active", "password": PASSWORD});
            admin(&place, &token, Method::PATCH, &user, &whole).await;
        }
        assert!(asked >= 20, "{asked}");
        assert_eq!(state(&place, &token, &other).await, before);
        assert!(
            there.is_in("/portal/security").await,
            "nobody else's session ends"
        );
        // A member reads no other member's call, nor a manager's.
        let call = format!("gen_{}", "1".repeat(20));
        record(&db, &acme, &call, &quoted(&acme.owner), "NULL").await;
        let path = format!("/portal/usage/{call}");
        let mut mia = portal(&place, &acme, "mia").await;
        assert_eq!(mia.get(&path).await.status, StatusCode::NOT_FOUND);
        let mut ada = portal(&place, &acme, "ada").await;
        assert_eq!(ada.get(&path).await.status, StatusCode::OK);
        place.end().await;
    }
}
