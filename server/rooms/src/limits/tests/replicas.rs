//! Replicas that share their limits: together, when one dies, and while nothing is shared.

use std::net::Ipv4Addr;

use tokio::net::{TcpListener, TcpStream};

use super::super::*;
use super::setup::{Caller, Setup, local, on_redis, redis_url};
use super::{UNLIMITED, concurrency, requests};

#[tokio::test]
async fn replicas_share_one_limit_and_never_admit_more() {
    let caller = Arc::new(Caller::new(requests(40), UNLIMITED));
    let replicas: Vec<Arc<Setup>> = (0..4).map(|_| Arc::new(on_redis())).collect();
    let calls = (0..200).map(|n| {
        let (caller, setup) = (caller.clone(), replicas[n % 4].clone());
        async move { caller.call(&setup, 1).await.is_ok() }
    });
    let admitted = futures_util::future::join_all(calls).await;
    assert_eq!(admitted.into_iter().filter(|ok| *ok).count(), 40);
}

#[tokio::test]
async fn slots_of_a_replica_that_died_come_free_and_those_of_a_living_one_stay() {
    let (dead, living) = (on_redis(), on_redis());
    let caller = Caller::new(concurrency(2), UNLIMITED);
    // Its task never hears of the end, as if the process were gone.
    std::mem::forget(caller.call(&dead, 1).await.expect("the first slot"));
    let running = caller.call(&living, 1).await.expect("the second slot");
    living.clock.advance(Duration::from_secs(40));
    living
        .limits
        .redis
        .as_ref()
        .expect("on Redis")
        .renew()
        .await;
    caller.call(&living, 1).await.expect_err("both are taken");
    living.clock.advance(Duration::from_secs(40));
    let freed = caller.call(&living, 1).await.expect("the dead one's slot");
    caller
        .call(&living, 1)
        .await
        .expect_err("the renewed one is still there");
    drop((freed, running));
}

#[tokio::test]
async fn without_redis_each_replica_counts_alone_until_it_is_back() {
    let mut setup = local();
    let reserved = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .expect("a free port");
    let place = reserved.local_addr().expect("bound");
    drop(reserved);
    let redis = RedisLimits::start_with(&format!("redis://{place}"), None, &Supervisor::new());
    setup.limits.redis = Some(redis.expect("a usable address"));
    let caller = Caller::new(requests(3), UNLIMITED);
    let began = std::time::Instant::now();
    for _ in 0..3 {
        caller.call(&setup, 1).await.expect("counted here");
    }
    caller
        .call(&setup, 1)
        .await
        .expect_err("limits hold without Redis");
    assert!(
        began.elapsed() < Duration::from_secs(1),
        "nobody waits for what is away"
    );

    let listener = TcpListener::bind(place).await.expect("the port again");
    let upstream = redis_url()
        .trim_start_matches("redis://")
        .trim_end_matches('/')
        .to_owned();
    let supervisor = Supervisor::new();
    supervisor.spawn("proxy", async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let Ok(mut server) = TcpStream::connect(&upstream).await else {
                break;
            };
            Supervisor::new().spawn("pipe", async move {
                let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        // Redis has not seen this tenant yet.
        if caller.call(&setup, 1).await.is_ok() {
            return;
        }
    }
    panic!("Redis was not asked again");
}

#[tokio::test]
async fn an_address_of_redis_that_is_none_is_refused_at_start() {
    let clock = Clock::system();
    let refused = Limits::new(&clock, Some("localhost:6379"), &Supervisor::new());
    assert!(
        refused
            .expect_err("no scheme")
            .to_string()
            .starts_with("REDIS_URL is not usable")
    );
}
