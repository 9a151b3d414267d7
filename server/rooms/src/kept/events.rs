//! Events of a response that comes later, in bounded memory while it is worked on and in the database behind
//! one another, so that whoever was cut off can go on where they were. Reads no event.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use tokio::sync::Notify;
use tokio::sync::watch;
use tokio::time::Instant;
use tracing::{info, warn};

use super::{KeepError, Keeping, NewKept, kinds, locked};
use crate::auth::Principal;

/// Events are written at the latest after so long, which is how far behind another process follows.
const WRITE_EVERY: Duration = Duration::from_secs(1);
/// Or when they are so many bytes.
const WRITE_BYTES: usize = 64 * 1024;
/// Bytes of written events of one response that stay in memory for those who follow.
const RECENT_BYTES: usize = 256 * 1024;
/// Of all responses of this process; beyond, what is written stays in the database alone.
const RECENT_BYTES_ALL: usize = 64 * 1024 * 1024;
/// Events of one response are kept up to so many times the bytes that it may have itself: each says a few
/// words of it, and many more of where they belong.
const TIMES_ITS_BYTES: usize = 4;
/// Events can be asked for so long after they came; at `OpenAI` for five minutes (openai/openai-python#2828).
pub(super) const EVENTS_FOR: Duration = Duration::from_secs(3_600);

/// What is in memory of a response's events.
#[derive(Debug)]
pub(super) struct EventLog {
    state: Mutex<State>,
    /// Tells followers of every change.
    changed: watch::Sender<()>,
    /// Tells whoever writes that there is much.
    much: Notify,
    /// Of all logs.
    all: Arc<AtomicUsize>,
}

#[derive(Debug, Default)]
struct State {
    recent: VecDeque<Event>,
    bytes: usize,
    /// The number of the next event.
    next: u64,
    /// Behind this one nothing is written yet.
    written: u64,
    waiting_bytes: usize,
    waits_since: Option<Instant>,
    stored_bytes: usize,
    is_over: bool,
}

#[derive(Debug)]
struct Event {
    number: u64,
    bytes: Bytes,
}

/// What a follower finds in memory.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Events, and the number of the last one.
    Events(Bytes, u64),
    /// Those that come next are in the database alone.
    Earlier,
    /// Nothing yet.
    Nothing,
    /// Nothing, and nothing comes any more.
    Over,
}

impl EventLog {
    pub(super) fn new(all: Arc<AtomicUsize>) -> Self {
        Self {
            state: Mutex::default(),
            changed: watch::Sender::new(()),
            much: Notify::new(),
            all,
        }
    }

    pub(super) fn push(&self, event: impl FnOnce(u64) -> Bytes) {
        let mut state = locked(&self.state);
        let number = state.next;
        let bytes = event(number);
        let more = bytes.len();
        state.next = number.saturating_add(1);
        state.bytes = state.bytes.saturating_add(more);
        state.waiting_bytes = state.waiting_bytes.saturating_add(more);
        state.waits_since.get_or_insert_with(Instant::now);
        state.recent.push_back(Event { number, bytes });
        let is_much = state.waiting_bytes >= WRITE_BYTES;
        drop(state);
        self.all.fetch_add(more, Ordering::Relaxed);
        self.changed.send_replace(());
        if is_much {
            self.much.notify_one();
        }
    }

    pub(super) fn next(&self) -> u64 {
        locked(&self.state).next
    }

    /// Ends when it is time to write.
    pub(super) async fn is_time(&self) {
        let (since, is_much) = {
            let state = locked(&self.state);
            (state.waits_since, state.waiting_bytes >= WRITE_BYTES)
        };
        if is_much {
            return;
        }
        match since {
            Some(since) => tokio::select! {
                () = tokio::time::sleep_until(since + WRITE_EVERY) => {}
                () = self.much.notified() => {}
            },
            None => std::future::pending().await,
        }
    }

    /// What is to be written: the events, and the numbers of the first and the last one.
    fn waiting(&self) -> Option<(String, (u64, u64))> {
        let state = locked(&self.state);
        let waiting = state
            .recent
            .iter()
            .filter(|one| one.number >= state.written);
        let mut text = String::new();
        let mut numbers: Option<(u64, u64)> = None;
        for event in waiting {
            text.push_str(&String::from_utf8_lossy(&event.bytes));
            let first = numbers.map_or(event.number, |(first, _)| first);
            numbers = Some((first, event.number));
        }
        numbers.map(|numbers| (text, numbers))
    }

    /// Up to this one all are written, or never will be.
    fn is_written(&self, last: u64, stored: usize) {
        let mut state = locked(&self.state);
        state.written = last.saturating_add(1);
        let waiting = state.recent.iter().filter(|one| one.number > last);
        let waiting: usize = waiting.map(|one| one.bytes.len()).sum();
        state.waiting_bytes = waiting;
        state.waits_since = (waiting > 0).then(Instant::now);
        state.stored_bytes = state.stored_bytes.saturating_add(stored);
        let mut freed = 0_usize;
        loop {
            let all = self.all.load(Ordering::Relaxed).saturating_sub(freed);
            let most = if all > RECENT_BYTES_ALL {
                0
            } else {
                RECENT_BYTES
            };
            let is_gone = |first: &Event| state.bytes > most && first.number < state.written;
            if !state.recent.front().is_some_and(is_gone) {
                break;
            }
            let gone = state.recent.pop_front().map_or(0, |gone| gone.bytes.len());
            state.bytes = state.bytes.saturating_sub(gone);
            freed = freed.saturating_add(gone);
        }
        drop(state);
        self.all.fetch_sub(freed, Ordering::Relaxed);
    }

    /// Nothing comes any more.
    pub(super) fn end(&self) {
        locked(&self.state).is_over = true;
        self.changed.send_replace(());
    }

    /// Tells of changes from now on.
    pub(super) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// What comes behind the event of that number.
    pub(super) fn behind(&self, after: Option<u64>) -> Found {
        let wanted = after.map_or(0, |after| after.saturating_add(1));
        let state = locked(&self.state);
        if wanted >= state.next {
            return if state.is_over {
                Found::Over
            } else {
                Found::Nothing
            };
        }
        let first = state.recent.front().map(|first| first.number);
        if first.is_none_or(|first| first > wanted) {
            return Found::Earlier;
        }
        let mut text = Vec::new();
        let mut last = wanted;
        for event in state.recent.iter().filter(|one| one.number >= wanted) {
            text.extend_from_slice(&event.bytes);
            last = event.number;
        }
        Found::Events(text.into(), last)
    }
}

impl Drop for EventLog {
    fn drop(&mut self) {
        let bytes = locked(&self.state).bytes;
        self.all.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl Keeping {
    /// Writes what waits in a response's log.
    pub(super) async fn write_events(&self, who: &Principal, (id, log): (&str, &EventLog)) {
        let Some((text, (first, last))) = log.waiting() else {
            return;
        };
        let bytes = text.len();
        let most = self.0.bounds.item_bytes.saturating_mul(TIMES_ITS_BYTES);
        let stored = locked(&log.state).stored_bytes;
        if stored.saturating_add(bytes) > most {
            // The bound is passed from here on, also where the next events are small.
            log.is_written(last, most);
            return;
        }
        match self.keep_events(who, id, (first, last, text)).await {
            Ok(true) => {}
            // Somebody ended or deleted it, perhaps through another process.
            Ok(false) => self.cancel_here(&who.tenant, id),
            Err(KeepError::Store(error)) => {
                warn!(%error, "events of `{id}` were not written: {error}");
            }
            Err(error) => {
                info!(tenant.id = %who.tenant, "events of `{id}` were not written: {error}");
            }
        }
        log.is_written(last, bytes);
    }

    /// Answers whether it is in progress still: one that is over or gone has no use for them.
    async fn keep_events(
        &self,
        who: &Principal,
        response: &str,
        (first, last, text): (u64, u64, String),
    ) -> Result<bool, KeepError> {
        let new = NewKept {
            kind: kinds::ITEM,
            id: &format!("{first:020}"),
            status: "",
            model: "",
            said: &Value::String(text),
            names: &[],
        };
        let mut row = self.row(who, response, new);
        row.place = i64::try_from(last).unwrap_or(i64::MAX);
        row.expires_at = row.expires_at.min(self.now().after(EVENTS_FOR).unix_ms());
        self.make_room(&who.tenant, row.bytes).await?;
        Ok(self.0.store.keep_events(&who.tenant, &row).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log() -> EventLog {
        EventLog::new(Arc::default())
    }

    fn push(log: &EventLog, bytes: usize) {
        log.push(|_| vec![b'x'; bytes].into());
    }

    #[test]
    fn events_are_told_behind_the_one_that_was_seen() {
        let log = log();
        assert_eq!(log.behind(None), Found::Nothing);
        for text in ["a", "b", "c"] {
            log.push(|number| format!("{number}{text}").into());
        }
        assert_eq!(log.behind(None), Found::Events("0a1b2c".into(), 2));
        assert_eq!(log.behind(Some(1)), Found::Events("2c".into(), 2));
        assert_eq!(log.behind(Some(2)), Found::Nothing);
        assert_eq!(log.behind(Some(9)), Found::Nothing, "one that is to come");
        log.end();
        assert_eq!(log.behind(Some(2)), Found::Over);
        assert_eq!(log.behind(Some(0)), Found::Events("1b2c".into(), 2));
    }

    #[test]
    fn what_is_written_leaves_memory_where_it_is_much_and_nothing_else_does() {
        let log = log();
        for _ in 0..10 {
            push(&log, RECENT_BYTES / 4);
        }
        assert!(
            matches!(log.behind(None), Found::Events(_, 9)),
            "not written"
        );
        log.is_written(6, 1);
        assert_eq!(log.behind(None), Found::Earlier);
        assert!(matches!(log.behind(Some(5)), Found::Events(_, 9)));
        let held = log.all.load(Ordering::Relaxed);
        assert!(held <= RECENT_BYTES, "{held}");
        assert_eq!(log.waiting().map(|(_, numbers)| numbers), Some((7, 9)));
        // Where all logs together have too much, only what waits stays.
        log.all.fetch_add(RECENT_BYTES_ALL, Ordering::Relaxed);
        log.is_written(8, 1);
        assert_eq!(log.behind(Some(7)), Found::Earlier);
        assert!(matches!(log.behind(Some(8)), Found::Events(_, 9)));
        let all = log.all.clone();
        drop(log);
        assert_eq!(
            all.load(Ordering::Relaxed),
            RECENT_BYTES_ALL,
            "all is given back"
        );
    }

    #[tokio::test]
    async fn it_is_time_to_write_when_much_waits_and_never_where_nothing_does() {
        let log = log();
        let soon = Duration::from_millis(50);
        assert!(tokio::time::timeout(soon, log.is_time()).await.is_err());
        push(&log, 1);
        assert!(
            tokio::time::timeout(soon, log.is_time()).await.is_err(),
            "not yet"
        );
        push(&log, WRITE_BYTES);
        assert!(tokio::time::timeout(soon, log.is_time()).await.is_ok());
        log.is_written(1, 1);
        assert!(
            tokio::time::timeout(soon, log.is_time()).await.is_err(),
            "all is written"
        );
    }
}
