//! Every page of superadmins, asked as everybody.

use poem::http::{Method, StatusCode};
use server::auth::roles::{Action, may};

use super::super::{Browser, PASSWORD, Start, places, portal, superadmin};
use super::ROLES;

/// Who may see a page or send a form.
#[derive(Debug, Clone, Copy)]
pub(in super::super) enum Access {
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
            | "providers/export.json"
            | "providers/:id"
            | "providers/:id/export.json"
            | "providers/:id/data"
            | "providers/:id/models"
            | "models"
            | "balances"
            | "models/:id"
            | "models/:id/route"
            | "models/:id/prices.csv"
            | "models/:id/prices.json"
            | "gateways"
            | "end-users"
            | "live"
            | "docs"
            | "audit"
            | "audit.csv"
            | "audit/:id"
            | "health"
            | "alert-channels",
        ) => Action::Look,
        (&Method::POST, "alerts/:id/mute" | "alerts/:id/unmute") => Action::MuteAlerts,
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
            | "models/:id/facts"
            | "models/:id/order"
            | "models/:id/delete"
            | "models/:id/targets"
            | "models/:id/targets/:target"
            | "models/:id/targets/:target/delete"
            | "models/:id/try",
        ) => Action::EditModels,
        (_, "price-imports" | "price-imports/:id")
        | (
            &Method::POST,
            "models/:id/pin"
            | "models/:id/prices"
            | "models/:id/prices/draft"
            | "models/:id/prices/:price/delete"
            | "tenants/:id/multiplier",
        ) => Action::SetPrices,
        (
            _,
            "provider-import"
            | "providers/new"
            | "providers/:id/keys/bulk"
            | "providers/:id/keys/:key/edit",
        )
        | (
            &Method::POST,
            "providers/:id/edit"
            | "providers/:id/balance"
            | "providers/:id/test"
            | "providers/:id/models"
            | "providers/:id/data"
            | "providers/:id/delete"
            | "providers/:id/copy"
            | "providers/:id/keys/batch"
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
            | "tenants/:id/keeping"
            | "tenants/:id/studio"
            | "tenants/:id/limits"
            | "tenants/:id/data",
        ) => Action::EditTenants,
        (
            &Method::POST,
            "end-users"
            | "end-users/:id/lift"
            | "tenants/:id/members"
            | "tenants/:id/members/:member/disable"
            | "tenants/:id/members/:member/enable"
            | "tenants/:id/members/:member/password",
        ) => Action::EditPeople,
        (&Method::POST, "tenants/:id/members/:member/open") => Action::OpenPortals,
        (
            &Method::POST,
            "start/dismiss"
            | "alert-channels"
            | "alert-channels/:id/edit"
            | "alert-channels/:id/test"
            | "alert-channels/:id/enable"
            | "alert-channels/:id/disable"
            | "alert-channels/:id/delete",
        ) => Action::EditSettings,
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
        ("admin", &Method::GET, "" | "search" | "suggest" | "superadmins" | "settings") => {
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
            "settings/security" | "settings/retention" | "settings/calendar" | "settings/tenants"
            | "settings/end-users",
        ) => Some(Access::Admin(Action::EditSettings)),
        ("admin", &Method::POST, "settings/announcement") => Some(Access::Admin(Action::Announce)),
        ("admin", ..) => console(method, rest),
        ("portal", ..) => portal::people::access(method, rest),
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
        let people = portal::people::people(&place, &owner, "Acme").await;
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
                    let let_in = portal::people::may(*role, access);
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
