//! What people do in the studio, as rows: conversations with their turns and answers, images with their
//! parts, and the models that were used last. What was said is sealed before it comes here. Every statement
//! names the tenant and, where a person asks, the person; those that clean up are in `ends`.

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

/// What a conversation weighs, inside the transaction of `conn`.
macro_rules! weight_of_chat {
    ($conn:expr, $tenant:expr, $chat:expr) => {{
        let text = "SELECT CAST(COALESCE(SUM(b.bytes), 0) AS BIGINT) AS number FROM (\
                    SELECT bytes FROM studio_turns WHERE tenant_id = $1 AND chat_id = $2 UNION ALL \
                    SELECT bytes FROM studio_answers WHERE tenant_id = $1 AND chat_id = $2) b";
        let rows: Vec<$crate::studio::ChatWeight> = diesel::sql_query(text)
            .bind::<diesel::sql_types::Text, _>($tenant.as_str())
            .bind::<diesel::sql_types::Text, _>($chat)
            .load($conn)
            .await?;
        rows.into_iter().next().map_or(0, |row| row.number)
    }};
}

mod answers;
mod begin;
mod choices;
mod ends;
mod images;

use diesel::sql_types::BigInt;
use diesel::{
    BoolExpressionMethods, ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable,
    QueryableByName,
};
use diesel_async::RunQueryDsl;
use shared::clock::Moment;
use shared::db::DbError;
use shared::id::{TenantId, UserId};
use shared::on;

pub use self::answers::{AnswerEnd, AnswerEnded};
pub use self::begin::{ChatBounds, NewChatTurn, TurnBegin};
pub(crate) use self::ends::leave_studio;
pub use self::ends::{StudioEnded, StudioForgot};
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

#[derive(QueryableByName)]
struct ChatWeight {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

/// What ends a transaction so that nothing of it stays: an outcome that is told, or a failure.
enum Undone<T> {
    Told(T),
    Failed(DbError),
}

impl<T> From<DbError> for Undone<T> {
    fn from(error: DbError) -> Self {
        Self::Failed(error)
    }
}

impl<T> From<diesel::result::Error> for Undone<T> {
    fn from(error: diesel::result::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl<T> Undone<T> {
    /// The outcome, whether its transaction stays or not.
    fn told(outcome: Result<T, Self>) -> Result<T, DbError> {
        match outcome {
            Ok(told) | Err(Self::Told(told)) => Ok(told),
            Err(Self::Failed(error)) => Err(error),
        }
    }
}

impl Store {
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
