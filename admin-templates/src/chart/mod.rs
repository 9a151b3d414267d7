//! Charts as SVG, drawn here so that pages need no script and no library for them.
//! Lines stretch with the page, letters do not: scales and legends are HTML around the SVG.
//! Draws whole numbers; knows no floating point and adds nothing up.

mod axis;
mod draw;
mod scale;

use askama::Template;
use shared::clock::Moment;
use shared::credits::Credits;

pub use crate::chart::axis::Columns;
use crate::chart::scale::Scale;
use crate::fixtures::maker::{Maker, Sample, sampled};
use crate::format;
use crate::html::{Html, url_part};
use crate::labels::{Label, MarkKind, Measure, Tone};
use crate::page::{Lang, Page};

/// What the numbers of a chart count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Things.
    Count,
    /// Micro-credits.
    Credits,
    /// Milliseconds.
    Milliseconds,
    /// Hundredths of a per cent.
    BasisPoints,
}

impl Sample for Unit {
    fn sample(maker: &mut Maker) -> Self {
        maker.one_of(&[
            Self::Count,
            Self::Credits,
            Self::Milliseconds,
            Self::BasisPoints,
        ])
    }
}

impl Unit {
    /// What the scale of a chart without any number above nothing reaches to.
    fn one(self) -> i128 {
        match self {
            Self::Count => 1,
            Self::Credits => 1_000_000,
            Self::Milliseconds => 1_000,
            Self::BasisPoints => 10_000,
        }
    }

    /// A number for people.
    pub(crate) fn text(self, number: i128, lang: Lang) -> String {
        let clamped = i64::try_from(number).unwrap_or(if number < 0 { i64::MIN } else { i64::MAX });
        let sign = if clamped < 0 { "−" } else { "" };
        match self {
            Self::Count => format!("{sign}{}", format::short(clamped.unsigned_abs(), lang)),
            Self::Credits => {
                let whole = clamped.unsigned_abs() / 1_000_000;
                if whole >= 10_000 {
                    format!("{sign}{}", format::short(whole, lang))
                } else {
                    format::credits(Credits::from_micros(clamped))
                }
            }
            Self::Milliseconds if clamped == 0 => "0".to_owned(),
            Self::Milliseconds => format!("{sign}{}", format::whole(clamped.unsigned_abs(), lang)),
            Self::BasisPoints => format::share(clamped),
        }
    }
}

sampled! {
    /// A row of numbers with a name.
    pub struct Series {
        /// For the legend.
        pub name: SeriesName,
        /// One for each column of the chart; what is not known leaves a gap, and missing ones at the end
        /// are not drawn.
        pub values: Vec<Option<i64>>,
    }

    /// Numbers over columns of time.
    pub struct Chart {
        /// Along the bottom, hours or days.
        pub columns: Columns,
        /// One to six.
        pub series: Vec<Series>,
        /// What the numbers count.
        pub unit: Unit,
        /// Where the calls of a column are listed: a path of the area's with its query, up to the word `span=`,
        /// for example `usage?model=gpt-5&`; empty where nothing is to be seen behind a column.
        pub leads_to: String,
        /// What happened meanwhile, on the axis of time.
        pub marks: Vec<Mark>,
    }

    /// Something that happened at a moment of a chart.
    pub struct Mark {
        /// When.
        pub at: Moment,
        /// What.
        pub kind: MarkKind,
        /// To whom, by name.
        pub name: String,
    }

    /// The course of one number, without scales.
    pub struct Spark {
        /// From old to new; what is not known leaves a gap.
        pub values: Vec<Option<i64>>,
    }
}

/// What a row of numbers is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SeriesName {
    /// What it measures.
    Measure(Measure),
    /// The name of a model, a tenant, a gateway.
    Name(String),
}

impl From<Measure> for SeriesName {
    fn from(measure: Measure) -> Self {
        Self::Measure(measure)
    }
}

impl From<&str> for SeriesName {
    fn from(name: &str) -> Self {
        Self::Name(name.to_owned())
    }
}

impl Sample for SeriesName {
    fn sample(maker: &mut Maker) -> Self {
        Self::Name(maker.text())
    }
}

impl SeriesName {
    /// For people.
    pub(crate) fn text(&self, lang: Lang) -> &str {
        match self {
            Self::Measure(measure) => measure.text(lang),
            Self::Name(name) => name,
        }
    }

    /// The end of the class that colours it: by meaning where there is one, else in turn.
    pub(crate) fn colour(&self, place: usize) -> String {
        let tone = match self {
            Self::Measure(measure) => measure.tone(),
            Self::Name(_) => Tone::Plain,
        };
        match tone {
            Tone::Plain => (place % COLOURS).to_string(),
            Tone::Good | Tone::Warn | Tone::Bad | Tone::Info => tone.code().to_owned(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Lines,
    Bars,
    Stacked,
}

/// More lines on the axis would hide what it measures.
const MARKS_MAX: usize = 20;
/// How many colours the style sheet has for series.
const COLOURS: usize = 6;

impl Chart {
    /// As lines, the first one filled.
    pub fn lines(&self, page: &Page, title: &str) -> Html {
        self.draw(page, title, Kind::Lines)
    }

    /// As bars side by side.
    pub fn bars(&self, page: &Page, title: &str) -> Html {
        self.draw(page, title, Kind::Bars)
    }

    /// As bars on top of one another; numbers below zero count as zero.
    pub fn stacked(&self, page: &Page, title: &str) -> Html {
        self.draw(page, title, Kind::Stacked)
    }

    fn is_empty(&self) -> bool {
        self.columns.is_empty()
            || self
                .series
                .iter()
                .all(|series| series.values.iter().all(Option::is_none))
    }

    fn draw(&self, page: &Page, title: &str, kind: Kind) -> Html {
        let scale = match kind {
            Kind::Lines | Kind::Bars => Scale::of(self.all_values(), self.unit.one()),
            Kind::Stacked => {
                let stacks = (0..self.columns.len()).map(|place| self.stack(place));
                Scale::of(stacks, self.unit.one())
            }
        };
        let plot = match kind {
            Kind::Lines => draw::lines(self, &scale),
            Kind::Bars => draw::bars(self, &scale),
            Kind::Stacked => draw::stacked(self, &scale),
        };
        Html::from_template(&ChartHtml {
            lang: page.lang,
            title,
            chart: self,
            empty: self.is_empty(),
            nothing: page.text().chart_empty,
            summary: self.summary(page.lang),
            ticks: scale
                .ticks()
                .map(|tick| self.unit.text(tick, page.lang))
                .collect(),
            axis: self.columns.show(&page.zone),
            zone: self.columns.zone(page),
            plot,
            grid: draw::grid(&scale),
            hits: draw::hits(self, page),
            marks: draw::marks(self),
            happened: self.happened(),
            p: page,
        })
    }

    /// With the calls of each column behind it, listed by a page of the area with further words of a query.
    #[must_use]
    pub fn leading_to(mut self, path: &str, query: &[(&str, &str)]) -> Self {
        let words = query.iter().map(|(name, value)| {
            let (name, value) = (url_part(name), url_part(value));
            format!("{name}={value}&")
        });
        self.leads_to = format!("{path}?{}", words.collect::<String>());
        self
    }

    /// With what happened meanwhile; what lies outside is left out, and of many the newest are shown.
    #[must_use]
    pub fn marked(mut self, marks: Vec<Mark>) -> Self {
        self.marks = marks;
        self
    }

    /// The marks that lie on the axis, each with its place in thousandths of the width, newest first.
    fn placed(&self) -> Vec<(&Mark, usize)> {
        let mut placed: Vec<(&Mark, usize)> = self
            .marks
            .iter()
            .filter_map(|mark| Some((mark, self.columns.place(mark.at)?)))
            .collect();
        placed.sort_by_key(|(mark, _)| std::cmp::Reverse(mark.at));
        placed.truncate(MARKS_MAX);
        placed
    }

    fn happened(&self) -> Vec<&Mark> {
        self.placed().into_iter().map(|(mark, _)| mark).collect()
    }

    fn all_values(&self) -> impl Iterator<Item = i128> {
        let series = self.series.iter();
        series.flat_map(|series| series.values.iter().flatten().copied().map(i128::from))
    }

    fn stack(&self, place: usize) -> i128 {
        let values = self
            .series
            .iter()
            .filter_map(|series| series.values.get(place));
        values
            .flatten()
            .map(|value| i128::from(*value).max(0))
            .sum()
    }

    /// The numbers in words, for people who do not see the drawing.
    fn summary(&self, lang: Lang) -> String {
        let series = self.series.iter().filter_map(|series| {
            let known = || series.values.iter().flatten();
            let (least, most, last) = (known().min()?, known().max()?, known().last()?);
            let text = |number: &i64| self.unit.text(i128::from(*number), lang);
            Some(match lang {
                Lang::En => format!(
                    "{}: from {} to {}, last {}",
                    series.name.text(lang),
                    text(least),
                    text(most),
                    text(last)
                ),
                Lang::Zh => format!(
                    "{}：最低 {}，最高 {}，最近 {}",
                    series.name.text(lang),
                    text(least),
                    text(most),
                    text(last)
                ),
            })
        });
        series.collect::<Vec<_>>().join("; ")
    }
}

impl Spark {
    /// As a small line; nothing for fewer than two numbers. Says nothing to screen readers: the
    /// number itself stands beside it.
    pub fn show(&self) -> Html {
        if self.values.iter().flatten().count() < 2 {
            return Html::default();
        }
        let scale = Scale::close(self.values.iter().flatten().copied().map(i128::from));
        Html::from_escaped(format!(
            r#"<svg class="spark" viewBox="0 0 1000 1000" preserveAspectRatio="none" aria-hidden="true" focusable="false">{}</svg>"#,
            draw::filled_line(&self.values, &scale, "0")
        ))
    }
}

/// A bar as long as `part` of `whole`.
pub(crate) fn bar(part: u64, whole: u64) -> Html {
    let length = if whole == 0 {
        0
    } else {
        u128::from(part.min(whole)) * 1_000 / u128::from(whole)
    };
    Html::from_escaped(format!(
        r#"<svg class="bar" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true" focusable="false"><rect class="bar-all" width="1000" height="10"/><rect class="bar-part" width="{length}" height="10"/></svg>"#
    ))
}

#[derive(Template)]
#[template(path = "components/chart.html")]
struct ChartHtml<'a> {
    lang: Lang,
    title: &'a str,
    chart: &'a Chart,
    empty: bool,
    nothing: &'static str,
    summary: String,
    ticks: Vec<String>,
    axis: Html,
    zone: String,
    plot: Html,
    grid: Html,
    hits: Html,
    marks: Html,
    happened: Vec<&'a Mark>,
    p: &'a Page,
}
