//! Any rates, usages and bounds, small and at their ends.

use super::super::super::super::when::{Day, When};
use super::super::*;

pub(super) fn credits() -> impl Strategy<Value = Credits> {
    prop_oneof![
        Just(Credits::ZERO),
        (0_i64..100).prop_map(Credits::from_micros),
        (0_i64..100_000_000).prop_map(Credits::from_micros),
        (0_i64..=RATE_MAX.micros()).prop_map(Credits::from_micros),
    ]
}

pub(super) fn unit() -> impl Strategy<Value = Unit> {
    proptest::sample::select(Unit::all().collect::<Vec<_>>())
}

pub(super) fn fact() -> impl Strategy<Value = Fact> {
    proptest::sample::select(vec![Fact::Size, Fact::Quality, Fact::Tier])
}

pub(super) fn word() -> impl Strategy<Value = String> {
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

pub(super) fn rate() -> impl Strategy<Value = Rate> {
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

pub(super) fn lists() -> impl Strategy<Value = Tariff> {
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

pub(super) fn count() -> impl Strategy<Value = u64> {
    prop_oneof![1_u64..10, 0_u64..5_000, 0_u64..1 << 40]
}

pub(super) fn usages() -> impl Strategy<Value = Usage> {
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

pub(super) fn moments() -> impl Strategy<Value = Moment> {
    // 2026 and 2027.
    (1_767_225_600_000_i64..1_830_297_600_000).prop_map(Moment::from_unix_ms)
}

pub(super) fn multiplier() -> impl Strategy<Value = i64> {
    prop_oneof![Just(PLAIN), Just(0), 0_i64..10_000_000]
}

/// Bounds that `usage` keeps within: each family's sum and some more, under its first unit.
pub(super) fn around(usage: &Usage, more: u64, facts: Facts) -> Usage {
    let first = |unit: Unit| unit.family().units().next().expect("a unit");
    let mut bounds = Usage::of(usage.measures().map(|(unit, count)| (first(unit), count)));
    bounds.facts = facts;
    let families: Vec<_> = bounds.measures().collect();
    for (unit, _) in families {
        bounds.add(unit, more);
    }
    bounds
}
