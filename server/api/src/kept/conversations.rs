//! Conversations, which calls read as what was said before and add to.

use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use serde_json::{Map, Value, json};
use server_rooms::kept::{Keeping, KeptPage, KeptThing, NewKept, NewTurn, kinds};
use shared::dialect::kept::metadata;
use shared::dialect::kept::responses::item_with_id;
use shared::id::ConversationId;

use super::include::{Include, IncludeWord};
use super::{Caller, KeptOrder, keeps, limit, list, not_kept, reader, wrong_after};
use crate::error::ApiError;
use crate::infer::state::{find_conversation, item_id};

/// Items that one request adds at most (API reference, "Create items").
const ITEMS_MAX: usize = 20;

/// Conversations for tenants.
#[derive(Debug, Clone)]
pub struct ConversationsApi {
    /// What is kept.
    pub keeping: Keeping,
}

/// A conversation as clients read it.
fn shown(thing: &KeptThing) -> Value {
    json!({
        "id": thing.id, "object": "conversation",
        "created_at": thing.created_at.unix_ms().div_euclid(1_000),
        "metadata": thing.said["metadata"],
    })
}

/// A body's fields; an empty body has none.
fn fields(body: Value) -> Result<Map<String, Value>, ApiError> {
    match body {
        Value::Object(fields) => Ok(fields),
        Value::Null => Ok(Map::new()),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Err(
            ApiError::bad_request("invalid_json", "The body must be a JSON object."),
        ),
    }
}

/// Items as they are kept, each with its id.
fn items(fields: &Map<String, Value>) -> Result<Vec<(String, Value)>, ApiError> {
    let wrong = || {
        let message = format!("`items` must be an array of at most {ITEMS_MAX} objects.");
        ApiError::bad_field("items", message)
    };
    let items = match fields.get("items") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(items)) if items.len() <= ITEMS_MAX => items,
        Some(_) => return Err(wrong()),
    };
    let named = items.iter().map(|item| {
        if !item.is_object() {
            return Err(wrong());
        }
        // An id of the caller's own is none of ours.
        let mut item = item.clone();
        if let Some(fields) = item.as_object_mut() {
            fields.remove("id");
        }
        let item = item_with_id(&item, item_id);
        let id = item["id"].as_str().unwrap_or_default().to_owned();
        Ok((id, item))
    });
    named.collect()
}

fn listed(items: Vec<(String, Value)>, include: &Include) -> Value {
    let shown = items.into_iter().map(|(_, item)| include.show(item));
    list(shown.collect(), false)
}

fn no_item(id: &str) -> ApiError {
    ApiError::not_kept(&format!("Item with id '{id}' not found."), None)
}

impl ConversationsApi {
    async fn find(&self, caller: &Caller, id: &str) -> Result<KeptThing, ApiError> {
        find_conversation(&self.keeping, reader(caller), id).await
    }

    /// Adds items to a conversation that is there.
    async fn add(
        &self,
        caller: &Caller,
        conversation: &str,
        items: &[(String, Value)],
    ) -> Result<(), ApiError> {
        if items.is_empty() {
            return Ok(());
        }
        let turn = NewTurn {
            conversation,
            items,
        };
        let kept = self.keeping.keep(&caller.who, None, Some(turn)).await;
        kept.map_err(not_kept)
    }
}

#[OpenApi(prefix_path = "/api/v1", tag = "crate::Tag::Kept")]
impl ConversationsApi {
    /// Create a conversation
    ///
    /// With `metadata` and up to 20 `items`, if your tenant keeps answers. A response that names it reads
    /// its items and adds its own input and output.
    #[oai(
        path = "/conversations",
        method = "post",
        operation_id = "create_conversation"
    )]
    async fn create(&self, caller: Caller, body: Json<Value>) -> Result<Json<Value>, ApiError> {
        keeps(&caller)?;
        let fields = fields(body.0)?;
        let (words, items) = (metadata(fields.get("metadata"))?, items(&fields)?);
        let id = ConversationId::random().into_string();
        let new = NewKept {
            kind: kinds::CONVERSATION,
            id: &id,
            status: "",
            model: "",
            said: &json!({"metadata": words}),
            names: &[],
        };
        let kept = self.keeping.keep(&caller.who, Some(new), None).await;
        kept.map_err(not_kept)?;
        self.add(&caller, &id, &items).await?;
        Ok(Json(shown(&self.find(&caller, &id).await?)))
    }

    /// Show a conversation
    #[oai(
        path = "/conversations/:id",
        method = "get",
        operation_id = "get_conversation"
    )]
    async fn get(&self, caller: Caller, id: Path<String>) -> Result<Json<Value>, ApiError> {
        Ok(Json(shown(&self.find(&caller, &id.0).await?)))
    }

    /// Change a conversation
    ///
    /// Replaces its `metadata`.
    #[oai(
        path = "/conversations/:id",
        method = "post",
        operation_id = "update_conversation"
    )]
    async fn update(
        &self,
        caller: Caller,
        id: Path<String>,
        body: Json<Value>,
    ) -> Result<Json<Value>, ApiError> {
        let thing = self.find(&caller, &id.0).await?;
        let words = metadata(fields(body.0)?.get("metadata"))?;
        let said = json!({"metadata": words});
        let rewritten = self
            .keeping
            .rewrite(reader(&caller), &thing.id, &said)
            .await;
        if !rewritten.map_err(not_kept)? {
            // It went away in this moment; its own words say so.
            self.find(&caller, &thing.id).await?;
        }
        Ok(Json(shown(&KeptThing { said, ..thing })))
    }

    /// Delete a conversation
    ///
    /// With its items.
    #[oai(
        path = "/conversations/:id",
        method = "delete",
        operation_id = "delete_conversation"
    )]
    async fn delete(&self, caller: Caller, id: Path<String>) -> Result<Json<Value>, ApiError> {
        let thing = self.find(&caller, &id.0).await?;
        self.keeping
            .forget(reader(&caller), kinds::CONVERSATION, &thing.id)
            .await?;
        Ok(Json(
            json!({"id": thing.id, "object": "conversation.deleted", "deleted": true}),
        ))
    }

    /// List a conversation's items
    #[oai(
        path = "/conversations/:id/items",
        method = "get",
        operation_id = "list_conversation_items"
    )]
    #[expect(
        clippy::too_many_arguments,
        reason = "poem-openapi has one argument for each parameter"
    )]
    async fn items(
        &self,
        caller: Caller,
        id: Path<String>,
        /// The last item of the page before
        after: Query<Option<String>>,
        /// How many, 1 to 100
        #[oai(name = "limit")]
        most: Query<Option<u32>>,
        /// The newest first where nothing is said
        order: Query<Option<KeptOrder>>,
        /// More that is to be shown of items
        #[oai(name = "include[]")]
        included: Query<Option<Vec<IncludeWord>>>,
        /// The same, as it is written by hand
        include: Query<Option<Vec<IncludeWord>>>,
    ) -> Result<Json<Value>, ApiError> {
        let include = Include::of([included.0, include.0]);
        let most = limit(most.0)?;
        let thing = self.find(&caller, &id.0).await?;
        let last = match &after.0 {
            Some(after) => {
                let found = self.keeping.item(reader(&caller), &thing.id, after).await?;
                Some(found.ok_or_else(wrong_after)?)
            }
            None => None,
        };
        let page = KeptPage {
            kind: kinds::ITEM,
            parent: &thing.id,
            after: last.as_ref().map(|last| (last.place, last.id.as_str())),
            newest_first: order.0 != Some(KeptOrder::Asc),
            limit: most,
        };
        let (found, has_more) = self.keeping.page(reader(&caller), page).await?;
        let data = found.into_iter().map(|item| include.show(item.said));
        Ok(Json(list(data.collect(), has_more)))
    }

    /// Add items to a conversation
    ///
    /// Up to 20 `items`, after the existing ones.
    #[oai(
        path = "/conversations/:id/items",
        method = "post",
        operation_id = "create_conversation_items"
    )]
    async fn create_items(
        &self,
        caller: Caller,
        id: Path<String>,
        /// More that is to be shown of items
        #[oai(name = "include[]")]
        included: Query<Option<Vec<IncludeWord>>>,
        /// The same, as it is written by hand
        include: Query<Option<Vec<IncludeWord>>>,
        body: Json<Value>,
    ) -> Result<Json<Value>, ApiError> {
        let include = Include::of([included.0, include.0]);
        keeps(&caller)?;
        let thing = self.find(&caller, &id.0).await?;
        let items = items(&fields(body.0)?)?;
        if items.is_empty() {
            return Err(ApiError::bad_field(
                "items",
                "`items` must have at least one item.",
            ));
        }
        self.add(&caller, &thing.id, &items).await?;
        Ok(Json(listed(items, &include)))
    }

    /// Show an item of a conversation
    #[oai(
        path = "/conversations/:id/items/:item",
        method = "get",
        operation_id = "get_conversation_item"
    )]
    async fn item(
        &self,
        caller: Caller,
        id: Path<String>,
        item: Path<String>,
        /// More that is to be shown of items
        #[oai(name = "include[]")]
        included: Query<Option<Vec<IncludeWord>>>,
        /// The same, as it is written by hand
        include: Query<Option<Vec<IncludeWord>>>,
    ) -> Result<Json<Value>, ApiError> {
        let include = Include::of([included.0, include.0]);
        let thing = self.find(&caller, &id.0).await?;
        let found = self
            .keeping
            .item(reader(&caller), &thing.id, &item.0)
            .await?;
        found
            .map(|item| Json(include.show(item.said)))
            .ok_or_else(|| no_item(&item.0))
    }

    /// Delete an item of a conversation
    ///
    /// Returns the conversation.
    #[oai(
        path = "/conversations/:id/items/:item",
        method = "delete",
        operation_id = "delete_conversation_item"
    )]
    async fn delete_item(
        &self,
        caller: Caller,
        id: Path<String>,
        item: Path<String>,
    ) -> Result<Json<Value>, ApiError> {
        let thing = self.find(&caller, &id.0).await?;
        let gone = self
            .keeping
            .forget_item(reader(&caller), &thing.id, &item.0);
        if gone.await? {
            Ok(Json(shown(&thing)))
        } else {
            Err(no_item(&item.0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_get_ids_of_ours_and_are_bounded() {
        let of = |items: Value| items_of(&items);
        let named = of(json!([{"id": "theirs", "role": "user", "content": "x"}])).expect("items");
        assert!(named[0].0.starts_with("msg_") && named[0].1["id"] == named[0].0.as_str());
        for wrong in [json!("x"), json!(["x"]), json!(vec![json!({}); 21])] {
            assert!(of(wrong.clone()).is_err(), "{wrong}");
        }
        assert!(of(Value::Null).expect("none").is_empty());
        assert!(fields(json!([])).is_err());
    }

    fn items_of(items: &Value) -> Result<Vec<(String, Value)>, ApiError> {
        let body = fields(json!({"items": items}))?;
        super::items(&body)
    }
}
