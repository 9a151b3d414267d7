//! Changes of the books become rows to be written.

use std::collections::HashMap;

use server_rules::ledger::rules::{Allocation, Books, Changes, NewEntry};
use server_rules::ledger::{Adjusted, Grant, Hold};
use shared::clock::Moment;
use shared::db::DbError;
use shared::id::{GenerationId, GrantId, TenantId};

use super::super::rows::{
    AccountRow, AdjustmentRow, AllocationRow, BudgetRow, ClosedRow, EntryRow, ExtendedRow,
    GrantRow, HoldRow, RemainingRow, ResolvedRow, Writes,
};
use super::{counted_text, damaged, refusal_text, state_word};
use crate::usage::{Filed, Standing, UsageRow};

/// What the rules changed, as rows.
pub(in super::super) fn writes(
    books: &Books,
    usage: Vec<Filed>,
    now: Moment,
) -> Result<Writes, DbError> {
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
