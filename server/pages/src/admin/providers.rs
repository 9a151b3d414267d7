//! Providers and the pools of their keys, which the gateway keeps. Their secrets only pass by.

mod form;
mod pool;

use std::collections::HashMap;

use admin_templates::admin::providers::{
    BulkAdd, BulkLine, KeyTest as TestView, PoolKeyRow, PresetRow, ProviderDetail,
    ProviderList as ListView, ProviderNew, ProviderRow,
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
    Connectors, GatewayAnswer, ProviderError, ProviderList, ProviderRef,
};
use server_rooms::reports::ReportScope;
use server_rooms::reports::costs::KnownCost;
use shared::clock::Moment;
use shared::id::ProviderKeyId;
use shared::link::connectors::SecretRule;
use shared::link::{
    AdminError, KeyTest, KeyVerdict, NewProviderKey, ProviderKeyPatch, ProviderKeyView,
    ProviderView,
};

use self::form::{drafted_edit, drafted_key, drafted_provider, weight};
use self::pool::{health, key_days, number};
pub(super) use self::pool::{healths, known};
use super::super::bills::known_cost;
use super::super::error::{PageError, PageResult};
use super::super::form::{FieldProblem, FormData};
use super::super::session::{Admin, Confirmed};
use super::dashboard::{RESULTS, day};
use super::days::Day;
use super::form_errors::again;
use super::{Console, chart, success, word};

/// Lines of a bulk at most; each is a call over the link.
const BULK_MAX: usize = 200;

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
    rooms: &Console,
    list: &ProviderList,
    one: &GatewayAnswer<ProviderView>,
) -> Result<ProviderRow, PageError> {
    let (of, provider) = (list.address(one), one.answer.clone());
    let keys = rooms.providers.keys(&of).await.map_err(refused)?.answer;
    let board = day(&rooms.reports, ReportScope::Provider(provider.name.clone())).await?;
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
pub(super) async fn provider_list(who: Admin, rooms: Data<&Console>) -> PageResult {
    let list = rooms.providers.all().await.map_err(refused)?;
    let rows = list.providers.iter().map(|one| row(&rooms, &list, one));
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
    rooms: Data<&Console>,
) -> PageResult {
    let known = rooms.providers.connectors().await;
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
    rooms: Data<&Console>,
) -> PageResult {
    let known = rooms.providers.connectors().await;
    let gateway = posted.optional("gateway");
    let wrong = match drafted_provider(&posted, &known) {
        Ok(new) => match rooms.providers.create(&who.actor(), gateway, new).await {
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

async fn found(rooms: &Console, of: &ProviderRef) -> Result<ProviderView, PageError> {
    let found = rooms.providers.one(of).await.map_err(refused)?;
    Ok(found.answer)
}

async fn view(rooms: &Console, of: &ProviderRef, now: Moment) -> Result<ProviderDetail, PageError> {
    let provider = found(rooms, of).await?;
    let keys = rooms.providers.keys(of).await.map_err(refused)?.answer;
    let board = day(&rooms.reports, ReportScope::Provider(of.name.clone())).await?;
    let days = key_days(&rooms.reports, &of.name, now).await?;
    let enabled = if provider.enabled { "on" } else { "" };
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
            ("enabled", enabled),
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
    rooms: Data<&Console>,
) -> PageResult {
    let of = ProviderRef::parse(&name);
    who.show(&view(&rooms, &of, who.now()).await?).await
}

/// `POST /admin/providers/{name}/edit`
#[handler]
pub(super) async fn edit(
    who: Admin<kind::EditProviders>,
    Path(name): Path<String>,
    posted: FormData,
    rooms: Data<&Console>,
) -> PageResult {
    let of = ProviderRef::parse(&name);
    let (field, error) = match drafted_edit(&posted) {
        Ok(patch) => match rooms.providers.update(&who.actor(), &of, patch).await {
            Ok(_) => return who.done(&path(&of), &Notice::Saved),
            Err(error) => field_error(error, "base_url")?,
        },
        Err(wrong) => wrong,
    };
    let mut view = view(&rooms, &of, who.now()).await?;
    view.edit = posted.again(&["base_url", "enabled"]).wrong(field, error);
    who.show_again(&view).await
}

/// `POST /admin/providers/{name}/delete`
#[handler]
pub(super) async fn delete(
    who: Editor,
    Path(name): Path<String>,
    rooms: Data<&Console>,
) -> PageResult {
    let of = ProviderRef::parse(&name);
    let deleted = rooms.providers.delete(&who.actor(), &of).await;
    deleted.map_err(refused)?;
    who.done("/admin/providers", &Notice::Deleted)
}

/// `POST /admin/providers/{name}/keys`
#[handler]
pub(super) async fn add_key(
    who: Editor,
    Path(name): Path<String>,
    posted: FormData,
    rooms: Data<&Console>,
) -> PageResult {
    let of = ProviderRef::parse(&name);
    let rule = found(&rooms, &of).await?.secret;
    let wrong = match drafted_key(&posted, rule) {
        Ok(new) => match rooms.providers.create_key(&who.actor(), &of, new).await {
            Ok(_) => return who.done(&path(&of), &Notice::Created),
            Err(error) => vec![field_error(error, "secret")?],
        },
        Err(wrong) => wrong,
    };
    let mut view = view(&rooms, &of, who.now()).await?;
    view.add = again(&posted, &["label", "weight", "secret"], wrong);
    who.show_again(&view).await
}

fn key_id(text: &str) -> Result<ProviderKeyId, PageError> {
    text.parse().map_err(|_| PageError::NotFound)
}

/// `POST /admin/providers/{name}/keys/{key}/test`: the page again, with what came of it.
#[handler]
pub(super) async fn test_key(
    who: Admin<kind::EditProviders>,
    Path((name, key)): Path<(String, String)>,
    posted: FormData,
    rooms: Data<&Console>,
) -> PageResult {
    let (of, key) = (ProviderRef::parse(&name), key_id(&key)?);
    let model = posted.optional("model");
    let test = rooms.providers.test_key(&of, &key, model).await;
    let test = test.map_err(refused)?.answer;
    let mut view = view(&rooms, &of, who.now()).await?;
    let row = view.keys.iter_mut().find(|row| row.id == key.as_str());
    row.ok_or(PageError::NotFound)?.test = Some(test_view(test));
    who.show(&view).await
}

async fn set_status(
    who: &Admin<kind::EditProviders>,
    rooms: &Console,
    (name, key): (String, String),
    (status, notice): (&str, Notice),
) -> PageResult {
    let patch = ProviderKeyPatch {
        status: Some(status.to_owned()),
        ..ProviderKeyPatch::default()
    };
    let (of, key) = (ProviderRef::parse(&name), key_id(&key)?);
    let actor = who.actor();
    let changed = rooms.providers.update_key(&actor, (&of, &key), patch);
    changed.await.map_err(refused)?;
    who.done(&path(&of), &notice)
}

/// `POST /admin/providers/{name}/keys/{key}/disable`
#[handler]
pub(super) async fn disable_key(
    who: Admin<kind::EditProviders>,
    Path(ids): Path<(String, String)>,
    rooms: Data<&Console>,
) -> PageResult {
    set_status(&who, &rooms, ids, ("disabled", Notice::Disabled)).await
}

/// `POST /admin/providers/{name}/keys/{key}/enable`
#[handler]
pub(super) async fn enable_key(
    who: Admin<kind::EditProviders>,
    Path(ids): Path<(String, String)>,
    rooms: Data<&Console>,
) -> PageResult {
    set_status(&who, &rooms, ids, ("active", Notice::Enabled)).await
}

/// `POST /admin/providers/{name}/keys/{key}/delete`
#[handler]
pub(super) async fn delete_key(
    who: Editor,
    Path((name, key)): Path<(String, String)>,
    rooms: Data<&Console>,
) -> PageResult {
    let (of, key) = (ProviderRef::parse(&name), key_id(&key)?);
    let deleted = rooms.providers.delete_key(&who.actor(), &of, &key).await;
    deleted.map_err(refused)?;
    who.done(&path(&of), &Notice::Deleted)
}

/// Puts a key of the same name and share in a key's place; the one before ends once the new one is
/// there, so that the pool is never without.
async fn replace(
    who: &Editor,
    rooms: &Console,
    of: &ProviderRef,
    (id, posted): (&ProviderKeyId, &FormData),
) -> Result<Option<FieldProblem>, PageError> {
    let rule = found(rooms, of).await?.secret;
    let keys = rooms.providers.keys(of).await.map_err(refused)?.answer;
    let old = keys.into_iter().find(|key| key.id == *id);
    let old = old.ok_or(PageError::NotFound)?;
    let new = match form::secret(posted.secret("secret").expose(), rule) {
        Ok(secret) => NewProviderKey {
            secret,
            label: old.label,
            weight: old.weight,
        },
        Err(wrong) => return Ok(Some(wrong)),
    };
    let actor = who.actor();
    if let Err(error) = rooms.providers.create_key(&actor, of, new).await {
        return field_error(error, "secret").map(Some);
    }
    let deleted = rooms.providers.delete_key(&actor, of, id).await;
    deleted.map_err(refused)?;
    Ok(None)
}

/// `POST /admin/providers/{name}/keys/{key}/rotate`
#[handler]
pub(super) async fn rotate_key(
    who: Editor,
    Path((name, key)): Path<(String, String)>,
    posted: FormData,
    rooms: Data<&Console>,
) -> PageResult {
    let (of, id) = (ProviderRef::parse(&name), key_id(&key)?);
    let wrong = replace(&who, &rooms, &of, (&id, &posted)).await?;
    let Some((field, error)) = wrong else {
        return who.done(&path(&of), &Notice::Saved);
    };
    let mut view = view(&rooms, &of, who.now()).await?;
    view.rotate = Form::default().wrong(field, error);
    view.rotating = key;
    who.show_again(&view).await
}

fn bulk_view(of: &ProviderRef, form: Form) -> BulkAdd {
    BulkAdd {
        provider: of.name.clone(),
        reference: of.to_string(),
        form,
        results: Vec::new(),
    }
}

/// `GET /admin/providers/{name}/keys/bulk`
#[handler]
pub(super) async fn bulk_page(
    who: Admin<kind::EditProviders>,
    Path(name): Path<String>,
    rooms: Data<&Console>,
) -> PageResult {
    let of = ProviderRef::parse(&name);
    found(&rooms, &of).await?;
    let form = Form::of([("weight", "1"), ("test", "on")]);
    who.show(&bulk_view(&of, form)).await
}

/// How the keys of a bulk are added.
struct Bulk {
    of: ProviderRef,
    rule: SecretRule,
    weight: u32,
    tests: bool,
}

/// Adds the key of one line, and tries it.
async fn bulk_line(who: &Editor, rooms: &Console, bulk: &Bulk, line: &str) -> (bool, String) {
    let (secret, label) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let new = match (form::secret(secret, bulk.rule), form::label(label.trim())) {
        (Ok(secret), Ok(label)) => NewProviderKey {
            secret,
            label,
            weight: bulk.weight,
        },
        (Err((_, error)), _) | (_, Err((_, error))) => {
            return (false, error.text(&who.page().await));
        }
    };
    let actor = who.actor();
    let made = match rooms.providers.create_key(&actor, &bulk.of, new).await {
        Ok(made) => made.answer,
        Err(error) => return (false, error.to_string()),
    };
    if !bulk.tests {
        return (true, String::new());
    }
    match rooms.providers.test_key(&bulk.of, &made.id, None).await {
        Ok(GatewayAnswer { answer: test, .. }) if test.ok => {
            (true, format!("{} ms", test.latency_ms))
        }
        Ok(GatewayAnswer { answer: test, .. }) => (true, test.detail),
        Err(error) => (true, error.to_string()),
    }
}

/// `POST /admin/providers/{name}/keys/bulk`
#[handler]
pub(super) async fn bulk_add(
    who: Editor,
    Path(name): Path<String>,
    posted: FormData,
    rooms: Data<&Console>,
) -> PageResult {
    let of = ProviderRef::parse(&name);
    let rule = found(&rooms, &of).await?.secret;
    let typed = posted.secret("secrets");
    let lines = typed.expose().lines().map(str::trim).enumerate();
    let lines: Vec<(usize, &str)> = lines.filter(|(_, line)| !line.is_empty()).collect();
    let form = posted.again(&["weight", "test"]);
    let weight = weight(&posted);
    let wrong = match (&weight, lines.len()) {
        (Err(wrong), _) => Some(wrong.clone()),
        (Ok(_), 0) => Some(("secrets", FieldError::Required)),
        (Ok(_), many) if many > BULK_MAX => {
            let most = u64::try_from(BULK_MAX).unwrap_or(u64::MAX);
            Some(("secrets", FieldError::OutOfRange(1, most)))
        }
        (Ok(_), _) => None,
    };
    if let Some((field, error)) = wrong {
        let view = bulk_view(&of, form.wrong(field, error));
        return who.show_again(&view).await;
    }
    let mut view = bulk_view(&of, form);
    let bulk = Bulk {
        of,
        rule,
        weight: weight.unwrap_or(1),
        tests: posted.is_ticked("test"),
    };
    for (place, line) in lines {
        let (added, detail) = bulk_line(&who, &rooms, &bulk, line).await;
        let secret = line.split_whitespace().next().unwrap_or_default();
        view.results.push(BulkLine {
            number: u64::try_from(place).unwrap_or(u64::MAX).saturating_add(1),
            last4: form::last4(secret),
            added,
            detail,
        });
    }
    who.show(&view).await
}
