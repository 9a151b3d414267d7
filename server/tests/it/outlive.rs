//! What outlives its cause on both databases: prices their model, and open records the sums.

use std::time::Duration;

use server::catalogue::Catalogue;
use server::catalogue::facts::ModelFacts;
use server::catalogue::model::WeightedTarget;
use server::catalogue::price::PlainPrice;
use server::ledger::{
    GrantKind, HoldRequest, Ledger, LedgerSettings, NewGrant, StoredSnapshot, Unknown,
};
use server::reports::rollup::Roller;
use server::store::Store;
use server::store::audit::Actor;
use server::store::catalogue::NewModel;
use shared::clock::{Clock, Moment};
use shared::credits::Credits;
use shared::id::{BootId, GenerationId, TenantId};
use shared::link::Operation;
use shared::supervisor::Supervisor;
use shared::units::{Fact, Unit, Usage};
use shared::zone::Zone;

use crate::support::{databases, usage_record};

const NOW: Moment = Moment::from_unix_ms(1_800_000_000_000);

fn model(micros: i64) -> NewModel {
    let items = |micros: i64| PlainPrice {
        output_per_million: Credits::from_micros(micros),
        ..PlainPrice::default()
    };
    NewModel {
        facts: ModelFacts::default(),
        id: "m".to_owned(),
        operation: Operation::Chat,
        targets: vec![WeightedTarget {
            gateway: None,
            cost: None,
            provider: "p".to_owned(),
            model: "m".to_owned(),
            weight: 1,
            priority: 0,
        }],
        max_output_tokens: 100,
        enabled: true,
        answers_public_name: false,
        is_default: false,
        price: Some(items(micros).list(Some(&items(1)))),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn prices_stay_when_they_or_their_model_are_deleted() {
    for db in databases().await {
        let store = Store::new(db.db.clone());
        let clock = Clock::fixed(NOW);
        let catalogue = Catalogue::load(store, clock.clone()).await.expect(db.name);
        let actor = Actor::system();
        let first = catalogue
            .create_model(&actor, model(7))
            .await
            .expect(db.name);
        let with_model = first.prices[0].clone();
        catalogue.delete_model(&actor, "m").await.expect(db.name);
        assert!(catalogue.model("m").is_none());
        let kept = catalogue.price(&with_model.id).await.expect(db.name);
        assert_eq!(kept.as_ref(), Some(&with_model), "{}", db.name);
        // A model of the same name begins with its own price, at the same moment too.
        let second = catalogue
            .create_model(&actor, model(9))
            .await
            .expect(db.name);
        assert_eq!(second.prices.len(), 1, "{}", db.name);
        let alone = second.prices[0].clone();
        catalogue
            .delete_price(&actor, &alone.id)
            .await
            .expect(db.name);
        assert!(catalogue.model("m").expect("there").prices.is_empty());
        let kept = catalogue.price(&alone.id).await.expect(db.name);
        assert_eq!(kept, Some(alone), "{}", db.name);
    }
}

/// As a version before rates wrote a price.
const OLD_PRICE: &str = r#"UPDATE prices SET
    items = '{"per_request":0.5,"input_per_million":2.5,"output_per_million":10,
        "per_image":[{"size":"1x1","credits":4},{"credits":1}]}',
    cost = '{"per_request":0,"input_per_million":2,"output_per_million":8}'"#;

#[tokio::test(flavor = "multi_thread")]
async fn prices_of_versions_before_rates_are_read_and_charge_the_same() {
    for db in databases().await {
        let (store, clock) = (Store::new(db.db.clone()), Clock::fixed(NOW));
        let catalogue = Catalogue::load(store, clock).await.expect(db.name);
        let actor = Actor::system();
        let made = catalogue.create_model(&actor, model(7)).await;
        let id = made.expect(db.name).prices[0].id.clone();
        db.execute(OLD_PRICE).await.expect(db.name);
        catalogue.reload().await.expect(db.name);
        let of_model = catalogue.model("m").expect("it is read").prices[0].clone();
        catalogue.delete_model(&actor, "m").await.expect(db.name);
        let ended = catalogue.price(&id).await.expect(db.name).expect("kept");
        for price in [of_model, ended] {
            let mut usage = Usage::of([
                (Unit::InputToken, 1_000),
                (Unit::OutputToken, 100),
                (Unit::ReasoningToken, 100),
                (Unit::Image, 2),
            ]);
            let charge = |usage: &Usage| {
                let charge = price.list.charge(usage, NOW, 1_000_000);
                charge.map(Credits::micros)
            };
            assert_eq!(charge(&usage), Some(2_504_500), "{}", db.name);
            usage.facts.note(Fact::Size, "1X1");
            assert_eq!(charge(&usage), Some(8_504_500), "{}", db.name);
            let cost = price.list.cost(&usage, NOW).map(Credits::micros);
            assert_eq!(cost, Some(3_600), "{}", db.name);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_of_an_unknown_end_counts_in_the_sums_once_it_is_known() {
    for db in databases().await {
        let (store, clock) = (Store::new(db.db.clone()), Clock::fixed(NOW));
        let settings = LedgerSettings::default();
        let supervisor = Supervisor::new();
        let ledger = Ledger::start(store.clone(), clock.clone(), &supervisor, settings).await;
        let (ledger, tenant) = (ledger.expect(db.name), TenantId::random());
        let new = NewGrant {
            tenant: tenant.clone(),
            kind: GrantKind::Manual,
            amount: Credits::from_micros(100),
            source_key: "a".to_owned(),
            expires_at: None,
            note: String::new(),
        };
        ledger.grant(new).await.expect(db.name);
        let ask = HoldRequest {
            id: GenerationId::random(),
            tenant: tenant.clone(),
            amount: Credits::from_micros(50),
            least: Credits::from_micros(50),
            spenders: Vec::new(),
            zone: Zone::utc(),
            owner: BootId::random().into(),
            snapshot: StoredSnapshot::default(),
            deadline_at: NOW,
        };
        ledger.hold(ask.clone()).await.expect(db.name);
        let unknown = Unknown {
            ask_until: NOW.after(Duration::from_secs(60)),
            promised: false,
        };
        let record =
            |micros: i64| usage_record(&ask.id, &tenant, Credits::from_micros(micros), NOW);
        let given = ledger.give_back(&ask.id, &tenant, unknown, record(0));
        given.await.expect(db.name);
        let mut roller = Roller::new(store.clone(), clock.clone());
        let patience = Duration::from_secs(10);
        assert!(roller.catch_up(patience).await.expect(db.name));
        let nothing = roller.check().await.expect(db.name);
        assert!(nothing.is_empty(), "{}: {nothing:#?}", db.name);
        let credits = Credits::from_micros(40);
        let settled = ledger.settle(&ask.id, &tenant, credits, record(40)).await;
        assert_eq!(settled.expect(db.name).charged, credits);
        assert!(roller.catch_up(patience).await.expect(db.name));
        let differences = roller.check().await.expect(db.name);
        assert!(differences.is_empty(), "{}: {differences:#?}", db.name);
        assert!(
            ledger.verify().await.expect(db.name).is_empty(),
            "{}",
            db.name
        );
        let sums = store.usage_summary(&tenant, server::store::usage::TimeRange::default());
        let sums = sums.await.expect(db.name);
        assert_eq!(
            (sums[0].calls, sums[0].credits),
            (1, credits),
            "{}",
            db.name
        );
    }
}
