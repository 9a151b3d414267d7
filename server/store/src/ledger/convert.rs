//! Rows become the room's nouns and its books, and changes of the books become rows. Runs no statement.

use std::collections::HashMap;

use server_rules::ledger::rules::{Allocation, Books, Changes, HeldBook, NewEntry, Totals};
use server_rules::ledger::{
    Adjusted, Adjustment, Budget, BudgetPeriod, CountedBudget, Entry, Grant, GrantKind, Hold,
    HoldState, Owner, Refusal, Spender, Unknown,
};
use shared::clock::Moment;
use shared::credits::Credits;
use shared::db::DbError;
use shared::id::{AdjustmentId, BudgetId, GenerationId, GrantId, TenantId};
use shared::zone::Zone;

use super::rows::{
    AccountRow, AdjustmentRow, AllocationRow, BudgetRow, ClosedRow, EntryRow, ExtendedRow,
    GrantRow, HoldRow, RemainingRow, ResolvedRow, Writes,
};
use crate::usage::{Filed, Standing, UsageRow};

pub(super) fn damaged(what: &str, id: &str) -> DbError {
    DbError::Damaged(format!("{what} {id}"))
}

fn moment(ms: i64) -> Moment {
    Moment::from_unix_ms(ms)
}

fn credits(micros: i64) -> Credits {
    Credits::from_micros(micros)
}

impl TryFrom<GrantRow> for Grant {
    type Error = DbError;

    fn try_from(row: GrantRow) -> Result<Self, DbError> {
        let kind = GrantKind::from_word(&row.kind).ok_or_else(|| damaged("grant", &row.id))?;
        Ok(Self {
            id: GrantId::from_stored(row.id),
            kind,
            source_key: row.source_key,
            granted: credits(row.granted_micros),
            remaining: credits(row.remaining_micros),
            expires_at: row.expires_at.map(moment),
            note: row.note,
            created_at: moment(row.created_at),
        })
    }
}

/// `spender|period|id|start`, separated by commas.
fn counted_text(budgets: &[CountedBudget]) -> String {
    let texts = budgets.iter().map(|of| {
        let (spender, start) = (of.spender.text(), of.period_start.unix_ms());
        format!("{spender}|{}|{}|{start}", of.period.word(), of.id)
    });
    texts.collect::<Vec<_>>().join(",")
}

fn counted(text: &str) -> Option<Vec<CountedBudget>> {
    let one = |text: &str| {
        let mut parts = text.split('|');
        Some(CountedBudget {
            spender: Spender::from_text(parts.next()?)?,
            period: BudgetPeriod::from_word(parts.next()?)?,
            id: BudgetId::from_stored(parts.next()?.to_owned()),
            period_start: moment(parts.next()?.parse().ok()?),
        })
    };
    text.split(',').filter(|t| !t.is_empty()).map(one).collect()
}

/// `balance|micros` or `budget|spender|period|micros`; empty for holds that were placed.
fn refusal_text(refusal: Option<&Refusal>) -> String {
    match refusal {
        None => String::new(),
        Some(Refusal::Balance { available }) => format!("balance|{}", available.micros()),
        Some(Refusal::Budget {
            spender,
            period,
            left,
        }) => format!(
            "budget|{}|{}|{}",
            spender.text(),
            period.word(),
            left.micros()
        ),
    }
}

fn refusal(text: &str) -> Option<Refusal> {
    let mut parts = text.split('|');
    match parts.next()? {
        "balance" => Some(Refusal::Balance {
            available: credits(parts.next()?.parse().ok()?),
        }),
        "budget" => Some(Refusal::Budget {
            spender: Spender::from_text(parts.next()?)?,
            period: BudgetPeriod::from_word(parts.next()?)?,
            left: credits(parts.next()?.parse().ok()?),
        }),
        _ => None,
    }
}

/// `unknown` is stored as `released`, which is what it means to whoever knows no more.
fn state_word(state: HoldState) -> &'static str {
    match state {
        HoldState::Unknown => HoldState::Released.word(),
        HoldState::Held | HoldState::Settled | HoldState::Released | HoldState::Refused => {
            state.word()
        }
    }
}

fn state(word: &str, asked: bool) -> Option<HoldState> {
    match (HoldState::from_word(word)?, asked) {
        (HoldState::Released, true) => Some(HoldState::Unknown),
        (HoldState::Unknown, _) => None,
        (state, _) => Some(state),
    }
}

impl TryFrom<HoldRow> for HeldBook {
    type Error = DbError;

    /// With the part that stands in the row; others follow from their own table.
    fn try_from(row: HoldRow) -> Result<Self, DbError> {
        let unreadable = || damaged("hold", &row.id);
        let unknown = row.ask_until.map(|ask_until| Unknown {
            ask_until: moment(ask_until),
            promised: row.promised,
        });
        let state = state(&row.state, unknown.is_some()).ok_or_else(unreadable)?;
        let refusal = refusal(&row.refusal);
        if (state == HoldState::Refused) != refusal.is_some() {
            return Err(unreadable());
        }
        let first = row.grant_id.map(|grant| Allocation {
            grant: GrantId::from_stored(grant),
            micros: row.grant_micros,
        });
        let budgets = counted(&row.budgets).ok_or_else(|| damaged("hold", &row.id))?;
        let hold = Hold {
            id: GenerationId::from_stored(row.id),
            tenant: TenantId::from_stored(row.tenant_id),
            state,
            requested: credits(row.requested_micros),
            least: credits(row.least_micros),
            held: credits(row.held_micros),
            settled: credits(row.settled_micros),
            shortfall: credits(row.shortfall_micros),
            unknown,
            budgets,
            refusal,
            owner: Owner::from_stored(row.owner),
            snapshot: row.call.into(),
            created_at: moment(row.created_at),
            deadline_at: moment(row.deadline_at),
            closed_at: row.closed_at.map(moment),
        };
        Ok(Self {
            hold,
            allocations: first.into_iter().collect(),
        })
    }
}

impl TryFrom<HoldRow> for Hold {
    type Error = DbError;

    fn try_from(row: HoldRow) -> Result<Self, DbError> {
        HeldBook::try_from(row).map(|book| book.hold)
    }
}

impl TryFrom<BudgetRow> for Budget {
    type Error = DbError;

    fn try_from(row: BudgetRow) -> Result<Self, DbError> {
        let spender = Spender::from_text(&row.spender);
        let period = BudgetPeriod::from_word(&row.period);
        let (Some(spender), Some(period)) = (spender, period) else {
            return Err(damaged("budget of", &row.spender));
        };
        let start = moment(row.period_start);
        // Servers of earlier days turn periods without writing their end, by the days of UTC.
        let told = row.period_end.map(moment).filter(|end| *end > start);
        let (_, of_old) = period.span(start, &Zone::utc());
        Ok(Self {
            spender,
            period,
            id: BudgetId::from_stored(row.id),
            limit: credits(row.limit_micros),
            spent: credits(row.spent_micros),
            held: credits(row.held_micros),
            period_start: start,
            period_end: of_old.map(|of_old| told.unwrap_or(of_old)),
        })
    }
}

impl From<AdjustmentRow> for Adjusted {
    fn from(row: AdjustmentRow) -> Self {
        Self {
            id: AdjustmentId::from_stored(row.id),
            adjustment: Adjustment {
                tenant: TenantId::from_stored(row.tenant_id),
                amount: credits(row.amount_micros),
                source_key: row.source_key,
                into_debt: row.into_debt,
                operator: row.operator,
                reason: row.reason,
            },
            at: moment(row.created_at),
        }
    }
}

impl From<&AccountRow> for Totals {
    fn from(row: &AccountRow) -> Self {
        Self {
            entries: row.entries,
            grants: row.grants_micros,
            held: row.held_micros,
            revenue: row.revenue_micros,
            breakage: row.breakage_micros,
            refund: row.refund_micros,
            debt: row.debt_micros,
            loss: row.loss_micros,
            issuance: row.issuance_micros,
        }
    }
}

impl From<EntryRow> for Entry {
    fn from(row: EntryRow) -> Self {
        Self {
            number: row.number,
            kind: row.kind,
            reference: row.reference,
            available_delta: credits(row.grants_delta),
            held_delta: credits(row.held_delta),
            charged: credits(row.revenue_delta),
            balance_after: credits(row.grants_after),
            held_after: credits(row.held_after),
            at: moment(row.at),
        }
    }
}

/// What the rules changed, as rows.
pub(super) fn writes(books: &Books, usage: Vec<Filed>, now: Moment) -> Result<Writes, DbError> {
    let mut writes = Writes::default();
    for filed in usage {
        let row = UsageRow::from(filed.record);
        match filed.standing {
            Standing::Final => writes.usage.push(row),
            Standing::Open => writes.usage_open.push(row),
        }
    }
    let changes = &books.changes;
    write_accounts(books, &mut writes)?;
    write_grants(books, &mut writes)?;
    write_holds(books, &mut writes)?;
    write_budgets(books, &mut writes)?;
    writes.entries = changes.entries.iter().map(|e| entry_row(e, now)).collect();
    writes.adjustments = changes.adjusted.iter().map(adjustment_row).collect();
    Ok(writes)
}

fn write_accounts(books: &Books, writes: &mut Writes) -> Result<(), DbError> {
    for tenant in &books.changes.accounts {
        let account = books.accounts.get(tenant);
        let account = account.ok_or_else(|| damaged("account of", tenant.as_str()))?;
        let t = account.totals;
        writes.accounts.push(AccountRow {
            tenant_id: tenant.to_string(),
            version: account.version,
            entries: t.entries,
            grants_micros: t.grants,
            held_micros: t.held,
            revenue_micros: t.revenue,
            breakage_micros: t.breakage,
            refund_micros: t.refund,
            debt_micros: t.debt,
            loss_micros: t.loss,
            issuance_micros: t.issuance,
        });
    }
    Ok(())
}

fn write_grants(books: &Books, writes: &mut Writes) -> Result<(), DbError> {
    let Changes {
        grants_new, grants, ..
    } = &books.changes;
    let find = |tenant: &TenantId, id: &GrantId| {
        let account = books.accounts.get(tenant);
        let grant = account.and_then(|account| account.grants.iter().find(|g| g.id == *id));
        grant.ok_or_else(|| damaged("grant", id.as_str()))
    };
    for (tenant, id) in grants_new {
        writes.grants_new.push(grant_row(tenant, find(tenant, id)?));
    }
    for (tenant, id) in grants.difference(grants_new) {
        let grant = find(tenant, id)?;
        writes.grants_changed.push(RemainingRow {
            id: id.to_string(),
            remaining_micros: grant.remaining.micros(),
            expires_at: grant.expires_at.map(Moment::unix_ms),
        });
    }
    Ok(())
}

fn write_holds(books: &Books, writes: &mut Writes) -> Result<(), DbError> {
    let changes = &books.changes;
    let open = |tenant: &TenantId, id: &GenerationId| {
        let account = books.accounts.get(tenant);
        account.and_then(|account| account.holds.get(id))
    };
    let lost = |id: &GenerationId| damaged("hold", id.as_str());
    for (tenant, id) in &changes.holds_new {
        if let Some(book) = open(tenant, id) {
            writes
                .holds_new
                .push(hold_row(&book.hold, &book.allocations));
            let later = later_parts(id, &book.allocations, 1);
            writes.allocations.extend(later);
        } else {
            // Refused, or placed and closed within this batch: its parts moved back already.
            let hold = books.closed.get(id).ok_or_else(|| lost(id))?;
            writes.holds_new.push(hold_row(hold, &[]));
        }
    }
    let is_new = |id: &GenerationId| books.fresh.contains_key(id);
    let mut held_before = HashMap::new();
    for extended in &changes.holds_extended {
        let id = &extended.hold;
        let first_time = !held_before.contains_key(id);
        let before = *held_before.entry(id).or_insert(extended.held_before);
        let Some(book) = open(&extended.tenant, id).filter(|_| !is_new(id) && first_time) else {
            continue;
        };
        writes.holds_extended.push(ExtendedRow {
            id: id.to_string(),
            held_before: before.micros(),
            held_micros: book.hold.held.micros(),
            grant_id: book.allocations.first().map(|part| part.grant.to_string()),
            grant_micros: book.allocations.first().map_or(0, |part| part.micros),
        });
        let later = later_parts(id, &book.allocations, extended.parts_before.max(1));
        writes.allocations.extend(later);
    }
    for id in changes.holds_closed.iter().filter(|id| !is_new(id)) {
        let hold = books.closed.get(id).ok_or_else(|| lost(id))?;
        writes.holds_closed.push(ClosedRow {
            id: id.to_string(),
            held_before: held_before.get(id).unwrap_or(&hold.held).micros(),
            held_micros: hold.held.micros(),
            state: state_word(hold.state).to_owned(),
            settled_micros: hold.settled.micros(),
            shortfall_micros: hold.shortfall.micros(),
            closed_at: hold.closed_at.map_or(0, Moment::unix_ms),
            ask_until: hold.unknown.map(|unknown| unknown.ask_until.unix_ms()),
            promised: hold.unknown.is_some_and(|unknown| unknown.promised),
        });
    }
    // One that was closed by this batch as well is written as it stands already.
    let is_closed_now = |id: &GenerationId| is_new(id) || changes.holds_closed.contains(id);
    let mut resolved: Vec<&GenerationId> = changes.holds_resolved.iter().collect();
    resolved.dedup();
    for id in resolved.into_iter().filter(|id| !is_closed_now(id)) {
        let hold = books.closed.get(id).ok_or_else(|| lost(id))?;
        writes.holds_resolved.push(ResolvedRow {
            id: id.to_string(),
            state: state_word(hold.state).to_owned(),
            settled_micros: hold.settled.micros(),
            shortfall_micros: hold.shortfall.micros(),
            closed_at: hold.closed_at.map_or(0, Moment::unix_ms),
        });
    }
    Ok(())
}

fn write_budgets(books: &Books, writes: &mut Writes) -> Result<(), DbError> {
    for (tenant, spender, period) in &books.changes.budgets {
        let account = books.accounts.get(tenant);
        let mut budgets = account
            .and_then(|account| account.budgets.get(spender))
            .into_iter()
            .flatten();
        let budget = budgets.find(|budget| budget.period == *period);
        let budget = budget.ok_or_else(|| damaged("budget of", &spender.text()))?;
        writes.budgets.push(BudgetRow {
            spender: spender.text(),
            period: period.word().to_owned(),
            tenant_id: tenant.to_string(),
            id: budget.id.to_string(),
            limit_micros: budget.limit.micros(),
            spent_micros: budget.spent.micros(),
            held_micros: budget.held.micros(),
            period_start: budget.period_start.unix_ms(),
            period_end: budget.period_end.map(Moment::unix_ms),
        });
    }
    let gone = books.changes.budgets_gone.iter();
    writes.budgets_gone = gone
        .map(|(_, spender, period)| (spender.text(), period.word().to_owned()))
        .collect();
    Ok(())
}

fn entry_row(entry: &NewEntry, now: Moment) -> EntryRow {
    EntryRow {
        tenant_id: entry.tenant.to_string(),
        number: entry.number,
        kind: entry.kind.word().to_owned(),
        reference: entry.reference.clone(),
        grants_delta: entry.deltas.grants,
        held_delta: entry.deltas.held,
        revenue_delta: entry.deltas.revenue,
        breakage_delta: entry.deltas.breakage,
        refund_delta: entry.deltas.refund,
        debt_delta: entry.deltas.debt,
        loss_delta: entry.deltas.loss,
        issuance_delta: entry.deltas.issuance,
        grants_after: entry.grants_after,
        held_after: entry.held_after,
        at: now.unix_ms(),
    }
}

fn adjustment_row(adjusted: &Adjusted) -> AdjustmentRow {
    let wish = &adjusted.adjustment;
    AdjustmentRow {
        id: adjusted.id.to_string(),
        tenant_id: wish.tenant.to_string(),
        source_key: wish.source_key.clone(),
        amount_micros: wish.amount.micros(),
        into_debt: wish.into_debt,
        operator: wish.operator.clone(),
        reason: wish.reason.clone(),
        created_at: adjusted.at.unix_ms(),
    }
}

fn grant_row(tenant: &TenantId, grant: &Grant) -> GrantRow {
    GrantRow {
        id: grant.id.to_string(),
        tenant_id: tenant.to_string(),
        kind: grant.kind.word().to_owned(),
        source_key: grant.source_key.clone(),
        granted_micros: grant.granted.micros(),
        remaining_micros: grant.remaining.micros(),
        expires_at: grant.expires_at.map(Moment::unix_ms),
        note: grant.note.clone(),
        created_at: grant.created_at.unix_ms(),
    }
}

fn hold_row(hold: &Hold, parts: &[Allocation]) -> HoldRow {
    HoldRow {
        id: hold.id.to_string(),
        tenant_id: hold.tenant.to_string(),
        state: state_word(hold.state).to_owned(),
        requested_micros: hold.requested.micros(),
        least_micros: hold.least.micros(),
        held_micros: hold.held.micros(),
        settled_micros: hold.settled.micros(),
        shortfall_micros: hold.shortfall.micros(),
        grant_id: parts.first().map(|part| part.grant.to_string()),
        grant_micros: parts.first().map_or(0, |part| part.micros),
        budgets: counted_text(&hold.budgets),
        refusal: refusal_text(hold.refusal.as_ref()),
        owner: hold.owner.as_str().to_owned(),
        call: hold.snapshot.as_str().to_owned(),
        created_at: hold.created_at.unix_ms(),
        deadline_at: hold.deadline_at.unix_ms(),
        closed_at: hold.closed_at.map(Moment::unix_ms),
        ask_until: hold.unknown.map(|unknown| unknown.ask_until.unix_ms()),
        promised: hold.unknown.is_some_and(|unknown| unknown.promised),
    }
}

fn later_parts<'a>(
    hold: &'a GenerationId,
    parts: &'a [Allocation],
    first: usize,
) -> impl Iterator<Item = AllocationRow> + 'a {
    (0_i64..)
        .zip(parts)
        .skip(first)
        .map(|(position, part)| AllocationRow {
            hold_id: hold.to_string(),
            position,
            grant_id: part.grant.to_string(),
            amount_micros: part.micros,
        })
}
