//! Random interleavings of every operation, repeated ones, jumps of the clock, restarts and a second
//! process, on both databases: each answer and each balance is the reference's after every step,
//! the tables agree with each other, and the same steps give the same entries on both databases.

mod reference;

use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use server::ledger::{
    AdjustError, Adjustment, BudgetPeriod, BudgetRequest, ExtendError, GrantError, GrantKind,
    HoldError, HoldRequest, Ledger, LedgerSettings, NewGrant, SettleError, Spender, StoredSnapshot,
    Unknown,
};
use server::store::Store;
use shared::clock::{Clock, Moment};
use shared::credits::Credits;
use shared::id::{ApiKeyId, GenerationId, TenantId, UserId, random_text};
use shared::supervisor::Supervisor;
use shared::zone::Zone;

use self::reference::{Paper, Refused};
use crate::support::{TestDb, databases, usage_record};

const TENANTS: usize = 2;
const HOLDS: usize = 8;
const SPENDERS: usize = 2;
const PROCESSES: usize = 2;
const START: i64 = 1_800_000_000_000;

#[derive(Debug, Clone)]
enum Step {
    Grant {
        key: u32,
        micros: i64,
        expires_in: Option<i64>,
    },
    Adjust {
        key: u32,
        micros: i64,
        into_debt: bool,
    },
    Budget {
        spender: usize,
        limit: Option<i64>,
    },
    Hold {
        slot: usize,
        a: i64,
        b: i64,
        spenders: usize,
    },
    Extend {
        slot: usize,
        to: i64,
    },
    Settle {
        slot: usize,
        micros: i64,
    },
    Release {
        slot: usize,
    },
    GiveBack {
        slot: usize,
        promised: bool,
    },
    Expire,
    Wait {
        ms: u64,
    },
    Restart,
}

/// A step, whose process takes it, whose tenant it is for, and how often it is asked for.
type Turn = (Step, usize, usize, usize);

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let step = prop_oneof![
        2 => (0_u32..6, 1_i64..1_000, proptest::option::of(1_i64..5_000))
            .prop_map(|(key, micros, expires_in)| Step::Grant { key, micros, expires_in }),
        1 => (0_u32..4, -800_i64..800, any::<bool>())
            .prop_map(|(key, micros, into_debt)| Step::Adjust { key, micros, into_debt }),
        2 => (0..SPENDERS, proptest::option::of(0_i64..900))
            .prop_map(|(spender, limit)| Step::Budget { spender, limit }),
        6 => (0..HOLDS, 0_i64..900, 0_i64..900, 0..4_usize)
            .prop_map(|(slot, a, b, spenders)| Step::Hold { slot, a, b, spenders }),
        2 => (0..HOLDS, 0_i64..1_200).prop_map(|(slot, to)| Step::Extend { slot, to }),
        4 => (0..HOLDS, 0_i64..1_200).prop_map(|(slot, micros)| Step::Settle { slot, micros }),
        2 => (0..HOLDS).prop_map(|slot| Step::Release { slot }),
        3 => (0..HOLDS, any::<bool>()).prop_map(|(slot, promised)| Step::GiveBack { slot, promised }),
        1 => Just(Step::Expire),
        2 => prop_oneof![3 => 0_u64..2_000, 1 => 0_u64..90_000_000].prop_map(|ms| Step::Wait { ms }),
        1 => Just(Step::Restart),
    ];
    let turn = (step, 0..PROCESSES, 0..TENANTS, 1..3_usize);
    prop::collection::vec(turn, 1..50)
}

/// What a trace works with on one database.
struct World<'a> {
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
    async fn new(db: &'a TestDb, trace: &str, grace: Duration) -> World<'a> {
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

    async fn take(&mut self, (step, process, tenant, times): &Turn) {
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

    async fn check(&self, tables: bool) {
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
    async fn entries(&self) -> Vec<String> {
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

#[expect(
    clippy::disallowed_methods,
    reason = "`./test.sh --long` says so by the environment"
)]
fn long() -> bool {
    std::env::var_os("WAULE_TEST_LONG").is_some()
}

/// The short form takes the same traces every time, so that a change is judged by itself; the long
/// one takes other traces each time.
/// Traces on one pair of databases: the check of all tables looks at those of earlier traces again, so a
/// run over thousands of traces on one pair would take as long as their number squared.
const TRACES: u32 = 80;

fn runner() -> TestRunner {
    let config = Config {
        cases: TRACES,
        max_shrink_iters: 2_000,
        failure_persistence: None,
        ..Config::default()
    };
    if long() {
        TestRunner::new(config)
    } else {
        let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        TestRunner::new_with_rng(config, rng)
    }
}

#[test]
fn any_interleaving_gives_the_references_answers_and_the_same_entries_on_both_databases() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let strategy = (turns(), prop_oneof![Just(0_u64), 1_u64..20_000]);
    for _ in 0..if long() { 25 } else { 1 } {
        let databases = runtime.block_on(databases());
        let outcome = runner().run(&strategy, |(turns, grace)| {
            let trace = random_text(8);
            let of = |db| trace_on(db, &trace, &turns, Duration::from_millis(grace));
            let entries: Vec<Vec<String>> = databases
                .iter()
                .map(|db| runtime.block_on(of(db)))
                .collect();
            prop_assert_eq!(&entries[0], &entries[1]);
            Ok(())
        });
        outcome.expect("the ledger is the reference");
    }
}

/// What random traces found: a process whose hold another one closed must not believe its memory.
#[tokio::test(flavor = "multi_thread")]
async fn a_hold_that_another_process_closed_is_closed_here_too() {
    let grant = Step::Grant {
        key: 0,
        micros: 376,
        expires_in: None,
    };
    let hold = Step::Hold {
        slot: 6,
        a: 0,
        b: 1,
        spenders: 0,
    };
    let settle = Step::Settle { slot: 6, micros: 0 };
    let turns = [
        (grant, 0, 1, 1),
        (hold, 0, 1, 1),
        (settle, 1, 1, 1),
        (Step::Release { slot: 6 }, 0, 1, 1),
    ];
    for db in databases().await {
        trace_on(&db, &random_text(8), &turns, Duration::ZERO).await;
    }
}

/// The same for an answer that writes nothing: the refusal of an extension says that the hold is closed,
/// not that the balance is short.
#[tokio::test(flavor = "multi_thread")]
async fn what_another_process_closed_is_not_extended_from_memory() {
    let grant = Step::Grant {
        key: 0,
        micros: 8,
        expires_in: None,
    };
    let hold = Step::Hold {
        slot: 0,
        a: 0,
        b: 0,
        spenders: 0,
    };
    let give_back = Step::GiveBack {
        slot: 0,
        promised: false,
    };
    for to in [0, 9] {
        let turns = [
            (grant.clone(), 0, 1, 1),
            (hold.clone(), 0, 1, 1),
            (give_back.clone(), 1, 1, 1),
            (Step::Extend { slot: 0, to }, 0, 1, 1),
        ];
        for db in databases().await {
            trace_on(&db, &random_text(8), &turns, Duration::ZERO).await;
        }
    }
}

/// A call that is free is held and closed though its tenant was never given credits.
#[tokio::test(flavor = "multi_thread")]
async fn a_hold_of_nothing_needs_no_credits_and_no_account() {
    let hold = Step::Hold {
        slot: 4,
        a: 0,
        b: 0,
        spenders: 0,
    };
    let ends = [
        Step::Release { slot: 4 },
        Step::Settle { slot: 4, micros: 0 },
        Step::Settle { slot: 4, micros: 5 },
        Step::GiveBack {
            slot: 4,
            promised: false,
        },
    ];
    for db in databases().await {
        for (end, closer) in ends.iter().flat_map(|end| [(end, 0), (end, 1)]) {
            let turns = [(hold.clone(), 0, 1, 1), (end.clone(), closer, 1, 1)];
            trace_on(&db, &random_text(8), &turns, Duration::ZERO).await;
        }
    }
}

async fn trace_on(db: &TestDb, trace: &str, turns: &[Turn], grace: Duration) -> Vec<String> {
    let mut world = World::new(db, trace, grace).await;
    for (place, turn) in turns.iter().enumerate() {
        world.take(turn).await;
        world.check(place % 16 == 15).await;
    }
    world.check(true).await;
    world.entries().await
}
