//! The tenant's own settings: when credits count as running low, who needs a second factor, where days
//! begin, and for how long answers and what people do in the studio are kept.

use admin_templates::form::{FieldError, Form};
use admin_templates::page::Notice;
use admin_templates::portal::PortalSettings;
use poem::web::Data;
use poem::{Request, handler};
use server_rooms::accounts::{
    AccountError, Accounts, Field, RouteSubject, TenantPatch, TenantSettingsPatch,
};
use server_rooms::kept::DAYS_MAX;
use server_rooms::studio::STUDIO_DAYS;
use shared::zone::Zone;

use super::super::data_policy;
use super::super::error::{PageError, PageResult};
use super::super::form::{FieldProblem, FormData, ticked};
use super::super::session::{Confirmed, Manager, Member, Owner, Rank};

const PATH: &str = "/portal/settings";

/// The page as it stands.
async fn view<R: Rank>(
    who: &Member<R>,
    accounts: &Accounts,
    request: &Request,
) -> Result<PortalSettings, PageError> {
    let own = accounts.tenant_settings(&who.tenant.id).await?;
    let below = own.alert_below.map(|credits| credits.to_string());
    let given = accounts.route(RouteSubject::Tenant(&who.tenant.id)).await?;
    let rule = accounts.route(RouteSubject::Own(&who.tenant.id)).await?;
    let required = if own.require_second_factor { "on" } else { "" };
    Ok(PortalSettings {
        tenant_id: who.tenant.id.to_string(),
        tenant: who.tenant.name.clone(),
        base_url: who.base_url(request),
        alerts: Form::of([("alert_below", below.as_deref().unwrap_or_default())]),
        security: Form::of([("require_second_factor", required)]),
        calendar: Form::of([("time_zone", who.tenant.zone.as_ref().map_or("", Zone::name))]),
        data: data_policy::filled(&rule.demand),
        data_given: given.demand.text(),
        keeping: keeping_form(own.keep_days),
        studio: studio_form(own.studio_days),
        studio_forbidden: rule.demand.zero_retention || given.demand.zero_retention,
    })
}

/// Whether and for how long the studio is kept, as a form.
pub(in super::super) fn studio_form(days: Option<u32>) -> Form {
    let days = days.unwrap_or(STUDIO_DAYS);
    let shown = if days == 0 { STUDIO_DAYS } else { days };
    Form::of([
        ("keep_studio", ticked(days > 0)),
        ("studio_days", shown.to_string().as_str()),
    ])
}

/// What such a form says.
pub(in super::super) fn studio(posted: &FormData) -> Result<TenantSettingsPatch, FieldProblem> {
    let wrong = |error| ("studio_days", error);
    let days = if posted.is_ticked("keep_studio") {
        let days = posted.optional("studio_days").map(str::parse::<u32>);
        let days = days.transpose();
        let days = days.map_err(|_| wrong(FieldError::NotANumber))?;
        if !days.is_none_or(|days| (1..=DAYS_MAX).contains(&days)) {
            return Err(wrong(FieldError::OutOfRange(1, u64::from(DAYS_MAX))));
        }
        days
    } else {
        Some(0)
    };
    Ok(TenantSettingsPatch {
        studio_days: Field::from(days),
        ..TenantSettingsPatch::default()
    })
}

/// For how long answers are kept, as a form.
pub(in super::super) fn keeping_form(days: Option<u32>) -> Form {
    let days = days.map(|days| days.to_string());
    Form::of([("keep_days", days.as_deref().unwrap_or_default())])
}

/// The days of such a form.
pub(in super::super) fn keeping(posted: &FormData) -> Result<TenantSettingsPatch, FieldProblem> {
    let days = posted.optional("keep_days").map(str::parse::<u32>);
    let days = days
        .transpose()
        .map_err(|_| ("keep_days", FieldError::NotANumber))?;
    let fits = days.is_none_or(|days| (1..=DAYS_MAX).contains(&days));
    if !fits {
        return Err(("keep_days", FieldError::OutOfRange(1, u64::from(DAYS_MAX))));
    }
    Ok(TenantSettingsPatch {
        keep_days: Field::from(days),
        ..TenantSettingsPatch::default()
    })
}

/// `GET /portal/settings`
#[handler]
pub(super) async fn settings_page(
    who: Member<Manager>,
    request: &Request,
    accounts: Data<&Accounts>,
) -> PageResult {
    let view = view(&who, &accounts, request).await?;
    who.show(&view).await
}

fn alerts(posted: &FormData) -> Result<TenantSettingsPatch, FieldProblem> {
    let below = posted.optional("alert_below").map(str::parse).transpose();
    let below = below.map_err(|_| ("alert_below", FieldError::NotAnAmount))?;
    Ok(TenantSettingsPatch {
        alert_below: Field::from(below),
        ..TenantSettingsPatch::default()
    })
}

/// `POST /portal/settings`
#[handler]
pub(super) async fn keep_alerts(
    who: Member<Manager>,
    posted: FormData,
    request: &Request,
    accounts: Data<&Accounts>,
) -> PageResult {
    let error = match alerts(&posted) {
        Ok(patch) => {
            let actor = who.actor();
            let put = accounts.put_tenant_settings(&actor, &who.tenant.id, patch);
            match put.await {
                Ok(()) => return who.done(PATH, &Notice::Saved),
                Err(AccountError::Invalid { field, .. }) => (field, FieldError::NotAnAmount),
                Err(error) => return Err(error.into()),
            }
        }
        Err(wrong) => wrong,
    };
    let mut view = view(&who, &accounts, request).await?;
    view.alerts = posted.again(&["alert_below"]).wrong(error.0, error.1);
    who.show_again(&view).await
}

/// `POST /portal/settings/calendar`
#[handler]
pub(super) async fn keep_calendar(
    who: Member<Manager>,
    posted: FormData,
    request: &Request,
    accounts: Data<&Accounts>,
) -> PageResult {
    let Ok(zone) = Accounts::zone(posted.text("time_zone")) else {
        let mut view = view(&who, &accounts, request).await?;
        let form = posted.again(&["time_zone"]);
        view.calendar = form.wrong("time_zone", FieldError::NotAZone);
        return who.show_again(&view).await;
    };
    let patch = TenantPatch {
        zone: Some(zone),
        ..TenantPatch::default()
    };
    let actor = who.actor();
    accounts
        .update_tenant(&actor, &who.tenant.id, patch)
        .await?;
    who.done(PATH, &Notice::Saved)
}

/// `POST /portal/settings/keeping`
#[handler]
pub(super) async fn keep_answers(
    who: Member<Manager>,
    posted: FormData,
    request: &Request,
    accounts: Data<&Accounts>,
) -> PageResult {
    let patch = match keeping(&posted) {
        Ok(patch) => patch,
        Err((field, error)) => {
            let mut view = view(&who, &accounts, request).await?;
            view.keeping = posted.again(&["keep_days"]).wrong(field, error);
            return who.show_again(&view).await;
        }
    };
    let actor = who.actor();
    let put = accounts.put_tenant_settings(&actor, &who.tenant.id, patch);
    put.await?;
    who.done(PATH, &Notice::Saved)
}

/// `POST /portal/settings/studio`
#[handler]
pub(super) async fn keep_studio(
    who: Member<Manager>,
    posted: FormData,
    request: &Request,
    accounts: Data<&Accounts>,
) -> PageResult {
    let patch = match studio(&posted) {
        Ok(patch) => patch,
        Err((field, error)) => {
            let mut view = view(&who, &accounts, request).await?;
            let form = posted.again(&["keep_studio", "studio_days"]);
            view.studio = form.wrong(field, error);
            return who.show_again(&view).await;
        }
    };
    let actor = who.actor();
    let put = accounts.put_tenant_settings(&actor, &who.tenant.id, patch);
    put.await?;
    who.done(PATH, &Notice::Saved)
}

/// `POST /portal/settings/security`; an owner's, who proved a short while ago to be one.
#[handler]
pub(super) async fn keep_security(
    who: Confirmed<Member<Owner>>,
    posted: FormData,
    accounts: Data<&Accounts>,
) -> PageResult {
    let patch = TenantSettingsPatch {
        require_second_factor: Some(posted.is_ticked("require_second_factor")),
        ..TenantSettingsPatch::default()
    };
    let actor = who.actor();
    let put = accounts.put_tenant_settings(&actor, &who.tenant.id, patch);
    put.await?;
    who.done(PATH, &Notice::Saved)
}

/// `POST /portal/settings/data`; on top of what the platform asks for, which nobody of the tenant takes back.
#[handler]
pub(super) async fn keep_data(
    who: Member<Manager>,
    posted: FormData,
    request: &Request,
    accounts: Data<&Accounts>,
) -> PageResult {
    let known = accounts.route(RouteSubject::Own(&who.tenant.id)).await?;
    match data_policy::read(&posted, known) {
        Ok(rule) => {
            let actor = who.actor();
            let put = accounts.put_own_route(&actor, &who.tenant.id, &rule);
            put.await?;
            who.done(PATH, &Notice::Saved)
        }
        Err((field, error)) => {
            let mut view = view(&who, &accounts, request).await?;
            view.data = posted.again(&data_policy::POLICY).wrong(field, error);
            who.show_again(&view).await
        }
    }
}
