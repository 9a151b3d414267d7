//! Statements of alerts: the rows of a look and what channels are told of it, in one transaction, and who
//! mutes them. Decides nothing; `server_rules::alerts` does.

pub mod channels;
pub mod messages;
mod reads;

use diesel::prelude::{Insertable, Queryable};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel_async::RunQueryDsl;
use serde_json::json;
use server_rules::alerts::round::AlertPlan;
use server_rules::alerts::telling::{AlertMessage, AlertStep, message};
use server_rules::alerts::{
    Alert, AlertCondition, AlertKind, AlertSeverity, AlertSubject, SubjectKind,
};
use shared::clock::Moment;
use shared::db::DbError;
use shared::id::{AlertId, AlertMessageId};
use shared::{on, write_tx};

pub use self::reads::{CallSums, EARLIER_MAX, FailedCalls, SumsOf};
use super::Store;
use super::audit::{Actor, Note, note};
use super::columns::whole;
use super::schema::{alert_channels, alert_messages, alert_rounds, alert_sightings, alerts};

/// The one row of `alert_rounds`.
const ROUND: &str = "alerts";

#[derive(Debug, Clone, Insertable, Queryable)]
#[diesel(table_name = alerts)]
struct AlertDbRow {
    id: String,
    kind: String,
    subject_kind: String,
    subject: String,
    label: String,
    last4: String,
    severity: String,
    first_seen: i64,
    last_seen: i64,
    quiet_since: Option<i64>,
    ended_at: Option<i64>,
    hit_calls: i64,
    hits_at_least: bool,
    muted_until: Option<i64>,
    muted_by: Option<String>,
}

impl AlertDbRow {
    fn begun(id: &AlertId, of: &AlertCondition, now: Moment) -> Self {
        Self {
            id: id.as_str().to_owned(),
            kind: of.kind.word().to_owned(),
            subject_kind: of.subject.kind.word().to_owned(),
            subject: of.subject.id.clone(),
            label: of.label.clone(),
            last4: of.last4.clone(),
            severity: of.kind.severity().word().to_owned(),
            first_seen: of.since.unwrap_or(now).min(now).unix_ms(),
            last_seen: now.unix_ms(),
            quiet_since: None,
            ended_at: None,
            hit_calls: whole(of.hit_calls),
            hits_at_least: of.hits_at_least,
            muted_until: None,
            muted_by: None,
        }
    }

    fn alert(self) -> Result<Alert, DbError> {
        let damaged = |what: &str| DbError::Damaged(format!("`{what}` in alerts is not known"));
        Ok(Alert {
            kind: AlertKind::from_word(&self.kind).ok_or_else(|| damaged(&self.kind))?,
            severity: AlertSeverity::from_word(&self.severity)
                .ok_or_else(|| damaged(&self.severity))?,
            subject: AlertSubject {
                kind: SubjectKind::from_word(&self.subject_kind)
                    .ok_or_else(|| damaged(&self.subject_kind))?,
                id: self.subject,
            },
            id: AlertId::from_stored(self.id),
            label: self.label,
            last4: self.last4,
            first_seen: Moment::from_unix_ms(self.first_seen),
            last_seen: Moment::from_unix_ms(self.last_seen),
            quiet_since: self.quiet_since.map(Moment::from_unix_ms),
            ended_at: self.ended_at.map(Moment::from_unix_ms),
            hit_calls: u64::try_from(self.hit_calls).unwrap_or(0),
            hits_at_least: self.hits_at_least,
            muted_until: self.muted_until.map(Moment::from_unix_ms),
            muted_by: self.muted_by,
        })
    }
}

/// How far the last look came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoundState {
    /// The last usage record whose call was counted.
    pub through: i64,
    /// When somebody last looked.
    pub looked_at: Moment,
}

/// A look, to be written.
#[derive(Debug, Clone)]
pub struct AlertRound<'a> {
    /// What stood before, which must still stand.
    pub before: RoundState,
    /// How far calls are counted now.
    pub through: i64,
    /// What becomes of the alerts.
    pub plan: &'a AlertPlan,
    /// Calls that were counted for each, in addition, and whether there may be more.
    pub hits: &'a [(AlertId, u64, bool)],
    /// Now.
    pub now: Moment,
}

/// What a look changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoundOutcome {
    /// Alerts that began.
    pub begun: usize,
    /// Alerts that ended.
    pub ended: usize,
    /// Messages that wait to be sent.
    pub messages: usize,
}

/// What was touched, as it stands: the alerts that are open or ended in this look.
macro_rules! touched {
    ($conn:expr, $begun:expr, $round:expr) => {{
        let open: Vec<AlertDbRow> = alerts::table
            .filter(alerts::ended_at.is_null())
            .order((alerts::first_seen, alerts::id))
            .load($conn)
            .await?;
        let ended: Vec<&str> = $round.plan.end.iter().map(|(id, _)| id.as_str()).collect();
        let ended: Vec<AlertDbRow> = alerts::table
            .filter(alerts::id.eq_any(ended))
            .load($conn)
            .await?;
        let mut touched = Vec::new();
        for row in ended {
            touched.push((Some(AlertStep::Resolved), row.alert()?));
        }
        for row in open {
            let step = $begun.contains(&row.id).then_some(AlertStep::Begun);
            touched.push((step, row.alert()?));
        }
        touched
    }};
}

/// Writes what becomes of the rows; answers the ids of those that began.
macro_rules! write_rows {
    ($conn:expr, $round:expr) => {{
        let (plan, now) = ($round.plan, $round.now.unix_ms());
        let mut begun = Vec::new();
        for condition in &plan.begin {
            let row = AlertDbRow::begun(&AlertId::random(), condition, $round.now);
            // What is there already, whoever wrote it, must not keep the rest from being written.
            let made = diesel::insert_into(alerts::table)
                .values(&row)
                .on_conflict_do_nothing()
                .execute($conn)
                .await?;
            if made == 1 {
                begun.push(row.id);
            }
        }
        // One statement for all: there may be two thousand, and every look sees them.
        let seen: Vec<&str> = plan.seen.iter().map(AlertId::as_str).collect();
        diesel::update(alerts::table.filter(alerts::id.eq_any(seen)))
            .set((
                alerts::last_seen.eq(now),
                alerts::quiet_since.eq(None::<i64>),
            ))
            .execute($conn)
            .await?;
        for (id, label) in &plan.renamed {
            diesel::update(alerts::table.find(id.as_str()))
                .set(alerts::label.eq(label))
                .execute($conn)
                .await?;
        }
        let quiet: Vec<&str> = plan.quiet.iter().map(AlertId::as_str).collect();
        diesel::update(alerts::table.filter(alerts::id.eq_any(quiet)))
            .set(alerts::quiet_since.eq(Some(now)))
            .execute($conn)
            .await?;
        for (id, since) in plan.end.iter().chain(&plan.worsened) {
            diesel::update(alerts::table.find(id.as_str()))
                .set(alerts::ended_at.eq(Some(since.unix_ms())))
                .execute($conn)
                .await?;
        }
        for (id, calls, at_least) in $round.hits {
            diesel::update(alerts::table.find(id.as_str()))
                .set((
                    alerts::hit_calls.eq(alerts::hit_calls + whole(*calls)),
                    alerts::hits_at_least.eq(*at_least),
                ))
                .execute($conn)
                .await?;
        }
        begun
    }};
}

impl Store {
    /// Writes a look and what channels are told of it, all or nothing; `None` where another process has
    /// looked since `before`, which wrote its own.
    pub async fn write_alert_round(
        &self,
        round: &AlertRound<'_>,
    ) -> Result<Option<RoundOutcome>, DbError> {
        let before = round.before;
        write_tx!(self.db, |conn| -> DbError {
            // Whoever moves the row on is the one that looked; another waits here and moves nothing.
            let mine = alert_rounds::table
                .find(ROUND)
                .filter(alert_rounds::looked_at.eq(before.looked_at.unix_ms()))
                .filter(alert_rounds::through.eq(before.through));
            let moved = diesel::update(mine)
                .set((
                    alert_rounds::looked_at.eq(round.now.unix_ms()),
                    alert_rounds::through.eq(round.through),
                ))
                .execute(conn)
                .await?;
            if moved != 1 {
                return Ok::<_, DbError>(None);
            }
            let begun: Vec<String> = write_rows!(conn, round);
            let touched = touched!(conn, begun, round);
            let looks = (before.looked_at, round.now);
            let mut outcome = RoundOutcome {
                begun: begun.len(),
                ended: round.plan.end.len() + round.plan.worsened.len(),
                messages: 0,
            };
            // Read here: whoever was switched off or changed a moment ago is told as it is now.
            let channels: Vec<channels::ChannelRow> = alert_channels::table
                .filter(alert_channels::enabled.eq(true))
                .order((alert_channels::created_at, alert_channels::id))
                .limit(channels::CHANNELS_MAX)
                .load(conn)
                .await?;
            for channel in channels {
                let channel = channel.channel()?;
                let Some(told) = message(&channel.filter, &touched, looks) else {
                    continue;
                };
                let row = messages::MessageRow::new(&channel.id, &told, round.now)?;
                diesel::insert_into(alert_messages::table)
                    .values(&row)
                    .execute(conn)
                    .await?;
                outcome.messages += 1;
            }
            Ok(Some(outcome))
        })
    }

    /// Mutes an open alert until then, or lets it be heard again; false where there is none of that id.
    pub async fn mute_alert(
        &self,
        actor: &Actor,
        id: &AlertId,
        until: Option<Moment>,
        now: Moment,
    ) -> Result<bool, DbError> {
        write_tx!(self.db, |conn| -> DbError {
            let open = alerts::table
                .find(id.as_str())
                .filter(alerts::ended_at.is_null());
            let found: Option<AlertDbRow> = open.first(conn).await.optional()?;
            let Some(old) = found else {
                return Ok::<_, DbError>(false);
            };
            let by = until.map(|_| actor.name.clone());
            diesel::update(alerts::table.find(id.as_str()))
                .set((
                    alerts::muted_until.eq(until.map(Moment::unix_ms)),
                    alerts::muted_by.eq(by),
                ))
                .execute(conn)
                .await?;
            let shown = |until: Option<i64>| {
                json!({"kind": old.kind, "about": old.label, "muted_until": until}).to_string()
            };
            let entry = Note {
                action: if until.is_some() {
                    "alert.mute"
                } else {
                    "alert.unmute"
                },
                subject: id.as_str(),
                before: Some(shown(old.muted_until)),
                after: Some(shown(until.map(Moment::unix_ms))),
                ..Note::default()
            };
            note!(conn, actor, entry, now);
            Ok(true)
        })
    }

    /// Puts one message for one channel where it waits to be sent.
    pub async fn put_alert_message(
        &self,
        channel: &shared::id::AlertChannelId,
        told: &AlertMessage,
        now: Moment,
    ) -> Result<AlertMessageId, DbError> {
        let row = messages::MessageRow::new(channel, told, now)?;
        let id = AlertMessageId::from_stored(row.id.clone());
        write_tx!(self.db, |conn| -> DbError {
            diesel::insert_into(alert_messages::table)
                .values(&row)
                .execute(conn)
                .await?;
            Ok::<_, DbError>(())
        })?;
        Ok(id)
    }

    /// When an alert of this kind and subject last ended, if that was after `from`.
    pub async fn alert_ended_after(
        &self,
        kind: AlertKind,
        subject: &AlertSubject,
        from: Moment,
    ) -> Result<Option<Moment>, DbError> {
        let ended: Option<Option<i64>> = on!(self.db, |conn| {
            alerts::table
                .filter(alerts::ended_at.gt(from.unix_ms()))
                .filter(alerts::kind.eq(kind.word()))
                .filter(alerts::subject_kind.eq(subject.kind.word()))
                .filter(alerts::subject.eq(&subject.id))
                .order(alerts::ended_at.desc())
                .select(alerts::ended_at)
                .first(conn)
                .await
                .optional()
        })?;
        Ok(ended.flatten().map(Moment::from_unix_ms))
    }

    /// Deletes alerts that ended, messages that were done, and sightings of before then.
    pub async fn forget_alerts(
        &self,
        alerts_before: Moment,
        messages_before: Moment,
        sightings_before: Moment,
    ) -> Result<(), DbError> {
        write_tx!(self.db, |conn| -> DbError {
            let old = alerts::table.filter(alerts::ended_at.lt(alerts_before.unix_ms()));
            diesel::delete(old).execute(conn).await?;
            let old = alert_messages::table
                .filter(alert_messages::state.ne("waiting"))
                .filter(alert_messages::created_at.lt(messages_before.unix_ms()));
            diesel::delete(old).execute(conn).await?;
            let old = alert_sightings::table
                .filter(alert_sightings::seen_at.lt(sightings_before.unix_ms()));
            diesel::delete(old).execute(conn).await?;
            Ok::<_, DbError>(())
        })
    }
}
