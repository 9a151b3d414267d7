//! What a new platform needs, and how far it is: asked anew for each page, in questions whose length does
//! not grow with the platform. The sandbox and the demo tenant count as a demonstration.

use admin_templates::admin::start::StartRow;
use admin_templates::labels::{StartState, StartStep};
use admin_templates::page::Notice;
use poem::handler;
use poem::web::Data;
use server_rooms::accounts::Accounts;
use server_rooms::auth::roles::kind;
use server_rooms::catalogue::{Catalogue, Model};
use server_rooms::providers::Providers;
use server_rooms::reports::Reports;
use server_rooms::settings::{Settings, StartList};
use shared::clock::Moment;

use super::super::super::error::{PageError, PageResult};
use super::super::super::session::Admin;
use super::{DashboardRooms, PATIENCE};

/// The provider that answers without an account, by its name and its kind.
const SANDBOX: &str = "sandbox";
/// The tenant of a first start.
const DEMO: &str = "demo";
/// Two of them are one that is not the demo tenant.
const TENANTS_READ: i64 = 2;

/// Real before demonstration before nothing.
fn state(real: bool, demo: bool) -> StartState {
    if real {
        StartState::Done
    } else if demo {
        StartState::Demo
    } else {
        StartState::Open
    }
}

/// A gateway that does not answer has an alert of its own.
async fn provider(providers: &Providers) -> StartState {
    let Ok(Ok(list)) = tokio::time::timeout(PATIENCE, providers.all()).await else {
        return StartState::Open;
    };
    let on = list.providers.iter().map(|one| &one.answer);
    let mut on = on.filter(|one| one.enabled).peekable();
    let demo = on.peek().is_some();
    let has_key = on.any(|one| one.kind != SANDBOX && (one.keys > 0 || !one.secret.is_needed));
    state(has_key, demo)
}

fn is_real(model: &Model) -> bool {
    let mut targets = model.targets.iter();
    targets.any(|target| target.provider != SANDBOX)
}

/// Of the models that tenants may call, and of those of them that have a price.
fn models(catalogue: &Catalogue, now: Moment) -> [StartState; 2] {
    let models = catalogue.models();
    let offered: Vec<&Model> = models
        .iter()
        .map(AsRef::as_ref)
        .filter(|model| is_offered(model))
        .collect();
    let of = |models: &[&Model]| {
        state(
            models.iter().any(|model| is_real(model)),
            !models.is_empty(),
        )
    };
    let priced: Vec<&Model> = offered
        .iter()
        .copied()
        .filter(|model| model.price_at(now).is_some())
        .collect();
    [of(&offered), of(&priced)]
}

fn is_offered(model: &Model) -> bool {
    model.enabled && !model.targets.is_empty()
}

async fn tenant(accounts: &Accounts) -> Result<StartState, PageError> {
    let some = accounts.tenants("", None, TENANTS_READ).await?;
    let real = some.iter().any(|tenant| tenant.name != DEMO);
    Ok(state(real, !some.is_empty()))
}

async fn call(reports: &Reports) -> Result<StartState, PageError> {
    if reports.charged_provider(SANDBOX).await?.is_some() {
        return Ok(StartState::Done);
    }
    let any = reports.charged_provider("").await?;
    Ok(state(false, any.is_some()))
}

/// All of them, or none once nothing is missing or the list was put away.
pub(super) async fn rows(rooms: &DashboardRooms, now: Moment) -> Result<Vec<StartRow>, PageError> {
    let kept: StartList = rooms.settings.get().await?;
    if kept.dismissed {
        return Ok(Vec::new());
    }
    let (provider, tenant, call) = tokio::join!(
        provider(&rooms.providers),
        tenant(&rooms.accounts),
        call(&rooms.reports)
    );
    let [model, price] = models(&rooms.catalogue, now);
    let states = [
        (StartStep::Provider, provider),
        (StartStep::Model, model),
        (StartStep::Price, price),
        (StartStep::Tenant, tenant?),
        (StartStep::Call, call?),
    ];
    let rows: Vec<StartRow> = states
        .into_iter()
        .map(|(step, state)| StartRow { step, state })
        .collect();
    Ok(if rows.iter().all(StartRow::is_done) {
        Vec::new()
    } else {
        rows
    })
}

/// `POST /admin/start/dismiss`: puts the list away for all superadmins.
#[handler]
pub(in super::super) async fn dismiss(
    who: Admin<kind::EditSettings>,
    settings: Data<&Settings>,
) -> PageResult {
    let away = StartList { dismissed: true };
    settings.put(&who.actor(), &away).await?;
    who.done("/admin", &Notice::Saved)
}
