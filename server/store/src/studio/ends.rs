//! The ends of what people did in the studio: deleted by them, with them, or because its time is over; and
//! answers whose process died. Batches are small, and several processes may take them at once.

use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::{ExpressionMethods, QueryDsl, QueryableByName};
use diesel_async::RunQueryDsl;
use shared::clock::Moment;
use shared::db::{Db, DbError};
use shared::id::TenantId;
use shared::{on, write_tx};

use super::ChatPlace;
use crate::Store;
use crate::schema::{studio_chats, studio_images};

#[derive(QueryableByName)]
struct OneTenant {
    #[diesel(sql_type = Nullable<Text>)]
    tenant_id: Option<String>,
}

#[derive(QueryableByName)]
struct ComingCount {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

/// What is to go.
#[derive(Debug, Clone, Copy)]
enum Which<'a> {
    /// Of a tenant, what nobody touched since then.
    Before(&'a TenantId, Moment),
    /// Of a person.
    Person(&'a TenantId, &'a str),
    /// Of people who are deleted.
    Deleted,
}

impl Store {
    /// Deletes a person's conversation; answers whether it was there.
    pub async fn forget_studio_chat(&self, at: ChatPlace<'_>) -> Result<bool, DbError> {
        write_tx!(self.db, |conn| -> DbError {
            let row = studio_chats::table.find((at.tenant.as_str(), at.id));
            let gone = diesel::delete(row.filter(studio_chats::user_id.eq(at.user.as_str())))
                .execute(conn)
                .await?;
            Ok(gone > 0)
        })
    }

    /// Deletes a person's image; answers whether it was there.
    pub async fn forget_studio_image(&self, at: ChatPlace<'_>) -> Result<bool, DbError> {
        write_tx!(self.db, |conn| -> DbError {
            let row = studio_images::table.find((at.tenant.as_str(), at.id));
            let gone = diesel::delete(row.filter(studio_images::user_id.eq(at.user.as_str())))
                .execute(conn)
                .await?;
            Ok(gone > 0)
        })
    }

    /// Deletes at most `limit` conversations and as many images of a tenant that nobody touched since `before`;
    /// answers how many.
    pub async fn forget_studio_before(
        &self,
        tenant: &TenantId,
        before: Moment,
        limit: i64,
    ) -> Result<usize, DbError> {
        self.forget_studio(Which::Before(tenant, before), limit)
            .await
    }

    /// Deletes at most `limit` conversations and as many images of a person; answers how many.
    pub async fn forget_studio_of(
        &self,
        tenant: &TenantId,
        user: &str,
        limit: i64,
    ) -> Result<usize, DbError> {
        self.forget_studio(Which::Person(tenant, user), limit).await
    }

    /// Deletes at most `limit` conversations and as many images of people who are deleted, which goes on where a
    /// process died at it; answers how many.
    pub async fn forget_studio_of_deleted(&self, limit: i64) -> Result<usize, DbError> {
        self.forget_studio(Which::Deleted, limit).await
    }

    async fn forget_studio(&self, which: Which<'_>, limit: i64) -> Result<usize, DbError> {
        let chats = self
            .forget_rows(("studio_chats", "touched_at"), which, limit)
            .await?;
        let images = self
            .forget_rows(("studio_images", "created_at"), which, limit)
            .await?;
        Ok(chats.saturating_add(images))
    }

    async fn forget_rows(
        &self,
        (table, at): (&str, &str),
        which: Which<'_>,
        limit: i64,
    ) -> Result<usize, DbError> {
        // Another process may be deleting the same rows; on SQLite there is one writer.
        let lock = match &self.db {
            Db::Postgres(_) => "FOR UPDATE SKIP LOCKED",
            Db::Sqlite { .. } => "",
        };
        let condition = match which {
            Which::Before(..) => format!("s.tenant_id = $1 AND s.{at} <= $2"),
            Which::Person(..) => "s.tenant_id = $1 AND s.user_id = $2".to_owned(),
            Which::Deleted => {
                "s.user_id IN (SELECT u.id FROM users u WHERE u.status = 'deleted')".to_owned()
            }
        };
        // SQLite numbers them as they come.
        let most = match which {
            Which::Before(..) | Which::Person(..) => "$3",
            Which::Deleted => "$1",
        };
        let text = format!(
            "DELETE FROM {table} WHERE (tenant_id, id) IN (SELECT s.tenant_id, s.id FROM {table} s \
             WHERE {condition} LIMIT {most} {lock})"
        );
        write_tx!(self.db, |conn| -> DbError {
            let deletion = diesel::sql_query(&text);
            Ok(match which {
                Which::Before(tenant, before) => {
                    let deletion = deletion.bind::<Text, _>(tenant.as_str());
                    let deletion = deletion.bind::<BigInt, _>(before.unix_ms());
                    deletion.bind::<BigInt, _>(limit).execute(conn).await?
                }
                Which::Person(tenant, user) => {
                    let deletion = deletion.bind::<Text, _>(tenant.as_str());
                    let deletion = deletion.bind::<Text, _>(user);
                    deletion.bind::<BigInt, _>(limit).execute(conn).await?
                }
                Which::Deleted => deletion.bind::<BigInt, _>(limit).execute(conn).await?,
            })
        })
    }

    /// Forgets which models a tenant's people used.
    pub async fn forget_studio_choices(&self, tenant: &TenantId) -> Result<(), DbError> {
        let text = "DELETE FROM studio_choices WHERE tenant_id = $1";
        write_tx!(self.db, |conn| -> DbError {
            let deletion = diesel::sql_query(text).bind::<Text, _>(tenant.as_str());
            deletion.execute(conn).await?;
            Ok(())
        })
    }

    /// The tenant behind another one, by id, of whom anything of the studio is kept.
    pub async fn next_studio_tenant(&self, after: &str) -> Result<Option<TenantId>, DbError> {
        let text = "SELECT MIN(t.tenant_id) AS tenant_id FROM (\
                    SELECT MIN(tenant_id) AS tenant_id FROM studio_chats WHERE tenant_id > $1 \
                    UNION ALL \
                    SELECT MIN(tenant_id) AS tenant_id FROM studio_images WHERE tenant_id > $1) t";
        let rows: Vec<OneTenant> = on!(self.db, |conn| diesel::sql_query(text)
            .bind::<Text, _>(after)
            .load(conn)
            .await)?;
        let found = rows.into_iter().next().and_then(|row| row.tenant_id);
        Ok(found.map(TenantId::from_stored))
    }

    /// Says of answers that processes awaited which show no sign of life any more that they are lost: recovery
    /// has taken their row away. Answers how many.
    pub async fn lose_studio_answers(&self) -> Result<usize, DbError> {
        let coming = "SELECT CAST(COUNT(*) AS BIGINT) AS number FROM studio_answers \
                      WHERE status = 'coming'";
        let any: Vec<ComingCount> =
            on!(self.db, |conn| diesel::sql_query(coming).load(conn).await)?;
        // Nearly always; a look takes no writer.
        if any.iter().all(|one| one.number == 0) {
            return Ok(0);
        }
        let text = "UPDATE studio_answers SET status = 'lost' WHERE status = 'coming' AND \
                    (boot IS NULL OR boot NOT IN (SELECT boot FROM ledger_writers))";
        write_tx!(self.db, |conn| -> DbError {
            Ok(diesel::sql_query(text).execute(conn).await?)
        })
    }
}
