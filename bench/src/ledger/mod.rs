//! Speed of the ledger alone: pairs of hold and settle a second, with group commit and without, one
//! hot tenant and many, on both databases with full durability. Speaks no HTTP.

mod fill;
mod flat;
pub(super) mod pairs;
mod table;

use std::path::PathBuf;
use std::time::Duration;

use diesel::connection::set_default_instrumentation;
use server::reports::rollup::Roller;
use server::store::{MIGRATIONS, Store};
use shared::clock::Clock;
use shared::credits::Credits;
use shared::db::{Db, DbTarget, migrate};

use self::pairs::{Count, exact, one};
use self::table::LedgerRow;
use crate::compare::{Stage, machine, services};
use crate::failure::{Failure, Outcome, Step};
use crate::{say, sections};

/// A call as large as a chat of some sentences.
const HELD: Credits = Credits::from_micros(2_000);
const USED: Credits = Credits::from_micros(700);
/// Enough for every pair that a run can make.
const GIVEN: Credits = Credits::from_micros(1_000_000_000_000);
/// Writers of the way without group commit, each with a connection of its own.
const NAIVE_WRITERS: usize = 32;

#[derive(Debug, clap::Args)]
pub(crate) struct LedgerArgs {
    /// Measured seconds per case and round.
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Callers at once; each waits for its own pair.
    #[arg(long, default_value_t = 256)]
    callers: usize,
    /// Entries and tenants to fill the tables with for the last cases; 0 leaves these cases out.
    #[arg(long, default_value_t = 1_000_000)]
    entries: i64,
    /// Measure instead how much of its speed is left over histories of so many entries, comma separated.
    #[arg(long, value_delimiter = ',')]
    flat: Vec<i64>,
    /// Indexes to leave out, to see what they cost; nothing is written to the results then.
    #[arg(long)]
    without: Vec<String>,
    /// Only this database.
    #[arg(long, value_enum)]
    only: Option<Engine>,
    /// Markdown file whose section is written.
    #[arg(long, default_value = "bench/RESULTS.md")]
    out: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Engine {
    Postgres,
    Sqlite,
}

impl Engine {
    fn title(self) -> &'static str {
        match self {
            Self::Postgres => "PostgreSQL, fsync on",
            Self::Sqlite => "SQLite, WAL, synchronous FULL",
        }
    }
}

/// One way to run.
#[derive(Debug, Clone, Copy)]
struct Case {
    title: &'static str,
    tenants: usize,
    /// Whether operations share a commit.
    grouped: bool,
    /// Whether the tables are filled before.
    filled: bool,
}

const CASES: [Case; 6] = [
    Case {
        title: "group commit, one hot tenant",
        tenants: 1,
        grouped: true,
        filled: false,
    },
    Case {
        title: "group commit, 1,000 tenants",
        tenants: 1_000,
        grouped: true,
        filled: false,
    },
    Case {
        title: "one transaction an operation, one hot tenant",
        tenants: 1,
        grouped: false,
        filled: false,
    },
    Case {
        title: "one transaction an operation, 1,000 tenants",
        tenants: 1_000,
        grouped: false,
        filled: false,
    },
    Case {
        title: "group commit, one hot tenant, filled tables",
        tenants: 1,
        grouped: true,
        filled: true,
    },
    Case {
        title: "group commit, 100,000 tenants, filled tables",
        tenants: 100_000,
        grouped: true,
        filled: true,
    },
];

/// Runs all cases on both databases and writes the section.
pub(crate) async fn run(args: &LedgerArgs) -> Outcome<()> {
    set_default_instrumentation(|| Some(Box::new(Count))).step(|| "counting".into())?;
    shared::tls::install_provider();
    if !args.flat.is_empty() {
        return flat::run(args).await;
    }
    let mut stage = Stage::new()?;
    let postgres = services::database::start_postgres(&mut stage).await?;
    let url = format!("postgres://waule@127.0.0.1:{}/server", postgres.port);
    let file = stage.make_folder("sqlite")?.join("server.db");
    let mut rows = Vec::new();
    for (engine, target) in [
        (Engine::Postgres, DbTarget::Postgres(url)),
        (Engine::Sqlite, DbTarget::Sqlite(file)),
    ] {
        let name = engine.title();
        if args.only.is_some_and(|only| only != engine) {
            continue;
        }
        let db = Db::connect(&target).await.step(|| name.into())?;
        migrate::run(&db, MIGRATIONS).await.step(|| name.into())?;
        for index in &args.without {
            fill::execute(&db, &format!("DROP INDEX {index}")).await?;
        }
        rows.extend(measure(name, &db, args).await?);
    }
    let text = table::render(&machine::describe(), args, &rows);
    say(&text);
    if !args.without.is_empty() {
        return Ok(());
    }
    sections::put(&args.out, "ledger", &text)
}

/// Cases take turns, so that noise on the machine hits all alike; filled ones come last.
async fn measure(name: &'static str, db: &Db, args: &LedgerArgs) -> Outcome<Vec<LedgerRow>> {
    let mut rows = Vec::new();
    for filled in [false, true] {
        if filled && args.entries == 0 {
            continue;
        }
        let mut cases: Vec<LedgerRow> = CASES
            .iter()
            .filter(|case| case.filled == filled)
            .map(|case| LedgerRow::new(name, case.title))
            .collect();
        if filled {
            fill::fill(db, args.entries).await?;
            let mut roller = Roller::new(Store::new(db.clone()), Clock::system());
            // Otherwise they would be added up beside the load.
            let is_level = roller.catch_up(Duration::from_secs(60)).await;
            if !is_level.step(|| "the sums".into())? {
                return Err(Failure::new("the sums were not made in time"));
            }
        }
        for round in 1..=args.rounds.max(1) {
            let of_phase = CASES.iter().filter(|case| case.filled == filled);
            for (case, row) in of_phase.zip(&mut cases) {
                let run = one(db, *case, args).await?;
                say(&format!(
                    "{name}, {}: {:.0} pairs/s",
                    case.title, run.per_second
                ));
                row.runs.push(run);
            }
            if round == args.rounds.max(1) {
                exact(db).await?;
            }
        }
        rows.append(&mut cases);
    }
    Ok(rows)
}
