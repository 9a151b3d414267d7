//! How many records pass a filter, as far as that is soon counted: so many of the newest are looked at, from
//! an index, and no more.

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Text};
use diesel_async::RunQueryDsl;
use shared::db::DbError;
use shared::on;

use super::UsageFilter;
use crate::Store;
use crate::usage::UsageStatus;

/// Records that are looked at; a page waits for them.
pub const COUNTED_MAX: i64 = 10_000;

/// How many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counted {
    /// So many were found.
    pub found: u64,
    /// Whether these are all; else there may be more.
    pub all: bool,
}

#[derive(QueryableByName)]
struct CountRow {
    #[diesel(sql_type = BigInt)]
    looked: i64,
    #[diesel(sql_type = BigInt)]
    fit: i64,
}

/// The filter's columns with what they must be, the one first by whose index records are found.
fn wanted(filter: &UsageFilter) -> Vec<(&'static str, &str)> {
    let status = filter.status.map(UsageStatus::word);
    let all = [
        (
            "user_id",
            filter.user.as_ref().map(shared::id::UserId::as_str),
        ),
        (
            "key_id",
            filter.key.as_ref().map(shared::id::ApiKeyId::as_str),
        ),
        (
            "tenant_id",
            filter.tenant.as_ref().map(shared::id::TenantId::as_str),
        ),
        ("model", filter.model.as_deref()),
        ("provider", filter.provider.as_deref()),
        ("status", status),
        (
            "operation",
            filter.operation.map(shared::link::Operation::word),
        ),
    ];
    let set = all.into_iter();
    set.filter_map(|(column, value)| Some((column, value?)))
        .collect()
}

/// The statement: the filters that are compared, the two moments, the filter by whose index records are found,
/// and how many of them, in the order in which they stand in it, which is the one SQLite counts by.
struct Asked<'a> {
    text: String,
    compared: Vec<&'a str>,
    found_by: Option<&'a str>,
}

fn asked<'a>(wanted: &[(&'static str, &'a str)]) -> Asked<'a> {
    let (first, rest) = match wanted.split_first() {
        // No index has these.
        Some((("status", "succeeded") | ("operation", _), _)) | None => (None, wanted),
        Some((first, rest)) => (Some(first), rest),
    };
    let fits: Vec<String> = (1..)
        .zip(rest)
        .map(|(place, (column, _))| format!("{column} = ${place}"))
        .collect();
    let columns: Vec<&str> = rest.iter().map(|(column, _)| *column).collect();
    let (columns, fits, compared) = if fits.is_empty() {
        ("id".to_owned(), "1 = 1".to_owned(), 0)
    } else {
        (columns.join(", "), fits.join(" AND "), fits.len())
    };
    let (from, until) = (compared + 1, compared + 2);
    let (by, limit) = match first {
        // The words of the partial index.
        Some(("status", _)) => (
            format!(" AND status = ${} AND status <> 'succeeded'", compared + 3),
            compared + 4,
        ),
        Some((column, _)) => (format!(" AND {column} = ${}", compared + 3), compared + 4),
        None => (String::new(), compared + 3),
    };
    let text = format!(
        "SELECT CAST(COUNT(*) AS BIGINT) AS looked, CAST(COALESCE(SUM(CASE WHEN {fits} THEN 1 ELSE 0 END), 0) \
         AS BIGINT) AS fit FROM (SELECT {columns} FROM usage_records WHERE created_at >= ${from} \
         AND created_at < ${until}{by} ORDER BY created_at DESC, id DESC LIMIT ${limit}) AS newest"
    );
    Asked {
        text,
        compared: rest.iter().map(|(_, value)| *value).collect(),
        found_by: first.map(|(_, value)| *value),
    }
}

impl Store {
    /// How many records pass the filter.
    pub async fn usage_count(&self, filter: &UsageFilter) -> Result<Counted, DbError> {
        let (from, until) = filter.period.bounds();
        let wanted = wanted(filter);
        let asked = asked(&wanted);
        let rows: Vec<CountRow> = on!(self.db, |conn| {
            let mut query = diesel::sql_query(&asked.text).into_boxed();
            for value in &asked.compared {
                query = query.bind::<Text, _>(*value);
            }
            query = query.bind::<BigInt, _>(from).bind::<BigInt, _>(until);
            if let Some(value) = asked.found_by {
                query = query.bind::<Text, _>(value);
            }
            let query = query.bind::<BigInt, _>(COUNTED_MAX + 1);
            query.load(conn).await
        })?;
        let row = rows.into_iter().next();
        let (looked, fit) = row.map_or((0, 0), |row| (row.looked, row.fit));
        let all = looked <= COUNTED_MAX;
        let fit = if all { fit } else { fit.min(COUNTED_MAX) };
        Ok(Counted {
            found: u64::try_from(fit).unwrap_or(0),
            all,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_found_by_the_narrowest_filter_that_has_an_index() {
        let status = Some(UsageStatus::Failed);
        let model = Some("m".to_owned());
        let both = UsageFilter {
            model,
            status,
            ..UsageFilter::default()
        };
        let of_both = wanted(&both);
        let Asked {
            text,
            compared,
            found_by,
        } = asked(&of_both);
        assert!(text.contains("AND model = $4 ORDER"), "{text}");
        assert!(text.contains("CASE WHEN status = $1"), "{text}");
        assert_eq!((compared, found_by), (vec!["failed"], Some("m")));
        let failed = UsageFilter {
            status,
            ..UsageFilter::default()
        };
        let of_failed = wanted(&failed);
        let told = asked(&of_failed);
        let by_index = "status = $3 AND status <> 'succeeded'";
        assert!(told.text.contains(by_index), "{}", told.text);
        assert_eq!(told.found_by, Some("failed"));
        let good = UsageFilter {
            status: Some(UsageStatus::Succeeded),
            ..UsageFilter::default()
        };
        let of_good = wanted(&good);
        let told = asked(&of_good);
        assert!(told.text.contains("CASE WHEN status = $1"), "{}", told.text);
        let told = asked(&[]);
        assert!(told.text.contains("CASE WHEN 1 = 1"), "{}", told.text);
        assert!(told.text.contains("LIMIT $3") && told.compared.is_empty());
        // Each place follows the one before, as SQLite counts them.
        for told in [asked(&of_both), asked(&of_failed), asked(&of_good)] {
            let places = told.text.split('$').skip(1);
            let places: Vec<usize> = places
                .map(|rest| rest[..1].parse().expect("a number"))
                .collect();
            let in_order: Vec<usize> = (1..=places.len()).collect();
            assert_eq!(places, in_order, "{}", told.text);
        }
    }
}
