//! What is given back and learned late: charged once, at most what was held, and a loss where it
//! was promised.

use shared::clock::Moment;
use shared::credits::Credits;
use shared::id::{ApiKeyId, GenerationId, TenantId};
use shared::zone::Zone;

use super::super::rules::{Books, EntryKind};
use super::super::{BudgetPeriod, BudgetRequest, HoldRequest, Loss, Spender, Unknown};
use super::any::request;
use super::books_with;

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
