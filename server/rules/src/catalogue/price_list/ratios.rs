//! new-api's prices: ratios, of which 1 is 0.002 dollars for 1,000 tokens, that is 2 dollars for a million;
//! or `model_price`, dollars for a call. As its `/api/ratio_config` tells them (objects by kind, then by
//! model) and its `/api/pricing` (a row a model). A group's ratio multiplies all of it.
//!
//! What new-api adds by the name of a model where nothing is told (a ratio of completion, 1.25 for writing
//! to a cache) is not guessed: a price that is missing is named as missing.

use serde_json::value::RawValue;
use shared::units::Unit;

use super::decimal::Decimal;
use super::public::in_order;
use super::text::{Fields, number};
use super::{
    ListFault, ListShape, ListedModel, ListedTraits, Offer, PriceSheet, Quote, SheetError,
};
use crate::catalogue::price::when::When;

/// Dollars for a token at the ratio of 1, in millionths: 0.002 for 1,000.
const RATIO_ONE_MICROS: i64 = 2;
/// Kinds of ratios, each an object by model.
const KINDS: [&str; 8] = [
    "model_ratio",
    "completion_ratio",
    "cache_ratio",
    "create_cache_ratio",
    "image_ratio",
    "audio_ratio",
    "audio_completion_ratio",
    "model_price",
];

/// The ratios of one model; what is not told is absent.
#[derive(Debug, Default)]
struct Ratios {
    told: [Option<Decimal>; 8],
    is_per_call: bool,
}

impl Ratios {
    fn get(&self, kind: &str) -> Option<&Decimal> {
        let at = KINDS.iter().position(|known| *known == kind)?;
        self.told.get(at)?.as_ref()
    }

    /// The prices that they say.
    fn quotes(&self, group: &Decimal) -> Vec<Quote> {
        let mut quotes = Vec::new();
        let mut quote = |unit: Unit, each: Decimal| {
            quotes.push(Quote {
                unit,
                when: When::default(),
                each,
            });
        };
        if let Some(price) = self.get("model_price").filter(|_| self.is_per_call) {
            quote(Unit::Request, price.times(group));
            // It is all that such a call costs.
            for unit in [Unit::InputToken, Unit::OutputToken, Unit::Image] {
                quote(unit, Decimal::default());
            }
            return quotes;
        }
        let Some(ratio) = self.get("model_ratio") else {
            return quotes;
        };
        let input = Decimal::millionths(RATIO_ONE_MICROS)
            .times(ratio)
            .times(group);
        let times = |base: &Decimal, kind: &str| self.get(kind).map(|ratio| base.times(ratio));
        for (unit, kind) in [
            (Unit::OutputToken, "completion_ratio"),
            (Unit::CachedInputToken, "cache_ratio"),
            (Unit::CacheWriteToken, "create_cache_ratio"),
            (Unit::InputImageToken, "image_ratio"),
        ] {
            if let Some(each) = times(&input, kind) {
                quote(unit, each);
            }
        }
        if let Some(audio) = times(&input, "audio_ratio") {
            if let Some(each) = times(&audio, "audio_completion_ratio") {
                quote(Unit::OutputAudioToken, each);
            }
            quote(Unit::InputAudioToken, audio);
        }
        quote(Unit::InputToken, input);
        quotes
    }

    /// Takes the model into the sheet.
    fn give(&self, sheet: &mut PriceSheet, name: &str, group: &Decimal) {
        let quotes = in_order(self.quotes(group));
        if quotes.is_empty() {
            return sheet.problem(name, "", ListFault::NoPrice);
        }
        sheet.take(ListedModel {
            name: name.to_owned(),
            provider: None,
            offer: Offer::Quotes(quotes),
            unread: Vec::new(),
            traits: ListedTraits::default(),
        });
    }
}

/// The ratio of the group that was asked for; 1 where none was.
fn ratio_of(top: &[&Fields<'_>], group: Option<&str>) -> Result<Decimal, SheetError> {
    let Some(group) = group else {
        return Ok(Decimal::one());
    };
    let mut groups = top.iter().filter_map(|fields| fields.get("group_ratio"));
    let found = groups.find_map(|groups| Fields::of(groups)?.get(group));
    let ratio = found.and_then(|value| number(value).ok());
    ratio.ok_or(SheetError::NoSuchGroup)
}

/// A file of either form, in its envelope `{"success": true, "data": ..}` or without; `None` where it is of
/// neither.
pub(super) fn whole(
    top: &Fields<'_>,
    group: Option<&str>,
) -> Result<Option<PriceSheet>, SheetError> {
    let data = top.get("data");
    if let Some(data) = data.filter(|data| data.get().starts_with('[')) {
        let rows_of: Vec<&RawValue> = serde_json::from_str(data.get())
            .map_err(|error| SheetError::Unreadable(error.to_string()))?;
        return Ok(Some(rows(&rows_of, &ratio_of(&[top], group)?)));
    }
    let inner = data.and_then(Fields::of);
    let by_kind = inner.as_ref().unwrap_or(top);
    let is_kind = |kind: &&str| {
        let value = by_kind.get(kind);
        value.is_some_and(|value| value.get().starts_with('{'))
    };
    // A model of the public list could be called so; it would have no model inside.
    let is_ratios = ["model_ratio", "model_price"].iter().any(is_kind);
    if !is_ratios || by_kind.get("litellm_provider").is_some() {
        return Ok(None);
    }
    Ok(Some(kinds(by_kind, &ratio_of(&[by_kind, top], group)?)))
}

/// Objects by kind.
fn kinds(by_kind: &Fields<'_>, group: &Decimal) -> PriceSheet {
    let mut sheet = PriceSheet::new(ListShape::Ratios);
    let mut names: Vec<String> = Vec::new();
    let mut models: std::collections::HashMap<String, Option<Ratios>> =
        std::collections::HashMap::new();
    for (at, kind) in KINDS.into_iter().enumerate() {
        let Some(value) = by_kind.get(kind) else {
            continue;
        };
        let Some(entries) = Fields::of(value) else {
            sheet.problem("", kind, ListFault::NotAnObject);
            continue;
        };
        for (name, value) in &entries.0 {
            if !models.contains_key(name.as_ref()) {
                names.push(name.to_string());
            }
            let model = models
                .entry(name.to_string())
                .or_insert_with(|| Some(Ratios::default()));
            let fault = match (number(value), model.as_mut()) {
                (Err(ListFault::Null), _) => {
                    sheet.problem(name, kind, ListFault::Null);
                    continue;
                }
                (Err(fault), _) => fault,
                (Ok(_), None) => continue,
                (Ok(number), Some(ratios)) => match ratios.told.get_mut(at) {
                    Some(place) if place.is_none() => {
                        *place = Some(number);
                        continue;
                    }
                    _ => ListFault::Twice,
                },
            };
            sheet.problem(name, kind, fault);
            *model = None;
        }
    }
    for name in names {
        if let Some(Some(mut ratios)) = models.remove(&name) {
            // As new-api does: a price for a call goes before ratios.
            ratios.is_per_call = ratios.get("model_price").is_some();
            ratios.give(&mut sheet, &name, group);
        }
    }
    sheet
}

/// A row a model.
pub(super) fn rows(rows: &[&RawValue], group: &Decimal) -> PriceSheet {
    let mut sheet = PriceSheet::new(ListShape::Ratios);
    let mut seen = std::collections::HashMap::new();
    for row in rows.iter().filter_map(|row| Fields::of(row)) {
        if let Some(name) = row.text("model_name") {
            *seen.entry(name).or_insert(0_u32) += 1;
        }
    }
    for (at, value) in rows.iter().enumerate() {
        let place = format!("row {}", at + 1);
        let Some(fields) = Fields::of(value) else {
            sheet.problem(&place, "", ListFault::NotAnObject);
            continue;
        };
        let Some(name) = fields.text("model_name") else {
            sheet.problem(&place, "model_name", ListFault::BadName);
            continue;
        };
        if seen.get(&name).is_some_and(|times| *times > 1) {
            sheet.problem(&name, "", ListFault::Twice);
        } else {
            row(&mut sheet, &name, &fields, group);
        }
    }
    sheet
}

fn row(sheet: &mut PriceSheet, name: &str, fields: &Fields<'_>, group: &Decimal) {
    if let Some((field, fault)) = fields.odd() {
        return sheet.problem(name, field, fault);
    }
    let mode = fields.text("billing_mode").unwrap_or_default();
    if mode.contains("expr") {
        return sheet.problem(name, "billing_expr", ListFault::Expression);
    }
    let mut ratios = Ratios {
        is_per_call: fields
            .get("quota_type")
            .is_some_and(|kind| kind.get() == "1"),
        ..Ratios::default()
    };
    for (at, kind) in KINDS.into_iter().enumerate() {
        let Some(value) = fields.get(kind) else {
            continue;
        };
        match number(value) {
            Ok(number) => ratios.told[at] = Some(number),
            // What is not set is null there too.
            Err(ListFault::Null) => {}
            Err(fault) => return sheet.problem(name, kind, fault),
        }
    }
    ratios.give(sheet, name, group);
}
