//! Where alerts are sent to. What an address and its secret are comes sealed and goes sealed.

use diesel::prelude::{AsChangeset, Insertable, Queryable};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel_async::RunQueryDsl;
use serde_json::json;
use server_rules::alerts::telling::{ChannelFilter, ChannelKind, ChannelLang};
use server_rules::alerts::{AlertKind, AlertSeverity};
use shared::clock::Moment;
use shared::db::DbError;
use shared::id::AlertChannelId;
use shared::{on, write_tx};

use crate::Store;
use crate::audit::{Actor, Note, note};
use crate::schema::{alert_channels, alert_messages};

/// As many as a page can show and a round can write to.
pub(super) const CHANNELS_MAX: i64 = 50;

#[derive(Debug, Clone, Insertable, Queryable)]
#[diesel(table_name = alert_channels)]
pub(super) struct ChannelRow {
    id: String,
    name: String,
    kind: String,
    enabled: bool,
    severity: String,
    kinds: String,
    lang: String,
    remind_hours: i64,
    shown: String,
    sealed: String,
    created_at: i64,
    next_at: i64,
    failing_since: Option<i64>,
    failure: Option<String>,
    gave_up_at: Option<i64>,
}

/// What an operator changes of a row; how it does is the sender's, and whether it is told has a switch of its
/// own. What is absent stays.
#[derive(Debug, AsChangeset)]
#[diesel(table_name = alert_channels)]
struct ChannelRowChange<'a> {
    name: &'a str,
    severity: &'a str,
    kinds: &'a str,
    lang: &'a str,
    remind_hours: i64,
    shown: Option<&'a str>,
    sealed: Option<&'a str>,
}

/// What an operator changes of a channel.
#[derive(Debug, Clone)]
pub struct ChannelChange {
    /// Its name.
    pub name: String,
    /// What it is told.
    pub filter: ChannelFilter,
    /// In which language.
    pub lang: ChannelLang,
    /// Its address and what is shown of it, sealed first; absent where they stay.
    pub address: Option<(String, String)>,
}

/// A channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertChannel {
    /// Its id.
    pub id: AlertChannelId,
    /// Its name, unique.
    pub name: String,
    /// What receives.
    pub kind: ChannelKind,
    /// Whether it is told.
    pub enabled: bool,
    /// What it is told.
    pub filter: ChannelFilter,
    /// In which language.
    pub lang: ChannelLang,
    /// What is shown of its address.
    pub shown: String,
    /// Address and secret, sealed and in hex.
    pub sealed: String,
    /// When it was added.
    pub created_at: Moment,
    /// Before that nothing is sent.
    pub next_at: Moment,
    /// Since when its deliveries fail, and why.
    pub failing: Option<(Moment, String)>,
    /// When a message was last given up.
    pub gave_up_at: Option<Moment>,
}

impl ChannelRow {
    pub(super) fn channel(self) -> Result<AlertChannel, DbError> {
        let damaged =
            |what: &str| DbError::Damaged(format!("`{what}` in alert_channels is not known"));
        let kinds: Vec<String> = serde_json::from_str(&self.kinds)
            .map_err(|error| DbError::Damaged(format!("kinds of {}: {error}", self.id)))?;
        let kinds = kinds.iter().filter_map(|word| AlertKind::from_word(word));
        let filter = ChannelFilter {
            severity: AlertSeverity::from_word(&self.severity)
                .ok_or_else(|| damaged(&self.severity))?,
            kinds: kinds.collect(),
            remind_hours: u32::try_from(self.remind_hours).unwrap_or(0),
        };
        let failure = self.failure.unwrap_or_default();
        Ok(AlertChannel {
            kind: ChannelKind::from_word(&self.kind).ok_or_else(|| damaged(&self.kind))?,
            lang: ChannelLang::from_word(&self.lang).ok_or_else(|| damaged(&self.lang))?,
            id: AlertChannelId::from_stored(self.id),
            name: self.name,
            enabled: self.enabled,
            filter,
            shown: self.shown,
            sealed: self.sealed,
            created_at: Moment::from_unix_ms(self.created_at),
            next_at: Moment::from_unix_ms(self.next_at),
            failing: self
                .failing_since
                .map(|since| (Moment::from_unix_ms(since), failure)),
            gave_up_at: self.gave_up_at.map(Moment::from_unix_ms),
        })
    }

    /// As the audit log shows it: nothing of the address but what the page shows.
    fn noted(&self) -> String {
        json!({
            "name": self.name,
            "kind": self.kind,
            "enabled": self.enabled,
            "severity": self.severity,
            "kinds": self.kinds,
            "language": self.lang,
            "remind_hours": self.remind_hours,
            "address": self.shown,
        })
        .to_string()
    }
}

fn kinds(filter: &ChannelFilter) -> String {
    let words: Vec<&str> = filter.kinds.iter().map(|kind| kind.word()).collect();
    json!(words).to_string()
}

impl From<&AlertChannel> for ChannelRow {
    fn from(channel: &AlertChannel) -> Self {
        Self {
            id: channel.id.as_str().to_owned(),
            name: channel.name.clone(),
            kind: channel.kind.word().to_owned(),
            enabled: channel.enabled,
            severity: channel.filter.severity.word().to_owned(),
            kinds: kinds(&channel.filter),
            lang: channel.lang.word().to_owned(),
            remind_hours: channel.filter.remind_hours.into(),
            shown: channel.shown.clone(),
            sealed: channel.sealed.clone(),
            created_at: channel.created_at.unix_ms(),
            next_at: channel.next_at.unix_ms(),
            failing_since: None,
            failure: None,
            gave_up_at: None,
        }
    }
}

impl Store {
    /// Every channel, in the order in which they were added.
    pub async fn alert_channels(&self) -> Result<Vec<AlertChannel>, DbError> {
        let rows: Vec<ChannelRow> = on!(self.db, |conn| {
            alert_channels::table
                .order((alert_channels::created_at, alert_channels::id))
                .limit(CHANNELS_MAX)
                .load(conn)
                .await
        })?;
        rows.into_iter().map(ChannelRow::channel).collect()
    }

    /// Adds one; a name that is there already is `DbError`'s duplicate. False where there are too many.
    pub async fn add_alert_channel(
        &self,
        actor: &Actor,
        channel: &AlertChannel,
        now: Moment,
    ) -> Result<bool, DbError> {
        let row = ChannelRow::from(channel);
        write_tx!(self.db, |conn| -> DbError {
            let count: i64 = alert_channels::table.count().get_result(conn).await?;
            if count >= CHANNELS_MAX {
                return Ok::<_, DbError>(false);
            }
            diesel::insert_into(alert_channels::table)
                .values(&row)
                .execute(conn)
                .await?;
            let entry = Note {
                action: "alert_channel.create",
                subject: &row.id,
                after: Some(row.noted()),
                ..Note::default()
            };
            note!(conn, actor, entry, now);
            Ok(true)
        })
    }

    /// Changes one, whether it is told or not; false when there is none of its id.
    pub async fn change_alert_channel(
        &self,
        actor: &Actor,
        id: &AlertChannelId,
        change: &ChannelChange,
        now: Moment,
    ) -> Result<bool, DbError> {
        let kinds = kinds(&change.filter);
        let address = change.address.as_ref();
        let row = ChannelRowChange {
            name: &change.name,
            severity: change.filter.severity.word(),
            kinds: &kinds,
            lang: change.lang.word(),
            remind_hours: change.filter.remind_hours.into(),
            sealed: address.map(|(sealed, _)| sealed.as_str()),
            shown: address.map(|(_, shown)| shown.as_str()),
        };
        write_tx!(self.db, |conn| -> DbError {
            let channel = alert_channels::table.find(id.as_str());
            let Some(old) = channel.first::<ChannelRow>(conn).await.optional()? else {
                return Ok::<_, DbError>(false);
            };
            diesel::update(channel).set(&row).execute(conn).await?;
            let new: ChannelRow = channel.first(conn).await?;
            let entry = Note {
                action: "alert_channel.update",
                subject: id.as_str(),
                before: Some(old.noted()),
                after: Some(new.noted()),
                ..Note::default()
            };
            note!(conn, actor, entry, now);
            Ok(true)
        })
    }

    /// Switches one on or off and changes nothing else; false when there is none of its id. What waits for one
    /// that is or was off is given up.
    pub async fn switch_alert_channel(
        &self,
        actor: &Actor,
        id: &AlertChannelId,
        on: bool,
        now: Moment,
    ) -> Result<bool, DbError> {
        write_tx!(self.db, |conn| -> DbError {
            let channel = alert_channels::table.find(id.as_str());
            let Some(old) = channel.first::<ChannelRow>(conn).await.optional()? else {
                return Ok::<_, DbError>(false);
            };
            diesel::update(channel)
                .set(alert_channels::enabled.eq(on))
                .execute(conn)
                .await?;
            if !on || !old.enabled {
                let waiting = alert_messages::table
                    .filter(alert_messages::channel_id.eq(id.as_str()))
                    .filter(alert_messages::state.eq("waiting"));
                diesel::update(waiting)
                    .set((
                        alert_messages::state.eq("gave_up"),
                        alert_messages::done_at.eq(Some(now.unix_ms())),
                    ))
                    .execute(conn)
                    .await?;
            }
            let new: ChannelRow = channel.first(conn).await?;
            let entry = Note {
                action: "alert_channel.update",
                subject: id.as_str(),
                before: Some(old.noted()),
                after: Some(new.noted()),
                ..Note::default()
            };
            note!(conn, actor, entry, now);
            Ok(true)
        })
    }

    /// Deletes one with all that it was told; false when there is none of this id.
    pub async fn delete_alert_channel(
        &self,
        actor: &Actor,
        id: &AlertChannelId,
        now: Moment,
    ) -> Result<bool, DbError> {
        write_tx!(self.db, |conn| -> DbError {
            let found = alert_channels::table
                .find(id.as_str())
                .first::<ChannelRow>(conn);
            let Some(old) = found.await.optional()? else {
                return Ok::<_, DbError>(false);
            };
            let told = alert_messages::table.filter(alert_messages::channel_id.eq(id.as_str()));
            diesel::delete(told).execute(conn).await?;
            diesel::delete(alert_channels::table.find(id.as_str()))
                .execute(conn)
                .await?;
            let entry = Note {
                action: "alert_channel.delete",
                subject: id.as_str(),
                before: Some(old.noted()),
                ..Note::default()
            };
            note!(conn, actor, entry, now);
            Ok(true)
        })
    }
}
