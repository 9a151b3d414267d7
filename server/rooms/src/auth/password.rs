//! Passwords by argon2id, on blocking threads and never more at once than there are cores: each
//! takes 19 MiB. Knows no user.

use std::sync::{Arc, OnceLock};

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use shared::secret::Secret;
use tokio::sync::Semaphore;

/// Shorter ones are guessed (ASVS 5.0, 6.2.1).
pub const CHARS_MIN: usize = 8;
/// Longer ones only cost time.
pub const CHARS_MAX: usize = 128;

/// The hash could not be made or read.
#[derive(Debug, thiserror::Error)]
#[error("argon2: {0}")]
pub struct PasswordError(String);

/// Hashes and compares; clones share the bound.
#[derive(Debug, Clone)]
pub struct Passwords {
    turns: Arc<Semaphore>,
}

/// The crate's defaults are OWASP's: argon2id, 19,456 KiB, 2 passes, 1 lane.
fn hash_now(password: &str) -> Result<String, PasswordError> {
    let hash = Argon2::default().hash_password(password.as_bytes());
    hash.map(|hash| hash.to_string())
        .map_err(|e| PasswordError(e.to_string()))
}

/// Compared when there is no user, so that it takes as long as when there is one.
fn dummy() -> &'static str {
    static DUMMY: OnceLock<String> = OnceLock::new();
    DUMMY.get_or_init(|| hash_now("nobody has this password").unwrap_or_default())
}

impl Default for Passwords {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            turns: Arc::new(Semaphore::new(cores)),
        }
    }
}

impl Passwords {
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, PasswordError> {
        let turn = self.turns.clone().acquire_owned().await;
        let turn = turn.map_err(|e| PasswordError(e.to_string()))?;
        // The turn goes with the work: who goes away while it runs does not free its memory.
        let task = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        task.await.map_err(|e| PasswordError(e.to_string()))
    }

    /// The PHC string of a password.
    pub async fn hash(&self, password: &Secret<String>) -> Result<String, PasswordError> {
        let password = password.clone();
        self.blocking(move || hash_now(password.expose())).await?
    }

    /// Whether `password` is the one of `hash`; without a hash it takes as long and is not.
    pub async fn verify(
        &self,
        password: &Secret<String>,
        hash: Option<&str>,
    ) -> Result<bool, PasswordError> {
        let (password, known, hash) = (password.clone(), hash.is_some(), hash.map(str::to_owned));
        self.blocking(move || {
            // Always asked for: the first unknown user would else wait while it is made.
            let dummy = dummy();
            let hash = hash.as_deref().unwrap_or(dummy);
            let parsed = PasswordHash::new(hash).map_err(|e| PasswordError(e.to_string()))?;
            let right = Argon2::default()
                .verify_password(password.expose().as_bytes(), &parsed)
                .is_ok();
            Ok(right && known)
        })
        .await?
    }
}

#[cfg(test)]
mod tests;
