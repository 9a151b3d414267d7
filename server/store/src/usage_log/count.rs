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

/// The statement, and what its places from the fourth on stand for.
fn statement<'a>(wanted: &[(&'static str, &'a str)]) -> (String, Vec<&'a str>) {
    let mut values = Vec::new();
    let mut place = |value: &'a str| {
        values.push(value);
        format!("${}", values.len() + 3)
    };
    let (first, rest) = match wanted.split_first() {
        Some((("status", "succeeded") | ("operation", _), _)) | None => (None, wanted),
        Some((first, rest)) => (Some(first), rest),
    };
    let mut found = "created_at >= $1 AND created_at < $2".to_owned();
    if let Some((column, value)) = first {
        found.push_str(&format!(" AND {column} = {}", place(value)));
        if *column == "status" {
            // The words of the partial index.
            found.push_str(" AND status <> 'succeeded'");
        }
    }
    let mut fits: Vec<String> = Vec::new();
    for (column, value) in rest {
        fits.push(format!("{column} = {}", place(value)));
    }
    let columns: Vec<&str> = rest.iter().map(|(column, _)| *column).collect();
    let (columns, fits) = if fits.is_empty() {
        ("id".to_owned(), "1 = 1".to_owned())
    } else {
        (columns.join(", "), fits.join(" AND "))
    };
    let text = format!(
        "SELECT CAST(COUNT(*) AS BIGINT) AS looked, CAST(COALESCE(SUM(CASE WHEN {fits} THEN 1 ELSE 0 END), 0) \
         AS BIGINT) AS fit FROM (SELECT {columns} FROM usage_records WHERE {found} \
         ORDER BY created_at DESC, id DESC LIMIT $3) AS newest"
    );
    (text, values)
}

impl Store {
    /// How many records pass the filter.
    pub async fn usage_count(&self, filter: &UsageFilter) -> Result<Counted, DbError> {
        let (from, until) = filter.period.bounds();
        let wanted = wanted(filter);
        let (text, values) = statement(&wanted);
        let rows: Vec<CountRow> = on!(self.db, |conn| {
            let mut query = diesel::sql_query(&text)
                .into_boxed()
                .bind::<BigInt, _>(from)
                .bind::<BigInt, _>(until)
                .bind::<BigInt, _>(COUNTED_MAX + 1);
            for value in &values {
                query = query.bind::<Text, _>(*value);
            }
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
            status,
            model,
            ..UsageFilter::default()
        };
        let (text, values) = statement(&wanted(&both));
        assert!(text.contains("AND model = $4 ORDER"), "{text}");
        assert!(text.contains("CASE WHEN status = $5"), "{text}");
        assert_eq!(values, ["m", "failed"]);
        let failed = UsageFilter {
            status,
            ..UsageFilter::default()
        };
        let (text, values) = statement(&wanted(&failed));
        assert!(
            text.contains("status = $4 AND status <> 'succeeded'"),
            "{text}"
        );
        assert_eq!(values, ["failed"]);
        let good = UsageFilter {
            status: Some(UsageStatus::Succeeded),
            ..UsageFilter::default()
        };
        let (text, _) = statement(&wanted(&good));
        assert!(
            text.contains("CASE WHEN status = $4"),
            "no index has these: {text}"
        );
        let (text, values) = statement(&wanted(&UsageFilter::default()));
        assert!(
            text.contains("CASE WHEN 1 = 1") && values.is_empty(),
            "{text}"
        );
    }
}
