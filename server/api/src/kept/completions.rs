//! Kept chat completions. The list of them has the path on which they are made, so that the calls' route
//! leads here.

use std::collections::HashMap;

use poem::{IntoResponse, Request, Response};
use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use serde_json::{Value, json};
use server_edge::doors::address::peer;
use server_rooms::accounts::Scope;
use server_rooms::auth::Auth;
use server_rooms::kept::{Keeping, KeptPage, KeptThing, Reader, kinds};
use shared::dialect::kept::chat::listed_message;
use shared::dialect::kept::metadata;
use shared::id::CompletionId;

use super::{Caller, KeptOrder, limit, list, not_kept, part, reader, wrong_after};
use crate::error::ApiError;

/// Completions that are read at once where some are looked for.
const LOOK_PAGE: usize = 100;
/// A list that is so long in bytes is long enough.
const LIST_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Such pages of one request: what lies behind is found with the next one.
const LOOKS_MAX: usize = 10;

/// Chat completions for tenants.
#[derive(Debug, Clone)]
pub struct CompletionsApi {
    /// What is kept.
    pub keeping: Keeping,
}

async fn find(keeping: &Keeping, reader: Reader<'_>, id: &str) -> Result<KeptThing, ApiError> {
    let found = match id.parse::<CompletionId>() {
        Ok(_) => keeping.get(reader, kinds::COMPLETION, id).await?,
        Err(_) => None,
    };
    found.ok_or_else(|| no_completion(id))
}

fn no_completion(id: &str) -> ApiError {
    ApiError::not_kept(&format!("Chat completion with id '{id}' not found."), None)
}

#[OpenApi(prefix_path = "/api/v1", tag = "crate::Tag::Kept")]
impl CompletionsApi {
    /// Show a chat completion
    ///
    /// One requested with `store`, if your tenant keeps answers.
    #[oai(
        path = "/chat/completions/:id",
        method = "get",
        operation_id = "get_completion"
    )]
    async fn get(&self, caller: Caller, id: Path<String>) -> Result<Json<Value>, ApiError> {
        let mut thing = find(&self.keeping, reader(&caller), &id.0).await?;
        Ok(Json(thing.said["answer"].take()))
    }

    /// Change a chat completion
    ///
    /// Replaces its `metadata`.
    #[oai(
        path = "/chat/completions/:id",
        method = "post",
        operation_id = "update_completion"
    )]
    async fn update(
        &self,
        caller: Caller,
        id: Path<String>,
        body: Json<Value>,
    ) -> Result<Json<Value>, ApiError> {
        let mut thing = find(&self.keeping, reader(&caller), &id.0).await?;
        thing.said["answer"]["metadata"] = json!(metadata(body.0.get("metadata"))?);
        let rewritten = self
            .keeping
            .rewrite(reader(&caller), &thing.id, &thing.said);
        if !rewritten.await.map_err(not_kept)? {
            return Err(no_completion(&thing.id));
        }
        Ok(Json(thing.said["answer"].take()))
    }

    /// Delete a chat completion
    #[oai(
        path = "/chat/completions/:id",
        method = "delete",
        operation_id = "delete_completion"
    )]
    async fn delete(&self, caller: Caller, id: Path<String>) -> Result<Json<Value>, ApiError> {
        let thing = find(&self.keeping, reader(&caller), &id.0).await?;
        self.keeping
            .forget(reader(&caller), kinds::COMPLETION, &thing.id)
            .await?;
        Ok(Json(
            json!({"id": thing.id, "object": "chat.completion.deleted", "deleted": true}),
        ))
    }

    /// List the messages of a chat completion
    ///
    /// Those of its request.
    #[oai(
        path = "/chat/completions/:id/messages",
        method = "get",
        operation_id = "list_completion_messages"
    )]
    async fn messages(
        &self,
        caller: Caller,
        id: Path<String>,
        /// The last message of the page before
        after: Query<Option<String>>,
        /// How many, 1 to 100
        #[oai(name = "limit")]
        most: Query<Option<u32>>,
        /// The oldest first where nothing is said
        order: Query<Option<KeptOrder>>,
    ) -> Result<Json<Value>, ApiError> {
        let most = limit(most.0)?;
        let thing = find(&self.keeping, reader(&caller), &id.0).await?;
        let messages = thing.said["messages"].as_array();
        let messages = messages.into_iter().flatten().enumerate();
        let messages =
            messages.map(|(n, message)| listed_message(message, &format!("{}-{n}", thing.id)));
        let order = order.0.unwrap_or(KeptOrder::Asc);
        part(messages.collect(), order, (after.0.as_deref(), most)).map(Json)
    }
}

/// As long as names of models are, as the document says it.
const MODEL_CHARS_MAX: usize = 100;

/// What a list is asked for with.
#[derive(Debug, Default, PartialEq, Eq)]
struct Asked {
    after: Option<String>,
    limit: Option<u32>,
    order: Option<String>,
    model: Option<String>,
    metadata: Vec<(String, String)>,
}

impl Asked {
    /// Of a query, in which words stand as `metadata[name]=value`.
    fn read(query: HashMap<String, String>) -> Result<Self, ApiError> {
        let mut asked = Self::default();
        for (name, value) in query {
            match name.as_str() {
                "after" => asked.after = Some(value),
                "limit" => {
                    let number = value.parse().map_err(|_| {
                        ApiError::bad_field("limit", "`limit` must be from 1 to 100.")
                    })?;
                    asked.limit = Some(number);
                }
                "order" => asked.order = Some(value),
                "model" if value.chars().count() > MODEL_CHARS_MAX => {
                    let message = "`model` must be a model's name.";
                    return Err(ApiError::bad_field("model", message));
                }
                "model" => asked.model = Some(value),
                _ => {
                    let word = name
                        .strip_prefix("metadata[")
                        .and_then(|n| n.strip_suffix(']'));
                    if let Some(word) = word {
                        asked.metadata.push((word.to_owned(), value));
                    }
                }
            }
        }
        Ok(asked)
    }

    fn is_newest_first(&self) -> Result<bool, ApiError> {
        match self.order.as_deref() {
            None | Some("" | "asc") => Ok(false),
            Some("desc") => Ok(true),
            Some(_) => Err(ApiError::bad_field(
                "order",
                "`order` must be `asc` or `desc`.",
            )),
        }
    }

    fn wants(&self, thing: &KeptThing) -> bool {
        let words = &thing.said["answer"]["metadata"];
        let model = self.model.as_deref().filter(|model| !model.is_empty());
        model.is_none_or(|model| model == thing.model)
            && self
                .metadata
                .iter()
                .all(|(name, value)| words[name] == value.as_str())
    }
}

/// Answers the list of kept completions.
pub(crate) async fn listed(
    auth: &Auth,
    keeping: &Keeping,
    request: &Request,
) -> Result<Response, ApiError> {
    let who = auth.authenticate(request.headers(), peer(request)).await?;
    if !who.scopes.has(Scope::Inference) {
        return Err(ApiError::scope_missing(Scope::Inference));
    }
    let query = request.params::<HashMap<String, String>>();
    let query =
        query.map_err(|_| ApiError::bad_request("invalid_query", "The query is not valid."))?;
    let asked = Asked::read(query)?;
    let (most, newest_first) = (limit(asked.limit)?, asked.is_newest_first()?);
    let reader = Reader::of(&who);
    let mut last = match asked.after.as_deref().filter(|after| !after.is_empty()) {
        Some(after) => Some(
            find(keeping, reader, after)
                .await
                .map_err(|_| wrong_after())?,
        ),
        None => None,
    };
    let (mut data, mut bytes, mut has_more) = (Vec::new(), 0_usize, true);
    for _ in 0..LOOKS_MAX {
        let page = KeptPage {
            kind: kinds::COMPLETION,
            parent: "",
            after: last.as_ref().map(|last| (last.place, last.id.as_str())),
            newest_first,
            limit: LOOK_PAGE,
        };
        let (found, is_more) = keeping.page(reader, page).await?;
        let Some(end) = found.last() else {
            has_more = false;
            break;
        };
        last = Some(KeptThing {
            said: Value::Null,
            ..end.clone()
        });
        for mut thing in found.into_iter().filter(|thing| asked.wants(thing)) {
            let answer = thing.said["answer"].take();
            bytes = bytes.saturating_add(answer.to_string().len());
            data.push(answer);
        }
        has_more = data.len() > most || is_more;
        if has_more && data.len() <= most && bytes <= LIST_BYTES_MAX {
            continue;
        }
        break;
    }
    let last = last.map(|last| last.id);
    Ok(poem::web::Json(page(data, (most, has_more), last)).into_response())
}

/// A page of those that were found among all up to `looked_at`, behind which the next page begins where this
/// one is not full: else whoever looks for few among many would never get past the first.
fn page(mut data: Vec<Value>, (most, has_more): (usize, bool), looked_at: Option<String>) -> Value {
    let is_full = data.len() > most;
    data.truncate(most);
    let mut page = list(data, has_more);
    if has_more && !is_full {
        page["last_id"] = json!(looked_at);
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_is_not_full_goes_on_behind_what_was_looked_at() {
        let ids = |ids: &[&str]| ids.iter().map(|id| json!({"id": id})).collect::<Vec<_>>();
        for (found, has_more, last) in [
            (&[][..], true, json!("z")),
            (&["a"], true, json!("z")),
            (&["a"], false, json!("a")),
            (&["a", "b", "c"], true, json!("b")),
            (&[], false, Value::Null),
        ] {
            let page = page(ids(found), (2, has_more), Some("z".to_owned()));
            assert_eq!(page["last_id"], last, "{page}");
            assert_eq!(page["has_more"], has_more);
        }
    }

    #[test]
    fn a_list_is_narrowed_by_model_and_words() {
        let thing = KeptThing {
            id: "chatcmpl-1".to_owned(),
            place: 1,
            status: String::new(),
            model: "m".to_owned(),
            created_at: shared::clock::Moment::from_unix_ms(0),
            said: json!({"answer": {"metadata": {"a": "b"}}}),
        };
        let read = |pairs: &[(&str, &str)]| {
            let pairs = pairs
                .iter()
                .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
            Asked::read(pairs.collect())
        };
        for (query, wanted) in [
            (&[][..], true),
            (&[("model", "m")], true),
            (&[("model", "n")], false),
            (&[("metadata[a]", "b")], true),
            (&[("metadata[a]", "c")], false),
            (&[("metadata[x]", "b"), ("model", "m")], false),
        ] {
            assert_eq!(
                read(query).expect("read").wants(&thing),
                wanted,
                "{query:?}"
            );
        }
        assert!(read(&[("limit", "many")]).is_err());
        assert!(
            read(&[("order", "up")])
                .expect("read")
                .is_newest_first()
                .is_err()
        );
    }
}
