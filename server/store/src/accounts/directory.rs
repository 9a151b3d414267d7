//! The list of tenants as it is looked through: by the beginning of a name or an id, by state, in an
//! order. Reads nothing of what they have or spend.

use diesel::sql_types::{BigInt, Text};
use diesel_async::RunQueryDsl;
use shared::clock::Moment;
use shared::db::{Db, DbError};
use shared::id::TenantId;
use shared::on;

use super::tenants::{Tenant, TenantRow};
use crate::Store;

/// What the list is ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DirectoryOrder {
    /// By name, without case.
    Name,
    /// By when they were made.
    Created,
}

/// The states that a list is narrowed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DirectoryStatus {
    /// Those that may call.
    Active,
    /// Those that may not, but were not deleted.
    Suspended,
    /// Those that go away when their time has come.
    Deleting,
}

impl DirectoryStatus {
    fn condition(self) -> &'static str {
        match self {
            Self::Active => " AND status = 'active'",
            Self::Suspended => " AND status = 'suspended' AND delete_at IS NULL",
            Self::Deleting => " AND delete_at IS NOT NULL",
        }
    }
}

/// A part of a list of tenants.
#[derive(Debug, Clone, Copy)]
pub struct DirectoryQuery<'a> {
    /// By what; searched names by name and all others newest first when absent.
    pub order: Option<DirectoryOrder>,
    /// From the end of that order.
    pub descending: bool,
    /// Which ones; all when absent.
    pub status: Option<DirectoryStatus>,
    /// The folded name and the id of the last tenant that was seen.
    pub behind: Option<(&'a str, &'a str)>,
    /// Against the list's order.
    pub backwards: bool,
    /// How many at most.
    pub limit: i64,
}

/// A text behind every text that begins with `prefix`, in byte order.
fn behind_all(prefix: &str) -> String {
    format!("{prefix}\u{10ffff}")
}

impl Store {
    /// Tenants whose name, without case, or whose id begins with `search`.
    pub async fn tenants_found(
        &self,
        search: &str,
        query: DirectoryQuery<'_>,
    ) -> Result<Vec<Tenant>, DbError> {
        let by_id = search.is_empty() || search.starts_with(TenantId::PREFIX);
        let usual = if by_id {
            (DirectoryOrder::Created, true)
        } else {
            (DirectoryOrder::Name, false)
        };
        let (order, descending) = query.order.map_or(usual, |order| (order, query.descending));
        // As the index has it; the few that have no folded name go by their small letters.
        let folded = match &self.db {
            Db::Postgres(_) => r#"coalesce(name_folded, lower(name)) COLLATE "C""#,
            Db::Sqlite { .. } => "coalesce(name_folded, lower(name))",
        };
        let up = descending == query.backwards;
        let (compare, way) = if up { (">", "ASC") } else { ("<", "DESC") };
        // An empty search is the beginning of every name as of every id.
        let named = !by_id || (search.is_empty() && order == DirectoryOrder::Name);
        let searched = if named { folded } else { "id" };
        let status = query.status.map_or("", DirectoryStatus::condition);
        let least = if named {
            shared::fold::folded(search)
        } else {
            search.to_owned()
        };
        let (name, id) = query.behind.unwrap_or(("", ""));
        // Ids are drawn as time goes, so their order is that of their making.
        let (place, sorted) = match (order, query.behind) {
            (DirectoryOrder::Created, None) => ("$3 = $4".to_owned(), format!("id {way}")),
            (DirectoryOrder::Created, Some(_)) => (
                format!("($3 = $3 AND id {compare} $4)"),
                format!("id {way}"),
            ),
            (DirectoryOrder::Name, None) => {
                ("$3 = $4".to_owned(), format!("{folded} {way}, id {way}"))
            }
            (DirectoryOrder::Name, Some(_)) => (
                format!("({folded}, id) {compare} ($3, $4)"),
                format!("{folded} {way}, id {way}"),
            ),
        };
        let text = format!(
            "SELECT * FROM tenants WHERE {searched} >= $1 AND {searched} < $2 AND {place}{status} \
             ORDER BY {sorted} LIMIT $5"
        );
        let rows: Vec<TenantRow> = on!(self.db, |conn| {
            diesel::sql_query(&text)
                .bind::<Text, _>(&least)
                .bind::<Text, _>(behind_all(&least))
                .bind::<Text, _>(name)
                .bind::<Text, _>(id)
                .bind::<BigInt, _>(query.limit)
                .load(conn)
                .await
        })?;
        rows.into_iter().map(Tenant::try_from).collect()
    }

    /// Tenants whose time is over, at most `limit`.
    pub async fn tenants_over(&self, now: Moment, limit: i64) -> Result<Vec<Tenant>, DbError> {
        let text = "SELECT * FROM tenants WHERE delete_at IS NOT NULL AND delete_at <= $1 LIMIT $2";
        let rows: Vec<TenantRow> = on!(self.db, |conn| {
            diesel::sql_query(text)
                .bind::<BigInt, _>(now.unix_ms())
                .bind::<BigInt, _>(limit)
                .load(conn)
                .await
        })?;
        rows.into_iter().map(Tenant::try_from).collect()
    }
}
