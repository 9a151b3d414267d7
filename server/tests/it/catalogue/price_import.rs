//! Price lists of others on both databases: read, kept, and set as somebody chose.

use std::collections::HashMap;
use std::time::Duration;

use server::catalogue::price::PriceList;
use server::catalogue::price::list::Currency;
use server::catalogue::price_import::{
    ImportError, ListImport, ReviewRow, RowChoice, RowRefusal, RowState,
};
use server::catalogue::price_list::draft::{ImportTerms, Takes};
use server::catalogue::{Catalogue, NewModel};
use shared::clock::Moment;
use shared::credits::Credits;
use shared::id::PriceReviewId;
use shared::units::Unit;

use super::{Room, actor, new_model, rooms};

fn terms() -> ImportTerms {
    ImportTerms {
        takes: Takes::CostAndPrice,
        factor_ppm: 1_200_000,
        currency: Currency {
            code: "USD".to_owned(),
            credits: Credits::from_micros(1_000_000),
            as_of: "2026-11-28".to_owned(),
        },
    }
}

/// A model that runs at `main` under `name`, at 1.2 and 2.4 credits a million.
async fn add(room: &Room, id: &str, name: &str) {
    let price = "input_token,1000000,1.2,1\noutput_token,1000000,2.4,2";
    let mut model = NewModel {
        price: Some(PriceList::from_text(price).expect("a price")),
        ..new_model(id)
    };
    name.clone_into(&mut model.targets[1].model);
    let added = room.catalogue.create_model(&actor(), model).await;
    added.expect(room.name);
    // A price that is set in the same millisecond would be the same one.
    room.clock.advance(Duration::from_secs(1));
}

async fn import(catalogue: &Catalogue, file: &str) -> Result<PriceReviewId, ImportError> {
    let kinds = HashMap::from([("main".to_owned(), "openai".to_owned())]);
    let import = ListImport {
        file: file.to_owned(),
        file_name: "C:\\lists\\prices.json".to_owned(),
        group: None,
        terms: terms(),
    };
    catalogue.import_list(&actor(), import, &kinds).await
}

async fn rows(catalogue: &Catalogue, id: &PriceReviewId) -> Vec<ReviewRow> {
    let review = catalogue.price_review(id, None).await;
    review.expect("a review").rows
}

fn choices(models: &[(&str, bool)]) -> Vec<RowChoice> {
    let choice = |(model, is_confirmed): &(&str, bool)| RowChoice {
        model: (*model).to_owned(),
        is_confirmed: *is_confirmed,
    };
    models.iter().map(choice).collect()
}

fn refused<T: std::fmt::Debug>(result: Result<T, ImportError>) -> Vec<(String, RowRefusal)> {
    match result {
        Err(ImportError::Rows(rows)) => rows,
        other => panic!("rows are refused: {other:?}"),
    }
}

fn input_price(catalogue: &Catalogue, room: &Room, id: &str) -> i64 {
    let model = catalogue.model(id).expect("a model");
    let price = model.price_at(room.clock.now()).expect("a price");
    price.list.rates[0].credits.micros()
}

/// `same` stays, `more` is a tenth more, `dear` twice as much, `free` nothing, `half` has no price of output.
const LIST: &str = r#"{
    "same": {"litellm_provider": "openai", "input_cost_per_token": 1e-06, "output_cost_per_token": 2e-06},
    "openai/more-2": {"litellm_provider": "openai", "input_cost_per_token": 1.1e-06, "output_cost_per_token": 2.2e-06},
    "dear": {"litellm_provider": "other", "input_cost_per_token": 2e-06, "output_cost_per_token": 2e-06},
    "free": {"input_cost_per_token": 0, "output_cost_per_token": 0.0},
    "half": {"litellm_provider": "openai", "input_cost_per_token": 1e-06},
    "nobody": {"litellm_provider": "openai", "input_cost_per_token": 1e-06},
    "bad": {"litellm_provider": "openai", "input_cost_per_token": "1"}
}"#;

#[tokio::test]
async fn a_list_is_matched_and_what_must_be_looked_at_twice_needs_its_own_word() {
    for room in rooms().await {
        for (id, name) in [
            ("a-same", "same"),
            ("b-more", "more-2"),
            ("c-dear", "dear"),
            ("d-free", "free"),
            ("without", "elsewhere"),
        ] {
            add(&room, id, name).await;
        }
        let bare = NewModel {
            price: None,
            ..new_model("half")
        };
        let added = room.catalogue.create_model(&actor(), bare).await;
        added.expect(room.name);
        let id = import(&room.catalogue, LIST).await.expect(room.name);
        let review = room.catalogue.price_review(&id, None).await;
        let review = review.expect(room.name);
        let told: Vec<(&str, &str, &str)> = review
            .rows
            .iter()
            .map(|row| (row.model.as_str(), row.matched_by.word(), row.state.word()))
            .collect();
        assert_eq!(
            told,
            [
                ("a-same", "target", "ready"),
                ("b-more", "prefix", "ready"),
                ("c-dear", "name", "ready"),
                ("d-free", "name", "ready"),
                ("half", "model", "missing"),
            ],
            "{}",
            room.name
        );
        assert_eq!(
            review.rows[4].state,
            RowState::Missing(vec![Unit::OutputToken])
        );
        assert_eq!(review.without, ["without"]);
        assert_eq!(review.unmatched, ["nobody"]);
        assert_eq!(
            (review.problem_count, review.review.file_name.as_str()),
            (1, "prices.json")
        );
        let needs = |row: &ReviewRow| row.changes.needs_confirmation();
        let needs: Vec<bool> = review.rows.iter().map(needs).collect();
        assert_eq!(needs, [false, false, true, true, false], "{}", room.name);

        let apply = async |chosen: &[(&str, bool)]| {
            let choices = choices(chosen);
            let of = (choices.as_slice(), None);
            room.catalogue.apply_price_review(&actor(), &id, of).await
        };
        // One row that is refused, and none is set.
        for (chosen, why) in [
            (("c-dear", false), RowRefusal::Unconfirmed),
            (("d-free", false), RowRefusal::Unconfirmed),
            (
                ("half", true),
                RowRefusal::State(RowState::Missing(vec![Unit::OutputToken])),
            ),
            (("without", true), RowRefusal::NoSuchRow),
            (("b-more", true), RowRefusal::Twice),
        ] {
            let rows = refused(apply(&[("b-more", false), chosen]).await);
            assert_eq!(rows, [(chosen.0.to_owned(), why)], "{}", room.name);
            assert_eq!(input_price(&room.catalogue, &room, "b-more"), 1_200_000);
        }
        let all = [
            ("a-same", false),
            ("b-more", false),
            ("c-dear", true),
            ("d-free", true),
        ];
        let done = apply(&all).await.expect(room.name);
        // `a-same` gets its currency with it: it has none yet.
        assert_eq!(
            (done.prices.len(), done.is_before),
            (4, false),
            "{}",
            room.name
        );
        assert_eq!(input_price(&room.catalogue, &room, "b-more"), 1_320_000);
        assert_eq!(input_price(&room.catalogue, &room, "d-free"), 0);

        // Twice is once, also where the same file is uploaded again.
        let again = apply(&all).await.expect(room.name);
        assert_eq!((&again.prices, again.is_before), (&done.prices, true));
        let second = import(&room.catalogue, LIST).await.expect(room.name);
        for row in rows(&room.catalogue, &second).await.iter().take(4) {
            assert_eq!(
                row.state,
                RowState::Unchanged,
                "{} {}",
                room.name,
                row.model
            );
        }
        let choices = choices(&all);
        let of = (choices.as_slice(), None);
        let nothing = room
            .catalogue
            .apply_price_review(&actor(), &second, of)
            .await;
        assert_eq!(nothing.expect(room.name).prices, []);
        assert_eq!(
            room.catalogue.model("b-more").expect("there").prices.len(),
            2
        );

        let entries = room.store.audit_entries(None, 100).await.expect(room.name);
        let entry = entries
            .iter()
            .find(|one| one.action == "price_review.apply");
        let after = entry
            .and_then(|entry| entry.after.clone())
            .expect("an entry");
        assert!(
            after.contains("\"confirmed\":[\"c-dear\",\"d-free\"]"),
            "{after}"
        );
        assert!(after.contains(&review.review.file_hash), "{after}");
    }
}

#[tokio::test]
async fn who_comes_second_is_told_of_what_has_changed_and_pins_hold() {
    for room in rooms().await {
        add(&room, "a", "same").await;
        add(&room, "b", "more-2").await;
        let other = Catalogue::load(room.store.clone(), room.clock.clone()).await;
        let other = other.expect(room.name);
        let first = import(&room.catalogue, LIST).await.expect(room.name);
        // Another replica serves it too.
        assert_eq!(rows(&other, &first).await.len(), 2, "{}", room.name);
        let who = actor();
        let list = PriceList::from_text("input_token,1000000,9\noutput_token,1000000,9");
        let set = room
            .catalogue
            .create_price(&who, "b".to_owned(), None, list.expect("a price"));
        set.await.expect(room.name);
        room.clock.advance(Duration::from_secs(1));
        // The other replica has not heard of it yet.
        let both = choices(&[("a", false), ("b", true)]);
        let conflict = other
            .apply_price_review(&actor(), &first, (&both, None))
            .await;
        let changed = RowRefusal::State(RowState::Changed);
        assert_eq!(
            refused(conflict),
            [("b".to_owned(), changed)],
            "{}",
            room.name
        );
        assert_eq!(other.model("a").expect("there").prices.len(), 1);

        room.catalogue
            .pin_price(&actor(), "a", true)
            .await
            .expect(room.name);
        assert_eq!(other.price_pins().await.expect(room.name), ["a"]);
        let pinned = other
            .apply_price_review(&actor(), &first, (&both[..1], None))
            .await;
        let pin = RowRefusal::State(RowState::Pinned);
        assert_eq!(refused(pinned), [("a".to_owned(), pin)], "{}", room.name);
        room.catalogue
            .pin_price(&actor(), "a", false)
            .await
            .expect(room.name);

        let tomorrow = room.clock.now().after(Duration::from_secs(86_400));
        let yesterday = room.clock.now().before(Duration::from_secs(86_400));
        let early = other
            .apply_price_review(&actor(), &first, (&both[..1], Some(yesterday)))
            .await;
        assert!(matches!(early, Err(ImportError::Catalogue(_))), "{early:?}");
        let done = other
            .apply_price_review(&actor(), &first, (&both[..1], Some(tomorrow)))
            .await;
        assert_eq!(done.expect(room.name).prices.len(), 1);
        let model = other.model("a").expect("there");
        assert_eq!(model.prices[0].valid_from, tomorrow, "{}", room.name);
        assert_eq!(input_price(&other, &room, "a"), 1_200_000);

        // A pin goes with its model.
        room.catalogue
            .pin_price(&actor(), "b", true)
            .await
            .expect(room.name);
        room.catalogue
            .delete_model(&actor(), "b")
            .await
            .expect(room.name);
        let pins = room.catalogue.price_pins().await;
        assert!(pins.expect(room.name).is_empty(), "{}", room.name);
        let states = rows(&room.catalogue, &first).await;
        assert_eq!(states[1].state, RowState::Gone);
    }
}

#[tokio::test]
async fn two_who_set_the_same_review_at_once_set_it_once() {
    for room in rooms().await {
        add(&room, "a", "same").await;
        let id = import(&room.catalogue, LIST).await.expect(room.name);
        let one = choices(&[("a", false)]);
        let (who, of) = (actor(), (one.as_slice(), None));
        let (first, second) = tokio::join!(
            room.catalogue.apply_price_review(&who, &id, of),
            room.catalogue.apply_price_review(&who, &id, of),
        );
        let (first, second) = (first.expect(room.name), second.expect(room.name));
        assert_ne!(first.is_before, second.is_before, "{}", room.name);
        assert_eq!(first.prices, second.prices);
        assert_eq!(room.catalogue.model("a").expect("there").prices.len(), 2);
    }
}

#[tokio::test]
async fn reviews_expire_and_the_oldest_make_room() {
    for room in rooms().await {
        add(&room, "a", "same").await;
        let first = import(&room.catalogue, LIST).await.expect(room.name);
        for _ in 0..20 {
            room.clock.advance(Duration::from_secs(1));
            import(&room.catalogue, LIST).await.expect(room.name);
        }
        let kept = room.catalogue.price_reviews().await.expect(room.name);
        assert_eq!(kept.len(), 20, "{}", room.name);
        let gone = room.catalogue.price_review(&first, None).await;
        assert!(
            matches!(gone, Err(ImportError::NoSuchReview)),
            "{}",
            room.name
        );
        room.clock.advance(Duration::from_secs(24 * 3_600));
        let kept = room.catalogue.price_reviews().await.expect(room.name);
        assert_eq!(kept, [], "{}", room.name);
        let late = room
            .catalogue
            .apply_price_review(&actor(), &first, (&[], None))
            .await;
        assert!(
            matches!(late, Err(ImportError::NoSuchReview)),
            "{}",
            room.name
        );
        for wrong in ["", "{}", "[", "hello"] {
            let refused = import(&room.catalogue, wrong).await;
            assert!(matches!(refused, Err(ImportError::List(_))), "{wrong}");
        }
    }
}

#[tokio::test]
async fn a_price_that_was_scheduled_before_is_not_taken_back_by_one_made_beside_its_forerunner() {
    const HOUR: Duration = Duration::from_secs(3_600);
    for room in rooms().await {
        add(&room, "a", "same").await;
        let begins = room.clock.now().after(HOUR);
        let list = PriceList::from_text("input_token,1000000,2\noutput_token,1000000,4,3");
        let who = actor();
        let list = list.expect("a price");
        let set = room
            .catalogue
            .create_price(&who, "a".to_owned(), Some(begins), list);
        set.await.expect(room.name);
        let id = import(&room.catalogue, LIST).await.expect(room.name);
        let state = async |from: Option<Moment>| {
            let review = room.catalogue.price_review(&id, from).await;
            review.expect(room.name).rows[0].state.clone()
        };
        assert_eq!(state(None).await, RowState::Ready, "{}", room.name);
        let before = begins.before(Duration::from_millis(1));
        assert_eq!(state(Some(before)).await, RowState::Ready);
        assert_eq!(state(Some(begins)).await, RowState::Changed);

        room.clock.advance(HOUR);
        assert_eq!(state(None).await, RowState::Changed, "{}", room.name);
        let one = choices(&[("a", true)]);
        let who = actor();
        let late = room.catalogue.apply_price_review(&who, &id, (&one, None));
        let changed = RowRefusal::State(RowState::Changed);
        assert_eq!(refused(late.await), [("a".to_owned(), changed)]);
        assert_eq!(input_price(&room.catalogue, &room, "a"), 2_000_000);
        // The same list beside the price that is valid now.
        let again = import(&room.catalogue, LIST).await.expect(room.name);
        let row = &rows(&room.catalogue, &again).await[0];
        assert_eq!(row.state, RowState::Ready, "{}", room.name);
    }
}
