//! A connection that is lent: it comes back with its transaction rolled back, whoever went away.

use std::error::Error;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use diesel_async::pooled_connection::PoolableConnection;
use diesel_async::sync_connection_wrapper::SpawnBlocking;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, TryFutureExt};
use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;

use super::{Home, Kept, SqliteConn, lock};

/// One use of a connection: held by the guard and by every statement under way. Whoever lets go last
/// gives the connection back.
pub(super) struct Lease {
    pub(super) home: Arc<Home>,
    /// Statements that were begun and did not return.
    pub(super) under_way: AtomicUsize,
    pub(super) back: Mutex<Option<Kept>>,
    /// Released after the connection is back.
    pub(super) _permit: OwnedSemaphorePermit,
}

/// A connection for as long as it is held.
pub struct SqliteGuard {
    /// Always there until it is dropped.
    pub(super) kept: Option<Kept>,
    pub(super) lease: Arc<Lease>,
}

/// Runs a connection's statements on the blocking threads of the runtime that opened the pool.
#[derive(Debug)]
pub struct Threads {
    pub(super) threads: Handle,
    pub(super) lease: Arc<Mutex<Weak<Lease>>>,
}

impl std::fmt::Debug for Lease {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Lease")
    }
}

impl std::fmt::Debug for SqliteGuard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SqliteGuard")
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let back = self.back.get_mut().unwrap_or_else(PoisonError::into_inner);
        let Some(mut kept) = back.take() else { return };
        self.home.turns.fetch_add(1, Ordering::Relaxed);
        // A statement that panicked or was never run may have left anything behind; so has a caller
        // that went away in the middle of a transaction.
        let unharmed = *self.under_way.get_mut() == 0 && !std::thread::panicking();
        let is_whole = unharmed && !kept.conn.is_broken();
        if is_whole {
            lock(&self.home.idle).push(kept);
        } else {
            // Closing rolls back, which is work for a thread that may block.
            self.home.threads.spawn_blocking(move || drop(kept));
        }
    }
}

impl Drop for SqliteGuard {
    fn drop(&mut self) {
        *lock(&self.lease.back) = self.kept.take();
    }
}

impl Deref for SqliteGuard {
    type Target = SqliteConn;

    fn deref(&self) -> &SqliteConn {
        let kept = self.kept.as_ref();
        &kept.expect("it is there until it is dropped").conn
    }
}

impl DerefMut for SqliteGuard {
    fn deref_mut(&mut self) -> &mut SqliteConn {
        let kept = self.kept.as_mut();
        &mut kept.expect("it is there until it is dropped").conn
    }
}

impl SpawnBlocking for Threads {
    fn spawn_blocking<'a, R>(
        &mut self,
        task: impl FnOnce() -> R + Send + 'static,
    ) -> BoxFuture<'a, Result<R, Box<dyn Error + Send + Sync + 'static>>>
    where
        R: Send + 'static,
    {
        let lease = lock(&self.lease).upgrade();
        if let Some(lease) = &lease {
            lease.under_way.fetch_add(1, Ordering::AcqRel);
        }
        let work = self.threads.spawn_blocking(move || {
            let done = task();
            if let Some(lease) = lease {
                lease.under_way.fetch_sub(1, Ordering::AcqRel);
            }
            done
        });
        work.map_err(Box::from).boxed()
    }

    fn get_runtime() -> Self {
        Self {
            threads: Handle::current(),
            lease: Arc::default(),
        }
    }
}
