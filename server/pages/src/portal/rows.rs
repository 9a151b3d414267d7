//! Rooms' nouns as the rows that several of the portal's pages show. Asks rooms for names only.

use std::collections::HashMap;

use admin_templates::chart::{Chart, Columns, Series, Unit};
use admin_templates::form::Form;
use admin_templates::labels::{
    BudgetPeriod, CallStatus, Measure, MemberRole, Operation as OperationWord, Word,
};
use admin_templates::list::ListState;
use admin_templates::parts::{Balance as BalanceView, BudgetView, CallRow};
use server_rooms::accounts::{Accounts, Callers, FoundName, Reading};
use server_rooms::auth::Role;
use server_rooms::ledger::{self, Balance, Budget, Spender};
use server_rooms::reports::page::{PageRequest, Paged};
use server_rooms::reports::sums::Grain;
use server_rooms::reports::{Point, UsageRecord, UsageStatus};
use server_rules::billing::UNKNOWN;
use shared::credits::Credits;
use shared::fold::folded;
use shared::id::{ApiKeyId, TenantId, UserId};
use shared::link::Operation;

use super::super::error::PageError;

/// Rows of a page.
pub(super) const ROWS: u32 = 25;
/// Who a list of calls is narrowed to.
#[derive(Debug)]
pub(super) enum Caller {
    /// A person.
    User(UserId),
    /// A key.
    Key(ApiKeyId),
}

/// Whom of a tenant somebody means by an id, a name, or a part of one that nobody else has.
pub(super) async fn meant(
    accounts: &Accounts,
    tenant: &TenantId,
    text: &str,
) -> Result<Option<Caller>, PageError> {
    if let Ok(id) = text.parse() {
        return Ok(Some(Caller::User(id)));
    }
    if let Ok(id) = text.parse() {
        return Ok(Some(Caller::Key(id)));
    }
    let found = accounts.find(Some(tenant), text).await?;
    let user = |one: &FoundName| Caller::User(UserId::from_stored(one.id.clone()));
    let key = |one: &FoundName| Caller::Key(ApiKeyId::from_stored(one.id.clone()));
    let is_it = |one: &&FoundName| folded(&one.name) == folded(text);
    if let Some(one) = found.people.iter().find(is_it) {
        return Ok(Some(user(one)));
    }
    if let Some(one) = found.keys.iter().find(is_it) {
        return Ok(Some(key(one)));
    }
    Ok(match (found.people.as_slice(), found.keys.as_slice()) {
        ([one], []) => Some(user(one)),
        ([], [one]) => Some(key(one)),
        _ => None,
    })
}

/// Who of a tenant made some calls.
pub(super) async fn callers(
    accounts: &Accounts,
    tenant: &TenantId,
    records: &[UsageRecord],
) -> Result<Callers, PageError> {
    let calls = records.iter();
    let calls: Vec<_> = calls
        .map(|record| (record.user.as_ref(), record.key.as_ref()))
        .collect();
    Ok(accounts.callers(Reading::Tenant(tenant), &calls).await?)
}

/// A part of a whole in hundredths of a per cent.
pub(super) fn share(part: Credits, whole: Credits) -> u64 {
    let (part, whole) = (i128::from(part.micros()), i128::from(whole.micros()));
    let share = part.saturating_mul(10_000).checked_div(whole);
    u64::try_from(share.unwrap_or(0)).unwrap_or(0)
}

/// Credits added up.
pub(super) fn sum(all: impl Iterator<Item = Credits>) -> Credits {
    let micros = all.map(Credits::micros);
    Credits::from_micros(micros.fold(0, i64::saturating_add))
}

/// What was charged, an hour or day after the other.
pub(super) fn spend(points: &[Point], grain: Grain) -> Chart {
    let starts = points.iter().map(|point| point.at).collect();
    let values = points.iter().map(|point| point.sums.credits.micros());
    Chart {
        columns: match grain {
            Grain::Hour => Columns::Clock(starts),
            Grain::Day => Columns::Days(starts),
        },
        series: vec![Series {
            name: Measure::Charged.into(),
            values: values.map(Some).collect(),
        }],
        unit: Unit::Credits,
        leads_to: String::new(),
        marks: Vec::new(),
    }
}

/// What the tenant has, without what only superadmins see.
pub(super) fn balance(balance: Balance) -> BalanceView {
    BalanceView {
        available: balance.available,
        held: balance.held,
        used: balance.used,
        expired: balance.expired,
        debt: balance.debt,
        loss: Credits::ZERO,
    }
}

/// A period's word.
pub(super) fn budget_period(period: ledger::BudgetPeriod) -> BudgetPeriod {
    match period {
        ledger::BudgetPeriod::Day => BudgetPeriod::Day,
        ledger::BudgetPeriod::Month => BudgetPeriod::Month,
        ledger::BudgetPeriod::Total => BudgetPeriod::Total,
    }
}

/// The first budget of a key or a person.
pub(super) fn budget_of(budgets: &[Budget], spender: &Spender) -> Option<BudgetView> {
    let found = budgets.iter().find(|budget| budget.spender == *spender)?;
    Some(BudgetView {
        period: budget_period(found.period),
        limit: found.limit,
        spent: sum([found.spent, found.held].into_iter()),
    })
}

/// A role's word.
pub(super) fn role_word(role: Role) -> MemberRole {
    match role {
        Role::Owner => MemberRole::Owner,
        Role::Admin => MemberRole::Admin,
        Role::Member => MemberRole::Member,
    }
}

/// An operation's word.
pub(super) fn operation(operation: Operation) -> OperationWord {
    OperationWord::from_code(operation.word()).unwrap_or(OperationWord::Chat)
}

/// How a call ended, as its record tells.
pub(super) fn status(record: &UsageRecord) -> CallStatus {
    if record.fault.as_deref() == Some(UNKNOWN) {
        return CallStatus::Unknown;
    }
    match record.status {
        UsageStatus::Succeeded => CallStatus::Succeeded,
        UsageStatus::Failed => CallStatus::Failed,
        UsageStatus::Canceled => CallStatus::Canceled,
    }
}

/// Calls of a list, without what tenants do not see.
pub(super) fn calls(records: Vec<UsageRecord>, names: &Callers) -> Vec<CallRow> {
    let row = |record| call(record, names);
    records.into_iter().map(row).collect()
}

fn call(record: UsageRecord, names: &Callers) -> CallRow {
    let status = status(&record);
    let fault = record.fault.filter(|_| status == CallStatus::Failed);
    let by = names.of(record.user.as_ref(), record.key.as_ref());
    CallRow {
        caller: by.name,
        maker: by.maker,
        id: record.id.into_string(),
        at: record.created_at,
        tenant_id: String::new(),
        tenant: String::new(),
        model: record.model,
        provider: String::new(),
        operation: operation(record.operation),
        status,
        fault,
        test: record.test,
        input_tokens: record.usage.input_total(),
        output_tokens: record.usage.output_total(),
        images: record.usage.count(shared::units::Unit::Image),
        credits: record.credits,
        cost: None,
        first_byte_ms: record.first_byte_ms,
        duration_ms: record.duration_ms,
    }
}

/// The query of a list, as it was sent.
pub(super) type Asked = HashMap<String, String>;

/// A field of a query without the blanks around it; empty when absent.
pub(super) fn field<'a>(asked: &'a Asked, name: &str) -> &'a str {
    asked.get(name).map_or("", |text| text.trim())
}

/// Which page of a list; a cursor that is none has no page.
pub(super) fn page_request(asked: &Asked) -> Result<PageRequest, PageError> {
    let cursor = asked.get("after").or(asked.get("before"));
    let from = cursor.map(|text| text.parse()).transpose();
    Ok(PageRequest {
        from: from.map_err(|_| PageError::NotFound)?,
        rows: ROWS,
    })
}

/// How a list is looked at, with the cursors around its page.
pub(super) fn list<T>(asked: &Asked, filters: &[&str], page: &Paged<T>) -> ListState {
    let values = filters.iter().map(|name| (*name, field(asked, name)));
    ListState {
        filters: Form::of(values),
        sort: None,
        next: page.next.as_ref().map(ToString::to_string),
        previous: page.previous.as_ref().map(ToString::to_string),
        place: None,
    }
}
