//! Two gateways that share a Redis: never more than one may have, also when one dies, while Redis is away,
//! and when it is back.

use std::process::{Child, Command, Stdio};

use futures_util::future::join_all;
use shared::clock::Clock;

use super::*;
use crate::pool::ask::Size;
use crate::pool::health::Asker;
use crate::pool::tests::{Pool, asks, pool_at};
use crate::pool::{Idle, Lease};

/// Long, so that a busy machine fails no test.
const PACE: JointPace = JointPace {
    life: Duration::from_secs(60),
    answer_max: Duration::from_secs(5),
};

#[expect(
    clippy::disallowed_methods,
    reason = "tests are told by ./test.sh where Redis is"
)]
fn redis_url() -> String {
    std::env::var("TEST_REDIS_URL").expect("TEST_REDIS_URL is not set: run ./test.sh")
}

/// One gateway's pool.
struct Node {
    pool: Pool,
    joint: Arc<JointMeters>,
    supervisor: Supervisor,
}

fn node_at(url: &str, pace: JointPace, key: &ProviderKeyId, terms: &KeyTerms) -> Node {
    let supervisor = Supervisor::new();
    let joint = JointMeters::start_with(url, pace, &supervisor).expect("a usable address");
    let mut pool = pool_at(Clock::system(), std::iter::once(key.clone()), terms);
    pool.pools = pool.pools.counting_with(Some(joint.clone()));
    Node {
        pool,
        joint,
        supervisor,
    }
}

fn node(key: &ProviderKeyId, terms: &KeyTerms) -> Node {
    node_at(&redis_url(), PACE, key, terms)
}

impl Node {
    async fn lease(&self) -> Result<Lease, Idle> {
        self.lease_for(0).await
    }

    async fn lease_for(&self, input: u64) -> Result<Lease, Idle> {
        let asker = Asker {
            size: Size {
                input,
                output_max: 0,
            },
            ..asks(1, false)
        };
        self.pool.pools.lease_joint("p", asker, &[]).await
    }

    /// Until there is room, within some seconds.
    async fn eventually(&self, input: u64) -> Lease {
        for _ in 0..300 {
            if let Ok(lease) = self.lease_for(input).await {
                return lease;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("there was never room");
    }
}

fn at_once(most: u32) -> KeyTerms {
    KeyTerms {
        calls_at_once: Some(most),
        ..KeyTerms::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn gateways_never_take_more_together_than_one_may() {
    let requests = KeyTerms {
        requests_per_minute: Some(40),
        ..KeyTerms::default()
    };
    let tokens = KeyTerms {
        tokens_per_minute: Some(1_000),
        ..KeyTerms::default()
    };
    for (terms, expected) in [(requests, 40), (tokens, 10), (at_once(7), 7)] {
        let key = ProviderKeyId::random();
        let nodes = [node(&key, &terms), node(&key, &terms)];
        let leases = (0..200).map(|n| nodes[n % 2].lease_for(100));
        let leases: Vec<Lease> = join_all(leases).await.into_iter().flatten().collect();
        assert_eq!(leases.len(), expected, "{terms:?}");
        let answered = |answer| nodes.iter().map(move |node| node.joint.answered(answer));
        assert_eq!(answered("none").sum::<u64>(), 0, "Redis is there");
        assert!(answered("full").sum::<u64>() > 0);
        // Another deployment's key has room of its own.
        let other = node(&ProviderKeyId::random(), &terms);
        other.lease_for(100).await.expect("room");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn places_are_never_short_by_more_than_run() {
    let key = ProviderKeyId::random();
    let nodes = [node(&key, &at_once(5)), node(&key, &at_once(5))];
    let (running, done) = (AtomicI64::new(0), AtomicI64::new(0));
    let calls = (0..120).map(|n| {
        let (node, running, done) = (&nodes[n % 2], &running, &done);
        async move {
            let lease = node.eventually(0).await;
            let now = running.fetch_add(1, Ordering::SeqCst) + 1;
            assert!(now <= 5, "{now} at once");
            tokio::time::sleep(Duration::from_millis(5)).await;
            running.fetch_sub(1, Ordering::SeqCst);
            drop(lease);
            done.fetch_add(1, Ordering::SeqCst);
        }
    });
    join_all(calls).await;
    assert_eq!(done.load(Ordering::SeqCst), 120);
    for node in &nodes {
        assert_eq!(node.joint.answered("none"), 0, "Redis is there");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_used_or_not_sent_is_there_for_the_others() {
    let terms = KeyTerms {
        tokens_per_minute: Some(1_000),
        requests_per_minute: Some(2),
        ..KeyTerms::default()
    };
    let key = ProviderKeyId::random();
    let (one, two) = (node(&key, &terms), node(&key, &terms));
    let large = one.lease_for(1_000).await.expect("all of it");
    assert!(two.lease_for(500).await.is_err(), "nothing is left");
    let usage = shared::units::Usage::of([(shared::units::Unit::InputToken, 400)]);
    large.used(&usage);
    drop(large);
    let unsent = two.eventually(600).await;
    assert!(one.lease_for(0).await.is_err(), "two requests");
    unsent.never_sent();
    drop(unsent);
    let _third = one.eventually(600).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_places_of_a_gateway_that_died_come_free_and_those_of_a_living_one_stay() {
    let pace = JointPace {
        life: Duration::from_millis(1_500),
        ..PACE
    };
    let key = ProviderKeyId::random();
    let at = |pace| node_at(&redis_url(), pace, &key, &at_once(2));
    let (dead, living) = (at(pace), at(pace));
    std::mem::forget(dead.lease().await.expect("the first place"));
    // Nobody keeps it any more.
    dead.supervisor.stop();
    let _kept = living.lease().await.expect("the second place");
    assert!(living.lease().await.is_err(), "both are taken");
    let _freed = living.eventually(0).await;
    let third = at(pace);
    for _ in 0..20 {
        assert!(third.lease().await.is_err(), "both run");
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_waits_hears_of_room_at_another_gateway() {
    let key = ProviderKeyId::random();
    let (one, two) = (node(&key, &at_once(1)), node(&key, &at_once(1)));
    let running = one.lease().await.expect("room");
    assert!(two.lease().await.is_err(), "it is taken");
    let freeing = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        drop(running);
    };
    let limit = Duration::from_secs(10);
    let waiting = two.pool.pools.wait("p", asks(1, false), limit);
    let (waited, ()) = tokio::join!(waiting, freeing);
    drop(waited.expect("room in time"));
    assert_eq!(two.pool.pools.waits.ended("served"), 1);
}

/// A Redis of its own.
struct OwnRedis {
    child: Child,
    port: u16,
}

impl OwnRedis {
    fn start(port: Option<u16>) -> Self {
        let port = port.unwrap_or_else(|| {
            let probe = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
            probe.local_addr().expect("bound").port()
        });
        let child = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .args(["--port", &port.to_string()])
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server is installed");
        Self { child, port }
    }
}

impl Drop for OwnRedis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_each_counts_alone_and_tells_it_of_all_that_runs_when_it_is_back() {
    let redis = OwnRedis::start(None);
    let port = redis.port;
    let pace = JointPace {
        life: Duration::from_secs(3),
        answer_max: Duration::from_secs(1),
    };
    let key = ProviderKeyId::random();
    let url = format!("redis://127.0.0.1:{port}");
    let at = || node_at(&url, pace, &key, &at_once(3));
    let (one, two) = (at(), at());
    for node in [&one, &two] {
        // It is asked until it listens.
        while node.joint.answered("room") == 0 {
            let lease = node.lease().await;
            drop(lease);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    let mut running = vec![one.eventually(0).await, two.eventually(0).await];
    drop(redis);
    let began = std::time::Instant::now();
    for node in [&one, &one, &two] {
        running.push(node.lease().await.expect("no call fails because of it"));
    }
    assert!(one.lease().await.is_err(), "its own limit holds");
    let took = began.elapsed();
    assert!(
        took < Duration::from_secs(4),
        "{took:?}: not each call waits"
    );
    assert!(one.joint.answered("none") + two.joint.answered("none") >= 3);

    let _redis = OwnRedis::start(Some(port));
    // Five run: the second one has a place left by itself, and by all none.
    let mut is_refused = false;
    for _ in 0..200 {
        is_refused = two.lease().await.is_err();
        if is_refused {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(is_refused, "it counts what runs at the other one");
    running.clear();
    let held = [one.eventually(0).await, one.eventually(0).await];
    let third = two.eventually(0).await;
    assert!(two.lease().await.is_err(), "three run again");
    drop((held, third));
}

#[tokio::test]
async fn a_call_that_is_dropped_while_redis_is_asked_was_never_made() {
    // It takes a connection and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = silent.local_addr().expect("bound").port();
    let terms = KeyTerms {
        requests_per_minute: Some(1),
        ..KeyTerms::default()
    };
    let url = format!("redis://127.0.0.1:{port}");
    let node = node_at(&url, PACE, &ProviderKeyId::random(), &terms);
    let asked = tokio::time::timeout(Duration::from_millis(50), node.lease()).await;
    assert!(asked.is_err(), "it has no answer");
    let (key, now) = (&node.pool.keys()[0], node.pool.clock.now());
    assert_eq!(key.health.minute(now), (0, 0));
    assert_eq!(key.health.in_flight(), 0);
}

#[tokio::test]
async fn an_address_that_is_none_is_refused_at_start() {
    let refused = JointMeters::start_with("localhost:6379", PACE, &Supervisor::new());
    let why = refused.expect_err("no scheme").to_string();
    assert!(why.starts_with("GATEWAY_REDIS_URL is not usable"), "{why}");
}
