//! The rules, case by case: who pays first, what lapses, and what refusals, debts and budgets do.

mod any;
mod late;

use shared::clock::Moment;
use shared::credits::Credits;
use shared::id::{ApiKeyId, GenerationId, TenantId};
use shared::zone::Zone;

use self::any::request;
use super::rules::Books;
use super::{
    AdjustError, Adjustment, BudgetPeriod, BudgetRequest, ExtendError, GrantKind, HoldError,
    HoldRequest, Loss, NewGrant, SettleError, Spender,
};

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
