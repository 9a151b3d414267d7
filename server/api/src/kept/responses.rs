//! Kept answers of the Responses API.

use std::time::Duration;

use bytes::Bytes;
use poem::Body;
use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use serde_json::{Value, json};
use server_rooms::kept::{EVENTS, IN_PROGRESS, Keeping, KeptThing, Next, kinds};
use shared::dialect::Dialect;
use shared::dialect::kept::flow::FlowEvent;
use shared::dialect::kept::responses::item_with_id;
use shared::id::ResponseId;
use shared::link::Operation;
use shared::surface::{SURFACES, Surface};

use super::include::{Include, IncludeWord};
use super::{Caller, KeptOrder, Told, limit, not_kept, part, reader};
use crate::error::ApiError;
use crate::infer::state::{STREAMED, as_it_stands, follow};

/// Responses for tenants.
#[derive(Debug, Clone)]
pub struct ResponsesApi {
    /// What is kept.
    pub keeping: Keeping,
}

/// A running response is looked at for so long whether the events are there that are asked for: behind that it is
/// a stream, whose errors are events.
const FIRST_WITHIN: Duration = Duration::from_millis(200);

/// The format that responses are told in.
fn dialect() -> &'static dyn Dialect {
    let surface = SURFACES.into_iter().find(|one| one.path == "/responses");
    surface
        .unwrap_or_else(|| Surface::of(Operation::Chat))
        .dialect
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

/// An answer as a stream that is made anew, behind one of its events; `end` is the number that its last event had
/// when it was told first.
fn made_anew(answer: Value, after: Option<u64>, end: Option<u64>) -> Option<Bytes> {
    let events = dialect().as_stream(answer.to_string().as_bytes())?;
    let behind = events_after(&String::from_utf8_lossy(&events), after);
    // It is shorter than the first one: who was cut off late in that one is told the end of it.
    let is_cut = |end: &u64| behind.is_empty() && after.is_some_and(|after| after < *end);
    match end.filter(is_cut) {
        Some(end) => Some(FlowEvent::last(answer).bytes(end)),
        None => Some(behind.into()),
    }
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

    /// The events of one that was begun as a stream; nothing where they are gone and the answer is told as a
    /// stream made anew, whose numbers are others.
    async fn followed(
        &self,
        caller: &Caller,
        thing: &KeptThing,
        after: Option<u64>,
    ) -> Result<Option<Told>, ApiError> {
        let tenant = &caller.who.tenant;
        let is_over = thing.status != IN_PROGRESS;
        // Only what came to its end by itself has an answer to make a stream of.
        let has_answer = is_over && thing.said[EVENTS].is_u64();
        if has_answer && !self.keeping.has_events(tenant, &thing.id).await? {
            return Ok(None);
        }
        let follower = self.keeping.follow(tenant, &thing.id, after);
        let mut follower = follower.map_err(not_kept)?;
        let first = tokio::time::timeout(FIRST_WITHIN, follower.next()).await;
        let first = first.ok().transpose()?;
        if matches!(first, Some(Next::Missing)) {
            return if is_over && after.is_none() {
                Ok(None)
            } else {
                Err(follow::missing())
            };
        }
        let body = follow::body((follower, first), dialect());
        Ok(Some(Told::events(body)))
    }
}

#[OpenApi(prefix_path = "/api/v1", tag = "crate::Tag::Kept")]
impl ResponsesApi {
    /// Show a response
    ///
    /// One that was asked for with `store`, where your tenant keeps answers; one in the background as it
    /// stands. As a stream, one that was begun in the background with `stream` is told from its first event or
    /// behind `starting_after`, and followed to its end.
    #[oai(path = "/responses/:id", method = "get", operation_id = "get_response")]
    #[expect(
        clippy::too_many_arguments,
        reason = "poem-openapi has one argument for each parameter"
    )]
    async fn get(
        &self,
        caller: Caller,
        id: Path<String>,
        /// As the events of a stream; of one that is over, or was begun as one
        stream: Query<Option<bool>>,
        /// The events behind the one of this number
        starting_after: Query<Option<u64>>,
        /// More that is to be shown of items
        #[oai(name = "include[]")]
        included: Query<Option<Vec<IncludeWord>>>,
        /// The same, as it is written by hand
        include: Query<Option<Vec<IncludeWord>>>,
    ) -> Result<Told, ApiError> {
        let include = Include::of([included.0, include.0]);
        let thing = self.find(&caller, &id.0).await?;
        if stream.0 != Some(true) {
            return Ok(Told::Whole(Json(include.show_answer(as_it_stands(thing)))));
        }
        if thing.said[STREAMED] == true
            && let Some(told) = self.followed(&caller, &thing, starting_after.0).await?
        {
            return Ok(told);
        }
        if thing.status == IN_PROGRESS {
            let message = "The response is in progress, and was not begun with `stream`; fetch it without `stream` \
                           until it is over.";
            return Err(ApiError::bad_field("stream", message));
        }
        let end = thing.said[EVENTS].as_u64();
        let answer = include.show_answer(as_it_stands(thing));
        let events = made_anew(answer, starting_after.0, end);
        let events = events.ok_or_else(ApiError::internal)?;
        Ok(Told::events(Body::from_bytes(events)))
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
    /// One in the background; what was produced until then is charged, as for a caller that disconnects. A
    /// finished one is not changed.
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
    /// What its request contained; earlier turns are with the previous responses.
    #[oai(
        path = "/responses/:id/input_items",
        method = "get",
        operation_id = "list_response_input"
    )]
    #[expect(
        clippy::too_many_arguments,
        reason = "poem-openapi has one argument for each parameter"
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
        /// More that is to be shown of items
        #[oai(name = "include[]")]
        included: Query<Option<Vec<IncludeWord>>>,
        /// The same, as it is written by hand
        include: Query<Option<Vec<IncludeWord>>>,
    ) -> Result<Json<Value>, ApiError> {
        let include = Include::of([included.0, include.0]);
        let most = limit(most.0)?;
        let thing = self.find(&caller, &id.0).await?;
        let own = thing.id.trim_start_matches(ResponseId::PREFIX);
        let items = thing.said["input"].as_array();
        let items = items.into_iter().flatten().enumerate();
        // The same names each time, so that a page can be asked for.
        let items = items.map(|(n, item)| {
            include.show(item_with_id(item, |prefix| format!("{prefix}_{own}{n}")))
        });
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

    #[test]
    fn a_stream_made_anew_goes_on_and_has_a_last_event_for_who_saw_the_first_one() {
        let answer = json!({
            "id": "resp_1", "object": "response", "status": "completed", "model": "m", "created_at": 1,
            "output": [{"type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
                "content": [{"type": "output_text", "text": "heron", "annotations": []}]}],
        });
        let made = |after, end| {
            let made = made_anew(answer.clone(), after, end).expect("an answer");
            String::from_utf8(made.to_vec()).expect("text")
        };
        let whole = made(None, Some(90));
        let many = whole.matches("\n\n").count();
        assert!(many > 3, "{whole}");
        let rest = made(Some(1), Some(90));
        assert!(whole.ends_with(&rest), "cut off in this one: {rest}");
        assert_eq!(rest.matches("\n\n").count() + 2, many);
        let last = made(Some(80), Some(90));
        assert!(last.contains("response.completed") && last.contains("\"sequence_number\":90"));
        assert_eq!(last.matches("\n\n").count(), 1);
        assert_eq!(made(Some(90), Some(90)), "", "it saw the end");
        assert_eq!(made(Some(80), None), "", "never told otherwise");
    }
}
