//! Usage records, listed and added up for their tenant alone; and recharges, which give once.

use server::ledger::{GrantError, Ledger, LedgerSettings};
use server::money::recharge::{Recharge, RechargeError, Recharges};
use server::reports::history::{UsageHistory, UsageQuery};
use server::store::Store;
use server::store::usage::{TimeRange, UsageSummary};
use shared::clock::{Clock, Moment};
use shared::credits::Credits;
use shared::id::{GenerationId, TenantId};
use shared::supervisor::Supervisor;

use super::actor;
use crate::support::{TestDb, databases};

/// Written as the ledger writes them, which these tests do not need.
async fn insert_usage(db: &TestDb, tenant: &TenantId, rows: &[(&str, &str, i64, i64)]) {
    for (id, model, credits, at) in rows {
        let statement = format!(
            "INSERT INTO usage_records (id, tenant_id, user_id, key_id, test, operation, model, price_id, provider, \
             provider_model, input_tokens, cached_input_tokens, cache_write_tokens, output_tokens, reasoning_tokens, \
             images, media_ms, characters, estimated, credits_micros, cost_micros, status, fault, attempts, \
             first_byte_ms, duration_ms, \
             created_at) VALUES ('{id}', '{tenant}', NULL, NULL, FALSE, 'chat', '{model}', NULL, 'p', 'pm', 10, 5, 1, \
             3, 2, 0, 0, 0, FALSE, {credits}, 1, 'succeeded', NULL, 1, 2, 3, {at})"
        );
        db.execute(&statement).await.expect("inserted");
    }
}

const ROWS: [(&str, &str, i64, i64); 4] = [
    ("gen_1", "a", 10, 100),
    ("gen_2", "b", 20, 200),
    ("gen_3", "a", 40, 300),
    ("gen_4", "a", 80, 400),
];

/// A tenant with four records beside another with one.
async fn history(db: &TestDb) -> (UsageHistory, TenantId) {
    let (tenant, other) = (TenantId::random(), TenantId::random());
    insert_usage(db, &tenant, &ROWS).await;
    insert_usage(db, &other, &[("gen_5", "a", 999, 200)]).await;
    (UsageHistory::new(Store::new(db.db.clone())), tenant)
}

#[tokio::test]
async fn usage_is_listed_page_by_page_for_its_tenant_and_period_alone() {
    for db in databases().await {
        let (history, tenant) = history(&db).await;
        let page = async |period, after: Option<&str>, limit| {
            let after = after.map(|id| GenerationId::from_stored(id.to_owned()));
            let ask = UsageQuery {
                user: None,
                period,
                after: after.as_ref(),
                limit,
            };
            let page = history.page(&tenant, ask).await.expect(db.name);
            let ids: Vec<String> = page
                .records
                .iter()
                .map(|record| record.id.to_string())
                .collect();
            (ids.join(" "), page.has_more)
        };
        let all = TimeRange::default();
        assert_eq!(
            page(all, None, 3).await,
            ("gen_4 gen_3 gen_2".to_owned(), true),
            "{}",
            db.name
        );
        assert_eq!(
            page(all, Some("gen_2"), 3).await,
            ("gen_1".to_owned(), false),
            "{}",
            db.name
        );
        let at = |ms| Some(Moment::from_unix_ms(ms));
        let some = TimeRange {
            from: at(200),
            until: at(400),
        };
        assert_eq!(
            page(some, None, 100).await,
            ("gen_3 gen_2".to_owned(), false),
            "{}",
            db.name
        );
        assert_eq!(
            page(some, Some("gen_3"), 1).await,
            ("gen_2".to_owned(), false),
            "{}",
            db.name
        );
    }
}

#[tokio::test]
async fn usage_is_added_up_by_operation_and_model() {
    for db in databases().await {
        let (history, tenant) = history(&db).await;
        let summary = async |tenant: &TenantId, period| -> Vec<(String, u64, i64, u64, u64)> {
            let lines = history.summary(tenant, period).await.expect(db.name);
            let line = |line: UsageSummary| {
                let credits = line.credits.micros();
                (
                    line.model,
                    line.calls,
                    credits,
                    line.input_tokens,
                    line.output_tokens,
                )
            };
            lines.into_iter().map(line).collect()
        };
        let all = TimeRange::default();
        let expected = [
            ("a".to_owned(), 3, 130, 48, 15),
            ("b".to_owned(), 1, 20, 16, 5),
        ];
        assert_eq!(summary(&tenant, all).await, expected, "{}", db.name);
        let late = TimeRange {
            from: Some(Moment::from_unix_ms(400)),
            until: None,
        };
        assert_eq!(
            summary(&tenant, late).await,
            [("a".to_owned(), 1, 80, 16, 5)],
            "{}",
            db.name
        );
        assert!(
            summary(&TenantId::random(), all).await.is_empty(),
            "{}",
            db.name
        );
        let nobody = UsageQuery {
            user: None,
            period: all,
            after: None,
            limit: 1,
        };
        let report = history
            .report(&TenantId::random(), nobody)
            .await
            .expect(db.name);
        assert!(
            report.is_none(),
            "a tenant that does not exist has no report"
        );
    }
}

#[tokio::test]
async fn a_recharge_gives_once_for_each_key_and_is_audited_once() {
    for db in databases().await {
        let store = Store::new(db.db.clone());
        let clock = Clock::fixed(Moment::from_unix_ms(1_795_000_000_000));
        let (supervisor, settings) = (Supervisor::new(), LedgerSettings::default());
        let ledger = Ledger::start(store.clone(), clock.clone(), &supervisor, settings).await;
        let ledger = ledger.expect("a ledger");
        let recharges = Recharges::new(ledger, store.clone(), clock.clone());
        let tenant = TenantId::random();
        let insert = format!(
            "INSERT INTO tenants (id, name, status, created_at, updated_at) VALUES ('{tenant}', 'acme', 'active', 0, 0)"
        );
        db.execute(&insert).await.expect(db.name);
        let wish = |tenant: &TenantId, amount| Recharge {
            tenant: tenant.clone(),
            amount: Credits::from_micros(amount),
            key: "k-1".to_owned(),
            expires_at: None,
            note: "for tests".to_owned(),
        };
        let (first, balance) = recharges
            .recharge(&actor(), wish(&tenant, 500))
            .await
            .expect(db.name);
        assert_eq!(balance.available.micros(), 500, "{}", db.name);
        clock.advance(std::time::Duration::from_secs(5));
        let (again, balance) = recharges
            .recharge(&actor(), wish(&tenant, 500))
            .await
            .expect(db.name);
        assert_eq!(
            (again.id, balance.available.micros()),
            (first.id, 500),
            "{}",
            db.name
        );
        let other = recharges.recharge(&actor(), wish(&tenant, 501)).await;
        assert!(
            matches!(other, Err(RechargeError::Grant(GrantError::Conflict))),
            "{}",
            db.name
        );
        let nobody = recharges
            .recharge(&actor(), wish(&TenantId::random(), 500))
            .await;
        assert!(
            matches!(nobody, Err(RechargeError::NoSuchTenant)),
            "{}",
            db.name
        );
        let entries = store.audit_entries(None, 10).await.expect(db.name);
        let actions: Vec<&str> = entries.iter().map(|entry| entry.action.as_str()).collect();
        assert_eq!(actions, ["tenant.recharge"], "{}", db.name);
        assert_eq!(entries[0].tenant.as_deref(), Some(tenant.as_str()));
    }
}
