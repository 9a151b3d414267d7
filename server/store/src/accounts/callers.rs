//! Who made calls: names of people and keys by their ids, and who made the keys. Three statements, however
//! many are asked for.

use std::collections::HashMap;

use diesel::sql_types::Bool;
use diesel::{BoolExpressionMethods, ExpressionMethods, IntoSql, QueryDsl};
use diesel_async::RunQueryDsl;
use shared::db::DbError;
use shared::id::TenantId;
use shared::on;

use crate::Store;
use crate::schema::{api_keys, audit_entries, users};

/// A person or a key that calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerName {
    /// Their name.
    pub name: String,
    /// How the key ends; nothing of a person.
    pub last4: Option<String>,
    /// Who made the key, as far as the audit log tells.
    pub maker: Option<KeyMaker>,
}

/// Who made a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyMaker {
    /// Their name at that time.
    pub name: String,
    /// Whether it was somebody of the tenant.
    pub of_tenant: bool,
}

impl Store {
    /// Names of people and keys of one tenant, or of all, by id; whoever is not there any more is absent.
    pub async fn caller_names(
        &self,
        tenant: Option<&TenantId>,
        (people, keys): (&[&str], &[&str]),
    ) -> Result<HashMap<String, CallerName>, DbError> {
        let (everywhere, whose) = (tenant.is_none(), tenant.map_or("", TenantId::as_str));
        let mut all = HashMap::new();
        if !people.is_empty() {
            let rows: Vec<(String, String)> = on!(self.db, |conn| {
                users::table
                    .filter(users::id.eq_any(people))
                    .filter(users::tenant_id.eq(whose).or(everywhere.into_sql::<Bool>()))
                    .select((users::id, users::username))
                    .load(conn)
                    .await
            })?;
            all.extend(rows.into_iter().map(|(id, name)| {
                let person = CallerName {
                    name,
                    last4: None,
                    maker: None,
                };
                (id, person)
            }));
        }
        if keys.is_empty() {
            return Ok(all);
        }
        let rows: Vec<(String, String, String)> = on!(self.db, |conn| {
            api_keys::table
                .filter(api_keys::id.eq_any(keys))
                .filter(
                    api_keys::tenant_id
                        .eq(whose)
                        .or(everywhere.into_sql::<Bool>()),
                )
                .select((api_keys::id, api_keys::name, api_keys::last4))
                .load(conn)
                .await
        })?;
        let makers: Vec<(String, String, String)> = on!(self.db, |conn| {
            audit_entries::table
                .filter(audit_entries::subject.eq_any(keys))
                .filter(audit_entries::action.eq("key.create"))
                .select((
                    audit_entries::subject,
                    audit_entries::actor_name,
                    audit_entries::actor_kind,
                ))
                .load(conn)
                .await
        })?;
        let mut makers: HashMap<String, KeyMaker> = makers
            .into_iter()
            .filter(|(_, name, _)| !name.is_empty())
            .map(|(key, name, kind)| {
                let of_tenant = kind == "user" || kind == "key";
                (key, KeyMaker { name, of_tenant })
            })
            .collect();
        all.extend(rows.into_iter().map(|(id, name, last4)| {
            let key = CallerName {
                name,
                last4: Some(last4),
                maker: makers.remove(&id),
            };
            (id, key)
        }));
        Ok(all)
    }
}
