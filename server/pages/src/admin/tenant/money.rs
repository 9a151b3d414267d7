//! A tenant's money: its grants and its ledger, giving credits and correcting the balance.

use super::super::super::page_context::Here;
use std::collections::BTreeMap;

use admin_templates::admin::tenants::TenantMoney;
use admin_templates::form::{FieldError, Form};
use admin_templates::labels::{Direction, EntryKind, GrantKind, Word};
use admin_templates::list::ListState;
use admin_templates::page::Notice;
use admin_templates::parts::{EntryRow, GrantRow};
use poem::handler;
use poem::web::{Data, Path};
use server_rooms::accounts::{Accounts, Tenant};
use server_rooms::auth::roles::kind;
use server_rooms::ledger::{AdjustError, Entry, Grant, GrantError, Ledger};
use server_rooms::money::corrections::{Correction, CorrectionError, Corrections};
use server_rooms::money::recharge::{Recharge, RechargeError, Recharges};
use shared::credits::Credits;
use shared::id::{GenerationId, TenantId, random_text};

use super::super::super::error::{PageError, PageResult, parsed};
use super::super::super::form::{FieldProblem, FormData};
use super::super::super::session::{Admin, Confirmed};
use super::super::form_errors::{FormErrors, again};
use super::super::{Asked, amount, booked, filters, future, reason, wanted};
use super::super::{word, words};
use super::{balance_view, found, head_of, path};

/// Lines of the ledger on a page.
const LINES: usize = 50;
/// Lines read at once where only those of a kind are shown.
const READ: i64 = 500;
/// Readings for one page; a rare kind then continues on the next.
const READINGS: usize = 10;
/// Grants with something left.
const GRANTS: i64 = 200;
/// Characters of `[a-z0-9]` that make a form's sending known: 124 bits.
const ONCE_CHARS: usize = 24;

/// Whoever moves credits proved a short while ago to be themselves.
type Payer = Confirmed<Admin<kind::MoveCredits>>;

fn entry_kind(word: &str) -> EntryKind {
    match word {
        // More is set aside for the same call.
        "extend" => EntryKind::Hold,
        other => super::super::word(other, EntryKind::Adjust),
    }
}

/// A line of the ledger as a row.
pub(in super::super) fn entry_row(entry: Entry) -> EntryRow {
    let call: Result<GenerationId, _> = entry.reference.parse();
    EntryRow {
        number: u64::try_from(entry.number).unwrap_or(0),
        kind: entry_kind(&entry.kind),
        call_id: call.ok().map(|_| entry.reference.clone()),
        reference: entry.reference,
        available_delta: entry.available_delta,
        held_delta: entry.held_delta,
        charged: entry.charged,
        available_after: entry.balance_after,
        at: entry.at,
    }
}

fn grant_row(grant: Grant) -> GrantRow {
    GrantRow {
        id: grant.id.to_string(),
        kind: word(grant.kind.word(), GrantKind::Manual),
        amount: grant.granted,
        remaining: grant.remaining,
        expires_at: grant.expires_at,
        note: grant.note,
        created_at: grant.created_at,
    }
}

/// A page of the ledger, newest first, and from where the next one goes on.
async fn lines(
    ledger: &Ledger,
    tenant: &TenantId,
    mut before: Option<i64>,
    kind: Option<EntryKind>,
) -> Result<(Vec<Entry>, Option<i64>), PageError> {
    let mut shown = Vec::new();
    for _ in 0..READINGS {
        let read = ledger.history(tenant, before, READ).await;
        let read = read.map_err(booked)?;
        let is_last = i64::try_from(read.len()).is_ok_and(|lines| lines < READ);
        for entry in read {
            if shown.len() == LINES {
                return Ok((shown, before));
            }
            before = Some(entry.number);
            if kind.is_none_or(|kind| entry_kind(&entry.kind) == kind) {
                shown.push(entry);
            }
        }
        if is_last {
            return Ok((shown, None));
        }
    }
    Ok((shown, before))
}

async fn view(
    ledger: &Ledger,
    tenant: &Tenant,
    asked: &BTreeMap<String, String>,
) -> Result<TenantMoney, PageError> {
    let balance = ledger.balance(&tenant.id).await.map_err(booked)?;
    let grants = ledger.open_grants(&tenant.id, GRANTS).await;
    let mut grants = grants.map_err(booked)?;
    // In the order of spending.
    grants.sort_by_key(|grant| (grant.expires_at.is_none(), grant.expires_at));
    let before = wanted(asked, "after").map(parsed).transpose()?;
    let kind = wanted(asked, "kind").and_then(EntryKind::from_code);
    let (entries, next) = lines(ledger, &tenant.id, before, kind).await?;
    Ok(TenantMoney {
        head: head_of(tenant, &balance),
        balance: balance_view(&balance),
        grants: grants.into_iter().map(grant_row).collect(),
        list: ListState {
            filters: filters(asked, &["kind"]),
            next: next.map(|number| number.to_string()),
            ..ListState::whole()
        },
        entries: entries.into_iter().map(entry_row).collect(),
        recharge: Form::default(),
        adjust: Form::default(),
        once: random_text(ONCE_CHARS),
    })
}

/// `GET /admin/tenants/{id}/money`
#[handler]
pub(in super::super) async fn money_page(
    who: Admin,
    Path(id): Path<String>,
    asked: Asked,
    accounts: Data<&Accounts>,
    ledger: Data<&Ledger>,
) -> PageResult {
    let tenant = found(&accounts, &id).await?;
    let view = view(&ledger, &tenant, &asked).await?;
    who.show(&view).await
}

/// What makes sending a form twice harmless; the page put it into the form.
fn once(posted: &FormData) -> Result<String, FieldProblem> {
    let once = posted.text("once");
    let fits = once.len() == ONCE_CHARS && once.bytes().all(|b| b.is_ascii_alphanumeric());
    fits.then(|| once.to_owned())
        .ok_or(("amount", FieldError::Stale))
}

fn needed_amount(posted: &FormData) -> Result<Credits, FieldProblem> {
    amount(posted, "amount")?.ok_or(("amount", FieldError::Required))
}

fn payment(
    posted: &FormData,
    tenant: &TenantId,
    here: Here<'_>,
) -> Result<Recharge, Vec<FieldProblem>> {
    let mut errors = FormErrors::default();
    let amount = errors.take(needed_amount(posted));
    let key = errors.take(once(posted));
    let expires_at = errors.take(future(posted, "expires_at", here));
    let note = errors.take(words(posted, "note"));
    let wish = || {
        Some(Recharge {
            tenant: tenant.clone(),
            amount: amount?,
            key: key?,
            expires_at: expires_at?,
            note: note?,
        })
    };
    let wish = wish();
    errors.unless(wish)
}

/// `POST /admin/tenants/{id}/recharge`
#[handler]
pub(in super::super) async fn recharge(
    who: Payer,
    Path(id): Path<String>,
    posted: FormData,
    accounts: Data<&Accounts>,
    ledger: Data<&Ledger>,
    recharges: Data<&Recharges>,
) -> PageResult {
    let tenant = found(&accounts, &id).await?;
    let wrong = match payment(&posted, &tenant.id, who.here()) {
        Ok(wish) => match recharges.recharge(&who.actor(), wish).await {
            Ok(_) => return who.done(&path(&tenant, "/money"), &Notice::Booked),
            Err(RechargeError::NoSuchTenant) => return Err(PageError::NotFound),
            Err(RechargeError::Grant(GrantError::Ledger(error))) => return Err(booked(error)),
            Err(RechargeError::Grant(GrantError::Conflict)) => vec![("amount", FieldError::Stale)],
            Err(RechargeError::Grant(GrantError::Amount)) => {
                vec![("amount", FieldError::NotAnAmount)]
            }
        },
        Err(wrong) => wrong,
    };
    let mut view = view(&ledger, &tenant, &BTreeMap::new()).await?;
    view.recharge = again(&posted, &["amount", "expires_at", "note"], wrong);
    who.show_again(&view).await
}

fn correction(posted: &FormData, tenant: &TenantId) -> Result<Correction, Vec<FieldProblem>> {
    let mut errors = FormErrors::default();
    let direction = Direction::from_code(posted.text("direction"));
    let direction = errors.take(direction.ok_or(("direction", FieldError::Unknown)));
    let amount = errors.take(needed_amount(posted));
    let (key, why) = (
        errors.take(once(posted)),
        errors.take(reason(posted, "reason")),
    );
    let wish = || {
        let micros = amount?.micros();
        let micros = match direction? {
            Direction::Give => micros,
            Direction::Take => micros.saturating_neg(),
        };
        Some(Correction {
            tenant: tenant.clone(),
            amount: Credits::from_micros(micros),
            key: key?,
            into_debt: posted.is_ticked("into_debt"),
            reason: why?,
        })
    };
    let wish = wish();
    errors.unless(wish)
}

/// `POST /admin/tenants/{id}/adjust`
#[handler]
pub(in super::super) async fn adjust(
    who: Payer,
    Path(id): Path<String>,
    posted: FormData,
    accounts: Data<&Accounts>,
    ledger: Data<&Ledger>,
    corrections: Data<&Corrections>,
) -> PageResult {
    let tenant = found(&accounts, &id).await?;
    let wrong = match correction(&posted, &tenant.id) {
        Ok(wish) => match corrections.adjust(&who.actor(), wish).await {
            Ok(_) => return who.done(&path(&tenant, "/money"), &Notice::Booked),
            Err(CorrectionError::NotFound(_)) => return Err(PageError::NotFound),
            Err(CorrectionError::Adjust(error)) => match error {
                AdjustError::Ledger(error) => return Err(booked(error)),
                AdjustError::Conflict => vec![("amount", FieldError::Stale)],
                AdjustError::Amount => vec![("amount", FieldError::NotAnAmount)],
                AdjustError::Insufficient { .. } => vec![("amount", FieldError::Insufficient)],
            },
        },
        Err(wrong) => wrong,
    };
    let mut view = view(&ledger, &tenant, &BTreeMap::new()).await?;
    view.adjust = again(
        &posted,
        &["direction", "amount", "reason", "into_debt"],
        wrong,
    );
    who.show_again(&view).await
}
