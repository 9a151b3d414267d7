//! Writes names as they are compared beside names of earlier days. Where two of them are the same
//! without case, the older one gets it and the other is found as it is written.

use diesel::sql_types::Text;
use diesel::{ExpressionMethods, QueryDsl};
use diesel_async::RunQueryDsl;
use shared::db::DbError;
use shared::fold::folded;
use shared::{on, write_tx};

use crate::Store;
use crate::schema::{superadmins, tenants, users};

/// Rows that are read and written at once.
const ROWS: usize = 1_000;

/// Goes over a table's rows that have no folded name, in the order of their making.
macro_rules! fold_table {
    ($store:expr, $table:ident, $name:ident, $folded:ident, $scope:expr) => {{
        let table = stringify!($table);
        let (name, folded_name) = (stringify!($name), stringify!($folded));
        let statement = format!(
            "UPDATE {table} SET {folded_name} = $1 WHERE id = $2 AND {name} = $3 AND {folded_name} IS NULL \
             AND NOT EXISTS (SELECT 1 FROM {table} o WHERE o.{folded_name} = $1{})",
            $scope
        );
        let mut behind = String::new();
        loop {
            let rows: Vec<(String, String)> = on!($store.db, |conn| $table::table
                .filter($table::$folded.is_null())
                .filter($table::id.gt(&behind))
                .order($table::id.asc())
                .limit(i64::try_from(ROWS).unwrap_or(i64::MAX))
                .select(($table::id, $table::$name))
                .load(conn)
                .await)?;
            let Some((last, _)) = rows.last() else {
                break;
            };
            last.clone_into(&mut behind);
            let written = write_tx!($store.db, |conn| -> DbError {
                for (id, name) in &rows {
                    diesel::sql_query(&statement)
                        .bind::<Text, _>(folded(name))
                        .bind::<Text, _>(id)
                        .bind::<Text, _>(name)
                        .execute(conn)
                        .await?;
                }
                Ok::<_, DbError>(())
            });
            match written {
                // Another server took one of the names meanwhile; the next start writes the rest.
                Ok(()) | Err(DbError::Duplicate(_)) => {}
                Err(error) => return Err(error),
            }
        }
    }};
}

impl Store {
    /// Writes the folded names that earlier releases did not.
    pub async fn fold_names(&self) -> Result<(), DbError> {
        fold_table!(self, tenants, name, name_folded, "");
        let own = " AND o.tenant_id = users.tenant_id";
        fold_table!(self, users, username, username_folded, own);
        fold_table!(self, superadmins, username, username_folded, "");
        Ok(())
    }
}
