//! How a turn begins: its conversation is opened or begun, and its message is written with the answer that is
//! awaited, or nothing is. Knows no end of it.

use diesel::dsl::max;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel_async::RunQueryDsl;
use shared::clock::Moment;
use shared::db::DbError;
use shared::id::BootId;
use shared::write_tx;

use super::{AnswerRow, ChatPlace, ChatRow, TurnRow, Undone, states};
use crate::Store;
use crate::schema::{studio_answers, studio_chats, studio_turns};

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

/// Whether two attempts were made in one window.
fn same_window(one: &str, other: &str) -> bool {
    let window = |nonce: &str| nonce.split('.').next().map(str::to_owned);
    window(one) == window(other)
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

impl Store {
    /// Writes a person's message and that its answer is awaited, beginning the conversation where it is its
    /// first one: all or nothing, so that a turn that is refused moves nothing either.
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
        let begun: Result<TurnBegin, Undone<TurnBegin>> =
            write_tx!(self.db, |conn| -> Undone<TurnBegin> {
                if !open_chat!(conn, at, new, since, now) {
                    return Err(Undone::Told(TurnBegin::Gone));
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
                    return Err(Undone::Told(TurnBegin::Newer));
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
                            return Err(Undone::Told(TurnBegin::Gone));
                        };
                        (turn, last.saturating_add(1))
                    }
                    (None, None) => (count, new.answer),
                };
                let is_long = turn >= bounds.turns || place >= bounds.answers;
                if is_long || weight_of_chat!(conn, at.tenant, at.id) > bounds.bytes {
                    return Err(Undone::Told(TurnBegin::Full));
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
                                return Err(Undone::Told(TurnBegin::Gone));
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
                if added == 0 {
                    return Err(Undone::Told(TurnBegin::Twice));
                }
                Ok(TurnBegin::Here(turn, place))
            });
        Undone::told(begun)
    }
}
