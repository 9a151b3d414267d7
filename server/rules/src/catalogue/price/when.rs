//! The conditions of a rate: words that are known of a call, the size of its context, the hour at
//! which it came. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use shared::clock::Moment;
use shared::units::{Fact, Facts};
use shared::zone::Zone;

/// Minutes of a day.
const DAY_MINUTES: u16 = 24 * 60;

/// When a rate applies: all of it must hold. Without conditions it always does.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct When {
    /// A fact is one of these words, which are compared without case.
    #[serde(flatten, deserialize_with = "words")]
    pub facts: BTreeMap<Fact, Vec<String>>,
    /// The call's input, all classes together, is more than so many tokens: vendors bill the whole
    /// call by the band of its context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_over: Option<u64>,
    /// The call came within these hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<Hours>,
}

/// A weekly window of a time zone's clocks, as of prices off the peak.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// Whose clocks.
    #[serde(with = "zone_name")]
    pub zone: Zone,
    /// The days on which it begins; every day when absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub days: Vec<Day>,
    /// The first minute.
    pub from: Minute,
    /// The first minute behind it; on the next day where it is not after `from`.
    pub to: Minute,
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "they say what they are")]
pub enum Day {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

impl Day {
    pub(super) const WEEK: [Self; 7] = [
        Self::Mon,
        Self::Tue,
        Self::Wed,
        Self::Thu,
        Self::Fri,
        Self::Sat,
        Self::Sun,
    ];

    /// Its stable word.
    pub fn word(self) -> &'static str {
        ["mon", "tue", "wed", "thu", "fri", "sat", "sun"][self as usize]
    }

    /// By its place in a week that begins on Monday, counted on over its ends.
    fn nth(at: usize) -> Self {
        Self::WEEK[at.rem_euclid(7)]
    }
}

/// A minute of a day, written `07:05`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Minute(u16);

impl Minute {
    /// Reads `07:05`; midnight may be written `24:00`.
    pub fn parse(text: &str) -> Option<Self> {
        let (hour, minute) = text.split_once(':')?;
        let two_digits = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
        if !two_digits(hour) || !two_digits(minute) {
            return None;
        }
        let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
        let of_day = hour.checked_mul(60)?.checked_add(minute)?;
        (minute < 60 && of_day <= DAY_MINUTES).then(|| Self(of_day.rem_euclid(DAY_MINUTES)))
    }
}

impl std::fmt::Display for Minute {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{:02}:{:02}",
            self.0.div_euclid(60),
            self.0.rem_euclid(60)
        )
    }
}

impl Serialize for Minute {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Minute {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text)
            .ok_or_else(|| serde::de::Error::custom("a time of day is written like `07:05`"))
    }
}

mod zone_name {
    use super::{Deserialize, Deserializer, Serializer, Zone};

    pub(super) fn serialize<S: Serializer>(zone: &Zone, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(zone.name())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Zone, D::Error> {
        let name = String::deserialize(from)?;
        Zone::named(&name)
            .ok_or_else(|| serde::de::Error::custom("a time zone is an IANA name, as `Asia/Tokyo`"))
    }
}

/// One word or several; kept in small letters.
fn words<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<Fact, Vec<String>>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Words {
        One(String),
        Several(Vec<String>),
    }
    let read = BTreeMap::<Fact, Words>::deserialize(from)?;
    let small = |word: String| word.trim().to_ascii_lowercase();
    let listed = read.into_iter().map(|(fact, words)| {
        let words = match words {
            Words::One(word) => vec![small(word)],
            Words::Several(words) => words.into_iter().map(small).collect(),
        };
        (fact, words)
    });
    Ok(listed.collect())
}

/// Whether a condition holds for a call of which not all is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    Yes,
    Maybe,
    No,
}

/// What is known of a call when its rates are looked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) facts: &'a Facts,
    /// Facts that may turn out otherwise.
    pub(super) open: &'a [Fact],
    /// Input tokens; at most so many where `is_bound`.
    pub(super) context: u64,
    pub(super) is_bound: bool,
    pub(super) at: Moment,
}

impl When {
    /// Whether it says nothing.
    pub fn is_always(&self) -> bool {
        self.facts.is_empty() && self.context_over.is_none() && self.hours.is_none()
    }

    pub(super) fn holds(&self, known: Known<'_>) -> Holds {
        if self
            .hours
            .as_ref()
            .is_some_and(|hours| !hours.include(known.at))
        {
            return Holds::No;
        }
        let mut all = Holds::Yes;
        if let Some(over) = self.context_over {
            if known.context <= over {
                return Holds::No;
            }
            if known.is_bound {
                all = Holds::Maybe;
            }
        }
        for (fact, words) in &self.facts {
            if known.open.contains(fact) {
                all = Holds::Maybe;
                continue;
            }
            let is_one = |value: &str| words.iter().any(|word| word == value);
            if !known.facts.get(*fact).is_some_and(is_one) {
                return Holds::No;
            }
        }
        all
    }
}

impl Hours {
    /// Whether a moment lies in them.
    pub fn include(&self, at: Moment) -> bool {
        let Some((day, minute)) = self.zone.weekday_and_minute(at) else {
            return false;
        };
        let begins_on = |day: usize| self.days.is_empty() || self.days.contains(&Day::nth(day));
        let (from, to) = (self.from.0, self.to.0);
        if from < to {
            return (from..to).contains(&minute) && begins_on(day);
        }
        // Over midnight: its evening, or the morning behind yesterday's.
        (minute >= from && begins_on(day)) || (minute < to && begins_on(day.saturating_add(6)))
    }
}
