//! Attempts to log in: a rate for each account and each address, and a growing wait after failures.
//! Counts in this process; `redis` says the same for replicas. Checks no password.
//!
//! An attempt that succeeds is given back, so the rates bound wrong passwords, not busy people.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sha2::{Digest, Sha256};
use shared::clock::{Clock, Moment};

use super::meter::Meter;

/// Attempts a minute on one account, from wherever.
pub(super) const PER_ACCOUNT: u64 = 5;
/// Attempts a minute from one address, on whatever accounts.
pub(super) const PER_ADDRESS: u64 = 20;
/// Failures in a row that cost no wait: people mistype.
pub(super) const FREE_FAILURES: u32 = 3;
/// The longest wait after a failure; more would let a stranger lock an account's owner out.
pub(super) const DELAY_MAX: Duration = Duration::from_secs(60);
/// After this long without an attempt, the failures in a row begin anew.
pub(super) const MEMORY: Duration = Duration::from_secs(15 * 60);
/// Accounts and addresses remembered at once, of about 150 bytes each.
const BOOK_MAX: usize = 20_000;

/// Who tries to log in, from where; texts of a bounded length that hide what was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Attempt {
    pub(super) account: String,
    pub(super) address: String,
}

impl Attempt {
    pub(super) fn new(account: &str, address: IpAddr) -> Self {
        let digest = Sha256::digest(account.as_bytes());
        let address = match address.to_canonical() {
            IpAddr::V4(address) => address.to_string(),
            // A customer of an IPv6 provider has a /64 to choose addresses from.
            IpAddr::V6(address) => format!("{:x}", address.to_bits() >> 64),
        };
        Self {
            account: hex::encode(digest),
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
struct Account {
    rate: Meter,
    failures: u32,
    last: Moment,
    blocked_until: Moment,
}

#[derive(Debug, Default)]
struct Pages {
    accounts: HashMap<String, Account>,
    addresses: HashMap<String, Meter>,
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
        let account = pages
            .accounts
            .get(&attempt.account)
            .copied()
            .unwrap_or_default();
        let address = pages
            .addresses
            .get(&attempt.address)
            .copied()
            .unwrap_or_default();
        let wait = account
            .rate
            .wait(PER_ACCOUNT, 1, now)
            .max(address.wait(PER_ADDRESS, 1, now))
            .max(account.blocked_until.since(now));
        if wait == Duration::ZERO {
            let account = pages.accounts.entry(attempt.account.clone()).or_default();
            if now.since(account.last) > MEMORY {
                account.failures = 0;
            }
            account.rate.take(PER_ACCOUNT, 1, now);
            account.last = now;
            pages
                .addresses
                .entry(attempt.address.clone())
                .or_default()
                .take(PER_ADDRESS, 1, now);
        }
        wait
    }

    pub(super) fn failed(&self, attempt: &Attempt) {
        let now = self.clock.now();
        let mut pages = self.pages();
        let account = pages.accounts.entry(attempt.account.clone()).or_default();
        account.failures = account.failures.saturating_add(1);
        account.last = now;
        account.blocked_until = now.after(delay_after(account.failures));
    }

    pub(super) fn succeeded(&self, attempt: &Attempt) {
        let now = self.clock.now();
        let mut pages = self.pages();
        if let Some(account) = pages.accounts.get_mut(&attempt.account) {
            account.failures = 0;
            account.blocked_until = Moment::default();
            account.rate.give_back(PER_ACCOUNT, 1, now);
        }
        if let Some(address) = pages.addresses.get_mut(&attempt.address) {
            address.give_back(PER_ADDRESS, 1, now);
        }
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pages {
    /// Forgets what no longer matters; when strangers fill the book faster, it begins anew.
    fn sweep(&mut self, now: Moment) {
        if self.accounts.len() >= BOOK_MAX {
            self.accounts
                .retain(|_, account| now.since(account.last) <= MEMORY);
            if self.accounts.len() >= BOOK_MAX {
                self.accounts.clear();
            }
        }
        if self.addresses.len() >= BOOK_MAX {
            self.addresses
                .retain(|_, address| !address.is_empty(Some(PER_ADDRESS), now));
            if self.addresses.len() >= BOOK_MAX {
                self.addresses.clear();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    fn home() -> IpAddr {
        IpAddr::V4(Ipv4Addr::LOCALHOST)
    }

    fn book() -> (LoginBook, Clock) {
        let clock = Clock::fixed(Moment::from_unix_ms(1_000_000));
        (LoginBook::new(clock.clone()), clock)
    }

    #[test]
    fn an_account_has_five_wrong_attempts_a_minute() {
        let (book, clock) = book();
        let attempt = Attempt::new("a", home());
        for _ in 0..5 {
            assert_eq!(book.allow(&attempt), Duration::ZERO);
        }
        assert_eq!(book.allow(&attempt), Duration::from_secs(12));
        assert_eq!(book.allow(&Attempt::new("b", home())), Duration::ZERO);
        clock.advance(Duration::from_secs(12));
        assert_eq!(book.allow(&attempt), Duration::ZERO);
    }

    #[test]
    fn an_address_has_twenty_over_all_accounts() {
        let (book, _) = book();
        for n in 0..20 {
            assert_eq!(
                book.allow(&Attempt::new(&n.to_string(), home())),
                Duration::ZERO
            );
        }
        assert_eq!(
            book.allow(&Attempt::new("other", home())),
            Duration::from_secs(3)
        );
    }

    #[test]
    fn failures_in_a_row_wait_longer_each_time_until_one_succeeds() {
        let (book, clock) = book();
        let attempt = Attempt::new("a", home());
        for seconds in [0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60] {
            assert_eq!(book.allow(&attempt), Duration::ZERO);
            book.failed(&attempt);
            assert_eq!(delay_after(0), Duration::ZERO);
            let wait = book.pages().accounts[&attempt.account]
                .blocked_until
                .since(clock.now());
            assert_eq!(wait, Duration::from_secs(seconds));
            clock.advance(Duration::from_secs(60));
        }
        assert_eq!(book.allow(&attempt), Duration::ZERO);
        book.succeeded(&attempt);
        book.failed(&attempt);
        assert_eq!(book.allow(&attempt), Duration::ZERO);
        assert_eq!(delay_after(u32::MAX), DELAY_MAX);
    }

    #[test]
    fn right_passwords_are_never_refused() {
        let (book, _) = book();
        let attempt = Attempt::new("a", home());
        for _ in 0..100 {
            assert_eq!(book.allow(&attempt), Duration::ZERO);
            book.succeeded(&attempt);
        }
    }

    #[test]
    fn addresses_of_one_network_of_ipv6_count_as_one() {
        let at = |low| IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 7, 0, 0, 0, low));
        assert_eq!(Attempt::new("a", at(1)), Attempt::new("a", at(2)));
        let mapped = IpAddr::V6(Ipv4Addr::LOCALHOST.to_ipv6_mapped());
        assert_eq!(Attempt::new("a", mapped), Attempt::new("a", home()));
    }

    #[test]
    fn the_book_stays_bounded() {
        let (book, _) = book();
        for n in 0..u32::try_from(BOOK_MAX).expect("small") + 500 {
            let address = IpAddr::V4(Ipv4Addr::from_bits(n));
            book.allow(&Attempt::new(&n.to_string(), address));
        }
        let pages = book.pages();
        assert!(pages.accounts.len() <= BOOK_MAX && pages.addresses.len() <= BOOK_MAX);
    }
}
