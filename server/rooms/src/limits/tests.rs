//! The limits as their callers see them, in this process and in Redis.

mod replicas;
mod setup;

use std::net::{IpAddr, Ipv4Addr};

use shared::id::{ApiKeyId, TenantId};

use self::setup::{Caller, both, local, on_redis};
use super::*;

const UNLIMITED: LimitSettings = LimitSettings {
    requests_per_minute: None,
    tokens_per_minute: None,
    concurrency: None,
};

fn requests(limit: u32) -> LimitSettings {
    LimitSettings {
        requests_per_minute: Some(limit),
        ..UNLIMITED
    }
}

fn tokens(limit: u64) -> LimitSettings {
    LimitSettings {
        tokens_per_minute: Some(limit),
        ..UNLIMITED
    }
}

fn concurrency(limit: u32) -> LimitSettings {
    LimitSettings {
        concurrency: Some(limit),
        ..UNLIMITED
    }
}

#[tokio::test]
async fn the_call_above_the_limit_is_refused_and_fits_when_it_was_told_to_come_back() {
    for setup in both() {
        let caller = Caller::new(requests(5), UNLIMITED);
        for remaining in (0..5).rev() {
            let info = caller.call(&setup, 1).await.expect(setup.name).info;
            assert_eq!(
                info.requests.map(|left| left.remaining),
                Some(remaining),
                "{}",
                setup.name
            );
        }
        let refused = caller.call(&setup, 1).await.expect_err(setup.name);
        assert_eq!(
            (refused.what, refused.scope),
            (LimitWhat::Requests, LimitScope::Tenant)
        );
        assert_eq!(
            refused.retry_after,
            Duration::from_secs(12),
            "{}",
            setup.name
        );
        assert_eq!(
            refused.message(),
            "Rate limit reached for your organisation: 5 requests per minute. Try again in 12s."
        );
        setup.clock.advance(Duration::from_millis(11_999));
        caller.call(&setup, 1).await.expect_err(setup.name);
        setup.clock.advance(Duration::from_millis(1));
        caller.call(&setup, 1).await.expect(setup.name);
    }
}

#[tokio::test]
async fn a_refused_call_is_counted_in_no_scope() {
    for setup in both() {
        let caller = Caller::new(requests(10), requests(1));
        let info = caller.call(&setup, 1).await.expect(setup.name).info;
        assert_eq!(
            info.requests.map(|left| (left.limit, left.remaining)),
            Some((1, 0))
        );
        for _ in 0..20 {
            let refused = caller.call(&setup, 1).await.expect_err(setup.name);
            assert_eq!(refused.scope, LimitScope::Key);
        }
        let other_key = Caller {
            key: ApiKeyId::random(),
            key_limits: UNLIMITED,
            ..caller
        };
        let info = other_key.call(&setup, 1).await.expect(setup.name).info;
        assert_eq!(
            info.requests.map(|left| left.remaining),
            Some(8),
            "{}",
            setup.name
        );
    }
}

#[tokio::test]
async fn estimated_tokens_are_corrected_when_the_call_has_ended() {
    for setup in both() {
        let caller = Caller::new(tokens(1_000), UNLIMITED);
        let admission = caller.call(&setup, 900).await.expect(setup.name);
        assert_eq!(
            caller.call(&setup, 200).await.expect_err(setup.name).what,
            LimitWhat::Tokens
        );
        admission.correct(100);
        let admission = caller.eventually(&setup, 900).await;
        assert_eq!(
            admission.info.tokens.map(|left| left.remaining),
            Some(0),
            "{}",
            setup.name
        );
        admission.correct(2_900);
        let mut refused = caller.call(&setup, 1).await.expect_err(setup.name);
        for _ in 0..200 {
            if refused.retry_after > Duration::from_secs(60) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
            refused = caller.call(&setup, 1).await.expect_err(setup.name);
        }
        // 3,000 of 1,000 are used: 2,001 must drain before one fits.
        assert_eq!(
            refused.retry_after,
            Duration::from_millis(120_060),
            "{}",
            setup.name
        );
    }
}

#[tokio::test]
async fn a_slot_is_free_again_when_its_call_ends_however_it_ends() {
    for setup in both() {
        let caller = Caller::new(concurrency(2), concurrency(1));
        let first = caller.call(&setup, 1).await.expect(setup.name);
        let refused = caller.call(&setup, 1).await.expect_err(setup.name);
        assert_eq!(
            (refused.what, refused.scope),
            (LimitWhat::Concurrency, LimitScope::Key)
        );
        assert_eq!(refused.limit, 1);
        drop(first);
        let second = caller.eventually(&setup, 1).await;
        second.correct(5);
        drop(caller.eventually(&setup, 1).await);
    }
}

#[tokio::test]
async fn both_counters_give_the_same_answers() {
    let (here, there) = (local(), on_redis());
    let limits = |r, t| LimitSettings {
        requests_per_minute: Some(r),
        tokens_per_minute: Some(t),
        concurrency: None,
    };
    let caller = Caller::new(limits(30, 4_000), limits(20, 3_000));
    let mut state = 7_u64;
    let mut draw = move |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let mut admitted = 0;
    for step in 0..500 {
        let gap = Duration::from_millis(draw(6_000));
        here.clock.advance(gap);
        there.clock.advance(gap);
        let cost = draw(500) + if step % 50 == 0 { 3_500 } else { 0 };
        match (
            caller.call(&here, cost).await,
            caller.call(&there, cost).await,
        ) {
            (Ok(a), Ok(b)) => {
                assert_eq!(a.info, b.info, "step {step}");
                admitted += 1;
            }
            (Err(a), Err(b)) => assert_eq!(a, b, "step {step}"),
            (a, b) => panic!("step {step}: {a:?} and {b:?}"),
        }
    }
    assert!(
        (100..400).contains(&admitted),
        "both outcomes must be seen: {admitted}"
    );
}

#[tokio::test]
async fn the_unlimited_take_no_lock_and_leave_no_trace() {
    let setup = local();
    let caller = Caller::new(UNLIMITED, UNLIMITED);
    let admission = caller.call(&setup, u64::MAX).await.expect("no limit");
    assert_eq!(admission.info, LimitInfo::default());
    assert_eq!(setup.limits.local.buckets(), 0);
}

#[tokio::test]
async fn idle_callers_are_forgotten_and_their_number_is_bounded() {
    let setup = local();
    for _ in 0..20_000 {
        let caller = Caller::new(requests(60), UNLIMITED);
        caller.call(&setup, 1).await.expect("its first call");
        // A request of 60 a minute has drained after a second.
        setup.clock.advance(Duration::from_millis(1));
    }
    let buckets = setup.limits.local.buckets();
    assert!(buckets < 10_000, "{buckets} are remembered");
}

#[tokio::test]
async fn logins_are_limited_alike_by_both_counters() {
    for setup in both() {
        let limits = &setup.limits;
        let account = TenantId::random().into_string();
        let address = IpAddr::V4(Ipv4Addr::from_bits(rand::random()));
        let allow = || limits.allow_login(&account, address);
        for seconds in [0, 0, 0, 1, 2, 4, 8] {
            allow().await.expect(setup.name);
            limits.login_failed(&account, address).await;
            let wait = allow().await.err().unwrap_or_default();
            assert_eq!(wait, Duration::from_secs(seconds), "{}", setup.name);
            if seconds == 0 {
                limits.login_succeeded("another", address).await;
            }
            setup.clock.advance(Duration::from_secs(60));
        }
        allow().await.expect(setup.name);
        limits.login_succeeded(&account, address).await;
        for _ in 0..30 {
            allow().await.expect(setup.name);
            limits.login_succeeded(&account, address).await;
        }
        for _ in 0..5 {
            allow().await.expect(setup.name);
        }
        let wait = allow().await.expect_err(setup.name);
        assert_eq!(wait, Duration::from_secs(12), "{}", setup.name);
    }
}
