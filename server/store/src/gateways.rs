//! Statements of gateways: where they are and what they told. Connects to none.

use diesel::{AsChangeset, ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable};
use diesel_async::RunQueryDsl;
use serde_json::json;
use shared::clock::Moment;
use shared::db::DbError;
use shared::id::{GatewayId, JournalId};
use shared::link::GatewayPlace;
use shared::link::events::Event;
use shared::{on, write_tx};

use super::Store;
use super::audit::{Actor, Note, note};
use super::schema::{gateway_events, gateway_journals, gateways};

/// A gateway's row; columns stand as in the table.
#[derive(Debug, Clone, Insertable, Queryable, AsChangeset)]
#[diesel(table_name = gateways)]
struct GatewayRow {
    id: String,
    url: String,
    status: String,
    priority: i64,
    created_at: i64,
    name: String,
    region: String,
    secret_sealed: Option<String>,
    secret_fingerprint: Option<String>,
}

/// A gateway that an operator added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptGateway {
    /// Its id.
    pub id: GatewayId,
    /// Where it is.
    pub place: GatewayPlace,
    /// Whether calls may go there.
    pub is_active: bool,
    /// When it was added.
    pub created_at: Moment,
    /// Its own secret, sealed and in hex; those that were added before there was one have none.
    pub sealed: Option<String>,
    /// What is shown of that secret.
    pub fingerprint: Option<String>,
}

impl From<GatewayRow> for KeptGateway {
    fn from(row: GatewayRow) -> Self {
        Self {
            id: GatewayId::from_stored(row.id),
            place: GatewayPlace {
                url: row.url,
                name: row.name,
                region: row.region,
                priority: u8::try_from(row.priority).unwrap_or(u8::MAX),
                secret: None,
            },
            is_active: row.status == ACTIVE,
            created_at: Moment::from_unix_ms(row.created_at),
            sealed: row.secret_sealed,
            fingerprint: row.secret_fingerprint,
        }
    }
}

impl From<&KeptGateway> for GatewayRow {
    fn from(kept: &KeptGateway) -> Self {
        Self {
            id: kept.id.as_str().to_owned(),
            url: kept.place.url.clone(),
            status: if kept.is_active { ACTIVE } else { DISABLED }.to_owned(),
            priority: kept.place.priority.into(),
            created_at: kept.created_at.unix_ms(),
            name: kept.place.name.clone(),
            region: kept.place.region.clone(),
            secret_sealed: kept.sealed.clone(),
            secret_fingerprint: kept.fingerprint.clone(),
        }
    }
}

impl GatewayRow {
    /// As the audit log shows it.
    fn shown(&self) -> String {
        json!({
            "url": self.url,
            "name": self.name,
            "region": self.region,
            "priority": self.priority,
            "status": self.status,
            "secret": self.secret_fingerprint,
        })
        .to_string()
    }
}

const ACTIVE: &str = "active";
const DISABLED: &str = "disabled";

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

/// What a gateway told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToldEvent {
    /// The gateway it was heard from.
    pub gateway: String,
    /// What happened.
    pub event: Event,
}

/// Writes the audit entry of a change; a macro, because it is compiled for either connection.
macro_rules! noted {
    ($conn:expr, $actor:expr, $action:literal, $id:expr, $before:expr, $after:expr, $now:expr) => {{
        let note = Note {
            tenant: None,
            action: $action,
            subject: $id,
            before: $before,
            after: $after,
        };
        note!($conn, $actor, note, $now);
    }};
}

impl Store {
    /// The gateways that operators added, in the order in which they did.
    pub async fn kept_gateways(&self) -> Result<Vec<KeptGateway>, DbError> {
        let rows: Vec<GatewayRow> = on!(self.db, |conn| gateways::table
            .order(gateways::id)
            .load(conn)
            .await)?;
        Ok(rows.into_iter().map(KeptGateway::from).collect())
    }

    /// Adds one; a URL that is there already is `DbError`'s duplicate.
    pub async fn add_gateway(
        &self,
        actor: &Actor,
        kept: &KeptGateway,
        now: Moment,
    ) -> Result<(), DbError> {
        let row = GatewayRow::from(kept);
        write_tx!(self.db, |conn| -> DbError {
            diesel::insert_into(gateways::table)
                .values(&row)
                .execute(conn)
                .await?;
            let after = Some(row.shown());
            noted!(conn, actor, "gateway.create", &row.id, None, after, now);
            Ok(())
        })
    }

    /// Writes one anew; false when there is none of its id.
    pub async fn change_gateway(
        &self,
        actor: &Actor,
        kept: &KeptGateway,
        now: Moment,
    ) -> Result<bool, DbError> {
        let row = GatewayRow::from(kept);
        write_tx!(self.db, |conn| -> DbError {
            let found = gateways::table.find(&row.id).first::<GatewayRow>(conn);
            let Some(old) = found.await.optional()? else {
                return Ok(false);
            };
            diesel::update(gateways::table.find(&row.id))
                .set(&row)
                .execute(conn)
                .await?;
            let (before, after) = (Some(old.shown()), Some(row.shown()));
            noted!(conn, actor, "gateway.update", &row.id, before, after, now);
            Ok(true)
        })
    }

    /// Takes one away; false when there is none of this id.
    pub async fn delete_gateway(
        &self,
        actor: &Actor,
        id: &GatewayId,
        now: Moment,
    ) -> Result<bool, DbError> {
        write_tx!(self.db, |conn| -> DbError {
            let found = gateways::table.find(id.as_str()).first::<GatewayRow>(conn);
            let Some(old) = found.await.optional()? else {
                return Ok(false);
            };
            diesel::delete(gateways::table.find(id.as_str()))
                .execute(conn)
                .await?;
            let before = Some(old.shown());
            noted!(
                conn,
                actor,
                "gateway.delete",
                id.as_str(),
                before,
                None,
                now
            );
            Ok(true)
        })
    }

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
