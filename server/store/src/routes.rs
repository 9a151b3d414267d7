//! What is said of where calls go, one JSON text a subject. Knows no form of it; `server_rules::routing`
//! does.

use std::cmp::Reverse;

use diesel::{BoolExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl};
use diesel_async::RunQueryDsl;
use shared::clock::Moment;
use shared::db::DbError;
use shared::id::{ApiKeyId, TenantId};
use shared::{on, write_tx};

use super::Store;
use super::audit::{Actor, Note, note};
use super::changes::{CATALOGUE, TENANT, announce};
use super::schema::route_rules;

/// Of whom something is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RouteSubject<'a> {
    /// A model, by operators.
    Model(&'a str),
    /// A provider: what it does with data.
    Provider(&'a str),
    /// A tenant, by operators.
    Tenant(&'a TenantId),
    /// A tenant, by its own people.
    Own(&'a TenantId),
    /// A tenant's key.
    Key(&'a TenantId, &'a ApiKeyId),
}

const MODEL: &str = "model";
const PROVIDER: &str = "provider";
const OF_TENANT: &str = "tenant";
const OWN: &str = "own";
const KEY: &str = "key";

impl<'a> RouteSubject<'a> {
    fn kind(self) -> &'static str {
        match self {
            Self::Model(_) => MODEL,
            Self::Provider(_) => PROVIDER,
            Self::Tenant(_) => OF_TENANT,
            Self::Own(_) => OWN,
            Self::Key(..) => KEY,
        }
    }

    fn id(self) -> &'a str {
        match self {
            Self::Model(name) | Self::Provider(name) => name,
            Self::Tenant(tenant) | Self::Own(tenant) => tenant.as_str(),
            Self::Key(_, key) => key.as_str(),
        }
    }

    fn tenant(self) -> Option<&'a TenantId> {
        match self {
            Self::Model(_) | Self::Provider(_) => None,
            Self::Tenant(tenant) | Self::Own(tenant) | Self::Key(tenant, _) => Some(tenant),
        }
    }

    fn action(self) -> &'static str {
        match self {
            Self::Model(_) => "model.route",
            Self::Provider(_) => "provider.data_terms",
            Self::Tenant(_) | Self::Own(_) => "tenant.route",
            Self::Key(..) => "key.route",
        }
    }
}

/// What is said of the platform's own subjects.
#[derive(Debug, Default)]
pub struct PlatformRoutes {
    /// Of models, each with its JSON.
    pub models: Vec<(String, String)>,
    /// Of providers.
    pub providers: Vec<(String, String)>,
}

impl Store {
    /// What is said of one subject.
    pub async fn route_rule(&self, of: RouteSubject<'_>) -> Result<Option<String>, DbError> {
        let tenant = of.tenant().map_or("", TenantId::as_str);
        on!(self.db, |conn| {
            route_rules::table
                .find((of.kind(), of.id()))
                .filter(route_rules::tenant_id.eq(tenant))
                .select(route_rules::rule)
                .first(conn)
                .await
                .optional()
        })
    }

    /// What is said of a tenant by anybody, and of these keys of it.
    pub async fn tenant_routes(
        &self,
        tenant: &TenantId,
        keys: &[ApiKeyId],
    ) -> Result<Vec<String>, DbError> {
        let names: Vec<&str> = keys.iter().map(ApiKeyId::as_str).collect();
        let mut rows: Vec<(String, String, String)> = on!(self.db, |conn| {
            route_rules::table
                .filter(route_rules::tenant_id.eq(tenant.as_str()))
                .filter(
                    route_rules::kind
                        .eq_any(vec![OF_TENANT, OWN])
                        .or(route_rules::kind
                            .eq(KEY)
                            .and(route_rules::subject.eq_any(names.clone()))),
                )
                .select((route_rules::kind, route_rules::subject, route_rules::rule))
                .load(conn)
                .await
        })?;
        // Whoever is nearer to the call comes later: `tenant`, `own`, then keys from the oldest on.
        rows.sort_by_key(|(kind, subject, _)| {
            let of_key = names.iter().position(|name| name == subject);
            (Reverse(kind.clone()), Reverse(of_key))
        });
        Ok(rows.into_iter().map(|(.., rule)| rule).collect())
    }

    /// What is said of all models and providers.
    pub async fn platform_routes(&self) -> Result<PlatformRoutes, DbError> {
        let rows: Vec<(String, String, String)> = on!(self.db, |conn| {
            route_rules::table
                .filter(route_rules::tenant_id.eq(""))
                .select((route_rules::kind, route_rules::subject, route_rules::rule))
                .load(conn)
                .await
        })?;
        let mut routes = PlatformRoutes::default();
        for (kind, subject, rule) in rows {
            match kind.as_str() {
                MODEL => routes.models.push((subject, rule)),
                PROVIDER => routes.providers.push((subject, rule)),
                // Of a later version.
                _ => {}
            }
        }
        Ok(routes)
    }

    /// Says something of a subject, or nothing any more; announces it to every replica.
    pub async fn put_route_rule(
        &self,
        actor: &Actor,
        of: RouteSubject<'_>,
        rule: Option<&str>,
        now: Moment,
    ) -> Result<(), DbError> {
        let (kind, id) = (of.kind(), of.id());
        let tenant = of.tenant().map_or("", TenantId::as_str);
        let announced = match of.tenant() {
            None => CATALOGUE.to_owned(),
            Some(tenant) => format!("{TENANT}{tenant}"),
        };
        write_tx!(self.db, |conn| -> DbError {
            announce!(conn, &announced, now);
            let before: Option<String> = route_rules::table
                .find((kind, id))
                .filter(route_rules::tenant_id.eq(tenant))
                .select(route_rules::rule)
                .first(conn)
                .await
                .optional()?;
            if before.as_deref() == rule {
                return Ok::<_, DbError>(());
            }
            let old = route_rules::table.find((kind, id));
            diesel::delete(old).execute(conn).await?;
            if let Some(rule) = rule {
                diesel::insert_into(route_rules::table)
                    .values((
                        route_rules::kind.eq(kind),
                        route_rules::subject.eq(id),
                        route_rules::tenant_id.eq(tenant),
                        route_rules::rule.eq(rule),
                        route_rules::updated_at.eq(now.unix_ms()),
                    ))
                    .execute(conn)
                    .await?;
            }
            let entry = Note {
                tenant: of.tenant().map(TenantId::as_str),
                action: of.action(),
                subject: id,
                before,
                after: rule.map(str::to_owned),
            };
            note!(conn, actor, entry, now);
            Ok(())
        })
    }
}
