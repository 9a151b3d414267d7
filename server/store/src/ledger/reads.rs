//! What pages read of the ledger besides balance and history: balances of many tenants, grants, one
//! call's hold. Changes nothing.

use std::collections::HashMap;

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel_async::RunQueryDsl;
use server_rules::ledger::{Balance, Grant, Hold};
use shared::clock::Moment;
use shared::credits::Credits;
use shared::db::DbError;
use shared::id::{GenerationId, GrantId, TenantId};
use shared::on;

use super::rows::{AccountRow, AllocationRow, GrantRow, HoldRow};
use crate::Store;
use crate::part::{Part, newest_first};
use crate::schema::{ledger_accounts, ledger_allocations, ledger_grants, ledger_holds};

fn plus(sum: &mut Credits, micros: i64) {
    *sum = Credits::from_micros(sum.micros().saturating_add(micros));
}

impl Store {
    /// What each of some tenants has; those without an account are absent. Two statements, so a
    /// call that is settled between them shows once more or less.
    pub async fn ledger_balances(
        &self,
        tenants: &[TenantId],
        now: Moment,
    ) -> Result<HashMap<TenantId, Balance>, DbError> {
        let ids: Vec<&str> = tenants.iter().map(TenantId::as_str).collect();
        let accounts: Vec<AccountRow> = on!(self.db, |conn| ledger_accounts::table
            .filter(ledger_accounts::tenant_id.eq_any(&ids))
            .load(conn)
            .await)?;
        let open: Vec<(String, i64, Option<i64>)> = on!(self.db, |conn| {
            ledger_grants::table
                .filter(ledger_grants::tenant_id.eq_any(&ids))
                .filter(ledger_grants::remaining_micros.gt(0))
                .select((
                    ledger_grants::tenant_id,
                    ledger_grants::remaining_micros,
                    ledger_grants::expires_at,
                ))
                .load(conn)
                .await
        })?;
        let mut balances: HashMap<TenantId, Balance> = accounts
            .into_iter()
            .map(|account| {
                let balance = Balance {
                    available: Credits::ZERO,
                    held: Credits::from_micros(account.held_micros),
                    used: Credits::from_micros(account.revenue_micros),
                    expired: Credits::from_micros(account.breakage_micros),
                    debt: Credits::from_micros(account.debt_micros.saturating_neg()),
                    loss: Credits::from_micros(account.loss_micros.saturating_neg()),
                };
                (TenantId::from_stored(account.tenant_id), balance)
            })
            .collect();
        for (tenant, micros, expires_at) in open {
            let balance = balances.entry(TenantId::from_stored(tenant)).or_default();
            // What expired and was not swept counts as expired.
            if expires_at.is_some_and(|at| at <= now.unix_ms()) {
                plus(&mut balance.expired, micros);
            } else {
                plus(&mut balance.available, micros);
            }
        }
        Ok(balances)
    }

    /// A tenant's grants, newest first; with `open` only those that have something left.
    pub async fn ledger_grants(
        &self,
        tenant: &TenantId,
        open: bool,
        part: Part<'_, GrantId>,
    ) -> Result<Vec<Grant>, DbError> {
        // Every grant has at least nothing left.
        let least = i64::from(open);
        let rows: Vec<GrantRow> = on!(self.db, |conn| {
            let grants = ledger_grants::table
                .filter(ledger_grants::tenant_id.eq(tenant.as_str()))
                .filter(ledger_grants::remaining_micros.ge(least));
            let grants = newest_first!(grants, ledger_grants::id, part);
            grants.load(conn).await
        })?;
        rows.into_iter().map(Grant::try_from).collect()
    }

    /// The hold of a call, and what it took from which grants, in the order of spending.
    pub async fn ledger_hold(
        &self,
        id: &GenerationId,
    ) -> Result<Option<(Hold, Vec<(GrantId, Credits)>)>, DbError> {
        let row: Option<HoldRow> = on!(self.db, |conn| ledger_holds::table
            .find(id.as_str())
            .first(conn)
            .await
            .optional())?;
        let Some(row) = row else { return Ok(None) };
        let further: Vec<AllocationRow> = on!(self.db, |conn| {
            ledger_allocations::table
                .filter(ledger_allocations::hold_id.eq(id.as_str()))
                .order(ledger_allocations::position.asc())
                .load(conn)
                .await
        })?;
        let first = row.grant_id.clone().map(|grant| (grant, row.grant_micros));
        let further = further
            .into_iter()
            .map(|part| (part.grant_id, part.amount_micros));
        let parts = first.into_iter().chain(further).map(|(grant, micros)| {
            let grant = GrantId::from_stored(grant);
            (grant, Credits::from_micros(micros))
        });
        let parts = parts.collect();
        Ok(Some((Hold::try_from(row)?, parts)))
    }
}
