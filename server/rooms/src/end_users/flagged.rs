//! How many prompts of each end user were refused for their content lately, by this process. Bounded for each
//! tenant: whoever names a new end user with each call is not counted, makes nothing grow, and turns the
//! counting off for nobody else.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use shared::clock::Moment;
use shared::id::TenantId;

/// In which prompts are counted together.
pub(super) const WINDOW: Duration = Duration::from_secs(3_600);
/// End users of a tenant that are counted at once, about 100 bytes each.
const COUNTED_MAX: usize = 1_000;
/// Tenants whose end users are counted at once.
const TENANTS_MAX: usize = 20;

/// Since when each end user is counted, and how many there were.
type Counts = HashMap<String, (Moment, u32)>;

/// The counts of each tenant.
#[derive(Debug, Default)]
pub(super) struct FlaggedCounts(Mutex<HashMap<TenantId, Counts>>);

fn runs(since: Moment, now: Moment) -> bool {
    now.since(since) < WINDOW
}

/// Makes room for one more tenant: those whose time is over go, else the one that has the most.
fn make_room(all: &mut HashMap<TenantId, Counts>, now: Moment) {
    if all.len() < TENANTS_MAX {
        return;
    }
    all.retain(|_, counts| {
        counts.retain(|_, (since, _)| runs(*since, now));
        !counts.is_empty()
    });
    if all.len() >= TENANTS_MAX {
        let fullest = all.iter().max_by_key(|(_, counts)| counts.len());
        if let Some(fullest) = fullest.map(|(tenant, _)| tenant.clone()) {
            all.remove(&fullest);
        }
    }
}

impl FlaggedCounts {
    /// One more of that end user; tells how many there were in the window that runs.
    pub(super) fn count(&self, tenant: &TenantId, identity: &str, now: Moment) -> u32 {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !all.contains_key(tenant) {
            make_room(&mut all, now);
        }
        let counts = all.entry(tenant.clone()).or_default();
        if let Some((since, count)) = counts.get_mut(identity) {
            if runs(*since, now) {
                *count = count.saturating_add(1);
            } else {
                (*since, *count) = (now, 1);
            }
            return *count;
        }
        if counts.len() >= COUNTED_MAX {
            counts.retain(|_, (since, _)| runs(*since, now));
        }
        if counts.len() >= COUNTED_MAX {
            return 1;
        }
        counts.insert(identity.to_owned(), (now, 1));
        1
    }

    /// Begins anew with that end user.
    pub(super) fn forget(&self, tenant: &TenantId, identity: &str) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(counts) = all.get_mut(tenant) {
            counts.remove(identity);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(n: usize) -> TenantId {
        TenantId::from_stored(format!("ten_{n}"))
    }

    #[test]
    fn prompts_count_within_their_window_and_the_counts_are_bounded() {
        let counts = FlaggedCounts::default();
        let start = Moment::from_unix_ms(1_000_000);
        let later = start.after(WINDOW.saturating_sub(Duration::from_millis(1)));
        let count = |identity: &str, now: Moment| counts.count(&tenant(0), identity, now);
        assert_eq!(count("a", start), 1);
        assert_eq!(count("a", later), 2);
        assert_eq!(count("b", later), 1);
        assert_eq!(count("a", start.after(WINDOW)), 1, "a new window");
        counts.forget(&tenant(0), "b");
        assert_eq!(count("b", later), 1);
        for n in 0..COUNTED_MAX + 10 {
            count(&format!("n{n}"), later);
        }
        assert_eq!(count("beyond", later), 1);
        assert_eq!(count("beyond", later), 1, "it is not counted");
        let other = |now: Moment| counts.count(&tenant(1), "beyond", now);
        assert_eq!(
            (other(later), other(later)),
            (1, 2),
            "of another tenant it is"
        );
        let next = later.after(WINDOW);
        assert_eq!(count("beyond", next), 1);
        assert_eq!(count("beyond", next), 2, "there is room again");
    }

    #[test]
    fn so_many_tenants_are_counted_and_the_fullest_makes_room() {
        let counts = FlaggedCounts::default();
        let now = Moment::from_unix_ms(1_000_000);
        for n in 0..10 {
            counts.count(&tenant(0), &format!("n{n}"), now);
        }
        for n in 1..=TENANTS_MAX {
            counts.count(&tenant(n), "a", now);
        }
        assert_eq!(counts.0.lock().expect("no panic").len(), TENANTS_MAX);
        for n in 1..=TENANTS_MAX {
            assert_eq!(counts.count(&tenant(n), "a", now), 2, "{n}");
        }
        let next = now.after(WINDOW);
        assert_eq!(counts.count(&tenant(0), "n0", next), 1);
        assert_eq!(counts.0.lock().expect("no panic").len(), 1, "time is over");
    }
}
