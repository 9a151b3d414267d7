//! throwaway
use std::time::{Duration, Instant};
use server::ledger::*;
use server::store::{Store, MIGRATIONS};
use shared::clock::Clock; use shared::credits::Credits; use shared::db::{Db, DbTarget, migrate};
use shared::id::*; use shared::supervisor::Supervisor;
use server::store::usage::*; use shared::link::Operation; use shared::usage::Usage;
#[tokio::main]
async fn main() {
    let arg = std::env::args().nth(1).unwrap();
    let callers: usize = std::env::args().nth(2).unwrap().parse().unwrap();
    let target = if arg.starts_with("postgres") { DbTarget::Postgres(arg) } else { DbTarget::Sqlite(arg.into()) };
    let db = Db::connect(&target).await.unwrap();
    migrate::run(&db, MIGRATIONS).await.unwrap();
    let clock = Clock::system();
    let sup = Supervisor::new();
    let ledger = Ledger::start(Store::new(db), clock.clone(), &sup);
    let tenant = TenantId::random();
    ledger.grant(NewGrant { tenant: tenant.clone(), kind: GrantKind::Manual, amount: Credits::from_credits(1000000).unwrap(), source_key: "a".into(), expires_at: None, note: String::new() }).await.unwrap();
    let boot = BootId::random();
    let end = Instant::now() + Duration::from_secs(5);
    let mut set = tokio::task::JoinSet::new();
    let call = "x".repeat(200);
    for _ in 0..callers {
        let (l, t, c, b, call) = (ledger.clone(), tenant.clone(), clock.clone(), boot.clone(), call.clone());
        set.spawn(async move {
            let mut n = 0u64; let mut worst = Duration::ZERO;
            while Instant::now() < end {
                let s = Instant::now();
                let id = GenerationId::random();
                let held = l.hold(HoldAsk { id: id.clone(), tenant: t.clone(), amount: Credits::from_micros(1000), least: Credits::from_micros(10), owner: b.clone(), call: call.clone(), deadline_at: c.now().after(Duration::from_secs(600)) }).await.unwrap();
                worst = worst.max(s.elapsed());
                let u = UsageRecord { id: id.clone(), tenant: t.clone(), user: None, key: None, test: false, operation: Operation::Chat, model: "mock-chat".into(), price: None, provider: "mock".into(), provider_model: "mock-chat".into(), usage: Usage::default(), credits: Credits::from_micros(100), cost: Credits::ZERO, status: UsageStatus::Succeeded, fault: None, attempts: 1, first_byte_ms: 1, duration_ms: 1, created_at: c.now() };
                let _ = held;
                l.settle(&id, &t, Credits::from_micros(100), u).await.unwrap();
                n += 1;
            }
            (n, worst)
        });
    }
    let r = set.join_all().await;
    let n: u64 = r.iter().map(|x| x.0).sum();
    println!("{} pairs/s, worst hold {:?}, ok {}", n / 5, r.iter().map(|x| x.1).max().unwrap(), ledger.account_matches_entries(&tenant).await.unwrap());
}
