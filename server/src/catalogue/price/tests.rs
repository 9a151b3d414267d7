//! Examples and properties of prices.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "the properties restate the sums plainly"
)]

use proptest::option;
use proptest::prelude::*;

use super::*;

const PLAIN: i64 = 1_000_000;

fn credits(text: &str) -> Credits {
    text.parse().expect("credits")
}

fn chat_price() -> PriceItems {
    PriceItems {
        input_per_million: credits("2.5"),
        cached_input_per_million: Some(credits("0.25")),
        output_per_million: credits("10"),
        ..PriceItems::default()
    }
}

#[test]
fn each_class_of_tokens_has_its_own_price() {
    let usage = Usage {
        input_tokens: 1_000,
        cached_input_tokens: 2_000,
        cache_write_tokens: 100,
        output_tokens: 300,
        reasoning_tokens: 200,
        ..Usage::default()
    };
    // 2500 + 500 + 250 + 3000 + 2000 micro-credits.
    assert_eq!(
        chat_price().charge(&usage, None, PLAIN),
        Some(credits("0.00825"))
    );
    assert_eq!(
        chat_price().charge(&usage, None, PLAIN / 2),
        Some(credits("0.004125"))
    );
}

#[test]
fn a_part_of_a_micro_credit_is_rounded_up_once() {
    let price = PriceItems {
        input_per_million: Credits::from_micros(1),
        output_per_million: Credits::from_micros(1),
        ..PriceItems::default()
    };
    let usage = Usage {
        input_tokens: 1,
        output_tokens: 1,
        ..Usage::default()
    };
    assert_eq!(
        price.charge(&usage, None, PLAIN),
        Some(Credits::from_micros(1))
    );
    assert_eq!(
        price.charge(&Usage::default(), None, PLAIN),
        Some(Credits::ZERO)
    );
}

#[test]
fn an_image_is_priced_by_the_closest_row_or_the_dearest() {
    let row = |size: Option<&str>, quality: Option<&str>, text| ImagePrice {
        size: size.map(str::to_owned),
        quality: quality.map(str::to_owned),
        credits: credits(text),
    };
    let mut price = PriceItems {
        per_image: vec![
            row(Some("1024x1024"), Some("high"), "4"),
            row(Some("1024x1024"), None, "2"),
            row(None, Some("low"), "1"),
        ],
        ..PriceItems::default()
    };
    let charge = |price: &PriceItems, n, size, quality| {
        price.charge(
            &Usage::default(),
            Some(ImageAsk { n, size, quality }),
            PLAIN,
        )
    };
    assert_eq!(
        charge(&price, 3, Some("1024x1024"), Some("high")),
        Some(credits("12"))
    );
    assert_eq!(
        charge(&price, 1, Some("1024x1024"), Some("odd")),
        Some(credits("2"))
    );
    assert_eq!(
        charge(&price, 1, Some("9x9"), Some("low")),
        Some(credits("1"))
    );
    assert_eq!(
        charge(&price, 1, Some("9x9"), None),
        Some(credits("4")),
        "unknown is the dearest"
    );
    assert_eq!(charge(&price, 1, None, None), Some(credits("4")));
    price.per_image.push(row(None, None, "0.5"));
    assert_eq!(charge(&price, 1, Some("9x9"), None), Some(credits("0.5")));
}

#[test]
fn absurd_numbers_have_no_price() {
    let price = PriceItems {
        output_per_million: ITEM_MAX,
        ..PriceItems::default()
    };
    let usage = Usage {
        output_tokens: u64::MAX,
        ..Usage::default()
    };
    assert_eq!(price.charge(&usage, None, PLAIN), None);
    assert_eq!(price.charge(&usage, None, i64::MAX), None);
    let one = Usage {
        output_tokens: 1,
        ..Usage::default()
    };
    assert_eq!(price.charge(&one, None, -1), None);
    let images = Some(ImageAsk {
        n: u64::MAX,
        size: None,
        quality: None,
    });
    let priced = PriceItems {
        per_image: vec![ImagePrice {
            credits: ITEM_MAX,
            ..ImagePrice::default()
        }],
        ..PriceItems::default()
    };
    // The count that gave free credit elsewhere (GHSA-8r8v-xf7q-rcpr) has no price here.
    assert_eq!(priced.charge(&one, images, PLAIN), None);
    let negative = PriceItems {
        per_request: Credits::from_micros(-1),
        ..PriceItems::default()
    };
    assert_eq!(negative.charge(&one, None, PLAIN), None);
    assert_eq!(negative.output_tokens_within(Credits::MAX, 0, PLAIN), None);
    let above = PriceItems {
        per_request: Credits::MAX,
        ..PriceItems::default()
    };
    assert_eq!(above.charge(&one, None, PLAIN), None);
}

#[test]
fn free_output_has_no_bound() {
    let embedding = PriceItems {
        input_per_million: credits("1"),
        ..PriceItems::default()
    };
    assert_eq!(
        embedding.output_tokens_within(credits("1"), 1_000_000, PLAIN),
        Some(u64::MAX)
    );
    assert_eq!(
        embedding.output_tokens_within(credits("1"), 1_000_001, PLAIN),
        None
    );
    assert_eq!(
        chat_price().output_tokens_within(Credits::ZERO, 10, 0),
        Some(u64::MAX)
    );
}

#[test]
fn items_are_exact_decimals_in_json_and_unknown_items_are_refused() {
    let json = r#"{"per_request":0,"input_per_million":2.5,"cached_input_per_million":0.25,"output_per_million":10}"#;
    assert_eq!(serde_json::to_string(&chat_price()).expect("written"), json);
    assert_eq!(
        serde_json::from_str::<PriceItems>(json).expect("read"),
        chat_price()
    );
    assert!(serde_json::from_str::<PriceItems>(r#"{"per_video_second":1}"#).is_err());
}

fn item() -> impl Strategy<Value = Credits> {
    prop_oneof![
        Just(Credits::ZERO),
        (0_i64..100).prop_map(Credits::from_micros),
        (0_i64..100_000_000).prop_map(Credits::from_micros),
        (0_i64..=ITEM_MAX.micros()).prop_map(Credits::from_micros),
    ]
}

fn items() -> impl Strategy<Value = PriceItems> {
    let word = || option::of(prop_oneof![Just("a"), Just("b"), Just("c")].prop_map(str::to_owned));
    let image = (word(), word(), item()).prop_map(|(size, quality, credits)| ImagePrice {
        size,
        quality,
        credits,
    });
    let tokens = (
        item(),
        option::of(item()),
        option::of(item()),
        item(),
        option::of(item()),
    );
    (item(), tokens, proptest::collection::vec(image, 0..5)).prop_map(
        |(per_request, tokens, per_image)| PriceItems {
            per_request,
            input_per_million: tokens.0,
            cached_input_per_million: tokens.1,
            cache_write_per_million: tokens.2,
            output_per_million: tokens.3,
            reasoning_per_million: tokens.4,
            per_image,
        },
    )
}

fn count() -> impl Strategy<Value = u64> {
    prop_oneof![0_u64..10, 0_u64..1_000_000, 0_u64..1 << 40]
}

fn usage() -> impl Strategy<Value = Usage> {
    (count(), count(), count(), count(), count()).prop_map(|(i, c, w, o, r)| Usage {
        input_tokens: i,
        cached_input_tokens: c,
        cache_write_tokens: w,
        output_tokens: o,
        reasoning_tokens: r,
        ..Usage::default()
    })
}

fn multiplier() -> impl Strategy<Value = i64> {
    prop_oneof![Just(PLAIN), Just(0), 0_i64..10_000_000]
}

#[expect(clippy::unnecessary_wraps, reason = "prices take an optional wish")]
fn wish(n: u64, size: Option<&'static str>) -> Option<ImageAsk<'static>> {
    Some(ImageAsk {
        n,
        size,
        quality: Some("b"),
    })
}

proptest! {
    #[test]
    fn the_worst_case_is_never_below_the_charge(
        price in items(), usage in usage(), ppm in multiplier(), n in 0_u64..20,
        more_in in 0_u64..1_000, more_out in 0_u64..1_000, more_n in 0_u64..3,
        size in option::of(prop_oneof![Just("a"), Just("x")]),
    ) {
        let bounds = WorstCase {
            input_tokens: usage.input_total() + more_in,
            output_tokens: usage.output_total() + more_out,
            image: wish(n + more_n, size),
        };
        if let Some(worst) = price.worst_case(bounds, ppm) {
            let charge = price.charge(&usage, wish(n, size), ppm);
            prop_assert!(charge.is_some_and(|charge| charge <= worst), "{charge:?} {worst}");
        }
    }

    #[test]
    fn one_more_unit_never_costs_less(
        price in items(), usage in usage(), ppm in multiplier(), n in 0_u64..20, class in 0_usize..6,
    ) {
        let mut more = usage;
        let mut images = n;
        match class {
            0 => more.input_tokens += 1,
            1 => more.cached_input_tokens += 1,
            2 => more.cache_write_tokens += 1,
            3 => more.output_tokens += 1,
            4 => more.reasoning_tokens += 1,
            _ => images += 1,
        }
        if let Some(dearer) = price.charge(&more, wish(images, Some("a")), ppm) {
            let charge = price.charge(&usage, wish(n, Some("a")), ppm);
            prop_assert!(charge.is_some_and(|charge| charge <= dearer));
        }
    }

    #[test]
    fn the_charge_is_the_exact_product_rounded_up_by_less_than_one(
        price in items(), usage in usage(), ppm in multiplier(),
    ) {
        if let Some(charge) = price.charge(&usage, None, ppm) {
            let part = |tokens: u64, item: Credits| i128::from(tokens) * i128::from(item.micros());
            let exact = (part(1_000_000, price.per_request)
                + part(usage.input_tokens, price.input_per_million)
                + part(usage.cached_input_tokens, price.cached_input_per_million.unwrap_or(price.input_per_million))
                + part(usage.cache_write_tokens, price.cache_write_per_million.unwrap_or(price.input_per_million))
                + part(usage.output_tokens, price.output_per_million)
                + part(usage.reasoning_tokens, price.reasoning_per_million.unwrap_or(price.output_per_million)))
                * i128::from(ppm);
            let charged = i128::from(charge.micros()) * 1_000_000_000_000;
            prop_assert!(charged >= exact);
            prop_assert!(charged - exact < 1_000_000_000_000);
        }
    }

    #[test]
    fn the_output_bound_is_the_largest_that_fits(
        price in items(), budget in item(), input in count(), ppm in multiplier(),
    ) {
        let worst = |output_tokens| {
            price.worst_case(WorstCase { input_tokens: input, output_tokens, image: None }, ppm)
        };
        match price.output_tokens_within(budget, input, ppm) {
            Some(tokens) => {
                prop_assert!(worst(tokens).is_some_and(|cost| cost <= budget));
                if let Some(one_more) = tokens.checked_add(1) {
                    prop_assert!(worst(one_more).is_none_or(|cost| cost > budget));
                }
            }
            None => prop_assert!(worst(0).is_none_or(|cost| cost > budget)),
        }
    }

    #[test]
    fn no_numbers_panic(
        price in any::<[i64; 6]>(), counts in any::<[u64; 7]>(), ppm in any::<i64>(), budget in any::<i64>(),
    ) {
        let [request, input, cached, output, reasoning, image] = price.map(Credits::from_micros);
        let price = PriceItems {
            per_request: request,
            input_per_million: input,
            cached_input_per_million: Some(cached),
            cache_write_per_million: None,
            output_per_million: output,
            reasoning_per_million: Some(reasoning),
            per_image: vec![ImagePrice { credits: image, ..ImagePrice::default() }],
        };
        let usage = Usage {
            input_tokens: counts[0],
            cached_input_tokens: counts[1],
            cache_write_tokens: counts[2],
            output_tokens: counts[3],
            reasoning_tokens: counts[4],
            ..Usage::default()
        };
        let charge = price.charge(&usage, wish(counts[5], None), ppm);
        prop_assert!(charge.is_none_or(|charge| charge >= Credits::ZERO));
        let bounds = WorstCase { input_tokens: counts[0], output_tokens: counts[3], image: wish(counts[6], None) };
        price.worst_case(bounds, ppm);
        price.output_tokens_within(Credits::from_micros(budget), counts[0], ppm);
    }
}
