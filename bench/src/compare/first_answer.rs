//! Time from process start to the first answered request of the all-in-one. Leaves everything
//! after that request to the load phases.

use std::time::{Duration, Instant};

use super::processes::Stage;
use super::targets::{Binaries, WaulePorts};
use crate::failure::{Failure, Outcome, Step};
use crate::http::Call;
use crate::load::chat_body;

/// A valid key of the demo tenant, whose seeding is part of a first start.
const DEMO_KEY: &str = "wk_live_benchbenchbenchbenchbenchbench01";
const ANSWER_MAX: Duration = Duration::from_secs(20);
/// Small beside the 500 ms aimed at.
const POLL: Duration = Duration::from_millis(2);

/// One start each, in milliseconds per round.
#[derive(Debug, Clone, Default)]
pub(crate) struct Starts {
    pub(crate) fresh_ms: Vec<f64>,
    pub(crate) existing_ms: Vec<f64>,
}

pub(crate) async fn measure(
    stage: &mut Stage,
    binaries: &Binaries,
    rounds: usize,
) -> Outcome<Starts> {
    let mut starts = Starts::default();
    for round in 0..rounds {
        let folder = stage
            .make_folder(&format!("start-{round}"))?
            .display()
            .to_string();
        starts.fresh_ms.push(once(stage, binaries, &folder).await?);
        starts
            .existing_ms
            .push(once(stage, binaries, &folder).await?);
    }
    Ok(starts)
}

async fn once(stage: &mut Stage, binaries: &Binaries, folder: &str) -> Outcome<f64> {
    let ports = WaulePorts::free()?;
    let url = format!("http://127.0.0.1:{}/api/v1/chat/completions", ports.server);
    let call = Call::post(&url, chat_body("sandbox-chat", false))?
        .header("authorization", &format!("Bearer {DEMO_KEY}"))?;
    let launch = binaries
        .all_in_one(folder, ports)?
        .env("DEMO_TENANT_KEY", DEMO_KEY);
    let start = Instant::now();
    let mut running = launch.start_apart(stage)?;
    let mut last = String::from("no connection");
    loop {
        // Until it listens the connection is refused, which costs microseconds.
        match call.once(Duration::from_secs(5)).await {
            Ok(reply) if reply.status == 200 => return Ok(start.elapsed().as_secs_f64() * 1e3),
            Ok(reply) => last = format!("{}: {}", reply.status, reply.excerpt()),
            Err(failure) if last == "no connection" => drop(failure),
            Err(failure) => last = failure.to_string(),
        }
        running
            .check()
            .step(|| "first answer of the all-in-one".into())?;
        if start.elapsed() > ANSWER_MAX {
            let sentence = format!("{call} was not answered with 200 within {ANSWER_MAX:?}");
            return Err(Failure::new(format!("{sentence}; last: {last}")));
        }
        tokio::time::sleep(POLL).await;
    }
}
