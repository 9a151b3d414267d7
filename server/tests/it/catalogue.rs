//! Models, prices and usage records on both databases.

mod facts;
mod price_import;
mod prices;
mod usage;

use server::catalogue::facts::ModelFacts;
use server::catalogue::model::WeightedTarget;
use server::catalogue::price::{ImagePrice, PlainPrice};
use server::catalogue::{Catalogue, CatalogueError};
use server::store::Store;
use server::store::audit::Actor;
use server::store::catalogue::{ModelPatch, NewModel};
use shared::clock::{Clock, Moment};
use shared::credits::Credits;
use shared::link::Operation;

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
        cost: None,
        provider: provider.to_owned(),
        model: "m1".to_owned(),
        weight: 2,
        priority,
    };
    NewModel {
        facts: ModelFacts::default(),
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
