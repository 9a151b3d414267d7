//! A tenant's money: its grants and its ledger, giving credits and correcting the balance.

use super::super::super::page_context::Here;
use std::collections::BTreeMap;

use admin_templates::admin::tenants::TenantMoney;
use admin_templates::form::{FieldError, Form};
use admin_templates::labels::{Direction, LineKind, Word};
use admin_templates::list::ListState;
use admin_templates::page::Notice;
use poem::handler;
use poem::web::{Data, Path};
use server_rooms::accounts::{Accounts, Reading, Tenant};
use server_rooms::auth::roles::kind;
use server_rooms::ledger::{AdjustError, GrantError, Ledger};
use server_rooms::money::corrections::{Correction, CorrectionError, Corrections};
use server_rooms::money::recharge::{Recharge, RechargeError, Recharges};
use shared::clock::Moment;
use shared::credits::Credits;
use shared::id::{GrantId, TenantId, random_text};

use super::super::super::error::{PageError, PageResult, parsed};
use super::super::super::form::{FieldProblem, FormData};
use super::super::super::ledger_lines::{self, Asking, Unread};
use super::super::super::session::{Admin, Confirmed};
use super::super::form_errors::{FormErrors, again};
use super::super::words;
use super::super::{Asked, amount, booked, filters, future, reason, wanted};
use super::{balance_view, found, head_of, path};

/// Grants with something left.
const GRANTS: i64 = 200;
/// Characters of `[a-z0-9]` that make a form's sending known: 124 bits.
const ONCE_CHARS: usize = 24;

/// Whoever moves credits proved a short while ago to be themselves.
type Payer = Confirmed<Admin<kind::MoveCredits>>;

fn failed(error: Unread) -> PageError {
    match error {
        Unread::Ledger(error) => booked(error),
        Unread::Names(error) => error.into(),
    }
}

async fn view(
    (ledger, accounts): (&Ledger, &Accounts),
    tenant: &Tenant,
    asked: &BTreeMap<String, String>,
    now: Moment,
) -> Result<TenantMoney, PageError> {
    let balance = ledger.balance(&tenant.id).await.map_err(booked)?;
    let grants = ledger.open_grants(&tenant.id, GRANTS).await;
    let mut grants = grants.map_err(booked)?;
    // In the order of spending.
    grants.sort_by_key(|grant| (grant.expires_at.is_none(), grant.expires_at));
    let asking = Asking {
        tenant: &tenant.id,
        reading: Reading::Platform,
        kind: wanted(asked, "kind").and_then(LineKind::from_code),
        before: wanted(asked, "after").map(parsed).transpose()?,
        opened: wanted(asked, "entries").unwrap_or_default(),
    };
    let listed = ledger_lines::lines(ledger, accounts, &asking).await;
    let listed = listed.map_err(failed)?;
    let behind: Option<GrantId> = wanted(asked, "spent").map(parsed).transpose()?;
    let spent = ledger_lines::spent(ledger, &tenant.id, (behind.as_ref(), now)).await;
    let (spent, spent_next) = spent.map_err(booked)?;
    let books = ledger.account_books(&tenant.id).await.map_err(booked)?;
    Ok(TenantMoney {
        head: head_of(tenant, &balance),
        balance: balance_view(&balance),
        books: ledger_lines::own_books(books),
        grants: ledger_lines::grants(grants),
        spent,
        spent_open: behind.is_some(),
        spent_next,
        list: ListState {
            filters: filters(asked, &["kind"]),
            next: listed.next,
            ..ListState::whole()
        },
        opened: asking.opened.to_owned(),
        lines: listed.lines,
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
    let view = view((&ledger, &accounts), &tenant, &asked, who.now()).await?;
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
    let mut view = view((&ledger, &accounts), &tenant, &BTreeMap::new(), who.now()).await?;
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
    let mut view = view((&ledger, &accounts), &tenant, &BTreeMap::new(), who.now()).await?;
    view.adjust = again(
        &posted,
        &["direction", "amount", "reason", "into_debt"],
        wrong,
    );
    who.show_again(&view).await
}
