//! The tenant's portal: its table of pages, and what several of them need. Every query begins with
//! the tenant of the session; an id of another tenant is not there.

mod end_users;
mod keys;
mod ledger;
mod members;
mod models;
mod money;
mod notices;
mod overview;
mod rows;
pub(super) mod settings;
mod studio;
mod studio_request;
pub(super) mod usage;

use std::sync::Arc;

use server_rooms::accounts::Scopes;
use server_rooms::auth::{Principal, Role};
use server_rooms::ledger::LedgerError;
use server_rooms::limits::LimitSettings;
use server_rooms::reports::ReportsError;
use server_rooms::routing::RouteRule;

use super::error::PageError;
use super::session::{Member, Rank};
use super::table::Table;

/// Adds the portal's own pages.
pub(super) fn pages(table: Table) -> Table {
    table
        .get("/portal", overview::overview_page)
        .get("/portal/end-users", end_users::end_users_page)
        .get("/portal/keys", keys::key_list)
        .get("/portal/keys/new", keys::new_key)
        .post("/portal/keys/new", keys::make_key)
        .get("/portal/keys/:id", keys::change::key_page)
        .post("/portal/keys/:id", keys::change::change_key)
        .post("/portal/keys/:id/route", keys::route::keep_route)
        .post("/portal/keys/:id/rotate", keys::change::rotate_key)
        .post("/portal/keys/:id/revoke", keys::change::revoke_key)
        .get("/portal/members", members::member_list)
        .get("/portal/members/new", members::new_member)
        .post("/portal/members/new", members::add_member)
        .get("/portal/members/:id", members::change::member_page)
        .post("/portal/members/:id", members::change::change_member)
        .post("/portal/members/:id/disable", members::change::disable)
        .post("/portal/members/:id/enable", members::change::enable)
        .post(
            "/portal/members/:id/password",
            members::change::reset_password,
        )
        .get("/portal/docs", super::docs::portal_docs)
        .get("/portal/models", models::model_page)
        .post(super::opened::CLOSE, super::opened::close)
        .get("/portal/search", super::search::portal_search)
        .get("/portal/suggest", super::search::suggest::portal_suggest)
        .get("/portal/settings", settings::settings_page)
        .post("/portal/settings", settings::keep_alerts)
        .post("/portal/settings/calendar", settings::keep_calendar)
        .post("/portal/settings/data", settings::keep_data)
        .post("/portal/settings/keeping", settings::keep_answers)
        .post("/portal/settings/studio", settings::keep_studio)
        .post("/portal/settings/security", settings::keep_security)
        .get("/portal/ledger", ledger::ledger_page)
        .get("/portal/ledger.csv", ledger::ledger_csv)
        .get("/portal/usage", usage::usage_page)
        .get("/portal/usage.csv", usage::usage_csv)
        .get("/portal/usage/:id", usage::call_page)
        .get("/portal/history", usage::history_page)
        .get("/portal/studio", studio::history::chat_list)
        .post("/portal/studio/forget", studio::history::forget_all)
        .post(
            "/portal/studio/chats/:id/delete",
            studio::history::delete_chat,
        )
        .get(
            "/portal/studio/images/:id/file",
            studio::history::image_file,
        )
        .post(
            "/portal/studio/images/:id/delete",
            studio::images::delete_image,
        )
        .get("/portal/studio/chat", studio::chat::chat_page)
        .post("/portal/studio/chat", studio::chat::send_chat)
        .get("/portal/studio/images", studio::images::image_page)
        .post("/portal/studio/images", studio::images::send_image)
        .post("/portal/studio/estimate", studio::reckon)
}

/// A person of a tenant as a caller of models, as a session of the API makes them.
fn principal<R: Rank>(who: &Member<R>, route: Option<Arc<RouteRule>>) -> Arc<Principal> {
    Arc::new(Principal {
        tenant: who.tenant.id.clone(),
        tenant_name: who.tenant.name.clone(),
        user: Some(who.user.id.clone()),
        username: Some(who.user.username.clone()),
        key: None,
        key_name: None,
        scopes: Scopes::ALL,
        role: who.user.role,
        test: false,
        price_multiplier_ppm: who.tenant.price_multiplier_ppm,
        tenant_limits: who.tenant.limits,
        key_limits: LimitSettings::default(),
        allowed_models: who.tenant.allowed_models.clone(),
        parent: None,
        ends_at: None,
        keep_days: None,
        zone: who.tenant.zone.clone(),
        route,
    })
}

/// Whether they run the tenant.
pub(super) fn manages<R: Rank>(who: &Member<R>) -> bool {
    match who.user.role {
        Role::Owner | Role::Admin => true,
        Role::Member => false,
    }
}

/// Why a page has no figures.
fn reports_failed(error: ReportsError) -> PageError {
    match error {
        ReportsError::Cursor(_) | ReportsError::NoSuchTenant => PageError::NotFound,
        ReportsError::Busy => PageError::Unavailable,
        ReportsError::Ledger(error) => unread(error),
        ReportsError::Store(error) => error.into(),
    }
}

/// Why a page has no balance.
fn unread(error: LedgerError) -> PageError {
    match error {
        LedgerError::Store(error) => error.into(),
        error @ (LedgerError::Busy | LedgerError::Commit(_)) => {
            tracing::error!(%error, "the ledger did not answer a page: {error}");
            PageError::Unavailable
        }
    }
}
