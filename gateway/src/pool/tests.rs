//! What calls do to keys: nothing a caller sends costs another one a key, no state is for ever, and a
//! real outage is seen by all.

use std::borrow::Cow;
use std::time::Duration;

use proptest::prelude::*;
use shared::fault::{Fault, Scope};
use shared::link::connectors::{AddressRule, ConnectorFacts, SecretRule};
use shared::link::{Call, KeyTest, KeyVerdict};
use tokio::sync::mpsc;

use super::ask::Size;
use super::effect::OVERLOADED_MAX;
use super::health::{Off, Shown};
use super::*;
use crate::providers::{Answer, Patience, Provider, Refusal};

struct Fake;

/// What it is and can.
static FACTS: ConnectorFacts = ConnectorFacts {
    kind: Cow::Borrowed("fake"),
    label: Cow::Borrowed("Fake"),
    address: AddressRule::Needed,
    secret: SecretRule::IN_A_HEADER,
    speaks: Cow::Borrowed(&[]),
    media: false,
};

#[async_trait::async_trait]
impl Provider for Fake {
    fn facts(&self) -> &'static ConnectorFacts {
        &FACTS
    }

    async fn call(&self, _: &Call, _: Route<'_>, _: Patience) -> Result<Answer, Refusal> {
        Err(Fault::new(FaultKind::Internal, "a fake").into())
    }

    async fn test(&self, _: Route<'_>) -> KeyTest {
        KeyTest {
            ok: true,
            verdict: KeyVerdict::Accepted,
            status: 200,
            latency_ms: 0,
            detail: String::new(),
            usage: None,
        }
    }
}

const HOSTILE: u64 = 1;
const OTHER: u64 = 2;
const THIRD: u64 = 3;
const MODEL: &str = "m";

pub(super) fn asks(caller: u64, is_last_resort: bool) -> Asker<'static> {
    Asker {
        caller,
        model: MODEL,
        is_last_resort,
        size: Size::default(),
        affinity: None,
    }
}

/// Faults that come with a time to wait.
fn busy() -> impl Strategy<Value = FaultKind> {
    prop::sample::select(vec![FaultKind::RateLimited, FaultKind::Overloaded])
}

pub(super) struct Pool {
    pub(super) pools: Pools,
    pub(super) clock: Clock,
    told: mpsc::Receiver<GatewayEvent>,
}

fn pool(keys: usize) -> Pool {
    pool_of(keys, &KeyTerms::default())
}

/// Of so many keys with these terms.
pub(super) fn pool_of(keys: usize, terms: &KeyTerms) -> Pool {
    let clock = Clock::fixed(Moment::from_unix_ms(1_000_000_000));
    let ids = (0..keys).map(|_| ProviderKeyId::random());
    pool_at(clock, ids, terms)
}

/// Of these keys by this clock.
pub(super) fn pool_at(
    clock: Clock,
    ids: impl Iterator<Item = ProviderKeyId>,
    terms: &KeyTerms,
) -> Pool {
    let (events, told) = mpsc::channel(10_000);
    let pools = Pools::new(clock.clone(), events);
    let key = |id| {
        Arc::new(PoolKey {
            id,
            secret: Secret::new("s".to_owned()),
            last4: "last".to_owned(),
            weight: 1,
            terms: terms.clone(),
            headers: Vec::new(),
            host: None,
            health: Arc::default(),
        })
    };
    let provider = PoolProvider::new(ProviderParts {
        name: "p".to_owned(),
        base_url: "http://p".to_owned(),
        options: ProviderOptions::default(),
        enabled: true,
        connector: &Fake,
        keys: ids.map(key).collect(),
        health: Arc::default(),
    });
    pools.replace(HashMap::from([("p".to_owned(), Arc::new(provider))]));
    Pool { pools, clock, told }
}

impl Pool {
    pub(super) fn lease(&self, caller: u64, is_last_resort: bool) -> Result<Lease, Idle> {
        self.pools.lease("p", asks(caller, is_last_resort), &[])
    }

    fn any(&self, caller: u64) -> Result<Lease, Idle> {
        self.lease(caller, false)
            .or_else(|_| self.lease(caller, true))
    }

    pub(super) fn keys(&self) -> Vec<Arc<PoolKey>> {
        self.pools.all()["p"].keys.clone()
    }

    /// Every key meets the fault once.
    fn all_fail(&self, caller: u64, fault: &Fault) {
        let mut tried = Vec::new();
        while let Ok(lease) = self.pools.lease("p", asks(caller, true), &tried) {
            tried.push(lease.key().id.clone());
            lease.failed(fault);
        }
    }

    /// Keys that may serve `caller`, be there others or not.
    fn open_to(&self, caller: u64) -> usize {
        let (asker, now) = (asks(caller, false), self.clock.now());
        let is_open = |key: &&Arc<PoolKey>| key.health.block(asker, now).is_none();
        self.keys().iter().filter(is_open).count()
    }

    fn cooling(&self) -> usize {
        let now = self.clock.now();
        let is_cooling =
            |key: &&Arc<PoolKey>| matches!(key.health.shown(now), Shown::Cooling { .. });
        self.keys().iter().filter(is_cooling).count()
    }
}

pub(super) fn limited(seconds: u64) -> Fault {
    Fault::new(FaultKind::RateLimited, "").with_retry_after(Some(Duration::from_secs(seconds)))
}

/// Whatever a provider may answer to a request.
fn fault() -> impl Strategy<Value = Fault> {
    use FaultKind as K;
    let kinds = prop::sample::select(vec![
        K::InvalidKey,
        K::QuotaExhausted,
        K::RateLimited,
        K::Overloaded,
        K::Timeout,
        K::InvalidAnswer,
        K::NotFound,
        K::BadRequest,
        K::ContentPolicy,
        K::Interrupted,
    ]);
    let scopes = prop::sample::select(vec![
        Scope::Request,
        Scope::ModelAtKey,
        Scope::Key,
        Scope::Account,
        Scope::Provider,
    ]);
    let wait = prop::option::of(0_u64..1 << 40);
    (kinds, scopes, wait).prop_map(|(kind, scope, wait)| {
        let fault = Fault::new(kind, "").reaching(scope).with_status(400);
        fault.with_retry_after(wait.map(Duration::from_millis))
    })
}

/// What one call of a script does.
#[derive(Debug, Clone)]
enum Step {
    Fails(Fault),
    Suspected(Fault),
    Succeeds,
    Passes(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => fault().prop_map(Step::Fails),
        2 => fault().prop_map(Step::Suspected),
        1 => Just(Step::Succeeds),
        2 => (0_u64..600_000).prop_map(Step::Passes),
    ]
}

fn run(pool: &Pool, caller: u64, step: &Step) {
    if let Step::Passes(ms) = step {
        pool.clock.advance(Duration::from_millis(*ms));
        return;
    }
    let Ok(lease) = pool.any(caller) else { return };
    match step {
        Step::Fails(fault) => lease.failed(fault),
        Step::Suspected(fault) => lease.suspected(fault),
        Step::Succeeds => lease.succeeded(),
        Step::Passes(_) => {}
    }
}

proptest! {
    #[test]
    fn no_script_of_one_caller_costs_another_one_a_key(
        keys in 1_usize..6,
        script in prop::collection::vec(step(), 1..200),
    ) {
        let pool = pool(keys);
        for step in &script {
            run(&pool, HOSTILE, step);
            prop_assert_eq!(pool.open_to(OTHER), keys, "after {:?}", step);
            let is_served = pool.lease(OTHER, false).is_ok();
            prop_assert!(is_served, "no circuit is open after {:?}", step);
            prop_assert!(pool.cooling() <= share(keys), "{} shown", pool.cooling());
        }
    }

    #[test]
    fn who_was_told_to_wait_by_every_key_is_sent_nowhere_until_the_first_time_is_over(
        waits in prop::collection::vec((busy(), 1_000_u64..3_600_000), 1..9),
    ) {
        let pool = pool(waits.len());
        let mut tried = Vec::new();
        for (kind, ms) in &waits {
            let lease = pool.pools.lease("p", asks(HOSTILE, true), &tried).expect("a key");
            tried.push(lease.key().id.clone());
            let wait = Some(Duration::from_millis(*ms));
            lease.failed(&Fault::new(*kind, "").with_retry_after(wait));
        }
        // That others are served, now and later, says nothing about the caller's own wait.
        pool.clock.advance(Duration::from_millis(1));
        for key in 0..waits.len() {
            if let Ok(lease) = pool.lease(OTHER, false) {
                lease.succeeded();
            }
            prop_assert_eq!(pool.open_to(OTHER), waits.len(), "after {} good calls", key);
        }
        let overloaded_max = u64::try_from(OVERLOADED_MAX.as_millis()).expect("small");
        let believed = |(kind, ms): &(FaultKind, u64)| {
            let is_bound = *kind == FaultKind::Overloaded;
            if is_bound { (*ms).min(overloaded_max) } else { *ms }
        };
        let first = waits.iter().map(believed).min().unwrap_or(0);
        let told = pool.any(HOSTILE).err();
        let is_told = matches!(told, Some(Idle::Rests { wait_ms, .. }) if wait_ms == first - 1);
        prop_assert!(is_told, "{told:?} of {first}");
        pool.clock.advance(Duration::from_millis(first - 2));
        prop_assert!(pool.any(HOSTILE).is_err());
        pool.clock.advance(Duration::from_millis(1));
        prop_assert!(pool.lease(HOSTILE, false).is_ok());
    }

    #[test]
    fn what_two_callers_are_told_holds_for_everybody_while_both_must_wait(
        keys in 1_usize..6,
        waits in prop::array::uniform2((busy(), 1_000_u64..3_600_000)),
    ) {
        let mut pool = pool(keys);
        for (caller, (kind, ms)) in [HOSTILE, OTHER].into_iter().zip(waits) {
            let wait = Some(Duration::from_millis(ms));
            pool.all_fail(caller, &Fault::new(kind, "").with_retry_after(wait));
        }
        let both = waits[0].1.min(waits[1].1);
        prop_assert_eq!(pool.open_to(THIRD), 0);
        prop_assert!(pool.any(THIRD).is_err());
        prop_assert_eq!(pool.cooling(), keys, "an operator sees what all feel");
        let mut told = 0;
        while pool.told.try_recv().is_ok() {
            told += 1;
        }
        prop_assert_eq!(told, keys, "and is told once a key");
        pool.clock.advance(Duration::from_millis(both));
        prop_assert_eq!(pool.open_to(THIRD), keys);
    }

    #[test]
    fn no_state_is_for_ever(
        keys in 1_usize..4,
        script in prop::collection::vec((0_u64..4, step(), prop::bool::weighted(0.05)), 1..200),
    ) {
        let pool = pool(keys);
        for (caller, step, is_refused) in &script {
            run(&pool, *caller, step);
            if *is_refused && let Some(key) = pool.keys().first() {
                let provider = pool.pools.all()["p"].clone();
                pool.pools.switch_off(&provider, key);
            }
        }
        pool.clock.advance(Duration::from_secs(24 * 3_600));
        let now = pool.clock.now();
        for key in pool.keys() {
            let is_usable = key.health.block(asks(OTHER, false), now).is_none();
            prop_assert!(is_usable || key.health.due(now).is_some());
        }
    }
}

#[test]
fn a_pool_that_cools_says_until_when_and_one_caller_cools_a_share_of_it() {
    for (keys, share) in [(1, 1), (2, 1), (4, 1), (8, 2)] {
        let mut pool = pool(keys);
        pool.all_fail(HOSTILE, &limited(3_600));
        assert_eq!(pool.cooling(), share, "of {keys}");
        assert!(pool.lease(OTHER, false).is_ok(), "others are served");
        let own = pool.lease(HOSTILE, false).err();
        let is_told = matches!(
            own,
            Some(Idle::Rests {
                wait_ms: 3_600_000,
                kind: FaultKind::RateLimited
            })
        );
        assert!(is_told, "{own:?}");
        let is_served = pool.lease(HOSTILE, true).is_ok();
        assert!(!is_served, "whoever is told to wait waits, of {keys}");
        let mut told = 0;
        while let Ok(news) = pool.told.try_recv() {
            assert!(matches!(news, GatewayEvent::KeyCooling(_)));
            told += 1;
        }
        assert_eq!(told, share);
    }
}

#[test]
fn what_two_callers_meet_counts_for_all_for_as_long_as_both_say() {
    let pool = pool(1);
    pool.all_fail(HOSTILE, &limited(3_600));
    pool.all_fail(OTHER, &limited(20));
    let third = pool.lease(THIRD, true).err();
    let expected = Idle::Rests {
        wait_ms: 20_000,
        kind: FaultKind::RateLimited,
    };
    assert_eq!(third, Some(expected));
    pool.clock.advance(Duration::from_secs(20));
    assert!(pool.lease(THIRD, false).is_ok());
}

#[test]
fn an_outage_of_the_provider_rests_its_keys_until_one_answers_again() {
    let pool = pool(2);
    let down = Fault::new(FaultKind::Overloaded, "");
    for caller in [HOSTILE, OTHER, HOSTILE, OTHER, THIRD] {
        pool.all_fail(caller, &down);
    }
    assert!(matches!(pool.lease(4, false), Err(Idle::Rests { .. })));
    pool.clock.advance(Duration::from_secs(1));
    let lease = pool.lease(4, true).expect("trying beats refusing");
    lease.succeeded();
    assert!(pool.lease(5, false).is_ok());
}

#[test]
fn what_the_same_body_brought_twice_stays_the_bodys_until_another_caller_says_it_too() {
    let pool = pool(1);
    let empty = Fault::new(FaultKind::QuotaExhausted, "");
    pool.lease(HOSTILE, false).expect("a key").suspected(&empty);
    assert!(pool.lease(HOSTILE, false).is_ok());
    pool.lease(OTHER, false).expect("a key").suspected(&empty);
    assert!(pool.lease(THIRD, false).is_err());
    assert!(pool.lease(THIRD, true).is_ok());
}

#[test]
fn a_model_that_a_key_lacks_rests_for_that_model_alone() {
    let pool = pool(1);
    let lacks = Fault::new(FaultKind::NotFound, "");
    pool.lease(HOSTILE, false).expect("a key").failed(&lacks);
    let other = Asker {
        model: "other",
        ..asks(HOSTILE, false)
    };
    assert!(pool.lease(HOSTILE, false).is_err());
    assert!(pool.pools.lease("p", other, &[]).is_ok());
    assert_eq!(pool.cooling(), 0);
}

#[test]
fn pauses_grow_and_a_success_forgets_them() {
    let pool = pool(1);
    let empty = Fault::new(FaultKind::QuotaExhausted, "");
    let mut waits = Vec::new();
    for _ in 0..3 {
        pool.lease(HOSTILE, true).expect("a key").failed(&empty);
        if let Err(Idle::Rests { wait_ms, .. }) = pool.lease(HOSTILE, false) {
            waits.push(wait_ms / 1_000);
        }
    }
    assert_eq!(waits, [60, 120, 240]);
    pool.clock.advance(Duration::from_secs(1));
    pool.lease(OTHER, false).expect("a key").succeeded();
    assert!(pool.lease(HOSTILE, false).is_ok(), "it is good after all");
}

#[test]
fn a_key_that_is_off_is_asked_again_with_growing_pauses() {
    let pool = pool(1);
    let provider = pool.pools.all()["p"].clone();
    let key = pool.keys()[0].clone();
    assert!(key.health.begin_check(pool.clock.now()));
    assert!(
        !key.health.begin_check(pool.clock.now()),
        "not twice at once"
    );
    pool.pools.switch_off(&provider, &key);
    assert!(matches!(pool.any(OTHER), Err(Idle::NoKey)));
    let mut pauses = Vec::new();
    for _ in 0..12 {
        let before = pool.clock.now();
        while key.health.due(pool.clock.now()).is_none() {
            pool.clock.advance(Duration::from_secs(60));
        }
        pauses.push(pool.clock.now().since(before).as_secs() / 60);
        let (_, next) = key.health.due(pool.clock.now()).expect("due");
        key.health.stays_off(next);
    }
    assert_eq!(pauses[..4], [1, 2, 4, 8]);
    assert_eq!(pauses[11], 360);
    pool.pools.recovered(&provider, &key);
    assert!(pool.lease(OTHER, false).is_ok());
}

#[test]
fn an_operators_word_stays_also_when_the_provider_was_just_asked() {
    let pool = pool(1);
    let provider = pool.pools.all()["p"].clone();
    let key = pool.keys()[0].clone();
    pool.pools.switch_off(&provider, &key);
    // It comes while a question is on its way; then that is answered well.
    let off = Off {
        reason: Some("by an operator".to_owned()),
        probe_at: None,
    };
    key.health.set_off(Some(off.clone()));
    pool.pools.recovered(&provider, &key);
    assert_eq!(key.health.shown(pool.clock.now()), Shown::Off(off));
    assert!(matches!(pool.any(OTHER), Err(Idle::NoKey)));
    key.health.set_off(None);
    assert!(pool.lease(OTHER, false).is_ok());
}

#[test]
fn a_success_ends_what_was_a_guess_and_not_what_a_caller_was_told() {
    let pool = pool(1);
    let guessed = Fault::new(FaultKind::QuotaExhausted, "");
    pool.lease(HOSTILE, false).expect("a key").failed(&guessed);
    let told = Fault::new(FaultKind::Overloaded, "").with_retry_after(Some(Duration::from_secs(9)));
    pool.lease(THIRD, false).expect("a key").failed(&told);
    pool.clock.advance(Duration::from_secs(1));
    pool.lease(OTHER, true).expect("a key").succeeded();
    assert!(pool.lease(HOSTILE, false).is_ok());
    assert!(pool.lease(THIRD, true).is_err());
    pool.clock.advance(Duration::from_secs(8));
    assert!(pool.lease(THIRD, false).is_ok());
}
