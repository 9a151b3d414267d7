//! Room: second factors. Drafts and confirms secrets, checks codes, gives recovery codes; counts
//! wrong ones as wrong passwords are counted. Draws no QR code and asks for no password.

use std::collections::HashSet;
use std::net::IpAddr;
use std::time::Duration;

use server_store::Store;
use server_store::accounts::{Role, User};
pub use server_store::factors::FactorOwner;
use server_store::factors::SecondFactor;
use sha2::{Digest, Sha256};
use shared::clock::Clock;
use shared::db::DbError;
use shared::id::random_text;
use shared::seal::{SealError, Sealer};
use shared::secret::Secret;

use super::totp;
use crate::limits::Limits;

/// Given at once: enough for years of lost phones.
const RECOVERY_CODES: usize = 10;
/// Characters of `[a-z0-9]` in one: 82 bits, so a fast hash is enough.
const RECOVERY_CHARS: usize = 16;
/// Characters between two hyphens of one.
const RECOVERY_GROUP: usize = 4;
/// What is longer is no code, and is not looked at.
const TYPED_BYTES_MAX: usize = 64;

/// Why a code did not pass.
#[derive(Debug, thiserror::Error)]
pub enum FactorError {
    /// Wrong, used before, or too old.
    #[error("the code is not valid")]
    Wrong,
    /// Too many attempts.
    #[error("too many attempts")]
    TooMany {
        /// How long to wait.
        retry_after: Duration,
    },
    /// There is a second factor in force already.
    #[error("the second factor is on already")]
    AlreadyOn,
    /// The secret can't be opened: the key that sealed it is not configured.
    #[error(transparent)]
    Sealed(#[from] SealError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] DbError),
}

/// A second factor that is being set up.
#[derive(Debug, Clone)]
pub struct Draft {
    /// For the QR code.
    pub uri: Secret<String>,
    /// For typing.
    pub letters: Secret<String>,
}

/// What [`Factors`] needs.
#[derive(Debug)]
pub struct FactorsParts {
    /// Where factors are kept.
    pub store: Store,
    /// What seals their secrets.
    pub sealer: Sealer,
    /// What counts attempts.
    pub limits: Limits,
    /// Time.
    pub clock: Clock,
}

/// Second factors; cheap to clone.
#[derive(Debug, Clone)]
pub struct Factors {
    store: Store,
    sealer: Sealer,
    limits: Limits,
    clock: Clock,
}

/// The row a secret is sealed for.
fn bound_to(subject: &str) -> String {
    format!("second_factors|{subject}")
}

/// The hash under which a recovery code is kept; people may leave the hyphens out.
fn recovery_hash(subject: &str, typed: &str) -> String {
    let code: String = typed
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    hex::encode(Sha256::digest(format!("recovery code|{subject}|{code}")))
}

fn fresh_codes(subject: &str) -> (Vec<Secret<String>>, Vec<String>) {
    let codes: Vec<Secret<String>> = (0..RECOVERY_CODES)
        .map(|_| {
            let groups = RECOVERY_CHARS / RECOVERY_GROUP;
            let groups: Vec<String> = (0..groups).map(|_| random_text(RECOVERY_GROUP)).collect();
            Secret::new(groups.join("-"))
        })
        .collect();
    let hashes = codes
        .iter()
        .map(|code| recovery_hash(subject, code.expose()))
        .collect();
    (codes, hashes)
}

impl Factors {
    /// From its parts.
    pub fn new(parts: FactorsParts) -> Self {
        let FactorsParts {
            store,
            sealer,
            limits,
            clock,
        } = parts;
        Self {
            store,
            sealer,
            limits,
            clock,
        }
    }

    async fn in_force(&self, subject: &str) -> Result<Option<SecondFactor>, DbError> {
        let factor = self.store.second_factor(subject).await?;
        Ok(factor.filter(|factor| factor.confirmed_at.is_some()))
    }

    /// Whether a tenant's user must log in with one, by the settings of their tenant.
    pub async fn is_needed(&self, user: &User) -> Result<bool, DbError> {
        match user.role {
            Role::Owner | Role::Admin => {
                let own = self.store.tenant_settings(&user.tenant).await?;
                Ok(own.require_second_factor)
            }
            Role::Member => Ok(false),
        }
    }

    /// Whether a person logs in with a second factor.
    pub async fn is_on(&self, subject: &str) -> Result<bool, DbError> {
        Ok(self.in_force(subject).await?.is_some())
    }

    /// Which of these people log in with a second factor.
    pub async fn owners_of_any(&self, subjects: &[String]) -> Result<HashSet<String>, DbError> {
        self.store.factors_in_force(subjects).await
    }

    /// How many recovery codes a person has left.
    pub async fn recovery_left(&self, subject: &str) -> Result<u64, DbError> {
        let left = self.store.recovery_codes_left(subject).await?;
        Ok(u64::try_from(left).unwrap_or(0))
    }

    fn open(&self, subject: &str, sealed: &str) -> Result<Secret<Vec<u8>>, FactorError> {
        let sealed = hex::decode(sealed).map_err(|_| SealError::Damaged)?;
        Ok(Secret::new(self.sealer.open(&bound_to(subject), &sealed)?))
    }

    /// The secret that is being set up, the same one until it is confirmed; `account` names it in
    /// the app.
    pub async fn draft(&self, subject: &str, account: &str) -> Result<Draft, FactorError> {
        let secret = match self.store.second_factor(subject).await? {
            Some(factor) if factor.confirmed_at.is_some() => return Err(FactorError::AlreadyOn),
            Some(factor) => self.open(subject, &factor.sealed)?,
            None => {
                let secret = totp::secret();
                let sealed = self.sealer.seal(&bound_to(subject), secret.expose());
                let sealed = hex::encode(sealed);
                let now = self.clock.now();
                if !self
                    .store
                    .draft_second_factor(subject, &sealed, now)
                    .await?
                {
                    return Err(FactorError::AlreadyOn);
                }
                secret
            }
        };
        Ok(Draft {
            uri: Secret::new(totp::uri(account, secret.expose())),
            letters: Secret::new(totp::letters(secret.expose())),
        })
    }

    async fn allowed(&self, account: &str, address: IpAddr) -> Result<(), FactorError> {
        let allowed = self.limits.allow_login(account, address).await;
        allowed.map_err(|retry_after| FactorError::TooMany { retry_after })
    }

    /// Puts the drafted secret in force when `code` is its code; answers recovery codes, this once.
    pub async fn turn_on(
        &self,
        owner: FactorOwner<'_>,
        code: &str,
        address: IpAddr,
    ) -> Result<Vec<Secret<String>>, FactorError> {
        let subject = owner.actor.id.as_str();
        let account = format!("second factor/{subject}");
        self.allowed(&account, address).await?;
        let Some(factor) = self.store.second_factor(subject).await? else {
            return Err(FactorError::Wrong);
        };
        if factor.confirmed_at.is_some() {
            return Err(FactorError::AlreadyOn);
        }
        let (secret, now) = (self.open(subject, &factor.sealed)?, self.clock.now());
        let Some(step) = totp::matching_step(secret.expose(), code, now) else {
            self.limits.login_failed(&account, address).await;
            return Err(FactorError::Wrong);
        };
        self.limits.login_succeeded(&account, address).await;
        let (codes, hashes) = fresh_codes(subject);
        let confirmed = self
            .store
            .confirm_second_factor(owner, &factor.sealed, step, &hashes, now)
            .await?;
        if confirmed {
            Ok(codes)
        } else {
            Err(FactorError::AlreadyOn)
        }
    }

    /// Checks a code of the app or a recovery code, and uses it up. Without a second factor in
    /// force nothing is asked for, and nothing passes either.
    pub async fn check(
        &self,
        owner: FactorOwner<'_>,
        typed: &str,
        address: IpAddr,
    ) -> Result<(), FactorError> {
        let account = format!("second factor/{}", owner.actor.id);
        self.allowed(&account, address).await?;
        if self.is_right(owner, typed).await? {
            self.limits.login_succeeded(&account, address).await;
            return Ok(());
        }
        self.limits.login_failed(&account, address).await;
        Err(FactorError::Wrong)
    }

    async fn is_right(&self, owner: FactorOwner<'_>, typed: &str) -> Result<bool, FactorError> {
        let subject = owner.actor.id.as_str();
        if typed.len() > TYPED_BYTES_MAX {
            return Ok(false);
        }
        let Some(factor) = self.in_force(subject).await? else {
            return Ok(false);
        };
        let (secret, now) = (self.open(subject, &factor.sealed)?, self.clock.now());
        if let Some(step) = totp::matching_step(secret.expose(), typed, now) {
            return Ok(self.store.use_factor_step(subject, step).await?);
        }
        let hash = recovery_hash(subject, typed);
        Ok(self.store.use_recovery_code(owner, &hash, now).await?)
    }

    /// Gives fresh recovery codes, shown this once; the old ones are gone.
    pub async fn renew_codes(
        &self,
        owner: FactorOwner<'_>,
    ) -> Result<Vec<Secret<String>>, FactorError> {
        let (codes, hashes) = fresh_codes(&owner.actor.id);
        let now = self.clock.now();
        self.store
            .replace_recovery_codes(owner, &hashes, now)
            .await?;
        Ok(codes)
    }

    /// Takes a person's second factor away; `owner` is themselves or whoever helps them out.
    pub async fn turn_off(&self, owner: FactorOwner<'_>, subject: &str) -> Result<(), FactorError> {
        let now = self.clock.now();
        self.store.delete_second_factor(owner, subject, now).await?;
        Ok(())
    }
}
