//! Prices of many models as one file: of CSV, with `model` in front of the columns of a price list, or of
//! JSON.

use std::collections::HashSet;
use std::fmt::Write as _;

use poem::Body;
use poem_openapi::Object;
use poem_openapi::payload::Binary;
use server_edge::csv::{self, Cell};
use server_edge::export::CsvFile;
use server_rooms::catalogue::price::PriceList;
use server_rooms::catalogue::price::text::{COLUMNS, rows};

use super::prices::bodies::PriceView;
use super::rates::{CurrencyBody, RateBody, rates};
use crate::error::ApiError;
use crate::manage::Amount;

/// The column of the model's name.
const MODEL: &str = "model";

/// A file to be imported.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct ImportBody {
    /// Lines of `model,unit,per,credits,cost,when,step`, as the export has them.
    pub csv: Option<String>,
    /// Instead of `csv`, the same as the export in JSON has it.
    pub prices: Option<Vec<ModelPriceBody>>,
    /// From this day (2026-11-21, UTC) or moment (RFC 3339) on; now when absent.
    pub valid_from: Option<String>,
}

/// A model's price in a file of JSON.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, skip_serializing_if_is_none)]
pub struct ModelPriceBody {
    /// The model's name.
    pub model_id: String,
    /// The first that fits a unit applies.
    pub rates: Vec<RateBody>,
    /// What a call that came to anything costs at least.
    pub minimum: Option<Amount>,
    /// In what costs are told; credits when absent.
    pub currency: Option<CurrencyBody>,
}

/// Prices of many models; `POST /prices/import` takes it as it is.
#[derive(Debug, Clone, Object)]
pub struct PriceFileView {
    /// One for each model.
    pub prices: Vec<ModelPriceBody>,
}

impl ModelPriceBody {
    /// The price `list` of `model`.
    pub(super) fn new(model: &str, list: &PriceList) -> Self {
        Self {
            model_id: model.to_owned(),
            rates: list.rates.iter().cloned().map(RateBody::from).collect(),
            minimum: list.minimum.map(Into::into),
            currency: list.currency.clone().map(Into::into),
        }
    }

    fn read(self) -> Result<ModelPrice, ApiError> {
        Ok(ModelPrice {
            model: self.model_id,
            list: PriceList {
                rates: rates(self.rates)?,
                minimum: self.minimum.map(Into::into),
                currency: self.currency.map(Into::into),
            },
        })
    }
}

impl ImportBody {
    /// The prices of either form.
    pub(super) fn read(self) -> Result<Vec<ModelPrice>, ApiError> {
        match (self.csv, self.prices) {
            (Some(csv), None) => read_prices(&csv),
            (None, Some(prices)) => {
                let mut names = HashSet::new();
                let twice = prices
                    .iter()
                    .find(|price| !names.insert(price.model_id.clone()));
                if let Some(twice) = twice {
                    let message = format!("`prices` names `{}` twice.", twice.model_id);
                    return Err(ApiError::bad_field("prices", message));
                }
                prices.into_iter().map(ModelPriceBody::read).collect()
            }
            (Some(_), Some(_)) | (None, None) => {
                Err(ApiError::bad_field("csv", "Give either `csv` or `prices`."))
            }
        }
    }
}

/// What an import made.
#[derive(Debug, Clone, Object)]
pub struct ImportView {
    /// The new prices, by model.
    pub data: Vec<PriceView>,
}

/// A model's price in a file.
#[derive(Debug)]
pub(super) struct ModelPrice {
    pub(super) model: String,
    pub(super) list: PriceList,
}

/// The prices of these models as a file.
pub(super) fn price_file<'a>(lists: impl Iterator<Item = (&'a str, &'a PriceList)>) -> CsvFile {
    let mut out = String::new();
    let names: Vec<Cell<'_>> = [MODEL].into_iter().chain(COLUMNS).map(Cell::Own).collect();
    csv::line(&mut out, &names);
    for (model, list) in lists {
        for row in list.rows() {
            let mut cells = vec![Cell::Text(model)];
            cells.extend(row.iter().map(|cell| Cell::Own(cell)));
            csv::line(&mut out, &cells);
        }
    }
    let name = "attachment; filename=\"prices.csv\"".to_owned();
    CsvFile::Made(Binary(Body::from_string(out)), name)
}

/// The prices of a file, in the order of its models; what is wrong with its first bad line.
fn read_prices(text: &str) -> Result<Vec<ModelPrice>, ApiError> {
    let wrong = |line: u64, why: &str| {
        let mut message = String::new();
        let _ = write!(message, "In `csv`, line {line}: {why}.");
        ApiError::bad_field("csv", message)
    };
    let mut prices: Vec<ModelPrice> = Vec::new();
    for (line, row) in rows(text).map_err(|error| wrong(error.line, &error.why))? {
        let cells: Vec<&str> = row.iter().map(String::as_str).collect();
        let Some((model, cells)) = cells.split_first().filter(|(model, _)| **model != MODEL) else {
            continue;
        };
        // A spreadsheet's guard against formulas.
        let model = model.strip_prefix('\'').unwrap_or(model);
        if prices.last().is_none_or(|last| last.model != model) {
            if prices.iter().any(|price| price.model == model) {
                return Err(wrong(line, "the lines of a model stand together"));
            }
            prices.push(ModelPrice {
                model: model.to_owned(),
                list: PriceList::default(),
            });
        }
        if let Some(price) = prices.last_mut() {
            price.list.take(cells).map_err(|why| wrong(line, &why))?;
        }
    }
    Ok(prices)
}
