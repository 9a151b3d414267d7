//! Room: what people did in the studio, kept for them: conversations, images, and the models they used last.
//! Seals what was said, bounds how much there is with all else that is kept of the tenant, and knows for how long.
//! Reads no request and speaks no HTTP.
//!
//! What is kept here is read by the person alone, whoever runs the tenant, and by no key. Who may set the person's
//! password can sign in as them, and who runs the server has its key and its database: neither is kept out. No call
//! waits for it: what can't be kept is told, and the call goes on.

mod awaited;
mod chats;
mod forgetting;
mod pictures;
mod shape;

use std::sync::Arc;
use std::time::Duration;

use server_store::Store;
use server_store::studio::ChatPlace;
use shared::clock::Moment;
use shared::db::DbError;
use shared::id::{TenantId, UserId};
use shared::link::Operation;
use shared::supervisor::Supervisor;
use tokio::sync::{Semaphore, SemaphorePermit};
use tracing::warn;

pub use self::awaited::{Awaited, AwaitedCharge, StudioEnd};
pub use self::chats::{
    Chat, ChatAnswer, ChatHead, ChatOpening, ChatTurnKept, NewTurnKept, TurnRefused,
};
pub(crate) use self::forgetting::{forget_person, sweep};
pub use self::pictures::{NewPicture, PictureHead, PictureKind};
pub use self::shape::{StudioAnswered, StudioAsked, StudioPrompt};
use crate::auth::loading::route;
use crate::kept::{DAYS_MAX, KeepError, Keeping};

/// For how many days things of the studio are kept where a tenant says nothing: as long as somebody remembers
/// that they asked.
pub const STUDIO_DAYS: u32 = 90;
/// Conversations, and searches for one, that are read and opened at once; others wait.
const READS_AT_ONCE: usize = 8;
/// How long they wait.
const READ_WITHIN: Duration = Duration::from_secs(10);
const DAY: Duration = Duration::from_secs(86_400);

/// Whose things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StudioPerson {
    /// Their tenant.
    pub tenant: TenantId,
    /// Themselves.
    pub user: UserId,
}

impl StudioPerson {
    fn at<'a>(&'a self, id: &'a str) -> ChatPlace<'a> {
        ChatPlace {
            tenant: &self.tenant,
            user: &self.user,
            id,
        }
    }
}

/// Why something is not kept; its call is made all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotKept {
    /// It is larger than one thing may be.
    TooLarge,
    /// The tenant keeps as much as it may.
    Full,
    /// The database did not take it, or not in time.
    Unwritten,
}

impl From<KeepError> for NotKept {
    fn from(error: KeepError) -> Self {
        match error {
            KeepError::TooLarge(_) => Self::TooLarge,
            KeepError::Full(_) => Self::Full,
            KeepError::TooManyItems(_)
            | KeepError::NoConversation
            | KeepError::Busy(_)
            | KeepError::Followed(_) => Self::Unwritten,
            KeepError::Store(error) => error.into(),
        }
    }
}

impl From<DbError> for NotKept {
    fn from(error: DbError) -> Self {
        warn!(%error, "something of the studio is not kept: {error}");
        Self::Unwritten
    }
}

/// A page of a person's things, and where the next one begins.
#[derive(Debug, Clone, PartialEq)]
pub struct StudioPage<T> {
    /// The things.
    pub rows: Vec<T>,
    /// The word for the next page; none behind the last one.
    pub next: Option<String>,
}

/// Keeps what people do in the studio; cheap to clone.
#[derive(Clone)]
pub struct StudioMemory(Arc<Memory>);

struct Memory {
    keeping: Keeping,
    supervisor: Supervisor,
    reads: Semaphore,
}

impl std::fmt::Debug for StudioMemory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StudioMemory")
    }
}

/// For how many days a tenant's studio is kept; `None` for not at all: it is turned off, or what is said of where
/// the tenant's calls go demands that nothing is kept of them.
pub(crate) async fn days_of(store: &Store, tenant: &TenantId) -> Result<Option<u32>, DbError> {
    let own = store.tenant_settings(tenant).await?.studio_days;
    let days = own.unwrap_or(STUDIO_DAYS).min(DAYS_MAX);
    if days == 0 {
        return Ok(None);
    }
    let rule = route(store, tenant, &[]).await?;
    let is_forbidden = rule.is_some_and(|rule| rule.demand.zero_retention);
    Ok(Some(days).filter(|_| !is_forbidden))
}

/// What is older than these days is over; without days all of it is.
pub(crate) fn since(now: Moment, days: Option<u32>) -> Moment {
    days.map_or(now, |days| now.before(DAY.saturating_mul(days)))
}

/// The word of an operation as it is remembered.
fn word(operation: Operation) -> &'static str {
    if operation == Operation::Image {
        "image"
    } else {
        "chat"
    }
}

/// A word for behind this row; [`cursor`] reads it.
fn next_word(at: i64, id: &str) -> String {
    format!("{at}.{id}")
}

/// Behind which row a page begins; `None` where the word is none of ours.
fn cursor(word: &str) -> Option<(i64, &str)> {
    let (at, id) = word.split_once('.')?;
    let is_plain = id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let at: i64 = at.parse().ok()?;
    (is_plain && at >= 0).then_some((at, id))
}

impl StudioMemory {
    /// Over what keeps; writes that nobody waits for run under `supervisor`.
    pub fn new(keeping: Keeping, supervisor: Supervisor) -> Self {
        Self(Arc::new(Memory {
            keeping,
            supervisor,
            reads: Semaphore::new(READS_AT_ONCE),
        }))
    }

    fn store(&self) -> &Store {
        self.0.keeping.store()
    }

    fn now(&self) -> Moment {
        self.0.keeping.now()
    }

    /// For how many days a tenant's studio is kept; `None` for not at all.
    pub async fn days(&self, tenant: &TenantId) -> Result<Option<u32>, DbError> {
        days_of(self.store(), tenant).await
    }

    async fn since(&self, tenant: &TenantId) -> Result<Moment, DbError> {
        Ok(since(self.now(), self.days(tenant).await?))
    }

    /// The model that a person used last for an operation.
    pub async fn last_model(
        &self,
        who: &StudioPerson,
        operation: Operation,
    ) -> Result<Option<String>, DbError> {
        let whose = (&who.tenant, &who.user);
        self.store().studio_choice(whose, word(operation)).await
    }

    /// Remembers which model they used; nobody waits for it.
    pub fn used_model(&self, who: &StudioPerson, operation: Operation, model: &str) {
        let (this, who, model) = (self.clone(), who.clone(), model.replace('\0', ""));
        let work = async move {
            let known = this.last_model(&who, operation).await;
            if known.is_ok_and(|known| known.as_deref() == Some(model.as_str())) {
                return;
            }
            let whose = (&who.tenant, &who.user);
            let put = this
                .store()
                .put_studio_choice(whose, word(operation), &model);
            if let Err(error) = put.await {
                warn!(%error, "the model of a person is not remembered: {error}");
            }
        };
        drop(self.0.supervisor.spawn("studio choice", work));
    }

    /// Runs work that its caller may leave: it goes on to its end.
    pub async fn finish<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        let running = self.0.supervisor.spawn("studio", work);
        running.await.ok().flatten()
    }

    /// Runs work that goes on whoever leaves; nobody is told of its end.
    pub fn go_on(&self, work: impl Future<Output = ()> + Send + 'static) {
        drop(self.0.supervisor.spawn("studio", work));
    }

    /// A turn to read something large, so that many who read at once don't fill the memory.
    async fn reading(&self) -> Result<SemaphorePermit<'_>, DbError> {
        let turn = tokio::time::timeout(READ_WITHIN, self.0.reads.acquire()).await;
        let busy = || DbError::Unreachable("too much of the studio is read at once".to_owned());
        turn.map_err(|_| busy())?.map_err(|_| busy())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_goes_on_behind_a_word_of_ours_alone() {
        assert_eq!(cursor(&next_word(12, "chat_0a")), Some((12, "chat_0a")));
        for word in ["", "12", "x.chat_1", "-1.chat_1", "1.a\0", "1.a'--"] {
            assert_eq!(cursor(word), None, "{word}");
        }
    }
}
