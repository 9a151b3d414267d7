//! Finds open holds that nobody looks after: their owner died, or it is this process and their
//! deadline is past; and those that were given back because nobody knew. Tells which; how they end
//! is decided by `calls`, which knows prices and asks the gateway. Holds of jobs and of sessions are
//! looked after by these, whatever becomes of a process.
//!
//! The deadline of another process's hold was told by another clock, which may be ahead: it says
//! nothing as long as that process lives, which looks after its own.

use std::collections::HashMap;
use std::time::Duration;

use server_store::ledger::Owners;
use shared::id::BootId;
use tokio::time::Instant;

use super::{Hold, Ledger, LedgerError, UnknownPlace};

/// Holds read at once.
const PAGE: i64 = 500;

/// Watches the signs of life of processes. A life is over when its sign has not changed for a
/// while *as seen here*: no two clocks are compared, and a database that was away makes nobody
/// look dead, because then nothing was seen at all.
#[derive(Debug)]
pub struct Watch {
    silent: Duration,
    seen: HashMap<BootId, (i64, Instant)>,
}

impl Watch {
    /// A life without a sign for `silent` is over.
    pub fn new(silent: Duration) -> Self {
        Self {
            silent,
            seen: HashMap::new(),
        }
    }

    /// Takes in what the lives show now; answers those that are over.
    fn look(&mut self, lives: Vec<(BootId, i64)>, own: &BootId, now: Instant) -> Vec<BootId> {
        let mut seen = HashMap::with_capacity(lives.len());
        let mut gone = Vec::new();
        for (boot, sign) in lives {
            let since = match self.seen.get(&boot) {
                Some((last, since)) if *last == sign => *since,
                Some(_) | None => now,
            };
            if boot != *own && now.duration_since(since) >= self.silent {
                gone.push(boot.clone());
            }
            seen.insert(boot, (sign, since));
        }
        self.seen = seen;
        gone
    }
}

impl Ledger {
    /// The lives that are over and still own open holds.
    pub async fn gone(&self, watch: &mut Watch) -> Result<Vec<BootId>, LedgerError> {
        let found = self.look_around(watch).await;
        if found.is_err() {
            // What was not seen for a while may have changed twice.
            watch.seen.clear();
        }
        found
    }

    async fn look_around(&self, watch: &mut Watch) -> Result<Vec<BootId>, LedgerError> {
        let lives = self.store.ledger_lives().await?.into_iter();
        let mut lives: Vec<(BootId, i64)> = lives
            .map(|life| (life.boot, life.seen_at.unix_ms()))
            .collect();
        let owners = self.store.ledger_owners().await?;
        // An owner without a row shows no sign at all; it is given the same time.
        for owner in &owners {
            if lives.iter().all(|(boot, _)| boot != owner) {
                lives.push((owner.clone(), 0));
            }
        }
        let gone = watch.look(lives, &self.boot, Instant::now());
        let idle = gone.iter().filter(|boot| !owners.contains(boot));
        let idle: Vec<BootId> = idle.cloned().collect();
        if !idle.is_empty() {
            self.store.forget_lives(&idle).await?;
        }
        Ok(gone)
    }

    /// Open holds of lives that are over, and the own ones whose deadline is past, the oldest first;
    /// a page of those behind `behind`.
    pub async fn abandoned(
        &self,
        gone: &[BootId],
        behind: Option<&Hold>,
    ) -> Result<Vec<Hold>, LedgerError> {
        let own = (&self.boot, self.clock.now());
        let found = self.store.ledger_abandoned(gone, own, (behind, PAGE));
        Ok(found.await?)
    }

    /// Holds of processes that were given back because nobody knows how their calls ended; a page of
    /// those behind `behind`.
    pub async fn unknown(&self, behind: Option<&Hold>) -> Result<Vec<Hold>, LedgerError> {
        let behind = behind.and_then(|hold| {
            let ask_until = hold.unknown?.ask_until;
            Some(UnknownPlace {
                ask_until,
                id: &hold.id,
            })
        });
        let found = self.store.ledger_unknown(Owners::Processes, behind, PAGE);
        Ok(found.await?)
    }

    /// The same, whoever owns them, at most `limit`: for people to decide.
    pub async fn all_unknown(
        &self,
        behind: Option<UnknownPlace<'_>>,
        limit: i64,
    ) -> Result<Vec<Hold>, LedgerError> {
        let found = self.store.ledger_unknown(Owners::All, behind, limit);
        Ok(found.await?)
    }

    /// Checks accounts, entries, grants, holds and budgets against each other; answers every
    /// difference as a sentence, none when all agree.
    pub async fn verify(&self) -> Result<Vec<String>, LedgerError> {
        Ok(self.store.ledger_differences().await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_is_over_when_its_sign_stays_the_same_for_a_while() {
        let (own, other) = (BootId::random(), BootId::random());
        let mut watch = Watch::new(Duration::from_secs(40));
        let start = Instant::now();
        let mut look = |seconds: u64, sign: i64| {
            let lives = vec![(own.clone(), 1), (other.clone(), sign)];
            watch.look(lives, &own, start + Duration::from_secs(seconds))
        };
        assert!(look(0, 7).is_empty(), "seen for the first time");
        assert!(look(39, 7).is_empty());
        assert_eq!(
            look(40, 7),
            std::slice::from_ref(&other),
            "and never the own life"
        );
        assert!(look(41, 8).is_empty(), "it lives after all");
        assert!(look(80, 8).is_empty());
        assert_eq!(look(81, 8), std::slice::from_ref(&other));
    }
}
