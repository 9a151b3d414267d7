//! The console's own pages, and what several of them need: reading a list's query, turning rooms'
//! nouns into rows. Knows no session and no markup.

mod alert_channels;
mod alerts;
mod audit;
mod balances;
mod calls;
pub(super) mod console;
mod dashboard;
mod days;
pub(super) mod end_users;
mod form_errors;
mod gateways;
mod health;
mod live;
mod marks;
mod models;
pub(super) mod price_import;
mod providers;
mod tenant;
mod tenants;
mod unknown;
mod usage;

/// Pages whose form has a file.
pub(super) const FILE_FORMS: [&str; 2] = [price_import::PATH, providers::import::PATH];

use super::page_context::Here;
use std::collections::{BTreeMap, HashMap};

use admin_templates::chart::{Chart, Columns, Series, SeriesName, Unit};
use admin_templates::form::{FieldError, Form};
use admin_templates::labels::{Range, Word};
use admin_templates::list::ListState;
use poem::web::Query;
use server_edge::date::Date;
use server_rooms::ledger::LedgerError;
use server_rooms::reports::page::{Cursor, PageRequest, Paged};
use server_rooms::reports::span::Span;
use server_rooms::reports::sums::{Grain, Sums};
use server_rooms::reports::{Point, ReportsError};
use shared::clock::Moment;
use shared::credits::Credits;

use super::error::{PageError, parsed};
use super::form::{FieldProblem, FormData};
use super::table::Table;

/// Rows of a list's page.
const ROWS: u32 = 25;
/// All calls, in hundredths of a per cent.
const WHOLE: i64 = 10_000;

/// A page's query.
type Asked = Query<BTreeMap<String, String>>;

/// The console's own pages.
pub(super) fn pages(table: Table) -> Table {
    models_and_providers(tenants(channels(table)))
        .get("/admin", dashboard::dashboard)
        .post("/admin/alerts/:id/mute", alerts::mute)
        .post("/admin/alerts/:id/unmute", alerts::unmute)
        .post("/admin/start/dismiss", dashboard::start::dismiss)
        .get("/admin/docs", super::docs::admin_docs)
        .get("/admin/health", health::health_page)
        .get("/admin/live", live::live)
        .get("/admin/audit", audit::audit_log)
        .get("/admin/audit.csv", audit::audit_csv)
        .get("/admin/audit/:id", audit::audit_entry)
        .get("/admin/end-users", end_users::end_user_list)
        .post("/admin/end-users", end_users::suspend)
        .post("/admin/end-users/:id/lift", end_users::lift)
        .get("/admin/usage", usage::usage_log)
        .get("/admin/usage.csv", usage::usage_csv)
        .get("/admin/usage/:id", usage::call::one_call)
        .post("/admin/usage/:id/settle", unknown::settle)
        .post("/admin/usage/:id/release", unknown::release)
}

/// Where alerts are sent to.
fn channels(table: Table) -> Table {
    let one = |path: &str| format!("/admin/alert-channels/:id{path}");
    table
        .get("/admin/alert-channels", alert_channels::channel_page)
        .post("/admin/alert-channels", alert_channels::add)
        .post(one("/edit"), alert_channels::edit)
        .post(one("/test"), alert_channels::test)
        .post(one("/enable"), alert_channels::enable)
        .post(one("/disable"), alert_channels::disable)
        .post(one("/delete"), alert_channels::delete)
}

/// Tenants, their people, keys and money.
fn tenants(table: Table) -> Table {
    let one = |path: &str| format!("/admin/tenants/:id{path}");
    table
        .get("/admin/tenants", tenants::tenant_list)
        .get("/admin/tenants/new", tenants::new_tenant)
        .post("/admin/tenants/new", tenants::found_tenant)
        .get(one(""), tenant::info)
        .post(one("/rename"), tenant::rename)
        .post(one("/zone"), tenant::set_zone)
        .post(one("/keeping"), tenant::set_keeping)
        .post(one("/studio"), tenant::set_studio)
        .post(one("/suspend"), tenant::suspend)
        .post(one("/resume"), tenant::resume)
        .post(one("/delete"), tenant::delete)
        .post(one("/restore"), tenant::restore)
        .post(one("/models"), tenant::limits::set_models)
        .get(one("/members"), tenant::people::member_list)
        .post(one("/members"), tenant::people::add_member)
        .post(one("/members/:member/disable"), tenant::people::disable)
        .post(one("/members/:member/enable"), tenant::people::enable)
        .post(one("/members/:member/password"), tenant::people::reset)
        .post(one("/members/:member/open"), super::opened::open)
        .get(one("/keys"), tenant::keys::key_list)
        .post(one("/keys"), tenant::keys::make_key)
        .post(one("/keys/:key/rotate"), tenant::keys::rotate)
        .post(one("/keys/:key/revoke"), tenant::keys::revoke)
        .get(one("/usage"), tenant::usage::usage_page)
        .get(one("/money"), tenant::money::money_page)
        .post(one("/recharge"), tenant::money::recharge)
        .post(one("/adjust"), tenant::money::adjust)
        .get(one("/limits"), tenant::limits::limits_page)
        .post(one("/limits"), tenant::limits::set_limits)
        .post(one("/multiplier"), tenant::limits::set_multiplier)
        .post(one("/data"), tenant::limits::set_data)
}

/// What calls run on: models, providers, gateways.
fn models_and_providers(table: Table) -> Table {
    let pool = |path: &str| format!("/admin/providers/:id{path}");
    let gateway = |path: &str| format!("/admin/gateways/:id{path}");
    let model = |path: &str| format!("/admin/models/:id{path}");
    table
        .get("/admin/providers", providers::list::provider_list)
        .get("/admin/provider-import", providers::import::import_page)
        .post("/admin/provider-import", providers::import::import_file)
        .get("/admin/providers/new", providers::new::new_provider)
        .post("/admin/providers/new", providers::new::add_provider)
        .get(pool(""), providers::provider_page)
        .post(pool("/edit"), providers::edit)
        .get(pool("/data"), providers::data::data_page)
        .post(pool("/data"), providers::data::keep_data)
        .post(pool("/delete"), providers::delete)
        .post(pool("/balance"), balances::set_terms)
        .post(pool("/test"), providers::list::test_provider)
        .get("/admin/balances", balances::balance_page)
        .post(pool("/keys"), providers::keys::add_key)
        .post(pool("/copy"), providers::copies::copy)
        .get(pool("/export.json"), providers::copies::export)
        .get(
            "/admin/providers/export.json",
            providers::copies::export_all,
        )
        .post(pool("/keys/batch"), providers::batch::change_keys)
        .get(pool("/keys/:key/edit"), providers::key_edit::key_page)
        .post(pool("/keys/:key/edit"), providers::key_edit::edit_key)
        .get(pool("/models"), providers::models::model_page)
        .post(pool("/models"), providers::models::ask)
        .get(pool("/keys/bulk"), providers::bulk::bulk_page)
        .post(pool("/keys/bulk"), providers::bulk::bulk_add)
        .post(pool("/keys/:key/test"), providers::keys::test_key)
        .post(pool("/keys/:key/disable"), providers::keys::disable_key)
        .post(pool("/keys/:key/enable"), providers::keys::enable_key)
        .post(pool("/keys/:key/delete"), providers::keys::delete_key)
        .post(pool("/keys/:key/rotate"), providers::keys::rotate_key)
        .get("/admin/models", models::model_list)
        .get("/admin/models/new", models::new::new_model)
        .post("/admin/models/new", models::new::add_model)
        .get(model(""), models::model_page)
        .post(model("/edit"), models::edit)
        .post(model("/facts"), models::facts::keep)
        .post(model("/order"), models::order::keep)
        .post(model("/delete"), models::delete)
        .post(model("/targets"), models::targets::add)
        .post(model("/targets/:target"), models::targets::change)
        .post(model("/targets/:target/delete"), models::targets::remove)
        .post(model("/prices"), models::add_price)
        .get(model("/prices.csv"), models::draft::price_csv)
        .get(model("/prices.json"), models::draft::price_json)
        .post(model("/prices/draft"), models::draft::draft)
        .post(model("/prices/:price/delete"), models::withdraw)
        .post(model("/try"), models::trial::attempt)
        .post(model("/pin"), models::pin_price)
        .get(price_import::PATH, price_import::import_page)
        .post(price_import::PATH, price_import::upload)
        .get("/admin/price-imports/:id", price_import::review_page)
        .post("/admin/price-imports/:id", price_import::apply)
        .get(model("/route"), models::route::check)
        .get("/admin/gateways", gateways::gateway_list)
        .post("/admin/gateways", gateways::edit::add)
        .post(gateway("/edit"), gateways::edit::edit)
        .post(gateway("/secret"), gateways::edit::rotate_secret)
        .post(gateway("/enable"), gateways::edit::enable)
        .post(gateway("/disable"), gateways::edit::disable)
        .post(gateway("/delete"), gateways::edit::delete)
}

/// A place that is not of this list leads nowhere.
fn reports_failed(error: ReportsError) -> PageError {
    match error {
        ReportsError::Cursor(_) | ReportsError::NoSuchTenant => PageError::NotFound,
        ReportsError::Busy => PageError::Unavailable,
        ReportsError::Ledger(error) => booked(error),
        ReportsError::Store(error) => error.into(),
    }
}

/// A ledger that did not answer.
fn booked(error: LedgerError) -> PageError {
    match error {
        LedgerError::Store(error) => error.into(),
        LedgerError::Busy => PageError::Unavailable,
        LedgerError::Commit(why) => {
            tracing::error!("the ledger failed: {why}");
            PageError::Unavailable
        }
    }
}

/// A value of the query, trimmed; databases take no control characters.
fn wanted<'a>(asked: &'a BTreeMap<String, String>, name: &str) -> Option<&'a str> {
    let value = asked.get(name).map(|value| value.trim())?;
    (!value.is_empty() && !value.chars().any(char::is_control)).then_some(value)
}

/// The filters of a list as they were sent.
fn filters(asked: &BTreeMap<String, String>, names: &[&str]) -> Form {
    let values = names
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), wanted(asked, name)?.to_owned())));
    Form {
        values: values.collect(),
        ..Form::default()
    }
}

/// Which page of a list.
fn page_request(asked: &BTreeMap<String, String>, rows: u32) -> Result<PageRequest, PageError> {
    let cursor = wanted(asked, "after").or_else(|| wanted(asked, "before"));
    let from: Option<Cursor> = cursor.map(parsed).transpose()?;
    Ok(PageRequest { from, rows })
}

/// A list with the ways to the pages around.
fn list_state<T>(filters: Form, page: &Paged<T>) -> ListState {
    let text = |cursor: &Option<Cursor>| cursor.as_ref().map(ToString::to_string);
    ListState {
        filters,
        next: text(&page.next),
        previous: text(&page.previous),
        ..ListState::whole()
    }
}

/// The range of the query, or another.
fn range(asked: &BTreeMap<String, String>, otherwise: Range) -> (Range, Span) {
    let range = wanted(asked, "range").and_then(Range::from_code);
    let range = range.unwrap_or(otherwise);
    (range, Span::from_word(range.code()).unwrap_or(Span::Month))
}

/// A chart of rows that are reckoned from the same points.
fn chart<N: Into<SeriesName>>(
    points: &[Point],
    grain: Grain,
    unit: Unit,
    rows: impl IntoIterator<Item = (N, fn(&Sums) -> Option<i64>)>,
) -> Chart {
    let rows = rows.into_iter().map(|(name, value)| Series {
        name: name.into(),
        values: points.iter().map(|point| value(&point.sums)).collect(),
    });
    let starts = points.iter().map(|point| point.at).collect();
    Chart {
        columns: match grain {
            Grain::Hour => Columns::Clock(starts),
            Grain::Day => Columns::Days(starts),
        },
        series: rows.collect(),
        unit,
        leads_to: String::new(),
        marks: Vec::new(),
    }
}

/// A length as pages take it.
fn length(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// A count as charts take it.
fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Calls that succeeded, in hundredths of a per cent; all of none.
fn success(sums: &Sums) -> i64 {
    sums.success_rate_bp().map_or(WHOLE, signed)
}

/// An amount above zero out of a form; `None` where nothing was typed.
fn amount(posted: &FormData, name: &'static str) -> Result<Option<Credits>, FieldProblem> {
    let Some(text) = posted.optional(name) else {
        return Ok(None);
    };
    let amount: Credits = text.parse().map_err(|_| (name, FieldError::NotAnAmount))?;
    if amount <= Credits::ZERO || amount > server_rooms::ledger::GRANT_MAX {
        return Err((name, FieldError::NotAnAmount));
    }
    Ok(Some(amount))
}

/// The end of a day of the page's time zone, or a moment, that is still to come.
fn future(
    posted: &FormData,
    name: &'static str,
    here: Here<'_>,
) -> Result<Option<Moment>, FieldProblem> {
    let Some(text) = posted.optional(name) else {
        return Ok(None);
    };
    let date: Date = text.parse().map_err(|_| (name, FieldError::NotADate))?;
    let at = date
        .over_in(here.zone)
        .ok_or((name, FieldError::NotADate))?;
    if at <= here.now {
        return Err((name, FieldError::Past));
    }
    Ok(Some(at))
}

/// A whole number above zero; `None` where nothing was typed.
fn count<N: std::str::FromStr + PartialOrd + From<u8>>(
    posted: &FormData,
    name: &'static str,
) -> Result<Option<N>, FieldProblem> {
    let Some(text) = posted.optional(name) else {
        return Ok(None);
    };
    let number: N = text.parse().map_err(|_| (name, FieldError::NotANumber))?;
    if number < N::from(1) {
        return Err((name, FieldError::NotANumber));
    }
    Ok(Some(number))
}

/// Words for people that the ledger or the audit log keeps.
fn words(posted: &FormData, name: &'static str) -> Result<String, FieldProblem> {
    /// As the API bounds them.
    const BYTES_MAX: usize = 500;
    let text = posted.text(name);
    if text.len() > BYTES_MAX {
        return Err((name, FieldError::TooLong(length(BYTES_MAX))));
    }
    if text.chars().any(char::is_control) {
        return Err((name, FieldError::Letters));
    }
    Ok(text.to_owned())
}

/// Words that must be there.
fn reason(posted: &FormData, name: &'static str) -> Result<String, FieldProblem> {
    let text = words(posted, name)?;
    if text.is_empty() {
        return Err((name, FieldError::Required));
    }
    Ok(text)
}

/// A word of a room as the word of a page, whose codes are the same.
fn word<W: Word>(code: &str, otherwise: W) -> W {
    W::from_code(code).unwrap_or(otherwise)
}

/// Names by id, where an id without a name stands for itself.
fn named(names: &HashMap<String, String>, id: &str) -> String {
    names.get(id).cloned().unwrap_or_else(|| id.to_owned())
}
