//! Finding tenants, people and keys by a part of their name or by their id. Few rows, of tables that
//! hold names: the millions of records of calls are not looked at.

use diesel::sql_types::{Bool, Nullable, Text};
use diesel::{BoolExpressionMethods, EscapeExpressionMethods, ExpressionMethods, IntoSql};
use diesel::{QueryDsl, TextExpressionMethods};
use diesel_async::RunQueryDsl;
use shared::db::DbError;
use shared::fold::folded;
use shared::id::TenantId;
use shared::on;

use super::UserStatus;
use crate::Store;
use crate::schema::{api_keys, tenants, users};

diesel::define_sql_function! {
    /// As both databases fold names that an earlier version wrote.
    fn lower(name: Text) -> Text;
}
diesel::define_sql_function! {
    /// The first that is there.
    fn coalesce(kept: Nullable<Text>, otherwise: Text) -> Text;
}

/// Something that a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundName {
    /// Whose it is; its own where it is a tenant.
    pub tenant: TenantId,
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

fn found((tenant, id, name): (String, String, String)) -> FoundName {
    FoundName {
        tenant: TenantId::from_stored(tenant),
        id,
        name,
    }
}

/// A pattern for names that have `text` anywhere; what a person typed is no pattern.
fn anywhere(text: &str) -> String {
    as_typed(&folded(text))
}

/// The same of a column that has names as they were typed.
fn as_typed(text: &str) -> String {
    let text = text.replace('\\', "\\\\");
    format!("%{}%", text.replace('%', "\\%").replace('_', "\\_"))
}

impl Store {
    /// Tenants with `text` in their name, or with that id.
    pub async fn find_tenants(&self, text: &str, limit: i64) -> Result<Vec<FoundName>, DbError> {
        let pattern = anywhere(text);
        let rows: Vec<(String, String, String)> = on!(self.db, |conn| {
            tenants::table
                .filter(
                    coalesce(tenants::name_folded, lower(tenants::name))
                        .like(&pattern)
                        .escape('\\')
                        .or(tenants::id.eq(text)),
                )
                .order(tenants::name)
                .limit(limit)
                .select((tenants::id, tenants::id, tenants::name))
                .load(conn)
                .await
        })?;
        Ok(rows.into_iter().map(found).collect())
    }

    /// People who are not deleted, of one tenant or of all, with `text` in their name or with that id.
    pub async fn find_users(
        &self,
        tenant: Option<&TenantId>,
        text: &str,
        limit: i64,
    ) -> Result<Vec<FoundName>, DbError> {
        let (pattern, everywhere) = (anywhere(text), tenant.is_none());
        let whose = tenant.map_or("", TenantId::as_str);
        let rows: Vec<(String, String, String)> = on!(self.db, |conn| {
            users::table
                .filter(users::tenant_id.eq(whose).or(everywhere.into_sql::<Bool>()))
                .filter(users::status.ne(UserStatus::Deleted.word()))
                .filter(
                    coalesce(users::username_folded, lower(users::username))
                        .like(&pattern)
                        .escape('\\')
                        .or(users::id.eq(text)),
                )
                .order(users::username)
                .limit(limit)
                .select((users::tenant_id, users::id, users::username))
                .load(conn)
                .await
        })?;
        Ok(rows.into_iter().map(found).collect())
    }

    /// API keys, of one tenant or of all, with `text` in their name, with that id or with that end.
    pub async fn find_keys(
        &self,
        tenant: Option<&TenantId>,
        text: &str,
        limit: i64,
    ) -> Result<Vec<FoundName>, DbError> {
        let (pattern, typed) = (anywhere(text), as_typed(text));
        let everywhere = tenant.is_none();
        let whose = tenant.map_or("", TenantId::as_str);
        let rows: Vec<(String, String, String)> = on!(self.db, |conn| {
            api_keys::table
                .filter(
                    api_keys::tenant_id
                        .eq(whose)
                        .or(everywhere.into_sql::<Bool>()),
                )
                // A tenant has no page of a key that is no more.
                .filter(
                    api_keys::revoked_at
                        .is_null()
                        .or(everywhere.into_sql::<Bool>()),
                )
                .filter(
                    lower(api_keys::name)
                        .like(&pattern)
                        .escape('\\')
                        .or(api_keys::name.like(&typed).escape('\\'))
                        .or(api_keys::id.eq(text))
                        .or(api_keys::last4.eq(text)),
                )
                .order(api_keys::name)
                .limit(limit)
                .select((api_keys::tenant_id, api_keys::id, api_keys::name))
                .load(conn)
                .await
        })?;
        Ok(rows.into_iter().map(found).collect())
    }
}
