//! How long a provider asks to wait: `retry-after-ms`, `Retry-After` as seconds or as a date, a field
//! of the error, or its sentence. Pure, but for the time when the provider names a date and not its own.

use std::time::{Duration, SystemTime};

use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER};
use shared::clock::Clock;
use shared::dialect::Told;

/// A longer wait than this is not believed.
const WAIT_MAX: Duration = Duration::from_secs(3_600);

/// What stands before a wait in a sentence.
const BEFORE: [&str; 5] = [
    "again in ",
    "retry in ",
    "retry after ",
    "again after ",
    "wait ",
];

/// The first of the forms that is there, as in OpenAI's SDKs, at most [`WAIT_MAX`].
pub(super) fn wait(headers: &HeaderMap, told: &Told) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let wait = text("retry-after-ms")
        .and_then(|ms| seconds(ms.parse::<f64>().ok()? / 1_000.0))
        .or_else(|| text(RETRY_AFTER.as_str()).and_then(|value| header(value, headers)))
        .or(told.wait)
        .or_else(|| sentence(&told.message))?;
    Some(wait.min(WAIT_MAX))
}

fn seconds(number: f64) -> Option<Duration> {
    if number.is_nan() || number < 0.0 {
        return None;
    }
    // What does not fit is a very long time.
    Some(Duration::try_from_secs_f64(number).unwrap_or(WAIT_MAX))
}

/// Seconds, also as a fraction, or a date; by the provider's own clock where it tells that.
fn header(value: &str, headers: &HeaderMap) -> Option<Duration> {
    let number = value.strip_suffix('s').unwrap_or(value);
    if let Ok(number) = number.parse::<f64>() {
        return seconds(number);
    }
    let until = httpdate::parse_http_date(value).ok()?;
    let its_now = headers.get(DATE).and_then(|date| date.to_str().ok());
    let now = its_now
        .and_then(|date| httpdate::parse_http_date(date).ok())
        .unwrap_or_else(now);
    Some(until.duration_since(now).unwrap_or_default())
}

fn now() -> SystemTime {
    let ms = u64::try_from(Clock::system().now().unix_ms()).unwrap_or(0);
    SystemTime::UNIX_EPOCH + Duration::from_millis(ms)
}

/// `Please try again in 1m20.5s.`, `Retry after 7 seconds`.
fn sentence(message: &str) -> Option<Duration> {
    let message = message.to_ascii_lowercase();
    let after = |before: &&str| message.find(*before).map(|at| at + before.len());
    let mut rest = &message[BEFORE.iter().find_map(after)?..];
    let mut total = None;
    while let Some((span, after)) = span(rest) {
        total = Some(total.unwrap_or(Duration::ZERO).saturating_add(span));
        rest = after;
    }
    total
}

/// A number with its unit at the beginning of `text`, and what is behind it.
fn span(text: &str) -> Option<(Duration, &str)> {
    let text = text.trim_start();
    let digits = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let number: f64 = text[..digits].parse().ok()?;
    let rest = text[digits..].trim_start();
    let letters = rest
        .find(|c: char| !c.is_ascii_alphabetic())
        .unwrap_or(rest.len());
    let scale = match &rest[..letters] {
        "ms" | "milliseconds" | "millisecond" => 0.001,
        "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
        "m" | "min" | "mins" | "minute" | "minutes" => 60.0,
        "h" | "hour" | "hours" => 3_600.0,
        _ => return None,
    };
    Some((seconds(number * scale)?, &rest[letters..]))
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    /// Headers, and the wait that they say.
    type Row = (&'static [(&'static str, &'static str)], Option<Duration>);

    fn of(headers: &[(&'static str, &'static str)], message: &str) -> Option<Duration> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            );
        }
        let told = Told {
            message: message.to_owned(),
            ..Told::default()
        };
        wait(&map, &told)
    }

    #[test]
    fn every_form_of_a_header_is_read() {
        const SUN: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
        let ms = |ms| Some(Duration::from_millis(ms));
        let rows: &[Row] = &[
            (&[("retry-after", "20")], ms(20_000)),
            (&[("retry-after", " 1.5 ")], ms(1_500)),
            (&[("retry-after", "20s")], ms(20_000)),
            (&[("retry-after", "0")], ms(0)),
            (&[("retry-after-ms", "350")], ms(350)),
            (&[("retry-after-ms", "350"), ("retry-after", "9")], ms(350)),
            (&[("retry-after-ms", "x"), ("retry-after", "9")], ms(9_000)),
            (
                &[
                    ("retry-after", "Sun, 06 Nov 1994 08:51:37 GMT"),
                    ("date", SUN),
                ],
                ms(120_000),
            ),
            (
                &[
                    ("retry-after", "Sunday, 06-Nov-94 08:50:37 GMT"),
                    ("date", SUN),
                ],
                ms(60_000),
            ),
            (
                &[
                    ("retry-after", SUN),
                    ("date", "Sun, 06 Nov 1994 08:59:37 GMT"),
                ],
                ms(0),
            ),
            (&[("retry-after", SUN)], ms(0)),
            (
                &[("retry-after", "Fri, 31 Dec 9999 23:59:59 GMT")],
                Some(WAIT_MAX),
            ),
            (&[("retry-after", "1e300")], Some(WAIT_MAX)),
            (&[("retry-after", "inf")], Some(WAIT_MAX)),
            (
                &[("retry-after", "99999999999999999999999")],
                Some(WAIT_MAX),
            ),
            (&[("retry-after-ms", "1e18")], Some(WAIT_MAX)),
            (&[("retry-after-ms", "-1"), ("retry-after", "9")], ms(9_000)),
            (&[("retry-after-ms", "-1"), ("retry-after", "-1")], None),
            (&[("retry-after", "-0")], ms(0)),
            (&[("retry-after", "-5")], None),
            (&[("retry-after", "-inf")], None),
            (&[("retry-after", "")], None),
            (&[("retry-after", "NaN")], None),
            (&[("retry-after", "soon")], None),
            (&[], None),
        ];
        for (headers, expected) in rows {
            assert_eq!(of(headers, ""), *expected, "{headers:?}");
        }
    }

    #[test]
    fn a_sentence_tells_where_no_header_does() {
        let ms = |ms| Some(Duration::from_millis(ms));
        for (message, expected) in [
            (
                "Rate limit reached … Please try again in 20s. Visit",
                ms(20_000),
            ),
            ("Please try again in 1m20.5s.", ms(80_500)),
            ("Please retry in 34.074824224s.", ms(34_074)),
            ("try again in 350ms", ms(350)),
            ("Try again in 6 minutes and", ms(360_000)),
            ("Retry after 7 seconds", ms(7_000)),
            ("Retry after 99999999999999999999999 hours", Some(WAIT_MAX)),
            ("Retry after -7 seconds", None),
            ("try again in a moment", None),
            ("wait for it", None),
            ("again in 5 apples", None),
            ("…retry in 9…", None),
        ] {
            let found = of(&[], message).map(|wait| wait.as_millis());
            assert_eq!(found, expected.map(|wait| wait.as_millis()), "{message}");
        }
        assert_eq!(of(&[("retry-after", "2")], "try again in 20s"), ms(2_000));
    }
}
