//! The stand: a border with its conditions, each way over it, and what is measured there.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::provider::{Provider, Rhythm};
use super::scenarios::{Scene, Setting};
use super::ways::{Ready, Way};
use super::{
    BETWEEN, BLACK_HOLE, Cell, FIRST, Figures, LinkArgs, Measured, Part, TOKENS, TOKENS_WHEN_CUT,
    scenarios, ways,
};
use crate::compare::processes::Stage;
use crate::compare::targets::Binaries;
use crate::failure::{Failure, Outcome, Step};
use crate::netem::Lateness;
use crate::netem::border::{Border, Cut};
use crate::netem::conditions::{Conditions, Loss};
use crate::say;
use crate::stop::Stop;

pub(super) struct Bench<'a> {
    pub(super) args: &'a LinkArgs,
    pub(super) binaries: Binaries,
    pub(super) bits_per_second: Option<u64>,
    /// What stamps count from.
    pub(super) epoch: Instant,
    pub(super) stop: Stop,
}

impl Bench<'_> {
    /// A way that does not work leaves an empty field; only a signal ends the run.
    pub(super) fn measure(&self, cell: Cell) -> Outcome<Measured> {
        let mut measured = Measured {
            cell,
            figures: Err(Failure::new("not measured")),
            congestion: Vec::new(),
            late: Lateness::default(),
            provider_late: Duration::ZERO,
        };
        let figures = self.fill(cell, &mut measured);
        self.stop.check()?;
        measured.figures = figures;
        Ok(measured)
    }

    fn fill(&self, cell: Cell, measured: &mut Measured) -> Outcome<Figures> {
        let border = Border::new(self.conditions(), cell.way.congestion())?;
        let rhythm = Rhythm {
            first: FIRST,
            between: BETWEEN,
            tokens: match cell.part {
                Part::Tokens | Part::Upload => TOKENS,
                Part::Reset | Part::BlackHole | Part::SilentFlow => TOKENS_WHEN_CUT,
            },
        };
        let provider = Provider::start(&border.overseas, rhythm, self.epoch)?;
        let overseas = border
            .overseas
            .run(|| self.block_on(ways::starting::start_overseas(cell.way, &self.binaries)))??;
        let figures = border.home.run(|| {
            self.block_on(async {
                let mut ready = self.at_home(cell.way, overseas).await?;
                border.control().set_loss(Loss {
                    fraction: cell.loss_percent / 100.0,
                    burst: self.args.burst,
                });
                let mut place = Scene {
                    border: &border,
                    provider: &provider,
                    ready: &mut ready,
                };
                let figures = self.scenario(cell, &mut place, rhythm).await;
                measured.congestion = ways::congestion_at_both_ends(&border)?;
                figures
            })
        })?;
        let (out, back) = border.control().counts();
        measured.late = out.late.worse(back.late);
        measured.provider_late = provider.late_max();
        figures
    }

    async fn at_home(&self, way: Way, overseas: Option<Stage>) -> Outcome<Ready> {
        ways::starting::start_at_home(way, &self.binaries, self.args.connections, overseas).await
    }

    fn conditions(&self) -> Conditions {
        Conditions {
            delay: Duration::from_millis(self.args.delay_ms),
            jitter: Duration::ZERO,
            // Processes start on a good line; it becomes bad when they are up.
            loss: Loss::NONE,
            bits_per_second: self.bits_per_second,
            queue_bytes: None,
            seed: self.args.seed,
        }
    }

    async fn scenario(
        &self,
        cell: Cell,
        place: &mut Scene<'_>,
        rhythm: Rhythm,
    ) -> Outcome<Figures> {
        let setting = Setting {
            epoch: self.epoch,
            round_trip: Duration::from_millis(self.args.delay_ms) * 2,
            rhythm,
            streams: self.args.streams,
        };
        let cut = match cell.part {
            Part::Tokens => {
                let measured = Duration::from_secs(self.args.seconds.max(1));
                let figures = scenarios::tokens(place, setting, measured).await?;
                return Ok(Figures::Tokens(figures));
            }
            Part::Upload => {
                let figures = scenarios::uploads::measure(place, self.args.uploads.max(1)).await?;
                return Ok(Figures::Upload(figures));
            }
            Part::Reset => Cut::Reset,
            Part::BlackHole => Cut::BlackHole(BLACK_HOLE),
            Part::SilentFlow => Cut::SilentFlow,
        };
        Ok(Figures::Cut(scenarios::cut(place, setting, cut).await?))
    }

    fn block_on<T>(&self, work: impl Future<Output = Outcome<T>>) -> Outcome<T> {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .step(|| "a runtime cannot be made".into())?
            .block_on(self.stop.or(work))
    }
}

/// Binaries older than the source would be measured as if they were it.
pub(super) fn build() -> Outcome<()> {
    let own = std::env::current_exe().step(|| "the bench's own path is unknown".into())?;
    let folder = own.parent().unwrap_or(Path::new("."));
    let Some(target) = folder.parent().filter(|_| folder.ends_with("release")) else {
        say("not a release build: figures say little, and Waule's binaries are taken as they are");
        return Ok(());
    };
    say("bringing the release binaries up to date");
    let done = Command::new("cargo")
        .args(["build", "--release", "--bin", "waule", "--target-dir"])
        .arg(target)
        .status()
        .step(|| "`cargo build` (see --no-build)".into())?;
    if done.success() {
        return Ok(());
    }
    Err(Failure::new("`cargo build` failed (see --no-build)"))
}
