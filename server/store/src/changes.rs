//! What replicas must forget from their caches. A change is announced inside the transaction that
//! makes it; readers ask for all above the last version they saw.

use diesel::{ExpressionMethods, QueryDsl};
use diesel_async::RunQueryDsl;
use shared::clock::Moment;
use shared::db::DbError;
use shared::{on, write_tx};

use super::Store;
use super::schema::changes;

/// The catalogue was changed.
pub const CATALOGUE: &str = "catalogue";
/// Somebody was suspended, or may call again.
pub const END_USERS: &str = "end_users";
/// Before the id of a tenant: it, its users, its keys or its sessions were changed.
pub const TENANT: &str = "tenant:";
/// Changes read in one go.
const CHANGES_MAX: i64 = 1_000;

/// Announces a change of `subject` inside the transaction of `conn`; a macro, because it is
/// compiled for either connection. The locked revision makes versions visible in their order.
macro_rules! announce {
    ($conn:expr, $subject:expr, $now:expr) => {{
        use $crate::schema::{changes, revisions};
        diesel::update(revisions::table.find("changes"))
            .set(revisions::version.eq(revisions::version + 1))
            .execute($conn)
            .await?;
        let version: i64 = revisions::table
            .find("changes")
            .select(revisions::version)
            .first($conn)
            .await?;
        diesel::insert_into(changes::table)
            .values((
                changes::version.eq(version),
                changes::subject.eq($subject),
                changes::at.eq($now.unix_ms()),
            ))
            .execute($conn)
            .await?;
    }};
}
pub(crate) use announce;

impl Store {
    /// Changes above `version`, oldest first.
    pub async fn changes_after(&self, version: i64) -> Result<Vec<(i64, String)>, DbError> {
        on!(self.db, |conn| {
            changes::table
                .filter(changes::version.gt(version))
                .order(changes::version.asc())
                .select((changes::version, changes::subject))
                .limit(CHANGES_MAX)
                .load(conn)
                .await
        })
    }

    /// The newest version; where a watcher begins.
    pub async fn changes_newest(&self) -> Result<i64, DbError> {
        on!(self.db, |conn| {
            super::schema::revisions::table
                .find("changes")
                .select(super::schema::revisions::version)
                .first(conn)
                .await
        })
    }

    /// Deletes what every living replica has read long ago.
    pub async fn changes_forget(&self, before: Moment) -> Result<(), DbError> {
        write_tx!(self.db, |conn| -> DbError {
            diesel::delete(changes::table.filter(changes::at.lt(before.unix_ms())))
                .execute(conn)
                .await?;
            Ok(())
        })
    }
}
