//! Rates as the superadmin's API tells them.

use poem_openapi::Object;
use serde_json::{Map, Value, json};
use server_rooms::catalogue::price::Rate;
use server_rooms::catalogue::price::list::Currency;
use shared::units::Fact;

use crate::error::ApiError;
use crate::manage::Amount;

/// The price of units.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, skip_serializing_if_is_none)]
pub struct RateBody {
    /// Of what: `input_token`, `image`, `video_ms` and so on.
    pub unit: String,
    /// Of how many; 1 when absent.
    pub per: Option<u64>,
    /// What tenants pay; 0 is free.
    pub credits: Amount,
    /// What the provider takes, in its currency; not known when absent.
    pub cost: Option<Amount>,
    /// When it applies; always when absent.
    pub when: Option<WhenBody>,
    /// Begun steps of so many units count whole; 1 when absent.
    pub step: Option<u64>,
}

/// Conditions, all of which must hold. A fact is one of the words that are given for it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Object)]
#[oai(deny_unknown_fields, skip_serializing_if_is_none)]
pub struct WhenBody {
    /// Of a picture: `1024x1024`.
    pub size: Option<Vec<String>>,
    /// Of a picture: `high`.
    pub quality: Option<Vec<String>>,
    /// Of a video: `720p`.
    pub resolution: Option<Vec<String>>,
    /// How it is made.
    pub mode: Option<Vec<String>>,
    /// Whether a video has sound: `on`, `off`.
    pub audio: Option<Vec<String>>,
    /// The service tier as it was served: `batch`, `flex`, `priority`.
    pub tier: Option<Vec<String>>,
    /// Where it ran.
    pub region: Option<Vec<String>>,
    /// How much a search brings into the context.
    pub search_context: Option<Vec<String>>,
    /// The input, all classes together, is more than so many tokens.
    pub context_over: Option<u64>,
    /// It came within these hours.
    pub hours: Option<HoursBody>,
}

/// A weekly window of a time zone's clocks.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(deny_unknown_fields, skip_serializing_if_is_none)]
pub struct HoursBody {
    /// Whose clocks, by its IANA name.
    pub zone: String,
    /// The days on which it begins, as `mon`; every day when absent.
    pub days: Option<Vec<String>>,
    /// The first minute, as `00:30`.
    pub from: String,
    /// The first minute behind it; on the next day where it is not after `from`.
    pub to: String,
}

/// A provider's currency, at the rate of a day.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct CurrencyBody {
    /// ISO 4217, as `USD`.
    pub code: String,
    /// What one of it is worth.
    pub credits: Amount,
    /// The day of the rate, as `2026-11-27`.
    pub as_of: String,
}

impl From<CurrencyBody> for Currency {
    fn from(body: CurrencyBody) -> Self {
        Self {
            code: body.code,
            credits: body.credits.into(),
            as_of: body.as_of,
        }
    }
}

impl From<Currency> for CurrencyBody {
    fn from(currency: Currency) -> Self {
        Self {
            code: currency.code,
            credits: currency.credits.into(),
            as_of: currency.as_of,
        }
    }
}

/// Conditions as their room writes them, which knows every rule of theirs.
fn when(body: WhenBody) -> Value {
    let mut when = Map::new();
    let facts = [
        ("size", body.size),
        ("quality", body.quality),
        ("resolution", body.resolution),
        ("mode", body.mode),
        ("audio", body.audio),
        ("tier", body.tier),
        ("region", body.region),
        ("search_context", body.search_context),
    ];
    for (fact, words) in facts {
        if let Some(words) = words {
            when.insert(fact.to_owned(), json!(words));
        }
    }
    if let Some(over) = body.context_over {
        when.insert("context_over".to_owned(), json!(over));
    }
    if let Some(hours) = body.hours {
        let days = hours.days.unwrap_or_default();
        let hours = json!({"zone": hours.zone, "days": days, "from": hours.from, "to": hours.to});
        when.insert("hours".to_owned(), hours);
    }
    Value::Object(when)
}

/// The rates of a body; what is wrong with the first that is none.
pub(super) fn rates(bodies: Vec<RateBody>) -> Result<Vec<Rate>, ApiError> {
    let rate = |body: RateBody| {
        let (credits, cost) = (body.credits.into(), body.cost.map(Into::into));
        let read = serde_json::from_value::<Rate>(json!({
            "unit": body.unit, "per": body.per.unwrap_or(1), "step": body.step.unwrap_or(1), "credits": 0,
            "when": when(body.when.unwrap_or_default()),
        }));
        let wrong =
            |e: serde_json::Error| ApiError::bad_field("rates", format!("In `rates`: {e}."));
        Ok(Rate {
            credits,
            cost,
            ..read.map_err(wrong)?
        })
    };
    bodies.into_iter().map(rate).collect()
}

impl From<Rate> for RateBody {
    fn from(rate: Rate) -> Self {
        let mut facts = rate.when.facts;
        let mut words = |fact| facts.remove(&fact);
        let hours = rate.when.hours.map(|hours| HoursBody {
            zone: hours.zone.name().to_owned(),
            days: Some(hours.days.iter().map(|day| day.word().to_owned()).collect()),
            from: hours.from.to_string(),
            to: hours.to.to_string(),
        });
        let when = WhenBody {
            size: words(Fact::Size),
            quality: words(Fact::Quality),
            resolution: words(Fact::Resolution),
            mode: words(Fact::Mode),
            audio: words(Fact::Audio),
            tier: words(Fact::Tier),
            region: words(Fact::Region),
            search_context: words(Fact::SearchContext),
            context_over: rate.when.context_over,
            hours,
        };
        Self {
            unit: rate.unit.to_string(),
            per: Some(rate.per),
            credits: rate.credits.into(),
            cost: rate.cost.map(Into::into),
            when: (when_says(&when)).then_some(when),
            step: Some(rate.step).filter(|step| *step != 1),
        }
    }
}

fn when_says(when: &WhenBody) -> bool {
    when.context_over.is_some()
        || when.hours.is_some()
        || [
            &when.size,
            &when.quality,
            &when.resolution,
            &when.mode,
            &when.audio,
            &when.tier,
            &when.region,
            &when.search_context,
        ]
        .into_iter()
        .any(Option::is_some)
}
