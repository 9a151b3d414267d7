//! What a provider's headers say of the limits of a key: OpenAI's and its followers'
//! `x-ratelimit-*`, Anthropic's `anthropic-ratelimit-*`, and the fields of the IETF's drafts. Pure, but
//! for the place where an attempt's last word is kept.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::HeaderMap;
use http::header::DATE;
use shared::clock::Moment;

/// A reset that is farther away says nothing about now.
const RESET_MAX: Duration = Duration::from_secs(3_600);
/// Larger numbers are no limits.
const COUNT_MAX: u64 = 1 << 40;
/// Items of a list that are looked at.
const ITEMS_MAX: usize = 16;

/// The names of the headers that tell one limit.
struct Names {
    remaining: &'static str,
    limit: &'static str,
    reset: &'static str,
}

/// OpenAI's names end in the kind.
macro_rules! openai {
    ($kind:literal) => {
        Names {
            remaining: concat!("x-ratelimit-remaining-", $kind),
            limit: concat!("x-ratelimit-limit-", $kind),
            reset: concat!("x-ratelimit-reset-", $kind),
        }
    };
}

/// Anthropic's names end in the word.
macro_rules! anthropic {
    ($kind:literal) => {
        Names {
            remaining: concat!("anthropic-ratelimit-", $kind, "-remaining"),
            limit: concat!("anthropic-ratelimit-", $kind, "-limit"),
            reset: concat!("anthropic-ratelimit-", $kind, "-reset"),
        }
    };
}

const OPENAI_REQUESTS: Names = openai!("requests");
const OPENAI_TOKENS: Names = openai!("tokens");
const ANTHROPIC_REQUESTS: Names = anthropic!("requests");
const ANTHROPIC_TOKENS: Names = anthropic!("tokens");
const ANTHROPIC_INPUT_TOKENS: Names = anthropic!("input-tokens");
const ANTHROPIC_OUTPUT_TOKENS: Names = anthropic!("output-tokens");

/// What is left of one limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ToldLimit {
    /// In all, where it is told.
    pub(crate) limit: Option<u64>,
    pub(crate) remaining: u64,
    /// Until all of it is there again.
    pub(crate) reset: Option<Duration>,
    /// Whether it comes back little by little (OpenAI, Anthropic); else all at once at the reset.
    pub(crate) refills: bool,
}

/// What an answer told of a key's limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct ToldLimits {
    pub(crate) requests: Option<ToldLimit>,
    /// Read and written together.
    pub(crate) tokens: Option<ToldLimit>,
    pub(crate) input_tokens: Option<ToldLimit>,
    pub(crate) output_tokens: Option<ToldLimit>,
}

impl ToldLimits {
    /// Of an answer that came `now`.
    pub(crate) fn of(headers: &HeaderMap, now: Moment) -> Self {
        // Most answers tell nothing, and a dozen names are looked for below.
        if !headers
            .keys()
            .any(|name| name.as_str().contains("ratelimit"))
        {
            return Self::default();
        }
        let own_now = text(headers, DATE.as_str())
            .and_then(|date| httpdate::parse_http_date(date).ok())
            .and_then(|date| date.duration_since(std::time::UNIX_EPOCH).ok())
            .and_then(|since| i64::try_from(since.as_millis()).ok())
            .map_or(now, Moment::from_unix_ms);
        let openai = |names| family(headers, names, duration);
        let anthropic = |names| family(headers, names, |reset| Some(date(reset)?.since(own_now)));
        let requests = openai(&OPENAI_REQUESTS).or_else(|| anthropic(&ANTHROPIC_REQUESTS));
        let tokens = openai(&OPENAI_TOKENS).or_else(|| anthropic(&ANTHROPIC_TOKENS));
        Self {
            requests: believed(requests.or_else(|| ietf(headers))),
            tokens: believed(tokens),
            input_tokens: believed(anthropic(&ANTHROPIC_INPUT_TOKENS)),
            output_tokens: believed(anthropic(&ANTHROPIC_OUTPUT_TOKENS)),
        }
    }

    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The last word of one attempt about limits, for whoever made it.
#[derive(Debug, Default)]
pub(crate) struct LimitsHeard(Mutex<Option<ToldLimits>>);

impl LimitsHeard {
    /// Keeps what an answer told, whatever else it was.
    pub(crate) fn hear(&self, told: ToldLimits) {
        if !told.is_empty() {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(told);
        }
    }

    /// Takes it.
    pub(crate) fn take(&self) -> Option<ToldLimits> {
        (self.0.lock().unwrap_or_else(PoisonError::into_inner)).take()
    }
}

/// Some write zeros where there is no limit; and what is used up and never comes back would keep every
/// call away for nothing.
fn believed(told: Option<ToldLimit>) -> Option<ToldLimit> {
    let is_sound =
        |told: &ToldLimit| told.limit != Some(0) && (told.remaining > 0 || told.reset.is_some());
    told.filter(is_sound)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

fn count(text: &str) -> Option<u64> {
    // Some write `60.0`.
    let whole = text.split('.').next()?;
    whole.parse::<u64>().ok().map(|count| count.min(COUNT_MAX))
}

fn family(
    headers: &HeaderMap,
    names: &Names,
    reset: impl Fn(&str) -> Option<Duration>,
) -> Option<ToldLimit> {
    let remaining = count(text(headers, names.remaining)?)?;
    Some(ToldLimit {
        limit: text(headers, names.limit).and_then(count),
        remaining,
        reset: text(headers, names.reset)
            .and_then(reset)
            .map(|r| r.min(RESET_MAX)),
        refills: true,
    })
}

/// `RateLimit: "default";r=50;t=30` with `RateLimit-Policy: "default";q=100;w=60`
/// (draft-ietf-httpapi-ratelimit-headers-10), the one field of the drafts before
/// (`limit=100, remaining=50, reset=5`), or their three fields. Of several policies the one with the
/// least left counts.
fn ietf(headers: &HeaderMap) -> Option<ToldLimit> {
    if let Some(field) = text(headers, "ratelimit") {
        let items = field.split(',').take(ITEMS_MAX);
        let found = items.filter_map(|item| policy(item, headers));
        return found
            .min_by_key(|told| told.remaining)
            .or_else(|| older(field));
    }
    Some(ToldLimit {
        remaining: count(text(headers, "ratelimit-remaining")?)?,
        limit: text(headers, "ratelimit-limit").and_then(leading),
        reset: text(headers, "ratelimit-reset").and_then(seconds),
        refills: false,
    })
}

/// `100, 100;w=60`: the first number.
fn leading(field: &str) -> Option<u64> {
    count(field.split([',', ';']).next()?.trim())
}

fn seconds(text: &str) -> Option<Duration> {
    Some(Duration::from_secs(count(text)?).min(RESET_MAX))
}

/// The value of `name=` among parameters.
fn parameter<'a>(parameters: impl Iterator<Item = &'a str>, name: &str) -> Option<&'a str> {
    let mut values = parameters.filter_map(|part| part.trim().split_once('='));
    values.find_map(|(key, value)| (key.trim() == name).then_some(value.trim()))
}

fn policy(item: &str, headers: &HeaderMap) -> Option<ToldLimit> {
    let mut parts = item.split(';');
    let name = parts.next()?.trim();
    let remaining = count(parameter(parts.clone(), "r")?)?;
    let quota = text(headers, "ratelimit-policy").and_then(|field| {
        let mut policies = field.split(',').take(ITEMS_MAX);
        policies.find_map(|item| {
            let mut parts = item.split(';');
            (parts.next()?.trim() == name).then_some(())?;
            count(parameter(parts, "q")?)
        })
    });
    Some(ToldLimit {
        limit: quota,
        remaining,
        reset: parameter(parts, "t").and_then(seconds),
        refills: false,
    })
}

fn older(field: &str) -> Option<ToldLimit> {
    let value = |name| parameter(field.split(',').take(ITEMS_MAX), name);
    Some(ToldLimit {
        limit: value("limit").and_then(count),
        remaining: count(value("remaining")?)?,
        reset: value("reset").and_then(seconds),
        refills: false,
    })
}

/// As Go writes spans (`1s`, `6m0s`, `17ms`, `1h2m3.5s`), or plain seconds.
fn duration(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let (mut rest, mut total) = (text, Duration::ZERO);
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !(c.is_ascii_digit() || c == '.'))
            .filter(|end| *end > 0)?;
        let number: f64 = rest[..digits].parse().ok()?;
        let after = &rest[digits..];
        // `ms` before `m`.
        let units = [
            ("ms", 1e-3),
            ("us", 1e-6),
            ("µs", 1e-6),
            ("ns", 1e-9),
            ("h", 3_600.0),
            ("m", 60.0),
            ("s", 1.0),
            ("d", 86_400.0),
        ];
        let (unit, factor) = units.iter().find(|(unit, _)| after.starts_with(unit))?;
        let span = Duration::try_from_secs_f64(number * factor).ok()?;
        total = total.saturating_add(span);
        rest = &after[unit.len()..];
    }
    (!text.is_empty()).then_some(total)
}

/// RFC 3339 in UTC or with an offset, to the second.
fn date(text: &str) -> Option<Moment> {
    let bytes = text.as_bytes();
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let is_dated = bytes.len() >= 20
        && [(4, b'-'), (7, b'-'), (13, b':'), (16, b':')]
            .iter()
            .all(|(at, sign)| bytes[*at] == *sign)
        && matches!(bytes[10], b'T' | b't' | b' ');
    if !is_dated || !bytes.iter().take(19).all(u8::is_ascii) {
        return None;
    }
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 24 || minute > 60 {
        return None;
    }
    let rest = text.get(19..)?;
    let zone = rest.trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
    let offset = match zone.as_bytes() {
        [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), _, _, b':', _, _] => {
            let minutes =
                zone.get(1..3)?.parse::<i64>().ok()? * 60 + zone.get(4..6)?.parse::<i64>().ok()?;
            if *sign == b'-' { -minutes } else { minutes }
        }
        _ => return None,
    };
    // Days since 1970 of the proleptic Gregorian calendar, years from March on.
    let years = year - i64::from(month <= 2);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = 365 * years + years.div_euclid(4) - years.div_euclid(100)
        + years.div_euclid(400)
        + day_of_year
        - 719_468;
    let seconds = ((days * 24 + hour) * 60 + minute - offset) * 60 + second;
    Some(Moment::from_unix_ms(seconds.saturating_mul(1_000)))
}

#[cfg(test)]
mod tests;
