//! Audit entries of changes that are made elsewhere: at the gateway, or by the ledger's writer.
//! Those made in this database write theirs in their own transaction.

use diesel::ExpressionMethods;
use diesel_async::RunQueryDsl;
use shared::clock::Moment;
use shared::db::DbError;
use shared::write_tx;

use super::Store;
use super::audit::{Actor, Note, note};

impl Store {
    /// Writes the entry of a change that is done.
    pub async fn note_done(
        &self,
        actor: &Actor,
        note: Note<'_>,
        now: Moment,
    ) -> Result<(), DbError> {
        write_tx!(self.db, |conn| -> DbError {
            note!(conn, actor, note.clone(), now);
            Ok::<_, DbError>(())
        })
    }
}
