//! What a channel is told: which of the things that happened, in one message however many they are. Sends
//! nothing and knows no words of people.

use std::collections::HashMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use shared::clock::Moment;
use shared::id::AlertId;

use super::{Alert, AlertKind, AlertSeverity};
use crate::words;

/// Of a flood that many are told by name, and how many more there are.
pub const NAMED_MAX: usize = 10;
/// Of a flood that many are kept in a message.
pub const KEPT_MAX: usize = 100;
/// Hours between two reminders, at most.
pub const REMIND_HOURS_MAX: u32 = 168;

words! {
    /// What kind of receiver a channel is.
    ChannelKind {
        /// Any address that takes a signed POST of JSON.
        Webhook = "webhook",
        /// A custom bot of Feishu or Lark.
        Feishu = "feishu",
        /// A custom robot of DingTalk.
        DingTalk = "dingtalk",
        /// A robot of a WeCom group.
        WeCom = "wecom",
    }
}

words! {
    /// In which language a channel is told.
    ChannelLang {
        /// English.
        English = "en",
        /// 简体中文.
        Chinese = "zh",
    }
}

/// What a channel wants to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelFilter {
    /// Nothing less urgent.
    pub severity: AlertSeverity,
    /// Only these; all where there are none.
    pub kinds: Vec<AlertKind>,
    /// Hours between two reminders of what is critical; 0 for none.
    pub remind_hours: u32,
}

impl ChannelFilter {
    fn lets_through(&self, alert: &Alert) -> bool {
        let is_urgent = alert.severity.rank() >= self.severity.rank();
        is_urgent && (self.kinds.is_empty() || self.kinds.contains(&alert.kind))
    }
}

/// What happened to an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertStep {
    /// It began.
    Begun,
    /// It is critical and still there.
    Reminder,
    /// It is over.
    Resolved,
}

/// An alert and what happened to it, as messages keep it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToldAlert {
    /// What happened.
    pub step: AlertStep,
    /// Which alert.
    pub id: AlertId,
    /// What it is, as a word.
    pub kind: String,
    /// How much it presses, as a word.
    pub severity: String,
    /// What kind of thing it is about, as a word.
    pub subject_kind: String,
    /// Which one.
    pub subject: String,
    /// How that is called.
    pub label: String,
    /// Where to act: a path below `/admin`.
    pub path: String,
    /// Since when, in unix milliseconds.
    pub since: i64,
    /// When it ended, in unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<i64>,
    /// Calls that failed since then; absent where none are counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_calls: Option<u64>,
    /// Whether there may be more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub at_least: bool,
}

/// What a channel is told at once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertMessage {
    /// What happened, the most urgent first.
    pub alerts: Vec<ToldAlert>,
    /// How many more there are.
    #[serde(default)]
    pub more: u64,
    /// Whether somebody only tries the channel.
    #[serde(default)]
    pub test: bool,
    /// Whether it is what waited while the channel took nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub backlog: bool,
}

/// A part of a path, as URLs take it.
fn encoded(part: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    let letters = part.bytes().map(|byte| {
        if plain(byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    });
    letters.collect()
}

/// Where to act on an alert, a path below `/admin` without its first slash.
pub fn path(alert: &Alert) -> String {
    match alert.place() {
        (list, Some(one), part) => format!("{list}/{}{part}", encoded(one)),
        (list, None, part) => format!("{list}{part}"),
    }
}

impl ToldAlert {
    /// As it stands.
    pub fn of(step: AlertStep, alert: &Alert) -> Self {
        Self {
            step,
            id: alert.id.clone(),
            kind: alert.kind.word().to_owned(),
            severity: alert.severity.word().to_owned(),
            subject_kind: alert.subject.kind.word().to_owned(),
            subject: alert.subject.id.clone(),
            label: alert.label.clone(),
            path: path(alert),
            since: alert.first_seen.unix_ms(),
            until: alert.ended_at.map(Moment::unix_ms),
            failed_calls: alert.kind.counts_calls().then_some(alert.hit_calls),
            at_least: alert.hits_at_least,
        }
    }
}

/// Whether a reminder is due: a whole number of `hours` passed since the alert was first seen, between the
/// last look and this one.
fn is_due(alert: &Alert, hours: u32, (last, now): (Moment, Moment)) -> bool {
    if hours == 0 || alert.severity != AlertSeverity::Critical || last < alert.first_seen {
        return false;
    }
    let every = Duration::from_secs(u64::from(hours) * 3_600).as_millis();
    let passed = |at: Moment| at.since(alert.first_seen).as_millis() / every;
    passed(now) > passed(last)
}

/// What one channel is told of a look: one message, or none. `alerts` are all that were touched, as they
/// stand afterwards.
pub fn message(
    filter: &ChannelFilter,
    alerts: &[(Option<AlertStep>, Alert)],
    looks: (Moment, Moment),
) -> Option<AlertMessage> {
    let told = alerts.iter().filter_map(|(step, alert)| {
        if !filter.lets_through(alert) || alert.is_muted(looks.1) {
            return None;
        }
        let reminder = || {
            let due = alert.is_on() && is_due(alert, filter.remind_hours, looks);
            due.then_some(AlertStep::Reminder)
        };
        let step = step.or_else(reminder)?;
        Some((alert.severity.rank(), ToldAlert::of(step, alert)))
    });
    let mut told: Vec<(u8, ToldAlert)> = told.collect();
    if told.is_empty() {
        return None;
    }
    // Stable: those that press alike stay in their order.
    told.sort_by_key(|(rank, _)| std::cmp::Reverse(*rank));
    let more = told.len().saturating_sub(KEPT_MAX);
    Some(AlertMessage {
        alerts: told
            .into_iter()
            .take(KEPT_MAX)
            .map(|(_, one)| one)
            .collect(),
        more: u64::try_from(more).unwrap_or(u64::MAX),
        ..AlertMessage::default()
    })
}

/// What waited for a channel, as one message: of each alert how it stands at last.
pub fn backlog(waiting: impl IntoIterator<Item = AlertMessage>) -> AlertMessage {
    let mut told: Vec<ToldAlert> = Vec::new();
    let mut places: HashMap<AlertId, usize> = HashMap::new();
    let mut more = 0_u64;
    for message in waiting {
        more = more.saturating_add(message.more);
        for alert in message.alerts {
            let known = places.get(&alert.id).and_then(|place| told.get_mut(*place));
            if let Some(known) = known {
                // Whoever was not told that it began is not reminded.
                let step = match alert.step {
                    AlertStep::Reminder => known.step,
                    AlertStep::Begun | AlertStep::Resolved => alert.step,
                };
                *known = ToldAlert { step, ..alert };
            } else {
                places.insert(alert.id.clone(), told.len());
                told.push(alert);
            }
        }
    }
    let rank = |alert: &ToldAlert| {
        AlertSeverity::from_word(&alert.severity).map_or(0, AlertSeverity::rank)
    };
    // Stable: those that press alike stay in their order.
    told.sort_by_key(|alert| std::cmp::Reverse(rank(alert)));
    let cut = u64::try_from(told.len().saturating_sub(KEPT_MAX)).unwrap_or(u64::MAX);
    told.truncate(KEPT_MAX);
    AlertMessage {
        alerts: told,
        more: more.saturating_add(cut),
        test: false,
        backlog: true,
    }
}
