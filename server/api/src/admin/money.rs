//! A tenant's money for superadmins: what it has, its ledger, corrections, budgets. Adds nothing up.

use poem_openapi::param::{Header, Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{Enum, Object, OpenApi};
use server_edge::date;
use server_rooms::auth::roles::kind;
use server_rooms::ledger::{
    Adjusted, Balance, Budget, BudgetPeriod, BudgetRequest, Ledger, Spender,
};
use server_rooms::money::corrections::{Correction, Corrections};
use shared::credits::Credits;
use shared::id::TenantId;

use super::recharge::{check_text, idempotency_key};
use super::tenant_of;
use crate::error::ApiError;
use crate::manage::credits::EntryView;
use crate::manage::{Amount, Page, page_after, page_limit, page_rows};
use crate::principal::SuperadminCaller;

/// What a tenant has, with what only operators see.
#[derive(Debug, Clone, Object)]
pub struct AccountView {
    /// Can be spent now.
    pub available: Amount,
    /// Set aside for running calls.
    pub held: Amount,
    /// Charged so far.
    pub used: Amount,
    /// Lapsed so far.
    pub expired: Amount,
    /// Owed after a correction; paid by the next credits that are given.
    pub debt: Amount,
    /// Charged beyond what there was: the platform's loss.
    pub loss: Amount,
}

impl From<Balance> for AccountView {
    fn from(balance: Balance) -> Self {
        Self {
            available: balance.available.into(),
            held: balance.held.into(),
            used: balance.used.into(),
            expired: balance.expired.into(),
            debt: balance.debt.into(),
            loss: balance.loss.into(),
        }
    }
}

/// Whether credits come or go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum Direction {
    /// To the tenant.
    Give,
    /// From the tenant.
    Take,
}

/// A correction to be made.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct AdjustBody {
    /// Whether credits come or go.
    pub direction: Direction,
    /// How many, above 0.
    pub amount: Amount,
    /// Why; kept with the correction.
    pub reason: String,
    /// Whether what can't be taken away now becomes a debt, paid by the next credits that are given.
    #[oai(default)]
    pub into_debt: bool,
}

/// A correction that was made.
#[derive(Debug, Clone, Object)]
pub struct AdjustedView {
    /// Its id, the reference of its line in the ledger.
    pub id: String,
    /// Whether credits came or went.
    pub direction: Direction,
    /// How many.
    pub amount: Amount,
    /// Who made it.
    pub operator: String,
    /// Why.
    pub reason: String,
    /// When, in RFC 3339.
    pub created_at: String,
    /// What the tenant has now.
    pub balance: AccountView,
}

fn adjusted_view(adjusted: Adjusted, balance: Balance) -> AdjustedView {
    let made = adjusted.adjustment;
    let takes = made.amount.is_negative();
    AdjustedView {
        id: adjusted.id.to_string(),
        direction: if takes {
            Direction::Take
        } else {
            Direction::Give
        },
        amount: Credits::from_micros(made.amount.micros().saturating_abs()).into(),
        operator: made.operator,
        reason: made.reason,
        created_at: date::text(adjusted.at),
        balance: balance.into(),
    }
}

/// How long a budget lasts before it starts anew, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum PeriodWord {
    /// From midnight to midnight.
    Day,
    /// From the first of a month.
    Month,
    /// For ever.
    Total,
}

impl From<PeriodWord> for BudgetPeriod {
    fn from(word: PeriodWord) -> Self {
        match word {
            PeriodWord::Day => Self::Day,
            PeriodWord::Month => Self::Month,
            PeriodWord::Total => Self::Total,
        }
    }
}

impl From<BudgetPeriod> for PeriodWord {
    fn from(period: BudgetPeriod) -> Self {
        match period {
            BudgetPeriod::Day => Self::Day,
            BudgetPeriod::Month => Self::Month,
            BudgetPeriod::Total => Self::Total,
        }
    }
}

/// A budget to be set.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct BudgetBody {
    /// The most that may be spent in a period; absent takes the budget away.
    pub limit: Option<Amount>,
}

/// What a key or a user may spend in a period.
#[derive(Debug, Clone, Object)]
pub struct BudgetView {
    /// The key it belongs to.
    pub key_id: Option<String>,
    /// The user it belongs to.
    pub user_id: Option<String>,
    /// How long it lasts.
    pub period: PeriodWord,
    /// The most that may be spent.
    pub limit: Amount,
    /// Charged in this period.
    pub spent: Amount,
    /// Held by calls that began in this period.
    pub held: Amount,
    /// When this period began, in RFC 3339: the beginning of a day or month in the tenant's time zone.
    pub period_start: String,
    /// When this period ends, in RFC 3339; absent where it never does.
    pub period_end: Option<String>,
}

impl From<Budget> for BudgetView {
    fn from(budget: Budget) -> Self {
        let (key_id, user_id) = match budget.spender {
            Spender::Key(id) => (Some(id.to_string()), None),
            Spender::User(id) => (None, Some(id.to_string())),
        };
        Self {
            key_id,
            user_id,
            period: budget.period.into(),
            limit: budget.limit.into(),
            spent: budget.spent.into(),
            held: budget.held.into(),
            period_start: date::text(budget.period_start),
            period_end: budget.period_end.map(date::text),
        }
    }
}

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
    /// Show what a tenant has
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

    /// List the lines of a tenant's ledger
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

    /// Correct a balance
    ///
    /// The same Idempotency-Key corrects once; with another amount it is refused with 422.
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

    /// Set a key's budget for a period, or take it away
    ///
    /// What was spent in the period stays counted.
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

    /// Set a user's budget for a period, or take it away
    ///
    /// What was spent in the period stays counted.
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
