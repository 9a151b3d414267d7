//! Portals that superadmins opened as one of a tenant's people; a cookie is kept as its hash, and the
//! audit log has the beginning and the end. Knows no lengths of time and no rights; the room
//! `browser_sessions` does.

use diesel::{ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable};
use diesel_async::RunQueryDsl;
use serde_json::json;
use shared::clock::Moment;
use shared::db::DbError;
use shared::id::{SessionId, SuperadminId, TenantId, UserId};
use shared::secret::Secret;
use shared::{on, write_tx};

use super::Store;
use super::audit::{Actor, Note, note};
use super::schema::{opened_portals, web_sessions};

/// Ended ones that one round of cleaning up looks at.
const ENDED_READ: i64 = 100;

/// A superadmin's look at a portal, as one of its people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedPortal {
    /// Its id, which is not the cookie's value.
    pub id: SessionId,
    /// Whose portal.
    pub tenant: TenantId,
    /// As whom.
    pub user: UserId,
    /// Their name at the beginning.
    pub user_name: String,
    /// Who looks.
    pub superadmin: SuperadminId,
    /// Their name at the beginning.
    pub superadmin_name: String,
    /// Their own session.
    pub session: SessionId,
    /// What its one form carries.
    pub csrf: Secret<String>,
    /// From where it began.
    pub address: String,
    /// When it began.
    pub created_at: Moment,
    /// When it ends whatever happens.
    pub expires_at: Moment,
}

#[derive(Debug, Clone, Queryable, Insertable)]
#[diesel(table_name = opened_portals)]
struct Row {
    id: String,
    hash: String,
    tenant_id: String,
    user_id: String,
    user_name: String,
    superadmin_id: String,
    superadmin_name: String,
    session_id: String,
    csrf: String,
    address: String,
    created_at: i64,
    expires_at: i64,
}

impl From<Row> for OpenedPortal {
    fn from(row: Row) -> Self {
        Self {
            id: SessionId::from_stored(row.id),
            tenant: TenantId::from_stored(row.tenant_id),
            user: UserId::from_stored(row.user_id),
            user_name: row.user_name,
            superadmin: SuperadminId::from_stored(row.superadmin_id),
            superadmin_name: row.superadmin_name,
            session: SessionId::from_stored(row.session_id),
            csrf: Secret::new(row.csrf),
            address: row.address,
            created_at: Moment::from_unix_ms(row.created_at),
            expires_at: Moment::from_unix_ms(row.expires_at),
        }
    }
}

impl OpenedPortal {
    fn row(&self, hash: &str) -> Row {
        Row {
            id: self.id.to_string(),
            hash: hash.to_owned(),
            tenant_id: self.tenant.to_string(),
            user_id: self.user.to_string(),
            user_name: self.user_name.clone(),
            superadmin_id: self.superadmin.to_string(),
            superadmin_name: self.superadmin_name.clone(),
            session_id: self.session.to_string(),
            csrf: self.csrf.expose().clone(),
            address: self.address.clone(),
            created_at: self.created_at.unix_ms(),
            expires_at: self.expires_at.unix_ms(),
        }
    }

    /// Who looked, for an entry that nobody's request makes.
    fn actor(&self) -> Actor {
        Actor {
            kind: "superadmin".to_owned(),
            id: self.superadmin.to_string(),
            name: self.superadmin_name.clone(),
            address: self.address.clone(),
        }
    }

    /// Both names stand in the entry: the superadmin's as the actor's.
    fn note(&self, action: &'static str, more: (&str, &str)) -> Note<'_> {
        let (name, value) = more;
        let told = json!({"username": self.user_name, "session": self.id.as_str(), name: value});
        Note {
            tenant: Some(self.tenant.as_str()),
            action,
            subject: self.user.as_str(),
            before: None,
            after: Some(told.to_string()),
        }
    }

    fn opened(&self) -> Note<'_> {
        self.note("portal.open", ("superadmin", &self.superadmin_name))
    }

    fn closed(&self, why: &str) -> Note<'_> {
        self.note("portal.close", ("why", why))
    }
}

impl Store {
    /// Keeps one under the hash of its cookie; the one that the same session opened before ends.
    pub async fn insert_opened_portal(
        &self,
        actor: &Actor,
        portal: &OpenedPortal,
        hash: &str,
    ) -> Result<(), DbError> {
        let row = portal.row(hash);
        write_tx!(self.db, |conn| -> DbError {
            let before: Vec<Row> = opened_portals::table
                .filter(opened_portals::session_id.eq(portal.session.as_str()))
                .limit(ENDED_READ)
                .load(conn)
                .await?;
            for row in before {
                let old = OpenedPortal::from(row);
                diesel::delete(opened_portals::table.find(old.id.as_str()))
                    .execute(conn)
                    .await?;
                note!(conn, actor, old.closed("another"), portal.created_at);
            }
            diesel::insert_into(opened_portals::table)
                .values(&row)
                .execute(conn)
                .await?;
            note!(conn, actor, portal.opened(), portal.created_at);
            Ok(())
        })
    }

    /// The one of a cookie's hash, ended by time or not.
    pub async fn opened_portal(&self, hash: &str) -> Result<Option<OpenedPortal>, DbError> {
        let row: Option<Row> = on!(self.db, |conn| {
            opened_portals::table
                .filter(opened_portals::hash.eq(hash))
                .first(conn)
                .await
                .optional()
        })?;
        Ok(row.map(OpenedPortal::from))
    }

    /// Ends one.
    pub async fn end_opened_portal(
        &self,
        actor: &Actor,
        portal: &OpenedPortal,
        now: Moment,
    ) -> Result<(), DbError> {
        write_tx!(self.db, |conn| -> DbError {
            let ended = diesel::delete(opened_portals::table.find(portal.id.as_str()))
                .execute(conn)
                .await?;
            if ended > 0 {
                note!(conn, actor, portal.closed("asked"), now);
            }
            Ok(())
        })
    }

    /// Ends those whose time is over, or whose superadmin's session has ended.
    pub async fn end_opened_portals(&self, now: Moment) -> Result<(), DbError> {
        write_tx!(self.db, |conn| -> DbError {
            let living = web_sessions::table.select(web_sessions::id);
            let late: Vec<Row> = opened_portals::table
                .filter(opened_portals::expires_at.le(now.unix_ms()))
                .limit(ENDED_READ)
                .load(conn)
                .await?;
            let left: Vec<Row> = opened_portals::table
                .filter(opened_portals::expires_at.gt(now.unix_ms()))
                .filter(opened_portals::session_id.ne_all(living))
                .limit(ENDED_READ)
                .load(conn)
                .await?;
            let late = late.into_iter().map(|row| (row, "time"));
            let left = left.into_iter().map(|row| (row, "session"));
            for (row, why) in late.chain(left) {
                let portal = OpenedPortal::from(row);
                let one = opened_portals::table.find(portal.id.as_str());
                if diesel::delete(one).execute(conn).await? > 0 {
                    let actor = portal.actor();
                    note!(conn, &actor, portal.closed(why), now);
                }
            }
            Ok(())
        })
    }
}
