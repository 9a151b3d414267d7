//! The valid price is the newest that has begun, and calls go by priority, then by weight.

use shared::id::PriceId;

use super::*;
use crate::catalogue::price::{PriceList, Tariff};

fn model(targets: &[(&str, u32, u32)], valid_from: &[i64]) -> Model {
    let target = |(name, weight, priority): &(&str, u32, u32)| WeightedTarget {
        provider: (*name).to_owned(),
        model: "m".to_owned(),
        weight: *weight,
        priority: *priority,
        gateway: None,
        cost: None,
    };
    let price = |at: &i64| Price {
        id: PriceId::random(),
        valid_from: Moment::from_unix_ms(*at),
        list: Tariff::new(PriceList::default()).expect("sound"),
    };
    Model::new(ModelParts {
        id: "m".to_owned(),
        operation: Operation::Chat,
        targets: targets.iter().map(target).collect(),
        max_output_tokens: 10,
        enabled: true,
        answers_public_name: false,
        is_default: false,
        created_at: Moment::default(),
        prices: valid_from.iter().map(price).collect(),
        facts: ModelFacts::default(),
    })
}

fn names(targets: &[Target]) -> Vec<&str> {
    targets
        .iter()
        .map(|target| target.provider.as_str())
        .collect()
}

#[test]
fn the_newest_price_that_has_begun_is_valid() {
    let model = model(&[("a", 1, 0)], &[100, 300, 200]);
    let at = |ms| {
        model
            .price_at(Moment::from_unix_ms(ms))
            .map(|price| price.valid_from.unix_ms())
    };
    assert_eq!(
        (at(99), at(100), at(299), at(1_000)),
        (None, Some(100), Some(200), Some(300))
    );
}

#[test]
fn lower_priorities_come_first_and_a_fixed_order_is_shared() {
    let model = model(&[("b", 1, 1), ("a", 1, 0), ("c", 9, 7)], &[]);
    let order = model.ordered_targets(1);
    assert_eq!(names(&order), ["a", "b", "c"]);
    assert!(Arc::ptr_eq(&order, &model.ordered_targets(2)));
}

#[test]
fn calls_are_spread_by_weight_inside_a_priority() {
    let model = model(&[("heavy", 3, 0), ("light", 1, 0), ("last", 1_000, 5)], &[]);
    let mut heavy_first = 0;
    for seed in 0..4_000 {
        let order = model.ordered_targets(seed);
        assert_eq!(order.len(), 3, "every target is there once");
        assert_eq!(order[2].provider, "last");
        heavy_first += u32::from(order[0].provider == "heavy");
    }
    assert!((2_800..3_200).contains(&heavy_first), "{heavy_first}");
    assert_eq!(
        model.ordered_targets(7),
        model.ordered_targets(7),
        "the seed decides"
    );
}
