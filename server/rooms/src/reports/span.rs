//! The spans of time that dashboards offer. Pure: the caller says what time it is.

use server_store::rollups::SumsQuery;
use shared::clock::Moment;

use super::sums::Grain;

/// A span of time that ends now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// 24 hours, hour by hour.
    Day,
    /// 7 days, hour by hour.
    Week,
    /// 30 days, day by day.
    Month,
    /// 90 days, day by day.
    Quarter,
}

impl Span {
    /// All, the shortest first.
    pub const ALL: [Self; 4] = [Self::Day, Self::Week, Self::Month, Self::Quarter];

    /// Its word, in addresses and in the database.
    pub fn word(self) -> &'static str {
        match self {
            Self::Day => "24h",
            Self::Week => "7d",
            Self::Month => "30d",
            Self::Quarter => "90d",
        }
    }

    /// From its word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|span| span.word() == word)
    }

    /// Hours or days, and how many; the running one is the last.
    fn shape(self) -> (Grain, i64) {
        match self {
            Self::Day => (Grain::Hour, 24),
            Self::Week => (Grain::Hour, 168),
            Self::Month => (Grain::Day, 30),
            Self::Quarter => (Grain::Day, 90),
        }
    }

    /// The hours or days that end with the running one.
    pub fn query(self, now: Moment) -> SumsQuery {
        let (grain, spans) = self.shape();
        let until = grain.later(grain.start(now), 1);
        SumsQuery {
            grain,
            from: grain.later(until, -spans),
            until,
        }
    }
}
