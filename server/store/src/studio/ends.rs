//! The ends of what people did in the studio: deleted by them, with them, or because its time is over; and
//! answers whose process died. Large things go part by part, each in a small transaction, and several processes may
//! be at it at once.

use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl, QueryableByName,
};
use diesel_async::RunQueryDsl;
use shared::clock::Moment;
use shared::db::DbError;
use shared::id::TenantId;
use shared::{on, write_tx};

use crate::Store;
use crate::schema::{studio_chats, studio_images, studio_leavers};

/// Says inside the transaction of `conn` that what a person has in the studio is to go: they are deleted.
macro_rules! leave_studio {
    ($conn:expr, $tenant:expr, $user:expr, $now:expr) => {
        diesel::insert_into($crate::schema::studio_leavers::table)
            .values((
                $crate::schema::studio_leavers::tenant_id.eq($tenant.as_str()),
                $crate::schema::studio_leavers::user_id.eq($user.as_str()),
                $crate::schema::studio_leavers::left_at.eq($now.unix_ms()),
            ))
            .on_conflict_do_nothing()
            .execute($conn)
            .await?
    };
}
pub(crate) use leave_studio;

#[derive(QueryableByName)]
struct OneTenant {
    #[diesel(sql_type = Nullable<Text>)]
    tenant_id: Option<String>,
}

#[derive(QueryableByName)]
struct OneThing {
    #[diesel(sql_type = Text)]
    id: String,
}

#[derive(QueryableByName)]
struct ComingCount {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

/// What is to go.
#[derive(Debug, Clone, Copy)]
pub enum StudioEnded<'a> {
    /// Of a tenant, what nobody touched since then.
    Before(&'a TenantId, Moment),
    /// Of a person.
    Person(&'a TenantId, &'a str),
}

impl<'a> StudioEnded<'a> {
    /// Whose.
    pub fn tenant(self) -> &'a TenantId {
        match self {
            Self::Before(tenant, _) | Self::Person(tenant, _) => tenant,
        }
    }
}

/// How far something is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StudioForgot {
    /// It was not there.
    Nothing,
    /// Nobody reads it any more; more of it is to go.
    Part,
    /// It is gone.
    Whole,
}

/// Whether a statement that deletes so many rows at most left some.
fn is_more(deleted: usize, limit: i64) -> bool {
    i64::try_from(deleted).is_ok_and(|deleted| deleted >= limit)
}

/// Says of a thing that it is to go, inside the transaction of `conn`: nobody finds it from then on, and where its
/// process dies at it, the sweep does. Its lock makes those who write to it wait. Answers whether it was there.
macro_rules! mark {
    ($conn:expr, ($table:literal, $at:literal), ($tenant:expr, $id:expr, $user:expr)) => {{
        let text = concat!(
            "UPDATE ",
            $table,
            " SET ",
            $at,
            " = 0 \
             WHERE tenant_id = $1 AND id = $2 AND (user_id = $3 OR $3 = '')"
        );
        let marking = diesel::sql_query(text)
            .bind::<Text, _>($tenant.as_str())
            .bind::<Text, _>($id)
            .bind::<Text, _>($user);
        marking.execute($conn).await? > 0
    }};
}

/// Deletes at most so many parts of a thing inside the transaction of `conn`; answers how many.
macro_rules! delete_parts {
    ($conn:expr, ($table:literal, $of:literal, $place:literal), ($tenant:expr, $id:expr, $limit:expr)) => {{
        let text = concat!(
            "DELETE FROM ",
            $table,
            " WHERE tenant_id = $1 AND ",
            $of,
            " = $2 AND (",
            $place,
            ") IN (\
             SELECT ",
            $place,
            " FROM ",
            $table,
            " WHERE tenant_id = $1 AND ",
            $of,
            " = $2 \
             ORDER BY ",
            $place,
            " LIMIT $3)"
        );
        let deletion = diesel::sql_query(text)
            .bind::<Text, _>($tenant.as_str())
            .bind::<Text, _>($id)
            .bind::<BigInt, _>($limit);
        deletion.execute($conn).await?
    }};
}

impl Store {
    /// Deletes a conversation, at most `limit` answers and messages of it at once; `user`, where it is not empty,
    /// has to be the person whose it is. To be asked again until nothing is left.
    pub async fn forget_studio_chat(
        &self,
        (tenant, id): (&TenantId, &str),
        user: &str,
        limit: i64,
    ) -> Result<StudioForgot, DbError> {
        write_tx!(self.db, |conn| -> DbError {
            if !mark!(conn, ("studio_chats", "touched_at"), (tenant, id, user)) {
                return Ok(StudioForgot::Nothing);
            }
            let gone = delete_parts!(
                conn,
                ("studio_answers", "chat_id", "turn, place"),
                (tenant, id, limit)
            );
            if is_more(gone, limit) {
                return Ok(StudioForgot::Part);
            }
            let gone = delete_parts!(
                conn,
                ("studio_turns", "chat_id", "place"),
                (tenant, id, limit)
            );
            if is_more(gone, limit) {
                return Ok(StudioForgot::Part);
            }
            diesel::delete(studio_chats::table.find((tenant.as_str(), id)))
                .execute(conn)
                .await?;
            Ok(StudioForgot::Whole)
        })
    }

    /// Deletes an image, at most `limit` parts of it at once, as [`Store::forget_studio_chat`] does.
    pub async fn forget_studio_image(
        &self,
        (tenant, id): (&TenantId, &str),
        user: &str,
        limit: i64,
    ) -> Result<StudioForgot, DbError> {
        write_tx!(self.db, |conn| -> DbError {
            if !mark!(conn, ("studio_images", "created_at"), (tenant, id, user)) {
                return Ok(StudioForgot::Nothing);
            }
            let gone = delete_parts!(
                conn,
                ("studio_parts", "image_id", "place"),
                (tenant, id, limit)
            );
            if is_more(gone, limit) {
                return Ok(StudioForgot::Part);
            }
            diesel::delete(studio_images::table.find((tenant.as_str(), id)))
                .execute(conn)
                .await?;
            Ok(StudioForgot::Whole)
        })
    }

    /// At most `limit` conversations that are to go, by id, behind the first `skip` of them.
    pub async fn ended_studio_chats(
        &self,
        which: StudioEnded<'_>,
        (skip, limit): (i64, i64),
    ) -> Result<Vec<String>, DbError> {
        let of = ("studio_chats", "touched_at");
        self.ended_studio(of, which, (skip, limit)).await
    }

    /// And images.
    pub async fn ended_studio_images(
        &self,
        which: StudioEnded<'_>,
        (skip, limit): (i64, i64),
    ) -> Result<Vec<String>, DbError> {
        let of = ("studio_images", "created_at");
        self.ended_studio(of, which, (skip, limit)).await
    }

    async fn ended_studio(
        &self,
        (table, at): (&str, &str),
        which: StudioEnded<'_>,
        (skip, limit): (i64, i64),
    ) -> Result<Vec<String>, DbError> {
        let condition = match which {
            StudioEnded::Before(..) => format!("{at} <= $2"),
            StudioEnded::Person(..) => "user_id = $2".to_owned(),
        };
        let text = format!(
            "SELECT id FROM {table} WHERE tenant_id = $1 AND {condition} \
             ORDER BY {at}, id LIMIT $3 OFFSET $4"
        );
        let tenant = which.tenant().as_str();
        let rows: Vec<OneThing> = on!(self.db, |conn| {
            let looking = diesel::sql_query(&text).bind::<Text, _>(tenant);
            match which {
                StudioEnded::Before(_, before) => {
                    let looking = looking.bind::<BigInt, _>(before.unix_ms());
                    let looking = looking.bind::<BigInt, _>(limit);
                    looking.bind::<BigInt, _>(skip).load(conn).await
                }
                StudioEnded::Person(_, user) => {
                    let looking = looking.bind::<Text, _>(user);
                    let looking = looking.bind::<BigInt, _>(limit);
                    looking.bind::<BigInt, _>(skip).load(conn).await
                }
            }
        })?;
        Ok(rows.into_iter().map(|row| row.id).collect())
    }

    /// The person behind another one, by tenant and id, who was deleted, and when they were; with them goes what
    /// is left of theirs.
    pub async fn next_studio_leaver(
        &self,
        (tenant, user): (&str, &str),
    ) -> Result<Option<(String, String, i64)>, DbError> {
        let behind = studio_leavers::tenant_id
            .gt(tenant)
            .or(studio_leavers::tenant_id
                .eq(tenant)
                .and(studio_leavers::user_id.gt(user)));
        on!(self.db, |conn| studio_leavers::table
            .filter(behind)
            .order((
                studio_leavers::tenant_id.asc(),
                studio_leavers::user_id.asc()
            ))
            .first(conn)
            .await
            .optional())
    }

    /// Nothing of a person who was deleted can come any more.
    pub async fn forget_studio_leaver(&self, tenant: &TenantId, user: &str) -> Result<(), DbError> {
        write_tx!(self.db, |conn| -> DbError {
            diesel::delete(studio_leavers::table.find((tenant.as_str(), user)))
                .execute(conn)
                .await?;
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
