//! Authenticates a request: credentials to principal, with a cache that forgets within a second.
//! Knows no HTTP but header names, and changes nothing.
//!
//! `watch` polls the announced changes four times a second. A cached principal is trusted only
//! while the last successful poll is young; where a poll is late it is waited for, by all together,
//! and where polls fail the principal is read from the database again: without a database there is no
//! access.

pub mod api_key;
mod cache;
mod credential;
pub mod devices;
pub mod factors;
pub mod form_key;
pub(crate) mod loading;
mod loads;
pub mod password;
pub mod roles;
mod signing;
pub mod token;
pub mod totp;
mod watch;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

pub use self::watch::Watched;
use http::HeaderMap;
pub use server_rules::access::{Network, Parent, Principal, Role};
use server_store::Store;
use server_store::accounts::Superadmin;
use server_store::sessions::Session;
use shared::clock::Clock;
use shared::db::DbError;
use shared::id::{SessionId, SuperadminId, TenantId};
use tokio::sync::watch as watch_channel;

use self::cache::{Cache, Known};
use self::credential::{Credential, credential};
use self::loads::Loads;
use self::token::{TokenKind, Tokens};

/// After this without a successful poll a cached principal is not trusted: with it a revocation is
/// seen within a second even when a poll fails.
const POLL_TRUSTED: Duration = Duration::from_millis(900);
/// Why a request was not let in.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// No credential, or one that is unknown, revoked, expired or of somebody disabled.
    #[error("no valid credential")]
    Invalid,
    /// The key may not be used from there.
    #[error("the key may not be used from this address")]
    AddressNotAllowed,
    /// Nobody can be let in while the database is away.
    #[error(transparent)]
    Unavailable(#[from] DbError),
}

/// Lets requests in; cheap to clone.
#[derive(Debug, Clone)]
pub struct Auth(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    tokens: Tokens,
    cache: Cache,
    loads: Loads,
    clock: Clock,
    polled_at: AtomicI64,
    /// Whether the last poll went well; told anew after each one.
    polls: watch_channel::Sender<bool>,
}

impl Auth {
    /// Over a store; call [`Auth::watch`] once.
    pub fn new(store: Store, tokens: Tokens, clock: Clock) -> Self {
        Self(Arc::new(Inner {
            store,
            tokens,
            cache: Cache::default(),
            loads: Loads::default(),
            clock,
            polled_at: AtomicI64::new(0),
            polls: watch_channel::Sender::new(false),
        }))
    }

    /// Who sent a request with these headers from `peer`.
    pub async fn authenticate(
        &self,
        headers: &HeaderMap,
        peer: IpAddr,
    ) -> Result<Arc<Principal>, AuthError> {
        let known = match credential(headers).ok_or(AuthError::Invalid)? {
            Credential::Key(text) => {
                api_key::kind_of(text).ok_or(AuthError::Invalid)?;
                let load = |this: Self, hash: String| async move { this.load_key(hash).await };
                self.known(api_key::hash(text), load).await?
            }
            Credential::Token(text) => {
                let claims = self
                    .0
                    .tokens
                    .read(text)
                    .filter(|claims| claims.kind == TokenKind::TenantUser);
                let claims = claims.ok_or(AuthError::Invalid)?;
                let session = claims.sid.clone();
                let load = |this: Self, _| async move { this.load_user(claims).await };
                self.known(session, load).await?
            }
        };
        if known
            .expires_at
            .is_some_and(|expires_at| expires_at <= self.0.clock.now())
        {
            return Err(AuthError::Invalid);
        }
        match &known.networks {
            Some(networks) if !networks.iter().any(|network| network.contains(peer)) => {
                Err(AuthError::AddressNotAllowed)
            }
            _ => Ok(known.principal),
        }
    }

    /// From the cache while it may be trusted, else from the database.
    async fn known<F>(
        &self,
        credential: String,
        load: impl FnOnce(Self, String) -> F,
    ) -> Result<Known, AuthError>
    where
        F: Future<Output = Result<Option<Known>, DbError>> + Send + 'static,
    {
        let now = self.0.clock.now();
        if self.was_polled(now).await {
            if let Some(known) = self.0.cache.known(&credential, now) {
                return Ok(known);
            }
            if self.0.cache.refused(&credential, now) {
                return Err(AuthError::Invalid);
            }
        }
        let loading = self.0.loads.join(&credential, now, || {
            let (this, credential) = (self.clone(), credential.clone());
            let forgets = self.0.cache.forgets();
            let load = load(self.clone(), credential.clone());
            async move {
                let loaded = load.await?;
                match &loaded {
                    Some(known) => this.0.cache.remember(credential, known.clone(), forgets),
                    None => this.0.cache.remember_refusal(credential, now),
                }
                Ok(loaded)
            }
        });
        loading.await?.ok_or(AuthError::Invalid)
    }

    /// The superadmin of a token and the login it belongs to; read from the database each time, for
    /// they are few.
    pub async fn superadmin(
        &self,
        headers: &HeaderMap,
    ) -> Result<(Superadmin, SessionId), AuthError> {
        let Some(Credential::Token(text)) = credential(headers) else {
            return Err(AuthError::Invalid);
        };
        let claims = self
            .0
            .tokens
            .read(text)
            .filter(|claims| claims.kind == TokenKind::Superadmin);
        let claims = claims.ok_or(AuthError::Invalid)?;
        let id = SessionId::from_stored(claims.sid);
        let (session, now) = (
            self.0.store.session(&id).await?,
            self.0.clock.now().unix_ms(),
        );
        let open = |session: &Session| {
            session.revoked_at.is_none()
                && session.expires_at > now
                && session.subject_id == claims.user
        };
        if !session.as_ref().is_some_and(open) {
            return Err(AuthError::Invalid);
        }
        let admin = self
            .0
            .store
            .superadmin(&SuperadminId::from_stored(claims.user))
            .await?;
        let admin = admin.filter(|admin| admin.active);
        Ok((admin.ok_or(AuthError::Invalid)?, id))
    }

    /// Forgets everybody of a tenant in this process, at once.
    pub fn forget(&self, tenant: &TenantId) {
        self.0.cache.forget(tenant);
    }
}
