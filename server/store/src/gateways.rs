//! Statements of gateways: where they are and what they told. Connects to none.

mod events;

use diesel::{AsChangeset, ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable};
use diesel_async::RunQueryDsl;
use serde_json::json;
use shared::clock::Moment;
use shared::db::DbError;
use shared::id::GatewayId;
use shared::link::GatewayPlace;
use shared::link::events::Event;
use shared::{on, write_tx};

use super::Store;
use super::audit::{Actor, Note, note};
use super::schema::gateways;

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
}
