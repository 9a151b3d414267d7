//! A table that was typed is read: what is wrong beside its field, all at once, or the price.

use admin_templates::form::FieldError;
use admin_templates::labels::PriceItem;
use server_rooms::catalogue::price::list::Currency;
use server_rooms::catalogue::price::{PriceList, RATES_MAX, Rate};
use server_rooms::catalogue::{CatalogueError, check};
use shared::credits::Credits;
use shared::link::Operation;
use shared::units::Unit;

use super::super::form::price;
use super::{COST, CREDITS, Draft, PER, STEP, UNIT, WHEN, is_blank, name, one_of_many, when};

impl Draft {
    /// Keeps what is right, and notes what is not beside its field.
    fn take<T>(&mut self, name: String, read: Result<T, FieldError>) -> Option<T> {
        read.map_err(|error| self.wrong(name, error)).ok()
    }

    fn rate(&mut self, at: usize, row: &[String; 6]) -> Option<Rate> {
        let [unit, per, conditions, credits, cost, step] = row;
        let text = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        let credits = price(text(credits).as_deref());
        let credits = credits.and_then(|credits| credits.ok_or(FieldError::Required));
        let unit = unit.parse::<Unit>().map_err(|_| FieldError::Unknown);
        let unit = self.take(name(UNIT, at), unit);
        let per = self.take(name(PER, at), one_of_many(per));
        let when = self.take(name(WHEN, at), when(conditions));
        let credits = self.take(name(CREDITS, at), credits);
        let cost = self.take(name(COST, at), price(text(cost).as_deref()));
        let step = self.take(name(STEP, at), one_of_many(step));
        let rate = Rate {
            unit: unit?,
            per: per?,
            credits: credits?,
            cost: cost?,
            when: when?,
            step: step?,
        };
        self.check(at, conditions, &rate)?;
        Some(rate)
    }

    /// The catalogue's rules of one rate.
    fn check(&mut self, at: usize, conditions: &str, rate: &Rate) -> Option<()> {
        let Err(error) = check::rate(rate) else {
            return Some(());
        };
        let (field, error) = match error {
            CatalogueError::Invalid {
                field: "rates.when",
                ..
            } => (WHEN, FieldError::Condition(conditions.to_owned())),
            CatalogueError::Invalid {
                field: "rates.step",
                ..
            } => (STEP, FieldError::NoSteps),
            CatalogueError::Invalid { rule, .. } => (PER, FieldError::Words(rule)),
            CatalogueError::NoSuchModel
            | CatalogueError::NoSuchPrice
            | CatalogueError::Duplicate
            | CatalogueError::Store(_) => (PER, FieldError::Unknown),
        };
        self.wrong(name(field, at), error);
        None
    }

    pub(super) fn currency(&mut self) -> Option<Currency> {
        let [code, credits, as_of] = ["currency_code", "currency_credits", "currency_as_of"]
            .map(|name| self.beside_text(name).to_owned());
        if code.is_empty() && credits.is_empty() && as_of.is_empty() {
            return None;
        }
        let credits = price(Some(&credits));
        let credits = self.take("currency_credits".to_owned(), credits).flatten();
        Some(Currency {
            code,
            credits: credits.unwrap_or(Credits::ZERO),
            as_of,
        })
    }

    /// The price that the table makes for a model of that operation; what is wrong is noted.
    pub(in super::super) fn read(&mut self, operation: Operation) -> Option<PriceList> {
        let rows = std::mem::take(&mut self.rows);
        let mut rates = Vec::new();
        for (at, row) in rows.iter().enumerate().filter(|(_, row)| !is_blank(row)) {
            rates.extend(self.rate(at, row));
        }
        self.rows = rows;
        let minimum = Some(self.beside_text("minimum")).filter(|text| !text.is_empty());
        let minimum = price(minimum);
        let minimum = self.take("minimum".to_owned(), minimum).flatten();
        let currency = self.currency();
        if self.is_blank() {
            self.error = Some(FieldError::NoPrice);
        }
        if self.has_errors() {
            return None;
        }
        let list = PriceList {
            rates,
            minimum,
            currency,
        };
        self.check_whole(operation, &list)?;
        Some(list)
    }

    fn check_whole(&mut self, operation: Operation, list: &PriceList) -> Option<()> {
        if list.rates.len() > RATES_MAX {
            self.error = Some(FieldError::TooMany(bound()));
            return None;
        }
        let Err(error) = check::price(operation, list) else {
            return Some(());
        };
        let mut uncovered = list
            .uncovered(operation.units().iter().copied())
            .into_iter();
        match error {
            CatalogueError::Invalid {
                field: "currency", ..
            } => self.wrong("currency_code".to_owned(), FieldError::Currency),
            CatalogueError::Invalid { rule, .. } => {
                let missing = uncovered.next().map(PriceItem::from);
                self.error = Some(missing.map_or(FieldError::Words(rule), FieldError::Uncovered));
            }
            CatalogueError::NoSuchModel
            | CatalogueError::NoSuchPrice
            | CatalogueError::Duplicate
            | CatalogueError::Store(_) => self.error = Some(FieldError::Unknown),
        }
        None
    }
}

pub(super) fn bound() -> u64 {
    u64::try_from(RATES_MAX).unwrap_or(u64::MAX)
}
