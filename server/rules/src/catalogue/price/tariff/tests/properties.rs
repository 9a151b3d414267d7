//! What holds for any rates, usages and bounds.

mod given;

use self::given::{around, count, credits, fact, lists, moments, multiplier, unit, usages};
use super::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_024))]

    #[test]
    fn the_worst_case_is_never_below_the_bill_of_a_usage_within_the_bounds(
        list in lists(), usage in usages(), more in 0_u64..3_000, at in moments(), ppm in multiplier(),
        open in proptest::collection::vec(fact(), 0..3),
    ) {
        // What is open may turn out otherwise than it is known, or not be known at all.
        let mut facts = Facts::none();
        for (fact, word) in usage.facts.iter().filter(|(fact, _)| !open.contains(fact)) {
            facts.note(fact, word);
        }
        let bounds = around(&usage, more, facts);
        let case = WorstCase { bounds: &bounds, open: &open, at };
        if let Some(worst) = list.worst_case(case, ppm) {
            let charge = list.charge(&usage, at, ppm);
            prop_assert!(charge.is_some_and(|charge| charge <= worst), "{charge:?} {worst}");
        }
    }

    #[test]
    fn the_lines_add_up_exactly_to_the_charge(
        list in lists(), usage in usages(), at in moments(), ppm in multiplier(),
    ) {
        let charge = list.charge(&usage, at, ppm);
        if let Some(bill) = list.bill(&usage, at, ppm) {
            prop_assert_eq!(charge, Some(bill.total));
            let mut sum = Exact::default();
            for line in &bill.lines {
                sum = sum.checked_add(line.amount).expect("fits");
            }
            prop_assert_eq!(sum, bill.subtotal);
            for step in [bill.raised, bill.multiplied, bill.rounded] {
                sum = sum.checked_add(step).expect("fits");
            }
            prop_assert_eq!(sum.whole(), charge);
            let micro = Exact::of(Credits::from_micros(1)).expect("fits");
            prop_assert!(bill.rounded >= Exact::default() && bill.rounded < micro);
            prop_assert!(bill.raised >= Exact::default());
        }
    }

    #[test]
    fn one_more_of_a_unit_costs_no_less_within_a_band(
        list in lists(), usage in usages(), unit in unit(), at in moments(), ppm in multiplier(),
    ) {
        let has_bands = list.rates.iter().any(|rate| rate.when.context_over.is_some());
        let mut more = usage.clone();
        more.add(unit, 1);
        if unit != Unit::Request && !has_bands && let Some(dearer) = list.charge(&more, at, ppm) {
            let charge = list.charge(&usage, at, ppm);
            prop_assert!(charge.is_some_and(|charge| charge <= dearer), "{charge:?} {dearer}");
        }
    }

    #[test]
    fn the_output_bound_is_the_largest_that_fits(
        list in lists(), budget in credits(), input in count(), at in moments(), ppm in multiplier(),
    ) {
        let bounds = |output: u64| {
            Usage::of([(Unit::InputToken, input.max(1)), (Unit::OutputToken, output)])
        };
        let worst = |output: u64| {
            let bounds = bounds(output);
            list.worst_case(WorstCase { bounds: &bounds, open: &[], at }, ppm)
        };
        let bounds = bounds(1);
        let case = WorstCase { bounds: &bounds, open: &[], at };
        match list.output_tokens_within(budget, case, ppm) {
            Some(tokens) => {
                prop_assert!(worst(tokens).is_none_or(|cost| cost <= budget));
                if let Some(one_more) = tokens.checked_add(1) {
                    prop_assert!(worst(one_more).is_none_or(|cost| cost > budget));
                }
            }
            None => prop_assert!(worst(0).is_none_or(|cost| cost > budget)),
        }
    }

    #[test]
    fn a_list_is_read_as_it_was_written(list in lists()) {
        let json = serde_json::to_string(&*list).expect("written");
        prop_assert_eq!(&serde_json::from_str::<PriceList>(&json).expect("read"), &*list);
    }
}
