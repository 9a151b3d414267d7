//! Room: what is kept for tenants who want it, and may be read again: responses, chat completions and
//! conversations. Seals what was said, bounds how much there is, and says who may read; knows no format and
//! speaks no HTTP.
//!
//! Who may read is the rule of calls: keys and those who run the tenant all of it, a member their own. What
//! a key made is the tenant's.

mod events;
mod follow;
mod items;
mod room;
mod running;

use std::collections::HashMap;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::Value;
use server_store::Store;
pub use server_store::kept::{FAILED, IN_PROGRESS, KeptDue, KeptEnded};
pub use server_store::kept::{KeptItemPlace, kinds};
use server_store::kept::{KeptNow, KeptPart, KeptPlace, KeptRow, KeptTurn};
use shared::clock::{Clock, Moment};
use shared::db::DbError;
use shared::id::{BootId, TenantId, UserId};
use shared::seal::Sealer;
use tokio_util::sync::CancellationToken;

use self::events::EventLog;
pub use self::follow::{EVENTS, Follower, Next};
pub use self::items::NAME_BYTES_MAX;
use self::items::{named, weight_of};
pub use self::running::{CANCELLED, Forgotten, Running};
use crate::auth::{Principal, Role};

/// Most days for which things are kept.
pub const DAYS_MAX: u32 = 365;
/// Most items that one turn adds to a conversation.
pub const TURN_ITEMS_MAX: usize = 1_000;
/// Most items of a conversation, each of which a call that names it reads.
pub const CONVERSATION_ITEMS_MAX: i64 = 5_000;
/// What a row weighs beside what was said.
const ROW_BYTES: i64 = 400;
/// How long the weight of a tenant's things is believed; each process adds its own to it.
const WEIGHT_AGE: Duration = Duration::from_secs(30);
/// Rows of a page that are read at once, each of which may be large.
const READ_AT_ONCE: usize = 10;
/// A page that weighs so much is long enough.
const PAGE_BYTES_MAX: i64 = 16 * 1024 * 1024;
/// Tenants whose weights are remembered.
const WEIGHTS_MAX: usize = 10_000;
const DAY: Duration = Duration::from_secs(86_400);

/// How much is kept at most.
#[derive(Debug, Clone, Copy)]
pub struct KeepBounds {
    /// Of one thing.
    pub item_bytes: usize,
    /// Of a tenant.
    pub tenant_bytes: u64,
    /// Responses of a tenant in progress at once.
    pub running: u32,
}

/// Why something is not kept.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// It is larger than one thing may be.
    #[error("it is larger than {0} bytes")]
    TooLarge(usize),
    /// It has more items than a turn or a conversation may have.
    #[error("it has more than {0} items")]
    TooManyItems(i64),
    /// The tenant keeps as much as it may.
    #[error("the tenant keeps {0} bytes already")]
    Full(u64),
    /// Its conversation went away.
    #[error("there is no such conversation")]
    NoConversation,
    /// So many responses are in progress.
    #[error("{0} responses are in progress")]
    Busy(u32),
    /// So many of the tenant follow responses.
    #[error("{0} follow responses")]
    Followed(u32),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] DbError),
}

/// Who reads.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    /// Their tenant.
    pub tenant: &'a TenantId,
    /// Where they may read their own alone.
    pub own: Option<&'a UserId>,
}

impl<'a> Reader<'a> {
    /// A caller, by the rule of calls.
    pub fn of(who: &'a Principal) -> Self {
        let own = match who.role {
            Role::Member => who.user.as_ref(),
            Role::Owner | Role::Admin => None,
        };
        Self {
            tenant: &who.tenant,
            own,
        }
    }

    fn may_read(&self, row: &KeptRow) -> bool {
        let is_own = |user: &UserId| row.user_id.as_deref() == Some(user.as_str());
        self.own.is_none_or(is_own)
    }
}

/// Something that is kept, as it can be read.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptThing {
    /// Its id.
    pub id: String,
    /// Where it stands among its like.
    pub place: i64,
    /// A response's status.
    pub status: String,
    /// The model's name.
    pub model: String,
    /// When it was made.
    pub created_at: Moment,
    /// What was said.
    pub said: Value,
}

/// Something new.
#[derive(Debug, Clone, Copy)]
pub struct NewKept<'a> {
    /// One of [`kinds`].
    pub kind: &'static str,
    /// Its id.
    pub id: &'a str,
    /// A response's status.
    pub status: &'a str,
    /// The model's name.
    pub model: &'a str,
    /// What was said.
    pub said: &'a Value,
    /// Ids of the items in it, by which it is found.
    pub names: &'a [String],
}

/// What a call adds to its conversation: items with their ids.
#[derive(Debug, Clone, Copy)]
pub struct NewTurn<'a> {
    /// The conversation.
    pub conversation: &'a str,
    /// Its new items.
    pub items: &'a [(String, Value)],
}

/// A page of a list.
#[derive(Debug, Clone, Copy)]
pub struct KeptPage<'a> {
    /// One of [`kinds`].
    pub kind: &'static str,
    /// Of items their conversation; else empty.
    pub parent: &'a str,
    /// Behind this one.
    pub after: Option<(i64, &'a str)>,
    /// Whether the newest come first.
    pub newest_first: bool,
    /// How many at most.
    pub limit: usize,
}

/// Keeps things; cheap to clone.
#[derive(Clone)]
pub struct Keeping(Arc<Inner>);

/// What a tenant's things weigh together, as far as this process knows.
#[derive(Debug, Clone, Copy)]
struct KnownWeight {
    looked_at: Instant,
    bytes: i64,
    /// Something was deleted since.
    is_less: bool,
}

struct Inner {
    store: Store,
    sealer: Sealer,
    clock: Clock,
    boot: BootId,
    bounds: KeepBounds,
    weights: Mutex<HashMap<TenantId, KnownWeight>>,
    running: Mutex<HashMap<String, Here>>,
    /// How many of each tenant follow through the database.
    followers: Mutex<HashMap<TenantId, u32>>,
    /// Ends with the process.
    stop: CancellationToken,
    /// What all logs of this process have in memory.
    log_bytes: Arc<AtomicUsize>,
}

/// A response that this process works on.
#[derive(Debug, Clone)]
struct Here {
    /// Cancels it.
    stop: CancellationToken,
    /// Its events, where somebody may follow them.
    log: Option<Arc<EventLog>>,
}

impl std::fmt::Debug for Keeping {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keeping")
    }
}

fn locked<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

/// To what an envelope is bound: it opens for that row of that tenant only.
fn bound_to(tenant: &TenantId, parent: &str, id: &str) -> String {
    format!("kept:{tenant}:{parent}:{id}")
}

fn weight(sealed: &str) -> i64 {
    let length = i64::try_from(sealed.len()).unwrap_or(i64::MAX);
    length.saturating_add(ROW_BYTES)
}

/// Whether one turn may add so many items.
fn may_add(items: usize) -> Result<(), KeepError> {
    if items <= TURN_ITEMS_MAX {
        return Ok(());
    }
    let most = i64::try_from(TURN_ITEMS_MAX).unwrap_or(i64::MAX);
    Err(KeepError::TooManyItems(most))
}

impl Keeping {
    /// Over a store; `boot` is this life of the process, and `stop` tells that it ends.
    pub fn new(
        store: Store,
        (sealer, clock): (Sealer, Clock),
        (boot, stop): (BootId, CancellationToken),
        bounds: KeepBounds,
    ) -> Self {
        Self(Arc::new(Inner {
            store,
            sealer,
            clock,
            boot,
            bounds,
            weights: Mutex::default(),
            running: Mutex::default(),
            followers: Mutex::default(),
            stop,
            log_bytes: Arc::default(),
        }))
    }

    /// How much is kept at most.
    pub fn bounds(&self) -> KeepBounds {
        self.0.bounds
    }

    /// Time.
    pub fn now(&self) -> Moment {
        self.0.clock.now()
    }

    fn seal(&self, tenant: &TenantId, (parent, id): (&str, &str), said: &Value) -> String {
        let text = said.to_string();
        let bound = bound_to(tenant, parent, id);
        STANDARD_NO_PAD.encode(self.0.sealer.seal(&bound, text.as_bytes()))
    }

    /// Whether it is small enough to be kept; sealed it is longer by a third.
    fn fits(&self, sealed_bytes: i64) -> Result<(), KeepError> {
        let most = self.0.bounds.item_bytes;
        let sealed_most = (most / 3).saturating_add(1).saturating_mul(4);
        let sealed_most = i64::try_from(sealed_most).unwrap_or(i64::MAX);
        if sealed_bytes <= sealed_most.saturating_add(ROW_BYTES) {
            Ok(())
        } else {
            Err(KeepError::TooLarge(most))
        }
    }

    fn open(&self, tenant: &TenantId, row: KeptRow) -> Result<KeptThing, DbError> {
        let damaged = |what: &dyn std::fmt::Display| {
            DbError::Damaged(format!("`{}` of {tenant} is not readable: {what}", row.id))
        };
        let sealed = STANDARD_NO_PAD
            .decode(&row.sealed)
            .map_err(|e| damaged(&e))?;
        let bound = bound_to(tenant, &row.parent, &row.id);
        let text = self
            .0
            .sealer
            .open(&bound, &sealed)
            .map_err(|e| damaged(&e))?;
        let said = serde_json::from_slice(&text).map_err(|e| damaged(&e))?;
        Ok(KeptThing {
            id: row.id,
            place: row.place,
            status: row.status,
            model: row.model,
            created_at: Moment::from_unix_ms(row.created_at),
            said,
        })
    }

    fn ends(&self, who: &Principal) -> i64 {
        let days = who.keep_days.unwrap_or(0).min(DAYS_MAX);
        self.now().after(DAY.saturating_mul(days)).unix_ms()
    }

    /// A day behind their conversation, so that its turns write each of them anew once a day at most.
    fn items_end(&self, who: &Principal) -> i64 {
        let day = i64::try_from(DAY.as_millis()).unwrap_or(i64::MAX);
        self.ends(who).saturating_add(day)
    }

    fn row(&self, who: &Principal, parent: &str, new: NewKept<'_>) -> KeptRow {
        let sealed = self.seal(&who.tenant, (parent, new.id), new.said);
        let bytes = weight(&sealed).saturating_add(weight_of(&named(new.names)));
        let now = self.now().unix_ms();
        KeptRow {
            tenant_id: who.tenant.to_string(),
            parent: parent.to_owned(),
            id: new.id.to_owned(),
            kind: new.kind.to_owned(),
            place: now,
            user_id: who.user.as_ref().map(ToString::to_string),
            status: new.status.to_owned(),
            // A provider's word may be in it, whose whims cost no tenant its answer.
            model: new.model.replace('\0', ""),
            boot: (new.status == IN_PROGRESS).then(|| self.0.boot.to_string()),
            created_at: now,
            expires_at: self.ends(who),
            bytes,
            sealed,
        }
    }

    fn items(&self, who: &Principal, turn: NewTurn<'_>) -> Vec<KeptRow> {
        let rows = turn.items.iter().map(|(id, item)| {
            let new = NewKept {
                kind: kinds::ITEM,
                id,
                status: "",
                model: "",
                said: item,
                names: &[],
            };
            self.row(who, turn.conversation, new)
        });
        rows.collect()
    }

    /// Takes so much of a tenant's room, where there is so much. What is found is believed for some seconds, and
    /// what this process adds is added to it, so that many answers cost one look. Where others write too, the
    /// bound is passed by what they write in these seconds, and by answers that are being awaited.
    async fn make_room(&self, tenant: &TenantId, more: i64) -> Result<(), KeepError> {
        let most = self.0.bounds.tenant_bytes;
        let fits = |weight: i64| u64::try_from(weight).is_ok_and(|weight| weight <= most);
        let known = locked(&self.0.weights).get(tenant).copied();
        let known = known.filter(|known| known.looked_at.elapsed() < WEIGHT_AGE);
        // Something was deleted since: it is looked at anew before anybody is refused.
        let is_enough =
            known.is_some_and(|known| !known.is_less || fits(known.bytes.saturating_add(more)));
        let looked = if is_enough {
            None
        } else {
            Some(KnownWeight {
                looked_at: Instant::now(),
                bytes: self.0.store.kept_bytes(tenant).await?,
                is_less: false,
            })
        };
        let mut weights = locked(&self.0.weights);
        if weights.len() >= WEIGHTS_MAX {
            weights.clear();
        }
        let weight = match (looked, weights.get_mut(tenant)) {
            (None, Some(weight)) => weight,
            (looked, _) => {
                let found = looked.or(known).ok_or(KeepError::Full(most))?;
                weights.insert(tenant.clone(), found);
                weights.get_mut(tenant).ok_or(KeepError::Full(most))?
            }
        };
        let after = weight.bytes.saturating_add(more);
        if !fits(after) {
            return Err(KeepError::Full(most));
        }
        weight.bytes = after;
        Ok(())
    }

    /// Something that was not asked for room weighs so much.
    fn add_weight(&self, tenant: &TenantId, more: i64) {
        if let Some(weight) = locked(&self.0.weights).get_mut(tenant) {
            weight.bytes = weight.bytes.saturating_add(more);
        }
    }

    /// What is known of a tenant's weight is more than it has by now.
    fn forget_weight(&self, tenant: &TenantId) {
        if let Some(weight) = locked(&self.0.weights).get_mut(tenant) {
            weight.is_less = true;
        }
    }

    /// Keeps something, and what it adds to a conversation, all or nothing.
    pub async fn keep(
        &self,
        who: &Principal,
        new: Option<NewKept<'_>>,
        turn: Option<NewTurn<'_>>,
    ) -> Result<(), KeepError> {
        may_add(turn.map_or(0, |turn| turn.items.len()))?;
        let names = new.map(|new| named(new.names)).unwrap_or_default();
        let row = new.map(|new| self.row(who, "", new));
        let items = turn.map(|turn| self.items(who, turn)).unwrap_or_default();
        let mut more = 0_i64;
        for row in row.iter().chain(&items) {
            self.fits(row.bytes)?;
            more = more.saturating_add(row.bytes);
        }
        self.make_room(&who.tenant, more).await?;
        let turn = turn.map(|turn| KeptTurn {
            conversation: turn.conversation,
            expires_at: self.ends(who),
            items_expire_at: self.items_end(who),
            items_max: CONVERSATION_ITEMS_MAX,
            items: &items,
        });
        let row = row.as_ref().map(|row| (row, names.as_slice()));
        let kept = self.0.store.keep(&who.tenant, row, turn.as_ref());
        match kept.await? {
            KeptNow::Whole => Ok(()),
            KeptNow::NoConversation => Err(KeepError::NoConversation),
            KeptNow::ConversationFull => Err(KeepError::TooManyItems(CONVERSATION_ITEMS_MAX)),
        }
    }

    /// What is kept under an id, for who may read it.
    pub async fn get(
        &self,
        reader: Reader<'_>,
        kind: &str,
        id: &str,
    ) -> Result<Option<KeptThing>, DbError> {
        self.get_in(reader, "", (kind, id)).await
    }

    async fn get_in(
        &self,
        reader: Reader<'_>,
        parent: &str,
        (kind, id): (&str, &str),
    ) -> Result<Option<KeptThing>, DbError> {
        let tenant = reader.tenant;
        if id.contains('\0') || parent.contains('\0') {
            // No text of a database holds it, so nothing is kept there.
            return Ok(None);
        }
        let place = KeptPlace { tenant, parent, id };
        let row = self.0.store.kept(place, self.now()).await?;
        let row = row.filter(|row| row.kind == kind && reader.may_read(row));
        row.map(|row| self.open(tenant, row)).transpose()
    }

    /// An item of a conversation, for who may read that.
    pub async fn item(
        &self,
        reader: Reader<'_>,
        conversation: &str,
        id: &str,
    ) -> Result<Option<KeptThing>, DbError> {
        if self
            .get(reader, kinds::CONVERSATION, conversation)
            .await?
            .is_none()
        {
            return Ok(None);
        }
        let all = Reader {
            own: None,
            ..reader
        };
        self.get_in(all, conversation, (kinds::ITEM, id)).await
    }

    /// A page of a list, of what they may read, and whether there is more. Items are asked for by who may
    /// read their conversation. It ends early where it becomes large.
    pub async fn page(
        &self,
        reader: Reader<'_>,
        page: KeptPage<'_>,
    ) -> Result<(Vec<KeptThing>, bool), DbError> {
        let own = reader.own.filter(|_| page.parent.is_empty());
        let (mut found, mut bytes) = (Vec::<KeptThing>::new(), 0_i64);
        loop {
            let last = found.last().map(|last| (last.place, last.id.as_str()));
            let left = page.limit.saturating_sub(found.len());
            let wanted = left.min(READ_AT_ONCE);
            let part = KeptPart {
                tenant: reader.tenant,
                kind: page.kind,
                parent: page.parent,
                user: own.map(UserId::as_str),
                after: last.or(page.after),
                newest_first: page.newest_first,
                // One more tells whether there are more.
                limit: i64::try_from(wanted).unwrap_or(i64::MAX).saturating_add(1),
            };
            let mut rows = self.0.store.kept_part(part, self.now()).await?;
            let has_more = rows.len() > wanted;
            rows.truncate(wanted);
            for row in rows {
                bytes = bytes.saturating_add(row.bytes);
                found.push(self.open(reader.tenant, row)?);
            }
            if !has_more || found.len() >= page.limit || bytes > PAGE_BYTES_MAX {
                return Ok((found, has_more));
            }
        }
    }

    /// Puts other words in the place of those that are kept; answers whether something was there.
    pub async fn rewrite(
        &self,
        reader: Reader<'_>,
        id: &str,
        said: &Value,
    ) -> Result<bool, KeepError> {
        let sealed = self.seal(reader.tenant, ("", id), said);
        self.fits(weight(&sealed))?;
        let place = KeptPlace {
            tenant: reader.tenant,
            parent: "",
            id,
        };
        let Some(before) = self.0.store.kept(place, self.now()).await? else {
            return Ok(false);
        };
        let more = weight(&sealed).saturating_sub(before.bytes);
        if more > 0 {
            self.make_room(reader.tenant, more).await?;
        }
        let rewritten = self.0.store.rewrite_kept(place, &sealed, weight(&sealed));
        Ok(rewritten.await?)
    }

    /// Deletes what is kept under an id, where they may read it; answers whether it was there.
    pub async fn forget(&self, reader: Reader<'_>, kind: &str, id: &str) -> Result<bool, DbError> {
        if self.get(reader, kind, id).await?.is_none() {
            return Ok(false);
        }
        let place = KeptPlace {
            tenant: reader.tenant,
            parent: "",
            id,
        };
        let gone = self.0.store.forget_kept(place).await?;
        self.cancel_here(reader.tenant, id);
        self.forget_weight(reader.tenant);
        Ok(gone)
    }

    /// Deletes an item of a conversation, where they may read that; answers whether it was there.
    pub async fn forget_item(
        &self,
        reader: Reader<'_>,
        conversation: &str,
        id: &str,
    ) -> Result<bool, DbError> {
        if self.item(reader, conversation, id).await?.is_none() {
            return Ok(false);
        }
        let place = KeptPlace {
            tenant: reader.tenant,
            parent: conversation,
            id,
        };
        let gone = self.0.store.forget_kept(place).await?;
        self.forget_weight(reader.tenant);
        Ok(gone)
    }
}
