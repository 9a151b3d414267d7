//! The rules against a simple reference: any sequence of operations keeps the invariants.

use proptest::prelude::*;
use shared::clock::Moment;
use shared::credits::Credits;
use shared::id::{ApiKeyId, BootId, GenerationId, TenantId};
use shared::zone::Zone;

use super::rules::{Books, EntryKind};
use super::{
    AdjustError, Adjustment, BudgetPeriod, BudgetRequest, ExtendError, GrantKind, HoldError,
    HoldRequest, Loss, NewGrant, SettleError, Spender, StoredSnapshot, Unknown,
};

const HOLDS: usize = 6;

#[derive(Debug, Clone)]
enum Step {
    Grant {
        micros: i64,
        expires_in: Option<u16>,
    },
    Hold {
        slot: usize,
        micros: i64,
        least: i64,
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
    Wait {
        ms: u16,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (1_i64..1_000, proptest::option::of(1_u16..500))
            .prop_map(|(micros, expires_in)| Step::Grant { micros, expires_in }),
        (0..HOLDS, 0_i64..1_500, 0_i64..1_500).prop_map(|(slot, a, b)| Step::Hold {
            slot,
            micros: a.max(b),
            least: a.min(b)
        }),
        (0..HOLDS, 0_i64..2_000).prop_map(|(slot, micros)| Step::Settle { slot, micros }),
        (0..HOLDS).prop_map(|slot| Step::Release { slot }),
        (0..HOLDS, any::<bool>()).prop_map(|(slot, promised)| Step::GiveBack { slot, promised }),
        (0_u16..300).prop_map(|ms| Step::Wait { ms }),
    ];
    prop::collection::vec(step, 1..80)
}

fn request(id: &GenerationId, tenant: &TenantId, micros: i64, least: i64) -> HoldRequest {
    HoldRequest {
        id: id.clone(),
        tenant: tenant.clone(),
        amount: Credits::from_micros(micros),
        least: Credits::from_micros(least),
        spenders: Vec::new(),
        zone: Zone::utc(),
        owner: BootId::from_stored("boot_test".to_owned()).into(),
        snapshot: StoredSnapshot::default(),
        deadline_at: Moment::from_unix_ms(i64::MAX),
    }
}

fn check(books: &Books, tenant: &TenantId) {
    let Some(account) = books.accounts.get(tenant) else {
        return;
    };
    let t = account.totals;
    let remaining: i64 = account.grants.iter().map(|g| g.remaining.micros()).sum();
    assert_eq!(t.grants, remaining, "grants are what remains in them");
    let open = account.holds.values();
    let held: i64 = open.clone().map(|b| b.hold.held.micros()).sum();
    assert_eq!(t.held, held, "held is the sum of open holds");
    for book in open {
        let parts: i64 = book.allocations.iter().map(|a| a.micros).sum();
        assert_eq!(
            parts,
            book.hold.held.micros(),
            "a hold is the sum of its parts"
        );
    }
    let settled: i64 = books.closed.values().map(|h| h.settled.micros()).sum();
    assert_eq!(t.revenue, settled, "revenue is what was settled");
    let folded: i64 = books.changes.entries.iter().map(|e| e.deltas.grants).sum();
    assert_eq!(t.grants, folded, "the account is the fold of its entries");
    for entry in &books.changes.entries {
        let d = entry.deltas;
        let sum =
            d.grants + d.held + d.revenue + d.breakage + d.refund + d.debt + d.loss + d.issuance;
        assert_eq!(sum, 0, "an entry sums to zero");
    }
    let numbers: Vec<i64> = books.changes.entries.iter().map(|e| e.number).collect();
    assert_eq!(
        numbers,
        (1..=t.entries).collect::<Vec<_>>(),
        "entries are numbered without gaps"
    );
}

/// A hold of a new id takes what there is, or is refused because that is too little.
fn hold_step(books: &mut Books, request: &HoldRequest, now: Moment) {
    let known = books.fresh.contains_key(&request.id);
    let account = books.accounts.get(&request.tenant);
    let available = account.map_or(0, |a| a.available(now));
    let answer = books.hold(request, now);
    if known {
        return;
    }
    match answer {
        Ok(held) => assert_eq!(held.micros(), available.min(request.amount.micros())),
        Err(HoldError::Insufficient { .. }) => assert!(available < request.least.micros()),
        Err(other) => panic!("{other}"),
    }
}

/// A settlement charges at most what was held, keeps promises and answers the same again.
fn settle_step(books: &mut Books, tenant: &TenantId, id: &GenerationId, micros: i64, now: Moment) {
    let open = books.is_open(tenant, id);
    let unknown = books.closed.get(id).and_then(|hold| hold.unknown);
    let open = open || unknown.is_some();
    let used = Credits::from_micros(micros);
    let available = books.accounts.get(tenant).map_or(0, |a| a.available(now));
    let answer = books.settle(id, tenant, used, now);
    assert!(
        !(open && answer.is_err()),
        "an open hold, and one of an unknown end, can always be settled"
    );
    if let Ok(settlement) = &answer {
        let held = books.closed[id].held.micros();
        let (charged, short) = (settlement.charged.micros(), settlement.shortfall.micros());
        assert!(charged <= held, "nobody pays more than was held");
        assert_eq!(charged + short, micros, "the rest is told");
        if unknown.is_some() {
            assert!(charged <= available, "and nobody pays what is not there");
        }
    }
    let promised = unknown.is_some_and(|unknown| unknown.promised);
    if promised {
        let charged = answer.as_ref().map_or(0, |s| s.charged.micros());
        assert_eq!(charged, 0, "a promise is kept");
    }
    if open && !promised {
        let entries = books.changes.entries.len();
        let again = books
            .settle(id, tenant, used, now)
            .expect("the same answer");
        let answer = answer.expect("settled");
        assert_eq!(again.charged, answer.charged);
        assert_eq!(again.shortfall, answer.shortfall);
        assert!(matches!(
            books.release(id, tenant, None, now),
            Err(SettleError::Closed)
        ));
        assert_eq!(
            books.changes.entries.len(),
            entries,
            "a repeated settlement changes nothing"
        );
    }
}

fn take(
    books: &mut Books,
    step: &Step,
    tenant: &TenantId,
    ids: &[GenerationId],
    now: &mut Moment,
    grants: &mut u32,
) {
    match step {
        Step::Grant { micros, expires_in } => {
            *grants += 1;
            let expires_at =
                expires_in.map(|ms| now.after(std::time::Duration::from_millis(ms.into())));
            let new = NewGrant {
                tenant: tenant.clone(),
                kind: GrantKind::Manual,
                amount: Credits::from_micros(*micros),
                source_key: format!("g{grants}"),
                expires_at,
                note: String::new(),
            };
            let first = books.grant(&new, *now).expect("a new key");
            let entries = books.changes.entries.len();
            assert_eq!(books.grant(&new, *now).expect("the same").id, first.id);
            assert_eq!(
                books.changes.entries.len(),
                entries,
                "a repeated grant changes nothing"
            );
        }
        Step::Hold {
            slot,
            micros,
            least,
        } => hold_step(books, &request(&ids[*slot], tenant, *micros, *least), *now),
        Step::Settle { slot, micros } => settle_step(books, tenant, &ids[*slot], *micros, *now),
        Step::Release { slot } => {
            let open = books.is_open(tenant, &ids[*slot]);
            let answer = books.release(&ids[*slot], tenant, None, *now);
            assert!(
                !(open && answer.is_err()),
                "an open hold can always be released"
            );
        }
        Step::GiveBack { slot, promised } => {
            let open = books.is_open(tenant, &ids[*slot]);
            let unknown = Unknown {
                ask_until: now.after(std::time::Duration::from_secs(60)),
                promised: *promised,
            };
            let answer = books.release(&ids[*slot], tenant, Some(unknown), *now);
            assert!(
                !(open && answer.is_err()),
                "an open hold can always be given back"
            );
            if open {
                assert!(books.is_unknown(tenant, &ids[*slot]));
            }
        }
        Step::Wait { ms } => *now = now.after(std::time::Duration::from_millis((*ms).into())),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_sequence_of_operations_keeps_the_books_exact(steps in steps()) {
        let tenant = TenantId::from_stored("ten_a".to_owned());
        let ids: Vec<GenerationId> = (0..HOLDS).map(|n| GenerationId::from_stored(format!("gen_{n}"))).collect();
        let (mut books, mut now, mut grants) = (Books::default(), Moment::from_unix_ms(1_000), 0);
        for step in &steps {
            take(&mut books, step, &tenant, &ids, &mut now, &mut grants);
            check(&books, &tenant);
        }
    }
}

fn books_with(grants: &[(i64, Option<i64>)]) -> (Books, TenantId) {
    let (mut books, tenant) = (Books::default(), TenantId::from_stored("ten_a".to_owned()));
    for (index, (micros, expires_ms)) in grants.iter().enumerate() {
        let new = NewGrant {
            tenant: tenant.clone(),
            kind: GrantKind::Gift,
            amount: Credits::from_micros(*micros),
            source_key: index.to_string(),
            expires_at: expires_ms.map(Moment::from_unix_ms),
            note: String::new(),
        };
        books.grant(&new, Moment::from_unix_ms(0)).expect("granted");
    }
    (books, tenant)
}

#[test]
fn the_grant_that_expires_first_pays_first() {
    let (mut books, tenant) = books_with(&[(100, None), (100, Some(2_000)), (100, Some(1_000))]);
    let id = GenerationId::from_stored("gen_1".to_owned());
    books
        .hold(&request(&id, &tenant, 150, 150), Moment::from_unix_ms(10))
        .expect("covered");
    let left: Vec<i64> = books.accounts[&tenant]
        .grants
        .iter()
        .map(|g| g.remaining.micros())
        .collect();
    assert_eq!(left, [0, 50, 100]);
}

#[test]
fn what_is_given_back_to_an_expired_grant_lapses() {
    let (mut books, tenant) = books_with(&[(100, Some(1_000))]);
    let id = GenerationId::from_stored("gen_1".to_owned());
    books
        .hold(&request(&id, &tenant, 100, 100), Moment::from_unix_ms(10))
        .expect("covered");
    books
        .settle(
            &id,
            &tenant,
            Credits::from_micros(30),
            Moment::from_unix_ms(1_000),
        )
        .expect("settled");
    let totals = books.accounts[&tenant].totals;
    assert_eq!(
        (totals.revenue, totals.breakage, totals.held, totals.grants),
        (30, 70, 0, 0)
    );
}

#[test]
fn a_charge_above_the_hold_takes_the_hold_and_tells_the_rest() {
    let (mut books, tenant) = books_with(&[(100, None)]);
    let id = GenerationId::from_stored("gen_1".to_owned());
    let now = Moment::from_unix_ms(10);
    books
        .hold(&request(&id, &tenant, 60, 60), now)
        .expect("covered");
    let settlement = books
        .settle(&id, &tenant, Credits::from_micros(130), now)
        .expect("settled");
    assert_eq!(
        (settlement.charged.micros(), settlement.shortfall.micros()),
        (60, 70)
    );
    assert_eq!(settlement.loss, Some(Loss::ProviderOverrun));
    assert_eq!(books.accounts[&tenant].available(now), 40);
    let totals = books.accounts[&tenant].totals;
    assert_eq!((totals.revenue, totals.loss), (60, 0));
}

/// Given back after 60 of 100 were held for a key with a budget of 70.
fn given_back(promised: bool) -> (Books, TenantId, HoldRequest) {
    let (mut books, tenant) = books_with(&[(100, None)]);
    let (key, now) = (Spender::Key(ApiKeyId::random()), Moment::from_unix_ms(10));
    let budget = BudgetRequest {
        tenant: tenant.clone(),
        spender: key.clone(),
        period: BudgetPeriod::Day,
        limit: Some(Credits::from_micros(70)),
    };
    books.set_budget(&budget, &Zone::utc(), now);
    let id = GenerationId::from_stored("gen_1".to_owned());
    let held = HoldRequest {
        spenders: vec![key],
        ..request(&id, &tenant, 60, 60)
    };
    books.hold(&held, now).expect("covered");
    let unknown = Unknown {
        ask_until: Moment::from_unix_ms(1_000),
        promised,
    };
    books
        .release(&id, &tenant, Some(unknown), now)
        .expect("given back");
    assert_eq!(books.accounts[&tenant].available(now), 100);
    (books, tenant, held)
}

#[test]
fn what_is_learned_late_is_charged_once_and_at_most_what_was_held() {
    let (mut books, tenant, held) = given_back(false);
    let (now, used) = (Moment::from_unix_ms(20), Credits::from_micros(75));
    let settled = books.settle(&held.id, &tenant, used, now).expect("charged");
    assert_eq!(
        (settled.charged.micros(), settled.shortfall.micros()),
        (60, 15)
    );
    assert_eq!(settled.loss, Some(Loss::ProviderOverrun));
    let last = books.changes.entries.last().expect("an entry");
    assert_eq!(last.kind, EntryKind::Claim);
    assert_eq!((last.deltas.grants, last.deltas.revenue), (-60, 60));
    let again = books
        .settle(&held.id, &tenant, used, now)
        .expect("the same");
    assert_eq!(again.charged, settled.charged);
    let account = &books.accounts[&tenant];
    assert_eq!((account.available(now), account.totals.revenue), (40, 60));
    assert_eq!(account.budgets[&held.spenders[0]][0].spent.micros(), 60);
}

#[test]
fn what_is_learned_late_takes_no_more_than_balance_and_budgets_have() {
    for (other, expected) in [(50, 20), (69, 1)] {
        let (mut books, tenant, held) = given_back(false);
        let now = Moment::from_unix_ms(20);
        let next = HoldRequest {
            spenders: held.spenders.clone(),
            ..request(
                &GenerationId::from_stored("gen_2".into()),
                &tenant,
                other,
                other,
            )
        };
        books.hold(&next, now).expect("covered");
        let used = Credits::from_micros(60);
        let settled = books.settle(&held.id, &tenant, used, now).expect("charged");
        assert_eq!(settled.charged.micros(), expected, "the budget has no more");
        assert_eq!(settled.loss, Some(Loss::LateOutcome));
        let budget = &books.accounts[&tenant].budgets[&held.spenders[0]][0];
        assert_eq!(budget.left().micros(), 0);
    }
}

#[test]
fn what_was_promised_to_cost_nothing_is_a_loss() {
    let (mut books, tenant, held) = given_back(true);
    let (now, used) = (Moment::from_unix_ms(20), Credits::from_micros(60));
    let settled = books.settle(&held.id, &tenant, used, now).expect("told");
    assert_eq!(
        (settled.charged.micros(), settled.shortfall.micros()),
        (0, 60)
    );
    assert_eq!(settled.loss, Some(Loss::NotDelivered));
    assert_eq!(books.accounts[&tenant].available(now), 100);
    assert!(!books.is_unknown(&tenant, &held.id), "and it is over");
}

#[test]
fn a_refused_id_stays_refused_and_a_smaller_later_one_may_pass() {
    let (mut books, tenant) = books_with(&[(100, None)]);
    let (first, second) = (
        GenerationId::from_stored("gen_1".into()),
        GenerationId::from_stored("gen_2".into()),
    );
    let now = Moment::from_unix_ms(10);
    assert!(
        books
            .hold(&request(&first, &tenant, 101, 101), now)
            .is_err()
    );
    assert!(
        books
            .hold(&request(&second, &tenant, 100, 100), now)
            .is_ok()
    );
    books
        .release(&second, &tenant, None, now)
        .expect("released");
    assert!(matches!(
        books.hold(&request(&first, &tenant, 101, 101), now),
        Err(HoldError::Insufficient { .. })
    ));
    assert!(matches!(
        books.hold(&request(&first, &tenant, 50, 50), now),
        Err(HoldError::Conflict)
    ));
}

#[test]
fn another_tenants_hold_is_no_hold() {
    let (mut books, tenant) = books_with(&[(100, None)]);
    let id = GenerationId::from_stored("gen_1".to_owned());
    books
        .hold(&request(&id, &tenant, 50, 50), Moment::from_unix_ms(1))
        .expect("covered");
    let other = TenantId::from_stored("ten_b".to_owned());
    let answer = books.settle(&id, &other, Credits::ZERO, Moment::from_unix_ms(1));
    assert!(matches!(answer, Err(SettleError::NoSuchHold)));
    assert!(books.is_open(&tenant, &id));
}

#[test]
fn within_the_grace_only_what_comes_back_lives_on() {
    let (mut books, tenant) = books_with(&[(100, Some(1_000))]);
    books.grace = std::time::Duration::from_millis(500);
    let id = GenerationId::from_stored("gen_1".to_owned());
    let at = Moment::from_unix_ms;
    books
        .hold(&request(&id, &tenant, 60, 60), at(10))
        .expect("covered");
    books
        .settle(&id, &tenant, Credits::from_micros(10), at(1_200))
        .expect("settled");
    let account = &books.accounts[&tenant];
    assert_eq!(account.available(at(1_699)), 50);
    assert_eq!(account.available(at(1_700)), 0);
    let t = account.totals;
    assert_eq!((t.grants, t.revenue, t.breakage), (50, 10, 40));
}

#[test]
fn a_debt_is_paid_by_the_next_grant_and_a_correction_without_debt_is_refused() {
    let (mut books, tenant) = books_with(&[(100, None)]);
    let now = Moment::from_unix_ms(10);
    let wish = |micros: i64, into_debt: bool, key: &str| Adjustment {
        tenant: tenant.clone(),
        amount: Credits::from_micros(micros),
        source_key: key.to_owned(),
        into_debt,
        operator: "admin".to_owned(),
        reason: "chargeback".to_owned(),
    };
    let refused = books.adjust(&wish(-130, false, "a"), now);
    assert!(matches!(refused, Err(AdjustError::Insufficient { .. })));
    let first = books.adjust(&wish(-130, true, "b"), now).expect("made");
    let again = books.adjust(&wish(-130, true, "b"), now).expect("the same");
    assert_eq!(first, again);
    let other = books.adjust(&wish(-131, true, "b"), now);
    assert!(matches!(other, Err(AdjustError::Conflict)));
    let t = books.accounts[&tenant].totals;
    assert_eq!((t.grants, t.refund, t.debt), (0, 130, -30));
    books.adjust(&wish(50, false, "c"), now).expect("made");
    let account = &books.accounts[&tenant];
    assert_eq!((account.available(now), account.totals.debt), (20, 0));
}

#[test]
fn a_budget_lowers_and_refuses_holds_and_starts_anew_with_its_period() {
    let (mut books, tenant) = books_with(&[(1_000, None)]);
    let (at, key) = (Moment::from_unix_ms, Spender::Key(ApiKeyId::random()));
    let set = |limit: Option<i64>| BudgetRequest {
        tenant: tenant.clone(),
        spender: key.clone(),
        period: BudgetPeriod::Day,
        limit: limit.map(Credits::from_micros),
    };
    books.set_budget(&set(Some(100)), &Zone::utc(), at(0));
    let wish = |id: &str, micros: i64, least: i64| {
        let id = GenerationId::from_stored(id.to_owned());
        let spenders = vec![key.clone()];
        HoldRequest {
            spenders,
            ..request(&id, &tenant, micros, least)
        }
    };
    let first = wish("gen_1", 80, 80);
    assert_eq!(books.hold(&first, at(1)).expect("fits").micros(), 80);
    let lowered = wish("gen_2", 80, 10);
    assert_eq!(books.hold(&lowered, at(1)).expect("fits").micros(), 20);
    let refused = wish("gen_3", 80, 10);
    let error = books.hold(&refused, at(1));
    assert!(matches!(error, Err(HoldError::Budget { .. })), "{error:?}");
    books
        .settle(&first.id, &tenant, Credits::from_micros(50), at(2))
        .expect("settled");
    let left = |books: &Books| books.accounts[&tenant].budgets[&key][0].left().micros();
    assert_eq!(left(&books), 30, "50 are spent and 20 held");
    let more = books.extend(&lowered.id, &tenant, Credits::from_micros(51), at(2));
    assert!(matches!(more, Err(ExtendError::Insufficient { .. })));
    let more = books.extend(&lowered.id, &tenant, Credits::from_micros(50), at(2));
    assert_eq!(more.expect("fits").micros(), 50);
    // The next day: what began yesterday does not count any more, neither held nor spent.
    let next = wish("gen_4", 100, 100);
    books.hold(&next, at(86_400_000)).expect("a new day");
    books
        .settle(
            &lowered.id,
            &tenant,
            Credits::from_micros(50),
            at(86_400_001),
        )
        .expect("settled");
    assert_eq!(left(&books), 0);
    books
        .release(&next.id, &tenant, None, at(86_400_002))
        .expect("released");
    assert_eq!(left(&books), 100);
    // Taken away and set anew, it does not know holds from before.
    let old = wish("gen_5", 40, 40);
    books.hold(&old, at(86_400_003)).expect("fits");
    books.set_budget(&set(None), &Zone::utc(), at(86_400_004));
    books.set_budget(&set(Some(10)), &Zone::utc(), at(86_400_005));
    books
        .release(&old.id, &tenant, None, at(86_400_006))
        .expect("released");
    assert_eq!(left(&books), 10);
}
