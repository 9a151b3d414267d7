//! Price lists of others, read: the public list of model prices, the ratios of new-api, and files of
//! Waule's own. Pure: knows no model of the catalogue but by [`matching`], and stores nothing.

pub mod compare;
pub mod decimal;
pub mod draft;
pub mod matching;
mod own;
mod public;
mod ratios;
mod text;

use serde::{Deserialize, Serialize};
use shared::link::Operation;
use shared::units::Unit;

use self::decimal::Decimal;
use super::facts::ModelFacts;
use super::price::PriceList;
use super::price::when::When;

/// The public list had 1.6 MB and 2,900 models in November 2026.
pub const FILE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Seven times the public list's.
pub const MODELS_MAX: usize = 20_000;
/// The public list's longest name is 90 bytes.
pub const NAME_BYTES_MAX: usize = 200;
/// Nobody reads more; the rest is counted.
pub const PROBLEMS_MAX: usize = 200;

/// Whose form a list has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListShape {
    /// The public list: an object by model, dollars for one unit each.
    Public,
    /// new-api's: ratios, of which 1 is 0.002 dollars for 1,000 tokens.
    Ratios,
    /// Waule's own export, CSV or JSON.
    Own,
}

/// A list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceSheet {
    /// Whose form it has.
    pub shape: ListShape,
    /// What can be reviewed, in the order of the list.
    pub models: Vec<ListedModel>,
    /// What can't, the first of them.
    pub problems: Vec<ListProblem>,
    /// How many there were in all.
    pub problem_count: usize,
}

/// A model of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedModel {
    /// Its name there.
    pub name: String,
    /// Whose model it is, in the list's words.
    pub provider: Option<String>,
    /// What it costs.
    pub offer: Offer,
    /// Prices of it that Waule has no unit for, by their fields.
    pub unread: Vec<String>,
    /// What it says of it beside prices.
    pub traits: ListedTraits,
}

/// What a list says of a model beside its price; for whoever makes a model of it, and believed no further.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ListedTraits {
    /// What it is for, where Waule knows a word for that.
    pub operation: Option<Operation>,
    /// How many tokens it writes at most.
    pub max_output_tokens: Option<u64>,
    /// How much it reads, and what it can.
    pub facts: ModelFacts,
}

/// What a model costs by a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Offer {
    /// So much for each unit, in the list's currency.
    Quotes(Vec<Quote>),
    /// A price as it is, with its cost.
    Price(PriceList),
}

/// What one unit costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// Of what.
    pub unit: Unit,
    /// When it applies.
    pub when: When,
    /// One of it.
    pub each: Decimal,
}

/// What is wrong with a model of a list, or with a field of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListProblem {
    /// The model's name; a line of CSV as `line 3`.
    pub model: String,
    /// The field; empty where it is the model as a whole.
    pub field: String,
    /// What.
    pub fault: ListFault,
}

/// Kinds of that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListFault {
    /// It is no number: a text, a truth value, NaN.
    NotANumber,
    /// It is null; the field is taken for absent.
    Null,
    /// It is below nothing.
    Negative,
    /// It has more digits than any price.
    TooLong,
    /// A model or a field stands there twice.
    Twice,
    /// Its name is empty, too long, or has control characters.
    BadName,
    /// It is no object with prices.
    NotAnObject,
    /// It names no price that Waule knows.
    NoPrice,
    /// It is priced by an expression, which is not read.
    Expression,
    /// It breaks a rule of prices.
    BadPrice,
    /// The list has more models than are read.
    TooMany,
}

impl ListFault {
    /// Its stable word.
    pub fn word(self) -> &'static str {
        match self {
            Self::NotANumber => "not_a_number",
            Self::Null => "null",
            Self::Negative => "negative",
            Self::TooLong => "too_long",
            Self::Twice => "twice",
            Self::BadName => "bad_name",
            Self::NotAnObject => "not_an_object",
            Self::NoPrice => "no_price",
            Self::Expression => "expression",
            Self::BadPrice => "bad_price",
            Self::TooMany => "too_many",
        }
    }
}

/// Why a file is no list at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SheetError {
    /// It is larger.
    #[error("the file is larger than {FILE_BYTES_MAX} bytes")]
    TooLarge,
    /// It is neither JSON nor CSV, or breaks off.
    #[error("the file can't be read: {0}")]
    Unreadable(String),
    /// It holds no model.
    #[error("the file names no model")]
    Empty,
    /// The group is not in the list.
    #[error("the list has no group of that name")]
    NoSuchGroup,
}

/// Reads a file of any of the shapes; of new-api's with the ratio of `group`, where one is named.
pub fn read(file: &str, group: Option<&str>) -> Result<PriceSheet, SheetError> {
    if file.len() > FILE_BYTES_MAX {
        return Err(SheetError::TooLarge);
    }
    let file = file.trim_start_matches('\u{feff}').trim_start();
    let sheet = if file.starts_with(['{', '[']) {
        let json = text::with_plain_numbers(file);
        text::whole(&json, group)?
    } else {
        if group.is_some() {
            return Err(SheetError::NoSuchGroup);
        }
        own::csv(file)?
    };
    if sheet.models.is_empty() && sheet.problem_count == 0 {
        return Err(SheetError::Empty);
    }
    Ok(sheet)
}

impl PriceSheet {
    fn new(shape: ListShape) -> Self {
        Self {
            shape,
            models: Vec::new(),
            problems: Vec::new(),
            problem_count: 0,
        }
    }

    fn problem(&mut self, model: &str, field: &str, fault: ListFault) {
        self.problem_count += 1;
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(ListProblem {
                model: short(model),
                field: short(field),
                fault,
            });
        }
    }

    /// Takes a model over, unless its name is none.
    fn take(&mut self, model: ListedModel) {
        if self.models.len() >= MODELS_MAX {
            self.problem(&model.name, "", ListFault::TooMany);
        } else if is_name(&model.name) {
            self.models.push(model);
        } else {
            self.problem(&model.name, "", ListFault::BadName);
        }
    }
}

fn is_name(name: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&name.len()) && !name.chars().any(char::is_control)
}

/// A name as far as it is shown.
fn short(text: &str) -> String {
    let shown = text.chars().filter(|c| !c.is_control());
    shown.take(NAME_BYTES_MAX / 2).collect()
}

#[cfg(test)]
mod tests;
