//! The ends of what is kept of the studio: deleted by its person, with them, or because its time is over. Large
//! things go part by part, so that nobody waits for all of one; they are found by nobody from the first part on.
//! What can't be deleted is told and passed over. Keeps and reads nothing.

use std::time::Duration;

use server_store::Store;
use server_store::studio::{StudioEnded, StudioForgot};
use shared::clock::Moment;
use shared::db::DbError;
use shared::id::TenantId;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::{DAY, StudioMemory, StudioPerson, days_of, since};

/// Answers and messages of a conversation that are deleted in one transaction; each may have megabytes, together
/// what a conversation may weigh.
const ROWS_AT_ONCE: i64 = 100;
/// Parts of a picture: four megabytes.
const PARTS_AT_ONCE: i64 = 16;
/// Things that are deleted without a pause, each in a transaction of its own.
const WITHOUT_PAUSE: i64 = 10;
/// Between them, and between the parts of one, so that calls come first.
const PAUSE: Duration = Duration::from_millis(20);

/// A kind of thing.
#[derive(Debug, Clone, Copy)]
enum Thing {
    Chat,
    Image,
}

/// What was deleted.
#[derive(Debug, Default)]
pub(crate) struct StudioGone {
    /// How many things.
    pub(crate) gone: usize,
    /// What kept the last one that is there still from being deleted.
    pub(crate) failure: Option<DbError>,
}

/// Lets others work; answers whether to stop.
async fn pause(stop: &CancellationToken) -> bool {
    stop.run_until_cancelled(tokio::time::sleep(PAUSE))
        .await
        .is_none()
}

/// Deletes one thing to its end, or until told to stop; answers whether it was there.
async fn forget(
    store: &Store,
    thing: Thing,
    (tenant, id, user): (&TenantId, &str, &str),
    stop: &CancellationToken,
) -> Result<bool, DbError> {
    let mut was_there = false;
    loop {
        let place = (tenant, id);
        let forgot = match thing {
            Thing::Chat => store.forget_studio_chat(place, user, ROWS_AT_ONCE).await?,
            Thing::Image => {
                store
                    .forget_studio_image(place, user, PARTS_AT_ONCE)
                    .await?
            }
        };
        match forgot {
            StudioForgot::Nothing => return Ok(was_there),
            StudioForgot::Whole => return Ok(true),
            StudioForgot::Part => was_there = true,
        }
        if pause(stop).await {
            return Ok(true);
        }
    }
}

/// Deletes all things of a kind that are to go.
async fn forget_kind(
    store: &Store,
    (thing, which): (Thing, StudioEnded<'_>),
    stop: &CancellationToken,
    forgotten: &mut StudioGone,
) -> Result<(), DbError> {
    // Those that could not be deleted come first next time.
    let mut skipped = 0_i64;
    while !stop.is_cancelled() {
        let part = (skipped, WITHOUT_PAUSE);
        let ids = match thing {
            Thing::Chat => store.ended_studio_chats(which, part).await?,
            Thing::Image => store.ended_studio_images(which, part).await?,
        };
        if ids.is_empty() {
            break;
        }
        for id in ids {
            match forget(store, thing, (which.tenant(), &id, ""), stop).await {
                Ok(was_there) => forgotten.gone = forgotten.gone.saturating_add(was_there.into()),
                Err(error) => {
                    warn!(%error, "`{id}` of the studio can't be deleted: {error}");
                    forgotten.failure = Some(error);
                    skipped = skipped.saturating_add(1);
                }
            }
            if stop.is_cancelled() {
                return Ok(());
            }
        }
        pause(stop).await;
    }
    Ok(())
}

/// Deletes all that is to go.
async fn forget_ended(
    store: &Store,
    which: StudioEnded<'_>,
    stop: &CancellationToken,
) -> Result<StudioGone, DbError> {
    let mut forgotten = StudioGone::default();
    for thing in [Thing::Chat, Thing::Image] {
        forget_kind(store, (thing, which), stop, &mut forgotten).await?;
    }
    Ok(forgotten)
}

/// Deletes all that is kept of a person who is deleted, and which models they used.
pub(crate) async fn forget_person(
    store: &Store,
    (tenant, user): (&TenantId, &str),
    stop: &CancellationToken,
) -> Result<StudioGone, DbError> {
    let which = StudioEnded::Person(tenant, user);
    let forgotten = forget_ended(store, which, stop).await?;
    store.forget_studio_choices_of(tenant, user).await?;
    Ok(forgotten)
}

/// A round: what is left of people who are deleted, then tenant after tenant, each by its own days; where a tenant
/// keeps nothing any more, all that it has. What fails of one keeps no other from its turn. Answers how many went.
pub(crate) async fn sweep(
    store: &Store,
    now: Moment,
    stop: &CancellationToken,
) -> Result<usize, DbError> {
    let mut all = sweep_leavers(store, now, stop).await?;
    let mut last = String::new();
    while let Some(tenant) = store.next_studio_tenant(&last).await? {
        match sweep_tenant(store, &tenant, now, stop).await {
            Ok(forgotten) => all = all.saturating_add(forgotten.gone),
            Err(error) => {
                warn!(%error, "what {tenant} kept of the studio long enough can't be deleted: {error}");
            }
        }
        if stop.is_cancelled() {
            break;
        }
        last = tenant.into_string();
    }
    Ok(all)
}

async fn sweep_tenant(
    store: &Store,
    tenant: &TenantId,
    now: Moment,
    stop: &CancellationToken,
) -> Result<StudioGone, DbError> {
    let before = since(now, days_of(store, tenant).await?);
    forget_ended(store, StudioEnded::Before(tenant, before), stop).await
}

/// Those who left are looked after for a day: a call of theirs may have been under way.
async fn sweep_leavers(
    store: &Store,
    now: Moment,
    stop: &CancellationToken,
) -> Result<usize, DbError> {
    let mut all = 0_usize;
    let mut last = (String::new(), String::new());
    while let Some((tenant, user, left_at)) = store.next_studio_leaver((&last.0, &last.1)).await? {
        let whose = TenantId::from_stored(tenant.clone());
        match forget_person(store, (&whose, &user), stop).await {
            Ok(forgotten) => {
                all = all.saturating_add(forgotten.gone);
                let is_over = left_at <= now.before(DAY).unix_ms();
                if is_over && forgotten.failure.is_none() && !stop.is_cancelled() {
                    store.forget_studio_leaver(&whose, &user).await?;
                }
            }
            Err(error) => {
                warn!(%error, "what {user} left in the studio can't be deleted: {error}");
            }
        }
        if stop.is_cancelled() {
            break;
        }
        last = (tenant, user);
    }
    Ok(all)
}

impl StudioMemory {
    /// Deletes a person's conversation, to its end whoever leaves; answers whether it was there.
    pub async fn forget_chat(&self, who: &StudioPerson, id: &str) -> Result<bool, DbError> {
        self.forget_own(Thing::Chat, who, id).await
    }

    /// Deletes a person's image, as well; answers whether it was there.
    pub async fn forget_picture(&self, who: &StudioPerson, id: &str) -> Result<bool, DbError> {
        self.forget_own(Thing::Image, who, id).await
    }

    async fn forget_own(
        &self,
        thing: Thing,
        who: &StudioPerson,
        id: &str,
    ) -> Result<bool, DbError> {
        if id.contains('\0') {
            return Ok(false);
        }
        let (this, who, id) = (self.clone(), who.clone(), id.to_owned());
        let work = async move {
            let place = (&who.tenant, id.as_str(), who.user.as_str());
            let stop = CancellationToken::new();
            let was_there = forget(this.store(), thing, place, &stop).await?;
            if was_there {
                this.0.keeping.gave_room(&who.tenant);
            }
            Ok(was_there)
        };
        self.to_its_end(work).await
    }

    /// Deletes all that is kept of a person's studio, to its end whoever leaves.
    pub async fn forget_all(&self, who: &StudioPerson) -> Result<(), DbError> {
        let (this, who) = (self.clone(), who.clone());
        let work = async move {
            let which = StudioEnded::Person(&who.tenant, who.user.as_str());
            let stop = CancellationToken::new();
            let forgotten = forget_ended(this.store(), which, &stop).await;
            this.0.keeping.gave_room(&who.tenant);
            forgotten?.failure.map_or(Ok(()), Err)
        };
        self.to_its_end(work).await
    }

    async fn to_its_end<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, DbError>> + Send + 'static,
    ) -> Result<T, DbError> {
        let ended = self.finish(work).await;
        ended.unwrap_or_else(|| Err(DbError::Unreachable("the server stops".to_owned())))
    }
}
