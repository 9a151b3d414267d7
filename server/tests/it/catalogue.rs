//! Models, prices and usage records on both databases.

use server::catalogue::model::WeightedTarget;
use server::catalogue::price::{ImagePrice, PlainPrice};
use server::catalogue::{Catalogue, CatalogueError};
use server::ledger::{GrantError, Ledger, LedgerSettings};
use server::money::recharge::{Recharge, RechargeError, Recharges};
use server::reports::history::{UsageHistory, UsageQuery};
use server::store::Store;
use server::store::audit::Actor;
use server::store::catalogue::{ModelPatch, NewModel};
use server::store::usage::{TimeRange, UsageSummary};
use shared::clock::{Clock, Moment};
use shared::credits::Credits;
use shared::id::{GenerationId, PriceId, TenantId};
use shared::link::Operation;
use shared::supervisor::Supervisor;

use crate::support::{TestDb, databases};

fn actor() -> Actor {
    Actor {
        kind: "superadmin".to_owned(),
        id: "adm_test".to_owned(),
        name: "admin".to_owned(),
        address: "127.0.0.1".to_owned(),
    }
}

fn items(input: i64) -> PlainPrice {
    PlainPrice {
        input_per_million: Credits::from_micros(input),
        per_image: vec![ImagePrice {
            size: Some("1x1".to_owned()),
            quality: None,
            credits: Credits::from_micros(1),
        }],
        ..PlainPrice::default()
    }
}

fn new_model(id: &str) -> NewModel {
    let target = |provider: &str, priority| WeightedTarget {
        gateway: None,
        provider: provider.to_owned(),
        model: "m1".to_owned(),
        weight: 2,
        priority,
    };
    NewModel {
        id: id.to_owned(),
        operation: Operation::Chat,
        targets: vec![target("fallback", 1), target("main", 0)],
        max_output_tokens: 4_096,
        enabled: true,
        answers_public_name: false,
        is_default: false,
        price: Some(items(5).list(Some(&items(3)))),
    }
}

struct Room {
    name: &'static str,
    store: Store,
    clock: Clock,
    catalogue: Catalogue,
    db: TestDb,
}

async fn rooms() -> Vec<Room> {
    let mut rooms = Vec::new();
    for db in databases().await {
        let store = Store::new(db.db.clone());
        let clock = Clock::fixed(Moment::from_unix_ms(1_795_000_000_000));
        let catalogue = Catalogue::load(store.clone(), clock.clone())
            .await
            .expect("an empty catalogue");
        rooms.push(Room {
            name: db.name,
            store,
            clock,
            catalogue,
            db,
        });
    }
    rooms
}

#[tokio::test]
async fn a_model_is_there_at_once_and_after_a_restart() {
    for room in rooms().await {
        let made = room
            .catalogue
            .create_model(&actor(), new_model("meta/m:70b"))
            .await
            .expect(room.name);
        assert_eq!(
            made.targets.first().map(|target| target.provider.as_str()),
            Some("main")
        );
        let price = made
            .price_at(room.clock.now())
            .expect("valid from now")
            .clone();
        assert_eq!(*price.list, items(5).list(Some(&items(3))), "{}", room.name);
        assert_eq!(room.catalogue.model("meta/m:70b"), Some(made.clone()));
        let restarted = Catalogue::load(room.store.clone(), room.clock.clone())
            .await
            .expect(room.name);
        assert_eq!(restarted.model("meta/m:70b"), Some(made));
        assert_eq!(restarted.models().len(), 1);
    }
}

#[tokio::test]
async fn a_damaged_price_takes_its_model_out_and_no_other() {
    for room in rooms().await {
        room.catalogue
            .create_model(&actor(), new_model("a"))
            .await
            .expect(room.name);
        room.catalogue
            .create_model(&actor(), new_model("b"))
            .await
            .expect(room.name);
        let unknown = r#"UPDATE prices SET items = '{"per_video_second": 1}' WHERE model_id = 'a'"#;
        room.db.execute(unknown).await.expect(room.name);
        room.catalogue
            .reload()
            .await
            .expect("one bad row must not stop the others");
        assert!(room.catalogue.model("a").is_none() && room.catalogue.model("b").is_some());
    }
}

#[tokio::test]
async fn every_change_is_audited_and_announced() {
    for room in rooms().await {
        room.catalogue
            .create_model(&actor(), new_model("a"))
            .await
            .expect(room.name);
        let patch = ModelPatch {
            enabled: Some(false),
            ..ModelPatch::default()
        };
        room.catalogue
            .update_model(&actor(), "a", patch)
            .await
            .expect(room.name);
        room.catalogue
            .delete_model(&actor(), "a")
            .await
            .expect(room.name);
        let _ = room.catalogue.delete_model(&actor(), "a").await;
        let mut entries = room.store.audit_entries(None, 100).await.expect(room.name);
        entries.sort_by(|a, b| a.action.cmp(&b.action));
        let actions: Vec<&str> = entries.iter().map(|entry| entry.action.as_str()).collect();
        assert_eq!(
            actions,
            [
                "model.create",
                "model.delete",
                "model.update",
                "price.create"
            ]
        );
        let update = &entries[2];
        assert_eq!(
            (&update.actor, update.subject.as_str()),
            (&actor(), "a"),
            "{}",
            room.name
        );
        assert!(
            update
                .before
                .as_ref()
                .is_some_and(|json| json.contains("\"enabled\":true"))
        );
        assert!(
            update
                .after
                .as_ref()
                .is_some_and(|json| json.contains("\"enabled\":false"))
        );
        let changes = room.store.changes_after(0).await.expect(room.name);
        let all = changes.len() >= 3 && changes.iter().all(|(_, subject)| subject == "catalogue");
        assert!(all, "{}: {changes:?}", room.name);
    }
}

#[tokio::test]
async fn another_replica_sees_a_change_when_it_reads_again() {
    for room in rooms().await {
        let other = Catalogue::load(room.store.clone(), room.clock.clone())
            .await
            .expect(room.name);
        room.catalogue
            .create_model(&actor(), new_model("a"))
            .await
            .expect(room.name);
        assert!(other.model("a").is_none());
        other.reload().await.expect(room.name);
        assert!(other.model("a").is_some(), "{}", room.name);
    }
}

#[tokio::test]
async fn a_patch_changes_what_it_names_and_a_new_price_follows_the_old() {
    for room in rooms().await {
        let before = room
            .catalogue
            .create_model(&actor(), new_model("a"))
            .await
            .expect(room.name);
        room.clock.advance(std::time::Duration::from_secs(10));
        let patch = ModelPatch {
            enabled: Some(false),
            price: Some(items(50).list(Some(&items(30)))),
            ..ModelPatch::default()
        };
        let after = room
            .catalogue
            .update_model(&actor(), "a", patch)
            .await
            .expect(room.name);
        assert!(!after.enabled);
        assert_eq!(
            (&after.targets, after.max_output_tokens),
            (&before.targets, 4_096)
        );
        assert_eq!(after.prices.len(), 2);
        assert_eq!(
            after
                .price_at(room.clock.now())
                .map(|price| price.list.rates[0].credits.micros()),
            Some(50)
        );
        assert_eq!(
            after
                .price_at(before.created_at)
                .map(|price| price.list.rates[0].credits.micros()),
            Some(5)
        );
    }
}

#[tokio::test]
async fn prices_come_into_force_on_their_day_and_can_be_withdrawn() {
    for room in rooms().await {
        room.catalogue
            .create_model(&actor(), new_model("a"))
            .await
            .expect(room.name);
        let tomorrow = room
            .clock
            .now()
            .after(std::time::Duration::from_secs(86_400));
        let both = items(9).list(Some(&items(8)));
        let made = room
            .catalogue
            .create_price(&actor(), "a".to_owned(), Some(tomorrow), both.clone())
            .await;
        let made = made.expect(room.name);
        let model = room.catalogue.model("a").expect("there");
        assert_eq!(
            model
                .price_at(room.clock.now())
                .map(|price| price.list.rates[0].credits.micros()),
            Some(5)
        );
        assert_eq!(model.price_at(tomorrow), Some(&made), "{}", room.name);
        assert_eq!(
            room.catalogue.price(&made.id).await.expect(room.name),
            Some(made.clone())
        );

        let twice = room
            .catalogue
            .create_price(&actor(), "a".to_owned(), Some(tomorrow), both.clone())
            .await;
        assert!(
            matches!(twice, Err(CatalogueError::Duplicate)),
            "{}",
            room.name
        );
        let nowhere = room
            .catalogue
            .create_price(&actor(), "b".to_owned(), None, both)
            .await;
        assert!(
            matches!(nowhere, Err(CatalogueError::NoSuchModel)),
            "{}",
            room.name
        );

        room.catalogue
            .delete_price(&actor(), &made.id)
            .await
            .expect(room.name);
        assert_eq!(room.catalogue.model("a").expect("there").prices.len(), 1);
        let gone = room
            .catalogue
            .delete_price(&actor(), &PriceId::random())
            .await;
        assert!(
            matches!(gone, Err(CatalogueError::NoSuchPrice)),
            "{}",
            room.name
        );
    }
}

#[tokio::test]
async fn what_breaks_a_rule_or_is_taken_or_missing_is_refused() {
    for room in rooms().await {
        room.catalogue
            .create_model(&actor(), new_model("a"))
            .await
            .expect(room.name);
        let twice = room.catalogue.create_model(&actor(), new_model("a")).await;
        assert!(
            matches!(twice, Err(CatalogueError::Duplicate)),
            "{}",
            room.name
        );
        let odd = room
            .catalogue
            .create_model(&actor(), new_model("a b"))
            .await;
        assert!(
            matches!(odd, Err(CatalogueError::Invalid { field: "id", .. })),
            "{}",
            room.name
        );
        let missing = room
            .catalogue
            .update_model(&actor(), "b", ModelPatch::default())
            .await;
        assert!(
            matches!(missing, Err(CatalogueError::NoSuchModel)),
            "{}",
            room.name
        );
        room.catalogue
            .delete_model(&actor(), "a")
            .await
            .expect(room.name);
        assert!(room.catalogue.models().is_empty(), "{}", room.name);
        let again = room.catalogue.delete_model(&actor(), "a").await;
        assert!(
            matches!(again, Err(CatalogueError::NoSuchModel)),
            "{}",
            room.name
        );
    }
}

#[tokio::test]
async fn changes_made_at_once_are_all_kept() {
    for room in rooms().await {
        room.catalogue
            .create_model(&actor(), new_model("a"))
            .await
            .expect(room.name);
        let patches = (0..20).map(|n| {
            let catalogue = room.catalogue.clone();
            let patch = if n % 2 == 0 {
                ModelPatch {
                    enabled: Some(false),
                    ..ModelPatch::default()
                }
            } else {
                ModelPatch {
                    max_output_tokens: Some(7),
                    ..ModelPatch::default()
                }
            };
            async move { catalogue.update_model(&actor(), "a", patch).await.map(drop) }
        });
        for outcome in futures_util::future::join_all(patches).await {
            outcome.expect(room.name);
        }
        let model = room.catalogue.model("a").expect("there");
        assert_eq!(
            (model.enabled, model.max_output_tokens),
            (false, 7),
            "{}",
            room.name
        );
    }
}

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
