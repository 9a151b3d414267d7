//! A price before it is set: what typical calls would cost with it, and what the last 30 days would have
//! brought. Sets nothing.

use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use server_edge::date;
use server_rooms::auth::roles::kind;
use server_rooms::catalogue::price::Tariff;
use server_rooms::catalogue::typical::{TypicalCall, typical};
use server_rooms::catalogue::{Catalogue, check};
use server_rooms::reports::Reports;
use server_rooms::reports::reprice::{Earned, Repricing};
use shared::clock::{Clock, Moment};
use shared::credits::Credits;

use super::prices::bodies::PriceBody;
use crate::error::ApiError;
use crate::manage::Amount;
use crate::principal::SuperadminCaller;

/// A list price.
const PLAIN_PPM: i64 = 1_000_000;

/// How much of a unit a call consumes.
#[derive(Debug, Clone, Object)]
pub struct MeasureView {
    /// Of what: `input_token`, `image` and so on.
    pub unit: String,
    /// How many.
    pub count: u64,
}

/// A typical call with that price, without a tenant's multiplier.
#[derive(Debug, Clone, Object)]
pub struct TypicalCallView {
    /// Which: `short_chat`, `long_context`, `square_image` and so on.
    pub call: String,
    /// What it consumes.
    pub measures: Vec<MeasureView>,
    /// What it would be charged, in credits; null where that does not fit.
    pub credits: Option<Amount>,
    /// What the provider would take, in credits; null where that is not known.
    pub cost: Option<Amount>,
    /// What would be left, in credits; null where the cost is not known.
    pub margin: Option<Amount>,
}

/// What calls brought, in credits.
#[derive(Debug, Clone, Object)]
pub struct EarnedView {
    /// Charged.
    pub credits: Amount,
    /// What providers took for the calls whose cost is known; null where it is known of none.
    pub cost: Option<Amount>,
    /// Calls whose cost is known.
    pub costed_calls: u64,
    /// Charged for those less their cost; null where the cost is known of none.
    pub margin: Option<Amount>,
}

/// The last 30 days with another price.
#[derive(Debug, Clone, Object)]
pub struct RepricingView {
    /// From when on, in RFC 3339.
    pub from: String,
    /// Until when, in RFC 3339.
    pub until: String,
    /// Calls that were looked at.
    pub calls: u64,
    /// Whether there were more, so that only the newest were looked at.
    pub is_sample: bool,
    /// As it was.
    pub was: EarnedView,
    /// As it would have been, with each tenant's multiplier of today.
    pub would: EarnedView,
    /// Calls that would have been charged more.
    pub dearer: u64,
    /// Calls that would have been charged less.
    pub cheaper: u64,
    /// Calls with a measure that the price has no rate for.
    pub unpriced: u64,
    /// Calls left out, because what they would have come to is too large.
    pub left_out: u64,
}

/// What a price would do.
#[derive(Debug, Clone, Object)]
pub struct PricePreviewView {
    /// Typical calls of the model's operation.
    pub typical: Vec<TypicalCallView>,
    /// What was, and what would have been.
    pub last_30_days: RepricingView,
}

fn typical_view(tariff: &Tariff, call: TypicalCall, at: Moment) -> TypicalCallView {
    let credits = tariff.charge(&call.usage, at, PLAIN_PPM);
    let cost = tariff.cost(&call.usage, at);
    let margin = credits.zip(cost).map(|(credits, cost)| {
        Credits::from_micros(credits.micros().saturating_sub(cost.micros()))
    });
    let measure = |(unit, count): (shared::units::Unit, u64)| MeasureView {
        unit: unit.to_string(),
        count,
    };
    TypicalCallView {
        call: call.word.to_owned(),
        measures: call.usage.measures().map(measure).collect(),
        credits: credits.map(Amount::from),
        cost: cost.map(Amount::from),
        margin: margin.map(Amount::from),
    }
}

fn earned(earned: &Earned, calls: u64) -> EarnedView {
    EarnedView {
        credits: earned.credits.into(),
        cost: earned.cost.told(calls).map(Amount::from),
        costed_calls: earned.cost.calls,
        margin: earned.cost.margin(calls).map(Amount::from),
    }
}

impl From<Repricing> for RepricingView {
    fn from(of: Repricing) -> Self {
        let calls = of.calls.saturating_sub(of.left_out);
        Self {
            from: date::text(of.from),
            until: date::text(of.until),
            calls: of.calls,
            is_sample: of.is_sample,
            was: earned(&of.was, calls),
            would: earned(&of.would, calls),
            dearer: of.dearer,
            cheaper: of.cheaper,
            unpriced: of.unpriced,
            left_out: of.left_out,
        }
    }
}

/// Prices before they are set.
#[derive(Debug, Clone)]
pub struct PricePreviewApi {
    /// The models.
    pub catalogue: Catalogue,
    /// What was.
    pub reports: Reports,
    /// When typical calls come.
    pub clock: Clock,
}

#[OpenApi(prefix_path = "/admin/api", tag = "crate::Tag::Catalogue")]
impl PricePreviewApi {
    /// Preview a price
    ///
    /// What typical calls of the model would cost, and what its calls of the last 30 days would have been
    /// charged and earned, compared with the actual amounts. Reads up to 200,000 calls, newest first, for
    /// up to ten seconds. Changes nothing.
    #[oai(
        path = "/models/:id/price-preview",
        method = "post",
        operation_id = "admin_preview_price"
    )]
    async fn preview(
        &self,
        _caller: SuperadminCaller<kind::SetPrices>,
        id: Path<String>,
        body: Json<PriceBody>,
    ) -> Result<Json<PricePreviewView>, ApiError> {
        let model = self.catalogue.model(&id.0);
        let model = model.ok_or_else(|| ApiError::not_found("model"))?;
        let list = body.0.list(model.operation)?;
        let tariff = check::tariff(model.operation, list)?;
        let repricing = self.reports.reprice(&model.id, &tariff).await?;
        let now = self.clock.now();
        let calls = typical(model.operation).into_iter();
        Ok(Json(PricePreviewView {
            typical: calls.map(|call| typical_view(&tariff, call, now)).collect(),
            last_30_days: repricing.into(),
        }))
    }
}
