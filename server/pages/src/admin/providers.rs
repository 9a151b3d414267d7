//! Providers and the pools of their keys, which the gateway keeps. Their secrets only pass by.

pub(super) mod batch;
pub(super) mod bulk;
pub(super) mod copies;
pub(super) mod data;
mod form;
pub(super) mod import;
pub(super) mod key_edit;
pub(super) mod keys;
mod lines;
pub(super) mod list;
pub(super) mod models;
pub(super) mod new;
mod options;
mod pool;
mod terms;
mod vendors;

use std::collections::HashMap;

use admin_templates::admin::providers::{PoolKeyRow, ProviderDetail};
use admin_templates::chart::Unit;
use admin_templates::form::{FieldError, Form};
use admin_templates::labels::{PoolKeyStatus, Switch};
use admin_templates::page::Notice;
use poem::handler;
use poem::web::{Data, Path};
use server_rooms::auth::roles::kind;
use server_rooms::providers::{Connectors, ProviderError, ProviderRef, Providers};
use server_rooms::reports::costs::KnownCost;
use server_rooms::reports::{ReportScope, Reports};
use shared::clock::Moment;
use shared::link::connectors::ConnectorFacts;
use shared::link::options::ProviderOptions;
use shared::link::{AdminError, ProviderKeyView, ProviderView};

use self::form::{drafted_edit, facts};
use self::pool::{health, key_days};
pub(super) use self::pool::{healths, known};
use super::super::bills::known_cost;
use super::super::error::{PageError, PageResult};
use super::super::form::{FieldProblem, FormData, ticked};
use super::super::session::{Admin, Confirmed};
use super::dashboard::{RESULTS, day};
use super::days::Day;
use super::form_errors::again;
use super::{chart, success, word};

/// What a gateway may blame.
const FIELDS: [&str; 13] = [
    "name",
    "kind",
    "base_url",
    "label",
    "secret",
    "weight",
    "dialects",
    "key_header",
    "headers",
    "api_version",
    "region",
    "leave_out",
    "rename",
];

/// Whoever handles providers' secrets proved a short while ago to be themselves.
type Editor = Confirmed<Admin<kind::EditProviders>>;

fn path(provider: &ProviderRef) -> String {
    format!("/admin/providers/{provider}")
}

/// A gateway that did not do it, where no form is to blame.
pub(super) fn refused(error: ProviderError) -> PageError {
    match error {
        ProviderError::Gateway(
            AdminError::NotFound | AdminError::Duplicate | AdminError::Invalid(_),
        )
        | ProviderError::NoSuchGateway(_)
        | ProviderError::SayWhich(_) => PageError::NotFound,
        ProviderError::Gateway(AdminError::Unreachable(why) | AdminError::Unanswered(why)) => {
            tracing::warn!("a provider's page was not made: {why}");
            PageError::Unavailable
        }
        ProviderError::Gateway(AdminError::Internal) => PageError::Unavailable,
    }
}

/// The same, as the error of a form's field where it is one; `field` where the gateway blames none.
fn field_error(error: ProviderError, field: &'static str) -> Result<FieldProblem, PageError> {
    match error {
        ProviderError::Gateway(AdminError::Duplicate) => Ok((field, FieldError::Taken)),
        ProviderError::Gateway(error) if error.is_earlier() => Ok(("", FieldError::Earlier)),
        ProviderError::Gateway(AdminError::Invalid(wrong)) => {
            if let Some(blamed) = terms::field(&wrong.field) {
                return Ok((blamed, FieldError::Words(wrong.to_string())));
            }
            let field_name = wrong.field.trim_start_matches("options.");
            let blamed = FIELDS.into_iter().find(|name| *name == field_name);
            let words = FieldError::Words(wrong.to_string());
            Ok((blamed.unwrap_or(field), words))
        }
        ProviderError::SayWhich(_) => Ok(("gateway", FieldError::Required)),
        ProviderError::NoSuchGateway(_) => Ok(("gateway", FieldError::Unknown)),
        error @ ProviderError::Gateway(
            AdminError::NotFound
            | AdminError::Unreachable(_)
            | AdminError::Unanswered(_)
            | AdminError::Internal,
        ) => Err(refused(error)),
    }
}

pub(super) fn switch(on: bool) -> Switch {
    if on { Switch::On } else { Switch::Off }
}

fn in_flight(keys: &[ProviderKeyView]) -> u64 {
    keys.iter().map(|key| u64::from(key.in_flight)).sum()
}

/// What a kind is at a gateway, as far as one of its database said.
fn connector<'a>(
    known: &'a [Connectors],
    gateway: Option<&str>,
    kind: &str,
) -> Option<&'a ConnectorFacts> {
    facts(gateway.unwrap_or_default(), known)?.connector(kind)
}

fn key_row(key: ProviderKeyView, days: &HashMap<String, Day>) -> PoolKeyRow {
    let told = days.get(&key.last4);
    PoolKeyRow {
        id: key.id.into_string(),
        label: key.label,
        weight: u64::from(key.weight),
        status: word(&key.status, PoolKeyStatus::Disabled),
        reason: key.reason,
        cooling_until: key.cooling_until.map(Moment::from_unix_ms),
        in_flight: u64::from(key.in_flight),
        calls: told.map_or(0, |day| day.calls),
        errors: told.map_or(0, |day| day.errors),
        spent: told.map_or_else(|| known_cost(&KnownCost::default(), 0), Day::cost),
        first_token_ms: told.map_or(0, Day::first_token_ms),
        created_at: Moment::from_unix_ms(key.created_at),
        last4: key.last4,
        test: None,
        terms: terms::shown(key.terms, key.header_names),
        is_chosen: false,
    }
}

async fn found(providers: &Providers, of: &ProviderRef) -> Result<ProviderView, PageError> {
    let found = providers.one(of).await.map_err(refused)?;
    Ok(found.answer)
}

async fn view(
    providers: &Providers,
    reports: &Reports,
    of: &ProviderRef,
    now: Moment,
) -> Result<ProviderDetail, PageError> {
    let provider = found(providers, of).await?;
    let keys = providers.keys(of).await.map_err(refused)?.answer;
    let board = day(reports, ReportScope::Provider(of.name.clone())).await?;
    let days = key_days(reports, &of.name, now).await?;
    let known = providers.connectors().await;
    let connector = connector(&known, of.gateway.as_deref(), &provider.kind);
    let mut form = Form::of([
        ("base_url", provider.base_url.as_str()),
        ("enabled", ticked(provider.enabled)),
    ]);
    options::fill(&mut form, &provider.options, connector);
    Ok(ProviderDetail {
        speaks: options::spoken(&provider.options, connector),
        options: options::shown(&provider.options),
        settings: options::settings(&form, &ProviderOptions::default(), connector),
        health: health(&provider, &keys, success(&board.totals)),
        state: switch(provider.enabled),
        in_flight: in_flight(&keys),
        calls: board.totals.calls,
        success: success(&board.totals),
        cost: known_cost(&board.totals.cost, board.totals.calls),
        traffic: chart(&board.series, board.grain, Unit::Count, RESULTS)
            .leading_to("usage", &[("provider", of.name.as_str())]),
        edit: form,
        keys: keys.into_iter().map(|key| key_row(key, &days)).collect(),
        add: Form::of([("weight", "1")]),
        rotate: Form::default(),
        rotating: String::new(),
        batch: Form::default(),
        copy: Form::default(),
        name: provider.name,
        reference: of.to_string(),
        gateway: of.gateway.clone().unwrap_or_default(),
        kind: provider.kind,
        base_url: provider.base_url,
    })
}

/// `GET /admin/providers/{name}`
#[handler]
pub(super) async fn provider_page(
    who: Admin,
    Path(name): Path<String>,
    providers: Data<&Providers>,
    reports: Data<&Reports>,
) -> PageResult {
    let of = ProviderRef::parse(&name);
    who.show(&view(&providers, &reports, &of, who.now()).await?)
        .await
}

/// `POST /admin/providers/{name}/edit`
#[handler]
pub(super) async fn edit(
    who: Admin<kind::EditProviders>,
    Path(name): Path<String>,
    posted: FormData,
    providers: Data<&Providers>,
    reports: Data<&Reports>,
) -> PageResult {
    let of = ProviderRef::parse(&name);
    let known = providers.connectors().await;
    let kind = found(&providers, &of).await?.kind;
    let connector = connector(&known, of.gateway.as_deref(), &kind);
    let wrong = match drafted_edit(&posted, connector) {
        Ok(patch) => match providers.update(&who.actor(), &of, patch).await {
            Ok(_) => return who.done(&path(&of), &Notice::Saved),
            Err(error) => vec![field_error(error, "base_url")?],
        },
        Err(wrong) => wrong,
    };
    let mut view = view(&providers, &reports, &of, who.now()).await?;
    let names = [&["base_url", "enabled"], &options::NAMES[..]].concat();
    view.edit = again(&posted, &names, wrong);
    view.settings = options::settings(&view.edit, &ProviderOptions::default(), connector);
    who.show_again(&view).await
}

/// `POST /admin/providers/{name}/delete`
#[handler]
pub(super) async fn delete(
    who: Editor,
    Path(name): Path<String>,
    providers: Data<&Providers>,
) -> PageResult {
    let of = ProviderRef::parse(&name);
    let deleted = providers.delete(&who.actor(), &of).await;
    deleted.map_err(refused)?;
    who.done("/admin/providers", &Notice::Deleted)
}
