//! Prices from day to day: changed, damaged, coming into force and withdrawn.

use server::catalogue::CatalogueError;
use server::store::catalogue::ModelPatch;
use shared::id::PriceId;

use super::{actor, items, new_model, rooms};

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
