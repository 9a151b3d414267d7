//! What waits to be sent to channels and what came of it. One process sends a message at a time: it takes
//! the message for a while, and whoever finds it after that while sends it again, with the same id. What was
//! never tried may be merged with what waits behind it.

use diesel::prelude::{Insertable, Queryable};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel_async::RunQueryDsl;
use server_rules::alerts::telling::{AlertMessage, backlog};
use shared::clock::Moment;
use shared::db::DbError;
use shared::id::{AlertChannelId, AlertMessageId};
use shared::{on, write_tx};

use crate::Store;
use crate::schema::{alert_channels, alert_messages};

const WAITING: &str = "waiting";
const SENT: &str = "sent";
const GAVE_UP: &str = "gave_up";
/// Messages that are merged at once: of two hours, each of one look.
const MERGED_MAX: i64 = 500;

#[derive(Debug, Clone, Insertable, Queryable)]
#[diesel(table_name = alert_messages)]
pub(super) struct MessageRow {
    pub(super) id: String,
    channel_id: String,
    body: String,
    state: String,
    attempts: i64,
    refusals: i64,
    created_at: i64,
    due_at: i64,
    done_at: Option<i64>,
    http_status: Option<i64>,
    answer: Option<String>,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageState {
    /// It is to be sent.
    Waiting,
    /// The receiver took it.
    Sent,
    /// It was not taken in time.
    GaveUp,
}

/// A message to a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptMessage {
    /// Its id, the same at every attempt.
    pub id: AlertMessageId,
    /// To whom.
    pub channel: AlertChannelId,
    /// What it tells.
    pub told: AlertMessage,
    /// What became of it.
    pub state: MessageState,
    /// How often it was tried.
    pub attempts: u32,
    /// How often the receiver said for good that it does not take it.
    pub refusals: u32,
    /// When it was written.
    pub created_at: Moment,
    /// When it is tried next.
    pub due_at: Moment,
    /// When it was sent or given up.
    pub done_at: Option<Moment>,
    /// The HTTP status of the last answer, where there was one.
    pub http_status: Option<u16>,
    /// Its words, cut, or why there was none.
    pub answer: String,
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// It was taken.
    Sent,
    /// It is tried again then.
    Again(Moment),
    /// It is not tried again.
    GaveUp,
}

/// An attempt, to be written down.
#[derive(Debug, Clone)]
pub struct AlertAttempt<'a> {
    /// Of which message.
    pub message: &'a AlertMessageId,
    /// To whom.
    pub channel: &'a AlertChannelId,
    /// What came of it.
    pub outcome: AttemptOutcome,
    /// Whether the receiver said for good that it does not take it.
    pub refused: bool,
    /// The HTTP status, where there was one.
    pub http_status: Option<u16>,
    /// What was answered, or why nothing was.
    pub answer: String,
    /// The channel is told nothing before then.
    pub next_at: Moment,
}

impl MessageRow {
    pub(super) fn new(
        channel: &AlertChannelId,
        told: &AlertMessage,
        now: Moment,
    ) -> Result<Self, DbError> {
        let body = serde_json::to_string(told)
            .map_err(|error| DbError::Damaged(format!("a message: {error}")))?;
        Ok(Self {
            id: AlertMessageId::random().into_string(),
            channel_id: channel.as_str().to_owned(),
            body,
            state: WAITING.to_owned(),
            attempts: 0,
            refusals: 0,
            created_at: now.unix_ms(),
            due_at: now.unix_ms(),
            done_at: None,
            http_status: None,
            answer: None,
        })
    }

    fn kept(self) -> Result<KeptMessage, DbError> {
        let told = serde_json::from_str(&self.body)
            .map_err(|error| DbError::Damaged(format!("message {}: {error}", self.id)))?;
        Ok(KeptMessage {
            id: AlertMessageId::from_stored(self.id),
            channel: AlertChannelId::from_stored(self.channel_id),
            told,
            state: match self.state.as_str() {
                SENT => MessageState::Sent,
                GAVE_UP => MessageState::GaveUp,
                _ => MessageState::Waiting,
            },
            attempts: u32::try_from(self.attempts).unwrap_or(u32::MAX),
            refusals: u32::try_from(self.refusals).unwrap_or(u32::MAX),
            created_at: Moment::from_unix_ms(self.created_at),
            due_at: Moment::from_unix_ms(self.due_at),
            done_at: self.done_at.map(Moment::from_unix_ms),
            http_status: self.http_status.and_then(|code| u16::try_from(code).ok()),
            answer: self.answer.unwrap_or_default(),
        })
    }
}

/// Lets one process at a time take or merge a channel's messages: a row that is written is locked until the
/// transaction ends, on either database. A macro, because it is compiled for either connection.
macro_rules! lock_channel {
    ($conn:expr, $id:expr) => {{
        let channel = alert_channels::table.find($id);
        diesel::update(channel)
            .set(alert_channels::next_at.eq(alert_channels::next_at))
            .execute($conn)
            .await?;
    }};
}

/// How a channel does after an attempt; a macro, because it is compiled for either connection.
macro_rules! note_channel {
    ($conn:expr, $attempt:expr, $now:expr) => {{
        let channel = alert_channels::table.find($attempt.channel.as_str());
        diesel::update(channel)
            .set(alert_channels::next_at.eq($attempt.next_at.unix_ms()))
            .execute($conn)
            .await?;
        if $attempt.outcome == AttemptOutcome::Sent {
            diesel::update(channel)
                .set((
                    alert_channels::failing_since.eq(None::<i64>),
                    alert_channels::failure.eq(None::<String>),
                ))
                .execute($conn)
                .await?;
        } else {
            diesel::update(channel.filter(alert_channels::failing_since.is_null()))
                .set(alert_channels::failing_since.eq(Some($now.unix_ms())))
                .execute($conn)
                .await?;
            diesel::update(channel)
                .set(alert_channels::failure.eq(Some($attempt.answer.clone())))
                .execute($conn)
                .await?;
        }
        if $attempt.outcome == AttemptOutcome::GaveUp {
            diesel::update(channel)
                .set(alert_channels::gave_up_at.eq(Some($now.unix_ms())))
                .execute($conn)
                .await?;
        }
    }};
}

impl Store {
    /// The oldest message of a channel that waits, whether it is due or not: those behind it wait for it.
    pub async fn next_alert_message(
        &self,
        channel: &AlertChannelId,
    ) -> Result<Option<KeptMessage>, DbError> {
        let row: Option<MessageRow> = on!(self.db, |conn| {
            alert_messages::table
                .filter(alert_messages::channel_id.eq(channel.as_str()))
                .filter(alert_messages::state.eq(WAITING))
                .order((alert_messages::created_at, alert_messages::id))
                .first(conn)
                .await
                .optional()
        })?;
        row.map(MessageRow::kept).transpose()
    }

    /// Makes one message of those that wait first for a channel and were never tried, where there are several;
    /// tells whether it did. What was tried stays as the receiver may have seen it, and a test by itself.
    pub async fn merge_alert_messages(
        &self,
        channel: &AlertChannelId,
        now: Moment,
    ) -> Result<bool, DbError> {
        write_tx!(self.db, |conn| -> DbError {
            lock_channel!(conn, channel.as_str());
            let rows: Vec<MessageRow> = alert_messages::table
                .filter(alert_messages::channel_id.eq(channel.as_str()))
                .filter(alert_messages::state.eq(WAITING))
                .order((alert_messages::created_at, alert_messages::id))
                .limit(MERGED_MAX)
                .load(conn)
                .await?;
            let mut waiting = Vec::new();
            for row in rows {
                let message = row.kept()?;
                if message.attempts > 0 || message.told.test {
                    break;
                }
                waiting.push(message);
            }
            let [_, .., last] = waiting.as_slice() else {
                return Ok::<_, DbError>(false);
            };
            let at = last.created_at;
            let ids: Vec<&str> = waiting.iter().map(|one| one.id.as_str()).collect();
            let old = alert_messages::table.filter(alert_messages::id.eq_any(ids));
            diesel::delete(old).execute(conn).await?;
            let told = backlog(waiting.into_iter().map(|one| one.told));
            // Where the last one stood: in its order, and with a day before it is given up.
            let row = MessageRow {
                due_at: now.unix_ms(),
                ..MessageRow::new(channel, &told, at)?
            };
            diesel::insert_into(alert_messages::table)
                .values(&row)
                .execute(conn)
                .await?;
            Ok(true)
        })
    }

    /// How many messages wait for a channel, counted up to `most`.
    pub async fn alert_messages_waiting(
        &self,
        channel: &AlertChannelId,
        most: u32,
    ) -> Result<usize, DbError> {
        let ids: Vec<String> = on!(self.db, |conn| {
            alert_messages::table
                .filter(alert_messages::channel_id.eq(channel.as_str()))
                .filter(alert_messages::state.eq(WAITING))
                .select(alert_messages::id)
                .limit(i64::from(most))
                .load(conn)
                .await
        })?;
        Ok(ids.len())
    }

    /// Channels for which something waits.
    pub async fn channels_with_messages(&self) -> Result<Vec<AlertChannelId>, DbError> {
        let ids: Vec<String> = on!(self.db, |conn| {
            alert_messages::table
                .filter(alert_messages::state.eq(WAITING))
                .select(alert_messages::channel_id)
                .distinct()
                .load(conn)
                .await
        })?;
        Ok(ids.into_iter().map(AlertChannelId::from_stored).collect())
    }

    /// Takes a message to send it, until `until`; false where it is not due, another has it, or its channel was
    /// told something a moment ago.
    pub async fn take_alert_message(
        &self,
        message: &KeptMessage,
        until: Moment,
        now: Moment,
    ) -> Result<bool, DbError> {
        write_tx!(self.db, |conn| -> DbError {
            lock_channel!(conn, message.channel.as_str());
            // A message is the oldest only when the one before it is noted, and its pause with it.
            let channel = alert_channels::table.find(message.channel.as_str());
            let next_at: Option<i64> = channel
                .select(alert_channels::next_at)
                .first(conn)
                .await
                .optional()?;
            if next_at.is_none_or(|at| at > now.unix_ms()) {
                return Ok::<_, DbError>(false);
            }
            let mine = alert_messages::table
                .find(message.id.as_str())
                .filter(alert_messages::state.eq(WAITING))
                .filter(alert_messages::due_at.le(now.unix_ms()))
                .filter(alert_messages::attempts.eq(i64::from(message.attempts)));
            let taken = diesel::update(mine)
                .set((
                    alert_messages::due_at.eq(until.unix_ms()),
                    alert_messages::attempts.eq(i64::from(message.attempts) + 1),
                ))
                .execute(conn)
                .await?;
            Ok(taken == 1)
        })
    }

    /// Writes down what came of an attempt, and how the channel does.
    pub async fn note_alert_attempt(
        &self,
        attempt: &AlertAttempt<'_>,
        now: Moment,
    ) -> Result<(), DbError> {
        let (state, due_at, done_at) = match &attempt.outcome {
            AttemptOutcome::Sent => (SENT, now, Some(now.unix_ms())),
            AttemptOutcome::GaveUp => (GAVE_UP, now, Some(now.unix_ms())),
            AttemptOutcome::Again(at) => (WAITING, *at, None),
        };
        let refusals = i64::from(attempt.refused);
        write_tx!(self.db, |conn| -> DbError {
            let waiting = alert_messages::table
                .find(attempt.message.as_str())
                .filter(alert_messages::state.eq(WAITING));
            diesel::update(waiting)
                .set((
                    alert_messages::state.eq(state),
                    alert_messages::refusals.eq(alert_messages::refusals + refusals),
                    alert_messages::due_at.eq(due_at.unix_ms()),
                    alert_messages::done_at.eq(done_at),
                    alert_messages::http_status.eq(attempt.http_status.map(i64::from)),
                    alert_messages::answer.eq(Some(attempt.answer.clone())),
                ))
                .execute(conn)
                .await?;
            note_channel!(conn, attempt, now);
            Ok::<_, DbError>(())
        })
    }

    /// The last messages of a channel, the newest first.
    pub async fn alert_messages(
        &self,
        channel: &AlertChannelId,
        limit: u32,
    ) -> Result<Vec<KeptMessage>, DbError> {
        let rows: Vec<MessageRow> = on!(self.db, |conn| {
            alert_messages::table
                .filter(alert_messages::channel_id.eq(channel.as_str()))
                .order((alert_messages::created_at.desc(), alert_messages::id.desc()))
                .limit(i64::from(limit))
                .load(conn)
                .await
        })?;
        rows.into_iter().map(MessageRow::kept).collect()
    }
}
