//! Attempts to log in: a rate and a growing wait after failures for each account from each place, and
//! rates for each account and each address as a whole. Counts in this process; `redis` says the same
//! for replicas. Checks no password.
//!
//! A place is an address, or a browser that somebody logged in with before. From a place where the
//! account's owner came in lately, what strangers do elsewhere does not count: they can neither lock
//! the owner out, nor guess faster than the rates of the whole.
//! An attempt that succeeds is given back, so the rates bound wrong passwords, not busy people.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sha2::{Digest, Sha256};
use shared::clock::{Clock, Moment};

use super::rate_meter::RateMeter;

/// Attempts a minute on one account from one place.
pub(super) const PER_PAIR: u64 = 5;
/// Attempts a minute on one account, from wherever it is not known: four strangers' worth.
pub(super) const PER_ACCOUNT: u64 = 20;
/// Attempts a minute from one address, on whatever accounts: an office or a proxy has many people.
pub(super) const PER_ADDRESS: u64 = 60;
/// Failures in a row that cost no wait: people mistype.
pub(super) const FREE_FAILURES: u32 = 3;
/// The longest wait after a failure; more would let a stranger lock an account's owner out.
pub(super) const DELAY_MAX: Duration = Duration::from_secs(60);
/// After this long without an attempt, the failures in a row begin anew.
pub(super) const MEMORY: Duration = Duration::from_secs(15 * 60);
/// A place is known for so long after the last login from there.
pub(super) const KNOWN_FOR: Duration = Duration::from_secs(30 * 86_400);
/// Pairs, accounts, addresses and known places remembered at once, of about 150 bytes each.
const BOOK_MAX: usize = 20_000;

/// From where somebody tries to log in.
#[derive(Debug, Clone, Copy)]
pub struct LoginFrom<'a> {
    /// The address.
    pub address: IpAddr,
    /// The browser, where it showed that the account's owner logged in with it before.
    pub device: Option<&'a str>,
}

impl From<IpAddr> for LoginFrom<'_> {
    fn from(address: IpAddr) -> Self {
        Self {
            address,
            device: None,
        }
    }
}

/// Who tries to log in, from where; texts of a bounded length that hide what was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Attempt {
    /// The account from that place.
    pub(super) pair: String,
    pub(super) account: String,
    pub(super) address: String,
    /// Whether the place is known without looking.
    pub(super) is_known: bool,
}

fn hashed(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

impl Attempt {
    pub(super) fn new(account: &str, from: LoginFrom<'_>) -> Self {
        let address = match from.address.to_canonical() {
            IpAddr::V4(address) => address.to_string(),
            // A customer of an IPv6 provider has a /64 to choose addresses from.
            IpAddr::V6(address) => format!("{:x}", address.to_bits() >> 64),
        };
        let place = from.device.unwrap_or(&address);
        Self {
            pair: hashed(&format!("{}|{place}|{account}", from.device.is_some())),
            account: hashed(account),
            is_known: from.device.is_some(),
            address,
        }
    }
}

/// How long the next attempt waits after so many failures in a row: 1, 2, 4, … seconds.
pub(super) fn delay_after(failures: u32) -> Duration {
    let Some(beyond) = failures.checked_sub(FREE_FAILURES + 1) else {
        return Duration::ZERO;
    };
    let seconds = 1_u64
        .checked_shl(beyond)
        .filter(|_| beyond < 32)
        .unwrap_or(u64::MAX);
    Duration::from_secs(seconds).min(DELAY_MAX)
}

#[derive(Debug, Clone, Copy, Default)]
struct Pair {
    rate: RateMeter,
    failures: u32,
    last: Moment,
    blocked_until: Moment,
}

#[derive(Debug, Default)]
struct Pages {
    pairs: HashMap<String, Pair>,
    accounts: HashMap<String, RateMeter>,
    addresses: HashMap<String, RateMeter>,
    /// Until when a pair's place is known.
    known: HashMap<String, Moment>,
}

/// What this process remembers of logins.
#[derive(Debug)]
pub(super) struct LoginBook {
    // One lock: a login costs fifty milliseconds of hashing, this costs a microsecond.
    pages: Mutex<Pages>,
    clock: Clock,
}

impl LoginBook {
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            pages: Mutex::default(),
            clock,
        }
    }

    /// Counts an attempt and answers nothing, or answers how long to wait and counts nothing.
    pub(super) fn allow(&self, attempt: &Attempt) -> Duration {
        let now = self.clock.now();
        let mut pages = self.pages();
        pages.sweep(now);
        let pair = pages.pairs.get(&attempt.pair).copied().unwrap_or_default();
        let mut wait = pair
            .rate
            .wait(PER_PAIR, 1, now)
            .max(pair.blocked_until.since(now));
        let is_known = pages.knows(attempt, now);
        if !is_known {
            let level = |meters: &HashMap<String, RateMeter>, name: &str, limit| {
                let meter = meters.get(name).copied().unwrap_or_default();
                meter.wait(limit, 1, now)
            };
            wait = wait
                .max(level(&pages.accounts, &attempt.account, PER_ACCOUNT))
                .max(level(&pages.addresses, &attempt.address, PER_ADDRESS));
        }
        if wait > Duration::ZERO {
            return wait;
        }
        let pair = pages.pairs.entry(attempt.pair.clone()).or_default();
        if now.since(pair.last) > MEMORY {
            pair.failures = 0;
        }
        pair.rate.take(PER_PAIR, 1, now);
        pair.last = now;
        if !is_known {
            let account = pages.accounts.entry(attempt.account.clone()).or_default();
            account.take(PER_ACCOUNT, 1, now);
            let address = pages.addresses.entry(attempt.address.clone()).or_default();
            address.take(PER_ADDRESS, 1, now);
        }
        Duration::ZERO
    }

    pub(super) fn failed(&self, attempt: &Attempt) {
        let now = self.clock.now();
        let mut pages = self.pages();
        let pair = pages.pairs.entry(attempt.pair.clone()).or_default();
        pair.failures = pair.failures.saturating_add(1);
        pair.last = now;
        pair.blocked_until = now.after(delay_after(pair.failures));
    }

    pub(super) fn succeeded(&self, attempt: &Attempt) {
        let now = self.clock.now();
        let mut pages = self.pages();
        if let Some(pair) = pages.pairs.get_mut(&attempt.pair) {
            pair.failures = 0;
            pair.blocked_until = Moment::default();
            pair.rate.give_back(PER_PAIR, 1, now);
        }
        if !pages.knows(attempt, now) {
            if let Some(account) = pages.accounts.get_mut(&attempt.account) {
                account.give_back(PER_ACCOUNT, 1, now);
            }
            if let Some(address) = pages.addresses.get_mut(&attempt.address) {
                address.give_back(PER_ADDRESS, 1, now);
            }
        }
        pages
            .known
            .insert(attempt.pair.clone(), now.after(KNOWN_FOR));
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Forgets what no longer matters; when strangers fill the book faster, it begins anew.
fn sweep<T>(page: &mut HashMap<String, T>, matters: impl Fn(&T) -> bool) {
    if page.len() >= BOOK_MAX {
        page.retain(|_, entry| matters(entry));
        if page.len() >= BOOK_MAX {
            page.clear();
        }
    }
}

impl Pages {
    fn knows(&self, attempt: &Attempt, now: Moment) -> bool {
        let until = self.known.get(&attempt.pair);
        attempt.is_known || until.is_some_and(|until| *until > now)
    }

    fn sweep(&mut self, now: Moment) {
        sweep(&mut self.pairs, |pair| now.since(pair.last) <= MEMORY);
        sweep(&mut self.accounts, |account| {
            !account.is_empty(Some(PER_ACCOUNT), now)
        });
        sweep(&mut self.addresses, |address| {
            !address.is_empty(Some(PER_ADDRESS), now)
        });
        // Only right passwords fill this page.
        sweep(&mut self.known, |until| *until > now);
    }
}

#[cfg(test)]
mod tests;
