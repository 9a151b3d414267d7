//! The spans of time that dashboards offer, as hours or as days of a time zone. Pure: the caller says
//! what time it is, and where.
//!
//! Sums are kept by hours and days of UTC. A day of another zone is made of hours; where its midnight
//! is inside an hour of UTC (`Asia/Kolkata`), it begins with that whole hour, and pages say so.

use server_store::rollups::SumsQuery;
use shared::clock::Moment;
use shared::zone::Zone;

use super::sums::Grain;

/// A span of time that ends now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// 24 hours, hour by hour: it rolls.
    Day,
    /// 7 days of the calendar with today, hour by hour.
    Week,
    /// 30 days of the calendar with today, day by day.
    Month,
    /// 90 days of the calendar with today, day by day.
    Quarter,
}

/// Columns of time that follow one another without a gap: hours, or days of a zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// What a column is.
    pub grain: Grain,
    /// Where each begins, in order of time.
    pub starts: Vec<Moment>,
    /// The first moment behind the last.
    pub until: Moment,
}

impl Window {
    /// The hours from `from` to `until`, both at whole hours.
    pub fn hours(from: Moment, until: Moment) -> Self {
        let mut starts = Vec::new();
        let mut at = from;
        while at < until {
            starts.push(at);
            at = Grain::Hour.later(at, 1);
        }
        Self {
            grain: Grain::Hour,
            starts,
            until,
        }
    }

    /// The `count` days of a zone's calendar whose last one is that of the running hour.
    pub fn days(now: Moment, count: u32, zone: &Zone) -> Self {
        let today = last_moment(now);
        let first = zone.days_before(today, count.saturating_sub(1));
        Self::days_between(first, today, zone)
    }

    /// The days of a zone's calendar from the one of `from` to the one of `last`.
    pub fn days_between(from: Moment, last: Moment, zone: &Zone) -> Self {
        let mut starts = Vec::new();
        let mut day = zone.day(from);
        while day.start <= last {
            starts.push(Grain::Hour.start(day.start));
            day = zone.day(day.end);
        }
        Self {
            grain: Grain::Day,
            starts,
            until: Grain::Hour.start(day.start),
        }
    }

    /// The first moment inside.
    pub fn from(&self) -> Moment {
        self.starts.first().copied().unwrap_or(self.until)
    }

    /// Which sums all of it is made of: whole days of UTC where its columns are these.
    pub fn query(&self) -> SumsQuery {
        let whole = |at: &Moment| Grain::Day.start(*at) == *at;
        let days = self.grain == Grain::Day && self.starts.iter().all(whole) && whole(&self.until);
        SumsQuery {
            grain: if days { Grain::Day } else { Grain::Hour },
            from: self.from(),
            until: self.until,
        }
    }

    /// The sums of as long a time before it.
    pub fn before(&self) -> SumsQuery {
        let query = self.query();
        let length = query.until.unix_ms().saturating_sub(query.from.unix_ms());
        SumsQuery {
            from: Moment::from_unix_ms(query.from.unix_ms().saturating_sub(length)),
            until: query.from,
            ..query
        }
    }

    /// Which column a moment lies in.
    pub fn place(&self, at: Moment) -> Option<usize> {
        if at >= self.until {
            return None;
        }
        let behind = self.starts.partition_point(|start| *start <= at);
        behind.checked_sub(1)
    }
}

/// The last moment of the running hour: its day is the day whose sums the hour counts in.
fn last_moment(now: Moment) -> Moment {
    let end = Grain::Hour.later(Grain::Hour.start(now), 1);
    Moment::from_unix_ms(end.unix_ms().saturating_sub(1))
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

    /// Its columns; the running hour or day is the last.
    pub fn window(self, now: Moment, zone: &Zone) -> Window {
        let until = Grain::Hour.later(Grain::Hour.start(now), 1);
        match self {
            Self::Day => Window::hours(Grain::Hour.later(until, -24), until),
            Self::Week => {
                let first = zone.days_before(last_moment(now), 6);
                Window::hours(Grain::Hour.start(first), until)
            }
            Self::Month => Window::days(now, 30, zone),
            Self::Quarter => Window::days(now, 90, zone),
        }
    }

    /// The same with a week by the day.
    pub fn by_day(self, now: Moment, zone: &Zone) -> Window {
        match self {
            Self::Week => Window::days(now, 7, zone),
            Self::Day | Self::Month | Self::Quarter => self.window(now, zone),
        }
    }
}

#[cfg(test)]
mod tests;
