//! One call whose answer is kept: whole, or when its stream's last event has come. What can't be kept is
//! answered all the same, and says that it is not.

use std::collections::HashSet;

use bytes::Bytes;
use poem::Response;
use serde_json::{Map, Value, json};
use server_rooms::kept::{KeepError, Keeping, NewKept, NewTurn, kinds};
use shared::dialect::kept::chat::{self, CompletionState};
use shared::dialect::kept::responses::{self, ResponseMark};
use tracing::{error, info};

use super::{Who, item_id, tell};

/// What is kept of a call.
#[derive(Debug, Clone)]
pub(super) enum What {
    /// A response, with what its request brought itself.
    Response {
        /// How its answer tells it.
        mark: ResponseMark,
        /// Its input's items.
        input: Vec<Value>,
    },
    /// A chat completion.
    Completion {
        /// Its id.
        id: String,
        /// What its request said.
        state: CompletionState,
    },
}

/// A call whose answer is kept.
#[derive(Debug, Clone)]
pub(in super::super) struct KeptCall {
    pub(super) keeping: Keeping,
    pub(super) who: Who,
    pub(super) what: What,
}

fn text<'a>(answer: &'a Map<String, Value>, name: &str) -> &'a str {
    answer.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// What a turn adds to a conversation, each item under an id of its own: of ours for what the caller brought,
/// who may write any, and for what an answer names twice.
pub(super) fn turn_items(input: &[Value], output: &[Value]) -> Vec<(String, Value)> {
    let mut taken = HashSet::new();
    let brought = input.iter().map(|item| (item, false));
    let all = brought.chain(output.iter().map(|item| (item, true)));
    all.map(|(item, is_ours)| {
        let id = item.get("id").and_then(Value::as_str);
        let stays = is_ours && id.is_some_and(|id| !taken.contains(id));
        let item = if stays {
            responses::item_with_id(item, item_id)
        } else {
            let mut item = item.clone();
            if let Some(fields) = item.as_object_mut() {
                fields.remove("id");
            }
            responses::item_with_id(&item, item_id)
        };
        let id = item.get("id").and_then(Value::as_str);
        // What is no object has no id in it.
        let id = id.map_or_else(|| item_id("item"), str::to_owned);
        taken.insert(id.clone());
        (id, item)
    })
    .collect()
}

impl KeptCall {
    /// Keeps a whole answer; gives it as it is told.
    pub(in super::super) async fn keep_whole(self, bytes: Bytes, response: &mut Response) -> Bytes {
        let Ok(Value::Object(mut answer)) = serde_json::from_slice(&bytes) else {
            return bytes;
        };
        if let Err(error) = self.keep(&mut answer).await {
            tell(response, &error);
        }
        serde_json::to_vec(&answer).map_or(bytes, Bytes::from)
    }

    /// Keeps an answer, and says in it how it is kept.
    pub(super) async fn keep(&self, answer: &mut Map<String, Value>) -> Result<(), KeepError> {
        let kept = match &self.what {
            What::Response { mark, input } => {
                mark.mark(answer);
                let kept = self.keep_response(mark, input, answer).await;
                if kept.is_err() {
                    answer.insert("store".to_owned(), json!(false));
                }
                kept
            }
            What::Completion { id, state } => {
                chat::mark(answer, id, &state.metadata);
                self.keep_completion(id, state, answer).await
            }
        };
        if let Err(error) = &kept {
            match error {
                KeepError::Store(error) => error!(%error, "an answer was not kept: {error}"),
                KeepError::TooLarge(_)
                | KeepError::TooManyItems(_)
                | KeepError::Full(_)
                | KeepError::NoConversation
                | KeepError::Busy(_)
                | KeepError::Followed(_) => {
                    info!(tenant.id = %self.who.tenant, "an answer was not kept: {error}");
                }
            }
        }
        kept
    }

    async fn keep_response(
        &self,
        mark: &ResponseMark,
        input: &[Value],
        answer: &Map<String, Value>,
    ) -> Result<(), KeepError> {
        let status = responses::status(answer);
        let said = json!({"input": input, "answer": answer});
        let new = NewKept {
            kind: kinds::RESPONSE,
            id: &mark.id,
            status,
            model: text(answer, "model"),
            said: &said,
            names: &responses::item_ids(answer),
        };
        let items = turn_items(input, &responses::output(answer));
        // One that failed adds nothing.
        let conversation = mark.conversation.as_deref().filter(|_| status != "failed");
        let turn = conversation.map(|conversation| NewTurn {
            conversation,
            items: &items,
        });
        self.keeping
            .keep(&self.who, mark.store.then_some(new), turn)
            .await
    }

    async fn keep_completion(
        &self,
        id: &str,
        state: &CompletionState,
        answer: &Map<String, Value>,
    ) -> Result<(), KeepError> {
        let said = json!({"messages": state.messages, "answer": answer});
        let new = NewKept {
            kind: kinds::COMPLETION,
            id,
            status: "",
            model: text(answer, "model"),
            said: &said,
            names: &[],
        };
        self.keeping.keep(&self.who, Some(new), None).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_of_a_turn_have_ids_that_can_name_rows_and_none_twice() {
        let message =
            |id: &str| json!({"type": "message", "role": "user", "id": id, "content": "x"});
        let input = [message("a\u{0}"), message("msg_same"), json!(7), json!(8)];
        let long = "x".repeat(3_000);
        let output = [message("msg_same"), message("msg_same"), message(&long)];
        let items = turn_items(&input, &output);
        let ids: HashSet<&str> = items.iter().map(|(id, _)| id.as_str()).collect();
        assert_eq!(ids.len(), 7, "{ids:?}");
        for (id, item) in &items {
            assert!(
                id.len() <= 128 && id.bytes().all(|b| b.is_ascii_graphic()),
                "{id:?}"
            );
            assert!(!item.is_object() || item["id"] == id.as_str(), "{item}");
        }
        assert_eq!(items[4].0, "msg_same", "an answer's own stays");
    }
}
