//! Which connection a call takes, and how long it waits for one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::connection::body::ConnectionId;
use super::connection::{Connection, PING_EVERY};
use super::silence::Watch;
use super::slot_keeper::SlotKeeper;
use super::{Inner, LOOK_AGAIN, SPREAD_MAX, SendError};

impl Inner {
    pub(super) fn load(&self) -> (usize, usize) {
        let all = self.usable(0..self.slots.len());
        all.fold((0, 0), |(connections, streams), one| {
            (connections + 1, streams + one.streams())
        })
    }

    /// The least loaded connection of the request's kind, or of the other kind where it has none. None
    /// that is silent: what is put on it may never arrive, and who waits can still go elsewhere.
    pub(super) fn choose(
        self: &Arc<Self>,
        large: bool,
        beside: Option<ConnectionId>,
    ) -> Option<Arc<Connection>> {
        let all = self.slots.len();
        let small = all - self.shape.for_uploads;
        let own = if large && small < all {
            small..all
        } else {
            0..small
        };
        let begin =
            own.start + self.turns[usize::from(large)].fetch_add(1, Ordering::Relaxed) % own.len();
        // One slot a call: the next call may come from another core.
        let unkept = |at: &usize| !self.slots[*at].kept.load(Ordering::Relaxed);
        if let Some(at) = own.clone().find(unkept) {
            self.keep(at);
        }
        // From a slot that moves, so that equals take turns.
        let turned = (begin..own.end).chain(own.start..begin);
        let least = |all: &mut dyn Iterator<Item = Arc<Connection>>| {
            all.min_by_key(|connection| connection.streams())
        };
        let fresh = |one: &Arc<Connection>| one.is_fresh();
        let other = |one: &Arc<Connection>| fresh(one) && Some(one.id()) != beside;
        least(&mut self.usable(turned).filter(other))
            .or_else(|| least(&mut self.usable(0..all).filter(other)))
            .or_else(|| least(&mut self.usable(0..all).filter(fresh)))
    }

    /// Whether something was heard over another connection at a time when `one` should have been heard
    /// too: pings of two that fall silent together are up to one interval apart.
    pub(super) fn others_speak(&self, one: &Arc<Connection>) -> bool {
        let mut others = self.usable(0..self.slots.len());
        let silence = one.silence();
        others.any(|other| {
            other.id() != one.id()
                && other.is_met_and_fresh()
                && other.silence() + PING_EVERY * 2 < silence
        })
    }

    pub(super) fn usable(
        &self,
        slots: impl Iterator<Item = usize>,
    ) -> impl Iterator<Item = Arc<Connection>> {
        slots
            .filter_map(|at| self.slots[at].live.load_full())
            .filter(|connection| connection.is_usable())
    }

    /// Whether the connection carries its share of what the pool carries, while others come.
    pub(super) fn has_its_share(&self, connection: &Connection, coming: usize) -> bool {
        let (open, streams) = self.load();
        let waiting = self.waiting.load(Ordering::Relaxed);
        coming > 0 && connection.streams() >= (streams + waiting).div_ceil(open + coming)
    }

    /// Waits for a connection, or until no attempt is left that could bring one.
    pub(super) async fn wait(
        self: &Arc<Self>,
        large: bool,
        until: tokio::time::Instant,
    ) -> Result<Arc<Connection>, SendError> {
        let mut opening = self.opening.subscribe();
        let before = opening.borrow_and_update().failures;
        self.wanted.notify_waiters();
        let _waiting = Waiting::begin(&self.waiting);
        let waiting = async {
            let mut spread_until = None;
            loop {
                if let Some(connection) = self.choose(large, None) {
                    let coming = opening.borrow_and_update().attempts;
                    let until = *spread_until
                        .get_or_insert_with(|| tokio::time::Instant::now() + SPREAD_MAX);
                    let changed = opening.changed();
                    if !self.has_its_share(&connection, coming)
                        || !matches!(tokio::time::timeout_at(until, changed).await, Ok(Ok(())))
                    {
                        return Ok(connection);
                    }
                    continue;
                }
                {
                    let now = opening.borrow_and_update();
                    if now.failures > before && now.attempts == 0 {
                        return Err(SendError::Unsent(now.last.clone()));
                    }
                }
                match tokio::time::timeout(LOOK_AGAIN, opening.changed()).await {
                    Ok(Ok(())) | Err(_) => {}
                    Ok(Err(_)) => return Err(SendError::Unsent("the link is closed".to_owned())),
                }
            }
        };
        tokio::time::timeout_at(until, waiting)
            .await
            .unwrap_or_else(|_| Err(SendError::Unsent("no connection in time".to_owned())))
    }

    pub(super) fn watch(&self, one: &Arc<Connection>) -> Watch<'_> {
        Watch::over(one, &self.alarms, self.shape.patience)
    }

    pub(super) fn failed(&self, why: &str) {
        self.opening.send_modify(|opening| {
            opening.failures += 1;
            why.clone_into(&mut opening.last);
        });
    }

    /// Gives the slot a keeper on this runtime unless it has one.
    pub(super) fn keep(self: &Arc<Self>, at: usize) {
        if self.slots[at].kept.swap(true, Ordering::AcqRel) {
            return;
        }
        let keeper = SlotKeeper {
            pool: self.clone(),
            at,
        };
        self.supervisor
            .spawn_servant("link slot keeper", async move { keeper.run().await });
    }
}

/// Counts one call that waits, also when it is given up.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn begin(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
