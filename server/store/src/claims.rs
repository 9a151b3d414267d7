//! Work that one server does for all of them: whoever moves its moment on does it, and the others wait until
//! it is due again. A server that dies in the middle leaves the work until then.

use std::time::Duration;

use diesel::{ExpressionMethods, QueryDsl};
use diesel_async::RunQueryDsl;
use shared::clock::Moment;
use shared::db::DbError;
use shared::write_tx;

use super::Store;
use super::schema::task_claims;

impl Store {
    /// Whether the caller is to do the work of that name: it was not claimed within `every` before `now`.
    /// Both databases let one of several that ask at once have it.
    pub async fn claim_task(
        &self,
        name: &str,
        every: Duration,
        now: Moment,
    ) -> Result<bool, DbError> {
        write_tx!(self.db, |conn| -> DbError {
            let made = diesel::insert_into(task_claims::table)
                .values((
                    task_claims::name.eq(name),
                    task_claims::claimed_at.eq(now.unix_ms()),
                ))
                .on_conflict_do_nothing()
                .execute(conn)
                .await?;
            if made == 1 {
                return Ok::<_, DbError>(true);
            }
            let due = task_claims::table
                .find(name)
                .filter(task_claims::claimed_at.le(now.before(every).unix_ms()));
            let moved = diesel::update(due)
                .set(task_claims::claimed_at.eq(now.unix_ms()))
                .execute(conn)
                .await?;
            Ok(moved == 1)
        })
    }
}
