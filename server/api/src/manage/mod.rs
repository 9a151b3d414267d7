//! Management endpoints of tenants: paging types and what they share.

mod amount;
pub mod credits;
pub mod end_users;
pub mod export;
pub mod keys;
pub mod me;
pub mod models;
pub mod notices;
pub mod routes;
pub mod sessions;
pub mod usage;

use poem_openapi::Object;
use poem_openapi::types::{ParseFromJSON, ToJSON, Type};

pub use self::amount::Amount;
use crate::error::ApiError;

/// Items of a page when nothing is asked for, and at most.
const LIMIT_DEFAULT: u32 = 20;
const LIMIT_MAX: u32 = 100;

/// A part of a list.
#[derive(Debug, Clone, Object)]
pub struct Page<T: Type + ParseFromJSON + ToJSON + Send + Sync> {
    /// Always `list`.
    pub object: String,
    /// The items.
    pub data: Vec<T>,
    /// Whether there are more behind them.
    pub has_more: bool,
    /// Send it as `after` for the next part.
    pub next: Option<String>,
}

impl<T: Type + ParseFromJSON + ToJSON + Send + Sync> Page<T> {
    /// From items of which one more than `limit` was asked for.
    pub fn cut<I: Into<T>>(
        items: impl IntoIterator<Item = I>,
        limit: u32,
        cursor: impl Fn(&I) -> String,
    ) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut items: Vec<I> = items.into_iter().take(limit.saturating_add(1)).collect();
        let has_more = items.len() > limit;
        items.truncate(limit);
        Self::of(items, has_more, cursor)
    }

    /// From the items of a page.
    pub fn of<I: Into<T>>(
        items: impl IntoIterator<Item = I>,
        has_more: bool,
        cursor: impl Fn(&I) -> String,
    ) -> Self {
        let items: Vec<I> = items.into_iter().collect();
        let next = items.last().filter(|_| has_more).map(cursor);
        Self {
            object: "list".to_owned(),
            data: items.into_iter().map(Into::into).collect(),
            has_more,
            next,
        }
    }

    /// A list that is short enough to come whole.
    pub fn whole(items: impl IntoIterator<Item = impl Into<T>>) -> Self {
        Self::of(items, false, |_| String::new())
    }
}

/// How many items a page may have.
pub fn page_limit(asked: Option<u32>) -> Result<u32, ApiError> {
    match asked.unwrap_or(LIMIT_DEFAULT) {
        limit @ 1..=LIMIT_MAX => Ok(limit),
        _ => Err(ApiError::bad_field(
            "limit",
            format!("`limit` must be from 1 to {LIMIT_MAX}."),
        )),
    }
}

/// One more than a page holds, to see whether there are more.
pub fn page_rows(limit: u32) -> i64 {
    i64::from(limit).saturating_add(1)
}

/// A cursor that is no id of its kind is a mistake, not the end of the list.
pub fn page_after<I: std::str::FromStr>(after: Option<&str>) -> Result<Option<I>, ApiError> {
    let wrong = || ApiError::bad_field("after", "`after` must be the `next` of a page.");
    after
        .map(|text| text.parse().map_err(|_| wrong()))
        .transpose()
}
