//! A price as a table of rates: its rows as they were typed, what is wrong with each field of each row,
//! and the price that they make. Pure; the catalogue's rules are the catalogue's.

mod reading;

use std::collections::BTreeMap;

use admin_templates::admin::prices::{RateRow, RateTable};
use admin_templates::form::{FieldError, Form};
use admin_templates::labels::PriceItem;
use server_rooms::catalogue::price::text::LineError;
use server_rooms::catalogue::price::when::When;
use server_rooms::catalogue::price::{PriceList, RATES_MAX, Rate};
use shared::link::Operation;
use shared::units::Unit;

use self::reading::bound;
use super::super::super::form::FormData;

/// The fields of a row, each with the row's number behind it: `unit-0`.
const FIELDS: [&str; 6] = ["unit", "per", "when", "credits", "cost", "step"];
const UNIT: usize = 0;
const PER: usize = 1;
const WHEN: usize = 2;
const CREDITS: usize = 3;
const COST: usize = 4;
const STEP: usize = 5;
/// The fields beside the rows.
const BESIDE: [&str; 6] = [
    "valid_from",
    "minimum",
    "currency_code",
    "currency_credits",
    "currency_as_of",
    IMPORT,
];
/// A price as CSV or JSON, to be read into the table.
const IMPORT: &str = "import";

/// Units to begin with where the operation is not known yet.
const COMMON: [Unit; 5] = [
    Unit::InputToken,
    Unit::CachedInputToken,
    Unit::OutputToken,
    Unit::ReasoningToken,
    Unit::Image,
];

/// What was typed.
#[derive(Debug, Clone, Default)]
pub(super) struct Draft {
    rows: Vec<[String; 6]>,
    beside: BTreeMap<&'static str, String>,
    errors: BTreeMap<String, FieldError>,
    error: Option<FieldError>,
}

fn name(field: usize, row: usize) -> String {
    let field = FIELDS.get(field).copied().unwrap_or_default();
    format!("{field}-{row}")
}

fn row(unit: Unit, rate: Option<&Rate>) -> [String; 6] {
    let Some(rate) = rate else {
        let per = PriceItem::from(unit).per().to_string();
        let none = String::new;
        return [
            unit.to_string(),
            per,
            none(),
            none(),
            none(),
            "1".to_owned(),
        ];
    };
    let cost = rate.cost.map_or_else(String::new, |cost| cost.to_string());
    [
        rate.unit.to_string(),
        rate.per.to_string(),
        rate.when.to_string(),
        rate.credits.to_string(),
        cost,
        rate.step.to_string(),
    ]
}

/// Conditions, or the part of them that is none.
fn when(text: &str) -> Result<When, FieldError> {
    text.parse().map_err(|_| {
        let parts = text.split(';').map(str::trim);
        let wrong = parts.into_iter().find(|part| part.parse::<When>().is_err());
        FieldError::Condition(wrong.unwrap_or(text).to_owned())
    })
}

fn one_of_many(text: &str) -> Result<u64, FieldError> {
    if text.is_empty() {
        return Ok(1);
    }
    text.parse().map_err(|_| FieldError::NotANumber)
}

/// A price as JSON: as the console exports it, or one price of the API's file.
fn from_json(text: &str) -> Result<PriceList, FieldError> {
    serde_json::from_str(text).map_err(|_| FieldError::NotAPriceFile)
}

impl Draft {
    /// The rows that were sent, in the order of their numbers.
    pub(super) fn posted(posted: &FormData) -> Self {
        // One more than may be saved: what is too much must not vanish without a word.
        let sent = (0..=RATES_MAX).filter(|row| !posted.several(&name(UNIT, *row)).is_empty());
        let typed = |row: usize| {
            let field = |at: usize| posted.text(&name(at, row)).to_owned();
            [UNIT, PER, WHEN, CREDITS, COST, STEP].map(field)
        };
        let beside = BESIDE.map(|name| (name, posted.text(name).to_owned()));
        Self {
            rows: sent.map(typed).collect(),
            beside: beside.into(),
            ..Self::default()
        }
    }

    /// A price as it stands.
    pub(super) fn of(list: &PriceList) -> Self {
        let mut beside = BTreeMap::new();
        if let Some(minimum) = list.minimum {
            beside.insert("minimum", minimum.to_string());
        }
        if let Some(currency) = &list.currency {
            beside.insert("currency_code", currency.code.clone());
            beside.insert("currency_credits", currency.credits.to_string());
            beside.insert("currency_as_of", currency.as_of.clone());
        }
        let rows = list.rates.iter().map(|rate| row(rate.unit, Some(rate)));
        Self {
            rows: rows.collect(),
            beside,
            ..Self::default()
        }
    }

    /// Rows to begin with: what a price of the operation must cover, of any where there is none yet.
    pub(super) fn starting(operation: Option<Operation>) -> Self {
        let units = operation.map_or(&COMMON[..], Operation::units);
        Self {
            rows: units.iter().map(|unit| row(*unit, None)).collect(),
            ..Self::default()
        }
    }

    /// Whether nothing was filled in.
    pub(super) fn is_blank(&self) -> bool {
        self.rows.iter().all(is_blank) && self.beside_text("minimum").is_empty()
    }

    fn beside_text(&self, name: &str) -> &str {
        self.beside.get(name).map_or("", String::as_str)
    }

    /// One more row.
    pub(super) fn add_row(&mut self) {
        if self.rows.len() < RATES_MAX {
            self.rows.push(row(Unit::InputToken, None));
        } else {
            self.error = Some(FieldError::TooMany(bound()));
        }
    }

    /// One row less.
    pub(super) fn remove_row(&mut self, number: &str) {
        let number = number.parse().ok().filter(|at| *at < self.rows.len());
        if let Some(number) = number {
            self.rows.remove(number);
        }
    }

    /// The table out of what was pasted; it stays as it is where that can't be read.
    pub(super) fn import(&mut self) {
        let text = self.beside_text(IMPORT).trim_start();
        let read = if text.is_empty() {
            Err(FieldError::Required)
        } else if text.starts_with('{') {
            from_json(text)
        } else {
            PriceList::from_text(text).map_err(|LineError { line, .. }| FieldError::Line(line))
        };
        match read {
            Ok(list) => {
                let from = self.beside.remove("valid_from");
                *self = Self::of(&list);
                self.beside.insert("valid_from", from.unwrap_or_default());
            }
            Err(error) => self.wrong(IMPORT.to_owned(), error),
        }
    }

    /// Notes what is wrong with a field.
    pub(super) fn wrong(&mut self, name: String, error: FieldError) {
        self.errors.insert(name, error);
    }

    /// Notes what is wrong with all of it.
    pub(super) fn wrong_above(&mut self, error: FieldError) {
        self.error = Some(error);
    }

    /// Whether anything is wrong so far.
    pub(super) fn has_errors(&self) -> bool {
        self.error.is_some() || !self.errors.is_empty()
    }

    /// As the page shows it.
    pub(super) fn table(self, open: bool) -> RateTable {
        let mut form = Form {
            errors: self.errors,
            error: self.error,
            ..Form::default()
        };
        let beside = self.beside.into_iter();
        form.values
            .extend(beside.map(|(name, text)| (name.to_owned(), text)));
        let mut rows = Vec::with_capacity(self.rows.len());
        for (at, row) in self.rows.into_iter().enumerate() {
            let item = row[UNIT]
                .parse::<Unit>()
                .map_or(PriceItem::Request, PriceItem::from);
            rows.push(RateRow { item });
            let named = row.into_iter().enumerate();
            form.values
                .extend(named.map(|(field, text)| (name(field, at), text)));
        }
        RateTable { rows, form, open }
    }
}

/// Whether a row has its unit alone.
fn is_blank(row: &[String; 6]) -> bool {
    [WHEN, CREDITS, COST]
        .iter()
        .all(|field| row[*field].is_empty())
}

#[cfg(test)]
mod tests;
