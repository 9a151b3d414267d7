//! A ledger as people read it: one line a call, and what was given, lapsed or was corrected; what is reserved
//! now, and the entries behind a line. Changes nothing.
//!
//! What a tenant has is what is available and what is reserved together. Setting credits aside leaves that as
//! it is, so every line's balance follows from the line before by the line's own amount, whatever runs at the
//! same time: the running balance is exact.

use std::collections::HashMap;

use server_store::part::Part;
use shared::clock::Moment;
use shared::credits::Credits;
use shared::id::{AdjustmentId, GenerationId, GrantId, RequestId, TenantId};

use super::{Adjusted, Entry, Grant, Hold, HoldState, Ledger, LedgerError};

/// Lines read around the moment at which a hold began or ended, to find its own.
const AROUND: i64 = 500;
/// A call is begun at most so long after its request came: its body is read first.
const BODY_MS: i64 = 60_000;
/// Two clocks of one process do not differ by more.
const BEFORE_MS: i64 = 1_000;

/// A line that people read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The entry that ended a call, or changed what the tenant has in another way.
    pub entry: Entry,
    /// What it belongs to.
    pub of: LineOf,
}

/// What a line belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LineOf {
    /// A call.
    Call(Box<Hold>),
    /// Credits that were given.
    Grant(Box<Grant>),
    /// A correction.
    Correction(Box<Adjusted>),
    /// Something that is not there any more.
    Nothing,
}

impl Line {
    /// By how much it changed what the tenant has.
    pub fn amount(&self) -> Credits {
        sum(self.entry.available_delta, self.entry.held_delta)
    }

    /// What the tenant had after it, reserved credits included.
    pub fn balance(&self) -> Credits {
        sum(self.entry.balance_after, self.entry.held_after)
    }

    /// Whether it says that a call was given back which was charged later after all, by a line of its own.
    fn is_superseded(&self) -> bool {
        let LineOf::Call(hold) = &self.of else {
            return false;
        };
        self.entry.kind == "release"
            && hold.state == HoldState::Settled
            && self.amount() == Credits::ZERO
    }
}

fn sum(first: Credits, second: Credits) -> Credits {
    Credits::from_micros(first.micros().saturating_add(second.micros()))
}

/// A part of a ledger's lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lines {
    /// Newest first.
    pub lines: Vec<Line>,
    /// From where older ones go on.
    pub next: Option<i64>,
}

fn by_id<T>(all: Vec<T>, id: impl Fn(&T) -> String) -> HashMap<String, T> {
    all.into_iter().map(|one| (id(&one), one)).collect()
}

impl Ledger {
    /// A tenant's lines, newest first, those before one only: of one kind of entry, or all. Four statements,
    /// however many lines there are.
    pub async fn lines(
        &self,
        tenant: &TenantId,
        kind: Option<&str>,
        (before, limit): (Option<i64>, i64),
    ) -> Result<Lines, LedgerError> {
        let read = limit.saturating_add(1);
        let mut entries = self
            .store
            .ledger_lines(tenant, kind, (before, read))
            .await?;
        let more = i64::try_from(entries.len()).is_ok_and(|lines| lines > limit);
        entries.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let next = entries.last().filter(|_| more).map(|last| last.number);
        let mut lines = self.with_what_they_are_of(tenant, entries).await?;
        lines.retain(|line| !line.is_superseded());
        Ok(Lines { lines, next })
    }

    async fn with_what_they_are_of(
        &self,
        tenant: &TenantId,
        entries: Vec<Entry>,
    ) -> Result<Vec<Line>, LedgerError> {
        let of = |prefix: &str| -> Vec<&str> {
            let all = entries.iter().map(|entry| entry.reference.as_str());
            all.filter(|id| id.starts_with(prefix)).collect()
        };
        let (calls, grants, corrections) = (
            of(GenerationId::PREFIX),
            of(GrantId::PREFIX),
            of(AdjustmentId::PREFIX),
        );
        let (holds, grants, corrections) = tokio::try_join!(
            self.store.ledger_holds_of(tenant, &calls),
            self.store.ledger_grants_of(tenant, &grants),
            self.store.ledger_adjustments_of(tenant, &corrections),
        )?;
        let holds = by_id(holds, |hold| hold.id.to_string());
        let grants = by_id(grants, |grant| grant.id.to_string());
        let corrections = by_id(corrections, |one| one.id.to_string());
        let line = |entry: Entry| {
            let id = entry.reference.as_str();
            let call = holds.get(id).cloned().map(Box::new).map(LineOf::Call);
            let grant = || grants.get(id).cloned().map(Box::new).map(LineOf::Grant);
            let other = || corrections.get(id).cloned().map(Box::new);
            let of = call
                .or_else(grant)
                .or_else(|| other().map(LineOf::Correction));
            Line {
                of: of.unwrap_or(LineOf::Nothing),
                entry,
            }
        };
        Ok(entries.into_iter().map(line).collect())
    }

    /// What is reserved for a tenant's calls now, at most `limit` of them.
    pub async fn reserved(&self, tenant: &TenantId, limit: i64) -> Result<Vec<Hold>, LedgerError> {
        Ok(self.store.ledger_reserved(tenant, limit).await?)
    }

    /// A tenant's grants of which nothing can be spent any more, newest first, those before `before` only.
    pub async fn spent_grants(
        &self,
        tenant: &TenantId,
        before: Option<&GrantId>,
        limit: i64,
    ) -> Result<Vec<Grant>, LedgerError> {
        let part = Part {
            after: before,
            limit,
        };
        let now = self.clock.now();
        Ok(self.store.ledger_spent_grants(tenant, now, part).await?)
    }

    /// Whose a grant or a correction is, by its id.
    pub async fn owner_of(&self, id: &str) -> Result<Option<TenantId>, LedgerError> {
        Ok(self.store.ledger_owner_of(id).await?)
    }

    /// The call that came with a request, as far as its hold tells: a call with a test key has none.
    pub async fn call_of_request(
        &self,
        request: &RequestId,
    ) -> Result<Option<GenerationId>, LedgerError> {
        let Some(at) = request.made_at() else {
            return Ok(None);
        };
        let place = |ms: i64| {
            let at = Moment::from_unix_ms(at.unix_ms().saturating_add(ms));
            GenerationId::first_of(at)
        };
        let (from, until) = (place(BEFORE_MS.saturating_neg()), place(BODY_MS));
        let between = (from.as_str(), until.as_str());
        Ok(self
            .store
            .ledger_hold_of_request(request.as_str(), between)
            .await?)
    }

    /// The number behind the tenant's last line up to a moment: lines are numbered as time goes.
    async fn behind(&self, tenant: &TenantId, at: Moment) -> Result<Option<i64>, LedgerError> {
        let line = async |before: Option<i64>| {
            let mut lines = self.history(tenant, before, 1).await?;
            Ok::<_, LedgerError>(lines.pop())
        };
        let Some(newest) = line(None).await?.filter(|entry| entry.at > at) else {
            return Ok(None);
        };
        let (mut low, mut high) = (0_i64, newest.number);
        while high.saturating_sub(low) > 1 {
            let middle = low.saturating_add(high.saturating_sub(low) / 2);
            let later = line(Some(middle.saturating_add(1))).await?;
            if later.is_some_and(|entry| entry.at > at) {
                high = middle;
            } else {
                low = middle;
            }
        }
        Ok(Some(high))
    }

    /// All entries of a call, oldest first: found by the moments at which its hold began and ended.
    pub async fn entries_of(&self, hold: &Hold) -> Result<Vec<Entry>, LedgerError> {
        let mut found: HashMap<i64, Entry> = HashMap::new();
        let moments = [Some(hold.created_at), hold.closed_at];
        for at in moments.into_iter().flatten() {
            // Lines carry the moment of their commit, a little later than the call's.
            let at = Moment::from_unix_ms(at.unix_ms().saturating_add(1_000));
            let before = self.behind(&hold.tenant, at).await?;
            let lines = self.history(&hold.tenant, before, AROUND).await?;
            let own = lines
                .into_iter()
                .filter(|entry| entry.reference == hold.id.as_str());
            found.extend(own.map(|entry| (entry.number, entry)));
        }
        let mut entries: Vec<Entry> = found.into_values().collect();
        entries.sort_by_key(|entry| entry.number);
        Ok(entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lines_amount_and_balance_count_what_is_reserved_as_the_tenants() {
        let credits = Credits::from_micros;
        let line = Line {
            entry: Entry {
                number: 7,
                kind: "settle".to_owned(),
                reference: GenerationId::random().into_string(),
                available_delta: credits(200_000),
                held_delta: credits(-1_500_000),
                charged: credits(1_300_000),
                debt_delta: Credits::ZERO,
                balance_after: credits(8_700_000),
                held_after: credits(400_000),
                at: Moment::from_unix_ms(0),
            },
            of: LineOf::Nothing,
        };
        assert_eq!(line.amount(), credits(-1_300_000));
        assert_eq!(line.balance(), credits(9_100_000));
    }
}
