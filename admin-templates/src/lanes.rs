//! A call on lanes over time: who had it when, its attempts, and where the way was cut. Draws what it is
//! given and knows no record. A span too long or too short for the picture is drawn shortened or widened;
//! every length is told in the list below it.

use std::fmt::Write as _;

use askama::Template;

use crate::fixtures::maker::sampled;
use crate::format;
use crate::html::{Html, escape};
use crate::labels::{Label as _, Lane, LaneStep, Tone, Word as _};
use crate::page::Page;
use crate::text::Text;

sampled! {
    /// Something that took time on a lane, or happened at a moment.
    pub struct LaneRow {
        /// Where.
        pub lane: Lane,
        /// What.
        pub step: LaneStep,
        /// Which attempt; 0 for what is none.
        pub number: u64,
        /// After the call came, in milliseconds.
        pub start_ms: u64,
        /// How long it took; 0 for a moment.
        pub length_ms: u64,
        /// Whether its place is reckoned and was not measured.
        pub about: bool,
        /// More about it, in no language.
        pub detail: String,
    }
}

/// For the names of lanes, left of them.
const LEFT: u64 = 92;
/// For the times, above them.
const TOP: u64 = 30;
const LANE: u64 = 34;
const BAR: u64 = 18;
/// What the picture has for time, where its steps need no more.
const ROOM: u64 = 760;
/// The least that a step between two moments gets, so that a millisecond is seen.
const STEP_MIN: u64 = 30;
/// For half of the last time's letters.
const RIGHT: u64 = 40;
/// A step longer than so many of the middle one is shortened.
const LONG: u64 = 6;
/// More steps are a picture that nobody reads; the list has them all.
const ROWS_MAX: usize = 60;
/// Letters of the times are about this wide.
const LETTER: u64 = 7;

/// Moments of a call with their places.
struct Axis {
    moments: Vec<u64>,
    places: Vec<u64>,
    /// Steps that are shortened, by the number of the moment that begins them.
    shortened: Vec<usize>,
}

impl Axis {
    fn of(rows: &[LaneRow]) -> Self {
        let ends = rows
            .iter()
            .flat_map(|row| [row.start_ms, row.start_ms.saturating_add(row.length_ms)]);
        let mut moments: Vec<u64> = ends.chain([0]).collect();
        moments.sort_unstable();
        moments.dedup();
        let steps: Vec<u64> = moments.windows(2).map(|two| two[1] - two[0]).collect();
        let mut sorted = steps.clone();
        sorted.sort_unstable();
        let middle = sorted.get(sorted.len() / 2).copied().unwrap_or(1);
        let cap = middle.saturating_mul(LONG).max(1);
        let least = STEP_MIN.saturating_mul(count(steps.len()));
        let free = u128::from(ROOM.saturating_sub(least));
        let whole: u128 = steps.iter().map(|step| u128::from((*step).min(cap))).sum();
        let mut places = vec![LEFT];
        let mut x = LEFT;
        for step in &steps {
            let share = free * u128::from((*step).min(cap)) / whole.max(1);
            x += STEP_MIN + u64::try_from(share).unwrap_or(0);
            places.push(x);
        }
        let shortened = steps.iter().enumerate();
        let shortened = shortened.filter(|(_, step)| **step > cap);
        Self {
            shortened: shortened.map(|(place, _)| place).collect(),
            moments,
            places,
        }
    }

    fn x(&self, moment: u64) -> u64 {
        let place = self.moments.partition_point(|one| *one < moment);
        self.places.get(place).copied().unwrap_or(LEFT)
    }

    fn end(&self) -> u64 {
        self.places.last().copied().unwrap_or(LEFT)
    }

    /// The times that stand above: the first, the last, and what fits between.
    fn names(&self, page: &Page) -> Vec<(u64, String)> {
        let all = self.moments.iter().zip(&self.places);
        let mut all: Vec<(u64, String)> = all.map(|(ms, x)| (*x, page.span(*ms))).collect();
        let Some(last) = all.pop() else {
            return all;
        };
        let wide = |name: &str| LETTER.saturating_mul(count(name.chars().count())) / 2 + 4;
        let mut names: Vec<(u64, String)> = Vec::new();
        let mut free_from = 0;
        let until = last.0.saturating_sub(wide(&last.1));
        for (x, name) in all {
            let half = wide(&name);
            if x.saturating_sub(half) >= free_from && x + half <= until {
                free_from = x + half;
                names.push((x, name));
            }
        }
        names.push(last);
        names
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

#[derive(Template)]
#[template(path = "parts/lanes.html")]
struct Lanes<'a> {
    p: &'a Page,
    t: &'static Text,
    rows: &'a [LaneRow],
    svg: Html,
    width: u64,
    height: u64,
    about: bool,
    shortened: bool,
    ledger: bool,
}

impl LaneRow {
    /// What it says when pointed at.
    fn told(&self, page: &Page) -> String {
        let mut text = format!(
            "{} · {}",
            self.lane.text(page.lang),
            self.step.text(page.lang)
        );
        if self.number > 0 {
            let _ = write!(text, " {}", self.number);
        }
        let about = if self.about { "≈ " } else { "" };
        let _ = write!(text, "\n{about}{}", page.span(self.start_ms));
        if self.length_ms > 0 {
            let _ = write!(text, " + {}", page.span(self.length_ms));
        }
        if !self.detail.is_empty() {
            let _ = write!(text, "\n{}", self.detail);
        }
        text
    }

    /// Whether the ledger has a line of it.
    pub(crate) fn is_money(&self) -> bool {
        matches!(self.step, LaneStep::Hold | LaneStep::Settle)
    }
}

/// Names of lanes with the lines below them, the times, and where time is shortened.
fn frame(svg: &mut String, axis: &Axis, lanes: &[Lane], page: &Page) {
    let (end, bottom) = (axis.end(), TOP + LANE * count(lanes.len()));
    for (place, lane) in (0_u64..).zip(lanes) {
        let (line, middle) = (TOP + LANE * place + LANE, TOP + LANE * place + LANE / 2 + 4);
        let name = escape(lane.text(page.lang));
        let _ = write!(
            svg,
            r#"<path class="lane-line" d="M0 {line}H{end}"/><text class="lane-name" x="0" y="{middle}">{name}</text>"#
        );
    }
    for (x, name) in axis.names(page) {
        let name = escape(&name);
        let _ = write!(
            svg,
            r#"<path class="lane-tick" d="M{x} {TOP}V{bottom}"/><text class="lane-time" x="{x}" y="16">{name}</text>"#
        );
    }
    for place in &axis.shortened {
        let ends = (axis.places.get(*place), axis.places.get(place + 1));
        if let (Some(from), Some(until)) = ends {
            let middle = (from + until) / 2;
            let (left, right) = (middle.saturating_sub(4), middle + 2);
            let _ = write!(
                svg,
                r#"<path class="lane-break" d="M{left} {bottom}l4 -8M{right} {bottom}l4 -8"/>"#
            );
        }
    }
}

fn mark(svg: &mut String, axis: &Axis, (row, place): (&LaneRow, u64), page: &Page) {
    let tone = row.step.tone().code();
    let (x, end) = (
        axis.x(row.start_ms),
        axis.x(row.start_ms.saturating_add(row.length_ms)),
    );
    let top = TOP + LANE * place + (LANE - BAR) / 2;
    let _ = write!(svg, "<g><title>{}</title>", escape(&row.told(page)));
    if row.length_ms == 0 {
        let middle = top + BAR / 2;
        let _ = write!(
            svg,
            r#"<circle class="fill-{tone} lane-point" cx="{x}" cy="{middle}" r="5"/>"#
        );
    } else {
        let about = if row.about { " lane-about" } else { "" };
        let width = end.saturating_sub(x).max(3);
        let _ = write!(
            svg,
            r#"<rect class="fill-{tone}{about}" x="{x}" y="{top}" width="{width}" height="{BAR}" rx="3"/>"#
        );
    }
    svg.push_str("</g>");
}

impl Page {
    /// A call on its lanes, with the list of all that happened.
    pub fn lanes(&self, rows: &[LaneRow]) -> Html {
        let shown = &rows[..rows.len().min(ROWS_MAX)];
        let is_used = |lane: &&Lane| shown.iter().any(|row| row.lane == **lane);
        let lanes: Vec<Lane> = Lane::ALL.iter().filter(is_used).copied().collect();
        let axis = Axis::of(shown);
        let mut svg = String::new();
        frame(&mut svg, &axis, &lanes, self);
        // Cuts lie over what they cut.
        for is_cut in [false, true] {
            for row in shown {
                let place = lanes.iter().position(|lane| *lane == row.lane);
                if (row.step.tone() == Tone::Bad) == is_cut {
                    mark(&mut svg, &axis, (row, count(place.unwrap_or(0))), self);
                }
            }
        }
        Html::from_template(&Lanes {
            p: self,
            t: self.text(),
            rows,
            width: axis.end() + RIGHT,
            height: TOP + LANE * count(lanes.len()) + 6,
            about: rows.iter().any(|row| row.about),
            shortened: !axis.shortened.is_empty(),
            ledger: !self.is_portal(),
            svg: Html::from_escaped(svg),
        })
    }

    /// A place in a call's time; with a sign where it was not measured.
    pub(crate) fn place(&self, row: &LaneRow) -> String {
        let about = if row.about { "≈ " } else { "" };
        format!("{about}{}", format::span(row.start_ms, self.lang))
    }
}

#[cfg(test)]
mod tests;
