//! Checks accounts against their own lines, grants and open holds, as far as they changed since they were
//! checked last, and keeps what came of it. `verify` compares everything with everything, which reads all.
//! Changes nothing that money is in.

use std::collections::HashMap;

use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, QueryableByName};
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use shared::clock::Moment;
use shared::db::DbError;
use shared::id::TenantId;
use shared::{on, write_tx};

use crate::Store;
use crate::schema::{ledger_accounts, ledger_checked, ledger_checks};

/// Lines of one account that are added up in one step; as many take about 10 ms.
const LINES_MAX: i64 = 10_000;
/// Differences that a page or a row tells.
const TOLD_MAX: i64 = 20;

/// What a check of all accounts came to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct BooksCheck {
    /// When it was done.
    #[serde(skip)]
    pub at: Moment,
    /// How long it took.
    pub took_ms: i64,
    /// How many accounts there are.
    pub accounts: i64,
    /// How many lines were added up by it and those before.
    pub lines: i64,
    /// Lines that it did not come to yet.
    pub behind: i64,
    /// How many differences there are.
    pub differences: i64,
    /// The first of them, as sentences.
    pub told: Vec<String>,
}

/// Which check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BooksPart {
    /// Accounts that changed, as they change.
    Changed,
    /// Everything, once a night.
    Whole,
}

impl BooksPart {
    fn name(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Whole => "whole",
        }
    }
}

/// What the lines of an account add up to, column by column, in the order of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LineSums(pub [i64; 8]);

/// An account as it stands beside what its own rows tell, all of one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountLook {
    /// Whose.
    pub tenant: TenantId,
    /// Counts its changes.
    pub version: i64,
    /// How many lines it says it has.
    pub lines: i64,
    /// What it says they add up to.
    pub stored: LineSums,
    /// The last line that was checked before, and what lines up to it add up to.
    pub known: (i64, LineSums),
    /// The further lines: how many there are, and the number of the last one.
    pub further: (i64, i64),
    /// What these add up to.
    pub added: LineSums,
    /// Lines among them whose balance after it does not follow from the line before.
    pub jumps: i64,
    /// What remains in its grants.
    pub remaining: i64,
    /// What its open holds hold.
    pub open: i64,
}

/// How far the check of an account has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountChecked {
    /// Whose.
    pub tenant: TenantId,
    /// The version that was checked.
    pub version: i64,
    /// Its lines up to this number were added up.
    pub number: i64,
    /// To this.
    pub sums: LineSums,
    /// What differs, as a sentence; empty where all agrees.
    pub difference: String,
    /// When.
    pub at: Moment,
}

#[derive(QueryableByName)]
struct LookRow {
    #[diesel(sql_type = Text)]
    tenant_id: String,
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = BigInt)]
    lines: i64,
    #[diesel(sql_type = Text)]
    stored: String,
    #[diesel(sql_type = BigInt)]
    known: i64,
    #[diesel(sql_type = Nullable<Text>)]
    known_sums: Option<String>,
    #[diesel(sql_type = BigInt)]
    further: i64,
    #[diesel(sql_type = BigInt)]
    last: i64,
    #[diesel(sql_type = Text)]
    added: String,
    #[diesel(sql_type = BigInt)]
    jumps: i64,
    #[diesel(sql_type = BigInt)]
    remaining: i64,
    #[diesel(sql_type = BigInt)]
    open: i64,
}

/// The eight columns as a JSON list, which both databases write with `||`.
macro_rules! listed {
    ($first:literal $(, $more:literal)*) => {
        concat!("'[' || ", $first, $(" || ',' || ", $more,)* " || ']'")
    };
}

/// One statement, so that everything is of one moment. Accounts that changed, or that differed when they were
/// looked at last; each with at most so many further lines, whose balances are followed from the line before.
const LOOK: &str = concat!(
    "WITH asked AS (SELECT a.*, COALESCE(c.number, 0) AS known, c.sums AS known_sums FROM ledger_accounts a \
     LEFT JOIN ledger_checked c ON c.tenant_id = a.tenant_id WHERE a.tenant_id > $1 AND (c.version IS NULL \
     OR c.version <> a.version OR c.number < a.entries OR c.difference <> '') ORDER BY a.tenant_id LIMIT $2), \
     news AS (SELECT e.*, LAG(e.grants_after) OVER w AS grants_before, LAG(e.held_after) OVER w AS held_before \
     FROM asked k JOIN ledger_entries e ON e.tenant_id = k.tenant_id AND e.number >= k.known \
     AND e.number <= k.known + $3 WINDOW w AS (PARTITION BY e.tenant_id ORDER BY e.number)), \
     sums AS (SELECT n.tenant_id, COUNT(*) AS further, MAX(n.number) AS last, ",
    listed!(
        "CAST(CAST(COALESCE(SUM(n.grants_delta), 0) AS BIGINT) AS TEXT)",
        "CAST(CAST(COALESCE(SUM(n.held_delta), 0) AS BIGINT) AS TEXT)",
        "CAST(CAST(COALESCE(SUM(n.revenue_delta), 0) AS BIGINT) AS TEXT)",
        "CAST(CAST(COALESCE(SUM(n.breakage_delta), 0) AS BIGINT) AS TEXT)",
        "CAST(CAST(COALESCE(SUM(n.refund_delta), 0) AS BIGINT) AS TEXT)",
        "CAST(CAST(COALESCE(SUM(n.debt_delta), 0) AS BIGINT) AS TEXT)",
        "CAST(CAST(COALESCE(SUM(n.loss_delta), 0) AS BIGINT) AS TEXT)",
        "CAST(CAST(COALESCE(SUM(n.issuance_delta), 0) AS BIGINT) AS TEXT)"
    ),
    " AS added, SUM(CASE WHEN n.grants_after <> COALESCE(n.grants_before, 0) + n.grants_delta \
     OR n.held_after <> COALESCE(n.held_before, 0) + n.held_delta THEN 1 ELSE 0 END) AS jumps \
     FROM news n JOIN asked k ON k.tenant_id = n.tenant_id WHERE n.number > k.known GROUP BY n.tenant_id), \
     left_over AS (SELECT g.tenant_id, SUM(g.remaining_micros) AS remaining FROM asked k JOIN ledger_grants g \
     ON g.tenant_id = k.tenant_id WHERE g.remaining_micros > 0 GROUP BY g.tenant_id), \
     opened AS (SELECT h.tenant_id, SUM(h.held_micros) AS open FROM ledger_holds h WHERE h.state = 'held' \
     GROUP BY h.tenant_id) \
     SELECT k.tenant_id AS tenant_id, k.version AS version, k.entries AS lines, ",
    listed!(
        "CAST(k.grants_micros AS TEXT)",
        "CAST(k.held_micros AS TEXT)",
        "CAST(k.revenue_micros AS TEXT)",
        "CAST(k.breakage_micros AS TEXT)",
        "CAST(k.refund_micros AS TEXT)",
        "CAST(k.debt_micros AS TEXT)",
        "CAST(k.loss_micros AS TEXT)",
        "CAST(k.issuance_micros AS TEXT)"
    ),
    " AS stored, k.known AS known, k.known_sums AS known_sums, CAST(COALESCE(s.further, 0) AS BIGINT) AS further, \
     CAST(COALESCE(s.last, k.known) AS BIGINT) AS last, COALESCE(s.added, '[0,0,0,0,0,0,0,0]') AS added, \
     CAST(COALESCE(s.jumps, 0) AS BIGINT) AS jumps, CAST(COALESCE(l.remaining, 0) AS BIGINT) AS remaining, \
     CAST(COALESCE(o.open, 0) AS BIGINT) AS open FROM asked k LEFT JOIN sums s ON s.tenant_id = k.tenant_id \
     LEFT JOIN left_over l ON l.tenant_id = k.tenant_id LEFT JOIN opened o ON o.tenant_id = k.tenant_id \
     ORDER BY k.tenant_id"
);

/// How far all are.
const STANDING: &str = "SELECT CAST(COUNT(*) AS BIGINT) AS accounts, \
     CAST(COALESCE(SUM(COALESCE(c.number, 0)), 0) AS BIGINT) AS lines, \
     CAST(COALESCE(SUM(a.entries - COALESCE(c.number, 0)), 0) AS BIGINT) AS behind, \
     CAST(COALESCE(SUM(CASE WHEN c.difference <> '' THEN 1 ELSE 0 END), 0) AS BIGINT) AS differences \
     FROM ledger_accounts a LEFT JOIN ledger_checked c ON c.tenant_id = a.tenant_id";

#[derive(QueryableByName)]
struct StandingRow {
    #[diesel(sql_type = BigInt)]
    accounts: i64,
    #[diesel(sql_type = BigInt)]
    lines: i64,
    #[diesel(sql_type = BigInt)]
    behind: i64,
    #[diesel(sql_type = BigInt)]
    differences: i64,
}

fn sums(text: &str) -> Result<LineSums, DbError> {
    serde_json::from_str(text).map_err(|_| DbError::Damaged("sums of a ledger's lines".to_owned()))
}

impl TryFrom<LookRow> for AccountLook {
    type Error = DbError;

    fn try_from(row: LookRow) -> Result<Self, DbError> {
        let known = row.known_sums.as_deref().map(sums).transpose()?;
        Ok(Self {
            tenant: TenantId::from_stored(row.tenant_id),
            version: row.version,
            lines: row.lines,
            stored: sums(&row.stored)?,
            known: (row.known, known.unwrap_or_default()),
            further: (row.further, row.last),
            added: sums(&row.added)?,
            jumps: row.jumps,
            remaining: row.remaining,
            open: row.open,
        })
    }
}

impl Store {
    /// Accounts that changed since they were checked, in the order of their tenants, those behind one only:
    /// each as it stands and with its further lines.
    pub async fn books_changed(
        &self,
        behind: &str,
        limit: i64,
    ) -> Result<Vec<AccountLook>, DbError> {
        let rows: Vec<LookRow> = on!(self.db, |conn| {
            diesel::sql_query(LOOK)
                .bind::<Text, _>(behind)
                .bind::<BigInt, _>(limit)
                .bind::<BigInt, _>(LINES_MAX)
                .load(conn)
                .await
        })?;
        rows.into_iter().map(AccountLook::try_from).collect()
    }

    /// Keeps how far accounts were checked.
    pub async fn keep_checked(&self, all: &[AccountChecked]) -> Result<(), DbError> {
        use ledger_checked as c;
        write_tx!(self.db, |conn| -> DbError {
            for one in all {
                let sums = serde_json::to_string(&one.sums).unwrap_or_default();
                let values = (
                    c::version.eq(one.version),
                    c::number.eq(one.number),
                    c::sums.eq(&sums),
                    c::difference.eq(&one.difference),
                    c::checked_at.eq(one.at.unix_ms()),
                );
                diesel::insert_into(c::table)
                    .values((c::tenant_id.eq(one.tenant.as_str()), values))
                    .on_conflict(c::tenant_id)
                    .do_update()
                    .set(values)
                    .execute(conn)
                    .await?;
            }
            Ok(())
        })
    }

    /// What the checks of all accounts come to together.
    pub async fn books_standing(&self) -> Result<BooksCheck, DbError> {
        let rows: Vec<StandingRow> = on!(self.db, |conn| {
            diesel::sql_query(STANDING).load(conn).await
        })?;
        let told: Vec<String> = on!(self.db, |conn| {
            ledger_checked::table
                .filter(ledger_checked::difference.ne(""))
                .order(ledger_checked::tenant_id)
                .limit(TOLD_MAX)
                .select(ledger_checked::difference)
                .load(conn)
                .await
        })?;
        let all = rows.into_iter().next();
        Ok(all.map_or_else(BooksCheck::default, |row| BooksCheck {
            accounts: row.accounts,
            lines: row.lines,
            behind: row.behind,
            differences: row.differences,
            told,
            ..BooksCheck::default()
        }))
    }

    /// Keeps what a check of all accounts came to.
    pub async fn keep_books(&self, part: BooksPart, check: &BooksCheck) -> Result<(), DbError> {
        use ledger_checks as c;
        let mut kept = check.clone();
        kept.told
            .truncate(usize::try_from(TOLD_MAX).unwrap_or(usize::MAX));
        let outcome = serde_json::to_string(&kept).unwrap_or_default();
        write_tx!(self.db, |conn| -> DbError {
            let values = (
                c::checked_at.eq(check.at.unix_ms()),
                c::outcome.eq(&outcome),
            );
            diesel::insert_into(c::table)
                .values((c::name.eq(part.name()), values))
                .on_conflict(c::name)
                .do_update()
                .set(values)
                .execute(conn)
                .await?;
            Ok(())
        })
    }

    /// What the last checks of all accounts came to, by their part; without those that were never done.
    pub async fn books(&self) -> Result<(Option<BooksCheck>, Option<BooksCheck>), DbError> {
        use ledger_checks as c;
        let rows: Vec<(String, i64, String)> = on!(self.db, |conn| c::table.load(conn).await)?;
        let mut all: HashMap<String, BooksCheck> = rows
            .into_iter()
            .filter_map(|(name, at, outcome)| {
                let check: BooksCheck = serde_json::from_str(&outcome).ok()?;
                let at = Moment::from_unix_ms(at);
                Some((name, BooksCheck { at, ..check }))
            })
            .collect();
        let mut of = |part: BooksPart| all.remove(part.name());
        Ok((of(BooksPart::Changed), of(BooksPart::Whole)))
    }

    /// How far the check of a tenant's account has come, and whether the account changed since.
    pub async fn account_checked(
        &self,
        tenant: &TenantId,
    ) -> Result<Option<(AccountChecked, bool)>, DbError> {
        let row: Option<(String, i64, i64, String, String, i64)> = on!(self.db, |conn| {
            let row = ledger_checked::table.find(tenant.as_str());
            row.first(conn).await.optional()
        })?;
        let Some((_, version, number, text, difference, at)) = row else {
            return Ok(None);
        };
        let now: Option<i64> = on!(self.db, |conn| {
            let account = ledger_accounts::table.find(tenant.as_str());
            let account = account.select(ledger_accounts::version);
            account.first(conn).await.optional()
        })?;
        let checked = AccountChecked {
            tenant: tenant.clone(),
            version,
            number,
            sums: sums(&text)?,
            difference,
            at: Moment::from_unix_ms(at),
        };
        Ok(Some((checked, now.is_some_and(|now| now != version))))
    }
}
