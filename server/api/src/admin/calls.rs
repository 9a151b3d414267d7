//! Calls whose end nobody knows, for superadmins: which there are, and what becomes of them.

pub mod bodies;

use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use server_rooms::accounts::Actor;
use server_rooms::auth::roles::kind;
use server_rooms::ledger::Ledger;
use server_rooms::money::corrections::Corrections;
use server_rooms::money::unknown::{Resolution, ResolveError};
use shared::id::GenerationId;

use self::bodies::{Cursor, ReleaseBody, ResolvedView, SettleBody, UnknownCallView};
use super::recharge::check_text;
use crate::error::ApiError;
use crate::manage::{Page, page_after, page_limit, page_rows};
use crate::principal::SuperadminCaller;

impl From<ResolveError> for ApiError {
    fn from(error: ResolveError) -> Self {
        match error {
            ResolveError::NoSuchCall => Self::not_found("call"),
            ResolveError::NotUnknown => Self::conflict(
                "call_not_unknown",
                "The result of this call is known, or it is still running.",
            ),
            ResolveError::Promised => Self::conflict(
                "nothing_charged_promised",
                "The tenant was informed that nothing is charged for this call.",
            ),
            ResolveError::Amount { held } => Self::bad_field(
                "credits",
                format!("`credits` must be above 0 and at most {held}, which was held."),
            ),
            ResolveError::Ledger(error) => error.into(),
        }
    }
}

/// Calls whose end nobody knows.
#[derive(Debug, Clone)]
pub struct UnknownCallsApi {
    /// The money.
    pub ledger: Ledger,
    /// What changes it by hand.
    pub corrections: Corrections,
}

#[OpenApi(prefix_path = "/admin/api", tag = "crate::Tag::Tenants")]
impl UnknownCallsApi {
    /// List calls with an unknown result
    ///
    /// Their credits were released. Ordered by until when the gateways are queried, the earliest first.
    #[oai(
        path = "/unknown-calls",
        method = "get",
        operation_id = "admin_list_unknown_calls"
    )]
    async fn list(
        &self,
        _caller: SuperadminCaller,
        /// How many, 1 to 100
        limit: Query<Option<u32>>,
        /// `next` of the page before
        after: Query<Option<String>>,
    ) -> Result<Json<Page<UnknownCallView>>, ApiError> {
        let limit = page_limit(limit.0)?;
        let after: Option<Cursor> = page_after(after.0.as_deref())?;
        let behind = after.as_ref().map(Cursor::place);
        let mut holds = self.ledger.all_unknown(behind, page_rows(limit)).await?;
        let rows = usize::try_from(limit).unwrap_or(usize::MAX);
        let has_more = holds.len() > rows;
        holds.truncate(rows);
        let last = holds.last().map(Cursor::of);
        let views = holds.into_iter().map(UnknownCallView::from);
        Ok(Json(Page::of(views, has_more, |_| {
            last.as_ref().map(Cursor::to_string).unwrap_or_default()
        })))
    }

    /// Charge a call with an unknown result
    ///
    /// Taken from what the tenant has now. The decision is final, whatever becomes known later.
    #[oai(
        path = "/unknown-calls/:id/settle",
        method = "post",
        operation_id = "admin_settle_call"
    )]
    async fn settle(
        &self,
        caller: SuperadminCaller<kind::MoveCredits>,
        id: Path<String>,
        body: Json<SettleBody>,
    ) -> Result<Json<ResolvedView>, ApiError> {
        let resolution = Resolution::Charge(body.credits.into());
        self.resolve(&caller.actor(), &id, (resolution, &body.reason))
            .await
    }

    /// Release a call with an unknown result
    ///
    /// The call is not charged. The decision is final, whatever becomes known later.
    #[oai(
        path = "/unknown-calls/:id/release",
        method = "post",
        operation_id = "admin_release_call"
    )]
    async fn release(
        &self,
        caller: SuperadminCaller<kind::MoveCredits>,
        id: Path<String>,
        body: Json<ReleaseBody>,
    ) -> Result<Json<ResolvedView>, ApiError> {
        self.resolve(&caller.actor(), &id, (Resolution::Release, &body.reason))
            .await
    }
}

impl UnknownCallsApi {
    async fn resolve(
        &self,
        actor: &Actor,
        id: &str,
        (resolution, reason): (Resolution, &str),
    ) -> Result<Json<ResolvedView>, ApiError> {
        check_text("reason", reason)?;
        if reason.trim().is_empty() {
            return Err(ApiError::bad_field("reason", "`reason` must say why."));
        }
        let id: GenerationId = id.parse().map_err(|_| ApiError::not_found("call"))?;
        let resolving = self.corrections.resolve(actor, &id, (resolution, reason));
        let settlement = resolving.await?;
        Ok(Json(ResolvedView {
            id: id.to_string(),
            charged: settlement.charged.into(),
            lost: settlement.shortfall.into(),
        }))
    }
}
