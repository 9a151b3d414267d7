//! Speed of the ledger alone: pairs of hold and settle a second, with group commit and without, one
//! hot tenant and many, on both databases with full durability. Speaks no HTTP.

mod fill;
mod flat;
mod table;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};
use hdrhistogram::Histogram;
use server::ledger::{GrantKind, HoldRequest, Ledger, LedgerSettings, NewGrant};
use server::reports::rollup::Roller;
use server::store::usage::{UsageRecord, UsageStatus};
use server::store::{MIGRATIONS, Store};
use shared::clock::Clock;
use shared::credits::Credits;
use shared::db::{Db, DbTarget, migrate};
use shared::id::{ApiKeyId, GenerationId, TenantId};
use shared::link::Operation;
use shared::supervisor::Supervisor;
use shared::units::{Unit, Usage};
use shared::zone::Zone;
use tokio::task::JoinSet;

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
    let postgres = services::start_postgres(&mut stage).await?;
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

/// What a run of a case brought.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) per_second: f64,
    /// From the last settlement until every record is filed.
    pub(super) behind_ms: f64,
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
    /// Operations that shared a transaction, on average.
    pub(super) batch: f64,
    /// Statements sent to the database for a pair, BEGIN and COMMIT included.
    pub(super) statements: f64,
}

/// Statements of all connections so far.
static STATEMENTS: AtomicU64 = AtomicU64::new(0);

struct Count;

impl Instrumentation for Count {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        if matches!(event, InstrumentationEvent::StartQuery { .. }) {
            STATEMENTS.fetch_add(1, Ordering::Relaxed);
        }
    }
}

async fn one(db: &Db, case: Case, args: &LedgerArgs) -> Outcome<Run> {
    let supervisor = Supervisor::new();
    let writers = if case.grouped { 1 } else { NAIVE_WRITERS };
    // SQLite has one writer, whatever is tried.
    let writers = if matches!(db, Db::Sqlite { .. }) {
        1
    } else {
        writers
    };
    let store = Store::new(db.clone());
    // As in a server: what settlements leave is filed meanwhile, on the same machine.
    let mut filing = JoinSet::new();
    let roller = Roller::new(store.clone(), Clock::system());
    filing.spawn(roller.run_forever(supervisor.stopping()));
    let mut ledgers = Vec::new();
    for _ in 0..writers {
        let settings = LedgerSettings {
            batch_max: if case.grouped {
                LedgerSettings::BATCH_MAX
            } else {
                1
            },
            ..LedgerSettings::default()
        };
        let ledger = Ledger::start(store.clone(), Clock::system(), &supervisor, settings).await;
        ledgers.push(ledger.step(|| "the ledger".into())?);
    }
    let tenants = Arc::new(tenants(&ledgers[0], case).await?);
    let batches = ledgers[0].commits();
    let statements = STATEMENTS.load(Ordering::Relaxed);
    let end = Instant::now() + Duration::from_secs(args.seconds.max(1));
    let mut callers = JoinSet::new();
    for caller in 0..args.callers {
        let (ledger, tenants) = (ledgers[caller % writers].clone(), tenants.clone());
        callers.spawn(pairs(ledger, tenants, caller, end));
    }
    let began = Instant::now();
    let mut all = Histogram::<u64>::new(3).step(|| "a histogram".into())?;
    while let Some(done) = callers.join_next().await {
        all.add(done.step(|| "a caller".into())??)
            .step(|| "a histogram".into())?;
    }
    let seconds = began.elapsed().as_secs_f64();
    let commits = ledgers[0].commits().saturating_sub(batches).max(1);
    let statements = STATEMENTS
        .load(Ordering::Relaxed)
        .saturating_sub(statements);
    let ended = Instant::now();
    while store.usage_waits().await.step(|| "filing".into())? {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let behind_ms = ended.elapsed().as_secs_f64() * 1_000.0;
    supervisor.stop();
    while let Some(ended) = filing.join_next().await {
        ended.step(|| "filing".into())?;
    }
    let ms = |quantile: f64| all.value_at_quantile(quantile) as f64 / 1_000.0;
    Ok(Run {
        per_second: all.len() as f64 / seconds,
        behind_ms,
        p50_ms: ms(0.5),
        p99_ms: ms(0.99),
        statements: statements as f64 / all.len().max(1) as f64,
        batch: all.len() as f64 * 2.0 / writers as f64 / commits as f64,
    })
}

/// Ends the run when the ledger's tables do not agree.
async fn exact(db: &Db) -> Outcome<()> {
    let (supervisor, store) = (Supervisor::new(), Store::new(db.clone()));
    let settings = LedgerSettings::default();
    let ledger = Ledger::start(store, Clock::system(), &supervisor, settings).await;
    let ledger = ledger.step(|| "the ledger".into())?;
    let differences = ledger.verify().await.step(|| "verify".into())?;
    match differences.first() {
        None => Ok(()),
        Some(first) => Err(Failure::new(format!("the ledger is not exact: {first}"))),
    }
}

async fn tenants(ledger: &Ledger, case: Case) -> Outcome<Vec<TenantId>> {
    let mut granting = JoinSet::new();
    let tenants: Vec<TenantId> = (0..case.tenants).map(|_| TenantId::random()).collect();
    for tenant in &tenants {
        let (ledger, tenant) = (ledger.clone(), tenant.clone());
        let new = NewGrant {
            tenant,
            kind: GrantKind::Purchase,
            amount: GIVEN,
            source_key: "bench".to_owned(),
            expires_at: None,
            note: String::new(),
        };
        granting.spawn(async move { ledger.grant(new).await });
        if granting.len() >= 512 {
            granted(&mut granting).await?;
        }
    }
    while !granting.is_empty() {
        granted(&mut granting).await?;
    }
    Ok(tenants)
}

async fn granted<T: 'static, E: std::fmt::Display + 'static>(
    granting: &mut JoinSet<Result<T, E>>,
) -> Outcome<()> {
    if let Some(done) = granting.join_next().await {
        done.step(|| "a grant".into())?.step(|| "a grant".into())?;
    }
    Ok(())
}

/// One caller: pair after pair, each timed from before its hold to after its settlement, in
/// microseconds.
async fn pairs(
    ledger: Ledger,
    tenants: Arc<Vec<TenantId>>,
    caller: usize,
    end: Instant,
) -> Outcome<Histogram<u64>> {
    let mut taken = Histogram::<u64>::new(3).step(|| "a histogram".into())?;
    let mut turn = caller;
    let (key, clock) = (ApiKeyId::random(), Clock::system());
    while Instant::now() < end {
        let tenant = &tenants[turn % tenants.len()];
        // A prime step, so that callers do not walk side by side.
        turn += 7_919;
        let began = Instant::now();
        let ask = HoldRequest {
            id: GenerationId::random(),
            tenant: tenant.clone(),
            amount: HELD,
            least: HELD,
            spenders: Vec::new(),
            zone: Zone::utc(),
            owner: ledger.boot().clone().into(),
            snapshot: KEPT.to_owned().into(),
            deadline_at: clock.now().after(Duration::from_secs(600)),
        };
        let (id, now) = (ask.id.clone(), clock.now());
        ledger.hold(ask).await.step(|| "a hold".into())?;
        let usage = usage(id.clone(), tenant, &key, now);
        let settled = ledger.settle(&id, tenant, USED, usage).await;
        settled.step(|| "a settlement".into())?;
        let micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        taken.record(micros).step(|| "a histogram".into())?;
    }
    Ok(taken)
}

/// As large as what a real call keeps for recovery.
const KEPT: &str = "{\"user\":null,\"key\":\"key_0mwpsoeml7u8aucltxa41zaa9p2\",\"operation\":\"chat\",\
     \"model\":\"sandbox-chat\",\"price\":\"prc_0mwpsoh8asii34ylpr1rgp2ylzz\",\"multiplier_ppm\":1000000,\
     \"image\":null,\"provider\":\"sandbox\"}";

fn usage(
    id: GenerationId,
    tenant: &TenantId,
    key: &ApiKeyId,
    now: shared::clock::Moment,
) -> UsageRecord {
    UsageRecord {
        id,
        tenant: tenant.clone(),
        user: None,
        key: Some(key.clone()),
        test: false,
        operation: Operation::Chat,
        model: "sandbox-chat".to_owned(),
        price: None,
        provider: "sandbox".to_owned(),
        provider_model: "sandbox-chat".to_owned(),
        usage: Usage::of([(Unit::InputToken, 420), (Unit::OutputToken, 160)]),
        credits: USED,
        cost: Some(Credits::from_micros(350)),
        status: UsageStatus::Succeeded,
        fault: None,
        attempts: 1,
        first_byte_ms: 300,
        duration_ms: 2_400,
        created_at: now,
        tries: Vec::new(),
        loss: Credits::ZERO,
        loss_why: None,
    }
}
