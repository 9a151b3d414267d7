//! The pages: the superadmin's console under `/admin`, the tenant's portal under `/portal`. A
//! handler loads from rooms, fills a view and renders it; it holds no SQL, no markup and no rule.
//!
//! How to add a page: a file with handlers whose first parameter says who may see it
//! (`session::Admin<kind::…>`, `session::Member<Manager>`, `Confirmed<…>` around them for secrets and
//! money), its rooms as `Data<&Room>` or, where they are many, a struct of them beside the page
//! (`Console::supply` puts both there), and a line in `table`. A form's handler takes
//! `form::FormData`, shows the view again with `show_again` when something is wrong, and ends with
//! `done`.

mod admin;
pub mod alert_words;
mod api_keys;
mod assets;
mod bills;
mod cookie;
mod data_policy;
mod device;
mod docs;
pub mod error;
pub mod form;
mod lanes;
mod ledger_lines;
mod list_query;
pub mod opened;
pub mod page_context;
mod page_guard;
pub mod page_services;
mod portal;
mod preferences;
mod refusals;
mod search;
mod security;
pub mod session;
mod settings;
mod sign_in;
mod spending;
mod superadmins;
mod table;

use poem::endpoint::BoxEndpoint;
use poem::http::Method;
use poem::web::Data;
use poem::{EndpointExt, Response, Route, get, handler};
use server_rooms::browser_sessions::BrowserSessions;

pub use self::admin::console::Console;
pub use self::docs::ApiDocument;
use self::error::PageResult;
use self::page_context::PageContext;
use self::page_guard::PageGuard;
use self::page_services::PageServices;
use self::table::Table;

/// What console and portal share: signing in, own security, preferences.
fn shared(table: Table, root: &str) -> Table {
    let at = |path: &str| format!("{root}{path}");
    table
        .get(at("/login"), sign_in::login_page)
        .post(at("/login"), sign_in::log_in)
        .get(at("/login/second"), sign_in::steps::second_page)
        .post(at("/login/second"), sign_in::steps::second)
        .post(at("/logout"), sign_in::log_out)
        .get(at("/confirm"), sign_in::steps::confirm_page)
        .post(at("/confirm"), sign_in::steps::confirm)
        .post(at("/preferences"), preferences::choose)
        .get(at("/security"), security::security_page)
        .post(at("/security/password"), security::change_password)
        .get(at("/security/totp"), security::factor::totp_page)
        .post(at("/security/totp"), security::factor::totp_on)
        .post(at("/security/totp/off"), security::factor::totp_off)
        .post(at("/security/recovery"), security::factor::renew_codes)
        .post(at("/security/sessions/:id/end"), security::end_session)
        .post(at("/security/sessions/end-others"), security::end_others)
}

fn admin(table: Table) -> Table {
    let one = |path: &str| format!("/admin/superadmins/:id{path}");
    admin::pages(shared(table, "/admin"))
        .get("/admin/setup", sign_in::steps::setup_page)
        .post("/admin/setup", sign_in::steps::setup)
        .get("/admin/search", search::admin_search)
        .get("/admin/suggest", search::suggest::admin_suggest)
        .get("/admin/superadmins", superadmins::superadmin_list)
        .post("/admin/superadmins", superadmins::add_superadmin)
        .post(one("/role"), superadmins::set_role)
        .post(one("/disable"), superadmins::disable)
        .post(one("/enable"), superadmins::enable)
        .post(one("/password"), superadmins::reset_password)
        .get("/admin/settings", settings::settings_page)
        .post("/admin/settings/security", settings::keep_security)
        .post("/admin/settings/retention", settings::keep_retention)
        .post("/admin/settings/announcement", settings::keep_announcement)
        .post("/admin/settings/calendar", settings::keep_calendar)
        .post("/admin/settings/tenants", settings::keep_tenants)
        .post("/admin/settings/end-users", settings::keep_end_users)
}

fn table() -> Table {
    let table = admin(Table::default().get("/", start));
    portal::pages(shared(table, "/portal"))
}

/// Method and path of every page, for tests that ask each as everybody.
pub fn listed() -> Vec<(Method, String)> {
    table().listed()
}

/// Every page, behind its door, and the files that pages ask for.
pub fn routes(rooms: Console, services: PageServices) -> BoxEndpoint<'static, Response> {
    let pages = rooms.supply(table().into_route());
    Route::new()
        .at("/assets/:name", get(assets::asset))
        .nest_no_strip("/", PageGuard::new(pages, services))
        .map_to_response()
        .boxed()
}

/// Whether a path is a page's and not the API's.
pub fn is_page(path: &str) -> bool {
    if path == "/" {
        return true;
    }
    let below = |root: &str| {
        path.strip_prefix(root)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    below("/assets") || below("/portal") || (below("/admin") && !below("/admin/api"))
}

/// `GET /`: to the portal, and before the first start is over to its page.
#[handler]
async fn start(context: PageContext, browsers: Data<&BrowserSessions>) -> PageResult {
    let first = browsers.is_first_start().await?;
    context.go(if first { "/admin/setup" } else { "/portal" })
}

#[cfg(test)]
mod tests;
