//! Loads of principals that are under way: those who come with one credential at a time share one load,
//! or thousands of calls of one key would ask a database thousands of times for it. Loads nothing itself.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use shared::clock::Moment;
use shared::db::DbError;

use super::POLL_TRUSTED;
use super::cache::Known;

/// Entries after which those of loads that are over are dropped.
const ENTRIES_KEPT: usize = 1_024;

type Loaded = Result<Option<Known>, Arc<DbError>>;
type Load = BoxFuture<'static, Loaded>;

/// By credential, with when each began. It goes on while somebody waits for it.
#[derive(Default)]
pub(super) struct Loads(Mutex<HashMap<String, (Moment, WeakShared<Load>)>>);

impl std::fmt::Debug for Loads {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Loads")
    }
}

impl Loads {
    /// The load of a credential that began a moment ago, else a new one. One that began earlier may have
    /// read what was changed since.
    pub(super) async fn join<F>(
        &self,
        credential: &str,
        now: Moment,
        load: impl FnOnce() -> F,
    ) -> Result<Option<Known>, DbError>
    where
        F: Future<Output = Result<Option<Known>, DbError>> + Send + 'static,
    {
        let loading = self.find(credential, now, load);
        loading.await.map_err(|error| {
            if let DbError::Unreachable(why) = error.as_ref() {
                DbError::Unreachable(why.clone())
            } else {
                DbError::Unreachable(error.to_string())
            }
        })
    }

    fn find<F>(&self, credential: &str, now: Moment, load: impl FnOnce() -> F) -> Shared<Load>
    where
        F: Future<Output = Result<Option<Known>, DbError>> + Send + 'static,
    {
        let mut loads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((begun_at, load)) = loads.get(credential)
            && now.since(*begun_at) < POLL_TRUSTED
            && let Some(load) = load.upgrade()
        {
            return load;
        }
        if loads.len() >= ENTRIES_KEPT {
            loads.retain(|_, (_, load)| load.upgrade().is_some());
        }
        let loading = load().map(|loaded| loaded.map_err(Arc::new));
        let loading = loading.boxed().shared();
        if let Some(weak) = loading.downgrade() {
            loads.insert(credential.to_owned(), (now, weak));
        }
        loading
    }
}

#[cfg(test)]
mod tests;
