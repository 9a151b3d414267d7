//! Checks the ledger's tables against each other, set by set: accounts against the fold of their
//! entries, grants, holds and budgets. Changes nothing.

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Text};
use diesel_async::RunQueryDsl;
use shared::db::DbError;
use shared::on;

use crate::Store;

/// A row that does not agree with the others.
#[derive(Debug, QueryableByName)]
struct DifferenceRow {
    #[diesel(sql_type = Text)]
    subject: String,
    #[diesel(sql_type = BigInt)]
    stored: i64,
    #[diesel(sql_type = BigInt)]
    computed: i64,
}

/// Differences that are told of one check; more of them are of the same kind.
const SHOWN_MAX: usize = 100;

/// What is compared, and the statement that answers (subject, stored, computed) where they differ.
const CHECKS: [(&str, &str); 11] = [
    ("grants of account and of entries (I12)", FOLD_GRANTS),
    ("held of account and of entries (I12)", FOLD_HELD),
    ("revenue of account and of entries (I12)", FOLD_REVENUE),
    ("other accounts and their entries (I12)", FOLD_OTHERS),
    (
        "entries of account and their count, without gaps (I3)",
        COUNT,
    ),
    ("balance after each entry (I12)", AFTER),
    ("account and what remains in grants (I4)", REMAINING),
    ("account and open holds (I4)", OPEN),
    ("open hold and its parts (I4)", PARTS),
    ("account and charges of holds and records (I11)", CHARGED),
    ("budget and the open holds that count against it", BUDGETS),
];

/// Where a column of an account is not the sum of a column over its rows of another table.
macro_rules! sum_of {
    ($stored:literal, $summed:literal, $table:literal $(, $only:literal)?) => {
        concat!(
            "SELECT a.tenant_id AS subject, a.",
            $stored,
            " AS stored, CAST(COALESCE(SUM(r.",
            $summed,
            "), 0) AS BIGINT) AS computed FROM ledger_accounts a LEFT JOIN ",
            $table,
            " r ON r.tenant_id = a.tenant_id",
            $(" AND r.", $only,)?
            " GROUP BY a.tenant_id, a.",
            $stored,
            " HAVING a.",
            $stored,
            " <> COALESCE(SUM(r.",
            $summed,
            "), 0)"
        )
    };
}

const FOLD_GRANTS: &str = sum_of!("grants_micros", "grants_delta", "ledger_entries");
const FOLD_HELD: &str = sum_of!("held_micros", "held_delta", "ledger_entries");
const FOLD_REVENUE: &str = sum_of!("revenue_micros", "revenue_delta", "ledger_entries");
/// Each has its own weight, so that two differences do not cancel out.
const FOLD_OTHERS: &str = "SELECT f.tenant_id AS subject, f.stored AS stored, f.computed AS computed FROM \
     (SELECT a.tenant_id, a.breakage_micros + 3 * a.refund_micros + 5 * a.debt_micros + 7 * a.loss_micros AS stored, \
     CAST(COALESCE(SUM(e.breakage_delta + 3 * e.refund_delta + 5 * e.debt_delta + 7 * e.loss_delta), 0) AS BIGINT) \
     AS computed FROM ledger_accounts a LEFT JOIN ledger_entries e ON e.tenant_id = a.tenant_id \
     GROUP BY a.tenant_id, a.breakage_micros, a.refund_micros, a.debt_micros, a.loss_micros) f \
     WHERE f.stored <> f.computed";
const COUNT: &str = "SELECT a.tenant_id AS subject, a.entries AS stored, \
     CAST(COUNT(e.number) AS BIGINT) AS computed FROM ledger_accounts a \
     LEFT JOIN ledger_entries e ON e.tenant_id = a.tenant_id GROUP BY a.tenant_id, a.entries \
     HAVING a.entries <> COUNT(e.number) OR a.entries <> COALESCE(MAX(e.number), 0)";
const AFTER: &str = "SELECT f.tenant_id || ' entry ' || CAST(f.number AS TEXT) AS subject, \
     f.grants_after AS stored, f.grants_before + f.grants_delta AS computed FROM \
     (SELECT e.tenant_id, e.number, e.grants_after, e.held_after, e.grants_delta, e.held_delta, \
     LAG(e.grants_after, 1, CAST(0 AS BIGINT)) OVER w AS grants_before, \
     LAG(e.held_after, 1, CAST(0 AS BIGINT)) OVER w AS held_before FROM ledger_entries e \
     WINDOW w AS (PARTITION BY e.tenant_id ORDER BY e.number)) f \
     WHERE f.grants_after <> f.grants_before + f.grants_delta OR f.held_after <> f.held_before + f.held_delta";
const REMAINING: &str = sum_of!("grants_micros", "remaining_micros", "ledger_grants");
const OPEN: &str = sum_of!(
    "held_micros",
    "held_micros",
    "ledger_holds",
    "state = 'held'"
);
const PARTS: &str = "SELECT f.id AS subject, f.held_micros AS stored, f.parts AS computed FROM \
     (SELECT h.id, h.held_micros, h.grant_micros + CAST(COALESCE((SELECT SUM(l.amount_micros) \
     FROM ledger_allocations l WHERE l.hold_id = h.id), 0) AS BIGINT) AS parts \
     FROM ledger_holds h WHERE h.state = 'held') f WHERE f.held_micros <> f.parts";
/// Records are filed or wait for it. Those that were kept long enough are deleted; their charges stand in the sums of their days.
const CHARGED: &str = "SELECT a.tenant_id AS subject, a.revenue_micros AS stored, \
     CAST(COALESCE(h.settled, 0) AS BIGINT) AS computed FROM ledger_accounts a \
     LEFT JOIN (SELECT tenant_id, SUM(settled_micros) AS settled FROM ledger_holds GROUP BY tenant_id) h \
     ON h.tenant_id = a.tenant_id LEFT JOIN (SELECT c.tenant_id, SUM(c.credits_micros) AS charged FROM \
     (SELECT r.tenant_id, r.credits_micros FROM usage_records r, rollup_state s WHERE s.name = 'usage' AND NOT r.test \
     AND (r.created_at >= s.kept_from OR r.number IS NULL OR r.number > s.through) UNION ALL \
     SELECT i.tenant_id, i.credits_micros FROM usage_inbox i WHERE NOT i.test \
     AND NOT EXISTS (SELECT 1 FROM usage_records r WHERE r.id = i.id AND (r.number IS NULL OR r.number <> 0)) UNION ALL \
     SELECT k.tenant_id, k.credits_micros FROM rollups k, rollup_state s WHERE s.name = 'usage' \
     AND k.dimension = 'tenant' AND k.grain = 'day' AND k.starts_at < s.kept_from) c \
     GROUP BY c.tenant_id) u ON u.tenant_id = a.tenant_id \
     WHERE a.revenue_micros <> COALESCE(h.settled, 0) OR a.revenue_micros <> COALESCE(u.charged, 0)";
const BUDGETS: &str = "SELECT f.spender AS subject, f.held_micros AS stored, f.computed AS computed FROM \
     (SELECT b.spender, b.held_micros, CAST(COALESCE((SELECT SUM(h.held_micros) FROM ledger_holds h \
     WHERE h.state = 'held' AND h.tenant_id = b.tenant_id AND (',' || h.budgets || ',') LIKE \
     ('%,' || b.spender || '|' || b.period || '|' || b.id || '|' || \
     CAST(b.period_start AS TEXT) || ',%')), 0) AS BIGINT) AS computed FROM ledger_budgets b) f \
     WHERE f.held_micros <> f.computed";

impl Store {
    /// Every difference, as a sentence; none when all agree.
    pub async fn ledger_differences(&self) -> Result<Vec<String>, DbError> {
        let mut differences = Vec::new();
        for (what, statement) in CHECKS {
            let rows: Vec<DifferenceRow> = on!(self.db, |conn| {
                diesel::sql_query(statement).load(conn).await
            })?;
            let more = rows.len().saturating_sub(SHOWN_MAX);
            for row in rows.iter().take(SHOWN_MAX) {
                let DifferenceRow {
                    subject,
                    stored,
                    computed,
                } = row;
                differences.push(format!("{what}: {subject} has {stored}, not {computed}"));
            }
            if more > 0 {
                differences.push(format!("{what}: {more} more"));
            }
        }
        Ok(differences)
    }
}
