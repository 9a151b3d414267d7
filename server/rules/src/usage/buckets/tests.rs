//! Buckets leave no gap, add up, and put a percentile within an eighth of the exact one.

use proptest::prelude::*;

use super::*;

/// By the definition: the smallest value that so many do not exceed.
fn exact(values: &[u64], permille: u64) -> u64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() as u64 * permille).div_ceil(1_000).max(1);
    sorted[usize::try_from(rank).expect("small") - 1]
}

fn of(values: &[u64]) -> Buckets {
    let mut buckets = Buckets::default();
    for ms in values {
        buckets.add(*ms);
    }
    buckets
}

#[test]
fn buckets_follow_one_another_without_a_gap() {
    let mut next = 0;
    for place in 0..=super::place(LONGEST_MS) {
        let (low, width) = span(place);
        assert_eq!(low, next, "bucket {place}");
        assert_eq!(
            (super::place(low), super::place(low + width - 1)),
            (place, place)
        );
        next = low + width;
    }
    assert_eq!(next, LONGEST_MS + 1);
}

#[test]
fn nothing_counted_has_no_percentile_and_odd_texts_are_refused() {
    assert_eq!(Buckets::default().percentile(500), None);
    assert_eq!(Buckets::from_text(""), Ok(Buckets::default()));
    for text in ["1", "1:", "a:1", "1:-1", "70000:1"] {
        assert!(Buckets::from_text(text).is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn percentiles_are_within_an_eighth_of_the_exact_ones(
        values in proptest::collection::vec(0_u64..10_000_000, 1..400),
        permille in 1_u64..=1_000,
    ) {
        let told = of(&values).percentile(permille).expect("counted");
        let exact = exact(&values, permille);
        prop_assert!(told.abs_diff(exact) * 8 <= exact, "{told} for {exact}");
    }

    #[test]
    fn sums_of_parts_are_the_whole_and_texts_read_back(
        one in proptest::collection::vec(any::<u64>(), 0..50),
        two in proptest::collection::vec(0_u64..5_000, 0..50),
    ) {
        let mut sum = of(&one);
        sum.merge(&of(&two));
        let whole = of(&[one, two].concat());
        prop_assert_eq!(&sum, &whole);
        prop_assert_eq!(Buckets::from_text(&sum.to_text()), Ok(whole));
    }
}
