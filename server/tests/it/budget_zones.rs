//! Budgets by days and months of a time zone, on both databases: when they start anew, on days when
//! clocks are changed, after a change of zone, and in rows that servers of earlier days wrote.

use std::time::Duration;

use server::ledger::{
    Budget, BudgetPeriod, BudgetRequest, GrantKind, HoldError, HoldRequest, Ledger, LedgerSettings,
    NewGrant, Spender, StoredSnapshot,
};
use server::store::Store;
use shared::clock::{Clock, Moment};
use shared::credits::Credits;
use shared::id::{ApiKeyId, BootId, GenerationId, TenantId};
use shared::supervisor::Supervisor;
use shared::zone::Zone;

use crate::support::{TestDb, databases, usage_record};

const HOUR: Duration = Duration::from_secs(3_600);

/// A tenant with a key that has a budget of 100 micro-credits.
struct Scene {
    ledger: Ledger,
    clock: Clock,
    tenant: TenantId,
    key: Spender,
    period: BudgetPeriod,
}

fn zone(name: &str) -> Zone {
    Zone::named(name).expect(name)
}

async fn ledger(db: &TestDb, clock: &Clock) -> Ledger {
    let (store, supervisor) = (Store::new(db.db.clone()), Supervisor::new());
    let settings = LedgerSettings::default();
    let ledger = Ledger::start(store, clock.clone(), &supervisor, settings).await;
    ledger.expect("a ledger")
}

impl Scene {
    async fn new(db: &TestDb, period: BudgetPeriod, zone: &Zone, at: Moment) -> Self {
        let clock = Clock::fixed(at);
        let scene = Self {
            ledger: ledger(db, &clock).await,
            clock,
            tenant: TenantId::random(),
            key: Spender::Key(ApiKeyId::random()),
            period,
        };
        let grant = NewGrant {
            tenant: scene.tenant.clone(),
            kind: GrantKind::Manual,
            amount: Credits::from_micros(1_000_000),
            source_key: "a".to_owned(),
            expires_at: None,
            note: String::new(),
        };
        scene.ledger.grant(grant).await.expect("granted");
        scene.set(zone).await;
        scene
    }

    async fn set(&self, zone: &Zone) -> Budget {
        let ask = BudgetRequest {
            tenant: self.tenant.clone(),
            spender: self.key.clone(),
            period: self.period,
            limit: Some(Credits::from_micros(100)),
        };
        let set = self.ledger.set_budget(ask, zone.clone()).await;
        set.expect("set").expect("a budget")
    }

    /// Spends all there is of the budget at a moment; answers how much that was.
    async fn spend(&self, zone: &Zone, at: Moment) -> i64 {
        self.clock.advance(at.since(self.clock.now()));
        let ask = HoldRequest {
            id: GenerationId::random(),
            tenant: self.tenant.clone(),
            amount: Credits::from_micros(100),
            least: Credits::from_micros(1),
            spenders: vec![self.key.clone()],
            zone: zone.clone(),
            owner: BootId::random().into(),
            snapshot: StoredSnapshot::default(),
            deadline_at: at.after(HOUR),
        };
        let held = match self.ledger.hold(ask.clone()).await {
            Ok(held) => held,
            Err(HoldError::Budget { .. }) => return 0,
            Err(error) => panic!("{error}"),
        };
        let usage = usage_record(&ask.id, &self.tenant, held, at);
        self.ledger
            .settle(&ask.id, &self.tenant, held, usage)
            .await
            .expect("settled");
        held.micros()
    }

    async fn budget(&self) -> Budget {
        let budgets = self.ledger.budgets(&self.tenant).await.expect("read");
        budgets.into_iter().next().expect("a budget")
    }
}

/// 2026-03-01T00:00:00Z, the beginning of a day and of a month.
const FIRST: Moment = Moment::from_unix_ms(1_772_323_200_000);
/// 2026-03-28T12:00:00Z.
const NOON: Moment = Moment::from_unix_ms(1_774_699_200_000);

#[tokio::test(flavor = "multi_thread")]
async fn a_days_budget_is_given_once_a_day_of_its_zone_when_clocks_are_changed_too() {
    // Berlin puts its clocks forward on 2026-03-29 (23 hours), back on 2026-10-25 (25 hours).
    for (name, noon, lengths) in [
        ("Europe/Berlin", NOON, [24, 23, 24]),
        (
            "Europe/Berlin",
            Moment::from_unix_ms(1_792_843_200_000),
            [24, 25, 24],
        ),
        (
            "Africa/Cairo",
            Moment::from_unix_ms(1_776_945_600_000),
            [24, 23, 24],
        ),
        ("Asia/Kolkata", NOON, [24, 24, 24]),
        ("Asia/Shanghai", NOON, [24, 24, 24]),
        // Forward on 2026-03-08, back on 2026-11-01.
        (
            "America/New_York",
            Moment::from_unix_ms(1_772_902_800_000),
            [24, 23, 24],
        ),
        (
            "America/New_York",
            Moment::from_unix_ms(1_793_462_400_000),
            [24, 25, 24],
        ),
    ] {
        for db in databases().await {
            let zone = zone(name);
            let scene = Scene::new(&db, BudgetPeriod::Day, &zone, noon).await;
            let mut at = noon;
            for hours in lengths {
                assert_eq!(scene.spend(&zone, at).await, 100, "{name} {}", db.name);
                assert_eq!(scene.spend(&zone, at.after(HOUR)).await, 0, "it is gone");
                let day = scene.budget().await;
                let end = day.period_end.expect("it ends");
                assert_eq!(
                    end.since(day.period_start),
                    HOUR * hours,
                    "{name} {}",
                    db.name
                );
                let last = end.before(Duration::from_millis(1));
                assert_eq!(scene.spend(&zone, last).await, 0, "to the last millisecond");
                at = end;
            }
            assert!(scene.ledger.verify().await.expect("read").is_empty());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_zone_gives_no_budget_twice() {
    for db in databases().await {
        for (period, least) in [
            (BudgetPeriod::Day, HOUR * 23),
            (BudgetPeriod::Month, HOUR * (28 * 24 - 26)),
        ] {
            let names = [
                "UTC",
                "Asia/Shanghai",
                "Pacific/Kiritimati",
                "Etc/GMT+12",
                "America/Los_Angeles",
            ];
            let scene = Scene::new(&db, period, &zone("UTC"), FIRST).await;
            let step = least / 20;
            let (mut at, mut spent, mut last) = (FIRST, 0, None::<Moment>);
            // Somebody changes the zone before each call, and sets the budget anew as well.
            for turn in 0..200_usize {
                let zone = zone(names[turn % names.len()]);
                scene.set(&zone).await;
                let got = scene.spend(&zone, at).await;
                if got > 0 {
                    assert_eq!(got, 100);
                    if let Some(last) = last {
                        assert!(
                            at.since(last) + step * 2 >= least,
                            "{} {period:?} after {:?}",
                            db.name,
                            at.since(last)
                        );
                    }
                    last = Some(at);
                    spent += got;
                }
                at = at.after(step);
            }
            let whole = i64::try_from(step.as_secs() * 200 / least.as_secs()).expect("small");
            assert!(
                (300..=(whole + 1) * 100).contains(&spent),
                "{} {period:?} {spent}",
                db.name
            );
            assert!(scene.ledger.verify().await.expect("read").is_empty());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_period_that_runs_goes_on_to_its_end_after_a_change_of_zone() {
    for db in databases().await {
        let (utc, shanghai) = (Zone::utc(), zone("Asia/Shanghai"));
        let scene = Scene::new(&db, BudgetPeriod::Day, &utc, NOON).await;
        assert_eq!(scene.spend(&utc, NOON).await, 100);
        let midnight = NOON.after(HOUR * 12);
        // In Shanghai the next day has begun at 16:00 UTC.
        assert_eq!(
            scene.spend(&shanghai, midnight.before(HOUR * 7)).await,
            0,
            "{}",
            db.name
        );
        assert_eq!(scene.spend(&shanghai, midnight).await, 100, "{}", db.name);
        let turned = scene.budget().await;
        assert_eq!(turned.period_start, midnight);
        // The rest of that day in Shanghai has 16 hours: it goes on through the next one.
        assert_eq!(turned.period_end, Some(midnight.after(HOUR * 40)));
        assert_eq!(scene.spend(&shanghai, midnight.after(HOUR * 39)).await, 0);
        assert_eq!(scene.spend(&shanghai, midnight.after(HOUR * 40)).await, 100);
        let usual = scene.budget().await;
        assert_eq!(usual.period_end, Some(midnight.after(HOUR * 64)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_earlier_servers_end_with_the_day_of_utc() {
    for db in databases().await {
        let shanghai = zone("Asia/Shanghai");
        let scene = Scene::new(&db, BudgetPeriod::Day, &Zone::utc(), NOON).await;
        assert_eq!(scene.spend(&Zone::utc(), NOON).await, 100);
        drop(scene.ledger);
        // One without the end, and one whose period an earlier server turned without writing it.
        for end in ["NULL", "1"] {
            let row = format!("UPDATE ledger_budgets SET period_end = {end}");
            db.execute(&row).await.expect("written");
            let clock = Clock::fixed(NOON.after(HOUR));
            let later = Scene {
                ledger: ledger(&db, &clock).await,
                clock,
                tenant: scene.tenant.clone(),
                key: scene.key.clone(),
                period: BudgetPeriod::Day,
            };
            let midnight = NOON.after(HOUR * 12);
            assert_eq!(
                later.budget().await.period_end,
                Some(midnight),
                "{} {end}",
                db.name
            );
            assert_eq!(later.spend(&shanghai, NOON.after(HOUR * 11)).await, 0);
            if end == "1" {
                assert_eq!(later.spend(&shanghai, midnight).await, 100);
            }
        }
    }
}
