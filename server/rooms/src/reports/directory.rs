//! The list of tenants, searched by the beginning of a name or an id, with what each has and spent.

use server_store::accounts::{DirectoryOrder, DirectoryQuery, DirectoryStatus, Tenant};
use shared::clock::Moment;
use shared::credits::Credits;
use shared::fold::folded;
use shared::id::TenantId;

use super::page::{PageRequest, Paged, Towards};
use super::span::Span;
use super::{Reports, ReportsError};
use crate::ledger::Balance;

/// A tenant with its money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantLine {
    /// The tenant.
    pub tenant: Tenant,
    /// What it has now.
    pub balance: Balance,
    /// What it spent in the last 30 days, today included; as current as the sums.
    pub spent_30d: Credits,
    /// In how many calls.
    pub calls_30d: u64,
    /// When its last call came that has ended.
    pub called_at: Option<Moment>,
}

/// How the list is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Listing {
    /// By what it is ordered, and whether from the end; its usual order when absent.
    pub order: Option<(DirectoryOrder, bool)>,
    /// Which tenants; all when absent.
    pub status: Option<DirectoryStatus>,
}

impl Reports {
    /// Tenants whose name or id begins with `search`: in order of name; newest first when all are asked
    /// for, or an id is (`ten_…`). Capitals and small letters are the same, for ASCII.
    pub async fn tenants(
        &self,
        search: &str,
        request: &PageRequest,
    ) -> Result<Paged<TenantLine>, ReportsError> {
        self.tenants_listed(search, Listing::default(), request)
            .await
    }

    /// The same in another order, or only those of a state.
    pub async fn tenants_listed(
        &self,
        search: &str,
        listing: Listing,
        request: &PageRequest,
    ) -> Result<Paged<TenantLine>, ReportsError> {
        let from = request.from.as_ref();
        let query = DirectoryQuery {
            order: listing.order.map(|(order, _)| order),
            descending: listing.order.is_some_and(|(_, descending)| descending),
            status: listing.status,
            behind: from.map(|from| (from.key.as_str(), from.id.as_str())),
            backwards: from.is_some_and(|from| from.towards == Towards::Previous),
            limit: request.limit(),
        };
        let tenants = self.store.tenants_found(search.trim(), query).await?;
        let page = Paged::cut(request, tenants, |tenant| {
            (folded(&tenant.name), tenant.id.to_string())
        });
        let ids: Vec<TenantId> = page.rows.iter().map(|tenant| tenant.id.clone()).collect();
        let zone = self.zones.platform().await;
        let month = Span::Month.window(self.clock.now(), &zone).query();
        let balances = self.ledger.balances(&ids).await?;
        let (spent, called) =
            tokio::try_join!(self.store.spent(&ids, month), self.store.last_calls(&ids))?;
        let of = |id: &TenantId| spent.get(id).copied().unwrap_or_default();
        Ok(page.map(|tenant| TenantLine {
            balance: balances.get(&tenant.id).copied().unwrap_or_default(),
            spent_30d: of(&tenant.id).0,
            calls_30d: of(&tenant.id).1,
            called_at: called.get(&tenant.id).copied(),
            tenant,
        }))
    }
}
