//! The limits shared by replicas: one script a call, atomic over key and tenant, on Redis's own
//! clock. When Redis is away it answers nothing, and the caller counts alone.
//!
//! A running call is a member of a sorted set that expires after [`SLOT_LIFE`] unless renewed, so
//! the slots of a replica that died come free by themselves.

mod answer;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{RedisError, Script, ScriptInvocation};
use shared::away::{Away, AwayWords};
use shared::clock::Clock;
use shared::supervisor::Supervisor;
use tokio::sync::mpsc;

use self::answer::{number, read_answer};
use super::login::{
    Attempt, DELAY_MAX, FREE_FAILURES, KNOWN_FOR, MEMORY, PER_ACCOUNT, PER_ADDRESS, PER_PAIR,
};
use super::rate_meter::COST_MAX;
use super::{Lease, LimitInfo, LimitSettings, LimitsError, Refusal, Scopes};

/// A call waits no longer than this for its limits; Redis in the same network answers within 1 ms.
const ANSWER_MAX: Duration = Duration::from_millis(100);
/// TLS and a new connection need more than an answer; nobody waits for it but the first.
const CONNECT_MAX: Duration = Duration::from_secs(2);
/// The longest time between attempts to connect again.
const RECONNECT_MAX: Duration = Duration::from_secs(2);
/// A slot that nobody renews is free after this.
const SLOT_LIFE: Duration = Duration::from_secs(60);
/// Three renewals may fail before a slot is lost.
const RENEW_EVERY: Duration = Duration::from_secs(15);
/// Slots renewed by one run of a script, so that Redis is never busy for long.
const RENEW_BATCH: usize = 200;
/// Ended calls that wait to be told; beyond it a correction is lost and a slot expires.
const FINISHED_MAX: usize = 8_192;
/// Ended calls told at once, over one connection.
const FINISH_BATCH: usize = 64;
const AWAY: AwayWords = AwayWords {
    back: "limits are shared with the other replicas again",
    gone: "each replica counts its limits alone",
};
/// How the script writes "unlimited".
const UNLIMITED: i64 = -1;

/// The limits in Redis.
pub(super) struct RedisLimits {
    connection: ConnectionManager,
    scripts: Scripts,
    away: Away,
    finished: mpsc::Sender<Finished>,
    /// The sorted set of each call that runs here and has a limit of concurrency.
    slots: Mutex<HashMap<Box<str>, Vec<String>>>,
    /// Tests move time; in production Redis tells it, so that replicas agree.
    clock: Option<Clock>,
}

/// A script of this folder, which finds `now` set.
macro_rules! script {
    ($file:literal) => {
        Script::new(concat!(include_str!("now.lua"), include_str!($file)))
    };
}

struct Scripts {
    admit: Script,
    finish: Script,
    renew: Script,
    login: Script,
}

struct Finished {
    lease: Lease,
    actual_tokens: Option<u64>,
    /// Whether its request is taken back as well.
    undone: bool,
}

impl std::fmt::Debug for RedisLimits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisLimits")
            .field("away", &self.away)
            .finish_non_exhaustive()
    }
}

impl RedisLimits {
    /// Connects in the background: a Redis that is away now may come later.
    pub(super) fn start(url: &str, supervisor: &Supervisor) -> Result<Arc<Self>, LimitsError> {
        Self::start_with(url, None, supervisor)
    }

    pub(super) fn start_with(
        url: &str,
        clock: Option<Clock>,
        supervisor: &Supervisor,
    ) -> Result<Arc<Self>, LimitsError> {
        let refuse = |error: RedisError| LimitsError(error.to_string());
        let client = redis::Client::open(url).map_err(refuse)?;
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(CONNECT_MAX))
            .set_response_timeout(Some(ANSWER_MAX))
            .set_max_delay(RECONNECT_MAX);
        let connection = ConnectionManager::new_lazy_with_config(client, config).map_err(refuse)?;
        let (finished, ended) = mpsc::channel(FINISHED_MAX);
        let scripts = Scripts {
            admit: script!("admit.lua"),
            finish: script!("finish.lua"),
            renew: script!("renew.lua"),
            login: script!("login.lua"),
        };
        let slots = Mutex::default();
        let this = Arc::new(Self {
            connection,
            scripts,
            away: Away::new(AWAY),
            finished,
            slots,
            clock,
        });
        supervisor.spawn("limits", this.clone().tend(ended, supervisor.clone()));
        Ok(this)
    }

    /// Admits into every scope or into none; `None` when Redis does not answer.
    pub(super) async fn admit(&self, scopes: &Scopes<'_>) -> Option<Result<LimitInfo, Refusal>> {
        let verdict = self.count(scopes).await?;
        if verdict.is_ok() {
            let limited = scopes
                .limited()
                .filter(|scope| scope.limits.concurrency.is_some());
            let sets: Vec<String> = limited.map(|scope| calls_key(scopes, scope.id)).collect();
            if !sets.is_empty() {
                self.slots().insert(scopes.generation.into(), sets);
            }
        }
        Some(verdict)
    }

    /// Counts the tokens of a call that was admitted without.
    pub(super) async fn take_tokens(
        &self,
        scopes: &Scopes<'_>,
    ) -> Option<Result<LimitInfo, Refusal>> {
        let tokens = |limits: LimitSettings| LimitSettings {
            tokens_per_minute: limits.tokens_per_minute,
            ..LimitSettings::default()
        };
        // The same script, as if nothing else had a limit.
        let scopes = Scopes {
            tenant_limits: tokens(scopes.tenant_limits),
            key_limits: tokens(scopes.key_limits),
            parent: scopes.parent.map(|(id, limits)| (id, tokens(limits))),
            ..*scopes
        };
        self.count(&scopes).await
    }

    async fn count(&self, scopes: &Scopes<'_>) -> Option<Result<LimitInfo, Refusal>> {
        let mut script = self.scripts.admit.prepare_invoke();
        add_keys(&mut script, scopes);
        script
            .arg(self.now_ms())
            .arg(scopes.tokens.min(COST_MAX))
            .arg(ms(SLOT_LIFE))
            .arg(scopes.generation);
        for scope in scopes.limited() {
            let LimitSettings {
                requests_per_minute,
                tokens_per_minute,
                concurrency,
            } = scope.limits;
            script.arg(number(requests_per_minute.map(u64::from)));
            script
                .arg(number(tokens_per_minute))
                .arg(number(concurrency.map(u64::from)));
        }
        let answer: Vec<i64> = self.run(&script).await?;
        self.away.checked(read_answer(scopes, &answer))
    }

    /// Frees the slots, soon: the work is done by the task that tends them.
    pub(super) fn finish(self: Arc<Self>, lease: Lease, actual_tokens: Option<u64>) {
        let had_slot = self.slots().remove(&lease.generation).is_some();
        let corrects = actual_tokens.is_some_and(|actual| actual != lease.tokens);
        if had_slot || corrects {
            self.tell_soon(lease, actual_tokens, false);
        }
    }

    /// Takes a call back that was counted, soon.
    pub(super) fn undo(self: Arc<Self>, lease: Lease) {
        self.slots().remove(&lease.generation);
        self.tell_soon(lease, Some(0), true);
    }

    fn tell_soon(&self, lease: Lease, actual_tokens: Option<u64>, undone: bool) {
        // A full queue loses a correction; an unrenewed slot is free within a minute.
        let _ = self.finished.try_send(Finished {
            lease,
            actual_tokens,
            undone,
        });
    }

    pub(super) async fn allow_login(&self, attempt: &Attempt) -> Option<Duration> {
        let wait: u64 = self.run(&self.login_script(attempt, "allow")).await?;
        Some(Duration::from_millis(wait))
    }

    /// Counts an attempt that `failed` or `succeeded`.
    pub(super) async fn login_ended(&self, attempt: &Attempt, how: &str) -> Option<()> {
        self.run(&self.login_script(attempt, how)).await
    }

    fn login_script(&self, attempt: &Attempt, event: &str) -> ScriptInvocation<'_> {
        // One hash tag, because one script works on all keys.
        let mut script = self.scripts.login.prepare_invoke();
        script
            .key(format!("waule:{{login}}:pair:{}", attempt.pair))
            .key(format!("waule:{{login}}:account:{}", attempt.account))
            .key(format!("waule:{{login}}:address:{}", attempt.address))
            .key(format!("waule:{{login}}:known:{}", attempt.pair))
            .arg(self.now_ms())
            .arg(event)
            .arg(PER_PAIR)
            .arg(PER_ACCOUNT)
            .arg(PER_ADDRESS)
            .arg(FREE_FAILURES)
            .arg(ms(DELAY_MAX))
            .arg(ms(MEMORY))
            .arg(ms(KNOWN_FOR))
            .arg(i64::from(attempt.is_known));
        script
    }

    /// Runs a script by its hash, and by its text when Redis does not know it yet.
    async fn run<T: redis::FromRedisValue>(&self, script: &ScriptInvocation<'_>) -> Option<T> {
        if !self.away.may_try() {
            return None;
        }
        let mut connection = self.connection.clone();
        let answer = tokio::time::timeout(ANSWER_MAX, script.invoke_async(&mut connection)).await;
        self.away.checked(match answer {
            Ok(answer) => answer.map_err(|error| error.to_string()),
            Err(_) => Err("no answer in time".to_owned()),
        })
    }

    /// Whether it answers now; asked by people, so also while calls go on without it.
    pub(super) async fn ping(&self) -> bool {
        let mut connection = self.connection.clone();
        let ping = redis::cmd("PING");
        let asked = ping.query_async::<String>(&mut connection);
        let answered = tokio::time::timeout(ANSWER_MAX, asked).await;
        answered.is_ok_and(|answer| answer.is_ok())
    }

    /// Tells Redis which calls ended, and renews the slots of those that run.
    async fn tend(self: Arc<Self>, mut ended: mpsc::Receiver<Finished>, supervisor: Supervisor) {
        let stopping = supervisor.stopping();
        let mut renewals = tokio::time::interval(RENEW_EVERY);
        let mut batch = Vec::with_capacity(FINISH_BATCH);
        loop {
            tokio::select! {
                _ = ended.recv_many(&mut batch, FINISH_BATCH) => {
                    join_all(batch.iter().map(|finished| self.tell_finished(finished))).await;
                    batch.clear();
                }
                _ = renewals.tick() => self.renew().await,
                // Slots of calls that end after this expire by themselves.
                () = stopping.cancelled() => break,
            }
        }
    }

    async fn tell_finished(&self, finished: &Finished) {
        let scopes = finished.lease.scopes();
        let used = finished
            .actual_tokens
            .unwrap_or(scopes.tokens)
            .min(COST_MAX);
        let taken = scopes.tokens.min(COST_MAX);
        let added = i64::try_from(used).unwrap_or(0) - i64::try_from(taken).unwrap_or(0);
        let mut script = self.scripts.finish.prepare_invoke();
        add_keys(&mut script, &scopes);
        let requests = if finished.undone { -1 } else { 0 };
        script.arg(self.now_ms()).arg(scopes.generation);
        script.arg(added).arg(requests);
        for scope in scopes.limited() {
            let requests = scope.limits.requests_per_minute.map(u64::from);
            script
                .arg(number(requests))
                .arg(number(scope.limits.tokens_per_minute));
        }
        self.run::<i64>(&script).await;
    }

    pub(super) async fn renew(&self) {
        let running: Vec<(String, Box<str>)> = {
            let slots = self.slots();
            let sets = slots
                .iter()
                .flat_map(|(call, sets)| sets.iter().map(move |set| (set, call)));
            sets.map(|(set, call)| (set.clone(), call.clone()))
                .collect()
        };
        for batch in running.chunks(RENEW_BATCH) {
            let mut script = self.scripts.renew.prepare_invoke();
            script.arg(self.now_ms()).arg(ms(SLOT_LIFE));
            for (set, call) in batch {
                script.key(set).arg(call.as_ref());
            }
            self.run::<i64>(&script).await;
        }
    }

    fn now_ms(&self) -> i64 {
        self.clock
            .as_ref()
            .map_or(-1, |clock| clock.now().unix_ms())
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<Box<str>, Vec<String>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn add_keys(script: &mut ScriptInvocation<'_>, scopes: &Scopes<'_>) {
    for scope in scopes.limited() {
        script.key(format!("waule:{{{}}}:rate:{}", scopes.tenant, scope.id));
        script.key(calls_key(scopes, scope.id));
    }
}

/// The tenant's id in braces keeps the keys of one script on one node of a cluster.
fn calls_key(scopes: &Scopes<'_>, id: &str) -> String {
    format!("waule:{{{}}}:calls:{id}", scopes.tenant)
}

fn ms(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
