//! Amounts in JSON are exact numbers, and what is shown reads back.

use proptest::prelude::*;

use super::*;

fn read(json: &str) -> Option<Amount> {
    Amount::parse_from_json(serde_json::from_str(json).ok()).ok()
}

#[test]
fn amounts_are_numbers_with_their_decimals() {
    let shown = |micros| {
        Amount(Credits::from_micros(micros))
            .to_json()
            .map(|value| value.to_string())
    };
    assert_eq!(shown(20_000_000).as_deref(), Some("20"));
    assert_eq!(shown(37_500).as_deref(), Some("0.0375"));
    assert_eq!(
        shown(-1).as_deref(),
        Some("-1e-6"),
        "JSON's own way to write it"
    );
}

#[test]
fn odd_amounts_are_refused() {
    for json in [
        "-1",
        "0.0000001",
        "1e300",
        "\"x\"",
        "null",
        "{}",
        "2000000000",
        "true",
    ] {
        assert_eq!(read(json), None, "{json}");
    }
    assert_eq!(read("\"0.5\""), Some(Amount(Credits::from_micros(500_000))));
}

proptest! {
    #[test]
    fn what_is_shown_reads_back(micros in 0_i64..1_000_000_000_000_000) {
        let amount = Amount(Credits::from_micros(micros));
        prop_assert_eq!(Amount::parse_from_json(amount.to_json()).ok(), Some(amount));
    }
}
