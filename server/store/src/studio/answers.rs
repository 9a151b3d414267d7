//! How an awaited answer ends: written, or taken back where its call was refused. Either takes the conversation's
//! lock first, as turns that begin do. Opens nothing that is sealed.

use diesel::dsl::{exists, max, not};
use diesel::{BoolExpressionMethods, ExpressionMethods, QueryDsl};
use diesel_async::RunQueryDsl;
use shared::clock::Moment;
use shared::db::DbError;
use shared::write_tx;

use super::{AnswerPlace, Undone, states};
use crate::Store;
use crate::schema::{studio_answers, studio_chats, studio_turns};

/// How an answer ends.
#[derive(Debug, Clone, Copy)]
pub struct AnswerEnd<'a> {
    /// One of [`states`].
    pub status: &'a str,
    /// What was answered, sealed, and its weight; nothing where nothing may be kept any more.
    pub answered: Option<(&'a [u8], i64)>,
    /// What the conversation may weigh with it.
    pub most: i64,
    /// The call, where one was made.
    pub call: Option<&'a str>,
    /// What it was charged.
    pub charged_micros: Option<i64>,
}

/// What became of the end of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerEnded {
    /// It is written.
    Now,
    /// It is over, or its conversation is not there any more.
    Before,
    /// The conversation would weigh too much.
    NoRoom,
}

/// Takes the lock of a conversation inside the transaction of `conn` before anything else of it is looked at, so
/// that nothing begins or ends in it meanwhile; answers whether it is there. On SQLite the transaction has the one
/// writer already.
macro_rules! lock_chat {
    ($conn:expr, $at:expr, $touched:expr) => {{
        let chat = diesel::update(studio_chats::table.find(($at.tenant.as_str(), $at.chat)))
            // One that is being deleted is not touched again.
            .filter(studio_chats::touched_at.gt(0))
            .set(studio_chats::touched_at.eq($touched))
            .execute($conn)
            .await?;
        chat > 0
    }};
}

impl Store {
    /// Takes an awaited answer back, with its message and its conversation where nothing else is left of them: its
    /// call was refused. A message that others follow stays, with an answer that failed: the way to them leads
    /// over it.
    pub async fn undo_turn(&self, at: AnswerPlace<'_>) -> Result<(), DbError> {
        write_tx!(self.db, |conn| -> DbError {
            if !lock_chat!(conn, at, studio_chats::touched_at) {
                return Ok(());
            }
            let answers = answers_of!(at.tenant, at.chat).filter(studio_answers::turn.eq(at.turn));
            let own = answers
                .filter(studio_answers::place.eq(at.place))
                .filter(studio_answers::status.eq(states::COMING));
            let last: Option<i64> = turns_of!(at.tenant, at.chat)
                .select(max(studio_turns::place))
                .first(conn)
                .await?;
            let others: i64 = answers
                .filter(studio_answers::place.ne(at.place))
                .count()
                .get_result(conn)
                .await?;
            if others == 0 && last.is_some_and(|last| last > at.turn) {
                let failed = studio_answers::status.eq(states::FAILED);
                diesel::update(own)
                    .set((failed, studio_answers::boot.eq(None::<&str>)))
                    .execute(conn)
                    .await?;
                return Ok(());
            }
            let taken = diesel::delete(own).execute(conn).await?;
            // One that ended before is no answer to take back.
            if taken == 0 || others > 0 {
                return Ok(());
            }
            diesel::delete(turns_of!(at.tenant, at.chat).filter(studio_turns::place.eq(at.turn)))
                .execute(conn)
                .await?;
            diesel::delete(studio_chats::table.find((at.tenant.as_str(), at.chat)))
                .filter(not(exists(turns_of!(at.tenant, at.chat))))
                .execute(conn)
                .await?;
            Ok(())
        })
    }

    /// Ends an answer that is awaited, once. One that was taken for lost ends all the same: its process was only
    /// slow.
    pub async fn end_answer(
        &self,
        at: AnswerPlace<'_>,
        end: AnswerEnd<'_>,
        now: Moment,
    ) -> Result<AnswerEnded, DbError> {
        let ended: Result<AnswerEnded, Undone<AnswerEnded>> =
            write_tx!(self.db, |conn| -> Undone<AnswerEnded> {
                if !lock_chat!(conn, at, now.unix_ms()) {
                    return Err(Undone::Told(AnswerEnded::Before));
                }
                let bytes = end.answered.map_or(0, |answered| answered.1);
                let weight = weight_of_chat!(conn, at.tenant, at.chat);
                if weight.saturating_add(bytes) > end.most {
                    return Err(Undone::Told(AnswerEnded::NoRoom));
                }
                let open = studio_answers::status
                    .eq(states::COMING)
                    .or(studio_answers::status.eq(states::LOST));
                let row = (at.tenant.as_str(), at.chat, at.turn, at.place);
                let ended = diesel::update(studio_answers::table.find(row))
                    .filter(open)
                    .set((
                        studio_answers::status.eq(end.status),
                        studio_answers::boot.eq(None::<&str>),
                        studio_answers::call_id.eq(end.call),
                        studio_answers::charged_micros.eq(end.charged_micros),
                        studio_answers::bytes.eq(bytes),
                        studio_answers::sealed.eq(end.answered.map(|answered| answered.0)),
                    ))
                    .execute(conn)
                    .await?;
                if ended == 0 {
                    return Err(Undone::Told(AnswerEnded::Before));
                }
                let more = end.charged_micros.unwrap_or(0);
                if more > 0 {
                    diesel::update(studio_chats::table.find((at.tenant.as_str(), at.chat)))
                        .set(studio_chats::charged_micros.eq(studio_chats::charged_micros + more))
                        .execute(conn)
                        .await?;
                }
                Ok(AnswerEnded::Now)
            });
        Undone::told(ended)
    }
}
