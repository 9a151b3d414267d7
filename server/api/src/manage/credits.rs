//! A tenant's credits: what there is, and the ledger's lines. Adds nothing up.

use poem_openapi::param::Query;
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use server_edge::date;
use server_rooms::ledger::{Balance, Entry, Ledger};

use super::{Amount, Page, page_after, page_limit, page_rows};
use crate::error::ApiError;
use crate::principal::{TenantCaller, need};

/// What a tenant has, in credits.
#[derive(Debug, Clone, Object)]
pub struct BalanceView {
    /// Can be spent now.
    pub available: Amount,
    /// Set aside for running calls.
    pub held: Amount,
    /// Charged so far.
    pub used: Amount,
}

impl From<Balance> for BalanceView {
    fn from(balance: Balance) -> Self {
        Self {
            available: balance.available.into(),
            held: balance.held.into(),
            used: balance.used.into(),
        }
    }
}

/// A line of the ledger, in credits.
#[derive(Debug, Clone, Object)]
pub struct EntryView {
    /// Its place, from 1.
    pub number: i64,
    /// `grant`, `hold`, `settle`, `release` or `expire`.
    pub kind: String,
    /// The call or grant it belongs to.
    pub reference: String,
    /// Change of what can be spent.
    pub available_delta: Amount,
    /// Change of what is held.
    pub held_delta: Amount,
    /// What was charged.
    pub charged: Amount,
    /// What could be spent after it.
    pub available_after: Amount,
    /// What was held after it.
    pub held_after: Amount,
    /// When, in RFC 3339.
    pub created_at: String,
}

impl From<Entry> for EntryView {
    fn from(entry: Entry) -> Self {
        Self {
            number: entry.number,
            kind: entry.kind,
            reference: entry.reference,
            available_delta: entry.available_delta.into(),
            held_delta: entry.held_delta.into(),
            charged: entry.charged.into(),
            available_after: entry.balance_after.into(),
            held_after: entry.held_after.into(),
            created_at: date::text(entry.at),
        }
    }
}

/// Credits for tenants.
#[derive(Debug, Clone)]
pub struct CreditsApi {
    /// The money.
    pub ledger: Ledger,
}

#[OpenApi(prefix_path = "/api/v1", tag = "crate::Tag::Credits")]
impl CreditsApi {
    /// Show the balance
    #[oai(
        path = "/credits/balance",
        method = "get",
        operation_id = "get_balance"
    )]
    async fn balance(
        &self,
        caller: TenantCaller<need::Usage>,
    ) -> Result<Json<BalanceView>, ApiError> {
        let balance = self.ledger.balance(&caller.who.tenant).await?;
        Ok(Json(balance.into()))
    }

    /// List ledger entries
    ///
    /// Newest first.
    #[oai(
        path = "/credits/history",
        method = "get",
        operation_id = "list_credit_entries"
    )]
    async fn history(
        &self,
        caller: TenantCaller<need::Books>,
        /// How many, 1 to 100
        limit: Query<Option<u32>>,
        /// `next` of the page before
        after: Query<Option<String>>,
    ) -> Result<Json<Page<EntryView>>, ApiError> {
        let limit = page_limit(limit.0)?;
        let before = page_after(after.0.as_deref())?;
        let tenant = &caller.who.tenant;
        let entries = self.ledger.history(tenant, before, page_rows(limit));
        Ok(Json(Page::cut(entries.await?, limit, |entry| {
            entry.number.to_string()
        })))
    }
}
