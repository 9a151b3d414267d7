//! What people read of a ledger line by line: entries without those that only set aside, the holds, grants
//! and corrections that they belong to, and what was given and is spent. Changes nothing.

use diesel::dsl::sql;
use diesel::sql_types::{BigInt, Bool, Text};
use diesel::{ExpressionMethods, QueryDsl, QueryableByName};
use diesel_async::RunQueryDsl;
use server_rules::ledger::{Adjusted, Entry, Grant, Hold};
use shared::clock::Moment;
use shared::db::DbError;
use shared::id::{GenerationId, GrantId, TenantId};
use shared::on;

use super::rows::{AdjustmentRow, EntryRow, GrantRow, HoldRow};
use crate::Store;
use crate::part::{Part, newest_first};
use crate::schema::{ledger_adjustments, ledger_entries, ledger_grants, ledger_holds};

/// Holds that are read, newest or oldest, to find the one of a request: as many begin in a few seconds of a
/// busy platform.
const REQUEST_HOLDS_MAX: i64 = 20_000;

/// The words of the partial index.
const RARE: &str = "kind NOT IN ('hold', 'extend', 'settle')";
/// What changes how much a tenant has, or ends a call.
const TOLD: &str = "kind NOT IN ('hold', 'extend')";

/// Begun between two ids; `instr` and `strpos` are each one database's, `LIKE` is both's. An id has no letter
/// that a pattern would take for another.
const HOLD_OF_REQUEST: &str = "SELECT h.id AS id FROM (SELECT id, call FROM ledger_holds WHERE id >= $1 AND id < $2 \
     ORDER BY id LIMIT $3) h WHERE h.call LIKE $4 LIMIT 1";

#[derive(QueryableByName)]
struct IdRow {
    #[diesel(sql_type = Text)]
    id: String,
}

impl Store {
    /// A tenant's entries, newest first, but for those that only set aside; of one kind where one is named.
    pub async fn ledger_lines(
        &self,
        tenant: &TenantId,
        kind: Option<&str>,
        (before, limit): (Option<i64>, i64),
    ) -> Result<Vec<Entry>, DbError> {
        let rows: Vec<EntryRow> = on!(self.db, |conn| {
            let mut lines = ledger_entries::table
                .filter(ledger_entries::tenant_id.eq(tenant.as_str()))
                .filter(ledger_entries::number.lt(before.unwrap_or(i64::MAX)))
                .order(ledger_entries::number.desc())
                .limit(limit)
                .into_boxed();
            if let Some(kind) = kind {
                lines = lines.filter(ledger_entries::kind.eq(kind));
                if !matches!(kind, "hold" | "extend" | "settle") {
                    lines = lines.filter(sql::<Bool>(RARE));
                }
            } else {
                lines = lines.filter(sql::<Bool>(TOLD));
            }
            lines.load(conn).await
        })?;
        Ok(rows.into_iter().map(Entry::from).collect())
    }

    /// Those of a tenant's holds that are named.
    pub async fn ledger_holds_of(
        &self,
        tenant: &TenantId,
        ids: &[&str],
    ) -> Result<Vec<Hold>, DbError> {
        let rows: Vec<HoldRow> = on!(self.db, |conn| {
            ledger_holds::table
                .filter(ledger_holds::id.eq_any(ids))
                .filter(ledger_holds::tenant_id.eq(tenant.as_str()))
                .load(conn)
                .await
        })?;
        rows.into_iter().map(Hold::try_from).collect()
    }

    /// A tenant's open holds, the last deadline first. Looks through all that are open, which are as many as
    /// calls run.
    pub async fn ledger_reserved(
        &self,
        tenant: &TenantId,
        limit: i64,
    ) -> Result<Vec<Hold>, DbError> {
        let rows: Vec<HoldRow> = on!(self.db, |conn| {
            ledger_holds::table
                .filter(ledger_holds::state.eq("held"))
                .filter(ledger_holds::tenant_id.eq(tenant.as_str()))
                .order(ledger_holds::deadline_at.desc())
                .limit(limit)
                .load(conn)
                .await
        })?;
        rows.into_iter().map(Hold::try_from).collect()
    }

    /// Those of a tenant's grants that are named.
    pub async fn ledger_grants_of(
        &self,
        tenant: &TenantId,
        ids: &[&str],
    ) -> Result<Vec<Grant>, DbError> {
        let rows: Vec<GrantRow> = on!(self.db, |conn| {
            ledger_grants::table
                .filter(ledger_grants::id.eq_any(ids))
                .filter(ledger_grants::tenant_id.eq(tenant.as_str()))
                .load(conn)
                .await
        })?;
        rows.into_iter().map(Grant::try_from).collect()
    }

    /// Those of a tenant's corrections that are named.
    pub async fn ledger_adjustments_of(
        &self,
        tenant: &TenantId,
        ids: &[&str],
    ) -> Result<Vec<Adjusted>, DbError> {
        let rows: Vec<AdjustmentRow> = on!(self.db, |conn| {
            ledger_adjustments::table
                .filter(ledger_adjustments::id.eq_any(ids))
                .filter(ledger_adjustments::tenant_id.eq(tenant.as_str()))
                .load(conn)
                .await
        })?;
        Ok(rows.into_iter().map(Adjusted::from).collect())
    }

    /// A tenant's grants of which nothing can be spent any more, newest first.
    pub async fn ledger_spent_grants(
        &self,
        tenant: &TenantId,
        now: Moment,
        part: Part<'_, GrantId>,
    ) -> Result<Vec<Grant>, DbError> {
        let rows: Vec<GrantRow> = on!(self.db, |conn| {
            let grants = ledger_grants::table
                .filter(ledger_grants::tenant_id.eq(tenant.as_str()))
                .filter(
                    sql::<Bool>("(remaining_micros = 0 OR expires_at <= ")
                        .bind::<BigInt, _>(now.unix_ms())
                        .sql(")"),
                );
            let grants = newest_first!(grants, ledger_grants::id, part);
            grants.load(conn).await
        })?;
        rows.into_iter().map(Grant::try_from).collect()
    }

    /// Whose a grant or a correction is, by its id.
    pub async fn ledger_owner_of(&self, id: &str) -> Result<Option<TenantId>, DbError> {
        let grants: Vec<String> = on!(self.db, |conn| {
            let found = ledger_grants::table.filter(ledger_grants::id.eq(id));
            found.select(ledger_grants::tenant_id).load(conn).await
        })?;
        let found = if let Some(tenant) = grants.into_iter().next() {
            Some(tenant)
        } else {
            let adjustments: Vec<String> = on!(self.db, |conn| {
                let found = ledger_adjustments::table.filter(ledger_adjustments::id.eq(id));
                found.select(ledger_adjustments::tenant_id).load(conn).await
            })?;
            adjustments.into_iter().next()
        };
        Ok(found.map(TenantId::from_stored))
    }

    /// The call that came with a request, of those whose ids lie between two. A request's id stands in what
    /// its hold keeps, without an index of its own, which every call would pay for; ids begin with the moment
    /// at which they were made, so that few holds are read.
    pub async fn ledger_hold_of_request(
        &self,
        request: &str,
        (from, until): (&str, &str),
    ) -> Result<Option<GenerationId>, DbError> {
        let pattern = format!("%\"request\":\"{request}\"%");
        let rows: Vec<IdRow> = on!(self.db, |conn| {
            diesel::sql_query(HOLD_OF_REQUEST)
                .bind::<Text, _>(from)
                .bind::<Text, _>(until)
                .bind::<BigInt, _>(REQUEST_HOLDS_MAX)
                .bind::<Text, _>(&pattern)
                .load(conn)
                .await
        })?;
        Ok(rows
            .into_iter()
            .next()
            .map(|row| GenerationId::from_stored(row.id)))
    }
}
