//! Waule's own export: CSV with `model` in front of the columns of a price, or JSON `{"prices": [..]}`. Its
//! amounts are credits, and its costs are in the currency that it names.

use serde::Deserialize;
use serde_json::value::RawValue;
use shared::credits::Credits;
use shared::units::Unit;

use super::text::Fields;
use super::{ListFault, ListShape, ListedModel, ListedTraits, Offer, PriceSheet, SheetError};
use crate::catalogue::price::list::Currency;
use crate::catalogue::price::text::rows;
use crate::catalogue::price::when::When;
use crate::catalogue::price::{PriceList, RATES_MAX, Rate};

/// The column of the model's name.
const MODEL: &str = "model";

/// A rate as the API writes it: what is 1, or always, may be absent.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RateInFile {
    unit: Unit,
    per: Option<u64>,
    credits: Credits,
    cost: Option<Credits>,
    when: Option<When>,
    step: Option<u64>,
}

impl From<RateInFile> for Rate {
    fn from(of: RateInFile) -> Self {
        Self {
            unit: of.unit,
            per: of.per.unwrap_or(1),
            credits: of.credits,
            cost: of.cost,
            when: of.when.unwrap_or_default(),
            step: of.step.unwrap_or(1),
        }
    }
}

fn unreadable(error: &serde_json::Error) -> SheetError {
    SheetError::Unreadable(error.to_string())
}

/// A file of JSON with `prices`.
pub(super) fn json(top: &Fields<'_>) -> Result<PriceSheet, SheetError> {
    let mut sheet = PriceSheet::new(ListShape::Own);
    let prices = top.get("prices").map_or("[]", RawValue::get);
    let prices: Vec<&RawValue> = serde_json::from_str(prices).map_err(|e| unreadable(&e))?;
    for (at, value) in prices.iter().enumerate() {
        let place = format!("row {}", at + 1);
        let Some(fields) = Fields::of(value) else {
            sheet.problem(&place, "", ListFault::NotAnObject);
            continue;
        };
        let Some(name) = fields.text("model_id") else {
            sheet.problem(&place, "model_id", ListFault::BadName);
            continue;
        };
        match price(&fields) {
            Ok(list) => take(&mut sheet, name, list),
            Err(field) => sheet.problem(&name, field, ListFault::BadPrice),
        }
    }
    Ok(without_doubles(sheet))
}

/// A model's price; the field that is wrong where it is none.
fn price(fields: &Fields<'_>) -> Result<PriceList, &'static str> {
    fn field<T: for<'a> Deserialize<'a>>(
        fields: &Fields<'_>,
        name: &'static str,
    ) -> Result<Option<T>, &'static str> {
        let value = fields.get(name).filter(|value| value.get() != "null");
        value
            .map(|value| serde_json::from_str(value.get()).map_err(|_| name))
            .transpose()
    }
    if fields.odd().is_some() {
        return Err("");
    }
    // One by one: a number in a list of unknown values would pass through a float.
    let each: Vec<Box<RawValue>> = field(fields, "rates")?.unwrap_or_default();
    if each.is_empty() || each.len() > RATES_MAX {
        return Err("rates");
    }
    let rate = |value: Box<RawValue>| {
        let read = serde_json::from_str::<RateInFile>(value.get());
        read.map(Rate::from).map_err(|_| "rates")
    };
    Ok(PriceList {
        rates: each.into_iter().map(rate).collect::<Result<_, _>>()?,
        minimum: field(fields, "minimum")?,
        currency: field::<Currency>(fields, "currency")?,
    })
}

/// A file of CSV.
pub(super) fn csv(text: &str) -> Result<PriceSheet, SheetError> {
    let mut sheet = PriceSheet::new(ListShape::Own);
    let lines = rows(text).map_err(|error| SheetError::Unreadable(error.to_string()))?;
    let is_header = |row: &Vec<String>| {
        row.first().is_some_and(|cell| cell == MODEL)
            && row.get(1).is_some_and(|cell| cell == "unit")
    };
    // Any text is CSV of something.
    if !lines.first().is_some_and(|(_, row)| is_header(row)) {
        let why = "it is no JSON, and no CSV that begins with `model,unit`".to_owned();
        return Err(SheetError::Unreadable(why));
    }
    let mut model: Option<(String, PriceList, bool)> = None;
    for (line, row) in lines.iter().filter(|(_, row)| !is_header(row)) {
        let cells: Vec<&str> = row.iter().map(String::as_str).collect();
        let Some((name, cells)) = cells.split_first() else {
            continue;
        };
        // A spreadsheet's guard against formulas.
        let name = name.strip_prefix('\'').unwrap_or(name);
        if model.as_ref().is_none_or(|(last, ..)| last != name) {
            give(&mut sheet, model.take());
            model = Some((name.to_owned(), PriceList::default(), true));
        }
        if let Some((name, list, is_right)) = &mut model
            && list.take(cells).is_err()
        {
            *is_right = false;
            sheet.problem(name, &format!("line {line}"), ListFault::BadPrice);
        }
    }
    give(&mut sheet, model.take());
    Ok(without_doubles(sheet))
}

fn give(sheet: &mut PriceSheet, model: Option<(String, PriceList, bool)>) {
    if let Some((name, list, true)) = model {
        take(sheet, name, list);
    }
}

fn take(sheet: &mut PriceSheet, name: String, list: PriceList) {
    sheet.take(ListedModel {
        name,
        provider: None,
        offer: Offer::Price(list),
        unread: Vec::new(),
        traits: ListedTraits::default(),
    });
}

/// Without models whose prices stand in two places.
fn without_doubles(mut sheet: PriceSheet) -> PriceSheet {
    let mut times = std::collections::HashMap::new();
    for model in &sheet.models {
        *times.entry(model.name.clone()).or_insert(0_u32) += 1;
    }
    let is_once = |name: &str| times.get(name).is_none_or(|times| *times < 2);
    let (once, doubles) = std::mem::take(&mut sheet.models)
        .into_iter()
        .partition(|model| is_once(&model.name));
    sheet.models = once;
    for model in doubles as Vec<ListedModel> {
        sheet.problem(&model.name, "", ListFault::Twice);
    }
    sheet
}
