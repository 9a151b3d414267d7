//! A response in the background: kept as begun, told at once, worked on beside the requests. It is held for
//! before it is told, so that what can't be paid for is refused as any other call.

use std::sync::Arc;

use http::header::CONTENT_TYPE;
use poem::Response;
use serde_json::{Map, Value, json as value};
use server_calls::{Admitted, Calls, Deliver, DetachedError, Request};
use server_rooms::kept::{
    CANCELLED, FAILED, IN_PROGRESS, KeepError, NewKept, NewTurn, Running, kinds,
};
use shared::dialect::kept::responses::{self, ResponseMark};
use shared::json;
use tokio::sync::oneshot;
use tracing::{error, info};

use super::super::{InferApi, Refused};
use super::keep::{KeptCall, What, turn_items};
use crate::error::ApiError;
use crate::kept::too_many_items;

/// A response that is worked on.
struct Work {
    kept: KeptCall,
    running: Running,
    /// As it was begun.
    begun: Map<String, Value>,
    mark: ResponseMark,
    input: Vec<Value>,
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
    /// Begins a response in the background.
    pub(in super::super) async fn begin_later(
        &self,
        call: Request,
        admitted: Admitted,
        kept: KeptCall,
    ) -> Result<Response, Refused> {
        let model = model_of(&call);
        let What::Response { mark, input } = kept.what.clone() else {
            return Err(ApiError::internal().into());
        };
        let created_at = self.keeping.now().unix_ms().div_euclid(1_000);
        let begun = mark.begun(created_at, &model);
        let told = serde_json::to_string(&begun).unwrap_or_default();
        let (held, is_held) = oneshot::channel();
        let (refuse, is_refused) = oneshot::channel();
        let calls = self.calls.clone();
        // Also what is written first: a client that leaves drops this future, and its row would stay in
        // progress for good.
        self.calls.run_aside(async move {
            match Work::begin((kept, begun), (mark, input), &model).await {
                Ok(work) => work.run(&calls, (call, admitted), (held, refuse)).await,
                // Who does not wait any more does not mind.
                Err(error) => drop(refuse.send(refused(error).into())),
            }
        });
        if is_held.await.is_err() {
            // Nothing is said where it was cancelled or deleted in that moment.
            let refused = is_refused.await.map_err(|_| ApiError::internal())?;
            return Err(refused);
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
        model: &str,
    ) -> Result<Arc<Self>, KeepError> {
        let said = value!({"input": input, "answer": begun});
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
        let running = kept.keeping.begin(&kept.who, new, turn).await?;
        Ok(Arc::new(Self {
            kept,
            running,
            begun,
            mark,
            input,
        }))
    }

    async fn run(
        self: Arc<Self>,
        calls: &Calls,
        (call, admitted): (Request, Admitted),
        (held, refuse): (oneshot::Sender<()>, oneshot::Sender<Refused>),
    ) {
        let this = self.clone();
        let deliver: Deliver =
            Box::new(move |bytes| Box::pin(async move { this.deliver(&bytes).await }));
        let ended = tokio::select! {
            // What is over is over, whoever cancels it in that moment.
            biased;
            ended = calls.run_detached(call, admitted, (held, deliver)) => ended,
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

    /// Keeps the answer; tells whether it may be charged.
    async fn deliver(&self, bytes: &[u8]) -> bool {
        let Ok(Value::Object(mut answer)) = serde_json::from_slice(bytes) else {
            error!("the answer in the background was no object");
            return false;
        };
        self.mark.mark(&mut answer);
        let items = turn_items(&self.input, &responses::output(&answer));
        self.end(&answer, &items).await
    }

    async fn end(&self, answer: &Map<String, Value>, items: &[(String, Value)]) -> bool {
        let said = value!({"input": self.input, "answer": answer});
        let names = responses::item_ids(answer);
        let status = responses::status(answer);
        let conversation = self.mark.conversation.as_deref();
        let turn = conversation
            .filter(|_| status != FAILED)
            .map(|conversation| NewTurn {
                conversation,
                items,
            });
        let ended = self
            .running
            .end(&self.kept.who, (status, &said, &names), turn)
            .await;
        match ended {
            Ok(true) => true,
            Ok(false) => {
                // Cancelled when it was there: that costs what it costs whoever leaves.
                info!(
                    "the response `{}` was over before its answer came",
                    self.mark.id
                );
                true
            }
            Err(error) => {
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
        self.end(&answer, &[]).await;
    }
}
