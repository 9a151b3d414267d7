//! Every admin route of the API, and every page of superadmins, as every role. A route that is not
//! in the table fails the test.

use poem::http::{Method, StatusCode};
use serde_json::{Value, json};
use server::auth::roles::{Action, AdminRole, may};

use super::{Browser, PASSWORD, Place, Start, places, portal, superadmin};

const ROLES: [(AdminRole, &str); 4] = [
    (AdminRole::Owner, "owner"),
    (AdminRole::Operator, "operator"),
    (AdminRole::Finance, "finance"),
    (AdminRole::ReadOnly, "read_only"),
];

/// What each operation of the document does, and a body that is enough to be asked about the role.
fn action(operation: &str) -> Option<Action> {
    Some(match operation {
        "admin_list_audit"
        | "admin_list_unknown_calls"
        | "admin_export_prices"
        | "admin_export_prices_json"
        | "admin_list_keys"
        | "admin_list_models"
        | "admin_get_model"
        | "admin_get_balance"
        | "admin_list_entries"
        | "admin_list_budgets"
        | "admin_list_prices"
        | "admin_list_providers"
        | "admin_list_connectors"
        | "admin_list_provider_keys"
        | "admin_list_tenants"
        | "admin_get_tenant"
        | "admin_tenant_usage"
        | "admin_list_users"
        | "admin_export_usage"
        | "admin_export_ledger"
        | "admin_list_gateways"
        | "admin_list_gateway_events"
        | "admin_list_superadmins"
        // Their own logins.
        | "admin_list_sessions"
        | "admin_get_calendar"
        | "admin_end_session" => Action::Look,
        "admin_create_tenant" | "admin_update_tenant" => Action::EditTenants,
        "admin_create_user"
        | "admin_update_user"
        | "admin_delete_user"
        | "admin_delete_user_second_factor" => Action::EditPeople,
        "admin_create_key" | "admin_update_key" | "admin_rotate_key" | "admin_revoke_key" => {
            Action::EditKeys
        }
        "admin_create_model" | "admin_update_model" | "admin_delete_model" => Action::EditModels,
        "admin_create_provider"
        | "admin_update_provider"
        | "admin_delete_provider"
        | "admin_create_provider_key"
        | "admin_update_provider_key"
        | "admin_delete_provider_key"
        | "admin_test_provider_key" => Action::EditProviders,
        "admin_update_gateway" | "admin_delete_gateway" => Action::EditGateways,
        "admin_create_gateway" | "admin_rotate_gateway_secret" => Action::AddGateways,
        "admin_create_price"
        | "admin_delete_price"
        | "admin_import_prices"
        | "admin_preview_price" => Action::SetPrices,
        "admin_recharge"
        | "admin_adjust"
        | "admin_settle_call"
        | "admin_release_call"
        | "admin_set_key_budget"
        | "admin_set_user_budget" => Action::MoveCredits,
        "admin_put_calendar" => Action::EditSettings,
        "admin_create_superadmin"
        | "admin_update_superadmin"
        | "admin_reset_superadmin_password"
        | "admin_delete_superadmin_second_factor" => Action::EditSuperadmins,
        _ => return None,
    })
}

/// A token for each role.
async fn tokens(place: &Place) -> Vec<(AdminRole, String)> {
    let owner = place.token("admin", PASSWORD).await;
    let mut tokens = Vec::new();
    for (role, word) in ROLES {
        let name = format!("a-{word}");
        superadmin(place, &owner, &name, word).await;
        tokens.push((role, place.token(&name, PASSWORD).await));
    }
    tokens
}

fn is_refused(code: &Value, status: StatusCode) -> bool {
    status == StatusCode::FORBIDDEN && *code == json!("role_not_allowed")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_admin_route_obeys_the_table_of_roles() {
    for (place, _db) in places(Start::default()).await {
        let tokens = tokens(&place).await;
        let nothing = json!({});
        let document = place
            .api(Method::GET, "/api/openapi.json", "", &nothing)
            .await
            .json();
        let mut asked = 0;
        for (path, methods) in document["paths"].as_object().expect("paths") {
            let is_open = path.starts_with("/admin/api/login");
            // Logging out would end the token that the others are asked with.
            if !path.starts_with("/admin/api") || is_open || path == "/admin/api/logout" {
                continue;
            }
            for (method, route) in methods.as_object().expect("methods") {
                let operation = route["operationId"].as_str().expect("an operation");
                let action = action(operation)
                    .unwrap_or_else(|| panic!("{operation} is not in the table of roles"));
                let method: Method = method.to_uppercase().parse().expect("a method");
                // A provider of that name may be asked for at the gateway, which is away: that is
                // an answer too.
                let filled = path.replace("{period}", "day").replace(['{', '}'], "x");
                for (role, token) in &tokens {
                    let answer = place.api(method.clone(), &filled, token, &nothing).await;
                    // Files are no JSON, and no refusals.
                    let told: Value = serde_json::from_str(&answer.body).unwrap_or_default();
                    let code = &told["error"]["code"];
                    assert_eq!(
                        is_refused(code, answer.status),
                        !may(*role, action),
                        "{} {role:?} {method} {path}: {} {}",
                        place.name,
                        answer.status,
                        answer.body
                    );
                    asked += 1;
                }
                let stranger = place.api(method.clone(), &filled, "", &nothing).await;
                assert_eq!(stranger.status, StatusCode::UNAUTHORIZED, "{path}");
            }
        }
        assert!(asked > 100, "{asked}: the document has too few routes");
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn prices_and_multipliers_are_finances_to_set_wherever_they_are_sent() {
    for (place, _db) in places(Start::default()).await {
        let tokens = tokens(&place).await;
        let owner = &tokens[0].1;
        let made = place
            .api(
                Method::POST,
                "/admin/api/tenants",
                owner,
                &json!({"name": "Acme"}),
            )
            .await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
        let listed = place
            .api(Method::GET, "/admin/api/tenants", owner, &json!({}))
            .await
            .json();
        let tenant = listed["data"][0]["id"].as_str().expect("an id").to_owned();
        let tenant = format!("/admin/api/tenants/{tenant}");
        let model = "/admin/api/models/sandbox-chat";
        let price = json!({"price": {"input_per_million": "1"}});
        let new = json!({
            "id": "m", "operation": "chat", "price": {"input_per_million": "1"},
            "targets": [{"provider": "sandbox", "model": "m"}]
        });
        let cases = [
            (
                Method::PATCH,
                tenant.as_str(),
                json!({"price_multiplier_ppm": 0}),
                [true, false, true, false],
            ),
            (
                Method::PATCH,
                &tenant,
                json!({"name": "Acme"}),
                [true, true, false, false],
            ),
            (
                Method::PATCH,
                &tenant,
                json!({"name": "Acme", "price_multiplier_ppm": 0}),
                [true, false, false, false],
            ),
            (Method::PATCH, model, price, [true, false, true, false]),
            (
                Method::PATCH,
                model,
                json!({"enabled": true}),
                [true, true, false, false],
            ),
            (
                Method::POST,
                "/admin/api/models",
                new,
                [true, false, false, false],
            ),
        ];
        for (method, path, body, expected) in cases {
            for ((role, token), expected) in tokens.iter().zip(expected) {
                let answer = place.api(method.clone(), path, token, &body).await;
                let refused = is_refused(&answer.json()["error"]["code"], answer.status);
                assert_eq!(
                    !refused, expected,
                    "{role:?} {path} {body}: {}",
                    answer.body
                );
            }
        }
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_role_is_in_force_at_once_and_the_last_owner_stays() {
    for (place, _db) in places(Start::default()).await {
        let owner = place.token("admin", PASSWORD).await;
        let id = superadmin(&place, &owner, "helper", "operator").await;
        let helper = place.token("helper", PASSWORD).await;
        let mut browser = place.admin("helper", PASSWORD).await;
        let create = async |name: &str| {
            let body = json!({"name": name});
            let answer = place.api(Method::POST, "/admin/api/tenants", &helper, &body);
            answer.await.status
        };
        let patch = async |id: &str, body: Value| {
            let path = format!("/admin/api/superadmins/{id}");
            place.api(Method::PATCH, &path, &owner, &body).await
        };
        assert_eq!(create("one").await, StatusCode::CREATED);
        assert_eq!(patch(&id, json!({"role": "read_only"})).await.status, 200);
        assert_eq!(
            create("two").await,
            StatusCode::UNAUTHORIZED,
            "its logins ended"
        );
        assert!(!browser.is_in("/admin/tenants").await);
        let helper = place.token("helper", PASSWORD).await;
        let body = json!({"name": "two"});
        let answer = place.api(Method::POST, "/admin/api/tenants", &helper, &body);
        assert_eq!(answer.await.status, StatusCode::FORBIDDEN);
        let mut browser = place.admin("helper", PASSWORD).await;
        browser.get("/admin/settings").await;
        let answer = browser
            .post("/admin/settings/announcement", &[("announcement", "x")])
            .await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", place.name);

        let listed = place
            .api(Method::GET, "/admin/api/superadmins", &owner, &json!({}))
            .await
            .json();
        let own = listed["data"]
            .as_array()
            .expect("a list")
            .iter()
            .find(|row| row["username"] == "admin");
        let own = own
            .and_then(|row| row["id"].as_str())
            .expect("an id")
            .to_owned();
        for body in [
            json!({"role": "operator"}),
            json!({"status": "disabled"}),
            json!({"role": "finance", "status": "disabled"}),
        ] {
            let answer = patch(&own, body).await;
            assert_eq!(answer.status, StatusCode::CONFLICT, "{}", answer.body);
            assert_eq!(answer.json()["error"]["code"], "last_owner");
        }
        assert_eq!(patch(&id, json!({"role": "owner"})).await.status, 200);
        let answer = patch(&own, json!({"role": "operator"})).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let answer = patch(&id, json!({"status": "disabled"})).await;
        let status = StatusCode::UNAUTHORIZED;
        assert_eq!(answer.status, status, "a new role is a new login");

        // The audit log has each change with before and after.
        let again = place.token("admin", PASSWORD).await;
        let path = "/admin/api/audit?limit=100";
        let log = place
            .api(Method::GET, path, &again, &json!({}))
            .await
            .json();
        let entries = log["data"].as_array().expect("a list");
        let demoted = entries.iter().find(|entry| {
            entry["action"] == "superadmin.update" && entry["after"]["role"] == "read_only"
        });
        let demoted = demoted.expect("an entry");
        assert_eq!(demoted["before"]["role"], "operator");
        assert_eq!(demoted["subject"], json!(id));
        assert_eq!(demoted["actor_name"], "admin");
        assert!(!log.to_string().contains("argon2"), "no hash is told");
        place.end().await;
    }
}

/// Who may see a page or send a form.
#[derive(Debug, Clone, Copy)]
pub(super) enum Access {
    /// Whoever comes.
    Everybody,
    /// Whoever is logged in there.
    SignedIn,
    /// Superadmins whose role may.
    Admin(Action),
    /// Every user of a tenant.
    Member,
    /// Owners and admins of a tenant.
    Manager,
    /// Owners of a tenant.
    Owner,
}

/// Who may what of the console's own pages.
fn console(method: &Method, rest: &str) -> Option<Access> {
    let action = match (method, rest) {
        (
            &Method::GET,
            "tenants"
            | "tenants/:id"
            | "tenants/:id/members"
            | "tenants/:id/keys"
            | "tenants/:id/usage"
            | "tenants/:id/money"
            | "tenants/:id/limits"
            | "usage"
            | "usage.csv"
            | "usage/:id"
            | "providers"
            | "providers/:id"
            | "models"
            | "models/:id"
            | "models/:id/prices.csv"
            | "models/:id/prices.json"
            | "gateways"
            | "live"
            | "audit"
            | "audit.csv"
            | "audit/:id"
            | "health",
        ) => Action::Look,
        (&Method::POST, "gateways" | "gateways/:id/secret") => Action::AddGateways,
        (
            &Method::POST,
            "gateways/:id/edit"
            | "gateways/:id/enable"
            | "gateways/:id/disable"
            | "gateways/:id/delete",
        ) => Action::EditGateways,
        (_, "models/new")
        | (
            &Method::POST,
            "models/:id/edit"
            | "models/:id/delete"
            | "models/:id/targets"
            | "models/:id/targets/:target"
            | "models/:id/targets/:target/delete"
            | "models/:id/try",
        ) => Action::EditModels,
        (
            &Method::POST,
            "models/:id/prices"
            | "models/:id/prices/draft"
            | "models/:id/prices/:price/delete"
            | "tenants/:id/multiplier",
        ) => Action::SetPrices,
        (_, "providers/new" | "providers/:id/keys/bulk")
        | (
            &Method::POST,
            "providers/:id/edit"
            | "providers/:id/delete"
            | "providers/:id/keys"
            | "providers/:id/keys/:key/test"
            | "providers/:id/keys/:key/disable"
            | "providers/:id/keys/:key/enable"
            | "providers/:id/keys/:key/delete"
            | "providers/:id/keys/:key/rotate",
        ) => Action::EditProviders,
        (_, "tenants/new")
        | (
            &Method::POST,
            "tenants/:id/rename"
            | "tenants/:id/suspend"
            | "tenants/:id/resume"
            | "tenants/:id/delete"
            | "tenants/:id/restore"
            | "tenants/:id/models"
            | "tenants/:id/zone"
            | "tenants/:id/limits",
        ) => Action::EditTenants,
        (
            &Method::POST,
            "tenants/:id/members"
            | "tenants/:id/members/:member/disable"
            | "tenants/:id/members/:member/enable"
            | "tenants/:id/members/:member/password",
        ) => Action::EditPeople,
        (
            &Method::POST,
            "tenants/:id/keys" | "tenants/:id/keys/:key/rotate" | "tenants/:id/keys/:key/revoke",
        ) => Action::EditKeys,
        (
            &Method::POST,
            "tenants/:id/recharge"
            | "tenants/:id/adjust"
            | "usage/:id/settle"
            | "usage/:id/release",
        ) => Action::MoveCredits,
        _ => return None,
    };
    Some(Access::Admin(action))
}

/// Who may what. A page that is not here fails the test.
fn access(method: &Method, path: &str) -> Option<Access> {
    let (area, rest) = match path.split_once('/').map_or("", |(_, rest)| rest) {
        "" => return Some(Access::Everybody),
        rest => rest.split_once('/').unwrap_or((rest, "")),
    };
    let shared = match rest {
        "login" | "login/second" | "logout" | "preferences" => Some(Access::Everybody),
        "confirm"
        | "security"
        | "security/password"
        | "security/totp"
        | "security/totp/off"
        | "security/recovery"
        | "security/sessions/:id/end"
        | "security/sessions/end-others" => Some(Access::SignedIn),
        _ => None,
    };
    shared.or(match (area, method, rest) {
        ("admin", _, "setup") => Some(Access::Everybody),
        ("admin", &Method::GET, "" | "superadmins" | "settings") => {
            Some(Access::Admin(Action::Look))
        }
        (
            "admin",
            &Method::POST,
            "superadmins"
            | "superadmins/:id/role"
            | "superadmins/:id/disable"
            | "superadmins/:id/enable"
            | "superadmins/:id/password",
        ) => Some(Access::Admin(Action::EditSuperadmins)),
        (
            "admin",
            &Method::POST,
            "settings/security" | "settings/retention" | "settings/calendar" | "settings/tenants",
        ) => Some(Access::Admin(Action::EditSettings)),
        ("admin", &Method::POST, "settings/announcement") => Some(Access::Admin(Action::Announce)),
        ("admin", ..) => console(method, rest),
        ("portal", ..) => portal::access(method, rest),
        _ => None,
    })
}

/// Asks for a page, or sends an empty form with the person's own token.
async fn ask(browser: &Browser, method: &Method, path: &str) -> (StatusCode, String) {
    // A copy: what ends a session here is asked again by the next one.
    let mut browser = browser.clone();
    if path.ends_with("/live") {
        // Its body has no end to wait for.
        let answer = browser.open(path).await;
        let location = answer.header("location").unwrap_or_default();
        return (answer.status(), location.to_owned());
    }
    let answer = match *method {
        Method::GET => browser.get(path).await,
        _ => browser.post(path, &[]).await,
    };
    (answer.status, answer.location().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_asked_as_everybody() {
    for (place, _db) in places(Start::default()).await {
        let owner = place.token("admin", PASSWORD).await;
        let mut admins = Vec::new();
        for (role, word) in ROLES {
            let name = format!("a-{word}");
            superadmin(&place, &owner, &name, word).await;
            let mut browser = place.admin(&name, PASSWORD).await;
            browser.get("/admin/security").await;
            admins.push((role, browser));
        }
        let people = portal::people(&place, &owner, "Acme").await;
        // A form token of the console's login, which the other area's session does not replace.
        let mut foreign = people[0].1.clone();
        foreign.get("/admin/login").await;
        for (method, path) in server::pages::listed() {
            let access = access(&method, &path)
                .unwrap_or_else(|| panic!("{method} {path} is not in the table of pages"));
            let filled = path.replace(":id", "adm_nobody");
            let is_admin = path.starts_with("/admin");
            let root = if is_admin { "/admin" } else { "/portal" };
            let at = format!("{} {method} {path}", place.name);

            // A stranger with a form of their own is sent to the login, and so is whoever belongs
            // to the other area.
            let mut stranger = place.browser();
            stranger.get(&format!("{root}/login")).await;
            let login = format!("{root}/login");
            let (_, location) = ask(&stranger, &method, &filled).await;
            let sent = location.starts_with(&login);
            match access {
                Access::Everybody => {}
                Access::SignedIn
                | Access::Admin(_)
                | Access::Member
                | Access::Manager
                | Access::Owner => assert!(sent, "{at}"),
            }
            if let Access::Member | Access::Manager | Access::Owner = access {
                for (role, browser) in &people {
                    let (status, location) = ask(browser, &method, &filled).await;
                    assert!(!location.starts_with("/portal/login"), "{at}");
                    let refused = status == StatusCode::FORBIDDEN;
                    let let_in = portal::may(*role, access);
                    assert_eq!(refused, !let_in, "{at} {role:?}: {status}");
                }
            }
            let Access::Admin(action) = access else {
                continue;
            };
            let (_, location) = ask(&foreign, &method, &filled).await;
            assert!(location.starts_with(&login), "{at}: a user of a tenant");
            for (role, browser) in &admins {
                let (status, location) = ask(browser, &method, &filled).await;
                assert!(!location.starts_with(&login), "{at} {role:?}");
                let refused = status == StatusCode::FORBIDDEN;
                assert_eq!(refused, !may(*role, action), "{at} {role:?}: {status}");
            }
        }
        place.end().await;
    }
}
