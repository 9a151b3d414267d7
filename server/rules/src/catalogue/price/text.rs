//! Price lists as lines of CSV, for files and for the console's form: `unit,per,credits,cost,when,step`,
//! a rate a line. A least charge and a currency are lines of their own. Pure.

use std::fmt;
use std::str::FromStr;

use shared::credits::Credits;
use shared::units::Fact;
use shared::zone::Zone;

use super::list::{Currency, PriceList, RATES_MAX, Rate};
use super::when::{Day, Hours, Minute, When};

/// The columns, as the first line of a file names them.
pub const COLUMNS: [&str; 6] = ["unit", "per", "credits", "cost", "when", "step"];
/// In place of a unit: what a call costs at least.
const MINIMUM: &str = "minimum";
/// In place of a unit: what one of a provider's currency is worth; its code and day stand under `when`.
const CURRENCY: &str = "currency";

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct LineError {
    /// Counted from 1.
    pub line: u64,
    /// For people.
    pub why: String,
}

impl PriceList {
    /// The lines of the list, without that of the columns.
    pub fn rows(&self) -> Vec<[String; 6]> {
        let optional = |amount: Option<Credits>| amount.map_or_else(String::new, |a| a.to_string());
        let rate = |rate: &Rate| {
            [
                rate.unit.to_string(),
                rate.per.to_string(),
                rate.credits.to_string(),
                optional(rate.cost),
                rate.when.to_string(),
                rate.step.to_string(),
            ]
        };
        let mut rows: Vec<[String; 6]> = self.rates.iter().map(rate).collect();
        let mut apart = |word: &str, amount: Credits, when: String| {
            let none = String::new;
            rows.push([
                word.to_owned(),
                none(),
                amount.to_string(),
                none(),
                when,
                none(),
            ]);
        };
        if let Some(minimum) = self.minimum {
            apart(MINIMUM, minimum, String::new());
        }
        if let Some(currency) = &self.currency {
            let when = format!("{} {}", currency.code, currency.as_of);
            apart(CURRENCY, currency.credits, when);
        }
        rows
    }

    /// The list as text, a line a rate.
    pub fn to_text(&self) -> String {
        let quoted = |cell: &String| {
            if cell.contains(',') {
                format!("\"{cell}\"")
            } else {
                cell.clone()
            }
        };
        let line = |row: [String; 6]| {
            let cells: Vec<String> = row.iter().map(quoted).collect();
            cells.join(",").trim_end_matches(',').to_owned()
        };
        let lines: Vec<String> = self.rows().into_iter().map(line).collect();
        lines.join("\n")
    }

    /// Reads what [`PriceList::to_text`] writes, with or without the line of the columns.
    pub fn from_text(text: &str) -> Result<Self, LineError> {
        let mut list = Self::default();
        for (line, row) in rows(text)? {
            let cells: Vec<&str> = row.iter().map(String::as_str).collect();
            list.take(&cells).map_err(|why| LineError { line, why })?;
        }
        Ok(list)
    }

    /// Adds the line of these cells; those at the end may be left out.
    pub fn take(&mut self, cells: &[&str]) -> Result<(), String> {
        let cell = |at: usize| cells.get(at).map_or("", |cell| cell.trim());
        if cells.len() > COLUMNS.len() {
            return Err(format!("there are {} columns at most", COLUMNS.len()));
        }
        let amount = |text: &str| text.parse::<Credits>().map_err(|e| e.to_string());
        match cell(0) {
            "unit" => return Ok(()),
            MINIMUM => self.minimum = Some(amount(cell(2))?),
            CURRENCY => {
                let about = cell(4).split_once(' ');
                let (code, as_of) = about.ok_or("a currency has a code and a day")?;
                self.currency = Some(Currency {
                    code: code.to_owned(),
                    credits: amount(cell(2))?,
                    as_of: as_of.trim().to_owned(),
                });
            }
            unit => {
                if self.rates.len() >= RATES_MAX {
                    return Err(format!("a price has at most {RATES_MAX} rates"));
                }
                let whole = |text: &str| match text {
                    "" => Ok(1),
                    text => text
                        .parse()
                        .map_err(|_| format!("`{text}` is no whole number")),
                };
                let cost = cell(3);
                self.rates.push(Rate {
                    unit: unit
                        .parse()
                        .map_err(|e: shared::units::UnknownUnit| e.to_string())?,
                    per: whole(cell(1))?,
                    credits: amount(cell(2))?,
                    cost: (!cost.is_empty()).then(|| amount(cost)).transpose()?,
                    when: cell(4).parse()?,
                    step: whole(cell(5))?,
                });
            }
        }
        Ok(())
    }
}

/// The rows of a CSV text that are not empty, with their lines.
pub fn rows(text: &str) -> Result<Vec<(u64, Vec<String>)>, LineError> {
    // The reader counts a line that ends with both characters when it reads the next one.
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let row = |record: Result<csv::StringRecord, csv::Error>| {
        let record = record.map_err(|error| LineError {
            line: error.position().map_or(0, csv::Position::line),
            why: "it is no CSV".to_owned(),
        })?;
        let line = record.position().map_or(0, csv::Position::line);
        Ok((line, record.iter().map(str::to_owned).collect()))
    };
    reader.records().map(row).collect()
}

impl fmt::Display for When {
    /// `size=1024x1024|1536x1024; context_over=200000; hours=sat 22:00-03:00 America/New_York`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let facts = self.facts.iter();
        let mut parts: Vec<String> = facts
            .map(|(fact, words)| format!("{}={}", fact.word(), words.join("|")))
            .collect();
        if let Some(over) = self.context_over {
            parts.push(format!("context_over={over}"));
        }
        if let Some(hours) = &self.hours {
            let days: Vec<&str> = hours.days.iter().map(|day| day.word()).collect();
            let (zone, from, to) = (hours.zone.name(), hours.from, hours.to);
            let days = format!("{} ", days.join("|"));
            parts.push(format!("hours={}{from}-{to} {zone}", days.trim_start()));
        }
        f.write_str(&parts.join("; "))
    }
}

impl FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut when = Self::default();
        for part in text
            .split(';')
            .map(str::trim)
            .filter(|part| !part.is_empty())
        {
            let (name, value) = part
                .split_once('=')
                .map(|(name, value)| (name.trim(), value.trim()))
                .ok_or_else(|| format!("`{part}` is no condition, as `tier=flex` is one"))?;
            let fact = Fact::ALL.into_iter().find(|fact| fact.word() == name);
            match (fact, name) {
                (Some(fact), _) => {
                    let words = value
                        .split('|')
                        .map(|word| word.trim().to_ascii_lowercase());
                    when.facts.insert(fact, words.collect());
                }
                (None, "context_over") => {
                    let over = value.parse();
                    when.context_over = Some(over.map_err(|_| format!("`{value}` is no number"))?);
                }
                (None, "hours") => when.hours = Some(hours(value)?),
                (None, _) => return Err(format!("there is no condition `{name}`")),
            }
        }
        Ok(when)
    }
}

fn hours(text: &str) -> Result<Hours, String> {
    let wrong = || format!("`{text}` are no hours, as `sat|sun 22:00-03:00 Asia/Tokyo` are");
    let parts: Vec<&str> = text.split_whitespace().collect();
    let (days, span, zone) = match parts.as_slice() {
        [span, zone] => ("", *span, *zone),
        [days, span, zone] => (*days, *span, *zone),
        _ => return Err(wrong()),
    };
    let days = days.split('|').filter(|day| !day.is_empty());
    let day = |word: &str| Day::WEEK.into_iter().find(|day| day.word() == word);
    let days = days
        .map(day)
        .collect::<Option<Vec<_>>>()
        .ok_or_else(wrong)?;
    let (from, to) = span.split_once('-').ok_or_else(wrong)?;
    let (from, to) = (Minute::parse(from), Minute::parse(to));
    Ok(Hours {
        zone: Zone::named(zone).ok_or_else(|| format!("there is no time zone `{zone}`"))?,
        days,
        from: from.ok_or_else(wrong)?,
        to: to.ok_or_else(wrong)?,
    })
}

#[cfg(test)]
mod tests;
