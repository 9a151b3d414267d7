//! What holds for any rates, usages and bounds.

use super::super::super::when::{Day, When};
use super::*;

fn credits() -> impl Strategy<Value = Credits> {
    prop_oneof![
        Just(Credits::ZERO),
        (0_i64..100).prop_map(Credits::from_micros),
        (0_i64..100_000_000).prop_map(Credits::from_micros),
        (0_i64..=RATE_MAX.micros()).prop_map(Credits::from_micros),
    ]
}

fn unit() -> impl Strategy<Value = Unit> {
    proptest::sample::select(Unit::all().collect::<Vec<_>>())
}

fn fact() -> impl Strategy<Value = Fact> {
    proptest::sample::select(vec![Fact::Size, Fact::Quality, Fact::Tier])
}

fn word() -> impl Strategy<Value = String> {
    proptest::sample::select(vec!["a", "b", "c"]).prop_map(str::to_owned)
}

fn hours() -> impl Strategy<Value = Hours> {
    let zone = proptest::sample::select(vec!["UTC", "Asia/Shanghai", "America/New_York"]);
    (zone, any::<bool>(), 0_u16..24, 0_u16..24).prop_map(|(zone, weekend, from, to)| Hours {
        zone: Zone::named(zone).expect(zone),
        days: if weekend {
            vec![Day::Sat, Day::Sun]
        } else {
            Vec::new()
        },
        from: Minute::parse(&format!("{from:02}:00")).expect("a time"),
        to: Minute::parse(&format!("{to:02}:30")).expect("a time"),
    })
}

fn when() -> impl Strategy<Value = When> {
    let words = proptest::collection::vec(word(), 1..3);
    let facts = proptest::collection::btree_map(fact(), words, 0..3);
    let over = proptest::option::weighted(0.3, 0_u64..2_000);
    let hours = proptest::option::weighted(0.2, hours());
    (facts, over, hours).prop_map(|(facts, context_over, hours)| When {
        facts,
        context_over,
        hours,
    })
}

fn rate() -> impl Strategy<Value = Rate> {
    let per = proptest::sample::select(vec![1, 1_000, 60_000, 1_000_000, 3_600_000]);
    let step = proptest::sample::select(vec![1, 1_000, 60_000]);
    let cost = proptest::option::of(credits());
    (unit(), per, credits(), cost, when(), step).prop_map(
        |(unit, per, credits, cost, when, step)| {
            let is_alone = unit.family().units().count() == 1;
            Rate {
                unit,
                per,
                credits,
                cost,
                when,
                step: if is_alone { step } else { 1 },
            }
        },
    )
}

fn lists() -> impl Strategy<Value = Tariff> {
    let minimum = proptest::option::weighted(0.2, credits());
    let rates = proptest::collection::vec(rate(), 0..14);
    (rates, minimum).prop_map(|(rates, minimum)| {
        let list = PriceList {
            rates,
            minimum,
            currency: None,
        };
        Tariff::new(list).expect("sound")
    })
}

fn count() -> impl Strategy<Value = u64> {
    prop_oneof![1_u64..10, 0_u64..5_000, 0_u64..1 << 40]
}

fn usages() -> impl Strategy<Value = Usage> {
    let measures = proptest::collection::vec((unit(), count()), 0..6);
    let facts = proptest::collection::vec((fact(), word()), 0..3);
    (measures, facts).prop_map(|(measures, facts)| {
        let measured = measures.into_iter();
        let mut usage = Usage::of(measured.filter(|(unit, _)| *unit != Unit::Request));
        for (fact, word) in facts {
            usage.facts.note(fact, &word);
        }
        usage
    })
}

fn moments() -> impl Strategy<Value = Moment> {
    // 2026 and 2027.
    (1_767_225_600_000_i64..1_830_297_600_000).prop_map(Moment::from_unix_ms)
}

fn multiplier() -> impl Strategy<Value = i64> {
    prop_oneof![Just(PLAIN), Just(0), 0_i64..10_000_000]
}

/// Bounds that `usage` keeps within: each family's sum and some more, under its first unit.
fn around(usage: &Usage, more: u64, facts: Facts) -> Usage {
    let first = |unit: Unit| unit.family().units().next().expect("a unit");
    let mut bounds = Usage::of(usage.measures().map(|(unit, count)| (first(unit), count)));
    bounds.facts = facts;
    let families: Vec<_> = bounds.measures().collect();
    for (unit, _) in families {
        bounds.add(unit, more);
    }
    bounds
}

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
