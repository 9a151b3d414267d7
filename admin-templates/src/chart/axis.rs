//! The axis of time below a chart: what its columns are called in the page's time zone, and which of
//! these names stand there at which width, so that none is cut and none touches another.
//! Knows no numbers.

use std::fmt::Write as _;

use shared::calendar::MS_PER_DAY;
use shared::clock::Moment;
use shared::zone::{Wall, Zone};

use crate::fixtures::maker::{Maker, Sample};
use crate::html::{Html, escape};
use crate::page::{Lang, Page};

/// The columns of a chart, by the moments at which they begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Columns {
    /// Hours, or minutes: called by their beginning.
    Clock(Vec<Moment>),
    /// Days: called by their date.
    Days(Vec<Moment>),
}

impl Sample for Columns {
    fn sample(maker: &mut Maker) -> Self {
        Self::Clock(Vec::sample(maker))
    }
}

/// Widths of the plot that names are chosen for, with the class that shows them: what remains, beside the
/// numbers of the other axis, of the least width of the container at which `charts.css` shows each.
const WIDTHS: [(&str, usize); 3] = [("at-s", 200), ("at-m", 340), ("at-l", 620)];
/// Digits are about this wide at the size of the axis, what stands between them is narrower.
const LETTER_PX: usize = 7;
/// Between two names.
const GAP_PX: usize = 8;
/// Between names of hours, in minutes; the last three are 1, 2 and 7 days.
const STEPS: [i64; 14] = [
    1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1_440, 2_880, 10_080,
];
/// Between names of days.
const DAY_STEPS: [usize; 11] = [1, 2, 3, 5, 7, 10, 14, 30, 60, 120, 240];
const HALF_DAY_MS: i64 = MS_PER_DAY / 2;

/// A name where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Name {
    text: String,
    /// Where it is held, in thousandths of the width.
    x: usize,
    /// At which of its ends it is held there.
    anchor: &'static str,
    /// From where to where it reaches, in pixels.
    reach: (usize, usize),
}

impl Name {
    /// With its middle at a place of the width, or as near as the edges allow.
    fn at(text: String, thousandths: usize, width: usize) -> Self {
        let (middle, long) = (
            thousandths * width / 1_000,
            text.chars().count() * LETTER_PX,
        );
        let half = long / 2;
        if middle < half {
            return Self {
                text,
                x: 0,
                anchor: "start",
                reach: (0, long),
            };
        }
        if middle + half > width {
            return Self {
                text,
                x: 1_000,
                anchor: "end",
                reach: (width.saturating_sub(long), width),
            };
        }
        Self {
            text,
            x: thousandths,
            anchor: "middle",
            reach: (middle - half, middle + half),
        }
    }
}

/// Whether none of them touches the next.
fn are_apart(names: &[Name]) -> bool {
    names
        .windows(2)
        .all(|two| two[0].reach.1 + GAP_PX <= two[1].reach.0)
}

fn date(wall: Wall) -> String {
    format!("{:02}-{:02}", wall.date.month, wall.date.day)
}

fn clock(wall: Wall) -> String {
    format!("{:02}:{:02}", wall.hour, wall.minute)
}

/// Minutes of the calendar and the clocks, as if there were no changes of them.
fn minutes(wall: Wall) -> i64 {
    let day = wall.date.start().unwrap_or_default().unix_ms();
    day.div_euclid(60_000) + i64::from(wall.minute_of_day())
}

impl Columns {
    /// How many.
    pub fn len(&self) -> usize {
        let (Self::Clock(starts) | Self::Days(starts)) = self;
        starts.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn starts(&self) -> &[Moment] {
        let (Self::Clock(starts) | Self::Days(starts)) = self;
        starts
    }

    /// From when to when each reaches, in unix milliseconds: to where the next one begins, and the last as
    /// far as the one before it.
    pub(super) fn spans(&self) -> Vec<(i64, i64)> {
        let starts = self.starts();
        let begins: Vec<i64> = starts.iter().map(|at| at.unix_ms()).collect();
        let length = match begins.as_slice() {
            [.., before, last] => last.saturating_sub(*before),
            _ => match self {
                Self::Clock(_) => MS_PER_DAY / 24,
                Self::Days(_) => MS_PER_DAY,
            },
        };
        let ends = begins.iter().skip(1).copied();
        let last = begins.last().map(|last| last.saturating_add(length));
        begins.iter().copied().zip(ends.chain(last)).collect()
    }

    /// Where a moment lies, in thousandths of the width; nothing outside.
    pub(super) fn place(&self, at: Moment) -> Option<usize> {
        let (spans, at) = (self.spans(), at.unix_ms());
        let column = spans
            .iter()
            .position(|(from, until)| *from <= at && at < *until)?;
        let (from, until) = spans[column];
        let length = i128::from(until) - i128::from(from);
        let into = (i128::from(at) - i128::from(from)) * 1_000 / length.max(1);
        let into = usize::try_from(into).ok()?;
        Some((column * 1_000 + into) / spans.len())
    }

    /// Days that begin inside an hour of UTC are added up from that hour on: their noon tells the date.
    fn walls(&self, zone: &Zone) -> Vec<Wall> {
        let (starts, into) = match self {
            Self::Clock(starts) => (starts, 0),
            Self::Days(starts) => (starts, HALF_DAY_MS),
        };
        let later = |at: &Moment| Moment::from_unix_ms(at.unix_ms().saturating_add(into));
        starts.iter().map(|at| zone.wall(later(at))).collect()
    }

    /// What each is called where there is room.
    pub(super) fn names(&self, zone: &Zone) -> Vec<String> {
        let walls = self.walls(zone).into_iter();
        match self {
            Self::Clock(_) => walls
                .map(|wall| format!("{} {}", date(wall), clock(wall)))
                .collect(),
            Self::Days(_) => walls.map(date).collect(),
        }
    }

    /// Names that fit a width.
    fn fitting(&self, zone: &Zone, width: usize) -> Vec<Name> {
        let walls = self.walls(zone);
        let found = match self {
            Self::Clock(_) => {
                let mut with = STEPS.iter().map(|step| hours(&walls, *step, width));
                with.find(|names| are_apart(names))
            }
            Self::Days(_) => {
                let mut with = DAY_STEPS.iter().map(|step| days(&walls, *step, width));
                with.find(|names| are_apart(names))
            }
        };
        found.unwrap_or_default()
    }

    /// The axis, with names for each width.
    pub(super) fn show(&self, zone: &Zone) -> Html {
        let mut svg = String::new();
        for (class, width) in WIDTHS {
            // Writing to a string cannot fail; here and below.
            let _ = write!(svg, r#"<g class="{class}">"#);
            for Name {
                text, x, anchor, ..
            } in self.fitting(zone, width)
            {
                let _ = write!(
                    svg,
                    r#"<text x="{}.{}%" y="12" text-anchor="{anchor}">{}</text>"#,
                    x / 10,
                    x % 10,
                    escape(&text)
                );
            }
            svg.push_str("</g>");
        }
        Html::from_escaped(svg)
    }

    /// Which zone the names are of; and from when days are added up, where that is not their midnight.
    pub(super) fn zone(&self, page: &Page) -> String {
        let label = page.zone.label(page.now);
        let Self::Days(starts) = self else {
            return label;
        };
        let first = starts.first().map(|at| page.zone.wall(*at));
        match first.filter(|wall| wall.minute != 0) {
            None => label,
            Some(wall) => match page.lang {
                Lang::En => format!("{label}; days from {}", clock(wall)),
                Lang::Zh => format!("{label}；每日自 {} 起", clock(wall)),
            },
        }
    }
}

/// The columns at whole steps; the first one of a day is called by its date.
fn hours(walls: &[Wall], step: i64, width: usize) -> Vec<Name> {
    let mut names = Vec::new();
    let mut before: Option<Wall> = None;
    for (place, wall) in walls.iter().copied().enumerate() {
        let slot = minutes(wall).div_euclid(step);
        let begins = match before {
            Some(before) => minutes(before).div_euclid(step) != slot,
            None => minutes(wall).rem_euclid(step) == 0,
        };
        if begins {
            let new_day = match before {
                Some(before) => before.date != wall.date,
                None => wall.minute_of_day() == 0,
            };
            let text = if new_day { date(wall) } else { clock(wall) };
            names.push(Name::at(text, place * 1_000 / walls.len(), width));
        }
        before = Some(wall);
    }
    names
}

/// Every so many days, counted back from the last one.
fn days(walls: &[Wall], step: usize, width: usize) -> Vec<Name> {
    let last = walls.len().saturating_sub(1);
    let shown = walls.iter().copied().enumerate();
    shown
        .filter(|(place, _)| (last - place).is_multiple_of(step))
        .map(|(place, wall)| {
            let middle = (2 * place + 1) * 1_000 / (2 * walls.len());
            Name::at(date(wall), middle, width)
        })
        .collect()
}

#[cfg(test)]
mod tests;
