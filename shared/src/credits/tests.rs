//! Amounts print, read and scale exactly, rounding up once or refusing.

use proptest::prelude::*;

use super::*;

#[test]
fn amounts_print_as_short_decimals() {
    let text = |micros| Credits::from_micros(micros).to_string();
    assert_eq!(text(20_000_000), "20");
    assert_eq!(text(37_500), "0.0375");
    assert_eq!(text(-1), "-0.000001");
    assert_eq!(text(0), "0");
}

#[test]
fn odd_texts_are_refused() {
    for text in [
        "",
        ".",
        "1.",
        ".5",
        "1e3",
        "+1",
        "--1",
        "1.0000001",
        "99999999999999",
        "NaN",
        "1 ",
    ] {
        assert!(text.parse::<Credits>().is_err(), "{text}");
    }
}

#[test]
fn scaling_rounds_up_once_and_refuses_what_does_not_fit() {
    let one = Credits::from_micros(1);
    assert_eq!(one.scaled_up(1, 1_000_000), Some(one));
    assert_eq!(Credits::ZERO.scaled_up(5, 3), Some(Credits::ZERO));
    assert_eq!(Credits::MAX.scaled_up(2, 1), None);
    assert_eq!(one.scaled_up(-1, 1), None);
    assert_eq!(one.scaled_up(1, 0), None);
}

#[test]
fn json_numbers_are_read_without_a_float() {
    let read: Credits = serde_json::from_str("0.1").expect("a number");
    assert_eq!(read.micros(), 100_000);
    assert_eq!(serde_json::to_string(&read).expect("written"), "0.1");
    assert!(serde_json::from_str::<Credits>("1e2").is_err());
    assert!(serde_json::from_str::<Credits>("{}").is_err());
}

proptest! {
    #[test]
    fn printed_amounts_read_back(micros in -9_000_000_000_000_000_000_i64..9_000_000_000_000_000_000) {
        let amount = Credits::from_micros(micros);
        prop_assert_eq!(amount.to_string().parse(), Ok(amount));
    }

    #[test]
    fn scaling_never_gives_less_than_the_exact_product(a in 0_i64..1 << 40, n in 0_i64..1 << 30, d in 1_i64..1 << 30) {
        if let Some(scaled) = Credits::from_micros(a).scaled_up(n, d) {
            let exact = i128::from(a) * i128::from(n);
            prop_assert!(i128::from(scaled.micros()) * i128::from(d) >= exact);
            prop_assert!((i128::from(scaled.micros()) - 1) * i128::from(d) < exact);
        }
    }
}
