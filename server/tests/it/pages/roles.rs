//! Every admin route of the API, and every page of superadmins, as every role. A route that is not
//! in the table fails the test.

pub(super) mod console;

use poem::http::{Method, StatusCode};
use serde_json::{Value, json};
use server::auth::roles::{Action, AdminRole, may};

use super::{PASSWORD, Place, Start, places, superadmin};

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
        | "admin_list_model_lists"
        | "admin_get_model"
        | "admin_get_balance"
        | "admin_list_entries"
        | "admin_list_budgets"
        | "admin_list_prices"
        | "admin_list_price_reviews"
        | "admin_get_price_review"
        | "admin_get_price_pin"
        | "admin_list_providers"
        | "admin_list_connectors"
        | "admin_export_providers"
        | "admin_list_balances"
        | "admin_check_route"
        | "admin_list_provider_keys"
        | "admin_list_tenants"
        | "admin_get_tenant"
        | "admin_get_keeping"
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
        | "admin_get_model_route"
        | "admin_get_data_terms"
        | "admin_get_tenant_route"
        | "admin_get_end_user_policy"
        | "admin_list_suspended_end_users"
        | "admin_end_session" => Action::Look,
        "admin_create_tenant"
        | "admin_update_tenant"
        | "admin_put_keeping"
        | "admin_put_tenant_route" => {
            Action::EditTenants
        }
        "admin_create_user"
        | "admin_update_user"
        | "admin_delete_user"
        | "admin_suspend_end_user"
        | "admin_lift_end_user"
        | "admin_delete_user_second_factor" => Action::EditPeople,
        "admin_create_key" | "admin_update_key" | "admin_rotate_key" | "admin_revoke_key" => {
            Action::EditKeys
        }
        "admin_create_model"
        | "admin_update_model"
        | "admin_delete_model"
        | "admin_put_model_route" => Action::EditModels,
        "admin_put_data_terms"
        | "admin_create_provider"
        | "admin_update_provider"
        | "admin_delete_provider"
        | "admin_create_provider_key"
        | "admin_update_provider_key"
        | "admin_delete_provider_key"
        | "admin_create_provider_keys"
        | "admin_update_provider_keys"
        | "admin_copy_provider"
        | "admin_import_providers"
        | "admin_set_balance_terms"
        | "admin_test_provider"
        | "admin_ask_provider_models"
        | "admin_test_provider_key" => Action::EditProviders,
        "admin_update_gateway" | "admin_delete_gateway" => Action::EditGateways,
        "admin_create_gateway" | "admin_rotate_gateway_secret" => Action::AddGateways,
        "admin_create_price"
        | "admin_delete_price"
        | "admin_import_prices"
        | "admin_preview_price"
        | "admin_create_price_review"
        | "admin_preview_price_review"
        | "admin_apply_price_review"
        | "admin_put_price_pin" => Action::SetPrices,
        "admin_recharge"
        | "admin_adjust"
        | "admin_settle_call"
        | "admin_release_call"
        | "admin_set_key_budget"
        | "admin_set_user_budget" => Action::MoveCredits,
        "admin_put_calendar" | "admin_put_end_user_policy" => Action::EditSettings,
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
