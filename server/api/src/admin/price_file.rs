//! Prices of many models as one file of CSV: `model` in front of the columns of a price list.

use std::fmt::Write as _;

use poem::Body;
use poem_openapi::Object;
use poem_openapi::payload::Binary;
use server_edge::csv::{self, Cell};
use server_edge::export::CsvFile;
use server_rooms::catalogue::price::PriceList;
use server_rooms::catalogue::price::text::{COLUMNS, rows};

use super::prices::PriceView;
use crate::error::ApiError;

/// The column of the model's name.
const MODEL: &str = "model";

/// A file to be imported.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct ImportBody {
    /// Lines of `model,unit,per,credits,cost,when,step`, as the export has them.
    pub csv: String,
    /// From this day (2026-11-21, UTC) or moment (RFC 3339) on; now when absent.
    pub valid_from: Option<String>,
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
pub(super) fn read_prices(text: &str) -> Result<Vec<ModelPrice>, ApiError> {
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
