//! What the books lack for a batch, and what was read put into them.

use std::collections::{BTreeSet, HashMap};

use server_rules::ledger::rules::{Account, Allocation, Books, HeldBook};
use server_rules::ledger::{Adjusted, Budget, Grant, HoldState, Spender};
use shared::db::DbError;
use shared::id::{GenerationId, GrantId, TenantId};

use super::super::LoadSet;
use super::super::convert::damaged;
use super::super::rows::{AccountRow, AllocationRow, BudgetRow, HoldRow, Loaded, Missing};
use super::Attempt;

/// Takes over the versions of those accounts that were `asked` for; answers what must be read before the
/// rules may decide.
pub(in super::super) fn missing<'t, B, A>(
    books: &mut Books,
    locked: Vec<AccountRow>,
    asked: impl IntoIterator<Item = &'t TenantId>,
    attempt: &Attempt<'_, B, A>,
) -> Missing {
    let to_load = attempt.to_load;
    let mut missing = Missing::default();
    let mut without_row: BTreeSet<&TenantId> = asked.into_iter().collect();
    for row in locked {
        let tenant = TenantId::from_stored(row.tenant_id.clone());
        without_row.remove(&tenant);
        let account = books.accounts.entry(tenant).or_default();
        if account.version == row.version && row.version > 0 {
            continue;
        }
        // Open holds stay, because only their owner touches them as long as it lives; those that this
        // batch is about are read again below.
        let holds = std::mem::take(&mut account.holds);
        *account = Account {
            version: row.version,
            totals: (&row).into(),
            holds,
            ..Account::default()
        };
        missing.tenants.push(row.tenant_id);
    }
    for tenant in without_row {
        books.accounts.remove(tenant);
    }
    let stale: BTreeSet<&str> = missing.tenants.iter().map(String::as_str).collect();
    for (tenant, hold) in &to_load.holds {
        let account = books.accounts.get(tenant);
        let known = account.is_some_and(|account| account.holds.contains_key(hold));
        if !known || stale.contains(tenant.as_str()) {
            missing.holds.push(hold.to_string());
        }
    }
    let unconfirmed = to_load.unconfirmed.iter().map(GenerationId::to_string);
    missing.holds.extend(unconfirmed);
    if attempt.careful {
        let fresh = to_load.fresh.iter().map(GenerationId::to_string);
        missing.holds.extend(fresh);
    }
    missing.holds.sort_unstable();
    missing.holds.dedup();
    let text = |pairs: &[(TenantId, String)]| {
        let pairs = pairs.iter();
        pairs.map(|(t, key)| (t.to_string(), key.clone())).collect()
    };
    missing.sources = text(&to_load.sources);
    missing.adjustments = text(&to_load.adjustments);
    missing
}

/// Spent grants that parts of open holds came from, and that are not known yet.
pub(in super::super) fn missing_grants(
    books: &Books,
    missing: &Missing,
    loaded: &Loaded,
) -> Vec<String> {
    let mut ids: BTreeSet<String> = BTreeSet::new();
    let of_rows = loaded
        .holds
        .iter()
        .filter(|row| row.state == HoldState::Held.word());
    ids.extend(of_rows.filter_map(|row| row.grant_id.clone()));
    ids.extend(loaded.allocations.iter().map(|row| row.grant_id.clone()));
    for tenant in &missing.tenants {
        let account = books.accounts.get(&TenantId::from_stored(tenant.clone()));
        let kept = account
            .into_iter()
            .flat_map(|account| account.holds.values());
        let parts = kept.flat_map(|book| &book.allocations);
        ids.extend(parts.map(|part| part.grant.to_string()));
    }
    if ids.is_empty() {
        return Vec::new();
    }
    for grant in books.accounts.values().flat_map(|account| &account.grants) {
        ids.remove(grant.id.as_str());
    }
    ids.into_iter().collect()
}

/// Adds what was read to the books.
pub(in super::super) fn merge(
    books: &mut Books,
    loaded: Loaded,
    spenders: &BTreeSet<(TenantId, Spender)>,
) -> Result<(), DbError> {
    let mut touched: BTreeSet<TenantId> = BTreeSet::new();
    for row in loaded.grants {
        let tenant = TenantId::from_stored(row.tenant_id.clone());
        let account = books.accounts.get_mut(&tenant);
        // The grant of another tenant's hold whose id was asked for; nothing of it is touched.
        let Some(account) = account else { continue };
        let grant: Grant = row.try_into()?;
        if account.grants.iter().all(|known| known.id != grant.id) {
            account.grants.push(grant);
            touched.insert(tenant);
        }
    }
    for tenant in &touched {
        if let Some(account) = books.accounts.get_mut(tenant) {
            account.sort();
        }
    }
    for row in loaded.grants_by_source {
        let source = (
            TenantId::from_stored(row.tenant_id.clone()),
            row.source_key.clone(),
        );
        books.grants_by_source.insert(source, row.try_into()?);
    }
    for row in loaded.adjustments {
        let adjusted = Adjusted::from(row);
        let wish = &adjusted.adjustment;
        let source = (wish.tenant.clone(), wish.source_key.clone());
        books.adjusted_by_source.insert(source, adjusted);
    }
    merge_budgets(books, loaded.budgets, spenders)?;
    merge_holds(books, loaded.holds, loaded.allocations)
}

fn merge_budgets(
    books: &mut Books,
    rows: Vec<BudgetRow>,
    asked: &BTreeSet<(TenantId, Spender)>,
) -> Result<(), DbError> {
    for (tenant, spender) in asked {
        if let Some(account) = books.accounts.get_mut(tenant) {
            account.budgets.entry(spender.clone()).or_default();
        }
    }
    for row in rows {
        let tenant = TenantId::from_stored(row.tenant_id.clone());
        let budget: Budget = row.try_into()?;
        let account = books.accounts.get_mut(&tenant);
        let budgets = account.and_then(|account| account.budgets.get_mut(&budget.spender));
        if let Some(budgets) = budgets
            && budgets.iter().all(|known| known.period != budget.period)
        {
            budgets.push(budget);
        }
    }
    Ok(())
}

fn merge_holds(
    books: &mut Books,
    holds: Vec<HoldRow>,
    allocations: Vec<AllocationRow>,
) -> Result<(), DbError> {
    let mut loaded = HashMap::new();
    for row in holds {
        let book = HeldBook::try_from(row)?;
        loaded.insert(book.hold.id.clone(), book);
    }
    // Read in the order of their positions.
    for row in allocations {
        let id = GenerationId::from_stored(row.hold_id);
        let book = loaded.get_mut(&id);
        let book = book.ok_or_else(|| damaged("allocation of", id.as_str()))?;
        book.allocations.push(Allocation {
            grant: GrantId::from_stored(row.grant_id),
            micros: row.amount_micros,
        });
    }
    for (id, book) in loaded {
        let account = books.accounts.get_mut(&book.hold.tenant);
        match account {
            Some(account) if book.hold.state == HoldState::Held => {
                // Closed and refused ones are looked up by id alone, so that a foreign id is known.
                books.closed.insert(id.clone(), book.hold.clone());
                account.holds.insert(id, book);
            }
            account => {
                // Another process closed it meanwhile.
                if let Some(account) = account {
                    account.holds.remove(&id);
                }
                books.closed.insert(id, book.hold);
            }
        }
    }
    Ok(())
}

/// Spenders whose budgets must be known and are not: those that ask, and those that holds to be
/// closed count against.
pub(in super::super) fn unknown_budgets(
    books: &Books,
    to_load: &LoadSet,
    loaded: &Loaded,
) -> BTreeSet<(TenantId, Spender)> {
    let mut spenders: BTreeSet<(TenantId, Spender)> = to_load.spenders.iter().cloned().collect();
    for row in loaded.holds.iter().filter(|row| !row.budgets.is_empty()) {
        let texts = row.budgets.split(',').filter_map(|t| t.split('|').next());
        let tenant = TenantId::from_stored(row.tenant_id.clone());
        let found = texts.filter_map(Spender::from_text);
        spenders.extend(found.map(|spender| (tenant.clone(), spender)));
    }
    for (tenant, hold) in &to_load.holds {
        let account = books.accounts.get(tenant);
        let book = account.and_then(|account| account.holds.get(hold));
        let counted = book.into_iter().flat_map(|book| &book.hold.budgets);
        spenders.extend(counted.map(|of| (tenant.clone(), of.spender.clone())));
    }
    spenders.retain(|(tenant, spender)| {
        let account = books.accounts.get(tenant);
        account.is_some_and(|account| !account.budgets.contains_key(spender))
    });
    spenders
}
