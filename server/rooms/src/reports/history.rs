//! Room: what a tenant's calls consumed and cost, page by page and added up. Only reads; records are
//! written by the ledger with each settlement.

use server_store::Store;
use server_store::usage::{RecordsQuery, TimeRange, UsageRecord, UsageSummary};
use shared::db::DbError;
use shared::id::{GenerationId, TenantId, UserId};

/// Some records of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsagePage {
    /// Newest first.
    pub records: Vec<UsageRecord>,
    /// Whether older ones follow.
    pub has_more: bool,
}

/// Which part of a tenant's records.
#[derive(Debug, Clone, Copy)]
pub struct UsageQuery<'a> {
    /// Of this person alone.
    pub user: Option<&'a UserId>,
    /// Of when.
    pub period: TimeRange,
    /// The last record of the page before.
    pub after: Option<&'a GenerationId>,
    /// How many at most.
    pub limit: u32,
}

/// Reads usage records; cheap to clone.
#[derive(Debug, Clone)]
pub struct UsageHistory {
    store: Store,
}

impl UsageHistory {
    /// Over the server's database.
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// A page of a tenant's records.
    pub async fn page(
        &self,
        tenant: &TenantId,
        query: UsageQuery<'_>,
    ) -> Result<UsagePage, DbError> {
        let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
        // One more than asked tells whether there are more.
        let wanted = i64::from(query.limit).saturating_add(1);
        let query = RecordsQuery {
            user: query.user,
            period: query.period,
            after: query.after,
            limit: wanted,
        };
        let mut records = self.store.usage_records(tenant, query).await?;
        let has_more = records.len() > limit;
        records.truncate(limit);
        Ok(UsagePage { records, has_more })
    }

    /// A page of a tenant's records with the sums of the whole period; `None` when there is no
    /// such tenant.
    pub async fn report(
        &self,
        tenant: &TenantId,
        query: UsageQuery<'_>,
    ) -> Result<Option<(UsagePage, Vec<UsageSummary>)>, DbError> {
        if self.store.tenant(tenant).await?.is_none() {
            return Ok(None);
        }
        let page = self.page(tenant, query).await?;
        Ok(Some((page, self.summary(tenant, query.period).await?)))
    }

    /// A tenant's calls added up by operation and model.
    pub async fn summary(
        &self,
        tenant: &TenantId,
        period: TimeRange,
    ) -> Result<Vec<UsageSummary>, DbError> {
        self.store.usage_summary(tenant, period).await
    }
}
