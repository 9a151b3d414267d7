//! The ledger as people read it, and the check of its books, on both databases.

use std::time::Duration;

use server::ledger::lines::{Line, LineOf};
use server::ledger::{Adjustment, CallSnapshot, HoldRequest, Ledger, NewGrant};
use shared::credits::Credits;
use shared::id::{ApiKeyId, GenerationId, RequestId, TenantId, UserId};
use shared::link::Operation;
use shared::units::Usage;
use tokio_util::sync::CancellationToken;

use super::{NOW, ask, exact, give, grant, ledger, usage};
use crate::support::databases;

fn credits(micros: i64) -> Credits {
    Credits::from_micros(micros)
}

fn snapshot(request: &RequestId) -> CallSnapshot {
    CallSnapshot {
        user: Some(UserId::random()),
        key: Some(ApiKeyId::random()),
        operation: Operation::Chat,
        model: "m".to_owned(),
        price: None,
        multiplier_ppm: 1_000_000,
        asked: Usage::default(),
        provider: "p".to_owned(),
        request: Some(request.clone()),
        gateways: Vec::new(),
        route: None,
        detached: false,
        ended: None,
    }
}

async fn settled(ledger: &Ledger, ask: &HoldRequest, micros: i64) {
    ledger.hold(ask.clone()).await.expect("held");
    let record = usage(ask, micros);
    let done = ledger.settle(&ask.id, &ask.tenant, credits(micros), record);
    done.await.expect("settled");
}

async fn all(ledger: &Ledger, tenant: &TenantId, kind: Option<&str>, limit: i64) -> Vec<Line> {
    let (mut lines, mut before) = (Vec::new(), None);
    for _ in 0..100 {
        let part = ledger.lines(tenant, kind, (before, limit)).await;
        let part = part.expect("read");
        lines.extend(part.lines);
        before = part.next;
        if before.is_none() {
            return lines;
        }
    }
    panic!("a ledger without an end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_has_a_line_for_each_call_and_a_balance_that_follows_line_by_line() {
    for db in databases().await {
        let (name, ledger, tenant) = (db.name, ledger(&db).await, TenantId::random());
        let other = TenantId::random();
        give(&ledger, &other, 7, "a").await;
        give(&ledger, &tenant, 1_000, "a").await;
        let (charged, given_back, open) = (
            ask(&tenant, 300, 300),
            ask(&tenant, 200, 200),
            ask(&tenant, 50, 50),
        );
        settled(&ledger, &charged, 130).await;
        ledger.hold(open.clone()).await.expect("held");
        ledger.hold(given_back.clone()).await.expect("held");
        let released = ledger.release(&given_back.id, &tenant, None).await;
        released.expect("released");
        let correction = ledger.adjust(Adjustment {
            tenant: tenant.clone(),
            amount: credits(-70),
            source_key: "c".to_owned(),
            into_debt: false,
            operator: "ada".to_owned(),
            reason: "twice".to_owned(),
        });
        correction.await.expect("corrected");

        let lines = all(&ledger, &tenant, None, 50).await;
        let told: Vec<(&str, i64)> = lines
            .iter()
            .map(|line| (line.entry.kind.as_str(), line.amount().micros()))
            .collect();
        assert_eq!(
            told,
            [
                ("adjust", -70),
                ("release", 0),
                ("settle", -130),
                ("grant", 1_000)
            ],
            "{name}"
        );
        let mut balance = 0;
        for line in lines.iter().rev() {
            balance += line.amount().micros();
            assert_eq!(line.balance().micros(), balance, "{name}");
        }
        let has = ledger.balance(&tenant).await.expect("read");
        assert_eq!(
            has.available.micros() + has.held.micros(),
            balance,
            "{name}"
        );
        let of = |line: &Line| match &line.of {
            LineOf::Call(hold) => hold.id.to_string(),
            LineOf::Grant(grant) => grant.source_key.clone(),
            LineOf::Correction(one) => one.adjustment.reason.clone(),
            LineOf::Nothing => panic!("{name}: a line of nothing"),
        };
        let of: Vec<String> = lines.iter().map(of).collect();
        let expected = ["twice", given_back.id.as_str(), charged.id.as_str(), "a"];
        assert_eq!(of, expected, "{name}");

        // The same page by page, and by kind.
        assert_eq!(all(&ledger, &tenant, None, 1).await, lines, "{name}");
        for kind in ["adjust", "release", "settle", "grant"] {
            let found = all(&ledger, &tenant, Some(kind), 1).await;
            let same: Vec<Line> = lines
                .iter()
                .filter(|line| line.entry.kind == kind)
                .cloned()
                .collect();
            assert_eq!(found, same, "{name} {kind}");
        }
        assert!(all(&ledger, &tenant, Some("claim"), 9).await.is_empty());

        let reserved = ledger.reserved(&tenant, 9).await.expect("read");
        let ids: Vec<&GenerationId> = reserved.iter().map(|hold| &hold.id).collect();
        assert_eq!(ids, [&open.id], "{name}");
        let none = ledger.reserved(&other, 9).await.expect("read");
        assert!(none.is_empty(), "{name}: another tenant's");
        let hold = lines.iter().find_map(|line| match &line.of {
            LineOf::Call(hold) => Some(hold).filter(|hold| hold.id == charged.id),
            LineOf::Grant(_) | LineOf::Correction(_) | LineOf::Nothing => None,
        });
        let entries = ledger.entries_of(hold.expect("the call")).await;
        let kinds: Vec<String> = entries
            .expect("read")
            .into_iter()
            .map(|entry| entry.kind)
            .collect();
        assert_eq!(kinds, ["hold", "settle"], "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn grants_that_are_spent_or_over_stay_to_be_seen_and_no_others() {
    for db in databases().await {
        let (name, ledger, tenant) = (db.name, ledger(&db).await, TenantId::random());
        let over = NewGrant {
            expires_at: Some(NOW.before(Duration::from_secs(1))),
            ..grant(&tenant, 5, "over")
        };
        ledger.grant(over).await.expect("granted");
        give(&ledger, &tenant, 10, "first").await;
        give(&ledger, &tenant, 10, "second").await;
        settled(&ledger, &ask(&tenant, 12, 12), 12).await;
        let spent = ledger.spent_grants(&tenant, None, 9).await.expect("read");
        let mut keys: Vec<&str> = spent.iter().map(|one| one.source_key.as_str()).collect();
        keys.sort_unstable();
        assert_eq!(keys, ["first", "over"], "{name}");
        let newest = &spent[0].id;
        let behind = ledger.spent_grants(&tenant, Some(newest), 9).await;
        assert_eq!(behind.expect("read"), spent[1..], "{name}");
        let others = ledger.spent_grants(&TenantId::random(), None, 9).await;
        assert!(others.expect("read").is_empty(), "{name}");
        let owner = ledger.owner_of(newest.as_str()).await.expect("read");
        assert_eq!(owner, Some(tenant.clone()), "{name}");
        assert_eq!(ledger.owner_of("grt_nobody").await.expect("read"), None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_found_by_the_request_that_it_came_with() {
    for db in databases().await {
        let (name, ledger, tenant) = (db.name, ledger(&db).await, TenantId::random());
        give(&ledger, &tenant, 1_000, "a").await;
        let request = RequestId::random();
        for _ in 0..3 {
            let another = RequestId::random();
            let ask = HoldRequest {
                snapshot: (&snapshot(&another)).into(),
                ..ask(&tenant, 1, 1)
            };
            settled(&ledger, &ask, 1).await;
        }
        let wanted = HoldRequest {
            snapshot: (&snapshot(&request)).into(),
            ..ask(&tenant, 1, 1)
        };
        settled(&ledger, &wanted, 1).await;
        let found = ledger.call_of_request(&request).await.expect("read");
        assert_eq!(found, Some(wanted.id), "{name}");
        for nobody in [
            RequestId::random(),
            RequestId::from_stored("req_1".to_owned()),
        ] {
            let found = ledger.call_of_request(&nobody).await.expect("read");
            assert_eq!(found, None, "{name} {nobody}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_books_are_checked_as_they_change_and_what_differs_is_told_until_it_agrees() {
    for db in databases().await {
        let (name, ledger, tenant) = (db.name, ledger(&db).await, TenantId::random());
        let other = TenantId::random();
        give(&ledger, &tenant, 1_000, "a").await;
        give(&ledger, &other, 1_000, "a").await;
        for micros in 1..20 {
            settled(&ledger, &ask(&tenant, 20, 20), micros).await;
        }
        ledger.hold(ask(&tenant, 9, 9)).await.expect("held");
        let stop = CancellationToken::new();
        assert_eq!(ledger.account_books(&tenant).await.expect("read"), None);
        let check = async || ledger.check_changed(&stop).await.expect("checked");
        let first = check().await;
        assert_eq!(
            (first.accounts, first.lines, first.behind, first.differences),
            (2, 41, 0, 0),
            "{name}: {first:?}"
        );
        let own = ledger.account_books(&tenant).await.expect("read");
        let own = own.expect("checked");
        assert!(own.agrees && own.lines == 40, "{name}: {own:?}");
        settled(&ledger, &ask(&tenant, 20, 20), 7).await;
        let second = check().await;
        assert_eq!((second.lines, second.differences), (43, 0), "{name}");

        let wrongs = [
            (
                "UPDATE ledger_accounts SET revenue_micros = revenue_micros + 1, \
                 issuance_micros = issuance_micros - 1",
                "UPDATE ledger_accounts SET revenue_micros = revenue_micros - 1, \
                 issuance_micros = issuance_micros + 1",
            ),
            (
                "UPDATE ledger_grants SET remaining_micros = remaining_micros - 1",
                "UPDATE ledger_grants SET remaining_micros = remaining_micros + 1",
            ),
        ];
        for (wrong, right) in wrongs {
            let of = |text: &str| format!("{text} WHERE tenant_id = '{tenant}'");
            let seen = "UPDATE ledger_accounts SET version = version + 1";
            db.execute(&of(wrong)).await.expect("changed");
            db.execute(&of(seen)).await.expect("changed");
            let found = check().await;
            assert_eq!(found.differences, 1, "{name} {wrong}");
            assert!(found.told[0].contains(tenant.as_str()), "{found:?}");
            let own = ledger.account_books(&tenant).await.expect("read");
            assert!(own.is_some_and(|own| !own.agrees), "{name}");
            let kept = ledger.books().await.expect("read");
            assert_eq!(kept.differences(), 1, "{name}");
            assert_eq!(kept.changed, Some(found), "{name}: as pages are told");
            // It is looked at again although nothing changes it.
            assert_eq!(check().await.differences, 1, "{name}");
            db.execute(&of(right)).await.expect("changed");
            assert_eq!(check().await.differences, 0, "{name} {right}");
        }
        exact(&ledger, name).await;
        let whole = ledger.check_whole().await.expect("checked");
        assert_eq!((whole.lines, whole.differences), (43, 0), "{name}");
        let stray = format!(
            "INSERT INTO ledger_entries (tenant_id, number, kind, reference, grants_delta, held_delta, \
             revenue_delta, breakage_delta, refund_delta, debt_delta, loss_delta, issuance_delta, \
             grants_after, held_after, at) VALUES ('{other}', 3, 'grant', 'x', 0, 0, 0, 0, 0, 0, 0, 0, 1000, 0, 0)"
        );
        db.execute(&stray).await.expect("inserted");
        let seen = format!("UPDATE ledger_accounts SET version = 99 WHERE tenant_id = '{other}'");
        db.execute(&seen).await.expect("changed");
        let found = check().await;
        assert_eq!(found.differences, 1, "{name}: a line is missing before it");
    }
}
