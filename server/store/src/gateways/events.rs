//! What gateways told, each once, and how far it was read.

use diesel::{ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable};
use diesel_async::RunQueryDsl;
use shared::clock::Moment;
use shared::db::DbError;
use shared::id::JournalId;
use shared::link::events::Event;
use shared::{on, write_tx};

use super::super::Store;
use super::super::schema::{gateway_events, gateway_journals};
use super::ToldEvent;

/// What was told is kept for so long.
const EVENTS_KEPT_MS: i64 = 90 * 24 * 60 * 60 * 1_000;

#[derive(Debug, Insertable, Queryable)]
#[diesel(table_name = gateway_events)]
struct EventRow {
    journal: String,
    cursor: i64,
    at: i64,
    gateway: String,
    kind: String,
    body: String,
}

impl Store {
    /// How far a journal was read; zero at first.
    pub async fn journal_cursor(&self, journal: &JournalId) -> Result<i64, DbError> {
        let found: Option<i64> = on!(self.db, |conn| {
            gateway_journals::table
                .find(journal.as_str())
                .select(gateway_journals::cursor)
                .first(conn)
                .await
                .optional()
        })?;
        Ok(found.unwrap_or(0))
    }

    /// Keeps an event and how far the journal was read, together; false when it was kept before, by
    /// this process or another.
    pub async fn keep_event(
        &self,
        journal: &JournalId,
        gateway: &str,
        event: &Event,
        now: Moment,
    ) -> Result<bool, DbError> {
        let row = EventRow {
            journal: journal.as_str().to_owned(),
            cursor: event.cursor,
            at: event.at,
            gateway: gateway.to_owned(),
            kind: event.kind.clone(),
            body: event.body.to_string(),
        };
        write_tx!(self.db, |conn| -> DbError {
            diesel::insert_into(gateway_journals::table)
                .values((
                    gateway_journals::id.eq(&row.journal),
                    gateway_journals::cursor.eq(0),
                ))
                .on_conflict_do_nothing()
                .execute(conn)
                .await?;
            let behind = gateway_journals::table
                .find(&row.journal)
                .filter(gateway_journals::cursor.lt(event.cursor));
            let moved = diesel::update(behind)
                .set(gateway_journals::cursor.eq(event.cursor))
                .execute(conn)
                .await?;
            if moved == 0 {
                return Ok(false);
            }
            diesel::insert_into(gateway_events::table)
                .values(&row)
                .execute(conn)
                .await?;
            let old = now.unix_ms().saturating_sub(EVENTS_KEPT_MS);
            diesel::delete(gateway_events::table.filter(gateway_events::at.lt(old)))
                .execute(conn)
                .await?;
            Ok(true)
        })
    }

    /// What gateways told lately, the newest first.
    pub async fn gateway_events(&self, limit: i64) -> Result<Vec<ToldEvent>, DbError> {
        let rows: Vec<EventRow> = on!(self.db, |conn| {
            gateway_events::table
                .order((gateway_events::at.desc(), gateway_events::cursor.desc()))
                .limit(limit)
                .load(conn)
                .await
        })?;
        let told = |row: EventRow| ToldEvent {
            gateway: row.gateway,
            event: Event {
                cursor: row.cursor,
                at: row.at,
                body: serde_json::from_str(&row.body).unwrap_or_default(),
                kind: row.kind,
            },
        };
        Ok(rows.into_iter().map(told).collect())
    }
}
