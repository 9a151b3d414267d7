//! The way between home and the gateways, as a drawing without geography, with the same numbers in a table
//! below. Measures nothing; what it writes is written again by the live feed.

use std::fmt::Write as _;

use askama::Template;

use crate::admin::gateways::GatewayRow;
use crate::format;
use crate::html::{Html, escape};
use crate::labels::{Health, Label as _, Switch};
use crate::page::Page;
use crate::text::Text;

const WIDTH: u64 = 640;
/// One gateway's height.
const ROW: u64 = 66;
/// Where the border runs.
const BORDER: u64 = 300;
/// Where gateways begin, and how wide and high they are.
const GATEWAY: u64 = 452;
const BOX: (u64, u64) = (WIDTH - GATEWAY - 2, 44);
const HOME: (u64, u64) = (112, 44);
/// Longer names are cut in the drawing; the table has them whole.
const NAME_MAX: usize = 20;
/// More gateways are a drawing that nobody reads; the table has them all.
const DRAWN_MAX: usize = 12;

/// What is measured of a way, as it is written; the name of each is that of its place on the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WayWords {
    /// How long the gateway took to answer just now.
    pub trip: String,
    /// How many packets are late or lost.
    pub loss: String,
    /// Streams that went on over another connection.
    pub resumed: String,
    /// Streams whose length was compared.
    pub checked: String,
    /// Bytes by which they differed.
    pub lost: String,
    /// Calls that run there.
    pub running: String,
}

impl WayWords {
    /// Each with the name of its place.
    pub fn all(&self) -> [(&'static str, &str); 6] {
        [
            ("trip", &self.trip),
            ("loss", &self.loss),
            ("resumed", &self.resumed),
            ("checked", &self.checked),
            ("lost", &self.lost),
            ("running", &self.running),
        ]
    }
}

/// Millionths as hundredths of a per cent, rounded up so that a little is not nothing.
fn share(ppm: u64) -> String {
    format::share(i64::try_from(ppm.div_ceil(100)).unwrap_or(i64::MAX))
}

#[derive(Template)]
#[template(path = "parts/border.html")]
struct Border<'a> {
    p: &'a Page,
    t: &'static Text,
    rows: &'a [GatewayRow],
    svg: Html,
    width: u64,
    height: u64,
}

/// How a way is coloured.
fn tone(row: &GatewayRow) -> &'static str {
    match row.state {
        Switch::On => row.health.tone().code(),
        Switch::Off => Health::Away.tone().code(),
    }
}

fn short(name: &str) -> String {
    let mut letters = name.chars();
    let start: String = letters.by_ref().take(NAME_MAX).collect();
    if letters.next().is_some() {
        return format!("{start}…");
    }
    start
}

impl GatewayRow {
    /// What it is called.
    pub(crate) fn shown(&self) -> &str {
        if self.name.is_empty() {
            &self.address
        } else {
            &self.name
        }
    }

    /// What its numbers are found by on an open page, whatever gateways come and go meanwhile: a hash of its
    /// address (FNV-1a), of which nothing depends on that it can't be guessed.
    pub fn mark(&self) -> String {
        let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        let hash = self.address.bytes().fold(0xcbf2_9ce4_8422_2325, mix);
        format!("{hash:x}")
    }
}

impl Page {
    /// What is measured of the way to a gateway.
    pub fn measured_way(&self, row: &GatewayRow) -> WayWords {
        let way = &row.way;
        let dash = || "—".to_owned();
        WayWords {
            trip: match row.latency_ms {
                0 => dash(),
                ms => self.span(ms),
            },
            loss: way.late_ppm.map_or_else(dash, share),
            resumed: self.count(way.resumed),
            checked: self.count(way.checked),
            lost: self.count(way.bytes_lost),
            running: self.count(row.in_flight),
        }
    }

    fn drawn(&self, svg: &mut String, row: &GatewayRow, (y, home): (u64, u64)) {
        let (words, tone, a) = (self.measured_way(row), tone(row), self.text().a);
        let mark = row.mark();
        let (from, flat) = (HOME.0, BORDER + 10);
        let middle = u64::midpoint(from, flat);
        let (top, above, below) = (y - BOX.1 / 2, y - 7, y + 16);
        let (name, region) = (short(row.shown()), short(&row.region));
        let (name_y, region_y) = if region.is_empty() {
            (y + 5, y)
        } else {
            (y - 3, y + 14)
        };
        let left = GATEWAY + 14;
        let (width, height) = BOX;
        // Writing to a string cannot fail.
        let _ = write!(
            svg,
            r#"<path class="way way-{tone}" d="M{from} {home}C{middle} {home} {middle} {y} {flat} {y}H{GATEWAY}"/><text class="way-text" x="{flat}" y="{above}" data-live="trip-{mark}">{}</text><text class="way-note" x="{flat}" y="{below}">{} <tspan data-live="lost-{mark}">{}</tspan></text><rect class="place" x="{GATEWAY}" y="{top}" width="{width}" height="{height}" rx="8"/><text class="way-text" x="{left}" y="{name_y}">{}</text>"#,
            escape(&words.trip),
            escape(a.map_lost),
            escape(&words.lost),
            escape(&name),
        );
        if !region.is_empty() {
            let region = escape(&region);
            let _ = write!(
                svg,
                r#"<text class="way-note" x="{left}" y="{region_y}">{region}</text>"#
            );
        }
    }

    /// Home, the border and each gateway, with what is measured between them.
    pub fn border(&self, rows: &[GatewayRow]) -> Html {
        let shown = &rows[..rows.len().min(DRAWN_MAX)];
        let lines = u64::try_from(shown.len().max(1)).unwrap_or(1);
        let height = 26 + lines * ROW;
        let home = 26 + lines * ROW / 2;
        let a = self.text().a;
        let (bottom, top) = (height - 4, home - HOME.1 / 2);
        let mut svg = format!(
            r#"<path class="border-line" d="M{BORDER} 24V{bottom}"/><text class="way-note border-name" x="{BORDER}" y="16">{}</text>"#,
            escape(a.map_border)
        );
        for (number, row) in shown.iter().enumerate() {
            let place = u64::try_from(number).unwrap_or(0);
            let y = 26 + place * ROW + ROW / 2;
            self.drawn(&mut svg, row, (y, home));
        }
        let (width, tall) = HOME;
        let _ = write!(
            svg,
            r#"<rect class="place" x="1" y="{top}" width="{width}" height="{tall}" rx="8"/><text class="way-text" x="16" y="{}">{}</text>"#,
            home + 5,
            escape(a.map_home)
        );
        Html::from_template(&Border {
            p: self,
            t: self.text(),
            rows,
            svg: Html::from_escaped(svg),
            width: WIDTH,
            height,
        })
    }
}

#[cfg(test)]
mod tests;
