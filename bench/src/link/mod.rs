//! `bench link`: tokens, uploads and cut streams over a bad border, by the plain ways and by Waule.
//! Walks through the cells of the table; every cell gets a border and processes of its own, so none
//! inherits the luck of another. Leaves the network to `netem`.

mod aims;
mod bench;
mod client;
mod figures;
mod provider;
mod scenarios;
mod stream;
mod table;
#[cfg(test)]
mod tests;
mod ways;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::ValueEnum;

use self::bench::{Bench, build};
use self::scenarios::uploads::UploadFigures;
use self::scenarios::{CutFigures, TokenFigures};
use self::ways::Way;
use crate::compare::machine;
use crate::compare::targets::Binaries;
use crate::failure::{Failure, Outcome};
use crate::netem::{Lateness, bits_per_second};
use crate::stop::Stop;
use crate::{say, sections};

/// How long a black hole lasts.
const BLACK_HOLE: Duration = Duration::from_secs(3);
/// Twenty tokens a second, as a quick model writes.
const BETWEEN: Duration = Duration::from_millis(50);
/// What a provider thinks before it begins.
const FIRST: Duration = Duration::from_millis(200);
const TOKENS: u32 = 50;
/// Ten seconds: a cut comes in the middle of all streams.
const TOKENS_WHEN_CUT: u32 = 200;

#[derive(Debug, clap::Args)]
pub(crate) struct LinkArgs {
    /// Measured seconds of each cell with tokens under loss, after the warm-up.
    #[arg(long, default_value_t = 15)]
    seconds: u64,
    /// Concurrent streams.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=2_000))]
    streams: u32,
    /// Delay one way, in milliseconds.
    #[arg(long, default_value_t = 100)]
    delay_ms: u64,
    /// Bandwidth each way.
    #[arg(long, default_value_t = 50.0)]
    mbit: f64,
    /// Percentages of lost packets, comma separated. Uploads use the first two.
    #[arg(long, value_delimiter = ',', default_values_t = [0.0, 1.0, 2.0, 5.0])]
    loss: Vec<f64>,
    /// Mean number of packets lost in a row; 1 is independent loss.
    #[arg(long, default_value_t = 1.0)]
    burst: f64,
    /// `GATEWAY_CONNECTIONS` of Waule's way; the default is what it ships with.
    #[arg(long, default_value_t = ways::CONNECTIONS)]
    connections: usize,
    /// Only these ways, comma separated.
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Way>,
    /// Only these parts of the report, comma separated.
    #[arg(long, value_enum, value_delimiter = ',')]
    parts: Vec<Part>,
    /// Measured uploads of each cell, two seconds apart.
    #[arg(long, default_value_t = 10)]
    uploads: usize,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Take the binaries as they are, instead of having cargo bring them up to date.
    #[arg(long)]
    no_build: bool,
    /// Markdown file to write.
    #[arg(long, default_value = "bench/RESULTS.md")]
    out: PathBuf,
}

/// A part of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
enum Part {
    Tokens,
    Upload,
    Reset,
    BlackHole,
    SilentFlow,
}

impl Part {
    const ALL: [Self; 5] = [
        Self::Tokens,
        Self::Upload,
        Self::Reset,
        Self::BlackHole,
        Self::SilentFlow,
    ];

    fn title(self) -> &'static str {
        match self {
            Self::Tokens => "tokens",
            Self::Upload => "upload",
            Self::Reset => "reset of all connections",
            Self::BlackHole => "black hole of 3 s",
            Self::SilentFlow => "busiest connection silently dropped",
        }
    }
}

/// One field of the report.
#[derive(Debug, Clone, Copy)]
struct Cell {
    part: Part,
    way: Way,
    loss_percent: f64,
}

/// What came out of a cell.
#[derive(Debug)]
enum Figures {
    Tokens(TokenFigures),
    Upload(UploadFigures),
    Cut(CutFigures),
}

/// A cell with its figures, or why there are none.
#[derive(Debug)]
struct Measured {
    cell: Cell,
    figures: Outcome<Figures>,
    /// Congestion controls of the sockets over the border, with their number.
    congestion: Vec<(String, usize)>,
    /// The emulator's own error, the worse direction.
    late: Lateness,
    provider_late: Duration,
}

pub(crate) fn run(args: &LinkArgs) -> Outcome<()> {
    let stop = Stop::on_signals()?;
    if !args.no_build {
        build()?;
    }
    let bench = Bench {
        args,
        binaries: Binaries::beside_this_one()?,
        bits_per_second: bits_per_second(args.mbit)?,
        epoch: Instant::now(),
        stop,
    };
    args.check()?;
    let cells = cells(args);
    let mut measured = Vec::new();
    for (number, cell) in cells.iter().enumerate() {
        say(&format!(
            "{} of {}: {}, {}, {} % loss",
            number + 1,
            cells.len(),
            cell.part.title(),
            cell.way.title(),
            cell.loss_percent
        ));
        let done = bench.measure(*cell)?;
        say(&format!("  {}", table::progress(&done)));
        measured.push(done);
    }
    let report = table::LinkReport {
        machine: machine::describe(),
        args,
        measured: &measured,
    };
    let text = report.render();
    say(&text);
    sections::put(&args.out, "link", &text)?;
    say(&format!("written to {}", args.out.display()));
    Ok(())
}

impl LinkArgs {
    fn check(&self) -> Outcome<()> {
        if !self.loss.iter().all(|loss| (0.0..100.0).contains(loss)) {
            return Err(Failure::new("--loss is from 0 to below 100"));
        }
        if !(self.burst >= 1.0 && self.burst.is_finite()) {
            return Err(Failure::new("--burst is at least 1"));
        }
        Ok(())
    }
}

fn cells(args: &LinkArgs) -> Vec<Cell> {
    fn chosen<T: Copy + PartialEq>(all: &[T], only: &[T]) -> Vec<T> {
        let wanted = |one: &&T| only.is_empty() || only.contains(one);
        all.iter().filter(wanted).copied().collect()
    }
    let ways = chosen(&Way::ALL, &args.only);
    let mut cells = Vec::new();
    for part in chosen(&Part::ALL, &args.parts) {
        let losses = match part {
            Part::Tokens => args.loss.clone(),
            Part::Upload => args.loss.iter().take(2).copied().collect(),
            Part::Reset | Part::BlackHole | Part::SilentFlow => vec![0.0],
        };
        for loss_percent in losses {
            cells.extend(ways.iter().map(|way| Cell {
                part,
                way: *way,
                loss_percent,
            }));
        }
    }
    cells
}
