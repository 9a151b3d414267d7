//! A vendor that does what a table says of each of its keys, and counts what it did.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use shared::fault::{Fault, FaultKind};
use shared::id::GenerationId;
use shared::link::connectors::{AddressRule, ConnectorFacts, SecretRule};
use shared::link::{Call, KeyTest, KeyVerdict};

use super::World;
use crate::providers::limits::{ToldLimit, ToldLimits};
use crate::providers::{Answer, Patience, Provider, Refusal, Route};

/// What a key does.
#[derive(Debug, Clone)]
pub(super) struct Behaviour {
    /// To the head of an answer, about.
    pub(super) latency_ms: u64,
    pub(super) does: Does,
    /// Requests a minute that the vendor takes, and how it tells.
    pub(super) limit: Option<(u64, Tells)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Does {
    /// Serves.
    Serves,
    /// Refuses with this fault and status.
    Fails(FaultKind, u16),
    /// The same to one of so many.
    FailsOneOf(u64, FaultKind, u16),
    /// Refuses connections.
    Refuses,
    /// Takes no connections and does not say so.
    Silent,
    /// Breaks after the request was written.
    Breaks(FaultKind),
    /// Any of these, by chance.
    Any,
}

/// How a vendor's limit works and is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tells {
    /// A bucket that refills, with OpenAI's headers.
    Bucket,
    /// A window that begins anew, with the IETF's.
    Window,
    /// Any sixty seconds, without headers.
    Nothing,
}

impl Behaviour {
    pub(super) fn serves(latency_ms: u64) -> Self {
        Self {
            latency_ms,
            does: Does::Serves,
            limit: None,
        }
    }

    pub(super) fn does(does: Does) -> Self {
        Self {
            does,
            ..Self::serves(200)
        }
    }

    pub(super) fn limited(per_minute: u64, tells: Tells) -> Self {
        Self {
            limit: Some((per_minute, tells)),
            ..Self::serves(200)
        }
    }
}

/// What happened at one key.
#[derive(Debug, Clone, Default)]
pub(super) struct Counts {
    /// When calls came, in milliseconds.
    pub(super) calls: Vec<i64>,
    pub(super) served: u64,
    /// Refused because of its limit, when.
    pub(super) limited: Vec<i64>,
    /// In the last sixty seconds.
    recent: VecDeque<i64>,
    /// In thousandths, and since when.
    level: i64,
    level_at: i64,
    window: i64,
    in_window: u64,
    running: u64,
    pub(super) running_max: u64,
    pub(super) tests: u64,
}

pub(super) struct MadeUpVendor {
    world: Arc<World>,
    behaviours: Mutex<HashMap<String, Behaviour>>,
    counts: Mutex<HashMap<String, Counts>>,
    /// Times that each generation may have been billed.
    billed: Mutex<HashMap<GenerationId, u32>>,
    /// Where each prompt was read before, and how many of the later ones were read there again.
    cached: Mutex<(HashMap<u64, String>, usize, usize)>,
}

static FACTS: ConnectorFacts = ConnectorFacts {
    kind: Cow::Borrowed("made-up"),
    label: Cow::Borrowed("Made up"),
    address: AddressRule::Needed,
    secret: SecretRule::IN_A_HEADER,
    speaks: Cow::Borrowed(&[]),
    media: false,
};

impl MadeUpVendor {
    pub(super) fn new(world: Arc<World>) -> Self {
        Self {
            world,
            behaviours: Mutex::default(),
            counts: Mutex::default(),
            billed: Mutex::default(),
            cached: Mutex::default(),
        }
    }

    pub(super) fn set(&self, key: &str, behaviour: Behaviour) {
        let mut behaviours = self.behaviours.lock().expect("no panic");
        behaviours.insert(key.to_owned(), behaviour);
    }

    pub(super) fn counts(&self, key: &str) -> Counts {
        let counts = self.counts.lock().expect("no panic");
        counts.get(key).cloned().unwrap_or_default()
    }

    /// The most that one generation may have been billed.
    pub(super) fn billed_max(&self) -> u32 {
        let billed = self.billed.lock().expect("no panic");
        billed.values().copied().max().unwrap_or(0)
    }

    /// Prompts that were read where they had been read before, and all but the first of each.
    pub(super) fn hits(&self) -> (usize, usize) {
        let cached = self.cached.lock().expect("no panic");
        (cached.1, cached.2)
    }

    fn reads(&self, call: &Call, key: &str) {
        if !call.body.is_empty() {
            let mut cached = self.cached.lock().expect("no panic");
            let before = cached.0.insert(call.caller, key.to_owned());
            cached.1 += usize::from(before.as_deref() == Some(key));
            cached.2 += usize::from(before.is_some());
        }
    }

    fn with<T>(&self, key: &str, work: impl FnOnce(&mut Counts) -> T) -> T {
        let mut counts = self.counts.lock().expect("no panic");
        work(counts.entry(key.to_owned()).or_default())
    }

    fn bills(&self, call: &Call) {
        let mut billed = self.billed.lock().expect("no panic");
        *billed.entry(call.generation.clone()).or_default() += 1;
    }

    /// Whether its limit takes a call now, and what is told of it.
    fn limit(&self, key: &str, per_minute: u64, tells: Tells) -> (bool, Option<ToldLimit>) {
        let now = self.world.ms();
        let most = i64::try_from(per_minute).expect("small");
        self.with(key, |counts| match tells {
            Tells::Nothing => {
                while counts.recent.front().is_some_and(|at| at + 60_000 <= now) {
                    counts.recent.pop_front();
                }
                let takes = counts.recent.len() < usize::try_from(per_minute).expect("small");
                if takes {
                    counts.recent.push_back(now);
                }
                (takes, None)
            }
            Tells::Bucket => {
                if counts.calls.len() == 1 {
                    (counts.level, counts.level_at) = (most * 1_000, now);
                }
                let refill = (now - counts.level_at) * most / 60;
                counts.level = (counts.level + refill).min(most * 1_000);
                counts.level_at = now;
                let takes = counts.level >= 1_000;
                counts.level -= if takes { 1_000 } else { 0 };
                let missing = most * 1_000 - counts.level;
                let told = ToldLimit {
                    limit: Some(per_minute),
                    remaining: u64::try_from(counts.level / 1_000).expect("positive"),
                    reset: Some(Duration::from_millis(
                        u64::try_from(missing * 60 / most).expect("positive"),
                    )),
                    refills: true,
                };
                (takes, Some(told))
            }
            Tells::Window => {
                let window = now / 60_000;
                if counts.window != window {
                    (counts.window, counts.in_window) = (window, 0);
                }
                let takes = counts.in_window < per_minute;
                counts.in_window += u64::from(takes);
                let left = u64::try_from(60_000 - now % 60_000).expect("positive");
                let told = ToldLimit {
                    limit: Some(per_minute),
                    remaining: per_minute - counts.in_window,
                    reset: Some(Duration::from_secs(left.div_ceil(1_000))),
                    refills: false,
                };
                (takes, Some(told))
            }
        })
    }

    async fn act(&self, does: &Does, call: &Call) -> Option<Fault> {
        let fault = |kind, status: u16| {
            let fault = Fault::new(kind, "made up");
            let fault = if status == 0 {
                fault
            } else {
                fault.with_status(status)
            };
            if kind == FaultKind::Interrupted || kind == FaultKind::Timeout {
                self.bills(call);
            }
            Some(fault)
        };
        match does {
            Does::Serves => None,
            Does::Fails(kind, status) => fault(*kind, *status),
            Does::FailsOneOf(of, kind, status) => (self.world.below(*of) == 0)
                .then(|| fault(*kind, *status))
                .flatten(),
            Does::Refuses => fault(FaultKind::Unreachable, 0),
            Does::Silent => {
                self.world.sleep(5_000).await;
                fault(FaultKind::Unreachable, 0)
            }
            Does::Breaks(kind) => fault(*kind, 0),
            Does::Any => match self.world.below(12) {
                0 => fault(FaultKind::Unreachable, 0),
                1 => fault(FaultKind::Interrupted, 0),
                2 => fault(FaultKind::Timeout, 0),
                3 => fault(FaultKind::Overloaded, 503),
                4 => fault(FaultKind::RateLimited, 429),
                5 => fault(FaultKind::InvalidKey, 401),
                6 => fault(FaultKind::BadRequest, 400),
                _ => None,
            },
        }
    }
}

#[async_trait]
impl Provider for MadeUpVendor {
    fn facts(&self) -> &'static ConnectorFacts {
        &FACTS
    }

    async fn call(&self, call: &Call, route: Route<'_>, _: Patience) -> Result<Answer, Refusal> {
        let key = route.key.expose().as_str();
        let behaviour = self.behaviours.lock().expect("no panic")[key].clone();
        let now = self.world.ms();
        self.reads(call, key);
        self.with(key, |counts| {
            counts.calls.push(now);
            counts.running += 1;
            counts.running_max = counts.running_max.max(counts.running);
        });
        let told = (behaviour.limit).map(|(most, tells)| self.limit(key, most, tells));
        let is_taken = told.is_none_or(|(takes, _)| takes);
        let latency = if is_taken {
            self.world.around(behaviour.latency_ms)
        } else {
            50
        };
        // A refused connection is refused soon.
        let latency = if behaviour.does == Does::Refuses {
            5
        } else {
            latency
        };
        self.world.sleep(latency).await;
        if let (Some((_, Some(requests))), Some(heard)) = (told, route.heard) {
            heard.hear(ToldLimits {
                requests: Some(requests),
                ..ToldLimits::default()
            });
        }
        let fault = if is_taken {
            self.act(&behaviour.does, call).await
        } else {
            let at = self.world.ms();
            self.with(key, |counts| counts.limited.push(at));
            let fault = Fault::new(FaultKind::RateLimited, "made up").with_status(429);
            Some(fault.with_retry_after(Some(Duration::from_secs(2))))
        };
        self.with(key, |counts| {
            counts.running -= 1;
            counts.served += u64::from(fault.is_none());
        });
        if let Some(fault) = fault {
            return Err(fault.into());
        }
        self.bills(call);
        Ok(Answer::events(Box::pin(futures_util::stream::empty())))
    }

    async fn test(&self, route: Route<'_>) -> KeyTest {
        let key = route.key.expose().as_str();
        self.with(key, |counts| counts.tests += 1);
        let is_refused = matches!(
            self.behaviours.lock().expect("no panic")[key].does,
            Does::Fails(FaultKind::InvalidKey, _)
        );
        let (verdict, status) = if is_refused {
            (KeyVerdict::Refused, 401)
        } else {
            (KeyVerdict::Accepted, 200)
        };
        KeyTest {
            ok: !is_refused,
            verdict,
            status,
            latency_ms: 0,
            detail: String::new(),
            usage: None,
        }
    }
}
