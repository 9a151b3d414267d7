//! Calls with state, for tenants whose answers are kept: what a request refers to goes into its input
//! before the call, and its answer is kept before its last byte is told. Without that nothing here runs.
//! Reading what is kept is the neighbour `kept`'s.

mod flow;
pub(crate) mod follow;
mod keep;
mod later;
mod passing;
mod refer;

use std::sync::Arc;

use http::{HeaderName, HeaderValue};
use poem::Response;
use serde_json::Value;
use server_rooms::auth::Principal;
use server_rooms::kept::{
    CANCELLED, FAILED, IN_PROGRESS, KeepError, Keeping, KeptPage, KeptThing, Reader, kinds,
};
use shared::dialect::body::Body;
use shared::dialect::kept::chat;
use shared::dialect::kept::responses::{self, ResponseMark, ResponseState};
use shared::id::{CompletionId, ConversationId, ResponseId, random_text};
use shared::surface::Surface;

pub(super) use self::keep::KeptCall;
use self::keep::What;
pub(crate) use self::later::STREAMED;
use super::{Entered, InferApi, Refused};
use crate::error::ApiError;

/// Tells why an answer is not kept that should be.
pub(super) const NOT_KEPT: HeaderName = HeaderName::from_static("x-waule-not-kept");

/// Answers one behind the other at most: each is read by itself.
const CHAIN_MAX: usize = 200;
/// Items of a conversation that are read at once.
const ITEMS_PAGE: usize = 100;

/// Which of the two formats with state a surface has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stateful {
    /// The Responses API.
    Responses,
    /// Chat completions.
    Chat,
}

impl Stateful {
    /// That of a surface; `None` of those without state.
    pub(super) fn of(surface: &Surface) -> Option<Self> {
        match surface.dialect.name() {
            "openai_responses" => Some(Self::Responses),
            "openai_chat" => Some(Self::Chat),
            _ => None,
        }
    }
}

/// What becomes of a call with state.
pub(super) enum Plan {
    /// It is answered as any other.
    Plain,
    /// It is too large to be kept; it is answered as any other, and says so.
    TooLarge,
    /// Its answer is kept on its way.
    Keep(Box<KeptCall>),
    /// It is worked on later: answered at once, or with a stream that can be followed again.
    Later(Box<KeptCall>, bool),
}

impl InferApi {
    /// Reads what a request says of state; its body says nothing of it afterwards.
    pub(super) async fn plan(
        &self,
        entered: &mut Entered,
        stateful: Stateful,
    ) -> Result<Plan, Refused> {
        let Body::Json(body) = &entered.told.body else {
            return Ok(Plan::Plain);
        };
        let most = self.keeping.bounds().item_bytes;
        match stateful {
            Stateful::Chat => {
                let taken = chat::take(body, most).map_err(ApiError::from)?;
                let Some((state, rest)) = taken else {
                    return Ok(Plan::Plain);
                };
                entered.told.rewrite(Body::Json(rest));
                if state.too_large {
                    return Ok(Plan::TooLarge);
                }
                let what = What::Completion {
                    id: CompletionId::random().into_string(),
                    state,
                };
                Ok(Plan::Keep(Box::new(self.kept_call(entered, what))))
            }
            Stateful::Responses => {
                let (mut state, rest) = responses::take(body, most).map_err(ApiError::from)?;
                let is_filled = self.resolve(&entered.principal, &mut state.input).await?;
                let is_alone = state.previous.is_none() && state.conversation.is_none();
                if !state.store && is_alone && !is_filled {
                    // As if nothing was ever kept.
                    return Ok(Plan::Plain);
                }
                if state.too_large {
                    entered.told.rewrite(Body::Json(rest));
                    return Ok(too_large(&state, most)?);
                }
                let context = self.context(&entered.principal, &state).await?;
                entered.told.rewrite(Body::Json(match context {
                    Some(context) => self.with_context(&rest, &context, &state)?,
                    None if is_filled => self.with_context(&rest, &[], &state)?,
                    None => rest,
                }));
                Ok(self.of_response(entered, state))
            }
        }
    }

    /// Puts what a request refers to into its input, where it is only asked about.
    pub(super) async fn refer(
        &self,
        entered: &mut Entered,
        stateful: Option<Stateful>,
    ) -> Result<(), Refused> {
        if let Some(stateful) = stateful
            && entered.principal.keep_days.is_some()
        {
            drop(self.plan(entered, stateful).await?);
        }
        Ok(())
    }

    fn of_response(&self, entered: &Entered, state: ResponseState) -> Plan {
        if !state.store && state.conversation.is_none() {
            return Plan::Plain;
        }
        let (is_later, is_stream) = (state.background, state.stream);
        let what = What::Response {
            mark: ResponseMark {
                id: ResponseId::random().into_string(),
                store: state.store,
                previous: state.previous,
                conversation: state.conversation,
                background: state.background,
                metadata: state.metadata,
                instructions: state.instructions,
            },
            input: state.input,
        };
        let kept = Box::new(self.kept_call(entered, what));
        if !is_later {
            return Plan::Keep(kept);
        }
        Plan::Later(kept, is_stream)
    }

    fn kept_call(&self, entered: &Entered, what: What) -> KeptCall {
        KeptCall {
            keeping: self.keeping.clone(),
            who: entered.principal.clone(),
            what,
        }
    }

    /// What was said before, where a request refers to it.
    async fn context(
        &self,
        who: &Principal,
        state: &ResponseState,
    ) -> Result<Option<Vec<Value>>, ApiError> {
        let reader = Reader::of(who);
        match (&state.previous, &state.conversation) {
            (Some(previous), _) => self.chain(reader, previous).await.map(Some),
            (None, Some(conversation)) => self.conversation(reader, conversation).await.map(Some),
            (None, None) => Ok(None),
        }
    }

    /// What was said up to an answer and by it, the oldest first.
    async fn chain(&self, reader: Reader<'_>, last: &str) -> Result<Vec<Value>, ApiError> {
        let (mut turns, mut bytes) = (Vec::new(), 0_usize);
        let mut next = Some(last.to_owned());
        while let Some(id) = next.take() {
            if turns.len() >= CHAIN_MAX {
                let message = format!("More than {CHAIN_MAX} answers precede this one.");
                return Err(ApiError::bad_field(responses::PREVIOUS, message));
            }
            let found = match id.parse::<ResponseId>() {
                Ok(_) => self.keeping.get(reader, kinds::RESPONSE, &id).await?,
                Err(_) => None,
            };
            let thing = found.ok_or_else(|| no_previous(&id))?;
            if thing.status == IN_PROGRESS {
                let message = format!("The response `{id}` is in progress.");
                return Err(ApiError::bad_field(responses::PREVIOUS, message));
            }
            let said = &thing.said;
            let mut turn = said["input"].as_array().cloned().unwrap_or_default();
            if let Some(answer) = said["answer"].as_object() {
                turn.extend(responses::output(answer));
                let previous = answer.get(responses::PREVIOUS).and_then(Value::as_str);
                next = previous.map(str::to_owned);
            }
            bytes = bytes.saturating_add(weight(&turn));
            self.fits(bytes)?;
            turns.push(turn);
        }
        Ok(turns.into_iter().rev().flatten().collect())
    }

    /// The items of a conversation, the oldest first.
    async fn conversation(&self, reader: Reader<'_>, id: &str) -> Result<Vec<Value>, ApiError> {
        find_conversation(&self.keeping, reader, id).await?;
        let (mut all, mut bytes) = (Vec::new(), 0_usize);
        let mut after: Option<KeptThing> = None;
        loop {
            let page = KeptPage {
                kind: kinds::ITEM,
                parent: id,
                after: after.as_ref().map(|last| (last.place, last.id.as_str())),
                newest_first: false,
                limit: ITEMS_PAGE,
            };
            let (mut items, has_more) = self.keeping.page(reader, page).await?;
            let said = items.iter_mut().map(|item| item.said.take());
            let said: Vec<Value> = said.collect();
            bytes = bytes.saturating_add(weight(&said));
            self.fits(bytes)?;
            all.extend(said);
            after = items.pop();
            if !has_more || after.is_none() {
                return Ok(all);
            }
        }
    }

    fn fits(&self, bytes: usize) -> Result<(), ApiError> {
        if bytes > self.body_bytes_max {
            return Err(ApiError::too_large(self.body_bytes_max));
        }
        Ok(())
    }

    fn with_context(
        &self,
        body: &bytes::Bytes,
        context: &[Value],
        state: &ResponseState,
    ) -> Result<bytes::Bytes, ApiError> {
        let with = responses::with_context(body, context, &state.input);
        // Without an input of its own it is refused as any other.
        let with = with.unwrap_or_else(|| body.clone());
        self.fits(with.len())?;
        Ok(with)
    }
}

/// What becomes of a call whose own input is larger than `most` bytes: it can be answered alone.
fn too_large(state: &ResponseState, most: usize) -> Result<Plan, ApiError> {
    if state.previous.is_none() && state.conversation.is_none() && !state.background {
        return Ok(Plan::TooLarge);
    }
    let message = format!(
        "`input` is larger than {most} bytes, and more is neither kept nor added to what is; leave \
         `previous_response_id`, `conversation` and `background` out."
    );
    Err(ApiError::bad_field("input", message))
}

/// About how many bytes items are.
fn weight(items: &[Value]) -> usize {
    let sizes = items.iter().map(|item| item.to_string().len());
    sizes.fold(0, usize::saturating_add)
}

/// A conversation that somebody may read.
pub(crate) async fn find_conversation(
    keeping: &Keeping,
    reader: Reader<'_>,
    id: &str,
) -> Result<KeptThing, ApiError> {
    let found = match id.parse::<ConversationId>() {
        Ok(_) => keeping.get(reader, kinds::CONVERSATION, id).await?,
        Err(_) => None,
    };
    found
        .ok_or_else(|| ApiError::not_kept(&format!("Conversation with id '{id}' not found."), None))
}

/// As OpenAI says it (seen in maximhq/bifrost#2441): 400, by its code.
fn no_previous(id: &str) -> ApiError {
    let message = format!("Previous response with id '{id}' not found.");
    ApiError::no_previous(&message)
}

/// An answer as it stands now: one that was begun and never ended says why.
pub(crate) fn as_it_stands(thing: KeptThing) -> Value {
    let mut said = thing.said;
    let mut answer = said["answer"].take();
    let is_begun = answer["status"] == IN_PROGRESS;
    if is_begun && (thing.status == CANCELLED || thing.status == FAILED) {
        answer["status"] = thing.status.clone().into();
        if thing.status == FAILED {
            let message = "The server stopped before the answer was complete. Nothing was charged.";
            answer["error"] = serde_json::json!({"code": "server_error", "message": message});
        }
    }
    answer
}

/// A name for an item that has none.
pub(crate) fn item_id(prefix: &str) -> String {
    format!("{prefix}_{}", random_text(24))
}

/// Why an answer is not kept, as a word for the header.
fn word(error: &KeepError) -> &'static str {
    match error {
        KeepError::TooLarge(_) | KeepError::TooManyItems(_) => "too_large",
        KeepError::Full(_) => "full",
        KeepError::NoConversation => "no_conversation",
        KeepError::Busy(_) | KeepError::Followed(_) => "busy",
        KeepError::Store(_) => "unavailable",
    }
}

/// Tells in an answer that it is not kept.
pub(super) fn tell(response: &mut Response, error: &KeepError) {
    let word = HeaderValue::from_static(word(error));
    response.headers_mut().insert(NOT_KEPT, word);
}

/// Who calls.
type Who = Arc<Principal>;
