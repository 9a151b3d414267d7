//! What the lists of calls of both areas take from a query besides their filters: a stretch of time that a
//! chart led to, from which end they are read, and how many rows stand before a page.

use admin_templates::list::{ListPlace, ListState, Sort};
use server_rooms::reports::log::Counted;
use server_rooms::reports::page::{PageRequest, Paged};
use server_rooms::reports::{Reports, ReportsError, TimeRange, UsageFilter, UsageRecord};
use shared::clock::Moment;

/// Rows before a page that are believed; the number is only shown.
const BEFORE_MAX: u64 = 1_000_000_000;

/// The stretch of a chart's column: two moments in unix milliseconds, `from-until`.
pub(super) fn span(text: &str) -> Option<TimeRange> {
    let (from, until) = text.split_once('-')?;
    let moment = |text: &str| {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let ms = is_number.then(|| text.parse().ok())?;
        ms.map(Moment::from_unix_ms)
    };
    let (from, until) = (moment(from)?, moment(until)?);
    (from < until).then_some(TimeRange {
        from: Some(from),
        until: Some(until),
    })
}

/// How a list of calls is asked for.
#[derive(Debug)]
pub(super) struct CallList<'a> {
    /// Which calls.
    pub(super) filter: &'a UsageFilter,
    /// Which page.
    pub(super) request: PageRequest,
    /// The query's word for its order.
    pub(super) sort: &'a str,
    /// The query's number of rows before the page.
    pub(super) before: &'a str,
}

/// The calls of a page, and how many there are.
#[derive(Debug)]
pub(super) struct CallsRead {
    pub(super) page: Paged<UsageRecord>,
    sort: Option<Sort>,
    place: Option<ListPlace>,
}

impl CallList<'_> {
    /// Reads the page, and counts what passes the filter as far as that is soon done.
    pub(super) async fn read(self, reports: &Reports) -> Result<CallsRead, ReportsError> {
        let oldest_first = self.sort == "time";
        let counted = reports.usage_count(self.filter);
        let (page, counted) = if oldest_first {
            let page = reports.usage_log_from_oldest(self.filter, &self.request);
            tokio::try_join!(page, counted)?
        } else {
            tokio::try_join!(reports.usage_log(self.filter, &self.request), counted)?
        };
        let sort = oldest_first.then(|| Sort {
            key: "time".to_owned(),
            descending: false,
        });
        let place = place(&page, self.before, counted);
        Ok(CallsRead { page, sort, place })
    }
}

impl CallsRead {
    /// The list with what was asked of it besides.
    pub(super) fn told(&mut self, list: ListState) -> ListState {
        ListState {
            sort: self.sort.take(),
            place: self.place.take(),
            ..list
        }
    }
}

fn place<T>(page: &Paged<T>, before: &str, counted: Counted) -> Option<ListPlace> {
    let rows = u64::try_from(page.rows.len()).ok()?;
    let before = match (&page.previous, before.parse::<u64>()) {
        (None, _) => 0,
        (Some(_), Ok(before)) => before.min(BEFORE_MAX),
        // Nobody told how many rows are before it.
        (Some(_), Err(_)) => return None,
    };
    Some(ListPlace {
        first: before.saturating_add(1),
        rows,
        total: counted.found,
        exact: counted.all,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_is_two_moments_in_their_order_and_nothing_else_is() {
        let read = span("1700000000000-1700003600000").expect("an hour");
        let ms = |at: Option<Moment>| at.map(Moment::unix_ms);
        assert_eq!(ms(read.from), Some(1_700_000_000_000));
        assert_eq!(ms(read.until), Some(1_700_003_600_000));
        for odd in [
            "",
            "-",
            "1-",
            "-1",
            "1",
            "2-1",
            "1-1",
            "a-b",
            "1-2-3",
            "+1-2",
            "1 -2",
            "1-99999999999999999999",
        ] {
            assert!(span(odd).is_none(), "{odd}");
        }
    }

    #[test]
    fn a_page_tells_its_rows_where_somebody_counted_those_before_it() {
        let page = |previous: bool| Paged {
            rows: vec![(); 3],
            previous: previous.then(|| "ngen_1.5".parse().expect("a cursor")),
            next: None,
        };
        let counted = Counted {
            found: 53,
            all: true,
        };
        let first = |previous, before| place(&page(previous), before, counted).map(|one| one.first);
        assert_eq!(first(false, "77"), Some(1), "the first page is the first");
        assert_eq!(first(true, "50"), Some(51));
        assert_eq!(first(true, ""), None);
        assert_eq!(first(true, "-5"), None);
        assert_eq!(first(true, "99999999999"), Some(BEFORE_MAX + 1));
    }
}
