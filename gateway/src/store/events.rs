//! Statements of the journal of events. Knows nothing of what they mean.

use diesel::{
    BoolExpressionMethods, ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable,
};
use diesel_async::RunQueryDsl;
use shared::clock::Moment;
use shared::db::DbError;
use shared::id::JournalId;
use shared::link::events::{Event, GatewayEvent};
use shared::{on, write_tx};

use super::Store;
use super::schema::{events, journals, provider_keys, revisions};

/// The row that holds the last cursor.
pub(super) const CURSOR: &str = "events";
/// Events that are kept; servers are seldom more than a few behind.
pub(super) const KEPT: i64 = 100_000;
/// Events read at once.
const PAGE: i64 = 200;

#[derive(Queryable, Insertable)]
#[diesel(table_name = events)]
pub(super) struct EventRow {
    pub(super) cursor: i64,
    pub(super) at: i64,
    pub(super) kind: String,
    pub(super) body: String,
}

/// Takes the next cursor and writes; a macro, because it is compiled for either connection.
macro_rules! write_event {
    ($conn:expr, $news:expr, $now:expr) => {{
        use $crate::store::events::{CURSOR, EventRow, KEPT};
        // Locks the row until the commit, so that no reader sees a later cursor first.
        diesel::update(revisions::table.filter(revisions::name.eq(CURSOR)))
            .set(revisions::version.eq(revisions::version + 1))
            .execute($conn)
            .await?;
        let cursor: i64 = revisions::table
            .filter(revisions::name.eq(CURSOR))
            .select(revisions::version)
            .first($conn)
            .await?;
        let (kind, body) = $news.parts();
        let row = EventRow {
            cursor,
            at: $now.unix_ms(),
            kind,
            body: body.to_string(),
        };
        diesel::insert_into(events::table)
            .values(&row)
            .execute($conn)
            .await?;
        diesel::delete(events::table.filter(events::cursor.le(cursor - KEPT)))
            .execute($conn)
            .await?;
    }};
}

pub(super) use write_event;

impl Store {
    /// The id of this database's journal, made at the first start.
    pub(crate) async fn journal(&self) -> Result<JournalId, DbError> {
        let text = write_tx!(self.db, |conn| -> DbError {
            // Two gateways may start at once on one database.
            diesel::update(revisions::table.filter(revisions::name.eq(CURSOR)))
                .set(revisions::version.eq(revisions::version))
                .execute(conn)
                .await?;
            let found = journals::table
                .select(journals::id)
                .first::<String>(conn)
                .await
                .optional()?;
            if let Some(id) = found {
                return Ok(id);
            }
            let id = JournalId::random().into_string();
            diesel::insert_into(journals::table)
                .values(journals::id.eq(&id))
                .execute(conn)
                .await?;
            Ok(id)
        })?;
        Ok(JournalId::from_stored(text))
    }

    /// Writes an event; what happened to a key is kept with it.
    pub(crate) async fn record(&self, news: &GatewayEvent, now: Moment) -> Result<(), DbError> {
        // On or off with its reason and the time of the next question; what cools is not kept.
        let switched = match news {
            GatewayEvent::KeyDisabled(key) => {
                Some((true, &key.key, key.reason.as_deref(), key.probe_at))
            }
            GatewayEvent::KeyRecovered(key) => Some((false, &key.key, None, None)),
            GatewayEvent::GatewayStarted { .. }
            | GatewayEvent::KeyCooling(_)
            | GatewayEvent::KeyBalance(_) => None,
        };
        write_tx!(self.db, |conn| -> DbError {
            if let Some((disabled, id, reason, probe_at)) = switched {
                // A key that an operator switched off, which has no such time, stays off.
                let key = provider_keys::table
                    .filter(provider_keys::id.eq(id.as_str()))
                    .filter(
                        provider_keys::disabled.ne(disabled).and(
                            provider_keys::disabled
                                .eq(false)
                                .or(provider_keys::probe_at.is_not_null()),
                        ),
                    );
                let changed = diesel::update(key)
                    .set((
                        provider_keys::disabled.eq(disabled),
                        provider_keys::reason.eq(reason),
                        provider_keys::probe_at.eq(probe_at),
                    ))
                    .execute(conn)
                    .await?;
                if changed > 0 {
                    super::moved!(conn);
                }
            }
            write_event!(conn, news, now);
            Ok(())
        })
    }

    /// The next events behind `after`, a page at most.
    pub(crate) async fn events(&self, after: i64) -> Result<Vec<Event>, DbError> {
        let rows: Vec<EventRow> = on!(self.db, |conn| {
            events::table
                .filter(events::cursor.gt(after))
                .order(events::cursor)
                .limit(PAGE)
                .load(conn)
                .await
        })?;
        let event = |row: EventRow| Event {
            cursor: row.cursor,
            at: row.at,
            body: serde_json::from_str(&row.body).unwrap_or_default(),
            kind: row.kind,
        };
        Ok(rows.into_iter().map(event).collect())
    }
}
