//! How long lists and dashboards take on large tables of PostgreSQL: millions of usage records, a
//! hundred thousand tenants. Asks the room that pages and API ask; speaks no HTTP.

mod fill;
mod further;
mod questions;
mod table;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use diesel_async::{AsyncPgConnection, RunQueryDsl};
use server::ledger::{Ledger, LedgerSettings};
use server::reports::Reports;
use server::reports::rollup::Roller;
use server::store::{MIGRATIONS, Store};
use shared::clock::Clock;
use shared::db::{Db, DbTarget, migrate};
use shared::supervisor::Supervisor;

use self::fill::Size;
use self::questions::{Filling, Question, Rooms, all};
use self::table::{Built, ListRow};
use crate::compare::{Stage, machine, services};
use crate::failure::{Failure, Outcome, Step};
use crate::{say, sections};

/// Nothing else writes, so nothing needs to be waited for.
const OLDER_TRANSACTIONS_WAIT: Duration = Duration::from_secs(30);
/// Asked before it is measured, so that the first page of an index is in memory.
const WARM_UP: usize = 5;

#[derive(Debug, clap::Args)]
pub(crate) struct ListsArgs {
    /// Usage records; each takes about 900 bytes with its indexes, in the folder of temporary files.
    #[arg(long, default_value_t = 10_000_000)]
    records: i64,
    #[arg(long, default_value_t = 100_000)]
    tenants: i64,
    /// Entries of the audit log.
    #[arg(long, default_value_t = 200_000)]
    audit: i64,
    /// How often each question is asked, about another tenant, key, moment or word each time.
    #[arg(long, default_value_t = 200)]
    asks: usize,
    /// Markdown file whose section is written.
    #[arg(long, default_value = "bench/RESULTS.md")]
    out: PathBuf,
}

/// Fills a private PostgreSQL, asks everything and writes the section.
pub(crate) async fn run(args: &ListsArgs) -> Outcome<()> {
    let mut stage = Stage::new()?;
    shared::tls::install_provider();
    let postgres = services::database::start_postgres(&mut stage).await?;
    let url = format!("postgres://waule@127.0.0.1:{}/server", postgres.port);
    let db = Db::connect(&DbTarget::Postgres(url))
        .await
        .step(|| "PostgreSQL".into())?;
    migrate::run(&db, MIGRATIONS)
        .await
        .step(|| "the migrations".into())?;
    let Db::Postgres(pool) = &db else {
        return Err(Failure::new("this is measured on PostgreSQL only"));
    };
    let mut conn = pool
        .dedicated_connection()
        .await
        .step(|| "a connection".into())?;
    let (size, clock) = (
        Size {
            records: args.records.max(1),
            tenants: args.tenants.max(fill::BUSY + 1),
            audit: args.audit.max(1),
        },
        Clock::system(),
    );
    fill::fill(&mut conn, size, clock.now()).await?;
    let store = Store::new(db.clone());
    let built = build(&mut conn, &store, &clock, size).await?;
    let supervisor = Supervisor::new();
    let ledger = Ledger::start(
        store.clone(),
        clock.clone(),
        &supervisor,
        LedgerSettings::default(),
    );
    let ledger = ledger.await.step(|| "the ledger".into())?;
    let rooms = Rooms {
        reports: Reports::new(store.clone(), ledger.clone(), clock.clone()),
        ledger,
        store,
    };
    let place = Filling {
        size,
        now: clock.now(),
    };
    let mut rows = Vec::new();
    for question in all() {
        stage.check()?;
        let row = measure(&rooms, &place, question, args.asks).await?;
        say(&format!(
            "{}: p50 {:.1} ms, p99 {:.1} ms",
            row.name,
            row.ms(0.5),
            row.ms(0.99)
        ));
        rows.push(row);
    }
    let text = table::render(&machine::describe(), args, &built, &rows);
    say(&text);
    sections::put(&args.out, "lists", &text)
}

/// Adds up everything as `rollup rebuild` does, and checks it.
async fn build(
    conn: &mut AsyncPgConnection,
    store: &Store,
    clock: &Clock,
    size: Size,
) -> Outcome<Built> {
    say("adding up");
    let mut roller = Roller::new(store.clone(), clock.clone());
    let began = Instant::now();
    let whole = roller.rebuild(OLDER_TRANSACTIONS_WAIT).await;
    if !whole.step(|| "adding up".into())? {
        return Err(Failure::new("not every record was added up"));
    }
    let adding_up = began.elapsed();
    let began = Instant::now();
    roller.find_tops().await.step(|| "the top tenants".into())?;
    let tops = began.elapsed();
    say("checking the sums against the records");
    let began = Instant::now();
    let differences = roller.check().await.step(|| "checking".into())?;
    if let Some(first) = differences.into_iter().next() {
        return Err(Failure::new(format!("the sums are not exact: {first}")));
    }
    let checking = began.elapsed();
    diesel::sql_query("ANALYZE rollups")
        .execute(conn)
        .await
        .step(|| "statistics".into())?;
    Ok(Built {
        records: size.records,
        adding_up,
        tops,
        checking,
        bytes: table::sizes(conn).await?,
    })
}

async fn measure(
    rooms: &Rooms,
    place: &Filling,
    question: Question,
    asks: usize,
) -> Outcome<ListRow> {
    let (name, asked) = question;
    let mut row = ListRow::new(name)?;
    for turn in 0..asks.saturating_add(WARM_UP) {
        let asked = asked(place, turn);
        let began = Instant::now();
        let rows = asked.answer(rooms).await?;
        let taken = began.elapsed();
        if turn >= WARM_UP {
            row.add(taken, rows)?;
        }
    }
    Ok(row)
}
