//! What is kept for tenants who want it: responses, chat completions, conversations and their items. What
//! was said is sealed before it comes here. Every statement names the tenant but those that clean up.

use diesel::sql_types::{BigInt, Bool, Text};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, Insertable, IntoSql, NullableExpressionMethods,
    OptionalExtension, QueryDsl, Queryable, QueryableByName,
};
use diesel_async::RunQueryDsl;
use shared::clock::Moment;
use shared::db::{Db, DbError};
use shared::id::{BootId, GenerationId, TenantId};
use shared::{on, write_tx};

use super::Store;
use super::ledger::due::note_due;
use super::schema::kept;
pub use items::KeptItemPlace;
use items::name_items;

mod items;

/// What something kept is, as its column has it.
pub mod kinds {
    /// An answer of the Responses API.
    pub const RESPONSE: &str = "response";
    /// A chat completion.
    pub const COMPLETION: &str = "completion";
    /// A conversation.
    pub const CONVERSATION: &str = "conversation";
    /// An item of one.
    pub const ITEM: &str = "item";
}

/// The word of a response that is being worked on by the process in `boot`.
pub const IN_PROGRESS: &str = "in_progress";
/// Of one whose process is gone.
pub const FAILED: &str = "failed";

/// Something that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Insertable)]
#[diesel(table_name = kept)]
pub struct KeptRow {
    /// Whose it is.
    pub tenant_id: String,
    /// Of an item its conversation; else empty.
    pub parent: String,
    /// Its id, unique within tenant and parent.
    pub id: String,
    /// One of [`kinds`].
    pub kind: String,
    /// Where it stands among its like, growing.
    pub place: i64,
    /// The person who made it, with a session.
    pub user_id: Option<String>,
    /// A response's status; empty of everything else.
    pub status: String,
    /// The model's name; empty where there is none.
    pub model: String,
    /// The life of a process that works on it.
    pub boot: Option<String>,
    /// In unix milliseconds.
    pub created_at: i64,
    /// When it goes away, in unix milliseconds.
    pub expires_at: i64,
    /// What it counts against the tenant's bound.
    pub bytes: i64,
    /// What was said, sealed.
    pub sealed: String,
}

/// Where something stands.
#[derive(Debug, Clone, Copy)]
pub struct KeptPlace<'a> {
    /// Whose.
    pub tenant: &'a TenantId,
    /// Of an item its conversation; else empty.
    pub parent: &'a str,
    /// Its id.
    pub id: &'a str,
}

/// A page of what is kept.
#[derive(Debug, Clone, Copy)]
pub struct KeptPart<'a> {
    /// Whose.
    pub tenant: &'a TenantId,
    /// One of [`kinds`].
    pub kind: &'a str,
    /// Of items their conversation; else empty.
    pub parent: &'a str,
    /// Of this person alone.
    pub user: Option<&'a str>,
    /// Behind this place and id.
    pub after: Option<(i64, &'a str)>,
    /// Whether the newest come first.
    pub newest_first: bool,
    /// How many at most.
    pub limit: i64,
}

/// How something that was begun ends.
#[derive(Debug, Clone, Copy)]
pub struct KeptEnd<'a> {
    /// The word.
    pub status: &'a str,
    /// What there is to read from now on, and its weight; what there was stays where it is absent.
    pub sealed: Option<(&'a str, i64)>,
    /// Ids of the items in it, in order.
    pub names: &'a [String],
    /// What is to be paid for it.
    pub due: Option<KeptDue<'a>>,
}

/// What is to be paid for something that is kept: it stands in the call's hold as soon as somebody can read
/// the answer, so that whoever finds the hold charges it.
#[derive(Debug, Clone, Copy)]
pub struct KeptDue<'a> {
    /// The hold of the call.
    pub hold: &'a GenerationId,
    /// What the hold keeps of its call from now on.
    pub call: &'a str,
}

/// What became of something that was to be ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeptEnded {
    /// It has ended so.
    Now,
    /// It was over, or gone, before. What is to be paid is noted all the same.
    Before,
    /// Nothing is held any more that could pay for it; nothing is written.
    NotHeld,
}

/// Rows of a conversation: what is added behind all that is there.
#[derive(Debug, Clone, Copy)]
pub struct KeptTurn<'a> {
    /// The conversation.
    pub conversation: &'a str,
    /// From now on it goes away then.
    pub expires_at: i64,
    /// And its items then, which is later: they are written anew only where they would go before it, so
    /// that a conversation of many items costs a turn no more than one of few.
    pub items_expire_at: i64,
    /// So many items it may have with these, so that no turn and no call reads more.
    pub items_max: i64,
    /// Its new items, in order; their places are found here.
    pub items: &'a [KeptRow],
}

/// What became of something that was to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeptNow {
    /// It is kept.
    Whole,
    /// Its conversation is not there; nothing is kept.
    NoConversation,
    /// Its conversation has as many items as one may have; nothing is kept but the conversation, for longer.
    ConversationFull,
}

#[derive(QueryableByName)]
struct OneRunning {
    #[diesel(sql_type = Text)]
    tenant_id: String,
    #[diesel(sql_type = Text)]
    id: String,
}

#[derive(QueryableByName)]
struct OneNumber {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

/// One row at a place.
macro_rules! at {
    ($place:expr) => {
        kept::table.find(($place.tenant.as_str(), $place.parent, $place.id))
    };
}

/// Adds the items of a turn inside the transaction of `conn`, where the conversation is there and has room;
/// answers which of them is so.
macro_rules! add_turn {
    ($conn:expr, $tenant:expr, $turn:expr) => {{
        let (tenant, turn): (&TenantId, &KeptTurn<'_>) = ($tenant, $turn);
        // First, since its lock makes turns of one conversation wait for one another.
        let found = diesel::update(kept::table.find((tenant.as_str(), "", turn.conversation)))
            .filter(kept::kind.eq(kinds::CONVERSATION))
            .set(kept::expires_at.eq(turn.expires_at))
            .execute($conn)
            .await?;
        let items = kept::table
            .filter(kept::tenant_id.eq(tenant.as_str()))
            .filter(kept::parent.eq(turn.conversation));
        if found > 0 {
            diesel::update(items.filter(kept::expires_at.lt(turn.expires_at)))
                .set(kept::expires_at.eq(turn.items_expire_at))
                .execute($conn)
                .await?;
        }
        let many: i64 = items.count().get_result($conn).await?;
        let more = i64::try_from(turn.items.len()).unwrap_or(i64::MAX);
        if found == 0 {
            KeptNow::NoConversation
        } else if many.saturating_add(more) > turn.items_max {
            KeptNow::ConversationFull
        } else {
            let last: Option<i64> = items
                .select(diesel::dsl::max(kept::place))
                .first($conn)
                .await?;
            for (place, item) in (last.unwrap_or(0).saturating_add(1)..).zip(turn.items) {
                let item = KeptRow {
                    place,
                    expires_at: turn.items_expire_at,
                    ..item.clone()
                };
                diesel::insert_into(kept::table)
                    .values(&item)
                    .on_conflict_do_nothing()
                    .execute($conn)
                    .await?;
            }
            KeptNow::Whole
        }
    }};
}

impl Store {
    /// Keeps a row with the ids of the items in it, in order, and, where it is a turn of a conversation, the
    /// conversation's new items: all or nothing. Answers which it was.
    pub async fn keep(
        &self,
        tenant: &TenantId,
        row: Option<(&KeptRow, &[String])>,
        turn: Option<&KeptTurn<'_>>,
    ) -> Result<KeptNow, DbError> {
        write_tx!(self.db, |conn| -> DbError {
            let now = match turn {
                Some(turn) => add_turn!(conn, tenant, turn),
                None => KeptNow::Whole,
            };
            if now != KeptNow::Whole {
                return Ok(now);
            }
            if let Some((row, names)) = row {
                diesel::insert_into(kept::table)
                    .values(row)
                    .execute(conn)
                    .await?;
                name_items!(conn, (tenant, row.id.as_str()), names);
            }
            Ok(now)
        })
    }

    /// What is kept at a place and not over yet.
    pub async fn kept(
        &self,
        place: KeptPlace<'_>,
        now: Moment,
    ) -> Result<Option<KeptRow>, DbError> {
        on!(self.db, |conn| at!(place)
            .filter(kept::expires_at.gt(now.unix_ms()))
            .first(conn)
            .await
            .optional())
    }

    /// A page of a kind.
    pub async fn kept_part(
        &self,
        part: KeptPart<'_>,
        now: Moment,
    ) -> Result<Vec<KeptRow>, DbError> {
        // `~` sorts behind every id.
        let first = if part.newest_first {
            (i64::MAX, "~")
        } else {
            (i64::MIN, "")
        };
        let (place, id) = part.after.unwrap_or(first);
        let everybody = part.user.is_none();
        on!(self.db, |conn| {
            let found = kept::table
                .filter(kept::tenant_id.eq(part.tenant.as_str()))
                .filter(kept::kind.eq(part.kind))
                .filter(kept::parent.eq(part.parent))
                .filter(kept::expires_at.gt(now.unix_ms()))
                // A person who is absent is nobody's, and `everybody` lets all pass.
                .filter(
                    kept::user_id
                        .eq(part.user)
                        .assume_not_null()
                        .or(everybody.into_sql::<Bool>()),
                );
            if part.newest_first {
                let behind = kept::place
                    .lt(place)
                    .or(kept::place.eq(place).and(kept::id.lt(id)));
                found
                    .filter(behind)
                    .order((kept::place.desc(), kept::id.desc()))
                    .limit(part.limit)
                    .load(conn)
                    .await
            } else {
                let behind = kept::place
                    .gt(place)
                    .or(kept::place.eq(place).and(kept::id.gt(id)));
                found
                    .filter(behind)
                    .order((kept::place.asc(), kept::id.asc()))
                    .limit(part.limit)
                    .load(conn)
                    .await
            }
        })
    }

    /// Puts other words in the place of those that are kept; answers whether something was there.
    pub async fn rewrite_kept(
        &self,
        place: KeptPlace<'_>,
        sealed: &str,
        bytes: i64,
    ) -> Result<bool, DbError> {
        write_tx!(self.db, |conn| -> DbError {
            let changed = diesel::update(at!(place))
                .set((kept::sealed.eq(sealed), kept::bytes.eq(bytes)))
                .execute(conn)
                .await?;
            Ok(changed > 0)
        })
    }

    /// Ends what is in progress, once, with the items it adds to a conversation, and notes what is to be paid
    /// for it: all or nothing.
    pub async fn end_kept(
        &self,
        place: KeptPlace<'_>,
        end: KeptEnd<'_>,
        turn: Option<&KeptTurn<'_>>,
    ) -> Result<KeptEnded, DbError> {
        write_tx!(self.db, |conn| -> DbError {
            if let Some(due) = end.due {
                let is_noted = note_due!(conn, place.tenant, (due.hold, due.call));
                if !is_noted {
                    return Ok(KeptEnded::NotHeld);
                }
            }
            let open = at!(place).filter(kept::status.eq(IN_PROGRESS));
            let ended = if let Some((sealed, bytes)) = end.sealed {
                let set = (
                    kept::status.eq(end.status),
                    kept::sealed.eq(sealed),
                    kept::bytes.eq(bytes),
                );
                diesel::update(open).set(set).execute(conn).await?
            } else {
                let set = kept::status.eq(end.status);
                diesel::update(open).set(set).execute(conn).await?
            };
            if ended > 0
                && let Some(turn) = turn
            {
                // A conversation that went away takes nothing.
                let _now: KeptNow = add_turn!(conn, place.tenant, turn);
            }
            if ended > 0 {
                name_items!(conn, (place.tenant, place.id), end.names);
                return Ok(KeptEnded::Now);
            }
            Ok(KeptEnded::Before)
        })
    }

    /// Keeps events of a response that is in progress; answers whether it is still.
    pub async fn keep_events(&self, tenant: &TenantId, row: &KeptRow) -> Result<bool, DbError> {
        write_tx!(self.db, |conn| -> DbError {
            let running: i64 = kept::table
                .find((tenant.as_str(), "", row.parent.as_str()))
                .filter(kept::status.eq(IN_PROGRESS))
                .count()
                .get_result(conn)
                .await?;
            if running > 0 {
                diesel::insert_into(kept::table)
                    .values(row)
                    .on_conflict_do_nothing()
                    .execute(conn)
                    .await?;
            }
            Ok(running > 0)
        })
    }

    /// How something stands that is kept.
    pub async fn kept_status(&self, place: KeptPlace<'_>) -> Result<Option<String>, DbError> {
        on!(self.db, |conn| at!(place)
            .select(kept::status)
            .first(conn)
            .await
            .optional())
    }

    /// Whether something is kept below something, and not over yet: events of a response, items of a
    /// conversation.
    pub async fn kept_below(&self, place: KeptPlace<'_>, now: Moment) -> Result<bool, DbError> {
        let found: Option<i64> = on!(self.db, |conn| kept::table
            .filter(kept::tenant_id.eq(place.tenant.as_str()))
            .filter(kept::parent.eq(place.id))
            .filter(kept::expires_at.gt(now.unix_ms()))
            .select(kept::place)
            .first(conn)
            .await
            .optional())?;
        Ok(found.is_some())
    }

    /// What a life of a process has in progress: tenants and ids.
    pub async fn kept_running_in(&self, boot: &BootId) -> Result<Vec<(String, String)>, DbError> {
        // The word is written out, as in the index.
        let text = "SELECT tenant_id, id FROM kept WHERE status = 'in_progress' AND boot = $1";
        let rows: Vec<OneRunning> = on!(self.db, |conn| diesel::sql_query(text)
            .bind::<Text, _>(boot.as_str())
            .load(conn)
            .await)?;
        Ok(rows
            .into_iter()
            .map(|row| (row.tenant_id, row.id))
            .collect())
    }

    /// How many responses of a tenant are in progress.
    pub async fn kept_running(&self, tenant: &TenantId) -> Result<i64, DbError> {
        // The word is written out, as in the index.
        let text = "SELECT CAST(COUNT(*) AS BIGINT) AS number FROM kept \
                    WHERE tenant_id = $1 AND status = 'in_progress'";
        let rows: Vec<OneNumber> = on!(self.db, |conn| diesel::sql_query(text)
            .bind::<Text, _>(tenant.as_str())
            .load(conn)
            .await)?;
        Ok(rows.into_iter().next().map_or(0, |row| row.number))
    }

    /// How many items a conversation has.
    pub async fn kept_items(&self, tenant: &TenantId, conversation: &str) -> Result<i64, DbError> {
        on!(self.db, |conn| kept::table
            .filter(kept::tenant_id.eq(tenant.as_str()))
            .filter(kept::parent.eq(conversation))
            .count()
            .get_result(conn)
            .await)
    }

    /// What a tenant's things weigh together, those of the studio among them.
    pub async fn kept_bytes(&self, tenant: &TenantId) -> Result<i64, DbError> {
        let text = "SELECT CAST(COALESCE(SUM(bytes), 0) AS BIGINT) AS number FROM (\
                    SELECT bytes FROM kept WHERE tenant_id = $1 UNION ALL \
                    SELECT bytes FROM studio_turns WHERE tenant_id = $1 UNION ALL \
                    SELECT bytes FROM studio_answers WHERE tenant_id = $1 UNION ALL \
                    SELECT bytes FROM studio_images WHERE tenant_id = $1) b";
        let rows: Vec<OneNumber> = on!(self.db, |conn| diesel::sql_query(text)
            .bind::<Text, _>(tenant.as_str())
            .load(conn)
            .await)?;
        Ok(rows.into_iter().next().map_or(0, |row| row.number))
    }

    /// Deletes what is kept at a place, with the items of a conversation; answers whether it was there.
    pub async fn forget_kept(&self, place: KeptPlace<'_>) -> Result<bool, DbError> {
        write_tx!(self.db, |conn| -> DbError {
            let gone = diesel::delete(at!(place)).execute(conn).await?;
            if place.parent.is_empty() {
                let items = kept::table
                    .filter(kept::tenant_id.eq(place.tenant.as_str()))
                    .filter(kept::parent.eq(place.id));
                diesel::delete(items).execute(conn).await?;
            }
            Ok(gone > 0)
        })
    }

    /// Deletes at most `limit` things whose time is over; answers how many.
    pub async fn forget_kept_before(&self, now: Moment, limit: i64) -> Result<usize, DbError> {
        self.forget_some("k.expires_at <= $1", Bound::Time(now), limit)
            .await
    }

    /// Deletes at most `limit` things of a tenant; answers how many.
    pub async fn forget_kept_of(&self, tenant: &TenantId, limit: i64) -> Result<usize, DbError> {
        self.forget_some("k.tenant_id = $1", Bound::Tenant(tenant), limit)
            .await
    }

    async fn forget_some(
        &self,
        which: &str,
        bound: Bound<'_>,
        limit: i64,
    ) -> Result<usize, DbError> {
        // Another process may be deleting the same rows; on SQLite there is one writer.
        let lock = match &self.db {
            Db::Postgres(_) => "FOR UPDATE SKIP LOCKED",
            Db::Sqlite { .. } => "",
        };
        let text = format!(
            "DELETE FROM kept WHERE (tenant_id, parent, id) IN (SELECT k.tenant_id, k.parent, k.id \
             FROM kept k WHERE {which} LIMIT $2 {lock})"
        );
        write_tx!(self.db, |conn| -> DbError {
            let deletion = diesel::sql_query(&text);
            Ok(match bound {
                Bound::Time(at) => {
                    let deletion = deletion.bind::<BigInt, _>(at.unix_ms());
                    deletion.bind::<BigInt, _>(limit).execute(conn).await?
                }
                Bound::Tenant(tenant) => {
                    let deletion = deletion.bind::<Text, _>(tenant.as_str());
                    deletion.bind::<BigInt, _>(limit).execute(conn).await?
                }
            })
        })
    }

    /// Ends as failed what processes left in progress that show no sign of life any more: recovery has
    /// taken their row away. Answers how many.
    pub async fn fail_orphans(&self) -> Result<usize, DbError> {
        let text = "UPDATE kept SET status = 'failed' WHERE status = 'in_progress' AND \
                    (boot IS NULL OR boot NOT IN (SELECT boot FROM ledger_writers))";
        let any: Vec<OneNumber> = on!(self.db, |conn| diesel::sql_query(
            "SELECT CAST(COUNT(*) AS BIGINT) AS number FROM kept WHERE status = 'in_progress'"
        )
        .load(conn)
        .await)?;
        // Nearly always; a look takes no writer.
        if any.iter().all(|one| one.number == 0) {
            return Ok(0);
        }
        write_tx!(self.db, |conn| -> DbError {
            Ok(diesel::sql_query(text).execute(conn).await?)
        })
    }
}

/// What the things to be deleted have in common.
#[derive(Debug, Clone, Copy)]
enum Bound<'a> {
    Time(Moment),
    Tenant(&'a TenantId),
}
