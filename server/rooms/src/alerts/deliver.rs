//! Sends what waits for channels: each channel's messages in their order, one at a time, again and again for
//! a day, or until it is refused for good. Every process sends; who takes a message has it for a while. Decides
//! nothing about alerts.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use outbound::{OutboundAnswer, OutboundError, OutboundPost};
use rand::RngExt;
use server_store::alerts::messages::{AlertAttempt, AttemptOutcome};
use shared::clock::Moment;
use shared::db::DbError;
use shared::id::AlertChannelId;
use shared::zone::Zone;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::channels::{AlertChannel, AlertChannels, KeptMessage};
use super::robots::{Letter, Verdict, posting, verdict, words};
use super::{AlertMessage, ChannelLang};
use crate::settings::zones::Zones;

/// Between two looks for what waits.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// A receiver answers within this time.
const DEADLINE: Duration = Duration::from_secs(15);
/// Whoever took a message and did not say what came of it is dead by then.
const TAKEN_FOR: Duration = Duration::from_secs(60);
/// Between two messages to a channel: WeCom and DingTalk take twenty a minute.
const PACE: Duration = Duration::from_secs(4);
/// A message that nobody took by then is given up.
const GIVE_UP_AFTER: Duration = Duration::from_secs(86_400);
/// Before a message is tried again that was refused for good, by how often it was: a receiver that is deployed anew
/// may be missing for a minute. After one more it is given up, and those behind it come.
const REFUSED_PAUSES: [Duration; 2] = [Duration::from_secs(40), Duration::from_secs(300)];
/// Before the second attempt; doubled for each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(1_800);
/// Doublings after which a pause is the longest.
const DOUBLINGS_MAX: u32 = 9;
/// What is read of an answer.
const ANSWER_BYTES_MAX: usize = 4_096;

/// Writes what is told in words of people: a message in a language, with its moments in a zone, and links
/// that begin with an address, where there is one.
pub type AlertWriter =
    Arc<dyn Fn(&AlertMessage, ChannelLang, (&Zone, &str)) -> String + Send + Sync>;

/// Sends messages; cheap to clone.
#[derive(Clone)]
pub struct AlertSender {
    channels: AlertChannels,
    zones: Zones,
    base: String,
    write: AlertWriter,
}

impl std::fmt::Debug for AlertSender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AlertSender")
    }
}

/// The pause before the next attempt: doubled each time, and different for each, so that messages do not
/// come back all at once.
fn pause(attempts: u32) -> Duration {
    let doubled = FIRST_PAUSE.saturating_mul(1 << attempts.saturating_sub(1).min(DOUBLINGS_MAX));
    scattered(doubled.min(LONGEST_PAUSE))
}

/// About as long.
fn scattered(pause: Duration) -> Duration {
    let percent = rand::rng().random_range(75..=125);
    pause.saturating_mul(percent) / 100
}

impl AlertSender {
    /// Over channels; `base` is where links lead to, or empty.
    pub fn new(channels: AlertChannels, zones: Zones, base: String, write: AlertWriter) -> Self {
        Self {
            channels,
            zones,
            base,
            write,
        }
    }

    async fn ask(
        &self,
        channel: &AlertChannel,
        message: &KeptMessage,
    ) -> (Verdict, Result<OutboundAnswer, OutboundError>) {
        let Some(address) = self.channels.opened(channel) else {
            let why = "its address was sealed with another CONFIG_ENCRYPTION_KEY";
            return (
                Verdict::Failed,
                Err(OutboundError::Unreachable(why.to_owned())),
            );
        };
        let zone = self.zones.platform().await;
        let text = (self.write)(&message.told, channel.lang, (&zone, &self.base));
        let letter = Letter {
            id: message.id.as_str(),
            told: &message.told,
            text: &text,
            base: &self.base,
            written_at: message.created_at,
            now: self.channels.clock.now(),
        };
        let posting = posting(channel.kind, &address, &letter);
        let post = OutboundPost {
            url: posting.url,
            headers: posting.headers,
            body: posting.body.into(),
            deadline: DEADLINE,
            answer_bytes_max: ANSWER_BYTES_MAX,
        };
        let answer = self.channels.outbound.post(&post).await;
        let verdict = match &answer {
            Ok(answer) => verdict(channel.kind, answer),
            Err(_) => Verdict::Failed,
        };
        (verdict, answer)
    }

    /// The message that a channel is told next: what piled up meanwhile is one.
    async fn next(&self, channel: &AlertChannel) -> Result<Option<KeptMessage>, DbError> {
        let store = &self.channels.store;
        let first = store.next_alert_message(&channel.id).await?;
        let is_new = |first: &KeptMessage| first.attempts == 0 && !first.told.test;
        if !first.as_ref().is_some_and(is_new)
            || store.alert_messages_waiting(&channel.id, 2).await? < 2
            || !store
                .merge_alert_messages(&channel.id, self.channels.clock.now())
                .await?
        {
            return Ok(first);
        }
        store.next_alert_message(&channel.id).await
    }

    /// Sends the next message of a channel, if it is time; tells whether it tried.
    async fn send_next(&self, channel: &AlertChannel) -> Result<bool, DbError> {
        let store = &self.channels.store;
        let now = self.channels.clock.now();
        let Some(message) = self.next(channel).await? else {
            return Ok(false);
        };
        let until = now.after(TAKEN_FOR);
        if message.due_at > now || !store.take_alert_message(&message, until, now).await? {
            return Ok(false);
        }
        let (verdict, answer) = self.ask(channel, &message).await;
        let now = self.channels.clock.now();
        let attempt = AlertAttempt {
            message: &message.id,
            channel: &channel.id,
            outcome: outcome(&message, verdict, now),
            refused: verdict == Verdict::Refused,
            http_status: answer.as_ref().ok().map(|answer| answer.status),
            answer: words(&answer),
            next_at: now.after(PACE),
        };
        store.note_alert_attempt(&attempt, now).await?;
        tell(channel, &attempt);
        Ok(true)
    }

    /// Channels that have something waiting and may be told now.
    async fn due(&self, busy: &HashSet<AlertChannelId>) -> Result<Vec<AlertChannel>, DbError> {
        let store = &self.channels.store;
        let waiting = store.channels_with_messages().await?;
        if waiting.is_empty() {
            return Ok(Vec::new());
        }
        let now = self.channels.clock.now();
        let mut channels = store.alert_channels().await?;
        channels.retain(|channel| {
            channel.enabled
                && channel.next_at <= now
                && waiting.contains(&channel.id)
                && !busy.contains(&channel.id)
        });
        Ok(channels)
    }

    /// Sends at most one message to each channel that may be told now; answers how many it tried.
    pub async fn send_now(&self) -> Result<usize, DbError> {
        let due = self.due(&HashSet::new()).await?;
        let mut sending: FuturesUnordered<_> =
            due.iter().map(|channel| self.send_next(channel)).collect();
        let mut tried = 0;
        while let Some(sent) = sending.next().await {
            tried += usize::from(sent?);
        }
        Ok(tried)
    }

    /// Sends what waits until told to stop. A channel that hangs holds up no other.
    pub async fn send_forever(self, stop: CancellationToken) {
        let mut busy: HashSet<AlertChannelId> = HashSet::new();
        let mut sending = FuturesUnordered::new();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                Some((id, sent)) = sending.next() => {
                    busy.remove(&id);
                    if let Err(error) = sent {
                        warn!(%error, channel.id = %id, "channel `{id}` was not told: {error}");
                    }
                }
                () = tokio::time::sleep(LOOK_EVERY) => match self.due(&busy).await {
                    Err(error) => warn!(%error, "channels were not told: {error}"),
                    Ok(due) => for channel in due {
                        busy.insert(channel.id.clone());
                        let sender = self.clone();
                        sending.push(async move {
                            let sent = sender.send_next(&channel).await;
                            (channel.id, sent)
                        });
                    },
                },
            }
        }
    }
}

/// What becomes of a message after an answer.
fn outcome(message: &KeptMessage, verdict: Verdict, now: Moment) -> AttemptOutcome {
    let wait = match verdict {
        Verdict::Taken => return AttemptOutcome::Sent,
        Verdict::TooOften(wait) => wait,
        Verdict::Failed => pause(message.attempts.saturating_add(1)),
        Verdict::Refused => {
            let before = usize::try_from(message.refusals).unwrap_or(usize::MAX);
            let Some(wait) = REFUSED_PAUSES.get(before) else {
                return AttemptOutcome::GaveUp;
            };
            scattered(*wait)
        }
    };
    if now.since(message.created_at) >= GIVE_UP_AFTER {
        AttemptOutcome::GaveUp
    } else {
        AttemptOutcome::Again(now.after(wait))
    }
}

fn tell(channel: &AlertChannel, attempt: &AlertAttempt<'_>) {
    let (id, name, answer) = (&channel.id, &channel.name, &attempt.answer);
    match attempt.outcome {
        AttemptOutcome::Sent => info!(channel.id = %id, "channel `{name}` was told of alerts"),
        AttemptOutcome::Again(_) => {
            warn!(channel.id = %id, "channel `{name}` took no message: {answer}");
        }
        AttemptOutcome::GaveUp => {
            warn!(channel.id = %id, "a message to channel `{name}` was given up: {answer}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_their_longest_and_differ() {
        let mut last = Duration::ZERO;
        for attempts in 1..8 {
            let next = pause(attempts);
            assert!(next > last, "{attempts}: {next:?} after {last:?}");
            last = next;
        }
        for attempts in [10, 100, u32::MAX] {
            let longest = pause(attempts);
            assert!(
                longest <= LONGEST_PAUSE.saturating_mul(125) / 100,
                "{longest:?}"
            );
            assert!(
                longest >= LONGEST_PAUSE.saturating_mul(75) / 100,
                "{longest:?}"
            );
        }
    }
}
