//! Kept answers of the Responses API.

use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::{Json, PlainText};
use serde_json::{Value, json};
use server_rooms::kept::{IN_PROGRESS, Keeping, KeptThing, kinds};
use shared::dialect::kept::responses::item_with_id;
use shared::id::ResponseId;
use shared::link::Operation;
use shared::surface::{SURFACES, Surface};

use super::{Caller, KeptOrder, Told, limit, part, reader};
use crate::error::ApiError;
use crate::infer::state::as_it_stands;

/// Responses for tenants.
#[derive(Debug, Clone)]
pub struct ResponsesApi {
    /// What is kept.
    pub keeping: Keeping,
}

/// The events of an answer that come behind one of them.
fn events_after(events: &str, after: Option<u64>) -> String {
    let is_behind = |event: &&str| {
        let Some(after) = after else { return true };
        let data = event.lines().find_map(|line| line.strip_prefix("data: "));
        let told = data.and_then(|data| serde_json::from_str::<Value>(data).ok());
        let number = told.and_then(|told| told["sequence_number"].as_u64());
        number.is_none_or(|number| number > after)
    };
    events.split_inclusive("\n\n").filter(is_behind).collect()
}

impl ResponsesApi {
    async fn find(&self, caller: &Caller, id: &str) -> Result<KeptThing, ApiError> {
        let found = match id.parse::<ResponseId>() {
            Ok(_) => {
                self.keeping
                    .get(reader(caller), kinds::RESPONSE, id)
                    .await?
            }
            Err(_) => None,
        };
        let message = format!("Response with id '{id}' not found.");
        found.ok_or_else(|| ApiError::not_kept(&message, None))
    }
}

#[OpenApi(prefix_path = "/api/v1", tag = "crate::Tag::Kept")]
impl ResponsesApi {
    /// Show a response
    ///
    /// One that was asked for with `store`, where your tenant keeps answers; one in the background as it
    /// stands.
    #[oai(path = "/responses/:id", method = "get", operation_id = "get_response")]
    async fn get(
        &self,
        caller: Caller,
        id: Path<String>,
        /// As the events of a stream; of one that is over
        stream: Query<Option<bool>>,
        /// The events behind the one of this number
        starting_after: Query<Option<u64>>,
    ) -> Result<Told, ApiError> {
        let thing = self.find(&caller, &id.0).await?;
        if stream.0 != Some(true) {
            return Ok(Told::Whole(Json(as_it_stands(thing))));
        }
        if thing.status == IN_PROGRESS {
            let message =
                "The response is in progress; fetch it without `stream` until it is over.";
            return Err(ApiError::bad_field("stream", message));
        }
        let answer = as_it_stands(thing).to_string();
        let surface = SURFACES.into_iter().find(|one| one.path == "/responses");
        let surface = surface.unwrap_or_else(|| Surface::of(Operation::Chat));
        let events = surface.dialect.as_stream(answer.as_bytes());
        let events = events.ok_or_else(ApiError::internal)?;
        let events = String::from_utf8_lossy(&events);
        Ok(Told::Events(PlainText(events_after(
            &events,
            starting_after.0,
        ))))
    }

    /// Delete a response
    ///
    /// One in the background is cancelled first.
    #[oai(
        path = "/responses/:id",
        method = "delete",
        operation_id = "delete_response"
    )]
    async fn delete(&self, caller: Caller, id: Path<String>) -> Result<Json<Value>, ApiError> {
        let thing = self.find(&caller, &id.0).await?;
        self.keeping
            .forget(reader(&caller), kinds::RESPONSE, &thing.id)
            .await?;
        Ok(Json(
            json!({"id": thing.id, "object": "response", "deleted": true}),
        ))
    }

    /// Cancel a response
    ///
    /// One in the background; what was produced until then is charged, as where a caller leaves. One that
    /// is over stays as it is.
    #[oai(
        path = "/responses/:id/cancel",
        method = "post",
        operation_id = "cancel_response"
    )]
    async fn cancel(&self, caller: Caller, id: Path<String>) -> Result<Json<Value>, ApiError> {
        let thing = self.find(&caller, &id.0).await?;
        if thing.said["answer"]["background"] != true {
            let message = "Only a response in the background can be cancelled.";
            return Err(ApiError::bad_request("not_in_background", message));
        }
        self.keeping.cancel(reader(&caller), &thing.id).await?;
        let thing = self.find(&caller, &id.0).await?;
        Ok(Json(as_it_stands(thing)))
    }

    /// List the input of a response
    ///
    /// What its request brought itself; what was said before is with the answers before.
    #[oai(
        path = "/responses/:id/input_items",
        method = "get",
        operation_id = "list_response_input"
    )]
    async fn input_items(
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
    ) -> Result<Json<Value>, ApiError> {
        let most = limit(most.0)?;
        let thing = self.find(&caller, &id.0).await?;
        let own = thing.id.trim_start_matches(ResponseId::PREFIX);
        let items = thing.said["input"].as_array();
        let items = items.into_iter().flatten().enumerate();
        // The same names each time, so that a page can be asked for.
        let items =
            items.map(|(n, item)| item_with_id(item, |prefix| format!("{prefix}_{own}{n}")));
        let order = order.0.unwrap_or(KeptOrder::Desc);
        part(items.collect(), order, (after.0.as_deref(), most)).map(Json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_goes_on_behind_the_event_that_was_seen() {
        let event = |n: u64| format!("event: x\ndata: {{\"sequence_number\":{n}}}\n\n");
        let all = format!("{}{}{}", event(0), event(1), event(2));
        assert_eq!(events_after(&all, None), all);
        assert_eq!(events_after(&all, Some(1)), event(2));
        assert_eq!(events_after(&all, Some(9)), "");
    }
}
