//! Which models people used last in the studio. Knows no model.

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel_async::RunQueryDsl;
use shared::db::DbError;
use shared::id::{TenantId, UserId};
use shared::{on, write_tx};

use crate::Store;
use crate::schema::studio_choices;

impl Store {
    /// Remembers the model that a person used last for an operation.
    pub async fn put_studio_choice(
        &self,
        (tenant, user): (&TenantId, &UserId),
        operation: &str,
        model: &str,
    ) -> Result<(), DbError> {
        write_tx!(self.db, |conn| -> DbError {
            diesel::insert_into(studio_choices::table)
                .values((
                    studio_choices::tenant_id.eq(tenant.as_str()),
                    studio_choices::user_id.eq(user.as_str()),
                    studio_choices::operation.eq(operation),
                    studio_choices::model.eq(model),
                ))
                .on_conflict((
                    studio_choices::tenant_id,
                    studio_choices::user_id,
                    studio_choices::operation,
                ))
                .do_update()
                .set(studio_choices::model.eq(model))
                .execute(conn)
                .await?;
            Ok(())
        })
    }

    /// The model that a person used last for an operation.
    pub async fn studio_choice(
        &self,
        (tenant, user): (&TenantId, &UserId),
        operation: &str,
    ) -> Result<Option<String>, DbError> {
        on!(self.db, |conn| studio_choices::table
            .find((tenant.as_str(), user.as_str(), operation))
            .select(studio_choices::model)
            .first(conn)
            .await
            .optional())
    }

    /// Forgets which models a tenant's people used.
    pub async fn forget_studio_choices(&self, tenant: &TenantId) -> Result<(), DbError> {
        write_tx!(self.db, |conn| -> DbError {
            let all = studio_choices::table.filter(studio_choices::tenant_id.eq(tenant.as_str()));
            diesel::delete(all).execute(conn).await?;
            Ok(())
        })
    }

    /// Forgets which models a person used.
    pub async fn forget_studio_choices_of(
        &self,
        tenant: &TenantId,
        user: &str,
    ) -> Result<(), DbError> {
        write_tx!(self.db, |conn| -> DbError {
            let theirs = studio_choices::table
                .filter(studio_choices::tenant_id.eq(tenant.as_str()))
                .filter(studio_choices::user_id.eq(user));
            diesel::delete(theirs).execute(conn).await?;
            Ok(())
        })
    }
}
