//! The real pool and the real attempts in a made-up world: time is moved by hand from one event to the next,
//! draws come from a seed, and providers do what a table says. What must hold of it stands in `balance`,
//! `limits`, `waits` and `faults`.

mod balance;
mod faults;
mod limits;
mod vendor;
mod waits;

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use futures_util::Stream;
use futures_util::stream::FuturesUnordered;
use shared::clock::{Clock, Moment};
use shared::id::ProviderKeyId;
use shared::link::events::GatewayEvent;
use shared::link::trail::NextStep;
use shared::link::{Bounds, Call, FailedTry, Failure, KeyTerms, Operation, Target};
use shared::secret::Secret;
use shared::supervisor::Supervisor;
use shared::units::{Unit, Usage};
use tokio::sync::mpsc;

use self::vendor::{Behaviour, MadeUpVendor};
use super::{Accepted, Means, attempts};
use crate::fixture;
use crate::pool::{PoolKey, PoolProvider, Pools, ProviderParts};
use crate::providers::Patience;
use shared::link::options::ProviderOptions;

/// When every world begins, in unix milliseconds: in the middle of a minute.
const START_MS: i64 = 1_795_867_230_000;
/// Calls have so long.
const DEADLINE: Duration = Duration::from_secs(60);
const PATIENCE: Patience = Patience {
    first_byte: Duration::from_secs(30),
    silence: Duration::from_secs(30),
};

/// Whoever waits, by time and then by order.
#[derive(Default)]
struct Timers(BinaryHeap<Reverse<(i64, u64, usize)>>, Vec<Option<Waker>>);

/// Time and chance.
pub(super) struct World {
    clock: Clock,
    timers: Mutex<Timers>,
    order: AtomicU64,
    draws: AtomicU64,
}

impl World {
    fn new(seed: u64) -> Arc<Self> {
        Arc::new(Self {
            clock: Clock::fixed(Moment::from_unix_ms(START_MS)),
            timers: Mutex::default(),
            order: AtomicU64::new(0),
            draws: AtomicU64::new(seed.wrapping_mul(0x2545_f491_4f6c_dd1d) | 1),
        })
    }

    /// Milliseconds since the world began.
    fn ms(&self) -> i64 {
        self.clock.now().unix_ms() - START_MS
    }

    /// A number below `most`, by xorshift.
    fn below(&self, most: u64) -> u64 {
        let mut x = self.draws.load(Ordering::Relaxed);
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        self.draws.store(x, Ordering::Relaxed);
        (x >> 11) % most
    }

    /// Between a half and one and a half of `mean`.
    fn around(&self, mean: u64) -> u64 {
        mean / 2 + self.below(mean + 1)
    }

    /// The time to the next of events that come by chance, `mean` apart, in microseconds.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a draw of a test"
    )]
    fn gap_us(&self, mean: u64) -> u64 {
        let u = (self.below(1 << 32) + 1) as f64 / (1_u64 << 32) as f64;
        (-u.ln() * mean as f64) as u64
    }

    async fn sleep(self: &Arc<Self>, ms: u64) {
        let until = self.ms() + i64::try_from(ms).expect("small");
        let mut place = None;
        std::future::poll_fn(|cx| {
            if self.ms() >= until {
                return Poll::Ready(());
            }
            let mut timers = self.timers.lock().expect("no panic");
            let at = *place.get_or_insert_with(|| {
                timers.1.push(None);
                let (at, order) = (
                    timers.1.len() - 1,
                    self.order.fetch_add(1, Ordering::Relaxed),
                );
                timers.0.push(Reverse((until, order, at)));
                at
            });
            timers.1[at] = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Goes on to the next time that somebody waits for; false when nobody does.
    fn step(&self) -> bool {
        let (until, waker) = {
            let mut timers = self.timers.lock().expect("no panic");
            let Some(Reverse((until, _, at))) = timers.0.pop() else {
                return false;
            };
            (until, timers.1[at].take())
        };
        let passes = u64::try_from(until - self.ms()).unwrap_or(0);
        self.clock.advance(Duration::from_millis(passes));
        if let Some(waker) = waker {
            waker.wake();
        }
        true
    }
}

/// Tells whether anything became ready.
struct Ready(AtomicBool);

impl Wake for Ready {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// One call and what became of it.
#[derive(Debug, Clone)]
struct Seen {
    began_ms: i64,
    caller: u64,
    attempts: u32,
    /// For room at a provider.
    waited_ms: u64,
    /// The provider and the key that answered, or why none did.
    outcome: Result<(String, String), Failure>,
}

/// What calls are like.
#[derive(Clone)]
struct Load {
    /// Calls a second.
    rate: u64,
    seconds: u64,
    callers: u64,
    targets: Vec<(&'static str, &'static str)>,
    /// From the head of the answer to its end, about.
    holds_ms: u64,
    input: u64,
    output_max: u64,
    /// Prompts that begin alike, where they are long enough to.
    sessions: u64,
    /// Calls of a thousand that come from [`FLOODER`].
    flood: u64,
}

/// A caller of its own.
const FLOODER: u64 = 1_000_000;

impl Load {
    fn of(rate: u64, seconds: u64) -> Self {
        Self {
            rate,
            seconds,
            callers: 20,
            targets: vec![("a", "m")],
            holds_ms: 500,
            input: 100,
            output_max: 100,
            sessions: 0,
            flood: 0,
        }
    }
}

/// A gateway's pools over vendors of the made-up world.
struct Sim {
    world: Arc<World>,
    pools: Arc<Pools>,
    supervisor: Supervisor,
    vendor: &'static MadeUpVendor,
    seen: Rc<RefCell<Vec<Seen>>>,
    told: mpsc::Receiver<GatewayEvent>,
}

/// A key: weight, terms, and what it does.
type KeySpec = (u32, KeyTerms, Behaviour);

fn key(behaviour: Behaviour) -> KeySpec {
    (1, KeyTerms::default(), behaviour)
}

impl Sim {
    /// Providers by name with their keys; a key is called by its provider and its place (`a0`).
    fn new(seed: u64, providers: &[(&'static str, Vec<KeySpec>)]) -> Self {
        let world = World::new(seed);
        let (events, told) = mpsc::channel(100_000);
        let passing = world.clone();
        let pools = Pools::seeded(world.clock.clone(), events, seed).passing_time_by(move |span| {
            let world = passing.clone();
            // A part of a millisecond is one: less would be now.
            async move { world.sleep(crate::generations::millis(span).max(1)).await }
        });
        let pools = Arc::new(pools);
        let vendor: &'static MadeUpVendor = Box::leak(Box::new(MadeUpVendor::new(world.clone())));
        let mut all = std::collections::HashMap::new();
        for (name, keys) in providers {
            let keys = keys
                .iter()
                .enumerate()
                .map(|(at, (weight, terms, behaviour))| {
                    let id = format!("{name}{at}");
                    vendor.set(&id, behaviour.clone());
                    Arc::new(PoolKey {
                        id: ProviderKeyId::from_stored(id.clone()),
                        secret: Secret::new(id.clone()),
                        last4: id,
                        weight: *weight,
                        terms: terms.clone(),
                        headers: Vec::new(),
                        host: None,
                        health: Arc::default(),
                    })
                });
            let provider = PoolProvider::new(ProviderParts {
                name: (*name).to_owned(),
                base_url: format!("http://{name}"),
                options: ProviderOptions::default(),
                enabled: true,
                connector: vendor,
                keys: keys.collect(),
                health: Arc::default(),
            });
            all.insert((*name).to_owned(), Arc::new(provider));
        }
        pools.replace(all);
        Self {
            world,
            pools,
            supervisor: Supervisor::new(),
            vendor,
            seen: Rc::default(),
            told,
        }
    }

    fn call(&self, load: &Load, number: u64) -> Call {
        let session = number.checked_rem(load.sessions);
        let body = session.map_or_else(String::new, |session| {
            format!("{{\"session\":\"{session:0>5000}\"}}")
        });
        let mut call = fixture::call(Operation::Chat, body);
        call.caller = session.unwrap_or_else(|| self.world.below(load.callers.max(1))) + 1;
        if load.flood > 0 && self.world.below(1_000) < load.flood {
            call.caller = FLOODER;
        }
        call.stream = true;
        let target = |(provider, model): &(&str, &str)| Target {
            provider: (*provider).to_owned(),
            model: (*model).to_owned(),
            gateway: None,
            answers: None,
        };
        call.targets = load.targets.iter().map(target).collect();
        call.deadline = DEADLINE;
        call.bounds = Some(Bounds {
            input_estimate: load.input,
            input_max: load.input * 2,
            output_max: load.output_max,
        });
        call
    }

    fn means(&self) -> Means<'_> {
        Means {
            pools: &self.pools,
            supervisor: &self.supervisor,
            patience: PATIENCE,
            files: None,
        }
    }

    /// One call from its arrival to its end.
    async fn one(&self, load: &Load, number: u64) {
        let began_ms = self.world.ms();
        let call = self.call(load, number);
        let caller = call.caller;
        let (attempts, waited_ms, outcome) =
            match attempts(self.means(), &call, Instant::now()).await {
                Ok(Accepted { trail, lease, .. }) => {
                    self.world.sleep(self.world.around(load.holds_ms)).await;
                    let output = self.world.below(load.output_max) + 1;
                    lease.used(&Usage::of([
                        (Unit::InputToken, load.input),
                        (Unit::OutputToken, output),
                    ]));
                    lease.succeeded();
                    let waited_ms = waited(&trail.failed);
                    let by = (trail.provider, trail.key_last4);
                    (trail.attempts, waited_ms, Ok(by))
                }
                Err(failure) => (failure.attempts, waited(&failure.failed), Err(failure)),
            };
        self.seen.borrow_mut().push(Seen {
            began_ms,
            caller,
            attempts,
            waited_ms,
            outcome,
        });
    }

    /// Calls arrive by chance; the world goes on until the last one has ended. `at` is asked before each.
    async fn run(&self, load: &Load, mut at: impl FnMut(&Self, i64)) -> Vec<Seen> {
        self.seen.borrow_mut().clear();
        let mut running: FuturesUnordered<Pin<Box<dyn Future<Output = ()> + '_>>> =
            FuturesUnordered::new();
        let ready = Arc::new(Ready(AtomicBool::new(true)));
        let waker = Waker::from(ready.clone());
        let mut cx = Context::from_waker(&waker);
        let began = self.world.ms();
        let end_us = load.seconds * 1_000_000;
        let (mut next_us, mut number) = (self.world.gap_us(1_000_000 / load.rate), 0_u64);
        loop {
            while ready.0.swap(false, Ordering::SeqCst) {
                while let Poll::Ready(Some(())) = Pin::new(&mut running).poll_next(&mut cx) {}
            }
            // What the supervisor was given.
            tokio::task::yield_now().await;
            if ready.0.load(Ordering::SeqCst) {
                continue;
            }
            let arrives = began + i64::try_from(next_us / 1_000).expect("small");
            let first = {
                let timers = self.world.timers.lock().expect("no panic");
                timers.0.peek().map(|Reverse((until, ..))| *until)
            };
            if next_us < end_us && first.is_none_or(|first| arrives <= first) {
                let passes = u64::try_from(arrives - self.world.ms()).unwrap_or(0);
                self.world.clock.advance(Duration::from_millis(passes));
                at(self, self.world.ms() - began);
                running.push(Box::pin(self.one(load, number)));
                ready.0.store(true, Ordering::SeqCst);
                number += 1;
                next_us += self.world.gap_us(1_000_000 / load.rate);
            } else if !self.world.step() {
                break;
            }
        }
        drop(running);
        self.seen.borrow().clone()
    }
}

/// How long a call waited for room, as its story says.
fn waited(failed: &[FailedTry]) -> u64 {
    let waits = (failed.iter()).filter(|one| one.next.as_deref() == Some(NextStep::Waited.word()));
    waits.map(|one| one.duration_ms).sum()
}

/// Calls that were answered, by key.
fn by_key(seen: &[Seen], key: &str) -> usize {
    let is_by = |one: &&Seen| matches!(&one.outcome, Ok((_, by)) if by == key);
    seen.iter().filter(is_by).count()
}

fn answered(seen: &[Seen]) -> usize {
    seen.iter().filter(|one| one.outcome.is_ok()).count()
}

/// Provider calls for each of a thousand calls.
fn attempts_permille(seen: &[Seen]) -> usize {
    let all: u32 = seen.iter().map(|one| one.attempts).sum();
    usize::try_from(all).expect("small") * 1_000 / seen.len().max(1)
}

/// Those that began in this part, in seconds.
fn between(seen: &[Seen], from: i64, to: i64) -> Vec<Seen> {
    let is_within = |one: &&Seen| (from * 1_000..to * 1_000).contains(&one.began_ms);
    seen.iter().filter(is_within).cloned().collect()
}

/// For whoever reads the figures with `--nocapture`.
#[expect(clippy::print_stdout, reason = "figures of a simulation")]
fn figures(text: &str) {
    println!("{text}");
}
