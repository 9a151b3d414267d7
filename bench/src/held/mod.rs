//! Holds thousands of slow streams open at once and reads what the processes between take of memory
//! meanwhile. Leaves starting them to `compare` and the text to `table`.

mod calls;
mod table;

use std::path::PathBuf;
use std::time::Duration;

use self::calls::hold;
use crate::compare::targets::{self, Binaries, Name};
use crate::compare::{Stage, machine, services};
use crate::failure::{Outcome, Step};
use crate::http::Call;
use crate::{say, sections};

/// Between two events of a stream.
const PACE: Duration = Duration::from_secs(1);
/// Streams opened a second: all are open long before the first ends, and nobody is flooded.
const OPENED_PER_SECOND: u32 = 500;
/// Between two looks at the memory.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// What start-up allocated for once has been given back by then.
const IDLE_PAUSE: Duration = Duration::from_secs(3);
/// A stream of fifty events takes as many seconds; far longer is a failure.
const ALL_MAX: Duration = Duration::from_secs(180);

#[derive(Debug, clap::Args)]
pub(crate) struct HeldArgs {
    /// Streams open at once.
    #[arg(long, default_value_t = 5_000)]
    streams: usize,
    /// Only these targets, comma separated.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Name::Gateway, Name::Sqlite, Name::Postgres])]
    only: Vec<Name>,
    /// Markdown file to write.
    #[arg(long, default_value = "bench/RESULTS.md")]
    out: PathBuf,
}

pub(crate) async fn run(args: HeldArgs) -> Outcome<()> {
    let binaries = Binaries::beside_this_one()?;
    binaries.require(&args.only)?;
    let mut found = Vec::new();
    for name in args.only {
        say(&format!("starting: {}", name.title()));
        // Each with processes of its own: what one target's streams left behind is not another's.
        let mut stage = Stage::new()?;
        let mock = services::start_mock(&mut stage).await?;
        let started = targets::start(name, &mut stage, &binaries, mock).await;
        let mut target = started.step(|| format!("starting `{}`", name.title()))?;
        let pace = format!("http://127.0.0.1:{}/_pace/{}", mock.port, PACE.as_millis());
        Call::get(&pace)?.once(Duration::from_secs(5)).await?;
        tokio::time::sleep(IDLE_PAUSE).await;
        let held = hold(&mut target, args.streams).await;
        let held = held.step(|| name.title().to_owned())?;
        stage.check()?;
        say(&format!(
            "{}: {} of {} whole, {:.0} MB, {:.0} events/s, {:.2} cores",
            name.title(),
            held.whole,
            args.streams,
            crate::load::report::megabytes(held.most_bytes),
            held.events_per_second,
            held.cpu,
        ));
        found.push(held);
    }
    let text = table::render(&machine::describe(), args.streams, &found);
    say(&text);
    sections::put(&args.out, "held", &text)
}
