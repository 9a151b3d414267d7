//! Whatever a whole id names: a call or its hold, a request as its client saw it, credits that were given,
//! a correction, a price, a line of the audit log. Each is asked by its key.

use admin_templates::labels::SearchKind;
use server_rooms::ledger::{Ledger, LedgerError};
use server_rooms::reports::{Reports, ReportsError};
use shared::id::{AdjustmentId, AuditId, GenerationId, GrantId, PriceId, RequestId};

use super::super::error::PageError;
use super::super::portal::manages;
use super::super::portal::usage::is_by;
use super::super::session::Member;
use super::{Found, SearchRooms, hit, model_path};

fn read(error: ReportsError) -> PageError {
    match error {
        ReportsError::Store(error) => error.into(),
        ReportsError::Cursor(_) | ReportsError::NoSuchTenant => PageError::NotFound,
        ReportsError::Busy | ReportsError::Ledger(_) => PageError::Unavailable,
    }
}

fn booked(error: LedgerError) -> PageError {
    match error {
        LedgerError::Store(error) => error.into(),
        LedgerError::Busy | LedgerError::Commit(_) => PageError::Unavailable,
    }
}

/// The call that an id names, its own or that of the request it came with.
async fn call_of(ledger: &Ledger, text: &str) -> Result<Option<GenerationId>, PageError> {
    if let Ok(id) = text.parse::<GenerationId>() {
        return Ok(Some(id));
    }
    match text.parse::<RequestId>() {
        Ok(request) => ledger.call_of_request(&request).await.map_err(booked),
        Err(_) => Ok(None),
    }
}

/// What the platform has of that id.
pub(super) async fn of_platform(
    rooms: &SearchRooms,
    text: &str,
    found: &mut Found,
) -> Result<(), PageError> {
    if let Some(id) = call_of(&rooms.ledger, text).await? {
        let call = rooms.reports.call_detail(&id, None).await.map_err(read)?;
        let of = call.map(|call| {
            let note = call.tenant.as_str();
            hit(id.as_str(), note, format!("usage/{id}"))
        });
        found.add(SearchKind::Call, of);
    }
    if let Ok(id) = text.parse::<AuditId>() {
        let entry = rooms.reports.audit_entry(&id).await?;
        let of = entry.map(|entry| hit(text, &entry.action, format!("audit/{text}")));
        found.add(SearchKind::Page, of);
    }
    if text.parse::<GrantId>().is_ok() || text.parse::<AdjustmentId>().is_ok() {
        let tenant = rooms.ledger.owner_of(text).await.map_err(booked)?;
        let of = tenant.map(|tenant| hit(text, tenant.as_str(), format!("tenants/{tenant}/money")));
        found.add(SearchKind::Money, of);
    }
    if let Ok(id) = text.parse::<PriceId>() {
        let models = rooms.catalogue.models();
        let of = models
            .iter()
            .find(|model| model.prices.iter().any(|price| price.id == id));
        let of = of.map(|model| hit(text, &model.id, model_path(&model.id)));
        found.add(SearchKind::Money, of);
    }
    Ok(())
}

/// What a tenant has of that id, as far as this person sees it.
pub(super) async fn of_tenant(
    who: &Member,
    text: &str,
    (ledger, reports): (&Ledger, &Reports),
    found: &mut Found,
) -> Result<(), PageError> {
    let tenant = &who.tenant.id;
    if let Some(id) = call_of(ledger, text).await? {
        let call = reports.call_detail(&id, Some(tenant)).await.map_err(read)?;
        let own = call.filter(|call| manages(who) || is_by(call, &who.user.id));
        let of = own.map(|_| hit(id.as_str(), "", format!("usage/{id}")));
        found.add(SearchKind::Call, of);
    }
    let is_money = text.parse::<GrantId>().is_ok() || text.parse::<AdjustmentId>().is_ok();
    if is_money && manages(who) {
        let owner = ledger.owner_of(text).await.map_err(booked)?;
        let own = owner.filter(|owner| owner == tenant);
        let of = own.map(|_| hit(text, "", "ledger".to_owned()));
        found.add(SearchKind::Money, of);
    }
    Ok(())
}
