//! Calls whose end nobody knows, for superadmins: which there are, and what becomes of them.

use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use server_edge::date;
use server_rooms::accounts::Actor;
use server_rooms::auth::roles::kind;
use server_rooms::ledger::{Hold, Ledger, UnknownPlace};
use server_rooms::money::corrections::Corrections;
use server_rooms::money::unknown::{Resolution, ResolveError};
use shared::clock::Moment;
use shared::id::GenerationId;

use super::recharge::check_text;
use crate::error::ApiError;
use crate::manage::{Amount, Page, page_after, page_limit, page_rows};
use crate::principal::SuperadminCaller;

/// A call whose end nobody knows. Its credits were given back.
#[derive(Debug, Clone, Object)]
pub struct UnknownCallView {
    /// The call.
    pub id: String,
    /// Whose it is.
    pub tenant_id: String,
    /// The model's name.
    pub model: String,
    /// What was held for it: it can be charged at most that.
    pub held: Amount,
    /// The gateways that may know how it ended; none where it is not known which.
    pub gateways: Vec<String>,
    /// Whether the tenant was told that nothing is charged; then it can't be charged.
    pub promised: bool,
    /// When it came, in RFC 3339.
    pub created_at: String,
    /// Until when the gateways are asked, in RFC 3339. After that it stays uncharged.
    pub asked_until: String,
}

impl From<Hold> for UnknownCallView {
    fn from(hold: Hold) -> Self {
        let snapshot = hold.snapshot.read();
        let unknown = hold.unknown;
        Self {
            id: hold.id.to_string(),
            tenant_id: hold.tenant.to_string(),
            held: hold.held.into(),
            promised: unknown.is_some_and(|unknown| unknown.promised),
            created_at: date::text(hold.created_at),
            asked_until: unknown.map_or_else(String::new, |unknown| date::text(unknown.ask_until)),
            model: snapshot
                .as_ref()
                .map_or_else(String::new, |of| of.model.clone()),
            gateways: snapshot.map(|of| of.gateways).unwrap_or_default(),
        }
    }
}

/// A place in the list, which stays when the call there is resolved: `<asked until, ms>-<id>`.
struct Cursor {
    ask_until: Moment,
    id: GenerationId,
}

impl Cursor {
    fn of(hold: &Hold) -> Self {
        Self {
            ask_until: hold
                .unknown
                .map_or(hold.created_at, |unknown| unknown.ask_until),
            id: hold.id.clone(),
        }
    }

    fn place(&self) -> UnknownPlace<'_> {
        UnknownPlace {
            ask_until: self.ask_until,
            id: &self.id,
        }
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.ask_until.unix_ms(), self.id)
    }
}

impl std::str::FromStr for Cursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (at, id) = text.split_once('-').ok_or(())?;
        Ok(Self {
            ask_until: Moment::from_unix_ms(at.parse().map_err(|_| ())?),
            id: id.parse().map_err(|_| ())?,
        })
    }
}

/// A charge for a call whose end nobody knows.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct SettleBody {
    /// What is charged: above 0, and at most what was held.
    pub credits: Amount,
    /// Why; kept in the audit log.
    pub reason: String,
}

/// A call whose end nobody knows is to cost nothing.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct ReleaseBody {
    /// Why; kept in the audit log.
    pub reason: String,
}

/// What became of a call.
#[derive(Debug, Clone, Object)]
pub struct ResolvedView {
    /// The call.
    pub id: String,
    /// What the tenant was charged: what balance and budgets had, at most what was asked for.
    pub charged: Amount,
    /// What they did not have: the platform's loss.
    pub lost: Amount,
}

impl From<ResolveError> for ApiError {
    fn from(error: ResolveError) -> Self {
        match error {
            ResolveError::NoSuchCall => Self::not_found("call"),
            ResolveError::NotUnknown => Self::conflict(
                "call_not_unknown",
                "How the call ended is known, or it still runs.",
            ),
            ResolveError::Promised => Self::conflict(
                "nothing_charged_promised",
                "The tenant was told that nothing is charged for this call.",
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
    /// List calls whose end nobody knows
    ///
    /// Their credits were given back. Those first of which the gateways are asked no longer first.
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

    /// Charge a call whose end nobody knows
    ///
    /// Out of what the tenant has now. Nothing that is learned later changes it.
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

    /// Let a call whose end nobody knows cost nothing
    ///
    /// Nothing that is learned later changes it.
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
