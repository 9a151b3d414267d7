//! Providers and the pools of their keys, which the gateway keeps. Their secrets only pass by.

pub(super) mod bulk;
mod form;
mod pool;

use std::collections::HashMap;

use admin_templates::admin::providers::{
    KeyTest as TestView, PoolKeyRow, PresetRow, ProviderDetail, ProviderList as ListView,
    ProviderNew, ProviderRow,
};
use admin_templates::chart::{Spark, Unit};
use admin_templates::form::{FieldError, Form};
use admin_templates::labels::{PoolKeyStatus, Switch};
use admin_templates::page::Notice;
use futures_util::future::try_join_all;
use poem::handler;
use poem::web::{Data, Path, Query};
use server_rooms::auth::roles::kind;
use server_rooms::providers::{
    Connectors, GatewayAnswer, ProviderError, ProviderList, ProviderRef, Providers,
};
use server_rooms::reports::costs::KnownCost;
use server_rooms::reports::{ReportScope, Reports};
use shared::clock::Moment;
use shared::id::ProviderKeyId;
use shared::link::{
    AdminError, KeyTest, KeyVerdict, NewProviderKey, ProviderKeyPatch, ProviderKeyView,
    ProviderView,
};

use self::form::{drafted_edit, drafted_key, drafted_provider};
use self::pool::{health, key_days, number};
pub(super) use self::pool::{healths, known};
use super::super::bills::known_cost;
use super::super::error::{PageError, PageResult, parsed};
use super::super::form::{FieldProblem, FormData, ticked};
use super::super::session::{Admin, Confirmed};
use super::dashboard::{RESULTS, day};
use super::days::Day;
use super::form_errors::again;
use super::{chart, success, word};

/// What a gateway may blame.
const FIELDS: [&str; 6] = ["name", "kind", "base_url", "label", "secret", "weight"];

/// Whoever handles providers' secrets proved a short while ago to be themselves.
type Editor = Confirmed<Admin<kind::EditProviders>>;

fn path(provider: &ProviderRef) -> String {
    format!("/admin/providers/{provider}")
}

/// A gateway that did not do it, where no form is to blame.
fn refused(error: ProviderError) -> PageError {
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
        ProviderError::Gateway(AdminError::Invalid(wrong)) => {
            let blamed = FIELDS.into_iter().find(|name| *name == wrong.field);
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

async fn row(
    providers: &Providers,
    reports: &Reports,
    list: &ProviderList,
    one: &GatewayAnswer<ProviderView>,
) -> Result<ProviderRow, PageError> {
    let (of, provider) = (list.address(one), one.answer.clone());
    let keys = providers.keys(&of).await.map_err(refused)?.answer;
    let board = day(reports, ReportScope::Provider(provider.name.clone())).await?;
    let (totals, calls) = (&board.totals, board.series.iter());
    let calls = calls.map(|point| super::signed(point.sums.calls));
    Ok(ProviderRow {
        health: health(&provider, &keys, success(totals)),
        state: switch(provider.enabled),
        active: number(&keys, "active"),
        cooling: number(&keys, "cooling"),
        disabled: number(&keys, "disabled"),
        in_flight: in_flight(&keys),
        calls: totals.calls,
        course: Spark {
            values: calls.map(Some).collect(),
        },
        success: success(totals),
        first_token_ms: totals.first_byte().p95_ms.unwrap_or(0),
        cost: known_cost(&totals.cost, totals.calls),
        name: provider.name,
        reference: of.to_string(),
        gateway: of.gateway.unwrap_or_default(),
        kind: provider.kind,
        base_url: provider.base_url,
    })
}

/// `GET /admin/providers`
#[handler]
pub(super) async fn provider_list(
    who: Admin,
    providers: Data<&Providers>,
    reports: Data<&Reports>,
) -> PageResult {
    let list = providers.all().await.map_err(refused)?;
    let all = list.providers.iter();
    let rows = all.map(|one| row(&providers, &reports, &list, one));
    let rows = try_join_all(rows).await?;
    let missing = list.missing.clone();
    who.show(&ListView { rows, missing }).await
}

/// The form, with what the gateways say of their connectors.
fn new_view(form: Form, known: &[Connectors]) -> ProviderNew {
    let facts = || known.iter().filter_map(|of| of.facts.as_deref());
    let mut kinds: Vec<String> = Vec::new();
    for connector in facts().flat_map(|facts| &facts.connectors) {
        if !kinds.contains(&connector.kind.to_string()) {
            kinds.push(connector.kind.to_string());
        }
    }
    let mut presets: Vec<PresetRow> = Vec::new();
    for preset in facts().flat_map(|facts| &facts.presets) {
        if presets.iter().all(|known| known.name != preset.name) {
            presets.push(PresetRow {
                name: preset.name.to_string(),
                label: preset.label.to_string(),
                models: preset.models.join(", "),
            });
        }
    }
    let gateways = match known {
        [] | [_] => Vec::new(),
        several => several.iter().map(|of| of.gateway.clone()).collect(),
    };
    ProviderNew {
        form,
        kinds,
        gateways,
        presets,
    }
}

/// What a new provider begins with.
#[derive(Debug, serde::Deserialize)]
struct Begin {
    /// The word of a preset.
    preset: Option<String>,
}

/// `GET /admin/providers/new`
#[handler]
pub(super) async fn new_provider(
    who: Admin<kind::EditProviders>,
    Query(begin): Query<Begin>,
    providers: Data<&Providers>,
) -> PageResult {
    let known = providers.connectors().await;
    let presets = known.iter().filter_map(|of| of.facts.as_deref());
    let mut presets = presets.flat_map(|facts| &facts.presets);
    let preset = presets.find(|preset| begin.preset.as_deref() == Some(&*preset.name));
    let form = preset.map_or_else(Form::default, |preset| {
        Form::of([
            ("name", &*preset.name),
            ("kind", &*preset.kind),
            ("base_url", &*preset.base_url),
        ])
    });
    who.show(&new_view(form, &known)).await
}

/// `POST /admin/providers/new`
#[handler]
pub(super) async fn add_provider(
    who: Admin<kind::EditProviders>,
    posted: FormData,
    providers: Data<&Providers>,
) -> PageResult {
    let known = providers.connectors().await;
    let gateway = posted.optional("gateway");
    let wrong = match drafted_provider(&posted, &known) {
        Ok(new) => match providers.create(&who.actor(), gateway, new).await {
            Ok(made) => {
                let of = ProviderRef::new(&made.answer.name, gateway.map(str::to_owned));
                return who.done(&path(&of), &Notice::Created);
            }
            Err(error) => vec![field_error(error, "name")?],
        },
        Err(wrong) => wrong,
    };
    let form = again(&posted, &["name", "kind", "base_url", "gateway"], wrong);
    who.show_again(&new_view(form, &known)).await
}

fn test_view(test: KeyTest) -> TestView {
    TestView {
        accepted: test.ok,
        can_be_told: test.verdict != KeyVerdict::Unknown,
        status: test.status,
        latency_ms: test.latency_ms,
        detail: test.detail,
    }
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
    Ok(ProviderDetail {
        health: health(&provider, &keys, success(&board.totals)),
        state: switch(provider.enabled),
        in_flight: in_flight(&keys),
        calls: board.totals.calls,
        success: success(&board.totals),
        cost: known_cost(&board.totals.cost, board.totals.calls),
        traffic: chart(&board.series, board.query.grain, Unit::Count, RESULTS),
        edit: Form::of([
            ("base_url", provider.base_url.as_str()),
            ("enabled", ticked(provider.enabled)),
        ]),
        keys: keys.into_iter().map(|key| key_row(key, &days)).collect(),
        add: Form::of([("weight", "1")]),
        rotate: Form::default(),
        rotating: String::new(),
        name: provider.name,
        reference: of.to_string(),
        gateway: of.gateway.clone().unwrap_or_default(),
        kind: provider.kind,
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
    let (field, error) = match drafted_edit(&posted) {
        Ok(patch) => match providers.update(&who.actor(), &of, patch).await {
            Ok(_) => return who.done(&path(&of), &Notice::Saved),
            Err(error) => field_error(error, "base_url")?,
        },
        Err(wrong) => wrong,
    };
    let mut view = view(&providers, &reports, &of, who.now()).await?;
    view.edit = posted.again(&["base_url", "enabled"]).wrong(field, error);
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

/// `POST /admin/providers/{name}/keys`
#[handler]
pub(super) async fn add_key(
    who: Editor,
    Path(name): Path<String>,
    posted: FormData,
    providers: Data<&Providers>,
    reports: Data<&Reports>,
) -> PageResult {
    let of = ProviderRef::parse(&name);
    let rule = found(&providers, &of).await?.secret;
    let wrong = match drafted_key(&posted, rule) {
        Ok(new) => match providers.create_key(&who.actor(), &of, new).await {
            Ok(_) => return who.done(&path(&of), &Notice::Created),
            Err(error) => vec![field_error(error, "secret")?],
        },
        Err(wrong) => wrong,
    };
    let mut view = view(&providers, &reports, &of, who.now()).await?;
    view.add = again(&posted, &["label", "weight", "secret"], wrong);
    who.show_again(&view).await
}

/// `POST /admin/providers/{name}/keys/{key}/test`: the page again, with what came of it.
#[handler]
pub(super) async fn test_key(
    who: Admin<kind::EditProviders>,
    Path((name, key)): Path<(String, String)>,
    posted: FormData,
    providers: Data<&Providers>,
    reports: Data<&Reports>,
) -> PageResult {
    let (of, key): (_, ProviderKeyId) = (ProviderRef::parse(&name), parsed(&key)?);
    let model = posted.optional("model");
    let test = providers.test_key(&of, &key, model).await;
    let test = test.map_err(refused)?.answer;
    let mut view = view(&providers, &reports, &of, who.now()).await?;
    let row = view.keys.iter_mut().find(|row| row.id == key.as_str());
    row.ok_or(PageError::NotFound)?.test = Some(test_view(test));
    who.show(&view).await
}

async fn set_status(
    who: &Admin<kind::EditProviders>,
    providers: &Providers,
    (name, key): (String, String),
    (status, notice): (&str, Notice),
) -> PageResult {
    let patch = ProviderKeyPatch {
        status: Some(status.to_owned()),
        ..ProviderKeyPatch::default()
    };
    let (of, key) = (ProviderRef::parse(&name), parsed(&key)?);
    let actor = who.actor();
    let changed = providers.update_key(&actor, (&of, &key), patch);
    changed.await.map_err(refused)?;
    who.done(&path(&of), &notice)
}

/// `POST /admin/providers/{name}/keys/{key}/disable`
#[handler]
pub(super) async fn disable_key(
    who: Admin<kind::EditProviders>,
    Path(ids): Path<(String, String)>,
    providers: Data<&Providers>,
) -> PageResult {
    set_status(&who, &providers, ids, ("disabled", Notice::Disabled)).await
}

/// `POST /admin/providers/{name}/keys/{key}/enable`
#[handler]
pub(super) async fn enable_key(
    who: Admin<kind::EditProviders>,
    Path(ids): Path<(String, String)>,
    providers: Data<&Providers>,
) -> PageResult {
    set_status(&who, &providers, ids, ("active", Notice::Enabled)).await
}

/// `POST /admin/providers/{name}/keys/{key}/delete`
#[handler]
pub(super) async fn delete_key(
    who: Editor,
    Path((name, key)): Path<(String, String)>,
    providers: Data<&Providers>,
) -> PageResult {
    let (of, key) = (ProviderRef::parse(&name), parsed(&key)?);
    let deleted = providers.delete_key(&who.actor(), &of, &key).await;
    deleted.map_err(refused)?;
    who.done(&path(&of), &Notice::Deleted)
}

/// Puts a key of the same name and share in a key's place; the one before ends once the new one is
/// there, so that the pool is never without.
async fn replace(
    who: &Editor,
    providers: &Providers,
    of: &ProviderRef,
    (id, posted): (&ProviderKeyId, &FormData),
) -> Result<Option<FieldProblem>, PageError> {
    let rule = found(providers, of).await?.secret;
    let keys = providers.keys(of).await.map_err(refused)?.answer;
    let old = keys.into_iter().find(|key| key.id == *id);
    let old = old.ok_or(PageError::NotFound)?;
    let new = match form::secret(posted.secret("secret").expose(), rule) {
        Ok(secret) => NewProviderKey {
            secret,
            label: old.label,
            weight: old.weight,
            // Its headers are shown to nobody: they are entered again.
            terms: old.terms,
        },
        Err(wrong) => return Ok(Some(wrong)),
    };
    let actor = who.actor();
    if let Err(error) = providers.create_key(&actor, of, new).await {
        return field_error(error, "secret").map(Some);
    }
    let deleted = providers.delete_key(&actor, of, id).await;
    deleted.map_err(refused)?;
    Ok(None)
}

/// `POST /admin/providers/{name}/keys/{key}/rotate`
#[handler]
pub(super) async fn rotate_key(
    who: Editor,
    Path((name, key)): Path<(String, String)>,
    posted: FormData,
    providers: Data<&Providers>,
    reports: Data<&Reports>,
) -> PageResult {
    let (of, id) = (ProviderRef::parse(&name), parsed(&key)?);
    let wrong = replace(&who, &providers, &of, (&id, &posted)).await?;
    let Some((field, error)) = wrong else {
        return who.done(&path(&of), &Notice::Saved);
    };
    let mut view = view(&providers, &reports, &of, who.now()).await?;
    view.rotate = Form::default().wrong(field, error);
    view.rotating = key;
    who.show_again(&view).await
}
