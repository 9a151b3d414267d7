//! Room: requests and tokens a minute and running calls, for a key and its tenant at once, and
//! attempts to log in. Counts in this process, or in Redis when replicas must share; knows no call.
//!
//! A call is admitted before its body is read; its tokens are taken by estimate when it was, and
//! corrected when it has ended.
//! The burst rule is told in `rate_meter`. Where Redis is away, each process counts alone until it is
//! back: limits must not take the product down.

pub mod info;
mod lease;
mod local;
mod login;
mod rate_meter;
mod redis;
mod scopes;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use server_rules::access::Principal;
pub use server_rules::limits::LimitSettings;
use shared::clock::Clock;
use shared::id::GenerationId;
use shared::supervisor::Supervisor;

pub use self::info::{Left, LimitInfo};
use self::lease::{Counter, Lease};
use self::local::Local;
pub use self::login::LoginFrom;
use self::login::{Attempt, LoginBook};
use self::redis::RedisLimits;
use self::scopes::Scopes;

/// What ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitWhat {
    /// Calls a minute.
    Requests,
    /// Tokens a minute.
    Tokens,
    /// Calls at the same time.
    Concurrency,
}

/// Whose limit it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitScope {
    /// The key's.
    Key,
    /// The one's of the key that made it.
    Parent,
    /// The tenant's, over all its keys and people.
    Tenant,
}

/// A call that wants to run.
#[derive(Debug, Clone, Copy)]
pub struct Admit<'a> {
    /// Who calls.
    pub principal: &'a Principal,
    /// The call.
    pub generation: &'a GenerationId,
    /// Its estimated tokens.
    pub tokens: u64,
}

/// A limit is reached; nothing was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the limit of {what:?} of the {scope:?} is reached")]
pub struct LimitExceeded {
    /// What ran out.
    pub what: LimitWhat,
    /// Whose limit.
    pub scope: LimitScope,
    /// When the call would fit.
    pub retry_after: Duration,
    /// What is left.
    pub info: LimitInfo,
    /// How much is allowed.
    pub limit: u64,
}

impl LimitExceeded {
    /// What a tenant reads.
    pub fn message(&self) -> String {
        let scope = match self.scope {
            LimitScope::Key => "this key",
            LimitScope::Parent => "this key's parent key",
            LimitScope::Tenant => "your organisation",
        };
        let limit = self.limit;
        let what = match self.what {
            LimitWhat::Requests => "requests per minute",
            LimitWhat::Tokens => "tokens per minute",
            LimitWhat::Concurrency => "calls at the same time",
        };
        let wait = info::go_duration(self.retry_after);
        format!("Rate limit reached for {scope}: {limit} {what}. Try again in {wait}.")
    }
}

/// What one backend says to a call that does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Refusal {
    what: LimitWhat,
    scope: LimitScope,
    retry_after: Duration,
    info: LimitInfo,
}

/// Counts calls and logins; cheap to clone.
#[derive(Debug, Clone)]
pub struct Limits {
    local: Arc<Local>,
    redis: Option<Arc<RedisLimits>>,
    logins: Arc<LoginBook>,
}

/// The address of Redis can't be used.
#[derive(Debug, thiserror::Error)]
#[error("REDIS_URL is not usable: {0}")]
pub struct LimitsError(String);

impl Limits {
    /// Counts in this process, and in Redis when there is an address; Redis may be away for now.
    pub fn new(
        clock: &Clock,
        redis_url: Option<&str>,
        supervisor: &Supervisor,
    ) -> Result<Self, LimitsError> {
        let url = redis_url.filter(|url| !url.is_empty());
        let redis = url
            .map(|url| RedisLimits::start(url, supervisor))
            .transpose()?;
        Ok(Self {
            local: Arc::new(Local::new(clock.clone())),
            redis,
            logins: Arc::new(LoginBook::new(clock.clone())),
        })
    }

    /// Whether Redis answers; `None` where this process counts alone.
    pub async fn redis_answers(&self) -> Option<bool> {
        match &self.redis {
            Some(redis) => Some(redis.ping().await),
            None => None,
        }
    }

    /// Counts a call in all its scopes, or refuses it and counts nothing.
    pub async fn admit(&self, call: Admit<'_>) -> Result<Admission, LimitExceeded> {
        self.admit_scopes(&Scopes::new(&call)).await
    }

    async fn admit_scopes(&self, scopes: &Scopes<'_>) -> Result<Admission, LimitExceeded> {
        if scopes.limited().next().is_none() {
            return Ok(Admission::uncounted());
        }
        let shared = match &self.redis {
            Some(redis) => redis
                .admit(scopes)
                .await
                .map(|verdict| (verdict, Counter::Redis(redis.clone()))),
            None => None,
        };
        let (verdict, counter) = shared
            .unwrap_or_else(|| (self.local.admit(scopes), Counter::Local(self.local.clone())));
        match verdict {
            Ok(info) => Ok(Admission {
                info,
                lease: Some(Lease::new(scopes, counter)),
            }),
            Err(refusal) => Err(exceeded(scopes, refusal)),
        }
    }

    /// Counts an attempt to log in; `Err` tells how long to wait.
    pub async fn allow_login(
        &self,
        account: &str,
        from: impl Into<LoginFrom<'_>>,
    ) -> Result<(), Duration> {
        let attempt = Attempt::new(account, from.into());
        let shared = match &self.redis {
            Some(redis) => redis.allow_login(&attempt).await,
            None => None,
        };
        let wait = shared.unwrap_or_else(|| self.logins.allow(&attempt));
        if wait == Duration::ZERO {
            Ok(())
        } else {
            Err(wait)
        }
    }

    /// The password was wrong: each further failure makes the next attempt wait longer.
    pub async fn login_failed(&self, account: &str, from: impl Into<LoginFrom<'_>>) {
        let attempt = Attempt::new(account, from.into());
        if !self.redis_counts(&attempt, "failed").await {
            self.logins.failed(&attempt);
        }
    }

    /// The password was right: the failures are forgotten and the attempt costs nothing.
    pub async fn login_succeeded(&self, account: &str, from: impl Into<LoginFrom<'_>>) {
        let attempt = Attempt::new(account, from.into());
        if !self.redis_counts(&attempt, "succeeded").await {
            self.logins.succeeded(&attempt);
        }
    }

    /// Whether Redis took note of how an attempt ended; without it this process does.
    async fn redis_counts(&self, attempt: &Attempt, how: &str) -> bool {
        match &self.redis {
            Some(redis) => redis.login_ended(attempt, how).await.is_some(),
            None => false,
        }
    }
}

fn exceeded(scopes: &Scopes<'_>, refusal: Refusal) -> LimitExceeded {
    let Refusal {
        what,
        scope,
        retry_after,
        info,
    } = refusal;
    let limits = match scope {
        LimitScope::Key => scopes.key_limits,
        LimitScope::Parent => scopes.parent.map(|(_, limits)| limits).unwrap_or_default(),
        LimitScope::Tenant => scopes.tenant_limits,
    };
    let limit = match what {
        LimitWhat::Requests => limits.requests_per_minute.map(u64::from),
        LimitWhat::Tokens => limits.tokens_per_minute,
        LimitWhat::Concurrency => limits.concurrency.map(u64::from),
    };
    LimitExceeded {
        what,
        scope,
        retry_after,
        info,
        limit: limit.unwrap_or(0),
    }
}

/// A call that is counted; dropping it frees its slots.
#[derive(Debug)]
pub struct Admission {
    /// What is left.
    pub info: LimitInfo,
    lease: Option<Lease>,
}

impl Admission {
    /// Of a call that no limit counts.
    pub fn uncounted() -> Self {
        Self {
            info: LimitInfo::default(),
            lease: None,
        }
    }

    /// Counts the tokens that the call may use, or refuses it and counts none.
    pub async fn take_tokens(&mut self, tokens: u64) -> Result<(), LimitExceeded> {
        let Some(lease) = &mut self.lease else {
            return Ok(());
        };
        lease.tokens = tokens;
        let scopes = lease.scopes();
        if scopes
            .limited()
            .all(|scope| scope.limits.tokens_per_minute.is_none())
        {
            return Ok(());
        }
        let verdict = match &lease.counter {
            Counter::Local(local) => Some(local.take_tokens(&scopes)),
            Counter::Redis(redis) => redis.take_tokens(&scopes).await,
        };
        match verdict {
            Some(Ok(info)) => {
                self.info.tokens = info.tokens;
                Ok(())
            }
            Some(Err(mut refusal)) => {
                refusal.info.requests = self.info.requests;
                let exceeded = exceeded(&scopes, refusal);
                lease.tokens = 0;
                Err(exceeded)
            }
            // Redis went away in between; what it did not count is not corrected either.
            None => {
                lease.tokens = 0;
                Ok(())
            }
        }
    }

    /// Takes everything back: nothing was done for the call.
    pub fn undo(mut self) {
        if let Some(lease) = self.lease.take() {
            lease.undo();
        }
    }

    /// Replaces the estimate by the tokens that were used, and frees the slots.
    pub fn correct(mut self, actual_tokens: u64) {
        if let Some(lease) = self.lease.take() {
            lease.finish(Some(actual_tokens));
        }
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        // A call whose usage is not known keeps its estimate.
        if let Some(lease) = self.lease.take() {
            lease.finish(None);
        }
    }
}
