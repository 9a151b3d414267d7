//! Rows become the room's nouns and its books, and changes of the books become rows. Runs no statement.

pub(super) mod writes;

use server_rules::ledger::rules::{Allocation, HeldBook, Totals};
use server_rules::ledger::{
    Adjusted, Adjustment, Budget, BudgetPeriod, CountedBudget, Entry, Grant, GrantKind, Hold,
    HoldState, Owner, Refusal, Spender, Unknown,
};
use shared::clock::Moment;
use shared::credits::Credits;
use shared::db::DbError;
use shared::id::{AdjustmentId, BudgetId, GenerationId, GrantId, TenantId};
use shared::zone::Zone;

use super::rows::{AccountRow, AdjustmentRow, BudgetRow, EntryRow, GrantRow, HoldRow};

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
            debt_delta: credits(row.debt_delta),
            balance_after: credits(row.grants_after),
            held_after: credits(row.held_after),
            at: moment(row.at),
        }
    }
}
