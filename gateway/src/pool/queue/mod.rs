//! A call whose keys are all full waits here for a short time until one has room: few at a time, callers by
//! turns. Whoever gives room back hands it to the next in line, so that as many wake as there is room, and
//! nobody who comes later takes it from them. Knows nothing of other targets: a call waits when none of
//! them takes it at once.

mod line;

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use shared::clock::Moment;
use shared::telemetry::Metrics;
use tokio::sync::Notify;

use self::line::{Entry, FoundFull, LinePlace, WaitLine};
use super::ask::Size;
use super::dice::number_of;
use super::health::Asker;
use super::{Idle, Lease, PoolProvider, Pools, Tools, wait_ms};

/// The longest wait: an answer begins within seconds, and whoever is told to come again comes later.
pub(crate) const WAIT_MAX: Duration = Duration::from_secs(2);
/// The same as a part of the call's own time.
const WAIT_PART: u32 = 10;
/// As many may wait for a provider as it will probably serve within [`WAIT_MAX`] and half as many again;
/// these in any case, and never more than those.
const WAITING_LEAST: usize = 16;
const WAITING_MAX: usize = 256;
/// Where it is not known when there is room, it is looked again after this.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// Whoever gives room back serves the line meanwhile: after so many at its head that find none, and so
/// many behind them, the others are left to the next look, and so they are after so many looks one
/// behind the other.
const FULL_MAX: usize = 4;
const PASSES_MAX: usize = 3;

/// How long a call that has so much time may wait in all.
pub(crate) fn wait_limit(deadline: Duration) -> Duration {
    WAIT_MAX.min(deadline / WAIT_PART)
}

/// Passes time; simulations have their own.
pub(super) type Sleeper =
    Arc<dyn Fn(Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

pub(super) fn sleeper<F>(sleep: impl Fn(Duration) -> F + Send + Sync + 'static) -> Sleeper
where
    F: Future<Output = ()> + Send + 'static,
{
    Arc::new(move |span| Box::pin(sleep(span)))
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EndLabels {
    end: &'static str,
}

/// What is counted of waits.
#[derive(Debug, Clone)]
pub(crate) struct WaitMetrics {
    ended: Family<EndLabels, Counter>,
    seconds: Histogram,
    waiting: Gauge,
}

impl Default for WaitMetrics {
    fn default() -> Self {
        Self {
            ended: Family::default(),
            seconds: Histogram::new(exponential_buckets(0.004, 2.0, 10)),
            waiting: Gauge::default(),
        }
    }
}

impl WaitMetrics {
    pub(crate) fn register(&self, metrics: &Metrics) {
        let all = self.clone();
        metrics.register(|registry| {
            registry.register(
                "waule_room_waits",
                "Waits for room at a provider whose keys were all full, by how they ended: served, late (none came free in time), refused (too many waited), other (the keys rest or are gone), left (the caller did)",
                all.ended,
            );
            registry.register(
                "waule_room_wait_seconds",
                "How long calls waited for room",
                all.seconds,
            );
            registry.register(
                "waule_room_waiting",
                "Calls that wait for room now",
                all.waiting,
            );
        });
    }

    fn count(&self, end: &'static str) {
        self.ended.get_or_create(&EndLabels { end }).inc();
    }

    /// Waits that ended so.
    #[cfg(test)]
    pub(crate) fn ended(&self, end: &'static str) -> u64 {
        self.ended.get_or_create(&EndLabels { end }).get()
    }

    #[cfg(test)]
    pub(crate) fn waiting(&self) -> i64 {
        self.waiting.get()
    }
}

/// One wait as it is counted, however it ends.
struct Counted<'a> {
    metrics: &'a WaitMetrics,
    tools: &'a Tools,
    since: Moment,
    end: &'static str,
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.metrics.waiting.dec();
        self.metrics.count(self.end);
        let waited = self.tools.clock.now().since(self.since);
        self.metrics.seconds.observe(waited.as_secs_f64());
    }
}

/// What one that waits wants.
struct Want {
    provider: Arc<PoolProvider>,
    tools: Tools,
    caller: u64,
    model: String,
    size: Size,
    affinity: Option<u64>,
    /// What came of it.
    told: Mutex<Option<Result<Lease, Idle>>>,
    /// Rings when there is something to look at.
    bell: Notify,
}

impl Want {
    fn lease(&self) -> Result<Lease, Idle> {
        let asker = Asker {
            caller: self.caller,
            model: &self.model,
            is_last_resort: false,
            size: self.size,
            affinity: self.affinity,
        };
        self.tools.lease(&self.provider, asker, &[])
    }

    fn told(&self) -> Option<Result<Lease, Idle>> {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.take()
    }

    fn tell(&self, what: Result<Lease, Idle>) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        *told = Some(what);
        drop(told);
        self.bell.notify_one();
    }
}

#[derive(Default)]
struct State {
    line: WaitLine<Arc<Want>>,
    next: u64,
    /// When the window of a limit moves on, so that there may be room without anybody giving it back.
    look_at: Option<Moment>,
    /// Who looks then, for all.
    keeper: Option<u64>,
    /// Somebody serves the line, and has to look again when it is done.
    is_serving: bool,
    again: bool,
    /// How far down the last look came that did not reach the end.
    reached: Option<LinePlace>,
    /// How many calls had been given a key at two moments, to know how fast it goes.
    marks: [(Moment, u64); 2],
}

/// What one look along the line found.
#[derive(Default)]
struct Pass {
    full: Vec<FoundFull>,
    look_at: Option<Moment>,
}

impl Pass {
    fn look_at(&mut self, at: Moment) {
        self.look_at = Some(self.look_at.map_or(at, |other| other.min(at)));
    }
}

/// Those that wait for room at one provider.
#[derive(Default)]
pub(super) struct WaitQueue {
    /// So that nobody who comes or goes needs the lock where nobody waits.
    waiting: AtomicUsize,
    state: Mutex<State>,
}

impl std::fmt::Debug for WaitQueue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WaitQueue")
            .field("waiting", &self.waiting)
            .finish_non_exhaustive()
    }
}

impl WaitQueue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a new call of this model and caller that needs so much has to wait behind others; about how
    /// long they still do, in milliseconds.
    pub(super) fn is_before(&self, model: u64, need: u64, caller: u64) -> Option<u64> {
        if self.waiting.load(Ordering::Acquire) == 0 {
            return None;
        }
        let is_before = self.lock().line.is_before(model, need, caller);
        is_before.then(|| u64::try_from(LOOK_AGAIN.as_millis()).unwrap_or(u64::MAX))
    }

    /// There may be room: whoever is next in line gets it.
    pub(super) fn serve(&self) {
        if self.waiting.load(Ordering::Acquire) == 0 {
            return;
        }
        {
            let mut state = self.lock();
            if std::mem::replace(&mut state.is_serving, true) {
                state.again = true;
                return;
            }
        }
        let mut passes = 1;
        loop {
            let look_at = self.serve_once();
            let mut state = self.lock();
            let again = std::mem::take(&mut state.again);
            if again && passes < PASSES_MAX {
                passes += 1;
                continue;
            }
            state.is_serving = false;
            state.look_at = if again { state.soon() } else { look_at };
            state.ring_keeper();
            return;
        }
    }

    /// Goes along the line once, of a long one along a part; answers when to look again.
    fn serve_once(&self) -> Option<Moment> {
        let mut pass = Pass::default();
        let begun = self.go_along(None, &mut pass);
        // Those behind have their turns too: the next part begins where the last one ended.
        let reached = begun.and_then(|begun| {
            let from = self.lock().reached.map_or(begun, |at| at.max(begun));
            self.go_along(Some(from), &mut pass)
        });
        self.lock().reached = reached;
        pass.look_at
    }

    /// Serves those behind the place `after`; answers where it stopped, unless it came to the end.
    fn go_along(&self, after: Option<LinePlace>, pass: &mut Pass) -> Option<LinePlace> {
        let (mut place, mut left) = (after, FULL_MAX);
        loop {
            let (id, turn, mut found, want) = {
                let state = self.lock();
                let next = state.line.next(place, &pass.full)?;
                let now = next.what.tools.clock.now();
                if left == 0 {
                    pass.look_at(now.after(LOOK_AGAIN));
                    return place;
                }
                place = Some(next.place());
                let found = FoundFull {
                    model: next.model,
                    need: next.need,
                    caller: next.caller,
                    for_all: false,
                };
                (next.id, next.turn, found, next.what.clone())
            };
            // Without the lock: what is given back here would ask for it.
            match want.lease() {
                Ok(lease) => {
                    let mut state = self.lock();
                    if self.take_out(&mut state, id) {
                        state.line.served(turn);
                        want.tell(Ok(lease));
                    } else {
                        drop(state);
                        lease.changed_nothing();
                    }
                }
                Err(Idle::Full { wait_ms, for_all }) => {
                    left -= 1;
                    found.for_all = for_all;
                    pass.full.push(found);
                    self.lock().line.found(found);
                    let now = want.tools.clock.now();
                    pass.look_at(now.after(Duration::from_millis(wait_ms).max(LOOK_AGAIN)));
                }
                // It is more than full now, for this one at least.
                Err(idle) => {
                    let mut state = self.lock();
                    if self.take_out(&mut state, id) {
                        want.tell(Err(idle));
                    }
                }
            }
        }
    }

    fn take_out(&self, state: &mut State, id: u64) -> bool {
        let is_there = state.line.remove(id).is_some();
        self.waiting.store(state.line.len(), Ordering::Release);
        is_there
    }

    /// A place at the end of the line, or at `turn` for whoever had it before; none where too many wait.
    fn join(&self, want: Arc<Want>, turn: Option<u64>) -> Option<WaitPlace<'_>> {
        let model = number_of(want.model.as_str());
        let (need, now) = (want.provider.need(model, want.size), want.tools.clock.now());
        let leased = want.provider.health.leased.load(Ordering::Relaxed);
        let mut state = self.lock();
        let most = state.most(now, leased);
        state.next += 1;
        let (id, caller) = (state.next, want.caller);
        let turn = turn.unwrap_or_else(|| state.line.turn_of(caller));
        let entry = Entry {
            id,
            caller,
            model,
            need: need.all(),
            turn,
            for_all: false,
            what: want.clone(),
        };
        let displaced = state.line.join(entry, most).ok()?;
        self.waiting.store(state.line.len(), Ordering::Release);
        if let Some(displaced) = displaced {
            let wait_ms = state.look_at.map_or(0, |at| wait_ms(at, now));
            displaced.what.tell(Err(Idle::full(wait_ms)));
        }
        drop(state);
        Some(WaitPlace {
            queue: self,
            id,
            turn,
            want,
        })
    }
}

impl State {
    /// How many may wait.
    fn most(&mut self, now: Moment, leased: u64) -> usize {
        if now.since(self.marks[1].0) >= WAIT_MAX {
            self.marks = [self.marks[1], (now, leased)];
        }
        let (since, before) = self.marks[0];
        let span = u64::try_from(now.since(since).as_millis()).unwrap_or(u64::MAX);
        let limit = u64::try_from(WAIT_MAX.as_millis()).unwrap_or(u64::MAX);
        let served = leased.saturating_sub(before).saturating_mul(limit) / span.max(1);
        let most = usize::try_from(served + served / 2).unwrap_or(WAITING_MAX);
        most.clamp(WAITING_LEAST, WAITING_MAX)
    }

    /// When to look again for what nobody looked for yet.
    fn soon(&self) -> Option<Moment> {
        let first = self.line.next(None, &[])?;
        Some(first.what.tools.clock.now().after(LOOK_AGAIN))
    }

    /// Tells the one that looks for all when to; names one where there is none.
    fn ring_keeper(&mut self) {
        let keeper = self.keeper.filter(|id| self.line.get(*id).is_some());
        let first = || self.line.next(None, &[]).map(|one| one.id);
        self.keeper = keeper.or_else(first);
        let keeper = self.keeper;
        if let Some(one) = keeper.and_then(|id| self.line.get(id)) {
            one.what.bell.notify_one();
        }
    }
}

/// A place in the line; freed when dropped.
struct WaitPlace<'a> {
    queue: &'a WaitQueue,
    id: u64,
    turn: u64,
    want: Arc<Want>,
}

impl WaitPlace<'_> {
    /// Until when to sleep, at most until `until`; whether to look for all then.
    fn wake_at(&self, until: Moment) -> (Moment, bool) {
        let state = self.queue.lock();
        let look_at = state.look_at.filter(|_| state.keeper == Some(self.id));
        match look_at.filter(|at| *at < until) {
            Some(at) => (at, true),
            None => (until, false),
        }
    }

    /// Waits until there is room or it is `until`.
    async fn wait(&self, until: Moment, sleeper: &Sleeper) -> Result<Lease, Idle> {
        self.queue.serve();
        loop {
            if let Some(told) = self.want.told() {
                return told;
            }
            let now = self.want.tools.clock.now();
            if now >= until {
                return Err(Idle::full(0));
            }
            let (wake_at, looks) = self.wake_at(until);
            let sleep = sleeper(wake_at.since(now));
            tokio::select! {
                biased;
                () = self.want.bell.notified() => {}
                () = sleep => {
                    if looks {
                        self.queue.serve();
                    } else {
                        return self.want.told().unwrap_or(Err(Idle::full(0)));
                    }
                }
            }
        }
    }
}

impl Drop for WaitPlace<'_> {
    fn drop(&mut self) {
        let mut state = self.queue.lock();
        let was_keeper = state.keeper == Some(self.id);
        if self.queue.take_out(&mut state, self.id) && was_keeper {
            state.ring_keeper();
        }
        drop(state);
        // Room that came while its caller left: it goes on to the next.
        if let Some(Ok(lease)) = self.want.told() {
            lease.never_sent();
        }
    }
}

impl Pools {
    /// Waits until a key of `provider` has room for `asker`, at most for `limit`.
    pub(crate) async fn wait(
        &self,
        provider: &str,
        asker: Asker<'_>,
        limit: Duration,
    ) -> Result<Lease, Idle> {
        let provider = self.enabled(provider).ok_or(Idle::NoKey)?;
        let now = self.tools.clock.now();
        let until = now.after(limit);
        self.waits.waiting.inc();
        let mut counted = Counted {
            metrics: &self.waits,
            tools: &self.tools,
            since: now,
            end: "left",
        };
        let want = Arc::new(Want {
            provider: provider.clone(),
            tools: self.tools.clone(),
            caller: asker.caller,
            model: asker.model.to_owned(),
            size: asker.size,
            affinity: asker.affinity,
            told: Mutex::default(),
            bell: Notify::new(),
        });
        let mut turn = None;
        loop {
            let queue = &provider.health.queue;
            let Some(place) = queue.join(want.clone(), turn) else {
                counted.end = "refused";
                return Err(Idle::full(0));
            };
            let waited = place.wait(until, &self.sleeper).await;
            counted.end = match &waited {
                Ok(_) => "served",
                Err(Idle::Full { .. }) if self.tools.clock.now() < until => "refused",
                Err(Idle::Full { .. }) => "late",
                Err(Idle::NoKey | Idle::Down | Idle::Rests { .. }) => "other",
            };
            let lease = waited?;
            if self.has_joint_room(&lease).await {
                return Ok(lease);
            }
            // Another gateway was faster: it stays where it stood.
            turn = Some(place.turn);
        }
    }
}

#[cfg(test)]
mod tests;
