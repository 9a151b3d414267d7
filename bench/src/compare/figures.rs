//! Writes one figure as text. Leaves rows and headings to `table`.

use super::results::Spread;

/// What was not measured.
const NOTHING: &str = "–";

pub(crate) fn credits(micros: i64) -> String {
    let (whole, fraction) = (micros / 1_000_000, micros.abs() % 1_000_000);
    let sign = if micros < 0 && whole == 0 { "-" } else { "" };
    let text = format!("{sign}{whole}.{fraction:06}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

pub(crate) fn median(spread: Option<Spread>, decimals: usize) -> String {
    spread.map_or_else(
        || NOTHING.into(),
        |spread| format!("{:.decimals$}", spread.median),
    )
}

pub(crate) fn spread(spread: Option<Spread>, decimals: usize) -> String {
    let Some(Spread {
        median,
        least,
        most,
    }) = spread
    else {
        return NOTHING.into();
    };
    if least.total_cmp(&most).is_eq() {
        return format!("{median:.decimals$}");
    }
    format!("{median:.decimals$} ({least:.decimals$} to {most:.decimals$})")
}

pub(crate) fn join(value: &str, unit: &str) -> String {
    if value == NOTHING {
        value.to_owned()
    } else {
        format!("{value} {unit}").trim().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_shown_without_trailing_zeros() {
        assert_eq!(credits(1_000), "0.001");
        assert_eq!(credits(1_000_000_000_000), "1000000");
        assert_eq!(credits(0), "0");
        assert_eq!(credits(-500_000), "-0.5");
        assert_eq!(credits(-1_500_000), "-1.5");
    }

    #[test]
    fn a_spread_shows_its_smallest_and_largest_round() {
        assert_eq!(
            spread(Spread::of([0.2, 0.3, 0.25]), 2),
            "0.25 (0.20 to 0.30)"
        );
        assert_eq!(spread(Spread::of([0.2]), 2), "0.20");
        assert_eq!(spread(None, 2), "–");
    }
}
