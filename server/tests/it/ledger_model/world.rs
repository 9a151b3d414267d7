//! Both sides of the comparison: servers on one database, and the same on paper.

use std::time::Duration;

use server::ledger::{
    AdjustError, Adjustment, BudgetPeriod, BudgetRequest, ExtendError, GrantError, GrantKind,
    HoldError, HoldRequest, Ledger, LedgerSettings, NewGrant, SettleError, Spender, StoredSnapshot,
    Unknown,
};
use server::store::Store;
use shared::clock::{Clock, Moment};
use shared::credits::Credits;
use shared::id::{ApiKeyId, GenerationId, TenantId, UserId};
use shared::supervisor::Supervisor;
use shared::zone::Zone;

use super::reference::{Paper, Refused};
use super::steps::{Step, Turn};
use super::{PROCESSES, SPENDERS, START, TENANTS};
use crate::support::{TestDb, usage_record};

/// What a trace works with on one database.
pub(super) struct World<'a> {
    db: &'a TestDb,
    clock: Clock,
    supervisor: Supervisor,
    processes: Vec<Ledger>,
    tenants: Vec<TenantId>,
    spenders: Vec<Vec<Spender>>,
    papers: Vec<Paper>,
    /// Makes ids of this trace its own.
    trace: String,
    grace: Duration,
}

async fn start(db: &TestDb, clock: &Clock, supervisor: &Supervisor, grace: Duration) -> Ledger {
    let settings = LedgerSettings {
        grace,
        ..LedgerSettings::default()
    };
    let store = Store::new(db.db.clone());
    let ledger = Ledger::start(store, clock.clone(), supervisor, settings).await;
    ledger.expect("a ledger")
}

impl<'a> World<'a> {
    pub(super) async fn new(db: &'a TestDb, trace: &str, grace: Duration) -> World<'a> {
        let (clock, supervisor) = (Clock::fixed(Moment::from_unix_ms(START)), Supervisor::new());
        let mut processes = Vec::new();
        for _ in 0..PROCESSES {
            processes.push(start(db, &clock, &supervisor, grace).await);
        }
        let grace_ms = i64::try_from(grace.as_millis()).expect("small");
        World {
            db,
            clock,
            supervisor,
            processes,
            tenants: (0..TENANTS).map(|_| TenantId::random()).collect(),
            spenders: (0..TENANTS)
                .map(|_| {
                    vec![
                        Spender::Key(ApiKeyId::random()),
                        Spender::User(UserId::random()),
                    ]
                })
                .collect(),
            papers: (0..TENANTS).map(|_| Paper::new(grace_ms)).collect(),
            trace: trace.to_owned(),
            grace,
        }
    }

    fn id(&self, tenant: usize, slot: usize) -> GenerationId {
        GenerationId::from_stored(format!("gen_{}_{tenant}_{slot}", self.trace))
    }

    fn now(&self) -> i64 {
        self.clock.now().unix_ms()
    }

    pub(super) async fn take(&mut self, (step, process, tenant, times): &Turn) {
        for _ in 0..*times {
            self.once(step, *process, *tenant).await;
        }
    }

    async fn once(&mut self, step: &Step, process: usize, tenant: usize) {
        let (now, whose) = (self.now(), self.tenants[tenant].clone());
        let ledger = self.processes[process].clone();
        match step {
            Step::Grant {
                key,
                micros,
                expires_in,
            } => {
                // Distinct moments: which of two lots that expire together pays is nobody's business.
                let expires = expires_in.map(|ms| START + ms * 7 + i64::from(*key));
                let expected = self.papers[tenant].grant(*key, *micros, expires);
                let new = NewGrant {
                    tenant: whose,
                    kind: GrantKind::Gift,
                    amount: Credits::from_micros(*micros),
                    source_key: key.to_string(),
                    expires_at: expires.map(Moment::from_unix_ms),
                    note: String::new(),
                };
                let answer = match ledger.grant(new).await {
                    Ok(grant) => grant.granted.micros() == *micros,
                    Err(GrantError::Conflict) => false,
                    Err(error) => panic!("{error}"),
                };
                assert_eq!(answer, expected, "{step:?}");
            }
            Step::Adjust {
                key,
                micros,
                into_debt,
            } => {
                self.adjust(ledger, tenant, *key, *micros, *into_debt).await;
            }
            Step::Budget { spender, limit } => {
                self.papers[tenant].set_budget(*spender, *limit, now);
                let ask = BudgetRequest {
                    tenant: whose,
                    spender: self.spenders[tenant][*spender].clone(),
                    period: BudgetPeriod::Day,
                    limit: limit.map(Credits::from_micros),
                };
                let set = ledger.set_budget(ask, Zone::utc()).await.expect("set");
                assert_eq!(set.map(|b| b.limit.micros()), *limit);
            }
            Step::Hold {
                slot,
                a,
                b,
                spenders,
            } => {
                self.hold(ledger, tenant, *slot, (*a.max(b), *a.min(b)), *spenders)
                    .await;
            }
            Step::Extend { slot, to } => {
                let expected = self.papers[tenant].extend(*slot, *to, now);
                let answer = ledger
                    .extend(&self.id(tenant, *slot), &whose, Credits::from_micros(*to))
                    .await;
                let answer = answer.map(Credits::micros).map_err(|error| match error {
                    ExtendError::NoSuchHold => Refused::NoSuchHold,
                    ExtendError::Closed => Refused::Closed,
                    ExtendError::Insufficient { available, .. } => Refused::Balance {
                        available: available.micros(),
                    },
                    ExtendError::Ledger(error) => panic!("{error}"),
                });
                assert_eq!(answer, expected, "{step:?}");
            }
            Step::Settle { slot, micros } => self.close(ledger, tenant, *slot, Some(*micros)).await,
            Step::Release { slot } => self.close(ledger, tenant, *slot, None).await,
            Step::GiveBack { slot, promised } => {
                self.give_back(ledger, tenant, *slot, *promised).await;
            }
            Step::Expire => {
                let expected = self.papers[tenant].expire(now);
                let lapsed = ledger.expire(&whose).await.expect("swept");
                assert_eq!(lapsed.micros(), expected);
            }
            Step::Wait { ms } => self.clock.advance(Duration::from_millis(*ms)),
            Step::Restart => {
                let fresh = start(self.db, &self.clock, &self.supervisor, self.grace).await;
                self.processes[process] = fresh;
            }
        }
    }

    async fn adjust(
        &mut self,
        ledger: Ledger,
        tenant: usize,
        key: u32,
        micros: i64,
        into_debt: bool,
    ) {
        let wish = Adjustment {
            tenant: self.tenants[tenant].clone(),
            amount: Credits::from_micros(micros),
            source_key: key.to_string(),
            into_debt,
            operator: "admin".to_owned(),
            reason: "a test".to_owned(),
        };
        let answer = ledger.adjust(wish).await;
        if micros == 0 {
            assert!(matches!(answer, Err(AdjustError::Amount)));
            return;
        }
        let now = self.now();
        let expected = self.papers[tenant].adjust(key, micros, into_debt, now);
        let answer = answer.map(drop).map_err(|error| match error {
            AdjustError::Conflict => Refused::Conflict,
            AdjustError::Insufficient { available } => Refused::Balance {
                available: available.micros(),
            },
            error @ (AdjustError::Amount | AdjustError::Ledger(_)) => panic!("{error}"),
        });
        assert_eq!(answer, expected);
    }

    async fn hold(
        &mut self,
        ledger: Ledger,
        tenant: usize,
        slot: usize,
        asked: (i64, i64),
        spenders: usize,
    ) {
        let now = self.now();
        let spenders: Vec<usize> = (0..SPENDERS).filter(|n| spenders & (1 << n) != 0).collect();
        let expected = self.papers[tenant].hold(slot, asked, &spenders, now);
        let ask = HoldRequest {
            id: self.id(tenant, slot),
            tenant: self.tenants[tenant].clone(),
            amount: Credits::from_micros(asked.0),
            least: Credits::from_micros(asked.1),
            spenders: spenders
                .iter()
                .map(|n| self.spenders[tenant][*n].clone())
                .collect(),
            zone: Zone::utc(),
            owner: ledger.boot().clone().into(),
            snapshot: StoredSnapshot::default(),
            deadline_at: self.clock.now().after(Duration::from_secs(60)),
        };
        let answer = ledger.hold(ask).await;
        let answer = answer.map(Credits::micros).map_err(|error| match error {
            HoldError::Insufficient { available, .. } => Refused::Balance {
                available: available.micros(),
            },
            HoldError::Budget { left, .. } => Refused::Budget {
                left: left.micros(),
            },
            HoldError::Conflict => Refused::Conflict,
            HoldError::Ledger(error) => panic!("{error}"),
        });
        assert_eq!(answer, expected, "hold {slot} of {asked:?}");
    }

    async fn close(&mut self, ledger: Ledger, tenant: usize, slot: usize, used: Option<i64>) {
        let (now, id, whose) = (
            self.now(),
            self.id(tenant, slot),
            self.tenants[tenant].clone(),
        );
        let expected = self.papers[tenant].close(slot, used, now);
        let answer = match used {
            Some(micros) => {
                let used = Credits::from_micros(micros);
                let usage = usage_record(&id, &whose, used, self.clock.now());
                ledger.settle(&id, &whose, used, usage).await
            }
            None => ledger.release(&id, &whose, None).await,
        };
        let answer = answer.map(|s| (s.charged.micros(), s.shortfall.micros()));
        let answer = answer.map_err(|error| match error {
            SettleError::NoSuchHold => Refused::NoSuchHold,
            SettleError::Closed => Refused::Closed,
            SettleError::Ledger(error) => panic!("{error}"),
        });
        assert_eq!(answer, expected, "closing {slot} with {used:?}");
    }

    async fn give_back(&mut self, ledger: Ledger, tenant: usize, slot: usize, promised: bool) {
        let (now, id) = (self.now(), self.id(tenant, slot));
        let whose = self.tenants[tenant].clone();
        let expected = self.papers[tenant].give_back(slot, promised, now);
        let unknown = Unknown {
            ask_until: self.clock.now().after(Duration::from_secs(60)),
            promised,
        };
        let usage = usage_record(&id, &whose, Credits::ZERO, self.clock.now());
        let answer = ledger.give_back(&id, &whose, unknown, usage).await;
        let answer = answer.map_err(|error| match error {
            SettleError::NoSuchHold => Refused::NoSuchHold,
            SettleError::Closed => Refused::Closed,
            SettleError::Ledger(error) => panic!("{error}"),
        });
        assert_eq!(answer, expected, "giving {slot} back");
    }

    pub(super) async fn check(&self, tables: bool) {
        for (place, (tenant, paper)) in self.tenants.iter().zip(&self.papers).enumerate() {
            paper.check();
            let balance = self.processes[0].balance(tenant).await.expect("read");
            assert_eq!(balance, paper.balance(self.now()), "{}", self.db.name);
            let (day, _) = BudgetPeriod::Day.span(self.clock.now(), &Zone::utc());
            let budgets = self.processes[0].budgets(tenant).await.expect("read");
            let budgets = budgets.into_iter().map(|budget| {
                // What is of another day does not count; the row is turned when it is used.
                let counts = i64::from(budget.period_start == day);
                let spender = self.spenders[place]
                    .iter()
                    .position(|s| *s == budget.spender);
                (
                    spender.expect("one of ours"),
                    budget.limit.micros(),
                    budget.spent.micros() * counts,
                    budget.held.micros() * counts,
                )
            });
            let mut budgets: Vec<_> = budgets.collect();
            budgets.sort_unstable();
            assert_eq!(budgets, paper.budgets(self.now()), "{}", self.db.name);
        }
        if tables {
            let differences = self.processes[0].verify().await.expect("read");
            assert!(differences.is_empty(), "{}: {differences:#?}", self.db.name);
        }
    }

    /// All entries, without the ids that are made at random.
    pub(super) async fn entries(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for tenant in &self.tenants {
            let entries = self.processes[1].history(tenant, None, 10_000).await;
            for mut entry in entries.expect("read") {
                if !entry.reference.starts_with("gen_") {
                    entry.reference.truncate(4);
                }
                lines.push(format!("{entry:?}"));
            }
        }
        lines
    }
}
