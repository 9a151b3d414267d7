//! Limits on one of both counters, and callers of them.

use shared::clock::Moment;
use shared::id::{ApiKeyId, TenantId};

use super::super::*;

#[expect(
    clippy::disallowed_methods,
    reason = "tests are told by ./test.sh where Redis is"
)]
pub(super) fn redis_url() -> String {
    std::env::var("TEST_REDIS_URL").expect("TEST_REDIS_URL is not set: run ./test.sh")
}

pub(super) struct Setup {
    pub(super) name: &'static str,
    pub(super) limits: Limits,
    pub(super) clock: Clock,
}

/// The same clock for both, so that Redis can be moved through time too.
pub(super) fn local() -> Setup {
    let clock = Clock::fixed(Moment::from_unix_ms(1_800_000_000_000));
    let limits = Limits::new(&clock, None, &Supervisor::new()).expect("no address to refuse");
    Setup {
        name: "local",
        limits,
        clock,
    }
}

pub(super) fn on_redis() -> Setup {
    let Setup {
        mut limits, clock, ..
    } = local();
    let redis = RedisLimits::start_with(&redis_url(), Some(clock.clone()), &Supervisor::new());
    limits.redis = Some(redis.expect("a usable address"));
    Setup {
        name: "redis",
        limits,
        clock,
    }
}

pub(super) fn both() -> [Setup; 2] {
    [local(), on_redis()]
}

pub(super) struct Caller {
    pub(super) tenant: TenantId,
    pub(super) key: ApiKeyId,
    pub(super) tenant_limits: LimitSettings,
    pub(super) key_limits: LimitSettings,
}

impl Caller {
    pub(super) fn new(tenant_limits: LimitSettings, key_limits: LimitSettings) -> Self {
        Self {
            tenant: TenantId::random(),
            key: ApiKeyId::random(),
            tenant_limits,
            key_limits,
        }
    }

    pub(super) async fn call(
        &self,
        setup: &Setup,
        tokens: u64,
    ) -> Result<Admission, LimitExceeded> {
        self.call_as(setup, tokens, &GenerationId::random()).await
    }

    async fn call_as(
        &self,
        setup: &Setup,
        tokens: u64,
        generation: &GenerationId,
    ) -> Result<Admission, LimitExceeded> {
        let scopes = Scopes {
            tenant: self.tenant.as_str(),
            tenant_limits: self.tenant_limits,
            key: Some(self.key.as_str()),
            key_limits: self.key_limits,
            parent: None,
            generation: generation.as_str(),
            tokens,
        };
        setup.limits.admit_scopes(&scopes).await
    }

    /// Waits for what the task in the background tells Redis.
    pub(super) async fn eventually(&self, setup: &Setup, tokens: u64) -> Admission {
        for _ in 0..200 {
            if let Ok(admission) = self.call(setup, tokens).await {
                return admission;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{}: the call was never admitted", setup.name);
    }
}
