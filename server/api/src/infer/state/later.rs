//! A response in the background: kept as begun, told at once, worked on beside the requests. It is held for
//! before it is told, so that what can't be paid for is refused as any other call. Where it is a stream, `flow`
//! tells its events.

use std::sync::Arc;

use http::header::CONTENT_TYPE;
use poem::Response;
use serde_json::{Map, Value, json as value};
use server_calls::{Admitted, Calls, Deliver, DetachedError, Due, Request};
use server_rooms::kept::{
    CANCELLED, EVENTS, FAILED, Follower, IN_PROGRESS, KeepError, KeptDue, KeptEnded, NewKept,
    NewTurn, Running, kinds,
};
use shared::dialect::kept::flow::FlowEvent;
use shared::dialect::kept::responses::{self, ResponseMark};
use shared::json;
use tokio::sync::oneshot;
use tracing::{error, info, warn};

use super::super::{InferApi, Refused};
use super::follow;
use super::keep::{KeptCall, What, turn_items};
use crate::error::ApiError;
use crate::kept::{too_many_follow, too_many_items};

/// Where it stands beside a kept answer that its events can be asked for.
pub(crate) const STREAMED: &str = "streamed";

/// A response that is worked on.
pub(super) struct Work {
    pub(super) kept: KeptCall,
    pub(super) running: Running,
    /// As it was begun.
    begun: Map<String, Value>,
    pub(super) mark: ResponseMark,
    input: Vec<Value>,
    is_stream: bool,
}

fn refused(error: KeepError) -> ApiError {
    match error {
        KeepError::TooLarge(bytes) => ApiError::too_large(bytes),
        KeepError::TooManyItems(most) => too_many_items(most),
        KeepError::Full(bytes) => {
            let message =
                format!("{bytes} bytes are kept, and no more may be; delete some responses.");
            ApiError::conflict("kept_full", message)
        }
        KeepError::Busy(most) => {
            let message = format!("{most} responses are in progress, and no more may be at once.");
            ApiError::too_many("too_many_in_background", message, 5)
        }
        KeepError::Followed(most) => too_many_follow(most),
        KeepError::NoConversation => ApiError::not_found("conversation"),
        KeepError::Store(error) => error.into(),
    }
}

/// Longer names are no model's.
const MODEL_BYTES_MAX: usize = 1_000;

/// The model's name as the request has it; empty where that can be none.
fn model_of(call: &Request) -> String {
    let body = call.body.bytes();
    let found = json::fields(&body, ["model"]).ok();
    let model = found.and_then(|[model]| serde_json::from_str::<String>(model?.get()).ok());
    let model = model.filter(|model| model.len() <= MODEL_BYTES_MAX && !model.contains('\0'));
    model.unwrap_or_default()
}

impl InferApi {
    /// Begins a response in the background; with `is_stream` its events are told as they come.
    pub(in super::super) async fn begin_later(
        &self,
        (call, admitted): (Request, Admitted),
        kept: KeptCall,
        is_stream: bool,
    ) -> Result<Response, Refused> {
        let dialect = call.surface.dialect;
        let model = model_of(&call);
        let What::Response { mark, input } = kept.what.clone() else {
            return Err(ApiError::internal().into());
        };
        let created_at = self.keeping.now().unix_ms().div_euclid(1_000);
        let begun = mark.begun(created_at, &model);
        let told = serde_json::to_string(&begun).unwrap_or_default();
        let (held, is_held) = oneshot::channel();
        let (refuse, is_refused) = oneshot::channel();
        let (follow, follower) = oneshot::channel::<Follower>();
        let calls = self.calls.clone();
        // Also what is written first: a client that leaves drops this future, and its row would stay in
        // progress for good.
        self.calls.run_aside(async move {
            match Work::begin((kept, begun), (mark, input), (&model, is_stream)).await {
                Ok(work) => {
                    if is_stream {
                        drop(follow.send(work.running.follow()));
                    }
                    work.run(&calls, (call, admitted), (held, refuse)).await;
                }
                // Who does not wait any more does not mind.
                Err(error) => drop(refuse.send(refused(error).into())),
            }
        });
        if is_held.await.is_err() {
            // Nothing is said where it was cancelled or deleted in that moment.
            let refused = is_refused.await.map_err(|_| ApiError::internal())?;
            return Err(refused);
        }
        if is_stream {
            let follower = follower.await.map_err(|_| ApiError::internal())?;
            return Ok(follow::response((follower, None), dialect));
        }
        Ok(Response::builder()
            .header(CONTENT_TYPE, "application/json; charset=utf-8")
            .body(told))
    }
}

impl Work {
    /// Writes that it is in progress.
    async fn begin(
        (kept, begun): (KeptCall, Map<String, Value>),
        (mark, input): (ResponseMark, Vec<Value>),
        (model, is_stream): (&str, bool),
    ) -> Result<Arc<Self>, KeepError> {
        let said = value!({"input": input, "answer": begun, STREAMED: is_stream});
        let new = NewKept {
            kind: kinds::RESPONSE,
            id: &mark.id,
            status: IN_PROGRESS,
            model,
            said: &said,
            names: &[],
        };
        let conversation = mark.conversation.as_deref();
        let turn = conversation.map(|conversation| (conversation, input.len()));
        let running = kept.keeping.begin(&kept.who, new, (turn, is_stream));
        let running = running.await?;
        running.tell(|number| FlowEvent::created(&begun).bytes(number));
        Ok(Arc::new(Self {
            kept,
            running,
            begun,
            mark,
            input,
            is_stream,
        }))
    }

    async fn run(
        self: Arc<Self>,
        calls: &Calls,
        (call, admitted): (Request, Admitted),
        (held, refuse): (oneshot::Sender<()>, oneshot::Sender<Refused>),
    ) {
        let ended = tokio::select! {
            // What is over is over, whoever cancels it in that moment.
            biased;
            ended = self.clone().work(calls, (call, admitted), held) => ended,
            // The call is dropped with its future, and settled as any whose caller leaves.
            () = self.running.cancelled() => {
                self.running.end_without(CANCELLED).await;
                return;
            }
        };
        match ended {
            Ok(()) => {}
            // Nobody can fetch it, and it is in nobody's way.
            Err(DetachedError::NotKept) => self.running.end_without(FAILED).await,
            Err(DetachedError::Refused(error)) => {
                self.running.undo().await;
                // Who does not wait any more does not mind.
                drop(refuse.send(error.into()));
            }
            Err(DetachedError::Untold) => self.running.undo().await,
            Err(DetachedError::Failed(error)) => self.fail(ApiError::from(error)).await,
        }
    }

    async fn work(
        self: Arc<Self>,
        calls: &Calls,
        (call, admitted): (Request, Admitted),
        held: oneshot::Sender<()>,
    ) -> Result<(), DetachedError> {
        if self.is_stream {
            return self.flow(calls, (call, admitted), held).await;
        }
        let deliver: Deliver =
            Box::new(move |bytes, due| Box::pin(async move { self.deliver(&bytes, due).await }));
        calls.run_detached(call, admitted, (held, deliver)).await
    }

    /// Keeps the answer; tells whether it may be charged.
    async fn deliver(&self, bytes: &[u8], due: Option<Due>) -> bool {
        let Ok(Value::Object(mut answer)) = serde_json::from_slice(bytes) else {
            error!("the answer in the background was no object");
            return false;
        };
        self.mark.mark(&mut answer);
        self.end(&answer, due).await
    }

    /// Ends it with an answer, which may have failed; tells whether it may be charged.
    pub(super) async fn end(&self, answer: &Map<String, Value>, due: Option<Due>) -> bool {
        let items = turn_items(&self.input, &responses::output(answer));
        let mut said = value!({"input": self.input, "answer": answer, STREAMED: self.is_stream});
        if self.is_stream {
            self.running.write(&self.kept.who).await;
            said[EVENTS] = self.running.next_event().into();
        }
        let names = responses::item_ids(answer);
        let status = responses::status(answer);
        let conversation = self.mark.conversation.as_deref();
        let turn = conversation
            .filter(|_| status != FAILED)
            .map(|conversation| NewTurn {
                conversation,
                items: &items,
            });
        let due = due.as_ref().map(|due| KeptDue {
            hold: &due.hold,
            call: due.call.as_str(),
        });
        let end = (status, &said, names.as_slice());
        let ended = self.running.end(&self.kept.who, end, (turn, due)).await;
        match ended {
            Ok(KeptEnded::Now) => true,
            Ok(KeptEnded::NotHeld) => {
                // Others took this process for dead, and promised that nothing is charged.
                warn!(
                    "nothing is held any more for the response `{}`",
                    self.mark.id
                );
                false
            }
            Ok(KeptEnded::Before) => {
                // Cancelled when it was there: that costs what it costs whoever leaves.
                info!(
                    "the response `{}` was over before its answer came",
                    self.mark.id
                );
                true
            }
            Err(error) => {
                // Whether it was is looked for in its hold, before anything is given back.
                error!(%error, "the response `{}` was not kept: {error}", self.mark.id);
                false
            }
        }
    }

    /// Ends it as failed, and says why.
    async fn fail(&self, error: ApiError) {
        let (code, message) = error.told();
        let mut answer = self.begun.clone();
        answer.insert("status".to_owned(), value!(FAILED));
        let told = value!({"code": code.unwrap_or("server_error"), "message": message});
        answer.insert("error".to_owned(), told);
        self.end(&answer, None).await;
    }
}
