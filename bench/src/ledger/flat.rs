//! Whether the ledger is as fast over a long history as over a short one: a database for each length,
//! all filled before, measured in turns.

use std::fmt::Write;
use std::time::{Duration, Instant};

use server::reports::rollup::Roller;
use server::store::{MIGRATIONS, Store};
use shared::clock::Clock;
use shared::db::{Db, DbTarget, migrate};

use super::table::LedgerRow;
use super::{CASES, Case, Engine, LedgerArgs, exact, fill, one};
use crate::compare::machine::Machine;
use crate::compare::{Stage, machine, services};
use crate::failure::{Failure, Outcome, Step};
use crate::{say, sections};

/// Nothing else runs while a history is added up.
const SUMS_MAX: Duration = Duration::from_secs(60);
/// What a history of any length may cost of the speed over the shortest.
const FLAT: f64 = 0.9;

/// A database with its history.
struct History {
    entries: i64,
    db: Db,
    /// One for each case.
    rows: Vec<LedgerRow>,
}

/// Measures each length in turns and writes the section.
pub(super) async fn run(args: &LedgerArgs) -> Outcome<()> {
    let mut stage = Stage::new()?;
    let postgres = services::database::start_postgres(&mut stage).await?;
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = head(&mut text, &machine::describe(), args);
    for engine in [Engine::Postgres, Engine::Sqlite] {
        if args.only.is_some_and(|only| only != engine) {
            continue;
        }
        let mut histories = Vec::new();
        for entries in args.flat.iter().copied() {
            let target = match engine {
                Engine::Postgres => {
                    let url = |name: &str| {
                        let port = postgres.port;
                        DbTarget::Postgres(format!("postgres://waule@127.0.0.1:{port}/{name}"))
                    };
                    let name = format!("history_{entries}");
                    let admin = Db::connect(&url("server")).await.step(|| name.clone())?;
                    fill::execute(&admin, &format!("CREATE DATABASE {name}")).await?;
                    url(&name)
                }
                Engine::Sqlite => {
                    let folder = stage.make_folder(&format!("history-{entries}"))?;
                    DbTarget::Sqlite(folder.join("server.db"))
                }
            };
            histories.push(History::make(engine, entries, &target).await?);
        }
        measure(engine, &mut histories, args).await?;
        let _ = rows(&mut text, engine, &histories);
    }
    say(&text);
    sections::put(&args.out, "ledger-flat", &text)
}

impl History {
    async fn make(engine: Engine, entries: i64, target: &DbTarget) -> Outcome<Self> {
        let step = || format!("a history of {entries} entries");
        let began = Instant::now();
        let db = Db::connect(target).await.step(step)?;
        migrate::run(&db, MIGRATIONS).await.step(step)?;
        fill::fill(&db, entries).await?;
        let filled = began.elapsed();
        // Otherwise they would be added up beside the load.
        let mut roller = Roller::new(Store::new(db.clone()), Clock::system());
        if !roller.catch_up(SUMS_MAX).await.step(step)? {
            return Err(Failure::new("the sums were not made in time"));
        }
        // What filling left to be written is not the load's.
        let settle = match &db {
            Db::Postgres(_) => ["VACUUM ANALYZE", "CHECKPOINT"],
            Db::Sqlite { .. } => ["ANALYZE", "PRAGMA wal_checkpoint(TRUNCATE)"],
        };
        for statement in settle {
            fill::execute(&db, statement).await?;
        }
        let (filled, all) = (filled.as_secs(), began.elapsed().as_secs());
        say(&format!(
            "{}: {entries} entries filled in {filled} s, added up and settled after {all} s",
            engine.title()
        ));
        let rows = cases().map(|case| LedgerRow::new(engine.title(), case.title));
        Ok(Self {
            entries,
            db,
            rows: rows.collect(),
        })
    }
}

/// Those with group commit: the others are no way to run.
fn cases() -> impl Iterator<Item = Case> {
    CASES
        .into_iter()
        .filter(|case| case.grouped && !case.filled)
}

async fn measure(engine: Engine, histories: &mut [History], args: &LedgerArgs) -> Outcome<()> {
    for round in 0..args.rounds.max(1) {
        for (at, case) in cases().enumerate() {
            let count = histories.len();
            for place in 0..count {
                // The order turns, so that what one leaves behind hits all alike.
                let history = &mut histories[(place + round) % count];
                let run = one(&history.db, case, args).await?;
                say(&format!(
                    "{}, {} entries, {}: {:.0} pairs/s, p99 {:.1} ms",
                    engine.title(),
                    history.entries,
                    case.title,
                    run.per_second,
                    run.p99_ms
                ));
                history.rows[at].runs.push(run);
            }
        }
    }
    for history in histories {
        exact(&history.db).await?;
    }
    Ok(())
}

fn head(text: &mut String, machine: &Machine, args: &LedgerArgs) -> std::fmt::Result {
    writeln!(text, "### The ledger over a long history\n")?;
    writeln!(
        text,
        "{}, {} cores of {}, {}. `target/release/bench ledger --flat {}`: a database for each number of entries, with as many holds \
         and usage records, added up before; {} rounds of {} s in turns, medians. The ledger's own check passes on each afterwards.\n",
        machine.date,
        machine.cores,
        machine.model,
        machine.rustc,
        args.flat
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(","),
        args.rounds,
        args.seconds,
    )?;
    writeln!(
        text,
        "| database | entries | case | pairs/s | p99 ms | filed after ms | over the shortest | flat (at least {FLAT}) |\n|---|---|---|---|---|---|---|---|"
    )
}

fn rows(text: &mut String, engine: Engine, histories: &[History]) -> std::fmt::Result {
    for (at, case) in cases().enumerate() {
        let shortest = histories.first().map(|history| history.rows[at].pairs());
        for history in histories {
            let row = &history.rows[at];
            let share = shortest.map_or(1.0, |shortest| row.pairs() / shortest);
            writeln!(
                text,
                "| {} | {} | {} | {:.0} | {:.1} | {:.0} | {share:.2} | {} |",
                engine.title(),
                history.entries,
                case.title,
                row.pairs(),
                row.median(|run| run.p99_ms),
                row.median(|run| run.behind_ms),
                if share >= FLAT { "yes" } else { "**no**" },
            )?;
        }
    }
    Ok(())
}
