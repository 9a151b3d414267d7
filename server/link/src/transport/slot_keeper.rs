//! Keeps one slot of a pool supplied with a connection: opens it, watches it, and replaces it when it
//! is gone, old, or silent while the gateway is heard otherwise. Sends no call.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use http::Method;
use http_body_util::Full;
use tracing::debug;

use super::Inner;
use super::connection::{CONNECT_MAX, Connection, Purpose, Way};
use super::silence::{Silence, Speech};

/// How often and with how much a slot for large bodies is kept warm, or a kernel forgets what the
/// path carries and takes round trips to find out again. So much at 200 ms is a window of 1.3 Mbit/s
/// that grows from burst to burst.
pub(super) const WARM_EVERY: Duration = Duration::from_secs(1);
pub(super) const WARM_BYTES: usize = 32 * 1024;
/// Nothing is kept warm when nothing was sent for so long.
const WARM_AFTER_USE: Duration = Duration::from_secs(60);
/// How long the first attempt waits for an address; the next twice as long, those after it four
/// times. A kernel repeats what was lost after 1 s, then 2 s, then 4 s: while a path is black, asking
/// anew finds its end sooner.
pub(super) const REACH_MIN: Duration = Duration::from_secs(1);
/// Between attempts to open a connection.
pub(super) const REST_MIN: Duration = Duration::from_millis(100);
pub(super) const REST_MAX: Duration = Duration::from_secs(5);
/// A connection that ends sooner was refused after all: TLS 1.3 tells a client that its certificate
/// is not wanted only after the handshake, and balancers accept before they look for a gateway.
const REFUSED_WITHIN: Duration = Duration::from_secs(1);

/// How much longer a connection may be silent while others are heard.
const BESIDE_OTHERS: Duration = Duration::from_millis(500);
/// How much later than a new connection's first answer a silent one may speak.
const HEARD_TOO: Duration = Duration::from_millis(200);

/// Keeps one slot of the pool supplied. Where its runtime ends first, the next call starts another.
pub(super) struct SlotKeeper {
    pub(super) pool: Arc<Inner>,
    pub(super) at: usize,
}

/// When a new connection gets the slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Takeover {
    /// At once: there is no other.
    AtOnce,
    /// When the gateway has said over it who it is.
    WhenMet,
}

/// Why a connection is no longer attended to.
enum After {
    /// It was of use, and its slot needs another.
    Served,
    /// It was refused.
    Refused,
    /// Another has its slot.
    Replaced(Arc<Connection>),
}

impl Drop for SlotKeeper {
    fn drop(&mut self) {
        self.pool.slots[self.at]
            .kept
            .store(false, Ordering::Release);
    }
}

impl SlotKeeper {
    pub(super) async fn run(&self) {
        tokio::select! {
            () = self.pool.end.cancelled() => {}
            () = self.supply() => {}
        }
    }

    async fn supply(&self) {
        let pool = &self.pool;
        let mut failures: u32 = 0;
        loop {
            // Heard from before the attempt on, or a call that comes at its end would wait.
            let mut wanted = std::pin::pin!(pool.wanted.notified());
            wanted.as_mut().enable();
            let served = match self.open(failures, Takeover::AtOnce).await {
                Some(fresh) => self.attend_all(fresh).await,
                None => false,
            };
            if served {
                failures = 0;
                continue;
            }
            failures += 1;
            tokio::select! {
                () = wanted => {}
                () = tokio::time::sleep(rest(failures, rand::random())) => {}
            }
        }
    }

    /// Until the slot has none; whether the last was of use.
    async fn attend_all(&self, mut one: Arc<Connection>) -> bool {
        loop {
            match self.attend(&one).await {
                After::Served => return true,
                After::Refused => return false,
                After::Replaced(next) => one = next,
            }
        }
    }

    /// Until the connection should be replaced.
    async fn attend(&self, one: &Arc<Connection>) -> After {
        let opened = tokio::time::Instant::now();
        let age = self.pool.shape.age_max.mul_f64(1.0 + rand::random::<f64>());
        // An old connection, replaced here, carries its streams to their end.
        let next = tokio::select! {
            next = self.watch(one) => next,
            () = tokio::time::sleep(age) => {
                self.see_off(one);
                return After::Served;
            }
            () = self.keep_warm(one) => None,
        };
        if let Some(next) = next {
            return After::Replaced(next);
        }
        if opened.elapsed() >= REFUSED_WITHIN {
            return After::Served;
        }
        self.pool.failed("connections end as soon as they are open");
        After::Refused
    }

    /// Until it is gone; or another has its slot, since only that one is heard.
    async fn watch(&self, one: &Arc<Connection>) -> Option<Arc<Connection>> {
        let mut watch = self.pool.watch(one);
        loop {
            match watch.silence().await {
                Silence::Ended => return None,
                Silence::Long => {}
            }
            // The gateway speaks, and not here: the way of this connection is dead, or the gateway has no
            // time for all its connections. Streams on it have second copies by now, so that a moment
            // more costs less than hundreds that must come again.
            if self.pool.others_speak(one) {
                match watch.speaks_within(BESIDE_OTHERS).await {
                    Speech::Heard => continue,
                    Speech::Ended => return None,
                    Speech::GivenUp => {}
                }
                debug!("a connection to a gateway is silent and is replaced");
                one.cut();
                return None;
            }
            // It is silent everywhere: it may have no time, and what is cut would only have to come
            // again; or the path is black, and asking anew finds its end. What speaks first decides.
            tokio::select! {
                spoke = watch.speaks() => if spoke == Speech::GivenUp {
                    if !self.pool.others_speak(one) {
                        debug!("a gateway is not heard for longer than its calls wait");
                        self.pool.heard.give_up();
                    }
                    one.cut();
                    return None;
                },
                () = self.others_speak(one) => {}
                next = self.open_beside() => {
                    // What let the new one be answered lets the old one be heard at about the same time.
                    match watch.speaks_within(HEARD_TOO).await {
                        Speech::Heard => self.see_off(one),
                        Speech::Ended | Speech::GivenUp => one.cut(),
                    }
                    return Some(next);
                }
            }
        }
    }

    /// Watches a connection that has no slot any more to the end of the streams that it carries.
    fn see_off(&self, one: &Arc<Connection>) {
        let (pool, one) = (self.pool.clone(), one.clone());
        let seeing = async move {
            let mut watch = pool.watch(&one);
            // The gateway that is silent everywhere may have no time: then nobody else is heard.
            while !watch.carries_on().await {
                if pool.others_speak(&one) || pool.heard.is_given_up() {
                    one.cut();
                    return;
                }
                tokio::time::sleep(super::LOOK_AGAIN).await;
            }
        };
        self.pool
            .supervisor
            .spawn_servant("old link connection", seeing);
    }

    async fn others_speak(&self, one: &Arc<Connection>) {
        while !self.pool.others_speak(one) {
            tokio::time::sleep(super::LOOK_AGAIN).await;
        }
    }

    /// Another connection, which has the slot now.
    async fn open_beside(&self) -> Arc<Connection> {
        let mut failures = 0;
        loop {
            if let Some(fresh) = self.open(failures, Takeover::WhenMet).await {
                return fresh;
            }
            failures += 1;
            tokio::time::sleep(rest(failures, rand::random())).await;
        }
    }

    /// Sends something now and then where a large body may come next; does not end.
    async fn keep_warm(&self, fresh: &Arc<Connection>) {
        let pool = &self.pool;
        if !pool.shape.is_far || self.purpose() == Purpose::Tokens {
            return std::future::pending().await;
        }
        loop {
            tokio::time::sleep(WARM_EVERY).await;
            let used = Duration::from_millis(pool.used_ms.load(Ordering::Relaxed));
            if !used.is_zero() && pool.begun.elapsed().saturating_sub(used) < WARM_AFTER_USE {
                let mut request = (pool.hello)();
                *request.method_mut() = Method::POST;
                *request.body_mut() = Full::from(vec![0; WARM_BYTES]);
                let _ = fresh.send(request, None).await;
            }
        }
    }

    fn purpose(&self) -> Purpose {
        let small = self.pool.slots.len() - self.pool.shape.for_uploads;
        if self.at < small {
            Purpose::Tokens
        } else {
            Purpose::Large
        }
    }

    /// One attempt, counted while it lasts: the slot is taken before it is over.
    async fn open(&self, failures: u32, takeover: Takeover) -> Option<Arc<Connection>> {
        let pool = &self.pool;
        let _attempt = Attempt::begin(pool);
        let reach_max = REACH_MIN.saturating_mul(1 << failures.min(2));
        let (target, hello) = (&pool.target, pool.hello.as_ref());
        let way = Way {
            purpose: self.purpose(),
            reach_max,
            patience: pool.shape.patience,
            heard: pool.heard.clone(),
        };
        let fresh = match Connection::open(target, hello, &pool.supervisor, way).await {
            Ok(fresh) => fresh,
            Err(error) => {
                debug!(%error, "no connection to {}: {error}", pool.target.host);
                pool.failed(&error.to_string());
                return None;
            }
        };
        let until = tokio::time::Instant::now() + CONNECT_MAX;
        if takeover == Takeover::WhenMet && !fresh.is_met_by(until).await {
            fresh.cut();
            pool.failed("the gateway does not say who it is");
            return None;
        }
        pool.slots[self.at].live.store(Some(fresh.clone()));
        Some(fresh)
    }
}

/// Counts one attempt, also when its runtime drops it.
struct Attempt<'a>(&'a Inner);

impl<'a> Attempt<'a> {
    fn begin(pool: &'a Inner) -> Self {
        pool.opening.send_modify(|opening| opening.attempts += 1);
        Self(pool)
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        self.0.opening.send_modify(|opening| opening.attempts -= 1);
    }
}

/// Doubles with every failure up to a bound; `random` in 0..1 takes up to half of it away, so that
/// the slots of a pool do not knock together.
pub(super) fn rest(failures: u32, random: f64) -> Duration {
    let whole = REST_MIN.saturating_mul(1 << failures.saturating_sub(1).min(16));
    whole
        .min(REST_MAX)
        .mul_f64(1.0 - random.clamp(0.0, 1.0) / 2.0)
}
