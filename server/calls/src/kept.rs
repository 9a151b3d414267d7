//! Outcomes that are known and that the database has not taken: kept on disk and, as many as fit, in
//! memory, and tried until they are written. Decides no charge.
//!
//! Each process has a file of its own below the data folder, which it holds locked; a line is the
//! first half of the SHA-256 of its JSON, and the JSON. It is on disk before anybody relies on it,
//! and the file goes away when everything in it is written. A process that starts takes over the
//! files of those that died. What is written twice is not charged twice: the ledger knows it again.

use std::collections::{HashSet, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use server_rooms::catalogue::Catalogue;
use server_rooms::ledger::CallSnapshot;
use shared::clock::Moment;
use shared::db::DbError;
use shared::id::{BootId, GenerationId, TenantId};
use shared::supervisor::Supervisor;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::facts::{CallFacts, Ended};
use super::metrics::CallMetrics;
use super::settle::{Settler, Verdict};
use super::spill::Spill;

/// Outcomes in memory; one has about a kilobyte. Beyond, they are on disk alone.
const MEMORY_MAX: usize = 10_000;
/// Read back from disk at once.
const READ_MAX: usize = 1_000;
/// Written at once; the ledger commits them together.
const AT_ONCE: usize = 64;
/// Waits for the disk.
const APPENDS_MAX: usize = 4_096;
/// Between two attempts while the database is away; it doubles up to the second.
const REST: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));

/// A call whose end is known, as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Kept {
    generation: String,
    tenant: String,
    created_at: i64,
    test: bool,
    facts: CallSnapshot,
    /// Absent where the end is not known and the hold is given back.
    ended: Option<Box<Ended>>,
    /// Then: whether the tenant was told that nothing is charged.
    #[serde(default)]
    promised: bool,
}

impl Kept {
    pub(super) fn new(facts: &CallFacts, verdict: &Verdict) -> Self {
        let (ended, promised) = match verdict {
            Verdict::Ended(ended) => (Some(ended.clone()), false),
            Verdict::Unknown { promised } => (None, *promised),
        };
        Self {
            generation: facts.generation.to_string(),
            tenant: facts.tenant.to_string(),
            created_at: facts.created_at.unix_ms(),
            test: facts.test,
            facts: facts.snapshot.clone(),
            ended,
            promised,
        }
    }

    fn id(&self) -> GenerationId {
        GenerationId::from_stored(self.generation.clone())
    }

    fn verdict(&self) -> Verdict {
        match &self.ended {
            Some(ended) => Verdict::Ended(ended.clone()),
            None => Verdict::Unknown {
                promised: self.promised,
            },
        }
    }
}

#[derive(Default)]
struct State {
    queue: VecDeque<Kept>,
    /// All that are kept, those on disk alone included.
    ids: HashSet<GenerationId>,
    /// How many of them are on disk alone, and where the first one stands.
    behind: usize,
    read_from: u64,
}

enum ForDisk {
    Keep(Box<Kept>, oneshot::Sender<()>),
    /// Everything is written: the file can go, unless something came meanwhile.
    Clear,
}

struct Inner {
    state: Mutex<State>,
    more: Notify,
    disk: mpsc::Sender<ForDisk>,
    spill: Option<Arc<Mutex<Spill>>>,
    metrics: CallMetrics,
}

/// Keeps outcomes until they are written; cheap to clone.
#[derive(Clone)]
pub(super) struct Keeper(Arc<Inner>);

impl Keeper {
    /// Keeps in `folder`, or in memory alone.
    pub(super) fn start(
        folder: Option<PathBuf>,
        boot: &BootId,
        metrics: CallMetrics,
        supervisor: &Supervisor,
    ) -> Self {
        let (disk, waiting) = mpsc::channel(APPENDS_MAX);
        let spill = folder.map(|folder| Arc::new(Mutex::new(Spill::new(folder, boot.as_str()))));
        let this = Self(Arc::new(Inner {
            state: Mutex::default(),
            more: Notify::new(),
            disk,
            spill,
            metrics,
        }));
        // It ends with the process: outcomes may come until the last moment.
        supervisor.spawn_servant("outcomes on disk", this.clone().serve_disk(waiting));
        this
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this call's end is known here and will be written.
    pub(super) fn has(&self, id: &GenerationId) -> bool {
        self.state().ids.contains(id)
    }

    /// How many wait.
    pub(super) fn waiting(&self) -> usize {
        self.state().ids.len()
    }

    /// Takes care of an outcome; returns when it is on disk.
    pub(super) async fn keep(&self, kept: Kept) {
        let on_disk = self.hand_over(kept).await;
        // The servant lives as long as the process.
        let _ = on_disk.await;
    }

    async fn hand_over(&self, kept: Kept) -> oneshot::Receiver<()> {
        let (done, on_disk) = oneshot::channel();
        self.state().ids.insert(kept.id());
        let handing = self.0.disk.send(ForDisk::Keep(Box::new(kept), done));
        if let Err(mpsc::error::SendError(ForDisk::Keep(kept, _))) = handing.await {
            self.state().queue.push_back(*kept);
            self.0.more.notify_one();
        }
        on_disk
    }

    async fn serve_disk(self, mut waiting: mpsc::Receiver<ForDisk>) {
        let mut batch = Vec::with_capacity(AT_ONCE);
        while waiting.recv_many(&mut batch, AT_ONCE).await > 0 {
            let mut clear = false;
            let mut arrived = Vec::with_capacity(batch.len());
            for message in batch.drain(..) {
                match message {
                    ForDisk::Keep(kept, done) => arrived.push((kept, done)),
                    ForDisk::Clear => clear = true,
                }
            }
            if !arrived.is_empty() {
                self.append(arrived).await;
            } else if clear {
                self.clear().await;
            }
        }
    }

    /// Runs a job on the file, away from the runtime's threads.
    async fn on_spill<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Spill) -> T + Send + 'static,
    ) -> Option<T> {
        let spill = self.0.spill.clone()?;
        let work = move || job(&mut spill.lock().unwrap_or_else(PoisonError::into_inner));
        tokio::task::spawn_blocking(work).await.ok()
    }

    async fn append(&self, arrived: Vec<(Box<Kept>, oneshot::Sender<()>)>) {
        let lines = arrived
            .iter()
            .map(|(kept, _)| serde_json::to_string(kept).unwrap_or_default());
        let lines: Vec<String> = lines.collect();
        let places = match self.on_spill(move |spill| spill.append(&lines)).await {
            Some(Ok(places)) => Some(places),
            Some(Err(error)) => {
                error!(%error, "known outcomes can't be kept on disk: {error}; they stay in memory");
                None
            }
            None => None,
        };
        let mut state = self.state();
        let mut dones = Vec::with_capacity(arrived.len());
        for (n, (kept, done)) in arrived.into_iter().enumerate() {
            let full = state.behind > 0 || state.queue.len() >= MEMORY_MAX;
            let place = places.as_ref().and_then(|places| places.get(n));
            match place.filter(|_| full) {
                Some(place) => {
                    if state.behind == 0 {
                        state.read_from = *place;
                    }
                    state.behind = state.behind.saturating_add(1);
                }
                None => state.queue.push_back(*kept),
            }
            dones.push(done);
        }
        let waiting = state.ids.len();
        drop(state);
        self.0.metrics.kept(waiting);
        self.0.more.notify_one();
        // A dropped sender tells as well.
        drop(dones);
    }

    async fn clear(&self) {
        // Also nothing that is being written just now.
        let all_written = self.state().ids.is_empty();
        if all_written && let Some(Err(error)) = self.on_spill(Spill::clear).await {
            warn!(%error, "the file of written outcomes can't be removed: {error}");
        }
    }

    /// Takes over what processes left that died; answers how many.
    pub(super) async fn take_over(&self) -> usize {
        let mut taken: usize = 0;
        while let Some(Some(mut left)) = self.on_spill(Spill::left_over).await {
            let mut place = 0;
            loop {
                let read = tokio::task::spawn_blocking(move || {
                    let read = left.read(place, READ_MAX);
                    (left, read)
                });
                let Ok((back, Ok((lines, next)))) = read.await else {
                    error!("outcomes that another process left can't be read; the file stays");
                    return taken;
                };
                (left, place) = (back, next);
                if lines.is_empty() {
                    left.remove();
                    break;
                }
                let mut on_disk = Vec::with_capacity(lines.len());
                for kept in lines.iter().filter_map(|line| read_line(line)) {
                    taken = taken.saturating_add(1);
                    on_disk.push(self.hand_over(kept).await);
                }
                join_all(on_disk).await;
            }
        }
        if taken > 0 {
            info!("{taken} known outcomes of earlier lives are written now");
        }
        taken
    }

    /// Those to be written next.
    async fn next(&self) -> Vec<Kept> {
        let read_from = {
            let mut state = self.state();
            let ready = state.queue.len().min(AT_ONCE);
            if ready > 0 || state.behind == 0 {
                return state.queue.drain(..ready).collect();
            }
            (state.read_from, state.behind.min(READ_MAX))
        };
        let (from, most) = read_from;
        let read = self.on_spill(move |spill| spill.read(from, most)).await;
        let Some(Ok((lines, next))) = read else {
            error!("known outcomes on disk can't be read now");
            return Vec::new();
        };
        let kept: Vec<Kept> = lines.iter().filter_map(|line| read_line(line)).collect();
        let mut state = self.state();
        state.behind = if lines.is_empty() {
            0
        } else {
            state.behind.saturating_sub(lines.len())
        };
        state.read_from = next;
        state.queue.extend(kept);
        let ready = state.queue.len().min(AT_ONCE);
        state.queue.drain(..ready).collect()
    }

    /// Writes what is kept, until told to stop; the rest is on disk.
    pub(super) async fn write_forever(
        self,
        settler: Settler,
        catalogue: Catalogue,
        stop: CancellationToken,
    ) {
        let mut rest = REST.0;
        while !stop.is_cancelled() {
            let batch = self.next().await;
            if batch.is_empty() {
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = self.0.more.notified() => {}
                    // A disk that could not be read is tried again.
                    () = tokio::time::sleep(REST.1) => {}
                }
                continue;
            }
            let writing = batch.iter().map(|kept| write(&settler, &catalogue, kept));
            let written = join_all(writing).await;
            let any = self.settle_up(batch, &written);
            rest = if any { REST.0 } else { (rest * 2).min(REST.1) };
            if !any {
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = tokio::time::sleep(rest) => {}
                }
            }
        }
    }

    /// Forgets what was written, keeps the rest; answers whether anything was.
    fn settle_up(&self, batch: Vec<Kept>, written: &[Result<(), String>]) -> bool {
        let mut state = self.state();
        let mut any = false;
        for (kept, written) in batch.into_iter().zip(written) {
            match written {
                Ok(()) => {
                    any = true;
                    state.ids.remove(&kept.id());
                }
                Err(error) => {
                    warn!(%error, "the outcome of `{}` is kept on: {error}", kept.generation);
                    state.queue.push_back(kept);
                }
            }
        }
        let waiting = state.ids.len();
        drop(state);
        self.0.metrics.kept(waiting);
        if waiting == 0 {
            // Full: what waits there is appended first, and the file stays.
            let _ = self.0.disk.try_send(ForDisk::Clear);
        }
        any
    }
}

fn read_line(line: &str) -> Option<Kept> {
    serde_json::from_str(line)
        .inspect_err(|error| error!(%error, "a kept outcome can't be read: {error}"))
        .ok()
}

/// One attempt; the price is looked up where the database answers anyway.
async fn write(settler: &Settler, catalogue: &Catalogue, kept: &Kept) -> Result<(), String> {
    let facts = facts_of(catalogue, kept).await;
    let facts = facts.map_err(|error| error.to_string())?;
    let writing = kept.verdict().reckon(&facts);
    let written = settler.write(&facts, &writing).await;
    written.map(drop).map_err(|error| error.to_string())
}

async fn facts_of(catalogue: &Catalogue, kept: &Kept) -> Result<CallFacts, DbError> {
    let place = Place {
        generation: kept.id(),
        tenant: TenantId::from_stored(kept.tenant.clone()),
        created_at: Moment::from_unix_ms(kept.created_at),
    };
    let facts = priced(catalogue, place, kept.facts.clone()).await?;
    let mut facts = facts.ok_or_else(|| DbError::Damaged("the price is gone".to_owned()))?;
    facts.test = kept.test;
    Ok(facts)
}

/// Whose call, and when it came.
pub(super) struct Place {
    pub(super) generation: GenerationId,
    pub(super) tenant: TenantId,
    pub(super) created_at: Moment,
}

/// What was kept of a call, with its price; `None` where there is no such price.
pub(super) async fn priced(
    catalogue: &Catalogue,
    place: Place,
    snapshot: CallSnapshot,
) -> Result<Option<CallFacts>, DbError> {
    let price = match &snapshot.price {
        None => None,
        Some(id) => {
            let model = catalogue.model(&snapshot.model);
            let known = model.and_then(|model| model.prices.iter().find(|p| p.id == *id).cloned());
            let price = match known {
                Some(price) => Some(price),
                None => catalogue.price(id).await?,
            };
            if price.is_none() {
                return Ok(None);
            }
            price
        }
    };
    let mut others = Vec::new();
    for other in snapshot.route.iter().flat_map(|route| &route.others) {
        let Some(price) = catalogue.price(&other.price).await? else {
            return Ok(None);
        };
        others.push(price);
    }
    Ok(Some(CallFacts {
        others,
        generation: place.generation,
        tenant: place.tenant,
        test: false,
        price,
        created_at: place.created_at,
        end_user: None,
        snapshot,
    }))
}
