//! One run: tenants with credits, pairs of hold and settle for a while, and the proof that the sums
//! agree.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use diesel::connection::{Instrumentation, InstrumentationEvent};
use hdrhistogram::Histogram;
use server::ledger::{GrantKind, HoldRequest, Ledger, LedgerSettings, NewGrant};
use server::reports::rollup::Roller;
use server::store::Store;
use server::store::usage::{UsageRecord, UsageStatus};
use shared::clock::Clock;
use shared::credits::Credits;
use shared::db::Db;
use shared::id::{ApiKeyId, GenerationId, TenantId};
use shared::link::Operation;
use shared::supervisor::Supervisor;
use shared::units::{Unit, Usage};
use shared::zone::Zone;
use tokio::task::JoinSet;

use super::{Case, GIVEN, HELD, LedgerArgs, NAIVE_WRITERS, USED};
use crate::failure::{Failure, Outcome, Step};

/// What a run of a case brought.
#[derive(Debug)]
pub(in super::super) struct Run {
    pub(in super::super) per_second: f64,
    /// From the last settlement until every record is filed.
    pub(in super::super) behind_ms: f64,
    pub(in super::super) p50_ms: f64,
    pub(in super::super) p99_ms: f64,
    /// Operations that shared a transaction, on average.
    pub(in super::super) batch: f64,
    /// Statements sent to the database for a pair, BEGIN and COMMIT included.
    pub(in super::super) statements: f64,
}

/// Statements of all connections so far.
static STATEMENTS: AtomicU64 = AtomicU64::new(0);

pub(super) struct Count;

impl Instrumentation for Count {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        if matches!(event, InstrumentationEvent::StartQuery { .. }) {
            STATEMENTS.fetch_add(1, Ordering::Relaxed);
        }
    }
}

pub(super) async fn one(db: &Db, case: Case, args: &LedgerArgs) -> Outcome<Run> {
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
pub(super) async fn exact(db: &Db) -> Outcome<()> {
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
