//! When a model ends and what follows it: who takes its calls afterwards, when tenants are warned, and what its
//! answers say of it until then. Pure: moments and names in, decisions and texts out.

use std::collections::HashSet;
use std::time::{Duration, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use shared::clock::Moment;

/// Successors that are followed at most: a name that was moved more often than that is a mistake.
pub const CHAIN_MAX: usize = 5;
/// How many days ahead tenants are warned, the first warning first.
pub const WARNING_DAYS: [u32; 3] = [30, 7, 1];
const DAY: Duration = Duration::from_secs(86_400);

/// A planned end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retirement {
    /// From this moment on it takes no calls.
    #[serde(with = "unix_ms")]
    pub at: Moment,
    /// When the end was planned first; it counts as deprecated since then.
    #[serde(default, with = "unix_ms")]
    pub announced_at: Moment,
    /// The model that tenants should use instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub successor: Option<String>,
    /// Whether the successor takes its calls, at the successor's own price, instead of their being refused.
    #[serde(default)]
    pub redirect: bool,
}

mod unix_ms {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use shared::clock::Moment;

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde passes a reference"
    )]
    pub(super) fn serialize<S: Serializer>(at: &Moment, to: S) -> Result<S::Ok, S::Error> {
        at.unix_ms().serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Moment, D::Error> {
        i64::deserialize(from).map(Moment::from_unix_ms)
    }
}

impl Retirement {
    /// Whether it is over at `now`.
    pub fn is_over(&self, now: Moment) -> bool {
        self.at <= now
    }

    /// Days from `now` to the end, begun ones counted whole; 0 when it is over.
    pub fn days_left(&self, now: Moment) -> u64 {
        let left = self.at.since(now);
        left.as_millis()
            .div_ceil(DAY.as_millis())
            .try_into()
            .unwrap_or(u64::MAX)
    }

    /// The warning that is due at `now`: the closest whose days have begun; none when it is over.
    pub fn warning(&self, now: Moment) -> Option<u32> {
        if self.is_over(now) {
            return None;
        }
        let left = self.at.since(now);
        let due = WARNING_DAYS.into_iter().rev();
        due.into_iter().find(|days| left <= DAY * *days)
    }
}

/// What answers of a model that ends say of it, written once for all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetirementWords {
    /// The value of `Deprecation`: since when, as a date of structured fields (RFC 9745).
    pub deprecation: String,
    /// The value of `Sunset`: when it ends, as an HTTP date (RFC 8594).
    pub sunset: String,
    /// The value of `Link` to what follows it (RFC 5829), where something does.
    pub link: Option<String>,
}

impl RetirementWords {
    /// Of an end.
    pub fn of(retirement: &Retirement) -> Self {
        // HTTP dates know no years before 1970 nor beyond 9999; the catalogue's check keeps to less.
        let ms = u64::try_from(retirement.at.unix_ms()).unwrap_or(0);
        let at = UNIX_EPOCH + Duration::from_millis(ms.min(LATEST_MS));
        let link = |id: &String| format!("</api/v1/models/{id}>; rel=\"successor-version\"");
        Self {
            deprecation: format!("@{}", retirement.announced_at.unix_seconds()),
            sunset: httpdate::fmt_http_date(at),
            link: retirement.successor.as_ref().map(link),
        }
    }
}

/// The last millisecond of 9999, the last that an HTTP date can tell.
const LATEST_MS: u64 = 253_402_300_799_999;

/// Why a successor can't be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadSuccessor {
    /// Its successors lead back to the model.
    Circle,
    /// There are more than [`CHAIN_MAX`] in a row.
    TooMany,
}

/// Whether the successors that begin with `first` lead away from `model`, and not too far; `next` tells the
/// successor of each.
pub fn chain(
    model: &str,
    first: &str,
    next: impl Fn(&str) -> Option<String>,
) -> Result<(), BadSuccessor> {
    let mut seen: HashSet<String> = HashSet::from([model.to_owned()]);
    let mut at = Some(first.to_owned());
    while let Some(id) = at {
        let following = next(&id);
        if !seen.insert(id) {
            return Err(BadSuccessor::Circle);
        }
        if seen.len() > CHAIN_MAX + 1 {
            return Err(BadSuccessor::TooMany);
        }
        at = following;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(at: i64) -> Retirement {
        Retirement {
            at: Moment::from_unix_ms(at),
            announced_at: Moment::from_unix_ms(1_500),
            successor: Some("new/one".to_owned()),
            redirect: false,
        }
    }

    #[test]
    fn the_closest_warning_whose_days_have_begun_is_due() {
        const DAY_MS: i64 = 86_400_000;
        let at = 100 * DAY_MS;
        for (before_ms, warning, days) in [
            (40 * DAY_MS, None, 40),
            (30 * DAY_MS + 1, None, 31),
            (30 * DAY_MS, Some(30), 30),
            (7 * DAY_MS + 1, Some(30), 8),
            (7 * DAY_MS, Some(7), 7),
            (DAY_MS + 1, Some(7), 2),
            (DAY_MS, Some(1), 1),
            (1, Some(1), 1),
            (0, None, 0),
            (-1, None, 0),
        ] {
            let now = Moment::from_unix_ms(at - before_ms);
            let end = ends(at);
            assert_eq!(end.warning(now), warning, "{before_ms}");
            assert_eq!(end.days_left(now), days, "{before_ms}");
            assert_eq!(end.is_over(now), before_ms <= 0, "{before_ms}");
        }
    }

    #[test]
    fn an_end_is_told_in_the_words_of_its_headers() {
        let words = RetirementWords::of(&ends(784_111_777_000));
        assert_eq!(words.deprecation, "@1");
        assert_eq!(words.sunset, "Sun, 06 Nov 1994 08:49:37 GMT");
        let link = "</api/v1/models/new/one>; rel=\"successor-version\"";
        assert_eq!(words.link.as_deref(), Some(link));
        for odd in [i64::MIN, i64::MAX] {
            assert!(RetirementWords::of(&ends(odd)).sunset.ends_with("GMT"));
        }
    }

    #[test]
    fn successors_lead_away_and_not_too_far() {
        let follow = |pairs: &'static [(&'static str, &'static str)]| {
            move |id: &str| {
                let found = pairs.iter().find(|(from, _)| *from == id);
                found.map(|(_, to)| (*to).to_owned())
            }
        };
        assert_eq!(chain("a", "b", follow(&[])), Ok(()));
        assert_eq!(chain("a", "a", follow(&[])), Err(BadSuccessor::Circle));
        let back = follow(&[("b", "c"), ("c", "a")]);
        assert_eq!(chain("a", "b", back), Err(BadSuccessor::Circle));
        let apart = follow(&[("b", "c"), ("c", "b")]);
        assert_eq!(chain("a", "b", apart), Err(BadSuccessor::Circle));
        let five = follow(&[("b", "c"), ("c", "d"), ("d", "e"), ("e", "f")]);
        assert_eq!(chain("a", "b", five), Ok(()));
        let six = follow(&[("b", "c"), ("c", "d"), ("d", "e"), ("e", "f"), ("f", "g")]);
        assert_eq!(chain("a", "b", six), Err(BadSuccessor::TooMany));
    }

    #[test]
    fn an_end_is_read_as_it_was_written() {
        let text = r#"{"at":5,"announced_at":1,"successor":"b","redirect":true}"#;
        let end: Retirement = serde_json::from_str(text).expect("an end");
        assert_eq!(serde_json::to_string(&end).expect("json"), text);
        let end: Retirement = serde_json::from_str(r#"{"at":5}"#).expect("the least");
        assert!(!end.redirect && end.successor.is_none());
    }
}
