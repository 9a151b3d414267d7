//! Scales have few round steps, and a course stays inside its box however it runs.

use proptest::prelude::*;

use super::*;

#[test]
fn a_scale_has_few_round_steps() {
    let ticks =
        |values: &[i128]| -> Vec<i128> { Scale::of(values.iter().copied(), 1).ticks().collect() };
    assert_eq!(ticks(&[3, 7, 92]), [100, 80, 60, 40, 20, 0]);
    assert_eq!(ticks(&[]), [1, 0]);
    assert_eq!(ticks(&[-30, 70]), [80, 60, 40, 20, 0, -20, -40]);
    assert_eq!(ticks(&[2]), [2, 1, 0]);
    let nothing: Vec<i128> = Scale::of([0, 0].into_iter(), 1_000_000).ticks().collect();
    assert_eq!(nothing, [1_000_000, 0], "a credit, not a millionth of one");
}

#[test]
fn a_course_fills_its_height_and_one_without_change_is_flat() {
    let close = Scale::close([9_900, 9_960, 9_980].into_iter());
    assert_eq!((close.y(9_980), close.y(9_900)), (0, 800));
    let flat = Scale::close([7, 7].into_iter());
    assert!((0..=HEIGHT).contains(&flat.y(7)));
}

proptest! {
    #[test]
    fn every_value_is_inside(values in proptest::collection::vec(any::<i64>(), 0..20)) {
        let scale = Scale::of(values.iter().map(|value| i128::from(*value)), 1);
        for value in values {
            prop_assert!((0..=HEIGHT).contains(&scale.y(i128::from(value))));
            prop_assert!(i128::from(value) >= scale.lowest);
            prop_assert!(i128::from(value) <= scale.highest);
        }
        prop_assert!(scale.ticks().count() <= 8);
    }
}
