//! The list of tenants, searched by the beginning of a name or an id, with what each has and spent.

use shared::credits::Credits;
use shared::id::TenantId;

use super::page::{PageAsk, Paged, Towards};
use super::span::Span;
use super::{Figures, FiguresError};
use crate::ledger::Balance;
use crate::store::accounts::{DirectoryAsk, Tenant};

/// A tenant with its money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantLine {
    /// The tenant.
    pub tenant: Tenant,
    /// What it has now.
    pub balance: Balance,
    /// What it spent in the last 30 days, today included; as current as the sums.
    pub spent_30d: Credits,
}

impl Figures {
    /// Tenants whose name or id begins with `search`: in order of name; newest first when all are asked
    /// for, or an id is (`ten_…`). Capitals and small letters are the same, for ASCII.
    pub async fn tenants(
        &self,
        search: &str,
        ask: &PageAsk,
    ) -> Result<Paged<TenantLine>, FiguresError> {
        let from = ask.from.as_ref();
        let wish = DirectoryAsk {
            behind: from.map(|from| (from.key.as_str(), from.id.as_str())),
            backwards: from.is_some_and(|from| from.towards == Towards::Previous),
            limit: ask.limit(),
        };
        let tenants = self.store.tenants_found(search.trim(), wish).await?;
        let page = Paged::cut(ask, tenants, |tenant| {
            (tenant.name.to_ascii_lowercase(), tenant.id.to_string())
        });
        let ids: Vec<TenantId> = page.rows.iter().map(|tenant| tenant.id.clone()).collect();
        let balances = self.ledger.balances(&ids).await?;
        let month = Span::Month.ask(self.clock.now());
        let spent = self.store.spent(&ids, month).await?;
        Ok(page.map(|tenant| TenantLine {
            balance: balances.get(&tenant.id).copied().unwrap_or_default(),
            spent_30d: spent.get(&tenant.id).copied().unwrap_or_default(),
            tenant,
        }))
    }
}
