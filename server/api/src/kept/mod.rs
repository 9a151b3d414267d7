//! What is kept, as OpenAI's clients read, change and delete it: responses, conversations and chat
//! completions. Keys and those who run a tenant see all of it, members their own. Facts: API reference and
//! OpenAI's SDK for Python 3.57. Keeps nothing itself; calls do.

pub mod completions;
pub mod conversations;
pub mod include;
pub mod responses;

use poem::Body;
use poem_openapi::payload::{Binary, Json};
use poem_openapi::{ApiResponse, Enum};
use serde_json::{Value, json};
use server_rooms::kept::{KeepError, Reader};

use crate::error::ApiError;
use crate::principal::{TenantCaller, need};

/// Who reads what is kept.
type Caller = TenantCaller<need::Calls>;

fn reader(caller: &Caller) -> Reader<'_> {
    Reader::of(&caller.who)
}

/// In which order a list comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
pub enum KeptOrder {
    /// The oldest first.
    Asc,
    /// The newest first.
    Desc,
}

/// An answer as it is, or as the stream that it would have been.
#[derive(Debug, ApiResponse)]
pub enum Told {
    /// As events.
    #[oai(status = 200, content_type = "text/event-stream")]
    Events(
        Binary<Body>,
        #[oai(header = "cache-control")] String,
        #[oai(header = "x-accel-buffering")] String,
    ),
    /// As it is.
    #[oai(status = 200)]
    Whole(Json<Value>),
}

impl Told {
    /// Events, which nobody on their way is to gather.
    fn events(body: Body) -> Self {
        let (passes, no) = ("no-cache, no-transform".to_owned(), "no".to_owned());
        Self::Events(Binary(body), passes, no)
    }
}

/// OpenAI's default and most.
const LIMIT: u32 = 20;
const LIMIT_MAX: u32 = 100;

fn limit(asked: Option<u32>) -> Result<usize, ApiError> {
    let asked = asked.unwrap_or(LIMIT);
    let limit = usize::try_from(asked).unwrap_or(usize::MAX);
    if (1..=LIMIT_MAX).contains(&asked) {
        return Ok(limit);
    }
    let message = format!("`limit` must be from 1 to {LIMIT_MAX}.");
    Err(ApiError::bad_field("limit", message))
}

fn wrong_after() -> ApiError {
    ApiError::bad_field("after", "`after` must be an id of the list.")
}

/// OpenAI's list.
fn list(data: Vec<Value>, has_more: bool) -> Value {
    let id = |one: Option<&Value>| one.map_or(Value::Null, |one| one["id"].clone());
    let (first, last) = (id(data.first()), id(data.last()));
    json!({"object": "list", "data": data, "first_id": first, "last_id": last, "has_more": has_more})
}

/// A part of a list that is there whole.
fn part(
    mut all: Vec<Value>,
    order: KeptOrder,
    (after, limit): (Option<&str>, usize),
) -> Result<Value, ApiError> {
    if order == KeptOrder::Desc {
        all.reverse();
    }
    if let Some(after) = after {
        let at = all.iter().position(|one| one["id"] == after);
        let at = at.ok_or_else(wrong_after)?;
        all.drain(..=at);
    }
    let has_more = all.len() > limit;
    all.truncate(limit);
    Ok(list(all, has_more))
}

/// More items than a turn or a conversation may have.
pub(crate) fn too_many_items(most: i64) -> ApiError {
    let message = format!("This would be more than {most} items; start another conversation.");
    ApiError::conflict("too_many_items", message)
}

/// More who follow responses than a tenant may have.
pub(crate) fn too_many_follow(most: u32) -> ApiError {
    let message = format!(
        "{most} streams follow responses of your tenant through this server already; end some of them, or fetch \
         the response without `stream`."
    );
    ApiError::too_many("too_many_followers", message, 5)
}

/// Why something is not kept that was sent to be.
fn not_kept(error: KeepError) -> ApiError {
    match error {
        KeepError::TooLarge(bytes) => ApiError::too_large(bytes),
        KeepError::TooManyItems(most) => too_many_items(most),
        KeepError::Full(bytes) => {
            let message = format!("{bytes} bytes are kept, and no more may be; delete something.");
            ApiError::conflict("kept_full", message)
        }
        KeepError::NoConversation => ApiError::not_found("conversation"),
        KeepError::Followed(most) => too_many_follow(most),
        KeepError::Busy(_) => ApiError::internal(),
        KeepError::Store(error) => error.into(),
    }
}

/// Refuses to keep for a tenant that keeps nothing.
fn keeps(caller: &Caller) -> Result<(), ApiError> {
    if caller.who.keep_days.is_some() {
        return Ok(());
    }
    let message =
        "Answers are not kept for your tenant; an owner or admin can turn this on in the settings.";
    Err(ApiError::forbidden("nothing_is_kept", message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(list: &Value) -> Vec<&str> {
        let data = list["data"].as_array().expect("a list");
        data.iter().filter_map(|one| one["id"].as_str()).collect()
    }

    #[test]
    fn a_list_comes_in_parts_in_either_order() {
        let all = || ["a", "b", "c"].map(|id| json!({"id": id})).to_vec();
        let first = part(all(), KeptOrder::Asc, (None, 2)).expect("a part");
        assert_eq!(
            (ids(&first), &first["has_more"]),
            (vec!["a", "b"], &true.into())
        );
        assert_eq!(
            (&first["first_id"], &first["last_id"]),
            (&"a".into(), &"b".into())
        );
        let next = part(all(), KeptOrder::Asc, (Some("b"), 2)).expect("a part");
        assert_eq!((ids(&next), &next["has_more"]), (vec!["c"], &false.into()));
        let newest = part(all(), KeptOrder::Desc, (Some("c"), 9)).expect("a part");
        assert_eq!(ids(&newest), ["b", "a"]);
        assert!(part(all(), KeptOrder::Asc, (Some("x"), 9)).is_err());
        let none = part(Vec::new(), KeptOrder::Asc, (None, 9)).expect("a part");
        assert_eq!(none["first_id"], Value::Null);
        assert!(limit(Some(0)).is_err() && limit(Some(101)).is_err());
        assert_eq!(limit(None).ok(), Some(20));
    }
}
