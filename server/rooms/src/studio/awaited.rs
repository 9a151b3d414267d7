//! An answer that is awaited: gathers what is said, and writes it when it ends, however it ends: whoever drops it
//! has it written as stopped. Runs no call and settles nothing.

use std::pin::Pin;
use std::time::Duration;

use server_store::studio::{AnswerEnd, AnswerEnded, AnswerPlace, states};
use shared::credits::Credits;
use shared::db::DbError;
use shared::id::{GenerationId, TenantId};
use tracing::warn;

use super::chats::CHAT_BYTES_MAX;
use super::{StudioAnswered, StudioMemory};

/// Waits between attempts to write an end while the database is away.
const END_WAITS_MS: [u64; 4] = [50, 500, 2_000, 10_000];
/// For so long whoever ends an answer waits until it is written; it is written on behind that.
const TOLD_WITHIN: Duration = Duration::from_secs(3);
/// A conversation with an answer that has images weighs no more; words are kept all the same.
const WITH_IMAGES_MAX: i64 = 2 * CHAT_BYTES_MAX;
/// What a row weighs beside what was said.
pub(super) const ROW_BYTES: i64 = 400;

/// What a call was charged, once that is known.
pub type AwaitedCharge = Pin<Box<dyn Future<Output = Option<Credits>> + Send>>;

/// How an answer ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StudioEnd {
    /// Whole.
    Whole,
    /// It failed or broke off, by the fault's word.
    Failed(Option<String>),
}

/// An answer that is awaited.
#[derive(Debug)]
pub struct Awaited {
    memory: StudioMemory,
    tenant: TenantId,
    chat: String,
    turn: i64,
    answer: i64,
    answered: StudioAnswered,
    bytes_left: usize,
    call: Option<GenerationId>,
    is_over: bool,
}

impl Awaited {
    pub(super) fn new(
        memory: StudioMemory,
        (tenant, chat): (TenantId, String),
        (turn, answer): (i64, i64),
    ) -> Self {
        let bytes_left = memory.item_bytes();
        Self {
            memory,
            tenant,
            chat,
            turn,
            answer,
            answered: StudioAnswered::default(),
            bytes_left,
            call: None,
            is_over: false,
        }
    }

    /// The conversation.
    pub fn chat(&self) -> &str {
        &self.chat
    }

    /// The how many-th message of it is answered, from 0.
    pub fn turn(&self) -> i64 {
        self.turn
    }

    /// The how many-th answer to that it is, from 0.
    pub fn answer(&self) -> i64 {
        self.answer
    }

    /// The call that was made.
    pub fn called(&mut self, call: &GenerationId) {
        self.call = Some(call.clone());
    }

    /// Takes so many bytes of what one answer may have. Words come before images, which make room for them; what is
    /// beyond is not kept, which is noted.
    fn fits(&mut self, more: usize) -> bool {
        if more > self.bytes_left {
            for image in self.answered.drop_images() {
                self.bytes_left = self.bytes_left.saturating_add(image.len());
            }
        }
        let left = self.bytes_left.checked_sub(more);
        self.answered.is_cut |= left.is_none();
        self.bytes_left = left.unwrap_or(0);
        left.is_some()
    }

    /// More of its words.
    pub fn say(&mut self, words: &str) {
        if self.fits(words.len()) {
            self.answered.text.push_str(words);
        }
    }

    /// More of its thoughts.
    pub fn think(&mut self, words: &str) {
        if self.fits(words.len()) {
            self.answered.reasoning.push_str(words);
        }
    }

    /// An image in it, as an address that holds its bytes. One for which there is no room is missing, and takes
    /// none from the words.
    pub fn show(&mut self, address: &str) {
        if !address.starts_with("data:image/") {
            return;
        }
        match self.bytes_left.checked_sub(address.len()) {
            Some(left) => {
                self.bytes_left = left;
                self.answered.images.push(address.to_owned());
            }
            None => self.answered.is_cut = true,
        }
    }

    /// Writes it as ended; answers whether it is kept. It is written to its end where nobody waits.
    pub async fn end(mut self, end: StudioEnd, charged: Option<Credits>) -> bool {
        let status = match end {
            StudioEnd::Whole => states::WHOLE,
            StudioEnd::Failed(fault) => {
                self.answered.fault = fault;
                states::FAILED
            }
        };
        let work = self.writing(status, Box::pin(std::future::ready(charged)));
        let running = self.memory.0.supervisor.spawn("studio answer", work);
        let written = tokio::time::timeout(TOLD_WITHIN, running).await;
        matches!(written, Ok(Ok(Some(true))))
    }

    /// Writes it as stopped: nobody is there any more who could be told. What it is charged is awaited.
    pub fn leave(mut self, charge: AwaitedCharge) {
        self.stop(charge);
    }

    fn stop(&mut self, charge: AwaitedCharge) {
        let work = self.writing(states::STOPPED, charge);
        drop(self.memory.0.supervisor.spawn("studio answer", work));
    }

    /// Takes it back, with its message: the call was refused.
    pub async fn undo(mut self) {
        self.is_over = true;
        let (memory, tenant) = (self.memory.clone(), self.tenant.clone());
        let (chat, turn, place) = (self.chat.clone(), self.turn, self.answer);
        let work = async move {
            let at = AnswerPlace {
                tenant: &tenant,
                chat: &chat,
                turn,
                place,
            };
            if let Err(error) = memory.store().undo_turn(at).await {
                warn!(%error, "a message whose call was refused stays: {error}");
            }
        };
        let running = self.memory.0.supervisor.spawn("studio answer", work);
        // It goes on behind that.
        drop(tokio::time::timeout(TOLD_WITHIN, running).await);
    }

    /// The work of writing its end.
    fn writing(
        &mut self,
        status: &'static str,
        charge: AwaitedCharge,
    ) -> impl Future<Output = bool> + Send + 'static {
        self.is_over = true;
        let memory = self.memory.clone();
        let (tenant, chat) = (self.tenant.clone(), self.chat.clone());
        let (turn, place) = (self.turn, self.answer);
        let answered = std::mem::take(&mut self.answered);
        let call = self.call.take();
        async move {
            let charged = charge.await;
            let ending = Ending {
                at: AnswerPlace {
                    tenant: &tenant,
                    chat: &chat,
                    turn,
                    place,
                },
                status,
                call: call.as_ref(),
                charged,
            };
            memory.end_surely(ending, answered).await
        }
    }
}

/// An end that is to be written.
#[derive(Debug, Clone, Copy)]
struct Ending<'a> {
    at: AnswerPlace<'a>,
    status: &'static str,
    call: Option<&'a GenerationId>,
    charged: Option<Credits>,
}

/// To what the seal of an answer is bound: it opens for that answer only.
pub(super) fn bound_to(at: AnswerPlace<'_>) -> String {
    let AnswerPlace {
        tenant,
        chat,
        turn,
        place,
    } = at;
    format!("studio:{tenant}:{chat}:{turn}:{place}")
}

impl StudioMemory {
    /// Writes an end until it is written, a few times at most.
    async fn end_surely(&self, ending: Ending<'_>, mut answered: StudioAnswered) -> bool {
        for wait in END_WAITS_MS {
            match self.write_end(ending, &mut answered).await {
                Ok(ended) => return ended,
                Err(error) => warn!(%error, "an answer in the studio is written again: {error}"),
            }
            tokio::time::sleep(Duration::from_millis(wait)).await;
        }
        let last = self.write_end(ending, &mut answered).await;
        last.inspect_err(|error| warn!(%error, "an answer in the studio is not kept: {error}"))
            .unwrap_or(false)
    }

    /// Writes an end, as far as the tenant keeps anything by now: its people may have said otherwise since the
    /// message was written. Where the conversation has no room for the images, the words are kept without them.
    async fn write_end(
        &self,
        ending: Ending<'_>,
        answered: &mut StudioAnswered,
    ) -> Result<bool, DbError> {
        let Ending { at, .. } = ending;
        if self.days(at.tenant).await?.is_none() {
            // What is there of the conversation goes with the next sweep; nobody has to wait for its answer.
            let status = states::FAILED;
            self.write_answer(Ending { status, ..ending }, None).await?;
            return Ok(false);
        }
        let mut ended = self.write_answer(ending, Some(answered)).await?;
        if ended == AnswerEnded::NoRoom {
            answered.drop_images();
            ended = self.write_answer(ending, Some(answered)).await?;
        }
        Ok(ended == AnswerEnded::Now)
    }

    async fn write_answer(
        &self,
        ending: Ending<'_>,
        answered: Option<&StudioAnswered>,
    ) -> Result<AnswerEnded, DbError> {
        let sealed = answered.map(|answered| {
            let text = serde_json::to_vec(answered).unwrap_or_default();
            self.0.keeping.seal_bytes(&bound_to(ending.at), &text)
        });
        let weight = |sealed: &Vec<u8>| i64::try_from(sealed.len()).unwrap_or(i64::MAX);
        let weight = |sealed| weight(sealed).saturating_add(ROW_BYTES);
        let has_images = answered.is_some_and(|answered| !answered.images.is_empty());
        let end = AnswerEnd {
            status: ending.status,
            answered: sealed.as_ref().map(|s| (s.as_slice(), weight(s))),
            most: if has_images {
                WITH_IMAGES_MAX
            } else {
                i64::MAX
            },
            call: ending.call.map(GenerationId::as_str),
            charged_micros: ending.charged.map(Credits::micros),
        };
        let ended = self.store().end_answer(ending.at, end, self.now()).await?;
        if ended == AnswerEnded::Now {
            let more = end.answered.map_or(0, |answered| answered.1);
            self.0.keeping.took_room(ending.at.tenant, more);
        }
        Ok(ended)
    }
}

impl Drop for Awaited {
    fn drop(&mut self) {
        if !self.is_over {
            self.stop(Box::pin(std::future::ready(None)));
        }
    }
}
