//! A response in the background as a stream: its provider's events are numbered and told to whoever follows, and
//! its last one waits until the answer is kept. What becomes of the rest is the neighbour `later`'s.

use serde_json::{Map, Value};
use server_calls::{Admitted, Calls, DetachedError, Request};
use server_rooms::kept::FAILED;
use shared::dialect::kept::flow::{FlowEvent, FlowStep};
use shared::dialect::kept::responses;
use shared::sse::{Events, Keep};
use tokio::sync::oneshot;
use tracing::warn;

use super::later::Work;

/// What came of a stream.
#[derive(Default)]
struct Seen {
    events: Events,
    /// The answer that its last event told.
    last: Option<Map<String, Value>>,
}

impl Work {
    /// Tells the events and keeps the answer.
    pub(super) async fn flow(
        &self,
        calls: &Calls,
        (call, admitted): (Request, Admitted),
        held: oneshot::Sender<()>,
    ) -> Result<(), DetachedError> {
        let mut stream = calls.stream_detached(call, admitted, held).await?;
        let mut seen = Seen::default();
        loop {
            tokio::select! {
                // Else many events would keep it from being written.
                biased;
                () = self.running.is_time_to_write() => self.running.write(&self.kept.who).await,
                piece = stream.next() => match piece {
                    Some(bytes) => if !self.see(&mut seen, bytes) {
                        break;
                    },
                    None => break,
                },
            }
        }
        let Some(answer) = seen.last else {
            return Err(DetachedError::Failed(stream.not_delivered()));
        };
        if responses::status(&answer) == FAILED {
            // Its provider says why.
            self.end(&answer, None).await;
            drop(stream.not_delivered());
            return Ok(());
        }
        if !stream.is_known() {
            // What it costs is not known, and an answer that is not charged is not kept.
            return Err(DetachedError::Failed(stream.not_delivered()));
        }
        if !self.end(&answer, stream.due()).await {
            drop(stream.not_delivered());
            return Err(DetachedError::NotKept);
        }
        stream.settle().await;
        Ok(())
    }

    /// Tells what came; whether the stream can be read on.
    fn see(&self, seen: &mut Seen, bytes: bytes::Bytes) -> bool {
        let mut whole = Vec::new();
        let cut = seen.events.push(bytes, &mut Vec::new(), |event| {
            whole.extend(FlowEvent::read(event));
            Keep::Nothing
        });
        for event in whole {
            if seen.last.is_none() {
                seen.last = self.pass(event);
            }
        }
        if cut.is_err() {
            warn!("an event of the response `{}` is too large", self.mark.id);
        }
        cut.is_ok()
    }

    /// Tells an event; gives the answer of the last one, which is told when it is kept.
    fn pass(&self, mut event: FlowEvent) -> Option<Map<String, Value>> {
        if let Some(response) = event.response() {
            self.mark.mark(response);
        }
        match event.step() {
            // It was told when it was begun; and an error becomes the last event.
            FlowStep::Created | FlowStep::Error => {}
            FlowStep::Last => return event.into_response(),
            FlowStep::Other => self.running.tell(|number| event.bytes(number)),
        }
        None
    }
}
