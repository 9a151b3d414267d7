//! A tenant's money for superadmins: what it has, its ledger, corrections, budgets. Adds nothing up.

pub mod bodies;

use poem_openapi::OpenApi;
use poem_openapi::param::{Header, Path, Query};
use poem_openapi::payload::Json;
use server_rooms::auth::roles::kind;
use server_rooms::ledger::{BudgetRequest, Ledger, Spender};
use server_rooms::money::corrections::{Correction, Corrections};
use shared::credits::Credits;
use shared::id::TenantId;

use self::bodies::{
    AccountView, AdjustBody, AdjustedView, BudgetBody, BudgetView, Direction, PeriodWord,
    adjusted_view,
};
use super::recharge::{check_text, idempotency_key};
use super::tenant_of;
use crate::error::ApiError;
use crate::manage::credits::EntryView;
use crate::manage::{Page, page_after, page_limit, page_rows};
use crate::principal::SuperadminCaller;

/// Money for superadmins.
#[derive(Debug, Clone)]
pub struct MoneyApi {
    /// The money.
    pub ledger: Ledger,
    /// What changes it by hand.
    pub corrections: Corrections,
}

#[OpenApi(prefix_path = "/admin/api", tag = "crate::Tag::Tenants")]
impl MoneyApi {
    /// Show a tenant's balance
    #[oai(
        path = "/tenants/:id/balance",
        method = "get",
        operation_id = "admin_get_balance"
    )]
    async fn balance(
        &self,
        _caller: SuperadminCaller,
        id: Path<String>,
    ) -> Result<Json<AccountView>, ApiError> {
        let tenant = tenant_of(&id.0)?;
        self.corrections.known(&tenant).await?;
        let balance = self.ledger.balance(&tenant).await?;
        Ok(Json(balance.into()))
    }

    /// List a tenant's ledger entries
    ///
    /// Newest first.
    #[oai(
        path = "/tenants/:id/ledger",
        method = "get",
        operation_id = "admin_list_entries"
    )]
    async fn entries(
        &self,
        _caller: SuperadminCaller,
        id: Path<String>,
        /// How many, 1 to 100
        limit: Query<Option<u32>>,
        /// `next` of the page before
        after: Query<Option<String>>,
    ) -> Result<Json<Page<EntryView>>, ApiError> {
        let limit = page_limit(limit.0)?;
        let before = page_after(after.0.as_deref())?;
        let tenant = tenant_of(&id.0)?;
        self.corrections.known(&tenant).await?;
        let entries = self.ledger.history(&tenant, before, page_rows(limit));
        Ok(Json(Page::cut(entries.await?, limit, |entry| {
            entry.number.to_string()
        })))
    }

    /// Adjust a balance
    ///
    /// Repeating an Idempotency-Key has no further effect; with another amount it is refused with 422.
    #[oai(
        path = "/tenants/:id/adjust",
        method = "post",
        operation_id = "admin_adjust"
    )]
    async fn adjust(
        &self,
        caller: SuperadminCaller<kind::MoveCredits>,
        id: Path<String>,
        /// Makes a repetition harmless: 1 to 255 visible characters
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        body: Json<AdjustBody>,
    ) -> Result<Json<AdjustedView>, ApiError> {
        let key = idempotency_key(key.0.as_deref())?;
        let body = body.0;
        check_text("reason", &body.reason)?;
        if body.reason.trim().is_empty() {
            return Err(ApiError::bad_field("reason", "`reason` must say why."));
        }
        let micros = Credits::from(body.amount).micros();
        let amount = match body.direction {
            Direction::Give => micros,
            Direction::Take => micros.saturating_neg(),
        };
        let wish = Correction {
            tenant: tenant_of(&id.0)?,
            amount: Credits::from_micros(amount),
            key,
            into_debt: body.into_debt,
            reason: body.reason,
        };
        let (adjusted, balance) = self.corrections.adjust(&caller.actor(), wish).await?;
        Ok(Json(adjusted_view(adjusted, balance)))
    }

    /// List a tenant's budgets
    #[oai(
        path = "/tenants/:id/budgets",
        method = "get",
        operation_id = "admin_list_budgets"
    )]
    async fn budgets(
        &self,
        _caller: SuperadminCaller,
        id: Path<String>,
    ) -> Result<Json<Vec<BudgetView>>, ApiError> {
        let budgets = self.corrections.budgets(&tenant_of(&id.0)?).await?;
        Ok(Json(budgets.into_iter().map(BudgetView::from).collect()))
    }

    /// Set or remove a key's budget for a period
    ///
    /// What was charged in the period still counts.
    #[oai(
        path = "/tenants/:id/keys/:key_id/budgets/:period",
        method = "put",
        operation_id = "admin_set_key_budget"
    )]
    async fn set_key_budget(
        &self,
        caller: SuperadminCaller<kind::MoveCredits>,
        id: Path<String>,
        key_id: Path<String>,
        period: Path<PeriodWord>,
        body: Json<BudgetBody>,
    ) -> Result<Json<Option<BudgetView>>, ApiError> {
        let key = key_id.0.parse().map_err(|_| ApiError::not_found("key"))?;
        let tenant = tenant_of(&id.0)?;
        let request = budget_request(tenant, Spender::Key(key), period.0, &body);
        self.set_budget(&caller, request).await
    }

    /// Set or remove a user's budget for a period
    ///
    /// What was charged in the period still counts.
    #[oai(
        path = "/tenants/:id/users/:user_id/budgets/:period",
        method = "put",
        operation_id = "admin_set_user_budget"
    )]
    async fn set_user_budget(
        &self,
        caller: SuperadminCaller<kind::MoveCredits>,
        id: Path<String>,
        user_id: Path<String>,
        period: Path<PeriodWord>,
        body: Json<BudgetBody>,
    ) -> Result<Json<Option<BudgetView>>, ApiError> {
        let user = user_id.0.parse();
        let user = user.map_err(|_| ApiError::not_found("user"))?;
        let tenant = tenant_of(&id.0)?;
        let request = budget_request(tenant, Spender::User(user), period.0, &body);
        self.set_budget(&caller, request).await
    }
}

impl MoneyApi {
    async fn set_budget(
        &self,
        caller: &SuperadminCaller<kind::MoveCredits>,
        request: BudgetRequest,
    ) -> Result<Json<Option<BudgetView>>, ApiError> {
        let set = self
            .corrections
            .set_budget(&caller.actor(), request)
            .await?;
        Ok(Json(set.map(BudgetView::from)))
    }
}

fn budget_request(
    tenant: TenantId,
    spender: Spender,
    period: PeriodWord,
    body: &BudgetBody,
) -> BudgetRequest {
    BudgetRequest {
        tenant,
        spender,
        period: period.into(),
        limit: body.limit.map(Credits::from),
    }
}
