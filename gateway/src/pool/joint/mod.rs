//! What several gateways on one database count together of each key, in Redis: requests and tokens of the
//! last minute, and the calls that run. One question for each call at a key with such limits; all else is
//! told behind its back. Where Redis is away nothing is refused and nobody waits for it: each process then
//! counts alone, as it always does besides. Chooses no key.
//!
//! A call that runs is a member of a sorted set that ends by itself unless it is kept, so the places of a
//! gateway that died come free.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::{Fuse, FusedFuture, FutureExt, join_all, ready};
use futures_util::stream::{self, StreamExt};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Script, ScriptInvocation};
use shared::away::{Away, AwayWords};
use shared::config::ConfigError;
use shared::id::ProviderKeyId;
use shared::link::KeyTerms;
use shared::supervisor::Supervisor;
use shared::telemetry::Metrics;
use tokio::sync::mpsc;

/// A call waits no longer than this for an answer, once a second where there is none.
const ANSWER_MAX: Duration = Duration::from_millis(100);
/// TLS and a new connection need more than an answer; nobody waits for it but the first.
const CONNECT_MAX: Duration = Duration::from_secs(2);
/// The longest time between attempts to connect again.
const RECONNECT_MAX: Duration = Duration::from_secs(2);
/// A place that nobody keeps is free after this.
const PLACE_LIFE: Duration = Duration::from_secs(30);
/// Times that a place is kept within its life: two may fail.
const KEEPS: u32 = 3;
/// Places kept by one run of a script, so that Redis is never busy for long.
const KEEP_BATCH: usize = 200;
/// Ended calls that wait to be told; beyond it a correction is lost and a place ends by itself.
const ENDED_MAX: usize = 8_192;
/// Ended calls told at once, over one connection, and so many runs of a script that keeps places.
const ENDED_BATCH: usize = 64;
/// How a script is told "unlimited".
const UNLIMITED: i64 = -1;
const AWAY: AwayWords = AwayWords {
    back: "the counters of keys are shared with other gateways again",
    gone: "this gateway counts what its keys may take alone",
};
/// Numbers of Lua are exact below this.
const COUNT_MAX: u64 = 1 << 50;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AnswerLabels {
    answer: &'static str,
}

/// What was counted of one call.
enum Counted {
    /// It runs and Redis knows, under this second.
    Under(i64),
    /// It runs, and Redis does not know or was not heard.
    Unknown,
    /// It does not run: other gateways have what there is.
    Refused,
}

const UNKNOWN: i64 = -1;
const REFUSED: i64 = -2;

/// Why a key has no room for a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FullElsewhere {
    pub(super) wait: Duration,
    /// A call of fewer tokens may have room.
    pub(super) is_for_tokens: bool,
}

struct Ended {
    key: ProviderKeyId,
    call: String,
    second: i64,
    requests: i64,
    tokens: i64,
}

impl Ended {
    /// Its place once more, and nothing to correct.
    fn place(self) -> Self {
        Self {
            second: UNKNOWN,
            requests: 0,
            tokens: 0,
            ..self
        }
    }
}

struct Scripts {
    take: Script,
    end: Script,
    keep: Script,
}

/// How long what lasts.
#[derive(Debug, Clone, Copy)]
pub(super) struct JointPace {
    /// A place that nobody keeps.
    pub(super) life: Duration,
    /// Waiting for an answer.
    pub(super) answer_max: Duration,
}

/// The counters in Redis.
pub(crate) struct JointMeters {
    connection: ConnectionManager,
    scripts: Scripts,
    away: Away,
    /// Which process this is.
    process: String,
    next: AtomicU64,
    pace: JointPace,
    ended: mpsc::Sender<Ended>,
    /// The key of each call that runs here and needs a place.
    running: Mutex<HashMap<u64, ProviderKeyId>>,
    answers: Family<AnswerLabels, Counter>,
}

impl std::fmt::Debug for JointMeters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JointMeters")
            .field("away", &self.away)
            .finish_non_exhaustive()
    }
}

impl JointMeters {
    /// Connects in the background: a Redis that is away now may come later.
    pub(crate) fn start(
        url: &str,
        metrics: &Metrics,
        supervisor: &Supervisor,
    ) -> Result<Arc<Self>, ConfigError> {
        let pace = JointPace {
            life: PLACE_LIFE,
            answer_max: ANSWER_MAX,
        };
        let this = Self::start_with(url, pace, supervisor)?;
        let answers = this.answers.clone();
        metrics.register(|registry| {
            registry.register(
                "waule_joint_counts",
                "Questions for room at a key in the counters that gateways share, by answer: room, full, none (Redis is away, so this gateway counts alone)",
                answers,
            );
        });
        Ok(this)
    }

    /// The same at another pace, not counted.
    pub(super) fn start_with(
        url: &str,
        pace: JointPace,
        supervisor: &Supervisor,
    ) -> Result<Arc<Self>, ConfigError> {
        let unusable =
            |error| ConfigError::Invalid(format!("GATEWAY_REDIS_URL is not usable: {error}"));
        let client = redis::Client::open(url).map_err(unusable)?;
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(CONNECT_MAX))
            .set_response_timeout(Some(pace.answer_max))
            .set_max_delay(RECONNECT_MAX);
        let connection =
            ConnectionManager::new_lazy_with_config(client, config).map_err(unusable)?;
        let (ended, told) = mpsc::channel(ENDED_MAX);
        let this = Arc::new(Self {
            connection,
            scripts: Scripts {
                take: Script::new(include_str!("take.lua")),
                end: Script::new(include_str!("end.lua")),
                keep: Script::new(include_str!("keep.lua")),
            },
            away: Away::new(AWAY),
            process: format!("{:016x}", rand::random::<u64>()),
            next: AtomicU64::new(0),
            pace,
            ended,
            running: Mutex::default(),
            answers: Family::default(),
        });
        supervisor.spawn("key counters", this.clone().tend(told, supervisor.clone()));
        Ok(this)
    }

    fn running(&self) -> MutexGuard<'_, HashMap<u64, ProviderKeyId>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How Redis knows a call.
    fn name(&self, number: u64) -> String {
        format!("{}-{number}", self.process)
    }

    async fn run<T: redis::FromRedisValue>(&self, script: &ScriptInvocation<'_>) -> Option<T> {
        if !self.away.may_try() {
            return None;
        }
        let mut connection = self.connection.clone();
        let asked = script.invoke_async(&mut connection);
        self.away.checked(
            match tokio::time::timeout(self.pace.answer_max, asked).await {
                Ok(answer) => answer.map_err(|error| error.to_string()),
                Err(_) => Err("no answer in time".to_owned()),
            },
        )
    }

    /// Keeps the places of those that run, and tells of those that ended, neither of which waits for the
    /// other. What ended meanwhile may have been kept after it was told: it is told again, so that no
    /// place that was freed stays taken.
    async fn tend(self: Arc<Self>, mut told: mpsc::Receiver<Ended>, supervisor: Supervisor) {
        let stopping = supervisor.stopping();
        let mut ticks = tokio::time::interval(self.pace.life / KEEPS);
        let mut batch = Vec::with_capacity(ENDED_BATCH);
        let mut meanwhile: Vec<Ended> = Vec::new();
        let mut keeping = std::pin::pin!(Fuse::terminated());
        loop {
            tokio::select! {
                count = told.recv_many(&mut batch, ENDED_BATCH) => {
                    if count == 0 {
                        break;
                    }
                    self.tell_all(&batch).await;
                    if keeping.is_terminated() {
                        batch.clear();
                    } else {
                        meanwhile.extend(batch.drain(..).map(Ended::place));
                    }
                }
                () = keeping.as_mut() => {
                    for ended in std::mem::take(&mut meanwhile).chunks(ENDED_BATCH) {
                        self.tell_all(ended).await;
                    }
                }
                _ = ticks.tick(), if keeping.is_terminated() => keeping.set(self.keep().fuse()),
                // What ends after this ends there by itself.
                () = stopping.cancelled() => break,
            }
        }
    }

    async fn tell_all(&self, ended: &[Ended]) {
        join_all(ended.iter().map(|ended| self.tell_ended(ended))).await;
    }

    async fn tell_ended(&self, ended: &Ended) {
        let mut script = self.scripts.end.prepare_invoke();
        add_keys(&mut script, &ended.key);
        script.arg(&ended.call).arg(ended.second);
        script.arg(ended.requests).arg(ended.tokens);
        self.run::<i64>(&script).await;
    }

    async fn keep(&self) {
        // Each key has a node of its own where Redis is a cluster, which a script can't leave.
        let mut by_key: HashMap<ProviderKeyId, Vec<u64>> = HashMap::new();
        for (number, key) in &*self.running() {
            by_key.entry(key.clone()).or_default().push(*number);
        }
        let batches: Vec<_> = by_key
            .iter()
            .flat_map(|(key, numbers)| numbers.chunks(KEEP_BATCH).map(move |some| (key, some)))
            .map(|(key, numbers)| self.keep_batch(key, numbers))
            .collect();
        stream::iter(batches)
            .buffer_unordered(ENDED_BATCH)
            .for_each(|()| ready(()))
            .await;
    }

    async fn keep_batch(&self, key: &ProviderKeyId, numbers: &[u64]) {
        let mut script = self.scripts.keep.prepare_invoke();
        script.arg(ms(self.pace.life));
        for number in numbers {
            script.key(calls_of(key)).arg(self.name(*number));
        }
        self.run::<i64>(&script).await;
    }

    fn count(&self, answer: &'static str) {
        self.answers.get_or_create(&AnswerLabels { answer }).inc();
    }

    #[cfg(test)]
    pub(super) fn answered(&self, answer: &'static str) -> u64 {
        self.answers.get_or_create(&AnswerLabels { answer }).get()
    }
}

/// Whether a key has limits that gateways share.
fn is_limited(terms: &KeyTerms) -> bool {
    terms.requests_per_minute.is_some()
        || terms.tokens_per_minute.is_some()
        || terms.calls_at_once.is_some()
}

/// What one call has of a key in the shared counters.
pub(super) struct JointPlace {
    meters: Arc<JointMeters>,
    key: ProviderKeyId,
    number: u64,
    tokens: u64,
    /// A second, or [`UNKNOWN`], or [`REFUSED`].
    counted: AtomicI64,
}

impl JointPlace {
    /// Of a call of so many tokens at a key with such terms, where these are shared; not taken yet.
    pub(super) fn of(
        meters: &Arc<JointMeters>,
        (key, terms): (&ProviderKeyId, &KeyTerms),
        tokens: u64,
    ) -> Option<Self> {
        if !is_limited(terms) {
            return None;
        }
        Some(Self {
            meters: meters.clone(),
            key: key.clone(),
            number: meters.next.fetch_add(1, Ordering::Relaxed),
            tokens: tokens.min(COUNT_MAX),
            counted: AtomicI64::new(UNKNOWN),
        })
    }

    /// Takes room for it among all gateways, or says why there is none.
    pub(super) async fn take(&self, terms: &KeyTerms) -> Result<(), FullElsewhere> {
        let meters = &self.meters;
        let mut script = meters.scripts.take.prepare_invoke();
        add_keys(&mut script, &self.key);
        script
            .arg(limit(terms.requests_per_minute.map(u64::from)))
            .arg(limit(terms.tokens_per_minute))
            .arg(limit(terms.calls_at_once.map(u64::from)))
            .arg(self.tokens)
            .arg(ms(meters.pace.life))
            .arg(meters.name(self.number));
        let answer = meters.run::<(i64, i64)>(&script).await;
        let full = |wait: i64, is_for_tokens| FullElsewhere {
            wait: Duration::from_millis(u64::try_from(wait).unwrap_or(1).max(1)),
            is_for_tokens,
        };
        if let Some((what @ 1..=3, wait)) = answer {
            self.counted.store(REFUSED, Ordering::Relaxed);
            meters.count("full");
            return Err(full(wait, what == 2));
        }
        if let Some((0, second)) = answer {
            self.counted.store(second.max(0), Ordering::Relaxed);
            meters.count("room");
        } else {
            meters.count("none");
        }
        // Be Redis there or not: when it comes again it hears of all that runs.
        if terms.calls_at_once.is_some() {
            meters.running().insert(self.number, self.key.clone());
        }
        Ok(())
    }

    fn counted(&self) -> Counted {
        match self.counted.load(Ordering::Relaxed) {
            REFUSED => Counted::Refused,
            UNKNOWN => Counted::Unknown,
            second => Counted::Under(second),
        }
    }

    /// The call is over, or will not be made: it had so many tokens, and was sent or not.
    pub(super) fn ended(&self, was_sent: bool, tokens: u64) {
        self.meters.running().remove(&self.number);
        let difference = |actual: u64| {
            let signed = |count: u64| i64::try_from(count.min(COUNT_MAX)).unwrap_or(0);
            signed(actual) - signed(self.tokens)
        };
        let (second, requests, tokens) = match self.counted() {
            Counted::Refused => return,
            // Where it may be counted nobody knows under which second; it ends with its minute.
            Counted::Unknown => (UNKNOWN, 0, 0),
            Counted::Under(second) => (second, if was_sent { 0 } else { -1 }, difference(tokens)),
        };
        // A full queue loses a correction; what is not kept ends by itself.
        let _ = self.meters.ended.try_send(Ended {
            key: self.key.clone(),
            call: self.meters.name(self.number),
            second,
            requests,
            tokens,
        });
    }
}

fn limit(limit: Option<u64>) -> i64 {
    limit.map_or(UNLIMITED, |limit| {
        i64::try_from(limit.min(COUNT_MAX)).unwrap_or(UNLIMITED)
    })
}

/// A key's id is random and unlike any other deployment's. In braces it keeps both on one node of a
/// cluster.
fn add_keys(script: &mut ScriptInvocation<'_>, key: &ProviderKeyId) {
    script.key(format!("waule:gateway:{{{key}}}:minute"));
    script.key(calls_of(key));
}

fn calls_of(key: &ProviderKeyId) -> String {
    format!("waule:gateway:{{{key}}}:calls")
}

fn ms(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
