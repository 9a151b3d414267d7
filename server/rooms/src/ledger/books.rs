//! Keeps checking that the books agree: every account with its own lines, grants and open holds a few seconds
//! after it changed, and everything with everything once a night. One of several servers does it; what came of
//! it is kept for pages. Changes nothing that money is in.
//!
//! What it costs: a look at every account's version each time (about 50 ms for 100,000 accounts), and for each
//! account that changed the lines it got since then, read once; 1,000 lines take about a millisecond. The whole
//! reads every line, hold and record that is kept: about a second for a million of them.

use std::time::Duration;

pub use server_store::ledger::books::BooksCheck;
use server_store::ledger::books::{AccountChecked, AccountLook, BooksPart, LineSums};
use shared::clock::Moment;
use shared::id::TenantId;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use super::{Ledger, LedgerError};
use crate::settings::zones::Zones;

/// Between two rounds.
const EVERY: Duration = Duration::from_secs(15);
/// A server may have the next round a little earlier than the last one was begun by another's clock.
const CLAIM: Duration = Duration::from_secs(14);
/// Accounts that are looked at in one statement.
const ACCOUNTS: i64 = 100;
/// Statements of one round at most, so that others have their turn while a ledger of years is caught up with.
const LOOKS_MAX: usize = 2_000;
/// The hours in which the whole is checked, of the platform's clocks: from this one on, before that one.
const NIGHT: std::ops::Range<u8> = 2..5;
/// One night's check keeps the same night's next one away.
const NIGHTLY: Duration = Duration::from_secs(20 * 3_600);

/// The columns of an account, as differences name them.
const COLUMNS: [&str; 8] = [
    "grants", "held", "revenue", "breakage", "refund", "debt", "loss", "issuance",
];

/// What is known of how the books agree.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Books {
    /// Accounts, each a little after it changed.
    pub changed: Option<BooksCheck>,
    /// Everything, in the night.
    pub whole: Option<BooksCheck>,
}

/// What is known of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountBooks {
    /// When it was last found to agree, or not.
    pub at: Moment,
    /// Lines that were added up.
    pub lines: i64,
    /// Whether all of it agrees.
    pub agrees: bool,
}

impl Books {
    /// Differences of both checks, as sentences; the first of them.
    pub fn told(&self) -> impl Iterator<Item = &str> {
        let all = [&self.changed, &self.whole].into_iter().flatten();
        all.flat_map(|check| check.told.iter().map(String::as_str))
    }

    /// How many differences there are.
    pub fn differences(&self) -> u64 {
        let all = [&self.changed, &self.whole].into_iter().flatten();
        let sum = all.fold(0_i64, |sum, check| sum.saturating_add(check.differences));
        u64::try_from(sum).unwrap_or(0)
    }
}

fn plus(first: LineSums, second: LineSums) -> Option<LineSums> {
    let mut sums = [0_i64; 8];
    let both = first.0.into_iter().zip(second.0);
    for (place, (one, other)) in sums.iter_mut().zip(both) {
        *place = one.checked_add(other)?;
    }
    Some(LineSums(sums))
}

/// What is wrong with an account, as a sentence; and how far its lines were added up.
fn judged(look: &AccountLook) -> (Option<String>, i64, LineSums) {
    let tenant = &look.tenant;
    let (from, base) = look.known;
    let (further, last) = look.further;
    let stays = |what: String| (Some(format!("{tenant}: {what}")), from, base);
    if last.saturating_sub(from) != further {
        return stays(format!(
            "lines {from} to {last} are {further} lines: some are missing"
        ));
    }
    if look.jumps > 0 {
        return stays(format!(
            "{} balances between lines {from} and {last} do not follow from the line before",
            look.jumps
        ));
    }
    let Some(sums) = plus(base, look.added) else {
        return stays("its lines do not fit".to_owned());
    };
    // What lies further on is added up the next time.
    if last < look.lines && further > 0 {
        return (None, last, sums);
    }
    if last != look.lines {
        return stays(format!("it says {} lines and has {last}", look.lines));
    }
    let columns = COLUMNS
        .into_iter()
        .zip(look.stored.0.into_iter().zip(sums.0));
    for (name, (stored, summed)) in columns {
        if stored != summed {
            return stays(format!(
                "{name} is {stored}, the sum of its lines is {summed}"
            ));
        }
    }
    let [grants, held, ..] = look.stored.0;
    if grants != look.remaining {
        let remaining = look.remaining;
        return stays(format!("grants is {grants}, its grants have {remaining}"));
    }
    if held != look.open {
        return stays(format!("held is {held}, its open holds have {}", look.open));
    }
    (None, last, sums)
}

impl Ledger {
    /// Checks until told to stop; the night is that of the platform.
    pub async fn check_books_forever(self, zones: Zones, stop: CancellationToken) {
        while !stop.is_cancelled() {
            if let Err(error) = self.check_books_in_turn(&zones, &stop).await {
                warn!(%error, "the books were not checked: {error}");
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    }

    async fn check_books_in_turn(
        &self,
        zones: &Zones,
        stop: &CancellationToken,
    ) -> Result<(), LedgerError> {
        let now = self.clock.now();
        if self.store.claim_task("books", CLAIM, now).await? {
            self.check_changed(stop).await?;
        }
        let hour = zones.platform().await.wall(now).hour;
        let is_night = NIGHT.contains(&hour);
        if is_night && self.store.claim_task("books, whole", NIGHTLY, now).await? {
            self.check_whole().await?;
        }
        Ok(())
    }

    /// One round over the accounts that changed; ends early when told to stop.
    pub async fn check_changed(&self, stop: &CancellationToken) -> Result<BooksCheck, LedgerError> {
        let began = Instant::now();
        let mut behind = String::new();
        for _ in 0..LOOKS_MAX {
            let looks = self.store.books_changed(&behind, ACCOUNTS).await?;
            let Some(last) = looks.last() else { break };
            behind = last.tenant.to_string();
            let at = self.clock.now();
            let checked: Vec<AccountChecked> = looks.iter().map(|look| told(look, at)).collect();
            self.store.keep_checked(&checked).await?;
            if stop.is_cancelled() {
                break;
            }
        }
        let check = BooksCheck {
            at: self.clock.now(),
            took_ms: i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX),
            ..self.store.books_standing().await?
        };
        self.store.keep_books(BooksPart::Changed, &check).await?;
        Ok(check)
    }

    /// Everything with everything.
    pub async fn check_whole(&self) -> Result<BooksCheck, LedgerError> {
        let began = Instant::now();
        let told = self.store.ledger_differences().await?;
        for difference in &told {
            error!("the books differ: {difference}");
        }
        let standing = self.store.books_standing().await?;
        let check = BooksCheck {
            at: self.clock.now(),
            took_ms: i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX),
            differences: i64::try_from(told.len()).unwrap_or(i64::MAX),
            behind: 0,
            lines: standing.lines.saturating_add(standing.behind),
            told,
            ..standing
        };
        self.store.keep_books(BooksPart::Whole, &check).await?;
        Ok(check)
    }

    /// What is known of how the books agree.
    pub async fn books(&self) -> Result<Books, LedgerError> {
        let (changed, whole) = self.store.books().await?;
        Ok(Books { changed, whole })
    }

    /// What is known of a tenant's account; nothing of one that was not checked yet. An account that stayed
    /// as it was when it was checked agrees as of the last round.
    pub async fn account_books(
        &self,
        tenant: &TenantId,
    ) -> Result<Option<AccountBooks>, LedgerError> {
        let Some((checked, is_changed)) = self.store.account_checked(tenant).await? else {
            return Ok(None);
        };
        let (round, _) = self.store.books().await?;
        let last = round.map(|round| round.at).filter(|_| !is_changed);
        Ok(Some(AccountBooks {
            at: last.map_or(checked.at, |last| last.max(checked.at)),
            lines: checked.number,
            agrees: checked.difference.is_empty(),
        }))
    }
}

/// An account that was looked at, as it is kept.
fn told(look: &AccountLook, at: Moment) -> AccountChecked {
    let (difference, number, sums) = judged(look);
    if let Some(difference) = &difference {
        error!(tenant.id = %look.tenant, "the books differ: {difference}");
    }
    AccountChecked {
        tenant: look.tenant.clone(),
        version: look.version,
        number,
        sums,
        difference: difference.unwrap_or_default(),
        at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look() -> AccountLook {
        AccountLook {
            tenant: TenantId::random(),
            version: 3,
            lines: 5,
            stored: LineSums([70, 20, 10, 0, 0, 0, 0, -100]),
            known: (2, LineSums([100, 0, 0, 0, 0, 0, 0, -100])),
            further: (3, 5),
            added: LineSums([-30, 20, 10, 0, 0, 0, 0, 0]),
            jumps: 0,
            remaining: 70,
            open: 20,
        }
    }

    #[test]
    fn whatever_of_an_account_does_not_agree_is_told_and_its_lines_are_added_up_again() {
        let good = look();
        assert_eq!(judged(&good), (None, 5, good.stored));
        let longer = AccountLook { lines: 9, ..look() };
        assert_eq!(judged(&longer), (None, 5, good.stored), "more to come");
        let stored = |place: usize| {
            let mut stored = look().stored;
            stored.0[place] += 1;
            stored
        };
        let wrong = [
            (
                "a line is missing",
                AccountLook {
                    further: (2, 5),
                    ..look()
                },
            ),
            ("a balance jumps", AccountLook { jumps: 1, ..look() }),
            ("fewer lines", AccountLook { lines: 4, ..look() }),
            (
                "more than there are",
                AccountLook {
                    lines: 6,
                    further: (0, 2),
                    ..look()
                },
            ),
            (
                "revenue",
                AccountLook {
                    stored: stored(2),
                    ..look()
                },
            ),
            (
                "issuance",
                AccountLook {
                    stored: stored(7),
                    ..look()
                },
            ),
            (
                "a grant",
                AccountLook {
                    remaining: 69,
                    ..look()
                },
            ),
            ("a hold", AccountLook { open: 0, ..look() }),
            (
                "too much",
                AccountLook {
                    added: LineSums([i64::MAX; 8]),
                    ..look()
                },
            ),
        ];
        for (what, wrong) in wrong {
            let (difference, number, sums) = judged(&wrong);
            assert!(difference.is_some(), "{what}");
            assert_eq!((number, sums), wrong.known, "{what}");
        }
    }
}
