//! Every target in turn, round after round, under the same load.

use std::time::Duration;

use super::processes::Stage;
use super::results::TargetResults;
use super::services::Listening;
use super::targets::Target;
use super::{CONSTANT_RATE, CompareArgs, Phase, STREAM_CONNECTIONS, WARMUP, progress};
use crate::failure::{Failure, Outcome, Step};
use crate::http::Call;
use crate::load::report::Report;
use crate::load::{self, Plan};
use crate::say;

pub(super) struct Rounds<'a> {
    pub(super) args: &'a CompareArgs,
    pub(super) stage: Stage,
    pub(super) mock: Listening,
}

impl Rounds<'_> {
    /// Every phase over all targets; the order turns by one each round, so that noise on the
    /// machine and what one target leaves behind hit all alike.
    pub(super) async fn round(
        &mut self,
        round: usize,
        targets: &mut [Target],
        measured: &mut [TargetResults],
    ) -> Outcome<()> {
        let count = targets.len();
        for phase in [Phase::Json, Phase::Stream, Phase::Rate] {
            for place in 0..count {
                let index = (place + round) % count;
                let (target, results) = (&mut targets[index], &mut measured[index]);
                let report = self.measure(phase, target).await?;
                target.succeeded += report.succeeded;
                say(&progress(round, phase, target.name, &report));
                let series = match phase {
                    Phase::Json => &mut results.json,
                    Phase::Stream => &mut results.stream,
                    Phase::Rate => &mut results.rate,
                };
                series.push(report);
            }
        }
        Ok(())
    }

    pub(super) async fn measure(&mut self, phase: Phase, target: &Target) -> Outcome<Report> {
        let call = match phase {
            Phase::Json | Phase::Rate => target.json.clone(),
            Phase::Stream => target.stream.clone(),
        };
        let mut pids: Vec<u32> = target.parts.iter().map(|part| part.pid).collect();
        if !pids.contains(&self.mock.pid) {
            pids.push(self.mock.pid);
        }
        let plan = Plan {
            call,
            connections: match phase {
                Phase::Json | Phase::Rate => self.args.connections,
                Phase::Stream => STREAM_CONNECTIONS,
            },
            threads: load::default_threads(),
            warmup: WARMUP,
            measured: Duration::from_secs(self.args.seconds.max(1)),
            per_second: matches!(phase, Phase::Rate).then_some(CONSTANT_RATE),
            pids,
        };
        let seen_before = self.provider_calls().await?;
        let done = tokio::task::spawn_blocking(move || load::run(&plan)).await;
        let step = || format!("{phase:?} load on `{}`", target.name.title());
        let report = done.step(step)?.step(step)?;
        self.stage.check().step(step)?;
        if report.succeeded == 0 {
            let failure = report
                .first_failure
                .as_deref()
                .unwrap_or("no answer at all");
            return Err(Failure::new(format!(
                "{}: no call succeeded; first: {failure}",
                step()
            )));
        }
        let seen = self.provider_calls().await? - seen_before;
        if seen != report.succeeded {
            say(&format!(
                "note: {}: the provider saw {seen} calls, {} succeeded and {} failed",
                step(),
                report.succeeded,
                report.failed
            ));
        }
        Ok(report)
    }

    async fn provider_calls(&self) -> Outcome<u64> {
        let url = format!("http://127.0.0.1:{}/_count", self.mock.port);
        let reply = Call::get(&url)?.once(Duration::from_secs(5)).await?;
        let counts: serde_json::Value =
            serde_json::from_slice(&reply.body).step(|| "counts of the mock".into())?;
        counts["calls"]
            .as_u64()
            .ok_or_else(|| Failure::new("the mock gave no count"))
    }
}
