//! Plain prices become rates and come back as they were.

use super::*;

fn credits(text: &str) -> Credits {
    text.parse().expect("credits")
}

fn row(size: Option<&str>, quality: Option<&str>, text: &str) -> ImagePrice {
    ImagePrice {
        size: size.map(str::to_owned),
        quality: quality.map(str::to_owned),
        credits: credits(text),
    }
}

fn shown(list: &PriceList) -> Vec<String> {
    let shown = |rate: &Rate| {
        let words: Vec<_> = rate.when.facts.values().flatten().cloned().collect();
        let cost = rate
            .cost
            .map_or_else(|| "?".to_owned(), |cost| cost.to_string());
        format!(
            "{} {} {} / {cost}",
            rate.unit,
            words.join(" "),
            rate.credits
        )
    };
    list.rates.iter().map(shown).collect()
}

#[test]
fn a_plain_price_is_rates_and_these_are_it_again() {
    let price = PlainPrice {
        per_request: credits("0.5"),
        input_per_million: credits("2.5"),
        cached_input_per_million: Some(credits("0.25")),
        output_per_million: credits("10"),
        ..PlainPrice::default()
    };
    let cost = PlainPrice {
        input_per_million: credits("2"),
        output_per_million: credits("8"),
        reasoning_per_million: Some(credits("9")),
        ..PlainPrice::default()
    };
    let list = price.list(Some(&cost));
    let lines = [
        "request  0.5 / 0",
        "input_token  2.5 / 2",
        "cached_input_token  0.25 / 2",
        "output_token  10 / 8",
        "reasoning_token  10 / 9",
    ];
    assert_eq!(shown(&list), lines);
    let free = list.clone().or_free([Unit::Image, Unit::OutputAudioToken]);
    assert_eq!(shown(&free)[5..], ["image  0 / 0"]);
    assert!(free.plain().is_some());
    let alone = price.list(None);
    assert!(alone.rates.iter().all(|rate| rate.cost.is_none()));
    let again = alone
        .plain()
        .map(|(price, cost)| (price.list(cost.as_ref()), cost));
    assert_eq!(again, Some((alone, None)));
    let mut richer = list;
    richer.rates[0].when.context_over = Some(1);
    assert_eq!(richer.plain(), None);
}

#[test]
fn rows_of_images_stay_few_and_fit_as_the_plain_ones_did() {
    let price = PlainPrice {
        per_image: vec![
            row(Some("1024X1024"), Some("high"), "4"),
            row(Some("1024x1024"), None, "2"),
            row(None, Some("low"), "1"),
        ],
        ..PlainPrice::default()
    };
    let list = price.list(None);
    let lines = [
        "image 1024x1024 high 4 / ?",
        "image 1024x1024 2 / ?",
        "image low 1 / ?",
        "image  4 / ?",
    ];
    assert_eq!(shown(&list)[2..], lines);
    let cost = PlainPrice {
        per_image: vec![row(None, Some("high"), "3"), row(None, None, "0.1")],
        ..PlainPrice::default()
    };
    let both = [
        "image 1024x1024 high 4 / 3",
        "image 1024x1024 2 / 0.1",
        "image high 4 / 3",
        "image low 1 / 0.1",
        "image  4 / 0.1",
    ];
    assert_eq!(shown(&price.list(Some(&cost)))[2..], both);
}
