//! Settings that superadmins change while the platform runs: a name and a JSON text each. Knows
//! none of the names; the room `settings` does.

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel_async::RunQueryDsl;
use shared::clock::Moment;
use shared::db::DbError;
use shared::{on, write_tx};

use super::Store;
use super::audit::{Actor, Note, note};
use super::schema::settings;

impl Store {
    /// The JSON of a setting, if it was ever changed.
    pub async fn setting(&self, name: &str) -> Result<Option<String>, DbError> {
        on!(self.db, |conn| settings::table
            .find(name)
            .select(settings::value_json)
            .first(conn)
            .await
            .optional())
    }

    /// Changes a setting; the audit entry tells `before` when it was never changed before.
    pub async fn put_setting(
        &self,
        actor: &Actor,
        name: &str,
        value: &str,
        default: &str,
        now: Moment,
    ) -> Result<(), DbError> {
        write_tx!(self.db, |conn| -> DbError {
            let before: Option<String> = settings::table
                .find(name)
                .select(settings::value_json)
                .first(conn)
                .await
                .optional()?;
            diesel::insert_into(settings::table)
                .values((
                    settings::name.eq(name),
                    settings::value_json.eq(value),
                    settings::updated_at.eq(now.unix_ms()),
                ))
                .on_conflict(settings::name)
                .do_update()
                .set((
                    settings::value_json.eq(value),
                    settings::updated_at.eq(now.unix_ms()),
                ))
                .execute(conn)
                .await?;
            let entry = Note {
                action: "settings.update",
                subject: name,
                before: Some(before.unwrap_or_else(|| default.to_owned())),
                after: Some(value.to_owned()),
                ..Note::default()
            };
            note!(conn, actor, entry, now);
            Ok(())
        })
    }
}
