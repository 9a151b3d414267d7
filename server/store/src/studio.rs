//! What people do in the studio, as rows: conversations with their turns and answers, images with their
//! parts, and the models that were used last. What was said is sealed before it comes here. Every statement
//! names the tenant and, where a person asks, the person; those that clean up are in `ends`.

mod choices;
mod ends;
mod images;

use diesel::dsl::max;
use diesel::sql_types::{BigInt, Text};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable,
    QueryableByName,
};
use diesel_async::RunQueryDsl;
use shared::clock::Moment;
use shared::db::DbError;
use shared::id::{BootId, TenantId, UserId};
use shared::{on, write_tx};

pub use self::images::{ImagePart, ImageRow};
use super::Store;
use super::schema::{studio_answers, studio_chats, studio_turns};

/// How an answer stands, as its column has it.
pub mod states {
    /// A process works on it.
    pub const COMING: &str = "coming";
    /// It came to its end.
    pub const WHOLE: &str = "whole";
    /// The person stopped it, or went away.
    pub const STOPPED: &str = "stopped";
    /// It failed or broke off.
    pub const FAILED: &str = "failed";
    /// Its process died.
    pub const LOST: &str = "lost";
}

/// A conversation.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Insertable)]
#[diesel(table_name = studio_chats)]
pub struct ChatRow {
    /// Whose.
    pub tenant_id: String,
    /// Its id.
    pub id: String,
    /// The person's.
    pub user_id: String,
    /// The model that was asked last.
    pub model: String,
    /// Its first words, sealed.
    pub title: Vec<u8>,
    /// What its answers were charged.
    pub charged_micros: i64,
    /// In unix milliseconds.
    pub created_at: i64,
    /// When somebody said something in it.
    pub touched_at: i64,
}

/// A person's message in it.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Insertable)]
#[diesel(table_name = studio_turns)]
pub struct TurnRow {
    /// Whose.
    pub tenant_id: String,
    /// In which conversation.
    pub chat_id: String,
    /// The how many-th message that was ever written in it, from 0.
    pub place: i64,
    /// The turn before it; none of a first one.
    pub follows: Option<i64>,
    /// Names the attempt.
    pub nonce: String,
    /// In unix milliseconds.
    pub created_at: i64,
    /// What it counts against the tenant's bound.
    pub bytes: i64,
    /// What was asked, sealed.
    pub sealed: Vec<u8>,
}

/// An answer to one.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Insertable)]
#[diesel(table_name = studio_answers)]
pub struct AnswerRow {
    /// Whose.
    pub tenant_id: String,
    /// In which conversation.
    pub chat_id: String,
    /// To which turn.
    pub turn: i64,
    /// The how many-th, from 0.
    pub place: i64,
    /// By which model.
    pub model: String,
    /// One of [`states`].
    pub status: String,
    /// The life of the process that works on it.
    pub boot: Option<String>,
    /// The call.
    pub call_id: Option<String>,
    /// What it was charged, where that was known in time.
    pub charged_micros: Option<i64>,
    /// In unix milliseconds.
    pub created_at: i64,
    /// What it counts against the tenant's bound.
    pub bytes: i64,
    /// What was answered, sealed; nothing while it comes.
    pub sealed: Option<Vec<u8>>,
}

/// Whose conversation.
#[derive(Debug, Clone, Copy)]
pub struct ChatPlace<'a> {
    /// Their tenant.
    pub tenant: &'a TenantId,
    /// The person.
    pub user: &'a UserId,
    /// The conversation.
    pub id: &'a str,
}

/// Where an answer stands.
#[derive(Debug, Clone, Copy)]
pub struct AnswerPlace<'a> {
    /// Whose.
    pub tenant: &'a TenantId,
    /// In which conversation.
    pub chat: &'a str,
    /// To which turn.
    pub turn: i64,
    /// The how many-th.
    pub place: i64,
}

/// A page of what a person has.
#[derive(Debug, Clone, Copy)]
pub struct StudioPart<'a> {
    /// Their tenant.
    pub tenant: &'a TenantId,
    /// The person.
    pub user: &'a UserId,
    /// What is older is over.
    pub since: Moment,
    /// Behind this moment and id.
    pub after: Option<(i64, &'a str)>,
    /// How many at most.
    pub limit: i64,
}

/// A turn that is about to be asked.
#[derive(Debug, Clone, Copy)]
pub struct NewChatTurn<'a> {
    /// Names the attempt: the window it comes from, a dot, and the message's number there. Several answers to
    /// one message come with the same.
    pub nonce: &'a str,
    /// The first words, sealed, for a conversation that begins.
    pub title: &'a [u8],
    /// By which model.
    pub model: &'a str,
    /// How many messages of the conversation the person has seen.
    pub seen: i64,
    /// The turn that is written anew: the new one stands in its place.
    pub instead: Option<i64>,
    /// The turn that is asked once more: no message is added.
    pub again: Option<i64>,
    /// The how many-th answer to the message, where several models are asked at once.
    pub answer: i64,
    /// What was asked, sealed, and its weight.
    pub asked: (&'a [u8], i64),
    /// The life of this process.
    pub boot: &'a BootId,
}

/// The most that a conversation has.
#[derive(Debug, Clone, Copy)]
pub struct ChatBounds {
    /// Messages.
    pub turns: i64,
    /// Answers to one.
    pub answers: i64,
    /// What they weigh together, before the last one.
    pub bytes: i64,
    /// A conversation that nobody touched since then is over.
    pub since: Moment,
}

/// What became of a turn that was to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TurnBegin {
    /// It is written: the turn and the answer that is awaited.
    Here(i64, i64),
    /// Somebody said something else in the conversation meanwhile.
    Newer,
    /// This attempt was made before.
    Twice,
    /// The conversation is not there any more.
    Gone,
    /// It has as much as one may have.
    Full,
}

/// How an answer ends.
#[derive(Debug, Clone, Copy)]
pub struct AnswerEnd<'a> {
    /// One of [`states`].
    pub status: &'a str,
    /// What was answered, sealed, and its weight.
    pub answered: (&'a [u8], i64),
    /// The call, where one was made.
    pub call: Option<&'a str>,
    /// What it was charged.
    pub charged_micros: Option<i64>,
}

/// Whether two attempts were made in one window.
fn same_window(one: &str, other: &str) -> bool {
    let window = |nonce: &str| nonce.split('.').next().map(str::to_owned);
    window(one) == window(other)
}

/// The turns of a conversation.
macro_rules! turns_of {
    ($tenant:expr, $chat:expr) => {
        studio_turns::table
            .filter(studio_turns::tenant_id.eq($tenant.as_str()))
            .filter(studio_turns::chat_id.eq($chat))
    };
}

/// The answers of a conversation.
macro_rules! answers_of {
    ($tenant:expr, $chat:expr) => {
        studio_answers::table
            .filter(studio_answers::tenant_id.eq($tenant.as_str()))
            .filter(studio_answers::chat_id.eq($chat))
    };
}

/// Touches the conversation inside the transaction of `conn`, or begins it; answers whether it is there. First,
/// since its lock makes turns of one conversation wait for one another.
macro_rules! open_chat {
    ($conn:expr, $at:expr, $new:expr, $since:expr, $now:expr) => {{
        let (at, new, now): (ChatPlace<'_>, NewChatTurn<'_>, i64) = ($at, $new, $now);
        let found = diesel::update(studio_chats::table.find((at.tenant.as_str(), at.id)))
            .filter(studio_chats::user_id.eq(at.user.as_str()))
            .filter(studio_chats::touched_at.gt($since))
            .set((
                studio_chats::touched_at.eq(now),
                studio_chats::model.eq(new.model),
            ))
            .execute($conn)
            .await?;
        if found > 0 || new.seen > 0 {
            found > 0
        } else {
            let row = ChatRow {
                tenant_id: at.tenant.to_string(),
                id: at.id.to_owned(),
                user_id: at.user.to_string(),
                model: new.model.to_owned(),
                title: new.title.to_vec(),
                charged_micros: 0,
                created_at: now,
                touched_at: now,
            };
            // Where it is there by now, it is theirs, or nothing is added: calls of one message come at once.
            let added = diesel::insert_into(studio_chats::table)
                .values(&row)
                .on_conflict_do_nothing()
                .execute($conn)
                .await?;
            let own = studio_chats::table.find((at.tenant.as_str(), at.id));
            let found = diesel::update(own)
                .filter(studio_chats::user_id.eq(at.user.as_str()))
                .filter(studio_chats::touched_at.gt($since))
                .set(studio_chats::touched_at.eq(now))
                .execute($conn)
                .await?;
            added > 0 || found > 0
        }
    }};
}

/// Adds an answer that is awaited inside the transaction of `conn`.
macro_rules! await_answer {
    ($conn:expr, $at:expr, $new:expr, ($turn:expr, $place:expr), $now:expr) => {{
        let (at, new): (ChatPlace<'_>, NewChatTurn<'_>) = ($at, $new);
        let row = AnswerRow {
            tenant_id: at.tenant.to_string(),
            chat_id: at.id.to_owned(),
            turn: $turn,
            place: $place,
            model: new.model.to_owned(),
            status: states::COMING.to_owned(),
            boot: Some(new.boot.to_string()),
            call_id: None,
            charged_micros: None,
            created_at: $now,
            bytes: 0,
            sealed: None,
        };
        diesel::insert_into(studio_answers::table)
            .values(&row)
            .on_conflict_do_nothing()
            .execute($conn)
            .await?
    }};
}

/// What a conversation weighs, inside the transaction of `conn`.
macro_rules! weight_of_chat {
    ($conn:expr, $at:expr) => {{
        let text = "SELECT CAST(COALESCE(SUM(b.bytes), 0) AS BIGINT) AS number FROM (\
                    SELECT bytes FROM studio_turns WHERE tenant_id = $1 AND chat_id = $2 UNION ALL \
                    SELECT bytes FROM studio_answers WHERE tenant_id = $1 AND chat_id = $2) b";
        let rows: Vec<ChatWeight> = diesel::sql_query(text)
            .bind::<Text, _>($at.tenant.as_str())
            .bind::<Text, _>($at.id)
            .load($conn)
            .await?;
        rows.into_iter().next().map_or(0, |row| row.number)
    }};
}

#[derive(QueryableByName)]
struct ChatWeight {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

impl Store {
    /// Writes a person's message and that its answer is awaited, beginning the conversation where it is its
    /// first one: all or nothing.
    #[expect(
        clippy::too_many_lines,
        reason = "one transaction, read as a list of rules"
    )]
    pub async fn begin_turn(
        &self,
        at: ChatPlace<'_>,
        new: NewChatTurn<'_>,
        bounds: ChatBounds,
        now: Moment,
    ) -> Result<TurnBegin, DbError> {
        let now = now.unix_ms();
        let since = bounds.since.unix_ms();
        write_tx!(self.db, |conn| -> DbError {
            if !open_chat!(conn, at, new, since, now) {
                return Ok(TurnBegin::Gone);
            }
            let known: Option<i64> = turns_of!(at.tenant, at.id)
                .filter(studio_turns::nonce.eq(new.nonce))
                .select(studio_turns::place)
                .first(conn)
                .await
                .optional()?;
            let last: Option<i64> = turns_of!(at.tenant, at.id)
                .select(max(studio_turns::place))
                .first(conn)
                .await?;
            let count = last.map_or(0, |last| last.saturating_add(1));
            // What the same window sent it knows, also where it was stopped before it heard of it.
            let unseen: Vec<String> = turns_of!(at.tenant, at.id)
                .filter(studio_turns::place.ge(new.seen))
                .select(studio_turns::nonce)
                .load(conn)
                .await?;
            if count < new.seen || unseen.iter().any(|other| !same_window(other, new.nonce)) {
                return Ok(TurnBegin::Newer);
            }
            let (turn, place) = match (known, new.again) {
                (Some(turn), _) => (turn, new.answer),
                (None, Some(turn)) => {
                    let last: Option<i64> = answers_of!(at.tenant, at.id)
                        .filter(studio_answers::turn.eq(turn))
                        .select(max(studio_answers::place))
                        .first(conn)
                        .await?;
                    let Some(last) = last else {
                        return Ok(TurnBegin::Gone);
                    };
                    (turn, last.saturating_add(1))
                }
                (None, None) => (count, new.answer),
            };
            let is_long = turn >= bounds.turns || place >= bounds.answers;
            if is_long || weight_of_chat!(conn, at) > bounds.bytes {
                return Ok(TurnBegin::Full);
            }
            if turn == count {
                let follows: Option<i64> = match new.instead {
                    None => last,
                    Some(other) => {
                        let other: Option<Option<i64>> = turns_of!(at.tenant, at.id)
                            .filter(studio_turns::place.eq(other))
                            .select(studio_turns::follows)
                            .first(conn)
                            .await
                            .optional()?;
                        let Some(follows) = other else {
                            return Ok(TurnBegin::Gone);
                        };
                        follows
                    }
                };
                let row = TurnRow {
                    tenant_id: at.tenant.to_string(),
                    chat_id: at.id.to_owned(),
                    place: turn,
                    follows,
                    nonce: new.nonce.to_owned(),
                    created_at: now,
                    bytes: new.asked.1,
                    sealed: new.asked.0.to_vec(),
                };
                diesel::insert_into(studio_turns::table)
                    .values(&row)
                    .execute(conn)
                    .await?;
            }
            let added = await_answer!(conn, at, new, (turn, place), now);
            Ok(if added > 0 {
                TurnBegin::Here(turn, place)
            } else {
                TurnBegin::Twice
            })
        })
    }

    /// Takes an awaited answer back, with its message and its conversation where nothing else is left of them:
    /// its call was refused.
    pub async fn undo_turn(&self, at: AnswerPlace<'_>) -> Result<(), DbError> {
        write_tx!(self.db, |conn| -> DbError {
            diesel::delete(
                answers_of!(at.tenant, at.chat)
                    .filter(studio_answers::turn.eq(at.turn))
                    .filter(studio_answers::place.eq(at.place))
                    .filter(studio_answers::status.eq(states::COMING)),
            )
            .execute(conn)
            .await?;
            let left: i64 = answers_of!(at.tenant, at.chat)
                .filter(studio_answers::turn.eq(at.turn))
                .count()
                .get_result(conn)
                .await?;
            if left == 0 {
                diesel::delete(
                    turns_of!(at.tenant, at.chat).filter(studio_turns::place.eq(at.turn)),
                )
                .execute(conn)
                .await?;
            }
            let left: i64 = turns_of!(at.tenant, at.chat)
                .count()
                .get_result(conn)
                .await?;
            if left == 0 {
                diesel::delete(studio_chats::table.find((at.tenant.as_str(), at.chat)))
                    .execute(conn)
                    .await?;
            }
            Ok(())
        })
    }

    /// Ends an answer that is awaited, once; answers whether it was. One that was taken for lost ends all the
    /// same: its process was only slow.
    pub async fn end_answer(
        &self,
        at: AnswerPlace<'_>,
        end: AnswerEnd<'_>,
        now: Moment,
    ) -> Result<bool, DbError> {
        write_tx!(self.db, |conn| -> DbError {
            // In the order of every other change of a conversation.
            let more = end.charged_micros.unwrap_or(0);
            let chat = diesel::update(studio_chats::table.find((at.tenant.as_str(), at.chat)))
                .set(studio_chats::touched_at.eq(now.unix_ms()))
                .execute(conn)
                .await?;
            if chat == 0 {
                return Ok(false);
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
                    studio_answers::bytes.eq(end.answered.1),
                    studio_answers::sealed.eq(end.answered.0),
                ))
                .execute(conn)
                .await?;
            if ended > 0 && more > 0 {
                diesel::update(studio_chats::table.find((at.tenant.as_str(), at.chat)))
                    .set(studio_chats::charged_micros.eq(studio_chats::charged_micros + more))
                    .execute(conn)
                    .await?;
            }
            Ok(ended > 0)
        })
    }

    /// A person's conversations, the one that was touched last first.
    pub async fn studio_chats(&self, part: StudioPart<'_>) -> Result<Vec<ChatRow>, DbError> {
        // `~` sorts behind every id.
        let (at, id) = part.after.unwrap_or((i64::MAX, "~"));
        let behind = studio_chats::touched_at
            .lt(at)
            .or(studio_chats::touched_at.eq(at).and(studio_chats::id.lt(id)));
        on!(self.db, |conn| studio_chats::table
            .filter(studio_chats::tenant_id.eq(part.tenant.as_str()))
            .filter(studio_chats::user_id.eq(part.user.as_str()))
            .filter(studio_chats::touched_at.gt(part.since.unix_ms()))
            .filter(behind)
            .order((studio_chats::touched_at.desc(), studio_chats::id.desc()))
            .limit(part.limit)
            .load(conn)
            .await)
    }

    /// One of them.
    pub async fn studio_chat(
        &self,
        at: ChatPlace<'_>,
        since: Moment,
    ) -> Result<Option<ChatRow>, DbError> {
        on!(self.db, |conn| studio_chats::table
            .find((at.tenant.as_str(), at.id))
            .filter(studio_chats::user_id.eq(at.user.as_str()))
            .filter(studio_chats::touched_at.gt(since.unix_ms()))
            .first(conn)
            .await
            .optional())
    }

    /// The messages of a conversation in the order in which they were written.
    pub async fn studio_turns(
        &self,
        tenant: &TenantId,
        chat: &str,
    ) -> Result<Vec<TurnRow>, DbError> {
        on!(self.db, |conn| turns_of!(tenant, chat)
            .order(studio_turns::place.asc())
            .load(conn)
            .await)
    }

    /// The answers of a conversation, turn by turn.
    pub async fn studio_answers(
        &self,
        tenant: &TenantId,
        chat: &str,
    ) -> Result<Vec<AnswerRow>, DbError> {
        on!(self.db, |conn| answers_of!(tenant, chat)
            .order((studio_answers::turn.asc(), studio_answers::place.asc()))
            .load(conn)
            .await)
    }
}
