//! How many prompts of each end user were refused for their content lately, by this process. Bounded: whoever
//! names a new end user with each call is not counted, and makes nothing grow.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use shared::clock::Moment;

/// In which prompts are counted together.
pub(super) const WINDOW: Duration = Duration::from_secs(3_600);
/// End users that are counted at once, about 100 bytes each.
const COUNTED_MAX: usize = 20_000;

/// The counts.
#[derive(Debug, Default)]
pub(super) struct FlaggedCounts(Mutex<HashMap<String, (Moment, u32)>>);

impl FlaggedCounts {
    /// One more of that end user; tells how many there were in the window that runs.
    pub(super) fn count(&self, identity: &str, now: Moment) -> u32 {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let runs = |since: &Moment| now.since(*since) < WINDOW;
        if let Some((since, count)) = counts.get_mut(identity) {
            if runs(since) {
                *count = count.saturating_add(1);
            } else {
                (*since, *count) = (now, 1);
            }
            return *count;
        }
        if counts.len() >= COUNTED_MAX {
            counts.retain(|_, (since, _)| runs(since));
        }
        if counts.len() >= COUNTED_MAX {
            return 1;
        }
        counts.insert(identity.to_owned(), (now, 1));
        1
    }

    /// Begins anew with that end user.
    pub(super) fn forget(&self, identity: &str) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.remove(identity);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_count_within_their_window_and_the_counts_are_bounded() {
        let counts = FlaggedCounts::default();
        let start = Moment::from_unix_ms(1_000_000);
        let later = start.after(WINDOW.saturating_sub(Duration::from_millis(1)));
        assert_eq!(counts.count("a", start), 1);
        assert_eq!(counts.count("a", later), 2);
        assert_eq!(counts.count("b", later), 1);
        assert_eq!(counts.count("a", start.after(WINDOW)), 1, "a new window");
        counts.forget("b");
        assert_eq!(counts.count("b", later), 1);
        for n in 0..COUNTED_MAX + 10 {
            counts.count(&format!("n{n}"), later);
        }
        let kept = counts.0.lock().expect("no panic").len();
        assert_eq!(kept, COUNTED_MAX);
        assert_eq!(counts.count("beyond", later), 1);
        assert_eq!(counts.count("beyond", later), 1, "it is not counted");
        let next = later.after(WINDOW);
        assert_eq!(counts.count("beyond", next), 1);
        assert_eq!(counts.count("beyond", next), 2, "there is room again");
    }
}
