//! The marks of charts as SVG. Only numbers are written here; texts are escaped.
//! Chooses no colours; classes do.

use std::fmt::Write as _;

use crate::chart::Chart;
use crate::chart::scale::{HEIGHT, Scale};
use crate::html::{Html, escape};
use crate::labels::Label;
use crate::page::Page;

const WIDTH: usize = 1_000;

/// The left end of a column among `columns`.
fn left(place: usize, columns: usize) -> usize {
    place * WIDTH / columns.max(1)
}

/// The middle of a column.
fn middle(place: usize, columns: usize) -> usize {
    (2 * place + 1) * WIDTH / (2 * columns.max(1))
}

/// Horizontal lines at the scale's round numbers, the one at zero stronger.
pub(super) fn grid(scale: &Scale) -> Html {
    let mut svg = String::new();
    for tick in scale.ticks() {
        let class = if tick == 0 { "grid zero" } else { "grid" };
        let y = scale.y(tick);
        // Writing to a string cannot fail; here and below.
        let _ = write!(svg, r#"<path class="{class}" d="M0 {y}H{WIDTH}"/>"#);
    }
    Html::from_escaped(svg)
}

/// A line with the surface below it, across the whole width.
pub(super) fn filled_line(values: &[Option<i64>], scale: &Scale, colour: &str) -> String {
    let last = values.len().saturating_sub(1).max(1);
    let place = |place: usize| place * WIDTH / last;
    let (line, surface) = (path(values, scale, place), surface(values, scale, place));
    format!(
        r#"<path class="surface surface-{colour}" d="{surface}"/><path class="line line-{colour}" d="{line}"/>"#
    )
}

/// The stretches between gaps, each with the place of its first value.
fn stretches(values: &[Option<i64>]) -> impl Iterator<Item = (usize, Vec<i64>)> {
    let mut start = 0;
    values.split(Option::is_none).filter_map(move |stretch| {
        let first = start;
        start += stretch.len() + 1;
        (!stretch.is_empty()).then(|| (first, stretch.iter().flatten().copied().collect()))
    })
}

/// One stretch of a line.
fn stretch(
    line: &mut String,
    (first, values): (usize, &[i64]),
    scale: &Scale,
    x: impl Fn(usize) -> usize,
) {
    for (place, value) in (first..).zip(values) {
        let letter = if place == first { 'M' } else { 'L' };
        let y = scale.y(i128::from(*value));
        let _ = write!(line, "{letter}{} {y}", x(place));
    }
    // A number between two gaps is a dot.
    if values.len() == 1 {
        line.push_str("h0");
    }
}

/// A line that leaves gaps.
fn path(values: &[Option<i64>], scale: &Scale, x: impl Fn(usize) -> usize) -> String {
    let mut line = String::new();
    for (first, values) in stretches(values) {
        stretch(&mut line, (first, &values), scale, &x);
    }
    line
}

/// What lies between such a line and zero.
fn surface(values: &[Option<i64>], scale: &Scale, x: impl Fn(usize) -> usize) -> String {
    let (mut line, zero) = (String::new(), scale.y(0));
    for (first, values) in stretches(values) {
        stretch(&mut line, (first, &values), scale, &x);
        let (start, end) = (x(first), x(first + values.len() - 1));
        let _ = write!(line, "L{end} {zero}L{start} {zero}Z");
    }
    line
}

pub(super) fn lines(chart: &Chart, scale: &Scale) -> Html {
    let columns = chart.columns.len();
    let mut svg = String::new();
    for (number, series) in chart.series.iter().enumerate().rev() {
        let shown = &series.values[..series.values.len().min(columns)];
        let line = path(shown, scale, |place| middle(place, columns));
        let colour = series.name.colour(number);
        if number == 0 && !shown.is_empty() {
            let surface = surface(shown, scale, |place| middle(place, columns));
            let _ = write!(
                svg,
                r#"<path class="surface surface-{colour}" d="{surface}"/>"#
            );
        }
        let _ = write!(svg, r#"<path class="line line-{colour}" d="{line}"/>"#);
    }
    Html::from_escaped(svg)
}

/// A rectangle between two heights.
fn block(svg: &mut String, colour: &str, (x, width): (usize, usize), (from, to): (i128, i128)) {
    let (top, height) = (from.min(to), (from - to).abs());
    let _ = write!(
        svg,
        r#"<rect class="block block-{colour}" x="{x}" y="{top}" width="{width}" height="{height}"/>"#
    );
}

/// A bar's left end and width inside its column, with a gap on both sides.
fn inside(place: usize, columns: usize, (part, parts): (usize, usize)) -> (usize, usize) {
    let column = left(place + 1, columns) - left(place, columns);
    let gap = column / 8;
    let room = column - 2 * gap;
    let start = left(place, columns) + gap + part * room / parts;
    let end = left(place, columns) + gap + (part + 1) * room / parts;
    (start, (end - start).max(1))
}

pub(super) fn bars(chart: &Chart, scale: &Scale) -> Html {
    let columns = chart.columns.len();
    let mut svg = String::new();
    for (number, series) in chart.series.iter().enumerate() {
        for (place, value) in series.values.iter().take(columns).enumerate() {
            let Some(value) = value else { continue };
            let x = inside(place, columns, (number, chart.series.len()));
            let y = (scale.y(0), scale.y(i128::from(*value)));
            block(&mut svg, &series.name.colour(number), x, y);
        }
    }
    Html::from_escaped(svg)
}

pub(super) fn stacked(chart: &Chart, scale: &Scale) -> Html {
    let columns = chart.columns.len();
    let mut svg = String::new();
    for place in 0..columns {
        let mut reached: i128 = 0;
        for (number, series) in chart.series.iter().enumerate() {
            let value = series.values.get(place).copied().flatten().unwrap_or(0);
            let next = reached + i128::from(value).max(0);
            if next > reached {
                let x = inside(place, columns, (0, 1));
                block(
                    &mut svg,
                    &series.name.colour(number),
                    x,
                    (scale.y(reached), scale.y(next)),
                );
            }
            reached = next;
        }
    }
    Html::from_escaped(svg)
}

/// What happened, as lines on the axis of time; the columns in front of them say what it was.
pub(super) fn marks(chart: &Chart) -> Html {
    let mut svg = String::new();
    for (mark, x) in chart.placed() {
        let tone = mark.kind.tone().code();
        let _ = write!(
            svg,
            r#"<path class="mark mark-{tone}" d="M{x} 0V{HEIGHT}"/>"#
        );
    }
    Html::from_escaped(svg)
}

/// Invisible columns that say their numbers when pointed at, and lead to the calls behind them. All are one
/// stop for whoever goes by keys; a script moves it from column to column.
pub(super) fn hits(chart: &Chart, page: &Page) -> Html {
    let (spans, last) = (chart.columns.spans(), chart.columns.len().saturating_sub(1));
    let placed = chart.placed();
    let columns = chart.columns.len();
    let mut svg = String::new();
    let (lang, names) = (page.lang, chart.columns.names(&page.zone));
    for (place, mut words) in names.into_iter().enumerate() {
        for series in &chart.series {
            if let Some(Some(value)) = series.values.get(place) {
                let value = chart.unit.text(i128::from(*value), lang);
                let _ = write!(words, "\n{}: {value}", series.name.text(lang));
            }
        }
        let (from, until) = spans[place];
        for (mark, _) in placed.iter().rev() {
            if (from..until).contains(&mark.at.unix_ms()) {
                let _ = write!(words, "\n{}: {}", mark.kind.text(lang), mark.name);
            }
        }
        let (x, width) = (
            left(place, columns),
            left(place + 1, columns) - left(place, columns),
        );
        let rect = format!(r#"<rect x="{x}" y="0" width="{width}" height="{HEIGHT}"/>"#);
        let title = escape(&words);
        if chart.leads_to.is_empty() {
            let _ = write!(svg, r#"<g class="hit"><title>{title}</title>{rect}</g>"#);
            continue;
        }
        let href = format!("{}/{}span={from}-{until}", page.root(), chart.leads_to);
        let (href, stop) = (escape(&href), if place == last { "0" } else { "-1" });
        let label = escape(&words.replace('\n', "; "));
        let _ = write!(
            svg,
            r#"<a class="hit" href="{href}" tabindex="{stop}" aria-label="{label}"><title>{title}</title>{rect}</a>"#
        );
    }
    Html::from_escaped(svg)
}
